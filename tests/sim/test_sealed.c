/*
 * Sealed executions whose engine is killed before and after every commit: they go on as others do, with the values that
 * they had, and none of these ever stands in the store.
 */
#include "sim.h"
#include "engine/fold.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char INPUT[] =
    "{\"who\":{\"name\":\"PLANTED-NAME\",\"kids\":[\"PLANTED-A\",\"PLANTED-B\",\"PLANTED-C\"]}}";

#define TOOLS                                                                                                          \
    "instructionSets:\n"                                                                                               \
    "  flight: {tool: sim/write_f, arguments: {who: '{input}'}, check: {tool: sim/check_f}, settleMs: 1000}\n"         \
    "  no-flight: {tool: sim/undo_f, arguments: {who: '{who.name}'}}\n"                                                \
    "  say: {tool: sim/idem_ask_say, arguments: {text: '{input}'}}\n"                                                  \
    "  pay: {tool: sim/fail_p, arguments: {text: '{input}'}}\n"                                                        \
    "  below: {chain: below, arguments: {who: '{who}'}}\n"

#define FLIGHT                                                                                                         \
    "  - {stepName: flight, instructionSet: flight, inputTemplate: '{who.name}', outputVariables: {f: value},\n"       \
    "     rollbackAction: no-flight, retryConfig: {maxRetries: 3, backoffMs: 10}}\n"

static const char BELOW[] = "id: below\noutputs: {said: who.name, f: f}\nsteps:\n" FLIGHT TOOLS;
static const char CALLING[] =
    "id: calling\nsensitive: [who]\noutputs: [said, who, each]\nsteps:\n"
    "  - {stepName: below, instructionSet: below, outputVariables: [said]}\n"
    "  - {stepName: each, instructionSet: say, foreach: {items: '{who.kids}', as: kid, "
    "maxConcurrency: 2}, inputTemplate: '{kid} of {said}', outputVariables: {each: value}}\n" TOOLS;
static const char FAILING[] = "id: calling\nsensitive: [who]\nrollbackEnabled: true\nsteps:\n"
                              "  - {stepName: below, instructionSet: below, outputVariables: [said]}\n"
                              "  - {stepName: pay, instructionSet: pay, inputTemplate: '{said}'}\n" TOOLS;

/* ---- a keyring in memory ---- */

static int ring_read(void *ctx, ctn_buf *ret_text, ctn_err *err)
{
    (void) err;
    const char *text = ctx;
    if (!*text)
        return CTN_E_NOT_FOUND;
    ctn_buf_append(ret_text, ctn_str_from(text));
    return CTN_OK;
}
static int ring_write(void *ctx, ctn_str text, bool is_first, ctn_err *err)
{
    (void) is_first, (void) err;
    assert_true(text.len < 200);
    memcpy(ctx, text.ptr, text.len);
    return CTN_OK;
}

/* ---- what the store holds ---- */

static void lacks(ctn_str text)
{
    assert_true(ctn_str_find(text, CTN_STR("PLANTED")) == SIZE_MAX);
}

static int see_record(void *ctx, const ctn_record *r, int64_t position)
{
    (void) position;
    lacks(r->body);
    lacks(r->sealed);
    *(size_t *) ctx += r->sealed.len > 0;
    return 0;
}

typedef struct seeing {
    ctn_store *store;
    size_t sealed;
} seeing;

static int see_execution(void *ctx, const ctn_execution_row *row)
{
    seeing *s = ctx;
    lacks(row->input);
    lacks(row->outputs);
    lacks(row->error);
    lacks(row->queue_key);
    return ctn_store_journal_read(s->store, row->exec_no, 1, see_record, &s->sealed, NULL);
}

static void look(sim *s, ctn_seal *seal, ctn_status status)
{
    seeing seen = {.store = sim_store(s)};
    ctn_execution_filter all = {0};
    assert_int_equal(ctn_store_execution_list(seen.store, &all, see_execution, &seen, NULL), CTN_OK);
    assert_true(seen.sealed >= 4);
    ctn_execution_row row;
    ctn_execution *x = NULL;
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_execution_id id = ctn_execution_id_of(sim_execution(s, 0));
    assert_int_equal(ctn_store_execution_get(seen.store, arena, id, &row, NULL), CTN_OK);
    assert_int_equal(ctn_execution_load_open(seen.store, seal, arena, &row, &x, NULL), CTN_OK);
    if (status == CTN_STATUS_COMPLETED) {
        const ctn_json *outputs = ctn_execution_outputs_clear(x);
        assert_true(ctn_str_is(ctn_json_text(ctn_json_member_of(outputs, "said")), "PLANTED-NAME"));
        assert_int_equal(ctn_json_count(ctn_json_member_of(outputs, "each")), 3);
        assert_int_equal(sim_effects(s, "idem_ask_say"), 3);
    } else {
        assert_int_equal(sim_effects(s, "undo_f"), 1);
    }
    assert_int_equal(sim_effects(s, "write_f"), 1);
    ctn_execution_unload(x);
    ctn_arena_free(arena);
}

static void kill_everywhere(const char *chain, ctn_status expected)
{
    int points = 0;
    for (int after = 0; after < 2; after++)
        for (int nth = 1, died = 1; died; nth++) {
            char text[200] = "";
            ctn_keyring ring = {.ctx = text, .name = "the ring", .read = ring_read, .write = ring_write};
            ctn_seal *seal = ctn_seal_new(&ring);
            sim *s = sim_new(&(sim_options){.seed = 2 + (uint64_t) nth,
                                            .chain = chain,
                                            .child = BELOW,
                                            .input = INPUT,
                                            .seal = seal,
                                            .die_before_commit = after ? 0 : nth,
                                            .die_after_commit = after ? nth : 0});
            assert_int_equal(sim_run(s), expected);
            died = sim_deaths(s);
            points += died;
            look(s, seal, expected);
            sim_free(s);
            ctn_seal_free(seal);
        }
    printf("  %d deaths\n", points);
    assert_true(points >= 10);
}

static void sealed_values_are_there_again_wherever_we_die(void **state)
{
    (void) state;
    kill_everywhere(CALLING, CTN_STATUS_COMPLETED);
}

static void what_is_undone_after_a_death_is_undone_with_the_values_it_had(void **state)
{
    (void) state;
    kill_everywhere(FAILING, CTN_STATUS_ROLLED_BACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_values_are_there_again_wherever_we_die),
        cmocka_unit_test(what_is_undone_after_a_death_is_undone_with_the_values_it_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
