/*
 * stage.h -- one execution of a chain, played in a world from its start to its end, or to where nobody goes on.
 *
 * The stage starts it, follows what comes to disk of it (and of executions that it starts), tells its owner which
 * step's call begins, and when nothing moves by itself shows the execution to the owner, who may play the people.
 * The owner invents the rest: answers, faults, what the people say.
 *
 * Ownership  Options and what they point at are borrowed and must outlive the stage.
 */
#pragma once
#include "simulate/world.h"

typedef struct ctn_stage ctn_stage;

/* A call, as the chain has it. */
typedef struct ctn_stage_call {
    const ctn_call_request *request; /* until begin returns */
    const char *kind;
    const ctn_execution *execution;
    const ctn_plan *plan;
    uint32_t step, call;
    ctn_role role;
    uint32_t fallback; /* n of the one whose call it is; 0: none */
    bool is_check;
    const ctn_plan_set *set;
    ctn_effect effect; /* of the call; a check is a read */
} ctn_stage_call;

typedef enum ctn_stage_end {
    CTN_STAGE_ENDED,   /* a final status */
    CTN_STAGE_PARKED,  /* nobody goes on, and no time will come that does */
    CTN_STAGE_ENDLESS, /* it was stopped after too many moves */
    CTN_STAGE_REFUSED, /* the start was refused */
} ctn_stage_end;

typedef struct ctn_stage_hooks {
    void *ctx;
    void (*begin)(void *ctx, const ctn_stage_call *call);
    void (*let_go)(void *ctx, uint64_t token);
    ctn_effect (*effect)(void *ctx, const char *kind, ctn_str target, const char **ret_from); /* may be NULL */
    void (*happen)(void *ctx, const ctn_world_event *event);
    ctn_commit_fate (*commit)(void *ctx, int number);                      /* NULL: every one holds */
    void (*died)(void *ctx, const ctn_world_event *pending, size_t count); /* NULL: it never dies */
    /* An entry is on disk. plan: of the execution that it is about, this one or one that it started. */
    void (*record)(void *ctx, const ctn_record *record, const ctn_plan *plan);
    /* Nothing moves; `execution` is not at its end. True: ctn_stage_say was called, it goes on. */
    bool (*rest)(void *ctx, const ctn_execution *execution);
} ctn_stage_hooks;

typedef struct ctn_stage_options {
    uint64_t seed;
    int64_t began_at_ms;
    const ctn_plan *plan;
    const ctn_plan *const *plans; /* of chains that it starts, compiled; may be none */
    size_t plan_count;
    const ctn_json *input;
    ctn_rules rules;
    int moves_max; /* 0: 30,000 */
    ctn_stage_hooks hooks;
} ctn_stage_options;

int ctn_stage_new(const ctn_stage_options *options, ctn_stage **ret_stage, ctn_err *err);
void ctn_stage_free(ctn_stage *stage); /* NULL is fine */
ctn_stage_end ctn_stage_run(ctn_stage *stage);

ctn_world *ctn_stage_world(ctn_stage *stage);
ctn_status ctn_stage_status(const ctn_stage *stage);
ctn_str ctn_stage_refusal(const ctn_stage *stage);
/* What the disk has of the i-th execution: 0 is the one that was started, then those that it started. Valid until the
 * stage goes. NULL: there is none. */
const ctn_execution *ctn_stage_execution(ctn_stage *stage, size_t i);
/* A person's word. */
void ctn_stage_say(ctn_stage *stage, const ctn_execution *execution, const ctn_input *input);
