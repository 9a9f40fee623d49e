/* The table of prices: whose they are, and that every row is one. */
#include "host/prices.h"
#include "support/cmocka.h"
#include "value/calendar.h"
#include "value/decimal.h"

static void assert_input(const char *model, const char *input)
{
    ctn_prompt_price price = ctn_price_of(ctn_str_from(model));
    if (!ctn_str_is(price.input, input))
        fail_msg("%s: \"%.*s\"", model, CTN_STR_ARG(price.input));
}

static void a_price_is_of_one_model_with_or_without_its_date(void **state)
{
    (void) state;
    assert_input("claude-sonnet-4-5", "3");
    assert_input("claude-sonnet-4-5-20250929", "3");
    assert_input("gpt-4o", "2.50");
    assert_input("gpt-4o-2024-08-06", "2.50");
    assert_input("gpt-4o-mini", "0.15");
    assert_input("gpt-4o-audio", "");
    assert_input("gpt-4o-2024", "");
    assert_input("gpt-4o-", "");
    assert_input("gpt", "");
    assert_input("", "");
}

static void every_row_has_numbers_a_day_and_where_it_is_from(void **state)
{
    (void) state;
    static const struct {
        const char *model, *numbers[3], *day, *list;
    } ROWS[] = {
#define PRICE(model, input, cached, output, day, list) {model, {input, cached, output}, day, list},
#include "host/prices.data"
#undef PRICE
    };
    ctn_arena *arena = ctn_arena_new(1024);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        for (int k = 0; k < 3; k++) {
            ctn_decimal d;
            ctn_decimal_init(&d);
            assert_true(ctn_decimal_parse(&d, ctn_str_from(ROWS[i].numbers[k])));
            ctn_decimal_done(&d);
        }
        ctn_time day;
        assert_true(ctn_time_of(ctn_json_string(arena, ctn_str_from(ROWS[i].day)), &day));
        assert_non_null(strstr(ROWS[i].list, "pricing"));
        assert_input(ROWS[i].model, ROWS[i].numbers[0]); /* no row hides another */
    }
    ctn_arena_free(arena);
}

static void money_is_decimal_to_the_last_digit(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_prompt_price price = {CTN_STR("0.1"), CTN_STR("0.2"), CTN_STR("")};
    ctn_prompt_use use = {.input = 3, .cached = 1, .output = 3};
    ctn_decimal sum, want;
    ctn_decimal_init(&sum);
    ctn_decimal_init(&want);
    assert_true(ctn_decimal_parse(&sum, ctn_prompt_use_money(arena, &price, &use)));
    assert_true(ctn_decimal_parse(&want, CTN_STR("0.0000009")));
    assert_int_equal(ctn_decimal_compare(&sum, &want), 0);
    price.cached = CTN_STR("0"); /* said to be free, not left unsaid */
    assert_true(ctn_decimal_parse(&sum, ctn_prompt_use_money(arena, &price, &use)));
    assert_true(ctn_decimal_parse(&want, CTN_STR("0.0000008")));
    assert_int_equal(ctn_decimal_compare(&sum, &want), 0);
    assert_int_equal(ctn_prompt_use_money(arena, &(ctn_prompt_price){0}, &use).len, 0);
    ctn_decimal_done(&sum);
    ctn_decimal_done(&want);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_price_is_of_one_model_with_or_without_its_date),
        cmocka_unit_test(every_row_has_numbers_a_day_and_where_it_is_from),
        cmocka_unit_test(money_is_decimal_to_the_last_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
