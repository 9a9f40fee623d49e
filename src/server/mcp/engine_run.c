/*
 * engine_run.c -- tools that start, resume, cancel and answer. Each waits a while for what comes of it, and answers
 * with the execution as it then is.
 */
#include "fleet/request.h"
#include "host/words.h"
#include "server/mcp/engine_internal.h"

#define EXECUTION_SCHEMA                                                                                               \
    "{\"type\":\"object\",\"properties\":{\"executionId\":{\"type\":\"string\"},\"chain\":{\"type\":\"string\"},"      \
    "\"version\":{\"type\":\"integer\"},\"status\":{\"type\":\"string\"},\"createdAt\":{\"type\":\"string\"},"         \
    "\"startedAt\":{\"type\":\"string\"},\"finishedAt\":{\"type\":\"string\"},\"outputs\":{\"type\":\"object\"},"      \
    "\"error\":{\"type\":\"object\"},"                                                                                 \
    "\"waitingFor\":{\"type\":\"array\"},\"steps\":{\"type\":\"array\"},\"next\":{\"type\":\"string\"}},"              \
    "\"required\":[\"executionId\",\"chain\",\"status\"]}"
#define ANY_VALUE                                                                                                      \
    "\"anyOf\":[{\"type\":\"object\"},{\"type\":\"array\"},{\"type\":\"string\"},{\"type\":\"number\"},{"              \
    "\"type\":\"boolean\"},{\"type\":\"null\"}],"
#define ID_PROPERTY                                                                                                    \
    "\"executionId\":{\"type\":\"string\",\"minLength\":4,\"description\":\"Its id, or how the id begins.\"}"
#define WAIT_PROPERTY                                                                                                  \
    "\"waitMs\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":600000,\"default\":30000,\"description\":\"How long "  \
    "to wait "                                                                                                         \
    "for its end. It goes on afterwards all the same.\"}"

#define QUESTIONS_PROPERTY                                                                                             \
    "\"questions\":{\"enum\":[\"form\",\"return\"],\"default\":\"form\",\"description\":\"What steps ask is put to "   \
    "your "                                                                                                            \
    "user as a form, where your client can (form), or always comes back in the answer (return): then steps of kind "   \
    "agent are yours to do, with answer_step.\"}"

static int64_t wait_of(const ctn_engine_call *c)
{
    return ctn_json_int_or(c->arguments, "waitMs", CTN_MCP_WAIT_DEFAULT_MS);
}

static ctn_str text_of(const ctn_engine_call *c, const char *name)
{
    return ctn_json_str_or(c->arguments, name, (ctn_str){0});
}

static ctn_follow_how how_of(const ctn_engine_call *c)
{
    return (ctn_follow_how){.wait_ms = wait_of(c),
                            .must_complete = true,
                            .task = CTN_MCP_TASK_NEVER,
                            .returns_questions = ctn_str_is(text_of(c, "questions"), "return")};
}

/* A retry of a call that was answered with questions: it has done already what it was to do. */
static bool goes_on(ctn_engine_call *c, const ctn_follow_how *how)
{
    const ctn_mcp_ask *ask = ctn_mcp_exchange_ask_of(c->x);
    ctn_execution_id id;
    if (!ask->state || ctn_id_parse(ctn_json_str_or(ask->state, "execution", (ctn_str){0}), &id, NULL))
        return false;
    ctn_follow_execution(ctn_follow_new(c->b, c->x, how), id, ask->answers);
    return true;
}

static bool has_own_label(const ctn_json *labels)
{
    for (size_t i = 0; i < ctn_json_count(labels); i++)
        if (ctn_str_starts_with(ctn_json_text(&labels->members[i].key), CTN_STR(CTN_MCP_LABEL_PREFIX)))
            return true;
    return false;
}

static void execute_chain(ctn_engine_call *c)
{
    const ctn_catalogue *catalogue = ctn_engine_catalogue(c->b);
    ctn_str id = text_of(c, "chain"), key = text_of(c, "idempotencyKey");
    const ctn_offered_chain *chain = ctn_catalogue_chain(catalogue, id);
    const ctn_json *input = ctn_json_member_of(c->arguments, "input"),
                   *labels = ctn_json_member_of(c->arguments, "labels");
    ctn_json_builder none = ctn_json_object(c->arena);
    ctn_follow_how how = how_of(c);
    if (goes_on(c, &how))
        return;
    if (!chain)
        ctn_engine_refuse(c->x, NULL, "There is no chain \"%.*s\"; %.*s Call list_chains with {} to see all of them.",
                          CTN_STR_ARG(id), CTN_STR_ARG(ctn_catalogue_suggest(catalogue, c->arena, id)));
    else if (has_own_label(labels))
        ctn_engine_refuse(c->x, NULL,
                          "Labels that begin with \"" CTN_MCP_LABEL_PREFIX
                          "\" are catena's own. Nothing was started; choose another name.");
    else
        ctn_engine_start_chain(
            c->b, c->x,
            &(ctn_chain_start){.chain = chain,
                               .input = input ? input : ctn_json_finish(&none),
                               .labels = labels,
                               .idempotency_key = key.len ? key : ctn_mcp_exchange_ask_of(c->x)->idempotency_key},
            &how);
}

const ctn_engine_tool ctn_tool_execute_chain = {
    .name = "execute_chain",
    .action = CTN_ACTION_EXECUTIONS_START,
    .title = "Run a chain",
    .description = "Starts an execution of a chain and waits for its end. If it has not ended in time, or waits for an "
                   "answer, the "
                   "answer says so, and `next` which tool to call. With an idempotencyKey, a repeated call joins the "
                   "execution that "
                   "the first one started.",
    .input =
        "{\"type\":\"object\",\"properties\":{\"chain\":{\"type\":\"string\",\"minLength\":1,\"description\":\"The "
        "chain's "
        "id; see list_chains.\"},\"input\":{\"type\":\"object\",\"default\":{},\"description\":\"Its inputs by name; "
        "see "
        "get_chain.\"}," WAIT_PROPERTY
        ",\"idempotencyKey\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":400},\"labels\":{\"type\":\"object\","
        "\"additionalProperties\":{\"type\":\"string\"}}," QUESTIONS_PROPERTY
        "},\"required\":[\"chain\"],\"additionalProperties\":false}",
    .output = EXECUTION_SCHEMA,
    .is_destructive = true,
    .is_open_world = true,
    .call = execute_chain,
};

/* ---- what is done to one that is there ---- */

/* Finds it, and refuses one that has ended. */
static bool find_open(ctn_engine_call *c, ctn_execution_row *ret_row)
{
    if (!ctn_engine_row(c, text_of(c, "executionId"), ret_row))
        return false;
    if (!ctn_status_is_final(ret_row->status))
        return true;
    ctn_engine_refuse(
        c->x, NULL,
        "The execution %s has ended (%s): nothing of it can be changed. Call get_execution with "
        "{\"executionId\": \"%s\"} to see what it gave, or execute_chain with {\"chain\": \"%.*s\"} to start "
        "another.",
        ctn_id_to_text(ret_row->id).text, ctn_status_name(ret_row->status), ctn_id_to_text(ret_row->id).text,
        CTN_STR_ARG(ret_row->chain_id));
    return false;
}

static void resume_execution(ctn_engine_call *c)
{
    ctn_execution_row row;
    ctn_str outcome = text_of(c, "outcome");
    ctn_follow_how how = how_of(c);
    ctn_request q = {.op = CTN_REQUEST_RESUME, .reason = text_of(c, "reason")};
    if (goes_on(c, &how) || !find_open(c, &row))
        return;
    if (outcome.len) {
        q.op = CTN_REQUEST_SETTLE;
        q.name = text_of(c, "step");
        q.settle = ctn_str_is(outcome, "retry")       ? CTN_SETTLE_RETRY
                   : ctn_str_is(outcome, "succeeded") ? CTN_SETTLE_SUCCEED
                                                      : CTN_SETTLE_FAIL;
        q.value = ctn_json_member_of(c->arguments, "result");
        q.not_happened = ctn_json_bool_or(c->arguments, "notHappened", false);
        if (q.settle == CTN_SETTLE_SUCCEED && !q.value) {
            ctn_engine_refuse(c->x, NULL,
                              "With \"outcome\": \"succeeded\" give the call's \"result\" too: the chain goes "
                              "on with it. Nothing was done.");
            return;
        }
    }
    q.id = row.id;
    ctn_follow_file(ctn_follow_new(c->b, c->x, &how), &q, (ctn_str){0});
}

const ctn_engine_tool ctn_tool_resume_execution = {
    .name = "resume_execution",
    .action = CTN_ACTION_EXECUTIONS_PAUSE,
    .title = "Go on with an execution",
    .description =
        "Goes on with an execution that is paused, queued or was left. An interrupted one needs a word on what "
        "became of its call: outcome retry (it did not happen: do it), succeeded (it did: here is its result), "
        "or failed.",
    .input = "{\"type\":\"object\",\"properties\":{" ID_PROPERTY "," QUESTIONS_PROPERTY
             ",\"outcome\":{\"enum\":[\"retry\",\"succeeded\",\"failed\"],\"description\":\"Only for an interrupted "
             "call.\"},\"step\":{\"type\":\"string\",\"description\":\"Which interrupted step, if there are "
             "several.\"},\"result\":{" ANY_VALUE
             "\"description\":\"With succeeded: what the call gave.\"},\"notHappened\":{\"type\":"
             "\"boolean\",\"description\":\"With failed: it is certain that nothing happened, so nothing is "
             "undone.\"},\"reason\":{\"type\":\"string\",\"maxLength\":4000}," WAIT_PROPERTY
             "},\"required\":[\"executionId\"],\"additionalProperties\":false}",
    .output = EXECUTION_SCHEMA,
    .is_destructive = true,
    .is_open_world = true,
    .call = resume_execution,
};

static void cancel_execution(ctn_engine_call *c)
{
    ctn_execution_row row;
    ctn_follow_how how = how_of(c);
    how.must_complete = false; /* to end so is what was wanted */
    how.returns_questions = true;
    if (!ctn_engine_row(c, text_of(c, "executionId"), &row))
        return;
    ctn_follow *f = ctn_follow_new(c->b, c->x, &how);
    ctn_request q = {.op = CTN_REQUEST_CANCEL, .id = row.id, .reason = text_of(c, "reason")};
    if (ctn_status_is_final(row.status)) /* told as it ended: to cancel twice is once */
        ctn_follow_execution(f, row.id, NULL);
    else
        ctn_follow_file(f, &q, (ctn_str){0});
}

const ctn_engine_tool ctn_tool_cancel_execution = {
    .name = "cancel_execution",
    .action = CTN_ACTION_EXECUTIONS_CANCEL,
    .title = "Cancel an execution",
    .description = "Stops an execution; what it has done is undone where the chain says how. Harmless for one that has "
                   "ended.",
    .input = "{\"type\":\"object\",\"properties\":{" ID_PROPERTY
             ",\"reason\":{\"type\":\"string\",\"maxLength\":4000}," WAIT_PROPERTY
             "},\"required\":[\"executionId\"],\"additionalProperties\":false}",
    .output = EXECUTION_SCHEMA,
    .is_destructive = true,
    .is_idempotent = true,
    .is_open_world = true,
    .call = cancel_execution,
};

/* ---- answers ---- */

static void answer_step(ctn_engine_call *c)
{
    ctn_execution_row row;
    ctn_str step = text_of(c, "step");
    ctn_follow_how how = how_of(c);
    ctn_questions *q = CTN_NEW(c->arena, ctn_questions);
    ctn_request r = {.op = CTN_REQUEST_ANSWER, .name = step, .value = ctn_json_member_of(c->arguments, "answer")};
    how.follows_root = true;
    if (goes_on(c, &how) || !find_open(c, &row))
        return;
    r.id = row.id;
    ctn_questions_of(c->b, c->arena, &row, q);
    bool is_asked = false;
    for (size_t i = 0; i < q->count; i++)
        if (ctn_str_equal(q->items[i].step, step)) { /* also of a sub-chain, when its parent's id was given */
            is_asked = true;
            if (!ctn_id_equal(q->items[i].execution, row.id))
                r.id = q->items[i].execution;
        }
    if (!is_asked && q->count) {
        ctn_str *names = CTN_NEW_ARRAY(c->arena, ctn_str, q->count);
        for (size_t i = 0; i < q->count; i++)
            names[i] = q->items[i].step;
        ctn_engine_refuse(
            c->x, NULL,
            "Step \"%.*s\" of %s does not wait for an answer; %.*s Nothing was answered. Call get_execution "
            "with {\"executionId\": \"%s\"}: waitingFor says what is asked.",
            CTN_STR_ARG(step), ctn_id_to_text(row.id).text,
            CTN_STR_ARG(ctn_words_suggest(c->arena, step, names, q->count)), ctn_id_to_text(row.id).text);
        return;
    }
    if (!is_asked) {
        ctn_engine_refuse(c->x, NULL,
                          "The execution %s (%s) does not wait for an answer to \"%.*s\". Call get_execution with "
                          "{\"executionId\": \"%s\"} to see what it does.",
                          ctn_id_to_text(row.id).text, ctn_status_name(row.status), CTN_STR_ARG(step),
                          ctn_id_to_text(row.id).text);
        return;
    }
    ctn_follow_file(ctn_follow_new(c->b, c->x, &how), &r, (ctn_str){0});
}

const ctn_engine_tool ctn_tool_answer_step = {
    .name = "answer_step",
    .action = CTN_ACTION_EXECUTIONS_ANSWER,
    .title = "Answer a step that waits",
    .description =
        "Gives a waiting step its answer and waits for what comes of it: the next question, or the end. An "
        "approval takes {\"approved\": true | false, \"comment\"?}; a step of kind agent is yours to do, by its "
        "instructions and input, and takes your result (answerSchema of waitingFor says its form). The first "
        "answer stands.",
    .input = "{\"type\":\"object\",\"properties\":{" ID_PROPERTY
             ",\"step\":{\"type\":\"string\",\"minLength\":1,\"description\":\"As waitingFor names "
             "it.\"},\"answer\":{" ANY_VALUE "\"description\":\"Any JSON; what the step asks for.\"}," WAIT_PROPERTY
             "," QUESTIONS_PROPERTY "},\"required\":[\"executionId\",\"step\","
             "\"answer\"],\"additionalProperties\":false}",
    .output = EXECUTION_SCHEMA,
    .is_destructive = true,
    .is_open_world = true,
    .call = answer_step,
};

/* ---- waiting for one ---- */

static void get_execution(ctn_engine_call *c)
{
    ctn_execution_row row;
    ctn_follow_how how = {
        .wait_ms = ctn_json_int_or(c->arguments, "waitMs", 0), .task = CTN_MCP_TASK_NEVER, .returns_questions = true};
    if (!ctn_engine_row(c, text_of(c, "executionId"), &row))
        return;
    if (how.wait_ms && !ctn_status_is_final(row.status)) {
        ctn_follow_execution(ctn_follow_new(c->b, c->x, &how), row.id, NULL);
        return;
    }
    ctn_json_builder b = ctn_engine_execution(c->b, c->arena, &row);
    if (ctn_json_bool_or(c->arguments, "steps", true))
        ctn_json_put(&b, CTN_STR("steps"), ctn_engine_steps(c->b, c->arena, &row));
    ctn_engine_say(c->x, ctn_json_finish(&b));
}

const ctn_engine_tool ctn_tool_get_execution = {
    .name = "get_execution",
    .action = CTN_ACTION_EXECUTIONS_READ,
    .title = "Look at an execution",
    .description =
        "How an execution stands: status, outputs or error, each step, and what it waits for. With waitMs it "
        "waits so long for its end, or for a question.",
    .input =
        "{\"type\":\"object\",\"properties\":{" ID_PROPERTY
        ",\"waitMs\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":600000,\"default\":0},\"steps\":{\"type\":"
        "\"boolean\",\"default\":true,\"description\":\"Tell of each step, too.\"}},\"required\":[\"executionId\"],"
        "\"additionalProperties\":false}",
    .output = EXECUTION_SCHEMA,
    .reads_only = true,
    .call = get_execution,
};
