/*
 * The authorization matrix: every operation of the OpenAPI document x every role x a caller of no tenant, of the
 * execution's own, and of a foreign one; and somebody whom nobody knows.
 *
 * What must come of it stands here, by hand, beside each operation's name: an operation of the document that has no
 * line here fails the test, so that nobody adds one without saying who may.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "e2e/web_kit.h"

typedef enum about {
    EXECUTION, /* of the tenant acme: to a caller of another one it is not there */
    SHARED,    /* seen by all tenants */
    ALL,       /* concerns all tenants: nobody of a tenant may */
    OPEN,      /* whoever comes */
} about;

/* who: V viewer, O operator, A author, D admin. */
static const struct line {
    const char *operation, *target, *body, *who;
    about about;
    bool is_stream;
} LINES[] = {
    {"getBudget", "/v1/executions/ID/budget", NULL, "VOAD", EXECUTION, false},
    {"listChains", "/v1/chains", NULL, "VOAD", SHARED, false},
    {"followExecution", "/v1/executions/ID/events", NULL, "VOAD", EXECUTION, true},
    {"followAll", "/v1/events", NULL, "VOAD", SHARED, true},
    {"listExecutions", "/v1/executions", NULL, "VOAD", SHARED, false},
    {"startExecution", "/v1/executions", "{\"chain\":\"ask\"}", "OD", SHARED, false},
    {"getExecution", "/v1/executions/ID", NULL, "VOAD", EXECUTION, false},
    {"cancelExecution", "/v1/executions/ID/cancel", "{}", "OD", EXECUTION, false},
    {"pauseExecution", "/v1/executions/ID/pause", "{}", "OD", EXECUTION, false},
    {"resumeExecution", "/v1/executions/ID/resume", "{}", "OD", EXECUTION, false},
    {"decideExecution", "/v1/executions/ID/decide", "{\"step\":\"ask\",\"decision\":\"retry\"}", "OD", EXECUTION,
     false},
    {"setVariable", "/v1/executions/ID/set", "{\"variable\":\"x\",\"value\":1}", "OD", EXECUTION, false},
    {"answerStep", "/v1/executions/ID/answer", "{\"step\":\"ask\",\"answer\":{\"approved\":true}}", "OD", EXECUTION,
     false},
    {"getJournal", "/v1/executions/ID/journal", NULL, "VOAD", EXECUTION, false},
    {"getTimeline", "/v1/executions/ID/timeline", NULL, "VOAD", EXECUTION, false},
    {"explainExecution", "/v1/executions/ID/why?name=ask", NULL, "VOAD", EXECUTION, false},
    {"getExecutionGraph", "/v1/executions/ID/graph", NULL, "VOAD", EXECUTION, false},
    {"triggerHook", "/v1/hooks/nobody", "{}", "VOAD", OPEN, false},
    {"rerunExecution", "/v1/executions/ID/rerun", "{\"from\":\"ask\"}", "OD", EXECUTION, false},
    {"forkExecution", "/v1/executions/ID/fork", "{}", "OD", EXECUTION, false},
    {"actOnMany", "/v1/bulk", "{\"action\":\"cancel\",\"filter\":{\"chain\":\"ask\"},\"dryRun\":true}", "OD", SHARED,
     false},
    {"importChain", "/v1/chains", "{\"id\":\"ask2\",\"steps\":[{\"stepName\":\"a\",\"instructionSet\":\"ask\"}]}", "AD",
     ALL, false},
    {"getChain", "/v1/chains/ask", NULL, "VOAD", SHARED, false},
    {"listChainVersions", "/v1/chains/ask/versions", NULL, "VOAD", SHARED, false},
    {"getChainGraph", "/v1/chains/ask/graph", NULL, "VOAD", SHARED, false},
    {"listTools", "/v1/tools", NULL, "VOAD", SHARED, false},
    {"listBreakers", "/v1/breakers", NULL, "VOAD", SHARED, false},
    {"resetBreaker", "/v1/breakers/reset", "{\"name\":\"tool a/b\"}", "OD", ALL, false},
    {"listNodes", "/v1/nodes", NULL, "VOAD", ALL, false},
    {"listQueue", "/v1/queue", NULL, "VOAD", ALL, false},
    {"listWebhooks", "/v1/webhooks", NULL, "OD", ALL, false},
    {"addWebhook", "/v1/webhooks", "{}", "D", ALL, false},
    {"getWebhook", "/v1/webhooks/none", NULL, "OD", ALL, false},
    {"removeWebhook", "/v1/webhooks/none", NULL, "D", ALL, false},
    {"resumeWebhook", "/v1/webhooks/none/resume", NULL, "D", ALL, false},
    {"listDeadLetters", "/v1/webhooks/none/dead-letters", NULL, "OD", ALL, false},
    {"dropDeadLetter", "/v1/webhooks/none/dead-letters/1", NULL, "D", ALL, false},
    {"deliverDeadLetter", "/v1/webhooks/none/dead-letters/1/deliver", NULL, "D", ALL, false},
    {"listTenants", "/v1/tenants", NULL, "VOAD", SHARED, false},
    {"listPrincipals", "/v1/principals", NULL, "D", ALL, false},
    {"createPrincipal", "/v1/principals", "{\"name\":\"eve\",\"grants\":[{\"grant\":\"viewer\"}]}", "D", ALL, false},
    {"removePrincipal", "/v1/principals/nobody", NULL, "D", ALL, false},
    {"createKey", "/v1/principals/nobody/keys", "{}", "D", ALL, false},
    {"listKeys", "/v1/keys", NULL, "D", ALL, false},
    {"revokeKey", "/v1/keys/000000000000", NULL, "D", ALL, false},
    {"listGrants", "/v1/grants", NULL, "D", ALL, false},
    {"createGrant", "/v1/grants", "{\"principal\":\"eve\",\"grant\":\"viewer\"}", "D", ALL, false},
    {"removeGrant", "/v1/grants?principal=nobody&grant=viewer", NULL, "D", ALL, false},
    {"listAudit", "/v1/audit", NULL, "D", ALL, false},
    {"listSchedules", "/v1/schedules", NULL, "VOAD", SHARED, false},
    {"getSchedule", "/v1/schedules/ask", NULL, "VOAD", SHARED, false},
    {"pauseSchedule", "/v1/schedules/ask/pause", NULL, "OD", ALL, false},
    {"resumeSchedule", "/v1/schedules/ask/resume", NULL, "OD", ALL, false},
    {"fireSchedule", "/v1/schedules/ask/fire", NULL, "OD", ALL, false},
};
#define LINE_COUNT (sizeof LINES / sizeof *LINES)

static const char *const ROLES[] = {"viewer", "operator", "author", "admin"};
static const char LETTERS[] = "VOAD";
static const char *const TENANTS[] = {"", "acme", "evil"};
#define CALLERS 12

typedef struct matrix {
    world *w;
    web web;
    ctn_arena *arena;
    char keys[CALLERS][64];
    char id[64];
    size_t asked, wrong;
} matrix;

static void make_callers(matrix *m)
{
    for (size_t i = 0; i < CALLERS; i++) {
        const char *role = ROLES[i % 4], *tenant = TENANTS[i / 4];
        char line[200];
        (void) snprintf(line, sizeof line, "catena token create %s%s --role %s %s%s", role, tenant, role,
                        *tenant ? "--tenant " : "", tenant);
        assert_exit(m->w, shell(m->w, line), 0);
        (void) snprintf(m->keys[i], sizeof m->keys[i], "%.60s", m->w->said.out);
    }
    usleep(1200 * 1000);
}

static int status_of(matrix *m, const struct line *l, const char *method, const char *key)
{
    char target[300], headers[300];
    const char *id = strstr(l->target, "/ID");
    if (id)
        (void) snprintf(target, sizeof target, "%.*s/%s%s", (int) (id - l->target), l->target, m->id, id + 3);
    else
        (void) snprintf(target, sizeof target, "%s", l->target);
    (void) snprintf(headers, sizeof headers, "%s%s%s%s", *key ? "Authorization: Bearer " : "", key, *key ? "\r\n" : "",
                    l->body ? "Content-Type: application/json\r\n" : "");
    m->asked++;
    ctn_arena_mark mark = ctn_arena_save(m->arena);
    int status = 0;
    if (l->is_stream) {
        ctn_buf text;
        ctn_buf_init(&text, 1 << 20);
        int fd = web_stream(&m->web, target, headers);
        assert_true(web_stream_await(fd, &text, "\r\n"));
        status = atoi(text.data + sizeof "HTTP/1.1");
        close(fd);
        ctn_buf_done(&text);
    } else
        status = web_ask(&m->web, m->arena, method, target, headers, ctn_str_from(l->body)).status;
    ctn_arena_restore(m->arena, mark);
    return status;
}

typedef enum wanted { DONE, DENIED, NOT_THERE, UNKNOWN } wanted;

static wanted wanted_of(const struct line *l, size_t caller)
{
    const char *tenant = TENANTS[caller / 4];
    if (l->about == OPEN)
        return DONE;
    if (!strchr(l->who, LETTERS[caller % 4]) || (l->about == ALL && *tenant))
        return DENIED;
    return l->about == EXECUTION && strcmp(tenant, "evil") == 0 ? NOT_THERE : DONE;
}

static bool is_right(const struct line *l, wanted what, int status)
{
    switch (what) {
    case DENIED: return status == 403;
    case NOT_THERE: return status == 404;
    case UNKNOWN: return l->about == OPEN ? status != 401 : status == 401;
    case DONE: break;
    }
    return status != 401 && status != 403 && status < 500 && (l->about != EXECUTION || status != 404);
}

static void try_one(matrix *m, const struct line *l, const char *method, wanted what, const char *who, const char *key)
{
    static const char *const WORDS[] = {"done", "denied", "not there", "unknown"};
    int status = status_of(m, l, method, key);
    if (is_right(l, what, status))
        return;
    m->wrong++;
    (void) fprintf(stderr, "%s by %s: %d, and it should be %s\n", l->operation, who, status, WORDS[what]);
}

static void try_operation(matrix *m, const char *method, ctn_str operation)
{
    char upper[16] = "";
    const struct line *l = NULL;
    for (size_t i = 0; i < LINE_COUNT && !l; i++)
        l = ctn_str_is(operation, LINES[i].operation) ? &LINES[i] : NULL;
    if (!l) {
        m->wrong++;
        (void) fprintf(stderr, "%.*s: nobody has said here who may\n", CTN_STR_ARG(operation));
        return;
    }
    for (size_t i = 0; method[i] && i < sizeof upper - 1; i++)
        upper[i] = (char) (method[i] - 'a' + 'A');
    for (size_t i = 0; i < CALLERS; i++) {
        char who[60];
        (void) snprintf(who, sizeof who, "%s of %s", ROLES[i % 4], *TENANTS[i / 4] ? TENANTS[i / 4] : "no tenant");
        try_one(m, l, upper, wanted_of(l, i), who, m->keys[i]);
    }
    try_one(m, l, upper, UNKNOWN, "nobody", "");
    try_one(m, l, upper, UNKNOWN, "a liar", "ctn_0123456789ab_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

static void every_operation_is_for_those_who_may_and_for_nobody_else(void **state)
{
    matrix m = {.w = *state, .arena = ctn_arena_new(1 << 20)};
    static ctn_arena *document_arena;
    cli_world_write(m.w, "catena.yaml", "store: sqlite:catena.db\ninclude: [ask.yaml]\n");
    cli_world_write(m.w, "ask.yaml",
                    "id: ask\nschedule: {cron: '0 0 1 1 *'}\nsteps:\n  - {stepName: ask, "
                    "instructionSet: ask}\ninstructionSets:\n  ask: {approval: {message: ok}}\n");
    web_open(&m.web, m.w, "");
    make_callers(&m);
    char headers[200];
    (void) snprintf(headers, sizeof headers, "Content-Type: application/json\r\nAuthorization: Bearer %s\r\n",
                    m.keys[5]); /* the operator of acme */
    web_answer a = web_ask(&m.web, m.arena, "POST", "/v1/executions", headers, CTN_STR("{\"chain\":\"ask\"}"));
    assert_int_equal(a.status, 202);
    json_text(ctn_arena_str(m.arena, a.body).ptr, "executionId", m.id);

    document_arena = ctn_arena_new(1 << 20);
    a = web_ask(&m.web, document_arena, "GET", "/openapi.json", headers, (ctn_str){0});
    assert_int_equal(a.status, 200);
    const ctn_json *paths = ctn_json_copy(document_arena, ctn_json_member_of(a.json, "paths"));
    size_t count = 0;
    for (size_t i = 0; i < ctn_json_count(paths); i++) {
        const ctn_json *item = &paths->members[i].value;
        for (size_t k = 0; k < ctn_json_count(item); k++) {
            ctn_str operation = ctn_json_str_or(&item->members[k].value, "operationId", (ctn_str){0});
            if (!operation.len)
                continue;
            try_operation(&m, ctn_arena_str(m.arena, ctn_json_text(&item->members[k].key)).ptr, operation);
            count++;
        }
    }
    (void) printf("%zu operations, asked %zu times\n", count, m.asked);
    assert_int_equal(count, LINE_COUNT);
    assert_int_equal(m.wrong, 0);
    web_close(&m.web);
    assert_exit(m.w, catena(m.w, "store", "verify", NULL), 0);
    ctn_arena_free(document_arena);
    ctn_arena_free(m.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CLI_TEST(every_operation_is_for_those_who_may_and_for_nobody_else)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
