/* What is asked and what is assumed: in the client's language, with right plurals, and never a null for the next step.
 */
#include "support.h"

#include <stdlib.h>
#include <unistd.h>

#include "kit/words.h"

static const char *const LANGUAGES[] = {"en", "es", "fr", "de"};

typedef struct bench {
    ctn_arena *arena;
    travel_tools tools;
} bench;

static void open_bench(bench *b)
{
    *b = (bench){.arena = ctn_arena_new(65536), .tools = tools_for_test(NULL)};
}

static void close_bench(bench *b)
{
    travel_tools_done(&b->tools);
    ctn_arena_free(b->arena);
}

/* requirements and more arguments as JSON; "started_at" is 8 March 2026. */
static const ctn_json *check(bench *b, const char *requirements, const char *more)
{
    ctn_str arguments = ctn_arena_printf(b->arena, "{\"requirements\":%s,\"started_at\":\"2026-03-08T11:47:00Z\"%s%s}",
                                         requirements, *more ? "," : "", more);
    return result_of(&b->tools, "validate_requirements", b->arena, json_from(b->arena, arguments));
}

static bool flag(const ctn_json *v, const char *key)
{
    assert_true(ctn_json_is_bool(ctn_json_member_of(v, key)));
    return ctn_json_bool_or(v, key, false);
}

static ctn_str at(bench *b, const ctn_json *v, const char *pointer)
{
    const ctn_json *value = ctn_json_pointer(v, ctn_str_from(pointer));
    return ctn_json_is(value, CTN_JSON_STRING) ? ctn_json_text(value) : ctn_json_to_str(b->arena, value);
}

static bool holds(ctn_str text, const char *part)
{
    return ctn_str_find(text, ctn_str_from(part)) != SIZE_MAX;
}

#define FULL                                                                                                           \
    "{\"origin\":\"Manchester\",\"destinations\":[\"Hanoi\",\"Hoi An\",\"Ho Chi Minh City\"],"                         \
    "\"start_date\":\"2026-10-24\",\"end_date\":\"2026-11-01\",\"nights\":8,\"adults\":4,\"children\":1,"              \
    "\"children_ages\":[12],\"trip_type\":\"family\",\"interests\":[\"food\",\"history\"]}"
#define CLIENT_ANA                                                                                                     \
    "\"client\":{\"name\":\"Ana\",\"email\":\"ana@example.com\"},\"budget\":{\"amount\":900,\"currency\":\"EUR\"}"

static void what_is_missing_decides_who_is_asked(void **state)
{
    (void) state;
    static const struct {
        const char *requirements, *more;
        bool must_ask, can_be_searched;
        const char *first_question; /* NULL: none */
    } ROWS[] = {
        {FULL, CLIENT_ANA, false, true, NULL},
        {FULL, "\"client\":{}", false, true, "What budget do you have in mind, in total or per person?"},
        {"{\"destinations\":[\"Rome\"],\"origin\":\"Leeds\",\"adults\":2}", CLIENT_ANA, false, true,
         "Which day would you like to leave?"},
        {"{\"destinations\":[\"Rome\"],\"adults\":2}", CLIENT_ANA, true, true, "Where would you like to travel from?"},
        {"{\"destinations\":[\"Rome\"],\"origin\":\"Leeds\"}", CLIENT_ANA, true, true,
         "How many adults and children will travel, and how old are the children?"},
        {"{\"destinations\":[],\"origin\":\"Leeds\",\"adults\":2}", CLIENT_ANA, true, false,
         "Where would you like to go?"},
        {"{\"destinations\":[\"Xanadu\"],\"origin\":\"Leeds\",\"adults\":2}", CLIENT_ANA, true, false,
         "Which town or airport would suit you best for Xanadu?"},
        {"{\"destinations\":[\"Rome\"],\"origin\":\"Xanadu\",\"adults\":2}", CLIENT_ANA, false, true,
         "Which town or airport would suit you best for Xanadu?"},
        {"{\"destinations\":[\"Rome\"],\"adults\":2}", CLIENT_ANA ",\"must_know\":[\"destinations\"]", false, true,
         "Where would you like to travel from?"},
        {"{\"destinations\":[\"Rome\"],\"origin\":\"Leeds\",\"adults\":2}", CLIENT_ANA ",\"must_know\":[\"dates\"]",
         true, true, "Which day would you like to leave?"},
        {"{}", "", true, false, "Where would you like to go?"},
    };
    bench b;
    open_bench(&b);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const ctn_json *v = check(&b, ROWS[i].requirements, ROWS[i].more);
        const ctn_json *first = ctn_json_pointer(v, CTN_STR("/questions/0"));
        bool asks_that = ROWS[i].first_question ? ctn_str_is(ctn_json_text(first), ROWS[i].first_question) : !first;
        if (flag(v, "must_ask") != ROWS[i].must_ask || flag(v, "can_be_searched") != ROWS[i].can_be_searched ||
            !asks_that)
            fail_msg("%s: %.*s", ROWS[i].requirements, CTN_STR_ARG(ctn_json_to_str(b.arena, v)));
    }
    close_bench(&b);
}

static void a_word_that_means_nothing_is_told_with_the_nearest(void **state)
{
    (void) state;
    bench b;
    open_bench(&b);
    ctn_err err = {0};
    const ctn_json *result,
        *arguments = json_from(b.arena, CTN_STR("{\"requirements\":{},\"must_know\":[\"travelers\"]}"));
    assert_int_equal(run_tool(&b.tools, "validate_requirements", b.arena, arguments, &result, &err), CTN_E_INVALID);
    assert_true(holds(ctn_str_from(err.message), "nothing is called travelers; did you mean travellers?"));
    close_bench(&b);
}

/* Whatever is not said, in every language: no null, no empty sentence, no hole in one. */
static void nothing_is_null_and_every_sentence_is_whole(void **state)
{
    (void) state;
    static const char *const TRIPS[] = {
        FULL,
        "{}",
        "{\"origin\":null,\"destinations\":null,\"start_date\":null,\"nights\":null,\"adults\":null,\"children\":null,"
        "\"month\":null,\"trip_type\":null,\"interests\":null}",
        "{\"origin\":\"Xanadu\",\"destinations\":[\"Lisbon\",\"Porto\"],\"alternatives\":true,\"month\":\"2026-12\","
        "\"interests\":[\"cruise\",\"kosher\"]}",
        "{\"destinations\":[\"Lisbon\",\"Xanadu\"],\"nights\":400,\"adults\":200,\"children\":3,\"currency\":\"XXX\"}",
        "{\"destinations\":[\"Lisbon\"],\"nights\":1,\"adults\":1,\"start_date\":\"2026-06-01\"}",
    };
    bench b;
    open_bench(&b);
    for (size_t i = 0; i < sizeof TRIPS / sizeof *TRIPS; i++) {
        for (size_t k = 0; k < 4; k++) {
            const ctn_json *v = check(&b, TRIPS[i], ctn_arena_printf(b.arena, "\"language\":\"%s\"", LANGUAGES[k]).ptr);
            ctn_str text = ctn_json_to_str(b.arena, v);
            if (has_null(v) || holds(text, "%s") || holds(text, "  ") || holds(text, "1 nights") ||
                holds(text, "1 adults"))
                fail_msg("%s in %s: %.*s", TRIPS[i], LANGUAGES[k], CTN_STR_ARG(text));
            const ctn_json *complete = ctn_json_member_of(v, "complete_requirements");
            assert_true(flag(complete, "has_assumptions") ==
                        (ctn_json_count(ctn_json_member_of(complete, "assumptions")) > 0));
            assert_true(ctn_str_is(at(&b, complete, "/language"), LANGUAGES[k]));
        }
    }
    close_bench(&b);
}

static void a_trip_is_told_in_the_clients_language(void **state)
{
    (void) state;
    static const char *const SUMMARIES[] = {
        "a family trip for 4 adults and 1 child from Manchester to Hanoi, Hoi An and Ho Chi Minh City, from 24 October "
        "to "
        "1 November 2026 (8 nights)",
        "un viaje en familia para 4 adultos y 1 niño desde Mánchester a Hanói, Hoi An y Ciudad Ho Chi Minh, del 24 de "
        "octubre al 1 de noviembre de 2026 (8 noches)",
        "un voyage en famille pour 4 adultes et 1 enfant au départ de Manchester, destination Hanoï, Hôi An et Hô Chi "
        "Minh Ville, du 24 octobre au 1er novembre 2026 (8 nuits)",
        "eine Familienreise für 4 Erwachsene und 1 Kind ab Manchester nach Hanoi, Hội An und Ho-Chi-Minh-Stadt, vom "
        "24. "
        "Oktober bis 1. November 2026 (8 Nächte)",
    };
    static const char *const WISHES[] = {"good food and history", "buena comida e historia",
                                         "la bonne cuisine et l’histoire", "gutes Essen und Geschichte"};
    bench b;
    open_bench(&b);
    for (size_t k = 0; k < 4; k++) {
        const ctn_json *v = check(&b, FULL, ctn_arena_printf(b.arena, "\"language\":\"%s\"", LANGUAGES[k]).ptr);
        ctn_str summary = at(&b, v, "/complete_requirements/summary"),
                wishes = at(&b, v, "/complete_requirements/wishes");
        if (!ctn_str_is(summary, SUMMARIES[k]) || !ctn_str_is(wishes, WISHES[k]))
            fail_msg("%.*s; %.*s", CTN_STR_ARG(summary), CTN_STR_ARG(wishes));
    }
    close_bench(&b);
}

/* Out to the first stop, home from the last; who asks is nobody's business but ours. */
static void a_provider_is_told_the_trip_and_nothing_of_the_client(void **state)
{
    (void) state;
    bench b;
    open_bench(&b);
    const ctn_json *request = ctn_json_member_of(check(&b, FULL, CLIENT_ANA), "search_request");
    ctn_str text = ctn_json_to_str(b.arena, request);
    assert_false(holds(text, "Ana") || holds(text, "ana@") || holds(text, "900"));
    assert_true(ctn_str_is(at(&b, request, "/destinations"), "[\"Hanoi\",\"Hoi An\",\"Ho Chi Minh City\"]"));
    assert_true(ctn_str_is(at(&b, request, "/children_ages"), "[12]"));
    assert_true(ctn_str_is(at(&b, request, "/currency"), "EUR"));
    const ctn_json *arguments =
        json_from(b.arena, ctn_arena_printf(b.arena, "{\"requirements\":%.*s}", CTN_STR_ARG(text)));
    const ctn_json *flights = result_of(&b.tools, "search_flights", b.arena, arguments);
    const ctn_json *legs = ctn_json_pointer(flights, CTN_STR("/offers/0/legs"));
    text = ctn_json_to_str(b.arena, legs);
    assert_true(ctn_json_count(legs) == 4 && holds(text, "SGN") && holds(text, "HAN"));
    /* Of places to choose from the first is searched, and only that. */
    request = ctn_json_member_of(check(&b, "{\"destinations\":[\"Rome\",\"Lisbon\"],\"alternatives\":true}", ""),
                                 "search_request");
    assert_true(ctn_str_is(at(&b, request, "/destinations"), "[\"Rome\"]"));
    close_bench(&b);
}

/* "In March", said on the 28th: not a day that is over. */
static void a_month_that_is_nearly_over_gives_a_day_to_come(void **state)
{
    (void) state;
    bench b;
    open_bench(&b);
    static const struct {
        const char *today, *start;
    } ROWS[] = {{"2026-03-08", "2026-03-14"},
                {"2026-03-14", "2026-03-21"},
                {"2026-03-20", "2026-03-21"},
                {"2026-02-01", "2026-03-14"}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        ctn_str arguments = ctn_arena_printf(b.arena,
                                             "{\"requirements\":{\"destinations\":[\"Rome\"],\"month\":\"2026-03\"},"
                                             "\"started_at\":\"%sT11:00:00Z\"}",
                                             ROWS[i].today);
        const ctn_json *v = result_of(&b.tools, "validate_requirements", b.arena, json_from(b.arena, arguments));
        if (!ctn_str_is(at(&b, v, "/search_request/start_date"), ROWS[i].start))
            fail_msg("%s: %.*s", ROWS[i].today, CTN_STR_ARG(at(&b, v, "/search_request/start_date")));
    }
    close_bench(&b);
}

/* ---- asking ---- */

static void a_question_goes_back_the_way_the_lead_came(void **state)
{
    (void) state;
    static const struct {
        const char *client, *channel, *way;
    } ROWS[] = {
        {"{\"email\":\"a@example.com\",\"phone\":\"+447700900001\"}", "whatsapp", "whatsapp"},
        {"{\"email\":\"a@example.com\",\"phone\":\"+447700900001\"}", "email", "email"},
        {"{\"email\":\"a@example.com\",\"phone\":\"+447700900001\"}", "web", "email"},
        {"{\"email\":\"a@example.com\",\"phone\":null}", "whatsapp", "email"},
        {"{\"phone\":\"+447700900001\"}", "email", "phone"},
        {"{\"phone\":\"+447700900001\"}", "", "phone"},
        {"{\"name\":\"Ana\"}", "whatsapp", "desk"},
    };
    bench b;
    open_bench(&b);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        ctn_str arguments = ctn_arena_printf(b.arena, "{\"client\":%s,\"channel\":\"%s\",\"questions\":[\"Where?\"]}",
                                             ROWS[i].client, ROWS[i].channel);
        const ctn_json *v = result_of(&b.tools, "write_question", b.arena, json_from(b.arena, arguments));
        if (!ctn_str_is(at(&b, v, "/channel"), ROWS[i].way))
            fail_msg("%.*s: %.*s", CTN_STR_ARG(arguments), CTN_STR_ARG(at(&b, v, "/channel")));
    }
    close_bench(&b);
}

static void a_question_reads_as_a_letter(void **state)
{
    (void) state;
    bench b;
    open_bench(&b);
    const ctn_json *one = result_of(
        &b.tools, "write_question", b.arena,
        json_from(b.arena,
                  CTN_STR("{\"client\":{\"name\":\"Jürgen Weißenfels\"},\"language\":\"de\",\"questions\":[\"Von "
                          "wo möchten Sie abreisen?\"]}")));
    assert_true(ctn_str_is(at(&b, one, "/subject"), "Eine Frage zu Ihrer Reise"));
    assert_true(
        ctn_str_is(at(&b, one, "/message"),
                   "Guten Tag Jürgen Weißenfels,\n\nvielen Dank für Ihre Nachricht. Bevor wir Ihr Angebot "
                   "ausarbeiten, haben wir eine Frage:\n\nVon wo möchten Sie abreisen?\n\nEine kurze Antwort auf "
                   "diese Nachricht genügt.\n\nMit freundlichen Grüßen\nYour travel desk\n"));
    const ctn_json *two = result_of(&b.tools, "write_question", b.arena,
                                    json_from(b.arena, CTN_STR("{\"client\":{},\"language\":\"en\",\"round\":\"again\","
                                                               "\"questions\":[\"Where {x}?\",\"Who?\"]}")));
    assert_true(ctn_str_is(at(&b, two, "/message"),
                           "Hello,\n\nThank you for your answer. A few questions are still open:\n\n- Where {x}?\n- "
                           "Who?\n\nA short answer to this message is enough.\n\nKind regards,\nYour travel desk\n"));
    close_bench(&b);
}

static void a_letter_without_a_question_is_not_written(void **state)
{
    (void) state;
    static const char *const BAD[] = {
        "{}",
        "{\"questions\":[]}",
        "{\"questions\":[\"a\",\" \"]}",
        "{\"questions\":\"a\"}",
        "{\"questions\":[7]}",
        ("{\"questions\":[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
         "\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]}")};
    bench b;
    open_bench(&b);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const ctn_json *result;
        ctn_err err = {0};
        assert_int_equal(
            run_tool(&b.tools, "write_question", b.arena, json_from(b.arena, ctn_str_from(BAD[i])), &result, &err),
            CTN_E_INVALID);
        assert_true(holds(ctn_str_from(err.message), "questions"));
    }
    close_bench(&b);
}

/* Once planned a trip is searched and priced as it is: only the check moves it. */
static void a_day_that_has_passed_is_not_priced(void **state)
{
    (void) state;
    static const struct {
        const char *said, *priced;
    } ROWS[] = {{"2020-06-01", "2026-06-01"},
                {"2025-03-01", "2027-03-01"},
                {"2024-02-29", "2028-02-29"},
                {"2026-03-08", "2026-03-08"}};
    bench b;
    open_bench(&b);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (size_t k = 0; k < 4; k++) {
            const ctn_json *v = check(&b,
                                      ctn_arena_printf(b.arena,
                                                       "{\"destinations\":[\"Rome\"],\"origin\":\"Leeds\","
                                                       "\"adults\":2,\"nights\":3,\"start_date\":\"%s\"}",
                                                       ROWS[i].said)
                                          .ptr,
                                      ctn_arena_printf(b.arena, "\"language\":\"%s\"", LANGUAGES[k]).ptr);
            bool is_told = ctn_json_pointer(v, CTN_STR("/complete_requirements/assumptions/0")) != NULL;
            if (!ctn_str_is(at(&b, v, "/search_request/start_date"), ROWS[i].priced) ||
                is_told != (strcmp(ROWS[i].said, ROWS[i].priced) != 0))
                fail_msg("%s: %.*s", ROWS[i].said, CTN_STR_ARG(ctn_json_to_str(b.arena, v)));
        }
    close_bench(&b);
}

static void where_nobody_names_a_currency_it_is_the_agencys(void **state)
{
    (void) state;
    static const struct {
        const char *budget, *currency;
    } ROWS[] = {{"{}", "EUR"}, {"{\"amount\":900,\"currency\":null}", "EUR"}, {"{\"currency\":\"USD\"}", "USD"}};
    char path[] = "/tmp/travel-agency-XXXXXX";
    static const char YAML[] = "pricing: {currency: EUR}\n";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, YAML, sizeof YAML - 1), (ssize_t) sizeof YAML - 1);
    close(fd);
    bench b;
    open_bench(&b);
    travel_agency_close(b.tools.agency);
    assert_int_equal(travel_agency_open(path, &b.tools.agency, NULL), CTN_OK);
    unlink(path);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const ctn_json *v = check(&b, "{\"destinations\":[\"Rome\"],\"origin\":\"Leeds\",\"adults\":2}",
                                  ctn_arena_printf(b.arena, "\"budget\":%s", ROWS[i].budget).ptr);
        assert_true(ctn_str_is(at(&b, v, "/search_request/currency"), ROWS[i].currency));
        assert_true(ctn_str_is(at(&b, v, "/complete_requirements/currency"), ROWS[i].currency));
    }
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_decides_who_is_asked),
        cmocka_unit_test(a_word_that_means_nothing_is_told_with_the_nearest),
        cmocka_unit_test(nothing_is_null_and_every_sentence_is_whole),
        cmocka_unit_test(a_trip_is_told_in_the_clients_language),
        cmocka_unit_test(a_provider_is_told_the_trip_and_nothing_of_the_client),
        cmocka_unit_test(a_month_that_is_nearly_over_gives_a_day_to_come),
        cmocka_unit_test(a_day_that_has_passed_is_not_priced),
        cmocka_unit_test(where_nobody_names_a_currency_it_is_the_agencys),
        cmocka_unit_test(a_question_goes_back_the_way_the_lead_came),
        cmocka_unit_test(a_question_reads_as_a_letter),
        cmocka_unit_test(a_letter_without_a_question_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
