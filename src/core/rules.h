/*
 * rules.h -- the rules of `check` by name (chain language, section 10).
 */
#pragma once
#include "core/finding.h"

extern const ctn_str ctn_rule_names[];
extern const size_t ctn_rule_count;
bool ctn_rule_is_known(ctn_str name);
