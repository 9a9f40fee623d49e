/*
 * test_hostile.c -- every tool of the table with arguments that no chain would send, made from its own input schema:
 * wrong kinds, huge and broken numbers, NUL, markup, paths, formulas, deep and long values, one after the other in each
 * place of arguments that are right otherwise. A tool may refuse or do its work; it must neither crash nor dawdle, nor
 * tell in its sentence what a client is called.
 *
 * HOSTILE=whole tries every value in every place; without it each place gets some of them, all of them over all tools.
 * HOSTILE_SAY=1 says each call before it is made.
 */
#include "crm_kit.h"

#include <sys/wait.h>
#include <time.h>

#define SECRET "Wilhelmine-Quastenflosser"

enum { CALL_SECONDS_MAX = 5, LONG_ITEMS = 60000, LONG_TEXT = 300000, PLACES_DEEP = 6, STEP = 17 };

typedef struct attack {
    desk d;
    const ctn_json *flight, *hotel;
    const ctn_json *fresh; /* of the tool that is tried: a client and his lead, whom the one before has not erased */
    const ctn_json *real;  /* {NAME: what the pack's own tools gave} */
    const ctn_mcp_server_tool *tools;
    size_t tool_count;
    const ctn_json **values;
    size_t value_count;
    size_t calls, refused, faults, turn;
    bool is_whole;
} attack;

/* ---- what is sent ---- */

static const char *const SMALL[] = {
    "null",
    "true",
    "-1",
    "0",
    "0.1",
    "1e400",
    "-1e-400",
    "9223372036854775807",
    "9223372036854775808",
    "1000000000.99",
    "99999999999999999999999999999999999999999999",
    "''",
    "' '",
    "'" SECRET "'",
    "'" SECRET "\\r\\nBcc: " SECRET "@example.com'",
    "'" SECRET "\\u0000" SECRET "'",
    "'../../../" SECRET "'",
    "'{{{client_info}}}{{#a}}" SECRET "'",
    "'<script>" SECRET "</script>'",
    "'=HYPERLINK(" SECRET ")'",
    "'%s%n%s%n" SECRET "'",
    "'x`); DROP TABLE clients; --" SECRET "'",
    "'\\ud83d\\ude00\\u202e\\u0301" SECRET "'",
    "'2026-02-31T25:61:61Z " SECRET "'",
    "'-12.50'",
    "'1000000000.995'",
    "'9999-12-31T23:59:59Z'",
    "[]",
    "[null]",
    "['" SECRET "', 7, null, {}, [[]]]",
    "{}",
    "{'" SECRET "': {'" SECRET "': ['" SECRET "']}}",
};

static ctn_str repeated(ctn_arena *arena, const char *before, const char *part, const char *after, size_t times)
{
    ctn_buf out;
    ctn_buf_init(&out, (size_t) 64 << 20);
    ctn_buf_append(&out, ctn_str_from(before));
    for (size_t i = 0; i < times; i++)
        ctn_buf_append(&out, ctn_str_from(part));
    ctn_buf_append(&out, ctn_str_from(after));
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

static void make_values(attack *a)
{
    static const char *const ITEMS[] = {"'" SECRET "'", "{'total': '1.00', 'name': '" SECRET "', 'adults': 1}",
                                        "['" SECRET "']"};
    enum { SMALL_COUNT = sizeof SMALL / sizeof *SMALL };
    ctn_arena *arena = a->d.arena;
    a->values = ctn_arena_alloc(arena, (SMALL_COUNT + 6) * sizeof *a->values);
    for (size_t i = 0; i < SMALL_COUNT; i++)
        a->values[a->value_count++] = quoted(arena, SMALL[i]);
    for (size_t i = 0; i < 3; i++) {
        ctn_str more = ctn_arena_printf(arena, ",%s", ITEMS[i]);
        ctn_str first = ctn_arena_printf(arena, "[%s", ITEMS[i]);
        a->values[a->value_count++] = quoted(arena, repeated(arena, first.ptr, more.ptr, "]", LONG_ITEMS).ptr);
    }
    a->values[a->value_count++] = quoted(arena, repeated(arena, "'" SECRET, "\xc3\xa9 ", "'", LONG_TEXT / 3).ptr);
    a->values[a->value_count++] = quoted(arena, ctn_arena_printf(arena, "%s7%s", repeated(arena, "", "[", "", 120).ptr,
                                                                 repeated(arena, "", "]", "", 120).ptr)
                                                    .ptr);
    a->values[a->value_count++] =
        quoted(arena, ctn_arena_printf(arena, "%s7%s", repeated(arena, "", "{'total':", "", 120).ptr,
                                       repeated(arena, "", "}", "", 120).ptr)
                          .ptr);
}

/* What would be right at a place of this name, or what its schema says. */
static const ctn_json *fitting(attack *a, ctn_str name, const ctn_json *schema)
{
    static const char *const KNOWN[][2] = {
        {"currency", "'GBP'"},
        {"amount", "'250.00'"},
        {"total", "'1250.00'"},
        {"net", "'1250.00'"},
        {"language", "'de'"},
        {"channel", "'email'"},
        {"start_date", "'2026-10-24'"},
        {"end_date", "'2026-10-31'"},
        {"nights", "7"},
        {"adults", "2"},
        {"children", "1"},
        {"destinations", "['Rome']"},
        {"origin", "'London'"},
        {"email", "'w.q@example.com'"},
        {"phone", "'+44 7700 900123'"},
        {"kind", "'note'"},
        {"status", "'booked'"},
        {"timezone", "'Europe/London'"},
        {"now", "'2026-03-09T10:00:00Z'"},
        {"since", "'2026-03-01T10:00:00Z'"},
        {"received_at", "'2026-03-09T10:00:00Z'"},
        {"started_at", "'2026-03-09T10:00:00Z'"},
        {"expires_at", "'2026-03-20T10:00:00Z'"},
        {"content_type", "'text/plain'"},
        {"per", "'total'"},
        {"at", "'2026-03-09T10:00:00Z'"},
        {"send_at", "'2026-03-10T10:00:00Z'"},
        {"send_time", "'2026-03-10T10:00:00Z'"},
        {"date", "'2026-06-01'"},
        {"body_base64", "null"},
        {"execution", "null"},
        {"must_know", "['origin']"},
        {"guests", "['Anna', 'Bert']"},
        {"price", "'90.00'"},
        {"price_before", "'120.00'"},
        {"drop_percent", "5"},
        {"key", "'KEY'"},
    };
    ctn_arena *arena = a->d.arena;
    const ctn_json *real = ctn_json_get(a->real, name), *made = ctn_json_get(a->fresh, name);
    if (real || made)
        return real ? real : made;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (ctn_str_is(name, KNOWN[i][0]))
            return quoted(arena, KNOWN[i][1]);
    const ctn_json *type = ctn_json_member_of(schema, "type");
    ctn_str kind = ctn_json_text(ctn_json_is(type, CTN_JSON_ARRAY) ? ctn_json_at(type, 0) : type);
    const ctn_json *choices = ctn_json_member_of(schema, "enum"),
                   *properties = ctn_json_member_of(schema, "properties");
    if (ctn_json_count(choices) > 0)
        return ctn_json_at(choices, 0);
    if (ctn_str_is(kind, "object")) {
        ctn_json_builder out = ctn_json_object(arena);
        for (size_t i = 0; i < ctn_json_count(properties); i++) {
            ctn_str key = ctn_json_text(&properties->members[i].key);
            ctn_json_put(&out, key, fitting(a, key, &properties->members[i].value));
        }
        return ctn_json_finish(&out);
    }
    if (ctn_str_is(kind, "array")) {
        ctn_json_builder out = ctn_json_array(arena);
        ctn_json_push(&out, fitting(a, CTN_STR(""), ctn_json_member_of(schema, "items")));
        return ctn_json_finish(&out);
    }
    if (ctn_str_is(kind, "integer") || ctn_str_is(kind, "number"))
        return quoted(arena, "3");
    if (ctn_str_is(kind, "boolean"))
        return quoted(arena, "true");
    return ctn_json_string(arena, ctn_str_is(kind, "string") ? CTN_STR("words") : CTN_STR(""));
}

/* ---- sending it ---- */

/* `whole` with another value at the place that the names lead to. */
static const ctn_json *with(ctn_arena *arena, const ctn_json *whole, const ctn_str *names, size_t depth,
                            const ctn_json *value)
{
    if (depth == 0)
        return value;
    if (ctn_json_is(whole, CTN_JSON_ARRAY)) { /* its first item */
        ctn_json_builder list = ctn_json_array(arena);
        ctn_json_push(&list, with(arena, ctn_json_at(whole, 0), names + 1, depth - 1, value));
        for (size_t i = 1; i < ctn_json_count(whole); i++)
            ctn_json_push(&list, ctn_json_at(whole, i));
        return ctn_json_finish(&list);
    }
    ctn_json_builder out = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(whole); i++)
        ctn_json_put(&out, ctn_json_text(&whole->members[i].key), &whole->members[i].value);
    ctn_json_put(&out, names[0], with(arena, ctn_json_get(whole, names[0]), names + 1, depth - 1, value));
    return ctn_json_finish(&out);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static void try_once(attack *a, const char *tool, const ctn_json *arguments, ctn_str at, size_t value)
{
    ctn_arena *arena = ctn_arena_new(1 << 16);
    const ctn_json *result = NULL;
    ctn_err err = {0};
    if (getenv("HOSTILE_SAY")) {
        ctn_str said = ctn_json_to_str(arena, arguments);
        fprintf(stderr, "%s %.*s #%zu %.*s\n", tool, CTN_STR_ARG(at), value, (int) (said.len > 300 ? 300 : said.len),
                said.ptr);
    }
    if (ctn_str_is(ctn_json_str_or(arguments, "key", CTN_STR("")), "KEY")) { /* one of its own */
        ctn_str name = CTN_STR("key");
        ctn_str key = ctn_arena_printf(arena, "k-%zu", a->calls);
        arguments = with(arena, arguments, &name, 1, ctn_json_string(arena, key));
    }
    double from = seconds();
    int rc = run_tool(&a->d.tools, tool, arena, arguments, &result, &err);
    double took = seconds() - from;
    a->calls++;
    a->refused += rc != CTN_OK;
    if (took > CALL_SECONDS_MAX) {
        print_error("%s with value %zu at %.*s took %.1f s\n", tool, value, CTN_STR_ARG(at), took);
        a->faults++;
    }
    if (rc && (err.message[0] == '\0' || strstr(err.message, SECRET))) {
        print_error("%s with value %zu at %.*s says: %s\n", tool, value, CTN_STR_ARG(at), err.message);
        a->faults++;
    }
    if (!rc && !result)
        fail_msg("%s with value %zu at %.*s gives nothing", tool, value, CTN_STR_ARG(at));
    ctn_arena_free(arena);
}

static void try_places(attack *a, const char *tool, const ctn_json *right, const ctn_json *at, ctn_str *names,
                       size_t depth)
{
    bool is_list = ctn_json_is(at, CTN_JSON_ARRAY);
    size_t places = is_list ? ctn_json_count(at) > 0 : ctn_json_is(at, CTN_JSON_OBJECT) ? ctn_json_count(at) : 0;
    for (size_t i = 0; i < places; i++) {
        const ctn_json *there = is_list ? ctn_json_at(at, 0) : &at->members[i].value;
        names[depth] = is_list ? CTN_STR("[]") : ctn_json_text(&at->members[i].key);
        /* another part of the values at each place */
        size_t first = a->is_whole ? 0 : a->turn++ % STEP;
        for (size_t v = first; v < a->value_count; v += a->is_whole ? 1 : STEP) {
            ctn_arena *arena = ctn_arena_new(4096);
            try_once(a, tool, with(arena, right, names, depth + 1, a->values[v]), names[depth], v);
            ctn_arena_free(arena);
        }
        if (depth + 1 < PLACES_DEEP)
            try_places(a, tool, right, there, names, depth + 1);
    }
}

/* A search and what comes of it: good arguments for the tools that stand later in a chain. */
static void make_real(attack *a)
{
    desk *d = &a->d;
    ctn_json_builder real = ctn_json_object(d->arena), ask = ctn_json_object(d->arena);
    const ctn_json *trip = quoted(d->arena, "{'origin': 'London', 'destinations': ['Rome'], 'start_date': '2026-10-24',"
                                            "'end_date': '2026-10-31', 'nights': 7, 'adults': 2, 'children': 0,"
                                            "'interests': ['museums'], 'trip_type': 'holiday', 'currency': 'GBP'}");
    ctn_json_put(&real, CTN_STR("requirements"), trip);
    ctn_json_put(&real, CTN_STR("trip_requirements"), trip);
    ctn_json_put(&ask, CTN_STR("requirements"), trip);
    const ctn_json *searched = ctn_json_finish(&ask);
    const ctn_json *flights = result_of(&d->tools, "search_flights", d->arena, searched);
    const ctn_json *hotels = result_of(&d->tools, "search_hotels", d->arena, searched);
    ctn_json_builder priced = ctn_json_object(d->arena);
    ctn_json_put(&priced, CTN_STR("requirements"), trip);
    ctn_json_put(&priced, CTN_STR("flights"), flights);
    ctn_json_put(&priced, CTN_STR("hotels"), hotels);
    const ctn_json *prices = result_of(&d->tools, "price_tiers", d->arena, ctn_json_finish(&priced));
    const ctn_json *tiers = ctn_json_member_of(prices, "pricing_tiers");
    ctn_json_put(&real, CTN_STR("flights"), flights);
    ctn_json_put(&real, CTN_STR("hotels"), hotels);
    ctn_json_put(&real, CTN_STR("tiers"), tiers);
    ctn_json_put(&real, CTN_STR("price_sheet"), ctn_json_member_of(prices, "price_sheet"));
    ctn_json_put(&real, CTN_STR("pricing_tiers"), tiers);
    ctn_json_put(&real, CTN_STR("tier"), ctn_json_pointer(tiers, CTN_STR("/tiers/0")));
    a->flight = ctn_json_pointer(flights, CTN_STR("/offers/0"));
    a->hotel = ctn_json_pointer(hotels, CTN_STR("/stays/0/hotels/0"));
    assert_true(a->flight && a->hotel && ctn_json_pointer(tiers, CTN_STR("/tiers/0")));
    ctn_json_builder hold = ctn_json_object(d->arena), holds = ctn_json_array(d->arena),
                     book = ctn_json_object(d->arena);
    ctn_json_put(&hold, CTN_STR("offer"), a->flight);
    ctn_json_put_str(&hold, "key", CTN_STR("a hold"));
    const ctn_json *held = result_of(&d->tools, "hold_flight", d->arena, ctn_json_finish(&hold));
    const ctn_json *paid =
        call(d, "take_deposit", "{'client_id': 'C-1', 'amount': '250.00', 'currency': 'GBP', 'key': 'p'}");
    ctn_json_push(&holds, held);
    const ctn_json *all = ctn_json_finish(&holds);
    ctn_json_put(&book, CTN_STR("holds"), all);
    ctn_json_put(&book, CTN_STR("payment"), paid);
    ctn_json_put_str(&book, "key", CTN_STR("a booking"));
    const ctn_json *booking = result_of(&d->tools, "confirm_booking", d->arena, ctn_json_finish(&book));
    ctn_json_put(&real, CTN_STR("hold_id"), ctn_json_member_of(held, "hold_id"));
    ctn_json_put(&real, CTN_STR("holds"), all);
    ctn_json_put(&real, CTN_STR("payment"), paid);
    ctn_json_put(&real, CTN_STR("payment_id"), ctn_json_member_of(paid, "payment_id"));
    ctn_json_put(&real, CTN_STR("booking"), booking);
    ctn_json_put(&real, CTN_STR("booking_id"), ctn_json_member_of(booking, "booking_id"));
    a->real = ctn_json_finish(&real);
}

static const ctn_json *fresh_lead(desk *d, size_t number)
{
    ctn_str text = ctn_arena_printf(d->arena,
                                    "{'text': 'a trip', 'client': {'name': 'Anna', 'email': 'a%zu@example.com', "
                                    "'phone': '+44 7700 9%05zu'}, 'requirements': {'destinations': ['Rome']}}",
                                    number, number);
    return call(d, "save_lead", text.ptr);
}

static void attack_open(attack *a)
{
    *a = (attack){.is_whole = getenv("HOSTILE") != NULL};
    desk_open(&a->d);
    ctn_str yaml = ctn_arena_printf(a->d.arena, "%s/agency.yaml", a->d.folder);
    FILE *file = fopen(yaml.ptr, "wb");
    assert_non_null(file);
    fputs("agency: {email: desk@example.com}\ndelivery: {outbox: {folder: outbox}}\nprovider: {ledger: ledger.db}\n",
          file);
    assert_int_equal(fclose(file), 0);
    travel_agency_close(a->d.tools.agency);
    assert_int_equal(travel_agency_open(yaml.ptr, &a->d.tools.agency, NULL), CTN_OK);
    a->tools = travel_tools_list(a->d.arena, &a->tool_count);
    make_values(a);
    make_real(a);
}

static void attack_close(attack *a)
{
    travel_tools_done(&a->d.tools);
    pid_t rm = fork();
    assert_true(rm >= 0);
    if (rm == 0) {
        execl("/bin/rm", "rm", "-rf", a->d.folder, (char *) NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(rm, NULL, 0), rm);
    ctn_arena_free(a->d.arena);
}

static void test_a_hostile_argument_crashes_a_tool_or_comes_back_in_its_sentence(void **state)
{
    (void) state;
    attack a;
    attack_open(&a);
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0); /* nothing is printed here */
    for (size_t i = 0; i < a.tool_count; i++) {
        ctn_str names[PLACES_DEEP];
        const ctn_json *schema = json_from(a.d.arena, ctn_str_from(a.tools[i].input_schema));
        a.fresh = fresh_lead(&a.d, i);
        const ctn_json *right = fitting(&a, CTN_STR(""), schema);
        const ctn_json *offer = strcmp(a.tools[i].name, "hold_flight") == 0  ? a.flight
                                : strcmp(a.tools[i].name, "hold_hotel") == 0 ? a.hotel
                                                                             : NULL;
        ctn_str offer_name = CTN_STR("offer");
        right = offer ? with(a.d.arena, right, &offer_name, 1, offer) : right;
        double from = seconds();
        try_once(&a, a.tools[i].name, right, CTN_STR("all"), 0);
        try_places(&a, a.tools[i].name, right, right, names, 0);
        if (getenv("HOSTILE_SAY"))
            fprintf(stderr, "%s: %.2f s\n", a.tools[i].name, seconds() - from);
    }
    print_message("%zu calls of %zu tools, %zu refused\n", a.calls, a.tool_count, a.refused);
    assert_int_equal(a.faults, 0);
    assert_true(a.refused < a.calls); /* the tools got to their work */
    attack_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_hostile_argument_crashes_a_tool_or_comes_back_in_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
