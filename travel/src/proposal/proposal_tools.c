/*
 * proposal_tools.c -- the tools for what a proposal is made of: their schemas, and their arguments read.
 */
#include "crm/crm_tools.h"
#include "proposal/phrases.h"
#include "proposal/print.h"
#include "proposal/proposal.h"

enum { VERSION_MAX = 1000, HTML_BYTES_MAX = 1024 * 1024 };

static const char *const PRINTER = "weasyprint";

static travel_language desk_language(const travel_call *call)
{
    travel_language language = TRAVEL_EN;
    (void) travel_language_from(travel_agency_text(call->tools->agency, "language"), &language);
    return language;
}

static int read_request(const travel_call *call, travel_price_request *request, travel_pricing_rules *rules,
                        ctn_err *err)
{
    ctn_str markup;
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
        rc = travel_maybe_language(call, &request->language, err);
    if (!rc)
        rc = travel_phrases_check(call->tools->agency, err);
    if (!rc)
        rc = travel_pricing_rules_read(call->tools->agency, rules, err);
    if (!rc)
        rc = travel_maybe_text(call, "markup", &markup, err);
    return rc || markup.len == 0 ? rc : travel_pricing_rules_override(rules, markup, err);
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
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put(&out, CTN_STR("pricing_tiers"),
                 travel_tiers_shown(call->arena, call->tools->agency, &request, &pricing));
    ctn_json_put_str(&out, "price_sheet",
                     travel_price_sheet(call->arena, call->tools->agency, &pricing, desk_language(call)));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static int recheck_prices(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_recheck recheck = {0};
    travel_pricing_rules rules;
    int rc = travel_want_object(call, "tiers", &recheck.before, err);
    if (!rc)
        rc = travel_want_text(call, "tier", &recheck.tier, err);
    if (!rc)
        rc = read_request(call, &recheck.request, &rules, err);
    recheck.desk = desk_language(call);
    return rc ? rc : travel_prices_recheck(call->arena, call->tools->agency, &rules, &recheck, ret_result, err);
}

static int write_proposal(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_proposal letter = {0};
    int rc = travel_maybe_object(call, "client", &letter.client, err);
    if (!rc)
        rc = travel_maybe_object(call, "requirements", &letter.requirements, err);
    if (!rc)
        rc = travel_want_object(call, "pricing_tiers", &letter.pricing_tiers, err);
    if (!rc)
        rc = travel_maybe_text(call, "lead_id", &letter.lead_id, err);
    if (!rc)
        rc = travel_maybe_int(call, "version", 1, VERSION_MAX, 1, &letter.version, err);
    if (!rc)
        rc = travel_today(call, &letter.today, err);
    if (!rc)
        rc = travel_maybe_language(call, &letter.language, err);
    if (!rc)
        rc = travel_phrases_check(call->tools->agency, err);
    if (rc)
        return rc;
    letter.replaces_earlier = ctn_json_bool_or(call->arguments, "replaces_earlier", false);
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put(&out, CTN_STR("proposal"), travel_proposal_write(call->arena, call->tools->agency, &letter));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static int read_choice(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    const ctn_json *tiers;
    int rc = travel_want_object(call, "pricing_tiers", &tiers, err);
    if (!rc)
        *ret_result = travel_choice_read(call->arena, ctn_json_member_of(call->arguments, "answer"), tiers);
    return rc;
}

/* ---- documents kept ---- */

static int read_whose(const travel_call *call, travel_document *d, ctn_err *err)
{
    int rc = travel_want_text(call, "client_id", &d->client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "lead_id", &d->lead_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "kind", &d->kind, err);
    return rc;
}

static int next_version(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_document d = {0};
    travel_crm *crm;
    int64_t version = 1;
    int rc = read_whose(call, &d, err);
    if (!rc)
        rc = travel_crm_of(call, true, &crm, err);
    if (!rc)
        rc = travel_crm_document_next_version(crm, d.client_id, d.lead_id, d.kind.len ? d.kind : CTN_STR("proposal"),
                                              &version, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_int(&out, "version", version);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

typedef struct keeping {
    const travel_call *call;
    travel_document document;
    ctn_str execution;
} keeping;

static const ctn_json *printed(ctn_arena *arena, ctn_str document_id, ctn_str note)
{
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_bool(&out, "has_pdf", document_id.len > 0);
    ctn_json_put_str(&out, "document_id", document_id);
    ctn_json_put_str(&out, "note", note);
    return ctn_json_finish(&out);
}

static int keep(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    keeping *k = ctx;
    travel_document saved;
    int rc = travel_crm_document_save(k->call->tools->crm, arena, &k->document, k->execution, &saved, err);
    if (!rc)
        *ret_answer = printed(arena, saved.document_id, CTN_STR(""));
    return rc;
}

/* What cannot be printed is told and is no failure: the proposal is there as HTML and text. */
static int print_document(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str html;
    ctn_err why = {0};
    keeping k = {.call = call,
                 .document = {.content_type = CTN_STR("application/pdf"), .created_at_ms = travel_now_ms(call)}};
    int rc = read_whose(call, &k.document, err);
    if (!rc && k.document.kind.len == 0)
        k.document.kind = CTN_STR("proposal-pdf");
    if (!rc)
        rc = travel_maybe_long_text(call, "html", HTML_BYTES_MAX, &html, err);
    if (!rc && html.len == 0)
        rc = ctn_fail(err, CTN_E_INVALID, "html is missing: it must be text");
    if (!rc)
        rc = travel_maybe_text(call, "title", &k.document.title, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &k.execution, err);
    if (!rc)
        rc = travel_maybe_int(call, "version", 1, VERSION_MAX, 0, &k.document.version, err);
    if (rc)
        return rc;
    if (travel_print_pdf(call->arena, PRINTER, html, &k.document.body, &why)) {
        *ret_result =
            printed(call->arena, CTN_STR(""), ctn_arena_printf(call->arena, "There is no PDF: %s.", why.message));
        return CTN_OK;
    }
    return travel_crm_tool_once(call, "print_document", keep, &k, ret_result, NULL, err);
}

#define PRICE_REQUEST                                                                                                  \
    "\"requirements\":" TRIP ",\"flights\":{\"type\":\"object\"},\"hotels\":{\"type\":\"object\"},\"budget\":" BUDGET  \
    ",\"language\":" LANGUAGE ",\"markup\":{\"type\":[\"string\",\"null\"],\"maxLength\":40,\"description\":\"a "      \
    "percentage in place of the rules\"},\"started_at\":" WHEN
#define LANGUAGE "{\"type\":\"string\",\"description\":\"en, es, fr or de; else the agency's\"}"

static const travel_tool TOOLS[] = {
    {.about =
         {.name = "price_tiers",
          .title = "Price three tiers",
          .description = "Puts flights and hotels together to three tiers (good, better, best), prices them by the "
                         "agency's rules and compares each with the budget; texts in the client's language.",
          .input_schema =
              "{\"type\":\"object\",\"required\":[\"requirements\",\"flights\",\"hotels\"],\"properties\":{"
              "\"requirements\":" TRIP ",\"flights\":{\"type\":\"object\"},\"hotels\":{\"type\":\"object\"},"
              "\"budget\":" BUDGET ",\"language\":" LANGUAGE ",\"started_at\":" WHEN "}}",
          .output_schema =
              "{\"type\":\"object\",\"required\":[\"pricing_tiers\",\"price_sheet\"],\"properties\":{"
              "\"price_sheet\":" STRING ",\"pricing_tiers\":{\"type\":\"object\",\"required\":[\"source\",\"currency\","
              "\"language\",\"trip\",\"expires_at\",\"valid_until\",\"valid_until_shown\",\"has_tiers\",\"tiers\"],"
              "\"properties\":{\"source\":" STRING ",\"currency\":" STRING ",\"language\":" STRING
              ",\"trip\":{\"type\":\"object\",\"required\":[\"title\"],\"properties\":{\"title\":" STRING "}}"
              ",\"expires_at\":{\"type\":\"string\",\"format\":\"date-time\"},\"valid_until\":{\"type\":\"string\","
              "\"format\":\"date\"},\"valid_until_shown\":" STRING ",\"has_tiers\":" BOOLEAN ",\"tiers\":{"
              "\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"object\",\"required\":[\"tier\",\"name\","
              "\"total\",\"per_person\"],\"properties\":{\"tier\":" STRING ",\"name\":" STRING ",\"total\":" MONEY
              ",\"per_person\":" MONEY "}}}}}}}",
          .is_read_only = true,
          .is_idempotent = true,
          .is_additive = true,
          .is_closed_world = true},
     .run = price_tiers},
    {.about =
         {.name = "recheck_prices",
          .title = "Compare an accepted tier with prices of now",
          .description =
              "Looks for each offer of a tier in new search answers. changed is true when one is gone or the price "
              "moved by more than the agency's tolerance; else accepted is the tier at its proposed price, with the "
              "offers as they are now.",
          .input_schema = "{\"type\":\"object\",\"required\":[\"tiers\",\"tier\",\"requirements\",\"flights\","
                          "\"hotels\"],\"properties\":{\"tiers\":{\"type\":\"object\"},\"tier\":{\"enum\":[\"good\","
                          "\"better\",\"best\"]}," PRICE_REQUEST "}}",
          .output_schema =
              "{\"type\":\"object\",\"required\":[\"changed\",\"differences\",\"differences_text\",\"accepted\","
              "\"pricing_tiers\"],"
              "\"properties\":{\"changed\":" BOOLEAN ",\"differences_text\":" STRING
              ",\"differences\":{\"type\":\"array\",\"items\":{\"type\":"
              "\"object\",\"required\":[\"text\"],\"properties\":{\"text\":" STRING "}}},\"accepted\":{\"type\":"
              "\"object\"},\"pricing_tiers\":{\"type\":\"object\"}}}",
          .is_read_only = true,
          .is_idempotent = true,
          .is_additive = true,
          .is_closed_world = true},
     .run = recheck_prices},
    {.about = {.name = "write_proposal",
               .title = "Write the letter around priced tiers",
               .description = "Greeting, opening, subject, reminder and what else a proposal's templates read beside "
                              "pricing_tiers, in the client's language.",
               .input_schema =
                   "{\"type\":\"object\",\"required\":[\"pricing_tiers\"],\"properties\":{\"client\":" CLIENT
                   ",\"requirements\":" TRIP ",\"pricing_tiers\":{\"type\":\"object\"},\"lead_id\":" ID_OR_NULL
                   ",\"version\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000},\"replaces_earlier\":{\"type\":["
                   "\"boolean\",\"null\"]},\"language\":" LANGUAGE ",\"started_at\":" WHEN "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"proposal\"],\"properties\":{\"proposal\":{\"type\":\"object\","
                   "\"required\":[\"title\",\"subject\",\"greeting\",\"version\",\"reminder_subject\",\"reminder\"],"
                   "\"properties\":{\"title\":" STRING ",\"subject\":" STRING ",\"greeting\":" STRING
                   ",\"version\":" INTEGER ",\"reminder_subject\":" STRING ",\"reminder\":" STRING "}}}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = write_proposal},
    {.about = {.name = "read_choice",
               .title = "Which tier a client chooses",
               .description = "Reads an answer ({tier}, {declined}, or a text): tier is good, better, best, or empty.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"pricing_tiers\"],\"properties\":{\"answer\":{},"
                               "\"pricing_tiers\":{\"type\":\"object\"}}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"tier\",\"is_declined\",\"has_answered\"],\"properties\":{"
                   "\"tier\":{\"enum\":[\"\",\"good\",\"better\",\"best\"]},\"is_declined\":" BOOLEAN
                   ",\"has_answered\":" BOOLEAN "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = read_choice},
    {.about = {.name = "next_version",
               .title = "The next version of a client's document",
               .description = "Which version the next proposal (or other kind of document) of a lead will be, from 1.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\"],\"properties\":{\"client_id\":" ID
                               ",\"lead_id\":" ID_OR_NULL ",\"kind\":" STRING "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"version\"],\"properties\":{\"version\":" INTEGER "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = next_version},
    {.about =
         {.name = "print_document",
          .title = "Print a document as PDF",
          .description =
              "Prints HTML with WeasyPrint and keeps the PDF with the client's documents. Where that program is not "
              "installed, or fails, has_pdf is false and note says why. The same key keeps it once.",
          .input_schema =
              "{\"type\":\"object\",\"required\":[\"client_id\",\"html\"],\"properties\":{\"client_id\":" ID
              ",\"lead_id\":" ID_OR_NULL ",\"html\":{\"type\":\"string\",\"maxLength\":1048576},\"kind\":" STRING
              ",\"version\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000},\"title\":" TEXT_OR_NULL
              ",\"key\":" KEY ",\"execution\":" EXECUTION "}}",
          .output_schema = "{\"type\":\"object\",\"required\":[\"has_pdf\",\"document_id\",\"note\"],\"properties\":{"
                           "\"has_pdf\":" BOOLEAN ",\"document_id\":" STRING ",\"note\":" STRING "}}",
          .is_idempotent = true,
          .is_additive = true,
          .is_closed_world = true},
     .run = print_document},
};

static int check_pricing(const travel_agency *agency, ctn_err *err)
{
    travel_pricing_rules rules;
    int rc = travel_pricing_rules_read(agency, &rules, err);
    return rc ? rc : travel_phrases_check(agency, err);
}

const travel_toolset travel_proposal_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS, check_pricing};
