/*
 * plan.h -- a chain made ready to run: names resolved to indexes, templates and conditions compiled, the
 * order known. Compiled once for a (chain, sets, templates) by content and shared by all its executions.
 *
 * It holds the definitions (chain, instruction sets, documents) it was made of, by digest, so that an execution can
 * name them in `started` and be recovered from the store alone.
 *
 * Steps are in the file's order; an index into `steps` names a step. Variables are slots: every name that is an input,
 * is produced, or is read gets one.
 *
 * Ownership  A plan is self-contained: everything it points at lives in the arena it was compiled into, but for the
 *            patterns of its schemas, which done frees. It borrows nothing of the library.
 *
 * Threads    It is immutable once it is shared (`sensitivity` is filled before), so any thread may read it.
 *
 * Units      *_ms is milliseconds, a span; 0 says "not said" or "none", as the member's comment has it.
 */
#pragma once
#include "base/hash.h"
#include "base/names.h"
#include "chain/effect.h"
#include "chain/graph.h"
#include "chain/library.h"
#include "value/expression.h"
#include "value/mustache.h"
#include "value/path.h"
#include "value/schema.h"
#include "value/template.h"

#define CTN_PLAN_NONE UINT32_MAX

typedef struct ctn_plan_call {
    ctn_str name;       /* in `calls`; empty when the set is one call */
    ctn_work_kind kind; /* one that a driver does */
    ctn_str target;     /* ctn_work_target: "server/tool", a function, a program, a model, a host */
    ctn_effect effect;  /* by its kind; UNKNOWN: its driver says, or it is taken for a write */
    ctn_tree *arguments;
    const ctn_json *detail; /* a prompt: the object of its key, with the text of its instructions; NULL: none */
    int64_t timeout_ms;     /* of this call in the set; 0: not said */
} ctn_plan_call;

typedef enum ctn_set_kind {
    CTN_SET_CALLS, /* tool, native, or several calls */
    CTN_SET_WAIT,
    CTN_SET_APPROVAL,
    CTN_SET_AGENT, /* whoever drives the execution does the work and answers */
    CTN_SET_CHAIN, /* another execution does it */
} ctn_set_kind;

typedef enum ctn_on_timeout { CTN_ON_TIMEOUT_FAIL, CTN_ON_TIMEOUT_REJECT, CTN_ON_TIMEOUT_APPROVE } ctn_on_timeout;

typedef struct ctn_plan_set {
    ctn_str name;
    ctn_set_kind kind;
    ctn_plan_call *calls;
    uint32_t call_count;
    bool is_several;            /* `calls`: the result is an object of the calls' results */
    ctn_tree *result;           /* extra members of that object; NULL: none */
    ctn_effect effect;          /* the set's own word; UNKNOWN: not said */
    const ctn_plan_call *check; /* NULL: none */
    int64_t settle_ms;
    int64_t timeout_ms; /* of an attempt when neither step nor call says: the set's own word, else by kind; 0: none */
    bool reads_input;   /* its arguments or check read {input} */
    bool reads_secrets; /* ... {secret.NAME} */
    ctn_digest digest;  /* of its definition */
    bool is_restricted; /* only on behalf of who was granted it */
    /* wait: one of */
    int64_t wait_ms;     /* -1: not said */
    ctn_template *until; /* NULL: not said. RFC 3339 text or milliseconds since the epoch */
    /* approval */
    ctn_template *message;     /* NULL: none */
    const ctn_json *who;       /* list of names; NULL: anybody */
    int64_t answer_timeout_ms; /* 0: none */
    ctn_on_timeout on_timeout;
    ctn_set_limits limits;
    /* agent: the arguments are its input */
    const ctn_json *instructions;         /* NULL: none */
    ctn_schema *answer_schema;            /* what an answer must satisfy; NULL: anything */
    const ctn_json *answer_schema_source; /* as it is handed on */
    /* chain */
    ctn_str chain;       /* its id */
    ctn_tree *arguments; /* agent, chain: the input */
} ctn_plan_set;

typedef struct ctn_retry {
    int64_t max_retries; /* 0: none */
    int64_t backoff_ms;
    double multiplier;
    int64_t max_backoff_ms;
    double jitter;     /* share of the delay that chance may add or take, 0..1 */
    uint32_t retry_on; /* bit (1 << ctn_failure) of every code that was named */
} ctn_retry;

typedef enum ctn_on_interrupted {
    CTN_ON_INTERRUPTED_DEFAULT, /* not said: the engine-wide setting, whose default is ask */
    CTN_ON_INTERRUPTED_ASK,
    CTN_ON_INTERRUPTED_RETRY,
    CTN_ON_INTERRUPTED_FAIL,
} ctn_on_interrupted;

typedef struct ctn_plan_output {
    uint32_t slot;
    const ctn_path *path; /* in the result; NULL: the member of the variable's name */
} ctn_plan_output;

/* What is tried when the work before has failed for good: another set, or a value that is taken as the result. */
typedef struct ctn_plan_fallback {
    const ctn_plan_set *set; /* NULL: a value */
    ctn_template *input;     /* NULL: the step's own */
    ctn_tree *value;
} ctn_plan_fallback;

typedef struct ctn_plan_foreach {
    ctn_template *items; /* a list; or */
    ctn_tree *range;     /* [from, to), two integers */
    ctn_str as;          /* empty: only {item} */
    uint32_t max_concurrency;
} ctn_plan_foreach;

typedef struct ctn_plan_cache {
    int64_t ttl_ms;    /* 0: nothing is cached */
    ctn_template *key; /* NULL: the set and the rendered arguments */
    bool allows_writes;
} ctn_plan_cache;

typedef struct ctn_plan_step {
    ctn_str name;
    const ctn_plan_set *set;
    ctn_template *input;      /* inputTemplate; NULL: none */
    bool input_reads_secrets; /* that, a fallback's, or the undo's */
    ctn_plan_output *outputs;
    uint32_t output_count;
    ctn_expression *condition; /* NULL: always */
    bool parallel_calls;       /* the set's calls run at once */
    uint32_t *predecessors;
    uint32_t predecessor_count;
    uint32_t *successors;
    uint32_t successor_count;
    ctn_retry retry;
    int64_t timeout_ms;      /* of one attempt, the step's own word; 0: not said */
    int64_t idle_timeout_ms; /* without a sign of progress; 0: none */
    ctn_plan_fallback *fallbacks;
    uint32_t fallback_count;
    const ctn_plan_foreach *foreach; /* NULL: none */
    ctn_plan_cache cache;
    ctn_schema *output_schema; /* NULL: none */
    bool continue_on_error;
    ctn_on_interrupted on_interrupted;
    const ctn_plan_set *undo;     /* rollbackAction; NULL: none */
    ctn_template *undo_input;     /* rollbackTemplate; NULL: the step's outputs as an object */
    ctn_str no_undo;              /* the reason; empty: none */
    const ctn_mustache *document; /* NULL: none */
    uint32_t document_slot;       /* NONE: the first output variable that the result lacks */
} ctn_plan_step;

typedef struct ctn_plan_input {
    uint32_t slot;
    bool is_required;
} ctn_plan_input;

typedef struct ctn_plan_result {
    ctn_str name;
    ctn_expression *expression; /* NULL: the variable of that name */
    uint32_t slot;              /* when there is no expression */
} ctn_plan_result;

/* What an execution may use up; 0: no limit. */
typedef struct ctn_budget {
    int64_t calls, wall_ms, bytes, tokens;
    ctn_str money; /* a decimal; empty: no limit */
    bool parks;    /* onReached: wait */
} ctn_budget;

typedef struct ctn_plan_definition {
    ctn_str kind; /* "chain", "instruction_set", "template" */
    ctn_str name;
    ctn_str body;      /* JSON (definition.h); holds the name, so that equal digests are the same definition */
    ctn_digest digest; /* of body */
} ctn_plan_definition;

typedef struct ctn_plan {
    ctn_str chain_id;
    ctn_str chain_name;
    int64_t version_stated;                       /* 0: by content */
    const ctn_names *variable_names, *step_names; /* name -> slot, index */
    ctn_str *variables;                           /* slot -> name */
    uint32_t variable_count;
    ctn_plan_step *steps;
    uint32_t step_count;
    ctn_plan_input *inputs; /* those that checks list and starts require */
    uint32_t input_count;
    ctn_schema *input_schema; /* NULL: none */
    const ctn_json *input_schema_source;
    ctn_schema **schemas; /* all of the plan, to be freed */
    uint32_t schema_count;
    ctn_plan_result *results; /* `outputs`; the default list when the chain does not say */
    uint32_t result_count;
    bool is_rollback_enabled;
    int64_t timeout_ms; /* 0: none */
    int priority;
    int64_t max_concurrent;        /* executions that run or compensate at once; 0: no limit */
    ctn_template *concurrency_key; /* NULL: none */
    ctn_str on_failure;            /* the chain that is started when one fails; empty: none */
    ctn_str run_as;                /* the principal whose rights its calls have; empty: of who starts it */
    const ctn_json *requires;      /* requires.h: its own and its sub-chains'; NULL: nothing */
    ctn_str requires_text;         /* ... canonical */
    ctn_str *restricted;           /* names of its sets that are */
    uint32_t restricted_count;
    ctn_str cron, timezone; /* schedule; empty: none, and UTC */
    ctn_budget budget;
    ctn_chain_mcp mcp;                /* its nodes are NULL */
    ctn_plan_definition *definitions; /* [0] is the chain */
    uint32_t definition_count;
    const ctn_json *secrets;   /* what `secret` is: the marks (value/secret.h) of all that are named; NULL: none is */
    const ctn_json *sensitive; /* names that the chain declares; NULL: none */
    bool may_be_sensitive;     /* it, or a sub-chain of it, declares some */
    const struct ctn_sensitivity
        *sensitivity; /* of an execution to which nothing is added; NULL: not asked yet, or none */
    /* A feature of the language that this version checks but does not run; empty when the plan can run. The
     * sentence names it and where it is used. */
    ctn_str unsupported;
    ctn_arena *arena;
} ctn_plan;

/* ---- making one ---- */

/* Compiles a chain of the library. CTN_E_INVALID when the chain or what it uses is at fault: errors of its file were
 * told when it was read (ctn_library_add_source), those of its names, order and flow become findings here. A chain
 * that uses what this version does not run compiles, with `unsupported`. */
int ctn_plan_compile(ctn_arena *arena, const ctn_library *library, const ctn_chain *chain, ctn_findings *findings,
                     ctn_plan **ret_plan);
/* The same plan from its stored definitions: [0] is the chain. CTN_E_CORRUPT when they do not make one. */
int ctn_plan_from_definitions(ctn_arena *arena, const ctn_plan_definition *definitions, uint32_t count,
                              ctn_plan **ret_plan, ctn_err *err);
/* What such definitions mean, for those who draw or explain a chain as an execution has it. */
int ctn_plan_graph(ctn_arena *arena, const ctn_plan_definition *definitions, uint32_t count, ctn_graph **ret_graph,
                   ctn_err *err);
/* Frees what is not in the arena (compiled patterns of the schema). NULL is fine. Call it before the arena goes. */
void ctn_plan_done(ctn_plan *plan);
/* The same, and the arena goes: of a plan that was compiled into one of its own. NULL is fine. */
void ctn_plan_free(ctn_plan *plan);
/* The plan of a sub-chain that the plan names, out of the same definitions, as they were when the parent started. */
int ctn_plan_of_child(ctn_arena *arena, const ctn_plan *parent, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err);

/* ---- asking one ---- */

/* May what this set sends for this step hold secrets? */
bool ctn_plan_names_secrets(const ctn_plan_step *step, const ctn_plan_set *set);

/* NONE when the chain knows no such variable. */
uint32_t ctn_plan_slot(const ctn_plan *plan, ctn_str variable);
uint32_t ctn_plan_step_index(const ctn_plan *plan, ctn_str step_name);

/* ---- starting by one ---- */

/* Checks what a start was given: schema, required inputs, reserved names; applies schema defaults.
 * CTN_E_INVALID with the sentence that names the input and the nearest name that was given. */
int ctn_plan_accept_input(const ctn_plan *plan, ctn_arena *arena, const ctn_json *input, const ctn_json **ret_input,
                          ctn_err *err);
/* The concurrencyKey of a start with this (accepted) input; empty text: it stands in no line. A text of more than
 * CTN_QUEUE_KEY_MAX bytes (a whole message may be the key) stands there by its digest. CTN_E_INVALID when it cannot be
 * rendered. */
#define CTN_QUEUE_KEY_MAX          1024
#define CTN_QUEUE_KEY_RENDERED_MAX ((size_t) 1 << 20)
int ctn_plan_queue_key(const ctn_plan *plan, ctn_arena *arena, const ctn_json *input, int64_t now_ms, ctn_str *ret_key,
                       ctn_err *err);
