/*
 * engine_complete.c -- completion/complete: what an argument may be, by what has been typed of it.
 *
 * Arguments of prompts and of published resources: what their inputSchema lists (enum, const, examples, default, true
 * and false). Ids of chains: those that there are. Ids of executions: the newest ones; of both only what the caller may
 * see. What begins with the text comes first, then what holds it.
 */
#include "server/mcp/engine_published.h"

#define VALUES_MAX     100  /* the protocol's */
#define EXECUTIONS_MAX 1000 /* looked at */

typedef struct completion {
    const ctn_mcp_exchange *x;
    ctn_arena *arena;
    ctn_str typed;
    ctn_str first[VALUES_MAX], then[VALUES_MAX];
    size_t first_count, then_count, all;
    bool is_cut; /* there are more than `all` */
} completion;

static void add(completion *c, ctn_str value)
{
    size_t at = 0;
    while (at + c->typed.len <= value.len && !ctn_str_equal_any_case((ctn_str){value.ptr + at, c->typed.len}, c->typed))
        at++;
    if (at + c->typed.len > value.len)
        return;
    for (size_t i = 0; i < c->first_count; i++)
        if (ctn_str_equal(c->first[i], value))
            return;
    c->all++;
    if (at == 0 && c->first_count < VALUES_MAX)
        c->first[c->first_count++] = ctn_arena_str(c->arena, value);
    else if (at > 0 && c->then_count < VALUES_MAX)
        c->then[c->then_count++] = ctn_arena_str(c->arena, value);
}

static void add_json(completion *c, const ctn_json *v)
{
    if (v)
        add(c, ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : ctn_json_to_str(c->arena, v));
}

static void add_of_schema(completion *c, const ctn_json *schema)
{
    static const char *const lists[] = {"enum", "examples"};
    static const char *const values[] = {"const", "default"};
    for (size_t k = 0; k < 2; k++) {
        const ctn_json *list = ctn_json_member_of(schema, lists[k]);
        for (size_t i = 0; ctn_json_is(list, CTN_JSON_ARRAY) && i < list->count; i++)
            add_json(c, ctn_json_at(list, i));
        add_json(c, ctn_json_member_of(schema, values[k]));
    }
    if (ctn_str_is(ctn_json_text(ctn_json_member_of(schema, "type")), "boolean")) {
        add(c, CTN_STR("true"));
        add(c, CTN_STR("false"));
    }
}

static int add_execution(void *ctx, const ctn_execution_row *row)
{
    completion *c = ctx;
    if (!ctn_engine_may_read(c->x, c->arena, row))
        return 0;
    add(c, ctn_str_from(ctn_id_to_text(row->id).text));
    c->is_cut = c->all > VALUES_MAX;
    return c->is_cut;
}

static void add_executions(ctn_engine_backend *b, completion *c)
{
    ctn_execution_filter filter = {.limit = EXECUTIONS_MAX, .tenant = ctn_engine_caller(c->x)->tenant};
    (void) ctn_store_execution_list(ctn_host_store(b->host), &filter, add_execution, c, NULL);
}

static void say(ctn_mcp_exchange *x, completion *c)
{
    ctn_json_builder result = ctn_json_object(c->arena), b = ctn_json_object(c->arena), list = ctn_json_array(c->arena);
    size_t count = 0;
    for (size_t i = 0; i < c->first_count; i++, count++)
        ctn_json_push(&list, ctn_json_string(c->arena, c->first[i]));
    for (size_t i = 0; i < c->then_count && count < VALUES_MAX; i++, count++)
        ctn_json_push(&list, ctn_json_string(c->arena, c->then[i]));
    ctn_json_put(&b, CTN_STR("values"), ctn_json_finish(&list));
    if (!c->is_cut)
        ctn_json_put_int(&b, "total", (int64_t) c->all);
    ctn_json_put_bool(&b, "hasMore", c->all > count);
    ctn_json_put(&result, CTN_STR("completion"), ctn_json_finish(&b));
    ctn_mcp_exchange_result(x, ctn_json_finish(&result));
}

/* False: there is no such prompt. */
static bool complete_prompt(completion *c, const ctn_catalogue *catalogue, ctn_str prompt, ctn_str argument)
{
    const ctn_offered_chain *chain = ctn_published_chain(catalogue, CTN_MCP_AS_PROMPT, prompt);
    if (!chain)
        chain = ctn_catalogue_tool(catalogue, prompt);
    if (chain)
        add_of_schema(c, ctn_published_input_schema(chain, argument));
    return chain != NULL;
}

static bool complete_uri(ctn_engine_backend *b, completion *c, const ctn_catalogue *catalogue, ctn_str uri,
                         ctn_str argument)
{
    bool is_id = ctn_str_is(argument, "id");
    if (ctn_str_starts_with(uri, CTN_STR(CTN_URI_CHAINS))) {
        for (size_t i = 0; is_id && i < catalogue->count; i++)
            if (ctn_engine_may_see_chain(c->x, catalogue->items[i].id))
                add(c, catalogue->items[i].id);
        return true;
    }
    if (ctn_str_starts_with(uri, CTN_STR(CTN_URI_EXECUTIONS))) {
        if (is_id)
            add_executions(b, c);
        return true;
    }
    for (size_t i = 0; i < catalogue->count; i++) {
        const ctn_offered_chain *chain = &catalogue->items[i];
        if (!chain->is_published || !ctn_str_equal(chain->plan->mcp.uri, uri))
            continue;
        add_of_schema(c, ctn_published_input_schema(chain, argument));
        return true;
    }
    return false;
}

void ctn_published_complete(void *ctx, ctn_mcp_exchange *x)
{
    ctn_engine_backend *b = ctx;
    const ctn_json *params = ctn_mcp_exchange_ask_of(x)->arguments, *ref = ctn_json_member_of(params, "ref");
    const ctn_json *argument = ctn_json_member_of(params, "argument"), *name = ctn_json_member_of(argument, "name");
    const ctn_json *value = ctn_json_member_of(argument, "value");
    const ctn_catalogue *catalogue = ctn_engine_catalogue(b);
    completion *c = CTN_NEW(ctn_mcp_exchange_arena(x), completion);
    if (!ctn_json_is(name, CTN_JSON_STRING) || !ctn_json_is(value, CTN_JSON_STRING)) {
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, CTN_STR("\"argument\" must be {name, value}, two texts"),
                               NULL);
        return;
    }
    *c = (completion){.x = x, .arena = ctn_mcp_exchange_arena(x), .typed = ctn_json_text(value)};
    ctn_str type = ctn_json_str_or(ref, "type", (ctn_str){0});
    bool is_known = false;
    if (ctn_str_is(type, "ref/prompt"))
        is_known = complete_prompt(c, catalogue, ctn_json_str_or(ref, "name", (ctn_str){0}), ctn_json_text(name));
    else if (ctn_str_is(type, "ref/resource"))
        is_known = complete_uri(b, c, catalogue, ctn_json_str_or(ref, "uri", (ctn_str){0}), ctn_json_text(name));
    if (is_known)
        say(x, c);
    else
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS,
                               CTN_STR("\"ref\" names no prompt and no resource template that there is"), NULL);
}
