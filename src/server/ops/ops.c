/*
 * ops.c -- see ops.h.
 */
#include "server/ops/ops.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "host/secrets.h"
#include "server/ops/backlog.h"
#include "server/ops/event_log.h"
#include "server/ops/meters.h"
#include "server/ops/otlp.h"
#include "server/ops/process.h"
#include "server/ops/spans.h"

#define EXPOSITION_BYTES_MAX ((size_t) 16 << 20)

struct ctn_ops {
    ctn_host *host;
    ctn_front *front; /* NULL: none */
    const ctn_webhooks *webhooks;
    const ctn_log *log_of_executions, *log_of_requests;
    ctn_tracing tracing;
    ctn_meters *meters;
    ctn_otlp *otlp; /* NULL: spans are told to nobody */
    ctn_spans *spans;
    ctn_secrets known; /* the secrets of its headers */
    ctn_arena *known_arena;
};

/* ---- what happens ---- */

static void on_event(void *ctx, const ctn_engine_event *event)
{
    ctn_ops *ops = ctx;
    int64_t now_ms = ctn_loop_now_ms(ctn_host_loop(ops->host));
    ctn_meters_event(ops->meters, event, now_ms);
    if (ops->spans)
        ctn_spans_event(ops->spans, event, now_ms);
    ctn_event_log(ops->log_of_executions, &ops->tracing, event);
}

static void on_request(void *ctx, const ctn_web_told *told)
{
    ctn_ops *ops = ctx;
    ctn_meters_request(ops->meters, told);
    ctn_request_log(ops->log_of_requests, told);
}

/* ---- spans ---- */

static void on_span(void *ctx, ctn_str span)
{
    ctn_otlp_add(((ctn_ops *) ctx)->otlp, span);
}

static int read_headers(void *ctx, ctn_arena *arena, ctn_http_header **ret_headers, size_t *ret_count, ctn_err *err)
{
    ctn_ops *ops = ctx;
    const ctn_config *config = ctn_host_workspace(ops->host)->config;
    const ctn_mcp_server_config said = {.headers = config->telemetry.headers,
                                        .header_count = config->telemetry.header_count};
    const ctn_mcp_header *filled;
    int rc = ctn_secrets_headers(config, &said, &ops->known, ops->known_arena, arena, &filled, err);
    if (rc)
        return rc;
    *ret_headers = CTN_NEW_ARRAY(arena, ctn_http_header, said.header_count);
    for (size_t i = 0; i < said.header_count; i++)
        (*ret_headers)[i] = (ctn_http_header){.name = filled[i].name, .value = filled[i].value, .is_secret = true};
    *ret_count = said.header_count;
    return CTN_OK;
}

typedef struct first_entry {
    ctn_arena *arena;
    ctn_str traceparent;
    bool is_read;
} first_entry;

static int read_first(void *ctx, const ctn_record *record, int64_t position)
{
    first_entry *first = ctx;
    (void) position;
    ctn_entry entry;
    if (ctn_record_to_entry(record, first->arena, &entry, NULL) == CTN_OK) {
        first->traceparent = ctn_json_str_or(entry.body, "traceparent", (ctn_str){0});
        first->is_read = true;
    }
    return 1;
}

static bool trace_of(void *ctx, ctn_execution_id id, ctn_trace_id *ret_trace)
{
    ctn_ops *ops = ctx;
    ctn_execution_row row;
    ctn_store *store = ctn_host_store(ops->host);
    ctn_arena *arena = ctn_arena_new(4096);
    first_entry first = {.arena = arena};
    if (ctn_store_execution_get(store, arena, id, &row, NULL) == CTN_OK)
        (void) ctn_store_journal_read(store, row.exec_no, 1, read_first, &first, NULL);
    if (first.is_read)
        *ret_trace = ctn_trace_of_execution(&ops->tracing, id, first.traceparent).trace;
    ctn_arena_free(arena);
    return first.is_read;
}

static void export_spans(ctn_ops *ops, const ctn_config_telemetry *said)
{
    ops->tracing = (ctn_tracing){.is_on = true, .share = said->share};
    ops->known_arena = ctn_arena_new(1024);
    ops->otlp = ctn_otlp_new(&(ctn_otlp_options){.loop = ctn_host_loop(ops->host),
                                                 .log = ctn_host_log(ops->host, "telemetry"),
                                                 .url = said->otlp_url,
                                                 .service_name = said->service_name,
                                                 .ca_file = said->ca_file,
                                                 .headers = read_headers,
                                                 .headers_ctx = ops});
    ops->spans =
        ctn_spans_new(&(ctn_spans_options){.tracing = ops->tracing, .told = on_span, .trace_of = trace_of, .ctx = ops});
}

/* ---- figures ---- */

static void write_gauge(ctn_expo *e, const char *name, const char *help, double value)
{
    ctn_expo_family(e, CTN_EXPO_GAUGE, name, help);
    ctn_expo_gauge(e, NULL, 0, value);
}

static void write_counter(ctn_expo *e, const char *name, const char *help, uint64_t value)
{
    ctn_expo_family(e, CTN_EXPO_COUNTER, name, help);
    ctn_expo_count(e, NULL, 0, value);
}

static int count_open(void *ctx, const ctn_breaker_row *row)
{
    *(size_t *) ctx += ctn_str_is(row->state, "open");
    return 0;
}

static double file_bytes(const ctn_ops *ops, const char *suffix)
{
    struct stat is;
    char path[4096];
    ctn_str file = ctn_host_workspace(ops->host)->store_file;
    int len = snprintf(path, sizeof path, "%.*s%s", CTN_STR_ARG(file), suffix);
    return file.len && len < (int) sizeof path && stat(path, &is) == 0 ? (double) is.st_size : 0;
}

static void write_store(const ctn_ops *ops, ctn_expo *e)
{
    ctn_store *store = ctn_host_store(ops->host);
    const ctn_engine *engine = ctn_host_engine(ops->host);
    size_t open = 0;
    (void) ctn_store_breaker_list(store, count_open, &open, NULL);
    write_gauge(e, "catena_breakers_open", "Circuit breakers that are open.", (double) open);
    write_gauge(e, "catena_store_failing", "1 while the store refuses or fails, and nothing can go on.",
                engine && ctn_engine_store_failing_since_ms(engine, &(ctn_str){0}) != 0);
    ctn_expo_family(e, CTN_EXPO_GAUGE, "catena_store_bytes", "The store's files, by file.");
    ctn_expo_gauge(e, &(ctn_label){"file", CTN_STR("database")}, 1, file_bytes(ops, ""));
    ctn_expo_gauge(e, &(ctn_label){"file", CTN_STR("wal")}, 1, file_bytes(ops, "-wal"));
    ctn_expo_family(e, CTN_EXPO_HISTOGRAM, "catena_commit_duration_seconds",
                    "Commits to the store, from being handed over until they are known to be on disk.");
    ctn_expo_histogram(e, NULL, 0, ctn_host_commits_took(ops->host));
}

static void write_spans(const ctn_ops *ops, ctn_expo *e)
{
    if (!ops->otlp)
        return;
    ctn_otlp_figures f = ctn_otlp_figures_now(ops->otlp);
    write_counter(e, "catena_spans_sent", "Spans that the collector took.", f.sent);
    write_counter(e, "catena_spans_dropped", "Spans for which there was no room, or no patience.", f.dropped);
    write_counter(e, "catena_spans_refused", "Spans that the collector refused.", f.refused);
    write_counter(e, "catena_spans_failures", "Requests to the collector that were not taken.", f.failures);
    write_gauge(e, "catena_spans_waiting", "Spans that wait to be sent.", (double) f.waiting);
}

static void write_webhooks(const ctn_ops *ops, ctn_expo *e)
{
    ctn_webhooks_figures f = ctn_webhooks_figures_now(ops->webhooks);
    write_counter(e, "catena_webhook_deliveries", "Deliveries that were taken.", f.delivered);
    write_counter(e, "catena_webhook_failures", "Attempts at deliveries that failed.", f.failed);
    write_counter(e, "catena_webhook_dead_letters", "Deliveries that were given up.", f.dead);
    write_gauge(e, "catena_webhooks_waiting", "Deliveries that are to be made.", (double) f.waiting);
    write_gauge(e, "catena_webhooks_stopped", "Webhooks that are told nothing until somebody resumes them.",
                (double) f.stopped);
}

static ctn_str expose(ctn_ops *ops, ctn_arena *arena, bool is_open_metrics)
{
    ctn_buf out;
    ctn_buf_init(&out, EXPOSITION_BYTES_MAX);
    ctn_expo e = {.out = &out, .is_open_metrics = is_open_metrics};
    ctn_expo_family(&e, CTN_EXPO_GAUGE, "catena_build_info", "Which catena this is.");
    ctn_expo_gauge(&e, &(ctn_label){"version", CTN_STR(CATENA_VERSION)}, 1, 1);
    ctn_meters_write(ops->meters, &e);
    if (ctn_host_engine(ops->host))
        ctn_backlog_write(ctn_host_engine(ops->host), ctn_loop_now_ms(ctn_host_loop(ops->host)), &e);
    write_store(ops, &e);
    write_webhooks(ops, &e);
    write_spans(ops, &e);
    write_gauge(&e, "catena_http_requests_open",
                "Requests that are not answered to the end, streams of events among them.",
                (double) ctn_front_open_count(ops->front));
    ctn_ops_write_process(&e);
    ctn_expo_end(&e);
    ctn_str text = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

/* ---- sites ---- */

/* Who looks may look; HEAD is answered as GET. */
static bool is_look(ctn_web_request *r)
{
    ctn_str method = ctn_web_ask_of(r)->method;
    if (ctn_str_is(method, "GET") || ctn_str_is(method, "HEAD"))
        return true;
    ctn_front_problem(r, &(ctn_refusal){405, "this can only be read: GET", {CTN_STR("Allow"), CTN_STR("GET, HEAD")}},
                      NULL);
    return false;
}

static void answer_json(ctn_web_request *r, int status, const ctn_json *body)
{
    const ctn_web_header headers[] = {{CTN_STR("Content-Type"), CTN_STR("application/json")},
                                      {CTN_STR("Cache-Control"), CTN_STR("no-store")},
                                      {CTN_STR("Retry-After"), CTN_STR("5")}};
    ctn_web_answer(r, status, headers, status == 503 ? 3 : 2, ctn_json_to_str(ctn_web_arena(r), body));
}

static void take_health(void *ctx, ctn_web_request *r)
{
    ctn_json_builder b = ctn_json_object(ctn_web_arena(r));
    (void) ctx;
    if (!is_look(r))
        return;
    ctn_json_put_str(&b, "status", CTN_STR("ok"));
    answer_json(r, 200, ctn_json_finish(&b));
}

static void take_readiness(void *ctx, ctn_web_request *r)
{
    const ctn_ops *ops = ctx;
    ctn_arena *arena = ctn_web_arena(r);
    const ctn_engine *engine = ctn_host_engine(ops->host);
    ctn_json_builder b = ctn_json_object(arena), reasons = ctn_json_array(arena);
    ctn_str why;
    if (!is_look(r))
        return;
    if (!engine || ctn_front_is_draining(ops->front))
        ctn_json_push(&reasons, ctn_json_string(arena, CTN_STR("it is ending")));
    if (engine && ctn_engine_store_failing_since_ms(engine, &why)) /* the sentence may name files: for the log */
        ctn_json_push(&reasons, ctn_json_string(arena, CTN_STR("its store fails")));
    ctn_json_put_str(&b, "status", reasons.count ? CTN_STR("unready") : CTN_STR("ready"));
    if (reasons.count)
        ctn_json_put(&b, CTN_STR("reasons"), ctn_json_finish(&reasons));
    answer_json(r, reasons.count ? 503 : 200, ctn_json_finish(&b));
}

static void take_metrics(void *ctx, ctn_web_request *r)
{
    ctn_ops *ops = ctx;
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    ctn_err err = {0};
    if (!is_look(r))
        return;
    if (ctn_access_demand(ctn_host_access(ops->host), ctn_web_caller(r), CTN_ACTION_NODES_READ, NULL, &err)) {
        ctn_front_problem(r, &(ctn_refusal){403, err.message, {{0}, {0}}}, NULL);
        return;
    }
    bool is_open_metrics = ctn_expo_wants_open_metrics(ctn_web_header_of(ask->headers, ask->header_count, "accept"));
    const ctn_web_header headers[] = {{CTN_STR("Content-Type"), ctn_str_from(ctn_expo_content_type(is_open_metrics))},
                                      {CTN_STR("Cache-Control"), CTN_STR("no-store")}};
    ctn_web_answer(r, 200, headers, 2, expose(ops, ctn_web_arena(r), is_open_metrics));
}

void ctn_ops_serve(ctn_ops *ops, ctn_front *front, ctn_webhooks *webhooks)
{
    ops->front = front;
    ops->webhooks = webhooks;
    ctn_front_tell(front, on_request, ops);
    ctn_front_add(
        front,
        &(ctn_site){.path = "/healthz", .operation = "health", .is_open = true, .take = take_health, .ctx = ops});
    ctn_front_add(
        front,
        &(ctn_site){.path = "/readyz", .operation = "ready", .is_open = true, .take = take_readiness, .ctx = ops});
    ctn_front_add(
        front, &(ctn_site){.path = "/metrics", .operation = "metrics", .via = "api", .take = take_metrics, .ctx = ops});
}

/* ---- life ---- */

ctn_ops *ctn_ops_open(ctn_host *host)
{
    const ctn_config *config = ctn_host_workspace(host)->config;
    ctn_ops *ops = ctn_calloc(1, sizeof *ops);
    ops->host = host;
    ops->log_of_executions = ctn_host_log(host, "engine");
    ops->log_of_requests = ctn_host_log(host, "http");
    ops->meters = ctn_meters_new();
    if (config->telemetry.otlp_url.len)
        export_spans(ops, &config->telemetry);
    ctn_host_listen(host, on_event, ops);
    return ops;
}

void ctn_ops_flush(ctn_ops *ops)
{
    if (ops->otlp)
        ctn_otlp_flush(ops->otlp);
}

bool ctn_ops_is_idle(const ctn_ops *ops)
{
    return !ops->otlp || ctn_otlp_is_idle(ops->otlp);
}

void ctn_ops_close(ctn_ops *ops)
{
    if (!ops)
        return;
    ctn_host_unlisten(ops->host, ops);
    ctn_otlp_free(ops->otlp);
    ctn_spans_free(ops->spans);
    ctn_meters_free(ops->meters);
    ctn_arena_free(ops->known_arena);
    free(ops);
}
