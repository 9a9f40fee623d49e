/* Expressions: what they mean, what they refuse and where, and that nobody can make one run long. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "unit/kit/json_kit.h"
#include "value/expression.h"

static const char scope_json[] =
    "{\"validation_status\": \"incomplete\", \"name\": \"Ann\", \"n\": 19.90, \"big\": 9007199254740993, \"yes\": true, \"no\": false,"
    "\"nothing\": null, \"empty\": [], \"trip\": {\"nights\": 3, \"odd name\": 1, \"to\": \"Z\\u00fcrich\"}, \"in\": 5, \"skip\": \"s\","
    "\"list\": [1, 2.0, \"b\"], \"hotels\": [{\"n\": \"x\", \"p\": 20.50, \"ok\": true}, {\"n\": \"y\", \"p\": 3, \"ok\": true}, {\"n\": \"z\"}],"
    "\"day\": \"2026-02-28\", \"moment\": \"2026-02-28T23:30:00-02:00\", \"huge\": 1e999999999, \"tiny\": 1e-999999999,"
    "\"zero\": 0.00, \"blank\": \"\", \"object\": {}, \"mail\": \"ann@example.com\", \"re\": \"^A\", \"badre\": \"(\"}";

/* The value as JSON, the verdict as its word, a failure as "FAILURE: sentence", a compile fault as "column N: sentence". */
static void check_in(const char *json, const char *text, const char *expected)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_scope scope = json_scope(arena, json);
    ctn_err err = {0};
    ctn_expression *e = NULL;
    const ctn_json *value = NULL;
    ctn_verdict verdict = CTN_VERDICT_NONE;
    static const char *const words[] = {"", "skip", "continue", "fail"};
    ctn_str got;
    if (ctn_expression_compile(arena, ctn_str_from(text), &e, &err)) {
        assert_int_equal(err.code, CTN_E_INVALID);
        assert_null(e);
        got = ctn_arena_printf(arena, "column %u: %s", err.column, err.message);
    } else {
        ctn_failure failure = ctn_expression_eval(e, &scope, arena, &value, &verdict, &err);
        if (failure) {
            assert_null(value);
            got = ctn_arena_printf(arena, "%s: %s", ctn_failure_name(failure), err.message);
        } else if (verdict) {
            assert_null(value);
            got = ctn_str_from(words[verdict]);
        } else {
            got = ctn_json_to_str(arena, value);
        }
    }
    if (!ctn_str_is(got, expected))
        fail_msg("%s\ngives %.*s\nnot   %s", text, CTN_STR_ARG(got), expected);
    ctn_arena_free(arena);
}

typedef struct row {
    const char *text, *expected;
} row;

#define CHECK_ALL(rows)                                                                                                        \
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)                                                                  \
    check_in(scope_json, rows[i].text, rows[i].expected)

static void the_first_designs_condition_works(void **state)
{
    (void) state;
    static const char text[] = "{validation_status} == 'incomplete' ? skip : continue";
    check_in("{\"validation_status\": \"incomplete\"}", text, "skip");
    check_in("{\"validation_status\": \"complete\"}", text, "continue");
    check_in("{\"validation_status\": null}", text, "continue");
    check_in("{}", text, "continue");
}

static void values_are_read_and_keep_their_text(void **state)
{
    (void) state;
    static const row rows[] = {
        {"{n}", "19.90"}, {"n", "19.90"}, {"{ n }", "19.90"}, {"{n?}", "19.90"}, {"(n)", "19.90"}, {"  n  ", "19.90"},
        {"{big}", "9007199254740993"}, {"missing", "null"}, {"{missing.a[3].b}", "null"}, {"nothing", "null"},
        {"trip.to", "\"Z\xc3\xbcrich\""}, {"trip[\"odd name\"]", "1"}, {"{trip['odd name']}", "1"}, {"list[-1]", "\"b\""},
        {"{in}", "5"}, {"{skip}", "\"s\""}, {"skip.x", "null"}, {"'a'", "\"a\""}, {"\"a'b\"", "\"a'b\""},
        {"'it\\'s'", "\"it's\""}, {"'\\u00e9\\ud83d\\ude00\\n'", "\"\xc3\xa9\xf0\x9f\x98\x80\\n\""}, {"'\\d'", "\"\\\\d\""},
        {"'\\ud800'", "\"\\\\ud800\""}, {"1.50", "1.50"}, {"-1.50", "-1.50"}, {"1e6", "1e6"}, {"true", "true"}, {"false", "false"},
        {"null", "null"}, {"[]", "[]"}, {"[1, n, [name], 'x']", "[1,19.90,[\"Ann\"],\"x\"]"}, {"now", "\"2026-11-22T10:00:00.000Z\""},
        {"now()", "\"2026-11-22T10:00:00.000Z\""}, {"huge", "1e999999999"}, {"true ? n : 0", "19.90"}, {"{yes}", "true"},
    };
    CHECK_ALL(rows);
}

static void comparisons_never_change_a_kind(void **state)
{
    (void) state;
    static const row rows[] = {
        {"1 == 1.0", "true"}, {"19.9 == n", "true"}, {"1e1 == 10", "true"}, {"0.1 + 0.2 == 0.3", "true"}, {"big == 9007199254740992", "false"},
        {"1 == '1'", "false"}, {"1 != '1'", "true"}, {"true == 1", "false"}, {"null == false", "false"}, {"null == 0", "false"},
        {"missing == null", "true"}, {"missing != null", "false"}, {"nothing == missing", "true"}, {"'a' == 'a'", "true"},
        {"[1, 'a'] == [1.0, \"a\"]", "true"}, {"{object} == {empty}", "false"}, {"trip == trip", "true"}, {"true == true", "true"},
        {"1 < 2", "true"}, {"2 <= 2.0", "true"}, {"10 > 9", "true"}, {"'10' > '9'", "false"}, {"1 < '2'", "false"}, {"1 > '2'", "false"},
        {"1 >= '1'", "false"}, {"null < 1", "false"}, {"missing <= null", "false"}, {"true > false", "false"}, {"[1] <= [1]", "false"},
        {"'a' < 'b'", "true"}, {"'Z' < 'a'", "true"}, {"'a' < 'ab'", "true"}, {"huge > 5", "true"}, {"tiny < 5", "true"}, {"huge == huge", "true"},
        {"-1 < 0", "true"}, {"{trip.nights} >= 3", "true"},
    };
    CHECK_ALL(rows);
}

static void logic_is_by_truth_and_stops_when_decided(void **state)
{
    (void) state;
    static const row rows[] = {
        {"true && false", "false"}, {"true || false", "true"}, {"1 && 'x'", "true"}, {"0 || ''", "false"}, {"null || [] || {object} || zero || blank || empty || no", "false"},
        {"!null", "true"}, {"!'x'", "false"}, {"!!n", "true"}, {"not yes", "false"}, {"not no and yes", "true"}, {"yes and not no or no", "true"},
        {"no and 1/0 == 1", "false"}, {"yes or 1/0 == 1", "true"}, {"false && true || true", "true"}, {"true || true && false", "true"},
        {"not name == 'Bob'", "true"}, {"!name == 'Bob'", "false"}, {"not not yes", "true"}, {"!(name == 'Bob')", "true"}, {"0e5 || 0.0", "false"},
        {"0.001 && '0' && [0] && trip", "true"}, {"yes&&no||yes", "true"}, {"yes ? 'a' : 'b'", "\"a\""}, {"no ? 'a' : no ? 'b' : 'c'", "\"c\""},
        {"yes ? no ? 1 : 2 : 3", "2"}, {"(yes ? 1 : 0) + 1", "2"},
    };
    CHECK_ALL(rows);
}

static void membership_and_patterns(void **state)
{
    (void) state;
    static const row rows[] = {
        {"2 in list", "true"}, {"1.0 in {list}", "true"}, {"'1' in list", "false"}, {"'nn' in name", "true"}, {"'x' in name", "false"},
        {"'' in name", "true"}, {"1 in 'a1'", "false"}, {"'to' in trip", "true"}, {"'from' in trip", "false"}, {"1 in trip", "false"},
        {"1 in missing", "false"}, {"1 in 5", "false"}, {"3 not in list", "true"}, {"2 not in list", "false"}, {"null in [1, null]", "true"},
        {"name in ['Ann', 'Bob']", "true"}, {"mail matches '^[a-z]+@example\\.com$'", "true"}, {"mail matches '^\\w+$'", "false"},
        {"mail matches 'example'", "true"}, {"n matches '1'", "false"}, {"missing matches '.'", "false"}, {"trip.to matches '^Z.rich$'", "true"},
        {"name matches re", "true"}, {"mail not matches '@'", "false"}, {"'a\\n' matches 'a$'", "false"},
        {"name matches badre", "invalid_input: at column 6: bad regular expression, at its byte 2: missing closing parenthesis"},
    };
    CHECK_ALL(rows);
}

static void arithmetic_is_decimal(void **state)
{
    (void) state;
    static const row rows[] = {
        {"0.1 + 0.2", "0.3"}, {"19.90 + 0.10", "20.00"}, {"1.50 * 2", "3.00"}, {"10 / 4", "2.5"}, {"1 / 3", "0.3333333333333333333333333333333333"},
        {"2 / 3", "0.6666666666666666666666666666666667"}, {"7 % 3", "1"}, {"-7 % 3", "-1"}, {"7.5 % 2", "1.5"}, {"1 + 2 * 3", "7"}, {"(1 + 2) * 3", "9"},
        {"10 - 3 - 2", "5"}, {"100 / 10 / 2", "5"}, {"-n", "-19.90"}, {"--n", "19.90"}, {"- 5", "-5"}, {"2 -5", "-3"}, {"2--5", "7"}, {"-(2 + 3)", "-5"},
        {"big + 1", "9007199254740994"}, {"'a' + 'b' + name", "\"abAnn\""}, {"1e30 * 1e10", "1E+40"}, {"n * 3 - 0.70", "59.00"},
        {"1 / 0", "division_by_zero: at column 3: division by zero"}, {"1 % 0.0", "division_by_zero: at column 3: division by zero"},
        {"huge + 1", "expression_limit: at column 6: a number is out of range: exponents go from -6144 to 6144"},
        {"tiny * tiny", "expression_limit: at column 6: a number is out of range: exponents go from -6144 to 6144"},
        {"1e6000 * 1e6000", "expression_limit: at column 8: a number is out of range: exponents go from -6144 to 6144"},
        {"'a' + 1", "invalid_input: at column 5: '+' wants two numbers or two strings, not string and number; string({x}) makes text of a value"},
        {"missing + 1", "invalid_input: at column 9: '+' wants two numbers or two strings, not null and number"},
        {"name * 2", "invalid_input: at column 6: '*' wants two numbers, not string and number; number({x}) reads a text as number"},
        {"[1] + [2]", "invalid_input: at column 5: '+' wants two numbers or two strings, not array and array"},
        {"-name", "invalid_input: at column 1: '-' wants a number, not string"},
    };
    CHECK_ALL(rows);
}

static void functions_of_values_and_text(void **state)
{
    (void) state;
    static const row rows[] = {
        {"length(name)", "3"}, {"length(trip.to)", "6"}, {"length(list)", "3"}, {"length(trip)", "3"}, {"length(missing)", "0"},
        {"length(n)", "invalid_input: at column 1: length(value) wants a string, a list or an object, not number"},
        {"exists(name)", "true"}, {"exists(missing)", "false"}, {"exists({nothing})", "false"}, {"exists(no)", "true"}, {"exists(blank)", "true"},
        {"lower('\xc3\x84 B\xd0\x96\xce\xa9')", "\"\xc3\xa4 b\xd0\xb6\xcf\x89\""}, {"upper('stra\xc3\x9f" "e \xc5\x82')", "\"STRA\xc3\x9f" "E \xc5\x81\""},
        {"trim('  a ')", "\"a\""}, {"upper(missing)", "null"}, {"upper(n)", "invalid_input: at column 1: upper(text) wants a string, not number"},
        {"contains(name, 'nn')", "true"}, {"contains(list, 2)", "true"}, {"contains(missing, 1)", "false"}, {"startsWith(name, 'An')", "true"},
        {"endsWith(name, 'An')", "false"}, {"startsWith(missing, '')", "false"}, {"number('19.90')", "19.90"}, {"number(' 5 ')", "5"},
        {"number('5 nights')", "null"}, {"number('0x10')", "null"}, {"number(yes)", "1"}, {"number(list)", "null"}, {"number(n)", "19.90"},
        {"number('3') > 2", "true"}, {"string(n)", "\"19.90\""}, {"string(missing)", "\"\""}, {"string(list)", "\"[1,2.0,\\\"b\\\"]\""},
        {"'EUR ' + string(n)", "\"EUR 19.90\""}, {"string(yes)", "\"true\""}, {"keys(trip)", "[\"nights\",\"odd name\",\"to\"]"},
        {"keys(missing)", "null"}, {"keys(list)", "invalid_input: at column 1: keys(object) wants an object, not array"},
        {"has(trip, 'to')", "true"}, {"has(trip, 'from')", "false"}, {"has(list, 2)", "true"}, {"has(missing, 'a')", "false"},
        {"has(name, 'A')", "invalid_input: at column 1: has(object, key) wants an object or a list, not string"},
        {"any([0, '', 1])", "true"}, {"any([])", "false"}, {"all([])", "true"}, {"all([1, 0])", "false"}, {"any(hotels, 'ok')", "true"},
        {"all(hotels, 'ok')", "false"}, {"any(hotels, 'n', 'z')", "true"}, {"all(hotels, 'p', 3)", "false"}, {"any(missing)", "false"}, {"all(missing)", "true"},
        {"any(name)", "invalid_input: at column 1: any(list, 'member', value) wants a list, not string"},
    };
    CHECK_ALL(rows);
}

static void functions_of_numbers_and_dates(void **state)
{
    (void) state;
    static const row rows[] = {
        {"round(2.5)", "2"}, {"round(3.5)", "4"}, {"round(-2.5)", "-2"}, {"round(2.345, 2)", "2.34"}, {"round(n, 5)", "19.90"}, {"round(1234, -2)", "1200"},
        {"round(missing)", "null"}, {"round(name)", "invalid_input: at column 1: round(number, places) wants a number, not string"},
        {"round(1, 101)", "invalid_input: at column 1: round(number, places) wants a whole number of places from -100 to 100"},
        {"min(3, 1.0, 2)", "1.0"}, {"max([3, 1, 2.50])", "3"}, {"max(hotels, 'p')", "20.50"}, {"min('b', 'a')", "\"a\""}, {"min([])", "null"}, {"max(n)", "19.90"},
        {"max(1, 'a')", "invalid_input: at column 1: max(list) or max(a, b) wants values of one kind, not string"},
        {"max(yes)", "invalid_input: at column 1: max(list) or max(a, b) wants numbers or strings, not boolean"},
        {"sum([1, 2.50, null])", "3.50"}, {"sum(hotels, 'p')", "23.50"}, {"sum([])", "0"}, {"sum(1, 2, 3)", "6"},
        {"sum(list)", "invalid_input: at column 1: sum(list) or sum(list, 'member') wants numbers, not string"},
        {"sum(list, 3)", "invalid_input: at column 1: sum(list) or sum(list, 'member'): after a list comes the name of a member or nothing"},
        {"date(moment)", "\"2026-03-01\""}, {"date()", "\"2026-11-22\""}, {"date(now, '%H:%M')", "\"10:00\""}, {"date(0)", "\"1970-01-01\""},
        {"date(missing)", "null"}, {"date(day, 'DD.MM.YY')", "\"28.02.26\""}, {"date(-62135596800000)", "\"0001-01-01\""},
        {"date(name)", "invalid_input: at column 1: date(time, format) wants a date (2026-11-22), an RFC 3339 time or milliseconds since 1970, not string"},
        {"date('2026-02-29')", "invalid_input: at column 1: date(time, format) wants a date (2026-11-22), an RFC 3339 time or milliseconds since 1970, not string"},
        {"addDays(day, 1)", "\"2026-03-01\""}, {"addDays('2024-02-28', 1)", "\"2024-02-29\""}, {"addDays(day, -59)", "\"2025-12-31\""},
        {"addDays(moment, 1)", "\"2026-03-02T01:30:00.000Z\""}, {"addDays(missing, 1)", "null"},
        {"addDays(day, 1.5)", "invalid_input: at column 1: addDays(date, days) wants a whole number of days, not number"},
        {"addDays(day, 9999999)", "invalid_input: at column 1: addDays(date, days) leaves the years 1 to 9999"},
        {"daysBetween(day, '2026-03-03')", "3"}, {"daysBetween('2026-03-03', day)", "-3"}, {"daysBetween(day, moment)", "1"}, {"daysBetween(day, now)", "267"},
        {"daysBetween(day, missing)", "null"}, {"addDays(date(now), 7) > '2026-11-28'", "true"},
    };
    CHECK_ALL(rows);
}

static void verdicts_are_results_and_nothing_else(void **state)
{
    (void) state;
    static const row rows[] = {
        {"skip", "skip"}, {"(continue)", "continue"}, {"fail", "fail"}, {"yes ? fail : skip", "fail"}, {"no ? fail : yes ? (skip) : continue", "skip"},
        {"yes ? 1 : skip", "1"}, {"no ? 1 : skip", "skip"},
        {"skip && yes", "column 1: a verdict can only be the result, as in condition ? skip : continue"},
        {"yes && skip", "column 8: 'skip' is a verdict and can only be the result: condition ? skip : continue; a variable of that name is written {skip}"},
        {"fail == 1", "column 1: a verdict can only be the result, as in condition ? skip : continue"},
        {"(yes ? skip : 1) + 2", "column 6: a verdict can only be the result, as in condition ? skip : continue"},
        {"skip ? 1 : 2", "column 1: a verdict can only be the result, as in condition ? skip : continue"},
        {"[skip]", "column 2: 'skip' is a verdict and can only be the result: condition ? skip : continue; a variable of that name is written {skip}"},
        {"not fail", "column 5: 'fail' is a verdict and can only be the result: condition ? fail : continue; a variable of that name is written {fail}"},
        {"yes ? contine : skip", "column 7: unknown verdict 'contine'; did you mean 'continue'? A variable of that name is written {contine} here"},
        {"yes ? continue : Skip", "column 18: unknown verdict 'Skip'; did you mean 'skip'? A variable of that name is written {Skip} here"},
        {"yes ? {contine} : skip", "null"}, {"yes ? name : skip", "\"Ann\""},
    };
    CHECK_ALL(rows);
}

static void mistakes_are_placed_and_named(void **state)
{
    (void) state;
    static const row rows[] = {
        {"", "column 1: the expression is empty; write true for a step that always runs"},
        {"   ", "column 1: the expression is empty; write true for a step that always runs"},
        {"a = 1", "column 3: one '=' is nothing here; equality is written =="},
        {"a === 1", "column 3: write == or !=: there is no third '='"},
        {"a & b", "column 3: one '&' is nothing here; write && or and"},
        {"{a} | b", "column 5: one '|' is nothing here; write || or or; filters belong to templates"},
        {"{a | upper}", "column 4: filters belong to templates; in an expression use functions: upper({x}), length({x})"},
        {"a < b < c", "column 7: comparisons do not chain; join two with &&, or set parentheses"},
        {"a <> b", "column 4: expected a value, found '>'"},
        {"a +", "column 4: the expression ends where a value is expected"},
        {"(a", "column 3: expected ')' for the '(' at column 1"},
        {"a)", "column 2: this ')' was never opened"},
        {"[1, 2", "column 6: expected ',' or ']' in this list"},
        {"[1 2]", "column 4: expected ',' or ']' in this list"},
        {"{a", "column 3: expected '}' after {a"},
        {"{1}", "column 2: expected the name of a variable after '{'"},
        {"a b", "column 3: expected an operator before 'b'; operators are == != < <= > >= in matches && || and or + - * / % ? :"},
        {"a ? b", "column 6: expected ':' and what holds otherwise: condition ? skip : continue"},
        {"a : b", "column 3: this ':' has no '?' before it"},
        {"'abc", "column 1: this quote is never closed"},
        {"1.", "column 1: '1.' is not a number; write it like 12, -3.5 or 1e6"},
        {"a == 01", "column 6: '01' is not a number; write it like 12, -3.5 or 1e6"},
        {"12abc", "column 1: '12abc' is not a number; write it like 12, -3.5 or 1e6"},
        {"lenght({a}) > 1", "column 1: unknown function 'lenght'; did you mean 'length'?"},
        {"a && frobnicate(1)", "column 6: unknown function 'frobnicate'; functions are length exists lower upper trim contains startsWith endsWith "
                               "number string round min max sum now date addDays daysBetween keys has any all"},
        {"contains(a)", "column 1: contains has 1 argument; it is written contains(whole, part)"},
        {"now(1)", "column 1: now has 1 argument; it is written now()"},
        {"length()", "column 1: length has 0 arguments; it is written length(value)"},
        {"min()", "column 1: min has 0 arguments; it is written min(list) or min(a, b)"},
        {"a matches '('", "column 11: bad regular expression, at its byte 2: missing closing parenthesis"},
        {"a matches 5", "column 11: matches wants a regular expression in quotes on its right"},
        {"and a", "column 1: expected a value before 'and'; a variable of that name is written {and}"},
        {"a # b", "column 3: expected an operator, found '#'; operators are == != < <= > >= in matches && || and or + - * / % ? :"},
        {"f(a", "column 1: unknown function 'f'; functions are length exists lower upper trim contains startsWith endsWith "
                "number string round min max sum now date addDays daysBetween keys has any all"},
        {"length(a", "column 9: expected ',' or ')' in the call of length"},
    };
    CHECK_ALL(rows);
}

static ctn_str repeat(ctn_arena *arena, const char *start, const char *part, size_t count, const char *middle, const char *closing)
{
    ctn_buf buf;
    ctn_buf_init(&buf, 1 << 20);
    ctn_buf_append(&buf, ctn_str_from(start));
    for (size_t i = 0; i < count; i++)
        ctn_buf_append(&buf, ctn_str_from(part));
    ctn_buf_append(&buf, ctn_str_from(middle));
    for (size_t i = 0; i < count; i++)
        ctn_buf_append(&buf, ctn_str_from(closing));
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&buf));
    ctn_buf_done(&buf);
    return text;
}

static void nesting_is_bounded_and_long_chains_are_not_nesting(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    check_in("{}", repeat(arena, "", "(", 63, "1", ")").ptr, "1");
    check_in("{}", repeat(arena, "", "(", 64, "1", ")").ptr, "column 65: the expression is nested more than 64 levels deep");
    check_in("{}", repeat(arena, "", "[", 20000, "", "").ptr, "column 65: the expression is nested more than 64 levels deep");
    check_in("{}", repeat(arena, "", "!", 20000, "1", "").ptr, "column 64: the expression is nested more than 64 levels deep");
    check_in("{}", repeat(arena, "", "not ", 10000, "1", "").ptr, "column 256: the expression is nested more than 64 levels deep");
    check_in("{}", repeat(arena, "1", "+1", 2000, "", "").ptr, "2001");
    check_in("{}", repeat(arena, "true", " && true", 3000, "", "").ptr, "true");
    ctn_arena_free(arena);
}

static void work_is_bounded(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_str list = repeat(arena, "{\"l\": [1", ",1", 9000, "]", "");
    ctn_str object = ctn_arena_printf(arena, "%.*s, \"s\": \"%.*s\"}", CTN_STR_ARG(list),
                                      CTN_STR_ARG(repeat(arena, "", "aaaaaaaaaa", 10000, "", "")));
    check_in(object.ptr, "sum(l) > 3 || 2 in l", "true");
    check_in(object.ptr, "2 in l || 2 in l", "expression_limit: the expression needs more than 10000 operations");
    check_in(object.ptr, "any(l, 'x') || all(l)", "expression_limit: the expression needs more than 10000 operations");
    check_in("{}", repeat(arena, "1", "+1", 6000, "", "").ptr, "expression_limit: the expression needs more than 10000 operations");
    check_in(object.ptr, repeat(arena, "s", "+s", 100, "", "").ptr,
             "expression_limit: the expression makes more than 4194304 bytes of text");
    check_in(object.ptr, "s matches '^(a+)+$'", "true");
    check_in(object.ptr, "s + 'b' matches '^(a+)+$'",
             "expression_limit: at column 9: the regular expression needs too much work on this text");
    check_in(object.ptr, "s matches '(?:a|b)*[cd]'",
             "expression_limit: at column 3: the regular expression needs too much work on this text");
    ctn_arena_free(arena);
}

static void a_condition_runs_by_truth(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        ctn_verdict verdict;
    } rows[] = {{"1", CTN_VERDICT_CONTINUE}, {"0", CTN_VERDICT_SKIP},   {"missing", CTN_VERDICT_SKIP},
                {"skip", CTN_VERDICT_SKIP},  {"fail", CTN_VERDICT_FAIL}, {"trip", CTN_VERDICT_CONTINUE}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ctn_arena *arena = ctn_arena_new(1024);
        ctn_scope scope = json_scope(arena, scope_json);
        ctn_expression *e = NULL;
        ctn_verdict verdict = CTN_VERDICT_NONE;
        assert_int_equal(ctn_expression_compile(arena, ctn_str_from(rows[i].text), &e, NULL), CTN_OK);
        assert_int_equal(ctn_expression_condition(e, &scope, arena, &verdict, NULL), CTN_FAILURE_NONE);
        assert_int_equal(verdict, rows[i].verdict);
        ctn_arena_free(arena);
    }
}

static void reads_tell_every_path_and_its_place(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_expression *e = NULL;
    ctn_reads reads = {0};
    assert_int_equal(ctn_expression_compile(arena, CTN_STR("{a.b} == c[0] ? length({ d }) : skip"), &e, NULL), CTN_OK);
    ctn_expression_reads(e, arena, &reads);
    assert_int_equal(reads.count, 3);
    static const uint32_t offsets[] = {1, 9, 25};
    static const char *const roots[] = {"a", "c", "d"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(reads.items[i].offset, offsets[i]);
        assert_true(ctn_str_is(reads.items[i].root, roots[i]));
        assert_true(reads.items[i].is_optional);
    }
    assert_true(ctn_str_is(reads.items[0].path, "a.b"));
    ctn_arena_free(arena);
}

static void literals_are_told_from_what_varies(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        bool is_literal;
    } rows[] = {{"true", true}, {"skip", true}, {"(false)", true}, {"0", true}, {"[1, 'a']", true}, {"[x]", false}, {"x", false}, {"now()", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ctn_arena *arena = ctn_arena_new(1024);
        ctn_expression *e = NULL;
        assert_int_equal(ctn_expression_compile(arena, ctn_str_from(rows[i].text), &e, NULL), CTN_OK);
        assert_int_equal(ctn_expression_is_literal(e), rows[i].is_literal);
        ctn_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_designs_condition_works),
        cmocka_unit_test(values_are_read_and_keep_their_text),
        cmocka_unit_test(comparisons_never_change_a_kind),
        cmocka_unit_test(logic_is_by_truth_and_stops_when_decided),
        cmocka_unit_test(membership_and_patterns),
        cmocka_unit_test(arithmetic_is_decimal),
        cmocka_unit_test(functions_of_values_and_text),
        cmocka_unit_test(functions_of_numbers_and_dates),
        cmocka_unit_test(verdicts_are_results_and_nothing_else),
        cmocka_unit_test(mistakes_are_placed_and_named),
        cmocka_unit_test(nesting_is_bounded_and_long_chains_are_not_nesting),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(a_condition_runs_by_truth),
        cmocka_unit_test(reads_tell_every_path_and_its_place),
        cmocka_unit_test(literals_are_told_from_what_varies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
