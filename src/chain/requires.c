/*
 * requires.c -- see requires.h.
 */
#include "chain/requires.h"
#include "base/buf.h"

bool ctn_is_label_value(const ctn_json *v)
{
    return ctn_json_is(v, CTN_JSON_STRING) || ctn_json_is(v, CTN_JSON_NUMBER) || ctn_json_is(v, CTN_JSON_TRUE) ||
           ctn_json_is(v, CTN_JSON_FALSE);
}

bool ctn_labels_meet(const ctn_json *labels, const ctn_json *requires)
{
    for (size_t i = 0; i < ctn_json_count(requires); i++) {
        const ctn_json_member *wanted = &requires->members[i];
        const ctn_json *there = ctn_json_get(labels, ctn_json_text(&wanted->key));
        if (!there || !ctn_json_equal(there, &wanted->value))
            return false;
    }
    return true;
}

static const ctn_json *parsed(ctn_arena *arena, ctn_str text)
{
    const ctn_json *v = NULL;
    return text.len && ctn_json_parse(arena, text, NULL, &v, NULL) == CTN_OK ? v : NULL;
}

bool ctn_labels_text_meets(ctn_str labels, ctn_str requires)
{
    ctn_arena *arena = ctn_arena_new(1024);
    bool meets = ctn_labels_meet(parsed(arena, labels), parsed(arena, requires));
    ctn_arena_free(arena);
    return meets;
}

const ctn_json *ctn_requires_merge(ctn_arena *arena, const ctn_json *a, const ctn_json *b, ctn_str *ret_clash)
{
    *ret_clash = (ctn_str){0};
    if (!ctn_json_count(b))
        return ctn_json_count(a) ? a : NULL;
    ctn_json_builder both = ctn_json_object(arena);
    ctn_json_put_all(&both, a);
    for (size_t i = 0; i < b->count; i++) {
        ctn_str name = ctn_json_text(&b->members[i].key);
        const ctn_json *there = ctn_json_get(a, name);
        if (there && !ctn_json_equal(there, &b->members[i].value))
            *ret_clash = name;
        else
            ctn_json_put(&both, name, &b->members[i].value);
    }
    return ctn_json_finish(&both);
}

ctn_str ctn_requires_text(ctn_arena *arena, const ctn_json *requires)
{
    ctn_buf buf;
    if (!ctn_json_count(requires))
        return (ctn_str){0};
    ctn_buf_init(&buf, SIZE_MAX);
    ctn_json_write_canonical(&buf, requires);
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&buf));
    ctn_buf_done(&buf);
    return text;
}
