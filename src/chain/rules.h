/*
 * rules.h -- the rules of `check` (chain language, section 10): a row each in rules.c. A finding in a chain is one of a
 * rule.
 */
#pragma once
#include "chain/finding.h"

typedef struct ctn_rule {
    const char *name;
    ctn_severity severity; /* an error's may be told as a warning where it is not certain */
    const char *summary;   /* when it is told */
    const char *mend;      /* what to do about it */
} ctn_rule;

/* Errors first, then warnings. */
extern const ctn_rule ctn_rule_table[];
extern const size_t ctn_rule_count;
/* NULL: there is no such rule. */
const ctn_rule *ctn_rule_find(ctn_str name);
/* Advice on a name that no rule has: as ctn_suggest. */
ctn_str ctn_rule_suggest(ctn_arena *arena, ctn_str name);
