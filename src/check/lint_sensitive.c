/*
 * lint_sensitive.c -- sensitive values and secrets on their way to where others can read them.
 *
 * What is sensitive: the chain's `sensitive` variables and {secret.NAME}. Each is an origin, a bit. A text is tainted
 * with the origins of what it reads; taint goes through inputTemplate to {input}, through the items of a foreach to the
 * item, through a transform, a set's `result`, a fallback's value and a document into the variables they fill. It
 * ends in the result of anything else: a tool's answer is not followed.
 *
 * Where it leaves says outgoing.h. A step's `release` lets origins through, by their own name or by that of the
 * variable that carries them. What a set does with a secret is told at the set (lint_set.c), and at each step that
 * uses it.
 *
 * core/sensitive.c follows sensitive values too, for another question and so by other rules: what must be sealed, a yes
 * or no for each value of a plan, without regard to the order of steps and rather too much than too little. Here it is
 * from where a value came, along that order, and no more than is certain. What both stand on is what a text reads
 * (ctn_reads, value/scope.h).
 */
#include "check/lint_paths.h"
#include "check/outgoing.h"

typedef struct taint {
    ctn_lint_paths *paths;
    ctn_graph *graph;
    ctn_names origins; /* variables by their name, secrets as secret.NAME */
    size_t words;      /* of a set of origins */
    uint64_t ***of;    /* by step, by output: its origins; NULL: none */
} taint;

/* ---- sets of origins ---- */

static uint64_t *no_origins(const taint *t)
{
    return CTN_NEW_ARRAY(t->graph->arena, uint64_t, t->words);
}

static void add_origins(const taint *t, uint64_t *to, const uint64_t *from)
{
    for (size_t w = 0; from && w < t->words; w++)
        to[w] |= from[w];
}

static bool is_tainted(const taint *t, const uint64_t *set)
{
    for (size_t w = 0; set && w < t->words; w++)
        if (set[w])
            return true;
    return false;
}

static void add_origin(const taint *t, uint64_t *to, ctn_str name)
{
    uint32_t origin = ctn_names_find(&t->origins, name);
    if (origin != CTN_NAMES_NONE)
        to[origin / 64] |= UINT64_C(1) << (origin % 64);
}

/* "'a', 'b'" of the origins that are not released; empty: none is left. */
static ctn_str unreleased(const taint *t, const uint64_t *set, const ctn_json *release)
{
    ctn_buf text;
    ctn_buf_init(&text, 512);
    for (uint32_t i = 0; i < t->origins.count; i++)
        if ((set[i / 64] >> (i % 64) & 1) && !ctn_outgoing_is_released(release, t->origins.items[i]))
            ctn_buf_printf(&text, "%s'%.*s'", text.len ? ", " : "", CTN_STR_ARG(t->origins.items[i]));
    ctn_str kept = ctn_arena_str(t->graph->arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

/* ---- taint of one read ---- */

/* What the texts of one use of a set can read. */
typedef struct taint_scope {
    const taint *t;
    uint32_t step;
    const uint64_t *item, *input;
    const ctn_instruction_set *set;
    uint64_t **call_results;  /* of the set's calls; NULL: none */
    uint32_t call;            /* results before this one may be read */
    bool is_undo;             /* {input} and {result} are the step's outputs, if `input` is NULL */
    const ctn_json *carriers; /* variables that may pass; NULL: none */
} taint_scope;

/* The last writers of the variable before the step: until one that surely wrote. */
static void add_variable(const taint *t, uint32_t step, uint32_t variable, uint64_t *to)
{
    ctn_lint_paths *paths = t->paths;
    uint32_t count = paths->writers[variable].count;
    add_origin(t, to, t->graph->variables.items[variable]);
    while ((count = ctn_lint_writers_before(paths, step, variable, count)) > 0) {
        uint32_t writer = paths->writers[variable].items[--count];
        const ctn_graph_step *w = &t->graph->steps[writer];
        for (uint32_t i = 0; t->of[writer] && i < w->write_count; i++)
            if (w->writes[i] == variable)
                add_origins(t, to, t->of[writer][i]);
        if (!w->step->condition.expression)
            return;
    }
}

static void add_outputs(const taint *t, uint32_t step, ctn_str name, uint64_t *to)
{
    const ctn_graph_step *s = &t->graph->steps[step];
    for (uint32_t i = 0; i < s->write_count; i++) {
        ctn_str variable = t->graph->variables.items[s->writes[i]];
        if (name.len && !ctn_str_equal(name, variable))
            continue;
        add_origin(t, to, variable);
        if (t->of[step])
            add_origins(t, to, t->of[step][i]);
    }
}

static ctn_str origin_of_secret(ctn_arena *arena, ctn_str name)
{
    return ctn_arena_printf(arena, "secret.%.*s", CTN_STR_ARG(name));
}

static void add_read(const taint_scope *scope, const ctn_read *read, uint64_t *to)
{
    const taint *t = scope->t;
    const ctn_chain_step *step = t->graph->steps[scope->step].step;
    for (uint32_t i = 0; scope->set && i < scope->call; i++)
        if (ctn_str_equal(read->root, scope->set->calls[i].name)) {
            add_origins(t, to, scope->call_results ? scope->call_results[i] : NULL);
            return;
        }
    if (ctn_json_has_text(scope->carriers, read->root))
        return;
    if (ctn_str_is(read->root, "secret")) {
        add_origin(t, to, origin_of_secret(t->graph->arena, ctn_read_member(t->graph->arena, read)));
    } else if (ctn_str_is(read->root, "item") ||
               (step->foreach.as && ctn_str_equal(read->root, ctn_json_text(step->foreach.as)))) {
        add_origins(t, to, scope->item);
    } else if (ctn_str_is(read->root, "input") && (!scope->is_undo || scope->input)) {
        add_origins(t, to, scope->input);
    } else if (ctn_str_is(read->root, "input") || (ctn_str_is(read->root, "result") && scope->is_undo)) {
        add_outputs(t, scope->step, ctn_read_member(t->graph->arena, read), to);
    } else {
        uint32_t variable = ctn_names_find(&t->graph->variables, read->root);
        if (variable != CTN_NAMES_NONE)
            add_variable(t, scope->step, variable, to);
    }
}

static void add_reads(const taint_scope *scope, const ctn_reads *reads, uint64_t *to)
{
    for (size_t i = 0; i < reads->count; i++)
        add_read(scope, &reads->items[i], to);
}

static void add_template(const taint_scope *scope, const ctn_chain_template *template, uint64_t *to)
{
    ctn_reads reads = {0};
    ctn_template_reads(template->template, scope->t->graph->arena, &reads);
    add_reads(scope, &reads, to);
}

static void add_tree(const taint_scope *scope, const ctn_tree *tree, uint64_t *to)
{
    ctn_reads reads = {0};
    ctn_tree_reads(tree, scope->t->graph->arena, &reads);
    add_reads(scope, &reads, to);
}

/* The tree's member of this name; empty: all of it. */
static void add_member(const taint_scope *scope, const ctn_tree *tree, ctn_str name, uint64_t *to)
{
    add_tree(scope, name.len ? ctn_tree_get(tree, name) : tree, to);
}

/* ---- taint of results ---- */

/* What a transform makes of its arguments carries all of them; other calls' answers carry nothing. */
static void find_call_results(taint_scope *scope)
{
    const ctn_instruction_set *set = scope->set;
    scope->call_results = CTN_NEW_ARRAY(scope->t->graph->arena, uint64_t *, set->call_count);
    for (uint32_t i = 0; i < set->call_count; i++) {
        scope->call = i;
        scope->call_results[i] = no_origins(scope->t);
        if (set->calls[i].kind == CTN_WORK_TRANSFORM)
            add_tree(scope, set->calls[i].arguments.tree, scope->call_results[i]);
    }
    scope->call = set->call_count;
}

/* The member `name` of the set's result (empty: all of it). */
static void add_result(const taint_scope *scope, ctn_str name, uint64_t *to)
{
    const ctn_instruction_set *set = scope->set;
    if (set->work.kind == CTN_WORK_TRANSFORM)
        add_tree(scope, set->work.arguments.tree, to);
    for (uint32_t i = 0; i < set->call_count; i++)
        if (!name.len || ctn_str_equal(name, set->calls[i].name))
            add_origins(scope->t, to, scope->call_results[i]);
    add_member(scope, set->result.tree, name, to);
}

static ctn_str member_of_output(const ctn_chain_step *step, uint32_t i)
{
    const ctn_chain_output *output = &step->outputs[i];
    return output->path ? output->path->root : step->output_count == 1 ? (ctn_str){0} : output->name;
}

/* The text of a document fills the variable that its front matter names, else the first output that the result lacks:
 * which one is not known here when there are several; people write it last. */
static void add_document(const taint_scope *scope, const ctn_graph_step *step, uint64_t **of)
{
    const taint *t = scope->t;
    if (!step->mustache || step->write_count == 0)
        return;
    uint32_t at = step->write_count - 1;
    for (uint32_t i = 0; i < step->write_count; i++)
        if (step->writes[i] == step->document_variable)
            at = i;
    ctn_reads reads = {0};
    ctn_mustache_reads(step->mustache, t->graph->arena, &reads);
    for (size_t i = 0; i < reads.count; i++) {
        if (reads.items[i].root.len)
            add_read(scope, &reads.items[i], of[at]);
        for (uint32_t k = 0; k < step->write_count; k++) /* the step's own outputs are there by then */
            if (ctn_str_equal(reads.items[i].root, t->graph->variables.items[step->writes[k]]))
                add_origins(t, of[at], of[k]);
    }
}

static void find_outputs(taint *t, uint32_t s, const taint_scope *main, const taint_scope *fallbacks)
{
    const ctn_graph_step *step = &t->graph->steps[s];
    const ctn_chain_step *said = step->step;
    uint64_t **of = CTN_NEW_ARRAY(t->graph->arena, uint64_t *, step->write_count);
    for (uint32_t i = 0; i < step->write_count; i++)
        of[i] = no_origins(t);
    for (uint32_t i = 0; i < said->output_count; i++) {
        ctn_str name = member_of_output(said, i);
        add_result(main, name, of[i]);
        for (uint32_t f = 0; f < said->fallback_count; f++) {
            if (fallbacks[f].set)
                add_result(&fallbacks[f], name, of[i]);
            else
                add_member(main, said->fallbacks[f].value.tree, name, of[i]);
        }
    }
    add_document(main, step, of);
    bool is_any = false;
    for (uint32_t i = 0; i < step->write_count; i++)
        is_any |= is_tainted(t, of[i]);
    t->of[s] = is_any ? of : NULL;
}

/* ---- findings ---- */

/* What one use of a set lets out, gathered by way: through {input}, or by the set's own words. */
typedef struct way_out {
    uint64_t *origins;
    const char *where; /* NULL: nothing goes out this way */
    ctn_str target;    /* the tool; empty: it is none */
} way_out;
typedef struct outflow {
    taint_scope scope;
    way_out by_input, by_set;
} outflow;

static void take_outgoing(outflow *flow, const ctn_outgoing *out)
{
    taint_scope scope = flow->scope;
    scope.call = out->call;
    uint64_t *got = no_origins(scope.t);
    add_read(&scope, &out->read, got);
    if (!is_tainted(scope.t, got))
        return;
    way_out *way = ctn_str_is(out->read.root, "input") ? &flow->by_input : &flow->by_set;
    add_origins(scope.t, way->origins, got);
    way->where = out->where;
    way->target = out->work->kind == CTN_WORK_TOOL ? ctn_json_text(out->work->detail) : (ctn_str){0};
}

static void tell(const taint_scope *scope, const way_out *way, const ctn_json *node)
{
    const taint *t = scope->t;
    const ctn_chain_step *step = t->graph->steps[scope->step].step;
    ctn_str names = way->where ? unreleased(t, way->origins, step->release) : (ctn_str){0};
    if (!names.len)
        return;
    ctn_lint_warn(t->paths->lint, step, node, "sensitive-flow",
                  "%.*s is sensitive and reaches %s%s%.*s%s (instruction set '%.*s'); if it may, name it in the step's "
                  "'release', else leave it out",
                  CTN_STR_ARG(names), way->where, way->target.len ? " ('" : "", CTN_STR_ARG(way->target),
                  way->target.len ? "')" : "", CTN_STR_ARG(scope->set->name));
}

/* `input_node` is where the chain writes what the set sees as {input}; `set_node` where it names the set. */
static void tell_outflow(const taint_scope *scope, const ctn_json *input_node, const ctn_json *set_node)
{
    const taint *t = scope->t;
    outflow flow = {.scope = *scope, .by_input.origins = no_origins(t), .by_set.origins = no_origins(t)};
    for (const ctn_outgoing *out = ctn_outgoing_of(scope->set, t->paths->lint->options, t->graph->arena); out;
         out = out->next)
        take_outgoing(&flow, out);
    tell(scope, &flow.by_input, input_node ? input_node : set_node);
    tell(scope, &flow.by_set, set_node);
}

/* ---- one step ---- */

/* A use of `set` whose {input} is the template. Carriers that are released do not flow out, but taint they leave. */
static void use_set(const taint_scope *base, const ctn_instruction_set *set, const ctn_chain_template *input,
                    const ctn_json *set_node, taint_scope *ret_scope)
{
    const taint *t = base->t;
    const ctn_json *release = t->graph->steps[base->step].step->release;
    taint_scope scope = *base, out;
    uint64_t *all = no_origins(t), *outgoing = no_origins(t);
    scope.set = set;
    if (input->template || !scope.is_undo) {
        add_template(base, input, all);
        taint_scope passing = *base;
        passing.carriers = release;
        add_template(&passing, input, outgoing);
        scope.input = all;
    }
    find_call_results(&scope);
    out = scope;
    out.input = scope.input ? outgoing : NULL;
    out.carriers = release;
    tell_outflow(&out, input->node, set_node);
    *ret_scope = scope;
}

static void lint_step(taint *t, uint32_t s)
{
    const ctn_graph_step *step = &t->graph->steps[s];
    const ctn_chain_step *said = step->step;
    taint_scope base = {.t = t, .step = s}, main, undo;
    uint64_t *item = no_origins(t);
    add_template(&base, &said->foreach.items, item);
    add_tree(&base, said->foreach.range.tree, item);
    base.item = item;
    use_set(&base, step->set, &said->input, said->instruction_set, &main);
    taint_scope *fallbacks = CTN_NEW_ARRAY(t->graph->arena, taint_scope, said->fallback_count);
    for (uint32_t f = 0; f < said->fallback_count; f++) {
        const ctn_chain_fallback *fallback = &said->fallbacks[f];
        if (step->fallbacks[f])
            use_set(&base, step->fallbacks[f], fallback->input.node ? &fallback->input : &said->input,
                    fallback->instruction_set, &fallbacks[f]);
    }
    find_outputs(t, s, &main, fallbacks);
    base.is_undo = true;
    if (step->undo && t->graph->chain->is_rollback_enabled != CTN_SAID_FALSE)
        use_set(&base, step->undo, &said->rollback_template, said->rollback_action, &undo);
}

/* ---- origins ---- */

static void find_origins(taint *t)
{
    ctn_arena *arena = t->graph->arena;
    const ctn_json *sensitive = t->graph->chain->sensitive;
    for (size_t i = 0; i < ctn_json_count(sensitive); i++)
        (void) ctn_names_add(&t->origins, ctn_json_text(ctn_json_at(sensitive, i)));
    ctn_reads reads = {0};
    for (uint32_t s = 0; s < t->graph->step_count; s++) {
        const ctn_graph_step *step = &t->graph->steps[s];
        const ctn_chain_step *said = step->step;
        ctn_instruction_set_reads(step->set, arena, &reads);
        ctn_instruction_set_reads(step->undo, arena, &reads);
        ctn_template_reads(said->input.template, arena, &reads);
        ctn_template_reads(said->rollback_template.template, arena, &reads);
        ctn_template_reads(said->foreach.items.template, arena, &reads);
        for (uint32_t f = 0; f < said->fallback_count; f++) {
            const ctn_chain_fallback *fallback = &said->fallbacks[f];
            ctn_template_reads(fallback->input.template, arena, &reads);
            ctn_tree_reads(fallback->value.tree, arena, &reads);
            ctn_instruction_set_reads(step->fallbacks[f], arena, &reads);
        }
    }
    for (size_t i = 0; i < reads.count; i++)
        if (ctn_str_is(reads.items[i].root, "secret"))
            (void) ctn_names_add(&t->origins, origin_of_secret(arena, ctn_read_member(arena, &reads.items[i])));
}

/* A name in `sensitive` that is misspelt would leave the value in the clear. */
static void check_names(const ctn_lint_paths *paths)
{
    const ctn_chain *chain = paths->graph->chain;
    const ctn_names *variables = &paths->graph->variables;
    for (size_t i = 0; i < ctn_json_count(chain->sensitive); i++) {
        const ctn_json *node = ctn_json_at(chain->sensitive, i);
        ctn_str name = ctn_json_text(node);
        if (ctn_names_find(variables, name) != CTN_NAMES_NONE)
            continue;
        ctn_str near = ctn_str_nearest(name, variables->items, variables->count);
        ctn_source_warning(
            chain->source, node, paths->lint->findings, "sensitive-flow",
            "'%.*s' is declared sensitive, but no text reads it, no step gives it and no input is called "
            "so%s%.*s%s",
            CTN_STR_ARG(name), near.len ? "; did you mean '" : "", CTN_STR_ARG(near), near.len ? "'?" : "");
    }
}

void ctn_lint_sensitive(ctn_lint_paths *paths)
{
    taint t = {.paths = paths, .graph = paths->graph};
    check_names(paths);
    ctn_names_init(&t.origins, paths->graph->arena);
    find_origins(&t);
    if (t.origins.count == 0)
        return;
    t.words = (t.origins.count + 63u) / 64u;
    t.of = CTN_NEW_ARRAY(paths->graph->arena, uint64_t **, paths->graph->step_count);
    for (uint32_t at = 0; at < paths->graph->step_count; at++)
        lint_step(&t, paths->graph->order[at]);
}
