/*
 * lead_days.c -- see lead_days.h. Each shape blanks what it used, so that the next one does not find it again.
 */
#include "lead/lead_days.h"

#include <stdlib.h>

#define ORDINALS                                                                                                       \
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|"         \
    "fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|twenty[- ](?:first|second|third|fourth|fifth|"    \
    "sixth|seventh|eighth|ninth)|thirtieth|thirty[- ]first|primero"
#define DAY  "(\\d{1,2}|" ORDINALS ")(?:st|nd|rd|th|er|\\.|o(?= de))?"
#define NTH  "(\\d{1,2}(?=st|nd|rd|th)|" ORDINALS ")(?:st|nd|rd|th)?"
#define YEAR "(?:,? ?(?:de |del )?(20\\d\\d|next year)(?!\\d))?"
#define OF   " ?(?:of |de |del )?"
#define TO   " ?(?:-|to|until|till?|through|thru|al|bis(?: zum)?|au|a|and|& ?|y el) ?(?:the |el |le |den )?"
/* Before a date; not captured. */
#define ON_WEEKDAY                                                                                                     \
    "(?:(?:(?:mon|tues?|wed(?:nes)?|weds|thur?s?|fri|sat(?:ur)?|sun)(?:day)?|lunes|martes|miercoles|jueves|viernes|"   \
    "sabado|domingo|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|montag|dienstag|mittwoch|donnerstag|freitag|"  \
    "samstag|sonntag|mo|di|mi|do|fr|sa|so)\\.?,? (?:the |den |dem )?)"
#define YEAR_NUMBER "(20\\d\\d|\\d\\d)(?![\\d/])"

static int number_of(ctn_str s)
{
    int64_t number;
    return s.len > 0 && s.len < 6 && ctn_str_to_int64(s, &number) ? (int) number : 0;
}

int lead_month_of(ctn_str word)
{
    static const struct {
        const char *start;
        int month;
    } starts[] = {{"jan", 1},  {"ene", 1},  {"feb", 2},  {"fev", 2},  {"mar", 3}, {"apr", 4},  {"avr", 4},
                  {"abr", 4},  {"may", 5},  {"mai", 5},  {"juin", 6}, {"jun", 6}, {"jui", 7},  {"jul", 7},
                  {"aug", 8},  {"aou", 8},  {"ago", 8},  {"sep", 9},  {"set", 9}, {"oct", 10}, {"okt", 10},
                  {"nov", 11}, {"dec", 12}, {"dez", 12}, {"dic", 12}};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (ctn_str_starts_with(word, ctn_str_from(starts[i].start)))
            return starts[i].month;
    return 0;
}

static int day_of(ctn_str word)
{
    static const char *const ordinals[] = {"first",     "second",      "third",      "fourth",     "fifth",
                                           "sixth",     "seventh",     "eighth",     "ninth",      "tenth",
                                           "eleventh",  "twelfth",     "thirteenth", "fourteenth", "fifteenth",
                                           "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"};
    int64_t number;
    if (ctn_str_to_int64(word, &number))
        return (int) number;
    if (ctn_str_is(word, "thirtieth"))
        return 30;
    if (ctn_str_is(word, "primero"))
        return 1;
    int tens = ctn_str_starts_with(word, CTN_STR("twenty"))   ? 20
               : ctn_str_starts_with(word, CTN_STR("thirty")) ? 30
                                                              : 0;
    if (tens)
        word = ctn_str_from_offset(word, 7);
    for (size_t i = 0; i < sizeof ordinals / sizeof *ordinals; i++)
        if (ctn_str_is(word, ordinals[i]))
            return tens + (int) i + 1;
    return 0;
}

static int year_of(const lead *l, ctn_str word)
{
    if (ctn_str_is(word, "next year"))
        return travel_day_civil(l->received).year + 1;
    int year = number_of(word);
    return year > 0 && year < 100 ? 2000 + year : year;
}

static int weekday_of(ctn_str word)
{
    static const struct {
        const char *word;
        int weekday;
    } days[] = {{"mon", 0}, {"lun", 0}, {"tue", 1}, {"mar", 1},   {"die", 1}, {"wed", 2}, {"mie", 2},
                {"mer", 2}, {"mit", 2}, {"thu", 3}, {"jue", 3},   {"jeu", 3}, {"don", 3}, {"fri", 4},
                {"fre", 4}, {"vie", 4}, {"ven", 4}, {"sonna", 5}, {"sat", 5}, {"sab", 5}, {"sam", 5},
                {"sun", 6}, {"dom", 6}, {"dim", 6}, {"sonn", 6}};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        if (ctn_str_starts_with(word, ctn_str_from(days[i].word)))
            return days[i].weekday;
    return 0;
}

/* ---- finding ---- */

typedef struct finder {
    lead *l;
    lead_text rest;
    lead_days *days;
} finder;

static lead_day *add(finder *f, lead_day_kind kind, size_t at, size_t end)
{
    /* what does not fit replaces the last one: the client's later words count */
    lead_days *days = f->days;
    lead_day *d = &days->items[days->count < LEAD_DAYS_MAX ? days->count++ : LEAD_DAYS_MAX - 1];
    *d = (lead_day){.kind = kind, .at = at, .end = end};
    return d;
}

static lead_day *add_date(finder *f, size_t at, size_t end, int year, int month, int day)
{
    lead_day *d = add(f, LEAD_DAY_DATE, at, end);
    d->year = year;
    d->month = month;
    d->day = day;
    return d;
}

/* 05/06: which is the month is decided by the country, unless only one reading is a date. */
static lead_day *add_numeric(finder *f, size_t at, size_t end, int first, int second, int year, bool has_dots)
{
    bool month_first = f->l->is_month_first && !has_dots && first <= 12;
    if (!has_dots && second > 12 && first <= 12)
        month_first = true;
    lead_day *d = add_date(f, at, end, year, month_first ? first : second, month_first ? second : first);
    if (!has_dots && first <= 12 && second <= 12) {
        d->other_month = month_first ? second : first;
        d->other_day = month_first ? first : second;
    }
    return d;
}

static bool next_match(finder *f, const char *pattern, size_t *from, lead_match *ret_match)
{
    bool is_found = lead_find(f->l->rules, pattern, lead_text_folded(&f->rest), *from, ret_match);
    if (is_found)
        *from = ret_match->end;
    return is_found;
}

static void find_numeric(finder *f)
{
    lead_match m;
    for (size_t from = 0; next_match(f, "(?<!\\d)(20\\d\\d)-(\\d{1,2})-(\\d{1,2})(?!\\d)", &from, &m);) {
        add_date(f, m.start, m.end, number_of(m.group[1]), number_of(m.group[2]), number_of(m.group[3]));
        lead_text_blank(&f->rest, m.start, m.end);
    }
    /* 10.08.-24.08.2026, 3/6 - 10/6/27: the year is said once */
    for (size_t from = 0;
         next_match(f, "(?<![\\d.,/])(\\d{1,2})([./])(\\d{1,2})\\2?" TO "(\\d{1,2})\\2(\\d{1,2})\\2" YEAR_NUMBER, &from,
                    &m);) {
        bool has_dots = m.group[2].ptr[0] == '.';
        int year = year_of(f->l, m.group[6]);
        lead_day *first =
            add_numeric(f, m.start, m.start + 1, number_of(m.group[1]), number_of(m.group[3]), 0, has_dots);
        lead_day *last = add_numeric(f, m.end - 1, m.end, number_of(m.group[4]), number_of(m.group[5]), year, has_dots);
        last->closes_range = true;
        first->year = first->month > last->month ? year - 1 : year;
        lead_text_blank(&f->rest, m.start, m.end);
    }
    /* 12.-19.06.2026, 12. bis 19.6. */
    for (size_t from = 0;
         next_match(f, "(?<![\\d.,/])(\\d{1,2})\\.?" TO "(\\d{1,2})([./])(\\d{1,2})(?:\\3" YEAR_NUMBER "|\\.(?!\\d))",
                    &from, &m);) {
        if (number_of(m.group[4]) < 1 || number_of(m.group[4]) > 12)
            continue;
        int year = year_of(f->l, m.group[5]);
        add_date(f, m.start, m.start + 1, year, number_of(m.group[4]), number_of(m.group[1]));
        add_date(f, m.end - 1, m.end, year, number_of(m.group[4]), number_of(m.group[2]))->closes_range = true;
        lead_text_blank(&f->rest, m.start, m.end);
    }
    for (size_t from = 0;
         next_match(f, "(?<![\\d.,])(\\d{1,2})([./-])(\\d{1,2})\\2" YEAR_NUMBER "(?!\\.\\d)", &from, &m);) {
        add_numeric(f, m.start, m.end, number_of(m.group[1]), number_of(m.group[3]), year_of(f->l, m.group[4]),
                    m.group[2].ptr[0] == '.');
        lead_text_blank(&f->rest, m.start, m.end);
    }
    /* 4.12. and, where a date may stand, 14/5 */
    static const char NO_YEAR[] = "(?<![\\d.,/])(\\d{1,2})(?:\\.(\\d{1,2})\\.(?!\\d)|/(\\d{1,2})(?![\\d/])(?! "
                                  "?(?:nights?|weeks?|days?|people|pax|star|of|bed|room|%)))";
    for (size_t from = 0; next_match(f, NO_YEAR, &from, &m);) {
        bool has_dots = m.group[2].len > 0;
        int first = number_of(m.group[1]), second = number_of(has_dots ? m.group[2] : m.group[3]);
        bool may_be =
            lead_before(f->l->rules,
                        "(?:\\b(?:on|from|to|out|back|ret\\w*|rtn|dep\\w*|leav\\w*|fly\\w*|arriv\\w*|del|al|du|au|vom|"
                        "bis|am|ab|le|el|start\\w*|until|till|dates?|land|home|by|starting|" LEAD_WEEKDAYS
                        "[a-z]*)[ :]*(?:the |on )?|- ?)$",
                        lead_text_folded(&f->rest), m.start, 20, NULL) ||
            lead_after(f->l->rules, " ?(?:-|to|back|ret\\w*) ?(?:on )?\\d{1,2}/\\d", lead_text_folded(&f->rest), m.end,
                       20);
        if (first < 1 || second < 1 || first > 31 || second > 31 || (first > 12 && second > 12) ||
            (!has_dots && !may_be) || (has_dots && second > 12))
            continue;
        add_numeric(f, m.start, m.end, first, second, 0, has_dots);
        lead_text_blank(&f->rest, m.start, m.end);
    }
}

static void find_ranges(finder *f)
{
    lead_match m;
    for (size_t from = 0;
         next_match(f, "(?<![\\d/.,])(?:the )?" DAY TO ON_WEEKDAY "?" DAY OF LEAD_MONTH YEAR, &from, &m);) {
        int year = year_of(f->l, m.group[4]), month = lead_month_of(m.group[3]);
        add_date(f, m.start, m.start + 1, year, month, day_of(m.group[1]));
        add_date(f, m.end - 1, m.end, year, month, day_of(m.group[2]))->closes_range = true;
        lead_text_blank(&f->rest, m.start, m.end);
    }
    static const char MONTH_FIRST[] = "\\b" LEAD_MONTH " (?:the )?" DAY TO ON_WEEKDAY "?" DAY "(?![\\d/:])(?!" OF
                                      "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))(?! "
                                      "?(?:adults?|people|pax|nights?|nts|days|weeks?|of us|kids|k\\b|am|pm))" YEAR;
    for (size_t from = 0; next_match(f, MONTH_FIRST, &from, &m);) {
        int year = year_of(f->l, m.group[4]), month = lead_month_of(m.group[1]);
        add_date(f, m.start, m.start + 1, year, month, day_of(m.group[2]));
        add_date(f, m.end - 1, m.end, year, month, day_of(m.group[3]))->closes_range = true;
        lead_text_blank(&f->rest, m.start, m.end);
    }
    /* "del 4 al 8": the month stands elsewhere */
    static const char NO_MONTH[] =
        "\\b(?:del? (\\d{1,2}) al (\\d{1,2})|vom (\\d{1,2})\\.? bis (?:zum )?(\\d{1,2})\\.?|du (\\d{1,2}) au "
        "(\\d{1,2})|(?:from )?(?:the )?(\\d{1,2})(?:st|nd|rd|th) ?(?:to|-|until|till) ?(?:the "
        ")?(\\d{1,2})(?:st|nd|rd|th))(?![\\d/])(?! ?(?:nights?|de |of |pm|am))";
    for (size_t from = 0; next_match(f, NO_MONTH, &from, &m);) {
        for (size_t g = 1; g + 1 < LEAD_GROUPS_MAX; g += 2)
            if (m.group[g].len > 0) {
                lead_day *first = add(f, LEAD_DAY_NUMBER, m.start, m.start + 1);
                first->day = number_of(m.group[g]);
                first->role = LEAD_ROLE_START;
                lead_day *last = add(f, LEAD_DAY_NUMBER, m.end - 1, m.end);
                last->day = number_of(m.group[g + 1]);
                last->closes_range = true;
            }
        lead_text_blank(&f->rest, m.start, m.end);
    }
}

static void find_days_of_months(finder *f)
{
    lead_match m;
    for (size_t from = 0; next_match(f, "(?<![\\d/:.,\\x80\\xA3$])\\b" DAY OF LEAD_MONTH YEAR, &from, &m);) {
        add_date(f, m.start, m.end, year_of(f->l, m.group[3]), lead_month_of(m.group[2]), day_of(m.group[1]));
        lead_text_blank(&f->rest, m.start, m.end);
    }
    static const char MONTH_DAY[] =
        "\\b" LEAD_MONTH " (?:the )?" DAY
        "(?!\\d|[/:,]\\d)(?! ?(?:of us|people|pax|adults?|nights?|nts|days|weeks?|kids|k\\b|x\\b|am\\b|pm\\b))(?:,? "
        "(20\\d\\d|next year))?";
    for (size_t from = 0; next_match(f, MONTH_DAY, &from, &m);) {
        add_date(f, m.start, m.end, year_of(f->l, m.group[3]), lead_month_of(m.group[1]), day_of(m.group[2]));
        lead_text_blank(&f->rest, m.start, m.end);
    }
}

/* "back by the 24th", "am 15.", "salimos el 15" */
static void find_numbers(finder *f)
{
    static const char NUMBER[] = "\\b(?:(?:by|on|until|till|from|to|back|before|leav\\w+|return\\w*|through|arriv\\w+|"
                                 "thru|depart\\w*) " ON_WEEKDAY "?(?:on )?(?:the )?" NTH
                                 "|(?:salimos|salir|volvemos|volver|vuelta|ida|llegamos|regres\\w+|hasta|partir|"
                                 "partons|depart|retour|rentr\\w+|arriv\\w+|jusqu'au|hinflug|ruckflug|zuruck|abflug|"
                                 "bis zum|bis) (?:el |le |am |an |on )?(\\d{1,2})\\.?)(?!\\d|[/:.,]\\d)(?! "
                                 "?(?:nights?|noches|nuits|people|adult|personas|%|floor|birthday|anniversary|of "
                                 "us|time|semanas?|weeks?|class|half|week|dias|euros?|k\\b|uhr|h\\b|am\\b|pm\\b))";
    lead_match m;
    for (size_t from = 0; next_match(f, NUMBER, &from, &m);) {
        ctn_str word = m.group[1].len > 0 ? m.group[1] : m.group[2];
        int day = day_of(word);
        if (day < 1 || day > 31)
            continue;
        add(f, LEAD_DAY_NUMBER, (size_t) (word.ptr - f->rest.folded), m.end)->day = day;
        lead_text_blank(&f->rest, (size_t) (word.ptr - f->rest.folded), m.end);
    }
}

static void find_weekdays(finder *f)
{
    static const char WEEKDAY[] =
        "(?:\\b(next|this|on|coming|from|leaving|to|until|till|til|through|back|return(?:ing)?|home|arriving|diesen|"
        "nachsten|kommenden|am|ab|von|bis|(?:el )?proximo|este|el|al|del|hasta|ce|le|du|au|jusqu'a|returns?)|(-)) "
        "?(?:on |this |the |next )?" LEAD_WEEKDAYS "(?:day|s?day|nesday|rsday|urday)?\\b( prochain| que viene| "
        "nachste(?:r|n) woche| next week)?(?!,? ?(?:the |den )?\\d)";
    lead_match m;
    for (size_t from = 0; next_match(f, WEEKDAY, &from, &m);) {
        lead_day *d = add(f, LEAD_DAY_WEEKDAY, (size_t) (m.group[3].ptr - f->rest.folded), m.end);
        d->weekday = weekday_of(m.group[3]);
        d->is_next = m.group[4].len > 0 || lead_has(f->l->rules, "next|nachsten|proximo",
                                                    (ctn_str){f->rest.folded + m.start, d->at - m.start});
    }
}

static void find_offsets(finder *f)
{
    lead_match m;
    size_t from = 0;
    static const char TOMORROW[] =
        "(?<!la )(?<!guten )(?<!call you )(?<!call )\\b(?:tomorrow|tmrw|tmrow|tomoz|manana|demain|morgen(?= "
        "(?:fruh|nach|ab|mit|fliegen)|[,.!?\\n]))\\b";
    if (next_match(f, TOMORROW, &from, &m))
        add(f, LEAD_DAY_OFFSET, m.start, m.end)->offset = 1;
    from = 0;
    static const char IN_WEEKS[] = "\\b(?:in|dans|en|dentro de) (?:about |around |etwa |environ |unas )?" LEAD_NUMBER
                                   " (weeks?|wks?|days?|wochen?|tagen?|semaines?|jours|semanas?|dias)(?:'s? time| "
                                   "time)?\\b(?! (?:of|de|in|im)\\b)";
    if (next_match(f, IN_WEEKS, &from, &m) && lead_number(m.group[1]) > 0)
        add(f, LEAD_DAY_OFFSET, m.start, m.end)->offset =
            lead_number(m.group[1]) * (m.group[2].ptr[0] == 'w' || m.group[2].ptr[0] == 's' ? 7 : 1);
    from = 0;
    static const char AFTER[] = "\\b" LEAD_NUMBER " (days?|weeks?|tage?n?|wochen?|jours?|semaines?|dias?|semanas?) "
                                "(?:after|later|afterwards|spater|danach|nach|apres|plus tard|despues|mas tarde)\\b";
    static const char DAY_AFTER[] =
        "\\b(?:the )?(?:next day|day after|tag danach|tag darauf|lendemain|dia siguiente)\\b";
    if (next_match(f, AFTER, &from, &m) && lead_number(m.group[1]) > 0)
        add(f, LEAD_DAY_AFTER, m.start, m.end)->offset =
            lead_number(m.group[1]) * (m.group[2].ptr[0] == 'w' || m.group[2].ptr[0] == 's' ? 7 : 1);
    else if (from = 0, next_match(f, DAY_AFTER, &from, &m))
        add(f, LEAD_DAY_AFTER, m.start, m.end)->offset = 1;
}

static int by_place(const void *a, const void *b)
{
    const lead_day *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

void lead_find_days(lead *l, const lead_text *text, lead_days *ret_days, lead_text *ret_rest)
{
    finder f = {.l = l, .rest = *text, .days = ret_days};
    f.rest.folded = ctn_arena_alloc(l->arena, text->len + 1);
    memcpy(f.rest.folded, text->folded, text->len + 1);
    find_numeric(&f);
    find_ranges(&f);
    find_days_of_months(&f);
    find_numbers(&f);
    find_weekdays(&f);
    find_offsets(&f);
    qsort(ret_days->items, ret_days->count, sizeof *ret_days->items, by_place);
    *ret_rest = f.rest;
}
