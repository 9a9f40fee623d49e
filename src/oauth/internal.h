/*
 * internal.h -- what auth.c (who asks, and what a refusal means) and flow.c (one way to a token) share.
 */
#pragma once
#include "oauth/auth.h"
#include "oauth/credential.h"
#include "wire/challenge.h"

typedef enum ctn_flow_goal {
    CTN_FLOW_REFRESH, /* with the refresh token that is kept; where that is no more, as ASK if there is a person */
    CTN_FLOW_CLIENT,  /* client credentials */
    CTN_FLOW_ASK,     /* a person's leave */
} ctn_flow_goal;

typedef struct ctn_flow_start {
    ctn_flow_goal goal;
    bool has_challenge; /* else the server is asked for one first (ASK) */
    ctn_challenge challenge;
    ctn_str scopes; /* wanted besides those that the server names */
} ctn_flow_start;

typedef struct ctn_flow ctn_flow;
/* Ends with ctn_auth_flow_ended, never from inside. start is copied. */
ctn_flow *ctn_flow_new(ctn_auth *auth, const ctn_flow_start *start);
void ctn_flow_free(ctn_flow *flow); /* NULL is fine; nothing is told */

typedef struct waiter {
    ctn_auth_ready_fn *ready; /* NULL: forgotten */
    void *ctx;
} waiter;

struct ctn_auth {
    ctn_auth_options options; /* texts copied into the arena */
    ctn_auth_config config;
    ctn_http_policy discovery; /* what may be fetched of what a stranger names */
    ctn_str vault_name;        /* "SERVER URL" */
    ctn_arena *arena;          /* as long as it lives */
    ctn_arena *kept;           /* of `credential` */
    ctn_credential credential; /* in force; empty: none */
    bool has_read;             /* the vault was asked */
    ctn_str issuer_seen;       /* who was shown the configured secret: nobody else is */
    int64_t fresh_until_ms;    /* a token refused before that is not refused for its age: to renew it is in vain */
    char metadata_url[CTN_OAUTH_TEXT_BYTES_MAX + 1]; /* as the server last named it; "": it did not */
    unsigned asked; /* times in a row that a person was asked and the fresh token was refused */
    ctn_flow *flow; /* under way; NULL: none */
    waiter *waiters;
    size_t waiter_count, waiter_capacity;
    waiter *told; /* those that are told now, or NULL */
    size_t told_count;
};

/* credential: what is in force now (NULL: what was), copied. Frees the flow. */
void ctn_auth_flow_ended(ctn_auth *auth, int code, const ctn_credential *credential, const char *why);
/* What the vault has for this server and URL; CTN_E_NOT_FOUND: nothing. */
int ctn_auth_vault_read(ctn_auth *auth, ctn_arena *arena, ctn_credential *ret_credential, ctn_err *err);
int ctn_auth_vault_write(ctn_auth *auth, const ctn_credential *credential, ctn_err *err);
/* The text of a variable or a file, without the white space around it; CTN_E_NOT_FOUND, CTN_E_INVALID with a sentence
 * that names where it was looked for. */
int ctn_auth_source_read(const ctn_auth_source *source, ctn_arena *arena, ctn_str *ret_text, ctn_err *err);
