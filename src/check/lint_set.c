/*
 * lint_set.c -- warnings about an instruction set by itself, whoever uses it. Steps are told the same of the sets that
 * they use: lint_steps.c, lint_sensitive.c.
 */
#include "check/lint.h"
#include "check/outgoing.h"
#include "value/path.h"

static void lint_assumed(const ctn_instruction_set *set, const ctn_check_options *options, ctn_findings *findings)
{
    bool is_assumed = false;
    ctn_check_effect(set, options, &is_assumed);
    if (is_assumed)
        ctn_source_warning(
            set->source, set->name_node, findings, "assumed-effect",
            "nobody said what '%.*s' does to the world, so it is taken for a write; say 'effect: none', 'read', "
            "'idempotent' or 'write'",
            CTN_STR_ARG(set->name));
}

static bool is_used_by(const ctn_chain_step *step, ctn_str set)
{
    bool is_used = ctn_str_equal(ctn_json_text(step->instruction_set), set) ||
                   ctn_str_equal(ctn_json_text(step->rollback_action), set);
    for (uint32_t f = 0; f < step->fallback_count; f++)
        is_used |= ctn_str_equal(ctn_json_text(step->fallbacks[f].instruction_set), set);
    return is_used;
}

/* Some step uses the set and does not release the secret; or nobody uses the set. */
static bool is_unreleased_somewhere(const ctn_library *library, ctn_str set, ctn_str secret)
{
    bool is_used = false;
    for (size_t c = 0; c < ctn_library_chain_count(library); c++) {
        const ctn_chain *chain = ctn_library_chain_at(library, c);
        for (uint32_t s = 0; s < chain->step_count; s++) {
            if (!is_used_by(&chain->steps[s], set))
                continue;
            is_used = true;
            if (!ctn_outgoing_is_released(chain->steps[s].release, secret))
                return true;
        }
    }
    return !is_used;
}

/* One finding for each text. */
static void lint_secrets(const ctn_library *library, const ctn_instruction_set *set, const ctn_check_options *options,
                         ctn_findings *findings)
{
    ctn_arena *scratch = ctn_arena_new(4096);
    const ctn_json *told = NULL;
    for (const ctn_outgoing *out = ctn_outgoing_of(set, options, scratch); out; out = out->next) {
        if (!ctn_str_is(out->read.root, "secret") || out->read.node == told)
            continue;
        told = out->read.node;
        if (is_unreleased_somewhere(library, set->name, out->read.path))
            ctn_source_warning(
                set->source, out->read.node, findings, "sensitive-flow",
                "'%.*s' reaches %s; a header is a better place for a secret, or the steps that use '%.*s' name it in "
                "'release'",
                CTN_STR_ARG(out->read.path), out->where, CTN_STR_ARG(set->name));
    }
    ctn_arena_free(scratch);
}

/* Of this set alone: a step that uses it is not run before it is mended, and need not be told again. */
static void check_names_of_secrets(const ctn_instruction_set *set, const ctn_check_options *options,
                                   ctn_findings *findings)
{
    ctn_arena *scratch = ctn_arena_new(4096);
    ctn_reads reads = {0};
    if (options && options->secret)
        ctn_instruction_set_reads(set, scratch, &reads);
    for (size_t i = 0; i < reads.count; i++) {
        ctn_err err = {0};
        if (ctn_str_is(reads.items[i].root, "secret") &&
            options->secret(options->secret_ctx, scratch, ctn_read_member(scratch, &reads.items[i]), &err))
            ctn_source_error(set->source, reads.items[i].node, findings, "unknown-secret", "%s", err.message);
    }
    ctn_arena_free(scratch);
}

static void lint_model(const ctn_instruction_set *set, const ctn_work *work, const ctn_check_options *options,
                       ctn_findings *findings)
{
    const ctn_json *said = ctn_json_member_of(work->detail, "model");
    ctn_str name = said ? ctn_json_text(said) : CTN_STR(CTN_PROMPT_MODEL_DEFAULT), advice = {0};
    if (work->kind != CTN_WORK_PROMPT || !options || !options->has_model)
        return;
    ctn_arena *scratch = ctn_arena_new(1024);
    if (!options->has_model(options->has_model_ctx, scratch, name, &advice))
        ctn_source_warning(set->source, said ? said : work->detail, findings, "unknown-model",
                           "`models` of the configuration has no '%.*s'; %.*s", CTN_STR_ARG(name), CTN_STR_ARG(advice));
    ctn_arena_free(scratch);
}

void ctn_lint_set(const ctn_library *library, const ctn_instruction_set *set, const ctn_check_options *options,
                  ctn_findings *findings)
{
    lint_assumed(set, options, findings);
    lint_secrets(library, set, options, findings);
    check_names_of_secrets(set, options, findings);
    lint_model(set, &set->work, options, findings);
    for (uint32_t i = 0; i < set->call_count; i++)
        lint_model(set, &set->calls[i], options, findings);
}
