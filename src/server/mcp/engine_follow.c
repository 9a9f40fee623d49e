/*
 * engine_follow.c -- a call that waits for an execution: until it ends, asks somebody, or the caller has waited enough.
 *
 * A follow holds no truth. It is told that something happened to its execution, or that a time is over, and then looks
 * at the store: what is on disk is told, and nothing else. Looking happens from a timer and never from within an event,
 * for the engine is in the middle of its turn there; several events are looked at once.
 *
 *   ended                   the result
 *   parked                  the questions, where the caller can be asked; else an answer for now that tells them
 *   not ended after a while a task, where it may become one
 *   waited enough           an answer for now
 *
 * The caller may go at any time; the execution goes on, unless its chain says otherwise.
 */
#include "base/memory.h"
#include "fleet/request.h"
#include "host/tree.h"
#include "server/mcp/engine_internal.h"
#include <stdlib.h>

#define OTHERS_MS 250

struct ctn_follow {
    ctn_engine_backend *b;
    ctn_mcp_exchange *x; /* NULL: answered, or its caller is gone; freed when nothing is filed any more */
    ctn_follow_how how;
    ctn_arena *arena;
    ctn_execution_id id;
    bool has_id;
    ctn_str actor, digest; /* of the arguments of a start; empty: none */
    ctn_follow *joins;     /* a start that is not acknowledged yet */
    ctn_timer *timer;
    int64_t wait_until_ms, grace_until_ms;
    const ctn_json *given; /* answers that came with the call before anything was asked; NULL: none */
    size_t filed;          /* requests that are not acknowledged */
    bool is_dirty, is_asking, was_dismissed;
    ctn_follow *next;
};

typedef struct filed_answer {
    ctn_follow *f;
    ctn_question question;
} filed_answer;

static void free_follow(ctn_follow *f)
{
    for (ctn_follow **at = &f->b->follows; *at; at = &(*at)->next)
        if (*at == f) {
            *at = f->next;
            break;
        }
    ctn_timer_free(f->timer);
    ctn_arena_free(f->arena);
    free(f);
}

/* The exchange has been answered, or is gone. */
static void let_go(ctn_follow *f)
{
    f->x = NULL;
    ctn_timer_clear(f->timer);
    for (ctn_follow *other = f->b->follows; other; other = other->next)
        if (other->joins == f)
            return; /* an acknowledgement is under way, and they wait for it */
    if (!f->filed)
        free_follow(f);
}

/* What the result stands in may go then: the answer is written. */
static void answer_result(ctn_follow *f, const ctn_json *result)
{
    ctn_mcp_exchange *x = f->x;
    ctn_mcp_exchange_when_gone(x, NULL, NULL);
    ctn_mcp_exchange_result(x, result);
    let_go(f);
}

static void answer_error(ctn_follow *f, ctn_str text)
{
    ctn_mcp_exchange *x = f->x;
    ctn_mcp_exchange_when_gone(x, NULL, NULL);
    ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, text, NULL);
    let_go(f);
}

static void refuse(ctn_follow *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void refuse(ctn_follow *f, const char *format, ...)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(f->x);
    va_list args;
    va_start(args, format);
    ctn_str text = ctn_arena_vprintf(arena, format, args);
    va_end(args);
    if (!f->how.answer) {
        answer_result(f, ctn_engine_failure_result(arena, text, NULL));
        return;
    }
    answer_error(f, text);
}

static void look_soon(ctn_follow *f)
{
    f->is_dirty = true;
    ctn_timer_set(f->b->soon, ctn_loop_now_ms(f->b->loop));
}

/* ---- its end ---- */

static void ignore_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) ctx, (void) rc, (void) id, (void) err;
}

static void cancel(ctn_follow *f)
{
    ctn_engine *engine = ctn_host_engine(f->b->host);
    ctn_request q = {.op = CTN_REQUEST_CANCEL,
                     .id = f->id,
                     .actor = f->actor,
                     .reason = CTN_STR("its caller went away, and the chain says onDisconnect: cancel")};
    if (engine)
        ctn_desk_file(ctn_host_desk(f->b->host), &q, ignore_ack, NULL);
}

static void on_gone(void *ctx)
{
    ctn_follow *f = ctx;
    if (f->how.cancels_when_gone && f->has_id)
        cancel(f);
    let_go(f);
}

static void answer_otherwise(ctn_follow *f, const ctn_execution_row *row)
{
    ctn_mcp_exchange *x = f->x;
    ctn_mcp_exchange_when_gone(x, NULL, NULL);
    f->how.answer(f->b, x, row);
    let_go(f);
}

static void answer_ended(ctn_follow *f, const ctn_execution_row *row, ctn_arena *arena)
{
    if (f->how.answer) {
        answer_otherwise(f, row);
        return;
    }
    if (f->how.is_chain) {
        answer_result(f, ctn_engine_ended_result(f->b, arena, row, f->how.content));
        return;
    }
    bool is_failure = f->how.must_complete && row->status != CTN_STATUS_COMPLETED;
    answer_result(f, is_failure ? ctn_engine_ended_result(f->b, arena, row, (ctn_str){0})
                                : ctn_engine_open_result(f->b, arena, row));
}

static void answer_for_now(ctn_follow *f, const ctn_execution_row *row, ctn_arena *arena)
{
    if (f->how.answer)
        answer_otherwise(f, row);
    else
        answer_result(f, ctn_engine_open_result(f->b, arena, row));
}

static void answer_task(ctn_follow *f, const ctn_execution_row *row, ctn_arena *arena)
{
    ctn_mcp_exchange *x = f->x;
    ctn_mcp_exchange_when_gone(x, NULL, NULL);
    ctn_mcp_exchange_task(x, ctn_mcp_task_of(f->b, arena, row, false));
    let_go(f);
}

/* ---- asking ---- */

static void on_answered(void *ctx, const ctn_json *answers);

static void ask(ctn_follow *f, const ctn_execution_row *row, const ctn_questions *questions)
{
    ctn_mcp_exchange *x = f->x;
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_json_builder state = ctn_json_object(arena);
    const ctn_json *requests = ctn_json_copy(arena, ctn_questions_requests(questions, arena));
    ctn_json_put_str(&state, "execution", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(row->id).text)));
    if (ctn_mcp_exchange_caller(x)->is_modern) {
        ctn_mcp_exchange_when_gone(x, NULL, NULL);
        ctn_mcp_exchange_ask(x, requests, ctn_json_finish(&state), NULL, NULL);
        let_go(f);
        return;
    }
    f->is_asking = true; /* a person takes the time it takes */
    ctn_timer_clear(f->timer);
    ctn_mcp_exchange_ask(x, requests, NULL, on_answered, f);
}

static void on_answer_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    filed_answer *a = ctx;
    ctn_follow *f = a->f;
    (void) id;
    f->filed--;
    if (rc == CTN_E_INVALID || rc == CTN_E_LIMIT)
        ctn_question_note_wrong(f->b, &a->question, ctn_str_from(err ? err->message : "it does not fit"));
    if (!f->x)
        let_go(f);
    else if (rc == CTN_E_DENIED)
        refuse(f, "%s", err ? err->message : "you may not answer it");
    else
        look_soon(f); /* one that was answered by somebody else meanwhile is no question any more */
}

/* False: the call was refused, and the follow is gone. */
static bool file_answers(ctn_follow *f, const ctn_execution_row *row, const ctn_json *answers)
{
    ctn_engine *engine = ctn_host_engine(f->b->host);
    ctn_questions *questions = CTN_NEW(f->arena, ctn_questions);
    ctn_questions_of(f->b, f->arena, row, questions);
    ctn_str misread = ctn_questions_misread(questions, f->arena, answers);
    if (misread.len) {
        misread = ctn_arena_printf(ctn_mcp_exchange_arena(f->x),
                                   "\"inputResponses\": \"%.*s\" asked a person: an answer is {action: accept, "
                                   "content: {...}}, {action: decline} or {action: cancel}",
                                   CTN_STR_ARG(misread));
        answer_error(f, misread);
        return false;
    }
    f->filed++; /* an acknowledgement may come at once: it stays until all are filed */
    for (size_t i = 0; i < questions->count && engine; i++) {
        const ctn_question *q = &questions->items[i];
        const ctn_json *value = NULL;
        ctn_str problem = {0};
        switch (ctn_question_answer(q, f->arena, answers, &value, &problem)) {
        case CTN_ANSWER_NONE: break;
        case CTN_ANSWER_DISMISSED: f->was_dismissed = true; break;
        case CTN_ANSWER_WRONG: ctn_question_note_wrong(f->b, q, problem); break;
        case CTN_ANSWER_GIVEN: {
            filed_answer *a = CTN_NEW(f->arena, filed_answer);
            *a = (filed_answer){f, *q};
            ctn_request r = {
                .op = CTN_REQUEST_ANSWER, .id = q->execution, .actor = f->actor, .name = q->step, .value = value};
            f->filed++;
            ctn_desk_file(ctn_host_desk(f->b->host), &r, on_answer_ack, a);
            break;
        }
        }
    }
    f->filed--;
    if (f->x)
        return true;
    let_go(f);
    return false;
}

/* Of a legacy caller. What is missing was not answered in time, or the client cannot ask. */
static void on_answered(void *ctx, const ctn_json *answers)
{
    ctn_follow *f = ctx;
    ctn_execution_row row;
    f->is_asking = false;
    if (ctn_json_count(answers) == 0)
        f->was_dismissed = true;
    else if (ctn_store_execution_get(ctn_host_store(f->b->host), f->arena, f->id, &row, NULL) == CTN_OK &&
             !file_answers(f, &row, answers))
        return;
    f->wait_until_ms = ctn_loop_now_ms(f->b->loop) + f->how.wait_ms;
    look_soon(f);
}

/* Some clients bring answers with a first call, for they know what it asks. An approval is for what was read: it is
 * asked all the same. */
static bool has_given(const ctn_follow *f, const ctn_questions *questions)
{
    for (size_t i = 0; f->given && i < questions->count; i++)
        if (questions->items[i].kind == CTN_QUESTION_AGENT && ctn_json_get(f->given, questions->items[i].key))
            return true;
    return false;
}

static const ctn_json *take_given(ctn_follow *f, const ctn_questions *questions)
{
    ctn_json_builder taken = ctn_json_object(f->arena), left = ctn_json_object(f->arena);
    for (size_t i = 0; i < ctn_json_count(f->given); i++) {
        ctn_str key = ctn_json_text(&f->given->members[i].key);
        bool is_asked = false;
        for (size_t k = 0; k < questions->count; k++)
            is_asked = is_asked ||
                       (questions->items[k].kind == CTN_QUESTION_AGENT && ctn_str_equal(questions->items[k].key, key));
        ctn_json_put(is_asked ? &taken : &left, key, &f->given->members[i].value);
    }
    f->given = ctn_json_finish(&left);
    return ctn_json_finish(&taken);
}

/* ---- looking ---- */

static bool may_become_task(const ctn_follow *f, const ctn_execution_row *row, ctn_arena *arena)
{
    return f->how.is_chain && f->how.task != CTN_MCP_TASK_NEVER && ctn_mcp_exchange_caller(f->x)->can_tasks &&
           ctn_mcp_task_id(arena, row).len;
}

static void look_at_open(ctn_follow *f, const ctn_execution_row *row, ctn_arena *arena)
{
    ctn_questions *questions = CTN_NEW(arena, ctn_questions);
    const ctn_mcp_caller *caller = ctn_mcp_exchange_caller(f->x);
    int64_t now_ms = ctn_loop_now_ms(f->b->loop);
    bool is_parked = row->status != CTN_STATUS_RUNNING && row->status != CTN_STATUS_COMPENSATING &&
                     ctn_tree_is_parked(ctn_host_store(f->b->host), row->id);
    bool is_over = now_ms >= f->wait_until_ms, is_task = may_become_task(f, row, arena);
    if (is_task && f->how.task == CTN_MCP_TASK_REQUIRED) {
        answer_task(f, row, arena);
        return;
    }
    if (is_parked || is_over)
        ctn_questions_of(f->b, arena, row, questions);
    if (has_given(f, questions)) {
        if (file_answers(f, row, take_given(f, questions)))
            look_soon(f);
        return;
    }
    bool is_asked =
        questions->count && !f->how.returns_questions && !f->was_dismissed && ctn_questions_suit(questions, caller);
    if (is_asked)
        ask(f, row, questions);
    else if (is_parked || (is_over && !is_task))
        answer_for_now(f, row, arena);
    else if (is_task && now_ms >= f->grace_until_ms)
        answer_task(f, row, arena);
    else
        ctn_timer_set(f->timer, is_task && f->grace_until_ms < f->wait_until_ms ? f->grace_until_ms : f->wait_until_ms);
}

static int read_row(ctn_follow *f, ctn_arena *arena, ctn_execution_row *ret_row, ctn_err *err)
{
    ctn_store *store = ctn_host_store(f->b->host);
    int rc = ctn_store_execution_get(store, arena, f->id, ret_row, err);
    for (int depth = 0;
         rc == CTN_OK && f->how.follows_root && !ctn_id_is_none(ret_row->parent) && depth < CTN_CHAIN_DEPTH_MAX;
         depth++) {
        f->id = ret_row->parent;
        rc = ctn_store_execution_get(store, arena, f->id, ret_row, err);
    }
    return rc;
}

static void look(ctn_follow *f)
{
    ctn_execution_row row;
    ctn_err err = {0};
    f->is_dirty = false;
    if (!f->x || !f->has_id || f->filed || !ctn_host_engine(f->b->host))
        return;
    ctn_arena *arena = ctn_arena_new(16384);
    int rc = read_row(f, arena, &row, &err);
    if (rc)
        refuse(f, "The execution %s cannot be read: %s", ctn_id_to_text(f->id).text, err.message);
    else if (ctn_status_is_final(row.status))
        answer_ended(f, &row, arena);
    else if (!f->is_asking)
        look_at_open(f, &row, arena);
    ctn_arena_free(arena);
}

static void on_soon(void *ctx)
{
    ctn_engine_backend *b = ctx;
    for (ctn_follow *f = b->follows; f;) {
        if (!f->is_dirty) {
            f = f->next;
            continue;
        }
        look(f);
        f = b->follows; /* it may be gone, and others with it */
    }
}

static void on_timer(void *ctx)
{
    look(ctx);
}

/* Nobody tells us of what other nodes do: it is looked at. */
static void look_at_others(void *ctx)
{
    ctn_engine_backend *b = ctx;
    const ctn_desk *desk = ctn_host_desk(b->host);
    if (!desk || !b->follows)
        return;
    for (ctn_follow *f = b->follows; f; f = f->next)
        if (f->x && f->has_id && !f->filed && !ctn_desk_is_ours(desk, f->id))
            look_soon(f);
    ctn_timer_set(b->others, ctn_loop_now_ms(b->loop) + OTHERS_MS);
}

/* ---- events ---- */

static void tell_progress(const ctn_follow *f, const ctn_engine_event *event)
{
    const ctn_plan *plan = ctn_execution_plan(event->execution);
    double ended = 0;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        ctn_step_status status = ctn_execution_step(event->execution, i).status;
        ended += status == CTN_STEP_COMPLETED || status == CTN_STEP_SKIPPED || status == CTN_STEP_FAILED ||
                 status == CTN_STEP_COMPENSATED;
    }
    ctn_str message = event->step;
    if (event->kind == CTN_EVENT_PROGRESS) {
        if (event->total > 0 && event->progress >= 0) /* within its step; a whole one only when it has ended */
            ended += event->progress < event->total ? event->progress / event->total : 0.999;
        if (event->message.len)
            message = event->message;
    }
    ctn_mcp_exchange_progress(f->x, ended, plan->step_count, message);
}

/* The execution of an event, and those whose step it does the work of. */
typedef struct lineage {
    ctn_execution_id ids[CTN_CHAIN_DEPTH_MAX];
    size_t count;
} lineage;

static lineage lineage_of(ctn_engine_backend *b, const ctn_execution *x)
{
    lineage l = {.ids = {ctn_execution_id_of(x)}, .count = 1};
    const ctn_parent *parent = ctn_execution_parent(x);
    ctn_arena *arena = parent ? ctn_arena_new(4096) : NULL;
    ctn_execution_id up = parent ? parent->id : (ctn_execution_id){0};
    ctn_execution_row row;
    while (!ctn_id_is_none(up) && l.count < CTN_CHAIN_DEPTH_MAX) {
        l.ids[l.count++] = up;
        up = ctn_store_execution_get(ctn_host_store(b->host), arena, up, &row, NULL) == CTN_OK ? row.parent
                                                                                               : (ctn_execution_id){0};
    }
    ctn_arena_free(arena);
    return l;
}

static bool is_of(const lineage *l, ctn_execution_id id)
{
    for (size_t i = 0; i < l->count; i++)
        if (ctn_id_equal(l->ids[i], id))
            return true;
    return false;
}

void ctn_follows_event(ctn_engine_backend *b, const ctn_engine_event *event)
{
    bool is_progress = event->kind == CTN_EVENT_ENTRY || event->kind == CTN_EVENT_PROGRESS;
    bool may_matter = event->kind == CTN_EVENT_STATUS ||
                      (event->kind == CTN_EVENT_ENTRY &&
                       (event->record->kind == CTN_ENTRY_WAITING || event->record->kind == CTN_ENTRY_INTERRUPTED));
    if (!b->follows || !(is_progress || may_matter))
        return;
    lineage l = may_matter ? lineage_of(b, event->execution) : (lineage){0};
    for (ctn_follow *f = b->follows, *next; f; f = next) {
        next = f->next; /* telling may find that its caller is gone */
        if (!f->x || !f->has_id)
            continue;
        if (may_matter && !f->is_dirty && is_of(&l, f->id))
            look_soon(f);
        if (is_progress && ctn_mcp_exchange_ask_of(f->x)->wants_progress &&
            ctn_id_equal(ctn_execution_id_of(event->execution), f->id))
            tell_progress(f, event);
    }
}

/* ---- beginning ---- */

ctn_follow *ctn_follow_new(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_follow_how *how)
{
    const ctn_mcp_ask *call = ctn_mcp_exchange_ask_of(x);
    ctn_follow *f = ctn_malloc(sizeof *f);
    int64_t now_ms = ctn_loop_now_ms(b->loop);
    *f = (ctn_follow){.b = b, .x = x, .how = *how, .arena = ctn_arena_new(4096), .next = b->follows};
    f->how.content = ctn_arena_str(f->arena, how->content);
    f->actor = ctn_arena_str(f->arena, ctn_engine_actor(x, f->arena));
    f->given = call->answers && !call->state ? ctn_json_copy(f->arena, call->answers) : NULL;
    f->wait_until_ms = now_ms + how->wait_ms;
    f->grace_until_ms = now_ms + CTN_MCP_GRACE_MS;
    f->timer = ctn_timer_new(b->loop, on_timer, f);
    if (!b->follows && ctn_host_member(b->host))
        ctn_timer_set(b->others, now_ms + OTHERS_MS);
    b->follows = f;
    ctn_mcp_exchange_when_gone(x, on_gone, f);
    return f;
}

/* Its key has found an execution that was started with other arguments. */
static bool is_another(ctn_follow *f)
{
    ctn_execution_row row;
    if (!f->digest.len || ctn_store_execution_get(ctn_host_store(f->b->host), f->arena, f->id, &row, NULL))
        return false;
    const ctn_json *digest = ctn_engine_label(f->arena, &row, CTN_MCP_LABEL_ARGUMENTS);
    return digest && !ctn_str_equal(ctn_json_text(digest), f->digest);
}

static void take_ack(ctn_follow *f, int rc, ctn_execution_id id, const ctn_err *err)
{
    f->id = id;
    f->has_id = rc == CTN_OK;
    if (!f->x) {
        if (f->has_id && f->how.cancels_when_gone)
            cancel(f);
        let_go(f);
    } else if (rc) {
        refuse(f, "%s", err ? err->message : ctn_err_name(rc));
    } else if (is_another(f)) {
        refuse(f,
               "The idempotency key was used before, with other arguments: execution %s. Use another key for another "
               "call; to see that execution, call get_execution with {\"executionId\": \"%s\"}.",
               ctn_id_to_text(id).text, ctn_id_to_text(id).text);
    } else {
        look_soon(f);
    }
}

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    ctn_follow *f = ctx;
    f->filed--;
    for (ctn_follow *other = f->b->follows, *next; other; other = next) {
        next = other->next;
        if (other->joins != f)
            continue;
        other->joins = NULL;
        take_ack(other, rc, id, err);
        next = f->b->follows; /* those before it are not joined any more */
    }
    take_ack(f, rc, id, err);
}

void ctn_follow_file(ctn_follow *f, ctn_request *q, ctn_str arguments_digest)
{
    ctn_engine *engine = ctn_host_engine(f->b->host);
    if (!engine) {
        ctn_request_drop_plan(q);
        refuse(f, "catena is ending; call again when it is back");
        return;
    }
    f->digest = ctn_arena_str(f->arena, arguments_digest);
    q->actor = f->actor;
    ctn_str traceparent = q->by.traceparent;
    q->by = ctn_engine_requester(f->x);
    q->by.traceparent = traceparent;
    f->filed++;
    ctn_desk_file(ctn_host_desk(f->b->host), q, on_ack, f);
}

bool ctn_follow_join(ctn_follow *f, ctn_str arguments_digest)
{
    for (ctn_follow *other = f->b->follows; other; other = other->next)
        if (other != f && other->filed && !other->has_id && ctn_str_equal(other->digest, arguments_digest)) {
            f->joins = other;
            f->digest = ctn_arena_str(f->arena, arguments_digest);
            return true;
        }
    return false;
}

void ctn_follow_execution(ctn_follow *f, ctn_execution_id id, const ctn_json *answers)
{
    ctn_execution_row row;
    ctn_err err = {0};
    f->id = id;
    f->has_id = true;
    if (ctn_store_execution_get(ctn_host_store(f->b->host), f->arena, id, &row, &err)) {
        refuse(f, "The execution %s cannot be read: %s", ctn_id_to_text(id).text, err.message);
        return;
    }
    if (!answers || file_answers(f, &row, answers))
        look_soon(f);
}

void ctn_follows_open(ctn_engine_backend *b)
{
    b->soon = ctn_timer_new(b->loop, on_soon, b);
    b->others = ctn_timer_new(b->loop, look_at_others, b);
}

void ctn_follows_hurry(ctn_engine_backend *b)
{
    for (ctn_follow *f = b->follows; f; f = f->next) {
        f->wait_until_ms = ctn_loop_now_ms(b->loop);
        look_soon(f);
    }
}

void ctn_follows_free(ctn_engine_backend *b)
{
    while (b->follows) {
        if (b->follows->x)
            ctn_mcp_exchange_when_gone(b->follows->x, NULL, NULL);
        free_follow(b->follows);
    }
    ctn_timer_free(b->soon);
    ctn_timer_free(b->others);
}
