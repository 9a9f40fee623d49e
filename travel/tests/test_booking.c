/*
 * Deals with the sandbox: one key is one hold, charge or booking, whatever fails and whoever asks again; what is taken
 * back stays away.
 */
#include "support.h"

#include "kit/database.h"

static int64_t now_ms;

static int64_t test_now(void *ctx)
{
    (void) ctx;
    return now_ms;
}

typedef struct desk {
    char folder[64];
    char agency[96];
    travel_tools tools;
    ctn_arena *arena;
} desk;

/* A desk whose agency.yaml has this section `provider`. */
static int open_desk(desk *d, const char *provider, ctn_err *err)
{
    *d = (desk){.arena = ctn_arena_new(1 << 16)};
    snprintf(d->folder, sizeof d->folder, "/tmp/catena-desk-XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    snprintf(d->agency, sizeof d->agency, "%s/agency.yaml", d->folder);
    FILE *file = fopen(d->agency, "w");
    assert_non_null(file);
    fprintf(file, "provider: %s\n", provider);
    assert_int_equal(fclose(file), 0);
    now_ms = INT64_C(1773000000000);
    d->tools = (travel_tools){.clock = {.now_ms = test_now}};
    return travel_agency_open(d->agency, &d->tools.agency, err);
}

static void make_desk(desk *d, const char *provider)
{
    ctn_err err = {0};
    if (open_desk(d, provider, &err))
        fail_msg("%s", err.message);
}

static void remove_desk(desk *d)
{
    char path[128];
    static const char *const NAMES[] = {"agency.yaml", "provider.db", "provider.db-wal", "provider.db-shm"};
    travel_tools_done(&d->tools);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        snprintf(path, sizeof path, "%s/%s", d->folder, NAMES[i]);
        (void) unlink(path);
    }
    assert_int_equal(rmdir(d->folder), 0);
    ctn_arena_free(d->arena);
}

static int call(desk *d, const char *tool, const char *arguments, const ctn_json **ret_result, ctn_err *err)
{
    *err = (ctn_err){0};
    return run_tool(&d->tools, tool, d->arena, json_from(d->arena, ctn_str_from(arguments)), ret_result, err);
}

static const ctn_json *do_it(desk *d, const char *tool, const char *arguments)
{
    const ctn_json *result = NULL;
    ctn_err err;
    if (call(d, tool, arguments, &result, &err))
        fail_msg("%s", err.message);
    return result;
}

static void assert_refused(desk *d, const char *tool, const char *arguments, int code, const char *words)
{
    const ctn_json *result;
    ctn_err err;
    assert_int_equal(call(d, tool, arguments, &result, &err), code);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void assert_ledger(desk *d, int64_t open_holds, const char *charged, int64_t confirmed)
{
    const ctn_json *books = ctn_json_member_of(do_it(d, "provider_ledger", "{}"), "books");
    assert_int_equal(ctn_json_int_or(books, "open_holds", -1), open_holds);
    assert_true(ctn_str_is(ctn_json_str_or(books, "charged", CTN_STR("?")), charged));
    assert_int_equal(ctn_json_int_or(books, "confirmed", -1), confirmed);
}

#define FLIGHT  "{\"offer\":{\"offer_id\":\"SBX-F-saver-1\",\"total\":\"300.00\",\"currency\":\"EUR\"},\"key\":\"f\"}"
#define HOTEL   "{\"offer\":{\"hotel_id\":\"SBX-H-1-30\",\"total\":\"200.00\",\"currency\":\"EUR\"},\"key\":\"h\"}"
#define DEPOSIT "{\"client_id\":\"C-1\",\"amount\":\"100.00\",\"currency\":\"EUR\",\"key\":\"d\"}"
#define BOOKING                                                                                                        \
    "{\"holds\":[{\"hold_id\":\"SBX-H-000001\"},{\"hold_id\":\"SBX-H-000002\"}],\"payment\":{\"payment_id\":"          \
    "\"SBX-P-000001\"},\"key\":\"b\",\"reference\":\"R-1\"}"

static void book(desk *d)
{
    (void) do_it(d, "hold_flight", FLIGHT);
    (void) do_it(d, "hold_hotel", HOTEL);
    (void) do_it(d, "take_deposit", DEPOSIT);
    (void) do_it(d, "confirm_booking", BOOKING);
}

static void one_key_is_one_deal(void **state)
{
    (void) state;
    desk d;
    make_desk(&d, "{kind: sandbox}");
    book(&d);
    const ctn_json *first = do_it(&d, "confirm_booking", BOOKING);
    book(&d);
    assert_true(ctn_json_equal(first, do_it(&d, "confirm_booking", BOOKING)));
    assert_ledger(&d, 0, "100.00", 1);
    assert_refused(&d, "take_deposit",
                   "{\"client_id\":\"C-1\",\"amount\":\"100.01\",\"currency\":\"EUR\",\"key\":\"d\"}", CTN_E_EXISTS,
                   "used for something else");
    assert_refused(&d, "hold_flight", "{\"offer\":{\"offer_id\":\"SBX-F-1\",\"total\":\"1\",\"currency\":\"EUR\"}}",
                   CTN_E_INVALID, "key is missing");
    assert_true(ctn_json_bool_or(do_it(&d, "booking_status", "{\"reference\":\"R-1\"}"), "happened", false));
    remove_desk(&d);
}

/* The provider did it and could not say so: it is found, and not done twice. */
static void what_happened_before_the_failure_is_found(void **state)
{
    (void) state;
    static const char *const FAULTS[] = {"error_after", "timeout_after"};
    for (size_t i = 0; i < 2; i++) {
        desk d;
        char provider[300];
        snprintf(provider, sizeof provider,
                 "{faults: {hold_flight: %s, hold_hotel: %s, take_deposit: %s, confirm_booking: %s}}", FAULTS[i],
                 FAULTS[i], FAULTS[i], FAULTS[i]);
        make_desk(&d, provider);
        book(&d);
        assert_ledger(&d, 0, "100.00", 1);
        remove_desk(&d);
    }
}

/* It happened, and the provider cannot be asked: nobody knows, until it can be. */
static void an_unknown_outcome_is_told_as_such(void **state)
{
    (void) state;
    desk d;
    make_desk(&d, "{faults: {take_deposit: timeout_after, booking_status: \"error_before*2\"}}");
    assert_refused(&d, "take_deposit", DEPOSIT, CTN_E_TIMEOUT, "nobody knows");
    assert_refused(&d, "booking_status", "{\"key\":\"d\"}", CTN_E_TIMEOUT, "nobody knows");
    assert_true(ctn_json_bool_or(do_it(&d, "booking_status", "{\"key\":\"d\"}"), "happened", false));
    assert_ledger(&d, 0, "100.00", 0);
    (void) do_it(&d, "refund_deposit", "{\"key\":\"d\"}");
    assert_ledger(&d, 0, "0.00", 0);
    remove_desk(&d);
}

static void what_did_not_happen_may_be_tried_again(void **state)
{
    (void) state;
    desk d;
    make_desk(&d, "{faults: {hold_flight: timeout_before, take_deposit: error_before}}");
    assert_refused(&d, "hold_flight", FLIGHT, CTN_E_BUSY, "did not answer");
    assert_refused(&d, "take_deposit", DEPOSIT, CTN_E_BUSY, "out of order");
    const ctn_json *status = do_it(&d, "booking_status", "{\"key\":\"f\"}");
    assert_false(ctn_json_bool_or(status, "happened", true));
    assert_true(ctn_json_bool_or(status, "final", false));
    book(&d);
    assert_ledger(&d, 0, "100.00", 1);
    remove_desk(&d);
}

static void an_undo_leaves_nothing_and_nothing_comes_after_it(void **state)
{
    (void) state;
    desk d;
    make_desk(&d, "{kind: sandbox}");
    (void) do_it(&d, "refund_deposit", "{\"key\":\"d\"}"); /* before it was ever asked */
    assert_refused(&d, "take_deposit", DEPOSIT, CTN_E_STATE, "taken back");
    assert_ledger(&d, 0, "0.00", 0);
    remove_desk(&d);
    make_desk(&d, "{kind: sandbox}");
    book(&d);
    (void) do_it(&d, "release_hotel", "{\"hold_id\":\"SBX-H-000002\"}"); /* takes back the booking made of it */
    assert_false(ctn_json_bool_or(do_it(&d, "booking_status", "{\"reference\":\"R-1\"}"), "happened", true));
    for (int i = 0; i < 2; i++) {
        (void) do_it(&d, "cancel_booking", "{\"booking_id\":\"SBX-B-000001\"}");
        (void) do_it(&d, "refund_deposit", "{\"payment_id\":\"SBX-P-000001\"}");
        (void) do_it(&d, "release_flight", "{\"key\":\"f\"}");
    }
    assert_ledger(&d, 0, "0.00", 0);
    assert_refused(&d, "release_flight", "{\"hold_id\":\"SBX-H-000009\"}", CTN_E_NOT_FOUND, "SBX-H-000009");
    assert_refused(&d, "release_flight", "{\"key\":\"h\"}", CTN_E_INVALID, "hold_hotel");
    remove_desk(&d);
}

static void what_lapses_is_not_paid_for(void **state)
{
    (void) state;
    desk d;
    make_desk(&d, "{holdMinutes: 10}");
    const ctn_json *hold = do_it(&d, "hold_flight", FLIGHT);
    ctn_str expires = ctn_json_str_or(hold, "expires_at", CTN_STR(""));
    ctn_str late = ctn_arena_printf(d.arena,
                                    "{\"client_id\":\"C-1\",\"amount\":\"10.00\",\"currency\":\"EUR\",\"key\":\"late\","
                                    "\"holds\":[{\"hold_id\":\"SBX-H-000001\",\"expires_at\":\"%.*s\"}]}",
                                    CTN_STR_ARG(expires));
    now_ms += 9 * 60000; /* a minute is left, two are wanted */
    assert_refused(&d, "take_deposit", late.ptr, CTN_E_STATE, "lapses at");
    (void) do_it(&d, "hold_hotel", HOTEL);
    (void) do_it(&d, "take_deposit", DEPOSIT);
    now_ms += 2 * 60000;
    assert_refused(&d, "confirm_booking", BOOKING, CTN_E_STATE, "has lapsed");
    assert_ledger(&d, 1, "100.00", 0);
    assert_refused(
        &d, "hold_flight",
        "{\"offer\":{\"offer_id\":\"SBX-F-saver-1\",\"total\":\"300.00\",\"currency\":\"EUR\",\"expires_at\":"
        "\"2020-01-01T00:00:00Z\"},\"key\":\"old\"}",
        CTN_E_STATE, "search and hold again");
    remove_desk(&d);
}

static void a_declined_card_and_a_sold_out_house_are_told(void **state)
{
    (void) state;
    desk d;
    make_desk(&d, "{faults: {hold_hotel: refuse}}");
    assert_refused(&d, "hold_hotel", HOTEL, CTN_E_STATE, "refuses");
    assert_refused(
        &d, "take_deposit",
        "{\"client_id\":\"C-1\",\"amount\":\"10.00\",\"currency\":\"EUR\",\"source\":\"card_declined\",\"key\":"
        "\"d\"}",
        CTN_E_STATE, "declined");
    assert_ledger(&d, 0, "0.00", 0);
    remove_desk(&d);
}

static void the_ledger_knows_no_names(void **state)
{
    (void) state;
    desk d;
    char path[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    make_desk(&d, "{kind: sandbox}");
    (void) do_it(&d, "hold_flight",
                 "{\"offer\":{\"offer_id\":\"SBX-F-1\",\"total\":\"1.00\",\"currency\":\"EUR\"},\"client\":{\"name\":"
                 "\"Ana Ortiz\"},\"passengers\":[{\"family_name\":\"Ortiz\"}],\"key\":\"f\"}");
    snprintf(path, sizeof path, "%s/provider.db", d.folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT count(*) FROM deals WHERE request LIKE '%Ortiz%'", -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(query, 0), 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    remove_desk(&d);
}

static void a_price_that_rises_is_seen_in_the_search(void **state)
{
    (void) state;
    desk d;
    const char *const trip = "{\"requirements\":{\"origin\":\"London\",\"destinations\":[\"Rome\"],\"start_date\":"
                             "\"2027-05-01\",\"nights\":4,\"adults\":2},\"started_at\":\"2026-11-20T10:00:00Z\"}";
    make_desk(&d, "{faults: {search_flights: dearer}}");
    const ctn_json *dear = do_it(&d, "search_flights", trip), *plain = do_it(&d, "search_flights", trip);
    ctn_str total = ctn_json_text(ctn_json_pointer(plain, CTN_STR("/offers/0/total")));
    assert_true(ctn_str_is(total, "328.92"));
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(dear, CTN_STR("/offers/0/total"))), "361.81"));
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(plain, CTN_STR("/offers/0/expires_at"))),
                           "2026-11-22T23:59:59.000Z"));
    remove_desk(&d);
}

/* A digit too many in what the desk typed. */
static void a_deposit_above_the_price_is_refused_before_anything_is_held(void **state)
{
    (void) state;
    desk d;
    ctn_err err = {0};
    const ctn_json *result;
    make_desk(&d, "{ledger: provider.db}");
    static const char ASKED[] =
        "{\"tier\":{\"net\":\"500.00\",\"total\":\"600.00\",\"currency\":\"EUR\"},\"requirements\":{\"origin\":"
        "\"Madrid\","
        "\"destinations\":[\"Rome\"],\"start_date\":\"2026-06-01\",\"nights\":3,\"adults\":2},\"deposit\":{\"amount\":"
        "\"1200.00\"}}";
    assert_int_equal(call(&d, "check_offers", ASKED, &result, &err), CTN_E_INVALID);
    assert_non_null(strstr(err.message, "a deposit of 1200.00 is more than the price, 600.00"));
    remove_desk(&d);
}

static void a_confirmation_is_in_the_clients_language_places_too(void **state)
{
    (void) state;
    static const char *const ROWS[][2] = {{"en", "Trip: Rome and Florence\n"},
                                          {"es", "Viaje: Roma y Florencia\n"},
                                          {"fr", "Voyage\xC2\xA0: Rome et Florence\n"},
                                          {"de", "Reise: Rom und Florenz\n"}};
    desk d;
    make_desk(&d, "{}");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char text[512]; /* no language but the trip's */
        snprintf(text, sizeof text,
                 "{\"client\":{\"name\":\"Ana\"},\"booking\":{\"references\":[\"K9\"],\"total\":\"10.00\",\"currency\":"
                 "\"EUR\"},\"requirements\":{\"language\":\"%s\",\"destinations\":[\"Rome\",\"Florence\"]}}",
                 ROWS[i][0]);
        ctn_str message = ctn_json_text(ctn_json_member_of(do_it(&d, "write_confirmation", text), "message"));
        if (ctn_str_find(message, ctn_str_from(ROWS[i][1])) == SIZE_MAX)
            fail_msg("%s: %.*s", ROWS[i][0], CTN_STR_ARG(message));
    }
    remove_desk(&d);
}

static void a_wrong_section_is_told_with_its_place(void **state)
{
    (void) state;
    static const char *const WRONG[][2] = {
        {"{kind: sandbx}", "sandbx"},
        {"{faults: {hold_fligt: error_after}}", "did you mean hold_flight?"},
        {"{faults: {hold_flight: error_aftr}}", "did you mean error_after?"},
        {"{faults: {hold_flight: \"error_after*0\"}}", "there is no fault"},
        {"{holdMinutes: 0}", "holdMinutes"},
        {"{holdMinuts: 5}", "did you mean holdMinutes?"},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        desk d;
        const ctn_json *result;
        ctn_err err = {0};
        make_desk(&d, WRONG[i][0]);
        assert_int_equal(call(&d, "provider_ledger", "{}", &result, &err), CTN_E_INVALID);
        if (!strstr(err.message, WRONG[i][1]) || !strstr(err.message, "agency.yaml:1:"))
            fail_msg("%s", err.message);
        remove_desk(&d);
    }
}

typedef struct busy {
    int tries, free_at; /* the try that finds the file free; 0: none does */
} busy;

static int prepare_busy(void *ctx, ctn_err *err)
{
    busy *b = ctx;
    b->tries++;
    return b->tries == b->free_at ? CTN_OK : ctn_fail(err, CTN_E_BUSY, "busy");
}

/* A ledger without its tables would be taken for an empty one. */
static void a_file_that_stays_busy_is_told_and_not_taken_for_open(void **state)
{
    (void) state;
    ctn_err err = {0};
    busy b = {.free_at = 2};
    assert_int_equal(travel_database_prepare(prepare_busy, &b, 5000, &err), CTN_OK);
    assert_int_equal(b.tries, 2);
    b = (busy){0};
    assert_int_equal(travel_database_prepare(prepare_busy, &b, 20, &err), CTN_E_BUSY);
    assert_in_range(b.tries, 1, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_stays_busy_is_told_and_not_taken_for_open),
        cmocka_unit_test(one_key_is_one_deal),
        cmocka_unit_test(what_happened_before_the_failure_is_found),
        cmocka_unit_test(an_unknown_outcome_is_told_as_such),
        cmocka_unit_test(what_did_not_happen_may_be_tried_again),
        cmocka_unit_test(an_undo_leaves_nothing_and_nothing_comes_after_it),
        cmocka_unit_test(what_lapses_is_not_paid_for),
        cmocka_unit_test(a_declined_card_and_a_sold_out_house_are_told),
        cmocka_unit_test(the_ledger_knows_no_names),
        cmocka_unit_test(a_price_that_rises_is_seen_in_the_search),
        cmocka_unit_test(a_deposit_above_the_price_is_refused_before_anything_is_held),
        cmocka_unit_test(a_confirmation_is_in_the_clients_language_places_too),
        cmocka_unit_test(a_wrong_section_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
