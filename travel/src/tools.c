/*
 * tools.c -- the tools' handlers: arguments in, a result or a sentence out. They decide nothing by themselves; the
 * work is in lead.c, trip.c, inventory.c, pricing.c, followup.c and crm.c.
 */
#include "tools.h"

#include "followup.h"
#include "inventory.h"
#include "lead.h"
#include "pricing.h"

#include <assert.h>

enum { MS_PER_DAY = 86400000, FIELD_BYTES_MAX = 65536 };

typedef struct tool_call {
    travel_tools *tools;
    ctn_arena *arena;
    const ctn_json *arguments;
    ctn_str idempotency_key;
} tool_call;

typedef int tool_fn(const tool_call *call, const ctn_json **ret_result, ctn_err *err);

/* ---- reading arguments ---- */

static int want_object(const tool_call *call, const char *key, const ctn_json **ret_value, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    if (!ctn_json_is(v, CTN_JSON_OBJECT))
        return ctn_fail(err, CTN_E_INVALID, "%s must be an object, not %s", key, v ? ctn_json_kind_name(v) : "missing");
    *ret_value = v;
    return CTN_OK;
}

static int maybe_object(const tool_call *call, const char *key, const ctn_json **ret_value, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    *ret_value = NULL;
    return !v || ctn_json_is(v, CTN_JSON_NULL) ? CTN_OK : want_object(call, key, ret_value, err);
}

/* Text, or a whole number as text; absent and null are empty. */
static int maybe_text(const tool_call *call, const char *key, ctn_str *ret_text, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    *ret_text = (ctn_str){NULL, 0};
    if (!v || ctn_json_is(v, CTN_JSON_NULL))
        return CTN_OK;
    if (!ctn_json_is(v, CTN_JSON_STRING) && !ctn_json_is(v, CTN_JSON_NUMBER))
        return ctn_fail(err, CTN_E_INVALID, "%s must be text, not %s", key, ctn_json_kind_name(v));
    if (ctn_json_text(v).len > FIELD_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "%s has %zu bytes, at most %d", key, ctn_json_text(v).len, FIELD_BYTES_MAX);
    *ret_text = ctn_json_text(v);
    return CTN_OK;
}

static int want_text(const tool_call *call, const char *key, ctn_str *ret_text, ctn_err *err)
{
    int rc = maybe_text(call, key, ret_text, err);
    if (rc)
        return rc;
    return ret_text->len > 0 ? CTN_OK : ctn_fail(err, CTN_E_INVALID, "%s is missing: it must be text", key);
}

/* A moment as RFC 3339 or milliseconds; false when the argument is not there. */
static int maybe_day(const tool_call *call, const char *key, bool *ret_is_there, travel_day *ret_day, ctn_err *err)
{
    const ctn_json *v = ctn_json_member_of(call->arguments, key);
    int64_t at_ms;
    *ret_is_there = false;
    if (!v || ctn_json_is(v, CTN_JSON_NULL) || (ctn_json_is(v, CTN_JSON_STRING) && ctn_json_text(v).len == 0))
        return CTN_OK;
    *ret_is_there = true;
    if (ctn_json_is(v, CTN_JSON_STRING) && travel_day_parse(ctn_json_text(v), ret_day))
        return CTN_OK;
    if ((ctn_json_to_int64(v, &at_ms) || ctn_str_to_int64(ctn_json_text(v), &at_ms)) && at_ms >= 0 &&
        at_ms < INT64_C(4000000000000)) {
        *ret_day = (travel_day) (at_ms / MS_PER_DAY);
        return CTN_OK;
    }
    return ctn_fail(err, CTN_E_INVALID, "%s must be a time such as 2026-10-24T09:00:00Z", key);
}

static int64_t now_ms(const tool_call *call)
{
    return ctn_clock_now_ms(&call->tools->clock);
}

static int today(const tool_call *call, travel_day *ret_day, ctn_err *err)
{
    bool is_there;
    int rc = maybe_day(call, "started_at", &is_there, ret_day, err);
    if (rc == CTN_OK && !is_there)
        *ret_day = (travel_day) (now_ms(call) / MS_PER_DAY);
    return rc;
}

static ctn_str now_text(const tool_call *call)
{
    char text[25];
    ctn_time_format(now_ms(call), text);
    return ctn_arena_str(call->arena, ctn_str_from(text));
}

/* ---- the lead's way to a proposal ---- */

static int extract_lead(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *lead = ctn_json_member_of(call->arguments, "raw_lead");
    bool is_there;
    travel_day received;
    if (!ctn_json_is(lead, CTN_JSON_STRING))
        return ctn_fail(err, CTN_E_INVALID, "raw_lead must be text, not %s",
                        lead ? ctn_json_kind_name(lead) : "missing");
    int rc = maybe_day(call, "received_at", &is_there, &received, err);
    if (rc == CTN_OK && !is_there)
        rc = today(call, &received, err);
    return rc ? rc : travel_lead_extract(call->arena, ctn_json_text(lead), received, ret_result, err);
}

static int validate_requirements(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *requirements = NULL, *client = NULL, *budget = NULL;
    travel_day day;
    int rc = want_object(call, "requirements", &requirements, err);
    if (!rc)
        rc = maybe_object(call, "client", &client, err);
    if (!rc)
        rc = maybe_object(call, "budget", &budget, err);
    if (!rc)
        rc = today(call, &day, err);
    return rc ? rc : travel_requirements_validate(call->arena, requirements, client, budget, day, ret_result, err);
}

static int search(const tool_call *call, const ctn_json *(*find)(ctn_arena *, const travel_trip *),
                  const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *requirements = NULL, *budget = NULL;
    travel_day day;
    travel_trip trip;
    int rc = want_object(call, "requirements", &requirements, err);
    if (!rc)
        rc = maybe_object(call, "budget", &budget, err);
    if (!rc)
        rc = today(call, &day, err);
    if (!rc)
        rc = travel_trip_plan(call->arena, requirements, budget, day, &trip, NULL, err);
    if (!rc)
        *ret_result = find(call->arena, &trip);
    return rc;
}

static int search_flights(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return search(call, travel_flights_search, ret_result, err);
}

static int search_hotels(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return search(call, travel_hotels_search, ret_result, err);
}

static int price_tiers(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_price_request request;
    int rc = want_object(call, "requirements", &request.requirements, err);
    if (!rc)
        rc = want_object(call, "flights", &request.flights, err);
    if (!rc)
        rc = want_object(call, "hotels", &request.hotels, err);
    if (!rc)
        rc = maybe_object(call, "budget", &request.budget, err);
    if (!rc)
        rc = today(call, &request.today, err);
    return rc ? rc : travel_price_tiers(call->arena, &request, ret_result, err);
}

/* ---- the CRM ---- */

static int open_crm(const tool_call *call, bool is_reading, ctn_err *err)
{
    if (call->tools->crm)
        return CTN_OK;
    return travel_crm_open(call->tools->crm_path, is_reading, &call->tools->crm, err);
}

static int create_client_record(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *client = NULL, *requirements = NULL;
    travel_client record = {.created_at = now_text(call)};
    ctn_str client_id, session_id;
    bool is_new;
    int rc = want_object(call, "client", &client, err);
    if (!rc)
        rc = maybe_object(call, "requirements", &requirements, err);
    if (!rc)
        rc = maybe_text(call, "key", &record.key, err);
    if (!rc)
        rc = maybe_text(call, "execution", &record.execution_id, err);
    if (!rc)
        rc = open_crm(call, false, err);
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

static int delete_client_record(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id, execution_id;
    int deleted = 0;
    int rc = maybe_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = maybe_text(call, "execution", &execution_id, err);
    if (!rc && client_id.len == 0 && execution_id.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "say what to delete: client_id, or execution");
    if (!rc)
        rc = open_crm(call, false, err);
    if (!rc)
        rc = travel_crm_delete(call->tools->crm, client_id, execution_id, &deleted, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_int(&out, "deleted", deleted);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- following up ---- */

static int analyze_client(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str client_id, name, text;
    int sessions = -1;
    int64_t days;
    int rc = maybe_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = want_text(call, "days_since_contact", &text, err);
    if (rc)
        return rc;
    if (!ctn_str_to_int64(ctn_str_trim(text), &days) || days < 0)
        return ctn_fail(err, CTN_E_INVALID, "days_since_contact must be a whole number of days, 0 or more");
    /* A CRM that is not there knows nobody; that is an answer, not a failure. */
    if (client_id.len > 0 && call->tools->crm_path && open_crm(call, true, NULL) == CTN_OK &&
        travel_crm_find(call->tools->crm, call->arena, client_id, &name, &sessions, NULL) != CTN_OK)
        sessions = -1;
    *ret_result = travel_client_analyze(call->arena, days, sessions);
    return CTN_OK;
}

static int recommend_followup(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str status, engagement;
    int rc = want_text(call, "status_category", &status, err);
    if (!rc)
        rc = want_text(call, "engagement_level", &engagement, err);
    if (!rc)
        *ret_result = travel_followup_recommend(call->arena, status, engagement);
    return rc;
}

static int generate_message(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_message_request request;
    int rc = want_text(call, "followup_type", &request.followup_type, err);
    if (!rc)
        rc = maybe_text(call, "client_name", &request.client_name, err);
    if (!rc)
        rc = maybe_text(call, "trip_status", &request.trip_status, err);
    if (!rc)
        rc = maybe_text(call, "urgency_level", &request.urgency_level, err);
    if (!rc)
        rc = today(call, &request.today, err);
    if (!rc)
        *ret_result = travel_message_generate(call->arena, &request);
    return rc;
}

static bool is_channel(ctn_str channel)
{
    return ctn_str_is(channel, "email") || ctn_str_is(channel, "sms") || ctn_str_is(channel, "whatsapp") ||
           ctn_str_is(channel, "phone");
}

static int schedule_delivery(const tool_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_message message = {.created_at = now_text(call)};
    travel_day day;
    ctn_str scheduled_id;
    int rc = want_text(call, "channel", &message.channel, err);
    if (!rc)
        rc = want_text(call, "send_time", &message.send_time, err);
    if (!rc)
        rc = want_text(call, "message", &message.text, err);
    if (!rc)
        rc = maybe_text(call, "subject", &message.subject, err);
    if (!rc)
        rc = maybe_text(call, "client_id", &message.client_id, err);
    if (!rc && !is_channel(message.channel))
        rc = ctn_fail(err, CTN_E_INVALID, "channel must be email, sms, whatsapp or phone, not \"%.*s\"",
                      (int) (message.channel.len > 40 ? 40 : message.channel.len), message.channel.ptr);
    if (!rc && !travel_day_parse(message.send_time, &day))
        rc = ctn_fail(err, CTN_E_INVALID, "send_time must be a time such as 2026-10-24T09:30:00Z");
    if (!rc)
        rc = open_crm(call, false, err);
    if (!rc)
        rc = travel_crm_schedule(call->tools->crm, call->arena, &message, &scheduled_id, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "scheduled_id", scheduled_id);
    ctn_json_put_str(&out, "delivery_confirmation",
                     ctn_arena_printf(call->arena, "%.*s is in the outbox for %.*s, to be sent at %.*s.",
                                      CTN_STR_ARG(scheduled_id), CTN_STR_ARG(message.channel),
                                      CTN_STR_ARG(message.send_time)));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- the table ---- */

typedef struct handler {
    const char *name;
    tool_fn *run;
} handler;

static const handler HANDLERS[] = {
    {"extract_lead", extract_lead},
    {"validate_requirements", validate_requirements},
    {"create_client_record", create_client_record},
    {"delete_client_record", delete_client_record},
    {"search_flights", search_flights},
    {"search_hotels", search_hotels},
    {"price_tiers", price_tiers},
    {"analyze_client", analyze_client},
    {"recommend_followup", recommend_followup},
    {"generate_message", generate_message},
    {"schedule_delivery", schedule_delivery},
};

int travel_tools_run(travel_tools *tools, ctn_str name, ctn_arena *arena, const ctn_json *arguments,
                     ctn_str idempotency_key, const ctn_json **ret_result, ctn_err *err)
{
    enum { COUNT = sizeof HANDLERS / sizeof *HANDLERS };
    ctn_str names[COUNT];
    tool_call call = {.tools = tools, .arena = arena, .arguments = arguments, .idempotency_key = idempotency_key};
    for (size_t i = 0; i < COUNT; i++) {
        if (ctn_str_is(name, HANDLERS[i].name)) {
            int rc = HANDLERS[i].run(&call, ret_result, err);
            return rc ? ctn_wrap(err, rc, "%s", HANDLERS[i].name) : CTN_OK;
        }
        names[i] = ctn_str_from(HANDLERS[i].name);
    }
    ctn_str nearest = ctn_str_nearest(name, names, COUNT);
    return ctn_fail(err, CTN_E_NOT_FOUND, "there is no tool \"%.*s\"%s%.*s%s", (int) (name.len > 80 ? 80 : name.len),
                    name.len ? name.ptr : "", nearest.len ? "; did you mean " : "", CTN_STR_ARG(nearest),
                    nearest.len ? "?" : "");
}

void travel_tools_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    ctn_err err = {0};
    assert(call->tool < travel_tool_count);
    int rc = travel_tools_run(ctx, ctn_str_from(travel_tool_table[call->tool].name), call->arena, call->arguments,
                              call->idempotency_key, &ret_reply->value, &err);
    if (rc)
        ret_reply->error = ctn_arena_str(call->arena, ctn_str_from(err.message));
}

void travel_tools_done(travel_tools *tools)
{
    travel_crm_close(tools->crm);
    tools->crm = NULL;
}
