/*
 * engine_published.c -- a chain that prompts/get or resources/read runs: what came as text becomes its input, and its
 * end the answer.
 *
 * It runs like a tool's call (engine_start.c, engine_follow.c) and may ask on the way. Prompts and resources have no
 * isError: whatever goes wrong is an error of the protocol, with the same sentences.
 */
#include "server/mcp/engine_published.h"
#include "value/uri_template.h"

const ctn_offered_chain *ctn_published_chain(const ctn_catalogue *c, ctn_mcp_as as, ctn_str name)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].is_published && c->items[i].plan->mcp.as == as &&
            ctn_str_equal(c->items[i].plan->mcp.name, name))
            return &c->items[i];
    return NULL;
}

const ctn_offered_chain *ctn_published_by_uri(const ctn_catalogue *c, ctn_arena *arena, ctn_str uri,
                                              const ctn_json **ret_values)
{
    const ctn_offered_chain *found = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const ctn_offered_chain *chain = &c->items[i];
        ctn_uri_template *t = NULL;
        if (!chain->is_published || chain->plan->mcp.as != CTN_MCP_AS_RESOURCE ||
            ctn_uri_template_compile(arena, chain->plan->mcp.uri, &t, NULL))
            continue;
        const ctn_json *values = ctn_uri_template_match(t, arena, uri);
        if (!values || (found && t->name_count)) /* a plain URI before a template */
            continue;
        found = chain;
        *ret_values = values;
    }
    return found;
}

/* ---- inputs ---- */

const ctn_json *ctn_published_input_schema(const ctn_offered_chain *chain, ctn_str input)
{
    return ctn_json_get(ctn_json_member_of(chain->plan->input_schema_source, "properties"), input);
}

static bool wants_text(const ctn_json *schema)
{
    const ctn_json *type = ctn_json_member_of(schema, "type");
    bool is_text = !type || ctn_str_is(ctn_json_text(type), "string");
    for (size_t i = 0; ctn_json_is(type, CTN_JSON_ARRAY) && i < type->count; i++)
        is_text |= ctn_str_is(ctn_json_text(ctn_json_at(type, i)), "string");
    return is_text;
}

/* "3" where a number is wanted is 3. What does not read stays a text, and the schema says what is wrong with it. */
static const ctn_json *inputs_of(const ctn_offered_chain *chain, ctn_arena *arena, const ctn_json *texts)
{
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(texts); i++) {
        ctn_str name = ctn_json_text(&texts->members[i].key);
        const ctn_json *value = &texts->members[i].value, *read = NULL;
        if (ctn_json_is(value, CTN_JSON_STRING) && !wants_text(ctn_published_input_schema(chain, name)) &&
            ctn_json_parse(arena, ctn_json_text(value), NULL, &read, NULL) == CTN_OK)
            value = read;
        ctn_json_put(&b, name, value);
    }
    return ctn_json_finish(&b);
}

/* ---- running ---- */

void ctn_published_run(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_offered_chain *chain,
                       const ctn_json *texts, ctn_published_answer_fn *answer)
{
    const ctn_mcp_ask *ask = ctn_mcp_exchange_ask_of(x);
    const ctn_chain_mcp *mcp = &chain->plan->mcp;
    ctn_execution_id id;
    ctn_follow_how how = {.answer = answer,
                          .wait_ms = mcp->wait_ms,
                          .task = CTN_MCP_TASK_NEVER,
                          .cancels_when_gone = mcp->cancels_on_disconnect};
    if (ask->state && ctn_id_parse(ctn_json_str_or(ask->state, "execution", (ctn_str){0}), &id, NULL) == CTN_OK) {
        ctn_follow_execution(ctn_follow_new(b, x, &how), id, ask->answers);
        return;
    }
    ctn_chain_start start = {.chain = chain,
                             .input = inputs_of(chain, ctn_mcp_exchange_arena(x), texts),
                             .idempotency_key = ask->idempotency_key};
    ctn_engine_start_chain(b, x, &start, &how);
}

static const ctn_json *about(ctn_arena *arena, const ctn_execution_row *row)
{
    ctn_json_builder data = ctn_json_object(arena);
    ctn_json_put_str(&data, "executionId", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(row->id).text)));
    ctn_json_put_str(&data, "status", ctn_str_from(ctn_status_name(row->status)));
    return ctn_json_finish(&data);
}

const ctn_json *ctn_published_output(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_execution_row *row)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    const ctn_offered_chain *chain = ctn_catalogue_chain(ctn_engine_catalogue_told(b), row->chain_id);
    ctn_id_text id = ctn_id_to_text(row->id);
    if (row->status == CTN_STATUS_COMPLETED) {
        const ctn_json *outputs = ctn_engine_parsed(arena, row->outputs);
        ctn_str content = chain && chain->plan ? chain->plan->mcp.content : (ctn_str){0};
        const ctn_json *one = content.len ? ctn_json_get(outputs, content) : outputs;
        return one ? one : &ctn_json_null;
    }
    const ctn_json *error = ctn_engine_parsed(arena, row->error);
    ctn_str message = ctn_json_str_or(error, "message", (ctn_str){0});
    ctn_str text =
        ctn_status_is_final(row->status)
            ? ctn_arena_printf(arena,
                               "The chain %.*s ended %s: %.*s. To see why, call explain with "
                               "{\"executionId\": \"%s\"}.",
                               CTN_STR_ARG(row->chain_id), ctn_status_name(row->status), CTN_STR_ARG(message), id.text)
            : ctn_arena_printf(arena,
                               "The chain %.*s has not ended yet: it is %s. Call get_execution with "
                               "{\"executionId\": \"%s\"} to see what it waits for.",
                               CTN_STR_ARG(row->chain_id), ctn_status_name(row->status), id.text);
    ctn_mcp_exchange_error(x, CTN_RPC_INTERNAL_ERROR, text, about(arena, row));
    return NULL;
}

/* ---- what changes ---- */

static const ctn_json *lists(const ctn_catalogue *c, ctn_mcp_changed what)
{
    return what == CTN_MCP_PROMPTS_CHANGED ? c->prompts : c->resources;
}

void ctn_published_changed(ctn_engine_backend *b, const ctn_catalogue *before, const ctn_catalogue *now)
{
    static const ctn_mcp_changed both[] = {CTN_MCP_PROMPTS_CHANGED, CTN_MCP_RESOURCES_CHANGED};
    if (!b->endpoint)
        return;
    for (size_t i = 0; i < 2; i++)
        if (!ctn_json_equal(lists(before, both[i]), lists(now, both[i])) ||
            (both[i] == CTN_MCP_RESOURCES_CHANGED && !ctn_json_equal(before->templates, now->templates)))
            ctn_mcp_endpoint_changed(b->endpoint, both[i]);
    ctn_arena *arena = ctn_arena_new(4096);
    for (size_t i = 0; i < now->count; i++) {
        const ctn_offered_chain *was = ctn_catalogue_chain(before, now->items[i].id);
        if (was && was->version != now->items[i].version)
            ctn_mcp_endpoint_resource_changed(
                b->endpoint, ctn_arena_printf(arena, CTN_URI_CHAINS "%.*s", CTN_STR_ARG(now->items[i].id)));
    }
    ctn_arena_free(arena);
}
