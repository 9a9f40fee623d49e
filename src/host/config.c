/*
 * config.c -- catena.yaml read by tables, as chains are (chain/keys.h), and what it includes.
 */
#include "host/config.h"
#include "base/memory.h"
#include "host/config_egress.h"
#include "host/config_hooks.h"
#include "host/config_http.h"
#include "host/config_models.h"
#include "host/config_node.h"
#include "host/config_servers.h"
#include "host/config_telemetry.h"
#include "host/config_tenants.h"
#include "host/config_where.h"
#include "host/files.h"
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#define CONFIG_NAME    "catena.yaml"
#define FOLDERS_UP_MAX 64
/* Read of one message of a server in any case. */
#define ANSWER_BYTES_MIN ((size_t) 4 << 20)

typedef struct limits {
    int64_t context_bytes, value_bytes, steps, depth, running, journal_bytes, children;
} limits;

static const ctn_key LIMIT_KEYS[] = {
    {"contextBytes", CTN_KEY_INT, offsetof(limits, context_bytes),
     "All variables of an execution together; default 1048576.", .min = 1024, .max = INT64_C(1) << 32},
    {"valueBytes", CTN_KEY_INT, offsetof(limits, value_bytes), "One variable; default 262144.", .min = 64,
     .max = INT64_C(1) << 30},
    {"steps", CTN_KEY_INT, offsetof(limits, steps),
     "Steps of an execution, each item of a foreach being one; default 10000.", .min = 1, .max = 1000000000},
    {"depth", CTN_KEY_INT, offsetof(limits, depth), "Chains in chains; default 16.", .min = 1,
     .max = CTN_CHAIN_DEPTH_MAX},
    {"journalBytes", CTN_KEY_INT, offsetof(limits, journal_bytes), "The journal of an execution; default 67108864.",
     .min = 4096, .max = INT64_C(1) << 40},
    {"children", CTN_KEY_INT, offsetof(limits, children),
     "Sub-chains that an execution starts, retries included; default 1000.", .min = 1, .max = 1000000},
    {"running", CTN_KEY_INT, offsetof(limits, running),
     "Executions that run at once, each of which is in memory; the others are queued. Default 256.", .min = 1,
     .max = 1000000},
};

static const ctn_key SEALING_KEYS[] = {
    {"key", CTN_KEY_ANY, 0,
     "Where the master keys are: a file (made when it is first needed; keep a copy) or a variable."},
};

typedef struct retention {
    const ctn_json *completed, *failed;
} retention;
static const ctn_key RETENTION_KEYS[] = {
    {"completed", CTN_KEY_NAME, offsetof(retention, completed),
     "Those that completed. Like 30d: a number and s, m, h or d; or forever."},
    {"failed", CTN_KEY_NAME, offsetof(retention, failed),
     "All others: failed, rolled back, cancelled. Like 90d: a number and s, m, h or d; or forever."},
};

typedef struct top {
    const ctn_json *store, *servers, *mcp_config, *include, *secrets, *limits, *retention, *sealing, *http, *models;
    const ctn_json *telemetry, *log, *egress, *tenants;
    const ctn_json *hooks, *node;
    int interrupted;
} top;
static const char *const INTERRUPTED[] = {"ask", "retry", NULL};
static const ctn_key TOP_KEYS[] = {
    {"store", CTN_KEY_NAME, offsetof(top, store),
     "sqlite:FILE, or postgres://HOST/DATABASE for a fleet. Default: sqlite:catena.db beside this file. "
     "sqlite:FILE?synchronous=normal is faster, and may lose "
     "the last moments on power loss."},
    {"servers", CTN_KEY_OBJECT, offsetof(top, servers),
     "MCP servers by name, started as children when they are needed."},
    {"mcpConfig", CTN_KEY_NAME, offsetof(top, mcp_config), "The mcpServers file of desktop clients, taken as it is."},
    {"include", CTN_KEY_NAMES, offsetof(top, include),
     "Files with chains and instruction sets, and folders of templates; * stands for any name."},
    {"secrets", CTN_KEY_OBJECT, offsetof(top, secrets),
     "Where secrets are found; they are read when used and never stored.", .is_confidential = true},
    {"limits", CTN_KEY_OBJECT, offsetof(top, limits), "Bounds."},
    {"tenants", CTN_KEY_OBJECT, offsetof(top, tenants),
     "What tenants may have, by name: their shares of the turns and their quotas; '*' is each that is not named."},
    {"retention", CTN_KEY_OBJECT, offsetof(top, retention),
     "How long executions are kept after their end. Default: completed 30d, failed 90d."},
    {"sealing", CTN_KEY_OBJECT, offsetof(top, sealing), "The key that sensitive values are sealed with."},
    {"http", CTN_KEY_OBJECT, offsetof(top, http), "Where others reach `catena serve`, and who may."},
    {"hooks", CTN_KEY_OBJECT, offsetof(top, hooks),
     "Requests of others that start a chain, by the name at the end of their URL: /v1/hooks/NAME."},
    {"models", CTN_KEY_OBJECT, offsetof(top, models), "Language models by the names that prompts call them."},
    {"telemetry", CTN_KEY_OBJECT, offsetof(top, telemetry), "Who is told how executions go."},
    {"log", CTN_KEY_OBJECT, offsetof(top, log), "What `catena serve` writes to stderr."},
    {"node", CTN_KEY_OBJECT, offsetof(top, node), "This process among others that share a store on PostgreSQL."},
    {"egress", CTN_KEY_OBJECT, offsetof(top, egress), "Which hosts the http calls of chains may reach, and how."},
    {"interrupted", CTN_KEY_WORD, offsetof(top, interrupted),
     "ask (default), or retry: writes of unknown outcome are repeated.", .words = INTERRUPTED},
};
#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

const ctn_key_table ctn_config_tables[] = {
    {"configuration", TOP_KEYS, COUNT_OF(TOP_KEYS),
     "Where the store is, which servers there are, what is known by name. Paths are relative to this file."},
    {"limits", LIMIT_KEYS, COUNT_OF(LIMIT_KEYS), NULL},
    {"retention", RETENTION_KEYS, COUNT_OF(RETENTION_KEYS), NULL},
    {"sealing", SEALING_KEYS, COUNT_OF(SEALING_KEYS), NULL},
};
const size_t ctn_config_table_count = COUNT_OF(ctn_config_tables);

/* ---- the keys one by one ---- */

/* A relative file stands in the configuration's folder. */
static void read_store(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    ctn_str text = ctn_json_text(node);
    const char *scheme = ctn_store_url_is_path(text) ? "sqlite:" : "";
    const char *url = ctn_arena_printf(r->arena, "%s%.*s", scheme, CTN_STR_ARG(text)).ptr;
    ctn_err err = {0};
    if (ctn_store_url_check(url, &err))
        ctn_reader_fault(r, node, "type", "%s", err.message);
    ctn_str file = ctn_store_url_file(url);
    c->store = ctn_str_from(url);
    if (file.len)
        c->store = ctn_arena_printf(r->arena, "%.*s%.*s%s", (int) (file.ptr - url), url,
                                    CTN_STR_ARG(ctn_path_join(r->arena, c->folder, file)), file.ptr + file.len);
}

static void read_secrets(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    c->secrets = CTN_NEW_ARRAY(r->arena, ctn_config_secret, ctn_json_count(node));
    for (uint32_t i = 0; node && i < node->count; i++) {
        ctn_config_secret *s = &c->secrets[c->secret_count];
        s->name = ctn_json_text(&node->members[i].key);
        c->secret_count += ctn_config_where_read(r, &node->members[i].value, "a secret", c->folder, s);
    }
}

static void read_sealing(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    const ctn_json *key = NULL;
    ctn_config_secret where = {0};
    if (!node)
        return;
    size_t faults = r->fault_count;
    ctn_keys_read(r, node, "sealing", SEALING_KEYS, COUNT_OF(SEALING_KEYS), &key);
    if (r->fault_count > faults)
        return;
    if (!key)
        ctn_reader_fault(r, node, "type", "sealing needs a key: write {key: {file: catena.key}}");
    else if (ctn_config_where_read(r, key, "the key of sealing", c->folder, &where)) {
        c->key_file = where.file;
        c->key_env = where.env;
    }
}

static void read_retention(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    retention kept = {0};
    if (!node)
        return;
    ctn_keys_read(r, node, "retention", RETENTION_KEYS, COUNT_OF(RETENTION_KEYS), &kept);
    const ctn_json *spans[] = {kept.completed, kept.failed};
    int64_t *spans_ms[] = {&c->retention.completed_ms, &c->retention.failed_ms};
    for (size_t i = 0; i < 2; i++)
        if (spans[i] && !ctn_retention_span(ctn_json_text(spans[i]), spans_ms[i]))
            ctn_reader_fault(r, spans[i], "type",
                             "'%.*s' is no span of time: write a number and s, m, h or d, like 30d, or forever",
                             CTN_STR_ARG(ctn_json_text(spans[i])));
}

static void read_limits(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    limits l = {0};
    if (!node)
        return;
    ctn_keys_read(r, node, "limits", LIMIT_KEYS, COUNT_OF(LIMIT_KEYS), &l);
    c->value_bytes = (size_t) l.value_bytes;
    c->context_bytes = (size_t) l.context_bytes;
    c->steps = l.steps;
    c->depth = (uint32_t) l.depth;
    c->running = (size_t) l.running;
    c->journal_bytes = l.journal_bytes;
    c->children = l.children;
}

/* ---- include ---- */

typedef struct including {
    ctn_reader *r;
    ctn_config *c;
    const ctn_overlay *overlay; /* of what is included; NULL: none */
    ctn_findings *findings;     /* of what is included */
} including;

static void include_file(including *in, const ctn_json *node, ctn_str path)
{
    ctn_str text;
    ctn_err err = {0};
    if (ctn_file_read_over(in->r->arena, in->overlay, path, &text, &err)) {
        ctn_reader_fault(in->r, node, "include", "%s", err.message);
        return;
    }
    if (ctn_str_ends_with(path, CTN_STR(".mustache")))
        (void) ctn_library_add_template(in->c->library, (ctn_str){0}, path, text, in->findings);
    else if (ctn_str_ends_with(path, CTN_STR(".yaml")) || ctn_str_ends_with(path, CTN_STR(".yml")) ||
             ctn_str_ends_with(path, CTN_STR(".json")))
        (void) ctn_library_add_text(in->c->library, path, text, in->findings, NULL);
    else
        ctn_reader_fault(in->r, node, "include",
                         "%.*s is included, but its name does not say what it is: .yaml, .yml "
                         "and .json are chains and instruction sets, .mustache templates",
                         CTN_STR_ARG(path));
}

/* A folder that cannot be read holds nothing for us; one for which there is no memory might. */
static int stop_for_memory(const char *path, int error)
{
    (void) path;
    return error == ENOMEM;
}

static void free_glob(void *found)
{
    globfree(found);
}

static size_t include_glob(including *in, const ctn_json *node, ctn_str pattern)
{
    glob_t found = {0};
    size_t count = 0;
    int rc = glob(ctn_arena_str(in->r->arena, pattern).ptr, GLOB_MARK, stop_for_memory, &found);
    if (rc == GLOB_NOSPACE || rc == GLOB_ABORTED) /* what it took, it has given back */
        ctn_memory_gone(0);
    if (rc == 0) {
        count = found.gl_pathc;
        ctn_cleanup cleanup;
        ctn_cleanup_push(&cleanup, free_glob, &found);
        for (size_t i = 0; i < found.gl_pathc; i++) {
            ctn_str path = ctn_str_from(found.gl_pathv[i]);
            if (ctn_str_ends_with(path, CTN_STR("/"))) /* a folder: its templates */
                (void) include_glob(in, node, ctn_arena_printf(in->r->arena, "%.*s*.mustache", CTN_STR_ARG(path)));
            else
                include_file(in, node, ctn_arena_str(in->r->arena, path));
        }
        ctn_cleanup_pop(&cleanup);
    }
    globfree(&found);
    return count;
}

static void read_include(including *in, const ctn_json *node)
{
    for (size_t i = 0; i < ctn_json_count(node); i++) {
        const ctn_json *item = ctn_json_at(node, i);
        ctn_str pattern = ctn_path_join(in->r->arena, in->c->folder, ctn_json_text(item));
        if (include_glob(in, item, pattern) == 0)
            ctn_reader_fault(in->r, item, "include", "nothing is called %.*s; paths are relative to this file",
                             CTN_STR_ARG(pattern));
    }
}

/* ---- the file ---- */

static bool find_upward(ctn_arena *arena, ctn_str *ret_path)
{
    ctn_str path = CTN_STR(CONFIG_NAME);
    char cwd[4096];
    if (!getcwd(cwd, sizeof cwd))
        return false;
    size_t depth = 1;
    for (const char *p = cwd; *p; p++)
        depth += *p == '/';
    for (size_t i = 0; i < FOLDERS_UP_MAX && i < depth; i++) {
        if (ctn_file_is_there(arena, path) && !ctn_file_is_folder(arena, path)) {
            *ret_path = path;
            return true;
        }
        path = ctn_arena_printf(arena, "../%.*s", CTN_STR_ARG(path));
    }
    return false;
}

static int read_file(ctn_arena *arena, ctn_config *c, const ctn_overlay *overlay, ctn_findings *findings,
                     ctn_findings *library_findings, ctn_err *err)
{
    ctn_str text;
    ctn_source *source;
    int rc = ctn_file_read(arena, c->file, &text, err);
    if (rc)
        return ctn_wrap(err, rc, "the configuration");
    if (ctn_source_parse(arena, c->file, text, findings, &source))
        return CTN_E_INVALID;
    ctn_reader r = {.arena = arena, .source = source, .findings = findings};
    const ctn_json *root = ctn_source_root(source);
    if (ctn_json_is(root, CTN_JSON_NULL))
        return CTN_OK; /* an empty file */
    if (!ctn_json_is(root, CTN_JSON_OBJECT)) {
        ctn_reader_fault(&r, root, "type", "a configuration is an object: store, servers, include, ...");
        return CTN_E_INVALID;
    }
    top t = {0};
    ctn_keys_read(&r, root, "the configuration", TOP_KEYS, COUNT_OF(TOP_KEYS), &t);
    if (t.store)
        read_store(&r, t.store, c);
    read_secrets(&r, t.secrets, c);
    ctn_config_hooks_read(&r, t.hooks, c);
    read_sealing(&r, t.sealing, c);
    read_limits(&r, t.limits, c);
    ctn_config_tenants_read(&r, t.tenants, c);
    read_retention(&r, t.retention, c);
    c->retry_interrupted = t.interrupted == 2;
    ctn_config_http_read(&r, t.http, c);
    ctn_config_models_read(&r, t.models, c);
    ctn_config_telemetry_read(&r, t.telemetry, t.log, c);
    ctn_config_egress_read(&r, t.egress, c);
    ctn_config_node_read(&r, t.node, c);
    ctn_config_servers_read(&r, t.servers, t.mcp_config, c);
    including in = {&r, c, overlay, library_findings};
    read_include(&in, t.include);
    return r.fault_count ? CTN_E_INVALID : CTN_OK;
}

/* ctx: the overlay. */
static int read_beside(void *ctx, ctn_arena *arena, ctn_str from, ctn_str name, ctn_str *ret_text, ctn_err *err)
{
    return ctn_file_read_over(arena, ctx, ctn_path_join(arena, ctn_path_folder(arena, from), name), ret_text, err);
}

typedef struct reading {
    ctn_arena *arena;
    const char *path;
    const ctn_overlay *overlay;
    ctn_findings *findings, *library_findings;
    ctn_config *config;
    ctn_err *err;
} reading;

static int read_config(void *ctx)
{
    reading *r = ctx;
    ctn_config *c = CTN_NEW(r->arena, ctn_config);
    c->library = ctn_library_new(r->arena);
    ctn_library_set_reader(c->library, read_beside, (void *) r->overlay);
    c->folder = CTN_STR(".");
    c->retention = CTN_RETENTION_DEFAULT;
    const char *named = r->path ? r->path : getenv("CATENA_CONFIG");
    bool is_there = true;
    if (named && named[0])
        c->file = ctn_str_from(named);
    else
        is_there = find_upward(r->arena, &c->file);
    if (is_there)
        c->folder = ctn_path_folder(r->arena, c->file);
    r->config = c;
    return is_there ? read_file(r->arena, c, r->overlay, r->findings, r->library_findings, r->err) : CTN_OK;
}

int ctn_config_read(ctn_arena *arena, const char *path, const ctn_overlay *overlay, ctn_findings *findings,
                    ctn_findings *library_findings, ctn_config **ret_config, ctn_err *err)
{
    reading r = {.arena = arena,
                 .path = path,
                 .overlay = overlay,
                 .findings = findings,
                 .library_findings = library_findings,
                 .err = err};
    ctn_findings before = *findings, library_before = *library_findings;
    int rc = ctn_guarded(read_config, &r, err);
    if (rc == CTN_E_NOMEM) { /* what was added may have gone */
        *findings = before;
        *library_findings = library_before;
        return rc;
    }
    *ret_config = r.config;
    return rc;
}

ctn_rules ctn_config_rules(const ctn_config *config)
{
    return (ctn_rules){.retry_interrupted = config->retry_interrupted,
                       .value_bytes_max = config->value_bytes,
                       .context_bytes_max = config->context_bytes,
                       .steps_max = config->steps,
                       .depth_max = config->depth,
                       .journal_bytes_max = config->journal_bytes,
                       .children_max = config->children};
}

size_t ctn_config_answer_bytes(const ctn_config *config)
{
    size_t bytes =
        config->value_bytes < CTN_RPC_LINE_BYTES_MAX / 16 ? 16 * config->value_bytes : CTN_RPC_LINE_BYTES_MAX;
    return bytes > ANSWER_BYTES_MIN ? bytes : ANSWER_BYTES_MIN;
}
