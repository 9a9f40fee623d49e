/*
 * bench_calls -- W7: calls of one tool of one MCP server, so many in flight, by catena's driver alone: no engine, no
 * store.
 *
 *     bench_calls KEY IN_FLIGHT WARM_S SPAN_S (--server PROGRAM | --url URL)
 *
 * The load is closed: so many calls are in flight, the next begins when one ends. Every answer is looked at. What
 * counts is the CPU time of this process by call, which does not depend on how fast the server is; the rate beside it
 * does. sdk_client.mjs does the same with the official TypeScript SDK.
 */
#include "base/memory.h"
#include "drivers/mcp/mcp.h"
#include "http/http.h"
#include "kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct load {
    ctn_loop *loop;
    ctn_driver driver;
    ctn_arena *scratch;
    size_t in_flight, to_begin; /* to_begin: ended since the last turn */
    uint64_t token, calls;
    double warm_until_s, until_s;
    double began_s, began_cpu_s; /* of what is measured */
    uint64_t began_calls;
    double span_s, cpu_s;
    uint64_t measured_calls;
    bool is_over;
} load;

static void on_done(void *ctx, uint64_t token, const ctn_call_result *result)
{
    load *l = ctx;
    if (result->failure)
        bench_die("a call failed", ctn_arena_printf(l->scratch, "%.*s", CTN_STR_ARG(result->message)).ptr);
    const ctn_json *state = ctn_json_member_of(result->value, "state");
    if (ctn_json_int_or(state, "chain", -1) != (int64_t) token || ctn_json_int_or(state, "step", 0) != 3)
        bench_die("a call", "has the answer of another");
    l->calls++;
    l->to_begin++;
}

static void begin(load *l)
{
    char text[512];
    ctn_arena_mark mark = ctn_arena_save(l->scratch);
    const ctn_json *args = NULL;
    uint64_t token = ++l->token;
    int length = snprintf(text, sizeof text,
                          "{\"chain\":%llu,\"previous\":{\"chain\":%llu,\"step\":2,\"total\":3,\"pad\":\"%0150d\"}}",
                          (unsigned long long) token, (unsigned long long) token, 0);
    bench_must(ctn_json_parse(l->scratch, (ctn_str){text, (size_t) length}, NULL, &args, NULL), "arguments", NULL);
    ctn_call_request request = {
        .token = token, .target = CTN_STR("bench/next"), .args = args, .idempotency_key = CTN_STR("key")};
    l->driver.begin(l->driver.ctx, &request);
    ctn_arena_restore(l->scratch, mark);
}

/* As the engine does: what ended in a round is followed by what begins, once a turn. */
static void turn(void *ctx)
{
    load *l = ctx;
    double now_s = bench_seconds(CLOCK_MONOTONIC);
    if (l->began_s <= 0 && now_s >= l->warm_until_s && l->calls > 0) {
        l->began_s = now_s;
        l->began_cpu_s = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);
        l->began_calls = l->calls;
        l->until_s += now_s;
    }
    if (l->began_s > 0 && now_s >= l->until_s) {
        l->span_s = now_s - l->began_s;
        l->cpu_s = bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - l->began_cpu_s;
        l->measured_calls = l->calls - l->began_calls;
        l->is_over = true;
        ctn_loop_stop(l->loop);
        return;
    }
    for (; l->to_begin > 0; l->to_begin--)
        begin(l);
}

static void say(const char *key, const char *name, double value)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", key, name);
    bench_say(path, value);
}

static void stop(void *ctx)
{
    ctn_loop_stop(ctx);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: bench_calls KEY IN_FLIGHT WARM_S SPAN_S (--server PROGRAM | --url URL)\n");
        return 2;
    }
    (void) signal(SIGPIPE, SIG_IGN);
    ctn_err err = {0};
    ctn_spawner *spawner = NULL;
    bench_must(ctn_spawner_start(&spawner, &err), "spawner", &err);
    load l = {.loop = ctn_loop_new(), .scratch = ctn_arena_new(65536), .in_flight = strtoul(argv[2], NULL, 10)};
    l.to_begin = l.in_flight;
    ctn_spawner_attach(spawner, l.loop);
    ctn_http *http = ctn_http_new(&(ctn_http_options){.loop = l.loop});
    bool is_url = strcmp(argv[5], "--url") == 0;
    ctn_mcp_server_config server = {
        .name = CTN_STR("bench"), .command = is_url ? NULL : argv[6], .url = is_url ? argv[6] : NULL};
    ctn_mcp_driver_options options = {.loop = l.loop,
                                      .spawner = spawner,
                                      .sink = {.done = on_done, .ctx = &l},
                                      .servers = &server,
                                      .server_count = 1,
                                      .http = http};
    ctn_mcp_driver *driver = NULL;
    bench_must(ctn_mcp_driver_new(&options, &driver, &err), "driver", &err);
    l.driver = ctn_mcp_driver_interface(driver);
    l.warm_until_s = bench_seconds(CLOCK_MONOTONIC) + strtod(argv[3], NULL);
    l.until_s = strtod(argv[4], NULL);
    ctn_loop_set_turn(l.loop, turn, &l);
    ctn_loop_run(l.loop);

    double calls = (double) l.measured_calls;
    say(argv[1], "calls_per_s", calls / l.span_s);
    say(argv[1], "cpu_us_per_call", l.cpu_s * 1e6 / calls);
    say(argv[1], "calls_per_core_s", calls / l.cpu_s);
    say(argv[1], "rss_mib", bench_peak_mib(getpid()));
    ctn_loop_set_turn(l.loop, NULL, NULL);
    ctn_mcp_driver_shutdown(driver, stop, l.loop);
    ctn_loop_run(l.loop);
    ctn_mcp_driver_free(driver);
    ctn_http_free(http);
    ctn_loop_free(l.loop);
    ctn_arena_free(l.scratch);
    ctn_spawner_stop(spawner);
    return 0;
}
