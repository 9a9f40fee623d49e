/*
 * crm_search.c -- finding clients by what people remember: part of a name, an address, the end of a number, a place.
 *
 * The words of the question are quoted one by one before the index sees them: nothing of a question is syntax. A
 * question of digits alone is looked for in numbers, without the trunk zero that may or may not be in front.
 */
#include "crm/crm_db.h"

/* What people may look for, and no more: an attack's 60,000 places or a place of megabytes, in some leads of one
 * client, would make each change of that client take seconds. */
#define INDEXED(TEXT) " substr(coalesce(" TEXT ", ''), 1, 2000)"
#define SANE_TRIP     "CASE WHEN length(l.requirements) <= 65536 THEN l.requirements ELSE '{}' END"
#define INDEX_ROWS                                                                                                     \
    "INSERT INTO client_search(rowid, name, contacts, places) SELECT c.client_no," INDEXED("c.name") "," INDEXED(      \
        "(SELECT group_concat(value, ' ') FROM contacts k WHERE k.client_id = c.client_id)") "," INDEXED("(SELECT "    \
                                                                                                         "group_"      \
                                                                                                         "concat("     \
                                                                                                         "place, ' "   \
                                                                                                         "') FROM "    \
                                                                                                         "(SELECT "    \
                                                                                                         "substr(d."   \
                                                                                                         "value, 1, "  \
                                                                                                         "100) AS "    \
                                                                                                         "place FROM " \
                                                                                                         "leads l,"    \
                                                                                                         " json_"      \
                                                                                                         "each"        \
                                                                                                         "(" SANE_TRIP \
                                                                                                         ", "          \
                                                                                                         "'$."         \
                                                                                                         "destination" \
                                                                                                         "s') d "      \
                                                                                                         "WHERE "      \
                                                                                                         "l.client_"   \
                                                                                                         "id = "       \
                                                                                                         "c.client_"   \
                                                                                                         "id AND "     \
                                                                                                         "d.key < 20"  \
                                                                                                         " UNION "     \
                                                                                                         "SELECT "     \
                                                                                                         "substr("     \
                                                                                                         "json_"       \
                                                                                                         "extract"     \
                                                                                                         "(" SANE_TRIP \
                                                                                                         ", "          \
                                                                                                         "'$.origin')" \
                                                                                                         ", 1, 100) "  \
                                                                                                         "FROM leads " \
                                                                                                         "l"           \
                                                                                                         " WHERE "     \
                                                                                                         "l.client_"   \
                                                                                                         "id = "       \
                                                                                                         "c.client_id" \
                                                                                                         " UNION "     \
                                                                                                         "SELECT "     \
                                                                                                         "substr("     \
                                                                                                         "destination" \
                                                                                                         ", 1, 100) "  \
                                                                                                         "FROM trips " \
                                                                                                         "t WHERE "    \
                                                                                                         "t.client_"   \
                                                                                                         "id = "       \
                                                                                                         "c.client_"   \
                                                                                                         "id))") " FR" \
                                                                                                                 "OM " \
                                                                                                                 "cli" \
                                                                                                                 "ent" \
                                                                                                                 "s "  \
                                                                                                                 "c "  \
                                                                                                                 "WHE" \
                                                                                                                 "RE " \
                                                                                                                 "c."  \
                                                                                                                 "era" \
                                                                                                                 "sed" \
                                                                                                                 "_at" \
                                                                                                                 " IS" \
                                                                                                                 " NU" \
                                                                                                                 "LL"

int crm_index_client(travel_crm *crm, ctn_str client_id, ctn_err *err)
{
    if (client_id.len == 0) {
        int rc = travel_crm_begin(crm, err);
        if (!rc) {
            rc = crm_exec(crm, "DELETE FROM client_search; " INDEX_ROWS, "cannot be indexed", err);
            rc = travel_crm_end(crm, rc, err);
        }
        return rc;
    }
    int rc = crm_run(crm, err,
                     "DELETE FROM client_search WHERE rowid = (SELECT client_no FROM clients WHERE client_id = ?1)",
                     "t", client_id);
    return rc ? rc : crm_run(crm, err, INDEX_ROWS " AND c.client_id = ?1", "t", client_id);
}

/* ---- the question ---- */

enum { WORDS_MAX = 16, DIGITS_MIN = 3 };

static bool is_word_byte(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 0x80;
}

/* `Zoë o'ne` -> `"Zoë"* "o'ne"*`: each a prefix, all of them must be there. Empty: there is no word. */
static ctn_str match_of(ctn_arena *arena, ctn_str query)
{
    char *out = ctn_arena_alloc(arena, 2 * query.len + 5 * WORDS_MAX);
    size_t len = 0, words = 0;
    for (size_t i = 0; i < query.len && words < WORDS_MAX;) {
        size_t from = i;
        bool is_word = false;
        for (; i < query.len && (unsigned char) query.ptr[i] > ' '; i++)
            is_word = is_word || is_word_byte((unsigned char) query.ptr[i]);
        if (is_word) {
            words++;
            out[len++] = '"';
            for (size_t k = from; k < i; k++) {
                if (query.ptr[k] == '"')
                    out[len++] = '"';
                out[len++] = query.ptr[k];
            }
            memcpy(out + len, "\"* ", 3);
            len += 3;
        }
        i += i == from;
    }
    return (ctn_str){out, len};
}

/* `07700 900` -> `%7700900%`; empty: it is no number. */
static ctn_str number_of(ctn_arena *arena, ctn_str query)
{
    char *out = ctn_arena_alloc(arena, query.len + 2);
    size_t len = 0;
    out[len++] = '%';
    for (size_t i = 0; i < query.len; i++) {
        if (query.ptr[i] >= '0' && query.ptr[i] <= '9') {
            if (len > 1 || query.ptr[i] != '0')
                out[len++] = query.ptr[i];
        } else if (!strchr(" +-./()", query.ptr[i]) || query.ptr[i] == '\0') {
            return (ctn_str){NULL, 0};
        }
    }
    out[len++] = '%';
    return len >= DIGITS_MIN + 2 ? (ctn_str){out, len} : (ctn_str){NULL, 0};
}

/* ---- the answer ---- */

static const ctn_json *found_client(ctn_arena *arena, crm_query *q)
{
    static const char *const TEXTS[] = {"client_id", "name",         "email",           "phone",
                                        "language",  "last_lead_at", "last_lead_status"};
    ctn_json_builder out = ctn_json_object(arena);
    for (int i = 0; i < 7; i++)
        ctn_json_put_str(&out, TEXTS[i], crm_text(arena, q, i));
    ctn_json_put_int(&out, "leads", crm_int(q, 7));
    return ctn_json_finish(&out);
}

int travel_crm_search(travel_crm *crm, ctn_arena *arena, ctn_str query, int64_t limit, ctn_str after,
                      const ctn_json **ret_clients, ctn_str *ret_next, ctn_err *err)
{
    crm_query q;
    ctn_str match = match_of(arena, query), last = {NULL, 0};
    ctn_json_builder clients = ctn_json_array(arena);
    int64_t count = 0;
    if (match.len == 0)
        return ctn_fail(err, CTN_E_INVALID,
                        "say what to look for: part of a name, an e-mail, a phone number or a place");
    int rc = crm_first(
        crm, &q, err,
        "SELECT c.client_id, c.name,"
        " coalesce((SELECT value FROM contacts k WHERE k.client_id = c.client_id AND kind = 'email' LIMIT 1), ''),"
        " coalesce((SELECT value FROM contacts k WHERE k.client_id = c.client_id AND kind = 'phone' LIMIT 1), ''),"
        " c.language, coalesce((SELECT max(received_at) FROM leads l WHERE l.client_id = c.client_id), ''),"
        " coalesce((SELECT status FROM leads l WHERE l.client_id = c.client_id ORDER BY received_at DESC, lead_no DESC"
        " LIMIT 1), ''), (SELECT count(*) FROM leads l WHERE l.client_id = c.client_id)"
        " FROM clients c WHERE c.erased_at IS NULL"
        " AND (?3 IS NULL OR c.client_no < CAST(substr(?3, 3) AS INTEGER))"
        " AND (c.client_no IN (SELECT rowid FROM client_search WHERE client_search MATCH ?1) OR c.client_id = upper(?5)"
        " OR c.client_id IN (SELECT client_id FROM contacts WHERE kind = 'phone' AND key LIKE ?2))"
        " ORDER BY c.client_no DESC LIMIT ?4",
        "tnnit", match, number_of(arena, query), after, limit + 1, ctn_str_trim(query));
    while (!rc && count < limit) {
        last = crm_text(arena, &q, 0);
        ctn_json_push(&clients, found_client(arena, &q));
        count++;
        rc = crm_next(&q, err);
    }
    crm_done(&q);
    if (rc && rc != CTN_E_NOT_FOUND)
        return rc;
    *ret_clients = ctn_json_finish(&clients);
    *ret_next = rc ? (ctn_str){NULL, 0} : last;
    return CTN_OK;
}
