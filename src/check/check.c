/*
 * check.c -- what is asked of a set and of a chain, in order: its own names, its programs, its order and flow, the
 * warnings, the types along the flow.
 */
#include "check/check.h"
#include "chain/flow.h"
#include "check/lint_paths.h"
#include "check/programs.h"
#include "check/schema_flow.h"

typedef struct checking {
    const ctn_library *library;
    const ctn_check_options *options;
    ctn_findings *findings;
    ctn_programs *programs;
    ctn_schema_flow *types;
} checking;

/* A chain that is not there may be kept elsewhere: it is an error only when it looks mistyped. */
static bool names_a_chain(const checking *c, const ctn_source *source, const ctn_json *node)
{
    ctn_str id = ctn_json_text(node), near = ctn_library_nearest_chain(c->library, id);
    if (near.len)
        ctn_source_error(source, node, c->findings, "unknown-chain", "there is no chain '%.*s'; did you mean '%.*s'?",
                         CTN_STR_ARG(id), CTN_STR_ARG(near));
    return !near.len;
}

static bool names_a_time_zone(const checking *c, const ctn_chain *chain)
{
    const ctn_json *zone = ctn_json_member_of(chain->schedule, "timezone");
    if (!zone || !c->options || !c->options->has_timezone || c->options->has_timezone(ctn_json_text(zone)))
        return true;
    ctn_source_error(chain->source, zone, c->findings, "bad-cron",
                     "there is no time zone '%.*s'; name one of the time zone database, like Europe/London or UTC",
                     CTN_STR_ARG(ctn_json_text(zone)));
    return false;
}

static bool check_set(const checking *c, const ctn_instruction_set *set)
{
    if (set->fault_count) /* told when it was read */
        return false;
    bool is_good = ctn_programs_check_set(c->programs, set);
    ctn_lint_set(c->library, set, c->options, c->findings);
    if (ctn_schema_flow_set(c->types, set, c->findings))
        return false;
    /* The steps that use the set are told by the graph. */
    return (set->work.kind != CTN_WORK_CHAIN || names_a_chain(c, set->source, set->work.detail)) && is_good;
}

static void lint_chain(const checking *c, ctn_graph *graph)
{
    ctn_lint lint = {.graph = graph, .options = c->options, .findings = c->findings};
    ctn_lint_paths *paths = ctn_lint_paths_new(&lint);
    ctn_lint_steps(&lint);
    ctn_lint_missing(paths);
    ctn_lint_reach(paths);
    ctn_lint_sensitive(paths);
    ctn_lint_mcp(&lint);
}

static bool check_chain(const checking *c, const ctn_chain *chain)
{
    if (chain->fault_count)
        return false;
    bool is_good = names_a_chain(c, chain->source, chain->on_failure);
    is_good &= names_a_time_zone(c, chain);
    is_good &= ctn_programs_check_chain(c->programs, chain);
    ctn_arena *scratch = ctn_arena_new(65536);
    ctn_graph *graph = NULL;
    int rc = ctn_graph_build(scratch, c->library, chain, c->findings, &graph);
    if (rc == CTN_OK)
        rc = ctn_flow_check(graph, c->findings);
    if (rc == CTN_OK) {
        lint_chain(c, graph);
        rc = ctn_schema_flow_chain(c->types, graph, c->findings);
    }
    ctn_arena_free(scratch);
    return rc == CTN_OK && is_good;
}

int ctn_check(const ctn_library *library, const ctn_source *source, const ctn_check_options *options,
              ctn_findings *findings)
{
    ctn_arena *arena = ctn_arena_new(65536);
    checking c = {.library = library,
                  .options = options,
                  .findings = findings,
                  .programs = ctn_programs_new(arena, library, options, findings),
                  .types = ctn_schema_flow_new(arena, library, options)};
    bool is_good = true;
    for (size_t i = 0; i < ctn_library_entry_count(library); i++) {
        ctn_library_entry entry = ctn_library_entry_at(library, i);
        if (source && entry.source != source)
            continue;
        if (entry.set)
            is_good &= check_set(&c, entry.set);
        if (entry.chain)
            is_good &= check_chain(&c, entry.chain);
    }
    ctn_arena_free(arena);
    return is_good ? CTN_OK : CTN_E_INVALID;
}
