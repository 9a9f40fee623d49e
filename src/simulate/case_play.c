/*
 * case_play.c -- see case_play.h.
 *
 * Of a tool's answers the first that fits the arguments and was not given yet is given; when all that fit were, the
 * last of them again. What people say goes by turns likewise: each waiting of a step takes the next word, and keeps it
 * until its time. A call that no answer fits is a mismatch of the case, and fails with a sentence.
 */
#include "simulate/case_play.h"

#include <assert.h>
#include "value/secret.h"

#define CALLS_MAX 2000
#define TASKS_MAX 64
#define WAITS_MAX 4096
#define NO_ANSWER "the test case has no answer for this call"

enum { DUE_REPLY, DUE_WORD };

typedef struct made_call {
    ctn_str target, step;
    const ctn_json *args;
} made_call;

/* A step that waits, and what will be said to it. */
typedef struct waiting {
    ctn_execution_id execution;
    uint32_t step;
    int64_t item, due_at_ms;
    const ctn_case_people *people;
    const ctn_json *value; /* NULL: nobody says anything */
} waiting;

typedef struct playing {
    const ctn_case_options *o;
    const ctn_case *c;
    ctn_arena *arena;
    ctn_stage *stage;
    ctn_case_result *result;
    bool **used; /* by tool and entry */
    made_call *calls;
    size_t call_count;
    waiting *waits;
    size_t wait_count;
} playing;

static ctn_str to_text(playing *p, const ctn_json *v)
{
    ctn_str text = ctn_json_to_str(p->arena, v ? v : &ctn_json_null);
    return text.len > 200 ? ctn_arena_printf(p->arena, "%.*s... (%zu bytes)", 200, text.ptr, text.len) : text;
}

__attribute__((format(printf, 3, 4))) static void mismatch(playing *p, const ctn_json *node, const char *format, ...)
{
    if (p->result->mismatch_count == CTN_CASE_MISMATCHES_MAX)
        return;
    ctn_position at = ctn_source_position(p->o->file->source, node);
    if (at.line == 0)
        at = ctn_source_position(p->o->file->source, p->c->node);
    va_list args;
    va_start(args, format);
    p->result->mismatches[p->result->mismatch_count++] =
        (ctn_case_mismatch){.at = at, .text = ctn_arena_vprintf(p->arena, format, args)};
    va_end(args);
}

/* ---- a part of a value ---- */

/* Objects by the members that are expected, everything else whole. *ret_path is where they differ. */
static bool holds(ctn_arena *arena, const ctn_json *expected, const ctn_json *actual, ctn_str path,
                  const ctn_json **ret_expected, const ctn_json **ret_actual, ctn_str *ret_path)
{
    if (ctn_json_is(expected, CTN_JSON_OBJECT) && ctn_json_is(actual, CTN_JSON_OBJECT)) {
        for (size_t i = 0; i < ctn_json_count(expected); i++) {
            ctn_str name = ctn_json_text(&expected->members[i].key);
            ctn_str inner =
                ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(path), path.len ? "." : "", CTN_STR_ARG(name));
            if (!holds(arena, &expected->members[i].value, ctn_json_get(actual, name), inner, ret_expected, ret_actual,
                       ret_path))
                return false;
        }
        return true;
    }
    if (ctn_json_is(expected, CTN_JSON_ARRAY) && ctn_json_is(actual, CTN_JSON_ARRAY) &&
        ctn_json_count(expected) == ctn_json_count(actual)) {
        for (size_t i = 0; i < ctn_json_count(expected); i++) {
            ctn_str inner = ctn_arena_printf(arena, "%.*s[%zu]", CTN_STR_ARG(path), i);
            if (!holds(arena, ctn_json_at(expected, i), ctn_json_at(actual, i), inner, ret_expected, ret_actual,
                       ret_path))
                return false;
        }
        return true;
    }
    bool is_absent_null = !actual && ctn_json_is(expected, CTN_JSON_NULL);
    if (actual ? ctn_json_equal(expected, actual) : is_absent_null)
        return true;
    *ret_expected = expected;
    *ret_actual = actual;
    *ret_path = path;
    return false;
}

static bool fits(playing *p, const ctn_json *part, const ctn_json *whole)
{
    const ctn_json *a, *b;
    ctn_str path;
    return !part || holds(p->arena, part, whole, (ctn_str){0}, &a, &b, &path);
}

/* The value that was expected, and where it differs. */
static void expect_part(playing *p, const ctn_json *expected, const ctn_json *actual, const char *what)
{
    const ctn_json *wanted = NULL, *got = NULL;
    ctn_str path;
    if (holds(p->arena, expected, actual, ctn_str_from(what), &wanted, &got, &path))
        return;
    if (got)
        mismatch(p, wanted, "%.*s: expected %.*s, got %.*s", CTN_STR_ARG(path), CTN_STR_ARG(to_text(p, wanted)),
                 CTN_STR_ARG(to_text(p, got)));
    else
        mismatch(p, wanted, "%.*s: expected %.*s, and there is none%s%.*s", CTN_STR_ARG(path),
                 CTN_STR_ARG(to_text(p, wanted)), actual ? "; it has " : "",
                 CTN_STR_ARG(actual ? to_text(p, actual) : (ctn_str){0}));
}

/* ---- tools ---- */

static const ctn_case_entry *entry_for(playing *p, size_t tool, const ctn_json *args)
{
    const ctn_case_tool *t = &p->c->tools[tool];
    const ctn_case_entry *last = NULL;
    for (size_t i = 0; i < t->count; i++) {
        if (!fits(p, t->entries[i].args, args))
            continue;
        last = &t->entries[i];
        if (p->used[tool][i])
            continue;
        p->used[tool][i] = true;
        return last;
    }
    return last;
}

static bool is_keyed(const ctn_case_tool *t, const ctn_stage_call *c, bool by_step)
{
    return ctn_str_equal(t->name, by_step ? c->request->step : c->request->target);
}

/* By the tool's name first, then by the step's (its own call, neither undo nor check). */
static const ctn_case_entry *find_entry(playing *p, const ctn_stage_call *c, const ctn_case_tool **ret_tool)
{
    *ret_tool = NULL;
    for (int by_step = 0; by_step < 2; by_step++) {
        if (by_step && (c->is_check || c->role != CTN_ROLE_DO))
            continue;
        for (size_t i = 0; i < p->c->tool_count; i++) {
            if (!is_keyed(&p->c->tools[i], c, by_step))
                continue;
            *ret_tool = &p->c->tools[i];
            const ctn_case_entry *entry = entry_for(p, i, c->request->args);
            if (entry)
                return entry;
        }
    }
    return NULL;
}

static void note_call(playing *p, const ctn_stage_call *c)
{
    if (p->call_count == CALLS_MAX)
        return;
    p->calls[p->call_count++] =
        (made_call){.target = ctn_arena_str(p->arena, c->request->target),
                    .step = ctn_arena_str(p->arena, c->request->step),
                    .args = ctn_json_copy(p->arena, ctn_secret_told(p->arena, c->request->args))};
}

static void miss_answer(playing *p, const ctn_stage_call *c, const ctn_case_tool *tool)
{
    if (tool) {
        mismatch(p, tool->node, "step %.*s calls %.*s with %.*s, which none of its answers fits",
                 CTN_STR_ARG(c->request->step), CTN_STR_ARG(c->request->target),
                 CTN_STR_ARG(to_text(p, c->request->args)));
        return;
    }
    mismatch(p, p->c->node, "step %.*s calls %.*s%s, for which the case has no answer", CTN_STR_ARG(c->request->step),
             CTN_STR_ARG(c->request->target),
             c->is_check                ? ", its check"
             : c->role == CTN_ROLE_UNDO ? ", its undo"
                                        : "");
}

static void on_begin(void *ctx, const ctn_stage_call *c)
{
    static const ctn_case_entry nothing = {
        .failure = CTN_FAILURE_TOOL_ERROR, .message = {NO_ANSWER, sizeof NO_ANSWER - 1}, .was_sent = true};
    playing *p = ctx;
    const ctn_case_tool *tool;
    const ctn_case_entry *entry = find_entry(p, c, &tool);
    note_call(p, c);
    if (!entry) {
        miss_answer(p, c, tool);
        entry = &nothing;
    }
    int64_t after_ms = entry->after_ms ? entry->after_ms : 1;
    if (entry->failure == CTN_FAILURE_TIMEOUT && c->request->timeout_ms && !entry->after_ms)
        after_ms = c->request->timeout_ms;
    ctn_world_later(ctn_stage_world(p->stage), after_ms, DUE_REPLY, c->request->token, (void *) entry);
}

static void on_let_go(void *ctx, uint64_t token)
{
    playing *p = ctx;
    ctn_world_drop(ctn_stage_world(p->stage), DUE_REPLY, token);
}

static void on_happen(void *ctx, const ctn_world_event *event)
{
    playing *p = ctx;
    if (event->kind == DUE_WORD)
        return; /* its time has come: on_rest says it */
    const ctn_case_entry *e = event->data;
    ctn_call_result r = {.failure = e->failure,
                         .value = e->failure ? NULL : e->value,
                         .message = e->message,
                         .was_sent = e->was_sent,
                         .retry_after_ms = e->retry_after_ms};
    ctn_world_reply(ctn_stage_world(p->stage), event->token, &r);
}

/* ---- people ---- */

/* STEP, or STEP[ITEM] of a foreach, which goes first. */
static const ctn_case_people *people_of(playing *p, ctn_str step, int64_t item)
{
    ctn_str of_item = ctn_arena_printf(p->arena, "%.*s[%lld]", CTN_STR_ARG(step), (long long) item);
    for (int by_item = item >= 0; by_item >= 0; by_item--)
        for (size_t i = 0; i < ctn_json_count(p->c->answers); i++)
            if (ctn_str_equal(p->c->people[i].step, by_item ? of_item : step))
                return &p->c->people[i];
    return NULL;
}

/* When a step is seen waiting for the first time, its answer is the next in turn (the last one stays), and
 * *ret_is_later says that the world was told of its time. NULL: the file has none for it. */
static const waiting *waiting_of(playing *p, const ctn_execution *x, const ctn_open_task *task, ctn_str step,
                                 bool *ret_is_later)
{
    ctn_execution_id id = ctn_execution_id_of(x);
    const ctn_case_people *people = people_of(p, step, task->view.item);
    size_t turn = 0;
    for (size_t i = 0; i < p->wait_count; i++) {
        const waiting *w = &p->waits[i];
        if (ctn_id_equal(w->execution, id) && w->step == task->step && w->item == task->view.item)
            return w;
        turn += w->people == people;
    }
    if (!people || p->wait_count == WAITS_MAX)
        return NULL;
    const ctn_case_word *word = &people->words[turn < people->count ? turn : people->count - 1];
    ctn_world *world = ctn_stage_world(p->stage);
    waiting *w = &p->waits[p->wait_count++];
    *w = (waiting){.execution = id,
                   .step = task->step,
                   .item = task->view.item,
                   .due_at_ms = ctn_world_at_ms(world) + word->after_ms,
                   .people = people,
                   .value = word->value};
    if (word->after_ms) {
        ctn_world_later(world, word->after_ms, DUE_WORD, 0, NULL);
        *ret_is_later = true;
    }
    return w;
}

static bool on_rest(void *ctx, const ctn_execution *x)
{
    playing *p = ctx;
    const ctn_plan *plan = ctn_execution_plan(x);
    ctn_open_task tasks[TASKS_MAX];
    size_t count = ctn_execution_open_tasks(x, tasks, TASKS_MAX);
    bool is_later = false;
    for (size_t i = 0; i < count; i++) {
        const ctn_step_view *v = &tasks[i].view;
        const ctn_plan_set *set = plan->steps[tasks[i].step].set;
        ctn_str name = plan->steps[tasks[i].step].name;
        const waiting *w =
            v->status == CTN_STEP_WAITING && !v->waits_for_child ? waiting_of(p, x, &tasks[i], name, &is_later) : NULL;
        if (!w || !w->value || w->due_at_ms > ctn_world_at_ms(ctn_stage_world(p->stage)))
            continue;
        ctn_input in = {.kind = CTN_IN_ANSWER, .item = -1, .actor = CTN_STR("tester"), .value = w->value};
        in.name = v->item < 0 ? name : ctn_arena_printf(p->arena, "%.*s[%lld]", CTN_STR_ARG(name), (long long) v->item);
        if (ctn_json_count(set->who))
            in.actor = ctn_json_text(ctn_json_at(set->who, 0));
        if (v->wants_approval && ctn_json_is_bool(in.value)) {
            ctn_json_builder b = ctn_json_object(p->arena);
            ctn_json_put(&b, CTN_STR("approved"), in.value);
            in.value = ctn_json_finish(&b);
        }
        ctn_stage_say(p->stage, x, &in);
        return true;
    }
    return is_later;
}

static ctn_effect on_effect(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    const playing *p = ctx;
    return p->o->effect ? p->o->effect(p->o->effect_ctx, kind, target, ret_from) : CTN_EFFECT_UNKNOWN;
}

/* ---- comparing ---- */

static void expect_error(playing *p, const ctn_json *error)
{
    const ctn_json *expected = p->c->error;
    if (!error) {
        mismatch(p, expected, "expected an error, and it ended %s", ctn_status_name(p->result->status));
        return;
    }
    static const char *const exact[] = {"code", "step"};
    for (size_t i = 0; i < 2; i++) {
        const ctn_json *wanted = ctn_json_member_of(expected, exact[i]);
        ctn_str got = ctn_json_str_or(error, exact[i], (ctn_str){0});
        if (wanted && !ctn_str_equal(ctn_json_text(wanted), got))
            mismatch(p, wanted, "error.%s: expected %.*s, got %.*s: %.*s", exact[i], CTN_STR_ARG(ctn_json_text(wanted)),
                     CTN_STR_ARG(got.len ? got : CTN_STR("none")),
                     CTN_STR_ARG(ctn_json_str_or(error, "message", (ctn_str){0})));
    }
    const ctn_json *wanted = ctn_json_member_of(expected, "message");
    ctn_str got = ctn_json_str_or(error, "message", (ctn_str){0});
    if (wanted && ctn_str_find(got, ctn_json_text(wanted)) == SIZE_MAX)
        mismatch(p, wanted, "error.message: expected to find \"%.*s\" in \"%.*s\"", CTN_STR_ARG(ctn_json_text(wanted)),
                 CTN_STR_ARG(got));
}

static bool is_call(playing *p, const ctn_case_call *expected, const made_call *made)
{
    return ctn_str_equal(expected->tool, made->target) &&
           (!expected->step.len || ctn_str_equal(expected->step, made->step)) && fits(p, expected->args, made->args);
}

/* Why not: the nearest call of that tool, or what was called at all. */
static void miss_call(playing *p, const ctn_case_call *expected, size_t from)
{
    for (size_t i = from; i < p->call_count; i++) {
        const ctn_json *wanted = NULL, *got = NULL;
        ctn_str path;
        if (!ctn_str_equal(expected->tool, p->calls[i].target))
            continue;
        if (expected->step.len && !ctn_str_equal(expected->step, p->calls[i].step)) {
            mismatch(p, expected->node, "%.*s was called by step %.*s, not %.*s", CTN_STR_ARG(expected->tool),
                     CTN_STR_ARG(p->calls[i].step), CTN_STR_ARG(expected->step));
            return;
        }
        if (!holds(p->arena, expected->args, p->calls[i].args, CTN_STR("args"), &wanted, &got, &path)) {
            mismatch(p, wanted, "%.*s was called with another %.*s: expected %.*s, got %.*s",
                     CTN_STR_ARG(expected->tool), CTN_STR_ARG(path), CTN_STR_ARG(to_text(p, wanted)),
                     CTN_STR_ARG(got ? to_text(p, got) : CTN_STR("none")));
            return;
        }
    }
    ctn_str made = {0};
    for (size_t i = 0; i < p->call_count && i < 12; i++)
        made =
            ctn_arena_printf(p->arena, "%.*s%s%.*s", CTN_STR_ARG(made), i ? ", " : "", CTN_STR_ARG(p->calls[i].target));
    mismatch(p, expected->node, "expected a call of %.*s%s; called were: %.*s", CTN_STR_ARG(expected->tool),
             from ? " after those before it" : "", CTN_STR_ARG(made.len ? made : CTN_STR("no tools")));
}

static void expect_calls(playing *p)
{
    size_t next = 0;
    for (size_t i = 0; i < p->c->call_count; i++) {
        const ctn_case_call *expected = &p->c->calls[i];
        if (expected->times >= 0) {
            int64_t times = 0;
            for (size_t k = 0; k < p->call_count; k++)
                times += ctn_str_equal(p->calls[k].target, expected->tool);
            if (times != expected->times)
                mismatch(p, expected->node, "%.*s: expected %lld calls, got %lld", CTN_STR_ARG(expected->tool),
                         (long long) expected->times, (long long) times);
            continue;
        }
        size_t k = next;
        while (k < p->call_count && !is_call(p, expected, &p->calls[k]))
            k++;
        if (k == p->call_count) {
            miss_call(p, expected, next);
            return;
        }
        next = k + 1;
    }
}

static void expect_steps(playing *p, const ctn_execution *x)
{
    for (size_t i = 0; x && i < ctn_json_count(p->c->steps); i++) {
        const ctn_json_member *m = &p->c->steps->members[i];
        uint32_t step = ctn_plan_step_index(p->o->plan, ctn_json_text(&m->key));
        ctn_step_view v = ctn_execution_step(x, step);
        const char *got = ctn_step_status_name(v.status);
        if (!ctn_str_is(ctn_json_text(&m->value), got))
            mismatch(p, &m->value, "step %.*s: expected %.*s, got %s%s%.*s", CTN_STR_ARG(ctn_json_text(&m->key)),
                     CTN_STR_ARG(ctn_json_text(&m->value)), got, v.failure ? ": " : "", CTN_STR_ARG(v.message));
    }
}

static void compare(playing *p)
{
    const ctn_execution *x = ctn_stage_execution(p->stage, 0); /* NULL: its start was refused */
    const ctn_json *error = x ? ctn_execution_error(x) : NULL, *outputs = x ? ctn_execution_outputs(x) : NULL;
    ctn_str message = ctn_json_str_or(error, "message", (ctn_str){0}),
            step = ctn_json_str_or(error, "step", (ctn_str){0});
    if (p->c->status >= 0 && (ctn_status) p->c->status != p->result->status)
        mismatch(p, p->c->status_node, "status: expected %s, got %s%s%.*s%s%.*s",
                 ctn_status_name((ctn_status) p->c->status), ctn_status_name(p->result->status),
                 step.len      ? " (step "
                 : message.len ? " ("
                               : "",
                 CTN_STR_ARG(step.len ? step : message),
                 step.len      ? ": "
                 : message.len ? ")"
                               : "",
                 CTN_STR_ARG(step.len ? ctn_arena_printf(p->arena, "%.*s)", CTN_STR_ARG(message)) : (ctn_str){0}));
    if (p->c->outputs)
        expect_part(p, p->c->outputs, outputs, "outputs");
    if (p->c->error)
        expect_error(p, error);
    expect_calls(p);
    expect_steps(p, x);
}

/* ---- outside ---- */

int ctn_case_play(const ctn_case_options *options, ctn_arena *arena, ctn_case_result *ret_result, ctn_err *err)
{
    *ret_result = (ctn_case_result){0};
    playing p = {.o = options, .c = options->test, .arena = arena, .result = ret_result};
    ctn_json_builder none = ctn_json_object(arena);
    p.calls = CTN_NEW_ARRAY(arena, made_call, CALLS_MAX);
    p.waits = CTN_NEW_ARRAY(arena, waiting, WAITS_MAX);
    p.used = CTN_NEW_ARRAY(arena, bool *, p.c->tool_count);
    for (size_t i = 0; i < p.c->tool_count; i++)
        p.used[i] = CTN_NEW_ARRAY(arena, bool, p.c->tools[i].count);
    ctn_stage_options o = {
        .seed = 1,
        .began_at_ms = p.c->now_ms,
        .plan = options->plan,
        .plans = options->plans,
        .plan_count = options->plan_count,
        .input = p.c->input ? p.c->input : ctn_json_finish(&none),
        .rules = options->rules,
        .hooks = {.ctx = &p,
                  .begin = on_begin,
                  .let_go = on_let_go,
                  .effect = on_effect,
                  .happen = on_happen,
                  .rest = on_rest},
    };
    int rc = ctn_stage_new(&o, &p.stage, err);
    if (rc)
        return rc;
    ctn_stage_end end = ctn_stage_run(p.stage);
    ret_result->status = ctn_stage_status(p.stage);
    if (end == CTN_STAGE_REFUSED)
        mismatch(&p, p.c->input ? p.c->input : p.c->node, "it does not start: %.*s",
                 CTN_STR_ARG(ctn_stage_refusal(p.stage)));
    else if (end == CTN_STAGE_ENDLESS)
        mismatch(&p, p.c->node, "it does not come to an end; it is %s", ctn_status_name(ret_result->status));
    else
        compare(&p);
    ctn_stage_free(p.stage);
    return CTN_OK;
}
