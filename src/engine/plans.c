/*
 * plans.c -- see plans.h.
 */
#include "engine/plans.h"
#include "base/memory.h"
#include "engine/binding.h"
#include "engine/state.h"

#include <stdlib.h>

static ctn_digest plan_key(const ctn_plan *plan)
{
    ctn_hasher h;
    ctn_hasher_init(&h);
    for (uint32_t i = 0; i < plan->definition_count; i++)
        ctn_hasher_add(&h, (ctn_str){(const char *) plan->definitions[i].digest.bytes, CTN_DIGEST_BYTES});
    return ctn_hasher_finish(&h);
}

plan_ref *ctn_eng_plan_by_key(const ctn_engine *e, const ctn_digest *key)
{
    for (plan_ref *p = e->plans; p; p = p->next)
        if (memcmp(&p->key, key, sizeof *key) == 0)
            return p;
    return NULL;
}

plan_ref *ctn_eng_plan_ref(const ctn_engine *e, const ctn_plan *plan)
{
    for (plan_ref *p = e->plans; p; p = p->next)
        if (p->plan == plan)
            return p;
    return NULL;
}

static bool is_lent(const ctn_engine *e, const ctn_plan *plan)
{
    for (size_t i = 0; i < e->options.plan_count; i++)
        if (e->options.plans[i] == plan)
            return true;
    return false;
}

static void plan_free(const ctn_engine *e, ctn_plan *plan)
{
    if (!is_lent(e, plan))
        ctn_plan_free(plan);
}

void ctn_eng_plans_free(ctn_engine *e)
{
    for (plan_ref *p = e->plans, *next; p; p = next) {
        next = p->next;
        plan_free(e, p->plan);
        for (child_plan *c = p->children, *after; c; c = after) {
            after = c->next;
            free(c);
        }
        free(p);
    }
    e->plans = NULL;
}

plan_ref *ctn_eng_plan_keep(ctn_engine *e, ctn_plan *plan)
{
    ctn_digest key = plan_key(plan);
    plan_ref *p = ctn_eng_plan_by_key(e, &key);
    if (p) {
        if (p->plan != plan)
            plan_free(e, plan);
        return p;
    }
    p = ctn_malloc(sizeof *p);
    if (plan->may_be_sensitive && !plan->sensitivity && !is_lent(e, plan))
        plan->sensitivity = ctn_sensitivity_of(plan, NULL, plan->arena);
    *p = (plan_ref){.next = e->plans, .plan = plan, .key = key, .engine = e};
    e->plans = p;
    ctn_eng_bind(e, p);
    return p;
}

int ctn_engine_plan_add(ctn_engine *e, ctn_plan *plan, ctn_str created_by, const ctn_plan **ret_plan,
                        int64_t *ret_version, ctn_err *err)
{
    int rc = CTN_OK;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    if (plan->unsupported.len) {
        rc = ctn_fail(err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(plan->unsupported));
        goto done;
    }
    ctn_definition *definitions = CTN_NEW_ARRAY(e->scratch, ctn_definition, plan->definition_count);
    for (uint32_t i = 0; i < plan->definition_count; i++)
        definitions[i] = (ctn_definition){.digest = plan->definitions[i].digest,
                                          .kind = plan->definitions[i].kind,
                                          .name = plan->definitions[i].name,
                                          .body = plan->definitions[i].body};
    rc = ctn_store_definition_put(e->options.store, definitions, plan->definition_count, err);
    if (rc)
        goto done;
    ctn_chain_row row = {.chain_id = plan->chain_id,
                         .version = plan->version_stated,
                         .digest = plan->definitions[0].digest,
                         .created_at_ms = ctn_clock_now_ms(&e->options.clock),
                         .created_by = created_by};
    rc = ctn_store_chain_put(e->options.store, &row, ret_version, err);
    if (rc)
        goto done;
    *ret_plan = ctn_eng_plan_keep(e, plan)->plan;
done:
    ctn_arena_restore(e->scratch, mark);
    if (rc)
        plan_free(e, plan);
    return rc;
}

void ctn_eng_plans_lend(ctn_engine *e)
{
    for (size_t i = 0; i < e->options.plan_count; i++)
        (void) ctn_eng_plan_keep(e, (ctn_plan *) e->options.plans[i]);
}

int ctn_eng_plan_find(ctn_engine *e, ctn_str chain_id, ctn_str created_by, ctn_start *ret_start, bool *ret_again,
                      ctn_err *err)
{
    ctn_plan *plan = NULL;
    if (!e->options.chain_find)
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no chain %.*s here", CTN_STR_ARG(chain_id));
    int rc = e->options.chain_find(e->options.chain_find_ctx, chain_id, &plan, err);
    if (rc)
        return rc;
    rc = ctn_engine_plan_add(e, plan, created_by, &ret_start->plan, &ret_start->version, err);
    *ret_again = ctn_is_store_trouble(rc);
    return rc;
}

int ctn_eng_plan_of_child(ctn_engine *e, plan_ref *parent, ctn_str chain_id, const child_plan **ret_plan, ctn_err *err)
{
    for (child_plan *p = parent->children; p; p = p->next)
        if (ctn_str_equal(p->plan->chain_id, chain_id)) {
            *ret_plan = p;
            return CTN_OK;
        }
    ctn_plan *plan = NULL;
    ctn_arena *arena = ctn_arena_new(16384);
    int rc = ctn_plan_of_child(arena, parent->plan, chain_id, &plan, err);
    if (rc) {
        ctn_arena_free(arena);
        return rc;
    }
    child_plan *p = ctn_calloc(1, sizeof *p);
    rc = ctn_engine_plan_add(e, plan, CTN_STR("engine"), &p->plan, &p->version, err);
    if (rc) {
        free(p);
        return rc;
    }
    p->next = parent->children;
    parent->children = p;
    *ret_plan = p;
    return CTN_OK;
}

bool ctn_eng_plans_were_bound(ctn_engine *e)
{
    bool any = false;
    for (plan_ref *p = e->plans; p; p = p->next)
        if (p->is_bound && !p->was_told)
            any = p->was_told = true;
    return any;
}
