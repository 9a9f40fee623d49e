/*
 * rules.h -- the rules of `check` by name (chain language, section 10).
 */
#pragma once
#include "chain/finding.h"

extern const ctn_str ctn_rule_names[];
extern const size_t ctn_rule_count;
bool ctn_rule_is_known(ctn_str name);

typedef struct ctn_rule_about {
    const char *name;
    ctn_severity severity;
    const char *summary; /* when it is told */
    const char *mend;    /* what to do about it */
} ctn_rule_about;
/* One a rule, in the order of the names. */
extern const ctn_rule_about ctn_rule_abouts[];
/* NULL: there is no such rule. */
const ctn_rule_about *ctn_rule_about_of(ctn_str name);
