/* Dates, money, numbers, counts and lists read as a person would write them in each of the four languages. */
#include "support.h"

#include "kit/words.h"

static travel_day day(int year, int month, int of_month)
{
    travel_day d = 0;
    assert_true(travel_day_from(year, month, of_month, &d));
    return d;
}

/* Fails with both texts; `row` says where. */
static void same(const char *row, int language, ctn_str got, const char *want)
{
    if (!ctn_str_is(got, want))
        fail_msg("%s in %s: \"%.*s\", not \"%s\"", row, travel_language_code((travel_language) language),
                 CTN_STR_ARG(got), want);
}

static void dates_are_written_as_each_language_writes_them(void **state)
{
    (void) state;
    static const char *const date[] = {"12 June 2026", "12 de junio de 2026", "12 juin 2026", "12. Juni 2026"};
    static const char *const first[] = {"1 June 2026", "1 de junio de 2026", "1er juin 2026", "1. Juni 2026"};
    static const char *const long_date[] = {"Friday 12 June 2026", "viernes, 12 de junio de 2026",
                                            "vendredi 12 juin 2026", "Freitag, 12. Juni 2026"};
    static const char *const short_date[] = {"Fri 12 Jun", "vie 12 jun", "ven. 12 juin", "Fr., 12. Juni"};
    static const char *const month[] = {"August 2026", "agosto de 2026", "août 2026", "August 2026"};
    ctn_arena *arena = ctn_arena_new(4096);
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        travel_language language = (travel_language) l;
        same("date", l, travel_date_shown(arena, day(2026, 6, 12), language), date[l]);
        same("first", l, travel_date_shown(arena, day(2026, 6, 1), language), first[l]);
        same("long", l, travel_date_long_shown(arena, day(2026, 6, 12), language), long_date[l]);
        same("short", l, travel_date_short_shown(arena, day(2026, 6, 12), language), short_date[l]);
        same("month", l, travel_month_shown(arena, 2026, 8, language), month[l]);
    }
    ctn_arena_free(arena);
}

static void a_range_of_dates_says_once_what_its_ends_share(void **state)
{
    (void) state;
    static const struct {
        int from[3], to[3];
        const char *shown[4], *said[4];
    } rows[] = {
        {{2026, 6, 12},
         {2026, 6, 19},
         {"12–19 June 2026", "12–19 de junio de 2026", "12–19 juin 2026", "12.–19. Juni 2026"},
         {"from 12 to 19 June 2026", "del 12 al 19 de junio de 2026", "du 12 au 19 juin 2026",
          "vom 12. bis 19. Juni 2026"}},
        {{2026, 6, 28},
         {2026, 7, 1},
         {"28 June – 1 July 2026", "28 de junio – 1 de julio de 2026", "28 juin – 1er juillet 2026",
          "28. Juni – 1. Juli 2026"},
         {"from 28 June to 1 July 2026", "del 28 de junio al 1 de julio de 2026", "du 28 juin au 1er juillet 2026",
          "vom 28. Juni bis 1. Juli 2026"}},
        {{2026, 12, 28},
         {2027, 1, 4},
         {"28 December 2026 – 4 January 2027", "28 de diciembre de 2026 – 4 de enero de 2027",
          "28 décembre 2026 – 4 janvier 2027", "28. Dezember 2026 – 4. Januar 2027"},
         {"from 28 December 2026 to 4 January 2027", "del 28 de diciembre de 2026 al 4 de enero de 2027",
          "du 28 décembre 2026 au 4 janvier 2027", "vom 28. Dezember 2026 bis 4. Januar 2027"}},
        {{2026, 3, 5},
         {2026, 3, 5},
         {"5 March 2026", "5 de marzo de 2026", "5 mars 2026", "5. März 2026"},
         {"on 5 March 2026", "el 5 de marzo de 2026", "le 5 mars 2026", "am 5. März 2026"}},
    };
    ctn_arena *arena = ctn_arena_new(4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
            travel_day from = day(rows[i].from[0], rows[i].from[1], rows[i].from[2]),
                       to = day(rows[i].to[0], rows[i].to[1], rows[i].to[2]);
            same("label", l, travel_dates_shown(arena, from, to, (travel_language) l), rows[i].shown[l]);
            same("sentence", l, travel_dates_said(arena, from, to, (travel_language) l), rows[i].said[l]);
        }
    ctn_arena_free(arena);
}

static void money_has_its_places_and_its_sign_where_they_belong(void **state)
{
    (void) state;
    static const struct {
        travel_cents cents;
        const char *currency, *shown[4];
    } rows[] = {
        {123450, "GBP", {"£1,234.50", "1.234,50\u00a0£", "1\u202f234,50\u00a0£", "1.234,50\u00a0£"}},
        {123450, "EUR", {"€1,234.50", "1.234,50\u00a0€", "1\u202f234,50\u00a0€", "1.234,50\u00a0€"}},
        {123456789,
         "EUR",
         {"€1,234,567.89", "1.234.567,89\u00a0€", "1\u202f234\u202f567,89\u00a0€", "1.234.567,89\u00a0€"}},
        {5, "EUR", {"€0.05", "0,05\u00a0€", "0,05\u00a0€", "0,05\u00a0€"}},
        {-99999, "EUR", {"-€999.99", "-999,99\u00a0€", "-999,99\u00a0€", "-999,99\u00a0€"}},
        {123450, "USD", {"US$1,234.50", "1.234,50\u00a0US$", "1\u202f234,50\u00a0$\u00a0US", "1.234,50\u00a0US$"}},
        {123450, "SEK", {"SEK\u00a01,234.50", "1.234,50\u00a0SEK", "1\u202f234,50\u00a0SEK", "1.234,50\u00a0SEK"}},
        {12345600, "JPY", {"JP¥123,456", "123.456\u00a0JPY", "123\u202f456\u00a0JPY", "123.456\u00a0¥"}},
        {12345650, "HUF", {"HUF\u00a0123,457", "123.457\u00a0HUF", "123\u202f457\u00a0HUF", "123.457\u00a0HUF"}},
        {100, "XYZ", {"XYZ\u00a01.00", "1,00\u00a0XYZ", "1,00\u00a0XYZ", "1,00\u00a0XYZ"}},
        {INT64_MIN,
         "GBP",
         {"-£92,233,720,368,547,758.08", "-92.233.720.368.547.758,08\u00a0£",
          "-92\u202f233\u202f720\u202f368\u202f547\u202f758,08\u00a0£", "-92.233.720.368.547.758,08\u00a0£"}},
    };
    static const char *const whole[] = {"£2,000", "2.000\u00a0£", "2\u202f000\u00a0£", "2.000\u00a0£"};
    static const char *const odd[] = {"£2,000.10", "2.000,10\u00a0£", "2\u202f000,10\u00a0£", "2.000,10\u00a0£"};
    ctn_arena *arena = ctn_arena_new(4096);
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        travel_language language = (travel_language) l;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            same(rows[i].currency, l, travel_money_shown(arena, rows[i].cents, rows[i].currency, language),
                 rows[i].shown[l]);
        same("whole", l, travel_money_short_shown(arena, 200000, "GBP", language), whole[l]);
        same("odd", l, travel_money_short_shown(arena, 200010, "GBP", language), odd[l]);
    }
    assert_int_equal(travel_cents_round(12350, "JPY"), 12400);
    assert_int_equal(travel_cents_round(12349, "JPY"), 12300);
    assert_int_equal(travel_cents_round(12349, "EUR"), 12349);
    ctn_arena_free(arena);
}

static void numbers_and_percents_are_grouped_and_pointed(void **state)
{
    (void) state;
    static const char *const number[] = {"-1,234,567", "-1.234.567", "-1\u202f234\u202f567", "-1.234.567"};
    static const char *const percent[] = {"12.5%", "12,5\u00a0%", "12,5\u00a0%", "12,5\u00a0%"};
    static const char *const fine[] = {"7.05%", "7,05\u00a0%", "7,05\u00a0%", "7,05\u00a0%"};
    ctn_arena *arena = ctn_arena_new(4096);
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        same("number", l, travel_number_shown(arena, -1234567, (travel_language) l), number[l]);
        same("percent", l, travel_percent_shown(arena, 1250, (travel_language) l), percent[l]);
        same("fine percent", l, travel_percent_shown(arena, 705, (travel_language) l), fine[l]);
    }
    same("whole percent", 0, travel_percent_shown(arena, 2000, TRAVEL_EN), "20%");
    ctn_arena_free(arena);
}

static void one_is_singular_and_more_is_plural(void **state)
{
    (void) state;
    static const struct {
        travel_thing thing;
        int64_t count;
        const char *shown[4];
    } rows[] = {
        {TRAVEL_NIGHT, 1, {"1 night", "1 noche", "1 nuit", "1 Nacht"}},
        {TRAVEL_NIGHT, 2, {"2 nights", "2 noches", "2 nuits", "2 Nächte"}},
        {TRAVEL_NIGHT, 0, {"0 nights", "0 noches", "0 nuit", "0 Nächte"}},
        {TRAVEL_ADULT, 1, {"1 adult", "1 adulto", "1 adulte", "1 Erwachsener"}},
        {TRAVEL_ADULT, 2, {"2 adults", "2 adultos", "2 adultes", "2 Erwachsene"}},
        {TRAVEL_CHILD, 1, {"1 child", "1 niño", "1 enfant", "1 Kind"}},
        {TRAVEL_CHILD, 3, {"3 children", "3 niños", "3 enfants", "3 Kinder"}},
        {TRAVEL_PERSON, 1, {"1 person", "1 persona", "1 personne", "1 Person"}},
        {TRAVEL_PERSON, 5, {"5 people", "5 personas", "5 personnes", "5 Personen"}},
        {TRAVEL_ROOM, 2, {"2 rooms", "2 habitaciones", "2 chambres", "2 Zimmer"}},
        {TRAVEL_STAR, 4, {"4 stars", "4 estrellas", "4 étoiles", "4 Sterne"}},
        {TRAVEL_CHANGE, 1, {"1 change", "1 escala", "1 escale", "1 Umstieg"}},
        {TRAVEL_OPTION, 1500, {"1,500 options", "1.500 opciones", "1\u202f500 options", "1.500 Optionen"}},
    };
    static const char *const party[] = {"2 adults and 1 child", "2 adultos y 1 niño", "2 adultes et 1 enfant",
                                        "2 Erwachsene und 1 Kind"};
    ctn_arena *arena = ctn_arena_new(4096);
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            same("count", l, travel_count_shown(arena, rows[i].count, rows[i].thing, (travel_language) l),
                 rows[i].shown[l]);
        for (int thing = 0; thing < TRAVEL_THINGS; thing++) /* no gap in the table */
            assert_true(travel_count_shown(arena, 2, (travel_thing) thing, (travel_language) l).len > 4);
        same("party", l, travel_travellers_shown(arena, 2, 1, (travel_language) l), party[l]);
    }
    same("no children", 0, travel_travellers_shown(arena, 1, 0, TRAVEL_EN), "1 adult");
    same("children alone", 3, travel_travellers_shown(arena, 0, 2, TRAVEL_DE), "2 Kinder");
    same("duration", 0, travel_duration_shown(arena, 125), "2\u00a0h\u00a005\u00a0min");
    ctn_arena_free(arena);
}

static void lists_end_with_the_right_word(void **state)
{
    (void) state;
    static const char *const three[] = {"Rome, Pisa and Bari", "Rome, Pisa y Bari", "Rome, Pisa et Bari",
                                        "Rome, Pisa und Bari"};
    static const struct {
        const char *last, *shown, *shown_or;
    } spanish[] = {
        {"Ibiza", "Roma e Ibiza", "Roma o Ibiza"},    {"Hierro", "Roma y Hierro", "Roma o Hierro"},
        {"Hilton", "Roma e Hilton", "Roma o Hilton"}, {"Íñigo", "Roma e Íñigo", "Roma o Íñigo"},
        {"Oporto", "Roma y Oporto", "Roma u Oporto"}, {"Honolulu", "Roma y Honolulu", "Roma u Honolulu"},
        {"Madrid", "Roma y Madrid", "Roma o Madrid"}, {"Yucatán", "Roma y Yucatán", "Roma o Yucatán"},
    };
    ctn_str items[3] = {CTN_STR("Rome"), CTN_STR("Pisa"), CTN_STR("Bari")};
    ctn_arena *arena = ctn_arena_new(4096);
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        same("three", l, travel_list_shown(arena, items, 3, (travel_language) l), three[l]);
        same("one", l, travel_list_shown(arena, items, 1, (travel_language) l), "Rome");
        same("none", l, travel_list_shown(arena, NULL, 0, (travel_language) l), "");
    }
    for (size_t i = 0; i < sizeof spanish / sizeof *spanish; i++) {
        ctn_str pair[2] = {CTN_STR("Roma"), ctn_str_from(spanish[i].last)};
        same(spanish[i].last, TRAVEL_ES, travel_list_shown(arena, pair, 2, TRAVEL_ES), spanish[i].shown);
        same(spanish[i].last, TRAVEL_ES, travel_list_or_shown(arena, pair, 2, TRAVEL_ES), spanish[i].shown_or);
    }
    ctn_arena_free(arena);
}

static void letters_begin_and_end_politely_with_and_without_a_name(void **state)
{
    (void) state;
    static const char *const named[] = {"Dear Ana Ortiz,", "Hola, Ana Ortiz:", "Bonjour Ana Ortiz,",
                                        "Guten Tag Ana Ortiz,"};
    static const char *const nameless[] = {"Hello,", "Hola:", "Bonjour,", "Guten Tag,"};
    ctn_arena *arena = ctn_arena_new(4096);
    for (int l = 0; l < TRAVEL_LANGUAGES; l++) {
        same("named", l, travel_greeting_shown(arena, CTN_STR(" Ana Ortiz "), (travel_language) l), named[l]);
        same("nameless", l, travel_greeting_shown(arena, CTN_STR("  "), (travel_language) l), nameless[l]);
        assert_true(travel_closing_shown((travel_language) l).len > 0);
    }
    ctn_arena_free(arena);
}

static void a_language_is_told_by_its_code_and_nothing_else(void **state)
{
    (void) state;
    static const struct {
        const char *code;
        int language; /* -1: none */
    } rows[] = {{"en", TRAVEL_EN}, {"es", TRAVEL_ES}, {"FR", TRAVEL_FR}, {"de-AT", TRAVEL_DE}, {"es_MX", TRAVEL_ES},
                {"", -1},          {"d", -1},         {"deu", -1},       {"it", -1},           {"german", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        travel_language language = TRAVEL_EN;
        bool is_known = travel_language_from(ctn_str_from(rows[i].code), &language);
        assert_int_equal(is_known, rows[i].language >= 0);
        if (is_known)
            assert_int_equal(language, rows[i].language);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_written_as_each_language_writes_them),
        cmocka_unit_test(a_range_of_dates_says_once_what_its_ends_share),
        cmocka_unit_test(money_has_its_places_and_its_sign_where_they_belong),
        cmocka_unit_test(numbers_and_percents_are_grouped_and_pointed),
        cmocka_unit_test(one_is_singular_and_more_is_plural),
        cmocka_unit_test(lists_end_with_the_right_word),
        cmocka_unit_test(letters_begin_and_end_politely_with_and_without_a_name),
        cmocka_unit_test(a_language_is_told_by_its_code_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
