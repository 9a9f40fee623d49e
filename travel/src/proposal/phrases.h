/*
 * phrases.h -- what a proposal says besides names and figures, in four languages, and what an agency says instead.
 *
 * Section `proposal` of agency.yaml replaces any of them, by the key in phrases.c, for all languages or for some:
 *
 *     proposal:
 *       words:
 *         better_name: {en: Comfort Plus, de: Komfort Plus}
 *         terms: {en: "Our terms: https://example.com/terms"}
 *
 * {0} and {1} in a phrase are where its values come; the values are put in as they are and never read again.
 */
#pragma once

#include "agency.h"
#include "kit/words.h"

/* The phrase of that key, as the agency says it; an assert stops at a key that is not in the table. */
ctn_str travel_phrase_of(const travel_agency *agency, const char *key, travel_language language);
/* The phrase with its values filled in; {1} without a second value is empty. */
ctn_str travel_phrase_filled(ctn_arena *arena, const travel_agency *agency, const char *key, travel_language language,
                             ctn_str value0, ctn_str value1);
/* All phrases that templates use, {key: text}. */
const ctn_json *travel_phrases_json(ctn_arena *arena, const travel_agency *agency, travel_language language);
/* CTN_E_INVALID: the section names a phrase or a language that is not there. */
int travel_phrases_check(const travel_agency *agency, ctn_err *err);

/* What search answers say in English words (a board, a fare, a hotel's feature, a client's interest), in the language.
 * Unknown ones are given as they are in English, and are empty in the others: nothing half translated is sent. */
ctn_str travel_term_shown(ctn_str english, travel_language language);
