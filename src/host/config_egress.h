/*
 * config_egress.h -- `egress` of a configuration: which hosts `http` calls of chains may reach, and how.
 *
 * Authors write the hosts down, operators say which are allowed: without a word every public host over https, and
 * nothing of this machine or a private network.
 */
#pragma once
#include "host/config.h"
#include "http/http.h"

extern const ctn_key_table ctn_config_egress_table;

/* node: the value of the key; NULL: not said. Faults become findings of the reader. */
void ctn_config_egress_read(ctn_reader *r, const ctn_json *node, ctn_config *config);
/* As the http driver asks it (drivers/web/web.h); config: a ctn_config. */
int ctn_config_egress_policy(void *config, ctn_str host, ctn_http_policy *ret_policy, ctn_err *err);
