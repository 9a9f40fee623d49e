/* why_kit.c -- see why_kit.h. */
#include "support/cmocka.h"
#include "why_kit.h"

why_question *why_ask(kit *k)
{
    ctn_arena *arena = kit_arena(k);
    why_question *q = CTN_NEW(arena, why_question);
    q->arena = arena;
    size_t count = 0;
    const ctn_record *records = kit_records(k, &count);
    ctn_entry *entries = CTN_NEW_ARRAY(arena, ctn_entry, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ctn_record_to_entry(&records[i], arena, &entries[i], NULL), CTN_OK);
    q->source = (ctn_why_source){.execution = kit_execution(k), .entries = entries, .count = count};
    return q;
}

const ctn_why_node *why_variable(why_question *q, const char *path)
{
    const ctn_why_node *node = NULL;
    if (ctn_why_variable(q->arena, &q->source, &q->options, ctn_str_from(path), &node, &q->err))
        fail_msg("%s: %s", path, q->err.message);
    return node;
}

const ctn_why_node *why_step(why_question *q, const char *name)
{
    const ctn_why_node *node = NULL;
    if (ctn_why_step(q->arena, &q->source, &q->options, ctn_str_from(name), &node, &q->err))
        fail_msg("%s: %s", name, q->err.message);
    return node;
}

/* The tree as one line: kind:role<name(see){children}. */
static void write_shape(ctn_buf *out, const ctn_why_node *node)
{
    ctn_buf_printf(out, "%s", ctn_why_kind_name(node->kind));
    if (node->role.len && !ctn_str_equal(node->role, node->name))
        ctn_buf_printf(out, " %.*s", CTN_STR_ARG(node->role));
    ctn_buf_printf(out, ":%.*s%s%.*s%s", CTN_STR_ARG(node->name), node->path.len ? "@" : "", CTN_STR_ARG(node->path),
                   node->see ? "^" : "");
    for (const ctn_why_node *child = node->first; child; child = child->next) {
        ctn_buf_printf(out, child == node->first ? "{" : ", ");
        write_shape(out, child);
    }
    if (node->first)
        ctn_buf_printf(out, "}");
}

void why_is(const ctn_why_node *node, const char *expected)
{
    ctn_buf out;
    ctn_buf_init(&out, 1 << 20);
    write_shape(&out, node);
    ctn_buf_append_char(&out, 0);
    assert_string_equal(out.data, expected);
    ctn_buf_done(&out);
}

void why_value_is(why_question *q, const ctn_why_node *node, const char *json)
{
    ctn_str text = node->value ? ctn_json_to_str(q->arena, node->value) : CTN_STR("nothing");
    char *copy = ctn_arena_alloc(q->arena, text.len + 1);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    assert_string_equal(copy, json);
}

void why_says(why_question *q, const ctn_why_node *node, const char *expected)
{
    assert_string_equal(ctn_arena_str(q->arena, node->text).ptr, expected);
}

/* The n-th event of that name, from 0. */
const ctn_why_node *why_event(const ctn_why_node *step, const char *name, int n)
{
    for (const ctn_why_node *child = step->first; child; child = child->next)
        if (child->kind == CTN_WHY_EVENT && ctn_str_is(child->name, name) && n-- == 0)
            return child;
    fail_msg("no event %s", name);
    return NULL;
}
