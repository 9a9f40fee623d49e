/*
 * kit.h -- what the programs of bench/ share: clocks, the end of a run that went wrong, figures, what /proc knows.
 *
 * A program prints one figure a line, `path/of/key value`, on stdout; bench/run gathers the lines of a run and
 * bench_report makes JSON and Markdown of them. What is for people goes to stderr.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define BENCH_PATH_MAX 4096

double bench_seconds(clockid_t clock);

/* Ends the program: a benchmark that could not do its work has no figures. */
_Noreturn void bench_die(const char *doing, const char *why);
/* The same when rc is not CTN_OK. */
void bench_must(int rc, const char *doing, const ctn_err *err);

/* The store's file and what stands beside it. */
void bench_store_remove(const char *file);

/* ---- figures ---- */

void bench_say(const char *path, double value); /* six digits after the point at most */

typedef struct bench_samples {
    double *values;
    size_t count, capacity;
    bool is_sorted;
} bench_samples;
void bench_samples_add(bench_samples *samples, double value);
/* The value below which `share` (0 to 1) of them are; 0 when there is none. Sorts. */
double bench_samples_at(bench_samples *samples, double share);
void bench_samples_free(bench_samples *samples);

/* ---- what the kernel counts ---- */

double bench_process_cpu_s(pid_t pid); /* in ticks of 10 ms */
/* CPU seconds of all descendants of this process (not of itself), in ticks of 10 ms. */
double bench_children_cpu_s(void);
typedef struct bench_ticks {
    double busy_s, steal_s; /* of all cores, since the machine began */
} bench_ticks;
bench_ticks bench_machine_ticks(void);
/* Highest resident memory in MiB of a process; of this one and all its descendants, summed. */
double bench_peak_mib(pid_t pid);
double bench_peak_with_children_mib(void);
double bench_children_rss_mib(pid_t pid); /* of all its descendants, now */
/* A field of /proc/PID/status or smaps_rollup in MiB ("VmRSS", "Anonymous"); 0 when it is not there. */
double bench_memory_mib(pid_t pid, const char *file, const char *field);
