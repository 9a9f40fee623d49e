/* sim_tools.c -- see sim.h for what the names of tools mean. */
#include "sim/sim_state.h"

#include <string.h>

static event *event_new(sim *s, event_kind kind, uint64_t token, int64_t delay_ms)
{
    event *e = CTN_NEW(ctn_world_life_arena(s->world), event);
    ctn_world_later(s->world, delay_ms, (int) kind, token, e);
    return e;
}

/* ---- ledgers ---- */

void sim_note(deed *deeds, size_t *count, const char *tool, const char *key)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(deeds[i].tool, tool) == 0 && strcmp(deeds[i].key, key) == 0) {
            deeds[i].count++;
            return;
        }
    assert_true(*count < LEDGER_MAX);
    deed *d = &deeds[(*count)++];
    snprintf(d->tool, sizeof d->tool, "%s", tool);
    snprintf(d->key, sizeof d->key, "%s", key);
    d->count = 1;
}

int sim_total(const deed *deeds, size_t count, const char *tool, const char *key, bool most)
{
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(deeds[i].tool, tool) != 0 || (key && strcmp(deeds[i].key, key) != 0))
            continue;
        sum = most ? (deeds[i].count > sum ? deeds[i].count : sum) : sum + deeds[i].count;
    }
    return sum;
}

int sim_effects(const sim *s, const char *tool)
{
    return sim_total(s->effects, s->effect_count, tool, NULL, false);
}

int sim_effects_of_one_key(const sim *s, const char *tool)
{
    return sim_total(s->effects, s->effect_count, tool, NULL, true);
}

int sim_effects_of_step(const sim *s, int n, const char *tool, const char *step, const char *role)
{
    char key[160];
    snprintf(key, sizeof key, "%s/%s/%s", ctn_id_to_text(s->subjects[n].id).text, step, role);
    return sim_total(s->effects, s->effect_count, tool, key, false);
}

void sim_take_effect(sim *s, const char *tool, const char *key)
{
    sim_trace(s, "effect %s %s", tool, key);
    bool once = strncmp(tool, "idem_", 5) == 0 || strncmp(tool, "undo_", 5) == 0;
    if (once && sim_total(s->effects, s->effect_count, tool, key, false) > 0)
        return;
    sim_note(s->effects, &s->effect_count, tool, key);
    if (strncmp(tool, "write_", 6) == 0 && sim_total(s->effects, s->effect_count, tool, key, false) > 1)
        SIM_FAIL(s, "the write %s ran twice under %s", tool, key);
}

/* ---- the tool driver ---- */

static void check_begin(const sim *s, const ctn_call_request *request, const char *tool, const char *key)
{
    char what[64];
    snprintf(what, sizeof what, "started %u", request->attempt);
    if (sim_is_marked(s, "done", key))
        SIM_FAIL(s, "%s was recorded as done and is called again under %s", tool, key);
    bool must_be_on_disk = strncmp(tool, "write_", 6) == 0 || strncmp(tool, "undo_", 5) == 0;
    if (must_be_on_disk && !sim_is_marked(s, what, key))
        SIM_FAIL(s, "%s begins under %s and its start is not on disk", tool, key);
}

/* It asks twice, and looks whether what comes back is what it said, and what was answered. */
static int round_of(sim *s, const ctn_call_request *request, const char *tool)
{
    int64_t round = ctn_json_int_or(request->continuation, "round", 0);
    const ctn_json *who = ctn_json_member_of(request->answers, "who");
    if (!strstr(tool, "_ask_") || strncmp(tool, "check_", 6) == 0)
        return 0;
    if (round && !ctn_str_is(ctn_json_str_or(ctn_json_member_of(who, "content"), "name", (ctn_str){0}), "Ada"))
        SIM_FAIL(s, "%s goes on without the answer to round %d", tool, (int) round);
    if (!round && request->answers)
        SIM_FAIL(s, "%s was given an answer before it asked", tool);
    return round < 2 ? (int) round + 1 : 0;
}

void sim_tool_begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) kind;
    sim *s = ctx;
    char tool[64], key[160];
    const char *slash = memchr(request->target.ptr, '/', request->target.len);
    assert_non_null(slash);
    snprintf(tool, sizeof tool, "%.*s", (int) (request->target.ptr + request->target.len - slash - 1), slash + 1);
    snprintf(key, sizeof key, "%.*s", CTN_STR_ARG(request->idempotency_key));
    sim_trace(s, "begin %s attempt %u", key, request->attempt);
    int64_t delay_ms = 1 + (int64_t) ctn_world_roll(s->world, 20);
    bool is_check = strncmp(tool, "check_", 6) == 0;
    if (!is_check)
        check_begin(s, request, tool, key);
    bool has_effect = !is_check && strncmp(tool, "read_", 5) != 0 && strncmp(tool, "fail_", 5) != 0;

    int asks_round = round_of(s, request, tool);
    bool is_task = !is_check && strstr(tool, "_task_");
    if (is_task && request->continuation && !ctn_str_is(ctn_json_text(request->continuation), key))
        SIM_FAIL(s, "%s is asked for another's work", tool);
    if (is_task && !request->continuation) {
        event *e = event_new(s, EVENT_ACCEPTED, request->token, delay_ms);
        snprintf(e->key, sizeof e->key, "%s", key);
        delay_ms += 50 + (int64_t) ctn_world_roll(s->world, 200);
    }
    has_effect = has_effect && !asks_round && !is_task;

    ctn_failure failure = strncmp(tool, "fail_", 5) == 0 ? CTN_FAILURE_TOOL_ERROR : CTN_FAILURE_NONE;
    bool was_sent = true, effect_happens = has_effect;
    if (!failure && ctn_world_percent(s->world, s->o.fault_percent)) {
        switch (ctn_world_roll(s->world, 5)) {
        case 0:
            failure = CTN_FAILURE_UNAVAILABLE;
            was_sent = false;
            break;
        case 1:
            failure = CTN_FAILURE_TRANSPORT;
            was_sent = false;
            break;
        case 2:
            failure = CTN_FAILURE_TRANSPORT;
            effect_happens = has_effect && ctn_world_roll(s->world, 2);
            break;
        case 3:
            failure = CTN_FAILURE_TIMEOUT;
            effect_happens = has_effect && ctn_world_roll(s->world, 2);
            delay_ms = 500;
            break;
        default: failure = CTN_FAILURE_TOOL_ERROR; break;
        }
    }
    if (failure == CTN_FAILURE_TOOL_ERROR || !was_sent)
        effect_happens = false;
    if (effect_happens) {
        event *e = event_new(s, EVENT_EFFECT, request->token, (int64_t) ctn_world_roll(s->world, (uint64_t) delay_ms));
        snprintf(e->tool, sizeof e->tool, "%s", tool);
        snprintf(e->key, sizeof e->key, "%s", key);
    }
    event *e = event_new(s, EVENT_REPLY, request->token, delay_ms);
    snprintf(e->tool, sizeof e->tool, "%s", tool);
    snprintf(e->key, sizeof e->key, "%s", key);
    e->failure = failure;
    e->was_sent = was_sent;
    e->asks_round = asks_round;
    e->is_task = is_task;
}

void sim_tool_let_go(void *ctx, uint64_t token)
{
    ctn_world_drop(((sim *) ctx)->world, EVENT_REPLY, token);
    ctn_world_drop(((sim *) ctx)->world, EVENT_ACCEPTED, token);
}

void sim_tool_abandon(void *ctx, const char *kind, ctn_str target, const ctn_json *continuation)
{
    (void) kind, (void) target;
    sim *s = ctx;
    if (!ctn_json_int_or(continuation, "round", 0))
        SIM_FAIL(s, "what is abandoned was never asked");
    s->abandoned++;
}

int sim_abandoned(const sim *s)
{
    return s->abandoned;
}

ctn_effect sim_tool_effect(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    (void) ctx, (void) kind;
    *ret_from = "annotations";
    if (ctn_str_find(target, CTN_STR("/read_")) != SIZE_MAX || ctn_str_find(target, CTN_STR("/check_")) != SIZE_MAX)
        return CTN_EFFECT_READ;
    if (ctn_str_find(target, CTN_STR("/idem_")) != SIZE_MAX || ctn_str_find(target, CTN_STR("/undo_")) != SIZE_MAX)
        return CTN_EFFECT_IDEMPOTENT;
    return CTN_EFFECT_WRITE;
}

/* Effects of a call that was given up may come a little later, as with a slow server that still lives. */
bool sim_tool_may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return true;
}

static void accepted(sim *s, const event *e, uint64_t token)
{
    ctn_arena *arena = ctn_arena_new(512);
    sim_trace(s, "accepted %s", e->key);
    ctn_world_accept(s->world, token, ctn_json_string(arena, ctn_str_from(e->key)));
    ctn_arena_free(arena);
}

static void reply(sim *s, const event *e, uint64_t token)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "value", ctn_str_from(e->tool));
    ctn_json_put_str(&b, "key", ctn_str_from(e->key));
    if (strncmp(e->tool, "check_", 6) == 0) {
        char write[64];
        snprintf(write, sizeof write, "write_%s", e->tool + 6);
        ctn_json_put_bool(&b, "happened", sim_total(s->effects, s->effect_count, write, e->key, false) > 0);
        ctn_json_builder result = ctn_json_object(arena);
        ctn_json_put_str(&result, "value", ctn_str_from(write));
        ctn_json_put_str(&result, "key", ctn_str_from(e->key));
        ctn_json_put(&b, CTN_STR("result"), ctn_json_finish(&result));
    }
    if (e->is_task && !e->failure && sim_total(s->effects, s->effect_count, e->tool, e->key, false) == 0)
        sim_take_effect(s, e->tool, e->key);
    ctn_call_result result = {
        .failure = e->failure,
        .value = e->failure ? NULL : ctn_json_finish(&b),
        .message = CTN_STR("so the simulator said"),
        .was_sent = e->was_sent,
    };
    if (e->asks_round && !e->failure) {
        static const char asks[] = "{\"who\":{\"message\":\"Who?\",\"schema\":{\"type\":\"object\",\"properties\":{"
                                   "\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}}}";
        ctn_json_builder c = ctn_json_object(arena);
        ctn_json_put_int(&c, "round", e->asks_round);
        result.continuation = ctn_json_finish(&c);
        (void) ctn_json_parse(arena, ctn_str_from(asks), NULL, &result.asks, NULL);
    }
    sim_trace(s, "reply %s %s %s", e->tool, e->key, ctn_failure_name(e->failure));
    ctn_world_reply(s->world, token, &result);
    ctn_arena_free(arena);
}

void sim_happen(void *ctx, const ctn_world_event *due)
{
    sim *s = ctx;
    const event *e = due->data;
    switch ((event_kind) due->kind) {
    case EVENT_EFFECT: sim_take_effect(s, e->tool, e->key); break;
    case EVENT_ACCEPTED: accepted(s, e, due->token); break;
    case EVENT_REPLY: reply(s, e, due->token); break;
    }
}
