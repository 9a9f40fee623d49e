/*
 * webhooks.h -- who is told of the journal by HTTP: each webhook, how far it was told, and what could not be delivered.
 *
 * The position of a webhook says that every entry up to it is done with: delivered, not wanted, or among its dead
 * letters. Beyond it nothing is known, so whoever goes on may tell again what was told before a death. A dead letter is
 * written before the position passes it. It names its entry and does not hold it.
 *
 * What a definition means is for others to say (server/webhooks.h): it is kept as it is.
 *
 * Ownership, errors and threads as in store.h. Written on the caller's thread, one transaction each.
 */
#pragma once
#include "store/store.h"

typedef struct ctn_webhook_row {
    ctn_str name;
    ctn_str definition; /* a JSON object; no secret in it */
    ctn_str secret;     /* sealed (store/seal.h) */
    ctn_str tenant;     /* of whoever made it; empty: of none */
    int64_t position;
    int64_t created_at_ms;
    ctn_str created_by;
    ctn_str stopped; /* why nothing is sent; empty: it is active */
} ctn_webhook_row;

int ctn_store_webhook_put(ctn_store *st, const ctn_webhook_row *row, ctn_err *err); /* replaces the one of its name */
/* With its dead letters. CTN_E_NOT_FOUND, without a sentence. */
int ctn_store_webhook_remove(ctn_store *st, ctn_str name, ctn_err *err);
typedef struct ctn_webhook_reach {
    ctn_str name;
    int64_t position;
} ctn_webhook_reach;
/* In one transaction; one that is not there any more is passed over, and so is one that was told further already (by
 * another node: a position never gets less here). */
int ctn_store_webhook_advance(ctn_store *st, const ctn_webhook_reach *reached, size_t count, ctn_err *err);
typedef int ctn_webhook_fn(void *ctx, const ctn_webhook_row *row); /* not 0: stop; the call returns CTN_OK */
int ctn_store_webhook_list(ctn_store *st, ctn_webhook_fn *fn, void *ctx, ctn_err *err); /* by name */

typedef struct ctn_dead_letter {
    ctn_str webhook;
    int64_t position; /* of the entry */
    ctn_execution_id execution;
    ctn_str kind; /* of the entry */
    int64_t attempts;
    ctn_str why; /* of the last one */
    int64_t died_at_ms;
} ctn_dead_letter;
int ctn_store_dead_letter_put(ctn_store *st, const ctn_dead_letter *letter, ctn_err *err);        /* replaces */
int ctn_store_dead_letter_remove(ctn_store *st, ctn_str webhook, int64_t position, ctn_err *err); /* as above */
typedef int ctn_dead_letter_fn(void *ctx, const ctn_dead_letter *letter);
/* By position, behind `after`. */
int ctn_store_dead_letter_list(ctn_store *st, ctn_str webhook, int64_t after, size_t limit, ctn_dead_letter_fn *fn,
                               void *ctx, ctn_err *err);
