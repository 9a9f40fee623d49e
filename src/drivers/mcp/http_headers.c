/*
 * http_headers.c -- see http_headers.h.
 */
#include "drivers/mcp/http_headers.h"
#include <assert.h>

void ctn_mcp_header_add(ctn_mcp_header_list *list, const char *name, ctn_str value)
{
    assert(list->count < CTN_MCP_HTTP_HEADERS_MAX); /* ours are few, the others have their limits */
    list->items[list->count++] = (ctn_http_header){.name = ctn_str_from(name), .value = value};
}

void ctn_mcp_header_add_own(ctn_mcp_header_list *list, const ctn_mcp_own_headers *own)
{
    for (size_t i = 0; i < own->count && list->count < CTN_MCP_HTTP_HEADERS_MAX; i++)
        list->items[list->count++] =
            (ctn_http_header){.name = own->items[i].name, .value = own->items[i].value, .is_secret = true};
}

static bool is_same(const ctn_mcp_own_headers *own, const ctn_mcp_header *items, size_t count)
{
    bool same = own->count == count;
    for (size_t i = 0; same && i < count; i++)
        same = ctn_str_equal(own->items[i].name, items[i].name) && ctn_str_equal(own->items[i].value, items[i].value);
    return same;
}

int ctn_mcp_own_headers_read(ctn_mcp_own_headers *own, const ctn_mcp_header_source *source, ctn_err *err)
{
    const ctn_mcp_header *items = NULL;
    size_t count = 0;
    ctn_arena *arena = ctn_arena_new(1024);
    int rc = source->read ? source->read(source->ctx, arena, &items, &count, err) : CTN_OK;
    if (rc) {
        ctn_arena_free(arena);
        return rc;
    }
    uint64_t changes = own->changes + !is_same(own, items, count);
    ctn_arena_free(own->arena);
    *own = (ctn_mcp_own_headers){.arena = arena, .items = items, .count = count, .changes = changes};
    return CTN_OK;
}

void ctn_mcp_own_headers_done(ctn_mcp_own_headers *own)
{
    ctn_arena_free(own->arena);
    *own = (ctn_mcp_own_headers){0};
}

const char *ctn_mcp_status_advice(int status)
{
    return status == 404 || status == 405 ? ": is the path right?" : status / 100 == 3 ? ": it wants another URL" : "";
}
