/*
 * world.h -- one protected server and its authorization server, on loopback, that say what a test wants; and a client
 * with a vault in memory, whose person opens every page at once. For tests of oauth/.
 */
#pragma once
#include "oauth/auth.h"
#include "support/oauth_peer.h"

typedef struct world {
    oauth_peer of; /* what the peers say, and what they were asked */
    http_peer *peer;
    /* the client */
    ctn_loop *loop;
    ctn_http *http;
    ctn_arena *arena;
    ctn_str vault_text; /* empty: nothing is kept */
    bool is_locked;
    ctn_auth_vault vault;
    ctn_auth_ask ask;
    unsigned pages;
    bool never_opens;
    char page[2048]; /* the last one */
    ctn_timer *patience;
    bool is_out_of_patience;
} world;

/* What one asker was told. */
typedef struct told {
    unsigned times;
    int code;
    char token[256], why[700];
} told;

void world_begin(world *w); /* after its first fields are set to what they are to be; they may change later */
void world_end(world *w);
/* The server's challenge, as it would stand in a 401 (error NULL) or a 403. */
ctn_str world_challenge(world *w, const char *error, const char *scope);
ctn_auth *world_auth(world *w, const ctn_auth_config *config, bool has_person, bool has_vault);
void told_ready(void *told, int code, ctn_str token, const char *why);
/* Runs the loop until it was told; fails the test after 10 s. */
void world_wait(world *w, told *t);
void world_run_for(world *w, int64_t ms);
