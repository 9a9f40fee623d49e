/*
 * config_servers.c -- see config_servers.h. Our own file is read strictly; the file of desktop clients is somebody
 * else's format, so what we do not know in it is passed by.
 */
#include "host/config_servers.h"
#include "host/config_auth.h"
#include "host/files.h"
#include "host/words.h"

typedef struct server_keys {
    const ctn_json *command, *args, *env, *url, *headers, *effects, *version, *ca_file, *proxy, *auth, *urls;
    ctn_said is_trusted, allows_private, allows_cleartext;
    int way, elicitation;
    int64_t start_timeout_ms, instances;
    int on_tool_change;
} server_keys;

static const char *const ON_TOOL_CHANGE[] = {"holdNew", "holdAll", "goOn", NULL}; /* as ctn_on_tool_change */
static const char *const WAYS[] = {"auto", "http", "sse", NULL};
enum { WAY_HTTP = 2, WAY_SSE = 3 }; /* as a key of words says it */
static const char *const ELICITATIONS[] = {"decline", "defaults", NULL};

static const ctn_key KEYS[] = {
    {"command", CTN_KEY_NAME, offsetof(server_keys, command),
     "The program: looked for in PATH, then beside catena; with a / in it, from this file."},
    {"args", CTN_KEY_LIST, offsetof(server_keys, args), "Its arguments."},
    {"env", CTN_KEY_OBJECT, offsetof(server_keys, env), "Variables of its environment.", .is_confidential = true},
    {"url", CTN_KEY_NAME, offsetof(server_keys, url), "The address of a server over HTTP."},
    {"headers", CTN_KEY_OBJECT, offsetof(server_keys, headers),
     "Headers that are sent to it; {secret.NAME} in a value is read anew when the server refuses it.",
     .is_confidential = true},
    {"auth", CTN_KEY_OBJECT, offsetof(server_keys, auth),
     "Who we are to it: {type: bearer, token: {env: NAME}}, {type: client_credentials, ...} or {type: oauth}.",
     .is_confidential = true},
    {"caFile", CTN_KEY_NAME, offsetof(server_keys, ca_file),
     "Certificates (PEM) that its own is believed by. Default: the system's."},
    {"proxy", CTN_KEY_TEXT, offsetof(server_keys, proxy),
     "The proxy to it; empty: none. Default: as http_proxy, https_proxy and no_proxy say."},
    {"allowPrivate", CTN_KEY_BOOL, offsetof(server_keys, allows_private), "It may be in a private network."},
    {"allowCleartext", CTN_KEY_BOOL, offsetof(server_keys, allows_cleartext), "It may be spoken to without TLS."},
    {"transport", CTN_KEY_WORD, offsetof(server_keys, way),
     "How messages travel: http (Streamable HTTP), sse (HTTP with SSE, of 2024-11-05). Default: auto, found out.",
     .words = WAYS},
    {"elicitation", CTN_KEY_WORD, offsetof(server_keys, elicitation),
     "What a server of an older revision is told that asks for input in the middle of a call: defaults (those it "
     "names itself), or nothing. Default: decline.",
     .words = ELICITATIONS},
    {"effects", CTN_KEY_OBJECT, offsetof(server_keys, effects),
     "Your word on what a tool does; it wins over annotations."},
    {"trusted", CTN_KEY_BOOL, offsetof(server_keys, is_trusted), "Its tools' annotations are believed."},
    {"version", CTN_KEY_NAME, offsetof(server_keys, version), "The one revision of MCP to speak. Default: found out."},
    {"startTimeoutMs", CTN_KEY_INT, offsetof(server_keys, start_timeout_ms),
     "How long it may take to start. Default: 10000.", .min = 100, .max = 600000},
    {"urls", CTN_KEY_NAMES, offsetof(server_keys, urls), "Several addresses of one server; its calls are shared out."},
    {"instances", CTN_KEY_INT, offsetof(server_keys, instances),
     "How many processes of the command may run at once; its calls are shared out. Default: 1.", .min = 1,
     .max = CTN_MCP_INSTANCES_MAX},
    {"onToolChange", CTN_KEY_WORD, offsetof(server_keys, on_tool_change),
     "When a tool narrows or means another thing: holdNew (default), holdAll, or goOn.", .words = ON_TOOL_CHANGE},
};

const ctn_key_table ctn_config_server_table = {"server", KEYS, sizeof KEYS / sizeof *KEYS,
                                               "A program that is started, or an address."};

/* A text, a number or a boolean as text; a fault otherwise. */
static bool scalar_text(ctn_reader *r, const ctn_json *value, const char *what, bool may_be_secret, ctn_str *ret_text)
{
    if (ctn_json_is_bool(value))
        *ret_text = ctn_json_is(value, CTN_JSON_TRUE) ? CTN_STR("true") : CTN_STR("false");
    else if (ctn_json_is(value, CTN_JSON_STRING) || ctn_json_is(value, CTN_JSON_NUMBER))
        *ret_text = ctn_json_text(value);
    else {
        ctn_reader_fault(r, value, "type", "%s must be a text", what);
        return false;
    }
    if (memchr(ret_text->ptr, '\0', ret_text->len)) {
        ctn_reader_fault(r, value, "type", "%s must not have a NUL character in it", what);
        return false;
    }
    if (!may_be_secret && ctn_str_find(*ret_text, CTN_STR("{secret.")) != SIZE_MAX) {
        ctn_reader_fault(r, value, "type",
                         "%s is seen by everybody on this machine: give the server its secret in `env`", what);
        return false;
    }
    return true;
}

static void read_args(ctn_reader *r, const ctn_json *list, ctn_mcp_server_config *driver)
{
    const char **args = CTN_NEW_ARRAY(r->arena, const char *, ctn_json_count(list) + 1);
    for (size_t i = 0, n = 0; i < ctn_json_count(list); i++) {
        ctn_str text;
        if (scalar_text(r, ctn_json_at(list, i), "an argument", false, &text))
            args[n++] = ctn_arena_str(r->arena, text).ptr;
    }
    driver->args = args;
}

static void read_env(ctn_reader *r, const ctn_json *object, ctn_mcp_server_config *driver)
{
    const char **env = CTN_NEW_ARRAY(r->arena, const char *, ctn_json_count(object) + 1);
    for (uint32_t i = 0, n = 0; object && i < object->count; i++) {
        const ctn_json_member *m = &object->members[i];
        ctn_str name = ctn_json_text(&m->key), text;
        if (name.len == 0 || memchr(name.ptr, '=', name.len) || memchr(name.ptr, '\0', name.len))
            ctn_reader_fault(r, &m->key, "type", "'%.*s' cannot be the name of a variable", CTN_STR_ARG(name));
        else if (scalar_text(r, &m->value, "a variable", true, &text))
            env[n++] = ctn_arena_printf(r->arena, "%.*s=%.*s", CTN_STR_ARG(name), CTN_STR_ARG(text)).ptr;
    }
    driver->env = env;
}

static void read_effects(ctn_reader *r, const ctn_json *object, ctn_mcp_server_config *driver)
{
    size_t count = ctn_json_count(object);
    ctn_mcp_tool_effect *effects = CTN_NEW_ARRAY(r->arena, ctn_mcp_tool_effect, count);
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        const ctn_json_member *m = &object->members[i];
        effects[known].tool = ctn_json_text(&m->key);
        if (ctn_json_is(&m->value, CTN_JSON_STRING) &&
            ctn_effect_from_name(ctn_json_text(&m->value), &effects[known].effect))
            known++;
        else
            ctn_reader_fault(r, &m->value, "type", "the effect of a tool is none, read, idempotent or write");
    }
    driver->effects = effects;
    driver->effect_count = known;
}

static void read_headers(ctn_reader *r, const ctn_json *object, ctn_mcp_server_config *driver)
{
    size_t count = ctn_json_count(object);
    ctn_mcp_header *headers = CTN_NEW_ARRAY(r->arena, ctn_mcp_header, count);
    if (count > CTN_MCP_OWN_HEADERS_MAX)
        ctn_reader_fault(r, object, "type", "at most %d headers are sent", CTN_MCP_OWN_HEADERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const ctn_json_member *m = &object->members[i];
        ctn_mcp_header *h = &headers[driver->header_count];
        h->name = ctn_json_text(&m->key);
        if (!ctn_mcp_header_is_name(h->name))
            ctn_reader_fault(r, &m->key, "type", "'%.*s' cannot be the name of a header", CTN_STR_ARG(h->name));
        else if (ctn_mcp_header_is_ours(h->name))
            ctn_reader_fault(r, &m->key, "type", "the header %.*s is catena's own to send", CTN_STR_ARG(h->name));
        else if (scalar_text(r, &m->value, "a header", true, &h->value) && ctn_str_find_control(h->value) != SIZE_MAX)
            ctn_reader_fault(r, &m->value, "type", "a header must not have a control character in it");
        else
            driver->header_count++;
    }
    driver->headers = headers;
}

/* The first of several addresses stands where a single one does. */
static void read_more_addresses(ctn_reader *r, const ctn_json *urls, ctn_mcp_server_config *driver)
{
    size_t count = ctn_json_count(urls);
    const char **more = CTN_NEW_ARRAY(r->arena, const char *, count);
    for (size_t i = 1; i < count; i++) {
        const ctn_json *url = ctn_json_at(urls, i);
        ctn_err err = {0};
        ctn_str origin;
        if (ctn_url_origin(r->arena, ctn_json_text(url), &origin, &err))
            ctn_reader_fault(r, url, "type", "%s", err.message);
        more[i - 1] = ctn_arena_str(r->arena, ctn_json_text(url)).ptr;
    }
    if (count > CTN_MCP_INSTANCES_MAX)
        ctn_reader_fault(r, urls, "range", "a server has at most %d addresses", CTN_MCP_INSTANCES_MAX);
    if (driver->auth && driver->auth->kind == CTN_AUTH_CODE)
        ctn_reader_fault(r, urls, "type", "a person gives leave to one address: make each a server of its own");
    driver->more_urls = more;
}

static void read_address(ctn_reader *r, const server_keys *k, const ctn_config *c, ctn_config_server *s)
{
    ctn_mcp_server_config *driver = &s->driver;
    ctn_err err = {0};
    ctn_str origin;
    if (ctn_url_origin(r->arena, s->url, &origin, &err))
        ctn_reader_fault(r, k->url, "type", "%s", err.message);
    driver->url = ctn_arena_str(r->arena, s->url).ptr;
    driver->way = k->way == WAY_SSE ? CTN_MCP_WAY_SSE : k->way == WAY_HTTP ? CTN_MCP_WAY_HTTP : CTN_MCP_WAY_AUTO;
    driver->policy.allows_private = k->allows_private == CTN_SAID_TRUE;
    driver->policy.allows_cleartext = k->allows_cleartext == CTN_SAID_TRUE;
    if (k->ca_file)
        driver->policy.ca_file =
            ctn_arena_str(r->arena, ctn_path_join(r->arena, c->folder, ctn_json_text(k->ca_file))).ptr;
    if (k->proxy)
        driver->policy.proxy = ctn_arena_str(r->arena, ctn_json_text(k->proxy)).ptr;
    read_headers(r, k->headers, driver);
    for (size_t i = 0; k->auth && i < driver->header_count; i++)
        if (ctn_str_is(driver->headers[i].name, "Authorization"))
            ctn_reader_fault(r, k->auth, "type", "a server has either `auth` or a header Authorization, not both");
    if (k->auth)
        driver->auth = ctn_config_auth_read(r, k->auth, c);
    if (k->urls)
        read_more_addresses(r, k->urls, driver);
}

static bool check_name(ctn_reader *r, const ctn_json *key, const ctn_config *c)
{
    ctn_str name = ctn_json_text(key);
    if (name.len == 0 || memchr(name.ptr, '/', name.len))
        ctn_reader_fault(r, key, "type", "'%.*s' cannot be the name of a server: tools are called server/tool",
                         CTN_STR_ARG(name));
    else if (ctn_config_server_of(c, name))
        ctn_reader_fault(r, key, "duplicate-key", "there is a server '%.*s' already", CTN_STR_ARG(name));
    else
        return true;
    return false;
}

static void read_server(ctn_reader *r, const ctn_json_member *m, bool is_ours, ctn_config *c)
{
    server_keys k = {0};
    if (!check_name(r, &m->key, c))
        return;
    if (!ctn_json_is(&m->value, CTN_JSON_OBJECT)) {
        ctn_reader_fault(r, &m->value, "type", "a server is an object, like {command: my-server, args: [serve]}");
        return;
    }
    size_t faults = r->fault_count;
    if (is_ours)
        ctn_keys_read(r, &m->value, "a server", KEYS, sizeof KEYS / sizeof *KEYS, &k);
    for (size_t i = 0; !is_ours && i < 5; i++) { /* command, args, env, url, headers */
        const ctn_json *value = ctn_json_member_of(&m->value, KEYS[i].name);
        if (value)
            (void) ctn_key_read(r, &KEYS[i], value, &k);
    }
    if (!is_ours && ctn_str_is(ctn_json_str_or(&m->value, "type", (ctn_str){0}), "sse"))
        k.way = WAY_SSE;
    if (r->fault_count > faults)
        return;
    if (k.urls && (k.url || ctn_json_count(k.urls) == 0)) {
        ctn_reader_fault(r, k.urls, "type",
                         k.url ? "a server has either a url or urls, not both" : "urls must name an address");
        return;
    }
    if (k.urls)
        k.url = ctn_json_at(k.urls, 0);
    if (k.url && k.instances) {
        ctn_reader_fault(r, &m->value, "type", "instances is for a command; several addresses are said as urls");
        return;
    }
    if (!k.command == !k.url) {
        ctn_reader_fault(r, &m->value, "type",
                         k.command ? "a server has either a command or a url, not both"
                                   : "a server needs a command, like {command: my-server}, or a url");
        return;
    }
    ctn_config_server *s = &c->servers[c->server_count++];
    *s = (ctn_config_server){
        .name = ctn_json_text(&m->key),
        .at = ctn_source_position(r->source, &m->key),
        .file = ctn_source_file_name(r->source),
        .command = ctn_json_text(k.command),
        .url = ctn_json_text(k.url),
        .on_tool_change = (ctn_on_tool_change) (k.on_tool_change ? k.on_tool_change - 1 : 0),
    };
    s->driver = (ctn_mcp_server_config){
        .name = s->name,
        .is_trusted = k.is_trusted == CTN_SAID_TRUE,
        .version = ctn_json_text(k.version),
        .start_limit_ms = k.start_timeout_ms,
        .answers_with_defaults = k.elicitation == 2,
        .instances = (size_t) k.instances,
    };
    read_effects(r, k.effects, &s->driver);
    if (k.url) {
        read_address(r, &k, c, s);
        return;
    }
    s->program = ctn_path_of_command(r->arena, c->folder, s->command);
    s->driver.command = ctn_arena_str(r->arena, s->program.len ? s->program : s->command).ptr;
    s->driver.cwd = ctn_str_is(c->folder, ".") ? NULL : ctn_arena_str(r->arena, c->folder).ptr;
    read_args(r, k.args, &s->driver);
    read_env(r, k.env, &s->driver);
}

static void read_servers(ctn_reader *r, const ctn_json *object, bool is_ours, ctn_config *c)
{
    size_t count = ctn_json_count(object);
    ctn_config_server *servers = CTN_NEW_ARRAY(r->arena, ctn_config_server, c->server_count + count);
    if (c->server_count)
        memcpy(servers, c->servers, c->server_count * sizeof *servers);
    c->servers = servers;
    for (size_t i = 0; i < count; i++)
        read_server(r, &object->members[i], is_ours, c);
}

static void read_mcp_config(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    ctn_str path = ctn_path_join(r->arena, c->folder, ctn_json_text(node)), text;
    ctn_err err = {0};
    ctn_source *source;
    if (ctn_file_read(r->arena, path, &text, &err)) {
        ctn_reader_fault(r, node, "include", "%s", err.message);
        return;
    }
    size_t errors = r->findings->error_count;
    if (ctn_source_parse(r->arena, path, text, r->findings, &source)) {
        r->fault_count += r->findings->error_count - errors;
        return;
    }
    ctn_reader theirs = {.arena = r->arena, .source = source, .findings = r->findings};
    const ctn_json *servers = ctn_json_member_of(ctn_source_root(source), "mcpServers");
    if (ctn_json_is(servers, CTN_JSON_OBJECT))
        read_servers(&theirs, servers, false, c);
    else
        ctn_reader_fault(&theirs, ctn_source_root(source), "type", "the file has no object mcpServers");
    r->fault_count += theirs.fault_count;
}

void ctn_config_servers_read(ctn_reader *r, const ctn_json *servers, const ctn_json *mcp_config, ctn_config *config)
{
    if (servers)
        read_servers(r, servers, true, config);
    if (mcp_config)
        read_mcp_config(r, mcp_config, config);
}

/* ---- looking at them ---- */

const ctn_config_server *ctn_config_server_of(const ctn_config *config, ctn_str name)
{
    for (size_t i = 0; i < config->server_count; i++)
        if (ctn_str_equal(config->servers[i].name, name))
            return &config->servers[i];
    return NULL;
}

ctn_str ctn_config_suggest_server(const ctn_config *config, ctn_arena *arena, ctn_str name)
{
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, config->server_count);
    for (size_t i = 0; i < config->server_count; i++)
        names[i] = config->servers[i].name;
    return ctn_words_suggest(arena, name, names, config->server_count);
}

ctn_effect ctn_config_effect(void *ctx, const char *kind, ctn_str target)
{
    const ctn_config *config = ctx;
    ctn_str tool = target;
    ctn_str name = ctn_str_cut(&tool, '/');
    const ctn_config_server *server = strcmp(kind, "tool") == 0 ? ctn_config_server_of(config, name) : NULL;
    for (size_t i = 0; server && i < server->driver.effect_count; i++)
        if (ctn_str_equal(server->driver.effects[i].tool, tool))
            return server->driver.effects[i].effect;
    return strcmp(kind, "native") == 0 && ctn_str_is(target, "noop") ? CTN_EFFECT_NONE : CTN_EFFECT_UNKNOWN;
}

const char *ctn_config_server_refusal(const ctn_config_server *s, ctn_arena *arena)
{
    if (!s->url.len && s->program.len == 0)
        return ctn_arena_printf(arena, "there is no program %.*s", CTN_STR_ARG(s->command)).ptr;
    return NULL;
}
