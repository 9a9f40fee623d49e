/*
 * oauth_peer.h -- an authorization server, and the metadata of the server that it protects, that say what a test wants.
 * They live in an http_peer of the test, which serves /mcp itself.
 */
#pragma once
#include "support/http_peer.h"
#include <stdatomic.h>

typedef enum oauth_peer_iss { ISS_RIGHT, ISS_NONE, ISS_WRONG, ISS_SLASH } oauth_peer_iss;

typedef struct oauth_peer {
    const char
        *url; /* of all of it, set before anything is asked: the server is at /mcp, the issuer is the URL itself */
    /* what the peers say */
    const char *resource; /* NULL: URL/mcp */
    const char *issuer;   /* in the issuer's own document; NULL: URL */
    bool has_no_s256, sends_no_refresh_token, refuses_refresh, refuses_clients;
    bool repeats_secrets; /* what it was sent comes back in error_description */
    bool is_down;         /* the token endpoint answers 503 */
    bool moves_token;     /* the token endpoint answers 307 */
    bool lacks_metadata;
    bool knows_no_registration;
    oauth_peer_iss iss;
    int life_s; /* of a token; 0: not said */
    int token_delay_ms;
    /* what they were asked */
    atomic_int asked_metadata, registered, authorized, code_grants, refreshes, client_grants, moved;
    char last_token_body[4096], last_authorization[512], last_scope[256]; /* of the token endpoint, of the page */
} oauth_peer;

/* False: the path is none of its own. */
bool oauth_peer_serve(oauth_peer *peer, http_asked *asked);
/* 401, with the challenge that leads to it. */
void oauth_peer_refuse(const oauth_peer *peer, http_asked *asked, const char *scope);
