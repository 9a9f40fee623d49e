/*
 * config_servers.h -- the servers of a configuration: its own, and those of the mcpServers file of desktop clients.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_server_table;

/* servers, mcp_config: the values of these keys; NULL: not said. Faults become findings of the reader. */
void ctn_config_servers_read(ctn_reader *r, const ctn_json *servers, const ctn_json *mcp_config, ctn_config *config);
