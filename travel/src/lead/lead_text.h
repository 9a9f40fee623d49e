/*
 * lead_text.h -- a lead's text in two forms that know each other: as written, and folded.
 *
 * Folded is what rules are matched against: lower case, accents off, typographic quotes and dashes plain, every
 * other character outside ASCII a blank; '£' is the byte A3, the euro sign 80, the yen A5, the rupee 82. Each folded
 * byte knows the offset it came from, so that a name found folded can be told as it was spelled.
 *
 * The rules are regular expressions (PCRE2) with a bound on the work of one match; an expression that would need
 * more does not match. Compiled ones live in the lead's arena and are compiled once a lead.
 */
#pragma once

#include "base/arena.h"

typedef struct lead_text {
    ctn_str original; /* well-formed UTF-8, no NUL */
    char *folded;     /* len bytes; may be blanked in place by whoever rules something out */
    uint32_t *from;   /* len + 1 offsets into original */
    size_t len;
} lead_text;

enum { LEAD_GROUPS_MAX = 10 };

typedef struct lead_match {
    size_t start, end;
    ctn_str group[LEAD_GROUPS_MAX]; /* ptr NULL: not set; 0 is the whole */
} lead_match;

typedef struct lead_rules lead_rules; /* the compiled expressions */

lead_rules *lead_rules_new(ctn_arena *arena);

/* Copies; bytes that are not UTF-8 and NULs become blanks. */
lead_text lead_text_make(ctn_arena *arena, ctn_str raw);
static inline ctn_str lead_text_folded(const lead_text *t)
{
    return (ctn_str){t->folded, t->len};
}
/* The piece as it was written. */
ctn_str lead_text_original(const lead_text *t, size_t start, size_t end);
void lead_text_blank(lead_text *t, size_t start, size_t end);

/* The first match at or after `from` in folded (byte) text. pattern is a literal: it is its own cache key. */
bool lead_find(lead_rules *rules, const char *pattern, ctn_str text, size_t from, lead_match *ret_match);
/* The same in text as written: UTF-8, Unicode classes. */
bool lead_find_unicode(lead_rules *rules, const char *pattern, ctn_str text, size_t from, lead_match *ret_match);
static inline bool lead_has(lead_rules *rules, const char *pattern, ctn_str text)
{
    lead_match m;
    return lead_find(rules, pattern, text, 0, &m);
}
/* Does the pattern match the up to `reach` bytes that end at `at` (write it with a closing $) or start there (with ^)?
 */
bool lead_before(lead_rules *rules, const char *pattern, ctn_str text, size_t at, size_t reach, lead_match *ret_match);
bool lead_after(lead_rules *rules, const char *pattern, ctn_str text, size_t at, size_t reach);

/* 1, "two", "twelve", "dos", "une": -1 when it is no number word. */
int lead_number(ctn_str word);
#define LEAD_NUMBER                                                                                                    \
    "(\\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"  \
    "seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|"     \
    "quince|veinte|deux|trois|quatre|cinq|sept|huit|neuf|dix|douze|quinze|vingt|zwei|drei|vier|funf|sechs|sieben|"     \
    "acht|neun|zehn|zwolf|vierzehn|zwanzig|une?|una|uno|einen?|eine|ein)"
