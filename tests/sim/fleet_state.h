/*
 * fleet_state.h -- what the files of a fleet's world share:
 *   fleet.c         the loop, what is drawn, what must hold at the end
 *   fleet_node.c    lives of nodes: clocks, birth, death, stops
 *   fleet_member.c  what a node asks of the store about its lease and its shards
 *   fleet_disk.c    the writer of each node, and what is on disk
 *   fleet_tools.c   calls, their effects and their answers
 *   fleet_people.c  starts and requests
 *   fleet_family.c  executions that are sub-chains: the oracle's is the child, and what goes between the two
 * Nobody else includes this.
 */
#pragma once
#include "base/memory.h"
#include "base/plant.h"
#include "engine/engine.h"
#include "fleet/balance.h"
#include "fleet/request.h"
#include "sim/chance.h"
#include "sim/faulty_store.h"
#include "sim/fleet.h"

#define NODES_MAX      5
#define SHARDS         16
#define SUBJECTS_MAX   16
#define CHAINS_MAX     2
#define REQUESTS_MAX   64
#define ASKS_MAX       256
#define TERM_MS        3500
#define SETTLE_MS      1000
#define BEAT_MS        1250
#define SEND_MS        400
#define ANSWER_WAIT_MS 900 /* so long a node waits for an answer of the store */

typedef enum event_kind {
    EVENT_TURN,      /* its engine wants one */
    EVENT_COMMIT,    /* a batch is at the store */
    EVENT_COMMITTED, /* its answer is at the node */
    EVENT_LOOK,      /* the member's next beat */
    EVENT_OP,        /* what the member asks is at the store */
    EVENT_OP_ANSWER,
    EVENT_ARRIVE, /* a write is at its peer */
    EVENT_EFFECT,
    EVENT_REPLY,
    EVENT_CLIENT, /* who wants a start asks, or asks again */
    EVENT_BIRTH,
    EVENT_TICK,
} event_kind;

typedef enum op_kind {
    OP_NONE,
    OP_JOIN,
    OP_BEAT,
    OP_BURY,
    OP_TAKE,
    OP_RECOVER,
    OP_RELEASE,
    OP_LEAVE,
    OP_REQUESTS
} op_kind;

typedef struct request_read { /* what OP_REQUESTS found */
    int64_t no;
    uint32_t shard;
    bool is_start;
    int what;                   /* which subject; which of the asks */
    const ctn_request_row *row; /* an engine's own; NULL: a person's */
} request_read;

typedef struct far_ask { /* what an engine asked of another node */
    int64_t no, since_ms;
    uint32_t shard;
    bool is_used, is_lost; /* lost: the store did not answer */
    ctn_execution_id id;
    ctn_ack_fn *ack;
    void *ctx;
} far_ask;

typedef struct op {
    op_kind kind;
    uint64_t number;
    int64_t sent_at_boot_ms;
    uint32_t count; /* TAKE */
    ctn_shard_set which;
    /* the answer */
    int rc;
    int64_t incarnation;
    ctn_beat beat;
    ctn_shard_lease leases[SHARDS];
    uint32_t lease_count;
    request_read requests[REQUESTS_MAX];
    int request_count;
} op;

/* A process: from its start to its death. */
typedef struct life {
    struct fleet *w;
    int node, number;
    bool is_dead, is_leaving, needs_turn;
    bool has_label;
    int64_t stopped_until_ms;
    ctn_store *inner;
    faulty_store *link;
    int link_fails; /* percent */
    ctn_engine *engine;
    ctn_leases leases;
    ctn_driver tool, native;
    const ctn_driver *drivers[2];
    /* what the member knows */
    int64_t incarnation; /* 0: it has not joined */
    int64_t lease_until_boot_ms, lease_until_wall_ms;
    uint64_t epochs[SHARDS]; /* 0: not ours */
    bool was_crash[SHARDS];
    ctn_shard_set held, draining;
    op op;
    bool looks_for_requests;
    int64_t look_at_ms;
    ctn_arena *beat_arena;
    int64_t in_work[REQUESTS_MAX]; /* requests that the engine was told of; negative: done since the last look */
    int in_work_count;
    far_ask far_asks[REQUESTS_MAX];
} life;

typedef struct node {
    int64_t skew_ms, boot_base_ms, pace_ppm; /* its clocks */
    int64_t cut_until_ms;
    life *life; /* NULL: none now */
} node;

typedef struct subject {
    struct fleet *w;
    oracle oracle;
    int number, chain;
    int64_t exec_no; /* 0: not on disk */
    int64_t request; /* that its client waits for; 0: none */
    uint32_t request_shard;
    int asked;
    bool is_acked;
    /* of one that is a sub-chain: whose; what a person starts is that one */
    int64_t outer_no; /* 0: not on disk */
    ctn_execution_id outer_id;
    ctn_status outer_end; /* QUEUED: it has not ended */
    bool is_excused;      /* the documented case: only the history judges it from then on */
} subject;

typedef struct ask {
    subject *x;
    ctn_execution_id id;
    ctn_input input;
} ask;

typedef struct event {
    event_kind kind;
    int64_t at_ms;
    uint64_t order;
    life *l;
    int node;   /* BIRTH */
    bool waits; /* for its node to go on */
    ctn_batch *batch;
    uint64_t number;     /* of an op */
    int64_t incarnation; /* ARRIVE: of the sender, as it was then */
    /* of calls */
    subject *x;
    deed *d;
    uint64_t token;
    uint32_t attempt;
    bool is_check, is_stale, was_sent, peer_is_dead, is_early, happened, was_stopped;
    ctn_failure failure;
} event;

typedef struct fleet {
    fleet_options o;
    fleet_report *report;
    sim_failure *failure;
    sim_failure excused; /* what the oracles of the documented case say: nobody listens */
    uint64_t of_nodes, of_links, of_tools, of_people, of_ids, of_labels; /* chance, by purpose */
    /* shares, in percent */
    int kills, leaves, stops, send_stops, cuts, lost_answers, tool_faults, checks_fail, meddling;
    int64_t clock_error_ms; /* the most that a node's wall clock is off */
    bool requires_label;    /* the first chain does */
    bool tools_are_children, person_is_absent, retries_interrupted;
    int64_t now_ms, began_at_ms, calm_at_ms; /* the store's clock */
    int64_t held_at_ms;                      /* since it is calm: when every shard had a holder that knew, last */
    int64_t moved_at_ms;                     /* when somebody joined, or a shard moved, last */
    int64_t ticks_left;
    bool is_calm;
    uint64_t order, op_number;
    ctn_arena *arena;
    char url[64];
    ctn_store *inner; /* of nobody: looks at everything */
    history *history;
    int64_t holders[SHARDS];
    event *events;
    size_t event_count, event_capacity;
    node nodes[NODES_MAX];
    int node_count;
    life **lives;
    size_t life_count, life_capacity;
    spec *specs[CHAINS_MAX];
    ctn_plan *plans[CHAINS_MAX];
    given_values given[CHAINS_MAX];
    int chain_count;
    bool has_families; /* each execution that is judged is a sub-chain of another */
    subject subjects[SUBJECTS_MAX];
    int subject_count;
    ask asks[ASKS_MAX];
    int ask_count;
} fleet;

#define COUNT(w, what) ((w)->report->counts[what]++)
#define BROKEN(w, ...) sim_fail((w)->failure, __VA_ARGS__)

/* fleet.c */
void fleet_trace(const fleet *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
event *fleet_event(fleet *w, event_kind kind, life *l, int64_t at_ms);
subject *fleet_subject(fleet *w, ctn_execution_id id);
void fleet_tell(fleet *w, const history_event *e);

/* fleet_node.c */
int64_t fleet_at_ms(const life *l);   /* the moment at which it is: later than the world's when it was stopped */
int64_t fleet_boot_ms(const life *l); /* its CLOCK_BOOTTIME */
int64_t fleet_wall_ms(const life *l);
int64_t fleet_after_ms(const life *l, int64_t boot_ms); /* when so much of its boot time will have passed */
bool fleet_link_is_cut(const life *l);
void fleet_birth(fleet *w, int node);
void fleet_kill(life *l, const char *where);
void fleet_gone(life *l); /* it left, all in order */
void fleet_stop(life *l, int64_t ms, const char *where);
void fleet_turn(life *l);

/* fleet_member.c */
void fleet_look(life *l);
void fleet_op(life *l);        /* is at the store */
void fleet_op_answer(life *l); /* is at the node */
void fleet_draining(life *l);  /* after a turn: what is quiet goes back */

/* fleet_disk.c */
void fleet_submit(void *ctx, ctn_batch *batch);
void fleet_commit(life *l, ctn_batch *batch);

/* fleet_tools.c */
void fleet_tools_init(life *l);
void fleet_arrive(fleet *w, const event *e);
void fleet_effect(fleet *w, const event *e);
void fleet_reply(fleet *w, const event *e);
void fleet_tools_end(life *l);

/* fleet_family.c */
ctn_str fleet_outer_text(fleet *w, int chain);
void fleet_family_options(life *l, ctn_engine_options *o);
bool fleet_is_of_outer(const fleet *w, const subject *x, const ctn_append *a);
void fleet_take_outer(life *l, subject *x, const ctn_append *a);
bool fleet_is_on_disk(const fleet *w, const subject *x, ctn_execution_id id); /* what was started under this id */
void fleet_hear_answers(life *l);                                             /* before a turn */
void fleet_serve_engine(life *l, const request_read *r);
void fleet_check_family(fleet *w, const subject *x);

/* fleet_people.c */
bool fleet_store_is_away(life *l);
void fleet_request_done(life *l, int64_t no, uint32_t shard, int rc, const ctn_err *err);
bool fleet_stands_behind(const fleet *w, const subject *x); /* another, in a line */
void fleet_client(subject *x);
void fleet_dispatch(life *l, const request_read *r);
void fleet_meddle(fleet *w);
bool fleet_help(fleet *w, subject *x);
