/*
 * config_http.h -- `http` of a configuration: where others reach us, and who may.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_http_table, ctn_config_tls_table, ctn_config_token_table;

/* node: the value of the key; NULL: not said. Faults become findings of the reader. */
void ctn_config_check_roles(ctn_reader *r, const ctn_json *roles); /* NULL: none */
void ctn_config_http_read(ctn_reader *r, const ctn_json *node, ctn_config *config);
