#include "sim/many.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILURES_MAX 5

static const char *commit(void)
{
    const char *said = getenv("CATENA_COMMIT");
    return said && *said ? said : CATENA_COMMIT;
}

static void tell_failure(uint64_t seed, const char *why)
{
    fprintf(stderr, "seed %llu, commit %s: %s\n    sim_worlds --seed %llu plays it again\n", (unsigned long long) seed,
            commit(), why, (unsigned long long) seed);
}

/* The one thing that a handler of SIGABRT may look at. */
static volatile sig_atomic_t interrupted;
static volatile uint64_t seed_now;

static void on_interrupt(int signal_number)
{
    (void) signal_number;
    interrupted = 1;
}

static void on_abort(int signal_number)
{
    char text[80];
    int n = snprintf(text, sizeof text, "seed %llu: the program dies\n", (unsigned long long) seed_now);
    if (n > 0 && write(STDERR_FILENO, text, (size_t) n) < 0)
        _exit(3);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void catch_signals(void)
{
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
}

static void add(many_sum *sum, uint64_t seed, const chaos_report *r)
{
    sum->worlds++;
    sum->counting += r->has_counted;
    if (r->failure.is_told && sum->failed++ == 0)
        sum->first_failed = seed;
    for (int i = 0; i < CHAOS_COUNT; i++) {
        sum->counts[i] += r->counts[i];
        sum->worlds_with[i] += r->counts[i] > 0;
    }
}

static void run_seed(uint64_t seed, many_sum *sum)
{
    chaos_report report;
    seed_now = seed;
    chaos_run(&(chaos_options){.seed = seed}, &report);
    add(sum, seed, &report);
    if (report.failure.is_told)
        tell_failure(seed, report.failure.why);
}

void many_range(uint64_t first, uint64_t count, many_sum *ret_sum)
{
    *ret_sum = (many_sum){0};
    catch_signals();
    for (uint64_t seed = first; seed < first + count && ret_sum->failed < FAILURES_MAX; seed++)
        run_seed(seed, ret_sum);
}

void many_print(const many_sum *sum)
{
    printf("  %llu worlds, in %llu of them enough happened; %llu broke a promise\n", (unsigned long long) sum->worlds,
           (unsigned long long) sum->counting, (unsigned long long) sum->failed);
    for (int i = 0; i < CHAOS_COUNT; i++)
        printf("  %-16s %10llu in %7llu worlds\n", chaos_count_name((chaos_count) i),
               (unsigned long long) sum->counts[i], (unsigned long long) sum->worlds_with[i]);
}

static void join(many_sum *into, const many_sum *from)
{
    into->worlds += from->worlds;
    into->counting += from->counting;
    into->failed += from->failed;
    for (int i = 0; i < CHAOS_COUNT; i++) {
        into->counts[i] += from->counts[i];
        into->worlds_with[i] += from->worlds_with[i];
    }
}

static void work(const many_options *o, int nth, many_sum *sum)
{
    catch_signals();
    for (uint64_t i = (uint64_t) nth; (o->count == 0 || i < o->count) && !interrupted && sum->failed < FAILURES_MAX;
         i += (uint64_t) o->jobs)
        run_seed(o->first + i, sum);
}

int many_run(const many_options *options)
{
    many_options o = *options;
    o.jobs = o.jobs < 1 ? 1 : o.jobs > 64 ? 64 : o.jobs;
    size_t bytes = (size_t) o.jobs * sizeof(many_sum);
    many_sum *sums = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sums == MAP_FAILED)
        return 2;
    struct sigaction interrupt = {.sa_handler = on_interrupt}; /* no SA_RESTART: the wait below is to end */
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &interrupt, NULL);
    many_sum all = {0};
    int died = 0;
    pid_t children[64] = {0};
    fflush(NULL);
    for (int i = 0; i < o.jobs; i++) {
        pid_t child = fork();
        if (child == 0) {
            work(&o, i, &sums[i]);
            _exit(0);
        }
        children[i] = child;
        died += child < 0;
    }
    for (int i = 0; i < o.jobs;) {
        int status = 0;
        if (wait(&status) < 0) {
            if (!interrupted)
                break;
            for (int k = 0; k < o.jobs; k++) /* they come to the end of their world */
                if (children[k] > 0)
                    kill(children[k], SIGTERM);
            interrupted = 0;
            continue;
        }
        died += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        i++;
    }
    for (int i = 0; i < o.jobs; i++)
        join(&all, &sums[i]);
    (void) munmap(sums, bytes);
    many_print(&all);
    return all.failed || died ? 1 : 0;
}

int many_one(uint64_t seed, bool shrinks)
{
    chaos_options o = {.seed = seed};
    chaos_report report;
    catch_signals();
    seed_now = seed;
    chaos_run(&o, &report);
    if (shrinks && report.failure.is_told) {
        for (int i = 1; i < 8 && !o.executions_max; i++) {
            chaos_options smaller = o;
            smaller.executions_max = i;
            chaos_run(&smaller, &report);
            if (report.failure.is_told)
                o = smaller;
        }
        for (unsigned i = 0; i < CHAOS_FAULT_COUNT; i++) {
            chaos_options smaller = o;
            smaller.without |= 1u << i;
            chaos_run(&smaller, &report);
            if (report.failure.is_told)
                o = smaller;
        }
        printf("left out: faults %#x, executions %d\n", o.without, o.executions_max);
    }
    o.trace = stdout;
    chaos_run(&o, &report);
    if (report.failure.is_told) {
        fflush(stdout);
        tell_failure(seed, report.failure.why);
        return 1;
    }
    printf("it kept its promises\n");
    return 0;
}
