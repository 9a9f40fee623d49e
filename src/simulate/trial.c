/*
 * trial.c -- see trial.h.
 */
#include "simulate/trial.h"

int ctn_trial_open(ctn_arena *arena, const ctn_trial_options *options, ctn_trial *ret_trial, ctn_err *err)
{
    ctn_trial *t = ret_trial;
    *t = (ctn_trial){.arena = arena};
    int rc = ctn_sub_chains_open(&t->children, options->plan, err);
    if (rc)
        return rc;
    ctn_guess_options guess = {.plan = options->plan,
                               .children = t->children.plans,
                               .child_count = t->children.count,
                               .schema_of = options->schema_of,
                               .schema_ctx = options->ctx,
                               .recorded = options->recorded,
                               .recorded_ctx = options->ctx,
                               .input = options->input};
    rc = ctn_guess_new(arena, &guess, &t->guess, err);
    if (rc)
        return ctn_wrap(err, rc, "no input could be made that the chain accepts");
    ctn_story_options story = {.plan = options->plan,
                               .plans = t->children.plans,
                               .plan_count = t->children.count,
                               .guess = t->guess,
                               .rules = options->rules,
                               .effect = options->effect,
                               .effect_ctx = options->ctx};
    return ctn_campaign_new(&story, &t->campaign, err);
}

void ctn_trial_close(ctn_trial *t)
{
    ctn_campaign_free(t->campaign);
    ctn_sub_chains_close(&t->children);
}

ctn_json_builder ctn_hazard_to_json(ctn_arena *arena, const ctn_hazard *h)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "kind", ctn_str_from(ctn_hazard_name(h->kind)));
    ctn_json_put_str(&b, "severity", h->is_note ? CTN_STR("note") : CTN_STR("bad"));
    ctn_json_put(&b, CTN_STR("step"), h->step.len ? ctn_json_string(arena, h->step) : NULL);
    ctn_json_put_str(&b, "message", ctn_arena_str(arena, h->text));
    return b;
}

const ctn_json *ctn_tally_to_json(ctn_arena *arena, ctn_str chain_id, const ctn_campaign_tally *t,
                                  ctn_str (*replay)(void *ctx, uint64_t seed), void *ctx)
{
    ctn_json_builder b = ctn_json_object(arena), by = ctn_json_object(arena), hazards = ctn_json_array(arena);
    for (ctn_status status = 0; status < CTN_STATUS_COUNT; status++)
        if (t->by_status[status])
            ctn_json_put_int(&by, ctn_status_name(status), (int64_t) t->by_status[status]);
    for (size_t i = 0; i < t->hazard_count; i++) {
        const ctn_campaign_hazard *h = &t->hazards[i];
        ctn_json_builder x = ctn_hazard_to_json(arena, &h->hazard);
        ctn_json_put_int(&x, "worlds", (int64_t) h->worlds);
        ctn_json_put(&x, CTN_STR("share"),
                     ctn_json_number(arena, ctn_arena_printf(arena, "%.6g", (double) h->worlds / (double) t->worlds)));
        ctn_json_put_int(&x, "seed", (int64_t) h->seed);
        if (replay)
            ctn_json_put_str(&x, "replay", replay(ctx, h->seed));
        ctn_json_push(&hazards, ctn_json_finish(&x));
    }
    ctn_json_put_str(&b, "chain", chain_id);
    ctn_json_put_int(&b, "worlds", (int64_t) t->worlds);
    ctn_json_put_int(&b, "planned", (int64_t) t->planned);
    ctn_json_put_int(&b, "inModel", (int64_t) t->in_model);
    ctn_json_put_int(&b, "calls", (int64_t) t->calls);
    ctn_json_put_int(&b, "faults", (int64_t) t->faults);
    ctn_json_put_int(&b, "deaths", (int64_t) t->deaths);
    ctn_json_put(&b, CTN_STR("statuses"), ctn_json_finish(&by));
    ctn_json_put(&b, CTN_STR("findings"), ctn_json_finish(&hazards));
    return ctn_json_finish(&b);
}

static void keep_line(void *ctx, ctn_str line)
{
    ctn_json_builder *b = ctx;
    ctn_json_push(b, ctn_json_string(b->arena, line));
}

int ctn_trial_tell(ctn_trial *t, ctn_str chain_id, uint64_t seed, ctn_arena *arena, const ctn_json **ret_story,
                   bool *ret_is_bad, ctn_err *err)
{
    ctn_story story;
    ctn_scenario scenario = ctn_campaign_scenario(t->campaign, seed);
    ctn_str title = ctn_scenario_to_str(arena, &scenario);
    ctn_json_builder lines = ctn_json_array(arena), hazards = ctn_json_array(arena), b = ctn_json_object(arena);
    int rc = ctn_campaign_play(t->campaign, seed, keep_line, &lines, &story, err);
    if (rc)
        return rc;
    *ret_is_bad = false;
    for (size_t i = 0; i < story.hazard_count; i++) {
        *ret_is_bad = *ret_is_bad || !story.hazards[i].is_note;
        ctn_json_builder hazard = ctn_hazard_to_json(arena, &story.hazards[i]);
        ctn_json_push(&hazards, ctn_json_finish(&hazard));
    }
    ctn_json_put_str(&b, "chain", chain_id);
    ctn_json_put_int(&b, "seed", (int64_t) seed);
    ctn_json_put_str(&b, "scenario", title);
    ctn_json_put_str(&b, "status", ctn_str_from(ctn_status_name(story.status)));
    ctn_json_put_bool(&b, "inModel", story.in_model);
    ctn_json_put(&b, CTN_STR("findings"), ctn_json_finish(&hazards));
    ctn_json_put(&b, CTN_STR("story"), ctn_json_finish(&lines));
    *ret_story = ctn_json_finish(&b);
    return CTN_OK;
}
