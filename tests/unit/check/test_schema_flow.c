/* What check says about types: what never fits, where, and that it keeps silent about all that may. */
#include "support/cmocka.h"
#include "unit/kit/chain_kit.h"
#include "unit/kit/json_kit.h"

/* Tools of a server "s", as it would list them: {name: [inputSchema, outputSchema or null, [observed results]]}. */
static const char *const TOOLS =
    "{\"look\": [{\"type\":\"object\"}, null],"
    " \"count\": [{\"type\":\"object\",\"required\":[\"n\"],\"additionalProperties\":false,\"properties\":"
    "   {\"n\":{\"type\":\"integer\"},\"note\":{\"type\":\"string\"},\"way\":{\"enum\":[\"air\",\"rail\"]},"
    "    \"list\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},"
    "    \"who\":{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"integer\"}}}}}, null],"
    " \"trip\": [{\"type\":\"object\"}, {\"type\":\"object\",\"required\":[\"name\",\"nights\"],"
    "   "
    "\"additionalProperties\":false,\"properties\":{\"name\":{\"type\":\"string\"},\"nights\":{\"type\":\"integer\"},"
    "   \"price\":{\"type\":\"number\"},\"note\":{\"type\":[\"string\",\"null\"]},"
    "   \"stops\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/stop\"}}},"
    "   \"$defs\":{\"stop\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":"
    "   {\"city\":{\"type\":\"string\"},\"days\":{\"type\":\"integer\"}}}}}],"
    " \"seen\": [{\"type\":\"object\"}, null, [{\"code\":\"a\",\"n\":1},{\"code\":\"b\",\"n\":2.5}]]}";

typedef struct tools {
    ctn_arena *arena;
    const ctn_json *all;
} tools;

static bool tool_of(void *ctx, ctn_str target, ctn_check_tool *ret_tool)
{
    const tools *t = ctx;
    ctn_str name = target;
    (void) ctn_str_cut(&name, '/');
    const ctn_json *tool = ctn_json_get(t->all, name);
    if (!ctn_str_starts_with(target, CTN_STR("s/")))
        return false;
    if (!tool) {
        ret_tool->fault = ctn_arena_printf(t->arena, "server 's' has no tool '%.*s'", CTN_STR_ARG(name));
        return true;
    }
    ret_tool->input_schema = ctn_json_at(tool, 0);
    if (ctn_json_is(ctn_json_at(tool, 1), CTN_JSON_OBJECT))
        ret_tool->output_schema = ctn_json_at(tool, 1);
    ret_tool->observed = ctn_json_at(tool, 2);
    return true;
}

static const char *const SETS = "instructionSets:\n"
                                "  look: {tool: s/look, effect: read, arguments: {a: '{input?}'}}\n"
                                "  trip: {tool: s/trip, effect: read, arguments: {}}\n"
                                "  seen: {tool: s/seen, effect: read, arguments: {}}\n"
                                "  count: {tool: s/count, effect: read, arguments: {n: '{input}'}}\n"
                                "  yes: {approval: {timeoutMs: 3600000}}\n"
                                "  write: {agent: {instructions: w.md, outputSchema: {type: object, required: [text], "
                                "properties: {text: {type: string}}, additionalProperties: false}}}\n";

/* The findings of the types' rules, of texts that are files "more.yaml" (NULL: none) and "c.yaml" (a chain). */
static void expect_with(const char *more, const char *chain, const char *wanted)
{
    chain_kit kit;
    chain_kit_init(&kit);
    tools t = {.arena = kit.arena, .all = json_of(kit.arena, ctn_str_from(TOOLS))};
    chain_kit_add(&kit, "sets.yaml", SETS);
    if (more)
        chain_kit_add(&kit, "more.yaml", more);
    chain_kit_add(&kit, "c.yaml", ctn_arena_printf(kit.arena, "id: c\n%s", chain).ptr);
    chain_kit_check(&kit, &(ctn_check_options){.tool = tool_of, .tool_ctx = &t});
    ctn_findings_sort(&kit.findings);
    ctn_buf got;
    ctn_buf_init(&got, 1 << 16);
    for (size_t i = 0; i < kit.findings.count; i++) {
        const ctn_finding *f = &kit.findings.items[i];
        bool is_ours = strcmp(f->rule, "missing-argument") == 0 || strcmp(f->rule, "schema-mismatch") == 0 ||
                       strcmp(f->rule, "unknown-tool") == 0;
        if (is_ours || f->severity == CTN_SEVERITY_ERROR)
            ctn_buf_printf(&got, "%s%s%s%u:%u %s", got.len ? " " : "", f->severity == CTN_SEVERITY_ERROR ? "" : "~",
                           ctn_str_is(f->file, "c.yaml") ? "" : "more ", f->line, f->column, f->rule);
    }
    if (!ctn_str_is(ctn_buf_str(&got), wanted))
        fail_msg("%s\ngives %.*s\nnot   %s\n%.*s", chain, CTN_STR_ARG(ctn_buf_str(&got)), wanted,
                 CTN_STR_ARG(chain_kit_findings(&kit, NULL)));
    ctn_buf_done(&got);
    chain_kit_done(&kit);
}

static void expect(const char *chain, const char *wanted)
{
    expect_with(NULL, chain, wanted);
}

/* Line 3: a first step of that set. Line 4: a step that needs a whole number. */
#define FIRST(set, more)    "steps:\n- {stepName: t, instructionSet: " set more "}\n"
#define GIVES(set, outputs) FIRST(set, ", outputVariables: " outputs)
#define TRIP                GIVES("trip", "[trip]")
#define READS(input)        "- {stepName: r, instructionSet: count, inputTemplate: " input "}\n"

static void a_value_that_never_fits_the_argument_is_an_error(void **state)
{
    (void) state;
    expect(TRIP READS("'{trip.nights}'"), "");
    expect(TRIP READS("'{trip.price}'"), ""); /* may be whole */
    expect(TRIP READS("'{trip.name}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.nights} nights'"), "4:55 schema-mismatch");
    expect(TRIP READS("three"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.stops[0].days}'"), "");
    expect(TRIP READS("'{trip.stops[0].city}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{unknown}'"), "");
}

static void a_path_that_leads_nowhere_is_an_error(void **state)
{
    (void) state;
    expect(TRIP READS("'{trip.nigths}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.stops.days}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.name[0]}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.stops[0].nights}'"), "4:55 schema-mismatch");
    /* Who can do without a value may look. */
    expect(TRIP READS("'{trip.nigths?}'"), "");
    expect(TRIP READS("'{trip.nigths | default(2)}'"), "");
    expect(TRIP "- {stepName: r, instructionSet: look, conditionalExecution: \"{trip.nigths} == 2\"}\n", "");
    /* What is not read is not rendered. */
    expect(TRIP "- {stepName: r, instructionSet: trip, inputTemplate: '{trip.nigths}'}\n", "");
}

static void filters_change_the_type(void **state)
{
    (void) state;
    expect(TRIP READS("'{trip.name | length}'"), "");
    expect(TRIP READS("'{trip.name | upper}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.nights | upper}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.stops | json}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.price | round}'"), "");
    expect(TRIP READS("'{trip.stops | join}'"), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.stops | first}'"), "4:55 schema-mismatch");
    expect(TRIP READS("\"{trip.note | default: 'none'}\""), "4:55 schema-mismatch");
    expect(TRIP READS("'{trip.nights | default: 1}'"), "");
}

static void what_a_set_says_wrongly_is_told_at_the_set_and_at_each_step(void **state)
{
    (void) state;
    const char *steps = "steps:\n- {stepName: a, instructionSet: x}\n- {stepName: b, instructionSet: x}\n";
#define SET(arguments) "instructionSets:\n  x: {tool: s/count, effect: read, arguments: {" arguments "}}\n"
    expect_with(SET("n: 1"), steps, "");
    expect_with(SET("note: a"), steps, "3:33 missing-argument 4:33 missing-argument more 2:47 missing-argument");
    expect_with(SET("n: one"), steps, "3:33 schema-mismatch 4:33 schema-mismatch more 2:51 schema-mismatch");
    expect_with(SET("n: 1.5"), steps, "3:33 schema-mismatch 4:33 schema-mismatch more 2:51 schema-mismatch");
    expect_with(SET("n: 1, way: rail"), steps, "");
    expect_with(SET("n: 1, way: sea"), steps, "3:33 schema-mismatch 4:33 schema-mismatch more 2:59 schema-mismatch");
    expect_with(SET("n: 1, more: 2"), steps, "3:33 schema-mismatch 4:33 schema-mismatch more 2:54 schema-mismatch");
    expect_with(SET("n: 1, list: [1, two]"), steps,
                "3:33 schema-mismatch 4:33 schema-mismatch more 2:64 schema-mismatch");
    expect_with(SET("n: 1, who: {name: a}"), steps,
                "3:33 schema-mismatch 4:33 schema-mismatch more 2:59 schema-mismatch");
    expect_with(SET("n: 1, who: {id: '{who?}'}"), steps, "");
    expect_with(SET("n: '{n?}'"), steps, "");
}

static void what_a_set_sends_of_the_chains_variables_is_told_where_the_step_names_it(void **state)
{
    (void) state;
    const char *more = "instructionSets:\n  x: {tool: s/count, effect: read, arguments: {n: '{trip.name}'}}\n"
                       "  y: {tool: s/count, effect: read, arguments: {n: 1, list: '{trip.stops}'}}\n"
                       "  z: {tool: s/count, effect: read, arguments: {n: 1, who: '{trip}'}}\n";
    expect_with(more, TRIP "- {stepName: a, instructionSet: x}\n", "4:33 schema-mismatch");
    expect_with(more, TRIP "- {stepName: a, instructionSet: y}\n", "4:33 schema-mismatch");
    expect_with(more, TRIP "- {stepName: a, instructionSet: z}\n", "4:33 schema-mismatch");
    expect_with(more, FIRST("x", ""), "");
}

static void without_arguments_the_input_is_sent(void **state)
{
    (void) state;
    const char *more = "instructionSets:\n  x: {tool: s/count, effect: read}\n";
    expect_with(more, FIRST("x", ", inputTemplate: '{x}'"), "3:33 missing-argument more 2:13 missing-argument");
}

static void an_output_that_the_result_never_has_is_an_error(void **state)
{
    (void) state;
    expect(GIVES("trip", "[name, nights]"), "");
    expect(GIVES("trip", "[name, night]"), "3:63 schema-mismatch");
    expect(GIVES("trip", "{x: 'stops[0].city', y: name}"), "");
    expect(GIVES("trip", "{x: 'stops[0].town', y: name}"), "3:57 schema-mismatch");
    expect(GIVES("yes", "[approved, by]"), "");
    expect(GIVES("yes", "[approved, reason]"), "3:66 schema-mismatch");
    expect(GIVES("write", "[text, title]"), "3:64 schema-mismatch");
    /* One variable takes the whole. */
    expect(GIVES("yes", "[answer]") READS("'{answer.approved}'"), "4:55 schema-mismatch");
    /* A fallback may give what the set does not. */
    expect(GIVES("trip", "[name], fallback: [{value: {name: 3}}]") READS("'{name}'"), "");
}

static void an_input_has_the_type_that_its_schema_says(void **state)
{
    (void) state;
#define INPUT "inputSchema: {type: object, properties: {who: {type: string}, n: {type: [integer, 'null']}}}\nsteps:\n"
    expect(INPUT READS("'{n}'"), "");
    expect(INPUT READS("'{who}'"), "4:55 schema-mismatch");
}

static void a_foreach_takes_a_list_and_makes_lists(void **state)
{
    (void) state;
#define EACH(items, more) "- {stepName: e, foreach: {items: " items ", as: stop}, instructionSet: count, " more "}\n"
    expect(TRIP EACH("'{trip.stops}'", "inputTemplate: '{stop.days}'"), "");
    expect(TRIP EACH("'{trip.stops}'", "inputTemplate: '{item.days}'"), "");
    expect(TRIP EACH("'{trip.stops}'", "inputTemplate: '{stop.city}'"), "4:99 schema-mismatch");
    expect(TRIP EACH("'{trip.stops}'", "inputTemplate: '{stop.town}'"), "4:99 schema-mismatch");
    expect(TRIP EACH("'{trip.nights}'", "inputTemplate: '1'"), "4:34 schema-mismatch 4:100 schema-mismatch");
    expect(TRIP EACH("'{trip}'", "inputTemplate: '{x}'"), "4:34 schema-mismatch");
    expect(TRIP EACH("{range: [0, '{trip.nights}']}", "inputTemplate: '{stop}'"), "");
    expect(TRIP EACH("{range: [0, '{trip.name}']}", "inputTemplate: '{stop}'"), "4:46 schema-mismatch");
#define NIGHTS "- {stepName: e, foreach: {items: '{trip.stops}'}, instructionSet: trip, outputVariables: [nights]}\n"
    expect(TRIP NIGHTS READS("'{nights}'"), "5:55 schema-mismatch");
    expect(TRIP NIGHTS READS("'{nights[0]}'"), "");
}

static void an_output_schema_must_be_possible_and_is_believed(void **state)
{
    (void) state;
#define MUST(schema) GIVES("look", "[v], outputSchema: " schema) READS("'{v}'")
    expect(MUST("{type: integer}"), "");
    expect(MUST("{type: string}"), "4:55 schema-mismatch");
    expect(
        GIVES("trip", "[v], outputSchema: {type: object, required: [nights], properties: {nights: {type: integer}}}"),
        "");
    expect(GIVES("trip", "[v], outputSchema: {type: object, required: [id]}"), "3:75 schema-mismatch");
    expect(GIVES("look",
                 "[v], fallback: [{value: {v: a}}], outputSchema: {type: object, properties: {v: {type: integer}}}"),
           "3:72 schema-mismatch");
}

static void a_sub_chain_is_called_with_what_it_needs_and_gives_what_it_says(void **state)
{
    (void) state;
    const char *child =
        "id: child\ninputSchema: {type: object, required: [n], properties: {n: {type: integer}, m: {type: string, "
        "default: a}}, additionalProperties: false}\noutputs: [name, nights]\nsteps:\n"
        "- {stepName: t, instructionSet: trip, outputVariables: [name, nights]}\n"
        "- {stepName: u, instructionSet: look, inputTemplate: '{m} {n}', outputVariables: []}\n"
        "instructionSets:\n  call: {chain: child, arguments: {n: '{input}'}}\n  none: {chain: child, arguments: {m: "
        "a}}\n"
        "  more: {chain: child, arguments: {n: 1, k: a}}\n";
#define OF_CHILD "more 9:35 missing-argument more 10:42 schema-mismatch" /* `none` and `more`, whoever calls */
    expect_with(child, FIRST("call", ", inputTemplate: '{n}', outputVariables: [name, nights]") READS("'{nights}'"),
                OF_CHILD);
    expect_with(child, FIRST("call", ", inputTemplate: 'n {n}', outputVariables: [name]"),
                "3:54 schema-mismatch " OF_CHILD);
    expect_with(child, FIRST("call", ", inputTemplate: '{n}', outputVariables: [name, price]"),
                "3:85 schema-mismatch " OF_CHILD);
    expect_with(child, FIRST("call", ", inputTemplate: '{n}', outputVariables: [name]") READS("'{name}'"),
                "4:55 schema-mismatch " OF_CHILD);
    expect_with(child, FIRST("none", ""), "3:33 missing-argument " OF_CHILD);
    /* Without a schema: what a plain placeholder reads. */
    child = "id: child\nsteps:\n- {stepName: t, instructionSet: look, inputTemplate: '{who} {place?}'}\n"
            "instructionSets:\n  call: {chain: child, arguments: {place: a}}\n  good: {chain: child, arguments: {who: "
            "a}}\n";
    expect_with(child, FIRST("good", ""), "more 5:35 missing-argument");
}

static void an_undo_is_held_to_the_same(void **state)
{
    (void) state;
#define UNDO(template, set) GIVES("trip", "[name, nights], rollbackAction: " set ", rollbackTemplate: " template)
    expect(UNDO("'{nights}'", "count"), "");
    expect(UNDO("'{name}'", "count"), "3:113 schema-mismatch");
    expect_with("instructionSets:\n  x: {tool: s/count, effect: read, arguments: {note: a}}\n", UNDO("'{nights}'", "x"),
                "3:88 missing-argument more 2:47 missing-argument");
    expect("steps:\n- {stepName: e, foreach: {items: '{list}'}, instructionSet: trip, outputVariables: [nights], "
           "rollbackAction: count, rollbackTemplate: '{nights}'}\n",
           "");
}

static void calls_of_a_set_read_each_other(void **state)
{
    (void) state;
    const char *more =
        "instructionSets:\n  good:\n    effect: read\n    calls:\n      a: {tool: s/trip, arguments: {}}\n"
        "      b: {tool: s/count, arguments: {n: '{a.nights}'}}\n    result: {c: '{a.name}'}\n";
    expect_with(more, GIVES("good", "[a, b, c]"), "");
    expect_with(more, GIVES("good", "[a, d]"), "3:60 schema-mismatch");
    expect_with(more, GIVES("good", "[a, c]") READS("'{c}'"), "4:55 schema-mismatch");
    more = "instructionSets:\n  bad:\n    effect: read\n    calls:\n      a: {tool: s/trip, arguments: {}}\n"
           "      b: {tool: s/count, arguments: {n: '{a.name}'}}\n";
    expect_with(more, GIVES("bad", "[a]"), "3:33 schema-mismatch more 6:41 schema-mismatch");
}

static void a_tool_that_is_not_there_is_told(void **state)
{
    (void) state;
    expect_with("instructionSets:\n  x: {tool: s/tripp, effect: read}\n  y: {tool: other/what, effect: read}\n",
                FIRST("x", ""), "3:33 unknown-tool more 2:13 unknown-tool");
}

static void what_was_only_observed_is_a_warning(void **state)
{
    (void) state;
#define SEEN GIVES("seen", "[v]")
    expect(SEEN READS("'{v.n}'"), "");
    expect(SEEN READS("'{v.code}'"), "~4:55 schema-mismatch");
    expect(SEEN READS("'{v.nn}'"), "~4:55 schema-mismatch");
    expect(GIVES("seen", "[code, kind]"), "~3:63 schema-mismatch");
    expect(SEEN "# catena: allow schema-mismatch: it has more\n" READS("'{v.nn}'"), "");
}

static void a_chain_that_calls_itself_ends(void **state)
{
    (void) state;
    expect(GIVES("self", "[x]") READS("'{x}'") "instructionSets: {self: {chain: c, arguments: {}}}\n", "");
}

/* Each step puts the value before it into its own twice, and a second one writes the same names: drawn out as a tree it
 * would have 2^20 parts and more. */
static void values_that_hold_each_other_twice_are_not_drawn_out(void **state)
{
    (void) state;
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    ctn_buf_append_literal(&text,
                           "steps:\n- {stepName: s, instructionSet: trip, outputVariables: {v: name, w: nights}}\n");
    for (int i = 0; i < 20; i++)
        ctn_buf_printf(&text,
                       "- {stepName: a%d, instructionSet: twice, outputVariables: {v: x, w: x}}\n"
                       "- {stepName: b%d, instructionSet: twice, outputVariables: {v: y, w: y}}\n",
                       i, i);
    ctn_buf_append_literal(&text, READS("'{v}'"));
    ctn_buf_append_char(&text, 0);
    expect_with("instructionSets:\n  twice:\n    effect: read\n    calls: {c: {tool: s/look, arguments: {}}}\n"
                "    result: {x: {l: '{v}', r: '{w}'}, y: {l: '{v}', r: '{v}', m: '{w}'}}\n",
                text.data, "");
    ctn_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_never_fits_the_argument_is_an_error),
        cmocka_unit_test(a_path_that_leads_nowhere_is_an_error),
        cmocka_unit_test(filters_change_the_type),
        cmocka_unit_test(what_a_set_says_wrongly_is_told_at_the_set_and_at_each_step),
        cmocka_unit_test(what_a_set_sends_of_the_chains_variables_is_told_where_the_step_names_it),
        cmocka_unit_test(without_arguments_the_input_is_sent),
        cmocka_unit_test(an_output_that_the_result_never_has_is_an_error),
        cmocka_unit_test(an_input_has_the_type_that_its_schema_says),
        cmocka_unit_test(a_foreach_takes_a_list_and_makes_lists),
        cmocka_unit_test(an_output_schema_must_be_possible_and_is_believed),
        cmocka_unit_test(a_sub_chain_is_called_with_what_it_needs_and_gives_what_it_says),
        cmocka_unit_test(an_undo_is_held_to_the_same),
        cmocka_unit_test(calls_of_a_set_read_each_other),
        cmocka_unit_test(a_tool_that_is_not_there_is_told),
        cmocka_unit_test(what_was_only_observed_is_a_warning),
        cmocka_unit_test(a_chain_that_calls_itself_ends),
        cmocka_unit_test(values_that_hold_each_other_twice_are_not_drawn_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
