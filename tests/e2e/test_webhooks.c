/*
 * Webhooks over the real program: whoever is told misses nothing when the server is killed between a delivery and its
 * answer, and the secret is told once. Of a fleet one node tells, and another when that one is dead.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "e2e/web_kit.h"
#include "support/http_peer.h"
#include "support/pg_server.h"
#include "wire/signature.h"

#define EXECUTIONS 8
#define ENTRIES    10 /* of each: started, of four naps that it waits and is done, completed */
#define JSON       "Content-Type: application/json\r\n"
#define SECRET     "whsec_dGhlIHNlY3JldCBvZiB0aGlzIHRlc3Q="

typedef struct seen {
    pthread_mutex_t lock;
    char ids[EXECUTIONS][40];
    unsigned last[EXECUTIONS]; /* the highest entry that came, each having come before it */
    unsigned count, repeats, disorder, forged, ends;
} seen;

static size_t place_of(seen *s, const char *id)
{
    for (size_t i = 0; i < EXECUTIONS; i++) {
        if (!s->ids[i][0])
            (void) snprintf(s->ids[i], sizeof s->ids[i], "%.36s", id);
        if (strncmp(s->ids[i], id, 36) == 0)
            return i;
    }
    return 0;
}

static void serve(void *ctx, http_asked *asked)
{
    seen *s = ctx;
    char id[64] = "", when[32] = "", signature[128] = "";
    (void) http_asked_header(asked, "webhook-id", id, sizeof id);
    (void) http_asked_header(asked, "webhook-timestamp", when, sizeof when);
    (void) http_asked_header(asked, "webhook-signature", signature, sizeof signature);
    ctn_signed what = {ctn_str_from(id), ctn_str_from(when), ctn_str_from(signature), {asked->body, asked->body_bytes}};
    pthread_mutex_lock(&s->lock);
    s->forged +=
        ctn_signature_fault(CTN_SIGNATURE_STANDARD, CTN_STR(SECRET), &what, (int64_t) time(NULL) * 1000) != NULL;
    if (strlen(id) > 37) {
        size_t i = place_of(s, id);
        unsigned n = (unsigned) atoi(id + 37);
        s->count++;
        s->repeats += n <= s->last[i];
        s->disorder += n > s->last[i] + 1;
        s->ends += n == ENTRIES && s->last[i] < ENTRIES;
        s->last[i] = n > s->last[i] ? n : s->last[i];
    }
    pthread_mutex_unlock(&s->lock);
    http_pause(asked->peer, 3);
    http_answer(asked, 204, NULL, "");
}

static unsigned count_of(seen *s)
{
    pthread_mutex_lock(&s->lock);
    unsigned count = s->count;
    pthread_mutex_unlock(&s->lock);
    return count;
}

static void write_files(world *w, const char *store)
{
    cli_world_write(w, "catena.yaml",
                    "store: \"%s\"\ninclude: [naps.yaml]\nsealing: {key: {file: catena.key}}\n"
                    "http: {tokens: {ada: {env: ADA, roles: [admin]}, bob: {env: BOB, roles: [operator]}}}\n"
                    "egress: {allowPrivate: ['127.0.0.1'], allowCleartext: ['127.0.0.1'], proxy: ''}\n",
                    store);
    cli_world_env(w, "ADA=token-of-ada-for-the-test");
    cli_world_env(w, "BOB=token-of-bob-for-the-test");
    cli_world_write(w, "naps.yaml",
                    "id: naps\nsteps:\n"
                    "  - {stepName: a, instructionSet: nap}\n  - {stepName: b, instructionSet: nap}\n"
                    "  - {stepName: c, instructionSet: nap}\n  - {stepName: d, instructionSet: nap}\n"
                    "instructionSets: {nap: {wait: {ms: 40}}}\n");
}

static web_answer as(web *s, ctn_arena *arena, const char *who, const char *method, const char *target,
                     const char *body)
{
    ctn_str headers =
        ctn_arena_printf(arena, "Authorization: Bearer token-of-%s-for-the-test\r\n%s", who, body ? JSON : "");
    return web_ask(s, arena, method, target, headers.ptr, body ? ctn_str_from(body) : (ctn_str){0});
}

static void die(web *s)
{
    (void) kill(s->server.pid, SIGKILL);
    (void) running_wait(s->w, &s->server);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

static void a_receiver_of_a_server_that_dies_misses_nothing(void **state)
{
    world *w = *state;
    ctn_arena *arena = ctn_arena_new(65536);
    seen *s = calloc(1, sizeof *s);
    web site;
    assert_non_null(s);
    assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
    http_peer *peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = s});
    write_files(w, "sqlite:api.db");
    web_open(&site, w, "");
    ctn_str body =
        ctn_arena_printf(arena, "{\"name\":\"crm\",\"url\":\"%s/in\",\"chain\":\"naps\",\"secret\":\"" SECRET "\"}",
                         http_peer_url(peer));
    assert_int_equal(as(&site, arena, "bob", "POST", "/v1/webhooks", body.ptr).status, 403);
    web_answer a = as(&site, arena, "ada", "POST", "/v1/webhooks", body.ptr);
    assert_int_equal(a.status, 201);
    assert_true(ctn_str_is(ctn_json_str_or(a.json, "secret", (ctn_str){0}), SECRET));
    for (int i = 0; i < EXECUTIONS; i++)
        assert_int_equal(as(&site, arena, "ada", "POST", "/v1/executions", "{\"chain\":\"naps\"}").status, 202);
    for (unsigned deaths = 1; deaths <= 3; deaths++) {
        for (int i = 0; i < 2000 && count_of(s) < 18 * deaths; i++)
            (void) usleep(5000);
        die(&site);
        web_open(&site, w, "");
    }
    for (int i = 0; i < 4000 && s->ends < EXECUTIONS; i++)
        (void) usleep(5000);
    assert_int_equal(s->ends, EXECUTIONS);
    assert_int_equal(s->disorder, 0);
    assert_int_equal(s->forged, 0);
    assert_true(s->count >= EXECUTIONS * ENTRIES);
    print_message("%u deliveries of %d events, %u repeats\n", s->count, EXECUTIONS * ENTRIES, s->repeats);
    a = as(&site, arena, "bob", "GET", "/v1/webhooks/crm", NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(ctn_str_find(a.body, CTN_STR("secret")), SIZE_MAX); /* never again */
    a = as(&site, arena, "ada", "GET", "/v1/webhooks", NULL);
    assert_int_equal(ctn_str_find(a.body, CTN_STR("whsec")), SIZE_MAX);
    assert_string_equal(as(&site, arena, "ada", "GET", "/v1/webhooks/crm/dead-letters", NULL).body.ptr,
                        "{\"deadLetters\":[]}");
    assert_int_equal(as(&site, arena, "ada", "POST", "/v1/webhooks/crm/dead-letters/7/deliver", NULL).status, 404);
    assert_int_equal(as(&site, arena, "ada", "DELETE", "/v1/webhooks/crm/dead-letters/7", NULL).status, 404);
    assert_int_equal(as(&site, arena, "ada", "POST", "/v1/webhooks/crm/resume", NULL).status, 200);
    a = as(&site, arena, "ada", "POST", "/v1/webhooks",
           "{\"name\":\"meta\",\"url\":\"http://169.254.169.254/\",\"kinds\":[\"completed\"]}");
    assert_int_equal(a.status, 201); /* its host is judged by the address, at each delivery */
    assert_int_equal(as(&site, arena, "ada", "DELETE", "/v1/webhooks/crm", NULL).status, 204);
    assert_int_equal(as(&site, arena, "ada", "GET", "/v1/webhooks/crm", NULL).status, 404);
    web_close(&site);
    assert_int_not_equal(shell(w, "cat api.db* serve.log | grep -c -e 'whsec_' -e 'secret of this test'"), 0);
    http_peer_stop(peer);
    free(s);
    ctn_arena_free(arena);
}

/* ---- of a fleet ---- */

static unsigned ends_of(seen *s)
{
    pthread_mutex_lock(&s->lock);
    unsigned ends = s->ends;
    pthread_mutex_unlock(&s->lock);
    return ends;
}

static void await_ends(seen *s, unsigned wanted)
{
    for (int i = 0; i < 4000 && ends_of(s) < wanted; i++)
        (void) usleep(5000);
    assert_int_equal(ends_of(s), wanted);
}

/* Which of the two has the place; waited for. */
static size_t sender_of(pg_server *server, const char *database)
{
    for (int i = 0; i < 2000; i++, (void) usleep(5000)) {
        char *name = pg_server_sql(server, database,
                                   "SELECT n.name FROM catena.places p JOIN catena.nodes n ON n.is_live"
                                   " AND p.claims->>n.incarnation::text = '1' WHERE p.name = 'webhooks'");
        bool is_a = name && name[0] == 'a', is_b = name && name[0] == 'b';
        free(name);
        if (is_a || is_b)
            return is_b;
    }
    fail_msg("no node sends the webhooks");
    return 0;
}

static void of_a_fleet_one_node_tells_and_another_when_it_is_dead(void **state)
{
    world *w = *state;
    if (pg_server_missing()) {
        print_message("skipped: %s\n", pg_server_missing());
        skip();
    }
    pg_server *server = pg_server_start(NULL);
    char *url = pg_server_new_database(server);
    ctn_arena *arena = ctn_arena_new(65536);
    seen *s = calloc(1, sizeof *s);
    web nodes[2];
    assert_non_null(s);
    assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
    http_peer *peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = s});
    write_files(w, url);
    web_open(&nodes[0], w, "--node a");
    web_open(&nodes[1], w, "--node b");
    ctn_str body =
        ctn_arena_printf(arena, "{\"name\":\"crm\",\"url\":\"%s/in\",\"chain\":\"naps\",\"secret\":\"" SECRET "\"}",
                         http_peer_url(peer));
    assert_int_equal(as(&nodes[1], arena, "ada", "POST", "/v1/webhooks", body.ptr).status, 201);
    assert_int_equal(as(&nodes[0], arena, "ada", "GET", "/v1/webhooks/crm", NULL).status, 200);
    assert_int_equal(as(&nodes[0], arena, "ada", "POST", "/v1/webhooks", body.ptr).status, 409);
    for (int i = 0; i < EXECUTIONS / 2; i++)
        assert_int_equal(as(&nodes[i % 2], arena, "ada", "POST", "/v1/executions", "{\"chain\":\"naps\"}").status, 202);
    await_ends(s, EXECUTIONS / 2);
    (void) usleep(1500000); /* a second sender would have told it by now */
    assert_int_equal(count_of(s), EXECUTIONS / 2 * ENTRIES);
    assert_int_equal(s->repeats, 0);
    size_t sender = sender_of(server, strrchr(url, '/') + 1);
    die(&nodes[sender]);
    web *left = &nodes[1 - sender];
    for (int i = EXECUTIONS / 2; i < EXECUTIONS; i++)
        assert_int_equal(as(left, arena, "ada", "POST", "/v1/executions", "{\"chain\":\"naps\"}").status, 202);
    await_ends(s, EXECUTIONS);
    assert_int_equal(s->disorder, 0);
    assert_int_equal(s->forged, 0);
    assert_int_equal(sender_of(server, strrchr(url, '/') + 1), 1 - sender);
    print_message("%u deliveries of %d events, %u repeats\n", s->count, EXECUTIONS * ENTRIES, s->repeats);
    assert_int_equal(as(left, arena, "ada", "DELETE", "/v1/webhooks/crm", NULL).status, 204);
    web_close(left);
    http_peer_stop(peer);
    free(url);
    free(s);
    ctn_arena_free(arena);
    pg_server_end(server);
}

int main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {CLI_TEST(a_receiver_of_a_server_that_dies_misses_nothing),
                                       CLI_TEST(of_a_fleet_one_node_tells_and_another_when_it_is_dead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
