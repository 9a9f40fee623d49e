/*
 * pages.c -- lists in pages. The order is the backend's, and fixed; a cursor is the number of the first item of its
 * page, so it survives a restart, and one that leads nowhere says to begin again.
 */
#include "server/mcp/internal.h"

static const struct {
    const char *member;
    int64_t ttl_ms; /* told of changes besides, if he listens */
} LISTS[] = {
    [CTN_MCP_TOOLS] = {"tools", 300000},
    [CTN_MCP_PROMPTS] = {"prompts", 300000},
    [CTN_MCP_RESOURCES] = {"resources", 5000},
    [CTN_MCP_TEMPLATES] = {"resourceTemplates", 300000},
};

static const ctn_json *whole_list(ctn_mcp_exchange *x, ctn_mcp_list which)
{
    const ctn_mcp_backend *b = x->endpoint->of.backend;
    const ctn_json *(*const lists[])(void *, ctn_str, ctn_arena *) = {
        [CTN_MCP_TOOLS] = b->tools,
        [CTN_MCP_PROMPTS] = b->prompts,
        [CTN_MCP_RESOURCES] = b->resources,
        [CTN_MCP_TEMPLATES] = b->resource_templates,
    };
    return lists[which] ? lists[which](b->ctx, x->caller.principal, x->arena) : NULL;
}

/* What is told to a principal with a token is for nobody else. */
void ctn_mcp_put_caching(ctn_mcp_exchange *x, ctn_json_builder *result, int64_t ttl_ms)
{
    bool is_anybody = ctn_str_is(x->caller.principal, "stdio") || ctn_str_is(x->caller.principal, "anonymous");
    if (!x->caller.is_modern)
        return;
    ctn_json_put_int(result, "ttlMs", ttl_ms);
    ctn_json_put_str(result, "cacheScope", is_anybody ? CTN_STR("public") : CTN_STR("private"));
}

void ctn_mcp_list_answer(ctn_mcp_exchange *x, ctn_mcp_list which)
{
    const ctn_json *cursor = ctn_json_member_of(x->params, "cursor");
    const ctn_json *list = whole_list(x, which);
    size_t total = ctn_json_count(list), per_page = x->endpoint->of.tools_per_page;
    int64_t first = 0;
    if (cursor &&
        (!ctn_str_to_int64(ctn_json_is(cursor, CTN_JSON_STRING) ? ctn_json_text(cursor) : (ctn_str){0}, &first) ||
         first <= 0 || (uint64_t) first >= total)) {
        ctn_mcp_exchange_error(x, CTN_RPC_INVALID_PARAMS, CTN_STR("unknown cursor: begin again without one"), NULL);
        return;
    }
    size_t end = total - (size_t) first > per_page ? (size_t) first + per_page : total;
    ctn_json_builder page = ctn_json_array(x->arena), result = ctn_json_object(x->arena);
    for (size_t i = (size_t) first; i < end; i++)
        ctn_json_push(&page, ctn_mcp_shape_item(x->arena, x->caller.version, which, ctn_json_at(list, i)));
    ctn_json_put(&result, ctn_str_from(LISTS[which].member), ctn_json_finish(&page));
    if (end < total)
        ctn_json_put_str(&result, "nextCursor", ctn_arena_printf(x->arena, "%zu", end));
    ctn_mcp_put_caching(x, &result, LISTS[which].ttl_ms);
    ctn_mcp_exchange_result(x, ctn_json_finish(&result));
}
