/*
 * lead_dates.c -- when: departure, return, nights, or only a month.
 *
 * Dates are found by shape, one shape after the other, each blanking what it used, and then take a role from the words
 * around them (out, back, until, "married ..."). Everything resolves against the day the lead came in.
 */
#include "lead/lead_parts.h"

#include <stdlib.h>

enum { DATES_MAX = 40 };

#define MONTH                                                                                                          \
    "(jan(?:uary|uar|vier|ner)?|enero|ene|feb(?:ruary|ruar|rero)?|fev(?:rier)?|mar(?:ch|zo|z|s)?|apr(?:il)?|avr(?:il)" \
    "?|abr(?:il)?|"                                                                                                    \
    "may|mai|mayo|june?|juni|junio|juin|july?|juli|julio|juillet|aug(?:ust)?|aout|agosto|ago|sept?(?:ember|embre|"     \
    "tiembre|iembre)?|"                                                                                                \
    "oct(?:ober|obre|ubre)?|okt(?:ober)?|nov(?:ember|embre|iembre)?|dec(?:ember|embre)?|dez(?:ember)?|dic(?:iembre)?)" \
    "(?![a-z])\\.?"
#define DAY                                                                                                            \
    "(\\d{1,2}|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|"          \
    "fourteenth|"                                                                                                      \
    "fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|twenty[- ]first|twenty[- ]second|twenty[- "       \
    "]third|"                                                                                                          \
    "twenty[- ]fourth|twenty[- ]fifth|twenty[- ]sixth|twenty[- ]seventh|twenty[- ]eighth|twenty[- ]ninth|thirtieth|"   \
    "thirty[- ]first)(?:st|nd|rd|th|er|\\.)?"
#define WEEKDAY "(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\\.?,? )"
#define YEAR    "(?:,? ?(20\\d\\d))?"
#define TO      " ?(?:-|to|until|till?|through|thru|al|bis|au|a|and) ?"

typedef enum role { ROLE_NONE, ROLE_START, ROLE_END, ROLE_EVENT, ROLE_IGNORE } role;

typedef struct date {
    size_t at, end;
    int year, month, day; /* 0: not said */
    role role;
    bool closes_range;          /* "10 to 13 April": the second of the two */
    int other_month, other_day; /* 05/06: the other reading, 0: none */
    travel_day resolved;
} date;

typedef struct dates {
    date items[DATES_MAX];
    size_t count;
} dates;

static int month_of(ctn_str word)
{
    static const struct {
        const char *start;
        int month;
    } starts[] = {{"jan", 1}, {"ene", 1}, {"feb", 2},  {"fev", 2},  {"mar", 3},  {"apr", 4},  {"avr", 4},  {"abr", 4},
                  {"may", 5}, {"mai", 5}, {"juin", 6}, {"jun", 6},  {"jui", 7},  {"jul", 7},  {"aug", 8},  {"aou", 8},
                  {"ago", 8}, {"sep", 9}, {"oct", 10}, {"okt", 10}, {"nov", 11}, {"dec", 12}, {"dez", 12}, {"dic", 12}};
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
    int tens = ctn_str_starts_with(word, CTN_STR("twenty-")) || ctn_str_starts_with(word, CTN_STR("twenty "))   ? 20
               : ctn_str_starts_with(word, CTN_STR("thirty-")) || ctn_str_starts_with(word, CTN_STR("thirty ")) ? 30
                                                                                                                : 0;
    if (ctn_str_is(word, "thirtieth"))
        return 30;
    if (tens)
        word = ctn_str_from_offset(word, 7);
    for (size_t i = 0; i < sizeof ordinals / sizeof *ordinals; i++)
        if (ctn_str_is(word, ordinals[i]))
            return tens + (int) i + 1;
    return 0;
}

static int number_of(ctn_str s)
{
    int64_t number;
    return s.len > 0 && s.len < 6 && ctn_str_to_int64(s, &number) ? (int) number : 0;
}

/* ---- shapes ---- */

static date *add(dates *list, size_t at, size_t end, int year, int month, int day)
{
    /* what does not fit replaces the last one: the client's later words count */
    date *d = &list->items[list->count < DATES_MAX ? list->count++ : DATES_MAX - 1];
    *d = (date){.at = at, .end = end, .year = year, .month = month, .day = day};
    return d;
}

static void find_numeric(lead *l, lead_text *t, dates *list)
{
    lead_match m;
    ctn_str text = lead_text_folded(t);
    for (size_t from = 0; lead_find(l->rules, "(?<!\\d)(20\\d\\d)-(\\d{1,2})-(\\d{1,2})(?!\\d)", text, from, &m);
         from = m.end) {
        add(list, m.start, m.end, number_of(m.group[1]), number_of(m.group[2]), number_of(m.group[3]));
        lead_text_blank(t, m.start, m.end);
    }
    for (size_t from = 0; lead_find(
             l->rules, "(?<![\\d.,])(\\d{1,2})([./-])(\\d{1,2})\\2(20\\d\\d|\\d\\d)(?!\\d|\\.\\d)", text, from, &m);
         from = m.end) {
        int first = number_of(m.group[1]), second = number_of(m.group[3]), year = number_of(m.group[4]);
        bool dots = m.group[2].ptr[0] == '.', month_first = l->is_month_first && !dots && first <= 12;
        if (!dots && second > 12 && first <= 12)
            month_first = true;
        date *d = add(list, m.start, m.end, year < 100 ? 2000 + year : year, month_first ? first : second,
                      month_first ? second : first);
        if (!dots && first <= 12 && second <= 12) {
            d->other_month = month_first ? second : first;
            d->other_day = month_first ? first : second;
        }
        lead_text_blank(t, m.start, m.end);
    }
}

static void find_ranges(lead *l, lead_text *t, dates *list)
{
    lead_match m;
    ctn_str text = lead_text_folded(t);
    for (size_t from = 0;
         lead_find(l->rules, "(?<![\\d/])(?:the )?" DAY TO "(?:the )?" WEEKDAY "?" DAY " ?(?:of |de )?" MONTH YEAR,
                   text, from, &m);
         from = m.end) {
        int year = number_of(m.group[4]), month = month_of(m.group[3]);
        add(list, m.start, m.start + 1, year, month, day_of(m.group[1]));
        add(list, m.end - 1, m.end, year, month, day_of(m.group[2]))->closes_range = true;
        lead_text_blank(t, m.start, m.end);
    }
    for (size_t from = 0; lead_find(l->rules,
                                    "\\b" MONTH " (?:the )?" DAY TO "(?:the )?" DAY
                                    "(?![\\d/:])(?! ?(?:of |de )?(?:jan|feb|mar|apr|may|ju|aug|sep|oct|nov|dec))" YEAR,
                                    text, from, &m);
         from = m.end) {
        int year = number_of(m.group[4]), month = month_of(m.group[1]);
        add(list, m.start, m.start + 1, year, month, day_of(m.group[2]));
        add(list, m.end - 1, m.end, year, month, day_of(m.group[3]))->closes_range = true;
        lead_text_blank(t, m.start, m.end);
    }
}

static void find_days_of_months(lead *l, lead_text *t, dates *list)
{
    lead_match m;
    ctn_str text = lead_text_folded(t);
    for (size_t from = 0;
         lead_find(l->rules, "(?<![\\d/:.,\\x80\\xA3$])" DAY " ?(?:of |de |del )?" MONTH YEAR, text, from, &m);
         from = m.end) {
        add(list, m.start, m.end, number_of(m.group[3]), month_of(m.group[2]), day_of(m.group[1]));
        lead_text_blank(t, m.start, m.end);
    }
    for (size_t from = 0;
         lead_find(l->rules,
                   "\\b" MONTH " (?:the )?" DAY
                   "(?![\\d/:,]\\d)(?! ?(?:of us|people|pax|adults|nights|days|k\\b))(?:,? (20\\d\\d))?",
                   text, from, &m);
         from = m.end) {
        add(list, m.start, m.end, number_of(m.group[3]), month_of(m.group[1]), day_of(m.group[2]));
        lead_text_blank(t, m.start, m.end);
    }
    for (size_t from = 0; lead_find(
             l->rules, "\\b(?:by|on|until|till|from|to|back|before) (?:" WEEKDAY ")?the (\\d{1,2})(?:st|nd|rd|th)\\b",
             text, from, &m);
         from = m.end)
        add(list, m.end - 1, m.end, 0, 0, number_of(m.group[1]));
}

/* ---- resolving ---- */

static travel_day next_occurrence(int month, int day, travel_day from)
{
    travel_civil c = travel_day_civil(from);
    travel_day found;
    for (int year = c.year; year <= c.year + 8; year++) /* 29 February may be years away */
        if (travel_day_from(year, month, day, &found) && found >= from)
            return found;
    return TRAVEL_NO_DAY;
}

static travel_day next_day_number(int day, travel_day after)
{
    travel_civil c = travel_day_civil(after);
    for (int i = 0; i < 4; i++) {
        travel_day found;
        int month = c.month + i > 12 ? c.month + i - 12 : c.month + i;
        if (travel_day_from(c.month + i > 12 ? c.year + 1 : c.year, month, day, &found) && found > after)
            return found;
    }
    return TRAVEL_NO_DAY;
}

static travel_day resolve(const date *d, travel_day from)
{
    travel_day found = TRAVEL_NO_DAY;
    if (d->year > 0)
        return travel_day_from(d->year, d->month, d->day, &found) ? found : TRAVEL_NO_DAY;
    if (d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= travel_month_days(2024, d->month))
        return next_occurrence(d->month, d->day, from);
    return TRAVEL_NO_DAY;
}

static void give_role(lead *l, ctn_str text, date *d)
{
    if (d->closes_range) {
        d->role = ROLE_END;
        return;
    }
    if (lead_before(l->rules, "\\b(?:after|not before|before|born|dob|since) (?:the )?" WEEKDAY "?$", text, d->at, 30,
                    NULL) ||
        lead_before(l->rules, "\\b(?:birthday|claim by|deadline|expires?|mocks|appointment)\\b[^.\\n]{0,16}$", text,
                    d->at, 34, NULL))
        d->role = ROLE_IGNORE;
    else if (lead_before(l->rules, "\\b(?:married|wedding)\\b[^.\\n]{0,14}$", text, d->at, 30, NULL))
        d->role = ROLE_EVENT;
    else if (lead_after(l->rules, " (?:out|depart\\w*|outbound)\\b", text, d->end, 12))
        d->role = ROLE_START;
    else if (lead_after(l->rules, " (?:home|back|return\\w*|inbound)\\b(?! (?:on |by )?(?:the )?(?:[a-z]{3,9} )?\\d)",
                        text, d->end, 30))
        d->role = ROLE_END;
    else if (lead_before(l->rules,
                         "\\b(?:back|return\\w*|rtn|ret|home|vuelta|regreso|volver|volvemos|retour|zuruck|ruckflug|"
                         "ruckreise|land back|check ?out)\\b[^.;!?\\n]{0,24}$",
                         text, d->at, 46, NULL) &&
             !lead_before(l->rules, "\\b(?:out|depart\\w*|leav\\w*|set off)\\b[^.;!?\\n\\d]{0,12}$", text, d->at, 20,
                          NULL))
        d->role = ROLE_END;
    else if (lead_before(l->rules,
                         "(?:\\b(?:to|until|till|til|through|thru|al|bis|hasta|jusqu'au|au)|-) ?(?:the )?" WEEKDAY "?$",
                         text, d->at, 22, NULL))
        d->role = ROLE_END;
    else if (lead_before(l->rules,
                         "\\b(?:from|start\\w*|depart\\w*|out|leav\\w*|set off|on or "
                         "about|arriv\\w*|fly\\w*|going|vom|ab|del|le|el|salimos|week "
                         "of|beginning|commencing|w/c)\\b[^.;!?\\n]{0,18}$",
                         text, d->at, 36, NULL))
        d->role = ROLE_START;
}

static int by_place(const void *a, const void *b)
{
    const date *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static travel_day relative_day(lead *l, ctn_str text, travel_day event)
{
    lead_match m;
    static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    if (event != TRAVEL_NO_DAY && lead_find(l->rules, LEAD_NUMBER " days? (?:after|later)\\b", text, 0, &m))
        return event + lead_number(m.group[1]);
    if (event != TRAVEL_NO_DAY && lead_find(l->rules, "\\b(?:the )?(?:next day|day after)\\b", text, 0, &m))
        return event + 1;
    if (lead_find(l->rules, "\\b(next|this|on|coming) (mon|tue|wed|thu|fri|sat|sun)[a-z]*\\b(?! ?\\d)", text, 0, &m)) {
        int wanted = 0;
        while (!ctn_str_starts_with(m.group[2], ctn_str_from(weekdays[wanted])))
            wanted++;
        if (ctn_str_is(m.group[1], "next"))
            return l->received - travel_day_weekday(l->received) + 7 + wanted;
        travel_day day = l->received + 1;
        while (travel_day_weekday(day) != wanted)
            day++;
        return day;
    }
    if (lead_find(l->rules, "\\b(?:tomorrow|tmrw|tmrow|manana|demain|morgen)\\b(?! (?:morning|evening) (?:call|ring))",
                  text, 0, &m))
        return l->received + 1;
    if (lead_find(l->rules, "\\bin " LEAD_NUMBER " (weeks?|days?)(?:'s? time)?\\b(?! of)", text, 0, &m)) {
        int number = lead_number(m.group[1]);
        return number > 0 ? l->received + number * (m.group[2].ptr[0] == 'w' ? 7 : 1) : TRAVEL_NO_DAY;
    }
    return TRAVEL_NO_DAY;
}

/* The dates of a text in order, with roles, into l->start and l->end. */
static void settle(lead *l, ctn_str text, dates *list)
{
    travel_day event = TRAVEL_NO_DAY;
    bool start_is_said = false;
    qsort(list->items, list->count, sizeof *list->items, by_place);
    for (size_t i = 0; i < list->count; i++) {
        date *d = &list->items[i];
        if (d->role == ROLE_NONE)
            give_role(l, text, d);
        d->resolved = resolve(d, l->received);
        if (d->role == ROLE_EVENT)
            event = d->resolved;
    }
    for (size_t i = 0; i < list->count; i++) {
        date *d = &list->items[i];
        bool is_number_only = d->month == 0 && d->year == 0;
        if (d->role == ROLE_IGNORE || d->role == ROLE_EVENT || (d->resolved == TRAVEL_NO_DAY && !is_number_only))
            continue;
        if (is_number_only && d->role != ROLE_END)
            continue; /* settled below, when the start is known */
        bool is_end = d->role == ROLE_END || (d->role == ROLE_NONE && start_is_said);
        if (is_end && !is_number_only) {
            if (d->year == 0 && l->start != TRAVEL_NO_DAY && d->resolved < l->start)
                d->resolved = resolve(d, l->start);
            if (l->start != TRAVEL_NO_DAY && d->resolved <= l->start && d->other_month > 0)
                (void) travel_day_from(d->year, d->other_month, d->other_day, &d->resolved);
            if (l->start == TRAVEL_NO_DAY || d->resolved > l->start)
                l->end = d->resolved;
        } else if (!is_end) {
            if (start_is_said && d->resolved != l->start)
                l->end = TRAVEL_NO_DAY; /* said again: the later one counts */
            l->start = d->resolved;
            start_is_said = true;
        }
    }
    if (l->start == TRAVEL_NO_DAY)
        l->start = relative_day(l, text, event);
    for (size_t i = 0; i < list->count; i++) {
        date *d = &list->items[i];
        if (d->month == 0 && d->year == 0 && d->role == ROLE_END && l->end == TRAVEL_NO_DAY)
            l->end = next_day_number(d->day, l->start != TRAVEL_NO_DAY ? l->start : l->received);
        else if (d->month == 0 && d->year == 0 && d->role == ROLE_START && l->start == TRAVEL_NO_DAY)
            l->start = next_day_number(d->day, l->received);
    }
}

/* Finds the dates and gives the text without them. */
static lead_text find_dates(lead *l, const lead_text *source, dates *list)
{
    lead_text work = *source;
    work.folded = ctn_arena_alloc(l->arena, source->len + 1);
    memcpy(work.folded, source->folded, source->len + 1);
    find_numeric(l, &work, list);
    find_ranges(l, &work, list);
    find_days_of_months(l, &work, list);
    return work;
}

static void read_text(lead *l, const lead_text *source)
{
    dates *list = CTN_NEW(l->arena, dates);
    (void) find_dates(l, source, list);
    settle(l, lead_text_folded(source), list);
}

static bool read_field(lead *l, lead_field field, travel_day *ret_day)
{
    if (!lead_has_field(l, field))
        return false;
    travel_day start = l->start, end = l->end;
    l->start = l->end = TRAVEL_NO_DAY;
    lead_text t = lead_text_make(l->arena, l->fields[field]);
    read_text(l, &t);
    bool is_found = l->start != TRAVEL_NO_DAY || l->end != TRAVEL_NO_DAY;
    if (is_found)
        *ret_day = l->start != TRAVEL_NO_DAY ? l->start : l->end;
    l->start = start;
    l->end = end;
    return is_found;
}

/* ---- nights ---- */

static bool sum_per_stop(lead *l, ctn_str text, int *ret_nights)
{
    lead_match m;
    int sum = 0, stops = 0;
    for (size_t from = 0;
         lead_find(l->rules, "[a-z] ?\\((\\d{1,2})(?: ?(?:nights?|nts?|n|noches|nuits|nachte))?\\)", text, from, &m);
         from = m.end, stops++)
        sum += number_of(m.group[1]);
    if (stops >= 2 && lead_has(l->rules, "\\(\\d{1,2} ?(?:nights?|nts?|n|noches|nuits|nachte)\\)", text)) {
        *ret_nights = sum;
        return true;
    }
    sum = stops = 0;
    for (size_t from = 0; lead_find(l->rules, "\\b" LEAD_NUMBER " nights? (?:in|at|on) [a-z]", text, from, &m);
         from = m.end, stops++)
        sum += lead_number(m.group[1]) > 0 ? lead_number(m.group[1]) : 0;
    *ret_nights = sum;
    return stops >= 2;
}

static int nights_of(lead *l, ctn_str text)
{
    lead_match m;
    int nights = -1;
    if (sum_per_stop(l, text, &nights) && nights > 0)
        return nights;
    if (lead_has(
            l->rules,
            "\\b\\d{1,2} ?(?:-|to|or) ?\\d{1,2} ?(?:nights?|nites?|nts|days?|weeks?|noches|nuits|nachte|tage|jours)\\b",
            text))
        return -1;
    nights = -1;
    for (size_t from = 0; lead_find(
             l->rules, "\\b" LEAD_NUMBER "[ -]?(?:nights?|nites?|nts?|noches?|nuits?|nachten?)\\b", text, from, &m);
         from = m.end)
        if (lead_number(m.group[1]) > 0)
            nights = lead_number(m.group[1]);
    if (nights > 0)
        return nights;
    for (size_t from = 0; lead_find(l->rules,
                                    "(?<!last )(?<!that )(?<!next )(?<!this )(?<!in )(?<!within )\\b" LEAD_NUMBER
                                    "[ -]?(?:weeks?|wks?|semaines?|semanas?|wochen?)\\b(?! (?:of "
                                    "the|ago|later|after|before|time|on the|from now))(?!')",
                                    text, from, &m);
         from = m.end)
        if (lead_number(m.group[1]) > 0)
            nights = lead_number(m.group[1]) * 7;
    if (lead_has(l->rules, "\\bfortnight\\b(?! (?:ago|later))|\\bquincena\\b", text))
        nights = 14;
    if (nights < 0 &&
        lead_find(l->rules,
                  "\\b" LEAD_NUMBER
                  "[ -]?(?:days?|jours|dias|tagen?)\\b(?! (?:after|later|ago|before|out|per|a week))(?! ?of rain)",
                  text, 0, &m) &&
        lead_number(m.group[1]) > 1)
        nights = lead_number(m.group[1]) - 1;
    return nights;
}

/* ---- a month alone ---- */

static void read_month(lead *l, ctn_str text)
{
    lead_match m;
    travel_civil now = travel_day_civil(l->received);
    static const char IN_MONTH[] =
        "\\b(?:in|early|mid|middle of|late|end of|beginning of|start of|first (?:week|half) of|last (?:week|half) "
        "of|time in|during|next|this|sometime|around|"
        "debut|mi|fin|courant|anfang|mitte|ende|im|en|principios de|finales de|mediados "
        "de|for|about|try|thinking|or|and|half term)[ -]{1,2}(?:of |de |d'|in )?" MONTH "(?:,? (20\\d\\d|next year))?";
    static const char BARE_MONTH[] =
        "\\b(january|february|april|june|july|august|september|october|november|december|sept|juillet|aout|octobre|"
        "septembre|christmas|xmas|noel|weihnachten|navidad)\\b(?:,? (20\\d\\d|next year))?";
    const char *const patterns[] = {IN_MONTH, BARE_MONTH};
    for (size_t i = 0; i < 2 && l->month == 0; i++)
        for (size_t from = 0; lead_find(l->rules, patterns[i], text, from, &m); from = m.end) {
            if (lead_before(l->rules, "\\b(?:after|before|not|until|since|till) $", text, m.start, 12, NULL))
                continue;
            int month = month_of(m.group[1]), year = number_of(m.group[2]);
            if (month == 0)
                month = 12; /* Christmas in its languages */
            bool next_year = ctn_str_is(m.group[2], "next year") || lead_has(l->rules, "\\bnext year\\b", text);
            if (year == 0)
                year = next_year ? now.year + 1 : month >= now.month ? now.year : now.year + 1;
            if (l->month == 0 || year < l->month_year || (year == l->month_year && month < l->month)) {
                l->month = month;
                l->month_year = year;
            }
        }
}

/* ---- all together ---- */

static void reconcile(lead *l)
{
    bool has_start = l->start != TRAVEL_NO_DAY, has_end = l->end != TRAVEL_NO_DAY, has_nights = l->nights > 0;
    if (has_start && has_end && has_nights && l->end - l->start != l->nights) {
        l->end = TRAVEL_NO_DAY; /* two statements that contradict each other: neither counts */
        l->nights = -1;
    } else if (has_start && has_end && l->end > l->start) {
        l->nights = l->end - l->start;
    } else if (has_start && has_nights) {
        l->end = l->start + l->nights;
    } else if (has_end && has_nights) {
        l->start = l->end - l->nights;
    }
}

void lead_read_dates(lead *l)
{
    ctn_str said = lead_text_folded(&l->said);
    l->start = l->end = TRAVEL_NO_DAY;
    l->nights = -1;
    read_text(l, &l->said);
    if (l->start == TRAVEL_NO_DAY && l->end == TRAVEL_NO_DAY && lead_has_field(l, LEAD_DATES)) {
        lead_text t = lead_text_make(l->arena, l->fields[LEAD_DATES]);
        read_text(l, &t);
    }
    travel_day day;
    if (l->start == TRAVEL_NO_DAY && read_field(l, LEAD_START, &day))
        l->start = day;
    if (l->end == TRAVEL_NO_DAY && read_field(l, LEAD_END, &day))
        l->end = day;
    l->nights = nights_of(l, said);
    if (l->nights < 0 && lead_has_field(l, LEAD_NIGHTS)) {
        lead_text t = lead_text_make(l->arena, l->fields[LEAD_NIGHTS]);
        int number = lead_number(ctn_str_trim(lead_text_folded(&t)));
        l->nights = number > 0 ? number : nights_of(l, lead_text_folded(&t));
    }
    if (l->nights > 1000)
        l->nights = -1;
    reconcile(l);
    if (l->start == TRAVEL_NO_DAY && l->end == TRAVEL_NO_DAY) {
        /* the month of a date that does not count ("after 22 July") says nothing either */
        lead_text undated = find_dates(l, &l->said, CTN_NEW(l->arena, dates));
        read_month(l, lead_text_folded(&undated));
        if (l->month == 0 && lead_has_field(l, LEAD_DATES)) {
            lead_text t =
                lead_text_make(l->arena, ctn_arena_printf(l->arena, "in %.*s", CTN_STR_ARG(l->fields[LEAD_DATES])));
            read_month(l, lead_text_folded(&t));
        }
    }
}
