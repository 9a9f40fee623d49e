/*
 * fleet_tools.c -- calls in a fleet's world: sent by a node, arriving, taking effect and answered each at its own time.
 *
 * What a tool may not do, for then nothing could be promised: take effect later than settleMs after it was sent (less
 * what the nodes' clocks are off), or after its server was said to be dead.
 *
 * What is sent by a node that holds the shard no more, and does not know it yet, is judged apart: nothing of it may be
 * a write, and what it is answered reaches nobody.
 */
#include "sim/fleet_state.h"

static bool happens(fleet *w, int percent)
{
    return chance_percent(&w->of_tools, w->is_calm ? 0 : percent);
}

static bool is_check(ctn_str target)
{
    return ctn_str_find(target, CTN_STR("check_")) != SIZE_MAX;
}

static bool is_stale(const life *l, const subject *x)
{
    return l->w->holders[x->exec_no % SHARDS] != l->incarnation;
}

typedef struct lookup {
    ctn_str key;
    deed *found;
} lookup;

static bool has_key(void *ctx, deed *d)
{
    lookup *l = ctx;
    if (!ctn_str_is(l->key, d->key))
        return false;
    l->found = d;
    return true;
}

/* What is known of a call of this key, without judging. */
static deed *deed_known(subject *x, ctn_str key)
{
    lookup l = {.key = key};
    for (int i = 0; i < x->oracle.spec->step_count && !l.found; i++)
        (void) oracle_each_deed(&x->oracle, i, has_key, &l);
    return l.found;
}

typedef struct fate { /* of one call */
    ctn_failure failure;
    bool was_sent, takes_effect;
    int64_t reply_ms, effect_ms;
} fate;

static fate draw_fate(fleet *w, const ctn_call_request *r)
{
    uint64_t *chance = &w->of_tools;
    fate f = {.was_sent = true, .takes_effect = true, .reply_ms = chance_between(chance, 1, 20)};
    if (happens(w, w->tool_faults))
        f.reply_ms = chance_between(chance, 20, chance_percent(chance, 40) ? 12000 : 800); /* slow */
    if (happens(w, w->tool_faults / 2))
        switch (chance_below(chance, 5)) {
        case 0:
            f.failure = CTN_FAILURE_UNAVAILABLE;
            f.was_sent = false;
            break;
        case 1: f.failure = CTN_FAILURE_TRANSPORT; break;
        case 2:
        case 3:
            f.failure = CTN_FAILURE_TIMEOUT;
            f.reply_ms = r->timeout_ms ? r->timeout_ms : 60000;
            break;
        default: f.failure = CTN_FAILURE_TOOL_ERROR; break;
        }
    if (r->timeout_ms && f.reply_ms >= r->timeout_ms) { /* the driver ends it */
        f.failure = CTN_FAILURE_TIMEOUT;
        f.reply_ms = r->timeout_ms;
        f.was_sent = true;
    }
    bool is_lost = f.failure == CTN_FAILURE_TIMEOUT || (f.failure == CTN_FAILURE_TRANSPORT && f.was_sent);
    if (f.failure)
        f.takes_effect = is_lost && chance_percent(chance, 50);
    f.effect_ms = f.takes_effect ? (int64_t) chance_below(chance, (uint64_t) f.reply_ms) : 0;
    if (is_lost && chance_percent(chance, 40))
        f.effect_ms = f.reply_ms + chance_between(chance, 0, 3000);
    return f;
}

static void begin_check(life *l, const ctn_call_request *r, subject *x)
{
    fleet *w = l->w;
    deed *d = is_stale(l, x) ? deed_known(x, r->idempotency_key) : oracle_check(&x->oracle, r);
    int64_t at_ms = fleet_at_ms(l) + chance_between(&w->of_tools, 1, 30);
    event *e = fleet_event(w, EVENT_REPLY, l, at_ms);
    e->x = x;
    e->d = d;
    e->token = r->token;
    e->attempt = r->attempt;
    e->is_check = e->was_sent = true;
    e->is_early = chance_percent(&w->of_tools, 50);
    e->happened = d && d->effects > 0; /* an early one looks now, and tells later */
    if (happens(w, w->checks_fail))
        e->failure = CTN_FAILURE_UNAVAILABLE;
}

static void reply_at(life *l, const ctn_call_request *r, subject *x, deed *d, const fate *f, bool is_stale_now,
                     int64_t at_ms)
{
    event *e = fleet_event(l->w, EVENT_REPLY, l, at_ms);
    e->x = x;
    e->d = d;
    e->is_stale = is_stale_now;
    e->token = r->token;
    e->attempt = r->attempt;
    e->failure = f->failure;
    e->was_sent = f->was_sent;
}

/* How long it is on its way in the world: at most what its chain says with settleMs, and done before it is answered
 * well. */
static int64_t effect_in_ms(fleet *w, const deed *d, const fate *f)
{
    int64_t longest_ms = d->set->settle_ms - 2 * w->clock_error_ms - 1;
    if (!f->failure && f->reply_ms < longest_ms)
        longest_ms = f->reply_ms;
    if (!d->set->has_check)
        return f->effect_ms;
    if (longest_ms <= 0)
        return 0;
    if (f->reply_ms > 400 && chance_percent(&w->of_tools, 50)) /* at the last moment */
        return longest_ms - chance_between(&w->of_tools, 0, longest_ms / 3);
    return f->effect_ms <= longest_ms ? f->effect_ms : (int64_t) chance_below(&w->of_tools, (uint64_t) longest_ms);
}

/* Of a chain that allows only so many at once, no more have calls under way; those apart that were paused or wait for
 * somebody meanwhile: they gave their places away. What a node has that holds the shard no more is not counted. */
static void check_places(fleet *w, int chain)
{
    bool counted[SUBJECTS_MAX] = {false};
    int count = 0, most = w->specs[chain]->max_concurrent;
    for (size_t i = 0; most && i < w->event_count; i++) {
        const event *e = &w->events[i];
        if (e->kind != EVENT_REPLY || e->is_check || e->l->is_dead || e->x->chain != chain || counted[e->x->number] ||
            is_stale(e->l, e->x) || e->x->oracle.kinds[CTN_ENTRY_PAUSED] || oracle_waits_for(&e->x->oracle))
            continue;
        counted[e->x->number] = true;
        count++;
    }
    if (most && count > most)
        BROKEN(w, "%d executions of a chain have calls under way, at most %d may", count, most);
}

static void cannot_say(life *l, const ctn_call_request *r, subject *x)
{
    fate f = {.failure = CTN_FAILURE_UNAVAILABLE};
    reply_at(l, r, x, NULL, &f, true, fleet_at_ms(l) + 10);
}

static void begin(void *ctx, const ctn_call_request *r)
{
    life *l = ctx;
    fleet *w = l->w;
    ctn_execution_id id;
    if (l->is_dead || ctn_id_parse(r->execution_id, &id, NULL))
        return;
    subject *x = fleet_subject(w, id);
    if (!x) {
        BROKEN(w, "a call of an execution that is not on disk");
        return;
    }
    if (!l->epochs[x->exec_no % SHARDS])
        BROKEN(w, "%.*s is called by a node that knows that its shard is another's", CTN_STR_ARG(r->idempotency_key));
    if (w->plans[x->chain]->requires) {
        COUNT(w, FLEET_LABELLED);
        if (!l->has_label)
            BROKEN(w, "node %d has not the label that %.*s requires, and calls it", l->node,
                   CTN_STR_ARG(r->idempotency_key));
    }
    if (is_check(r->target)) {
        begin_check(l, r, x);
        return;
    }
    bool stale = is_stale(l, x);
    const ctn_execution *loaded = ctn_engine_find(l->engine, id);
    deed *d = stale ? deed_known(x, r->idempotency_key)
                    : oracle_begin(&x->oracle, r, fleet_wall_ms(l), loaded ? ctn_execution_seq(loaded) : 0);
    fleet_trace(w, "node %d begins %.*s attempt %u%s", l->node, CTN_STR_ARG(r->idempotency_key), r->attempt,
                stale ? ", and has lost it" : "");
    if (!d) { /* of a step that was never heard of: it has lost it, and hears no more of it */
        cannot_say(l, r, x);
        return;
    }
    bool is_write = d->effect == CTN_EFFECT_WRITE, was_stopped = false;
    fate f = draw_fate(w, r);
    if (d->set->calls[d->call].is_native) {
        f = (fate){.was_sent = true, .takes_effect = true, .failure = f.failure ? CTN_FAILURE_TOOL_ERROR : 0};
        if (!f.failure)
            oracle_effect(&x->oracle, d);
        f.takes_effect = false;
    }
    if (is_write && happens(w, w->send_stops)) {
        COUNT(w, FLEET_SEND_STOPS);
        was_stopped = true;
        x->is_excused = true; /* the documented case: of what comes of it the history says more */
        x->oracle.failure = &w->excused;
        fleet_stop(l, chance_between(&w->of_nodes, 100, 9000), "before a send");
    }
    int64_t sent_at_ms = fleet_at_ms(l);
    if (f.takes_effect && d->effect >= CTN_EFFECT_IDEMPOTENT) {
        int64_t effect_ms = effect_in_ms(w, d, &f);
        int64_t arrive_ms = effect_ms < SEND_MS ? effect_ms : chance_between(&w->of_tools, 0, SEND_MS);
        if (is_write) {
            event *e = fleet_event(w, EVENT_ARRIVE, l, sent_at_ms + arrive_ms);
            e->x = x;
            e->d = d;
            e->was_stopped = was_stopped;
            e->incarnation = l->incarnation;
        }
        event *e = fleet_event(w, EVENT_EFFECT, l, sent_at_ms + effect_ms);
        e->x = x;
        e->d = d;
        d->on_the_way++;
    }
    reply_at(l, r, x, d, &f, stale, sent_at_ms + f.reply_ms);
    check_places(w, x->chain);
}

static void cancel(void *ctx, uint64_t token)
{
    const life *l = ctx;
    fleet *w = l->w;
    for (size_t i = 0; i < w->event_count; i++)
        if (w->events[i].kind == EVENT_REPLY && w->events[i].l == l && w->events[i].token == token) {
            w->events[i] = w->events[--w->event_count];
            return;
        }
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

void fleet_arrive(fleet *w, const event *e)
{
    subject *x = e->x;
    history_event arrived = {
        .kind = HISTORY_ARRIVED, .node = e->incarnation, .exec_no = x->exec_no, .was_stopped = e->was_stopped};
    snprintf(arrived.key, sizeof arrived.key, "%s", e->d->key);
    fleet_tell(w, &arrived);
    COUNT(w, FLEET_WRITES);
}

void fleet_effect(fleet *w, const event *e)
{
    deed *d = e->d;
    fleet_trace(w, "effect %s", d->key);
    d->on_the_way--;
    if (d->effect == CTN_EFFECT_WRITE && !d->may_happen_twice) {
        history_event effect = {.kind = HISTORY_EFFECT};
        snprintf(effect.key, sizeof effect.key, "%s", d->key);
        fleet_tell(w, &effect);
    }
    oracle_effect(&e->x->oracle, d);
}

static const ctn_json *value_of(ctn_arena *arena, const char *key)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_int(&b, "value", spec_value_of(ctn_str_from(key)));
    ctn_json_put_str(&b, "key", ctn_str_from(key));
    return ctn_json_finish(&b);
}

static const ctn_json *check_answer(fleet *w, const event *e, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    bool happened = e->is_early || !e->d ? e->happened : e->d->effects > 0;
    ctn_json_put_bool(&b, "happened", happened);
    if (e->d)
        ctn_json_put(&b, CTN_STR("result"), value_of(arena, e->d->key));
    if (e->d && !e->d->effects && !happened && e->d->on_the_way == 0 && chance_percent(&w->of_tools, 20))
        ctn_json_put_bool(&b, "final", true);
    return ctn_json_finish(&b);
}

static void note_reply(const event *e)
{
    deed *d = e->d;
    d->replied_attempt = e->attempt;
    d->reply = e->failure;
    d->reply_was_sent = e->was_sent;
    d->was_broken = false;
    d->retry_after_ms = 0;
    d->codes_seen |= e->failure ? 1u << e->failure : 0;
}

void fleet_reply(fleet *w, const event *e)
{
    ctn_arena *arena = ctn_arena_new(1024);
    fleet_trace(w, "%s of %s attempt %u reaches node %d: %s", e->is_check ? "check" : "reply", e->d ? e->d->key : "?",
                e->attempt, e->l->node, ctn_failure_name(e->failure));
    const ctn_json *value = e->is_check ? check_answer(w, e, arena) : e->d ? value_of(arena, e->d->key) : NULL;
    if (!e->is_check && !e->is_stale && !is_stale(e->l, e->x))
        note_reply(e);
    /* Who has lost the shard may keep what the tool said in its cache, and have the shard again. */
    if (!e->is_check && e->d && !e->failure && e->d->role == CTN_ROLE_DO)
        e->x->oracle.given->of_step[e->d->task->step] |= 1u << spec_value_of(ctn_str_from(e->d->key));
    ctn_call_result result = {
        .failure = e->failure,
        .value = e->failure ? NULL : value,
        .message = CTN_STR("so the world said"),
        .was_sent = e->was_sent,
    };
    const ctn_call_sink *sink = ctn_engine_sink(e->l->engine);
    sink->done(sink->ctx, e->token, &result);
    e->l->needs_turn = true;
    ctn_arena_free(arena);
}

/* The node ended. Its tool servers, where they are its children, end with it: what they had not done by now is never
 * done. Others go on. */
void fleet_tools_end(life *l)
{
    fleet *w = l->w;
    for (size_t i = 0; i < w->event_count;) {
        event *e = &w->events[i];
        bool goes = e->l == l && (e->kind == EVENT_REPLY || e->kind == EVENT_TURN || e->kind == EVENT_LOOK ||
                                  e->kind == EVENT_COMMITTED || e->kind == EVENT_OP_ANSWER);
        bool is_lost_on_its_way =
            e->l == l && (e->kind == EVENT_COMMIT || e->kind == EVENT_OP) && chance_percent(&w->of_links, 50);
        bool ends = e->l == l && e->kind == EVENT_EFFECT && (w->tools_are_children || l->stopped_until_ms > w->now_ms);
        if (ends)
            e->d->on_the_way--;
        if (e->l == l && e->kind == EVENT_ARRIVE && (w->tools_are_children || l->stopped_until_ms > w->now_ms))
            ends = true;
        if (goes || is_lost_on_its_way || ends)
            *e = w->events[--w->event_count];
        else
            i++;
    }
}

void fleet_tools_init(life *l)
{
    l->tool = (ctn_driver){.kind = "tool",
                           .ctx = l,
                           .begin = begin,
                           .cancel = cancel,
                           .effect = effect_of,
                           .may_still_arrive = may_still_arrive};
    l->native = (ctn_driver){.kind = "native", .ctx = l, .begin = begin, .cancel = cancel, .effect = effect_of};
    l->drivers[0] = &l->tool;
    l->drivers[1] = &l->native;
}
