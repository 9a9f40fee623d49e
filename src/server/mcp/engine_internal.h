/*
 * engine_internal.h -- what the parts of the engine's backend share.
 *
 *     engine_backend.c    life, and which call goes to whom
 *     engine_catalogue.c  the chains that there are, each with its plan
 *     engine_offer.c      a chain as a tool: schemas, annotations
 *     engine_tools.c      the table of the engine's own tools, and how their arguments are judged
 *     engine_run.c        tools that start, resume, cancel and answer
 *     engine_look.c       tools that look at executions
 *     engine_chains.c     tools that look at chains
 *     engine_simulate.c   the tool that tries a chain out, on a thread
 *     engine_start.c      a chain that is called: started, or attached to
 *     engine_follow.c     a call that waits for an execution
 *     engine_ask.c        what an execution waits for, as questions, and what is answered
 *     engine_result.c     what a caller is told of an execution
 *     engine_task.c       executions as tasks
 *     engine_rights.c     may whoever asks do this?
 *     engine_published.h  prompts, resources and completion
 */
#pragma once
#include "host/access.h"
#include "fleet/request.h"
#include "server/mcp/engine_backend.h"
#include "store/store.h"
#include "wire/jsonrpc.h"

/* Labels of executions that MCP callers started. */
#define CTN_MCP_LABEL_PRINCIPAL "mcp.principal"
#define CTN_MCP_LABEL_TASK      "mcp.task"      /* the unguessable half of its task's id */
#define CTN_MCP_LABEL_ARGUMENTS "mcp.arguments" /* their digest */
#define CTN_MCP_LABEL_PREFIX    "mcp."

#define CTN_MCP_WAIT_DEFAULT_MS 30000
#define CTN_MCP_GRACE_MS        500 /* so long may a call take before it becomes a task */

/* ---- chains (engine_catalogue.c) ---- */

typedef struct ctn_offered_chain {
    ctn_str id, where; /* the file, or "the store" */
    int64_t version;   /* of the store; 0: not stored */
    const ctn_chain *chain;
    const ctn_plan *plan;      /* NULL: it does not compile */
    ctn_str problem;           /* why it cannot run; empty: it can */
    const ctn_json *tool;      /* as tools/list has it; NULL: it is none */
    bool is_published;         /* as a prompt, or as a resource that only reads (engine_published.h) */
    ctn_schema *result_schema; /* of `tool`'s outputSchema; NULL: none */
} ctn_offered_chain;

typedef struct ctn_catalogue {
    ctn_arena *arena;
    ctn_offered_chain *items; /* by id */
    size_t count;
    const ctn_json *tools; /* of all that are tools, by name */
    const ctn_json *prompts, *resources, *templates;
    ctn_digest digest; /* of what the store has */
} ctn_catalogue;

struct ctn_follow;

struct ctn_engine_backend {
    ctn_host *host;
    const ctn_workspace *ws;
    ctn_loop *loop;
    ctn_mcp_backend offers;
    ctn_mcp_endpoint *endpoint; /* NULL: nobody is told */
    ctn_arena *arena;
    const ctn_json *own_tools; /* the engine's own */
    struct ctn_engine_tool_schema *own_schemas;
    ctn_catalogue *catalogue; /* as it was last looked at */
    ctn_timer *poll;          /* looks whether chains have changed */
    struct ctn_follow *follows;
    ctn_timer *soon;                 /* those that something happened to are looked at */
    ctn_timer *others;               /* ... and those that other nodes advance */
    struct ctn_engine_trial *trials; /* simulations under way */
    bool watches_tasks;              /* somebody has asked to be told of one */
    /* Answers that were not taken, the last few: their questions are asked again under another key, with the reason. */
    struct ctn_wrong_answer {
        char key[64];
        unsigned count;
        char problem[300];
    } wrong[64];
    size_t wrong_count; /* ever */
};

/* As it is now: when chains of the store have changed it is made anew, and listeners are told. */
const ctn_catalogue *ctn_engine_catalogue(ctn_engine_backend *b);
/* As it was last looked at, without asking the store: what callers were told. */
const ctn_catalogue *ctn_engine_catalogue_told(ctn_engine_backend *b);
void ctn_catalogue_free(ctn_catalogue *c);
const ctn_offered_chain *ctn_catalogue_chain(const ctn_catalogue *c, ctn_str id); /* NULL: there is none */
const ctn_offered_chain *ctn_catalogue_tool(const ctn_catalogue *c, ctn_str name);
/* "did you mean ...?", or what there is; ends as a sentence does. */
ctn_str ctn_catalogue_suggest(const ctn_catalogue *c, ctn_arena *arena, ctn_str id);
/* A plan for one start; ctn_plan_free. CTN_E_INVALID and others: it cannot run, with the reason. */
int ctn_engine_plan_for(ctn_engine_backend *b, const ctn_offered_chain *chain, ctn_arena *scratch, ctn_plan **ret_plan,
                        ctn_err *err);

/* ---- a chain as a tool (engine_offer.c) ---- */

/* Fills `tool` and `result_schema`, in the arena. */
void ctn_offer_tool(const ctn_workspace *ws, ctn_arena *arena, ctn_offered_chain *chain);
/* {readOnlyHint, ...}, computed from the effect classes of its steps. */
const ctn_json *ctn_offer_annotations(const ctn_config *config, const ctn_plan *plan, ctn_arena *arena);
/* What a start wants, and what an end gives; NULL: outputs of no kind that is told. */
const ctn_json *ctn_offer_input_schema(const ctn_plan *plan, ctn_arena *arena);
const ctn_json *ctn_offer_outputs_schema(const ctn_workspace *ws, const ctn_offered_chain *chain, ctn_arena *arena);

/* ---- the engine's own tools (engine_tools.c) ---- */

typedef struct ctn_engine_call {
    ctn_engine_backend *b;
    ctn_mcp_exchange *x;
    ctn_arena *arena;
    const ctn_json *arguments; /* fit the tool's inputSchema */
    ctn_action action;         /* the tool's */
} ctn_engine_call;

typedef struct ctn_engine_tool {
    const char *name, *title, *description;
    const char *input, *output; /* schemas, as JSON */
    bool reads_only, is_destructive, is_idempotent, is_open_world;
    ctn_action action; /* what its caller must be granted */
    void (*call)(ctn_engine_call *c);
} ctn_engine_tool;

extern const ctn_engine_tool ctn_tool_execute_chain, ctn_tool_resume_execution, ctn_tool_cancel_execution,
    ctn_tool_answer_step, ctn_tool_get_execution, ctn_tool_list_executions, ctn_tool_explain, ctn_tool_list_chains,
    ctn_tool_get_chain, ctn_tool_check_chain, ctn_tool_simulate_chain;

void ctn_engine_tools_open(ctn_engine_backend *b);
void ctn_engine_tools_close(ctn_engine_backend *b);
/* False: it is none of them. */
bool ctn_engine_tool_call(ctn_engine_backend *b, ctn_mcp_exchange *x);

/* ---- may whoever asks do this? (engine_rights.c) ---- */

const ctn_caller *ctn_engine_caller(const ctn_mcp_exchange *x);
bool ctn_engine_may_read(const ctn_mcp_exchange *x, ctn_arena *arena, const ctn_execution_row *row);
bool ctn_engine_may_see_chain(const ctn_mcp_exchange *x, ctn_str chain_id);
/* In general; to start this chain. False: the exchange has been answered. */
bool ctn_engine_demand(ctn_engine_backend *b, ctn_mcp_exchange *x, ctn_action action);
bool ctn_engine_demand_start(ctn_engine_backend *b, ctn_mcp_exchange *x, ctn_str chain_id, const ctn_json *labels);
/* The tool's action, to this execution; CTN_E_NOT_FOUND: it is not there for him. */
int ctn_engine_demand_row(const ctn_engine_call *c, const ctn_execution_row *row, ctn_err *err);
/* On whose behalf. */
ctn_requester ctn_engine_requester(const ctn_mcp_exchange *x);

/* ---- what a caller is told (engine_result.c) ---- */

/* structuredContent, and the same as text. */
void ctn_engine_say(ctn_mcp_exchange *x, const ctn_json *structured);
/* The text, with a full stop unless a mark ends it already: the words of others, in the middle of ours. */
ctn_str ctn_engine_sentence(ctn_arena *arena, ctn_str text);
/* isError, with a sentence that says what to do; structured may be NULL. */
void ctn_engine_refuse(ctn_mcp_exchange *x, const ctn_json *structured, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const ctn_json *ctn_engine_failure_result(ctn_arena *arena, ctn_str text, const ctn_json *structured);
/* {executionId, chain, version, status, startedAt, ..., waitingFor?, next?} */
ctn_json_builder ctn_engine_execution(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row);
/* Of a chain's tool: the CallToolResult of an ended execution, as tools/call and tasks/get have it. */
const ctn_json *ctn_engine_ended_result(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row,
                                        ctn_str content);
/* Of one that goes on, or waits for somebody: an answer for now, which says what to call next. */
const ctn_json *ctn_engine_open_result(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row);
/* One object a step. */
const ctn_json *ctn_engine_steps(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row);
const ctn_json *ctn_engine_parsed(ctn_arena *arena, ctn_str json); /* null when it is empty */
ctn_str ctn_engine_time(ctn_arena *arena, int64_t at_ms);
/* The execution of this id, or of an id that begins so. When there is none the exchange has been answered: false. */
bool ctn_engine_row(ctn_engine_call *c, ctn_str id, ctn_execution_row *ret_row);
const ctn_json *ctn_engine_label(ctn_arena *arena, const ctn_execution_row *row, const char *name);
/* Who asks, as the journal names him: "mcp/NAME". */
ctn_str ctn_engine_actor(ctn_mcp_exchange *x, ctn_arena *arena);

/* ---- what an execution waits for (engine_ask.c) ---- */

typedef struct ctn_question {
    ctn_str key;      /* of this one question, also among those that the execution asks later */
    ctn_str base_key; /* without the number of wrong answers */
    ctn_str problem;  /* why the last answer was not taken; empty: there was none */
    ctn_execution_id execution;
    ctn_str step; /* as ctn_request names it: "step", "step[3]" */
    enum { CTN_QUESTION_APPROVAL, CTN_QUESTION_AGENT, CTN_QUESTION_PEER } kind;
    ctn_str message;
    const ctn_json *instructions, *input; /* of an agent's step; NULL: none */
    const ctn_json *schema;               /* what the answer must satisfy; NULL: anything */
    const ctn_json *asks;                 /* PEER: what a tool asked (driver.h) */
    int64_t due_ms;                       /* after which it is answered by itself; 0: never */
} ctn_question;

#define CTN_QUESTIONS_MAX 64
typedef struct ctn_questions {
    ctn_question items[CTN_QUESTIONS_MAX];
    size_t count;
} ctn_questions;

/* Of the execution and of its sub-chains. */
void ctn_questions_of(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row, ctn_questions *ret);
/* {KEY: {method: "elicitation/create", params}} */
const ctn_json *ctn_questions_requests(const ctn_questions *q, ctn_arena *arena);
/* [{executionId, step, kind, message, ..., answerWith}] */
const ctn_json *ctn_questions_told(const ctn_questions *q, ctn_arena *arena);
/* May this caller be asked all of them? */
bool ctn_questions_suit(const ctn_questions *q, const ctn_mcp_caller *caller);

typedef enum ctn_answer {
    CTN_ANSWER_NONE,      /* nobody answered this question, or not all of it */
    CTN_ANSWER_GIVEN,     /* *ret_value */
    CTN_ANSWER_DISMISSED, /* declined or cancelled: it is still open */
    CTN_ANSWER_WRONG,     /* no answer to such a question: *ret_problem */
} ctn_answer;
/* The key of one that is asked whose answer is none of a person: it has no action. Empty: there is none such. */
ctn_str ctn_questions_misread(const ctn_questions *questions, ctn_arena *arena, const ctn_json *answers);
/* What the caller's answers {KEY: {action, content?}} say to a question. */
ctn_answer ctn_question_answer(const ctn_question *q, ctn_arena *arena, const ctn_json *answers,
                               const ctn_json **ret_value, ctn_str *ret_problem);
/* An answer was not taken: from now on the question has another key, and says why. */
void ctn_question_note_wrong(ctn_engine_backend *b, const ctn_question *q, ctn_str problem);

/* ---- a call that waits for an execution (engine_follow.c) ---- */

typedef struct ctn_follow_how {
    bool is_chain;      /* it is answered as the chain's tool: outputs; else as the engine's tools tell an execution */
    bool must_complete; /* of the engine's tools: another end than `completed` is an error */
    /* It is no tool that is answered: this tells the caller what became of the execution, ended or not. NULL: a tool.
     */
    void (*answer)(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_execution_row *row);
    ctn_str content; /* of a chain's tool: the output that holds content blocks */
    int64_t wait_ms;
    ctn_mcp_task task;      /* may the call become a task? */
    bool returns_questions; /* they are never put to the caller's user, but told in the answer */
    bool cancels_when_gone;
    /* Of a sub-chain: the execution that waits for it, and so on up, is what its caller is told of. */
    bool follows_root;
} ctn_follow_how;

typedef struct ctn_follow ctn_follow;
/* Answers the exchange when the execution has ended, waits for somebody, or time is over. */
ctn_follow *ctn_follow_new(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_follow_how *how);
/* Files the request, and follows what is acknowledged. A start with this digest of its arguments (empty: none)
 * is joined by equal ones until it is acknowledged, and refused when its key has found one with others. */
void ctn_follow_file(ctn_follow *f, ctn_request *q, ctn_str arguments_digest);
/* Follows one that is there. answers: of the caller, to its questions; NULL: none. */
void ctn_follow_execution(ctn_follow *f, ctn_execution_id id, const ctn_json *answers);
/* Joins a start of the same arguments that is not acknowledged yet; false: there is none. */
bool ctn_follow_join(ctn_follow *f, ctn_str arguments_digest);
void ctn_follows_event(ctn_engine_backend *b, const ctn_engine_event *event);
void ctn_follows_open(ctn_engine_backend *b);
void ctn_follows_hurry(ctn_engine_backend *b); /* none waits any longer */
void ctn_follows_free(ctn_engine_backend *b);

/* ---- starting (engine_start.c) ---- */

typedef struct ctn_chain_start {
    const ctn_offered_chain *chain;
    const ctn_json *input, *labels; /* labels NULL: none */
    ctn_str idempotency_key;        /* empty: none */
    int64_t attach_ms;              /* an equal call joins an execution that is no older; 0: none does */
    bool is_queued;
} ctn_chain_start;
void ctn_engine_start_chain(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_chain_start *start,
                            const ctn_follow_how *how);
/* tools/call of a chain's tool. */
void ctn_engine_call_chain(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_offered_chain *chain);

/* ---- tasks (engine_task.c) ---- */

/* Empty: it was not started by an MCP caller. */
ctn_str ctn_mcp_task_id(ctn_arena *arena, const ctn_execution_row *row);
/* is_whole: with result, error or inputRequests. */
const ctn_json *ctn_mcp_task_of(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row, bool is_whole);
void ctn_mcp_task_get(void *ctx, ctn_mcp_exchange *x);
void ctn_mcp_task_update(void *ctx, ctn_mcp_exchange *x);
void ctn_mcp_task_cancel(void *ctx, ctn_mcp_exchange *x);
bool ctn_task_may_watch(void *ctx, const ctn_mcp_exchange *x, ctn_str task_id);
void ctn_tasks_event(ctn_engine_backend *b, const ctn_engine_event *event);

/* ---- simulations (engine_simulate.c) ---- */
void ctn_trials_free(ctn_engine_backend *b);
