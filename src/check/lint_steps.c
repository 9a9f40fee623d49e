/*
 * lint_steps.c -- warnings about steps by themselves: effects and their undo, retries, time limits, outputs that
 * nothing reads.
 */
#include "check/lint.h"
#include "check/logic.h"

/* ---- effects ---- */

/* Of the step's set and of those it falls back to: the most careful one. */
static ctn_effect step_effect(const ctn_lint *lint, const ctn_graph_step *step)
{
    ctn_effect effect = ctn_check_effect(step->set, lint->options, NULL);
    for (uint32_t i = 0; i < step->step->fallback_count; i++) {
        const ctn_instruction_set *set = step->fallbacks[i];
        ctn_effect other = set ? ctn_check_effect(set, lint->options, NULL) : CTN_EFFECT_NONE;
        effect = other > effect ? other : effect;
    }
    return effect;
}

static void lint_assumed(const ctn_lint *lint, const ctn_chain_step *step, const ctn_instruction_set *set,
                         const ctn_json *node)
{
    bool is_assumed = false;
    if (set)
        ctn_check_effect(set, lint->options, &is_assumed);
    if (!is_assumed || ctn_source_allows_at(set->source, set->name_node, "assumed-effect"))
        return;
    ctn_position at = ctn_source_position(set->source, set->name_node);
    ctn_lint_warn(lint, step, node, "assumed-effect",
                  "nobody said what '%.*s' does to the world, so it is taken for a write; say its 'effect' in %.*s:%u",
                  CTN_STR_ARG(set->name), CTN_STR_ARG(ctn_source_file_name(set->source)), at.line);
}

/* Once for each set that the step uses. */
static void lint_assumed_sets(const ctn_lint *lint, const ctn_graph_step *step)
{
    const ctn_chain_step *s = step->step;
    lint_assumed(lint, s, step->set, s->instruction_set);
    for (uint32_t i = 0; i < s->fallback_count; i++) {
        const ctn_instruction_set *set = step->fallbacks[i];
        bool is_told = set == step->set;
        for (uint32_t k = 0; k < i; k++)
            is_told |= set == step->fallbacks[k];
        if (!is_told)
            lint_assumed(lint, s, set, s->fallbacks[i].instruction_set);
    }
    if (step->undo != step->set)
        lint_assumed(lint, s, step->undo, s->rollback_action);
}

/* The condition says nothing but skip and fail: the step's work is never done. */
static bool is_gate(const ctn_chain_step *step)
{
    unsigned outcomes = ctn_logic_outcomes(step->condition.expression);
    return outcomes == CTN_OUTCOME_FAIL ||
           (!(outcomes & CTN_OUTCOME_RUN) && !ctn_expression_is_literal(step->condition.expression));
}

static void lint_undo(const ctn_lint *lint, const ctn_graph_step *step, ctn_effect effect)
{
    const ctn_chain_step *s = step->step;
    bool is_disabled = lint->graph->chain->is_rollback_enabled == CTN_SAID_FALSE;
    if (s->rollback_action && is_disabled)
        ctn_lint_warn(lint, s, s->rollback_action, "idle-undo",
                      "this is never run, because the chain says 'rollbackEnabled: false'; take one of the two out");
    if (effect == CTN_EFFECT_WRITE && !s->rollback_action && !s->no_undo && !is_disabled)
        ctn_lint_warn(lint, s, s->node, "missing-undo",
                      "step '%.*s' changes something outside (instruction set '%.*s') and nothing undoes it when the "
                      "chain fails later; add a 'rollbackAction', or say in 'noUndo' why there is none",
                      CTN_STR_ARG(s->name), CTN_STR_ARG(step->set->name));
}

/* Codes after which the work may have been done, so that doing it again may do it twice. tool_error is none: the
 * peer says that it did not. Where the set has a check, that one settles what was cut off before a retry. */
static bool may_have_happened(ctn_failure code, bool has_check)
{
    switch (code) {
    case CTN_FAILURE_TIMEOUT:
    case CTN_FAILURE_TRANSPORT:
    case CTN_FAILURE_INTERRUPTED: return !has_check;
    case CTN_FAILURE_PROTOCOL_ERROR:
    case CTN_FAILURE_INVALID_OUTPUT:
    case CTN_FAILURE_MISSING_OUTPUT:
    case CTN_FAILURE_LIMIT:
    case CTN_FAILURE_CANCELLED: return true;
    default: return false;
    }
}

static void lint_retry(const ctn_lint *lint, const ctn_graph_step *step)
{
    const ctn_json *codes = step->step->retry.retry_on;
    bool is_write = codes && ctn_check_effect(step->set, lint->options, NULL) == CTN_EFFECT_WRITE;
    for (size_t i = 0; is_write && i < ctn_json_count(codes); i++) {
        const ctn_json *code = ctn_json_at(codes, i);
        if (may_have_happened(ctn_failure_from_name(ctn_json_text(code)), step->set->check))
            ctn_lint_warn(
                lint, step->step, code, "unsafe-retry",
                "after '%.*s' the work of '%.*s' may have been done, and a retry would do it twice; take the code "
                "out, or give the set a 'check'",
                CTN_STR_ARG(ctn_json_text(code)), CTN_STR_ARG(step->set->name));
    }
}

/* ---- time limits: explicit values only ---- */

/* The longest that the file says of the set's own work, and what it says it of; 0: nothing. */
static int64_t set_timeout(const ctn_instruction_set *set)
{
    int64_t longest = set->work.timeout_ms;
    for (uint32_t i = 0; i < set->call_count; i++)
        longest = set->calls[i].timeout_ms > longest ? set->calls[i].timeout_ms : longest;
    return longest;
}

static int64_t set_wait(const ctn_instruction_set *set)
{
    switch (set->work.kind) {
    case CTN_WORK_WAIT: return set->work.wait_ms;
    case CTN_WORK_APPROVAL: return set->work.answer_timeout_ms;
    default: return 0;
    }
}

/* A wait or an approval that what is around it does not let end. `node` is where the step names the set. */
static void lint_wait(const ctn_lint *lint, const ctn_chain_step *s, const ctn_instruction_set *set,
                      const ctn_json *node, int64_t chain_ms)
{
    int64_t waits_ms = set ? set_wait(set) : 0;
    if (chain_ms && waits_ms > chain_ms)
        ctn_lint_warn(lint, s, node, "timeout-fit",
                      "'%.*s' may wait %lld ms, but the whole chain only takes %lld ms; make one of them fit",
                      CTN_STR_ARG(set->name), (long long) waits_ms, (long long) chain_ms);
    else if (s->timeout_ms && waits_ms > s->timeout_ms)
        ctn_lint_warn(lint, s, ctn_json_member_of(s->node, "timeoutMs"), "timeout-fit",
                      "'%.*s' may wait %lld ms, but this step ends it after %lld ms; make one of them fit",
                      CTN_STR_ARG(set->name), (long long) waits_ms, (long long) s->timeout_ms);
}

static void lint_step_timeouts(const ctn_lint *lint, const ctn_graph_step *step, int64_t chain_ms)
{
    const ctn_chain_step *s = step->step;
    int64_t attempt_ms = s->timeout_ms ? s->timeout_ms : set_timeout(step->set);
    if (chain_ms && s->timeout_ms > chain_ms)
        ctn_lint_warn(lint, s, ctn_json_member_of(s->node, "timeoutMs"), "timeout-fit",
                      "one attempt may take %lld ms, but the whole chain only %lld ms; make one of them fit",
                      (long long) s->timeout_ms, (long long) chain_ms);
    int64_t around_ms = attempt_ms ? attempt_ms : chain_ms;
    if (around_ms && s->idle_timeout_ms > around_ms)
        ctn_lint_warn(lint, s, ctn_json_member_of(s->node, "idleTimeoutMs"), "timeout-fit",
                      "%s ends after %lld ms, so it never is idle for %lld ms; make 'idleTimeoutMs' smaller",
                      attempt_ms ? "an attempt" : "the chain", (long long) around_ms, (long long) s->idle_timeout_ms);
}

static void lint_timeouts(const ctn_lint *lint, const ctn_graph_step *step)
{
    const ctn_chain_step *s = step->step;
    int64_t chain_ms = lint->graph->chain->timeout_ms;
    lint_step_timeouts(lint, step, chain_ms);
    lint_wait(lint, s, step->set, s->instruction_set, chain_ms);
    for (uint32_t i = 0; i < s->fallback_count; i++)
        lint_wait(lint, s, step->fallbacks[i], s->fallbacks[i].instruction_set, chain_ms);
}

/* ---- unused-output ---- */

static void mark_read(const ctn_graph_reads *reads, bool *is_read)
{
    for (uint32_t i = 0; i < reads->count; i++)
        is_read[reads->items[i].variable] = true;
}

static bool is_output(const ctn_chain_step *step, ctn_str name)
{
    for (uint32_t i = 0; i < step->output_count; i++)
        if (ctn_str_equal(step->outputs[i].name, name))
            return true;
    return false;
}

/* The undo sees all of the step's outputs: as its {input} without a template, or as {result}. */
static bool is_taken_whole(ctn_graph *graph, const ctn_graph_step *step)
{
    if (!step->step->rollback_action || !step->step->rollback_template.node)
        return step->step->rollback_action != NULL;
    ctn_reads reads = {0};
    ctn_template_reads(step->step->rollback_template.template, graph->arena, &reads);
    ctn_instruction_set_reads(step->undo, graph->arena, &reads);
    return ctn_reads_have(&reads, "result");
}

/* Without `outputs` everything is put out. An undo without a template is given all of its step's outputs. */
static void lint_unused(const ctn_lint *lint)
{
    ctn_graph *graph = lint->graph;
    if (!graph->chain->outputs)
        return;
    bool *is_read = CTN_NEW_ARRAY(graph->arena, bool, graph->variables.count);
    mark_read(&graph->chain_reads, is_read);
    for (uint32_t s = 0; s < graph->step_count; s++) {
        const ctn_graph_step *step = &graph->steps[s];
        mark_read(&step->reads, is_read);
        mark_read(&step->undo_reads, is_read);
        ctn_reads reads = {0}; /* what a document reads of its own step's outputs */
        ctn_mustache_reads(step->mustache, graph->arena, &reads);
        for (size_t i = 0; i < reads.count; i++) {
            uint32_t v = ctn_names_find(&graph->variables, reads.items[i].root);
            if (v != CTN_NAMES_NONE)
                is_read[v] = true;
        }
    }
    for (uint32_t s = 0; s < graph->step_count; s++) {
        const ctn_chain_step *step = graph->steps[s].step;
        bool undo_takes_all = is_taken_whole(graph, &graph->steps[s]);
        for (uint32_t i = 0; i < step->output_count && !undo_takes_all; i++)
            if (!is_read[graph->steps[s].writes[i]])
                ctn_lint_warn(
                    lint, step, step->outputs[i].node, "unused-output",
                    "nothing reads '%.*s' and 'outputs' leaves it out; take it out here, or name it in 'outputs'",
                    CTN_STR_ARG(step->outputs[i].name));
        uint32_t document = graph->steps[s].document_variable;
        if (graph->steps[s].mustache && document != CTN_GRAPH_NONE && !undo_takes_all && !is_read[document] &&
            !is_output(step, graph->variables.items[document]))
            ctn_lint_warn(lint, step, step->template_id, "unused-output",
                          "the text of '%.*s' goes into '%.*s', which nothing reads and 'outputs' leaves out; take "
                          "'templateId' out, or name the variable in 'outputs'",
                          CTN_STR_ARG(graph->steps[s].document->name), CTN_STR_ARG(graph->variables.items[document]));
    }
}

void ctn_lint_steps(const ctn_lint *lint)
{
    for (uint32_t i = 0; i < lint->graph->step_count; i++) {
        const ctn_graph_step *step = &lint->graph->steps[i];
        const ctn_chain_step *s = step->step;
        if (is_gate(s))
            continue;
        ctn_effect effect = step_effect(lint, step);
        lint_assumed_sets(lint, step);
        lint_undo(lint, step, effect);
        lint_retry(lint, step);
        lint_timeouts(lint, step);
    }
    lint_unused(lint);
}
