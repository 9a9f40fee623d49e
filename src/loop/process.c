/*
 * process.c -- from running to ended:
 *
 *      RUNNING --end--> CLOSING --grace--> TERMINATING --grace--> KILLED
 *         |                |                    |                   |
 *         +----------------+-------- exit ------+-------------------+--> DRAINING --pipes read, or a moment--> ended
 *
 * What must hold: `ended` is told once, after the exit was told to us, and nothing here touches the process after
 * telling it (the listener frees it there). A child that closes its stdout or stops reading has left the
 * conversation though its process may live: it is ended in the ordinary way.
 */
#include "loop/process.h"
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include "base/memory.h"

#define STDERR_LINE_BYTES_MAX 4096
#define LAST_WORDS_BYTES      300
#define DRAIN_MS              300

typedef enum stage { RUNNING, CLOSING, TERMINATING, KILLED, DRAINING } stage;

struct ctn_process {
    ctn_process_options options; /* argv, env and cwd are not kept */
    ctn_child *child;
    ctn_stream *in, *out, *err;
    ctn_timer *timer;
    stage stage;
    bool is_out_closed, is_err_closed, is_told;
    int exit_status;
    char last_words[LAST_WORDS_BYTES];
    size_t last_words_len;
};

static void tell_ended(ctn_process *process)
{
    assert(process->stage == DRAINING);
    if (process->is_told)
        return;
    process->is_told = true;
    ctn_timer_clear(process->timer);
    process->options.events.ended(process->options.events.ctx, process->exit_status);
}

static void tell_if_drained(ctn_process *process)
{
    if (process->stage == DRAINING && process->is_out_closed && process->is_err_closed)
        tell_ended(process);
}

static void set_timer(ctn_process *process, int64_t span_ms)
{
    ctn_timer_set(process->timer, ctn_loop_now_ms(process->options.loop) + span_ms);
}

static void on_timer(void *ctx)
{
    ctn_process *process = ctx;
    switch (process->stage) {
    case RUNNING: break;
    case CLOSING:
        process->stage = TERMINATING;
        ctn_child_kill(process->child, SIGTERM);
        set_timer(process, process->options.end_grace_ms);
        break;
    case TERMINATING: ctn_process_kill(process); break;
    case KILLED: break;
    case DRAINING: tell_ended(process); break;
    }
}

static void on_exited(void *ctx, int exit_status)
{
    ctn_process *process = ctx;
    process->stage = DRAINING;
    process->exit_status = exit_status;
    ctn_child_kill(process->child, SIGKILL); /* whoever of its group is left */
    set_timer(process, DRAIN_MS);
    tell_if_drained(process);
}

static void on_line(void *ctx, ctn_str line)
{
    ctn_process *process = ctx;
    if (!process->is_told)
        process->options.events.line(process->options.events.ctx, line);
}

static void on_line_too_long(void *ctx, ctn_str head)
{
    ctn_process *process = ctx;
    if (!process->is_told)
        process->options.events.line_too_long(process->options.events.ctx, head);
}

static void on_line_skipped(void *ctx, ctn_str tail, bool is_endless)
{
    ctn_process *process = ctx;
    if (!process->is_told && process->options.events.line_skipped)
        process->options.events.line_skipped(process->options.events.ctx, tail, is_endless);
}

static void on_out_closed(void *ctx, int code, const char *why)
{
    (void) code, (void) why;
    ctn_process *process = ctx;
    process->is_out_closed = true;
    ctn_process_end(process);
    tell_if_drained(process);
}

/* stdin is only written to; this is the other end's going away. */
static void on_in_line(void *ctx, ctn_str line)
{
    (void) ctx, (void) line;
}

static void on_in_closed(void *ctx, int code, const char *why)
{
    (void) code, (void) why;
    ctn_process_end(ctx);
}

static void on_err_line(void *ctx, ctn_str line)
{
    ctn_process *process = ctx;
    line = ctn_str_trim(line);
    if (line.len == 0)
        return;
    process->last_words_len = line.len < LAST_WORDS_BYTES ? line.len : LAST_WORDS_BYTES;
    memcpy(process->last_words, line.ptr, process->last_words_len);
}

static void on_err_closed(void *ctx, int code, const char *why)
{
    (void) code, (void) why;
    ctn_process *process = ctx;
    process->is_err_closed = true;
    tell_if_drained(process);
}

static ctn_stream *open_stream(ctn_process *process, int fd, void (*line)(void *, ctn_str),
                               void (*closed)(void *, int, const char *), size_t line_bytes_max)
{
    bool is_out = line == on_line;
    ctn_stream_events events = {.line = line,
                                .line_too_long = is_out ? on_line_too_long : NULL,
                                .line_skipped = is_out ? on_line_skipped : NULL,
                                .closed = closed,
                                .ctx = process,
                                .line_bytes_max = line_bytes_max};
    return ctn_stream_open(process->options.loop, fd, &events);
}

int ctn_process_start(const ctn_process_options *options, ctn_process **ret_process, ctn_err *err)
{
    ctn_process *process = ctn_malloc(sizeof *process);
    *process = (ctn_process){.options = *options};
    int in = -1, out = -1, error = -1;
    ctn_spawn_options spawn = {
        .argv = options->argv, .env = options->env, .cwd = options->cwd, .exited = on_exited, .ctx = process};
    int rc = ctn_child_spawn(options->spawner, &spawn, &process->child, &in, &out, &error, err);
    if (rc) {
        free(process);
        return rc;
    }
    process->options.argv = process->options.env = NULL;
    process->options.cwd = NULL;
    process->timer = ctn_timer_new(options->loop, on_timer, process);
    process->in = open_stream(process, in, on_in_line, on_in_closed, 1024);
    process->out = open_stream(process, out, on_line, on_out_closed, options->line_bytes_max);
    process->err = open_stream(process, error, on_err_line, on_err_closed, STDERR_LINE_BYTES_MAX);
    *ret_process = process;
    return CTN_OK;
}

bool ctn_process_write(ctn_process *process, ctn_str line)
{
    return process->stage == RUNNING && ctn_stream_write(process->in, line);
}

void ctn_process_end(ctn_process *process)
{
    if (process->stage != RUNNING)
        return;
    process->stage = CLOSING;
    ctn_stream_shutdown(process->in);
    set_timer(process, process->options.end_grace_ms);
}

void ctn_process_kill(ctn_process *process)
{
    if (process->stage >= KILLED)
        return;
    process->stage = KILLED;
    ctn_timer_clear(process->timer);
    ctn_child_kill(process->child, SIGKILL);
}

int ctn_process_pid(const ctn_process *process)
{
    return process->stage == DRAINING ? 0 : ctn_child_pid(process->child);
}

ctn_str ctn_process_last_words(const ctn_process *process)
{
    return (ctn_str){process->last_words, process->last_words_len};
}

void ctn_process_free(ctn_process *process)
{
    if (!process)
        return;
    ctn_timer_free(process->timer);
    ctn_stream_free(process->in);
    ctn_stream_free(process->out);
    ctn_stream_free(process->err);
    ctn_child_free(process->child);
    free(process);
}
