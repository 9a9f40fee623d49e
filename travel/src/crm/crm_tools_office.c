/*
 * crm_tools_office.c -- the tools for the desk: documents kept, clients searched, exported.
 */
#include "crm/crm_tools.h"

#include "base/base64.h"

enum { PAGE_MAX = 500, SEARCH_PAGE = 20, EXPORT_PAGE = 100, QUERY_BYTES_MAX = 200 };

/* ---- documents ---- */

typedef struct keeping {
    const travel_call *call;
    travel_document document;
    ctn_str execution;
} keeping;

static int keep(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err)
{
    keeping *k = ctx;
    travel_document saved;
    int rc = travel_crm_document_save(k->call->tools->crm, arena, &k->document, k->execution, &saved, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(arena);
    ctn_json_put_str(&out, "client_id", saved.client_id);
    ctn_json_put_str(&out, "document_id", saved.document_id);
    ctn_json_put_int(&out, "version", saved.version);
    *ret_answer = ctn_json_finish(&out);
    return CTN_OK;
}

static int read_body(const travel_call *call, ctn_str *ret_body, ctn_err *err)
{
    ctn_str coded;
    int rc = travel_maybe_long_text(call, "body", TRAVEL_DOCUMENT_BYTES_MAX, ret_body, err);
    if (!rc)
        rc = travel_maybe_long_text(call, "body_base64", 2 * (size_t) TRAVEL_DOCUMENT_BYTES_MAX, &coded, err);
    if (!rc && (ret_body->len > 0) == (coded.len > 0))
        rc = ctn_fail(err, CTN_E_INVALID, "give the document as body (text), or as body_base64");
    if (!rc && coded.len > 0 && !ctn_base64_read(call->arena, coded, ret_body))
        rc = ctn_fail(err, CTN_E_INVALID, "body_base64 is no base64 text");
    return rc;
}

static int save_document(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    keeping k = {.call = call, .document = {.created_at_ms = travel_now_ms(call)}};
    travel_document *d = &k.document;
    int rc = travel_want_text(call, "client_id", &d->client_id, err);
    if (!rc)
        rc = travel_want_text(call, "kind", &d->kind, err);
    if (!rc)
        rc = travel_want_text(call, "content_type", &d->content_type, err);
    if (!rc)
        rc = travel_maybe_text(call, "lead_id", &d->lead_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "title", &d->title, err);
    if (!rc)
        rc = travel_maybe_text(call, "execution", &k.execution, err);
    if (!rc)
        rc = travel_maybe_int(call, "version", 1, INT32_MAX, 0, &d->version, err);
    if (!rc)
        rc = read_body(call, &d->body, err);
    return rc ? rc : travel_crm_tool_once(call, "save_document", keep, &k, ret_result, NULL, err);
}

static bool is_text(ctn_str content_type)
{
    return ctn_str_starts_with(content_type, CTN_STR("text/")) ||
           ctn_str_starts_with(content_type, CTN_STR("application/json"));
}

static int get_document(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    travel_document which = {0}, d;
    travel_crm *crm;
    int rc = travel_maybe_text(call, "document_id", &which.document_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "lead_id", &which.lead_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "client_id", &which.client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "kind", &which.kind, err);
    if (!rc)
        rc = travel_maybe_int(call, "version", 1, INT32_MAX, 0, &which.version, err);
    if (!rc && which.document_id.len == 0 && (which.kind.len == 0 || which.lead_id.len + which.client_id.len == 0))
        rc = ctn_fail(err, CTN_E_INVALID, "say which document: document_id, or kind with lead_id or client_id");
    if (!rc)
        rc = travel_crm_of(call, true, &crm, err);
    if (!rc)
        rc = travel_crm_document(crm, call->arena, &which, &d, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put_str(&out, "document_id", d.document_id);
    ctn_json_put_str(&out, "client_id", d.client_id);
    ctn_json_put_str(&out, "lead_id", d.lead_id);
    ctn_json_put_str(&out, "kind", d.kind);
    ctn_json_put_int(&out, "version", d.version);
    ctn_json_put_str(&out, "content_type", d.content_type);
    ctn_json_put_str(&out, "title", d.title);
    ctn_json_put_str(&out, "created_at", travel_crm_moment(call->arena, d.created_at_ms));
    if (is_text(d.content_type) && ctn_str_is_utf8(d.body))
        ctn_json_put_str(&out, "body", d.body);
    else
        ctn_json_put_str(&out, "body_base64", ctn_base64(call->arena, d.body));
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

/* ---- search and export ---- */

static int search_clients(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str query, after, next;
    int64_t limit;
    travel_crm *crm;
    const ctn_json *clients;
    int rc = travel_maybe_long_text(call, "query", QUERY_BYTES_MAX, &query, err);
    if (!rc)
        rc = travel_maybe_text(call, "after", &after, err);
    if (!rc)
        rc = travel_maybe_int(call, "limit", 1, PAGE_MAX, SEARCH_PAGE, &limit, err);
    if (!rc)
        rc = travel_crm_of(call, true, &crm, err);
    if (!rc)
        rc = travel_crm_search(crm, call->arena, query, limit, after, &clients, &next, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    ctn_json_put(&out, CTN_STR("clients"), clients);
    ctn_json_put_str(&out, "next", next);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static int export_clients(const travel_call *call, const ctn_json **ret_result, ctn_err *err)
{
    ctn_str format, after, client_id, next;
    int64_t limit;
    travel_crm *crm;
    const ctn_json *clients;
    int rc = travel_maybe_text(call, "format", &format, err);
    bool is_csv = ctn_str_is(format, "csv");
    if (!rc && !is_csv && format.len > 0 && !ctn_str_is(format, "json"))
        rc = ctn_fail(err, CTN_E_INVALID, "format must be json or csv");
    if (!rc)
        rc = travel_maybe_text(call, "client_id", &client_id, err);
    if (!rc)
        rc = travel_maybe_text(call, "after", &after, err);
    if (!rc)
        rc = travel_maybe_int(call, "limit", 1, PAGE_MAX, EXPORT_PAGE, &limit, err);
    if (!rc)
        rc = travel_crm_of(call, true, &crm, err);
    if (!rc)
        rc = travel_crm_export(crm, call->arena, client_id, limit, after, &clients, &next, err);
    if (rc)
        return rc;
    ctn_json_builder out = ctn_json_object(call->arena);
    if (is_csv)
        ctn_json_put_str(&out, "csv", travel_crm_export_csv(call->arena, clients, after.len == 0));
    else
        ctn_json_put(&out, CTN_STR("clients"), clients);
    ctn_json_put_str(&out, "next", next);
    *ret_result = ctn_json_finish(&out);
    return CTN_OK;
}

static const travel_tool TOOLS[] = {
    {.about = {.name = "save_document",
               .title = "Keep a document",
               .description =
                   "Keeps a document of a client as the next version of its kind (or as version, which nobody"
                   " can overwrite). The same key keeps it once.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"client_id\",\"kind\",\"content_type\"],"
                               "\"properties\":{\"client_id\":" ID ",\"lead_id\":" ID_OR_NULL ",\"kind\":" STRING
                               ",\"version\":" INT_OR_NULL ",\"content_type\":" STRING ",\"title\":" TEXT_OR_NULL
                               ",\"body\":" TEXT_OR_NULL ",\"body_base64\":" TEXT_OR_NULL ",\"key\":" KEY
                               ",\"execution\":" EXECUTION "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"client_id\",\"document_id\",\"version\"],"
                   "\"properties\":{\"client_id\":" STRING ",\"document_id\":" STRING ",\"version\":" INTEGER "}}",
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = save_document},
    {.about = {.name = "get_document",
               .title = "A document that was kept",
               .description =
                   "By document_id, or the last version (or version) of a kind of a lead or a client. Text is in"
                   " body, anything else in body_base64.",
               .input_schema =
                   "{\"type\":\"object\",\"properties\":{\"document_id\":" ID_OR_NULL ",\"client_id\":" ID_OR_NULL
                   ",\"lead_id\":" ID_OR_NULL ",\"kind\":" TEXT_OR_NULL ",\"version\":" INT_OR_NULL "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"document_id\",\"client_id\",\"kind\",\"version\","
                                "\"content_type\"],\"properties\":{\"document_id\":" STRING ",\"client_id\":" STRING
                                ",\"kind\":" STRING ",\"version\":" INTEGER ",\"content_type\":" STRING
                                ",\"body\":" STRING ",\"body_base64\":" STRING "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = get_document},
    {.about = {.name = "search_clients",
               .title = "Search clients",
               .description =
                   "By the beginning of words of a name (accents do not count), e-mail, part of a phone number,"
                   " place or client id. `next` goes into `after` for the next page.",
               .input_schema = "{\"type\":\"object\",\"required\":[\"query\"],\"properties\":{\"query\":{\"type\":"
                               "\"string\",\"maxLength\":200},\"limit\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,"
                               "\"maximum\":500},\"after\":" ID_OR_NULL "}}",
               .output_schema = "{\"type\":\"object\",\"required\":[\"clients\",\"next\"],\"properties\":{\"clients\":{"
                                "\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"next\":" STRING "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = search_clients},
    {.about = {.name = "export_clients",
               .title = "Export clients",
               .description =
                   "All clients, or one, with everything that is kept about them: json, or a csv table with a"
                   " line for each. `next` goes into `after` for the next page.",
               .input_schema = "{\"type\":\"object\",\"properties\":{\"format\":{\"enum\":[\"json\",\"csv\",null]},"
                               "\"client_id\":" ID_OR_NULL ",\"limit\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,"
                               "\"maximum\":500},\"after\":" ID_OR_NULL "}}",
               .output_schema =
                   "{\"type\":\"object\",\"required\":[\"next\"],\"properties\":{\"clients\":{"
                   "\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"csv\":" STRING ",\"next\":" STRING "}}",
               .is_read_only = true,
               .is_idempotent = true,
               .is_additive = true,
               .is_closed_world = true},
     .run = export_clients},
};

const travel_toolset travel_crm_office_tools = {TOOLS, sizeof TOOLS / sizeof *TOOLS};
