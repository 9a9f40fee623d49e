/*
 * access_state.h -- what the files of access share: what the configuration and the store say, in memory. Private to
 * access*.c.
 */
#pragma once
#include "base/names.h"
#include "host/access.h"
#include "store/principals.h"

/* Denials that were noted lately, so that one who repeats himself fills no disk. */
#define ACCESS_DENIALS 64

typedef struct access_denial {
    uint64_t what; /* a hash of who and what */
    int64_t at_ms;
} access_denial;

typedef struct access_principal {
    ctn_str name, tenant;
    bool is_kept; /* a principal of the store; else it is only granted something there */
    bool is_service;
    ctn_grants grants; /* items, as far as they go */
    ctn_grant *items;
    size_t room;
} access_principal;

typedef struct access_key {
    ctn_api_key_row row;
} access_key;

/* What the store says, as of `changes`. */
typedef struct access_known {
    ctn_arena *arena; /* goes with the next reading */
    int64_t changes;
    ctn_names names; /* number -> principals[number] */
    access_principal *principals;
    size_t principal_room;
    access_key *keys; /* by id */
    size_t key_count, key_room;
} access_known;

struct ctn_access {
    ctn_access_options of;
    access_known known;
    int64_t looked_at_ms;
    /* the configuration's tokens, read again when they may have changed; wiped before */
    ctn_arena *token_arena;
    ctn_str *tokens; /* by the configuration's order; empty: cannot be had */
    int64_t tokens_read_at_ms;
    ctn_issuers *issuers; /* NULL: there are none */
    ctn_issuer *issuer_list;
    access_denial denials[ACCESS_DENIALS];
    size_t denial_next;
};

int64_t access_now_ms(const ctn_access *access);
/* Reads the store again if something has changed. What was read before is gone then. */
int access_refresh(ctn_access *access, ctn_err *err);
const access_principal *access_principal_of(const ctn_access *access,
                                            ctn_str name);       /* NULL: the store knows nothing of it */
access_key *access_key_of(const ctn_access *access, ctn_str id); /* NULL: there is none */
