/*
 * strict_exposition.c -- see strict_exposition.h.
 */
#include "support/strict_exposition.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include "base/arena.h"
#include "support/cmocka.h"

#define FAMILIES_MAX 256
#define SAMPLES_MAX  16384

typedef struct family {
    ctn_str name, type;
    bool has_help, has_type, has_samples;
} family;

typedef struct reading {
    bool is_open_metrics, is_over;
    family families[FAMILIES_MAX];
    size_t family_count;
    family *now;
    ctn_str samples[SAMPLES_MAX];
    size_t sample_count;
    /* of the histogram under way */
    ctn_str series; /* labels without le, as text */
    double bound, count;
    bool has_inf;
} reading;

#define MUST(condition, line)                                                                                          \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("%s: %.*s", #condition, CTN_STR_ARG(line));                                                       \
    } while (0)

static bool is_name(ctn_str s, bool may_colon)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(isalpha((unsigned char) s.ptr[i]) || s.ptr[i] == '_' || (may_colon && s.ptr[i] == ':') ||
              (i && isdigit((unsigned char) s.ptr[i]))))
            return false;
    return s.len > 0;
}

static family *family_named(reading *r, ctn_str name, ctn_str line)
{
    if (r->now && ctn_str_equal(r->now->name, name))
        return r->now;
    for (size_t i = 0; i < r->family_count; i++)
        MUST(!ctn_str_equal(r->families[i].name, name), line); /* a family stands together */
    assert_true(r->family_count < FAMILIES_MAX);
    r->now = &r->families[r->family_count++];
    *r->now = (family){.name = name};
    return r->now;
}

static void read_comment(reading *r, ctn_str line)
{
    ctn_str rest = ctn_str_from_offset(line, 2), word = ctn_str_cut(&rest, ' ');
    if (ctn_str_is(word, "EOF")) {
        MUST(r->is_open_metrics && line.len == 5, line);
        r->is_over = true;
        return;
    }
    ctn_str name = ctn_str_cut(&rest, ' ');
    MUST(ctn_str_is(word, "HELP") || ctn_str_is(word, "TYPE"), line);
    MUST(is_name(name, true), line);
    MUST(rest.len > 0, line);
    family *f = family_named(r, name, line);
    MUST(!f->has_samples, line);
    if (ctn_str_is(word, "HELP")) {
        MUST(!f->has_help, line);
        f->has_help = true;
        return;
    }
    MUST(!f->has_type, line);
    f->has_type = true;
    f->type = rest;
    MUST(ctn_str_is(rest, "counter") || ctn_str_is(rest, "gauge") || ctn_str_is(rest, "histogram"), line);
    bool is_total = ctn_str_ends_with(name, CTN_STR("_total"));
    MUST(ctn_str_is(rest, "counter") ? is_total != r->is_open_metrics : !is_total, line);
}

/* {a="b",...} at the start of *rest; the value of le, if there, in *ret_bound. */
static void read_labels(ctn_str line, ctn_str *rest, ctn_str *ret_bound)
{
    ctn_str seen[16];
    size_t count = 0;
    *rest = ctn_str_from_offset(*rest, 1);
    for (bool is_over = false; !is_over;) {
        size_t equals = ctn_str_find(*rest, CTN_STR("=\""));
        MUST(equals != SIZE_MAX && count < 16, line);
        ctn_str name = {rest->ptr, equals};
        MUST(is_name(name, false), line);
        for (size_t i = 0; i < count; i++)
            MUST(!ctn_str_equal(seen[i], name), line);
        seen[count++] = name;
        *rest = ctn_str_from_offset(*rest, equals + 2);
        size_t at = 0;
        for (; at < rest->len && rest->ptr[at] != '"'; at++)
            if (rest->ptr[at] == '\\') {
                at++;
                MUST(at < rest->len && strchr("\\\"n", rest->ptr[at]), line);
            }
        MUST(at < rest->len, line);
        if (ctn_str_is(name, "le"))
            *ret_bound = (ctn_str){rest->ptr, at};
        *rest = ctn_str_from_offset(*rest, at + 1);
        MUST(rest->len && (rest->ptr[0] == ',' || rest->ptr[0] == '}'), line);
        is_over = rest->ptr[0] == '}';
        *rest = ctn_str_from_offset(*rest, 1);
    }
}

static double number(ctn_str text, ctn_str line)
{
    char copy[64], *end;
    MUST(text.len > 0 && text.len < sizeof copy, line);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    double value = strtod(copy, &end);
    MUST(*end == '\0' && !isspace((unsigned char) copy[0]), line);
    return value;
}

static void read_histogram(reading *r, ctn_str line, ctn_str suffix, ctn_str bound, double value)
{
    if (ctn_str_is(suffix, "_bucket")) {
        MUST(bound.len, line);
        double at = ctn_str_is(bound, "+Inf") ? INFINITY : number(bound, line);
        bool is_first = r->has_inf || !r->series.ptr || at <= r->bound;
        if (!is_first) {
            MUST(at > r->bound, line);
            MUST(value >= r->count, line);
        } else {
            MUST(!r->series.ptr || r->has_inf, line); /* the one before was whole */
        }
        r->series = line;
        r->bound = at;
        r->count = value;
        r->has_inf = isinf(at);
        return;
    }
    MUST(!bound.len, line);
    MUST(r->has_inf, line);
    if (ctn_str_is(suffix, "_count"))
        MUST(value == r->count, line);
    else
        MUST(ctn_str_is(suffix, "_sum") && value >= 0, line);
}

static void read_sample(reading *r, ctn_str line)
{
    size_t end = 0;
    while (end < line.len && line.ptr[end] != '{' && line.ptr[end] != ' ')
        end++;
    ctn_str name = {line.ptr, end}, rest = ctn_str_from_offset(line, end), bound = {0};
    family *f = r->now;
    MUST(is_name(name, true), line);
    MUST(f && f->has_help && f->has_type, line);
    MUST(ctn_str_starts_with(name, f->name), line);
    ctn_str suffix = ctn_str_from_offset(name, f->name.len);
    f->has_samples = true;
    if (rest.len && rest.ptr[0] == '{')
        read_labels(line, &rest, &bound);
    MUST(rest.len > 1 && rest.ptr[0] == ' ', line);
    ctn_str series = {line.ptr, line.len - rest.len};
    for (size_t i = 0; i < r->sample_count; i++)
        MUST(!ctn_str_equal(r->samples[i], series), line);
    assert_true(r->sample_count < SAMPLES_MAX);
    r->samples[r->sample_count++] = series;
    double value = number(ctn_str_from_offset(rest, 1), line);
    if (ctn_str_is(f->type, "histogram")) {
        read_histogram(r, line, suffix, bound, value);
    } else if (ctn_str_is(f->type, "counter")) {
        MUST(ctn_str_is(suffix, r->is_open_metrics ? "_total" : "") && value >= 0, line);
    } else {
        MUST(suffix.len == 0, line);
    }
}

void strict_exposition(ctn_str text, bool is_open_metrics)
{
    reading *r = test_calloc(1, sizeof *r);
    r->is_open_metrics = is_open_metrics;
    assert_true(ctn_str_is_utf8(text));
    assert_true(ctn_str_ends_with(text, CTN_STR("\n")));
    text.len--;
    while (text.ptr) {
        ctn_str line = ctn_str_cut(&text, '\n');
        MUST(line.len && !r->is_over, line);
        if (line.ptr[0] == '#')
            read_comment(r, line);
        else
            read_sample(r, line);
    }
    for (size_t i = 0; i < r->family_count; i++)
        MUST(r->families[i].has_help && r->families[i].has_type, r->families[i].name);
    assert_true(r->is_over == is_open_metrics);
    test_free(r);
}

double strict_sample(ctn_str text, const char *series)
{
    while (text.ptr) {
        ctn_str line = ctn_str_cut(&text, '\n');
        size_t len = strlen(series);
        if (ctn_str_starts_with(line, ctn_str_from(series)) && line.len > len && line.ptr[len] == ' ')
            return number(ctn_str_from_offset(line, len + 1), line);
    }
    fail_msg("no sample %s", series);
    return 0;
}
