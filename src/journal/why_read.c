/*
 * why_read.c -- the texts of the definitions, what they read, and what they gave as of an entry.
 *
 * The plan has everything compiled and shared; here the definitions are read as the JSON they are stored as, because
 * the question is about single arguments, and because an answer must not depend on how the plan is laid out. Texts of
 * an execution were checked before it started, so one that does not compile is simply not told.
 */
#include "journal/why_walk.h"

#define RENDER_BYTES_MAX 1048576

const ctn_json *ctn_why_step_node(const why *w, uint32_t step)
{
    const ctn_json *steps = ctn_json_member_of(w->chain, "steps");
    return ctn_json_at(steps, step);
}

const ctn_json *ctn_why_set(const why *w, ctn_str name)
{
    uint32_t number = ctn_names_find(&w->set_names, name);
    return number == CTN_NAMES_NONE ? NULL : w->sets[number];
}

/* ---- pieces of work ---- */

static ctn_str text_of(const why *w, const ctn_json *v)
{
    return ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : v ? ctn_json_to_str(w->arena, v) : CTN_STR("");
}

why_work ctn_why_work(const why *w, const ctn_json *node)
{
    why_work work = {.node = node, .kind = CTN_WORK_UNKNOWN};
    const ctn_json *detail = NULL;
    for (int kind = 0; kind < CTN_WORK_KIND_COUNT && !detail; kind++) {
        detail = ctn_json_member_of(node, ctn_work_kind_name((ctn_work_kind) kind));
        if (detail)
            work.kind = (ctn_work_kind) kind;
    }
    if (!detail)
        return work;
    const char *name = ctn_work_kind_name(work.kind);
    work.target = ctn_str_from(name);
    if (work.kind == CTN_WORK_TOOL || work.kind == CTN_WORK_NATIVE || work.kind == CTN_WORK_CHAIN)
        work.target = text_of(w, detail);
    else if (ctn_work_kind_is_call(work.kind))
        work.target = ctn_arena_printf(w->arena, "%s %.*s", name,
                                       CTN_STR_ARG(ctn_why_brief(w->arena, ctn_work_subject(work.kind, detail))));
    return work;
}

ctn_str ctn_why_call_name(const ctn_json *set, uint32_t i)
{
    const ctn_json *calls = ctn_json_member_of(set, "calls");
    return ctn_json_is(calls, CTN_JSON_OBJECT) && i < calls->count ? ctn_json_text(&calls->members[i].key)
                                                                   : (ctn_str){0};
}

/* What a piece of work is given, as the definition says it: an object whose strings are templates. */
const ctn_json *ctn_why_arguments_node(const why *w, const why_work *work)
{
    static const char *const ASKED[] = {"message", "until"};
    const ctn_json *said = ctn_json_member_of(work->node, "arguments");
    const ctn_json *detail =
        work->kind == CTN_WORK_UNKNOWN ? NULL : ctn_json_member_of(work->node, ctn_work_kind_name(work->kind));
    if (ctn_work_kind_sends_detail(work->kind))
        return detail;
    ctn_json_builder b = ctn_json_object(w->arena);
    ctn_json_put_all(&b, said);
    bool waits = work->kind == CTN_WORK_WAIT || work->kind == CTN_WORK_APPROVAL;
    for (size_t i = 0; waits && i < sizeof ASKED / sizeof *ASKED; i++) {
        const ctn_json *text = ctn_json_member_of(detail, ASKED[i]);
        if (text)
            ctn_json_put(&b, ctn_str_from(ASKED[i]), text);
    }
    if (!said && !waits)
        ctn_json_put(&b, CTN_STR("input"), ctn_json_string(w->arena, CTN_STR("{input?}")));
    return ctn_json_finish(&b);
}

/* ---- what a text can see ---- */

const ctn_entry *ctn_why_ready(const why *w, uint32_t step)
{
    const ctn_entry *last = w->started;
    const ctn_plan_step *p = &w->plan->steps[step];
    for (uint32_t i = 0; i < p->predecessor_count; i++) {
        const ctn_entry *ended = w->traces[p->predecessors[i]].ended;
        if (!ended)
            return NULL;
        if (!last || ended->seq > last->seq)
            last = ended;
    }
    return last;
}

why_scope ctn_why_scope_of(const why *w, uint32_t step, const ctn_entry *end)
{
    return (why_scope){
        .w = w, .step = step, .before_seq = end ? end->seq : UINT64_MAX, .item = end ? end->item : -1, .attempt = 1};
}

/* As execution_value.c makes it. */
static ctn_str key_of(const why_scope *s)
{
    ctn_arena *arena = s->w->arena;
    ctn_str item = s->item >= 0 ? ctn_arena_printf(arena, "[%lld]", (long long) s->item) : CTN_STR("");
    ctn_str role = s->fallback ? ctn_arena_printf(arena, "fallback%lld", (long long) s->fallback) : CTN_STR("do");
    return ctn_arena_printf(arena, "%s/%.*s%.*s%s%.*s/%.*s",
                            ctn_id_to_text(ctn_execution_id_of(s->w->source->execution)).text,
                            CTN_STR_ARG(s->w->plan->steps[s->step].name), CTN_STR_ARG(item), s->call.len ? "/" : "",
                            CTN_STR_ARG(s->call), CTN_STR_ARG(role));
}

static const ctn_json *root_value(const why_scope *s, ctn_str name)
{
    const why *w = s->w;
    ctn_arena *arena = w->arena;
    ctn_json_builder b = ctn_json_object(arena);
    if (ctn_str_is(name, "input"))
        return s->input;
    if (ctn_str_is(name, "item"))
        return s->item_value;
    char at[25];
    if (ctn_str_is(name, "execution")) {
        ctn_time_format(ctn_execution_started_at_ms(w->source->execution), at);
        ctn_json_put_str(&b, "id", ctn_str_from(ctn_id_to_text(ctn_execution_id_of(w->source->execution)).text));
        ctn_json_put_str(&b, "chain", w->plan->chain_id);
        ctn_json_put_str(&b, "startedAt", ctn_str_from(at));
        return ctn_json_finish(&b);
    }
    if (s->step == CTN_PLAN_NONE)
        return NULL;
    if (ctn_str_is(name, "now")) {
        const ctn_entry *ready = ctn_why_ready(w, s->step);
        ctn_time_format(ready ? ready->at_ms : 0, at);
        return ready ? ctn_json_string(arena, ctn_str_from(at)) : NULL;
    }
    if (!ctn_str_is(name, "step"))
        return NULL;
    ctn_json_put_str(&b, "name", w->plan->steps[s->step].name);
    ctn_json_put_int(&b, "attempt", s->attempt);
    ctn_json_put_str(&b, "key", key_of(s));
    return ctn_json_finish(&b);
}

static const ctn_json *lookup(void *ctx, ctn_str name)
{
    const why_scope *s = ctx;
    const ctn_json *v = ctn_json_get(s->calls, name);
    if (!v)
        v = ctn_json_get(s->own, name);
    if (!v && s->item >= 0 && (ctn_str_is(name, "item") || (s->item_name.len && ctn_str_equal(name, s->item_name))))
        v = s->item_value;
    if (v)
        return v;
    const production *p = ctn_why_standing(s->w, name, s->before_seq);
    if (p)
        return p->value;
    return ctn_is_reserved_root(name) ? root_value(s, name) : NULL;
}

ctn_scope ctn_why_scope(why_scope *s)
{
    const ctn_entry *ready = s->step == CTN_PLAN_NONE ? s->w->started : ctn_why_ready(s->w, s->step);
    return (ctn_scope){.lookup = lookup, .ctx = s, .now_ms = ready ? ready->at_ms : 0};
}

const ctn_json *ctn_why_render(why_scope *s, const ctn_json *text)
{
    ctn_tree *tree = NULL;
    const ctn_json *bad = NULL, *value = NULL;
    if (!text || ctn_tree_compile(s->w->arena, text, &tree, &bad, NULL))
        return NULL;
    ctn_scope scope = ctn_why_scope(s);
    return ctn_tree_render(tree, &scope, s->w->arena, RENDER_BYTES_MAX, &value, NULL) ? NULL : value;
}

const ctn_json *ctn_why_render_document(why_scope *s)
{
    const ctn_mustache *document = s->w->plan->steps[s->step].document;
    ctn_scope scope = ctn_why_scope(s);
    ctn_buf out;
    ctn_buf_init(&out, RENDER_BYTES_MAX);
    const ctn_json *text = NULL;
    if (document && ctn_mustache_render(document, &scope, &out, NULL) == CTN_FAILURE_NONE && !out.overflowed)
        text = ctn_json_string(s->w->arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

/* ---- what a text reads ---- */

typedef struct read_list {
    ctn_arena *arena;
    ctn_reads reads;
} read_list;

static void add_once(read_list *list, const ctn_read *read)
{
    for (size_t i = 0; i < list->reads.count; i++)
        if (ctn_str_equal(list->reads.items[i].path, read->path))
            return;
    ctn_reads_add(list->arena, &list->reads, *read);
}

ctn_reads ctn_why_tree_reads(const why *w, const ctn_json *text)
{
    read_list list = {.arena = w->arena};
    ctn_tree *tree = NULL;
    const ctn_json *bad = NULL;
    ctn_reads all = {0};
    if (text && ctn_tree_compile(w->arena, text, &tree, &bad, NULL) == CTN_OK)
        ctn_tree_reads(tree, w->arena, &all);
    for (size_t i = 0; i < all.count; i++)
        add_once(&list, &all.items[i]);
    return list.reads;
}

/* Names inside a section may be the section's own: only those that are variables are told. */
ctn_reads ctn_why_document_reads(const why *w, uint32_t step)
{
    read_list list = {.arena = w->arena};
    ctn_reads all = {0};
    ctn_mustache_reads(w->plan->steps[step].document, w->arena, &all);
    for (size_t i = 0; i < all.count; i++) {
        const ctn_read *r = &all.items[i];
        bool is_name = r->root.len && !ctn_str_is(r->root, ".");
        if (is_name && (!r->is_inner || ctn_names_find(&w->variable_names, r->root) != CTN_NAMES_NONE))
            add_once(&list, r);
    }
    return list.reads;
}

/* ---- what must not be shown ---- */

bool ctn_why_is_sensitive(const why *w, ctn_str root)
{
    return ctn_names_find(&w->sensitive, root) != CTN_NAMES_NONE;
}

/* {input} is as sensitive as what the inputTemplate reads, an item as the list that it is of. */
static bool is_sensitive_root(const why *w, uint32_t step, ctn_str root)
{
    if (ctn_why_is_sensitive(w, root))
        return true;
    if (step == CTN_PLAN_NONE || w->sensitive.count == 0)
        return false;
    const ctn_json *node = ctn_why_step_node(w, step), *foreach = ctn_json_member_of(node, "foreach");
    const ctn_json *text = NULL;
    if (ctn_str_is(root, "input"))
        text = ctn_json_member_of(node, "inputTemplate");
    else if (ctn_str_is(root, "item") || ctn_str_equal(root, ctn_json_str_or(foreach, "as", CTN_STR("item"))))
        text = ctn_json_member_of(foreach, "items");
    ctn_reads reads = ctn_why_tree_reads(w, text);
    for (size_t i = 0; i < reads.count; i++)
        if (!ctn_str_equal(reads.items[i].root, root) && is_sensitive_root(w, step, reads.items[i].root))
            return true;
    return false;
}

bool ctn_why_reads_sensitive(const why *w, uint32_t step, const ctn_reads *reads)
{
    for (size_t i = 0; i < reads->count; i++)
        if (is_sensitive_root(w, step, reads->items[i].root))
            return true;
    return false;
}

/* ---- ways into values ---- */

const ctn_json *ctn_why_walk(const ctn_json *value, const ctn_path_part *parts, size_t count)
{
    for (size_t i = 0; i < count && value; i++) {
        int64_t index = parts[i].index;
        if (parts[i].name.ptr)
            value = ctn_json_get(value, parts[i].name);
        else
            value = ctn_json_is(value, CTN_JSON_ARRAY)
                        ? ctn_json_at(value, (size_t) (index < 0 ? (int64_t) ctn_json_count(value) + index : index))
                        : NULL;
    }
    return value;
}

static bool is_plain_name(ctn_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

ctn_str ctn_why_path_text(ctn_arena *arena, const ctn_path_part *parts, size_t count)
{
    ctn_str text = {0};
    for (size_t i = 0; i < count; i++) {
        if (!parts[i].name.ptr)
            text = ctn_arena_printf(arena, "%.*s[%lld]", CTN_STR_ARG(text), (long long) parts[i].index);
        else if (is_plain_name(parts[i].name))
            text = ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(text), text.len ? "." : "",
                                    CTN_STR_ARG(parts[i].name));
        else
            text = ctn_arena_printf(arena, "%.*s[\"%.*s\"]", CTN_STR_ARG(text), CTN_STR_ARG(parts[i].name));
    }
    return text;
}
