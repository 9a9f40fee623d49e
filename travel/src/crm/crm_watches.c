/*
 * crm_watches.c -- prices that are watched for a client: what he last heard, and what is news.
 *
 * "Heard" moves down only: a fare that rises and falls again to where it was is no news.
 */
#include "crm/crm_db.h"

int travel_crm_watch_open(travel_crm *crm, ctn_arena *arena, const travel_watch *watch, int64_t now_ms,
                          ctn_str *ret_watch_id, ctn_err *err)
{
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = crm_client_must_live(crm, watch->client_id, err);
    if (!rc)
        rc = crm_run(crm, err,
                     "INSERT INTO watches(client_id, lead_id, requirements, budget, start_date, created_at)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                     "tntttm", watch->client_id, watch->lead_id,
                     watch->requirements ? ctn_json_to_str(arena, watch->requirements) : CTN_STR("{}"),
                     watch->budget ? ctn_json_to_str(arena, watch->budget) : CTN_STR("{}"), watch->start_date, now_ms);
    if (!rc)
        rc = crm_name_row(crm, arena, "UPDATE watches SET watch_id = ?1 WHERE watch_no = ?2", 'W', ret_watch_id, err);
    return travel_crm_end(crm, rc, err);
}

int travel_crm_watches(travel_crm *crm, ctn_arena *arena, ctn_str today, size_t limit, travel_watch **ret_watches,
                       size_t *ret_count, ctn_err *err)
{
    crm_query q;
    int64_t there = 0;
    size_t count = 0;
    travel_watch *watches = NULL;
    int rc = crm_count(crm, &there, err, "SELECT count(*) FROM watches WHERE is_open AND start_date > ?1", "t", today);
    if (rc)
        return rc;
    if ((uint64_t) there < limit)
        limit = (size_t) there;
    watches = ctn_arena_alloc(arena, (limit + 1) * sizeof *watches);
    rc = crm_first(crm, &q, err,
                   "SELECT watch_id, client_id, lead_id, requirements, budget, start_date, currency, told_cents,"
                   " best_cents FROM watches WHERE is_open AND start_date > ?1 ORDER BY watch_no",
                   "t", today);
    for (; !rc && count < limit; rc = crm_next(&q, err))
        watches[count++] = (travel_watch){.watch_id = crm_text(arena, &q, 0),
                                          .client_id = crm_text(arena, &q, 1),
                                          .lead_id = crm_text(arena, &q, 2),
                                          .requirements = crm_json(arena, &q, 3),
                                          .budget = crm_json(arena, &q, 4),
                                          .start_date = crm_text(arena, &q, 5),
                                          .currency = crm_text(arena, &q, 6),
                                          .told_cents = crm_int(&q, 7),
                                          .best_cents = crm_int(&q, 8)};
    crm_done(&q);
    if (rc && rc != CTN_E_NOT_FOUND)
        return rc;
    *ret_watches = watches;
    *ret_count = count;
    return CTN_OK;
}

static int not_found(ctn_str watch_id, ctn_err *err)
{
    return ctn_fail(err, CTN_E_NOT_FOUND, "there is no price watch %.*s", CTN_STR_ARG(travel_id_shown(watch_id)));
}

static int find(travel_crm *crm, ctn_arena *arena, ctn_str watch_id, travel_watch *ret_watch, ctn_err *err)
{
    crm_query q;
    int rc =
        crm_first(crm, &q, err, "SELECT currency, told_cents, best_cents, is_open FROM watches WHERE watch_id = ?1",
                  "t", watch_id);
    bool is_open = !rc && crm_int(&q, 3);
    if (!rc)
        *ret_watch = (travel_watch){.watch_id = watch_id,
                                    .currency = crm_text(arena, &q, 0),
                                    .told_cents = crm_int(&q, 1),
                                    .best_cents = crm_int(&q, 2)};
    crm_done(&q);
    if (rc == CTN_E_NOT_FOUND)
        return not_found(watch_id, err);
    return rc || is_open ? rc : ctn_fail(err, CTN_E_STATE, "the price watch %.*s is closed", CTN_STR_ARG(watch_id));
}

int travel_crm_watch_price(travel_crm *crm, ctn_arena *arena, ctn_str watch_id, int64_t cents, ctn_str currency,
                           int64_t drop_cents, int64_t *ret_before, bool *ret_is_drop, ctn_err *err)
{
    travel_watch w = {0};
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = find(crm, arena, watch_id, &w, err);
    if (!rc) {
        bool is_first = !ctn_str_equal(w.currency, currency);
        bool is_drop = !is_first && cents <= w.told_cents - drop_cents && cents < w.told_cents;
        *ret_before = is_first ? 0 : w.told_cents;
        *ret_is_drop = is_drop;
        rc = crm_run(crm, err, "UPDATE watches SET currency = ?2, told_cents = ?3, best_cents = ?4 WHERE watch_id = ?1",
                     "ttii", watch_id, currency, is_first ? cents : w.told_cents,
                     is_first || cents < w.best_cents ? cents : w.best_cents);
    }
    return travel_crm_end(crm, rc, err);
}

int travel_crm_watch_told(travel_crm *crm, ctn_str watch_id, int64_t cents, ctn_err *err)
{
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = crm_run(crm, err, "UPDATE watches SET told_cents = min(told_cents, ?2) WHERE watch_id = ?1", "ti", watch_id,
                 cents);
    if (!rc && crm_changes(crm) == 0)
        rc = not_found(watch_id, err);
    return travel_crm_end(crm, rc, err);
}

int travel_crm_watch_close(travel_crm *crm, ctn_str watch_id, ctn_err *err)
{
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = crm_run(crm, err, "UPDATE watches SET is_open = 0 WHERE watch_id = ?1", "t", watch_id);
    if (!rc && crm_changes(crm) == 0)
        rc = not_found(watch_id, err);
    return travel_crm_end(crm, rc, err);
}
