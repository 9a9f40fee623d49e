/*
 * instruction_set.h -- a named way of doing work, as it stands in a file (chain language, section 7).
 *
 * What is read here is everything the language allows, also what this version does not run yet: the plan
 * says which that is.
 */
#pragma once
#include "chain/effect.h"
#include "chain/keys.h"
#include "chain/plan_limits.h"

typedef enum ctn_work_kind {
    CTN_WORK_TOOL,
    CTN_WORK_NATIVE,
    CTN_WORK_PROMPT,
    CTN_WORK_TRANSFORM,
    CTN_WORK_HTTP,
    CTN_WORK_COMMAND,
    CTN_WORK_WAIT,
    CTN_WORK_APPROVAL,
    CTN_WORK_AGENT,
    CTN_WORK_CHAIN,
    CTN_WORK_CALLS,
    CTN_WORK_KIND_COUNT,
    CTN_WORK_UNKNOWN = CTN_WORK_KIND_COUNT, /* the file does not say it rightly */
} ctn_work_kind;
/* The key that names it: "tool". */
const char *ctn_work_kind_name(ctn_work_kind kind);

/* One piece of work: of the set itself, of one of its calls, or of its check. */
typedef struct ctn_work {
    ctn_work_kind kind;
    ctn_str name; /* in `calls`; else empty */
    const ctn_json *name_node;
    const ctn_json *node;     /* the object */
    const ctn_json *detail;   /* the value of the kind's key */
    ctn_chain_tree arguments; /* never without a tree: the default is there when nothing was said */
    int64_t timeout_ms;       /* 0: not said */
    /* of its detail, by kind */
    ctn_chain_template url, message, until;
    ctn_chain_tree headers, body, argv;
    const ctn_json *method; /* http; NULL: GET, or POST with a body */
    int64_t wait_ms;        /* -1: not said */
    const ctn_json *who;
    int64_t answer_timeout_ms; /* 0: not said */
    int on_timeout;            /* 0: not said; else as ctn_on_timeout + 1 */
} ctn_work;

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
    ctn_plan_limits limits;               /* the three of them, in numbers */
    ctn_str instructions_text;            /* agent: of the file that `instructions` names; empty: it is the text */
    size_t fault_count;
    ctn_finding fault_first;
} ctn_instruction_set;

/* Every table of keys that a set is read by. */
extern const ctn_key_table ctn_set_tables[];
extern const size_t ctn_set_table_count;

/* The member `name_node: node` of instructionSets. Faults become findings and are counted in the set. */
const ctn_instruction_set *ctn_instruction_set_read(ctn_arena *arena, const ctn_source *source,
                                                    const ctn_json *name_node, const ctn_json *node,
                                                    ctn_findings *findings);

/* Every path that the set's templates read when it does its work: `node` is the text it stands in. Reads of earlier
 * calls' results are the set's own and are not told. `input` and the other reserved roots are. */
typedef void ctn_set_read_fn(void *ctx, const ctn_read *read, const ctn_json *node);
void ctn_instruction_set_reads(const ctn_instruction_set *set, ctn_arena *scratch, ctn_set_read_fn *on_read, void *ctx);
/* By the kind alone, when nobody else says. */
ctn_effect ctn_work_assumed_effect(const ctn_work *work);
