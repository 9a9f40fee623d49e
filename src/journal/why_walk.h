/*
 * why_walk.h -- the walk behind why.h, for the files that make it up:
 *   why.c        the questions, the tree of the answer, its JSON
 *   why_index.c  the index over a journal: who set what, and the entries of each step
 *   why_read.c   the definitions' texts, and rendering them as of an entry
 *   why_call.c   who did a step's work, and what they were sent
 *   why_value.c  where a value came from
 *   why_step.c   why a step did what it did
 * Nobody else includes this.
 */
#pragma once
#include "base/names.h"
#include "base/text.h"
#include "chain/instruction_set.h"
#include "journal/entry_told.h"
#include "journal/why.h"
#include "value/path.h"

#define CTN_WHY_NAMES_MAX 8 /* in a sentence */

/* A variable got a value. */
typedef struct production {
    const ctn_json *value;
    const ctn_entry *entry;
    uint64_t since_seq; /* it stands from behind this entry on: of a reused value, when the step's turn came */
    bool is_reused;     /* it comes out of an earlier execution; the entry is the first one */
    uint32_t step;      /* CTN_PLAN_NONE: an input, or somebody's word */
    uint32_t before;    /* number + 1 of the production that it replaced; 0: none */
} production;

typedef struct step_trace {
    uint32_t *entries; /* of this step, by index in the journal, in order */
    uint32_t count;
    const ctn_entry *ended; /* completed, skipped, or failed and gone on; NULL: not so far. Of a reused one: the entry
                             * with which its turn came */
    uint32_t waits_for;     /* predecessors that have not ended, while the journal is read */
} step_trace;

/* What all executions of one answer share. */
typedef struct why_telling {
    ctn_names told;     /* "execution what" */
    uint32_t *told_ids; /* by number in told */
    size_t told_capacity;
    uint32_t count;     /* of nodes */
    ctn_why_node spare; /* where the nodes over the limit go */
} why_telling;

typedef struct why why;
struct why {
    ctn_arena *arena;
    const ctn_why_source *source;
    const ctn_why_options *options;
    const ctn_plan *plan;
    const ctn_json *chain;
    ctn_names set_names;
    const ctn_json **sets; /* by number: the set's object */
    ctn_names variable_names;
    uint32_t *latest; /* by number in variable_names: its last production + 1 */
    production *productions;
    uint32_t production_count;
    step_trace *traces;                 /* by step */
    const ctn_json *reused;             /* by step; NULL: it began by itself */
    const ctn_entry *reuses;            /* the entry that says so */
    uint32_t *due;                      /* of its steps, while the journal is read */
    const ctn_entry *started, *stopped; /* when stopping began; NULL: it did not */
    ctn_names sensitive;
    why_telling *telling;
    /* of a sub-chain's execution */
    const why *parent;
};

/* ---- why_index.c ---- */
void ctn_why_open(why *ret, ctn_arena *arena, const ctn_why_source *source, const ctn_why_options *options,
                  why_telling *telling);
/* What is rendered from something sensitive is sensitive; again after a name was added. */
void ctn_why_spread_sensitive(why *w);
/* The i-th entry of a step, from 0; NULL past the last. */
const ctn_entry *ctn_why_entry(const why *w, uint32_t step, uint32_t i);
/* What the step was in an earlier execution, if that stands; NULL: it was done here. */
const ctn_json *ctn_why_reused(const why *w, uint32_t step);
/* That execution, opened, and the step there; false: nobody has it any more. */
bool ctn_why_open_reused(const why *w, uint32_t step, why *ret, uint32_t *ret_step);
/* The last production of the name before an entry; NULL: none. */
const production *ctn_why_standing(const why *w, ctn_str name, uint64_t before_seq);

/* ---- why.c ---- */
/* Of an entry; NULL: none. A node too many is no part of the tree, and marks its parent as cut. */
ctn_why_node *ctn_why_add(const why *w, ctn_why_node *parent, ctn_why_kind kind, const ctn_entry *entry);
/* True when `key` was told before: the node then refers to it. Else it is told by this node. */
bool ctn_why_is_told(const why *w, ctn_why_node *node, ctn_str key);
const ctn_json *ctn_why_body(const ctn_entry *e, const char *key);
/* A value in a sentence: short, on one line. */
ctn_str ctn_why_brief(ctn_arena *arena, const ctn_json *v);
/* An output of a chain; NULL: it has none of that name. */
const ctn_plan_result *ctn_why_result_named(const ctn_plan *plan, ctn_str name);

/* ---- why_read.c ---- */

/* A piece of work as its set's definition has it. */
typedef struct why_work {
    const ctn_json *node; /* the object; NULL: there is none */
    ctn_work_kind kind;   /* UNKNOWN: there is none */
    ctn_str target;       /* who answers: "travel/search_flights", "approval" */
} why_work;
const ctn_json *ctn_why_step_node(const why *w, uint32_t step); /* as the chain's file has it */
const ctn_json *ctn_why_set(const why *w, ctn_str name);        /* NULL: unknown */
why_work ctn_why_work(const why *w, const ctn_json *node);
/* The name of the i-th call of a set of several; empty past the end. */
ctn_str ctn_why_call_name(const ctn_json *set, uint32_t i);

/* What a text of a step can see as of an entry. */
typedef struct why_scope {
    const why *w;
    uint32_t step; /* CTN_PLAN_NONE: about the execution */
    uint64_t before_seq;
    int64_t item;
    const ctn_json *item_value; /* NULL: none */
    ctn_str item_name;          /* `as` */
    ctn_str call;
    const ctn_json *calls; /* results of calls that may be read, by name; NULL: none */
    const ctn_json *own;   /* variables that the step has just taken; NULL: none */
    const ctn_json *input; /* NULL: none */
    uint32_t attempt;
    int64_t fallback; /* which one does the work, from 1; 0: the step's own set */
} why_scope;
why_scope ctn_why_scope_of(const why *w, uint32_t step, const ctn_entry *end);
ctn_scope ctn_why_scope(why_scope *s);
/* When the step became ready: the entry that ended the last of its predecessors. */
const ctn_entry *ctn_why_ready(const why *w, uint32_t step);
/* Any value whose strings are templates. Not rendered: NULL. reads: in order, each path once. */
const ctn_json *ctn_why_render(why_scope *s, const ctn_json *text);
ctn_reads ctn_why_tree_reads(const why *w, const ctn_json *text);
ctn_reads ctn_why_document_reads(const why *w, uint32_t step);
const ctn_json *ctn_why_render_document(why_scope *s);
bool ctn_why_is_sensitive(const why *w, ctn_str root);
/* By what the texts of a step (NONE: of the chain) read. */
bool ctn_why_reads_sensitive(const why *w, uint32_t step, const ctn_reads *reads);
const ctn_json *ctn_why_walk(const ctn_json *value, const ctn_path_part *parts, size_t count);
ctn_str ctn_why_path_text(ctn_arena *arena, const ctn_path_part *parts, size_t count); /* "cheapest.total[0]" */

/* ---- why_call.c ---- */

/* How the work of one entry was done. */
typedef struct why_doing {
    uint32_t step;
    const ctn_entry *end;
    ctn_str call; /* of a set of several; empty: the set is one call */
    const ctn_json *set;
    ctn_str set_name;
    const ctn_entry *fallback; /* taken before; NULL: the step's own set did it */
    const ctn_json *fallback_node;
    const ctn_entry *started, *answered, *waiting, *decided, *checked, *child;
    ctn_str named; /* what is asked about, as a variable; empty: not known */
} why_doing;
/* `end` is the entry that ended the work, of one call of a set when `call` is not empty. */
why_doing ctn_why_how_done(const why *w, uint32_t step, const ctn_entry *end, ctn_str call);
/* What the step runs over: a list, or a range; NULL: it is no foreach. */
const ctn_json *ctn_why_foreach_node(const why *w, uint32_t step);
/* Fills in the item that the scope is about. */
void ctn_why_find_item(why_scope *s);
why_scope ctn_why_scope_of_call(const why *w, const why_doing *d);
/* What {input} is made of: the fallback's own text, or the step's. NULL: nothing. */
const ctn_json *ctn_why_input_text(const why *w, uint32_t step, int64_t fallback);
/* One call of a set, or the set when it is one. path: the part of its answer that is asked about. */
void ctn_why_tell_call(const why *w, ctn_why_node *parent, ctn_str role, const why_doing *d, ctn_str path);
/* An event: with what the step's call was called. */
void ctn_why_tell_sent(const why *w, ctn_why_node *parent, uint32_t step, const ctn_entry *end, ctn_str call);
ctn_str ctn_why_join_path(ctn_arena *arena, ctn_str head, ctn_str rest);

/* ---- why_value.c ---- */
void ctn_why_tell_variable(const why *w, ctn_why_node *parent, ctn_str role, const ctn_path *path, uint64_t before_seq);
void ctn_why_tell_reads(why_scope *s, ctn_why_node *parent, ctn_str role, const ctn_reads *reads);
/* One line about where it came from: "from step price_options"; empty: nobody set it. */
ctn_str ctn_why_origin(const why *w, ctn_str name, uint64_t before_seq);
const ctn_json *ctn_why_arguments_node(const why *w, const why_work *work);

/* ---- why_step.c ---- */
/* only_item: of a foreach; -1: the step as a whole. */
void ctn_why_tell_step(const why *w, ctn_why_node *node, uint32_t step, int64_t only_item, bool with_events);
