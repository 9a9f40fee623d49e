/*
 * guess.c -- see guess.h.
 *
 * First the chain is read: every template, condition and document says what it does with the names it reads, and
 * that becomes the shape of the variable. Then the shape of a step's result is put together from the shapes of the
 * variables that it gives. Then values are made.
 *
 * What must hold: the answers depend on the plan and the schemas alone, so that a seed means the same in every
 * process.
 */
#include "simulate/guess.h"

#include "simulate/shape.h"

#define TRIES_MAX    8
#define RECORDED_MAX 64

typedef struct answers {
    ctn_shape *shape;
    const ctn_json *values[RECORDED_MAX];
    size_t count;
    bool is_guessed;
} answers;

/* Of a set that works for a step. */
typedef struct work_guess {
    const ctn_plan_set *set; /* NULL: no undo, a fallback that is a value */
    answers *calls;
    answers reply; /* of whoever is waited for */
} work_guess;

enum { WORK_DO, WORK_UNDO, WORK_FALLBACK }; /* the first fallback, and so on */

typedef struct step_guess {
    work_guess *works;
    uint32_t work_count;
    ctn_shape *item; /* of a foreach */
    const ctn_json *output_schema;
} step_guess;

struct ctn_guess {
    ctn_guess_options o;
    ctn_arena *arena;
    const ctn_plan *plan;
    ctn_shape **variables; /* by slot */
    step_guess *steps;
    const ctn_json *inputs[CTN_GUESS_VARIANTS];
    size_t input_count;
    ctn_str unmade;
    ctn_guess **children; /* of the one that was asked for */
    size_t child_count;
};

static work_guess *work_of(const ctn_guess *g, ctn_guess_work w)
{
    return &g->steps[w.step].works[w.role == CTN_ROLE_UNDO ? WORK_UNDO : w.fallback ? WORK_UNDO + w.fallback : WORK_DO];
}

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

static const ctn_json *schema_of(const ctn_guess *g, const ctn_plan_call *call)
{
    return g->o.schema_of ? g->o.schema_of(g->o.schema_ctx, ctn_work_kind_name(call->kind), call->target) : NULL;
}

/* The whole result is one variable's when the tool is known to have no member of that name. */
static bool takes_whole(const ctn_guess *g, const ctn_plan_step *p, const ctn_plan_set *set, ctn_str name)
{
    if (p->output_count != 1 || set->kind != CTN_SET_CALLS || set->is_several)
        return false;
    const ctn_json *schema = schema_of(g, &set->calls[0]), *properties = ctn_json_member_of(schema, "properties");
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

static ctn_guess *child_of(const ctn_guess *root, ctn_str chain_id)
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

static void link_children(const ctn_guess *root, ctn_guess *g)
{
    for (uint32_t i = 0; i < g->plan->step_count; i++)
        for (uint32_t work = 0; work < g->steps[i].work_count; work++) {
            const work_guess *w = &g->steps[i].works[work];
            ctn_guess *child = w->set && w->set->kind == CTN_SET_CHAIN ? child_of(root, w->set->chain) : NULL;
            if (child && child != g)
                link_child(g, i, w, child);
        }
}

/* ---- making ---- */

static uint64_t plainest(void *ctx)
{
    (void) ctx;
    return 0;
}

static ctn_rng chance_of(uint64_t *state, size_t variant)
{
    return variant == 0 ? (ctn_rng){plainest, NULL} : ctn_rng_seeded(state);
}

static void add_value(answers *a, const ctn_json *value)
{
    for (size_t i = 0; i < a->count; i++)
        if (ctn_json_equal(a->values[i], value))
            return;
    if (a->count < RECORDED_MAX)
        a->values[a->count++] = value;
}

/* Values that the schema lets pass; without a schema, any. */
static void fill(ctn_guess *g, answers *a, const ctn_json *source, ctn_str name, uint64_t salt, ctn_str target)
{
    ctn_schema *schema = NULL;
    ctn_arena *scratch = ctn_arena_new(4096);
    if (source && ctn_schema_compile(scratch, source, &schema, NULL, NULL))
        schema = NULL;
    for (size_t variant = 0; variant < CTN_GUESS_VARIANTS; variant++)
        for (size_t try = 0; try < TRIES_MAX; try++) {
            uint64_t state = (salt * 1000 + variant) * 100 + try;
            ctn_rng chance = chance_of(&state, variant + try);
            const ctn_json *value = ctn_shape_make(a->shape, source, name, &chance, g->arena);
            if (schema && ctn_schema_validate(schema, value, scratch, NULL))
                continue;
            add_value(a, value);
            break;
        }
    ctn_schema_done(schema);
    ctn_arena_free(scratch);
    if (a->count)
        return;
    g->unmade = target;
    uint64_t state = salt;
    ctn_rng chance = chance_of(&state, 0);
    add_value(a, ctn_shape_make(a->shape, NULL, name, &chance, g->arena));
}

static void make_call(ctn_guess *g, uint32_t step, uint32_t work, uint32_t call)
{
    work_guess *w = &g->steps[step].works[work];
    const ctn_plan_call *c = &w->set->calls[call];
    answers *a = &w->calls[call];
    for (size_t i = 0; work == WORK_DO && g->o.recorded && i < RECORDED_MAX; i++) {
        const ctn_json *value = g->o.recorded(g->o.recorded_ctx, g->plan->steps[step].name, c->name, i);
        if (!value)
            break;
        add_value(a, value);
    }
    if (a->count)
        return;
    const ctn_json *schema = schema_of(g, c);
    a->is_guessed = !schema;
    if (!schema && !w->set->is_several && work != WORK_UNDO)
        schema = g->steps[step].output_schema; /* what the step asks for, for want of what the tool says */
    fill(g, a, schema, c->name.len ? c->name : g->plan->steps[step].name, step * 100u + call * 8u + work, c->target);
}

static void make_step(ctn_guess *g, uint32_t step)
{
    for (uint32_t work = 0; work < g->steps[step].work_count; work++) {
        work_guess *w = &g->steps[step].works[work];
        for (uint32_t i = 0; w->set && i < w->set->call_count; i++)
            make_call(g, step, work, i);
        if (w->set && w->set->kind != CTN_SET_CALLS)
            fill(g, &w->reply, w->set->answer_schema_source, g->plan->steps[step].name, 700000 + step * 8u + work,
                 w->set->name);
    }
}

/* ---- inputs ---- */

/* The given members over the made ones; an optional input that nobody gave is there in every other variant. */
static const ctn_json *input_of(ctn_guess *g, ctn_shape *shape, size_t variant, size_t try)
{
    const ctn_plan *plan = g->plan;
    uint64_t state = 990000 + variant * 100 + try;
    ctn_rng chance = chance_of(&state, variant + try);
    const ctn_json *made = ctn_shape_make(shape, plan->input_schema ? plan->input_schema_source : NULL,
                                          CTN_STR("input"), &chance, g->arena);
    ctn_json_builder b = ctn_json_object(g->arena);
    for (size_t i = 0; ctn_json_is(made, CTN_JSON_OBJECT) && i < ctn_json_count(made); i++) {
        ctn_str name = ctn_json_text(&made->members[i].key);
        bool is_optional = false, is_known = plan->input_schema != NULL;
        for (uint32_t k = 0; k < plan->input_count; k++)
            if (ctn_str_equal(plan->variables[plan->inputs[k].slot], name)) {
                is_known = true;
                is_optional = !plan->inputs[k].is_required;
            }
        if (is_known && !(is_optional && !plan->input_schema && (variant + i) % 2))
            ctn_json_put(&b, name, &made->members[i].value);
    }
    for (size_t i = 0; i < ctn_json_count(g->o.input); i++)
        ctn_json_put(&b, ctn_json_text(&g->o.input->members[i].key), &g->o.input->members[i].value);
    return ctn_json_finish(&b);
}

static int make_inputs(ctn_guess *g, ctn_err *err)
{
    const ctn_plan *plan = g->plan;
    ctn_shape *shape = ctn_shape_new(g->arena);
    ctn_arena *scratch = ctn_arena_new(4096);
    for (uint32_t i = 0; i < plan->input_count; i++)
        ctn_shape_join(ctn_shape_member(shape, plan->variables[plan->inputs[i].slot]),
                       g->variables[plan->inputs[i].slot]);
    int rc = CTN_OK;
    for (size_t variant = 0; variant < CTN_GUESS_VARIANTS; variant++)
        for (size_t try = 0; try < TRIES_MAX; try++) {
            const ctn_json *input = input_of(g, shape, variant, try), *accepted;
            rc = ctn_plan_accept_input(plan, scratch, input, &accepted, err);
            if (rc)
                continue;
            g->inputs[g->input_count++] = input;
            break;
        }
    ctn_arena_free(scratch);
    return g->input_count ? CTN_OK : rc;
}

/* ---- outside ---- */

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

/* Everything but the values. */
static ctn_guess *guess_shapes(ctn_arena *arena, const ctn_guess_options *options, const ctn_plan *plan)
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

static void make_steps(ctn_guess *g)
{
    for (uint32_t i = 0; i < g->plan->step_count; i++)
        make_step(g, i);
}

int ctn_guess_new(ctn_arena *arena, const ctn_guess_options *options, ctn_guess **ret_guess, ctn_err *err)
{
    ctn_guess_options of_child = *options;
    of_child.recorded = NULL; /* those are results of this chain's own steps */
    ctn_guess *g = guess_shapes(arena, options, options->plan);
    g->child_count = options->child_count;
    g->children = CTN_NEW_ARRAY(arena, ctn_guess *, options->child_count);
    for (size_t i = 0; i < options->child_count; i++)
        g->children[i] = guess_shapes(arena, &of_child, options->children[i]);
    link_children(g, g);
    for (size_t i = 0; i < g->child_count; i++)
        link_children(g, g->children[i]);
    make_steps(g);
    for (size_t i = 0; i < g->child_count; i++)
        make_steps(g->children[i]);
    int rc = make_inputs(g, err);
    if (rc == CTN_OK)
        *ret_guess = g;
    return rc;
}

const ctn_guess *ctn_guess_of(const ctn_guess *g, const ctn_plan *plan)
{
    const ctn_guess *child = child_of(g, plan->chain_id);
    return child ? child : g;
}

const ctn_json *ctn_guess_answer(const ctn_guess *g, ctn_guess_work work, uint32_t call, uint64_t variant)
{
    const answers *a = &work_of(g, work)->calls[call];
    return a->values[variant % a->count];
}

bool ctn_guess_is_guessed(const ctn_guess *g, ctn_guess_work work, uint32_t call)
{
    return work_of(g, work)->calls[call].is_guessed;
}

const ctn_json *ctn_guess_reply(const ctn_guess *g, ctn_guess_work work, uint64_t variant)
{
    const answers *a = &work_of(g, work)->reply;
    return a->count ? a->values[variant % a->count] : &ctn_json_null;
}

const ctn_json *ctn_guess_input(const ctn_guess *g, uint64_t variant)
{
    return g->inputs[variant % g->input_count];
}

ctn_str ctn_guess_unmade(const ctn_guess *g)
{
    ctn_str unmade = g->unmade;
    for (size_t i = 0; !unmade.len && i < g->child_count; i++)
        unmade = g->children[i]->unmade;
    return unmade;
}

static void count(const ctn_guess *g, size_t *guessed, size_t *all)
{
    for (uint32_t i = 0; i < g->plan->step_count; i++)
        for (uint32_t work = 0; work < g->steps[i].work_count; work++) {
            const work_guess *w = &g->steps[i].works[work];
            for (uint32_t k = 0; work != WORK_UNDO && w->set && k < w->set->call_count; k++) {
                ++*all;
                *guessed += w->calls[k].is_guessed;
            }
        }
}

void ctn_guess_count(const ctn_guess *g, size_t *ret_guessed, size_t *ret_all)
{
    *ret_guessed = *ret_all = 0;
    count(g, ret_guessed, ret_all);
    for (size_t i = 0; i < g->child_count; i++)
        count(g->children[i], ret_guessed, ret_all);
}
