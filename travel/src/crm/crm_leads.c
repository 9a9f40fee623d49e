/*
 * crm_leads.c -- leads: saved with their client, undone, changed, given.
 *
 * A lead's client is who has its contact key; a name alone never joins two people. A lead that leaves no contact at all
 * is joined only to one with the very same words and name that left none either (a connector that delivered it twice).
 * Finding the client, making it and adding the lead are one change, so two leads of one new client that come at once
 * make one client.
 */
#include "crm/crm_db.h"

static const ctn_str STATUSES[] = {{"new", 3},    {"asked", 5}, {"proposed", 8}, {"accepted", 8},
                                   {"booked", 6}, {"lost", 4},  {"spam", 4}};
enum { STATUS_COUNT = sizeof STATUSES / sizeof *STATUSES };

bool travel_crm_lead_status_is_known(ctn_str status)
{
    for (size_t i = 0; i < STATUS_COUNT; i++)
        if (ctn_str_equal(status, STATUSES[i]))
            return true;
    return false;
}

/* ---- save ---- */

static ctn_str json_or_empty(ctn_arena *arena, const ctn_json *value)
{
    return ctn_json_is(value, CTN_JSON_OBJECT) ? ctn_json_to_str(arena, value) : CTN_STR("{}");
}

/* White space does not count: mail programs wrap lines. */
static ctn_str words_of(ctn_arena *arena, ctn_str text)
{
    char *out = ctn_arena_alloc(arena, text.len + 1);
    size_t len = 0;
    bool is_gap = false;
    for (size_t i = 0; i < text.len; i++) {
        bool is_space = strchr(" \t\r\n", text.ptr[i]) != NULL && text.ptr[i] != '\0';
        if (!is_space && is_gap && len > 0)
            out[len++] = ' ';
        if (!is_space)
            out[len++] = text.ptr[i];
        is_gap = is_space;
    }
    return (ctn_str){out, len};
}

/* The first lead with this text within the span; a repeat of a repeat leads to the same one. */
static int find_earlier(travel_crm *crm, ctn_arena *arena, const travel_lead_record *lead, travel_lead_saved *saved,
                        ctn_err *err)
{
    crm_query q;
    ctn_str words = words_of(arena, lead->text);
    if (words.len == 0)
        return CTN_OK;
    int rc = crm_first(crm, &q, err,
                       "SELECT lead_id, execution, text FROM leads WHERE client_id = ?1 AND repeat_of IS NULL"
                       " AND received_at >= ?2 ORDER BY received_at, lead_no",
                       "tm", saved->client_id, lead->received_at_ms - lead->repeat_ms);
    while (!rc) {
        if (ctn_str_equal(words, words_of(arena, crm_text(arena, &q, 2)))) {
            saved->is_repeat = true;
            saved->earlier_lead_id = crm_text(arena, &q, 0);
            saved->earlier_execution = crm_text(arena, &q, 1);
            break;
        }
        rc = crm_next(&q, err);
    }
    crm_done(&q);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

/* Who wrote the same words under the same name, and left no contact either: one delivery that came twice. */
static int find_silent_client(travel_crm *crm, ctn_arena *arena, const travel_lead_record *lead, ctn_str *ret_client_id,
                              ctn_err *err)
{
    crm_query q;
    ctn_str words = words_of(arena, lead->text);
    if (words.len == 0 || lead->email.len > 0 || lead->phone.len > 0)
        return CTN_E_NOT_FOUND;
    int rc = crm_first(crm, &q, err,
                       "SELECT l.client_id, l.text FROM leads l JOIN clients c USING(client_id) WHERE c.name = ?1"
                       " AND c.erased_at IS NULL AND l.repeat_of IS NULL AND l.received_at >= ?2"
                       " AND NOT EXISTS(SELECT 1 FROM contacts k WHERE k.client_id = l.client_id) ORDER BY lead_no",
                       "tm", lead->name, lead->received_at_ms - lead->repeat_ms);
    while (!rc && !ctn_str_equal(words, words_of(arena, crm_text(arena, &q, 1))))
        rc = crm_next(&q, err);
    if (!rc)
        *ret_client_id = crm_text(arena, &q, 0);
    crm_done(&q);
    return rc;
}

static int make_client(travel_crm *crm, ctn_arena *arena, const travel_lead_record *lead, ctn_str *ret_client_id,
                       ctn_err *err)
{
    int rc = crm_run(crm, err, "INSERT INTO clients(name, language, timezone, created_at) VALUES(?1, ?2, ?3, ?4)",
                     "tttm", lead->name, lead->language, lead->timezone, lead->now_ms);
    if (!rc)
        rc =
            crm_name_row(crm, arena, "UPDATE clients SET client_id = ?1 WHERE client_no = ?2", 'C', ret_client_id, err);
    return rc;
}

static int insert_lead(travel_crm *crm, ctn_arena *arena, const travel_lead_record *lead, travel_lead_saved *saved,
                       ctn_err *err)
{
    int rc = crm_run(crm, err,
                     "INSERT INTO leads(client_id, execution, text, language, client, requirements, budget, status,"
                     " repeat_of, received_at, created_at, updated_at, source, channel)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12, ?13)",
                     "nnttttttnmmtt", saved->client_id, lead->execution, lead->text, lead->language,
                     json_or_empty(arena, lead->client), json_or_empty(arena, lead->requirements),
                     json_or_empty(arena, lead->budget), lead->status.len ? lead->status : CTN_STR("new"),
                     saved->earlier_lead_id, lead->received_at_ms, lead->now_ms, lead->source, lead->channel);
    if (!rc)
        rc = crm_name_row(crm, arena, "UPDATE leads SET lead_id = ?1 WHERE lead_no = ?2", 'L', &saved->lead_id, err);
    return rc;
}

static int save_spam(travel_crm *crm, ctn_arena *arena, const travel_lead_record *lead, travel_lead_saved *saved,
                     ctn_err *err)
{
    const travel_lead_record line = {.execution = lead->execution,
                                     .source = lead->source,
                                     .channel = lead->channel,
                                     .status = lead->status,
                                     .received_at_ms = lead->received_at_ms,
                                     .now_ms = lead->now_ms};
    return insert_lead(crm, arena, &line, saved, err);
}

static int save_in_change(travel_crm *crm, ctn_arena *arena, const travel_lead_record *lead, travel_lead_saved *saved,
                          ctn_err *err)
{
    if (ctn_str_is(lead->status, "spam"))
        return save_spam(crm, arena, lead, saved, err);
    int rc = crm_contact_find(crm, arena, lead->email, lead->phone, &saved->client_id, err);
    if (rc == CTN_E_NOT_FOUND)
        rc = find_silent_client(crm, arena, lead, &saved->client_id, err);
    saved->is_known_client = rc == CTN_OK;
    if (rc == CTN_E_NOT_FOUND)
        rc = make_client(crm, arena, lead, &saved->client_id, err);
    if (!rc && saved->is_known_client)
        rc = find_earlier(crm, arena, lead, saved, err);
    if (!rc)
        rc = insert_lead(crm, arena, lead, saved, err);
    if (!rc && !saved->is_known_client)
        rc = crm_run(crm, err, "UPDATE clients SET made_by_lead = ?2 WHERE client_id = ?1", "tt", saved->client_id,
                     saved->lead_id);
    if (!rc)
        rc = travel_crm_note_execution(crm, saved->client_id, lead->execution, err);
    travel_client before = {0};
    if (!rc)
        rc = travel_crm_client(crm, arena, saved->client_id, &before, err);
    /* A name that is known stays: the next lead may be signed with less of it. */
    const travel_client told = {.client_id = saved->client_id,
                                .name = before.name.len ? CTN_STR("") : lead->name,
                                .language = lead->language,
                                .timezone = lead->timezone,
                                .email = lead->email,
                                .phone = lead->phone};
    return rc ? rc : travel_crm_client_update(crm, arena, &told, err);
}

int travel_crm_lead_save(travel_crm *crm, ctn_arena *arena, const travel_lead_record *lead,
                         travel_lead_saved *ret_saved, ctn_err *err)
{
    travel_lead_saved saved = {0};
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = travel_crm_end(crm, save_in_change(crm, arena, lead, &saved, err), err);
    if (!rc)
        *ret_saved = saved;
    return rc;
}

/* ---- discard ---- */

typedef struct made_lead {
    ctn_str lead_id, client_id;
} made_lead;

static int list_leads(travel_crm *crm, ctn_arena *arena, ctn_str lead_id, ctn_str execution, made_lead **ret_leads,
                      size_t *ret_count, ctn_err *err)
{
    crm_query q;
    size_t capacity = 0;
    *ret_leads = NULL;
    *ret_count = 0;
    int rc = crm_first(crm, &q, err,
                       "SELECT lead_id, client_id FROM leads WHERE lead_id = ?1 OR (?1 IS NULL AND execution = ?2)",
                       "nn", lead_id, execution);
    while (!rc) {
        *ret_leads = ctn_arena_room(arena, *ret_leads, *ret_count, &capacity, sizeof **ret_leads);
        (*ret_leads)[(*ret_count)++] = (made_lead){crm_text(arena, &q, 0), crm_text(arena, &q, 1)};
        rc = crm_next(&q, err);
    }
    crm_done(&q);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

/* The client goes with the lead that made it, unless anything else refers to it. */
static int discard_one(travel_crm *crm, ctn_arena *arena, const made_lead *lead, int64_t *clients, ctn_err *err)
{
    int64_t is_lonely = 0, deleted = 0;
    int rc = crm_run(crm, err, "UPDATE leads SET repeat_of = NULL WHERE repeat_of = ?1", "t", lead->lead_id);
    if (!rc)
        rc = crm_run(crm, err, "DELETE FROM leads WHERE lead_id = ?1", "t", lead->lead_id);
    if (!rc)
        rc = crm_count(crm, &is_lonely, err,
                       "SELECT count(*) FROM clients c WHERE client_id = ?1 AND made_by_lead = ?2 AND erased_at IS NULL"
                       " AND NOT EXISTS(SELECT 1 FROM leads WHERE client_id = ?1)"
                       " AND NOT EXISTS(SELECT 1 FROM trips WHERE client_id = ?1)"
                       " AND NOT EXISTS(SELECT 1 FROM messages WHERE client_id = ?1)"
                       " AND NOT EXISTS(SELECT 1 FROM activities WHERE client_id = ?1)"
                       " AND NOT EXISTS(SELECT 1 FROM documents WHERE client_id = ?1)",
                       "tt", lead->client_id, lead->lead_id);
    if (!rc && is_lonely)
        rc = travel_crm_client_delete(crm, arena, lead->client_id, &deleted, err);
    else if (!rc && lead->client_id.len > 0)
        rc = crm_index_client(crm, lead->client_id, err);
    *clients += deleted;
    return rc;
}

int travel_crm_lead_discard(travel_crm *crm, ctn_arena *arena, const travel_discard *discard, int64_t *ret_leads,
                            int64_t *ret_clients, ctn_err *err)
{
    made_lead *leads;
    size_t count = 0;
    int64_t clients = 0;
    const ctn_json *made = NULL;
    ctn_str lead_id = discard->lead_id;
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    bool is_by_key = lead_id.len == 0 && discard->key.len > 0;
    if (is_by_key)
        rc = crm_answer_undo(crm, arena, discard->tool, discard->key, discard->now_ms, &made, err);
    if (is_by_key)
        lead_id = ctn_json_str_or(made, "lead_id", ctn_json_str_or(made, "session_id", CTN_STR("")));
    if (!rc)
        rc = list_leads(crm, arena, lead_id, is_by_key ? CTN_STR("") : discard->execution, &leads, &count, err);
    for (size_t i = 0; !rc && i < count; i++)
        rc = discard_one(crm, arena, &leads[i], &clients, err);
    rc = travel_crm_end(crm, rc, err);
    if (!rc) {
        *ret_leads = (int64_t) count;
        *ret_clients = clients;
    }
    return rc;
}

/* ---- change and give ---- */

int travel_crm_lead_of_execution(travel_crm *crm, ctn_arena *arena, ctn_str execution, ctn_str *ret_lead_id,
                                 ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err, "SELECT lead_id FROM leads WHERE execution = ?1", "t", execution);
    if (!rc)
        *ret_lead_id = crm_text(arena, &q, 0);
    crm_done(&q);
    return rc;
}

static int client_of_lead(travel_crm *crm, ctn_arena *arena, ctn_str lead_id, ctn_str *ret_client_id, ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err, "SELECT client_id FROM leads WHERE lead_id = ?1", "t", lead_id);
    if (!rc)
        *ret_client_id = crm_text(arena, &q, 0);
    else if (rc == CTN_E_NOT_FOUND)
        rc = ctn_fail(err, rc, "there is no lead %.*s", CTN_STR_ARG(travel_id_shown(lead_id)));
    crm_done(&q);
    return rc;
}

int travel_crm_lead_update(travel_crm *crm, ctn_arena *arena, ctn_str lead_id, ctn_str status, ctn_str asked_in,
                           const ctn_json *requirements, const ctn_json *budget, int64_t now_ms, ctn_err *err)
{
    ctn_str client_id;
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = client_of_lead(crm, arena, lead_id, &client_id, err);
    if (!rc && client_id.len > 0)
        rc = crm_client_must_live(crm, client_id, err);
    if (!rc)
        rc = crm_run(
            crm, err,
            "UPDATE leads SET status = coalesce(?2, status), requirements = coalesce(?3, requirements),"
            " budget = coalesce(?4, budget), updated_at = ?5, asked_in = coalesce(?6, asked_in) WHERE lead_id = ?1",
            "tnnnmn", lead_id, status, requirements ? ctn_json_to_str(arena, requirements) : CTN_STR(""),
            budget ? ctn_json_to_str(arena, budget) : CTN_STR(""), now_ms, asked_in);
    if (!rc && client_id.len > 0)
        rc = crm_index_client(crm, client_id, err);
    return travel_crm_end(crm, rc, err);
}

int travel_crm_lead(travel_crm *crm, ctn_arena *arena, ctn_str lead_id, const ctn_json **ret_lead, ctn_err *err)
{
    static const char *const TEXTS[] = {"lead_id",   "client_id",   "status",     "language", "text",    "execution",
                                        "repeat_of", "received_at", "updated_at", "source",   "channel", "asked_in"};
    crm_query q;
    int rc = crm_first(crm, &q, err,
                       "SELECT client, requirements, budget, lead_id, client_id, status, language, text, execution,"
                       " repeat_of, received_at, updated_at, source, channel, asked_in FROM leads WHERE lead_id = ?1",
                       "t", lead_id);
    if (!rc) {
        ctn_json_builder out = ctn_json_object(arena);
        for (int i = 0; i < 12; i++)
            ctn_json_put_str(&out, TEXTS[i], crm_text(arena, &q, i + 3));
        ctn_json_put(&out, CTN_STR("client"), crm_json(arena, &q, 0));
        ctn_json_put(&out, CTN_STR("requirements"), crm_json(arena, &q, 1));
        ctn_json_put(&out, CTN_STR("budget"), crm_json(arena, &q, 2));
        *ret_lead = ctn_json_finish(&out);
    } else if (rc == CTN_E_NOT_FOUND) {
        rc = ctn_fail(err, rc, "there is no lead %.*s", CTN_STR_ARG(travel_id_shown(lead_id)));
    }
    crm_done(&q);
    return rc;
}
