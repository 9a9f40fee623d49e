/*
 * engine_kit.c -- see engine_kit.h.
 */
#include "unit/server/engine_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "support/shared_data.h"
#include "value/schema.h"

#define LATE_MS 8000

#define KEY "0123456789abcdef0123456789abcdef"

/* ---- what comes out ---- */

static void judge(engine_kit *k, const ctn_json *schemas, const char *definition, const ctn_json *value)
{
    ctn_err err = {0};
    ctn_schema *schema = NULL;
    ctn_json_builder b = ctn_json_object(k->arena);
    if (!schemas || !k->is_modern)
        return;
    ctn_json_put(&b, CTN_STR("$defs"), ctn_json_member_of(schemas, "$defs"));
    ctn_json_put_str(&b, "$ref", ctn_arena_printf(k->arena, "#/$defs/%s", definition));
    assert_int_equal(ctn_schema_compile(k->arena, ctn_json_finish(&b), &schema, NULL, &err), CTN_OK);
    if (ctn_schema_validate(schema, value, k->arena, &err))
        fail_msg("%s: %s\n%.*s", definition, err.message, CTN_STR_ARG(ctn_json_to_str(k->arena, value)));
    ctn_schema_done(schema);
}

static void answer_question(engine_kit *k, const ctn_json *m)
{
    ctn_json_builder b = ctn_json_object(k->arena);
    ctn_json_put_str(&b, "jsonrpc", CTN_STR("2.0"));
    ctn_json_put(&b, CTN_STR("id"), ctn_json_member_of(m, "id"));
    ctn_json_put(&b, CTN_STR("result"), k->on_question(ctn_json_member_of(m, "params")));
    ctn_mcp_endpoint_take(k->endpoint, &k->channel, ctn_json_to_str(k->arena, ctn_json_finish(&b)), NULL);
}

static void take(engine_kit *k, ctn_str text)
{
    const ctn_json *m = NULL;
    if (!text.len)
        return;
    assert_int_equal(ctn_json_parse(k->arena, text, NULL, &m, NULL), CTN_OK);
    assert_true(k->message_count < 512);
    k->messages[k->message_count++] = m;
    if (ctn_json_member_of(m, "id") && !ctn_json_member_of(m, "method") && ctn_json_int_or(m, "id", -1) == k->wanted) {
        k->answer = m;
        ctn_loop_stop(ctn_host_loop(k->host));
    }
    if (ctn_str_is(ctn_json_str_or(m, "method", (ctn_str){0}), "notifications/tasks"))
        judge(k, k->task_schemas, "TaskStatusNotification", m);
    if (ctn_str_is(ctn_json_str_or(m, "method", (ctn_str){0}), "elicitation/create") && k->on_question)
        answer_question(k, m);
}

static void on_send(ctn_mcp_channel *channel, ctn_str message)
{
    take(channel->ctx, message);
}

static void on_answer(ctn_mcp_channel *channel, int http_status, ctn_str message)
{
    (void) http_status;
    take(channel->ctx, message);
}

/* ---- life ---- */

static void write_file(engine_kit *k, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", k->folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void die(void *ctx)
{
    (void) ctx;
    _exit(1);
}

static void on_late(void *ctx)
{
    engine_kit *k = ctx;
    k->is_late = true;
    ctn_loop_stop(ctn_host_loop(k->host));
}

static void open_host(engine_kit *k)
{
    ctn_err err = {0};
    assert_int_equal(ctn_spawner_start(&k->spawner, &err), CTN_OK);
    char config[96];
    snprintf(config, sizeof config, "%s/catena.yaml", k->folder);
    if (ctn_workspace_open(k->arena, ctn_arena_str(k->arena, ctn_str_from(config)).ptr, NULL, NULL, &k->ws, &err))
        fail_msg("%s %.*s", err.message,
                 CTN_STR_ARG(k->ws.findings.count ? k->ws.findings.items[0].message : (ctn_str){0}));
    ctn_host_options options = {.ws = &k->ws, .spawner = k->spawner, .second_signal = die};
    k->host = ctn_host_new(&options);
    if (ctn_host_own(k->host, CTN_STORE_CREATE, true, &err))
        fail_msg("%s", err.message);
    k->backend = ctn_engine_backend_new(k->host);
    ctn_mcp_endpoint_options endpoint = {.loop = ctn_host_loop(k->host),
                                         .backend = ctn_engine_backend_offers(k->backend),
                                         .name = "catena",
                                         .version = "0",
                                         .state_key = CTN_STR(KEY)};
    assert_int_equal(endpoint.state_key.len, 32);
    k->endpoint = ctn_mcp_endpoint_new(&endpoint);
    ctn_engine_backend_tell(k->backend, k->endpoint);
    k->channel = (ctn_mcp_channel){.ctx = k, .principal = CTN_STR("stdio"), .send = on_send, .answer = on_answer};
    k->limit = ctn_timer_new(ctn_host_loop(k->host), on_late, k);
}

static void close_host(engine_kit *k)
{
    ctn_timer_free(k->limit);
    ctn_engine_backend_tell(k->backend, NULL);
    ctn_engine_backend_free(k->backend);
    ctn_mcp_endpoint_free(k->endpoint);
    ctn_host_close(k->host);
    ctn_spawner_stop(k->spawner); /* it holds the store's lock, too */
}

void engine_kit_open(engine_kit *k, const char *const *chains)
{
    char path[4096], name[32];
    *k = (engine_kit){.is_modern = true, .next_id = 1};
    k->arena = ctn_arena_new(65536);
    snprintf(k->folder, sizeof k->folder, "/tmp/engine-kit-XXXXXX");
    assert_non_null(mkdtemp(k->folder));
    write_file(k, "catena.yaml", "include: [\"chain-*.yaml\"]\nsealing: {key: {file: catena.key}}\n");
    for (size_t i = 0; chains[i]; i++) {
        snprintf(name, sizeof name, "chain-%zu.yaml", i);
        write_file(k, name, chains[i]);
    }
    ctn_buf text;
    ctn_buf_init(&text, 8 << 20);
    if (ctn_shared_data("../reference/mcp-schema/2026-07-28.json", path, sizeof path) && ctn_read_file(path, &text))
        assert_int_equal(ctn_json_parse(k->arena, ctn_buf_str(&text), NULL, &k->schemas, NULL), CTN_OK);
    if (ctn_shared_data("../reference/mcp-schema/ext-tasks.json", path, sizeof path) && ctn_read_file(path, &text))
        assert_int_equal(ctn_json_parse(k->arena, ctn_buf_str(&text), NULL, &k->task_schemas, NULL), CTN_OK);
    ctn_buf_done(&text);
    open_host(k);
}

void engine_kit_restart(engine_kit *k)
{
    close_host(k);
    open_host(k);
}

void engine_kit_close(engine_kit *k)
{
    char command[128];
    close_host(k);
    ctn_arena_free(k->arena);
    snprintf(command, sizeof command, "rm -rf %s", k->folder);
    assert_int_equal(system(command), 0);
}

/* ---- asking ---- */

static ctn_str quoted(engine_kit *k, ctn_str text)
{
    char *out = (char *) ctn_arena_str(k->arena, text).ptr;
    for (size_t i = 0; i < text.len; i++)
        if (out[i] == '\'')
            out[i] = '"';
    return (ctn_str){out, text.len};
}

static ctn_str meta_of(engine_kit *k)
{
    const char *join = k->meta ? "," : "", *meta = k->meta ? k->meta : "";
    if (!k->is_modern)
        return k->meta ? ctn_arena_printf(k->arena, "'_meta':{%s}", meta) : (ctn_str){0};
    return ctn_arena_printf(k->arena,
                            "'_meta':{'io.modelcontextprotocol/protocolVersion':'2026-07-28',"
                            "'io.modelcontextprotocol/clientCapabilities':{%s%s%s}%s%s}",
                            k->has_form ? "'elicitation':{'form':{}}" : "", k->has_form && k->has_tasks ? "," : "",
                            k->has_tasks ? "'extensions':{'io.modelcontextprotocol/tasks':{}}" : "", join, meta);
}

static int64_t send_params(engine_kit *k, const char *method, ctn_str params)
{
    int64_t id = k->next_id++;
    ctn_str meta = quoted(k, meta_of(k));
    ctn_str text = ctn_arena_printf(
        k->arena, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"method\":\"%s\",\"params\":{%.*s%s%.*s}}", (long long) id, method,
        CTN_STR_ARG(params), params.len && meta.len ? "," : "", CTN_STR_ARG(meta));
    ctn_mcp_endpoint_take(k->endpoint, &k->channel, text, NULL);
    return id;
}

int64_t engine_kit_send(engine_kit *k, const char *method, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str params = quoted(k, ctn_arena_vprintf(k->arena, format, args));
    va_end(args);
    return send_params(k, method, params);
}

void engine_kit_notify(engine_kit *k, const char *method, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str params = quoted(k, ctn_arena_vprintf(k->arena, format, args));
    va_end(args);
    ctn_mcp_endpoint_take(k->endpoint, &k->channel,
                          ctn_arena_printf(k->arena, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{%.*s}}",
                                           method, CTN_STR_ARG(params)),
                          NULL);
}

static bool has_answer(void *ctx)
{
    engine_kit *k = ctx;
    return k->answer || k->is_late;
}

const ctn_json *engine_kit_wait(engine_kit *k, int64_t id)
{
    k->answer = NULL;
    k->wanted = id;
    for (size_t i = 0; i < k->message_count; i++)
        if (!ctn_json_member_of(k->messages[i], "method") && ctn_json_int_or(k->messages[i], "id", -1) == id)
            k->answer = k->messages[i];
    k->is_late = false;
    ctn_timer_set(k->limit, ctn_loop_now_ms(ctn_host_loop(k->host)) + LATE_MS);
    while (!k->answer && !k->is_late)
        (void) ctn_host_run(k->host, has_answer, k);
    ctn_timer_clear(k->limit);
    if (!k->answer)
        fail_msg("no answer to request %lld", (long long) id);
    return k->answer;
}

const ctn_json *engine_kit_ask(engine_kit *k, const char *method, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str params = quoted(k, ctn_arena_vprintf(k->arena, format, args));
    va_end(args);
    const ctn_json *answer = engine_kit_wait(k, send_params(k, method, params));
    const ctn_json *result = ctn_json_member_of(answer, "result");
    ctn_str type = ctn_json_str_or(result, "resultType", (ctn_str){0});
    if (result && ctn_str_is(type, "task"))
        judge(k, k->task_schemas, "CreateTaskResult", result);
    else if (result && strcmp(method, "tools/call") == 0)
        judge(k, k->schemas, ctn_str_is(type, "input_required") ? "InputRequiredResult" : "CallToolResult", result);
    if (result && strcmp(method, "tools/list") == 0)
        judge(k, k->schemas, "ListToolsResult", result);
    if (result && strcmp(method, "tasks/get") == 0)
        judge(k, k->task_schemas, "GetTaskResult", result);
    return answer;
}

void engine_kit_run(engine_kit *k, int64_t ms)
{
    k->answer = NULL;
    k->wanted = -1;
    k->is_late = false;
    ctn_timer_set(k->limit, ctn_loop_now_ms(ctn_host_loop(k->host)) + ms);
    while (!k->is_late)
        (void) ctn_host_run(k->host, has_answer, k);
}

/* ---- looking ---- */

const char *engine_kit_at(const engine_kit *k, const ctn_json *answer, const char *pointer)
{
    const ctn_json *v = ctn_json_pointer(answer, ctn_str_from(pointer));
    if (!v)
        return "";
    return ctn_arena_str(k->arena, ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : ctn_json_to_str(k->arena, v))
        .ptr;
}

static int count_one(void *ctx, const ctn_execution_row *row)
{
    (void) row;
    ++*(size_t *) ctx;
    return 0;
}

size_t engine_kit_count(const engine_kit *k, const char *chain)
{
    size_t count = 0;
    ctn_execution_filter filter = {.chain_id = ctn_str_from(chain)};
    assert_int_equal(ctn_store_execution_list(ctn_host_store(k->host), &filter, count_one, &count, NULL), CTN_OK);
    return count;
}

int engine_kit_setup(void **state, const char *const *chains)
{
    engine_kit *k = calloc(1, sizeof *k);
    assert_non_null(k);
    engine_kit_open(k, chains);
    *state = k;
    return 0;
}

int engine_kit_teardown(void **state)
{
    engine_kit_close(*state);
    free(*state);
    return 0;
}
