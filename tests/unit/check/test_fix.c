/* Mending: what is written where, what stays, and what is left alone. */
#include "check/fix.h"
#include "support/cmocka.h"
#include "unit/kit/chain_kit.h"

/* The text of "c.yaml" after one round of mending. */
static void expect(const char *text, const char *wanted)
{
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml",
                  "instructionSets:\n  search: {tool: s/look, effect: read, arguments: {a: '{input?}'}}\n"
                  "  booking: {tool: s/book, effect: write}\n  bookings: {tool: s/all, effect: read}\n");
    chain_kit_add(&kit, "c.yaml", text);
    if (kit.chain)
        chain_kit_check(&kit, NULL);
    ctn_findings_sort(&kit.findings);
    ctn_fixes fixes;
    ctn_str got = ctn_fix_text(kit.arena, CTN_STR("c.yaml"), ctn_str_from(text), &kit.findings, SIZE_MAX, &fixes);
    if (!ctn_str_is(got, wanted))
        fail_msg("%s\nbecomes\n%.*s\nnot\n%s\n%.*s", text, CTN_STR_ARG(got), wanted,
                 CTN_STR_ARG(chain_kit_findings(&kit, NULL)));
    assert_int_equal(fixes.count > 0, strcmp(text, wanted) != 0);
    chain_kit_done(&kit);
}

static void names_that_are_surely_meant_are_written(void **state)
{
    (void) state;
    expect("id: c # the chain\nsteps: # all\n  - {stepName: one, instructonSet: search} # first\n",
           "id: c # the chain\nsteps: # all\n  - {stepName: one, instructionSet: search} # first\n");
    expect("id: c\nsteps:\n  - {stepName: one, instructionSet: 'serach'} # serach\n",
           "id: c\nsteps:\n  - {stepName: one, instructionSet: 'search'} # serach\n");
    expect("id: c\nsteps:\n  - {stepName: first, instructionSet: search}\n"
           "  - {stepName: two, instructionSet: search, dependsOn: [frist]}\n",
           "id: c\nsteps:\n  - {stepName: first, instructionSet: search}\n"
           "  - {stepName: two, instructionSet: search, dependsOn: [first]}\n");
    expect("id: c\ninputSchema: {type: object, properties: {raw_lead: {}}}\nsteps:\n"
           "  - {stepName: one, instructionSet: search, inputTemplate: 'rawlead {rawlead.a} {rawlead}'}\n",
           "id: c\ninputSchema: {type: object, properties: {raw_lead: {}}}\nsteps:\n"
           "  - {stepName: one, instructionSet: search, inputTemplate: 'rawlead {raw_lead.a} {raw_lead}'}\n");
    expect("id: c\ninputSchema: {type: object, properties: {raw_lead: {}}}\nsteps:\n"
           "  - stepName: one\n    instructionSet: search\n    inputTemplate: |\n      a\n\n      {rawlead}\n"
           "    noUndo: '{rawlead}'\n    conditionalExecution: rawlead == 1 # rawlead\n",
           "id: c\ninputSchema: {type: object, properties: {raw_lead: {}}}\nsteps:\n"
           "  - stepName: one\n    instructionSet: search\n    inputTemplate: |\n      a\n\n      {raw_lead}\n"
           "    noUndo: '{rawlead}'\n    conditionalExecution: raw_lead == 1 # rawlead\n");
    expect("{\"id\": \"c\",\n \"stpes\": [{\"stepName\": \"one\", \"instructionSet\": \"search\"}]}\n",
           "{\"id\": \"c\",\n \"steps\": [{\"stepName\": \"one\", \"instructionSet\": \"search\"}]}\n");
    /* Several at once, from the end to the beginning. */
    expect("id: c\ntimoutMs: 1000\npriorty: 3\nsteps:\n  - {stepNmae: one, instructionSet: search}\n",
           "id: c\ntimeoutMs: 1000\npriority: 3\nsteps:\n  - {stepName: one, instructionSet: search}\n");
}

static void what_may_be_meant_otherwise_is_left(void **state)
{
    (void) state;
    static const char *const TEXTS[] = {
        "id: c\nsteps:\n  - {stepName: one, instructionSet: bookingz}\n",         /* two are as near */
        "id: c\nsteps:\n  - {stepName: one, instructionSet: far-away}\n",         /* none is */
        "id: c\nsteps:\n  - {stepName: one, instructionSet: search, out: [a]}\n", /* too short, too far */
        "id: c\npriority: 1\npriorty: 3\nsteps:\n  - {stepName: one, instructionSet: search}\n", /* it is there */
        "id: c\nsteps:\n  - {stepName: one, instructionSet: search, timeoutMs: abc}\n",
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        expect(TEXTS[i], TEXTS[i]);
}

static void tabs_that_indent_become_spaces_and_other_tabs_stay(void **state)
{
    (void) state;
    expect("id: c\nsteps:\n\t- stepName: one\n\t  instructionSet: search # a\tb\n",
           "id: c\nsteps:\n  - stepName: one\n    instructionSet: search # a\tb\n");
    expect("id: c\nbudget:\n    calls: 1\nsteps:\n\t- stepName: one\n\t  instructionSet: search\n\t  inputTemplate: |\n"
           "\t\t  a\n",
           "id: c\nbudget:\n    calls: 1\nsteps:\n    - stepName: one\n      instructionSet: search\n"
           "      inputTemplate: |\n          a\n");
    /* A tab in a text is the author's. */
    expect("id: c\ndescription: |\n  a\n  \tb\nsteps:\n  - {stepName: one, instructionSet: search}\n",
           "id: c\ndescription: |\n  a\n  \tb\nsteps:\n  - {stepName: one, instructionSet: search}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_surely_meant_are_written),
        cmocka_unit_test(what_may_be_meant_otherwise_is_left),
        cmocka_unit_test(tabs_that_indent_become_spaces_and_other_tabs_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
