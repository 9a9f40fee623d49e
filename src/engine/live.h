/*
 * live.h -- the executions in memory: found by id, by what is due first, and those for which something may be to be
 * done. They know nothing of the engine; what its files keep of an execution stands in here, each under its own name.
 *
 * Ownership  The table borrows them: load.h makes and frees them.
 */
#pragma once
#include "base/heap.h"
#include "core/execution.h"
#include "engine/watches.h"
#include "store/seal.h"
#include "store/store.h"

struct plan_ref;
struct append_build;
struct held_key;
struct ctn_lane_chain;
struct ctn_lane_tenant;
struct gate_limit;
struct gate_pass;
struct left_call;

typedef struct loaded {
    ctn_heap_node due; /* first: the heap hands this back */
    struct loaded *map_next, *prev, *next, *perform_next;
    bool is_to_perform;

    ctn_execution_id id;
    int64_t exec_no;
    ctn_arena *arena; /* x and its own texts */
    ctn_execution *x;
    struct plan_ref *plan;
    int64_t advance_at_ms; /* at the latest, whatever core says; 0: when core says, or it is woken */
    bool is_lost;          /* memory and disk may differ: to be reloaded */
    bool lacks_labels;     /* its chain requires labels that this engine lacks: no step of it begins here */
    bool is_dropped;       /* its shard was lost: it goes when its commit is back */
    uint32_t shard;        /* of a fleet's store: exec_no % shards */
    uint64_t epoch;        /* that its appends name (shards.h) */
    bool is_recovering;    /* it came from another life, and that it did is not on disk yet */

    /* batch.c, commit.c: what the disk knows of it, and who was told */
    struct append_build *build; /* in the gathering batch; NULL: nothing there */
    uint32_t batches;           /* handed over and not taken in yet: 0 or 1 */
    struct strand *strand;      /* whose batches they are */
    bool is_new;                /* its row is not on disk yet */
    ctn_execution_row row;      /* of a new one, until it is written */
    ctn_digest hash;            /* of its last record */
    ctn_status status_written;
    int64_t wake_written;
    ctn_status status_told;
    bool was_status_told;

    /* flights.c: indexes into its table */
    uint32_t *flights;
    uint32_t flight_count;
    size_t flight_capacity;

    /* sealing.c */
    struct {
        bool is_on; /* it has sensitive values: every entry of it is sealed with its key */
        ctn_seal_key key;
        ctn_data_key data_key; /* of a new execution, until it is written */
    } seal;

    /* queue.c, lines.c */
    struct {
        ctn_str key;                    /* empty: it stands in no line */
        struct ctn_lane_tenant *tenant; /* whose it is */
        struct loaded *key_next;        /* others with a key of the same hash */
        bool is_wanted;                 /* somebody here waits for it to be admitted: it stays although it is queued */
        bool is_over;                   /* its end is on disk: its line has moved on */
        bool is_in_lane;                /* its lane knows that it is queued */
        bool is_counted;                /* it is queued on disk: among those of its lane */
    } queue;

    /* place.c */
    struct {
        struct ctn_lane_chain *in;       /* counts it while it runs; NULL: it does not */
        struct ctn_lane_chain *waits_in; /* for a place of its chain, to go on */
        bool has_seat;                   /* it has begun, and is here to go on: one of the engine's and its tenant's */
    } place;

    /* gate.c */
    struct {
        struct gate_pass *passes; /* of starts whose calls have not begun */
        uint32_t pass_count, wait_count;
        struct gate_limit **waits; /* in whose queues it stands */
        bool waits_for_breaker;
        bool is_put_off;                 /* a call of it: the lease is too short. Its passes stay (dispatch.c) */
        const struct tool_hold *held_by; /* during an advance: it is to be paused (holds.c) */
    } gate;

    /* abandon.c */
    struct left_call *left; /* with their peers, who are to be told when that is on disk; last first */

    /* cache.c */
    struct held_key *held_keys; /* of calls of its own, for which others wait */

    /* child.c, far.c */
    struct {
        ctn_watches watches; /* of its own */
        int told_parent;     /* the final status that its parent was told, + 1 */
        bool is_far;         /* its parent lives in another shard: */
        bool is_telling;     /* ... and is being told of its end */
        bool has_far;        /* one of its own does */
    } child;

    /* follow_up.c */
    struct {
        bool is_one;              /* onFailure started it: it starts nothing itself */
        ctn_execution_id follows; /* whom; zero: unknown in this life */
        enum { FOLLOW_UP_NONE, FOLLOW_UP_ASKED, FOLLOW_UP_DONE, FOLLOW_UP_GIVEN_UP } state;
    } follow_up;
} loaded;

/* Entries of it, or what its row should say, are not on disk yet. */
static inline bool ctn_loaded_is_ahead(const loaded *l)
{
    return l->build || l->batches;
}

typedef struct ctn_live {
    loaded *first; /* of all, through next */
    size_t count;
    loaded **map; /* by id */
    size_t map_size;
    ctn_heap due;
    loaded *to_perform, *to_perform_last;
} ctn_live;

void ctn_live_done(ctn_live *live); /* none is left in it */
loaded *ctn_live_find(const ctn_live *live, ctn_execution_id id);
void ctn_live_add(ctn_live *live, loaded *l);
void ctn_live_remove(ctn_live *live, loaded *l);

/* It is advanced then, at the latest. */
void ctn_live_wake_at(ctn_live *live, loaded *l, int64_t at_ms);
/* What core said of it now: when it may go on by itself; 0: never. */
void ctn_live_set_due(ctn_live *live, loaded *l, int64_t wake_at_ms);
int64_t ctn_live_due_ms(const ctn_live *live);             /* of the first; 0: none */
loaded *ctn_live_take_due(ctn_live *live, int64_t now_ms); /* NULL: none is due */
/* What it owes may have changed: it is looked at when its entries are on disk. In order. */
void ctn_live_to_perform(ctn_live *live, loaded *l);
loaded *ctn_live_take_to_perform(ctn_live *live); /* NULL: none */
