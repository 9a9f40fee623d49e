/*
 * case_play.h -- one case of `catena test`, played: the real engine, canned answers, no faults but those that the case
 * names, and no time (what waits, waits at once).
 */
#pragma once
#include "simulate/case_file.h"
#include "simulate/stage.h"

typedef struct ctn_case_options {
    const ctn_case_file *file;
    const ctn_case *test;
    const ctn_plan *plan;
    const ctn_plan *const *plans; /* of sub-chains */
    size_t plan_count;
    ctn_rules rules;
    ctn_effect (*effect)(void *ctx, const char *kind, ctn_str target, const char **ret_from); /* may be NULL */
    void *effect_ctx;
} ctn_case_options;

/* What was not as expected: a place in the test file, and a sentence. */
typedef struct ctn_case_mismatch {
    ctn_position at;
    ctn_str text;
} ctn_case_mismatch;

#define CTN_CASE_MISMATCHES_MAX 20

typedef struct ctn_case_result {
    ctn_status status;
    ctn_case_mismatch mismatches[CTN_CASE_MISMATCHES_MAX];
    size_t mismatch_count; /* 0: passed */
} ctn_case_result;

/* Texts live in the arena. */
int ctn_case_play(const ctn_case_options *options, ctn_arena *arena, ctn_case_result *ret_result, ctn_err *err);
