/*
 * engine_state.h -- what the engine's files share:
 *   engine.c    the turn, requests, lifecycle
 *   batch.c     gathering entries, handing over, taking commits in
 *   dispatch.c  calls: beginning what is owed, letting go what is not, hearing of ends
 *   load.c      plans and executions in and out of memory
 *   gate.c      may this call begin: rates, places, circuit breakers
 *   schedule.c  chains that are started by the clock
 *   follow_up.c what an execution owes after its end: the chain that onFailure names
 *   cache.c     results that are used again; calls that are waited for because an equal one is under way
 *   admission.c who may start: the queue, lines of one key, chains that allow only so many
 *   quarantine.c executions that do not read back; how a failing store is told
 * Nobody else includes this.
 */
#pragma once
#include "base/heap.h"
#include "engine/breaker.h"
#include "engine/engine.h"
#include "engine/opening.h"
#include "engine/lanes.h"
#include "engine/limits.h"
#include "engine/results.h"
#include "store/quarantine.h"

struct loaded;

/* Something from outside, kept with what it needs until its effect is on disk: if the commit fails it is decided
 * again. */
typedef enum filed_kind {
    FILED_CALL_ENDED,
    FILED_INPUT,
    FILED_START,
    FILED_ADOPT,
    FILED_CHILD_ENDED,
    FILED_RELEASE
} filed_kind;
typedef struct filed {
    struct filed *next;
    ctn_arena *arena; /* the filed itself and everything it points at */
    filed_kind kind;
    ctn_execution_id id;
    ctn_input in;
    ctn_start start; /* START */
    int64_t exec_no; /* START: given at its first try, kept for a second */
    bool gives_up;   /* RELEASE: it ends as it is */
    ctn_ack_fn *ack; /* NULL: nobody waits */
    void *ack_ctx;
} filed;
typedef struct filed_list {
    filed *first, *last;
} filed_list;

typedef struct child_plan {
    struct child_plan *next;
    const ctn_plan *plan;
    int64_t version;
} child_plan;

/* A plan in use, and whether it is known what its tools do to the world. */
typedef struct plan_ref {
    struct plan_ref *next;
    ctn_plan *plan;
    ctn_digest key; /* over all its definitions' digests */
    int64_t version;
    struct ctn_engine *engine;
    uint32_t preparing;   /* prepares under way */
    bool is_bound;        /* none is any more: executions may advance */
    bool was_told;        /* and were told so */
    child_plan *children; /* of its sub-chains, as far as they were started */
} plan_ref;

/* The entries of one execution in one batch. */
typedef struct append_build {
    struct loaded *l;
    ctn_record *records;
    size_t count, capacity;
    uint64_t seq_expected;
    bool is_new;
    ctn_result_row *results; /* cache.c */
    size_t result_count, result_capacity;
} append_build;

struct ctn_batch_memory {
    ctn_batch batch;
    ctn_arena *arena;
    append_build *builds;
    size_t count, capacity;
    filed_list kept; /* what was decided into it */
};

/* What a call has taken; all zero: nothing. */
typedef struct gate_place {
    struct gate_limit *limit;
    struct gate_breaker *breaker;
    uint64_t opened;
    bool is_probe;
} gate_place;

typedef struct gate_waits {
    struct gate_limit **limits;
    uint32_t count;
    ctn_lane_chain *chain;
} gate_waits;

typedef struct flight {
    uint64_t token; /* 0: free */
    struct loaded *l;
    const ctn_driver *driver;
    uint32_t step, call, attempt;
    int64_t item;
    ctn_role role;
    const ctn_plan_set *set;
    ctn_str target; /* in the plan */
    bool is_check;
    bool is_done;     /* its end is filed */
    bool may_be_late; /* a check: when it began, the call that it asks about could still arrive */
    int64_t begun_at_ms;
    gate_place place;
} flight;

/* A call that was given up or cut off after it was sent: its check asks whether it can still arrive. It is the
 * engine's, not the execution's in memory, which may go and come back before that is settled. */
typedef struct lost_call {
    ctn_execution_id id;
    uint64_t token;
    const ctn_driver *driver;
    uint32_t step, call;
    int64_t item;
    ctn_role role;
    ctn_str target;   /* in the plan */
    int64_t until_ms; /* settleMs after it was sent: from then on nobody asks */
} lost_call;

typedef struct held_key held_key;

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
    /* child.c */
    int told_parent; /* the final status that it was told, + 1 */
    struct child_watch *watches;
    uint32_t watch_count, watch_size; /* taken slots; a power of two, or 0 */
    uint32_t watch_open; /* of which the disk does not know yet what was asked of them; counted anew with each look */
    uint32_t watch_look; /* at what is owed: those that it did not have are watched no more */
    held_key *held_keys; /* cache.c: of calls of its own, for which others wait */
    /* admission.c */
    ctn_str queue_key;        /* empty: it stands in no line */
    struct loaded *key_next;  /* others with a key of the same hash */
    ctn_lane_chain *chain;    /* counts it while it runs; NULL: it does not */
    ctn_lane_chain *waits_in; /* for a place of its chain, to go on */
    bool is_wanted;           /* somebody here waits for it to be admitted: it stays in memory although it is queued */
    bool is_over;             /* its end is on disk: its line has moved on */
    bool is_in_lane;          /* its lane knows that it is queued */
    /* gate.c */
    gate_place *places; /* of starts whose calls have not begun */
    uint32_t place_count, gate_wait_count;
    struct gate_limit **gate_waits; /* in whose queues it stands */
    int64_t gate_due_ms;            /* when to ask again; 0: when it is woken */
    bool waits_for_breaker;
    /* follow_up.c */
    bool is_follow_up;        /* onFailure started it: it starts nothing itself */
    ctn_execution_id follows; /* whom; zero: unknown in this life */
    enum { FOLLOW_UP_NONE, FOLLOW_UP_ASKED, FOLLOW_UP_DONE, FOLLOW_UP_GIVEN_UP } follow_up;
    /* sealing.c */
    bool is_sealed; /* it has sensitive values: every entry of it is sealed with its key */
    ctn_seal_key seal_key;
    ctn_data_key data_key; /* of a new execution, until it is written */
} loaded;

/* Who may start. */
typedef struct admission {
    ctn_lanes lanes;
    bool is_known;       /* the lanes that the store had at the start are known */
    bool is_changed;     /* something was let go: those who wait may be looked at again */
    size_t wanted_count; /* of those who waited at the last look, with own_only */
    int64_t retry_at_ms; /* the store could not be read */
    loaded **keys;       /* loaded ones that stand in a line, by key */
    size_t keys_size, keys_count;
} admission;

/* The store does not do what it should: since when, and when that was said last. */
typedef struct store_trouble {
    int64_t since_ms, told_ms; /* 0: there is none */
    const char *begins, *goes_on, *ends;
} store_trouble;

/* Executions that do not read back. */
typedef struct quarantine {
    int64_t *numbers; /* ascending: passed by */
    size_t count, capacity;
    ctn_quarantine_row *found; /* and not in the store's table yet */
    size_t found_count, found_capacity;
    ctn_arena *arena; /* their texts */
    int64_t *closed;  /* not damaged: what is sealed in them cannot be opened. Passed by for a minute, then looked at */
    size_t closed_count, closed_capacity;
    int64_t closed_until_ms; /* 0: there are none */
    store_trouble closed_trouble;
    int64_t retry_at_ms;
    store_trouble write_trouble;
} quarantine;

/* Results of calls, and calls that others wait for. */
typedef struct result_cache {
    ctn_results *results;
    held_key *slots[1024];   /* by key */
    ctn_execution_id *woken; /* to be asked again */
    size_t woken_count, woken_capacity;
} result_cache;

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

    result_cache cache;
    admission admission;
    struct {
        struct gate_limit *limits;
        struct gate_breaker *breakers;
        loaded *asking; /* whose next is being decided */
        bool has_answered;
        gate_place answer; /* what the last yes was about */
    } gate;
    struct scheduled *schedules; /* as many as in the options */
    bool schedules_are_known;    /* what the store says of them was read */
    int64_t owing_seen;          /* ended ones up to this number were looked at; -1: all were */

    int64_t exec_no_last;
    int64_t due_hint_ms; /* the store may have something to run from then on; 0: nothing */
    bool more_is_due;    /* it has something now, and there was no place for it */
    bool due_is_unread;  /* it could not be read: what was begun may not be in memory yet */
    bool is_stopping;
    quarantine quarantine;
    store_trouble read_trouble, write_trouble; /* write: from the first commit that fails to the first that works */
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

/* sealing.c */
const ctn_sensitivity *ctn_eng_sensitivity(ctn_engine *e, const ctn_plan *plan, const ctn_json *also);
int ctn_eng_seal_missing(const ctn_plan *plan, ctn_err *err); /* the sentence */
/* For a start: its data key, and its queue key as a digest when a sensitive value is in it. In scratch. */
int ctn_eng_seal_start(ctn_engine *e, const ctn_plan *plan, ctn_execution_id id, const ctn_sensitivity *s,
                       ctn_str *queue_key, ctn_seal_key *ret_key, ctn_data_key *ret_wrapped, ctn_err *err);
ctn_record ctn_eng_sealed_record(ctn_engine *e, loaded *l, const ctn_entry *entry, ctn_arena *arena);
/* Of one that was folded: may it be advanced? Then it has its key, if it needs one. */
int ctn_eng_seal_loaded(const ctn_engine *e, const ctn_execution *x, ctn_opening *o, bool is_final, ctn_err *err);

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
/* It cannot be read or written: nothing is taken in or handed over until it is tried again, a little later. */
void ctn_eng_store_fails(ctn_engine *e, store_trouble *trouble, const ctn_err *why);

/* dispatch.c */
void ctn_eng_to_perform(ctn_engine *e, loaded *l);
void ctn_eng_perform(ctn_engine *e);
void ctn_eng_drop_flights(ctn_engine *e, loaded *l, bool cancel);
void ctn_eng_flight_close(ctn_engine *e, uint64_t token);
void ctn_eng_bind(ctn_engine *e, plan_ref *p);
void ctn_eng_sink_init(ctn_engine *e);
bool ctn_eng_schema_of(void *ctx, ctn_work_kind kind, ctn_str target, ctn_digest *ret_digest);
ctn_effect ctn_eng_effect_of(void *ctx, ctn_work_kind kind, ctn_str target, const char **ret_from);

/* load.c */
loaded *ctn_eng_find(const ctn_engine *e, ctn_execution_id id);
/* Takes the arena, in which x lives. */
loaded *ctn_eng_loaded_new(ctn_engine *e, ctn_execution_id id, int64_t exec_no, plan_ref *plan, ctn_arena *arena,
                           ctn_execution *x);
void ctn_eng_unload(ctn_engine *e, loaded *l);
int ctn_eng_load(ctn_engine *e, ctn_execution_id id, loaded **ret_loaded, ctn_err *err);
int ctn_eng_reload(ctn_engine *e, loaded *l, ctn_err *err);
void ctn_eng_admit(ctn_engine *e);
void ctn_eng_look_at_all(ctn_engine *e); /* what the store holds may be due, queued or owed that was not before */
bool ctn_eng_has_room_for_more(const ctn_engine *e);
void ctn_eng_plans_lend(ctn_engine *e);
void ctn_eng_plans_free(ctn_engine *e);
plan_ref *ctn_eng_plan_ref(const ctn_engine *e, const ctn_plan *plan);

/* child.c */
void ctn_eng_perform_children(ctn_engine *e, loaded *l, const ctn_owed *owed);
void ctn_eng_tell_parent(ctn_engine *e, loaded *l); /* once its end is on disk */
/* A child of it has ended, and it has not heard of it: its row must not go to sleep. */
bool ctn_eng_has_ended_child(const ctn_engine *e, const loaded *l);
/* What was asked of its children is on disk: it may go to sleep. */
bool ctn_eng_children_are_settled(loaded *l, const ctn_owed *owed);
/* It ended as it was, by its row alone: a parent in memory looks after it. */
void ctn_eng_child_was_given_up(ctn_engine *e, ctn_execution_id parent, ctn_execution_id child);
/* Does an execution above hold a line with this key? Then the child shares it. */
bool ctn_eng_key_is_shared(ctn_engine *e, const ctn_parent *parent, ctn_str queue_key);

/* cache.c */
void ctn_eng_cache_init(ctn_engine *e);
void ctn_eng_cache_done(ctn_engine *e);
ctn_cached ctn_eng_cached(void *ctx, const ctn_execution *x, ctn_str key, int64_t ttl_ms, int64_t now_ms,
                          const ctn_json **ret_value);
void ctn_eng_cache_see(ctn_engine *e, loaded *l, const ctn_entry *entry); /* it was applied: a call began or ended */
/* The entry, recorded just now, says that a call succeeded: its result is put with it. */
void ctn_eng_cache_put(ctn_engine *e, loaded *l, const ctn_entry *entry, const ctn_json *value);
/* Keys of calls that are not in flight; or all that it holds. */
void ctn_eng_cache_let_go(ctn_engine *e, loaded *l, bool all);
void ctn_eng_cache_wake(ctn_engine *e); /* those that waited for what was let go */
bool ctn_eng_cache_has_woken(const ctn_engine *e);

/* admission.c */
/* May an execution that is new, or queued in memory, start now? */
bool ctn_eng_may_start(ctn_engine *e, const ctn_plan *plan, ctn_str queue_key, int64_t exec_no);
void ctn_eng_line_up(ctn_engine *e, loaded *l, ctn_str queue_key); /* it stands in that line; empty: in none */
void ctn_eng_started(ctn_engine *e, loaded *l);
/* May it go on, after it was parked? false: it stands among those that wait for a place of their chain. */
bool ctn_eng_place_to_go_on(ctn_engine *e, loaded *l);
/* One that runs, and began no call (it is in a back-off, or asks what became of one), has a place or waits for it. */
void ctn_eng_place_settle(ctn_engine *e, loaded *l);
ctn_lane_chain *ctn_eng_place_forget_wait(loaded *l);                 /* where it stood; NULL: nowhere */
void ctn_eng_place_offer(ctn_engine *e, const ctn_lane_chain *chain); /* a free one, to the oldest; NULL is fine */
void ctn_eng_count(ctn_engine *e, loaded *l);                         /* after its status may have changed */
void ctn_eng_forget(ctn_engine *e, loaded *l);                        /* it is unloaded */
void ctn_eng_committed(ctn_engine *e, loaded *l);                     /* what it is by now is on disk */
void ctn_eng_wait_here(ctn_engine *e, loaded *l);                     /* somebody waits for this one, which is queued */
void ctn_eng_start_queued(ctn_engine *e, loaded *l, ctn_str actor);   /* records that it is admitted */
void ctn_eng_admit_queued(ctn_engine *e);
int64_t ctn_eng_queue_turn_ms(const ctn_engine *e); /* when it wants to be looked at; 0: when something changes */
void ctn_eng_admission_done(ctn_engine *e);

/* quarantine.c */
void ctn_eng_quarantine_init(ctn_engine *e);
void ctn_eng_quarantine_done(ctn_engine *e);
bool ctn_eng_is_quarantined(const ctn_engine *e, int64_t exec_no);
/* An execution does not read back, and `err` says why: it is put away, and CTN_E_CORRUPT returned. Or it is the store
 * that does not read: then nobody is damaged, and the store's error is returned. */
int ctn_eng_found_damaged(ctn_engine *e, ctn_execution_id id, ctn_err *err);
int ctn_eng_found_nameless(ctn_engine *e, int64_t exec_no, ctn_err *err); /* not even its id reads */
/* It reads, and cannot be opened now (no key): passed by for a minute. CTN_E_STATE; or the store's own error. */
int ctn_eng_found_closed(ctn_engine *e, int64_t exec_no, ctn_err *err);
bool ctn_eng_is_closed(const ctn_engine *e, int64_t exec_no);
void ctn_eng_is_open(ctn_engine *e, int64_t exec_no);                                      /* after all */
int ctn_eng_refuse_quarantined(ctn_engine *e, const ctn_execution_row *row, ctn_err *err); /* CTN_E_STATE */
void ctn_eng_quarantine_flush(ctn_engine *e);            /* what was found, into the store */
int64_t ctn_eng_quarantine_turn_ms(const ctn_engine *e); /* when that wants to be tried; 0: never */
void ctn_eng_take_release(ctn_engine *e, filed *f);
bool ctn_eng_trouble_begins(ctn_engine *e, store_trouble *t, const char *why); /* or goes on; true: it is new */
void ctn_eng_trouble_ends(ctn_engine *e, store_trouble *t);

/* follow_up.c */
bool ctn_eng_owes_follow_up(const loaded *l); /* by its state in memory; false once it is done */
/* An ended one, all of it on disk: true when nothing is left to be done for it, and it may be unloaded. */
bool ctn_eng_follow_up(ctn_engine *e, loaded *l);
void ctn_eng_collect_owing(ctn_engine *e); /* those that another life left */
bool ctn_eng_is_follow_up_key(ctn_str idempotency_key);
/* Writes what its row should say by now, without an entry. */
/* Its row says that it can go on at once, and it waits: a child that ended was still here when it was written. */
bool ctn_eng_wakes_for_nothing(ctn_engine *e, loaded *l);
void ctn_eng_touch(ctn_engine *e, loaded *l);

/* schedule.c */
void ctn_eng_schedules_turn(ctn_engine *e);             /* starts what is due */
int64_t ctn_eng_schedules_turn_ms(const ctn_engine *e); /* when the next is; 0: never */
void ctn_eng_schedules_done(ctn_engine *e);

/* gate.c */
void ctn_eng_wake_at(ctn_engine *e, loaded *l, int64_t at_ms); /* advances it then, at the latest */
int ctn_eng_gate_init(ctn_engine *e, ctn_err *err);
void ctn_eng_gate_done(ctn_engine *e);
/* Around the advance of one execution, and after each of its entries. */
void ctn_eng_gate_begin(ctn_engine *e, loaded *l, gate_waits *ret_before);
void ctn_eng_gate_recorded(ctn_engine *e, loaded *l, const ctn_entry *entry);
void ctn_eng_gate_end(ctn_engine *e, loaded *l, gate_waits *before);
/* The place that was taken for this call, out of those that wait for their calls. */
gate_place ctn_eng_place_for(ctn_engine *e, loaded *l, const ctn_plan_set *set, const ctn_plan_call *call);
void ctn_eng_place_heard(ctn_engine *e, gate_place *p, ctn_failure failure); /* how the call went */
void ctn_eng_place_give_back(ctn_engine *e, gate_place *p);
void ctn_eng_places_drop(ctn_engine *e, loaded *l); /* of starts that became no calls */
void ctn_eng_gate_forget(ctn_engine *e, loaded *l); /* it is unloaded */
