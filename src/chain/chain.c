/*
 * chain.c -- a chain's own keys (chain language, section 1) and its list of steps.
 */
#include "chain/chain.h"
#include "base/names.h"
#include "chain/requires.h"
#include "value/cron.h"

#define COUNT(table)                        (sizeof(table) / sizeof((table)[0]))
#define CHAIN(key, value_type, member, ...) CTN_KEY(key, value_type, ctn_chain, member, __VA_ARGS__)

/* ---- parts ---- */

/* Kept as it was written: money is decimal. */
static void read_money(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    if (!ctn_json_is(value, CTN_JSON_NUMBER) || ctn_json_text(value).ptr[0] == '-')
        ctn_reader_fault(reader, value, "type", "'money' must be a number from 0 on, not %s",
                         ctn_json_kind_name(value));
}

static const char *const ON_REACHED[] = {"wait", "fail", NULL};
static const ctn_key BUDGET_KEYS[] = {
    CTN_KEY("calls", CTN_KEY_INT, ctn_chain_budget, calls, "Calls.", .min = 1, .max = INT64_C(1000000000000)),
    CTN_KEY("wallMs", CTN_KEY_INT, ctn_chain_budget, wall_ms, "Milliseconds.", .min = 1, .max = CTN_TEN_YEARS_MS),
    CTN_KEY("bytes", CTN_KEY_INT, ctn_chain_budget, bytes, "Bytes of arguments and results.", .min = 1,
            .max = INT64_C(1000000000000)),
    CTN_KEY("tokens", CTN_KEY_INT, ctn_chain_budget, tokens, "Tokens of language models.", .min = 1,
            .max = INT64_C(1000000000000)),
    CTN_KEY("money", CTN_KEY_ANY, ctn_chain_budget, money, "Money, in whatever unit the tools count in.",
            .read = read_money),
    CTN_KEY("onReached", CTN_KEY_WORD, ctn_chain_budget, on_reached,
            "wait: park the execution for a decision; fail: end it.", .words = ON_REACHED),
};

typedef struct schedule_keys {
    const ctn_json *cron, *timezone, *input;
    int catch_up, overlap;
    int64_t jitter_ms;
} schedule_keys;
static void read_cron(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    ctn_err err = {0};
    if (ctn_cron_check(ctn_json_text(value), &err))
        ctn_reader_fault(reader, value, "bad-cron", "%s", err.message);
}
static const char *const CATCH_UP[] = {"last", "none", "all", NULL};
static const char *const OVERLAP[] = {"allow", "skip", "queue", "cancel", NULL};
static const ctn_key SCHEDULE_KEYS[] = {
    CTN_KEY("cron", CTN_KEY_TEXT, schedule_keys, cron, "Five fields: minute, hour, day, month, weekday.",
            .is_required = true, .read = read_cron),
    CTN_KEY("timezone", CTN_KEY_NAME, schedule_keys, timezone, "Of the times, like Europe/London. Default: UTC."),
    CTN_KEY("input", CTN_KEY_OBJECT, schedule_keys, input, "What the chain is started with. Default: nothing."),
    CTN_KEY(
        "catchUp", CTN_KEY_WORD, schedule_keys, catch_up,
        "What becomes of times that passed while nobody served: none, the last, or all (at most 100). Default: last.",
        .words = CATCH_UP),
    CTN_KEY(
        "overlap", CTN_KEY_WORD, schedule_keys, overlap,
        "When the one before still runs: allow a second, skip the time, queue behind it, or cancel it. Default: allow.",
        .words = OVERLAP),
    CTN_KEY("jitterMs", CTN_KEY_INT, schedule_keys, jitter_ms,
            "Each time is put off by so many milliseconds at most, so that not all begin at once.", .min = 0,
            .max = 86400000),
};

static void read_budget(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain_budget *budget = &((ctn_chain *) target)->budget;
    ctn_keys_read(reader, value, "a budget", BUDGET_KEYS, COUNT(BUDGET_KEYS), budget);
}

static void read_schedule(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    ctn_keys_read(reader, value, "a schedule", SCHEDULE_KEYS, COUNT(SCHEDULE_KEYS), &(schedule_keys){0});
}

static bool is_chain_id(ctn_str id)
{
    bool is_good = id.len >= 1 && id.len <= 63;
    for (size_t i = 0; is_good && i < id.len; i++) {
        char c = id.ptr[i];
        is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i > 0 && c == '-');
    }
    return is_good;
}

static void read_id(ctn_reader *reader, const ctn_json *value, void *target)
{
    if (is_chain_id(ctn_json_text(value)))
        ((ctn_chain *) target)->id = ctn_json_text(value);
    else
        ctn_reader_fault(reader, value, "type",
                         "'%.*s' is no chain id: write small letters, digits and -, at most 63, no - at the start",
                         CTN_STR_ARG(ctn_json_text(value)));
}

static void read_on_failure(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    if (!is_chain_id(ctn_json_text(value)))
        ctn_reader_fault(reader, value, "type", "'onFailure' must be the id of a chain; '%.*s' cannot be one",
                         CTN_STR_ARG(ctn_json_text(value)));
}

static void read_requires(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    if (ctn_json_count(value) > CTN_REQUIRES_MAX)
        ctn_reader_fault(reader, value, "type", "'requires' may name %d labels; here are %zu", CTN_REQUIRES_MAX,
                         ctn_json_count(value));
    for (uint32_t i = 0; i < ctn_json_count(value); i++) {
        const ctn_json *name = &value->members[i].key, *wanted = &value->members[i].value;
        if (!ctn_json_text(name).len || ctn_json_text(name).len > CTN_REQUIRES_BYTES_MAX)
            ctn_reader_fault(reader, name, "type", "the name of a label has 1 to %d bytes", CTN_REQUIRES_BYTES_MAX);
        if (!ctn_is_label_value(wanted))
            ctn_reader_fault(reader, wanted, "type",
                             "a label is a text, a number, true or false: {gpu: true, zone: north}");
        else if (ctn_json_text(wanted).len > CTN_REQUIRES_BYTES_MAX)
            ctn_reader_fault(reader, wanted, "type", "the value of a label has at most %d bytes",
                             CTN_REQUIRES_BYTES_MAX);
    }
}

static void read_input_schema(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    const ctn_json *properties = ctn_json_member_of(value, "properties");
    for (uint32_t i = 0; ctn_json_is(properties, CTN_JSON_OBJECT) && i < properties->count; i++)
        ctn_reader_variable(reader, &properties->members[i].key, ctn_json_text(&properties->members[i].key),
                            "an input");
}

static void read_sensitive(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    for (size_t i = 0; i < ctn_json_count(value); i++)
        ctn_reader_variable(reader, ctn_json_at(value, i), ctn_json_text(ctn_json_at(value, i)),
                            "a sensitive variable");
}

typedef struct result_keys {
    ctn_chain_expression expression;
} result_keys;
static const ctn_key RESULT_KEY = CTN_KEY("outputs", CTN_KEY_EXPRESSION, result_keys, expression, NULL);

static void read_results(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain *chain = target;
    bool is_map = ctn_json_is(value, CTN_JSON_OBJECT);
    if (!is_map && !ctn_json_is(value, CTN_JSON_ARRAY)) {
        ctn_reader_fault(reader, value, "type",
                         "'outputs' must be a list of variables, like [a, b], or an object of name: expression");
        return;
    }
    size_t count = ctn_json_count(value);
    chain->results = CTN_NEW_ARRAY(reader->arena, ctn_chain_result, count);
    for (uint32_t i = 0; i < count; i++) {
        const ctn_json *node = is_map ? &value->members[i].key : &value->items[i];
        ctn_chain_result result = {.name = ctn_json_text(node), .node = node};
        if (!ctn_json_is(node, CTN_JSON_STRING)) {
            ctn_reader_fault(reader, node, "type", "an item of 'outputs' must be the name of a variable");
            continue;
        }
        if (!is_map && !ctn_reader_variable(reader, node, result.name, "an output"))
            continue;
        result_keys keys = {0};
        if (is_map && !ctn_key_read(reader, &RESULT_KEY, &value->members[i].value, &keys))
            continue;
        result.expression = keys.expression;
        chain->results[chain->result_count++] = result;
    }
}

/* ---- steps ---- */

static void read_steps(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain *chain = target;
    size_t count = ctn_json_count(value);
    if (count == 0 || count > CTN_CHAIN_STEPS_MAX) {
        ctn_reader_fault(reader, value, "type", "'steps' must hold from 1 to %d steps; here are %zu",
                         CTN_CHAIN_STEPS_MAX, count);
        return;
    }
    chain->steps = CTN_NEW_ARRAY(reader->arena, ctn_chain_step, count);
    chain->step_count = (uint32_t) count;
    ctn_names names;
    ctn_names_init(&names, reader->arena);
    uint32_t *step_of_name = CTN_NEW_ARRAY(reader->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        ctn_chain_step *step = &chain->steps[i];
        ctn_chain_step_read(reader, ctn_json_at(value, i), step);
        if (!step->name.len)
            continue;
        uint32_t known = names.count;
        uint32_t number = ctn_names_add(&names, step->name);
        if (number == known) {
            step_of_name[number] = i;
            continue;
        }
        ctn_position first = ctn_source_position(reader->source, chain->steps[step_of_name[number]].step_name);
        ctn_reader_fault(reader, step->step_name, "duplicate-step",
                         "a second step is named '%.*s' (the first is in line %u); give it another name",
                         CTN_STR_ARG(step->name), first.line);
    }
}

/* ---- the chain ---- */

static const ctn_key CHAIN_KEYS[] = {
    CHAIN("id", CTN_KEY_NAME, id_node, "The chain's name for programs: small letters, digits and -, at most 63.",
          .is_required = true, .read = read_id),
    CHAIN("name", CTN_KEY_TEXT, name, "The chain's name for people."),
    CHAIN("description", CTN_KEY_TEXT, description, "What the chain is for."),
    CHAIN("version", CTN_KEY_INT, version, "Default: numbered by content; the same content is the same version.",
          .min = 1, .max = INT64_C(1000000000)),
    CHAIN("inputSchema", CTN_KEY_SCHEMA, input_schema,
          "JSON Schema of the inputs. Without one, inputs are the variables that are read and never produced.",
          .read = read_input_schema),
    CHAIN("outputs", CTN_KEY_ANY, outputs,
          "A list of variables, or a map of name: expression. Default: every variable that a step produced.",
          .read = read_results),
    CHAIN("rollbackEnabled", CTN_KEY_BOOL, is_rollback_enabled,
          "Undo what was done when the chain fails. Default: true if any step has a rollbackAction."),
    CHAIN("timeoutMs", CTN_KEY_INT, timeout_ms,
          "Milliseconds for the whole chain, waits included, pauses and the queue not.", .min = 1,
          .max = CTN_TEN_YEARS_MS),
    CHAIN("priority", CTN_KEY_INT, priority, "0 (last) to 9 (first).", .min = 0, .max = 9, .otherwise = 5),
    CHAIN("maxConcurrent", CTN_KEY_INT, max_concurrent, "Executions of this chain that run at once.", .min = 1,
          .max = 1000000),
    CHAIN("budget", CTN_KEY_OBJECT, budget_node, "What one execution may spend.", .read = read_budget),
    CHAIN("concurrencyKey", CTN_KEY_TEMPLATE, concurrency_key,
          "A template that reads inputs only: executions with equal keys run one at a time, in order of arrival."),
    CHAIN("sensitive", CTN_KEY_NAMES, sensitive,
          "Variables that are sealed at rest and redacted wherever they are shown.", .read = read_sensitive),
    CHAIN("schedule", CTN_KEY_OBJECT, schedule, "When the chain starts by itself.", .read = read_schedule),
    CHAIN("onFailure", CTN_KEY_NAME, on_failure,
          "The id of a chain that is started with {executionId, error} when this one fails.", .read = read_on_failure),
    CHAIN("runAs", CTN_KEY_NAME, run_as,
          "The service principal whose rights its calls have. Default: those of whoever starts it."),
    CHAIN("requires", CTN_KEY_OBJECT, requires,
          "Labels that a node must have to run the chain: {gpu: true, zone: north}. Default: any node does.",
          .read = read_requires),
    CHAIN("steps", CTN_KEY_LIST, steps_node, "The steps.", .is_required = true, .read = read_steps),
    CHAIN("mcp", CTN_KEY_OBJECT, mcp_node, "How the chain is offered to MCP clients. Default: as a tool."),
    CHAIN("instructionSets", CTN_KEY_OBJECT, instruction_sets,
          "Instruction sets beside the chain; other chains may use them too."),
};

/* clang-format off */
const ctn_key_table ctn_chain_tables[] = {
    {"chain", CHAIN_KEYS, COUNT(CHAIN_KEYS), "A chain: steps that are done in order, durably."},
    {"budget", BUDGET_KEYS, COUNT(BUDGET_KEYS), "Reserved before a call, settled after it."},
    {"schedule", SCHEDULE_KEYS, COUNT(SCHEDULE_KEYS), "When the chain starts by itself."},
    {"mcp", ctn_chain_mcp_keys, CTN_CHAIN_MCP_KEY_COUNT, "How the chain is offered to MCP clients."},
};
const size_t ctn_chain_table_count = COUNT(ctn_chain_tables);
/* clang-format on */

bool ctn_chain_is_in(const ctn_json *root)
{
    return !ctn_json_is(root, CTN_JSON_OBJECT) || root->count != 1 || !ctn_json_member_of(root, "instructionSets");
}

const ctn_chain *ctn_chain_read(ctn_arena *arena, const ctn_source *source, ctn_findings *findings)
{
    ctn_reader reader = {.arena = arena, .source = source, .findings = findings};
    ctn_chain *chain = CTN_NEW(arena, ctn_chain);
    chain->source = source;
    chain->node = ctn_source_root(source);
    if (ctn_json_is(chain->node, CTN_JSON_OBJECT))
        ctn_keys_read(&reader, chain->node, "a chain", CHAIN_KEYS, COUNT(CHAIN_KEYS), chain);
    else
        ctn_reader_fault(
            &reader, chain->node, "type",
            "a file holds a chain (an object with 'id' and 'steps') or 'instructionSets'; this is neither");
    ctn_chain_mcp_read(&reader, chain->mcp_node, chain->id, &chain->mcp);
    chain->fault_count = reader.fault_count;
    return chain;
}
