/*
 * A URL's template and a value from anyone (a NUL between them): whatever the value holds, the same host is called, at
 * a path of as many segments, with the same members in the query as if it were a harmless word.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/url.h"
#include "value/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MAX 8192

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const ctn_json *look_up(void *ctx, ctn_str name)
{
    return ctn_json_get(ctx, name);
}

static size_t count(ctn_str text, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == c;
    return n;
}

static bool render(ctn_arena *arena, const ctn_template *t, ctn_str value, ctn_str *ret_text, ctn_url *ret_url)
{
    ctn_json_builder b = ctn_json_object(arena), nested = ctn_json_object(arena);
    ctn_json_put_str(&nested, "v", value);
    ctn_json_put_str(&b, "v", value);
    ctn_json_put(&b, CTN_STR("o"), ctn_json_finish(&nested));
    ctn_scope scope = {.lookup = look_up, .ctx = (void *) ctn_json_finish(&b)};
    const ctn_json *got = NULL;
    if (ctn_template_render(t, &scope, arena, BYTES_MAX, &got, NULL))
        return false;
    must(ctn_json_is(got, CTN_JSON_STRING));
    *ret_text = ctn_json_text(got);
    return ctn_url_read(arena, *ret_text, ret_url, NULL) == CTN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_str value = {(const char *) data, size}, text = ctn_str_cut(&value, '\0');
    if (!ctn_str_is_utf8(text) || !ctn_str_is_utf8(value))
        return 0;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_template *t = NULL;
    ctn_err err = {0};
    ctn_str harmless, got;
    ctn_url expected, url;
    int rc = ctn_template_compile_url(arena, text, &t, &err);
    must(rc ? rc == CTN_E_INVALID && err.message[0] && err.column >= 1 && err.column <= text.len + 1 : t != NULL);
    bool is_url = rc == CTN_OK && render(arena, t, CTN_STR("x"), &harmless, &expected);
    if (is_url && render(arena, t, value, &got, &url)) {
        must(ctn_str_equal(url.scheme, expected.scheme) && ctn_str_equal(url.host, expected.host));
        must(ctn_str_equal(url.port, expected.port));
        must(count(url.path, '/') == count(expected.path, '/'));
        must(count(got, '?') == count(harmless, '?') && count(got, '#') == 0);
        must(count(got, '&') == count(harmless, '&') && count(got, '=') == count(harmless, '='));
    }
    ctn_arena_free(arena);
    return 0;
}
