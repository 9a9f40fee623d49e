/*
 * JSON by example: what is refused and where, what reading, building, comparing and writing give. The
 * official suite and jansson are asked in test_json_peers.c.
 */
#include <stdlib.h>

#include "base/json.h"
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

static const ctn_json *parse(ctn_arena *arena, const char *text)
{
    const ctn_json *v = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(arena, ctn_str_from(text), NULL, &v, &err) != CTN_OK)
        fail_msg("%s at %u:%u", err.message, err.line, err.column);
    return v;
}

static void assert_text(ctn_str actual, const char *expected)
{
    if (!ctn_str_is(actual, expected))
        fail_msg("got  %.*s\nwant %s", CTN_STR_ARG(actual), expected);
}

static ctn_str canonical(ctn_arena *arena, const ctn_json *v)
{
    ctn_buf out;
    ctn_buf_init(&out, 1 << 20);
    ctn_json_write_canonical(&out, v);
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

static void keeps_numbers_as_they_were_written(void **state)
{
    const char *text = "[19.99,1.0,-0,1E+2,9223372036854775808123,0.10,1e999999999]";
    assert_text(ctn_json_to_str(*state, parse(*state, text)), text);
}

static void writes_what_it_read(void **state)
{
    const char *texts[] = {"null",
                           "true",
                           "false",
                           "\"\"",
                           "[]",
                           "{}",
                           "0",
                           "[[],{},[{}]]",
                           "{\"b\":1,\"a\":{\"x\":[null,true,false]}}",
                           "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"",
                           "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\x7F\""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_text(ctn_json_to_str(*state, parse(*state, texts[i])), texts[i]);
}

static void decodes_every_escape(void **state)
{
    const ctn_json *v = parse(*state, "\"a\\/\\\"\\\\\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\\u0000z\"");
    ctn_str want = CTN_STR("a/\"\\A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0z");
    assert_true(ctn_str_equal(ctn_json_text(v), want));
}

static void says_where_and_why_it_refuses(void **state)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *part;
    } cases[] = {
        {"", 1, 1, "empty"},
        {" \n ", 2, 2, "empty"},
        {"[1,\n 2,]", 2, 4, "comma too many"},
        {"{\"a\":1,\n\"b\" 2}", 2, 5, "colon"},
        {"{\"a\":1,}", 1, 8, "comma too many"},
        {"{a:1}", 1, 2, "double quotes"},
        {"['x']", 1, 2, "double quotes"},
        {"[1 2]", 1, 4, "comma or the ']'"},
        {"[1}", 1, 3, "']' of the array"},
        {"{\"a\":[1,2}", 1, 10, "']' of the array"},
        {"{\n  \"a\": [1,\n", 3, 1, "array that begins at line 2, column 8"},
        {"[True]", 1, 2, "true"},
        {"nul", 1, 1, "null"},
        {"[NaN]", 1, 2, "NaN"},
        {"[01]", 1, 2, "does not begin with 0"},
        {"[+1]", 1, 2, "plus sign"},
        {"[.5]", 1, 2, "digit before"},
        {"[1.]", 1, 4, "digit"},
        {"[-]", 1, 3, "digit"},
        {"[1e]", 1, 4, "exponent"},
        {"\"abc", 1, 1, "closing quote"},
        {"\"a\nb\"", 1, 3, "\\n"},
        {"\"\\x\"", 1, 2, "escape"},
        {"\"\\u12g4\"", 1, 2, "hexadecimal"},
        {"\"\\ud800\"", 1, 2, "surrogate"},
        {"\"\\udc00\"", 1, 2, "surrogate"},
        {"\"\\ud800\\u0041\"", 1, 2, "surrogate"},
        {"\"\xFF\"", 1, 2, "UTF-8"},
        {"\"\xED\xA0\x80\"", 1, 2, "UTF-8"},
        {"\"\xC0\x80\"", 1, 2, "UTF-8"},
        {"1 // one", 1, 3, "nothing may follow"},
        {"/* one */ 1", 1, 1, "comments"},
        {"{} {}", 1, 4, "nothing may follow"},
        {"\xEF\xBB\xBF{}", 1, 1, "byte order mark"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ctn_json *v = NULL;
        ctn_err err = {0};
        int rc = ctn_json_parse(*state, ctn_str_from(cases[i].text), NULL, &v, &err);
        if (rc != CTN_E_INVALID || v || err.line != cases[i].line || err.column != cases[i].column ||
            !strstr(err.message, cases[i].part))
            fail_msg("%s: code %d at %u:%u \"%s\", wanted %u:%u with \"%s\"", cases[i].text, rc, err.line, err.column,
                     err.message, cases[i].line, cases[i].column, cases[i].part);
    }
}

static void is_content_without_an_err(void **state)
{
    const ctn_json *v = NULL;
    assert_int_equal(ctn_json_parse(*state, CTN_STR("[1,"), NULL, &v, NULL), CTN_E_INVALID);
    assert_null(v);
}

static void stops_at_the_depth_it_is_told(void **state)
{
    const ctn_json *v;
    ctn_err err = {0};
    ctn_json_options three = {.depth_max = 3};
    assert_int_equal(ctn_json_parse(*state, CTN_STR("[[[1]]]"), &three, &v, &err), CTN_OK);
    assert_int_equal(ctn_json_parse(*state, CTN_STR("[[{\"a\":[]}]]"), &three, &v, &err), CTN_E_LIMIT);
    assert_int_equal(err.column, 8);
    char deep[2 * CTN_JSON_DEPTH_MAX + 2];
    memset(deep, '[', CTN_JSON_DEPTH_MAX + 1);
    memset(deep + CTN_JSON_DEPTH_MAX + 1, ']', CTN_JSON_DEPTH_MAX + 1);
    assert_int_equal(ctn_json_parse(*state, (ctn_str){deep, sizeof deep}, NULL, &v, &err), CTN_E_LIMIT);
    assert_int_equal(ctn_json_parse(*state, (ctn_str){deep + 1, sizeof deep - 2}, NULL, &v, &err), CTN_OK);
}

static void stops_at_the_size_it_is_told(void **state)
{
    const ctn_json *v;
    ctn_err err = {0};
    ctn_json_options ten = {.bytes_max = 10};
    assert_int_equal(ctn_json_parse(*state, CTN_STR("[1,2,3,45]"), &ten, &v, &err), CTN_OK);
    assert_int_equal(ctn_json_parse(*state, CTN_STR("[1,2,3,456]"), &ten, &v, &err), CTN_E_LIMIT);
    assert_holds(err.message, "11 bytes");
}

static void keeps_the_last_value_at_the_first_place(void **state)
{
    const ctn_json *v = parse(*state, "{\"a\":1,\"b\":2,\"a\":3,\"c\":4,\"b\":5}");
    assert_text(ctn_json_to_str(*state, v), "{\"a\":3,\"b\":5,\"c\":4}");
}

static void rejects_duplicates_when_asked(void **state)
{
    const ctn_json *v;
    ctn_err err = {0};
    ctn_json_options strict = {.reject_duplicates = true};
    int rc = ctn_json_parse(*state, CTN_STR("{\"a\":1,\n \"b\":2,\n  \"\\u0061\":3}"), &strict, &v, &err);
    assert_int_equal(rc, CTN_E_INVALID);
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 3);
    assert_holds(err.message, "\"a\"");
}

/* 200,000 keys, half of them again: seconds if keys were compared pair by pair. */
static void takes_large_objects_with_duplicates(void **state)
{
    enum { KEYS = 200000 };
    ctn_buf text;
    ctn_buf_init(&text, 64 << 20);
    ctn_buf_append_char(&text, '{');
    for (int i = 0; i < KEYS; i++)
        ctn_buf_printf(&text, "\"k%d\":%d,", i, i);
    for (int i = 0; i < KEYS / 2; i++)
        ctn_buf_printf(&text, "\"k%d\":-1,", 2 * i);
    ctn_buf_append_literal(&text, "\"end\":0}");
    const ctn_json *v;
    assert_int_equal(ctn_json_parse(*state, ctn_buf_str(&text), NULL, &v, NULL), CTN_OK);
    assert_int_equal(ctn_json_count(v), KEYS + 1);
    for (int i = 0; i < KEYS; i++) {
        int64_t value;
        assert_true(ctn_json_to_int64(&v->members[i].value, &value));
        assert_int_equal(value, i % 2 ? i : -1);
    }
    const ctn_json *copy = ctn_json_copy(*state, v);
    assert_true(ctn_json_equal(v, copy));
    ctn_json_builder b = ctn_json_object(*state);
    for (size_t i = KEYS + 1; i-- > 0;)
        ctn_json_put(&b, ctn_json_text(&v->members[i].key), &v->members[i].value);
    for (size_t i = 0; i < KEYS; i++)
        ctn_json_put(&b, ctn_json_text(&v->members[i].key), &v->members[i].value);
    const ctn_json *reversed = ctn_json_finish(&b);
    assert_int_equal(ctn_json_count(reversed), KEYS + 1);
    assert_true(ctn_json_equal(v, reversed));
    ctn_buf_done(&text);
}

typedef struct places {
    ctn_str text;
    size_t count;
    const ctn_json *last;
} places;

/* Every place must hold the beginning of its value, and the address must be the final one. */
static void note_place(void *ctx, const ctn_json *value, size_t offset)
{
    places *p = ctx;
    assert_true(offset < p->text.len);
    char c = p->text.ptr[offset];
    static const char *const firsts[] = {"n", "f", "t", "-0123456789", "\"", "[", "{"};
    assert_non_null(strchr(firsts[value->kind], c));
    if (value->kind == CTN_JSON_STRING)
        assert_memory_equal(value->text, p->text.ptr + offset + 1, value->count);
    p->count++;
    p->last = value;
}

static void tells_the_place_of_every_value_and_key(void **state)
{
    places p = {.text = CTN_STR(" {\"a\": [1, \"x\", null],\n \"b\" : {\"c\":true,\"d\":false}, \"e\":-7} ")};
    ctn_json_options options = {.on_place = note_place, .on_place_ctx = &p};
    const ctn_json *v;
    assert_int_equal(ctn_json_parse(*state, p.text, &options, &v, NULL), CTN_OK);
    assert_int_equal(p.count, 14);
    assert_ptr_equal(p.last, v);
}

static void note_place_of_number(void *ctx, const ctn_json *value, size_t offset)
{
    if (value->kind == CTN_JSON_NUMBER)
        *(size_t *) ctx = offset;
}

static void place_of_a_duplicate_is_that_of_the_value_that_counts(void **state)
{
    size_t offset = 0;
    ctn_json_options options = {.on_place = note_place_of_number, .on_place_ctx = &offset};
    const ctn_json *v;
    assert_int_equal(ctn_json_parse(*state, CTN_STR("{\"a\":\"\",\"a\":2}"), &options, &v, NULL), CTN_OK);
    assert_int_equal(offset, 12);
}

static void reads_by_key_index_and_pointer(void **state)
{
    const ctn_json *v =
        parse(*state, "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"m~n\":8,\"o\":{\"p\":[[5]]}}");
    static const char *const cases[][2] = {{"/foo", "[\"bar\",\"baz\"]"},
                                           {"/foo/0", "\"bar\""},
                                           {"/", "0"},
                                           {"/a~1b", "1"},
                                           {"/c%d", "2"},
                                           {"/m~0n", "8"},
                                           {"/o/p/0/0", "5"},
                                           {"foo", NULL},
                                           {"/foo/2", NULL},
                                           {"/foo/-", NULL},
                                           {"/foo/00", NULL},
                                           {"/foo/-0", NULL},
                                           {"/foo/", NULL},
                                           {"/m~2n", NULL},
                                           {"/m~", NULL},
                                           {"/foo/0/x", NULL},
                                           {"/nope", NULL},
                                           {"/foo/99999999999999999999", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ctn_json *found = ctn_json_pointer(v, ctn_str_from(cases[i][0]));
        if (!cases[i][1])
            assert_null(found);
        else
            assert_text(ctn_json_to_str(*state, found), cases[i][1]);
    }
    assert_ptr_equal(ctn_json_pointer(v, CTN_STR("")), v);
    assert_null(ctn_json_get(NULL, CTN_STR("a")));
    assert_null(ctn_json_at(v, 0));
    assert_null(ctn_json_member_of(&ctn_json_true, "a"));
}

static void typed_reads_fall_back(void **state)
{
    const ctn_json *v = parse(*state, "{\"s\":\"x\",\"i\":3e0,\"b\":true,\"n\":null}");
    assert_text(ctn_json_str_or(v, "s", CTN_STR("-")), "x");
    assert_text(ctn_json_str_or(v, "i", CTN_STR("-")), "-");
    assert_int_equal(ctn_json_int_or(v, "i", 9), 3);
    assert_int_equal(ctn_json_int_or(v, "s", 9), 9);
    assert_int_equal(ctn_json_int_or(v, "absent", 9), 9);
    assert_true(ctn_json_bool_or(v, "b", false));
    assert_true(ctn_json_bool_or(v, "n", true));
    assert_string_equal(ctn_json_kind_name(ctn_json_member_of(v, "b")), "boolean");
    assert_string_equal(ctn_json_kind_name(NULL), "null");
}

static void whole_numbers_become_int64_in_any_spelling(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {{"0", true, 0},
                 {"-0", true, 0},
                 {"0e99999999999999999999", true, 0},
                 {"0.000", true, 0},
                 {"1.0", true, 1},
                 {"1e3", true, 1000},
                 {"10e-1", true, 1},
                 {"123.45e2", true, 12345},
                 {"0.00012e5", true, 12},
                 {"100000e-5", true, 1},
                 {"9223372036854775807", true, INT64_MAX},
                 {"-9223372036854775808", true, INT64_MIN},
                 {"-9223372036854775808.0", true, INT64_MIN},
                 {"9.223372036854775807e18", true, INT64_MAX},
                 {"1e18", true, 1000000000000000000},
                 {"9223372036854775808", false, 0},
                 {"9223372036854775808.0", false, 0},
                 {"-9223372036854775809.0", false, 0},
                 {"1e19", false, 0},
                 {"1.5", false, 0},
                 {"1e-1", false, 0},
                 {"1e999999999999999999999999", false, 0},
                 {"1e-999999999999999999999999", false, 0},
                 {"12345678901234567890.5", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = 77;
        bool ok = ctn_json_to_int64(parse(*state, cases[i].text), &value);
        if (ok != cases[i].ok || value != (ok ? cases[i].value : 77))
            fail_msg("%s gave %d, %lld", cases[i].text, ok, (long long) value);
    }
    int64_t untouched;
    assert_false(ctn_json_to_int64(parse(*state, "\"1\""), &untouched));
    assert_false(ctn_json_to_int64(NULL, &untouched));
}

/* Each row is one value in several spellings, rows ascend: everything is compared with everything. */
static void numbers_compare_by_value_at_any_size(void **state)
{
    static const char *const rows[][4] = {
        {"-1e1000000000000000000000", "-10e999999999999999999999", "-0.1e1000000000000000000001"},
        {"-1e1000000000000000000", "-0.01e1000000000000000002", "-10e999999999999999999"},
        {"-123456789012345678901234567890"},
        {"-1.50", "-1.5", "-15e-1", "-0.15E1"},
        {"-1"},
        {"-1e-99999999999999999999"},
        {"0", "-0", "0.0", "0e5"},
        {"1e-1000000000000000000000000", "0.1e-999999999999999999999999"},
        {"2e-1000000000000000000000000"},
        {"1e-1000000000000000000", "10e-1000000000000000001", "0.1e-999999999999999999"},
        {"1e-999999999999999999", "10e-1000000000000000000", "100e-1000000000000000001"},
        {"0.1", "1e-1", "0.10", "10e-2"},
        {"0.10000000000000000000000000000000000000000001"},
        {"1", "1.0", "10e-1", "1e0"},
        {"2"},
        {"9.99"},
        {"10", "1e1", "1E+1"},
        {"9007199254740992"},
        {"9007199254740993", "9007199254740993.0"},
        {"9223372036854775807"},
        {"9223372036854775808", "9223372036854775808.00"},
        {"1e999999999", "1000e999999996"},
        {"1e999999999999999999", "0.1e1000000000000000000", "10e999999999999999998"},
        {"1e1000000000000000000", "100e999999999999999998", "0.001e1000000000000000003"},
        {"1e1000000000000000001"},
        {"1.01e1000000000000000001"},
        {"1e99999999999999999999999999999", "1e0099999999999999999999999999999"},
        {"1e100000000000000000000000000000", "0.01e100000000000000000000000000002", "10e99999999999999999999999999999"},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    for (size_t i = 0; i < 4 * (size_t) ROWS; i++) {
        for (size_t j = 0; j < 4 * (size_t) ROWS; j++) {
            const char *a = rows[i / 4][i % 4], *b = rows[j / 4][j % 4];
            if (!a || !b)
                continue;
            ctn_arena_mark mark = ctn_arena_save(*state);
            const ctn_json *x = parse(*state, a), *y = parse(*state, b);
            int want = (i / 4 > j / 4) - (i / 4 < j / 4);
            if (ctn_json_number_compare(x, y) != want || ctn_json_equal(x, y) != (want == 0))
                fail_msg("%s against %s gave %d", a, b, ctn_json_number_compare(x, y));
            if (ctn_str_equal(canonical(*state, x), canonical(*state, y)) != (want == 0))
                fail_msg("canonical %s against %s", a, b);
            ctn_arena_restore(*state, mark);
        }
    }
}

static void canonical_numbers_have_one_spelling(void **state)
{
    static const char *const cases[][2] = {{"-0.0", "0"},
                                           {"1.0", "1"},
                                           {"19.990", "19.99"},
                                           {"1e3", "1000"},
                                           {"-12.50e1", "-125"},
                                           {"100000000000000000000", "100000000000000000000"},
                                           {"1000000000000000000000", "1e+21"},
                                           {"123456789012345678901234", "1.23456789012345678901234e+23"},
                                           {"0.0000001", "0.0000001"},
                                           {"0.00000001", "1e-8"},
                                           {"1.5E-10", "1.5e-10"},
                                           {"1e1000000000000000000000", "1e+1000000000000000000000"},
                                           {"10e-1000000000000000000000", "1e-999999999999999999999"},
                                           {"12.25e1", "122.5"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_text(canonical(*state, parse(*state, cases[i][0])), cases[i][1]);
        assert_text(canonical(*state, parse(*state, cases[i][1])), cases[i][1]);
    }
}

static void canonical_form_sorts_keys_by_bytes(void **state)
{
    const ctn_json *v =
        parse(*state, "{ \"b\" : [ 1.0 , {\"z\":1,\"\":2} ], \"\xC3\xA9\":0, \"a\":\"\\u0041\", \"aa\":{}, \"B\":[] }");
    assert_text(canonical(*state, v), "{\"B\":[],\"a\":\"A\",\"aa\":{},\"b\":[1,{\"\":2,\"z\":1}],\"\xC3\xA9\":0}");
}

static void equality_looks_at_kind_and_content(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {{"{\"a\":1,\"b\":2}", "{\"b\":2.0,\"a\":1}", true},
                 {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
                 {"{\"a\":1}", "{\"b\":1}", false},
                 {"[1,2]", "[2,1]", false},
                 {"[]", "{}", false},
                 {"1", "\"1\"", false},
                 {"true", "false", false},
                 {"null", "false", false},
                 {"\"a\"", "\"\\u0061\"", true},
                 {"{}", "{}", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(ctn_json_equal(parse(*state, cases[i].a), parse(*state, cases[i].b)) == cases[i].equal);
    assert_true(ctn_json_equal(NULL, &ctn_json_null));
    assert_false(ctn_json_equal(NULL, &ctn_json_true));
}

static void builds_what_it_is_told(void **state)
{
    ctn_json_builder list = ctn_json_array(*state);
    for (int i = 0; i < 40; i++)
        ctn_json_push(&list, ctn_json_int(*state, i - 2));
    ctn_json_push(&list, NULL);
    const ctn_json *items = ctn_json_finish(&list);
    assert_int_equal(ctn_json_count(items), 41);
    assert_text(ctn_json_text(ctn_json_at(items, 0)), "-2");
    ctn_json_builder b = ctn_json_object(*state);
    ctn_json_put_str(&b, "s", CTN_STR("a\"b"));
    ctn_json_put_int(&b, "min", INT64_MIN);
    ctn_json_put_bool(&b, "t", true);
    ctn_json_put(&b, CTN_STR("n"), NULL);
    ctn_json_put(&b, CTN_STR(""), ctn_json_number(*state, CTN_STR("19.990")));
    ctn_json_put_str(&b, "s", CTN_STR("again"));
    assert_text(ctn_json_to_str(*state, ctn_json_finish(&b)),
                "{\"s\":\"again\",\"min\":-9223372036854775808,\"t\":true,\"n\":null,\"\":19.990}");
    ctn_json_builder none = ctn_json_object(*state);
    assert_text(ctn_json_to_str(*state, ctn_json_finish(&none)), "{}");
}

static void a_copy_outlives_its_source(void **state)
{
    ctn_arena *other = ctn_arena_new(256);
    const char *text = "{\"a\":[1,\"two\",{\"\":null}],\"b\":{},\"c\":[]}";
    const ctn_json *copy = ctn_json_copy(*state, parse(other, text));
    ctn_arena_free(other);
    assert_text(ctn_json_to_str(*state, copy), text);
}

static void strings_that_are_not_utf8_are_written_as_utf8(void **state)
{
    ctn_buf out;
    ctn_buf_init(&out, 100);
    ctn_json_write_string(&out, CTN_STR("a\xFF\xC3z\xED\xA0\x80\x01\x7F"));
    assert_text(ctn_buf_str(&out), "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\u0001\x7F\"");
    const ctn_json *v = ctn_json_string(*state, CTN_STR("a\xFF\xC3z\xED\xA0\x80\x01\x7F"));
    assert_int_equal(ctn_json_bytes(v), out.len);
    ctn_buf_done(&out);
}

static void pretty_text_is_for_people(void **state)
{
    const ctn_json *v = parse(*state, "{\"a\":[1,2,\"x\"],\"b\":{},\"c\":{\"d\":[[1],[]]},\"e\":[]}");
    ctn_buf out;
    ctn_buf_init(&out, 1000);
    ctn_json_write_pretty(&out, v);
    assert_text(ctn_buf_str(&out), "{\n  \"a\": [1, 2, \"x\"],\n  \"b\": {},\n  \"c\": {\n    \"d\": [\n      [1],\n"
                                   "      []\n    ]\n  },\n  \"e\": []\n}");
    ctn_buf_done(&out);
}

static void number_grammar_stands_alone(void **state)
{
    (void) state;
    static const char *const good[] = {"0", "-0", "10", "1.5", "1e5", "1E-5", "0.0e+00", "-1.25e10"};
    static const char *const bad[] = {"", "-", "01", "1.", ".5", "1e", "1e+", "+1", " 1", "1 ", "0x1", "1.e5", "--1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(ctn_json_is_number_text(ctn_str_from(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ctn_json_is_number_text(ctn_str_from(bad[i])));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(keeps_numbers_as_they_were_written),
        TEST(writes_what_it_read),
        TEST(decodes_every_escape),
        TEST(says_where_and_why_it_refuses),
        TEST(is_content_without_an_err),
        TEST(stops_at_the_depth_it_is_told),
        TEST(stops_at_the_size_it_is_told),
        TEST(keeps_the_last_value_at_the_first_place),
        TEST(rejects_duplicates_when_asked),
        TEST(takes_large_objects_with_duplicates),
        TEST(tells_the_place_of_every_value_and_key),
        TEST(place_of_a_duplicate_is_that_of_the_value_that_counts),
        TEST(reads_by_key_index_and_pointer),
        TEST(typed_reads_fall_back),
        TEST(whole_numbers_become_int64_in_any_spelling),
        TEST(numbers_compare_by_value_at_any_size),
        TEST(canonical_numbers_have_one_spelling),
        TEST(canonical_form_sorts_keys_by_bytes),
        TEST(equality_looks_at_kind_and_content),
        TEST(builds_what_it_is_told),
        TEST(a_copy_outlives_its_source),
        TEST(strings_that_are_not_utf8_are_written_as_utf8),
        TEST(pretty_text_is_for_people),
        TEST(number_grammar_stands_alone),
    };
    return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
