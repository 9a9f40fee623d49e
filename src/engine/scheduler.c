/*
 * scheduler.c -- chains that are started by the clock.
 *
 * Once for each due time, whatever dies: the start carries the key "schedule:CHAIN:TIME", and the store's row says up
 * to where times were seen. It is written after the start is on disk; whoever dies in between asks again under the same
 * key. A schedule that is new, or says another time than before, begins now.
 *
 * Nothing that a run does ends its schedule: a chain that cannot be started is told in the log, its time counts as
 * seen, and the next one is tried like any. Only what the store refuses for a moment is asked again for the same time.
 *
 * Whether what was started last still runs is asked of the store when a time is due, by that time's key: so it is known
 * after a restart too, and a start by hand does not count. A cancel of the earlier one that is lost with the process is
 * asked for again, but for the one that was started right before the death: that one is left to run.
 *
 * In a fleet a schedule is followed by the node that holds the schedule's shard; rows are read again when shards are
 * gained. Also when the shard moves at the very moment a time is due it is fired once: the id of what is started
 * follows from the time (elsewhere.h). Who has lost the shard writes the row no more.
 */
#include "engine/scheduler.h"
#include "base/memory.h"
#include "engine/elsewhere.h"
#include "engine/plans.h"
#include "engine/request.h"
#include "engine/schedule.h"
#include "engine/shards.h"
#include "engine/state.h"
#include "store/audit.h"

#include <stdlib.h>

#define RETRY_MS 1000
#define LATE_MS  60000 /* beyond that a time was missed */

typedef struct scheduled {
    ctn_engine *engine;
    const ctn_schedule *what;
    ctn_schedule_times times;
    bool is_good, is_known, is_firing;
    int64_t seen_at_ms, next_at_ms; /* next 0: never */
    int64_t fired_at_ms, firing_at_ms;
    int64_t paused_at_ms; /* 0: it is not */
    ctn_str paused_by;
    int64_t look_at_ms; /* nothing is tried before */
} scheduled;

struct scheduler {
    bool are_known; /* what the store says of them was read */
    ctn_arena *arena;
    scheduled all[]; /* as many as in the options */
};

/* ---- whose is it? ---- */

static uint32_t home_of(const ctn_engine *e, const scheduled *s)
{
    return ctn_shard_of_name(CTN_STR("schedule"), s->what->chain_id, ctn_eng_shard_count(e));
}

static bool is_ours(const ctn_engine *e, const scheduled *s)
{
    return !ctn_eng_is_fleet(e) || ctn_eng_may_begin_in(e, home_of(e, s));
}

/* ---- what is remembered ---- */

static int put_row(ctn_engine *e, const scheduled *s, ctn_err *err)
{
    ctn_schedule_row row = {.chain_id = s->what->chain_id,
                            .cron = s->what->cron,
                            .timezone = s->what->timezone,
                            .seen_at_ms = s->seen_at_ms,
                            .next_at_ms = s->next_at_ms,
                            .fired_at_ms = s->fired_at_ms,
                            .paused_at_ms = s->paused_at_ms,
                            .paused_by = s->paused_by};
    return ctn_store_schedule_put(e->options.store, &row, err);
}

static void note_seen(ctn_engine *e, scheduled *s, int64_t seen_at_ms)
{
    ctn_err err = {0};
    s->seen_at_ms = seen_at_ms;
    s->next_at_ms = ctn_schedule_next_ms(&s->times, seen_at_ms);
    s->look_at_ms = 0;
    if (put_row(e, s, &err)) /* the next one says it too; the key keeps it to once */
        ctn_log_line(e->options.log, CTN_LOG_WARN, "a schedule cannot be noted", "why", err.message, NULL);
}

static int take_row(void *ctx, const ctn_schedule_row *row)
{
    ctn_engine *e = ctx;
    for (size_t i = 0; i < e->options.schedule_count; i++) {
        scheduled *s = &e->scheduler->all[i];
        if (!s->is_good || !ctn_str_equal(row->chain_id, s->what->chain_id))
            continue;
        if (s->is_firing)
            continue; /* it is noted when that is done */
        s->fired_at_ms = row->fired_at_ms;
        s->paused_at_ms = row->paused_at_ms;
        s->paused_by = ctn_arena_str(e->scheduler->arena, row->paused_by);
        if (ctn_str_equal(row->cron, s->what->cron) && ctn_str_equal(row->timezone, s->what->timezone)) {
            s->is_known = true;
            s->seen_at_ms = row->seen_at_ms;
            s->next_at_ms = ctn_schedule_next_ms(&s->times, row->seen_at_ms);
        }
    }
    return 0;
}

static bool are_known(ctn_engine *e)
{
    ctn_err err = {0};
    if (e->scheduler->are_known)
        return true;
    ctn_arena_reset(e->scheduler->arena);
    for (size_t i = 0; i < e->options.schedule_count; i++)
        e->scheduler->all[i].is_known = e->scheduler->all[i].is_firing;
    if (ctn_store_schedule_list(e->options.store, take_row, e, &err))
        return false; /* a later turn asks again */
    e->scheduler->are_known = true;
    for (size_t i = 0; i < e->options.schedule_count; i++)
        if (e->scheduler->all[i].is_good && !e->scheduler->all[i].is_known && is_ours(e, &e->scheduler->all[i]))
            note_seen(e, &e->scheduler->all[i], e->now_ms);
    return true;
}

/* ---- a start ---- */

static ctn_str key_of(ctn_arena *arena, const scheduled *s, int64_t at_ms)
{
    char time[25];
    ctn_time_format(at_ms, time);
    return ctn_arena_printf(arena, "schedule:%.*s:%.16sZ", CTN_STR_ARG(s->what->chain_id), time);
}

static const ctn_json *input_of(ctn_arena *arena, const scheduled *s)
{
    ctn_json_builder nothing = ctn_json_object(arena);
    return s->what->input ? s->what->input : ctn_json_finish(&nothing);
}

static void on_started(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    scheduled *s = ctx;
    (void) id;
    if (!is_ours(s->engine, s) || ctn_eng_is_for_later(s->engine, rc)) {
        s->is_firing = false; /* whoever follows it now fires it, if it is not; or we do, in a moment */
        s->look_at_ms = s->engine->now_ms + RETRY_MS;
        return;
    }
    if (rc && err)
        ctn_log_line(s->engine->options.log, CTN_LOG_ERROR, "a scheduled chain cannot be started", "why", err->message,
                     NULL);
    if (rc == CTN_OK)
        s->fired_at_ms = s->firing_at_ms;
    s->is_firing = false;
    note_seen(s->engine, s, s->firing_at_ms);
}

static void fire(ctn_engine *e, scheduled *s, int64_t at_ms)
{
    ctn_err err = {0};
    bool again = false;
    ctn_start start = {.may_be_held = true, .actor = CTN_STR("schedule")};
    s->firing_at_ms = at_ms;
    s->is_firing = true;
    int rc = ctn_eng_plan_find(e, s->what->chain_id, CTN_STR("schedule"), &start, &again, &err);
    if (again) { /* the store's trouble: not missed */
        ctn_log_line(e->options.log, CTN_LOG_WARN, "a scheduled chain is tried again later", "why", err.message, NULL);
        s->is_firing = false;
        s->look_at_ms = e->now_ms + RETRY_MS;
        return;
    }
    if (rc) {
        on_started(s, rc, (ctn_execution_id){0}, &err);
        return;
    }
    if (s->what->overlap == CTN_OVERLAP_SKIP || s->what->overlap == CTN_OVERLAP_QUEUE) {
        /* Before the start: whoever dies behind it, and then picks a later time, must know that this one runs. */
        s->fired_at_ms = at_ms;
        rc = put_row(e, s, &err);
        if (rc) {
            s->is_firing = false;
            s->look_at_ms = e->now_ms + RETRY_MS;
            return;
        }
    }
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    start.input = input_of(e->scratch, s);
    start.idempotency_key = key_of(e->scratch, s, at_ms);
    filed *f = NULL; /* what the clock starts is not refused */
    rc = ctn_eng_own_start(e, &start, at_ms, home_of(e, s), on_started, s, 0, &f, &err);
    if (rc)
        on_started(s, rc, (ctn_execution_id){0}, &err);
    ctn_arena_restore(e->scratch, mark);
}

/* ---- what is due ---- */

/* The same for a time whoever asks: a restart does not throw the dice again. */
static int64_t due_of(const scheduled *s, int64_t at_ms)
{
    if (s->what->jitter_ms <= 0)
        return at_ms;
    uint64_t state = ctn_str_hash(s->what->chain_id) ^ (uint64_t) at_ms;
    ctn_rng rng = ctn_rng_seeded(&state);
    return at_ms + (int64_t) (ctn_rng_next(&rng) % (uint64_t) (s->what->jitter_ms + 1));
}

/* When it is to be looked at; 0: never. */
static int64_t look_of(const scheduled *s)
{
    if (!s->is_good || s->is_firing || s->paused_at_ms || !s->next_at_ms || !is_ours(s->engine, s))
        return 0;
    int64_t due_ms = due_of(s, s->next_at_ms);
    return s->look_at_ms > due_ms ? s->look_at_ms : due_ms;
}

/* The time that is to be fired of those that are due; 0: all have passed, or none is due yet. */
static int64_t pick(const scheduled *s, int64_t now_ms)
{
    int64_t missed[CTN_SCHEDULE_MISSED_MAX];
    size_t max = s->what->catch_up == CTN_CATCH_UP_ALL || s->what->jitter_ms ? CTN_SCHEDULE_MISSED_MAX : 1;
    size_t count = ctn_schedule_missed(&s->times, s->seen_at_ms, now_ms, max, missed);
    while (count > 0 && due_of(s, missed[count - 1]) > now_ms)
        count--;
    if (count == 0)
        return 0;
    if (s->what->catch_up == CTN_CATCH_UP_ALL)
        return missed[0];
    return missed[count - 1];
}

static bool has_passed(const scheduled *s, int64_t at_ms, int64_t now_ms)
{
    return s->what->catch_up == CTN_CATCH_UP_NONE && now_ms - due_of(s, at_ms) > LATE_MS;
}

/* What was started last has not ended. */
static bool is_running(const ctn_engine *e, const scheduled *s, ctn_execution_id *ret_id)
{
    ctn_execution_row row;
    if (!s->fired_at_ms || ctn_store_execution_by_key(e->options.store, e->scratch, s->what->chain_id,
                                                      key_of(e->scratch, s, s->fired_at_ms), &row, NULL) != CTN_OK)
        return false;
    *ret_id = row.id;
    return !ctn_status_is_final(row.status);
}

static void look(ctn_engine *e, scheduled *s)
{
    int64_t at_ms = pick(s, e->now_ms);
    ctn_execution_id earlier;
    if (!at_ms) {
        s->look_at_ms = e->now_ms + RETRY_MS;
        return;
    }
    if (has_passed(s, at_ms, e->now_ms)) {
        note_seen(e, s, at_ms);
        return;
    }
    if (s->what->overlap != CTN_OVERLAP_ALLOW && is_running(e, s, &earlier)) {
        if (s->what->overlap == CTN_OVERLAP_QUEUE) {
            s->look_at_ms = e->now_ms + RETRY_MS;
            return;
        }
        if (s->what->overlap == CTN_OVERLAP_SKIP) {
            note_seen(e, s, at_ms);
            return;
        }
        ctn_input cancel = {.kind = CTN_IN_CANCEL,
                            .actor = CTN_STR("schedule"),
                            .message = CTN_STR("the schedule's next time has come (overlap: cancel)")};
        ctn_eng_own_input(e, earlier, &cancel, NULL, NULL, 0);
    }
    fire(e, s, at_ms);
}

void ctn_eng_schedules_look_again(ctn_engine *e)
{
    if (ctn_eng_is_fleet(e))
        e->scheduler->are_known = false;
}

void ctn_eng_schedules_turn(ctn_engine *e)
{
    if (!e->options.schedule_count || e->is_stopping || !are_known(e))
        return;
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    for (size_t i = 0; i < e->options.schedule_count; i++) {
        int64_t look_at_ms = look_of(&e->scheduler->all[i]);
        if (look_at_ms && look_at_ms <= e->now_ms)
            look(e, &e->scheduler->all[i]);
    }
    ctn_arena_restore(e->scratch, mark);
}

int64_t ctn_eng_schedules_turn_ms(const ctn_engine *e)
{
    int64_t at = 0;
    if (!e->options.schedule_count)
        return 0;
    if (!e->scheduler->are_known)
        return e->now_ms + RETRY_MS;
    for (size_t i = 0; i < e->options.schedule_count; i++) {
        int64_t look_at_ms = look_of(&e->scheduler->all[i]);
        if (look_at_ms && (!at || look_at_ms < at))
            at = look_at_ms;
    }
    return at;
}

/* ---- by hand ---- */

static scheduled *find(const ctn_engine *e, ctn_str chain_id)
{
    for (size_t i = 0; i < e->options.schedule_count; i++)
        if (e->scheduler->all[i].is_good && ctn_str_equal(e->options.schedules[i].chain_id, chain_id))
            return &e->scheduler->all[i];
    return NULL;
}

/* A request that comes again, for its answer was lost with its node, is one start: its id is claimed by its number. */
static int place_now(ctn_engine *e, const scheduled *s, ctn_start *start, ctn_err *err)
{
    int64_t now_ms = ctn_clock_now_ms(&e->options.clock), request = start->by.request;
    ctn_id_text chance = ctn_id_to_text(ctn_id_new(now_ms, &e->options.id_rng));
    start->by.request = 0; /* it is of the schedule's shard, and its filer answers it */
    int rc = ctn_eng_own_id(e, start, ctn_str_from(chance.text), now_ms, home_of(e, s), &start->id, err);
    if (rc || !request)
        return rc;
    ctn_str key = ctn_arena_printf(e->scratch, "fire:%u:%lld", home_of(e, s), (long long) request);
    return ctn_store_key_claim(e->options.store, s->what->chain_id, key, start->id, &start->id, err);
}

static void fire_now(ctn_engine *e, const scheduled *s, ctn_str actor, const ctn_requester *by, ctn_ack_fn *ack,
                     void *ctx)
{
    ctn_err err = {0};
    bool again = false;
    ctn_start start = {.actor = actor};
    if (by)
        start.by = *by;
    int rc = ctn_eng_plan_find(e, s->what->chain_id, actor, &start, &again, &err);
    if (rc || again) {
        ack(ctx, rc ? rc : CTN_E_BUSY, (ctn_execution_id){0}, &err);
        return;
    }
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    start.input = input_of(e->scratch, s);
    rc = ctn_eng_is_fleet(e) ? place_now(e, s, &start, &err) : CTN_OK;
    if (rc == CTN_OK && !ctn_eng_may_begin_in(e, ctn_eng_shard_in(e, start.id)) && e->options.start_elsewhere) {
        e->options.start_elsewhere(e->options.elsewhere_ctx, &start, ack, ctx);
    } else if (rc) {
        ack(ctx, rc, start.id, &err);
    } else {
        ctn_engine_start(e, &start, ack, ctx);
    }
    ctn_arena_restore(e->scratch, mark);
}

static int set_paused(ctn_engine *e, scheduled *s, bool is_paused, ctn_str actor, const ctn_requester *by, ctn_err *err)
{
    scheduled before = *s;
    int64_t now_ms = ctn_clock_now_ms(&e->options.clock);
    int rc = are_known(e) ? CTN_OK : ctn_fail(err, CTN_E_BUSY, "the store cannot be read just now");
    if (rc || is_paused == (s->paused_at_ms != 0))
        return rc;
    s->paused_at_ms = is_paused ? now_ms : 0;
    s->paused_by = is_paused ? ctn_arena_str(e->scheduler->arena, actor) : (ctn_str){0};
    s->seen_at_ms = now_ms; /* what passed meanwhile has passed */
    s->next_at_ms = ctn_schedule_next_ms(&s->times, now_ms);
    s->look_at_ms = 0;
    rc = put_row(e, s, err);
    if (rc == CTN_OK && by && by->audit_action.len) {
        ctn_audit_entry entry = {.at_ms = now_ms,
                                 .actor = by->audit_actor,
                                 .action = by->audit_action,
                                 .subject = s->what->chain_id,
                                 .detail = is_paused ? CTN_STR("{\"paused\":true}") : CTN_STR("{\"paused\":false}")};
        rc = ctn_store_audit(e->options.store, &entry, err);
    }
    if (rc)
        *s = before;
    return rc;
}

void ctn_engine_schedule(ctn_engine *e, ctn_str chain_id, ctn_schedule_order order, ctn_str actor,
                         const ctn_requester *by, ctn_ack_fn *ack, void *ctx)
{
    ctn_err err = {0};
    scheduled *s = find(e, chain_id);
    if (s && !is_ours(e, s)) {
        ack(ctx,
            ctn_fail(&err, CTN_E_STALE, "the schedule of chain %.*s is followed by another node",
                     CTN_STR_ARG(chain_id)),
            (ctn_execution_id){0}, &err);
    } else if (!s) {
        ctn_str *names = CTN_NEW_ARRAY(e->scratch, ctn_str, e->options.schedule_count);
        for (size_t i = 0; i < e->options.schedule_count; i++)
            names[i] = e->options.schedules[i].chain_id;
        ctn_str near = ctn_str_nearest(chain_id, names, e->options.schedule_count);
        ack(ctx,
            ctn_fail(&err, CTN_E_NOT_FOUND, "no schedule of a chain \"%.*s\" is followed here%s%.*s%s",
                     CTN_STR_ARG(chain_id), near.len ? "; did you mean \"" : "", CTN_STR_ARG(near),
                     near.len ? "\"?" : ""),
            (ctn_execution_id){0}, &err);
    } else if (order == CTN_SCHEDULE_FIRE) {
        fire_now(e, s, actor, by, ack, ctx);
    } else {
        int rc = set_paused(e, s, order == CTN_SCHEDULE_PAUSE, actor, by, &err);
        ctn_eng_wake(e);
        ack(ctx, rc, (ctn_execution_id){0}, &err);
    }
}

/* ---- life ---- */

void ctn_eng_schedules_init(ctn_engine *e)
{
    size_t count = e->options.schedule_count;
    e->scheduler = ctn_calloc(1, sizeof *e->scheduler + count * sizeof *e->scheduler->all);
    e->scheduler->arena = ctn_arena_new(256);
    for (size_t i = 0; i < count; i++) {
        scheduled *s = &e->scheduler->all[i];
        ctn_err err = {0};
        s->engine = e;
        s->what = &e->options.schedules[i];
        s->is_good = ctn_schedule_times_open(s->what->cron, s->what->timezone, &s->times, &err) == CTN_OK;
        if (!s->is_good)
            ctn_log_line(e->options.log, CTN_LOG_ERROR, "a schedule cannot be followed", "why", err.message, NULL);
    }
}

void ctn_eng_schedules_done(ctn_engine *e)
{
    for (size_t i = 0; i < e->options.schedule_count; i++)
        ctn_schedule_times_close(&e->scheduler->all[i].times);
    ctn_arena_free(e->scheduler->arena);
    free(e->scheduler);
}
