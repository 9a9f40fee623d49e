/*
 * transport_stdio.c -- a server as our child: one message a line, through its stdin and stdout.
 *
 * What must hold: a line that is longer than is read costs its own request and no other. Whose answer it is stands at
 * its beginning, or at its end when its result came first; between the two it is only counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"
#include "drivers/mcp/transport.h"
#include "loop/process.h"
#include "wire/jsonrpc.h"

typedef struct stdio_transport {
    ctn_mcp_transport base;
    ctn_process *process;
    size_t line_bytes_max;
    bool wants_tail; /* a line that is skipped: whose answer it is, is not known yet */
    bool is_broken;  /* nothing is told any more but its end */
} stdio_transport;

static void on_line(void *ctx, ctn_str line)
{
    const stdio_transport *t = ctx;
    if (!t->is_broken)
        (void) t->base.events.message(t->base.events.ctx, &(ctn_mcp_arrival){.text = line});
}

static void tell_too_large(const stdio_transport *t, int64_t id)
{
    char why[160];
    size_t bytes = t->line_bytes_max;
    (void) snprintf(why, sizeof why, "its answer is larger than the %zu %s that are read of one%s",
                    bytes < 1 << 20 ? bytes : bytes >> 20, bytes < 1 << 20 ? "bytes" : "MiB",
                    bytes < CTN_RPC_LINE_BYTES_MAX ? " (a larger limits: valueBytes reads more)" : "");
    t->base.events.too_large(t->base.events.ctx, id, why);
}

static void on_line_too_long(void *ctx, ctn_str head)
{
    stdio_transport *t = ctx;
    t->wants_tail = false;
    if (t->is_broken)
        return;
    int64_t id = 0;
    switch (ctn_rpc_peek_head(head, &id)) {
    case CTN_RPC_PEEK_ANSWER: tell_too_large(t, id); break;
    case CTN_RPC_PEEK_OTHER: t->base.events.stray(t->base.events.ctx); break;
    case CTN_RPC_PEEK_UNKNOWN: t->wants_tail = true; break;
    }
}

static void on_line_skipped(void *ctx, ctn_str tail, bool is_endless)
{
    stdio_transport *t = ctx;
    if (t->is_broken)
        return;
    if (is_endless) {
        t->wants_tail = false;
        t->is_broken = true;
        char what[80];
        (void) snprintf(what, sizeof what, "it sent a line of more than %zu MiB", CTN_LINE_SKIP_BYTES_MAX >> 20);
        t->base.events.broken(t->base.events.ctx, what);
        return;
    }
    if (!t->wants_tail)
        return;
    t->wants_tail = false;
    int64_t id = 0;
    if (ctn_rpc_peek_tail(tail, &id) == CTN_RPC_PEEK_OTHER)
        t->base.events.stray(t->base.events.ctx);
    else
        tell_too_large(t, id); /* 0 when it does not tell */
}

static void on_ended(void *ctx, int exit_status)
{
    const stdio_transport *t = ctx;
    char what[64];
    if (exit_status < 0)
        (void) snprintf(what, sizeof what, "it was ended by signal %d", -exit_status);
    else
        (void) snprintf(what, sizeof what, "it ended with exit status %d", exit_status);
    t->base.events.ended(t->base.events.ctx, what, true);
}

/* ---- the interface ---- */

static bool send_line(ctn_mcp_transport *base, const ctn_mcp_letter *letter)
{
    const stdio_transport *t = (stdio_transport *) base;
    return ctn_process_write(t->process, letter->line);
}

static void end(ctn_mcp_transport *base)
{
    const stdio_transport *t = (stdio_transport *) base;
    ctn_process_end(t->process);
}

static ctn_str last_words(const ctn_mcp_transport *base)
{
    return ctn_process_last_words(((const stdio_transport *) base)->process);
}

static int pid(const ctn_mcp_transport *base)
{
    return ctn_process_pid(((const stdio_transport *) base)->process);
}

static void free_transport(ctn_mcp_transport *base)
{
    stdio_transport *t = (stdio_transport *) base;
    ctn_process_free(t->process);
    free(t);
}

int ctn_mcp_stdio_new(const ctn_mcp_stdio_options *options, ctn_mcp_transport **ret_transport, ctn_err *err)
{
    static const ctn_mcp_transport_kind KIND = {
        .is_shared = true,
        .send = send_line,
        .end = end,
        .last_words = last_words,
        .pid = pid,
        .free = free_transport,
    };
    stdio_transport *t = ctn_malloc(sizeof *t);
    *t = (stdio_transport){.base = {.kind = &KIND, .events = options->events},
                           .line_bytes_max = options->line_bytes_max};
    ctn_process_options process = {
        .loop = options->loop,
        .spawner = options->spawner,
        .argv = options->argv,
        .env = options->env,
        .cwd = options->cwd,
        .line_bytes_max = options->line_bytes_max,
        .end_grace_ms = options->end_grace_ms,
        .events = {.line = on_line,
                   .line_too_long = on_line_too_long,
                   .line_skipped = on_line_skipped,
                   .ended = on_ended,
                   .ctx = t},
    };
    int rc = ctn_process_start(&process, &t->process, err);
    if (rc) {
        free(t);
        return rc;
    }
    *ret_transport = &t->base;
    return CTN_OK;
}
