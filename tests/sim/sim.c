/*
 * sim.c -- see sim.h; how the world is parted stands in sim_state.h.
 */
#include "sim/sim_state.h"

#include "chain/library.h"
#include "engine/fold.h"

#include <string.h>

#define TURNS_MAX 200000

void sim_trace(const sim *s, const char *format, ...)
{
    if (!getenv("SIM_TRACE"))
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%lld ", (long long) ctn_world_now_ms(s->world));
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

void sim_die(sim *s)
{
    sim_trace(s, "death");
    ctn_world_die(s->world);
}

/* ---- the writer ---- */

static ctn_commit_fate fate_of_commit(void *ctx, int number, const ctn_batch *batch)
{
    sim *s = ctx;
    int nth = number + 1;
    if (s->o.disk && s->o.disk->before_commit)
        s->o.disk->before_commit(s->o.disk->ctx, number);
    ctn_commit_fate fate = {.dies_before =
                                nth == s->o.die_before_commit || ctn_world_percent(s->world, s->o.die_chance_percent)};
    if (fate.dies_before) {
        sim_trace(s, "death");
        return fate;
    }
    fate.fails = ctn_world_percent(s->world, s->o.commit_fails_percent);
    fate.is_written = fate.fails && ctn_world_roll(s->world, 2);
    for (size_t i = 0; i < batch->count; i++)
        for (size_t k = 0; k < batch->appends[i].count; k++)
            sim_trace(s, "commit%s %s %.*s", fate.fails ? " (fails)" : "",
                      ctn_entry_kind_name(batch->appends[i].records[k].kind),
                      CTN_STR_ARG(batch->appends[i].records[k].body));
    fate.dies_after = nth == s->o.die_after_commit || ctn_world_percent(s->world, s->o.die_chance_percent);
    return fate;
}

/* ---- lives of the engine ---- */

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    subject *x = ctx;
    sim *s = x->s;
    if (rc && s->o.disk && (rc == CTN_E_IO || rc == CTN_E_BUSY)) {
        s->asks_again = true;
        return;
    }
    if (rc)
        SIM_FAIL(s, "start refused: %s", err->message);
    if (!x->exec_no || !ctn_id_equal(x->id, id))
        SIM_FAIL(s, "a start is acknowledged that is not on disk");
    x->is_acked = true;
    s->all_acked = true;
    for (int i = 0; i < s->count; i++)
        s->all_acked = s->all_acked && s->subjects[i].is_acked;
}

static ctn_plan *compile(sim *s)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    if (s->o.child)
        (void) ctn_library_add_text(library, CTN_STR("child.yaml"), ctn_str_from(s->o.child), &findings, NULL);
    (void) ctn_library_add_text(library, CTN_STR("sim.yaml"), ctn_str_from(s->o.chain), &findings, &chain);
    if (chain)
        (void) ctn_plan_compile(arena, library, chain, &findings, &plan);
    for (size_t i = 0; i < findings.count; i++)
        if (findings.items[i].severity == CTN_SEVERITY_ERROR)
            SIM_FAIL(s, "sim.yaml:%u:%u: %.*s", findings.items[i].line, findings.items[i].column,
                     CTN_STR_ARG(findings.items[i].message));
    assert_non_null(plan);
    return plan;
}

static void ask(sim *s, ctn_engine *engine)
{
    const ctn_json *input = NULL;
    ctn_err err = {0};
    s->asks_again = false;
    assert_int_equal(ctn_json_parse(s->arena, ctn_str_from(s->o.input ? s->o.input : "{}"), NULL, &input, &err), 0);
    for (int i = 0; i < s->count; i++) {
        char key[32];
        snprintf(key, sizeof key, "run-%d", i);
        ctn_start start = {
            .plan = s->plan, .version = s->plan_version, .input = input, .idempotency_key = ctn_str_from(key)};
        if (!s->subjects[i].is_acked)
            ctn_engine_start(engine, &start, on_ack, &s->subjects[i]);
    }
}

static void begin_life(void *ctx, ctn_engine *engine)
{
    sim *s = ctx;
    ctn_err err = {0};
    for (int i = 0; i < s->count; i++)
        s->subjects[i].end_was_told = false; /* a new audience */
    for (int i = 0; i < s->child_count; i++)
        s->subjects[s->count + i].end_was_told = false;
    s->asks_again = false;
    if (!s->all_acked) { /* nobody was told that it is accepted: the caller asks again */
        int rc = ctn_engine_plan_add(engine, compile(s), CTN_STR("sim"), &s->plan, &s->plan_version, &err);
        if (rc && s->o.disk && (rc == CTN_E_IO || rc == CTN_E_BUSY)) {
            sim_die(s); /* the program ends with a sentence */
            return;
        }
        if (rc)
            SIM_FAIL(s, "plan refused: %s", err.message);
        ask(s, engine);
        s->started_at_ms = ctn_world_now_ms(s->world);
    }
}

/* Its tool servers were its children: what they had not done by now is never done; what they did is done. */
static void end_life(void *ctx, const ctn_world_event *pending, size_t count)
{
    sim *s = ctx;
    int64_t now_ms = ctn_world_at_ms(s->world);
    for (size_t i = 0; i < count; i++) {
        const event *e = pending[i].data;
        if (pending[i].kind == EVENT_EFFECT && ctn_world_roll(s->world, 2) && pending[i].at_ms <= now_ms + 5)
            sim_take_effect(s, e->tool, e->key);
    }
    s->settles_pending = 0;
    if (s->o.disk) {
        s->o.disk->restart(s->o.disk->ctx);
        sim_find_on_disk(s, false);
    }
}

static int open_store(void *ctx, ctn_store **ret_store, ctn_err *err)
{
    const sim *s = ctx;
    int rc = s->o.disk->open(s->o.disk->ctx, ret_store, err);
    if (rc)
        sim_trace(s, "the store does not open: %s", err->message);
    return rc;
}

sim *sim_new(const sim_options *options)
{
    sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->o = *options;
    s->count = options->executions ? options->executions : 1;
    s->subjects = calloc((size_t) s->count + CHILDREN_MAX, sizeof *s->subjects);
    s->marks = calloc(LEDGER_MAX, sizeof *s->marks);
    assert_true(s->subjects && s->marks);
    for (int i = 0; i < s->count; i++)
        s->subjects[i].s = s;
    s->effects = calloc(LEDGER_MAX, sizeof *s->effects);
    s->arena = ctn_arena_new(4096);
    ctn_world_options o = {
        .seed = options->seed,
        .active_max = options->active_max,
        .seal = options->seal,
        .store_open = options->disk ? open_store : NULL,
        .hooks = {.ctx = s,
                  .begin = sim_tool_begin,
                  .let_go = sim_tool_let_go,
                  .effect = sim_tool_effect,
                  .may_still_arrive = sim_tool_may_still_arrive,
                  .abandon = sim_tool_abandon,
                  .happen = sim_happen,
                  .commit = fate_of_commit,
                  .on_disk = sim_take_append,
                  .commit_failed = sim_on_commit_failed,
                  .on_event = sim_on_event,
                  .born = begin_life,
                  .died = end_life},
    };
    ctn_err err = {0};
    if (ctn_world_new(&o, &s->world, &err))
        SIM_FAIL(s, "%s", err.message);
    return s;
}

void sim_free(sim *s)
{
    ctn_world_free(s->world);
    ctn_arena_free(s->arena);
    free(s->effects);
    free(s->marks);
    free(s->subjects);
    free(s);
}

/* ---- running ---- */

static void on_settled(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) rc, (void) id, (void) err;
    ((sim *) ctx)->settles_pending--;
}

/* A person who looks at the ledger and says the truth. */
static bool help(sim *s, const ctn_execution *x)
{
    ctn_execution_id id = ctn_execution_id_of(x);
    if (s->settles_pending)
        return false; /* it was said; time goes on */
    const ctn_plan *plan = ctn_execution_plan(x);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        ctn_step_view v = ctn_execution_step(x, i);
        ctn_input in = {.name = plan->steps[i].name, .actor = CTN_STR("sam")};
        if (v.status == CTN_STEP_WAITING && v.wants_approval) {
            in.kind = CTN_IN_ANSWER;
            ctn_json_builder b = ctn_json_object(s->arena);
            ctn_json_put_bool(&b, "approved", true);
            in.value = ctn_json_finish(&b);
        } else if (v.wants_input) {
            in.kind = CTN_IN_ANSWER;
            in.name = ctn_arena_printf(s->arena, "%.*s%s%s%.*s", CTN_STR_ARG(plan->steps[i].name),
                                       v.item < 0 ? "" : ctn_arena_printf(s->arena, "[%lld]", (long long) v.item).ptr,
                                       v.call.len ? "/" : "", CTN_STR_ARG(v.call));
            ctn_json_builder b = ctn_json_object(s->arena);
            ctn_json_put_str(&b, "name", CTN_STR("Ada"));
            in.value = ctn_json_finish(&b);
        } else if (v.status == CTN_STEP_INTERRUPTED && !s->o.person_is_absent) {
            in.kind = CTN_IN_SETTLE;
            const ctn_plan_call *call = &(v.is_undoing ? plan->steps[i].undo : plan->steps[i].set)->calls[0];
            const char *tool = ctn_arena_str(s->arena, ctn_str_from_offset(call->target, 4)).ptr;
            char key[160], item[32] = "";
            if (v.item >= 0)
                snprintf(item, sizeof item, "[%lld]", (long long) v.item);
            in.name = ctn_arena_printf(s->arena, "%.*s%s", CTN_STR_ARG(plan->steps[i].name), item);
            snprintf(key, sizeof key, "%s/%.*s/%s", ctn_id_to_text(id).text, CTN_STR_ARG(in.name),
                     v.is_undoing ? "undo" : "do");
            bool happened = sim_total(s->effects, s->effect_count, tool, key, false) > 0;
            in.settle = happened                      ? CTN_SETTLE_SUCCEED
                        : ctn_world_roll(s->world, 2) ? CTN_SETTLE_RETRY
                                                      : CTN_SETTLE_FAIL;
            in.not_happened = true;
            ctn_json_builder b = ctn_json_object(s->arena);
            ctn_json_put_str(&b, "value", ctn_str_from(tool));
            ctn_json_put_str(&b, "key", ctn_str_from(key));
            in.value = ctn_json_finish(&b);
        } else {
            continue;
        }
        s->settles_pending++;
        s->was_helped = true; /* what a person asks for is loaded, room or not */
        ctn_engine_input(ctn_world_engine(s->world), id, &in, NULL, on_settled, s);
        return true;
    }
    return false;
}

ctn_store *sim_store(sim *s)
{
    return ctn_world_store(s->world);
}

const ctn_execution *sim_execution(sim *s, int n)
{
    ctn_arena_reset(s->arena);
    ctn_execution_row row;
    ctn_err err = {0};
    ctn_execution *x = NULL;
    if (ctn_store_execution_get(ctn_world_store(s->world), s->arena, s->subjects[n].id, &row, &err) ||
        ctn_execution_load(ctn_world_store(s->world), s->arena, &row, &x, &err))
        SIM_FAIL(s, "the journal does not read back: %s", err.message);
    if (row.status != ctn_execution_status(x) &&
        (ctn_status_is_final(row.status) || ctn_status_is_final(ctn_execution_status(x))))
        SIM_FAIL(s, "the row says %s, the journal %s", ctn_status_name(row.status),
                 ctn_status_name(ctn_execution_status(x)));
    return x;
}

/* Nothing is due at this moment: what is in memory has a reason to be there. */
static void check_memory(sim *s)
{
    size_t loaded = 0;
    ctn_str why;
    if (ctn_engine_store_failing_since_ms(ctn_world_engine(s->world), &why) || ctn_world_is_writing(s->world))
        return; /* what it has come to is not on disk yet */
    if (s->o.disk && s->o.disk->has_failed(s->o.disk->ctx))
        return;
    for (int i = 0; i < s->count; i++) {
        const ctn_execution *x = ctn_engine_find(ctn_world_engine(s->world), s->subjects[i].id);
        if (!x)
            continue;
        loaded++;
        ctn_status status = ctn_execution_status(x);
        if (status == CTN_STATUS_WAITING || status == CTN_STATUS_INTERRUPTED || status == CTN_STATUS_QUEUED ||
            ctn_status_is_final(status))
            SIM_FAIL(s, "an execution that is %s stays in memory", ctn_status_name(status));
    }
    if (s->o.active_max && !s->was_helped && loaded > s->o.active_max)
        SIM_FAIL(s, "%zu executions are in memory", loaded);
}

/* A child that needs somebody. */
static bool look_after_children(sim *s)
{
    for (int i = s->count; i < s->count + s->child_count; i++)
        if (!s->subjects[i].has_ended && help(s, sim_execution(s, i)))
            return true;
    return false;
}

/* Who is at rest may have ended or need somebody. True: somebody did something. */
static bool look_after_all(sim *s, bool *ret_all_at_rest, bool is_woken, ctn_status *ret_status)
{
    *ret_all_at_rest = true;
    for (int i = 0; i < s->count; i++) {
        subject *subj = &s->subjects[i];
        if (subj->has_ended && i > 0)
            continue;
        const ctn_execution *x = sim_execution(s, i);
        ctn_status status = ctn_execution_status(x);
        if (i == 0)
            *ret_status = status;
        if (ctn_status_is_final(status))
            continue;
        if ((ctn_engine_find(ctn_world_engine(s->world), subj->id) == NULL || status == CTN_STATUS_COMPENSATING ||
             status == CTN_STATUS_INTERRUPTED || status == CTN_STATUS_WAITING) &&
            help(s, x))
            return true;
        if (look_after_children(s))
            return true;
        if (status != CTN_STATUS_INTERRUPTED || is_woken || s->settles_pending)
            *ret_all_at_rest = false;
    }
    return false;
}

static void check_end(sim *s)
{
    for (int i = 0; i < s->count; i++)
        if (s->subjects[i].has_ended && s->subjects[i].life_of_end == ctn_world_life(s->world) &&
            !s->subjects[i].end_was_told)
            SIM_FAIL(s, "the end came to disk and nobody was told");
}

static bool cancel_is_due(const sim *s)
{
    return s->o.cancel_at_ms && s->all_acked && !s->cancel_sent &&
           ctn_world_now_ms(s->world) >= s->started_at_ms + s->o.cancel_at_ms;
}

static void cancel_now(sim *s)
{
    s->cancel_sent = true;
    ctn_input in = {.kind = CTN_IN_CANCEL, .actor = CTN_STR("sam")};
    s->settles_pending++;
    ctn_engine_input(ctn_world_engine(s->world), s->subjects[0].id, &in, NULL, on_settled, s);
}

ctn_status sim_run(sim *s)
{
    ctn_status status = CTN_STATUS_QUEUED;
    for (int turns = 0; turns < TURNS_MAX; turns++) {
        if (cancel_is_due(s) && ctn_world_engine(s->world) && !ctn_world_is_dead(s->world))
            cancel_now(s);
        if (s->lost[0])
            return status;
        if (ctn_world_move(s->world))
            continue;
        check_memory(s);
        if (s->all_acked) {
            bool all_at_rest;
            ctn_str why;
            sim_look(s, true);
            bool is_dead = ctn_world_is_dead(s->world);
            bool somebody_acted =
                is_dead || look_after_all(s, &all_at_rest, ctn_world_wake_at_ms(s->world) > 0, &status);
            sim_look(s, false);
            if (somebody_acted)
                continue;
            if (all_at_rest && !ctn_engine_store_failing_since_ms(ctn_world_engine(s->world), &why)) {
                check_end(s);
                if (s->o.disk)
                    sim_find_on_disk(s, true);
                return status;
            }
        } else if (s->asks_again) {
            ask(s, ctn_world_engine(s->world));
            (void) ctn_world_sleep(s->world);
            continue;
        }
        if (!ctn_world_sleep(s->world))
            SIM_FAIL(s, "nothing moves any more; it is %s", s->all_acked ? ctn_status_name(status) : "not accepted");
    }
    SIM_FAIL(s, "it does not come to an end");
    return CTN_STATUS_FAILED;
}

int64_t sim_elapsed_ms(const sim *s)
{
    return ctn_world_elapsed_ms(s->world);
}

int sim_deaths(const sim *s)
{
    return ctn_world_deaths(s->world);
}
