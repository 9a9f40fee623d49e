/*
 * plan.c -- plans from chains, from definitions, and back.
 *
 * There is one way to make a plan: from definitions. Compiling a chain of the library checks it, collects the
 * definitions it uses and makes the plan of those, so that a plan after recovery cannot differ from the one the
 * execution started with: it came about in the same way from the same bytes.
 */
#include "chain/plan.h"
#include "base/memory.h"
#include "chain/definition.h"
#include "chain/flow.h"
#include "chain/plan_internal.h"
#include "chain/requires.h"
#include <assert.h>

/* ---- definitions ---- */

typedef struct definition_list {
    ctn_arena *arena;
    ctn_plan_definition *items;
    uint32_t count;
    size_t capacity;
    ctn_names seen;           /* "kind name" */
    const ctn_json *requires; /* of the chain and the sub-chains that are listed */
} definition_list;

/* False when it is there already. */
static bool list_takes(definition_list *list, const char *kind, ctn_str name)
{
    uint32_t known = list->seen.count;
    ctn_str key = ctn_arena_printf(list->arena, "%s %.*s", kind, CTN_STR_ARG(name));
    return ctn_names_add(&list->seen, key) == known;
}

static void list_add(definition_list *list, const char *kind, ctn_str name, ctn_str body)
{
    list->items = ctn_arena_room(list->arena, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = (ctn_plan_definition){
        .kind = ctn_str_from(kind), .name = ctn_arena_str(list->arena, name), .body = body, .digest = ctn_hash(body)};
}

static void list_add_document(definition_list *list, const ctn_document *document)
{
    if (list_takes(list, "template", document->name))
        list_add(list, "template", document->name, ctn_definition_of_document(list->arena, document));
}

/* {{>*name}} names its partial only when it is rendered: any document may be meant. */
static bool names_partials_at_render(ctn_str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.ptr[i] != '>' && text.ptr[i] != '<')
            continue;
        ctn_str rest = ctn_str_trim(ctn_str_from_offset(text, i + 1));
        if (rest.len && rest.ptr[0] == '*')
            return true;
    }
    return false;
}

static int collect(definition_list *list, const ctn_graph *graph, ctn_findings *findings);

/* A sub-chain, with everything that it uses in turn. */
static int list_add_chain(definition_list *list, const ctn_graph *graph, ctn_str id, ctn_findings *findings)
{
    const ctn_chain *chain = ctn_library_chain(graph->library, id);
    if (!chain) { /* a check lets it pass, for it may be kept elsewhere; to run it has to be here */
        ctn_str advice = ctn_library_suggest_chain(graph->library, graph->arena, id);
        ctn_source_error(graph->chain->source, graph->chain->node, findings, "unknown-chain",
                         "a step hands its work to the chain '%.*s', which is not there; %.*s", CTN_STR_ARG(id),
                         CTN_STR_ARG(advice));
        return CTN_E_INVALID;
    }
    if (!list_takes(list, "chain", id))
        return CTN_OK;
    ctn_str clash;
    list->requires = ctn_requires_merge(list->arena, list->requires, chain->requires, &clash);
    if (clash.len) {
        ctn_source_error(graph->chain->source, graph->chain->node, findings, "type",
                         "no node can have the label '%.*s' as 'requires' of the sub-chain '%.*s' says it, and as this "
                         "chain, or another sub-chain, does: sub-chains run where their parent does",
                         CTN_STR_ARG(clash), CTN_STR_ARG(id));
        return CTN_E_INVALID;
    }
    ctn_graph *child = NULL;
    int rc = ctn_graph_build(graph->arena, graph->library, chain, findings, &child);
    if (rc == CTN_OK)
        rc = ctn_flow_check(child, findings);
    if (rc)
        return rc;
    list_add(list, "chain", id, ctn_definition_of_chain(list->arena, chain));
    return collect(list, child, findings);
}

static int list_add_set(definition_list *list, const ctn_graph *graph, const ctn_instruction_set *set,
                        ctn_findings *findings)
{
    if (!set || !list_takes(list, "instruction_set", set->name))
        return CTN_OK;
    list_add(list, "instruction_set", set->name, ctn_definition_of_set(list->arena, set));
    return set->work.kind == CTN_WORK_CHAIN ? list_add_chain(list, graph, ctn_json_text(set->work.detail), findings)
                                            : CTN_OK;
}

/* What the steps use, in their order. Partials follow the document that names them. */
static int collect(definition_list *list, const ctn_graph *graph, ctn_findings *findings)
{
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && i < graph->step_count; i++) {
        const ctn_graph_step *step = &graph->steps[i];
        rc = list_add_set(list, graph, step->set, findings);
        if (rc == CTN_OK)
            rc = list_add_set(list, graph, step->undo, findings);
        for (uint32_t k = 0; rc == CTN_OK && k < step->step->fallback_count; k++)
            rc = list_add_set(list, graph, step->fallbacks[k], findings);
        if (step->document)
            list_add_document(list, step->document);
        for (const ctn_partial *partial = step->partials; partial; partial = partial->next)
            list_add_document(list, partial->document);
    }
    return rc;
}

/* The chain first. */
static int collect_definitions(ctn_arena *arena, const ctn_graph *graph, ctn_findings *findings,
                               definition_list *ret_list)
{
    *ret_list = (definition_list){.arena = arena, .requires = graph->chain->requires};
    definition_list *list = ret_list;
    ctn_names_init(&list->seen, arena);
    (void) list_takes(list, "chain", graph->chain->id);
    list_add(list, "chain", graph->chain->id, ctn_definition_of_chain(arena, graph->chain));
    int rc = collect(list, graph, findings);
    for (uint32_t i = 0; i < list->count; i++) {
        if (!ctn_str_is(list->items[i].kind, "template") || !names_partials_at_render(list->items[i].body))
            continue;
        for (size_t k = 0; k < ctn_library_document_count(graph->library); k++)
            list_add_document(list, ctn_library_document_at(graph->library, k));
        break;
    }
    return rc;
}

/* ---- public ---- */

typedef struct compiling {
    ctn_arena *arena;
    const ctn_library *library;
    const ctn_chain *chain;
    ctn_findings *findings;
    const ctn_plan *parent; /* of a sub-chain's plan */
    ctn_str chain_id;       /* ... its name */
    const ctn_plan_definition *definitions;
    uint32_t definition_count;
    ctn_plan *plan; /* the result */
    ctn_err *err;
} compiling;

static int compile(void *ctx)
{
    compiling *c = ctx;
    ctn_arena *scratch = ctn_arena_new(65536);
    ctn_graph *graph = NULL;
    ctn_err err = {0};
    int rc = ctn_graph_build(scratch, c->library, c->chain, c->findings, &graph);
    if (rc == CTN_OK)
        rc = ctn_flow_check(graph, c->findings);
    definition_list list;
    if (rc == CTN_OK)
        rc = collect_definitions(c->arena, graph, c->findings, &list);
    if (rc)
        goto done;
    rc = ctn_plan_from_definitions(c->arena, list.items, list.count, &c->plan, &err);
    if (rc) { /* what was checked a moment ago compiles again, a limit of size excepted */
        ctn_source_error(c->chain->source, c->chain->node, c->findings, "syntax", "%s", err.message);
    }
done:
    ctn_arena_free(scratch);
    return rc;
}

int ctn_plan_compile(ctn_arena *arena, const ctn_library *library, const ctn_chain *chain, ctn_findings *findings,
                     ctn_plan **ret_plan)
{
    if (chain->fault_count)
        return CTN_E_INVALID;
    compiling c = {.arena = arena, .library = library, .chain = chain, .findings = findings};
    int rc = ctn_findings_guarded(findings, ctn_source_file_name(chain->source), compile, &c);
    if (rc == CTN_OK)
        *ret_plan = c.plan;
    return rc;
}

static int add_definition(ctn_library *library, const ctn_plan_definition *definition, ctn_findings *findings,
                          const ctn_chain **ret_chain)
{
    ctn_str file = ctn_arena_printf(findings->arena, "%.*s %.*s.json", CTN_STR_ARG(definition->kind),
                                    CTN_STR_ARG(definition->name));
    if (!ctn_str_is(definition->kind, "template"))
        return ctn_library_add_text(library, file, definition->body, findings, ret_chain);
    const ctn_json *body = NULL;
    int rc = ctn_json_parse(findings->arena, definition->body, NULL, &body, NULL);
    if (rc)
        return rc;
    return ctn_library_add_template(library, ctn_json_str_or(body, "name", definition->name), file,
                                    ctn_json_str_or(body, "text", CTN_STR("")), findings);
}

int ctn_plan_graph(ctn_arena *arena, const ctn_plan_definition *definitions, uint32_t count, ctn_graph **ret_graph,
                   ctn_err *err)
{
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    int rc = count ? CTN_OK : CTN_E_INVALID;
    for (uint32_t i = 0; rc == CTN_OK && i < count; i++)
        rc = add_definition(library, &definitions[i], &findings, i == 0 ? &chain : NULL);
    if (rc == CTN_OK)
        rc = chain ? ctn_graph_build(arena, library, chain, &findings, ret_graph) : CTN_E_INVALID;
    if (rc && findings.count)
        return ctn_fail(err, CTN_E_CORRUPT, "the definitions make no plan: %.*s:%u:%u: %.*s",
                        CTN_STR_ARG(findings.items[0].file), findings.items[0].line, findings.items[0].column,
                        CTN_STR_ARG(findings.items[0].message));
    if (rc)
        return ctn_fail(err, CTN_E_CORRUPT, "the definitions make no plan: the first one is no chain");
    return CTN_OK;
}

/* A sub-chain that does; what is found by its text may be something else, which costs a look and no more. */
static bool declares_sensitive(const ctn_plan_definition *definition)
{
    static const char key[] = "\"sensitive\":";
    return ctn_str_is(definition->kind, "chain") &&
           memmem(definition->body.ptr, definition->body.len, key, sizeof key - 1) != NULL;
}

/* Of a sub-chain; found by its text first, for most have none. */
static void add_requires(ctn_plan *plan, ctn_arena *arena, const ctn_plan_definition *definition)
{
    static const char key[] = "\"requires\":";
    const ctn_json *body = NULL;
    ctn_str clash; /* was refused when it was compiled */
    if (ctn_str_is(definition->kind, "chain") &&
        memmem(definition->body.ptr, definition->body.len, key, sizeof key - 1) != NULL &&
        ctn_json_parse(arena, definition->body, NULL, &body, NULL) == CTN_OK)
    plan->requires = ctn_requires_merge(arena, plan->requires, ctn_json_member_of(body, "requires"), &clash);
}

static int from_definitions(void *ctx)
{
    compiling *c = ctx;
    ctn_arena *arena = c->arena;
    ctn_graph *graph = NULL;
    int rc = ctn_plan_graph(arena, c->definitions, c->definition_count, &graph, c->err);
    if (rc)
        return rc;
    ctn_plan *plan = NULL;
    rc = ctn_plan_build(graph, &plan, c->err);
    if (rc)
        return ctn_wrap(c->err, CTN_E_CORRUPT, "the definitions make no plan");
    assert(plan);
    plan->definitions = CTN_NEW_ARRAY(arena, ctn_plan_definition, c->definition_count);
    plan->definition_count = c->definition_count;
    for (uint32_t i = 0; i < c->definition_count; i++)
        plan->definitions[i] = (ctn_plan_definition){.kind = ctn_arena_str(arena, c->definitions[i].kind),
                                                     .name = ctn_arena_str(arena, c->definitions[i].name),
                                                     .body = ctn_arena_str(arena, c->definitions[i].body),
                                                     .digest = c->definitions[i].digest};
    for (uint32_t i = 1; i < c->definition_count; i++)
        plan->may_be_sensitive = plan->may_be_sensitive || declares_sensitive(&plan->definitions[i]);
    for (uint32_t i = 1; i < c->definition_count; i++)
        add_requires(plan, arena, &plan->definitions[i]);
    plan->requires_text = ctn_requires_text(arena, plan->requires);
    c->plan = plan;
    return CTN_OK;
}

int ctn_plan_from_definitions(ctn_arena *arena, const ctn_plan_definition *definitions, uint32_t count,
                              ctn_plan **ret_plan, ctn_err *err)
{
    compiling c = {.arena = arena, .definitions = definitions, .definition_count = count, .err = err};
    int rc = ctn_guarded(from_definitions, &c, err);
    if (rc == CTN_OK)
        *ret_plan = c.plan;
    return rc;
}

static int of_child(void *ctx)
{
    compiling *c = ctx;
    ctn_findings findings;
    ctn_arena *scratch = ctn_arena_new(16384);
    ctn_findings_init(&findings, scratch);
    ctn_library *library = ctn_library_new(scratch);
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && i < c->parent->definition_count; i++)
        rc = add_definition(library, &c->parent->definitions[i], &findings, NULL);
    const ctn_chain *chain = ctn_library_chain(library, c->chain_id);
    if (rc || !chain)
        rc = ctn_fail(c->err, CTN_E_CORRUPT, "the definitions hold no chain %.*s", CTN_STR_ARG(c->chain_id));
    else if (ctn_plan_compile(c->arena, library, chain, &findings, &c->plan))
        rc = ctn_fail(c->err, CTN_E_CORRUPT, "the definitions make no plan of %.*s", CTN_STR_ARG(c->chain_id));
    ctn_arena_free(scratch);
    return rc;
}

int ctn_plan_of_child(ctn_arena *arena, const ctn_plan *parent, ctn_str chain_id, ctn_plan **ret_plan, ctn_err *err)
{
    compiling c = {.arena = arena, .parent = parent, .chain_id = chain_id, .err = err};
    int rc = ctn_guarded(of_child, &c, err);
    if (rc == CTN_OK)
        *ret_plan = c.plan;
    return rc;
}

void ctn_plan_done(ctn_plan *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; i < plan->schema_count; i++)
        ctn_schema_done(plan->schemas[i]);
    plan->schema_count = 0;
}

void ctn_plan_free(ctn_plan *plan)
{
    ctn_plan_done(plan);
    if (plan)
        ctn_arena_free(plan->arena);
}

uint32_t ctn_plan_slot(const ctn_plan *plan, ctn_str variable)
{
    return ctn_names_find(plan->variable_names, variable);
}

uint32_t ctn_plan_step_index(const ctn_plan *plan, ctn_str step_name)
{
    return ctn_names_find(plan->step_names, step_name);
}
