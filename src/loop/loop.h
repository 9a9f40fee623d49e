/*
 * loop.h -- the one event loop: timers, wakeups, signals, pipes, local sockets and children. libuv is in here
 * and nowhere else.
 *
 * Single-threaded: every function is for the loop's thread, ctn_wakeup_send alone is for any thread. Callbacks
 * run from ctn_loop_run and may call anything here, freeing their own handle included. Callbacks file
 * inputs; they never decide.
 *
 * Ownership  _new/_open gives a handle, _free/_close takes it (NULL is fine); after that no callback of it comes.
 */
#pragma once
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

typedef struct ctn_loop ctn_loop;

ctn_loop *ctn_loop_new(void);
void ctn_loop_free(ctn_loop *loop); /* closes what is left */
/* Runs until ctn_loop_stop. */
void ctn_loop_run(ctn_loop *loop);
/* What has come by now, without waiting: before a loop with signals is freed, which would forget those under way. */
void ctn_loop_poll(ctn_loop *loop);
void ctn_loop_stop(ctn_loop *loop);
int64_t ctn_loop_now_ms(const ctn_loop *loop); /* wall clock, read afresh */

/* Called once after each round of callbacks, before the loop sleeps: the engine's turn. */
void ctn_loop_set_turn(ctn_loop *loop, void (*turn)(void *ctx), void *ctx);

/* ---- timers (wall clock) ---- */
typedef struct ctn_timer ctn_timer;
ctn_timer *ctn_timer_new(ctn_loop *loop, void (*fire)(void *ctx), void *ctx);
void ctn_timer_set(ctn_timer *timer, int64_t due_ms); /* replaces an earlier time; past = at once */
void ctn_timer_clear(ctn_timer *timer);
void ctn_timer_free(ctn_timer *timer);

/* ---- from another thread ---- */
typedef struct ctn_wakeup ctn_wakeup;
ctn_wakeup *ctn_wakeup_new(ctn_loop *loop, void (*woken)(void *ctx), void *ctx);
void ctn_wakeup_send(ctn_wakeup *wakeup); /* any thread; several may arrive as one */
void ctn_wakeup_free(ctn_wakeup *wakeup);

/* ---- signals ---- */
typedef struct ctn_signal ctn_signal;
ctn_signal *ctn_signal_new(ctn_loop *loop, int signal_number, void (*raised)(void *ctx), void *ctx);
void ctn_signal_free(ctn_signal *signal);

/* ---- streams of lines: pipes of children, connections of the control socket ---- */
typedef struct ctn_stream ctn_stream;
/* Of a line that is skipped: bytes of its beginning and its end that are told, and how much of it is awaited. */
#define CTN_LINE_EDGE_BYTES     512
#define CTN_LINE_SKIP_BYTES_MAX ((size_t) 512 << 20)
typedef struct ctn_stream_events {
    /* One line without its newline (a CR before it is dropped too); valid during the call. What stands behind the
     * last newline at the end of file is a line as well. NULL only for a descriptor that is not readable. */
    void (*line)(void *ctx, ctn_str line);
    /* A line over line_bytes_max: its rest is skipped up to the next newline; told once, with how it begins. May be
     * NULL. */
    void (*line_too_long)(void *ctx, ctn_str head);
    /* ... and how it ended: its last bytes. is_endless: so much of it was skipped that no end is in sight; told once,
     * and skipping goes on. May be NULL. */
    void (*line_skipped)(void *ctx, ctn_str tail, bool is_endless);
    /* Once; nothing comes after it. code CTN_OK: end of file; a socket may then still be written to. A stream that
     * only writes is closed by its reader's going, or after ctn_stream_shutdown. */
    void (*closed)(void *ctx, int code, const char *why);
    void *ctx;
    size_t line_bytes_max;
    /* Not NULL: no lines, but what came, as it came. line and line_bytes_max are then not asked. */
    void (*bytes)(void *ctx, ctn_str piece);
} ctn_stream_events;
/* Takes fd over. fd is a pipe, socket or tty, readable, writable or both. */
ctn_stream *ctn_stream_open(ctn_loop *loop, int fd, const ctn_stream_events *events);
/* Bytes are copied and go out in order, after the turn. False, and nothing taken, when more than 64 MiB wait already
 * or our side has ended. */
bool ctn_stream_write(ctn_stream *stream, ctn_str bytes);
size_t ctn_stream_queued_bytes(const ctn_stream *stream);
/* Ends our side once what is queued is written (the peer sees end of file), reads on. */
void ctn_stream_shutdown(ctn_stream *stream);
void ctn_stream_free(ctn_stream *stream); /* tries what was written in this turn, once; the rest is dropped */

/* ---- local sockets (paths of any length: bound through the folder's descriptor) ---- */
typedef struct ctn_listener ctn_listener;
/* Removes a stale socket file first; mode 0600. The caller holds the store's lock, so a file there is stale. */
int ctn_listener_open(ctn_loop *loop, const char *path, void (*accepted)(void *ctx, int fd), void *ctx,
                      ctn_listener **ret_listener, ctn_err *err);
void ctn_listener_close(ctn_listener *listener); /* removes the file */
/* Blocking connect; CTN_E_CLOSED when nobody listens. */
int ctn_socket_connect(const char *path, int *ret_fd, ctn_err *err);
