/*
 * client.h -- the driver of MCP tools as a program that does one thing after the other: what the scenarios of the
 * conformance suite ask a client to do.
 *
 * Each function runs the loop until it is done. What cannot be done is said on stderr and ends the program with 1.
 */
#pragma once
#include "drivers/mcp/mcp.h"

typedef struct client {
    ctn_loop *loop;
    ctn_spawner *spawner;
    ctn_http *http;
    ctn_mcp_driver *driver;
    ctn_arena *arena;
    const char *url;
    const ctn_json *context; /* MCP_CONFORMANCE_CONTEXT; NULL: there is none */
    const ctn_auth_ask *ask; /* who gives leave; NULL: nobody */
    const char *version;     /* MCP_CONFORMANCE_PROTOCOL_VERSION; "" : not said */
    /* of what is waited for */
    bool is_done;
    ctn_call_result result; /* copied */
    uint64_t token;
} client;

typedef struct scenario {
    const char *name; /* one that ends in '/' is a family */
    void (*play)(client *c);
} scenario;

/* Connects with these words about the server (its name and URL are filled in) and lists its tools. */
void client_connect(client *c, ctn_mcp_server_config config);
/* The same, and false when that cannot be: c->result.message says why. */
bool client_try_connect(client *c, ctn_mcp_server_config config);
const ctn_mcp_tool *client_tools(client *c, size_t *ret_count);
/* A tool is called; every form that it asks to be filled in is accepted with `content`. A failure is a result too. */
const ctn_call_result *client_call(client *c, ctn_str tool, const ctn_json *arguments, const ctn_json *content);
/* Any other request; its result, or NULL. */
const ctn_json *client_ask(client *c, const char *method, ctn_str name, const ctn_json *params);
void client_run(client *c); /* the loop, until is_done or 20 s are over */
void client_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

void client_play_leave(client *c); /* scenarios_auth.c */
void client_play_credentials(client *c);

extern const scenario client_scenarios[]; /* ended by a name that is NULL */
