/*
 * peer_talk -- a tool server for tests whose calls are not over with their first answer: tools that ask, and tools that
 * become tasks.
 *
 *     peer_talk [--legacy] [--durable] [--log FILE]
 *
 * The variable TALK_SECRET of its environment, if there is one, is in each requestState and task id that it gives out.
 *
 * --legacy speaks 2025-11-25, where every tool is to be called as a task. --durable knows the tasks of processes before
 * it. With --log each request comes into the file, in a line: "MILLISECONDS METHOD WHAT", WHAT being the tool, or the
 * task, and what was answered.
 *
 * ask asks for a name, then wants somebody to open an address, each with its own requestState; again wants to be asked
 * again, once; model asks for a language model; quotes asks two things, one by a name that no shell should read. The
 * others are tasks: work ends after three questions, asks asks for a name in between, fails fails, says is_error, gone
 * is not known any more, stuck never ends, flaky answers every other question with an error, long ends after ten
 * questions, and wants a quarter of a second between two, ends is cancelled by the server, large gives what breaks its
 * schema.
 */
#include "wire/jsonrpc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct task {
    char tool[16];
    int questions;
    bool is_answered, is_cancelled;
} task;

typedef struct peer {
    bool is_legacy, is_durable;
    FILE *log;
    const char *secret; /* "": none */
    task tasks[64];
    int count;
    ctn_arena *arena;
    ctn_buf out;
} peer;

#define WHO                                                                                                            \
    "{\"who\":{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"form\",\"message\":\"Name?\","                 \
    "\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]" \
    "}}}}"
#define TIMES "\"createdAt\":\"2026-11-22T10:00:00Z\",\"lastUpdatedAt\":\"2026-11-22T10:00:0%dZ\""

static const char *const TOOLS[] = {"ask",  "again", "model", "work", "asks",  "fails", "says",
                                    "gone", "stuck", "flaky", "ends", "large", "long",  "quotes"};

static void note(peer *p, ctn_str method, ctn_str what, const ctn_json *answered)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    if (!p->log)
        return;
    fprintf(p->log, "%lld %.*s %.*s %s\n", (long long) now.tv_sec * 1000 + now.tv_nsec / 1000000, CTN_STR_ARG(method),
            CTN_STR_ARG(what), answered ? ctn_json_to_str(p->arena, answered).ptr : "-");
    fflush(p->log);
}

static void answer(peer *p, const ctn_rpc_message *m, const char *text)
{
    const ctn_json *result = NULL;
    if (ctn_json_parse(p->arena, ctn_str_from(text), NULL, &result, NULL))
        abort();
    ctn_rpc_write_result(&p->out, m->id, result);
}

static void refuse(peer *p, const ctn_rpc_message *m, int code, const char *why)
{
    ctn_rpc_write_error(&p->out, m->id, code, ctn_str_from(why), NULL);
}

static void list(peer *p, const ctn_rpc_message *m)
{
    char text[4096] = "{\"resultType\":\"complete\",\"ttlMs\":60000,\"cacheScope\":\"public\",\"tools\":[";
    for (size_t i = 0; i < sizeof TOOLS / sizeof *TOOLS; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "%s{\"name\":\"%s\",\"inputSchema\":{\"type\":\"object\"}%s%s}", i ? "," : "", TOOLS[i],
                 strcmp(TOOLS[i], "large") == 0 ? ",\"outputSchema\":{\"type\":\"object\",\"required\":[\"n\"]}" : "",
                 p->is_legacy ? ",\"execution\":{\"taskSupport\":\"required\"}" : "");
    strcat(text, "]}");
    answer(p, m, text);
}

/* How the task is, in the words of this revision; `more` goes behind. */
static void tell_task(peer *p, const ctn_rpc_message *m, const char *id, const char *status, int changes,
                      const char *more, bool is_first)
{
    char text[2048], fields[1024];
    snprintf(fields, sizeof fields,
             "\"taskId\":\"%s\",\"status\":\"%s\",\"statusMessage\":\"step %d\"," TIMES ",\"%s\":null,\"%s\":%d%s", id,
             status, changes, changes % 10, p->is_legacy ? "ttl" : "ttlMs",
             p->is_legacy ? "pollInterval" : "pollIntervalMs", strncmp(id, "long", 4) == 0 ? 250 : 60, more);
    if (p->is_legacy)
        snprintf(text, sizeof text, is_first ? "{\"task\":{%s}}" : "{%s}", fields);
    else
        snprintf(text, sizeof text, "{\"resultType\":\"%s\",%s}", is_first ? "task" : "complete", fields);
    answer(p, m, text);
}

static void call(peer *p, const ctn_rpc_message *m)
{
    ctn_str none = {0}, tool = ctn_json_str_or(m->params, "name", none);
    ctn_str state = ctn_json_str_or(m->params, "requestState", none);
    const ctn_json *given = ctn_json_member_of(m->params, "inputResponses");
    char id[128], text[1024];
    note(p, m->method, tool, given);
    if (ctn_str_is(tool, "ask") && !state.len) {
        snprintf(text, sizeof text,
                 "{\"resultType\":\"input_required\",\"requestState\":\"st \\u00e9 1%s\",\"inputRequests\":" WHO "}",
                 p->secret);
        answer(p, m, text);
    } else if (ctn_str_is(tool, "ask") && ctn_str_is(state, "st \xc3\xa9 1"))
        answer(p, m,
               "{\"resultType\":\"input_required\",\"requestState\":\"st2\",\"inputRequests\":{\"pay\":{\"method\":"
               "\"elicitation/create\",\"params\":{\"mode\":\"url\",\"message\":\"Pay\",\"url\":"
               "\"https://pay.example/1\"}}}}");
    else if (ctn_str_is(tool, "again") && !state.len)
        answer(p, m, "{\"resultType\":\"input_required\",\"requestState\":\"once\"}");
    else if (ctn_str_is(tool, "model"))
        answer(p, m,
               "{\"resultType\":\"input_required\",\"inputRequests\":{\"x\":{\"method\":\"sampling/createMessage\","
               "\"params\":{\"messages\":[],\"maxTokens\":1}}}}");
    else if (ctn_str_is(tool, "quotes") && !given)
        answer(p, m,
               "{\"resultType\":\"input_required\",\"requestState\":\"q\",\"inputRequests\":{\"a'; touch pwned; '\":{"
               "\"method\":\"elicitation/create\",\"params\":{\"mode\":\"form\",\"message\":\"1\",\"requestedSchema\":{"
               "\"type\":\"object\",\"properties\":{}}}},\"b\":{\"method\":\"elicitation/create\",\"params\":{"
               "\"mode\":\"form\",\"message\":\"2\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{}}}}}}");
    else if (ctn_str_is(tool, "ask") || ctn_str_is(tool, "again") || ctn_str_is(tool, "quotes"))
        answer(p, m, "{\"resultType\":\"complete\",\"content\":[],\"structuredContent\":{\"done\":true}}");
    else if (p->is_legacy && !ctn_json_member_of(m->params, "task"))
        answer(p, m, "{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"requires task augmentation\"}]}");
    else {
        task *t = &p->tasks[p->count++];
        snprintf(t->tool, sizeof t->tool, "%.*s", CTN_STR_ARG(tool));
        snprintf(id, sizeof id, "%s-%d%s", t->tool, p->count - 1, p->secret);
        tell_task(p, m, id, "working", 0, "", true);
    }
}

/* NULL: nobody knows it. */
static task *task_of(peer *p, ctn_str id)
{
    char text[128];
    for (int i = 0; i < p->count; i++) {
        snprintf(text, sizeof text, "%s-%d%s", p->tasks[i].tool, i, p->secret);
        if (ctn_str_is(id, text))
            return &p->tasks[i];
    }
    if (!p->is_durable)
        return NULL;
    while (p->count < 8) { /* one that another process began */
        task *t = &p->tasks[p->count];
        ctn_str rest = id, tool = ctn_str_cut(&rest, '-');
        snprintf(t->tool, sizeof t->tool, "%.*s", CTN_STR_ARG(tool));
        p->count++;
    }
    return task_of(p, id);
}

#define DONE                                                                                                           \
    ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"42\"}],\"structuredContent\":{\"answer\":42},"            \
    "\"isError\":false}"

static void get(peer *p, const ctn_rpc_message *m, task *t, const char *id)
{
    int n = ++t->questions;
    bool is_over = n >= (strcmp(t->tool, "long") == 0 ? 10 : 3);
    if (t->is_cancelled)
        tell_task(p, m, id, "cancelled", 9, "", false);
    else if (strcmp(t->tool, "flaky") == 0 && n % 2)
        refuse(p, m, CTN_RPC_INTERNAL_ERROR, "not now");
    else if (strcmp(t->tool, "stuck") == 0)
        tell_task(p, m, id, "working", 0, "", false);
    else if (strcmp(t->tool, "asks") == 0 && !t->is_answered)
        tell_task(p, m, id, "input_required", 1, ",\"inputRequests\":" WHO, false);
    else if (strcmp(t->tool, "fails") == 0 && is_over)
        tell_task(p, m, id, "failed", 3, ",\"error\":{\"code\":-32603,\"message\":\"it broke\"}", false);
    else if (strcmp(t->tool, "ends") == 0 && is_over)
        tell_task(p, m, id, "cancelled", 3, "", false);
    else if (strcmp(t->tool, "says") == 0 && is_over)
        tell_task(p, m, id, "completed", 3,
                  ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"no\"}],\"isError\":true}", false);
    else if (is_over)
        tell_task(p, m, id, "completed", 3, p->is_legacy ? "" : DONE, false);
    else
        tell_task(p, m, id, "working", n, "", false);
}

static void ask_task(peer *p, const ctn_rpc_message *m)
{
    ctn_str id = ctn_json_str_or(m->params, "taskId", (ctn_str){0});
    const ctn_json *given = ctn_json_member_of(m->params, "inputResponses");
    note(p, m->method, id, given);
    task *t = task_of(p, id);
    char text[128];
    snprintf(text, sizeof text, "%.*s", CTN_STR_ARG(id));
    if (!t || strcmp(t->tool, "gone") == 0) {
        refuse(p, m, CTN_RPC_INVALID_PARAMS, "no such task");
    } else if (ctn_str_is(m->method, "tasks/get")) {
        get(p, m, t, text);
    } else if (ctn_str_is(m->method, "tasks/result")) {
        answer(p, m, "{\"content\":[{\"type\":\"text\",\"text\":\"42\"}],\"structuredContent\":{\"answer\":42}}");
    } else {
        t->is_answered = t->is_answered || given;
        t->is_cancelled = t->is_cancelled || ctn_str_is(m->method, "tasks/cancel");
        answer(p, m, "{\"resultType\":\"complete\"}");
    }
}

static void take(peer *p, ctn_str line)
{
    ctn_rpc_message m;
    if (ctn_rpc_parse(p->arena, line, &m, NULL) || m.kind != CTN_RPC_REQUEST)
        return;
    if (ctn_str_is(m.method, "tools/list"))
        list(p, &m);
    else if (ctn_str_is(m.method, "tools/call"))
        call(p, &m);
    else if (ctn_str_starts_with(m.method, CTN_STR("tasks/")))
        ask_task(p, &m);
    else if (p->is_legacy && ctn_str_is(m.method, "initialize"))
        answer(p, &m,
               "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{},\"tasks\":{\"requests\":{"
               "\"tools\":{\"call\":{}}}}},\"serverInfo\":{\"name\":\"talk\",\"version\":\"1\"}}");
    else if (!p->is_legacy && ctn_str_is(m.method, "server/discover"))
        answer(p, &m,
               "{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}},"
               "\"ttlMs\":0,\"cacheScope\":\"public\"}");
    else
        refuse(p, &m, CTN_RPC_METHOD_NOT_FOUND, "no such method");
}

int main(int argc, char **argv)
{
    const char *secret = getenv("TALK_SECRET");
    peer p = {.arena = ctn_arena_new(65536), .secret = secret ? secret : ""};
    ctn_buf_init(&p.out, 1 << 20);
    for (int i = 1; i < argc; i++) {
        p.is_legacy = p.is_legacy || strcmp(argv[i], "--legacy") == 0;
        p.is_durable = p.is_durable || strcmp(argv[i], "--durable") == 0;
        if (strcmp(argv[i], "--log") == 0 && i + 1 < argc)
            p.log = fopen(argv[++i], "ae");
    }
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t len; (len = getline(&line, &capacity, stdin)) > 0;) {
        take(&p, (ctn_str){line, (size_t) len - 1});
        if (p.out.len && write(STDOUT_FILENO, p.out.data, p.out.len) != (ssize_t) p.out.len)
            break;
        ctn_buf_clear(&p.out);
        ctn_arena_reset(p.arena);
    }
    free(line);
    if (p.log)
        fclose(p.log);
    ctn_buf_done(&p.out);
    ctn_arena_free(p.arena);
    return 0;
}
