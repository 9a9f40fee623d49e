/* URIs with names in them: what is written matches what is read, and nothing else does. */
#include "support/cmocka.h"
#include "unit/kit/json_kit.h"
#include "value/uri_template.h"

static ctn_str matched(ctn_arena *arena, const char *template, const char *uri)
{
    ctn_uri_template *t = NULL;
    ctn_err err = {0};
    if (ctn_uri_template_compile(arena, ctn_str_from(template), &t, &err))
        fail_msg("%s: %s", template, err.message);
    const ctn_json *values = ctn_uri_template_match(t, arena, ctn_str_from(uri));
    return values ? ctn_json_to_str(arena, values) : CTN_STR("no");
}

static void expect(const char *template, const char *uri, const char *values)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str got = matched(arena, template, uri);
    if (!ctn_str_is(got, values))
        fail_msg("%s of %s: %.*s", uri, template, CTN_STR_ARG(got));
    ctn_arena_free(arena);
}

static void a_uri_gives_its_names_values(void **state)
{
    (void) state;
    expect("test://template/{id}/data", "test://template/12/data", "{\"id\":\"12\"}");
    expect("a:{x}/{y}", "a:1%2F2/b%20c", "{\"x\":\"1/2\",\"y\":\"b c\"}");
    expect("a:{x}.json", "a:b.json.json", "{\"x\":\"b.json\"}");
    expect("a:{x}-{y}", "a:1-2-3", "{\"x\":\"1\",\"y\":\"2-3\"}");
    expect("test://plain", "test://plain", "{}");
}

static void what_differs_does_not_match(void **state)
{
    (void) state;
    expect("test://plain", "test://plains", "no");
    expect("test://plain", "test://plai", "no");
    expect("a:{x}/b", "a:/b", "no");
    expect("a:{x}/b", "a:1/2/b", "no");
    expect("a:{x}", "a:1?q", "no");
    expect("a:{x}", "a:%ff", "no");
    expect("a:{x}", "A:1", "no");
    expect("a:{x}/{y}", "a:1", "no");
}

static void what_is_filled_in_is_what_comes_back(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_uri_template *t = NULL;
    assert_int_equal(ctn_uri_template_compile(arena, CTN_STR("s://{a}/{b}"), &t, NULL), CTN_OK);
    const ctn_json *values = json_of(arena, CTN_STR("{\"b\":\"\xc3\xa4/?#{}%\",\"a\":7}"));
    ctn_str uri = ctn_uri_template_fill(t, arena, values);
    ctn_str back = ctn_json_to_str(arena, ctn_uri_template_match(t, arena, uri));
    assert_true(ctn_str_is(back, "{\"a\":\"7\",\"b\":\"\xc3\xa4/?#{}%\"}"));
    assert_int_equal(ctn_uri_template_fill(t, arena, json_of(arena, CTN_STR("{\"a\":7}"))).len, 0);
    assert_int_equal(ctn_uri_template_fill(t, arena, json_of(arena, CTN_STR("{\"a\":7,\"b\":\"\"}"))).len, 0);
    ctn_arena_free(arena);
}

static void what_is_no_template_is_refused_with_a_sentence(void **state)
{
    (void) state;
    static const char *const bad[][2] = {
        {"plain", "scheme"},      {"{a}:b", "scheme"},      {"a:{x", "without its '}'"},
        {"a:x}", "without"},      {"a:{}", "is no {name}"}, {"a:{+x}", "is no {name}"},
        {"a:{x}{y}", "between"},  {"a:{x}/{x}", "twice"},   {"a: b", "no URI holds"},
        {"a:\xc3\xa4", "no URI"}, {":x", "scheme"},         {"", "scheme"}};
    ctn_arena *arena = ctn_arena_new(4096);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ctn_uri_template *t = NULL;
        ctn_err err = {0};
        if (ctn_uri_template_compile(arena, ctn_str_from(bad[i][0]), &t, &err) != CTN_E_INVALID || t ||
            !strstr(err.message, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], err.message);
    }
    ctn_buf many;
    ctn_buf_init(&many, 4096);
    ctn_buf_append_literal(&many, "a:");
    for (int i = 0; i <= CTN_URI_TEMPLATE_NAMES_MAX; i++)
        ctn_buf_printf(&many, "/{n%d}", i);
    ctn_uri_template *t = NULL;
    assert_int_equal(ctn_uri_template_compile(arena, ctn_buf_str(&many), &t, NULL), CTN_E_INVALID);
    ctn_buf_done(&many);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uri_gives_its_names_values),
        cmocka_unit_test(what_differs_does_not_match),
        cmocka_unit_test(what_is_filled_in_is_what_comes_back),
        cmocka_unit_test(what_is_no_template_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
