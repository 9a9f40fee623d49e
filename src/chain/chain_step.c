/*
 * chain_step.c -- one step of a chain: the table of section 2.
 */
#include "chain/chain.h"
#include "chain/rules.h"

#define COUNT(table)                       (sizeof(table) / sizeof((table)[0]))
#define STEP(key, value_type, member, ...) CTN_KEY(key, value_type, ctn_chain_step, member, __VA_ARGS__)

/* ---- retryConfig ---- */

static void read_retry_on(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain_retry *retry = target;
    for (size_t i = 0; i < ctn_json_count(value); i++) {
        const ctn_json *item = ctn_json_at(value, i);
        ctn_failure code = ctn_failure_from_name(ctn_json_text(item));
        if (code != CTN_FAILURE_NONE) {
            retry->retry_on_codes |= UINT32_C(1) << code;
            continue;
        }
        ctn_str names[CTN_FAILURE_COUNT];
        size_t count = 0;
        for (int f = CTN_FAILURE_NONE + 1; f < CTN_FAILURE_COUNT; f++)
            names[count++] = ctn_str_from(ctn_failure_name((ctn_failure) f));
        ctn_str advice = ctn_suggest(reader->arena, ctn_json_text(item), names, count);
        ctn_reader_fault(reader, item, "type", "'%.*s' is no failure code; %.*s", CTN_STR_ARG(ctn_json_text(item)),
                         CTN_STR_ARG(advice));
    }
}

static const ctn_key RETRY_KEYS[] = {
    CTN_KEY("maxRetries", CTN_KEY_INT, ctn_chain_retry, max_retries, "Attempts after the first one.", .min = 0,
            .max = 1000),
    CTN_KEY("backoffMs", CTN_KEY_INT, ctn_chain_retry, backoff_ms, "Milliseconds before the first retry.", .min = 0,
            .max = CTN_TEN_YEARS_MS),
    CTN_KEY("multiplier", CTN_KEY_NUMBER, ctn_chain_retry, multiplier,
            "Each further delay is so many times the one before.", .min = 1, .max = 1000, .otherwise_number = 2),
    CTN_KEY("maxBackoffMs", CTN_KEY_INT, ctn_chain_retry, max_backoff_ms, "No delay is longer, in milliseconds.",
            .min = 0, .max = CTN_TEN_YEARS_MS, .otherwise = 60000),
    CTN_KEY("jitter", CTN_KEY_NUMBER, ctn_chain_retry, jitter, "The share of a delay that chance adds or takes.",
            .min = 0, .max = 1, .otherwise_number = 0.1),
    CTN_KEY("retryOn", CTN_KEY_NAMES, ctn_chain_retry, retry_on,
            "Failure codes that are repeated besides the transient ones.", .read = read_retry_on),
};

static void read_retry(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain_retry *retry = &((ctn_chain_step *) target)->retry;
    ctn_keys_read(reader, value, "a retryConfig", RETRY_KEYS, COUNT(RETRY_KEYS), retry);
}

/* ---- outputVariables ---- */

static void read_output_path(ctn_reader *reader, const ctn_json *value, ctn_chain_output *output)
{
    ctn_str text = ctn_json_text(value);
    ctn_path *path = CTN_NEW(reader->arena, ctn_path);
    size_t bytes = 0;
    if (ctn_json_is(value, CTN_JSON_STRING) && ctn_path_parse(reader->arena, text, path, &bytes, NULL) == CTN_OK &&
        bytes == text.len) {
        output->path = path;
        return;
    }
    ctn_reader_fault(reader, value, "type",
                     "'%.*s' must lead to a path in the result, like cheapest.total or items[0].price",
                     CTN_STR_ARG(output->name));
}

static void read_outputs(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain_step *step = target;
    bool is_map = ctn_json_is(value, CTN_JSON_OBJECT);
    if (!is_map && !ctn_json_is(value, CTN_JSON_ARRAY)) {
        ctn_reader_fault(reader, value, "type",
                         "'outputVariables' must be a list of names, like [a, b], or an object of variable: path in "
                         "the result");
        return;
    }
    size_t count = ctn_json_count(value);
    step->outputs = CTN_NEW_ARRAY(reader->arena, ctn_chain_output, count);
    for (uint32_t i = 0; i < count; i++) {
        const ctn_json *node = is_map ? &value->members[i].key : &value->items[i];
        ctn_chain_output output = {.name = ctn_json_text(node), .node = node};
        if (!ctn_json_is(node, CTN_JSON_STRING)) {
            ctn_reader_fault(reader, node, "type", "an item of 'outputVariables' must be a name");
            continue;
        }
        if (!ctn_reader_variable(reader, node, output.name, "an output variable"))
            continue;
        bool is_second = false;
        for (uint32_t k = 0; k < step->output_count; k++)
            is_second |= ctn_str_equal(step->outputs[k].name, output.name);
        if (is_second) {
            ctn_reader_fault(reader, node, "duplicate-key",
                             "'%.*s' is an output variable of this step twice; take one out", CTN_STR_ARG(output.name));
            continue;
        }
        if (is_map)
            read_output_path(reader, &value->members[i].value, &output);
        step->outputs[step->output_count++] = output;
    }
}

/* ---- fallback, cache, foreach, lint ---- */

typedef struct fallback_keys {
    const ctn_json *instruction_set;
    ctn_chain_template input;
    ctn_chain_tree value;
} fallback_keys;
static const ctn_key FALLBACK_KEYS[] = {
    CTN_KEY("instructionSet", CTN_KEY_NAME, fallback_keys, instruction_set, "The instruction set that is tried."),
    CTN_KEY("inputTemplate", CTN_KEY_TEMPLATE, fallback_keys, input, "Its input. Default: the step's."),
    CTN_KEY("value", CTN_KEY_TREE_OBJECT, fallback_keys, value,
            "Taken as the result; its texts may hold placeholders."),
};

static void read_fallbacks(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain_step *step = target;
    size_t count = ctn_json_count(value);
    step->fallbacks = CTN_NEW_ARRAY(reader->arena, ctn_chain_fallback, count);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *item = ctn_json_at(value, i);
        if (!ctn_json_is(item, CTN_JSON_OBJECT)) {
            ctn_reader_fault(reader, item, "type",
                             "a fallback must be {instructionSet: name, inputTemplate: text} or {value: {...}}");
            continue;
        }
        fallback_keys keys = {0};
        ctn_keys_read(reader, item, "a fallback", FALLBACK_KEYS, COUNT(FALLBACK_KEYS), &keys);
        bool says_set = ctn_json_member_of(item, "instructionSet") != NULL;
        bool says_value = ctn_json_member_of(item, "value") != NULL;
        if (says_set == says_value)
            ctn_reader_fault(reader, item, "type",
                             "a fallback needs either 'instructionSet' or 'value', one of the two");
        else if (says_value && keys.input.node)
            ctn_reader_fault(reader, keys.input.node, "type", "a fallback with a 'value' takes no 'inputTemplate'");
        step->fallbacks[step->fallback_count++] = (ctn_chain_fallback){
            .node = item, .instruction_set = keys.instruction_set, .input = keys.input, .value = keys.value};
    }
}

static const ctn_key CACHE_KEYS[] = {
    CTN_KEY("ttlMs", CTN_KEY_INT, ctn_chain_cache, ttl_ms, "How long a result is used, in milliseconds.", .min = 1,
            .max = CTN_TEN_YEARS_MS, .is_required = true),
    CTN_KEY("key", CTN_KEY_TEMPLATE, ctn_chain_cache, key,
            "What makes two calls equal. Default: the set, the tool and the rendered arguments."),
    CTN_KEY("allowWrites", CTN_KEY_BOOL, ctn_chain_cache, allow_writes, "Also for a write."),
};

static void read_cache(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain_cache *cache = &((ctn_chain_step *) target)->cache;
    ctn_keys_read(reader, value, "a cache", CACHE_KEYS, COUNT(CACHE_KEYS), cache);
}

typedef struct foreach_keys {
    const ctn_json *items, *as;
    int64_t max_concurrency;
} foreach_keys;
static const ctn_key FOREACH_KEYS[] = {
    CTN_KEY("items", CTN_KEY_ANY, foreach_keys, items, "A template that gives a list, or {range: [from, to]}.",
            .is_required = true),
    CTN_KEY("as", CTN_KEY_NAME, foreach_keys, as, "The item's name in templates, beside item."),
    CTN_KEY("maxConcurrency", CTN_KEY_INT, foreach_keys, max_concurrency, "Items at once.", .min = 1, .max = 10000,
            .otherwise = 1),
};
typedef struct items_keys {
    ctn_chain_template text;
    ctn_chain_tree range;
} items_keys;
static const ctn_key ITEMS_TEXT_KEY = CTN_KEY("items", CTN_KEY_TEMPLATE, items_keys, text, NULL);
static const ctn_key ITEMS_RANGE_KEY[] = {
    CTN_KEY("range", CTN_KEY_TREE, items_keys, range,
            "Two whole numbers, or templates that give them; the end is left out.", .is_required = true),
};

static void read_foreach(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain_foreach *foreach = &((ctn_chain_step *) target)->foreach;
    foreach_keys keys = {0};
    ctn_keys_read(reader, value, "a foreach", FOREACH_KEYS, COUNT(FOREACH_KEYS), &keys);
    foreach
        ->as = keys.as;
    foreach
        ->max_concurrency = keys.max_concurrency;
    if (keys.as)
        ctn_reader_variable(reader, keys.as, ctn_json_text(keys.as), "an item ('as')");
    if (!keys.items)
        return;
    items_keys items = {0};
    if (ctn_json_is(keys.items, CTN_JSON_OBJECT)) {
        ctn_keys_read(reader, keys.items, "the items of a foreach", ITEMS_RANGE_KEY, 1, &items);
        if (items.range.node &&
            (!ctn_json_is(items.range.node, CTN_JSON_ARRAY) || ctn_json_count(items.range.node) != 2))
            ctn_reader_fault(reader, items.range.node, "type", "'range' must be [from, to], two whole numbers");
    } else if (ctn_json_is(keys.items, CTN_JSON_STRING)) {
        ctn_key_read(reader, &ITEMS_TEXT_KEY, keys.items, &items);
    } else {
        ctn_reader_fault(reader, keys.items, "type",
                         "'items' must name a list, like \"{hotels}\", or be {range: [from, to]}");
    }
    foreach
        ->items = items.text;
    foreach
        ->range = items.range;
}

typedef struct lint_keys {
    const ctn_json *allow;
} lint_keys;
static const ctn_key LINT_KEYS[] = {
    CTN_KEY("allow", CTN_KEY_OBJECT, lint_keys, allow, "Rule of check: the reason why it does not matter here.")};

static void read_lint(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_chain_step *step = target;
    lint_keys keys = {0};
    ctn_keys_read(reader, value, "a lint", LINT_KEYS, COUNT(LINT_KEYS), &keys);
    step->lint_allow = keys.allow;
    for (uint32_t i = 0; keys.allow && i < keys.allow->count; i++) {
        const ctn_json_member *member = &keys.allow->members[i];
        ctn_str rule = ctn_json_text(&member->key);
        if (!ctn_rule_find(rule)) {
            ctn_reader_fault(reader, &member->key, "unknown-key", "unknown rule '%.*s' in lint.allow; %.*s",
                             CTN_STR_ARG(rule), CTN_STR_ARG(ctn_rule_suggest(reader->arena, rule)));
        } else if (!ctn_json_is(&member->value, CTN_JSON_STRING) || !ctn_json_text(&member->value).len) {
            ctn_reader_fault(reader, &member->value, "type", "'%.*s' is allowed for a reason: write it as text",
                             CTN_STR_ARG(rule));
        }
    }
}

/* ---- the step ---- */

static void read_step_name(ctn_reader *reader, const ctn_json *value, void *target)
{
    ctn_str name = ctn_json_text(value);
    bool is_good = name.len <= 128;
    for (size_t i = 0; is_good && i < name.len; i++) {
        char c = name.ptr[i];
        is_good = (c >= 'a' && c <= 'z') || c == '_' || (i > 0 && c >= '0' && c <= '9');
    }
    if (is_good)
        ((ctn_chain_step *) target)->name = name;
    else
        ctn_reader_fault(reader, value, "type",
                         "'%.*s' is no step name: write a small letter or _, then small letters, digits and _",
                         CTN_STR_ARG(name));
}

static const char *const ON_ERROR[] = {"fail", "continue", NULL}; /* as ctn_on_error */
static const char *const ON_INTERRUPTED[] = {"ask", "retry", "fail", NULL};

static const ctn_key STEP_KEYS[] = {
    STEP("stepName", CTN_KEY_NAME, step_name,
         "Unique in the chain: small letters, digits and _, no digit at the start.", .is_required = true,
         .read = read_step_name),
    STEP("instructionSet", CTN_KEY_NAME, instruction_set, "The named instruction set that does the work.",
         .is_required = true),
    STEP("inputTemplate", CTN_KEY_TEMPLATE, input, "Text with placeholders; the instruction set sees it as {input}."),
    STEP("outputVariables", CTN_KEY_ANY, output_variables,
         "What is taken from the result: a list of names, or a map of variable: path in the result.",
         .read = read_outputs),
    STEP("conditionalExecution", CTN_KEY_EXPRESSION, condition,
         "An expression, asked once when the step becomes ready: skip, continue or fail, or a value (true runs the "
         "step)."),
    STEP("parallelExecution", CTN_KEY_BOOL, is_parallel,
         "May run beside its neighbours; the set's several calls run at once."),
    STEP("dependsOn", CTN_KEY_NAMES, depends_on, "Steps that this one waits for, in place of the order of the file."),
    STEP("retryConfig", CTN_KEY_OBJECT, retry.node, "When and how often a failed attempt is repeated. Default: never.",
         .read = read_retry),
    STEP("timeoutMs", CTN_KEY_INT, timeout_ms, "Milliseconds for one attempt; wins over the set's.", .min = 1,
         .max = CTN_TEN_YEARS_MS),
    STEP("idleTimeoutMs", CTN_KEY_INT, idle_timeout_ms,
         "An attempt that shows no progress for so many milliseconds is ended.", .min = 1, .max = CTN_TEN_YEARS_MS),
    STEP("fallback", CTN_KEY_LIST, fallbacks_node, "Tried in order once the retries are spent or the breaker is open.",
         .read = read_fallbacks),
    STEP("onError", CTN_KEY_WORD, on_error,
         "fail (default), or continue: the step's variables become null and the chain goes on.", .words = ON_ERROR),
    STEP("onInterrupted", CTN_KEY_WORD, on_interrupted,
         "What happens when the outcome of a write is unknown. Default: ask.", .words = ON_INTERRUPTED),
    STEP("rollbackAction", CTN_KEY_NAME, rollback_action, "The instruction set that undoes this step."),
    STEP("rollbackTemplate", CTN_KEY_TEMPLATE, rollback_template,
         "The input of the undo. Default: the step's outputs, as an object."),
    STEP("noUndo", CTN_KEY_NAME, no_undo, "The reason why nothing undoes this step."),
    STEP("templateId", CTN_KEY_NAME, template_id,
         "A document that is rendered after the step; its text fills an output variable."),
    STEP("cache", CTN_KEY_OBJECT, cache.node, "Results of equal calls are used again.", .read = read_cache),
    STEP("foreach", CTN_KEY_OBJECT, foreach.node,
         "The step is done for each item of a list; every output variable becomes a list.", .read = read_foreach),
    STEP("outputSchema", CTN_KEY_SCHEMA, output_schema, "JSON Schema that the result must satisfy."),
    STEP("release", CTN_KEY_NAMES, release, "Sensitive values that may flow into this step's tool or prompt."),
    STEP("lint", CTN_KEY_OBJECT, lint, "Warnings of check that are silenced here.", .read = read_lint),
};

/* clang-format off */
const ctn_key_table ctn_step_tables[] = {
    {"step", STEP_KEYS, COUNT(STEP_KEYS), "One step: a piece of work and what becomes of its result."},
    {"retryConfig", RETRY_KEYS, COUNT(RETRY_KEYS), NULL},
    {"fallback", FALLBACK_KEYS, COUNT(FALLBACK_KEYS), "Another instruction set, or a value that is taken as the result."},
    {"cache", CACHE_KEYS, COUNT(CACHE_KEYS), NULL},
    {"foreach", FOREACH_KEYS, COUNT(FOREACH_KEYS), NULL},
    {"items", ITEMS_RANGE_KEY, COUNT(ITEMS_RANGE_KEY), NULL},
    {"lint", LINT_KEYS, COUNT(LINT_KEYS), NULL},
};
const size_t ctn_step_table_count = COUNT(ctn_step_tables);
/* clang-format on */

/* A fallback's value is taken as the result: it must hold every name that the step takes out of it. What a document
 * fills is not known here, so a step with one is not asked. */
static void check_fallback_values(ctn_reader *reader, const ctn_chain_step *step)
{
    for (uint32_t f = 0; f < step->fallback_count; f++) {
        const ctn_json *value = step->fallbacks[f].value.node;
        for (uint32_t i = 0; value && !step->template_id && i < step->output_count; i++) {
            const ctn_chain_output *output = &step->outputs[i];
            ctn_str name = output->path ? output->path->root : output->name;
            if (ctn_json_get(value, name) || (step->output_count == 1 && !output->path))
                continue;
            ctn_reader_fault(reader, value, "type",
                             "this fallback's 'value' lacks '%.*s', which the step takes from it; add it",
                             CTN_STR_ARG(name));
        }
    }
}

void ctn_chain_step_read(ctn_reader *reader, const ctn_json *node, ctn_chain_step *ret_step)
{
    *ret_step = (ctn_chain_step){.node = node};
    if (!ctn_json_is(node, CTN_JSON_OBJECT)) {
        ctn_reader_fault(reader, node, "type", "a step must be an object with 'stepName' and 'instructionSet'");
        return;
    }
    ctn_keys_read(reader, node, "a step", STEP_KEYS, COUNT(STEP_KEYS), ret_step);
    check_fallback_values(reader, ret_step);
    if (ret_step->rollback_template.node && !ctn_json_member_of(node, "rollbackAction"))
        ctn_reader_fault(reader, ret_step->rollback_template.node, "type",
                         "'rollbackTemplate' is the input of a 'rollbackAction', which this step does not have");
}
