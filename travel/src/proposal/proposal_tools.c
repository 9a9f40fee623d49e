/*
 * proposal_tools.c -- the tools for what a proposal is made of: their schemas, and their arguments read.
 */
#include "kit/arguments.h"
#include "kit/schemas.h"
#include "proposal/pricing.h"

static int price_tiers(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_price_request request;
    int rc = travel_want_object(call, "requirements", &request.requirements, err);
    if (!rc)
        rc = travel_want_object(call, "flights", &request.flights, err);
    if (!rc)
        rc = travel_want_object(call, "hotels", &request.hotels, err);
    if (!rc)
        rc = travel_maybe_object(call, "budget", &request.budget, err);
    if (!rc)
        rc = travel_today(call, &request.today, err);
    return rc ? rc : travel_price_tiers(call->arena, &request, ret_result, err);
}

static const travel_tool TOOLS[] = {
    {.about =
         {.name = "price_tiers",
          .title = "Price three tiers",
          .description =
              "Puts flights and hotels together to Essential, Comfort and Premium and compares each with the budget.",
          .input_schema =
              "{\"type\":\"object\",\"required\":[\"requirements\",\"flights\",\"hotels\"],\"properties\":{"
              "\"requirements\":" TRIP ",\"flights\":{\"type\":\"object\"},\"hotels\":{\"type\":\"object\"},"
              "\"budget\":" BUDGET ",\"started_at\":" WHEN "}}",
          .output_schema =
              "{\"type\":\"object\",\"required\":[\"pricing_tiers\"],\"properties\":{\"pricing_tiers\":{"
              "\"type\":\"object\",\"required\":[\"source\",\"currency\",\"has_tiers\",\"tiers\"],\"properties\":{"
              "\"source\":{\"const\":\"sandbox\"},\"currency\":" STRING ",\"has_tiers\":" BOOLEAN ",\"tiers\":{"
              "\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"object\",\"required\":[\"name\",\"total\","
              "\"per_person\"],\"properties\":{\"name\":" STRING ",\"total\":" MONEY ",\"per_person\":" MONEY "}}}}}}}",
          .is_read_only = true,
          .is_idempotent = true,
          .is_additive = true,
          .is_closed_world = true},
     .run = price_tiers},
};

const travel_toolset travel_proposal_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
