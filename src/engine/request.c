/*
 * request.c -- see request.h. Nothing is decided here: what comes is copied and filed, and a turn takes it (decide.c).
 */
#include "engine/request.h"
#include "engine/quota.h"
#include "engine/shards.h"
#include "engine/state.h"

#define SHARED_MS 2000 /* that two tenants are there is forgotten after so long */

void ctn_eng_wake(ctn_engine *e)
{
    if (e->options.wake)
        e->options.wake(e->options.wake_ctx);
}

void ctn_eng_file(ctn_engine *e, filed *f)
{
    ctn_filed_append(&e->inbox.list, f);
    ctn_eng_wake(e);
}

void ctn_eng_ack(ctn_engine *e, filed *f, int rc, const ctn_err *err)
{
    if (f->ack)
        f->ack(f->ack_ctx, rc, f->id, err);
    ctn_inbox_free(&e->inbox, f);
}

static filed *request(ctn_engine *e, filed_kind kind, ctn_execution_id id, ctn_ack_fn *ack, void *ctx)
{
    filed *f = ctn_inbox_new(&e->inbox, kind);
    f->id = id;
    f->ack = ack;
    f->ack_ctx = ctx;
    return f;
}

/* Most are nobody's in particular. */
static ctn_requester copy_requester(ctn_arena *arena, const ctn_requester *by)
{
    if (!(by->principal.len | by->tenant.len | by->audit_action.len | by->traceparent.len))
        return (ctn_requester){.request = by->request};
    return (ctn_requester){
        .principal = ctn_arena_str(arena, by->principal),
        .tenant = ctn_arena_str(arena, by->tenant),
        .audit_action = ctn_arena_str(arena, by->audit_action),
        .audit_actor = ctn_arena_str(arena, by->audit_actor),
        .from = ctn_arena_str(arena, by->from),
        .traceparent = ctn_arena_str(arena, by->traceparent),
        .request = by->request,
    };
}

ctn_requester ctn_eng_requester_of(const ctn_execution *x)
{
    const ctn_origin *origin = ctn_execution_origin(x);
    return (ctn_requester){
        .principal = origin->principal, .tenant = origin->tenant, .traceparent = origin->traceparent};
}

filed *ctn_eng_make_start(ctn_engine *e, const ctn_start *start, ctn_ack_fn *ack, void *ctx)
{
    ctn_execution_id id =
        ctn_id_is_none(start->id) ? ctn_id_new(ctn_clock_now_ms(&e->options.clock), &e->options.id_rng) : start->id;
    filed *f = request(e, FILED_START, id, ack, ctx);
    f->start = *start;
    f->start.input = ctn_json_copy(f->arena, start->input);
    f->start.labels = start->labels ? ctn_json_copy(f->arena, start->labels) : NULL;
    f->start.going_on = start->going_on ? ctn_json_copy(f->arena, start->going_on) : NULL;
    f->start.sensitive = start->sensitive ? ctn_json_copy(f->arena, start->sensitive) : NULL;
    f->start.idempotency_key = ctn_arena_str(f->arena, start->idempotency_key);
    f->start.actor = ctn_arena_str(f->arena, start->actor);
    f->start.by = copy_requester(f->arena, &start->by);
    if (start->parent) {
        f->parent = CTN_NEW(f->arena, ctn_parent);
        *f->parent = *start->parent;
        f->parent->step = ctn_arena_str(f->arena, start->parent->step);
        f->start.parent = f->parent;
        f->shard = ctn_eng_is_fleet(e) ? ctn_eng_shard_in(e, id) : 0;
        f->has_place = true;
    }
    return f;
}

filed *ctn_eng_file_start(ctn_engine *e, const ctn_start *start, ctn_ack_fn *ack, void *ctx)
{
    filed *f = ctn_eng_make_start(e, start, ack, ctx);
    ctn_eng_file(e, f);
    return f;
}

/* ---- back-pressure ---- */

static int refuse_if_too_many(const ctn_engine *e, const ctn_lane_tenant *tenant, ctn_err *err)
{
    const ctn_inbox *inbox = &e->inbox;
    if (inbox->start_count >= e->options.starting_max || inbox->start_bytes >= e->options.starting_bytes_max)
        return ctn_fail(err, CTN_E_TOO_MANY, "%zu executions are being started (%zu KiB), and are not on disk yet",
                        inbox->start_count, inbox->start_bytes >> 10);
    if (tenant->name[0] && (size_t) tenant->starting >= (e->options.starting_max + 1) / 2)
        return ctn_fail(err, CTN_E_TOO_MANY,
                        "%lld executions of tenant '%s' are being started, and are not on disk yet",
                        (long long) tenant->starting, tenant->name);
    return CTN_OK;
}

/* A refusal takes as little as it can, and is told in the next turn like everything. */
void ctn_engine_start(ctn_engine *e, const ctn_start *start, ctn_ack_fn *ack, void *ctx)
{
    ctn_err err = {0};
    ctn_str name = start->by.tenant;
    if (start->parent) { /* it does not wait for room: its parent may have it */
        (void) ctn_eng_file_start(e, start, ack, ctx);
        return;
    }
    if (start->labels && !name.len)
        name = ctn_json_str_or(start->labels, CTN_LABEL_TENANT, (ctn_str){0});
    ctn_lane_tenant *tenant = ctn_eng_tenant(e, name);
    filed *f = NULL;
    if (e->queue.last && e->queue.last != tenant)
        e->queue.shared_until_ms = ctn_clock_now_ms(&e->options.clock) + SHARED_MS;
    e->queue.last = tenant;
    if (refuse_if_too_many(e, tenant, &err) == CTN_OK) {
        f = ctn_eng_make_start(e, start, ack, ctx);
        f->is_counted = true;
        f->bytes = ctn_arena_used_bytes(f->arena);
        f->tenant = tenant;
        e->inbox.start_count++;
        e->inbox.start_bytes += f->bytes;
        tenant->starting++;
        if (!tenant->name[0])
            ctn_filed_append(&e->inbox.list, f);
        else
            ctn_inbox_file_start(&e->inbox, f);
        ctn_eng_wake(e);
        return;
    }
    f = request(e, FILED_START, (ctn_execution_id){{0}}, ack, ctx);
    f->refusal = CTN_NEW(f->arena, ctn_err);
    *f->refusal = err;
    ctn_filed_append(&e->inbox.refused, f);
    ctn_eng_wake(e);
}

filed *ctn_eng_make_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx)
{
    filed *f = request(e, FILED_INPUT, id, ack, ctx);
    f->in = *input;
    f->in.actor = ctn_arena_str(f->arena, input->actor);
    f->in.name = ctn_arena_str(f->arena, input->name);
    f->in.message = ctn_arena_str(f->arena, input->message);
    f->in.value = input->value ? ctn_json_copy(f->arena, input->value) : NULL;
    return f;
}

filed *ctn_eng_file_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, ctn_ack_fn *ack, void *ctx)
{
    filed *f = ctn_eng_make_input(e, id, input, ack, ctx);
    ctn_eng_file(e, f);
    return f;
}

void ctn_engine_input(ctn_engine *e, ctn_execution_id id, const ctn_input *input, const ctn_requester *by,
                      ctn_ack_fn *ack, void *ctx)
{
    filed *f = ctn_eng_file_input(e, id, input, ack, ctx);
    if (by)
        f->by = copy_requester(f->arena, by);
}

void ctn_engine_child_ended(ctn_engine *e, ctn_execution_id id, ctn_execution_id child, const ctn_requester *by,
                            ctn_ack_fn *ack, void *ctx)
{
    filed *f = request(e, FILED_CHILD_NEWS, id, ack, ctx);
    f->child = child;
    if (by)
        f->by = copy_requester(f->arena, by);
    ctn_eng_file(e, f);
}

void ctn_engine_adopt(ctn_engine *e, ctn_execution_id id, ctn_ack_fn *ack, void *ctx)
{
    ctn_eng_file(e, request(e, FILED_ADOPT, id, ack, ctx));
}

void ctn_engine_release(ctn_engine *e, ctn_execution_id id, bool gives_up, ctn_str actor, ctn_str reason,
                        ctn_ack_fn *ack, void *ctx)
{
    filed *f = request(e, FILED_RELEASE, id, ack, ctx);
    f->gives_up = gives_up;
    f->in.actor = ctn_arena_str(f->arena, actor);
    f->in.message = ctn_arena_str(f->arena, reason);
    ctn_eng_file(e, f);
}
