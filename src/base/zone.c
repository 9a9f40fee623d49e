/*
 * zone.c -- see zone.h.
 *
 * A zone is a list of transitions (when, and the offset from then on) and a rule in POSIX form ("GMT0BST,M3.5.0/1,
 * M10.5.0") for all that comes after the last one. Both are walked with one question: which transition is the next
 * after a point? A local time is then looked for among the offsets that hold in the days around it; nobody's offset
 * is a day, and nothing is assumed about how far a clock may jump.
 */
#include "base/zone.h"
#include "base/civil.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATABASE        "/usr/share/zoneinfo"
#define FILE_BYTES_MAX  262144
#define TRANSITIONS_MAX 5000
#define TYPES_MAX       256
#define OFFSET_MAX_S    93600 /* 26 h */
#define NAME_BYTES_MAX  100
#define DAY_S           INT64_C(86400)

/* One change of the rule's year: Mm.w.d, Jn or n, and the local time of day. */
typedef struct rule_day {
    enum { RULE_MONTH, RULE_JULIAN, RULE_DAY } kind;
    int month, week, day;
    int64_t time_s;
} rule_day;

typedef struct transition {
    int64_t at_s;
    int64_t offset_s;
} transition;

struct ctn_zone {
    int64_t first_offset_s; /* before all transitions */
    transition *transitions;
    size_t count;
    bool has_rule, has_dst;
    int64_t std_offset_s, dst_offset_s;
    rule_day to_dst, to_std;
};

/* ---- the rule ---- */

static bool take(ctn_str *s, char c)
{
    if (!s->len || s->ptr[0] != c)
        return false;
    *s = ctn_str_from_offset(*s, 1);
    return true;
}

static bool take_number(ctn_str *s, int64_t max, int64_t *ret)
{
    int64_t n = 0;
    size_t digits = 0;
    for (; digits < s->len && digits < 4 && s->ptr[digits] >= '0' && s->ptr[digits] <= '9'; digits++)
        n = n * 10 + (s->ptr[digits] - '0');
    *s = ctn_str_from_offset(*s, digits);
    *ret = n;
    return digits && n <= max;
}

static bool take_name(ctn_str *s)
{
    size_t len = 0;
    bool is_quoted = take(s, '<');
    while (len < s->len && (is_quoted ? s->ptr[len] != '>' : (s->ptr[len] | 32) >= 'a' && (s->ptr[len] | 32) <= 'z'))
        len++;
    *s = ctn_str_from_offset(*s, len);
    return len >= 3 && (!is_quoted || take(s, '>'));
}

/* [+-]hh[:mm[:ss]] */
static bool take_span(ctn_str *s, int64_t hours_max, int64_t *ret_s)
{
    int64_t sign = take(s, '-') ? -1 : 1, h = 0, m = 0, sec = 0;
    if (sign > 0)
        (void) take(s, '+');
    if (!take_number(s, hours_max, &h))
        return false;
    if (take(s, ':') && !take_number(s, 59, &m))
        return false;
    if (take(s, ':') && !take_number(s, 59, &sec))
        return false;
    *ret_s = sign * (h * 3600 + m * 60 + sec);
    return true;
}

static bool take_day(ctn_str *s, rule_day *ret)
{
    int64_t a = 0, b = 0, c = 0;
    *ret = (rule_day){.kind = RULE_DAY, .time_s = 7200};
    if (take(s, 'M')) {
        ret->kind = RULE_MONTH;
        if (!take_number(s, 12, &a) || a < 1 || !take(s, '.') || !take_number(s, 5, &b) || b < 1 || !take(s, '.') ||
            !take_number(s, 6, &c))
            return false;
    } else {
        ret->kind = take(s, 'J') ? RULE_JULIAN : RULE_DAY;
        if (!take_number(s, 365, &c) || (ret->kind == RULE_JULIAN && c < 1))
            return false;
    }
    ret->month = (int) a;
    ret->week = (int) b;
    ret->day = (int) c;
    return !take(s, '/') || take_span(s, 167, &ret->time_s);
}

static bool read_rule(ctn_zone *z, ctn_str text)
{
    int64_t west = 0;
    if (!take_name(&text) || !take_span(&text, 24, &west))
        return false;
    z->std_offset_s = -west;
    z->has_rule = true;
    if (!text.len)
        return true;
    z->has_dst = true;
    z->dst_offset_s = z->std_offset_s + 3600;
    if (!take_name(&text))
        return false;
    if (text.len && text.ptr[0] != ',') {
        if (!take_span(&text, 24, &west))
            return false;
        z->dst_offset_s = -west;
    }
    return take(&text, ',') && take_day(&text, &z->to_dst) && take(&text, ',') && take_day(&text, &z->to_std) &&
           !text.len;
}

/* Local seconds at which the change comes in this year, by the clock before it. */
static int64_t local_of_rule(const rule_day *r, int64_t year)
{
    int64_t january = ctn_civil_to_days(year, 1, 1), day = january + r->day;
    if (r->kind == RULE_JULIAN) {
        day = january + r->day - 1 + (ctn_civil_is_leap(year) && r->day > 59);
    } else if (r->kind == RULE_MONTH) {
        int64_t first = ctn_civil_to_days(year, r->month, 1);
        int64_t next = r->month == 12 ? ctn_civil_to_days(year + 1, 1, 1) : ctn_civil_to_days(year, r->month + 1, 1);
        day = first + (r->day - ctn_civil_weekday(first) + 7) % 7 + 7 * (r->week - 1);
        while (day >= next)
            day -= 7;
    }
    return day * DAY_S + r->time_s;
}

static int64_t year_of(int64_t at_s)
{
    return ctn_civil_from_days(ctn_civil_floor_div(at_s, DAY_S)).year;
}

/* The next change by the rule after a point. */
static transition next_by_rule(const ctn_zone *z, int64_t after_s)
{
    transition best = {.at_s = INT64_MAX};
    int64_t year = year_of(after_s);
    for (int64_t y = year - 1; y <= year + 1; y++) {
        transition both[2] = {{local_of_rule(&z->to_dst, y) - z->std_offset_s, z->dst_offset_s},
                              {local_of_rule(&z->to_std, y) - z->dst_offset_s, z->std_offset_s}};
        for (int i = 0; i < 2; i++)
            if (both[i].at_s > after_s && both[i].at_s < best.at_s)
                best = both[i];
    }
    return best;
}

/* The offset that the rule gives at a point: what the last change before it left. */
static int64_t offset_by_rule(const ctn_zone *z, int64_t at_s)
{
    if (!z->has_dst)
        return z->std_offset_s;
    /* The next change goes to one of the two; now it is the other. */
    transition next = next_by_rule(z, at_s);
    return next.offset_s == z->dst_offset_s ? z->std_offset_s : z->dst_offset_s;
}

/* ---- the list ---- */

static size_t count_until(const ctn_zone *z, int64_t at_s)
{
    size_t low = 0, high = z->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->transitions[middle].at_s <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t offset_at(const ctn_zone *z, int64_t at_s)
{
    size_t n = count_until(z, at_s);
    if (n == z->count && z->has_rule)
        return offset_by_rule(z, at_s);
    return n ? z->transitions[n - 1].offset_s : z->first_offset_s;
}

static transition next_transition(const ctn_zone *z, int64_t after_s)
{
    size_t n = count_until(z, after_s);
    if (n < z->count)
        return z->transitions[n];
    if (z->has_rule && z->has_dst && z->std_offset_s != z->dst_offset_s)
        return next_by_rule(z, after_s);
    return (transition){.at_s = INT64_MAX};
}

int64_t ctn_zone_to_local_s(const ctn_zone *z, int64_t at_s)
{
    return at_s + offset_at(z, at_s);
}

int64_t ctn_zone_from_local_s(const ctn_zone *z, int64_t local_s)
{
    int64_t from_s = local_s - OFFSET_MAX_S, until_s = local_s + OFFSET_MAX_S;
    int64_t offset_s = offset_at(z, from_s);
    for (;;) { /* spans of one offset, in order: the first that shows this time counts */
        transition next = next_transition(z, from_s);
        int64_t at_s = local_s - offset_s;
        if (at_s < next.at_s)
            return at_s > from_s ? at_s : from_s; /* before the span: the clocks went past it */
        if (next.at_s > until_s)
            return at_s;
        from_s = next.at_s;
        offset_s = next.offset_s;
    }
}

int64_t ctn_zone_next_change_s(const ctn_zone *z, int64_t after_s)
{
    return next_transition(z, after_s).at_s;
}

/* ---- files ---- */

typedef struct reader {
    const uint8_t *at, *end;
} reader;

static int64_t read_number(reader *r, size_t bytes)
{
    uint64_t n = r->at[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | r->at[i];
    r->at += bytes;
    return (int64_t) n;
}

typedef struct header {
    size_t ut_count, std_count, leap_count, time_count, type_count, char_count;
    uint8_t version;
} header;

static bool read_header(reader *r, header *ret)
{
    if (r->end - r->at < 44 || memcmp(r->at, "TZif", 4) != 0)
        return false;
    ret->version = r->at[4];
    r->at += 20;
    size_t *counts[] = {&ret->ut_count,   &ret->std_count,  &ret->leap_count,
                        &ret->time_count, &ret->type_count, &ret->char_count};
    for (size_t i = 0; i < 6; i++) {
        int64_t n = read_number(r, 4);
        if (n < 0 || n > FILE_BYTES_MAX)
            return false;
        *counts[i] = (size_t) n;
    }
    return ret->time_count <= TRANSITIONS_MAX && ret->type_count >= 1 && ret->type_count <= TYPES_MAX;
}

static size_t body_bytes(const header *h, size_t time_bytes)
{
    return h->time_count * time_bytes + h->time_count + h->type_count * 6 + h->char_count +
           h->leap_count * (time_bytes + 4) + h->std_count + h->ut_count;
}

static bool read_body(reader *r, const header *h, size_t time_bytes, ctn_zone *z)
{
    if ((size_t) (r->end - r->at) < body_bytes(h, time_bytes))
        return false;
    int64_t offsets[TYPES_MAX];
    reader body = *r, types = {.at = r->at + h->time_count * (time_bytes + 1), .end = r->end};
    reader indexes = {.at = r->at + h->time_count * time_bytes, .end = r->end};
    for (size_t i = 0; i < h->type_count; i++) {
        offsets[i] = read_number(&types, 4);
        types.at += 2; /* is it summer, and its abbreviation */
        if (offsets[i] < -OFFSET_MAX_S || offsets[i] > OFFSET_MAX_S)
            return false;
    }
    z->first_offset_s = offsets[0];
    z->count = h->time_count;
    z->transitions = ctn_realloc_array(NULL, z->count + 1, sizeof *z->transitions);
    for (size_t i = 0; i < z->count; i++) {
        uint8_t type = indexes.at[i];
        z->transitions[i].at_s = read_number(&body, time_bytes);
        if (type >= h->type_count || (i && z->transitions[i].at_s <= z->transitions[i - 1].at_s))
            return false;
        z->transitions[i].offset_s = offsets[type];
    }
    r->at += body_bytes(h, time_bytes);
    return true;
}

/* The rule stands between line ends after the second body; an empty one says nothing. */
static bool read_footer(reader *r, ctn_zone *z)
{
    if (r->at == r->end || *r->at != '\n')
        return false;
    const uint8_t *text = r->at + 1;
    const uint8_t *end = memchr(text, '\n', (size_t) (r->end - text));
    if (!end)
        return false;
    return end == text || read_rule(z, (ctn_str){(const char *) text, (size_t) (end - text)});
}

int ctn_zone_parse(const void *bytes, size_t count, ctn_zone **ret_zone, ctn_err *err)
{
    reader r = {.at = bytes, .end = (const uint8_t *) bytes + count};
    header first, second;
    ctn_zone *z = ctn_malloc(sizeof *z);
    *z = (ctn_zone){0};
    bool is_good = count <= FILE_BYTES_MAX && read_header(&r, &first);
    if (is_good && first.version < '2') {
        is_good = read_body(&r, &first, 4, z);
    } else if (is_good) {
        is_good = (size_t) (r.end - r.at) >= body_bytes(&first, 4);
        if (is_good)
            r.at += body_bytes(&first, 4);
        is_good = is_good && read_header(&r, &second) && read_body(&r, &second, 8, z) && read_footer(&r, z);
    }
    if (!is_good) {
        ctn_zone_close(z);
        return ctn_fail(err, CTN_E_CORRUPT, "it is no file of the time zone database");
    }
    *ret_zone = z;
    return CTN_OK;
}

void ctn_zone_close(ctn_zone *z)
{
    if (!z)
        return;
    ctn_free(z->transitions);
    ctn_free(z);
}

static bool is_name(ctn_str name)
{
    if (!name.len || name.len > NAME_BYTES_MAX || name.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '-' || c == '+' || c == '/';
        if (!is_good) /* no dots: no way out of the folder */
            return false;
    }
    return true;
}

static int read_zone_file(const char *path, uint8_t *bytes, size_t *ret_count)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    size_t count = 0;
    for (ssize_t n; count < FILE_BYTES_MAX + 1;) {
        n = read(fd, bytes + count, FILE_BYTES_MAX + 1 - count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n < 0)
                count = 0;
            break;
        }
        count += (size_t) n;
    }
    close(fd);
    *ret_count = count;
    return count ? 0 : -1;
}

int ctn_zone_open(ctn_str name, ctn_zone **ret_zone, ctn_err *err)
{
    if (!name.len || ctn_str_is(name, "UTC")) {
        *ret_zone = ctn_malloc(sizeof **ret_zone);
        **ret_zone = (ctn_zone){0};
        return CTN_OK;
    }
    const char *said = getenv("TZDIR"), *database = said && said[0] ? said : DATABASE;
    char path[4096];
    size_t count = 0;
    int length = snprintf(path, sizeof path, "%s/%.*s", database, is_name(name) ? (int) name.len : 0, name.ptr);
    uint8_t *bytes = ctn_malloc(FILE_BYTES_MAX + 1);
    int rc = CTN_OK;
    if (!is_name(name) || length >= (int) sizeof path || read_zone_file(path, bytes, &count)) {
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "there is no time zone '%.*s' in %s%s", CTN_STR_ARG(name), database,
                      access(database, R_OK | X_OK) == 0 ? "; names are like Europe/London or UTC"
                                                         : ", which is not there: install tzdata");
    } else {
        rc = ctn_zone_parse(bytes, count, ret_zone, err);
        if (rc)
            rc = ctn_wrap(err, rc, "the time zone '%.*s'", CTN_STR_ARG(name));
    }
    ctn_free(bytes);
    return rc;
}
