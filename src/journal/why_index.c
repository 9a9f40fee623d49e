/*
 * why_index.c -- the index over a journal that the walk back needs: who set each variable, in order; the entries of
 * each step; the definitions by name. One pass over the entries, then every look-up is constant but for variables that
 * were set many times.
 *
 * What must hold: a production stands from its entry on until the next one of the same name, so "the value that this
 * entry saw" is the last production before its seq. That is the state's own rule (execution_apply.c: set_variables).
 */
#include "journal/why_walk.h"

/* ---- definitions ---- */

static const ctn_json *parsed(ctn_arena *arena, ctn_str text)
{
    const ctn_json *v = NULL;
    return ctn_json_parse(arena, text, NULL, &v, NULL) == CTN_OK ? v : NULL;
}

static void index_definitions(why *w)
{
    ctn_names_init(&w->set_names, w->arena);
    ctn_names_init(&w->sensitive, w->arena);
    w->sets = CTN_NEW_ARRAY(w->arena, const ctn_json *, w->plan->definition_count);
    for (uint32_t i = 0; i < w->plan->definition_count; i++) {
        const ctn_plan_definition *d = &w->plan->definitions[i];
        const ctn_json *body = parsed(w->arena, d->body);
        if (i == 0)
            w->chain = body;
        else if (ctn_str_is(d->kind, "instruction_set"))
            w->sets[ctn_names_add(&w->set_names, d->name)] =
                ctn_json_get(ctn_json_member_of(body, "instructionSets"), d->name);
    }
    const ctn_json *sensitive = ctn_json_member_of(w->chain, "sensitive");
    for (size_t i = 0; i < ctn_json_count(sensitive); i++)
        ctn_names_add(&w->sensitive, ctn_json_text(ctn_json_at(sensitive, i)));
    const ctn_sensitivity *s = w->source->execution ? ctn_execution_sensitivity(w->source->execution) : NULL;
    for (uint32_t i = 0; s && i < w->plan->variable_count; i++)
        if (ctn_sensitive_name(s, w->plan->variables[i]))
            ctn_names_add(&w->sensitive, w->plan->variables[i]);
}

/* What is rendered from something sensitive is sensitive: the variables of a document, and of documents that read
 * those. */
void ctn_why_spread_sensitive(why *w)
{
    uint32_t known;
    do {
        known = w->sensitive.count;
        for (uint32_t s = 0; known && s < w->plan->step_count; s++) {
            const ctn_plan_step *step = &w->plan->steps[s];
            if (!step->document)
                continue;
            ctn_reads reads = {0};
            ctn_mustache_reads(step->document, w->arena, &reads);
            if (!ctn_why_reads_sensitive(w, s, &reads))
                continue;
            if (step->document_slot != CTN_PLAN_NONE)
                ctn_names_add(&w->sensitive, w->plan->variables[step->document_slot]);
            for (uint32_t i = 0; step->document_slot == CTN_PLAN_NONE && i < step->output_count; i++)
                ctn_names_add(&w->sensitive, w->plan->variables[step->outputs[i].slot]);
        }
    } while (w->sensitive.count != known);
}

/* ---- who set what ---- */

typedef struct producing {
    size_t capacity, latest_capacity;
} producing;

static void produce(why *w, producing *p, ctn_str name, const ctn_json *value, const ctn_entry *e, uint32_t step)
{
    w->productions =
        ctn_arena_room(w->arena, w->productions, w->production_count, &p->capacity, sizeof *w->productions);
    uint32_t number = ctn_names_add(&w->variable_names, name);
    w->latest = ctn_arena_room(w->arena, w->latest, number, &p->latest_capacity, sizeof *w->latest);
    w->productions[w->production_count] =
        (production){.value = value, .entry = e, .since_seq = e->seq, .step = step, .before = w->latest[number]};
    w->latest[number] = ++w->production_count;
}

static void produce_members(why *w, producing *p, const ctn_json *variables, const ctn_entry *e, uint32_t step)
{
    for (size_t i = 0; i < ctn_json_count(variables); i++)
        produce(w, p, ctn_json_text(&variables->members[i].key), &variables->members[i].value, e, step);
}

/* A foreach has ended: each variable is the list of what the items gave; null where one gave nothing. */
static void produce_lists(why *w, producing *p, const ctn_entry *e, uint32_t step)
{
    const step_trace *trace = &w->traces[step];
    int64_t count = ctn_json_int_or(e->body, "items", 0);
    if (count < 0 || count > (int64_t) w->source->count) /* each item has an entry */
        return;
    const ctn_json **given = CTN_NEW_ARRAY(w->arena, const ctn_json *, (size_t) count);
    for (uint32_t i = 0; i < trace->count; i++) {
        const ctn_entry *of_item = &w->source->entries[trace->entries[i]];
        int64_t item = of_item->item;
        const ctn_json *variables = item >= 0 && item < count ? ctn_why_body(of_item, "variables") : NULL;
        if (variables && of_item->kind != CTN_ENTRY_DECISION)
            given[item] = variables;
    }
    for (uint32_t o = 0; o < w->plan->steps[step].output_count; o++) {
        ctn_str name = w->plan->variables[w->plan->steps[step].outputs[o].slot];
        ctn_json_builder list = ctn_json_array(w->arena);
        for (int64_t i = 0; i < count; i++) {
            const ctn_json *v = ctn_json_get(given[i], name);
            ctn_json_push(&list, v ? v : &ctn_json_null);
        }
        produce(w, p, name, ctn_json_finish(&list), e, step);
    }
}

const ctn_entry *ctn_why_entry(const why *w, uint32_t step, uint32_t i)
{
    const step_trace *trace = &w->traces[step];
    return i < trace->count ? &w->source->entries[trace->entries[i]] : NULL;
}

const ctn_json *ctn_why_reused(const why *w, uint32_t step)
{
    return w->reused ? ctn_json_get(w->reused, w->plan->steps[step].name) : NULL;
}

/* As execution_reuse.c does it, when its turn comes: with the entry `e`. */
static void produce_reused(why *w, producing *p, uint32_t step, const ctn_entry *e)
{
    const ctn_json *reused = ctn_why_reused(w, step);
    uint32_t from = w->production_count;
    const ctn_plan_step *s = &w->plan->steps[step];
    if (ctn_str_is(ctn_json_str_or(reused, "status", CTN_STR("")), ctn_step_status_name(CTN_STEP_FAILED)))
        for (uint32_t i = 0; i < s->output_count; i++)
            produce(w, p, w->plan->variables[s->outputs[i].slot], &ctn_json_null, w->reuses, step);
    produce_members(w, p, ctn_json_member_of(reused, "variables"), w->reuses, step);
    for (uint32_t i = from; i < w->production_count; i++) {
        w->productions[i].is_reused = true;
        w->productions[i].since_seq = e->seq;
    }
}

/* With an entry, `count` steps have ended or their turn has come (they are in w->due); reused ones follow at once. */
static void follow_ends(why *w, producing *p, uint32_t count, const ctn_entry *e)
{
    while (count) {
        uint32_t step = w->due[--count];
        const ctn_plan_step *s = &w->plan->steps[step];
        w->traces[step].ended = e;
        if (ctn_why_reused(w, step))
            produce_reused(w, p, step, e);
        for (uint32_t i = 0; i < s->successor_count; i++)
            if (--w->traces[s->successors[i]].waits_for == 0 && !w->stopped && ctn_why_reused(w, s->successors[i]))
                w->due[count++] = s->successors[i];
    }
}

static void follow_start(why *w, producing *p, const ctn_entry *e)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->plan->step_count; i++)
        if (w->traces[i].waits_for == 0 && ctn_why_reused(w, i))
            w->due[count++] = i;
    follow_ends(w, p, count, e);
}

static void stop_at(why *w, const ctn_entry *e)
{
    if (!w->stopped)
        w->stopped = e;
}

/* ---- the pass over the entries ---- */

static void index_created(why *w, producing *p, const ctn_entry *e)
{
    if (ctn_why_body(e, "reused")) {
        w->reused = ctn_why_body(e, "reused");
        w->reuses = e;
        w->due = CTN_NEW_ARRAY(w->arena, uint32_t, w->plan->step_count);
    }
    if (e->kind == CTN_ENTRY_QUEUED)
        return;
    w->started = e;
    if (w->reused)
        follow_start(w, p, e);
}

/* Of a step as a whole, what it gave are the lists of its items, or the variables. */
static void index_succeeded(why *w, producing *p, const ctn_entry *e, uint32_t step)
{
    if (e->item >= 0)
        return;
    if (ctn_why_body(e, "items")) {
        w->traces[step].ended = e;
        produce_lists(w, p, e, step);
    } else if (ctn_why_body(e, "variables")) {
        w->traces[step].ended = e;
        produce_members(w, p, ctn_why_body(e, "variables"), e, step);
    }
}

static void index_failed(why *w, producing *p, const ctn_entry *e, uint32_t step)
{
    const ctn_plan_step *s = &w->plan->steps[step];
    if (!ctn_json_bool_or(e->body, "final", false))
        return;
    if (!s->continue_on_error || w->stopped) {
        stop_at(w, e);
    } else if (e->item < 0) {
        w->traces[step].ended = e;
        for (uint32_t i = 0; i < s->output_count; i++)
            produce(w, p, w->plan->variables[s->outputs[i].slot], &ctn_json_null, e, step);
    }
}

static bool is_end_at_budget(const ctn_entry *e)
{
    return e->kind == CTN_ENTRY_DECISION && !e->step.len &&
           ctn_str_is(ctn_json_str_or(e->body, "what", CTN_STR("")), "fail");
}

static void index_entry(why *w, producing *p, const ctn_entry *e)
{
    ctn_entry_meaning m = ctn_entry_meaning_of(e);
    uint32_t step = e->step.len ? ctn_plan_step_index(w->plan, e->step) : CTN_PLAN_NONE;
    step_trace *trace = step == CTN_PLAN_NONE ? NULL : &w->traces[step];
    if (trace)
        trace->entries[trace->count++] = (uint32_t) (e - w->source->entries);
    produce_members(w, p, m.sets, e, step);
    if (m.sense == CTN_SENSE_CREATED)
        index_created(w, p, e);
    else if (m.sense == CTN_SENSE_STOPS || is_end_at_budget(e))
        stop_at(w, e);
    else if (trace && m.sense == CTN_SENSE_SKIPPED)
        trace->ended = e;
    else if (trace && m.sense == CTN_SENSE_SUCCEEDED && !m.is_undo)
        index_succeeded(w, p, e, step);
    else if (trace && m.sense == CTN_SENSE_FAILED && !m.is_undo)
        index_failed(w, p, e, step);
    if (w->reused && trace && trace->ended == e) {
        w->due[0] = step;
        follow_ends(w, p, 1, e);
    }
}

static void make_traces(why *w)
{
    w->traces = CTN_NEW_ARRAY(w->arena, step_trace, w->plan->step_count);
    for (size_t i = 0; i < w->source->count; i++) {
        ctn_str name = w->source->entries[i].step;
        uint32_t step = name.len ? ctn_plan_step_index(w->plan, name) : CTN_PLAN_NONE;
        if (step != CTN_PLAN_NONE)
            w->traces[step].count++;
    }
    for (uint32_t i = 0; i < w->plan->step_count; i++) {
        w->traces[i].entries = CTN_NEW_ARRAY(w->arena, uint32_t, w->traces[i].count);
        w->traces[i].count = 0;
        w->traces[i].waits_for = w->plan->steps[i].predecessor_count;
    }
}

void ctn_why_open(why *ret, ctn_arena *arena, const ctn_why_source *source, const ctn_why_options *options,
                  why_telling *telling)
{
    *ret = (why){.arena = arena, .source = source, .options = options, .telling = telling};
    ret->plan = ctn_execution_plan(source->execution);
    index_definitions(ret);
    ctn_why_spread_sensitive(ret);
    make_traces(ret);
    ctn_names_init(&ret->variable_names, arena);
    producing p = {0};
    for (size_t i = 0; i < source->count; i++)
        index_entry(ret, &p, &source->entries[i]);
}

bool ctn_why_open_reused(const why *w, uint32_t step, why *ret, uint32_t *ret_step)
{
    ctn_str id = ctn_json_str_or(ctn_why_reused(w, step), "execution", (ctn_str){0});
    if (!id.len)
        id = ctn_json_str_or(ctn_execution_from(w->source->execution), "execution", (ctn_str){0});
    ctn_why_source *source = CTN_NEW(w->arena, ctn_why_source);
    if (!w->options->child || !w->options->child(w->options->child_ctx, id, source))
        return false;
    ctn_why_open(ret, w->arena, source, w->options, w->telling);
    *ret_step = ctn_plan_step_index(ret->plan, w->plan->steps[step].name);
    return *ret_step != CTN_PLAN_NONE && ret->traces[*ret_step].ended;
}

const production *ctn_why_standing(const why *w, ctn_str name, uint64_t before_seq)
{
    uint32_t number = ctn_names_find(&w->variable_names, name);
    if (number == CTN_NAMES_NONE)
        return NULL;
    for (uint32_t at = w->latest[number]; at; at = w->productions[at - 1].before)
        if (w->productions[at - 1].since_seq < before_seq)
            return &w->productions[at - 1];
    return NULL;
}
