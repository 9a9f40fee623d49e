/* The tables are real data: distances are those of the world, and every name leads to an airport. */
#include "support.h"

#include "kit/calendar.h"
#include "places/places.h"
#include "places/places_data.h"

static void expect_distance(const char *a, const char *b, int km)
{
    const travel_airport *from = travel_airport_by_code(ctn_str_from(a)), *to = travel_airport_by_code(ctn_str_from(b));
    assert_non_null(from);
    assert_non_null(to);
    int found = travel_distance_km(from, to);
    /* published distances are on the ellipsoid: a sphere is off by up to half a percent */
    assert_in_range(found, km - km / 200 - 5, km + km / 200 + 5);
    assert_int_equal(found, travel_distance_km(to, from));
}

static void distances_are_those_of_the_world(void **state)
{
    (void) state;
    expect_distance("LHR", "JFK", 5540);
    expect_distance("CDG", "FCO", 1100);
    expect_distance("SIN", "SYD", 6300);
    expect_distance("LAX", "NRT", 8773);
    expect_distance("JNB", "GRU", 7450);
    expect_distance("AKL", "SCL", 9675); /* across the date line */
    assert_int_equal(travel_distance_km(&travel_airports[0], &travel_airports[0]), 0);
}

static void codes_are_unique_and_positions_are_on_earth(void **state)
{
    (void) state;
    assert_true(travel_airport_count >= 150);
    for (size_t i = 0; i < travel_airport_count; i++) {
        const travel_airport *a = &travel_airports[i];
        assert_int_equal(strlen(a->code), 3);
        assert_true(a->latitude >= -90 && a->latitude <= 90 && a->longitude >= -180 && a->longitude <= 180);
        assert_in_range(a->hub, 1, 4);
        assert_true(i == 0 || strcmp(travel_airports[i - 1].code, a->code) < 0);
    }
}

static void expect_place(const char *name, const char *english, const char *country, const char *airport)
{
    const travel_place *p = travel_place_by_name(ctn_str_from(name));
    if (!p)
        fail_msg("nobody knows %s", name);
    assert_string_equal(travel_place_name(p), english);
    if (country)
        assert_string_equal(travel_place_name(travel_place_country(p)), country);
    if (airport)
        assert_string_equal(travel_place_airport(p)->code, airport);
}

static void places_are_known_by_their_names_in_four_languages(void **state)
{
    (void) state;
    expect_place("Paris", "Paris", "France", "CDG"); /* and not the one in Texas */
    expect_place("Londres", "London", "United Kingdom", "LHR");
    expect_place("Wien", "Vienna", "Austria", "VIE");
    expect_place("M\xC3\xBAnich", "Munich", "Germany", "MUC");
    expect_place("Muenchen", "Munich", "Germany", "MUC");
    expect_place("Grecia", "Greece", "Greece", "ATH");
    expect_place("Kanaren", "Canary Islands", "Spain", NULL);
    expect_place("Mallorca", "Majorca", "Spain", "PMI");
    expect_place("H\xE1\xBB\x99i An", "Hoi An", "Vietnam", "DAD");
    expect_place("St Anton", "St Anton am Arlberg", "Austria", "INN");
    expect_place("Toskana", "Tuscany", "Italy", NULL);
    expect_place("Queenstown", "Queenstown", "New Zealand", "ZQN");
    assert_null(travel_place_by_name(CTN_STR("Xanaduu")));
    assert_null(travel_place_by_name(CTN_STR("")));
    assert_string_equal(travel_place_shown(travel_place_by_name(CTN_STR("Vienna")), CTN_STR("es")), "Viena");
    assert_string_equal(travel_place_shown(travel_place_by_name(CTN_STR("Greece")), CTN_STR("de")), "Griechenland");
    assert_string_equal(travel_place_shown(travel_place_by_name(CTN_STR("Greece")), CTN_STR("pt")), "Greece");
}

static void a_text_that_says_where_gets_that_place(void **state)
{
    (void) state;
    const travel_place *outer = NULL, *inner = travel_place_pair(CTN_STR("Paris"), CTN_STR("Texas"), &outer);
    assert_non_null(inner);
    assert_string_equal(travel_place_name(travel_place_country(inner)), "United States");
    assert_string_equal(travel_place_name(outer), "Texas");
    inner = travel_place_pair(CTN_STR("Savannah"), CTN_STR("Georgia"),
                              &outer); /* the state, though the country is better known */
    assert_non_null(inner);
    assert_string_equal(travel_zone_of(CTN_STR("Savannah")), "America/New_York");
    assert_null(travel_place_pair(CTN_STR("Rome"), CTN_STR("Japan"), &outer));
}

static void places_know_their_zone_country_money_and_language(void **state)
{
    (void) state;
    assert_string_equal(travel_zone_of(CTN_STR("Viena")), "Europe/Vienna");
    assert_string_equal(travel_zone_of(CTN_STR("LPA")), "Atlantic/Canary");
    assert_string_equal(travel_zone_of(CTN_STR("Tenerife")), "Atlantic/Canary");
    assert_null(travel_zone_of(CTN_STR("Xanaduu")));
    const travel_country *c = travel_country_of(travel_place_by_name(CTN_STR("Krakow")));
    assert_string_equal(c->code, "PL");
    assert_string_equal(c->currency, "PLN");
    assert_string_equal(c->language, "pl");
    assert_string_equal(travel_country_by_code(CTN_STR("HR"))->currency, "EUR");
    assert_string_equal(travel_airline_by_code(CTN_STR("BA"))->name, "British Airways");
}

static void every_place_points_at_rows_that_exist(void **state)
{
    (void) state;
    assert_true(travel_place_count > 50000);
    for (size_t i = 0; i < travel_place_count; i++) {
        const travel_place *p = &travel_places[i];
        assert_true(travel_place_name(p)[0] != '\0');
        const travel_airport *a = travel_place_airport(p);
        if (a)
            assert_ptr_equal(travel_airport_by_code(ctn_str_from(a->code)), a);
        assert_true(!travel_place_country(p) || travel_place_kind(travel_place_country(p)) == TRAVEL_COUNTRY);
        assert_false(travel_place_holds(p, p));
    }
    for (size_t i = 1; i < travel_name_count; i++)
        assert_true(strcmp(travel_text + travel_names[i - 1].text, travel_text + travel_names[i].text) <= 0);
}

static void containing_places_are_known_as_such(void **state)
{
    (void) state;
    assert_true(travel_place_contains("Italy", "Rome"));
    assert_true(travel_place_contains("Tanzania", "Serengeti"));
    assert_true(travel_place_contains("Canary Islands", "Tenerife"));
    assert_false(travel_place_contains("Rome", "Italy"));
    assert_false(travel_place_contains("Malta", "Malta"));
    assert_ptr_equal(travel_airport_for(CTN_STR("gatwick")), travel_airport_by_code(CTN_STR("LGW")));
    assert_null(travel_airport_for(CTN_STR("Xanaduu")));
    assert_null(travel_airport_for(CTN_STR("")));
}

static void days_and_dates_agree(void **state)
{
    (void) state;
    travel_day day, again;
    char text[11];
    assert_true(travel_day_from(1970, 1, 1, &day));
    assert_int_equal(day, 0);
    assert_true(travel_day_from(2026, 10, 24, &day));
    assert_int_equal(travel_day_weekday(day), 5);
    assert_false(travel_day_from(2026, 2, 29, &day));
    assert_false(travel_day_from(2026, 13, 1, &day));
    assert_true(travel_day_from(2024, 2, 29, &day));
    travel_day first = 0, last = 0;
    assert_true(travel_day_from(1900, 1, 1, &first));
    assert_true(travel_day_from(2200, 12, 31, &last));
    for (day = first; day <= last; day++) {
        travel_day_format(day, text);
        assert_true(travel_day_parse(ctn_str_from(text), &again));
        assert_int_equal(day, again);
    }
    assert_true(travel_day_parse(CTN_STR("2026-01-14T18:16:00Z"), &day));
    assert_false(travel_day_parse(CTN_STR("2026-1-14"), &day));
    assert_false(travel_day_parse(CTN_STR(""), &day));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_those_of_the_world),
        cmocka_unit_test(codes_are_unique_and_positions_are_on_earth),
        cmocka_unit_test(places_are_known_by_their_names_in_four_languages),
        cmocka_unit_test(a_text_that_says_where_gets_that_place),
        cmocka_unit_test(places_know_their_zone_country_money_and_language),
        cmocka_unit_test(every_place_points_at_rows_that_exist),
        cmocka_unit_test(containing_places_are_known_as_such),
        cmocka_unit_test(days_and_dates_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
