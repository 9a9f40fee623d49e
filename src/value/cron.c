/* cron.c -- one field at a time, one item of its list at a time. */
#include "value/cron.h"
#include "base/civil.h"
#include <strings.h>

typedef struct cron_field {
    const char *what;
    int64_t min, max;
    const char *names; /* three letters each, the first one is number names_from */
    int64_t names_from;
} cron_field;

static const cron_field FIELDS[] = {
    {"minute", 0, 59, "", 0},
    {"hour", 0, 23, "", 0},
    {"day of month", 1, 31, "", 0},
    {"month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", 1},
    {"day of week", 0, 7, "SUNMONTUEWEDTHUFRISAT", 0},
};
#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

static bool read_value(const cron_field *field, ctn_str text, int64_t *ret_value)
{
    if (text.len == 3)
        for (size_t i = 0; field->names[i]; i += 3)
            if (strncasecmp(text.ptr, field->names + i, 3) == 0) {
                *ret_value = field->names_from + (int64_t) (i / 3);
                return true;
            }
    return text.len <= 2 && text.len > 0 && text.ptr[0] != '-' && ctn_str_to_int64(text, ret_value) &&
           *ret_value >= field->min && *ret_value <= field->max;
}

static bool item_is_good(const cron_field *field, ctn_str item)
{
    ctn_str step = item;
    ctn_str range = ctn_str_cut(&step, '/');
    int64_t number, from, to;
    if (step.ptr && !(ctn_str_to_int64(step, &number) && number >= 1 && number <= field->max))
        return false;
    if (ctn_str_is(range, "*"))
        return true;
    ctn_str end = range;
    ctn_str begin = ctn_str_cut(&end, '-');
    if (!read_value(field, begin, &from))
        return false;
    return !end.ptr || (read_value(field, end, &to) && from <= to);
}

/* ---- does the day ever come? ---- */

/* The numbers that a good field names, as bits. */
static uint64_t numbers_of(const cron_field *field, ctn_str items)
{
    uint64_t numbers = 0;
    while (items.ptr) {
        ctn_str step = ctn_str_cut(&items, ',');
        ctn_str range = ctn_str_cut(&step, '/'), end = range;
        ctn_str begin = ctn_str_cut(&end, '-');
        int64_t from = field->min, to = field->max, by = 1;
        if (!ctn_str_is(range, "*")) {
            (void) read_value(field, begin, &from);
            to = step.ptr ? field->max : from;
            if (end.ptr)
                (void) read_value(field, end, &to);
        }
        if (step.ptr)
            (void) ctn_str_to_int64(step, &by);
        for (int64_t i = from; i <= to; i += by)
            numbers |= UINT64_C(1) << i;
    }
    return numbers;
}

/* A day that no month of the field has: 30 February. With a weekday too, either of the two is enough. */
static bool comes_never(ctn_str days, ctn_str months, ctn_str weekdays)
{
    static const int LONGEST[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (weekdays.ptr[0] != '*' || days.ptr[0] == '*')
        return false;
    uint64_t day_numbers = numbers_of(&FIELDS[2], days), month_numbers = numbers_of(&FIELDS[3], months);
    for (int month = 1; month <= 12; month++)
        for (int day = 1; day <= LONGEST[month]; day++)
            if ((month_numbers >> month & 1) && (day_numbers >> day & 1))
                return false;
    return true;
}

static int split(ctn_str text, ctn_str fields[FIELD_COUNT], ctn_err *err)
{
    ctn_str rest = ctn_str_trim(text);
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        rest = ctn_str_trim(rest);
        size_t len = 0;
        while (len < rest.len && rest.ptr[len] != ' ' && rest.ptr[len] != '\t')
            len++;
        ctn_str field = {rest.ptr, len};
        rest = ctn_str_from_offset(rest, len);
        if (field.len == 0)
            return ctn_fail(err, CTN_E_INVALID,
                            "a cron expression has five fields (minute hour day month weekday); this one has %zu", f);
        fields[f] = field;
        ctn_str items = field;
        while (items.ptr) {
            ctn_str item = ctn_str_cut(&items, ',');
            if (!item_is_good(&FIELDS[f], item))
                return ctn_fail(err, CTN_E_INVALID,
                                "'%.*s' is no %s: write *, %lld to %lld, a range like a-b, a step like */5, or a list",
                                CTN_STR_ARG(item), FIELDS[f].what, (long long) FIELDS[f].min,
                                (long long) FIELDS[f].max);
        }
    }
    if (ctn_str_trim(rest).len)
        return ctn_fail(err, CTN_E_INVALID,
                        "a cron expression has five fields (minute hour day month weekday); this one has more");
    if (comes_never(fields[2], fields[3], fields[4]))
        return ctn_fail(err, CTN_E_INVALID, "it never fires: no month of '%.*s' has a day '%.*s'",
                        CTN_STR_ARG(fields[3]), CTN_STR_ARG(fields[2]));
    return CTN_OK;
}

int ctn_cron_check(ctn_str text, ctn_err *err)
{
    ctn_str fields[FIELD_COUNT];
    return split(text, fields, err);
}

/* ---- when ---- */

int ctn_cron_parse(ctn_str text, ctn_cron *ret_cron, ctn_err *err)
{
    ctn_str fields[FIELD_COUNT];
    int rc = split(text, fields, err);
    if (rc)
        return rc;
    uint64_t weekdays = numbers_of(&FIELDS[4], fields[4]);
    *ret_cron = (ctn_cron){
        .minutes = numbers_of(&FIELDS[0], fields[0]),
        .hours = numbers_of(&FIELDS[1], fields[1]),
        .days = numbers_of(&FIELDS[2], fields[2]),
        .months = numbers_of(&FIELDS[3], fields[3]),
        .weekdays = (weekdays | weekdays >> 7) & 0x7f,
        .either_day = fields[2].ptr[0] != '*' && fields[4].ptr[0] != '*',
    };
    return CTN_OK;
}

static bool day_fits(const ctn_cron *c, int64_t days)
{
    ctn_civil_date date = ctn_civil_from_days(days);
    bool month = c->months >> date.month & 1, day = c->days >> date.day & 1;
    bool weekday = c->weekdays >> ctn_civil_weekday(days) & 1;
    return month && (c->either_day ? day || weekday : day && weekday);
}

/* The first number at or after `from` that is named; -1: none below `end`. */
static int first_from(uint64_t numbers, int from, int end)
{
    for (int i = from; i < end; i++)
        if (numbers >> i & 1)
            return i;
    return -1;
}

bool ctn_cron_next(const ctn_cron *c, int64_t after_local_s, int64_t *ret_local_s)
{
    int64_t minute_of_all = ctn_civil_floor_div(after_local_s, 60) + 1;
    int64_t day = ctn_civil_floor_div(minute_of_all, 1440);
    int from = (int) (minute_of_all - day * 1440);
    for (int64_t last = day + 40 * 366; day <= last; day++, from = 0) {
        if (!day_fits(c, day))
            continue;
        for (int hour = first_from(c->hours, from / 60, 24); hour >= 0; hour = first_from(c->hours, hour + 1, 24)) {
            int minute = first_from(c->minutes, hour == from / 60 ? from % 60 : 0, 60);
            if (minute < 0)
                continue;
            *ret_local_s = (day * 1440 + hour * 60 + minute) * 60;
            return true;
        }
    }
    return false;
}
