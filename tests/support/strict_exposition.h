/*
 * strict_exposition.h -- an exposition read as strictly as promtool and the OpenMetrics specification do, and asked.
 *
 * Held to: one HELP and one TYPE a family, before its samples, which stand together; names as they may be (counters end
 * in _total, in OpenMetrics their family does not); labels well-formed, escaped, each once; no sample twice; values
 * that are numbers, counters not below zero; histograms whose buckets rise, in order, with +Inf, _sum and _count that
 * agree; UTF-8; a newline at the end; in OpenMetrics "# EOF" and nothing behind it.
 */
#pragma once
#include "base/str.h"

/* Fails the test with the line at fault. */
void strict_exposition(ctn_str text, bool is_open_metrics);
/* The value of the sample that begins so ("catena_commits_total", "catena_calls_total{kind=\"tool\",...}"), fails the
 * test when there is none. */
double strict_sample(ctn_str text, const char *series);
