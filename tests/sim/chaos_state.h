/*
 * chaos_state.h -- what the files of a random world share:
 *   chaos.c         the loop, lives of the engine
 *   chaos_check.c   what must hold between turns, and at the end
 *   chaos_tools.c   the drivers: calls, their effects and their answers
 *   chaos_disk.c    the writer: commits, and batches that come too late
 *   chaos_people.c  requests
 * Nobody else includes this.
 */
#pragma once
#include "engine/engine.h"
#include "sim/chance.h"
#include "sim/chaos.h"
#include "sim/faulty_store.h"

#define EVENTS_MAX   512
#define SUBJECTS_MAX 24
#define CHAINS_MAX   2
#define ZOMBIES_MAX  4

typedef enum event_kind { EVENT_NONE, EVENT_COMMIT, EVENT_EFFECT, EVENT_REPLY, EVENT_TICK } event_kind;

typedef struct subject {
    struct chaos *w;
    oracle oracle;
    int chain;
    int64_t exec_no;    /* 0: not on disk */
    int64_t start_due;  /* asked for after so many ticks */
    bool was_asked_for; /* in this life */
    bool is_acked, end_was_told;
    bool was_paused; /* somebody asked for it */
    uint64_t life_of_end, seq_told;
    int acked[CTN_ENTRY_KIND_COUNT]; /* requests that were told "it is on disk", by the record that it makes */
    bool has_ended_rightly;          /* the last look was taken */
} subject;

typedef struct event {
    event_kind kind;
    int64_t at_ms;
    uint64_t order;
    ctn_batch *batch;
    /* EFFECT, REPLY */
    subject *x;
    deed *d;
    uint64_t token;
    uint32_t attempt;
    bool is_check, is_broken, was_sent, peer_is_dead, is_early, happened;
    ctn_failure failure;
    int64_t retry_after_ms;
} event;

typedef struct request {
    subject *x;
    ctn_entry_kind makes; /* KIND_COUNT: nothing that can be counted */
} request;

typedef struct zombie { /* a batch that was handed to the disk and will come there late, or once more */
    ctn_append *appends;
    size_t count;
    int64_t due_tick;
} zombie;

typedef struct chaos {
    chaos_options o;
    chaos_report *report;
    sim_failure *failure;
    uint64_t of_life, of_tools, of_disk, of_reads, of_people, of_ids; /* chance, by purpose */
    /* shares, in percent */
    int tool_faults, checks_fail, commit_faults, read_faults, deaths, callback_deaths, stops, jumps, meddling, stale;
    enum { PERSON_PRESENT, PERSON_LATE, PERSON_ABSENT } person;
    bool retries_interrupted;
    size_t active_max;
    int64_t ticks_left, tick;
    bool is_calm;
    int64_t now_ms, began_at_ms, calm_at_ms;
    ctn_arena *arena; /* the world's own, to its end */
    ctn_store *inner;
    faulty_store *faulty;
    ctn_engine *engine;
    uint64_t epoch, life, order;
    bool is_dead, is_clean_stop, was_crash, needs_turn;
    event events[EVENTS_MAX];
    int events_used; /* none at or above */
    spec *specs[CHAINS_MAX];
    given_values given[CHAINS_MAX];
    int chain_count;
    subject subjects[SUBJECTS_MAX];
    int subject_count;
    int requests_in_life, requests_open;
    zombie zombies[ZOMBIES_MAX];
    int zombie_count;
    ctn_driver tool, native;
    const ctn_driver *drivers[2];
} chaos;

#define COUNT(w, what) ((w)->report->counts[what]++)
#define BROKEN(w, ...) sim_fail((w)->failure, __VA_ARGS__)

void chaos_trace(const chaos *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
event *chaos_event(chaos *w, event_kind kind, int64_t delay_ms);
void chaos_die(chaos *w, const char *where);
/* Called back by the engine: perhaps this was its last act. */
void chaos_may_die(chaos *w, const char *where);
subject *chaos_subject(chaos *w, ctn_execution_id id);
/* Nobody starts before who came first with its concurrencyKey has ended. */
void chaos_check_line(chaos *w, const subject *x);

/* chaos_check.c */
/* In the middle of things, as left by the dead: verify finds nothing. */
void chaos_verify_disk(chaos *w);
void chaos_check_ends(chaos *w);
/* Nothing is due at this moment: what is in memory has a reason to be there, and what is not will come back. */
void chaos_check_memory(chaos *w);
/* The disk, read as a stranger would: the fold of the journal is what the cached row says, and what the oracle saw. */
void chaos_check_disk(chaos *w, subject *x);
/* Nothing will happen any more: everything has ended, or says what it waits for. */
void chaos_check_rest(chaos *w);
bool chaos_disk_is_busy(chaos *w);
/* It is quiet: true when somebody did something about it. */
bool chaos_look_after_all(chaos *w);

/* chaos_tools.c */
void chaos_tools_init(chaos *w);
void chaos_effect(chaos *w, const event *e);
void chaos_reply(chaos *w, const event *e);
void chaos_tools_end(chaos *w); /* the engine ended, and its children with it */

/* chaos_disk.c */
void chaos_submit(void *ctx, ctn_batch *batch);
void chaos_commit(chaos *w, ctn_batch *batch);
void chaos_disk_tick(chaos *w);

/* chaos_people.c */
void chaos_people_tick(chaos *w);
void chaos_meddle(chaos *w);
/* Does for x what it waits for, if that can be done now. */
bool chaos_help(chaos *w, subject *x);
void chaos_start(chaos *w, subject *x, const ctn_plan *plan, int64_t version);
