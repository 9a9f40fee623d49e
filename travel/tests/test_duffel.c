/*
 * trip-booking against a mock of Duffel (duffel_mock.mjs, made from its public types): found, held, paid, booked; and
 * with answers that are lost, refusals, limits of rate and servers that break down, never made twice and never left.
 */
#include "trip_pack.h"

#include <signal.h>
#include <time.h>

#define TOKEN "duffel_test_secret_of_the_agency"

typedef struct mock {
    pid_t pid;
    int in, out;
    char port[16];
} mock;

/* False: there is no node on this machine. */
static bool start_mock(mock *m, const char *faults)
{
    int in[2], out[2];
    *m = (mock){.pid = -1};
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    m->pid = fork();
    assert_true(m->pid >= 0);
    if (m->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execlp("node", "node", "travel/tests/duffel_mock.mjs", faults, (char *) NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    m->in = in[1];
    m->out = out[0];
    size_t len = 0;
    for (char c; len + 1 < sizeof m->port && read(m->out, &c, 1) == 1 && c != '\n';)
        m->port[len++] = c;
    return len > 0;
}

/* Ends it; what it has in its books. */
static const ctn_json *end_mock(mock *m, ctn_arena *arena)
{
    const ctn_json *ledger = NULL;
    char *bytes = ctn_arena_alloc(arena, OUTPUT_MAX);
    size_t len = 0;
    int status;
    close(m->in);
    for (ssize_t got; len < OUTPUT_MAX && (got = read(m->out, bytes + len, OUTPUT_MAX - len)) > 0;)
        len += (size_t) got;
    close(m->out);
    assert_int_equal(waitpid(m->pid, &status, 0), m->pid);
    if (ctn_json_parse(arena, ctn_str_trim((ctn_str){bytes, len}), NULL, &ledger, NULL))
        return NULL;
    return ledger;
}

static ctn_str agency_of(ctn_arena *arena, const mock *m)
{
    return ctn_arena_printf(arena,
                            "provider: {kind: duffel, url: \"http://127.0.0.1:%s\", token: {file: token}, timeoutMs: "
                            "1500, settleMs: 100}\n",
                            m->port);
}

/* What the client accepted: searched for and priced by the pack's own tools, at the mock. */
static ctn_str accepted_trip(pack *p, const char *source)
{
    travel_agency *agency = NULL;
    ctn_err err = {0};
    time_t then = time(NULL) + 150 * 86400;
    struct tm day;
    char start[11];
    assert_non_null(gmtime_r(&then, &day));
    assert_int_equal(strftime(start, sizeof start, "%Y-%m-%d", &day), 10);
    if (travel_agency_open(ctn_arena_printf(p->arena, "%s/agency.yaml", p->folder).ptr, &agency, &err))
        fail_msg("%s", err.message);
    travel_tools tools = {.agency = agency, .clock = ctn_clock_system()};
    ctn_json_builder request = ctn_json_object(p->arena);
    const ctn_json *requirements = json_from(
        p->arena,
        ctn_arena_printf(p->arena,
                         "{\"origin\":\"London\",\"destinations\":[\"Rome\"],\"start_date\":\"%s\",\"nights\":4,"
                         "\"adults\":2}",
                         start));
    ctn_json_put(&request, CTN_STR("requirements"), requirements);
    const ctn_json *flights = result_of(&tools, "search_flights", p->arena, ctn_json_finish(&request));
    const ctn_json *hotels = result_of(&tools, "search_hotels", p->arena, ctn_json_finish(&request));
    ctn_json_put(&request, CTN_STR("flights"), flights);
    ctn_json_put(&request, CTN_STR("hotels"), hotels);
    const ctn_json *priced = result_of(&tools, "price_tiers", p->arena, ctn_json_finish(&request));
    const ctn_json *tier = ctn_json_pointer(priced, CTN_STR("/pricing_tiers/tiers/0"));
    assert_non_null(tier);
    travel_tools_done(&tools);
    return ctn_arena_printf(
        p->arena,
        "{\"booking_key\":\"P-7\",\"client_id\":\"C-000001\",\"client_info\":{\"name\":\"Ana Ortiz\",\"email\":"
        "\"ana@example.com\",\"phone\":\"+442080160508\"},\"complete_requirements\":%s,\"tier\":%s,\"deposit\":{"
        "\"amount\":"
        "\"150.00\",\"source\":\"%s\"},\"passengers\":[{\"title\":\"ms\",\"given_name\":\"Ana\",\"family_name\":"
        "\"Ortiz\","
        "\"gender\":\"f\",\"born_on\":\"1987-07-24\"},{\"title\":\"mr\",\"given_name\":\"Luis\",\"family_name\":"
        "\"Ortiz\","
        "\"gender\":\"m\",\"born_on\":\"1985-01-02\"}]}",
        ctn_json_to_str(p->arena, requirements).ptr, ctn_json_to_str(p->arena, tier).ptr, source);
}

/* ---- the ledger of the mock ---- */

static size_t count_with(const ctn_json *list, const char *pointer, ctn_json_kind kind, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        const ctn_json *v = ctn_json_pointer(ctn_json_at(list, i), ctn_str_from(pointer));
        count += v && ctn_json_is(v, kind) && (!text || ctn_str_is(ctn_json_text(v), text));
    }
    return count;
}

typedef struct books {
    size_t orders, paid, standing, stays, stays_standing, charges, refunds;
} books;

static books read_books(const ctn_json *ledger)
{
    const ctn_json *orders = ctn_json_member_of(ledger, "orders"), *stays = ctn_json_member_of(ledger, "stays");
    const ctn_json *intent = ctn_json_pointer(ledger, CTN_STR("/intents/0"));
    return (books){.orders = ctn_json_count(orders),
                   .paid = count_with(orders, "/payment_status/paid_at", CTN_JSON_STRING, NULL),
                   .standing = count_with(orders, "/cancelled_at", CTN_JSON_NULL, NULL),
                   .stays = ctn_json_count(stays),
                   .stays_standing = count_with(stays, "/status", CTN_JSON_STRING, "confirmed"),
                   .charges = (size_t) ctn_json_int_or(intent, "charges", 0),
                   .refunds = ctn_json_count(ctn_json_member_of(intent, "refunds"))};
}

/* Nothing that catena, its tools and their files say has the token in it. */
static void assert_token_is_nowhere(pack *p, ctn_str id)
{
    ctn_str said = finish(p, start_catena(p, "history", id.ptr, "--reveal", NULL));
    assert_true(said.len > 100);
    assert_true(ctn_str_find(said, CTN_STR(TOKEN)) == SIZE_MAX);
    static const char *const FILES[] = {"provider.db", "provider.db-wal", "crm.db", "travel.db", "travel.db-wal"};
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        ctn_str bytes;
        if (read_whole_file(p->arena, ctn_arena_printf(p->arena, "%s/%s", p->folder, FILES[i]).ptr, &bytes))
            assert_true(ctn_str_find(bytes, CTN_STR(TOKEN)) == SIZE_MAX);
    }
}

/* ---- runs ---- */

#define AT(method, path, what) "[{\"method\":\"" method "\",\"path\":\"" path "\",\"what\":\"" what "\",\"times\":1}]"
#define ALWAYS(method, path, what)                                                                                     \
    "[{\"method\":\"" method "\",\"path\":\"" path "\",\"what\":\"" what "\",\"times\":99}]"

typedef struct run {
    const char *name, *faults, *source;
    bool is_booked;
    size_t orders, stays; /* made in all */
} run;

static const run RUNS[] = {
    {"all is well", "[]", "pit_1", true, 1, 1},
    {"too many requests", AT("POST", "/air/orders", "429"), "pit_1", true, 1, 1},
    {"the order's answer is lost", AT("POST", "/air/orders", "lose_after"), "pit_1", true, 1, 1},
    {"the order is made, and 500 is said", AT("POST", "/air/orders", "500_after"), "pit_1", true, 1, 1},
    {"the order is lost on its way", AT("POST", "/air/orders", "lose_before"), "pit_1", true, 1, 1},
    {"the charge's answer is lost", AT("POST", "/payments/payment_intents/pit_1/actions/confirm", "lose_after"),
     "pit_1", true, 1, 1},
    {"the payment's answer is lost", AT("POST", "/air/payments", "lose_after"), "pit_1", true, 1, 1},
    {"the stay's answer is lost", AT("POST", "/stays/bookings", "500_after"), "pit_1", true, 1, 1},
    {"the card is declined", "[]", "pit_d", false, 1, 0},
    {"the agency's balance is too low", ALWAYS("POST", "/air/payments", "refuse"), "pit_1", false, 1, 1},
    {"the hotel is gone", ALWAYS("POST", "/stays/bookings", "refuse"), "pit_1", false, 1, 0},
    {"the refund's answer is lost",
     "[{\"method\":\"POST\",\"path\":\"/air/payments\",\"what\":\"refuse\",\"times\":9},{\"method\":\"POST\",\"path\":"
     "\"/payments/refunds\",\"what\":\"lose_after\",\"times\":1}]",
     "pit_1", false, 1, 1},
};

/* All at once, for they wait more than they work. */
typedef struct trial {
    mock m;
    pack p;
    running catena;
} trial;

static bool begin(trial *t, const run *r)
{
    if (!start_mock(&t->m, r->faults))
        return false;
    assert_true(lay_out(&t->p, CTN_STR("{}"), CTN_STR("{}"), "8000"));
    assert_true(write_file(t->p.folder, "agency.yaml", agency_of(t->p.arena, &t->m)));
    assert_true(write_file(t->p.folder, "token", CTN_STR(TOKEN "\n")));
    assert_true(write_file(t->p.folder, "input.json", accepted_trip(&t->p, r->source)));
    t->catena = start_catena(&t->p, "run", "trip-booking", "--input",
                             ctn_arena_printf(t->p.arena, "%s/input.json", t->p.folder).ptr);
    return true;
}

static void judge(trial *t, const run *r)
{
    ctn_str said = finish(&t->p, t->catena);
    const ctn_json *execution = only_execution(&t->p);
    ctn_str status = ctn_json_str_or(execution, "status", CTN_STR("?"));
    assert_true(ctn_str_find(said, CTN_STR(TOKEN)) == SIZE_MAX);
    assert_token_is_nowhere(&t->p, ctn_arena_str(t->p.arena, ctn_json_str_or(execution, "executionId", CTN_STR(""))));
    const ctn_json *ledger = end_mock(&t->m, t->p.arena);
    assert_non_null(ledger);
    books b = read_books(ledger);
    bool is_good = b.orders == r->orders && b.stays == r->stays;
    if (r->is_booked)
        is_good =
            is_good && b.paid == 1 && b.standing == 1 && b.stays_standing == 1 && b.charges == 1 && b.refunds == 0;
    else
        is_good = is_good && b.standing == 0 && b.stays_standing == 0 && b.charges == b.refunds;
    is_good = is_good && ctn_str_is(status, r->is_booked ? "completed" : "rolled_back");
    print_message("%-40s %s\n", r->name, r->is_booked ? "booked" : "nothing");
    if (!is_good)
        fail_msg("%s: %.*s, %.*s", r->name, CTN_STR_ARG(said), CTN_STR_ARG(ctn_json_to_str(t->p.arena, ledger)));
    remove_pack(&t->p);
}

static void the_trip_is_booked_once_or_not_at_all(void **state)
{
    (void) state;
    enum { COUNT = sizeof RUNS / sizeof *RUNS };
    trial trials[COUNT];
    if (!CATENA_PROGRAM[0]) {
        print_message("skipped: no catena in this build\n");
        skip();
    }
    for (size_t i = 0; i < COUNT; i++)
        if (!begin(&trials[i], &RUNS[i])) {
            print_message("skipped: no node on this machine\n");
            skip();
        }
    for (size_t i = 0; i < COUNT; i++)
        judge(&trials[i], &RUNS[i]);
}

static void a_wrong_token_is_told_without_saying_it(void **state)
{
    (void) state;
    mock m;
    pack p;
    ctn_err err = {0};
    const ctn_json *result;
    travel_agency *agency = NULL;
    if (!start_mock(&m, "[]"))
        skip();
    ctn_arena *arena = ctn_arena_new(1 << 16);
    assert_true(lay_out(&p, agency_of(arena, &m), CTN_STR("{}"), "8000"));
    assert_true(write_file(p.folder, "token", CTN_STR("duffel_test_of_somebody_else\n")));
    assert_int_equal(travel_agency_open(ctn_arena_printf(arena, "%s/agency.yaml", p.folder).ptr, &agency, &err),
                     CTN_OK);
    travel_tools tools = {.agency = agency, .clock = ctn_clock_system()};
    const ctn_json *trip =
        json_from(arena, CTN_STR("{\"requirements\":{\"origin\":\"London\",\"destinations\":[\"Rome\"],"
                                 "\"start_date\":\"2027-05-01\",\"nights\":4,\"adults\":2},"
                                 "\"started_at\":\"2026-11-20T10:00:00Z\"}"));
    assert_int_equal(run_tool(&tools, "search_flights", arena, trip, &result, &err), CTN_E_DENIED);
    assert_non_null(strstr(err.message, "401"));
    assert_null(strstr(err.message, "somebody")); /* although the mock says it back */
    travel_tools_done(&tools);
    (void) end_mock(&m, arena);
    remove_pack(&p);
    ctn_arena_free(arena);
}

static void a_section_that_would_leak_or_hang_is_refused(void **state)
{
    (void) state;
    static const char *const WRONG[][2] = {
        {"{kind: duffel}", "token is missing"},
        {"{kind: duffel, token: duffel_live_x}", "named by {env: NAME}"},
        {"{kind: duffel, token: {file: token}, url: \"http://api.duffel.com\"}", "https://"},
        {"{kind: duffel, token: {file: nowhere}}", "cannot be read"},
        {"{kind: duffel, token: {file: token}, timeoutMs: 5}", "timeoutMs"},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        pack p;
        ctn_err err = {0};
        const ctn_json *result;
        travel_agency *agency = NULL;
        char text[200];
        snprintf(text, sizeof text, "provider: %s\n", WRONG[i][0]);
        assert_true(lay_out(&p, ctn_str_from(text), CTN_STR("{}"), "400"));
        assert_true(write_file(p.folder, "token", CTN_STR(TOKEN)));
        assert_int_equal(travel_agency_open(ctn_arena_printf(p.arena, "%s/agency.yaml", p.folder).ptr, &agency, &err),
                         CTN_OK);
        travel_tools tools = {.agency = agency, .clock = ctn_clock_system()};
        assert_int_not_equal(
            run_tool(&tools, "provider_ledger", p.arena, json_from(p.arena, CTN_STR("{}")), &result, &err), CTN_OK);
        if (!strstr(err.message, WRONG[i][1]) || strstr(err.message, "duffel_live_x"))
            fail_msg("%s", err.message);
        travel_tools_done(&tools);
        remove_pack(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trip_is_booked_once_or_not_at_all),
        cmocka_unit_test(a_wrong_token_is_told_without_saying_it),
        cmocka_unit_test(a_section_that_would_leak_or_hang_is_refused),
    };
    (void) signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
