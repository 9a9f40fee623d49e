/*
 * search_tools.c -- the tools for looking for flights and hotels: their schemas, and their arguments read.
 */
#include "kit/arguments.h"
#include "kit/schemas.h"
#include "search/provider.h"

static int search(const travel_call *call, bool is_hotels, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *requirements = NULL, *budget = NULL;
    const travel_provider *provider = NULL;
    travel_day day;
    travel_trip trip;
    int rc = travel_want_object(call, "requirements", &requirements, err);
    if (!rc)
        rc = travel_maybe_object(call, "budget", &budget, err);
    if (!rc)
        rc = travel_today(call, &day, err);
    if (!rc)
        rc = travel_trip_plan(call->arena, requirements, budget, day, &trip, NULL, err);
    if (!rc)
        rc = travel_call_provider(call, &provider, err);
    if (rc)
        return rc;
    return is_hotels ? provider->ops->search_hotels(provider->self, call->arena, &trip, day, ret_result, err)
                     : provider->ops->search_flights(provider->self, call->arena, &trip, day, ret_result, err);
}

static int search_flights(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return search(call, false, ret_result, err);
}

static int search_hotels(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    return search(call, true, ret_result, err);
}

static const travel_tool TOOLS[] = {
    {.about =
         {.name = "search_flights",
          .title = "Search flights",
          .description =
              "Offers for the whole journey from the agency's provider. The sandbox has real airports and distances, "
              "invented flights and prices, the same for the same question.",
          .input_schema = SEARCH_INPUT,
          .output_schema = FLIGHTS,
          .is_read_only = true,
          .is_idempotent = true,
          .is_additive = true}, /* a provider may be outside */
     .run = search_flights},
    {.about =
         {.name = "search_hotels",
          .title = "Search hotels",
          .description =
              "Hotels for every stop from the agency's provider. The sandbox has invented houses of three classes, the "
              "same for the same question.",
          .input_schema = SEARCH_INPUT,
          .output_schema = HOTELS,
          .is_read_only = true,
          .is_idempotent = true,
          .is_additive = true}, /* a provider may be outside */
     .run = search_hotels},
};

const travel_toolset travel_search_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
