/*
 * client.c -- see client.h.
 *
 * What must hold: (1) no tools/call before `ready`; (2) every id is used once, and an answer is given to the one
 * call that has it or to nobody; (3) whatever the server sends, work per line is bounded by the line, and a
 * server that only sends nonsense is given up; (4) `failed` is told once and nothing is written after it.
 *
 * The fallback to initialize is keyed to no error code (servers in the wild use several), only kept from those who
 * have shown that they are modern: -32020, -32021, -32022. A server whose list of versions names a legacy one we
 * speak and no modern one gets its handshake too. A DiscoverResult that comes late, when silence had
 * already made us try initialize, still counts: the slow start of an interpreter is not silence.
 *
 * A call in flight is a pointer under its id in `calls`; the owner keeps what belongs to it.
 */
#include "drivers/mcp/client.h"
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "drivers/token_map.h"

#define VERSION_TRIES_MAX 2
#define LIST_TTL_MIN_MS   60000 /* a ttl is no polling interval */
#define RELIST_LIMIT_MS   5000  /* the first list is under the server's start limit instead */

typedef enum client_state { IDLE, PROBING, INITIALIZING, LISTING, READY, FAILED } client_state;

struct ctn_mcp_client {
    ctn_mcp_client_options options;
    client_state state;
    char version[16]; /* the revision spoken; while PROBING the one we claim */
    ctn_mcp_speaker self;
    int64_t next_id;
    int64_t discover_id, initialize_id, list_id; /* 0: not asked, or answered */
    int version_tries;
    ctn_timer *silence; /* of the probe; of a relist */
    /* listing; also while READY, when the tools are listed again */
    ctn_mcp_tool_table *listing; /* NULL: not listing */
    size_t pages;
    bool has_restarted_list;
    bool is_changed;
    int64_t listed_at_ms, ttl_ms;
    ctn_token_map calls; /* id -> the owner's call */
    ctn_arena *incoming; /* the line at hand */
    ctn_arena *outgoing;
    ctn_buf out;
    uint64_t strays;        /* in all */
    uint64_t strays_in_row; /* since the last good answer */
};

/* ---- writing ---- */

static void fail(ctn_mcp_client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(ctn_mcp_client *client, const char *format, ...)
{
    if (client->state == FAILED)
        return;
    client->state = FAILED;
    ctn_timer_clear(client->silence);
    ctn_err err;
    va_list args;
    va_start(args, format);
    (void) ctn_vfail(&err, CTN_E_IO, format, args);
    va_end(args);
    client->options.events.failed(client->options.events.ctx, err.message);
}

/* Sends what was put into `out`. */
static bool flush(ctn_mcp_client *client)
{
    bool ok = !client->out.overflowed && client->state != FAILED &&
              client->options.events.write(client->options.events.ctx, ctn_buf_str(&client->out));
    ctn_buf_clear(&client->out);
    ctn_arena_reset(client->outgoing);
    return ok;
}

static void flush_or_fail(ctn_mcp_client *client, const char *what)
{
    if (!flush(client))
        fail(client, "%s could not be sent: the server does not read its input", what);
}

static void speak(ctn_mcp_client *client, ctn_str version)
{
    size_t len = version.len < sizeof client->version ? version.len : sizeof client->version - 1;
    memmove(client->version, version.ptr, len);
    client->version[len] = '\0';
    client->self.version = (ctn_str){client->version, len};
}

static void send_discover(ctn_mcp_client *client)
{
    client->state = PROBING;
    client->discover_id = client->next_id++;
    ctn_mcp_write_discover(&client->out, client->outgoing, &client->self, client->discover_id);
    ctn_timer_set(client->silence, ctn_loop_now_ms(client->options.loop) + client->options.discover_silence_ms);
    flush_or_fail(client, "server/discover");
}

static void send_initialize(ctn_mcp_client *client, ctn_str version)
{
    client->state = INITIALIZING;
    ctn_timer_clear(client->silence);
    speak(client, version);
    client->initialize_id = client->next_id++;
    ctn_mcp_write_initialize(&client->out, client->outgoing, &client->self, client->initialize_id);
    flush_or_fail(client, "initialize");
}

static void send_list(ctn_mcp_client *client, const ctn_str *cursor)
{
    client->list_id = client->next_id++;
    ctn_mcp_write_list(&client->out, client->outgoing, &client->self, client->list_id, cursor);
    flush_or_fail(client, "tools/list");
}

static void begin_list(ctn_mcp_client *client)
{
    ctn_mcp_tool_table_free(client->listing);
    client->listing = ctn_mcp_tool_table_new();
    client->pages = 0;
    client->is_changed = false;
    client->ttl_ms = 0;
    send_list(client, NULL);
}

static void begin_conversation(ctn_mcp_client *client, ctn_str version)
{
    ctn_timer_clear(client->silence);
    client->discover_id = client->initialize_id = 0;
    speak(client, version);
    client->state = LISTING;
    if (ctn_mcp_is_legacy(client->self.version)) {
        ctn_mcp_write_initialized(&client->out);
        flush_or_fail(client, "notifications/initialized");
    }
    if (client->state == LISTING)
        begin_list(client);
}

static void list_failed(ctn_mcp_client *client, const char *why);

static void on_silence(void *ctx)
{
    ctn_mcp_client *client = ctx;
    if (client->state == READY && client->listing) {
        client->list_id = 0;
        list_failed(client, "no answer");
    }
    if (client->state != PROBING)
        return;
    if (client->options.pinned_version.len)
        fail(client, "the server says nothing to server/discover, and its version is pinned to %.*s",
             CTN_STR_ARG(client->options.pinned_version));
    else
        send_initialize(client, CTN_STR(CTN_MCP_VERSION_LEGACY));
}

/* ---- the handshake ---- */

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
    fail(client, "the server speaks none of our MCP versions; it names %.*s", CTN_STR_ARG(text));
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
            fail(client, "the server keeps refusing the MCP version %s that it names itself", client->version);
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

static void on_discover_answer(ctn_mcp_client *client, const ctn_rpc_message *m)
{
    const ctn_json *supported;
    ctn_err err = {0};
    client->discover_id = 0;
    if (m->kind == CTN_RPC_RESULT) {
        bool is_late = client->state != PROBING; /* silence has made us send initialize */
        if (ctn_mcp_parse_discovery(m->result, &supported, &err)) {
            if (!is_late)
                fail(client, "%s", err.message);
        } else if (!is_late || ctn_mcp_choose_version(supported).len) {
            choose(client, supported, false);
        }
        return;
    }
    if (client->state != PROBING)
        return; /* initialize is on its way: its answer decides */
    if (m->error_code == CTN_MCP_UNSUPPORTED_VERSION)
        choose(client, ctn_json_member_of(m->error_data, "supported"), true);
    else if (m->error_code == CTN_MCP_HEADER_MISMATCH || m->error_code == CTN_MCP_MISSING_CAPABILITY ||
             client->options.pinned_version.len)
        fail(client, "the server refuses server/discover: %.*s (%lld)", CTN_STR_ARG(m->error_message),
             (long long) m->error_code);
    else
        send_initialize(client, CTN_STR(CTN_MCP_VERSION_LEGACY));
}

static void on_initialize_answer(ctn_mcp_client *client, const ctn_rpc_message *m)
{
    ctn_str version;
    ctn_err err = {0};
    client->initialize_id = 0;
    if (m->kind == CTN_RPC_ERROR)
        fail(client, "the server refuses initialize: %.*s (%lld)", CTN_STR_ARG(m->error_message),
             (long long) m->error_code);
    else if (ctn_mcp_parse_initialized(m->result, &version, &err))
        fail(client, "%s", err.message);
    else if (!ctn_mcp_is_legacy(version))
        fail(client, "the server wants to speak MCP version \"%.*s\", which is not known here",
             (int) (version.len < 64 ? version.len : 64), version.ptr);
    else
        begin_conversation(client, version);
}

/* ---- the list ---- */

/* A first list that fails ends the conversation; a later one leaves the old. */
static void list_failed(ctn_mcp_client *client, const char *why)
{
    ctn_mcp_tool_table_free(client->listing);
    client->listing = NULL;
    ctn_timer_clear(client->silence);
    if (client->state == LISTING)
        fail(client, "tools/list: %s", why);
    else
        client->options.events.relist_failed(client->options.events.ctx);
}

static void on_page(ctn_mcp_client *client, const ctn_mcp_tools_page *page)
{
    ctn_err err = {0};
    if (++client->pages > CTN_MCP_PAGES_MAX) {
        list_failed(client, "more than 1000 pages");
        return;
    }
    if (ctn_mcp_tool_table_add(client->listing, page, &err)) {
        list_failed(client, err.message);
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
    ctn_timer_clear(client->silence);
    ctn_mcp_tool_table_finish(table);
    client->listed_at_ms = ctn_loop_now_ms(client->options.loop);
    client->state = READY;
    client->options.events.ready(client->options.events.ctx, table);
}

static void on_list_answer(ctn_mcp_client *client, const ctn_rpc_message *m)
{
    ctn_mcp_tools_page page;
    ctn_err err = {0};
    client->list_id = 0;
    if (m->kind == CTN_RPC_RESULT) {
        if (ctn_mcp_parse_tools(client->incoming, m->result, &page, &err))
            list_failed(client, err.message);
        else
            on_page(client, &page);
        return;
    }
    bool is_bad_cursor = m->error_code == CTN_RPC_INVALID_PARAMS && client->pages > 0 && !client->has_restarted_list;
    bool is_bad_version = m->error_code == CTN_MCP_UNSUPPORTED_VERSION && ++client->version_tries < VERSION_TRIES_MAX;
    if (is_bad_cursor || is_bad_version) {
        client->has_restarted_list = true;
        begin_list(client);
        return;
    }
    (void) ctn_fail(&err, CTN_E_IO, "%.*s (%lld)", CTN_STR_ARG(m->error_message), (long long) m->error_code);
    list_failed(client, err.message);
}

/* ---- lines ---- */

static void count_stray(ctn_mcp_client *client)
{
    client->strays++;
    if (++client->strays_in_row > CTN_MCP_STRAYS_MAX)
        fail(client, "the server sent %d lines that are no MCP messages for us", CTN_MCP_STRAYS_MAX);
}

static void on_answer(ctn_mcp_client *client, const ctn_rpc_message *m)
{
    int64_t id = 0;
    if (!ctn_json_to_int64(m->id, &id) || id <= 0) {
        count_stray(client);
        return;
    }
    if (id == client->discover_id) {
        on_discover_answer(client, m);
    } else if (id == client->initialize_id) {
        on_initialize_answer(client, m);
    } else if (id == client->list_id) {
        on_list_answer(client, m);
    } else {
        void *call = ctn_token_map_take(&client->calls, (uint64_t) id);
        if (!call) {
            count_stray(client);
            return;
        }
        client->strays_in_row = 0;
        client->options.events.answered(client->options.events.ctx, call, m, client->incoming);
    }
}

/* Legacy servers ask too, and wait for an answer. */
static void on_request(ctn_mcp_client *client, const ctn_rpc_message *m)
{
    if (ctn_str_is(m->method, "ping"))
        ctn_rpc_write_result(&client->out, m->id, &(ctn_json){.kind = CTN_JSON_OBJECT});
    else
        ctn_rpc_write_error(&client->out, m->id, CTN_RPC_METHOD_NOT_FOUND,
                            CTN_STR("catena declared no capability for this"), NULL);
    flush_or_fail(client, "an answer");
}

static void on_notification(ctn_mcp_client *client, const ctn_rpc_message *m)
{
    ctn_mcp_progress progress;
    if (ctn_str_is(m->method, "notifications/tools/list_changed")) {
        client->is_changed = true;
    } else if (ctn_str_is(m->method, "notifications/progress") && ctn_mcp_parse_progress(m->params, &progress) &&
               progress.token > 0) {
        void *call = ctn_token_map_get(&client->calls, (uint64_t) progress.token);
        if (call)
            client->options.events.progress(client->options.events.ctx, call, &progress);
    }
}

void ctn_mcp_client_line(ctn_mcp_client *client, ctn_str line)
{
    if (client->state == FAILED || ctn_str_trim(line).len == 0)
        return;
    ctn_rpc_message m;
    ctn_arena_reset(client->incoming);
    int rc = ctn_rpc_parse(client->incoming, line, &m, NULL);
    if (rc == CTN_E_NOMEM && client->options.events.unread)
        client->options.events.unread(client->options.events.ctx, line);
    else if (rc)
        count_stray(client);
    if (rc)
        return;
    switch (m.kind) {
    case CTN_RPC_BROKEN: break;
    case CTN_RPC_REQUEST: on_request(client, &m); break;
    case CTN_RPC_NOTIFICATION: on_notification(client, &m); break;
    case CTN_RPC_RESULT:
    case CTN_RPC_ERROR: on_answer(client, &m); break;
    }
}

void ctn_mcp_client_stray(ctn_mcp_client *client)
{
    if (client->state != FAILED)
        count_stray(client);
}

void *ctn_mcp_client_too_large(ctn_mcp_client *client, int64_t id, const char *why)
{
    if (client->state == FAILED || id <= 0)
        return NULL;
    if (id == client->list_id) {
        client->list_id = 0;
        list_failed(client, why);
        return NULL;
    }
    if (id == client->discover_id || id == client->initialize_id) {
        fail(client, "the handshake: %s", why);
        return NULL;
    }
    void *call = ctn_token_map_take(&client->calls, (uint64_t) id);
    if (!call)
        count_stray(client);
    return call;
}

/* ---- the owner's side ---- */

ctn_mcp_client *ctn_mcp_client_new(const ctn_mcp_client_options *options)
{
    ctn_mcp_client *client = ctn_malloc(sizeof *client);
    *client = (ctn_mcp_client){
        .options = *options,
        .self = {.name = CTN_STR("catena"), .client_version = CTN_STR(CATENA_VERSION)},
        .next_id = 1,
        .incoming = ctn_arena_new(16384),
        .outgoing = ctn_arena_new(16384),
    };
    ctn_buf_init(&client->out, CTN_RPC_LINE_BYTES_MAX);
    client->silence = ctn_timer_new(options->loop, on_silence, client);
    return client;
}

void ctn_mcp_client_free(ctn_mcp_client *client)
{
    if (!client)
        return;
    ctn_timer_free(client->silence);
    ctn_mcp_tool_table_free(client->listing);
    ctn_token_map_done(&client->calls);
    ctn_buf_done(&client->out);
    ctn_arena_free(client->incoming);
    ctn_arena_free(client->outgoing);
    free(client);
}

void ctn_mcp_client_start(ctn_mcp_client *client)
{
    assert(client->state == IDLE);
    ctn_str pinned = client->options.pinned_version;
    if (ctn_mcp_is_legacy(pinned)) {
        send_initialize(client, pinned);
        return;
    }
    speak(client, CTN_STR(CTN_MCP_VERSION_MODERN));
    send_discover(client);
}

int64_t ctn_mcp_client_call(ctn_mcp_client *client, const ctn_mcp_call *request, void *call, bool *ret_too_large)
{
    *ret_too_large = false;
    if (client->state != READY)
        return 0;
    int64_t id = client->next_id++;
    ctn_mcp_call with_token = *request;
    with_token.progress_token = id;
    ctn_mcp_write_call(&client->out, client->outgoing, &client->self, id, &with_token);
    *ret_too_large = client->out.overflowed;
    if (!flush(client))
        return 0;
    ctn_token_map_put(&client->calls, (uint64_t) id, call);
    return id;
}

void ctn_mcp_client_cancel(ctn_mcp_client *client, int64_t id, ctn_str reason)
{
    ctn_mcp_write_cancelled(&client->out, client->outgoing, id, reason);
    (void) flush(client); /* a courtesy: a server that cannot be told has other troubles */
}

bool ctn_mcp_client_is_stale(const ctn_mcp_client *client)
{
    if (client->state != READY)
        return false;
    int64_t ttl = client->ttl_ms > LIST_TTL_MIN_MS ? client->ttl_ms : LIST_TTL_MIN_MS;
    return client->is_changed ||
           (client->ttl_ms > 0 && ctn_loop_now_ms(client->options.loop) - client->listed_at_ms > ttl);
}

void ctn_mcp_client_relist(ctn_mcp_client *client)
{
    assert(client->state == READY);
    if (client->listing)
        return;
    client->has_restarted_list = false;
    client->version_tries = 0;
    ctn_timer_set(client->silence, ctn_loop_now_ms(client->options.loop) + RELIST_LIMIT_MS);
    begin_list(client);
}

int64_t ctn_mcp_client_listed_at_ms(const ctn_mcp_client *client)
{
    return client->listed_at_ms;
}

ctn_str ctn_mcp_client_version(const ctn_mcp_client *client)
{
    return client->state >= LISTING ? client->self.version : (ctn_str){0};
}

uint64_t ctn_mcp_client_strays(const ctn_mcp_client *client)
{
    return client->strays;
}
