/*
 * check_transform.c -- each set's programs are compiled once, however many steps use the set.
 */
#include "check/check_transform.h"

typedef struct verdict {
    const ctn_instruction_set *set;
    const ctn_json *node; /* the program at fault; NULL: none is */
    ctn_str message;
    struct verdict *next;
} verdict;

typedef struct checking {
    const ctn_check_options *options;
    ctn_findings *findings;
    ctn_arena *scratch;
    verdict *verdicts;
} checking;

static void compile(checking *c, const ctn_work *work, verdict *v)
{
    ctn_err err = {0};
    if (v->node || work->kind != CTN_WORK_TRANSFORM)
        return;
    if (c->options->compile(c->options->compile_ctx, ctn_json_text(work->detail), &err) != CTN_E_INVALID)
        return;
    v->node = work->detail;
    v->message = ctn_arena_printf(c->scratch, "'transform' is no good jq: %s", err.message);
}

static const verdict *verdict_on(checking *c, const ctn_instruction_set *set)
{
    for (const verdict *v = c->verdicts; v; v = v->next)
        if (v->set == set)
            return v;
    verdict *v = CTN_NEW(c->scratch, verdict);
    *v = (verdict){.set = set, .next = c->verdicts};
    c->verdicts = v;
    if (set->fault_count == 0) {
        compile(c, &set->work, v);
        for (uint32_t i = 0; i < set->call_count; i++)
            compile(c, &set->calls[i], v);
    }
    return v;
}

static void tell(checking *c, const ctn_source *source, const ctn_json *node, ctn_str message)
{
    ctn_source_error(source, node, c->findings, "bad-expression", "%.*s", CTN_STR_ARG(message));
}

static bool check_set(checking *c, const ctn_instruction_set *set)
{
    const verdict *v = verdict_on(c, set);
    if (v->node)
        tell(c, set->source, v->node, v->message);
    return !v->node;
}

static bool check_use(checking *c, const ctn_library *library, const ctn_chain *chain, const ctn_json *name)
{
    const ctn_instruction_set *set = name ? ctn_library_set(library, ctn_json_text(name)) : NULL;
    const verdict *v = set ? verdict_on(c, set) : NULL;
    if (!v || !v->node)
        return true;
    ctn_position at = ctn_source_position(set->source, v->node);
    ctn_str file = ctn_source_file_name(set->source);
    tell(c, chain->source, name,
         ctn_arena_printf(c->scratch, "instruction set '%.*s' has a fault: %.*s:%u:%u: %.*s", CTN_STR_ARG(set->name),
                          CTN_STR_ARG(file), at.line, at.column, CTN_STR_ARG(v->message)));
    return false;
}

static bool check_chain(checking *c, const ctn_library *library, const ctn_chain *chain)
{
    bool is_good = true;
    for (uint32_t i = 0; i < chain->step_count; i++) {
        const ctn_chain_step *step = &chain->steps[i];
        is_good &= check_use(c, library, chain, step->instruction_set);
        is_good &= check_use(c, library, chain, step->rollback_action);
        for (uint32_t k = 0; k < step->fallback_count; k++)
            is_good &= check_use(c, library, chain, step->fallbacks[k].instruction_set);
    }
    return is_good;
}

int ctn_check_transforms(const ctn_library *library, const ctn_source *source, const ctn_check_options *options,
                         ctn_findings *findings)
{
    if (!options || !options->compile)
        return CTN_OK;
    checking c = {.options = options, .findings = findings, .scratch = ctn_arena_new(4096)};
    bool is_good = true;
    for (size_t i = 0; i < ctn_library_entry_count(library); i++) {
        ctn_library_entry entry = ctn_library_entry_at(library, i);
        if (source && entry.source != source)
            continue;
        if (entry.set)
            is_good &= check_set(&c, entry.set);
        if (entry.chain && entry.chain->fault_count == 0)
            is_good &= check_chain(&c, library, entry.chain);
    }
    ctn_arena_free(c.scratch);
    return is_good ? CTN_OK : CTN_E_INVALID;
}
