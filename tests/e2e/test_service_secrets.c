/*
 * What a service was given in confidence is in nothing that it writes or answers.
 *
 * Strings that exist nowhere else are planted: in sensitive inputs and answers, in what peers give into sensitive
 * variables, in secrets of the configuration, in the keys of a model, a collector and a hook, in
 * tokens of callers, in an API key, in a token that is none. All
 * ways of doing a step's work get them, and every peer is a gossip: it says all that it was told back, in what it
 * answers, refuses and fails with. Then everything is searched, in every form (planted.h): each answer of the API and
 * of MCP, events, figures, the log at debug, the traces as their collector gets them, what the verbs of the command
 * line say, and every file (the store and its log while it is owned, and after; a backup; an export).
 */
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e/planted.h"
#include "e2e/web_kit.h"
#include "support/http_peer.h"

enum {
    PIN,
    ANSWER,
    GIVEN,
    TOOL_SECRET,
    MODEL_KEY,
    ADA,
    STRANGER,
    COLLECTOR_KEY,
    HOOK_KEY,
    WEBHOOK_KEY,
    API_KEY,
    PLANTED_COUNT
};
static const char *PLANTED[PLANTED_COUNT] = {
    [PIN] = "PlantedPin7f3aQzz",           [ANSWER] = "PlantedAnswer55aaQzz",
    [GIVEN] = "PlantedGiven91bcQzz",       [TOOL_SECRET] = "PlantedToold24eQzz",
    [MODEL_KEY] = "PlantedModel0b6cQzz",   [ADA] = "PlantedAda31f0Qzz",
    [STRANGER] = "PlantedStranger8c2dQzz", [COLLECTOR_KEY] = "PlantedCollector4a7eQzz",
    [HOOK_KEY] = "PlantedHook66d1Qzz",     [WEBHOOK_KEY] = "PlantedWebhook77e2Qzz",
    [API_KEY] = "(it is made in the test)"};
static const char *const OURS[] = {"tool.secret", "issue.txt", "peer.log", NULL};

typedef struct scene {
    world *w;
    web service;
    ctn_arena *arena;
    planted search;
    http_peer *peer;
    pthread_mutex_t lock;
    ctn_buf spans, told; /* what the collector got, and who has a webhook */
    unsigned asked_model, asked_http;
    char key[100];
} scene;

/* ---- peers ---- */

/* A collector of traces; else somebody who fails with all that he was told. */
static void serve(void *ctx, http_asked *asked)
{
    scene *s = ctx;
    bool is_model = strncmp(asked->path, "/v1/chat", 8) == 0, is_collector = strncmp(asked->path, "/otlp", 5) == 0,
         is_told = strncmp(asked->path, "/told", 5) == 0;
    pthread_mutex_lock(&s->lock);
    if (is_collector)
        ctn_buf_append(&s->spans, (ctn_str){asked->body, asked->body_bytes});
    if (is_told)
        ctn_buf_append(&s->told, (ctn_str){asked->body, asked->body_bytes});
    s->asked_model += is_model;
    s->asked_http += !is_model && !is_collector && !is_told;
    pthread_mutex_unlock(&s->lock);
    if (is_collector) {
        http_answer(asked, 200, "application/json", "{}");
        return;
    }
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_json_builder told = ctn_json_object(arena), error = ctn_json_object(arena);
    ctn_json_put_str(&told, "message",
                     ctn_arena_printf(arena, "you said %s and %.*s; I say %s", asked->head, (int) asked->body_bytes,
                                      asked->body, strstr(asked->path, "/plain") ? "no more" : PLANTED[GIVEN]));
    ctn_json_put(&error, CTN_STR("error"), ctn_json_finish(&told));
    ctn_str body = ctn_json_to_str(arena, ctn_json_finish(&error));
    bool is_good = strncmp(asked->path, "/good", 5) == 0;
    http_answer(asked, is_good ? 200 : 400, "application/json", ctn_arena_str(arena, body).ptr);
    ctn_arena_free(arena);
}

static const char *gossip(void)
{
    static const char *const PLACES[] = {CATENA_BUILD_DIR "/tests/peer_gossip", CATENA_BUILD_DIR "/peer_gossip"};
    return access(PLACES[0], X_OK) == 0 ? PLACES[0] : PLACES[1];
}

static void write_files(scene *s)
{
    world *w = s->w;
    const char *url = http_peer_url(s->peer);
    char text[100];
    cli_world_write(w, "tool.secret", "%s\n", PLANTED[TOOL_SECRET]);
    cli_world_write(w, "issue.txt", "%s", PLANTED[GIVEN]);
    snprintf(text, sizeof text, "MODEL_KEY=%s", PLANTED[MODEL_KEY]);
    cli_world_env(w, text);
    snprintf(text, sizeof text, "ADA=%s", PLANTED[ADA]);
    cli_world_env(w, text);
    snprintf(text, sizeof text, "COLLECTOR=%s", PLANTED[COLLECTOR_KEY]);
    cli_world_env(w, text);
    snprintf(text, sizeof text, "HOOK=%s", PLANTED[HOOK_KEY]);
    cli_world_env(w, text);
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:s.db\nsealing: {key: {file: catena.key}}\ninclude: [all.yaml, plain.yaml]\n"
                    "secrets: {TOKEN: {file: tool.secret}, COLLECTOR: {env: COLLECTOR}}\n"
                    "servers:\n  gossip: {command: '%s', trusted: true,\n"
                    "    env: {GOSSIP_SECRET: '{secret.TOKEN}', GOSSIP_ISSUE: '%s/issue.txt'}}\n"
                    "models: {default: {api: openai, url: '%s/v1', key: {env: MODEL_KEY}, model: m}}\n"
                    "egress: {allowPrivate: [127.0.0.1]}\n"
                    "http: {tokens: {ada: {env: ADA, roles: [admin]}}}\n"
                    "hooks: {pay: {chain: all, secret: {env: HOOK}, scheme: github, principal: ada}}\n"
                    "telemetry: {otlp: {url: '%s/otlp', headers: {Authorization: 'Bearer {secret.COLLECTOR}'}}}\n"
                    "log: {format: json, level: debug}\n",
                    gossip(), w->folder, url, url);
    cli_world_write(
        w, "all.yaml",
        "id: all\nsensitive: [pin, number, page, said]\noutputs: [number, said, page]\n"
        "inputSchema: {type: object, required: [pin], properties: {pin: {type: string, maxLength: 40}}}\n"
        "concurrencyKey: 'k {pin}'\n"
        "steps:\n"
        "  - {stepName: hear, instructionSet: hear, outputVariables: {x: x}, onError: continue}\n"
        "  - {stepName: issue, instructionSet: issue, outputVariables: {number: number}}\n"
        "  - {stepName: refuse, instructionSet: refuse, onError: continue, retryConfig: {maxRetries: 1, backoffMs: "
        "1}}\n"
        "  - {stepName: page, instructionSet: page, outputVariables: {page: error}, onError: continue}\n"
        "  - {stepName: bad_page, instructionSet: bad-page, onError: continue}\n"
        "  - {stepName: think, instructionSet: think, onError: continue}\n"
        "  - {stepName: say, instructionSet: say, outputVariables: [said]}\n"
        "  - {stepName: shout, instructionSet: shout, onError: continue}\n"
        "  - {stepName: shape, instructionSet: shape, onError: continue}\n"
        "  - {stepName: sign, instructionSet: sign, outputVariables: {signed: approved}}\n"
        "instructionSets:\n"
        "  hear: {tool: gossip/hear, effect: idempotent, arguments: {text: '{pin}'}}\n"
        "  issue: {tool: gossip/issue, effect: idempotent, arguments: {for: '{pin}'}}\n"
        "  refuse: {tool: gossip/refuse, effect: idempotent, arguments: {text: '{pin}'}}\n"
        "  page: {effect: read, http: {method: POST, url: '%s/good/{pin}', query: {q: '{pin}'}, headers: {X-Pin: "
        "'{pin}'}, "
        "body: {pin: '{pin}'}}}\n"
        "  bad-page: {effect: read, http: {method: POST, url: '%s/bad/{pin}', body: {pin: '{pin}'}}}\n"
        "  think: {prompt: {instructions: Think.}, arguments: {pin: '{pin}'}}\n"
        "  say: {effect: read, command: {argv: [printf, '%%s', '{pin}'], env: {PIN: '{pin}'}}}\n"
        "  shout: {effect: read, command: {shell: true, argv: ['echo \"$1\" >&2; exit 3', '{pin}'], stdin: '{pin}'}}\n"
        "  shape: {transform: 'error(.pin)', arguments: {pin: '{pin}'}}\n"
        "  sign: {approval: {message: 'Is {pin} right?'}}\n",
        url, url);
    cli_world_write(
        w, "plain.yaml",
        "id: plain\nsteps:\n"
        "  - {stepName: leak, instructionSet: leak, onError: continue}\n"
        "  - {stepName: ponder, instructionSet: ponder, onError: continue}\n"
        "  - {stepName: spill, instructionSet: spill, onError: continue}\n"
        "  - {stepName: spell, instructionSet: spell, outputVariables: [told], onError: continue}\n"
        "instructionSets:\n"
        "  leak: {tool: gossip/leak, effect: idempotent}\n"
        "  ponder: {prompt: {instructions: Think.}, arguments: {x: 1}}\n"
        "  spill: {effect: read, http: {method: POST, url: '%s/bad/plain', headers: {X-Key: '{secret.TOKEN}'}}}\n"
        "  spell: {effect: read, http: {method: POST, url: '%s/good/plain', body: {x: '{secret.TOKEN}'}}}\n",
        url, url);
}

/* ---- asking, and looking at all that was answered ---- */

static web_answer ask(scene *s, const char *method, const char *target, const char *body)
{
    char headers[300];
    snprintf(headers, sizeof headers,
             "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
             "Accept: application/json, text/event-stream\r\n",
             PLANTED[ADA]);
    web_answer a =
        web_ask(&s->service, s->arena, method, target, headers, body ? ctn_str_from(body) : (ctn_str){NULL, 0});
    planted_search(&s->search, target, a.head.ptr, a.head.len);
    planted_search(&s->search, target, a.body.ptr, a.body.len);
    return a;
}

static const char *filled(scene *s, const char *format, const char *value)
{
    ctn_str text = ctn_str_from(format), out = {NULL, 0};
    size_t at = ctn_str_find(text, CTN_STR("$"));
    out = ctn_arena_printf(s->arena, "%.*s%s%s", (int) at, format, value, format + at + 1);
    return out.ptr;
}

static void say(scene *s, int status, const char *method, const char *target, const char *body)
{
    web_answer a = ask(s, method, target, body);
    if (a.status != status)
        fail_msg("%s %s: %d %.*s", method, target, a.status, CTN_STR_ARG(a.body));
}

/* Every operation of the document that only looks, whether this test knows it or not. */
static void look_at_everything(scene *s, const char *id)
{
    web_answer document = ask(s, "GET", "/openapi.json", NULL);
    const ctn_json *paths = ctn_json_member_of(document.json, "paths");
    assert_true(ctn_json_count(paths) > 5);
    size_t looked = 0;
    for (size_t i = 0; i < ctn_json_count(paths); i++) {
        ctn_str path = ctn_json_text(&paths->members[i].key);
        const ctn_json *get = ctn_json_member_of(&paths->members[i].value, "get");
        bool is_stream = ctn_str_ends_with(path, CTN_STR("/events")), is_of_one = false;
        ctn_str target = path;
        for (size_t at; (at = ctn_str_find(target, CTN_STR("{"))) != SIZE_MAX;) {
            size_t end = ctn_str_find(target, CTN_STR("}"));
            ctn_str name = {target.ptr + at + 1, end - at - 1};
            const char *value = ctn_str_starts_with(path, CTN_STR("/v1/executions/{id}")) && ctn_str_is(name, "id") ? id
                                : ctn_str_starts_with(path, CTN_STR("/v1/chains")) ? "all"
                                                                                   : "sign";
            is_of_one = true;
            target = ctn_arena_printf(s->arena, "%.*s%s%.*s", (int) at, target.ptr, value, (int) (target.len - end - 1),
                                      target.ptr + end + 1);
        }
        if (!get || is_stream)
            continue;
        web_answer a = ask(s, "GET", ctn_arena_str(s->arena, target).ptr, NULL);
        if (a.status >= 500 || (!is_of_one && a.status >= 400 && a.status != 422 && a.status != 400))
            fail_msg("GET %.*s: %d %.*s", CTN_STR_ARG(target), a.status, CTN_STR_ARG(a.body));
        looked += a.status == 200;
    }
    assert_true(looked >= 8);
}

static void look_at_events(scene *s, const char *target)
{
    char headers[200];
    ctn_buf text;
    ctn_buf_init(&text, 4 << 20);
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\nLast-Event-ID: 0\r\n", PLANTED[ADA]);
    int fd = web_stream(&s->service, target, headers);
    assert_true(web_stream_await(fd, &text, "completed"));
    planted_search(&s->search, target, text.data, text.len);
    close(fd);
    ctn_buf_done(&text);
}

/* ---- the test ---- */

static const char *start(scene *s)
{
    web_answer a = ask(s, "POST", "/v1/executions?wait=20s",
                       filled(s, "{\"chain\":\"all\",\"input\":{\"pin\":\"$\"}}", PLANTED[PIN]));
    if (a.status != 202 && a.status != 200)
        fail_msg("%d %.*s", a.status, CTN_STR_ARG(a.body));
    ctn_str id = ctn_json_str_or(a.json, "executionId", (ctn_str){0});
    assert_int_equal(id.len, 36);
    return ctn_arena_str(s->arena, id).ptr;
}

static void ask_wrongly(scene *s)
{
    char headers[200];
    say(s, 422, "POST", "/v1/executions", filled(s, "{\"chain\":\"all\",\"input\":{\"pin\":[\"$\"]}}", PLANTED[PIN]));
    say(s, 400, "POST", "/v1/executions", filled(s, "{\"chain\":\"all\",\"input\":{\"pin\":\"$", PLANTED[PIN]));
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", PLANTED[STRANGER]);
    web_answer a = web_ask(&s->service, s->arena, "GET", "/v1/executions", headers, (ctn_str){0});
    assert_int_equal(a.status, 401);
    planted_search(&s->search, "401", a.body.ptr, a.body.len);
    (void) ask(s, "GET", filled(s, "/v1/chains?secret=$", PLANTED[PIN]), NULL); /* a query is not logged */
}

/* Deliveries of somebody else's webhook: one that is forged, and one that is believed. */
static void deliver(scene *s)
{
    char headers[300], hex[2 * crypto_auth_hmacsha256_BYTES + 1];
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    const char *body = filled(s, "{\"pin\":\"$\"}", PLANTED[PIN]);
    crypto_auth_hmacsha256_init(&state, (const unsigned char *) PLANTED[HOOK_KEY], strlen(PLANTED[HOOK_KEY]));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *) body, strlen(body));
    crypto_auth_hmacsha256_final(&state, mac);
    for (int is_forged = 1; is_forged >= 0; is_forged--) {
        sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
        hex[0] = is_forged ? (hex[0] == '0' ? '1' : '0') : hex[0];
        snprintf(headers, sizeof headers,
                 "Content-Type: application/json\r\nX-GitHub-Delivery: d-1\r\nX-Hub-Signature-256: sha256=%s\r\n", hex);
        web_answer a = web_ask(&s->service, s->arena, "POST", "/v1/hooks/pay", headers, ctn_str_from(body));
        planted_search(&s->search, "a hook", a.body.ptr, a.body.len);
        if (is_forged ? a.status / 100 != 4 : a.status != 202)
            fail_msg("%d %.*s", a.status, CTN_STR_ARG(a.body));
    }
}

/* A key is shown once; from then on it is as secret as anything. */
static void make_key(scene *s)
{
    assert_exit(s->w, catena(s->w, "token", "create", "bot", "--role", "viewer", "--quiet", NULL), 0);
    snprintf(s->key, sizeof s->key, "%.*s", (int) strcspn(s->w->said.out, "\n"), s->w->said.out);
    PLANTED[API_KEY] = s->key + strlen("ctn_0123456789ab_");
}

static void ask_by_key(scene *s)
{
    char headers[300];
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\nContent-Type: application/json\r\n", s->key);
    web_answer a = web_ask(&s->service, s->arena, "GET", "/v1/chains", headers, (ctn_str){0});
    if (a.status != 200)
        fail_msg("%d %.*s", a.status, CTN_STR_ARG(a.body));
    a = web_ask(&s->service, s->arena, "POST", "/v1/executions", headers, CTN_STR("{\"chain\":\"plain\"}"));
    assert_int_equal(a.status, 403);
    planted_search(&s->search, "a denial", a.body.ptr, a.body.len);
}

/* Somebody is told of everything; he repeats it, and refuses it. */
static void tell_others(scene *s)
{
    char body[400];
    snprintf(body, sizeof body, "{\"name\":\"desk\",\"url\":\"%s/told\",\"secret\":\"%s\"}", http_peer_url(s->peer),
             PLANTED[WEBHOOK_KEY]);
    char headers[300];
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\nContent-Type: application/json\r\n", PLANTED[ADA]);
    web_answer a = web_ask(&s->service, s->arena, "POST", "/v1/webhooks", headers, ctn_str_from(body));
    if (a.status != 201)
        fail_msg("%d %.*s", a.status, CTN_STR_ARG(a.body));
}

static void ask_by_mcp(scene *s)
{
    web_answer a = ask(s, "POST", "/mcp",
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
                       "\"2025-06-18\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}");
    assert_int_equal(a.status, 200);
}

static void look_by_verbs(scene *s, const char *id)
{
    static const char *const VERBS[] = {"show", "history", "timeline", "graph"};
    world *w = s->w;
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        assert_exit(w, catena(w, VERBS[i], id, NULL), 0);
        planted_search(&s->search, VERBS[i], w->said.out, strlen(w->said.out));
        planted_search(&s->search, VERBS[i], w->said.err, strlen(w->said.err));
    }
    assert_exit(w, catena(w, "store", "audit", NULL), 0);
    planted_search(&s->search, "store audit", w->said.out, strlen(w->said.out));
    assert_exit(w, catena(w, "store", "backup", "copy.db", NULL), 0);
    assert_exit(w, catena(w, "export", id, "--output", "one.export", NULL), 0);
}

static void nothing_confidential_leaves_a_service(void **state)
{
    scene s = {.w = *state, .arena = ctn_arena_new(65536)};
    char answer[200], target[100];
    s.search = (planted){.strings = PLANTED, .count = PLANTED_COUNT, .ours = OURS};
    pthread_mutex_init(&s.lock, NULL);
    ctn_buf_init(&s.spans, 16 << 20);
    ctn_buf_init(&s.told, 16 << 20);
    s.peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = &s});
    write_files(&s);
    assert_exit(s.w, catena(s.w, "check", "plain.yaml", NULL), 0);
    make_key(&s);
    web_open(&s.service, s.w, "");
    tell_others(&s);
    const char *id = start(&s);
    ask_wrongly(&s);
    ask_by_mcp(&s);
    ask_by_key(&s);
    deliver(&s);
    look_at_everything(&s, id);
    planted_search_folder(&s.search, s.w->folder); /* the store's log, as it is while it is used */
    snprintf(answer, sizeof answer, "{\"approved\":true,\"comment\":\"%s\"}", PLANTED[ANSWER]);
    assert_exit(s.w, catena(s.w, "answer", id, "sign", answer, NULL), 0);
    planted_search(&s.search, "answer", s.w->said.out, strlen(s.w->said.out));
    say(&s, 200, "GET", filled(&s, "/v1/executions/$?wait=20s", id), NULL);
    web_answer plain = ask(&s, "POST", "/v1/executions?wait=20s", "{\"chain\":\"plain\"}");
    assert_int_equal(plain.status, 200);
    look_at_everything(&s, id);
    snprintf(target, sizeof target, "/v1/executions/%s/events", id);
    look_at_events(&s, target);
    look_at_events(&s, "/v1/events");
    say(&s, 200, "GET", "/metrics", NULL);
    look_by_verbs(&s, id);
    planted_search_folder(&s.search, s.w->folder);
    web_close(&s.service);
    /* Everything took place, and everybody had his say. */
    assert_true(s.asked_model >= 2);
    assert_true(s.asked_http >= 2);
    assert_true(cli_world_count(s.w, "serve.log", "\"traceId\"") > 20);
    assert_true(ctn_str_find(ctn_buf_str(&s.spans), CTN_STR("\"name\":\"think\"")) != SIZE_MAX);
    planted_search(&s.search, "the spans", s.spans.data, s.spans.len);
    assert_true(ctn_str_find(ctn_buf_str(&s.told), CTN_STR("execution.")) != SIZE_MAX);
    planted_search(&s.search, "a webhook", s.told.data, s.told.len);
    planted_search_folder(&s.search, s.w->folder);
    assert_exit(s.w, catena(s.w, "history", id, "--json", "--reveal", NULL), 0);
    for (size_t i = PIN; i <= GIVEN; i++)
        assert_out(s.w, PLANTED[i]); /* it is all there, for who may see it */
    assert_null(strstr(s.w->said.out, PLANTED[MODEL_KEY]));
    http_peer_stop(s.peer);
    ctn_buf_done(&s.spans);
    ctn_buf_done(&s.told);
    ctn_arena_free(s.arena);
    print_message("%zu bytes were searched\n", s.search.searched_bytes);
}

/* Somebody writes the secret itself where it should be said where it is. */
static void a_secret_in_the_wrong_place_is_not_repeated(void **state)
{
    world *w = *state;
    static const char *const LINES[] = {"http: {tokens: HUSH}",
                                        "http: {tokens: {ci: HUSH}}",
                                        "secrets: HUSH",
                                        "secrets: {CRM: HUSH}",
                                        "telemetry: {otlp: {url: 'http://127.0.0.1:1/', headers: HUSH}}",
                                        "servers: {s: {command: x, env: HUSH}}",
                                        "servers: {s: {url: 'http://127.0.0.1:1/', auth: HUSH}}",
                                        "models: {m: {api: openai, url: 'http://127.0.0.1:1/', model: m, key: HUSH}}",
                                        "hooks: {h: {chain: c, secret: HUSH}}"};
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        cli_world_write(w, "catena.yaml", "store: sqlite:x.db\n%s\n", LINES[i]);
        int code = catena(w, "check", NULL);
        if (code == 0 || (!strstr(w->said.err, "catena.yaml:2:") && !strstr(w->said.out, "catena.yaml:2:")))
            fail_msg("%s: exit %d, %s%s", LINES[i], code, w->said.out, w->said.err);
        if (strstr(w->said.err, "HUSH") || strstr(w->said.out, "HUSH"))
            fail_msg("%s is told in: %s%s", LINES[i], w->said.out, w->said.err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(nothing_confidential_leaves_a_service),
        CLI_TEST(a_secret_in_the_wrong_place_is_not_repeated),
    };
    if (sodium_init() < 0)
        return 1;
    (void) signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
