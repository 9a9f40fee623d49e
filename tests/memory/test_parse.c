/* Texts and definitions: whatever allocation fails, an error comes back and nothing stays. */
#include "points.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "chain/plan.h"
#include "fail.h"
#include "value/expression.h"
#include "value/mustache.h"
#include "value/schema.h"
#include "value/template.h"
#include "wire/jsonrpc.h"

/* ---- JSON ---- */

static char large[40000]; /* JSON */

static void make_large(void)
{
    size_t len = 0;
    len += (size_t) snprintf(large, sizeof large, "{\"deep\":");
    for (int i = 0; i < 60; i++)
        large[len++] = '[';
    for (int i = 0; i < 60; i++)
        large[len++] = ']';
    for (int i = 0; i < 1500; i++)
        len += (size_t) snprintf(large + len, sizeof large - len, ",\"k%d\":[%d,\"\\u00e9%d\"]", i, i, i);
    snprintf(large + len, sizeof large - len, "}");
}

static int parse_json(void *ctx, ctn_arena *arena, ctn_err *err)
{
    (void) ctx;
    const ctn_json *value = NULL;
    int rc = ctn_json_parse(arena, ctn_str_from(large), NULL, &value, err);
    if (rc == CTN_OK)
        assert_int_equal(ctn_json_count(value), 1501);
    return rc;
}

static int parse_rpc(void *ctx, ctn_arena *arena, ctn_err *err)
{
    (void) ctx;
    char line[sizeof large + 100];
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":%s}", large);
    ctn_rpc_message m;
    int rc = ctn_rpc_parse(arena, ctn_str_from(line), &m, err);
    assert_int_equal(m.kind, rc ? CTN_RPC_BROKEN : CTN_RPC_RESULT);
    return rc;
}

static void json_and_messages(void **state)
{
    (void) state;
    make_large();
    try_all(&(operation){.name = "ctn_json_parse", .run = parse_json});
    try_all(&(operation){.name = "ctn_rpc_parse", .run = parse_rpc});
}

/* ---- sources and plans ---- */

static const char CHAIN[] =
    "id: trip\nversion: 3\nrollbackEnabled: true\n"
    "inputSchema: {type: object, required: [city], properties: {city: {type: string, pattern: '^[A-Z][a-z]+$'},\n"
    "  days: {type: integer, minimum: 1, default: 3}}}\n"
    "steps:\n"
    "  - {stepName: find, instructionSet: find, outputVariables: [hotels], inputTemplate: '{city | upper} {days?}',\n"
    "     outputSchema: {type: object, patternProperties: {'^h': {type: array}}}}\n"
    "  - {stepName: price, instructionSet: price, outputVariables: [price], foreach: {items: '{hotels}', as: hotel,\n"
    "     maxConcurrency: 4}, conditionalExecution: \"length({hotels}) > 0 and {city} != 'Rome'\"}\n"
    "  - stepName: book\n    instructionSet: book\n    inputTemplate: |\n      {price}\n      {city}\n"
    "    outputVariables: {ref: ref}\n    rollbackAction: unbook\n    retryConfig: {maxRetries: 2, retryOn: "
    "[timeout]}\n"
    "    fallback: [{value: {ref: none}}]\n"
    "  - {stepName: paper, instructionSet: find, inputTemplate: x, templateId: offer, outputVariables: [paper]}\n"
    "  - {stepName: more, instructionSet: sub, outputVariables: [done], noUndo: none}\n"
    "outputs: [ref, paper]\n"
    "instructionSets:\n"
    "  find: {tool: t/find, arguments: {q: '{input}', list: [1, 2, &x {a: b}, *x]}, effect: read}\n"
    "  price: {tool: t/price, arguments: {hotel: '{hotel.name}'}, effect: read}\n"
    "  book: {tool: t/book, arguments: {what: '{input}', key: '{step.key}'}, check: {tool: t/check, arguments: {k: "
    "'{step.key}'}}}\n"
    "  unbook: {tool: t/unbook, effect: idempotent}\n"
    "  sub: {chain: small, arguments: {a: '{ref}'}}\n";
static const char SMALL[] =
    "id: small\nsteps:\n  - {stepName: s, instructionSet: nap, inputTemplate: '{a}', outputVariables: [b]}\n"
    "instructionSets: {nap: {wait: {ms: 5}}}\n";
static const char OFFER[] =
    "---\ncontentType: text/plain\n---\n{{#hotels}}* {{name}} {{^last}},{{/last}}\n{{/hotels}}{{city}} {{{ref}}}\n";

typedef struct text {
    const char *name, *text;
    bool has_faults;
} text;

static int parse_source(void *ctx, ctn_arena *arena, ctn_err *err)
{
    const text *t = ctx;
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_source *source = NULL;
    int rc = ctn_source_parse(arena, ctn_str_from(t->name), ctn_str_from(t->text), &findings, &source);
    assert_int_equal(rc == CTN_OK, source != NULL);
    if (rc == CTN_E_INVALID && t->has_faults)
        rc = CTN_OK;
    else if (rc && findings.count) /* the last one says why */
        ctn_fail(err, rc, "%.*s", CTN_STR_ARG(findings.items[findings.count - 1].message));
    return rc;
}

static void sources(void **state)
{
    (void) state;
    text yaml = {.name = "trip.yaml", .text = CHAIN};
    text json = {.name = "large.json", .text = large};
    text faulty = {.name = "faulty.yaml", .text = "a: [1, 2\nb: {c: 'd', c: 1}\n\te: *nobody\n", .has_faults = true};
    make_large();
    try_all(&(operation){.name = "ctn_source_parse of YAML", .run = parse_source, .ctx = &yaml});
    try_all(&(operation){.name = "ctn_source_parse of JSON", .run = parse_source, .ctx = &json});
    try_all(&(operation){.name = "ctn_source_parse of faults", .run = parse_source, .ctx = &faulty});
}

typedef struct planning {
    ctn_arena *arena; /* of the library */
    ctn_library *library;
    const ctn_chain *chain;
    ctn_plan *plan;
} planning;

static void well(int rc, const ctn_findings *findings)
{
    const ctn_finding *f = findings->count ? &findings->items[findings->count - 1] : NULL;
    if (rc)
        fail_msg("%d:%d %.*s", f ? (int) f->line : 0, f ? (int) f->column : 0, f ? (int) f->message.len : 0,
                 f ? f->message.ptr : "");
}

static void planning_init(planning *p)
{
    *p = (planning){.arena = ctn_arena_new(4096)};
    ctn_findings findings;
    ctn_findings_init(&findings, p->arena);
    p->library = ctn_library_new(p->arena);
    well(ctn_library_add_text(p->library, CTN_STR("small.yaml"), ctn_str_from(SMALL), &findings, NULL), &findings);
    well(ctn_library_add_template(p->library, (ctn_str){0}, CTN_STR("offer.mustache"), ctn_str_from(OFFER), &findings),
         &findings);
    well(ctn_library_add_text(p->library, CTN_STR("trip.yaml"), ctn_str_from(CHAIN), &findings, &p->chain), &findings);
    well(ctn_plan_compile(p->arena, p->library, p->chain, &findings, &p->plan), &findings);
}

static void planning_done(planning *p)
{
    ctn_plan_done(p->plan);
    ctn_arena_free(p->arena);
}

static int compile(void *ctx, ctn_arena *arena, ctn_err *err)
{
    planning *p = ctx;
    ctn_findings findings;
    ctn_plan *plan = NULL;
    ctn_findings_init(&findings, arena);
    int rc = ctn_plan_compile(arena, p->library, p->chain, &findings, &plan);
    assert_int_equal(rc == CTN_OK, plan != NULL);
    if (rc && findings.count)
        ctn_fail(err, rc, "%.*s", CTN_STR_ARG(findings.items[findings.count - 1].message));
    ctn_plan_done(plan);
    return rc;
}

static int from_definitions(void *ctx, ctn_arena *arena, ctn_err *err)
{
    planning *p = ctx;
    ctn_plan *plan = NULL;
    int rc = ctn_plan_from_definitions(arena, p->plan->definitions, p->plan->definition_count, &plan, err);
    assert_int_equal(rc == CTN_OK, plan != NULL);
    ctn_plan_done(plan);
    return rc;
}

static int of_child(void *ctx, ctn_arena *arena, ctn_err *err)
{
    planning *p = ctx;
    ctn_plan *plan = NULL;
    int rc = ctn_plan_of_child(arena, p->plan, CTN_STR("small"), &plan, err);
    assert_int_equal(rc == CTN_OK, plan != NULL);
    ctn_plan_done(plan);
    return rc;
}

static void plans(void **state)
{
    (void) state;
    planning p;
    planning_init(&p);
    try_all(&(operation){.name = "ctn_plan_compile", .run = compile, .ctx = &p});
    try_all(&(operation){.name = "ctn_plan_from_definitions", .run = from_definitions, .ctx = &p});
    try_all(&(operation){.name = "ctn_plan_of_child", .run = of_child, .ctx = &p});
    planning_done(&p);
}

/* ---- parts of the language ---- */

static int compile_expression(void *ctx, ctn_arena *arena, ctn_err *err)
{
    (void) ctx;
    ctn_expression *x = NULL;
    int rc = ctn_expression_compile(
        arena,
        CTN_STR(
            "(length({a.b[0]}) > 3.5 and not {c} == 'x') or contains({d}, '^a+') and round({f}, 2) == max(1, 2, {e})"),
        &x, err);
    return rc;
}

static int compile_template(void *ctx, ctn_arena *arena, ctn_err *err)
{
    (void) ctx;
    ctn_template *t = NULL;
    int rc = ctn_template_compile(
        arena, CTN_STR("Dear {client.name | trim | upper}, {text | default('none')} {{x}} {y?}"), &t, err);
    return rc;
}

static int compile_mustache(void *ctx, ctn_arena *arena, ctn_err *err)
{
    (void) ctx;
    ctn_mustache *m = NULL;
    int rc = ctn_mustache_compile(arena, ctn_str_from(OFFER), NULL, &m, err);
    return rc;
}

static int compile_schema(void *ctx, ctn_arena *arena, ctn_err *err)
{
    static const ctn_json *source;
    static ctn_arena *of_source;
    (void) ctx;
    if (!of_source) {
        of_source = ctn_arena_new(1024);
        assert_int_equal(
            ctn_json_parse(
                of_source,
                CTN_STR(
                    "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"},\"b\":{\"pattern\":"
                    "\"^a(b|c)*$\"}},\"patternProperties\":{\"^x\":{\"minimum\":3.5}},\"$defs\":{\"x\":{\"enum\":[1,2,"
                    "{\"c\":[3]}]}}}"),
                NULL, &source, NULL),
            0);
    }
    ctn_schema *schema = NULL;
    const ctn_json *bad = NULL;
    int rc = ctn_schema_compile(arena, source, &schema, &bad, err);
    if (rc == CTN_OK)
        ctn_schema_done(schema);
    return rc;
}

static void parts_of_the_language(void **state)
{
    (void) state;
    try_all(&(operation){.name = "ctn_expression_compile", .run = compile_expression});
    try_all(&(operation){.name = "ctn_template_compile", .run = compile_template});
    try_all(&(operation){.name = "ctn_mustache_compile", .run = compile_mustache});
    try_all(&(operation){.name = "ctn_schema_compile", .run = compile_schema});
}

/* ---- what stops the process ---- */

/* Small allocations inside a turn: no error could be returned, so the process says why and ends by SIGABRT. */
static void elsewhere_the_process_stops_with_a_sentence(void **state)
{
    (void) state;
    for (int which = 0; which < 3; which++) {
        int ends[2], status = 0;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            (void) dup2(ends[1], STDERR_FILENO);
            (void) signal(SIGABRT, SIG_DFL);
            ctn_arena *arena = ctn_arena_new(256);
            fail_arm(1, true);
            if (which == 0)
                (void) ctn_arena_alloc(arena, 100000);
            else if (which == 1)
                (void) ctn_arena_new(256);
            else
                ctn_free(ctn_malloc(10));
            _exit(0);
        }
        char said[300] = "";
        close(ends[1]);
        ssize_t len = read(ends[0], said, sizeof said - 1);
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(len > 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        assert_non_null(strstr(said, "catena: out of memory"));
        assert_non_null(strstr(said, "Stored executions are safe"));
    }
}

/* ---- guards themselves ---- */

static int cleaned;

static void clean(void *ctx)
{
    cleaned += *(int *) ctx;
}

static int take_much(void *ctx)
{
    ctn_arena *arena = ctx;
    int one = 1, ten = 10;
    ctn_cleanup a, b;
    ctn_cleanup_push(&a, clean, &one);
    ctn_cleanup_push(&b, clean, &ten);
    ctn_cleanup_pop(&b);
    (void) ctn_arena_alloc(arena, 5000);
    ctn_arena *inner = ctn_arena_new_in(arena, 256);
    (void) ctn_arena_alloc(inner, 5000);
    char *block = ctn_malloc(10);
    block = ctn_realloc(block, 1000);
    ctn_free(ctn_malloc(5));
    block[0] = 'x';
    fail_arm(1, false);
    block = ctn_malloc(12345);
    ctn_free(block);
    return CTN_OK;
}

static void what_is_given_up_leaves_nothing_and_the_arena_goes_on(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(256);
    ctn_str before = ctn_arena_printf(arena, "before");
    ctn_err err = {0};
    cleaned = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(ctn_guarded(take_much, arena, &err), CTN_E_NOMEM);
    (void) fail_disarm();
    assert_int_equal(cleaned, 3);
    assert_non_null(strstr(err.message, "not enough memory (12345 bytes more were wanted)"));
    assert_true(ctn_str_is(before, "before"));
    assert_true(ctn_str_is(ctn_arena_printf(arena, "after %d", 1), "after 1"));
    assert_true(ctn_arena_used_bytes(arena) < 1000);
    ctn_arena_free(arena);
}

int main(void)
{
    fail_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_up_leaves_nothing_and_the_arena_goes_on),
        cmocka_unit_test(json_and_messages),
        cmocka_unit_test(sources),
        cmocka_unit_test(plans),
        cmocka_unit_test(parts_of_the_language),
        cmocka_unit_test(elsewhere_the_process_stops_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
