/*
 * client_internal.h -- what the files of one conversation share: its state, writing, failing.
 *
 * mcp/client.c has the essay; mcp/client_handshake.c finds the revision, mcp/client_list.c the tools.
 */
#pragma once
#include "drivers/mcp/client.h"
#include "drivers/token_map.h"

typedef enum ctn_mcp_client_state {
    CTN_MCP_CLIENT_IDLE,
    CTN_MCP_CLIENT_PROBING,
    CTN_MCP_CLIENT_INITIALIZING,
    CTN_MCP_CLIENT_LISTING,
    CTN_MCP_CLIENT_READY,
    CTN_MCP_CLIENT_FAILED,
} ctn_mcp_client_state;

struct ctn_mcp_client {
    ctn_mcp_client_options options;
    ctn_mcp_client_state state;
    char version[16]; /* the revision spoken; while PROBING the one we claim */
    ctn_mcp_speaker self;
    int64_t next_id;
    int64_t discover_id, initialize_id, list_id; /* 0: not asked, or answered */
    int version_tries;
    bool is_recalled;   /* the revision was known from an earlier conversation, and is not confirmed yet */
    bool is_guess;      /* LISTING: the server does not know server/discover, and may be legacy after all */
    ctn_timer *silence; /* of the probe; of a relist; of a new handshake */
    /* listing; also while READY, when the tools are listed again */
    ctn_mcp_tool_table *listing; /* NULL: not listing */
    size_t pages;
    bool has_restarted_list;
    bool is_changed;
    int64_t listed_at_ms, ttl_ms;
    /* listening to changes */
    bool tells_changes;   /* the server declared that it does, and has not refused */
    int64_t listen_id;    /* 0: not listening */
    unsigned listen_ends; /* since something was heard */
    int64_t listened_at_ms;
    ctn_timer *listen_timer;
    ctn_token_map calls; /* id -> the owner's call */
    ctn_arena *incoming; /* the message at hand */
    ctn_arena *outgoing;
    ctn_buf out;
    uint64_t strays;        /* in all */
    uint64_t strays_in_row; /* since the last good answer */
};

/* ---- mcp/client.c ---- */

void ctn_mcp_client_fail(ctn_mcp_client *client, ctn_mcp_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Sends what was put into `out`; the letter says of what kind it is. */
bool ctn_mcp_client_flush(ctn_mcp_client *client, ctn_mcp_letter letter);
/* ... and the conversation fails when that cannot be. */
void ctn_mcp_client_flush_or_fail(ctn_mcp_client *client, ctn_mcp_letter letter, const char *what);
void ctn_mcp_client_set_limit(ctn_mcp_client *client, int64_t span_ms); /* of silence */

/* ---- mcp/client_handshake.c ---- */

void ctn_mcp_handshake_begin(ctn_mcp_client *client);
void ctn_mcp_handshake_renew(ctn_mcp_client *client);   /* the session is gone, the revision is not */
void ctn_mcp_handshake_anew(ctn_mcp_client *client);    /* the server speaks what it did no more */
void ctn_mcp_handshake_silence(ctn_mcp_client *client); /* the probe's limit is over */
void ctn_mcp_handshake_discovered(ctn_mcp_client *client, const ctn_rpc_message *m, int status);
void ctn_mcp_handshake_initialized(ctn_mcp_client *client, const ctn_rpc_message *m, int status);
/* The probe, initialize, or the first list of a guess has no answer. */
void ctn_mcp_handshake_discover_lost(ctn_mcp_client *client, const ctn_mcp_loss *loss);
void ctn_mcp_handshake_initialize_lost(ctn_mcp_client *client, const ctn_mcp_loss *loss);
void ctn_mcp_handshake_fall_back(ctn_mcp_client *client); /* to initialize */

/* ---- mcp/client_list.c ---- */

void ctn_mcp_list_begin(ctn_mcp_client *client);
void ctn_mcp_list_answered(ctn_mcp_client *client, const ctn_rpc_message *m);
/* What a request that was lost says of the whole conversation. */
ctn_mcp_fault ctn_mcp_fault_of(const ctn_mcp_loss *loss);
void ctn_mcp_list_failed(ctn_mcp_client *client, ctn_mcp_fault fault, const char *why);

/* ---- mcp/client_listen.c ---- */

void ctn_mcp_listen_declared(ctn_mcp_client *client, const ctn_json *discovery);
void ctn_mcp_listen_begin(ctn_mcp_client *client); /* if there is something to listen to, and nobody does */
void ctn_mcp_listen_again(void *ctx);              /* the timer's */
void ctn_mcp_listen_ended(ctn_mcp_client *client, bool is_refused);
