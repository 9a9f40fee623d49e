/*
 * `tools login` with the real binary: a person gives leave, the tokens are kept sealed, every later process uses and
 * renews them, and they are found in nothing that was written or said. The browser is the test's own.
 */
#include "cli_kit.h"
#include "support/oauth_peer.h"
#include "wire/mcp_server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of tokens, codes and secrets: what never stands anywhere in the clear. */
static const char *const SECRETS[] = {"first-token", "renewed-token", "REFRESH-", "CODE-7f3a"};

typedef struct service {
    oauth_peer oauth;
    http_peer *peer;
    ctn_mcp_server *server;
    pthread_mutex_t lock;
    char authorization[200]; /* of the last request that was served */
    atomic_int calls;
    atomic_bool refuses_calls; /* whatever the token */
    atomic_bool wants_no_token;
} service;

/* A tool that tells whoever calls it what it was called with. */
static void on_call(void *ctx, const ctn_mcp_server_call *call, ctn_mcp_server_reply *ret_reply)
{
    service *s = ctx;
    ctn_json_builder value = ctn_json_object(call->arena);
    s->calls++;
    ctn_json_put_str(&value, "line", ctn_str_from(s->authorization));
    ret_reply->value = ctn_json_finish(&value);
}

static void on_request(void *ctx, http_asked *asked)
{
    service *s = ctx;
    ctn_buf out;
    char authorization[200] = "";
    if (oauth_peer_serve(&s->oauth, asked))
        return;
    (void) http_asked_header(asked, "Authorization", authorization, sizeof authorization);
    if ((s->refuses_calls && memmem(asked->body, asked->body_bytes, "tools/call", 10)) ||
        (!s->wants_no_token && strncmp(authorization, "Bearer ", 7) != 0)) {
        oauth_peer_refuse(&s->oauth, asked, "read");
        return;
    }
    ctn_buf_init(&out, 1 << 20);
    pthread_mutex_lock(&s->lock);
    snprintf(s->authorization, sizeof s->authorization, "%s", authorization);
    ctn_mcp_server_line(s->server, (ctn_str){asked->body, asked->body_bytes}, &out);
    pthread_mutex_unlock(&s->lock);
    ctn_buf_append(&out, (ctn_str){"", 1});
    http_answer(asked, out.len > 1 ? 200 : 202, "application/json", out.data);
    ctn_buf_done(&out);
}

static void service_start(service *s, world *w)
{
    static const ctn_mcp_server_tool tools[] = {{.name = "tell", .input_schema = "{\"type\":\"object\"}"}};
    ctn_mcp_server_options options = {
        .name = "s", .version = "1", .tools = tools, .tool_count = 1, .call = on_call, .ctx = s};
    *s = (service){.oauth = {.life_s = 3600}};
    pthread_mutex_init(&s->lock, NULL);
    assert_int_equal(ctn_mcp_server_new(&options, &s->server, NULL), CTN_OK);
    s->peer = http_peer_start(&(http_peer_options){.serve = on_request, .ctx = s});
    s->oauth.url = http_peer_url(s->peer);
    cli_world_write(w, "catena.yaml",
                    "servers: {far: {url: '%s/mcp', auth: {type: oauth}, effects: {tell: read}}}\n"
                    "sealing: {key: {file: catena.key}}\n",
                    s->oauth.url);
    cli_world_write(w, "told.yaml",
                    "id: told\ninstructionSets: {tell: {tool: far/tell}}\noutputs: [said]\n"
                    "steps: [{stepName: t, instructionSet: tell, outputVariables: {said: line}}]\n");
}

static void service_stop(service *s)
{
    http_peer_stop(s->peer);
    ctn_mcp_server_free(s->server);
    pthread_mutex_destroy(&s->lock);
}

/* ---- the browser ---- */

static void get(const char *url, char *answer, size_t bytes)
{
    int port = 0;
    char path[4096] = "/", request[8192];
    assert_true(sscanf(url, "http://127.0.0.1:%d%4095s", &port, path) >= 1);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &at, sizeof at), 0);
    int length =
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path);
    assert_int_equal(write(fd, request, (size_t) length), length);
    size_t n = 0;
    ssize_t got;
    while (n + 1 < bytes && (got = read(fd, answer + n, bytes - 1 - n)) > 0) {
        n += (size_t) got;
        answer[n] = '\0';
        if (strstr(answer, "Content-Length: 0\r\n\r\n"))
            break;
    }
    answer[n] = '\0';
    close(fd);
}

/* Opens the page that a login prints, and follows it back. */
static void browse(int fd)
{
    char url[4096], answer[8192];
    size_t n = 0;
    while (n + 1 < sizeof url && read(fd, url + n, 1) == 1 && url[n] != '\n')
        n++;
    url[n] = '\0';
    get(url, answer, sizeof answer);
    char *to = strstr(answer, "Location: ");
    assert_non_null(to);
    to += strlen("Location: ");
    to[strcspn(to, "\r\n")] = '\0';
    char back[4096];
    snprintf(back, sizeof back, "%s", to);
    get(back, answer, sizeof answer);
    assert_contains(answer, "Catena has got leave");
}

static void log_in(world *w)
{
    running r = catena_start(w, "tools", "login", "far", NULL);
    browse(r.out_fd);
    assert_exit(w, running_wait(w, &r), 0);
}

/* ---- the search ---- */

static void assert_no_secret_in(const char *name, const char *bytes, size_t count)
{
    for (size_t i = 0; i < sizeof SECRETS / sizeof *SECRETS; i++)
        if (memmem(bytes, count, SECRETS[i], strlen(SECRETS[i])))
            fail_msg("%s stands in %s", SECRETS[i], name);
}

static void assert_no_secret(world *w)
{
    DIR *folder = opendir(w->folder);
    struct dirent *entry;
    size_t files = 0;
    assert_non_null(folder);
    assert_no_secret_in("what was said", w->said.out, strlen(w->said.out));
    assert_no_secret_in("what was said on stderr", w->said.err, strlen(w->said.err));
    while ((entry = readdir(folder))) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", w->folder, entry->d_name);
        FILE *file = entry->d_type == DT_REG ? fopen(path, "re") : NULL;
        if (!file)
            continue;
        char *bytes = malloc(1 << 22);
        size_t count = fread(bytes, 1, 1 << 22, file);
        assert_no_secret_in(entry->d_name, bytes, count);
        free(bytes);
        fclose(file);
        files++;
    }
    closedir(folder);
    assert_in_range(files, 4, 100); /* the search is not blind: configuration, key, credentials, store */
}

/* ---- tests ---- */

static void leave_that_was_given_is_used_and_written_nowhere_in_the_clear(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    assert_exit(w, catena(w, "run", "told.yaml", NULL), 2); /* nothing has begun */
    assert_err(w, "run: catena tools login far");
    assert_int_equal(s.calls, 0);
    log_in(w);
    assert_no_secret(w);
    assert_exit(w, catena(w, "run", "told.yaml", NULL), 0);
    assert_string_equal(s.authorization, "Bearer first-token-1");
    assert_out(w, "Bearer (secret token of far)"); /* the tool told it; it reaches no journal */
    assert_no_secret(w);
    assert_exit(w, catena(w, "tools", "logout", "far", NULL), 0);
    assert_false(cli_world_has(w, "catena.db-credentials"));
    assert_exit(w, catena(w, "tools", "call", "far/tell", NULL), 1);
    assert_exit(w, catena(w, "tools", "logout", "far", NULL), 2);
    service_stop(&s);
}

/* In the middle of a run: renewed once, refused again, not executed. */
static void a_call_that_no_token_opens_is_denied_and_not_executed(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    log_in(w);
    s.refuses_calls = true;
    assert_exit(w, catena(w, "run", "told.yaml", "--json", NULL), 1);
    assert_out(w, "\"code\":\"denied\"");
    assert_out(w, "catena tools login far");
    assert_int_equal(s.calls, 0);
    assert_int_equal(s.oauth.refreshes, 1);
    assert_no_secret(w);
    service_stop(&s);
}

/* The server has refused the call and the issuer is out of order: it was not executed, whatever its effect. */
static void a_call_whose_token_cannot_be_renewed_now_is_unavailable(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    log_in(w);
    cli_world_write(w, "catena.yaml",
                    "servers: {far: {url: '%s/mcp', auth: {type: oauth}, effects: {tell: write}}}\n"
                    "sealing: {key: {file: catena.key}}\n",
                    s.oauth.url);
    s.refuses_calls = s.oauth.is_down = true;
    assert_exit(w, catena(w, "run", "told.yaml", "--json", NULL), 1);
    assert_out(w, "\"code\":\"unavailable\"");
    assert_int_equal(s.calls, 0);
    service_stop(&s);
}

static void a_server_that_wants_no_token_needs_no_login(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    s.wants_no_token = s.oauth.lacks_metadata = true;
    assert_exit(w, catena(w, "tools", "login", "far", NULL), 0);
    assert_err(w, "server far asks for no token: it can be called as it is");
    assert_exit(w, catena(w, "tools", "call", "far/tell", NULL), 0);
    service_stop(&s);
}

static void what_auth_says_is_held_to_its_type(void **state)
{
    static const char *const BAD[][2] = {
        {"{type: bearer}", "bearer needs its token"},
        {"{type: bearer, token: Planted1}", "it never stands in this file itself"},
        {"{type: client_credentials, clientId: x, clientSecret: Planted1}", "it never stands in this file itself"},
        {"{type: oauth, token: {env: X}}", "belongs to bearer"},
        {"{type: client_credentials, clientId: x}", "clientSecret or privateKey"},
        {"{type: oauth, tokenUrl: 'https://a/token'}", "belongs to client_credentials"},
        {"{type: oath}", "oauth"},
        {"{type: oauth, redirectPort: 99999}", "redirectPort"},
        {"{type: oauth}, headers: {Authorization: x}", "not both"},
    };
    world *w = *state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        cli_world_write(w, "catena.yaml", "servers: {far: {url: 'http://127.0.0.1:1/mcp', auth: %s}}\n", BAD[i][0]);
        assert_exit(w, catena(w, "tools", "login", "far", NULL), 2);
        assert_err(w, BAD[i][1]);
        assert_lacks(w->said.err, "Planted1");
    }
}

static void tokens_are_kept_sealed_or_not_at_all(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    cli_world_write(w, "bare.yaml", "servers: {far: {url: '%s/mcp', auth: {type: oauth}}}\n", s.oauth.url);
    assert_exit(w, catena(w, "tools", "login", "far", "--config", "bare.yaml", NULL), 2);
    assert_err(w, "sealing: {key: {file: catena.key}}");
    assert_int_equal(s.oauth.authorized, 0);
    log_in(w);
    assert_exit(w, shell(w, "mv catena.key other.key"), 0);
    assert_exit(w, catena(w, "tools", "call", "far/tell", NULL), 1); /* as if nobody had given leave */
    assert_exit(w, shell(w, "mv other.key catena.key"), 0);
    assert_exit(w, catena(w, "tools", "call", "far/tell", NULL), 0);
    assert_exit(w, catena(w, "store", "init", NULL), 0);
    assert_exit(w, catena(w, "store", "rekey", NULL), 0);
    assert_exit(w, catena(w, "store", "rekey", "--drop-old", NULL), 0);
    assert_exit(w, catena(w, "tools", "call", "far/tell", NULL), 0);
    service_stop(&s);
}

/* A refresh token is good once: two processes that find the token at its end do not both use it. */
static void of_two_processes_one_renews_the_token(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    s.oauth.life_s = 10; /* at its end from the beginning: it is renewed 30 s before */
    log_in(w);
    s.oauth.life_s = 3600;
    s.oauth.token_delay_ms = 300;
    running one = catena_start(w, "tools", "call", "far/tell", NULL);
    running two = catena_start(w, "tools", "call", "far/tell", NULL);
    assert_exit(w, running_wait(w, &one), 0);
    assert_exit(w, running_wait(w, &two), 0);
    assert_int_equal(s.oauth.refreshes, 1);
    assert_string_equal(s.authorization, "Bearer renewed-token-1");
    assert_no_secret(w);
    service_stop(&s);
}

/* Who dies while it renews gives the lock back, and the next one renews. */
static void a_death_in_the_middle_of_renewing_keeps_nobody_out(void **state)
{
    world *w = *state;
    service s;
    service_start(&s, w);
    s.oauth.life_s = 10;
    log_in(w);
    s.oauth.life_s = 3600;
    s.oauth.token_delay_ms = 5000;
    running one = catena_start(w, "tools", "call", "far/tell", NULL);
    for (int i = 0; i < 500 && !strstr(s.oauth.last_token_body, "grant_type=refresh_token"); i++)
        usleep(10000);
    kill(one.pid, SIGKILL);
    assert_exit(w, running_wait(w, &one), -SIGKILL);
    s.oauth.token_delay_ms = 0;
    assert_exit(w, catena(w, "tools", "call", "far/tell", NULL), 0);
    assert_string_equal(s.authorization, "Bearer renewed-token-1");
    service_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(leave_that_was_given_is_used_and_written_nowhere_in_the_clear),
        CLI_TEST(a_call_that_no_token_opens_is_denied_and_not_executed),
        CLI_TEST(a_call_whose_token_cannot_be_renewed_now_is_unavailable),
        CLI_TEST(a_server_that_wants_no_token_needs_no_login),
        CLI_TEST(what_auth_says_is_held_to_its_type),
        CLI_TEST(tokens_are_kept_sealed_or_not_at_all),
        CLI_TEST(of_two_processes_one_renews_the_token),
        CLI_TEST(a_death_in_the_middle_of_renewing_keeps_nobody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
