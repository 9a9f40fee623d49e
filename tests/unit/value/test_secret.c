/* The places of secrets: what is a mark, and what only looks like one. */
#include "support/cmocka.h"
#include "unit/kit/json_kit.h"
#include "value/secret.h"
#include "value/template.h"

#define MARK "\xEF\xB7\x90"

static void a_place_is_found_by_its_mark_and_by_nothing_else(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    size_t bytes = 0;
    ctn_str name = {0}, place = ctn_json_text(ctn_secret_place(arena, CTN_STR("CRM")));
    assert_true(ctn_str_is(place, MARK "{secret.CRM}"));
    ctn_str text = ctn_arena_printf(arena, "{secret.A} %.*s {secret.B}", CTN_STR_ARG(place));
    assert_int_equal(ctn_secret_find(text, &bytes, &name), 11);
    assert_int_equal(bytes, place.len);
    assert_true(ctn_str_is(name, "CRM"));
    static const char *const none[] = {"", "{secret.A}", MARK, MARK "{secret.A", MARK " {secret.A}", MARK "{secrets}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(ctn_secret_find(ctn_str_from(none[i]), &bytes, &name), SIZE_MAX);
    ctn_arena_free(arena);
}

static void a_value_from_data_is_disarmed_wherever_it_is_hidden(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_json *v = json_of(arena, CTN_STR("{\"a\":[\"x" MARK MARK "{secret.K}\",1],\"" MARK "k\":null,\"b\":\"y\"}"));
    const ctn_json *safe = ctn_secret_disarm(arena, v);
    assert_true(ctn_str_is(ctn_json_to_str(arena, safe),
                           "{\"a\":[\"x\xEF\xBF\xBD\xEF\xBF\xBD{secret.K}\",1],\"\xEF\xBF\xBDk\":null,\"b\":\"y\"}"));
    assert_ptr_equal(ctn_secret_disarm(arena, safe), safe);
    assert_true(ctn_str_is(ctn_json_to_str(arena, ctn_secret_told(arena, v)),
                           "{\"a\":[\"x{secret.K}\",1],\"k\":null,\"b\":\"y\"}"));
    ctn_arena_free(arena);
}

static void a_secret_is_written_in_one_way(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_template *t;
    static const char *const bad[] = {"{secret.K | upper}", "{secret}", "{secret.a.b}", "{secret[0]}",
                                      "{secret.K | default: 'x'}", "{secret[\"a}b\"]}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ctn_err err = {0};
        assert_int_equal(ctn_template_compile(arena, ctn_str_from(bad[i]), &t, &err), CTN_E_INVALID);
        assert_int_equal(err.column, 2);
    }
    assert_int_equal(ctn_template_compile(arena, CTN_STR("a {secret.K} {secret[\"odd name\"]} {secret.K?}"), &t, NULL),
                     CTN_OK);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_found_by_its_mark_and_by_nothing_else),
        cmocka_unit_test(a_value_from_data_is_disarmed_wherever_it_is_hidden),
        cmocka_unit_test(a_secret_is_written_in_one_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
