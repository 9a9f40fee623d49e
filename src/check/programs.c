/* programs.c -- see programs.h. */
#include "check/programs.h"

typedef struct verdict {
    const ctn_instruction_set *set;
    const ctn_json *node; /* the program at fault; NULL: none is */
    ctn_str message;
    struct verdict *next;
} verdict;

struct ctn_programs {
    ctn_arena *arena;
    const ctn_library *library;
    const ctn_check_options *options;
    ctn_findings *findings;
    verdict *verdicts;
};

ctn_programs *ctn_programs_new(ctn_arena *arena, const ctn_library *library, const ctn_check_options *options,
                               ctn_findings *findings)
{
    ctn_programs *p = CTN_NEW(arena, ctn_programs);
    *p = (ctn_programs){.arena = arena, .library = library, .options = options, .findings = findings};
    return p;
}

static void compile(ctn_programs *p, const ctn_work *work, verdict *v)
{
    ctn_err err = {0};
    if (v->node || work->kind != CTN_WORK_TRANSFORM || !p->options || !p->options->compile)
        return;
    if (p->options->compile(p->options->compile_ctx, ctn_json_text(work->detail), &err) != CTN_E_INVALID)
        return;
    v->node = work->detail;
    v->message = ctn_arena_printf(p->arena, "'transform' is no good jq: %s", err.message);
}

static const verdict *verdict_on(ctn_programs *p, const ctn_instruction_set *set)
{
    for (const verdict *v = p->verdicts; v; v = v->next)
        if (v->set == set)
            return v;
    verdict *v = CTN_NEW(p->arena, verdict);
    *v = (verdict){.set = set, .next = p->verdicts};
    p->verdicts = v;
    if (set->fault_count == 0) {
        compile(p, &set->work, v);
        for (uint32_t i = 0; i < set->call_count; i++)
            compile(p, &set->calls[i], v);
    }
    return v;
}

bool ctn_programs_check_set(ctn_programs *p, const ctn_instruction_set *set)
{
    const verdict *v = verdict_on(p, set);
    if (v->node)
        ctn_source_error(set->source, v->node, p->findings, "bad-expression", "%.*s", CTN_STR_ARG(v->message));
    return !v->node;
}

static bool check_use(ctn_programs *p, const ctn_chain *chain, const ctn_json *name)
{
    const ctn_instruction_set *set = name ? ctn_library_set(p->library, ctn_json_text(name)) : NULL;
    const verdict *v = set ? verdict_on(p, set) : NULL;
    if (!v || !v->node)
        return true;
    ctn_position at = ctn_source_position(set->source, v->node);
    ctn_source_error(chain->source, name, p->findings, "bad-expression",
                     "instruction set '%.*s' has a fault: %.*s:%u:%u: %.*s", CTN_STR_ARG(set->name),
                     CTN_STR_ARG(ctn_source_file_name(set->source)), at.line, at.column, CTN_STR_ARG(v->message));
    return false;
}

bool ctn_programs_check_chain(ctn_programs *p, const ctn_chain *chain)
{
    bool is_good = true;
    for (uint32_t i = 0; i < chain->step_count; i++) {
        const ctn_chain_step *step = &chain->steps[i];
        is_good &= check_use(p, chain, step->instruction_set);
        is_good &= check_use(p, chain, step->rollback_action);
        for (uint32_t k = 0; k < step->fallback_count; k++)
            is_good &= check_use(p, chain, step->fallbacks[k].instruction_set);
    }
    return is_good;
}
