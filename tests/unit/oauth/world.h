/*
 * world.h -- one protected server and its authorization server, on loopback, that say what a test wants; and a client
 * with a vault in memory, whose person opens every page at once. For tests of oauth/.
 */
#pragma once
#include "oauth/auth.h"
#include "support/http_peer.h"
#include <stdatomic.h>

typedef enum world_iss { ISS_RIGHT, ISS_NONE, ISS_WRONG, ISS_SLASH } world_iss;

typedef struct world {
    http_peer *peer;
    const char *url; /* of the peer; the server is at /mcp, the issuer is the peer itself */
    /* what the peers say */
    const char *resource; /* NULL: URL/mcp */
    const char *issuer;   /* in the issuer's own document; NULL: URL */
    bool has_no_s256, sends_no_refresh_token, refuses_refresh, refuses_clients;
    bool repeats_secrets; /* what it was sent comes back in error_description */
    bool moves_token;     /* the token endpoint answers 307 */
    bool lacks_metadata;
    bool knows_no_registration;
    world_iss iss;
    int life_s; /* of a token; 0: not said */
    int token_delay_ms;
    /* what they were asked */
    atomic_int asked_metadata, registered, authorized, code_grants, refreshes, client_grants, moved;
    char last_token_body[4096], last_authorization[512], last_scope[256]; /* of the token endpoint, of the page */
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
