/*
 * calendar.c -- dates without the C library: no locale, no time zone, no global state, the same everywhere.
 *
 * Days are counted from 1970-01-01 in the proleptic Gregorian calendar, with years that begin in March, so
 * that the leap day is the last of its year.
 */
#include "value/calendar.h"
#include "value/literal.h"

#include <assert.h>

#define DAY_MS      86400000LL
#define AT_MS_FIRST (-62135596800000LL) /* 0001-01-01T00:00:00.000Z */
#define AT_MS_LAST  253402300799999LL   /* 9999-12-31T23:59:59.999Z */

typedef struct civil {
    int64_t year;
    int month, day, hour, minute, second, millisecond;
    int weekday;     /* 0 = Sunday */
    int day_of_year; /* from 1 */
} civil;

static const char *const month_names[] = {"January", "February", "March",     "April",   "May",      "June",
                                          "July",    "August",   "September", "October", "November", "December"};
static const char *const day_names[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static civil civil_from_ms(int64_t at_ms)
{
    int64_t days = floor_div(at_ms, DAY_MS);
    int64_t rest = at_ms - days * DAY_MS;
    int64_t shifted = days + 719468;
    int64_t era = floor_div(shifted, 146097);
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    civil c = {.year = year_of_era + era * 400,
               .month = (int) (march_month < 10 ? march_month + 3 : march_month - 9),
               .day = (int) (day_of_year - (153 * march_month + 2) / 5 + 1),
               .hour = (int) (rest / 3600000),
               .minute = (int) (rest / 60000 % 60),
               .second = (int) (rest / 1000 % 60),
               .millisecond = (int) (rest % 1000)};
    c.year += c.month <= 2;
    c.weekday = (int) (((days + 4) % 7 + 7) % 7);
    c.day_of_year = (int) (days - days_from_civil(c.year, 1, 1)) + 1;
    return c;
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* Exactly `count` digits at *at. */
static bool read_digits(ctn_str s, size_t *at, int count, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (*at >= s.len || !ctn_is_digit(s.ptr[*at]))
            return false;
        value = value * 10 + (s.ptr[*at] - '0');
    }
    *ret_value = value;
    return true;
}

static bool read_char(ctn_str s, size_t *at, char c)
{
    if (*at >= s.len || s.ptr[*at] != c)
        return false;
    (*at)++;
    return true;
}

/* Z, z, +hh:mm, -hh:mm, +hhmm or nothing. */
static bool read_zone(ctn_str s, size_t *at, int64_t *ret_offset_ms)
{
    *ret_offset_ms = 0;
    if (*at == s.len || read_char(s, at, 'Z') || read_char(s, at, 'z'))
        return true;
    int sign = s.ptr[*at] == '-' ? -1 : 1;
    if (!read_char(s, at, '+') && !read_char(s, at, '-'))
        return false;
    int hours, minutes;
    if (!read_digits(s, at, 2, &hours))
        return false;
    (void) read_char(s, at, ':');
    if (!read_digits(s, at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_offset_ms = sign * (hours * 60LL + minutes) * 60000;
    return true;
}

static bool is_in_range(int64_t at_ms)
{
    return at_ms >= AT_MS_FIRST && at_ms <= AT_MS_LAST;
}

static bool parse_time(ctn_str text, ctn_time *ret_time)
{
    ctn_str s = ctn_str_trim(text);
    size_t at = 0;
    int year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0;
    if (!read_digits(s, &at, 4, &year) || !read_char(s, &at, '-') || !read_digits(s, &at, 2, &month) ||
        !read_char(s, &at, '-') || !read_digits(s, &at, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    bool is_date = at == s.len;
    int64_t offset_ms = 0;
    if (!is_date) {
        if (!read_char(s, &at, 'T') && !read_char(s, &at, 't') && !read_char(s, &at, ' '))
            return false;
        if (!read_digits(s, &at, 2, &hour) || !read_char(s, &at, ':') || !read_digits(s, &at, 2, &minute))
            return false;
        if (read_char(s, &at, ':')) {
            if (!read_digits(s, &at, 2, &second))
                return false;
            if (read_char(s, &at, '.')) {
                int scale = 100;
                size_t first = at;
                for (; at < s.len && ctn_is_digit(s.ptr[at]); at++, scale /= 10)
                    millisecond += scale * (s.ptr[at] - '0');
                if (at == first)
                    return false;
            }
        }
        if (hour > 23 || minute > 59 || second > 60 || !read_zone(s, &at, &offset_ms) || at != s.len)
            return false;
    }
    int64_t at_ms = days_from_civil(year, month, day) * DAY_MS + hour * 3600000LL + minute * 60000LL + second * 1000LL +
                    millisecond - offset_ms;
    if (!is_in_range(at_ms))
        return false;
    *ret_time = (ctn_time){at_ms, is_date};
    return true;
}

bool ctn_time_of(const ctn_json *value, ctn_time *ret_time)
{
    if (ctn_json_is(value, CTN_JSON_STRING))
        return parse_time(ctn_json_text(value), ret_time);
    int64_t at_ms;
    if (!ctn_json_is(value, CTN_JSON_NUMBER) || !ctn_json_to_int64(value, &at_ms) || !is_in_range(at_ms))
        return false;
    *ret_time = (ctn_time){.at_ms = at_ms};
    return true;
}

bool ctn_time_add_days(ctn_time *time, int64_t days)
{
    if (days > 4000000 || days < -4000000 || !is_in_range(time->at_ms + days * DAY_MS))
        return false;
    time->at_ms += days * DAY_MS;
    return true;
}

int64_t ctn_time_days_between(ctn_time from, ctn_time to)
{
    return floor_div(to.at_ms, DAY_MS) - floor_div(from.at_ms, DAY_MS);
}

ctn_str ctn_time_to_str(ctn_arena *arena, ctn_time time)
{
    return ctn_time_to_format(arena, time, time.is_date ? CTN_STR("%F") : CTN_STR("%FT%T.%LZ"));
}

/* ---- formats ---- */

/* "07": of `width` digits, `fill` in front. */
static void put_number(ctn_buf *out, int64_t value, int width, char fill)
{
    if (fill == '0')
        ctn_buf_printf(out, "%0*lld", width, (long long) value);
    else
        ctn_buf_printf(out, "%*lld", width, (long long) value);
}

static void put_name(ctn_buf *out, const char *name, size_t bytes_max)
{
    ctn_str s = ctn_str_from(name);
    ctn_buf_append(out, (ctn_str){s.ptr, s.len < bytes_max ? s.len : bytes_max});
}

static int hour_of_twelve(const civil *c)
{
    return c->hour % 12 == 0 ? 12 : c->hour % 12;
}

static bool put_conversion(ctn_buf *out, const civil *c, char conversion)
{
    switch (conversion) {
    case 'Y': put_number(out, c->year, 4, '0'); break;
    case 'y': put_number(out, c->year % 100, 2, '0'); break;
    case 'm': put_number(out, c->month, 2, '0'); break;
    case 'd': put_number(out, c->day, 2, '0'); break;
    case 'e': put_number(out, c->day, 2, ' '); break;
    case 'H': put_number(out, c->hour, 2, '0'); break;
    case 'I': put_number(out, hour_of_twelve(c), 2, '0'); break;
    case 'M': put_number(out, c->minute, 2, '0'); break;
    case 'S': put_number(out, c->second, 2, '0'); break;
    case 'L': put_number(out, c->millisecond, 3, '0'); break;
    case 'j': put_number(out, c->day_of_year, 3, '0'); break;
    case 'p': put_name(out, c->hour < 12 ? "AM" : "PM", 2); break;
    case 'a': put_name(out, day_names[c->weekday], 3); break;
    case 'A': put_name(out, day_names[c->weekday], SIZE_MAX); break;
    case 'b': put_name(out, month_names[c->month - 1], 3); break;
    case 'B': put_name(out, month_names[c->month - 1], SIZE_MAX); break;
    case 'z': put_name(out, "+0000", SIZE_MAX); break;
    case 'Z': put_name(out, "UTC", SIZE_MAX); break;
    case '%': ctn_buf_append_char(out, '%'); break;
    case 'F':
        put_number(out, c->year, 4, '0');
        ctn_buf_append_char(out, '-');
        put_number(out, c->month, 2, '0');
        ctn_buf_append_char(out, '-');
        put_number(out, c->day, 2, '0');
        break;
    case 'T':
        put_number(out, c->hour, 2, '0');
        ctn_buf_append_char(out, ':');
        put_number(out, c->minute, 2, '0');
        ctn_buf_append_char(out, ':');
        put_number(out, c->second, 2, '0');
        break;
    default: return false;
    }
    return true;
}

/* The tokens of a format without '%', the longer of two that begin alike first. */
static const struct {
    const char *text;
    char conversion; /* of put_conversion */
    bool is_bare;    /* the number without a leading zero */
} tokens[] = {
    {"YYYY", 'Y', false}, {"YY", 'y', false},   {"MMMM", 'B', false}, {"MMM", 'b', false}, {"MM", 'm', false},
    {"M", 'm', true},     {"DDDD", 'j', false}, {"DDD", 'j', true},   {"DD", 'd', false},  {"D", 'd', true},
    {"dddd", 'A', false}, {"ddd", 'a', false},  {"HH", 'H', false},   {"H", 'H', true},    {"hh", 'I', false},
    {"h", 'I', true},     {"mm", 'M', false},   {"m", 'M', true},     {"ss", 'S', false},  {"SSS", 'L', false},
    {"s", 'S', true},     {"A", 'p', false},
};

static void put_token(ctn_buf *out, const civil *c, char conversion, bool is_bare)
{
    if (!is_bare) {
        (void) put_conversion(out, c, conversion);
        return;
    }
    int value = 0;
    switch (conversion) {
    case 'm': value = c->month; break;
    case 'd': value = c->day; break;
    case 'j': value = c->day_of_year; break;
    case 'H': value = c->hour; break;
    case 'I': value = hour_of_twelve(c); break;
    case 'M': value = c->minute; break;
    case 'S': value = c->second; break;
    default: assert(!"a bare token is a number");
    }
    put_number(out, value, 1, '0');
}

static void format_by_tokens(ctn_buf *out, const civil *c, ctn_str format)
{
    for (size_t i = 0; i < format.len;) {
        ctn_str rest = ctn_str_from_offset(format, i);
        if (rest.ptr[0] == '[') {
            size_t end = ctn_str_find(rest, CTN_STR("]"));
            if (end != SIZE_MAX) {
                ctn_buf_append(out, (ctn_str){rest.ptr + 1, end - 1});
                i += end + 1;
                continue;
            }
        }
        size_t t = 0, count = sizeof tokens / sizeof tokens[0];
        while (t < count && !ctn_str_starts_with(rest, ctn_str_from(tokens[t].text)))
            t++;
        if (t < count) {
            put_token(out, c, tokens[t].conversion, tokens[t].is_bare);
            i += strlen(tokens[t].text);
        } else {
            ctn_buf_append_char(out, rest.ptr[0]);
            i++;
        }
    }
}

int ctn_time_check_format(ctn_str format, ctn_err *err)
{
    for (size_t i = 0; i < format.len; i++) {
        if (format.ptr[i] != '%')
            continue;
        char conversion = i + 1 < format.len ? format.ptr[i + 1] : '\0';
        if (!conversion || !strchr("YymdeHIMSLjpaAbBzZ%FT", conversion))
            return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (i + 1),
                               "'%%%.*s' is no conversion of a date; known are %%Y %%m %%d %%e %%H %%I %%M %%S %%p %%j "
                               "%%a %%A %%b %%B %%F %%T",
                               conversion ? 1 : 0, conversion ? format.ptr + i + 1 : "");
        i++;
    }
    return CTN_OK;
}

ctn_str ctn_time_to_format(ctn_arena *arena, ctn_time time, ctn_str format)
{
    civil c = civil_from_ms(time.at_ms);
    /* Each byte of the format gives at most nine of text ("September", "Wednesday"). */
    ctn_buf out;
    ctn_buf_init(&out, format.len * 10 + 32);
    if (ctn_str_find(format, CTN_STR("%")) == SIZE_MAX) {
        format_by_tokens(&out, &c, format);
    } else {
        for (size_t i = 0; i < format.len; i++) {
            bool is_conversion =
                format.ptr[i] == '%' && i + 1 < format.len && put_conversion(&out, &c, format.ptr[i + 1]);
            if (is_conversion)
                i++;
            else
                ctn_buf_append_char(&out, format.ptr[i]);
        }
    }
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}
