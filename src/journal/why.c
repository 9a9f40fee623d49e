/*
 * why.c -- the questions of why.h, the tree that answers them, and that tree as JSON. Each file behind it tells one
 * sort of cause (why_walk.h).
 */
#include "journal/why_walk.h"

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
    telling->told_ids =
        ctn_arena_room(w->arena, telling->told_ids, number, &telling->told_capacity, sizeof *telling->told_ids);
    telling->told_ids[number] = node->id;
    return false;
}

/* ---- entry points ---- */

static uint64_t before_seq(const ctn_why_options *options)
{
    return options->at_seq && options->at_seq < UINT64_MAX ? options->at_seq + 1 : UINT64_MAX;
}

const ctn_plan_result *ctn_why_result_named(const ctn_plan *plan, ctn_str name)
{
    for (uint32_t i = 0; i < plan->result_count; i++)
        if (ctn_str_equal(plan->results[i].name, name))
            return &plan->results[i];
    return NULL;
}

/* A result without one is a variable, and told as that. */
static const ctn_plan_result *computed_result(const ctn_plan *plan, ctn_str name)
{
    const ctn_plan_result *r = ctn_why_result_named(plan, name);
    return r && r->expression ? r : NULL;
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
    return ctn_plan_slot(plan, root) != CTN_PLAN_NONE || computed_result(plan, root) || was_given(source, root);
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
    const ctn_plan_result *result = computed_result(w->plan, path.root);
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
