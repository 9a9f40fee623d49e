/*
 * case_file.h -- a file of `catena test`: one chain, and cases of what its tools answer and what must come of it.
 *
 *     chain: chains/mobile-lead-processing.json     # a file beside this one, or a chain's id
 *     config: ../catena.yaml                        # where its sets and templates are; default: as everywhere
 *     tools: {...}                                  # answers that every case starts from
 *     cases:
 *       - name: a lead that becomes a proposal
 *         input: {raw_lead: "..."}
 *         now: "2026-09-21T09:00:00Z"               # when it starts
 *         tools:
 *           travel/extract_lead: {client_info: {...}}              # an answer
 *           travel/search_flights: [{error: unavailable}, {...}]   # answers in turn; the last one stays
 *           travel/price_tiers:                                    # answers by arguments (a part of them)
 *             - {args: {budget: 100}, error: tool_error, message: too little}
 *             - {args: {}, answer: {...}}
 *         answers:                                  # what people say to a step that waits
 *           desk: true                                             # an approval takes true, false
 *           client: [{answer: {text: ...}, afterMs: 172800000}, null]   # in turn; null: nobody answers
 *         expect:
 *           status: completed
 *           outputs: {client_id: C-1}               # a part of them
 *           error: {code: tool_error, step: pay}
 *           calls: [{tool: travel/x, args: {...}}]  # these, in this order, perhaps others between; or {travel/x: 2}
 *           steps: {validate_requirements: skipped}
 *
 * What answers are keyed by is "server/tool", the name of a native function, or the name of a step (for whatever call
 * it makes). An entry with a key `error`, `answer` or `args`, and no other keys than theirs, is read as such; any other
 * value is the answer itself.
 *
 * Ownership  Borrows the source; lives in the arena.
 */
#pragma once
#include "chain/keys.h"
#include "chain/plan.h"
#include "core/status.h"

typedef struct ctn_case_entry {
    const ctn_json *node;
    const ctn_json *args;  /* NULL: any */
    const ctn_json *value; /* of a success */
    ctn_failure failure;
    ctn_str message;
    bool was_sent;
    int64_t retry_after_ms, after_ms;
} ctn_case_entry;

typedef struct ctn_case_tool {
    const ctn_json *node; /* the key */
    ctn_str name;
    ctn_case_entry *entries;
    size_t count;
} ctn_case_tool;

/* One thing that people say, to one waiting of a step. */
typedef struct ctn_case_word {
    const ctn_json *value; /* NULL: nobody says anything */
    int64_t after_ms;      /* since it waits */
} ctn_case_word;

typedef struct ctn_case_people {
    ctn_str step; /* STEP, or STEP[ITEM] */
    ctn_case_word *words;
    size_t count;
} ctn_case_people;

typedef struct ctn_case_call {
    const ctn_json *node;
    ctn_str tool, step;   /* step empty: any */
    const ctn_json *args; /* NULL: any */
    int64_t times;        /* -1: one of a sequence */
} ctn_case_call;

typedef struct ctn_case {
    const ctn_json *node;
    ctn_str name;
    const ctn_json *input; /* NULL: none */
    int64_t now_ms;        /* 0: not said */
    ctn_case_tool *tools;
    size_t tool_count;
    const ctn_json *answers; /* NULL or an object, as it stands in the file */
    ctn_case_people *people; /* what it says */
    int status;              /* -1: not said */
    const ctn_json *status_node;
    const ctn_json *outputs, *error, *steps; /* NULL: not said */
    ctn_case_call *calls;
    size_t call_count;
} ctn_case;

typedef struct ctn_case_file {
    const ctn_source *source;
    ctn_str chain, config; /* config empty: not said */
    ctn_case *cases;
    size_t count;
} ctn_case_file;

/* Every fault becomes a finding; CTN_E_INVALID when there was one. */
int ctn_case_file_read(ctn_arena *arena, const ctn_source *source, ctn_findings *findings, ctn_case_file **ret_file);
/* The names in it are names of the plan: tools (those of its sub-chains too), steps, outputs. CTN_E_INVALID: see the
 * findings. */
int ctn_case_file_check(ctn_arena *arena, const ctn_case_file *file, const ctn_plan *plan,
                        const ctn_plan *const *children, size_t child_count, ctn_findings *findings);
