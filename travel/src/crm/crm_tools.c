/*
 * crm_tools.c -- the tools for client records: their schemas, and their arguments read.
 */
#include "kit/arguments.h"
#include "kit/schemas.h"

static int create_client_record(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *client = NULL, *requirements = NULL;
    travel_client record = {.created_at = travel_now_text(call)};
    ctn_str client_id, session_id;
    bool is_new;
    int rc = travel_want_object(call, "client", &client, err);
    if (!rc)
        rc = travel_maybe_object(call, "requirements", &requirements, err);
    if (!rc)
        rc = travel_maybe_text(call, "key", &record.key, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &record.execution_id, err);
    if (!rc)
        rc = travel_call_crm(call, false, err);
    if (rc)
        return rc;
    if (record.key.len == 0)
        record.key = call->idempotency_key;
    record.name = ctn_json_str_or(client, "name", CTN_STR(""));
    record.email = ctn_json_str_or(client, "email", CTN_STR(""));
    record.phone = ctn_json_str_or(client, "phone", CTN_STR(""));
    record.client = ctn_json_to_str(call->arena, client);
    record.requirements = requirements ? ctn_json_to_str(call->arena, requirements) : CTN_STR("{}");
    rc = travel_crm_create(call->tools->crm, call->arena, &record, &client_id, &session_id, &is_new, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "client_id", client_id);
    ctn_json_put_str(&out, "session_id", session_id);
    ctn_json_put_bool(&out, "created", is_new);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static int delete_client_record(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id, execution_id;
    int deleted = 0;
    int rc = travel_maybe_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &execution_id, err);
    if (!rc && client_id.len == 0 && execution_id.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "say what to delete: client_id, or execution");
    if (!rc)
        rc = travel_call_crm(call, false, err);
    if (!rc)
        rc = travel_crm_delete(call->tools->crm, client_id, execution_id, &deleted, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_int(&out, "deleted", deleted);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static const travel_tool TOOLS[] = {
    {.about = {.name = "create_client_record",
               .title = "Create a client record",
               .description = "Adds a client and an enquiry (session) to the CRM file. The same key gives the same "
                              "record: a repeated call "
                              "creates nothing.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"client\"],\"properties\":{\"client\":" CLIENT
                   ",\"requirements\":{\"type\":\"object\"},\"key\":{\"type\":\"string\",\"maxLength\":200},"
                   "\"execution\":{\"type\":\"string\",\"maxLength\":200},\"started_at\":" WHEN "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"client_id\",\"session_id\",\"created\"],\"properties\":{"
                   "\"client_id\":" STRING ",\"session_id\":" STRING ",\"created\":" BOOLEAN "}}",
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = create_client_record},
    {.about = {.name = "delete_client_record",
               .title = "Delete a client record",
               .description = "Removes a client and its enquiries from the CRM file, by client_id or by the execution "
                              "that created them. "
                              "Deleting what is gone is no error.",
               .input_schema = "{\"type\":\"object\",\"properties\":{\"client_id\":{\"type\":[\"string\",\"null\"]},"
                               "\"execution\":{\"type\":[\"string\",\"null\"]}}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"deleted\"],\"properties\":{\"deleted\":" INTEGER "}}",
               .is_idempotent = true,
               .is_closed_world = true},
     .run = delete_client_record},
};

const travel_toolset travel_crm_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
