/*
 * delivery_tools.c -- the tools that send a message and tell what became of it: their schemas, and their arguments
 * read.
 */
#include "crm/crm.h"
#include "followup/delivery.h"
#include "kit/arguments.h"
#include "kit/schemas.h"

enum { KEY_BYTES_MAX = 200 };

static int read_key(const travel_call *call, ctn_str *ret_key, ctn_err *err)
{
    int rc = travel_maybe_text(call, "key", ret_key, err);
    if (!rc && ret_key->len == 0)
        *ret_key = call->idempotency_key;
    if (!rc && ret_key->len == 0)
        rc = ctn_fail(err, CTN_E_INVALID,
                      "key is missing: it must be text, the same for every try to send this message");
    if (!rc && ret_key->len > KEY_BYTES_MAX)
        rc = ctn_fail(err, CTN_E_LIMIT, "key has %zu bytes, at most %d", ret_key->len, KEY_BYTES_MAX);
    return rc;
}

static int deliver_message(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_delivery_request r = {0};
    int rc = travel_want_text(call, "channel", &r.channel, err);
    if (!rc)
        rc = ctn_str_is(r.channel, "desk") ? travel_maybe_text(call, "client_id", &r.client_id, err)
                                           : travel_want_text(call, "client_id", &r.client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "subject", &r.subject, err);
    if (!rc)
        rc = travel_want_text(call, "message", &r.message, err);
    if (!rc)
        rc = travel_maybe_text(call, "language", &r.language, err);
    if (!rc)
        rc = travel_maybe_text(call, "lead_id", &r.lead_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &r.execution, err);
    if (!rc)
        rc = read_key(call, &r.key, err);
    return rc ? rc : travel_deliver(call, &r, ret_result, err);
}

static int delivery_status(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str key;
    int rc = read_key(call, &key, err);
    return rc ? rc : travel_delivery_status(call, key, ret_result, err);
}

static int stop_messages(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id;
    bool is_stop = ctn_json_bool_or(call->arguments, "stop", true);
    int rc = travel_want_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_call_crm(call, false, err);
    if (!rc)
        rc = travel_crm_client_stop(call->tools->crm, client_id, is_stop ? travel_now_ms(call) : 0, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "client_id", client_id);
    ctn_json_put_bool(&out, "stopped", is_stop);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* A person's word on a message of unknown fate. */
static int settle_message(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str message_id;
    const ctn_json *sent = ctn_json_member_of(call->arguments, "sent");
    int rc = travel_want_text(call, "message_id", &message_id, err);
    if (!rc && !ctn_json_is_bool(sent))
        rc = ctn_fail(err, CTN_E_INVALID, "sent must be true or false: was the message sent?");
    if (!rc)
        rc = travel_call_crm(call, false, err);
    if (rc)
        return rc;
    bool is_sent = ctn_json_is(sent, CTN_JSON_TRUE);
    rc = is_sent ? travel_crm_message_sent(call->tools->crm, message_id, CTN_STR("as a person said"),
                                           travel_now_ms(call), err)
                 : travel_crm_message_failed(call->tools->crm, message_id, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "message_id", message_id);
    ctn_json_put_str(&out, "status", is_sent ? CTN_STR("sent") : CTN_STR("failed"));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

#define CHANNEL "{\"enum\":[\"email\",\"sms\",\"whatsapp\",\"phone\",\"desk\"]}"
#define DELIVERED                                                                                                      \
    "{\"type\":\"object\",\"required\":[\"message_id\",\"delivered_at\",\"driver\",\"reference\"],\"properties\":{"    \
    "\"message_id\":" STRING ",\"delivered_at\":" STRING ",\"driver\":" STRING ",\"reference\":" STRING "}}"

static const travel_tool TOOLS[] = {
    {.about =
         {.name = "deliver_message",
          .title = "Send a message to a client",
          .description =
              "Sends one message by the channel's driver (outbox folder, mail server or webhook) and keeps it with "
              "the client; the channel desk is the agency itself. One key has one message: a repeated call gives the "
              "first answer. When nobody can tell "
              "whether it was sent, it is not sent again; ask delivery_status.",
          .input_schema = "{\"type\":\"object\",\"required\":[\"channel\",\"message\"],\"properties\":{"
                          "\"client_id\":" TEXT_OR_NULL ",\"channel\":" CHANNEL ",\"subject\":" TEXT_OR_NULL
                          ",\"message\":" STRING ",\"language\":" TEXT_OR_NULL ",\"lead_id\":" TEXT_OR_NULL
                          ",\"execution\":" TEXT_OR_NULL ",\"key\":{\"type\":\"string\",\"maxLength\":200}}}",
          .output_schema = DELIVERED,
          .is_additive = true},
     .run = deliver_message},
    {.about = {.name = "delivery_status",
               .title = "What became of a message",
               .description = "Whether the message of this key was sent: happened is true (with the answer of "
                              "deliver_message), false, or null where nobody can tell.",
               .input_schema = "{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"string\",\"maxLength\":200}}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"happened\"],\"properties\":{\"happened\":"
                                "{\"type\":[\"boolean\",\"null\"]},\"result\":" DELIVERED ",\"why\":" STRING "}}",
               .is_idempotent = true, /* not a read: what the outbox shows to be out is noted in the CRM */
               .is_additive = true,
               .is_closed_world = true},
     .run = delivery_status},
    {.about = {.name = "settle_message",
               .title = "Say whether a message was sent",
               .description = "For a message that delivery_status cannot tell of, once somebody has looked for its "
                              "Message-ID: sent true leaves it at that, false lets deliver_message send it.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"message_id\",\"sent\"],\"properties\":{"
                               "\"message_id\":" STRING ",\"sent\":" BOOLEAN "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"message_id\",\"status\"],\"properties\":{"
                                "\"message_id\":" STRING ",\"status\":" STRING "}}",
               .is_idempotent = true,
               .is_closed_world = true},
     .run = settle_message},
    {.about = {.name = "stop_messages",
               .title = "Write to a client no more",
               .description = "From now on deliver_message refuses this client (stop: false takes it back).",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\"],\"properties\":{\"client_id\":" STRING
                               ",\"stop\":" BOOLEAN "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"client_id\",\"stopped\"],\"properties\":{"
                                "\"client_id\":" STRING ",\"stopped\":" BOOLEAN "}}",
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = stop_messages},
};

const travel_toolset travel_delivery_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS, travel_delivery_check};
