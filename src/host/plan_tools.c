/*
 * plan_tools.c -- see plan_tools.h.
 */
#include "host/plan_tools.h"
#include "host/prepare.h"

#define EXECUTIONS_READ_MAX 200
#define RESULTS_MAX         4096

typedef struct known_tool {
    struct known_tool *next;
    ctn_str target;
    const ctn_json *output_schema;
    ctn_effect effect;
} known_tool;

typedef struct known_result {
    struct known_result *next;
    ctn_str step, call;
    const ctn_json *value;
} known_result;

struct ctn_plan_tools {
    ctn_arena *arena;
    const ctn_mcp_driver *servers; /* while they are asked */
    const ctn_plan *plan;
    known_tool *tools;
    known_result *results, *results_last;
    size_t result_count;
};

/* ---- servers ---- */

static void keep_tool(void *ctx, ctn_str step, ctn_str target)
{
    ctn_plan_tools *t = ctx;
    (void) step;
    for (const known_tool *k = t->tools; k; k = k->next)
        if (ctn_str_equal(k->target, target))
            return;
    ctn_str tool = target;
    ctn_str server = ctn_str_cut(&tool, '/');
    size_t count = 0;
    const ctn_mcp_tool *tools = ctn_mcp_tools(t->servers, server, &count);
    for (size_t i = 0; i < count; i++) {
        if (!ctn_str_equal(tools[i].name, tool))
            continue;
        known_tool *k = CTN_NEW(t->arena, known_tool);
        *k = (known_tool){.next = t->tools,
                          .target = ctn_arena_str(t->arena, target),
                          .effect = ctn_mcp_effect(t->servers, target, NULL)};
        if (tools[i].output_schema)
            k->output_schema = ctn_json_copy(t->arena, tools[i].output_schema);
        t->tools = k;
    }
}

int ctn_plan_tools_ask_servers(ctn_plan_tools *t, ctn_host *host, ctn_err *err)
{
    ctn_drivers *drivers;
    int rc = ctn_workspace_check_servers(ctn_host_workspace(host), t->arena, t->plan, err);
    if (rc == CTN_OK)
        rc = ctn_prepare(host, t->plan, err);
    if (rc == CTN_OK)
        rc = ctn_host_drivers(host, &drivers, err);
    if (rc == CTN_OK) {
        t->servers = ctn_drivers_tools(drivers);
        ctn_plan_each_tool(t->plan, keep_tool, t);
        t->servers = NULL;
    }
    return rc;
}

/* ---- the store ---- */

static void keep_result(ctn_plan_tools *t, ctn_str step, ctn_str call, const ctn_json *value)
{
    if (t->result_count == RESULTS_MAX)
        return;
    known_result *r = CTN_NEW(t->arena, known_result);
    *r = (known_result){.step = ctn_arena_str(t->arena, step), .call = ctn_arena_str(t->arena, call), .value = value};
    if (t->results_last)
        t->results_last->next = r;
    else
        t->results = r;
    t->results_last = r;
    t->result_count++;
}

/* value at the path in an object that is made on the way; an index makes a list that has it. */
static const ctn_json *placed(ctn_arena *arena, const ctn_path_part *parts, size_t count, const ctn_json *value)
{
    if (count == 0)
        return value;
    const ctn_json *inner = placed(arena, parts + 1, count - 1, value);
    if (!parts[0].name.ptr) {
        ctn_json_builder list = ctn_json_array(arena);
        for (int64_t i = 0; i < parts[0].index && i < 64; i++)
            ctn_json_push(&list, inner);
        ctn_json_push(&list, inner);
        return ctn_json_finish(&list);
    }
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put(&b, parts[0].name, inner);
    return ctn_json_finish(&b);
}

/* The variables that a step took, back in a result that gives them. Variables that share a part of their path keep
 * the last. */
static const ctn_json *result_of_variables(const ctn_plan_tools *t, const ctn_plan_step *p, const ctn_json *variables)
{
    ctn_json_builder b = ctn_json_object(t->arena);
    for (uint32_t i = 0; i < p->output_count; i++) {
        const ctn_plan_output *o = &p->outputs[i];
        ctn_str name = t->plan->variables[o->slot];
        const ctn_json *value = ctn_json_get(variables, name);
        if (!value || (p->document && p->document_slot == o->slot))
            continue;
        ctn_json_put(&b, o->path ? o->path->root : name,
                     o->path ? placed(t->arena, o->path->parts, o->path->count, value) : value);
    }
    return ctn_json_finish(&b);
}

static int take_record(void *ctx, const ctn_record *r, int64_t position)
{
    ctn_plan_tools *t = ctx;
    const ctn_json *body = NULL;
    (void) position;
    if (r->kind != CTN_ENTRY_ATTEMPT_SUCCEEDED || r->sealed.len || ctn_json_parse(t->arena, r->body, NULL, &body, NULL))
        return 0;
    uint32_t step = ctn_plan_step_index(t->plan, r->step);
    const ctn_json *result = ctn_json_member_of(body, "result"), *variables = ctn_json_member_of(body, "variables");
    if (step == CTN_PLAN_NONE)
        return 0;
    const ctn_plan_step *p = &t->plan->steps[step];
    if (result)
        keep_result(t, r->step, ctn_json_str_or(body, "call", (ctn_str){0}), result);
    else if (variables && p->set->kind == CTN_SET_CALLS && !p->set->is_several)
        keep_result(t, r->step, (ctn_str){0}, result_of_variables(t, p, variables));
    return 0;
}

typedef struct reading {
    ctn_plan_tools *t;
    ctn_store *store;
} reading;

static int take_execution(void *ctx, const ctn_execution_row *row)
{
    const reading *r = ctx;
    (void) ctn_store_journal_read(r->store, row->exec_no, 1, take_record, r->t, NULL);
    return 0;
}

int ctn_plan_tools_ask_store(ctn_plan_tools *t, ctn_store *store, size_t *ret_count, ctn_err *err)
{
    reading r = {.t = t, .store = store};
    ctn_execution_filter filter = {.chain_id = t->plan->chain_id, .limit = EXECUTIONS_READ_MAX};
    int rc = ctn_store_execution_list(store, &filter, take_execution, &r, err);
    if (rc == CTN_OK)
        *ret_count = t->result_count;
    return rc;
}

/* ---- outside ---- */

ctn_plan_tools *ctn_plan_tools_new(ctn_arena *arena, const ctn_plan *plan)
{
    ctn_plan_tools *t = CTN_NEW(arena, ctn_plan_tools);
    t->arena = arena;
    t->plan = plan;
    return t;
}

static const known_tool *find_tool(const ctn_plan_tools *t, const char *kind, ctn_str target)
{
    if (strcmp(kind, "tool") != 0)
        return NULL;
    for (const known_tool *k = t->tools; k; k = k->next)
        if (ctn_str_equal(k->target, target))
            return k;
    return NULL;
}

const ctn_json *ctn_plan_tools_output_schema(const ctn_plan_tools *t, const char *kind, ctn_str target)
{
    const known_tool *k = find_tool(t, kind, target);
    return k ? k->output_schema : NULL;
}

ctn_effect ctn_plan_tools_effect(const ctn_plan_tools *t, const char *kind, ctn_str target)
{
    const known_tool *k = find_tool(t, kind, target);
    return k ? k->effect : CTN_EFFECT_UNKNOWN;
}

const ctn_json *ctn_plan_tools_recorded(const ctn_plan_tools *t, ctn_str step, ctn_str call, size_t i)
{
    for (const known_result *r = t->results; r; r = r->next)
        if (ctn_str_equal(r->step, step) && ctn_str_equal(r->call, call) && i-- == 0)
            return r->value;
    return NULL;
}
