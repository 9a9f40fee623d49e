/* Money is exact, the inventory answers the same question the same way, and nothing in an answer is null. */
#include "support.h"

#include "search/inventory.h"
#include "kit/money.h"
#include "proposal/pricing.h"

static const char VIETNAM[] =
    "{\"requirements\":{\"origin\":\"Manchester\",\"destinations\":[\"Hanoi\",\"Hoi An\",\"Ho Chi Minh "
    "City\"],\"start_date\":\"2026-10-24\","
    "\"end_date\":\"2026-11-01\",\"nights\":8,\"adults\":4,\"children\":1,\"interests\":[\"swimming pool\"]},"
    "\"budget\":{\"amount\":11500,\"currency\":\"GBP\",\"per\":\"total\"},\"started_at\":\"2026-03-08T11:47:00Z\"}";

static void the_same_question_has_the_same_answer(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    const ctn_json *arguments = json_from(arena, ctn_str_from(VIETNAM));
    static const char *const searches[] = {"search_flights", "search_hotels"};
    for (size_t i = 0; i < 2; i++) {
        ctn_str once = ctn_json_to_str(arena, result_of(&tools, searches[i], arena, arguments));
        ctn_str twice = ctn_json_to_str(arena, result_of(&tools, searches[i], arena, arguments));
        assert_true(ctn_str_equal(once, twice));
        assert_true(ctn_str_find(once, CTN_STR("\"source\":\"sandbox\"")) != SIZE_MAX);
    }
    /* a price on record: a change of the inventory changes what people were quoted */
    const ctn_json *flights = result_of(&tools, "search_flights", arena, arguments);
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(flights, CTN_STR("/offers/0/total"))), "3751.75"));
    ctn_arena_free(arena);
}

static const ctn_json *tiers_for(travel_tools *tools, ctn_arena *arena, const char *question)
{
    const ctn_json *arguments = json_from(arena, ctn_str_from(question));
    ctn_json_builder price = ctn_json_object(arena);
    ctn_json_put(&price, CTN_STR("requirements"), ctn_json_member_of(arguments, "requirements"));
    ctn_json_put(&price, CTN_STR("budget"), ctn_json_member_of(arguments, "budget"));
    ctn_json_put(&price, CTN_STR("flights"), result_of(tools, "search_flights", arena, arguments));
    ctn_json_put(&price, CTN_STR("hotels"), result_of(tools, "search_hotels", arena, arguments));
    ctn_json_put_str(&price, "started_at", CTN_STR("2026-03-08"));
    return ctn_json_member_of(result_of(tools, "price_tiers", arena, ctn_json_finish(&price)), "pricing_tiers");
}

static travel_cents cents_at(const ctn_json *v, const char *key)
{
    travel_cents cents = -1;
    assert_true(travel_cents_parse(ctn_json_text(ctn_json_member_of(v, key)), &cents));
    return cents;
}

static void a_total_is_the_sum_of_its_parts_to_the_cent(void **state)
{
    (void) state;
    static const char *const currencies[] = {"GBP", "EUR", "SEK", "USD", "JPY", "HUF"};
    travel_tools tools = tools_for_test(NULL);
    for (size_t c = 0; c < sizeof currencies / sizeof *currencies; c++)
        for (int people = 1; people <= 13; people += 3) {
            ctn_arena *arena = ctn_arena_new(65536);
            ctn_str question = ctn_arena_printf(
                arena,
                "{\"requirements\":{\"origin\":\"Stockholm\",\"destinations\":[\"Sri Lanka\",\"Maldives\"],"
                "\"start_date\":\"2027-01-09\",\"nights\":13,\"adults\":%d,\"children\":%d},"
                "\"budget\":{\"amount\":60000.5,\"currency\":\"%s\",\"per\":\"person\"}}",
                people, people / 3, currencies[c]);
            const ctn_json *tiers = ctn_json_member_of(tiers_for(&tools, arena, question.ptr), "tiers");
            travel_cents last = 0;
            assert_int_equal(ctn_json_count(tiers), 3);
            for (size_t i = 0; i < 3; i++) {
                const ctn_json *tier = ctn_json_at(tiers, i), *stays = ctn_json_member_of(tier, "stays");
                travel_cents hotels = 0;
                for (size_t s = 0; s < ctn_json_count(stays); s++)
                    hotels += cents_at(ctn_json_at(stays, s), "total");
                travel_cents total = cents_at(tier, "total");
                assert_int_equal(hotels, cents_at(tier, "hotels_total"));
                assert_int_equal(total, hotels + cents_at(tier, "flights_total"));
                assert_int_equal(cents_at(tier, "per_person"), travel_cents_divide(total, people + people / 3));
                assert_true(total > last); /* Essential < Comfort < Premium */
                last = total;
            }
            ctn_arena_free(arena);
        }
}

static void every_kind_of_budget_is_compared(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    static const struct {
        const char *budget, *note;
    } cases[] = {
        {"{\"amount\":1,\"currency\":\"GBP\",\"per\":\"total\"}", "over your budget"},
        {"{\"amount\":99999,\"currency\":\"GBP\",\"per\":\"total\"}", "Within your budget"},
        {"{\"amount\":1,\"currency\":\"GBP\",\"per\":\"person\"}", "over your budget"},
        {"{\"amount\":5000,\"currency\":\"EUR\",\"per\":\"night\"}", "per room and night to spare"},
        {"{\"amount\":99999,\"currency\":\"GBP\",\"per\":null}", "Within your budget"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ctn_str question = ctn_arena_printf(
            arena,
            "{\"requirements\":{\"origin\":\"London\",\"destinations\":[\"Rome\"],\"start_date\":\"2026-05-01\","
            "\"nights\":3,\"adults\":2},\"budget\":%s}",
            cases[i].budget);
        ctn_str note =
            ctn_json_text(ctn_json_pointer(tiers_for(&tools, arena, question.ptr), CTN_STR("/tiers/0/budget_note")));
        if (ctn_str_find(note, ctn_str_from(cases[i].note)) == SIZE_MAX)
            fail_msg("%s: %.*s", cases[i].budget, CTN_STR_ARG(note));
    }
    ctn_arena_free(arena);
}

static void whatever_is_missing_the_answers_hold_no_null(void **state)
{
    (void) state;
    static const char *const questions[] = {
        "{\"requirements\":{}}",
        "{\"requirements\":{\"origin\":null,\"destinations\":[],\"start_date\":null,\"nights\":null,\"adults\":null}}",
        "{\"requirements\":{\"origin\":\"Atlantis\",\"destinations\":[\"Rome\",\"El Dorado\"]}}",
        "{\"requirements\":{\"origin\":\"London\",\"destinations\":[\"London\"],\"month\":\"2026-10\",\"adults\":0}}",
        "{\"requirements\":{\"origin\":\"Rome\",\"destinations\":[\"Rome\",\"Rome\",\"Rome\"],\"nights\":0,\"end_"
        "date\":\"2026-10-10\"}}",
        "{\"requirements\":{\"origin\":\"Oslo\",\"destinations\":[\"Bali\"],\"nights\":9999,\"adults\":9999,"
        "\"children\":9999},\"budget\":{\"amount\":5,\"currency\":\"XXX\"}}",
    };
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const ctn_json *arguments = json_from(arena, ctn_str_from(questions[i]));
        assert_false(has_null(result_of(&tools, "validate_requirements", arena, arguments)));
        assert_false(has_null(result_of(&tools, "search_flights", arena, arguments)));
        assert_false(has_null(result_of(&tools, "search_hotels", arena, arguments)));
        assert_false(has_null(tiers_for(&tools, arena, questions[i])));
    }
    ctn_arena_free(arena);
}

static void a_completed_trip_is_completed_to_itself(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    const ctn_json *once = ctn_json_member_of(
        result_of(
            &tools, "validate_requirements", arena,
            json_from(arena,
                      CTN_STR("{\"requirements\":{\"destinations\":[\"Crete\",\"Rhodes\"],\"alternatives\":true}}"))),
        "complete_requirements");
    ctn_json_builder again = ctn_json_object(arena);
    ctn_json_put(&again, CTN_STR("requirements"), once);
    const ctn_json *twice = ctn_json_member_of(
        result_of(&tools, "validate_requirements", arena, ctn_json_finish(&again)), "complete_requirements");
    static const char *const same[] = {"start_date", "end_date", "nights", "adults",      "children",
                                       "rooms",      "currency", "stops",  "destinations"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_true(ctn_json_equal(ctn_json_member_of(once, same[i]), ctn_json_member_of(twice, same[i])));
    ctn_arena_free(arena);
}

static void amounts_are_read_and_written_exactly(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(4096);
    travel_cents cents;
    assert_true(travel_cents_parse(CTN_STR("19.99"), &cents) && cents == 1999);
    assert_true(travel_cents_parse(CTN_STR("7"), &cents) && cents == 700);
    assert_true(travel_cents_parse(CTN_STR("0.5"), &cents) && cents == 50);
    assert_true(travel_cents_parse(CTN_STR("1.005"), &cents) && cents == 101);
    static const char *const bad[] = {"", ".", "1.", "-1", "1e3", "1,000", " 1", "99999999999999999999", "1.2.3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(travel_cents_parse(ctn_str_from(bad[i]), &cents));
    assert_true(ctn_str_is(travel_cents_text(arena, 123456), "1234.56"));
    assert_int_equal(travel_from_pence(10000, "EUR"), 11700);
    assert_int_equal(travel_from_pence(12345, "JPY"), 2382600); /* 23,825.85 yen: whole ones */
    ctn_arena_free(arena);
}

static void wrong_arguments_are_told_in_a_sentence(void **state)
{
    (void) state;
    static const struct {
        const char *tool, *arguments, *word;
    } cases[] = {
        {"search_flights", "{}", "requirements must be an object"},
        {"search_flights", "{\"requirements\":{\"destinations\":\"Rome\"}}", "destinations must be a list"},
        {"search_hotels", "{\"requirements\":{\"destinations\":[1]}}", "destinations[0]"},
        {"validate_requirements", "{\"requirements\":{\"start_date\":\"soon\"}}", "start_date must be a date"},
        {"validate_requirements", "{\"requirements\":{\"adults\":-1}}", "adults must be a whole number"},
        {"price_tiers", "{\"requirements\":{},\"flights\":{\"offers\":[{}]},\"hotels\":{}}", "flights.offers[0]"},
        {"price_tiers", "{\"requirements\":{},\"flights\":{\"currency\":\"EUR\"},\"hotels\":{}}",
         "search again in GBP"},
        {"extract_lead", "{\"raw_lead\":5}", "raw_lead must be text"},
        {"extract_lead", "{\"raw_lead\":\"x\",\"received_at\":\"yesterday\"}", "received_at must be a time"},
        {"analyze_client", "{\"days_since_contact\":\"soon\"}", "days_since_contact must be a whole number"},
        {"schedule_delivery", "{\"channel\":\"pigeon\",\"send_time\":\"2026-01-01\",\"message\":\"x\"}",
         "channel must be"},
        {"create_client_record", "{\"client\":{}}", "set the environment variable CRM"},
        {"delete_client_record", "{}", "say what to delete"},
        {"serch_hotels", "{}", "did you mean search_hotels?"},
    };
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ctn_err err = {0};
        const ctn_json *result;
        assert_int_not_equal(
            run_tool(&tools, cases[i].tool, arena, json_from(arena, ctn_str_from(cases[i].arguments)), &result, &err),
            CTN_OK);
        if (!strstr(err.message, cases[i].word))
            fail_msg("%s %s: %s", cases[i].tool, cases[i].arguments, err.message);
    }
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_question_has_the_same_answer),
        cmocka_unit_test(a_total_is_the_sum_of_its_parts_to_the_cent),
        cmocka_unit_test(every_kind_of_budget_is_compared),
        cmocka_unit_test(whatever_is_missing_the_answers_hold_no_null),
        cmocka_unit_test(a_completed_trip_is_completed_to_itself),
        cmocka_unit_test(amounts_are_read_and_written_exactly),
        cmocka_unit_test(wrong_arguments_are_told_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
