/*
 * why.h -- where a value came from, and why a step did what it did: a walk back through the journal.
 *
 * Nothing is guessed: every node but those of kind DEFAULT, ENGINE and SECRET names the journal entry it was read from.
 * The journal holds the arguments of calls that must not be repeated; for the others they are rendered again from the
 * variables as they stood before the entry that ended the call, which is what the live run rendered (execution.h).
 *
 * The answer is a tree. A node's children say what it is because of: a variable because of the step that set it, the
 * step's result because of the call's arguments, those because of other variables, down to inputs, people's words and
 * answers of tools. What was told once is referred to afterwards (`see`), so the tree of an execution is no larger than
 * what happened in it; depth and size are bounded besides (is_cut).
 *
 * Ownership  Everything lives in the arena; nodes point into the source's entries and plan.
 * Errors     CTN_E_NOT_FOUND: no such variable or step; the sentence names the nearest. CTN_E_INVALID: no path.
 */
#pragma once
#include "core/execution.h"

#define CTN_WHY_NODES_MAX 5000
#define CTN_WHY_DEPTH_MAX 64

typedef enum ctn_why_kind {
    CTN_WHY_VARIABLE,
    CTN_WHY_OUTPUT,    /* of the chain, by an expression */
    CTN_WHY_STEP,      /* what became of a step */
    CTN_WHY_ANSWER,    /* of a tool, a check, a sub-chain, a person who was asked */
    CTN_WHY_DOCUMENT,  /* text rendered from a template file */
    CTN_WHY_TEMPLATE,  /* text rendered from the chain or the set */
    CTN_WHY_INPUT,     /* given at the start */
    CTN_WHY_DEFAULT,   /* a value that the chain's file holds */
    CTN_WHY_DECISION,  /* somebody's word */
    CTN_WHY_CONDITION, /* of a step */
    CTN_WHY_EVENT,     /* an entry of a step */
    CTN_WHY_EARLIER,   /* a value that was overwritten */
    CTN_WHY_ENGINE,    /* execution, step, now */
    CTN_WHY_SECRET,
    CTN_WHY_KIND_COUNT
} ctn_why_kind;
const char *ctn_why_kind_name(ctn_why_kind kind); /* "variable" */

typedef struct ctn_why_node ctn_why_node;
struct ctn_why_node {
    ctn_why_kind kind;
    uint32_t id;      /* 1, 2, ... in the order told */
    uint32_t see;     /* told there already; 0: told here */
    ctn_str role;     /* what it is to its parent: the name of an argument; empty: plain cause */
    ctn_str name;     /* variable with its path, step, tool, template, who decided */
    ctn_str path;     /* the way into an answer; empty: all of it */
    ctn_str step;     /* empty: about the execution */
    int64_t item;     /* of a foreach; -1: none */
    uint32_t attempt; /* 0: none */
    uint64_t seq;     /* of the entry; 0: none */
    int64_t at_ms;    /* of the entry; 0: none */
    ctn_str actor;
    const ctn_json *value;  /* NULL: none, or not to be shown */
    const ctn_json *args;   /* what was sent; NULL: nothing, or not known */
    ctn_str text;           /* a sentence without its first capital and full stop; empty: kind and names say it all */
    ctn_str status;         /* of a step */
    ctn_execution_id where; /* the execution it is about */
    bool is_redacted;       /* there is a value, and it is sensitive */
    bool is_cut;            /* there is more, left out for its size */
    uint32_t depth;
    ctn_why_node *first, *last, *next; /* children; the next one of the parent */
};

/* One execution as the store has it. */
typedef struct ctn_why_source {
    const ctn_execution *execution; /* folded to its last entry */
    const ctn_entry *entries;       /* the whole journal */
    size_t count;
} ctn_why_source;

typedef struct ctn_why_options {
    uint64_t at_seq; /* as it stood after that entry; 0: at the end */
    /* The execution of a sub-chain, or one that this one goes on from, by its id; false: it is not there. NULL: nobody
     * knows. */
    bool (*child)(void *ctx, ctn_str execution_id, ctn_why_source *ret_source);
    void *child_ctx;
} ctn_why_options;

/* `path_text` is a variable (or output) of the chain, or a way into one: flight_options.cheapest.total. */
int ctn_why_variable(ctn_arena *arena, const ctn_why_source *source, const ctn_why_options *options, ctn_str path_text,
                     const ctn_why_node **ret_node, ctn_err *err);
/* `step_text` may be an item of a foreach: price[3]. */
int ctn_why_step(ctn_arena *arena, const ctn_why_source *source, const ctn_why_options *options, ctn_str step_text,
                 const ctn_why_node **ret_node, ctn_err *err);
/* "price[3]": price, and 3; without an item: the text, and -1. */
ctn_str ctn_why_step_name(ctn_str text, int64_t *ret_item);
/* The chain has a variable, an input or an output of the name that `path` begins with. */
bool ctn_why_knows_variable(const ctn_why_source *source, ctn_str path);
/* {kind, id, name, ..., because: [...]}. */
const ctn_json *ctn_why_to_json(ctn_arena *arena, const ctn_why_node *node);
