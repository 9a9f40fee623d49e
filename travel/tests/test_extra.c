/*
 * The tools of the small chains: a reminder comes at ten by the client's clock and never at night, a short letter has
 * every fact it speaks of, in each language.
 */
#include "support.h"

#include "kit/words.h"

typedef struct moment {
    const char *question, *remind_at, *local, *is_late, *is_past;
} moment;

static void a_reminder_comes_at_ten_by_the_clients_clock(void **state)
{
    (void) state;
    static const moment MOMENTS[] = {
        {"{\"date\":\"2027-06-01\",\"days_before\":42,\"timezone\":\"Europe/Madrid\",\"now\":\"2027-01-01T00:00:00Z\"}",
         "2027-04-20T08:00:00.000Z", "2027-04-20 10:00", "false", "false"},
        /* the day after the clocks went forward */
        {"{\"date\":\"2027-03-29\",\"days_before\":0,\"timezone\":\"Europe/Madrid\",\"now\":\"2027-01-01T00:00:00Z\"}",
         "2027-03-29T08:00:00.000Z", "2027-03-29 10:00", "false", "false"},
        {"{\"date\":\"2027-03-27\",\"days_before\":0,\"timezone\":\"Europe/Madrid\",\"now\":\"2027-01-01T00:00:00Z\"}",
         "2027-03-27T09:00:00.000Z", "2027-03-27 10:00", "false", "false"},
        /* it is six in the morning there: today; it is seven in the evening: tomorrow, never at once */
        {"{\"date\":\"2027-06-01\",\"days_before\":42,\"timezone\":\"America/Lima\",\"now\":\"2027-05-20T11:00:00Z\"}",
         "2027-05-20T15:00:00.000Z", "2027-05-20 10:00", "true", "false"},
        {"{\"date\":\"2027-06-01\",\"days_before\":42,\"timezone\":\"America/Lima\",\"now\":\"2027-05-21T00:00:00Z\"}",
         "2027-05-21T15:00:00.000Z", "2027-05-21 10:00", "true", "false"},
        /* where it is tomorrow already */
        {"{\"date\":\"2027-06-01\",\"days_before\":42,\"timezone\":\"Pacific/"
         "Auckland\",\"now\":\"2027-05-20T21:00:00Z\"}",
         "2027-05-20T22:00:00.000Z", "2027-05-21 10:00", "true", "false"},
        {"{\"date\":\"2027-06-01\",\"days_before\":14,\"timezone\":\"UTC\",\"now\":\"2027-05-31T12:00:00Z\"}",
         "2027-06-01T10:00:00.000Z", "2027-06-01 10:00", "true", "true"},
        {"{\"date\":\"2020-06-01\",\"days_before\":\"14\",\"hour\":8,\"timezone\":\"UTC\",\"now\":\"2027-05-31T07:00:"
         "00Z\"}",
         "2027-05-31T08:00:00.000Z", "2027-05-31 08:00", "true", "true"},
    };
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    for (size_t i = 0; i < sizeof MOMENTS / sizeof *MOMENTS; i++) {
        const ctn_json *plan =
            result_of(&tools, "plan_reminder", arena, json_from(arena, ctn_str_from(MOMENTS[i].question)));
        assert_string_equal(ctn_json_text(ctn_json_member_of(plan, "remind_at")).ptr, MOMENTS[i].remind_at);
        assert_string_equal(ctn_json_text(ctn_json_member_of(plan, "local_time")).ptr, MOMENTS[i].local);
        assert_string_equal(ctn_json_to_str(arena, ctn_json_member_of(plan, "is_late")).ptr, MOMENTS[i].is_late);
        assert_string_equal(ctn_json_to_str(arena, ctn_json_member_of(plan, "is_past")).ptr, MOMENTS[i].is_past);
    }
    travel_agency_close(tools.agency);
    ctn_arena_free(arena);
}

static void refused(travel_tools *tools, ctn_arena *arena, const char *tool, const char *question, const char *word)
{
    ctn_err err = {0};
    const ctn_json *result = NULL;
    assert_int_not_equal(run_tool(tools, tool, arena, json_from(arena, ctn_str_from(question)), &result, &err), CTN_OK);
    if (!strstr(err.message, word))
        fail_msg("\"%s\" is not in \"%s\"", word, err.message);
}

static void what_is_wrong_is_named(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    refused(&tools, arena, "plan_reminder", "{\"days_before\":1}", "date is missing");
    refused(&tools, arena, "plan_reminder", "{\"date\":\"soon\",\"days_before\":1}", "date must be");
    refused(&tools, arena, "plan_reminder", "{\"date\":\"2027-06-01\",\"days_before\":-1}", "days_before");
    refused(&tools, arena, "plan_reminder", "{\"date\":\"2027-06-01\",\"days_before\":\"many\"}", "days_before");
    refused(&tools, arena, "plan_reminder", "{\"date\":\"2027-06-01\",\"days_before\":1,\"hour\":24}", "hour");
    refused(&tools, arena, "plan_reminder", "{\"date\":\"2027-06-01\",\"days_before\":1,\"timezone\":\"Mars/Base\"}",
            "no such time zone");
    refused(&tools, arena, "plan_reminder", "{\"date\":\"2027-06-01\",\"days_before\":1,\"now\":\"noon\"}", "now");
    refused(&tools, arena, "write_notice", "{\"notice\":\"visum\",\"place\":\"Japan\",\"date\":\"2027-06-01\"}",
            "visa, visa_last or price");
    refused(&tools, arena, "write_notice", "{\"notice\":\"visa\",\"date\":\"2027-06-01\"}", "place");
    refused(&tools, arena, "write_notice", "{\"notice\":\"price\",\"place\":\"Rome\",\"date\":\"2027-06-01\"}",
            "currency");
    refused(&tools, arena, "write_notice",
            "{\"notice\":\"price\",\"place\":\"Rome\",\"date\":\"2027-06-01\",\"currency\":\"EUR\",\"price\":\"1e3\","
            "\"price_before\":\"1300.00\"}",
            "price must be an amount");
    refused(
        &tools, arena, "write_notice",
        "{\"notice\":\"price\",\"place\":\"Rome\",\"date\":\"2027-06-01\",\"currency\":\"EUR\",\"price\":\"1300.00\","
        "\"price_before\":\"1300.00\"}",
        "no news");
    travel_agency_close(tools.agency);
    ctn_arena_free(arena);
}

static ctn_str letter(travel_tools *tools, ctn_arena *arena, const char *notice, const char *language, const char *name,
                      const char *place)
{
    ctn_json_builder q = ctn_json_object(arena);
    ctn_json_put_str(&q, "notice", ctn_str_from(notice));
    ctn_json_put_str(&q, "language", ctn_str_from(language));
    ctn_json_put_str(&q, "name", ctn_str_from(name));
    ctn_json_put_str(&q, "place", ctn_str_from(place));
    ctn_json_put_str(&q, "date", CTN_STR("2027-06-01"));
    ctn_json_put_str(&q, "currency", CTN_STR("EUR"));
    ctn_json_put_str(&q, "price", CTN_STR("1150.50"));
    ctn_json_put_str(&q, "price_before", CTN_STR("1300"));
    const ctn_json *r = result_of(tools, "write_notice", arena, ctn_json_finish(&q));
    return ctn_arena_printf(arena, "%.*s\n\n%.*s", CTN_STR_ARG(ctn_json_text(ctn_json_member_of(r, "subject"))),
                            CTN_STR_ARG(ctn_json_text(ctn_json_member_of(r, "message"))));
}

static bool has(ctn_str text, const char *part)
{
    return ctn_str_find(text, ctn_str_from(part)) != SIZE_MAX;
}

static void a_letter_has_every_fact_in_each_language(void **state)
{
    (void) state;
    static const char *const notices[] = {"visa", "visa_last", "price"};
    static const char *const languages[] = {"en", "es", "fr", "de"};
    static const char *const days[] = {"1 June 2027", "1 de junio de 2027", "1er juin 2027", "1. Juni 2027"};
    static const char *const places[] = {"Japan", "Japón", "Japon", "Japan"};
    static const char *const saved[] = {"€149.50", "149,50\u00a0€", "149,50\u00a0€", "149,50\u00a0€"};
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    for (size_t n = 0; n < 3; n++)
        for (size_t l = 0; l < 4; l++) {
            ctn_str text = letter(&tools, arena, notices[n], languages[l], "Ana Ortiz", "Japan");
            assert_true(has(text, "Ana Ortiz") && has(text, places[l]) && has(text, days[l]));
            assert_true(n < 2 || has(text, saved[l]));
            assert_true(has(text, "Your travel desk"));
            assert_false(has(text, "{") || has(text, "}") || has(text, "  ") || has(text, "()") || has(text, "\n\n\n"));
        }
    /* No name is no hole; another language is the agency's. */
    ctn_str text = letter(&tools, arena, "visa", "it", "", "Japan");
    assert_true(has(text, "\n\nHello,\n\n") && has(text, "Kind regards"));
    travel_agency_close(tools.agency);
    ctn_arena_free(arena);
}

/* What a client calls himself, or somebody calls a place, is a fact and no form to be filled in. */
static void what_a_fact_contains_is_not_filled_in(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    ctn_str text = letter(&tools, arena, "price", "en", "{money}", "{before} %s {{saved}}");
    assert_true(has(text, "Dear {money},"));
    assert_true(has(text, "({before} %s {{saved}}, departure"));
    travel_agency_close(tools.agency);
    ctn_arena_free(arena);
}

/* ---- watched prices ---- */

typedef struct crm_folder {
    char path[64], crm[96];
} crm_folder;

static travel_tools tools_with_crm(crm_folder *f)
{
    snprintf(f->path, sizeof f->path, "/tmp/catena-travel-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    snprintf(f->crm, sizeof f->crm, "%s/crm.db", f->path);
    return tools_for_test(f->crm);
}

static void remove_crm(const crm_folder *f, travel_tools *tools)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[128];
    travel_tools_done(tools);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", f->crm, ends[i]);
        (void) unlink(path);
    }
    assert_int_equal(rmdir(f->path), 0);
}

static ctn_str answer(travel_tools *tools, ctn_arena *arena, const char *tool, ctn_str question)
{
    return ctn_json_to_str(arena, result_of(tools, tool, arena, json_from(arena, question)));
}

static ctn_str client_of(travel_tools *tools, ctn_arena *arena, const char *email)
{
    ctn_str lead = ctn_arena_printf(
        arena, "{\"key\":\"%s\",\"client\":{\"name\":\"Ana\",\"email\":\"%s\"},\"requirements\":{}}", email, email);
    return ctn_json_text(ctn_json_member_of(result_of(tools, "save_lead", arena, json_from(arena, lead)), "client_id"));
}

static ctn_str watch(travel_tools *tools, ctn_arena *arena, ctn_str client_id, const char *key, const char *date)
{
    ctn_str question =
        ctn_arena_printf(arena,
                         "{\"client_id\":\"%.*s\",\"key\":\"%s\",\"requirements\":{\"destinations\":[\"Rome\","
                         "\"Bari\"],\"start_date\":\"%s\"},\"budget\":{\"currency\":\"EUR\"}}",
                         CTN_STR_ARG(client_id), key, date);
    return ctn_json_text(
        ctn_json_member_of(result_of(tools, "watch_price", arena, json_from(arena, question)), "watch_id"));
}

static bool is_news(travel_tools *tools, ctn_arena *arena, const char *price, const char *currency, const char *key)
{
    ctn_str question = ctn_arena_printf(
        arena, "{\"watch_id\":\"W-000001\",\"price\":\"%s\",\"currency\":\"%s\",\"key\":\"%s\"}", price, currency, key);
    return ctn_str_find(answer(tools, arena, "note_price", question), CTN_STR("\"is_drop\":true")) != SIZE_MAX;
}

/* Up and down again is no news, a few cents are none, and what is news stays so until the client was told. */
static void a_drop_is_news_once(void **state)
{
    (void) state;
    crm_folder f;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_with_crm(&f);
    ctn_str client = client_of(&tools, arena, "ana@example.com");
    assert_string_equal(watch(&tools, arena, client, "w", "2027-06-01").ptr, "W-000001");
    assert_string_equal(watch(&tools, arena, client, "w", "2027-06-01").ptr, "W-000001"); /* the same key */
    assert_false(is_news(&tools, arena, "1000.00", "EUR", "1"));                          /* the first price */
    assert_false(is_news(&tools, arena, "1200.00", "EUR", "2"));
    assert_false(is_news(&tools, arena, "1000.00", "EUR", "3"));
    assert_false(is_news(&tools, arena, "971.00", "EUR", "4")); /* less than 3 % */
    assert_true(is_news(&tools, arena, "900.00", "EUR", "5"));
    assert_true(is_news(&tools, arena, "900.00", "EUR", "5"));
    assert_true(is_news(&tools, arena, "890.00", "EUR", "6")); /* nobody was told yet */
    (void) answer(&tools, arena, "price_told", CTN_STR("{\"watch_id\":\"W-000001\",\"price\":\"890.00\"}"));
    (void) answer(&tools, arena, "price_told", CTN_STR("{\"watch_id\":\"W-000001\",\"price\":\"900.00\"}")); /* late */
    assert_false(is_news(&tools, arena, "890.00", "EUR", "7"));
    assert_true(is_news(&tools, arena, "900.00", "EUR", "5")); /* an old key has its old answer */
    assert_true(is_news(&tools, arena, "800.00", "EUR", "8"));
    assert_false(is_news(&tools, arena, "100.00", "GBP", "9")); /* another currency says nothing of the old one */
    remove_crm(&f, &tools);
    ctn_arena_free(arena);
}

static void a_watch_ends_with_its_trip_its_client_and_when_told(void **state)
{
    (void) state;
    static const char *const today = "{\"started_at\":\"2027-05-01T07:00:00Z\"}";
    crm_folder f;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_with_crm(&f);
    assert_string_equal(answer(&tools, arena, "list_watches", ctn_str_from(today)).ptr, "{\"watches\":[]}");
    ctn_str ana = client_of(&tools, arena, "ana@example.com"), bob = client_of(&tools, arena, "bob@example.com");
    (void) watch(&tools, arena, ana, "1", "2027-05-01"); /* begins today */
    (void) watch(&tools, arena, ana, "2", "2027-05-02");
    (void) watch(&tools, arena, bob, "3", "2027-06-01");
    ctn_str list = answer(&tools, arena, "list_watches", ctn_str_from(today));
    assert_false(has(list, "W-000001"));
    assert_true(has(list, "\"place\":\"Rome, Bari\"") && has(list, "W-000002") && has(list, "W-000003"));
    (void) answer(&tools, arena, "stop_watch", CTN_STR("{\"watch_id\":\"W-000002\"}"));
    (void) answer(&tools, arena, "stop_watch", CTN_STR("{\"watch_id\":\"W-000002\"}"));
    refused(&tools, arena, "note_price", "{\"watch_id\":\"W-000002\",\"price\":\"1.00\",\"currency\":\"EUR\"}",
            "W-000002 is closed");
    refused(&tools, arena, "price_told", "{\"watch_id\":\"W-9\",\"price\":\"1.00\"}", "no price watch W-9");
    refused(&tools, arena, "watch_price", "{\"client_id\":\"C-000001\",\"requirements\":{\"destinations\":[\"Rome\"]}}",
            "start_date is missing");
    refused(&tools, arena, "watch_price",
            "{\"client_id\":\"C-9\",\"requirements\":{\"destinations\":[\"Rome\"],\"start_date\":\"2027-06-01\"}}",
            "C-9");
    ctn_str erase = ctn_arena_printf(arena, "{\"client_id\":\"%.*s\"}", CTN_STR_ARG(bob));
    (void) answer(&tools, arena, "erase_client", erase);
    assert_string_equal(answer(&tools, arena, "list_watches", ctn_str_from(today)).ptr, "{\"watches\":[]}");
    remove_crm(&f, &tools);
    ctn_arena_free(arena);
}

/* ---- rooms ---- */

#define HOTELS                                                                                                         \
    "\"stays\":[{\"hotels\":[{\"name\":\"Palace\",\"stars\":5,\"total\":\"900.00\"},{\"name\":\"Lodge\",\"stars\":3,"  \
    "\"total\":"                                                                                                       \
    "\"200.00\"},"                                                                                                     \
    "{\"name\":\"Market\",\"stars\":4,\"total\":\"300.00\"},{\"name\":\"Rest\",\"stars\":4,\"total\":\"350.00\"}]}]"

/* A line of the list that is wrong is set aside with its number and the reason; the others go on. */
static void a_room_that_is_wrong_does_not_lose_the_others(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    ctn_str plan =
        answer(&tools, arena, "plan_rooms",
               CTN_STR("{" HOTELS ",\"stars\":4,\"language\":\"en\",\"rooms\":[{\"guests\":[\"Ann Lee\",\"Bob Lee\"]},"
                       "{\"guests\":[]},{\"guests\":[\"A\",\"B\",\"C\"]},{\"guests\":[\"ann lee \"]},"
                       "{\"guests\":[\"Eve\"]},{\"guests\":[\"Tom\",\"Tom\"]}]}"));
    assert_true(has(plan, "\"hotel\":{\"name\":\"Market\""));
    assert_true(has(plan, "\"guests\":3"));
    assert_true(has(
        plan,
        "{\"number\":1,\"type\":\"double\",\"guests\":[\"Ann Lee\",\"Bob Lee\"]},{\"number\":5,\"type\":\"single\""));
    assert_true(has(plan, "{\"number\":2,\"guests\":[],\"reason\":\"nobody sleeps in it\"}"));
    assert_true(has(plan, "\"number\":3") && has(plan, "\"reason\":\"a room takes two guests\""));
    assert_true(has(plan, "{\"number\":4,\"guests\":[\"ann lee \"],\"reason\":\"somebody in it has another room\"}"));
    assert_true(has(plan, "\"number\":6"));
    refused(&tools, arena, "plan_rooms", "{" HOTELS ",\"rooms\":[]}", "rooms must be a list");
    refused(&tools, arena, "plan_rooms", "{" HOTELS ",\"rooms\":[{\"guests\":\"Ann\"}]}", "rooms[0].guests must be");
    refused(&tools, arena, "plan_rooms", "{\"stays\":[],\"rooms\":[{\"guests\":[\"Ann\"]}]}", "none of the 0 hotels");
    travel_agency_close(tools.agency);
    ctn_arena_free(arena);
}

static void a_rooming_list_says_what_is_held_and_what_is_not(void **state)
{
    (void) state;
    static const char *const lines[] = {
        "Hotel: Market, Lisbon\nStay: 3–6 May 2027 (3 nights)\n\n"
        "  1  Double: Ann Lee, Bob Lee — held, B-1\n  3  Single: Eve   4  Tom — not held by the hotel\n"
        "  2  — nobody sleeps in it\n\nHeld: 1 room, €469.23\nNot held: 2 rooms\n",
        "Reservado: 1 habitación, 469,23\u00a0€\nSin reservar: 2 habitaciones\n",
        "Retenu: 1 chambre, 469,23\u00a0€\nNon retenu: 2 chambres\n",
        "Gehalten: 1 Zimmer, 469,23\u00a0€\nNicht gehalten: 2 Zimmer\n"};
    static const char *const languages[] = {"en", "es", "fr", "de"};
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(NULL);
    for (size_t l = 0; l < 4; l++) {
        ctn_str question = ctn_arena_printf(
            arena,
            "{\"language\":\"%s\",\"group\":\"Choir\",\"place\":\"Lisbon\",\"start_date\":\"2027-05-03\",\"nights\":3,"
            "\"hotel\":{\"name\":\"Market\"},\"rooms\":[{\"number\":1,\"type\":\"double\",\"guests\":[\"Ann Lee\","
            "\"Bob Lee\"]},{\"number\":3,\"type\":\"single\",\"guests\":[\"Eve\\n  4  "
            "Tom\"]}],\"refused\":[{\"number\":2,"
            "\"guests\":[],\"reason\":\"nobody sleeps in it\"}],\"holds\":[{\"hold_id\":\"B-1\",\"total\":\"469.23\","
            "\"currency\":\"EUR\"},null]}",
            languages[l]);
        const ctn_json *list = result_of(&tools, "write_rooming_list", arena, json_from(arena, question));
        ctn_str text = ctn_json_text(ctn_json_member_of(list, "text"));
        if (!has(text, lines[l]))
            fail_msg("%s\nis not in\n%s", lines[l], text.ptr);
        assert_true(
            has(ctn_json_to_str(arena, list), "\"held\":1,\"missing\":2,\"is_complete\":false,\"total\":\"469.23\""));
    }
    refused(&tools, arena, "write_rooming_list",
            "{\"group\":\"Choir\",\"place\":\"Lisbon\",\"start_date\":\"2027-05-03\",\"nights\":3,\"hotel\":{},"
            "\"rooms\":[],"
            "\"refused\":[],\"holds\":[null]}",
            "1 holds for 0 rooms");
    travel_agency_close(tools.agency);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reminder_comes_at_ten_by_the_clients_clock),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_letter_has_every_fact_in_each_language),
        cmocka_unit_test(what_a_fact_contains_is_not_filled_in),
        cmocka_unit_test(a_drop_is_news_once),
        cmocka_unit_test(a_watch_ends_with_its_trip_its_client_and_when_told),
        cmocka_unit_test(a_room_that_is_wrong_does_not_lose_the_others),
        cmocka_unit_test(a_rooming_list_says_what_is_held_and_what_is_not),
    };
    return cmocka_run_group_tests_name("extra", tests, NULL, NULL);
}
