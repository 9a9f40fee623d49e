/* The tables are real data: distances are those of the world, and every name leads to an airport. */
#include "support.h"

#include "kit/calendar.h"
#include "places/places.h"

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
        assert_true(a->latitude > -60 && a->latitude < 75 && a->longitude > -180 && a->longitude < 180);
        assert_in_range(a->hub, 1, 4);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(a->code, travel_airports[j].code);
    }
}

static void every_place_is_served_by_a_known_airport(void **state)
{
    (void) state;
    for (size_t i = 0; i < travel_place_count; i++) {
        const travel_place *p = &travel_places[i];
        if (!travel_airport_by_code(ctn_str_from(p->airport)))
            fail_msg("%s: no airport %s", p->name, p->airport);
        assert_ptr_equal(travel_place_by_name(ctn_str_from(p->name)), p);
        ctn_str outer = ctn_str_from(p->within);
        while (outer.ptr) {
            ctn_str name = ctn_str_cut(&outer, '|');
            if (name.len > 0 && !travel_place_by_name(name))
                fail_msg("%s lies in %.*s, which is not in the table", p->name, CTN_STR_ARG(name));
        }
    }
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
    assert_null(travel_airport_for(CTN_STR("Atlantis")));
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
        cmocka_unit_test(every_place_is_served_by_a_known_airport),
        cmocka_unit_test(containing_places_are_known_as_such),
        cmocka_unit_test(days_and_dates_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
