/*
 * client_handshake.c -- which revision a server speaks: the probe, the choice, the old handshake; see mcp/client.c.
 *
 * The fallback to initialize is keyed to no error code (servers in the wild use several), only kept from those who have
 * shown that they are modern: -32020, -32021, -32022. Over HTTP a modern server may also say 404 with -32601 (it has no
 * server/discover): then its list is asked for, and if that fails too it is taken for legacy after all. A server whose
 * list of versions names a legacy one we speak and no modern one gets its handshake too. A DiscoverResult that comes
 * late, when silence had already made us try initialize, still counts: the slow start of an interpreter is not silence.
 *
 * What a server speaks is remembered by our owner: one that is known to be legacy is not probed again, unless it
 * refuses the handshake.
 */
#include "drivers/mcp/client_internal.h"
#include <assert.h>

#define VERSION_TRIES_MAX  2
#define HANDSHAKE_LIMIT_MS 10000 /* of a later handshake; the first is under the server's start limit */

enum {
    HTTP_BAD_REQUEST = 400,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    HTTP_METHOD_NOT_ALLOWED = 405,
    HTTP_TOO_MANY = 429,
    HTTP_UNAVAILABLE = 503,
};

static void speak(ctn_mcp_client *client, ctn_str version)
{
    size_t len = version.len < sizeof client->version ? version.len : sizeof client->version - 1;
    memmove(client->version, version.ptr, len);
    client->version[len] = '\0';
    client->self.version = (ctn_str){client->version, len};
    ctn_mcp_transport_speak(client->options.transport, client->self.version);
}

static void send_discover(ctn_mcp_client *client)
{
    client->state = CTN_MCP_CLIENT_PROBING;
    client->discover_id = client->next_id++;
    ctn_mcp_write_discover(&client->out, client->outgoing, &client->self, client->discover_id);
    ctn_mcp_client_set_limit(client, client->options.discover_silence_ms);
    ctn_mcp_client_flush_or_fail(client, (ctn_mcp_letter){.id = client->discover_id, .method = "server/discover"},
                                 "server/discover");
}

static void send_initialize(ctn_mcp_client *client, ctn_str version)
{
    client->state = CTN_MCP_CLIENT_INITIALIZING;
    ctn_timer_clear(client->silence);
    speak(client, version);
    client->initialize_id = client->next_id++;
    ctn_mcp_write_initialize(&client->out, client->outgoing, &client->self, client->initialize_id);
    ctn_mcp_client_flush_or_fail(client, (ctn_mcp_letter){.id = client->initialize_id, .method = "initialize"},
                                 "initialize");
}

static void probe(ctn_mcp_client *client)
{
    client->is_recalled = false;
    speak(client, CTN_STR(CTN_MCP_VERSION_MODERN));
    send_discover(client);
}

void ctn_mcp_handshake_begin(ctn_mcp_client *client)
{
    ctn_str pinned = client->options.pinned_version, known = client->options.known_version;
    if (ctn_mcp_is_legacy(pinned)) {
        send_initialize(client, pinned);
    } else if (!pinned.len && ctn_mcp_is_legacy(known)) {
        client->is_recalled = true;
        send_initialize(client, known);
    } else {
        probe(client);
    }
}

static void stop_listing(ctn_mcp_client *client)
{
    ctn_mcp_tool_table_free(client->listing);
    client->listing = NULL;
    client->list_id = 0;
    client->options.events.renewing(client->options.events.ctx);
}

void ctn_mcp_handshake_renew(ctn_mcp_client *client)
{
    stop_listing(client);
    send_initialize(client, client->self.version);
    ctn_mcp_client_set_limit(client, HANDSHAKE_LIMIT_MS);
}

void ctn_mcp_handshake_anew(ctn_mcp_client *client)
{
    stop_listing(client);
    client->version_tries = 0;
    probe(client);
}

static void begin_conversation(ctn_mcp_client *client, ctn_str version)
{
    ctn_timer_clear(client->silence);
    if (client->discover_id) /* it is late, and no more wanted */
        ctn_mcp_transport_give_up(client->options.transport, client->discover_id);
    client->discover_id = client->initialize_id = 0;
    client->is_recalled = false;
    speak(client, version);
    client->state = CTN_MCP_CLIENT_LISTING;
    if (ctn_mcp_is_legacy(client->self.version)) {
        ctn_mcp_write_initialized(&client->out);
        ctn_mcp_client_flush_or_fail(client, (ctn_mcp_letter){.method = "notifications/initialized"},
                                     "notifications/initialized");
    }
    if (client->state != CTN_MCP_CLIENT_LISTING)
        return;
    if (client->listed_at_ms) /* not the first conversation: no start limit holds */
        ctn_mcp_client_set_limit(client, HANDSHAKE_LIMIT_MS);
    ctn_mcp_list_begin(client);
}

void ctn_mcp_handshake_fall_back(ctn_mcp_client *client)
{
    client->is_guess = false;
    send_initialize(client, CTN_STR(CTN_MCP_VERSION_LEGACY));
}

void ctn_mcp_handshake_silence(ctn_mcp_client *client)
{
    if (client->state == CTN_MCP_CLIENT_INITIALIZING)
        ctn_mcp_client_fail(client, CTN_MCP_FAULT_UNREACHED, "no answer to a new handshake");
    if (client->state != CTN_MCP_CLIENT_PROBING)
        return;
    if (client->options.pinned_version.len)
        ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING,
                            "the server says nothing to server/discover, and its version is pinned to %.*s",
                            CTN_STR_ARG(client->options.pinned_version));
    else
        ctn_mcp_handshake_fall_back(client);
}

/* ---- the probe's answer ---- */

static ctn_str first_legacy(const ctn_json *list)
{
    ctn_str best = {0};
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_str version = ctn_json_text(ctn_json_at(list, i));
        if (ctn_mcp_is_legacy(version) && (best.len == 0 || ctn_str_compare(version, best) > 0))
            best = version;
    }
    return best;
}

static void fail_over_versions(ctn_mcp_client *client, const ctn_json *list)
{
    ctn_str text = ctn_json_to_str(client->incoming, list ? list : &ctn_json_null);
    if (text.len > 200)
        text.len = 200;
    ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING, "the server speaks none of our MCP versions; it names %.*s",
                        CTN_STR_ARG(text));
}

/* Which version to go on with, given those the server names; is_again: it has refused the one we sent. */
static void choose(ctn_mcp_client *client, const ctn_json *list, bool is_again)
{
    ctn_str modern = ctn_mcp_choose_version(list);
    ctn_str legacy = first_legacy(list);
    ctn_str pinned = client->options.pinned_version;
    if (pinned.len && !ctn_str_equal(modern, pinned)) {
        fail_over_versions(client, list);
    } else if (modern.len && is_again) {
        speak(client, modern);
        if (++client->version_tries >= VERSION_TRIES_MAX)
            ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING,
                                "the server keeps refusing the MCP version %s that it names itself", client->version);
        else
            send_discover(client);
    } else if (modern.len) {
        begin_conversation(client, modern);
    } else if (legacy.len) {
        send_initialize(client, legacy);
    } else {
        fail_over_versions(client, list);
    }
}

static void discover_refused(ctn_mcp_client *client, const ctn_rpc_message *m, int status)
{
    bool is_pinned = client->options.pinned_version.len > 0;
    bool is_modern_without_discover = m->error_code == CTN_RPC_METHOD_NOT_FOUND && status == HTTP_NOT_FOUND;
    if (m->error_code == CTN_MCP_UNSUPPORTED_VERSION) {
        choose(client, ctn_json_member_of(m->error_data, "supported"), true);
    } else if (is_modern_without_discover) {
        client->is_guess = !is_pinned;
        begin_conversation(client, client->self.version);
    } else if (m->error_code == CTN_MCP_HEADER_MISMATCH || m->error_code == CTN_MCP_MISSING_CAPABILITY || is_pinned) {
        ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING, "the server refuses server/discover: %.*s (%lld)",
                            CTN_STR_ARG(m->error_message), (long long) m->error_code);
    } else {
        ctn_mcp_handshake_fall_back(client);
    }
}

void ctn_mcp_handshake_discovered(ctn_mcp_client *client, const ctn_rpc_message *m, int status)
{
    client->discover_id = 0;
    bool is_late = client->state != CTN_MCP_CLIENT_PROBING; /* silence has made us send initialize */
    if (m->kind == CTN_RPC_ERROR) {
        if (!is_late) /* else initialize is on its way: its answer decides */
            discover_refused(client, m, status);
        return;
    }
    const ctn_json *supported;
    ctn_err err = {0};
    if (ctn_mcp_parse_discovery(m->result, &supported, &err)) {
        if (!is_late && client->options.pinned_version.len)
            ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING, "%s", err.message);
        else if (!is_late)
            ctn_mcp_handshake_fall_back(client); /* there are servers that say {} to everything */
    } else if (!is_late || ctn_mcp_choose_version(supported).len) {
        ctn_mcp_listen_declared(client, m->result);
        choose(client, supported, false);
    }
}

/* What an HTTP status says when no message came with it: nothing of eras, unless it is about who we are or how busy the
 * server is. */
static bool is_for_everybody(int status)
{
    return status == HTTP_UNAUTHORIZED || status == HTTP_FORBIDDEN || status == HTTP_TOO_MANY ||
           status == HTTP_UNAVAILABLE;
}

ctn_mcp_fault ctn_mcp_fault_of(const ctn_mcp_loss *loss)
{
    return loss->status == HTTP_UNAUTHORIZED || loss->status == HTTP_FORBIDDEN ? CTN_MCP_FAULT_DENIED
                                                                               : CTN_MCP_FAULT_UNREACHED;
}

void ctn_mcp_handshake_discover_lost(ctn_mcp_client *client, const ctn_mcp_loss *loss)
{
    client->discover_id = 0;
    if (client->state != CTN_MCP_CLIENT_PROBING)
        return;
    if (loss->status && !is_for_everybody(loss->status) && !client->options.pinned_version.len)
        ctn_mcp_handshake_fall_back(client);
    else
        ctn_mcp_client_fail(client, ctn_mcp_fault_of(loss), "%s", loss->why);
}

/* ---- the old handshake's answer ---- */

static bool is_no_streamable_http(int status)
{
    return status == HTTP_BAD_REQUEST || status == HTTP_NOT_FOUND || status == HTTP_METHOD_NOT_ALLOWED;
}

static void initialize_refused(ctn_mcp_client *client, int status, ctn_mcp_fault fault, const char *why)
{
    if (client->is_recalled)
        probe(client); /* it is not what it was */
    else if (client->options.transport->kind->is_http && is_no_streamable_http(status))
        ctn_mcp_client_fail(client, CTN_MCP_FAULT_OTHER_WAY, "%s", why);
    else
        ctn_mcp_client_fail(client, fault, "%s", why);
}

void ctn_mcp_handshake_initialized(ctn_mcp_client *client, const ctn_rpc_message *m, int status)
{
    ctn_str version;
    ctn_err err = {0};
    client->initialize_id = 0;
    if (m->kind == CTN_RPC_ERROR) {
        (void) ctn_fail(&err, CTN_E_INVALID, "the server refuses initialize: %.*s (%lld)",
                        CTN_STR_ARG(m->error_message), (long long) m->error_code);
        initialize_refused(client, status, CTN_MCP_FAULT_LASTING, err.message);
    } else if (ctn_mcp_parse_initialized(m->result, &version, &err)) {
        ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING, "%s", err.message);
    } else if (!ctn_mcp_is_legacy(version)) {
        ctn_mcp_client_fail(client, CTN_MCP_FAULT_LASTING,
                            "the server wants to speak MCP version \"%.*s\", which is not known here",
                            (int) (version.len < 64 ? version.len : 64), version.ptr);
    } else {
        begin_conversation(client, version);
    }
}

void ctn_mcp_handshake_initialize_lost(ctn_mcp_client *client, const ctn_mcp_loss *loss)
{
    client->initialize_id = 0;
    if (client->state == CTN_MCP_CLIENT_INITIALIZING)
        initialize_refused(client, loss->status, ctn_mcp_fault_of(loss), loss->why);
}
