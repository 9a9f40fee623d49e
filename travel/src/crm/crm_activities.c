/*
 * crm_activities.c -- what was done for a client, and the trips that came of it.
 */
#include "crm/crm_db.h"

int travel_crm_activity_record(travel_crm *crm, ctn_arena *arena, ctn_str client_id, ctn_str lead_id, ctn_str kind,
                               ctn_str what, int64_t at_ms, ctn_str *ret_activity_id, ctn_err *err)
{
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = crm_client_must_live(crm, client_id, err);
    if (!rc)
        rc = crm_run(crm, err, "INSERT INTO activities(client_id, lead_id, kind, what, at) VALUES(?1, ?2, ?3, ?4, ?5)",
                     "tnttm", client_id, lead_id, kind, what, at_ms);
    if (!rc)
        rc = crm_name_row(crm, arena, "UPDATE activities SET activity_id = ?1 WHERE activity_no = ?2", 'A',
                          ret_activity_id, err);
    return travel_crm_end(crm, rc, err);
}

/* ---- trips ---- */

bool travel_crm_trip_status_is_known(ctn_str status)
{
    static const char *const STATUSES[] = {"planned", "held", "booked", "cancelled", "done"};
    for (size_t i = 0; i < 5; i++)
        if (ctn_str_is(status, STATUSES[i]))
            return true;
    return false;
}

static int insert_trip(travel_crm *crm, ctn_arena *arena, const travel_trip_record *t, ctn_str *ret_trip_id,
                       ctn_err *err)
{
    int rc = crm_run(crm, err,
                     "INSERT INTO trips(client_id, lead_id, status, summary, destination, start_date, end_date,"
                     " booking_id, total, currency, details, created_at, updated_at, execution)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13)",
                     "tntttttttttmn", t->client_id, t->lead_id, t->status.len ? t->status : CTN_STR("planned"),
                     t->summary, t->destination, t->start_date, t->end_date, t->booking_id, t->total, t->currency,
                     t->details ? ctn_json_to_str(arena, t->details) : CTN_STR("{}"), t->now_ms, t->execution);
    if (!rc)
        rc = crm_name_row(crm, arena, "UPDATE trips SET trip_id = ?1 WHERE trip_no = ?2", 'T', ret_trip_id, err);
    return rc;
}

static int update_trip(travel_crm *crm, ctn_arena *arena, const travel_trip_record *t, ctn_str *ret_trip_id,
                       ctn_err *err)
{
    int rc = crm_run(crm, err,
                     "UPDATE trips SET lead_id = coalesce(?3, lead_id), status = coalesce(?4, status),"
                     " summary = coalesce(?5, summary), destination = coalesce(?6, destination),"
                     " start_date = coalesce(?7, start_date), end_date = coalesce(?8, end_date),"
                     " booking_id = coalesce(?9, booking_id), total = coalesce(?10, total),"
                     " currency = coalesce(?11, currency), details = coalesce(?12, details), updated_at = ?13"
                     " WHERE trip_id = ?1 AND client_id = ?2",
                     "ttnnnnnnnnnnm", t->trip_id, t->client_id, t->lead_id, t->status, t->summary, t->destination,
                     t->start_date, t->end_date, t->booking_id, t->total, t->currency,
                     t->details ? ctn_json_to_str(arena, t->details) : CTN_STR(""), t->now_ms);
    if (!rc && crm_changes(crm) != 1)
        rc = ctn_fail(err, CTN_E_NOT_FOUND, "client %.*s has no trip %.*s", CTN_STR_ARG(t->client_id),
                      CTN_STR_ARG(travel_id_shown(t->trip_id)));
    *ret_trip_id = t->trip_id;
    return rc;
}

static int cancel_made_trips(travel_crm *crm, ctn_arena *arena, const travel_trip_record *t, ctn_str *ret_trip_id,
                             ctn_err *err)
{
    crm_query q;
    ctn_str trip_id = {NULL, 0};
    int rc = crm_first(crm, &q, err, "SELECT trip_id FROM trips WHERE client_id = ?1 AND execution = ?2", "tt",
                       t->client_id, t->execution);
    if (!rc)
        trip_id = crm_text(arena, &q, 0);
    crm_done(&q);
    if (!rc)
        rc = crm_run(crm, err,
                     "UPDATE trips SET status = 'cancelled', updated_at = ?3 WHERE client_id = ?1 AND execution = ?2",
                     "ttm", t->client_id, t->execution, t->now_ms);
    *ret_trip_id = trip_id;
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

int travel_crm_trip_save(travel_crm *crm, ctn_arena *arena, const travel_trip_record *trip, ctn_str *ret_trip_id,
                         ctn_err *err)
{
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = crm_client_must_live(crm, trip->client_id, err);
    if (!rc && trip->trip_id.len > 0)
        rc = update_trip(crm, arena, trip, ret_trip_id, err);
    else if (!rc && ctn_str_is(trip->status, "cancelled") && trip->execution.len > 0)
        rc = cancel_made_trips(crm, arena, trip, ret_trip_id, err);
    else if (!rc)
        rc = insert_trip(crm, arena, trip, ret_trip_id, err);
    if (!rc)
        rc = crm_index_client(crm, trip->client_id, err);
    return travel_crm_end(crm, rc, err);
}
