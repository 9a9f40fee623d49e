/*
 * crm_export.c -- clients with everything that is kept about them, as JSON and as a table.
 *
 * A table is opened by programs that take cells for formulas ("=HYPERLINK(...)" in a lead's name would be run on the
 * agent's machine), so every cell is quoted, and one that begins as a formula does gets an apostrophe in front, which
 * such programs show as text. Phone numbers begin with + and so have one as well.
 */
#include "crm/crm_db.h"

static const size_t PAGE_BYTES_MAX = (size_t) 4 * 1024 * 1024;

#define OF_CLIENT(object, table, order)                                                                                \
    "(SELECT json_group_array(json_object(" object ")) FROM (SELECT * FROM " table                                     \
    " t WHERE t.client_id = c.client_id ORDER BY " order "))"

/* clang-format off */
static const char CLIENTS[] =
    "SELECT json_object('client_id', client_id, 'name', name, 'language', language, 'timezone', timezone,"
    " 'created_at', created_at, 'stopped_at', coalesce(stopped_at, ''), 'erased_at', coalesce(erased_at, ''),"
    " 'contacts', json("
    OF_CLIENT("'kind', kind, 'value', value", "contacts", "contact_no")
    "), 'leads', json("
    OF_CLIENT("'lead_id', lead_id, 'status', status, 'received_at', received_at, 'source', source, 'channel', channel,"
              " 'language', language, 'text', text, 'client', json(client), 'requirements', json(requirements),"
              " 'budget', json(budget), 'repeat_of', coalesce(repeat_of, '')", "leads", "lead_no")
    "), 'trips', json("
    OF_CLIENT("'trip_id', trip_id, 'lead_id', coalesce(lead_id, ''), 'status', status, 'summary', summary,"
              " 'destination', destination, 'start_date', start_date, 'end_date', end_date, 'booking_id', booking_id,"
              " 'total', total, 'currency', currency, 'details', json(details)", "trips", "trip_no")
    "), 'watches', json("
    OF_CLIENT("'watch_id', watch_id, 'lead_id', coalesce(lead_id, ''), 'requirements', json(requirements),"
              " 'budget', json(budget), 'start_date', start_date, 'is_open', is_open", "watches", "watch_no")
    "), 'messages', json("
    OF_CLIENT("'message_id', message_id, 'direction', direction, 'channel', channel, 'subject', subject, 'body', body,"
              " 'status', status, 'created_at', created_at, 'sent_at', coalesce(sent_at, '')", "messages", "message_no")
    "), 'activities', json("
    OF_CLIENT("'activity_id', activity_id, 'kind', kind, 'what', what, 'at', at", "activities", "activity_no")
    "), 'documents', json("
    OF_CLIENT("'document_id', document_id, 'lead_id', lead_id, 'kind', kind, 'version', version,"
              " 'content_type', content_type, 'title', title, 'bytes', length(body), 'created_at', created_at",
              "documents", "document_no")
    ")) FROM clients c WHERE (?1 IS NULL OR client_id = ?1)"
    " AND (?2 IS NULL OR client_no > CAST(substr(?2, 3) AS INTEGER)) ORDER BY client_no LIMIT ?3";
/* clang-format on */

int travel_crm_export(travel_crm *crm, ctn_arena *arena, ctn_str client_id, int64_t limit, ctn_str after,
                      const ctn_json **ret_clients, ctn_str *ret_next, ctn_err *err)
{
    crm_query q;
    ctn_json_builder clients = ctn_json_array(arena);
    ctn_str last = {NULL, 0};
    size_t bytes = 0;
    int64_t count = 0;
    int rc = crm_first(crm, &q, err, CLIENTS, "nni", client_id, after, limit + 1);
    while (!rc && count < limit && bytes < PAGE_BYTES_MAX) {
        const ctn_json *client = crm_json(arena, &q, 0);
        bytes += ctn_json_bytes(client);
        last = ctn_json_str_or(client, "client_id", CTN_STR(""));
        ctn_json_push(&clients, client);
        count++;
        rc = crm_next(&q, err);
    }
    crm_done(&q);
    if (rc && rc != CTN_E_NOT_FOUND)
        return rc;
    if (client_id.len > 0 && count == 0)
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no client %.*s", CTN_STR_ARG(travel_id_shown(client_id)));
    *ret_clients = ctn_json_finish(&clients);
    *ret_next = rc ? (ctn_str){NULL, 0} : last;
    return CTN_OK;
}

/* ---- as a table ---- */

static void put_cell(ctn_buf *out, ctn_str text, bool is_first)
{
    if (!is_first)
        ctn_buf_append_char(out, ',');
    ctn_buf_append_char(out, '"');
    if (text.len > 0 && strchr("=+-@\t\r", text.ptr[0]) && text.ptr[0] != '\0')
        ctn_buf_append_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            ctn_buf_append_char(out, '"');
        ctn_buf_append_char(out, text.ptr[i]);
    }
    ctn_buf_append_char(out, '"');
}

static void put_number(ctn_buf *out, size_t number)
{
    ctn_buf_append_char(out, ',');
    ctn_buf_append_int64(out, (int64_t) number);
}

/* The values of one kind of contact, a semicolon between them. */
static ctn_str contacts_of(ctn_arena *arena, const ctn_json *client, const char *kind)
{
    const ctn_json *contacts = ctn_json_member_of(client, "contacts");
    ctn_str all = {NULL, 0};
    for (size_t i = 0; i < ctn_json_count(contacts); i++) {
        const ctn_json *contact = ctn_json_at(contacts, i);
        ctn_str value = ctn_json_str_or(contact, "value", CTN_STR(""));
        if (ctn_str_is(ctn_json_str_or(contact, "kind", CTN_STR("")), kind))
            all = all.len ? ctn_arena_printf(arena, "%.*s; %.*s", CTN_STR_ARG(all), CTN_STR_ARG(value)) : value;
    }
    return all;
}

static void put_line(ctn_buf *out, ctn_arena *arena, const ctn_json *client)
{
    static const char *const TEXTS[] = {"client_id", "name"}, *const MORE[] = {"language", "timezone", "created_at"};
    const ctn_json *leads = ctn_json_member_of(client, "leads");
    size_t lead_count = ctn_json_count(leads);
    const ctn_json *last = lead_count ? ctn_json_at(leads, lead_count - 1) : NULL;
    for (size_t i = 0; i < 2; i++)
        put_cell(out, ctn_json_str_or(client, TEXTS[i], CTN_STR("")), i == 0);
    put_cell(out, contacts_of(arena, client, "email"), false);
    put_cell(out, contacts_of(arena, client, "phone"), false);
    for (size_t i = 0; i < 3; i++)
        put_cell(out, ctn_json_str_or(client, MORE[i], CTN_STR("")), false);
    put_number(out, lead_count);
    put_cell(out, ctn_json_str_or(last, "received_at", CTN_STR("")), false);
    put_cell(out, ctn_json_str_or(last, "status", CTN_STR("")), false);
    put_number(out, ctn_json_count(ctn_json_member_of(client, "trips")));
    put_number(out, ctn_json_count(ctn_json_member_of(client, "messages")));
    put_number(out, ctn_json_count(ctn_json_member_of(client, "documents")));
    ctn_buf_append_literal(out, "\r\n");
}

ctn_str travel_crm_export_csv(ctn_arena *arena, const ctn_json *clients, bool is_first_page)
{
    ctn_buf out;
    ctn_buf_init(&out, SIZE_MAX / 2);
    if (is_first_page)
        ctn_buf_append_literal(&out, "client_id,name,emails,phones,language,timezone,created_at,leads,last_lead_at,"
                                     "last_lead_status,trips,messages,documents\r\n");
    for (size_t i = 0; i < ctn_json_count(clients); i++)
        put_line(&out, arena, ctn_json_at(clients, i));
    ctn_str csv = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return csv;
}
