/*
 * sim.h -- a world in which an engine can be killed between any two commits: virtual clock, memory store, tools
 * that misbehave by a seeded chance, and a ledger of what they really did.
 *
 * The tools of a chain are told apart by their names ("sim/NAME"):
 *   read_*   effect read         idem_*  effect idempotent (does its work once per key)
 *   write_*  effect write        check_* answers {"happened", "result"} from the ledger, for the write of that name
 *   undo_*   effect idempotent   fail_*  always tool_error
 * "_ask_" in a name: it asks twice before it does its work. "_task_": it accepts the call, and does its work by itself.
 * Every answer is {"value": NAME, "key": idempotency key}.
 *
 * What every world checks while it runs, and fails the test with its seed when it does not hold:
 *   - No write takes effect twice under one key.
 *   - A call whose success is on disk is never made again.
 *   - A write or an undo begins only when its start is on disk.
 *   - What is told (entries, statuses, acknowledgements) is on disk, in order, nothing after the end; and an end that
 *     came to disk is told.
 *   - With a disk: after each death, and at the end, what was on disk is there, entry for entry, and folds to its row.
 *   - What waits for people or a far time is not in memory; what runs at once is not more than active_max.
 */
#pragma once
#include "engine/engine.h"

/* A store on a disk of the test's own (tests/power) instead of one in memory, and how the disk is asked. */
typedef struct sim_disk {
    void *ctx;
    int (*open)(void *ctx, ctn_store **ret_store, ctn_err *err);
    /* The test itself reads: nothing fails meanwhile. */
    void (*look)(void *ctx, bool begins);
    void (*before_commit)(void *ctx, int number); /* NULL: nothing is done */
    /* The process is dead, its handles are closed: and the power, if it went, comes back. */
    void (*restart)(void *ctx);
    /* NULL: no store yet. What a process that started now would find, or one that started after a power cut now, in a
     * copy. It goes back by find_done. */
    ctn_store *(*find)(void *ctx, bool after_cut);
    void (*find_done)(void *ctx, ctn_store *found);
    bool (*has_failed)(void *ctx); /* something did, at some time: what is in memory may wait to try again */
    bool tolerates_loss;           /* what was acknowledged and is gone ends the run (sim_lost) and fails no test */
} sim_disk;

typedef struct sim_options {
    uint64_t seed;
    const char *chain;        /* YAML: the chain and its instructionSets in one file */
    const char *child;        /* YAML: a chain that the first one calls; NULL: none */
    const char *input;        /* JSON; NULL: {} */
    int die_before_commit;    /* the engine dies instead of the n-th commit, from 1; 0: never */
    int die_after_commit;     /* ... after the n-th commit, before anybody hears of it; 0: never */
    int die_chance_percent;   /* at every commit, by chance */
    int fault_percent;        /* of calls that are lost, time out, are refused */
    int commit_fails_percent; /* commits that fail (the batch may or may not be on disk) */
    int cancel_at_ms;         /* after the start; 0: never */
    bool person_is_absent;    /* nobody settles what is interrupted */
    int executions;           /* how many are started at once; 0: 1 */
    size_t active_max;        /* 0: the engine's own */
    ctn_seal *seal;           /* of sensitive values; NULL: they stand in the clear */
    const sim_disk *disk;     /* NULL: a store in memory */
    const char *about;        /* said with a failure; NULL: nothing */
} sim_options;

typedef struct sim sim;

ctn_store *sim_store(sim *s); /* valid until the next move */

sim *sim_new(const sim_options *options);
void sim_free(sim *s);
/* Runs until every execution has ended, or is parked and nobody is there to help. Fails the test (cmocka) with the
 * seed when nothing moves any more or a promise is broken. Returns the final or parked status (of the first one). */
ctn_status sim_run(sim *s);
int64_t sim_elapsed_ms(const sim *s);
void sim_die(sim *s);         /* the process, now; from any hook */
const char *sim_lost(sim *s); /* with tolerates_loss: what is gone; NULL: nothing */

int sim_deaths(const sim *s);
/* How often the tool really did its work, over all keys. */
int sim_effects(const sim *s, const char *tool);
/* How often it was told that an answer is not wanted any more. */
int sim_abandoned(const sim *s);
/* The most often that it did so under one key. */
int sim_effects_of_one_key(const sim *s, const char *tool);
/* How often it did so for the n-th execution's step, in a role ("do", "undo"). */
int sim_effects_of_step(const sim *s, int n, const char *tool, const char *step, const char *role);
/* Out of the store, as a stranger would read it; valid until the next call. */
const ctn_execution *sim_execution(sim *s, int n);
int sim_entries(sim *s, ctn_entry_kind kind); /* of the first execution */
/* When the first such entry of the first execution was decided, and when it was about to be: untilMs, dueMs. */
int64_t sim_entry_at_ms(sim *s, ctn_entry_kind kind, const char *step);
int64_t sim_entry_number(sim *s, ctn_entry_kind kind, const char *step, const char *member);
