/*
 * str, err, id, clock, hash, log: the small modules whose results people read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "support/cmocka.h"

/* ---- str ---- */

static void compare_find_and_trim(void **state)
{
    (void) state;
    assert_true(ctn_str_compare(CTN_STR("a"), CTN_STR("b")) < 0);
    assert_true(ctn_str_compare(CTN_STR("a"), CTN_STR("aa")) < 0);
    assert_true(ctn_str_compare(CTN_STR("\xFF"), CTN_STR("a")) > 0);
    assert_int_equal(ctn_str_compare((ctn_str){NULL, 0}, CTN_STR("")), 0);
    assert_int_equal(ctn_str_find(CTN_STR("hello"), CTN_STR("ll")), 2);
    assert_int_equal(ctn_str_find(CTN_STR("hello"), CTN_STR("")), 0);
    assert_true(ctn_str_find(CTN_STR("hello"), CTN_STR("lx")) == SIZE_MAX);
    assert_true(ctn_str_find((ctn_str){NULL, 0}, CTN_STR("x")) == SIZE_MAX);
    assert_true(ctn_str_is(ctn_str_trim(CTN_STR(" \t a b\r\n")), "a b"));
    assert_int_equal(ctn_str_trim(CTN_STR(" \n ")).len, 0);
}

static void only_letters_have_a_case(void **state)
{
    (void) state;
    assert_true(ctn_str_equal_any_case(CTN_STR("Content-Type"), CTN_STR("content-TYPE")));
    assert_true(ctn_str_equal_any_case((ctn_str){NULL, 0}, CTN_STR("")));
    assert_false(ctn_str_equal_any_case(CTN_STR("Content-Type"), CTN_STR("Content-Types")));
    assert_false(ctn_str_equal_any_case(CTN_STR("[a@"), CTN_STR("{a`"))); /* 32 apart, and no letters */
    assert_false(ctn_str_equal_any_case(CTN_STR("\xC4"), CTN_STR("\xE4")));
}

static void cut_walks_a_list_with_empty_parts(void **state)
{
    (void) state;
    const char *const want[] = {"a", "", "b", ""};
    ctn_str list = CTN_STR("a,,b,");
    size_t count = 0;
    while (list.ptr) {
        assert_true(count < 4);
        assert_true(ctn_str_is(ctn_str_cut(&list, ','), want[count++]));
    }
    assert_int_equal(count, 4);
}

static void int64_is_parsed_in_its_whole_range_and_not_beyond(void **state)
{
    (void) state;
    int64_t value = 5;
    assert_true(ctn_str_to_int64(CTN_STR("9223372036854775807"), &value) && value == INT64_MAX);
    assert_true(ctn_str_to_int64(CTN_STR("-9223372036854775808"), &value) && value == INT64_MIN);
    assert_true(ctn_str_to_int64(CTN_STR("007"), &value) && value == 7);
    const char *const bad[] = {"",
                               "-",
                               "+1",
                               " 1",
                               "1 ",
                               "1.0",
                               "9223372036854775808",
                               "-9223372036854775809",
                               "1x",
                               "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ctn_str_to_int64(ctn_str_from(bad[i]), &value));
    assert_int_equal(value, 7);
}

/* Encodes each of the 0x110000 code points and checks the verdict on it. */
static void utf8_is_judged_as_rfc_3629_does(void **state)
{
    (void) state;
    for (uint32_t point = 0; point < 0x120000; point += point < 0x3000 || point > 0xD700 ? 1 : 7) {
        char text[4];
        size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
        uint32_t rest = point;
        for (size_t i = len; i-- > 1; rest >>= 6)
            text[i] = (char) (0x80 | (rest & 0x3F));
        text[0] = (char) (leads[len] | rest);
        bool good = point < 0x110000 && !(point >= 0xD800 && point <= 0xDFFF);
        if (ctn_str_is_utf8((ctn_str){text, len}) != good)
            fail_msg("U+%04X", point);
        if (good && len > 1)
            assert_false(ctn_str_is_utf8((ctn_str){text, len - 1}));
    }
    const char *const bad[] = {
        "\x80", "\xC0\x80", "\xC1\xBF",    "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xF5\x80\x80\x80",
        "\xFE", "a\xC3",    "\xE2\x28\xA1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ctn_str_is_utf8(ctn_str_from(bad[i])));
    assert_int_equal(ctn_str_code_points(CTN_STR("a\xC3\xA9\xF0\x9F\x98\x80\xFF\xC3")), 5);
}

static void nearest_finds_what_was_meant(void **state)
{
    (void) state;
    static const ctn_str names[] = {{"timeout", 7}, {"tool", 4}, {"onError", 7}, {"retry", 5}, {"id", 2}};
    static const char *const cases[][2] = {{"timout", "timeout"},  {"tiemout", "timeout"},
                                           {"TIMEOUT", "timeout"}, {"onerror", "onError"},
                                           {"rety", "retry"},      {"tol", "tool"},
                                           {"ix", "id"},           {"compensation", ""},
                                           {"xyzzy", ""},          {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ctn_str found = ctn_str_nearest(ctn_str_from(cases[i][0]), names, 5);
        if (!ctn_str_is(found, cases[i][1]))
            fail_msg("%s gave %.*s", cases[i][0], CTN_STR_ARG(found));
    }
}

/* ---- err ---- */

static void each_level_prefixes_what_it_knows(void **state)
{
    (void) state;
    ctn_err err = {0};
    assert_int_equal(ctn_fail_at(&err, CTN_E_INVALID, 3, 9, "no key \"%s\"", "x"), CTN_E_INVALID);
    assert_int_equal(ctn_wrap(&err, CTN_E_INVALID, "chain %s", "a.yaml"), CTN_E_INVALID);
    assert_string_equal(err.message, "chain a.yaml: no key \"x\"");
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 9);
    assert_int_equal(ctn_fail(&err, CTN_E_IO, "again: %s\n", err.message), CTN_E_IO);
    assert_string_equal(err.message, "again: chain a.yaml: no key \"x\"");
    assert_int_equal(err.line, 0);
    assert_int_equal(ctn_fail(NULL, CTN_E_IO, "nobody listens"), CTN_E_IO);
    assert_int_equal(ctn_wrap(NULL, CTN_E_IO, "nobody listens"), CTN_E_IO);
    assert_string_equal(ctn_err_name(CTN_E_NOT_FOUND), "not_found");
    for (int code = 0; code <= CTN_E_UNSUPPORTED; code++)
        assert_string_not_equal(ctn_err_name(code), "unknown");
}

static void long_sentences_are_cut_between_characters(void **state)
{
    (void) state;
    char text[2000];
    for (size_t start = 0; start < 4; start++) {
        memset(text, 'x', start);
        for (size_t i = start; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xF0\x9F\x98\x80\0", 5);
        ctn_err err = {0};
        (void) ctn_fail(&err, CTN_E_INVALID, "%s", text);
        size_t len = strlen(err.message);
        assert_true(len > 590 && len < sizeof err.message);
        assert_true(ctn_str_is_utf8(ctn_str_from(err.message)));
        (void) ctn_wrap(&err, CTN_E_INVALID, "a longer story");
        assert_true(ctn_str_is_utf8(ctn_str_from(err.message)));
        assert_true(ctn_str_starts_with(ctn_str_from(err.message), CTN_STR("a longer story: ")));
    }
}

/* ---- id, clock, hash ---- */

static void ids_are_uuid7_and_sort_by_time(void **state)
{
    (void) state;
    ctn_rng rng = ctn_rng_system();
    ctn_execution_id early = ctn_id_new(1700000000000, &rng), late = ctn_id_new(1700000000001, &rng);
    ctn_id_text text = ctn_id_to_text(early);
    assert_int_equal(strlen(text.text), CTN_ID_TEXT_LEN);
    assert_memory_equal(text.text, "018bcfe5-6800-7", 15);
    assert_non_null(strchr("89ab", text.text[19]));
    assert_true(memcmp(early.bytes, late.bytes, 16) < 0);
    assert_false(ctn_id_equal(early, ctn_id_new(1700000000000, &rng)));
    ctn_execution_id back;
    assert_int_equal(ctn_id_parse(ctn_str_from(text.text), &back, NULL), CTN_OK);
    assert_true(ctn_id_equal(early, back));
    for (size_t i = 0; i < CTN_ID_TEXT_LEN; i++)
        if (text.text[i] >= 'a' && text.text[i] <= 'f')
            text.text[i] = (char) (text.text[i] - 'a' + 'A');
    assert_int_equal(ctn_id_parse(ctn_str_from(text.text), &back, NULL), CTN_OK);
    assert_true(ctn_id_equal(early, back));
}

static void what_is_no_id_is_told_so(void **state)
{
    (void) state;
    const char *const bad[] = {"",
                               "018bcfe5",
                               "018bcfe5-6800-7000-8000-00000000000",
                               "018bcfe5-6800-7000-8000-00000000000g",
                               "018bcfe5x6800-7000-8000-000000000000",
                               "018bcfe5-6800-7000-8000-0000000000001",
                               "{18bcfe5-6800-7000-8000-00000000000}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ctn_err err = {0};
        ctn_execution_id id = {{42}};
        assert_int_equal(ctn_id_parse(ctn_str_from(bad[i]), &id, &err), CTN_E_INVALID);
        assert_true(err.message[0] && id.bytes[0] == 42);
    }
}

static void times_are_written_as_rfc_3339(void **state)
{
    (void) state;
    static const struct {
        int64_t at_ms;
        const char *text;
    } cases[] = {{0, "1970-01-01T00:00:00.000Z"},
                 {1795341600000, "2026-11-22T10:00:00.000Z"},
                 {951782400123, "2000-02-29T00:00:00.123Z"},
                 {-1, "1969-12-31T23:59:59.999Z"},
                 {INT64_MAX, "9999-12-31T23:59:59.999Z"},
                 {INT64_MIN, "0000-01-01T00:00:00.000Z"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[25];
        ctn_time_format(cases[i].at_ms, text);
        assert_string_equal(text, cases[i].text);
    }
    ctn_clock clock = ctn_clock_system();
    assert_true(ctn_clock_now_ms(&clock) > 1700000000000);
}

static void seeded_chance_repeats_and_system_chance_does_not(void **state)
{
    (void) state;
    uint64_t a = 1, b = 1;
    ctn_rng x = ctn_rng_seeded(&a), y = ctn_rng_seeded(&b), real = ctn_rng_system();
    ctn_rng_pool pool = {0};
    ctn_rng pooled = ctn_rng_pooled(&pool);
    assert_true(ctn_rng_next(&x) == 0x910A2DEC89025CC1u); /* SplitMix64 of seed 1 */
    (void) ctn_rng_next(&y);
    for (int i = 0; i < 100; i++)
        assert_true(ctn_rng_next(&x) == ctn_rng_next(&y));
    assert_true(ctn_rng_next(&real) != ctn_rng_next(&real));
    uint64_t seen[100]; /* across several fillings */
    for (int i = 0; i < 100; i++) {
        seen[i] = ctn_rng_next(&pooled);
        for (int k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
    }
}

static void digests_are_blake2b_256(void **state)
{
    (void) state;
    assert_string_equal(ctn_digest_to_text(ctn_hash(CTN_STR(""))).text,
                        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    ctn_hasher h;
    ctn_hasher_init(&h);
    ctn_hasher_add(&h, CTN_STR("a"));
    ctn_hasher_add(&h, (ctn_str){NULL, 0});
    ctn_hasher_add(&h, CTN_STR("bc"));
    assert_string_equal(ctn_digest_to_text(ctn_hasher_finish(&h)).text,
                        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

/* ---- log ---- */

static int64_t fixed_time(void *ctx)
{
    (void) ctx;
    return 1795341600000;
}

/* What one call writes. */
static ctn_str logged(char *line, size_t bytes, bool json, const char *message, const char *name, const char *value)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    ctn_log log = {.fd = ends[1], .level_min = CTN_LOG_INFO, .json = json, .clock = {.now_ms = fixed_time}};
    ctn_log_line(&log, CTN_LOG_DEBUG, "below the level", NULL);
    ctn_log_line(NULL, CTN_LOG_ERROR, "nobody listens", NULL);
    ctn_log_line(&log, CTN_LOG_WARN, message, name, value, NULL);
    close(ends[1]);
    ssize_t got = read(ends[0], line, bytes);
    close(ends[0]);
    assert_true(got > 0);
    return (ctn_str){line, (size_t) got};
}

static void text_lines_cannot_be_forged(void **state)
{
    (void) state;
    char line[8192];
    ctn_str plain = logged(line, sizeof line, false, "server died", "server", "travel");
    assert_true(ctn_str_is(plain, "2026-11-22T10:00:00.000Z warn  server died server=travel\n"));
    ctn_str forged = logged(line, sizeof line, false, "a\nb\x1B[31m", "x", "y z\n2026 \"\xC2\x9B\x7F");
    assert_true(ctn_str_is(forged, "2026-11-22T10:00:00.000Z warn  a\\nb\\u001b[31m x=\"y z\\n2026 \\\"???\"\n"));
}

static void json_lines_are_json_whatever_is_in_them(void **state)
{
    (void) state;
    char line[65536], value[5000];
    ctn_arena *arena = ctn_arena_new(4096);
    for (size_t i = 0; i < sizeof value - 1; i++)
        value[i] = (char) (1 + i % 255);
    value[sizeof value - 1] = '\0';
    ctn_str text = logged(line, sizeof line, true, "it \"broke\"", "why", value);
    assert_int_equal(text.ptr[text.len - 1], '\n');
    const ctn_json *v;
    assert_int_equal(ctn_json_parse(arena, text, NULL, &v, NULL), CTN_OK);
    assert_true(ctn_str_is(ctn_json_str_or(v, "msg", CTN_STR("")), "it \"broke\""));
    assert_true(ctn_str_is(ctn_json_str_or(v, "level", CTN_STR("")), "warn"));
    assert_true(ctn_str_is(ctn_json_str_or(v, "ts", CTN_STR("")), "2026-11-22T10:00:00.000Z"));
    assert_non_null(ctn_json_member_of(v, "why"));
    ctn_arena_free(arena);
}

static void numbers_are_numbers_and_what_is_not_there_is_not_told(void **state)
{
    (void) state;
    int ends[2];
    char line[1024] = "";
    assert_int_equal(pipe(ends), 0);
    ctn_log log = {.fd = ends[1], .json = true, .component = "http", .clock = {.now_ms = fixed_time}};
    const ctn_log_field fields[] = {CTN_LOG_TEXT("path", CTN_STR("/a\"b")), CTN_LOG_NUMBER("status", 200),
                                    CTN_LOG_TEXT("caller", (ctn_str){0}), CTN_LOG_NUMBER("attempt", -1)};
    ctn_log_fields(&log, CTN_LOG_INFO, "request", fields, 4);
    log.json = false;
    ctn_log_fields(&log, CTN_LOG_INFO, "request", fields, 4);
    close(ends[1]);
    assert_true(read(ends[0], line, sizeof line - 1) > 0);
    close(ends[0]);
    assert_string_equal(line, "{\"ts\":\"2026-11-22T10:00:00.000Z\",\"level\":\"info\",\"msg\":\"request\","
                              "\"component\":\"http\",\"path\":\"/a\\\"b\",\"status\":200}\n"
                              "2026-11-22T10:00:00.000Z info  request path=\"/a\\\"b\" status=200\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare_find_and_trim),
        cmocka_unit_test(only_letters_have_a_case),
        cmocka_unit_test(cut_walks_a_list_with_empty_parts),
        cmocka_unit_test(int64_is_parsed_in_its_whole_range_and_not_beyond),
        cmocka_unit_test(utf8_is_judged_as_rfc_3629_does),
        cmocka_unit_test(nearest_finds_what_was_meant),
        cmocka_unit_test(each_level_prefixes_what_it_knows),
        cmocka_unit_test(long_sentences_are_cut_between_characters),
        cmocka_unit_test(ids_are_uuid7_and_sort_by_time),
        cmocka_unit_test(what_is_no_id_is_told_so),
        cmocka_unit_test(times_are_written_as_rfc_3339),
        cmocka_unit_test(seeded_chance_repeats_and_system_chance_does_not),
        cmocka_unit_test(digests_are_blake2b_256),
        cmocka_unit_test(text_lines_cannot_be_forged),
        cmocka_unit_test(json_lines_are_json_whatever_is_in_them),
        cmocka_unit_test(numbers_are_numbers_and_what_is_not_there_is_not_told),
    };
    return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
