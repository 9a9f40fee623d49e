/*
 * Faults planted one after the other: the simulator finds each within so many seeds, and finds nothing where none is.
 *
 * Each is tried in a process of its own, for some of them end in an assert: that is found as well, by the engine
 * itself. The files that name plants are compiled for this program (tests/CMakeLists.txt); the libraries have none.
 */
#include "base/plant.h"
#include "sim/chaos.h"
#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS_MAX 2000

ctn_plant ctn_plant_on;

static const char *const names[] = {"none",
#define X(name) #name,
                                    CTN_PLANTS(X)
#undef X
};

typedef struct find {
    uint64_t seed; /* 0: not found */
    char how[200];
} find;

/* In the child: every seed is told before it is tried, so that one that kills the program is known. */
static void look(ctn_plant plant, uint64_t seeds, int out)
{
    ctn_plant_on = plant;
    if (!freopen("/dev/null", "w", stderr))
        _exit(1);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        find f = {.seed = seed, .how = "the engine stops itself (assert)"};
        if (write(out, &f, sizeof f) != sizeof f)
            _exit(1);
        chaos_report report;
        chaos_run(&(chaos_options){.seed = seed}, &report);
        if (!report.failure.is_told)
            continue;
        memcpy(f.how, report.failure.why, sizeof f.how - 1);
        f.how[sizeof f.how - 1] = '\0';
        if (write(out, &f, sizeof f) != sizeof f)
            _exit(1);
        _exit(0);
    }
    find none = {0};
    _exit(write(out, &none, sizeof none) != sizeof none);
}

static find search(ctn_plant plant, uint64_t seeds)
{
    int ends[2];
    find last = {0}, f;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        look(plant, seeds, ends[1]);
    }
    close(ends[1]);
    while (read(ends[0], &f, sizeof f) == (ssize_t) sizeof f)
        last = f;
    close(ends[0]);
    assert_true(waitpid(child, NULL, 0) == child);
    return last;
}

static void every_planted_fault_is_found(void **state)
{
    (void) state;
    int missed = 0;
    uint64_t most = 0;
    for (int i = 1; i < CTN_PLANT_COUNT; i++) {
        find f = search((ctn_plant) i, SEEDS_MAX);
        printf("  %-28s %s%5llu  %.110s\n", names[i], f.seed ? "seed " : "not found in ",
               (unsigned long long) (f.seed ? f.seed : SEEDS_MAX), f.how);
        missed += f.seed == 0;
        most = f.seed > most ? f.seed : most;
    }
    printf("  %d planted faults, each found within %llu seeds\n", CTN_PLANT_COUNT - 1, (unsigned long long) most);
    assert_true(CTN_PLANT_COUNT - 1 >= 12);
    assert_int_equal(missed, 0);
}

static void where_nothing_is_planted_nothing_is_found(void **state)
{
    (void) state;
    find f = search(CTN_PLANT_NONE, SEEDS_MAX);
    if (f.seed)
        fail_msg("seed %llu: %s", (unsigned long long) f.seed, f.how);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_planted_fault_is_found),
        cmocka_unit_test(where_nothing_is_planted_nothing_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
