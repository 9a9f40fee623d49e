/* Templates: which brace is a placeholder, what is inserted, and what is said when something is not there. */
#include <stdio.h>
#include <stdlib.h>
#include "support/cmocka.h"
#include "unit/kit/json_kit.h"
#include "value/template.h"

static const char scope_json[] =
    "{\"name\": \"Ann\", \"lead\": \"{name} {{x}} {secret.CRM}\", \"n\": 19.90, \"big\": 12345678901234567890, "
    "\"yes\": true,"
    "\"nothing\": null, \"empty\": [], \"trip\": {\"nights\": [3, 4], \"odd name\": \"o\", \"to\": \"Z\\u00fcrich\"},"
    "\"list\": [\"b\", \"a\", 2, null], \"hotels\": [{\"n\": \"x\", \"p\": 20.5}, {\"n\": \"y\", \"p\": 3}, {\"n\": "
    "\"z\"}],"
    "\"dots\": \"..\", \"dot\": \".\", \"encoded\": \"%2e.\", \"evil\": \"@evil.example/../?a=1#b\\\\c\","
    "\"day\": \"2026-02-28T23:30:00-02:00\", \"padded\": \"  a b  \", \"zero\": 0, \"blank\": \"\", \"at\": "
    "1795341600000,"
    "\"price\": -1234567.125, \"item\": {\"id\": 7}}";

#define BYTES_MAX 4096

/* The rendered value as JSON; a failed render as "FAILURE: sentence", a failed compile as "column N: sentence". */
static void check_compiled(const char *text, int (*compile)(ctn_arena *, ctn_str, ctn_template **, ctn_err *),
                           const char *expected)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_scope scope = json_scope(arena, scope_json);
    ctn_err err = {0};
    ctn_template *t = NULL;
    const ctn_json *value = NULL;
    ctn_str got;
    if (compile(arena, ctn_str_from(text), &t, &err)) {
        assert_int_equal(err.code, CTN_E_INVALID);
        assert_int_equal(err.line, 1);
        got = ctn_arena_printf(arena, "column %u: %s", err.column, err.message);
    } else {
        ctn_failure failure = ctn_template_render(t, &scope, arena, BYTES_MAX, &value, &err);
        got = failure ? ctn_arena_printf(arena, "%s: %s", ctn_failure_name(failure), err.message)
                      : ctn_json_to_str(arena, value);
    }
    if (!ctn_str_is(got, expected))
        fail_msg("%s\ngives %.*s\nnot   %s", text, CTN_STR_ARG(got), expected);
    ctn_arena_free(arena);
}

static void check(const char *text, const char *expected)
{
    check_compiled(text, ctn_template_compile, expected);
}

static void check_url(const char *text, const char *expected)
{
    check_compiled(text, ctn_template_compile_url, expected);
}

static void values_keep_their_kind_alone_and_their_spelling_in_text(void **state)
{
    (void) state;
    check("{n}", "19.90");
    check("{big}", "12345678901234567890");
    check("{yes}", "true");
    check("{trip.nights}", "[3,4]");
    check("{name}", "\"Ann\"");
    check(" {n}", "\" 19.90\"");
    check("Dear {name}, {n} {big} {yes} {trip.nights}!", "\"Dear Ann, 19.90 12345678901234567890 true [3,4]!\"");
    check("{trip}", "{\"nights\":[3,4],\"odd name\":\"o\",\"to\":\"Z\xc3\xbcrich\"}");
    check("x{trip.nights[1]}{trip.nights[-1]}{trip[\"odd name\"]}{trip['to']}", "\"x44oZ\xc3\xbcrich\"");
    check("", "\"\"");
    check("{now}", "\"2026-11-22T10:00:00.000Z\"");
    check("{item.id}", "7");
}

/* A lead is data: braces in it are never read as ours. */
static void what_a_value_contains_is_not_scanned_again(void **state)
{
    (void) state;
    check("{lead}", "\"{name} {{x}} {secret.CRM}\"");
    check("Raw lead: {lead}", "\"Raw lead: {name} {{x}} {secret.CRM}\"");
    check("{lead | upper}", "\"{NAME} {{X}} {SECRET.CRM}\"");
}

static void json_may_stand_in_a_template(void **state)
{
    (void) state;
    check("{\"a\": 1}", "\"{\\\"a\\\": 1}\"");
    check("{\"a\":{\"b\":{}}}", "\"{\\\"a\\\":{\\\"b\\\":{}}}\"");
    check("{\"a\": \"{name}\", \"b\": {n}}", "\"{\\\"a\\\": \\\"Ann\\\", \\\"b\\\": 19.90}\"");
    check("{\"a\":{\"b\":{n}}}", "\"{\\\"a\\\":{\\\"b\\\":19.90}}\"");
    check("{ name }", "\"{ name }\"");
    check("{}", "\"{}\"");
    check("{", "\"{\"");
    check("}", "\"}\"");
    check("}}", "\"}}\"");
    check("a}}b", "\"a}}b\"");
    check("{name", "\"{name\"");
    check("{name: 1}", "\"{name: 1}\"");
    check("{name,n}", "\"{name,n}\"");
    check("{1}", "\"{1}\"");
    check("{name.}", "\"{name.}\"");
    check("{name[}", "\"{name[}\"");
    check("{name[x]}", "\"{name[x]}\"");
    check("{name || n}", "\"{name || n}\"");
    check("{name | }", "\"{name | }\"");
    check("{name | upper", "\"{name | upper\"");
    check("{name | of the rose}", "\"{name | of the rose}\"");
    check("{name?!}", "\"{name?!}\"");
    check("{name }", "\"Ann\"");
    check("{name | upper }", "\"ANN\"");
}

static void doubled_braces_are_literal_ones(void **state)
{
    (void) state;
    check("{{name}}", "\"{name}\"");
    check("{{{name}}}", "\"{Ann}\"");
    check("{{\"a\": {n}}}", "\"{\\\"a\\\": 19.90}\"");
    check("{{a}}}", "\"{a}}\"");
    check("{{a}", "\"{a}\"");
    check("{{a}} {{b}} }}", "\"{a} {b} }}\"");
    check("{{{{a}}}}", "\"{{a}}\"");
    check("{{", "\"{\"");
}

static void a_missing_variable_names_the_nearest_one(void **state)
{
    (void) state;
    check("{nam}", "undefined_variable: {nam} is not defined: there is no variable 'nam'; did you mean 'name'?");
    check("x {qqqqqq}", "undefined_variable: {qqqqqq} is not defined: there is no variable 'qqqqqq'");
    check("{nothing}", "undefined_variable: {nothing} is null");
    check("{trip.night}",
          "undefined_variable: {trip.night} is not defined: trip has no 'night'; did you mean 'nights'?");
    check("{trip.nights[2]}",
          "undefined_variable: {trip.nights[2]} is not defined: trip.nights has 2 items, and none is [2]");
    check("{trip.nights[-3]}",
          "undefined_variable: {trip.nights[-3]} is not defined: trip.nights has 2 items, and none is [-3]");
    check("{trip.nights.x}", "undefined_variable: {trip.nights.x} is not defined: trip.nights is no object but array");
    check("{name[0]}", "undefined_variable: {name[0]} is not defined: name is no list but string");
    check("{nothing.a.b}", "undefined_variable: {nothing.a.b} is not defined: nothing is null");
    check("{empty | first}", "undefined_variable: {empty} is empty, and its filters give nothing");
    check("{nothing | upper}", "undefined_variable: {nothing} is null");
}

static void optional_ones_and_defaults_take_null(void **state)
{
    (void) state;
    check("{missing?}", "\"\"");
    check("a{missing?}b{nothing?}c{name?}", "\"abcAnn\"");
    check("{n?}", "19.90");
    check("{missing | default: 'x'}", "\"x\"");
    check("{missing | default('x')}", "\"x\"");
    check("{missing | default: 5}", "5");
    check("{missing | default: -1.50}", "-1.50");
    check("{missing|default:[1, 'a', [true]]}", "[1,\"a\",[true]]");
    check("{missing | default: null}", "null");
    check("{name | default: 'x'}", "\"Ann\"");
    check("{blank | default: 'x'}", "\"\"");
    check("{missing | upper | default: 'x' | json}", "\"\\\"x\\\"\"");
    check("{missing.a[0] | default: 'it\\'s \\u00e9'}", "\"it's \xc3\xa9\"");
    check("{empty | first | default: '}'}", "\"}\"");
}

static void filters_do_what_their_names_say(void **state)
{
    (void) state;
    check("{name | json}", "\"\\\"Ann\\\"\"");
    check("{trip.nights | json}", "\"[3,4]\"");
    check("{trip.to | upper}", "\"Z\xc3\x9cRICH\"");
    check("{trip.to | upper | lower}", "\"z\xc3\xbcrich\"");
    check("[{padded | trim}]", "\"[a b]\"");
    check("{trip.to | length}", "6");
    check("{list | length}", "4");
    check("{trip | length}", "3");
    check("{list | first}", "\"b\"");
    check("{trip.nights | last}", "4");
    check("{trip.to | first}{trip.to | last}", "\"Zh\"");
    check("{list | join}", "\"b, a, 2, \"");
    check("{list | join('/')}", "\"b/a/2/\"");
    check("{day | date}", "\"2026-03-01\"");
    check("{day | date: '%d.%m.%Y %H:%M'}", "\"01.03.2026 01:30\"");
    check("{day | date: 'D MMMM YYYY [at] HH:mm'}", "\"1 March 2026 at 01:30\"");
    check("{at | date('%A, %e %b %Y')}", "\"Sunday, 22 Nov 2026\"");
    check("{n | money: 'EUR'}", "\"EUR 19.90\"");
    check("{n | money('$')}", "\"$19.90\"");
    check("{price | money: 'USD'}", "\"-USD 1,234,567.12\"");
    check("{price | money: 'JPY'}", "\"-JPY 1,234,567\"");
    check("{price | money: 'KWD'}", "\"-KWD 1,234,567.125\"");
    check("{zero | money}", "\"0.00\"");
    check("{trip.to | url}", "\"Z%C3%BCrich\"");
    check("https://x/?q={lead | url}", "\"https://x/?q=%7Bname%7D%20%7B%7Bx%7D%7D%20%7Bsecret.CRM%7D\"");
    check("{price | round: 2}", "-1234567.12");
    check("{price | round}", "-1234567");
    check("{price | round: -3}", "-1235000");
    check("{list | sort}", "[2,\"a\",\"b\",null]");
    check("{hotels | sort: 'p' | pick: 'n'}", "[{\"n\":\"y\"},{\"n\":\"x\"},{\"n\":\"z\"}]");
    check("{trip | pick(['to', 'nights', 'none'])}", "{\"to\":\"Z\xc3\xbcrich\",\"nights\":[3,4]}");
}

static void filters_refuse_what_they_cannot_take(void **state)
{
    (void) state;
    check("{n | upper}", "invalid_input: {n}: filter 'upper' takes a string, not number");
    check("{name | join}", "invalid_input: {name}: filter 'join' takes a list, not string");
    check("{name | date}", "invalid_input: {name}: filter 'date' takes a date (2026-11-22), an RFC 3339 time or "
                           "milliseconds since 1970, not string");
    check("{name | money: 'EUR'}", "invalid_input: {name}: filter 'money' takes a number, not string");
    check("{list | pick: 'a'}", "invalid_input: {list}: filter 'pick' takes objects, and item 0 is string");
    check("{zero | length}", "invalid_input: {zero}: filter 'length' takes a string, a list or an object, not number");
}

static void what_was_meant_as_a_filter_is_no_text(void **state)
{
    (void) state;
    check("ab {name | uper}", "column 12: unknown filter 'uper'; did you mean 'upper'?");
    check("{name | frobnicate('x')}",
          "column 9: unknown filter 'frobnicate'; filters are default json upper lower trim length first "
          "last join date money url round sort pick");
    check("{name | default}", "column 9: filter 'default' needs an argument: default: 'text'");
    check("{name | default: x}", "column 18: 'x' is no literal; text stands in quotes: 'x'");
    check("{name | default: 'x}", "column 18: this quote is never closed");
    check("{name | upper: 1}", "column 9: filter 'upper' takes no argument");
    check("{name | round: 'a'}", "column 9: filter 'round' takes a whole number from -100 to 100");
    check("{name | upper x}",
          "column 15: expected '|' or '}' after filter 'upper'; an argument is written upper: 'x' or upper('x')");
    check("{name | join(1}", "column 15: expected ')' after the filter's argument");
    check("{name | date: '%Q'}",
          "column 9: '%Q' is no conversion of a date; known are %Y %m %d %e %H %I %M %S %p %j %a %A %b %B %F %T");
}

static void a_rendered_text_is_bounded(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_scope scope = json_scope(arena, scope_json);
    static const char *const texts[] = {"{name}{name}", "1234567", "{trip}", "{lead | url}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ctn_template *t = NULL;
        ctn_err err = {0};
        const ctn_json *value = NULL;
        assert_int_equal(ctn_template_compile(arena, ctn_str_from(texts[i]), &t, &err), CTN_OK);
        assert_int_equal(ctn_template_render(t, &scope, arena, 5, &value, &err), CTN_FAILURE_LIMIT);
        assert_null(value);
        assert_holds(err.message, "5 bytes allowed");
    }
    ctn_arena_free(arena);
}

static void reads_tell_name_place_and_whether_null_will_do(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_template *t = NULL;
    ctn_reads reads = {0};
    assert_int_equal(
        ctn_template_compile(arena, CTN_STR("{{a}} {trip.to} {x?} {y | upper | default: 'z'} {n | round}"), &t, NULL),
        CTN_OK);
    ctn_template_reads(t, arena, &reads);
    assert_int_equal(reads.count, 4);
    assert_true(ctn_str_is(reads.items[0].root, "trip"));
    assert_true(ctn_str_is(reads.items[0].path, "trip.to"));
    assert_int_equal(reads.items[0].offset, 7);
    assert_false(reads.items[0].is_optional);
    assert_true(ctn_str_is(reads.items[1].path, "x"));
    assert_true(reads.items[1].is_optional);
    assert_true(reads.items[2].is_optional);
    assert_int_equal(reads.items[2].offset, 22);
    assert_false(reads.items[3].is_optional);
    ctn_arena_free(arena);
}

/* ---- trees ---- */

static void check_tree(const char *json, const char *expected)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_scope scope = json_scope(arena, scope_json);
    const ctn_json *source = NULL, *bad_node = NULL, *value = NULL;
    ctn_err err = {0};
    ctn_tree *tree = NULL;
    ctn_str got;
    source = json_of(arena, ctn_str_from(json));
    if (ctn_tree_compile(arena, source, &tree, &bad_node, &err)) {
        got = ctn_arena_printf(arena, "%.*s: column %u: %s", CTN_STR_ARG(ctn_json_text(bad_node)), err.column,
                               err.message);
    } else {
        ctn_failure failure = ctn_tree_render(tree, &scope, arena, BYTES_MAX, &value, &err);
        got = failure ? ctn_arena_printf(arena, "%s: %s", ctn_failure_name(failure), err.message)
                      : ctn_json_to_str(arena, value);
    }
    if (!ctn_str_is(got, expected))
        fail_msg("%s\ngives %.*s\nnot   %s", json, CTN_STR_ARG(got), expected);
    ctn_arena_free(arena);
}

static void a_tree_renders_its_strings_and_leaves_out_missing_members(void **state)
{
    (void) state;
    check_tree("{\"a\": \"{n}\", \"b\": [\"{name}\", 1, null, {\"c\": \"x{n}\"}], \"{name}\": true}",
               "{\"a\":19.90,\"b\":[\"Ann\",1,null,{\"c\":\"x19.90\"}],\"{name}\":true}");
    check_tree("{\"a\": \"{missing?}\", \"b\": \"x{missing?}\", \"c\": [\"{missing?}\"], \"d\": \"{n?}\"}",
               "{\"b\":\"x\",\"c\":[\"\"],\"d\":19.90}");
    check_tree("{\"a\": {\"b\": \"{missing?}\"}}", "{\"a\":{}}");
    check_tree("\"{missing?}\"", "\"\"");
    check_tree("\"{trip.nights}\"", "[3,4]");
    check_tree("{\"a\": [1, {\"b\": \"{{x}}\"}], \"c\": 1.50}", "{\"a\":[1,{\"b\":\"{x}\"}],\"c\":1.50}");
    check_tree("{\"a\": \"{missing | default: null}\"}", "{\"a\":null}");
    check_tree("42", "42");
    check_tree("{}", "{}");
}

static void a_tree_says_where_it_went_wrong(void **state)
{
    (void) state;
    check_tree("{\"a\": [1, \"{nam}\"]}",
               "undefined_variable: a: [1]: {nam} is not defined: there is no variable 'nam'; did you mean 'name'?");
    check_tree("{\"a\": {\"b\": \"x {n | uper}\"}}",
               "x {n | uper}: column 8: unknown filter 'uper'; did you mean 'upper'?");
}

static void a_tree_is_bounded_as_a_whole(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_scope scope = json_scope(arena, scope_json);
    const ctn_json *source = NULL, *value = NULL;
    ctn_tree *tree = NULL;
    ctn_err err = {0};
    source = json_of(arena, CTN_STR("[\"{name}\",\"{name}\",\"{name}\"]"));
    assert_int_equal(ctn_tree_compile(arena, source, &tree, NULL, NULL), CTN_OK);
    assert_int_equal(ctn_tree_render(tree, &scope, arena, 15, &value, &err), CTN_FAILURE_NONE);
    assert_int_equal(ctn_tree_render(tree, &scope, arena, 14, &value, &err), CTN_FAILURE_LIMIT);
    ctn_arena_free(arena);
}

static void a_tree_tells_the_string_of_each_read(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_tree *tree = NULL;
    ctn_buf seen;
    ctn_buf_init(&seen, 1000);
    const ctn_json *source =
        json_of(arena, CTN_STR("{\"a\": [\"x{b.c}\", 1], \"d\": {\"e\": \"{f?}{g}\"}, \"h\": \"no\"}"));
    assert_int_equal(ctn_tree_compile(arena, source, &tree, NULL, NULL), CTN_OK);
    ctn_reads reads = {0};
    ctn_tree_reads(tree, arena, &reads);
    for (size_t i = 0; i < reads.count; i++) {
        const ctn_read *read = &reads.items[i];
        ctn_buf_printf(&seen, "%.*s@%u in %.*s%s;", CTN_STR_ARG(read->path), read->offset,
                       CTN_STR_ARG(ctn_json_text(read->node)), read->is_optional ? " optional" : "");
    }
    assert_true(ctn_str_is(ctn_buf_str(&seen), "b.c@2 in x{b.c};f@1 in {f?}{g} optional;g@5 in {f?}{g};"));
    ctn_buf_done(&seen);
    ctn_arena_free(arena);
}

/* ---- URLs ---- */

static void in_a_url_a_value_stays_where_it_stands(void **state)
{
    (void) state;
    check_url("https://h/a/{evil}/b", "\"https://h/a/%40evil.example%2F..%2F%3Fa%3D1%23b%5Cc/b\"");
    check_url("https://h?q={evil}", "\"https://h?q=%40evil.example%2F..%2F%3Fa%3D1%23b%5Cc\"");
    check_url("https://h/{n}", "\"https://h/19.90\"");
    check_url("https://h/?l={trip.nights}&y={yes}", "\"https://h/?l=%5B3%2C4%5D&y=true\"");
    check_url("https://h/{trip.to}", "\"https://h/Z%C3%BCrich\"");
    check_url("https://h/{trip.to | url}", "\"https://h/Z%C3%BCrich\""); /* once is enough */
    check_url("https://h/{trip.to | url | lower}", "\"https://h/z%25c3%25bcrich\"");
    check_url("https://h/{{x}}", "\"https://h/{x}\"");
    check_url("https://h", "\"https://h\"");
}

static void a_value_that_would_lead_elsewhere_is_refused(void **state)
{
    (void) state;
    static const char DOTS[] = "invalid_input: the path of the URL would hold a segment of dots only ('.' or '..'), "
                               "which leads elsewhere";
    check_url("https://h/{dots}/x", DOTS);
    check_url("https://h/a/{dot}", DOTS);
    check_url("https://h/.{dot}?a", DOTS);
    check_url("https://h/%2E{dot}", DOTS);
    check_url("https://h/{dots}{dots}", "\"https://h/....\"");
    check_url("https://h/{encoded}", "\"https://h/%252e.\"");
    check_url("https://h/?a={dots}/..", "\"https://h/?a=../..\"");
    check_url("https://h/a/{blank}/x",
              "invalid_input: {blank} is empty, and the path would be another one; {blank?} would allow it");
    check_url("https://h/a/{blank?}", "\"https://h/a/\"");
    check_url("https://h/?a={blank}", "\"https://h/?a=\"");
    check_url("https://h/{list}", "invalid_input: {list} is of kind array, which has no place in a path");
    check_url("https://h/a/../b",
              "column 1: the path of the URL would hold a segment of dots only ('.' or '..'), which leads elsewhere");
}

static void who_is_called_is_written_out(void **state)
{
    (void) state;
    static const char HOST[] = "the host of a URL is written out: which one is called does not depend on data (a "
                               "{secret.NAME} may hold the beginning of the URL)";
    static const struct {
        const char *url;
        int column;
    } cases[] = {{"https://{name}/", 10},  {"https://{name}", 10},        {"https://h{name}.example.com/x", 11},
                 {"https://h:{n}/", 12},   {"https://user{name}@h/", 14}, {"https://{secret.H}/", 10},
                 {"https:///{name}/", 11}, {"https://?{name}", 11}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[300];
        (void) snprintf(expected, sizeof expected, "column %d: %s", cases[i].column, HOST);
        check_url(cases[i].url, expected);
    }
    static const char BEGINS[] =
        "column 1: a URL begins with https://HOST, written out: what is called does not depend "
        "on data (a {secret.NAME} may hold its beginning)";
    check_url("{name}", BEGINS);
    check_url("{name}/x", BEGINS);
    check_url("HTTPS://h/", BEGINS);
    check_url("file:///etc/passwd", BEGINS);
    check_url("//h/x", BEGINS);
    check_url("https:///h/x", "column 1: the URL names no host");
    check_url("https://h/x#y", "column 1: the part of a URL behind '#' is never sent: leave it out, or write %23");
    check_url("{secret.BASE}.evil.example/",
              "column 2: after a secret that is the beginning of the URL comes a '/' or '?'");
    check_url("{secret.BASE}{name}", "column 2: after a secret that is the beginning of the URL comes a '/' or '?'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_kind_alone_and_their_spelling_in_text),
        cmocka_unit_test(what_a_value_contains_is_not_scanned_again),
        cmocka_unit_test(json_may_stand_in_a_template),
        cmocka_unit_test(doubled_braces_are_literal_ones),
        cmocka_unit_test(a_missing_variable_names_the_nearest_one),
        cmocka_unit_test(optional_ones_and_defaults_take_null),
        cmocka_unit_test(filters_do_what_their_names_say),
        cmocka_unit_test(filters_refuse_what_they_cannot_take),
        cmocka_unit_test(what_was_meant_as_a_filter_is_no_text),
        cmocka_unit_test(a_rendered_text_is_bounded),
        cmocka_unit_test(reads_tell_name_place_and_whether_null_will_do),
        cmocka_unit_test(a_tree_renders_its_strings_and_leaves_out_missing_members),
        cmocka_unit_test(a_tree_says_where_it_went_wrong),
        cmocka_unit_test(a_tree_is_bounded_as_a_whole),
        cmocka_unit_test(a_tree_tells_the_string_of_each_read),
        cmocka_unit_test(in_a_url_a_value_stays_where_it_stands),
        cmocka_unit_test(a_value_that_would_lead_elsewhere_is_refused),
        cmocka_unit_test(who_is_called_is_written_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
