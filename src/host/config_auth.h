/*
 * config_auth.h -- `auth` of a server over HTTP: who we are to it.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_auth_table;

/* NULL after a fault. */
const ctn_auth_config *ctn_config_auth_read(ctn_reader *r, const ctn_json *value, const ctn_config *config);
