/*
 * crm_clients.c -- clients: found, changed, deleted, and what has passed between them and the agency.
 */
#include "crm/crm_db.h"

#include "kit/calendar.h"

#define CLIENT_COLUMNS                                                                                                 \
    "c.client_id, c.name, c.language, c.timezone, c.created_at, c.erased_at,"                                          \
    " (SELECT value FROM contacts k WHERE k.client_id = c.client_id AND kind = 'email' ORDER BY contact_no LIMIT 1),"  \
    " (SELECT value FROM contacts k WHERE k.client_id = c.client_id AND kind = 'phone' ORDER BY contact_no LIMIT 1),"  \
    " c.stopped_at"

int travel_crm_client(travel_crm *crm, ctn_arena *arena, ctn_str client_id, travel_client *ret_client, ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err, "SELECT " CLIENT_COLUMNS " FROM clients c WHERE client_id = ?1", "t", client_id);
    if (rc == CTN_E_NOT_FOUND)
        rc = ctn_fail(err, rc, "there is no client %.*s", CTN_STR_ARG(travel_id_shown(client_id)));
    else if (!rc)
        *ret_client = (travel_client){.client_id = crm_text(arena, &q, 0),
                                      .name = crm_text(arena, &q, 1),
                                      .language = crm_text(arena, &q, 2),
                                      .timezone = crm_text(arena, &q, 3),
                                      .created_at_ms = crm_moment(&q, 4),
                                      .erased_at_ms = crm_moment(&q, 5),
                                      .email = crm_text(arena, &q, 6),
                                      .phone = crm_text(arena, &q, 7),
                                      .stopped_at_ms = crm_moment(&q, 8)};
    crm_done(&q);
    return rc;
}

int travel_crm_client_by_contact(travel_crm *crm, ctn_arena *arena, ctn_str email, ctn_str phone,
                                 travel_client *ret_client, ctn_err *err)
{
    ctn_str client_id;
    int rc = crm_contact_find(crm, arena, email, phone, &client_id, err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_fail(err, rc, "no client has this contact");
    return rc ? rc : travel_crm_client(crm, arena, client_id, ret_client, err);
}

int crm_client_must_live(travel_crm *crm, ctn_str client_id, ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err, "SELECT erased_at IS NOT NULL FROM clients WHERE client_id = ?1", "t", client_id);
    if (rc == CTN_E_NOT_FOUND)
        rc = ctn_fail(err, rc, "there is no client %.*s", CTN_STR_ARG(travel_id_shown(client_id)));
    else if (!rc && crm_int(&q, 0))
        rc = ctn_fail(err, CTN_E_STATE, "client %.*s was erased on request: nothing is kept about it any more",
                      CTN_STR_ARG(client_id));
    crm_done(&q);
    return rc;
}

int travel_crm_client_update(travel_crm *crm, ctn_arena *arena, const travel_client *client, ctn_err *err)
{
    (void) arena;
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = crm_client_must_live(crm, client->client_id, err);
    if (!rc)
        rc = crm_run(crm, err,
                     "UPDATE clients SET name = coalesce(?2, name), language = coalesce(?3, language),"
                     " timezone = coalesce(?4, timezone) WHERE client_id = ?1",
                     "tnnn", client->client_id, client->name, client->language, client->timezone);
    if (!rc)
        rc = crm_contact_add(crm, client->client_id, client->email, client->phone, err);
    if (!rc)
        rc = crm_index_client(crm, client->client_id, err);
    return travel_crm_end(crm, rc, err);
}

int travel_crm_client_stop(travel_crm *crm, ctn_str client_id, int64_t stopped_at_ms, ctn_err *err)
{
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = crm_client_must_live(crm, client_id, err);
    if (!rc && stopped_at_ms == 0)
        rc = crm_run(crm, err, "UPDATE clients SET stopped_at = NULL WHERE client_id = ?1", "t", client_id);
    else if (!rc)
        rc = crm_run(crm, err, "UPDATE clients SET stopped_at = coalesce(stopped_at, ?2) WHERE client_id = ?1", "tm",
                     client_id, stopped_at_ms);
    return travel_crm_end(crm, rc, err);
}

int travel_crm_note_execution(travel_crm *crm, ctn_str client_id, ctn_str execution, ctn_err *err)
{
    if (execution.len == 0 || client_id.len == 0)
        return CTN_OK;
    return crm_run(crm, err, "INSERT OR IGNORE INTO executions(client_id, execution) VALUES(?1, ?2)", "tt", client_id,
                   execution);
}

int crm_note_key(travel_crm *crm, ctn_str client_id, ctn_str key, ctn_err *err)
{
    enum { ID_BYTES = 36 };
    bool is_id = key.len > ID_BYTES && key.ptr[ID_BYTES] == '/';
    for (size_t i = 0; is_id && i < ID_BYTES; i++)
        is_id = i == 8 || i == 13 || i == 18 || i == 23 ? key.ptr[i] == '-' : ctn_hex_value(key.ptr[i]) >= 0;
    return is_id ? travel_crm_note_execution(crm, client_id, (ctn_str){key.ptr, ID_BYTES}, err) : CTN_OK;
}

/* Everything of the client, in an order that the references allow. Messages have no reference: they may be older. */
int travel_crm_client_delete(travel_crm *crm, ctn_arena *arena, ctn_str client_id, int64_t *ret_deleted, ctn_err *err)
{
    (void) arena;
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = crm_run(crm, err,
                 "DELETE FROM client_search WHERE rowid = (SELECT client_no FROM clients WHERE client_id = ?1)", "t",
                 client_id);
    if (!rc)
        rc = crm_run(crm, err, "DELETE FROM documents WHERE client_id = ?1", "t", client_id);
    if (!rc)
        rc = crm_run(crm, err, "DELETE FROM activities WHERE client_id = ?1", "t", client_id);
    if (!rc)
        rc = crm_run(crm, err, "DELETE FROM trips WHERE client_id = ?1", "t", client_id);
    if (!rc)
        rc = crm_run(crm, err, "DELETE FROM messages WHERE client_id = ?1", "t", client_id);
    if (!rc)
        rc = crm_run(crm, err, "DELETE FROM leads WHERE client_id = ?1", "t", client_id);
    if (!rc)
        rc = crm_run(crm, err, "DELETE FROM contacts WHERE client_id = ?1", "t", client_id);
    if (!rc)
        rc = crm_run(crm, err, "DELETE FROM executions WHERE client_id = ?1", "t", client_id);
    if (!rc)
        rc = crm_run(crm, err, "UPDATE answers SET digest = '' WHERE client_id = ?1 AND digest <> 'undone'", "t",
                     client_id);
    if (!rc)
        rc = crm_run(crm, err, "DELETE FROM clients WHERE client_id = ?1", "t", client_id);
    if (!rc)
        *ret_deleted = crm_changes(crm);
    return travel_crm_end(crm, rc, err);
}

/* ---- history ---- */

static int count_messages(travel_crm *crm, ctn_str client_id, int64_t now_ms, travel_history *h, ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err,
                       "SELECT max(CASE WHEN direction = 'in' THEN sent_at END), max(CASE WHEN direction = 'out' AND"
                       " status IN ('sending', 'sent') THEN coalesce(sent_at, created_at) END),"
                       " count(CASE WHEN direction = 'out' AND status IN ('sending', 'sent') AND coalesce(sent_at,"
                       " created_at) > ?2 THEN 1 END),"
                       " count(CASE WHEN direction = 'out' AND status IN ('sending', 'sent') AND coalesce(sent_at,"
                       " created_at) > ?3 THEN 1 END) FROM messages WHERE client_id = ?1 AND channel <> 'desk'",
                       "tmm", client_id, now_ms - 7 * TRAVEL_DAY_MS, now_ms - 30 * TRAVEL_DAY_MS);
    if (!rc) {
        h->last_incoming_at_ms = crm_moment(&q, 0);
        h->last_outgoing_at_ms = crm_moment(&q, 1);
        h->sent_7d = crm_int(&q, 2);
        h->sent_30d = crm_int(&q, 3);
    }
    crm_done(&q);
    return rc;
}

static int look_at_leads(travel_crm *crm, ctn_arena *arena, ctn_str client_id, travel_history *h, ctn_err *err)
{
    crm_query q;
    int rc = crm_count(crm, &h->leads, err, "SELECT count(*) FROM leads WHERE client_id = ?1", "t", client_id);
    if (!rc)
        rc = crm_count(crm, &h->trips, err, "SELECT count(*) FROM trips WHERE client_id = ?1", "t", client_id);
    if (rc)
        return rc;
    rc = crm_first(crm, &q, err,
                   "SELECT lead_id, status, received_at FROM leads WHERE client_id = ?1"
                   " ORDER BY received_at DESC, lead_no DESC LIMIT 1",
                   "t", client_id);
    if (!rc) {
        int64_t received_at_ms = crm_moment(&q, 2);
        h->lead_id = crm_text(arena, &q, 0);
        h->lead_status = crm_text(arena, &q, 1);
        if (received_at_ms > h->last_incoming_at_ms)
            h->last_incoming_at_ms = received_at_ms;
    }
    crm_done(&q);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

int travel_crm_last_contact(travel_crm *crm, ctn_str client_id, int64_t *ret_at_ms, int64_t *ret_followups,
                            ctn_err *err)
{
    crm_query q;
    int64_t at_ms = 0;
    int rc =
        crm_first(crm, &q, err,
                  "SELECT max(at) FROM (SELECT max(sent_at) AS at FROM messages WHERE client_id = ?1 AND direction ="
                  " 'in' UNION ALL SELECT max(updated_at) FROM leads WHERE client_id = ?1 UNION ALL SELECT max(at)"
                  " FROM activities WHERE client_id = ?1 AND kind <> 'followup' UNION ALL SELECT max(created_at)"
                  " FROM documents WHERE client_id = ?1 UNION ALL SELECT max(updated_at) FROM trips"
                  " WHERE client_id = ?1)",
                  "t", client_id);
    if (!rc)
        at_ms = crm_moment(&q, 0);
    crm_done(&q);
    if (!rc)
        rc =
            crm_count(crm, ret_followups, err,
                      "SELECT count(*) FROM activities WHERE client_id = ?1 AND kind = 'followup' AND at > coalesce(?2,"
                      " '')",
                      "tm", client_id, at_ms);
    if (!rc)
        *ret_at_ms = at_ms;
    return rc;
}

int travel_crm_client_history(travel_crm *crm, ctn_arena *arena, ctn_str client_id, int64_t now_ms,
                              travel_history *ret_history, ctn_err *err)
{
    travel_history h = {.days_since_contact = -1};
    int rc = travel_crm_client(crm, arena, client_id, &h.client, err);
    if (!rc)
        rc = count_messages(crm, client_id, now_ms, &h, err);
    if (!rc)
        rc = look_at_leads(crm, arena, client_id, &h, err);
    if (rc)
        return rc;
    int64_t last_ms = h.last_incoming_at_ms > h.last_outgoing_at_ms ? h.last_incoming_at_ms : h.last_outgoing_at_ms;
    if (last_ms > 0)
        h.days_since_contact = now_ms > last_ms ? (now_ms - last_ms) / TRAVEL_DAY_MS : 0;
    ctn_json_builder channels = ctn_json_array(arena);
    if (h.client.email.len > 0)
        ctn_json_push(&channels, ctn_json_string(arena, CTN_STR("email")));
    if (h.client.phone.len > 0)
        ctn_json_push(&channels, ctn_json_string(arena, CTN_STR("phone")));
    h.channels = ctn_json_finish(&channels);
    *ret_history = h;
    return CTN_OK;
}
