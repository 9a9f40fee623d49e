/*
 * api.h -- the HTTP API under /v1, as its OpenAPI document says it.
 *
 * The document is written once, in openapi/ (YAML, a file a subject, built into the program), served at /openapi.json,
 * and obeyed: which operation is meant, which parameters and body it takes, and which action it needs (`x-action`, a
 * name of host/access.h) are read from it. A handler is called with arguments that fit their schemas, by a caller who
 * may do that in general; about a single chain or execution it asks itself (ctn_api_demand).
 *
 * Every operationId has a handler and every handler an operation: opening asserts it.
 *
 * Adding an operation: its lines in openapi/SUBJECT.yaml, a row in SUBJECT.c, a test; a new subject: its line in
 * CTN_API_SUBJECTS.
 *
 * Threads  The loop's.
 */
#pragma once
#include "host/host.h"
#include "server/front.h"

typedef struct ctn_api ctn_api;

/* Adds its sites to the front. */
int ctn_api_open(ctn_host *host, ctn_access *access, ctn_front *front, ctn_api **ret_api, ctn_err *err);
/* It is about to be closed: streams of events end, for their clients have bookmarks; everything else goes on. */
void ctn_api_drain(ctn_api *api);
struct ctn_webhooks *ctn_api_webhooks_of(const ctn_api *api); /* for their figures */
void ctn_api_close(ctn_api *api); /* NULL is fine; before the front, and see ctn_host_at_end for what is under way */

/* ---- for those who write operations (server/api only) ---- */

typedef struct ctn_api_call {
    ctn_api *api;
    ctn_host *host;
    ctn_access *access;
    const ctn_caller *caller;
    ctn_web_request *request;
    ctn_arena *arena;      /* lives as long as the request */
    const ctn_json *given; /* {name: value}: path, query and header parameters, typed, defaults in their places */
    const ctn_json *body;  /* NULL: none */
} ctn_api_call;

typedef struct ctn_api_operation {
    const char *operation_id;
    void (*handle)(ctn_api_call *call); /* answers now or later, once */
} ctn_api_operation;

/* clang-format off */
/* A subject's file gives its rows, the last one all NULL, as ctn_api_SUBJECT; each stands here, on a line of its own. */
#define CTN_API_SUBJECTS(SUBJECT) \
    SUBJECT(again)                \
    SUBJECT(budgets)              \
    SUBJECT(bulk)                 \
    SUBJECT(chains)               \
    SUBJECT(events)               \
    SUBJECT(executions)           \
    SUBJECT(hooks)                \
    SUBJECT(look)                 \
    SUBJECT(operate)              \
    SUBJECT(principals)           \
    SUBJECT(schedules)            \
    SUBJECT(tenants)              \
    SUBJECT(webhooks)
/* clang-format on */
#define SUBJECT(name) extern const ctn_api_operation ctn_api_##name[];
CTN_API_SUBJECTS(SUBJECT)
#undef SUBJECT

void ctn_api_answer(ctn_api_call *call, int status, const ctn_json *body); /* NULL: no body */
/* With one header more: Location. */
void ctn_api_answer_with(ctn_api_call *call, int status, ctn_web_header extra, const ctn_json *body);
/* 200, with a body that is no JSON. */
void ctn_api_answer_text(ctn_api_call *call, const char *type, ctn_str body);
/* `pointer` into the body or "query/limit", "path/id", "header/Idempotency-Key"; empty: of no field. */
void ctn_api_problem(ctn_api_call *call, int status, ctn_str pointer, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* From an error's code: INVALID 422, NOT_FOUND 404, DENIED 403, EXISTS and STATE 409, LIMIT 413, BUSY 503, ... */
void ctn_api_fail(ctn_api_call *call, const ctn_err *err);
/* False, and answered: it is not his (404), or he may not (403). object NULL: in general. */
bool ctn_api_demand(ctn_api_call *call, ctn_action action, const ctn_access_object *object);
/* For the engine: on whose behalf (engine.h). */
ctn_requester ctn_api_requester(const ctn_api_call *call, ctn_action action);
