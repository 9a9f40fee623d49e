/*
 * clock.c -- the system's time and chance, and a seeded chance for tests.
 */
#include "base/clock.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>

static int64_t system_now_ms(void *ctx)
{
    (void) ctx;
    struct timespec now;
    int rc = clock_gettime(CLOCK_REALTIME, &now);
    assert(rc == 0);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

ctn_clock ctn_clock_system(void)
{
    return (ctn_clock){.now_ms = system_now_ms};
}

static uint64_t system_next(void *ctx)
{
    (void) ctx;
    uint64_t bits;
    randombytes_buf(&bits, sizeof bits);
    return bits;
}

ctn_rng ctn_rng_system(void)
{
    int rc = sodium_init(); /* any number of times, from any thread */
    assert(rc >= 0);
    return (ctn_rng){.next = system_next};
}

static uint64_t seeded_next(void *ctx)
{
    uint64_t *state = ctx;
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

ctn_rng ctn_rng_seeded(uint64_t *state)
{
    return (ctn_rng){.next = seeded_next, .ctx = state};
}

/* What four digits of a year can say: 0000-01-01 to 9999-12-31. Beyond, the nearest is said. */
#define TIME_MS_MIN (-62167219200000)
#define TIME_MS_MAX 253402300799999

void ctn_time_format(int64_t at_ms, char ret_text[25])
{
    if (at_ms < TIME_MS_MIN)
        at_ms = TIME_MS_MIN;
    if (at_ms > TIME_MS_MAX)
        at_ms = TIME_MS_MAX;
    int64_t ms = at_ms % 1000 < 0 ? at_ms % 1000 + 1000 : at_ms % 1000;
    time_t seconds = (at_ms - ms) / 1000;
    struct tm tm;
    struct tm *filled = gmtime_r(&seconds, &tm);
    assert(filled);
    /* The remainders tell the compiler what gmtime_r promises, so that it can see that 25 bytes are enough. */
    (void) snprintf(ret_text, 25, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned) (tm.tm_year + 1900) % 10000u,
                    (unsigned) (tm.tm_mon + 1) % 100u, (unsigned) tm.tm_mday % 100u, (unsigned) tm.tm_hour % 100u,
                    (unsigned) tm.tm_min % 100u, (unsigned) tm.tm_sec % 100u, (unsigned) ms % 1000u);
}

/* ---- reading a time ---- */

static bool read_digits(ctn_str *s, size_t count, int64_t *ret_value)
{
    if (s->len < count)
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        value = 10 * value + (s->ptr[i] - '0');
    }
    *s = ctn_str_from_offset(*s, count);
    *ret_value = value;
    return true;
}

static bool read_char(ctn_str *s, const char *any_of)
{
    if (s->len == 0 || s->ptr[0] == '\0' || !strchr(any_of, s->ptr[0]))
        return false;
    *s = ctn_str_from_offset(*s, 1);
    return true;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant's days_from_civil). */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool read_zone(ctn_str *s, int64_t *ret_offset_min)
{
    int64_t hours, minutes;
    *ret_offset_min = 0;
    if (read_char(s, "Zz"))
        return true;
    if (s->len == 0)
        return false;
    bool is_west = s->ptr[0] == '-';
    if (!read_char(s, "+-") || !read_digits(s, 2, &hours) || !read_char(s, ":") || !read_digits(s, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *ret_offset_min = (is_west ? -1 : 1) * (60 * hours + minutes);
    return true;
}

bool ctn_time_parse(ctn_str text, int64_t *ret_ms)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day, hour = 0, minute = 0, second = 0, ms = 0, offset_min = 0;
    ctn_str s = text;
    if (!read_digits(&s, 4, &year) || !read_char(&s, "-") || !read_digits(&s, 2, &month) || !read_char(&s, "-") ||
        !read_digits(&s, 2, &day) || month < 1 || month > 12 || day < 1)
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > month_days[month - 1] + (month == 2 && is_leap))
        return false;
    if (s.len > 0) {
        if (!read_char(&s, "Tt ") || !read_digits(&s, 2, &hour) || !read_char(&s, ":") ||
            !read_digits(&s, 2, &minute) || !read_char(&s, ":") || !read_digits(&s, 2, &second) || hour > 23 ||
            minute > 59 || second > 60)
            return false;
        if (read_char(&s, ".")) {
            int64_t digit, scale = 100;
            if (!read_digits(&s, 1, &digit))
                return false;
            do {
                ms += digit * scale;
                scale /= 10;
            } while (read_digits(&s, 1, &digit));
        }
        if (!read_zone(&s, &offset_min) || s.len > 0)
            return false;
    }
    int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + (minute - offset_min) * 60 + second;
    *ret_ms = seconds * 1000 + ms;
    return true;
}
