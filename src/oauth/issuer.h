/*
 * issuer.h -- tokens of OpenID Connect issuers: their keys are fetched and kept, and tokens are judged by them.
 *
 * An issuer's discovery document (ISSUER/.well-known/openid-configuration) must name the issuer letter by letter; it
 * says where the keys are. They are fetched at the start, and again, while the old ones are used, when they are ten
 * minutes old and a token comes. A token with a key id that is not known makes them be fetched at once, but no more
 * often than every ten seconds, whoever sends such tokens; until the answer is there it is told LATER. While an issuer
 * is down its keys are good for a day, then none of its tokens is.
 *
 * Ownership  The options are borrowed. Claims live in the arena that was given.
 * Threads    The loop's. Nothing here waits.
 */
#pragma once
#include "base/log.h"
#include "http/http.h"
#include "wire/jwt.h"

typedef struct ctn_issuers ctn_issuers;

typedef struct ctn_issuer {
    ctn_str issuer; /* "https://login.example.com/realm" */
    ctn_str audience;
    const ctn_str *clients; /* whom tokens were given to (azp); none: anybody */
    size_t client_count;
    bool allows_private; /* it may be in a private network */
    const char *ca_file; /* PEM; NULL: the system's */
} ctn_issuer;

typedef struct ctn_issuers_options {
    ctn_loop *loop;
    ctn_clock clock;
    const ctn_log *log; /* NULL: silent */
    const ctn_issuer *issuers;
    size_t count;
    int64_t refetch_ms; /* 0: 10000; tests have less patience */
} ctn_issuers_options;
ctn_issuers *ctn_issuers_new(const ctn_issuers_options *options);
void ctn_issuers_free(ctn_issuers *issuers); /* NULL is fine */

typedef enum ctn_token_verdict { CTN_TOKEN_GOOD, CTN_TOKEN_BAD, CTN_TOKEN_LATER } ctn_token_verdict;
/* *ret_number: which issuer's it is. err of BAD: a sentence for its holder. */
ctn_token_verdict ctn_issuers_judge(ctn_issuers *issuers, ctn_arena *arena, ctn_str token, size_t *ret_number,
                                    const ctn_json **ret_claims, ctn_err *err);
