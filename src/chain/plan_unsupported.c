/*
 * plan_unsupported.c -- the list that gets shorter with every version.
 */
#include "chain/plan_internal.h"

static const char *set_feature(const ctn_instruction_set *set)
{
    if (!ctn_work_kind_runs(set->work.kind))
        return ctn_work_kind_name(set->work.kind);
    for (uint32_t i = 0; i < set->call_count; i++)
        if (!ctn_work_kind_runs(set->calls[i].kind))
            return ctn_work_kind_name(set->calls[i].kind);
    return NULL;
}

static bool is_waiting(const ctn_instruction_set *set)
{
    return !ctn_work_kind_is_call(set->work.kind) && set->work.kind != CTN_WORK_CALLS;
}

ctn_str ctn_plan_find_unsupported(const ctn_graph *graph)
{
    for (uint32_t i = 0; i < graph->step_count; i++) {
        const ctn_graph_step *step = &graph->steps[i];
        for (uint32_t k = 0; k < 2 + step->step->fallback_count; k++) {
            const ctn_instruction_set *set = k == 0 ? step->set : k == 1 ? step->undo : step->fallbacks[k - 2];
            const char *feature = set ? set_feature(set) : NULL;
            if (feature)
                return ctn_arena_printf(graph->arena,
                                        "step '%.*s' uses the instruction set '%.*s' with '%s', which this version "
                                        "checks but does not run yet",
                                        CTN_STR_ARG(step->step->name), CTN_STR_ARG(set->name), feature);
        }
        if (step->undo && is_waiting(step->undo))
            return ctn_arena_printf(
                graph->arena,
                "step '%.*s' is undone by '%.*s', which waits; an undo that waits is not run by this "
                "version",
                CTN_STR_ARG(step->step->name), CTN_STR_ARG(step->undo->name));
    }
    return CTN_STR("");
}
