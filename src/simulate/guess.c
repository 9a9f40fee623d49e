/*
 * guess.c -- see guess.h. The shapes come from the chain (guess_shapes.c); here values are made of them, and judged by
 * the schemas that are known.
 *
 * What must hold: the answers depend on the plan and the schemas alone, so that a seed means the same in every
 * process.
 */
#include "simulate/guess_state.h"

#define TRIES_MAX 8

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
    const ctn_json *schema = guess_schema_of(g, c);
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
    ctn_json_put_all(&b, g->o.input);
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
    guess_link_children(g, g);
    for (size_t i = 0; i < g->child_count; i++)
        guess_link_children(g, g->children[i]);
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
    const ctn_guess *child = guess_child(g, plan->chain_id);
    return child ? child : g;
}

static work_guess *work_of(const ctn_guess *g, ctn_guess_work w)
{
    return &g->steps[w.step].works[w.role == CTN_ROLE_UNDO ? WORK_UNDO : w.fallback ? WORK_UNDO + w.fallback : WORK_DO];
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
