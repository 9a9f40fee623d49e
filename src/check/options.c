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

/* ---- of a chain ---- */

typedef struct chain_effect {
    const ctn_library *library;
    const ctn_check_options *options;
    ctn_arena *arena;
    ctn_names seen; /* chains: each is looked at once, however often it is called */
    ctn_effect effect;
    bool is_assumed;
    const ctn_chain_step *step; /* of the first chain */
} chain_effect;

static void add_chain(chain_effect *all, const ctn_chain *chain, const ctn_chain_step *caller);

/* A known write outweighs an assumed one. */
static void add_effect(chain_effect *all, ctn_effect effect, bool is_assumed, const ctn_chain_step *step)
{
    if (effect < all->effect || (effect == all->effect && (is_assumed || !all->is_assumed)))
        return;
    all->effect = effect;
    all->is_assumed = is_assumed;
    all->step = step;
}

static void add_set(chain_effect *all, const ctn_json *name, const ctn_chain_step *step)
{
    const ctn_instruction_set *set = name ? ctn_library_set(all->library, ctn_json_text(name)) : NULL;
    if (!set || set->work.kind != CTN_WORK_CHAIN) {
        bool is_assumed = !set;
        ctn_effect effect = set ? ctn_check_effect(set, all->options, &is_assumed) : CTN_EFFECT_WRITE;
        if (name)
            add_effect(all, effect, is_assumed, step);
        return;
    }
    const ctn_chain *chain = ctn_library_chain(all->library, ctn_json_text(set->work.detail));
    if (chain)
        add_chain(all, chain, step);
    else
        add_effect(all, CTN_EFFECT_WRITE, true, step);
}

static void add_chain(chain_effect *all, const ctn_chain *chain, const ctn_chain_step *caller)
{
    uint32_t known = all->seen.count;
    if (ctn_names_add(&all->seen, chain->id) != known)
        return;
    for (uint32_t i = 0; i < chain->step_count; i++) {
        const ctn_chain_step *step = &chain->steps[i];
        const ctn_chain_step *told = caller ? caller : step;
        add_set(all, step->instruction_set, told);
        for (uint32_t k = 0; k < step->fallback_count; k++)
            add_set(all, step->fallbacks[k].instruction_set, told);
    }
}

ctn_effect ctn_check_chain_effect(const ctn_library *library, const ctn_chain *chain, const ctn_check_options *options,
                                  bool *ret_is_assumed, const ctn_chain_step **ret_step)
{
    chain_effect all = {
        .library = library, .options = options, .arena = ctn_arena_new(4096), .effect = CTN_EFFECT_NONE};
    ctn_names_init(&all.seen, all.arena);
    add_chain(&all, chain, NULL);
    ctn_arena_free(all.arena);
    if (ret_is_assumed)
        *ret_is_assumed = all.is_assumed;
    if (ret_step)
        *ret_step = all.effect == CTN_EFFECT_NONE ? NULL : all.step;
    return all.effect;
}
