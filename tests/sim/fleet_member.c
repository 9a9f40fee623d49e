/*
 * fleet_member.c -- what a node of a fleet's world asks of the store about its lease and its shards: one question at a
 * time, each with a way there and a way back on which a link may be cut. What it asks for is decided by the product
 * (fleet/balance.h).
 *
 * A question that was not answered may have been done. So what the store says of this node in a beat counts: if it has
 * more shards than the node knows of, it asks which (OP_RECOVER).
 */
#include "sim/fleet_state.h"

#include <string.h>

#define RETRY_MS 300

static void look_in(life *l, int64_t boot_ms)
{
    l->look_at_ms = fleet_at_ms(l) + fleet_after_ms(l, boot_ms);
    fleet_event(l->w, EVENT_LOOK, l, l->look_at_ms);
}

/* ---- on the way there ---- */

static void send_op(life *l, op_kind kind)
{
    fleet *w = l->w;
    int64_t sent_at_ms = fleet_at_ms(l);
    l->op.kind = kind;
    l->op.rc = CTN_E_IO; /* unless the store says something else */
    l->op.number = ++w->op_number;
    l->op.sent_at_boot_ms = fleet_boot_ms(l);
    int64_t way_ms = chance_percent(&w->of_links, 90) ? chance_between(&w->of_links, 0, 2)
                                                      : chance_between(&w->of_links, 2, w->is_calm ? 20 : 700);
    fleet_event(w, EVENT_OP, l, sent_at_ms + way_ms)->number = l->op.number;
    fleet_event(w, EVENT_OP_ANSWER, l, sent_at_ms + ANSWER_WAIT_MS)->number = l->op.number;
}

void fleet_look(life *l)
{
    if (l->op.kind)
        return; /* its answer looks on */
    if (!l->incarnation)
        send_op(l, OP_JOIN);
    else if (l->is_leaving && !ctn_shard_set_count(&l->held) && ctn_engine_is_quiet(l->engine))
        send_op(l, OP_LEAVE);
    else
        send_op(l, OP_BEAT);
}

/* ---- at the store ---- */

static void join(life *l)
{
    fleet *w = l->w;
    char name[16];
    ctn_err err = {0};
    snprintf(name, sizeof name, "node-%d", l->node);
    ctn_node_row row = {.name = ctn_str_from(name),
                        .version = CTN_STR("sim"),
                        .labels = l->has_label ? CTN_STR("{\"gpu\":true}") : CTN_STR("{}")};
    l->op.rc = ctn_store_node_join(l->inner, &row, TERM_MS, &l->op.incarnation, &err);
    if (l->op.rc == CTN_OK)
        fleet_tell(
            w, &(history_event){.kind = HISTORY_JOINED, .node = l->op.incarnation, .until_ms = w->now_ms + TERM_MS});
    else if (l->op.rc != CTN_E_EXISTS)
        BROKEN(w, "a node may not join: %s", err.message);
}

static void beat(life *l)
{
    fleet *w = l->w;
    ctn_err err = {0};
    ctn_arena_free(l->beat_arena);
    l->beat_arena = ctn_arena_new(4096);
    l->op.rc = ctn_store_node_beat(l->inner, l->incarnation, TERM_MS, l->is_leaving, l->beat_arena, &l->op.beat, &err);
    if (l->op.rc == CTN_OK)
        fleet_tell(w, &(history_event){.kind = HISTORY_BEAT, .node = l->incarnation, .until_ms = w->now_ms + TERM_MS});
    else if (l->op.rc != CTN_E_STALE)
        BROKEN(w, "a beat fails: %s", err.message);
}

typedef struct dead_list {
    int64_t nodes[64];
    int count;
} dead_list;

static int note_living(void *ctx, const ctn_node_row *row)
{
    dead_list *living = ctx;
    if (row->is_live && living->count < 64)
        living->nodes[living->count++] = row->incarnation;
    return 0;
}

static bool is_in(const dead_list *list, int64_t incarnation)
{
    for (int i = 0; i < list->count; i++)
        if (list->nodes[i] == incarnation)
            return true;
    return false;
}

static void bury(life *l)
{
    fleet *w = l->w;
    ctn_err err = {0};
    dead_list before = {0}, after = {0};
    uint32_t buried = 0;
    (void) ctn_store_node_list(w->inner, note_living, &before, NULL);
    l->op.rc = ctn_store_nodes_bury(l->inner, SETTLE_MS, &buried, &err);
    (void) ctn_store_node_list(w->inner, note_living, &after, NULL);
    if (l->op.rc)
        BROKEN(w, "a burial fails: %s", err.message);
    for (int i = 0; i < before.count; i++)
        if (!is_in(&after, before.nodes[i])) {
            COUNT(w, FLEET_BURIALS);
            fleet_tell(w, &(history_event){.kind = HISTORY_BURIED, .node = before.nodes[i], .at_ms = w->now_ms});
        }
}

static void tell_taken(life *l, const ctn_shard_lease *lease)
{
    COUNT(l->w, FLEET_TAKES);
    l->w->report->counts[FLEET_TAKEOVERS] += lease->was_crash;
    fleet_tell(l->w, &(history_event){.kind = HISTORY_TAKEN,
                                      .node = l->incarnation,
                                      .shard = lease->shard,
                                      .epoch = lease->epoch,
                                      .was_crash = lease->was_crash});
}

static void take(life *l)
{
    ctn_err err = {0};
    l->op.rc = ctn_store_shards_take(l->inner, l->incarnation, &l->op.which, l->op.count, l->op.leases,
                                     &l->op.lease_count, &err);
    for (uint32_t i = 0; l->op.rc == CTN_OK && i < l->op.lease_count; i++)
        tell_taken(l, &l->op.leases[i]);
    if (l->op.rc && l->op.rc != CTN_E_STALE)
        BROKEN(l->w, "free shards cannot be taken: %s", err.message);
}

static void recover(life *l)
{
    ctn_err err = {0};
    l->op.rc = ctn_store_shards_recover(l->inner, l->incarnation, &l->held, l->op.leases, &l->op.lease_count, &err);
}

static void release(life *l)
{
    ctn_err err = {0};
    l->op.rc = ctn_store_shards_release(l->inner, l->incarnation, &l->op.which, &err);
    for (uint32_t i = 0; l->op.rc == CTN_OK && i < SHARDS; i++)
        if (ctn_shard_set_has(&l->op.which, i))
            fleet_tell(l->w, &(history_event){.kind = HISTORY_RELEASED, .node = l->incarnation, .shard = i});
    if (l->op.rc && l->op.rc != CTN_E_STALE)
        BROKEN(l->w, "shards cannot be given back: %s", err.message);
}

static void leave(life *l)
{
    ctn_err err = {0};
    l->op.rc = ctn_store_node_leave(l->inner, l->incarnation, &err);
    if (l->op.rc == CTN_OK)
        fleet_tell(l->w, &(history_event){.kind = HISTORY_LEFT, .node = l->incarnation});
    else if (l->op.rc != CTN_E_STALE)
        BROKEN(l->w, "a good-bye fails: %s", err.message);
}

static int note_request(void *ctx, const ctn_request_row *row)
{
    life *l = ctx;
    op *o = &l->op;
    int64_t what = 0;
    bool is_persons = ctn_str_to_int64(row->body, &what);
    ctn_request_row *kept = NULL;
    if (!is_persons) {
        kept = CTN_NEW(l->w->arena, ctn_request_row);
        *kept = *row;
        kept->body = ctn_arena_str(l->w->arena, row->body);
        kept->kind = kept->sentence = (ctn_str){0};
    }
    if (o->request_count < REQUESTS_MAX)
        o->requests[o->request_count++] = (request_read){.no = row->no,
                                                         .shard = row->shard,
                                                         .is_start = ctn_str_is(row->kind, "start"),
                                                         .what = (int) what,
                                                         .row = kept};
    return 0;
}

static void requests(life *l)
{
    ctn_err err = {0};
    l->op.request_count = 0;
    l->op.rc = ctn_store_requests_waiting(l->inner, 0, REQUESTS_MAX, note_request, l, &err);
    if (l->op.rc)
        BROKEN(l->w, "requests cannot be read: %s", err.message);
}

void fleet_op(life *l)
{
    fleet *w = l->w;
    op_kind kind = l->op.kind;
    if (fleet_link_is_cut(l) || (kind == OP_NONE))
        return; /* nobody hears it */
    switch (kind) {
    case OP_JOIN: join(l); break;
    case OP_BEAT: beat(l); break;
    case OP_BURY: bury(l); break;
    case OP_TAKE: take(l); break;
    case OP_RECOVER: recover(l); break;
    case OP_RELEASE: release(l); break;
    case OP_LEAVE: leave(l); break;
    case OP_REQUESTS: requests(l); break;
    case OP_NONE: break;
    }
    if (!w->is_calm && chance_percent(&w->of_links, w->lost_answers)) {
        COUNT(w, FLEET_LOST_ANSWERS);
        l->op.rc = CTN_E_IO;
        return; /* until the node does not wait any more */
    }
    for (size_t i = 0; i < w->event_count; i++) /* the answer is on its way back, now */
        if (w->events[i].kind == EVENT_OP_ANSWER && w->events[i].l == l && w->events[i].number == l->op.number &&
            w->events[i].at_ms > w->now_ms) {
            bool is_slow = !w->is_calm && chance_percent(&w->of_links, 10);
            int64_t at_ms = w->now_ms + chance_between(&w->of_links, 0, is_slow ? 700 : 2);
            w->events[i].at_ms = at_ms < w->events[i].at_ms ? at_ms : w->events[i].at_ms;
        }
}

/* ---- back at the node ---- */

static void lose_all(life *l)
{
    fleet_trace(l->w, "node %d hears that it was taken for dead", l->node);
    ctn_shard_set lost = CTN_PLANT(STALE_NODE_GOES_ON) ? (ctn_shard_set){0} : l->held;
    memset(l->epochs, 0, sizeof l->epochs);
    l->held = l->draining = (ctn_shard_set){0};
    l->incarnation = 0;
    l->in_work_count = 0;
    if (ctn_shard_set_count(&lost))
        ctn_engine_shards_lost(l->engine, &lost);
    l->needs_turn = true;
}

static void gain(life *l, const ctn_shard_lease *leases, uint32_t count)
{
    ctn_shard_set gained = {0};
    for (uint32_t i = 0; i < count; i++) {
        fleet_trace(l->w, "node %d has shard %u, epoch %llu%s", l->node, leases[i].shard,
                    (unsigned long long) leases[i].epoch, leases[i].was_crash ? ", after a crash" : "");
        l->epochs[leases[i].shard] = leases[i].epoch;
        l->was_crash[leases[i].shard] = leases[i].was_crash;
        ctn_shard_set_add(&gained, leases[i].shard);
        ctn_shard_set_add(&l->held, leases[i].shard);
    }
    if (!count)
        return;
    ctn_engine_shards_gained(l->engine, &gained);
    l->needs_turn = true;
}

static void drain(life *l, const ctn_shard_set *among, uint32_t count)
{
    for (uint32_t i = SHARDS; i-- > 0 && count;)
        if (ctn_shard_set_has(&l->held, i) && !ctn_shard_set_has(&l->draining, i) && ctn_shard_set_has(among, i)) {
            ctn_shard_set_add(&l->draining, i);
            count--;
        }
    ctn_engine_shards_drain(l->engine, &l->draining);
    l->needs_turn = true;
}

static bool release_quiet(life *l)
{
    ctn_shard_set quiet = {0};
    for (uint32_t i = 0; i < SHARDS; i++) {
        ctn_shard_set one = {0};
        ctn_shard_set_add(&one, i);
        bool is_quiet = CTN_PLANT(GIVEN_BACK_BUSY) || ctn_engine_shards_are_quiet(l->engine, &one);
        if (ctn_shard_set_has(&l->draining, i) && is_quiet)
            ctn_shard_set_add(&quiet, i);
    }
    if (!ctn_shard_set_count(&quiet))
        return false;
    for (uint32_t i = 0; i < SHARDS; i++)
        if (ctn_shard_set_has(&quiet, i)) {
            l->epochs[i] = 0;
            ctn_shard_set_remove(&l->held, i);
            ctn_shard_set_remove(&l->draining, i);
        }
    ctn_engine_shards_lost(l->engine, &quiet);
    l->op.which = quiet;
    send_op(l, OP_RELEASE);
    return true;
}

void fleet_draining(life *l)
{
    if (!l->op.kind && l->incarnation)
        (void) release_quiet(l);
}

/* What is to be done next, after something was answered well. */
static void go_on(life *l, int64_t look_in_ms)
{
    if (release_quiet(l))
        return;
    if (l->looks_for_requests) {
        l->looks_for_requests = false;
        for (int i = l->in_work_count; i-- > 0;)
            if (l->in_work[i] < 0) /* what was done before this look is in no list that is read from now on */
                l->in_work[i] = l->in_work[--l->in_work_count];
        send_op(l, OP_REQUESTS);
        return;
    }
    look_in(l, look_in_ms);
}

static void decide(life *l)
{
    const ctn_beat *b = &l->op.beat;
    ctn_balance_view view = {.beat = b,
                             .incarnation = l->incarnation,
                             .shard_count = SHARDS,
                             .held = l->held,
                             .draining = l->draining,
                             .is_leaving = l->is_leaving,
                             .beat_ms = BEAT_MS,
                             .settle_ms = SETTLE_MS};
    ctn_balance todo = ctn_balance_decide(&view);
    if (todo.recovers && !CTN_PLANT(LOST_TAKE_FORGOTTEN)) {
        send_op(l, OP_RECOVER);
        return;
    }
    l->looks_for_requests = l->looks_for_requests || b->requests;
    if (todo.give)
        drain(l, &todo.of, todo.give);
    if (todo.buries) {
        send_op(l, OP_BURY);
    } else if (todo.take) {
        l->op.count = todo.take;
        l->op.which = todo.from;
        send_op(l, OP_TAKE);
    } else
        go_on(l, todo.look_in_ms);
}

static void on_failure(life *l, op_kind kind, int rc)
{
    if (rc == CTN_E_STALE) {
        COUNT(l->w, FLEET_STALE_BEATS);
        lose_all(l);
        if (l->is_leaving) {
            fleet_gone(l);
            return;
        }
        look_in(l, 0);
    } else if (kind == OP_JOIN && rc == CTN_E_EXISTS) {
        send_op(l, OP_BURY); /* perhaps it is what we were */
    } else {
        look_in(l, RETRY_MS);
    }
}

void fleet_op_answer(life *l)
{
    op_kind kind = l->op.kind;
    int rc = l->op.rc;
    l->op.kind = OP_NONE;
    if (rc) {
        on_failure(l, kind, rc);
        return;
    }
    switch (kind) {
    case OP_JOIN:
        l->incarnation = l->op.incarnation;
        l->lease_until_boot_ms = l->op.sent_at_boot_ms + TERM_MS;
        fleet_trace(l->w, "node %d joins as %lld", l->node, (long long) l->incarnation);
        look_in(l, 0);
        break;
    case OP_BEAT:
        l->lease_until_boot_ms =
            (CTN_PLANT(LEASE_FROM_THE_ANSWER) ? fleet_boot_ms(l) : l->op.sent_at_boot_ms) + TERM_MS;
        l->lease_until_wall_ms = l->op.beat.now_ms + TERM_MS;
        l->needs_turn = true; /* what was held back goes now */
        decide(l);
        break;
    case OP_TAKE:
    case OP_RECOVER:
        gain(l, l->op.leases, l->op.lease_count);
        look_in(l, 0);
        break;
    case OP_BURY: look_in(l, l->incarnation ? 0 : RETRY_MS); break;
    case OP_RELEASE: look_in(l, 0); break;
    case OP_REQUESTS:
        for (int i = 0; i < l->op.request_count; i++)
            fleet_dispatch(l, &l->op.requests[i]);
        look_in(l, BEAT_MS / 2);
        break;
    case OP_LEAVE:
        COUNT(l->w, FLEET_LEAVES);
        fleet_trace(l->w, "node %d has left", l->node);
        fleet_gone(l);
        break;
    case OP_NONE: break;
    }
}
