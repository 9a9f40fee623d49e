/*
 * chaos_tools.c -- the drivers of a random world. A call is sent, perhaps; it takes effect, perhaps and at its own
 * time; it answers, perhaps with something else. The three are drawn apart, for that is how it is out there.
 *
 * What a tool may not do, for then nothing could be promised: take effect later than settleMs after it was sent, when
 * its set has a check; or after its server was said to be dead; or, being refused, at all.
 */
#include "sim/chaos_state.h"

static bool happens(chaos *w, int percent)
{
    return chance_percent(&w->of_tools, w->is_calm ? 0 : percent);
}

static bool is_check(ctn_str target)
{
    return ctn_str_find(target, CTN_STR("check_")) != SIZE_MAX;
}

typedef struct fate { /* of one call */
    ctn_failure failure;
    bool was_sent, peer_is_dead, takes_effect, is_broken;
    int64_t reply_ms, effect_ms, retry_after_ms;
} fate;

static fate draw_fate(chaos *w, const ctn_call_request *r, const deed *d)
{
    uint64_t *chance = &w->of_tools;
    fate f = {.was_sent = true, .takes_effect = true, .reply_ms = chance_between(chance, 1, 20)};
    if (happens(w, w->tool_faults / 3))
        f.reply_ms = chance_between(chance, 20, chance_percent(chance, 30) ? 12000 : 800); /* slow */
    if (happens(w, w->tool_faults))
        switch (chance_below(chance, 10)) {
        case 0:
            f.failure = CTN_FAILURE_UNAVAILABLE;
            f.was_sent = false;
            break;
        case 1:
            f.failure = CTN_FAILURE_TRANSPORT;
            f.was_sent = false;
            break;
        case 2: f.failure = CTN_FAILURE_TRANSPORT; break;
        case 3:
            f.failure = CTN_FAILURE_TRANSPORT;
            f.peer_is_dead = true;
            break;
        case 4:
            f.failure = CTN_FAILURE_RATE_LIMITED;
            f.retry_after_ms = chance_between(chance, 0, 3) * 400;
            break;
        case 5: f.failure = CTN_FAILURE_PROTOCOL_ERROR; break;
        case 6: f.is_broken = d->role == CTN_ROLE_DO; break;
        case 7:
        case 9:
            f.failure = CTN_FAILURE_TIMEOUT;
            f.reply_ms = r->timeout_ms ? r->timeout_ms : 60000;
            break;
        default: f.failure = CTN_FAILURE_TOOL_ERROR; break;
        }
    if (r->timeout_ms && f.reply_ms >= r->timeout_ms) { /* the driver ends it */
        f.failure = CTN_FAILURE_TIMEOUT;
        f.reply_ms = r->timeout_ms;
        f.was_sent = true;
        f.peer_is_dead = false;
        f.retry_after_ms = 0;
    }
    bool is_lost = f.failure == CTN_FAILURE_TIMEOUT || (f.failure == CTN_FAILURE_TRANSPORT && f.was_sent);
    if (f.failure)
        f.takes_effect = is_lost && chance_percent(chance, 50);
    f.effect_ms = f.takes_effect ? (int64_t) chance_below(chance, (uint64_t) f.reply_ms) : 0;
    if (is_lost && !f.peer_is_dead && chance_percent(chance, 30))
        f.effect_ms = f.reply_ms + chance_between(chance, 0, 3000);
    return f;
}

static void answer_at_once(chaos *w, const ctn_call_request *r, subject *x, deed *d)
{
    bool fails = happens(w, w->tool_faults / 2);
    event e = {.x = x, .d = d, .token = r->token, .attempt = r->attempt, .was_sent = true};
    e.failure = fails ? CTN_FAILURE_TOOL_ERROR : CTN_FAILURE_NONE;
    if (!fails)
        oracle_effect(&x->oracle, d);
    chaos_may_die(w, "in a native function");
    if (!w->is_dead)
        chaos_reply(w, &e);
}

static void begin_check(chaos *w, const ctn_call_request *r, subject *x)
{
    deed *d = oracle_check(&x->oracle, r);
    if (!d)
        return;
    COUNT(w, CHAOS_CHECKS);
    event *e = chaos_event(w, EVENT_REPLY, chance_between(&w->of_tools, 1, 30));
    e->x = x;
    e->d = d;
    e->token = r->token;
    e->attempt = r->attempt;
    e->is_check = e->was_sent = true;
    e->is_early = chance_percent(&w->of_tools, 50);
    e->happened = d->effects > 0; /* an early one looks now, and tells later */
    if (happens(w, w->checks_fail))
        e->failure = CTN_FAILURE_UNAVAILABLE;
    e->is_broken = happens(w, w->checks_fail);
}

/* Of a chain that allows only so many at once, no more have calls under way; those apart that were paused or wait for
 * somebody meanwhile: they gave their places away. */
static void check_places(chaos *w, int chain)
{
    bool counted[SUBJECTS_MAX] = {false};
    int count = 0;
    for (int i = 0; i < w->events_used; i++) {
        const event *e = &w->events[i];
        if (e->kind != EVENT_REPLY || e->is_check || e->x->chain != chain || counted[e->x - w->subjects] ||
            e->x->was_paused || oracle_waits_for(&e->x->oracle))
            continue;
        counted[e->x - w->subjects] = true;
        count++;
    }
    if (w->specs[chain]->max_concurrent && count > w->specs[chain]->max_concurrent)
        BROKEN(w, "%d executions of a chain have calls under way, at most %d may", count,
               w->specs[chain]->max_concurrent);
}

static void begin(void *ctx, const ctn_call_request *r)
{
    chaos *w = ctx;
    ctn_execution_id id;
    if (w->is_dead || ctn_id_parse(r->execution_id, &id, NULL))
        return;
    subject *x = chaos_subject(w, id);
    if (!x) {
        BROKEN(w, "a call of an execution that is not on disk");
        return;
    }
    chaos_may_die(w, "before a call");
    if (w->is_dead)
        return;
    if (is_check(r->target)) {
        begin_check(w, r, x);
        return;
    }
    const ctn_execution *loaded = ctn_engine_find(w->engine, id);
    deed *d = oracle_begin(&x->oracle, r, w->now_ms, loaded ? ctn_execution_seq(loaded) : 0);
    chaos_trace(w, "begin %.*s attempt %u", CTN_STR_ARG(r->idempotency_key), r->attempt);
    COUNT(w, CHAOS_CALLS);
    if (!d)
        return;
    const spec_work *work = d->set;
    if (work->calls[d->call].is_native) {
        answer_at_once(w, r, x, d);
        return;
    }
    fate f = draw_fate(w, r, d);
    if (f.takes_effect && d->effect >= CTN_EFFECT_IDEMPOTENT) {
        int64_t last_ms = (f.failure && !f.peer_is_dead) || work->settle_ms < f.reply_ms ? work->settle_ms : f.reply_ms;
        if (work->has_check && f.reply_ms > 400 && last_ms > 3 && chance_percent(&w->of_tools, 50)) /* at the last */
            f.effect_ms = last_ms - chance_between(&w->of_tools, 1, last_ms / 3);
        else if (work->has_check && f.effect_ms >= work->settle_ms)
            f.effect_ms = work->settle_ms ? (int64_t) chance_below(&w->of_tools, (uint64_t) work->settle_ms) : 0;
        event *effect = chaos_event(w, EVENT_EFFECT, f.effect_ms);
        effect->x = x;
        effect->d = d;
        effect->token = r->token;
        d->on_the_way++;
    }
    event *e = chaos_event(w, EVENT_REPLY, f.reply_ms);
    e->x = x;
    e->d = d;
    e->token = r->token;
    e->attempt = r->attempt;
    e->failure = f.failure;
    e->was_sent = f.was_sent;
    e->is_broken = f.is_broken;
    e->peer_is_dead = f.peer_is_dead;
    e->retry_after_ms = f.retry_after_ms;
    check_places(w, x->chain);
    chaos_may_die(w, "after a call was sent");
}

static void cancel(void *ctx, uint64_t token)
{
    chaos *w = ctx;
    for (int i = 0; i < w->events_used; i++)
        if (w->events[i].kind == EVENT_REPLY && w->events[i].token == token)
            w->events[i].kind = EVENT_NONE;
}

static ctn_effect effect_of(void *ctx, ctn_str target, const char **ret_from)
{
    (void) ctx;
    *ret_from = "annotations";
    return spec_driver_effect(target);
}

/* A server that lives may still be reading it. */
static bool may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return true;
}

/* ---- what comes of it ---- */

void chaos_effect(chaos *w, const event *e)
{
    chaos_trace(w, "effect %s", e->d->key);
    e->d->on_the_way--;
    COUNT(w, CHAOS_EFFECTS);
    oracle_effect(&e->x->oracle, e->d);
}

static const ctn_json *value_of(ctn_arena *arena, const char *key)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_int(&b, "value", spec_value_of(ctn_str_from(key)));
    ctn_json_put_str(&b, "key", ctn_str_from(key));
    return ctn_json_finish(&b);
}

static const ctn_json *check_answer(chaos *w, const event *e, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    if (e->is_broken)
        return ctn_json_finish(&b);
    bool happened = e->is_early ? e->happened : e->d->effects > 0;
    ctn_json_put_bool(&b, "happened", happened);
    ctn_json_put(&b, CTN_STR("result"), value_of(arena, e->d->key));
    if (!e->d->effects && !happened && e->d->on_the_way == 0 && chance_percent(&w->of_tools, 20))
        ctn_json_put_bool(&b, "final", true);
    return ctn_json_finish(&b);
}

void chaos_reply(chaos *w, const event *e)
{
    ctn_arena *arena = ctn_arena_new(1024);
    deed *d = e->d;
    chaos_trace(w, "%s of %s attempt %u: %s%s", e->is_check ? "check" : "reply", d->key, e->attempt,
                ctn_failure_name(e->failure), e->is_broken ? ", broken" : "");
    ctn_json_builder nothing = ctn_json_object(arena);
    const ctn_json *value = e->is_check    ? check_answer(w, e, arena)
                            : e->is_broken ? ctn_json_finish(&nothing)
                                           : value_of(arena, d->key);
    if (!e->is_check) {
        d->replied_attempt = e->attempt;
        d->reply = e->failure;
        d->reply_was_sent = e->was_sent;
        d->was_broken = e->is_broken;
        d->retry_after_ms = e->retry_after_ms;
        d->codes_seen |= e->failure ? 1u << e->failure : 0;
        if (e->failure)
            COUNT(w, CHAOS_CALLS_FAILED);
        else if (!e->is_broken && d->role == CTN_ROLE_DO)
            e->x->oracle.given->of_step[d->task->step] |= 1u << spec_value_of(ctn_str_from(d->key));
    }
    ctn_call_result result = {
        .failure = e->failure,
        .value = e->failure ? NULL : value,
        .message = CTN_STR("so the world said"),
        .was_sent = e->was_sent,
        .peer_is_dead = e->peer_is_dead,
        .retry_after_ms = e->retry_after_ms,
    };
    const ctn_call_sink *sink = ctn_engine_sink(w->engine);
    sink->done(sink->ctx, e->token, &result);
    ctn_arena_free(arena);
}

/* Tool servers are children of the engine: what they had not done by now is never done. */
void chaos_tools_end(chaos *w)
{
    for (int i = 0; i < w->events_used; i++) {
        event *e = &w->events[i];
        if (e->kind == EVENT_EFFECT && e->at_ms <= w->now_ms + 5 && chance_percent(&w->of_tools, 50))
            chaos_effect(w, e);
        else if (e->kind == EVENT_EFFECT)
            e->d->on_the_way--;
        if (e->kind != EVENT_TICK)
            e->kind = EVENT_NONE;
    }
}

void chaos_tools_init(chaos *w)
{
    w->tool = (ctn_driver){.kind = "tool",
                           .ctx = w,
                           .begin = begin,
                           .cancel = cancel,
                           .effect = effect_of,
                           .may_still_arrive = may_still_arrive};
    w->native = (ctn_driver){.kind = "native", .ctx = w, .begin = begin, .cancel = cancel, .effect = effect_of};
    w->drivers[0] = &w->tool;
    w->drivers[1] = &w->native;
}
