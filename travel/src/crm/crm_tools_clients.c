/*
 * crm_tools_clients.c -- the tools for clients and what passes between them and the agency: replies, activities, trips.
 */
#include "crm/crm_tools.h"

enum { MESSAGE_BYTES_MAX = 256 * 1024 };

/* ---- find ---- */

static void put_client(ctn_json_builder *out, ctn_arena *arena, const travel_client *client)
{
    ctn_json_put_str(out, "client_id", client->client_id);
    ctn_json_put_str(out, "name", client->name);
    ctn_json_put_str(out, "email", client->email);
    ctn_json_put_str(out, "phone", client->phone);
    ctn_json_put_str(out, "language", client->language);
    ctn_json_put_str(out, "timezone", client->timezone);
    ctn_json_put_bool(out, "is_erased", client->erased_at_ms != 0);
    ctn_json_put_str(out, "created_at", travel_crm_moment(arena, client->created_at_ms));
}

static int find_client(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id, email, phone;
    travel_client client = {0};
    travel_crm *crm;
    int rc = travel_maybe_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "email", &email, err);
    if (!rc)
        rc = travel_maybe_text(call, "phone", &phone, err);
    if (!rc && client_id.len + email.len + phone.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "say whom to find: client_id, email or phone");
    if (!rc)
        rc = travel_crm_of(call, true, &crm, err);
    if (rc)
        return rc;
    rc = client_id.len > 0 ? travel_crm_client(crm, call->arena, client_id, &client, err)
                           : travel_crm_client_by_contact(crm, call->arena, email, phone, &client, err);
    if (rc && rc != CTN_E_NOT_FOUND)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_bool(&out, "is_found", !rc);
    put_client(&out, call->arena, &client);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static int client_history(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id;
    travel_history h;
    travel_crm *crm;
    int64_t now_ms;
    int rc = travel_want_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_maybe_moment(call, "now", travel_now_ms(call), &now_ms, err);
    if (!rc)
        rc = travel_crm_of(call, true, &crm, err);
    if (!rc)
        rc = travel_crm_client_history(crm, call->arena, client_id, now_ms, &h, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    put_client(&out, call->arena, &h.client);
    ctn_json_put_int(&out, "days_since_contact", h.days_since_contact);
    ctn_json_put_str(&out, "last_incoming_at", travel_crm_moment(call->arena, h.last_incoming_at_ms));
    ctn_json_put_str(&out, "last_outgoing_at", travel_crm_moment(call->arena, h.last_outgoing_at_ms));
    ctn_json_put_int(&out, "sent_7d", h.sent_7d);
    ctn_json_put_int(&out, "sent_30d", h.sent_30d);
    ctn_json_put_int(&out, "leads", h.leads);
    ctn_json_put_int(&out, "trips", h.trips);
    ctn_json_put_str(&out, "lead_id", h.lead_id);
    ctn_json_put_str(&out, "lead_status", h.lead_status);
    ctn_json_put(&out, CTN_STR("channels"), h.channels);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- write ---- */

/* What these tools write, and which of it the answer names. */
typedef struct writing {
    const travel_call *call;
    travel_client client;
    travel_message message;
    travel_trip_record trip;
    ctn_str kind, what, execution;
    int64_t at_ms;
} writing;

static int answer_id(ctn_arena *arena, ctn_str client_id, const char *name, ctn_str id, const ctn_json **ret_answer)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "client_id", client_id);
    if (name)
        ctn_json_put_str(&out, name, id);
    *ret_answer = ctn_json_finish(&out);
    return CTN_OK;
}

static int write_client(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    writing *w = ctx;
    int rc = travel_crm_client_update(w->call->tools->crm, arena, &w->client, err);
    return rc ? rc : answer_id(arena, w->client.client_id, NULL, w->client.client_id, ret_answer);
}

static int update_client(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    writing w = {.call = call};
    int rc = travel_want_text(call, "client_id", &w.client.client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "name", &w.client.name, err);
    if (!rc)
        rc = travel_maybe_text(call, "email", &w.client.email, err);
    if (!rc)
        rc = travel_maybe_text(call, "phone", &w.client.phone, err);
    if (!rc)
        rc = travel_maybe_text(call, "language", &w.client.language, err);
    if (!rc)
        rc = travel_maybe_text(call, "timezone", &w.client.timezone, err);
    return rc ? rc : travel_crm_tool_once(call, "update_client", write_client, &w, ret_result, NULL, err);
}

static int note(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    writing *w = ctx;
    travel_client client;
    int rc = travel_crm_client(w->call->tools->crm, arena, w->client.client_id, &client, err);
    if (!rc)
        rc = travel_crm_note_execution(w->call->tools->crm, w->client.client_id, w->execution, err);
    return rc ? rc : answer_id(arena, w->client.client_id, NULL, w->client.client_id, ret_answer);
}

static int note_execution(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    writing w = {.call = call};
    int rc = travel_want_text(call, "client_id", &w.client.client_id, err);
    if (!rc)
        rc = travel_want_text(call, "execution", &w.execution, err);
    return rc ? rc : travel_crm_tool_once(call, "note_execution", note, &w, ret_result, NULL, err);
}

static int write_reply(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    writing *w = ctx;
    ctn_str message_id;
    int rc = travel_crm_message_received(w->call->tools->crm, arena, &w->message, &message_id, err);
    return rc ? rc : answer_id(arena, w->message.client_id, "message_id", message_id, ret_answer);
}

static int record_reply(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    writing w = {.call = call};
    int rc = travel_want_text(call, "client_id", &w.message.client_id, err);
    if (!rc)
        rc = travel_want_text(call, "channel", &w.message.channel, err);
    if (!rc)
        rc = travel_maybe_long_text(call, "text", MESSAGE_BYTES_MAX, &w.message.body, err);
    if (!rc)
        rc = travel_maybe_text(call, "subject", &w.message.subject, err);
    if (!rc)
        rc = travel_maybe_text(call, "lead_id", &w.message.lead_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "language", &w.message.language, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &w.message.execution, err);
    if (!rc)
        rc = travel_maybe_moment(call, "received_at", travel_now_ms(call), &w.message.sent_at_ms, err);
    w.message.created_at_ms = travel_now_ms(call);
    return rc ? rc : travel_crm_tool_once(call, "record_reply", write_reply, &w, ret_result, NULL, err);
}

static int write_activity(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    writing *w = ctx;
    ctn_str activity_id;
    travel_crm *crm = w->call->tools->crm;
    int rc = travel_crm_activity_record(crm, arena, w->message.client_id, w->message.lead_id, w->kind, w->what,
                                        w->at_ms, &activity_id, err);
    if (!rc)
        rc = travel_crm_note_execution(crm, w->message.client_id, w->execution, err);
    return rc ? rc : answer_id(arena, w->message.client_id, "activity_id", activity_id, ret_answer);
}

static int record_activity(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    writing w = {.call = call};
    int rc = travel_want_text(call, "client_id", &w.message.client_id, err);
    if (!rc)
        rc = travel_want_text(call, "kind", &w.kind, err);
    if (!rc)
        rc = travel_maybe_text(call, "what", &w.what, err);
    if (!rc)
        rc = travel_maybe_text(call, "lead_id", &w.message.lead_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &w.execution, err);
    if (!rc)
        rc = travel_maybe_moment(call, "at", travel_now_ms(call), &w.at_ms, err);
    return rc ? rc : travel_crm_tool_once(call, "record_activity", write_activity, &w, ret_result, NULL, err);
}

static int write_trip(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    writing *w = ctx;
    ctn_str trip_id;
    travel_crm *crm = w->call->tools->crm;
    int rc = travel_crm_trip_save(crm, arena, &w->trip, &trip_id, err);
    if (!rc)
        rc = travel_crm_note_execution(crm, w->trip.client_id, w->trip.execution, err);
    return rc ? rc : answer_id(arena, w->trip.client_id, "trip_id", trip_id, ret_answer);
}

static int save_trip(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    writing w = {.call = call};
    const struct {
        const char *name;
        ctn_str *text;
    } texts[] = {
        {"trip_id", &w.trip.trip_id},   {"lead_id", &w.trip.lead_id},         {"status", &w.trip.status},
        {"summary", &w.trip.summary},   {"destination", &w.trip.destination}, {"start_date", &w.trip.start_date},
        {"end_date", &w.trip.end_date}, {"booking_id", &w.trip.booking_id},   {"total", &w.trip.total},
        {"currency", &w.trip.currency}, {"execution", &w.trip.execution}};
    int rc = travel_want_text(call, "client_id", &w.trip.client_id, err);
    for (size_t i = 0; !rc && i < sizeof texts / sizeof *texts; i++)
        rc = travel_maybe_text(call, texts[i].name, texts[i].text, err);
    if (!rc)
        rc = travel_maybe_object(call, "details", &w.trip.details, err);
    if (!rc && w.trip.status.len > 0 && !travel_crm_trip_status_is_known(w.trip.status))
        rc = ctn_fail(err, CTN_E_INVALID, "status must be planned, held, booked, cancelled or done");
    w.trip.now_ms = travel_now_ms(call);
    return rc ? rc : travel_crm_tool_once(call, "save_trip", write_trip, &w, ret_result, NULL, err);
}

#define FOUND                                                                                                          \
    "\"client_id\":" STRING ",\"name\":" STRING ",\"email\":" STRING ",\"phone\":" STRING ",\"language\":" STRING      \
    ",\"timezone\":" STRING ",\"is_erased\":" BOOLEAN ",\"created_at\":" STRING
#define WRITTEN(name)                                                                                                  \
    "{\"type\":\"object\",\"required\":[\"client_id\",\"" name "\"],\"properties\":{\"client_id\":" STRING ",\"" name  \
    "\":" STRING "}}"

static const travel_tool TOOLS[] = {
    {.about = {.name = "find_client",
               .title = "Find a client",
               .description =
                   "By client_id, else by e-mail or phone, however they are written. Nobody found is an answer:"
                   " is_found is false.",
               .input_schema = "{\"type\":\"object\",\"properties\":{\"client_id\":" ID_OR_NULL
                               ",\"email\":" TEXT_OR_NULL ",\"phone\":" TEXT_OR_NULL "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"is_found\",\"client_id\",\"name\"],\"properties\":{"
                   "\"is_found\":" BOOLEAN "," FOUND "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = find_client},
    {.about =
         {.name = "client_history",
          .title = "What has passed with a client",
          .description = "Last messages in and out, how many went out in 7 and 30 days, leads, trips and channels.",
          .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\"],\"properties\":{\"client_id\":" ID
                          ",\"now\":{\"type\":[\"string\",\"integer\",\"null\"]}}}",
          .output_schema =
              "{\"type\":\"object\",\"required\":[\"client_id\",\"name\",\"language\",\"timezone\",\"days_since_"
              "contact\",\"last_incoming_at\","
              "\"last_outgoing_at\",\"sent_7d\",\"sent_30d\",\"leads\",\"trips\",\"channels\"],\"properties\":{" FOUND
              ",\"days_since_contact\":" INTEGER ",\"last_incoming_at\":" STRING ",\"last_outgoing_at\":" STRING
              ",\"sent_7d\":" INTEGER ",\"sent_30d\":" INTEGER ",\"leads\":" INTEGER ",\"trips\":" INTEGER
              ",\"lead_id\":" STRING ",\"lead_status\":" STRING ",\"channels\":" STRINGS "}}",
          .is_read_only = true,
          .is_idempotent = true,
          .is_additive = true,
          .is_closed_world = true},
     .run = client_history},
    {.about = {.name = "update_client",
               .title = "Change a client",
               .description = "Replaces name, language or time zone; an e-mail or a phone is added.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\"],\"properties\":{\"client_id\":" ID
                               ",\"name\":" TEXT_OR_NULL ",\"email\":" TEXT_OR_NULL ",\"phone\":" TEXT_OR_NULL
                               ",\"language\":" TEXT_OR_NULL ",\"timezone\":" TEXT_OR_NULL ",\"key\":" KEY "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"client_id\"],\"properties\":{\"client_id\":" STRING "}}",
               .is_idempotent = true,
               .is_closed_world = true},
     .run = update_client},
    {.about = {.name = "note_execution",
               .title = "Note who dealt with a client",
               .description =
                   "Notes that a run of a chain deals with the client, so that erasing the client finds it. For"
                   " chains that only read.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\",\"execution\"],\"properties\":{"
                               "\"client_id\":" ID ",\"execution\":" ID ",\"key\":" KEY "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"client_id\"],\"properties\":{\"client_id\":" STRING "}}",
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = note_execution},
    {.about = {.name = "record_reply",
               .title = "Record what a client wrote",
               .description = "Adds a message that came in. The same key adds it once.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\",\"channel\"],\"properties\":{"
                               "\"client_id\":" ID ",\"lead_id\":" ID_OR_NULL ",\"channel\":" STRING
                               ",\"subject\":" TEXT_OR_NULL ",\"text\":" TEXT_OR_NULL ",\"language\":" TEXT_OR_NULL
                               ",\"received_at\":{\"type\":[\"string\",\"integer\",\"null\"]},\"key\":" KEY
                               ",\"execution\":" EXECUTION "}}",
               .output_schema = WRITTEN("message_id"),
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = record_reply},
    {.about = {.name = "record_activity",
               .title = "Record an activity",
               .description = "Adds something that was done for or with a client. The same key adds it once.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"client_id\",\"kind\"],\"properties\":{"
                   "\"client_id\":" ID ",\"lead_id\":" ID_OR_NULL ",\"kind\":" STRING ",\"what\":" TEXT_OR_NULL
                   ",\"at\":{\"type\":[\"string\",\"integer\",\"null\"]},\"key\":" KEY ",\"execution\":" EXECUTION "}}",
               .output_schema = WRITTEN("activity_id"),
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = record_activity},
    {.about = {.name = "save_trip",
               .title = "Save a trip",
               .description =
                   "Adds a trip, or changes the one that trip_id names; what is not given stays. The same key"
                   " saves it once.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"client_id\"],\"properties\":{\"client_id\":" ID
                   ",\"lead_id\":" ID_OR_NULL ",\"trip_id\":" ID_OR_NULL ",\"status\":{\"enum\":[\"planned\","
                   "\"held\",\"booked\",\"cancelled\",\"done\",null]},\"summary\":" TEXT_OR_NULL
                   ",\"destination\":" TEXT_OR_NULL ",\"start_date\":" TEXT_OR_NULL ",\"end_date\":" TEXT_OR_NULL
                   ",\"booking_id\":" TEXT_OR_NULL ",\"total\":" TEXT_OR_NULL ",\"currency\":" TEXT_OR_NULL
                   ",\"details\":{\"type\":[\"object\",\"null\"]},\"key\":" KEY ",\"execution\":" EXECUTION "}}",
               .output_schema = WRITTEN("trip_id"),
               .is_idempotent = true,
               .is_closed_world = true},
     .run = save_trip},
};

const travel_toolset travel_crm_client_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
