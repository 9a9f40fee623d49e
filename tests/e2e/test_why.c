/*
 * catena why, through the real binary: every value of a real run of the travel pack is walked back to the lead or to a
 * tool's answer, and every step says why it did what it did.
 */
#include "cli_kit.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAD                                                                                                           \
    "Hi, I'm Dana Reed (dana@example.com, +44 20 7946 0000). London to Rome, 2 adults, 10 May 2027 to 17 May 2027,\n"  \
    "budget 2000 GBP total, we love museums.\n"

static void run_lead(world *w, char *id)
{
    cli_world_travel(w, "leads.db");
    cli_world_write(w, "lead.txt", "%s", LEAD);
    assert_exit(w, catena(w, "run", "mobile-lead-processing", "-i", "raw_lead=@lead.txt", "--json", "--quiet", NULL),
                0);
    json_text(w->said.out, "executionId", id);
}

static const ctn_json *why(world *w, ctn_arena *arena, const char *id, const char *name)
{
    const ctn_json *tree = NULL;
    assert_exit(w, catena(w, "why", id, name, "--json", NULL), 0);
    ctn_err err = {0};
    if (ctn_json_parse(arena, ctn_str_from(w->said.out), NULL, &tree, &err))
        fail_msg("%s: stdout is no JSON: %s", name, err.message);
    return tree;
}

static bool is_kind(const ctn_json *node, const char *kind)
{
    return ctn_str_is(ctn_json_str_or(node, "kind", CTN_STR("")), kind);
}

/* What the walk ended in. */
typedef struct ends {
    int leads, tools, others;
} ends;

static void find_ends(const ctn_json *node, ends *e, const char *name)
{
    const ctn_json *because = ctn_json_member_of(node, "because");
    if (ctn_json_member_of(node, "see"))
        return;
    assert_null(ctn_json_member_of(node, "cut"));
    e->tools += is_kind(node, "answer");
    for (size_t i = 0; i < ctn_json_count(because); i++)
        find_ends(ctn_json_at(because, i), e, name);
    if (because || is_kind(node, "answer") || is_kind(node, "engine"))
        return;
    if (is_kind(node, "input") && ctn_str_is(ctn_json_str_or(node, "name", CTN_STR("")), "raw_lead"))
        e->leads++;
    else if (!ctn_str_is(ctn_json_str_or(node, "name", CTN_STR("")), "received_at"))
        fail_msg("%s ends in something else: kind %.*s, %.*s", name,
                 CTN_STR_ARG(ctn_json_str_or(node, "kind", CTN_STR(""))),
                 CTN_STR_ARG(ctn_json_str_or(node, "name", CTN_STR(""))));
}

static void every_output_of_a_lead_ends_in_the_lead_and_in_tools(void **state)
{
    world *w = *state;
    char id[64];
    run_lead(w, id);
    ctn_arena *arena = ctn_arena_new(65536);
    const ctn_json *result = NULL;
    assert_int_equal(ctn_json_parse(arena, ctn_str_from(w->said.out), NULL, &result, NULL), 0);
    const ctn_json *outputs = ctn_json_member_of(result, "outputs");
    assert_true(ctn_json_count(outputs) >= 13);
    for (size_t i = 0; i < ctn_json_count(outputs); i++) {
        char name[64];
        ctn_str key = ctn_json_text(&outputs->members[i].key);
        snprintf(name, sizeof name, "%.*s", CTN_STR_ARG(key));
        const ctn_json *tree = why(w, arena, id, name);
        assert_true(is_kind(tree, "variable"));
        assert_true(ctn_json_equal(ctn_json_member_of(tree, "value"), &outputs->members[i].value));
        ends e = {0};
        find_ends(tree, &e, name);
        assert_true(e.leads == 1 && e.tools >= 1);
        assert_exit(w, catena(w, "why", id, name, NULL), 0);
        assert_out(w, "raw_lead");
        assert_out(w, "answer of travel/extract_lead");
    }
    ctn_arena_free(arena);
}

static void every_step_of_a_lead_says_why_it_ran(void **state)
{
    world *w = *state;
    char id[64];
    run_lead(w, id);
    static const char *const STEPS[][2] = {
        {"extract_lead_data", "ready at the start"},
        {"validate_requirements",
         "it ran because its condition `{validation_status} == 'incomplete' ? skip : continue` "
         "said continue; validation_status was not set"},
        {"create_client_record", "its start is on record because it is idempotent (set)"},
        {"search_initial_options", "gave flight_options, hotel_options and estimated_costs"},
        {"generate_proposal", "travel/price_tiers was called with {\"requirements\":"},
    };
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        assert_exit(w, catena(w, "why", id, STEPS[i][0], NULL), 0);
        assert_out(w, STEPS[i][0]);
        assert_out(w, " completed");
        assert_out(w, STEPS[i][1]);
        ctn_arena *arena = ctn_arena_new(65536);
        const ctn_json *tree = why(w, arena, id, STEPS[i][0]);
        assert_true(is_kind(tree, "step"));
        assert_true(ctn_str_is(ctn_json_str_or(tree, "status", CTN_STR("")), "completed"));
        ctn_arena_free(arena);
    }
}

static void a_way_into_a_value_is_followed_to_the_call_that_gave_it(void **state)
{
    world *w = *state;
    char id[64];
    run_lead(w, id);
    assert_exit(w, catena(w, "why", id, "estimated_costs.flights_from", NULL), 0);
    assert_out(w, "estimated_costs.flights_from = ");
    assert_out(w, "result of amadeus-search: \"{flight_options.cheapest.total}\"");
    assert_out(w, "answer of travel/search_flights (call flight_options), at cheapest.total");
    assert_lacks(w->said.out, "search_hotels");
}

static void the_tree_is_drawn_as_the_terminal_can(void **state)
{
    world *w = *state;
    char id[64];
    run_lead(w, id);
    char line[200];
    snprintf(line, sizeof line, "LC_ALL=C catena why %s client_id", id);
    assert_exit(w, shell(w, line), 0);
    assert_out(w, "\n`- answer of travel/create_client_record");
    assert_out(w, "\n   |- client <- client_info = ");
    snprintf(line, sizeof line, "LC_ALL=C.UTF-8 catena why %s client_id", id);
    assert_exit(w, shell(w, line), 0);
    assert_out(w, "\n\u2514 answer of travel/create_client_record, at client_id  step create_client_record, ");
    assert_out(w, "\n  \u251c client \u2190 client_info = ");
    assert_lacks(w->said.out, "\033");
}

#define PARENT                                                                                                         \
    "id: parent\nsteps:\n"                                                                                             \
    "  - {stepName: ask, instructionSet: price, outputVariables: {best: price.low}}\n"                                 \
    "  - {stepName: each, instructionSet: twice, outputVariables: [twice], foreach: {items: {range: [1, 3]}}}\n"       \
    "instructionSets:\n"                                                                                               \
    "  price: {chain: price-check, arguments: {city: '{to}', n: 3}}\n"                                                 \
    "  twice: {chain: twice, arguments: {n: '{item}'}}\n"
#define PRICE                                                                                                          \
    "id: price-check\noutputs: {price: '{p}'}\nsteps:\n"                                                               \
    "  - {stepName: find, instructionSet: find, outputVariables: {p: price}}\n"                                        \
    "instructionSets:\n"                                                                                               \
    "  find: {transform: '{price: {low: (.n * 7), at: .in}}', arguments: {in: '{city}', n: '{n}'}}\n"
#define TWICE                                                                                                          \
    "id: twice\nsteps:\n  - {stepName: d, instructionSet: d, outputVariables: [twice]}\n"                              \
    "instructionSets:\n  d: {transform: '{twice: (.n * 2)}', arguments: {n: '{n}'}}\n"

static void a_value_is_followed_into_the_execution_of_a_sub_chain(void **state)
{
    world *w = *state;
    char id[64], child[64];
    cli_world_write(w, "parent.yaml", "%s", PARENT);
    cli_world_write(w, "price.yaml", "%s", PRICE);
    cli_world_write(w, "twice.yaml", "%s", TWICE);
    cli_world_write(w, "catena.yaml", "include: [parent.yaml, price.yaml, twice.yaml]\n");
    assert_exit(w, catena(w, "run", "parent", "-i", "to=Rome", "--json", "--quiet", NULL), 0);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "why", id, "best", NULL), 0);
    assert_out(w, "best = 21\n");
    assert_out(w, "outputs of chain price-check, at price.low");
    assert_out(w, "price \u2190 p.low = 21\n");
    assert_out(w, "step find");
    assert_out(w, "in \u2190 city = \"Rome\" \u2190 argument city of the step that started this chain");
    assert_out(w, "city \u2190 to = \"Rome\" \u2190 input, given by ");
    assert_exit(w, catena(w, "why", id, "twice[1]", NULL), 0);
    assert_out(w, "twice[1] = 4\n");
    assert_out(w, "twice = 4\n");
    assert_out(w, "step d");
    assert_exit(w, catena(w, "why", id, "ask", NULL), 0);
    assert_out(w, "chain price-check was started with {\"city\":\"Rome\",\"n\":3}");
    assert_exit(w, catena(w, "why", id, "best", "--json", NULL), 0);
    const char *inner = strstr(strstr(w->said.out, "\"outputs of chain"), "\"executionId\":\"");
    assert_non_null(inner);
    json_text(inner, "executionId", child);
    assert_string_not_equal(child, id);
    assert_exit(w, catena(w, "why", child, "city", NULL), 0);
    assert_out(w, "city = \"Rome\" \u2190 argument of step ask of execution ");
    assert_out(w, id);
}

static void a_step_that_waits_for_its_sub_chain_names_that_execution(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "parent.yaml",
                    "id: parent\nsteps:\n  - {stepName: ask, instructionSet: sub, outputVariables: [approved]}\n"
                    "instructionSets: {sub: {chain: desk, arguments: {}}}\n");
    cli_world_write(w, "desk.yaml",
                    "id: desk\nsteps:\n  - {stepName: ok, instructionSet: yes, outputVariables: [approved]}\n"
                    "instructionSets: {yes: {approval: {}}}\n");
    cli_world_write(w, "catena.yaml", "include: [parent.yaml, desk.yaml]\n");
    assert_exit(w, catena(w, "run", "parent", "--quiet", NULL), 3);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "why", id, "ask", NULL), 0);
    assert_out(w, "ask waits for execution ");
    assert_out(w, " of chain desk, which does its work");
    assert_exit(w, catena(w, "why", id, "approved", NULL), 0);
    assert_out(w, "approved: never set \u2190 ask waits for execution ");
}

/* ---- what is asked wrongly ---- */

#define TWINS                                                                                                          \
    "id: twins\nsteps:\n  - {stepName: same, instructionSet: ask, outputVariables: {same: approved, who: by}}\n"       \
    "instructionSets: {ask: {approval: {}}}\n"

static void a_name_that_is_both_is_a_variable_and_says_so(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "twins.yaml", "%s", TWINS);
    assert_exit(w, catena(w, "run", "twins.yaml", "--quiet", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "why", id, "same", NULL), 0);
    assert_out(w, "same: never set");
    assert_out(w, "same waits for an approval");
    assert_err(w, "same is a step too: catena why ");
    assert_exit(w, catena(w, "why", id, "--step", "same", NULL), 0);
    assert_out(w, "same waits for an approval");
    assert_err(w, "  approve  catena answer ");
    assert_lacks(w->said.out, "never set");
    assert_exit(w, catena(w, "why", id, "--variable", "same", NULL), 0);
    assert_lacks(w->said.err, "is a step too");
    assert_exit(w, catena(w, "answer", id, "same", "{\"approved\": true}", "--quiet", NULL), 0);
    assert_exit(w, catena(w, "why", id, "who", NULL), 0);
    assert_out(w, ", who was asked, at by");
    assert_exit(w, catena(w, "why", id, "who", "--at", "1", NULL), 0);
    assert_out(w, "who: never set");
}

static void a_wrong_question_hears_the_right_one(void **state)
{
    world *w = *state;
    char id[64];
    cli_world_write(w, "twins.yaml", "%s", TWINS);
    assert_exit(w, catena(w, "run", "twins.yaml", "--quiet", NULL), 3);
    newest_id(w, id);
    assert_exit(w, catena(w, "why", id, "smae", NULL), 2);
    assert_err(w, "smae is no variable and no step of the chain; did you mean same?");
    assert_exit(w, catena(w, "why", id, "--step", "sam", NULL), 2);
    assert_err(w, "the chain has no step sam; did you mean same?");
    assert_exit(w, catena(w, "why", id, NULL), 2);
    assert_err(w, "name one thing to explain");
    assert_exit(w, catena(w, "why", id, "same", "--step", "same", NULL), 2);
    assert_exit(w, catena(w, "why", id, "same", "--at", "soon", NULL), 2);
    assert_err(w, "--at soon");
    assert_exit(w, catena(w, "why", "ffffffff", "same", NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(every_output_of_a_lead_ends_in_the_lead_and_in_tools),
        CLI_TEST(every_step_of_a_lead_says_why_it_ran),
        CLI_TEST(a_way_into_a_value_is_followed_to_the_call_that_gave_it),
        CLI_TEST(the_tree_is_drawn_as_the_terminal_can),
        CLI_TEST(a_value_is_followed_into_the_execution_of_a_sub_chain),
        CLI_TEST(a_step_that_waits_for_its_sub_chain_names_that_execution),
        CLI_TEST(a_name_that_is_both_is_a_variable_and_says_so),
        CLI_TEST(a_wrong_question_hears_the_right_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
