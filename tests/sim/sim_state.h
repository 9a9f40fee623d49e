/*
 * sim_state.h -- what the files of a simulated world share:
 *   sim.c         lives of the engine, deaths, people, running it to its end
 *   sim_tools.c   the tools: what they are asked, what they really did, how they answer
 *   sim_disk.c    what came to disk, is found there and is told, and what may never be different about it
 * Nobody else includes this.
 */
#pragma once
#include "sim/sim.h"
#include "simulate/world.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define LEDGER_MAX   4096
#define CHILDREN_MAX 64

typedef enum event_kind { EVENT_EFFECT, EVENT_ACCEPTED, EVENT_REPLY } event_kind;

typedef struct event {
    char tool[64], key[160];
    ctn_failure failure;
    bool was_sent;
    bool is_task;   /* its work is done by then */
    int asks_round; /* 0: it answers */
} event;

/* One execution, as the disk and the audience know it. */
typedef struct subject {
    struct sim *s;
    ctn_execution_id id;
    bool is_acked, has_ended, end_was_told;
    int64_t exec_no; /* 0: not on disk */
    uint64_t seq_on_disk, seq_told;
    ctn_digest hash_on_disk; /* of that entry */
    uint64_t life_of_end;    /* the life in which its end came to disk */
    uint64_t seq_found;      /* while a disk is looked through */
    ctn_digest hash_found;
} subject;

typedef struct deed {
    char tool[64], key[160];
    int count;
} deed;

struct sim {
    sim_options o;
    ctn_world *world;
    deed *effects, *marks; /* marks: what is on disk about a call */
    size_t effect_count, mark_count;
    subject *subjects;
    int count, child_count; /* children come behind those that were started here */
    bool all_acked, cancel_sent, was_helped, asks_again;
    const ctn_plan *plan; /* of this life */
    int64_t plan_version;
    char lost[200];
    int64_t started_at_ms;
    ctn_arena *arena;
    int settles_pending;
    int abandoned;
};

#define SIM_FAIL(s, ...)                                                                                               \
    do {                                                                                                               \
        fprintf(stderr, "%s seed %llu, die_before %d, die_after %d: ", (s)->o.about ? (s)->o.about : "",               \
                (unsigned long long) (s)->o.seed, (s)->o.die_before_commit, (s)->o.die_after_commit);                  \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fprintf(stderr, "\n");                                                                                         \
        fail();                                                                                                        \
    } while (0)

/* SIM_TRACE=1 tells everything that happens. */
void sim_trace(const sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- ledgers: how often what was done under which key ---- */

void sim_note(deed *deeds, size_t *count, const char *tool, const char *key);
/* Of one key, or of all (NULL): their sum, or the most of one. */
int sim_total(const deed *deeds, size_t count, const char *tool, const char *key, bool most);
void sim_take_effect(sim *s, const char *tool, const char *key);

/* ---- the tools: hooks of the world ---- */

void sim_tool_begin(void *ctx, const char *kind, const ctn_call_request *request);
void sim_tool_let_go(void *ctx, uint64_t token);
ctn_effect sim_tool_effect(void *ctx, const char *kind, ctn_str target, const char **ret_from);
void sim_tool_abandon(void *ctx, const char *kind, ctn_str target, const ctn_json *continuation);
bool sim_tool_may_still_arrive(void *ctx, uint64_t token, ctn_str target);
void sim_happen(void *ctx, const ctn_world_event *due);

/* ---- the disk ---- */

/* Hooks of the world. */
void sim_take_append(void *ctx, const ctn_append *a);
void sim_on_commit_failed(void *ctx, const ctn_err *err);
void sim_on_event(void *ctx, const ctn_engine_event *told);
/* Something is on disk about the call of this key: "done", "started 1" for its first attempt. */
bool sim_is_marked(const sim *s, const char *what, const char *key);
/* The test reads: nothing fails meanwhile. */
void sim_look(const sim *s, bool begins);
/* Looks through what a process that starts now would find, or one after a power cut. */
void sim_find_on_disk(sim *s, bool after_cut);
