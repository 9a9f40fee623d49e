/* The walk over journals that were written by hand: what only other features or other versions record. */
#include "journal/why.h"
#include "support/cmocka.h"
#include "unit/kit/chain_kit.h"
#include "unit/kit/journal_lines.h"

#define AT_MS       1795341600000LL
#define ENTRIES_MAX 8

typedef struct written {
    chain_kit chain;
    ctn_arena *arena;
    const char *document; /* text of a template named "paper"; NULL: none */
    const char *other;    /* a chain that the chain names; NULL: none */
    ctn_why_source source;
    ctn_why_options options;
    ctn_err err;
} written;

static const char PRICE_CHECK[] =
    "id: price-check\nsteps:\n  - {stepName: find, instructionSet: s, outputVariables: [price]}\n"
    "instructionSets: {s: {tool: x/find, arguments: {in: '{city}'}}}\n";

static void write_journal(written *w, const char *yaml, const char *id, const char *journal)
{
    chain_kit_init(&w->chain);
    w->arena = w->chain.arena;
    if (w->document)
        assert_int_equal(ctn_library_add_template(w->chain.library, CTN_STR("paper"), CTN_STR("paper.mustache"),
                                                  ctn_str_from(w->document), &w->chain.findings),
                         CTN_OK);
    if (strstr(yaml, "chain: price-check")) /* the sub-chain has to be known */
        chain_kit_add(&w->chain, "price-check.yaml", PRICE_CHECK);
    if (w->other)
        chain_kit_add(&w->chain, "other.yaml", w->other);
    chain_kit_add(&w->chain, "why.yaml", yaml);
    ctn_plan *plan = chain_kit_compile(&w->chain);
    ctn_execution_id execution_id;
    assert_int_equal(ctn_id_parse(ctn_str_from(id), &execution_id, NULL), 0);
    ctn_entry *entries = CTN_NEW_ARRAY(w->arena, ctn_entry, ENTRIES_MAX);
    size_t count = 0;
    for (ctn_str lines = ctn_str_from(journal); lines.len; count++) {
        assert_true(count < ENTRIES_MAX);
        ctn_record r = journal_line(w->arena, ctn_str_cut(&lines, '\n'), count + 1);
        r.at_ms += AT_MS;
        if (ctn_record_to_entry(&r, w->arena, &entries[count], &w->err))
            fail_msg("line %zu: %s", count + 1, w->err.message);
    }
    w->source = (ctn_why_source){
        .execution = ctn_execution_new(w->arena, plan, execution_id), .entries = entries, .count = count};
}
#define WRITE(w, yaml, journal) write_journal((w), (yaml), "01a20607-b14f-7ce7-b03f-c532e8dc3955", (journal))

static void erase(written *w)
{
    ctn_plan_done((ctn_plan *) ctn_execution_plan(w->source.execution));
    chain_kit_done(&w->chain);
}

static const ctn_why_node *variable(written *w, const char *path)
{
    const ctn_why_node *node = NULL;
    if (ctn_why_variable(w->arena, &w->source, &w->options, ctn_str_from(path), &node, &w->err))
        fail_msg("%s: %s", path, w->err.message);
    return node;
}

static const ctn_why_node *event(written *w, const char *step, int n)
{
    const ctn_why_node *node = NULL;
    if (ctn_why_step(w->arena, &w->source, &w->options, ctn_str_from(step), &node, &w->err))
        fail_msg("%s: %s", step, w->err.message);
    for (const ctn_why_node *child = node->first; child; child = child->next)
        if (child->kind == CTN_WHY_EVENT && !ctn_str_is(child->name, "ready") && n-- == 0)
            return child;
    fail_msg("there are not so many events");
    return NULL;
}

static void assert_text(written *w, ctn_str text, const char *expected)
{
    assert_string_equal(ctn_arena_str(w->arena, text).ptr, expected);
}

static void assert_json(written *w, const ctn_json *v, const char *expected)
{
    assert_text(w, ctn_json_to_str(w->arena, v), expected);
}

/* ---- fallbacks, the cache, breakers ---- */

#define FALLBACKS                                                                                                      \
    "id: f\nsteps:\n  - {stepName: a, instructionSet: s, outputVariables: [n], fallback: [{instructionSet: t, "        \
    "inputTemplate: 'plan {b}'}, {value: {n: '{c}'}}]}\n"                                                              \
    "instructionSets:\n  s: {tool: x/s, arguments: {a: '{a}'}}\n  t: {tool: x/t}\n"
#define INPUT "{'input':{'a':1,'b':2,'c':3}}"

static void a_value_of_a_fallback_comes_from_its_set(void **state)
{
    (void) state;
    written w = {0};
    static const char lines[] = "0 started " INPUT "\n"
                                "1000 attempt_failed a 1 {'code':'tool_error','message':'no','fallback':1}\n"
                                "2000 fallback_taken a 1 {'fallback':1,'instructionSet':'t'}\n"
                                "3000 attempt_succeeded a 1 {'variables':{'n':9}}";
    WRITE(&w, FALLBACKS, lines);
    const ctn_why_node *node = variable(&w, "n")->first;
    assert_text(&w, node->text, "answer of x/t, fallback 1");
    assert_json(&w, node->args, "{\"input\":\"plan 2\"}");
    assert_text(&w, event(&w, "a", 0)->text,
                "attempt 1 failed: tool_error: no; no retry: tool_error is permanent, so fallback 1 is taken");
    assert_text(&w, event(&w, "a", 1)->text, "fallback 1: instruction set t");
    erase(&w);
}

static void a_value_of_a_fallback_may_stand_in_the_file(void **state)
{
    (void) state;
    written w = {0};
    static const char lines[] = "0 started " INPUT "\n"
                                "1000 fallback_taken a 1 {'fallback':2}\n"
                                "2000 attempt_succeeded a 1 {'variables':{'n':3}}";
    WRITE(&w, FALLBACKS, lines);
    const ctn_why_node *node = variable(&w, "n")->first;
    assert_int_equal(node->kind, CTN_WHY_DEFAULT);
    assert_text(&w, node->text, "value of fallback 2");
    assert_text(&w, node->first->name, "c");
    assert_int_equal(node->first->first->kind, CTN_WHY_INPUT);
    erase(&w);
}

static void an_answer_out_of_the_cache_says_so(void **state)
{
    (void) state;
    written w = {0};
    static const char lines[] = "0 started " INPUT "\n"
                                "1000 breaker_wait a 1 {'target':'x/s','untilMs':1}\n"
                                "2000 cache_hit a 1 {'variables':{'n':3}}";
    WRITE(&w, FALLBACKS, lines);
    const ctn_why_node *node = variable(&w, "n")->first;
    assert_text(&w, node->text, "answer of x/s, out of the cache");
    assert_json(&w, node->args, "{\"a\":1}");
    assert_text(&w, event(&w, "a", 0)->text, "waits, for the circuit breaker of x/s is open; no retry is spent");
    assert_text(&w, event(&w, "a", 1)->text,
                "an equal call was answered before: taken from the cache, nothing was called");
    erase(&w);
}

/* ---- sub-chains ---- */

#define CHILD_ID "01a20607-b14f-7ce7-b03f-c532e8dc3956"

static bool the_child(void *ctx, ctn_str id, ctn_why_source *ret_source)
{
    written *child = ctx;
    if (!ctn_str_is(id, CHILD_ID))
        return false;
    *ret_source = child->source;
    return true;
}

static void a_value_of_a_sub_chain_is_followed_into_its_journal(void **state)
{
    (void) state;
    written child = {0}, w = {0};
    static const char inner[] = "0 started {'input':{'city':'Rome'}}\n"
                                "1000 attempt_succeeded find 1 {'variables':{'price':{'low':7}}}";
    write_journal(&child, PRICE_CHECK, CHILD_ID, inner);
    static const char lines[] =
        "0 started {'input':{'to':'Rome'}}\n"
        "1000 child_started a 1 {'child':'" CHILD_ID "','chain':'price-check','args':{'city':'Rome'}}\n"
        "2000 attempt_succeeded a 1 {'child':'" CHILD_ID "','variables':{'best':7}}";
    WRITE(&w,
          "id: parent\nsteps:\n  - {stepName: a, instructionSet: sub, outputVariables: {best: price.low}}\n"
          "instructionSets: {sub: {chain: price-check, arguments: {city: '{to}'}}}\n",
          lines);
    w.options.child = the_child;
    w.options.child_ctx = &child;
    const ctn_why_node *answer = variable(&w, "best")->first;
    assert_text(&w, answer->text, "outputs of chain price-check");
    assert_json(&w, answer->args, "{\"city\":\"Rome\"}");
    const ctn_why_node *inside = answer->first;
    assert_text(&w, inside->name, "price.low");
    assert_json(&w, inside->value, "7");
    assert_text(&w, inside->first->text, "answer of x/find");
    assert_text(&w, inside->first->first->first->text, "argument city of the step that started this chain");
    assert_text(&w, answer->last->name, "to");
    ctn_str json = ctn_json_to_str(w.arena, ctn_why_to_json(w.arena, variable(&w, "best")));
    assert_int_not_equal(ctn_str_find(json, CTN_STR("\"executionId\":\"" CHILD_ID "\"")), SIZE_MAX);
    erase(&w);
    erase(&child);
}

static void a_sub_chain_that_is_gone_is_where_the_walk_ends(void **state)
{
    (void) state;
    written w = {0};
    static const char lines[] = "0 started {'input':{'to':'Rome'}}\n"
                                "1000 attempt_succeeded a 1 {'child':'" CHILD_ID "','variables':{'best':7}}";
    WRITE(&w,
          "id: parent\nsteps:\n  - {stepName: a, instructionSet: sub, outputVariables: [best]}\n"
          "instructionSets: {sub: {chain: price-check, arguments: {city: '{to}'}}}\n",
          lines);
    const ctn_why_node *answer = variable(&w, "best")->first;
    assert_text(&w, answer->text, "outputs of chain price-check");
    assert_text(&w, answer->first->name, "to");
    erase(&w);
}

/* ---- what must not be shown ---- */

static bool holds(const ctn_why_node *node, written *w, const char *text)
{
    return ctn_str_find(ctn_json_to_str(w->arena, ctn_why_to_json(w->arena, node)), ctn_str_from(text)) != SIZE_MAX;
}

static void sensitive_values_are_named_and_not_shown(void **state)
{
    (void) state;
    written w = {0};
    static const char lines[] = "0 started {'input':{'card':'4111','n':2}}\n"
                                "1000 attempt_started a 1 {'args':{'who':'4111','n':2,'say':'pay with "
                                "4111'},'effect':'write','effectFrom':'assumed','key':'k'}\n"
                                "2000 attempt_succeeded a 1 {'variables':{'m':1}}";
    WRITE(&w,
          "id: safe\nsensitive: [card]\nsteps:\n"
          "  - {stepName: a, instructionSet: s, outputVariables: [m], conditionalExecution: \"{card} != '0'\",\n"
          "     inputTemplate: 'pay with {card}'}\n"
          "instructionSets: {s: {tool: x/pay, arguments: {who: '{card}', n: '{n}', say: '{input}'}}}\n",
          lines);
    const ctn_why_node *m = variable(&w, "m"), *step = NULL;
    assert_json(&w, m->first->args, "{\"who\":\"[not shown]\",\"n\":2,\"say\":\"[not shown]\"}");
    assert_false(holds(m, &w, "4111"));
    assert_true(holds(m, &w, "\"redacted\":true"));
    assert_int_equal(ctn_why_step(w.arena, &w.source, &w.options, CTN_STR("a"), &step, NULL), 0);
    assert_false(holds(step, &w, "4111"));
    assert_true(holds(step, &w, "[not shown]"));
    assert_false(holds(variable(&w, "card"), &w, "4111"));
    erase(&w);
}

static void what_a_sub_chain_was_given_stays_sensitive_there(void **state)
{
    (void) state;
    static const char pay[] = "id: pay\nsteps:\n  - {stepName: pay, instructionSet: s, outputVariables: [ref]}\n"
                              "instructionSets: {s: {tool: x/pay, arguments: {with: '{number}'}}}\n";
    written child = {0}, w = {.other = pay};
    static const char inner[] = "0 started {'input':{'number':'4111'}}\n"
                                "1000 attempt_succeeded pay 1 {'variables':{'ref':7}}";
    write_journal(&child, pay, CHILD_ID, inner);
    static const char lines[] =
        "0 started {'input':{'card':'4111'}}\n"
        "1000 child_started a 1 {'child':'" CHILD_ID "','chain':'pay','args':{'number':'4111'}}\n"
        "2000 attempt_succeeded a 1 {'variables':{'ref':7}}";
    WRITE(&w,
          "id: parent\nsensitive: [card]\nsteps:\n  - {stepName: a, instructionSet: sub, outputVariables: [ref]}\n"
          "instructionSets: {sub: {chain: pay, arguments: {number: '{card}'}}}\n",
          lines);
    w.options.child = the_child;
    w.options.child_ctx = &child;
    const ctn_why_node *ref = variable(&w, "ref");
    assert_true(holds(ref, &w, "x/pay"));
    assert_false(holds(ref, &w, "4111"));
    erase(&w);
    erase(&child);
}

static void a_document_of_something_sensitive_is_sensitive(void **state)
{
    (void) state;
    written w = {.document = "Paid with {{card}}"};
    static const char lines[] = "0 started {'input':{'card':'4111'}}\n"
                                "1000 attempt_succeeded a 1 {'variables':{'text':'Paid with 4111'}}\n"
                                "2000 attempt_started b 1 {'args':{'input':'Paid with 4111'}}\n"
                                "3000 attempt_succeeded b 1 {'variables':{'m':1}}";
    WRITE(&w,
          "id: safe\nsensitive: [card]\nsteps:\n"
          "  - {stepName: a, instructionSet: s, outputVariables: [text], templateId: paper}\n"
          "  - {stepName: b, instructionSet: t, inputTemplate: '{text}', outputVariables: [m]}\n"
          "instructionSets:\n  s: {tool: x/a, arguments: {}}\n  t: {tool: x/send}\n",
          lines);
    assert_false(holds(variable(&w, "text"), &w, "4111"));
    assert_false(holds(variable(&w, "m"), &w, "4111"));
    assert_true(holds(variable(&w, "m"), &w, "[not shown]"));
    erase(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_of_a_fallback_comes_from_its_set),
        cmocka_unit_test(a_value_of_a_fallback_may_stand_in_the_file),
        cmocka_unit_test(an_answer_out_of_the_cache_says_so),
        cmocka_unit_test(a_value_of_a_sub_chain_is_followed_into_its_journal),
        cmocka_unit_test(a_sub_chain_that_is_gone_is_where_the_walk_ends),
        cmocka_unit_test(sensitive_values_are_named_and_not_shown),
        cmocka_unit_test(what_a_sub_chain_was_given_stays_sensitive_there),
        cmocka_unit_test(a_document_of_something_sensitive_is_sensitive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
