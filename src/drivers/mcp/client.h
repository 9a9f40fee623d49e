/*
 * client.h -- one conversation with one server process: which revision, which tools, whose answer is this.
 *
 *     PROBING --DiscoverResult--> LISTING --last page--> READY
 *        |                           ^
 *        +--error, silence--> INITIALIZING
 *
 * It reads lines and writes lines; processes, restarts and deadlines are its owner's. `ready` is told when the
 * tools are listed, again after each relist. `failed` is told once: the conversation cannot go on, end the
 * process. No tools/call leaves before `ready`: a legacy server would run one that came before its handshake.
 *
 * Lines that are no message for us (not JSON, answers nobody waits for) are counted; CTN_MCP_STRAYS_MAX of them
 * without a good answer in between fail the conversation.
 *
 * Ownership  free forgets the calls. It must not be called from inside an event of the client but `failed`.
 */
#pragma once
#include "drivers/mcp/mcp.h"
#include "drivers/mcp/tools.h"

#define CTN_MCP_STRAYS_MAX 1000
#define CTN_MCP_PAGES_MAX  1000

typedef struct ctn_mcp_client ctn_mcp_client;
typedef struct ctn_mcp_client_events {
    bool (*write)(void *ctx, ctn_str line); /* false: it cannot be written */
    /* tools: the caller's from now on. */
    void (*ready)(void *ctx, ctn_mcp_tool_table *tools);
    /* The list could not be fetched again; the old one is still the best there is. */
    void (*relist_failed)(void *ctx);
    void (*failed)(void *ctx, const char *why);
    /* RESULT or ERROR for a call; the message is valid during the event, scratch is for reading it. */
    void (*answered)(void *ctx, void *call, const ctn_rpc_message *answer, ctn_arena *scratch);
    void (*progress)(void *ctx, void *call, const ctn_mcp_progress *progress);
    void (*unread)(void *ctx, ctn_str line); /* there is no memory to read this line; NULL: it is a stray */
    void *ctx;
} ctn_mcp_client_events;

typedef struct ctn_mcp_client_options {
    ctn_loop *loop;
    ctn_str pinned_version; /* empty: found out */
    int64_t discover_silence_ms;
    ctn_mcp_client_events events;
} ctn_mcp_client_options;

ctn_mcp_client *ctn_mcp_client_new(const ctn_mcp_client_options *options);
void ctn_mcp_client_free(ctn_mcp_client *client);  /* NULL is fine */
void ctn_mcp_client_start(ctn_mcp_client *client); /* sends the probe; may tell `failed` */
void ctn_mcp_client_line(ctn_mcp_client *client, ctn_str line);
/* An answer with this id was too large to be read: what the client asked for itself fails, and of a call its `call` is
 * given back, which hears nothing more from here; NULL: nobody's. */
void *ctn_mcp_client_too_large(ctn_mcp_client *client, int64_t id, const char *why);
/* A line that was no message for us. */
void ctn_mcp_client_stray(ctn_mcp_client *client);

/* Sends tools/call and gives its id; 0: nothing left us (*ret_too_large tells why). Its answer comes as `answered`
 * with this `call`. */
int64_t ctn_mcp_client_call(ctn_mcp_client *client, const ctn_mcp_call *request, void *call, bool *ret_too_large);
/* Tells the server that nobody waits any more. The answer may come nevertheless. */
void ctn_mcp_client_cancel(ctn_mcp_client *client, int64_t id, ctn_str reason);

/* True when the server said that its tools changed, or its list is older than it said it may be. */
bool ctn_mcp_client_is_stale(const ctn_mcp_client *client);
void ctn_mcp_client_relist(ctn_mcp_client *client); /* `ready` or `relist_failed` follows, perhaps at once */
int64_t ctn_mcp_client_listed_at_ms(const ctn_mcp_client *client);
ctn_str ctn_mcp_client_version(const ctn_mcp_client *client); /* empty: not known yet */
uint64_t ctn_mcp_client_strays(const ctn_mcp_client *client);
