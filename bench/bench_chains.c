/*
 * bench_chains -- one measurement of W1 or W2: so many five-step chains in flight, for so long.
 *
 *     bench_chains KEY DIR IN_FLIGHT [--seconds S] [--warm S] [--server PROGRAM] [--store FILE|URL] [--synchronous
 * WORD] [--nodes N]
 *
 * Prints KEY/steps_per_s and so on (README.md says what each is). One process a measurement, so that its peak of memory
 * is its own. Without --store the run has a new one, which goes. --nodes: of a
 * fleet's store, so many of these share it, and each begins when it has its share.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(const char *key, const char *name, double value)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", key, name);
    bench_say(path, value);
}

int main(int argc, char **argv)
{
    double span_s = 15, warm_s = 4;
    long in_flight = argc >= 4 ? strtol(argv[3], NULL, 10) : 0;
    long nodes = 1;
    const char *server = NULL, *kept = NULL, *synchronous = NULL;
    bool is_understood = in_flight >= 1 && argc % 2 == 0;
    for (int i = 4; is_understood && i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seconds") == 0)
            span_s = strtod(argv[i + 1], NULL);
        else if (strcmp(argv[i], "--warm") == 0)
            warm_s = strtod(argv[i + 1], NULL);
        else if (strcmp(argv[i], "--server") == 0)
            server = argv[i + 1];
        else if (strcmp(argv[i], "--store") == 0)
            kept = argv[i + 1];
        else if (strcmp(argv[i], "--synchronous") == 0)
            synchronous = argv[i + 1];
        else if (strcmp(argv[i], "--nodes") == 0)
            nodes = strtol(argv[i + 1], NULL, 10);
        else
            is_understood = false;
    }
    if (!is_understood || span_s <= 0 || nodes < 1) {
        fprintf(stderr, "usage: bench_chains KEY DIR IN_FLIGHT [--seconds S] [--warm S] [--server PROGRAM] [--store "
                        "FILE|URL] [--synchronous WORD] [--nodes N]\n");
        return 2;
    }
    const char *key = argv[1];
    char file[BENCH_PATH_MAX];
    snprintf(file, sizeof file, kept ? "%s" : "%s/chains.db", kept ? kept : argv[2]);
    if (!kept)
        bench_store_remove(file);
    bench_rig *rig = bench_rig_new(&(bench_rig_options){.file = file,
                                                        .in_flight = (size_t) in_flight,
                                                        .server = server,
                                                        .synchronous = synchronous,
                                                        .nodes = (uint32_t) nodes,
                                                        .syncs = bench_syncs_install()});
    bench_rig_figures f = bench_rig_measure(rig, warm_s, span_s);
    double peak_mib = bench_peak_with_children_mib();
    if (f.steps == 0)
        bench_die("the run", "no step ended in the time that was measured");
    double steps = (double) f.steps;
    say(key, "steps_per_s", steps / f.span_s);
    say(key, "chains_per_s", (double) f.chains / f.span_s);
    say(key, "p50_ms", bench_samples_at(&f.latency_ms, 0.50));
    say(key, "p99_ms", bench_samples_at(&f.latency_ms, 0.99));
    say(key, "cpu_us_per_step", (f.cpu_s + f.cpu_children_s) / steps * 1e6);
    say(key, "cpu_us_per_step_loop", f.cpu_loop_s / steps * 1e6);
    say(key, "cpu_us_per_step_other_threads", (f.cpu_s - f.cpu_loop_s) / steps * 1e6);
    if (server)
        say(key, "cpu_us_per_step_children", f.cpu_children_s / steps * 1e6);
    say(key, "rss_mib", peak_mib);
    say(key, "commits_per_s", (double) f.commits / f.span_s);
    if (f.chains)
        say(key, "syncs_per_chain", (double) f.syncs / (double) f.chains);
    say(key, "others_cores", f.others_cpu_s / f.span_s);
    say(key, "steal_cores", f.steal_s / f.span_s);
    bench_samples_free(&f.latency_ms);
    bench_rig_free(rig);
    if (!kept)
        bench_store_remove(file);
    return 0;
}
