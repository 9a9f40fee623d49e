/*
 * binding.c -- see binding.h.
 */
#include "engine/binding.h"
#include "engine/request.h"
#include "engine/state.h"

#include <assert.h>

const ctn_driver *ctn_eng_driver_of(const ctn_engine *e, ctn_work_kind kind)
{
    ctn_str name = ctn_str_from(ctn_work_kind_name(kind));
    for (size_t i = 0; i < e->options.driver_count; i++)
        if (ctn_str_is(name, e->options.drivers[i]->kind))
            return e->options.drivers[i];
    return NULL;
}

static ctn_effect effect_of(void *ctx, ctn_work_kind kind, ctn_str target, const char **ret_from)
{
    const ctn_driver *driver = ctn_eng_driver_of(ctx, kind);
    return driver && driver->effect ? driver->effect(driver->ctx, target, ret_from) : CTN_EFFECT_UNKNOWN;
}

static bool schema_of(void *ctx, ctn_work_kind kind, ctn_str target, ctn_digest *ret_digest)
{
    const ctn_driver *driver = ctn_eng_driver_of(ctx, kind);
    return driver && driver->schema && driver->schema(driver->ctx, target, ret_digest);
}

static bool most_of(void *ctx, const ctn_plan_call *call, const ctn_json *args, ctn_arena *arena, ctn_used *ret_most)
{
    const ctn_driver *driver = ctn_eng_driver_of(ctx, call->kind);
    return driver && driver->most &&
           driver->most(driver->ctx, call->target, call->detail, args, arena, &ret_most->tokens, &ret_most->money);
}

void ctn_eng_binding_init(ctn_engine *e)
{
    e->rules.most_of = most_of;
    e->rules.effect_of = effect_of;
    e->rules.effect_ctx = e;
    e->rules.schema_of = schema_of; /* with cached_ctx, the engine as well */
}

static void on_prepared(void *ctx)
{
    plan_ref *p = ctx;
    assert(p->preparing > 0);
    if (--p->preparing > 0)
        return;
    const ctn_engine_options *options = &p->engine->options;
    if (options->plan_bound)
        options->plan_bound(options->plan_bound_ctx, p->plan);
    p->is_bound = true;
    ctn_eng_wake(p->engine);
}

static void prepare_call(ctn_engine *e, plan_ref *p, const ctn_plan_call *call)
{
    const ctn_driver *driver = ctn_eng_driver_of(e, call->kind);
    if (!driver || !driver->prepare)
        return;
    p->preparing++;
    driver->prepare(driver->ctx, call->target, on_prepared, p);
}

static void prepare_set(ctn_engine *e, plan_ref *p, const ctn_plan_set *set)
{
    for (uint32_t i = 0; set && i < set->call_count; i++)
        prepare_call(e, p, &set->calls[i]);
    if (set && set->check)
        prepare_call(e, p, set->check);
}

void ctn_eng_bind(ctn_engine *e, plan_ref *p)
{
    p->preparing = 1; /* ours, so that it is bound only after all were asked */
    for (uint32_t i = 0; i < p->plan->step_count; i++) {
        const ctn_plan_step *step = &p->plan->steps[i];
        prepare_set(e, p, step->set);
        prepare_set(e, p, step->undo);
        for (uint32_t k = 0; k < step->fallback_count; k++)
            prepare_set(e, p, step->fallbacks[k].set);
    }
    on_prepared(p);
}
