/*
 * guess_shapes.c -- what a chain says of its values. Every template, condition and document says what it does with the
 * names it reads, and that becomes the shape of the variable; then the shape of a step's result is put together from
 * the shapes of the variables that it gives.
 */
#include "simulate/guess_state.h"
#include <assert.h>

/* ---- reading the chain ---- */

/* Where a text stands: what its names mean. */
typedef struct reader {
    ctn_guess *g;
    uint32_t step; /* CTN_PLAN_NONE: the chain's own outputs */
    uint32_t work;
    bool sees_calls; /* names of the set's calls are their results */
} reader;

static ctn_shape *shape_of_call(const reader *r, ctn_str name)
{
    const work_guess *w = &r->g->steps[r->step].works[r->work];
    for (uint32_t i = 0; w->set->is_several && i < w->set->call_count; i++)
        if (ctn_str_equal(w->set->calls[i].name, name))
            return w->calls[i].shape;
    return NULL;
}

/* `input` and `result` of an undo are the step's outputs. */
static ctn_shape *shape_of_own_output(const reader *r, ctn_str name)
{
    const ctn_plan_step *p = &r->g->plan->steps[r->step];
    for (uint32_t i = 0; i < p->output_count; i++)
        if (ctn_str_equal(r->g->plan->variables[p->outputs[i].slot], name)) {
            ctn_shape *shape = r->g->variables[p->outputs[i].slot];
            return p->foreach ? ctn_shape_items(shape) : shape;
        }
    return NULL;
}

static ctn_shape *shape_of_item(const reader *r, ctn_str name)
{
    if (r->step == CTN_PLAN_NONE || !r->g->steps[r->step].item)
        return NULL;
    ctn_str as = r->g->plan->steps[r->step].foreach->as;
    bool is_item = ctn_str_is(name, "item") || (as.len && ctn_str_equal(name, as));
    return is_item ? r->g->steps[r->step].item : NULL;
}

static void on_use(void *ctx, const ctn_path *path, ctn_use use, const ctn_json *literal)
{
    const reader *r = ctx;
    ctn_shape *shape = r->sees_calls ? shape_of_call(r, path->root) : NULL;
    size_t skipped = 0;
    bool is_own = ctn_str_is(path->root, "input") || ctn_str_is(path->root, "result");
    if (!shape)
        shape = shape_of_item(r, path->root);
    if (!shape && is_own && r->work == WORK_UNDO && path->count && path->parts[0].name.ptr) {
        shape = shape_of_own_output(r, path->parts[0].name);
        skipped = 1;
    }
    if (!shape && !ctn_is_reserved_root(path->root)) {
        uint32_t slot = ctn_plan_slot(r->g->plan, path->root);
        shape = slot == CTN_PLAN_NONE ? NULL : r->g->variables[slot];
    }
    if (shape)
        ctn_shape_use(ctn_shape_at(shape, path->parts + skipped, path->count - skipped), use, literal);
}

static void read_work(ctn_guess *g, uint32_t step, uint32_t work)
{
    const ctn_plan_step *p = &g->plan->steps[step];
    const ctn_plan_set *set = g->steps[step].works[work].set;
    reader r = {.g = g, .step = step, .work = work};
    if (!set)
        return;
    r.sees_calls = set->is_several && !p->parallel_calls;
    for (uint32_t i = 0; i < set->call_count; i++)
        ctn_tree_uses(set->calls[i].arguments, on_use, &r);
    if (set->check)
        ctn_tree_uses(set->check->arguments, on_use, &r);
    if (set->message)
        ctn_template_uses(set->message, on_use, &r);
    if (set->arguments)
        ctn_tree_uses(set->arguments, on_use, &r);
    r.sees_calls = set->is_several;
    if (set->result)
        ctn_tree_uses(set->result, on_use, &r);
}

/* The list of a foreach: what is said of its items is said of the list's. */
static void on_items(void *ctx, const ctn_path *path, ctn_use use, const ctn_json *literal)
{
    const reader *r = ctx;
    (void) use, (void) literal;
    on_use(ctx, path, CTN_USE_LIST, NULL);
    uint32_t slot = ctn_plan_slot(r->g->plan, path->root);
    if (slot != CTN_PLAN_NONE)
        ctn_shape_join(ctn_shape_items(ctn_shape_at(r->g->variables[slot], path->parts, path->count)),
                       r->g->steps[r->step].item);
}

static void on_number(void *ctx, const ctn_path *path, ctn_use use, const ctn_json *literal)
{
    (void) use, (void) literal;
    on_use(ctx, path, CTN_USE_NUMBER, NULL);
}

static void on_time(void *ctx, const ctn_path *path, ctn_use use, const ctn_json *literal)
{
    (void) use;
    on_use(ctx, path, CTN_USE_TIME, literal);
}

static void read_document(const reader *r, const ctn_mustache *document)
{
    ctn_reads reads = {0};
    ctn_mustache_reads(document, r->g->arena, &reads);
    for (size_t i = 0; i < reads.count; i++) {
        ctn_path path;
        size_t bytes;
        if (!reads.items[i].is_inner && ctn_path_parse(r->g->arena, reads.items[i].path, &path, &bytes, NULL) == CTN_OK)
            on_use((void *) r, &path, CTN_USE_READ, NULL);
    }
}

static void read_step(ctn_guess *g, uint32_t step)
{
    const ctn_plan_step *p = &g->plan->steps[step];
    reader r = {.g = g, .step = step, .work = WORK_DO};
    if (p->foreach && p->foreach->items)
        ctn_template_uses(p->foreach->items, on_items, &r);
    if (p->foreach && p->foreach->range)
        ctn_tree_uses(p->foreach->range, on_number, &r);
    if (p->input)
        ctn_template_uses(p->input, on_use, &r);
    if (p->condition)
        ctn_expression_uses(p->condition, on_use, &r);
    if (p->cache.key)
        ctn_template_uses(p->cache.key, on_use, &r);
    if (p->document)
        read_document(&r, p->document);
    if (p->set->until)
        ctn_template_uses(p->set->until, on_time, &r);
    for (uint32_t i = 0; i < g->steps[step].work_count; i++)
        read_work(g, step, i);
    for (uint32_t i = 0; i < p->fallback_count; i++) {
        if (p->fallbacks[i].input)
            ctn_template_uses(p->fallbacks[i].input, on_use, &r);
        if (p->fallbacks[i].value)
            ctn_tree_uses(p->fallbacks[i].value, on_use, &r);
    }
    r.work = WORK_UNDO;
    if (p->undo_input)
        ctn_template_uses(p->undo_input, on_use, &r);
}

static void read_chain(ctn_guess *g)
{
    for (uint32_t i = 0; i < g->plan->step_count; i++)
        read_step(g, i);
    reader r = {.g = g, .step = CTN_PLAN_NONE};
    for (uint32_t i = 0; i < g->plan->result_count; i++)
        if (g->plan->results[i].expression)
            ctn_expression_uses(g->plan->results[i].expression, on_use, &r);
}

/* ---- results out of variables ---- */

/* What a prompt gives when it names no schema (drivers/prompt). */
static const ctn_json *text_schema(ctn_arena *arena)
{
    const ctn_json *schema = NULL;
    int rc = ctn_json_parse(
        arena, CTN_STR("{\"type\":\"object\",\"required\":[\"text\"],\"properties\":{\"text\":{\"type\":\"string\"}}}"),
        NULL, &schema, NULL);
    assert(rc == CTN_OK);
    return schema;
}

const ctn_json *guess_schema_of(const ctn_guess *g, const ctn_plan_call *call)
{
    if (call->kind == CTN_WORK_PROMPT) {
        const ctn_json *schema = ctn_json_member_of(call->detail, "schema");
        return schema ? schema : text_schema(g->arena);
    }
    return g->o.schema_of ? g->o.schema_of(g->o.schema_ctx, ctn_work_kind_name(call->kind), call->target) : NULL;
}

/* The whole result is one variable's when the tool is known to have no member of that name. */
static bool takes_whole(const ctn_guess *g, const ctn_plan_step *p, const ctn_plan_set *set, ctn_str name)
{
    if (p->output_count != 1 || set->kind != CTN_SET_CALLS || set->is_several)
        return false;
    const ctn_json *schema = guess_schema_of(g, &set->calls[0]), *properties = ctn_json_member_of(schema, "properties");
    return schema && (!properties || !ctn_json_get(properties, name));
}

static void link_output(ctn_guess *g, uint32_t step, uint32_t work, const ctn_plan_output *o)
{
    const ctn_plan_step *p = &g->plan->steps[step];
    work_guess *w = &g->steps[step].works[work];
    ctn_str name = g->plan->variables[o->slot];
    ctn_str first = o->path ? o->path->root : name;
    bool is_several = w->set->kind == CTN_SET_CALLS && w->set->is_several;
    ctn_shape *shape = w->reply.shape, *variable = g->variables[o->slot];
    if (is_several) {
        reader r = {.g = g, .step = step, .work = work};
        shape = shape_of_call(&r, first);
    } else if (w->set->kind == CTN_SET_CALLS) {
        shape = w->calls[0].shape;
    }
    if (!shape)
        return; /* an extra member of the set's result, or nothing that the set gives */
    if (!is_several && (o->path || !takes_whole(g, p, w->set, name)))
        shape = ctn_shape_member(shape, first);
    if (o->path)
        shape = ctn_shape_at(shape, o->path->parts, o->path->count);
    ctn_shape_join(shape, p->foreach ? ctn_shape_items(variable) : variable);
}

/* What the document fills is nothing that the tool gives. */
static bool is_of_document(const ctn_plan_step *p, const ctn_plan_output *o)
{
    return p->document && p->document_slot == o->slot;
}

static void link_step(ctn_guess *g, uint32_t step)
{
    const ctn_plan_step *p = &g->plan->steps[step];
    for (uint32_t work = 0; work < g->steps[step].work_count; work++)
        for (uint32_t i = 0; work != WORK_UNDO && g->steps[step].works[work].set && i < p->output_count; i++)
            if (!is_of_document(p, &p->outputs[i]))
                link_output(g, step, work, &p->outputs[i]);
}

/* ---- sub-chains: what is read of their outputs, what they read of their inputs ---- */

ctn_guess *guess_child(const ctn_guess *root, ctn_str chain_id)
{
    for (size_t i = 0; i < root->child_count; i++)
        if (ctn_str_equal(root->children[i]->plan->chain_id, chain_id))
            return root->children[i];
    return ctn_str_equal(root->plan->chain_id, chain_id) ? (ctn_guess *) root : NULL;
}

/* {path} alone: what it names is the argument itself. */
static bool is_one_path(ctn_arena *arena, ctn_str text, ctn_path *ret_path)
{
    size_t bytes;
    return text.len > 2 && text.ptr[0] == '{' &&
           ctn_path_parse(arena, ctn_str_from_offset(text, 1), ret_path, &bytes, NULL) == CTN_OK &&
           bytes + 2 == text.len && text.ptr[text.len - 1] == '}';
}

static const ctn_json *arguments_of_set(const ctn_guess *g, ctn_str set)
{
    for (uint32_t i = 0; i < g->plan->definition_count; i++) {
        const ctn_plan_definition *d = &g->plan->definitions[i];
        const ctn_json *body = NULL;
        if (ctn_str_is(d->kind, "instruction_set") && ctn_str_equal(d->name, set) &&
            ctn_json_parse(g->arena, d->body, NULL, &body, NULL) == CTN_OK)
            return ctn_json_member_of(ctn_json_get(ctn_json_member_of(body, "instructionSets"), set), "arguments");
    }
    return NULL;
}

static void link_child(ctn_guess *g, uint32_t step, const work_guess *w, ctn_guess *child)
{
    for (uint32_t i = 0; i < child->plan->result_count; i++) {
        const ctn_plan_result *r = &child->plan->results[i];
        if (!r->expression)
            ctn_shape_join(child->variables[r->slot], ctn_shape_member(w->reply.shape, r->name));
    }
    const ctn_json *arguments = arguments_of_set(g, w->set->name);
    for (size_t i = 0; ctn_json_is(arguments, CTN_JSON_OBJECT) && i < ctn_json_count(arguments); i++) {
        ctn_path path;
        uint32_t inner = ctn_plan_slot(child->plan, ctn_json_text(&arguments->members[i].key)), outer;
        if (inner == CTN_PLAN_NONE || !is_one_path(g->arena, ctn_json_text(&arguments->members[i].value), &path))
            continue;
        reader r = {.g = g, .step = step};
        ctn_shape *shape = shape_of_item(&r, path.root);
        outer = ctn_plan_slot(g->plan, path.root);
        if (!shape && outer != CTN_PLAN_NONE)
            shape = g->variables[outer];
        if (!shape)
            continue;
        shape = ctn_shape_at(shape, path.parts, path.count);
        ctn_shape_join(shape, child->variables[inner]);
        if (child->plan->input_schema)
            ctn_shape_learn(shape, ctn_json_get(ctn_json_member_of(child->plan->input_schema_source, "properties"),
                                                child->plan->variables[inner]));
    }
}

void guess_link_children(const ctn_guess *root, ctn_guess *g)
{
    for (uint32_t i = 0; i < g->plan->step_count; i++)
        for (uint32_t work = 0; work < g->steps[i].work_count; work++) {
            const work_guess *w = &g->steps[i].works[work];
            ctn_guess *child = w->set && w->set->kind == CTN_SET_CHAIN ? guess_child(root, w->set->chain) : NULL;
            if (child && child != g)
                link_child(g, i, w, child);
        }
}

/* ---- a plan of which nothing is known yet ---- */

/* The schema of a step, out of the chain's definition. */
static const ctn_json *output_schema_of(ctn_guess *g, const ctn_json *chain, uint32_t step)
{
    if (!g->plan->steps[step].output_schema)
        return NULL;
    return ctn_json_member_of(ctn_json_at(ctn_json_member_of(chain, "steps"), step), "outputSchema");
}

static void make_works(ctn_guess *g, uint32_t step)
{
    const ctn_plan_step *p = &g->plan->steps[step];
    step_guess *s = &g->steps[step];
    s->work_count = WORK_FALLBACK + p->fallback_count;
    s->works = CTN_NEW_ARRAY(g->arena, work_guess, s->work_count);
    s->works[WORK_DO].set = p->set;
    s->works[WORK_UNDO].set = p->undo;
    for (uint32_t i = 0; i < p->fallback_count; i++)
        s->works[WORK_FALLBACK + i].set = p->fallbacks[i].set;
    for (uint32_t i = 0; i < s->work_count; i++) {
        work_guess *w = &s->works[i];
        uint32_t count = w->set ? w->set->call_count : 0;
        w->reply.shape = ctn_shape_new(g->arena);
        w->calls = CTN_NEW_ARRAY(g->arena, answers, count);
        for (uint32_t k = 0; k < count; k++)
            w->calls[k].shape = ctn_shape_new(g->arena);
    }
    if (p->foreach)
        s->item = ctn_shape_new(g->arena);
}

ctn_guess *guess_shapes(ctn_arena *arena, const ctn_guess_options *options, const ctn_plan *plan)
{
    ctn_guess *g = CTN_NEW(arena, ctn_guess);
    const ctn_json *chain = NULL;
    g->o = *options;
    g->arena = arena;
    g->plan = plan;
    (void) ctn_json_parse(arena, plan->definitions[0].body, NULL, &chain, NULL);
    g->variables = CTN_NEW_ARRAY(arena, ctn_shape *, plan->variable_count);
    for (uint32_t i = 0; i < plan->variable_count; i++)
        g->variables[i] = ctn_shape_new(arena);
    g->steps = CTN_NEW_ARRAY(arena, step_guess, plan->step_count);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        make_works(g, i);
        g->steps[i].output_schema = output_schema_of(g, chain, i);
    }
    read_chain(g);
    for (uint32_t i = 0; i < plan->step_count; i++)
        link_step(g, i);
    return g;
}
