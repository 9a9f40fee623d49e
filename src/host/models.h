/*
 * models.h -- what is asked of the configured language models: are they there, can they be paid for, who are we to
 * them.
 */
#pragma once
#include "chain/plan.h"
#include "host/config.h"

/* Every model that the plan's prompts name is configured (CTN_E_NOT_FOUND), and has a price if the chain has a budget
 * of money (CTN_E_INVALID): what nobody can reckon cannot be held to a sum. */
int ctn_models_check(const ctn_config *config, ctn_arena *arena, const ctn_plan *plan, ctn_err *err);
/* The headers of a request: the key, read now, and those that the configuration names. *ret_key: the key alone, to be
 * hidden; empty: the model has none. A failure's sentence tells where the key was looked for. */
int ctn_model_headers(const ctn_config *config, const ctn_prompt_model *model, ctn_arena *arena,
                      const ctn_http_header **ret_headers, size_t *ret_count, ctn_str *ret_key, ctn_err *err);
