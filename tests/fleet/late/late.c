/*
 * late.c -- catena that stands still at a moment of the test's choice, as a machine does whose process is stopped, and
 * goes on when somebody sends SIGCONT: the product's own objects, linked with this one.
 *
 *     LATE_WRITE=text      before the first write to a file or pipe of bytes with this text in them
 *     LATE_SEND=text       before the first that is sent over a socket
 *     LATE_LOOK=yes        not there yet, but before the first look of the engine's thread at its lease behind it
 *                          (CLOCK_BOOTTIME)
 *     LATE_CLOCK_MS=n      while it stood still somebody set its wall clock by so much
 */
#undef _FORTIFY_SOURCE /* its inline forms are what stands here */
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Set before main and never after, but for the two atomics. */
static struct {
    const char *write, *send; /* NULL: none */
    bool is_look;
    int64_t clock_ms;
    atomic_int passed; /* the text has come by */
    atomic_int stood;
} late;

static void stand_still(void)
{
    if (atomic_exchange(&late.stood, 1))
        return;
    (void) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP); /* to this thread: it goes no further */
}

static void look_at(const char *wanted, const void *data, size_t len)
{
    if (!wanted || atomic_load(&late.passed) || !memmem(data, len, wanted, strlen(wanted)) ||
        atomic_exchange(&late.passed, 1) || late.is_look)
        return;
    stand_still();
}

ssize_t write(int fd, const void *data, size_t len)
{
    look_at(late.write, data, len);
    return syscall(SYS_write, fd, data, len);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    for (int i = 0; i < count; i++)
        look_at(late.write, parts[i].iov_base, parts[i].iov_len);
    return syscall(SYS_writev, fd, parts, count);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    look_at(late.send, data, len);
    return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock == CLOCK_BOOTTIME && late.is_look && atomic_load(&late.passed) && syscall(SYS_gettid) == getpid())
        stand_still();
    int rc = (int) syscall(SYS_clock_gettime, clock, now);
    if (rc == 0 && clock == CLOCK_REALTIME && atomic_load(&late.stood)) {
        int64_t ms = (int64_t) now->tv_sec * 1000 + now->tv_nsec / 1000000 + late.clock_ms;
        *now = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    }
    return rc;
}

__attribute__((constructor)) static void begin(void)
{
    const char *clock_ms = getenv("LATE_CLOCK_MS");
    late.write = getenv("LATE_WRITE");
    late.send = getenv("LATE_SEND");
    late.is_look = getenv("LATE_LOOK") != NULL;
    late.clock_ms = clock_ms ? strtoll(clock_ms, NULL, 10) : 0;
}
