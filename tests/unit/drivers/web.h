/*
 * web.h -- an MCP server over HTTP inside the test's own program: it speaks by wire/mcp_server, keeps what it was
 * asked, and whatever else a test wants of it the test's own `serve` says.
 */
#pragma once
#include <pthread.h>
#include "support/http_peer.h"
#include "wire/mcp_server.h"

#define WEB_ASKED_MAX 200

/* One request as it came: "" for what was not there. */
typedef struct web_asked {
    char http[8], path[64];                                  /* "POST", "/mcp" */
    char method[64], id[32];                                 /* of the message */
    char version[32], mcp_method[64], name[128], region[64]; /* headers: MCP-Protocol-Version, Mcp-... */
    char session[64], last_event[64], authorization[64], accept[64], type[64];
    char body[2000];
} web_asked;

typedef struct web web;
struct web {
    http_peer *peer;
    ctn_mcp_server *server;
    pthread_mutex_t lock;
    web_asked asked[WEB_ASKED_MAX];
    size_t asked_count;
    char session[64]; /* "": none is kept; else a legacy one that initialize is given */
    char url[128];    /* of /mcp */
    /* What is different today: true: it has answered. In a thread of its own. NULL: nothing is. */
    bool (*serve)(web *w, http_asked *asked, const web_asked *what);
    int step; /* for serve's own use, with its lock held */
};

typedef enum web_era {
    WEB_MODERN = 1,
    WEB_LEGACY = 2,
    WEB_BOTH = 3,
} web_era;

void web_start(web *w, web_era era, bool (*serve)(web *w, http_asked *asked, const web_asked *what));
void web_stop(web *w);
/* The answer of the server to this message, as JSON or as a stream; 202 to what has none. */
void web_answer(web *w, http_asked *asked, bool as_stream);
/* The lines that answer it, in a text that the caller frees. */
char *web_lines(web *w, const char *message);
/* How many requests had this JSON-RPC method (or, for "GET" and "DELETE", this HTTP one). */
size_t web_count(web *w, const char *method);
/* The n-th of them, from 0; fails the test when there is none. */
const web_asked *web_nth(web *w, const char *method, size_t n);
bool web_is(const char *a, const char *b);
/* A serve that begins a stream for calls with "hang" in them and hangs until the client closes it: step counts these.
 */
bool web_serve_hangs(web *w, http_asked *asked, const web_asked *what);
