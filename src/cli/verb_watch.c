/*
 * verb_watch.c -- `watch`: an execution followed, without doing anything to it.
 */
#include "cli/fleet.h"
#include "cli/named.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "cli/view.h"
#include "engine/fold.h"
#include "host/snapshot.h"
#include "host/tree.h"
#include <unistd.h>

#define POLL_MS 300

typedef struct polling {
    ctn_cli *cli;
    const ctn_workspace *ws;
    ctn_host *host;
    ctn_view *view;
    ctn_timer *timer;
    ctn_execution_id id;
    bool is_over, is_reachable, was_told;
} polling;

static void poll_store(void *ctx)
{
    polling *p = ctx;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_store *store = NULL;
    ctn_execution_row row;
    ctn_execution *x = NULL;
    if (ctn_store_open(p->ws->store_url, CTN_STORE_READ, &store, NULL) == CTN_OK &&
        ctn_store_execution_get(store, arena, p->id, &row, NULL) == CTN_OK &&
        ctn_execution_load(store, arena, &row, &x, NULL) == CTN_OK) {
        ctn_snapshot s = ctn_snapshot_of(x, arena);
        ctn_view_take(p->view, &s);
        p->is_over = ctn_status_is_final(s.status) || ctn_tree_is_parked(store, p->id);
    }
    ctn_store_close(store);
    ctn_execution_unload(x);
    ctn_arena_free(arena);
    if (!p->is_over && !p->was_told) {
        p->was_told = true;
        ctn_view_note(p->view,
                      ctn_arena_printf(p->cli->arena, "nobody advances it now; go on: %.*s",
                                       CTN_STR_ARG(ctn_cli_command(p->cli, "resume %s", ctn_id_to_text(p->id).text))));
    }
    ctn_timer_set(p->timer, ctn_loop_now_ms(ctn_host_loop(p->host)) + POLL_MS);
}

static bool is_polled_enough(void *ctx)
{
    polling *p = ctx;
    const char *path = ctn_workspace_socket(p->ws);
    int fd = -1;
    if (path && ctn_socket_connect(path, &fd, NULL) == CTN_OK) {
        (void) close(fd);
        p->is_reachable = true;
    }
    return p->is_over || p->is_reachable;
}

/* Nobody owns the store: looks at the file until somebody does. False: a signal. */
static bool watch_file(ctn_cli *cli, const ctn_workspace *ws, ctn_execution_id id, bool *ret_is_over)
{
    polling p = {.cli = cli, .ws = ws, .id = id};
    p.host = ctn_cli_host(cli, ws);
    p.view = ctn_view_new(cli, ctn_host_loop(p.host));
    p.timer = ctn_timer_new(ctn_host_loop(p.host), poll_store, &p);
    ctn_timer_set(p.timer, ctn_loop_now_ms(ctn_host_loop(p.host)));
    bool goes_on = ctn_host_run(p.host, is_polled_enough, &p);
    ctn_view_end(p.view);
    ctn_timer_free(p.timer);
    ctn_host_close(p.host);
    *ret_is_over = p.is_over;
    return goes_on;
}

static int run_watch(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_execution_row row;
    int exit_code = ctn_cli_find(cli, &ws, &row);
    if (exit_code)
        return exit_code;
    bool is_over = ctn_status_is_final(row.status);
    while (!is_over) {
        ctn_err err = {0};
        bool ignored;
        ctn_fleet_asked asked = {.id = row.id};
        switch (ws.is_fleet ? ctn_fleet_do(cli, &ws, NULL, true, &asked, &err)
                            : ctn_remote_do(cli, &ws, NULL, true, &row.id, &ignored, &err)) {
        case CTN_REMOTE_DONE: is_over = true; break;
        case CTN_REMOTE_REFUSED: return ctn_cli_fail_err(cli, &err);
        case CTN_REMOTE_INTERRUPTED: return CTN_EXIT_INTERRUPTED;
        case CTN_REMOTE_LOST:
        case CTN_REMOTE_UNREACHABLE:
            if (!watch_file(cli, &ws, row.id, &is_over))
                return CTN_EXIT_INTERRUPTED;
            break;
        }
    }
    return ctn_report(cli, &ws, row.id);
}

const ctn_verb ctn_verb_watch = {
    .name = "watch",
    .operands = "ID",
    .summary = "Follow an execution that another process advances",
    .details =
        CTN_ABOUT_ID "\nIt watches and nothing else: Ctrl-C ends the watching, not the execution.\n\n" CTN_ABOUT_FOLLOW,
    .options = CTN_OPTS_RUN,
    .words_min = 1,
    .words_max = 1,
    .run = run_watch,
};
