/*
 * lead_duration.c -- how long (nights), and the month where no day is said.
 */
#include "lead/lead_days.h"

#define NIGHTS "(?:nights?|nites?|nts?|noches?|nuits?|nacht(?:e|en)?)"
#define WEEKS  "(?:weeks?|wks?|semaines?|semanas?|wochen?)"
#define DAYS   "(?:days?|jours?|dias?|tagen?|tage)"

/* "Rome (3 nights), Florence (3)"; "4 nights in New York and 3 in Vegas" */
static int sum_per_stop(lead *l, ctn_str text)
{
    lead_match m;
    int sum = 0, stops = 0;
    for (size_t from = 0; lead_find(l->rules, "[a-z] ?\\((\\d{1,2})(?: ?" NIGHTS ")?\\)", text, from, &m);
         from = m.end, stops++)
        sum += lead_number(m.group[1]);
    if (stops >= 2 && lead_has(l->rules, "\\(\\d{1,2} ?" NIGHTS "\\)", text))
        return sum;
    sum = stops = 0;
    static const char AT_STOP[] = "\\b" LEAD_NUMBER "(?: more| further)?( " NIGHTS
                                  ")? (?:in|at|on|en|a|au|aux|auf|around) (?!(?:total|all|the (?:week|middle)|a "
                                  "row|january|february|march|april|may|june|july|august|"
                                  "september|october|november|december|early|late|mid|each|our|room|tot)\\b)[a-z]";
    bool names_nights = false;
    for (size_t from = 0; lead_find(l->rules, AT_STOP, text, from, &m); from = m.end) {
        int number = lead_number(m.group[1]);
        bool is_word = m.group[1].len > 0 && (m.group[1].ptr[0] < '0' || m.group[1].ptr[0] > '9');
        if (number < 1 || number > 60 || (m.group[2].len == 0 && (!names_nights || (is_word && number < 2))))
            continue;
        names_nights = true;
        sum += number;
        stops++;
    }
    if (stops >= 2)
        return sum;
    /* "3 nights Rome, 2 nights Naples" */
    sum = stops = 0;
    for (size_t from = 0; lead_find(
             l->rules, "(?:^|[,;:+&(]|\\band|\\bthen|\\by|\\bet|\\bund) ?" LEAD_NUMBER " ?" NIGHTS " (?:in )?[a-z]{3,}",
             text, from, &m);
         from = m.end, stops++)
        sum += lead_number(m.group[1]) > 0 ? lead_number(m.group[1]) : 0;
    if (stops >= 2)
        return sum;
    /* "4 nights mara 6 nights zanzibar" */
    static const char RUN[] = "\\b(\\d{1,2}) ?" NIGHTS " (?:in )?(?!or|and|maybe|perhaps|total|max|not|please)[a-z]{3,}"
                              "(?: [a-z]{3,})? (\\d{1,2}) ?" NIGHTS " (?:in )?(?!or|and|max|total|please)[a-z]{3,}";
    if (lead_find(l->rules, RUN, text, 0, &m))
        return lead_number(m.group[1]) + lead_number(m.group[2]);
    return -1;
}

static bool is_range(lead *l, ctn_str text)
{
    return lead_has(l->rules,
                    "(?<![\\d/.])\\b" LEAD_NUMBER " ?(?:-|to|or|/|a|o|ou|bis|oder|until) ?" LEAD_NUMBER
                    "[ -]?(?:" NIGHTS "|" DAYS "|" WEEKS ")\\b"
                    "|\\b" LEAD_NUMBER " " NIGHTS " (?:or|o|ou|oder) (?:maybe )?" LEAD_NUMBER "\\b",
                    text);
}

/* The last count of a unit, by a pattern whose first group is the number. */
static int last_count(lead *l, const char *pattern, ctn_str text)
{
    lead_match m;
    int count = -1;
    for (size_t from = 0; lead_find(l->rules, pattern, text, from, &m); from = m.end > from ? m.end : from + 1)
        if (lead_number(m.group[1]) > 0 && lead_number(m.group[1]) <= 1000)
            count = lead_number(m.group[1]);
    return count;
}

int lead_nights_of(lead *l, ctn_str text)
{
    /* a price "a night" is no stay of one */
    static const char OF_NIGHTS[] = "(?<!\\d )(?<![\\d\\x80\\xA3$])\\b(?!an? |une |una |eine )" LEAD_NUMBER
                                    "[ -]?" NIGHTS "(?![a-z0-9])(?! (?:of the|at the opera|out\\b))";
    static const char OF_WEEKS[] =
        "(?<!last )(?<!that )(?<!next )(?<!in )(?<!within )(?<!about )(?<!dans )(?<!once )(?<!twice )(?<!times "
        ")(?<!first )(?<!last )(?<!the )(?<!en )\\b" LEAD_NUMBER "[ -]?(?:[a-z-]+ )?" WEEKS "(?![a-z])(?! (?:of "
        "(?:the|january|february|march|april|may|june|july|august|september|october|november|december|sept|oct|aug)|"
        "ago|later|after|before|time|on the|from (?:now|today)|notice|hols?\\b|"
        "holidays|off work|spater|danach|despues|apres|avant|vorher|de "
        "(?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|janvier|fevrier|"
        "mars|avril|mai|juin|juillet|aout|septembre|octobre|"
        "novembre|decembre)))(?!')";
    static const char OF_DAYS[] =
        "(?<!in )(?<!first )(?<!last )\\b(?!an? |une |una |eine )" LEAD_NUMBER "[ -]?(?:full )?" DAYS
        "(?![a-z])(?! (?:after|later|ago|before|out\\b|per|a week|time|notice|spater|danach|nach|apres|despues|of "
        "(?:rain|skiing lessons)))";
    lead_match m;
    int nights = sum_per_stop(l, text);
    if (nights > 0)
        return nights;
    if (is_range(l, text))
        return -1;
    nights = last_count(l, OF_NIGHTS, text);
    if (nights < 0)
        nights = last_count(l, "\\b(\\d{1,2}) ?n(?=[ ,.;)\\n]|$)", text); /* "7n" */
    if (nights > 0)
        return nights;
    int weeks = last_count(l, OF_WEEKS, text);
    if (weeks < 0 &&
        lead_find(l->rules, "\\b(?:in about|for about|about|en|in) " LEAD_NUMBER " " WEEKS "(?= (?:in|de|im|en) )",
                  text, 0, &m))
        weeks = lead_number(m.group[1]);
    if (weeks < 0 &&
        lead_has(l->rules, "\\b(?:stay|for|of) (?:a|one) (?:whole |full )?week\\b|\\bfor about a week\\b", text))
        weeks = 1;
    if (weeks > 0 && weeks < 100)
        nights = weeks * 7;
    if (lead_has(l->rules, "\\bfortnight(?!ly)(?! (?:ago|later))|\\bquincena\\b|\\bquinzaine\\b", text))
        nights = 14;
    if (nights < 0) {
        int days = last_count(l, OF_DAYS, text);
        nights = days > 1 ? days - 1 : -1;
    }
    if (nights < 0 && lead_has(l->rules, "\\b(?:for|just|only) (?:a|the) night\\b|\\bovernight stay\\b", text))
        nights = 1;
    return nights;
}

/* ---- a month alone ---- */

/* Words after which a month's name is a month, even a short or an ambiguous one. */
#define WHEN                                                                                                           \
    "(?:in|early|mid|middle of|late|end of|beginning of|start of|(?:first|second|third|last|1st|2nd|3rd|4th) "         \
    "(?:[a-z]+ |2 |two )?(?:weeks?|wks?|half|weekend|wkend|days) (?:of|in)|time in|during|next|this|sometime|"         \
    "around|over|by|debut|mi|fin|courant|anfang|mitte|ende|im|en|a principios de|principios de|finales de|fines de|"   \
    "mediados de|durante|au mois de|mois de|semaine de|semana de|woche im|for|about|try|thinking|maybe|or|and|y|o|et|" \
    "ou|und|oder|half[- ]term|dates?:?)"
#define CHRISTMAS "christmas|xmas|noel|weihnachten|navidad(?:es)?"

static bool is_open_bound(lead *l, ctn_str text, size_t at)
{
    return lead_before(
               l->rules,
               "\\b(?:after|before|not(?: in)?|until|since|till|except|excluding|from|nicht "
               "im|nach|ab|vor|depuis|apres|avant|desde|despues de|antes de|not) (?:early |late |the end of )?$",
               text, at, 26, NULL) ||
           lead_before(l->rules,
                       "\\b(?:expires?|runs? out|birthday is|born|went|was|were|been) (?:\\w+ ){0,2}(?:in |im |en )?$",
                       text, at, 30, NULL);
}

void lead_read_month(lead *l, ctn_str text)
{
    static const char IN_MONTH[] =
        "\\b" WHEN "[ -]{1,2}(?:of |de |d'|in |the |im )?" LEAD_MONTH "(?:,? (?:of )?(?:de )?(20\\d\\d|next year))?";
    static const char BARE_MONTH[] =
        "\\b(january|february|april|june|july|august|september|october|november|december|sept|janvier|fevrier|avril|"
        "juillet|aout|octobre|septembre|novembre|decembre|"
        "januar|februar|juni|juli|oktober|dezember|enero|febrero|abril|junio|julio|agosto|septiembre|octubre|noviembre|"
        "diciembre|" CHRISTMAS ")\\b(?:,? (?:de )?(20\\d\\d|next year))?";
    static const char WITH_YEAR[] = "\\b" LEAD_MONTH ",? (?:de )?(20\\d\\d|next year)";
    static const char *const patterns[] = {IN_MONTH, WITH_YEAR, BARE_MONTH};
    lead_match m;
    bool is_next_year = lead_has(
        l->rules, "\\b(?:next year|nachstes jahr|l'an(?:nee)? prochaine?|el ano que viene|proximo ano)\\b", text);
    travel_civil now = travel_day_civil(l->received);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        for (size_t from = 0; lead_find(l->rules, patterns[i], text, from, &m); from = m.end) {
            size_t at = (size_t) (m.group[1].ptr - text.ptr);
            if (is_open_bound(l, text, at) || lead_overlaps_name(l, &l->said, at, at + m.group[1].len))
                continue;
            int64_t said_year = 0;
            int month = lead_month_of(m.group[1]), year;
            if (month == 0)
                month = 12; /* Christmas in its languages */
            if (ctn_str_to_int64(m.group[2], &said_year))
                year = (int) said_year;
            else
                year = is_next_year ? now.year + 1 : month >= now.month ? now.year : now.year + 1;
            if (l->month == 0 || year < l->month_year || (year == l->month_year && month < l->month)) {
                l->month = month;
                l->month_year = year;
            }
        }
}
