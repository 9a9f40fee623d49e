/*
 * words.h -- how people write dates, money, numbers, counts and lists in the pack's four languages.
 *
 * Every text that a person reads is put together from these, so that no message mixes two languages or writes "1
 * nights". The rules are CLDR's for en-GB, es-ES, fr-FR and de-DE (docs/decisions.md says why they stand here as
 * tables, and where an agency writes otherwise). Words stand as they do in a list or a label (German: nominative);
 * whoever writes a sentence around them chooses one that takes them so ("Reisende: 1 Erwachsener").
 *
 * Ownership  Texts are in the caller's arena, or constants.
 * Spaces     Between an amount and its currency stands U+00A0, in French thousands U+202F; elsewhere plain spaces.
 */
#pragma once

#include "kit/calendar.h"
#include "kit/money.h"

typedef enum travel_language {
    TRAVEL_EN,
    TRAVEL_ES,
    TRAVEL_FR,
    TRAVEL_DE,
} travel_language;

enum { TRAVEL_LANGUAGES = 4 };

/* A sentence or word in each language, in the order of travel_language: static tables of texts are made of these. */
typedef struct travel_phrase {
    const char *in[TRAVEL_LANGUAGES];
} travel_phrase;

static inline ctn_str travel_say(const travel_phrase *phrase, travel_language language)
{
    return ctn_str_from(phrase->in[language]);
}

/* "de", "DE", "de-AT", "de_CH" are German. False for any other, and for an empty text: nothing is written then. */
bool travel_language_from(ctn_str code, travel_language *ret_language);
const char *travel_language_code(travel_language language); /* "en" */

/* ---- dates ---- */

/* "12 June 2026", "12 de junio de 2026", "12 juin 2026", "1er juin 2026", "12. Juni 2026" */
ctn_str travel_date_shown(ctn_arena *arena, travel_day day, travel_language language);
/* "Friday 12 June 2026", "viernes, 12 de junio de 2026", "vendredi 12 juin 2026", "Freitag, 12. Juni 2026" */
ctn_str travel_date_long_shown(ctn_arena *arena, travel_day day, travel_language language);
/* "Fri 12 Jun", "vie 12 jun", "ven. 12 juin", "Fr., 12. Juni": for tables. */
ctn_str travel_date_short_shown(ctn_arena *arena, travel_day day, travel_language language);
/* "June 2026", "junio de 2026", "juin 2026", "Juni 2026" */
ctn_str travel_month_shown(ctn_arena *arena, int year, int month, travel_language language);
/* For a label: "12–19 June 2026", "28 June – 4 July 2026", "28 December 2026 – 4 January 2027". One day: that date. */
ctn_str travel_dates_shown(ctn_arena *arena, travel_day from, travel_day to, travel_language language);
/* In a sentence, with its prepositions: "from 12 to 19 June 2026", "del 12 al 19 de junio de 2026", "du 12 au 19 juin
 * 2026", "vom 12. bis 19. Juni 2026". One day: "on 12 June 2026", "el ..", "le ..", "am ..". */
ctn_str travel_dates_said(ctn_arena *arena, travel_day from, travel_day to, travel_language language);

/* ---- numbers and money ---- */

/* "12,345", "12.345", "12 345" */
ctn_str travel_number_shown(ctn_arena *arena, int64_t number, travel_language language);
/* From hundredths of a percent: 1250 is "12.5%", "12,5 %"; 2000 is "20%", "20 %". */
ctn_str travel_percent_shown(ctn_arena *arena, int64_t hundredths, travel_language language);
/* "£1,234.50", "1.234,50 €", "1 234,50 €"; in a currency without places (travel_currency_places) "JP¥1,235". An unknown
 * code is written as it is. */
ctn_str travel_money_shown(ctn_arena *arena, travel_cents cents, const char *currency, travel_language language);
/* Likewise, without the places when they are zero: "£2,000", "2.000 €". For what people said themselves. */
ctn_str travel_money_short_shown(ctn_arena *arena, travel_cents cents, const char *currency, travel_language language);

/* ---- counts, durations and lists ---- */

typedef enum travel_thing {
    TRAVEL_NIGHT,
    TRAVEL_DAY,
    TRAVEL_HOUR,
    TRAVEL_WEEK,
    TRAVEL_PERSON,
    TRAVEL_TRAVELLER,
    TRAVEL_ADULT,
    TRAVEL_CHILD,
    TRAVEL_ROOM,
    TRAVEL_STAR,
    TRAVEL_CHANGE, /* of plane or train */
    TRAVEL_OPTION,
} travel_thing;

enum { TRAVEL_THINGS = TRAVEL_OPTION + 1 };

/* "1 night", "2 nights", "0 nuit", "1.500 Nächte" */
ctn_str travel_count_shown(ctn_arena *arena, int64_t count, travel_thing thing, travel_language language);
/* "2 adults and 1 child"; children 0: "2 adults". */
ctn_str travel_travellers_shown(ctn_arena *arena, int adults, int children, travel_language language);
/* "2 h 05 min", "45 min": the same in all four. */
ctn_str travel_duration_shown(ctn_arena *arena, int minutes);
/* "a, b and c", "a, b y c" ("Roma e Ibiza"), "a, b et c", "a, b und c". None: empty. */
ctn_str travel_list_shown(ctn_arena *arena, const ctn_str *items, size_t count, travel_language language);
/* "a, b or c", "a, b o c" ("siete u ocho"), "a, b ou c", "a, b oder c" */
ctn_str travel_list_or_shown(ctn_arena *arena, const ctn_str *items, size_t count, travel_language language);

/* ---- letters ---- */

/* "Dear Ana Ortiz,", "Hola, Ana Ortiz:", "Bonjour Ana Ortiz,", "Guten Tag Ana Ortiz,"; without a name "Hello,", ...
 * None of them needs to know whether a name is a man's or a woman's. */
ctn_str travel_greeting_shown(ctn_arena *arena, ctn_str name, travel_language language);
/* "Kind regards,", "Un cordial saludo,", "Bien cordialement,", "Mit freundlichen Grüßen" */
ctn_str travel_closing_shown(travel_language language);
