/*
 * instruction_set.h -- a named way of doing work, as it stands in a file (chain language, section 7).
 *
 * What is read here is everything the language allows, also what this version does not run yet: the plan
 * says which that is.
 */
#pragma once
#include "chain/work.h"

/* How hard a set may be used; live, so the engine judges it at each call. */
typedef struct ctn_set_limits {
    double rate_per_second; /* token bucket; 0: no limit */
    int64_t rate_burst;
    int64_t max_concurrent; /* calls at once; 0: no limit */
    /* the breaker of the tools that it calls */
    int64_t breaker_window, breaker_minimum, breaker_open_ms;
    double breaker_failure_ratio;
    bool breaker_is_said; /* else the numbers are the defaults */
} ctn_set_limits;

typedef struct ctn_instruction_set {
    ctn_str name;
    const ctn_json *name_node; /* its key in instructionSets */
    const ctn_json *node;
    const ctn_source *source;
    ctn_work work; /* kind CALLS: see calls */
    ctn_work *calls;
    uint32_t call_count;
    ctn_chain_tree result;
    ctn_effect effect;     /* UNKNOWN: not said */
    const ctn_work *check; /* NULL: none */
    int64_t settle_ms;
    ctn_said is_restricted;
    const ctn_json *rate_limit, *breaker; /* NULL: none */
    int64_t max_concurrent;               /* 0: not said */
    ctn_set_limits limits;                /* the three of them, in numbers */
    size_t fault_count;
    ctn_finding fault_first;
} ctn_instruction_set;

/* The tables of keys that a set itself is read by; those of its work: work.h. */
extern const ctn_key_table ctn_set_tables[];
extern const size_t ctn_set_table_count;

/* The member `name_node: node` of instructionSets. Faults become findings and are counted in the set. */
const ctn_instruction_set *ctn_instruction_set_read(ctn_arena *arena, const ctn_source *source,
                                                    const ctn_json *name_node, const ctn_json *node,
                                                    ctn_findings *findings);

/* Every path that the set's templates read when it does its work. Reads of earlier calls' results are the set's own and
 * are not told. `input` and the other reserved roots are. */
void ctn_instruction_set_reads(const ctn_instruction_set *set, ctn_arena *arena, ctn_reads *reads);
