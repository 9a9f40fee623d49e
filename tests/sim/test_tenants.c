/*
 * test_tenants.c -- tenants beside each other, in virtual time: who waits for how long while another one floods the
 * queue, what each may have at once and in a day, and what is refused, while the engine dies and commits fail.
 *
 * Every chain here has one step, a call that takes as long as the test says.
 */
#include "sim/lab.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000

static const char one_text[] = "id: one\nsteps:\n  - {stepName: only, instructionSet: look}\n"
                               "instructionSets:\n  look: {tool: sim/look, effect: read}\n";
static const char two_text[] = "id: two\nsteps:\n  - {stepName: first, instructionSet: look}\n"
                               "  - {stepName: second, instructionSet: look}\n"
                               "instructionSets:\n  look: {tool: sim/look, effect: read}\n";

typedef struct sim {
    lab lab;
    ctn_tenant_rules rules[4];
    size_t rule_count, active_max, starting_max;
    int64_t call_ms; /* 0: by chance */
    int calls;
} sim;

static sim *sim_new(uint64_t seed)
{
    sim *s = lab_new(sizeof *s, seed);
    (void) lab_compile(&s->lab, one_text);
    (void) lab_compile(&s->lab, two_text);
    s->active_max = 4;
    return s;
}

static const ctn_tenant_rules *rules_of(const sim *s, const char *tenant)
{
    for (size_t i = 0; i < s->rule_count; i++)
        if (ctn_str_is(s->rules[i].name, tenant))
            return &s->rules[i];
    return NULL;
}

static lab_row *row_by_id(lab *l, ctn_str id)
{
    for (int i = 0; i < l->row_count; i++)
        if (ctn_str_is(id, ctn_id_to_text(l->rows[i].id).text))
            return &l->rows[i];
    LAB_FAIL(l, "a call of an execution that is not on disk");
    return NULL;
}

/* `what` of a flight: the first letter of its tenant. */
static void begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) kind;
    sim *s = ctx;
    const lab_row *r = row_by_id(&s->lab, request->execution_id);
    const ctn_tenant_rules *rules = rules_of(s, r->tenant);
    s->calls++;
    lab_fly(&s->lab, request, 1 + r->tenant[0], s->call_ms);
    if (rules && rules->running && lab_flying(&s->lab, 1 + r->tenant[0]) > rules->running)
        LAB_FAIL(&s->lab, "tenant %s has %d calls under way", r->tenant, lab_flying(&s->lab, 1 + r->tenant[0]));
}

static void open(sim *s)
{
    ctn_world_options o = lab_options(&s->lab);
    o.active_max = s->active_max;
    o.starting_max = s->starting_max;
    o.tenants = s->rules;
    o.tenant_count = s->rule_count;
    o.hooks.begin = begin;
    lab_open(&s->lab, &o);
}

static void rule(sim *s, const char *tenant, ctn_tenant_rules rules)
{
    rules.name = ctn_str_from(tenant);
    s->rules[s->rule_count++] = rules;
}

static const ctn_json *nothing(const lab *l)
{
    ctn_json_builder b = ctn_json_object(l->arena);
    return ctn_json_finish(&b);
}

static lab_wish *ask(sim *s, const char *tenant, int priority)
{
    return lab_wish_of(&s->lab, s->lab.plans[0], nothing(&s->lab), tenant, priority);
}

static void ask_many(sim *s, const char *tenant, int count)
{
    for (int i = 0; i < count; i++)
        (void) ask(s, tenant, -1);
}

static bool help(sim *s)
{
    bool any = false;
    for (int i = 0; i < s->lab.row_count && lab_is_alive(&s->lab); i++)
        if (s->lab.rows[i].has_started && !s->lab.rows[i].ended) {
            lab_retry(&s->lab, s->lab.rows[i].id, (ctn_str){0});
            any = true;
        }
    return any;
}

static void run_to_the_end(sim *s)
{
    while (!lab_all_ended(&s->lab))
        if (!lab_move(&s->lab) && !help(s))
            LAB_FAIL(&s->lab, "nothing moves any more, and not everything has ended");
}

/* ---- shares ---- */

/* How many of the first `starts` were of this tenant. */
static int starts_of(const sim *s, const char *tenant, int starts)
{
    int count = 0;
    for (int i = 0; i < s->lab.row_count; i++) {
        const lab_row *r = &s->lab.rows[i];
        count += strcmp(r->tenant, tenant) == 0 && r->start_no && r->start_no <= starts;
    }
    return count;
}

static void weights_are_kept_in_a_long_run(void **state)
{
    (void) state;
    sim *s = sim_new(1);
    s->call_ms = 10;
    rule(s, "big", (ctn_tenant_rules){.weight = 3});
    open(s);
    ask_many(s, "big", 400);
    ask_many(s, "small", 400);
    run_to_the_end(s);
    int big = starts_of(s, "big", 500);
    print_message("  of 500 starts %d are of the one with weight 3\n", big);
    assert_in_range(big, 371, 379); /* four were begun before anybody else was there */
    lab_close(&s->lab);
}

typedef struct waits {
    int64_t worst_ms, sum_ms;
    int count;
} waits;

static waits waits_of(const sim *s, const char *tenant)
{
    waits w = {0};
    for (int i = 0; i < s->lab.row_count; i++) {
        const lab_row *r = &s->lab.rows[i];
        if (strcmp(r->tenant, tenant) != 0)
            continue;
        int64_t waited_ms = r->started_at_ms - lab_row_wish(&s->lab, r)->asked_at_ms;
        w.worst_ms = waited_ms > w.worst_ms ? waited_ms : w.worst_ms;
        w.sum_ms += waited_ms;
        w.count++;
    }
    return w;
}

/* The quiet one asks for one each 50 ms; the noisy one, if he is there, for 600 at once; calls take 40 ms. */
static waits quiet_beside(int noisy, int64_t noisy_running)
{
    sim *s = sim_new(2);
    s->call_ms = 40;
    if (noisy_running)
        rule(s, "noisy", (ctn_tenant_rules){.running = noisy_running});
    open(s);
    lab_pass(&s->lab, 1);
    ask_many(s, "noisy", noisy);
    for (int i = 0; i < 60; i++) {
        (void) ask(s, "quiet", -1);
        lab_pass(&s->lab, 50);
    }
    run_to_the_end(s);
    waits w = waits_of(s, "quiet");
    lab_close(&s->lab);
    return w;
}

static void a_quiet_tenant_waits_no_longer_than_for_the_next_place(void **state)
{
    (void) state;
    waits alone = quiet_beside(0, 0), beside = quiet_beside(600, 0), kept = quiet_beside(600, 3);
    print_message("  worst wait: alone %d ms, beside 600 queued %d ms, with a place kept free %d ms\n",
                  (int) alone.worst_ms, (int) beside.worst_ms, (int) kept.worst_ms);
    assert_true(beside.worst_ms <=
                40 + 3 * alone.worst_ms); /* a call of another ends, and it is queued on disk first */
    assert_true(kept.worst_ms <= 2 * alone.worst_ms);
    assert_true(kept.sum_ms <= 2 * alone.sum_ms);
}

/* Whoever asks waits for the batch before his and for his own: 200 calls that end at once, and 300 that are asked for,
 * go to disk a few at a time while somebody else is there. */
static void batches_are_short_while_tenants_share(void **state)
{
    (void) state;
    sim *s = sim_new(2);
    s->call_ms = 5;
    s->active_max = 200;
    open(s);
    ask_many(s, "noisy", 300);
    lab_pass(&s->lab, 50);
    size_t alone = s->lab.batch_most;
    (void) ask(s, "quiet", -1);
    s->lab.batch_most = 0;
    ask_many(s, "noisy", 300);
    run_to_the_end(s);
    print_message("  executions in a batch: %zu alone, %zu beside another\n", alone, s->lab.batch_most);
    assert_true(alone >= 100);
    assert_in_range(s->lab.batch_most, 1, 17); /* one more where a start makes another execution go on */
    lab_close(&s->lab);
}

/* The flood never ends: for each one that starts another comes. */
static void priority_0_ends_under_a_flood_of_9(void **state)
{
    (void) state;
    sim *s = sim_new(3);
    lab *l = &s->lab;
    s->call_ms = 2000;
    open(s);
    for (int i = 0; i < 12; i++)
        (void) ask(s, "", 9);
    (void) ask(s, "", 0);
    const lab_row *low = NULL;
    while (!low || !low->ended) {
        if (!lab_move(l))
            LAB_FAIL(l, "nothing moves any more");
        while (lab_is_alive(l) && l->wish_count < 12 + 1 + l->starts && l->wish_count < LAB_ROWS_MAX - 1)
            (void) ask(s, "", 9);
        for (int i = 0; i < l->row_count; i++)
            if (lab_row_wish(l, &l->rows[i])->priority == 0)
                low = &l->rows[i];
    }
    print_message("  it was number %d of those that started\n", low->start_no);
    assert_in_range(low->start_no, 100, 530); /* one of 513 at first, and more the longer it waits */
    assert_true(l->wish_count < LAB_ROWS_MAX - 1);
    lab_close(l);
}

/* ---- limits ---- */

static void nobody_has_more_at_once_than_he_may(void **state)
{
    (void) state;
    int deaths = 0, worlds = 0;
    lab_seeds seeds = lab_seeds_of(100, 219);
    for (uint64_t seed = seeds.first; seed <= seeds.last; seed++) {
        sim *s = sim_new(seed);
        s->lab.die_percent = (int) (seed % 4);
        s->lab.commit_fails_percent = (int) (seed % 3) * 4;
        s->active_max = 2 + seed % 7;
        rule(s, "amber", (ctn_tenant_rules){.weight = 1 + (int64_t) (seed % 5), .running = 1 + (int64_t) (seed % 3)});
        rule(s, "*", (ctn_tenant_rules){.running = 3});
        open(s);
        static const char *const names[] = {"amber", "blue", ""};
        for (int i = 0; i < 40; i++)
            (void) lab_wish_of(&s->lab, s->lab.plans[ctn_world_roll(s->lab.world, 2)], nothing(&s->lab),
                               names[ctn_world_roll(s->lab.world, 3)], (int) ctn_world_roll(s->lab.world, 10));
        run_to_the_end(s);
        deaths += s->lab.deaths;
        worlds++;
        lab_close(&s->lab);
    }
    print_message("  %d worlds, %d deaths\n", worlds, deaths);
}

static int refused_of(const sim *s)
{
    int count = 0;
    for (int i = 0; i < s->lab.wish_count; i++)
        count += s->lab.wishes[i].refused != 0;
    return count;
}

static void a_full_queue_takes_no_more_of_that_tenant(void **state)
{
    (void) state;
    sim *s = sim_new(5);
    s->call_ms = 1000;
    s->lab.may_refuse = true;
    rule(s, "acme", (ctn_tenant_rules){.queued = 10});
    open(s);
    ask_many(s, "acme", 14); /* four run */
    lab_pass(&s->lab, 100);
    ask_many(s, "acme", 5);
    ask_many(s, "other", 5);
    lab_pass(&s->lab, 100);
    assert_int_equal(refused_of(s), 5);
    for (int i = 0; i < s->lab.wish_count; i++)
        assert_true(!s->lab.wishes[i].refused || strcmp(s->lab.wishes[i].tenant, "acme") == 0);
    run_to_the_end(s);
    (void) ask(s, "acme", -1);
    run_to_the_end(s);
    assert_int_equal(refused_of(s), 5);
    lab_close(&s->lab);
}

/* Nothing is on disk yet when they come: what is under way is bounded, and one tenant has half of it. */
static void starts_are_refused_before_they_take_memory(void **state)
{
    (void) state;
    sim *s = sim_new(6);
    s->lab.may_refuse = true;
    s->starting_max = 20;
    open(s);
    lab_pass(&s->lab, 1);
    ask_many(s, "noisy", 500);
    ask_many(s, "quiet", 5);
    ctn_engine_figures now = ctn_engine_figures_now(ctn_world_engine(s->lab.world));
    assert_int_equal(now.starting, 15);
    ask_many(s, "", 10);
    lab_pass(&s->lab, 100);
    int quiet = 0, nobody = 0;
    for (int i = 500; i < 515; i++) {
        quiet += i < 505 && !s->lab.wishes[i].refused;
        nobody += i >= 505 && !s->lab.wishes[i].refused;
    }
    assert_int_equal(refused_of(s), 490 + 5);
    assert_int_equal(quiet, 5);
    assert_int_equal(nobody, 5);
    now = ctn_engine_figures_now(ctn_world_engine(s->lab.world));
    assert_int_equal(now.starting, 0);
    ask_many(s, "noisy", 1);
    run_to_the_end(s);
    assert_int_equal(refused_of(s), 495);
    lab_close(&s->lab);
}

/* ---- quotas ---- */

static int note_usage(void *ctx, const ctn_usage_row *row)
{
    if (ctn_str_is(row->tenant, "acme"))
        *(ctn_usage *) ctx = row->used;
    return 0;
}

static ctn_usage used_of_acme(const sim *s)
{
    ctn_usage used = {0};
    int64_t day = ctn_world_now_ms(s->lab.world) / DAY_MS;
    assert_int_equal(ctn_store_usage_list(ctn_world_store(s->lab.world), day, note_usage, &used, NULL), CTN_OK);
    return used;
}

/* Whatever dies: no more start than the quota allows, and the count on disk knows of each of them. */
static void executions_of_a_day_are_counted_through_every_death(void **state)
{
    (void) state;
    int deaths = 0, worlds = 0, fails = 0;
    lab_seeds seeds = lab_seeds_of(300, 399);
    for (uint64_t seed = seeds.first; seed <= seeds.last; seed++) {
        sim *s = sim_new(seed);
        s->lab.may_refuse = true;
        s->lab.die_percent = (int) (seed % 5) * 3;
        s->lab.commit_fails_percent = (int) (seed % 3) * 8;
        rule(s, "acme", (ctn_tenant_rules){.per_day = {.executions = 12}});
        open(s);
        for (int i = 0; i < 30; i++) {
            (void) ask(s, "acme", -1);
            if (i % 3 == 0)
                lab_pass(&s->lab, 5);
        }
        run_to_the_end(s);
        int acked = 30 - refused_of(s);
        ctn_usage used = used_of_acme(s);
        bool is_exact = !s->lab.commit_fails_percent || !s->lab.deaths;
        if (used.executions != 12 || acked != s->lab.row_count || acked > 12 || (is_exact && acked != 12))
            LAB_FAIL(&s->lab, "%d executions, %d acknowledged, and the count says %d of 12", s->lab.row_count, acked,
                     (int) used.executions);
        if (used.calls < 12 - s->lab.deaths)
            LAB_FAIL(&s->lab, "%d calls are counted", (int) used.calls);
        deaths += s->lab.deaths;
        fails += s->lab.commit_fails_percent > 0;
        worlds++;
        lab_close(&s->lab);
    }
    print_message("  %d worlds, %d deaths\n", worlds, deaths);
    assert_true(seeds.is_one || (deaths > 50 && fails > 50));
}

/* Calls are used up: what has begun fails with `limit`, what is queued waits for the next day, a start is refused. */
static void what_is_queued_waits_for_the_next_day_when_calls_are_used_up(void **state)
{
    (void) state;
    sim *s = sim_new(7);
    lab *l = &s->lab;
    s->call_ms = 10;
    s->active_max = 3;
    l->may_refuse = true;
    rule(s, "acme", (ctn_tenant_rules){.per_day = {.calls = 4}});
    open(s);
    for (int i = 0; i < 6; i++)
        (void) lab_wish_of(l, l->plans[1], nothing(&s->lab), "acme", -1);
    lab_pass(&s->lab, 1000);
    assert_int_equal(s->calls, 4);
    int failed = 0, completed = 0, queued = 0;
    for (int i = 0; i < l->row_count; i++) {
        failed += l->rows[i].ended == CTN_STATUS_FAILED || l->rows[i].ended == CTN_STATUS_ROLLED_BACK;
        completed += l->rows[i].ended == CTN_STATUS_COMPLETED;
        queued += !l->rows[i].has_started;
    }
    print_message("  %d completed, %d failed, %d wait\n", completed, failed, queued);
    assert_int_equal(completed + failed, 3);
    assert_int_equal(queued, 3);
    lab_wish *late = lab_wish_of(l, l->plans[0], nothing(&s->lab), "acme", -1);
    (void) ask(s, "other", -1);
    int64_t day = ctn_world_now_ms(l->world) / DAY_MS;
    lab_pass(&s->lab, 1000);
    assert_int_equal(late->refused, CTN_E_TOO_MANY);
    assert_true(l->rows[l->row_count - 1].ended == CTN_STATUS_COMPLETED); /* another's goes on */
    while (ctn_world_now_ms(l->world) / DAY_MS == day)
        assert_true(lab_move(l));
    lab_pass(&s->lab, 1000);
    assert_int_equal(s->calls, 4 + 1 + 4);
    assert_int_equal(used_of_acme(s).calls, 4);
    lab_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_kept_in_a_long_run),
        cmocka_unit_test(a_quiet_tenant_waits_no_longer_than_for_the_next_place),
        cmocka_unit_test(batches_are_short_while_tenants_share),
        cmocka_unit_test(priority_0_ends_under_a_flood_of_9),
        cmocka_unit_test(nobody_has_more_at_once_than_he_may),
        cmocka_unit_test(a_full_queue_takes_no_more_of_that_tenant),
        cmocka_unit_test(starts_are_refused_before_they_take_memory),
        cmocka_unit_test(executions_of_a_day_are_counted_through_every_death),
        cmocka_unit_test(what_is_queued_waits_for_the_next_day_when_calls_are_used_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
