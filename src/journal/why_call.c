/*
 * why_call.c -- what a step's work was: which set or fallback did it, what it was sent, who answered in the end.
 *
 * The entries before the one that ended the work say it all: what was taken back by a later one (an answer before a
 * failed attempt, the step's own set before a fallback) is no cause. Who settled an interrupted call, or answered a
 * wait, stands in place of the tool that did not; a sub-chain's outputs are followed into its own journal.
 */
#include "journal/why_walk.h"
#include "value/secret.h"

static const ctn_str NOTHING = {0};

/* ---- how it was done ---- */

static bool is_about_call(const ctn_entry *e, ctn_str call)
{
    return call.len == 0 || ctn_str_equal(ctn_json_str_or(e->body, "call", NOTHING), call);
}

static void note_entry(why_doing *d, const ctn_entry *e)
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
    case CTN_ENTRY_WAITING:
        if (!ctn_str_is(ctn_json_str_or(e->body, "for", NOTHING), "input")) /* of a call: the tool has the last word */
            d->waiting = e;
        break;
    case CTN_ENTRY_ANSWERED:
        if (d->waiting)
            d->answered = e;
        break;
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
const ctn_json *ctn_why_input_text(const why *w, uint32_t step, int64_t fallback)
{
    const ctn_json *own = ctn_json_member_of(fallback_node(w, step, fallback), "inputTemplate");
    return own ? own : ctn_json_member_of(ctn_why_step_node(w, step), "inputTemplate");
}

why_doing ctn_why_how_done(const why *w, uint32_t step, const ctn_entry *end, ctn_str call)
{
    why_doing d = {.step = step, .end = end, .call = call};
    const ctn_entry *e;
    for (uint32_t i = 0; (e = ctn_why_entry(w, step, i)) != NULL; i++) {
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
const ctn_json *ctn_why_foreach_node(const why *w, uint32_t step)
{
    return ctn_json_member_of(ctn_json_member_of(ctn_why_step_node(w, step), "foreach"), "items");
}

void ctn_why_find_item(why_scope *s)
{
    if (s->item < 0)
        return;
    s->item_name = item_name(s->w, s->step);
    int64_t item = s->item;
    s->item = -1; /* the list is rendered for the step */
    const ctn_json *source = ctn_why_foreach_node(s->w, s->step);
    const ctn_json *list = ctn_why_render(s, source);
    s->item = item;
    int64_t from = 0;
    if (ctn_json_is(list, CTN_JSON_ARRAY))
        s->item_value = ctn_json_at(list, (size_t) item);
    else if (ctn_json_to_int64(ctn_json_at(ctn_json_member_of(list, "range"), 0), &from))
        s->item_value = ctn_json_int(s->w->arena, from + item);
}

/* ---- what a call was sent ---- */

why_scope ctn_why_scope_of_call(const why *w, const why_doing *d)
{
    why_scope s = ctn_why_scope_of(w, d->step, d->end);
    s.call = d->call;
    s.fallback = d->fallback ? ctn_json_int_or(d->fallback->body, "fallback", 1) : 0;
    ctn_why_find_item(&s);
    const ctn_json *text = ctn_why_input_text(w, d->step, s.fallback);
    s.input = text ? ctn_why_render(&s, text) : NULL;
    if (!d->call.len)
        return s;
    ctn_json_builder b = ctn_json_object(w->arena); /* results of the calls before this one */
    const ctn_entry *e;
    for (uint32_t i = 0; (e = ctn_why_entry(w, d->step, i)) != NULL; i++) {
        ctn_str name = ctn_json_str_or(e->body, "call", NOTHING);
        bool is_success = e->kind == CTN_ENTRY_ATTEMPT_SUCCEEDED || e->kind == CTN_ENTRY_CACHE_HIT;
        if (e->seq < d->end->seq && is_success && name.len && e->item == d->end->item)
            ctn_json_put(&b, name, ctn_why_body(e, "result"));
    }
    s.calls = ctn_json_finish(&b);
    return s;
}

/* May what the step's set sent hold secrets? Then values were disarmed before they were rendered into it. */
static bool names_secrets(const why_scope *s)
{
    const ctn_plan_step *step = &s->w->plan->steps[s->step];
    const ctn_plan_set *set = s->fallback ? step->fallbacks[s->fallback - 1].set : step->set;
    return set && ctn_plan_names_secrets(step, set);
}

/* The arguments one by one: those that were recorded as they were, the others rendered; sensitive ones by name only. */
static const ctn_json *args_sent(why_scope *s, const ctn_json *arguments, const ctn_entry *started)
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
        if (value && names_secrets(s))
            value = ctn_secret_disarm(s->w->arena, value);
        bool is_left_out = is_optional && (!value || ctn_json_is(value, CTN_JSON_NULL) ||
                                           (ctn_json_is(value, CTN_JSON_STRING) && value->count == 0));
        if (!is_left_out && (value || !recorded))
            ctn_json_put(&b, name, value ? ctn_secret_told(s->w->arena, value) : text);
    }
    return ctn_json_finish(&b);
}

/* ---- answers ---- */

static bool is_answered_by_people(ctn_work_kind kind)
{
    return kind == CTN_WORK_WAIT || kind == CTN_WORK_APPROVAL || kind == CTN_WORK_AGENT;
}

static void tell_person(const why *w, ctn_why_node *node, const why_doing *d, const why_work *work)
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

ctn_str ctn_why_join_path(ctn_arena *arena, ctn_str head, ctn_str rest)
{
    bool needs_dot = head.len && rest.len && rest.ptr[0] != '[';
    return ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(head), needs_dot ? "." : "", CTN_STR_ARG(rest));
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
        reads.items[0].path = ctn_why_join_path(inner->arena, reads.items[0].path,
                                                ctn_why_path_text(inner->arena, way->parts, way->count));
    why_scope s = ctn_why_scope_of(inner, CTN_PLAN_NONE, NULL);
    ctn_why_tell_reads(&s, node, r->name, &reads);
}

/* Into the journal of the execution that did the work. What is asked about is named as a part of its outputs; where one
 * variable took all of them, as the variable; else it is all of them. */
static void tell_child(const why *w, ctn_why_node *node, const why_doing *d, ctn_str path)
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
        const ctn_plan_result *r = ctn_why_result_named(inner->plan, way.root);
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

static void tell_fallback_value(const why *w, ctn_why_node *parent, ctn_str role, const why_doing *d, ctn_str path)
{
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_DEFAULT, d->fallback);
    long long n = (long long) ctn_json_int_or(d->fallback->body, "fallback", 1);
    node->role = role;
    node->path = path;
    node->text = ctn_arena_printf(w->arena, "value of fallback %lld", n);
    if (ctn_why_is_told(w, node, ctn_arena_printf(w->arena, "fallback %llu", (unsigned long long) d->fallback->seq)))
        return;
    why_scope s = ctn_why_scope_of_call(w, d);
    ctn_reads reads = ctn_why_tree_reads(w, ctn_json_member_of(d->fallback_node, "value"));
    ctn_why_tell_reads(&s, node, CTN_STR("value"), &reads);
}

/* One call of a set, or the set when it is one. path: the part of its answer that is asked about. */
void ctn_why_tell_call(const why *w, ctn_why_node *parent, ctn_str role, const why_doing *d, ctn_str path)
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
    why_scope s = ctn_why_scope_of_call(w, d);
    const ctn_json *arguments = ctn_why_arguments_node(w, &work);
    node->args = args_sent(&s, arguments, d->started ? d->started : d->child);
    if (ctn_json_count(node->args) == 0)
        node->args = NULL;
    if (work.kind == CTN_WORK_CHAIN)
        tell_child(w, node, d, path);
    tell_arguments(node, &s, arguments);
}

void ctn_why_tell_sent(const why *w, ctn_why_node *parent, uint32_t step, const ctn_entry *end, ctn_str call)
{
    why_doing d = ctn_why_how_done(w, step, end, call);
    if (end->kind == CTN_ENTRY_ATTEMPT_STARTED && is_about_call(end, call))
        d.started = end;
    why_work work = ctn_why_work(w, call.len ? ctn_json_get(ctn_json_member_of(d.set, "calls"), call) : d.set);
    if (work.kind == CTN_WORK_UNKNOWN || is_answered_by_people(work.kind))
        return;
    why_scope s = ctn_why_scope_of_call(w, &d);
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_EVENT, d.started);
    node->step = w->plan->steps[step].name;
    node->name = work.target;
    node->args = args_sent(&s, ctn_why_arguments_node(w, &work), d.started);
    node->text = ctn_arena_printf(w->arena, work.kind == CTN_WORK_CHAIN ? "chain %.*s was started" : "%.*s was called",
                                  CTN_STR_ARG(work.target));
}
