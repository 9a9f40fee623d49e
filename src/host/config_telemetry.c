/*
 * config_telemetry.c -- see config_telemetry.h.
 */
#include "host/config_telemetry.h"
#include "http/http.h"

#define SECRET_MARK  "{secret."
#define HEADERS_MAX  32
#define MILLION      1000000
#define TRACES_PATH  "/v1/traces"
#define SERVICE_NAME "catena"

typedef struct telemetry_keys {
    const ctn_json *otlp, *service_name;
} telemetry_keys;
typedef struct otlp_keys {
    const ctn_json *url, *headers, *ca_file;
    double sample;
} otlp_keys;
typedef struct log_keys {
    int format, level;
} log_keys;

static const ctn_key TELEMETRY_KEYS[] = {
    {"otlp", CTN_KEY_OBJECT, offsetof(telemetry_keys, otlp), "Where traces are sent."},
    {"serviceName", CTN_KEY_NAME, offsetof(telemetry_keys, service_name),
     "What this service is called there; default: catena."},
};
static const ctn_key OTLP_KEYS[] = {
    {"url", CTN_KEY_NAME, offsetof(otlp_keys, url),
     "Of a collector that takes OTLP/HTTP with JSON, like http://127.0.0.1:4318; without a path: /v1/traces.",
     .is_required = true},
    {"headers", CTN_KEY_OBJECT, offsetof(otlp_keys, headers),
     "Sent with each request; {secret.NAME} is filled in: {Authorization: \"Bearer {secret.OTLP}\"}.",
     .is_confidential = true},
    {"caFile", CTN_KEY_NAME, offsetof(otlp_keys, ca_file),
     "Certificates (PEM) that the collector's is judged by; default: the system's."},
    {"sample", CTN_KEY_NUMBER, offsetof(otlp_keys, sample),
     "Share of the traces that begin here, 0 to 1; default 1. Whoever starts with a traceparent has decided for his.",
     .min = 0, .max = 1, .otherwise_number = 1},
};
static const char *const FORMATS[] = {"text", "json", NULL};
static const char *const LEVELS[] = {"debug", "info", "warn", "error", NULL};
static const ctn_key LOG_KEYS[] = {
    {"format", CTN_KEY_WORD, offsetof(log_keys, format), "text, for people (default), or json, a line an object.",
     .words = FORMATS},
    {"level", CTN_KEY_WORD, offsetof(log_keys, level),
     "debug, info (default of json), warn (default of text) or error, and what is worse.", .words = LEVELS},
};
#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

const ctn_key_table ctn_config_telemetry_table = {"telemetry", TELEMETRY_KEYS, COUNT_OF(TELEMETRY_KEYS),
                                                  "Who is told how executions go."};
const ctn_key_table ctn_config_otlp_table = {"otlp", OTLP_KEYS, COUNT_OF(OTLP_KEYS), NULL};
const ctn_key_table ctn_config_log_table = {"log", LOG_KEYS, COUNT_OF(LOG_KEYS), NULL};

static bool names_secret(const ctn_config_telemetry *t)
{
    for (size_t i = 0; i < t->header_count; i++)
        if (ctn_str_find(t->headers[i].value, CTN_STR(SECRET_MARK)) != SIZE_MAX)
            return true;
    return false;
}

static void read_headers(ctn_reader *r, const ctn_json *object, ctn_config_telemetry *t)
{
    ctn_mcp_header *headers = CTN_NEW_ARRAY(r->arena, ctn_mcp_header, ctn_json_count(object));
    if (ctn_json_count(object) > HEADERS_MAX)
        ctn_reader_fault(r, object, "type", "at most %d headers are sent", HEADERS_MAX);
    for (size_t i = 0; i < ctn_json_count(object); i++) {
        const ctn_json_member *m = &object->members[i];
        ctn_mcp_header h = {ctn_json_text(&m->key), ctn_json_text(&m->value)};
        if (!ctn_mcp_header_is_name(h.name))
            ctn_reader_fault(r, &m->key, "type", "'%.*s' cannot be the name of a header", CTN_STR_ARG(h.name));
        else if (!ctn_json_is(&m->value, CTN_JSON_STRING) || ctn_str_find_control(h.value) != SIZE_MAX)
            ctn_reader_fault(r, &m->value, "type", "a header is a text without line breaks");
        else
            headers[t->header_count++] = h;
    }
    t->headers = headers;
}

static void read_otlp(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    ctn_config_telemetry *t = &c->telemetry;
    otlp_keys k = {0};
    ctn_err err = {0};
    ctn_str origin, path, url;
    ctn_keys_read(r, node, "otlp", OTLP_KEYS, COUNT_OF(OTLP_KEYS), &k);
    if (!k.url)
        return;
    url = ctn_json_text(k.url);
    if (ctn_url_origin(r->arena, url, &origin, &err) || ctn_url_path(r->arena, url, &path, &err)) {
        ctn_reader_fault(r, k.url, "type", "%s", err.message);
        return;
    }
    read_headers(r, k.headers, t);
    if (names_secret(t) && ctn_str_starts_with(origin, CTN_STR("http:")) && !ctn_url_is_loopback(url))
        ctn_reader_fault(r, k.url, "type", "a secret in a header is sent over https: only, or to this machine");
    t->otlp_url = ctn_str_is(path, "/") ? ctn_arena_printf(r->arena, "%.*s" TRACES_PATH, CTN_STR_ARG(origin)) : url;
    t->share = (uint32_t) (k.sample * MILLION + 0.5);
    if (k.ca_file)
        t->ca_file = ctn_path_join(r->arena, c->folder, ctn_json_text(k.ca_file));
}

void ctn_config_telemetry_read(ctn_reader *r, const ctn_json *telemetry, const ctn_json *log, ctn_config *c)
{
    telemetry_keys t = {0};
    log_keys l = {0};
    if (telemetry)
        ctn_keys_read(r, telemetry, "telemetry", TELEMETRY_KEYS, COUNT_OF(TELEMETRY_KEYS), &t);
    if (t.otlp)
        read_otlp(r, t.otlp, c);
    c->telemetry.service_name = t.service_name ? ctn_json_text(t.service_name) : CTN_STR(SERVICE_NAME);
    if (log)
        ctn_keys_read(r, log, "log", LOG_KEYS, COUNT_OF(LOG_KEYS), &l);
    c->log.is_json = l.format == 2;
    c->log.has_level = l.level != 0;
    c->log.level = l.level ? (ctn_log_level) (l.level - 1) : CTN_LOG_INFO;
}
