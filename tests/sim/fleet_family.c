/*
 * fleet_family.c -- executions of a fleet's world that are sub-chains. What a person starts is then an outer execution
 * with one step, whose work is the chain that the oracle judges; that one's lines and places may be kept in another
 * shard, and then the two ask each other over the store, as src/fleet/desk.c does it with a thread.
 *
 * What must hold beside the oracle: of each outer execution there is one child, and it ends as its child did, after it.
 */
#include "sim/fleet_state.h"

#define ANSWER_MS 20000 /* so long an engine waits for another node */

ctn_str fleet_outer_text(fleet *w, int chain)
{
    return ctn_arena_printf(w->arena,
                            "id: outer-%d\nsteps: [{stepName: in, instructionSet: in}]\ninstructionSets:\n"
                            "  in: {chain: chain-%d, arguments: {n: \"{n}\", text: \"{text}\", list: \"{list}\"}}\n",
                            chain, chain);
}

/* ---- what is on disk ---- */

bool fleet_is_of_outer(const fleet *w, const subject *x, const ctn_append *a)
{
    char key[32];
    (void) w;
    snprintf(key, sizeof key, "run-%d", x->number);
    return a->row ? ctn_str_is(a->row->idempotency_key, key) : x->outer_no == a->exec_no;
}

void fleet_take_outer(life *l, subject *x, const ctn_append *a)
{
    fleet *w = l->w;
    if (a->row) {
        history_event started = {.kind = HISTORY_STARTED, .exec_no = a->exec_no};
        snprintf(started.key, sizeof started.key, "run-%d", x->number);
        fleet_tell(w, &started);
        x->outer_id = a->row->id;
        x->outer_no = a->exec_no;
    }
    for (size_t i = 0; i < a->count; i++) {
        const ctn_record *r = &a->records[i];
        bool is_end = r->kind == CTN_ENTRY_COMPLETED || r->kind == CTN_ENTRY_FAILED ||
                      r->kind == CTN_ENTRY_ROLLED_BACK || r->kind == CTN_ENTRY_ROLLBACK_FAILED ||
                      r->kind == CTN_ENTRY_CANCELLED;
        fleet_trace(w, "disk, by node %d: outer %d %s %.*s %.*s", l->node, x->number, ctn_entry_kind_name(r->kind),
                    CTN_STR_ARG(r->step), CTN_STR_ARG(r->body));
        fleet_tell(w, &(history_event){.kind = HISTORY_ENTRY,
                                       .node = l->incarnation,
                                       .epoch = a->epoch,
                                       .exec_no = a->exec_no,
                                       .seq = r->seq,
                                       .is_end = is_end});
        COUNT(w, FLEET_ENTRIES);
        if (!is_end)
            continue;
        x->outer_end = r->kind == CTN_ENTRY_COMPLETED ? CTN_STATUS_COMPLETED : CTN_STATUS_FAILED;
        if (!x->exec_no || !x->oracle.has_ended)
            BROKEN(w, "outer %d ends, and its child has not", x->number);
        else if (x->outer_end == CTN_STATUS_COMPLETED && x->oracle.end != CTN_STATUS_COMPLETED)
            BROKEN(w, "outer %d completes, and its child ended %s", x->number, ctn_status_name(x->oracle.end));
    }
    if (a->request)
        fleet_tell(w, &(history_event){.kind = HISTORY_DONE, .request = a->request});
}

bool fleet_is_on_disk(const fleet *w, const subject *x, ctn_execution_id id)
{
    return w->has_families ? x->outer_no && ctn_id_equal(x->outer_id, id)
                           : x->exec_no && ctn_id_equal(x->oracle.id, id);
}

void fleet_check_family(fleet *w, const subject *x)
{
    if (!w->has_families || !x->outer_no || x->is_excused)
        return;
    if (!x->exec_no)
        BROKEN(w, "nothing moves any more, and the sub-chain of outer %d is not there", x->number);
    else if (x->oracle.has_ended && !x->outer_end)
        BROKEN(w, "nothing moves any more, and outer %d has not heard of its child's end", x->number);
}

/* ---- what an engine asks of another node ---- */

static void put(life *l, ctn_request *q, ctn_ack_fn *ack, void *ctx)
{
    fleet *w = l->w;
    ctn_request_row row;
    ctn_err err = {0};
    far_ask *k = l->far_asks;
    while (k < l->far_asks + REQUESTS_MAX && k->is_used)
        k++;
    if (k == l->far_asks + REQUESTS_MAX) {
        ack(ctx, ctn_fail(&err, CTN_E_TOO_MANY, "too much is asked"), q->id, &err);
        return;
    }
    bool is_lost = fleet_store_is_away(l),
         is_there = !fleet_link_is_cut(l) && (!is_lost || chance_percent(&w->of_links, 50));
    q->is_engines = true;
    *k = (far_ask){.is_used = true, .is_lost = is_lost, .since_ms = w->now_ms, .id = q->id, .ack = ack, .ctx = ctx};
    k->shard = ctn_shard_of_id(q->id, SHARDS);
    if (ctn_request_to_row(q, NULL, k->shard, w->arena, &row, &err)) {
        BROKEN(w, "a request cannot be written: %s", err.message);
        return;
    }
    row.from = l->incarnation;
    row.filed_at_ms = w->now_ms;
    fleet_trace(w, "node %d %s for the holder of shard %u: %s", l->node, is_there ? "files" : "cannot file", k->shard,
                ctn_request_method(q->op));
    if (is_there && ctn_store_requests_put(l->inner, &row, 1, &k->no, &err))
        BROKEN(w, "a request cannot be filed: %s", err.message);
    if (is_there)
        COUNT(w, FLEET_FAR_ASKS);
}

static void start_elsewhere(void *ctx, const ctn_start *start, ctn_ack_fn *ack, void *ack_ctx)
{
    ctn_request q = {.op = CTN_REQUEST_START,
                     .id = start->id,
                     .actor = start->actor,
                     .by = start->by,
                     .known_plan = start->plan,
                     .known_version = start->version,
                     .input = start->input,
                     .sensitive = start->sensitive,
                     .parent = start->parent,
                     .is_stopped = start->is_stopped};
    put(ctx, &q, ack, ack_ctx);
}

static void input_elsewhere(void *ctx, ctn_execution_id id, const ctn_input *in, ctn_ack_fn *ack, void *ack_ctx)
{
    ctn_request_op what = in->kind == CTN_IN_CANCEL   ? CTN_REQUEST_CANCEL
                          : in->kind == CTN_IN_PAUSE  ? CTN_REQUEST_PAUSE
                          : in->kind == CTN_IN_RESUME ? CTN_REQUEST_RESUME
                          : in->kind == CTN_IN_UNDO   ? CTN_REQUEST_UNDO
                                                      : CTN_REQUEST_CHILD_ENDED;
    ctn_request q = {.op = what, .id = id, .actor = in->actor, .name = in->name, .reason = in->message};
    put(ctx, &q, ack, ack_ctx);
}

void fleet_family_options(life *l, ctn_engine_options *o)
{
    o->start_elsewhere = start_elsewhere;
    o->input_elsewhere = input_elsewhere;
    o->elsewhere_ctx = l;
}

void fleet_hear_answers(life *l)
{
    fleet *w = l->w;
    for (int i = 0; i < REQUESTS_MAX; i++) {
        far_ask k = l->far_asks[i];
        ctn_request_row row = {0};
        ctn_err err = {0};
        if (!k.is_used)
            continue;
        bool is_late = w->now_ms > k.since_ms + (k.is_lost ? ANSWER_WAIT_MS : ANSWER_MS);
        ctn_arena *arena = ctn_arena_new(1024);
        if (!k.is_lost && k.no && !fleet_link_is_cut(l))
            (void) ctn_store_request_get(l->inner, arena, k.shard, k.no, &row, NULL);
        if (row.is_done || is_late) {
            int rc = row.is_done ? row.rc : k.is_lost ? CTN_E_IO : CTN_E_BUSY;
            if (rc)
                ctn_fail(&err, rc, "%.*s", CTN_STR_ARG(row.sentence));
            l->far_asks[i].is_used = false;
            k.ack(k.ctx, rc, k.id, &err);
        }
        ctn_arena_free(arena);
    }
}

/* ---- what others have asked ---- */

typedef struct served {
    life *l;
    int64_t no;
    uint32_t shard;
} served;

static void on_served(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    const served *s = ctx;
    (void) id;
    if (!s->l->is_dead)
        fleet_request_done(s->l, s->no, s->shard, rc, err);
}

void fleet_serve_engine(life *l, const request_read *r)
{
    fleet *w = l->w;
    ctn_request q = {0};
    ctn_plan *plan = NULL;
    const ctn_json *definitions = NULL;
    ctn_err err = {0};
    served *s = CTN_NEW(w->arena, served);
    *s = (served){.l = l, .no = r->no, .shard = r->shard};
    l->link_fails = fleet_link_is_cut(l) ? 100 : 0;
    int rc = ctn_request_from_row(r->row, NULL, w->arena, &q, &definitions, &err);
    if (rc == CTN_OK && q.op == CTN_REQUEST_START)
        rc = ctn_request_find_plan(definitions, l->inner, &plan, &err);
    if (rc)
        BROKEN(w, "a request of an engine does not read: %s", err.message);
    if (plan && ctn_engine_plan_add(l->engine, plan, q.actor, &q.known_plan, &q.known_version, &err)) {
        fleet_request_done(l, r->no, r->shard, CTN_E_STALE, NULL); /* its link is cut: later */
        return;
    }
    if (rc == CTN_OK)
        ctn_request_file(l->engine, l->inner, &q, on_served, s);
    l->needs_turn = true;
}
