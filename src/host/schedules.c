/*
 * schedules.c -- see schedules.h.
 */
#include "host/schedules.h"
#include "engine/schedule.h"
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
