/*
 * story_judge.c -- what the journal said, and what was wrong when it was over.
 *
 * The ledger has what the tools really did; the journal what the chain knows. A hazard is where the two differ in a way
 * that a person would have to clean up, or where nothing goes on without one. A world that left the fault model brings
 * notes only.
 */
#include "simulate/story_state.h"

const char *ctn_hazard_name(ctn_hazard_kind kind)
{
    static const char *const names[CTN_HAZARD_COUNT] = {
        [CTN_HAZARD_TWICE] = "effect-twice",
        [CTN_HAZARD_LEFT] = "effect-left",
        [CTN_HAZARD_DEAD_END] = "dead-end",
        [CTN_HAZARD_ENDLESS_WAIT] = "endless-wait",
        [CTN_HAZARD_BUDGET] = "budget-overrun",
        [CTN_HAZARD_MISSING] = "missing-output",
        [CTN_HAZARD_BY_ITSELF] = "fails-by-itself",
        [CTN_HAZARD_STATUS] = "unexpected-status",
        [CTN_HAZARD_ENDLESS] = "no-end",
    };
    return names[kind];
}

/* ---- the journal ---- */

static bool is_own_code(ctn_failure code)
{
    return code == CTN_FAILURE_UNDEFINED_VARIABLE || code == CTN_FAILURE_MISSING_OUTPUT ||
           code == CTN_FAILURE_INVALID_OUTPUT || code == CTN_FAILURE_INVALID_INPUT ||
           code == CTN_FAILURE_EXPRESSION_LIMIT || code == CTN_FAILURE_DIVISION_BY_ZERO || code == CTN_FAILURE_LIMIT;
}

/* As people name it: a step of a sub-chain with its chain in front. */
static ctn_str step_name(story *s, const ctn_plan *plan, ctn_str step)
{
    return plan == s->o->plan || !step.len
               ? ctn_arena_str(s->arena, step)
               : ctn_arena_printf(s->arena, "%.*s/%.*s", CTN_STR_ARG(plan->chain_id), CTN_STR_ARG(step));
}

static void add_own_failure(story *s, const ctn_record *r, const ctn_plan *plan, const ctn_json *body)
{
    if (s->own_count == OWN_FAILURES_MAX)
        return;
    s->own[s->own_count++] = (own_failure){
        .step = step_name(s, plan, r->step),
        .code = ctn_arena_str(s->arena, ctn_json_str_or(body, "code", CTN_STR("failure"))),
        .message = ctn_arena_str(s->arena, ctn_json_str_or(body, "message", (ctn_str){0})),
    };
}

static void take_failed(story *s, const ctn_record *r, const ctn_plan *plan, const ctn_json *body)
{
    ctn_failure code = ctn_failure_from_name(ctn_json_str_or(body, "code", (ctn_str){0}));
    int64_t fallback = ctn_json_int_or(body, "fallback", 0); /* the one that comes next */
    bool is_final = ctn_json_bool_or(body, "final", false) || ctn_json_bool_or(body, "noRetry", false) || fallback;
    if (!is_final || code == CTN_FAILURE_CANCELLED || code == CTN_FAILURE_CONDITION_FAILED)
        return;
    if (is_own_code(code) && !s->was_malformed) {
        if (!fallback)
            add_own_failure(s, r, plan, body);
        return;
    }
    uint32_t step = ctn_plan_step_index(plan, r->step);
    if (step != CTN_PLAN_NONE && plan->steps[step].set->kind != CTN_SET_CALLS)
        return; /* nobody answered in time, or a sub-chain failed: that one's journal says why */
    ctn_str work = ctn_arena_printf(s->arena, "%.*s/%.*s/%lld", CTN_STR_ARG(plan->chain_id), CTN_STR_ARG(r->step),
                                    (long long) fallback);
    for (size_t i = 0; i < s->failed_count; i++)
        if (ctn_str_equal(s->failed_works[i], work))
            return;
    if (s->failed_count < sizeof s->failed_works / sizeof *s->failed_works)
        s->failed_works[s->failed_count++] = work;
}

/* What the journal tells for the budget. */
static void take_used(story *s, const ctn_json *body)
{
    const ctn_json *used = ctn_json_member_of(body, "used");
    s->bytes_spent += ctn_json_int_or(used, "bytes", 0);
}

static void take_interrupted(story *s, const ctn_record *r, const ctn_plan *plan, const ctn_json *body)
{
    ctn_str message = ctn_json_str_or(body, "message", (ctn_str){0});
    s->asked_call = ctn_arena_str(s->arena, ctn_json_str_or(body, "call", (ctn_str){0}));
    if (s->dead_end_count < DEAD_ENDS_MAX)
        s->dead_ends[s->dead_end_count++] = (dead_end){
            .step = step_name(s, plan, r->step),
            .is_undo = ctn_json_bool_or(body, "undo", false),
            .by_deaths = ctn_str_find(message, CTN_STR("times in a row")) != SIZE_MAX,
            .after_check = s->check_is_over,
        };
}

void story_take_record(story *s, const ctn_record *r, const ctn_plan *plan)
{
    s->any_skipped = s->any_skipped || r->kind == CTN_ENTRY_STEP_SKIPPED;
    const ctn_budget *budget = &s->o->plan->budget;
    bool has_budget = plan == s->o->plan && (budget->calls || budget->bytes || budget->wall_ms || budget->tokens);
    bool matters = (has_budget && (r->kind == CTN_ENTRY_ATTEMPT_SUCCEEDED || r->kind == CTN_ENTRY_WAITING)) ||
                   r->kind == CTN_ENTRY_ATTEMPT_FAILED || r->kind == CTN_ENTRY_COMPENSATION_FAILED ||
                   r->kind == CTN_ENTRY_CHECKED || r->kind == CTN_ENTRY_INTERRUPTED ||
                   r->kind == CTN_ENTRY_CANCEL_REQUESTED;
    if (!matters)
        return;
    const ctn_json *body = NULL;
    if (ctn_json_parse(ctn_world_life_arena(s->world), r->body, NULL, &body, NULL))
        return;
    ctn_str code = ctn_json_str_or(body, "code", (ctn_str){0});
    if (has_budget && (r->kind == CTN_ENTRY_ATTEMPT_SUCCEEDED || r->kind == CTN_ENTRY_ATTEMPT_FAILED))
        take_used(s, body); /* what undoes is never held back */
    if (has_budget && ctn_str_is(ctn_json_str_or(body, "for", (ctn_str){0}), "budget"))
        s->budget_reached = ctn_arena_str(s->arena, ctn_json_str_or(body, "what", CTN_STR("calls")));
    if (r->kind == CTN_ENTRY_ATTEMPT_FAILED)
        take_failed(s, r, plan, body);
    else if (r->kind == CTN_ENTRY_COMPENSATION_FAILED)
        s->undo_failed = s->undo_failed || ctn_json_bool_or(body, "final", false);
    else if (r->kind == CTN_ENTRY_CHECKED)
        s->check_is_over = s->check_is_over || ctn_json_bool_or(body, "over", false);
    else if (r->kind == CTN_ENTRY_INTERRUPTED)
        take_interrupted(s, r, plan, body);
    else if (ctn_str_is(code, "budget"))
        s->budget_reached = ctn_arena_str(s->arena, ctn_json_str_or(body, "message", CTN_STR("calls")));
    else if (r->kind == CTN_ENTRY_CANCEL_REQUESTED && !ctn_str_is(code, "cancelled") && !ctn_str_is(code, "timeout"))
        add_own_failure(s, r, plan, body);
}

/* ---- the judgement ---- */

static bool is_in_model(const story *s)
{
    bool by_deaths = false;
    for (size_t i = 0; i < s->dead_end_count; i++)
        by_deaths = by_deaths || s->dead_ends[i].by_deaths;
    return s->failed_count <= 1 && !s->undo_failed && !s->check_is_over && !by_deaths && !s->was_jumped;
}

static void add_same(story *s, ctn_hazard_kind kind, bool is_note, ctn_str step, ctn_str text, ctn_str same)
{
    ctn_story *r = s->result;
    for (size_t i = 0; i < r->hazard_count; i++)
        if (r->hazards[i].kind == kind && ctn_str_equal(r->hazards[i].step, step) &&
            ctn_str_equal(r->hazards[i].same, same))
            return;
    if (r->hazard_count < CTN_STORY_HAZARDS_MAX)
        r->hazards[r->hazard_count++] =
            (ctn_hazard){.kind = kind, .is_note = is_note || !r->in_model, .step = step, .text = text, .same = same};
}

static void add(story *s, ctn_hazard_kind kind, bool is_note, ctn_str step, ctn_str text)
{
    add_same(s, kind, is_note, step, text, text);
}

static ctn_str codes_of(story *s, uint32_t bits)
{
    ctn_str text = {0};
    for (int code = 1; code < CTN_FAILURE_COUNT; code++)
        if (bits >> code & 1u)
            text = ctn_arena_printf(s->arena, "%.*s%s%s", CTN_STR_ARG(text), text.len ? ", " : "",
                                    ctn_failure_name((ctn_failure) code));
    return text;
}

static ctn_str why_twice(story *s, const deed *d)
{
    const ctn_plan_step *p = &d->plan->steps[d->step];
    if (p->on_interrupted == CTN_ON_INTERRUPTED_RETRY)
        return CTN_STR(
            "`onInterrupted: retry` sends it again when nobody knows whether it happened; a `check` would tell");
    if (p->on_interrupted == CTN_ON_INTERRUPTED_DEFAULT && s->o->rules.retry_interrupted)
        return CTN_STR(
            "`interrupted: retry` of the configuration sends it again when nobody knows whether it happened; "
            "a `check` would tell");
    if (p->retry.retry_on)
        return ctn_arena_printf(s->arena, "retryOn names %.*s, after which it may have happened",
                                CTN_STR_ARG(codes_of(s, p->retry.retry_on)));
    if (s->was_jumped)
        return CTN_STR("somebody set the clock while it was not known whether it had happened, and settleMs was over");
    return CTN_STR("nothing in the chain explains it");
}

static ctn_str target_of(const deed *d)
{
    return d->set->calls[d->call].target;
}

static ctn_str step_of(story *s, const deed *d)
{
    return step_name(s, d->plan, d->plan->steps[d->step].name);
}

static void judge_twice(story *s)
{
    for (size_t i = 0; i < s->deed_count; i++) {
        const deed *d = &s->deeds[i];
        if (d->count > 1 && d->effect == CTN_EFFECT_WRITE)
            add(s, CTN_HAZARD_TWICE, false, step_of(s, d),
                ctn_arena_printf(s->arena, "the effect of %.*s%s may happen twice: %.*s", CTN_STR_ARG(target_of(d)),
                                 d->role == CTN_ROLE_UNDO ? ", its undo," : "", CTN_STR_ARG(why_twice(s, d))));
    }
}

typedef enum undo_time { UNDO_NEVER, UNDO_BEFORE, UNDO_AFTER } undo_time;

static undo_time when_undone(const story *s, const deed *d)
{
    undo_time when = UNDO_NEVER;
    for (size_t i = 0; i < s->deed_count; i++) {
        const deed *u = &s->deeds[i];
        if (u->role == CTN_ROLE_UNDO && u->last && ctn_str_equal(u->prefix, d->prefix))
            when = u->last > d->last ? UNDO_AFTER : when == UNDO_AFTER ? when : UNDO_BEFORE;
    }
    return when;
}

static void judge_left(story *s)
{
    if (!ctn_status_is_final(s->result->status) || s->result->status == CTN_STATUS_COMPLETED)
        return;
    for (size_t i = 0; i < s->deed_count; i++) {
        const deed *d = &s->deeds[i];
        const ctn_plan_step *p = &d->plan->steps[d->step];
        if (d->role == CTN_ROLE_UNDO || d->count <= d->in_error || p->no_undo.len)
            continue;
        const char *why = NULL;
        bool is_note = false;
        if (!p->undo && d->effect == CTN_EFFECT_WRITE) {
            why = "the step has no rollbackAction, and no noUndo says why";
        } else if (p->undo && !d->plan->is_rollback_enabled) {
            why = "rollbackEnabled is false, so its rollbackAction never runs";
        } else if (p->undo && when_undone(s, d) == UNDO_BEFORE) {
            why = "a call that was given up may do its work later than its undo; a `check`, or a settleMs below its "
                  "timeoutMs, would tell";
            is_note = true;
        } else if (p->undo && when_undone(s, d) == UNDO_NEVER && s->undo_failed) {
            why = p->retry.max_retries
                      ? "its undo may fail for good, its retries spent"
                      : "its undo may fail for good; the step has no retryConfig, which is its undo's too";
            is_note = true;
        } else if (p->undo && when_undone(s, d) == UNDO_NEVER && d->plan != s->o->plan &&
                   !s->o->plan->is_rollback_enabled) {
            why = "the chain that started this one has no rollback, so a completed sub-chain is not undone";
        } else if (p->undo && when_undone(s, d) == UNDO_NEVER) {
            why = "its undo was not made";
        }
        if (why)
            add(s, CTN_HAZARD_LEFT, is_note, step_of(s, d),
                ctn_arena_printf(s->arena, "what %.*s did may stay when the chain does not complete: %s",
                                 CTN_STR_ARG(target_of(d)), why));
    }
}

static void judge_dead_ends(story *s)
{
    for (size_t i = 0; i < s->dead_end_count; i++) {
        const dead_end *e = &s->dead_ends[i];
        const char *what = e->is_undo ? "its undo" : "it";
        ctn_str text;
        if (e->by_deaths)
            text = CTN_STR("may park until a person says what happened: the engine died five times in a row at it");
        else if (e->after_check)
            text = CTN_STR("may park until a person says what happened: its check could not tell");
        else
            text = ctn_arena_printf(s->arena,
                                    "may park until a person says whether %s happened: it is a write, and there is no "
                                    "`check` to ask",
                                    what);
        add(s, CTN_HAZARD_DEAD_END, e->by_deaths || e->after_check, e->step, text);
    }
}

/* True: it says what it waits for. */
static bool judge_waiting(story *s, const ctn_execution *x)
{
    const ctn_plan *plan = ctn_execution_plan(x);
    ctn_open_task tasks[64];
    size_t count = ctn_execution_open_tasks(x, tasks, sizeof tasks / sizeof *tasks);
    bool explained = ctn_execution_budget_wait(x) != NULL;
    for (size_t i = 0; i < count; i++) {
        const ctn_step_view *v = &tasks[i].view;
        if (v->status != CTN_STEP_WAITING || v->due_ms || v->waits_for_child)
            continue;
        explained = true;
        bool is_root = ctn_str_equal(plan->chain_id, s->o->plan->chain_id);
        add(s, CTN_HAZARD_ENDLESS_WAIT, false,
            step_name(s, is_root ? s->o->plan : plan, plan->steps[tasks[i].step].name),
            ctn_arena_printf(s->arena,
                             "may wait for ever for an answer that does not come: neither the step nor the chain has a "
                             "deadline (%stimeoutMs)",
                             v->wants_approval ? "the approval's, the step's or the chain's "
                                               : "its own or the chain's "));
    }
    return explained;
}

static void judge_parked(story *s)
{
    if (s->result->end == CTN_STAGE_ENDLESS) {
        add(s, CTN_HAZARD_ENDLESS, false, (ctn_str){0}, CTN_STR("it does not come to an end"));
        return;
    }
    if (s->result->end != CTN_STAGE_PARKED)
        return;
    bool explained = false;
    const ctn_execution *x;
    for (size_t i = 0; (x = ctn_stage_execution(s->stage, i)); i++)
        if (!ctn_status_is_final(ctn_execution_status(x)))
            explained = judge_waiting(s, x) || explained;
    if (!explained)
        add(s, CTN_HAZARD_ENDLESS, false, (ctn_str){0},
            ctn_arena_printf(s->arena, "it stays %s, and nothing goes on", ctn_status_name(s->result->status)));
}

static void judge_budget(story *s)
{
    const ctn_budget *b = &s->o->plan->budget;
    size_t guessed, all;
    ctn_guess_count(s->o->guess, &guessed, &all);
    int64_t times = s->grants + 1;
    if (b->calls && s->calls_spent > b->calls * times)
        add(s, CTN_HAZARD_BUDGET, false, (ctn_str){0},
            ctn_arena_printf(s->arena, "may make more calls than its budget of %lld", (long long) b->calls));
    if (b->bytes && s->bytes_spent > b->bytes * times)
        add(s, CTN_HAZARD_BUDGET, guessed > 0, (ctn_str){0},
            ctn_arena_printf(s->arena,
                             "may take more bytes than its budget of %lld: how long an answer is, is known when it is "
                             "there",
                             (long long) b->bytes));
    if (s->budget_reached.len)
        add(s, CTN_HAZARD_BUDGET, true, (ctn_str){0},
            b->parks ? CTN_STR("may use up its budget, and waits for somebody to grant it once more")
                     : CTN_STR("may use up its budget, and ends then"));
}

static void judge_own_failures(story *s)
{
    size_t guessed, all;
    ctn_guess_count(s->o->guess, &guessed, &all);
    for (size_t i = 0; i < s->own_count; i++) {
        const own_failure *f = &s->own[i];
        bool is_missing = ctn_str_is(f->code, "missing_output");
        /* Where a branch was not taken it is the chain that reads what is not there; else our guess may be to blame. */
        bool is_chains = ctn_str_is(f->code, "undefined_variable") && (s->any_skipped || s->failed_count > 0);
        add_same(s, is_missing ? CTN_HAZARD_MISSING : CTN_HAZARD_BY_ITSELF, guessed > 0 && !is_chains, f->step,
                 ctn_arena_printf(s->arena, "fails without any fault (%.*s): %.*s", CTN_STR_ARG(f->code),
                                  CTN_STR_ARG(f->message)),
                 f->code);
    }
}

void story_judge(story *s)
{
    s->result->in_model = is_in_model(s);
    judge_twice(s);
    judge_left(s);
    judge_dead_ends(s);
    judge_parked(s);
    judge_budget(s);
    judge_own_failures(s);
    if (s->result->status == CTN_STATUS_ROLLBACK_FAILED && !s->undo_failed)
        add(s, CTN_HAZARD_STATUS, false, (ctn_str){0},
            CTN_STR("may end rollback_failed although every undo went well"));
}
