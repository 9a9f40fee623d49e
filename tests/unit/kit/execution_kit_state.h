/*
 * execution_kit_state.h -- what the kit of execution_kit.h keeps, for the three files that make it up:
 *
 *   execution_kit.c        moving the execution: time, the world, people, lives
 *   execution_kit_look.c   what came of it
 *   execution_kit_holds.c  what must always hold, checked behind every move and at the end
 */
#pragma once
#include "unit/kit/execution_kit.h"

#include "support/cmocka.h"

#include <stdio.h>

#define RECORDS_MAX 4096
#define KEYS_MAX    4096 /* of those after the first so many nothing is compared */
#define ADVANCE_MAX 10000

struct kit {
    ctn_arena *arena; /* the plan, the records and all that tests ask for */
    ctn_arena *life;  /* of the execution in memory */
    ctn_arena *scratch;
    ctn_plan *plan;
    const char *yaml;
    kit_options options;
    ctn_rules rules;
    ctn_execution_id id;
    uint64_t lives; /* of executions that go on from each other */
    kit *reruns;    /* those that went on from this one */
    kit *next;      /* among them */
    ctn_execution *x;
    int64_t now_ms;
    uint64_t entropy;
    ctn_record *records;
    size_t count;
    ctn_digest hash;
    bool was_set;
    ctn_names keys_seen;
    ctn_str *args_seen; /* by number of the key: what the first attempt sent */
    ctn_err err;
};

#define KIT_FAIL(k, ...)                                                                                               \
    do {                                                                                                               \
        kit_print_journal(k);                                                                                          \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fputc('\n', stderr);                                                                                           \
        fail();                                                                                                        \
    } while (0)

/* NULL is no null. */
static inline bool kit_same_json(const ctn_json *a, const ctn_json *b)
{
    return (a == NULL) == (b == NULL) && (!a || ctn_json_equal(a, b));
}
ctn_str kit_call_name(const kit *k, ctn_arena *arena, const ctn_owed_call *c);
void kit_print_journal(const kit *k);

/* Every prefix of the journal, from `since` records on, leads to where the execution is. */
void kit_check_holds(kit *k, size_t since);
/* Every step and every variable can be explained from the records. */
void kit_check_why(kit *k);
