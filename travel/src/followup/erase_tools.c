/*
 * erase_tools.c -- the tool that forgets a client wherever the pack keeps one: in the CRM, and in the letters that lie
 * in the outbox. (The third place, the journals of executions, is the chain erase-client's.)
 */
#include "crm/crm_tools.h"
#include "followup/delivery_settings.h"

/* What lies in the outbox, taken or not, is the client's text as well. */
static int forget_letters(const travel_call *call, travel_crm *crm, ctn_str client_id, ctn_err *err)
{
    travel_delivery_settings settings;
    travel_message *messages = NULL;
    size_t count = 0;
    int rc = travel_delivery_settings_read(call->tools->agency, call->arena, false, &settings, err);
    if (!rc)
        rc = travel_crm_messages_of_driver(crm, call->arena, client_id, "outbox", &messages, &count, err);
    for (size_t i = 0; !rc && i < count; i++) {
        const travel_letter letter = {.key = messages[i].key,
                                      .channel = messages[i].channel,
                                      .created_at = travel_crm_moment(call->arena, messages[i].created_at_ms)};
        rc = travel_outbox_forget(&settings.outbox, &letter, call->arena, err);
    }
    return rc;
}

static int erase_client(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id, reason;
    travel_crm *crm;
    bool was_erased = false;
    const ctn_json *executions;
    int rc = travel_want_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "reason", &reason, err);
    if (!rc && reason.len > 0 && !ctn_str_is(reason, "request") && !ctn_str_is(reason, "retention"))
        rc = ctn_fail(err, CTN_E_INVALID, "reason must be request or retention: it stays, so it says nothing else");
    if (!rc)
        rc = travel_crm_of(call, true, &crm, err);
    if (!rc)
        rc = travel_crm_erase(crm, call->arena, client_id, reason.len ? reason : CTN_STR("request"),
                              travel_now_ms(call), &was_erased, &executions, err);
    if (!rc)
        rc = forget_letters(call, crm, client_id, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_bool(&out, "erased", true);
    ctn_json_put_bool(&out, "was_erased_before", was_erased);
    ctn_json_put(&out, CTN_STR("executions"), executions);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static const travel_tool TOOLS[] = {
    {.about = {.name = "erase_client",
               .title = "Forget a client",
               .description =
                   "Removes everything personal of a client from the CRM and the outbox, for good, and tells which "
                   "executions"
                   " dealt with it: their values are to be shredded as well (chain erase-client). Erasing again"
                   " is no error.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\"],\"properties\":{\"client_id\":" ID
                               ",\"reason\":{\"enum\":[\"request\",\"retention\",null]}}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"erased\",\"was_erased_before\",\"executions\"],"
                                "\"properties\":{\"erased\":" BOOLEAN ",\"was_erased_before\":" BOOLEAN
                                ",\"executions\":" STRINGS "}}",
               .is_idempotent = true,
               .is_closed_world = true},
     .run = erase_client},
};

const travel_toolset travel_erase_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
