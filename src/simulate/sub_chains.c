/* sub_chains.c -- see sub_chains.h. */
#include "simulate/sub_chains.h"
#include "core/sensitive.h"

static bool is_known(const ctn_sub_chains *c, const ctn_plan *root, ctn_str chain_id)
{
    bool is_there = ctn_str_equal(root->chain_id, chain_id);
    for (size_t i = 0; i < c->count; i++)
        is_there = is_there || ctn_str_equal(c->plans[i]->chain_id, chain_id);
    return is_there;
}

static int add(ctn_sub_chains *c, const ctn_plan *root, const ctn_plan *parent, const ctn_plan_set *set, ctn_err *err)
{
    ctn_plan *plan = NULL;
    if (!set || set->kind != CTN_SET_CHAIN || is_known(c, root, set->chain))
        return CTN_OK;
    if (c->count == CTN_SUB_CHAINS_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "more than %d sub-chains", CTN_SUB_CHAINS_MAX);
    int rc = ctn_plan_of_child(c->arena, parent, set->chain, &plan, err);
    if (rc == CTN_OK) {
        plan->sensitivity = ctn_sensitivity_of(plan, NULL, c->arena);
        c->plans[c->count++] = plan;
    }
    return rc;
}

static int add_all(ctn_sub_chains *c, const ctn_plan *root, const ctn_plan *parent, ctn_err *err)
{
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && i < parent->step_count; i++) {
        const ctn_plan_step *p = &parent->steps[i];
        rc = add(c, root, parent, p->set, err);
        if (rc == CTN_OK)
            rc = add(c, root, parent, p->undo, err);
        for (uint32_t k = 0; rc == CTN_OK && k < p->fallback_count; k++)
            rc = add(c, root, parent, p->fallbacks[k].set, err);
    }
    return rc;
}

int ctn_sub_chains_open(ctn_sub_chains *c, ctn_plan *plan, ctn_err *err)
{
    *c = (ctn_sub_chains){.arena = ctn_arena_new(16384)};
    plan->sensitivity = ctn_sensitivity_of(plan, NULL, plan->arena);
    int rc = add_all(c, plan, plan, err);
    for (size_t i = 0; rc == CTN_OK && i < c->count; i++)
        rc = add_all(c, plan, c->plans[i], err);
    return rc;
}

void ctn_sub_chains_close(ctn_sub_chains *c)
{
    for (size_t i = 0; i < c->count; i++)
        ctn_plan_done((ctn_plan *) c->plans[i]);
    ctn_arena_free(c->arena);
    *c = (ctn_sub_chains){0};
}
