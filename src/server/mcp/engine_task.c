/*
 * engine_task.c -- executions as tasks: the handle with which a caller asks for one, hours or restarts later.
 *
 * A task is an execution that an MCP caller started, and nothing more is kept of it: its id is the execution's, a
 * point, and 128 bits of chance that were written into the execution's labels when it was started, so that it is
 * durable before anybody is told, resolves after a restart, and cannot be guessed. It belongs to the caller who started
 * it; to anybody else it does not exist.
 *
 *   working         queued, running, waiting for time, paused, interrupted, being undone; also when it asks something
 *                   that this caller cannot be asked (statusMessage says which tool to call)
 *   input_required  it asks something
 *   completed       it ended, well or (isError) not
 *   cancelled       it was cancelled
 *   failed          a tool that it called answered with a protocol error
 */
#include "engine/fold.h"
#include "fleet/request.h"
#include "host/snapshot.h"
#include "server/mcp/engine_internal.h"

#define POLL_MS 1000

/* ---- ids ---- */

ctn_str ctn_mcp_task_id(ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_str secret = ctn_json_text(ctn_engine_label(arena, row, CTN_MCP_LABEL_TASK));
    if (!secret.len)
        return (ctn_str){0};
    return ctn_arena_printf(arena, "%s.%.*s", ctn_id_to_text(row->id).text, CTN_STR_ARG(secret));
}

static bool find(ctn_engine_backend *b, ctn_arena *arena, ctn_str principal, ctn_str task_id,
                 ctn_execution_row *ret_row)
{
    ctn_str rest = task_id, id_text = ctn_str_cut(&rest, '.');
    ctn_execution_id id;
    if (ctn_id_parse(id_text, &id, NULL) || ctn_store_execution_get(ctn_host_store(b->host), arena, id, ret_row, NULL))
        return false;
    return ctn_str_equal(ctn_mcp_task_id(arena, ret_row), task_id) &&
           ctn_str_equal(ctn_json_text(ctn_engine_label(arena, ret_row, CTN_MCP_LABEL_PRINCIPAL)), principal);
}

static bool find_or_refuse(ctn_engine_backend *b, ctn_mcp_exchange *x, ctn_execution_row *ret_row)
{
    if (find(b, ctn_mcp_exchange_arena(x), ctn_mcp_exchange_caller(x)->principal, ctn_mcp_exchange_ask_of(x)->name,
             ret_row))
        return true;
    ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, CTN_STR("there is no such task"), NULL);
    return false;
}

/* ---- a task ---- */

typedef struct progress {
    size_t ended, all;
    int64_t last_ms;
} progress;

static progress progress_of(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_engine *engine = ctn_host_engine(b->host);
    const ctn_execution *x = engine ? ctn_engine_find(engine, row->id) : NULL;
    ctn_execution *loaded = NULL;
    progress p = {.last_ms = row->finished_at_ms ? row->finished_at_ms
                                                 : (row->started_at_ms ? row->started_at_ms : row->created_at_ms)};
    if (!x && ctn_execution_load(ctn_host_store(b->host), arena, row, &loaded, NULL) == CTN_OK)
        x = loaded;
    for (uint32_t i = 0; x && i < ctn_execution_plan(x)->step_count; i++) {
        ctn_step_view v = ctn_execution_step(x, i);
        p.all++;
        p.ended += v.ended_at_ms != 0;
        p.last_ms = v.started_at_ms > p.last_ms ? v.started_at_ms : p.last_ms;
        p.last_ms = v.ended_at_ms > p.last_ms ? v.ended_at_ms : p.last_ms;
    }
    ctn_execution_unload(loaded);
    return p;
}

/* caller NULL: whoever listens, who said that he can be asked when he made the call. */
static const char *put_open(ctn_engine_backend *b, ctn_json_builder *o, const ctn_execution_row *row, bool is_whole,
                            const ctn_mcp_caller *caller)
{
    ctn_arena *arena = o->arena;
    ctn_questions *q = CTN_NEW(arena, ctn_questions);
    progress p = progress_of(b, arena, row);
    ctn_questions_of(b, arena, row, q);
    bool is_asked = is_whole && q->count && (!caller || ctn_questions_suit(q, caller));
    ctn_str message =
        ctn_arena_printf(arena, "%s: %zu of %zu steps have ended", ctn_status_name(row->status), p.ended, p.all);
    if (is_whole && q->count && !is_asked)
        message =
            ctn_arena_printf(arena, "step %.*s waits for an answer: call answer_step with {\"executionId\": \"%s\"}",
                             CTN_STR_ARG(q->items[0].step), ctn_id_to_text(q->items[0].execution).text);
    if (row->status == CTN_STATUS_INTERRUPTED || row->status == CTN_STATUS_PAUSED)
        message = ctn_arena_printf(arena, "%s: call get_execution with {\"executionId\": \"%s\"} to see what it needs",
                                   ctn_status_name(row->status), ctn_id_to_text(row->id).text);
    ctn_json_put_str(o, "statusMessage", message);
    ctn_json_put_str(o, "lastUpdatedAt", ctn_engine_time(arena, p.last_ms));
    if (is_asked)
        ctn_json_put(o, CTN_STR("inputRequests"), ctn_questions_requests(q, arena));
    return is_asked ? "input_required" : "working";
}

static const char *put_end(ctn_engine_backend *b, ctn_json_builder *o, const ctn_execution_row *row, bool is_whole)
{
    ctn_arena *arena = o->arena;
    const ctn_json *error = ctn_engine_parsed(arena, row->error);
    const ctn_offered_chain *chain = ctn_catalogue_chain(ctn_engine_catalogue_told(b), row->chain_id);
    ctn_str code = ctn_json_str_or(error, "code", (ctn_str){0});
    ctn_json_put_str(o, "lastUpdatedAt", ctn_engine_time(arena, row->finished_at_ms));
    if (row->status == CTN_STATUS_CANCELLED || ctn_str_is(code, "cancelled")) {
        ctn_json_put_str(o, "statusMessage", ctn_arena_printf(arena, "cancelled (%s)", ctn_status_name(row->status)));
        return "cancelled";
    }
    if (row->status != CTN_STATUS_COMPLETED && ctn_str_is(code, "protocol_error")) {
        ctn_json_builder e = ctn_json_object(arena);
        ctn_json_put_int(&e, "code", CTN_RPC_INTERNAL_ERROR);
        ctn_json_put_str(&e, "message", ctn_json_str_or(error, "message", CTN_STR("a tool answered with an error")));
        if (is_whole)
            ctn_json_put(o, CTN_STR("error"), ctn_json_finish(&e));
        return "failed";
    }
    if (is_whole) { /* as tools/call of the newest revision would have said it: with its resultType */
        ctn_json_builder result = ctn_json_object(arena);
        ctn_json_put_str(&result, "resultType", CTN_STR("complete"));
        ctn_json_put_all(&result, ctn_engine_ended_result(
                                      b, arena, row, chain && chain->plan ? chain->plan->mcp.content : (ctn_str){0}));
        ctn_json_put(o, CTN_STR("result"), ctn_json_finish(&result));
    }
    return "completed";
}

static const ctn_json *task_of(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row, bool is_whole,
                               const ctn_mcp_caller *caller)
{
    ctn_json_builder o = ctn_json_object(arena);
    ctn_json_put_str(&o, "taskId", ctn_mcp_task_id(arena, row));
    ctn_json_put_str(&o, "createdAt", ctn_engine_time(arena, row->created_at_ms));
    ctn_json_put(&o, CTN_STR("ttlMs"), NULL);
    ctn_json_put_int(&o, "pollIntervalMs", POLL_MS);
    const char *status =
        ctn_status_is_final(row->status) ? put_end(b, &o, row, is_whole) : put_open(b, &o, row, is_whole, caller);
    ctn_json_put_str(&o, "status", ctn_str_from(status));
    return ctn_json_finish(&o);
}

const ctn_json *ctn_mcp_task_of(ctn_engine_backend *b, ctn_arena *arena, const ctn_execution_row *row, bool is_whole)
{
    return task_of(b, arena, row, is_whole, NULL);
}

void ctn_mcp_task_get(void *ctx, ctn_mcp_exchange *x)
{
    ctn_engine_backend *b = ctx;
    ctn_execution_row row;
    if (find_or_refuse(b, x, &row))
        ctn_mcp_exchange_result(x, task_of(b, ctn_mcp_exchange_arena(x), &row, true, ctn_mcp_exchange_caller(x)));
}

/* ---- update and cancel: answered when what they did is on disk ---- */

typedef struct update {
    ctn_engine_backend *b;
    ctn_mcp_exchange *x; /* NULL: its caller is gone */
    ctn_arena *arena;
    size_t filed;
    struct update_answer {
        struct update *u;
        ctn_question question;
    } * answers;
} update;

static void update_over(update *u)
{
    if (--u->filed)
        return;
    if (u->x) {
        ctn_mcp_exchange_when_gone(u->x, NULL, NULL);
        ctn_mcp_exchange_result(u->x, NULL);
    }
    ctn_arena_free(u->arena);
}

static void on_update_gone(void *ctx)
{
    ((update *) ctx)->x = NULL;
}

static update *update_new(ctn_engine_backend *b, ctn_mcp_exchange *x, size_t answer_count)
{
    ctn_arena *arena = ctn_arena_new(4096);
    update *u = CTN_NEW(arena, update);
    *u = (update){.b = b, .x = x, .arena = arena, .filed = 1};
    u->answers = CTN_NEW_ARRAY(arena, struct update_answer, answer_count);
    ctn_mcp_exchange_when_gone(x, on_update_gone, u);
    return u;
}

/* What the step does not take is asked again, under another key; what nobody asks any more is nobody's concern. */
static void on_answered(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    struct update_answer *a = ctx;
    (void) id;
    if (rc == CTN_E_INVALID || rc == CTN_E_LIMIT || rc == CTN_E_DENIED)
        ctn_question_note_wrong(a->u->b, &a->question, ctn_str_from(err ? err->message : "it does not fit"));
    update_over(a->u);
}

void ctn_mcp_task_update(void *ctx, ctn_mcp_exchange *x)
{
    ctn_engine_backend *b = ctx;
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_engine *engine = ctn_host_engine(b->host);
    ctn_execution_row row;
    ctn_questions *questions = CTN_NEW(arena, ctn_questions);
    if (!find_or_refuse(b, x, &row))
        return;
    ctn_questions_of(b, arena, &row, questions);
    update *u = update_new(b, x, questions->count);
    ctn_str actor = ctn_arena_str(u->arena, ctn_engine_actor(x, arena));
    const ctn_json *answers = ctn_json_copy(u->arena, ctn_mcp_exchange_ask_of(x)->answers);
    for (size_t i = 0; i < questions->count && engine; i++) {
        const ctn_question *q = &questions->items[i];
        const ctn_json *value = NULL;
        ctn_str problem = {0};
        ctn_answer answer = ctn_question_answer(q, u->arena, answers, &value, &problem);
        if (answer == CTN_ANSWER_WRONG)
            ctn_question_note_wrong(b, q, problem);
        if (answer != CTN_ANSWER_GIVEN)
            continue;
        u->answers[i] = (struct update_answer){u, *q};
        u->answers[i].question.base_key = ctn_arena_str(u->arena, q->base_key);
        u->filed++;
        ctn_request r = {.op = CTN_REQUEST_ANSWER, .id = q->execution, .actor = actor, .name = q->step, .value = value};
        ctn_desk_file(ctn_host_desk(b->host), &r, on_answered, &u->answers[i]);
    }
    update_over(u);
}

static void on_cancelled(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) rc, (void) id, (void) err; /* it may have ended by itself, or be ending: that is fine */
    update_over(ctx);
}

void ctn_mcp_task_cancel(void *ctx, ctn_mcp_exchange *x)
{
    ctn_engine_backend *b = ctx;
    ctn_engine *engine = ctn_host_engine(b->host);
    ctn_execution_row row;
    if (!find_or_refuse(b, x, &row))
        return;
    if (ctn_status_is_final(row.status) || !engine) {
        ctn_mcp_exchange_result(x, NULL);
        return;
    }
    update *u = update_new(b, x, 0);
    ctn_request q = {.op = CTN_REQUEST_CANCEL,
                     .id = row.id,
                     .actor = ctn_engine_actor(x, u->arena),
                     .reason = CTN_STR("tasks/cancel")};
    ctn_desk_file(ctn_host_desk(b->host), &q, on_cancelled, u);
}

/* ---- telling ---- */

bool ctn_task_may_watch(void *ctx, const ctn_mcp_exchange *x, ctn_str task_id)
{
    ctn_engine_backend *b = ctx;
    ctn_execution_row row;
    ctn_arena *arena = ctn_arena_new(4096);
    bool may = find(b, arena, ctn_mcp_exchange_caller(x)->principal, task_id, &row);
    b->watches_tasks = b->watches_tasks || may;
    ctn_arena_free(arena);
    return may;
}

void ctn_tasks_event(ctn_engine_backend *b, const ctn_engine_event *event)
{
    if (!b->watches_tasks || !b->endpoint || event->kind != CTN_EVENT_STATUS)
        return;
    ctn_arena *arena = ctn_arena_new(16384);
    ctn_execution_row row;
    ctn_store *store = ctn_host_store(b->host);
    int rc = ctn_store_execution_get(store, arena, ctn_execution_id_of(event->execution), &row, NULL);
    for (int depth = 0; rc == CTN_OK && !ctn_id_is_none(row.parent) && depth < CTN_CHAIN_DEPTH_MAX; depth++)
        rc = ctn_store_execution_get(store, arena, row.parent, &row, NULL);
    ctn_str id = rc == CTN_OK ? ctn_mcp_task_id(arena, &row) : (ctn_str){0};
    if (id.len)
        ctn_mcp_endpoint_task_changed(b->endpoint, id, ctn_mcp_task_of(b, arena, &row, true));
    ctn_arena_free(arena);
}
