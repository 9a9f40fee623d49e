/* Requests to a server that says what it likes: what is told of them, in which order, and whether it may have been
 * taken. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fetch.h"
#include "support/cmocka.h"
#include "support/http_peer.h"

typedef struct world {
    fetch *fetch;
    http_peer *peer;
    char url[200];
} world;

static void open_world(world *w, void (*serve)(void *ctx, http_asked *asked))
{
    w->peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = w});
    w->fetch = fetch_new(NULL);
    snprintf(w->url, sizeof w->url, "%s/x", http_peer_url(w->peer));
}

static void close_world(world *w)
{
    fetch_free(w->fetch);
    http_peer_stop(w->peer);
}

static void assert_body(const fetched *got, const char *text)
{
    assert_int_equal(got->body.len, strlen(text));
    if (got->body.len)
        assert_memory_equal(got->body.data, text, got->body.len);
}

/* ---- what goes well ---- */

static void echo(void *ctx, http_asked *asked)
{
    (void) ctx;
    char type[80] = "none", token[80] = "none", expect[80] = "none";
    http_asked_header(asked, "Content-Type", type, sizeof type);
    http_asked_header(asked, "Authorization", token, sizeof token);
    http_asked_header(asked, "Expect", expect, sizeof expect);
    char *body = NULL;
    int rc = asprintf(&body, "%s %s type=%s token=%s expect=%s body=%s", asked->method, asked->path, type, token,
                      expect, asked->body);
    assert_true(rc > 0);
    http_answer(asked, 200, "Application/JSON; charset=utf-8", body);
    free(body);
}

static void a_request_arrives_as_it_was_made_and_its_answer_is_told_in_order(void **state)
{
    world w;
    (void) state;
    open_world(&w, echo);
    ctn_http_header headers[] = {{CTN_STR("Content-Type"), CTN_STR("application/json"), false},
                                 {CTN_STR("Authorization"), CTN_STR("Bearer t"), true}};
    ctn_http_request request = request_of("POST", w.url, "{\"a\":1}");
    request.headers = headers;
    request.header_count = 2;
    fetched got = fetch_once(w.fetch, request);
    assert_int_equal(got.end.code, CTN_OK);
    assert_int_equal(got.heads, 1);
    assert_int_equal(got.status, 200);
    assert_int_equal(got.end.status, 200);
    assert_true(got.end.was_sent && got.end.has_head);
    assert_string_equal(got.content_type, "application/json");
    assert_body(&got, "POST /x type=application/json token=Bearer t expect=none body={\"a\":1}");
    fetched_done(&got);
    /* What the one was given does not stick to the next, which takes the same handle. */
    got = fetch_once(w.fetch, request_of("GET", w.url, NULL));
    assert_body(&got, "GET /x type=none token=none expect=none body=");
    fetched_done(&got);
    got = fetch_once(w.fetch, request_of("DELETE", w.url, NULL));
    assert_body(&got, "DELETE /x type=none token=none expect=none body=");
    fetched_done(&got);
    got = fetch_once(w.fetch, request_of("POST", w.url, ""));
    assert_body(&got, "POST /x type=none token=none expect=none body=");
    fetched_done(&got);
    assert_int_equal(http_peer_connections(w.peer), 1);
    close_world(&w);
}

static void a_thousand_at_once_all_end(void **state)
{
    world w;
    (void) state;
    open_world(&w, echo);
    enum { MANY = 1000 };
    fetched *all = calloc(MANY, sizeof *all);
    for (int i = 0; i < MANY; i++)
        fetch_send(w.fetch, &all[i], request_of("POST", w.url, "{}"));
    fetch_wait(w.fetch, all, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(all[i].end.code, CTN_OK);
        fetched_done(&all[i]);
    }
    free(all);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_arrives_as_it_was_made_and_its_answer_is_told_in_order),
        cmocka_unit_test(a_thousand_at_once_all_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
