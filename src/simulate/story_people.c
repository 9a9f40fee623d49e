/*
 * story_people.c -- the people of a world: they answer, settle what nobody else knows of, and grant what was spent.
 *
 * What must hold: they tell the truth. Whether a call happened they have from the ledger; whether they say anything at
 * all, and yes or no, hangs on the scenario and the step's name, so that it does not hang on when they are asked.
 */
#include "simulate/story_state.h"

#define GRANTS_MAX 3 /* of a budget that is used up again and again */
#define TASKS_MAX  64

/* What a person names: the step, or an item of it. */
static ctn_str task_name(story *s, const ctn_plan *plan, const ctn_open_task *t)
{
    ctn_str step = plan->steps[t->step].name;
    return t->view.item < 0 ? step
                            : ctn_arena_printf(s->arena, "%.*s[%lld]", CTN_STR_ARG(step), (long long) t->view.item);
}

static ctn_reply reply_of(story *s, ctn_str name)
{
    uint64_t chance = story_of_key(s, name, 2) % 20;
    ctn_reply said = s->o->scenario->reply;
    return said != CTN_REPLY_BY_CHANCE ? said
           : chance < 12               ? CTN_REPLY_YES
           : chance < 15               ? CTN_REPLY_NO
                                       : CTN_REPLY_NEVER;
}

static bool answer(story *s, const ctn_execution *x, const ctn_open_task *t)
{
    const ctn_plan *plan = ctn_execution_plan(x);
    ctn_str name = task_name(s, plan, t);
    ctn_reply said = reply_of(s, name);
    if (said == CTN_REPLY_NEVER)
        return false;
    ctn_guess_work work = {t->step, CTN_ROLE_DO, t->view.fallback};
    ctn_input in = {.kind = CTN_IN_ANSWER, .name = name, .item = -1, .actor = CTN_STR("sam")};
    const ctn_plan_set *set =
        work.fallback ? plan->steps[t->step].fallbacks[work.fallback - 1].set : plan->steps[t->step].set;
    if (set && ctn_json_count(set->who))
        in.actor = ctn_json_text(ctn_json_at(set->who, 0));
    if (t->view.wants_approval) {
        ctn_json_builder b = ctn_json_object(s->arena);
        ctn_json_put_bool(&b, "approved", said == CTN_REPLY_YES);
        in.value = ctn_json_finish(&b);
    } else {
        in.value = ctn_guess_reply(ctn_guess_of(s->o->guess, plan), work,
                                   said == CTN_REPLY_YES ? 0 : story_of_key(s, name, 4));
    }
    story_tell(s, "%.*s: %.*s answers %.*s", CTN_STR_ARG(name), CTN_STR_ARG(in.actor),
               CTN_STR_ARG(ctn_json_to_str(s->arena, in.value)));
    ctn_stage_say(s->stage, x, &in);
    return true;
}

/* The call that asks: by name where the step makes several. */
static deed *asked_deed(story *s, const ctn_execution *x, ctn_str name, ctn_role role)
{
    ctn_str prefix =
        ctn_arena_printf(s->arena, "%s/%.*s/", ctn_id_to_text(ctn_execution_id_of(x)).text, CTN_STR_ARG(name));
    for (size_t i = s->deed_count; i-- > 0;) {
        deed *d = &s->deeds[i];
        if (d->role != role || !ctn_str_starts_with(d->key, prefix))
            continue;
        if (!s->asked_call.len || ctn_str_equal(d->set->calls[d->call].name, s->asked_call))
            return d;
    }
    return NULL;
}

/* Who settles it has looked at what the tool really did. */
static bool settle(story *s, const ctn_execution *x, const ctn_open_task *t)
{
    const ctn_plan *plan = ctn_execution_plan(x);
    ctn_role role = t->view.is_undoing ? CTN_ROLE_UNDO : CTN_ROLE_DO;
    ctn_str name = task_name(s, plan, t);
    deed *d = asked_deed(s, x, name, role);
    bool happened = d && d->count > 0;
    ctn_input in = {.kind = CTN_IN_SETTLE,
                    .name = name,
                    .item = -1,
                    .actor = CTN_STR("sam"),
                    .not_happened = true,
                    .value = &ctn_json_null};
    in.settle = happened ? CTN_SETTLE_SUCCEED : ctn_world_roll(s->world, 2) ? CTN_SETTLE_RETRY : CTN_SETTLE_FAIL;
    if (in.settle == CTN_SETTLE_FAIL && !s->o->scenario->is_beyond && role == CTN_ROLE_UNDO)
        in.settle = CTN_SETTLE_RETRY;
    if (d)
        in.value = story_answer(s, d->key, ctn_guess_of(s->o->guess, plan),
                                (ctn_guess_work){d->step, d->role, d->fallback}, d->call);
    story_tell(s, "%.*s: a person looks, and says %s", CTN_STR_ARG(in.name),
               happened                        ? "that it happened"
               : in.settle == CTN_SETTLE_RETRY ? "do it again"
                                               : "that it failed");
    ctn_stage_say(s->stage, x, &in);
    return true;
}

/* The budget is granted once more, or not, or nobody says. */
static bool grant(story *s, const ctn_execution *x)
{
    ctn_reply said = reply_of(s, CTN_STR("budget"));
    if (said == CTN_REPLY_NEVER)
        return false;
    bool again = said == CTN_REPLY_YES && s->grants < GRANTS_MAX;
    s->grants += again;
    story_tell(s, "a person looks at the budget, and says %s", again ? "once more" : "no more");
    ctn_stage_say(s->stage, x,
                  &(ctn_input){.kind = CTN_IN_SETTLE,
                               .item = -1,
                               .actor = CTN_STR("sam"),
                               .settle = again ? CTN_SETTLE_RETRY : CTN_SETTLE_FAIL});
    return true;
}

bool story_ask_people(story *s, const ctn_execution *x)
{
    ctn_open_task tasks[TASKS_MAX];
    size_t count = ctn_execution_open_tasks(x, tasks, TASKS_MAX);
    if (ctn_execution_budget_wait(x) && grant(s, x))
        return true;
    for (size_t i = 0; i < count; i++) {
        const ctn_step_view *v = &tasks[i].view;
        if (v->status == CTN_STEP_INTERRUPTED && settle(s, x, &tasks[i]))
            return true;
        bool asks = v->status == CTN_STEP_WAITING && !v->waits_for_child &&
                    (v->wants_approval || v->wants_agent || !v->waits_for_time);
        if (asks && answer(s, x, &tasks[i]))
            return true;
    }
    return false;
}
