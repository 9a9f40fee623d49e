/*
 * stream.c -- lines in, bytes out, on any descriptor.
 *
 * What must always hold:
 *   1. A peer sizes nothing: a line is kept up to line_bytes_max and skipped from there, the write queue takes
 *      nothing once 64 MiB wait in it.
 *   2. `closed` comes once, after the last line, and never from inside a function that the owner called.
 *   3. What the peer said before it went is told, even where we learn of its going by a write that failed:
 *      everything it sent is then in the kernel already, and is read before `closed`.
 *
 * A write only fills the queue; it goes out after the turn (internal.h), or when the peer takes more. When the
 * peer has ended its side (closed with CTN_OK), ours may still be open: what is written goes out until
 * ctn_stream_free. A stream that only writes is watched for its reader's going, so `closed` comes without a write.
 *
 * SIGPIPE: sockets are written with MSG_NOSIGNAL; pipes know no such flag, so the signal is blocked in this
 * thread around the write and taken back when it came. The disposition belongs to the process we are part of,
 * which may be somebody else's.
 *
 * Descriptors 0, 1 and 2 are shared: with the shell that started us, or with each other (2>&1). O_NONBLOCK is a
 * property of what is shared, so pipes and terminals there are opened once more through /proc, and only our
 * own opening is made non-blocking. When such a stream is freed /dev/null takes the place, lest the next open(2)
 * becomes somebody's stdout.
 *
 * epoll refuses regular files and /dev/null (`catena mcp < requests`): they are always ready, and read by a task.
 */
#include "loop/loop.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loop/internal.h"

/* Bytes that may wait before writes are refused. */
static const size_t WRITE_QUEUE_MAX = 64 << 20;
/* A buffer that has grown beyond this is given back when it is empty. */
static const size_t IDLE_BUFFER_MAX = 256 << 10;
/* Chunks read for one event: others want their turn too, and what is left makes the next event. */
static const int READS_PER_EVENT = 4;
/* Chunks read after a write has failed, to hear the peer's last words: more than a socket's buffer holds. */
static const int READS_AT_THE_END = 256;

struct ctn_stream {
    ctn_handle handle;
    ctn_stream_events events;
    int fd;             /* -1: we have closed it */
    ctn_poller *poller; /* NULL: a file, or nothing more to watch */
    ctn_task flush;     /* write what is queued */
    ctn_task attend;    /* a file has more; or there is something to tell */
    bool is_socket;
    bool can_read, can_write; /* that side is open */
    bool is_skipping;         /* inside a line that was too long */
    bool is_endless;          /* ... of which line_skipped has told that no end is in sight */
    uint16_t tail_len;
    size_t skipped;
    bool is_shutting_down;
    bool is_closed; /* told */
    bool is_freed;
    int write_errno; /* why writing ended, to be told; 0: it goes on */
    ctn_buf partial; /* a line whose newline has not come */
    ctn_buf queue;
    size_t queue_sent;
    char tail[CTN_LINE_EDGE_BYTES]; /* of the line that is skipped: its last bytes so far */
};

/* ---- the descriptor ---- */

/* Replaces fd 0..2 by an opening of our own, so that O_NONBLOCK stays ours. Where that is not possible (a
 * socket, a pipe of another user) we share it. */
static void unshare_standard_fd(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    struct stat st;
    if (fd > STDERR_FILENO || flags < 0 || fstat(fd, &st) != 0 || !(S_ISFIFO(st.st_mode) || isatty(fd)))
        return;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0)
        return;
    (void) dup2(own, fd);
    close(own);
}

static void close_fd(int fd)
{
    int null = fd >= 0 && fd <= STDERR_FILENO ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    if (null >= 0) {
        (void) dup2(null, fd);
        close(null);
    } else if (fd >= 0) {
        close(fd);
    }
}

static ssize_t write_without_sigpipe(const ctn_stream *stream, const char *data, size_t len)
{
    if (stream->is_socket)
        return send(stream->fd, data, len, MSG_NOSIGNAL);
    sigset_t sigpipe, masked_before, pending;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &masked_before);
    ssize_t n = write(stream->fd, data, len);
    int saved_errno = errno;
    if (n < 0 && saved_errno == EPIPE && !sigismember(&pending, SIGPIPE))
        (void) sigtimedwait(&sigpipe, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &masked_before, NULL);
    errno = saved_errno;
    return n;
}

/* ---- what we watch for ---- */

static size_t queued_bytes(const ctn_stream *stream)
{
    return stream->queue.len - stream->queue_sent;
}

static void watch(ctn_stream *stream)
{
    if (!stream->poller)
        return;
    int events = 0;
    if (stream->can_read)
        events |= CTN_POLL_READ;
    if (stream->can_write && queued_bytes(stream) > 0)
        events |= CTN_POLL_WRITE;
    if (stream->can_write && !stream->can_read && !stream->is_closed)
        events |= CTN_POLL_GONE;
    ctn_poller_set(stream->poller, events);
}

static void buffer_give_back(ctn_buf *buf)
{
    if (buf->capacity <= IDLE_BUFFER_MAX)
        ctn_buf_clear(buf);
    else
        ctn_buf_done(buf);
}

static void drop_queue(ctn_stream *stream)
{
    buffer_give_back(&stream->queue);
    stream->queue_sent = 0;
}

/* ---- telling; after each of these the stream may be freed (is_freed) ---- */

static void tell_closed(ctn_stream *stream, int code, const char *why)
{
    stream->can_read = false;
    if (stream->is_closed)
        return;
    stream->is_closed = true;
    if (code != CTN_OK)
        stream->can_write = false;
    watch(stream);
    stream->events.closed(stream->events.ctx, code, why);
}

static ctn_str edge(ctn_str text, bool is_head)
{
    if (text.len <= CTN_LINE_EDGE_BYTES)
        return text;
    return (ctn_str){is_head ? text.ptr : text.ptr + text.len - CTN_LINE_EDGE_BYTES, CTN_LINE_EDGE_BYTES};
}

static void tell_line(ctn_stream *stream, ctn_str line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (line.len <= stream->events.line_bytes_max) {
        stream->events.line(stream->events.ctx, line);
        return;
    }
    if (stream->events.line_too_long)
        stream->events.line_too_long(stream->events.ctx, edge(line, true));
    if (!stream->is_freed && stream->events.line_skipped)
        stream->events.line_skipped(stream->events.ctx, edge(line, false), false);
}

/* The piece belongs to the line that is skipped. */
static void skip(ctn_stream *stream, ctn_str piece)
{
    stream->skipped += piece.len;
    ctn_str last = edge(piece, false);
    size_t kept = sizeof stream->tail - last.len < stream->tail_len ? sizeof stream->tail - last.len : stream->tail_len;
    memmove(stream->tail, stream->tail + stream->tail_len - kept, kept);
    if (last.len)
        memcpy(stream->tail + kept, last.ptr, last.len);
    stream->tail_len = (uint16_t) (kept + last.len);
    if (stream->skipped <= CTN_LINE_SKIP_BYTES_MAX || stream->is_endless)
        return;
    stream->is_endless = true;
    if (stream->events.line_skipped)
        stream->events.line_skipped(stream->events.ctx, (ctn_str){stream->tail, stream->tail_len}, true);
}

/* Its end has come. */
static void end_skipping(ctn_stream *stream)
{
    stream->is_skipping = false;
    if (stream->events.line_skipped && !stream->is_endless)
        stream->events.line_skipped(stream->events.ctx, (ctn_str){stream->tail, stream->tail_len}, false);
}

static void tell_end_of_file(ctn_stream *stream)
{
    /* A last line without a newline is a line: it may be all that a dying program had to say. */
    if (stream->partial.len > 0) {
        tell_line(stream, ctn_buf_str(&stream->partial));
        if (stream->is_freed)
            return;
    }
    if (stream->is_skipping) {
        end_skipping(stream);
        if (stream->is_freed)
            return;
    }
    tell_closed(stream, CTN_OK, "end of file");
}

static void tell_error(ctn_stream *stream, int error)
{
    bool is_gone = error == EPIPE || error == ECONNRESET;
    tell_closed(stream, is_gone ? CTN_E_CLOSED : CTN_E_IO, is_gone ? "the other side is gone" : strerror(error));
}

/* ---- reading ---- */

/* Keeps the beginning of a line. One byte over the limit is kept: it may prove to be the CR of the line's end. */
static void keep_partial(ctn_stream *stream, ctn_str piece)
{
    if (piece.len == 0)
        return;
    if (stream->is_skipping) {
        skip(stream, piece);
        return;
    }
    if (piece.len <= stream->partial.limit_bytes - stream->partial.len) {
        ctn_buf_append(&stream->partial, piece);
        if (!stream->partial.overflowed)
            return; /* else there is no memory for it: it is as good as too long */
    }
    char head[CTN_LINE_EDGE_BYTES]; /* of the line: the piece alone may be its beginning */
    ctn_str kept = edge(ctn_buf_str(&stream->partial), true), more = edge(piece, true);
    if (more.len > sizeof head - kept.len)
        more.len = sizeof head - kept.len;
    if (kept.len)
        memcpy(head, kept.ptr, kept.len);
    memcpy(head + kept.len, more.ptr, more.len);
    stream->is_skipping = true;
    stream->is_endless = false;
    stream->skipped = 0;
    stream->tail_len = 0;
    skip(stream, edge(ctn_buf_str(&stream->partial), false));
    buffer_give_back(&stream->partial);
    skip(stream, piece);
    if (stream->events.line_too_long)
        stream->events.line_too_long(stream->events.ctx, (ctn_str){head, kept.len + more.len});
}

static void take_line_end(ctn_stream *stream, ctn_str piece)
{
    if (!stream->is_skipping && stream->partial.len == 0) {
        tell_line(stream, piece); /* the usual case, without a copy */
        return;
    }
    keep_partial(stream, piece);
    if (stream->is_freed)
        return;
    if (stream->is_skipping) {
        end_skipping(stream);
        return;
    }
    tell_line(stream, ctn_buf_str(&stream->partial));
    if (!stream->is_freed)
        buffer_give_back(&stream->partial);
}

static void take_chunk(ctn_stream *stream, ctn_str chunk)
{
    if (stream->events.bytes) {
        stream->events.bytes(stream->events.ctx, chunk);
        return;
    }
    while (chunk.len > 0 && !stream->is_freed) {
        const char *newline = memchr(chunk.ptr, '\n', chunk.len);
        if (!newline) {
            keep_partial(stream, chunk);
            return;
        }
        size_t len = (size_t) (newline - chunk.ptr);
        take_line_end(stream, (ctn_str){chunk.ptr, len});
        chunk = ctn_str_from_offset(chunk, len + 1);
    }
}

static void read_some(ctn_stream *stream, int chunks_max)
{
    char *scratch = ctn_loop_scratch(stream->handle.loop);
    for (int i = 0; i < chunks_max && stream->can_read && !stream->is_freed; i++) {
        ssize_t n = read(stream->fd, scratch, CTN_LOOP_SCRATCH_BYTES);
        if (n > 0) {
            take_chunk(stream, (ctn_str){scratch, (size_t) n});
            if (n < CTN_LOOP_SCRATCH_BYTES && stream->poller && stream->write_errno == 0)
                return; /* drained, most likely; if not there will be another event */
        } else if (n == 0) {
            tell_end_of_file(stream);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            tell_error(stream, errno);
        }
    }
}

/* ---- writing ---- */

/* The queue is empty and our side is to end: make the peer see it. */
static void end_write_side(ctn_stream *stream)
{
    stream->can_write = false;
    if (stream->is_socket) {
        (void) shutdown(stream->fd, SHUT_WR);
    } else if (!stream->can_read) {
        ctn_poller_free(stream->poller);
        stream->poller = NULL;
        close_fd(stream->fd);
        stream->fd = -1;
    }
    if (!stream->can_read)
        ctn_task_file(stream->handle.loop, &stream->attend);
}

static void write_queue(ctn_stream *stream)
{
    while (stream->can_write && queued_bytes(stream) > 0) {
        ssize_t n = write_without_sigpipe(stream, stream->queue.data + stream->queue_sent, queued_bytes(stream));
        if (n >= 0) {
            stream->queue_sent += (size_t) n;
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            stream->can_write = false;
            stream->write_errno = errno;
            ctn_task_file(stream->handle.loop, &stream->attend);
        }
    }
    if (!stream->can_write || queued_bytes(stream) == 0) {
        drop_queue(stream);
    } else if (stream->queue_sent > stream->queue.len / 2) {
        /* The half that is moved is smaller than the half that was written, so moving costs no more than that. */
        ctn_buf_consume(&stream->queue, stream->queue_sent);
        stream->queue_sent = 0;
    }
    if (stream->can_write && stream->is_shutting_down && queued_bytes(stream) == 0)
        end_write_side(stream);
}

/* ---- what the loop calls ---- */

static void flush_run(void *ctx)
{
    ctn_stream *stream = ctx;
    write_queue(stream);
    watch(stream);
}

static void attend_run(void *ctx)
{
    ctn_stream *stream = ctx;
    if (stream->write_errno != 0) {
        read_some(stream, READS_AT_THE_END);
        if (!stream->is_freed)
            tell_error(stream, stream->write_errno);
    } else if (stream->can_read && !stream->poller) {
        read_some(stream, 1);
        if (!stream->is_freed && stream->can_read)
            ctn_task_file(stream->handle.loop, &stream->attend);
    } else if (!stream->can_read && !stream->can_write) {
        tell_closed(stream, CTN_OK, "ended by us");
    }
}

static void fd_ready(void *ctx, int events)
{
    ctn_stream *stream = ctx;
    if (events & CTN_POLL_GONE) {
        /* Ask the descriptor what it is: a read tells; where there is nothing to read, nobody reads us. */
        read_some(stream, READS_PER_EVENT);
        if (!stream->is_freed && !stream->can_read && !stream->is_closed) {
            stream->can_write = false;
            drop_queue(stream);
            tell_error(stream, EPIPE);
        } else if (!stream->is_freed && stream->is_closed) {
            stream->can_write = false; /* told already; what still waits has no reader */
            drop_queue(stream);
        }
    } else {
        if (events & CTN_POLL_WRITE)
            write_queue(stream);
        if (events & CTN_POLL_READ)
            read_some(stream, READS_PER_EVENT);
    }
    if (!stream->is_freed)
        watch(stream);
}

static void stream_close(ctn_handle *handle)
{
    ctn_stream_free((ctn_stream *) handle);
}

static void stream_destroy(ctn_handle *handle)
{
    ctn_stream *stream = (ctn_stream *) handle;
    ctn_buf_done(&stream->partial);
    ctn_buf_done(&stream->queue);
    free(stream);
}

ctn_stream *ctn_stream_open(ctn_loop *loop, int fd, const ctn_stream_events *events)
{
    ctn_stream *stream = ctn_calloc(1, sizeof *stream);
    assert(stream);
    unshare_standard_fd(fd);
    int access_mode = fcntl(fd, F_GETFL) & O_ACCMODE;
    struct stat st = {0};
    (void) fstat(fd, &st);
    stream->fd = fd;
    stream->events = *events;
    stream->is_socket = S_ISSOCK(st.st_mode);
    stream->can_read = access_mode != O_WRONLY;
    stream->can_write = access_mode != O_RDONLY;
    assert(events->closed && (!stream->can_read || events->bytes || (events->line && events->line_bytes_max > 0)));
    stream->flush = (ctn_task){.run = flush_run, .ctx = stream};
    stream->attend = (ctn_task){.run = attend_run, .ctx = stream};
    size_t line_bytes_max = events->line_bytes_max;
    ctn_buf_init(&stream->partial, line_bytes_max < SIZE_MAX ? line_bytes_max + 1 : line_bytes_max);
    ctn_buf_init(&stream->queue, SIZE_MAX);
    stream->partial.may_lack = stream->queue.may_lack = true;
    int error = ctn_poller_new(loop, fd, fd_ready, stream, &stream->poller);
    ctn_handle_init(&stream->handle, loop, stream_close, stream_destroy);
    if (error != 0 && error != EPERM) {
        stream->can_write = false;
        stream->write_errno = error;
    }
    if (error != 0)
        ctn_task_file(loop, &stream->attend);
    watch(stream);
    return stream;
}

bool ctn_stream_write(ctn_stream *stream, ctn_str bytes)
{
    assert(!stream->is_freed);
    if (!stream->can_write || stream->is_shutting_down || queued_bytes(stream) > WRITE_QUEUE_MAX)
        return false;
    ctn_buf_append(&stream->queue, bytes);
    if (stream->queue.overflowed) { /* no memory for it */
        stream->queue.overflowed = false;
        return false;
    }
    ctn_task_file_flush(stream->handle.loop, &stream->flush);
    return true;
}

size_t ctn_stream_queued_bytes(const ctn_stream *stream)
{
    return queued_bytes(stream);
}

void ctn_stream_shutdown(ctn_stream *stream)
{
    if (!stream->can_write)
        return;
    stream->is_shutting_down = true;
    ctn_task_file_flush(stream->handle.loop, &stream->flush);
}

void ctn_stream_free(ctn_stream *stream)
{
    if (!stream)
        return;
    /* What was written in this very turn has not had its chance yet. */
    if (stream->can_write && stream->flush.next)
        write_queue(stream);
    stream->is_freed = true;
    ctn_task_cancel(&stream->flush);
    ctn_task_cancel(&stream->attend);
    ctn_poller_free(stream->poller);
    stream->poller = NULL;
    close_fd(stream->fd);
    stream->fd = -1;
    ctn_handle_retire(&stream->handle);
}
