/*
 * config_tenants.h -- `tenants` of a configuration: what each may have of the engine.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_tenant_table;

/* node: the value of the key; NULL: not said. Faults become findings of the reader. */
void ctn_config_tenants_read(ctn_reader *r, const ctn_json *node, ctn_config *config);
