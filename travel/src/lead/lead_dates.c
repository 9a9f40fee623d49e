/*
 * lead_dates.c -- when: departure, return, nights, or only a month.
 *
 * The days that the text names (lead_days.h) take a role from the words around them (out, back, until, "married ..."),
 * and resolve in the order of the text against the day the lead came in: a return is after the departure. Of start,
 * end and nights the third follows from two; where all three are said and disagree, end and nights are nobody's guess.
 */
#include "lead/lead_days.h"

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

static travel_day resolve_date(const lead_day *d, travel_day from)
{
    travel_day found = TRAVEL_NO_DAY;
    if (d->year > 0)
        return travel_day_from(d->year, d->month, d->day, &found) ? found : TRAVEL_NO_DAY;
    if (d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= travel_month_days(2024, d->month))
        return next_occurrence(d->month, d->day, from);
    return TRAVEL_NO_DAY;
}

static travel_day next_weekday(int weekday, travel_day after)
{
    travel_day day = after + 1;
    while (travel_day_weekday(day) != weekday)
        day++;
    return day;
}

typedef struct timeline {
    travel_day start, end, event;
    int month, month_year; /* named beside days without one; 0: none */
    bool is_arrival;       /* start is when they arrive: to leave is to go home */
} timeline;

static travel_day resolve(const lead *l, const lead_day *d, const timeline *t, bool is_end)
{
    travel_day after = is_end && t->start != TRAVEL_NO_DAY ? t->start : l->received, found;
    switch (d->kind) {
    case LEAD_DAY_DATE:
        found = resolve_date(d, l->received);
        if (is_end && d->year == 0 && found != TRAVEL_NO_DAY && t->start != TRAVEL_NO_DAY && found < t->start)
            found = resolve_date(d, t->start);
        return found;
    case LEAD_DAY_NUMBER:
        if (!is_end && t->month > 0 && travel_day_from(t->month_year, t->month, d->day, &found))
            return found;
        return next_day_number(d->day, after);
    case LEAD_DAY_WEEKDAY:
        if (d->is_next && !(is_end && t->start != TRAVEL_NO_DAY))
            return l->received - travel_day_weekday(l->received) + 7 + d->weekday;
        return next_weekday(d->weekday, after);
    case LEAD_DAY_OFFSET: return l->received + d->offset;
    case LEAD_DAY_AFTER: return t->event != TRAVEL_NO_DAY ? t->event + d->offset : TRAVEL_NO_DAY;
    }
    return TRAVEL_NO_DAY;
}

/* ---- roles ---- */

/* Days that are not the trip's. */
static const char IGNORED_BEFORE[] =
    "\\b(?:(?:after|not before|before|born|dob|since|nach dem|despues del|apres le|seit) (?:the )?(?:[a-z]+day "
    ")?|(?:birthday|cumpleanos|anniversaire|geburtstag|claim "
    "by|deadline|expires?|valid|mocks|exams?|appointment|due|passport)\\b[^.\\n]{0,22}|(?:call|ring|phone|reply|answer|"
    "respond|speak|talk|quotes?|know|decide|confirm|details|pay|webinar|meet)\\w*(?: \\w+){0,3} "
    "(?:by|before|on|after|until|till|this|next|tomorrow) ?(?:the )?(?:[a-z]+day )?|(?:a "
    "thing|something|work|busy|not|away) (?:on )?(?:the )?)$";
static const char EVENT_BEFORE[] = "\\b(?:married|wedding|marry|hitched|ceremony|heiraten|hochzeit(?! ?s)|nous "
                                   "marions|mariage|nos casamos|boda|graduat\\w+|exams finish|retire)\\b[^.\\n]{0,32}$";
static const char START_AFTER[] = " (?:out(?! of)|depart\\w*|outbound|hin|ida)\\b";
static const char END_AFTER[] = " (?:home|back|inbound|zuruck|vuelta|return(?:ing)?)\\b(?! (?:on |by |the |am |el "
                                ")*(?:[a-z]{2,10}\\.? )?(?:the )?\\d)(?! on\\b)(?! (?:mon|tue|wed|thu|fri|sat|sun))";
static const char END_BEFORE[] =
    "(?:\\b(?:back|return\\w*|rtn|ret|home|vuelta|regres\\w+|volver|volvemos|volviendo|retour|rentr\\w+|revenir|zuruck|"
    "ruckflug|ruckreise|heim\\w*|land back|check ?(?:ing "
    ")?out|inbound|staying)\\b[^.;!?\\n]{0,24}|(?:\\b(?:to|until|till|til|through|thru|al|bis|bis zum|hasta|hasta "
    "el|jusqu'au|au|ending|ends)|->?) ?(?:the |den )?(?:" LEAD_WEEKDAYS "[a-z]*\\.?,? )?(?:the )?)$";
static const char OUT_BEFORE[] = "\\b(?:out|depart\\w*|leav\\w*|set off)\\b[^.;!?\\n\\d]{0,12}$";
static const char START_BEFORE[] =
    "\\b(?:from|start\\w*|dep\\w*|out|leav\\w*|set off|setting off|on or "
    "about|arriv\\w*|fly\\w*|going|go|travel\\w*|vom|ab|del|du|salimos|salir|saliendo|partir|partons|llegamos|hinflug|"
    "abflug|abreise|week of|week commencing|beginning|commencing|w/c|land(?:ing)? (?:in|on)?|check ?(?:ing )?in|there "
    "(?:by|on)|to be in|get to|next|this|on)\\b[^.;!?\\n]{0,22}$";
static const char ARRIVAL_BEFORE[] = "\\b(?:arriv\\w*|land(?:ing)?|get(?:ting)? there|check ?(?:ing )?in|to be "
                                     "in|llegamos|ankunft|ankommen)\\b[^.;!?\\n]{0,22}$";
static const char LEAVE_BEFORE[] =
    "\\b(?:leav\\w*|depart\\w*|fly(?:ing)? (?:home|out|back)|going home)\\b[^.;!?\\n]{0,16}$";
static const char CORRECTION[] =
    "\\b(?:actually|sorry|oh wait|wait|no,|make (?:it|that)|rather|instead|i mean|i "
    "meant|correction|better|scrap|change[d]?|mejor|plutot|lieber|eigentlich|doch|perdon|pardon)\\b";

static void give_role(lead *l, ctn_str text, lead_day *d, const timeline *t)
{
    lead_rules *r = l->rules;
    if (d->closes_range)
        d->role = LEAD_ROLE_END;
    if (d->role != LEAD_ROLE_NONE)
        return;
    if (lead_before(r, IGNORED_BEFORE, text, d->at, 48, NULL))
        d->role = LEAD_ROLE_IGNORE;
    else if (d->kind == LEAD_DAY_DATE && lead_before(r, EVENT_BEFORE, text, d->at, 50, NULL))
        d->role = LEAD_ROLE_EVENT;
    else if (lead_after(r, START_AFTER, text, d->end, 12))
        d->role = LEAD_ROLE_START;
    else if (lead_after(r, END_AFTER, text, d->end, 34))
        d->role = LEAD_ROLE_END;
    else if (t->is_arrival && lead_before(r, LEAVE_BEFORE, text, d->at, 34, NULL))
        d->role = LEAD_ROLE_END;
    else if (lead_before(r, END_BEFORE, text, d->at, 46, NULL) && !lead_before(r, OUT_BEFORE, text, d->at, 20, NULL))
        d->role = LEAD_ROLE_END;
    else if (d->kind == LEAD_DAY_OFFSET || d->kind == LEAD_DAY_AFTER ||
             lead_before(r, START_BEFORE, text, d->at, 40, NULL))
        d->role = LEAD_ROLE_START;
}

/* ---- settling ---- */

static bool is_corrected(lead *l, ctn_str text, const lead_day *before, const lead_day *d)
{
    return d->at > before->end && d->at - before->end < 200 &&
           lead_has(l->rules, CORRECTION, (ctn_str){text.ptr + before->end, d->at - before->end});
}

static void take_start(timeline *t, travel_day day, bool is_said_again)
{
    if (is_said_again && day != t->start)
        t->end = TRAVEL_NO_DAY; /* said again: the later one counts */
    t->start = day;
}

/* The days of a text in order, into the timeline. */
static void settle(lead *l, ctn_str text, lead_days *days, timeline *t)
{
    const lead_day *first = NULL;
    bool has_dates = false;
    for (size_t i = 0; i < days->count; i++)
        has_dates = has_dates || days->items[i].kind == LEAD_DAY_DATE;
    for (size_t i = 0; i < days->count; i++) {
        lead_day *d = &days->items[i];
        give_role(l, text, d, t);
        if (d->role == LEAD_ROLE_EVENT)
            t->event = resolve(l, d, t, false);
        bool is_vague = d->kind != LEAD_DAY_DATE;
        if (d->role == LEAD_ROLE_IGNORE || d->role == LEAD_ROLE_EVENT || (is_vague && d->role == LEAD_ROLE_NONE))
            continue;
        /* "3-17 April or 20 July - 3 August": the first way counts, and never the first's start with the second's end
         */
        if (t->start != TRAVEL_NO_DAY && t->end != TRAVEL_NO_DAY && d->role != LEAD_ROLE_END &&
            lead_before(l->rules, "\\b(?:or|ou|oder|o) (?:from |the |from the |vom |del |du )?$", text, d->at, 16,
                        NULL))
            break;
        bool is_corrected_start = first && d->role != LEAD_ROLE_END && is_corrected(l, text, first, d);
        bool is_end = d->role == LEAD_ROLE_END || (d->role == LEAD_ROLE_NONE && first && !is_corrected_start);
        if (is_vague && !is_end && ((first && !is_corrected_start) || (has_dates && d->kind == LEAD_DAY_WEEKDAY)))
            continue; /* a date says it better than "on Friday" */
        travel_day day = resolve(l, d, t, is_end);
        if (day == TRAVEL_NO_DAY)
            continue;
        if (!is_end) {
            take_start(t, day, first != NULL);
            t->is_arrival = lead_before(l->rules, ARRIVAL_BEFORE, text, d->at, 40, NULL);
            first = d;
            continue;
        }
        if (t->start != TRAVEL_NO_DAY && day <= t->start && d->other_month > 0)
            (void) travel_day_from(d->year > 0 ? d->year : travel_day_civil(t->start).year, d->other_month,
                                   d->other_day, &day);
        if (t->start == TRAVEL_NO_DAY || day > t->start)
            t->end = day;
        if (first && first->kind == LEAD_DAY_DATE && first->year == 0 && d->year > 0 && t->end != TRAVEL_NO_DAY &&
            t->end - t->start > 200) {
            /* the year stands behind the second only */
            travel_day back;
            travel_civil c = travel_day_civil(t->end);
            if (travel_day_from(c.year, first->month, first->day, &back) &&
                (back < t->end || travel_day_from(c.year - 1, first->month, first->day, &back)) && back >= l->received)
                t->start = back;
        }
    }
}

static timeline read_text(lead *l, const lead_text *source, int month_year, int month)
{
    timeline t = {
        .start = TRAVEL_NO_DAY, .end = TRAVEL_NO_DAY, .event = TRAVEL_NO_DAY, .month = month, .month_year = month_year};
    lead_days *days = CTN_NEW(l->arena, lead_days);
    lead_text rest;
    lead_find_days(l, source, days, &rest);
    if (t.month == 0) {
        lead_read_month(l, lead_text_folded(&rest));
        t.month = l->month;
        t.month_year = l->month_year;
        l->month = 0;
    }
    settle(l, lead_text_folded(source), days, &t);
    return t;
}

static travel_day read_field(lead *l, lead_field field, bool is_end)
{
    if (!lead_has_field(l, field))
        return TRAVEL_NO_DAY;
    lead_text text = lead_text_make(l->arena, l->fields[field]);
    lead_days *days = CTN_NEW(l->arena, lead_days);
    lead_text rest;
    timeline none = {.start = l->start, .end = TRAVEL_NO_DAY, .event = TRAVEL_NO_DAY};
    lead_find_days(l, &text, days, &rest);
    if (days->count == 0)
        return TRAVEL_NO_DAY;
    travel_day day = resolve(l, &days->items[0], &none, is_end);
    if (is_end && l->start != TRAVEL_NO_DAY && day <= l->start && days->items[0].other_month > 0)
        (void) travel_day_from(days->items[0].year, days->items[0].other_month, days->items[0].other_day, &day);
    return day;
}

/* What a form's fields say; a field for dates may hold both. "Departure" may be a place or a day. */
static timeline read_fields(lead *l)
{
    timeline t = {.start = TRAVEL_NO_DAY, .end = TRAVEL_NO_DAY, .event = TRAVEL_NO_DAY};
    if (lead_has_field(l, LEAD_DATES)) {
        lead_text text = lead_text_make(l->arena, l->fields[LEAD_DATES]);
        t = read_text(l, &text, 0, 0);
    }
    l->start = TRAVEL_NO_DAY;
    travel_day start = read_field(l, LEAD_START, false);
    if (start == TRAVEL_NO_DAY)
        start = read_field(l, LEAD_ORIGIN, false);
    if (start != TRAVEL_NO_DAY)
        t.start = start;
    l->start = t.start;
    travel_day end = read_field(l, LEAD_END, true);
    if (end != TRAVEL_NO_DAY)
        t.end = end;
    l->start = TRAVEL_NO_DAY;
    return t;
}

static void reconcile(lead *l)
{
    bool has_start = l->start != TRAVEL_NO_DAY, has_end = l->end != TRAVEL_NO_DAY, has_nights = l->nights > 0;
    if (has_start && has_end && l->end <= l->start) {
        l->end = TRAVEL_NO_DAY;
        has_end = false;
    }
    if (has_start && has_end && has_nights && l->end - l->start != l->nights) {
        l->end = TRAVEL_NO_DAY; /* two statements that contradict each other: neither counts */
        l->nights = -1;
    } else if (has_start && has_end) {
        l->nights = l->end - l->start;
    } else if (has_start && has_nights) {
        l->end = l->start + l->nights;
    } else if (has_end && has_nights) {
        l->start = l->end - l->nights;
    }
}

static void read_month_alone(lead *l)
{
    lead_days *days = CTN_NEW(l->arena, lead_days);
    lead_text rest;
    /* the month of a day that does not count ("after 22 July") says nothing either */
    lead_find_days(l, &l->said, days, &rest);
    lead_read_month(l, lead_text_folded(&rest));
    static const lead_field fields[] = {LEAD_DATES, LEAD_START};
    for (size_t i = 0; i < sizeof fields / sizeof *fields && l->month == 0; i++)
        if (lead_has_field(l, fields[i])) {
            lead_text text =
                lead_text_make(l->arena, ctn_arena_printf(l->arena, "in %.*s", CTN_STR_ARG(l->fields[fields[i]])));
            lead_read_month(l, lead_text_folded(&text));
        }
}

void lead_read_dates(lead *l)
{
    timeline form = read_fields(l);
    travel_civil c = travel_day_civil(form.start != TRAVEL_NO_DAY ? form.start : l->received);
    bool has_form = form.start != TRAVEL_NO_DAY;
    timeline told = read_text(l, &l->said, has_form ? c.year : 0, has_form ? c.month : 0);
    /* a comment that moves the departure moves a form's return with it, unless it says when that is */
    l->start = told.start != TRAVEL_NO_DAY ? told.start : form.start;
    l->end = told.end != TRAVEL_NO_DAY ? told.end : form.end;
    lead_days *days = CTN_NEW(l->arena, lead_days);
    lead_text rest;
    lead_find_days(l, &l->said, days, &rest);
    l->nights = lead_nights_of(l, lead_text_folded(&rest));
    if (l->nights < 0 && lead_has_field(l, LEAD_NIGHTS)) {
        lead_text text = lead_text_make(l->arena, l->fields[LEAD_NIGHTS]);
        int number = lead_number(ctn_str_trim(lead_text_folded(&text)));
        l->nights = number > 0 ? number : lead_nights_of(l, lead_text_folded(&text));
    } else if (l->nights < 0 && lead_has_field(l, LEAD_DATES)) {
        lead_text text = lead_text_make(l->arena, l->fields[LEAD_DATES]);
        l->nights = lead_nights_of(l, lead_text_folded(&text));
    }
    if (l->nights > 1000)
        l->nights = -1;
    reconcile(l);
    if (l->start == TRAVEL_NO_DAY && l->end == TRAVEL_NO_DAY)
        read_month_alone(l);
}
