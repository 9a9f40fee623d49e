/*
 * why_value.c -- where a value came from: from a variable to the entry that set it, from there to what was asked and
 * by whom, from that to the variables that the question was made of.
 *
 * A variable that a step took from its result is because of the call that gave that part of the result; a document
 * because of the names that its text reads; a part that the set's own `result` makes because of the calls that it
 * reads. Who settled an interrupted call, or answered a wait, stands in place of the tool that did not.
 */
#include "core/why_state.h"

/* How the work of one entry was done. */
typedef struct doing {
    uint32_t step;
    const ctn_entry *end;
    ctn_str call; /* of a set of several; empty: the set is one call */
    const ctn_json *set;
    ctn_str set_name;
    const ctn_entry *fallback; /* taken before; NULL: the step's own set did it */
    const ctn_json *fallback_node;
    const ctn_entry *started, *answered, *waiting, *decided, *checked, *child;
    ctn_str named; /* what is asked about, as a variable; empty: not known */
} doing;

#define ITEMS_TOLD 3

static const ctn_str NOTHING = {0};

/* ---- how it was done ---- */

static bool is_about_call(const ctn_entry *e, ctn_str call)
{
    return call.len == 0 || ctn_str_equal(ctn_json_str_or(e->body, "call", NOTHING), call);
}

static void note_entry(doing *d, const ctn_entry *e)
{
    bool is_undo = ctn_json_bool_or(e->body, "undo", false);
    switch (e->kind) {
    case CTN_ENTRY_FALLBACK_TAKEN:
        d->fallback = e;
        d->started = d->answered = d->waiting = d->decided = d->checked = d->child = NULL;
        break;
    case CTN_ENTRY_ATTEMPT_STARTED:
        if (is_about_call(e, d->call))
            d->started = e;
        break;
    case CTN_ENTRY_WAITING: d->waiting = e; break;
    case CTN_ENTRY_ANSWERED: d->answered = e; break;
    case CTN_ENTRY_CHILD_STARTED: d->child = e; break;
    case CTN_ENTRY_ATTEMPT_FAILED:
        if (is_about_call(e, d->call))
            d->answered = d->decided = d->checked = NULL;
        break;
    case CTN_ENTRY_DECISION:
        if (!is_undo && is_about_call(e, d->call) && ctn_str_is(ctn_json_str_or(e->body, "what", NOTHING), "succeed"))
            d->decided = e;
        break;
    case CTN_ENTRY_CHECKED:
        if (!is_undo && is_about_call(e, d->call) && ctn_json_bool_or(e->body, "happened", false))
            d->checked = e;
        break;
    default: break;
    }
}

/* The n-th fallback, from 1. */
static const ctn_json *fallback_node(const why *w, uint32_t step, int64_t n)
{
    const ctn_json *list = ctn_json_member_of(ctn_why_step_node(w, step), "fallback");
    return n > 0 ? ctn_json_at(list, (size_t) n - 1) : NULL;
}

/* What {input} is made of: the fallback's own text, or the step's. */
static const ctn_json *input_text(const why *w, uint32_t step, int64_t fallback)
{
    const ctn_json *own = ctn_json_member_of(fallback_node(w, step, fallback), "inputTemplate");
    return own ? own : ctn_json_member_of(ctn_why_step_node(w, step), "inputTemplate");
}

static doing how_done(const why *w, uint32_t step, const ctn_entry *end, ctn_str call)
{
    doing d = {.step = step, .end = end, .call = call};
    const step_trace *trace = &w->traces[step];
    for (uint32_t i = 0; i < trace->count; i++) {
        const ctn_entry *e = &w->source->entries[trace->entries[i]];
        if (e->seq >= end->seq)
            break;
        if (e->item == end->item)
            note_entry(&d, e);
    }
    d.set_name = ctn_json_str_or(ctn_why_step_node(w, step), "instructionSet", NOTHING);
    if (d.fallback) {
        d.fallback_node = fallback_node(w, step, ctn_json_int_or(d.fallback->body, "fallback", 1));
        d.set_name = ctn_json_str_or(d.fallback_node, "instructionSet", NOTHING);
    }
    d.set = ctn_why_set(w, d.set_name);
    return d;
}

/* ---- items of a foreach ---- */

static ctn_str item_name(const why *w, uint32_t step)
{
    return ctn_json_str_or(ctn_json_member_of(ctn_why_step_node(w, step), "foreach"), "as", CTN_STR(""));
}

/* What it runs over: a list, or a range. */
static const ctn_json *foreach_node(const why *w, uint32_t step)
{
    return ctn_json_member_of(ctn_json_member_of(ctn_why_step_node(w, step), "foreach"), "items");
}

static void find_item(why_scope *s)
{
    if (s->item < 0)
        return;
    s->item_name = item_name(s->w, s->step);
    int64_t item = s->item;
    s->item = -1; /* the list is rendered for the step */
    const ctn_json *source = foreach_node(s->w, s->step);
    const ctn_json *list = ctn_why_render(s, source);
    s->item = item;
    int64_t from = 0;
    if (ctn_json_is(list, CTN_JSON_ARRAY))
        s->item_value = ctn_json_at(list, (size_t) item);
    else if (ctn_json_to_int64(ctn_json_at(ctn_json_member_of(list, "range"), 0), &from))
        s->item_value = ctn_json_int(s->w->arena, from + item);
}

/* ---- what a call was sent ---- */

static why_scope scope_of_call(const why *w, const doing *d)
{
    why_scope s = ctn_why_scope_of(w, d->step, d->end);
    s.call = d->call;
    s.fallback = d->fallback ? ctn_json_int_or(d->fallback->body, "fallback", 1) : 0;
    find_item(&s);
    const ctn_json *text = input_text(w, d->step, s.fallback);
    s.input = text ? ctn_why_render(&s, text) : NULL;
    if (!d->call.len)
        return s;
    ctn_json_builder b = ctn_json_object(w->arena); /* results of the calls before this one */
    const step_trace *trace = &w->traces[d->step];
    for (uint32_t i = 0; i < trace->count; i++) {
        const ctn_entry *e = &w->source->entries[trace->entries[i]];
        ctn_str name = ctn_json_str_or(e->body, "call", NOTHING);
        bool is_success = e->kind == CTN_ENTRY_ATTEMPT_SUCCEEDED || e->kind == CTN_ENTRY_CACHE_HIT;
        if (e->seq < d->end->seq && is_success && name.len && e->item == d->end->item)
            ctn_json_put(&b, name, ctn_why_body(e, "result"));
    }
    s.calls = ctn_json_finish(&b);
    return s;
}

/* The arguments one by one: those that were recorded as they were, the others rendered; sensitive ones by name only. */
const ctn_json *ctn_why_args(why_scope *s, const ctn_json *arguments, const ctn_entry *started)
{
    const ctn_json *recorded = started ? ctn_why_body(started, "args") : NULL;
    ctn_json_builder b = ctn_json_object(s->w->arena);
    for (size_t i = 0; i < ctn_json_count(arguments); i++) {
        ctn_str name = ctn_json_text(&arguments->members[i].key);
        const ctn_json *text = &arguments->members[i].value;
        ctn_reads reads = ctn_why_tree_reads(s->w, text);
        const ctn_json *value = ctn_json_get(recorded, name);
        bool is_hidden = ctn_why_reads_sensitive(s->w, s->step, &reads), is_optional = reads.count > 0;
        for (size_t k = 0; k < reads.count; k++) {
            is_hidden = is_hidden || ctn_str_is(reads.items[k].root, "secret");
            is_optional = is_optional && reads.items[k].is_optional;
        }
        if (is_hidden)
            value = ctn_json_string(s->w->arena, CTN_STR("[not shown]"));
        else if (!value && !recorded)
            value = ctn_why_render(s, text);
        bool is_left_out = is_optional && (!value || ctn_json_is(value, CTN_JSON_NULL) ||
                                           (ctn_json_is(value, CTN_JSON_STRING) && value->count == 0));
        if (!is_left_out && (value || !recorded))
            ctn_json_put(&b, name, value ? value : text);
    }
    return ctn_json_finish(&b);
}

/* ---- answers ---- */

static bool is_answered_by_people(ctn_work_kind kind)
{
    return kind == CTN_WORK_WAIT || kind == CTN_WORK_APPROVAL || kind == CTN_WORK_AGENT;
}

static void tell_call(const why *w, ctn_why_node *parent, ctn_str role, const doing *d, ctn_str path);

static void tell_person(const why *w, ctn_why_node *node, const doing *d, const why_work *work)
{
    if (d->answered) {
        node->actor = d->answered->actor;
        node->seq = d->answered->seq;
        node->at_ms = d->answered->at_ms;
        node->name = d->answered->actor;
        node->text = ctn_arena_printf(w->arena, "answer of %.*s, who was asked", CTN_STR_ARG(d->answered->actor));
        return;
    }
    node->kind = CTN_WHY_DEFAULT;
    node->text = work->kind != CTN_WORK_WAIT ? CTN_STR("nobody answered in time; this is what onTimeout says then")
                                             : CTN_STR("the wait was over by itself");
}

static ctn_str join_path(ctn_arena *arena, ctn_str head, ctn_str rest)
{
    bool needs_dot = head.len && rest.len && rest.ptr[0] != '[';
    return ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(head), needs_dot ? "." : "", CTN_STR_ARG(rest));
}

static const ctn_plan_result *result_named(const ctn_plan *plan, ctn_str name)
{
    for (uint32_t i = 0; i < plan->result_count; i++)
        if (ctn_str_equal(plan->results[i].name, name))
            return &plan->results[i];
    return NULL;
}

/* An output of a sub-chain, and the way into it. */
static void tell_output_of_child(const why *inner, ctn_why_node *node, const ctn_plan_result *r, const ctn_path *way)
{
    if (!r->expression) {
        ctn_why_tell_variable(inner, node, r->name, way, UINT64_MAX);
        return;
    }
    ctn_reads reads = {0};
    ctn_expression_reads(r->expression, inner->arena, &reads);
    ctn_str text = ctn_json_text(ctn_json_get(ctn_json_member_of(inner->chain, "outputs"), r->name));
    bool is_path_alone =
        reads.count == 1 &&
        ctn_str_equal(ctn_str_trim(text), ctn_arena_printf(inner->arena, "{%.*s}", CTN_STR_ARG(reads.items[0].path)));
    if (is_path_alone) /* the way goes on into the variable */
        reads.items[0].path =
            join_path(inner->arena, reads.items[0].path, ctn_why_path_text(inner->arena, way->parts, way->count));
    why_scope s = ctn_why_scope_of(inner, CTN_PLAN_NONE, NULL);
    ctn_why_tell_reads(&s, node, r->name, &reads);
}

/* Into the journal of the execution that did the work. What is asked about is named as a part of its outputs; where one
 * variable took all of them, as the variable; else it is all of them. */
static void tell_child(const why *w, ctn_why_node *node, const doing *d, ctn_str path)
{
    ctn_str id = ctn_json_str_or(d->child ? d->child->body : NULL, "child", NOTHING);
    if (!id.len)
        id = ctn_json_str_or(d->end->body, "child", NOTHING);
    ctn_why_source *source = CTN_NEW(w->arena, ctn_why_source);
    if (!id.len || !w->options->child || !w->options->child(w->options->child_ctx, id, source))
        return;
    why *inner = CTN_NEW(w->arena, why);
    ctn_why_open(inner, w->arena, source, w->options, w->telling);
    inner->parent = w;
    const ctn_json *arguments = ctn_json_member_of(d->set, "arguments");
    for (size_t i = 0; i < ctn_json_count(arguments); i++) { /* what it was given is as sensitive as it was here */
        ctn_reads reads = ctn_why_tree_reads(w, &arguments->members[i].value);
        if (ctn_why_reads_sensitive(w, d->step, &reads))
            ctn_names_add(&inner->sensitive, ctn_json_text(&arguments->members[i].key));
    }
    ctn_why_spread_sensitive(inner);
    const ctn_str ways[] = {path, d->named};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        ctn_path way;
        size_t bytes = 0;
        if (!ways[i].len || ctn_path_parse(w->arena, ways[i], &way, &bytes, NULL) || bytes != ways[i].len)
            continue;
        const ctn_plan_result *r = result_named(inner->plan, way.root);
        if (r) {
            tell_output_of_child(inner, node, r, &way);
            return;
        }
    }
    for (uint32_t i = 0; i < inner->plan->result_count; i++) {
        ctn_path way = {.root = inner->plan->results[i].name, .text = inner->plan->results[i].name};
        tell_output_of_child(inner, node, &inner->plan->results[i], &way);
    }
}

static void tell_arguments(ctn_why_node *node, why_scope *s, const ctn_json *arguments)
{
    for (size_t i = 0; i < ctn_json_count(arguments); i++) {
        ctn_reads reads = ctn_why_tree_reads(s->w, &arguments->members[i].value);
        ctn_why_tell_reads(s, node, ctn_json_text(&arguments->members[i].key), &reads);
    }
}

static void tell_fallback_value(const why *w, ctn_why_node *parent, ctn_str role, const doing *d, ctn_str path)
{
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_DEFAULT, d->fallback);
    long long n = (long long) ctn_json_int_or(d->fallback->body, "fallback", 1);
    node->role = role;
    node->path = path;
    node->text = ctn_arena_printf(w->arena, "value of fallback %lld", n);
    if (ctn_why_is_told(w, node, ctn_arena_printf(w->arena, "fallback %llu", (unsigned long long) d->fallback->seq)))
        return;
    why_scope s = scope_of_call(w, d);
    ctn_reads reads = ctn_why_tree_reads(w, ctn_json_member_of(d->fallback_node, "value"));
    ctn_why_tell_reads(&s, node, CTN_STR("value"), &reads);
}

/* One call of a set, or the set when it is one. path: the part of its answer that is asked about. */
static void tell_call(const why *w, ctn_why_node *parent, ctn_str role, const doing *d, ctn_str path)
{
    if (d->fallback && !d->set) {
        tell_fallback_value(w, parent, role, d, path);
        return;
    }
    const ctn_json *calls = ctn_json_member_of(d->set, "calls");
    why_work work = ctn_why_work(w, d->call.len ? ctn_json_get(calls, d->call) : d->set);
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_ANSWER, d->end);
    node->role = role;
    node->name = work.target;
    node->path = path;
    if (d->call.len) {
        const ctn_json *result = ctn_why_body(d->end, "result");
        ctn_path way;
        size_t bytes = 0;
        node->value = result;
        if (path.len && ctn_path_parse(w->arena, path, &way, &bytes, NULL) == CTN_OK && bytes == path.len)
            node->value = ctn_path_resolve_in(&way, result);
        node->is_redacted = ctn_why_is_sensitive(w, d->call);
        if (node->is_redacted)
            node->value = NULL;
    }
    ctn_str by = d->fallback ? ctn_arena_printf(w->arena, ", fallback %lld",
                                                (long long) ctn_json_int_or(d->fallback->body, "fallback", 1))
                             : NOTHING;
    node->text = ctn_arena_printf(w->arena, "answer of %.*s%s%.*s%s%s%.*s", CTN_STR_ARG(work.target),
                                  d->call.len ? " (call " : "", CTN_STR_ARG(d->call), d->call.len ? ")" : "",
                                  d->end->kind == CTN_ENTRY_CACHE_HIT ? ", out of the cache" : "", CTN_STR_ARG(by));
    if (work.kind == CTN_WORK_CHAIN)
        node->text = ctn_arena_printf(w->arena, "outputs of chain %.*s%.*s", CTN_STR_ARG(work.target), CTN_STR_ARG(by));
    if (is_answered_by_people(work.kind))
        tell_person(w, node, d, &work);
    if (d->decided) {
        node->kind = CTN_WHY_DECISION;
        node->name = node->actor = d->decided->actor;
        node->seq = d->decided->seq;
        node->at_ms = d->decided->at_ms;
        node->text = ctn_arena_printf(w->arena, "word of %.*s that %.*s did happen, with this result",
                                      CTN_STR_ARG(d->decided->actor), CTN_STR_ARG(work.target));
    } else if (d->checked) {
        why_work check = ctn_why_work(w, ctn_json_member_of(d->set, "check"));
        node->name = check.target;
        node->seq = d->checked->seq;
        node->at_ms = d->checked->at_ms;
        node->text = ctn_arena_printf(w->arena, "answer of the check %.*s: %.*s did happen", CTN_STR_ARG(check.target),
                                      CTN_STR_ARG(work.target));
    }
    if (ctn_why_is_told(w, node,
                        ctn_arena_printf(w->arena, "call %llu %.*s", (unsigned long long) d->end->seq,
                                         CTN_STR_ARG(work.kind != CTN_WORK_CHAIN ? d->call : d->named))))
        return;
    why_scope s = scope_of_call(w, d);
    const ctn_json *arguments = ctn_why_arguments_node(w, &work);
    node->args = ctn_why_args(&s, arguments, d->started ? d->started : d->child);
    if (ctn_json_count(node->args) == 0)
        node->args = NULL;
    if (work.kind == CTN_WORK_CHAIN)
        tell_child(w, node, d, path);
    tell_arguments(node, &s, arguments);
}

void ctn_why_tell_sent(const why *w, ctn_why_node *parent, uint32_t step, const ctn_entry *end, ctn_str call)
{
    doing d = how_done(w, step, end, call);
    if (end->kind == CTN_ENTRY_ATTEMPT_STARTED && is_about_call(end, call))
        d.started = end;
    why_work work = ctn_why_work(w, call.len ? ctn_json_get(ctn_json_member_of(d.set, "calls"), call) : d.set);
    if (work.kind == CTN_WORK_UNKNOWN || is_answered_by_people(work.kind))
        return;
    why_scope s = scope_of_call(w, &d);
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_EVENT, d.started);
    node->step = w->plan->steps[step].name;
    node->name = work.target;
    node->args = ctn_why_args(&s, ctn_why_arguments_node(w, &work), d.started);
    node->text = ctn_arena_printf(w->arena, work.kind == CTN_WORK_CHAIN ? "chain %.*s was started" : "%.*s was called",
                                  CTN_STR_ARG(work.target));
}

/* ---- results of several calls ---- */

/* The entry in which a call of the set succeeded, of the same item and before or at `end`. */
static const ctn_entry *end_of_call(const why *w, uint32_t step, const ctn_entry *end, ctn_str call)
{
    const ctn_entry *found = NULL;
    const step_trace *trace = &w->traces[step];
    for (uint32_t i = 0; i < trace->count; i++) {
        const ctn_entry *e = &w->source->entries[trace->entries[i]];
        bool is_success = e->kind == CTN_ENTRY_ATTEMPT_SUCCEEDED || e->kind == CTN_ENTRY_CACHE_HIT;
        if (e->seq <= end->seq && is_success && e->item == end->item &&
            ctn_str_equal(ctn_json_str_or(e->body, "call", NOTHING), call))
            found = e;
    }
    return found;
}

static bool has_call(const ctn_json *set, ctn_str name)
{
    return ctn_json_get(ctn_json_member_of(set, "calls"), name) != NULL;
}

static void tell_one_of_several(const why *w, ctn_why_node *parent, ctn_str role, const doing *whole, ctn_str call,
                                ctn_str path)
{
    const ctn_entry *end = end_of_call(w, whole->step, whole->end, call);
    if (!end)
        return;
    doing d = how_done(w, whole->step, end, call);
    tell_call(w, parent, role, &d, path);
}

/* What the set's `result` says beside the calls: templates over the calls' results. */
static void tell_result_template(const why *w, ctn_why_node *parent, const doing *d, const ctn_json *text,
                                 const ctn_path_part *parts, size_t count)
{
    while (count && (ctn_json_is(text, CTN_JSON_OBJECT) || ctn_json_is(text, CTN_JSON_ARRAY))) {
        const ctn_json *inner = ctn_why_walk(text, parts, 1);
        if (!inner)
            break;
        text = inner;
        parts++;
        count--;
    }
    ctn_reads reads = ctn_why_tree_reads(w, text);
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_TEMPLATE, d->end);
    node->name = ctn_arena_printf(w->arena, "result of %.*s", CTN_STR_ARG(d->set_name));
    node->text = ctn_why_brief(w->arena, text);
    why_scope s = scope_of_call(w, d);
    ctn_str rest = ctn_why_path_text(w->arena, parts, count);
    for (size_t i = 0; i < reads.count; i++) {
        ctn_read read = reads.items[i];
        if (reads.count == 1 && rest.len)
            read.path = join_path(w->arena, read.path, rest);
        ctn_path way;
        size_t bytes = 0;
        if (has_call(d->set, read.root) && ctn_path_parse(w->arena, read.path, &way, &bytes, NULL) == CTN_OK) {
            tell_one_of_several(w, node, NOTHING, d, read.root, ctn_why_path_text(w->arena, way.parts, way.count));
            continue;
        }
        ctn_reads one = {.items = &read, .count = 1, .capacity = 1};
        ctn_why_tell_reads(&s, node, NOTHING, &one);
    }
}

/* ---- from the variable to the result ---- */

static const ctn_plan_output *output_of(const ctn_plan *plan, uint32_t step, ctn_str name)
{
    const ctn_plan_step *p = &plan->steps[step];
    for (uint32_t i = 0; i < p->output_count; i++)
        if (ctn_str_equal(plan->variables[p->outputs[i].slot], name))
            return &p->outputs[i];
    return NULL;
}

/* Is it the document's text? When no front matter names the variable, the text tells: what the document gives now with
 * what it read then. A document that reads {{result}} cannot be made again; then it is the first text without a path.
 */
static bool is_document(const why *w, const production *p, ctn_str name)
{
    const ctn_plan_step *step = &w->plan->steps[p->step];
    if (!step->document || !ctn_json_is(p->value, CTN_JSON_STRING))
        return false;
    if (step->document_slot != CTN_PLAN_NONE)
        return ctn_str_equal(w->plan->variables[step->document_slot], name);
    why_scope s = ctn_why_scope_of(w, p->step, p->entry);
    find_item(&s);
    s.own = ctn_why_body(p->entry, "variables");
    s.attempt = p->entry->attempt;
    const ctn_json *text = ctn_why_render_document(&s);
    if (text && ctn_json_equal(text, p->value))
        return true;
    for (uint32_t i = 0; i < step->output_count; i++) {
        ctn_str other = w->plan->variables[step->outputs[i].slot];
        const ctn_json *v = ctn_json_get(s.own, other);
        if (text && ctn_json_is(v, CTN_JSON_STRING) && ctn_json_equal(text, v))
            return false;
        if (ctn_json_is(v, CTN_JSON_STRING) && !step->outputs[i].path)
            return ctn_str_equal(other, name);
    }
    return false;
}

static void tell_document(const why *w, ctn_why_node *parent, const production *p)
{
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_DOCUMENT, p->entry);
    node->name = ctn_json_str_or(ctn_why_step_node(w, p->step), "templateId", NOTHING);
    node->text = ctn_arena_printf(w->arena, "document %.*s", CTN_STR_ARG(node->name));
    if (ctn_why_is_told(w, node, ctn_arena_printf(w->arena, "document %llu", (unsigned long long) p->entry->seq)))
        return;
    why_scope s = ctn_why_scope_of(w, p->step, p->entry);
    find_item(&s);
    s.own = ctn_why_body(p->entry, "variables");
    s.attempt = p->entry->attempt;
    ctn_reads reads = ctn_why_document_reads(w, p->step);
    ctn_why_tell_reads(&s, node, NOTHING, &reads);
}

/* The entry in which an item was completed, at the latest in `end`. */
static const ctn_entry *end_of_item(const why *w, uint32_t step, const ctn_entry *end, int64_t item)
{
    const ctn_entry *found = NULL;
    const step_trace *trace = &w->traces[step];
    for (uint32_t i = 0; i < trace->count; i++) {
        const ctn_entry *e = &w->source->entries[trace->entries[i]];
        if (e->seq <= end->seq && e->item == item && e->kind != CTN_ENTRY_DECISION &&
            (ctn_why_body(e, "variables") ||
             (e->kind == CTN_ENTRY_ATTEMPT_FAILED && ctn_json_bool_or(e->body, "final", false))))
            found = e;
    }
    return found;
}

static void tell_taken(const why *w, ctn_why_node *node, const production *p, const ctn_path *path);

static void tell_one_item(const why *w, ctn_why_node *parent, const production *p, const ctn_path *path, int64_t item)
{
    const ctn_entry *end = end_of_item(w, p->step, p->entry, item);
    if (!end)
        return;
    if (end->kind == CTN_ENTRY_ATTEMPT_FAILED) {
        ctn_why_node *failed = ctn_why_add(w, parent, CTN_WHY_STEP, end);
        failed->name = end->step;
        failed->text = ctn_arena_printf(
            w->arena, "item %lld of step %.*s failed (%.*s), and `onError: continue` makes it null", (long long) item,
            CTN_STR_ARG(end->step), CTN_STR_ARG(ctn_json_str_or(end->body, "code", NOTHING)));
        return;
    }
    production one = {.value = ctn_json_get(ctn_why_body(end, "variables"), path->root), .entry = end, .step = p->step};
    tell_taken(w, parent, &one, path);
}

/* A list that a foreach gave: the items it ran over, and the first few values; a way into it is about one of them. */
static void tell_list(const why *w, ctn_why_node *node, const production *p, const ctn_path *path)
{
    int64_t count = (int64_t) ctn_json_count(p->value);
    if (path->count && !path->parts[0].name.ptr) {
        ctn_path rest = *path;
        int64_t item = path->parts[0].index < 0 ? count + path->parts[0].index : path->parts[0].index;
        rest.parts++;
        rest.count--;
        tell_one_item(w, node, p, &rest, item);
        return;
    }
    ctn_why_node *list = ctn_why_add(w, node, CTN_WHY_STEP, p->entry);
    list->name = p->entry->step;
    list->text = ctn_arena_printf(w->arena, "list of what step %.*s gave for each of %.*s", CTN_STR_ARG(p->entry->step),
                                  CTN_STR_ARG(ctn_why_items_text(w, p->entry)));
    if (ctn_why_is_told(w, list, ctn_arena_printf(w->arena, "list %llu", (unsigned long long) p->entry->seq)))
        return;
    why_scope s = ctn_why_scope_of(w, p->step, p->entry);
    ctn_reads reads = ctn_why_tree_reads(w, foreach_node(w, p->step));
    ctn_why_tell_reads(&s, list, CTN_STR("items"), &reads);
    for (int64_t i = 0; i < count && i < ITEMS_TOLD; i++) {
        ctn_path one = {.root = path->root};
        ctn_why_node *item = ctn_why_add(w, list, CTN_WHY_VARIABLE, NULL);
        item->name = ctn_arena_printf(w->arena, "%.*s[%lld]", CTN_STR_ARG(path->root), (long long) i);
        item->item = i;
        item->is_redacted = ctn_why_is_sensitive(w, path->root);
        item->value = item->is_redacted ? NULL : ctn_json_at(p->value, (size_t) i);
        tell_one_item(w, item, p, &one, i);
    }
    list->is_cut = count > ITEMS_TOLD;
}

static void tell_taken(const why *w, ctn_why_node *node, const production *p, const ctn_path *path)
{
    if (p->entry->item < 0 && ctn_why_body(p->entry, "items")) {
        tell_list(w, node, p, path);
        return;
    }
    if (is_document(w, p, path->root)) {
        tell_document(w, node, p);
        return;
    }
    doing d = how_done(w, p->step, p->entry, NOTHING);
    const ctn_plan_output *output = output_of(w->plan, p->step, path->root);
    ctn_str rest = ctn_why_path_text(w->arena, path->parts, path->count);
    bool is_whole = !output || (!output->path && w->plan->steps[p->step].output_count == 1);
    ctn_str way = output && output->path ? join_path(w->arena, output->path->text, rest)
                  : is_whole             ? rest
                                         : join_path(w->arena, path->root, rest);
    const ctn_json *calls = ctn_json_member_of(d.set, "calls");
    if (!calls) {
        d.named = join_path(w->arena, path->root, rest);
        tell_call(w, node, NOTHING, &d, way);
        return;
    }
    ctn_path in_result;
    size_t bytes = 0;
    bool is_named = ctn_path_parse(w->arena, is_whole ? join_path(w->arena, path->root, rest) : way, &in_result, &bytes,
                                   NULL) == CTN_OK;
    const ctn_json *text = is_named ? ctn_json_get(ctn_json_member_of(d.set, "result"), in_result.root) : NULL;
    if (text) {
        tell_result_template(w, node, &d, text, in_result.parts, in_result.count);
    } else if (is_named && has_call(d.set, in_result.root)) {
        tell_one_of_several(w, node, NOTHING, &d, in_result.root,
                            ctn_why_path_text(w->arena, in_result.parts, in_result.count));
    } else {
        for (uint32_t i = 0; ctn_why_call_name(d.set, i).len; i++)
            tell_one_of_several(w, node, NOTHING, &d, ctn_why_call_name(d.set, i), NOTHING);
    }
}

/* ---- variables ---- */

static void tell_given(const why *w, ctn_why_node *node, const production *p, const ctn_path *path)
{
    if (w->parent) { /* of a sub-chain: its inputs are the arguments of the step above, told there */
        ctn_why_node *input = ctn_why_add(w, node, CTN_WHY_INPUT, p->entry);
        input->name = path->root;
        input->text =
            ctn_arena_printf(w->arena, "argument %.*s of the step that started this chain", CTN_STR_ARG(path->root));
        return;
    }
    const ctn_json *parent = ctn_why_body(p->entry, "parent");
    if (parent) {
        ctn_why_node *argument = ctn_why_add(w, node, CTN_WHY_INPUT, p->entry);
        argument->name = path->root;
        argument->text = ctn_arena_printf(w->arena, "argument of step %.*s of execution %.*s, which started this one",
                                          CTN_STR_ARG(ctn_json_str_or(parent, "step", NOTHING)),
                                          CTN_STR_ARG(ctn_json_str_or(parent, "id", NOTHING)));
        return;
    }
    const ctn_json *schema =
        ctn_json_get(ctn_json_member_of(ctn_json_member_of(w->chain, "inputSchema"), "properties"), path->root);
    const ctn_json *otherwise = ctn_json_member_of(schema, "default");
    bool is_default = otherwise && ctn_json_equal(otherwise, p->value);
    ctn_why_node *input = ctn_why_add(w, node, is_default ? CTN_WHY_DEFAULT : CTN_WHY_INPUT, p->entry);
    input->name = path->root;
    input->text = is_default ? CTN_STR("input, with the default of the inputSchema")
                             : ctn_arena_printf(w->arena, "input, given by %.*s", CTN_STR_ARG(p->entry->actor));
}

/* Another execution did it: what it was because of stands there. */
static void tell_reused(const why *w, ctn_why_node *node, const production *p, const ctn_path *path)
{
    ctn_why_node *cause = ctn_why_add(w, node, CTN_WHY_STEP, p->entry);
    cause->name = cause->step = w->plan->steps[p->step].name;
    const ctn_json *reused = ctn_why_reused(w, p->step);
    ctn_str from = ctn_json_str_or(ctn_execution_from(w->source->execution), "execution", NOTHING);
    cause->status = ctn_json_str_or(reused, "status", NOTHING);
    cause->text = ctn_arena_printf(w->arena, "result of step %.*s, reused from execution %.*s",
                                   CTN_STR_ARG(cause->name), CTN_STR_ARG(ctn_json_str_or(reused, "execution", from)));
    why *earlier = CTN_NEW(w->arena, why);
    uint32_t step = 0;
    if (ctn_why_open_reused(w, p->step, earlier, &step))
        ctn_why_tell_variable(earlier, cause, NOTHING, path, earlier->traces[step].ended->seq + 1);
}

static void tell_production(const why *w, ctn_why_node *node, const production *p, const ctn_path *path)
{
    const ctn_entry *e = p->entry;
    ctn_why_node *cause;
    if (p->is_reused) {
        tell_reused(w, node, p, path);
        return;
    }
    switch (e->kind) {
    case CTN_ENTRY_QUEUED:
    case CTN_ENTRY_STARTED: tell_given(w, node, p, path); break;
    case CTN_ENTRY_DECISION:
        cause = ctn_why_add(w, node, CTN_WHY_DECISION, e);
        cause->name = e->actor;
        cause->text = ctn_arena_printf(w->arena, "set by %.*s", CTN_STR_ARG(e->actor));
        break;
    case CTN_ENTRY_CHECKED:
        cause = ctn_why_add(w, node, CTN_WHY_ANSWER, e);
        cause->text = CTN_STR("answer of the check, while the chain was undone");
        break;
    case CTN_ENTRY_ATTEMPT_FAILED:
        cause = ctn_why_add(w, node, CTN_WHY_STEP, e);
        cause->name = e->step;
        cause->text =
            ctn_arena_printf(w->arena, "step %.*s failed (%.*s), and `onError: continue` makes its variables null",
                             CTN_STR_ARG(e->step), CTN_STR_ARG(ctn_json_str_or(e->body, "code", NOTHING)));
        break;
    default: tell_taken(w, node, p, path); break;
    }
}

static void tell_unset(const why *w, ctn_why_node *node, ctn_str root)
{
    node->text = CTN_STR("never set");
    for (uint32_t i = 0; i < w->plan->step_count; i++) {
        if (!output_of(w->plan, i, root))
            continue;
        ctn_why_node *step = ctn_why_add(w, node, CTN_WHY_STEP, NULL);
        ctn_why_tell_step(w, step, i, -1, false);
    }
    if (!node->first)
        node->text = CTN_STR("never set: no step gives it, and it was no input");
}

void ctn_why_tell_variable(const why *w, ctn_why_node *parent, ctn_str role, const ctn_path *path, uint64_t before_seq)
{
    const production *p = ctn_why_standing(w, path->root, before_seq);
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_VARIABLE, p ? p->entry : NULL);
    node->role = role;
    ctn_str rest = ctn_why_path_text(w->arena, path->parts, path->count);
    node->name = join_path(w->arena, path->root, rest);
    if (!p) {
        if (!ctn_why_is_told(w, node, ctn_arena_printf(w->arena, "unset %.*s", CTN_STR_ARG(path->root))))
            tell_unset(w, node, path->root);
        return;
    }
    node->is_redacted = ctn_why_is_sensitive(w, path->root);
    const ctn_json *value = ctn_why_walk(p->value, path->parts, path->count);
    if (!node->is_redacted)
        node->value = value;
    if (!value)
        node->text = ctn_arena_printf(w->arena, "%.*s has nothing there", CTN_STR_ARG(path->root));
    if (!ctn_why_is_told(w, node,
                         ctn_arena_printf(w->arena, "variable %llu %.*s", (unsigned long long) p->entry->seq,
                                          CTN_STR_ARG(node->name))))
        tell_production(w, node, p, path);
}

ctn_str ctn_why_origin(const why *w, ctn_str name, uint64_t before_seq)
{
    const production *p = ctn_why_standing(w, name, before_seq);
    if (!p)
        return NOTHING;
    bool is_given = p->entry->kind == CTN_ENTRY_QUEUED || p->entry->kind == CTN_ENTRY_STARTED;
    if (is_given && !p->is_reused)
        return CTN_STR("from the input");
    if (p->step == CTN_PLAN_NONE)
        return ctn_arena_printf(w->arena, "set by %.*s", CTN_STR_ARG(p->entry->actor));
    return ctn_arena_printf(w->arena, "from step %.*s", CTN_STR_ARG(w->plan->steps[p->step].name));
}

/* ---- what a text reads ---- */

static void tell_item(why_scope *s, ctn_why_node *parent, ctn_str role, const ctn_read *read, const ctn_path *path)
{
    const why *w = s->w;
    const ctn_json *source = foreach_node(w, s->step);
    ctn_reads reads = ctn_why_tree_reads(w, source);
    ctn_str text = ctn_json_is(source, CTN_JSON_STRING) ? ctn_json_text(source) : NOTHING;
    bool is_variable =
        reads.count == 1 && text.len == reads.items[0].path.len + 2 && ctn_str_starts_with(text, CTN_STR("{"));
    ctn_path way;
    size_t bytes = 0;
    if (is_variable) {
        ctn_str whole = join_path(
            w->arena, ctn_arena_printf(w->arena, "%.*s[%lld]", CTN_STR_ARG(reads.items[0].path), (long long) s->item),
            ctn_why_path_text(w->arena, path->parts, path->count));
        if (ctn_path_parse(w->arena, whole, &way, &bytes, NULL) == CTN_OK && bytes == whole.len) {
            ctn_why_tell_variable(w, parent, role, &way, s->before_seq);
            return;
        }
    }
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_TEMPLATE, NULL);
    node->role = role;
    node->name = read->path;
    node->item = s->item;
    node->step = w->plan->steps[s->step].name;
    node->is_redacted = ctn_why_reads_sensitive(w, s->step, &reads);
    if (!node->is_redacted)
        node->value = ctn_why_walk(s->item_value, path->parts, path->count);
    node->text = ctn_arena_printf(w->arena, "item %lld of %.*s", (long long) s->item,
                                  CTN_STR_ARG(ctn_why_brief(w->arena, source)));
    ctn_why_tell_reads(s, node, NOTHING, &reads);
}

static void tell_input_template(why_scope *s, ctn_why_node *parent, ctn_str role)
{
    const why *w = s->w;
    const ctn_json *text = input_text(w, s->step, s->fallback);
    if (!text)
        return;
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_TEMPLATE, NULL);
    node->role = role;
    node->name = CTN_STR("inputTemplate");
    node->step = w->plan->steps[s->step].name;
    node->text =
        s->fallback ? CTN_STR("the fallback's inputTemplate, or the step's") : CTN_STR("the step's inputTemplate");
    ctn_reads reads = ctn_why_tree_reads(w, text);
    node->is_redacted = ctn_why_reads_sensitive(w, s->step, &reads);
    node->value = node->is_redacted ? NULL : s->input;
    if (!ctn_why_is_told(w, node, ctn_arena_printf(w->arena, "input %llu", (unsigned long long) s->before_seq)))
        ctn_why_tell_reads(s, node, NOTHING, &reads);
}

static void tell_root(why_scope *s, ctn_why_node *parent, ctn_str role, const ctn_path *path)
{
    bool is_secret = ctn_str_is(path->root, "secret");
    ctn_why_node *node = ctn_why_add(s->w, parent, is_secret ? CTN_WHY_SECRET : CTN_WHY_ENGINE, NULL);
    node->role = role;
    node->name = path->text;
    node->is_redacted = is_secret;
    if (is_secret)
        return;
    ctn_scope scope = ctn_why_scope(s);
    node->value = ctn_path_resolve(path, &scope);
}

static void tell_read(why_scope *s, ctn_why_node *parent, ctn_str role, const ctn_read *read)
{
    const why *w = s->w;
    ctn_path path;
    size_t bytes = 0;
    if (ctn_path_parse(w->arena, read->path, &path, &bytes, NULL))
        return;
    bool is_optional = read->is_optional;
    if (ctn_json_get(s->calls, path.root)) {
        doing whole = {.step = s->step};
        ctn_entry end = {.seq = s->before_seq, .item = s->item};
        whole.end = &end;
        tell_one_of_several(w, parent, role, &whole, path.root, ctn_why_path_text(w->arena, path.parts, path.count));
        return;
    }
    bool is_item = s->item >= 0 && (ctn_str_is(path.root, "item") || ctn_str_equal(path.root, s->item_name));
    bool is_own = ctn_json_get(s->own, path.root) != NULL;
    uint64_t before = is_own ? s->before_seq + 1 : s->before_seq;
    bool is_known = is_own || ctn_why_standing(w, path.root, before);
    if (is_item)
        tell_item(s, parent, role, read, &path);
    else if (is_known || !ctn_is_reserved_root(path.root)) {
        if (is_known || !is_optional || parent->kind != CTN_WHY_ANSWER)
            ctn_why_tell_variable(w, parent, role, &path, before);
    } else if (ctn_str_is(path.root, "input"))
        tell_input_template(s, parent, role);
    else if (!ctn_str_is(path.root, "result"))
        tell_root(s, parent, role, &path);
}

void ctn_why_tell_reads(why_scope *s, ctn_why_node *parent, ctn_str role, const ctn_reads *reads)
{
    for (size_t i = 0; i < reads->count; i++)
        tell_read(s, parent, role, &reads->items[i]);
}
