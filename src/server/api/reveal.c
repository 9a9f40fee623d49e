/*
 * reveal.c -- see reveal.h.
 */
#include "server/api/reveal.h"
#include "host/told.h"

bool ctn_api_reveal(ctn_api_call *call, const ctn_execution_row *row, ctn_seal **ret_seal)
{
    ctn_err err = {0};
    ctn_access_object object = {
        .chain_id = row->chain_id, .tenant = row->tenant, .labels = ctn_told_parsed(call->arena, row->labels)};
    *ret_seal = NULL;
    if (!ctn_json_bool_or(call->given, "reveal", false))
        return true;
    if (!ctn_api_demand(call, CTN_ACTION_REVEAL, &object))
        return false;
    if (!ctn_host_seal(call->host)) {
        ctn_api_problem(call, 422, CTN_STR("query/reveal"),
                        "there is no key: `sealing` of catena.yaml says where it is");
        return false;
    }
    if (ctn_access_audit(call->access, call->caller, "values.reveal", ctn_str_from(ctn_id_to_text(row->id).text), NULL,
                         &err)) {
        (void) ctn_wrap(&err, err.code, "what is revealed is written down first");
        ctn_api_fail(call, &err);
        return false;
    }
    *ret_seal = ctn_host_seal(call->host);
    return true;
}
