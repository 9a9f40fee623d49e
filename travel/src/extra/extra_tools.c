/*
 * extra_tools.c -- the tools for what the small chains need: their schemas, and their arguments read.
 */
#include "extra/notice.h"
#include "extra/reminder.h"
#include "kit/arguments.h"
#include "kit/schemas.h"

#define MOMENT "{\"type\":\"string\",\"format\":\"date-time\"}"

static const int REMIND_HOUR = 10;

static int want_day(const travel_call *call, const char *key, travel_day *ret_day, ctn_err *err)
{
    bool is_there;
    int rc = travel_maybe_day(call, key, &is_there, ret_day, err);
    return !rc && !is_there ? ctn_fail(err, CTN_E_INVALID, "%s is missing: a date such as 2026-10-24", key) : rc;
}

/* ---- plan_reminder ---- */

static int plan_reminder(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_reminder_request request = {0};
    travel_reminder plan;
    int64_t hour = 0;
    int rc = want_day(call, "date", &request.day, err);
    if (!rc)
        rc = travel_maybe_moment(call, "now", travel_now_ms(call), &request.now_ms, err);
    if (!rc)
        rc = travel_maybe_int(call, "days_before", 0, TRAVEL_REMIND_DAYS_MAX, 0, &request.days_before, err);
    if (!rc)
        rc = travel_maybe_int(call, "hour", 0, 23, REMIND_HOUR, &hour, err);
    if (!rc)
        rc = travel_maybe_text(call, "timezone", &request.timezone, err);
    if (!rc && request.timezone.len == 0)
        request.timezone = travel_agency_text(call->tools->agency, "timezone");
    request.hour = (int) hour;
    if (!rc)
        rc = travel_reminder_plan(call->arena, &request, &plan, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "remind_at", travel_moment_text(call->arena, plan.at_ms));
    ctn_json_put_str(&out, "local_time", plan.local);
    ctn_json_put_str(&out, "timezone", request.timezone);
    ctn_json_put_bool(&out, "is_late", plan.is_late);
    ctn_json_put_bool(&out, "is_past", plan.is_past);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- write_notice ---- */

static int want_money(const travel_call *call, const char *key, travel_cents *ret_cents, ctn_err *err)
{
    ctn_str text;
    int rc = travel_want_text(call, key, &text, err);
    if (!rc && !travel_cents_parse(text, ret_cents))
        rc = ctn_fail(err, CTN_E_INVALID, "%s must be an amount such as \"1234.50\"", key);
    return rc;
}

static int read_prices(const travel_call *call, travel_notice_facts *facts, ctn_err *err)
{
    ctn_str currency;
    int rc = travel_want_text(call, "currency", &currency, err);
    if (!rc)
        rc = want_money(call, "price", &facts->money, err);
    if (!rc)
        rc = want_money(call, "price_before", &facts->money_before, err);
    if (!rc && facts->money >= facts->money_before)
        rc = ctn_fail(err, CTN_E_INVALID, "price must be lower than price_before: there is no news in it otherwise");
    if (!rc)
        facts->currency = ctn_arena_str(call->arena, currency).ptr;
    return rc;
}

static int write_notice(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const travel_agency *agency = call->tools->agency;
    travel_notice_facts facts = {.signature = travel_agency_text(agency, "signature")};
    travel_notice_kind kind = TRAVEL_NOTICES;
    travel_language language;
    ctn_str name;
    int rc = travel_want_text(call, "notice", &name, err);
    if (!rc && !travel_notice_kind_from(name, &kind))
        rc = ctn_fail(err, CTN_E_INVALID, "notice must be visa, visa_last or price");
    if (!rc)
        rc = travel_maybe_language(call, &language, err);
    if (!rc)
        rc = travel_maybe_text(call, "name", &facts.name, err);
    if (!rc)
        rc = travel_want_text(call, "place", &facts.place, err);
    if (!rc)
        rc = want_day(call, "date", &facts.day, err);
    if (!rc && travel_notice_needs_money(kind))
        rc = read_prices(call, &facts, err);
    if (rc)
        return rc;
    travel_notice notice = travel_notice_write(call->arena, kind, &facts, language);
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "subject", notice.subject);
    ctn_json_put_str(&out, "message", notice.message);
    ctn_json_put_str(&out, "language", ctn_str_from(travel_language_code(language)));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static const travel_tool TOOLS[] = {
    {.about = {.name = "plan_reminder",
               .title = "When to remind",
               .description = "The moment so many days before a date at which the client's clock shows the hour (10). "
                              "If it has passed, the next time that the clock shows it; is_past when the date itself "
                              "has begun by then.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"date\",\"days_before\"],\"properties\":{"
                               "\"date\":" STRING ",\"days_before\":" INTEGER ",\"hour\":" INTEGER
                               ",\"timezone\":" TEXT_OR_NULL ",\"now\":" WHEN "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"remind_at\",\"local_time\",\"timezone\","
                   "\"is_late\",\"is_past\"],\"properties\":{\"remind_at\":" STRING ",\"local_time\":" STRING
                   ",\"timezone\":" STRING ",\"is_late\":" BOOLEAN ",\"is_past\":" BOOLEAN "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = plan_reminder},
    {.about = {.name = "write_notice",
               .title = "Write a short letter",
               .description = "Subject and message of a short letter (visa, visa_last, price) in the client's "
                              "language: English, Spanish, French or German.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"notice\",\"place\",\"date\"],\"properties\":{"
                               "\"notice\":{\"enum\":[\"visa\",\"visa_last\",\"price\"]},\"language\":" TEXT_OR_NULL
                               ",\"name\":" TEXT_OR_NULL ",\"place\":" STRING ",\"date\":" STRING ",\"price\":" STRING
                               ",\"price_before\":" STRING ",\"currency\":" STRING "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"subject\",\"message\",\"language\"],"
                   "\"properties\":{\"subject\":" STRING ",\"message\":" STRING ",\"language\":" STRING "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = write_notice},
};

const travel_toolset travel_extra_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
