/*
 * proposal_tools.c -- the tools for what a proposal is made of: their schemas, and their arguments read.
 */
#include "kit/arguments.h"
#include "kit/schemas.h"
#include "proposal/phrases.h"
#include "proposal/tiers.h"

static int read_language(const travel_call *call, travel_language *ret_language, ctn_err *err)
{
    ctn_str code;
    int rc = travel_maybe_text(call, "language", &code, err);
    *ret_language = TRAVEL_EN;
    if (!rc && !travel_language_from(code, ret_language))
        (void) travel_language_from(travel_agency_text(call->tools->agency, "language"), ret_language);
    return rc;
}

static int read_request(const travel_call *call, travel_price_request *request, travel_pricing_rules *rules,
                        ctn_err *err)
{
    int rc = travel_want_object(call, "requirements", &request->requirements, err);
    if (!rc)
        rc = travel_want_object(call, "flights", &request->flights, err);
    if (!rc)
        rc = travel_want_object(call, "hotels", &request->hotels, err);
    if (!rc)
        rc = travel_maybe_object(call, "budget", &request->budget, err);
    if (!rc)
        rc = travel_today(call, &request->today, err);
    if (!rc)
        rc = read_language(call, &request->language, err);
    if (!rc)
        rc = travel_phrases_check(call->tools->agency, err);
    return rc ? rc : travel_pricing_rules_read(call->tools->agency, rules, err);
}

static int price_tiers(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_price_request request = {0};
    travel_pricing_rules rules;
    travel_pricing pricing;
    int rc = read_request(call, &request, &rules, err);
    if (!rc)
        rc = travel_price(call->arena, &request, &rules, &pricing, err);
    if (rc)
        return rc;
    travel_language desk = TRAVEL_EN;
    (void) travel_language_from(travel_agency_text(call->tools->agency, "language"), &desk);
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put(&out, CTN_STR("pricing_tiers"),
                 travel_tiers_shown(call->arena, call->tools->agency, &request, &pricing));
    ctn_json_put_str(&out, "price_sheet", travel_price_sheet(call->arena, call->tools->agency, &pricing, desk));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

#define LANGUAGE "{\"type\":\"string\",\"description\":\"en, es, fr or de; else the agency's\"}"

static const travel_tool TOOLS[] = {
    {.about = {.name = "price_tiers",
               .title = "Price three tiers",
               .description =
                   "Puts flights and hotels together to three tiers (good, better, best), prices them by the "
                   "agency's rules and compares each with the budget; texts in the client's language.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"requirements\",\"flights\",\"hotels\"],\"properties\":{"
                   "\"requirements\":" TRIP ",\"flights\":{\"type\":\"object\"},\"hotels\":{\"type\":\"object\"},"
                   "\"budget\":" BUDGET ",\"language\":" LANGUAGE ",\"started_at\":" WHEN "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"pricing_tiers\",\"price_sheet\"],\"properties\":{"
                   "\"price_sheet\":" STRING ",\"pricing_tiers\":{"
                   "\"type\":\"object\",\"required\":[\"source\",\"currency\",\"expires_at\",\"has_tiers\",\"tiers\"],"
                   "\"properties\":{\"source\":" STRING ",\"currency\":" STRING ",\"expires_at\":" STRING
                   ",\"has_tiers\":" BOOLEAN ",\"tiers\":{"
                   "\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"object\",\"required\":[\"tier\",\"name\","
                   "\"total\",\"per_person\"],\"properties\":{\"tier\":" STRING ",\"name\":" STRING ",\"total\":" MONEY
                   ",\"per_person\":" MONEY "}}}}}}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = price_tiers},
};

const travel_toolset travel_proposal_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
