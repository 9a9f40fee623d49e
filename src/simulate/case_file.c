/*
 * case_file.c -- see case_file.h. Read by tables, as everything that people write, so that a wrong key gets its
 * sentence.
 */
#include "simulate/case_file.h"

#include "value/calendar.h"

#include <stddef.h>

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

typedef struct top_keys {
    const ctn_json *chain, *config, *tools, *cases;
} top_keys;
static const ctn_key TOP_KEYS[] = {
    {"chain", CTN_KEY_NAME, offsetof(top_keys, chain), .is_required = true},
    {"config", CTN_KEY_NAME, offsetof(top_keys, config)},
    {"tools", CTN_KEY_OBJECT, offsetof(top_keys, tools)},
    {"cases", CTN_KEY_LIST, offsetof(top_keys, cases), .is_required = true},
};

typedef struct case_keys {
    const ctn_json *name, *input, *now, *tools, *answers, *expect;
} case_keys;
static const ctn_key CASE_KEYS[] = {
    {"name", CTN_KEY_NAME, offsetof(case_keys, name), .is_required = true},
    {"input", CTN_KEY_OBJECT, offsetof(case_keys, input)},
    {"now", CTN_KEY_ANY, offsetof(case_keys, now)},
    {"tools", CTN_KEY_OBJECT, offsetof(case_keys, tools)},
    {"answers", CTN_KEY_OBJECT, offsetof(case_keys, answers)},
    {"expect", CTN_KEY_OBJECT, offsetof(case_keys, expect), .is_required = true},
};

typedef struct expect_keys {
    const ctn_json *status, *outputs, *error, *calls, *steps;
} expect_keys;
static const ctn_key EXPECT_KEYS[] = {
    {"status", CTN_KEY_NAME, offsetof(expect_keys, status)}, {"outputs", CTN_KEY_ANY, offsetof(expect_keys, outputs)},
    {"error", CTN_KEY_OBJECT, offsetof(expect_keys, error)}, {"calls", CTN_KEY_ANY, offsetof(expect_keys, calls)},
    {"steps", CTN_KEY_OBJECT, offsetof(expect_keys, steps)},
};

typedef struct error_keys {
    const ctn_json *code, *step, *message;
} error_keys;
static const ctn_key ERROR_KEYS[] = {
    {"code", CTN_KEY_NAME, offsetof(error_keys, code)},
    {"step", CTN_KEY_NAME, offsetof(error_keys, step)},
    {"message", CTN_KEY_TEXT, offsetof(error_keys, message)},
};

typedef struct call_keys {
    const ctn_json *tool, *step, *args;
} call_keys;
static const ctn_key CALL_KEYS[] = {
    {"tool", CTN_KEY_NAME, offsetof(call_keys, tool), .is_required = true},
    {"step", CTN_KEY_NAME, offsetof(call_keys, step)},
    {"args", CTN_KEY_OBJECT, offsetof(call_keys, args)},
};

typedef struct entry_keys {
    const ctn_json *args, *answer, *error, *message;
    ctn_said sent;
    int64_t retry_after_ms, after_ms;
} entry_keys;
static const ctn_key ENTRY_KEYS[] = {
    {"args", CTN_KEY_OBJECT, offsetof(entry_keys, args)},
    {"answer", CTN_KEY_ANY, offsetof(entry_keys, answer)},
    {"error", CTN_KEY_NAME, offsetof(entry_keys, error)},
    {"message", CTN_KEY_TEXT, offsetof(entry_keys, message)},
    {"sent", CTN_KEY_BOOL, offsetof(entry_keys, sent)},
    {"retryAfterMs", CTN_KEY_INT, offsetof(entry_keys, retry_after_ms), .max = CTN_TEN_YEARS_MS},
    {"afterMs", CTN_KEY_INT, offsetof(entry_keys, after_ms), .max = CTN_TEN_YEARS_MS},
};

/* ---- answers ---- */

/* {error: ...}, {answer: ...}, {args: ...}: one of ours. An object with any other key is an answer as it is. */
static bool is_entry(const ctn_json *node)
{
    bool speaks =
        ctn_json_member_of(node, "error") || ctn_json_member_of(node, "answer") || ctn_json_member_of(node, "args");
    for (size_t i = 0; ctn_json_is(node, CTN_JSON_OBJECT) && i < ctn_json_count(node); i++) {
        bool is_known = false;
        for (size_t k = 0; k < COUNT_OF(ENTRY_KEYS); k++)
            is_known = is_known || ctn_str_is(ctn_json_text(&node->members[i].key), ENTRY_KEYS[k].name);
        if (!is_known)
            return false;
    }
    return speaks;
}

static ctn_failure read_failure(ctn_reader *r, const ctn_json *node)
{
    ctn_str names[CTN_FAILURE_COUNT];
    size_t count = 0;
    for (int i = 1; i < CTN_FAILURE_COUNT; i++)
        names[count++] = ctn_str_from(ctn_failure_name((ctn_failure) i));
    ctn_failure failure = ctn_failure_from_name(ctn_json_text(node));
    if (!failure)
        ctn_reader_fault(r, node, "type", "there is no failure '%.*s'; %.*s", CTN_STR_ARG(ctn_json_text(node)),
                         CTN_STR_ARG(ctn_suggest(r->arena, ctn_json_text(node), names, count)));
    return failure;
}

static void read_entry(ctn_reader *r, const ctn_json *node, ctn_case_entry *ret)
{
    *ret = (ctn_case_entry){.node = node, .value = node, .was_sent = true};
    if (!is_entry(node))
        return;
    entry_keys k = {0};
    ctn_keys_read(r, node, "an answer", ENTRY_KEYS, COUNT_OF(ENTRY_KEYS), &k);
    ret->args = k.args;
    ret->value = k.answer ? k.answer : &ctn_json_null;
    ret->retry_after_ms = k.retry_after_ms;
    ret->after_ms = k.after_ms;
    if (k.error && k.answer)
        ctn_reader_fault(r, node, "type", "a tool answers or fails: give one of answer and error");
    if (!k.error) {
        if (!k.answer)
            ctn_reader_fault(r, node, "type", "what does the tool answer to these arguments? give answer or error");
        return;
    }
    ret->failure = read_failure(r, k.error);
    ret->message = k.message ? ctn_json_text(k.message) : CTN_STR("so the test case says");
    bool is_before = ret->failure == CTN_FAILURE_UNAVAILABLE || ret->failure == CTN_FAILURE_RATE_LIMITED ||
                     ret->failure == CTN_FAILURE_BREAKER_OPEN || ret->failure == CTN_FAILURE_DENIED;
    ret->was_sent = k.sent == CTN_UNSAID ? !is_before : k.sent == CTN_SAID_TRUE;
}

static void read_tool(ctn_reader *r, const ctn_json_member *member, ctn_case_tool *ret)
{
    const ctn_json *value = &member->value;
    bool is_list = ctn_json_is(value, CTN_JSON_ARRAY);
    *ret = (ctn_case_tool){
        .node = &member->key, .name = ctn_json_text(&member->key), .count = is_list ? ctn_json_count(value) : 1};
    if (is_list && ret->count == 0)
        ctn_reader_fault(r, value, "type", "no answer at all: leave the tool out, and a call of it fails the case");
    ret->entries = CTN_NEW_ARRAY(r->arena, ctn_case_entry, ret->count);
    for (size_t i = 0; i < ret->count; i++)
        read_entry(r, is_list ? ctn_json_at(value, i) : value, &ret->entries[i]);
}

/* The case's own over those of the file. */
static void read_tools(ctn_reader *r, const ctn_json *shared, const ctn_json *own, ctn_case *c)
{
    c->tools = CTN_NEW_ARRAY(r->arena, ctn_case_tool, ctn_json_count(shared) + ctn_json_count(own));
    for (size_t i = 0; i < ctn_json_count(own); i++)
        read_tool(r, &own->members[i], &c->tools[c->tool_count++]);
    for (size_t i = 0; i < ctn_json_count(shared); i++)
        if (!ctn_json_get(own, ctn_json_text(&shared->members[i].key)))
            read_tool(r, &shared->members[i], &c->tools[c->tool_count++]);
}

/* ---- people ---- */

typedef struct word_keys {
    const ctn_json *answer;
    int64_t after_ms;
} word_keys;

static const ctn_key WORD_KEYS[] = {
    {"answer", CTN_KEY_ANY, offsetof(word_keys, answer)},
    {"afterMs", CTN_KEY_INT, offsetof(word_keys, after_ms), .max = CTN_TEN_YEARS_MS},
};

/* {answer: ..., afterMs: ...} is ours; any other value is what is said, null that nothing is. */
static ctn_case_word read_word(ctn_reader *r, const ctn_json *node)
{
    size_t known = ctn_json_member_of(node, "afterMs") ? 2 : 1;
    ctn_case_word word = {.value = ctn_json_is(node, CTN_JSON_NULL) ? NULL : node};
    if (!ctn_json_member_of(node, "answer") || known != ctn_json_count(node))
        return word;
    word_keys k = {0};
    ctn_keys_read(r, node, "an answer", WORD_KEYS, COUNT_OF(WORD_KEYS), &k);
    return (ctn_case_word){.value = k.answer, .after_ms = k.after_ms};
}

static void read_people(ctn_reader *r, const ctn_json *answers, ctn_case *c)
{
    c->answers = answers;
    c->people = CTN_NEW_ARRAY(r->arena, ctn_case_people, ctn_json_count(answers));
    for (size_t i = 0; i < ctn_json_count(answers); i++) {
        const ctn_json *value = &answers->members[i].value;
        bool is_list = ctn_json_is(value, CTN_JSON_ARRAY);
        ctn_case_people *p = &c->people[i];
        *p = (ctn_case_people){.step = ctn_json_text(&answers->members[i].key),
                               .count = is_list ? ctn_json_count(value) : 1};
        if (is_list && p->count == 0)
            ctn_reader_fault(r, value, "type", "no answer at all: leave the step out, and nobody answers it");
        p->words = CTN_NEW_ARRAY(r->arena, ctn_case_word, p->count);
        for (size_t k = 0; k < p->count; k++)
            p->words[k] = read_word(r, is_list ? ctn_json_at(value, k) : value);
    }
}

/* ---- expectations ---- */

static void read_calls(ctn_reader *r, const ctn_json *node, ctn_case *c)
{
    c->call_count = ctn_json_count(node);
    c->calls = CTN_NEW_ARRAY(r->arena, ctn_case_call, c->call_count);
    if (ctn_json_is(node, CTN_JSON_OBJECT)) {
        for (size_t i = 0; i < c->call_count; i++) {
            int64_t times = -1;
            if (!ctn_json_to_int64(&node->members[i].value, &times) || times < 0)
                ctn_reader_fault(r, &node->members[i].value, "type",
                                 "how often? a whole number is wanted, 0 for never");
            c->calls[i] = (ctn_case_call){.node = &node->members[i].value,
                                          .tool = ctn_json_text(&node->members[i].key),
                                          .times = times < 0 ? 0 : times};
        }
        return;
    }
    if (!ctn_json_is(node, CTN_JSON_ARRAY)) {
        ctn_reader_fault(r, node, "type", "calls are a list of {tool, args}, or a map of tool: how often");
        return;
    }
    for (size_t i = 0; i < c->call_count; i++) {
        const ctn_json *item = ctn_json_at(node, i);
        call_keys k = {0};
        if (ctn_json_is(item, CTN_JSON_STRING)) {
            c->calls[i] = (ctn_case_call){.node = item, .tool = ctn_json_text(item), .times = -1};
            continue;
        }
        ctn_keys_read(r, item, "a call", CALL_KEYS, COUNT_OF(CALL_KEYS), &k);
        c->calls[i] = (ctn_case_call){
            .node = item, .tool = ctn_json_text(k.tool), .step = ctn_json_text(k.step), .args = k.args, .times = -1};
    }
}

static void read_expect(ctn_reader *r, const ctn_json *node, ctn_case *c)
{
    expect_keys k = {0};
    error_keys e = {0};
    ctn_status status;
    ctn_keys_read(r, node, "expect", EXPECT_KEYS, COUNT_OF(EXPECT_KEYS), &k);
    c->status_node = k.status;
    if (k.status && ctn_status_from_name(ctn_json_text(k.status), &status))
        c->status = (int) status;
    else if (k.status) {
        ctn_str names[CTN_STATUS_COUNT];
        for (ctn_status i = 0; i < CTN_STATUS_COUNT; i++)
            names[i] = ctn_str_from(ctn_status_name(i));
        ctn_reader_fault(r, k.status, "type", "there is no status '%.*s'; %.*s", CTN_STR_ARG(ctn_json_text(k.status)),
                         CTN_STR_ARG(ctn_suggest(r->arena, ctn_json_text(k.status), names, CTN_STATUS_COUNT)));
    }
    c->outputs = k.outputs;
    c->error = k.error;
    if (k.error)
        ctn_keys_read(r, k.error, "an error", ERROR_KEYS, COUNT_OF(ERROR_KEYS), &e);
    if (e.code)
        (void) read_failure(r, e.code);
    c->steps = k.steps;
    if (k.calls)
        read_calls(r, k.calls, c);
    if (!k.status && !k.outputs && !k.error && !k.calls && !k.steps)
        ctn_reader_fault(r, node, "type", "nothing is expected: give status, outputs, error, calls or steps");
}

static void read_case(ctn_reader *r, const ctn_json *node, const ctn_json *shared, ctn_case *c)
{
    case_keys k = {0};
    *c = (ctn_case){.node = node, .status = -1};
    ctn_keys_read(r, node, "a case", CASE_KEYS, COUNT_OF(CASE_KEYS), &k);
    c->name = ctn_json_text(k.name);
    c->input = k.input;
    read_people(r, k.answers, c);
    ctn_time now;
    if (k.now && ctn_time_of(k.now, &now))
        c->now_ms = now.at_ms;
    else if (k.now)
        ctn_reader_fault(r, k.now, "type", "not a time: write \"2026-09-21T09:00:00Z\"");
    read_tools(r, shared, k.tools, c);
    if (k.expect)
        read_expect(r, k.expect, c);
}

int ctn_case_file_read(ctn_arena *arena, const ctn_source *source, ctn_findings *findings, ctn_case_file **ret_file)
{
    ctn_reader r = {.arena = arena, .source = source, .findings = findings};
    const ctn_json *root = ctn_source_root(source);
    ctn_case_file *f = CTN_NEW(arena, ctn_case_file);
    top_keys k = {0};
    f->source = source;
    if (!ctn_json_is(root, CTN_JSON_OBJECT)) {
        ctn_reader_fault(&r, root, "type", "a test file is an object: chain, cases, ...");
        return CTN_E_INVALID;
    }
    ctn_keys_read(&r, root, "a test file", TOP_KEYS, COUNT_OF(TOP_KEYS), &k);
    f->chain = ctn_json_text(k.chain);
    f->config = ctn_json_text(k.config);
    f->count = ctn_json_count(k.cases);
    f->cases = CTN_NEW_ARRAY(arena, ctn_case, f->count);
    for (size_t i = 0; i < f->count; i++)
        read_case(&r, ctn_json_at(k.cases, i), k.tools, &f->cases[i]);
    if (k.cases && f->count == 0)
        ctn_reader_fault(&r, k.cases, "type", "no case in it");
    if (r.fault_count)
        return CTN_E_INVALID;
    *ret_file = f;
    return CTN_OK;
}

/* ---- names ---- */

typedef struct name_list {
    ctn_str items[512];
    size_t count;
} name_list;

static void add_name(name_list *n, ctn_str name)
{
    for (size_t i = 0; i < n->count; i++)
        if (ctn_str_equal(n->items[i], name))
            return;
    if (n->count < COUNT_OF(n->items))
        n->items[n->count++] = name;
}

static void add_set(name_list *n, const ctn_plan_set *set)
{
    for (uint32_t i = 0; set && i < set->call_count; i++)
        add_name(n, set->calls[i].target);
    if (set && set->check)
        add_name(n, set->check->target);
}

static void add_plan(name_list *targets, name_list *steps, const ctn_plan *plan)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const ctn_plan_step *p = &plan->steps[i];
        add_set(targets, p->set);
        add_set(targets, p->undo);
        for (uint32_t k = 0; k < p->fallback_count; k++)
            add_set(targets, p->fallbacks[k].set);
        add_name(steps, p->name);
    }
}

static bool has_name(const name_list *n, ctn_str name)
{
    for (size_t i = 0; i < n->count; i++)
        if (ctn_str_equal(n->items[i], name))
            return true;
    return false;
}

static void check_name(ctn_reader *r, const name_list *known, ctn_str name, const ctn_json *node, const char *what)
{
    if (name.len && !has_name(known, name))
        ctn_reader_fault(r, node, "type", "the chain has no %s '%.*s'; %.*s", what, CTN_STR_ARG(name),
                         CTN_STR_ARG(ctn_suggest(r->arena, name, known->items, known->count)));
}

static void check_members(ctn_reader *r, const name_list *known, const ctn_json *object, const char *what)
{
    for (size_t i = 0; ctn_json_is(object, CTN_JSON_OBJECT) && i < ctn_json_count(object); i++)
        check_name(r, known, ctn_json_text(&object->members[i].key), &object->members[i].key, what);
}

/* STEP, or STEP[ITEM]. */
static void check_answers(ctn_reader *r, const name_list *steps, const ctn_json *answers)
{
    for (size_t i = 0; i < ctn_json_count(answers); i++) {
        ctn_str rest = ctn_json_text(&answers->members[i].key);
        check_name(r, steps, ctn_str_cut(&rest, '['), &answers->members[i].key, "step");
    }
}

static void check_step_statuses(ctn_reader *r, const ctn_json *steps)
{
    ctn_str names[CTN_STEP_STATUS_COUNT];
    for (int i = 0; i < CTN_STEP_STATUS_COUNT; i++)
        names[i] = ctn_str_from(ctn_step_status_name((ctn_step_status) i));
    for (size_t i = 0; i < ctn_json_count(steps); i++) {
        const ctn_json *value = &steps->members[i].value;
        bool is_known = false;
        for (int k = 0; k < CTN_STEP_STATUS_COUNT; k++)
            is_known = is_known || ctn_str_equal(names[k], ctn_json_text(value));
        if (!is_known)
            ctn_reader_fault(r, value, "type", "a step has no status '%.*s'; %.*s", CTN_STR_ARG(ctn_json_text(value)),
                             CTN_STR_ARG(ctn_suggest(r->arena, ctn_json_text(value), names, CTN_STEP_STATUS_COUNT)));
    }
}

int ctn_case_file_check(ctn_arena *arena, const ctn_case_file *f, const ctn_plan *plan, const ctn_plan *const *children,
                        size_t child_count, ctn_findings *findings)
{
    ctn_reader r = {.arena = arena, .source = f->source, .findings = findings};
    name_list *targets = CTN_NEW(arena, name_list), *steps = CTN_NEW(arena, name_list),
              *outputs = CTN_NEW(arena, name_list), *either = CTN_NEW(arena, name_list);
    name_list *all_steps = CTN_NEW(arena, name_list);
    add_plan(targets, steps, plan);
    add_plan(targets, all_steps, plan);
    for (size_t i = 0; i < child_count; i++)
        add_plan(targets, all_steps, children[i]);
    for (uint32_t i = 0; i < plan->result_count; i++)
        add_name(outputs, plan->results[i].name);
    for (size_t i = 0; i < targets->count; i++)
        add_name(either, targets->items[i]);
    for (size_t i = 0; i < all_steps->count; i++)
        add_name(either, all_steps->items[i]);
    for (size_t i = 0; i < f->count; i++) {
        const ctn_case *c = &f->cases[i];
        for (size_t k = 0; k < c->tool_count; k++)
            check_name(&r, either, c->tools[k].name, c->tools[k].node, "tool or step");
        for (size_t k = 0; k < c->call_count; k++)
            check_name(&r, targets, c->calls[k].tool, c->calls[k].node, "tool");
        check_answers(&r, all_steps, c->answers);
        check_members(&r, steps, c->steps, "step");
        check_members(&r, outputs, c->outputs, "output");
        check_step_statuses(&r, c->steps);
        check_name(&r, steps, ctn_json_str_or(c->error, "step", (ctn_str){0}), ctn_json_member_of(c->error, "step"),
                   "step");
    }
    return r.fault_count ? CTN_E_INVALID : CTN_OK;
}
