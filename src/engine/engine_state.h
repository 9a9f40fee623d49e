/*
 * engine_state.h -- what the engine's files share:
 *   engine.c    the turn, requests, lifecycle
 *   batch.c     gathering entries, handing over, taking commits in
 *   dispatch.c  calls: beginning what is owed, letting go what is not, hearing of ends
 *   load.c      plans and executions in and out of memory
 * Nobody else includes this.
 */
#pragma once
#include "base/heap.h"
#include "engine/engine.h"

struct loaded;

/* Something from outside, kept with what it needs until its effect is on disk: if the commit fails it is decided
 * again. */
typedef enum filed_kind { FILED_CALL_ENDED, FILED_INPUT, FILED_START, FILED_ADOPT } filed_kind;
typedef struct filed {
    struct filed *next;
    ctn_arena *arena; /* the filed itself and everything it points at */
    filed_kind kind;
    ctn_execution_id id;
    ctn_input in;
    ctn_start start; /* START */
    int64_t exec_no; /* START: given at its first try, kept for a second */
    ctn_ack_fn *ack; /* NULL: nobody waits */
    void *ack_ctx;
} filed;
typedef struct filed_list {
    filed *first, *last;
} filed_list;

/* A plan in use, and whether it is known what its tools do to the world. */
typedef struct plan_ref {
    struct plan_ref *next;
    ctn_plan *plan;
    ctn_digest key; /* over all its definitions' digests */
    int64_t version;
    struct ctn_engine *engine;
    uint32_t preparing; /* prepares under way */
    bool is_bound;      /* none is any more: executions may advance */
    bool was_told;      /* and were told so */
} plan_ref;

/* The entries of one execution in one batch. */
typedef struct append_build {
    struct loaded *l;
    ctn_record *records;
    size_t count, capacity;
    uint64_t seq_expected;
    bool is_new;
} append_build;

struct ctn_batch_memory {
    ctn_batch batch;
    ctn_arena *arena;
    append_build *builds;
    size_t count, capacity;
    filed_list kept; /* what was decided into it */
};

typedef struct flight {
    uint64_t token; /* 0: free */
    struct loaded *l;
    const ctn_driver *driver;
    uint32_t step, call, attempt;
    ctn_role role;
    bool is_check;
    bool is_done; /* its end is filed */
    int64_t begun_at_ms;
} flight;

/* A call that was given up or cut off after it was sent: its check asks whether it can still arrive. It is the
 * engine's, not the execution's in memory, which may go and come back before that is settled. */
typedef struct lost_call {
    ctn_execution_id id;
    uint64_t token;
    const ctn_driver *driver;
    uint32_t step, call;
    ctn_role role;
    int64_t until_ms; /* settleMs after it was sent: from then on nobody asks */
} lost_call;

typedef struct loaded {
    ctn_heap_node due; /* first: the heap hands this back */
    struct loaded *map_next, *prev, *next, *perform_next;
    ctn_arena *arena;
    ctn_execution *x;
    plan_ref *plan;
    ctn_execution_id id;
    int64_t exec_no;
    ctn_digest hash;
    ctn_execution_row row; /* of a new execution, until it is written */
    ctn_status status_written;
    int64_t wake_written;
    bool is_new;        /* its row is not on disk yet */
    bool is_lost;       /* memory and disk may differ: to be reloaded */
    bool is_recovering; /* it came from another life, and that it did is not on disk yet */
    bool is_to_perform;
    ctn_status status_told;
    bool was_status_told;
    uint32_t batches;    /* handed over and not taken in yet: 0 or 1 */
    append_build *build; /* in the gathering batch; NULL: nothing there */
    uint32_t *flights;   /* indexes into the engine's table */
    uint32_t flight_count, flight_capacity;
} loaded;

struct ctn_engine {
    ctn_engine_options options;
    ctn_rules rules;
    ctn_call_sink sink;
    uint64_t chance; /* state of the seeded generator */
    int64_t now_ms;
    ctn_arena *scratch;

    loaded **map; /* by id */
    size_t map_size, loaded_count;
    loaded *list;
    loaded *to_perform, *to_perform_last;
    ctn_heap due;
    plan_ref *plans;

    flight *flights;
    uint32_t flight_count, flight_capacity, flight_free; /* free list by index + 1 through `step` */
    uint32_t flights_open;
    uint64_t token_last;
    lost_call *lost;
    uint32_t lost_count, lost_capacity;

    filed_list inputs;
    ctn_arena **arena_pool; /* small, for filed */
    size_t arena_pool_count;

    struct ctn_batch_memory memory[2];
    struct ctn_batch_memory *gathering, *under_way; /* under_way NULL: the writer idles */
    struct ctn_batch_memory *finished;              /* filed by batch_done */

    int64_t exec_no_last;
    int64_t due_hint_ms;  /* the store may have something to run from then on; 0: nothing */
    bool more_is_due;     /* it has something now, and there was no place for it */
    size_t damaged_count; /* of what is due, at the last look: they cannot be loaded, and take no place */
    bool is_stopping;
    int64_t failing_since_ms, retry_at_ms;
    char failing_why[600];
};

#define ARENA_POOL_MAX 1024

/* engine.c */
void ctn_eng_advance(ctn_engine *e, loaded *l);
void ctn_eng_wake(ctn_engine *e);
filed *ctn_eng_filed_new(ctn_engine *e, filed_kind kind);
void ctn_eng_filed_free(ctn_engine *e, filed *f);
void ctn_eng_file(ctn_engine *e, filed *f);
void ctn_eng_list_append(filed_list *list, filed *f);
filed *ctn_eng_list_take(filed_list *list);
void ctn_eng_ack(ctn_engine *e, filed *f, int rc, const ctn_err *err); /* and frees it */
void ctn_eng_tell_status(ctn_engine *e, loaded *l);
static inline uint64_t ctn_eng_chance(ctn_engine *e)
{
    ctn_rng rng = ctn_rng_seeded(&e->chance);
    return ctn_rng_next(&rng);
}

/* batch.c */
void ctn_eng_batches_init(ctn_engine *e);
void ctn_eng_batches_done(ctn_engine *e);
/* Applies the entry and, if it is stored, gathers its record. */
void ctn_eng_record(ctn_engine *e, loaded *l, ctn_entry *entry);
void ctn_eng_keep(ctn_engine *e, filed *f); /* in the gathering batch, until it is on disk */
bool ctn_eng_has_gathered(const ctn_engine *e);
void ctn_eng_hand_over(ctn_engine *e);
void ctn_eng_take_in(ctn_engine *e);
void ctn_eng_recover_store(ctn_engine *e);

/* dispatch.c */
void ctn_eng_to_perform(ctn_engine *e, loaded *l);
void ctn_eng_perform(ctn_engine *e);
void ctn_eng_drop_flights(ctn_engine *e, loaded *l, bool cancel);
void ctn_eng_flight_close(ctn_engine *e, uint64_t token);
void ctn_eng_bind(ctn_engine *e, plan_ref *p);
void ctn_eng_sink_init(ctn_engine *e);
ctn_effect ctn_eng_effect_of(void *ctx, ctn_call_kind kind, ctn_str target, const char **ret_from);

/* load.c */
loaded *ctn_eng_find(const ctn_engine *e, ctn_execution_id id);
/* Takes the arena, in which x lives. */
loaded *ctn_eng_loaded_new(ctn_engine *e, ctn_execution_id id, int64_t exec_no, plan_ref *plan, ctn_arena *arena,
                           ctn_execution *x);
void ctn_eng_unload(ctn_engine *e, loaded *l);
int ctn_eng_load(ctn_engine *e, ctn_execution_id id, loaded **ret_loaded, ctn_err *err);
int ctn_eng_reload(ctn_engine *e, loaded *l, ctn_err *err);
void ctn_eng_admit(ctn_engine *e);
bool ctn_eng_has_room_for_more(const ctn_engine *e);
void ctn_eng_plans_lend(ctn_engine *e);
void ctn_eng_plans_free(ctn_engine *e);
plan_ref *ctn_eng_plan_ref(const ctn_engine *e, const ctn_plan *plan);
