/*
 * world.h -- a world for an engine to live and die in: the real core and engine on a virtual clock, over a store in
 * memory, with calls whose ends somebody invents.
 *
 * Nothing here waits, and nothing is left to chance but what the seed gives: the same seed and the same answers of
 * the hooks make the same world, in every process. Time stands still while the engine works and goes on to the next
 * thing that is due.
 *
 * What the world does by itself: it keeps the clock, what is due (events), the writer (every batch is committed a
 * moment later, as the hook says how well), and the lives of the engine. When the engine dies, everything it had not
 * committed is gone with it, and so is what was due (its children die with it); a new engine starts over the same
 * store a little later. What calls do, and how they end, is the owner's: `begin` is told of each, and the owner
 * answers with events of its own and ctn_world_reply.
 *
 * Two live on it: the tests of the engine (tests/sim), which plan deaths to see promises kept, and `catena simulate`
 * and `catena test`, which look at what a chain does.
 *
 * Ownership  Options, hooks, plans are borrowed and must outlive the world.
 * Threads    One.
 */
#pragma once
#include "engine/engine.h"

typedef struct ctn_world ctn_world;

/* What becomes of a commit. All false: it holds. */
typedef struct ctn_commit_fate {
    bool dies_before; /* the engine dies instead; nothing is on disk */
    bool fails;       /* the engine is told that it failed; it is on disk or not: */
    bool is_written;  /* ... failed in its answer only */
    bool dies_after;  /* the engine dies before it hears of it */
} ctn_commit_fate;

typedef struct ctn_world_event {
    int64_t at_ms; /* by the world's clock */
    uint64_t order;
    int kind;       /* the owner's own, >= 0 */
    uint64_t token; /* of the call it is about */
    void *data;
} ctn_world_event;

typedef struct ctn_world_hooks {
    void *ctx;
    /* A call of a kind ("tool", "native", ...) begins. */
    void (*begin)(void *ctx, const char *kind, const ctn_call_request *request);
    void (*let_go)(void *ctx, uint64_t token); /* nothing more is to be heard of it */
    ctn_effect (*effect)(void *ctx, const char *kind, ctn_str target, const char **ret_from);
    bool (*may_still_arrive)(void *ctx, uint64_t token, ctn_str target);
    /* A call that waits is not wanted any more. NULL: nobody is told. */
    void (*abandon)(void *ctx, const char *kind, ctn_str target, const ctn_json *continuation);
    void (*happen)(void *ctx, const ctn_world_event *event); /* its time has come */
    ctn_commit_fate (*commit)(void *ctx, int number, const ctn_batch *batch);
    void (*on_disk)(void *ctx, const ctn_append *append); /* it was accepted */
    /* The store itself did not take a batch; the engine does not know yet. NULL: never. */
    void (*commit_failed)(void *ctx, const ctn_err *err);
    void (*on_event)(void *ctx, const ctn_engine_event *event);
    /* A new engine is there: ask it again for what was never acknowledged. */
    void (*born)(void *ctx, ctn_engine *engine);
    /* The engine died. `pending` is what was due and will never be: some of it may have happened. NULL: never. */
    void (*died)(void *ctx, const ctn_world_event *pending, size_t count);
} ctn_world_hooks;

typedef struct ctn_world_options {
    uint64_t seed;
    int64_t began_at_ms;      /* 0: 2026-09-21 */
    const char *const *kinds; /* of calls that can be made; NULL: "tool" */
    size_t kind_count;
    ctn_world_hooks hooks;
    const ctn_plan *const *plans; /* lent to every engine; may be none */
    size_t plan_count;
    /* As the engine's own option, with the hooks' ctx; NULL: no chain is found. */
    int (*chain_find)(void *ctx, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err);
    const ctn_schedule *schedules;
    size_t schedule_count;
    ctn_rules rules;
    size_t active_max; /* as the engine's options of these names: 0 is its own */
    size_t starting_max;
    const ctn_tenant_rules *tenants;
    size_t tenant_count;
    ctn_seal *seal;    /* NULL: sensitive values are made up, and stand in the clear */
    /* Opens a store of the owner's, with the hooks' ctx: in each life once for the engine and once for the writer, who
     * lets its handle go after a commit that failed. When it fails, or the epoch cannot begin, that life is over.
     * NULL: a store in memory, which outlives them all. */
    int (*store_open)(void *ctx, ctn_store **ret_store, ctn_err *err);
} ctn_world_options;

int ctn_world_new(const ctn_world_options *options, ctn_world **ret_world, ctn_err *err);
void ctn_world_free(ctn_world *world); /* NULL is fine */

/* What follows next at its time: a turn, an event, a new life. false: nothing is due before ctn_world_wake_at_ms,
 * and nothing will come by itself until then (0: never). */
bool ctn_world_move(ctn_world *world);
int64_t ctn_world_wake_at_ms(const ctn_world *world);
/* Lets the time pass until then; false: the engine waits for no time. */
bool ctn_world_sleep(ctn_world *world);

int64_t ctn_world_now_ms(const ctn_world *world); /* what the engine takes for the time */
int64_t ctn_world_elapsed_ms(const ctn_world *world);
/* The world's own clock, by which events are due; nobody can set it. */
int64_t ctn_world_at_ms(const ctn_world *world);
/* The engine's clock is set forward or back; what is due happens when it would have. */
void ctn_world_jump(ctn_world *world, int64_t by_ms);

/* Chance, from the seed. */
uint64_t ctn_world_roll(ctn_world *world, uint64_t below);
bool ctn_world_percent(ctn_world *world, int share);

void ctn_world_later(ctn_world *world, int64_t delay_ms, int kind, uint64_t token, void *data);
void ctn_world_drop(ctn_world *world, int kind, uint64_t token); /* what was to come of this kind for this call */
void ctn_world_reply(ctn_world *world, uint64_t token, const ctn_call_result *result);
void ctn_world_accept(ctn_world *world, uint64_t token, const ctn_json *continuation); /* it goes on by itself */
/* From any hook: what the engine still does in this turn is done by a dead one and reaches nobody. */
void ctn_world_die(ctn_world *world);
bool ctn_world_is_dead(const ctn_world *world);
void ctn_world_turn_soon(ctn_world *world); /* something was asked of the engine */

ctn_engine *ctn_world_engine(ctn_world *world);    /* NULL before the first move */
ctn_store *ctn_world_store(ctn_world *world);      /* the engine's; with store_open, NULL between lives */
ctn_arena *ctn_world_life_arena(ctn_world *world); /* for what events are about; goes with the engine's life */
uint64_t ctn_world_life(const ctn_world *world);   /* from 1 */
int ctn_world_deaths(const ctn_world *world);
int ctn_world_commits(const ctn_world *world);
/* A batch is with the writer. */
bool ctn_world_is_writing(const ctn_world *world);
