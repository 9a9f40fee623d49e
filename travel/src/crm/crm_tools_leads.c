/*
 * crm_tools_leads.c -- the tools for leads and for the clients that they make: their schemas, and their arguments read.
 */
#include "crm/crm_tools.h"

enum { LEAD_BYTES_MAX = 256 * 1024, REPEAT_DAYS_MAX = 3650, REPEAT_DAYS = 14 };

/* ---- save ---- */

static int repeat_days(const travel_call *call, int64_t *ret_days, ctn_err *err)
{
    const ctn_json *section = travel_agency_section(call->tools->agency, "crm");
    const ctn_json *days = ctn_json_member_of(section, "repeat_days");
    *ret_days = REPEAT_DAYS;
    if (days && (!ctn_json_to_int64(days, ret_days) || *ret_days < 0 || *ret_days > REPEAT_DAYS_MAX))
        return travel_agency_fault(call->tools->agency, days, err,
                                   "repeat_days must be a whole number of days, 0 to %d", REPEAT_DAYS_MAX);
    return CTN_OK;
}

/* What is said about the client in the argument `client`; null counts as not known. */
static int read_lead(const travel_call *call, travel_lead_record *lead, ctn_err *err)
{
    int64_t days;
    int rc = travel_maybe_text(call, "status", &lead->status, err);
    if (!rc && lead->status.len > 0 && !travel_crm_lead_status_is_known(lead->status))
        rc = ctn_fail(err, CTN_E_INVALID, "status must be new, asked, proposed, accepted, booked, lost or spam");
    bool is_spam = ctn_str_is(lead->status, "spam");
    if (!rc)
        rc = (is_spam ? travel_maybe_object : travel_want_object)(call, "client", &lead->client, err);
    if (!rc)
        rc = travel_maybe_object(call, "requirements", &lead->requirements, err);
    if (!rc)
        rc = travel_maybe_object(call, "budget", &lead->budget, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &lead->execution, err);
    if (!rc)
        rc = travel_maybe_long_text(call, "text", LEAD_BYTES_MAX, &lead->text, err);
    if (!rc)
        rc = travel_maybe_text(call, "language", &lead->language, err);
    if (!rc)
        rc = travel_maybe_text(call, "source", &lead->source, err);
    if (!rc)
        rc = travel_maybe_text(call, "channel", &lead->channel, err);
    if (!rc)
        rc = travel_maybe_moment(call, "received_at", travel_now_ms(call), &lead->received_at_ms, err);
    if (!rc)
        rc = repeat_days(call, &days, err);
    if (rc)
        return rc;
    lead->now_ms = travel_now_ms(call);
    lead->repeat_ms = days * TRAVEL_DAY_MS;
    lead->name = ctn_json_str_or(lead->client, "name", CTN_STR(""));
    lead->email = ctn_json_str_or(lead->client, "email", CTN_STR(""));
    lead->phone = ctn_json_str_or(lead->client, "phone", CTN_STR(""));
    lead->timezone = ctn_json_str_or(lead->client, "timezone", CTN_STR(""));
    return CTN_OK;
}

typedef struct saving {
    const travel_call *call;
    travel_lead_record lead;
} saving;

static int save(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    saving *s = ctx;
    travel_lead_saved saved;
    int rc = travel_crm_lead_save(s->call->tools->crm, arena, &s->lead, &saved, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "client_id", saved.client_id);
    ctn_json_put_str(&out, "lead_id", saved.lead_id);
    ctn_json_put_str(&out, "session_id", saved.lead_id);
    ctn_json_put_bool(&out, "is_known_client", saved.is_known_client);
    ctn_json_put_bool(&out, "is_new", !saved.is_repeat);
    ctn_json_put_bool(&out, "is_repeat", saved.is_repeat);
    ctn_json_put_str(&out, "earlier_lead_id", saved.earlier_lead_id);
    ctn_json_put_str(&out, "earlier_execution", saved.earlier_execution);
    *ret_answer = ctn_json_finish(&out);
    return CTN_OK;
}

static int save_lead(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    saving s = {.call = call};
    int rc = read_lead(call, &s.lead, err);
    return rc ? rc : travel_crm_tool_once(call, "save_lead", save, &s, ret_result, NULL, err);
}

static int create_client_record(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    saving s = {.call = call};
    const ctn_json *saved;
    bool is_repeated = false;
    int rc = read_lead(call, &s.lead, err);
    if (!rc)
        rc = travel_crm_tool_once(call, "create_client_record", save, &s, &saved, &is_repeated, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "client_id", ctn_json_str_or(saved, "client_id", CTN_STR("")));
    ctn_json_put_str(&out, "session_id", ctn_json_str_or(saved, "session_id", CTN_STR("")));
    ctn_json_put_bool(&out, "created", !is_repeated);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- undo ---- */

static int discard_lead(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_discard discard = {.tool = "save_lead", .now_ms = travel_now_ms(call)};
    travel_crm *crm;
    int64_t leads = 0, clients = 0;
    int rc = travel_maybe_text(call, "lead_id", &discard.lead_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "key", &discard.key, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &discard.execution, err);
    if (!rc && discard.lead_id.len + discard.key.len + discard.execution.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "say what to discard: lead_id, key or execution");
    if (!rc)
        rc = travel_crm_of(call, false, &crm, err);
    if (!rc)
        rc = travel_crm_lead_discard(crm, call->arena, &discard, &leads, &clients, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_int(&out, "discarded_leads", leads);
    ctn_json_put_int(&out, "discarded_clients", clients);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* The undo of a run takes back what the run made; a person who names a client alone means the client. */
static int delete_client_record(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_discard discard = {.tool = "create_client_record", .now_ms = travel_now_ms(call)};
    ctn_str client_id;
    travel_crm *crm;
    int64_t deleted = 0, clients = 0;
    int rc = travel_maybe_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "key", &discard.key, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &discard.execution, err);
    bool is_undo = discard.execution.len + discard.key.len > 0;
    if (!rc && client_id.len == 0 && !is_undo)
        rc = ctn_fail(err, CTN_E_INVALID, "say what to delete: client_id, execution or key");
    if (!rc)
        rc = travel_crm_of(call, false, &crm, err);
    if (!rc)
        rc = is_undo ? travel_crm_lead_discard(crm, call->arena, &discard, &deleted, &clients, err)
                     : travel_crm_client_delete(crm, call->arena, client_id, &deleted, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_int(&out, "deleted", deleted);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- change and look ---- */

typedef struct changing {
    const travel_call *call;
    ctn_str lead_id, execution, status, asked_in, reason;
    const ctn_json *requirements, *budget;
} changing;

static int change_lead(const changing *c, ctn_arena *arena, ctn_str lead_id, const ctn_json **ret_lead, ctn_err *err)
{
    travel_crm *crm = c->call->tools->crm;
    int64_t now_ms = travel_now_ms(c->call);
    ctn_str activity_id;
    int rc =
        travel_crm_lead_update(crm, arena, lead_id, c->status, c->asked_in, c->requirements, c->budget, now_ms, err);
    if (!rc)
        rc = travel_crm_lead(crm, arena, lead_id, ret_lead, err);
    if (!rc && c->reason.len > 0 && ctn_json_str_or(*ret_lead, "client_id", CTN_STR("")).len > 0)
        rc = travel_crm_activity_record(crm, arena, ctn_json_str_or(*ret_lead, "client_id", CTN_STR("")), lead_id,
                                        CTN_STR("lead"), c->reason, now_ms, &activity_id, err);
    return rc;
}

/* An execution that made no lead has none to change: that is no error, so that whoever tidies up after it need not ask.
 */
static int change(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    changing *c = ctx;
    const ctn_json *lead = NULL;
    ctn_str lead_id = c->lead_id;
    int rc = CTN_OK;
    if (lead_id.len == 0)
        rc = travel_crm_lead_of_execution(c->call->tools->crm, arena, c->execution, &lead_id, err);
    if (!rc)
        rc = change_lead(c, arena, lead_id, &lead, err);
    else if (rc == CTN_E_NOT_FOUND)
        rc = CTN_OK;
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "lead_id", lead_id);
    ctn_json_put_str(&out, "client_id", ctn_json_str_or(lead, "client_id", CTN_STR("")));
    ctn_json_put_str(&out, "status", ctn_json_str_or(lead, "status", CTN_STR("")));
    *ret_answer = ctn_json_finish(&out);
    return CTN_OK;
}

static int update_lead(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    changing c = {.call = call};
    int rc = travel_maybe_text(call, "lead_id", &c.lead_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &c.execution, err);
    if (!rc && c.lead_id.len == 0 && c.execution.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "say which lead: lead_id, or the execution that made it");
    if (!rc)
        rc = travel_maybe_text(call, "status", &c.status, err);
    if (!rc && c.status.len > 0 && !travel_crm_lead_status_is_known(c.status))
        rc = ctn_fail(err, CTN_E_INVALID, "status must be new, asked, proposed, accepted, booked, lost or spam");
    if (!rc)
        rc = travel_maybe_text(call, "reason", &c.reason, err);
    if (!rc)
        rc = travel_maybe_text(call, "asked_in", &c.asked_in, err);
    if (!rc)
        rc = travel_maybe_object(call, "requirements", &c.requirements, err);
    if (!rc)
        rc = travel_maybe_object(call, "budget", &c.budget, err);
    return rc ? rc : travel_crm_tool_once(call, "update_lead", change, &c, ret_result, NULL, err);
}

static int get_lead(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str lead_id;
    travel_crm *crm;
    int rc = travel_want_text(call, "lead_id", &lead_id, err);
    if (!rc)
        rc = travel_crm_of(call, true, &crm, err);
    return rc ? rc : travel_crm_lead(crm, call->arena, lead_id, ret_result, err);
}

#define CLIENT_OR_NULL                                                                                                 \
    "{\"type\":[\"object\",\"null\"],\"properties\":{\"name\":" TEXT_OR_NULL ",\"email\":" TEXT_OR_NULL                \
    ",\"phone\":" TEXT_OR_NULL ",\"timezone\":" TEXT_OR_NULL "}}"
#define LEAD_PROPERTIES                                                                                                \
    "\"client\":" CLIENT_OR_NULL ",\"requirements\":{\"type\":[\"object\",\"null\"]},\"key\":" KEY                     \
    ",\"execution\":" EXECUTION

static const travel_tool TOOLS[] = {
    {.about = {.name = "save_lead",
               .title = "Save a lead",
               .description =
                   "Finds the lead's client by e-mail or phone (or makes one) and adds the lead. The same text"
                   " of the same client within crm.repeat_days is a repeat and names the earlier lead and its"
                   " execution. Spam has no client and keeps no text: it is a line to be counted. The same"
                   " key gives the same answer.",
               .input_schema = "{\"type\":\"object\",\"properties\":{" LEAD_PROPERTIES ",\"source\":" TEXT_OR_NULL
                               ",\"channel\":" TEXT_OR_NULL ",\"text\":" TEXT_OR_NULL
                               ",\"received_at\":{\"type\":[\"string\",\"integer\",\"null\"]},"
                               "\"language\":" TEXT_OR_NULL ",\"budget\":{\"type\":[\"object\",\"null\"]},"
                               "\"status\":{\"enum\":[\"new\",\"asked\",\"proposed\",\"accepted\",\"booked\",\"lost\","
                               "\"spam\",null]}}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"client_id\",\"lead_id\",\"session_id\","
                   "\"is_known_client\",\"is_new\",\"is_repeat\",\"earlier_lead_id\",\"earlier_execution\"],"
                   "\"properties\":{\"client_id\":" STRING ",\"lead_id\":" STRING ",\"session_id\":" STRING
                   ",\"is_known_client\":" BOOLEAN ",\"is_new\":" BOOLEAN ",\"is_repeat\":" BOOLEAN
                   ",\"earlier_lead_id\":" STRING ",\"earlier_execution\":" STRING "}}",
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = save_lead},
    {.about = {.name = "discard_lead",
               .title = "Discard a lead",
               .description =
                   "The undo of save_lead: removes the lead (or that of a key, or those of an execution), and a client"
                   " that only it made and to which nothing else refers. Nothing there is no error.",
               .input_schema = "{\"type\":\"object\",\"properties\":{\"key\":" ID_OR_NULL ",\"lead_id\":" ID_OR_NULL
                               ",\"execution\":" EXECUTION "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"discarded_leads\",\"discarded_clients\"],"
                                "\"properties\":{\"discarded_leads\":" INTEGER ",\"discarded_clients\":" INTEGER "}}",
               .is_idempotent = true,
               .is_closed_world = true},
     .run = discard_lead},
    {.about = {.name = "update_lead",
               .title = "Change a lead",
               .description = "Sets the status, requirements or budget of a lead, named by lead_id or by the execution"
                              " that made it; what is not given stays. A reason is kept with the client.",
               .input_schema = "{\"type\":\"object\",\"properties\":{\"lead_id\":" ID_OR_NULL
                               ",\"execution\":" EXECUTION ",\"reason\":" TEXT_OR_NULL ",\"asked_in\":" EXECUTION
                               ",\"status\":{\"enum\":[\"new\",\"asked\",\"proposed\",\"accepted\",\"booked\",\"lost\","
                               "\"spam\",null]},\"requirements\":{\"type\":[\"object\",\"null\"]},"
                               "\"budget\":{\"type\":[\"object\",\"null\"]},\"key\":" KEY "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"lead_id\",\"client_id\",\"status\"],"
                   "\"properties\":{\"lead_id\":" STRING ",\"client_id\":" STRING ",\"status\":" STRING "}}",
               .is_idempotent = true,
               .is_closed_world = true},
     .run = update_lead},
    {.about = {.name = "get_lead",
               .title = "A lead as it was saved",
               .description = "Everything that is kept about a lead, its text included.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"lead_id\"],\"properties\":{\"lead_id\":" ID "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"lead_id\",\"client_id\",\"status\",\"text\","
                                "\"requirements\"],\"properties\":{\"lead_id\":" STRING ",\"client_id\":" STRING
                                ",\"status\":" STRING ",\"text\":" STRING ",\"requirements\":" OBJECT "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = get_lead},
    {.about = {.name = "create_client_record",
               .title = "Create a client record",
               .description = "Adds an enquiry (session) to the CRM file, and its client if no client has its e-mail or"
                              " phone. The same key gives the same record: a repeated call creates nothing.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client\"],\"properties\":{" LEAD_PROPERTIES
                               ",\"started_at\":" WHEN "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"client_id\",\"session_id\",\"created\"],\"properties\":{"
                   "\"client_id\":" STRING ",\"session_id\":" STRING ",\"created\":" BOOLEAN "}}",
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = create_client_record},
    {.about = {.name = "delete_client_record",
               .title = "Delete a client record",
               .description = "With execution: takes back the enquiries that it made, and the clients that only they"
                              " made. With client_id alone: removes the client with everything. What is gone already is"
                              " no error.",
               .input_schema = "{\"type\":\"object\",\"properties\":{\"client_id\":" ID_OR_NULL ",\"key\":" ID_OR_NULL
                               ",\"execution\":" EXECUTION "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"deleted\"],\"properties\":{\"deleted\":" INTEGER "}}",
               .is_idempotent = true,
               .is_closed_world = true},
     .run = delete_client_record},
};

const travel_toolset travel_crm_lead_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
