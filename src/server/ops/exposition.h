/*
 * exposition.h -- figures as Prometheus reads them: text format 0.0.4, or OpenMetrics 1.0.
 *
 * A family is begun with its name, type and help, and its samples follow at once. Names are ours and literal; values of
 * labels are anybody's and are escaped. No value of a chain becomes a label: names of chains, tenants, operations and
 * codes do.
 *
 *     ctn_expo_family(&e, CTN_EXPO_COUNTER, "catena_commits", "Commits to the store.");
 *     ctn_expo_count(&e, NULL, 0, commits);
 *
 * gives catena_commits_total, in both formats.
 */
#pragma once
#include "base/buf.h"
#include "base/histogram.h"

typedef enum ctn_expo_type { CTN_EXPO_COUNTER, CTN_EXPO_GAUGE, CTN_EXPO_HISTOGRAM } ctn_expo_type;

typedef struct ctn_expo {
    ctn_buf *out;
    bool is_open_metrics;
    ctn_expo_type type; /* of the family that was begun last */
    const char *name;
} ctn_expo;

typedef struct ctn_label {
    const char *name;
    ctn_str value;
} ctn_label;

/* A counter's name is given without _total. */
void ctn_expo_family(ctn_expo *e, ctn_expo_type type, const char *name, const char *help);
void ctn_expo_count(ctn_expo *e, const ctn_label *labels, size_t count, uint64_t value);
void ctn_expo_gauge(ctn_expo *e, const ctn_label *labels, size_t count, double value);
/* In seconds; the name says so: catena_call_duration_seconds. */
void ctn_expo_histogram(ctn_expo *e, const ctn_label *labels, size_t count, const ctn_histogram *h);
/* Last: OpenMetrics wants to know that nothing was cut off. */
void ctn_expo_end(ctn_expo *e);
/* The one that a scraper with this Accept header wants. */
bool ctn_expo_wants_open_metrics(ctn_str accept);
const char *ctn_expo_content_type(bool is_open_metrics);
