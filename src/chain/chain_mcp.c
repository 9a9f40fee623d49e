/*
 * chain_mcp.c -- the key `mcp`: as what a chain is offered to MCP clients, and what contradicts itself in that.
 */
#include "chain/chain.h"
#include "value/uri_template.h"

#define COUNT(table)                (sizeof(table) / sizeof((table)[0]))
#define MCP(key, type, member, ...) CTN_KEY(key, type, mcp_keys, member, __VA_ARGS__)
#define WAIT_DEFAULT_MS             30000
#define WAIT_MAX_MS                 INT64_C(3600000)
#define NAME_BYTES_MAX              128

typedef struct mcp_keys {
    int as, on_disconnect, task; /* index of the word + 1; 0: not said */
    const ctn_json *name, *uri, *mime_type, *content;
    int64_t wait_ms, attach_ms;
} mcp_keys;

static const char *const AS[] = {"tool", "prompt", "resource", "none", NULL};
static const char *const ON_DISCONNECT[] = {"continue", "cancel", NULL};
static const char *const TASK[] = {"optional", "required", "never", NULL};

static void read_content(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    ctn_reader_variable(reader, value, ctn_json_text(value), "an output");
}

static void read_uri(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    ctn_uri_template *unused = NULL;
    ctn_err err = {0};
    if (ctn_uri_template_compile(reader->arena, ctn_json_text(value), &unused, &err))
        ctn_reader_fault(reader, value, "type", "'uri' cannot be used: %s", err.message);
    else if (ctn_str_starts_with(ctn_json_text(value), CTN_STR("catena:")))
        ctn_reader_fault(reader, value, "type",
                         "a 'uri' with the scheme catena: is one of the server's own; choose another");
}

const ctn_key ctn_chain_mcp_keys[] = {
    MCP("as", CTN_KEY_WORD, as, "tool (default), prompt, resource (reading it runs the chain), or none.", .words = AS),
    MCP("name", CTN_KEY_NAME, name, "The name that clients see. Default: the chain's id."),
    MCP("uri", CTN_KEY_NAME, uri, "Of a resource: its URI; {name} stands for an input, which makes it a template.",
        .read = read_uri),
    MCP("mimeType", CTN_KEY_NAME, mime_type, "Of a resource: what reading it gives."),
    MCP("content", CTN_KEY_NAME, content,
        "The output that holds MCP's own form: content blocks of a tool, messages of a prompt, contents of a resource.",
        .read = read_content),
    MCP("waitMs", CTN_KEY_INT, wait_ms, "Milliseconds that a caller is kept waiting for the end.", .min = 0,
        .max = WAIT_MAX_MS, .otherwise = WAIT_DEFAULT_MS),
    MCP("attachMs", CTN_KEY_INT, attach_ms,
        "Milliseconds in which a call with equal arguments joins the execution that is there.", .min = 1,
        .max = CTN_TEN_YEARS_MS),
    MCP("onDisconnect", CTN_KEY_WORD, on_disconnect,
        "continue (default), or cancel: the execution ends when its caller goes away.", .words = ON_DISCONNECT),
    MCP("task", CTN_KEY_WORD, task,
        "optional (default): a task where the client knows tasks; required: only for those; never.", .words = TASK),
};

/* The server's own; a chain's id holds no _, but its name may. */
bool ctn_chain_mcp_is_own_tool(ctn_str name)
{
    static const char *const own[] = {"execute_chain",    "get_execution",  "list_executions", "resume_execution",
                                      "cancel_execution", "answer_step",    "list_chains",     "get_chain",
                                      "check_chain",      "simulate_chain", "explain"};
    for (size_t i = 0; i < COUNT(own); i++)
        if (ctn_str_is(name, own[i]))
            return true;
    return false;
}

/* What clients take for the name of a tool or prompt. */
static bool is_wire_name(ctn_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_-.", c)))
            return false;
    }
    return name.len <= NAME_BYTES_MAX;
}

/* Keys that say something of what the chain is not offered as. */
static void refuse_idle_keys(ctn_reader *reader, const ctn_json *node, ctn_mcp_as as)
{
    static const struct {
        const char *key;
        bool of[4]; /* tool, prompt, resource, none */
    } rows[] = {{"name", {true, true, true, false}},         {"uri", {false, false, true, false}},
                {"mimeType", {false, false, true, false}},   {"content", {true, true, true, false}},
                {"waitMs", {true, true, true, false}},       {"attachMs", {true, false, false, false}},
                {"onDisconnect", {true, true, true, false}}, {"task", {true, false, false, false}}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const ctn_json *value = ctn_json_member_of(node, rows[i].key);
        if (value && !rows[i].of[as])
            ctn_reader_fault(reader, value, "type", "'%s' has no meaning with 'as: %s'; take one of the two out",
                             rows[i].key, AS[as]);
    }
}

void ctn_chain_mcp_read(ctn_reader *reader, const ctn_json *node, ctn_str chain_id, ctn_chain_mcp *ret_mcp)
{
    *ret_mcp = (ctn_chain_mcp){.name = chain_id, .wait_ms = WAIT_DEFAULT_MS, .node = node};
    mcp_keys keys = {.wait_ms = WAIT_DEFAULT_MS};
    if (node)
        ctn_keys_read(reader, node, "mcp", ctn_chain_mcp_keys, CTN_CHAIN_MCP_KEY_COUNT, &keys);
    ctn_chain_mcp *mcp = ret_mcp;
    mcp->as = keys.as ? (ctn_mcp_as) (keys.as - 1) : CTN_MCP_AS_TOOL;
    mcp->task = keys.task ? (ctn_mcp_task) (keys.task - 1) : CTN_MCP_TASK_OPTIONAL;
    mcp->cancels_on_disconnect = keys.on_disconnect == 2;
    mcp->uri = ctn_json_text(keys.uri);
    mcp->uri_node = keys.uri;
    mcp->mime_type = ctn_json_text(keys.mime_type);
    mcp->content = ctn_json_text(keys.content);
    mcp->content_node = keys.content;
    mcp->wait_ms = keys.wait_ms;
    mcp->attach_ms = keys.attach_ms;
    if (keys.name)
        mcp->name = ctn_json_text(keys.name);
    refuse_idle_keys(reader, node, mcp->as);
    if (mcp->as == CTN_MCP_AS_RESOURCE && !ctn_json_member_of(node, "uri"))
        ctn_reader_fault(reader, node, "type", "'as: resource' needs a 'uri'");
    bool has_wire_name = mcp->as == CTN_MCP_AS_TOOL || mcp->as == CTN_MCP_AS_PROMPT;
    const ctn_json *name_node = keys.name ? keys.name : node;
    if (has_wire_name && keys.name && !is_wire_name(mcp->name))
        ctn_reader_fault(reader, name_node, "type",
                         "'%.*s' is no name for a %s: write letters, digits, _, - and ., at most %d",
                         CTN_STR_ARG(mcp->name), AS[mcp->as], NAME_BYTES_MAX);
    if (mcp->as == CTN_MCP_AS_TOOL && keys.name && ctn_chain_mcp_is_own_tool(mcp->name))
        ctn_reader_fault(reader, name_node, "type", "'%.*s' is a tool of the server itself; choose another name",
                         CTN_STR_ARG(mcp->name));
    if (mcp->attach_ms && mcp->cancels_on_disconnect)
        ctn_reader_fault(reader, node, "type",
                         "with 'attachMs' an execution has several callers, so 'onDisconnect: cancel' of one would end "
                         "it for all; take one of the two out");
}
