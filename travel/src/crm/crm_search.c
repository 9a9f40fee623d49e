/*
 * crm_search.c -- finding clients by what people remember: part of a name, an address, the end of a number, a place.
 *
 * The words of the question are quoted one by one before the index sees them: nothing of a question is syntax. A
 * question of digits alone is looked for in numbers, without the trunk zero that may or may not be in front.
 */
#include "crm/crm_db.h"

#define INDEX_ROWS                                                                                                     \
    "INSERT INTO client_search(rowid, name, contacts, places) SELECT c.client_no, c.name,"                             \
    " coalesce((SELECT group_concat(value, ' ') FROM contacts k WHERE k.client_id = c.client_id), ''),"                \
    " coalesce((SELECT group_concat(place, ' ') FROM (SELECT d.value AS place FROM leads l,"                           \
    " json_each(l.requirements, '$.destinations') d WHERE l.client_id = c.client_id"                                   \
    " UNION SELECT json_extract(l.requirements, '$.origin') FROM leads l WHERE l.client_id = c.client_id"              \
    " UNION SELECT destination FROM trips t WHERE t.client_id = c.client_id)), '')"                                    \
    " FROM clients c WHERE c.erased_at IS NULL"

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
