/*
 * command.c -- see command.h.
 *
 *     RUNNING --its time is over, too much output, cancel--> TERMINATING --grace--> KILLED
 *        |                                                       |                    |
 *        +------------------------- exit ------------------------+--------------------+--> DRAINING --> told, freed
 *
 * What must hold: a run is told once or, after cancel, never; it is freed once its process has ended and what it wrote
 * has been read (one who left the group may hold the pipes open, and is waited for a moment only). At the exit of the
 * program the rest of its group is killed: what it left in the background does not outlive its call.
 *
 * Whoever is told may begin or cancel something: the run is out of every list before.
 */
#include "drivers/command/command.h"
#include "base/memory.h"
#include "drivers/command/ending.h"
#include "drivers/token_map.h"
#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#define GRACE_DEFAULT_MS 2000
#define DRAIN_MS         300
#define KILLED_MAX_MS    5000 /* a process that waits for a dead disk does not even hear SIGKILL */
#define WORDS_BYTES      (2 * CTN_COMMAND_WORDS_BYTES)

typedef enum stage { RUNNING, TERMINATING, KILLED, DRAINING } stage;

typedef struct run {
    struct run *next;
    ctn_command_driver *driver;
    ctn_arena *arena; /* of what was said */
    ctn_command_said said;
    uint64_t token;
    ctn_child *child;
    ctn_stream *in, *out, *err;
    ctn_timer *timer;
    stage stage;
    bool is_out_closed, is_err_closed, is_told;
    int exit_status;
    int64_t deadline_ms, timeout_ms, idle_ms, heard_at_ms;
    ctn_failure failure; /* why we ended it */
    ctn_str why;
    ctn_buf output;
    ctn_buf words;
} run;

struct ctn_command_driver {
    ctn_command_options options;
    ctn_token_map tokens; /* token -> run */
    run *runs;
    size_t count;
    bool was_noted; /* that files are not confined */
};

/* ---- the end of a run ---- */

static void run_free(run *r)
{
    ctn_command_driver *driver = r->driver;
    run **link = &driver->runs;
    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    driver->count--;
    (void) ctn_token_map_take(&driver->tokens, r->token);
    ctn_timer_free(r->timer);
    ctn_stream_free(r->in);
    ctn_stream_free(r->out);
    ctn_stream_free(r->err);
    ctn_child_free(r->child);
    ctn_buf_done(&r->output);
    ctn_buf_done(&r->words);
    ctn_arena_free(r->arena);
    free(r);
}

static void set_timer(run *r, int64_t span_ms)
{
    ctn_timer_set(r->timer, ctn_loop_now_ms(r->driver->options.loop) + span_ms);
}

static ctn_call_result result_of(const run *r)
{
    if (r->failure)
        return (ctn_call_result){.failure = r->failure,
                                 .message = ctn_command_sentence(r->arena, r->why, ctn_buf_str(&r->words)),
                                 .was_sent = true,
                                 .peer_is_dead = r->stage == DRAINING};
    ctn_command_ending ending = {.exit_codes = r->said.exit_codes,
                                 .is_json = r->said.is_json,
                                 .exit_status = r->exit_status,
                                 .output = ctn_buf_str(&r->output),
                                 .words = ctn_buf_str(&r->words)};
    return ctn_command_result(r->arena, &ending);
}

/* Nobody may free the run meanwhile: whoever is told can only cancel what is not told yet. */
static void tell(run *r)
{
    if (r->is_told)
        return;
    r->is_told = true;
    ctn_call_result result = result_of(r);
    ctn_call_sink *sink = &r->driver->options.sink;
    sink->done(sink->ctx, r->token, &result);
}

static void finish(run *r)
{
    ctn_timer_clear(r->timer);
    tell(r);
    run_free(r);
}

static void finish_if_drained(run *r)
{
    if (r->stage == DRAINING && r->is_out_closed && r->is_err_closed)
        finish(r);
}

static void end(run *r, ctn_failure failure, ctn_str why)
{
    if (r->stage != RUNNING)
        return;
    r->failure = failure;
    r->why = why;
    r->stage = TERMINATING;
    ctn_child_kill(r->child, SIGTERM);
    ctn_child_kill(r->child, SIGCONT); /* a stopped one could not hear it */
    set_timer(r, r->driver->options.grace_ms);
}

/* ---- time ---- */

static int64_t due_of(const run *r)
{
    int64_t due_ms = r->deadline_ms;
    if (r->idle_ms > 0 && (due_ms <= 0 || r->heard_at_ms + r->idle_ms < due_ms))
        due_ms = r->heard_at_ms + r->idle_ms;
    return due_ms;
}

static void on_due(run *r)
{
    int64_t due_ms = due_of(r);
    if (ctn_loop_now_ms(r->driver->options.loop) < due_ms)
        ctn_timer_set(r->timer, due_ms); /* it was heard of since */
    else if (due_ms != r->deadline_ms)
        end(r, CTN_FAILURE_TIMEOUT,
            ctn_arena_printf(r->arena, "the command wrote nothing for %lld ms", (long long) r->idle_ms));
    else if (r->timeout_ms > 0)
        end(r, CTN_FAILURE_TIMEOUT,
            ctn_arena_printf(r->arena, "the command did not end within %lld ms", (long long) r->timeout_ms));
    else
        end(r, CTN_FAILURE_TIMEOUT, CTN_STR("the command did not end before the deadline"));
}

static void on_timer(void *ctx)
{
    run *r = ctx;
    switch (r->stage) {
    case RUNNING: on_due(r); break;
    case TERMINATING:
        r->stage = KILLED;
        ctn_child_kill(r->child, SIGKILL);
        set_timer(r, KILLED_MAX_MS);
        break;
    case KILLED: tell(r); break; /* and is freed when it does end */
    case DRAINING: finish(r); break;
    }
}

/* ---- what the program does ---- */

static void on_exited(void *ctx, int exit_status)
{
    run *r = ctx;
    r->stage = DRAINING;
    r->exit_status = exit_status;
    ctn_child_kill(r->child, SIGKILL); /* whoever of its group is left */
    set_timer(r, DRAIN_MS);
    finish_if_drained(r);
}

static void on_output(void *ctx, ctn_str piece)
{
    run *r = ctx;
    r->heard_at_ms = ctn_loop_now_ms(r->driver->options.loop);
    if (r->failure)
        return;
    ctn_buf_append(&r->output, piece);
    if (!r->output.overflowed)
        return;
    ctn_str why = ctn_arena_printf(r->arena, "the command wrote more than its %zu outputBytes", r->said.output_bytes);
    end(r, CTN_FAILURE_LIMIT, why);
    r->failure = CTN_FAILURE_LIMIT; /* it may have ended by itself right behind it */
    r->why = why;
}

static void on_words(void *ctx, ctn_str piece)
{
    run *r = ctx;
    r->heard_at_ms = ctn_loop_now_ms(r->driver->options.loop);
    if (piece.len > CTN_COMMAND_WORDS_BYTES)
        piece = ctn_str_from_offset(piece, piece.len - CTN_COMMAND_WORDS_BYTES);
    if (r->words.len + piece.len > WORDS_BYTES)
        ctn_buf_consume(&r->words, r->words.len + piece.len - WORDS_BYTES);
    ctn_buf_append(&r->words, piece);
}

static void on_out_closed(void *ctx, int code, const char *why)
{
    (void) code, (void) why;
    run *r = ctx;
    r->is_out_closed = true;
    finish_if_drained(r);
}

static void on_err_closed(void *ctx, int code, const char *why)
{
    (void) code, (void) why;
    run *r = ctx;
    r->is_err_closed = true;
    finish_if_drained(r);
}

static void on_in_closed(void *ctx, int code, const char *why)
{
    (void) ctx, (void) code, (void) why; /* a program need not read what it is given */
}

/* ---- the beginning ---- */

static void refuse(const ctn_command_driver *driver, uint64_t token, ctn_failure failure, const char *why)
{
    ctn_call_result result = {.failure = failure, .message = ctn_str_from(why), .peer_is_dead = true};
    driver->options.sink.done(driver->options.sink.ctx, token, &result);
}

static ctn_failure failure_of_start(int code)
{
    switch (code) {
    case CTN_E_LIMIT: return CTN_FAILURE_INVALID_INPUT;
    case CTN_E_NOT_FOUND:
    case CTN_E_INVALID:
    case CTN_E_UNSUPPORTED: return CTN_FAILURE_PROTOCOL_ERROR; /* not executed, and not the next time either */
    default: return CTN_FAILURE_UNAVAILABLE;
    }
}

static void note_files(ctn_command_driver *driver)
{
    if (driver->was_noted || ctn_spawn_can_confine_files())
        return;
    driver->was_noted = true;
    ctn_log_line(driver->options.log, CTN_LOG_WARN,
                 "commands are not kept from files: this kernel has no landlock; those that name 'readable' or "
                 "'writable' are refused",
                 NULL);
}

static int start(run *r, ctn_err *err)
{
    int in = -1, out = -1, error = -1;
    ctn_loop *loop = r->driver->options.loop;
    ctn_spawn_options options = {.argv = r->said.argv,
                                 .env = r->said.env,
                                 .cwd = r->said.cwd,
                                 .limits = &r->said.limits,
                                 .exited = on_exited,
                                 .ctx = r};
    int rc = ctn_child_spawn(r->driver->options.spawner, &options, &r->child, &in, &out, &error, err);
    if (rc)
        return rc;
    r->timer = ctn_timer_new(loop, on_timer, r);
    r->in = ctn_stream_open(loop, in, &(ctn_stream_events){.closed = on_in_closed, .ctx = r});
    r->out = ctn_stream_open(loop, out, &(ctn_stream_events){.bytes = on_output, .closed = on_out_closed, .ctx = r});
    r->err = ctn_stream_open(loop, error, &(ctn_stream_events){.bytes = on_words, .closed = on_err_closed, .ctx = r});
    (void) ctn_stream_write(r->in, r->said.stdin_bytes);
    ctn_stream_shutdown(r->in);
    return CTN_OK;
}

static void begin(void *ctx, const ctn_call_request *request)
{
    ctn_command_driver *driver = ctx;
    ctn_err err = {0};
    run *r = ctn_malloc(sizeof *r);
    *r = (run){.driver = driver, .arena = ctn_arena_new(4096), .token = request->token, .next = driver->runs};
    driver->runs = r;
    driver->count++;
    ctn_token_map_put(&driver->tokens, r->token, r);
    note_files(driver);
    ctn_failure failure = ctn_command_read(r->arena, &driver->options, request, &r->said, &err);
    if (!failure) {
        ctn_buf_init(&r->output, r->said.output_bytes);
        r->output.may_lack = true;
        ctn_buf_init(&r->words, WORDS_BYTES);
        int rc = start(r, &err);
        failure = rc ? failure_of_start(rc) : CTN_FAILURE_NONE;
    }
    if (failure) {
        uint64_t token = r->token;
        run_free(r);
        refuse(driver, token, failure, err.message);
        return;
    }
    r->said.stdin_bytes = (ctn_str){0}; /* it was the call's */
    r->heard_at_ms = ctn_loop_now_ms(driver->options.loop);
    r->timeout_ms = request->timeout_ms;
    r->deadline_ms = request->timeout_ms > 0 ? r->heard_at_ms + request->timeout_ms : request->deadline_ms;
    r->idle_ms = request->idle_timeout_ms;
    if (due_of(r) > 0)
        ctn_timer_set(r->timer, due_of(r));
}

static void cancel(void *ctx, uint64_t token)
{
    const ctn_command_driver *driver = ctx;
    run *r = ctn_token_map_get(&driver->tokens, token);
    if (!r)
        return;
    r->is_told = true;
    end(r, CTN_FAILURE_CANCELLED, CTN_STR("cancelled"));
}

static bool may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) target;
    const ctn_command_driver *driver = ctx;
    const run *r = ctn_token_map_get(&driver->tokens, token);
    return r && r->stage != DRAINING;
}

ctn_driver ctn_command_driver_interface(ctn_command_driver *driver)
{
    return (ctn_driver){
        .kind = "command", .ctx = driver, .begin = begin, .cancel = cancel, .may_still_arrive = may_still_arrive};
}

size_t ctn_command_running(const ctn_command_driver *driver)
{
    return driver->count;
}

/* ---- making and ending ---- */

ctn_command_driver *ctn_command_driver_new(const ctn_command_options *options)
{
    assert(options->loop && options->spawner && options->folder);
    ctn_command_driver *driver = ctn_malloc(sizeof *driver);
    *driver = (ctn_command_driver){.options = *options};
    if (driver->options.grace_ms <= 0)
        driver->options.grace_ms = GRACE_DEFAULT_MS;
    return driver;
}

void ctn_command_driver_free(ctn_command_driver *driver)
{
    if (!driver)
        return;
    while (driver->runs)
        run_free(driver->runs);
    ctn_token_map_done(&driver->tokens);
    free(driver);
}
