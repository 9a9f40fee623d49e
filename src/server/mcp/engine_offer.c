/*
 * engine_offer.c -- a chain as a tool: what it takes and gives, how long it may run, and what it does to the world.
 *
 * Annotations are computed from the effect classes of the chain's calls (the set's word, the operator's, the kind's;
 * what nobody knows counts as a write). They say no more than is certain, whether servers are up or not:
 *
 *   readOnlyHint     every call, fallbacks and sub-chains included, is of effect none or read
 *   destructiveHint  false only when every other call stands in a step that can be undone, in a chain that rolls back:
 *                    then no failure leaves anything behind that the author could not take back. Never for readers
 *   idempotentHint   never true of a chain that writes. "Idempotent" in a chain means with the same key, and each
 *                    execution has keys of its own: to call again harmlessly, callers give an idempotency key
 *   openWorldHint    false only when no call leaves this process
 *
 * A chain that takes longer than its callers wait is answered with "running", so its outputSchema has two branches: its
 * outputs, and the answer for now.
 */
#include "base/names.h"
#include "check/schema_flow.h"
#include "check/type.h"
#include "host/config_servers.h"
#include "server/mcp/engine_internal.h"

/* ---- what it does to the world ---- */

typedef struct deeds {
    const ctn_config *config;
    bool writes, leaves, cannot_be_undone;
    ctn_names seen; /* chains: each is looked at once, however often it is called, also by itself */
} deeds;

static void look_at_set(deeds *d, const ctn_plan_set *set, bool is_undone)
{
    for (uint32_t i = 0; i < set->call_count; i++) {
        const ctn_plan_call *call = &set->calls[i];
        ctn_effect effect = set->effect;
        if (effect == CTN_EFFECT_UNKNOWN)
            effect = ctn_config_effect((void *) d->config, ctn_work_kind_name(call->kind), call->target);
        if (effect == CTN_EFFECT_UNKNOWN)
            effect = call->effect;
        bool is_reader = effect == CTN_EFFECT_NONE || effect == CTN_EFFECT_READ;
        d->writes = d->writes || !is_reader;
        d->cannot_be_undone = d->cannot_be_undone || (!is_reader && !is_undone);
        d->leaves = d->leaves || (call->kind != CTN_WORK_TRANSFORM && call->kind != CTN_WORK_NATIVE);
    }
}

static void look_at_plan(deeds *d, const ctn_plan *plan);

static void look_at_child(deeds *d, const ctn_plan *parent, ctn_str chain_id)
{
    uint32_t seen = d->seen.count;
    if (ctn_names_add(&d->seen, ctn_arena_str(d->seen.arena, chain_id)) < seen)
        return;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_plan *plan = NULL;
    if (ctn_plan_of_child(arena, parent, chain_id, &plan, NULL) == CTN_OK) {
        look_at_plan(d, plan);
        ctn_plan_done(plan);
    } else {
        d->writes = d->leaves = d->cannot_be_undone = true; /* nobody knows */
    }
    ctn_arena_free(arena);
}

static void look_at_plan(deeds *d, const ctn_plan *plan)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const ctn_plan_step *step = &plan->steps[i];
        bool is_undone = step->undo && plan->is_rollback_enabled;
        look_at_set(d, step->set, is_undone);
        if (step->set->kind == CTN_SET_CHAIN)
            look_at_child(d, plan, step->set->chain);
        for (uint32_t k = 0; k < step->fallback_count; k++) {
            const ctn_plan_set *set = step->fallbacks[k].set;
            if (set)
                look_at_set(d, set, is_undone);
            if (set && set->kind == CTN_SET_CHAIN)
                look_at_child(d, plan, set->chain);
        }
    }
}

const ctn_json *ctn_offer_annotations(const ctn_config *config, const ctn_plan *plan, ctn_arena *arena)
{
    deeds d = {.config = config};
    ctn_json_builder b = ctn_json_object(arena);
    ctn_names_init(&d.seen, arena);
    look_at_plan(&d, plan);
    ctn_json_put_bool(&b, "readOnlyHint", !d.writes);
    ctn_json_put_bool(&b, "destructiveHint", d.writes && d.cannot_be_undone);
    ctn_json_put_bool(&b, "idempotentHint", !d.writes);
    ctn_json_put_bool(&b, "openWorldHint", d.leaves);
    return ctn_json_finish(&b);
}

/* ---- what it takes ---- */

const ctn_json *ctn_offer_input_schema(const ctn_plan *plan, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena), properties = ctn_json_object(arena), required = ctn_json_array(arena);
    ctn_json_put_str(&b, "type", CTN_STR("object"));
    if (ctn_json_is(plan->input_schema_source, CTN_JSON_OBJECT)) {
        ctn_json_put_all(&b, plan->input_schema_source);
        ctn_json_put_str(&b, "type", CTN_STR("object")); /* whatever it says: nothing else is accepted */
        return ctn_json_finish(&b);
    }
    for (uint32_t i = 0; i < plan->input_count; i++) {
        ctn_str name = plan->variables[plan->inputs[i].slot];
        ctn_json_put(&properties, name, ctn_type_to_schema(arena, &ctn_type_any));
        if (plan->inputs[i].is_required)
            ctn_json_push(&required, ctn_json_string(arena, name));
    }
    ctn_json_put(&b, CTN_STR("properties"), ctn_json_finish(&properties));
    if (required.count)
        ctn_json_put(&b, CTN_STR("required"), ctn_json_finish(&required));
    return ctn_json_finish(&b);
}

/* ---- what it gives ---- */

/* Without the output that is content already. */
static const ctn_json *without_content(const ctn_json *schema, ctn_str content, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena), properties = ctn_json_object(arena), required = ctn_json_array(arena);
    const ctn_json *members = ctn_json_member_of(schema, "properties"), *names = ctn_json_member_of(schema, "required");
    for (size_t i = 0; i < ctn_json_count(members); i++)
        if (!ctn_str_equal(ctn_json_text(&members->members[i].key), content))
            ctn_json_put(&properties, ctn_json_text(&members->members[i].key), &members->members[i].value);
    for (size_t i = 0; i < ctn_json_count(names); i++)
        if (!ctn_str_equal(ctn_json_text(ctn_json_at(names, i)), content))
            ctn_json_push(&required, ctn_json_at(names, i));
    if (properties.count == 0 && required.count == 0)
        return NULL;
    ctn_json_put_all(&b, schema);
    ctn_json_put(&b, CTN_STR("properties"), ctn_json_finish(&properties));
    ctn_json_put(&b, CTN_STR("required"), ctn_json_finish(&required));
    return ctn_json_finish(&b);
}

const ctn_json *ctn_offer_outputs_schema(const ctn_workspace *ws, const ctn_offered_chain *c, ctn_arena *arena)
{
    ctn_check_options options = {.effect = ctn_config_effect, .effect_ctx = ws->config};
    ctn_schema_flow *flow = ctn_schema_flow_new(arena, ws->config->library, &options);
    const ctn_type *type = ctn_schema_flow_outputs(flow, c->chain);
    if (type && !c->plan->may_be_sensitive) /* those are told as "(sealed)", whatever they are */
        return ctn_type_to_schema(arena, type);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "type", CTN_STR("object"));
    return ctn_json_finish(&b);
}

/* The answer for now (engine_result.c). */
static const ctn_json *open_schema(ctn_arena *arena)
{
    static const char *const TEXT = "{\"properties\":{\"executionId\":{\"type\":\"string\"},\"status\":{\"enum\":["
                                    "\"queued\",\"running\",\"waiting\","
                                    "\"interrupted\",\"paused\",\"compensating\"]},\"waitingFor\":{\"type\":\"array\"},"
                                    "\"next\":{\"type\":\"string\"}},"
                                    "\"required\":[\"executionId\",\"status\",\"next\"]}";
    const ctn_json *v = NULL;
    (void) ctn_json_parse(arena, ctn_str_from(TEXT), NULL, &v, NULL);
    return v;
}

/* Clients of older revisions want an object at the top. */
static const ctn_json *result_schema(const ctn_json *outputs, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena), either = ctn_json_array(arena);
    ctn_json_push(&either, outputs);
    ctn_json_push(&either, open_schema(arena));
    ctn_json_put_str(&b, "type", CTN_STR("object"));
    ctn_json_put(&b, CTN_STR("anyOf"), ctn_json_finish(&either));
    return ctn_json_finish(&b);
}

/* ---- the tool ---- */

static bool waits_for_somebody(const ctn_plan *plan)
{
    for (uint32_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].set->kind == CTN_SET_APPROVAL || plan->steps[i].set->kind == CTN_SET_AGENT)
            return true;
    return false;
}

/* The author's words, and what a caller must know besides. */
static ctn_str description_of(const ctn_offered_chain *c, ctn_arena *arena)
{
    const ctn_chain_mcp *mcp = &c->plan->mcp;
    ctn_str said = ctn_json_text(c->chain->description);
    const char *after = mcp->cancels_on_disconnect ? "It is cancelled when its caller goes away."
                                                   : "It goes on when its caller goes away.";
    ctn_str text = mcp->task == CTN_MCP_TASK_REQUIRED
                       ? ctn_arena_printf(arena, "It runs as a task where the client knows tasks. %s", after)
                       : ctn_arena_printf(arena,
                                          "When it has not ended after %lld s it answers with its executionId, for "
                                          "get_execution. %s",
                                          (long long) (mcp->wait_ms / 1000), after);
    return ctn_arena_printf(arena, "%.*s%sA durable chain of %u step%s. %.*s%s",
                            CTN_STR_ARG(said.len ? said : ctn_json_text(c->chain->name)),
                            said.len || ctn_json_text(c->chain->name).len ? "\n\n" : "", c->plan->step_count,
                            c->plan->step_count == 1 ? "" : "s", CTN_STR_ARG(text),
                            waits_for_somebody(c->plan) ? " It asks somebody on the way." : "");
}

void ctn_offer_tool(const ctn_workspace *ws, ctn_arena *arena, ctn_offered_chain *c)
{
    const ctn_plan *plan = c->plan;
    if (plan->mcp.as != CTN_MCP_AS_TOOL || ctn_chain_mcp_is_own_tool(plan->mcp.name))
        return;
    const ctn_json *outputs = ctn_offer_outputs_schema(ws, c, arena);
    if (plan->mcp.content.len)
        outputs = without_content(outputs, plan->mcp.content, arena);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "name", plan->mcp.name);
    if (ctn_json_text(c->chain->name).len)
        ctn_json_put_str(&b, "title", ctn_json_text(c->chain->name));
    ctn_json_put_str(&b, "description", description_of(c, arena));
    ctn_json_put(&b, CTN_STR("inputSchema"), ctn_offer_input_schema(plan, arena));
    if (outputs) {
        const ctn_json *schema = result_schema(outputs, arena);
        if (ctn_schema_compile(arena, schema, &c->result_schema, NULL, NULL) == CTN_OK)
            ctn_json_put(&b, CTN_STR("outputSchema"), schema);
    }
    ctn_json_put(&b, CTN_STR("annotations"), ctn_offer_annotations(ws->config, plan, arena));
    c->tool = ctn_json_finish(&b);
}
