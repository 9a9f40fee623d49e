/*
 * The real binary dies by SIGKILL at every point where it touches the store or a pipe, against real tool servers with a
 * ledger of what they really did; goes on; and every call that was in flight has ended as safely repeated, as verified
 * by its check, or as parked. How a trial goes and what is judged stands in death_kit.h.
 *
 * One chain dies at every point there is, from the making of its store on, the others at a part of those between their
 * owner's first sign of life and their last answer (with the sanitizers all at a few); `make kill` tries all. The
 * numbers are printed.
 */
#include "death_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define STRIDE       23
#define TWICE_STRIDE 53
#define HAS_FEW      true
#define SERVE_STRIDE 101
#define WHOLE_STRIDE 23
#else
#define STRIDE       8
#define TWICE_STRIDE 29
#define SERVE_STRIDE 11
#define WHOLE_STRIDE 1
#define HAS_FEW      false
#endif
#define WORKERS 4 /* most of a trial is waiting */

static bool tries_all(void)
{
    const char *all = getenv("CATENA_KILL_ALL");
    return all && all[0];
}

typedef struct share {
    death_tally tally;
    bool is_seen;
    char why[400];
} share;

/* The points to die at. */
typedef struct point_list {
    unsigned *at;
    size_t count;
    unsigned all; /* how many the run has */
} point_list;

/* Every stride-th point of a chain's run: of all of it, or of what is between its owner's first sign of life and its
 * last call's answer, in which the chain itself runs (the rest is the same for all). `only`: those whose line has
 * this in it; NULL: any. */
static point_list points_of(const death_plan *plan, bool whole, const char *only, unsigned stride)
{
    char *lines = NULL;
    point_list p = {.all = death_points(plan, &lines)};
    unsigned first = 1, last = p.all, n = 0;
    assert_true(p.all > 100);
    p.at = calloc(p.all + 8, sizeof *p.at);
    assert_non_null(p.at);
    for (const char *at = lines; (at = strchr(at, '\n')); at++) {
        n++;
        if (!whole && strncmp(at - 19, "listen socket after", 19) == 0)
            first = n;
        if (!whole && strncmp(at - 15, "write pipe half", 15) == 0)
            last = n + 25;
    }
    n = 0;
    for (char *at = lines, *end; (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        n++;
        if (n >= first && n <= last && (n - first) % stride == 0 && (!only || strstr(at, only)))
            p.at[p.count++] = n;
    }
    if (whole && !only) /* threads: not each run has the same number */
        for (unsigned more = 1; more <= 4; more++)
            p.at[p.count++] = n + more;
    free(lines);
    return p;
}

/* One trial in which catena lives. */
static point_list no_death(void)
{
    return (point_list){.at = calloc(1, sizeof(unsigned)), .count = 1, .all = 1};
}

static void try_share(const death_plan *plan, const point_list *points, unsigned k, share *s)
{
    for (size_t i = k; i < points->count; i += WORKERS) {
        death_plan p = *plan;
        p.at = points->at[i];
        p.waits = i / WORKERS % 2 && !p.never_waits;
        if (p.dies_twice) /* anywhere, and elsewhere behind each point */
            p.second_at = 1 + p.at * 7919u % (points->all * 2 / 3);
        if (!death_try(&p, &s->tally, s->why)) {
            s->is_seen = true;
            return;
        }
    }
}

/* Dies at these points, in a few processes. False, with why, when something was not as it must be. */
static bool sweep(const char *name, const death_plan *plan, const point_list *points, death_tally *ret_tally,
                  char why[400])
{
    share *shares = mmap(NULL, WORKERS * sizeof *shares, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t workers[WORKERS];
    bool is_right = true;
    assert_true(shares != MAP_FAILED);
    fflush(NULL);
    for (unsigned k = 0; k < WORKERS; k++) {
        workers[k] = fork();
        assert_true(workers[k] >= 0);
        if (workers[k] > 0)
            continue;
        try_share(plan, points, k, &shares[k]);
        _exit(0);
    }
    *ret_tally = (death_tally){0};
    for (unsigned k = 0; k < WORKERS; k++) {
        int code = 0;
        assert_int_equal(waitpid(workers[k], &code, 0), workers[k]);
        assert_int_equal(code, 0);
        death_add(ret_tally, &shares[k].tally);
        if (shares[k].is_seen)
            snprintf(why, 400, "%s", shares[k].why);
        is_right = is_right && !shares[k].is_seen;
    }
    munmap(shares, WORKERS * sizeof *shares);
    if (name)
        death_print(name, ret_tally);
    return is_right;
}

/* The same, which must be right. */
static void must_be_right(const char *name, const death_plan *plan, point_list points, death_tally *ret_tally)
{
    char why[400] = "";
    bool is_right = sweep(name, plan, &points, ret_tally, why);
    free(points.at);
    if (!is_right)
        fail_msg("%s", why);
}

static void every_point_of_a_chain_with_a_new_store(void **state)
{
    (void) state;
    death_tally t;
    death_plan plan = {.chain = death_chain_named("checked"), .is_new_store = true};
    must_be_right("checked, new store", &plan, points_of(&plan, true, NULL, tries_all() ? 1 : WHOLE_STRIDE), &t);
    assert_true(HAS_FEW || (t.repeated && t.verified_happened && t.verified_not));
}

static void every_chain_ends_right_whenever_it_is_killed(void **state)
{
    (void) state;
    death_tally sum = {0}, t;
    for (size_t i = 1; i < death_chain_count; i++) {
        death_plan plan = {.chain = &death_chains[i]};
        must_be_right(death_chains[i].name, &plan, points_of(&plan, tries_all(), NULL, tries_all() ? 1 : STRIDE), &t);
        death_add(&sum, &t);
    }
    death_print("all of them", &sum);
    assert_true(HAS_FEW || (sum.repeated && sum.verified_happened && sum.verified_not && sum.parked));
    assert_true(sum.repeated + sum.verified_happened + sum.verified_not + sum.parked > 0);
}

/* Who goes on from a death dies, too. */
static void a_second_death_while_it_goes_on(void **state)
{
    (void) state;
    death_tally sum = {0}, t;
    for (size_t i = 0; i < death_chain_count; i++) {
        death_plan plan = {.chain = &death_chains[i], .dies_twice = true};
        must_be_right(death_chains[i].name, &plan, points_of(&plan, false, NULL, tries_all() ? 1 : TWICE_STRIDE), &t);
        death_add(&sum, &t);
    }
    death_print("two deaths", &sum);
    assert_true(HAS_FEW || sum.second_deaths > 0);
}

/* A tool server that finishes what it has begun, whatever it is told: for some time after the death of catena it still
 * may write. Who goes on at once must not ask its check before that is over. */
static void a_server_that_outlives_its_catena_does_not_write_behind_the_check(void **state)
{
    (void) state;
    death_tally t;
    death_plan plan = {.chain = death_chain_named("checked"),
                       .peer_args = "ignore-end, --delay-before, \"120\", ",
                       .never_waits = true};
    must_be_right("a slow server", &plan, points_of(&plan, false, tries_all() ? NULL : "pipe", 1), &t);
    assert_true(HAS_FEW || t.verified_happened); /* which point is which differs a little from run to run */
}

/* Of a lone write the server dies, having done it, before it answers, or in the middle of its answer. */
static void a_server_that_dies_in_the_call_has_it_parked(void **state)
{
    (void) state;
    static const char *const ways[] = {"dies-in-call, ", "half-line, ", "grandchild, "};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        death_tally t;
        death_plan plan = {.chain = death_chain_named("lone"), .peer_args = ways[i]};
        must_be_right(NULL, &plan, no_death(), &t);
        assert_int_equal(t.parked, 1);
    }
}

/* The tool servers die, or who starts them and ends them, and catena lives. */
static void others_die(const char *victim, const char *counts)
{
    char name[100];
    death_tally sum = {0}, t;
    for (size_t i = 0; i < death_chain_count; i++) {
        death_plan plan = {.chain = &death_chains[i], .victim = victim, .counts = counts};
        must_be_right(NULL, &plan, points_of(&plan, tries_all(), NULL, tries_all() ? 1 : TWICE_STRIDE), &t);
        death_add(&sum, &t);
    }
    snprintf(name, sizeof name, "%ss die", victim);
    death_print(name, &sum);
}

static void the_servers_die_under_a_living_catena(void **state)
{
    (void) state;
    others_die("server", NULL);
}

static void the_spawner_dies_under_a_living_catena(void **state)
{
    (void) state;
    others_die("spawner", NULL);
}

/* Mistakes that an engine could make are seen here, each within some deaths. */
static void planted_faults_are_seen(void **state)
{
    (void) state;
    static const struct {
        const char *plant, *chain, *only, *peer_args;
    } faults[] = {
        {"UNKNOWN_IS_RETRIED", "lone", NULL, "dies-in-call, "}, {"EFFECT_BEFORE_COMMIT", "unchecked", "pipe", NULL},
        {"WRITE_START_NOT_STORED", "unchecked", "pipe", NULL},  {"KEY_CHANGES", "checked", "wal", NULL},
        {"COMPLETED_RUNS_AGAIN", "checked", "wal", NULL},
    };
    for (size_t i = 0; i < (HAS_FEW ? 2 : sizeof faults / sizeof *faults); i++) {
        char why[400] = "";
        death_tally t;
        death_plan plan = {
            .chain = death_chain_named(faults[i].chain), .plant = faults[i].plant, .peer_args = faults[i].peer_args};
        point_list points = faults[i].only ? points_of(&plan, false, faults[i].only, 1) : no_death();
        bool is_right = sweep(NULL, &plan, &points, &t, why);
        free(points.at);
        printf("  %-24s seen after %u deaths: %s\n", faults[i].plant, t.deaths, why);
        if (is_right)
            fail_msg("%s was not seen", faults[i].plant);
    }
}

/* So much is written that the log is moved into the file while the chain goes on (store/sqlite/checkpoint.c). */
static void a_log_is_moved_into_the_file_by_a_dying_process(void **state)
{
    (void) state;
    static char text[70000], long_text[60001];
    death_tally t;
    memset(long_text, 'x', sizeof long_text - 1);
    snprintf(text, sizeof text,
             "id: large\n"
             "steps:\n"
             "  - {stepName: book, instructionSet: book, foreach: {items: {range: [0, 420]}, maxConcurrency: 8}, "
             "inputTemplate: '%s', outputVariables: []}\n",
             long_text);
    death_chain large = {"large", text, "completed"};
    death_plan plan = {.chain = &large};
    point_list points = points_of(&plan, false, " db ", 1);
    assert_true(points.count > 200); /* it did grow, and was moved */
    size_t stride = tries_all() ? 10 : points.count / (HAS_FEW ? 1 : 4), count = 0;
    for (size_t i = 0; i < points.count; i += stride)
        points.at[count++] = points.at[i];
    points.count = count;
    must_be_right("a large log", &plan, points, &t);
    assert_true(t.verified_happened + t.verified_not > 0);
}

/* The travel pack's own chain and server. */
static void a_lead_is_recorded_once(void **state)
{
    (void) state;
    death_tally t;
    death_plan plan = {.chain = &death_travel_chain, .is_travel = true};
    must_be_right("mobile-lead-processing", &plan, points_of(&plan, false, NULL, tries_all() ? 1 : STRIDE), &t);
}

/* One process that advances many: it dies with several executions in flight, while others are handed to it. What was
 * acknowledged is in the store. */
static void an_owner_of_many_dies(void **state)
{
    (void) state;
    death_tally t;
    death_plan plan = {.chain = death_chain_named("parallel"), .serves = true};
    must_be_right("serve", &plan, points_of(&plan, tries_all(), NULL, tries_all() ? 1 : SERVE_STRIDE), &t);
    assert_true(t.acknowledged > 0 && t.repeated + t.verified_happened + t.verified_not + t.parked > 0);
}

/* The program that is installed has nothing of what kills the other one. */
static void the_product_cannot_be_told_to_die(void **state)
{
    (void) state;
    static const char *const programs[] = {CATENA_BUILD_DIR "/catena", CATENA_BUILD_DIR "/tests/catena_mortal"};
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(programs[i], "re");
        char *bytes = malloc(64 << 20);
        assert_true(file && bytes);
        size_t len = fread(bytes, 1, 64 << 20, file);
        fclose(file);
        assert_true(len > 0 && len < 64 << 20);
        assert_int_equal(memmem(bytes, len, "CATENA_DEATH_AT", 15) != NULL, i == 1);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_product_cannot_be_told_to_die),
        cmocka_unit_test(planted_faults_are_seen),
        cmocka_unit_test(every_point_of_a_chain_with_a_new_store),
        cmocka_unit_test(every_chain_ends_right_whenever_it_is_killed),
        cmocka_unit_test(a_second_death_while_it_goes_on),
        cmocka_unit_test(a_server_that_outlives_its_catena_does_not_write_behind_the_check),
        cmocka_unit_test(a_log_is_moved_into_the_file_by_a_dying_process),
        cmocka_unit_test(a_lead_is_recorded_once),
        cmocka_unit_test(an_owner_of_many_dies),
        cmocka_unit_test(a_server_that_dies_in_the_call_has_it_parked),
        cmocka_unit_test(the_servers_die_under_a_living_catena),
        cmocka_unit_test(the_spawner_dies_under_a_living_catena),
    };
    if (access("/dev/shm", W_OK) == 0) /* a kill leaves what was written, synced or not: no disk is needed */
        (void) setenv("TMPDIR", "/dev/shm", 1);
    cmocka_set_test_filter(getenv("CATENA_TEST"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
