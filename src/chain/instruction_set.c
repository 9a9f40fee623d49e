/*
 * instruction_set.c -- one member of instructionSets: its work, its calls, and what holds for all of them.
 */
#include "chain/instruction_set.h"

#define CALLS_MAX    1000
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- tables ---- */

typedef struct set_keys {
    ctn_work_keys work; /* the first */
    ctn_chain_tree result;
    int effect;
    const ctn_json *check;
    int64_t settle_ms, max_concurrent;
    ctn_said is_restricted;
    const ctn_json *rate_limit, *breaker;
} set_keys;

static const char *const EFFECTS[] = {"none", "read", "idempotent", "write", NULL};

static const ctn_key SET_KEYS[] = {
    CTN_CALL_KINDS(CTN_WORK_KEY) CTN_ENGINE_KINDS(CTN_WORK_KEY) CTN_SEVERAL_KIND(CTN_WORK_KEY) CTN_WORK_COMMON_KEYS,
    CTN_KEY("result", CTN_KEY_TREE_OBJECT, set_keys, result, "Members beside the calls' results, as templates."),
    CTN_KEY("effect", CTN_KEY_WORD, set_keys, effect,
            "What the work does to the world: none, read, idempotent (may be repeated) or write.", .words = EFFECTS),
    CTN_KEY("check", CTN_KEY_OBJECT, set_keys, check, "A call that tells whether a write of unknown outcome happened."),
    CTN_KEY("settleMs", CTN_KEY_INT, set_keys, settle_ms,
            "How long after the send a request may still arrive, in milliseconds.", .min = 0, .max = CTN_TEN_YEARS_MS,
            .otherwise = 30000),
    CTN_KEY("restricted", CTN_KEY_BOOL, set_keys, is_restricted,
            "Only principals that were granted this set may run it."),
    CTN_KEY("rateLimit", CTN_KEY_OBJECT, set_keys, rate_limit, "A token bucket."),
    CTN_KEY("maxConcurrent", CTN_KEY_INT, set_keys, max_concurrent, "Calls of this set at once.", .min = 1,
            .max = 1000000),
    CTN_KEY("breaker", CTN_KEY_OBJECT, set_keys, breaker, "When calls are held back because too many failed."),
};
typedef struct rate_keys {
    double per_second;
    int64_t burst;
} rate_keys;
static const ctn_key RATE_KEYS[] = {
    CTN_KEY("perSecond", CTN_KEY_NUMBER, rate_keys, per_second, "Calls a second.", .min = 0, .max = 1000000,
            .is_required = true),
    CTN_KEY("burst", CTN_KEY_INT, rate_keys, burst, "Calls at once after a pause.", .min = 1, .max = 1000000,
            .otherwise = 1),
};

typedef struct breaker_keys {
    int64_t window, minimum, open_ms;
    double failure_ratio;
} breaker_keys;
static const ctn_key BREAKER_KEYS[] = {
    CTN_KEY("window", CTN_KEY_INT, breaker_keys, window, "The last so many calls are looked at.", .min = 1,
            .max = 10000, .otherwise = 20),
    CTN_KEY("minimum", CTN_KEY_INT, breaker_keys, minimum, "It opens after so many calls at the earliest.", .min = 1,
            .max = 10000, .otherwise = 5),
    CTN_KEY("failureRatio", CTN_KEY_NUMBER, breaker_keys, failure_ratio, "It opens when this share of them failed.",
            .min = 0, .max = 1, .otherwise_number = 0.5),
    CTN_KEY("openMs", CTN_KEY_INT, breaker_keys, open_ms, "After so many milliseconds one call is let through.",
            .min = 1, .max = CTN_TEN_YEARS_MS, .otherwise = 30000),
};

const ctn_key_table ctn_set_tables[] = {
    {"instructionSet", SET_KEYS, COUNT(SET_KEYS),
     "A named way of doing work: one kind of work, and what holds for it."},
    {"rateLimit", RATE_KEYS, COUNT(RATE_KEYS), NULL},
    {"breaker", BREAKER_KEYS, COUNT(BREAKER_KEYS), NULL},
};
const size_t ctn_set_table_count = COUNT(ctn_set_tables);

/* ---- reading ---- */

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
        ctn_work_read_call(reader, &member->value, arguments, call);
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
    set->limits = (ctn_set_limits){
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

static bool takes_secrets(ctn_work_kind kind)
{
    return ctn_work_kind_is_call(kind) && kind != CTN_WORK_TRANSFORM;
}

static void refuse_secrets(ctn_reader *reader, const ctn_reads *reads, const char *what)
{
    for (size_t i = 0; i < reads->count; i++)
        if (ctn_str_is(reads->items[i].root, "secret"))
            ctn_reader_fault(
                reader, reads->items[i].node, "undefined-variable",
                "{%.*s} has no value in %s: a secret is there only in what a tool, an http call, a prompt, a "
                "command or a function is sent",
                CTN_STR_ARG(reads->items[i].path), what);
}

/* Secrets go to whoever does a call, and into no value of a chain. */
static void check_secrets(ctn_reader *reader, const ctn_instruction_set *set)
{
    ctn_reads reads = {0};
    if (set->work.kind != CTN_WORK_UNKNOWN && set->work.kind != CTN_WORK_CALLS && !takes_secrets(set->work.kind)) {
        ctn_work_reads(&set->work, reader->arena, &reads);
        refuse_secrets(reader, &reads, ctn_work_kind_what(set->work.kind));
    }
    for (uint32_t i = 0; i < set->call_count; i++) {
        reads = (ctn_reads){0};
        if (set->calls[i].kind == CTN_WORK_TRANSFORM)
            ctn_work_reads(&set->calls[i], reader->arena, &reads);
        refuse_secrets(reader, &reads, "a transform");
    }
    reads = (ctn_reads){0};
    ctn_tree_reads(set->result.tree, reader->arena, &reads);
    refuse_secrets(reader, &reads, "'result'");
}

static void read_set(ctn_reader *reader, ctn_instruction_set *set)
{
    set_keys keys = {0};
    ctn_keys_read(reader, set->node, "an instruction set", SET_KEYS, COUNT(SET_KEYS), &keys);
    ctn_chain_tree arguments = ctn_work_default_arguments(reader);
    ctn_work_of_keys(reader, set->node, "an instruction set", SET_KEYS, COUNT(SET_KEYS), &keys.work, &arguments,
                     &set->work);
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
        ctn_work *check = CTN_NEW(reader->arena, ctn_work);
        ctn_work_read_check(reader, keys.check, &arguments, check);
        set->check = check;
    }
    check_secrets(reader, set);
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

/* Takes out, from number `from` on, what reads the result of one of the first `count` calls. */
static void drop_results(const ctn_instruction_set *set, uint32_t count, size_t from, ctn_reads *reads)
{
    size_t kept = from;
    for (size_t r = from; r < reads->count; r++) {
        bool is_result = false;
        for (uint32_t i = 0; i < count; i++)
            is_result |= ctn_str_equal(reads->items[r].root, set->calls[i].name);
        if (!is_result)
            reads->items[kept++] = reads->items[r];
    }
    reads->count = kept;
}

void ctn_instruction_set_reads(const ctn_instruction_set *set, ctn_arena *arena, ctn_reads *reads)
{
    if (!set)
        return;
    ctn_work_reads(&set->work, arena, reads);
    for (uint32_t i = 0; i < set->call_count; i++) {
        size_t before = reads->count;
        ctn_work_reads(&set->calls[i], arena, reads);
        drop_results(set, i, before, reads);
    }
    size_t before = reads->count;
    ctn_tree_reads(set->result.tree, arena, reads);
    drop_results(set, set->call_count, before, reads);
    if (set->check)
        ctn_work_reads(set->check, arena, reads);
}
