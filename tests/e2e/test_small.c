/*
 * A store stays small and an idle process quiet, with the real binary: retention beside work and through SIGKILL, prune
 * by hand, a hundred thousand parked executions that cost nothing, and a start that reads only what goes on.
 *
 * Under a sanitizer there are fewer executions, and memory is not judged: it is the sanitizer's.
 */
#include "copies.h"

#include "base/buf.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#define PARKED       10000
#define FINISHED     10000
#define ENDED        5000
#define ITEMS        5000
#else
#define IS_SANITIZED 0
#define PARKED       100000
#define FINISHED     60000
#define ENDED        9000
#define ITEMS        30000
#endif

#define DAY_MS INT64_C(86400000)

static const char ORPHANS[] =
    "SELECT (SELECT count(*) FROM execution_journal WHERE exec_no NOT IN (SELECT exec_no FROM chain_executions)"
    "  AND exec_no NOT IN (SELECT exec_no FROM pruning))"
    " + (SELECT count(*) FROM chain_executions e WHERE NOT EXISTS (SELECT 1 FROM execution_journal j"
    "  WHERE j.exec_no = e.exec_no))";

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void write_chains(world *w, const char *more)
{
    cli_world_write(
        w, "work.yaml",
        "id: work\ninputSchema: {type: object, properties: {name: {type: string}}}\noutputs: [b]\n"
        "instructionSets: {say: {native: noop, effect: idempotent, arguments: {text: 'Hello {name}, how are "
        "you on this day?'}}}\n"
        "steps:\n"
        "  - {stepName: one, instructionSet: say, outputVariables: {a: text}}\n"
        "  - {stepName: two, instructionSet: say, outputVariables: {b: text}, dependsOn: [one]}\n");
    cli_world_write(w, "ask.yaml",
                    "id: ask\ninstructionSets: {ask: {approval: {message: 'Well?'}}}\n"
                    "steps: [{stepName: ask, instructionSet: ask, outputVariables: [approved]}]\n");
    cli_world_write(w, "nap.yaml",
                    "id: nap\ninstructionSets: {nap: {wait: {ms: 8640000000}}}\n"
                    "steps: [{stepName: nap, instructionSet: nap, outputVariables: []}]\n");
    cli_world_write(w, "catena.yaml", "store: sqlite:c.db\ninclude: [work.yaml, ask.yaml, nap.yaml]\n%s", more);
}

static void run_work(world *w, char *id)
{
    assert_exit(w, catena(w, "run", "work", "-i", "name=Ann", "-q", "--json", NULL), 0);
    json_text(w->said.out, "executionId", id);
}

static void await_number(world *w, const char *sql, int64_t wanted, int64_t limit_ms)
{
    int64_t number, end_ms = now_ms() + limit_ms;
    while ((number = store_ask(w, "c.db", sql)) != wanted) {
        if (now_ms() > end_ms)
            fail_msg("%s: %lld instead of %lld after %lld ms", sql, (long long) number, (long long) wanted,
                     (long long) limit_ms);
        nap_ms(50);
    }
}

/* ---- retention ---- */

/* Nine of ten ended long ago. They go while new ones are started and run; none of those is lost or held up. */
static void the_file_shrinks_while_work_goes_on(void **state)
{
    world *w = *state;
    char id[64];
    write_chains(w, "");
    run_work(w, id);
    copies_make(w, "c.db", &(copies){.id = id, .count = ENDED, .older_ms = 31 * DAY_MS});
    copies_make(w, "c.db", &(copies){.id = id, .count = ENDED / 9, .older_ms = 29 * DAY_MS});
    int64_t before = store_bytes(w, "c.db"), slowest_ms = 0;
    running r = running_serve(w, "c.db");
    int started = 0;
    for (int64_t end_ms = now_ms() + 6000; started < 40 || now_ms() < end_ms;) {
        int64_t begin_ms = now_ms();
        assert_exit(w, catena(w, "run", "work", "-i", "name=Bob", "-q", NULL), 0);
        started++;
        int64_t took_ms = now_ms() - begin_ms;
        slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
        if (started >= 40 && store_ask(w, "c.db", "SELECT count(*) FROM chain_executions") < ENDED / 2)
            break;
    }
    await_number(w, "SELECT count(*) FROM chain_executions WHERE finished_at_ms < 1000 * (unixepoch() - 30 * 86400)", 0,
                 60000);
    assert_int_equal(store_ask(w, "c.db", "SELECT count(*) FROM chain_executions"), 1 + ENDED / 9 + started);
    assert_int_equal(store_ask(w, "c.db", "SELECT count(*) FROM chain_executions WHERE status <> 'completed'"), 0);
    int64_t after = before;
    for (int64_t end_ms = now_ms() + 40000; after * 5 > before && now_ms() < end_ms; nap_ms(100))
        after = store_bytes(w, "c.db");
    running_stop(w, &r);
    print_message("%d executions run beside it, the slowest command in %lld ms; %lld to %lld KiB (-%.1f %%)\n", started,
                  (long long) slowest_ms, (long long) before / 1024, (long long) after / 1024,
                  100.0 - 100.0 * (double) after / (double) before);
    assert_true(after * 5 <= before);
    assert_int_equal(store_ask(w, "c.db", ORPHANS), 0);
    assert_exit(w, catena(w, "store", "verify", "--quick", NULL), 0);
}

/* serve is killed again and again while it removes: what is there is whole, and the next one goes on. */
static void killed_while_it_removes_serve_leaves_whole_executions(void **state)
{
    world *w = *state;
    char id[64];
    write_chains(w, "");
    run_work(w, id);
    copies_make(w, "c.db", &(copies){.id = id, .count = ENDED, .older_ms = 31 * DAY_MS});
    int64_t left = ENDED + 1;
    int in_the_middle = 0;
    for (int round = 0; round < 6 && left > 1; round++) {
        running r = running_serve(w, "c.db");
        for (int64_t end_ms = now_ms() + 10000, now = left; now == left && left > 1; nap_ms(2)) {
            now = store_ask(w, "c.db", "SELECT count(*) FROM chain_executions");
            assert_true(now_ms() < end_ms);
        }
        nap_ms(10 * round);
        kill(r.pid, SIGKILL);
        (void) running_wait(w, &r);
        assert_int_equal(store_ask(w, "c.db", ORPHANS), 0);
        int64_t now = store_ask(w, "c.db", "SELECT count(*) FROM chain_executions");
        assert_true(now < left);
        left = now;
        in_the_middle += left > 1;
    }
    print_message("killed %d times in the middle\n", in_the_middle);
    assert_true(in_the_middle >= 2);
    running r = running_serve(w, "c.db");
    await_number(w, "SELECT count(*) FROM chain_executions", 1, 60000);
    running_stop(w, &r);
    assert_int_equal(store_ask(w, "c.db", ORPHANS), 0);
}

static void short_spans_are_kept_to_and_forever_keeps(void **state)
{
    world *w = *state;
    char id[64];
    write_chains(w, "retention: {completed: 2s, failed: forever}\n");
    cli_world_write(w, "bad.yaml",
                    "id: bad\ninstructionSets: {bad: {transform: 'error(\"no\")'}}\n"
                    "steps: [{stepName: bad, instructionSet: bad, outputVariables: []}]\n");
    assert_exit(w, catena(w, "run", "bad.yaml", "-q", NULL), 1);
    run_work(w, id);
    running r = running_serve(w, "c.db");
    await_number(w, "SELECT count(*) FROM chain_executions", 1, 40000);
    assert_exit(w, catena(w, "run", "work", "-i", "name=Bob", "-q", NULL), 0); /* one that ends while it serves */
    assert_int_equal(store_ask(w, "c.db", "SELECT count(*) FROM chain_executions"), 2);
    await_number(w, "SELECT count(*) FROM chain_executions", 1, 40000);
    running_stop(w, &r);
    assert_exit(w, catena(w, "show", id, NULL), 2);
    assert_err(w, "no execution has an id that starts with");
}

static void prune_removes_what_it_is_told_to_beside_a_server(void **state)
{
    world *w = *state;
    char id[64];
    write_chains(w, "");
    run_work(w, id);
    copies_make(w, "c.db", &(copies){.id = id, .count = 200, .older_ms = 20 * DAY_MS});
    assert_exit(w, catena(w, "run", "ask", "-q", NULL), 3);
    assert_exit(w, catena(w, "store", "prune", "--status", "waiting", NULL), 2);
    assert_err(w, "an execution that is waiting has not ended");
    assert_exit(w, catena(w, "store", "prune", "--status", "complete", NULL), 2);
    assert_err(w, "did you mean 'completed'");
    assert_exit(w, catena(w, "store", "prune", "--older-than", "soon", NULL), 2);
    assert_err(w, "\"soon\" is no span of time");
    assert_exit(w, catena(w, "store", "prune", "--json", "-q", NULL), 0);
    assert_out(w, "{\"executions\":0,"); /* all are younger than 30 days */
    assert_exit(w, catena(w, "store", "prune", "--older-than", "10d", "--dry-run", "--json", "-q", NULL), 0);
    assert_out(w, "{\"executions\":200,");
    assert_int_equal(store_ask(w, "c.db", "SELECT count(*) FROM chain_executions"), 202);
    running r = running_serve(w, "c.db");
    nap_ms(500);
    assert_exit(w, catena(w, "store", "prune", "--older-than", "10d", "--status", "failed", "--json", "-q", NULL), 0);
    assert_out(w, "{\"executions\":0,");
    assert_exit(w, catena(w, "store", "prune", "--older-than", "10d", "--status", "completed", "--json", NULL), 0);
    assert_out(w, "{\"executions\":200,");
    assert_err(w, "200 executions with ");
    assert_int_equal(store_ask(w, "c.db", "SELECT count(*) FROM chain_executions"), 2);
    assert_exit(w, catena(w, "run", "work", "-i", "name=Bob", "-q", NULL),
                0); /* the server's memory of numbers is right */
    running_stop(w, &r);
    assert_exit(w, catena(w, "store", "audit", NULL), 0);
    assert_out(w, "store.prune ");
    assert_out(w, "store.pruned ");
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
}

/* ---- idle ---- */

/* Of all threads: how often they slept and were woken, and how often they asked the system to read or write. */
typedef struct doings {
    long switches, calls;
} doings;

static long number_in(const char *path, const char *name)
{
    char line[256];
    long number = -1;
    FILE *file = fopen(path, "re");
    while (file && number < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            number = strtol(line + strlen(name), NULL, 10);
    if (file)
        (void) fclose(file);
    if (number < 0)
        fail_msg("%s says nothing of %s", path, name);
    return number;
}

static doings doings_of(pid_t pid)
{
    char path[300];
    doings all = {0};
    snprintf(path, sizeof path, "/proc/%d/io", (int) pid);
    all.calls = number_in(path, "syscr:") + number_in(path, "syscw:");
    snprintf(path, sizeof path, "/proc/%d/task", (int) pid);
    DIR *tasks = opendir(path);
    assert_non_null(tasks);
    for (struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int) pid, task->d_name);
        all.switches += number_in(path, "voluntary_ctxt_switches:");
    }
    closedir(tasks);
    return all;
}

/* Until nothing more happens for a second. */
static void await_quiet(pid_t pid)
{
    doings before = doings_of(pid);
    for (int64_t end_ms = now_ms() + 20000;;) {
        nap_ms(1000);
        doings now = doings_of(pid);
        if (now.switches == before.switches && now.calls == before.calls)
            return;
        before = now;
        if (now_ms() > end_ms)
            fail_msg("it is never quiet");
    }
}

/* A hundred thousand that wait, for people and for the clock, and some that ended: nothing is asked, nobody wakes up,
 * and they take no memory. */
static void a_hundred_thousand_parked_executions_cost_nothing(void **state)
{
    world *w = *state;
    char id[64];
    write_chains(w, "");
    assert_exit(w, catena(w, "run", "ask", "-q", NULL), 3);
    newest_id(w, id);
    copies_make(w, "c.db", &(copies){.id = id, .count = PARKED / 2});
    assert_exit(w, catena(w, "start", "nap", "-q", NULL), 0);
    running r = running_serve(w, "c.db");
    await_number(w, "SELECT count(*) FROM chain_executions WHERE chain_id = 'nap' AND status = 'waiting'", 1, 10000);
    running_stop(w, &r);
    newest_id(w, id);
    copies_make(w, "c.db", &(copies){.id = id, .count = PARKED / 2});
    run_work(w, id);
    assert_int_equal(store_ask(w, "c.db", "SELECT count(*) FROM chain_executions WHERE status = 'waiting'"),
                     PARKED + 2);
    int64_t begin_ms = now_ms();
    r = running_serve(w, "c.db");
    assert_exit(w, catena(w, "run", "work", "-i", "name=Bob", "-q", NULL), 0);
    int64_t first_ms = now_ms() - begin_ms;
    await_quiet(r.pid);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int) r.pid);
    long anonymous_kib = number_in(path, "Anonymous:");
    doings before = doings_of(r.pid);
    nap_ms(3000);
    doings after = doings_of(r.pid);
    running_stop(w, &r);
    print_message(
        "%d parked: a chain ended %lld ms after the start; idle with %ld KiB of anonymous memory, %ld wake-ups "
        "and %ld reads and writes in 3 s\n",
        PARKED + 2, (long long) first_ms, anonymous_kib, after.switches - before.switches, after.calls - before.calls);
    assert_int_equal(after.switches - before.switches, 0);
    assert_int_equal(after.calls - before.calls, 0);
    assert_true(IS_SANITIZED || anonymous_kib < 8 * 1024);
}

/* ---- start ---- */

/* What ended and what waits is not read at the start: one whose time has come goes on at once. */
static void a_start_reads_only_what_goes_on(void **state)
{
    world *w = *state;
    char id[64], sql[200];
    write_chains(w, "");
    run_work(w, id);
    copies_make(w, "c.db", &(copies){.id = id, .count = FINISHED, .older_ms = DAY_MS});
    assert_exit(w, catena(w, "run", "ask", "-q", NULL), 3);
    newest_id(w, id);
    copies_make(w, "c.db", &(copies){.id = id, .count = PARKED / 10});
    cli_world_write(w, "short.yaml",
                    "id: short\noutputs: [b]\ninstructionSets:\n  rest: {wait: {ms: 1500}}\n"
                    "  cry: {native: noop, effect: idempotent, arguments: {text: 'Hello'}}\n"
                    "steps:\n"
                    "  - {stepName: rest, instructionSet: rest, outputVariables: []}\n"
                    "  - {stepName: two, instructionSet: cry, outputVariables: {b: text}, dependsOn: [rest]}\n");
    running r = catena_start(w, "run", "short.yaml", "-q", NULL);
    await_number(w, "SELECT count(*) FROM chain_executions WHERE chain_id = 'short' AND status = 'waiting'", 1, 10000);
    kill(r.pid, SIGKILL);
    (void) running_wait(w, &r);
    nap_ms(1600); /* its time comes while nobody looks */
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM chain_executions WHERE chain_id = 'short' AND status = 'completed'");
    int64_t begin_ms = now_ms();
    r = catena_start(w, "serve", NULL);
    await_number(w, sql, 1, 10000);
    int64_t took_ms = now_ms() - begin_ms;
    running_stop(w, &r);
    print_message("%d finished and %d parked: the due one ended %lld ms after the start\n", FINISHED, PARKED / 10,
                  (long long) took_ms);
    assert_true(took_ms < (IS_SANITIZED ? 5000 : 1000));
}

/* ---- one execution of very many steps ---- */

static long anonymous_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int) pid);
    return number_in(path, "Anonymous:");
}

/* User and system, in hundredths of a second. */
static long ticks_of(pid_t pid)
{
    char path[64], text[1024] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void) fclose(file);
    text[len] = '\0';
    const char *at = strrchr(text, ')');
    long user = 0, system = 0;
    assert_non_null(at);
    assert_int_equal(sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system), 2);
    return user + system;
}

static int64_t items_done(world *w)
{
    return store_ask(w, "c.db",
                     "SELECT coalesce((SELECT max(seq) FROM execution_journal WHERE exec_no ="
                     " (SELECT max(exec_no) FROM chain_executions)), 0)");
}

/* Memory and CPU of an item do not grow with the items before it; nor does taking it up again after a SIGKILL cost
 * memory. CATENA_ITEMS=1000000 is the whole of it. */
static void an_execution_of_very_many_steps_stays_flat(void **state)
{
    world *w = *state;
    const char *wanted = getenv("CATENA_ITEMS");
    int64_t items = wanted ? strtoll(wanted, NULL, 10) : ITEMS;
    write_chains(w, "limits: {steps: 10000000}\n");
    cli_world_write(w, "many.yaml",
                    "id: many\noutputs: []\n"
                    "instructionSets: {work: {native: noop, effect: idempotent, arguments: {n: '{item}'}}}\n"
                    "steps:\n"
                    "  - {stepName: each, instructionSet: work, outputVariables: [],\n"
                    "     foreach: {items: {range: [0, %lld]}, maxConcurrency: 128}}\n",
                    (long long) items);
    assert_exit(w, catena(w, "store", "init", NULL), 0);
    running r = catena_start(w, "run", "many.yaml", "-q", NULL);
    long first_kib = 0, last_kib = 0, half_ticks = 0, all_ticks = 0;
    int64_t done = 0, at_half = 0;
    while (done < items * 9 / 10) {
        nap_ms(5);
        done = items_done(w);
        all_ticks = ticks_of(r.pid);
        if (done >= items * 9 / 20 && !at_half) {
            at_half = done;
            half_ticks = all_ticks;
        }
        if (done > items / 20 && !first_kib)
            first_kib = anonymous_of(r.pid);
        if (done > items / 2)
            last_kib = anonymous_of(r.pid);
    }
    kill(r.pid, SIGKILL);
    (void) running_wait(w, &r);
    double first_us = 1e4 * (double) half_ticks / (double) at_half,
           last_us = 1e4 * (double) (all_ticks - half_ticks) / (double) (done - at_half);
    char id[64];
    newest_id(w, id);
    int64_t begin_ms = now_ms();
    r = catena_start(w, "resume", id, "-q", NULL);
    long resumed_kib = 0;
    int64_t at_kill = items_done(w);
    int64_t resumed_ms = 0;
    while (store_ask(w, "c.db", "SELECT count(*) FROM chain_executions WHERE status = 'completed'") == 0) {
        nap_ms(5);
        if (!resumed_ms && items_done(w) > at_kill)
            resumed_ms = now_ms() - begin_ms;
        if (resumed_ms && !resumed_kib)
            resumed_kib = anonymous_of(r.pid);
    }
    assert_int_equal(running_wait(w, &r), 0);
    print_message(
        "%lld items: %ld KiB of anonymous memory after the first ones, %ld KiB at the end; %.1f us of CPU an item "
        "in the first half, %.1f in the second; killed at %lld, it goes on after %lld ms, with %ld KiB\n",
        (long long) items, first_kib, last_kib, first_us, last_us, (long long) at_kill, (long long) resumed_ms,
        resumed_kib);
    assert_int_equal(
        store_ask(w, "c.db",
                  "SELECT count(DISTINCT item) FROM execution_journal WHERE kind = 'attempt_succeeded' AND "
                  "item IS NOT NULL"),
        items);
    /* What may come is the writer's page cache, of 4 MiB. */
    assert_true(IS_SANITIZED || last_kib < first_kib + 5 * 1024);
    assert_true(IS_SANITIZED || resumed_kib < first_kib + 5 * 1024);
    assert_true(last_us < 2 * first_us + 5);
    assert_exit(w, catena(w, "show", id, NULL), 0);
    assert_exit(w, catena(w, "list", NULL), 0);
}

/* ---- very many sub-chains at once ---- */

static double children_cpu_s(void)
{
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
    return (double) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double) (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

/* A parent with 3,000 sub-chains that all wait: each that starts or parks must not cost a look at all the others. (It
 * was 15 s of CPU; it is 0.2.) */
static void a_sub_chain_costs_the_same_among_thousands(void **state)
{
    world *w = *state;
    write_chains(w, "limits: {steps: 100000, children: 3000}\n");
    cli_world_write(w, "many.yaml",
                    "id: many\noutputs: []\ninstructionSets: {other: {chain: ask}}\n"
                    "steps:\n"
                    "  - {stepName: each, instructionSet: other, outputVariables: [],\n"
                    "     foreach: {items: {range: [0, 3000]}, maxConcurrency: 3000}}\n");
    double before_s = children_cpu_s();
    assert_exit(w, catena(w, "run", "many.yaml", "-q", NULL), 3);
    double took_s = children_cpu_s() - before_s;
    print_message("3000 sub-chains parked for %.2f s of CPU\n", took_s);
    assert_int_equal(store_ask(w, "c.db", "SELECT count(*) FROM chain_executions WHERE status = 'waiting'"), 3001);
    assert_true(took_s < (IS_SANITIZED ? 10 : 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(the_file_shrinks_while_work_goes_on),
        CLI_TEST(killed_while_it_removes_serve_leaves_whole_executions),
        CLI_TEST(short_spans_are_kept_to_and_forever_keeps),
        CLI_TEST(prune_removes_what_it_is_told_to_beside_a_server),
        CLI_TEST(a_hundred_thousand_parked_executions_cost_nothing),
        CLI_TEST(a_start_reads_only_what_goes_on),
        CLI_TEST(an_execution_of_very_many_steps_stays_flat),
        CLI_TEST(a_sub_chain_costs_the_same_among_thousands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
