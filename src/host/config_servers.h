/*
 * config_servers.h -- the servers of a configuration: its own, and those of the mcpServers file of desktop clients.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_server_table;

/* servers, mcp_config: the values of these keys; NULL: not said. Faults become findings of the reader. */
void ctn_config_servers_read(ctn_reader *r, const ctn_json *servers, const ctn_json *mcp_config, ctn_config *config);

/* NULL: there is none of that name. */
const ctn_config_server *ctn_config_server_of(const ctn_config *config, ctn_str name);
/* "did you mean ...?", for a server that is not there. */
ctn_str ctn_config_suggest_server(const ctn_config *config, ctn_arena *arena, ctn_str name);
/* The operator's word, for `check`. ctx is the configuration. */
ctn_effect ctn_config_effect(void *ctx, const char *kind, ctn_str target);
/* Why it cannot be started, whatever is tried; NULL: it can. */
const char *ctn_config_server_refusal(const ctn_config_server *server, ctn_arena *arena);
