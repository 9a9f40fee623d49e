/*
 * engine.h -- the shell around core: turns, batches, dispatch, recovery.
 *
 * One thread owns the engine and every execution in it, so it holds no locks. It never waits: batches of entries go to
 * a writer, calls to the drivers, and what they say comes back as inputs. A turn is:
 *
 *   1. The clock is read, once. What becomes due while the turn runs is the next one's.
 *
 *   2. The commit that came back is taken in: it is told, answered, and what it makes owed is noted. A store that
 *      failed is tried again, when it is time for that.
 *
 *   3. What goes on by itself is advanced: executions whose time has come, those that the store gives back, those whose
 *      turn it is in the queue, chains that the clock starts.
 *
 *   4. What was filed is decided and applied in memory, and for executions that have nothing uncommitted what is
 *      owed is done; again, as long as calls end at once.
 *
 *   5. What has gathered goes to the writer, when it idles.
 *
 * What must always hold, whatever line the process dies after:
 *   - Commit before effect: a call is begun only when every entry of its execution is on disk.
 *   - Commit before acknowledging: an ack, an event and an end are told only after the commit.
 *   - What is under way is derived: a call is begun when core owes it and it is not in flight, and let go when core
 *     owes it no more. Nothing else starts or ends calls.
 *   - If a commit fails, nothing in it or behind it is believed: those executions are reloaded from the store, and
 *     the results of calls that had come in are decided again.
 *
 * It knows neither libuv nor SQL: time, chance, the writer and the drivers are handed in, and the simulator has its
 * own of each.
 *
 * Ownership  Options are borrowed and must outlive the engine.
 *
 * Threads    Everything here is called on the engine's thread, ctn_engine_batch_done too. Callbacks run on it, from
 *            turns; they may file requests, and must not call turn or free. The store is read on it, and a few things
 *            that are small and seldom are written on it, past the writer: a plan's definitions and chain row, a
 *            schedule that has fired, a breaker that opens or closes, the quarantine, and what is audited of that.
 */
#pragma once
#include "base/log.h"
#include "core/execution.h"
#include "core/trace.h"
#include "engine/driver.h"
#include "engine/leases.h"
#include "store/seal.h"
#include "store/store.h"

typedef struct ctn_engine ctn_engine;

/* ---- the writer: whoever commits batches ---- */

typedef struct ctn_batch {
    ctn_append *appends;
    size_t count;
    ctn_outcome *outcomes; /* filled by the writer, one an append */
    int rc;                /* of the commit: not CTN_OK = nothing of it may be believed */
    ctn_err err;
    uint32_t strand;                 /* which of the writer's it is for */
    struct ctn_batch_memory *memory; /* the engine's own */
} ctn_batch;

#define CTN_STRANDS_MAX 4

typedef struct ctn_writer {
    void *ctx;
    /* Commits it, now or later, and then lets ctn_engine_batch_done be called on the engine's thread. One batch of a
     * strand at a time is under way; those of different strands may be committed beside each other, in any order.
     * After a failure the writer works on a fresh connection. */
    void (*submit)(void *ctx, ctn_batch *batch);
    uint32_t strands; /* at most CTN_STRANDS_MAX; 0: 1. More than one only counts where the store is a fleet's */
} ctn_writer;

/* ---- what happens, for those who watch ---- */

typedef struct ctn_engine_event {
    enum ctn_engine_event_kind {
        CTN_EVENT_ENTRY,    /* an entry is on disk */
        CTN_EVENT_PROGRESS, /* a tool tells how far it is; never on disk */
        CTN_EVENT_STATUS,   /* after a commit that changed the status */
        CTN_EVENT_CALL,     /* a call was begun: starts of repeatable calls are in no journal */
        CTN_EVENT_HEARD,    /* a call, or a check, has ended as its driver tells; nothing is decided yet */
    } kind;
    const ctn_execution *execution;
    const ctn_record *record; /* ENTRY, as it is on disk; until the callback returns */
    ctn_status status;
    ctn_str step; /* ENTRY, PROGRESS, CALL, HEARD */
    uint32_t attempt;
    /* CALL, HEARD */
    int64_t item; /* of a foreach; -1: none */
    bool is_undo;
    const char *work;    /* its driver's kind: "tool" */
    ctn_failure failure; /* HEARD; NONE: it succeeded, or asks */
    int64_t begun_at_ms;
    double progress, total; /* total < 0: unknown */
    ctn_str message;
} ctn_engine_event;

/* What becomes of the times of a schedule that passed while nobody served. The first is the default. */
typedef enum ctn_catch_up {
    CTN_CATCH_UP_LAST, /* one start, for the last of them */
    CTN_CATCH_UP_NONE, /* none: what is more than a minute over has passed */
    CTN_CATCH_UP_ALL,  /* one after the other, the newest CTN_SCHEDULE_MISSED_MAX */
} ctn_catch_up;
/* What a time does while what the schedule started last has not ended. */
typedef enum ctn_overlap {
    CTN_OVERLAP_ALLOW,  /* starts another */
    CTN_OVERLAP_SKIP,   /* passes by */
    CTN_OVERLAP_QUEUE,  /* waits for its end; what comes due meanwhile is caught up with then */
    CTN_OVERLAP_CANCEL, /* cancels it, and starts another at once */
} ctn_overlap;
typedef struct ctn_schedule {
    ctn_str chain_id, cron, timezone; /* empty timezone: UTC */
    const ctn_json *input;            /* NULL: {} */
    ctn_catch_up catch_up;
    ctn_overlap overlap;
    int64_t jitter_ms;
} ctn_schedule;

/* What one tenant may have of the engine: its share of the turns (lanes.h), and its quotas (quota.h). */
typedef struct ctn_tenant_rules {
    ctn_str name;            /* "*": each that has no rules of its own, and a name */
    int64_t weight;          /* 0: 1 */
    int64_t running, queued; /* at once; 0: seven eighths of the places, and any number */
    ctn_usage per_day;       /* 0: as much as there is */
} ctn_tenant_rules;

/* rc CTN_OK: it is on disk. Else a refusal, with its sentence; nothing changed. */
typedef void ctn_ack_fn(void *ctx, int rc, ctn_execution_id id, const ctn_err *err);

struct ctn_start;
typedef struct ctn_engine_options {
    ctn_store *store; /* for loading, and for definitions of new plans */
    uint64_t epoch;
    bool was_crash;           /* the store's last owner died */
    const ctn_json *labels;   /* what chains may require (chain/requires.h): of one that requires more no step begins
                               * here, in a fleet, or none is started. NULL: nobody asks */
    const ctn_leases *leases; /* of a node of a fleet: instead of epoch and was_crash; NULL: the store is ours alone */
    ctn_clock clock;
    uint64_t seed; /* of jitter and ids' chance: from ctn_rng_system, or a simulator's */
    ctn_rng id_rng;
    const ctn_log *log; /* NULL: silent */
    ctn_writer writer;
    const ctn_driver *const *drivers;
    size_t driver_count;
    /* Plans that are compiled already and outlive the engine (it never frees them): executions that were started with
     * the same definitions use them, and they may be given to plan_add. For those who make many engines. */
    const ctn_plan *const *plans;
    size_t plan_count;
    /* Of a fleet: what the engine itself starts, with its id, or asks of an execution, and another node must do. The
     * ack comes once, at once or later; unless it was started or refused, the same is asked again, under the same id.
     * NULL: nothing goes elsewhere, and it waits until the shard is ours. An input is a CANCEL, PAUSE, RESUME or UNDO,
     * or a CHILD_ENDED for ctn_engine_child_ended: its name is the child's id. */
    void (*start_elsewhere)(void *ctx, const struct ctn_start *start, ctn_ack_fn *ack, void *ack_ctx);
    void (*input_elsewhere)(void *ctx, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ack_ctx);
    void *elsewhere_ctx;
    /* The plan, as it is now, of a chain that onFailure names; given to the engine as to plan_add. NULL: none is found.
     */
    int (*chain_find)(void *ctx, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err);
    void *chain_find_ctx;
    /* It is known now what the tools of a plan are: told once a plan, before anything of it advances. NULL: nobody. */
    void (*plan_bound)(void *ctx, const ctn_plan *plan);
    void *plan_bound_ctx;
    /* Chains that are started by the clock; chain_find gives their plans. */
    const ctn_schedule *schedules;
    size_t schedule_count;
    ctn_seal *seal;      /* of sensitive values; NULL: chains that have any are refused */
    bool seals_nothing;  /* a simulation: its sensitive values are made up, and stand in the journal as they are */
    ctn_tracing tracing; /* what calls take along of their traces */
    ctn_rules rules;     /* effect_of is set by the engine */
    size_t active_max;   /* executions in memory that may run at once; 0: 256 */
    /* Starts that were asked for and are not on disk yet: more are refused (CTN_E_TOO_MANY) before they take memory.
     * One tenant may have half of them. 0: 4,096 and 64 MiB. */
    size_t starting_max, starting_bytes_max;
    const ctn_tenant_rules *tenants;
    size_t tenant_count;
    /* May a call on this principal's behalf use this restricted set? CTN_E_DENIED: the sentence names the missing
     * grant; a start is refused with it, and the step fails with `denied`. Asked at a start, and before each call of
     * one that does something new: what undoes or checks what was done is not refused. NULL: nothing is refused. */
    int (*may_use)(void *ctx, ctn_str principal, ctn_str set, ctn_err *err);
    /* May a chain say that it runs as this principal? As may_use, of a start. */
    int (*may_run_as)(void *ctx, ctn_str principal, ctn_err *err);
    void *may_use_ctx;
    /* Puts the texts of secrets in the places that `args` names them at (value/secret.h): asked for each call that may
     * hold some, as it begins, and what it gives goes to the driver alone. NULL: the places stay as they are. */
    ctn_failure (*fill_secrets)(void *ctx, ctn_work_kind kind, ctn_arena *arena, const ctn_json *args,
                                const ctn_json **ret_args, ctn_err *err);
    void *fill_secrets_ctx;
    bool own_only; /* advance only what this engine was told to (run, resume); not what the store holds.
                    * Executions that wait for a time stay loaded and go on by themselves. */
    void (*on_event)(void *ctx, const ctn_engine_event *event); /* NULL: nobody watches */
    void *on_event_ctx;
    /* Something was filed outside a turn: have ctn_engine_turn called soon. */
    void (*wake)(void *ctx);
    void *wake_ctx;
} ctn_engine_options;

/* CTN_E_* of the store when it cannot be read. */
int ctn_engine_new(const ctn_engine_options *options, ctn_engine **ret_engine, ctn_err *err);
/* In-memory state only: what was not committed is lost, as in a crash. NULL is fine. */
void ctn_engine_free(ctn_engine *engine);

/* One turn. Returns when to call again at the latest (clock time in ms), or 0: only when something is filed. */
int64_t ctn_engine_turn(ctn_engine *engine);
/* The writer is done with this batch. Files it; the next turn takes it in. */
void ctn_engine_batch_done(ctn_engine *engine, ctn_batch *batch);
/* These shards are ours from now on, as the leases say: what they hold is looked for. Those that were being drained
 * are so no more. The engine tells its store (ctn_store_shards_held) what it looks at by itself, here and below. */
void ctn_engine_shards_gained(ctn_engine *engine, const ctn_shard_set *gained);
/* Shards that shall be given back: nothing new begins in them, and who asks for something in them is answered
 * CTN_E_STALE. Calls in flight may end, but for those that their peers have accepted: who comes next goes on with
 * them. _are_quiet: nothing of them is in memory, gathering, under way or in flight any more. */
void ctn_engine_shards_drain(ctn_engine *engine, const ctn_shard_set *which);
bool ctn_engine_shards_are_quiet(const ctn_engine *engine, const ctn_shard_set *which);
/* These are another's now (or nobody's): what is in memory of them is dropped as in a crash, their calls are let go;
 * who waits for an ack is answered CTN_E_STALE, unless it is with the writer, which will know. */
void ctn_engine_shards_lost(ctn_engine *engine, const ctn_shard_set *lost);
/* Another node has written what every node keeps in memory (ctn_beat.changes): it is read again. */
void ctn_engine_look_again(ctn_engine *engine);
/* What drivers report to. */
const ctn_call_sink *ctn_engine_sink(ctn_engine *engine);

/* Begins nothing new from here on; calls in flight may end until grace is over, but for those that their peers have
 * accepted: who comes next goes on with them. is_quiet: none is left and all is
 * committed, so the process may end; every execution stays resumable. */
void ctn_engine_stop(ctn_engine *engine);
bool ctn_engine_is_quiet(const ctn_engine *engine);
/* Nothing is loaded, gathering or under way: with own_only, all that was asked for has ended or parked. */
bool ctn_engine_is_idle(const ctn_engine *engine);
/* The chain that onFailure names is still to be started for this execution, or is running here for it. */
bool ctn_engine_is_following_up(const ctn_engine *engine, ctn_execution_id id);
/* The store refuses or fails: since when (0: it works), and why. */
int64_t ctn_engine_store_failing_since_ms(const ctn_engine *engine, ctn_str *ret_why);

/* ---- requests; each is acknowledged once, after the commit of what it did ---- */

/* On whose behalf something is asked of the engine. All empty: the engine's own, or the program's that it is part of.
 */
typedef struct ctn_requester {
    ctn_str principal; /* of a start: whose rights its calls have (may_use), unless its chain says runAs; empty: nothing
                        * is refused to it */
    ctn_str tenant;    /* of a start: whose it is: its share of the turns, its quotas; empty: of none */
    /* Not empty: an entry of the audit log, in the same commit as what it tells: "executions.start" */
    ctn_str audit_action;
    ctn_str audit_actor; /* who: "ada" */
    ctn_str from;        /* for the audit log: an address, "stdio", "socket" */
    ctn_str traceparent; /* of a start: the caller's W3C trace context; empty, or none: a trace of its own */
    int64_t
        request; /* store/fleet.h: which request on disk, of the execution's shard, asks for it: answered in the
                  * commit of what it did. What needed no commit, or was refused, is its filer's to answer. 0: none */
} ctn_requester;

/* A plan as the store knows it: its definitions are put, its chain row numbered. The engine keeps `plan`'s arena
 * from here on (also when it fails, or knows the same plan already: *ret_plan is the one to use). */
int ctn_engine_plan_add(ctn_engine *engine, ctn_plan *plan, ctn_str created_by, const ctn_plan **ret_plan,
                        int64_t *ret_version, ctn_err *err);
typedef struct ctn_start {
    const ctn_plan *plan; /* of plan_add */
    int64_t version;
    const ctn_json *input;     /* raw; the plan accepts or refuses it */
    const ctn_json *labels;    /* NULL: none */
    ctn_str idempotency_key;   /* empty: none. Known already: acknowledged with the id that has it, nothing started */
    bool is_queued;            /* leave it queued in the store, for whoever serves or resumes */
    const ctn_json *going_on;  /* what it takes over from an earlier one (rerun.h); NULL: nothing */
    const ctn_json *sensitive; /* names of inputs that are so although the chain does not say it; NULL: none */
    bool may_be_held; /* nobody is there to be told of a tool that is held: it starts all the same, and is paused */
    ctn_str actor;
    ctn_requester by;
    /* Of a fleet: the id that it shall have, in the shard where it must live (placement.h). Is there already:
     * acknowledged as started. All zero: the engine's to choose (with an idempotency key it is claimed, store/fleet.h).
     * In a shard that is not ours: CTN_E_STALE, with the id that it would have. */
    ctn_execution_id id;
    bool has_priority; /* another than the chain's own: */
    int priority;      /* 0 .. 9 */
    /* Whose step it is; NULL: nobody's. From outside only of a fleet, when the parent lives elsewhere (far.h); then it
     * has its id. is_stopped: it ends cancelled with its first commit, if it is not there already. */
    const ctn_parent *parent;
    bool is_stopped;
} ctn_start;
/* Of a fleet: the shards in which a start of this plan must live (store/fleet.h, needs); NULL: in any. The store is
 * asked once for each requirement. */
int ctn_engine_shards_for(ctn_engine *engine, const ctn_plan *plan, const ctn_shard_set **ret_among, ctn_err *err);
void ctn_engine_start(ctn_engine *engine, const ctn_start *start, ctn_ack_fn *ack, void *ctx);
/* ANSWER, SETTLE, SET, CANCEL, PAUSE, RESUME. The execution is loaded if need be. now_ms and entropy are filled in. */
void ctn_engine_input(ctn_engine *engine, ctn_execution_id id, const ctn_input *input, const ctn_requester *by,
                      ctn_ack_fn *ack, void *ctx); /* by NULL: nobody to be told of in the audit log */
/* Loads an execution that was left by a crash, queued or parked, and lets it go on (resume without a settlement). */
void ctn_engine_adopt(ctn_engine *engine, ctn_execution_id id, ctn_ack_fn *ack, void *ctx);
/* Of a fleet: this sub-chain of the execution, which lives in another shard, has ended. What that means is decided from
 * its row; acknowledged when that is on disk, or means nothing any more. */
void ctn_engine_child_ended(ctn_engine *engine, ctn_execution_id id, ctn_execution_id child, const ctn_requester *by,
                            ctn_ack_fn *ack, void *ctx);
/* One that is in quarantine because it did not read back (store/quarantine.h). It reads again: it goes on.
 * CTN_E_CORRUPT: it does not. Or a damaged one, there or not, is given up: it ends failed as it is, its line and its
 * parent go on. */
void ctn_engine_release(ctn_engine *engine, ctn_execution_id id, bool gives_up, ctn_str actor, ctn_str reason,
                        ctn_ack_fn *ack, void *ctx);
/* A schedule of the options, by its chain. PAUSE: its times pass by, also after a restart, until RESUME, from which on
 * they count again. FIRE: it is started now, beside its times and whatever still runs; acknowledged with the execution.
 * CTN_E_NOT_FOUND: no chain of that name has one here. */
typedef enum ctn_schedule_order {
    CTN_SCHEDULE_PAUSE,
    CTN_SCHEDULE_RESUME,
    CTN_SCHEDULE_FIRE,
} ctn_schedule_order;
void ctn_engine_schedule(ctn_engine *engine, ctn_str chain_id, ctn_schedule_order order, ctn_str actor,
                         const ctn_requester *by, ctn_ack_fn *ack, void *ctx);
/* A tool ("server/tool") that is not what chains rely on: with HOLD_NEW no execution of a chain that uses it begins,
 * with HOLD_ALL those under way do not call it either. A start that is asked for is refused with `why`; what began, or
 * begins by itself, is paused by CTN_HOLD_ACTOR with `why` as the reason, before the call; calls in flight go on.
 * HOLD_NOTHING: it may be called again; what was paused is resumed by whoever lets it go. */
typedef enum ctn_hold_kind {
    CTN_HOLD_NOTHING,
    CTN_HOLD_NEW,
    CTN_HOLD_ALL,
} ctn_hold_kind;
#define CTN_HOLD_ACTOR "guard"
void ctn_engine_hold(ctn_engine *engine, ctn_str target, ctn_hold_kind kind, ctn_str why);
/* The circuit breaker of this tool ("server/tool") is closed now, whatever it has seen; on disk, and those who wait for
 * it go on. False: there is none. */
bool ctn_engine_breaker_reset(ctn_engine *engine, ctn_str target);

/* ---- figures ---- */

typedef struct ctn_engine_figures {
    size_t loaded, running; /* executions in memory; those that have begun and are there to go on */
    size_t in_flight;       /* calls */
    size_t starting;        /* asked for, and not acknowledged yet */
    uint64_t commits, entries, starts, ends, refused; /* since it was made */
    size_t entries_gathering;                         /* decided and not on disk */
    uint64_t late_sends;            /* writes that were sent although their lease was over by then: leases.h */
    int64_t store_failing_since_ms; /* 0: it works */
} ctn_engine_figures;
ctn_engine_figures ctn_engine_figures_now(const ctn_engine *engine);
/* One lane of the queue. */
typedef struct ctn_queue_figure {
    ctn_str tenant, chain_id;
    int priority;
    int64_t depth;        /* all that are queued, those behind an older one with their concurrencyKey too */
    int64_t oldest_at_ms; /* when the first one came that may start; 0: none may, or it is not known */
} ctn_queue_figure;
/* In no order; fn not 0: stop. False: the store could not be read yet, or the engine does only what it is told to. */
bool ctn_engine_queue(const ctn_engine *engine, int (*fn)(void *ctx, const ctn_queue_figure *figure), void *ctx);
typedef struct ctn_tenant_figure {
    ctn_str tenant; /* "": all that have none */
    int64_t weight, running, queued;
    const ctn_tenant_rules *rules; /* NULL: none */
    bool is_counted;               /* it has a quota: */
    ctn_usage used;                /* of today (UTC) */
    bool is_shut;                  /* calls, bytes or money are used up: nothing of it starts */
} ctn_tenant_figure;
/* Those that the engine has met, and those with something queued. */
void ctn_engine_tenants(const ctn_engine *engine, int (*fn)(void *ctx, const ctn_tenant_figure *figure), void *ctx);

/* Loaded ones only; NULL otherwise. Valid until the next turn. */
const ctn_execution *ctn_engine_find(ctn_engine *engine, ctn_execution_id id);
