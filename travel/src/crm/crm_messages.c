/*
 * crm_messages.c -- messages: planned, on their way, sent; those that came in.
 *
 * Each step of a message's life is a row changed from a state that is named: of two processes that want to send the
 * same message one gets the row, the other is told CTN_E_STATE.
 */
#include "crm/crm_db.h"

#define MESSAGE_COLUMNS                                                                                                \
    "message_id, client_id, coalesce(lead_id, ''), direction, channel, language, subject, body, status,"               \
    " coalesce(key, ''), driver, reference, created_at, send_at, sent_at"

static void read_message(ctn_arena *arena, crm_query *q, travel_message *ret_message)
{
    *ret_message = (travel_message){.message_id = crm_text(arena, q, 0),
                                    .client_id = crm_text(arena, q, 1),
                                    .lead_id = crm_text(arena, q, 2),
                                    .direction = crm_text(arena, q, 3),
                                    .channel = crm_text(arena, q, 4),
                                    .language = crm_text(arena, q, 5),
                                    .subject = crm_text(arena, q, 6),
                                    .body = crm_text(arena, q, 7),
                                    .status = crm_text(arena, q, 8),
                                    .key = crm_text(arena, q, 9),
                                    .driver = crm_text(arena, q, 10),
                                    .reference = crm_text(arena, q, 11),
                                    .created_at_ms = crm_moment(q, 12),
                                    .send_at_ms = crm_moment(q, 13),
                                    .sent_at_ms = crm_moment(q, 14)};
}

int travel_crm_message_by_key(travel_crm *crm, ctn_arena *arena, ctn_str key, travel_message *ret_message, ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err, "SELECT " MESSAGE_COLUMNS " FROM messages WHERE key = ?1", "t", key);
    if (!rc)
        read_message(arena, &q, ret_message);
    else if (rc == CTN_E_NOT_FOUND)
        rc = ctn_fail(err, rc, "there is no message with this key");
    crm_done(&q);
    return rc;
}

int travel_crm_message(travel_crm *crm, ctn_arena *arena, ctn_str message_id, travel_message *ret_message, ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err, "SELECT " MESSAGE_COLUMNS " FROM messages WHERE message_id = ?1", "t", message_id);
    if (!rc)
        read_message(arena, &q, ret_message);
    else if (rc == CTN_E_NOT_FOUND)
        rc = ctn_fail(err, rc, "there is no message %.*s", CTN_STR_ARG(travel_id_shown(message_id)));
    crm_done(&q);
    return rc;
}

int travel_crm_messages_of_driver(travel_crm *crm, ctn_arena *arena, ctn_str client_id, const char *driver,
                                  travel_message **ret_messages, size_t *ret_count, ctn_err *err)
{
    crm_query q;
    size_t capacity = 0;
    *ret_messages = NULL;
    *ret_count = 0;
    int rc =
        crm_first(crm, &q, err,
                  "SELECT " MESSAGE_COLUMNS " FROM messages WHERE client_id = ?1 AND driver = ?2 ORDER BY message_no",
                  "tt", client_id, ctn_str_from(driver));
    for (; !rc; rc = crm_next(&q, err)) {
        *ret_messages = ctn_arena_room(arena, *ret_messages, *ret_count, &capacity, sizeof **ret_messages);
        read_message(arena, &q, &(*ret_messages)[(*ret_count)++]);
    }
    crm_done(&q);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

/* ---- out ---- */

static int insert(travel_crm *crm, ctn_arena *arena, const travel_message *m, const char *direction, const char *status,
                  ctn_str *ret_message_id, ctn_err *err)
{
    int rc =
        crm_run(crm, err,
                "INSERT INTO messages(client_id, lead_id, direction, channel, language, subject, body, status, key,"
                " created_at, send_at, sent_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                "tnttttttnmmm", m->client_id, m->lead_id, ctn_str_from(direction), m->channel, m->language, m->subject,
                m->body, ctn_str_from(status), m->key, m->created_at_ms, m->send_at_ms, m->sent_at_ms);
    if (!rc)
        rc = crm_name_row(crm, arena, "UPDATE messages SET message_id = ?1 WHERE message_no = ?2", 'M', ret_message_id,
                          err);
    if (!rc)
        rc = travel_crm_note_execution(crm, m->client_id, m->execution, err);
    if (!rc)
        rc = crm_note_key(crm, m->client_id, m->key, err);
    return rc;
}

/* A client of another system may be written to as well; one that was erased may not. */
static int may_write_to(travel_crm *crm, ctn_str client_id, ctn_err *err)
{
    ctn_err why = {0};
    int rc = crm_client_must_live(crm, client_id, &why);
    if (rc == CTN_E_NOT_FOUND)
        return CTN_OK;
    return rc ? ctn_fail(err, rc, "%s", why.message) : CTN_OK;
}

static bool is_same(const travel_message *a, const travel_message *b)
{
    return ctn_str_equal(a->client_id, b->client_id) && ctn_str_equal(a->channel, b->channel) &&
           ctn_str_equal(a->subject, b->subject) && ctn_str_equal(a->body, b->body);
}

static int plan_in_change(travel_crm *crm, ctn_arena *arena, const travel_message *message, travel_message *ret_message,
                          ctn_err *err)
{
    ctn_str message_id;
    int rc =
        message->key.len > 0 ? travel_crm_message_by_key(crm, arena, message->key, ret_message, err) : CTN_E_NOT_FOUND;
    bool is_erased = !rc && may_write_to(crm, message->client_id, NULL) == CTN_E_STATE; /* its texts are gone */
    if (!rc && !is_erased && !is_same(message, ret_message))
        return ctn_fail(err, CTN_E_EXISTS, "this key was used for another message (%.*s): nothing was changed",
                        CTN_STR_ARG(ret_message->message_id));
    if (rc != CTN_E_NOT_FOUND)
        return rc;
    rc = may_write_to(crm, message->client_id, err);
    if (!rc)
        rc = insert(crm, arena, message, "out", "planned", &message_id, err);
    return rc ? rc : travel_crm_message(crm, arena, message_id, ret_message, err);
}

int travel_crm_message_plan(travel_crm *crm, ctn_arena *arena, const travel_message *message,
                            travel_message *ret_message, ctn_err *err)
{
    travel_message made = {0};
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = travel_crm_end(crm, plan_in_change(crm, arena, message, &made, err), err);
    if (!rc)
        *ret_message = made;
    return rc;
}

/* What the row was not moved from: it is there in another state, or not there at all. */
static int tell_state(travel_crm *crm, ctn_str message_id, const char *wanted, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(1024);
    travel_message now;
    int rc = travel_crm_message(crm, arena, message_id, &now, err);
    if (!rc)
        rc = ctn_fail(err, CTN_E_STATE, "message %.*s is %.*s, so it cannot become %s", CTN_STR_ARG(now.message_id),
                      CTN_STR_ARG(now.status), wanted);
    ctn_arena_free(arena);
    return rc;
}

int travel_crm_message_sending(travel_crm *crm, ctn_str message_id, ctn_str driver, ctn_err *err)
{
    int rc =
        crm_run(crm, err,
                "UPDATE messages SET status = 'sending', driver = ?2 WHERE message_id = ?1 AND direction = 'out' AND"
                " status IN ('planned', 'failed')"
                " AND client_id NOT IN (SELECT client_id FROM clients WHERE erased_at IS NOT NULL)",
                "tt", message_id, driver);
    return rc || crm_changes(crm) == 1 ? rc : tell_state(crm, message_id, "sending", err);
}

int travel_crm_message_sent(travel_crm *crm, ctn_str message_id, ctn_str reference, int64_t sent_at_ms, ctn_err *err)
{
    /* A client may have been erased while its message was on its way: then what names it is not kept. */
    int rc = crm_run(crm, err,
                     "UPDATE messages SET status = 'sent', sent_at = coalesce(sent_at, ?3), reference = CASE WHEN"
                     " client_id IN (SELECT client_id FROM clients WHERE erased_at IS NOT NULL) THEN '' ELSE ?2 END"
                     " WHERE message_id = ?1 AND status IN ('sending', 'sent')",
                     "ttm", message_id, reference, sent_at_ms);
    return rc || crm_changes(crm) == 1 ? rc : tell_state(crm, message_id, "sent", err);
}

int travel_crm_message_failed(travel_crm *crm, ctn_str message_id, ctn_err *err)
{
    int rc = crm_run(crm, err,
                     "UPDATE messages SET status = 'failed' WHERE message_id = ?1 AND status IN ('sending', 'failed')",
                     "t", message_id);
    return rc || crm_changes(crm) == 1 ? rc : tell_state(crm, message_id, "failed", err);
}

/* ---- in ---- */

int travel_crm_message_received(travel_crm *crm, ctn_arena *arena, const travel_message *message,
                                ctn_str *ret_message_id, ctn_err *err)
{
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = crm_client_must_live(crm, message->client_id, err);
    if (!rc)
        rc = insert(crm, arena, message, "in", "received", ret_message_id, err);
    return travel_crm_end(crm, rc, err);
}

int travel_crm_first_incoming(travel_crm *crm, ctn_arena *arena, ctn_str client_id, int64_t since_ms,
                              travel_message *ret_message, ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err,
                       "SELECT " MESSAGE_COLUMNS " FROM messages WHERE client_id = ?1 AND direction = 'in' AND"
                       " sent_at > ?2 UNION ALL SELECT lead_id, client_id, lead_id, 'in', 'lead', language, '', text,"
                       " 'received', '', '', '', created_at, NULL, received_at FROM leads WHERE client_id = ?1 AND"
                       " received_at > ?2 ORDER BY 15 LIMIT 1",
                       "tm", client_id, since_ms);
    if (!rc)
        read_message(arena, &q, ret_message);
    else if (rc == CTN_E_NOT_FOUND)
        rc = ctn_fail(err, rc, "nothing came from the client since then");
    crm_done(&q);
    return rc;
}
