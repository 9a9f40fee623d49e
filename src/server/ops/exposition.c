/*
 * exposition.c -- see exposition.h.
 */
#include "server/ops/exposition.h"

#define OPEN_METRICS "application/openmetrics-text"

static const char *const TYPES[] = {"counter", "gauge", "histogram"};

/* The text format calls a counter's family as its sample, OpenMetrics without _total. */
void ctn_expo_family(ctn_expo *e, ctn_expo_type type, const char *name, const char *help)
{
    const char *suffix = type == CTN_EXPO_COUNTER && !e->is_open_metrics ? "_total" : "";
    e->type = type;
    e->name = name;
    ctn_buf_printf(e->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix, TYPES[type]);
}

static void append_escaped(ctn_buf *out, ctn_str value)
{
    for (size_t at = 0; at < value.len;) {
        size_t bytes = ctn_str_utf8_at(value, at);
        char c = value.ptr[at];
        if (bytes == 0)
            ctn_buf_append_literal(out, "\xEF\xBF\xBD"); /* U+FFFD: the text must be UTF-8 */
        else if (c == '\\')
            ctn_buf_append_literal(out, "\\\\");
        else if (c == '"')
            ctn_buf_append_literal(out, "\\\"");
        else if (c == '\n')
            ctn_buf_append_literal(out, "\\n");
        else
            ctn_buf_append(out, (ctn_str){value.ptr + at, bytes});
        at += bytes ? bytes : 1;
    }
}

static void append_labels(ctn_buf *out, const ctn_label *labels, size_t count, const char *bound)
{
    char before = '{';
    for (size_t i = 0; i < count; i++, before = ',') {
        ctn_buf_printf(out, "%c%s=\"", before, labels[i].name);
        append_escaped(out, labels[i].value);
        ctn_buf_append_char(out, '"');
    }
    if (bound) {
        ctn_buf_printf(out, "%cle=\"%s\"", before, bound);
        before = ',';
    }
    if (before == ',')
        ctn_buf_append_char(out, '}');
}

static void append_sample(const ctn_expo *e, const char *suffix, const ctn_label *labels, size_t count,
                          const char *bound)
{
    ctn_buf_printf(e->out, "%s%s", e->name, suffix);
    append_labels(e->out, labels, count, bound);
}

void ctn_expo_count(ctn_expo *e, const ctn_label *labels, size_t count, uint64_t value)
{
    append_sample(e, e->type == CTN_EXPO_COUNTER ? "_total" : "", labels, count, NULL);
    ctn_buf_printf(e->out, " %llu\n", (unsigned long long) value);
}

void ctn_expo_gauge(ctn_expo *e, const ctn_label *labels, size_t count, double value)
{
    append_sample(e, e->type == CTN_EXPO_COUNTER ? "_total" : "", labels, count, NULL);
    ctn_buf_printf(e->out, " %.15g\n", value);
}

void ctn_expo_histogram(ctn_expo *e, const ctn_label *labels, size_t count, const ctn_histogram *h)
{
    uint64_t so_far = 0;
    for (size_t i = 0; i <= CTN_HISTOGRAM_BOUNDS; i++) {
        so_far += h->counts[i];
        append_sample(e, "_bucket", labels, count, i < CTN_HISTOGRAM_BOUNDS ? ctn_histogram_bounds_text[i] : "+Inf");
        ctn_buf_printf(e->out, " %llu\n", (unsigned long long) so_far);
    }
    append_sample(e, "_sum", labels, count, NULL);
    ctn_buf_printf(e->out, " %llu.%06llu\n", (unsigned long long) (h->sum_us / 1000000),
                   (unsigned long long) (h->sum_us % 1000000));
    append_sample(e, "_count", labels, count, NULL);
    ctn_buf_printf(e->out, " %llu\n", (unsigned long long) so_far);
}

void ctn_expo_end(ctn_expo *e)
{
    if (e->is_open_metrics)
        ctn_buf_append_literal(e->out, "# EOF\n");
}

/* Named and not refused is wanted: whoever can read it lists it. */
bool ctn_expo_wants_open_metrics(ctn_str accept)
{
    while (accept.ptr) {
        ctn_str media = ctn_str_trim(ctn_str_cut(&accept, ','));
        ctn_str type = ctn_str_trim(ctn_str_cut(&media, ';'));
        bool is_refused = false;
        while (media.ptr) {
            ctn_str parameter = ctn_str_trim(ctn_str_cut(&media, ';'));
            is_refused = is_refused || ctn_str_is(parameter, "q=0") || ctn_str_is(parameter, "q=0.0");
        }
        if (ctn_str_equal_any_case(type, CTN_STR(OPEN_METRICS)) && !is_refused)
            return true;
    }
    return false;
}

const char *ctn_expo_content_type(bool is_open_metrics)
{
    return is_open_metrics ? OPEN_METRICS "; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8";
}
