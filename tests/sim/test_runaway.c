/*
 * test_runaway.c -- a chain that multiplies: each execution of it does something and then calls itself ten times. It is
 * bounded, it ends, and everything that was done is undone, whatever dies.
 */
#include "sim/lab.h"

#include <string.h>

#define HYDRA(more)                                                                                                    \
    "id: hydra\nsteps:\n"                                                                                              \
    "  - {stepName: act, instructionSet: act, rollbackAction: unact}\n"                                                \
    "  - {stepName: heads, instructionSet: again, foreach: {items: {range: [0, 9]}, as: n, maxConcurrency: 2}" more    \
    "}\n"                                                                                                              \
    "instructionSets:\n"                                                                                               \
    "  act: {tool: sim/act, arguments: {n: 1}, effect: idempotent}\n"                                                  \
    "  unact: {tool: sim/unact, arguments: {n: 1}, effect: idempotent}\n"                                              \
    "  again: {chain: hydra, arguments: {}}\n"

typedef struct sim {
    lab lab;
    char acted[LAB_ROWS_MAX][40]; /* executions whose act was done and not undone */
    int acted_count;
} sim;

static int find(const sim *s, ctn_str id)
{
    for (int i = 0; i < s->acted_count; i++)
        if (ctn_str_is(id, s->acted[i]))
            return i;
    return -1;
}

static void begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    sim *s = ctx;
    (void) kind;
    int at = find(s, request->execution_id);
    if (ctn_str_is(request->target, "sim/act") && at < 0)
        (void) snprintf(s->acted[s->acted_count++], sizeof s->acted[0], "%.*s", CTN_STR_ARG(request->execution_id));
    else if (ctn_str_is(request->target, "sim/unact") && at >= 0)
        memmove(s->acted[at], s->acted[--s->acted_count], sizeof s->acted[0]);
    (void) lab_fly(&s->lab, request, 0, 0);
}

static bool all_ended(const lab *l)
{
    for (int i = 0; i < l->row_count; i++)
        if (!l->rows[i].ended)
            return false;
    return lab_all_ended(l) && l->row_count > 0;
}

static sim *run(uint64_t seed, const char *chain, int die_percent, ctn_rules rules)
{
    sim *s = lab_new(sizeof *s, seed);
    lab *l = &s->lab;
    l->die_percent = die_percent;
    ctn_plan *plan = lab_compile(l, chain);
    ctn_world_options o = lab_options(l);
    o.hooks.begin = begin;
    o.rules = rules;
    lab_open(l, &o);
    ctn_json_builder nothing = ctn_json_object(l->arena);
    lab_wish_for(l, plan, ctn_json_finish(&nothing), false);
    for (int helps = 0; !all_ended(l);) {
        if (lab_move(l))
            continue;
        if (++helps > 100)
            LAB_FAIL(l, "it stands still");
        for (int i = 0; i < l->row_count && lab_is_alive(l); i++)
            if (l->rows[i].has_started && !l->rows[i].ended)
                lab_retry(l, l->rows[i].id, (ctn_str){0});
    }
    return s;
}

static void a_chain_that_multiplies_is_stopped_and_undone(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        sim *s = run(seed, HYDRA(""), seed % 2 ? 3 : 0, (ctn_rules){.children_max = 3, .depth_max = 3});
        assert_in_range(s->lab.row_count, 3, 13); /* 1 + 3 + 9 at most */
        assert_int_equal(s->lab.rows[0].ended, CTN_STATUS_ROLLED_BACK);
        assert_int_equal(s->acted_count, 0);
        lab_close(&s->lab);
    }
}

static void a_chain_that_catches_the_bound_completes_within_it(void **state)
{
    (void) state;
    sim *s = run(7, HYDRA(", onError: continue"), 0, (ctn_rules){.children_max = 3, .depth_max = 3});
    assert_int_equal(s->lab.row_count, 13);
    assert_int_equal(s->lab.rows[0].ended, CTN_STATUS_COMPLETED);
    assert_int_equal(s->acted_count, 13);
    lab_close(&s->lab);
}

static void a_full_journal_stops_it_too(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        sim *s = run(seed, HYDRA(""), seed % 2 ? 3 : 0, (ctn_rules){.journal_bytes_max = 1500, .depth_max = 3});
        assert_int_equal(s->lab.rows[0].ended, CTN_STATUS_ROLLED_BACK);
        assert_int_equal(s->acted_count, 0);
        lab_close(&s->lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_that_multiplies_is_stopped_and_undone),
        cmocka_unit_test(a_chain_that_catches_the_bound_completes_within_it),
        cmocka_unit_test(a_full_journal_stops_it_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
