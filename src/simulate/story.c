/*
 * story.c -- the tools of one world, and the world around them. See story.h.
 *
 * What must hold: the ledger is the truth, and what is told to the engine may differ from it only as the fate of the
 * call says. An effect that is on its way when the engine dies either happened by then or never does: the servers are
 * the engine's children.
 */
#include "simulate/story_state.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

#define STORM_CALLS   6
#define DEATHS_MAX    4 /* five in a row at one step are outside the fault model */
#define LATE_AFTER_MS 5

/* What will happen to a call. Lives with the engine. */
typedef struct due {
    ctn_str key;
    ctn_str target, step_name;
    const ctn_guess *guess;
    ctn_guess_work work;
    uint32_t call;
    bool is_check, peer_is_dead;
    ctn_fate fate;
} due;

enum { DUE_EFFECT, DUE_REPLY, DUE_DEATH, DUE_CANCEL };

static uint64_t roll(story *s, uint64_t below)
{
    return ctn_world_roll(s->world, below);
}

uint64_t story_of_key(const story *s, ctn_str key, uint64_t salt)
{
    uint64_t h = s->o->scenario->seed * UINT64_C(0x9E3779B97F4A7C15) + salt;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char) key.ptr[i]) * UINT64_C(0x100000001b3);
    ctn_rng rng = ctn_rng_seeded(&h);
    return ctn_rng_next(&rng);
}

/* ---- the ledger ---- */

static deed *deed_find(story *s, ctn_str key)
{
    for (size_t i = s->deed_count; i-- > 0;)
        if (ctn_str_equal(s->deeds[i].key, key))
            return &s->deeds[i];
    return NULL;
}

/* {execution}/{step} of {execution}/{step}/.../{role}. */
static ctn_str prefix_of(ctn_str key)
{
    ctn_str rest = key;
    (void) ctn_str_cut(&rest, '/');
    (void) ctn_str_cut(&rest, '/');
    return (ctn_str){key.ptr, rest.ptr ? (size_t) (rest.ptr - key.ptr) : key.len};
}

static deed *deed_of(story *s, const ctn_stage_call *c)
{
    deed *d = deed_find(s, c->request->idempotency_key);
    if (d)
        return d;
    s->deeds = ctn_array_room(s->deeds, s->deed_count, &s->deed_capacity, sizeof *s->deeds);
    ctn_str key = ctn_arena_str(s->arena, c->request->idempotency_key);
    d = &s->deeds[s->deed_count++];
    *d = (deed){.key = key,
                .prefix = prefix_of(key),
                .plan = c->plan,
                .set = c->set,
                .step = c->step,
                .call = c->call,
                .fallback = c->fallback,
                .role = c->role,
                .effect = c->effect};
    return d;
}

static void take_effect(story *s, ctn_str key, bool in_error)
{
    deed *d = deed_find(s, key);
    assert(d);
    if (d->effect < CTN_EFFECT_IDEMPOTENT || (d->effect == CTN_EFFECT_IDEMPOTENT && d->count > 0))
        return;
    d->count++;
    d->in_error += in_error;
    d->last = ++s->order;
    story_tell(s, "%.*s: the tool does its work%s", CTN_STR_ARG(d->prefix), d->count > 1 ? " once more" : "");
}

/* ---- fates ---- */

static bool is_last_attempt(const ctn_stage_call *c)
{
    return (int64_t) c->request->attempt > c->plan->steps[c->step].retry.max_retries;
}

/* A failure that the step does not get over: one a world, and never of what undoes or checks. */
static bool may_fail_for_good(story *s, const ctn_stage_call *c)
{
    if (s->o->scenario->is_beyond)
        return true;
    return c->role == CTN_ROLE_DO && !c->is_check && s->lasting_failures == 0;
}

static bool may_have(story *s, const ctn_stage_call *c, deed *d, ctn_fate fate)
{
    bool is_beyond = s->o->scenario->is_beyond;
    switch (fate) {
    case CTN_FATE_REFUSED:
    case CTN_FATE_BROKEN:
    case CTN_FATE_RATE_LIMITED:
    case CTN_FATE_LOST:
    case CTN_FATE_LOST_DONE:
    case CTN_FATE_SLOW:
    case CTN_FATE_SLOW_DONE:
        if (c->is_check)
            return is_beyond || d->check_faults++ < 1;
        if (!is_last_attempt(c) || (c->effect == CTN_EFFECT_WRITE && fate >= CTN_FATE_LOST && c->set->check))
            return true;
        if (!may_fail_for_good(s, c))
            return false;
        s->lasting_failures++;
        return true;
    case CTN_FATE_MALFORMED:
    case CTN_FATE_FAILED:
        if (!may_fail_for_good(s, c))
            return false;
        s->lasting_failures++;
        return true;
    case CTN_FATE_FAILED_ONCE: return c->role == CTN_ROLE_DO && !c->is_check && !is_last_attempt(c);
    default: return is_beyond || !ctn_fate_is_death(fate) || ctn_world_deaths(s->world) < DEATHS_MAX;
    }
}

static bool retries_after_error(const ctn_stage_call *c)
{
    return c->plan->steps[c->step].retry.retry_on >> CTN_FAILURE_TOOL_ERROR & 1u;
}

static ctn_fate fate_by_chance(story *s, const ctn_stage_call *c)
{
    const ctn_scenario *o = s->o->scenario;
    if (s->storm_left > 0 && ctn_str_equal(s->storm_target, c->request->target)) {
        s->storm_left--;
        return CTN_FATE_REFUSED;
    }
    if (ctn_world_percent(s->world, o->die_percent))
        return CTN_FATE_DIES_BEFORE_SEND + (ctn_fate) roll(s, 5);
    if (!ctn_world_percent(s->world, o->fault_percent))
        return CTN_FATE_FINE;
    ctn_fate fate = CTN_FATE_REFUSED + (ctn_fate) roll(s, CTN_FATE_COUNT - CTN_FATE_REFUSED);
    return fate == CTN_FATE_FAILED_ONCE && !retries_after_error(c) ? CTN_FATE_DUPLICATE : fate;
}

static ctn_fate fate_of(story *s, const ctn_stage_call *c, deed *d)
{
    const ctn_scenario *o = s->o->scenario;
    int number = s->result->calls++;
    if (number == o->storm_at) {
        s->storm_target = ctn_arena_str(s->arena, c->request->target);
        s->storm_left = STORM_CALLS;
    }
    if (d->fails && !c->is_check)
        return CTN_FATE_FAILED;
    ctn_fate fate = CTN_FATE_FINE;
    for (int i = 0; i < CTN_SCENARIO_PLANS; i++)
        if (o->plans[i].call == number)
            fate = o->plans[i].fate;
    if (!fate && !o->is_planned)
        fate = fate_by_chance(s, c);
    if (fate == CTN_FATE_FAILED_ONCE && !retries_after_error(c))
        return CTN_FATE_FINE;
    return may_have(s, c, d, fate) ? fate : CTN_FATE_FINE;
}

/* ---- calls ---- */

typedef struct timing {
    int64_t effect_ms, reply_ms; /* -1: never */
} timing;

/* An effect that nobody heard of comes before its answer would have, or later; never later than settleMs says. */
static int64_t late(story *s, const ctn_stage_call *c, int64_t reply_ms)
{
    int64_t last_ms = c->set->settle_ms > 0 ? c->set->settle_ms : 1;
    int64_t within_ms = roll(s, 2) && reply_ms < last_ms ? reply_ms : last_ms;
    return (int64_t) roll(s, (uint64_t) within_ms);
}

/* *ret_peer_is_dead: the connection broke because the server ended; what it has not done it never does. */
static timing timing_of(story *s, const ctn_stage_call *c, ctn_fate fate, bool *ret_peer_is_dead)
{
    *ret_peer_is_dead = false;
    int64_t reply_ms = 1 + (int64_t) roll(s, 20);
    timing t = {.effect_ms = (int64_t) roll(s, (uint64_t) reply_ms), .reply_ms = reply_ms};
    switch (fate) {
    case CTN_FATE_REFUSED:
    case CTN_FATE_BROKEN:
    case CTN_FATE_RATE_LIMITED:
    case CTN_FATE_FAILED: t.effect_ms = -1; break;
    case CTN_FATE_LOST:
        t.effect_ms = -1;
        *ret_peer_is_dead = roll(s, 2);
        break;
    case CTN_FATE_LOST_DONE:
        if (!(*ret_peer_is_dead = roll(s, 2)))
            t.effect_ms = late(s, c, reply_ms);
        break;
    case CTN_FATE_SLOW:
    case CTN_FATE_SLOW_DONE:
        t.reply_ms = c->request->timeout_ms > 0 ? c->request->timeout_ms : 3600000;
        if (c->request->idle_timeout_ms > 0 && c->request->idle_timeout_ms < t.reply_ms)
            t.reply_ms = c->request->idle_timeout_ms;
        t.effect_ms = fate == CTN_FATE_SLOW ? -1 : late(s, c, t.reply_ms);
        break;
    case CTN_FATE_DIES_AFTER_SEND:
        t.effect_ms = -1;
        t.reply_ms = -1;
        break;
    case CTN_FATE_DIES_AFTER_EFFECT: t.reply_ms = -1; break;
    default: break;
    }
    return t;
}

static void on_begin(void *ctx, const ctn_stage_call *c)
{
    story *s = ctx;
    deed *d = deed_of(s, c);
    ctn_fate fate = fate_of(s, c, d);
    s->result->faults += fate != CTN_FATE_FINE;
    if (c->role == CTN_ROLE_DO && !c->is_check && d->attempt != c->request->attempt)
        s->calls_spent++;
    d->attempt = c->is_check ? d->attempt : c->request->attempt;
    story_tell(s, "%.*s%s%s: call %d, %.*s (%s), attempt %u: %s", CTN_STR_ARG(c->request->step),
               c->role == CTN_ROLE_UNDO ? ", undo" : "", c->is_check ? ", check" : "", s->result->calls,
               CTN_STR_ARG(c->request->target), ctn_effect_name(c->effect), c->request->attempt, ctn_fate_words(fate));
    if (fate == CTN_FATE_DIES_BEFORE_SEND) {
        ctn_world_die(s->world);
        return;
    }
    if (fate == CTN_FATE_FAILED)
        d->fails = true;
    s->was_malformed = s->was_malformed || fate == CTN_FATE_MALFORMED;
    bool peer_is_dead;
    timing t = timing_of(s, c, fate, &peer_is_dead);
    due *e = CTN_NEW(ctn_world_life_arena(s->world), due);
    *e = (due){.key = d->key,
               .target = c->request->target,
               .step_name = c->plan->steps[c->step].name,
               .guess = ctn_guess_of(s->o->guess, c->plan),
               .work = {c->step, c->role, c->fallback},
               .call = c->call,
               .is_check = c->is_check,
               .fate = fate,
               .peer_is_dead = peer_is_dead};
    if (t.effect_ms >= 0 && !c->is_check)
        ctn_world_later(s->world, t.effect_ms, DUE_EFFECT, c->request->token, e);
    if (t.reply_ms >= 0)
        ctn_world_later(s->world, t.reply_ms, DUE_REPLY, c->request->token, e);
    else
        ctn_world_later(s->world, (t.effect_ms < 0 ? 0 : t.effect_ms) + 1, DUE_DEATH, c->request->token, e);
}

static void on_let_go(void *ctx, uint64_t token)
{
    story *s = ctx;
    ctn_world_drop(s->world, DUE_REPLY, token);
}

const ctn_json *story_answer(const story *s, ctn_str key, const ctn_guess *guess, ctn_guess_work work, uint32_t call)
{
    int said = s->o->scenario->variant;
    return ctn_guess_answer(guess, work, call, said >= 0 ? (uint64_t) said : story_of_key(s, key, 1));
}

static const ctn_json *answer_of(story *s, const due *e, ctn_arena *arena)
{
    const ctn_json *answer = story_answer(s, e->key, e->guess, e->work, e->call);
    if (!e->is_check)
        return answer;
    deed *d = deed_find(s, e->key);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_bool(&b, "happened", d->count > 0);
    if (d->count > 0)
        ctn_json_put(&b, CTN_STR("result"), answer);
    return ctn_json_finish(&b);
}

static ctn_call_result result_of(story *s, const due *e, ctn_arena *arena)
{
    ctn_call_result r = {.was_sent = true, .message = CTN_STR("the simulated tool does not answer")};
    switch (e->fate) {
    case CTN_FATE_REFUSED:
        r.failure = CTN_FAILURE_UNAVAILABLE;
        r.was_sent = false;
        r.message = CTN_STR("the simulated tool cannot be reached");
        break;
    case CTN_FATE_BROKEN:
        r.failure = CTN_FAILURE_TRANSPORT;
        r.was_sent = false;
        break;
    case CTN_FATE_RATE_LIMITED:
        r.failure = CTN_FAILURE_RATE_LIMITED;
        r.was_sent = false;
        r.retry_after_ms = 500 + (int64_t) roll(s, 5000);
        break;
    case CTN_FATE_LOST:
    case CTN_FATE_LOST_DONE:
        r.failure = CTN_FAILURE_TRANSPORT;
        r.peer_is_dead = e->peer_is_dead;
        break;
    case CTN_FATE_SLOW:
    case CTN_FATE_SLOW_DONE: r.failure = CTN_FAILURE_TIMEOUT; break;
    case CTN_FATE_FAILED:
    case CTN_FATE_FAILED_ONCE:
        r.failure = CTN_FAILURE_TOOL_ERROR;
        r.message = CTN_STR("the simulated tool failed");
        break;
    case CTN_FATE_MALFORMED:
        if (!ctn_guess_is_guessed(e->guess, e->work, e->call)) {
            r.failure = CTN_FAILURE_INVALID_OUTPUT;
            r.message = CTN_STR("the answer does not fit the tool's outputSchema");
        } else {
            ctn_json_builder b = ctn_json_object(arena);
            ctn_json_put_str(&b, "unexpected", CTN_STR("answer"));
            r.value = ctn_json_finish(&b);
        }
        break;
    default: r.value = answer_of(s, e, arena); break;
    }
    return r;
}

static void reply(story *s, const due *e, uint64_t token)
{
    ctn_arena_mark mark = ctn_arena_save(s->arena);
    ctn_call_result result = result_of(s, e, s->arena);
    if (result.failure == CTN_FAILURE_NONE && s->o->tell)
        story_tell(s, "%.*s: %.*s answers %.*s", CTN_STR_ARG(e->step_name), CTN_STR_ARG(e->target),
                   CTN_STR_ARG(ctn_json_to_str(s->arena, result.value)));
    ctn_world_reply(s->world, token, &result);
    if (e->fate == CTN_FATE_DUPLICATE)
        ctn_world_reply(s->world, token, &result);
    ctn_arena_restore(s->arena, mark);
    s->dies_before_commit = s->dies_before_commit || e->fate == CTN_FATE_DIES_BEFORE_RECORD;
    s->dies_after_commit = s->dies_after_commit || e->fate == CTN_FATE_DIES_AFTER_RECORD;
}

static void cancel(story *s)
{
    const ctn_execution *x = ctn_stage_execution(s->stage, 0);
    if (!x || ctn_status_is_final(ctn_execution_status(x)))
        return;
    story_tell(s, "a person cancels it");
    ctn_stage_say(s->stage, x, &(ctn_input){.kind = CTN_IN_CANCEL, .item = -1, .actor = CTN_STR("sam")});
}

static void on_happen(void *ctx, const ctn_world_event *event)
{
    story *s = ctx;
    const due *e = event->data;
    if (ctn_world_percent(s->world, s->o->scenario->jump_percent)) {
        static const int64_t jumps[] = {3600000, -3600000, 86400000, -600000};
        int64_t by_ms = jumps[roll(s, 4)];
        s->was_jumped = true;
        story_tell(s, "the clock jumps by %lld s", (long long) by_ms / 1000);
        ctn_world_jump(s->world, by_ms);
    }
    switch (event->kind) {
    case DUE_EFFECT: take_effect(s, e->key, e->fate == CTN_FATE_FAILED_ONCE); break;
    case DUE_REPLY: reply(s, e, event->token); break;
    case DUE_CANCEL: cancel(s); break;
    case DUE_DEATH:
        story_tell(s, "the engine dies");
        ctn_world_die(s->world);
        break;
    default: assert(!"an event that nobody planned");
    }
}

static void on_died(void *ctx, const ctn_world_event *pending, size_t count)
{
    story *s = ctx;
    int64_t by_ms = ctn_world_at_ms(s->world) + LATE_AFTER_MS;
    for (size_t i = 0; i < count; i++)
        if (pending[i].kind == DUE_EFFECT && pending[i].at_ms <= by_ms && roll(s, 2))
            take_effect(s, ((const due *) pending[i].data)->key, false);
    s->dies_before_commit = s->dies_after_commit = false;
    story_tell(s, "a new engine starts");
}

/* ---- the disk ---- */

static ctn_commit_fate on_commit(void *ctx, int number)
{
    story *s = ctx;
    const ctn_scenario *o = s->o->scenario;
    ctn_commit_fate fate = {.dies_before = s->dies_before_commit, .dies_after = s->dies_after_commit};
    s->dies_before_commit = s->dies_after_commit = false;
    if (number == o->commit)
        fate = o->commit_fate;
    bool may_die = o->is_beyond || ctn_world_deaths(s->world) < DEATHS_MAX;
    if (may_die && ctn_world_percent(s->world, o->die_percent)) {
        fate.dies_before = fate.dies_before || roll(s, 2);
        fate.dies_after = !fate.dies_before;
    }
    if (ctn_world_percent(s->world, o->commit_fails_percent)) {
        fate.fails = true;
        fate.is_written = roll(s, 2);
    }
    s->result->faults += fate.dies_before || fate.dies_after || fate.fails;
    if (fate.dies_before)
        story_tell(s, "commit %d: the engine dies before it", number + 1);
    else if (fate.fails)
        story_tell(s, "commit %d fails%s", number + 1, fate.is_written ? ", and is on disk all the same" : "");
    if (!fate.dies_before && fate.dies_after)
        story_tell(s, "commit %d: the engine dies after it", number + 1);
    return fate;
}

static void on_record(void *ctx, const ctn_record *record, const ctn_plan *plan)
{
    story *s = ctx;
    story_tell_record(s, record, plan);
    story_take_record(s, record, plan);
}

static bool on_rest(void *ctx, const ctn_execution *x)
{
    return story_ask_people(ctx, x);
}

static ctn_effect on_effect(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    const story *s = ctx;
    return s->o->effect ? s->o->effect(s->o->effect_ctx, kind, target, ret_from) : CTN_EFFECT_UNKNOWN;
}

/* ---- the whole ---- */

int ctn_story_play(const ctn_story_options *options, ctn_arena *arena, ctn_story *ret_story, ctn_err *err)
{
    *ret_story = (ctn_story){0};
    story s = {.o = options, .result = ret_story, .arena = arena};
    const ctn_scenario *scenario = options->scenario;
    uint64_t variant = scenario->variant >= 0 ? (uint64_t) scenario->variant : story_of_key(&s, CTN_STR("input"), 3);
    ctn_stage_options o = {
        .seed = scenario->seed,
        .plan = options->plan,
        .plans = options->plans,
        .plan_count = options->plan_count,
        .input = ctn_guess_input(options->guess, variant),
        .rules = options->rules,
        .hooks = {.ctx = &s,
                  .begin = on_begin,
                  .let_go = on_let_go,
                  .effect = on_effect,
                  .happen = on_happen,
                  .commit = on_commit,
                  .died = on_died,
                  .record = on_record,
                  .rest = on_rest},
    };
    int rc = ctn_stage_new(&o, &s.stage, err);
    if (rc)
        return rc;
    s.world = ctn_stage_world(s.stage);
    if (scenario->cancel_at_ms)
        ctn_world_later(s.world, scenario->cancel_at_ms, DUE_CANCEL, 0, NULL);
    if (options->tell)
        story_tell(&s, "starts with %.*s", CTN_STR_ARG(ctn_json_to_str(arena, o.input)));
    ret_story->end = ctn_stage_run(s.stage);
    ret_story->status = ctn_stage_status(s.stage);
    ret_story->commits = ctn_world_commits(s.world);
    ret_story->deaths = ctn_world_deaths(s.world);
    if (ret_story->end == CTN_STAGE_REFUSED)
        ret_story->refusal = ctn_arena_str(arena, ctn_stage_refusal(s.stage));
    else
        story_judge(&s);
    ctn_stage_free(s.stage);
    free(s.deeds);
    return CTN_OK;
}
