/* Follow-ups: the table and its sentences, the clock of the client, and what the messages say. */
#include "support.h"

#include "chain/source.h"
#include "followup/followup.h"
#include "followup/rules.h"
#include "followup/texts.h"
#include "followup/timing.h"

#include <time.h>

/* An agency.yaml with this text; the caller closes it. */
static int agency_of(const char *text, travel_agency **ret_agency, ctn_err *err)
{
    char path[] = "/tmp/catena-agency-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text));
    close(fd);
    int rc = travel_agency_open(path, ret_agency, err);
    (void) unlink(path);
    return rc;
}

static travel_agency *agency_or_fail(const char *text)
{
    travel_agency *agency = NULL;
    ctn_err err = {0};
    if (agency_of(text, &agency, &err) || travel_tools_check(agency, &err))
        fail_msg("%s", err.message);
    return agency;
}

/* ---- the table ---- */

typedef struct expected_choice {
    const char *lead, *standing, *engagement;
    int64_t touch;
    const char *contacts; /* JSON */
    const char *send, *channel, *urgency;
    int64_t followups;
} expected_choice;

static travel_rules_choice choose(const travel_agency *agency, ctn_arena *arena, const expected_choice *e)
{
    travel_rules_facts facts = {.lead = ctn_str_from(e->lead),
                                .standing = ctn_str_from(e->standing),
                                .engagement = ctn_str_from(e->engagement),
                                .days = 10,
                                .touch = e->touch,
                                .followups = e->followups,
                                .contacts = e->contacts ? json_from(arena, ctn_str_from(e->contacts)) : NULL};
    return travel_rules_choose(agency, arena, &facts);
}

static void the_table_of_the_pack_says_what_an_agency_would_do(void **state)
{
    (void) state;
    static const expected_choice cases[] = {
        {"lost", "dormant", "low", 1, "[\"email\"]", "", "", ""},
        {"spam", "active", "high", 1, "[\"email\"]", "", "", ""},
        {"accepted", "warm", "high", 1, "[\"email\"]", "", "", ""},
        {"booked", "cooling", "medium", 1, "[\"email\"]", "", "", ""},
        {"booked", "dormant", "low", 1, "[\"email\"]", "re_engagement", "email", "low"},
        {"none", "warm", "high", 1, "[\"email\"]", "", "", ""},
        {"proposed", "active", "high", 1, "[\"email\"]", "", "", ""},
        {"asked", "warm", "high", 1, "[\"email\", \"phone\"]", "details", "whatsapp", "high"},
        {"proposed", "warm", "high", 1, "[\"email\", \"phone\"]", "proposal_review", "whatsapp", "high"},
        {"proposed", "warm", "high", 2, "[\"email\"]", "proposal_review", "email", "high"},
        {"proposed", "cooling", "high", 1, "[\"phone\"]", "reminder", "whatsapp", "high"},
        {"proposed", "cooling", "medium", 3, "[\"email\"]", "reminder", "email", "medium"},
        {"new", "dormant", "low", 1, "[\"email\"]", "re_engagement", "email", "low"},
        {"new", "lapsed", "low", 1, "[\"email\"]", "permission", "email", "low"},
        {"new", "lapsed", "low", 1, "[\"email\"]", "", "", "", 1},   /* no row: asked once */
        {"new", "cooling", "low", 1, "[\"email\"]", "", "", "", 3},  /* three went unanswered */
        {"new", "lapsed", "low", 1, "[\"phone\"]", "", "", ""},      /* no address for the row's channel */
        {"", "active", "high", 1, NULL, "check_in", "email", "low"}, /* the first design asks without an enquiry */
        {"", "warm", "high", 1, NULL, "proposal_review", "whatsapp", "high"},
    };
    travel_agency *agency = agency_or_fail("agency: {}\n"), *shipped = NULL;
    assert_int_equal(travel_agency_open("travel/agency.yaml", &shipped, NULL), CTN_OK);
    ctn_arena *arena = ctn_arena_new(65536);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        travel_rules_choice c = choose(agency, arena, &cases[i]), s = choose(shipped, arena, &cases[i]);
        if (!ctn_str_is(c.send, cases[i].send) || !ctn_str_is(c.channel, cases[i].channel) ||
            !ctn_str_is(c.urgency, cases[i].urgency) || c.reason.len == 0)
            fail_msg("%s %s touch %d: %.*s by %.*s, %.*s (%.*s)", cases[i].lead, cases[i].standing,
                     (int) cases[i].touch, CTN_STR_ARG(c.send), CTN_STR_ARG(c.channel), CTN_STR_ARG(c.urgency),
                     CTN_STR_ARG(c.reason));
        assert_true(ctn_str_equal(c.send, s.send) && ctn_str_equal(c.reason, s.reason));
    }
    travel_agency_close(agency);
    travel_agency_close(shipped);
    ctn_arena_free(arena);
}

/* What agency.yaml shows is what counts without it: whoever deletes the section changes nothing. */
static void the_shipped_section_shows_the_defaults(void **state)
{
    (void) state;
    travel_agency *bare = agency_or_fail("agency: {}\n"), *shipped = NULL;
    travel_timing a, b;
    travel_standing c, d;
    assert_int_equal(travel_agency_open("travel/agency.yaml", &shipped, NULL), CTN_OK);
    assert_int_equal(travel_tools_check(shipped, NULL), CTN_OK);
    assert_true(travel_timing_read(bare, &a, NULL) == CTN_OK && travel_timing_read(shipped, &b, NULL) == CTN_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(travel_standing_read(bare, &c, NULL) == CTN_OK && travel_standing_read(shipped, &d, NULL) == CTN_OK);
    assert_memory_equal(&c, &d, sizeof c);
    const ctn_json *rows = ctn_json_member_of(travel_agency_section(shipped, "followup"), "rules");
    ctn_arena *arena = ctn_arena_new(4096);
    assert_true(ctn_json_equal(rows, travel_rules_default(arena)));
    ctn_arena_free(arena);
    travel_agency_close(bare);
    travel_agency_close(shipped);
}

static void an_edited_table_decides_by_its_first_row_that_fits(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_agency *agency =
        agency_or_fail("followup:\n"
                       "  rules:\n"
                       "    - {campaign: spring, language: [es, fr], send: reminder, channel: sms}\n"
                       "    - {days: 3..9, send: none, because: early}\n"
                       "    - {days: 10.., touch: ..2, send: hello, channel: [whatsapp, email]}\n"
                       "  messages: {hello: {en: {subject: Hello, text: \"Hello{{#name}} {{name}}{{/name}}\"}}}\n");
    travel_rules_facts facts = {.days = 10, .touch = 1, .contacts = json_from(arena, CTN_STR("[\"phone\",\"email\"]"))};
    assert_true(ctn_str_is(travel_rules_choose(agency, arena, &facts).send, "hello"));
    facts.touch = 3;
    travel_rules_choice none = travel_rules_choose(agency, arena, &facts);
    assert_true(none.send.len == 0 && ctn_str_is(none.reason, "no row of the table fits"));
    facts.days = 9;
    assert_true(ctn_str_is(travel_rules_choose(agency, arena, &facts).reason, "early"));
    facts.days = -1; /* not known fits no row that asks for it */
    assert_int_equal(travel_rules_choose(agency, arena, &facts).send.len, 0);
    facts.campaign = CTN_STR("spring");
    facts.language = CTN_STR("fr");
    assert_true(ctn_str_is(travel_rules_choose(agency, arena, &facts).channel, "sms"));
    travel_agency_close(agency);
    ctn_arena_free(arena);
}

static void a_section_that_says_what_it_may_not_is_found_at_the_start(void **state)
{
    (void) state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"followup:\n  rulez: []\n", ":2:3: followup has no key \"rulez\"; did you mean rules?"},
        {"followup:\n  rules: {}\n", ":2:10: rules must be a list of rows, not object"},
        {"followup:\n  rules:\n    - {standng: warm, send: reminder}\n",
         ":3:8: a row of followup.rules has no key \"standng\"; did you mean standing?"},
        {"followup:\n  rules:\n    - {standing: [warm, coolng], send: reminder}\n",
         ":3:25: standing must be active, warm, cooling, dormant or lapsed; did you mean cooling?"},
        {"followup:\n  rules:\n    - {send: remindr}\n", ":3:14: there is no message \"remindr\""},
        {"followup:\n  rules:\n    - {standing: warm}\n", "must say what to send"},
        {"followup:\n  rules:\n    - {send: none}\n", "wants the reason"},
        {"followup:\n  rules:\n    - {days: 9..3, send: reminder}\n", ":3:14: days must be a number or a range"},
        {"followup:\n  rules:\n    - {days: .., send: reminder}\n", "days must be a number or a range"},
        {"followup:\n  rules:\n    - {send: reminder, channel: fax}\n",
         "channel must be email, sms, whatsapp or phone"},
        {"followup:\n  rules:\n    - reminder\n", ":3:7: a row has keys"},
        {"followup: {standing: {active: 20}}\n", "warm (14 days) must be longer than active (20)"},
        {"followup: {quiet_hours: {from: \"25:00\"}}\n", "from must be a time such as \"20:00\""},
        {"followup: {quiet_hours: {from: \"09:00\"}}\n", "leave no time to write"},
        {"followup: {days: []}\n", "days must be a list of at least one"},
        {"followup: {days: [mon, tus]}\n", "did you mean tue?"},
        {"followup: {cap: {per_7_days: 0}}\n", "per_7_days must be a whole number from 1 to 50"},
        {"followup: {sequence: {gap_days: [0]}}\n", "a gap must be a whole number of days from 1 to 365"},
        {"followup: {sequence: {touches: 9}}\n", "touches must be a whole number from 1 to 3"},
        {"followup: {messages: {reminder: {en: {subject: a}}}}\n", "has a subject and a text"},
        {"followup: {messages: {reminder: {en: {subject: a, text: \"{{#trip}}\"}}}}\n", "text: "},
        {"followup: {messages: {hello: {de: {subject: a, text: b}}}}\n",
         "must be written in en, the agency's language"},
        {"followup: {messages: {hello: {it: {subject: a, text: b}}}}\n", "a message has no key \"it\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ctn_err err = {0};
        travel_agency *agency = NULL;
        assert_int_equal(agency_of(cases[i].text, &agency, &err), CTN_OK);
        assert_int_equal(travel_tools_check(agency, &err), CTN_E_INVALID);
        if (!strstr(err.message, cases[i].sentence))
            fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i].sentence);
        travel_agency_close(agency);
    }
}

/* ---- the clock ---- */

static int64_t ms_of(const char *utc)
{
    struct tm at = {0};
    assert_non_null(strptime(utc, "%Y-%m-%dT%H:%M", &at));
    return (int64_t) timegm(&at) * 1000;
}

static void a_message_waits_for_a_good_hour_of_the_clients_own_day(void **state)
{
    (void) state;
    static const struct {
        const char *zone, *earliest, *send;
    } cases[] = {
        {"Europe/Madrid", "2026-03-27T10:00", "2026-03-27T10:00"}, /* Friday, eleven o'clock there */
        {"Europe/Madrid", "2026-03-27T18:59", "2026-03-27T18:59"}, /* one minute to eight in the evening */
        {"Europe/Madrid", "2026-03-27T19:00", "2026-03-30T07:00"}, /* over the weekend on which the clocks go forward */
        {"Europe/Madrid", "2026-10-23T18:00", "2026-10-26T08:00"}, /* and back */
        {"Europe/London", "2026-07-01T03:00", "2026-07-01T08:00"}, /* the same morning */
        {"America/Los_Angeles", "2026-06-02T08:00", "2026-06-02T16:00"},
        {"Asia/Tokyo", "2026-06-05T15:30", "2026-06-08T00:00"},       /* Saturday half past midnight there */
        {"Pacific/Auckland", "2026-06-07T20:00", "2026-06-07T21:00"}, /* Monday morning there, Sunday here */
        {"Asia/Kathmandu", "2026-06-09T02:00", "2026-06-09T03:15"},   /* a quarter of an hour */
        {"UTC", "2026-06-09T09:00", "2026-06-09T09:00"},
    };
    travel_agency *agency = agency_or_fail("agency: {}\n");
    travel_timing timing;
    assert_int_equal(travel_timing_read(agency, &timing, NULL), CTN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ctn_zone *zone = NULL;
        assert_int_equal(ctn_zone_open(ctn_str_from(cases[i].zone), &zone, NULL), CTN_OK);
        int64_t at = travel_timing_next_ms(&timing, zone, ms_of(cases[i].earliest));
        if (at != ms_of(cases[i].send))
            fail_msg("%s from %s: %lld s off", cases[i].zone, cases[i].earliest,
                     (long long) (at - ms_of(cases[i].send)) / 1000);
        ctn_zone_close(zone);
    }
    travel_agency_close(agency);
}

/* Quiet times at the hour at which clocks change, in every zone with odd changes, from every half hour of two years. */
static void no_message_ever_falls_into_a_quiet_hour(void **state)
{
    (void) state;
    static const char *const zones[] = {"Europe/Berlin",     "America/Havana",    "Australia/Lord_Howe",
                                        "Africa/Casablanca", "America/Sao_Paulo", "Asia/Tehran",
                                        "Pacific/Apia"};
    static const char *const settings[] = {
        "followup: {quiet_hours: {from: \"20:00\", to: \"09:00\"}}\n",
        "followup: {quiet_hours: {from: \"02:45\", to: \"02:15\"}, days: [sun]}\n", /* open for half an hour a week */
        "followup: {quiet_hours: {from: \"12:00\", to: \"13:00\"}, days: [mon, sat]}\n"};
    for (size_t s = 0; s < 3; s++) {
        travel_agency *agency = agency_or_fail(settings[s]);
        travel_timing t;
        assert_int_equal(travel_timing_read(agency, &t, NULL), CTN_OK);
        for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
            ctn_zone *zone = NULL;
            assert_int_equal(ctn_zone_open(ctn_str_from(zones[z]), &zone, NULL), CTN_OK);
            for (int64_t from = ms_of("2026-01-01T00:00"); from < ms_of("2027-12-31T00:00"); from += 1800000) {
                int64_t at = travel_timing_next_ms(&t, zone, from);
                int64_t local = ctn_zone_to_local_s(zone, at / 1000), minute = local / 60 % 1440;
                bool is_quiet = t.quiet_from < t.quiet_to ? minute >= t.quiet_from && minute < t.quiet_to
                                                          : minute >= t.quiet_from || minute < t.quiet_to;
                if (at < from || is_quiet || !t.days[(local / 86400 + 3) % 7] || at - from > INT64_C(15) * 86400000)
                    fail_msg("%s, %zu: %lld gives %lld, local minute %lld", zones[z], s, (long long) from,
                             (long long) at, (long long) minute);
            }
            ctn_zone_close(zone);
        }
        travel_agency_close(agency);
    }
}

/* ---- the texts ---- */

static const char OAK[] = "agency: {name: Oak & Sea Travel, signature: Clara, email: hello@oaksea.example, phone: "
                          "\"+44 20 7946 0000\", language: en}\n";

static void check_text(const travel_text *t, const char *kind, bool has_name)
{
    static const char *const bad[] = {"{{", "}}", "()", "( ", " ,", " .", "  ", "..", "null", "Ana Ortiz Ana"};
    ctn_str parts[] = {t->subject, t->greeting, t->body, t->closing, t->signature, t->opt_out};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        bool may_be_empty = i == 5 && strcmp(kind, "permission") == 0;
        assert_true((parts[i].len > 0 || may_be_empty) && ctn_str_is_utf8(parts[i]));
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++)
            if (ctn_str_find(parts[i], ctn_str_from(bad[b])) != SIZE_MAX)
                fail_msg("%s: \"%s\" in: %.*s", kind, bad[b], CTN_STR_ARG(parts[i]));
    }
    assert_int_equal(ctn_str_find(t->greeting, CTN_STR("Ana Ortiz")) != SIZE_MAX, has_name);
    assert_true(ctn_str_find(t->subject, CTN_STR("\n")) == SIZE_MAX && ctn_str_code_points(t->subject) <= 100);
}

static void every_message_reads_well_with_and_without_what_is_known(void **state)
{
    (void) state;
    static const char *const kinds[] = {"check_in", "details",       "proposal_review",
                                        "reminder", "re_engagement", "permission"};
    static const char *const trips[] = {
        NULL,
        "{}",
        "{\"destinations\":[]}",
        "{\"destinations\":[\"Rome\"]}",
        "{\"destinations\":[\"Rome\",\"Florence\",\"Venice\"],\"start_date\":\"2027-06-12\",\"end_date\":\"2027-06-"
        "19\"}",
        "{\"destinations\":[\"Rome\"],\"nights\":1}",
        "{\"month\":\"2027-06\"}",
        "{\"destinations\":[null,\"\"],\"start_date\":null,\"end_date\":\"junk\",\"nights\":null,\"month\":null}"};
    travel_agency *agency = agency_or_fail(OAK);
    ctn_arena *arena = ctn_arena_new(1 << 20);
    bool is_shown = getenv("TRAVEL_SHOW") != NULL;
    for (size_t k = 0; k < 6; k++)
        for (int l = 0; l < TRAVEL_LANGUAGES; l++)
            for (size_t t = 0; t < sizeof trips / sizeof *trips; t++)
                for (int days = -1; days <= 2; days++) {
                    travel_text_request r = {.kind = ctn_str_from(kinds[k]),
                                             .client_name = days == 0 ? CTN_STR("") : CTN_STR("Ana Ortiz"),
                                             .language = (travel_language) l,
                                             .trip = trips[t] ? json_from(arena, ctn_str_from(trips[t])) : NULL,
                                             .days_since_contact = days};
                    travel_text text;
                    ctn_err err = {0};
                    if (travel_text_write(agency, arena, &r, &text, &err))
                        fail_msg("%s", err.message);
                    check_text(&text, kinds[k], days != 0);
                    if (is_shown && t == 4 && days == 2)
                        print_message("%.*s\n\n%.*s\n\n%.*s\n\n%.*s\n%.*s\n\n%.*s\n\n--------\n",
                                      CTN_STR_ARG(text.subject), CTN_STR_ARG(text.greeting), CTN_STR_ARG(text.body),
                                      CTN_STR_ARG(text.closing), CTN_STR_ARG(text.signature),
                                      CTN_STR_ARG(text.opt_out));
                }
    travel_agency_close(agency);
    ctn_arena_free(arena);
}

static void days_and_trips_are_counted_in_the_language(void **state)
{
    (void) state;
    static const struct {
        travel_language language;
        int64_t days;
        const char *begins;
    } cases[] = {
        {TRAVEL_EN, 1, "It is a day since we were last in touch. Does our"},
        {TRAVEL_EN, 5, "It is 5 days since we were last in touch. Does our"},
        {TRAVEL_EN, -1, "Does our"},
        {TRAVEL_ES, 1, "Ha pasado un día desde nuestro último contacto. ¿Se acerca"},
        {TRAVEL_ES, 5, "Han pasado 5 días desde nuestro último contacto. ¿Se acerca"},
        {TRAVEL_FR, 1, "Notre dernier échange date d'hier. Notre proposition"},
        {TRAVEL_FR, 5, "Notre dernier échange remonte à 5 jours. Notre proposition"},
        {TRAVEL_DE, 1, "unser letzter Kontakt liegt einen Tag zurück. Kommt unser"},
        {TRAVEL_DE, 5, "unser letzter Kontakt liegt 5 Tage zurück. Kommt unser"},
        {TRAVEL_DE, -1, "kommt unser Angebot"}, /* behind the comma of the greeting */
    };
    travel_agency *agency = agency_or_fail(OAK);
    ctn_arena *arena = ctn_arena_new(65536);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        travel_text_request r = {
            .kind = CTN_STR("proposal_review"), .language = cases[i].language, .days_since_contact = cases[i].days};
        travel_text text;
        assert_int_equal(travel_text_write(agency, arena, &r, &text, NULL), CTN_OK);
        if (!ctn_str_starts_with(text.body, ctn_str_from(cases[i].begins)))
            fail_msg("%.*s", CTN_STR_ARG(text.body));
    }
    travel_agency_close(agency);
    ctn_arena_free(arena);
}

/* A name is data: what looks like a template in it stays what it is. */
static void an_agencys_own_words_are_used_and_values_are_never_templates(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    travel_agency *agency = agency_or_fail(
        "agency: {name: Oak & Sea, language: es}\n"
        "followup: {messages: {reminder: {fr: {subject: \"{{name}} & moi\", text: \"Bonjour {{name}}, {{trip}}\"}}, "
        "hola: {es: {subject: Hola, text: \"{{agency}} en {{destination}}\"}}}}\n");
    travel_text_request r = {.kind = CTN_STR("reminder"),
                             .client_name = CTN_STR("{{agency}} <b>"),
                             .language = TRAVEL_FR,
                             .trip = json_from(arena, CTN_STR("{\"destinations\":[\"{{phone}}\"]}")),
                             .days_since_contact = 3};
    travel_text text;
    assert_int_equal(travel_text_write(agency, arena, &r, &text, NULL), CTN_OK);
    assert_true(ctn_str_is(text.subject, "{{agency}} <b> & moi"));
    assert_true(ctn_str_is(text.body, "Bonjour {{agency}} <b>, {{phone}}"));
    r.kind = CTN_STR("hola"); /* written in the agency's language only: then all of it is */
    assert_int_equal(travel_text_write(agency, arena, &r, &text, NULL), CTN_OK);
    assert_int_equal(text.language, TRAVEL_ES);
    assert_true(ctn_str_starts_with(text.greeting, CTN_STR("Hola")));
    r.kind = CTN_STR("none");
    assert_int_equal(travel_text_write(agency, arena, &r, &text, NULL), CTN_E_NOT_FOUND);
    travel_agency_close(agency);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_the_pack_says_what_an_agency_would_do),
        cmocka_unit_test(the_shipped_section_shows_the_defaults),
        cmocka_unit_test(an_edited_table_decides_by_its_first_row_that_fits),
        cmocka_unit_test(a_section_that_says_what_it_may_not_is_found_at_the_start),
        cmocka_unit_test(a_message_waits_for_a_good_hour_of_the_clients_own_day),
        cmocka_unit_test(no_message_ever_falls_into_a_quiet_hour),
        cmocka_unit_test(every_message_reads_well_with_and_without_what_is_known),
        cmocka_unit_test(days_and_trips_are_counted_in_the_language),
        cmocka_unit_test(an_agencys_own_words_are_used_and_values_are_never_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
