/* model_peer.c -- see model_peer.h. */
#include "support/model_peer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "support/http_peer.h"

#define ASKED_MAX 256

struct model_peer {
    http_peer *http;
    model_api api;
    model_turn *turns;
    size_t turn_count;
    pthread_mutex_t lock;
    char *heads[ASKED_MAX], *bodies[ASKED_MAX];
    unsigned asked_count;
};

/* The text as a JSON string, to be freed. */
static char *quoted(const char *text, size_t len)
{
    ctn_buf b;
    ctn_buf_init(&b, SIZE_MAX / 2);
    ctn_json_write_string(&b, (ctn_str){text, len});
    char *copy = strndup(b.data, b.len);
    ctn_buf_done(&b);
    return copy;
}

static unsigned keep(model_peer *peer, const http_asked *asked)
{
    pthread_mutex_lock(&peer->lock);
    unsigned n = peer->asked_count++;
    if (n < ASKED_MAX) {
        peer->heads[n] = strdup(asked->head);
        peer->bodies[n] = strndup(asked->body ? asked->body : "", asked->body_bytes);
    }
    pthread_mutex_unlock(&peer->lock);
    return n;
}

/* ---- streams ---- */

static void say_piece(http_asked *asked, const model_peer *peer, bool is_tool, const char *text, size_t len)
{
    char *piece = quoted(text, len);
    if (peer->api == MODEL_OPENAI)
        http_say_format(asked, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%s}}]}\n\n", piece);
    else
        http_say_format(asked,
                        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                        "{\"type\":\"%s\",\"%s\":%s}}\n\n",
                        is_tool ? "input_json_delta" : "text_delta", is_tool ? "partial_json" : "text", piece);
    free(piece);
}

static void say_begin(http_asked *asked, const model_peer *peer, const model_turn *t, bool is_tool)
{
    if (peer->api == MODEL_OPENAI) {
        http_say(
            asked,
            ": hello\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n");
        return;
    }
    http_say_format(
        asked,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"role\":\"assistant\",\"usage\":"
        "{\"input_tokens\":%ld,\"cache_read_input_tokens\":%ld,\"output_tokens\":1}}}\n\n"
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        t->input_tokens - t->cached_tokens, t->cached_tokens);
    http_say_format(asked,
                    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
                    "{\"type\":\"%s\"}}\n\n",
                    is_tool ? "tool_use" : "text");
}

static void say_end(http_asked *asked, const model_peer *peer, const model_turn *t, bool is_tool)
{
    if (peer->api == MODEL_ANTHROPIC) {
        http_say_format(
            asked,
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"%s\"},"
            "\"usage\":{\"output_tokens\":%ld}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            t->end    ? t->end
            : is_tool ? "tool_use"
                      : "end_turn",
            t->output_tokens);
        return;
    }
    char *refusal = t->refusal ? quoted(t->refusal, strlen(t->refusal)) : NULL;
    http_say_format(asked, "data: {\"choices\":[{\"index\":0,\"delta\":{%s%s},\"finish_reason\":\"%s\"}]}\n\n",
                    refusal ? "\"refusal\":" : "", refusal ? refusal : "", t->end ? t->end : "stop");
    free(refusal);
    if (t->input_tokens || t->output_tokens)
        http_say_format(asked,
                        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%ld,\"completion_tokens\":%ld,"
                        "\"prompt_tokens_details\":{\"cached_tokens\":%ld}}}\n\n",
                        t->input_tokens, t->output_tokens, t->cached_tokens);
    http_say(asked, "data: [DONE]\n\n");
}

static void stream(http_asked *asked, model_peer *peer, const model_turn *t, bool is_tool)
{
    http_say_format(asked,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n%sConnection: close\r\n\r\n",
                    t->headers ? t->headers : "");
    say_begin(asked, peer, t, is_tool);
    size_t length = strlen(t->text), said = t->way == MODEL_STREAMS ? length : length / 2;
    for (size_t at = 0; at < said; at += 4) {
        if (t->pause_ms)
            http_pause(asked->peer, t->pause_ms);
        say_piece(asked, peer, is_tool, t->text + at, said - at < 4 ? said - at : 4);
    }
    if (t->way == MODEL_STREAMS && !t->is_unended)
        say_end(asked, peer, t, is_tool);
    if (t->way == MODEL_FALLS_MUTE)
        http_hang(asked);
    else
        http_close(asked);
}

/* ---- whole answers ---- */

static void whole(http_asked *asked, const model_peer *peer, const model_turn *t, bool is_tool)
{
    char *text = quoted(t->text, strlen(t->text)), *body = NULL;
    ctn_buf b;
    ctn_buf_init(&b, SIZE_MAX / 2);
    if (peer->api == MODEL_OPENAI)
        ctn_buf_printf(
            &b,
            "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":%s},\"finish_reason\":"
            "\"%s\"}],\"usage\":{\"prompt_tokens\":%ld,\"completion_tokens\":%ld}}",
            text, t->end ? t->end : "stop", t->input_tokens, t->output_tokens);
    else
        ctn_buf_printf(
            &b,
            "{\"type\":\"message\",\"content\":[{\"type\":\"%s\",\"%s\":%s}],\"stop_reason\":\"%s\",\"usage\":"
            "{\"input_tokens\":%ld,\"output_tokens\":%ld}}",
            is_tool ? "tool_use" : "text", is_tool ? "input" : "text", is_tool ? t->text : text,
            t->end ? t->end : "end_turn", t->input_tokens, t->output_tokens);
    body = strndup(b.data, b.len);
    http_answer(asked, 200, "application/json", body);
    ctn_buf_done(&b);
    free(body);
    free(text);
}

static void fail(http_asked *asked, const model_turn *t)
{
    char *message = quoted(t->text ? t->text : "", strlen(t->text ? t->text : ""));
    ctn_buf b;
    ctn_buf_init(&b, SIZE_MAX / 2);
    ctn_buf_printf(&b, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":%s}}", t->type ? t->type : "error",
                   message);
    http_say_format(asked, "HTTP/1.1 %d No\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%.*s",
                    t->status, t->headers ? t->headers : "", b.len, (int) b.len, b.data);
    ctn_buf_done(&b);
    free(message);
}

static void serve(void *ctx, http_asked *asked)
{
    model_peer *peer = ctx;
    unsigned n = keep(peer, asked);
    const model_turn *t = &peer->turns[n < peer->turn_count ? n : peer->turn_count - 1];
    bool is_tool = peer->api == MODEL_ANTHROPIC && memmem(asked->body, asked->body_bytes, "\"tools\"", 7);
    if (t->status) {
        fail(asked, t);
        return;
    }
    switch (t->way) {
    case MODEL_STREAMS:
    case MODEL_CUT:
    case MODEL_FALLS_MUTE: stream(asked, peer, t, is_tool); break;
    case MODEL_WHOLE: whole(asked, peer, t, is_tool); break;
    case MODEL_CUT_EARLY: http_reset(asked); break;
    case MODEL_HANGS: http_hang(asked); break;
    case MODEL_RAW: http_answer(asked, 200, t->type, t->text); break;
    }
}

/* ---- life ---- */

model_peer *model_peer_start(model_api api, const model_turn *turns, size_t count)
{
    model_peer *peer = calloc(1, sizeof *peer);
    peer->api = api;
    peer->turns = malloc(count * sizeof *turns);
    memcpy(peer->turns, turns, count * sizeof *turns);
    peer->turn_count = count;
    pthread_mutex_init(&peer->lock, NULL);
    peer->http = http_peer_start(&(http_peer_options){.serve = serve, .ctx = peer});
    return peer;
}

void model_peer_stop(model_peer *peer)
{
    if (!peer)
        return;
    http_peer_stop(peer->http);
    for (unsigned i = 0; i < ASKED_MAX; i++) {
        free(peer->heads[i]);
        free(peer->bodies[i]);
    }
    pthread_mutex_destroy(&peer->lock);
    free(peer->turns);
    free(peer);
}

const char *model_peer_url(const model_peer *peer)
{
    return http_peer_url(peer->http);
}

unsigned model_peer_requests(model_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    unsigned count = peer->asked_count;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

static const char *kept(model_peer *peer, char *const *texts, unsigned n)
{
    pthread_mutex_lock(&peer->lock);
    const char *text = n < ASKED_MAX && texts[n] ? texts[n] : "";
    pthread_mutex_unlock(&peer->lock);
    return text;
}

const char *model_peer_body(model_peer *peer, unsigned n)
{
    return kept(peer, peer->bodies, n);
}

const char *model_peer_head(model_peer *peer, unsigned n)
{
    return kept(peer, peer->heads, n);
}
