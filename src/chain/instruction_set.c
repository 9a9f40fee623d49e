/*
 * instruction_set.c -- one member of instructionSets: exactly one kind of work, its details, the common keys.
 *
 * A set, a call inside `calls` and a `check` are the same thing seen at three sizes: which kinds of work
 * each may hold is a mask. The default arguments are {"input": "{input?}"}: what the step's inputTemplate gave, and
 * no member at all when the step has none.
 */
#include "chain/instruction_set.h"
#include "chain/plan.h"
#include "value/transform_check.h"
#include <assert.h>
#include <stddef.h>

#define CALLS_MAX 1000

/* ---- tables ---- */

typedef struct work_keys {
    const ctn_json *kinds[CTN_WORK_KIND_COUNT];
    ctn_chain_tree arguments;
    int64_t timeout_ms;
} work_keys;

typedef struct set_keys {
    work_keys work;
    ctn_chain_tree result;
    int effect;
    const ctn_json *check;
    int64_t settle_ms, max_concurrent;
    ctn_said is_restricted;
    const ctn_json *rate_limit, *breaker;
} set_keys;

#define KIND(key, value_type, kind)                                                                                    \
    {                                                                                                                  \
        .name = key, .type = value_type, .offset = offsetof(work_keys, kinds) + sizeof(void *) * (kind)                \
    }
#define KEY(key, value_type, structure, member, ...)                                                                   \
    {                                                                                                                  \
        .name = key, .type = value_type, .offset = offsetof(structure, member), __VA_ARGS__                            \
    }

#define CALL_KINDS                                                                                                     \
    KIND("tool", CTN_KEY_NAME, CTN_WORK_TOOL), KIND("native", CTN_KEY_NAME, CTN_WORK_NATIVE),                          \
        KIND("prompt", CTN_KEY_OBJECT, CTN_WORK_PROMPT), KIND("transform", CTN_KEY_NAME, CTN_WORK_TRANSFORM),          \
        KIND("http", CTN_KEY_OBJECT, CTN_WORK_HTTP), KIND("command", CTN_KEY_OBJECT, CTN_WORK_COMMAND)
#define WORK_COMMON                                                                                                    \
    KEY("arguments", CTN_KEY_TREE_OBJECT, work_keys, arguments, 0),                                                    \
        KEY("timeoutMs", CTN_KEY_INT, work_keys, timeout_ms, .min = 1, .max = CTN_TEN_YEARS_MS)

static const char *const EFFECTS[] = {"none", "read", "idempotent", "write", NULL};

static const ctn_key SET_KEYS[] = {
    CALL_KINDS,
    KIND("wait", CTN_KEY_OBJECT, CTN_WORK_WAIT),
    KIND("approval", CTN_KEY_OBJECT, CTN_WORK_APPROVAL),
    KIND("agent", CTN_KEY_OBJECT, CTN_WORK_AGENT),
    KIND("chain", CTN_KEY_NAME, CTN_WORK_CHAIN),
    KIND("calls", CTN_KEY_OBJECT, CTN_WORK_CALLS),
    WORK_COMMON,
    KEY("result", CTN_KEY_TREE_OBJECT, set_keys, result, 0),
    KEY("effect", CTN_KEY_WORD, set_keys, effect, .words = EFFECTS),
    KEY("check", CTN_KEY_OBJECT, set_keys, check, 0),
    KEY("settleMs", CTN_KEY_INT, set_keys, settle_ms, .min = 0, .max = CTN_TEN_YEARS_MS, .otherwise = 30000),
    KEY("restricted", CTN_KEY_BOOL, set_keys, is_restricted, 0),
    KEY("rateLimit", CTN_KEY_OBJECT, set_keys, rate_limit, 0),
    KEY("maxConcurrent", CTN_KEY_INT, set_keys, max_concurrent, .min = 1, .max = 1000000),
    KEY("breaker", CTN_KEY_OBJECT, set_keys, breaker, 0),
};
static const ctn_key CALL_KEYS[] = {CALL_KINDS, WORK_COMMON};
static const ctn_key CHECK_KEYS[] = {KIND("tool", CTN_KEY_NAME, CTN_WORK_TOOL),
                                     KIND("http", CTN_KEY_OBJECT, CTN_WORK_HTTP), WORK_COMMON};

typedef struct wait_keys {
    int64_t ms;
    ctn_chain_template until;
} wait_keys;
static const ctn_key WAIT_KEYS[] = {
    KEY("ms", CTN_KEY_INT, wait_keys, ms, .min = 0, .max = CTN_TEN_YEARS_MS, .otherwise = -1),
    KEY("until", CTN_KEY_TEMPLATE, wait_keys, until, 0),
};

typedef struct approval_keys {
    ctn_chain_template message;
    const ctn_json *who;
    int64_t timeout_ms;
    int on_timeout;
} approval_keys;
static const char *const ON_TIMEOUT[] = {"fail", "reject", "approve", NULL}; /* as ctn_on_timeout */
static const ctn_key APPROVAL_KEYS[] = {
    KEY("message", CTN_KEY_TEMPLATE, approval_keys, message, 0),
    KEY("who", CTN_KEY_NAMES, approval_keys, who, 0),
    KEY("timeoutMs", CTN_KEY_INT, approval_keys, timeout_ms, .min = 1, .max = CTN_TEN_YEARS_MS),
    KEY("onTimeout", CTN_KEY_WORD, approval_keys, on_timeout, .words = ON_TIMEOUT),
};

typedef struct prompt_keys {
    const ctn_json *model, *instructions, *schema;
} prompt_keys;
static const ctn_key PROMPT_KEYS[] = {
    KEY("model", CTN_KEY_NAME, prompt_keys, model, 0),
    KEY("instructions", CTN_KEY_NAME, prompt_keys, instructions, .is_required = true),
    KEY("schema", CTN_KEY_SCHEMA, prompt_keys, schema, 0),
};
static const ctn_key AGENT_KEYS[] = {
    KEY("instructions", CTN_KEY_NAME, prompt_keys, instructions, .is_required = true),
    KEY("outputSchema", CTN_KEY_SCHEMA, prompt_keys, schema, 0),
};

typedef struct http_keys {
    int method;
    ctn_chain_template url;
    ctn_chain_tree headers, body;
} http_keys;
static const char *const METHODS[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
static const ctn_key HTTP_KEYS[] = {
    KEY("method", CTN_KEY_WORD, http_keys, method, .words = METHODS),
    KEY("url", CTN_KEY_TEMPLATE, http_keys, url, .is_required = true),
    KEY("headers", CTN_KEY_TREE_OBJECT, http_keys, headers, 0),
    KEY("body", CTN_KEY_TREE, http_keys, body, 0),
};

typedef struct command_keys {
    const ctn_json *list;
    ctn_chain_tree argv;
    int64_t timeout_ms;
} command_keys;
static void read_argv(ctn_reader *reader, const ctn_json *value, void *target);
static const ctn_key COMMAND_KEYS[] = {
    KEY("argv", CTN_KEY_TREE, command_keys, argv, .is_required = true, .read = read_argv),
    KEY("timeoutMs", CTN_KEY_INT, command_keys, timeout_ms, .min = 1, .max = CTN_TEN_YEARS_MS),
};

typedef struct rate_keys {
    double per_second;
    int64_t burst;
} rate_keys;
static const ctn_key RATE_KEYS[] = {
    KEY("perSecond", CTN_KEY_NUMBER, rate_keys, per_second, .min = 0, .max = 1000000, .is_required = true),
    KEY("burst", CTN_KEY_INT, rate_keys, burst, .min = 1, .max = 1000000, .otherwise = 1),
};

typedef struct breaker_keys {
    int64_t window, minimum, open_ms;
    double failure_ratio;
} breaker_keys;
static const ctn_key BREAKER_KEYS[] = {
    KEY("window", CTN_KEY_INT, breaker_keys, window, .min = 1, .max = 10000, .otherwise = 20),
    KEY("minimum", CTN_KEY_INT, breaker_keys, minimum, .min = 1, .max = 10000, .otherwise = 5),
    KEY("failureRatio", CTN_KEY_NUMBER, breaker_keys, failure_ratio, .min = 0, .max = 1, .otherwise_number = 0.5),
    KEY("openMs", CTN_KEY_INT, breaker_keys, open_ms, .min = 1, .max = CTN_TEN_YEARS_MS, .otherwise = 30000),
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* clang-format off */
const ctn_key_table ctn_set_tables[] = {
    {"instructionSet", SET_KEYS, COUNT(SET_KEYS)},
    {"call", CALL_KEYS, COUNT(CALL_KEYS)},
    {"check", CHECK_KEYS, COUNT(CHECK_KEYS)},
    {"wait", WAIT_KEYS, COUNT(WAIT_KEYS)},
    {"approval", APPROVAL_KEYS, COUNT(APPROVAL_KEYS)},
    {"prompt", PROMPT_KEYS, COUNT(PROMPT_KEYS)},
    {"agent", AGENT_KEYS, COUNT(AGENT_KEYS)},
    {"http", HTTP_KEYS, COUNT(HTTP_KEYS)},
    {"command", COMMAND_KEYS, COUNT(COMMAND_KEYS)},
    {"rateLimit", RATE_KEYS, COUNT(RATE_KEYS)},
    {"breaker", BREAKER_KEYS, COUNT(BREAKER_KEYS)},
};
const size_t ctn_set_table_count = COUNT(ctn_set_tables);
/* clang-format on */

static const char *const KIND_NAMES[CTN_WORK_KIND_COUNT] = {
    "tool", "native", "prompt", "transform", "http", "command", "wait", "approval", "agent", "chain", "calls"};

const char *ctn_work_kind_name(ctn_work_kind kind)
{
    return (unsigned) kind < CTN_WORK_KIND_COUNT ? KIND_NAMES[kind] : "unknown";
}

/* ---- details by kind ---- */

static void read_argv(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    if (!ctn_json_is(value, CTN_JSON_ARRAY) || ctn_json_count(value) == 0) {
        ctn_reader_fault(reader, value, "type",
                         "'argv' must be a list that begins with the program, like [convert, \"{file}\"]");
        return;
    }
    for (size_t i = 0; i < ctn_json_count(value); i++)
        if (!ctn_json_is(ctn_json_at(value, i), CTN_JSON_STRING))
            ctn_reader_fault(reader, ctn_json_at(value, i), "type",
                             "an item of 'argv' must be a text; put it in quotes");
}

static void read_tool(ctn_reader *reader, const ctn_json *detail)
{
    ctn_str rest = ctn_json_text(detail);
    ctn_str server = ctn_str_cut(&rest, '/');
    if (server.len == 0 || rest.len == 0)
        ctn_reader_fault(reader, detail, "type",
                         "'tool' must be server/tool, the server's name in catena.yaml and its tool; '%.*s' is not",
                         CTN_STR_ARG(ctn_json_text(detail)));
}

static void read_transform(ctn_reader *reader, const ctn_json *detail)
{
    ctn_err err = {0};
    if (ctn_transform_check(ctn_json_text(detail), &err))
        ctn_reader_fault(reader, detail, "bad-expression", "'transform', at character %u: %s", err.column, err.message);
}

static void read_wait(ctn_reader *reader, ctn_work *work)
{
    wait_keys keys = {0};
    ctn_keys_read(reader, work->detail, "a wait", WAIT_KEYS, COUNT(WAIT_KEYS), &keys);
    bool says_ms = ctn_json_member_of(work->detail, "ms") != NULL;
    bool says_until = ctn_json_member_of(work->detail, "until") != NULL;
    if (says_ms == says_until)
        ctn_reader_fault(reader, work->detail, "type", "a wait needs either 'ms' or 'until', one of the two");
    work->wait_ms = keys.ms;
    work->until = keys.until;
}

static void read_detail(ctn_reader *reader, ctn_work *work)
{
    prompt_keys prompt = {0};
    switch (work->kind) {
    case CTN_WORK_TOOL: read_tool(reader, work->detail); break;
    case CTN_WORK_TRANSFORM: read_transform(reader, work->detail); break;
    case CTN_WORK_WAIT: read_wait(reader, work); break;
    case CTN_WORK_APPROVAL: {
        approval_keys keys = {0};
        ctn_keys_read(reader, work->detail, "an approval", APPROVAL_KEYS, COUNT(APPROVAL_KEYS), &keys);
        work->message = keys.message;
        work->who = keys.who;
        work->answer_timeout_ms = keys.timeout_ms;
        work->on_timeout = keys.on_timeout;
        break;
    }
    case CTN_WORK_PROMPT:
        ctn_keys_read(reader, work->detail, "a prompt", PROMPT_KEYS, COUNT(PROMPT_KEYS), &prompt);
        break;
    case CTN_WORK_AGENT: ctn_keys_read(reader, work->detail, "an agent", AGENT_KEYS, COUNT(AGENT_KEYS), &prompt); break;
    case CTN_WORK_HTTP: {
        http_keys keys = {0};
        ctn_keys_read(reader, work->detail, "an http call", HTTP_KEYS, COUNT(HTTP_KEYS), &keys);
        work->url = keys.url;
        work->headers = keys.headers;
        work->body = keys.body;
        work->method = ctn_json_member_of(work->detail, "method");
        break;
    }
    case CTN_WORK_COMMAND: {
        command_keys keys = {0};
        ctn_keys_read(reader, work->detail, "a command", COMMAND_KEYS, COUNT(COMMAND_KEYS), &keys);
        work->argv = keys.argv;
        if (!work->timeout_ms)
            work->timeout_ms = keys.timeout_ms;
        break;
    }
    default: break;
    }
}

/* ---- work ---- */

static ctn_chain_tree default_arguments(ctn_reader *reader)
{
    ctn_json_builder object = ctn_json_object(reader->arena);
    ctn_json_put_str(&object, "input", CTN_STR("{input?}"));
    ctn_chain_tree arguments = {.node = NULL};
    const ctn_json *bad = NULL;
    ctn_err err = {0};
    int rc = ctn_tree_compile(reader->arena, ctn_json_finish(&object), &arguments.tree, &bad, &err);
    assert(rc == CTN_OK);
    return arguments;
}

/* The kinds of work that a table of keys offers, for the sentence. */
static ctn_str offered(ctn_arena *arena, const ctn_key *keys, size_t count)
{
    ctn_buf text;
    ctn_buf_init(&text, 512);
    for (size_t i = 0; i < count; i++)
        if (keys[i].offset < sizeof((work_keys *) 0)->kinds)
            ctn_buf_printf(&text, "%s%s", text.len ? ", " : "", keys[i].name);
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

/* A key that is none was told; which work was meant stands in it. */
static bool has_unknown_key(const ctn_json *node, const ctn_key *keys, size_t count)
{
    for (uint32_t m = 0; m < node->count; m++) {
        bool is_known = false;
        for (size_t i = 0; i < count; i++)
            is_known |= ctn_str_is(ctn_json_text(&node->members[m].key), keys[i].name);
        if (!is_known)
            return true;
    }
    return false;
}

/* Which one of the kinds was said; a fault when none or two were. */
static void read_work(ctn_reader *reader, const ctn_json *node, const char *what, const ctn_key *keys, size_t count,
                      const work_keys *read, const ctn_chain_tree *arguments, ctn_work *ret_work)
{
    ctn_work *work = ret_work;
    work->node = node;
    work->kind = CTN_WORK_UNKNOWN;
    work->wait_ms = -1;
    work->timeout_ms = read->timeout_ms;
    const ctn_json *second = NULL;
    size_t said = 0;
    for (uint32_t m = 0; m < node->count; m++)
        for (int kind = 0; kind < CTN_WORK_KIND_COUNT; kind++) {
            if (!ctn_str_is(ctn_json_text(&node->members[m].key), KIND_NAMES[kind]))
                continue;
            bool is_offered = false;
            for (size_t i = 0; i < count; i++)
                is_offered |= ctn_str_is(ctn_json_text(&node->members[m].key), keys[i].name);
            if (!is_offered)
                continue; /* an unknown key here, and told as such */
            if (said++ == 0)
                work->kind = (ctn_work_kind) kind;
            else
                second = &node->members[m].key;
        }
    if (second)
        ctn_reader_fault(reader, second, "type", "%s does one kind of work; it says '%s' and '%.*s': take one out",
                         what, ctn_work_kind_name(work->kind), CTN_STR_ARG(ctn_json_text(second)));
    if (said == 0 && !has_unknown_key(node, keys, count)) {
        ctn_str kinds = offered(reader->arena, keys, count);
        ctn_reader_fault(reader, node, "type", "%s does not say what work it does; add one of %.*s", what,
                         CTN_STR_ARG(kinds));
    }
    work->arguments = read->arguments.tree ? read->arguments : *arguments;
    if (work->kind == CTN_WORK_UNKNOWN)
        return;
    work->detail = read->kinds[work->kind];
    if (work->detail)
        read_detail(reader, work);
    else
        work->kind = CTN_WORK_UNKNOWN; /* of the wrong type, and told */
}

static void read_calls(ctn_reader *reader, ctn_instruction_set *set, const ctn_chain_tree *arguments)
{
    const ctn_json *object = set->work.detail;
    size_t count = ctn_json_count(object);
    if (count == 0 || count > CALLS_MAX) {
        ctn_reader_fault(reader, object, "type", "'calls' must hold from 1 to %d calls, name: {tool: server/tool}",
                         CALLS_MAX);
        return;
    }
    set->calls = CTN_NEW_ARRAY(reader->arena, ctn_work, count);
    for (uint32_t i = 0; i < count; i++) {
        const ctn_json_member *member = &object->members[i];
        ctn_work *call = &set->calls[set->call_count++];
        call->name = ctn_json_text(&member->key);
        call->name_node = &member->key;
        call->kind = CTN_WORK_UNKNOWN;
        call->arguments = *arguments;
        ctn_reader_variable(reader, &member->key, call->name, "a call");
        if (!ctn_json_is(&member->value, CTN_JSON_OBJECT)) {
            ctn_reader_fault(reader, &member->value, "type", "a call must be an object, like {tool: server/tool}");
            continue;
        }
        work_keys keys = {0};
        ctn_keys_read(reader, &member->value, "a call", CALL_KEYS, COUNT(CALL_KEYS), &keys);
        read_work(reader, &member->value, "a call", CALL_KEYS, COUNT(CALL_KEYS), &keys, arguments, call);
    }
}

static void read_limits(ctn_reader *reader, const set_keys *keys, ctn_instruction_set *set)
{
    rate_keys rate = {0};
    breaker_keys breaker = {.window = 20, .minimum = 5, .failure_ratio = 0.5, .open_ms = 30000};
    if (keys->rate_limit)
        ctn_keys_read(reader, keys->rate_limit, "a rate limit", RATE_KEYS, COUNT(RATE_KEYS), &rate);
    if (keys->rate_limit && ctn_json_get(keys->rate_limit, CTN_STR("perSecond")) && rate.per_second <= 0)
        ctn_reader_fault(reader, keys->rate_limit, "type", "'perSecond' of a rate limit must be more than 0");
    if (keys->breaker)
        ctn_keys_read(reader, keys->breaker, "a breaker", BREAKER_KEYS, COUNT(BREAKER_KEYS), &breaker);
    set->limits = (ctn_plan_limits){
        .rate_per_second = rate.per_second,
        .rate_burst = rate.burst,
        .max_concurrent = keys->max_concurrent,
        .breaker_window = breaker.window,
        .breaker_minimum = breaker.minimum,
        .breaker_failure_ratio = breaker.failure_ratio,
        .breaker_open_ms = breaker.open_ms,
        .breaker_is_said = keys->breaker != NULL,
    };
}

static void read_set(ctn_reader *reader, ctn_instruction_set *set)
{
    set_keys keys = {0};
    ctn_keys_read(reader, set->node, "an instruction set", SET_KEYS, COUNT(SET_KEYS), &keys);
    ctn_chain_tree arguments = default_arguments(reader);
    read_work(reader, set->node, "an instruction set", SET_KEYS, COUNT(SET_KEYS), &keys.work, &arguments, &set->work);
    if (set->work.kind == CTN_WORK_CALLS)
        read_calls(reader, set, &set->work.arguments);
    set->result = keys.result;
    if (set->result.node && set->work.kind != CTN_WORK_CALLS)
        ctn_reader_fault(reader, set->result.node, "type",
                         "'result' adds members beside the results of 'calls'; this set has no 'calls'");
    set->effect = keys.effect ? (ctn_effect) (keys.effect - 1) : CTN_EFFECT_UNKNOWN;
    set->settle_ms = keys.settle_ms;
    set->is_restricted = keys.is_restricted;
    set->max_concurrent = keys.max_concurrent;
    set->rate_limit = keys.rate_limit;
    set->breaker = keys.breaker;
    read_limits(reader, &keys, set);
    if (keys.check) {
        work_keys check_keys = {0};
        ctn_work *check = CTN_NEW(reader->arena, ctn_work);
        ctn_keys_read(reader, keys.check, "a check", CHECK_KEYS, COUNT(CHECK_KEYS), &check_keys);
        read_work(reader, keys.check, "a check", CHECK_KEYS, COUNT(CHECK_KEYS), &check_keys, &arguments, check);
        check->name = CTN_STR("check");
        set->check = check;
    }
}

const ctn_instruction_set *ctn_instruction_set_read(ctn_arena *arena, const ctn_source *source,
                                                    const ctn_json *name_node, const ctn_json *node,
                                                    ctn_findings *findings)
{
    ctn_reader reader = {.arena = arena, .source = source, .findings = findings};
    ctn_instruction_set *set = CTN_NEW(arena, ctn_instruction_set);
    set->name = ctn_json_text(name_node);
    set->name_node = name_node;
    set->node = node;
    set->source = source;
    set->effect = CTN_EFFECT_UNKNOWN;
    set->work.kind = CTN_WORK_UNKNOWN;
    set->work.wait_ms = -1;
    if (set->name.len == 0 || set->name.len > 128)
        ctn_reader_fault(&reader, name_node, "type", "the name of an instruction set has from 1 to 128 bytes");
    if (ctn_json_is(node, CTN_JSON_OBJECT))
        read_set(&reader, set);
    else
        ctn_reader_fault(&reader, node, "type", "an instruction set must be an object, like {tool: server/tool}");
    set->fault_count = reader.fault_count;
    set->fault_first = reader.fault_first;
    return set;
}

/* ---- reads ---- */

typedef struct set_reading {
    const ctn_instruction_set *set;
    uint32_t calls_before; /* results of these may be read by name */
    ctn_arena *scratch;
    ctn_set_read_fn *on_read;
    void *ctx;
} set_reading;

static void tell_read(void *ctx, const ctn_read *read, const ctn_json *node)
{
    set_reading *reading = ctx;
    for (uint32_t i = 0; i < reading->calls_before; i++)
        if (ctn_str_equal(read->root, reading->set->calls[i].name))
            return;
    reading->on_read(reading->ctx, read, node);
}

static void tree_reads(set_reading *reading, const ctn_chain_tree *tree)
{
    if (tree->tree)
        ctn_tree_reads(tree->tree, reading->scratch, tell_read, reading);
}

static void template_reads(set_reading *reading, const ctn_chain_template *template)
{
    if (!template->template)
        return;
    ctn_reads reads = {0};
    ctn_template_reads(template->template, reading->scratch, &reads);
    for (size_t i = 0; i < reads.count; i++)
        tell_read(reading, &reads.items[i], template->node);
}

/* The kinds that send no arguments read none. */
static bool takes_arguments(ctn_work_kind kind)
{
    return kind != CTN_WORK_WAIT && kind != CTN_WORK_APPROVAL && kind != CTN_WORK_CALLS && kind != CTN_WORK_HTTP &&
           kind != CTN_WORK_COMMAND && kind != CTN_WORK_UNKNOWN;
}

static void work_reads(set_reading *reading, const ctn_work *work)
{
    if (takes_arguments(work->kind))
        tree_reads(reading, &work->arguments);
    template_reads(reading, &work->url);
    template_reads(reading, &work->message);
    template_reads(reading, &work->until);
    tree_reads(reading, &work->headers);
    tree_reads(reading, &work->body);
    tree_reads(reading, &work->argv);
}

void ctn_instruction_set_reads(const ctn_instruction_set *set, ctn_arena *scratch, ctn_set_read_fn *on_read, void *ctx)
{
    set_reading reading = {.set = set, .scratch = scratch, .on_read = on_read, .ctx = ctx};
    work_reads(&reading, &set->work);
    for (uint32_t i = 0; i < set->call_count; i++) {
        reading.calls_before = i;
        work_reads(&reading, &set->calls[i]);
    }
    reading.calls_before = set->call_count;
    tree_reads(&reading, &set->result);
    reading.calls_before = 0;
    if (set->check)
        work_reads(&reading, set->check);
}

/* ---- effects ---- */

ctn_effect ctn_work_assumed_effect(const ctn_work *work)
{
    switch (work->kind) {
    case CTN_WORK_TRANSFORM:
    case CTN_WORK_WAIT:
    case CTN_WORK_APPROVAL:
    case CTN_WORK_AGENT:
    case CTN_WORK_CHAIN: return CTN_EFFECT_NONE;
    case CTN_WORK_PROMPT: return CTN_EFFECT_READ;
    case CTN_WORK_HTTP: {
        ctn_str method = ctn_json_text(work->method);
        if (ctn_str_is(method, "GET") || ctn_str_is(method, "HEAD") || (!method.len && !work->body.node))
            return CTN_EFFECT_READ;
        return ctn_str_is(method, "PUT") || ctn_str_is(method, "DELETE") ? CTN_EFFECT_IDEMPOTENT : CTN_EFFECT_WRITE;
    }
    default: return CTN_EFFECT_WRITE;
    }
}
