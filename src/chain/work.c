/*
 * work.c -- which kind of work is said, its details, what it reads, what it does to the world.
 *
 * What a driver is given is always one tree: the arguments, or for a kind whose key holds an object of keys that object
 * itself. Its keys are read one by one first, so that each fault is told where it stands; the whole is compiled for
 * those who render it or ask what it reads.
 */
#include "chain/work.h"
#include "chain/http_call.h"
#include "chain/work_internal.h"
#include "value/transform_check.h"
#include <assert.h>
#include <stddef.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
    const char *name, *what;
    enum { SENDS_NOTHING, SENDS_ARGUMENTS, SENDS_DETAIL } sends;
    const char *subject;
    ctn_effect effect;
    bool is_call, runs;
} KINDS[CTN_WORK_KIND_COUNT] = {
#define CALL(kind, name, what, holds, sends, subject, effect, runs, about)                                             \
    {name, what, SENDS_##sends, subject, CTN_EFFECT_##effect, true, runs},
#define ENGINE(kind, name, what, holds, sends, subject, effect, runs, about)                                           \
    {name, what, SENDS_##sends, subject, CTN_EFFECT_##effect, false, runs},
    CTN_CALL_KINDS(CALL) CTN_ENGINE_KINDS(ENGINE) CTN_SEVERAL_KIND(ENGINE)
#undef CALL
#undef ENGINE
};

const char *ctn_work_kind_name(ctn_work_kind kind)
{
    return (unsigned) kind < CTN_WORK_KIND_COUNT ? KINDS[kind].name : "unknown";
}

const char *ctn_work_kind_what(ctn_work_kind kind)
{
    return (unsigned) kind < CTN_WORK_KIND_COUNT ? KINDS[kind].what : "unknown work";
}

bool ctn_work_kind_is_call(ctn_work_kind kind)
{
    return (unsigned) kind < CTN_WORK_KIND_COUNT && KINDS[kind].is_call;
}

bool ctn_work_kind_runs(ctn_work_kind kind)
{
    return (unsigned) kind < CTN_WORK_KIND_COUNT && KINDS[kind].runs;
}

bool ctn_work_kind_sends_detail(ctn_work_kind kind)
{
    return (unsigned) kind < CTN_WORK_KIND_COUNT && KINDS[kind].sends == SENDS_DETAIL;
}

bool ctn_work_kind_has_instructions(ctn_work_kind kind)
{
    return kind == CTN_WORK_AGENT || kind == CTN_WORK_PROMPT;
}

const ctn_json *ctn_work_subject(ctn_work_kind kind, const ctn_json *detail)
{
    if ((unsigned) kind >= CTN_WORK_KIND_COUNT || !detail)
        return NULL;
    if (ctn_json_is(detail, CTN_JSON_STRING))
        return detail;
    const ctn_json *subject = KINDS[kind].subject ? ctn_json_member_of(detail, KINDS[kind].subject) : NULL;
    return ctn_json_is(subject, CTN_JSON_ARRAY) ? ctn_json_at(subject, 0) : subject;
}

/* ---- the keys of each kind ---- */

static const ctn_key CALL_KEYS[] = {CTN_CALL_KINDS(CTN_WORK_KEY) CTN_WORK_COMMON_KEYS};
/* clang-format off */
static const ctn_key CHECK_KEYS[] = {
    CTN_WORK_KEY(TOOL, "tool", , NAME, , , , , "A tool of an MCP server: server/tool.")
    CTN_WORK_KEY(HTTP, "http", , OBJECT, , , , , "An HTTP call.")
    CTN_WORK_COMMON_KEYS,
};
/* clang-format on */

static const ctn_key WAIT_KEYS[] = {
    CTN_KEY("ms", CTN_KEY_INT, ctn_work, wait_ms, "So many milliseconds.", .is_choice = true, .min = 0,
            .max = CTN_TEN_YEARS_MS, .otherwise = -1),
    CTN_KEY("until", CTN_KEY_TEMPLATE, ctn_work, until,
            "Until this date, RFC 3339 time, or number of milliseconds since 1970.", .is_choice = true),
    CTN_KEY("answerSchema", CTN_KEY_SCHEMA, ctn_work, answer_schema,
            "JSON Schema that an answer must satisfy. Default: any answer ends it."),
};

static const char *const ON_TIMEOUT[] = {"fail", "reject", "approve", NULL}; /* as ctn_on_timeout */
static const ctn_key APPROVAL_KEYS[] = {
    CTN_KEY("message", CTN_KEY_TEMPLATE, ctn_work, message, "What is asked, as a template."),
    CTN_KEY("who", CTN_KEY_NAMES, ctn_work, who, "Who may answer. Default: anybody."),
    CTN_KEY("timeoutMs", CTN_KEY_INT, ctn_work, answer_timeout_ms, "How long an answer is waited for, in milliseconds.",
            .min = 1, .max = CTN_TEN_YEARS_MS),
    CTN_KEY("onTimeout", CTN_KEY_WORD, ctn_work, on_timeout, "What no answer means. Default: fail.",
            .words = ON_TIMEOUT),
};

static const ctn_key PROMPT_KEYS[] = {
    CHECKED("model", CTN_KEY_NAME, "A name of `models` in catena.yaml. Default: " CTN_PROMPT_MODEL_DEFAULT "."),
    CHECKED("instructions", CTN_KEY_TEXT,
            "What the model is to do: a text, or the name of a file (.md or .txt) beside this one. It is sent as it "
            "stands.",
            .is_required = true),
    CHECKED("schema", CTN_KEY_SCHEMA, "JSON Schema of the answer. Without one the answer is {text: ...}."),
    CHECKED("maxTokens", CTN_KEY_INT, "How long the answer may be. Default: what the model's entry says, else 4096.",
            .min = 1, .max = CTN_PROMPT_TOKENS_MAX),
    CHECKED("temperature", CTN_KEY_NUMBER, "From 0, always the likeliest word, to 2. Default: the server's.", .min = 0,
            .max = 2),
};
static const ctn_key AGENT_KEYS[] = {
    CHECKED("instructions", CTN_KEY_NAME, "A file with the instructions.", .is_required = true),
    CHECKED("outputSchema", CTN_KEY_SCHEMA, "JSON Schema that the answer must satisfy."),
};

static const char *const METHODS[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
static const char *const ANSWERS[] = {"body", "response", NULL};
static const ctn_key HTTP_KEYS[] = {
    CHECKED("method", CTN_KEY_WORD, "Default: GET, or POST with a body.", .words = METHODS),
    CHECKED("url", CTN_KEY_TEMPLATE, "The address, as a template; its host is written out.", .is_required = true,
            .read = ctn_http_call_read_url),
    CHECKED("headers", CTN_KEY_TREE_OBJECT, "Names and values, as templates.", .read = ctn_http_call_read_headers),
    CHECKED("query", CTN_KEY_TREE_OBJECT, "Members of the query, as templates; a list is said once for each item."),
    CHECKED("body", CTN_KEY_TREE,
            "What is sent: any value whose texts are templates; as JSON, or as the header Content-Type says."),
    CHECKED("success", CTN_KEY_LIST, "Statuses of success, like [200, 404]. Default: [2xx].",
            .read = ctn_http_call_read_success),
    CHECKED("accept", CTN_KEY_NAMES, "Content types that are taken; others fail. Default: JSON and text."),
    CHECKED("bodyBytes", CTN_KEY_INT, "How large an answer may be.", .min = 1, .max = 1 << 24),
    CHECKED("result", CTN_KEY_WORD, "What the call gives: the body (default), or {status, headers, body}.",
            .words = ANSWERS),
    CHECKED("next", CTN_KEY_ANY,
            "Where the next page is: an expression over an answer, or an object of them by member of the query.",
            .read = ctn_http_call_read_next),
    CHECKED("items", CTN_KEY_ANY, "The list that a page holds, an expression; the call gives all of them as one.",
            .read = ctn_http_call_read_items),
    CHECKED("pageLimit", CTN_KEY_INT, "So many pages at most. Default: 100.", .min = 1, .max = 10000),
    CHECKED("idempotencyHeader", CTN_KEY_TEXT,
            "The header for the idempotency key; empty: none. Default: Idempotency-Key.",
            .read = ctn_http_call_read_idempotency),
};

/* clang-format off */
const ctn_key_table ctn_work_tables[] = {
    {"call", CALL_KEYS, COUNT(CALL_KEYS), "One of several calls."},
    {"check", CHECK_KEYS, COUNT(CHECK_KEYS), "Answers {happened, result, final}."},
    {"exitCodes", ctn_exit_codes_keys, COUNT(ctn_exit_codes_keys), "Of a command."},
    /* Of each kind whose key holds an object, KIND_KEYS under the kind's name. */
#define TABLE_NAME(kind, name)
#define COMMAND_KEYS ctn_command_keys
#define TABLE_OBJECT(kind, name) {name, kind##_KEYS, COUNT(kind##_KEYS), NULL},
#define KIND(kind, name, what, holds, ...) TABLE_##holds(kind, name)
    CTN_CALL_KINDS(KIND)
    CTN_ENGINE_KINDS(KIND)
#undef KIND
};
const size_t ctn_work_table_count = COUNT(ctn_work_tables);
/* clang-format on */

/* ---- details by kind ---- */

static void check_tool(ctn_reader *reader, const ctn_json *detail)
{
    ctn_str rest = ctn_json_text(detail);
    ctn_str server = ctn_str_cut(&rest, '/');
    if (server.len == 0 || rest.len == 0)
        ctn_reader_fault(reader, detail, "type",
                         "'tool' must be server/tool, the server's name in catena.yaml and its tool; '%.*s' is not",
                         CTN_STR_ARG(ctn_json_text(detail)));
}

static void check_transform(ctn_reader *reader, const ctn_json *detail)
{
    ctn_err err = {0};
    if (ctn_transform_check(ctn_json_text(detail), &err))
        ctn_reader_fault(reader, detail, "bad-expression", "'transform', at character %u: %s", err.column, err.message);
}

static void check_wait(ctn_reader *reader, const ctn_json *detail)
{
    if (!ctn_json_member_of(detail, "ms") == !ctn_json_member_of(detail, "until"))
        ctn_reader_fault(reader, detail, "type", "a wait needs either 'ms' or 'until', one of the two");
}

static void read_detail(ctn_reader *reader, ctn_work *work)
{
    ctn_checked nobody_reads = {0};
    bool is_kept = work->kind == CTN_WORK_WAIT || work->kind == CTN_WORK_APPROVAL;
    for (size_t i = 0; i < ctn_work_table_count; i++)
        if (strcmp(ctn_work_tables[i].name, KINDS[work->kind].name) == 0)
            ctn_keys_read(reader, work->detail, KINDS[work->kind].what, ctn_work_tables[i].keys,
                          ctn_work_tables[i].count, is_kept ? (void *) work : &nobody_reads);
    switch (work->kind) {
    case CTN_WORK_TOOL: check_tool(reader, work->detail); break;
    case CTN_WORK_TRANSFORM: check_transform(reader, work->detail); break;
    case CTN_WORK_WAIT: check_wait(reader, work->detail); break;
    case CTN_WORK_COMMAND:
        if (!work->timeout_ms)
            (void) ctn_json_to_int64(ctn_json_member_of(work->detail, "timeoutMs"), &work->timeout_ms);
        break;
    case CTN_WORK_HTTP: ctn_http_call_check(reader, work->detail); break;
    default: break;
    }
    if (KINDS[work->kind].sends != SENDS_DETAIL)
        return;
    const ctn_json *bad = NULL;
    ctn_err err = {0}; /* what does not compile was told with its key */
    work->arguments = (ctn_chain_tree){.node = work->detail};
    (void) ctn_tree_compile_members(reader->arena, work->detail, work->kind == CTN_WORK_HTTP ? ctn_http_call_way : NULL,
                                    &work->arguments.tree, &bad, &err);
}

/* ---- work ---- */

ctn_chain_tree ctn_work_default_arguments(ctn_reader *reader)
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
        if (keys[i].is_choice)
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

void ctn_work_of_keys(ctn_reader *reader, const ctn_json *node, const char *what, const ctn_key *keys, size_t count,
                      const ctn_work_keys *read, const ctn_chain_tree *arguments, ctn_work *ret_work)
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
            if (!ctn_str_is(ctn_json_text(&node->members[m].key), KINDS[kind].name))
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

void ctn_work_read_call(ctn_reader *reader, const ctn_json *node, const ctn_chain_tree *arguments, ctn_work *ret_work)
{
    ctn_work_keys keys = {0};
    ctn_keys_read(reader, node, "a call", CALL_KEYS, COUNT(CALL_KEYS), &keys);
    ctn_work_of_keys(reader, node, "a call", CALL_KEYS, COUNT(CALL_KEYS), &keys, arguments, ret_work);
}

void ctn_work_read_check(ctn_reader *reader, const ctn_json *node, const ctn_chain_tree *arguments, ctn_work *ret_work)
{
    ctn_work_keys keys = {0};
    ctn_keys_read(reader, node, "a check", CHECK_KEYS, COUNT(CHECK_KEYS), &keys);
    ctn_work_of_keys(reader, node, "a check", CHECK_KEYS, COUNT(CHECK_KEYS), &keys, arguments, ret_work);
    ret_work->name = CTN_STR("check");
}

/* ---- what it reads, what it does ---- */

const ctn_json *ctn_work_whole_detail(const ctn_work *work, ctn_arena *arena)
{
    if (!work->instructions_text.len)
        return work->detail;
    ctn_json_builder whole = ctn_json_object(arena);
    ctn_json_put_all(&whole, work->detail);
    ctn_json_put_str(&whole, "instructions", work->instructions_text);
    return ctn_json_finish(&whole);
}

ctn_str ctn_work_target(const ctn_work *work)
{
    if (ctn_json_is(work->detail, CTN_JSON_STRING))
        return ctn_json_text(work->detail);
    if (work->kind == CTN_WORK_PROMPT)
        return ctn_json_str_or(work->detail, "model", CTN_STR(CTN_PROMPT_MODEL_DEFAULT));
    if (work->kind == CTN_WORK_HTTP)
        return ctn_http_call_host(ctn_json_str_or(work->detail, "url", (ctn_str){0}));
    return ctn_str_from(ctn_work_kind_name(work->kind));
}

void ctn_work_reads(const ctn_work *work, ctn_arena *arena, ctn_reads *reads)
{
    if (work->kind == CTN_WORK_UNKNOWN)
        return;
    if (KINDS[work->kind].sends != SENDS_NOTHING)
        ctn_tree_reads(work->arguments.tree, arena, reads);
    ctn_chain_template_reads(&work->message, arena, reads);
    ctn_chain_template_reads(&work->until, arena, reads);
}

ctn_effect ctn_work_effect(const ctn_work *work)
{
    if (work->kind == CTN_WORK_UNKNOWN)
        return CTN_EFFECT_WRITE;
    if (work->kind != CTN_WORK_HTTP)
        return KINDS[work->kind].effect;
    ctn_str method = ctn_json_str_or(work->detail, "method", (ctn_str){0});
    bool sends_body = ctn_json_member_of(work->detail, "body") != NULL;
    if (ctn_str_is(method, "GET") || ctn_str_is(method, "HEAD") || (!method.len && !sends_body))
        return CTN_EFFECT_READ;
    return ctn_str_is(method, "PUT") || ctn_str_is(method, "DELETE") ? CTN_EFFECT_IDEMPOTENT : CTN_EFFECT_WRITE;
}
