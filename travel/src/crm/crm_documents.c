/*
 * crm_documents.c -- documents and their versions, which nobody can overwrite.
 */
#include "crm/crm_db.h"

#define DOCUMENT_COLUMNS "document_id, client_id, lead_id, kind, version, content_type, title, body, created_at"

static void read_document(ctn_arena *arena, crm_query *q, travel_document *ret_document)
{
    *ret_document = (travel_document){.document_id = crm_text(arena, q, 0),
                                      .client_id = crm_text(arena, q, 1),
                                      .lead_id = crm_text(arena, q, 2),
                                      .kind = crm_text(arena, q, 3),
                                      .version = crm_int(q, 4),
                                      .content_type = crm_text(arena, q, 5),
                                      .title = crm_text(arena, q, 6),
                                      .body = crm_text(arena, q, 7),
                                      .created_at_ms = crm_moment(q, 8)};
}

int travel_crm_document(travel_crm *crm, ctn_arena *arena, const travel_document *which, travel_document *ret_document,
                        ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err,
                       "SELECT " DOCUMENT_COLUMNS " FROM documents WHERE document_id = ?1 OR (?1 IS NULL AND kind = ?4"
                       " AND (lead_id = ?3 OR (?3 IS NULL AND client_id = ?2 AND lead_id = ''))"
                       " AND (version = ?5 OR ?5 = 0)) ORDER BY version DESC LIMIT 1",
                       "nnnti", which->document_id, which->client_id, which->lead_id, which->kind, which->version);
    if (!rc)
        read_document(arena, &q, ret_document);
    else if (rc == CTN_E_NOT_FOUND)
        rc = ctn_fail(err, rc, "there is no such document");
    crm_done(&q);
    return rc;
}

int travel_crm_document_next_version(travel_crm *crm, ctn_str client_id, ctn_str lead_id, ctn_str kind,
                                     int64_t *ret_version, ctn_err *err)
{
    return crm_count(crm, ret_version, err,
                     "SELECT 1 + coalesce(max(version), 0) FROM documents WHERE client_id = ?1 AND lead_id = ?2 AND"
                     " kind = ?3",
                     "ttt", client_id, lead_id, kind);
}

static int find_version(travel_crm *crm, ctn_arena *arena, const travel_document *d, travel_document *ret_document,
                        ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err,
                       "SELECT " DOCUMENT_COLUMNS " FROM documents WHERE client_id = ?1 AND lead_id = ?2 AND kind = ?3"
                       " AND version = ?4",
                       "ttti", d->client_id, d->lead_id, d->kind, d->version);
    if (!rc)
        read_document(arena, &q, ret_document);
    crm_done(&q);
    return rc;
}

static int save_in_change(travel_crm *crm, ctn_arena *arena, travel_document d, ctn_str execution,
                          travel_document *ret_document, ctn_err *err)
{
    ctn_str document_id;
    int rc = crm_client_must_live(crm, d.client_id, err);
    if (!rc && d.version == 0)
        rc = travel_crm_document_next_version(crm, d.client_id, d.lead_id, d.kind, &d.version, err);
    if (rc)
        return rc;
    rc = find_version(crm, arena, &d, ret_document, err);
    if (!rc &&
        !(ctn_str_equal(d.body, ret_document->body) && ctn_str_equal(d.content_type, ret_document->content_type)))
        return ctn_fail(err, CTN_E_EXISTS, "version %lld of this document is there already (%.*s) and says otherwise",
                        (long long) d.version, CTN_STR_ARG(ret_document->document_id));
    if (rc != CTN_E_NOT_FOUND)
        return rc;
    rc = crm_run(crm, err,
                 "INSERT INTO documents(client_id, lead_id, kind, version, content_type, title, body, created_at)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                 "tttittbm", d.client_id, d.lead_id, d.kind, d.version, d.content_type, d.title, d.body,
                 d.created_at_ms);
    if (!rc)
        rc = crm_name_row(crm, arena, "UPDATE documents SET document_id = ?1 WHERE document_no = ?2", 'D', &document_id,
                          err);
    if (!rc)
        rc = travel_crm_note_execution(crm, d.client_id, execution, err);
    return rc ? rc : find_version(crm, arena, &d, ret_document, err);
}

int travel_crm_document_save(travel_crm *crm, ctn_arena *arena, const travel_document *document, ctn_str execution,
                             travel_document *ret_document, ctn_err *err)
{
    travel_document saved = {0};
    if (document->body.len > TRAVEL_DOCUMENT_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "a document has at most %d bytes, this one %zu", TRAVEL_DOCUMENT_BYTES_MAX,
                        document->body.len);
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    rc = travel_crm_end(crm, save_in_change(crm, arena, *document, execution, &saved, err), err);
    if (!rc)
        *ret_document = saved;
    return rc;
}
