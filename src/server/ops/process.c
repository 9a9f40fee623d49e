/*
 * process.c -- see process.h. What cannot be read is left out.
 */
#include "server/ops/process.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timespec *t)
{
    return (double) t->tv_sec + (double) t->tv_nsec / 1e9;
}

static void write_one(ctn_expo *e, ctn_expo_type type, const char *name, const char *help, double value)
{
    ctn_expo_family(e, type, name, help);
    ctn_expo_gauge(e, NULL, 0, value);
}

static size_t read_file(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, room - 1);
    if (fd >= 0)
        (void) close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t) got : 0;
}

static void write_memory(ctn_expo *e)
{
    char text[256];
    long long size, resident;
    if (!read_file("/proc/self/statm", text, sizeof text) || sscanf(text, "%lld %lld", &size, &resident) != 2)
        return;
    double page = (double) sysconf(_SC_PAGESIZE);
    write_one(e, CTN_EXPO_GAUGE, "process_resident_memory_bytes", "Memory that is in use.", (double) resident * page);
    write_one(e, CTN_EXPO_GAUGE, "process_virtual_memory_bytes", "Memory that is mapped.", (double) size * page);
}

/* Its own descriptor and the two names of every folder are not counted. */
static void write_descriptors(ctn_expo *e)
{
    int count = -3;
    DIR *folder = opendir("/proc/self/fd");
    struct rlimit limit;
    if (folder) {
        while (readdir(folder))
            count++;
        (void) closedir(folder);
        write_one(e, CTN_EXPO_GAUGE, "process_open_fds", "Descriptors that are open.", count);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        write_one(e, CTN_EXPO_GAUGE, "process_max_fds", "Descriptors that may be open.", (double) limit.rlim_cur);
}

/* Field 22 of stat, in ticks since the machine started; the name of the program, in brackets before, may hold spaces.
 */
static void write_start(ctn_expo *e)
{
    char text[2048];
    unsigned long long ticks;
    struct timespec now, since_boot;
    size_t len = read_file("/proc/self/stat", text, sizeof text);
    while (len > 0 && text[len - 1] != ')')
        len--;
    if (!len || sscanf(text + len, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                       &ticks) != 1)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    write_one(e, CTN_EXPO_GAUGE, "process_start_time_seconds", "When it began, in seconds since 1970.",
              seconds(&now) - seconds(&since_boot) + (double) ticks / (double) sysconf(_SC_CLK_TCK));
}

void ctn_ops_write_process(ctn_expo *e)
{
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    write_one(e, CTN_EXPO_COUNTER, "process_cpu_seconds", "Time on processors.", seconds(&cpu));
    write_memory(e);
    write_descriptors(e);
    write_start(e);
}
