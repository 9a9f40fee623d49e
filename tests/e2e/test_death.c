/*
 * The real binary dies by SIGKILL at every point where it touches the store or a pipe, against real tool servers with a
 * ledger of what they really did; goes on; and every call that was in flight has ended as safely repeated, as verified
 * by its check, or as parked. How a trial goes and what is judged stands in death_kit.h.
 *
 * One chain dies at every point there is, the others at every third (with the sanitizers at every thirtieth), each at
 * other ones in both places; `make kill` tries all, and a second death behind each. The numbers are printed.
 */
#include "death_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define STRIDE       37
#define SLOW_STRIDE  41
#define WHOLE_STRIDE 23
#else
#define STRIDE       5
#define SLOW_STRIDE  7
#define WHOLE_STRIDE 1
#endif
#define WORKERS 4 /* most of a trial is waiting */

static bool tries_all(void)
{
    const char *all = getenv("CATENA_KILL_ALL");
    return all && all[0];
}

typedef struct share {
    death_tally tally;
    char why[400];
} share;

/* Dies at first, first + stride, ... up to last, in two processes. */
static void sweep(const char *name, const death_plan *plan, unsigned first, unsigned last, unsigned stride,
                  death_tally *ret_tally)
{
    share *shares = mmap(NULL, WORKERS * sizeof *shares, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t workers[WORKERS];
    assert_true(shares != MAP_FAILED);
    fflush(NULL);
    for (unsigned k = 0; k < WORKERS; k++) {
        workers[k] = fork();
        assert_true(workers[k] >= 0);
        if (workers[k] > 0)
            continue;
        for (unsigned n = first + k * stride; n <= last; n += WORKERS * stride) {
            death_plan p = *plan;
            p.at = n;
            p.waits = n % 2 && !p.never_waits;
            if (p.second_at == 1) /* anywhere: other points of the first process, other ones of the second */
                p.second_at = 1 + n * 7919u % last;
            if (!death_try(&p, &shares[k].tally, shares[k].why))
                _exit(1);
        }
        _exit(0);
    }
    *ret_tally = (death_tally){0};
    char why[400] = "";
    for (unsigned k = 0; k < WORKERS; k++) {
        int code = 0;
        assert_int_equal(waitpid(workers[k], &code, 0), workers[k]);
        death_add(ret_tally, &shares[k].tally);
        if (code != 0)
            snprintf(why, sizeof why, "%s", shares[k].why[0] ? shares[k].why : "a worker failed, see above");
    }
    munmap(shares, WORKERS * sizeof *shares);
    death_print(name, ret_tally);
    if (why[0])
        fail_msg("%s", why);
}

/* The points of a chain's run: all, or those between its owner's first sign of life and its last read from a tool, in
 * which the chain itself runs (the rest is the same for all). */
static void range_of(const death_plan *plan, bool whole, unsigned *ret_first, unsigned *ret_last)
{
    char *lines = NULL;
    unsigned points = death_points(plan, &lines), n = 0;
    *ret_first = 1;
    *ret_last = points + 4; /* threads: not each run has the same number */
    assert_true(points > 100);
    for (char *at = lines, *end; !whole && (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        n++;
        if (strstr(at, "listen socket after"))
            *ret_first = n;
        if (strstr(at, "read pipe after"))
            *ret_last = n;
    }
    free(lines);
}

static void sweep_chain(const char *name, bool whole, unsigned stride, death_tally *ret_tally)
{
    death_plan plan = {.chain = death_chain_named(name), .is_new_store = whole};
    unsigned first = 0, last = 0;
    range_of(&plan, whole || tries_all(), &first, &last);
    sweep(name, &plan, first, last, tries_all() ? 1 : stride, ret_tally);
}

static void every_point_of_a_chain_with_a_new_store(void **state)
{
    (void) state;
    death_tally t;
    sweep_chain("checked", true, WHOLE_STRIDE, &t);
    assert_true(t.repeated && t.verified_happened && t.verified_not);
}

static void every_chain_ends_right_whenever_it_is_killed(void **state)
{
    (void) state;
    death_tally sum = {0}, t;
    for (size_t i = 1; i < death_chain_count; i++) {
        sweep_chain(death_chains[i].name, false, STRIDE, &t);
        death_add(&sum, &t);
    }
    death_print("all of them", &sum);
    assert_true(sum.repeated && sum.verified_happened && sum.verified_not && sum.parked);
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
    unsigned first = 0, last = 0;
    range_of(&plan, false, &first, &last);
    sweep("a slow server", &plan, first, last, tries_all() ? 1 : SLOW_STRIDE, &t);
    assert_true(t.verified_happened);
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
        cmocka_unit_test(every_point_of_a_chain_with_a_new_store),
        cmocka_unit_test(a_server_that_outlives_its_catena_does_not_write_behind_the_check),
        cmocka_unit_test(every_chain_ends_right_whenever_it_is_killed),
    };
    if (access("/dev/shm", W_OK) == 0) /* a kill leaves what was written, synced or not: no disk is needed */
        (void) setenv("TMPDIR", "/dev/shm", 1);
    cmocka_set_test_filter(getenv("CATENA_TEST"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
