/*
 * fleet_disk.c -- the writers of a fleet's world. A batch has a way to the store and one back; a link may be cut on
 * either, and the batch of a node that is dead may arrive all the same. What is on disk is told to the oracles at the
 * moment it is there.
 */
#include "sim/fleet_state.h"

void fleet_submit(void *ctx, ctn_batch *batch)
{
    life *l = ctx;
    fleet *w = l->w;
    if (l->is_dead)
        return;
    int64_t way_ms = chance_percent(&w->of_links, 85) ? chance_between(&w->of_links, 0, 3)
                                                      : chance_between(&w->of_links, 1, w->is_calm ? 40 : 1500);
    fleet_event(w, EVENT_COMMIT, l, fleet_at_ms(l) + way_ms)->batch = batch;
}

static subject *subject_of(fleet *w, const ctn_append *a)
{
    for (int i = 0; i < w->subject_count; i++) {
        char key[32];
        snprintf(key, sizeof key, "run-%d", i);
        if (w->has_families && (fleet_is_of_outer(w, &w->subjects[i], a) ||
                                (a->row && !ctn_id_is_none(a->row->parent) && w->subjects[i].outer_no &&
                                 ctn_id_equal(a->row->parent, w->subjects[i].outer_id))))
            return &w->subjects[i];
        if (a->row ? ctn_str_is(a->row->idempotency_key, key) : w->subjects[i].exec_no == a->exec_no)
            return &w->subjects[i];
    }
    return NULL;
}

static bool is_end(ctn_entry_kind kind)
{
    return kind == CTN_ENTRY_COMPLETED || kind == CTN_ENTRY_FAILED || kind == CTN_ENTRY_ROLLED_BACK ||
           kind == CTN_ENTRY_ROLLBACK_FAILED || kind == CTN_ENTRY_CANCELLED;
}

static void take_append(life *l, const ctn_append *a)
{
    fleet *w = l->w;
    subject *x = subject_of(w, a);
    if (!x) {
        BROKEN(w, "an append of an execution that nobody asked for");
        return;
    }
    if (w->has_families && fleet_is_of_outer(w, x, a)) {
        fleet_take_outer(l, x, a);
        return;
    }
    if (a->row && x->exec_no)
        BROKEN(w, "%d is started a second time", x->number);
    if (a->row) {
        history_event started = {.kind = HISTORY_STARTED, .exec_no = a->exec_no};
        snprintf(started.key, sizeof started.key, w->has_families ? "sub-%d" : "run-%d", x->number);
        fleet_tell(w, &started);
        if (ctn_shard_of_id(a->row->id, SHARDS) != a->exec_no % SHARDS)
            BROKEN(w, "the number %lld and the id %s name different shards", (long long) a->exec_no,
                   ctn_id_to_text(a->row->id).text);
        x->oracle.id = a->row->id;
        x->exec_no = a->exec_no;
    }
    for (size_t i = 0; i < a->count; i++) {
        const ctn_record *r = &a->records[i];
        fleet_trace(w, "disk, by node %d: %d %s %.*s %.*s", l->node, x->number, ctn_entry_kind_name(r->kind),
                    CTN_STR_ARG(r->step), CTN_STR_ARG(r->body));
        fleet_tell(w, &(history_event){.kind = HISTORY_ENTRY,
                                       .node = l->incarnation,
                                       .epoch = a->epoch,
                                       .exec_no = a->exec_no,
                                       .seq = r->seq,
                                       .is_end = is_end(r->kind)});
        oracle_record(&x->oracle, r);
        COUNT(w, FLEET_ENTRIES);
    }
    if (x->oracle.is_started && !x->oracle.has_ended && fleet_stands_behind(w, x))
        BROKEN(w, "%d has started, and one with its key that came before it has not ended", x->number);
    if (a->request)
        fleet_tell(w, &(history_event){.kind = HISTORY_DONE, .request = a->request});
}

void fleet_commit(life *l, ctn_batch *batch)
{
    fleet *w = l->w;
    bool is_cut = fleet_link_is_cut(l);
    batch->rc = CTN_E_IO;
    if (l->is_dead)
        COUNT(w, FLEET_LATE_BATCHES);
    if (!is_cut) {
        batch->rc = ctn_store_commit(l->inner, batch->appends, batch->count, batch->outcomes, &batch->err);
        for (size_t i = 0; batch->rc == CTN_OK && i < batch->count; i++)
            if (batch->outcomes[i] == CTN_OUTCOME_ACCEPTED)
                take_append(l, &batch->appends[i]);
            else
                COUNT(w, FLEET_REFUSED);
    }
    int64_t back_ms = chance_between(&w->of_links, 0, 2);
    if (is_cut || (!w->is_calm && chance_percent(&w->of_links, w->lost_answers))) {
        if (!is_cut)
            COUNT(w, FLEET_LOST_ANSWERS);
        batch->rc = ctn_fail(&batch->err, CTN_E_IO, "the simulated link is cut");
        back_ms = ANSWER_WAIT_MS;
        fleet_trace(w, "a commit of node %d %s", l->node, is_cut ? "does not arrive" : "is lost");
    }
    if (!w->is_calm && chance_percent(&w->of_links, w->stops / 5)) {
        COUNT(w, FLEET_STOPS);
        fleet_stop(l, chance_between(&w->of_links, 100, 9000), "before it hears of its commit");
    }
    if (!l->is_dead)
        fleet_event(w, EVENT_COMMITTED, l, w->now_ms + back_ms)->batch = batch;
}
