/*
 * rules.c -- see rules.h. Rows are read as they stand in the file, once to check them and then for each client: a table
 * of twenty rows needs no other form. The table of no file is text too, so there is one way to read it.
 */
#include "followup/rules.h"

#include "chain/source.h"
#include "followup/delivery.h"
#include "kit/section.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { ROWS_MAX = 200, STANDINGS = 5, DAYS_MAX = 36500 };

static const char *const LEADS[] = {"new", "asked", "proposed", "accepted", "booked", "lost", "spam", "none"};
static const char *const STANDING_NAMES[STANDINGS] = {"active", "warm", "cooling", "dormant", "lapsed"};
static const char *const ENGAGEMENTS[] = {"high", "medium", "low"};
static const char *const LANGUAGES[] = {"en", "es", "fr", "de"};

/* The pack's agency.yaml shows the same rows, with their reasons (a test compares them). */
static const char DEFAULT_ROWS[] =
    "- {lead: [lost, spam], send: none, because: the enquiry is closed}\n"
    "- {lead: accepted, send: none, because: the booking is under way and the desk is in touch about it}\n"
    "- {lead: booked, standing: [active, warm, cooling], send: none, because: the trip is booked}\n"
    "- {lead: none, standing: [active, warm], send: none, because: there is no enquiry to write about}\n"
    "- {followups: 3.., send: none, because: three messages went unanswered}\n"
    "- {lead: [new, asked, proposed], standing: active, send: none, because: we were in touch in the last few days}\n"
    "- {lead: [new, asked], standing: warm, send: details, channel: [whatsapp, email], urgency: high}\n"
    "- {standing: warm, engagement: low, send: proposal_review, channel: [whatsapp, email], urgency: medium}\n"
    "- {standing: warm, send: proposal_review, channel: [whatsapp, email], urgency: high}\n"
    "- {standing: active, send: check_in, channel: email, urgency: low}\n"
    "- {standing: cooling, engagement: high, send: reminder, channel: [email, whatsapp], urgency: high}\n"
    "- {standing: cooling, send: reminder, channel: [email, whatsapp], urgency: medium}\n"
    "- {standing: dormant, send: re_engagement, channel: email, urgency: low}\n"
    "- {standing: lapsed, followups: 0, send: permission, channel: email, urgency: low}\n";

/* ---- standing ---- */

int travel_standing_read(const travel_agency *agency, travel_standing *ret_standing, ctn_err *err)
{
    static const int64_t defaults[4] = {3, 14, 45, 180};
    const ctn_json *section = travel_agency_section(agency, "followup"), *at = NULL;
    travel_standing s = {{0}};
    int rc = travel_section_object(agency, section, "standing", &at, err);
    if (!rc)
        rc = travel_section_keys(agency, at, "followup.standing", STANDING_NAMES, 4, err);
    for (size_t i = 0; !rc && i < 4; i++) {
        rc = travel_section_int(agency, at, STANDING_NAMES[i], 0, DAYS_MAX, defaults[i], &s.days_max[i], err);
        if (!rc && i > 0 && s.days_max[i] <= s.days_max[i - 1])
            rc = travel_agency_fault(agency, at, err, "standing: %s (%lld days) must be longer than %s (%lld)",
                                     STANDING_NAMES[i], (long long) s.days_max[i], STANDING_NAMES[i - 1],
                                     (long long) s.days_max[i - 1]);
    }
    if (!rc)
        *ret_standing = s;
    return rc;
}

const char *travel_standing_of(const travel_standing *standing, int64_t days)
{
    size_t i = 0;
    while (i < 4 && days > standing->days_max[i])
        i++;
    return STANDING_NAMES[i];
}

/* ---- the table ---- */

const ctn_json *travel_rules_default(ctn_arena *arena)
{
    ctn_findings findings;
    ctn_source *source = NULL;
    ctn_findings_init(&findings, arena);
    int rc = ctn_source_parse(arena, CTN_STR("rules.yaml"), ctn_str_from(DEFAULT_ROWS), &findings, &source);
    return rc ? NULL : ctn_source_root(source);
}

static const ctn_json *rows_of(const travel_agency *agency, ctn_arena *arena)
{
    const ctn_json *section = travel_agency_section(agency, "followup");
    const ctn_json *rows = section ? ctn_json_member_of(section, "rules") : NULL;
    return rows && !ctn_json_is(rows, CTN_JSON_NULL) ? rows : travel_rules_default(arena);
}

typedef struct range {
    int64_t min, max;
} range;

/* "5", "3..14", "46..", "..2", or a number */
static bool read_range(const ctn_json *value, range *ret_range)
{
    range r = {0, INT64_MAX};
    ctn_str text = ctn_str_trim(ctn_json_text(value));
    size_t dots = ctn_str_find(text, CTN_STR(".."));
    if (dots == SIZE_MAX) {
        if (!ctn_str_to_int64(text, &r.min))
            return false;
        r.max = r.min;
    } else {
        ctn_str from = {text.ptr, dots}, to = ctn_str_from_offset(text, dots + 2);
        bool is_read =
            (from.len == 0 || ctn_str_to_int64(from, &r.min)) && (to.len == 0 || ctn_str_to_int64(to, &r.max));
        if (!is_read || text.len == 2)
            return false;
    }
    *ret_range = r;
    return r.min >= 0 && r.min <= r.max;
}

/* ---- checking ---- */

static size_t word_count(const ctn_json *value)
{
    return ctn_json_is(value, CTN_JSON_ARRAY) ? value->count : 1;
}

static const ctn_json *word_at(const ctn_json *value, size_t i)
{
    return ctn_json_is(value, CTN_JSON_ARRAY) ? ctn_json_at(value, i) : value;
}

/* A word, or a list of words, out of `names`. */
static int check_words(const travel_agency *agency, const ctn_json *row, const char *key, const char *const *names,
                       size_t count, ctn_err *err)
{
    const ctn_json *value = ctn_json_member_of(row, key);
    if (!value)
        return CTN_OK;
    if (ctn_json_is(value, CTN_JSON_ARRAY) && value->count == 0)
        return travel_agency_fault(agency, value, err, "%s names nothing, so the row fits nobody: leave it out", key);
    for (size_t i = 0; i < word_count(value); i++) {
        const ctn_json *word = word_at(value, i);
        bool is_known = false;
        for (size_t k = 0; k < count; k++)
            is_known = is_known || (ctn_json_is(word, CTN_JSON_STRING) && ctn_str_is(ctn_json_text(word), names[k]));
        if (!is_known)
            return travel_section_unknown_word(agency, word, key, names, count, err);
    }
    return CTN_OK;
}

static int check_range(const travel_agency *agency, const ctn_json *row, const char *key, ctn_err *err)
{
    const ctn_json *value = ctn_json_member_of(row, key);
    range r;
    if (value && !read_range(value, &r))
        return travel_agency_fault(agency, value, err, "%s must be a number or a range such as 3..14, 46.. or ..2",
                                   key);
    return CTN_OK;
}

static int check_row(const travel_agency *agency, const ctn_json *row, bool (*is_kind)(const travel_agency *, ctn_str),
                     ctn_err *err)
{
    static const char *const keys[] = {"lead",     "standing", "days", "engagement", "followups", "touch",
                                       "campaign", "language", "send", "because",    "channel",   "urgency"};
    ctn_str send = {NULL, 0}, text;
    if (!ctn_json_is(row, CTN_JSON_OBJECT))
        return travel_agency_fault(agency, row, err, "a row has keys, as in {standing: warm, send: reminder}");
    int rc = travel_section_keys(agency, row, "a row of followup.rules", keys, COUNT(keys), err);
    if (!rc)
        rc = check_words(agency, row, "lead", LEADS, COUNT(LEADS), err);
    if (!rc)
        rc = check_words(agency, row, "standing", STANDING_NAMES, STANDINGS, err);
    if (!rc)
        rc = check_words(agency, row, "engagement", ENGAGEMENTS, COUNT(ENGAGEMENTS), err);
    if (!rc)
        rc = check_words(agency, row, "language", LANGUAGES, COUNT(LANGUAGES), err);
    if (!rc)
        rc = check_words(agency, row, "channel", travel_channel_names, TRAVEL_CHANNELS, err);
    if (!rc)
        rc = check_words(agency, row, "urgency", ENGAGEMENTS, COUNT(ENGAGEMENTS), err);
    if (!rc)
        rc = check_range(agency, row, "days", err);
    if (!rc)
        rc = check_range(agency, row, "touch", err);
    if (!rc)
        rc = check_range(agency, row, "followups", err);
    if (!rc)
        rc = travel_section_text(agency, row, "because", CTN_STR(""), &text, err);
    if (!rc)
        rc = travel_section_text(agency, row, "send", CTN_STR(""), &send, err);
    if (rc)
        return rc;
    const ctn_json *at = ctn_json_member_of(row, "send");
    if (send.len == 0)
        return travel_agency_fault(agency, at ? at : row, err, "a row must say what to send, or send: none");
    if (ctn_str_is(send, "none") && text.len == 0)
        return travel_agency_fault(agency, row, err, "send: none wants the reason: because: TEXT");
    if (!ctn_str_is(send, "none") && !is_kind(agency, send))
        return travel_agency_fault(
            agency, at, err,
            "there is no message \"%.*s\": write it under followup.messages, or take one of check_in, "
            "details, proposal_review, reminder, re_engagement, permission",
            (int) (send.len > 40 ? 40 : send.len), send.ptr);
    return CTN_OK;
}

int travel_rules_check(const travel_agency *agency, bool (*is_kind)(const travel_agency *agency, ctn_str kind),
                       ctn_err *err)
{
    const ctn_json *section = travel_agency_section(agency, "followup");
    const ctn_json *rows = section ? ctn_json_member_of(section, "rules") : NULL;
    int rc = CTN_OK;
    if (rows && !ctn_json_is(rows, CTN_JSON_ARRAY) && !ctn_json_is(rows, CTN_JSON_NULL))
        return travel_agency_fault(agency, rows, err, "rules must be a list of rows, not %s", ctn_json_kind_name(rows));
    if (ctn_json_count(rows) > ROWS_MAX)
        return travel_agency_fault(agency, rows, err, "rules has %zu rows, at most %d", ctn_json_count(rows), ROWS_MAX);
    for (size_t i = 0; !rc && i < ctn_json_count(rows); i++)
        rc = check_row(agency, ctn_json_at(rows, i), is_kind, err);
    return rc;
}

/* ---- choosing ---- */

static bool has_word(const ctn_json *row, const char *key, ctn_str word)
{
    const ctn_json *value = ctn_json_member_of(row, key);
    if (!value)
        return true;
    for (size_t i = 0; word.len > 0 && i < word_count(value); i++)
        if (ctn_str_equal(ctn_json_text(word_at(value, i)), word))
            return true;
    return false;
}

static bool has_number(const ctn_json *row, const char *key, int64_t number)
{
    const ctn_json *value = ctn_json_member_of(row, key);
    range r;
    return !value || (number >= 0 && read_range(value, &r) && number >= r.min && number <= r.max);
}

static bool row_fits(const ctn_json *row, const travel_rules_facts *facts)
{
    return has_word(row, "lead", facts->lead) && has_word(row, "standing", facts->standing) &&
           has_word(row, "engagement", facts->engagement) && has_word(row, "campaign", facts->campaign) &&
           has_word(row, "language", facts->language) && has_number(row, "days", facts->days) &&
           has_number(row, "touch", facts->touch) && has_number(row, "followups", facts->followups);
}

/* The first channel of the row by which the client can be reached; empty: none. */
static ctn_str channel_of(const ctn_json *row, const ctn_json *contacts)
{
    static const ctn_json email = {.kind = CTN_JSON_STRING, .count = 5, .text = "email"};
    const ctn_json *value = ctn_json_member_of(row, "channel");
    value = value ? value : &email;
    for (size_t i = 0; i < word_count(value); i++) {
        ctn_str channel = ctn_json_text(word_at(value, i));
        ctn_str contact = ctn_str_is(channel, "email") ? channel : CTN_STR("phone");
        if (!contacts || ctn_json_has_text(contacts, contact))
            return channel;
    }
    return (ctn_str){NULL, 0};
}

travel_rules_choice travel_rules_choose(const travel_agency *agency, ctn_arena *arena, const travel_rules_facts *facts)
{
    const ctn_json *rows = rows_of(agency, arena);
    for (size_t i = 0; i < ctn_json_count(rows); i++) {
        const ctn_json *row = ctn_json_at(rows, i);
        if (!row_fits(row, facts))
            continue;
        ctn_str send = ctn_json_str_or(row, "send", CTN_STR("none"));
        ctn_str because = ctn_json_str_or(row, "because", (ctn_str){NULL, 0});
        if (ctn_str_is(send, "none"))
            return (travel_rules_choice){.reason = because};
        ctn_str channel = channel_of(row, facts->contacts);
        if (channel.len == 0)
            return (travel_rules_choice){
                .reason = ctn_arena_printf(arena,
                                           "row %zu of the table wants to send %.*s, but the client has no address "
                                           "for its channel",
                                           i + 1, CTN_STR_ARG(send))};
        ctn_str shown = because.len ? because : ctn_arena_printf(arena, "row %zu of the table", i + 1);
        return (travel_rules_choice){.send = send,
                                     .channel = channel,
                                     .urgency = ctn_json_str_or(row, "urgency", CTN_STR("medium")),
                                     .reason = shown};
    }
    return (travel_rules_choice){.reason = CTN_STR("no row of the table fits")};
}
