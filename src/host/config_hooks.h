/*
 * config_hooks.h -- `hooks` of a configuration: requests of others that start a chain, and how they prove who they are.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_hook_table, ctn_config_hook_id_table;

/* node: the value of the key; NULL: not said. Faults become findings of the reader. */
void ctn_config_hooks_read(ctn_reader *r, const ctn_json *node, ctn_config *config);
