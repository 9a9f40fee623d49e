/*
 * web_kit.h -- `catena serve` over HTTP: started in a world, asked by a plain blocking client.
 *
 * One connection is kept as long as the server keeps it. What it answers must be well-formed: a fault of form fails the
 * test, as does no answer within 30 s.
 */
#pragma once
#include "base/json.h"
#include "e2e/cli_kit.h"

typedef struct web {
    world *w;
    running server;
    char log[64]; /* what the server said, a file of the world */
    int port, fd; /* fd -1: not connected */
} web;

typedef struct web_answer {
    int status;
    ctn_str type; /* Content-Type, without parameters */
    ctn_str head; /* all header lines */
    ctn_str body;
    const ctn_json *json; /* of a body that is JSON; NULL: it is none */
} web_answer;

/* more: further words of the command line, "" for none. */
void web_open(web *s, world *w, const char *more);
/* By SIGTERM; it ends well. */
void web_close(web *s);
/* target: path and query, encoded. headers: lines that end with \r\n; "" for none. body: ptr NULL: none. */
web_answer web_ask(web *s, ctn_arena *arena, const char *method, const char *target, const char *headers, ctn_str body);

/* An answer that does not end, on a connection of its own; by HTTP/1.0, so that its bytes are the stream's. */
int web_stream(web *s, const char *target, const char *headers);
/* Reads on until `mark` has come, or the end; true: the mark. */
bool web_stream_await(int fd, ctn_buf *text, const char *mark);
/* The value of a header, without case; empty: it is not there. */
ctn_str web_header(const web_answer *a, const char *name);
