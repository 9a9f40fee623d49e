/*
 * What of a chain is sensitive: what is declared, and what is rendered from it; and where that stands in its entries.
 */
#include "unit/kit/chain_kit.h"
#include "core/sensitive.h"
#include "support/cmocka.h"
#include "unit/kit/json_kit.h"

#include <stdio.h>

static const char SETS[] = "instructionSets:\n"
                           "  ask: {tool: s/ask, arguments: {who: '{input}', city: Rome}}\n"
                           "  plain: {tool: s/plain, arguments: {city: '{city}'}}\n"
                           "  shape: {transform: '{v: .x}', arguments: {x: '{input}'}}\n"
                           "  many: {calls: {one: {transform: '.x', arguments: {x: '{input}'}},\n"
                           "                 two: {tool: s/two, arguments: {y: '{one}'}}}}\n"
                           "  whole: {tool: s/whole, arguments: {name: '{input}'}}\n"
                           "  sign: {approval: {message: 'Send it to {input}?'}}\n"
                           "  undo: {tool: s/undo, arguments: {id: '{input.booking}'}}\n"
                           "  sub: {chain: below, arguments: {name: '{input}', city: '{city}'}}\n";

typedef struct fixture {
    chain_kit kit;
    ctn_plan *plan;
    const ctn_sensitivity *s;
} fixture;

static void make(fixture *f, const char *chain)
{
    chain_kit_init(&f->kit);
    chain_kit_add(&f->kit, "sets.yaml", SETS);
    chain_kit_add(&f->kit, "below.yaml",
                  "id: below\nsteps:\n"
                  "  - {stepName: a, instructionSet: shape, inputTemplate: '{name}', outputVariables: {said: v}}\n"
                  "  - {stepName: b, instructionSet: shape, inputTemplate: '{city}', outputVariables: {town: v}}\n");
    chain_kit_add(&f->kit, "c.yaml", chain);
    f->plan = chain_kit_compile(&f->kit);
    f->s = ctn_sensitivity_of(f->plan, NULL, f->kit.arena);
}

static void done(fixture *f)
{
    ctn_plan_done(f->plan);
    chain_kit_done(&f->kit);
}

static const char *places_of(fixture *f, ctn_entry_kind kind, const char *step, const char *body)
{
    ctn_entry e = {.kind = kind, .step = ctn_str_from(step), .item = -1, .attempt = 1};
    e.body = json_of(f->kit.arena, ctn_str_from(body));
    ctn_places places = ctn_sensitive_places(f->s, &e, f->kit.arena);
    char *text = ctn_arena_alloc(f->kit.arena, 1000);
    text[0] = '\0';
    for (size_t i = 0; i < places.count; i++)
        snprintf(text + strlen(text), 1000 - strlen(text), "%s%.*s", i ? " " : "",
                 CTN_STR_ARG(places.items[i].pointer));
    return text;
}

static bool is_sensitive(const fixture *f, const char *name)
{
    return ctn_sensitive_name(f->s, ctn_str_from(name));
}

static bool is_touched(const fixture *f, const char *step)
{
    return ctn_sensitive_step(f->s, ctn_plan_step_index(f->plan, ctn_str_from(step)));
}

static void a_chain_that_declares_nothing_has_nothing(void **state)
{
    (void) state;
    fixture f;
    make(&f, "id: c\nsteps:\n  - {stepName: a, instructionSet: ask, inputTemplate: '{name}', outputVariables: [x]}\n");
    assert_null(f.s);
    assert_false(f.plan->may_be_sensitive);
    assert_string_equal(places_of(&f, CTN_ENTRY_STARTED, "", "{\"input\":{\"name\":\"Ann\"}}"), "");
    done(&f);
}

static void what_is_rendered_from_a_sensitive_value_is_sensitive(void **state)
{
    (void) state;
    fixture f;
    make(&f, "id: c\nsensitive: [client, passport]\n"
             "outputs: {hello: greeting, city: city, same: passport}\n"
             "steps:\n"
             "  - {stepName: shape, instructionSet: shape, inputTemplate: 'Dear {client.name}', outputVariables: "
             "{greeting: v}}\n"
             "  - {stepName: again, instructionSet: shape, inputTemplate: '{greeting}', outputVariables: {twice: v}}\n"
             "  - {stepName: tool, instructionSet: ask, inputTemplate: '{twice}', outputVariables: [seen, passport]}\n"
             "  - {stepName: other, instructionSet: plain, outputVariables: [price]}\n"
             "  - {stepName: fall, instructionSet: plain, outputVariables: [f],\n"
             "     fallback: [{value: {f: 'for {client.name}'}}]}\n"
             "  - {stepName: each, instructionSet: shape, foreach: {items: '{client.children}', as: child},\n"
             "     inputTemplate: 'x {child}', outputVariables: {kids: v}}\n"
             "  - {stepName: many, instructionSet: many, inputTemplate: '{client}', outputVariables: {m: one}}\n");
    static const char *const yes[] = {"client", "passport", "greeting", "twice", "f", "kids", "m"};
    static const char *const no[] = {"seen", "city", "price"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (!is_sensitive(&f, yes[i]))
            fail_msg("%s is not sensitive", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (is_sensitive(&f, no[i]))
            fail_msg("%s is sensitive", no[i]);
    assert_true(is_touched(&f, "shape") && is_touched(&f, "again") && is_touched(&f, "tool") && is_touched(&f, "fall"));
    assert_true(is_touched(&f, "each") && is_touched(&f, "many"));
    assert_false(is_touched(&f, "other"));
    done(&f);
}

static void every_place_of_a_sensitive_value_is_named(void **state)
{
    (void) state;
    fixture f;
    make(
        &f,
        "id: c\nsensitive: [client, booking]\noutputs: [booking, city]\n"
        "concurrencyKey: '{client.mail}'\n"
        "steps:\n"
        "  - {stepName: book, instructionSet: ask, inputTemplate: '{client.name}', outputVariables: [booking, price],\n"
        "     rollbackAction: undo}\n"
        "  - {stepName: whole, instructionSet: whole, inputTemplate: '{client}', outputVariables: [w]}\n"
        "  - {stepName: sign, instructionSet: sign, inputTemplate: '{client.name}', outputVariables: [approved]}\n"
        "  - {stepName: plain, instructionSet: plain, outputVariables: [p]}\n"
        "  - {stepName: sub, instructionSet: sub, inputTemplate: '{client}', outputVariables: [said, town]}\n");
    assert_true(ctn_sensitive_queue_key(f.s));
    static const struct {
        ctn_entry_kind kind;
        const char *step, *body, *places;
    } cases[] = {
        {CTN_ENTRY_STARTED, "", "{\"input\":{\"client\":{\"a\":1},\"city\":\"Rome\"},\"labels\":{\"client\":1}}",
         "/input/client"},
        {CTN_ENTRY_QUEUED, "",
         "{\"input\":{},\"reused\":{\"book\":{\"status\":\"completed\",\"variables\":{\"booking\":1,\"price\":2}}}}",
         "/reused/book/variables/booking"},
        {CTN_ENTRY_ATTEMPT_STARTED, "book", "{\"args\":{\"who\":\"Ann\",\"city\":\"Rome\"},\"key\":\"k\"}",
         "/args/who"},
        {CTN_ENTRY_ATTEMPT_STARTED, "whole", "{\"args\":{\"name\":\"Ann\"}}", "/args/name"},
        {CTN_ENTRY_ATTEMPT_STARTED, "plain", "{\"args\":{\"city\":\"Rome\"}}", ""},
        {CTN_ENTRY_ATTEMPT_SUCCEEDED, "book", "{\"variables\":{\"booking\":7,\"price\":3}}", "/variables/booking"},
        {CTN_ENTRY_ATTEMPT_SUCCEEDED, "book", "{\"result\":{\"x\":7}}", "/result"},
        {CTN_ENTRY_ATTEMPT_FAILED, "book", "{\"code\":\"tool_error\",\"message\":\"Ann\"}", "/message"},
        {CTN_ENTRY_ATTEMPT_FAILED, "plain", "{\"code\":\"tool_error\",\"message\":\"x\"}", ""},
        {CTN_ENTRY_INTERRUPTED, "book", "{\"message\":\"x\"}", "/message"},
        {CTN_ENTRY_CHECKED, "book", "{\"happened\":true,\"result\":1,\"variables\":{\"booking\":null,\"price\":1}}",
         "/result"},
        {CTN_ENTRY_WAITING, "sign", "{\"for\":\"approval\",\"message\":\"Send it to Ann?\"}", "/message"},
        {CTN_ENTRY_WAITING, "", "{\"for\":\"budget\",\"what\":\"calls\",\"message\":\"m\"}", ""},
        {CTN_ENTRY_WAITING, "book",
         "{\"for\":\"input\",\"asks\":{\"a\":{\"message\":\"Ann?\"}},\"continuation\":{\"state\":\"Ann\"},\"args\":{"
         "\"who\":\"Ann\"}}",
         "/args/who /asks /continuation"},
        {CTN_ENTRY_ACCEPTED, "book", "{\"continuation\":{\"task\":\"Ann\"}}", "/continuation"},
        {CTN_ENTRY_ANSWERED, "sign", "{\"answer\":{\"approved\":true}}", "/answer"},
        {CTN_ENTRY_COMPENSATION_STARTED, "book", "{\"args\":{\"id\":7}}", "/args/id"},
        {CTN_ENTRY_COMPENSATION_FAILED, "book", "{\"message\":\"7\"}", "/message"},
        {CTN_ENTRY_CHILD_STARTED, "sub", "{\"child\":\"i\",\"args\":{\"name\":\"A\",\"city\":\"R\"}}", "/args/name"},
        {CTN_ENTRY_ATTEMPT_SUCCEEDED, "sub", "{\"variables\":{\"said\":\"A\",\"town\":\"R\"}}", "/variables/said"},
        {CTN_ENTRY_DECISION, "book", "{\"what\":\"succeed\",\"value\":1}", "/value"},
        {CTN_ENTRY_DECISION, "", "{\"what\":\"set\",\"variables\":{\"client\":1,\"city\":2}}", "/variables/client"},
        {CTN_ENTRY_COMPLETED, "", "{\"outputs\":{\"booking\":1,\"city\":2}}", "/outputs/booking"},
        {CTN_ENTRY_FAILED, "", "{\"error\":{\"code\":\"x\",\"message\":\"m\",\"step\":\"book\"}}", "/error/message"},
        {CTN_ENTRY_FAILED, "", "{\"error\":{\"code\":\"x\",\"message\":\"m\",\"step\":\"plain\"}}", ""},
        {CTN_ENTRY_CANCEL_REQUESTED, "", "{\"code\":\"cancelled\",\"message\":\"m\"}", ""},
        {CTN_ENTRY_CANCEL_REQUESTED, "", "{\"code\":\"invalid_output\",\"message\":\"m\"}", "/message"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = places_of(&f, cases[i].kind, cases[i].step, cases[i].body);
        if (strcmp(got, cases[i].places) != 0)
            fail_msg("%s %s %s: '%s', not '%s'", ctn_entry_kind_name(cases[i].kind), cases[i].step, cases[i].body, got,
                     cases[i].places);
    }
    done(&f);
}

static void a_sub_chain_is_as_sensitive_as_what_it_is_given(void **state)
{
    (void) state;
    fixture f;
    make(&f, "id: c\nsensitive: [client]\nsteps:\n"
             "  - {stepName: sub, instructionSet: sub, inputTemplate: '{client}', outputVariables: [said, town]}\n");
    assert_true(is_sensitive(&f, "said"));
    assert_false(is_sensitive(&f, "town"));
    const ctn_json *args = json_of(f.kit.arena, CTN_STR("{\"city\":1,\"name\":2}"));
    const ctn_json *names = ctn_sensitive_members(f.s, 0, args, f.kit.arena);
    assert_int_equal(ctn_json_count(names), 1);
    assert_true(ctn_str_is(ctn_json_text(ctn_json_at(names, 0)), "name"));
    /* the execution below, started with it */
    ctn_plan *below = NULL;
    assert_int_equal(ctn_plan_of_child(f.kit.arena, f.plan, CTN_STR("below"), &below, NULL), CTN_OK);
    assert_null(ctn_sensitivity_of(below, NULL, f.kit.arena));
    const ctn_sensitivity *s = ctn_sensitivity_of(below, names, f.kit.arena);
    assert_true(ctn_sensitive_name(s, CTN_STR("said")));
    assert_false(ctn_sensitive_name(s, CTN_STR("town")));
    /* what the plan knows by itself is asked once; what somebody adds to it, again */
    assert_null(ctn_sensitivity_with(below, NULL, f.kit.arena));
    below->sensitivity = s;
    assert_ptr_equal(ctn_sensitivity_with(below, NULL, f.kit.arena), s);
    assert_ptr_equal(ctn_sensitivity_with(below, names, f.kit.arena), s);
    ctn_json_builder more = ctn_json_array(f.kit.arena);
    ctn_json_push(&more, ctn_json_string(f.kit.arena, CTN_STR("town")));
    s = ctn_sensitivity_with(below, ctn_json_finish(&more), f.kit.arena);
    assert_ptr_not_equal(s, below->sensitivity);
    assert_true(ctn_sensitive_name(s, CTN_STR("town")));
    ctn_plan_done(below);
    done(&f);
}

/* A chain may call itself, and what it declares be met from above. */
static void a_sub_chain_that_declares_makes_its_parent_sensitive(void **state)
{
    (void) state;
    chain_kit kit;
    chain_kit_init(&kit);
    chain_kit_add(&kit, "sets.yaml",
                  "instructionSets:\n  deeper: {chain: down, arguments: {n: '{n}'}}\n  pick: {tool: s/pick}\n");
    chain_kit_add(&kit, "down.yaml",
                  "id: down\nsensitive: [pin]\ninputSchema: {type: object, properties: {n: {type: integer}}}\noutputs: "
                  "[pin, n]\nsteps:\n"
                  "  - {stepName: pick, instructionSet: pick, outputVariables: [pin]}\n"
                  "  - {stepName: deeper, instructionSet: deeper, outputVariables: [x], onError: continue}\n");
    chain_kit_add(&kit, "up.yaml",
                  "id: up\ninputSchema: {type: object, properties: {n: {type: integer}}}\nsteps:\n  - {stepName: call, "
                  "instructionSet: deeper, outputVariables: [pin, n]}\n");
    ctn_plan *plan = chain_kit_compile(&kit);
    const ctn_sensitivity *s = ctn_sensitivity_of(plan, NULL, kit.arena);
    assert_true(ctn_sensitive_name(s, CTN_STR("pin")));
    assert_false(ctn_sensitive_name(s, CTN_STR("n")));
    ctn_plan_done(plan);
    chain_kit_done(&kit);
}

static void hiding_replaces_what_the_list_names_and_nothing_else(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *body = NULL, *hidden = NULL;
    ctn_str text =
        CTN_STR("{\"a/b\":{\"$sealed\":\"00\"},\"list\":[1,{\"$sealed\":\"01\"}],\"own\":{\"$sealed\":\"02\"}}");
    body = json_of(arena, text);
    ctn_str list = CTN_STR("[{\"at\":\"/a~1b\",\"box\":\"AA\"},{\"at\":\"/list/1\"}]");
    assert_int_equal(ctn_sealed_hide(arena, body, list, &hidden, NULL), CTN_OK);
    ctn_str shown = ctn_json_to_str(arena, hidden);
    assert_true(ctn_str_is(shown, "{\"a/b\":\"(sealed)\",\"list\":[1,\"(shredded)\"],\"own\":{\"$sealed\":\"02\"}}"));
    assert_true(ctn_str_is(ctn_sealed_without_boxes(arena, list), "[{\"at\":\"/a~1b\"},{\"at\":\"/list/1\"}]"));
    assert_int_equal(ctn_sealed_hide(arena, body, CTN_STR("[{\"at\":\"/none\"}]"), &hidden, NULL), CTN_E_CORRUPT);
    assert_int_equal(ctn_sealed_hide(arena, body, CTN_STR("[{\"at\":\"/list/2\"}]"), &hidden, NULL), CTN_E_CORRUPT);
    assert_int_equal(ctn_sealed_hide(arena, body, CTN_STR("{}"), &hidden, NULL), CTN_E_CORRUPT);
    ctn_arena_free(arena);
}

/* A sentence about an input shows short values: not of a sensitive one. */
static void a_refused_start_does_not_tell_a_sensitive_value(void **state)
{
    (void) state;
    fixture f;
    make(&f, "id: c\nsensitive: [pin]\n"
             "inputSchema: {type: object, properties: {pin: {maximum: 7}, city: {maximum: 7}}}\n"
             "steps:\n  - {stepName: a, instructionSet: ask, inputTemplate: '{pin}', outputVariables: [x]}\n");
    const ctn_json *input = NULL, *accepted = NULL;
    ctn_err err = {0};
    input = json_of(f.kit.arena, CTN_STR("{\"pin\":424242}"));
    assert_int_equal(ctn_plan_accept_input(f.plan, f.kit.arena, input, &accepted, &err), CTN_E_INVALID);
    assert_null(strstr(err.message, "424242"));
    assert_holds(err.message, "is not told");
    input = json_of(f.kit.arena, CTN_STR("{\"pin\":1,\"city\":434343}"));
    assert_int_equal(ctn_plan_accept_input(f.plan, f.kit.arena, input, &accepted, &err), CTN_E_INVALID);
    assert_holds(err.message, "434343");
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_that_declares_nothing_has_nothing),
        cmocka_unit_test(what_is_rendered_from_a_sensitive_value_is_sensitive),
        cmocka_unit_test(every_place_of_a_sensitive_value_is_named),
        cmocka_unit_test(a_sub_chain_is_as_sensitive_as_what_it_is_given),
        cmocka_unit_test(a_sub_chain_that_declares_makes_its_parent_sensitive),
        cmocka_unit_test(hiding_replaces_what_the_list_names_and_nothing_else),
        cmocka_unit_test(a_refused_start_does_not_tell_a_sensitive_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
