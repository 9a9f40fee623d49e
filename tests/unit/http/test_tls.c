/* TLS: whom we believe, what a failed handshake means, and what connections are good for afterwards. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "tls.h"
#include "world.h"

static const char *const GOOD = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void open_tls(world *w, tls_script *script, const char *answer)
{
    *script = (tls_script){.tls = tls_new(), .answer = answer};
    w->peer = http_peer_start(&(http_peer_options){.connection = tls_serve, .ctx = script});
    w->fetch = fetch_new(NULL);
    snprintf(w->url, sizeof w->url, "https://localhost:%d/x", http_peer_port(w->peer));
}

static void close_tls(world *w, tls_script *script)
{
    close_world(w);
    tls_free(script->tls);
}

static fetched ask(world *w, const ctn_http_policy *policy, unsigned redirects_max)
{
    ctn_http_request request = request_of("GET", w->url, NULL);
    request.policy = policy;
    request.redirects_max = redirects_max;
    return fetch_once(w->fetch, request);
}

static void who_is_certified_by_a_stranger_is_not_believed(void **state)
{
    world w = {0};
    tls_script script;
    (void) state;
    open_tls(&w, &script, GOOD);
    fetched got = ask(&w, NULL, 0);
    assert_int_equal(got.end.code, CTN_E_IO);
    assert_false(got.end.was_sent);
    assert_holds(got.why, "certificate");
    assert_holds(got.why, "name that in caFile");
    fetched_done(&got);
    /* Nor is a connection used that was made for one who believes. */
    ctn_http_policy policy = {.ca_file = tls_ca_file(script.tls)};
    got = ask(&w, &policy, 0);
    assert_int_equal(got.end.code, CTN_OK);
    assert_body(&got, "ok");
    fetched_done(&got);
    got = ask(&w, NULL, 0);
    assert_int_equal(got.end.code, CTN_E_IO);
    assert_false(got.end.was_sent);
    fetched_done(&got);
    policy.ca_file = "/nonexistent.pem";
    got = ask(&w, &policy, 0);
    assert_int_equal(got.end.code, CTN_E_IO);
    assert_holds(got.why, "caFile must name certificates");
    assert_false(got.end.was_sent);
    fetched_done(&got);
    close_tls(&w, &script);
}

static void a_certificate_for_another_name_is_none(void **state)
{
    world w = {0};
    tls_script script;
    (void) state;
    open_tls(&w, &script, GOOD);
    snprintf(w.url, sizeof w.url, "https://a.localhost:%d/x", http_peer_port(w.peer));
    fetched got = ask(&w, &(ctn_http_policy){.ca_file = tls_ca_file(script.tls)}, 0);
    assert_int_equal(got.end.code, CTN_E_IO);
    assert_holds(got.why, "the URL must use a name that is in the server's certificate");
    assert_false(got.end.was_sent);
    fetched_done(&got);
    close_tls(&w, &script);
}

static void a_burst_over_tls_opens_connections_as_it_needs_them_and_keeps_them(void **state)
{
    world w = {0};
    tls_script script;
    (void) state;
    open_tls(&w, &script, GOOD);
    ctn_http_policy policy = {.ca_file = tls_ca_file(script.tls)};
    enum { MANY = 20 };
    fetched all[MANY] = {0};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            ctn_http_request request = request_of("GET", w.url, NULL);
            request.policy = &policy;
            all[i] = (fetched){0};
            fetch_send(w.fetch, &all[i], request);
        }
        fetch_wait(w.fetch, all, MANY);
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(all[i].end.code, CTN_OK);
            fetched_done(&all[i]);
        }
    }
    assert_true(http_peer_connections(w.peer) <= MANY);
    close_tls(&w, &script);
}

static void nobody_is_sent_from_https_to_http(void **state)
{
    world far = {0}, w = {0};
    tls_script script;
    char answer[300];
    (void) state;
    open_world(&far, echo);
    snprintf(answer, sizeof answer, "HTTP/1.1 307 Go\r\nLocation: %s/y\r\nContent-Length: 0\r\n\r\n",
             http_peer_url(far.peer));
    open_tls(&w, &script, answer);
    ctn_http_policy policy = {.ca_file = tls_ca_file(script.tls), .allows_cleartext = true, .allows_private = true};
    fetched got = ask(&w, &policy, 3);
    assert_int_equal(got.end.code, CTN_E_DENIED);
    assert_int_equal(got.heads, 0);
    assert_int_equal(http_peer_requests(far.peer), 0);
    fetched_done(&got);
    close_tls(&w, &script);
    close_world(&far);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write(2) */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_certified_by_a_stranger_is_not_believed),
        cmocka_unit_test(a_certificate_for_another_name_is_none),
        cmocka_unit_test(a_burst_over_tls_opens_connections_as_it_needs_them_and_keeps_them),
        cmocka_unit_test(nobody_is_sent_from_https_to_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
