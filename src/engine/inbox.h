/*
 * inbox.h -- what was filed: things from outside, each kept with what it needs until its effect is on disk. If the
 * commit fails it is decided again.
 *
 * Starts of tenants stand in lines of their own, and are taken from one tenant after the other: the start of one who
 * asks for little is in the next commit (and that is not a long one: ctn_eng_batch_is_full), however many another asks
 * for.
 *
 * Ownership  A filed thing lives in an arena of its own, with everything it points at. Who takes it out of a list owns
 *            it, and gives it on (to another list, or ctn_inbox_free).
 */
#pragma once
#include "engine/engine.h"
#include "engine/lanes.h"

typedef enum filed_kind {
    FILED_CALL_ENDED,
    FILED_CALL_ACCEPTED,
    FILED_INPUT,
    FILED_START,
    FILED_ADOPT,
    FILED_CHILD_ENDED,
    FILED_CHILD_NEWS,
    FILED_RELEASE
} filed_kind;

typedef struct filed {
    struct filed *next;
    ctn_arena *arena;
    filed_kind kind;
    ctn_execution_id id;
    ctn_input in;
    uint64_t token;           /* CALL_ENDED: of its flight */
    const ctn_driver *driver; /* CALL_ENDED: who made it, */
    ctn_str target;           /* ... and what of him it asked */
    ctn_start start;          /* START */
    ctn_requester by;         /* INPUT, CHILD_NEWS; of a START it is in start */
    ctn_execution_id child;   /* CHILD_NEWS: whose */
    ctn_execution_id follows; /* START: whose failure it follows up; zero: nobody's */
    ctn_parent *parent;       /* START: whose step it is, as in start; NULL: nobody's */
    int64_t exec_no;          /* START: given at its first try, kept for a second */
    uint64_t epoch;           /* START: under which it was given; CALL_*: under which it was begun */
    bool has_place;           /* START: it is known where it must live: */
    uint32_t shard;           /* also RELEASE */
    bool gives_up;            /* RELEASE: it ends as it is */
    bool is_counted;          /* START: among those that are under way, with so many bytes: */
    size_t bytes;
    ctn_lane_tenant *tenant; /* ... of his */
    ctn_err *refusal;        /* START: there are too many; NULL: there are not */
    ctn_ack_fn *ack;         /* NULL: nobody waits */
    void *ack_ctx;
} filed;

typedef struct filed_list {
    filed *first, *last;
} filed_list;

void ctn_filed_append(filed_list *list, filed *f);
void ctn_filed_put_back(filed_list *list, filed *f); /* before all others */
filed *ctn_filed_take(filed_list *list);             /* NULL: it is empty */

typedef struct ctn_inbox {
    filed_list list;
    filed_list refused;                          /* starts: there are too many; in no batch */
    size_t start_count, start_bytes;             /* asked for from outside, not acknowledged yet */
    ctn_lane_tenant *first_asking, *last_asking; /* with starts that were not taken yet */
    ctn_arena **pool;                            /* small ones, for the next that are filed */
    size_t pool_count;
} ctn_inbox;

void ctn_inbox_init(ctn_inbox *inbox);
void ctn_inbox_done(ctn_inbox *inbox);
void ctn_inbox_file_start(ctn_inbox *inbox, filed *f); /* of f->tenant */
/* The next start of the next tenant; NULL: there is none. */
filed *ctn_inbox_take_start(ctn_inbox *inbox);
bool ctn_inbox_is_empty(const ctn_inbox *inbox);
filed *ctn_inbox_new(ctn_inbox *inbox, filed_kind kind); /* in no list yet */
void ctn_inbox_free(ctn_inbox *inbox, filed *f);
