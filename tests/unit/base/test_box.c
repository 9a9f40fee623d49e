/*
 * Base64 that has two meanings, and boxes that open for somebody else.
 */
#include "base/base64.h"
#include "base/box.h"
#include "support/cmocka.h"

static int setup(void **state)
{
    *state = ctn_arena_new(4096);
    return 0;
}

static int teardown(void **state)
{
    ctn_arena_free(*state);
    return 0;
}

static bool reads(ctn_arena *arena, const char *text, const char *expected)
{
    ctn_str bytes = {0};
    return ctn_base64_read(arena, ctn_str_from(text), &bytes) && ctn_str_is(bytes, expected);
}

static void base64_reads_what_it_wrote_and_nothing_else(void **state)
{
    ctn_arena *arena = *state;
    assert_true(ctn_str_is(ctn_base64(arena, CTN_STR("Hello")), "SGVsbG8="));
    assert_true(ctn_str_is(ctn_base64(arena, CTN_STR("")), ""));
    assert_true(ctn_str_is(ctn_base64_url(arena, CTN_STR("\xff\xfe\xfd\xfc")), "__79_A"));
    assert_true(reads(arena, "SGVsbG8=", "Hello"));
    assert_true(reads(arena, "", ""));
    const char *bad[] = {"SGVsbG8", "SGVs!!!bG8=", "SGVs bG8=", "SGVsbG8==", "SGVsbG9=", "=", "__79_A=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(reads(arena, bad[i], "Hello"));
    ctn_str bytes = {0};
    assert_true(ctn_base64_url_read(arena, CTN_STR("__79_A"), &bytes));
    assert_int_equal(bytes.len, 4);
    assert_false(ctn_base64_url_read(arena, CTN_STR("__79_A=="), &bytes));
    assert_false(ctn_base64_url_read(arena, CTN_STR("//79/A"), &bytes));
}

static void a_box_opens_only_with_its_key_and_context(void **state)
{
    ctn_arena *arena = *state;
    ctn_str key = CTN_STR("0123456789abcdef0123456789abcdef"), other = CTN_STR("0123456789abcdef0123456789abcdeF");
    ctn_str box = ctn_box_seal(arena, key, CTN_STR("of ada"), CTN_STR("state"));
    ctn_str text = {0};
    assert_true(ctn_box_open(arena, key, CTN_STR("of ada"), box, &text));
    assert_true(ctn_str_is(text, "state"));
    assert_false(ctn_box_open(arena, other, CTN_STR("of ada"), box, &text));
    assert_false(ctn_box_open(arena, key, CTN_STR("of bob"), box, &text));
    for (size_t i = 0; i < box.len; i++) {
        ctn_str altered = ctn_arena_str(arena, box);
        ((char *) altered.ptr)[i] ^= 1;
        assert_false(ctn_box_open(arena, key, CTN_STR("of ada"), altered, &text));
        assert_false(ctn_box_open(arena, key, CTN_STR("of ada"), (ctn_str){box.ptr, i}, &text));
    }
    assert_false(ctn_str_equal(box, ctn_box_seal(arena, key, CTN_STR("of ada"), CTN_STR("state"))));
}

static void secrets_are_equal_when_their_bytes_are(void **state)
{
    (void) state;
    assert_true(ctn_secret_equal(CTN_STR("token"), CTN_STR("token")));
    assert_false(ctn_secret_equal(CTN_STR("token"), CTN_STR("tokem")));
    assert_false(ctn_secret_equal(CTN_STR("token"), CTN_STR("token ")));
    assert_false(ctn_secret_equal(CTN_STR("token"), CTN_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(base64_reads_what_it_wrote_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(a_box_opens_only_with_its_key_and_context, setup, teardown),
        cmocka_unit_test(secrets_are_equal_when_their_bytes_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
