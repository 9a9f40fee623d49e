/* world.h -- a server of one test that says what it likes, and who asks it. For tests of http/. */
#pragma once
#include "fetch.h"
#include "support/http_peer.h"

typedef struct world {
    fetch *fetch;
    http_peer *peer;
    char url[200];   /* PEER/x */
    const char *say; /* what `say` in world.c says */
    char other[200]; /* an address that the test hands to its serve */
} world;

void open_world(world *w, void (*serve)(void *ctx, http_asked *asked)); /* ctx is the world */
void close_world(world *w);
/* Serves: w->say as it is, and closes; or one byte at a time; a good answer with what was asked in it. */
void say_and_close(void *ctx, http_asked *asked);
void say_bytewise(void *ctx, http_asked *asked);
void echo(void *ctx, http_asked *asked);
void assert_body(const fetched *got, const char *text);
