/*
 * request.h -- what is asked of whoever may decide on an execution: start, go on, answer, settle, set, cancel, pause,
 * release, discard, and what becomes of a schedule. The same request is done here when that is this process, carried as
 * JSON over a socket to the process that owns the store, or put on disk for the node of a fleet that holds its shard.
 *
 * On disk (store/fleet.h, ctn_request_row) its body is {"method", "by", "params"} (and, where it is an engine's own,
 * "engine": {} or the parent of a sub-chain, as {"id", "step", "item", "attempt", "depth", "stopped"}), or with
 * "sealed" in place of params: with a keyring everything that people gave is sealed (store/seal.h, ctn_seal_text), for
 * it might be sensitive. A start names its definitions by their digests; they are in the store before it is.
 *
 * Ownership  Everything is borrowed until it is filed, then copied. A plan belongs to the request until it is filed.
 */
#pragma once
#include "chain/plan.h"
#include "engine/engine.h"
#include "store/fleet.h"
#include "store/seal.h"

typedef enum ctn_request_op {
    CTN_REQUEST_START,
    CTN_REQUEST_RESUME,
    CTN_REQUEST_ANSWER,
    CTN_REQUEST_SETTLE,
    CTN_REQUEST_SET,
    CTN_REQUEST_CANCEL,
    CTN_REQUEST_PAUSE,
    CTN_REQUEST_RELEASE,        /* out of quarantine */
    CTN_REQUEST_DISCARD,        /* ... and ended as it is */
    CTN_REQUEST_SCHEDULE_PAUSE, /* of the chain `name` */
    CTN_REQUEST_SCHEDULE_RESUME,
    CTN_REQUEST_SCHEDULE_FIRE,
    CTN_REQUEST_UNDO,        /* of an engine alone, as the next: a completed sub-chain */
    CTN_REQUEST_CHILD_ENDED, /* look at the sub-chain `name`, an id */
    CTN_REQUEST_OP_COUNT,
} ctn_request_op;

typedef struct ctn_request {
    ctn_request_op op;
    bool is_engines;     /* no person's: it is not in the audit log. Carried on disk only, like `by` and `parent` */
    ctn_execution_id id; /* START: in a fleet the id that it shall have; else unknown until it is acknowledged */
    ctn_str actor;
    ctn_requester by; /* carried on disk, not over a socket: who hears it there says it for itself. What it leaves open
                       * of the audit log is filled in: the action by what is asked, the actor, "local" */
    /* START */
    bool has_priority; /* another than the chain's own */
    int priority;
    ctn_plan *plan;             /* NULL: one that the engine has already: */
    const ctn_plan *known_plan; /* of plan_add, with its version (host/shelf.h) */
    int64_t known_version;
    const ctn_json *input, *labels; /* labels NULL: none */
    ctn_str idempotency_key;
    const ctn_json *going_on;  /* what it takes over from an earlier one (core/rerun.h); NULL: nothing */
    const ctn_json *sensitive; /* names of inputs that are so although the chain does not say it; NULL: none */
    bool is_queued;            /* leave it to whoever serves */
    const ctn_parent *parent;  /* of a sub-chain that lives elsewhere than its parent (engine/far.h); NULL: of none */
    bool is_stopped;           /* of such a one: it ends at once */
    /* the others */
    ctn_str name;          /* step, the variable of SET, or the chain of a schedule */
    const ctn_json *value; /* ANSWER, SETTLE succeed, SET */
    ctn_settle settle;
    bool not_happened;
    ctn_str reason;
} ctn_request;

const char *ctn_request_method(ctn_request_op op);
const ctn_json *ctn_request_to_json(const ctn_request *q, ctn_arena *arena);
/* CTN_E_NOT_FOUND: no such method; CTN_E_INVALID: bad params. A plan is compiled into an arena of its own. */
int ctn_request_from_json(ctn_arena *arena, ctn_str method, const ctn_json *params, ctn_request *ret, ctn_err *err);
/* By the store's owner. The acknowledgement may come at once or in a later turn. Takes the plan. */
void ctn_request_file(ctn_engine *engine, ctn_store *store, ctn_request *q, ctn_ack_fn *ack, void *ctx);
void ctn_request_drop_plan(ctn_request *q);

/* ---- on disk ---- */
/* The definitions of a start are in the store from here on, whoever starts it. */
int ctn_request_put_definitions(const ctn_request *q, ctn_store *store, ctn_arena *scratch, ctn_err *err);
/* Of the execution q->id, in this shard; in the arena. CTN_E_DENIED: the keyring cannot be had. */
int ctn_request_to_row(ctn_request *q, ctn_seal *seal, uint32_t shard, ctn_arena *arena, ctn_request_row *ret,
                       ctn_err *err);
/* The digests of a start's definitions go into ret_definitions, for who has such a plan already; the request has none.
 * CTN_E_DENIED: it is sealed, and there is no key here to open it with. */
int ctn_request_from_row(const ctn_request_row *row, ctn_seal *seal, ctn_arena *arena, ctn_request *ret,
                         const ctn_json **ret_definitions, ctn_err *err);
/* The plan that these digests name, in an arena of its own. */
int ctn_request_find_plan(const ctn_json *definitions, ctn_store *store, ctn_plan **ret_plan, ctn_err *err);
