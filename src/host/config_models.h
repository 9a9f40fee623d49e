/*
 * config_models.h -- the language models of a configuration, and what those cost that many use.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_model_table, ctn_config_price_table;

/* node: the value of `models`; NULL: not said. Faults become findings of the reader. */
void ctn_config_models_read(ctn_reader *r, const ctn_json *node, ctn_config *config);

/* NULL: there is none of that name. */
const ctn_config_model *ctn_config_model_of(const ctn_config *config, ctn_str name);
/* For `check`; ctx is the configuration. */
bool ctn_config_has_model(void *ctx, ctn_arena *arena, ctn_str name, ctn_str *ret_advice);
/* "did you mean ...?", for a model that is not there. */
ctn_str ctn_config_suggest_model(const ctn_config *config, ctn_arena *arena, ctn_str name);
