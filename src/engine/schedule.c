/*
 * schedule.c -- chains that are started by the clock.
 *
 * Once for each due time, whatever dies: the start carries the key "schedule:CHAIN:TIME", and the store's row says up
 * to where times were seen. It is written after the start is on disk; whoever dies in between asks again under the same
 * key. Times that passed while nobody served are made up for once, by the last of them: a report of every hour of a
 * weekend helps nobody. A schedule that is new, or says another time than before, begins now.
 *
 * The row is written on the engine's thread, once a fire: a commit of a few milliseconds at most once a minute and
 * chain.
 */
#include "engine/schedule.h"
#include "base/memory.h"
#include "base/civil.h"
#include "engine/engine_state.h"

#include <assert.h>
#include <stdlib.h>

#define DAY_MS   INT64_C(86400000)
#define RETRY_MS 1000

/* ---- times ---- */

int ctn_schedule_times_open(ctn_str cron, ctn_str zone, ctn_schedule_times *ret_times, ctn_err *err)
{
    ctn_schedule_times t = {.zone = NULL};
    int rc = ctn_cron_parse(cron, &t.cron, err);
    if (rc == CTN_OK)
        rc = ctn_zone_open(zone, &t.zone, err);
    if (rc == CTN_OK)
        *ret_times = t;
    return rc;
}

void ctn_schedule_times_close(ctn_schedule_times *t)
{
    ctn_zone_close(t->zone);
    t->zone = NULL;
}

/* Local minutes in their order; those that the clock showed before are passed by. */
int64_t ctn_schedule_next_ms(const ctn_schedule_times *t, int64_t after_ms)
{
    int64_t after_s = ctn_civil_floor_div(after_ms, 1000);
    int64_t local_s = ctn_zone_to_local_s(t->zone, after_s);
    while (ctn_cron_next(&t->cron, local_s, &local_s)) {
        int64_t at_s = ctn_zone_from_local_s(t->zone, local_s);
        if (at_s > after_s)
            return at_s * 1000;
    }
    return 0;
}

int64_t ctn_schedule_last_ms(const ctn_schedule_times *t, int64_t after_ms, int64_t until_ms)
{
    /* From near to far: what comes often is found in the last day, what comes seldom is quickly walked. */
    static const int64_t BACK_DAYS[] = {1, 32, 366, 40 * 366};
    for (size_t i = 0; i < sizeof BACK_DAYS / sizeof *BACK_DAYS; i++) {
        int64_t from_ms = until_ms - BACK_DAYS[i] * DAY_MS, last_ms = 0;
        bool is_all = from_ms <= after_ms;
        for (int64_t at_ms = ctn_schedule_next_ms(t, is_all ? after_ms : from_ms); at_ms && at_ms <= until_ms;
             at_ms = ctn_schedule_next_ms(t, at_ms))
            last_ms = at_ms;
        if (last_ms || is_all)
            return last_ms;
    }
    return 0;
}

/* ---- the engine's schedules ---- */

struct scheduled {
    ctn_engine *engine;
    const ctn_schedule *what;
    ctn_schedule_times times;
    bool is_good, is_known, is_firing;
    int64_t seen_at_ms, next_at_ms; /* next 0: never */
    int64_t firing_at_ms;
};

static void note_seen(ctn_engine *e, struct scheduled *s, int64_t seen_at_ms)
{
    s->seen_at_ms = seen_at_ms;
    s->next_at_ms = ctn_schedule_next_ms(&s->times, seen_at_ms);
    ctn_schedule_row row = {.chain_id = s->what->chain_id,
                            .cron = s->what->cron,
                            .timezone = s->what->timezone,
                            .seen_at_ms = seen_at_ms,
                            .next_at_ms = s->next_at_ms};
    ctn_err err = {0};
    if (ctn_store_schedule_put(e->options.store, &row, &err)) /* the next one says it too; the key keeps it to once */
        ctn_log_line(e->options.log, CTN_LOG_WARN, "a schedule cannot be noted", "why", err.message, NULL);
}

static int take_row(void *ctx, const ctn_schedule_row *row)
{
    ctn_engine *e = ctx;
    for (size_t i = 0; i < e->options.schedule_count; i++) {
        struct scheduled *s = &e->schedules[i];
        if (s->is_good && ctn_str_equal(row->chain_id, s->what->chain_id) && ctn_str_equal(row->cron, s->what->cron) &&
            ctn_str_equal(row->timezone, s->what->timezone)) {
            s->is_known = true;
            s->seen_at_ms = row->seen_at_ms;
            s->next_at_ms = ctn_schedule_next_ms(&s->times, row->seen_at_ms);
        }
    }
    return 0;
}

static void open_all(ctn_engine *e)
{
    if (e->schedules)
        return;
    e->schedules = ctn_calloc(e->options.schedule_count, sizeof *e->schedules);
    assert(e->schedules);
    for (size_t i = 0; i < e->options.schedule_count; i++) {
        struct scheduled *s = &e->schedules[i];
        ctn_err err = {0};
        s->engine = e;
        s->what = &e->options.schedules[i];
        s->is_good = ctn_schedule_times_open(s->what->cron, s->what->timezone, &s->times, &err) == CTN_OK;
        if (!s->is_good)
            ctn_log_line(e->options.log, CTN_LOG_ERROR, "a schedule cannot be followed", "why", err.message, NULL);
    }
}

static bool are_known(ctn_engine *e)
{
    ctn_err err = {0};
    open_all(e);
    if (e->schedules_are_known)
        return true;
    if (ctn_store_schedule_list(e->options.store, take_row, e, &err))
        return false; /* a later turn asks again */
    e->schedules_are_known = true;
    for (size_t i = 0; i < e->options.schedule_count; i++)
        if (e->schedules[i].is_good && !e->schedules[i].is_known)
            note_seen(e, &e->schedules[i], e->now_ms);
    return true;
}

static void on_started(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    struct scheduled *s = ctx;
    (void) id;
    if (rc && err)
        ctn_log_line(s->engine->options.log, CTN_LOG_ERROR, "a scheduled chain cannot be started", "why", err->message,
                     NULL);
    s->is_firing = false;
    note_seen(s->engine, s, s->firing_at_ms);
}

static void fire(ctn_engine *e, struct scheduled *s, int64_t at_ms)
{
    ctn_err err = {0};
    ctn_plan *plan = NULL;
    char time[25];
    ctn_start start = {.actor = CTN_STR("schedule")};
    s->firing_at_ms = at_ms;
    s->is_firing = true;
    int rc = e->options.chain_find
                 ? e->options.chain_find(e->options.chain_find_ctx, s->what->chain_id, &plan, &err)
                 : ctn_fail(&err, CTN_E_NOT_FOUND, "there is no chain %.*s here", CTN_STR_ARG(s->what->chain_id));
    bool is_found = rc == CTN_OK;
    if (is_found)
        rc = ctn_engine_plan_add(e, plan, CTN_STR("schedule"), &start.plan, &start.version, &err);
    if (is_found && (rc == CTN_E_IO || rc == CTN_E_BUSY || rc == CTN_E_DENIED)) { /* the store's trouble: not missed */
        ctn_log_line(e->options.log, CTN_LOG_WARN, "a scheduled chain is tried again later", "why", err.message, NULL);
        s->is_firing = false;
        s->next_at_ms = e->now_ms + RETRY_MS;
        return;
    }
    if (rc) {
        on_started(s, rc, (ctn_execution_id){0}, &err);
        return;
    }
    ctn_arena_mark mark = ctn_arena_save(e->scratch);
    ctn_json_builder input = ctn_json_object(e->scratch);
    ctn_time_format(at_ms, time);
    start.input = ctn_json_finish(&input);
    start.idempotency_key = ctn_arena_printf(e->scratch, "schedule:%.*s:%.16sZ", CTN_STR_ARG(s->what->chain_id), time);
    ctn_engine_start(e, &start, on_started, s);
    ctn_arena_restore(e->scratch, mark);
}

void ctn_eng_schedules_turn(ctn_engine *e)
{
    if (!e->options.schedule_count || e->is_stopping || !are_known(e))
        return;
    for (size_t i = 0; i < e->options.schedule_count; i++) {
        struct scheduled *s = &e->schedules[i];
        if (!s->is_good || s->is_firing || !s->next_at_ms || s->next_at_ms > e->now_ms)
            continue;
        int64_t last_ms = ctn_schedule_last_ms(&s->times, s->seen_at_ms, e->now_ms);
        fire(e, s, last_ms ? last_ms : s->next_at_ms);
    }
}

int64_t ctn_eng_schedules_turn_ms(const ctn_engine *e)
{
    int64_t at = 0;
    if (!e->options.schedule_count)
        return 0;
    if (!e->schedules_are_known)
        return e->now_ms + RETRY_MS;
    for (size_t i = 0; i < e->options.schedule_count; i++) {
        const struct scheduled *s = &e->schedules[i];
        if (s->is_good && !s->is_firing && s->next_at_ms && (!at || s->next_at_ms < at))
            at = s->next_at_ms;
    }
    return at;
}

void ctn_eng_schedules_done(ctn_engine *e)
{
    for (size_t i = 0; e->schedules && i < e->options.schedule_count; i++)
        ctn_schedule_times_close(&e->schedules[i].times);
    free(e->schedules);
}
