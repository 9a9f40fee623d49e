/*
 * start.c -- see start.h. A request that is refused has changed nothing; one whose idempotency key is known is answered
 * with the execution that has it. One that comes again after a failed commit has the id and the number of its first
 * try.
 *
 * In a fleet a start lives where placement.h says. Whoever knows that gives it an id there; else the engine chooses, of
 * its own shards if it may live anywhere. That an id is there already is found out by the commit (CTN_OUTCOME_EXISTS),
 * so nothing is read for each start.
 */
#include "engine/start.h"
#include "engine/advance.h"
#include "engine/batch.h"
#include "engine/commit.h"
#include "engine/far.h"
#include "engine/follow_up.h"
#include "engine/holds.h"
#include "engine/labels.h"
#include "engine/load.h"
#include "engine/place.h"
#include "engine/placement.h"
#include "engine/queue.h"
#include "engine/quota.h"
#include "engine/request.h"
#include "engine/sealing.h"
#include "engine/shards.h"
#include "engine/state.h"

#include <assert.h>

typedef struct starting {
    plan_ref *plan;
    const ctn_json *input;  /* with its defaults */
    const ctn_json *labels; /* with the tenant; NULL: none */
    ctn_origin origin;
    ctn_str line;      /* its concurrencyKey, as it was rendered */
    ctn_str queue_key; /* empty: it stands in no line */
    ctn_lane_tenant *tenant;
    const ctn_sensitivity *sensitive; /* NULL: nothing is sealed */
    ctn_seal_key key;
    ctn_data_key wrapped;
} starting;

/* The tenant is a label like others, so that people find by it, and what goes on from an execution has it too. */
static int find_origin(ctn_engine *e, const ctn_start *start, starting *s, ctn_err *err)
{
    ctn_str label = ctn_json_str_or(start->labels, CTN_LABEL_TENANT, (ctn_str){0}), tenant = start->by.tenant;
    if (label.len && tenant.len && !ctn_str_equal(label, tenant))
        return ctn_fail(err, CTN_E_DENIED, "it is started by tenant '%.*s', and its label says tenant '%.*s'",
                        CTN_STR_ARG(tenant), CTN_STR_ARG(label));
    s->labels = start->labels;
    if (tenant.len && !label.len) {
        ctn_json_builder b = ctn_json_object(e->scratch);
        ctn_json_put_all(&b, start->labels);
        ctn_json_put_str(&b, CTN_LABEL_TENANT, tenant);
        s->labels = ctn_json_finish(&b);
    }
    s->origin = (ctn_origin){.principal = start->plan->run_as.len ? start->plan->run_as : start->by.principal,
                             .tenant = tenant.len ? tenant : label,
                             .traceparent = ctn_trace_parse(start->by.traceparent, &(ctn_trace_context){0})
                                                ? start->by.traceparent
                                                : (ctn_str){0},
                             .has_priority = start->has_priority && start->priority != start->plan->priority,
                             .priority = start->has_priority ? start->priority : start->plan->priority};
    return start->has_priority && (start->priority < 0 || start->priority > 9)
               ? ctn_fail(err, CTN_E_INVALID, "a priority is 0 (last) to 9 (first), not %d", start->priority)
               : CTN_OK;
}

/* The restricted sets that it names: whoever may not use them learns it now and not at the third step. */
static int check_rights(ctn_engine *e, const ctn_plan *plan, ctn_str principal, ctn_err *err)
{
    const ctn_engine_options *o = &e->options;
    int rc = plan->run_as.len && o->may_run_as ? o->may_run_as(o->may_use_ctx, plan->run_as, err) : CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && o->may_use && principal.len && i < plan->restricted_count; i++)
        rc = o->may_use(o->may_use_ctx, principal, plan->restricted[i], err);
    return rc ? ctn_wrap(err, rc, "chain '%.*s'", CTN_STR_ARG(plan->chain_id)) : CTN_OK;
}

static int accept(ctn_engine *e, const filed *f, starting *s, ctn_err *err)
{
    const ctn_start *start = &f->start;
    int64_t line_at_ms = ctn_eng_is_fleet(e) ? ctn_id_at_ms(f->id) : e->now_ms;
    const ctn_plan *plan = s->plan->plan;
    int rc = ctn_plan_accept_input(plan, e->scratch, start->input, &s->input, err);
    if (rc == CTN_OK)
        rc = ctn_execution_check_input(&e->rules, s->input, err);
    if (rc == CTN_OK)
        rc = ctn_eng_check_labels(e, plan, err);
    if (rc == CTN_OK)
        rc = find_origin(e, start, s, err);
    if (rc == CTN_OK)
        rc = check_rights(e, plan, s->origin.principal, err);
    if (rc == CTN_OK)
        rc = ctn_execution_check_names(s->labels, start->idempotency_key, start->actor, err);
    if (rc == CTN_OK)
        rc = ctn_plan_queue_key(plan, e->scratch, s->input, line_at_ms, &s->queue_key, err);
    if (rc && plan->concurrency_key && ctn_sensitive_queue_key(ctn_eng_sensitivity(e, plan, start->sensitive)))
        rc = ctn_fail(err, rc, "concurrencyKey of chain '%.*s' cannot be made of a sensitive value; why is not told",
                      CTN_STR_ARG(plan->chain_id));
    s->line = s->queue_key;
    return rc ? rc : ctn_execution_check_reuse(plan, start->going_on, err);
}

/* Then it has that one's id. Whoever gave it an id in a fleet knows whose key it is. */
static bool is_known(ctn_engine *e, filed *f)
{
    ctn_execution_row row;
    if (!f->start.idempotency_key.len || ctn_eng_is_fleet(e) ||
        ctn_store_execution_by_key(e->options.store, e->scratch, f->start.plan->chain_id, f->start.idempotency_key,
                                   &row, NULL) != CTN_OK)
        return false;
    f->id = row.id;
    return true;
}

/* In a fleet: its id is in the shard where it must live, and that is ours. */
static int find_shard(ctn_engine *e, filed *f, const starting *s, ctn_err *err)
{
    if (!ctn_eng_is_fleet(e) || f->has_place)
        return ctn_eng_refuse_elsewhere(e, f->shard, err);
    uint32_t count = ctn_eng_shard_count(e), any = 0;
    ctn_placement_room room = {.shard_count = count};
    int rc = ctn_eng_shards_for(e, f->start.plan, &room.among, err);
    if (rc)
        return rc;
    ctn_placement at = ctn_placement_by(&f->start, s->line, &room, e->scratch);
    if (!ctn_id_is_none(f->start.id)) {
        bool is_bound = f->start.plan->max_concurrent || s->line.len;
        if (is_bound && ctn_shard_of_id(f->id, count) != at.shard)
            return ctn_fail(err, CTN_E_INVALID,
                            "%s cannot be the id of this start: its line, or its chain's places, are kept in shard %u; "
                            "is its idempotency key that of a start with another input?",
                            ctn_id_to_text(f->id).text, at.shard);
    } else if (at.is_anywhere && !ctn_eng_some_shard(e, room.among, &any)) {
        return ctn_fail(err, CTN_E_STALE, "this node has no shard where something could be started just now");
    } else {
        ctn_shard_into_id(&f->id, at.is_anywhere ? any : at.shard);
        if (f->start.idempotency_key.len) {
            rc = ctn_store_key_claim(e->options.store, f->start.plan->chain_id, f->start.idempotency_key, f->id, &f->id,
                                     err);
            if (rc)
                return rc;
        }
    }
    f->has_place = true;
    f->shard = ctn_eng_shard_in(e, f->id);
    return ctn_eng_refuse_elsewhere(e, f->shard, err);
}

static int seal(ctn_engine *e, const filed *f, starting *s, ctn_err *err)
{
    const ctn_plan *plan = s->plan->plan;
    s->sensitive = e->options.seals_nothing ? NULL : ctn_eng_sensitivity(e, plan, f->start.sensitive);
    return s->sensitive ? ctn_eng_seal_start(e, plan, f->id, s->sensitive, &s->queue_key, &s->key, &s->wrapped, err)
                        : CTN_OK;
}

/* Its parent chose the shard when it began it (far.h). A node of an earlier version did not, and what it left fails its
 * step, whose next attempt is begun by this one. */
static int check_child(ctn_engine *e, const filed *f, const starting *s, ctn_err *err)
{
    const ctn_plan *plan = s->plan->plan;
    if (!ctn_eng_is_fleet(e) || !f->parent || !(plan->max_concurrent || s->line.len))
        return CTN_OK;
    if (!plan->max_concurrent && ctn_eng_line_is_shared(e, f->parent, s->queue_key))
        return CTN_OK;
    ctn_placement_room room = {.shard_count = ctn_eng_shard_count(e)};
    int rc = ctn_eng_shards_for(e, plan, &room.among, err);
    if (rc || ctn_placement_by(&f->start, s->line, &room, e->scratch).shard == f->shard)
        return rc;
    return ctn_fail(err, CTN_E_UNSUPPORTED,
                    "chain '%.*s' has %s, which is kept in another shard than the one that a node of an earlier "
                    "version has begun this sub-chain in; another attempt begins it in the right one",
                    CTN_STR_ARG(plan->chain_id), plan->max_concurrent ? "maxConcurrent" : "a concurrencyKey");
}

/* Has its tenant room for one more? */
static int admits(const ctn_engine *e, const ctn_lane_tenant *tenant, ctn_err *err)
{
    int64_t limit = tenant->rules && !e->options.own_only ? tenant->rules->queued : 0;
    if (limit && tenant->queued >= limit)
        return ctn_fail(err, CTN_E_TOO_MANY, "tenant '%s' has %lld executions queued, at most %lld may be",
                        tenant->name, (long long) tenant->queued, (long long) limit);
    return ctn_eng_quota_admits(e, tenant, err);
}

/* Held back, although nobody asked for that. A child does not wait for room: its parent may have it. It shares its
 * parents' line. */
static bool must_wait(ctn_engine *e, const filed *f, starting *s)
{
    const ctn_plan *plan = s->plan->plan;
    if (f->parent && s->queue_key.len && ctn_eng_line_is_shared(e, f->parent, s->queue_key))
        s->queue_key = (ctn_str){0};
    bool is_limited = !f->parent || s->queue_key.len || plan->max_concurrent;
    return is_limited && !f->start.is_queued &&
           (!ctn_eng_has_seat(e) ||
            !ctn_eng_may_start(
                e,
                &(ctn_candidate){.plan = plan, .tenant = s->tenant, .queue_key = s->queue_key, .exec_no = f->exec_no}));
}

static loaded *new_loaded(ctn_engine *e, const filed *f, starting *s)
{
    const ctn_plan *plan = s->plan->plan;
    ctn_arena *arena = ctn_arena_new(4096);
    loaded *l = ctn_eng_loaded_new(e, f->id, f->exec_no, s->plan, arena, ctn_execution_new(arena, plan, f->id));
    l->is_new = true;
    l->shard = f->shard;
    ctn_eng_strand_join(e, l);
    l->epoch = f->epoch;
    if (s->sensitive) {
        l->seal.is_on = true;
        l->seal.key = s->key;
        ctn_seal_key_wipe(&s->key);
        l->seal.data_key =
            (ctn_data_key){ctn_arena_str(arena, s->wrapped.master_id), ctn_arena_str(arena, s->wrapped.wrapped)};
    }
    l->follow_up.is_one = ctn_is_follow_up_key(f->start.idempotency_key);
    l->follow_up.follows = f->follows;
    l->queue.tenant = s->tenant;
    ctn_eng_line_up(e, l, s->queue_key);
    l->row = (ctn_execution_row){
        .exec_no = f->exec_no,
        .id = f->id,
        .parent = f->parent ? f->parent->id : (ctn_execution_id){{0}},
        .chain_id = plan->chain_id,
        .chain_version = f->start.version,
        .priority = s->origin.priority,
        .tenant = ctn_arena_str(arena, s->origin.tenant),
        .queue_key = l->queue.key,
        .idempotency_key = ctn_arena_str(arena, f->start.idempotency_key),
        .labels = s->labels ? ctn_json_to_str(arena, s->labels) : (ctn_str){0},
        .input = ctn_json_to_str(arena, ctn_sensitive_hide_input(s->sensitive, s->input, e->scratch)),
        .created_at_ms = e->now_ms,
    };
    return l;
}

/* It is there from now on, and never ran: no other start has its id. */
static void end_at_once(ctn_engine *e, loaded *l)
{
    ctn_input stop = {
        .kind = CTN_IN_CANCEL, .now_ms = e->now_ms, .actor = CTN_STR("engine"), .message = CTN_STR(CTN_WITH_PARENT)};
    ctn_entry entry;
    if (ctn_execution_decide(l->x, &e->rules, &stop, e->scratch, &entry, NULL) == CTN_OK)
        ctn_eng_record(e, l, &entry);
}

static void record_first(ctn_engine *e, loaded *l, const filed *f, const starting *s, bool is_queued)
{
    ctn_entry first = ctn_execution_first_entry(s->plan->plan, e->scratch, is_queued, f->start.version, s->input,
                                                s->labels, f->parent, f->start.actor, e->now_ms);
    ctn_execution_add_origin(&first, e->scratch, &s->origin);
    if (f->start.going_on)
        ctn_execution_add_reuse(&first, e->scratch, f->start.going_on);
    ctn_execution_add_sensitive(&first, e->scratch, f->start.sensitive);
    ctn_eng_record(e, l, &first);
}

/* In memory already: a second try after a failed commit that did reach the disk, or one that is asked for again under
 * its id. Answered when it is on disk. */
static bool is_here(ctn_engine *e, filed *f)
{
    loaded *l = ctn_live_find(&e->live, f->id);
    if (!l)
        return false;
    if (l->is_new || l->batches)
        ctn_eng_keep_with(l, f);
    else
        ctn_eng_ack(e, f, CTN_OK, NULL);
    return true;
}

/* Its number, of this epoch: one of an earlier may be below those that another node gave out since. False: there is
 * none just now, and it is tried again. */
static bool number(ctn_engine *e, filed *f, ctn_lane_tenant *tenant)
{
    ctn_err err = {0};
    uint64_t epoch = ctn_eng_epoch_of(e, f->shard);
    bool is_first = !f->exec_no;
    if (is_first || f->epoch != epoch) {
        if (ctn_eng_exec_no_next(e, f->shard, &f->exec_no, &err)) {
            ctn_eng_store_fails(e, &e->store.reading, &err);
            ctn_filed_put_back(&e->inbox.list, f);
            return false;
        }
        f->epoch = epoch;
    }
    if (is_first && f->is_counted && tenant->quota)
        ctn_eng_quota_use(e, tenant, &(ctn_usage){.executions = 1});
    return true;
}

void ctn_eng_take_start(ctn_engine *e, filed *f)
{
    ctn_err err = {0};
    starting s = {.plan = ctn_eng_plan_ref(e, f->start.plan)};
    assert(s.plan);
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    if (is_here(e, f))
        return;
    int rc = accept(e, f, &s, &err);
    if (rc == CTN_OK)
        rc = find_shard(e, f, &s, &err);
    if (rc == CTN_OK && ctn_eng_is_fleet(e) && is_here(e, f)) { /* its id was chosen just now */
        ctn_arena_restore(e->scratch, mark);
        return;
    }
    bool is_there = rc == CTN_OK && is_known(e, f);
    if (rc == CTN_OK && !is_there)
        rc = ctn_eng_refuse_held(e, f, &err);
    if (rc == CTN_OK && !is_there && f->is_counted && !f->exec_no)
        rc = admits(e, f->tenant, &err);
    if (rc == CTN_OK && !is_there)
        rc = seal(e, f, &s, &err);
    if (rc == CTN_OK && !is_there)
        rc = check_child(e, f, &s, &err);
    if (rc || is_there) {
        ctn_arena_restore(e->scratch, mark);
        e->figures.refused += rc != CTN_OK;
        ctn_eng_ack(e, f, rc, rc ? &err : NULL);
        return;
    }
    s.tenant = ctn_eng_tenant(e, s.origin.tenant);
    if (!number(e, f, s.tenant)) {
        ctn_arena_restore(e->scratch, mark);
        return;
    }
    bool is_stopped = f->start.is_stopped, waits = must_wait(e, f, &s) && !is_stopped;
    loaded *l = new_loaded(e, f, &s);
    if (waits)
        ctn_eng_wait_here(e, l);
    record_first(e, l, f, &s, waits || is_stopped || f->start.is_queued);
    if (f->parent)
        ctn_eng_far_loaded(e, l);
    if (is_stopped)
        end_at_once(e, l);
    ctn_eng_record_audit(e, l, &f->start.by);
    ctn_eng_record_request(l, &f->start.by);
    ctn_eng_keep(l, f);
    ctn_arena_restore(e->scratch, mark);
    ctn_eng_advance(e, l);
    ctn_live_to_perform(&e->live, l);
}

void ctn_eng_start_queued(ctn_engine *e, loaded *l, ctn_str actor)
{
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_input start = {.kind = CTN_IN_START, .now_ms = e->now_ms, .actor = actor};
    ctn_entry entry;
    if (ctn_execution_decide(l->x, &e->rules, &start, e->scratch, &entry, NULL) == CTN_OK)
        ctn_eng_record(e, l, &entry);
    ctn_arena_restore(e->scratch, mark);
}
