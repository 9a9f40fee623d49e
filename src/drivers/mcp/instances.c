/*
 * instances.c -- which of a server's instances takes a call, and which one is left out for a while.
 *
 * A server may be many: several addresses, or several processes of one command. A call goes to the instance that has
 * the fewest calls in flight among those that are up; equals take turns. While all of them are busy, one more is begun,
 * so that there are as many as there is work for.
 *
 * An instance that loses calls is left out: at once when nothing could be sent to it, else after LOSSES_MAX in a row
 * (lost, or not answered in time). The rest grows with each time. When it is over one call is let through, and its
 * answer lets the instance back in. Of a server's only instance nothing of that holds: there is no other to go to.
 *
 * What must hold: a call moves to another instance only as long as it is certain that none has it (a call that was
 * sent is answered or lost where it was sent), and each of them is tried at most once.
 */
#include "drivers/mcp/internal.h"
#include "base/memory.h"
#include "drivers/mcp/definition.h"
#include <stdio.h>
#include <stdlib.h>

#define LOSSES_MAX    3
#define REST_FIRST_MS 1000
#define REST_MAX_MS   60000

static size_t busy(const ctn_mcp_peer *peer)
{
    return peer->waiting.count + peer->sent.count;
}

static int64_t out_until_ms(const ctn_mcp_peer *peer)
{
    bool rests = peer->state != CTN_MCP_UP && peer->state != CTN_MCP_STARTING;
    int64_t until_ms = rests ? peer->rest_until_ms : 0;
    return peer->out_until_ms > until_ms ? peer->out_until_ms : until_ms;
}

/* Left out, or on probation and with a call that will tell. */
static bool is_out(const ctn_mcp_peer *peer, int64_t now_ms)
{
    return out_until_ms(peer) > now_ms || (peer->times_out && busy(peer) > 0);
}

static bool is_better(const ctn_mcp_peer *a, const ctn_mcp_peer *b, int64_t now_ms)
{
    bool a_is_out = is_out(a, now_ms), b_is_out = is_out(b, now_ms);
    if (a_is_out != b_is_out)
        return b_is_out;
    if (a_is_out && out_until_ms(a) != out_until_ms(b))
        return out_until_ms(a) < out_until_ms(b);
    bool a_is_up = a->state == CTN_MCP_UP, b_is_up = b->state == CTN_MCP_UP;
    return a_is_up != b_is_up ? a_is_up : busy(a) < busy(b);
}

/* but: not that one; NULL: any. */
static ctn_mcp_peer *choose(ctn_mcp_server *server, const ctn_mcp_peer *but)
{
    int64_t now = ctn_loop_now_ms(server->driver->options.loop);
    ctn_mcp_peer *best = NULL;
    for (size_t i = 0; i < server->peer_count; i++) {
        ctn_mcp_peer *peer = &server->peers[(server->turn + i) % server->peer_count];
        if (peer != but && (!best || is_better(peer, best, now)))
            best = peer;
    }
    server->turn = (size_t) (best - server->peers) + 1;
    return best;
}

static void begin_one_more(ctn_mcp_server *server)
{
    int64_t now = ctn_loop_now_ms(server->driver->options.loop);
    for (size_t i = 0; i < server->peer_count; i++)
        if (server->peers[i].state == CTN_MCP_STARTING)
            return; /* one at a time */
    for (size_t i = 0; i < server->peer_count; i++) {
        ctn_mcp_peer *peer = &server->peers[i];
        if (peer->state == CTN_MCP_DOWN && !is_out(peer, now)) {
            (void) ctn_mcp_peer_bring_up(peer);
            return;
        }
    }
}

ctn_mcp_peer *ctn_mcp_instance_for_call(ctn_mcp_server *server)
{
    if (server->peer_count == 1)
        return &server->peers[0];
    ctn_mcp_peer *peer = choose(server, NULL);
    if (peer->state == CTN_MCP_UP && busy(peer) > 0)
        begin_one_more(server);
    return peer;
}

/* ---- calls that go elsewhere ---- */

static ctn_mcp_peer *another(ctn_mcp_peer *peer, unsigned moves)
{
    ctn_mcp_server *server = peer->server;
    if (server->peer_count < 2 || moves + 1 >= server->peer_count || server->driver->is_shut_down)
        return NULL;
    ctn_mcp_peer *other = choose(server, peer);
    return is_out(other, ctn_loop_now_ms(server->driver->options.loop)) ? NULL : other;
}

bool ctn_mcp_flight_move(ctn_mcp_flight *f)
{
    ctn_mcp_peer *other = f->arena && !f->is_bound && !f->is_given_up ? another(f->peer, f->moves) : NULL;
    if (!other)
        return false;
    ctn_mcp_flight_leave(f);
    f->moves++;
    f->id = 0;
    f->peer = other;
    bool is_first = !other->waiting.first;
    ctn_mcp_flight_add(&other->waiting, f);
    if (ctn_mcp_peer_bring_up(other) && is_first)
        ctn_mcp_flight_send(f);
    return true;
}

/* Whoever waits only for the server to be up is told by another one that it is. */
static bool move_waiter(ctn_mcp_peer *peer, ctn_mcp_waiter *w)
{
    ctn_mcp_peer *other = w->all ? NULL : another(peer, w->moves);
    if (!other)
        return false;
    w->moves++;
    w->next = other->waiters;
    other->waiters = w;
    if (ctn_mcp_peer_bring_up(other))
        ctn_mcp_peer_tell_waiters(other, CTN_OK, "");
    return true;
}

void ctn_mcp_instance_left(ctn_mcp_peer *peer)
{
    size_t count = peer->waiting.count;
    if (peer->server->peer_count == 1)
        return;
    for (size_t i = 0; i < count && peer->waiting.first; i++) {
        ctn_mcp_flight *f = peer->waiting.first;
        if (!ctn_mcp_flight_move(f)) { /* behind the others, which may be luckier */
            ctn_mcp_flight_leave(f);
            ctn_mcp_flight_add(&peer->waiting, f);
        }
    }
    ctn_mcp_waiter *list = peer->waiters;
    peer->waiters = NULL;
    while (list) {
        ctn_mcp_waiter *w = list;
        list = w->next;
        if (!move_waiter(peer, w)) {
            w->next = peer->waiters;
            peer->waiters = w;
        }
    }
}

/* ---- health ---- */

static void log_instance(const ctn_mcp_peer *peer, const char *message)
{
    char name[128];
    (void) snprintf(name, sizeof name, "%.*s", CTN_STR_ARG(peer->server->config.name));
    ctn_log_line(peer->driver->options.log, CTN_LOG_WARN, message, "server", name, "instance", peer->shown, NULL);
}

void ctn_mcp_instance_failed(ctn_mcp_peer *peer, bool was_sent)
{
    if (peer->server->peer_count == 1)
        return;
    peer->losses++;
    if (was_sent && peer->losses < LOSSES_MAX && !peer->times_out)
        return;
    int64_t now = ctn_loop_now_ms(peer->driver->options.loop), rest_ms = REST_FIRST_MS;
    if (peer->out_until_ms > now)
        return; /* calls that were in flight when it was left out */
    for (unsigned i = 0; i < peer->times_out && rest_ms < REST_MAX_MS; i++)
        rest_ms *= 2;
    peer->out_until_ms = now + (rest_ms < REST_MAX_MS ? rest_ms : REST_MAX_MS);
    peer->losses = 0;
    if (peer->times_out++ == 0)
        log_instance(peer, "an instance of a server is left out: it loses its calls");
}

void ctn_mcp_instance_answered(ctn_mcp_peer *peer)
{
    peer->losses = 0;
    if (!peer->times_out)
        return;
    peer->times_out = 0;
    peer->out_until_ms = 0;
    log_instance(peer, "an instance of a server is back");
}

/* ---- what they list ---- */

static ctn_digest digest_of(const ctn_mcp_tool_table *table)
{
    ctn_arena *arena = ctn_arena_new(16384);
    ctn_buf text;
    size_t count = 0;
    const ctn_mcp_tool *tools = ctn_mcp_tool_table_all(table, &count);
    ctn_hasher h;
    ctn_hasher_init(&h);
    ctn_buf_init(&text, 2 * CTN_MCP_TOOL_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        ctn_buf_clear(&text);
        ctn_json_write_canonical(&text, ctn_mcp_definition(arena, &tools[i]));
        ctn_hasher_add(&h, ctn_buf_str(&text));
        ctn_arena_reset(arena);
    }
    ctn_buf_done(&text);
    ctn_arena_free(arena);
    return ctn_hasher_finish(&h);
}

void ctn_mcp_instance_listed(ctn_mcp_peer *peer)
{
    const ctn_mcp_server *server = peer->server;
    if (server->peer_count == 1)
        return;
    ctn_digest listed = digest_of(peer->tools);
    bool is_news = memcmp(&listed, &peer->listed, sizeof listed) != 0;
    peer->listed = listed;
    for (size_t i = 0; is_news && i < server->peer_count; i++) {
        const ctn_mcp_peer *other = &server->peers[i];
        if (other == peer || !other->tools || memcmp(&other->listed, &listed, sizeof listed) == 0)
            continue;
        log_instance(peer, "the instances of a server list different tools");
        return;
    }
}

/* ---- continuations ---- */

#define INSTANCE "instance"

static ctn_str name_of(const ctn_mcp_peer *peer, ctn_arena *arena)
{
    return peer->url ? ctn_str_from(peer->shown)
                     : ctn_arena_printf(arena, "%zu", (size_t) (peer - peer->server->peers) + 1);
}

const ctn_json *ctn_mcp_instance_mark(const ctn_mcp_peer *peer, const ctn_json *continuation, ctn_arena *arena)
{
    if (peer->server->peer_count == 1 || !ctn_json_is(continuation, CTN_JSON_OBJECT))
        return continuation;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_all(&b, continuation);
    ctn_json_put_str(&b, INSTANCE, name_of(peer, arena));
    return ctn_json_finish(&b);
}

ctn_mcp_peer *ctn_mcp_instance_of_mark(ctn_mcp_server *server, const ctn_json *continuation, ctn_str *ret_name)
{
    *ret_name = ctn_json_str_or(continuation, INSTANCE, (ctn_str){0});
    if (!ret_name->len)
        return &server->peers[0];
    ctn_arena_mark mark = ctn_arena_save(server->driver->scratch);
    ctn_mcp_peer *found = NULL;
    for (size_t i = 0; i < server->peer_count && !found; i++)
        if (ctn_str_equal(*ret_name, name_of(&server->peers[i], server->driver->scratch)))
            found = &server->peers[i];
    ctn_arena_restore(server->driver->scratch, mark);
    return found;
}

/* ---- told ---- */

static const char *word_of(const ctn_mcp_peer *peer, int64_t now_ms)
{
    static const char *const STATES[] = {"down", "starting", "up", "ending", "resting"};
    return out_until_ms(peer) > now_ms ? "left out" : STATES[peer->state];
}

bool ctn_mcp_instance(const ctn_mcp_driver *driver, ctn_str server_name, size_t i, ctn_mcp_instance_state *ret_state)
{
    const ctn_mcp_server *server = ctn_mcp_server_named(driver, server_name);
    if (!server || i >= server->peer_count)
        return false;
    const ctn_mcp_peer *peer = &server->peers[i];
    int64_t now = ctn_loop_now_ms(driver->options.loop);
    size_t count = 0;
    (void) ctn_mcp_tool_table_all(peer->tools, &count);
    *ret_state = (ctn_mcp_instance_state){
        .url = peer->url ? peer->shown : NULL,
        .pid = peer->transport ? ctn_mcp_transport_pid(peer->transport) : 0,
        .state = word_of(peer, now),
        .calls = busy(peer),
        .tool_count = count,
        .why = peer->state == CTN_MCP_UP ? "" : peer->why.message,
    };
    return true;
}

const ctn_mcp_tool *ctn_mcp_tools_of(const ctn_mcp_driver *driver, ctn_str server_name, size_t i, size_t *ret_count)
{
    const ctn_mcp_server *server = ctn_mcp_server_named(driver, server_name);
    bool is_there = server && i < server->peer_count;
    return ctn_mcp_tool_table_all(is_there ? server->peers[i].tools : NULL, ret_count);
}
