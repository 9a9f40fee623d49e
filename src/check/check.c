/*
 * check.c -- each chain and each set that was asked about, once.
 */
#include "check/check.h"
#include "chain/flow.h"
#include "check/check_transform.h"
#include "check/lint_paths.h"
#include "check/schema_flow.h"
#include <stdio.h>

static ctn_effect work_effect(const ctn_work *work, const ctn_check_options *options, bool *ret_is_assumed)
{
    bool is_asked = work->kind == CTN_WORK_TOOL || work->kind == CTN_WORK_NATIVE;
    ctn_effect said = CTN_EFFECT_UNKNOWN;
    if (is_asked && options && options->effect)
        said = options->effect(options->effect_ctx, ctn_work_kind_name(work->kind), ctn_json_text(work->detail));
    *ret_is_assumed = said == CTN_EFFECT_UNKNOWN && (is_asked || work->kind == CTN_WORK_COMMAND);
    return said == CTN_EFFECT_UNKNOWN ? ctn_work_assumed_effect(work) : said;
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

static void check_set(const ctn_library *library, ctn_findings *findings, const ctn_instruction_set *set,
                      const ctn_check_options *options)
{
    bool is_assumed = false;
    if (set->fault_count)
        return;
    ctn_lint_set_secrets(library, set, options, findings);
    ctn_check_effect(set, options, &is_assumed);
    if (!is_assumed)
        return;
    ctn_source_warning(
        set->source, set->name_node, findings, "assumed-effect",
        "nobody said what '%.*s' does to the world, so it is taken for a write; say 'effect: none', 'read', "
        "'idempotent' or 'write'",
        CTN_STR_ARG(set->name));
}

/* A set that hands its work to a chain that is not there, and seems mistyped: it may be kept elsewhere otherwise. The
 * steps that use it are told by the graph. */
static bool has_its_chain(const ctn_library *library, ctn_findings *findings, const ctn_instruction_set *set)
{
    ctn_str id = ctn_json_text(set->work.detail);
    ctn_str near = set->work.kind == CTN_WORK_CHAIN ? ctn_library_nearest_chain(library, id) : (ctn_str){0};
    if (!near.len)
        return true;
    ctn_source_error(set->source, set->work.detail, findings, "unknown-chain",
                     "there is no chain '%.*s'; did you mean '%.*s'?", CTN_STR_ARG(id), CTN_STR_ARG(near));
    return false;
}

/* What the chain says of the world around it: the chain that is started when it fails, and its time zone. */
static bool check_chain_names(const ctn_chain *chain, const ctn_library *library, const ctn_check_options *options,
                              ctn_findings *findings)
{
    size_t errors_before = findings->error_count;
    ctn_str near = ctn_library_nearest_chain(library, ctn_json_text(chain->on_failure));
    if (near.len)
        ctn_source_error(chain->source, chain->on_failure, findings, "unknown-chain",
                         "there is no chain '%.*s'; did you mean '%.*s'?",
                         CTN_STR_ARG(ctn_json_text(chain->on_failure)), CTN_STR_ARG(near));
    const ctn_json *zone = ctn_json_member_of(chain->schedule, "timezone");
    if (zone && options && options->has_timezone && !options->has_timezone(ctn_json_text(zone)))
        ctn_source_error(chain->source, zone, findings, "bad-cron",
                         "there is no time zone '%.*s'; name one of the time zone database, like Europe/London or UTC",
                         CTN_STR_ARG(ctn_json_text(zone)));
    return findings->error_count == errors_before;
}

static int check_chain(ctn_library_entry entry, const ctn_library *library, const ctn_check_options *options,
                       ctn_schema_flow *types, ctn_findings *findings)
{
    if (entry.chain->fault_count)
        return CTN_E_INVALID;
    bool is_named_well = check_chain_names(entry.chain, library, options, findings);
    ctn_arena *scratch = ctn_arena_new(65536);
    ctn_graph *graph = NULL;
    int rc = ctn_graph_build(scratch, library, entry.chain, findings, &graph);
    if (rc == CTN_OK)
        rc = ctn_flow_check(graph, findings);
    if (rc == CTN_OK) {
        ctn_lint lint = {.graph = graph, .options = options, .findings = findings};
        ctn_lint_paths *paths = ctn_lint_paths_new(&lint);
        ctn_lint_steps(&lint);
        ctn_lint_flow(paths);
        ctn_lint_reach(paths);
        ctn_lint_sensitive(paths);
        rc = ctn_schema_flow_chain(types, graph, findings);
    }
    ctn_arena_free(scratch);
    return is_named_well ? rc : CTN_E_INVALID;
}

int ctn_check(const ctn_library *library, const ctn_source *source, const ctn_check_options *options,
              ctn_findings *findings)
{
    int rc = CTN_OK;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_schema_flow *types = ctn_schema_flow_new(arena, library, options);
    for (size_t i = 0; i < ctn_library_entry_count(library); i++) {
        ctn_library_entry entry = ctn_library_entry_at(library, i);
        if (source && entry.source != source)
            continue;
        if (entry.set)
            check_set(library, findings, entry.set, options);
        if ((entry.set && (ctn_schema_flow_set(types, entry.set, findings) != CTN_OK ||
                           !has_its_chain(library, findings, entry.set))) ||
            (entry.chain && check_chain(entry, library, options, types, findings) != CTN_OK))
            rc = CTN_E_INVALID;
    }
    ctn_arena_free(arena);
    return ctn_check_transforms(library, source, options, findings) ? CTN_E_INVALID : rc;
}
