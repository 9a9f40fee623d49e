/*
 * The API over real sockets: every sort of bad input names its field, nothing makes a 500, and each operation does what
 * the document says of it.
 */
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "support/cmocka.h"
#include "unit/server/api_kit.h"

static const char *const CHAINS[] = {
    "id: greet\n"
    "name: Greets\n"
    "inputSchema: {type: object, required: [who], properties: {who: {type: string}}}\n"
    "outputs: {said: '{said}'}\n"
    "instructionSets: {say: {native: noop, effect: idempotent}}\n"
    "steps: [{stepName: greet, instructionSet: say, inputTemplate: 'Hello {who}', outputVariables: {said: input}}]\n",
    "id: sign\n"
    "outputs: [approved]\n"
    "instructionSets: {ask: {approval: {}}}\n"
    "steps: [{stepName: ask, instructionSet: ask, inputTemplate: 'Sign it?', outputVariables: [approved]}]\n",
    "id: hush\n"
    "inputSchema: {type: object, required: [pin], properties: {pin: {type: string}}}\n"
    "sensitive: [pin, told]\n"
    "outputs: {told: '{told}'}\n"
    "instructionSets: {say: {native: noop, effect: idempotent}}\n"
    "steps: [{stepName: tell, instructionSet: say, inputTemplate: 'the pin is {pin}', outputVariables: {told: input}}]"
    "\n",
    "id: now\n"
    "instructionSets: {say: {native: noop, effect: idempotent}}\n"
    "steps: [{stepName: tell, instructionSet: say}]\n",
    NULL,
};

static int setup(void **state)
{
    return api_kit_setup(state, CHAINS, "");
}

static int setup_tokens(void **state)
{
    (void) setenv("API_KIT_ADA", "ada-s-token-is-long-enough", 1);
    (void) setenv("API_KIT_VIC", "vic-s-token-is-long-enough", 1);
    return api_kit_setup(
        state, CHAINS,
        "tokens: {ada: {env: API_KIT_ADA, roles: [operator]}, vic: {env: API_KIT_VIC, roles: [viewer]}}");
}

#define ADA    "Authorization: Bearer ada-s-token-is-long-enough\r\n"
#define VIC    "Authorization: Bearer vic-s-token-is-long-enough\r\n"
#define NOBODY "01900000-0000-7000-8000-000000000000"

/* ---- what is wrong ---- */

static void requests_with_two_meanings_are_refused(void **state)
{
    api_kit *k = *state;
    hostile_requests(&k->place, "/v1/executions?wait=10s", "{\"chain\":\"now\",\"labels\":{\"a\":\"hostile\"}}");
}

static void every_sort_of_bad_input_names_its_field(void **state)
{
    api_kit *k = *state;
    static const struct {
        const char *method, *path, *body;
        int status;
        const char *pointer;
    } ROWS[] = {
        {"POST", "/v1/executions", "{'chain': 'greet', 'inputs': {}}", 422, "/inputs"},
        {"POST", "/v1/executions", "{'input': {}}", 422, "/chain"},
        {"POST", "/v1/executions", "{'chain': 7}", 422, "/chain"},
        {"POST", "/v1/executions", "{'chain': 'greet', 'priority': 10}", 422, "/priority"},
        {"POST", "/v1/executions", "{'chain': 'greet', 'labels': {'a': 1}}", 422, "/labels/a"},
        {"POST", "/v1/executions", "{'chain': 'greet', 'input': {}}", 422, "/input"},
        {"POST", "/v1/executions", "{'chain': 'great', 'input': {}}", 404, "/chain"},
        {"POST", "/v1/executions", "[]", 422, ""},
        {"POST", "/v1/executions", "{'chain': 'greet', 'chain': 'greet'}", 400, ""},
        {"POST", "/v1/executions", "{", 400, ""},
        {"POST", "/v1/executions?wait=long", "{'chain': 'greet'}", 400, "query/wait"},
        {"POST", "/v1/executions?waits=1s", "{'chain': 'greet'}", 400, "query/waits"},
        {"POST", "/v1/executions?wait=1s&wait=2s", "{'chain': 'greet'}", 400, "query/wait"},
        {"GET", "/v1/executions?limit=0", NULL, 400, "query/limit"},
        {"GET", "/v1/executions?limit=ten", NULL, 400, "query/limit"},
        {"GET", "/v1/executions?limit=99999999999999999999", NULL, 400, "query/limit"},
        {"GET", "/v1/executions?status=done", NULL, 400, "query/status"},
        {"GET", "/v1/executions?label=team", NULL, 400, "query/label"},
        {"GET", "/v1/executions?createdFrom=yesterday", NULL, 400, "query/createdFrom"},
        {"GET", "/v1/executions?roots=maybe", NULL, 400, "query/roots"},
        {"GET", "/v1/executions?cursor=AAAA", NULL, 400, "query/cursor"},
        {"GET", "/v1/executions?chain=%ff", NULL, 400, "query/chain"},
        {"GET", "/v1/executions/7", NULL, 400, "path/id"},
        {"GET", "/v1/executions/" NOBODY, NULL, 404, "path/id"},
        {"GET", "/v1/executions/" NOBODY "/why", NULL, 400, "query/name"},
        {"POST", "/v1/executions/" NOBODY "/cancel", "{'reasons': 'x'}", 422, "/reasons"},
        {"POST", "/v1/executions/" NOBODY "/decide", "{'decision': 'succeed'}", 422, "/result"},
        {"POST", "/v1/executions/" NOBODY "/decide", "{'decision': 'perhaps'}", 422, "/decision"},
        {"POST", "/v1/bulk", "{'action': 'cancel', 'filter': {}}", 422, "/filter"},
        {"POST", "/v1/bulk", "{'action': 'cancel', 'filter': {'createdFrom': '2026-02-31T00:00:00Z'}}", 422,
         "/filter/createdFrom"},
        {"POST", "/v1/bulk", "{'action': 'cancel', 'filter': {'state': 'x'}}", 422, "/filter/state"},
        {"GET", "/v1/chains/none", NULL, 404, "path/chain"},
        {"GET", "/v1/chains/greet?version=7", NULL, 404, "query/version"},
        {"GET", "/v1/chains/greet/graph?format=png", NULL, 400, "query/format"},
        {"POST", "/v1/breakers/reset", "{'name': 'tool'}", 404, "/name"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        int status = api_ask(k, ROWS[i].method, ROWS[i].path, "", ROWS[i].body);
        if (status != ROWS[i].status || strcmp(api_at(k, "/errors/0/pointer"), ROWS[i].pointer) != 0)
            fail_msg("%s %s %s: %d, %s\n%s", ROWS[i].method, ROWS[i].path, ROWS[i].body ? ROWS[i].body : "", status,
                     api_at(k, "/errors/0/pointer"), k->place.text);
        assert_non_null(strstr(k->place.text, "application/problem+json"));
        assert_true(strlen(api_at(k, "/detail")) > 5);
    }
}

static void what_is_no_operation_says_what_there_is(void **state)
{
    api_kit *k = *state;
    assert_int_equal(api_get(k, "/v1/nothing"), 404);
    assert_int_equal(api_get(k, "/v1"), 404);
    assert_int_equal(api_get(k, "/v1/executions/"), 404);
    assert_int_equal(api_ask(k, "DELETE", "/v1/executions", "", NULL), 405);
    assert_non_null(strstr(k->place.text, "Allow: GET, HEAD, POST"));
    assert_int_equal(api_ask(k, "HEAD", "/v1/chains", "", NULL), 200);
    assert_null(strstr(k->place.text, "greet"));
    assert_int_equal(api_ask(k, "POST", "/v1/executions", "Content-Type: text/plain\r\n", "x"), 415);
    assert_int_equal(api_ask(k, "POST", "/v1/executions", "", NULL), 400); /* nothing came */
    assert_int_equal(api_ask(k, "GET", "/v1/chains", "", "{}"), 415);
    assert_int_equal(api_ask(k, "POST", "/v1/executions", "Accept: text/html\r\n", "{}"), 406);
    assert_int_equal(api_ask(k, "GET", "/openapi.json", "", NULL), 200);
    assert_int_equal(api_ask(k, "POST", "/openapi.json", "", "{}"), 405);
}

/* Each operation of the document, with bodies and parameters that nobody meant. */
static void nothing_makes_a_500(void **state)
{
    static const char *const BODIES[] = {NULL,
                                         "",
                                         "null",
                                         "{}",
                                         "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
                                         "{'chain':'greet','input':{'who':1e999}}",
                                         "{'action':'cancel','filter':{'chain':'\\u0000'},'dryRun':true}",
                                         "{'name':'\\ud83d\\ude00','step':'','answer':null,'from':'x'}",
                                         "{'variable':'__proto__','value':{},'decision':'fail','notHappened':true}"};
    static const char *const QUERIES[] = {
        "", "?", "?limit=-1", "?a=%00", "?wait=0ms&reveal=true", "?skip=9223372036854775807"};
    api_kit *k = *state;
    assert_int_equal(api_get(k, "/openapi.json"), 200);
    const ctn_json *paths = ctn_json_copy(k->arena, ctn_json_member_of(k->body, "paths"));
    assert_true(ctn_json_count(paths) > 20);
    for (size_t i = 0; i < ctn_json_count(paths); i++) {
        const ctn_json *item = &paths->members[i].value;
        char path[200];
        size_t len = 0;
        const char *template = ctn_arena_str(k->arena, ctn_json_text(&paths->members[i].key)).ptr;
        for (const char *at = template; *at; at++) { /* {id} becomes an id that there is not */
            if (*at == '{') {
                len += (size_t) snprintf(path + len, sizeof path - len, "%s",
                                         strncmp(at, "{id}", 4) == 0 ? NOBODY : "greet");
                at = strchr(at, '}');
            } else {
                path[len++] = *at;
            }
        }
        path[len] = '\0';
        if (strstr(path, "events"))
            continue; /* streams do not end */
        for (size_t q = 0; q < sizeof QUERIES / sizeof *QUERIES; q++)
            for (size_t b = 0; b < sizeof BODIES / sizeof *BODIES; b++) {
                bool is_get = ctn_json_member_of(item, "get") != NULL;
                if (is_get && b)
                    break;
                char whole[300];
                (void) snprintf(whole, sizeof whole, "%s%s", path, QUERIES[q]);
                const char *method = is_get                               ? "GET"
                                     : ctn_json_member_of(item, "post")   ? "POST"
                                     : ctn_json_member_of(item, "put")    ? "PUT"
                                     : ctn_json_member_of(item, "delete") ? "DELETE"
                                                                          : "PATCH";
                int status = api_ask(k, method, whole, "", BODIES[b]);
                if (status == 0 || status >= 500)
                    fail_msg("%s %s %s: %d\n%s", method, whole, BODIES[b] ? BODIES[b] : "", status, k->place.text);
            }
    }
}

/* ---- executions ---- */

static void a_start_waits_for_its_end_and_a_key_finds_it_again(void **state)
{
    api_kit *k = *state;
    assert_int_equal(api_post(k, "/v1/executions?wait=8s", "{'chain':'greet','input':{'who':'Ada'}}"), 200);
    assert_api(k, "/status", "completed");
    assert_api(k, "/outputs/said", "Hello Ada");
    assert_api(k, "/steps/0/status", "completed");
    int status =
        api_ask(k, "POST", "/v1/executions", "Idempotency-Key: once\r\n", "{'chain':'greet','input':{'who':'B'}}");
    assert_in_range(status, 200, 202);
    char first[64];
    (void) snprintf(first, sizeof first, "%s", api_at(k, "/executionId"));
    status = api_ask(k, "POST", "/v1/executions?wait=8s", "Idempotency-Key: once\r\n",
                     "{'chain':'greet','input':{'who':'B'}}");
    assert_int_equal(status, 200);
    assert_api(k, "/executionId", first);
    status = api_ask(k, "POST", "/v1/executions", "Idempotency-Key: once\r\n", "{'chain':'greet','input':{'who':'C'}}");
    assert_int_equal(status, 409);
    assert_api(k, "/errors/0/pointer", "header/Idempotency-Key");
    assert_int_equal(api_get(k, "/v1/executions?chain=greet"), 200);
    assert_int_equal(ctn_json_count(ctn_json_member_of(k->body, "executions")), 2);
}

static void who_leaves_while_waiting_stops_nothing(void **state)
{
    api_kit *k = *state;
    char text[512];
    const char *body = "{\"chain\":\"sign\"}";
    (void) snprintf(text, sizeof text,
                    "POST /v1/executions?wait=60s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    k->place.port, strlen(body), body);
    int fd = connect_to(&k->place);
    put(fd, text);
    close(fd);
    int64_t until_ms = now_ms() + 8000;
    do
        assert_int_equal(api_get(k, "/v1/executions?status=waiting"), 200);
    while (!ctn_json_count(ctn_json_member_of(k->body, "executions")) && now_ms() < until_ms);
    assert_api(k, "/executions/0/chain", "sign");
}

static void an_approval_is_answered_once(void **state)
{
    api_kit *k = *state;
    assert_int_equal(api_post(k, "/v1/executions?wait=8s", "{'chain':'sign'}"), 202);
    assert_api(k, "/status", "waiting");
    char path[128];
    (void) snprintf(path, sizeof path, "%s", api_path(k, "/v1/executions/%s/answer?wait=8s"));
    assert_int_equal(api_post(k, path, "{'step':'ask','answer':{'approved':'yes'}}"), 422);
    assert_api(k, "/errors/0/pointer", "/answer");
    assert_int_equal(api_post(k, path, "{'step':'ask','answer':{'approved':true}}"), 200);
    assert_api(k, "/outputs/approved", "true");
    assert_int_equal(api_post(k, path, "{'step':'ask','answer':{'approved':false}}"), 409);
}

static void an_execution_is_looked_at_in_every_way(void **state)
{
    api_kit *k = *state;
    assert_int_equal(api_post(k, "/v1/executions?wait=8s", "{'chain':'greet','input':{'who':'Ada'}}"), 200);
    const ctn_json *started = k->body;
    assert_int_equal(api_get(k, api_path(k, "/v1/executions/%s/journal?limit=1")), 200);
    assert_api(k, "/entries/0/kind", "started");
    assert_api(k, "/nextSeq", "2");
    k->body = started;
    assert_int_equal(api_get(k, api_path(k, "/v1/executions/%s/timeline")), 200);
    assert_api(k, "/attempts/0/step", "greet");
    k->body = started;
    assert_int_equal(api_get(k, api_path(k, "/v1/executions/%s/why?name=said")), 200);
    assert_api(k, "/value", "Hello Ada");
    k->body = started;
    assert_int_equal(api_get(k, api_path(k, "/v1/executions/%s/why?name=sad")), 404);
    k->body = started;
    assert_int_equal(api_get(k, api_path(k, "/v1/executions/%s/budget")), 200);
    assert_api(k, "/limits", "null");
    assert_api(k, "/used/calls", "");
    assert_api(k, "/used/money", "0");
    assert_api(k, "/reserved/tokens", "0");
    assert_api(k, "/granted", "1");
    assert_api(k, "/waits", "false");
    k->body = started;
    assert_int_equal(api_get(k, api_path(k, "/v1/executions/%s/graph")), 200);
    assert_non_null(strstr(k->place.text, "image/svg+xml"));
    k->body = started;
    assert_int_equal(api_post(k, api_path(k, "/v1/executions/%s/rerun?wait=8s"), "{'from':'greet'}"), 200);
    assert_api(k, "/from/reason", "rerun");
    k->body = started;
    assert_int_equal(api_post(k, api_path(k, "/v1/executions/%s/fork?wait=8s"), "{'input':{'who':'Bob'}}"), 200);
    assert_api(k, "/outputs/said", "Hello Bob");
    k->body = started;
    assert_int_equal(api_post(k, api_path(k, "/v1/executions/%s/fork"), "{}"), 409); /* nothing is different */
}

static void pages_neither_repeat_nor_leave_out(void **state)
{
    api_kit *k = *state;
    char seen[8][64], path[256] = "/v1/executions?label=team=a&limit=2";
    size_t count = 0;
    for (int i = 0; i < 5; i++)
        assert_int_equal(api_post(k, "/v1/executions", "{'chain':'sign','labels':{'team':'a','n':'=1'}}"), 202);
    for (;;) {
        assert_int_equal(api_get(k, path), 200);
        const ctn_json *list = ctn_json_member_of(k->body, "executions");
        for (size_t i = 0; i < ctn_json_count(list); i++) {
            ctn_str id = ctn_json_str_or(ctn_json_at(list, i), "executionId", (ctn_str){0});
            for (size_t s = 0; s < count; s++)
                assert_false(ctn_str_is(id, seen[s]));
            assert_true(count < 8);
            (void) snprintf(seen[count++], 64, "%.*s", CTN_STR_ARG(id));
        }
        const char *next = api_at(k, "/next");
        if (!*next)
            break;
        (void) snprintf(path, sizeof path, "/v1/executions?label=team=a&limit=2&cursor=%s", next);
        (void) api_post(k, "/v1/executions", "{'chain':'sign','labels':{'team':'a'}}"); /* changes no page */
    }
    assert_int_equal(count, 5);
    assert_int_equal(api_get(k, "/v1/executions?label=n==1&status=waiting&status=queued&status=running"), 200);
    assert_int_equal(ctn_json_count(ctn_json_member_of(k->body, "executions")), 5);
    assert_int_equal(api_get(k, "/v1/executions?createdUntil=2020-01-01T00:00:00Z"), 200);
    assert_api(k, "/executions", "[]");
}

static void a_bulk_action_tells_first_and_does_nothing_twice(void **state)
{
    api_kit *k = *state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(api_post(k, "/v1/executions?wait=8s", "{'chain':'sign','labels':{'b':'1'}}"), 202);
    assert_int_equal(api_post(k, "/v1/executions?wait=8s", "{'chain':'sign'}"), 202);
    assert_int_equal(api_post(k, "/v1/bulk", "{'action':'cancel','filter':{'labels':{'b':'1'}},'dryRun':true}"), 200);
    assert_api(k, "/matched", "3");
    assert_api(k, "/done", "0");
    assert_int_equal(api_post(k, "/v1/bulk", "{'action':'pause','filter':{'labels':{'b':'1'}},'limit':2}"), 200);
    assert_api(k, "/done", "2");
    assert_true(*api_at(k, "/next"));
    assert_int_equal(api_post(k, "/v1/bulk", "{'action':'resume','filter':{'chain':'sign'}}"), 200);
    assert_api(k, "/matched", "2");
    assert_int_equal(api_post(k, "/v1/bulk", "{'action':'cancel','filter':{'labels':{'b':'1'}}}"), 200);
    assert_api(k, "/done", "3");
    assert_api(k, "/failed", "0");
    assert_int_equal(api_post(k, "/v1/bulk", "{'action':'cancel','filter':{'labels':{'b':'1'}}}"), 200);
    assert_api(k, "/matched", "0");
    assert_int_equal(api_get(k, "/v1/executions?status=waiting"), 200);
    assert_int_equal(ctn_json_count(ctn_json_member_of(k->body, "executions")), 1);
}

/* Somebody holds the store, so that nothing comes to disk: what is filed is not forgotten, and has a bound. */
static void what_cannot_come_to_disk_is_not_taken_without_end(void **state)
{
    enum { MANY = 1024 }; /* of one caller */
    api_kit *k = *state;
    static int fds[MANY];
    sqlite3 *db = NULL;
    char path[128], text[512];
    const char *body = "{\"chain\":\"sign\",\"labels\":{\"many\":\"1\"}}";
    (void) snprintf(path, sizeof path, "%s/catena.db", k->folder);
    assert_int_equal(api_post(k, "/v1/executions", "{'chain':'sign'}"), 202); /* the chain is stored */
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    (void) snprintf(text, sizeof text,
                    "POST /v1/executions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    k->place.port, strlen(body), body);
    for (int i = 0; i < MANY; i++) {
        fds[i] = connect_to(&k->place);
        put(fds[i], text);
    }
    int status = 0;
    for (int64_t until_ms = now_ms() + 8000; status != 429 && now_ms() < until_ms;) {
        assert_int_equal(api_get(k, "/v1/executions?label=many=1"), 200); /* looking goes on */
        status = api_ask(k, "POST", "/v1/executions", "", "{'chain':'sign'}");
    }
    assert_int_equal(status, 429);
    assert_non_null(strstr(k->place.text, "Retry-After: "));
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    for (int i = 0; i < MANY; i++) {
        assert_true(read_until(&k->place, fds[i], "HTTP/1.1 202"));
        close(fds[i]);
    }
    assert_int_equal(api_post(k, "/v1/executions", "{'chain':'sign'}"), 202);
}

/* ---- chains ---- */

static void an_import_is_checked_told_with_its_places_and_versioned(void **state)
{
    api_kit *k = *state;
    const char *yaml = "Content-Type: application/yaml\r\n";
    const char *bad = "id: two\nsteps:\n  - {stepName: a, instructionSet: nope}\n";
    const char *good =
        "id: two\noutputs: {s: '{s}'}\nsteps:\n  - {stepName: a, instructionSet: say, inputTemplate: hi, "
        "outputVariables: {s: input}}\n";
    assert_int_equal(api_ask(k, "POST", "/v1/chains", yaml, bad), 422);
    assert_api(k, "/findings/0/rule", "unknown-set");
    assert_api(k, "/findings/0/line", "3");
    assert_api(k, "/findings/0/column", "35");
    assert_int_equal(api_ask(k, "POST", "/v1/chains", yaml, "a: [\n"), 422);
    assert_int_equal(api_ask(k, "POST", "/v1/chains", yaml, "instructionSets: {x: {native: noop}}\n"), 422);
    assert_int_equal(api_ask(k, "POST", "/v1/chains", yaml,
                             "id: own\nsteps:\n  - {stepName: a, instructionSet: mine}\n"
                             "instructionSets:\n  mine: {native: noop, effect: none}\n"),
                     422); /* it would be stored without them, and never start */
    assert_api(k, "/findings/0/rule", "unknown-set");
    assert_int_equal(api_ask(k, "POST", "/v1/chains?dryRun=true", yaml, good), 200);
    assert_int_equal(api_get(k, "/v1/chains/two"), 404);
    assert_int_equal(api_ask(k, "POST", "/v1/chains", yaml, good), 201);
    assert_api(k, "/version", "1");
    assert_int_equal(api_ask(k, "POST", "/v1/chains", yaml, good), 201);
    assert_api(k, "/version", "1");
    assert_int_equal(api_post(k, "/v1/executions?wait=8s", "{'chain':'two'}"), 200);
    assert_api(k, "/outputs/s", "hi");
    assert_int_equal(api_post(k, "/v1/chains",
                              "{'id':'two','outputs':{'s':'{s}'},'steps':[{'stepName':'a','instructionSet':'say',"
                              "'inputTemplate':'ho','outputVariables':{'s':'input'}}]}"),
                     201);
    assert_api(k, "/version", "2");
    assert_int_equal(api_post(k, "/v1/executions?wait=8s", "{'chain':'two'}"),
                     200); /* the plan on the shelf is older */
    assert_api(k, "/outputs/s", "ho");
    assert_int_equal(api_get(k, "/v1/chains/two/versions"), 200);
    assert_api(k, "/versions/0/version", "2");
    assert_int_equal(api_get(k, "/v1/chains/two?version=1"), 200);
    assert_api(k, "/definition/steps/0/inputTemplate", "hi");
    assert_int_equal(api_get(k, "/v1/chains/two/graph?format=mermaid"), 200);
    assert_non_null(strstr(k->place.text, "flowchart TD"));
}

/* ---- who may ---- */

static void roles_hold_and_a_denial_names_the_grant(void **state)
{
    api_kit *k = *state;
    assert_int_equal(api_get(k, "/v1/chains"), 401);
    assert_non_null(strstr(k->place.text, "WWW-Authenticate: Bearer"));
    assert_int_equal(api_ask(k, "GET", "/v1/chains", VIC, NULL), 200);
    assert_int_equal(api_ask(k, "POST", "/v1/executions", VIC, "{'chain':'greet','input':{'who':'V'}}"), 403);
    assert_non_null(strstr(api_at(k, "/detail"), "executions.start"));
    assert_int_equal(api_ask(k, "POST", "/v1/executions?wait=8s", ADA, "{'chain':'hush','input':{'pin':'4711'}}"), 200);
    assert_null(strstr(k->place.text, "4711"));
    char path[128];
    (void) snprintf(path, sizeof path, "%s", api_path(k, "/v1/executions/%s?reveal=true"));
    assert_int_equal(api_ask(k, "GET", path, VIC, NULL), 403);
    assert_int_equal(api_ask(k, "GET", path, ADA, NULL), 403);
    assert_non_null(strstr(api_at(k, "/detail"), "reveal"));
    assert_int_equal(api_ask(k, "POST", "/v1/chains", ADA "Content-Type: application/yaml\r\n", "id: x\nsteps: []\n"),
                     403);
    assert_int_equal(api_ask(k, "POST", "/v1/bulk", VIC, "{'action':'cancel','filter':{'chain':'sign'},'dryRun':true}"),
                     403);
}

/* ---- tenants ---- */

static int setup_tenants(void **state)
{
    (void) setenv("API_KIT_ADA", "ada-s-token-is-long-enough", 1);
    (void) setenv("API_KIT_VIC", "vic-s-token-is-long-enough", 1);
    return api_kit_setup(state, CHAINS,
                         "tokens: {ada: {env: API_KIT_ADA, tenant: acme}, vic: {env: API_KIT_VIC}}}\n"
                         "limits: {running: 1}\n"
                         "tenants: {acme: {weight: 3, running: 5, executionsPerDay: 2}"); /* the kit closes it */
}

static void a_quota_that_is_used_up_is_429_until_the_next_day(void **state)
{
    api_kit *k = *state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(api_ask(k, "POST", "/v1/executions", ADA, "{'chain': 'sign', 'input': {}}"), 202);
    assert_int_equal(api_ask(k, "POST", "/v1/executions", ADA, "{'chain': 'sign', 'input': {}}"), 429);
    assert_non_null(strstr(api_at(k, "/detail"), "tenant 'acme' has used up its executionsPerDay"));
    assert_non_null(strstr(k->place.text, "Retry-After: "));
    assert_null(strstr(k->place.text, "Retry-After: 1\r"));
    assert_int_equal(api_ask(k, "POST", "/v1/executions", VIC, "{'chain': 'sign', 'input': {}, 'queued': true}"), 202);
    assert_int_equal(api_ask(k, "GET", "/v1/tenants", ADA, NULL), 200);
    assert_api(k, "/tenants/0/tenant", "acme");
    assert_api(k, "/tenants/0/weight", "3");
    assert_api(k, "/tenants/0/runningMost", "5");
    assert_api(k, "/tenants/0/today/executions/used", "2");
    assert_api(k, "/tenants/0/today/executions/limit", "2");
    assert_api(k, "/tenants/1", ""); /* another's is not his to see */
    assert_int_equal(api_ask(k, "GET", "/v1/tenants", VIC, NULL), 200);
    assert_true(api_at(k, "/tenants/1/tenant")[0] || api_at(k, "/tenants/0/tenant")[0]);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, api_kit_teardown)

int main(void)
{
    struct rlimit files;
    (void) getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void) setrlimit(RLIMIT_NOFILE, &files);
    const struct CMUnitTest tests[] = {
        T(requests_with_two_meanings_are_refused),
        T(every_sort_of_bad_input_names_its_field),
        T(what_is_no_operation_says_what_there_is),
        T(nothing_makes_a_500),
        T(a_start_waits_for_its_end_and_a_key_finds_it_again),
        T(who_leaves_while_waiting_stops_nothing),
        T(an_approval_is_answered_once),
        T(an_execution_is_looked_at_in_every_way),
        T(pages_neither_repeat_nor_leave_out),
        T(a_bulk_action_tells_first_and_does_nothing_twice),
        T(what_cannot_come_to_disk_is_not_taken_without_end),
        T(an_import_is_checked_told_with_its_places_and_versioned),
        cmocka_unit_test_setup_teardown(a_quota_that_is_used_up_is_429_until_the_next_day, setup_tenants,
                                        api_kit_teardown),
        cmocka_unit_test_setup_teardown(roles_hold_and_a_denial_names_the_grant, setup_tokens, api_kit_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
