/* rules.c -- the table of section 10, names only: errors first, then warnings. */
#include "chain/rules.h"

#define RULE(name)                                                                                                     \
    {                                                                                                                  \
        name, sizeof(name) - 1                                                                                         \
    }
const ctn_str ctn_rule_names[] = {
    RULE("syntax"),
    RULE("duplicate-key"),
    RULE("unknown-key"),
    RULE("type"),
    RULE("bad-template"),
    RULE("bad-expression"),
    RULE("bad-schema"),
    RULE("bad-cron"),
    RULE("reserved-name"),
    RULE("duplicate-step"),
    RULE("unknown-set"),
    RULE("unknown-step"),
    RULE("unknown-template"),
    RULE("unknown-tool"),
    RULE("unknown-chain"),
    RULE("cycle"),
    RULE("write-race"),
    RULE("undefined-variable"),
    RULE("missing-argument"),
    RULE("schema-mismatch"),
    RULE("maybe-undefined"),
    RULE("self-condition"),
    RULE("unreachable"),
    RULE("never-runs"),
    RULE("unused-output"),
    RULE("missing-undo"),
    RULE("unrenderable-undo"),
    RULE("idle-undo"),
    RULE("assumed-effect"),
    RULE("unsafe-retry"),
    RULE("sensitive-flow"),
    RULE("timeout-fit"),
};
const size_t ctn_rule_count = sizeof ctn_rule_names / sizeof ctn_rule_names[0];

bool ctn_rule_is_known(ctn_str name)
{
    for (size_t i = 0; i < ctn_rule_count; i++)
        if (ctn_str_equal(name, ctn_rule_names[i]))
            return true;
    return false;
}
