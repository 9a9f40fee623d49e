/*
 * kit.c -- see kit.h.
 */
#include "kit.h"
#include "base/memory.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

double bench_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

void bench_die(const char *doing, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", doing, why);
    exit(1);
}

void bench_must(int rc, const char *doing, const ctn_err *err)
{
    if (rc != CTN_OK)
        bench_die(doing, err->message);
}

void bench_store_remove(const char *file)
{
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", "-lock", ".sock"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof *SUFFIXES; i++) {
        char path[BENCH_PATH_MAX + 8];
        snprintf(path, sizeof path, "%s%s", file, SUFFIXES[i]);
        unlink(path);
    }
}

void bench_say(const char *path, double value)
{
    if (!isfinite(value))
        bench_die(path, "is no number: the run was too short");
    printf("%s %.6g\n", path, value);
    fflush(stdout);
}

/* ---- samples ---- */

void bench_samples_add(bench_samples *samples, double value)
{
    samples->values = ctn_array_room(samples->values, samples->count, &samples->capacity, sizeof *samples->values);
    samples->values[samples->count++] = value;
    samples->is_sorted = false;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

double bench_samples_at(bench_samples *samples, double share)
{
    if (samples->count == 0)
        return 0;
    if (!samples->is_sorted)
        qsort(samples->values, samples->count, sizeof *samples->values, compare);
    samples->is_sorted = true;
    size_t i = (size_t) ((double) samples->count * share);
    return samples->values[i < samples->count ? i : samples->count - 1];
}

void bench_samples_free(bench_samples *samples)
{
    free(samples->values);
    *samples = (bench_samples){0};
}

/* ---- /proc ---- */

double bench_process_cpu_s(pid_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    size_t got = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[got] = 0;
    const char *rest = strrchr(line, ')'); /* the name before it may hold anything */
    unsigned long user = 0, kernel = 0;
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
        return 0;
    return (double) (user + kernel) / (double) sysconf(_SC_CLK_TCK);
}

/* Calls fn for every descendant of pid. */
static double sum_descendants(pid_t pid, double (*fn)(pid_t pid))
{
    char path[320];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int) pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int) pid, task->d_name);
        FILE *file = fopen(path, "r");
        for (int child; file && fscanf(file, "%d", &child) == 1;)
            sum += fn(child) + sum_descendants(child, fn);
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return sum;
}

double bench_children_cpu_s(void)
{
    return sum_descendants(getpid(), bench_process_cpu_s);
}

double bench_memory_mib(pid_t pid, const char *file, const char *field)
{
    char path[64], line[256];
    double kib = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int) pid, file);
    FILE *in = fopen(path, "r");
    size_t length = strlen(field);
    while (in && fgets(line, sizeof line, in))
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            kib = strtod(line + length + 1, NULL);
    if (in)
        fclose(in);
    return kib / 1024;
}

static double rss_mib(pid_t pid)
{
    return bench_memory_mib(pid, "status", "VmRSS");
}

double bench_children_rss_mib(pid_t pid)
{
    return sum_descendants(pid, rss_mib);
}

double bench_peak_mib(pid_t pid)
{
    return bench_memory_mib(pid, "status", "VmHWM");
}

double bench_peak_with_children_mib(void)
{
    return bench_peak_mib(getpid()) + sum_descendants(getpid(), bench_peak_mib);
}

bench_ticks bench_machine_ticks(void)
{
    unsigned long long user = 0, nice = 0, kernel = 0, idle = 0, io_wait = 0, irq = 0, soft_irq = 0, steal = 0;
    double hz = (double) sysconf(_SC_CLK_TCK);
    FILE *file = fopen("/proc/stat", "r");
    if (!file || fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &kernel, &idle, &io_wait,
                        &irq, &soft_irq, &steal) != 8)
        user = 0;
    if (file)
        fclose(file);
    return (bench_ticks){.busy_s = (double) (user + nice + kernel + irq + soft_irq) / hz,
                         .steal_s = (double) steal / hz};
}
