/*
 * trip_tools.c -- the tools for a trip before it is searched: their schemas, and their arguments read.
 */
#include "kit/arguments.h"
#include "kit/schemas.h"
#include "trip/trip_check.h"
#include "trip/trip_question.h"

static int maybe_list(const travel_call *call, const char *key, const ctn_json **ret_list, ctn_err *err)
{
    const ctn_json *list = ctn_json_member_of(call->arguments, key);
    *ret_list = ctn_json_is(list, CTN_JSON_ARRAY) ? list : NULL;
    if (list && !*ret_list && !ctn_json_is(list, CTN_JSON_NULL))
        return ctn_fail(err, CTN_E_INVALID, "%s must be a list, not %s", key, ctn_json_kind_name(list));
    return CTN_OK;
}

static int validate_requirements(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *pricing = travel_agency_section(call->tools->agency, "pricing");
    travel_check check = {.currency = ctn_json_str_or(pricing, "currency", CTN_STR(""))};
    int rc = travel_want_object(call, "requirements", &check.requirements, err);
    if (!rc)
        rc = travel_maybe_object(call, "client", &check.client, err);
    if (!rc)
        rc = travel_maybe_object(call, "budget", &check.budget, err);
    if (!rc)
        rc = maybe_list(call, "must_know", &check.must_know, err);
    if (!rc)
        rc = travel_maybe_language(call, &check.language, err);
    if (!rc)
        rc = travel_today(call, &check.today, err);
    return rc ? rc : travel_requirements_validate(call->arena, &check, ret_result, err);
}

static int write_question(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_question question = {.agency = call->tools->agency};
    const ctn_json *client = NULL;
    int rc = travel_maybe_object(call, "client", &client, err);
    if (!rc)
        rc = maybe_list(call, "questions", &question.questions, err);
    if (!rc)
        rc = travel_maybe_text(call, "channel", &question.channel, err);
    if (!rc)
        rc = travel_maybe_language(call, &question.language, err);
    if (rc)
        return rc;
    question.name = ctn_str_trim(ctn_json_str_or(client, "name", CTN_STR("")));
    question.email = ctn_json_str_or(client, "email", CTN_STR(""));
    question.phone = ctn_json_str_or(client, "phone", CTN_STR(""));
    question.is_again = ctn_str_is(ctn_json_str_or(call->arguments, "round", CTN_STR("first")), "again");
    return travel_question_write(call->arena, &question, ret_result, err);
}

static const travel_tool TOOLS[] = {
    {.about =
         {.name = "validate_requirements",
          .title = "Check and complete a trip",
          .description =
              "Says what a trip still lacks (missing_info, questions in the client's language), whether that has "
              "to be asked for before anything is searched (must_ask), and completes the trip with stated "
              "assumptions. search_request is the trip as a provider needs it, without anything of the client.",
          .input_schema = "{\"type\":\"object\",\"required\":[\"requirements\"],\"properties\":{\"requirements\":" TRIP
                          ",\"client\":" CLIENT ",\"budget\":" BUDGET ",\"language\":" TEXT_OR_NULL
                          ",\"must_know\":" STRINGS ",\"started_at\":" WHEN "}}",
          .output_schema =
              "{\"type\":\"object\",\"required\":[\"validation_status\",\"missing_info\",\"questions\",\"must_ask\","
              "\"can_be_searched\",\"complete_requirements\",\"search_request\"],\"properties\":{"
              "\"validation_status\":{\"enum\":[\"complete\",\"incomplete\"]},\"missing_info\":" STRINGS
              ",\"questions\":" STRINGS ",\"must_ask\":" BOOLEAN ",\"can_be_searched\":" BOOLEAN
              ",\"complete_requirements\":" COMPLETE ",\"search_request\":" TRIP "}}",
          .is_read_only = true,
          .is_idempotent = true,
          .is_additive = true,
          .is_closed_world = true},
     .run = validate_requirements},
    {.about = {.name = "write_question",
               .title = "Write a question to a client",
               .description = "One polite message in the client's language (en, es, fr, de) that asks for what is "
                              "missing, signed by the agency, and the channel by which it reaches him: as he "
                              "came, else e-mail, else phone, else desk. Nothing is sent.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"questions\"],\"properties\":{\"client\":" CLIENT
                               ",\"questions\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":16,\"items\":" STRING
                               "},\"language\":" TEXT_OR_NULL ",\"channel\":" TEXT_OR_NULL
                               ",\"round\":{\"enum\":[\"first\",\"again\"]}}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"subject\",\"message\",\"channel\"],\"properties\":{"
                   "\"subject\":" STRING ",\"message\":" STRING ",\"channel\":" STRING "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = write_question},
};

const travel_toolset travel_trip_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
