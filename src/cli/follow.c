/*
 * follow.c -- see follow.h.
 */
#include "cli/follow.h"
#include "cli/fleet.h"
#include "cli/named.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "cli/view.h"
#include "engine/fold.h"
#include "host/prepare.h"
#include "host/snapshot.h"
#include <stdio.h>
#include <unistd.h>

#define REACH_TRIES   200
#define REACH_WAIT_US 50000
#define EARLY_MAX     16
#define LONG_WAIT_MS  60000

/* ---- as the owner ---- */

typedef struct local {
    const ctn_cli *cli;
    ctn_host *host;
    ctn_view *view;
    ctn_arena *scratch;
    ctn_execution_id id;
    bool has_id, is_acknowledged;
    int ack_rc;
    ctn_err err;
    ctn_status status_told; /* what is on disk */
    bool was_status_told;
    bool waits_for_child; /* when it was seen last; then it is out of memory while the child works */
    /* A start learns its id from the acknowledgement, which comes right behind the first events. */
    ctn_execution_id early_ids[EARLY_MAX];
    ctn_status early_statuses[EARLY_MAX];
    size_t early_count;
    char queued_behind[300]; /* what holds it back while it is queued */
    /* A long wait that an answer would end, here or in a sub-chain. Empty: none. */
    char waits[400];
    ctn_execution_id waits_in;
    char waits_step[64];
} local;

static void keep_early(local *l, const ctn_engine_event *event)
{
    if (event->kind != CTN_EVENT_STATUS)
        return;
    size_t i = l->early_count++ % EARLY_MAX;
    l->early_ids[i] = ctn_execution_id_of(event->execution);
    l->early_statuses[i] = event->status;
}

/* A wait ends by itself, so nobody is asked; who could answer is told how all the same, when it is a long one. */
static void keep_wait(local *l, const ctn_engine_event *event)
{
    ctn_execution_id id = ctn_execution_id_of(event->execution);
    uint32_t step = ctn_plan_step_index(ctn_execution_plan(event->execution), event->step);
    if (step == CTN_PLAN_NONE)
        return;
    ctn_step_view v = ctn_execution_step(event->execution, step);
    bool is_wait = v.status == CTN_STEP_WAITING && v.waits_for_time && !v.wants_approval && !v.waits_for_child;
    if (is_wait && v.due_ms > ctn_cli_now_ms() + LONG_WAIT_MS) {
        ctn_str answer =
            ctn_cli_command(l->cli, "answer %s %.*s JSON", ctn_id_to_text(id).text, CTN_STR_ARG(event->step));
        snprintf(l->waits, sizeof l->waits, "%.*s waits until %s; to end it sooner: %.*s", CTN_STR_ARG(event->step),
                 ctn_moment_text(v.due_ms).text, CTN_STR_ARG(answer));
        snprintf(l->waits_step, sizeof l->waits_step, "%.*s", CTN_STR_ARG(event->step));
        l->waits_in = id;
    } else if (l->waits[0] && ctn_id_equal(id, l->waits_in) && ctn_str_is(event->step, l->waits_step)) {
        l->waits[0] = '\0';
    }
}

static void on_event(void *ctx, const ctn_engine_event *event)
{
    local *l = ctx;
    ctn_arena_reset(l->scratch);
    if (event->kind == CTN_EVENT_ENTRY && event->step.len)
        keep_wait(l, event);
    if (!l->has_id) {
        keep_early(l, event);
        return;
    }
    if (!ctn_id_equal(ctn_execution_id_of(event->execution), l->id))
        return;
    uint32_t step =
        event->step.len ? ctn_plan_step_index(ctn_execution_plan(event->execution), event->step) : CTN_PLAN_NONE;
    if (event->kind == CTN_EVENT_PROGRESS) {
        ctn_view_progress(l->view, event->step, event->progress, event->total, event->message);
    } else if (event->kind == CTN_EVENT_STATUS) {
        l->status_told = event->status;
        l->was_status_told = true;
        ctn_snapshot s = ctn_snapshot_of(event->execution, l->scratch);
        l->waits_for_child = ctn_snapshot_waits_for_child(&s);
        ctn_view_take(l->view, &s);
    } else if (step != CTN_PLAN_NONE) {
        ctn_snapshot_step s = ctn_snapshot_step_of(event->execution, step, l->scratch);
        ctn_view_take_step(l->view, &s);
    }
}

static void show_all(local *l)
{
    const ctn_execution *x = ctn_engine_find(ctn_host_engine(l->host), l->id);
    if (!x)
        return;
    ctn_arena_reset(l->scratch);
    ctn_snapshot s = ctn_snapshot_of(x, l->scratch);
    l->waits_for_child = ctn_snapshot_waits_for_child(&s);
    ctn_view_take(l->view, &s);
}

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    local *l = ctx;
    l->is_acknowledged = true;
    l->ack_rc = rc;
    if (rc && err)
        l->err = *err;
    if (rc == CTN_OK) {
        for (size_t i = 0; i < EARLY_MAX && i < l->early_count; i++)
            if (ctn_id_equal(l->early_ids[i], id)) {
                l->status_told = l->early_statuses[i];
                l->was_status_told = true;
            }
        l->id = id;
        l->has_id = true;
        show_all(l);
    }
}

static void note_store(local *l)
{
    ctn_str why = {0};
    bool is_failing = ctn_engine_store_failing_since_ms(ctn_host_engine(l->host), &why) != 0;
    if (l->view && is_failing)
        ctn_view_note(l->view,
                      ctn_arena_printf(l->scratch, "the store cannot be written, nothing goes on until it can: %.*s",
                                       CTN_STR_ARG(why)));
    else
        ctn_view_note(l->view, ctn_str_from(l->queued_behind[0] ? l->queued_behind : l->waits));
}

static bool is_acknowledged(void *ctx)
{
    local *l = ctx;
    note_store(l);
    return l->is_acknowledged;
}

/* It waits for its turn. That comes while whoever has it is here too; nobody else is there to go on with it. */
static bool is_stuck_in_line(local *l, const ctn_execution *x)
{
    ctn_execution_id holder;
    ctn_arena_reset(l->scratch);
    ctn_snapshot s = {.id = ctn_execution_id_of(x), .status = CTN_STATUS_QUEUED};
    bool is_held = ctn_snapshot_look_at_line(&s, ctn_host_store(l->host), l->scratch, &holder);
    bool is_stuck = is_held && (s.is_stuck || !ctn_engine_find(ctn_host_engine(l->host), holder));
    if (!is_stuck) { /* else it is said at the end */
        snprintf(l->queued_behind, sizeof l->queued_behind, "%.*s", CTN_STR_ARG(s.queued_behind));
        note_store(l);
    }
    return is_stuck;
}

static bool is_over(void *ctx)
{
    local *l = ctx;
    const ctn_execution *x = ctn_engine_find(ctn_host_engine(l->host), l->id);
    if (l->queued_behind[0] && (!x || ctn_execution_status(x) != CTN_STATUS_QUEUED))
        l->queued_behind[0] = '\0';
    note_store(l);
    if (!x && l->waits_for_child && l->is_acknowledged) /* over when nothing is left that could bring it back */
        return ctn_engine_is_idle(ctn_host_engine(l->host));
    if (!x || (l->was_status_told && ctn_status_is_final(l->status_told)))
        return l->is_acknowledged && !ctn_engine_is_following_up(ctn_host_engine(l->host), l->id);
    ctn_status status = ctn_execution_status(x);
    if (l->is_acknowledged && status == CTN_STATUS_QUEUED)
        return is_stuck_in_line(l, x);
    if (!l->was_status_told || status != l->status_told || status == CTN_STATUS_RUNNING ||
        status == CTN_STATUS_COMPENSATING)
        return false;
    ctn_arena_reset(l->scratch);
    ctn_snapshot s = ctn_snapshot_of(x, l->scratch);
    return ctn_snapshot_is_parked(&s);
}

/* What can go on and is not in memory: an execution that an idempotency key found, or that a crash left. */
static bool needs_adoption(local *l)
{
    ctn_execution_row row;
    if (ctn_engine_find(ctn_host_engine(l->host), l->id))
        return false;
    ctn_arena_reset(l->scratch);
    return ctn_store_execution_get(ctn_host_store(l->host), l->scratch, l->id, &row, NULL) == CTN_OK &&
           (row.status == CTN_STATUS_QUEUED || row.status == CTN_STATUS_RUNNING ||
            row.status == CTN_STATUS_COMPENSATING);
}

static bool wait_for_ack(local *l)
{
    return l->is_acknowledged || ctn_host_run(l->host, is_acknowledged, l);
}

/* The servers that it calls can be started: found out before anything is changed. */
static int prepare(ctn_cli *cli, const ctn_workspace *ws, ctn_host *host, const ctn_request *q, ctn_err *err)
{
    if (q->op == CTN_REQUEST_START)
        return q->is_queued ? CTN_OK : ctn_prepare(host, q->plan, err);
    if (q->op == CTN_REQUEST_SET || q->op == CTN_REQUEST_PAUSE || q->op == CTN_REQUEST_RELEASE ||
        q->op == CTN_REQUEST_DISCARD)
        return CTN_OK;
    ctn_store *store = NULL;
    ctn_execution_row row;
    ctn_execution *x = NULL;
    ctn_arena *arena = ctn_arena_new(65536);
    int rc = ctn_store_open(ws->store_url, CTN_STORE_READ, &store, err);
    if (rc == CTN_OK)
        rc = ctn_store_execution_get(store, arena, q->id, &row, err);
    if (rc == CTN_OK && !ctn_status_is_final(row.status)) {
        rc = ctn_execution_load(store, arena, &row, &x, err);
        if (rc == CTN_OK)
            rc = ctn_workspace_check_servers(ws, cli->arena, ctn_execution_plan(x), err);
        if (rc == CTN_OK)
            rc = ctn_prepare(host, ctn_execution_plan(x), err);
    }
    ctn_store_close(store);
    ctn_execution_unload(x);
    ctn_arena_free(arena);
    return rc;
}

static int say_interrupted(const ctn_cli *cli, const local *l)
{
    if (l->has_id)
        ctn_cli_say(cli, "stopped; nothing is lost. Go on: %.*s%s%s",
                    CTN_STR_ARG(ctn_cli_command(cli, "resume %s", ctn_id_to_text(l->id).text)),
                    l->waits[0] ? "\ncatena: " : "", l->waits);
    else
        ctn_cli_say(cli, "stopped before anything was begun");
    return CTN_EXIT_INTERRUPTED;
}

/* *ret_is_late: the store was not there when we looked, and whoever made it meanwhile owns it; nothing was asked. */
static int do_here(ctn_cli *cli, const ctn_workspace *ws, ctn_host *host, ctn_request *q, bool follows,
                   ctn_execution_id *ret_id, bool *ret_is_late)
{
    local l = {.cli = cli, .host = host, .scratch = ctn_arena_new(16384), .id = q->id};
    l.has_id = q->op != CTN_REQUEST_START;
    int rc = prepare(cli, ws, host, q, &l.err);
    if (rc == CTN_OK)
        rc = ctn_host_own(host, q->op == CTN_REQUEST_START ? CTN_STORE_CREATE : CTN_STORE_WRITE, false, &l.err);
    if (rc == CTN_OK)
        rc = ctn_host_join(host, (ctn_str){0}, &l.err);
    *ret_is_late = rc == CTN_E_BUSY;
    bool goes_on = rc == CTN_OK;
    if (goes_on) {
        ctn_host_listen(host, on_event, &l);
        if (follows)
            l.view = ctn_view_new(cli, ctn_host_loop(host));
        ctn_desk_file(ctn_host_desk(host), q, on_ack, &l);
        goes_on = wait_for_ack(&l);
        rc = l.ack_rc;
    }
    if (goes_on && rc == CTN_OK && follows && needs_adoption(&l)) {
        l.is_acknowledged = false;
        ctn_engine_adopt(ctn_host_engine(host), l.id, on_ack, &l);
        goes_on = wait_for_ack(&l);
        rc = l.ack_rc;
    }
    if (goes_on && rc == CTN_OK && follows)
        goes_on = ctn_host_run(host, is_over, &l);
    bool was_interrupted = !goes_on && ctn_host_signal(host) != 0;
    ctn_view_end(l.view);
    l.view = NULL;
    if (was_interrupted && ctn_host_engine(host) && !ctn_engine_is_quiet(ctn_host_engine(host)))
        ctn_cli_say(cli, "stopping; calls in flight have 5 s (Ctrl-C again: at once)");
    ctn_host_close(host);
    ctn_arena_free(l.scratch);
    *ret_id = l.id;
    if (was_interrupted)
        return say_interrupted(cli, &l);
    if (*ret_is_late)
        return CTN_EXIT_USAGE;
    if (rc) {
        int exit_code = ctn_cli_fail_err(cli, &l.err);
        if (l.has_id && rc == CTN_E_CORRUPT)
            ctn_cli_say(cli, "how it stands, and what can be done: %.*s",
                        CTN_STR_ARG(ctn_cli_command(cli, "show %s", ctn_id_to_text(l.id).text)));
        return exit_code;
    }
    return follows ? ctn_report(cli, ws, l.id) : CTN_EXIT_OK;
}

/* ---- at the owner ---- */

/* What came of asking others, told. False: they are gone, or not to be reached yet; try again. */
static bool is_told(ctn_cli *cli, const ctn_workspace *ws, ctn_request *q, bool follows, ctn_remote_outcome outcome,
                    ctn_execution_id id, bool is_acknowledged, const ctn_err *err, ctn_execution_id *ret_id,
                    int *ret_exit_code)
{
    switch (outcome) {
    case CTN_REMOTE_DONE:
        *ret_id = id;
        *ret_exit_code = follows ? ctn_report(cli, ws, id) : CTN_EXIT_OK;
        return true;
    case CTN_REMOTE_REFUSED: *ret_exit_code = ctn_cli_fail_err(cli, err); return true;
    case CTN_REMOTE_INTERRUPTED:
        if (is_acknowledged || q->op != CTN_REQUEST_START)
            ctn_cli_say(cli, "no longer followed; the store's owner goes on with it. See: %.*s",
                        CTN_STR_ARG(ctn_cli_command(cli, "watch %s", ctn_id_to_text(id).text)));
        else
            ctn_cli_say(cli, "stopped; whether it was started: %.*s", CTN_STR_ARG(ctn_cli_command(cli, "list")));
        *ret_exit_code = CTN_EXIT_INTERRUPTED;
        return true;
    case CTN_REMOTE_UNREACHABLE: return false;
    case CTN_REMOTE_LOST: break;
    }
    if (!is_acknowledged && q->op == CTN_REQUEST_START && !q->idempotency_key.len) {
        *ret_exit_code = ctn_cli_fail(cli, "the store's owner ended before it answered; whether it was started: %.*s",
                                      CTN_STR_ARG(ctn_cli_command(cli, "list")));
        return true;
    }
    if (is_acknowledged) { /* what was asked for is on disk: now it only has to go on */
        ctn_request_drop_plan(q);
        *q = (ctn_request){.op = CTN_REQUEST_RESUME, .id = id, .actor = q->actor};
    }
    return false;
}

static bool do_there(ctn_cli *cli, const ctn_workspace *ws, ctn_request *q, bool follows, size_t tries,
                     const ctn_err *busy, ctn_execution_id *ret_id, int *ret_exit_code)
{
    ctn_execution_id id = q->id;
    ctn_err err = {0};
    bool is_acknowledged = false;
    ctn_remote_outcome outcome = ctn_remote_do(cli, ws, q, follows, &id, &is_acknowledged, &err);
    if (outcome == CTN_REMOTE_UNREACHABLE && tries >= REACH_TRIES) {
        *ret_exit_code = ctn_cli_fail(cli, "%s, which does not answer on %s", busy->message, ctn_workspace_socket(ws));
        return true;
    }
    return is_told(cli, ws, q, follows, outcome, id, is_acknowledged, &err, ret_id, ret_exit_code);
}

/* ---- in a fleet ---- */

/* False: try again. */
static bool do_in_fleet(ctn_cli *cli, const ctn_workspace *ws, ctn_request *q, bool follows, ctn_execution_id *ret_id,
                        int *ret_exit_code)
{
    ctn_fleet_asked asked = {.id = q->id};
    ctn_err err = {0};
    bool is_late = false;
    ctn_remote_outcome outcome = ctn_fleet_do(cli, ws, q, follows, &asked, &err);
    if (outcome == CTN_REMOTE_LOST && !asked.is_acknowledged) {
        *ret_exit_code = ctn_cli_fail(cli,
                                      "no node lives any more; what was asked of %s is on disk, and is done as soon as "
                                      "one serves: catena serve",
                                      ctn_id_to_text(asked.id).text);
        return true;
    }
    if (outcome != CTN_REMOTE_UNREACHABLE)
        return is_told(cli, ws, q, follows, outcome, asked.id, asked.is_acknowledged, &err, ret_id, ret_exit_code);
    ctn_host *host = ctn_cli_host(cli, ws);
    ctn_host_join_for_one(host, asked.shard);
    *ret_exit_code = do_here(cli, ws, host, q, follows, ret_id, &is_late);
    return !is_late; /* late: somebody else took the shard meanwhile */
}

int ctn_follow(ctn_cli *cli, const ctn_workspace *ws, ctn_request *q, bool follows, ctn_execution_id *ret_id)
{
    int exit_code = CTN_EXIT_USAGE;
    for (size_t tries = 0;; tries++) {
        ctn_err err = {0};
        if (ws->is_fleet) {
            if (do_in_fleet(cli, ws, q, follows, ret_id, &exit_code))
                break;
            continue;
        }
        ctn_host *host = ctn_cli_host(cli, ws);
        int rc = ctn_host_lock(host, &err);
        if (rc == CTN_OK) {
            bool is_late = false;
            exit_code = do_here(cli, ws, host, q, follows, ret_id, &is_late);
            if (!is_late)
                break;
            usleep(REACH_WAIT_US);
            continue;
        }
        ctn_loop_poll(ctn_host_loop(host)); /* Ctrl-C while we found out */
        int signal_came = ctn_host_signal(host);
        ctn_host_close(host);
        if (signal_came) {
            ctn_cli_say(cli, "stopped before anything was asked for");
            exit_code = CTN_EXIT_INTERRUPTED;
            break;
        }
        if (rc != CTN_E_BUSY) {
            exit_code = ctn_cli_fail_err(cli, &err);
            break;
        }
        if (do_there(cli, ws, q, follows, tries, &err, ret_id, &exit_code))
            break;
        usleep(REACH_WAIT_US);
    }
    ctn_request_drop_plan(q);
    return exit_code;
}
