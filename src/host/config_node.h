/*
 * config_node.h -- `node` of a configuration: what this process is called in a fleet, and what it is good for.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_node_table;

/* node: the value of the key; NULL: not said. Faults become findings of the reader. */
void ctn_config_node_read(ctn_reader *r, const ctn_json *node, ctn_config *config);
/* A name that a node may have: letters, digits, '.', '_' and '-', at most 64. */
bool ctn_node_name_is_good(ctn_str name);
