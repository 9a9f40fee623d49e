/*
 * process.h -- one running child that speaks in lines: its lines in and out, its last words, its orderly end.
 *
 * `ended` is told once, when the process is gone and what it had written has been read (a grandchild that
 * keeps the pipes open is waited for a moment only). So an answer that was written before death still counts, and
 * after `ended` nothing that was sent to it can happen any more.
 *
 * Ownership  free kills what still runs; no event comes after it. Free is allowed inside `ended`.
 */
#pragma once
#include "loop/spawn.h"

typedef struct ctn_process ctn_process;
typedef struct ctn_process_events {
    void (*line)(void *ctx, ctn_str line);
    void (*line_too_long)(void *ctx, ctn_str head);                 /* as in loop.h */
    void (*line_skipped)(void *ctx, ctn_str tail, bool is_endless); /* may be NULL */
    void (*ended)(void *ctx, int exit_status);                      /* as ctn_spawn_options.exited */
    void *ctx;
} ctn_process_events;

typedef struct ctn_process_options {
    ctn_loop *loop;
    ctn_spawner *spawner;
    const char *const *argv;
    const char *const *env;
    const char *cwd;
    size_t line_bytes_max;
    int64_t end_grace_ms;
    ctn_process_events events;
} ctn_process_options;

int ctn_process_start(const ctn_process_options *options, ctn_process **ret_process, ctn_err *err);
/* False: it does not read, and too much waits already. */
bool ctn_process_write(ctn_process *process, ctn_str line);
/* Closes stdin, then SIGTERM, then SIGKILL, a grace apart; `ended` follows. */
void ctn_process_end(ctn_process *process);
/* SIGKILL now; `ended` follows. */
void ctn_process_kill(ctn_process *process);
int ctn_process_pid(const ctn_process *process);
/* The last line with anything in it that came from stderr, at most 300 bytes of it; empty: none. */
ctn_str ctn_process_last_words(const ctn_process *process);
void ctn_process_free(ctn_process *process); /* NULL is fine */
