/*
 * client.h -- one conversation with one server: which revision, which tools, whose answer is this.
 *
 *     PROBING --DiscoverResult--> LISTING --last page--> READY
 *        |                           ^                     |
 *        +--error, silence--> INITIALIZING <--session gone-+
 *
 * It speaks over a transport that its owner has made, and that tells it what comes; restarts and the deadlines of calls
 * are its owner's. `ready` is told when the tools are listed, again after each relist and each new handshake. `failed`
 * is told once: the conversation cannot go on, end the transport. No tools/call leaves before `ready`: a legacy server
 * would run one that came before its handshake.
 *
 * Messages that are none for us (not JSON, answers nobody waits for) are counted; CTN_MCP_STRAYS_MAX of them
 * without a good answer in between fail the conversation.
 *
 * Ownership  free forgets the calls; the transport is the owner's and outlives it. It must not be called from inside an
 *            event of the client but `failed`.
 */
#pragma once
#include "drivers/mcp/mcp.h"
#include "drivers/mcp/tools.h"
#include "drivers/mcp/transport.h"

#define CTN_MCP_STRAYS_MAX 1000
#define CTN_MCP_PAGES_MAX  1000

typedef enum ctn_mcp_fault {
    CTN_MCP_FAULT_LASTING,   /* it would be the same again */
    CTN_MCP_FAULT_DENIED,    /* the same, until somebody gives us leave */
    CTN_MCP_FAULT_UNREACHED, /* nobody answered: another try may find it */
    CTN_MCP_FAULT_OTHER_WAY, /* it takes no Streamable HTTP; perhaps HTTP+SSE */
} ctn_mcp_fault;

typedef struct ctn_mcp_client ctn_mcp_client;
typedef struct ctn_mcp_client_events {
    /* tools: the caller's from now on. */
    void (*ready)(void *ctx, ctn_mcp_tool_table *tools);
    /* The list could not be fetched again; the old one is still the best there is. */
    void (*relist_failed)(void *ctx);
    /* It shakes hands again: calls must wait for the next `ready`. */
    void (*renewing)(void *ctx);
    void (*failed)(void *ctx, ctn_mcp_fault fault, const char *why);
    void (*warned)(void *ctx, const char *what); /* for the log */
    /* Each call ends with one of these three, or with its owner's giving up. */
    /* RESULT or ERROR; the message is valid during the event, scratch is for reading it. */
    void (*answered)(void *ctx, void *call, const ctn_rpc_message *answer, ctn_arena *scratch);
    void (*lost)(void *ctx, void *call, const ctn_mcp_loss *loss);
    void (*too_large)(void *ctx, void *call, const char *why); /* it was answered, and the answer cannot be read */
    void (*progress)(void *ctx, void *call, const ctn_mcp_progress *progress);
    void *ctx;
} ctn_mcp_client_events;

typedef struct ctn_mcp_client_options {
    ctn_loop *loop;
    ctn_mcp_transport *transport;
    ctn_str pinned_version; /* empty: found out */
    ctn_str known_version;  /* what an earlier conversation with this server found out; empty: nothing */
    int64_t discover_silence_ms;
    bool answers_with_defaults; /* see ctn_mcp_server_config */
    ctn_mcp_client_events events;
} ctn_mcp_client_options;

ctn_mcp_client *ctn_mcp_client_new(const ctn_mcp_client_options *options);
void ctn_mcp_client_free(ctn_mcp_client *client);  /* NULL is fine */
void ctn_mcp_client_start(ctn_mcp_client *client); /* sends the probe; may tell `failed` */

/* ---- what the transport tells ---- */

bool ctn_mcp_client_message(ctn_mcp_client *client, const ctn_mcp_arrival *arrival);
void ctn_mcp_client_lost(ctn_mcp_client *client, int64_t id, const ctn_mcp_loss *loss);
void ctn_mcp_client_too_large(ctn_mcp_client *client, int64_t id, const char *why);
void ctn_mcp_client_session_gone(ctn_mcp_client *client);
void ctn_mcp_client_stray(ctn_mcp_client *client);

/* ---- what its owner wants ---- */

/* Sends tools/call and gives its id; 0: nothing left us (*ret_too_large tells why). headers: Mcp-Param-*. */
int64_t ctn_mcp_client_call(ctn_mcp_client *client, const ctn_mcp_call *request, const ctn_mcp_header *headers,
                            size_t header_count, void *call, bool *ret_too_large);
/* The same for any other request. params: without _meta, which is added; NULL: none. name: what Mcp-Name repeats. */
int64_t ctn_mcp_client_ask(ctn_mcp_client *client, const char *method, ctn_str name, const ctn_json *params, void *call,
                           bool *ret_too_large);
/* Tells the server that nobody waits any more. True: the answer may come nevertheless, as an event of this call; false:
 * the call is forgotten. */
bool ctn_mcp_client_cancel(ctn_mcp_client *client, int64_t id, ctn_str reason);

/* True when the server said that its tools changed, or its list is older than it said it may be. */
bool ctn_mcp_client_is_stale(const ctn_mcp_client *client);
void ctn_mcp_client_relist(ctn_mcp_client *client); /* `ready` or `relist_failed` follows, perhaps at once */
int64_t ctn_mcp_client_listed_at_ms(const ctn_mcp_client *client);
ctn_str ctn_mcp_client_version(const ctn_mcp_client *client); /* empty: not known yet */
uint64_t ctn_mcp_client_strays(const ctn_mcp_client *client);
