/*
 * chain_kit.h -- what tests of chains, plans and checks share: a library made of texts, and findings as text.
 */
#pragma once
#include "chain/plan.h"
#include "check/check.h"

typedef struct chain_kit {
    ctn_arena *arena;
    ctn_library *library;
    ctn_findings findings;
    const ctn_chain *chain; /* of the text that was added last and had one */
} chain_kit;

void chain_kit_init(chain_kit *kit);
void chain_kit_done(chain_kit *kit);
/* Text of a YAML file "name"; the findings gather. */
void chain_kit_add(chain_kit *kit, const char *name, const char *text);
/* From the repo root; false when it is not there. */
bool chain_kit_add_file(chain_kit *kit, const char *path);
/* "3:7 unknown-key: sentence\n..." sorted by place; without sets' findings when file is given. */
ctn_str chain_kit_findings(chain_kit *kit, const char *file);
/* Fails the test with the findings when the chain does not compile. */
ctn_plan *chain_kit_compile(chain_kit *kit);
/* Fails the test unless one finding is at line:column with that rule and holds the fragment. */
void chain_kit_expect(chain_kit *kit, uint32_t line, uint32_t column, const char *rule, const char *fragment);
bool chain_kit_has_rule(chain_kit *kit, const char *rule);
void chain_kit_check(chain_kit *kit, const ctn_check_options *options);
