/*
 * histogram.h -- how long things take, counted into fixed buckets: an add and a search over a few bounds, no memory.
 *
 * One set of bounds for all, so that what is measured in different places can be laid over each other: a tenth of a
 * millisecond (a commit on a fast disk) to an hour (a queue that does not move). All zero is an empty one.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define CTN_HISTOGRAM_BOUNDS 20
/* Upper bounds of the buckets in microseconds, rising; and as people write them in seconds. */
extern const int64_t ctn_histogram_bounds_us[CTN_HISTOGRAM_BOUNDS];
extern const char *const ctn_histogram_bounds_text[CTN_HISTOGRAM_BOUNDS];

typedef struct ctn_histogram {
    uint64_t counts[CTN_HISTOGRAM_BOUNDS + 1]; /* not of those below; the last: longer than all bounds */
    uint64_t sum_us;
} ctn_histogram;

/* Below zero (a clock was set back) counts as zero. */
void ctn_histogram_add_us(ctn_histogram *histogram, int64_t took_us);
uint64_t ctn_histogram_count(const ctn_histogram *histogram);
