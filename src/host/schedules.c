/*
 * schedules.c -- see schedules.h.
 */
#include "host/schedules.h"
#include "engine/schedule.h"
#include "host/told.h"
#include <stdlib.h>

static int compare_schedules(const void *a, const void *b)
{
    return ctn_str_compare(((const ctn_schedule *) a)->chain_id, ((const ctn_schedule *) b)->chain_id);
}

static int word_of(const ctn_json *schedule, const char *key, const char *const *words)
{
    ctn_str said = ctn_json_str_or(schedule, key, CTN_STR(""));
    for (int i = 0; words[i]; i++)
        if (ctn_str_is(said, words[i]))
            return i;
    return 0;
}

const char *const ctn_catch_up_words[] = {"last", "none", "all", NULL};
const char *const ctn_overlap_words[] = {"allow", "skip", "queue", "cancel", NULL};

size_t ctn_schedules_of(const ctn_config *config, ctn_arena *arena, ctn_teller teller, ctn_schedule **ret_schedules)
{
    size_t count = 0, max = ctn_library_chain_count(config->library);
    *ret_schedules = CTN_NEW_ARRAY(arena, ctn_schedule, max);
    for (size_t i = 0; i < max; i++) {
        const ctn_chain *chain = ctn_library_chain_at(config->library, i);
        if (!chain->schedule || !chain->id.len)
            continue;
        ctn_schedule s = {.chain_id = chain->id,
                          .cron = ctn_json_str_or(chain->schedule, "cron", CTN_STR("")),
                          .timezone = ctn_json_str_or(chain->schedule, "timezone", CTN_STR("")),
                          .input = ctn_json_member_of(chain->schedule, "input"),
                          .catch_up = (ctn_catch_up) word_of(chain->schedule, "catchUp", ctn_catch_up_words),
                          .overlap = (ctn_overlap) word_of(chain->schedule, "overlap", ctn_overlap_words),
                          .jitter_ms = ctn_json_int_or(chain->schedule, "jitterMs", 0)};
        ctn_schedule_times times;
        ctn_err err = {0};
        if (ctn_schedule_times_open(s.cron, s.timezone, &times, &err)) {
            ctn_tell(teller, CTN_TELL_FAULT, "the schedule of chain %.*s: %s", CTN_STR_ARG(s.chain_id), err.message);
            continue;
        }
        ctn_schedule_times_close(&times);
        (*ret_schedules)[count++] = s;
    }
    if (count)
        qsort(*ret_schedules, count, sizeof **ret_schedules, compare_schedules);
    return count;
}

/* ---- how they stand ---- */

typedef struct looking {
    ctn_arena *arena;
    ctn_schedule_state *states;
    size_t count;
} looking;

static int take_row(void *ctx, const ctn_schedule_row *row)
{
    looking *l = ctx;
    for (size_t i = 0; i < l->count; i++) {
        ctn_schedule_state *s = &l->states[i];
        if (!ctn_str_equal(row->chain_id, s->what->chain_id))
            continue;
        s->row.fired_at_ms = row->fired_at_ms;
        s->row.paused_at_ms = row->paused_at_ms;
        s->row.paused_by = ctn_arena_str(l->arena, row->paused_by);
        if (ctn_str_equal(row->cron, s->what->cron) && ctn_str_equal(row->timezone, s->what->timezone))
            s->row.seen_at_ms = row->seen_at_ms;
    }
    return 0;
}

static int64_t next_of(const ctn_schedule *s, int64_t now_ms)
{
    ctn_schedule_times times;
    if (ctn_schedule_times_open(s->cron, s->timezone, &times, NULL))
        return 0;
    int64_t next_ms = ctn_schedule_next_ms(&times, now_ms);
    ctn_schedule_times_close(&times);
    return next_ms;
}

int ctn_schedules_look(const ctn_config *config, ctn_store *store, ctn_arena *arena, ctn_teller teller, int64_t now_ms,
                       ctn_schedule_state **ret_states, size_t *ret_count, ctn_err *err)
{
    ctn_schedule *schedules = NULL;
    looking l = {.arena = arena, .count = ctn_schedules_of(config, arena, teller, &schedules)};
    l.states = CTN_NEW_ARRAY(arena, ctn_schedule_state, l.count);
    for (size_t i = 0; i < l.count; i++)
        l.states[i] = (ctn_schedule_state){.what = &schedules[i]};
    int rc = store ? ctn_store_schedule_list(store, take_row, &l, err) : CTN_OK;
    for (size_t i = 0; i < l.count; i++)
        if (!l.states[i].row.paused_at_ms)
            l.states[i].next_at_ms = next_of(l.states[i].what, now_ms);
    *ret_states = l.states;
    *ret_count = l.count;
    return rc;
}

const ctn_json *ctn_schedule_to_json(const ctn_schedule_state *s, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "chain", s->what->chain_id);
    ctn_json_put_str(&b, "cron", s->what->cron);
    ctn_json_put_str(&b, "timezone", s->what->timezone.len ? s->what->timezone : CTN_STR("UTC"));
    ctn_json_put_str(&b, "catchUp", ctn_str_from(ctn_catch_up_words[s->what->catch_up]));
    ctn_json_put_str(&b, "overlap", ctn_str_from(ctn_overlap_words[s->what->overlap]));
    if (s->what->jitter_ms)
        ctn_json_put_int(&b, "jitterMs", s->what->jitter_ms);
    ctn_json_put_time(&b, "nextAt", s->next_at_ms);
    ctn_json_put_time(&b, "seenAt", s->row.seen_at_ms);
    ctn_json_put_time(&b, "firedAt", s->row.fired_at_ms);
    ctn_json_put_bool(&b, "paused", s->row.paused_at_ms != 0);
    if (s->row.paused_at_ms) {
        ctn_json_put_time(&b, "pausedAt", s->row.paused_at_ms);
        ctn_json_put_str(&b, "pausedBy", s->row.paused_by);
    }
    return ctn_json_finish(&b);
}
