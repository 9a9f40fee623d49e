/* What a transform's program may not say, and what only looks like it. */
#include "support/cmocka.h"
#include "value/transform_check.h"

static void refused(const char *program, const char *word, uint32_t column)
{
    ctn_err err = {0};
    int rc = ctn_transform_check(ctn_str_from(program), &err);
    if (rc != CTN_E_INVALID || ctn_str_find(ctn_str_from(err.message), ctn_str_from(word)) == SIZE_MAX ||
        err.column != column)
        fail_msg("%s\ngives %d at %u: %s\nnot a word about %s at %u", program, rc, err.column, err.message, word,
                 column);
}

static void accepted(const char *program)
{
    ctn_err err = {0};
    if (ctn_transform_check(ctn_str_from(program), &err))
        fail_msg("%s\nis refused at %u: %s", program, err.column, err.message);
}

static void a_call_that_reaches_out_is_refused_where_it_stands(void **state)
{
    (void) state;
    refused("now", "'now'", 1);
    refused(".a + now", "'now'", 6);
    refused("[.[] | {a: now}]", "'now'", 12);
    refused("env.PATH", "'env'", 1);
    refused("$ENV.PATH", "'$ENV'", 1);
    refused("$__prog_args", "'$__prog_args'", 1);
    refused("[inputs]", "'inputs'", 2);
    refused("input", "'input'", 1);
    refused("., debug", "'debug'", 4);
    refused("stderr", "'stderr'", 1);
    refused("input_line_number", "'input_line_number'", 1);
    refused("input_filename", "'input_filename'", 1);
    refused("halt_error(1)", "'halt_error'", 1);
    refused("halt", "'halt'", 1);
    refused("import \"a\" as a; a::f", "'import'", 1);
    refused("include \"a\"; f", "'include'", 1);
    refused("\"a\" | modulemeta", "'modulemeta'", 7);
    refused("0 | localtime", "'localtime'", 5);
    refused("0 | strflocaltime(\"%H\")", "'strflocaltime'", 5);
    refused("get_search_list", "'get_search_list'", 1);
}

static void a_call_is_found_wherever_jq_would_find_it(void **state)
{
    (void) state;
    refused("\"at \\(now)\"", "'now'", 7);
    refused("\"a\\(\"b\\(now)\")\"", "'now'", 9);
    refused("\"\\\\\\(now)\"", "'now'", 6); /* a backslash, then an expression */
    refused("@json \"x\\(now)\"", "'now'", 11);
    refused(".\"\\(now)\"", "'now'", 5);
    refused("{(now): 1}", "'now'", 3);
    refused("{a: 1, b: now}", "'now'", 11);
    refused("{a: [1, now]}", "'now'", 9); /* the comma is the list's */
    refused("{a: (1, now)}", "'now'", 9);
    refused("{\"\\(now)\": 1}", "'now'", 5);
    refused("{a: {b: 1}, c: now}", "'now'", 16);
    refused("{a: 1 | now}", "'now'", 9);
    refused("..now", "'now'", 3);
    refused(". now", "'now'", 3);
    refused("# a comment\nnow", "'now'", 13);
    refused("1now", "'now'", 2);
    refused("def f: now; f", "'now'", 8);
    refused("def f(now): 1; f(2)", "'now'", 7);
    refused("\"a\" now", "'now'", 5);
    refused("$ ENV", "'$ENV'", 2);
    refused("$#c\nENV", "'$ENV'", 4);
    refused("[.a,now]", "'now'", 5);
    refused("if now then 1 else 2 end", "'now'", 4);
    refused("?now", "'now'", 2);
    refused("{a:1}|{b},now", "'now'", 11);
    refused(".[now]", "'now'", 3);
    refused("{$ENV}", "'$ENV'", 2);
    refused("{a: if 1, now then 2 else 3 end}", "'now'", 11); /* an object's value in later jq */
}

static void what_only_looks_like_such_a_call_is_accepted(void **state)
{
    (void) state;
    accepted(".now");
    accepted(".now.env.input");
    accepted("{now: 1, env: 2, \"input\": 3}");
    accepted("{now}");
    accepted("{a, now, input}");
    accepted("{ # a comment\n now: 1}");
    accepted("{a: {now: 1}, debug: 2}");
    accepted(". as $now | $now");
    accepted(". as {now: $n, env: [$e]} | $n");
    accepted("{$now}");
    accepted("{a: if 1 then 2 else 3 end, now: 4}");
    accepted("\"now\"");
    accepted("\"\\\\(now)\""); /* an escaped backslash, then text */
    accepted("\"a \\\" now\"");
    accepted("\"now \\(1) now\"");
    accepted("1 # now");
    accepted("nowhere, snow, now_, inputs2, environment");
    accepted("@now");
    accepted(".[\"now\"]");
    accepted(".\"now\"");
    accepted("{total: ([.items[].price] | add)}");
    accepted("$__loc__");
    accepted("mktime, gmtime, todate, strptime(\"%Y\")");
    accepted("");
    accepted(")]}now2"); /* no jq, and jq will say so */
    accepted("\"has no end now");
}

static void a_program_is_bounded(void **state)
{
    (void) state;
    static char text[CTN_TRANSFORM_BYTES_MAX + 1];
    memset(text, '.', sizeof text);
    ctn_err err = {0};
    assert_int_equal(ctn_transform_check((ctn_str){text, sizeof text - 1}, &err), CTN_OK);
    assert_int_equal(ctn_transform_check((ctn_str){text, sizeof text}, &err), CTN_E_LIMIT);
    memset(text, '[', 201);
    assert_int_equal(ctn_transform_check((ctn_str){text, 200}, &err), CTN_OK);
    assert_int_equal(ctn_transform_check((ctn_str){text, 201}, &err), CTN_E_LIMIT);
    assert_int_equal(err.column, 201 + 1);
    assert_int_equal(ctn_transform_check((ctn_str){".\0now", 5}, &err), CTN_E_INVALID);
    assert_int_equal(err.column, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_reaches_out_is_refused_where_it_stands),
        cmocka_unit_test(a_call_is_found_wherever_jq_would_find_it),
        cmocka_unit_test(what_only_looks_like_such_a_call_is_accepted),
        cmocka_unit_test(a_program_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
