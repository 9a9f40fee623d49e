/* Decimals: rows against the General Decimal Arithmetic rules, identities on random numbers, hostile sizes. */
#include <stdio.h>

#include "base/clock.h"
#include "support/cmocka.h"
#include "value/decimal.h"

typedef ctn_failure operation_fn(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b);

/* The result as text, or the name of the failure; "?" when an operand does not parse. */
static ctn_str run(ctn_arena *arena, operation_fn *operation, ctn_str a, ctn_str b)
{
    ctn_decimal x, y;
    ctn_decimal_init(&x);
    ctn_decimal_init(&y);
    ctn_str got = CTN_STR("?");
    if (ctn_decimal_parse(&x, a) && ctn_decimal_parse(&y, b)) {
        ctn_failure failure = operation(&x, &x, &y);
        got = failure ? ctn_str_from(ctn_failure_name(failure)) : ctn_decimal_to_str(arena, &x);
    }
    ctn_decimal_done(&x);
    ctn_decimal_done(&y);
    return got;
}

typedef struct row {
    const char *a, *b, *expected;
} row;

static void check_rows(operation_fn *operation, const row *rows, size_t count)
{
    ctn_arena *arena = ctn_arena_new(1024);
    for (size_t i = 0; i < count; i++) {
        ctn_str got = run(arena, operation, ctn_str_from(rows[i].a), ctn_str_from(rows[i].b));
        if (!ctn_str_is(got, rows[i].expected))
            fail_msg("%s, %s gives %.*s, not %s", rows[i].a, rows[i].b, CTN_STR_ARG(got), rows[i].expected);
    }
    ctn_arena_free(arena);
}
#define CHECK_ROWS(operation, rows) check_rows(operation, rows, sizeof rows / sizeof rows[0])

#define NINES_34 "9999999999999999999999999999999999"

static void sums_and_differences(void **state)
{
    (void) state;
    static const row sums[] = {
        {"0.1", "0.2", "0.3"}, {"1", "2", "3"}, {"19.90", "0.10", "20.00"}, {"1e3", "1", "1001"}, {"-1", "1", "0"}, {"0.00", "0", "0.00"},
        {"1e34", "1", "1.000000000000000000000000000000000E+34"}, {NINES_34, "1", "1.000000000000000000000000000000000E+34"},
        {NINES_34, "0.5", "1.000000000000000000000000000000000E+34"}, {NINES_34, "0.4", NINES_34},
        {"1e6000", "1e-6000", "1.000000000000000000000000000000000E+6000"}, {"9.99e6145", "1e6143", "1.000E+6146"},
        {"-0", "0", "0"}, {"1e-7", "0", "0.0000001"},
    };
    static const row differences[] = {
        {"0.3", "0.1", "0.2"}, {"1.00", "1", "0.00"}, {"1", "1.00", "0.00"}, {"0", "19.90", "-19.90"}, {"1e20", "1", "99999999999999999999"},
    };
    CHECK_ROWS(ctn_decimal_add, sums);
    CHECK_ROWS(ctn_decimal_subtract, differences);
}

static void products_quotients_and_remainders(void **state)
{
    (void) state;
    static const row products[] = {
        {"1.50", "2", "3.00"}, {"19.99", "3", "59.97"}, {"-2", "0.5", "-1.0"}, {"1e4000", "1e4000", "expression_limit"},
        {"1e-4000", "1e-4000", "expression_limit"}, {NINES_34, NINES_34, "9.999999999999999999999999999999998E+67"}, {"0", "1e6000", "0"},
        {"1e3", "1e3", "1000000"}, {"1e20", "1e20", "1E+40"}, {"3.3333333333333333333333333333333333", "1", "3.333333333333333333333333333333333"},
    };
    static const row quotients[] = {
        {"10", "4", "2.5"}, {"6", "3", "2"}, {"6.00", "3", "2.00"}, {"1", "3", "0.3333333333333333333333333333333333"},
        {"2", "3", "0.6666666666666666666666666666666667"}, {"-2", "3", "-0.6666666666666666666666666666666667"}, {"1", "8", "0.125"},
        {"1000", "1e-3", "1000000"}, {"0", "5", "0"}, {"0.00", "5", "0.00"}, {"5", "0", "division_by_zero"}, {"0", "0.0", "division_by_zero"},
        {"1", NINES_34, "1.000000000000000000000000000000000E-34"}, {"1e6000", "1e-6000", "expression_limit"}, {"100", "10", "10"},
    };
    static const row remainders[] = {
        {"7", "3", "1"}, {"-7", "3", "-1"}, {"7", "-3", "1"}, {"7.5", "2", "1.5"}, {"1", "0.3", "0.1"}, {"1e6000", "7", "1"},
        {"5", "0", "division_by_zero"}, {"3", "1e6000", "3"},
    };
    CHECK_ROWS(ctn_decimal_multiply, products);
    CHECK_ROWS(ctn_decimal_divide, quotients);
    CHECK_ROWS(ctn_decimal_remainder, remainders);
}

static void parsing_rounds_half_to_even_at_34_digits(void **state)
{
    (void) state;
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"1234567890123456789012345678901234", "1234567890123456789012345678901234"},
        {"12345678901234567890123456789012345", "1.234567890123456789012345678901234E+34"},
        {"12345678901234567890123456789012355", "1.234567890123456789012345678901236E+34"},
        {"12345678901234567890123456789012345.0000000001", "1.234567890123456789012345678901235E+34"},
        {"99999999999999999999999999999999999", "1.000000000000000000000000000000000E+35"},
        {"0.00000000000000000000000000000000012345", "1.2345E-34"}, {"0.000001", "0.000001"}, {"1.10", "1.10"}, {"-0.5", "-0.5"},
        {"1E+2", "100"}, {"1e-2", "0.01"}, {"0e99999999999999999999", "0"}, {"0.000e-99999999999999999999", "0.0000000000000000000000000000000000"},
        {"1e999999999", NULL}, {"1e-999999999", NULL}, {"1e99999999999999999999999999", NULL}, {"1e6145", NULL}, {"1e6144", "1E+6144"}, {"1e-6145", NULL},
        {"", NULL}, {"-", NULL}, {"1.", NULL}, {"01", NULL}, {"+1", NULL}, {"1e", NULL}, {"NaN", NULL}, {" 1", NULL}, {"0x1", NULL},
    };
    ctn_arena *arena = ctn_arena_new(1024);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ctn_decimal d;
        ctn_decimal_init(&d);
        bool is_number = ctn_decimal_parse(&d, ctn_str_from(rows[i].text));
        ctn_str got = is_number ? ctn_decimal_to_str(arena, &d) : (ctn_str){0};
        if (is_number != (rows[i].expected != NULL) || (is_number && !ctn_str_is(got, rows[i].expected)))
            fail_msg("%s gives %.*s, not %s", rows[i].text, CTN_STR_ARG(got), rows[i].expected ? rows[i].expected : "nothing");
        ctn_decimal_done(&d);
    }
    ctn_arena_free(arena);
}

static void rounding_is_half_to_even_on_both_sides_of_the_point(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        int places;
        const char *expected;
    } rows[] = {
        {"2.5", 0, "2"}, {"3.5", 0, "4"}, {"-2.5", 0, "-2"}, {"-3.5", 0, "-4"}, {"2.51", 0, "3"}, {"0.5", 0, "0"}, {"-0.5", 0, "0"}, {"1.005", 2, "1.00"},
        {"1.015", 2, "1.02"}, {"1.5", 5, "1.5"}, {"1250", -2, "1200"}, {"1350", -2, "1400"}, {"49", -2, "0"}, {"51", -2, "100"}, {"1e10", -3, "10000000000"},
        {"1", -2147483647, "0"}, {"1e6144", -2147483647, "0"}, {"1", 2147483647, "1"}, {"9.99", 1, "10.0"},
    };
    ctn_arena *arena = ctn_arena_new(1024);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ctn_decimal d;
        ctn_decimal_init(&d);
        assert_true(ctn_decimal_parse(&d, ctn_str_from(rows[i].text)));
        ctn_decimal_round(&d, rows[i].places);
        ctn_str got = ctn_decimal_to_str(arena, &d);
        if (!ctn_str_is(got, rows[i].expected))
            fail_msg("%s to %d places gives %.*s, not %s", rows[i].text, rows[i].places, CTN_STR_ARG(got), rows[i].expected);
        ctn_decimal_done(&d);
    }
    ctn_arena_free(arena);
}

static void numbers_have_their_order(void **state)
{
    (void) state;
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = {
        {"1", "1.00", 0}, {"1e3", "1000", 0}, {"-1", "1", -1}, {"0.1", "0.10", 0}, {"0", "-0.0", 0},
        {"1e6000", "1e-6000", 1}, {"1e-6000", "0", 1}, {"-1e6000", "-1", -1}, {"2.00", "3", -1}, {"2.50", "2.5", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ctn_decimal a, b;
        ctn_decimal_init(&a);
        ctn_decimal_init(&b);
        assert_true(ctn_decimal_parse(&a, ctn_str_from(rows[i].a)) && ctn_decimal_parse(&b, ctn_str_from(rows[i].b)));
        assert_int_equal(ctn_decimal_compare(&a, &b), rows[i].order);
        assert_int_equal(ctn_decimal_compare(&b, &a), -rows[i].order);
        ctn_decimal_done(&a);
        ctn_decimal_done(&b);
    }
}

/* Up to 16 digits anywhere within 8 places of the point: sums and products of two of them are exact. */
static ctn_str random_number(ctn_arena *arena, const ctn_rng *rng)
{
    uint64_t bits = ctn_rng_next(rng);
    return ctn_arena_printf(arena, "%s%llue%d", bits & 1 ? "-" : "", (unsigned long long) (bits >> 1) % 10000000000000000ULL,
                            (int) (ctn_rng_next(rng) % 17) - 8);
}

static void identities_hold_for_random_numbers(void **state)
{
    (void) state;
    uint64_t seed = 7;
    ctn_rng rng = ctn_rng_seeded(&seed);
    for (int i = 0; i < 20000; i++) {
        ctn_arena *arena = ctn_arena_new(4096);
        ctn_str a = random_number(arena, &rng), b = random_number(arena, &rng), c;
        c = run(arena, ctn_decimal_subtract, run(arena, ctn_decimal_add, a, b), b);
        const ctn_json *left = ctn_json_number(arena, c), *right = ctn_json_number(arena, a);
        if (ctn_json_number_compare(left, right) != 0)
            fail_msg("(%.*s + %.*s) - b = %.*s", CTN_STR_ARG(a), CTN_STR_ARG(b), CTN_STR_ARG(c));
        if (ctn_json_number_compare(ctn_json_number(arena, b), ctn_json_number(arena, CTN_STR("0"))) != 0) {
            c = run(arena, ctn_decimal_divide, run(arena, ctn_decimal_multiply, a, b), b);
            if (ctn_json_number_compare(ctn_json_number(arena, c), right) != 0)
                fail_msg("(%.*s * %.*s) / b = %.*s", CTN_STR_ARG(a), CTN_STR_ARG(b), CTN_STR_ARG(c));
        }
        assert_true(ctn_str_equal(run(arena, ctn_decimal_multiply, a, b), run(arena, ctn_decimal_multiply, b, a)));
        ctn_arena_free(arena);
    }
}

static void a_number_costs_no_more_than_its_text(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    enum { BYTES = 4000000 };
    char *text = ctn_arena_alloc(arena, BYTES);
    memset(text, '9', BYTES);
    assert_true(ctn_str_is(run(arena, ctn_decimal_add, (ctn_str){text, BYTES}, CTN_STR("1")), "?"));
    memcpy(text, "0.", 2);
    assert_true(ctn_str_is(run(arena, ctn_decimal_add, (ctn_str){text, BYTES}, CTN_STR("0")), "1.000000000000000000000000000000000"));
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_differences),
        cmocka_unit_test(products_quotients_and_remainders),
        cmocka_unit_test(parsing_rounds_half_to_even_at_34_digits),
        cmocka_unit_test(rounding_is_half_to_even_on_both_sides_of_the_point),
        cmocka_unit_test(numbers_have_their_order),
        cmocka_unit_test(identities_hold_for_random_numbers),
        cmocka_unit_test(a_number_costs_no_more_than_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
