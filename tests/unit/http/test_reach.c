/* Where a request may go, and where an answer may send it: redirects, secrets, addresses. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "world.h"

static void send_elsewhere(void *ctx, http_asked *asked)
{
    world *w = ctx;
    int status = 307;
    if (strcmp(asked->path, "/x") != 0) {
        echo(ctx, asked);
        return;
    }
    sscanf(w->say, "%d", &status);
    http_say_format(asked, "HTTP/1.1 %d Go\r\nLocation: %s\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\naway",
                    status, w->other);
}

static fetched ask(world *w, const char *method, unsigned redirects_max, const ctn_http_policy *policy)
{
    ctn_http_header headers[] = {{CTN_STR("Authorization"), CTN_STR("Bearer t"), false},
                                 {CTN_STR("Content-Type"), CTN_STR("a/b"), false},
                                 {CTN_STR("X-Key"), CTN_STR("s"), true}};
    ctn_http_request request = request_of(method, w->url, strcmp(method, "POST") == 0 ? "{}" : NULL);
    request.headers = headers;
    request.header_count = 3;
    request.redirects_max = redirects_max;
    request.policy = policy;
    return fetch_once(w->fetch, request);
}

static void a_redirect_is_followed_only_as_the_same_request(void **state)
{
    static const struct {
        const char *status, *method;
        unsigned redirects_max;
        bool is_followed;
    } rows[] = {
        {"307", "POST", 1, true},    {"308", "POST", 1, true}, {"301", "POST", 1, false}, {"302", "POST", 1, false},
        {"303", "POST", 1, false},   {"301", "GET", 1, true},  {"302", "GET", 1, true},   {"303", "GET", 1, true},
        {"307", "POST", 0, false},   {"302", "GET", 0, false}, {"300", "GET", 1, false},  {"307", "DELETE", 1, true},
        {"301", "DELETE", 1, false},
    };
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world w = {.say = rows[i].status, .other = "/y"};
        open_world(&w, send_elsewhere);
        fetched got = ask(&w, rows[i].method, rows[i].redirects_max, NULL);
        assert_int_equal(got.end.code, CTN_OK);
        assert_int_equal(got.heads, 1);
        assert_true(got.end.was_sent);
        char status[8];
        snprintf(status, sizeof status, "%d", got.status);
        assert_string_equal(status, rows[i].is_followed ? "200" : rows[i].status);
        if (rows[i].is_followed) {
            char expected[200];
            snprintf(expected, sizeof expected, "%s /y type=a/b token=Bearer t expect=none body=%s", rows[i].method,
                     strcmp(rows[i].method, "POST") == 0 ? "{}" : "");
            assert_body(&got, expected);
        } else {
            assert_body(&got, "away");
        }
        fetched_done(&got);
        close_world(&w);
    }
}

static void one_who_sends_around_in_a_circle_is_left_at_the_bound(void **state)
{
    world w = {.say = "307", .other = "/x"};
    (void) state;
    open_world(&w, send_elsewhere);
    fetched got = ask(&w, "POST", 5, NULL);
    assert_int_equal(got.end.code, CTN_OK);
    assert_int_equal(got.status, 307);
    assert_int_equal(got.heads, 1);
    assert_int_equal(http_peer_requests(w.peer), 6);
    fetched_done(&got);
    close_world(&w);
}

static void secrets_do_not_go_to_another_origin(void **state)
{
    (void) state;
    world far = {0}, near = {.say = "307"};
    open_world(&far, echo);
    open_world(&near, send_elsewhere);
    snprintf(near.other, sizeof near.other, "%s/y", http_peer_url(far.peer)); /* another port is another origin */
    fetched got = ask(&near, "POST", 1, NULL);
    assert_int_equal(got.end.code, CTN_OK);
    assert_body(&got, "POST /y type=a/b token=none expect=none body={}");
    fetched_done(&got);
    close_world(&near);
    close_world(&far);
}

static void a_redirect_to_where_nobody_may_go_is_denied_and_not_taken(void **state)
{
    static const char *const rows[] = {
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "http://[::ffff:169.254.169.254]/",
        "ftp://127.0.0.1/",
        "http://user:pw@127.0.0.1/",
        "file:///etc/passwd",
        "http://192.0.2.1/",
        "https://exa mple/",
        "http://0.0.0.0/",
    };
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world w = {.say = "307"};
        snprintf(w.other, sizeof w.other, "%s", rows[i]);
        open_world(&w, send_elsewhere);
        fetched got = ask(&w, "POST", 1, NULL);
        if (got.end.code != CTN_E_DENIED || got.end.was_sent || got.heads)
            fail_msg("%s: code %d, sent %d: %s", rows[i], got.end.code, got.end.was_sent, got.why);
        assert_true(got.why[0] != '\0');
        assert_null(strstr(got.why, "pw"));
        fetched_done(&got);
        close_world(&w);
    }
}

static void an_address_that_is_not_allowed_is_not_even_tried(void **state)
{
    static const struct {
        const char *url;
        bool allows_private, allows_cleartext;
    } rows[] = {
        {"http://8.8.8.8/", false, false},       {"http://10.0.0.1/", true, false},
        {"http://10.0.0.1/", false, true},       {"https://10.0.0.1/", false, false},
        {"https://[fd00::1]/", false, false},    {"http://169.254.169.254/", true, true},
        {"http://[fe80::1]/", true, true},       {"http://[::ffff:a9fe:a9fe]/", true, true},
        {"http://100.100.100.200/", true, true},
    };
    fetch *f = fetch_new(NULL);
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ctn_http_policy policy = {.allows_private = rows[i].allows_private,
                                  .allows_cleartext = rows[i].allows_cleartext};
        ctn_http_request request = request_of("POST", rows[i].url, "{}");
        request.policy = &policy;
        request.timeout_ms = 2000;
        fetched got = fetch_once(f, request);
        if (got.end.code != CTN_E_DENIED || got.end.was_sent)
            fail_msg("%s: code %d, sent %d: %s", rows[i].url, got.end.code, got.end.was_sent, got.why);
        fetched_done(&got);
    }
    fetch_free(f);
}

/* A kept connection was made for one who may; that opens it to nobody else. */
static void a_kept_connection_is_judged_again(void **state)
{
    world w = {0};
    (void) state;
    open_world(&w, echo);
    fetched got = ask(&w, "POST", 0, NULL);
    assert_int_equal(got.end.code, CTN_OK);
    fetched_done(&got);
    got = ask(&w, "POST", 0, &(ctn_http_policy){.denies_loopback = true});
    assert_int_equal(got.end.code, CTN_E_DENIED);
    assert_false(got.end.was_sent);
    fetched_done(&got);
    assert_int_equal(http_peer_requests(w.peer), 1);
    close_world(&w);
}

static void through_a_proxy_goes_what_the_policy_names(void **state)
{
    world w = {0};
    (void) state;
    open_world(&w, echo);
    ctn_http_policy policy = {.allows_cleartext = true, .proxy = http_peer_url(w.peer)};
    ctn_http_request request = request_of("POST", "http://example.invalid/y", "{}");
    request.policy = &policy;
    fetched got = fetch_once(w.fetch, request);
    assert_int_equal(got.end.code, CTN_OK);
    assert_body(&got, "POST http://example.invalid/y type=none token=none expect=none body={}");
    fetched_done(&got);
    policy.allows_cleartext = false;
    got = fetch_once(w.fetch, request);
    assert_int_equal(got.end.code, CTN_E_DENIED);
    fetched_done(&got);
    assert_int_equal(http_peer_requests(w.peer), 1);
    /* A proxy that does not let us through has not let anything through. */
    request = request_of("POST", "https://example.invalid/y", "{}");
    request.policy = &policy;
    got = fetch_once(w.fetch, request);
    assert_int_equal(got.end.code, CTN_E_IO);
    assert_false(got.end.was_sent);
    assert_int_equal(got.heads, 0);
    fetched_done(&got);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_redirect_is_followed_only_as_the_same_request),
        cmocka_unit_test(one_who_sends_around_in_a_circle_is_left_at_the_bound),
        cmocka_unit_test(secrets_do_not_go_to_another_origin),
        cmocka_unit_test(a_redirect_to_where_nobody_may_go_is_denied_and_not_taken),
        cmocka_unit_test(an_address_that_is_not_allowed_is_not_even_tried),
        cmocka_unit_test(a_kept_connection_is_judged_again),
        cmocka_unit_test(through_a_proxy_goes_what_the_policy_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
