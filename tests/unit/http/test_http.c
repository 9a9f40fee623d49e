/* Requests to a server that says what it likes: what is told of them, in which order, and whether it may have been
 * taken. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "world.h"

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

/* ---- the same bytes in every packing ---- */

static void an_answer_in_single_bytes_is_the_same(void **state)
{
    world w = {
        .say = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Test:   a b  \r\nTransfer-Encoding: chunked\r\n\r\n"
               "1\r\na\r\n1\r\nb\r\n2;x=y\r\ncd\r\n0\r\nX-Test: trailer\r\n\r\n"};
    (void) state;
    open_world(&w, say_bytewise);
    for (int i = 0; i < 2; i++) { /* the second on the same connection: nothing is left of the first */
        fetched got = fetch_once(w.fetch, request_of("POST", w.url, "{}"));
        assert_int_equal(got.end.code, CTN_OK);
        assert_int_equal(got.heads, 1);
        assert_string_equal(got.header, "a b");
        assert_string_equal(got.content_type, "");
        assert_body(&got, "abcd");
        fetched_done(&got);
    }
    assert_int_equal(http_peer_connections(w.peer), 1);
    close_world(&w);
}

/* ---- answers that are not what they say ---- */

static void an_answer_that_lies_or_is_cut_is_lost_and_one_that_is_whole_is_not(void **state)
{
    static const struct {
        const char *say;
        int code;
        bool has_head;
        const char *body;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", CTN_E_IO, true, "abc"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", CTN_OK, true, "ab"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nabc", CTN_E_IO, false, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc", CTN_OK, true, "abc"},
        {"HTTP/1.1 200 OK\r\n\r\nabc", CTN_OK, true, "abc"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", CTN_E_IO, true, "abc"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", CTN_E_IO, true, "ab"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc", CTN_E_IO, true, ""},
        {"HTTP/1.1 200 OK\r\nContent-Ty", CTN_E_IO, false, ""},
        {"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", CTN_OK, true, ""},
        {"HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", CTN_OK, true, ""},
        {"HTTP/1.1 100 Continue\r\n\r\n", CTN_E_IO, false, ""},
        {"{\"jsonrpc\":\"2.0\"}\n", CTN_E_IO, false, ""},
        {"", CTN_E_IO, false, ""},
        {"SSH-2.0-OpenSSH_9.2\r\n", CTN_E_IO, false, ""},
    };
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world w = {.say = rows[i].say};
        open_world(&w, say_and_close);
        fetched got = fetch_once(w.fetch, request_of("POST", w.url, "{}"));
        if (got.end.code != rows[i].code || got.end.has_head != rows[i].has_head)
            fail_msg("row %zu: code %d, head %d: %s", i, got.end.code, got.end.has_head, got.why);
        assert_true(got.end.was_sent);
        assert_int_equal(got.heads, rows[i].has_head);
        assert_true((got.why[0] == '\0') == (rows[i].code == CTN_OK));
        assert_body(&got, rows[i].body);
        assert_int_equal(http_peer_requests(w.peer), 1);
        fetched_done(&got);
        close_world(&w);
    }
}

static void say_headers_without_end(void *ctx, http_asked *asked)
{
    (void) ctx;
    http_say(asked, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 100000 && !asked->is_closed; i++)
        http_say_format(asked, "X-%d: %0100d\r\n", i, i);
    http_close(asked);
}

static void say_a_body_without_end(void *ctx, http_asked *asked)
{
    (void) ctx;
    http_say(asked, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 100000 && !asked->is_closed; i++)
        http_say_format(asked, "%01000d", i);
    http_close(asked);
}

static void what_has_no_end_is_given_up_at_its_bound(void **state)
{
    world w = {0};
    (void) state;
    open_world(&w, say_headers_without_end);
    fetched got = fetch_once(w.fetch, request_of("POST", w.url, "{}"));
    assert_int_equal(got.end.code, CTN_E_LIMIT);
    assert_int_equal(got.heads, 0);
    fetched_done(&got);
    close_world(&w);
    open_world(&w, say_a_body_without_end);
    ctn_http_request request = request_of("POST", w.url, "{}");
    request.body_bytes_max = 100000;
    got = fetch_once(w.fetch, request);
    assert_int_equal(got.end.code, CTN_E_LIMIT);
    assert_true(got.body.len <= 100000 && got.end.was_sent);
    fetched_done(&got);
    close_world(&w);
}

/* ---- connections that go ---- */

static void answer_once_then(void *ctx, http_asked *asked)
{
    world *w = ctx;
    if (asked->connection == 1 && asked->turn == 2) {
        if (strcmp(w->other, "reset") == 0)
            http_reset(asked);
        else
            http_close(asked);
    } else {
        http_answer(asked, 200, NULL, "ok");
    }
}

/* The kept connection dies when our request is there: the peer may have worked on it, so it is not sent again. */
static void a_post_on_a_kept_connection_that_dies_is_lost_and_not_repeated(void **state)
{
    (void) state;
    static const char *const ways[] = {"reset", "close"};
    for (int i = 0; i < 2; i++) {
        world w = {0};
        snprintf(w.other, sizeof w.other, "%s", ways[i]);
        open_world(&w, answer_once_then);
        fetched got = fetch_once(w.fetch, request_of("POST", w.url, "{}"));
        assert_int_equal(got.end.code, CTN_OK);
        fetched_done(&got);
        got = fetch_once(w.fetch, request_of("POST", w.url, "{\"pay\":1}"));
        assert_int_equal(got.end.code, CTN_E_IO);
        assert_true(got.end.was_sent);
        assert_holds(got.why, "kept");
        fetched_done(&got);
        fetch_run_for(w.fetch, 50);
        assert_int_equal(http_peer_requests(w.peer), 2);
        close_world(&w);
    }
}

static void a_get_on_a_kept_connection_that_dies_is_tried_anew(void **state)
{
    world w = {.other = "close"};
    (void) state;
    open_world(&w, answer_once_then);
    fetched got = fetch_once(w.fetch, request_of("GET", w.url, NULL));
    fetched_done(&got);
    got = fetch_once(w.fetch, request_of("GET", w.url, NULL));
    assert_int_equal(got.end.code, CTN_OK);
    assert_body(&got, "ok");
    fetched_done(&got);
    assert_int_equal(http_peer_requests(w.peer), 3);
    close_world(&w);
}

static void answer_and_close(void *ctx, http_asked *asked)
{
    (void) ctx;
    http_answer(asked, 200, NULL, "ok"); /* as if the connection were kept */
    http_close(asked);
}

static void a_connection_that_was_closed_between_requests_costs_none(void **state)
{
    world w = {0};
    (void) state;
    open_world(&w, answer_and_close);
    for (int i = 0; i < 5; i++) {
        fetched got = fetch_once(w.fetch, request_of("POST", w.url, "{}"));
        assert_int_equal(got.end.code, CTN_OK);
        fetched_done(&got);
        fetch_run_for(w.fetch, 20);
    }
    assert_int_equal(http_peer_requests(w.peer), 5);
    assert_int_equal(http_peer_connections(w.peer), 5);
    close_world(&w);
}

static bool refuse_all(void *ctx, unsigned connection)
{
    (void) ctx, (void) connection;
    return false;
}

static void what_was_never_reached_was_not_sent(void **state)
{
    world w = {0};
    (void) state;
    open_world(&w, echo);
    http_peer_stop(w.peer); /* nobody listens there any more */
    w.peer = NULL;
    fetched got = fetch_once(w.fetch, request_of("POST", w.url, "{}"));
    assert_int_equal(got.end.code, CTN_E_IO);
    assert_false(got.end.was_sent);
    fetched_done(&got);
    got = fetch_once(w.fetch, request_of("POST", "https://no-such-host.invalid/", "{}"));
    assert_int_equal(got.end.code, CTN_E_IO);
    assert_false(got.end.was_sent);
    fetched_done(&got);
    close_world(&w);
    /* Accepted and reset at once: whether bytes of ours went out depends on who was faster; the answer is lost. */
    world r = {.fetch = fetch_new(NULL)};
    r.peer = http_peer_start(&(http_peer_options){.serve = echo, .opened = refuse_all});
    got = fetch_once(r.fetch, request_of("POST", http_peer_url(r.peer), "{}"));
    assert_int_equal(got.end.code, CTN_E_IO);
    fetched_done(&got);
    close_world(&r);
}

static void say_nothing_of_tls(void *ctx, int fd)
{
    (void) ctx, (void) fd; /* closed behind us */
}

static void a_handshake_that_fails_sends_nothing(void **state)
{
    (void) state;
    world w = {.fetch = fetch_new(NULL)};
    w.peer = http_peer_start(&(http_peer_options){.connection = say_nothing_of_tls});
    snprintf(w.url, sizeof w.url, "https://127.0.0.1:%d/", http_peer_port(w.peer));
    fetched got = fetch_once(w.fetch, request_of("POST", w.url, "{}"));
    assert_int_equal(got.end.code, CTN_E_IO);
    assert_false(got.end.was_sent);
    fetched_done(&got);
    close_world(&w);
}

/* ---- time ---- */

static void hang(void *ctx, http_asked *asked)
{
    http_say(asked, ((world *) ctx)->say);
    http_hang(asked);
}

static void drip(void *ctx, http_asked *asked)
{
    (void) ctx;
    http_say(asked, "HTTP/1.1 200 OK\r\n\r\n");
    for (int i = 0; i < 12; i++) {
        http_pause(asked->peer, 25);
        http_say(asked, ".");
    }
    http_close(asked);
}

static void who_is_silent_is_waited_for_as_long_as_said(void **state)
{
    static const char *const says[] = {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na"};
    (void) state;
    for (size_t i = 0; i < 6; i++) {
        world w = {.say = says[i % 3]};
        open_world(&w, hang);
        ctn_http_request request = request_of("POST", w.url, "{}");
        *(i < 3 ? &request.timeout_ms : &request.silence_timeout_ms) = 60;
        fetched got = fetch_once(w.fetch, request);
        assert_int_equal(got.end.code, CTN_E_TIMEOUT);
        assert_true(got.end.was_sent);
        assert_int_equal(got.end.has_head, i % 3 == 2);
        fetched_done(&got);
        close_world(&w);
    }
    /* Bytes are no silence, but the whole has its time. */
    world w = {0};
    open_world(&w, drip);
    ctn_http_request request = request_of("POST", w.url, "{}");
    request.silence_timeout_ms = 200;
    fetched got = fetch_once(w.fetch, request);
    assert_int_equal(got.end.code, CTN_OK);
    assert_int_equal(got.body.len, 12);
    fetched_done(&got);
    request.timeout_ms = 100;
    got = fetch_once(w.fetch, request);
    assert_int_equal(got.end.code, CTN_E_TIMEOUT);
    fetched_done(&got);
    close_world(&w);
}

/* A call that waits for a free connection has its time, too. */
static void who_waits_for_a_connection_is_not_forgotten(void **state)
{
    world w = {.say = ""};
    (void) state;
    w.peer = http_peer_start(&(http_peer_options){.serve = hang, .ctx = &w});
    w.fetch = fetch_new(&(ctn_http_options){.connections_per_host_max = 2});
    fetched all[5] = {0};
    for (int i = 0; i < 5; i++) {
        ctn_http_request request = request_of("POST", http_peer_url(w.peer), "{}");
        request.timeout_ms = i < 2 ? 150 : 0;
        request.connect_timeout_ms = 50;
        fetch_send(w.fetch, &all[i], request);
    }
    fetch_wait(w.fetch, all, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(all[i].end.code, CTN_E_TIMEOUT);
        assert_int_equal(all[i].end.was_sent, i < 2);
        fetched_done(&all[i]);
    }
    assert_int_equal(http_peer_connections(w.peer), 2);
    close_world(&w);
}

/* ---- cancelling ---- */

static void nothing_is_told_after_a_cancel_and_the_others_go_on(void **state)
{
    world w = {.say = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"};
    (void) state;
    open_world(&w, hang);
    fetched all[4] = {{0}, {.cancels_at_head = true}, {.cancels_at_bytes = true}, {0}};
    for (int i = 0; i < 4; i++)
        fetch_send(w.fetch, &all[i], request_of("POST", w.url, "{}"));
    ctn_http_call_cancel(all[0].call); /* before it began */
    fetch_run_for(w.fetch, 100);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(all[i].ends, 0);
        assert_int_equal(all[i].heads, i > 0);
        assert_true(i == 3 ? all[i].call != NULL : all[i].call == NULL || i == 0);
        fetched_done(&all[i]);
    }
    assert_int_equal(all[1].body.len, 0);
    close_world(&w); /* the last is under way: freed with the handle, untold */
}

/* ---- what is wrong with a request ---- */

static void a_request_that_cannot_be_leaves_nothing(void **state)
{
    world w = {0};
    (void) state;
    open_world(&w, echo);
    ctn_http_header broken[] = {{CTN_STR("X"), CTN_STR("a\r\nHost: evil"), false},
                                {CTN_STR("X: y\r\nZ"), CTN_STR("a"), false}};
    for (int i = 0; i < 4; i++) {
        ctn_http_request request =
            request_of(i == 2 ? "POST /\r\n" : "POST", i == 3 ? "ftp://127.0.0.1/" : w.url, "{}");
        if (i < 2) {
            request.headers = &broken[i];
            request.header_count = 1;
        }
        fetched got = fetch_once(w.fetch, request);
        assert_int_equal(got.end.code, CTN_E_INVALID);
        assert_false(got.end.was_sent);
        assert_true(got.why[0] != '\0');
        fetched_done(&got);
    }
    assert_int_equal(http_peer_requests(w.peer), 0);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_arrives_as_it_was_made_and_its_answer_is_told_in_order),
        cmocka_unit_test(a_thousand_at_once_all_end),
        cmocka_unit_test(an_answer_in_single_bytes_is_the_same),
        cmocka_unit_test(an_answer_that_lies_or_is_cut_is_lost_and_one_that_is_whole_is_not),
        cmocka_unit_test(what_has_no_end_is_given_up_at_its_bound),
        cmocka_unit_test(a_post_on_a_kept_connection_that_dies_is_lost_and_not_repeated),
        cmocka_unit_test(a_get_on_a_kept_connection_that_dies_is_tried_anew),
        cmocka_unit_test(a_connection_that_was_closed_between_requests_costs_none),
        cmocka_unit_test(what_was_never_reached_was_not_sent),
        cmocka_unit_test(a_handshake_that_fails_sends_nothing),
        cmocka_unit_test(who_is_silent_is_waited_for_as_long_as_said),
        cmocka_unit_test(who_waits_for_a_connection_is_not_forgotten),
        cmocka_unit_test(nothing_is_told_after_a_cancel_and_the_others_go_on),
        cmocka_unit_test(a_request_that_cannot_be_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
