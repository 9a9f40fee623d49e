/*
 * What operators rely on: a service says how it is, counts what it does, tells traces and lines that fit each other,
 * and ends under load without losing what it has taken.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "e2e/web_kit.h"
#include "support/http_peer.h"
#include "support/strict_exposition.h"

#define CALLERS "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define NOOP                                                                                                           \
    "id: hello\noutputs: []\nsteps:\n  - {stepName: look, instructionSet: nothing}\n"                                  \
    "instructionSets:\n  nothing: {native: noop, effect: none}\n"

/* A pair of the tests, for nobody else; good for a hundred years. */
#define TEST_CERTIFICATE                                                                                               \
    "-----BEGIN CERTIFICATE-----\n"                                                                                    \
    "MIIBfjCCASWgAwIBAgIUNkg0vx0XcpqZIJGrOT8fx/Nhq18wCgYIKoZIzj0EAwIw\n"                                               \
    "FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE2MDM1NloYDzIxMjYxMDMw\n"                                               \
    "MTYwMzU2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n"                                               \
    "PQMBBwNCAARDshyqSfl/LrLwvUpgx7W28e4zBrGOoVajjmyy2IHoasww3SnFwBV9\n"                                               \
    "f68tQKrTR6mIO2yyPTPioK8TAT96uCrEo1MwUTAdBgNVHQ4EFgQUdCFb+iRQDUmZ\n"                                               \
    "22MCTwPT7KpLaO8wHwYDVR0jBBgwFoAUdCFb+iRQDUmZ22MCTwPT7KpLaO8wDwYD\n"                                               \
    "VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBGOJxSj62W3nNd2aG5TKfm\n"                                               \
    "9MiEmFWJZcUG8G74Wy3t1AIgGFlogN7nDJxKmTAj8+XBgX/44TC1hpJ0ZTrGMYOB\n"                                               \
    "lkw=\n"                                                                                                           \
    "-----END CERTIFICATE-----\n"
#define TEST_KEY                                                                                                       \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHEOG7NWfzcJYLaaQ\n"                                               \
    "XlZ9jOVfe+MmpkY7VdJyEeuCi6+hRANCAARDshyqSfl/LrLwvUpgx7W28e4zBrGO\n"                                               \
    "oVajjmyy2IHoasww3SnFwBV9f68tQKrTR6mIO2yyPTPioK8TAT96uCrE\n"                                                       \
    "-----END PRIVATE KEY-----\n"

static void pause_ms(long ms)
{
    (void) nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- certificates ---- */

static void a_renewal_that_does_not_fit_is_told_and_the_old_pair_stays(void **state)
{
    world *w = *state;
    cli_world_write(w, "cert.pem", TEST_CERTIFICATE);
    cli_world_write(w, "key.pem", TEST_KEY);
    cli_world_write(w, "catena.yaml", "http: {listen: '127.0.0.1:0', tls: {cert: cert.pem, key: key.pem}}\n");
    running serve = shell_start(w, "chmod 600 key.pem; exec catena serve 2> serve.log");
    cli_world_await(w, "serve.log", "serving ");
    cli_world_write(w, "cert.pem", "this is none\n");
    pause_ms(1100); /* files are looked at once a second */
    assert_exit(w, shell(w, "curl -sk $(sed -n 's/.*API at \\([^,]*\\),.*/\\1/p' serve.log)/chains"), 0);
    assert_out(w, "\"chains\":[]");
    cli_world_await(w, "serve.log", "the changed certificate is not used");
    running_stop(w, &serve);
}

/* ---- the end ---- */

static void who_waits_is_told_and_streams_end_when_the_service_ends(void **state)
{
    world *w = *state;
    char text[16384];
    cli_world_write(w, "catena.yaml", "include: [slow.yaml]\n");
    cli_world_write(w, "slow.yaml",
                    "id: slow\nsteps: [{stepName: rest, instructionSet: rest}]\n"
                    "instructionSets: {rest: {wait: {ms: 60000}}}\n");
    running serve = shell_start(w, "exec catena serve --listen 127.0.0.1:0 2> serve.log");
    cli_world_await(w, "serve.log", "serving ");
    running waits = shell_start(w, "curl -si $(sed -n 's/.*API at \\([^,]*\\),.*/\\1/p' serve.log)/executions?wait=50s "
                                   "-H 'Content-Type: application/json' -d '{\"chain\":\"slow\"}' > waited; "
                                   "echo \"exit $?\" >> waited");
    running reads =
        shell_start(w, "curl -sN $(sed -n 's/.*API at \\([^,]*\\),.*/\\1/p' serve.log)/events?after=0 > read; "
                       "echo \"exit $?\" >> read");
    cli_world_await(w, "read", "event: waiting");
    running_stop(w, &serve);
    assert_int_equal(running_wait(w, &waits), 0);
    assert_int_equal(running_wait(w, &reads), 0);
    cli_world_read(w, "waited", text, sizeof text);
    assert_contains(text, "HTTP/1.1 202");
    assert_contains(text, "\"status\":\"waiting\"");
    assert_contains(text, "exit 0");
    cli_world_read(w, "read", text, sizeof text);
    assert_contains(text, "exit 0");
}

/* ---- figures ---- */

static void figures_are_what_prometheus_reads_and_for_those_who_may(void **state)
{
    world *w = *state;
    web s;
    ctn_arena *arena = ctn_arena_new(65536);
    cli_world_env(w, "ROOT=the-token-of-root");
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:s.db\ninclude: [c.yaml]\nhttp: {tokens: {root: {env: ROOT, roles: [operator]}}}\n");
    cli_world_write(w, "c.yaml", NOOP);
    web_open(&s, w, "");
    const char *token = "Authorization: Bearer the-token-of-root\r\nContent-Type: application/json\r\n";
    web_answer a = web_ask(&s, arena, "POST", "/v1/executions?wait=20s", token, CTN_STR("{\"chain\":\"hello\"}"));
    assert_int_equal(a.status, 200);
    assert_int_equal(web_ask(&s, arena, "GET", "/metrics", "", (ctn_str){0}).status, 401);
    a = web_ask(&s, arena, "GET", "/metrics", token, (ctn_str){0});
    assert_int_equal(a.status, 200);
    strict_exposition(a.body, false);
    assert_int_equal(strict_sample(a.body, "catena_executions_started_total{chain=\"hello\"}"), 1);
    assert_int_equal(strict_sample(a.body, "catena_executions_ended_total{chain=\"hello\",status=\"completed\"}"), 1);
    assert_int_equal(strict_sample(a.body, "catena_store_failing"), 0);
    assert_int_equal(strict_sample(a.body, "catena_calls_in_flight"), 0);
    assert_true(strict_sample(a.body, "catena_entries_total") >= 3);
    assert_true(strict_sample(a.body, "catena_commit_duration_seconds_count") >= 1);
    assert_true(strict_sample(a.body, "process_resident_memory_bytes") > 1e6);
    assert_true(strict_sample(a.body, "process_open_fds") > 3);
    char open[300];
    snprintf(open, sizeof open, "%sAccept: application/openmetrics-text; version=1.0.0\r\n", token);
    a = web_ask(&s, arena, "GET", "/metrics", open, (ctn_str){0});
    assert_true(ctn_str_is(a.type, "application/openmetrics-text"));
    strict_exposition(a.body, true);
    assert_int_equal(strict_sample(a.body, "catena_http_requests_total{operation=\"metrics\",status=\"4xx\"}"), 1);
    /* Whoever only wants to know whether it is well needs no token. */
    assert_int_equal(web_ask(&s, arena, "GET", "/healthz", "", (ctn_str){0}).status, 200);
    a = web_ask(&s, arena, "GET", "/readyz", "", (ctn_str){0});
    assert_int_equal(a.status, 200);
    assert_int_equal(web_ask(&s, arena, "POST", "/readyz", "", CTN_STR("x")).status, 405);
    web_close(&s);
    ctn_arena_free(arena);
}

/* What the page of operations lists is told, and what is told is listed there. */
static void the_list_of_figures_is_the_one_in_the_documentation(void **state)
{
    world *w = *state;
    web s;
    ctn_arena *arena = ctn_arena_new(65536);
    static char page[1 << 20];
    size_t listed = 0, told = 0;
    FILE *file = fopen(CATENA_SOURCE_DIR "/docs/operations.md", "re");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    cli_world_write(w, "catena.yaml", "store: sqlite:s.db\ntelemetry: {otlp: {url: 'http://127.0.0.1:1'}}\n");
    web_open(&s, w, "");
    web_answer a = web_ask(&s, arena, "GET", "/metrics", "", (ctn_str){0});
    ctn_str rest = a.body;
    while (rest.len) {
        ctn_str line = ctn_str_cut(&rest, '\n');
        if (!ctn_str_starts_with(line, CTN_STR("# TYPE ")))
            continue;
        line = ctn_str_from_offset(line, 7);
        ctn_str name = ctn_str_cut(&line, ' ');
        if (!strstr(page, ctn_arena_printf(arena, "`%.*s", CTN_STR_ARG(name)).ptr))
            fail_msg("docs/operations.md does not list %.*s", CTN_STR_ARG(name));
        told++;
    }
    for (const char *at = page; (at = strpbrk(at, "`")); at++) {
        size_t len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_");
        bool is_figure = strncmp(at, "`catena_", 8) == 0 || strncmp(at, "`process_", 9) == 0;
        if (!is_figure || !strchr("`{", at[1 + len]))
            continue;
        if (ctn_str_find(a.body, ctn_arena_printf(arena, "# TYPE %.*s ", (int) len, at + 1)) == SIZE_MAX)
            fail_msg("nobody tells %.*s, which docs/operations.md lists", (int) len, at + 1);
        listed++;
    }
    assert_true(told > 30 && listed >= told);
    web_close(&s);
    ctn_arena_free(arena);
}

static void what_is_queued_is_told_by_tenant_and_chain(void **state)
{
    world *w = *state;
    web s;
    ctn_arena *arena = ctn_arena_new(65536);
    cli_world_write(w, "catena.yaml", "store: sqlite:s.db\ninclude: [c.yaml]\n");
    cli_world_write(w, "c.yaml",
                    "id: one\nmaxConcurrent: 1\nsteps:\n  - {stepName: nap, instructionSet: nap}\n"
                    "instructionSets:\n  nap: {effect: read, command: {argv: [sleep, '1']}}\n");
    web_open(&s, w, "");
    for (int i = 0; i < 3; i++)
        assert_int_equal(web_ask(&s, arena, "POST", "/v1/executions", "Content-Type: application/json\r\n",
                                 CTN_STR("{\"chain\":\"one\",\"labels\":{\"tenant\":\"a\\\"b\"}}"))
                             .status,
                         202);
    pause_ms(20);
    web_answer a = web_ask(&s, arena, "GET", "/metrics", "", (ctn_str){0});
    strict_exposition(a.body, false);
    assert_int_equal(strict_sample(a.body, "catena_queue_depth{tenant=\"a\\\"b\",chain=\"one\"}"), 2);
    assert_true(strict_sample(a.body, "catena_queue_oldest_age_seconds{tenant=\"a\\\"b\",chain=\"one\"}") < 20);
    assert_int_equal(strict_sample(a.body, "catena_executions_loaded"), 1);
    web_close(&s);
    ctn_arena_free(arena);
}

/* ---- traces and lines ---- */

typedef struct collector {
    pthread_mutex_t lock;
    ctn_buf spans;
} collector;

static void collect(void *ctx, http_asked *asked)
{
    collector *c = ctx;
    pthread_mutex_lock(&c->lock);
    ctn_buf_append(&c->spans, (ctn_str){asked->body, asked->body_bytes});
    pthread_mutex_unlock(&c->lock);
    http_answer(asked, 200, "application/json", "{}");
}

/* Every line is JSON, and has what it must have. */
static void judge_lines(world *w, ctn_arena *arena)
{
    static char text[1 << 20];
    cli_world_read(w, "serve.log", text, sizeof text);
    ctn_str rest = ctn_str_from(text);
    size_t requests = 0, executions = 0;
    while (rest.len) {
        ctn_str line = ctn_str_cut(&rest, '\n');
        const ctn_json *v;
        if (ctn_json_parse(arena, line, NULL, &v, NULL) || !ctn_json_member_of(v, "ts") ||
            !ctn_json_member_of(v, "level") || !ctn_json_member_of(v, "msg") || !ctn_json_member_of(v, "component"))
            fail_msg("%.*s", CTN_STR_ARG(line));
        if (ctn_str_is(ctn_json_str_or(v, "msg", (ctn_str){0}), "request")) {
            requests++;
            assert_true(ctn_json_int_or(v, "status", 0) > 0);
            assert_int_equal(ctn_str_find(line, CTN_STR("?")), SIZE_MAX);
        }
        if (ctn_str_is(ctn_json_str_or(v, "msg", (ctn_str){0}), "execution")) {
            executions++;
            assert_int_equal(ctn_json_str_or(v, "executionId", (ctn_str){0}).len, 36);
            assert_true(ctn_str_is(ctn_json_str_or(v, "traceId", (ctn_str){0}), "4bf92f3577b34da6a3ce929d0e0e4736"));
        }
    }
    assert_true(requests >= 1 && executions >= 1);
}

/* From a caller's header through the execution to what it starts, and out to the collector before the process ends. */
static void a_trace_goes_in_through_and_out(void **state)
{
    world *w = *state;
    web s;
    collector c = {0};
    char seen[200];
    ctn_arena *arena = ctn_arena_new(65536);
    pthread_mutex_init(&c.lock, NULL);
    ctn_buf_init(&c.spans, 1 << 20);
    http_peer *peer = http_peer_start(&(http_peer_options){.serve = collect, .ctx = &c});
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:s.db\ninclude: [c.yaml]\nlog: {format: json}\n"
                    "telemetry: {serviceName: desk, otlp: {url: '%s'}}\n",
                    http_peer_url(peer));
    cli_world_write(w, "c.yaml",
                    "id: hello\noutputs: [seen]\nsteps:\n"
                    "  - {stepName: look, instructionSet: see, outputVariables: [seen]}\n"
                    "instructionSets:\n  see: {effect: read, command: {shell: true, argv: ['echo $TRACEPARENT']}}\n");
    web_open(&s, w, "");
    web_answer a =
        web_ask(&s, arena, "POST", "/v1/executions?wait=20s",
                "Content-Type: application/json\r\ntraceparent: " CALLERS "\r\n", CTN_STR("{\"chain\":\"hello\"}"));
    assert_int_equal(a.status, 200);
    web_close(&s);
    ctn_str spans = ctn_buf_str(&c.spans);
    json_text(ctn_arena_str(arena, a.body).ptr, "seen", seen);
    assert_int_equal(strlen(seen), 55);
    assert_memory_equal(seen, CALLERS, 36); /* the same trace */
    seen[52] = '\0';
    char own[64];
    snprintf(own, sizeof own, "\"spanId\":\"%s\"", seen + 36); /* its parent is the attempt, of which we told */
    assert_contains(ctn_arena_str(arena, spans).ptr, own);
    assert_contains(ctn_arena_str(arena, spans).ptr, "\"parentSpanId\":\"00f067aa0ba902b7\"");
    assert_contains(ctn_arena_str(arena, spans).ptr, "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"desk\"}}");
    judge_lines(w, arena);
    http_peer_stop(peer);
    ctn_buf_done(&c.spans);
    ctn_arena_free(arena);
}

/* A collector that is not there holds nothing up, not even the end. */
static void a_collector_that_is_gone_is_nobodys_trouble(void **state)
{
    world *w = *state;
    web s;
    ctn_arena *arena = ctn_arena_new(65536);
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:s.db\ninclude: [c.yaml]\ntelemetry: {otlp: {url: 'http://127.0.0.1:1'}}\n");
    cli_world_write(w, "c.yaml", NOOP);
    web_open(&s, w, "--log-format json");
    for (int i = 0; i < 5; i++)
        assert_int_equal(web_ask(&s, arena, "POST", "/v1/executions?wait=20s", "Content-Type: application/json\r\n",
                                 CTN_STR("{\"chain\":\"hello\"}"))
                             .status,
                         200);
    cli_world_await(w, "serve.log", "the collector of traces does not take them");
    int64_t before_ms = now_ms();
    web_close(&s);
    assert_true(now_ms() - before_ms < 4000);
    ctn_arena_free(arena);
}

static void what_is_said_wrongly_of_telemetry_is_told(void **state)
{
    static const struct {
        const char *text, *told;
    } CASES[] = {
        {"telemetry: {otlp: {url: 'ftp://x'}}\n", "catena.yaml:1:25"},
        {"telemetry: {otlp: {}}\n", "url"},
        {"telemetry: {otlp: {url: 'http://otel.example.com', headers: {A: 'Bearer {secret.X}'}}}\n", "over https"},
        {"telemetry: {otlp: {url: 'https://h', sample: 2}}\n", "sample"},
        {"telemetry: {otpl: {}}\n", "otlp"},
        {"log: {format: yaml}\n", "json"},
        {"log: {level: loud}\n", "debug"},
    };
    world *w = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        cli_world_write(w, "catena.yaml", "%s", CASES[i].text);
        assert_exit(w, catena(w, "serve", NULL), 2);
        assert_err(w, CASES[i].told);
    }
    cli_world_write(w, "catena.yaml", "store: sqlite:s.db\n");
    assert_exit(w, catena(w, "serve", "--log-format", "xml", NULL), 2);
    assert_err(w, "text or json, not 'xml'");
}

/* ---- the end ---- */

#define CLIENTS 4
#define IDS_MAX 20000

typedef struct load {
    int port;
    pthread_t thread;
    char (*ids)[37]; /* of starts that were acknowledged */
    atomic_size_t id_count;
    size_t refused;
    char fault[300]; /* empty: none */
} load;

static atomic_bool is_ending;

static int connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) port)};
    struct timeval limit = {.tv_sec = 20};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *) &to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

/* One answer, whole; 0: the connection ended before its first byte; -1: in the middle of it. */
static int read_answer(int fd, char *text, size_t room)
{
    size_t len = 0;
    for (;;) {
        ssize_t got = recv(fd, text + len, room - 1 - len, 0);
        if (got <= 0)
            return len == 0 ? 0 : -1;
        len += (size_t) got;
        text[len] = '\0';
        char *body = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length: ");
        if (body && length && (size_t) (text + len - body - 4) >= strtoul(length + 18, NULL, 10))
            return (int) strtol(text + 9, NULL, 10);
    }
}

static void *start_on_and_on(void *ctx)
{
    load *l = ctx;
    char request[300], answer[8192];
    int fd = -1;
    while (!l->fault[0] && l->id_count < IDS_MAX) {
        if (fd < 0 && (fd = connect_to(l->port)) < 0)
            break; /* it is gone */
        int len = snprintf(request, sizeof request,
                           "POST /v1/executions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                           "Content-Length: 17\r\n\r\n{\"chain\":\"hello\"}",
                           l->port);
        bool is_sent = send(fd, request, (size_t) len, MSG_NOSIGNAL) == len;
        int status = is_sent ? read_answer(fd, answer, sizeof answer) : 0;
        if (status == 202) {
            char id[64];
            json_text(answer, "executionId", id);
            memcpy(l->ids[l->id_count], id, 37);
            l->id_count++;
        } else if (status == 503) {
            l->refused++;
            if (!strcasestr(answer, "\r\nRetry-After: "))
                snprintf(l->fault, sizeof l->fault, "503 without Retry-After: %.200s", answer);
        } else if (status != 0) {
            snprintf(l->fault, sizeof l->fault, "%d: %.200s", status, answer);
        }
        if ((status == 0 && !is_ending))
            snprintf(l->fault, sizeof l->fault, "a connection ended while nobody had asked for an end");
        if (status == 0 || strcasestr(answer, "\r\nConnection: close")) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, 36);
}

/* What was acknowledged is there, and goes on; who came too late was told so, or found nobody. */
static void an_end_under_load_loses_no_start_that_was_taken(void **state)
{
    world *w = *state;
    web s;
    static load loads[CLIENTS];
    cli_world_write(w, "catena.yaml", "store: sqlite:s.db\ninclude: [c.yaml]\n");
    cli_world_write(w, "c.yaml", NOOP);
    web_open(&s, w, "");
    is_ending = false;
    for (unsigned i = 0; i < CLIENTS; i++) {
        loads[i].port = s.port;
        loads[i].ids = calloc(IDS_MAX, 37);
        assert_int_equal(pthread_create(&loads[i].thread, NULL, start_on_and_on, &loads[i]), 0);
    }
    for (int i = 0; i < 1000 && loads[0].id_count + loads[1].id_count < 50; i++)
        pause_ms(10); /* it is in full swing */
    is_ending = true;
    running_stop(w, &s.server);
    size_t count = 0, refused = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(loads[i].thread, NULL);
        if (loads[i].fault[0])
            fail_msg("client %u: %s", i, loads[i].fault);
        count += loads[i].id_count;
        refused += loads[i].refused;
    }
    assert_true(count > 20);
    char(*ids)[37] = calloc(count, 37);
    for (unsigned i = 0, n = 0; i < CLIENTS; free(loads[i++].ids))
        for (size_t k = 0; k < loads[i].id_count; k++)
            memcpy(ids[n++], loads[i].ids[k], 37);
    qsort(ids, count, 37, compare_ids);
    /* sqlite3 would do; but what people see is what counts. */
    assert_exit(w, shell(w, "catena list --limit 0 --json >list.json"), 0);
    size_t found = 0;
    char path[300], *line = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "%s/list.json", w->folder);
    FILE *list = fopen(path, "re");
    assert_non_null(list);
    while (getline(&line, &room, list) > 0)
        for (const char *at = line; (at = strstr(at, "\"executionId\":")); at++) {
            char id[64];
            json_text(at, "executionId", id);
            found += bsearch(id, ids, count, 37, compare_ids) != NULL;
        }
    fclose(list);
    free(line);
    free(ids);
    print_message("%zu starts were taken, %zu refused\n", count, refused);
    assert_int_equal(found, count);
    assert_exit(w, catena(w, "store", "verify", "--quick", NULL), 0);
}

/* Calls in flight have five seconds and are recorded; who waits for an execution is told how it stands, at once, and
 * who comes meanwhile is sent away. */
static void who_waits_gets_his_answer_and_readiness_says_no(void **state)
{
    world *w = *state;
    web s;
    ctn_arena *arena = ctn_arena_new(65536);
    cli_world_write(w, "catena.yaml", "store: sqlite:s.db\ninclude: [c.yaml]\n");
    cli_world_write(
        w, "c.yaml",
        "id: slow\noutputs: [said]\nsteps:\n"
        "  - {stepName: nap, instructionSet: nap, outputVariables: [said]}\n"
        "instructionSets:\n  nap: {effect: read, command: {shell: true, argv: ['sleep 1; echo rested']}}\n");
    web_open(&s, w, "");
    int fd = connect_to(s.port), late = connect_to(s.port);
    char request[300], answer[8192] = "";
    int len =
        snprintf(request, sizeof request,
                 "POST /v1/executions?wait=20s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                 "Content-Length: 16\r\n\r\n{\"chain\":\"slow\"}",
                 s.port);
    assert_int_equal(send(fd, request, (size_t) len, MSG_NOSIGNAL), len);
    cli_world_await(w, "serve.log", "slow running");
    /* It is in the middle of its headers when the end comes. */
    len = snprintf(request, sizeof request, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", s.port);
    assert_int_equal(send(late, request, (size_t) len, MSG_NOSIGNAL), len);
    pause_ms(100);
    kill(s.server.pid, SIGTERM);
    cli_world_await(w, "serve.log", "stopping");
    assert_int_equal(send(late, "\r\n", 2, MSG_NOSIGNAL), 2);
    assert_int_equal(read_answer(late, answer, sizeof answer), 503);
    assert_contains(answer, "it is ending");
    assert_int_equal(read_answer(fd, answer, sizeof answer), 202);
    assert_contains(answer, "\"status\":\"running\"");
    close(fd);
    close(late);
    assert_int_equal(running_wait(w, &s.server), 0);
    char id[64];
    newest_id(w, id);
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_out(w, "attempt_succeeded");
    ctn_arena_free(arena);
}

static void a_second_signal_ends_it_at_once(void **state)
{
    world *w = *state;
    web s;
    ctn_arena *arena = ctn_arena_new(65536);
    cli_world_write(w, "catena.yaml", "store: sqlite:s.db\ninclude: [c.yaml]\n");
    cli_world_write(w, "c.yaml",
                    "id: slow\nsteps:\n  - {stepName: nap, instructionSet: nap}\n"
                    "instructionSets:\n  nap: {effect: read, command: {argv: [sleep, '30']}}\n");
    web_open(&s, w, "");
    assert_int_equal(web_ask(&s, arena, "POST", "/v1/executions", "Content-Type: application/json\r\n",
                             CTN_STR("{\"chain\":\"slow\"}"))
                         .status,
                     202);
    cli_world_await(w, "serve.log", "slow running");
    int64_t before_ms = now_ms();
    kill(s.server.pid, SIGTERM);
    cli_world_await(w, "serve.log", "stopping");
    kill(s.server.pid, SIGTERM);
    assert_int_equal(running_wait(w, &s.server), 130);
    assert_true(now_ms() - before_ms < 4000);
    close(s.fd);
    ctn_arena_free(arena);
}

/* sd_notify(3): a unit of Type=notify is up when it listens, and not before. */
static void systemd_is_told_when_it_is_ready_and_when_it_ends(void **state)
{
    world *w = *state;
    web s;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char variable[300], text[64] = "";
    snprintf(at.sun_path, sizeof at.sun_path, "%s/notify", w->folder);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 10};
    (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(bind(fd, (struct sockaddr *) &at, sizeof at), 0);
    snprintf(variable, sizeof variable, "NOTIFY_SOCKET=%s", at.sun_path);
    cli_world_env(w, variable);
    cli_world_write(w, "catena.yaml", "store: sqlite:s.db\n");
    web_open(&s, w, "");
    assert_int_equal(recv(fd, text, sizeof text - 1, 0), 7);
    assert_string_equal(text, "READY=1");
    web_close(&s);
    memset(text, 0, sizeof text);
    assert_int_equal(recv(fd, text, sizeof text - 1, 0), 10);
    assert_string_equal(text, "STOPPING=1");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(who_waits_is_told_and_streams_end_when_the_service_ends),
        CLI_TEST(a_renewal_that_does_not_fit_is_told_and_the_old_pair_stays),
        CLI_TEST(figures_are_what_prometheus_reads_and_for_those_who_may),
        CLI_TEST(the_list_of_figures_is_the_one_in_the_documentation),
        CLI_TEST(what_is_queued_is_told_by_tenant_and_chain),
        CLI_TEST(a_trace_goes_in_through_and_out),
        CLI_TEST(a_collector_that_is_gone_is_nobodys_trouble),
        CLI_TEST(what_is_said_wrongly_of_telemetry_is_told),
        CLI_TEST(an_end_under_load_loses_no_start_that_was_taken),
        CLI_TEST(who_waits_gets_his_answer_and_readiness_says_no),
        CLI_TEST(a_second_signal_ends_it_at_once),
        CLI_TEST(systemd_is_told_when_it_is_ready_and_when_it_ends),
    };
    (void) signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
