/*
 * scheduler.c -- chains that are started by the clock.
 *
 * Once for each due time, whatever dies: the start carries the key "schedule:CHAIN:TIME", and the store's row says up
 * to where times were seen. It is written after the start is on disk; whoever dies in between asks again under the same
 * key. Times that passed while nobody served are made up for once, by the last of them: a report of every hour of a
 * weekend helps nobody. A schedule that is new, or says another time than before, begins now.
 */
#include "engine/scheduler.h"
#include "base/memory.h"
#include "engine/plans.h"
#include "engine/request.h"
#include "engine/schedule.h"
#include "engine/state.h"

#include <stdlib.h>

#define RETRY_MS 1000

typedef struct scheduled {
    ctn_engine *engine;
    const ctn_schedule *what;
    ctn_schedule_times times;
    bool is_good, is_known, is_firing;
    int64_t seen_at_ms, next_at_ms; /* next 0: never */
    int64_t firing_at_ms;
} scheduled;

struct scheduler {
    bool are_known;  /* what the store says of them was read */
    scheduled all[]; /* as many as in the options */
};

static void note_seen(ctn_engine *e, scheduled *s, int64_t seen_at_ms)
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
        scheduled *s = &e->scheduler->all[i];
        if (s->is_good && ctn_str_equal(row->chain_id, s->what->chain_id) && ctn_str_equal(row->cron, s->what->cron) &&
            ctn_str_equal(row->timezone, s->what->timezone)) {
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
    if (ctn_store_schedule_list(e->options.store, take_row, e, &err))
        return false; /* a later turn asks again */
    e->scheduler->are_known = true;
    for (size_t i = 0; i < e->options.schedule_count; i++)
        if (e->scheduler->all[i].is_good && !e->scheduler->all[i].is_known)
            note_seen(e, &e->scheduler->all[i], e->now_ms);
    return true;
}

static void on_started(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    scheduled *s = ctx;
    (void) id;
    if (rc && err)
        ctn_log_line(s->engine->options.log, CTN_LOG_ERROR, "a scheduled chain cannot be started", "why", err->message,
                     NULL);
    s->is_firing = false;
    note_seen(s->engine, s, s->firing_at_ms);
}

static void fire(ctn_engine *e, scheduled *s, int64_t at_ms)
{
    ctn_err err = {0};
    bool again = false;
    char time[25];
    ctn_start start = {.may_be_held = true, .actor = CTN_STR("schedule")};
    s->firing_at_ms = at_ms;
    s->is_firing = true;
    int rc = ctn_eng_plan_find(e, s->what->chain_id, CTN_STR("schedule"), &start, &again, &err);
    if (again) { /* the store's trouble: not missed */
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
    (void) ctn_eng_file_start(e, &start, on_started, s); /* what the clock starts is not refused */
    ctn_arena_restore(e->scratch, mark);
}

void ctn_eng_schedules_turn(ctn_engine *e)
{
    if (!e->options.schedule_count || e->is_stopping || !are_known(e))
        return;
    for (size_t i = 0; i < e->options.schedule_count; i++) {
        scheduled *s = &e->scheduler->all[i];
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
    if (!e->scheduler->are_known)
        return e->now_ms + RETRY_MS;
    for (size_t i = 0; i < e->options.schedule_count; i++) {
        const scheduled *s = &e->scheduler->all[i];
        if (s->is_good && !s->is_firing && s->next_at_ms && (!at || s->next_at_ms < at))
            at = s->next_at_ms;
    }
    return at;
}

/* ---- life ---- */

void ctn_eng_schedules_init(ctn_engine *e)
{
    size_t count = e->options.schedule_count;
    e->scheduler = ctn_calloc(1, sizeof *e->scheduler + count * sizeof *e->scheduler->all);
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
    free(e->scheduler);
}
