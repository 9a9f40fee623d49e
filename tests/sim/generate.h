/*
 * generate.h -- random chains that check accepts, each with a description of what it says.
 *
 * The description is made beside the text and never read out of it, so whoever judges a run by it (oracle.h) judges
 * by the language and not by the code under test: who comes before whom (section 3 of the contract), what every call
 * does to the world, when a step is skipped, what undoes it.
 *
 * Tools are told apart by their targets, "sim/CLASS_STEP[_CALL]" or native "CLASS_STEP": read_, idem_, write_ and
 * none_ have that effect by the driver's word, plain_ by the set's own (or nobody's: then it is assumed to write).
 * check_ answers whether the call of the same key happened; undo_ and wundo_ undo, idempotent and write.
 *
 * Step n is called "sN". Its variable is "vN", of its second call "wN", of its document "dN". The inputs are "n"
 * (0..9), "text", and "list" of n % 5 numbers. A foreach calls its item "it". Every call answers {"value": 0..9, "key":
 * ..., "other": 0..9} (spec_value_of).
 */
#pragma once
#include "base/arena.h"
#include "chain/effect.h"
#include "value/failure.h"

#define SPEC_STEPS_MAX     12
#define SPEC_CALLS_MAX     3
#define SPEC_FALLBACKS_MAX 2

typedef enum spec_kind { SPEC_CALL, SPEC_CALLS, SPEC_WAIT, SPEC_APPROVAL, SPEC_AGENT, SPEC_VALUE } spec_kind;
typedef enum spec_verdict { SPEC_RUN, SPEC_SKIP, SPEC_FAIL } spec_verdict;
typedef enum spec_policy { SPEC_ASK, SPEC_RETRY, SPEC_GIVE_UP } spec_policy; /* onInterrupted, as it counts */
typedef enum spec_on_timeout { SPEC_TIMEOUT_FAILS, SPEC_TIMEOUT_REJECTS, SPEC_TIMEOUT_APPROVES } spec_on_timeout;

typedef enum spec_test {
    SPEC_ALWAYS,
    SPEC_ABOVE,
    SPEC_EQUAL,
    SPEC_NOT_EQUAL,
    SPEC_EXISTS,
    SPEC_AMONG,
    SPEC_TRUE
} spec_test;

typedef struct spec_condition {
    spec_test test;
    int reads; /* the step whose variable it reads; -1: the input n */
    int64_t number;
    spec_verdict if_true, if_false;
} spec_condition;

typedef struct spec_call {
    char name[8];
    char target[40];
    bool is_native;
    ctn_effect effect;
    bool takes_second; /* wN instead of vN */
} spec_call;

typedef struct spec_work { /* a set, for a step's work or for its undo */
    spec_kind kind;
    spec_call calls[SPEC_CALLS_MAX];
    int call_count;
    bool has_check;
    int64_t settle_ms;
    int64_t value;              /* VALUE: of a fallback */
    int64_t wait_ms;            /* WAIT */
    int64_t answer_timeout_ms;  /* APPROVAL; 0: none */
    spec_on_timeout on_timeout; /* APPROVAL */
} spec_work;

typedef enum spec_items { SPEC_ONE, SPEC_LIST, SPEC_RANGE } spec_items; /* foreach: none, over "list", over 0..n */

typedef struct spec_step {
    char name[8];
    spec_work work, undo;
    spec_work fallbacks[SPEC_FALLBACKS_MAX];
    int fallback_count;
    bool is_cached; /* equal calls of other executions give its result */
    spec_items items;
    int max_concurrency; /* of items */
    bool has_undo;
    uint32_t predecessors; /* bits of steps */
    uint32_t ancestors;    /* the same, through others too */
    bool is_parallel;
    spec_condition condition;
    bool has_document;
    bool gives_variable; /* vN */
    int64_t max_retries, backoff_ms, max_backoff_ms;
    double multiplier, jitter;
    uint32_t retry_on; /* bits of ctn_failure */
    bool continues;    /* onError: continue */
    bool says_policy;
    spec_policy policy; /* when it says so; else the engine's */
    int64_t timeout_ms; /* of one attempt; 0: not said */
} spec_step;

typedef struct spec {
    ctn_str text; /* YAML: the chain and its sets */
    struct {
        ctn_str name, text;
    } documents[SPEC_STEPS_MAX];
    int document_count;
    spec_step steps[SPEC_STEPS_MAX];
    int step_count;
    bool is_rollback_enabled;
    int64_t timeout_ms; /* 0: none */
    bool says_outputs;
    uint32_t outputs;                                    /* steps whose vN it puts out, when it says so */
    int max_concurrent;                                  /* executions at once; 0: any */
    enum { SPEC_NO_KEY, SPEC_KEY_ALL, SPEC_KEY_N } line; /* concurrencyKey: one for all, one for each n */
} spec;

/* The same for the same seed. The chain's id is "chain-N". */
spec *spec_generate(ctn_arena *arena, uint64_t seed, int number);
/* How many items a foreach has in an execution that was given n. */
int64_t spec_item_count(const spec_step *step, int64_t n);
/* What the call of this key answers: 0..9, always the same. */
int64_t spec_value_of(ctn_str key);
/* The effect of a call by its target's class, as the driver tells it; UNKNOWN: nobody said. */
ctn_effect spec_driver_effect(ctn_str target);
