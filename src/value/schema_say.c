/*
 * schema_say.c -- sentences about a value that does not fit: where it stands, what was expected, what is there.
 *
 * What must hold: a value is shown only when it is short, for it is somebody's data; names are shown cut.
 */
#include "value/schema_internal.h"

#define SHOWN_BYTES_MAX 40
#define NAME_BYTES_MAX  ((size_t) 80)

static void append_name(ctn_buf *out, ctn_str name)
{
    ctn_buf_append_char(out, '/');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '~')
            ctn_buf_append_literal(out, "~0");
        else if (name.ptr[i] == '/')
            ctn_buf_append_literal(out, "~1");
        else
            ctn_buf_append_char(out, (char) ((unsigned char) name.ptr[i] < 0x20 ? ' ' : name.ptr[i]));
    }
}

static void append_pointer(ctn_buf *out, const ctn_schema_frame *f)
{
    const ctn_schema_frame *steps[CTN_SCHEMA_FRAMES_MAX + 1];
    size_t count = 0;
    for (; f; f = f->outer)
        if (f->name.ptr || f->index >= 0)
            steps[count++] = f;
    while (count-- > 0) {
        if (steps[count]->name.ptr) {
            append_name(out, steps[count]->name);
        } else {
            ctn_buf_append_char(out, '/');
            ctn_buf_append_int64(out, steps[count]->index);
        }
    }
}

/* Cut where it is too long. */
static void keep_pointer(ctn_schema_report *to, ctn_str pointer)
{
    size_t len = pointer.len < sizeof to->pointer ? pointer.len : sizeof to->pointer - 1;
    if (len)
        memcpy(to->pointer, pointer.ptr, len);
    to->pointer[len] = '\0';
}

void ctn_schema_point_into(ctn_schema_report *to, ctn_str name)
{
    ctn_buf pointer;
    ctn_buf_init(&pointer, sizeof to->pointer);
    ctn_buf_append(&pointer, ctn_str_from(to->pointer));
    append_name(&pointer, name);
    if (!pointer.overflowed)
        keep_pointer(to, ctn_buf_str(&pointer));
    ctn_buf_done(&pointer);
}

int ctn_schema_say(const ctn_schema_frame *f, ctn_schema_report *to, const char *format, ...)
{
    ctn_buf pointer;
    ctn_buf_init(&pointer, CTN_SCHEMA_POINTER_BYTES);
    append_pointer(&pointer, f);
    ctn_err said = {0};
    va_list args;
    va_start(args, format);
    ctn_vfail(&said, CTN_E_INVALID, format, args);
    va_end(args);
    ctn_fail(to->err, CTN_E_INVALID, "%.*s%s: %s",
             CTN_STR_ARG(pointer.len ? ctn_buf_str(&pointer) : CTN_STR("the value")), pointer.overflowed ? "..." : "",
             said.message);
    keep_pointer(to, ctn_buf_str(&pointer));
    to->deep = f->deep;
    ctn_buf_done(&pointer);
    return CTN_E_INVALID;
}

ctn_str ctn_schema_show(ctn_arena *arena, const ctn_json *v)
{
    if (ctn_json_bytes(v) <= SHOWN_BYTES_MAX)
        return ctn_json_to_str(arena, v);
    if (ctn_json_is(v, CTN_JSON_STRING))
        return ctn_arena_printf(arena, "a string of %zu characters", ctn_str_code_points(ctn_json_text(v)));
    if (ctn_json_is(v, CTN_JSON_NUMBER))
        return ctn_arena_printf(arena, "a number of %u digits", v->count);
    return ctn_arena_printf(arena, "an %s of %zu %s", ctn_json_kind_name(v), ctn_json_count(v),
                            ctn_json_is(v, CTN_JSON_ARRAY) ? "items" : "members");
}

ctn_str ctn_schema_quote(ctn_arena *arena, ctn_str name)
{
    bool is_long = name.len > NAME_BYTES_MAX;
    ctn_buf out;
    ctn_buf_init(&out, 1024);
    ctn_json_write_string(&out, (ctn_str){name.ptr, is_long ? NAME_BYTES_MAX : name.len});
    ctn_str quoted = ctn_arena_printf(arena, "%.*s%s", CTN_STR_ARG(ctn_buf_str(&out)), is_long ? "..." : "");
    ctn_buf_done(&out);
    return quoted;
}

ctn_str ctn_schema_suggest(ctn_arena *arena, ctn_str word, const ctn_str *names, size_t count)
{
    ctn_str nearest = ctn_str_nearest(word, names, count < 200 ? count : 200);
    if (nearest.len == 0)
        return CTN_STR("");
    return ctn_arena_printf(arena, "; did you mean %.*s?", CTN_STR_ARG(ctn_schema_quote(arena, nearest)));
}
