/*
 * asking.c -- a legacy caller's person is asked by requests of ours: on the stream of the request that needs it, or on
 * the pipe. Their answers come as messages of their own, over HTTP in another POST and without a session, so each
 * request has an id that nobody can guess, and its answer counts only from the principal who was asked.
 *
 * A client over HTTP has not told us what it can. One that cannot answers with an error, or never: what is not answered
 * in time is missing from what the backend is given.
 */
#include "base/id.h"
#include "server/mcp/internal.h"

typedef struct question {
    ctn_str key;
    ctn_str id; /* empty: it was not asked */
    bool is_open;
    const ctn_json *answer; /* NULL: none */
} question;

struct ctn_mcp_asking {
    ctn_mcp_exchange *x;
    ctn_timer *timer; /* the time is over, or everything is answered */
    void (*answered)(void *ctx, const ctn_json *answers);
    void *ctx;
    question *questions;
    size_t count, open_count;
};

void ctn_mcp_asking_drop(ctn_mcp_exchange *x)
{
    if (!x->asking)
        return;
    ctn_timer_free(x->asking->timer);
    x->asking = NULL; /* its memory is the exchange's */
}

static void on_over(void *ctx)
{
    ctn_mcp_asking *a = ctx;
    ctn_mcp_exchange *x = a->x;
    ctn_json_builder answers = ctn_json_object(x->arena);
    for (size_t i = 0; i < a->count; i++)
        if (a->questions[i].answer)
            ctn_json_put(&answers, a->questions[i].key, a->questions[i].answer);
    ctn_mcp_asking_drop(x);
    a->answered(a->ctx, ctn_json_finish(&answers)); /* may answer the request: nothing is touched after it */
}

static void end_soon(ctn_mcp_asking *a)
{
    ctn_timer_set(a->timer, 0);
}

void ctn_mcp_asking_give_up(ctn_mcp_exchange *x)
{
    if (x->asking)
        end_soon(x->asking);
}

/* {mode: form} is not known before 2025-11-25; there is no other mode there. */
static const ctn_json *params_for(ctn_mcp_exchange *x, const ctn_json *params)
{
    if (ctn_mcp_since(x->caller.version, "2025-11-25"))
        return params;
    ctn_json_builder b = ctn_json_object(x->arena);
    for (uint32_t i = 0; i < ctn_json_count(params); i++)
        if (!ctn_str_is(ctn_json_text(&params->members[i].key), "mode"))
            ctn_json_put(&b, ctn_json_text(&params->members[i].key), &params->members[i].value);
    return ctn_json_finish(&b);
}

static bool can_ask(const ctn_mcp_exchange *x, const ctn_json *request)
{
    ctn_str mode = ctn_json_str_or(ctn_json_member_of(request, "params"), "mode", CTN_STR("form"));
    return x->channel && !x->channel->is_answer_only &&
           ctn_str_is(ctn_json_str_or(request, "method", (ctn_str){0}), "elicitation/create") &&
           (ctn_str_is(mode, "url") ? x->caller.can_url : x->caller.can_form);
}

static void ask(ctn_mcp_exchange *x, question *q, const ctn_json *request)
{
    uint64_t bits[2] = {ctn_rng_next(&x->endpoint->rng), ctn_rng_next(&x->endpoint->rng)};
    q->id =
        ctn_arena_printf(x->arena, "ask-%016llx%016llx", (unsigned long long) bits[0], (unsigned long long) bits[1]);
    q->is_open = true;
    ctn_json_builder message = ctn_json_object(x->arena);
    ctn_json_put_str(&message, "jsonrpc", CTN_STR("2.0"));
    ctn_json_put_str(&message, "id", q->id);
    ctn_json_put_str(&message, "method", CTN_STR("elicitation/create"));
    ctn_json_put(&message, CTN_STR("params"), params_for(x, ctn_json_member_of(request, "params")));
    x->channel->send(x->channel, ctn_json_to_str(x->arena, ctn_json_finish(&message)));
}

void ctn_mcp_asking_begin(ctn_mcp_exchange *x, const ctn_json *requests,
                          void (*answered)(void *ctx, const ctn_json *answers), void *ctx)
{
    ctn_mcp_asking *a = CTN_NEW(x->arena, ctn_mcp_asking);
    *a = (ctn_mcp_asking){.x = x, .answered = answered, .ctx = ctx, .count = ctn_json_count(requests)};
    a->questions = CTN_NEW_ARRAY(x->arena, question, a->count);
    a->timer = ctn_timer_new(x->endpoint->of.loop, on_over, a);
    ctn_mcp_asking_drop(x);
    x->asking = a;
    for (size_t i = 0; i < a->count; i++) {
        a->questions[i].key = ctn_arena_str(x->arena, ctn_json_text(&requests->members[i].key));
        if (!can_ask(x, &requests->members[i].value))
            continue;
        a->open_count++;
        ask(x, &a->questions[i], &requests->members[i].value);
    }
    if (a->open_count)
        ctn_timer_set(a->timer, ctn_loop_now_ms(x->endpoint->of.loop) + x->endpoint->of.ask_timeout_ms);
    else
        end_soon(a);
}

static bool is_answer(const ctn_json *result)
{
    ctn_str action = ctn_json_str_or(result, "action", (ctn_str){0});
    return ctn_str_is(action, "accept") || ctn_str_is(action, "decline") || ctn_str_is(action, "cancel");
}

bool ctn_mcp_asking_take(ctn_mcp_endpoint *e, ctn_str principal, const ctn_rpc_message *message)
{
    ctn_str id = ctn_json_is(message->id, CTN_JSON_STRING) ? ctn_json_text(message->id) : (ctn_str){0};
    for (ctn_mcp_exchange *x = e->exchanges; x && id.len; x = x->next) {
        ctn_mcp_asking *a = x->asking;
        for (size_t i = 0; a && i < a->count; i++) {
            question *q = &a->questions[i];
            if (!q->is_open || !ctn_str_equal(q->id, id) || !ctn_str_equal(x->caller.principal, principal))
                continue;
            q->is_open = false;
            if (message->kind == CTN_RPC_RESULT && is_answer(message->result))
                q->answer = ctn_json_copy(x->arena, message->result);
            if (--a->open_count == 0)
                end_soon(a);
            return true;
        }
    }
    return false;
}
