/*
 * why.c -- the index over a journal that the walk back needs: who set each variable, in order; the entries of each
 * step; the definitions by name. One pass over the entries, then every look-up is constant but for variables that were
 * set many times.
 *
 * What must hold: a production stands from its entry on until the next one of the same name, so "the value that this
 * entry saw" is the last production before its seq. That is the state's own rule (execution_apply.c: set_variables).
 */
#include "journal/why_state.h"

#include <assert.h>

#define BRIEF_BYTES 60

const char *ctn_why_kind_name(ctn_why_kind kind)
{
    static const char *const names[CTN_WHY_KIND_COUNT] = {
        [CTN_WHY_VARIABLE] = "variable",   [CTN_WHY_OUTPUT] = "output",     [CTN_WHY_STEP] = "step",
        [CTN_WHY_ANSWER] = "answer",       [CTN_WHY_DOCUMENT] = "document", [CTN_WHY_TEMPLATE] = "template",
        [CTN_WHY_INPUT] = "input",         [CTN_WHY_DEFAULT] = "default",   [CTN_WHY_DECISION] = "decision",
        [CTN_WHY_CONDITION] = "condition", [CTN_WHY_EVENT] = "event",       [CTN_WHY_EARLIER] = "earlier",
        [CTN_WHY_ENGINE] = "engine",       [CTN_WHY_SECRET] = "secret",
    };
    assert(kind >= 0 && kind < CTN_WHY_KIND_COUNT);
    return names[kind];
}

const ctn_json *ctn_why_body(const ctn_entry *e, const char *key)
{
    return ctn_json_member_of(e->body, key);
}

ctn_str ctn_why_brief(ctn_arena *arena, const ctn_json *v)
{
    ctn_str text = ctn_json_to_str(arena, v);
    if (text.len <= BRIEF_BYTES)
        return text;
    size_t end = 0;
    for (size_t n; end < text.len && (n = ctn_str_utf8_at(text, end)) > 0 && end + n <= BRIEF_BYTES;)
        end += n;
    return ctn_arena_printf(arena, "%.*s... (%zu bytes)", (int) end, text.ptr, text.len);
}

/* ---- the tree ---- */

ctn_why_node *ctn_why_add(const why *w, ctn_why_node *parent, ctn_why_kind kind, const ctn_entry *entry)
{
    why_telling *telling = w->telling;
    ctn_why_node *node = &telling->spare;
    bool fits = telling->count < CTN_WHY_NODES_MAX && parent != &telling->spare && parent->depth < CTN_WHY_DEPTH_MAX;
    if (fits)
        node = CTN_NEW(w->arena, ctn_why_node);
    else
        parent->is_cut = true;
    *node = (ctn_why_node){.kind = kind, .item = -1, .where = ctn_execution_id_of(w->source->execution)};
    if (entry) {
        node->step = entry->step;
        node->attempt = entry->attempt;
        node->item = entry->item;
        node->seq = entry->seq;
        node->at_ms = entry->at_ms;
        node->actor = entry->actor;
    }
    if (!fits)
        return node;
    node->id = ++telling->count;
    node->depth = parent->depth + 1;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

bool ctn_why_is_told(const why *w, ctn_why_node *node, ctn_str key)
{
    why_telling *telling = w->telling;
    if (node == &telling->spare)
        return true;
    key = ctn_arena_printf(w->arena, "%s %.*s", ctn_id_to_text(node->where).text, CTN_STR_ARG(key));
    uint32_t known = telling->told.count, number = ctn_names_add(&telling->told, key);
    if (number < known) {
        node->see = telling->told_ids[number];
        return true;
    }
    if (number == telling->told_capacity) {
        telling->told_capacity = number ? 2 * number : 64;
        uint32_t *ids = CTN_NEW_ARRAY(w->arena, uint32_t, telling->told_capacity);
        if (number)
            memcpy(ids, telling->told_ids, number * sizeof *ids);
        telling->told_ids = ids;
    }
    telling->told_ids[number] = node->id;
    return false;
}

/* ---- the index ---- */

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

typedef struct producing {
    uint32_t capacity, latest_capacity;
} producing;

static void produce(why *w, producing *p, ctn_str name, const ctn_json *value, const ctn_entry *e, uint32_t step)
{
    if (w->production_count == p->capacity) {
        p->capacity = p->capacity ? 2 * p->capacity : 64;
        production *items = CTN_NEW_ARRAY(w->arena, production, p->capacity);
        if (w->production_count)
            memcpy(items, w->productions, w->production_count * sizeof *items);
        w->productions = items;
    }
    uint32_t number = ctn_names_add(&w->variable_names, name);
    if (number >= p->latest_capacity) {
        p->latest_capacity = number ? 2 * number : 64;
        uint32_t *latest = CTN_NEW_ARRAY(w->arena, uint32_t, p->latest_capacity);
        if (number)
            memcpy(latest, w->latest, number * sizeof *latest);
        w->latest = latest;
    }
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

/* ---- entry points ---- */

static uint64_t before_seq(const ctn_why_options *options)
{
    return options->at_seq && options->at_seq < UINT64_MAX ? options->at_seq + 1 : UINT64_MAX;
}

static const ctn_plan_result *result_named(const ctn_plan *plan, ctn_str name)
{
    for (uint32_t i = 0; i < plan->result_count; i++)
        if (plan->results[i].expression && ctn_str_equal(plan->results[i].name, name))
            return &plan->results[i];
    return NULL;
}

static ctn_str root_of(ctn_str path)
{
    size_t n = 0;
    while (n < path.len && path.ptr[n] != '.' && path.ptr[n] != '[')
        n++;
    return (ctn_str){path.ptr, n};
}

/* A name that the input had and the chain does not know is a variable too: it was given. */
static bool was_given(const ctn_why_source *source, ctn_str name)
{
    return source->count && ctn_json_get(ctn_why_body(&source->entries[0], "input"), name);
}

bool ctn_why_knows_variable(const ctn_why_source *source, ctn_str path)
{
    const ctn_plan *plan = ctn_execution_plan(source->execution);
    ctn_str root = root_of(path);
    return ctn_plan_slot(plan, root) != CTN_PLAN_NONE || result_named(plan, root) || was_given(source, root);
}

static void tell_output(why *w, ctn_why_node *top, const ctn_plan_result *result, const ctn_path *path)
{
    ctn_why_node *node = ctn_why_add(w, top, CTN_WHY_OUTPUT, NULL);
    const ctn_json *text = ctn_json_get(ctn_json_member_of(w->chain, "outputs"), result->name);
    node->name = path->text;
    ctn_reads reads = {0};
    ctn_expression_reads(result->expression, w->arena, &reads);
    const ctn_json *outputs = ctn_execution_outputs(w->source->execution);
    node->is_redacted = ctn_why_reads_sensitive(w, CTN_PLAN_NONE, &reads);
    if (outputs && !node->is_redacted)
        node->value = ctn_why_walk(ctn_json_get(outputs, result->name), path->parts, path->count);
    node->text = ctn_arena_printf(w->arena, "output %.*s of the chain: %.*s", CTN_STR_ARG(result->name),
                                  CTN_STR_ARG(ctn_json_text(text)));
    why_scope scope = ctn_why_scope_of(w, CTN_PLAN_NONE, NULL);
    ctn_why_tell_reads(&scope, node, (ctn_str){0}, &reads);
}

static int unknown_variable(ctn_arena *arena, const ctn_why_source *source, ctn_str root, ctn_err *err)
{
    const ctn_plan *plan = ctn_execution_plan(source->execution);
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, (size_t) plan->variable_count + plan->result_count + 1);
    size_t count = 0;
    for (uint32_t i = 0; i < plan->variable_count; i++)
        names[count++] = plan->variables[i];
    for (uint32_t i = 0; i < plan->result_count; i++)
        if (plan->results[i].expression)
            names[count++] = plan->results[i].name;
    ctn_str near = ctn_str_nearest(root, names, count);
    if (near.len)
        return ctn_fail(err, CTN_E_NOT_FOUND, "the chain has no variable %.*s; did you mean %.*s?", CTN_STR_ARG(root),
                        CTN_STR_ARG(near));
    ctn_str list = ctn_text_list(arena, names, count, CTN_WHY_NAMES_MAX);
    return ctn_fail(err, CTN_E_NOT_FOUND, "the chain has no variable %.*s; %s%.*s", CTN_STR_ARG(root),
                    count ? "it has " : "it has none", CTN_STR_ARG(list));
}

static ctn_why_node *top_node(ctn_arena *arena, why_telling *telling)
{
    *telling = (why_telling){0};
    ctn_names_init(&telling->told, arena);
    return CTN_NEW(arena, ctn_why_node);
}

int ctn_why_variable(ctn_arena *arena, const ctn_why_source *source, const ctn_why_options *options, ctn_str path_text,
                     const ctn_why_node **ret_node, ctn_err *err)
{
    ctn_path path;
    size_t bytes = 0;
    int rc = ctn_path_parse(arena, path_text, &path, &bytes, err);
    if (rc || bytes != path_text.len)
        return ctn_fail(err, CTN_E_INVALID, "%.*s is no variable, nor a way into one (name.member[0])",
                        CTN_STR_ARG(path_text));
    if (!ctn_why_knows_variable(source, path.root))
        return unknown_variable(arena, source, path.root, err);
    why_telling *telling = CTN_NEW(arena, why_telling);
    ctn_why_node *top = top_node(arena, telling);
    why *w = CTN_NEW(arena, why);
    ctn_why_open(w, arena, source, options, telling);
    const ctn_plan_result *result = result_named(w->plan, path.root);
    if (result && !options->at_seq && !ctn_why_standing(w, path.root, UINT64_MAX)) {
        tell_output(w, top, result, &path);
    } else {
        ctn_why_tell_variable(w, top, (ctn_str){0}, &path, before_seq(options));
        const production *p = ctn_why_standing(w, path.root, before_seq(options));
        for (uint32_t n = p ? p->before : 0, told = 0; n && told < 8; n = w->productions[n - 1].before, told++) {
            const production *earlier = &w->productions[n - 1];
            ctn_why_node *node = ctn_why_add(w, top->first, CTN_WHY_EARLIER, earlier->entry);
            node->name = path.root;
            ctn_str from = ctn_why_origin(w, path.root, earlier->entry->seq + 1);
            node->is_redacted = ctn_why_is_sensitive(w, path.root);
            node->value = node->is_redacted ? NULL : ctn_why_walk(earlier->value, path.parts, path.count);
            node->text = ctn_arena_printf(arena, "it replaced what came %.*s", CTN_STR_ARG(from));
        }
    }
    *ret_node = top->first;
    return CTN_OK;
}

ctn_str ctn_why_step_name(ctn_str text, int64_t *ret_item)
{
    ctn_str rest = text, name = ctn_str_cut(&rest, '[');
    int64_t item = -1;
    bool is_item = rest.len > 1 && rest.ptr[rest.len - 1] == ']' &&
                   ctn_str_to_int64((ctn_str){rest.ptr, rest.len - 1}, &item) && item >= 0;
    *ret_item = is_item ? item : -1;
    return is_item ? name : text;
}

int ctn_why_step(ctn_arena *arena, const ctn_why_source *source, const ctn_why_options *options, ctn_str step_text,
                 const ctn_why_node **ret_node, ctn_err *err)
{
    const ctn_plan *plan = ctn_execution_plan(source->execution);
    int64_t item = -1;
    ctn_str name = ctn_why_step_name(step_text, &item);
    uint32_t step = ctn_plan_step_index(plan, name);
    if (step == CTN_PLAN_NONE) {
        ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, plan->step_count);
        for (uint32_t i = 0; i < plan->step_count; i++)
            names[i] = plan->steps[i].name;
        ctn_str near = ctn_str_nearest(name, names, plan->step_count);
        ctn_str list = ctn_text_list(arena, names, plan->step_count, CTN_WHY_NAMES_MAX);
        return ctn_fail(err, CTN_E_NOT_FOUND, "the chain has no step %.*s; %s%.*s%s", CTN_STR_ARG(name),
                        near.len ? "did you mean " : "its steps are ", CTN_STR_ARG(near.len ? near : list),
                        near.len ? "?" : "");
    }
    why_telling *telling = CTN_NEW(arena, why_telling);
    ctn_why_node *top = top_node(arena, telling);
    why *w = CTN_NEW(arena, why);
    ctn_why_open(w, arena, source, options, telling);
    ctn_why_node *node = ctn_why_add(w, top, CTN_WHY_STEP, NULL);
    ctn_why_tell_step(w, node, step, item, true);
    *ret_node = node;
    return CTN_OK;
}

/* ---- JSON ---- */

static void put_text(ctn_json_builder *b, const char *key, ctn_str text)
{
    if (text.len)
        ctn_json_put_str(b, key, text);
}

static const ctn_json *node_json(ctn_arena *arena, const ctn_why_node *node, ctn_execution_id parent)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "kind", ctn_str_from(ctn_why_kind_name(node->kind)));
    ctn_json_put_int(&b, "id", node->id);
    if (node->see)
        ctn_json_put_int(&b, "see", node->see);
    if (!ctn_id_equal(parent, node->where))
        ctn_json_put_str(&b, "executionId", ctn_str_from(ctn_id_to_text(node->where).text));
    put_text(&b, "role", node->role);
    put_text(&b, "name", node->name);
    put_text(&b, "path", node->path);
    put_text(&b, "status", node->status);
    put_text(&b, "step", node->step);
    if (node->item >= 0)
        ctn_json_put_int(&b, "item", node->item);
    if (node->attempt)
        ctn_json_put_int(&b, "attempt", node->attempt);
    if (node->seq)
        ctn_json_put_int(&b, "seq", (int64_t) node->seq);
    if (node->at_ms) {
        char at[25];
        ctn_time_format(node->at_ms, at);
        ctn_json_put_str(&b, "at", ctn_str_from(at));
    }
    put_text(&b, "actor", node->actor);
    if (node->value)
        ctn_json_put(&b, CTN_STR("value"), node->value);
    if (node->is_redacted)
        ctn_json_put_bool(&b, "redacted", true);
    if (node->args)
        ctn_json_put(&b, CTN_STR("args"), node->args);
    put_text(&b, "text", node->text);
    if (node->is_cut)
        ctn_json_put_bool(&b, "cut", true);
    if (node->first) {
        ctn_json_builder list = ctn_json_array(arena);
        for (const ctn_why_node *child = node->first; child; child = child->next)
            ctn_json_push(&list, node_json(arena, child, node->where));
        ctn_json_put(&b, CTN_STR("because"), ctn_json_finish(&list));
    }
    return ctn_json_finish(&b);
}

const ctn_json *ctn_why_to_json(ctn_arena *arena, const ctn_why_node *node)
{
    return node_json(arena, node, (ctn_execution_id){0});
}
