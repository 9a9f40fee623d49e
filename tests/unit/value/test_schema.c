/* Schemas: what is said when a value does not fit, what is refused, and that nothing takes for ever. */
#include <stdio.h>
#include <time.h>

#include "support/cmocka.h"
#include "value/regex.h"
#include "value/schema.h"
#include "value/uri.h"

static const ctn_json *parse(ctn_arena *arena, ctn_str text)
{
    const ctn_json *value = NULL;
    ctn_err err = {0};
    ctn_json_options options = {.depth_max = 1000};
    if (ctn_json_parse(arena, text, &options, &value, &err))
        fail_msg("%.*s: %s", CTN_STR_ARG(text), err.message);
    return value;
}

/* NULL sentence: it fits. */
static void check_says(const char *schema_text, const char *value_text, const char *sentence)
{
    ctn_arena *arena = ctn_arena_new(4096), *scratch = ctn_arena_new(1024);
    ctn_schema *schema = NULL;
    ctn_err err = {0};
    if (ctn_schema_compile(arena, parse(arena, ctn_str_from(schema_text)), &schema, NULL, &err))
        fail_msg("%s: %s", schema_text, err.message);
    int rc = ctn_schema_validate(schema, parse(arena, ctn_str_from(value_text)), scratch, &err);
    if (strcmp(err.message, sentence ? sentence : "") != 0)
        fail_msg("%s\nof %s\nsays %s\nnot  %s", schema_text, value_text, err.message,
                 sentence ? sentence : "(nothing)");
    assert_int_equal(rc, sentence ? CTN_E_INVALID : CTN_OK);
    assert_int_equal(ctn_schema_validate(schema, parse(arena, ctn_str_from(value_text)), scratch, NULL), rc);
    ctn_schema_done(schema);
    ctn_arena_free(scratch);
    ctn_arena_free(arena);
}

/* `at` is a JSON Pointer to the part that must be blamed. */
static void check_refused(const char *schema_text, int code, const char *at, const char *part)
{
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *source = parse(arena, ctn_str_from(schema_text)), *bad_node = NULL;
    ctn_schema *schema = NULL;
    ctn_err err = {0};
    int rc = ctn_schema_compile(arena, source, &schema, &bad_node, &err);
    if (rc != code || !strstr(err.message, part))
        fail_msg("%s: %s: %s\nnot %s", schema_text, ctn_err_name(rc), err.message, part);
    assert_null(schema);
    if (at && bad_node != ctn_json_pointer(source, ctn_str_from(at)))
        fail_msg("%s: not %s is blamed (%s)", schema_text, at, err.message);
    ctn_arena_free(arena);
}

static void a_misfit_says_where_what_was_expected_and_what_is_there(void **state)
{
    (void) state;
    check_says("{\"type\": \"object\"}", "[1]", "the value: expected object, got array");
    check_says("{\"properties\": {\"adults\": {\"type\": \"integer\"}}}", "{\"adults\": \"2\"}",
               "/adults: expected integer, got string");
    check_says("{\"type\": [\"integer\", \"null\"]}", "1.5", "the value: expected integer or null, got 1.5");
    check_says("{\"items\": {\"minimum\": 1}}", "[3, 0]", "/1: expected at least 1, got 0");
    check_says("{\"exclusiveMaximum\": 10}", "10.0", "the value: expected less than 10, got 10.0");
    check_says("{\"multipleOf\": 0.01}", "19.999", "the value: expected a multiple of 0.01, got 19.999");
    check_says("{\"multipleOf\": 0.01}", "19.99", NULL);
    check_says("{\"const\": \"EUR\"}", "\"USD\"", "the value: expected \"EUR\", got \"USD\"");
    check_says("{\"enum\": [\"economy\", \"business\", 1]}", "\"buisness\"",
               "the value: expected one of \"economy\", \"business\", 1, got \"buisness\"; did you mean \"business\"?");
    check_says("{\"minLength\": 3}", "\"\xC3\xA9\xC3\xA9\"", "the value: expected at least 3 characters, got 2");
    check_says("{\"pattern\": \"^[A-Z]{3}$\"}", "\"eur\"",
               "the value: expected text that matches \"^[A-Z]{3}$\", got \"eur\"");
    check_says("{\"required\": [\"from\", \"destination\"]}", "{\"from\": 1, \"destnation\": 2}",
               "the value: the member \"destination\" is missing; there is \"destnation\"");
    check_says("{\"properties\": {\"adults\": {}}, \"additionalProperties\": false}", "{\"adult\": 1}",
               "the value: the member \"adult\" is not allowed; did you mean \"adults\"?");
    check_says("{\"properties\": {\"adults\": {}}, \"unevaluatedProperties\": false}", "{\"adult\": 1}",
               "the value: the member \"adult\" is not allowed; did you mean \"adults\"?");
    check_says("{\"dependentRequired\": {\"card\": [\"cvc\"]}}", "{\"card\": 1}",
               "the value: the member \"cvc\" is missing beside \"card\"");
    check_says("{\"propertyNames\": {\"maxLength\": 3}}", "{\"long name\": 1}",
               "the value: the name \"long name\" does not fit: expected at most 3 characters, got 9");
    check_says("{\"minItems\": 2}", "[1]", "the value: expected at least 2 items, got 1");
    check_says("{\"uniqueItems\": true}", "[1, 2, 1.0]", "the value: items must differ, and items 0 and 2 are equal");
    check_says("{\"contains\": {\"type\": \"string\"}}", "[1]",
               "the value: expected at least 1 items of the kind that it must contain, got 0");
    check_says("{\"not\": {\"const\": 1}}", "1", "the value: fits what must not be (not): 1");
    check_says("{\"properties\": {\"a/b~c\": {\"prefixItems\": [false]}}}", "{\"a/b~c\": [1]}",
               "/a~1b~0c/0: no value is allowed here");
    check_says("false", "1", "the value: no value is allowed here");
}

static void of_alternatives_the_one_that_got_furthest_speaks(void **state)
{
    (void) state;
    check_says("{\"anyOf\": [{\"type\": \"string\"}, {\"properties\": {\"a\": {\"type\": \"integer\"}}, \"type\": "
               "\"object\"}]}",
               "{\"a\": true}", "/a: expected integer, got boolean");
    check_says("{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"integer\"}]}", "null",
               "the value: fits none of 2 alternatives (anyOf), of which the first says: expected string, got null");
    check_says("{\"oneOf\": [{\"minimum\": 1}, {\"minimum\": 9}, {\"minimum\": 5}]}", "7",
               "the value: fits alternatives 1 and 3 of oneOf, and may fit only one");
}

static void a_long_value_is_described_and_not_quoted(void **state)
{
    (void) state;
    check_says("{\"const\": 1}", "\"0123456789012345678901234567890123456789 secret\"",
               "the value: expected 1, got a string of 47 characters");
    check_says("{\"const\": 1}", "[\"0123456789012345678901234567890123456789\", 2]",
               "the value: expected 1, got an array of 2 items");
}

static void a_broken_schema_is_refused_at_the_place(void **state)
{
    (void) state;
    check_refused("12", CTN_E_INVALID, "", "expected a schema");
    check_refused("{\"properties\": {\"a\": 1}}", CTN_E_INVALID, "/properties/a", "expected a schema");
    check_refused("{\"properties\": []}", CTN_E_INVALID, "/properties", "properties must be an object");
    check_refused("{\"items\": [{}]}", CTN_E_INVALID, "/items", "expected a schema");
    check_refused("{\"anyOf\": []}", CTN_E_INVALID, "/anyOf", "not empty");
    check_refused("{\"type\": \"strin\"}", CTN_E_INVALID, "/type", "did you mean \"string\"?");
    check_refused("{\"type\": []}", CTN_E_INVALID, "/type", "at least one");
    check_refused("{\"minLength\": -1}", CTN_E_INVALID, "/minLength", "0 or more");
    check_refused("{\"minLength\": 1.5}", CTN_E_INVALID, "/minLength", "whole number");
    check_refused("{\"multipleOf\": 0}", CTN_E_INVALID, "/multipleOf", "more than 0");
    check_refused("{\"minimum\": \"1\"}", CTN_E_INVALID, "/minimum", "must be a number");
    check_refused("{\"required\": \"a\"}", CTN_E_INVALID, "/required", "list of names");
    check_refused("{\"pattern\": \"(\"}", CTN_E_INVALID, "/pattern", "not well-formed");
    check_refused("{\"patternProperties\": {\"[\": {}}}", CTN_E_INVALID, NULL, "not well-formed");
    check_refused("{\"$ref\": \"#/$defs/b\"}", CTN_E_INVALID, "/$ref", "leads nowhere");
    check_refused("{\"$ref\": \"#trip\", \"$defs\": {\"a\": {\"$anchor\": \"trips\"}}}", CTN_E_INVALID, "/$ref",
                  "did you mean #trips?");
    check_refused("{\"$ref\": \"https://example.com/a.json\"}", CTN_E_INVALID, "/$ref", "nothing is fetched");
    check_refused("{\"$ref\": \"#/x\", \"x\": 1}", CTN_E_INVALID, "/$ref", "which is no schema");
    check_refused("{\"$schema\": \"http://json-schema.org/draft-07/schema#\"}", CTN_E_UNSUPPORTED, "/$schema",
                  "draft-07");
    check_refused("{\"$defs\": {\"a\": {\"$id\": \"x\"}, \"b\": {\"$id\": \"x\"}}}", CTN_E_INVALID, "/$defs/b/$id",
                  "twice");
    check_refused("{\"$defs\": {\"a\": {\"$anchor\": \"x\"}, \"b\": {\"$anchor\": \"x\"}}}", CTN_E_INVALID,
                  "/$defs/b/$anchor", "twice");
}

/* A schema that is its own meta-schema's instance is checked by the meta-schema we carry. */
static void the_meta_schema_judges_schemas(void **state)
{
    (void) state;
    const char *meta = "{\"$ref\": \"https://json-schema.org/draft/2020-12/schema\"}";
    check_says(meta, "{\"properties\": {\"a\": {\"type\": \"string\", \"minLength\": 2}}}", NULL);
    check_says(meta, "{\"properties\": {\"a\": {\"minLength\": -2}}}",
               "/properties/a/minLength: expected at least 0, got -2");
    check_says(
        meta, "{\"$defs\": {\"a\": {\"type\": \"text\"}}}",
        "/$defs/a/type: fits none of 2 alternatives (anyOf), of which the first says: expected one of \"array\", "
        "\"boolean\", \"integer\", \"null\", \"number\", \"object\", \"string\", got \"text\"");
}

static void numbers_are_compared_as_they_are_written(void **state)
{
    (void) state;
    check_says("{\"maximum\": 9007199254740992}", "9007199254740993",
               "the value: expected at most 9007199254740992, got 9007199254740993");
    check_says("{\"type\": \"integer\"}", "1e400", NULL);
    check_says("{\"type\": \"integer\"}", "10.50e1", NULL);
    check_says("{\"type\": \"integer\"}", "1e-1", "the value: expected integer, got 1e-1");
    check_says("{\"multipleOf\": 7}", "7e999999999999", NULL);
    check_says("{\"multipleOf\": 7}", "1e999999999999", "the value: expected a multiple of 7, got 1e999999999999");
    check_says("{\"multipleOf\": 1e-999999999999}", "3", NULL);
    check_says("{\"type\": \"integer\"}", "1e999999999999999999999999", NULL);
    check_says("{\"type\": \"integer\"}", "10e-999999999999999999999999",
               "the value: expected integer, got 10e-999999999999999999999999");
    check_says("{\"multipleOf\": 1e99}", "1e98", "the value: expected a multiple of 1e99, got 1e98");
    check_says("{\"multipleOf\": 0.3}", "-0.9", NULL);
    check_says("{\"multipleOf\": 0.3}", "0.0", NULL);
    check_says("{\"maxItems\": 1e30}", "[1]", NULL);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* It ends soon, whatever the verdict is; CTN_E_LIMIT is one. */
static void check_ends(ctn_str schema_text, ctn_str value_text, int expected)
{
    ctn_arena *arena = ctn_arena_new(4096), *scratch = ctn_arena_new(1024);
    ctn_schema *schema = NULL;
    ctn_err err = {0};
    double begin = seconds();
    int rc = ctn_schema_compile(arena, parse(arena, schema_text), &schema, NULL, &err);
    if (rc == CTN_OK)
        rc = ctn_schema_validate(schema, parse(arena, value_text), scratch, &err);
    double took = seconds() - begin;
    if (rc != expected)
        fail_msg("%.*s: %s: %s", (int) (schema_text.len < 100 ? schema_text.len : 100), schema_text.ptr,
                 ctn_err_name(rc), err.message);
    assert_true(took < 20); /* sanitizers are slow; without them it is one or two at the very most */
    ctn_schema_done(schema);
    ctn_arena_free(scratch);
    ctn_arena_free(arena);
}

static void repeat(ctn_buf *out, const char *part, size_t times)
{
    for (size_t i = 0; i < times; i++)
        ctn_buf_append(out, ctn_str_from(part));
}

static void a_schema_that_runs_in_circles_is_stopped(void **state)
{
    (void) state;
    check_ends(CTN_STR("{\"$ref\": \"#\"}"), CTN_STR("1"), CTN_E_LIMIT);
    check_ends(CTN_STR("{\"$dynamicRef\": \"#\"}"), CTN_STR("1"), CTN_E_LIMIT);
    check_ends(CTN_STR("{\"anyOf\": [{\"$ref\": \"#\"}, {\"$ref\": \"#\"}]}"), CTN_STR("1"), CTN_E_LIMIT);
    check_ends(CTN_STR("{\"not\": {\"$ref\": \"#\"}}"), CTN_STR("1"), CTN_E_LIMIT);
    check_ends(CTN_STR("{\"propertyNames\": {\"$ref\": \"#/$defs/a\"}, \"$defs\": {\"a\": {\"$ref\": \"#/$defs/a\"}}}"),
               CTN_STR("{\"a\": 1}"), CTN_E_LIMIT);
}

/* Two references a level double the work forty times over. */
static void a_schema_that_branches_is_stopped(void **state)
{
    (void) state;
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    ctn_buf_append_literal(&text, "{\"$ref\": \"#/$defs/a40\", \"$defs\": {\"a0\": {\"type\": \"null\"}");
    for (int i = 1; i <= 40; i++)
        ctn_buf_printf(&text, ", \"a%d\": {\"anyOf\": [{\"$ref\": \"#/$defs/a%d\"}, {\"$ref\": \"#/$defs/a%d\"}]}", i,
                       i - 1, i - 1);
    ctn_buf_append_literal(&text, "}}");
    check_ends(ctn_buf_str(&text), CTN_STR("1"), CTN_E_LIMIT);
    ctn_buf_done(&text);
}

static void depth_is_bounded_on_both_sides(void **state)
{
    (void) state;
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    repeat(&text, "{\"not\": ", 400);
    repeat(&text, "true", 1);
    repeat(&text, "}", 400);
    check_ends(ctn_buf_str(&text), CTN_STR("1"), CTN_E_LIMIT);
    ctn_buf_clear(&text);
    repeat(&text, "[", 900);
    repeat(&text, "]", 900);
    check_ends(CTN_STR("{\"items\": {\"$ref\": \"#\"}}"), ctn_buf_str(&text), CTN_E_LIMIT);
    ctn_buf_clear(&text);
    repeat(&text, "[", 120); /* as deep as values may be, under the deepest schema that we carry */
    repeat(&text, "]", 120);
    check_ends(CTN_STR("{\"items\": {\"$ref\": \"#\"}}"), ctn_buf_str(&text), CTN_OK);
    ctn_buf_clear(&text);
    repeat(&text, "{\"items\":", 120);
    repeat(&text, "{}", 1);
    repeat(&text, "}", 120);
    check_ends(CTN_STR("{\"$ref\": \"https://json-schema.org/draft/2020-12/schema\"}"), ctn_buf_str(&text), CTN_OK);
    ctn_buf_done(&text);
}

static void huge_schemas_and_values_end_soon(void **state)
{
    (void) state;
    ctn_buf text, value;
    ctn_buf_init(&text, 64 << 20);
    ctn_buf_init(&value, 64 << 20);
    ctn_buf_append_literal(&text, "{\"allOf\": [");
    for (int i = 0; i < 30000; i++)
        ctn_buf_printf(&text, "%s{}", i ? "," : "");
    ctn_buf_append_literal(&text, "]}");
    check_ends(ctn_buf_str(&text), CTN_STR("1"), CTN_E_LIMIT); /* too many subschemas */
    ctn_buf_append_literal(&value, "[");
    for (int i = 0; i < 200000; i++)
        ctn_buf_printf(&value, "%s%d", i ? "," : "", i);
    ctn_buf_append_literal(&value, "]");
    check_ends(CTN_STR("{\"uniqueItems\": true, \"items\": {\"type\": \"integer\"}}"), ctn_buf_str(&value), CTN_OK);
    check_ends(CTN_STR("{\"allOf\": [{\"prefixItems\": [{}, {}]}], \"unevaluatedItems\": {\"minimum\": 2}}"),
               ctn_buf_str(&value), CTN_OK);
    /* 10,000 references to one large constant that differs at its very end */
    ctn_buf_clear(&text);
    ctn_buf_append_literal(&text, "{\"anyOf\": [");
    for (int i = 0; i < 10000; i++)
        ctn_buf_printf(&text, "%s{\"$ref\": \"#/$defs/a\"}", i ? "," : "");
    ctn_buf_append_literal(&text, "], \"$defs\": {\"a\": {\"const\": ");
    ctn_buf_append(&text, (ctn_str){value.data, value.len - 1});
    ctn_buf_append_literal(&text, "0]}}}");
    check_ends(ctn_buf_str(&text), ctn_buf_str(&value), CTN_E_LIMIT);
    /* a large object against many names */
    ctn_buf_clear(&text);
    ctn_buf_clear(&value);
    ctn_buf_append_literal(&text, "{\"required\": [");
    ctn_buf_append_literal(&value, "{");
    for (int i = 0; i < 20000; i++) {
        ctn_buf_printf(&text, "%s\"name%d\"", i ? "," : "", i);
        ctn_buf_printf(&value, "%s\"name%d\":%d", i ? "," : "", i, i);
    }
    ctn_buf_append_literal(&text, "]}");
    ctn_buf_append_literal(&value, "}");
    check_ends(ctn_buf_str(&text), ctn_buf_str(&value), CTN_OK);
    /* a number of more digits than anybody means */
    ctn_buf_clear(&value);
    repeat(&value, "1", 100000);
    check_ends(CTN_STR("{\"multipleOf\": 3}"), ctn_buf_str(&value), CTN_E_LIMIT);
    check_ends(CTN_STR("{\"multipleOf\": 3}"), CTN_STR("1e999999999999999999999999"), CTN_E_LIMIT);
    ctn_buf_done(&text);
    ctn_buf_done(&value);
}

static void catastrophic_patterns_end_soon(void **state)
{
    (void) state;
    ctn_buf value;
    ctn_buf_init(&value, 64 << 20);
    ctn_buf_append_literal(&value, "\"");
    repeat(&value, "a", 5000);
    ctn_buf_append_literal(&value, "!\"");
    check_ends(CTN_STR("{\"pattern\": \"^(a+)+$\"}"), ctn_buf_str(&value), CTN_E_LIMIT);
    check_ends(CTN_STR("{\"pattern\": \"(a|a)*!!\"}"), ctn_buf_str(&value), CTN_E_LIMIT);
    check_ends(CTN_STR("{\"pattern\": \"((((a*)*)*)*)*!!\"}"), ctn_buf_str(&value), CTN_E_LIMIT);
    check_ends(CTN_STR("{\"pattern\": \"^[a-z]+!$\"}"), ctn_buf_str(&value), CTN_OK);
    /* each of many texts takes long, none of them too long */
    ctn_buf_clear(&value);
    ctn_buf_append_literal(&value, "[");
    for (int i = 0; i < 2000; i++)
        ctn_buf_printf(&value, "%s\"aaaaaaaaaaaaaaaaaaaaa!\"", i ? "," : "");
    ctn_buf_append_literal(&value, "]");
    check_ends(CTN_STR("{\"items\": {\"not\": {\"pattern\": \"^(a+)+$\"}}}"), ctn_buf_str(&value), CTN_E_LIMIT);
    /* a long ordinary text is no trouble */
    ctn_buf_clear(&value);
    ctn_buf_append_literal(&value, "\"");
    repeat(&value, "the quick brown fox ", 10000);
    ctn_buf_append_literal(&value, "dog\"");
    check_ends(CTN_STR("{\"pattern\": \"\\\\bdog\\\\b\"}"), ctn_buf_str(&value), CTN_OK);
    check_ends(CTN_STR("{\"pattern\": \"^(\\\\w+ )*dog$\"}"), ctn_buf_str(&value), CTN_OK);
    ctn_buf_done(&value);
    check_refused("{\"pattern\": \"((a{1000}){1000}){1000}\"}", CTN_E_INVALID, "/pattern", "not well-formed");
}

static void patterns_mean_what_ecma_says(void **state)
{
    (void) state;
    const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"^\\d+$", "\xD9\xA3", false},
        {"^\\s$", "\xC2\xA0", true},
        {"^\\S$", "\xC2\xA0", false},
        {"^[\\sx]+$", "x\xE2\x80\x83", true},
        {"^a$", "a\n", false},
        {"^.$", "\xF0\x9F\x8E\x89", true},
        {"^\\u00e9$", "\xC3\xA9", true},
        {"^\\u{1F389}$", "\xF0\x9F\x8E\x89", true},
        {"^\\p{Letter}$", "\xC3\xA9", true},
        {"^\\P{Lu}$", "A", false},
        {"^\\p{Script=Greek}$", "\xCE\xB1", true},
        {"[[]", "[", true},
        {"[[a]]", "[]", true},
        {"^[^]$", "\n", true},
        {"[]", "a", false},
        {"", "", true},
        {"b", "abc", true},
        {"^(?<y>\\d{4})-\\k<y>$", "2026-2026", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ctn_regex *regex = NULL;
        ctn_err err = {0};
        bool matches = !cases[i].matches, quick = matches;
        if (ctn_regex_compile(ctn_str_from(cases[i].pattern), &regex, &err))
            fail_msg("%s: %s", cases[i].pattern, err.message);
        assert_int_equal(ctn_regex_search(regex, ctn_str_from(cases[i].text), &matches, &err), CTN_OK);
        assert_int_equal(ctn_regex_search_quick(regex, ctn_str_from(cases[i].text), &quick), CTN_OK);
        if (matches != cases[i].matches || quick != matches)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
        ctn_regex_free(regex);
    }
    ctn_regex_free(NULL);
}

static void uris_resolve_as_the_rfc_says(void **state)
{
    (void) state;
    static const char *const CASES[][2] = {
        /* RFC 3986, section 5.4 */
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {";x", "http://a/b/c/;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"http:g", "http:g"},
    };
    ctn_arena *arena = ctn_arena_new(1024);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ctn_str got = ctn_uri_resolve(arena, CTN_STR("http://a/b/c/d;p?q"), ctn_str_from(CASES[i][0]));
        if (!ctn_str_is(got, CASES[i][1]))
            fail_msg("%s gives %.*s, not %s", CASES[i][0], CTN_STR_ARG(got), CASES[i][1]);
    }
    assert_true(ctn_str_is(ctn_uri_decode(arena, CTN_STR("a%22b%2")), "a\"b%2"));
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_misfit_says_where_what_was_expected_and_what_is_there),
        cmocka_unit_test(of_alternatives_the_one_that_got_furthest_speaks),
        cmocka_unit_test(a_long_value_is_described_and_not_quoted),
        cmocka_unit_test(a_broken_schema_is_refused_at_the_place),
        cmocka_unit_test(the_meta_schema_judges_schemas),
        cmocka_unit_test(numbers_are_compared_as_they_are_written),
        cmocka_unit_test(a_schema_that_runs_in_circles_is_stopped),
        cmocka_unit_test(a_schema_that_branches_is_stopped),
        cmocka_unit_test(depth_is_bounded_on_both_sides),
        cmocka_unit_test(huge_schemas_and_values_end_soon),
        cmocka_unit_test(catastrophic_patterns_end_soon),
        cmocka_unit_test(patterns_mean_what_ecma_says),
        cmocka_unit_test(uris_resolve_as_the_rfc_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
