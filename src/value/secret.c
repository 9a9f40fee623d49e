/*
 * secret.c -- see secret.h.
 */
#include "value/secret.h"

#define OPEN CTN_SECRET_MARK "{secret."

const ctn_json *ctn_secret_place(ctn_arena *arena, ctn_str name)
{
    return ctn_json_string(arena, ctn_arena_printf(arena, OPEN "%.*s}", CTN_STR_ARG(name)));
}

size_t ctn_secret_find(ctn_str text, size_t *ret_bytes, ctn_str *ret_name)
{
    size_t at = ctn_str_find(text, CTN_STR(OPEN));
    if (at == SIZE_MAX)
        return SIZE_MAX;
    ctn_str name = ctn_str_from_offset(text, at + sizeof OPEN - 1);
    size_t end = ctn_str_find(name, CTN_STR("}"));
    if (end == SIZE_MAX)
        return SIZE_MAX;
    *ret_name = (ctn_str){name.ptr, end};
    *ret_bytes = sizeof OPEN - 1 + end + 1;
    return at;
}

const ctn_json *ctn_json_change_texts(ctn_arena *arena, const ctn_json *value, bool with_keys, ctn_json_text_fn *change,
                                      void *ctx)
{
    if (ctn_json_is(value, CTN_JSON_STRING)) {
        ctn_str text = ctn_json_text(value), changed = change(ctx, arena, text);
        return changed.ptr == text.ptr ? value : ctn_json_string(arena, changed);
    }
    size_t count = ctn_json_count(value);
    bool is_object = ctn_json_is(value, CTN_JSON_OBJECT), is_changed = false;
    ctn_json_builder b = is_object ? ctn_json_object(arena) : ctn_json_array(arena);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *old = is_object ? &value->members[i].value : &value->items[i];
        const ctn_json *child = ctn_json_change_texts(arena, old, with_keys, change, ctx);
        is_changed = is_changed || child != old;
        if (!is_object) {
            ctn_json_push(&b, child);
            continue;
        }
        ctn_str key = ctn_json_text(&value->members[i].key), said = with_keys ? change(ctx, arena, key) : key;
        is_changed = is_changed || said.ptr != key.ptr;
        ctn_json_put(&b, said, child);
    }
    return is_changed ? ctn_json_finish(&b) : value;
}

/* Each mark's first character replaced. */
static ctn_str replace(ctn_arena *arena, ctn_str text, const char *by)
{
    size_t at = ctn_str_find(text, CTN_STR(CTN_SECRET_MARK));
    if (at == SIZE_MAX)
        return text;
    ctn_buf out;
    ctn_buf_init(&out, SIZE_MAX / 2);
    for (; at != SIZE_MAX; at = ctn_str_find(text, CTN_STR(CTN_SECRET_MARK))) {
        ctn_buf_append(&out, (ctn_str){text.ptr, at});
        ctn_buf_append(&out, ctn_str_from(by));
        text = ctn_str_from_offset(text, at + sizeof CTN_SECRET_MARK - 1);
    }
    ctn_buf_append(&out, text);
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return kept;
}

static ctn_str disarm(void *ctx, ctn_arena *arena, ctn_str text)
{
    (void) ctx;
    return replace(arena, text, "\xEF\xBF\xBD");
}

static ctn_str tell(void *ctx, ctn_arena *arena, ctn_str text)
{
    (void) ctx;
    return replace(arena, text, "");
}

const ctn_json *ctn_secret_disarm(ctn_arena *arena, const ctn_json *value)
{
    return ctn_json_change_texts(arena, value, true, disarm, NULL);
}

const ctn_json *ctn_secret_told(ctn_arena *arena, const ctn_json *value)
{
    return ctn_json_change_texts(arena, value, true, tell, NULL);
}
