/*
 * histogram.c -- see histogram.h.
 */
#include "base/histogram.h"

const int64_t ctn_histogram_bounds_us[CTN_HISTOGRAM_BOUNDS] = {
    100,    250,    500,     1000,    2500,    5000,     10000,    25000,    50000,     100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 300000000, 3600000000};
const char *const ctn_histogram_bounds_text[CTN_HISTOGRAM_BOUNDS] = {
    "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05",  "0.1",
    "0.25",   "0.5",     "1.0",    "2.5",   "5.0",    "10.0",  "30.0", "60.0",  "300.0", "3600.0"};

void ctn_histogram_add_us(ctn_histogram *h, int64_t took_us)
{
    size_t i = 0;
    took_us = took_us < 0 ? 0 : took_us;
    while (i < CTN_HISTOGRAM_BOUNDS && took_us > ctn_histogram_bounds_us[i])
        i++;
    h->counts[i]++;
    h->sum_us += (uint64_t) took_us;
}

uint64_t ctn_histogram_count(const ctn_histogram *h)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= CTN_HISTOGRAM_BOUNDS; i++)
        count += h->counts[i];
    return count;
}
