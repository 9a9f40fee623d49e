/*
 * desk.c -- see desk.h.
 *
 * Two kinds of things are under way: askings, by somebody here for whoever holds the shard, and servings, of requests
 * that were on disk for us. Both live until they are acknowledged or answered. At most one job at a time looks for
 * answers, and one for requests; what comes in the meantime is seen by the next.
 */
#include "fleet/desk.h"
#include "base/memory.h"
#include "engine/placement.h"
#include <assert.h>
#include <stdlib.h>

#define SERVED_MAX   512 /* requests of others that are under way here */
#define SERVE_PAGE   256
#define ANSWER_PAGE  64
#define PLAN_BUCKETS 256

typedef struct asking {
    ctn_desk *desk;
    ctn_arena *arena;
    ctn_request q;
    ctn_request_row row;
    uint32_t shard;
    int64_t no; /* on disk; 0: not yet */
    int64_t since_ms;
    bool waits; /* for another's answer */
    ctn_ack_fn *ack;
    void *ctx;
    struct asking *prev, *next;
} asking;

typedef struct serving {
    ctn_desk *desk;
    uint32_t shard;
    int64_t no;
    int rc;
    char *sentence;
    bool is_over; /* known only until the look that is under way is back: what it has read may be of before */
    struct serving *next;
} serving;

/* A plan that came by its definitions' digests. */
typedef struct met_plan {
    struct met_plan *next;
    ctn_digest digest; /* of the list */
    const ctn_plan *plan;
    int64_t version;
} met_plan;

struct ctn_desk {
    ctn_desk_options of;
    ctn_rng_pool chance;
    ctn_rng rng;
    ctn_arena *scratch;
    asking *first, *last; /* oldest first */
    size_t asking_count, waiting_count;
    serving *served;
    size_t served_count;
    bool is_stopped, is_looking_for_answers, is_looking_for_requests;
    bool answers_wanted, requests_wanted;
    met_plan *plans[PLAN_BUCKETS];
};

/* ---- askings ---- */

static void append(ctn_desk *d, asking *a)
{
    a->prev = d->last;
    a->next = NULL;
    if (d->last)
        d->last->next = a;
    else
        d->first = a;
    d->last = a;
}

static void cut_out(ctn_desk *d, asking *a)
{
    if (a->prev)
        a->prev->next = a->next;
    else
        d->first = a->next;
    if (a->next)
        a->next->prev = a->prev;
    else
        d->last = a->prev;
}

static void ack_and_free(asking *a, int rc, const ctn_err *err)
{
    ctn_desk *d = a->desk;
    cut_out(d, a);
    d->asking_count--;
    if (a->waits && --d->waiting_count == 0)
        ctn_member_expects(d->of.member, false);
    if (!d->is_stopped)
        a->ack(a->ctx, rc, a->q.id, err);
    ctn_arena_free(a->arena);
}

static ctn_requester copy_by(ctn_arena *arena, const ctn_requester *by)
{
    return (ctn_requester){.principal = ctn_arena_str(arena, by->principal),
                           .tenant = ctn_arena_str(arena, by->tenant),
                           .audit_action = ctn_arena_str(arena, by->audit_action),
                           .audit_actor = ctn_arena_str(arena, by->audit_actor),
                           .from = ctn_arena_str(arena, by->from),
                           .traceparent = ctn_arena_str(arena, by->traceparent)};
}

static const ctn_json *copy_json(ctn_arena *arena, const ctn_json *v)
{
    return v ? ctn_json_copy(arena, v) : NULL;
}

static asking *new_asking(ctn_desk *d, const ctn_request *q, ctn_ack_fn *ack, void *ctx)
{
    ctn_arena *arena = ctn_arena_new(1024);
    asking *a = CTN_NEW(arena, asking);
    *a = (asking){.desk = d, .arena = arena, .q = *q, .ack = ack, .ctx = ctx};
    a->since_ms = ctn_clock_now_ms(&d->of.clock);
    a->q.actor = ctn_arena_str(arena, q->actor);
    a->q.name = ctn_arena_str(arena, q->name);
    a->q.reason = ctn_arena_str(arena, q->reason);
    a->q.idempotency_key = ctn_arena_str(arena, q->idempotency_key);
    a->q.input = copy_json(arena, q->input);
    a->q.labels = copy_json(arena, q->labels);
    a->q.going_on = copy_json(arena, q->going_on);
    a->q.sensitive = copy_json(arena, q->sensitive);
    a->q.value = copy_json(arena, q->value);
    a->q.by = copy_by(arena, &q->by);
    if (q->parent) {
        ctn_parent *parent = CTN_NEW(arena, ctn_parent);
        *parent = *q->parent;
        parent->step = ctn_arena_str(arena, parent->step);
        a->q.parent = parent;
    }
    append(d, a);
    d->asking_count++;
    return a;
}

static void on_put(void *ctx, int rc, const ctn_err *err)
{
    asking *a = ctx;
    if (rc) {
        ack_and_free(a, rc, err);
        return;
    }
    a->waits = true;
    ctn_member_takes_too(a->desk->of.member, a->shard);
    if (a->desk->waiting_count++ == 0)
        ctn_member_expects(a->desk->of.member, true);
}

static bool is_of_schedule(const ctn_request *q)
{
    return q->op == CTN_REQUEST_SCHEDULE_PAUSE || q->op == CTN_REQUEST_SCHEDULE_RESUME ||
           q->op == CTN_REQUEST_SCHEDULE_FIRE;
}

/* Who was copied here need not live where his id says (store/copy.h). */
static int put(ctn_store *store, void *ctx, ctn_err *err)
{
    asking *a = ctx;
    int rc = CTN_OK;
    if (a->q.op != CTN_REQUEST_START && !is_of_schedule(&a->q))
        rc = ctn_store_shard_of_execution(store, a->q.id, &a->shard, err);
    a->row.shard = a->shard;
    return rc ? rc : ctn_store_requests_put(store, &a->row, 1, &a->no, err);
}

int ctn_desk_check_sealed(ctn_store *store, const ctn_seal *seal, const ctn_request *q, ctn_arena *scratch,
                          ctn_err *err)
{
    if (seal || q->op == CTN_REQUEST_START || ctn_id_is_none(q->id))
        return CTN_OK;
    ctn_execution_row row;
    ctn_data_key key = {0};
    int rc = ctn_store_execution_get(store, scratch, q->id, &row, err);
    if (rc)
        return rc;
    rc = ctn_store_data_key_get(store, scratch, row.exec_no, &key, NULL);
    if (rc == CTN_OK)
        return ctn_fail(err, CTN_E_DENIED,
                        "%s has sensitive values, and there is no keyring here to seal what is asked of it with: every "
                        "node of a fleet, and who asks one, needs the same `sealing` in its configuration",
                        ctn_id_to_text(q->id).text);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

static void put_on_disk(asking *a)
{
    ctn_desk *d = a->desk;
    ctn_err err = {0};
    ctn_arena_mark mark = ctn_arena_save(d->scratch);
    int rc = ctn_desk_check_sealed(d->of.store, d->of.seal, &a->q, d->scratch, &err);
    ctn_arena_restore(d->scratch, mark);
    if (rc == CTN_OK)
        rc = ctn_request_to_row(&a->q, d->of.seal, a->shard, a->arena, &a->row, &err);
    if (rc) {
        ack_and_free(a, rc, &err);
        return;
    }
    a->row.from = ctn_member_incarnation(d->of.member);
    ctn_member_do(d->of.member, put, on_put, a);
}

/* CTN_E_STALE: the shard went while the engine had it; who has it now finds it on disk. */
static void on_done_here(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    asking *a = ctx;
    if (rc == CTN_E_STALE && !a->desk->is_stopped) {
        put_on_disk(a);
        return;
    }
    if (!ctn_id_is_none(id))
        a->q.id = id;
    ack_and_free(a, rc, err);
}

static void route(asking *a)
{
    ctn_desk *d = a->desk;
    if (ctn_member_holds(d->of.member, a->shard)) {
        ctn_request q = a->q;
        ctn_request_file(d->of.engine, d->of.store, &q, on_done_here, a);
    } else
        put_on_disk(a);
}

/* ---- starts ---- */

static ctn_str chain_of(const ctn_request *q)
{
    return (q->plan ? q->plan : q->known_plan)->chain_id;
}

static int claim(ctn_store *store, void *ctx, ctn_err *err)
{
    asking *a = ctx;
    return ctn_store_key_claim(store, chain_of(&a->q), a->q.idempotency_key, a->q.id, &a->q.id, err);
}

static void on_claimed(void *ctx, int rc, const ctn_err *err)
{
    asking *a = ctx;
    a->shard = ctn_shard_of_id(a->q.id, ctn_member_shard_count(a->desk->of.member));
    if (rc)
        ack_and_free(a, rc, err);
    else
        route(a);
}

static int place(const ctn_request *q, const ctn_plan *plan, int64_t at_ms, const ctn_placement_room *room,
                 ctn_arena *scratch, ctn_placement *ret, ctn_err *err)
{
    ctn_start start = {.plan = plan,
                       .input = q->input,
                       .labels = q->labels,
                       .going_on = q->going_on,
                       .sensitive = ctn_json_count(q->sensitive) ? q->sensitive : NULL,
                       .idempotency_key = q->idempotency_key};
    return ctn_placement_of(&start, at_ms, room, scratch, ret, err);
}

static uint32_t by_chance(const ctn_placement_room *room, ctn_rng *rng)
{
    uint32_t at = (uint32_t) (ctn_rng_next(rng) % ctn_placement_room_count(room));
    return room->among ? ctn_shard_set_at(room->among, at) : at;
}

static uint32_t any_shard(ctn_desk *d, const ctn_placement_room *room)
{
    uint32_t shard = ctn_member_some_shard(d->of.member, room->among);
    return shard != UINT32_MAX ? shard : by_chance(room, &d->rng);
}

static void file_start(ctn_desk *d, ctn_request *q, ctn_ack_fn *ack, void *ctx)
{
    ctn_err err = {0};
    ctn_placement at = {0};
    ctn_plan *given = q->plan;
    int64_t now_ms = ctn_clock_now_ms(&d->of.clock);
    q->plan = NULL; /* the engine takes it in any case */
    int rc =
        given ? ctn_engine_plan_add(d->of.engine, given, q->actor, &q->known_plan, &q->known_version, &err) : CTN_OK;
    ctn_arena_mark mark = ctn_arena_save(d->scratch);
    ctn_placement_room room = {.shard_count = ctn_member_shard_count(d->of.member)};
    if (rc == CTN_OK)
        rc = ctn_engine_shards_for(d->of.engine, q->known_plan, &room.among, &err);
    if (rc == CTN_OK)
        rc = place(q, q->known_plan, now_ms, &room, d->scratch, &at, &err);
    ctn_arena_restore(d->scratch, mark);
    if (rc) {
        ack(ctx, rc, (ctn_execution_id){{0}}, &err);
        return;
    }
    asking *a = new_asking(d, q, ack, ctx);
    a->shard = at.is_anywhere ? any_shard(d, &room) : at.shard;
    a->q.id = ctn_id_new(now_ms, &d->rng);
    ctn_shard_into_id(&a->q.id, a->shard);
    if (a->q.idempotency_key.len)
        ctn_member_do(d->of.member, claim, on_claimed, a);
    else
        route(a);
}

void ctn_desk_file(ctn_desk *d, ctn_request *q, ctn_ack_fn *ack, void *ctx)
{
    if (!d->of.member) {
        ctn_request_file(d->of.engine, d->of.store, q, ack, ctx);
        return;
    }
    if (d->asking_count >= CTN_DESK_MAX) {
        ctn_err err = {0};
        int rc =
            ctn_fail(&err, CTN_E_TOO_MANY, "%d requests are under way at this node, and not on disk yet", CTN_DESK_MAX);
        ctn_request_drop_plan(q);
        ack(ctx, rc, q->id, &err);
        return;
    }
    if (q->op == CTN_REQUEST_START) {
        file_start(d, q, ack, ctx);
        return;
    }
    asking *a = new_asking(d, q, ack, ctx);
    uint32_t count = ctn_member_shard_count(d->of.member);
    a->shard =
        is_of_schedule(q) ? ctn_shard_of_name(CTN_STR("schedule"), q->name, count) : ctn_shard_of_id(q->id, count);
    route(a);
}

void ctn_desk_start_elsewhere(void *ctx, const ctn_start *start, ctn_ack_fn *ack, void *ack_ctx)
{
    ctn_desk *d = ctx;
    ctn_request q = {.op = CTN_REQUEST_START,
                     .is_engines = true,
                     .id = start->id,
                     .actor = start->actor,
                     .by = start->by,
                     .has_priority = start->has_priority,
                     .priority = start->priority,
                     .known_plan = start->plan,
                     .known_version = start->version,
                     .input = start->input,
                     .labels = start->labels,
                     .idempotency_key = start->idempotency_key,
                     .going_on = start->going_on,
                     .sensitive = start->sensitive,
                     .parent = start->parent,
                     .is_stopped = start->is_stopped};
    asking *a = new_asking(d, &q, ack, ack_ctx);
    a->shard = ctn_shard_of_id(q.id, ctn_member_shard_count(d->of.member));
    route(a);
}

/* A schedule's (overlap: cancel), a parent's of its sub-chain, a sub-chain's of its parent. */
static ctn_request_op op_of(ctn_input_kind kind)
{
    switch (kind) {
    case CTN_IN_CANCEL: return CTN_REQUEST_CANCEL;
    case CTN_IN_PAUSE: return CTN_REQUEST_PAUSE;
    case CTN_IN_RESUME: return CTN_REQUEST_RESUME;
    case CTN_IN_UNDO: return CTN_REQUEST_UNDO;
    default: assert(kind == CTN_IN_CHILD_ENDED); return CTN_REQUEST_CHILD_ENDED;
    }
}

void ctn_desk_input_elsewhere(void *ctx, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ack_ctx)
{
    ctn_request q = {.op = op_of(input->kind),
                     .is_engines = true,
                     .id = id,
                     .actor = input->actor,
                     .name = input->name,
                     .reason = input->message};
    ctn_desk_file(ctx, &q, ack, ack_ctx);
}

int ctn_desk_place(ctn_store *store, ctn_clock clock, ctn_request *q, const ctn_plan *plan, ctn_arena *scratch,
                   uint32_t *ret_shard, bool *ret_is_anywhere, ctn_err *err)
{
    uint32_t count = ctn_store_shard_count(store);
    int64_t now_ms = ctn_clock_now_ms(&clock);
    ctn_rng rng = ctn_rng_system();
    ctn_placement at = {0};
    int rc = CTN_OK;
    if (q->op != CTN_REQUEST_START) {
        *ret_is_anywhere = false;
        *ret_shard = ctn_shard_of_name(CTN_STR("schedule"), q->name, count);
        return is_of_schedule(q) ? CTN_OK : ctn_store_shard_of_execution(store, q->id, ret_shard, err);
    }
    ctn_shard_set among;
    ctn_placement_room room = {.shard_count = count, .among = plan->requires ? &among : NULL};
    if (plan->requires)
        rc = ctn_store_need_claim(store, plan->requires_text, &among, err);
    if (rc == CTN_OK)
        rc = place(q, plan, now_ms, &room, scratch, &at, err);
    if (rc)
        return rc;
    q->id = ctn_id_new(now_ms, &rng);
    ctn_shard_into_id(&q->id, at.is_anywhere ? by_chance(&room, &rng) : at.shard);
    if (q->idempotency_key.len)
        rc = ctn_store_key_claim(store, plan->chain_id, q->idempotency_key, q->id, &q->id, err);
    *ret_shard = ctn_shard_of_id(q->id, count);
    *ret_is_anywhere = at.is_anywhere && !room.among;
    return rc;
}

/* ---- answers of others ---- */

typedef struct answer_look {
    ctn_desk *desk;
    ctn_arena *arena;
    struct {
        uint32_t shard;
        int64_t no;
        int rc; /* of the looking */
        ctn_request_row row;
    } items[ANSWER_PAGE];
    size_t count;
} answer_look;

static int look_for_answers(ctn_store *store, void *ctx, ctn_err *err)
{
    answer_look *l = ctx;
    int rc = CTN_OK;
    for (size_t i = 0; i < l->count && (rc == CTN_OK || rc == CTN_E_NOT_FOUND); i++)
        l->items[i].rc = rc =
            ctn_store_request_get(store, l->arena, l->items[i].shard, l->items[i].no, &l->items[i].row, err);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

static asking *find_waiting(ctn_desk *d, uint32_t shard, int64_t no)
{
    for (asking *a = d->first; a; a = a->next)
        if (a->waits && a->shard == shard && a->no == no)
            return a;
    return NULL;
}

static void take_answer(asking *a, int rc, const ctn_request_row *row)
{
    ctn_err err = {0};
    bool is_late = ctn_clock_now_ms(&a->desk->of.clock) - a->since_ms > CTN_DESK_WAIT_MS;
    if (rc)
        ack_and_free(a, ctn_fail(&err, rc, "what was asked of %s is on disk no more", ctn_id_to_text(a->q.id).text),
                     &err);
    else if (row->is_done && row->rc)
        ack_and_free(a, ctn_fail(&err, row->rc, "%.*s", CTN_STR_ARG(row->sentence)), &err);
    else if (row->is_done)
        ack_and_free(a, CTN_OK, NULL);
    else if (is_late)
        ack_and_free(a,
                     ctn_fail(&err, CTN_E_BUSY,
                              "no node has answered for shard %u in %d s; what was asked of %s is on disk, and is done "
                              "as soon as one holds it",
                              a->shard, CTN_DESK_WAIT_MS / 1000, ctn_id_to_text(a->q.id).text),
                     &err);
}

static void on_answers(void *ctx, int rc, const ctn_err *err)
{
    answer_look *l = ctx;
    ctn_desk *d = l->desk;
    size_t answered = 0;
    (void) err;
    d->is_looking_for_answers = false;
    for (size_t i = 0; i < l->count && rc == CTN_OK; i++) {
        asking *a = find_waiting(d, l->items[i].shard, l->items[i].no);
        if (!a)
            continue;
        if (!l->items[i].rc && !l->items[i].row.is_done) { /* to the end, so that many take turns */
            cut_out(d, a);
            append(d, a);
        } else {
            answered++;
        }
        take_answer(a, l->items[i].rc, &l->items[i].row);
    }
    d->answers_wanted = d->answers_wanted || (answered && d->waiting_count);
    ctn_arena_free(l->arena);
}

static void ask_for_answers(ctn_desk *d)
{
    d->answers_wanted = false;
    if (d->waiting_count == 0)
        return;
    ctn_arena *arena = ctn_arena_new(16384);
    answer_look *l = CTN_NEW(arena, answer_look);
    l->desk = d;
    l->arena = arena;
    for (asking *a = d->first; a && l->count < ANSWER_PAGE; a = a->next)
        if (a->waits) {
            l->items[l->count].shard = a->shard;
            l->items[l->count++].no = a->no;
        }
    d->is_looking_for_answers = true;
    ctn_member_do(d->of.member, look_for_answers, on_answers, l);
}

/* ---- requests of others ---- */

static void forget(serving *s)
{
    ctn_desk *d = s->desk;
    serving **at = &d->served;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    d->served_count--;
    d->requests_wanted = d->requests_wanted || d->served_count + 1 == SERVED_MAX;
    free(s->sentence);
    free(s);
}

static int answer(ctn_store *store, void *ctx, ctn_err *err)
{
    serving *s = ctx;
    return ctn_store_request_answer(store, s->shard, s->no, s->rc, ctn_str_from(s->sentence), err);
}

/* What could not be answered is found again, and done again: that changes nothing, or is refused as it was. */
static void on_answered(void *ctx, int rc, const ctn_err *err)
{
    serving *s = ctx;
    if (rc && rc != CTN_E_CLOSED)
        ctn_log_line(s->desk->of.log, CTN_LOG_WARN, "a request of another node could not be answered", "why",
                     err->message, NULL);
    forget(s);
}

/* Of what was done in a commit the answer stands there already, and this changes nothing. */
static void on_served(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    serving *s = ctx;
    ctn_desk *d = s->desk;
    (void) id;
    if (d->is_stopped || rc == CTN_E_STALE || rc == CTN_E_CLOSED) { /* the next holder does it, or has done it */
        s->is_over = d->is_looking_for_requests;
        if (!s->is_over)
            forget(s);
        return;
    }
    s->rc = rc;
    s->sentence = rc ? strdup(err && err->message[0] ? err->message : ctn_err_name(rc)) : NULL;
    ctn_member_do(d->of.member, answer, on_answered, s);
}

/* The plan of a start, compiled once. */
static int find_plan(ctn_desk *d, const ctn_json *definitions, ctn_request *q, ctn_err *err)
{
    ctn_digest digest = ctn_hash(ctn_json_to_str(d->scratch, definitions ? definitions : &ctn_json_null));
    met_plan **bucket = &d->plans[digest.bytes[0] % PLAN_BUCKETS];
    ctn_plan *plan = NULL;
    for (const met_plan *m = *bucket; m; m = m->next)
        if (memcmp(&m->digest, &digest, sizeof digest) == 0) {
            q->known_plan = m->plan;
            q->known_version = m->version;
            return CTN_OK;
        }
    int rc = ctn_request_find_plan(definitions, d->of.store, &plan, err);
    if (rc == CTN_OK && plan->unsupported.len) {
        rc = ctn_fail(err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(plan->unsupported));
        ctn_plan_free(plan);
    }
    if (rc == CTN_OK)
        rc = ctn_engine_plan_add(d->of.engine, plan, q->actor, &q->known_plan, &q->known_version, err);
    if (rc)
        return rc;
    met_plan *m = ctn_malloc(sizeof *m);
    *m = (met_plan){.next = *bucket, .digest = digest, .plan = q->known_plan, .version = q->known_version};
    *bucket = m;
    return CTN_OK;
}

static void serve(ctn_desk *d, const ctn_request_row *row)
{
    ctn_request q = {0};
    ctn_err err = {0};
    const ctn_json *definitions = NULL;
    serving *s = ctn_calloc(1, sizeof *s);
    *s = (serving){.desk = d, .shard = row->shard, .no = row->no, .next = d->served};
    d->served = s;
    d->served_count++;
    ctn_arena_mark mark = ctn_arena_save(d->scratch);
    int rc = ctn_request_from_row(row, d->of.seal, d->scratch, &q, &definitions, &err);
    if (rc == CTN_OK && q.op == CTN_REQUEST_START)
        rc = find_plan(d, definitions, &q, &err);
    if (rc)
        on_served(s, rc, row->id, &err);
    else
        ctn_request_file(d->of.engine, d->of.store, &q, on_served, s);
    ctn_arena_restore(d->scratch, mark);
}

typedef struct request_look {
    ctn_desk *desk;
    ctn_arena *arena;
    ctn_request_row *rows;
    size_t count, capacity, limit;
} request_look;

static int keep_request(void *ctx, const ctn_request_row *row)
{
    request_look *l = ctx;
    l->rows = ctn_arena_room(l->arena, l->rows, l->count, &l->capacity, sizeof *l->rows);
    ctn_request_row *kept = &l->rows[l->count++];
    *kept = *row;
    kept->kind = ctn_arena_str(l->arena, row->kind);
    kept->body = ctn_arena_str(l->arena, row->body);
    kept->sentence = (ctn_str){0};
    return 0;
}

static int look_for_requests(ctn_store *store, void *ctx, ctn_err *err)
{
    request_look *l = ctx;
    return ctn_store_requests_waiting(store, 0, l->limit, keep_request, l, err);
}

static bool is_served(const ctn_desk *d, uint32_t shard, int64_t no)
{
    for (const serving *s = d->served; s; s = s->next)
        if (s->no == no && s->shard == shard)
            return true;
    return false;
}

static void forget_what_is_over(ctn_desk *d)
{
    for (serving *s = d->served, *next; s; s = next) {
        next = s->next;
        if (s->is_over)
            forget(s);
    }
}

static void on_requests(void *ctx, int rc, const ctn_err *err)
{
    request_look *l = ctx;
    ctn_desk *d = l->desk;
    d->is_looking_for_requests = false;
    if (rc && rc != CTN_E_CLOSED)
        ctn_log_line(d->of.log, CTN_LOG_WARN, "requests of other nodes cannot be read", "why", err->message, NULL);
    size_t begun = 0;
    for (size_t i = 0; i < l->count && rc == CTN_OK && !d->is_stopped && d->served_count < SERVED_MAX; i++)
        if (ctn_member_holds(d->of.member, l->rows[i].shard) && !is_served(d, l->rows[i].shard, l->rows[i].no)) {
            serve(d, &l->rows[i]);
            begun++;
        }
    d->requests_wanted = d->requests_wanted || (begun && l->count == l->limit);
    forget_what_is_over(d);
    ctn_arena_free(l->arena);
}

static void ask_for_requests(ctn_desk *d)
{
    d->requests_wanted = false;
    ctn_arena *arena = ctn_arena_new(16384);
    request_look *l = CTN_NEW(arena, request_look);
    *l = (request_look){.desk = d, .arena = arena, .limit = d->served_count + SERVE_PAGE};
    d->is_looking_for_requests = true;
    ctn_member_do(d->of.member, look_for_requests, on_requests, l);
}

void ctn_desk_turn(ctn_desk *d)
{
    if (!d || !d->of.member || d->is_stopped)
        return;
    if (ctn_member_was_woken(d->of.member))
        d->answers_wanted = d->requests_wanted = true;
    if (d->answers_wanted && !d->is_looking_for_answers)
        ask_for_answers(d);
    if (d->requests_wanted && !d->is_looking_for_requests && d->served_count < SERVED_MAX &&
        ctn_member_held_count(d->of.member))
        ask_for_requests(d);
}

bool ctn_desk_is_quiet(const ctn_desk *d)
{
    return !d || (d->asking_count == 0 && d->served_count == 0);
}

bool ctn_desk_is_ours(const ctn_desk *d, ctn_execution_id id)
{
    return !d->of.member || ctn_member_holds(d->of.member, ctn_shard_of_id(id, ctn_member_shard_count(d->of.member)));
}

/* ---- life ---- */

ctn_desk *ctn_desk_new(const ctn_desk_options *options)
{
    ctn_desk *d = ctn_calloc(1, sizeof *d);
    d->of = *options;
    d->rng = ctn_rng_pooled(&d->chance);
    d->scratch = ctn_arena_new(16384);
    return d;
}

void ctn_desk_stop(ctn_desk *d)
{
    if (d)
        d->is_stopped = true;
}

void ctn_desk_free(ctn_desk *d)
{
    if (!d)
        return;
    d->is_stopped = true;
    while (d->first) {
        d->first->waits = false;
        ack_and_free(d->first, CTN_E_CLOSED, NULL);
    }
    while (d->served)
        forget(d->served);
    for (size_t i = 0; i < PLAN_BUCKETS; i++)
        for (met_plan *m = d->plans[i], *next; m; m = next) {
            next = m->next;
            free(m);
        }
    ctn_arena_free(d->scratch);
    free(d);
}
