/*
 * The real binary, killed with SIGKILL at 200 moments, against a real tool server with a ledger of what it really
 * did. Promises 1 to 4: no recorded step runs twice, no write runs twice at all, no execution is lost; a write in
 * flight is settled by its check or parks, reads and idempotent calls never park.
 *
 * Most kills are aimed at two writes, one with a check and one without; how many really hit a write in flight is
 * counted from the journal that the dead process left, and at least half must.
 */
#include "left.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KILLS 60 /* each takes three times as long */
#else
#define KILLS 200
#endif

static const char config_text[] =
    "store: sqlite:kill.db\n"
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
    "  book: {tool: slow/write_line, arguments: {line: '{input}'}, check: {tool: fast/check_line, arguments: {tool: "
    "write_line, key: '{step.key}'}}}\n"
    "  keep: {tool: fast/idempotent_line, arguments: {line: '{input}'}}\n"
    "  send: {tool: slow/write_line, arguments: {line: '{input}'}}\n";

static world *make(void)
{
    const char *peer = peer_program();
    void *state = NULL;
    assert_int_equal(cli_world_setup(&state), 0);
    world *w = state;
    cli_world_write(w, "catena.yaml", config_text, peer, w->folder, peer, w->folder);
    cli_world_write(w, "chain.yaml", "%s", chain_text);
    return w;
}

static void sleep_us(long us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    (void) nanosleep(&t, NULL);
}

static ctn_step_status status_of(const ctn_execution *x, const char *step)
{
    return ctn_execution_step(x, ctn_plan_step_index(ctn_execution_plan(x), ctn_str_from(step))).status;
}

static const char *const step_names[] = {"look", "book", "keep", "send", "last"};
static const char *const step_tools[] = {"read_line", "write_line", "idempotent_line", "write_line", "read_line"};
#define STEP_COUNT 5

/* How often the ledger has the step's tool under the step's key. */
static int deeds(world *w, ctn_execution_id id, size_t step)
{
    char wanted[200];
    int len =
        snprintf(wanted, sizeof wanted, "%s %s/%s/do ", step_tools[step], ctn_id_to_text(id).text, step_names[step]);
    char text[16384];
    cli_world_read(w, "ledger", text, sizeof text);
    ctn_str ledger = ctn_str_from(text);
    int count = 0;
    while (ledger.ptr)
        count += ctn_str_starts_with(ctn_str_cut(&ledger, '\n'), (ctn_str){wanted, (size_t) len});
    return count;
}

typedef struct tally {
    int kills, in_write, in_checked_write, before_accepted, after_end, parked, parked_rightly;
} tally;

/* Until the tool has done its work, or the process has had ten seconds. */
static void wait_for_deed(world *w, const char *tool)
{
    for (int tries = 0; tries < 10000; tries++) {
        char text[16384];
        cli_world_read(w, "ledger", text, sizeof text);
        if (strstr(text, tool))
            return;
        sleep_us(1000);
    }
}

/* Two in five in or about the first write, two in the second, one anywhere, the start of the process included. The
 * moments within are spread evenly and are the same in every run. */
static void wait_for_moment(world *w, unsigned n)
{
    long spread = (long) (n * 7919u % 61u);
    if (n % 5 < 2)
        wait_for_deed(w, "read_line");
    else if (n % 5 < 4)
        wait_for_deed(w, "idempotent_line");
    else
        spread *= 5;
    sleep_us(spread * 1000);
}

static void one_kill(unsigned n, tally *t)
{
    world *w = make();
    void *owned = w;
    running r = catena_start(w, "run", "kill-me", "--quiet", NULL);
    wait_for_moment(w, n);
    kill(r.pid, SIGKILL);
    (void) running_wait(w, &r);
    t->kills++;

    ctn_arena *arena = ctn_arena_new(65536);
    ctn_execution_row row;
    const ctn_execution *x = left_newest(w, "kill.db", arena, &row);
    if (!x) { /* nobody was told that it is accepted: asked again, it runs */
        t->before_accepted++;
        assert_exit(w, catena(w, "run", "kill-me", "--quiet", NULL), 0);
        ctn_arena_free(arena);
        cli_world_teardown(&owned);
        return;
    }
    ctn_execution_id id = row.id;
    char text[CTN_ID_TEXT_LEN + 1];
    snprintf(text, sizeof text, "%s", ctn_id_to_text(id).text);
    bool was_recorded[STEP_COUNT];
    int done_before[STEP_COUNT];
    for (size_t i = 0; i < STEP_COUNT; i++) {
        was_recorded[i] = status_of(x, step_names[i]) == CTN_STEP_COMPLETED;
        done_before[i] = deeds(w, id, i);
    }
    bool book_in_flight = status_of(x, "book") == CTN_STEP_RUNNING;
    bool send_in_flight = status_of(x, "send") == CTN_STEP_RUNNING;
    t->in_write += book_in_flight || send_in_flight;
    t->in_checked_write += book_in_flight;
    t->after_end += ctn_status_is_final(row.status);

    if (!ctn_status_is_final(row.status)) {
        int exit_code = catena(w, "resume", text, "--quiet", NULL);
        x = left_newest(w, "kill.db", arena, &row);
        bool has_parked = row.status == CTN_STATUS_INTERRUPTED;
        t->parked += has_parked;
        if (has_parked) {
            assert_int_equal(exit_code, 3);
            if (!send_in_flight || status_of(x, "send") != CTN_STEP_INTERRUPTED)
                fail_msg("kill %u: parked although no unchecked write was in flight", n);
            t->parked_rightly++;
            /* A person looks into the ledger and says what became of it. */
            exit_code = deeds(w, id, 3)
                            ? catena(w, "resume", text, "--succeed", "{\"line\": \"sent\"}", "--quiet", NULL)
                            : catena(w, "resume", text, "--retry", "--quiet", NULL);
        } else if (send_in_flight) {
            fail_msg("kill %u: a write in flight without a check did not park", n);
        }
        assert_exit(w, exit_code, 0);
        x = left_newest(w, "kill.db", arena, &row);
    }
    assert_int_equal(row.status, CTN_STATUS_COMPLETED); /* no execution is lost */
    for (size_t i = 0; i < STEP_COUNT; i++) {
        int done = deeds(w, id, i);
        bool is_write = strcmp(step_tools[i], "write_line") == 0;
        if (was_recorded[i] && done != done_before[i])
            fail_msg("kill %u: step %s was recorded and ran again", n, step_names[i]);
        if (is_write && done != 1)
            fail_msg("kill %u: the write %s ran %d times", n, step_names[i], done);
        assert_true(done >= 1);
    }
    ctn_arena_free(arena);
    cli_world_teardown(&owned);
}

/* Most of a kill's time is waiting, so four workers share them; a worker whose check fails reports it and ends with
 * another code than 0. */
#define WORKERS 4

static void nothing_is_lost_and_no_write_runs_twice_at_200_kills(void **state)
{
    (void) state;
    tally *tallies = mmap(NULL, WORKERS * sizeof *tallies, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(tallies != MAP_FAILED);
    pid_t workers[WORKERS];
    fflush(NULL);
    for (unsigned k = 0; k < WORKERS; k++) {
        workers[k] = fork();
        assert_true(workers[k] >= 0);
        if (workers[k] > 0)
            continue;
        for (unsigned n = k; n < KILLS; n += WORKERS)
            one_kill(n, &tallies[k]);
        _exit(0);
    }
    tally t = {0};
    for (unsigned k = 0; k < WORKERS; k++) {
        int code = 0;
        assert_int_equal(waitpid(workers[k], &code, 0), workers[k]);
        t.kills += tallies[k].kills;
        t.in_write += tallies[k].in_write;
        t.in_checked_write += tallies[k].in_checked_write;
        t.before_accepted += tallies[k].before_accepted;
        t.after_end += tallies[k].after_end;
        t.parked += tallies[k].parked;
        t.parked_rightly += tallies[k].parked_rightly;
        if (code != 0)
            fail_msg("worker %u ended with %d", k, code);
    }
    munmap(tallies, WORKERS * sizeof *tallies);
    printf(
        "  %d kills: %d in a write in flight (%d of them with a check), %d before it was accepted, %d after its end; "
        "%d parked\n",
        t.kills, t.in_write, t.in_checked_write, t.before_accepted, t.after_end, t.parked);
    assert_int_equal(t.kills, KILLS);
    assert_true(2 * t.in_write >= KILLS);
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
