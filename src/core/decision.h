/*
 * decision.h -- when a step runs, as far as its condition tells without being evaluated: to see that two
 * conditions are the same decision, or exact opposites. Internal to core.
 */
#pragma once
#include "core/keys.h"

struct expression_node;
typedef struct ctn_decision {
    bool is_always;                     /* no condition, or one that never skips (a gate) */
    const struct expression_node *node; /* it runs exactly when this is true ... */
    bool is_negated;                    /* ... or not true */
} ctn_decision;

ctn_decision ctn_decision_of(const ctn_expression *condition); /* NULL: no condition */
/* Over unchanged variables both go the same way (or, the opposite way). False when that is not plain to see. */
bool ctn_decision_is_same(const ctn_decision *a, const ctn_decision *b);
bool ctn_decision_is_opposite(const ctn_decision *a, const ctn_decision *b);
