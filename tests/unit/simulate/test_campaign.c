/* What `simulate` finds in a chain, and that it does not find what is not there. */
#include "campaign_kit.h"

/* Everything that the language has against faults: nothing bad is left. */
static const char safe[] =
    "id: safe\n"
    "steps:\n"
    "  - {stepName: look, instructionSet: look, outputVariables: {a: value}, retryConfig: {maxRetries: 2, backoffMs: "
    "10}}\n"
    "  - {stepName: hold, instructionSet: hold, inputTemplate: '{a}', outputVariables: {b: value}, rollbackAction: "
    "no-hold,\n"
    "     retryConfig: {maxRetries: 2, backoffMs: 10}}\n"
    "  - {stepName: book, instructionSet: book, inputTemplate: '{b}', outputVariables: {c: value}, rollbackAction: "
    "no-book,\n"
    "     retryConfig: {maxRetries: 2, backoffMs: 10}}\n"
    "  - {stepName: tell, instructionSet: tell, inputTemplate: '{c}', noUndo: a mail cannot be called back}\n"
    "  - {stepName: pay, instructionSet: look, inputTemplate: '{c}'}\n"
    "instructionSets:\n"
    "  look: {tool: sim/look, effect: read}\n"
    "  hold: {tool: sim/hold, effect: idempotent}\n"
    "  book: {tool: sim/book, effect: write, check: {tool: sim/was_booked}, settleMs: 2000}\n"
    "  tell: {tool: sim/tell, effect: write, check: {tool: sim/was_told}, settleMs: 2000}\n"
    "  no-hold: {tool: sim/no_hold, effect: idempotent}\n"
    "  no-book: {tool: sim/no_book, effect: idempotent}\n";

static void a_chain_without_a_flaw_gets_no_finding(void **state)
{
    (void) state;
    kit k = {0};
    kit_open(&k, safe);
    const ctn_campaign_tally *t = kit_play(&k, 4000);
    assert_int_equal(kit_bad(t), 0);
    /* and not because nothing happened */
    printf("  %llu planned, %llu deaths, %llu faults, %llu completed, %llu rolled back\n",
           (unsigned long long) t->planned, (unsigned long long) t->deaths, (unsigned long long) t->faults,
           (unsigned long long) t->by_status[CTN_STATUS_COMPLETED],
           (unsigned long long) t->by_status[CTN_STATUS_ROLLED_BACK]);
    assert_true(t->planned > 250 && t->deaths > 500 && t->faults > 4000);
    assert_true(t->by_status[CTN_STATUS_COMPLETED] > 1000 && t->by_status[CTN_STATUS_ROLLED_BACK] > 500);
    assert_true(t->in_model > 3600);
    kit_close(&k);
}

/* Items, fallbacks, agents and a budget: each with what keeps it from going wrong. */
static const char wide[] =
    "id: wide\n"
    "budget: {calls: 12, onReached: wait}\n"
    "steps:\n"
    "  - {stepName: find, instructionSet: find, outputVariables: [hotels], retryConfig: {maxRetries: 2, backoffMs: "
    "10}}\n"
    "  - stepName: price\n"
    "    instructionSet: price\n"
    "    foreach: {items: '{hotels}', as: hotel, maxConcurrency: 2}\n"
    "    outputVariables: [price]\n"
    "    fallback: [{instructionSet: price2}, {value: {price: 0}}]\n"
    "    outputSchema: {type: object, required: [price], properties: {price: {type: number}}}\n"
    "  - stepName: book\n"
    "    foreach: {items: '{hotels}', as: hotel}\n"
    "    instructionSet: book\n"
    "    inputTemplate: '{hotel.name}'\n"
    "    outputVariables: {booking: id}\n"
    "    rollbackAction: unbook\n"
    "    retryConfig: {maxRetries: 1, backoffMs: 5}\n"
    "  - {stepName: write, instructionSet: intro, inputTemplate: '{booking} {price}', outputVariables: [text]}\n"
    "  - {stepName: last, instructionSet: tell, inputTemplate: '{text}', noUndo: a mail}\n"
    "instructionSets:\n"
    "  find: {tool: t/find, effect: read}\n"
    "  price: {tool: t/price, effect: read, arguments: {h: '{hotel.code}'}}\n"
    "  price2: {tool: t/price2, effect: read, arguments: {h: '{item.code}'}}\n"
    "  book: {tool: t/book, effect: write, check: {tool: t/booked}}\n"
    "  unbook: {tool: t/unbook, effect: idempotent, arguments: {id: '{input.booking?}'}}\n"
    "  intro: {agent: {instructions: intro.md, outputSchema: {type: object, required: [text], properties: {text: "
    "{type: "
    "string}}}}, timeoutMs: 5000}\n"
    "  tell: {tool: t/tell, effect: write, check: {tool: t/told}}\n";

static void items_fallbacks_agents_and_budgets_are_played(void **state)
{
    (void) state;
    kit k = {0};
    kit_open(&k, wide);
    const ctn_campaign_tally *t = kit_play(&k, 4000);
    assert_int_equal(kit_bad(t), 0);
    assert_true(t->by_status[CTN_STATUS_COMPLETED] > 1000 && t->by_status[CTN_STATUS_ROLLED_BACK] > 500);
    const ctn_campaign_hazard *budget = kit_hazard(t, CTN_HAZARD_BUDGET, "");
    assert_true(budget && budget->hazard.is_note); /* twelve calls are few for three hotels and their retries */
    kit_close(&k);
}

/* A chain within a chain: what it reads of its input decides what the outer one tries; both are undone. */
static const char inner[] =
    "id: book-trip\n"
    "outputs: [flight, total]\n"
    "steps:\n"
    "  - {stepName: look, instructionSet: look, inputTemplate: '{city}', outputVariables: [options]}\n"
    "  - stepName: buy\n"
    "    instructionSet: buy\n"
    "    conditionalExecution: \"{kind} == 'paid' ? continue : skip\"\n"
    "    inputTemplate: '{options.best}'\n"
    "    outputVariables: {flight: id}\n"
    "    rollbackAction: unbuy\n"
    "    retryConfig: {maxRetries: 2, backoffMs: 5}\n"
    "  - {stepName: sum, instructionSet: sum, inputTemplate: '{options.best}', outputVariables: [total]}\n"
    "instructionSets:\n"
    "  look: {tool: t/look, effect: read}\n"
    "  buy: {tool: t/buy, effect: write, check: {tool: t/bought}, settleMs: 1000}\n"
    "  unbuy: {tool: t/unbuy, effect: idempotent, arguments: {f: '{input.flight?}'}}\n"
    "  sum: {tool: t/sum, effect: read}\n";
#define OUTER(rollback)                                                                                                \
    "id: outer\n" rollback "steps:\n"                                                                                  \
    "  - {stepName: lead, instructionSet: lead, outputVariables: [city, kind]}\n"                                      \
    "  - {stepName: trip, instructionSet: trip, outputVariables: [flight, total]}\n"                                   \
    "  - {stepName: after, instructionSet: after, inputTemplate: \"{flight?} {total.eur | money: 'EUR'}\"}\n"          \
    "instructionSets:\n"                                                                                               \
    "  lead: {tool: t/lead, effect: read, arguments: {}}\n"                                                            \
    "  after: {tool: t/after, effect: read}\n"                                                                         \
    "  trip: {chain: book-trip, arguments: {city: '{city}', kind: '{kind}'}}\n"

static void a_sub_chain_is_played_and_undone_with_its_parent(void **state)
{
    (void) state;
    for (int rollback = 0; rollback < 2; rollback++) {
        kit k = {.beside = inner};
        kit_open(&k, rollback ? OUTER("rollbackEnabled: true\n") : OUTER(""));
        const ctn_campaign_tally *t = kit_play(&k, 6000);
        const ctn_campaign_hazard *left = kit_hazard(t, CTN_HAZARD_LEFT, "book-trip/buy");
        if (rollback) {
            assert_int_equal(kit_bad(t), 0);
            assert_true(t->by_status[CTN_STATUS_ROLLED_BACK] > 1000);
        } else if (!left || left->hazard.is_note || !strstr(left->hazard.text.ptr, "has no rollback")) {
            kit_bad(t);
            fail_msg("what the sub-chain bought stays, and nobody says so");
        }
        assert_true(t->by_status[CTN_STATUS_COMPLETED] > 1000);
        kit_close(&k);
    }
}

/* Sub-chains of items, beside an approval and under one another: every end is reached, and everything is undone. */
static void sub_chains_of_items_come_to_an_end(void **state)
{
    (void) state;
    kit k = {.beside = inner};
    kit_open(&k,
             "id: nested\n"
             "timeoutMs: 900000\n"
             "steps:\n"
             "  - {stepName: find, instructionSet: find, outputVariables: [cities, kind]}\n"
             "  - {stepName: trips, foreach: {items: '{cities}', as: city, maxConcurrency: 2}, instructionSet: trip,\n"
             "     outputVariables: {flight: flight, total: total}, onError: continue}\n"
             "  - {stepName: ask, instructionSet: ask, inputTemplate: '{total}', outputVariables: {ok: approved}}\n"
             "  - {stepName: pay, instructionSet: pay, conditionalExecution: '{ok} ? continue : fail', inputTemplate: "
             "'{total}',\n"
             "     rollbackAction: refund, retryConfig: {maxRetries: 2, backoffMs: 10}}\n"
             "  - {stepName: last, instructionSet: find}\n"
             "instructionSets:\n"
             "  find: {tool: t/find, effect: read, arguments: {}}\n"
             "  trip: {chain: book-trip, arguments: {city: '{city}', kind: '{kind}'}}\n"
             "  ask: {approval: {message: '{input}?', timeoutMs: 60000, onTimeout: approve}}\n"
             "  pay: {tool: t/pay, effect: write, check: {tool: t/paid}, settleMs: 2000}\n"
             "  refund: {tool: t/refund, effect: idempotent}\n");
    const ctn_campaign_tally *t = kit_play(&k, 2500);
    assert_int_equal(kit_bad(t), 0);
    assert_true(t->by_status[CTN_STATUS_COMPLETED] > 500 && t->by_status[CTN_STATUS_ROLLED_BACK] > 500);
    kit_close(&k);
}

/* A start that the sub-chain refuses is the step's failure; the engine may die before that is on disk. */
static void a_sub_chain_that_refuses_its_input_leaves_nobody_waiting(void **state)
{
    (void) state;
    kit k = {.beside = "id: strict\n"
                       "inputSchema: {type: object, required: [n], properties: {n: {type: integer}}}\n"
                       "steps:\n"
                       "  - {stepName: look, instructionSet: look, inputTemplate: '{n}'}\n"
                       "instructionSets:\n"
                       "  look: {tool: t/look, effect: read}\n",
             .input = "{\"n\":\"text\"}"};
    kit_open(&k, "id: outer\n"
                 "steps:\n"
                 "  - {stepName: one, instructionSet: one, onError: continue}\n"
                 "instructionSets:\n"
                 "  one: {chain: strict, arguments: {n: '{n}'}}\n");
    const ctn_campaign_tally *t = kit_play(&k, 2000);
    assert_null(kit_hazard(t, CTN_HAZARD_ENDLESS, ""));
    assert_int_equal(t->by_status[CTN_STATUS_WAITING], 0);
    assert_true(t->deaths > 100);
    kit_close(&k);
}

typedef struct flaw {
    const char *name, *yaml;
    ctn_hazard_kind kind;
    const char *step, *words;
    bool retry_interrupted;
    const char *schema;
} flaw;

#define ONE_WRITE(step, set)                                                                                           \
    "id: flawed\n"                                                                                                     \
    "steps:\n"                                                                                                         \
    "  - {stepName: send, instructionSet: send, outputVariables: {s: value}, noUndo: it is gone" step "}\n"            \
    "  - {stepName: after, instructionSet: look, inputTemplate: '{s}'}\n"                                              \
    "instructionSets:\n"                                                                                               \
    "  look: {tool: sim/look, effect: read}\n"                                                                         \
    "  send: {tool: sim/send, effect: write" set "}\n"

#define WITH_CHECK ", check: {tool: sim/was_sent}, settleMs: 1000"

/* A checked write, its undo if any, and a step behind it that may fail. */
#define ONE_BOOKING(step, undo)                                                                                        \
    "id: flawed\n"                                                                                                     \
    "steps:\n"                                                                                                         \
    "  - {stepName: book, instructionSet: book, outputVariables: {b: value}" step "}\n"                                \
    "  - {stepName: after, instructionSet: look, inputTemplate: '{b}'}\n"                                              \
    "instructionSets:\n"                                                                                               \
    "  look: {tool: sim/look, effect: read}\n"                                                                         \
    "  book: {tool: sim/book, effect: write" WITH_CHECK "}\n" undo

#define UNDO(effect) "  no-book: {tool: sim/no_book, effect: " effect "}\n"

#define ONE_QUESTION(deadline)                                                                                         \
    "id: flawed\n"                                                                                                     \
    "steps:\n"                                                                                                         \
    "  - {stepName: ask, instructionSet: desk, outputVariables: {yes: approved}}\n"                                    \
    "instructionSets:\n"                                                                                               \
    "  desk: {approval: {message: 'Go on?'" deadline "}}\n"

#define ONE_BRANCH(input)                                                                                              \
    "id: flawed\n"                                                                                                     \
    "steps:\n"                                                                                                         \
    "  - {stepName: look, instructionSet: look, outputVariables: {kind: kind}}\n"                                      \
    "  - {stepName: more, instructionSet: look, conditionalExecution: \"{kind} == 'new' ? continue : skip\",\n"        \
    "     outputVariables: {found: value}}\n"                                                                          \
    "  - {stepName: use, instructionSet: look, inputTemplate: '" input "'}\n"                                          \
    "instructionSets:\n"                                                                                               \
    "  look: {tool: sim/look, effect: read, arguments: {x: '{input?}'}}\n"

static const flaw flaws[] = {
    {"a write without a check", ONE_WRITE("", ""), CTN_HAZARD_DEAD_END, "send", "no `check`", false, NULL},
    {"onInterrupted: retry", ONE_WRITE(", onInterrupted: retry", ""), CTN_HAZARD_TWICE, "send", "onInterrupted: retry",
     false, NULL},
    {"interrupted: retry", ONE_WRITE("", ""), CTN_HAZARD_TWICE, "send", "interrupted: retry", true, NULL},
    {"retryOn of tool_error",
     ONE_WRITE(", retryConfig: {maxRetries: 2, backoffMs: 10, retryOn: [tool_error]}", WITH_CHECK), CTN_HAZARD_TWICE,
     "send", "retryOn names tool_error", false, NULL},
    {"a write without an undo", ONE_BOOKING("", ""), CTN_HAZARD_LEFT, "book", "no rollbackAction", false, NULL},
    {"an undo that is switched off",
     ONE_BOOKING(", rollbackAction: no-book", UNDO("idempotent") "rollbackEnabled: false\n"), CTN_HAZARD_LEFT, "book",
     "rollbackEnabled is false", false, NULL},
    {"an undo that is a write without a check", ONE_BOOKING(", rollbackAction: no-book", UNDO("write")),
     CTN_HAZARD_DEAD_END, "book", "its undo", false, NULL},
    {"a question without a deadline", ONE_QUESTION(""), CTN_HAZARD_ENDLESS_WAIT, "ask", "for ever", false, NULL},
    {"an agent without a deadline",
     "id: flawed\n"
     "steps:\n"
     "  - {stepName: write, instructionSet: intro, outputVariables: [text]}\n"
     "instructionSets:\n"
     "  intro: {agent: {instructions: intro.md}, arguments: {}}\n",
     CTN_HAZARD_ENDLESS_WAIT, "write", "for ever", false, NULL},
    {"items whose writes have no undo",
     "id: flawed\n"
     "steps:\n"
     "  - {stepName: find, instructionSet: look, outputVariables: [list]}\n"
     "  - {stepName: book, foreach: {items: '{list}', as: one}, instructionSet: book, outputVariables: {b: value}}\n"
     "instructionSets:\n"
     "  look: {tool: sim/look, effect: read, arguments: {}}\n"
     "  book: {tool: sim/book, effect: write" WITH_CHECK ", arguments: {one: '{one}'}}\n",
     CTN_HAZARD_LEFT, "book", "no rollbackAction", false, NULL},
    {"a fallback that is a write without a check",
     "id: flawed\n"
     "steps:\n"
     "  - {stepName: tell, instructionSet: look, fallback: [{instructionSet: send}], noUndo: gone}\n"
     "instructionSets:\n"
     "  look: {tool: sim/look, effect: read, arguments: {}}\n"
     "  send: {tool: sim/send, effect: write, arguments: {}}\n",
     CTN_HAZARD_DEAD_END, "tell", "no `check`", false, NULL},
    {"a variable of a branch that was not taken", ONE_BRANCH("with {found}"), CTN_HAZARD_BY_ITSELF, "use",
     "undefined_variable", false, NULL},
    {"an output that the tool may leave out",
     "id: flawed\n"
     "steps:\n"
     "  - {stepName: look, instructionSet: look, outputVariables: [price, other]}\n"
     "instructionSets:\n"
     "  look: {tool: sim/look, effect: read}\n",
     CTN_HAZARD_MISSING, "look", "missing_output", false,
     "{\"type\":\"object\",\"required\":[\"other\"],\"properties\":{\"price\":{\"type\":\"number\"},\"other\":{"
     "\"type\":"
     "\"string\"}}}"},
};

static int remember(ctn_arena *arena, ctn_campaign *c, uint64_t seed, ctn_story *story, ctn_str *ret_lines);

static void every_flaw_is_found_at_its_step_and_its_seed_shows_it(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof flaws / sizeof *flaws; i++) {
        const flaw *f = &flaws[i];
        kit k = {.schema = f->schema, .retry_interrupted = f->retry_interrupted};
        kit_open(&k, f->yaml);
        const ctn_campaign_tally *t = kit_play(&k, 3000);
        const ctn_campaign_hazard *h = kit_hazard(t, f->kind, f->step);
        if (!h || h->hazard.is_note || ctn_str_find(h->hazard.text, ctn_str_from(f->words)) == SIZE_MAX) {
            kit_bad(t);
            fail_msg("%s: not found", f->name);
        }
        ctn_story story;
        ctn_str lines;
        assert_int_equal(remember(k.chain.arena, k.campaign, h->seed, &story, &lines), CTN_OK);
        bool is_there = false;
        for (size_t j = 0; j < story.hazard_count; j++)
            is_there = is_there || (story.hazards[j].kind == f->kind && !story.hazards[j].is_note);
        if (!is_there)
            fail_msg("%s: seed %llu does not show it", f->name, (unsigned long long) h->seed);
        kit_close(&k);
    }
}

/* What mends the flaw silences the finding: a deadline, a reason, a check. */
static void what_mends_a_flaw_silences_its_finding(void **state)
{
    (void) state;
    static const char *const mended[] = {
        ONE_WRITE("", WITH_CHECK),
        ONE_QUESTION(", timeoutMs: 60000"),
        ONE_QUESTION("") "timeoutMs: 600000\n",
        ONE_BRANCH("with {found?}"),
    };
    for (size_t i = 0; i < sizeof mended / sizeof *mended; i++) {
        kit k = {0};
        kit_open(&k, mended[i]);
        assert_int_equal(kit_bad(kit_play(&k, 3000)), 0);
        kit_close(&k);
    }
}

/* Without planned worlds a fault of one place among many is a matter of luck. */
static void each_single_fault_has_its_own_world(void **state)
{
    (void) state;
    kit k = {0};
    kit_open(&k, ONE_WRITE("", ""));
    bool seen[2][CTN_FATE_COUNT] = {{0}};
    int commits = 0;
    for (uint64_t seed = 1; seed <= ctn_campaign_planned(k.campaign); seed++) {
        ctn_scenario s = ctn_campaign_scenario(k.campaign, seed);
        assert_true(s.is_planned);
        if (s.plans[0].call >= 0 && s.plans[0].call < 2 && s.plans[1].call < 0)
            seen[s.plans[0].call][s.plans[0].fate] = true;
        commits += s.commit >= 0 && s.plans[0].call < 0;
    }
    for (int call = 0; call < 2; call++)
        for (int fate = 1; fate < CTN_FATE_COUNT; fate++)
            if (!seen[call][fate])
                fail_msg("call %d: no world where %s", call, ctn_fate_words((ctn_fate) fate));
    assert_true(commits >= 8 && commits % 4 == 0);
    kit_close(&k);
}

/* ---- the same seed, the same story ---- */

typedef struct memory {
    ctn_arena *arena;
    ctn_str text;
} memory;

static void keep(void *ctx, ctn_str line)
{
    memory *m = ctx;
    m->text = ctn_arena_printf(m->arena, "%.*s%.*s\n", CTN_STR_ARG(m->text), CTN_STR_ARG(line));
}

static int remember(ctn_arena *arena, ctn_campaign *c, uint64_t seed, ctn_story *story, ctn_str *ret_lines)
{
    memory m = {.arena = arena};
    int rc = ctn_campaign_play(c, seed, keep, &m, story, NULL);
    *ret_lines = m.text;
    return rc;
}

static void a_seed_tells_the_same_story_whatever_was_played_before(void **state)
{
    (void) state;
    kit a = {0}, b = {0};
    kit_open(&a, safe);
    kit_open(&b, safe);
    (void) kit_play(&a, 300);
    uint64_t seeds[] = {1, 40, 200, 3000, 3001, 3002, 4711, 99999};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        ctn_story x, y;
        ctn_str first, second;
        assert_int_equal(remember(a.chain.arena, a.campaign, seeds[i], &x, &first), CTN_OK);
        assert_int_equal(remember(b.chain.arena, b.campaign, seeds[i], &y, &second), CTN_OK);
        assert_true(first.len > 200);
        assert_true(ctn_str_equal(first, second));
        assert_int_equal(x.status, y.status);
    }
    kit_close(&a);
    kit_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_without_a_flaw_gets_no_finding),
        cmocka_unit_test(items_fallbacks_agents_and_budgets_are_played),
        cmocka_unit_test(a_sub_chain_is_played_and_undone_with_its_parent),
        cmocka_unit_test(sub_chains_of_items_come_to_an_end),
        cmocka_unit_test(a_sub_chain_that_refuses_its_input_leaves_nobody_waiting),
        cmocka_unit_test(every_flaw_is_found_at_its_step_and_its_seed_shows_it),
        cmocka_unit_test(what_mends_a_flaw_silences_its_finding),
        cmocka_unit_test(each_single_fault_has_its_own_world),
        cmocka_unit_test(a_seed_tells_the_same_story_whatever_was_played_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
