/*
 * internal.h -- what the parts of the API share.
 *
 *     document.h    the OpenAPI document, one out of its parts
 *     route.h       its operations as routes; read.c: what a request says
 *     api.c         the way of a request to its operation, and back
 *     wait.h        answers that come later: after a commit, or at the end of an execution
 *     operations.c  the list of all operations
 */
#pragma once
#include "server/api/route.h"
#include "server/webhooks.h"
#include "server/api/wait.h"

#define CTN_API_DOCUMENT_PATH "/openapi.json"
#define CTN_API_HOOKS_PATH    "/v1/hooks"

struct ctn_api {
    ctn_host *host;
    ctn_access *access;
    ctn_arena *arena;
    const ctn_json *document;
    ctn_str document_text;
    ctn_api_routes routes;
    struct ctn_api_waits *waits;     /* wait.c */
    struct ctn_api_bulk_run *bulks;  /* bulk.c: those under way */
    ctn_feed *feed;                  /* of the journal; NULL: the store cannot be read */
    struct ctn_api_streams *streams; /* events.c */
    ctn_webhooks *webhooks;
};

extern const ctn_api_operation *const ctn_api_operations[]; /* operations.c; NULL ends it */

/* ---- events.c ---- */
int ctn_api_streams_open(ctn_api *api, ctn_err *err);
void ctn_api_streams_end(ctn_api *api);   /* each of them; new ones are refused */
void ctn_api_streams_close(ctn_api *api); /* NULL streams: never opened */

/* The kinds of events that a list names. */
uint64_t ctn_api_kinds(const ctn_json *names);

/* ---- webhooks.c ---- */
int ctn_api_webhooks_open(ctn_api *api, ctn_err *err);

/* ---- hooks.c ---- */
void ctn_api_hooks_open(ctn_api *api, ctn_front *front);

void ctn_api_bulks_close(ctn_api *api); /* their clients are let go */
void ctn_api_bulks_free(ctn_api *api);  /* the engine is gone */

/* The sentence without what it says to somebody at the command line. */
ctn_str ctn_api_words(ctn_arena *arena, const ctn_err *err);
/* Of base/err.h. */
int ctn_api_status_of(int code);
