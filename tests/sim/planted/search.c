#include "sim/planted/search.h"

#include "base/plant.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

ctn_plant ctn_plant_on;

/* In the child: every seed is told before it is tried, so that one that kills the program is known. */
static void look(plant_world *world, ctn_plant plant, uint64_t seeds, int out)
{
    ctn_plant_on = plant;
    if (!freopen("/dev/null", "w", stderr))
        _exit(1);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        plant_find f = {.seed = seed, .how = "the engine stops itself (assert)"};
        if (write(out, &f, sizeof f) != sizeof f)
            _exit(1);
        sim_failure failure = {0};
        world(seed, &failure);
        if (!failure.is_told)
            continue;
        memcpy(f.how, failure.why, sizeof f.how - 1);
        f.how[sizeof f.how - 1] = '\0';
        if (write(out, &f, sizeof f) != sizeof f)
            _exit(1);
        _exit(0);
    }
    plant_find none = {0};
    _exit(write(out, &none, sizeof none) != sizeof none);
}

plant_find plant_search(plant_world *world, int plant, uint64_t seeds)
{
    int ends[2];
    plant_find last = {0}, f;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        look(world, (ctn_plant) plant, seeds, ends[1]);
    }
    close(ends[1]);
    while (read(ends[0], &f, sizeof f) == (ssize_t) sizeof f)
        last = f;
    close(ends[0]);
    assert_true(waitpid(child, NULL, 0) == child);
    return last;
}

void plants_are_found(plant_world *world, const char *const *names, int first, int end, uint64_t seeds)
{
    int missed = 0;
    uint64_t most = 0;
    for (int i = first; i < end; i++) {
        plant_find f = plant_search(world, i, seeds);
        printf("  %-30s %s%5llu  %.110s\n", names[i - first], f.seed ? "seed " : "not found in ",
               (unsigned long long) (f.seed ? f.seed : seeds), f.how);
        missed += f.seed == 0;
        most = f.seed > most ? f.seed : most;
    }
    printf("  %d planted faults, each found within %llu seeds\n", end - first, (unsigned long long) most);
    assert_int_equal(missed, 0);
}

void nothing_is_found_where_nothing_is(plant_world *world, uint64_t seeds)
{
    plant_find f = plant_search(world, CTN_PLANT_NONE, seeds);
    if (f.seed)
        fail_msg("seed %llu: %s", (unsigned long long) f.seed, f.how);
}
