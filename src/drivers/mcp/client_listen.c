/*
 * client_listen.c -- a modern server that says when its tools change is listened to; see mcp/client.c.
 *
 * The subscription is a request that is answered when it is over. Nothing is stored for us while it is not there, so
 * after a break the list counts as changed. A server that refuses it, though it declared to tell of changes, is not
 * asked again; its list is fetched again when its ttl is over, as ever.
 */
#include "drivers/mcp/client_internal.h"

#define AGAIN_FIRST_MS 1000
#define AGAIN_MAX_MS   60000
#define LASTED_MS      30000 /* a stream that was open so long ended for reasons of its own */

void ctn_mcp_listen_declared(ctn_mcp_client *client, const ctn_json *discovery)
{
    client->tells_changes =
        ctn_json_is(ctn_json_pointer(discovery, CTN_STR("/capabilities/tools/listChanged")), CTN_JSON_TRUE);
}

void ctn_mcp_listen_begin(ctn_mcp_client *client)
{
    if (client->state != CTN_MCP_CLIENT_READY || client->listen_id || !client->tells_changes ||
        !ctn_mcp_is_modern(client->self.version))
        return;
    ctn_json_builder wanted = ctn_json_object(client->outgoing), params = ctn_json_object(client->outgoing);
    ctn_json_put_bool(&wanted, "toolsListChanged", true);
    ctn_json_put(&params, CTN_STR("notifications"), ctn_json_finish(&wanted));
    client->listened_at_ms = ctn_loop_now_ms(client->options.loop);
    client->listen_id = client->next_id++;
    ctn_mcp_write_request(&client->out, client->outgoing, &client->self, client->listen_id, "subscriptions/listen",
                          ctn_json_finish(&params));
    ctn_mcp_client_flush_or_fail(
        client, (ctn_mcp_letter){.id = client->listen_id, .method = "subscriptions/listen", .is_endless = true},
        "subscriptions/listen");
}

void ctn_mcp_listen_again(void *ctx)
{
    ctn_mcp_listen_begin(ctx);
}

void ctn_mcp_listen_ended(ctn_mcp_client *client, bool is_refused)
{
    client->listen_id = 0;
    client->is_changed = true; /* perhaps: nobody told us */
    if (is_refused) {
        client->tells_changes = false;
        return;
    }
    int64_t span_ms = AGAIN_FIRST_MS, now_ms = ctn_loop_now_ms(client->options.loop);
    if (now_ms - client->listened_at_ms >= LASTED_MS)
        client->listen_ends = 0;
    for (unsigned i = 0; i < client->listen_ends && span_ms < AGAIN_MAX_MS; i++)
        span_ms *= 2;
    client->listen_ends++;
    ctn_timer_set(client->listen_timer, now_ms + (span_ms < AGAIN_MAX_MS ? span_ms : AGAIN_MAX_MS));
}
