/*
 * /mcp over real sockets: requests that two readers would read in two ways, clients that leave, that do not read, that
 * never finish what they say, that come without a token or from a web page.
 *
 * The server is a child of the test with kit's small server behind it; the tests are plain blocking clients.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "server/mcp/post.h"
#include "support/cmocka.h"
#include "unit/server/kit.h"
#include "unit/server/visitor.h"

#define META                                                                                                           \
    "\"_meta\":{\"progressToken\":\"p\",\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io."              \
    "modelcontextprotocol/clientCapabilities\":{}}"
#define CALL(name)                                                                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"" name "\"," META "}}"
#define CALL_HEADERS(name)                                                                                             \
    "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: " name "\r\n"                             \
    "Accept: application/json, text/event-stream\r\n"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"

/* ---- the server ---- */

/* Of a store that knows nobody. */
static ctn_access *access_of(const ctn_config_http *http, ctn_store **ret_store)
{
    static ctn_config config; /* as long as the process */
    ctn_store *store = NULL;
    ctn_access *access = NULL;
    config.http = *http;
    ctn_access_options options = {.config = &config, .clock = ctn_clock_system()};
    assert_int_equal(ctn_store_open("memory:post", CTN_STORE_CREATE, &store, NULL), CTN_OK);
    options.store = store;
    assert_int_equal(ctn_access_new(&options, &access, NULL), CTN_OK);
    *ret_store = store;
    return access;
}

static void serve(int report, const char *token_file)
{
    kit k;
    kit_init(&k);
    ctn_err err = {0};
    ctn_loop *loop = ctn_loop_new();
    ctn_mcp_endpoint_options options = {.loop = loop,
                                        .backend = &k.backend,
                                        .name = "kit",
                                        .version = "1",
                                        .state_key = CTN_STR("0123456789abcdef0123456789abcdef")};
    ctn_config_token token = {.where = {.name = CTN_STR("ada"), .file = ctn_str_from(token_file)}};
    ctn_str hosts[] = {CTN_STR("catena.example.com")}, origins[] = {CTN_STR("https://console.example.com")},
            issuers[] = {CTN_STR("https://issuer.example.com")};
    ctn_config_http config = {
        .hosts = hosts, .host_count = 1, .origins = origins, .origin_count = 1, .body_bytes = 65536};
    if (token_file) {
        config.body_bytes = (size_t) 4 << 20;
        config.rate = 10;
        config.tokens = &token;
        config.token_count = 1;
        config.issuers = issuers;
        config.issuer_count = 1;
        config.resource = CTN_STR("https://catena.example.com/mcp");
    }
    k.endpoint = ctn_mcp_endpoint_new(&options);
    ctn_front *front = NULL;
    ctn_store *store = NULL;
    ctn_front_options of = {.loop = loop,
                            .config = &config,
                            .access = access_of(&config, &store),
                            .address = CTN_STR("127.0.0.1:0"),
                            .arrive_ms = 700,
                            .idle_ms = 2000,
                            .connections_max = 20};
    if (ctn_front_open(&of, &front, &err)) {
        fprintf(stderr, "%s\n", err.message);
        _exit(1);
    }
    ctn_web_mcp_options web = {.loop = loop,
                               .front = front,
                               .config = &config,
                               .endpoint = k.endpoint,
                               .stream_after_ms = 1500,
                               .keep_alive_ms = 1000};
    int port = atoi(strrchr(ctn_web_mcp_url(ctn_web_mcp_open(&web)), ':') + 1);
    if (write(report, &port, sizeof port) != sizeof port)
        _exit(1);
    ctn_loop_run(loop);
    _exit(0);
}

static int begin(void **state, bool has_token)
{
    place *p = calloc(1, sizeof *p);
    int report[2];
    assert_non_null(p);
    (void) snprintf(p->token_file, sizeof p->token_file, "/tmp/catena-token-%ld", (long) getpid());
    assert_int_equal(pipe(report), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        (void) signal(SIGPIPE, SIG_IGN);
        serve(report[1], has_token ? p->token_file : NULL);
    }
    close(report[1]);
    assert_int_equal(read(report[0], &p->port, sizeof p->port), sizeof p->port);
    close(report[0]);
    *state = p;
    return 0;
}

static int setup(void **state)
{
    return begin(state, false);
}

static int setup_token(void **state)
{
    return begin(state, true);
}

static int teardown(void **state)
{
    place *p = *state;
    int status = 0;
    (void) kill(p->pid, SIGTERM);
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM); /* and no assertion before */
    (void) unlink(p->token_file);
    free(p);
    return 0;
}

/* ---- the client ---- */

static const char *with(place *p, char out[4096], const char *line, const char *headers, const char *body)
{
    (void) snprintf(out, 4096, "%s /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%sContent-Length: %zu\r\n\r\n%s", line,
                    p->port, strstr(headers, "Content-Type") ? "" : "Content-Type: application/json\r\n", headers,
                    strlen(body), body);
    return out;
}

static int post(place *p, const char *headers, const char *body)
{
    char text[4096];
    return ask(p, with(p, text, "POST", headers, body));
}

static int64_t counted(place *p, const char *what)
{
    int64_t value = -1;
    char key[32];
    assert_int_equal(post(p, CALL_HEADERS("count"), CALL("count")), 200);
    (void) snprintf(key, sizeof key, "\"%s\":", what);
    const char *found = strstr(p->text, key);
    if (found)
        (void) sscanf(found + strlen(key), "%ld", &value);
    return value;
}

/* ---- what two readers would read in two ways ---- */

static void requests_with_two_meanings_are_refused(void **state)
{
    place *p = *state;
    hostile_requests(p, "/mcp", PING);
    assert_int_equal(post(p, "", PING), 200);
    assert_int_equal(counted(p, "calls"), 1);
}

/* ---- who may come in ---- */

static void other_names_and_other_pages_are_kept_out(void **state)
{
    place *p = *state;
    char text[1024];
    const struct {
        const char *host, *origin;
        int status;
    } ROWS[] = {
        {"127.0.0.1:%d", NULL, 200},
        {"localhost:%d", "http://localhost:%d", 200},
        {"LOCALHOST:%d", "http://127.0.0.1:%d", 200},
        {"[::1]:%d", NULL, 200},
        {"catena.example.com", "https://catena.example.com", 200},
        {"127.0.0.1:%d", "https://console.example.com", 200},
        {"evil.example.com", "http://evil.example.com", 403},
        {"evil.example.com:%d", NULL, 403},
        {"127.0.0.1:%d", "http://evil.example.com", 403},
        {"127.0.0.1:%d", "http://127.0.0.1:1", 403},
        {"127.0.0.1:%d", "null", 403},
        {"127.0.0.1:%d", "", 403},
        {"127.0.0.1:1", NULL, 403},
        {"127.0.0.1:%d.evil.example.com", NULL, 403},
        {"", NULL, 403},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char host[64], origin[64] = "", line[96] = "";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void) snprintf(host, sizeof host, ROWS[i].host, p->port);
        if (ROWS[i].origin)
            (void) snprintf(origin, sizeof origin, ROWS[i].origin, p->port);
#pragma GCC diagnostic pop
        if (ROWS[i].origin)
            (void) snprintf(line, sizeof line, "Origin: %s\r\n", origin);
        (void) snprintf(
            text, sizeof text,
            "POST /mcp HTTP/1.1\r\nHost: %s\r\n%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", host,
            line, strlen(PING), PING);
        int status = ask(p, text);
        if (status != ROWS[i].status)
            fail_msg("%s %s: %d", host, origin, status);
    }
}

static void write_token(const place *p, const char *token)
{
    FILE *file = fopen(p->token_file, "w");
    assert_non_null(file);
    fputs(token, file);
    fclose(file);
}

static void only_tokens_of_ours_open_the_door(void **state)
{
    place *p = *state;
    char text[512];
    assert_int_equal(post(p, "", PING), 401); /* there is no file yet: nobody */
    assert_int_equal(post(p, "Authorization: Bearer \r\n", PING), 401);
    write_token(p, "first-token\n");
    (void) usleep(1100000); /* read again when it may have changed */
    assert_int_equal(post(p, "Authorization: Bearer first-token\r\n", PING), 200);
    assert_int_equal(post(p, "Authorization: bearer  first-token \r\n", PING), 200);
    assert_int_equal(post(p, "Authorization: Basic first-token\r\n", PING), 401);
    assert_int_equal(post(p, "Authorization: Bearer first-tokeN\r\n", PING), 401);
    assert_non_null(strstr(p->text,
                           "WWW-Authenticate: Bearer resource_metadata=\"https://catena.example.com/.well-known/"
                           "oauth-protected-resource/mcp\""));
    assert_null(strstr(p->text, "first-toke"));
    assert_int_equal(post(p, "Authorization: Bearer first-token\r\n" CALL_HEADERS("count"), CALL("count")), 200);
    write_token(p, "second-token");
    (void) usleep(1100000);
    assert_int_equal(post(p, "Authorization: Bearer first-token\r\n", PING), 401);
    assert_int_equal(post(p, "Authorization: Bearer second-token\r\n", PING), 200);
    const char *paths[] = {"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"};
    for (size_t i = 0; i < 2; i++) {
        (void) snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", paths[i], p->port);
        assert_int_equal(ask(p, text), 200);
        assert_non_null(strstr(p->text, "\"resource\":\"https://catena.example.com/mcp\""));
        assert_non_null(strstr(p->text, "\"authorization_servers\":[\"https://issuer.example.com\"]"));
    }
    (void) snprintf(text, sizeof text, "GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", p->port);
    assert_int_equal(ask(p, text), 401);
}

static void who_comes_too_often_is_told_to_wait(void **state)
{
    place *p = *state;
    int refused = 0;
    for (int i = 0; i < 30; i++)
        refused += post(p, "Authorization: Bearer token\r\n", PING) == 429;
    assert_int_equal(refused, 0); /* nobody we know: 401 */
    write_token(p, "token");
    (void) usleep(1100000);
    for (int i = 0; i < 30; i++)
        refused += post(p, "Authorization: Bearer token\r\n", PING) == 429;
    assert_in_range(refused, 1, 10); /* ten a second, twenty after a pause */
    assert_non_null(strstr(p->text, "Retry-After: 1"));
    (void) usleep(500000);
    assert_int_equal(post(p, "Authorization: Bearer token\r\n", PING), 200);
}

static void others_may_not_call_where_nobody_is_asked_for_a_token(void **state)
{
    (void) state;
    ctn_loop *loop = ctn_loop_new();
    ctn_config_http config = {0};
    ctn_store *store = NULL;
    ctn_access *access = access_of(&config, &store);
    const char *const bad[] = {"0.0.0.0:0", "[::]:0", "192.0.2.1:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ctn_front *front = NULL;
        ctn_err err = {0};
        ctn_front_options of = {.loop = loop, .config = &config, .access = access, .address = ctn_str_from(bad[i])};
        assert_int_equal(ctn_front_open(&of, &front, &err), CTN_E_DENIED);
        assert_non_null(strstr(err.message, "tokens"));
    }
    const char *const none[] = {"", "8642", "example.com:80", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", "[::1:80"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        ctn_front *front = NULL;
        ctn_front_options of = {.loop = loop, .config = &config, .address = ctn_str_from(none[i])};
        assert_int_equal(ctn_front_open(&of, &front, &(ctn_err){0}), CTN_E_INVALID);
    }
    ctn_access_free(access);
    ctn_store_close(store);
    ctn_loop_free(loop);
}

/* ---- what is answered ---- */

static void what_is_no_message_has_its_status(void **state)
{
    place *p = *state;
    char text[4096];
    assert_int_equal(ask(p, with(p, text, "GET", "", "")), 405);
    assert_non_null(strstr(p->text, "Allow: POST"));
    assert_int_equal(ask(p, with(p, text, "DELETE", "Mcp-Session-Id: 1\r\n", "")), 405);
    assert_int_equal(ask(p, with(p, text, "OPTIONS", "", "")), 405);
    assert_int_equal(post(p, "Content-Type: text/plain\r\n", PING), 415);
    assert_int_equal(post(p, "Content-Type: application/json; charset=utf-8\r\n", PING), 200);
    assert_int_equal(post(p, "Accept: text/html\r\n", PING), 406);
    assert_int_equal(post(p, "Accept: text/html, application/json;q=0.5\r\n", PING), 200);
    assert_int_equal(post(p, "", "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"), 202);
    assert_int_equal(post(p, "", "{"), 400);
    assert_int_equal(post(p, "", ""), 400);
    (void) snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", p->port);
    assert_int_equal(ask(p, text), 404);
    (void) snprintf(text, sizeof text,
                    "GET /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", p->port);
    assert_int_equal(ask(p, text), 404); /* nobody issues tokens for us */
}

static void a_body_has_a_limit_however_it_comes(void **state)
{
    place *p = *state;
    char text[1024];
    (void) snprintf(
        text, sizeof text,
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n",
        p->port);
    assert_int_equal(ask(p, text), 413); /* before it has come */
    int fd = connect_to(p), status = 0;
    (void) snprintf(text, sizeof text,
                    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n",
                    p->port);
    put(fd, text);
    char piece[1024];
    memset(piece, ' ', sizeof piece);
    for (int i = 0; i < 100; i++) {
        put(fd, "400\r\n");
        put_bytes(fd, piece, sizeof piece);
        put(fd, "\r\n");
    }
    put(fd, "0\r\n\r\n");
    p->len = 0;
    (void) read_until(p, fd, "\r\n\r\n");
    (void) sscanf(p->text, "HTTP/1.%*d %d", &status);
    close(fd);
    assert_int_equal(status, 413);
    assert_int_equal(post(p, "", PING), 200);
}

static void a_request_may_come_byte_by_byte_and_many_on_one_connection(void **state)
{
    place *p = *state;
    char text[4096];
    int fd = connect_to(p);
    with(p, text, "POST", "", PING);
    for (const char *c = text; *c; c++)
        put_bytes(fd, c, 1);
    p->len = 0;
    assert_true(read_until(p, fd, "\"result\":{}"));
    char chunked[4096];
    (void) snprintf(chunked, sizeof chunked,
                    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nTransfer-Encoding: "
                    "chunked\r\n\r\n14\r\n%.20s\r\n14\r\n%s\r\n0\r\n\r\n",
                    p->port, PING, &PING[20]);
    put(fd, chunked); /* and, before it is answered, the next */
    put(fd, text);
    p->len = 0;
    assert_true(read_until(p, fd, "\"result\":{}"));
    const char *first = strstr(p->text, "\"result\":{}");
    memmove(p->text, first + 11, p->len - (size_t) (first + 11 - p->text));
    p->len -= (size_t) (first + 11 - p->text);
    assert_true(read_until(p, fd, "\"result\":{}"));
    close(fd);
}

static void what_comes_before_the_answer_makes_it_a_stream(void **state)
{
    place *p = *state;
    char text[4096];
    assert_int_equal(
        post(p, CALL_HEADERS("echo") "Mcp-Param-Text: x\r\n",
             "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\",\"arguments\":{"
             "\"text\":\"x\"}," META "}}"),
        200);
    assert_non_null(strstr(p->text, "Content-Type: application/json"));
    int fd = connect_to(p);
    put(fd, with(p, text, "POST", CALL_HEADERS("slow"), CALL("slow")));
    p->len = 0;
    assert_true(read_until(p, fd, "notifications/progress"));
    assert_non_null(strstr(p->text, "Content-Type: text/event-stream"));
    assert_non_null(strstr(p->text, "X-Accel-Buffering: no"));
    assert_non_null(strstr(p->text, "event: message\ndata: {"));
    assert_true(read_until(p, fd, ": still here\n\n")); /* nothing for so long */
    assert_int_equal(counted(p, "gone"), 0);
    close(fd); /* is the cancellation */
    for (int i = 0; i < 50 && counted(p, "gone") == 0; i++)
        (void) usleep(20000);
    assert_int_equal(counted(p, "gone"), 1);
}

static void an_answer_that_takes_long_becomes_a_stream(void **state)
{
    place *p = *state;
    char text[4096];
    int fd = connect_to(p);
    put(fd, with(p, text, "POST", "MCP-Protocol-Version: 2025-06-18\r\nAccept: application/json, text/event-stream\r\n",
                 "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"slow\"}}"));
    p->len = 0;
    assert_true(read_until(p, fd, ": still here\n\n"));
    assert_non_null(strstr(p->text, "200 OK"));
    close(fd);
    int only_json = connect_to(p); /* and who takes no stream waits in silence, and may leave */
    put(only_json, with(p, text, "POST",
                        "Accept: application/json\r\n"
                        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: "
                        "tools/call\r\nMcp-Name: slow\r\n",
                        CALL("slow")));
    (void) usleep(100000);
    close(only_json);
    for (int i = 0; i < 50 && counted(p, "gone") == 0; i++)
        (void) usleep(20000);
    assert_int_equal(counted(p, "gone"), 1); /* the modern one alone */
}

/* ---- clients that hold on ---- */

static void a_request_that_never_comes_whole_is_cut_off(void **state)
{
    place *p = *state;
    char text[4096];
    int fds[20];
    for (size_t i = 0; i < 20; i++) { /* as many as there may be */
        fds[i] = connect_to(p);
        (void) snprintf(text, sizeof text, "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", p->port,
                        i % 2 ? "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{" : "X: ");
        put(fds[i], text);
    }
    int64_t began_ms = now_ms();
    while (now_ms() - began_ms < 1200) { /* a byte now and then does not help */
        for (size_t i = 0; i < 20; i++)
            put(fds[i], "a");
        (void) usleep(100000);
    }
    assert_int_equal(post(p, "", PING), 200);
    for (size_t i = 0; i < 20; i++) {
        p->len = 0;
        (void) read_until(p, fds[i], NULL);
        close(fds[i]);
    }
}

/* Who never ends his first line makes no request that could be late. */
static void a_first_line_that_never_ends_is_cut_off(void **state)
{
    place *p = *state;
    int fds[20];
    for (size_t i = 0; i < 20; i++)
        put(fds[i] = connect_to(p), "POST /");
    int64_t began_ms = now_ms();
    while (now_ms() - began_ms < 3300) {
        for (size_t i = 0; i < 20; i++)
            put(fds[i], "a");
        (void) usleep(100000);
    }
    int64_t asked_ms = now_ms();
    assert_int_equal(post(p, "", PING), 200);
    assert_true(now_ms() - asked_ms < 1500); /* not only because nothing more is dribbled */
    for (size_t i = 0; i < 20; i++)
        close(fds[i]);
}

/* Ten of them, each with all of a large body but its last byte. */
static void who_has_no_token_costs_no_memory(void **state)
{
    place *p = *state;
    char text[512];
    static char body[(4 << 20) - 1];
    int fds[10], status = 0;
    memset(body, ' ', sizeof body);
    assert_int_equal(post(p, "", PING), 401);
    size_t before_kib = resident_kib(p);
    (void) snprintf(text, sizeof text,
                    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                    "Authorization: Bearer guess\r\nContent-Length: %zu\r\n\r\n",
                    p->port, sizeof body + 1);
    for (size_t i = 0; i < 10; i++) {
        put(fds[i] = connect_to(p), text);
        put_bytes(fds[i], body, sizeof body);
    }
    assert_in_range(resident_kib(p), 0, before_kib + 8192);
    for (size_t i = 0; i < 10; i++) {
        put(fds[i], " ");
        p->len = 0;
        (void) read_until(p, fds[i], "\r\n\r\n");
        (void) sscanf(p->text, "HTTP/1.%*d %d", &status);
        assert_int_equal(status, 401);
        close(fds[i]);
    }
}

static void an_idle_connection_is_closed(void **state)
{
    place *p = *state;
    char text[4096];
    int fd = connect_to(p);
    put(fd, with(p, text, "POST", "", PING));
    p->len = 0;
    assert_true(read_until(p, fd, "\"result\":{}"));
    int64_t began_ms = now_ms();
    while (now_ms() - began_ms < 6000 && recv(fd, text, 1, MSG_DONTWAIT) != 0)
        (void) usleep(100000);
    assert_true(now_ms() - began_ms < 6000);
    close(fd);
}

static void a_client_that_does_not_read_is_cut_off(void **state)
{
    place *p = *state;
    char text[4096];
    int fd = connect_to(p), small = 4096;
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    put(fd, with(p, text, "POST",
                 "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\nAccept: application/json, "
                 "text/event-stream\r\n",
                 "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"subscriptions/listen\",\"params\":{\"notifications\":{"
                 "\"toolsListChanged\":true}," META "}}"));
    p->len = 0;
    assert_true(read_until(p, fd, "acknowledged"));
    assert_int_equal(post(p, CALL_HEADERS("shout"), CALL("shout")), 200); /* 50,000 messages to who does not read */
    assert_int_equal(post(p, "", PING), 200);
    int64_t began_ms = now_ms();
    size_t bytes = 0;
    for (ssize_t n = 1; n > 0 && now_ms() - began_ms<WAIT_MS; bytes += n> 0 ? (size_t) n : 0)
        n = recv(fd, p->text, sizeof p->text, 0);
    assert_true(now_ms() - began_ms < WAIT_MS && bytes < (8 << 20)); /* closed, and not all of it was kept */
    close(fd);
}

int main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
#define WEB(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        WEB(requests_with_two_meanings_are_refused),
        WEB(other_names_and_other_pages_are_kept_out),
        cmocka_unit_test_setup_teardown(only_tokens_of_ours_open_the_door, setup_token, teardown),
        cmocka_unit_test_setup_teardown(who_comes_too_often_is_told_to_wait, setup_token, teardown),
        cmocka_unit_test(others_may_not_call_where_nobody_is_asked_for_a_token),
        WEB(what_is_no_message_has_its_status),
        WEB(a_body_has_a_limit_however_it_comes),
        WEB(a_request_may_come_byte_by_byte_and_many_on_one_connection),
        WEB(what_comes_before_the_answer_makes_it_a_stream),
        WEB(an_answer_that_takes_long_becomes_a_stream),
        WEB(a_request_that_never_comes_whole_is_cut_off),
        WEB(a_first_line_that_never_ends_is_cut_off),
        cmocka_unit_test_setup_teardown(who_has_no_token_costs_no_memory, setup_token, teardown),
        WEB(an_idle_connection_is_closed),
        WEB(a_client_that_does_not_read_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
