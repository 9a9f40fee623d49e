/*
 * Deliveries of others start chains: only what is signed, each once, also when the server dies before it has answered.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/hash.h"
#include "e2e/web_kit.h"
#include "wire/signature.h"

#define SECRET CTN_STR("whsec_c2VjcmV0IG9mIHRoZSB0ZXN0")
#define JSON   "Content-Type: application/json\r\n"

static void write_files(world *w, const char *tokens)
{
    cli_world_env(w, "HOOK=whsec_c2VjcmV0IG9mIHRoZSB0ZXN0");
    cli_world_env(w, "ADA=token-of-ada-for-the-test");
    cli_world_write(
        w, "catena.yaml",
        "store: sqlite:api.db\ninclude: [greet.yaml]\n%s"
        "hooks:\n"
        "  orders: {chain: greet, secret: {env: HOOK}, principal: shop, input: {name: /data/customer}}\n"
        "  plain: {chain: greet, secret: {env: HOOK}, principal: shop}\n"
        "  repo: {chain: greet, secret: {env: HOOK}, principal: shop, scheme: github, input: {name: /who}}\n"
        "  own: {chain: greet, secret: {env: HOOK}, principal: shop, scheme: hmac, header: X-Sig,\n"
        "        id: {body: /n}, input: {name: /who}}\n"
        "  lost: {chain: greet, secret: {env: NOT_SET}, principal: shop}\n",
        tokens);
    cli_world_write(w, "greet.yaml",
                    "id: greet\ninputSchema: {type: object, required: [name], properties: {name: {type: string}}}\n"
                    "outputs: [greeting]\nsteps:\n"
                    "  - {stepName: greet, instructionSet: say, outputVariables: [greeting]}\n"
                    "instructionSets:\n"
                    "  say: {native: noop, effect: none, arguments: {greeting: 'Hello {name}'}}\n");
}

/* As a sender of Standard Webhooks would. */
static web_answer deliver_at(web *s, ctn_arena *arena, const char *hook, const char *id, ctn_str body, int64_t shift_s)
{
    int64_t now_s = (int64_t) time(NULL) + shift_s;
    ctn_str signature = ctn_signature_make(arena, SECRET, ctn_str_from(id), now_s, body);
    ctn_str headers =
        ctn_arena_printf(arena, JSON "webhook-id: %s\r\nwebhook-timestamp: %lld\r\nwebhook-signature: %.*s\r\n", id,
                         (long long) now_s, CTN_STR_ARG(signature));
    return web_ask(s, arena, "POST", ctn_arena_printf(arena, "/v1/hooks/%s", hook).ptr, headers.ptr, body);
}

static web_answer deliver(web *s, ctn_arena *arena, const char *hook, const char *id, ctn_str body)
{
    return deliver_at(s, arena, hook, id, body, 0);
}

static web_answer signed_by_header(web *s, ctn_arena *arena, const char *hook, const char *header, const char *more,
                                   ctn_str body)
{
    ctn_digest digest = ctn_hmac_sha256(SECRET, &body, 1);
    ctn_str headers =
        ctn_arena_printf(arena, JSON "%s: sha256=%s\r\n%s", header, ctn_digest_to_text(digest).text, more);
    return web_ask(s, arena, "POST", ctn_arena_printf(arena, "/v1/hooks/%s", hook).ptr, headers.ptr, body);
}

static ctn_str id_of(const web_answer *a)
{
    assert_int_equal(a->status, 202);
    return ctn_json_str_or(a->json, "executionId", (ctn_str){0});
}

static void what_is_signed_starts_a_chain_once(void **state)
{
    world *w = *state;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_str order = CTN_STR("{\"type\":\"order\",\"data\":{\"customer\":\"Ann\"}}");
    web s;
    write_files(w, "");
    web_open(&s, w, "");
    web_answer first = deliver(&s, arena, "orders", "msg_1", order),
               again = deliver(&s, arena, "orders", "msg_1", order),
               other = deliver(&s, arena, "orders", "msg_2", order);
    assert_true(ctn_str_equal(id_of(&first), id_of(&again)));
    assert_false(ctn_str_equal(id_of(&first), id_of(&other)));
    assert_true(ctn_str_ends_with(web_header(&first, "location"), id_of(&first)));
    web_answer told = web_ask(&s, arena, "GET",
                              ctn_arena_printf(arena, "/v1/executions/%.*s?wait=20s", CTN_STR_ARG(id_of(&first))).ptr,
                              "", (ctn_str){0});
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(told.json, CTN_STR("/outputs/greeting"))), "Hello Ann"));
    assert_int_equal(deliver(&s, arena, "plain", "msg_3", CTN_STR("{\"name\":\"Bob\"}")).status, 202);
    web_answer wrong = deliver(&s, arena, "plain", "msg_4", CTN_STR("{\"nam\":\"Bob\"}"));
    assert_int_equal(wrong.status, 422);
    assert_int_equal(deliver(&s, arena, "plain", "msg_5", CTN_STR("[1]")).status, 422);
    assert_int_equal(deliver(&s, arena, "plain", "msg_6", CTN_STR("{")).status, 400);
    cli_world_await(w, s.log, "no delivery is taken hook=lost");
    assert_int_equal(deliver(&s, arena, "lost", "msg_7", order).status, 503);
    assert_int_equal(deliver(&s, arena, "nobody", "msg_8", order).status, 404);
    ctn_str push = CTN_STR("{\"who\":\"Cid\",\"n\":7}");
    web_answer a = signed_by_header(&s, arena, "repo", "X-Hub-Signature-256", "X-GitHub-Delivery: d1\r\n", push),
               b = signed_by_header(&s, arena, "repo", "X-Hub-Signature-256", "X-GitHub-Delivery: d2\r\n", push);
    assert_true(ctn_str_equal(id_of(&a), id_of(&b))); /* that header is not signed: anybody could change it */
    b = signed_by_header(&s, arena, "repo", "X-Hub-Signature-256", "", CTN_STR("{\"who\":\"Cid\",\"n\":8}"));
    assert_false(ctn_str_equal(id_of(&a), id_of(&b)));
    a = signed_by_header(&s, arena, "own", "X-Sig", "", push);
    b = signed_by_header(&s, arena, "own", "X-Sig", "", CTN_STR("{\"who\":\"Dan\",\"n\":7}"));
    assert_true(ctn_str_equal(id_of(&a), id_of(&b))); /* its id is in the body */
    assert_int_equal(signed_by_header(&s, arena, "own", "X-Other", "", push).status, 401);
    web_close(&s);
    assert_exit(w, catena(w, "list", "--json", NULL), 0);
    assert_int_equal(count_in(w->said.out, "\"executionId\""), 6);
    assert_lacks(w->said.out, "c2VjcmV0");
    ctn_arena_free(arena);
}

static void what_is_not_signed_starts_nothing(void **state)
{
    world *w = *state;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_str order = CTN_STR("{\"data\":{\"customer\":\"Ann\"}}");
    web s;
    write_files(w, "");
    web_open(&s, w, "");
    assert_int_equal(deliver_at(&s, arena, "orders", "msg_1", order, -400).status, 401); /* heard, and sent again */
    assert_int_equal(deliver_at(&s, arena, "orders", "msg_1", order, 400).status, 401);
    assert_int_equal(web_ask(&s, arena, "POST", "/v1/hooks/orders", JSON, order).status, 401);
    ctn_str headers = ctn_arena_printf(arena,
                                       JSON "webhook-id: x\r\nwebhook-timestamp: %lld\r\nwebhook-signature: "
                                            "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=\r\n",
                                       (long long) time(NULL));
    assert_int_equal(web_ask(&s, arena, "POST", "/v1/hooks/orders", headers.ptr, order).status, 401);
    assert_int_equal(web_ask(&s, arena, "POST", "/v1/hooks/orders", "Content-Type: text/plain\r\n", order).status, 415);
    assert_int_equal(web_ask(&s, arena, "GET", "/v1/hooks/orders", "", (ctn_str){0}).status, 405);
    web_answer nameless = signed_by_header(&s, arena, "own", "X-Sig", "", CTN_STR("{\"who\":\"Ann\"}"));
    assert_int_equal(nameless.status, 422);
    assert_contains(nameless.body.ptr, "(a member of its body) is not in it");
    char *large = ctn_arena_alloc(arena, 2 << 20);
    memset(large, ' ', 2 << 20);
    assert_int_equal(web_ask(&s, arena, "POST", "/v1/hooks/orders", JSON, (ctn_str){large, 2 << 20}).status, 413);
    web_close(&s);
    assert_exit(w, catena(w, "list", "--json", NULL), 0);
    assert_int_equal(count_in(w->said.out, "\"executionId\""), 0);
    ctn_arena_free(arena);
}

static void a_hook_may_do_what_its_principal_may(void **state)
{
    world *w = *state;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_str order = CTN_STR("{\"data\":{\"customer\":\"Ann\"}}");
    web s;
    write_files(w, "http: {tokens: {ada: {env: ADA, roles: [admin]}}}\n");
    web_open(&s, w, "");
    assert_int_equal(deliver(&s, arena, "orders", "msg_1", order).status, 403); /* nobody has granted shop anything */
    web_close(&s);
    write_files(w, "http: {tokens: {ada: {env: ADA, roles: [admin]}, shop: {env: ADA, roles: [viewer]}}}\n");
    web_open(&s, w, "");
    web_answer a = deliver(&s, arena, "orders", "msg_1", order);
    assert_int_equal(a.status, 403);
    assert_true(ctn_str_find(a.body, CTN_STR("executions.start")) != SIZE_MAX);
    web_close(&s);
    write_files(w, "http: {tokens: {ada: {env: ADA, roles: [admin]}, shop: {env: ADA, roles: [operator]}}}\n");
    web_open(&s, w, "");
    assert_int_equal(deliver(&s, arena, "orders", "msg_1", order).status, 202);
    web_close(&s);
    assert_exit(w, catena(w, "store", "audit", "--json", NULL), 0);
    assert_out(w, "\"shop\"");
    ctn_arena_free(arena);
}

/* Whether it is answered or not. */
static void send_blindly(const web *s, ctn_arena *arena, const char *id, ctn_str body)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t) s->port)};
    int64_t now_s = (int64_t) time(NULL);
    ctn_str signature = ctn_signature_make(arena, SECRET, ctn_str_from(id), now_s, body);
    ctn_str text =
        ctn_arena_printf(arena,
                         "POST /v1/hooks/orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" JSON
                         "webhook-id: %s\r\nwebhook-timestamp: %lld\r\nwebhook-signature: %.*s\r\n"
                         "Content-Length: %zu\r\n\r\n%.*s",
                         s->port, id, (long long) now_s, CTN_STR_ARG(signature), body.len, CTN_STR_ARG(body));
    char byte;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &to, sizeof to) == 0 &&
        send(fd, text.ptr, text.len, MSG_NOSIGNAL) > 0)
        (void) recv(fd, &byte, 1, 0);
}

/* The sender sends it again and again until it hears that it was taken. */
static void a_delivery_over_a_death_starts_one_chain(void **state)
{
    world *w = *state;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_str order = CTN_STR("{\"data\":{\"customer\":\"Ann\"}}");
    web s;
    write_files(w, "");
    for (int round = 0; round < 6; round++) {
        char id[32];
        (void) snprintf(id, sizeof id, "msg_%d", round);
        web_open(&s, w, "");
        pid_t killer = fork();
        assert_true(killer >= 0);
        if (killer == 0) { /* somewhere between the request and its answer */
            (void) usleep((useconds_t) (300 + 700 * round));
            (void) kill(s.server.pid, SIGKILL);
            _exit(0);
        }
        pid_t sender = fork();
        assert_true(sender >= 0);
        if (sender == 0) {
            send_blindly(&s, arena, id, order);
            _exit(0);
        }
        (void) running_wait(w, &s.server);
        (void) kill(sender, SIGKILL);
        while (waitpid(-1, NULL, 0) > 0)
            ;
        web_open(&s, w, "");
        web_answer again = deliver(&s, arena, "orders", id, order);
        assert_int_equal(again.status, 202);
        web_close(&s);
    }
    assert_exit(w, catena(w, "list", "--json", NULL), 0);
    assert_int_equal(count_in(w->said.out, "\"executionId\""), 6);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
    ctn_arena_free(arena);
}

static void wrong_hooks_are_told_where_they_stand(void **state)
{
    world *w = *state;
    static const struct {
        const char *hook, *why;
    } ROWS[] = {
        {"a: {chain: greet, principal: p}", "secret"},
        {"a: {chain: greet, secret: {env: X}}", "principal"},
        {"a: {chain: greet, secret: hush, principal: p}", "it never stands in this file itself"},
        {"a: {chain: greet, secret: {env: X}, principal: p, scheme: hmac}", "header: X-Signature"},
        {"a: {chain: greet, secret: {env: X}, principal: p, scheme: githup}", "github"},
        {"a: {chain: greet, secret: {env: X}, principal: p, header: X}", "is for the scheme hmac"},
        {"a: {chain: greet, secret: {env: X}, principal: p, input: {x: data.id}}", "JSON Pointer"},
        {"a: {chain: greet, secret: {env: X}, principal: p, id: {header: A, body: /b}}", "one of header and body"},
        {"a/b: {chain: greet, secret: {env: X}, principal: p}", "no name of a hook"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        cli_world_write(w, "catena.yaml", "store: sqlite:api.db\nhooks: {%s}\n", ROWS[i].hook);
        assert_int_not_equal(catena(w, "list", NULL), 0);
        assert_err(w, ROWS[i].why);
        assert_err(w, "catena.yaml:2:");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(what_is_signed_starts_a_chain_once),    CLI_TEST(what_is_not_signed_starts_nothing),
        CLI_TEST(a_hook_may_do_what_its_principal_may),  CLI_TEST(a_delivery_over_a_death_starts_one_chain),
        CLI_TEST(wrong_hooks_are_told_where_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
