/*
 * why_value.c -- where a value came from: from a variable to the entry that set it, from there to what was asked and
 * by whom, from that to the variables that the question was made of.
 *
 * A variable that a step took from its result is because of the call that gave that part of the result; a document
 * because of the names that its text reads; a part that the set's own `result` makes because of the calls that it
 * reads; a list that a foreach gave because of what its items gave.
 */
#include "journal/why_walk.h"

#define ITEMS_TOLD 3

static const ctn_str NOTHING = {0};

/* ---- results of several calls ---- */

/* The entry in which a call of the set succeeded, of the same item and before or at `end`. */
static const ctn_entry *end_of_call(const why *w, uint32_t step, const ctn_entry *end, ctn_str call)
{
    const ctn_entry *found = NULL;
    const ctn_entry *e;
    for (uint32_t i = 0; (e = ctn_why_entry(w, step, i)) != NULL; i++) {
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

static void tell_one_of_several(const why *w, ctn_why_node *parent, ctn_str role, const why_doing *whole, ctn_str call,
                                ctn_str path)
{
    const ctn_entry *end = end_of_call(w, whole->step, whole->end, call);
    if (!end)
        return;
    why_doing d = ctn_why_how_done(w, whole->step, end, call);
    ctn_why_tell_call(w, parent, role, &d, path);
}

/* What the set's `result` says beside the calls: templates over the calls' results. */
static void tell_result_template(const why *w, ctn_why_node *parent, const why_doing *d, const ctn_json *text,
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
    why_scope s = ctn_why_scope_of_call(w, d);
    ctn_str rest = ctn_why_path_text(w->arena, parts, count);
    for (size_t i = 0; i < reads.count; i++) {
        ctn_read read = reads.items[i];
        if (reads.count == 1 && rest.len)
            read.path = ctn_why_join_path(w->arena, read.path, rest);
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
    ctn_why_find_item(&s);
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
    ctn_why_find_item(&s);
    s.own = ctn_why_body(p->entry, "variables");
    s.attempt = p->entry->attempt;
    ctn_reads reads = ctn_why_document_reads(w, p->step);
    ctn_why_tell_reads(&s, node, NOTHING, &reads);
}

/* The entry in which an item was completed, at the latest in `end`. */
static const ctn_entry *end_of_item(const why *w, uint32_t step, const ctn_entry *end, int64_t item)
{
    const ctn_entry *found = NULL;
    const ctn_entry *e;
    for (uint32_t i = 0; (e = ctn_why_entry(w, step, i)) != NULL; i++) {
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
                                  CTN_STR_ARG(ctn_entry_items_text(w->arena, p->entry)));
    if (ctn_why_is_told(w, list, ctn_arena_printf(w->arena, "list %llu", (unsigned long long) p->entry->seq)))
        return;
    why_scope s = ctn_why_scope_of(w, p->step, p->entry);
    ctn_reads reads = ctn_why_tree_reads(w, ctn_why_foreach_node(w, p->step));
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
    why_doing d = ctn_why_how_done(w, p->step, p->entry, NOTHING);
    const ctn_plan_output *output = output_of(w->plan, p->step, path->root);
    ctn_str rest = ctn_why_path_text(w->arena, path->parts, path->count);
    bool is_whole = !output || (!output->path && w->plan->steps[p->step].output_count == 1);
    ctn_str way = output && output->path ? ctn_why_join_path(w->arena, output->path->text, rest)
                  : is_whole             ? rest
                                         : ctn_why_join_path(w->arena, path->root, rest);
    const ctn_json *calls = ctn_json_member_of(d.set, "calls");
    if (!calls) {
        d.named = ctn_why_join_path(w->arena, path->root, rest);
        ctn_why_tell_call(w, node, NOTHING, &d, way);
        return;
    }
    ctn_path in_result;
    size_t bytes = 0;
    bool is_named = ctn_path_parse(w->arena, is_whole ? ctn_why_join_path(w->arena, path->root, rest) : way, &in_result,
                                   &bytes, NULL) == CTN_OK;
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
    if (!ctn_why_open_reused(w, p->step, earlier, &step))
        return;
    uint64_t before = earlier->traces[step].ended->seq + 1;
    const production *then = ctn_why_standing(earlier, path->root, before);
    bool was_set = !then || !ctn_json_equal(then->value, p->value); /* by hand, afterwards */
    ctn_why_tell_variable(earlier, cause, NOTHING, path, was_set ? UINT64_MAX : before);
}

static void tell_production(const why *w, ctn_why_node *node, const production *p, const ctn_path *path)
{
    const ctn_entry *e = p->entry;
    ctn_why_node *cause;
    if (p->is_reused) {
        tell_reused(w, node, p, path);
        return;
    }
    ctn_entry_meaning m = ctn_entry_meaning_of(e);
    if (m.sense == CTN_SENSE_CREATED) {
        tell_given(w, node, p, path);
    } else if (m.sense == CTN_SENSE_FAILED) {
        cause = ctn_why_add(w, node, CTN_WHY_STEP, e);
        cause->name = e->step;
        cause->text =
            ctn_arena_printf(w->arena, "step %.*s failed (%.*s), and `onError: continue` makes its variables null",
                             CTN_STR_ARG(e->step), CTN_STR_ARG(ctn_json_str_or(e->body, "code", NOTHING)));
    } else if (e->kind == CTN_ENTRY_CHECKED) {
        cause = ctn_why_add(w, node, CTN_WHY_ANSWER, e);
        cause->text = CTN_STR("answer of the check, while the chain was undone");
    } else if (m.sets) {
        cause = ctn_why_add(w, node, CTN_WHY_DECISION, e);
        cause->name = e->actor;
        cause->text = ctn_arena_printf(w->arena, "set by %.*s", CTN_STR_ARG(e->actor));
    } else {
        tell_taken(w, node, p, path);
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
    node->name = ctn_why_join_path(w->arena, path->root, rest);
    if (!p) {
        if (!ctn_why_is_told(w, node, ctn_arena_printf(w->arena, "unset %.*s", CTN_STR_ARG(path->root))))
            tell_unset(w, node, path->root);
        return;
    }
    node->is_redacted = ctn_why_is_sensitive(w, path->root);
    const ctn_json *value = ctn_why_walk(p->value, path->parts, path->count);
    if (!node->is_redacted)
        node->value = value;
    if (!value && !node->is_redacted)
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
    if (ctn_entry_meaning_of(p->entry).sense == CTN_SENSE_CREATED && !p->is_reused)
        return CTN_STR("from the input");
    if (p->step == CTN_PLAN_NONE)
        return ctn_arena_printf(w->arena, "set by %.*s", CTN_STR_ARG(p->entry->actor));
    return ctn_arena_printf(w->arena, "from step %.*s", CTN_STR_ARG(w->plan->steps[p->step].name));
}

/* ---- what a text reads ---- */

static void tell_item(why_scope *s, ctn_why_node *parent, ctn_str role, const ctn_read *read, const ctn_path *path)
{
    const why *w = s->w;
    const ctn_json *source = ctn_why_foreach_node(w, s->step);
    ctn_reads reads = ctn_why_tree_reads(w, source);
    ctn_str text = ctn_json_is(source, CTN_JSON_STRING) ? ctn_json_text(source) : NOTHING;
    bool is_variable =
        reads.count == 1 && text.len == reads.items[0].path.len + 2 && ctn_str_starts_with(text, CTN_STR("{"));
    ctn_path way;
    size_t bytes = 0;
    if (is_variable) {
        ctn_str whole = ctn_why_join_path(
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
    const ctn_json *text = ctn_why_input_text(w, s->step, s->fallback);
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
        why_doing whole = {.step = s->step};
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
