/* web.c -- see web.h. */
#include "web.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "support/cmocka.h"

static void on_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    (void) ctx;
    ctn_mcp_write_progress(call->out, call->arena, call->progress_token, 1, 3, CTN_STR("working"));
    if (call->tool == 1)
        ret_reply->error = CTN_STR("said no");
    else
        ret_reply->value = call->arguments;
}

static const ctn_mcp_server_tool TOOLS[] = {
    {.name = "echo", .input_schema = "{\"type\":\"object\"}"},
    {.name = "refuse", .input_schema = "{\"type\":\"object\"}"},
    {.name = "region",
     .input_schema =
         "{\"type\":\"object\",\"properties\":{\"region\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"}}}"},
    {.name = "bad_header",
     .input_schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\",\"x-mcp-header\":\"N\"}}}"},
};

/* What stands after `"NAME":` in the text, without quotes. */
static void member_of(const char *body, const char *name, char *out, size_t out_bytes)
{
    char mark[64];
    (void) snprintf(mark, sizeof mark, "\"%s\":", name);
    const char *at = strstr(body, mark);
    out[0] = '\0';
    if (!at)
        return;
    at += strlen(mark);
    at += *at == '"';
    size_t n = strcspn(at, "\",}");
    (void) snprintf(out, out_bytes, "%.*s", (int) n, at);
}

static const web_asked *keep(web *w, http_asked *asked)
{
    web_asked *a = &w->asked[w->asked_count < WEB_ASKED_MAX ? w->asked_count++ : WEB_ASKED_MAX - 1];
    *a = (web_asked){0};
    (void) snprintf(a->http, sizeof a->http, "%s", asked->method);
    (void) snprintf(a->path, sizeof a->path, "%s", asked->path);
    (void) snprintf(a->body, sizeof a->body, "%s", asked->body ? asked->body : "");
    member_of(a->body, "method", a->method, sizeof a->method);
    member_of(a->body, "id", a->id, sizeof a->id);
    (void) http_asked_header(asked, "MCP-Protocol-Version", a->version, sizeof a->version);
    (void) http_asked_header(asked, "Mcp-Method", a->mcp_method, sizeof a->mcp_method);
    (void) http_asked_header(asked, "Mcp-Name", a->name, sizeof a->name);
    (void) http_asked_header(asked, "Mcp-Param-Region", a->region, sizeof a->region);
    (void) http_asked_header(asked, "Mcp-Session-Id", a->session, sizeof a->session);
    (void) http_asked_header(asked, "Last-Event-ID", a->last_event, sizeof a->last_event);
    (void) http_asked_header(asked, "Authorization", a->authorization, sizeof a->authorization);
    (void) http_asked_header(asked, "Accept", a->accept, sizeof a->accept);
    (void) http_asked_header(asked, "Content-Type", a->type, sizeof a->type);
    return a;
}

char *web_lines(web *w, const char *message)
{
    ctn_buf out;
    ctn_buf_init(&out, 8 << 20);
    ctn_mcp_server_line(w->server, ctn_str_from(message), &out);
    char *text = calloc(1, out.len + 1);
    assert_non_null(text);
    if (out.len)
        memcpy(text, out.data, out.len);
    ctn_buf_done(&out);
    return text;
}

void web_answer(web *w, http_asked *asked, bool as_stream)
{
    char *lines = web_lines(w, asked->body), *last = lines;
    size_t len = strlen(lines);
    const char *session = strstr(asked->body, "\"initialize\"") && w->session[0] ? w->session : NULL;
    if (len == 0) {
        http_answer(asked, 202, NULL, "");
    } else if (as_stream) {
        http_say_format(
            asked, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n%s%s%s\r\n: hello\n\n",
            session ? "Mcp-Session-Id: " : "", session ? session : "", session ? "\r\n" : "");
        for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"))
            http_say_format(asked, "event: message\ndata: %s\n\n", line);
        http_close(asked);
    } else {
        lines[len - 1] = '\0';
        last = strrchr(lines, '\n') ? strrchr(lines, '\n') + 1 : lines; /* progress has no place in it */
        http_say_format(
            asked,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n%s%s%sContent-Length: %zu\r\n\r\n%s",
            session ? "Mcp-Session-Id: " : "", session ? session : "", session ? "\r\n" : "", strlen(last), last);
    }
    free(lines);
}

static void on_request(void *ctx, http_asked *asked)
{
    web *w = ctx;
    pthread_mutex_lock(&w->lock);
    const web_asked *what = keep(w, asked);
    bool is_done = w->serve && w->serve(w, asked, what);
    if (!is_done && strcmp(asked->method, "POST") != 0)
        http_answer(asked, 405, "text/plain", "no");
    else if (!is_done)
        web_answer(w, asked, false);
    pthread_mutex_unlock(&w->lock);
}

void web_start(web *w, web_era era, bool (*serve)(web *w, http_asked *asked, const web_asked *what))
{
    ctn_mcp_server_options options = {.name = "web",
                                      .version = "1",
                                      .tools = TOOLS,
                                      .tool_count = sizeof TOOLS / sizeof *TOOLS,
                                      .tools_per_page = 3,
                                      .call = on_call,
                                      .without_modern = !(era & WEB_MODERN),
                                      .without_legacy = !(era & WEB_LEGACY)};
    *w = (web){.serve = serve};
    pthread_mutex_init(&w->lock, NULL);
    assert_int_equal(ctn_mcp_server_new(&options, &w->server, NULL), CTN_OK);
    w->peer = http_peer_start(&(http_peer_options){.serve = on_request, .ctx = w});
    assert_non_null(w->peer);
    (void) snprintf(w->url, sizeof w->url, "%s/mcp", http_peer_url(w->peer));
}

void web_stop(web *w)
{
    if (!w->peer)
        return;
    http_peer_stop(w->peer);
    ctn_mcp_server_free(w->server);
    pthread_mutex_destroy(&w->lock);
    w->peer = NULL;
}

static bool is_of(const web_asked *a, const char *method)
{
    return strcmp(a->method, method) == 0 || (a->method[0] == '\0' && strcmp(a->http, method) == 0);
}

size_t web_count(web *w, const char *method)
{
    size_t count = 0;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->asked_count; i++)
        count += is_of(&w->asked[i], method);
    pthread_mutex_unlock(&w->lock);
    return count;
}

const web_asked *web_nth(web *w, const char *method, size_t n)
{
    const web_asked *found = NULL;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->asked_count && !found; i++)
        if (is_of(&w->asked[i], method) && n-- == 0)
            found = &w->asked[i];
    pthread_mutex_unlock(&w->lock);
    if (!found)
        fail_msg("no such request: %s", method);
    return found;
}

bool web_is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool web_serve_hangs(web *w, http_asked *asked, const web_asked *what)
{
    if (!web_is(what->method, "tools/call") || !strstr(asked->body, "\"hang\""))
        return false;
    http_say(asked, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: here\n\n");
    pthread_mutex_unlock(&w->lock);
    http_hang(asked); /* until the client closes */
    pthread_mutex_lock(&w->lock);
    w->step++;
    return true;
}
