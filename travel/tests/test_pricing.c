/* Money is exact, the inventory answers the same question the same way, and nothing in an answer is null. */
#include "support.h"

#include "search/inventory.h"
#include "kit/money.h"
#include "proposal/pricing.h"
#include "proposal/proposal.h"

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
    ctn_str total = ctn_json_text(ctn_json_pointer(flights, CTN_STR("/offers/0/total")));
    if (!ctn_str_is(total, "3751.80"))
        fail_msg("the price on record is another: %.*s", CTN_STR_ARG(total));
    ctn_arena_free(arena);
    travel_tools_done(&tools);
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
                assert_int_equal(cents_at(tier, "per_person"),
                                 travel_cents_round(travel_cents_divide(total, people + people / 3), currencies[c]));
                assert_true(total > last); /* Essential < Comfort < Premium */
                last = total;
            }
            ctn_arena_free(arena);
        }
    travel_tools_done(&tools);
}

/* ---- the agency's rules ---- */

/* An agency whose file has this text; the file is gone again. */
static travel_agency *agency_of(const char *yaml, ctn_err *err)
{
    char path[] = "/tmp/travel-agency-XXXXXX";
    travel_agency *agency = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t) strlen(yaml));
    close(fd);
    int rc = travel_agency_open(path, &agency, err);
    unlink(path);
    return rc ? NULL : agency;
}

static const char ROME_FLIGHTS[] =
    "{\"currency\":\"EUR\",\"offers\":[{\"offer_id\":\"F1\",\"total\":\"200.00\",\"expires_at\":\"2026-03-11T10:30:"
    "00Z\"},"
    "{\"offer_id\":\"F2\",\"total\":\"300.00\"},{\"offer_id\":\"F3\",\"total\":\"900.00\",\"cabin\":\"business\"}]}";
static const char ROME_HOTELS[] =
    "{\"currency\":\"EUR\",\"stays\":[{\"place\":\"Rome\",\"nights\":3,\"rooms\":1,\"check_in\":\"2026-05-01\","
    "\"hotels\":["
    "{\"hotel_id\":\"H3\",\"stars\":3,\"total\":\"150.10\"},{\"hotel_id\":\"H4\",\"stars\":4,\"total\":\"270.00\"},"
    "{\"hotel_id\":\"H5\",\"stars\":5,\"total\":\"600.00\",\"expires_at\":\"2026-03-10\"}]}]}";

/* Rome for two people, in euros, priced by `yaml`. */
static int price_rome(ctn_arena *arena, const char *yaml, travel_pricing *ret_pricing, ctn_err *err)
{
    travel_pricing_rules rules;
    travel_agency *agency = agency_of(yaml, err);
    int rc = agency ? travel_pricing_rules_read(agency, &rules, err) : CTN_E_INVALID;
    travel_price_request request = {
        .requirements = json_from(arena, CTN_STR("{\"origin\":\"London\",\"destinations\":[\"Rome\"],\"start_date\":"
                                                 "\"2026-05-01\",\"nights\":3,\"adults\":2,\"currency\":\"EUR\"}")),
        .flights = json_from(arena, ctn_str_from(ROME_FLIGHTS)),
        .hotels = json_from(arena, ctn_str_from(ROME_HOTELS)),
        .today = 20520, /* 2026-03-08 */
        .language = TRAVEL_DE};
    if (!rc)
        rc = travel_price(arena, &request, &rules, ret_pricing, err);
    if (!rc && ret_pricing->tiers[0].lines[2].name.len) /* names are the agency's */
        ret_pricing->tiers[0].lines[2].name = ctn_arena_str(arena, ret_pricing->tiers[0].lines[2].name);
    travel_agency_close(agency);
    return rc;
}

static void the_first_rule_that_fits_makes_the_markup(void **state)
{
    (void) state;
    static const char yaml[] = "pricing:\n"
                               "  currency: GBP\n"
                               "  rates: {EUR: 1.2}\n"
                               "  markup:\n"
                               "    - {kind: flight, percent: 4, minimum: 10}\n"
                               "    - {kind: hotel, tier: best, percent: 15, amount: 5}\n"
                               "    - {kind: hotel, percent: 12.5}\n"
                               "    - {percent: 900}\n"
                               "  fees: [{name: {en: Booking fee, de: Buchungsgebühr}, amount: 7.50, per: person}]\n"
                               "  taxes: [{name: VAT, percent: 20, on: service}]\n"
                               "  deposit: {percent: 10, minimum: 50}\n"
                               "  round_to: 0.50\n";
    ctn_arena *arena = ctn_arena_new(65536);
    travel_pricing p;
    ctn_err err = {0};
    if (price_rome(arena, yaml, &p, &err))
        fail_msg("%s", err.message);
    const travel_priced_tier *good = &p.tiers[TRAVEL_GOOD], *best = &p.tiers[TRAVEL_BEST];
    assert_int_equal(good->flight_total, 20000 + 1200);      /* 4 % is less than ten pounds */
    assert_int_equal(good->stays[0].total, 16900);           /* 168.86, up to the next half euro */
    assert_int_equal(good->fees, 2 * 900);                   /* 7.50 pounds each */
    assert_int_equal(good->taxes, (1200 + 1890 + 1800) / 5); /* a fifth of markups and fees */
    assert_int_equal(good->total, 21200 + 16900 + 1800 + 978);
    assert_int_equal(good->deposit, 6000); /* fifty pounds are more than a tenth */
    assert_int_equal(good->balance, good->total - 6000);
    assert_true(ctn_str_is(good->lines[2].name, "Buchungsgebühr"));
    assert_int_equal(best->flight_total, 90000 + 3600);
    assert_int_equal(best->stays[0].total, 60000 + 9000 + 600);
    ctn_arena_free(arena);
}

static void a_markup_that_is_shown_is_a_line_and_the_total_is_the_same(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_pricing hidden, open;
    ctn_err err = {0};
    assert_int_equal(price_rome(arena, "pricing: {}\n", &hidden, &err), CTN_OK);
    assert_int_equal(price_rome(arena, "pricing: {shows_markup: true}\n", &open, &err), CTN_OK);
    for (size_t i = 0; i < TRAVEL_TIERS; i++) {
        assert_int_equal(hidden.tiers[i].total, open.tiers[i].total);
        assert_int_equal(hidden.tiers[i].line_count + 1, open.tiers[i].line_count);
        assert_int_equal(open.tiers[i].lines[2].kind, TRAVEL_LINE_SERVICE);
        assert_int_equal(open.tiers[i].lines[2].total, hidden.tiers[i].markup);
        assert_int_equal(open.tiers[i].lines[0].total, open.tiers[i].flight_net);
    }
    ctn_arena_free(arena);
}

static void a_proposal_ends_with_the_first_of_its_offers(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_pricing p;
    ctn_err err = {0};
    const int64_t day = 86400000;
    assert_int_equal(price_rome(arena, "pricing: {valid_days: 5}\n", &p, &err), CTN_OK);
    assert_int_equal(p.tiers[TRAVEL_GOOD].expires_at_ms, 20523 * day + 37800000); /* the fare's half past ten */
    assert_int_equal(p.tiers[TRAVEL_BETTER].expires_at_ms, 20526 * day - 1000);   /* nothing but the five days */
    assert_int_equal(p.tiers[TRAVEL_BEST].expires_at_ms, 20523 * day - 1);        /* a day is meant to its end */
    assert_int_equal(p.expires_at_ms, p.tiers[TRAVEL_BEST].expires_at_ms);
    ctn_arena_free(arena);
}

static void what_is_wrong_with_the_rules_is_told_with_its_place(void **state)
{
    (void) state;
    static const struct {
        const char *yaml, *sentence;
    } cases[] = {
        {"pricing:\n  markups: []\n", ":2:3: pricing has no \"markups\"; did you mean markup?"},
        {"pricing: {markup: [{kind: boat}]}\n", ":1:27: kind must be flight or hotel"},
        {"pricing: {markup: [{tier: gold}]}\n", "tier must be good, better or best"},
        {"pricing: {markup: [{percent: -3}]}\n", "percent must be a number from 0 to 1000"},
        {"pricing: {markup: [{percent: 3.125}]}\n", "at most two places"},
        {"pricing: {markup: [{percent: 1e2}]}\n", "percent must be a number"},
        {"pricing: {markup: {percent: 3}}\n", "markup must be a list"},
        {"pricing: {fees: [{amount: 3}]}\n", "name must be what clients read"},
        {"pricing: {fees: [{name: x, on: total}]}\n", "a fee has no \"on\""},
        {"pricing: {deposit: {percent: 101}}\n", "percent must be a number from 0 to 100 "},
        {"pricing: {round_to: 0}\n", "round_to must be at least 0.01"},
        {"pricing: {valid_days: 0}\n", "valid_days must be a whole number"},
        {"pricing: {rates: {EUR: 0}}\n", "a rate must be what one pound buys"},
        {"pricing: {rates: {EUR: 1.23456}}\n", "at most four places"},
        {"pricing: {rates: {XXX: 2}}\n", "\"XXX\" is no currency"},
        {"pricing: {currency: Euro}\n", "currency must be a code"},
        {"pricing: {shows_markup: maybe}\n", "shows_markup must be true or false"},
        {"pricing: {rates: {EUR: 99999}, fees: [{name: x, amount: 1000000, per: person}]}\n", "is too large in EUR"},
    };
    ctn_arena *arena = ctn_arena_new(65536);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        travel_pricing p;
        ctn_err err = {0};
        assert_int_not_equal(price_rome(arena, cases[i].yaml, &p, &err), CTN_OK);
        if (!strstr(err.message, cases[i].sentence))
            fail_msg("%s: %s", cases[i].yaml, err.message);
    }
    ctn_arena_free(arena);
}

/* Random rules and amounts, the largest among them: sums are exact, nothing is negative, nothing overflows. */
static void whatever_the_rules_a_total_is_its_lines(void **state)
{
    (void) state;
    uint64_t seed = 2026;
    ctn_rng rng = ctn_rng_seeded(&seed);
    static const char *const currencies[] = {"GBP", "EUR", "JPY", "KRW", "HUF"};
    size_t priced = 0, refused = 0;
#define DRAW(max) ((int64_t) (ctn_rng_next(&rng) % ((uint64_t) (max) + 1)))
    for (int round = 0; round < 4000; round++) {
        ctn_arena *arena = ctn_arena_new(16384);
        const char *currency = currencies[DRAW(4)];
        int64_t largest = DRAW(4) == 0 ? TRAVEL_CENTS_MAX / 100 : DRAW(3) == 0 ? 100000 : 3000;
        travel_pricing_rules rules = {.currency = currencies[DRAW(4)],
                                      .markup_count = (size_t) DRAW(4),
                                      .fee_count = (size_t) DRAW(3),
                                      .tax_count = (size_t) DRAW(3),
                                      .deposit_percent = DRAW(10000),
                                      .deposit_minimum = DRAW(100000000),
                                      .round_to = 1 + DRAW(2) * DRAW(10000),
                                      .valid_days = 7,
                                      .shows_markup = DRAW(1) == 1};
        for (size_t i = 0; i < rules.markup_count; i++)
            rules.markups[i] = (travel_markup){.for_tier = {DRAW(1), DRAW(1), DRAW(1)},
                                               .for_kind = {DRAW(1), DRAW(1)},
                                               .percent = DRAW(100000),
                                               .amount = DRAW(1) * DRAW(100000000),
                                               .minimum = DRAW(100000)};
        for (size_t i = 0; i < rules.fee_count; i++)
            rules.fees[i] = (travel_charge){.names = {CTN_STR("fee")}, .percent = DRAW(100000), .amount = DRAW(100000)};
        for (size_t i = 0; i < rules.tax_count; i++)
            rules.taxes[i] = (travel_charge){.names = {CTN_STR("tax")}, .percent = DRAW(100000), .on_service = DRAW(1)};
        ctn_str flights = ctn_arena_printf(arena, "{\"currency\":\"%s\",\"offers\":[{\"total\":\"%lld.%02lld\"}]}",
                                           currency, (long long) DRAW(largest), (long long) DRAW(99));
        ctn_str hotels = ctn_arena_printf(
            arena, "{\"currency\":\"%s\",\"stays\":[{\"place\":\"Rome\",\"hotels\":[{\"total\":\"%lld\"}]}]}", currency,
            (long long) DRAW(largest));
        ctn_str trip = ctn_arena_printf(
            arena,
            "{\"origin\":\"London\",\"destinations\":[\"Rome\"],\"nights\":3,\"adults\":%lld,\"currency\":\"%s\"}",
            (long long) (1 + DRAW(59)), currency);
        travel_price_request request = {.requirements = json_from(arena, trip),
                                        .flights = json_from(arena, flights),
                                        .hotels = json_from(arena, hotels),
                                        .today = 20520};
        travel_pricing p;
        ctn_err err = {0};
        int rc = travel_price(arena, &request, &rules, &p, &err);
        refused += rc == CTN_E_LIMIT;
        assert_true(rc == CTN_OK || rc == CTN_E_LIMIT);
        for (size_t i = 0; rc == CTN_OK && i < p.tier_count; i++, priced++) {
            const travel_priced_tier *t = &p.tiers[i];
            travel_cents sum = 0;
            for (size_t l = 0; l < t->line_count; l++) {
                assert_true(t->lines[l].total >= 0 && t->lines[l].total <= TRAVEL_CENTS_MAX);
                sum += t->lines[l].total;
            }
            assert_int_equal(sum, t->total);
            assert_int_equal(t->net + t->markup + t->fees + t->taxes, t->total);
            assert_true(t->markup >= 0 && t->fees >= 0 && t->taxes >= 0 && t->per_person >= 0);
            assert_true(t->deposit >= 0 && t->balance >= 0);
            assert_int_equal(t->deposit + t->balance, t->total);
            assert_true(t->total <= TRAVEL_CENTS_MAX);
        }
        ctn_arena_free(arena);
    }
#undef DRAW
    assert_true(priced > 1000 && refused > 100); /* both happened often enough to mean something */
}

/* ---- before commitment ---- */

/* Rome once more, with the flight and the hotel at these prices ("": gone), under new ids as some providers give. */
static const ctn_json *recheck_rome(ctn_arena *arena, const char *flight, const char *hotel)
{
    travel_tools tools = tools_for_test(NULL);
    static const char QUESTION[] =
        "{\"requirements\":{\"origin\":\"London\",\"destinations\":[\"Rome\"],\"start_date\":"
        "\"2026-05-01\",\"nights\":3,\"adults\":2,\"currency\":\"EUR\"},\"flights\":{\"currency\":"
        "\"EUR\",\"offers\":[%s]},\"hotels\":{\"currency\":\"EUR\",\"stays\":[{\"place\":\"Rome\","
        "\"nights\":3,\"rooms\":1,\"check_in\":\"2026-05-01\",\"hotels\":[%s]}]},\"started_at\":"
        "\"2026-03-08\",\"tier\":\"good\"}";
    static const char FLIGHT[] =
        "{\"offer_id\":\"%s\",\"total\":\"%s\",\"fare\":\"Flex\",\"legs\":[{\"date\":\"2026-05-01\","
        "\"number\":\"SB 1\",\"departs\":\"10:00\",\"from\":\"LHR\",\"to\":\"FCO\"}]}";
    static const char HOTEL[] = "{\"hotel_id\":\"%s\",\"total\":\"%s\",\"stars\":3,\"name\":\"Amber Inn\",\"board\":"
                                "\"breakfast\",\"expires_at\":\"%s\"}";
#define PRINT(...) ctn_arena_printf(arena, __VA_ARGS__).ptr
    const ctn_json *before = json_from(
        arena, ctn_str_from(PRINT(QUESTION, PRINT(FLIGHT, "F-old", "200.00"), PRINT(HOTEL, "H-old", "150.00", ""))));
    const ctn_json *tiers = ctn_json_member_of(result_of(&tools, "price_tiers", arena, before), "pricing_tiers");
    const ctn_json *now =
        json_from(arena, ctn_str_from(PRINT(QUESTION, *flight ? PRINT(FLIGHT, "F-new", flight) : "",
                                            *hotel ? PRINT(HOTEL, "H-new", hotel, "2026-03-12T10:00:00Z") : "")));
#undef PRINT
    ctn_json_builder question = ctn_json_object(arena);
    ctn_json_put_all(&question, now);
    ctn_json_put(&question, CTN_STR("tiers"), tiers);
    const ctn_json *result = result_of(&tools, "recheck_prices", arena, ctn_json_finish(&question));
    travel_tools_done(&tools);
    return result;
}

static void a_choice_is_read_by_key_or_name_and_by_nothing_else(void **state)
{
    (void) state;
    static const struct {
        const char *answer, *tier;
        bool is_declined, has_answered;
    } cases[] = {
        {"null", "", false, false},
        {"{}", "", false, false},
        {"{\"tier\":\"better\"}", "better", false, true},
        {"{\"tier\":\" KOMFORT \"}", "better", false, true},
        {"\"best\"", "best", false, true},
        {"{\"tier\":\"gold\"}", "", false, true},
        {"{\"declined\":true}", "", true, true},
        {"{\"tier\":5,\"declined\":\"yes\"}", "", false, true},
        {"[\"good\"]", "", false, true},
        {"\"in May, please\"", "", false, true},
    };
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *tiers =
        json_from(arena, CTN_STR("{\"tiers\":[{\"tier\":\"good\",\"name\":\"Basis\"},{\"tier\":\"better\","
                                 "\"name\":\"Komfort\"},{\"tier\":\"best\",\"name\":\"Premium\"}]}"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ctn_json *choice = travel_choice_read(arena, json_from(arena, ctn_str_from(cases[i].answer)), tiers);
        if (!ctn_str_is(ctn_json_str_or(choice, "tier", CTN_STR("?")), cases[i].tier) ||
            ctn_json_bool_or(choice, "is_declined", !cases[i].is_declined) != cases[i].is_declined ||
            ctn_json_bool_or(choice, "has_answered", !cases[i].has_answered) != cases[i].has_answered)
            fail_msg("%s: %.*s", cases[i].answer, CTN_STR_ARG(ctn_json_to_str(arena, choice)));
    }
    ctn_arena_free(arena);
}

static void prices_that_hold_or_nearly_hold_are_honoured(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    static const struct {
        const char *flight, *hotel, *net, *markup;
        size_t differences;
    } cases[] = {
        {"200.00", "150.00", "350.00", "25.00", 0},
        {"203.49", "150.00", "353.49", "21.51", 1}, /* 1 % of 350 is 3.50 */
        {"196.51", "150.00", "346.51", "28.49", 1},
        {"203.00", "147.00", "350.00", "25.00", 2}, /* one dearer, one cheaper */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ctn_json *r = recheck_rome(arena, cases[i].flight, cases[i].hotel),
                       *a = ctn_json_member_of(r, "accepted");
        assert_false(ctn_json_bool_or(r, "changed", true));
        assert_int_equal(ctn_json_count(ctn_json_member_of(r, "differences")), cases[i].differences);
        assert_int_equal(cents_at(a, "total"), 37500); /* as it was proposed */
        assert_true(ctn_str_is(ctn_json_text(ctn_json_member_of(a, "net")), cases[i].net));
        assert_true(ctn_str_is(ctn_json_text(ctn_json_member_of(a, "markup")), cases[i].markup));
        assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(a, CTN_STR("/offers/0/offer_id"))), "F-new"));
        assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(a, CTN_STR("/offers/1/hotel_id"))), "H-new"));
        assert_true(ctn_str_is(ctn_json_text(ctn_json_member_of(a, "offer_id")), "F-new"));
        assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(a, CTN_STR("/stays/0/hotel_id"))), "H-new"));
    }
    ctn_arena_free(arena);
}

static void a_price_that_moved_or_an_offer_that_is_gone_is_told_by_line(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    static const struct {
        const char *flight, *hotel, *text;
    } cases[] = {
        {"203.51", "150.00", "Flights and transfers: €200.00 → €203.51"},
        {"190.00", "150.00", "Flights and transfers: €200.00 → €190.00"},
        {"200.00", "", "Amber Inn: no longer available"},
        {"", "160.00", "Flights and transfers: no longer available; Amber Inn: €150.00 → €160.00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ctn_json *r = recheck_rome(arena, cases[i].flight, cases[i].hotel);
        assert_true(ctn_json_bool_or(r, "changed", false));
        assert_int_equal(ctn_json_count(ctn_json_member_of(r, "accepted")), 0);
        if (!ctn_str_is(ctn_json_text(ctn_json_member_of(r, "differences_text")), cases[i].text))
            fail_msg("%.*s", CTN_STR_ARG(ctn_json_text(ctn_json_member_of(r, "differences_text"))));
    }
    ctn_arena_free(arena);
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
    travel_tools_done(&tools);
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
    travel_tools_done(&tools);
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
    travel_tools_done(&tools);
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
    travel_tools_done(&tools);
}

static void a_wrong_price_rule_is_told_at_the_start_and_not_at_the_first_client(void **state)
{
    (void) state;
    static const char *const WRONG[] = {"pricing: {currency: XYZ}", "pricing: {deposit: {percent: 120}}",
                                        "pricing: {markup: [{kind: flight, percent: five}]}",
                                        "proposal: {words: {no_such_phrase: x}}"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        ctn_err err = {0};
        travel_agency *agency = agency_of(WRONG[i], &err);
        assert_non_null(agency);
        assert_int_equal(travel_tools_check(agency, &err), CTN_E_INVALID);
        assert_non_null(strstr(err.message, ":1:"));
        travel_agency_close(agency);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_question_has_the_same_answer),
        cmocka_unit_test(a_total_is_the_sum_of_its_parts_to_the_cent),
        cmocka_unit_test(the_first_rule_that_fits_makes_the_markup),
        cmocka_unit_test(a_markup_that_is_shown_is_a_line_and_the_total_is_the_same),
        cmocka_unit_test(a_proposal_ends_with_the_first_of_its_offers),
        cmocka_unit_test(what_is_wrong_with_the_rules_is_told_with_its_place),
        cmocka_unit_test(whatever_the_rules_a_total_is_its_lines),
        cmocka_unit_test(a_choice_is_read_by_key_or_name_and_by_nothing_else),
        cmocka_unit_test(prices_that_hold_or_nearly_hold_are_honoured),
        cmocka_unit_test(a_price_that_moved_or_an_offer_that_is_gone_is_told_by_line),
        cmocka_unit_test(every_kind_of_budget_is_compared),
        cmocka_unit_test(whatever_is_missing_the_answers_hold_no_null),
        cmocka_unit_test(a_completed_trip_is_completed_to_itself),
        cmocka_unit_test(amounts_are_read_and_written_exactly),
        cmocka_unit_test(wrong_arguments_are_told_in_a_sentence),
        cmocka_unit_test(a_wrong_price_rule_is_told_at_the_start_and_not_at_the_first_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
