/* lint.c -- see lint.h. */
#include "check/lint.h"

bool ctn_lint_step_allows(const ctn_chain *chain, const ctn_chain_step *step, const char *rule)
{
    return ctn_json_member_of(step->lint_allow, rule) || ctn_source_allows_at(chain->source, step->node, rule);
}

void ctn_lint_warn(const ctn_lint *lint, const ctn_chain_step *step, const ctn_json *node, const char *rule,
                   const char *format, ...)
{
    const ctn_chain *chain = lint->graph->chain;
    if (step && ctn_lint_step_allows(chain, step, rule))
        return;
    va_list args;
    va_start(args, format);
    ctn_str sentence = ctn_arena_vprintf(lint->graph->arena, format, args);
    va_end(args);
    ctn_source_warning(chain->source, node, lint->findings, rule, "%.*s", CTN_STR_ARG(sentence));
}
