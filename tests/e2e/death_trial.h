/*
 * death_trial.h -- what the files of death_kit share: a trial, and what was seen in its store and its ledger.
 */
#pragma once
#include "death_kit.h"

#include <setjmp.h>

#define DEATH_STORE       "death.db"
#define DEATH_PROCESS_MAX 40
#define DEATH_LEAVE_MS    20000 /* until the processes of a dead one must be gone */

extern const char death_sets_text[], death_child_text[];

/* What a store held at a moment. */
typedef struct seen_entry {
    ctn_record record;
    const ctn_json *body;
    ctn_str key; /* of the call it is about; empty: of none */
} seen_entry;

typedef struct seen_execution {
    ctn_execution_row row;
    ctn_id_text id;
    seen_entry *entries;
    size_t count, capacity;
    ctn_arena *arena;
} seen_execution;

typedef struct seen {
    seen_execution *executions; /* oldest first */
    size_t count, capacity;
} seen;

/* What the tools did. */
typedef struct deed {
    ctn_str tool, key;
    int process; /* the how-manieth catena it was a child of */
} deed;

typedef struct trial {
    const death_plan *plan;
    death_tally *tally;
    world *w;
    ctn_arena *arena;
    seen after[DEATH_PROCESS_MAX]; /* what was in the store after this process (from 1) */
    bool died[DEATH_PROCESS_MAX];
    int process;
    deed *deeds;
    size_t deed_count;
    bool is_at_work;  /* a process changes the store meanwhile: row and journal are not read at once */
    bool logs_points; /* of the first process; nobody dies */
    char died_at[200];
    char *why; /* 400 */
    jmp_buf wrong;
} trial;

/* Ends the trial with a sentence. */
_Noreturn void trial_wrong(trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Every process below us, orphans too, has ended. */
void trial_await_all_gone(trial *t);

/* ---- death_look.c ---- */
seen trial_look(trial *t);
void trial_read_ledger(trial *t);
/* How often a call was done by the children of processes `from` to `to`. */
int trial_deeds_of(const trial *t, ctn_str key, int from, int to);
const seen_execution *seen_root(const seen *s);
const seen_execution *seen_same(const seen *s, const seen_execution *x);
/* The last entry about the call. */
const seen_entry *seen_last(const seen_execution *x, ctn_str key);
/* The first call that waits for a person's word, or NULL. */
const seen_entry *seen_parked(const seen *s, const seen_execution **ret_execution);

/* ---- death_judge.c ---- */
void trial_judge(trial *t);
void trial_check_client_records(trial *t);
