/*
 * graph.c -- names resolved, reads and writes collected, inputs found.
 */
#include "chain/graph.h"
#include <assert.h>

/* ---- findings ---- */

typedef struct graph_build {
    ctn_graph *graph;
    ctn_findings *findings;
    size_t fault_count;
} graph_build;

static void unknown(graph_build *build, const ctn_json *node, const char *rule, const char *what,
                    const ctn_names *known)
{
    const ctn_chain *chain = build->graph->chain;
    ctn_str advice = ctn_suggest(build->graph->arena, ctn_json_text(node), known->items, known->count);
    ctn_source_error(chain->source, node, build->findings, rule, "there is no %s '%.*s'; %.*s", what,
                     CTN_STR_ARG(ctn_json_text(node)), CTN_STR_ARG(advice));
    ctn_findings_mend(build->findings, ctn_json_text(node),
                      ctn_str_nearest_only(ctn_json_text(node), known->items, known->count));
    build->fault_count++;
}

static const ctn_instruction_set *resolve_set(graph_build *build, const ctn_json *node)
{
    if (!node)
        return NULL;
    const ctn_library *library = build->graph->library;
    const ctn_instruction_set *set = ctn_library_set(library, ctn_json_text(node));
    if (!set)
        unknown(build, node, "unknown-set", "instruction set", ctn_library_set_names(library));
    return set;
}

/* The chain that a step's set hands its work to must be sound. One that is not there may be kept elsewhere (a plan
 * needs it, a check does not); only what looks mistyped is told. */
static void check_sub_chain(graph_build *build, const ctn_instruction_set *set, const ctn_json *node)
{
    if (!set || set->fault_count || set->work.kind != CTN_WORK_CHAIN)
        return;
    const ctn_graph *graph = build->graph;
    ctn_str id = ctn_json_text(set->work.detail);
    const ctn_chain *chain = ctn_library_chain(graph->library, id);
    ctn_str near = chain ? (ctn_str){0} : ctn_library_nearest_chain(graph->library, id);
    if (chain ? chain->fault_count == 0 : !near.len)
        return;
    ctn_str advice =
        chain ? ctn_arena_printf(graph->arena, "it has faults: %.*s", CTN_STR_ARG(ctn_source_file_name(chain->source)))
              : ctn_library_suggest_chain(graph->library, graph->arena, id);
    ctn_source_error(graph->chain->source, node, build->findings, "unknown-chain",
                     "instruction set '%.*s' hands its work to the chain '%.*s', which is %s; %.*s",
                     CTN_STR_ARG(set->name), CTN_STR_ARG(id), chain ? "not sound" : "not there", CTN_STR_ARG(advice));
    build->fault_count++;
}

/* ---- reads ---- */

static void add_read(ctn_graph *graph, ctn_graph_reads *reads, ctn_graph_read read)
{
    reads->items = ctn_arena_room(graph->arena, reads->items, reads->count, &reads->capacity, sizeof *reads->items);
    reads->items[reads->count++] = read;
}

/* Where the reads that are being collected go, and what they have in common. */
typedef struct read_sink {
    graph_build *build;
    ctn_graph_reads *reads;
    ctn_graph_read common; /* place, node, set */
    ctn_str local;         /* `as` of a foreach; empty: none */
    ctn_graph_step *user;  /* is told when {input} is read; NULL: not asked */
    bool has_item;         /* {item} is there: inside a foreach */
    bool has_input;        /* {input} is there: in a set */
    bool has_result;       /* {result} is there: in a document, and at undo time */
    bool has_secrets;      /* {secret.NAME} is there: in what is sent */
    bool is_of_chain;      /* the chain's own texts, which no step stands in */
} read_sink;

static bool is_member(const ctn_read *read, const char *const *members)
{
    size_t root = read->root.len;
    if (read->path.len <= root || read->path.ptr[root] != '.')
        return true; /* the whole, or an odd way to write a member */
    ctn_str name = ctn_str_from_offset(read->path, root + 1);
    for (; *members; members++) {
        ctn_str member = ctn_str_from(*members);
        if (ctn_str_starts_with(name, member) &&
            (name.len == member.len || name.ptr[member.len] == '.' || name.ptr[member.len] == '['))
            return true;
    }
    return false;
}

/* Can a reserved name have a value here? What may be missing is asked only in conditions. */
static bool is_stray(const read_sink *sink, const ctn_read *read)
{
    static const char *const EXECUTION[] = {"id", "chain", "startedAt", NULL};
    static const char *const STEP[] = {"name", "attempt", "key", NULL};
    if (read->is_optional && sink->common.place != CTN_READ_CONDITION)
        return false;
    if (ctn_str_is(read->root, "item"))
        return !sink->has_item;
    if (ctn_str_is(read->root, "input"))
        return !sink->has_input;
    if (ctn_str_is(read->root, "result"))
        return !sink->has_result;
    if (ctn_str_is(read->root, "secret"))
        return !sink->has_secrets;
    if (ctn_str_is(read->root, "execution"))
        return !is_member(read, EXECUTION);
    return ctn_str_is(read->root, "step") && (sink->is_of_chain || !is_member(read, STEP));
}

/* Of a set's text: where the chain names the set, and where the text stands in it. */
static ctn_graph_read read_at(const read_sink *sink, const ctn_read *read)
{
    ctn_graph_read found = sink->common;
    found.path = read->path;
    if (found.set)
        found.set_node = read->node;
    else if (!found.node)
        found.node = read->node;
    return found;
}

static void add_stray(read_sink *sink, const ctn_read *read)
{
    ctn_graph *graph = sink->build->graph;
    ctn_graph_stray *stray = CTN_NEW(graph->arena, ctn_graph_stray);
    stray->read = read_at(sink, read);
    stray->read.variable = CTN_GRAPH_NONE;
    stray->root = read->root;
    stray->next = graph->strays;
    graph->strays = stray;
}

static void take_read(read_sink *sink, const ctn_read *read)
{
    if (sink->user && ctn_str_is(read->root, "input")) {
        sink->user->reads_input = true;
        sink->user->needs_input |= !read->is_optional;
    }
    if (ctn_is_reserved_root(read->root) && is_stray(sink, read))
        add_stray(sink, read);
    if (!read->root.len || ctn_is_reserved_root(read->root) || ctn_str_equal(read->root, sink->local))
        return;
    ctn_graph_read taken = read_at(sink, read);
    taken.variable = ctn_names_add(&sink->build->graph->variables, read->root);
    taken.is_optional |= read->is_optional;
    taken.is_inner = read->is_inner;
    add_read(sink->build->graph, sink->reads, taken);
}

static void take_reads(read_sink *sink, const ctn_reads *reads)
{
    for (size_t i = 0; i < reads->count; i++)
        take_read(sink, &reads->items[i]);
}

static void template_reads(read_sink sink, const ctn_chain_template *template)
{
    ctn_reads reads = {0};
    ctn_chain_template_reads(template, sink.build->graph->arena, &reads);
    sink.common.place = CTN_READ_TEMPLATE;
    take_reads(&sink, &reads);
}

/* What a set sees as {input}. */
static void input_reads(read_sink sink, const ctn_chain_template *template)
{
    sink.has_secrets = true;
    template_reads(sink, template);
}

static void tree_reads(read_sink sink, const ctn_chain_tree *tree)
{
    ctn_reads reads = {0};
    ctn_tree_reads(tree->tree, sink.build->graph->arena, &reads);
    sink.common.place = CTN_READ_TEMPLATE;
    take_reads(&sink, &reads);
}

static void expression_reads(read_sink sink, const ctn_chain_expression *expression)
{
    ctn_reads reads = {0};
    ctn_expression_reads(expression->expression, sink.build->graph->arena, &reads);
    sink.common.place = CTN_READ_CONDITION;
    sink.common.is_optional = true;
    sink.common.node = expression->node;
    take_reads(&sink, &reads);
}

/* `node` is where the chain names the set. */
static void set_reads(read_sink sink, const ctn_instruction_set *set, const ctn_json *node)
{
    if (!set)
        return;
    ctn_reads reads = {0};
    ctn_instruction_set_reads(set, sink.build->graph->arena, &reads);
    sink.common.place = CTN_READ_SET;
    sink.has_input = true;
    sink.has_secrets = true; /* its own reader has looked at that */
    sink.common.node = node;
    sink.common.set = set;
    take_reads(&sink, &reads);
}

/* What the document reads is read after the step: its own outputs are there by then. */
static void document_reads(read_sink sink, const ctn_graph_step *step)
{
    ctn_graph *graph = sink.build->graph;
    ctn_reads reads = {0};
    ctn_mustache_reads(step->mustache, graph->arena, &reads);
    sink.common.place = CTN_READ_DOCUMENT;
    sink.has_result = true;
    sink.common.is_optional = true;
    sink.common.node = step->step->template_id;
    for (size_t i = 0; i < reads.count; i++) {
        bool is_own = false;
        for (uint32_t w = 0; w < step->write_count; w++)
            is_own |= ctn_str_equal(graph->variables.items[step->writes[w]], reads.items[i].root);
        if (!is_own)
            take_read(&sink, &reads.items[i]);
    }
}

static void step_reads(graph_build *build, ctn_graph_step *step)
{
    const ctn_chain_step *s = step->step;
    read_sink sink = {.build = build, .reads = &step->reads};
    template_reads(sink, &s->foreach.items); /* once for the step: there is no item yet */
    tree_reads(sink, &s->foreach.range);
    expression_reads(sink, &s->condition);
    sink.local = ctn_json_text(s->foreach.as);
    sink.has_item = s->foreach.node != NULL;
    input_reads(sink, &s->input);
    read_sink key_sink = sink;
    key_sink.has_input = true;
    template_reads(key_sink, &s->cache.key);
    read_sink main_sink = sink;
    main_sink.user = step;
    set_reads(main_sink, step->set, s->instruction_set);
    step->fallbacks = CTN_NEW_ARRAY(build->graph->arena, const ctn_instruction_set *, s->fallback_count);
    for (uint32_t i = 0; i < s->fallback_count; i++) {
        const ctn_chain_fallback *fallback = &s->fallbacks[i];
        input_reads(sink, &fallback->input);
        tree_reads(sink, &fallback->value);
        step->fallbacks[i] = resolve_set(build, fallback->instruction_set);
        check_sub_chain(build, step->fallbacks[i], fallback->instruction_set);
        set_reads(sink, step->fallbacks[i], fallback->instruction_set);
    }
    document_reads(sink, step);
    sink.reads = &step->undo_reads;
    sink.has_result = true;
    input_reads(sink, &s->rollback_template);
    set_reads(sink, step->undo, s->rollback_action);
}

/* ---- one step ---- */

static void resolve_document(graph_build *build, ctn_graph_step *step)
{
    const ctn_json *node = step->step->template_id;
    ctn_graph *graph = build->graph;
    step->document_variable = CTN_GRAPH_NONE;
    if (!node)
        return;
    step->document = ctn_library_document(graph->library, ctn_json_text(node));
    if (!step->document) {
        unknown(build, node, "unknown-template", "document template", ctn_library_document_names(graph->library));
        return;
    }
    ctn_mustache *mustache = NULL;
    ctn_err err = {0};
    if (ctn_library_compile_document(graph->library, graph->arena, step->document, &step->partials, &mustache, &err)) {
        ctn_source_error(graph->chain->source, node, build->findings, "bad-template",
                         "document template '%.*s' has a fault: %.*s:%u:%u: %s", CTN_STR_ARG(step->document->name),
                         CTN_STR_ARG(step->document->file_name), err.line, err.column, err.message);
        build->fault_count++;
        return;
    }
    step->mustache = mustache;
}

/* Output variables, and the one that the document's front matter names. */
static void step_writes(graph_build *build, ctn_graph_step *step)
{
    ctn_graph *graph = build->graph;
    const ctn_chain_step *s = step->step;
    step->writes = CTN_NEW_ARRAY(graph->arena, uint32_t, s->output_count + 1);
    for (uint32_t i = 0; i < s->output_count; i++)
        step->writes[step->write_count++] = ctn_names_add(&graph->variables, s->outputs[i].name);
    if (!step->mustache)
        return;
    ctn_str name = ctn_mustache_variable(step->mustache);
    if (name.len == 0) {
        if (step->write_count > 0)
            return;
        ctn_source_error(
            graph->chain->source, s->template_id, build->findings, "type",
            "the text of '%.*s' has nowhere to go: name a variable in 'outputVariables', or as 'variable' in "
            "the template's front matter",
            CTN_STR_ARG(step->document->name));
        build->fault_count++;
        return;
    }
    if (ctn_is_reserved_root(name)) {
        ctn_source_error(graph->chain->source, s->template_id, build->findings, "reserved-name",
                         "the front matter of '%.*s' names '%.*s' as its variable, which the language uses for itself; "
                         "choose another name",
                         CTN_STR_ARG(step->document->name), CTN_STR_ARG(name));
        build->fault_count++;
        return;
    }
    step->document_variable = ctn_names_add(&graph->variables, name);
    if (!ctn_graph_writes(graph, (uint32_t) (step - graph->steps), step->document_variable))
        step->writes[step->write_count++] = step->document_variable;
}

/* A fault of a set that the step uses is told once here; at the set it was told when it was read. */
static void tell_faulty_set(graph_build *build, const ctn_instruction_set *set, const ctn_json *node)
{
    if (!set || set->fault_count == 0)
        return;
    const ctn_finding *fault = &set->fault_first;
    ctn_source_error(build->graph->chain->source, node, build->findings, fault->rule,
                     "instruction set '%.*s' has a fault: %.*s:%u:%u: %.*s", CTN_STR_ARG(set->name),
                     CTN_STR_ARG(fault->file), fault->line, fault->column, CTN_STR_ARG(fault->message));
    build->fault_count++;
}

bool ctn_graph_writes(const ctn_graph *graph, uint32_t step, uint32_t variable)
{
    for (uint32_t i = 0; i < graph->steps[step].write_count; i++)
        if (graph->steps[step].writes[i] == variable)
            return true;
    return false;
}

/* ---- inputs ---- */

static bool has_ancestor_that_writes(const ctn_graph *graph, uint32_t reader, uint32_t variable)
{
    ctn_arena_mark mark = ctn_arena_save(graph->arena);
    bool *seen = CTN_NEW_ARRAY(graph->arena, bool, graph->step_count);
    uint32_t *stack = CTN_NEW_ARRAY(graph->arena, uint32_t, graph->step_count);
    uint32_t depth = 0;
    stack[depth++] = reader;
    seen[reader] = true;
    bool found = false;
    while (depth && !found) {
        const ctn_graph_step *step = &graph->steps[stack[--depth]];
        for (uint32_t i = 0; i < step->predecessor_count && !found; i++) {
            uint32_t before = step->predecessors[i];
            if (seen[before])
                continue;
            seen[before] = true;
            found = ctn_graph_writes(graph, before, variable);
            stack[depth++] = before;
        }
    }
    ctn_arena_restore(graph->arena, mark);
    return found;
}

static void input_of_read(ctn_graph *graph, const ctn_graph_read *read, uint32_t reader, bool is_undo,
                          bool *is_required)
{
    uint32_t v = read->variable;
    if (!graph->chain->input_schema && !graph->writers[v].count && !read->is_inner)
        graph->is_input[v] = true;
    if (read->is_optional || is_undo || !graph->is_input[v] || is_required[v])
        return;
    if (!graph->writers[v].count || reader == CTN_GRAPH_NONE || !has_ancestor_that_writes(graph, reader, v))
        is_required[v] = true;
}

/* With an inputSchema its properties; without one, what is read and never produced. Required is what a plain
 * placeholder reads. What only `outputs` names is no input: no step reads it. */
static void find_writers(ctn_graph *graph)
{
    uint32_t count = graph->variables.count;
    graph->writers = CTN_NEW_ARRAY(graph->arena, ctn_graph_steps, count);
    for (int round = 0; round < 2; round++) {
        for (uint32_t s = 0; s < graph->step_count; s++)
            for (uint32_t i = 0; i < graph->steps[s].write_count; i++) {
                ctn_graph_steps *writers = &graph->writers[graph->steps[s].writes[i]];
                if (writers->items)
                    writers->items[writers->count] = s;
                writers->count++;
            }
        for (uint32_t v = 0; round == 0 && v < count; v++)
            graph->writers[v] = (ctn_graph_steps){CTN_NEW_ARRAY(graph->arena, uint32_t, graph->writers[v].count), 0};
    }
}

static void find_inputs(ctn_graph *graph)
{
    uint32_t count = graph->variables.count;
    bool *is_required = CTN_NEW_ARRAY(graph->arena, bool, count);
    graph->is_input = CTN_NEW_ARRAY(graph->arena, bool, count);
    for (uint32_t v = 0; v < graph->declared_count; v++)
        graph->is_input[v] = true;
    for (uint32_t s = 0; s < graph->step_count; s++) {
        const ctn_graph_step *step = &graph->steps[s];
        for (uint32_t i = 0; i < step->reads.count; i++)
            input_of_read(graph, &step->reads.items[i], s, false, is_required);
        for (uint32_t i = 0; i < step->undo_reads.count; i++)
            input_of_read(graph, &step->undo_reads.items[i], s, true, is_required);
    }
    for (uint32_t i = 0; i < graph->chain_reads.count; i++)
        if (graph->chain_reads.items[i].place == CTN_READ_TEMPLATE)
            input_of_read(graph, &graph->chain_reads.items[i], CTN_GRAPH_NONE, false, is_required);
    graph->inputs = CTN_NEW_ARRAY(graph->arena, ctn_graph_input, count);
    for (uint32_t v = 0; v < count; v++)
        if (graph->is_input[v])
            graph->inputs[graph->input_count++] = (ctn_graph_input){v, is_required[v]};
}

/* ---- the whole ---- */

static void chain_reads(graph_build *build)
{
    const ctn_chain *chain = build->graph->chain;
    read_sink sink = {.build = build, .reads = &build->graph->chain_reads, .is_of_chain = true};
    template_reads(sink, &chain->concurrency_key);
    for (uint32_t i = 0; i < chain->result_count; i++) {
        const ctn_chain_result *result = &chain->results[i];
        if (result->expression.node) {
            expression_reads(sink, &result->expression);
            continue;
        }
        ctn_read read = {.root = result->name, .path = result->name, .is_optional = true};
        sink.common.place = CTN_READ_CONDITION;
        sink.common.node = result->node;
        take_read(&sink, &read);
    }
}

static void declare_inputs(ctn_graph *graph)
{
    const ctn_json *properties = ctn_json_member_of(graph->chain->input_schema, "properties");
    for (uint32_t i = 0; ctn_json_is(properties, CTN_JSON_OBJECT) && i < properties->count; i++)
        ctn_names_add(&graph->variables, ctn_json_text(&properties->members[i].key));
    graph->declared_count = graph->variables.count;
}

static void check_step_names(graph_build *build)
{
    ctn_graph *graph = build->graph;
    for (uint32_t s = 0; s < graph->step_count; s++) {
        const ctn_json *names = graph->steps[s].step->depends_on;
        for (size_t i = 0; i < ctn_json_count(names); i++) {
            const ctn_json *name = ctn_json_at(names, i);
            if (ctn_names_find(&graph->step_names, ctn_json_text(name)) == CTN_NAMES_NONE)
                unknown(build, name, "unknown-step", "step", &graph->step_names);
        }
    }
}

int ctn_graph_build(ctn_arena *arena, const ctn_library *library, const ctn_chain *chain, ctn_findings *findings,
                    ctn_graph **ret_graph)
{
    assert(chain->fault_count == 0);
    ctn_graph *graph = CTN_NEW(arena, ctn_graph);
    graph_build build = {.graph = graph, .findings = findings};
    graph->arena = arena;
    graph->library = library;
    graph->chain = chain;
    ctn_names_init(&graph->variables, arena);
    ctn_names_init(&graph->step_names, arena);
    declare_inputs(graph);
    graph->step_count = chain->step_count;
    graph->steps = CTN_NEW_ARRAY(arena, ctn_graph_step, graph->step_count);
    for (uint32_t i = 0; i < graph->step_count; i++) {
        ctn_graph_step *step = &graph->steps[i];
        step->step = &chain->steps[i];
        ctn_names_add(&graph->step_names, step->step->name);
        step->set = resolve_set(&build, step->step->instruction_set);
        step->undo = resolve_set(&build, step->step->rollback_action);
        tell_faulty_set(&build, step->set, step->step->instruction_set);
        tell_faulty_set(&build, step->undo, step->step->rollback_action);
        check_sub_chain(&build, step->set, step->step->instruction_set);
        resolve_document(&build, step);
        step_writes(&build, step);
        step_reads(&build, step);
    }
    chain_reads(&build);
    check_step_names(&build);
    *ret_graph = graph;
    if (build.fault_count)
        return CTN_E_INVALID;
    int rc = ctn_graph_order(graph, findings);
    if (rc)
        return rc;
    find_writers(graph);
    find_inputs(graph);
    return CTN_OK;
}
