/* options.c -- see options.h. */
#include "check/options.h"

static ctn_effect work_effect(const ctn_work *work, const ctn_check_options *options, bool *ret_is_assumed)
{
    ctn_effect effect = ctn_work_effect(work);
    if (effect == CTN_EFFECT_UNKNOWN && options && options->effect)
        effect = options->effect(options->effect_ctx, ctn_work_kind_name(work->kind), ctn_json_text(work->detail));
    *ret_is_assumed = effect == CTN_EFFECT_UNKNOWN;
    return *ret_is_assumed ? CTN_EFFECT_WRITE : effect;
}

ctn_effect ctn_check_effect(const ctn_instruction_set *set, const ctn_check_options *options, bool *ret_is_assumed)
{
    bool is_assumed = false;
    ctn_effect effect = set->effect;
    if (effect == CTN_EFFECT_UNKNOWN && set->work.kind != CTN_WORK_CALLS)
        effect = work_effect(&set->work, options, &is_assumed);
    else if (effect == CTN_EFFECT_UNKNOWN) {
        effect = CTN_EFFECT_NONE;
        bool is_known_write = false; /* one call that is known to write settles it */
        for (uint32_t i = 0; i < set->call_count; i++) {
            bool call_is_assumed;
            ctn_effect call = work_effect(&set->calls[i], options, &call_is_assumed);
            effect = call > effect ? call : effect;
            is_assumed |= call_is_assumed;
            is_known_write |= call == CTN_EFFECT_WRITE && !call_is_assumed;
        }
        is_assumed &= !is_known_write;
    }
    if (ret_is_assumed)
        *ret_is_assumed = is_assumed && effect == CTN_EFFECT_WRITE;
    return effect;
}

bool ctn_check_ask_tool(const ctn_check_options *options, ctn_str target, ctn_check_tool *ret_tool)
{
    return options && options->tool && options->tool(options->tool_ctx, target, ret_tool);
}
