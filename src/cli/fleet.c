/*
 * fleet.c -- see fleet.h. A loop of its own with one timer, which looks: first for the answer, then at the execution.
 */
#include "cli/fleet.h"
#include "cli/view.h"
#include "chain/requires.h"
#include "engine/fold.h"
#include "fleet/desk.h"
#include "host/keyring.h"
#include "host/snapshot.h"
#include "host/tree.h"
#include "loop/loop.h"
#include <signal.h>

#define ANSWER_FIRST_MS 10 /* looks become rarer: twice as long each time, up to the last */
#define ANSWER_LAST_MS  200
#define FOLLOW_MS       200
#define NODES_MS        2000

typedef struct asking {
    const ctn_cli *cli;
    ctn_loop *loop;
    ctn_timer *timer;
    ctn_store *store;
    ctn_view *view;
    ctn_arena *scratch;
    ctn_request_row row; /* on disk */
    int64_t no;
    int64_t look_ms, nodes_at_ms, waits_since_ms;
    ctn_digest hash_last;
    bool follows, was_seen, was_noted;
    ctn_fleet_asked *asked;
    ctn_remote_outcome outcome;
    ctn_err *err;
} asking;

static void finish(asking *a, ctn_remote_outcome outcome)
{
    a->outcome = outcome;
    ctn_loop_stop(a->loop);
}

static int take_living(void *ctx, const ctn_node_row *node)
{
    *(bool *) ctx = *(bool *) ctx || (node->is_live && !node->is_leaving);
    return 0;
}

/* Those whose lease ran out are buried first: they would seem to live. */
static int is_anybody_there(ctn_store *store, bool *ret_is, ctn_err *err)
{
    uint32_t buried;
    *ret_is = false;
    int rc = ctn_store_nodes_bury(store, CTN_SETTLE_MS, &buried, err);
    return rc ? rc : ctn_store_node_list(store, take_living, ret_is, err);
}

/* ---- following ---- */

static bool has_changed(asking *a, const ctn_execution_row *row)
{
    bool has = !a->was_seen || memcmp(&a->hash_last, &row->hash_last, sizeof row->hash_last) != 0;
    a->hash_last = row->hash_last;
    a->was_seen = true;
    return has;
}

static void look_at_execution(asking *a)
{
    ctn_execution_row row;
    ctn_execution *x = NULL;
    if (ctn_store_execution_get(a->store, a->scratch, a->asked->id, &row, NULL))
        return; /* perhaps the connection is being mended */
    bool has = has_changed(a, &row);
    if (has && ctn_execution_load(a->store, a->scratch, &row, &x, NULL) == CTN_OK) {
        ctn_snapshot s = ctn_snapshot_in_store(x, a->store, a->scratch);
        ctn_view_take(a->view, &s);
        ctn_view_note(a->view, s.queued_behind.len ? s.queued_behind : s.waits_for_node);
        if (s.is_stuck)
            finish(a, CTN_REMOTE_DONE);
    }
    ctn_execution_unload(x);
    if (ctn_status_is_final(row.status) || ctn_tree_is_parked(a->store, a->asked->id))
        finish(a, CTN_REMOTE_DONE);
}

static void look_at_nodes(asking *a)
{
    bool is = true;
    int64_t now_ms = ctn_loop_now_ms(a->loop);
    if (now_ms < a->nodes_at_ms)
        return;
    a->nodes_at_ms = now_ms + NODES_MS;
    if (is_anybody_there(a->store, &is, NULL) == CTN_OK && !is)
        finish(a, CTN_REMOTE_LOST);
}

/* ---- the answer ---- */

static void look_for_answer(asking *a)
{
    ctn_request_row row;
    ctn_err err = {0};
    int rc = ctn_store_request_get(a->store, a->scratch, a->row.shard, a->no, &row, &err);
    if (rc == CTN_E_NOT_FOUND) {
        ctn_fail(a->err, rc, "what was asked is on disk no more");
        finish(a, CTN_REMOTE_REFUSED);
    } else if (rc == CTN_OK && row.is_done && row.rc) {
        ctn_fail(a->err, row.rc, "%.*s", CTN_STR_ARG(row.sentence));
        finish(a, CTN_REMOTE_REFUSED);
    } else if (rc == CTN_OK && row.is_done) {
        a->asked->is_acknowledged = true;
        a->look_ms = FOLLOW_MS / 4;
        if (!a->follows)
            finish(a, CTN_REMOTE_DONE);
    }
}

static void look(void *ctx)
{
    asking *a = ctx;
    ctn_arena_reset(a->scratch);
    a->outcome = CTN_REMOTE_UNREACHABLE;
    if (!a->asked->is_acknowledged)
        look_for_answer(a);
    else
        look_at_execution(a);
    if (a->outcome == CTN_REMOTE_UNREACHABLE)
        look_at_nodes(a);
    int64_t last_ms = a->asked->is_acknowledged ? FOLLOW_MS : ANSWER_LAST_MS;
    a->look_ms = a->look_ms * 2 > last_ms ? last_ms : a->look_ms * 2;
    ctn_timer_set(a->timer, ctn_loop_now_ms(a->loop) + a->look_ms);
}

static void on_signal(void *ctx)
{
    finish(ctx, CTN_REMOTE_INTERRUPTED);
}

static void wait_for_it(asking *a)
{
    a->loop = ctn_loop_new();
    a->timer = ctn_timer_new(a->loop, look, a);
    ctn_signal *signals[] = {ctn_signal_new(a->loop, SIGINT, on_signal, a),
                             ctn_signal_new(a->loop, SIGTERM, on_signal, a)};
    if (a->follows)
        a->view = ctn_view_new(a->cli, a->loop);
    a->look_ms = ANSWER_FIRST_MS;
    a->nodes_at_ms = ctn_loop_now_ms(a->loop) + NODES_MS;
    ctn_timer_set(a->timer, ctn_loop_now_ms(a->loop));
    ctn_loop_run(a->loop);
    ctn_view_end(a->view);
    ctn_signal_free(signals[0]);
    ctn_signal_free(signals[1]);
    ctn_timer_free(a->timer);
    ctn_loop_free(a->loop);
}

/* ---- the question ---- */

/* Everything that can be refused is refused before anything is on disk but definitions. */
static int put(asking *a, ctn_seal *seal, ctn_request *q, ctn_err *err)
{
    int rc = q->op == CTN_REQUEST_START ? ctn_request_put_definitions(q, a->store, a->scratch, err) : CTN_OK;
    if (rc == CTN_OK)
        rc = ctn_desk_check_sealed(a->store, seal, q, a->scratch, err);
    if (rc == CTN_OK)
        rc = ctn_request_to_row(q, seal, a->row.shard, a->cli->arena, &a->row, err);
    return rc ? rc : ctn_store_requests_put(a->store, &a->row, 1, &a->no, err);
}

/* Nobody is there: whoever does it himself takes this shard. */
static ctn_remote_outcome ask(asking *a, const ctn_workspace *ws, ctn_request *q, ctn_err *err)
{
    bool is_there = false, is_anywhere = false;
    int rc = is_anybody_there(a->store, &is_there, err);
    if (rc == CTN_OK)
        rc = ctn_desk_place(a->store, ctn_clock_system(), q, q->plan, a->scratch, &a->row.shard, &is_anywhere, err);
    if (rc)
        return CTN_REMOTE_REFUSED;
    a->asked->id = q->id;
    a->asked->shard = is_anywhere && !q->idempotency_key.len ? UINT32_MAX : a->row.shard;
    bool begins_here = q->op == CTN_REQUEST_START && a->follows && !q->is_queued;
    if (!is_there && begins_here && !ctn_labels_meet(ws->config->node_labels, q->plan->requires)) {
        ctn_fail(
            err, CTN_E_UNSUPPORTED,
            "chain '%.*s' requires a node with the labels %.*s: no node lives, and this machine does not have them "
            "(`node: {labels}` in catena.yaml)",
            CTN_STR_ARG(q->plan->chain_id), CTN_STR_ARG(q->plan->requires_text));
        return CTN_REMOTE_REFUSED;
    }
    if (q->op == CTN_REQUEST_START && !a->follows) {
        ctn_str lack = ctn_told_lack_of_labels(q->plan, a->store, a->scratch);
        if (lack.len)
            ctn_cli_say(a->cli, "it %.*s", CTN_STR_ARG(lack));
    }
    if (!is_there)
        return CTN_REMOTE_UNREACHABLE;
    ctn_config_keyring *keyring = ctn_config_keyring_new(ws->config, (ctn_teller){0});
    rc = put(a, ctn_config_keyring_seal(keyring), q, err);
    ctn_config_keyring_free(keyring);
    return rc ? CTN_REMOTE_REFUSED : CTN_REMOTE_DONE;
}

ctn_remote_outcome ctn_fleet_do(const ctn_cli *cli, const ctn_workspace *ws, ctn_request *q, bool follows,
                                ctn_fleet_asked *asked, ctn_err *err)
{
    asking a = {.cli = cli, .follows = follows, .asked = asked, .err = err};
    asked->is_acknowledged = !q;
    ctn_store_mode mode = q && q->op == CTN_REQUEST_START ? CTN_STORE_CREATE : CTN_STORE_WRITE;
    if (ctn_store_open(ws->store_url, mode, &a.store, err))
        return CTN_REMOTE_REFUSED;
    a.scratch = ctn_arena_new(65536);
    a.outcome = q ? ask(&a, ws, q, err) : CTN_REMOTE_DONE;
    if (a.outcome == CTN_REMOTE_DONE)
        wait_for_it(&a);
    ctn_arena_free(a.scratch);
    ctn_store_close(a.store);
    return a.outcome;
}
