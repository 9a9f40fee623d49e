/*
 * again.c -- see again.h.
 */
#include "host/again.h"
#include "engine/fold.h"
#include "host/told.h"

#define CHILD_DEPTH_MAX 64

typedef struct walk {
    ctn_store *store;
    ctn_arena *arena;
    uint32_t depth;
} walk;

/* ---- what was written ---- */

static bool has_written(void *ctx, ctn_execution_id id);

static bool any_has_written(walk *w, const ctn_execution *x)
{
    for (uint32_t i = 0; i < ctn_execution_plan(x)->step_count; i++) {
        ctn_step_record r = ctn_execution_step_record(x, i, w->arena);
        if (r.has_written || (!ctn_id_equal(r.child, (ctn_execution_id){0}) && has_written(w, r.child)))
            return true;
    }
    return false;
}

/* Of a sub-chain's execution. One that is not to be read may have written. */
static bool has_written(void *ctx, ctn_execution_id id)
{
    walk *w = ctx;
    ctn_execution_row row;
    ctn_execution *x = NULL;
    if (w->depth == CHILD_DEPTH_MAX || ctn_store_execution_get(w->store, w->arena, id, &row, NULL) ||
        ctn_execution_load(w->store, w->arena, &row, &x, NULL))
        return true;
    w->depth++;
    bool has = any_has_written(w, x);
    w->depth--;
    ctn_execution_unload(x);
    return has;
}

/* ---- the new one's plan and input ---- */

/* The definitions as they were when the old one started. */
static int same_plan(const ctn_again_options *o, ctn_arena *scratch, const ctn_execution *old, ctn_plan **ret_plan,
                     ctn_err *err)
{
    const ctn_plan *was = ctn_execution_plan(old);
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_plan *plan = NULL;
    int rc = ctn_plan_from_definitions(arena, was->definitions, was->definition_count, &plan, err);
    if (rc == CTN_OK && plan->unsupported.len)
        rc = ctn_fail(err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(plan->unsupported));
    if (rc == CTN_OK)
        rc = ctn_workspace_check_servers(o->ws, scratch, plan, err);
    if (rc == CTN_OK) {
        *ret_plan = plan;
        return CTN_OK;
    }
    ctn_plan_done(plan);
    ctn_arena_free(arena);
    return rc;
}

static int open_old(const ctn_again_options *o, ctn_arena *arena, ctn_execution **ret_old, ctn_err *err)
{
    int rc = ctn_execution_load_open(o->store, o->seal, arena, o->row, ret_old, err);
    if (rc || !ctn_execution_is_hidden(*ret_old))
        return rc;
    return ctn_fail(err, CTN_E_DENIED, "%s has sensitive values that cannot be read: %s",
                    ctn_id_to_text(o->row->id).text,
                    o->seal ? "they were shredded" : "`sealing` of catena.yaml does not say where the key is");
}

static int find_plan(const ctn_again_options *o, ctn_arena *arena, ctn_execution *old, ctn_plan **ret_plan,
                     ctn_err *err)
{
    ctn_str was = ctn_execution_plan(old)->chain_id;
    if (!o->plan)
        return same_plan(o, arena, old, ret_plan, err);
    if (!ctn_str_equal(o->plan->chain_id, was))
        return ctn_fail(err, CTN_E_INVALID, "that is the chain %.*s, and %s is an execution of %.*s",
                        CTN_STR_ARG(o->plan->chain_id), ctn_id_to_text(o->row->id).text, CTN_STR_ARG(was));
    return CTN_OK;
}

int ctn_again_start(const ctn_again_options *o, ctn_arena *arena, ctn_request *q, ctn_again *ret, ctn_err *err)
{
    walk w = {.store = o->store, .arena = arena};
    const ctn_json *accepted = NULL;
    ctn_json_builder input = ctn_json_object(arena);
    *ret = (ctn_again){0};
    q->plan = o->plan;
    int rc = open_old(o, arena, &ret->old, err);
    if (rc == CTN_OK)
        rc = find_plan(o, arena, ret->old, &q->plan, err);
    if (rc == CTN_OK) {
        ctn_json_put_all(&input, ctn_execution_input(ret->old, arena));
        ctn_json_put_all(&input, o->input);
        q->input = ctn_json_copy(arena, ctn_json_finish(&input));
        rc = ctn_plan_accept_input(q->plan, arena, q->input, &accepted, err);
    }
    if (rc == CTN_OK) {
        ctn_rerun_options options = {.old = ret->old,
                                     .plan = q->plan,
                                     .input = accepted,
                                     .from_step = o->from_step,
                                     .writes = o->writes,
                                     .write_count = o->write_count,
                                     .child_has_written = has_written,
                                     .child_ctx = &w};
        ret->step_count = q->plan->step_count;
        rc = ctn_rerun_plan(arena, &options, &ret->rerun, err);
    }
    if (rc) {
        ctn_request_drop_plan(q);
        return rc;
    }
    q->going_on = ctn_json_copy(arena, ret->rerun.going_on);
    q->sensitive = ctn_execution_sensitive_also(ret->old);
    q->sensitive = q->sensitive ? ctn_json_copy(arena, q->sensitive) : NULL;
    if (o->row->labels.len)
        q->labels = ctn_told_parsed(arena, o->row->labels);
    return CTN_OK;
}

void ctn_again_done(ctn_again *again)
{
    ctn_execution_unload(again->old);
    again->old = NULL;
}
