/*
 * proposal.c -- the letter around priced tiers: see proposal.h.
 */
#include "proposal/proposal.h"

#include "proposal/phrases.h"

static const ctn_json *list_or_empty(const ctn_json *from, const char *key)
{
    static const ctn_json empty = {.kind = CTN_JSON_ARRAY};
    const ctn_json *list = ctn_json_member_of(from, key);
    return ctn_json_is(list, CTN_JSON_ARRAY) ? list : &empty;
}

const ctn_json *travel_proposal_write(ctn_arena *arena, const travel_agency *agency, const travel_proposal *letter)
{
    const ctn_json *tiers = letter->pricing_tiers, *trip = ctn_json_member_of(tiers, "trip");
    const ctn_json *assumptions = list_or_empty(letter->requirements, "assumptions");
    travel_language language = letter->language;
    ctn_str none = {NULL, 0}, places = ctn_json_str_or(trip, "places", CTN_STR(""));
    ctn_str until = ctn_json_str_or(tiers, "valid_until_shown", CTN_STR(""));
    ctn_str greeting = travel_greeting_shown(arena, ctn_json_str_or(letter->client, "name", CTN_STR("")), language);
    ctn_str number = travel_number_shown(arena, letter->version, language);
    ctn_str reminder = travel_phrase_filled(arena, agency, "reminder", language, places, until);
    ctn_str parts[] = {greeting,
                       CTN_STR("\n\n"),
                       reminder,
                       CTN_STR("\n\n"),
                       travel_phrase_of(agency, "closing", language),
                       CTN_STR("\n"),
                       travel_agency_text(agency, "signature")};
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "title", ctn_json_str_or(trip, "title", CTN_STR("")));
    ctn_json_put_str(&out, "subject", travel_phrase_filled(arena, agency, "mail_subject", language, places, none));
    ctn_json_put_str(&out, "greeting", greeting);
    ctn_json_put_str(&out, "opening",
                     travel_phrase_of(agency, letter->replaces_earlier ? "intro_again" : "intro", language));
    ctn_json_put_int(&out, "version", letter->version);
    /* To tell it from the one that he has; a draft that never left is nobody's first version. */
    ctn_json_put_str(&out, "version_shown",
                     letter->replaces_earlier ? travel_phrase_filled(arena, agency, "version", language, number, none)
                                              : CTN_STR(""));
    ctn_json_put_str(&out, "reference", letter->lead_id);
    ctn_json_put_str(&out, "date_shown", travel_date_shown(arena, letter->today, language));
    ctn_json_put_bool(&out, "has_assumptions", ctn_json_count(assumptions) > 0);
    ctn_json_put(&out, CTN_STR("assumptions"), assumptions);
    ctn_json_put_str(&out, "reminder_subject",
                     travel_phrase_filled(arena, agency, "reminder_subject", language, places, none));
    ctn_json_put_str(&out, "reminder", ctn_arena_join(arena, parts, sizeof parts / sizeof *parts));
    return ctn_json_finish(&out);
}

const ctn_json *travel_choice_read(ctn_arena *arena, const ctn_json *answer, const ctn_json *pricing_tiers)
{
    const ctn_json *tiers = ctn_json_member_of(pricing_tiers, "tiers");
    ctn_str said = ctn_json_text(ctn_json_is(answer, CTN_JSON_OBJECT) ? ctn_json_member_of(answer, "tier") : answer);
    ctn_str tier = {NULL, 0};
    bool is_nothing = !answer || ctn_json_is(answer, CTN_JSON_NULL) ||
                      (ctn_json_is(answer, CTN_JSON_OBJECT) && ctn_json_count(answer) == 0);
    said = ctn_str_trim(said);
    for (size_t i = 0; said.len > 0 && i < ctn_json_count(tiers); i++) {
        ctn_str key = ctn_json_str_or(ctn_json_at(tiers, i), "tier", CTN_STR("")),
                name = ctn_json_str_or(ctn_json_at(tiers, i), "name", CTN_STR(""));
        if (ctn_str_equal_any_case(said, key) || ctn_str_equal_any_case(said, name))
            tier = key;
    }
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "tier", tier);
    ctn_json_put_bool(&out, "is_declined",
                      tier.len == 0 && ctn_json_is(answer, CTN_JSON_OBJECT) &&
                          ctn_json_bool_or(answer, "declined", false));
    ctn_json_put_bool(&out, "has_answered", !is_nothing);
    return ctn_json_finish(&out);
}
