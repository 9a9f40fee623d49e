/*
 * visitor.h -- a plain blocking client of a listener that is a child of the test, and the requests that every listener
 * of ours must refuse.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WAIT_MS 3000

typedef struct place {
    pid_t pid; /* of the listener */
    int port;
    char token_file[64];
    char text[1 << 16]; /* what was read last */
    size_t len;
} place;

int64_t now_ms(void);
int connect_to(const place *p);
void put_bytes(int fd, const char *bytes, size_t count);
void put(int fd, const char *text);
/* Reads into p->text until `mark` is in it, or the end; true: the mark. */
bool read_until(place *p, int fd, const char *mark);
/* One request, whose connection is closed after it; its status, 0 when there was no answer. */
int ask_bytes(place *p, const char *bytes, size_t count);
int ask(place *p, const char *text);
size_t resident_kib(const place *p);

/* Every row of the list of hostile requests, POSTed to `path` with this body of 40 bytes, which is answered with 200
 * where a request has one meaning only. */
void hostile_requests(place *p, const char *path, const char *body);
