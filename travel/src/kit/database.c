/*
 * database.c -- see database.h.
 */
#include "kit/database.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 5 };

void travel_database_make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void) close(fd);
}

int travel_database_code(sqlite3 *db)
{
    int code = sqlite3_errcode(db) & 0xff;
    return code == SQLITE_BUSY || code == SQLITE_LOCKED ? CTN_E_BUSY : CTN_E_IO;
}

static int64_t elapsed_ms(const struct timespec *since)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

int travel_database_prepare(int (*prepare)(void *ctx, ctn_err *err), void *ctx, int64_t wait_ms, ctn_err *err)
{
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        int rc = prepare(ctx, err); /* may itself wait for a lock, so the time counts and not the tries */
        if (rc != CTN_E_BUSY || elapsed_ms(&start) >= wait_ms)
            return rc;
        (void) nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
    }
}
