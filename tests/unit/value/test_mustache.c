/* Documents: the official Mustache suite, and what is ours: front matter, escaping, bounds, sentences. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "support/shared_data.h"
#include "unit/kit/json_kit.h"
#include "value/mustache.h"

static ctn_str partial_of(void *ctx, ctn_str name)
{
    const ctn_json *partials = ctx;
    const ctn_json *text = ctn_json_get(partials, name);
    if (!text)
        return (ctn_str){0};
    return text->count ? ctn_json_text(text) : CTN_STR("");
}

/* ---- the official suite ---- */

static bool passes(const ctn_json *test)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str data = ctn_json_to_str(arena, ctn_json_member_of(test, "data"));
    ctn_scope scope = json_scope(arena, ctn_arena_str(arena, data).ptr);
    ctn_mustache_options options = {
        .partial = partial_of, .partial_ctx = (void *) ctn_json_member_of(test, "partials"), .always_escape = true};
    ctn_str expected = ctn_json_str_or(test, "expected", CTN_STR("?"));
    ctn_mustache *m = NULL;
    ctn_err err = {0};
    ctn_buf out;
    ctn_buf_init(&out, 1 << 16);
    int rc = ctn_mustache_compile(arena, ctn_json_str_or(test, "template", CTN_STR("")), &options, &m, &err);
    if (rc == CTN_OK)
        rc = (int) ctn_mustache_render(m, &scope, &out, &err);
    bool is_equal = rc == CTN_OK && ctn_str_equal(ctn_buf_str(&out), expected);
    if (!is_equal) {
        ctn_str got = ctn_arena_printf(arena, "%.*s", CTN_STR_ARG(ctn_buf_str(&out)));
        print_error("%.*s: %.*s\nexpected <%.*s>\ngot      <%.*s> %s\n",
                    CTN_STR_ARG(ctn_json_str_or(test, "name", CTN_STR(""))),
                    CTN_STR_ARG(ctn_json_str_or(test, "template", CTN_STR(""))), CTN_STR_ARG(expected),
                    CTN_STR_ARG(got), err.message);
    }
    ctn_buf_done(&out);
    ctn_arena_free(arena);
    return is_equal;
}

static void the_official_suite_passes(void **state)
{
    (void) state;
    static const struct {
        const char *file;
        size_t cases; /* that it has today; fewer would mean that we look at the wrong file */
    } files[] = {{"comments", 12}, {"delimiters", 14}, {"interpolation", 42}, {"inverted", 22},
                 {"partials", 12}, {"sections", 34},   {"~inheritance", 27},  {"~dynamic-names", 21}};
    size_t cases = 0, passed = 0;
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        char path[1024], name[64];
        snprintf(name, sizeof name, "mustache-spec/%s.json", files[f].file);
        if (!ctn_shared_data(name, path, sizeof path)) {
            ctn_buf_done(&text);
            skip();
        }
        assert_true(ctn_read_file(path, &text));
        ctn_arena *arena = ctn_arena_new(4096);
        const ctn_json *suite = json_of(arena, ctn_buf_str(&text));
        const ctn_json *tests = ctn_json_member_of(suite, "tests");
        assert_true(ctn_json_count(tests) >= files[f].cases);
        for (size_t i = 0; i < ctn_json_count(tests); i++, cases++)
            passed += passes(ctn_json_at(tests, i));
        ctn_arena_free(arena);
    }
    ctn_buf_done(&text);
    print_message("mustache-spec: %zu cases, %zu passed\n", cases, passed);
    assert_int_equal(passed, cases);
}

/* ---- ours ---- */

static const char scope_json[] =
    "{\"name\": \"<Ann & 'Bob'>\", \"n\": 19.90, \"trip\": {\"to\": \"Rome\", \"stops\": [\"a\", \"b\"]}, \"zero\": 0, "
    "\"blank\": \"\","
    "\"object\": {}, \"lead\": \"{{name}} {{>x}}\", \"big\": 12345678901234567890, \"kind\": \"loop\"}";

/* The text, or "FAILURE: sentence", or "line:column: sentence". */
static void check_limit(const char *text, const char *partials, size_t limit, const char *expected)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_scope scope = json_scope(arena, scope_json);
    const ctn_json *parts = json_of(arena, ctn_str_from(partials));
    ctn_mustache_options options = {.partial = partial_of, .partial_ctx = (void *) parts};
    ctn_mustache *m = NULL;
    ctn_err err = {0};
    ctn_buf out;
    ctn_buf_init(&out, limit);
    ctn_str got;
    if (ctn_mustache_compile(arena, ctn_str_from(text), &options, &m, &err)) {
        got = ctn_arena_printf(arena, "%u:%u: %s", err.line, err.column, err.message);
    } else {
        ctn_failure failure = ctn_mustache_render(m, &scope, &out, &err);
        got = failure ? ctn_arena_printf(arena, "%s: %s", ctn_failure_name(failure), err.message) : ctn_buf_str(&out);
    }
    if (!ctn_str_is(got, expected))
        fail_msg("%s\ngives %.*s\nnot   %s", text, CTN_STR_ARG(got), expected);
    ctn_buf_done(&out);
    ctn_arena_free(arena);
}

static void check(const char *text, const char *expected)
{
    check_limit(text, "{}", 1 << 16, expected);
}

static void only_html_is_escaped(void **state)
{
    (void) state;
    check("{{name}} {{{name}}}", "<Ann & 'Bob'> <Ann & 'Bob'>");
    check("---\ncontentType: text/markdown\n---\n{{name}}", "<Ann & 'Bob'>");
    check("---\ncontentType: text/html\n---\n{{name}} {{&name}}", "&lt;Ann &amp; &#39;Bob&#39;&gt; <Ann & 'Bob'>");
    check("---\r\ncontentType: \"Text/HTML; charset=utf-8\"\r\n---\r\n{{name}}", "&lt;Ann &amp; &#39;Bob&#39;&gt;");
    check("---\ncontentType: application/xhtml+xml\n---\n{{trip}}",
          "{&quot;to&quot;:&quot;Rome&quot;,&quot;stops&quot;:[&quot;a&quot;,&quot;b&quot;]}");
}

static void values_are_text_and_never_templates(void **state)
{
    (void) state;
    check("{{lead}}", "{{name}} {{>x}}");
    check("{{n}} {{big}} {{trip.stops}} {{trip.stops.1}}{{trip.stops.2}}",
          "19.90 12345678901234567890 [\"a\",\"b\"] b");
    check("{{#zero}}x{{/zero}}{{#blank}}x{{/blank}}{{#object}}o{{/object}}{{^zero}}z{{/zero}}", "oz");
    check("{{missing}}{{missing.a.b}}", "");
}

static void front_matter_is_told_and_checked(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_mustache *m = NULL;
    assert_int_equal(ctn_mustache_compile(
                         arena,
                         CTN_STR("---\n# what it is\ncontentType: text/html\n\nvariable: proposal_document\n---\nx"),
                         NULL, &m, NULL),
                     CTN_OK);
    assert_true(ctn_str_is(ctn_mustache_content_type(m), "text/html"));
    assert_true(ctn_str_is(ctn_mustache_variable(m), "proposal_document"));
    assert_int_equal(ctn_mustache_compile(arena, CTN_STR("x"), NULL, &m, NULL), CTN_OK);
    assert_true(ctn_str_is(ctn_mustache_content_type(m), "text/plain"));
    assert_int_equal(ctn_mustache_variable(m).len, 0);
    ctn_arena_free(arena);
    check("---\nvariable: a\n---", "");
    check("---\nvariable: a\n", "1:1: front matter: it begins with --- and never ends with a line of ---");
    check("---\ncontenttype: a\n---\n", "2:1: front matter: unknown key 'contenttype'; did you mean contentType");
    check("---\nauthor: a\n---\n", "2:1: front matter: unknown key 'author'; known are contentType and variable");
    check("---\nvariable: a\nvariable: b\n---\n", "3:1: front matter: 'variable' is given twice");
    check("---\nvariable:\n---\n", "2:1: front matter: 'variable' has no value");
    check("---\nvariable: a b\n---\n",
          "2:1: front matter: variable is a name: a letter or _, then letters, digits and _");
    check("---\nhello\n---\n", "2:1: front matter: a line is 'key: value'; it ends with a line of ---");
    check("a\n---\nb", "a\n---\nb");
}

static void mistakes_are_placed(void **state)
{
    (void) state;
    check("a\nb {{#x}}\nc", "2:3: 'x' is opened here and never closed; write {{/x}}");
    check("{{#x}}{{#y}}{{/x}}{{/y}}", "1:13: {{/x}} stands where {{/y}} must come first");
    check("---\nvariable: v\n---\n\n{{/x}}", "5:1: {{/x}} closes what was never opened");
    check("a {{x", "1:3: this tag is never closed");
    check("a {{{x}}", "1:3: this tag is never closed");
    check("a {{}} b", "1:3: this tag has no name");
    check("a {{> * }} b", "1:3: this tag has no name");
    check("{{=<% =}}", "1:1: new delimiters are two words without '=', as in {{=<% %>=}}");
    check("{{=a b c=}}", "1:1: new delimiters are two words without '=', as in {{=<% %>=}}");
    check_limit("{{>p}}", "{\"p\": \"\\n {{#x}}\"}", 100,
                "2:2: partial 'p': 'x' is opened here and never closed; write {{/x}}");
    check_limit("{{>*kind}}", "{\"loop\": \"{{#x}}\"}", 100,
                "invalid_input: partial 'loop': 'x' is opened here and never closed; write {{/x}}");
}

static void rendering_is_bounded(void **state)
{
    (void) state;
    check_limit("{{name}}{{name}}", "{}", 20, "limit: the document has more than the 20 bytes allowed");
    check_limit("{{trip}}", "{}", 20, "limit: the document has more than the 20 bytes allowed");
    check_limit("{{>loop}}", "{\"loop\": \"{{>loop}}\"}", 100,
                "limit: sections and partials are nested more than 200 deep");
    check_limit("{{>*kind}}", "{\"loop\": \"{{>*kind}}\"}", 100,
                "limit: sections and partials are nested more than 200 deep");
    check_limit("{{<loop}}{{$a}}{{$a}}x{{/a}}{{/a}}{{/loop}}", "{\"loop\": \"{{$a}}y{{/a}}\"}", 100, "x");
    ctn_buf partials;
    ctn_buf_init(&partials, 1 << 16);
    ctn_buf_append_literal(&partials, "{");
    for (int i = 0; i < 60; i++)
        ctn_buf_printf(&partials, "%s\"p%d\": \"{{>p%d}}{{>p%d}}\"", i ? "," : "", i, i + 1, i + 1);
    ctn_buf_append(&partials, (ctn_str){"}", 2});
    check_limit("{{>p0}}", partials.data, 100, "limit: the document needs more than 1000000 steps");
    ctn_buf_done(&partials);
    check_limit("{{#trip.stops}}{{>p}}{{/trip.stops}}", "{\"p\": \"{{#trip.stops}}{{>p}}{{/trip.stops}}\"}", 100,
                "limit: sections and partials are nested more than 200 deep");
    ctn_buf loops;
    ctn_buf_init(&loops, 1 << 16);
    for (int i = 0; i < 40; i++)
        ctn_buf_append_literal(&loops, "{{#trip.stops}}");
    for (int i = 0; i < 40; i++)
        ctn_buf_append_literal(&loops, "{{/trip.stops}}");
    ctn_buf_append_char(&loops, '\0');
    check_limit(loops.data, "{}", 100, "limit: the document needs more than 1000000 steps");
    ctn_buf_done(&loops);
    ctn_buf deep;
    ctn_buf_init(&deep, 1 << 16);
    for (int i = 0; i < 65; i++)
        ctn_buf_append_literal(&deep, "{{<a}}{{$b}}");
    ctn_buf_append_char(&deep, '\0');
    check(deep.data, "1:385: sections are nested more than 64 deep at 'a'");
    ctn_buf_done(&deep);
}

static void nested_arguments_parse_in_reasonable_time(void **state)
{
    (void) state;
    ctn_buf deep;
    ctn_buf_init(&deep, 1 << 16);
    for (int i = 0; i < 32; i++)
        ctn_buf_append_literal(&deep, "{{<a}}{{$b}}");
    ctn_buf_append_literal(&deep, "x");
    for (int i = 0; i < 32; i++)
        ctn_buf_append_literal(&deep, "{{/b}}{{/a}}");
    ctn_buf_append_char(&deep, '\0');
    check_limit(deep.data, "{\"a\": \"[{{$b}}{{/b}}]\"}", 1000,
                "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    ctn_buf_done(&deep);
}

static void reads_tell_the_names_outside(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_json *parts = json_of(arena, CTN_STR("{\"p\": \"{{inner}}{{>p}}\"}"));
    ctn_mustache_options options = {.partial = partial_of, .partial_ctx = (void *) parts};
    ctn_mustache *m = NULL;
    ctn_reads reads = {0};
    assert_int_equal(ctn_mustache_compile(
                         arena, CTN_STR("---\nvariable: v\n---\n{{a.b}}{{#c}}{{.}}{{&d}}{{/c}}{{>p}}{{>*e}}{{! f }}"),
                         &options, &m, NULL),
                     CTN_OK);
    ctn_mustache_reads(m, arena, &reads);
    static const char *const paths[] = {"a.b", "c", "d", "e", "inner"};
    assert_int_equal(reads.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(ctn_str_is(reads.items[i].path, paths[i]));
        assert_true(reads.items[i].is_optional);
    }
    assert_true(ctn_str_is(reads.items[0].root, "a"));
    assert_int_equal(reads.items[0].offset, 20);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_official_suite_passes),
        cmocka_unit_test(only_html_is_escaped),
        cmocka_unit_test(values_are_text_and_never_templates),
        cmocka_unit_test(front_matter_is_told_and_checked),
        cmocka_unit_test(mistakes_are_placed),
        cmocka_unit_test(rendering_is_bounded),
        cmocka_unit_test(nested_arguments_parse_in_reasonable_time),
        cmocka_unit_test(reads_tell_the_names_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
