/* Paths, and the small vocabulary around them: where a path ends, what it leads to, which names are ours. */
#include <stdio.h>

#include "support/cmocka.h"
#include "unit/kit/json_kit.h"
#include "value/failure.h"
#include "value/path.h"

static void a_path_is_the_longest_one_there_is(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        size_t bytes, parts;
    } rows[] = {
        {"a", 1, 0},
        {"_a9 b", 3, 0},
        {"a.b.c", 5, 2},
        {"a.", 1, 0},
        {"a..b", 1, 0},
        {"a.9", 1, 0},
        {"a[0]", 4, 1},
        {"a[-12].b", 8, 2},
        {"a[", 1, 0},
        {"a[]", 1, 0},
        {"a[x]", 1, 0},
        {"a[0", 1, 0},
        {"a[-]", 1, 0},
        {"a[\"b c\"].d", 10, 2},
        {"a['b']", 6, 1},
        {"a[\"b", 1, 0},
        {"a[\"\"]", 5, 1},
        {"a[\"\\\"]\"]", 8, 1},
        {"a-b", 1, 0},
        {"a?b", 1, 0},
        {"a[123456789012345678]", 21, 1},
        {"a[1234567890123456789]", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ctn_arena *arena = ctn_arena_new(1024);
        ctn_path path;
        size_t bytes = 0;
        assert_int_equal(ctn_path_parse(arena, ctn_str_from(rows[i].text), &path, &bytes, NULL), CTN_OK);
        if (bytes != rows[i].bytes || path.count != rows[i].parts)
            fail_msg("%s: %zu bytes and %zu parts", rows[i].text, bytes, path.count);
        assert_int_equal(path.text.len, bytes);
        ctn_arena_free(arena);
    }
}

static void what_is_no_path_is_refused(void **state)
{
    (void) state;
    static const char *const texts[] = {"", "9a", " a", ".a", "[0]", "-", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ctn_arena *arena = ctn_arena_new(1024);
        ctn_path path;
        size_t bytes = 99;
        ctn_err err = {0};
        assert_int_equal(ctn_path_parse(arena, ctn_str_from(texts[i]), &path, &bytes, &err), CTN_E_INVALID);
        assert_int_equal(err.column, 1);
        assert_int_equal(bytes, 99);
        ctn_arena_free(arena);
    }
}

/* The path borrows nothing from the text that it was read from. */
static void a_path_outlives_its_text(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    char text[] = "trip.stops[1][\"a b\"]";
    ctn_path path;
    size_t bytes;
    assert_int_equal(ctn_path_parse(arena, ctn_str_from(text), &path, &bytes, NULL), CTN_OK);
    memset(text, 'x', sizeof text - 1);
    assert_true(ctn_str_is(path.text, "trip.stops[1][\"a b\"]"));
    assert_true(ctn_str_is(path.root, "trip"));
    assert_true(ctn_str_is(path.parts[0].name, "stops"));
    assert_null(path.parts[1].name.ptr);
    assert_int_equal(path.parts[1].index, 1);
    assert_true(ctn_str_is(path.parts[2].name, "a b"));
    ctn_arena_free(arena);
}

static void paths_lead_to_values(void **state)
{
    (void) state;
    static const struct {
        const char *path, *json;
    } rows[] = {
        {"a", "1"},           {"o.list[0]", "10"},     {"o.list[-1]", "[20]"}, {"o.list[1][0]", "20"},
        {"o[\"\"]", "true"},  {"o[\"x.y\"]", "\"z\""}, {"nothing", "null"},    {"missing", NULL},
        {"a.b", NULL},        {"o.list.length", NULL}, {"o[0]", NULL},         {"o.list[2]", NULL},
        {"o.list[-3]", NULL}, {"nothing.x", NULL},
    };
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_scope scope =
        json_scope(arena, "{\"a\": 1, \"o\": {\"list\": [10, [20]], \"\": true, \"x.y\": \"z\"}, \"nothing\": null}");
    const ctn_json *root = scope.lookup(scope.ctx, CTN_STR("."));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ctn_path path;
        size_t bytes;
        assert_int_equal(ctn_path_parse(arena, ctn_str_from(rows[i].path), &path, &bytes, NULL), CTN_OK);
        const ctn_json *value = ctn_path_resolve(&path, &scope);
        assert_ptr_equal(value, ctn_path_resolve_in(&path, root));
        if (!rows[i].json)
            assert_null(value);
        else
            assert_true(value && ctn_str_is(ctn_json_to_str(arena, value), rows[i].json));
    }
    ctn_arena_free(arena);
}

static void reserved_roots_and_codes_are_known_by_name(void **state)
{
    (void) state;
    assert_true(ctn_is_reserved_root(CTN_STR("secret")));
    assert_true(ctn_is_reserved_root(CTN_STR("now")));
    assert_false(ctn_is_reserved_root(CTN_STR("steps")));
    assert_false(ctn_is_reserved_root(CTN_STR("")));
    for (int f = CTN_FAILURE_NONE + 1; f < CTN_FAILURE_COUNT; f++)
        assert_int_equal(ctn_failure_from_name(ctn_str_from(ctn_failure_name((ctn_failure) f))), f);
    assert_int_equal(ctn_failure_from_name(CTN_STR("none")), CTN_FAILURE_NONE);
    assert_int_equal(ctn_failure_from_name(CTN_STR("Timeout")), CTN_FAILURE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_the_longest_one_there_is),
        cmocka_unit_test(what_is_no_path_is_refused),
        cmocka_unit_test(a_path_outlives_its_text),
        cmocka_unit_test(paths_lead_to_values),
        cmocka_unit_test(reserved_roots_and_codes_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
