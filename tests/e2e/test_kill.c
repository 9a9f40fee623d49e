/*
 * The real binary, killed with SIGKILL at 200 moments, against a real tool server with a ledger of what it really
 * did. Promises 1 to 4: no recorded step runs twice, no write runs twice at all, no execution is lost; a write in
 * flight is settled by its check or parks, reads and idempotent calls never park.
 *
 * Most of a run's time is spent in two writes, one with a check and one without, so most kills hit a write in
 * flight; how many did is counted from the journal that the dead process left, and at least half must.
 */
#include "engine/engine.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define KILLS 200
#define CATENA CATENA_BUILD_DIR "/catena"

static const char config_text[] = "store: sqlite:kill.db\n"
                                  "servers:\n"
                                  "  slow: {command: %s, args: [--ledger, %s/ledger, --delay-before, \"25\", --delay-after, \"25\"],\n"
                                  "         trusted: true, effects: {write_line: write}}\n"
                                  "  fast: {command: %s, args: [--ledger, %s/ledger], trusted: true,\n"
                                  "         effects: {read_line: read, idempotent_line: idempotent, check_line: read}}\n"
                                  "include: [chain.yaml]\n";

static const char chain_text[] =
    "id: kill-me\n"
    "steps:\n"
    "  - {stepName: look, instructionSet: look, outputVariables: {a: line}}\n"
    "  - {stepName: book, instructionSet: book, inputTemplate: '{a}', outputVariables: {b: line}}\n"
    "  - {stepName: keep, instructionSet: keep, inputTemplate: '{b}', outputVariables: {c: line}}\n"
    "  - {stepName: send, instructionSet: send, inputTemplate: '{c}', outputVariables: {d: line}}\n"
    "  - {stepName: last, instructionSet: look, inputTemplate: '{d}', outputVariables: {e: line}}\n"
    "outputs: [e]\n"
    "instructionSets:\n"
    "  look: {tool: fast/read_line, arguments: {line: 'look'}}\n"
    "  book: {tool: slow/write_line, arguments: {line: '{input}'}, check: {tool: fast/check_line, arguments: {tool: write_line, key: '{step.key}'}}}\n"
    "  keep: {tool: fast/idempotent_line, arguments: {line: '{input}'}}\n"
    "  send: {tool: slow/write_line, arguments: {line: '{input}'}}\n";

typedef struct world {
    char folder[256];
    char url[300];
    ctn_arena *arena;
} world;

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void world_make(world *w)
{
    snprintf(w->folder, sizeof w->folder, "%s/catena-kill-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->url, sizeof w->url, "sqlite:%s/kill.db", w->folder);
    char path[400], text[4096];
    const char *peer = CATENA_BUILD_DIR "/tests/peer_mcp";
    snprintf(path, sizeof path, "%s/catena.yaml", w->folder);
    snprintf(text, sizeof text, config_text, peer, w->folder, peer, w->folder);
    write_file(path, text);
    snprintf(path, sizeof path, "%s/chain.yaml", w->folder);
    write_file(path, chain_text);
    w->arena = ctn_arena_new(65536);
}

static void world_remove(world *w)
{
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", w->folder);
    assert_int_equal(system(command), 0);
    ctn_arena_free(w->arena);
}

/* Starts catena in the world's folder, its output into files there. */
static pid_t start(const world *w, const char *const *argv)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    int out = -1, err = -1;
    if (chdir(w->folder) == 0) {
        out = open("stdout", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        err = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    }
    if (out < 0 || err < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    execv(CATENA, (char *const *) argv);
    _exit(127);
}

static int wait_for_exit(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run(const world *w, const char *const *argv)
{
    return wait_for_exit(start(w, argv));
}

static void sleep_us(long us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static void show_file(const world *w, const char *name)
{
    char path[400], line[1000];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        fprintf(stderr, "  %s: %s", name, line);
    if (f)
        fclose(f);
}

/* ---- what the dead process left ---- */

static int keep_row(void *ctx, const ctn_execution_row *row)
{
    *(ctn_execution_row *) ctx = *row;
    return 1;
}

/* The newest execution, folded from its journal; NULL: none was accepted. */
static const ctn_execution *newest(world *w, ctn_execution_row *ret_row)
{
    ctn_store *store = NULL;
    ctn_err err = {0};
    ctn_execution *x = NULL;
    *ret_row = (ctn_execution_row){0};
    ctn_arena_reset(w->arena);
    if (ctn_store_open(w->url, CTN_STORE_READ, &store, &err))
        return NULL;
    ctn_execution_filter filter = {.limit = 1};
    assert_int_equal(ctn_store_execution_list(store, &filter, keep_row, ret_row, &err), CTN_OK);
    if (ret_row->exec_no) {
        ctn_execution_row row;
        assert_int_equal(ctn_store_execution_by_no(store, w->arena, ret_row->exec_no, &row, &err), CTN_OK);
        *ret_row = row;
        if (ctn_execution_load(store, w->arena, &row, &x, &err)) {
            fprintf(stderr, "%s\n", err.message);
            fail();
        }
    }
    ctn_store_close(store);
    return x;
}

static ctn_step_status status_of(const ctn_execution *x, const char *step)
{
    return ctn_execution_step(x, ctn_plan_step_index(ctn_execution_plan(x), ctn_str_from(step))).status;
}

static const char *const step_names[] = {"look", "book", "keep", "send", "last"};
static const char *const step_tools[] = {"read_line", "write_line", "idempotent_line", "write_line", "read_line"};
#define STEP_COUNT 5

/* How often the ledger has the step's tool under the step's key. */
static int deeds(const world *w, ctn_execution_id id, size_t step)
{
    char path[400], line[1000], wanted[200];
    snprintf(path, sizeof path, "%s/ledger", w->folder);
    snprintf(wanted, sizeof wanted, "%s %s/%s/do ", step_tools[step], ctn_id_to_text(id).text, step_names[step]);
    FILE *f = fopen(path, "r");
    int count = 0;
    while (f && fgets(line, sizeof line, f))
        count += strncmp(line, wanted, strlen(wanted)) == 0;
    if (f)
        fclose(f);
    return count;
}

typedef struct tally {
    int kills, in_write, in_checked_write, before_accepted, after_end, parked, parked_rightly;
} tally;

static void one_kill(unsigned n, tally *t)
{
    world w;
    world_make(&w);
    pid_t pid = start(&w, (const char *const[]){"catena", "run", "kill-me", "--quiet", NULL});
    sleep_us(5000 + (long) (n * 7919u % 200u) * 1000);
    kill(pid, SIGKILL);
    int exit_code = wait_for_exit(pid);
    t->kills++;

    ctn_execution_row row;
    const ctn_execution *x = newest(&w, &row);
    if (!x) { /* nobody was told that it is accepted: asked again, it runs */
        t->before_accepted++;
        exit_code = run(&w, (const char *const[]){"catena", "run", "kill-me", "--quiet", NULL});
        if (exit_code) {
            show_file(&w, "stderr");
            fail_msg("run after a kill before the start: exit %d", exit_code);
        }
        world_remove(&w);
        return;
    }
    ctn_execution_id id = row.id;
    char text[CTN_ID_TEXT_LEN + 1];
    snprintf(text, sizeof text, "%s", ctn_id_to_text(id).text);
    bool was_recorded[STEP_COUNT];
    int done_before[STEP_COUNT];
    for (size_t i = 0; i < STEP_COUNT; i++) {
        was_recorded[i] = status_of(x, step_names[i]) == CTN_STEP_COMPLETED;
        done_before[i] = deeds(&w, id, i);
    }
    bool book_in_flight = status_of(x, "book") == CTN_STEP_RUNNING;
    bool send_in_flight = status_of(x, "send") == CTN_STEP_RUNNING;
    t->in_write += book_in_flight || send_in_flight;
    t->in_checked_write += book_in_flight;
    t->after_end += ctn_status_is_final(row.status);

    if (!ctn_status_is_final(row.status)) {
        exit_code = run(&w, (const char *const[]){"catena", "resume", text, "--quiet", NULL});
        x = newest(&w, &row);
        bool has_parked = row.status == CTN_STATUS_INTERRUPTED;
        t->parked += has_parked;
        if (has_parked) {
            assert_int_equal(exit_code, 3);
            if (!send_in_flight || status_of(x, "send") != CTN_STEP_INTERRUPTED)
                fail_msg("kill %u: parked although no unchecked write was in flight", n);
            t->parked_rightly++;
            /* A person looks into the ledger and says what became of it. */
            exit_code = deeds(&w, id, 3)
                            ? run(&w, (const char *const[]){"catena", "resume", text, "--succeed", "{\"line\": \"sent\"}", "--quiet", NULL})
                            : run(&w, (const char *const[]){"catena", "resume", text, "--retry", "--quiet", NULL});
        } else if (send_in_flight) {
            fail_msg("kill %u: a write in flight without a check did not park", n);
        }
        if (exit_code) {
            show_file(&w, "stderr");
            fail_msg("kill %u: resume ends with %d", n, exit_code);
        }
        x = newest(&w, &row);
    }
    assert_int_equal(row.status, CTN_STATUS_COMPLETED); /* no execution is lost */
    for (size_t i = 0; i < STEP_COUNT; i++) {
        int done = deeds(&w, id, i);
        bool is_write = strcmp(step_tools[i], "write_line") == 0;
        if (was_recorded[i] && done != done_before[i])
            fail_msg("kill %u: step %s was recorded and ran again", n, step_names[i]);
        if (is_write && done != 1)
            fail_msg("kill %u: the write %s ran %d times", n, step_names[i], done);
        assert_true(done >= 1);
    }
    world_remove(&w);
}

static void nothing_is_lost_and_no_write_runs_twice_at_200_kills(void **state)
{
    (void) state;
    tally t = {0};
    for (unsigned n = 0; n < KILLS; n++)
        one_kill(n, &t);
    printf("  %d kills: %d in a write in flight (%d of them with a check), %d before it was accepted, %d after its end; "
           "%d parked\n",
           t.kills, t.in_write, t.in_checked_write, t.before_accepted, t.after_end, t.parked);
    assert_true(t.in_write >= 100);
    assert_int_equal(t.parked, t.in_write - t.in_checked_write); /* exactly the unchecked ones */
    assert_int_equal(t.parked, t.parked_rightly);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_and_no_write_runs_twice_at_200_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
