/*
 * mcp.h -- tools of MCP servers, our children over stdin and stdout or others over HTTP: the driver of kind "tool".
 *
 * A server is started when it is first needed, kept warm, and shared by any number of calls in flight. Before a
 * tool is called the server's revision is found out (server/discover, then initialize, never tools/call) and its
 * tools are listed; arguments are checked against the tool's input schema before they leave, results
 * against its output schema. A server that dies is started again when it is next needed, after a delay that grows with
 * every death in a row; one that never gets up fails its calls as `unavailable`, and nothing spins.
 *
 * What a call's answer says (driver.h has the codes):
 *   was_sent false    unavailable     the server could not be started
 *                     denied          over HTTP: no token that it takes is to be had (HTTP 401)
 *                     protocol_error  no such server or tool, a schema that we cannot read
 *                     invalid_input   the arguments break the tool's input schema
 *   was_sent true     protocol_error  a JSON-RPC error: not executed; or an answer that is no tool result
 *                     tool_error      isError
 *                     invalid_output  the result breaks the output schema
 *                     limit           the answer is larger than is read; the tool has done its work
 *                     timeout         given up; the server was told, a late answer is dropped
 *                     transport       the server ended with the call: peer_is_dead. Over HTTP: the answer was lost, or
 *                                     a status says nothing of what happened; that server lives
 *                     denied, rate_limited  HTTP 401 or 403, 429: not executed (other 4xx: protocol_error)
 *
 * A child sees of our environment only HOME LOGNAME PATH SHELL TERM USER LANG LC_ALL TZ TMPDIR, and what its
 * configuration adds, so secrets that others need do not reach it.
 *
 * Ownership  _new copies its options; loop, spawner, log and sink outlive the driver. Shutdown and free it outside its
 *            callbacks.
 *
 * Threads    The loop's.
 */
#pragma once
#include "base/log.h"
#include "chain/effect.h"
#include "engine/driver.h"
#include "http/http.h"
#include "loop/spawn.h"
#include "oauth/auth.h"
#include "wire/mcp.h"
#include "wire/mcp_http.h"

typedef struct ctn_mcp_tool_effect {
    ctn_str tool;
    ctn_effect effect;
} ctn_mcp_tool_effect;

typedef enum ctn_mcp_way {
    CTN_MCP_WAY_AUTO, /* Streamable HTTP, and HTTP with SSE where that is not taken */
    CTN_MCP_WAY_HTTP,
    CTN_MCP_WAY_SSE,
} ctn_mcp_way;

typedef struct ctn_mcp_server_config {
    ctn_str name;
    /* A program, or ... */
    const char *command;
    const char *const *args; /* NULL-terminated, without the command; NULL: none */
    const char *const *env;  /* NAME=VALUE, NULL-terminated; NULL: none */
    const char *cwd;         /* NULL: ours */
    size_t instances;        /* processes of it that may run at once; 0: 1 */
    /* ... an address, or several of the same server. */
    const char *url;
    const char *const *more_urls; /* ended by NULL; NULL: none */
    ctn_mcp_way way;
    const ctn_mcp_header *headers; /* sent with every request */
    size_t header_count;
    ctn_http_policy policy;
    const ctn_auth_config *auth; /* NULL: nothing is said of tokens */
    /* Of both. */
    bool is_trusted;                    /* its annotations are believed */
    const ctn_mcp_tool_effect *effects; /* the operator's word */
    size_t effect_count;
    ctn_str version;        /* empty: found out; else the one revision to speak */
    int64_t start_limit_ms; /* 0: 10000 */
    const char *unusable;   /* why it cannot be started (a secret is missing); NULL: it can */
    /* A legacy server that asks for input in the middle of a call is given the defaults of what it asks for, or a
     * decline. Otherwise nothing is declared, and it is told so. */
    bool answers_with_defaults;
} ctn_mcp_server_config;

#define CTN_MCP_INSTANCES_MAX   64 /* of one server */
#define CTN_MCP_OWN_HEADERS_MAX 64 /* that are configured for one server */

typedef struct ctn_mcp_driver_options {
    ctn_loop *loop;
    ctn_spawner *spawner;
    ctn_call_sink sink;
    const ctn_log *log; /* NULL: silent */
    const ctn_mcp_server_config *servers;
    size_t server_count;
    int64_t discover_silence_ms; /* how long a server may say nothing to server/discover; 0: 3000 */
    int64_t end_grace_ms;        /* from closed stdin to SIGTERM, and from there to SIGKILL; 0: 1000 */
    size_t line_bytes_max;       /* 0: CTN_RPC_LINE_BYTES_MAX */
    ctn_http *http;              /* NULL: no server has a URL */
    /* The headers of a server as they are now: asked at each connection and when they were refused, so that a secret
     * that has changed is found. NULL: those of the configuration. */
    int (*headers)(void *ctx, ctn_str server, ctn_arena *arena, const ctn_mcp_header **ret_headers, size_t *ret_count,
                   ctn_err *err);
    void *headers_ctx;
    const ctn_auth_vault *vault; /* where tokens that people gave leave for are kept; NULL: nowhere */
    const ctn_auth_ask *ask;     /* NULL: nobody is there to be asked */
    /* A token that goes with requests from now on. May be NULL. */
    void (*learned)(void *ctx, ctn_str server, ctn_str token);
    void *learned_ctx;
    /* May what a call goes on with (a requestState, a task's handle) be journaled? It goes back as it came, so nothing
     * can be hidden in it: a tool that asks fails then, a task has no handle that outlives this process. NULL: it may.
     */
    bool (*may_keep)(void *ctx, const ctn_json *continuation);
    void *may_keep_ctx;
} ctn_mcp_driver_options;

/* The server's tools were listed, or listed again: told before anybody who waits for them. */
typedef void ctn_mcp_listed_fn(void *ctx, ctn_str server);

typedef struct ctn_mcp_driver ctn_mcp_driver;

/* CTN_E_INVALID: a server without a name, without a command and a URL or with both, two of one name, a version that is
 * not spoken here, a header that is ours to send. */
int ctn_mcp_driver_new(const ctn_mcp_driver_options *options, ctn_mcp_driver **ret_driver, ctn_err *err);
/* What the engine is given. */
ctn_driver ctn_mcp_driver_interface(ctn_mcp_driver *driver);
/* Ends every server in order (stdin closed, SIGTERM, SIGKILL) and tells `ended` once, at once or later. From now
 * on nothing is heard of any call, and none may be begun. */
void ctn_mcp_driver_shutdown(ctn_mcp_driver *driver, void (*ended)(void *ctx), void *ctx);
void ctn_mcp_driver_free(ctn_mcp_driver *driver); /* NULL is fine; servers that still run are killed */

/* Makes sure that the server is up and its tools are listed, then tells `ready` once: CTN_OK, or a code
 * and the sentence why not (CTN_E_NOT_FOUND: no such server is configured). */
typedef void ctn_mcp_ready_fn(void *ctx, int code, const char *why);
void ctn_mcp_ready(ctn_mcp_driver *driver, ctn_str server, ctn_mcp_ready_fn *ready, void *ctx);
/* NULL: nobody. */
void ctn_mcp_when_listed(ctn_mcp_driver *driver, ctn_mcp_listed_fn *listed, void *ctx);
/* The tools last listed, in order of name; NULL and 0 before that. Valid until the loop runs again. */
const ctn_mcp_tool *ctn_mcp_tools(const ctn_mcp_driver *driver, ctn_str server, size_t *ret_count);
/* As ctn_mcp_ready, when each instance has been asked: CTN_OK if one is up. */
void ctn_mcp_ready_all(ctn_mcp_driver *driver, ctn_str server, ctn_mcp_ready_fn *ready, void *ctx);
/* Those that one instance listed, from 0; they should be the same. */
const ctn_mcp_tool *ctn_mcp_tools_of(const ctn_mcp_driver *driver, ctn_str server, size_t i, size_t *ret_count);
typedef struct ctn_mcp_instance_state {
    const char *url;   /* without a query; NULL: it is a process */
    int pid;           /* 0: none runs */
    const char *state; /* "down", "starting", "up", "ending", "resting", "left out" */
    size_t calls;      /* in flight, or waiting for it */
    size_t tool_count;
    const char *why; /* it is not up; empty: nothing is known */
} ctn_mcp_instance_state;
/* False: the server has no more than i of them. */
bool ctn_mcp_instance(const ctn_mcp_driver *driver, ctn_str server, size_t i, ctn_mcp_instance_state *ret_state);
/* "server/tool": the operator's word, else what a trusted server's annotations say, else UNKNOWN.
 * *ret_from, if asked for: "operator", "annotations", or NULL. */
ctn_effect ctn_mcp_effect(const ctn_mcp_driver *driver, ctn_str target, const char **ret_from);

/* Any other request (resources/read, prompts/get), once the server is up. name: what Mcp-Name repeats; params: without
 * _meta, NULL: none. `answered` is told once, as `done` is of calls; its value is the result as it came. Nothing is
 * told after shutdown. */
typedef struct ctn_mcp_question {
    const char *method; /* a literal */
    ctn_str server, name;
    const ctn_json *params;
    int64_t timeout_ms;
    void (*answered)(void *ctx, const ctn_call_result *result);
    void *ctx;
} ctn_mcp_question;
void ctn_mcp_question_ask(ctn_mcp_driver *driver, const ctn_mcp_question *question);

/* For tests and `tools list`. */
typedef struct ctn_mcp_server_state {
    int pid;         /* 0: does not run */
    ctn_str version; /* the revision spoken; empty before that */
    uint64_t starts; /* processes started */
    uint64_t strays; /* lines of this process that were no message for us */
} ctn_mcp_server_state;
bool ctn_mcp_server_state_of(const ctn_mcp_driver *driver, ctn_str server, ctn_mcp_server_state *ret_state);
