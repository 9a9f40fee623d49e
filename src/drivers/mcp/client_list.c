/*
 * client_list.c -- the tools of a server, page by page, the first time and again; see mcp/client.c.
 *
 * A first list that fails ends the conversation; a later one leaves the old.
 */
#include "drivers/mcp/client_internal.h"
#include <assert.h>
#include <stdio.h>

#define VERSION_TRIES_MAX 2
#define LIST_TTL_MIN_MS   60000 /* a ttl is no polling interval */
#define RELIST_LIMIT_MS   5000  /* the first list is under the server's start limit instead */

static void send_list(ctn_mcp_client *client, const ctn_str *cursor)
{
    client->list_id = client->next_id++;
    ctn_mcp_write_list(&client->out, client->outgoing, &client->self, client->list_id, cursor);
    ctn_mcp_client_flush_or_fail(client, (ctn_mcp_letter){.id = client->list_id, .method = "tools/list"}, "tools/list");
}

void ctn_mcp_list_begin(ctn_mcp_client *client)
{
    ctn_mcp_tool_table_free(client->listing);
    client->listing = ctn_mcp_tool_table_new();
    client->pages = 0;
    client->is_changed = false;
    client->ttl_ms = 0;
    send_list(client, NULL);
}

void ctn_mcp_list_failed(ctn_mcp_client *client, ctn_mcp_fault fault, const char *why)
{
    client->list_id = 0;
    ctn_mcp_tool_table_free(client->listing);
    client->listing = NULL;
    ctn_timer_clear(client->silence);
    if (client->state == CTN_MCP_CLIENT_READY)
        client->options.events.relist_failed(client->options.events.ctx);
    else if (client->is_guess)
        ctn_mcp_handshake_fall_back(client);
    else
        ctn_mcp_client_fail(client, fault, "tools/list: %s", why);
}

/* Over HTTP a modern server's tool whose schema marks its headers wrongly cannot be called: it is no tool. */
static void drop_uncallable(ctn_mcp_client *client, ctn_mcp_tools_page *page)
{
    if (!client->options.transport->kind->is_http || !ctn_mcp_is_modern(client->self.version))
        return;
    size_t kept = 0;
    for (size_t i = 0; i < page->count; i++) {
        ctn_mcp_params params;
        ctn_err err = {0};
        if (ctn_mcp_params_read(client->incoming, page->tools[i].input_schema, &params, &err) == CTN_OK) {
            page->tools[kept++] = page->tools[i];
            continue;
        }
        ctn_str name = page->tools[i].name;
        char what[400];
        (void) snprintf(what, sizeof what, "the tool %.*s is left out: %s", (int) (name.len < 128 ? name.len : 128),
                        name.ptr, err.message);
        client->options.events.warned(client->options.events.ctx, what);
    }
    page->count = kept;
}

static void on_page(ctn_mcp_client *client, ctn_mcp_tools_page *page)
{
    ctn_err err = {0};
    drop_uncallable(client, page);
    if (++client->pages > CTN_MCP_PAGES_MAX) {
        ctn_mcp_list_failed(client, CTN_MCP_FAULT_LASTING, "more than 1000 pages");
        return;
    }
    if (ctn_mcp_tool_table_add(client->listing, page, &err)) {
        ctn_mcp_list_failed(client, CTN_MCP_FAULT_LASTING, err.message);
        return;
    }
    if (page->ttl_ms > 0 && (client->ttl_ms == 0 || page->ttl_ms < client->ttl_ms))
        client->ttl_ms = page->ttl_ms;
    if (page->has_next) {
        send_list(client, &page->next_cursor);
        return;
    }
    ctn_mcp_tool_table *table = client->listing;
    client->listing = NULL;
    client->is_guess = false;
    ctn_timer_clear(client->silence);
    ctn_mcp_tool_table_finish(table);
    client->listed_at_ms = ctn_loop_now_ms(client->options.loop);
    client->state = CTN_MCP_CLIENT_READY;
    client->options.events.ready(client->options.events.ctx, table);
    ctn_mcp_listen_begin(client);
}

void ctn_mcp_list_answered(ctn_mcp_client *client, const ctn_rpc_message *m)
{
    ctn_mcp_tools_page page;
    ctn_err err = {0};
    client->list_id = 0;
    if (m->kind == CTN_RPC_RESULT) {
        if (ctn_mcp_parse_tools(client->incoming, m->result, &page, &err))
            ctn_mcp_list_failed(client, CTN_MCP_FAULT_LASTING, err.message);
        else
            on_page(client, &page);
        return;
    }
    bool is_bad_cursor = m->error_code == CTN_RPC_INVALID_PARAMS && client->pages > 0 && !client->has_restarted_list;
    bool is_bad_version = m->error_code == CTN_MCP_UNSUPPORTED_VERSION && ++client->version_tries < VERSION_TRIES_MAX;
    if (is_bad_cursor || is_bad_version) {
        client->has_restarted_list = true;
        ctn_mcp_list_begin(client);
        return;
    }
    if (m->error_code == CTN_MCP_UNSUPPORTED_VERSION && client->state == CTN_MCP_CLIENT_READY) {
        ctn_mcp_handshake_anew(client);
        return;
    }
    (void) ctn_fail(&err, CTN_E_IO, "%.*s (%lld)", CTN_STR_ARG(m->error_message), (long long) m->error_code);
    ctn_mcp_list_failed(client, CTN_MCP_FAULT_LASTING, err.message);
}

bool ctn_mcp_client_is_stale(const ctn_mcp_client *client)
{
    if (client->state != CTN_MCP_CLIENT_READY)
        return false;
    int64_t ttl = client->ttl_ms > LIST_TTL_MIN_MS ? client->ttl_ms : LIST_TTL_MIN_MS;
    return client->is_changed ||
           (client->ttl_ms > 0 && ctn_loop_now_ms(client->options.loop) - client->listed_at_ms > ttl);
}

void ctn_mcp_client_relist(ctn_mcp_client *client)
{
    assert(client->state == CTN_MCP_CLIENT_READY);
    if (client->listing)
        return;
    client->has_restarted_list = false;
    client->version_tries = 0;
    ctn_mcp_client_set_limit(client, RELIST_LIMIT_MS);
    ctn_mcp_list_begin(client);
}

int64_t ctn_mcp_client_listed_at_ms(const ctn_mcp_client *client)
{
    return client->listed_at_ms;
}
