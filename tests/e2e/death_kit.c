/*
 * death_kit.c -- how a trial goes: processes run a chain and die, one after the other, until one comes to the end; or
 * one that serves many dies while clients ask. What is then seen is death_look.c's, what is said of it death_judge.c's.
 */
#include "death_trial.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- running ---- */

static void write_config(trial *t, int process)
{
    if (t->plan->is_travel) {
        cli_world_travel(t->w, DEATH_STORE);
        return;
    }
    const char *peer = peer_program();
    const char *more = t->plan->peer_args ? t->plan->peer_args : "";
    const char *effects = "{write_line: write, read_line: read, idempotent_line: idempotent, check_line: read, fail: "
                          "idempotent}";
    cli_world_write(t->w, "catena.yaml",
                    "store: sqlite:%s\n"
                    "servers:\n"
                    "  one: {command: %s, args: [%s--ledger, ledger, --mark, \"%d\"], effects: %s}\n"
                    "  two: {command: %s, args: [%s--ledger, ledger, --mark, \"%d\"], effects: %s}\n"
                    "include: [%s]\n",
                    DEATH_STORE, peer, more, process, effects, peer, more, process, effects,
                    t->plan->serves ? "\"chains/*.yaml\"" : "chain.yaml, child.yaml, sets.yaml");
}

static void clear_env(world *w)
{
    while (w->env_count)
        free(w->env[--w->env_count]);
}

static void set_death(trial *t, unsigned at)
{
    char text[400];
    snprintf(text, sizeof text, "CATENA_DEATH_AT=%u", at);
    cli_world_env(t->w, text);
    snprintf(text, sizeof text, "CATENA_DEATH_LOG=%s/%s", t->w->folder, at ? "died" : "points");
    cli_world_env(t->w, text);
    snprintf(text, sizeof text, "CATENA_DEATH_VICTIM=%s", t->plan->victim ? t->plan->victim : "main");
    cli_world_env(t->w, text);
    snprintf(text, sizeof text, "CATENA_DEATH_COUNTS=%s", t->plan->counts ? t->plan->counts : "main");
    cli_world_env(t->w, text);
}

static const char mortal_program[] = CATENA_BUILD_DIR "/tests/catena_mortal";
static const char planted_program[] = CATENA_BUILD_DIR "/tests/catena_mortal_planted";

/* Configuration, environment and program of the next process. */
static void prepare_process(trial *t, unsigned at)
{
    write_config(t, t->process);
    clear_env(t->w);
    if (at)
        set_death(t, at);
    t->w->program = at ? mortal_program : NULL;
    if (t->logs_points && t->process == 1) {
        set_death(t, 0);
        t->w->program = mortal_program;
    } else if (t->plan->plant) {
        char plant[100];
        snprintf(plant, sizeof plant, "CATENA_PLANT=%s", t->plan->plant);
        cli_world_env(t->w, plant);
        t->w->program = planted_program;
    }
}

static void note_death(trial *t)
{
    char died_at[200];
    cli_world_read(t->w, "died", died_at, sizeof died_at);
    for (char *end = died_at; (end = strchr(end, '\n'));)
        *end = ';';
    if (strcmp(died_at, t->died_at) != 0)
        t->tally->deaths++;
    snprintf(t->died_at, sizeof t->died_at, "%s", died_at);
}

/* The next process; its exit code. `at`: where it dies, or 0. */
static int run(trial *t, unsigned at, const char *const *args)
{
    const char *a[12] = {NULL};
    for (size_t i = 0; args[i]; i++)
        a[i] = args[i];
    if (++t->process >= DEATH_PROCESS_MAX)
        trial_wrong(t, "it does not end");
    prepare_process(t, at);
    running r = catena_start(t->w, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], NULL);
    int code = running_wait(t->w, &r);
    t->died[t->process] = code == -SIGKILL;
    if (at && t->plan->waits)
        trial_await_all_gone(t);
    if (at)
        note_death(t);
    t->after[t->process] = trial_look(t);
    return code;
}

/* A store without anything in it, made once. */
static void put_new_store(trial *t)
{
    static char *bytes;
    static size_t len;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", t->w->folder, DEATH_STORE);
    if (!bytes) {
        assert_exit(t->w, catena(t->w, "store", "init", "--quiet", NULL), 0);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        bytes = malloc(1 << 20);
        len = fread(bytes, 1, 1 << 20, file);
        fclose(file);
        return;
    }
    FILE *file = fopen(path, "we");
    assert_true(file && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

/* Looks into the ledger, when nobody can write into it any more, and says what became of the call. */
static int settle(trial *t, const seen_execution *x, const seen_entry *e)
{
    char step[200], result[400] = "{}";
    trial_await_all_gone(t);
    trial_read_ledger(t);
    if (e->record.item >= 0)
        snprintf(step, sizeof step, "%.*s[%lld]", CTN_STR_ARG(e->record.step), (long long) e->record.item);
    else
        snprintf(step, sizeof step, "%.*s", CTN_STR_ARG(e->record.step));
    for (size_t i = 0; i < x->count; i++) {
        const ctn_json *args = ctn_json_member_of(x->entries[i].body, "args");
        if (args && ctn_str_equal(x->entries[i].key, e->key))
            snprintf(result, sizeof result, "{\"line\": \"%.*s\"}",
                     CTN_STR_ARG(ctn_json_str_or(args, "line", CTN_STR(""))));
    }
    bool happened = trial_deeds_of(t, e->key, 1, DEATH_PROCESS_MAX) > 0;
    const char *const succeed[] = {"resume", x->id.text, "--step", step, "--succeed", result, "--quiet", NULL};
    const char *const retry[] = {"resume", x->id.text, "--step", step, "--retry", "--quiet", NULL};
    return run(t, 0, happened ? succeed : retry);
}

/* Until everything has ended, or nothing goes on. */
static void go_on(trial *t)
{
    for (bool second = true;
         seen_root(&t->after[t->process]) && !ctn_status_is_final(seen_root(&t->after[t->process])->row.status);
         second = false) {
        const seen *s = &t->after[t->process];
        const seen_execution *x = NULL;
        const seen_entry *e = seen_parked(s, &x);
        if (e && !t->died[t->process]) {
            (void) settle(t, x, e);
            continue;
        }
        const char *const args[] = {"resume", seen_root(s)->id.text, "--quiet", NULL};
        int code = run(t, second ? t->plan->second_at : 0, args);
        if (code != 0 && code != 1 && code != 3 && code != 130 && code != -SIGKILL)
            trial_wrong(t, "resume ended with %d: %.200s", code, t->w->said.err);
    }
}

/* ---- one that serves many ---- */

static void put_chains(trial *t)
{
    for (size_t i = 0; i < death_chain_count; i++) {
        char name[100];
        snprintf(name, sizeof name, "chains/%s.yaml", death_chains[i].name);
        cli_world_write(t->w, name, "%s", death_chains[i].text);
    }
    cli_world_write(t->w, "chains/child.yaml", "%s", death_child_text);
    cli_world_write(t->w, "chains/sets.yaml", "%s", death_sets_text);
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Nothing in it goes on any more without somebody. */
static bool is_at_rest(const seen *s)
{
    for (size_t i = 0; i < s->count; i++) {
        ctn_status status = s->executions[i].row.status;
        const seen_execution *x = NULL;
        if (ctn_status_is_final(status) || status == CTN_STATUS_INTERRUPTED)
            continue;
        if (status != CTN_STATUS_WAITING || !seen_parked(s, &x)) /* for a sub-chain that has parked */
            return false;
    }
    return true;
}

/* Lets it work until it dies or everything is at rest; then it is told to end. */
static void serve_until_rest(trial *t, running *r)
{
    for (int64_t until_ms = now_ms() + DEATH_LEAVE_MS; !has_ended(r->pid);) {
        ctn_arena_mark mark = ctn_arena_save(t->arena);
        t->is_at_work = true;
        seen s = trial_look(t);
        t->is_at_work = false;
        bool rests = is_at_rest(&s);
        ctn_arena_restore(t->arena, mark);
        if (rests)
            break;
        if (now_ms() > until_ms)
            trial_wrong(t, "serve does not come to an end");
        (void) usleep(5000);
    }
    (void) kill(r->pid, SIGTERM);
    int code = running_wait(t->w, r);
    if (code != 0 && code != -SIGKILL && code != -SIGTERM) /* -SIGTERM: before it owned anything */
        trial_wrong(t, "serve ended with %d: %.200s", code, t->w->said.err);
    t->died[t->process] = code == -SIGKILL;
    note_death(t);
    t->after[t->process] = trial_look(t);
}

static running start_serving(trial *t, unsigned at)
{
    if (++t->process >= DEATH_PROCESS_MAX)
        trial_wrong(t, "it does not end");
    prepare_process(t, at);
    running r = catena_start(t->w, "serve", NULL);
    t->w->program = NULL;
    for (int tries = 0; tries < 10000 && !cli_world_has(t->w, DEATH_STORE ".sock") && !has_ended(r.pid); tries++)
        (void) usleep(1000);
    return r;
}

/* Hands some executions over, one behind the other; what was acknowledged is in the store when all is over. */
static size_t hand_over(trial *t, char (*ids)[40])
{
    size_t count = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *name = death_chains[(t->plan->at + i * 2) % death_chain_count].name;
        int code = catena(t->w, "start", name, "--quiet", NULL);
        if (code == 0 && strlen(t->w->said.out) >= CTN_ID_TEXT_LEN)
            snprintf(ids[count++], 40, "%.36s", t->w->said.out);
        else if (code != 2 || !strstr(t->w->said.err, "ended before it answered"))
            trial_wrong(t, "start ended with %d: %.200s", code, t->w->said.err);
    }
    return count;
}

static void serve_in_world(trial *t)
{
    char ids[8][40];
    put_chains(t);
    write_config(t, 0);
    put_new_store(t);
    running r = start_serving(t, t->plan->at);
    size_t count = hand_over(t, ids);
    serve_until_rest(t, &r);
    if (t->plan->waits)
        trial_await_all_gone(t);
    r = start_serving(t, 0);
    serve_until_rest(t, &r);
    const seen_execution *x = NULL;
    for (const seen_entry *e; (e = seen_parked(&t->after[t->process], &x));) {
        (void) settle(t, x, e);
        if (seen_parked(&t->after[t->process], &x))
            continue;
        r = start_serving(t, 0); /* whoever waited for what was settled */
        serve_until_rest(t, &r);
    }
    trial_await_all_gone(t);
    trial_judge(t);
    t->tally->acknowledged += (unsigned) count;
    for (size_t i = 0; i < count; i++) {
        ctn_execution_id id;
        seen_execution wanted = {0};
        if (ctn_id_parse(ctn_str_from(ids[i]), &id, NULL))
            trial_wrong(t, "start printed \"%s\"", ids[i]);
        wanted.row.id = id;
        if (!seen_same(&t->after[t->process], &wanted))
            trial_wrong(t, "%s was acknowledged and is not in the store", ids[i]);
    }
}

/* ---- a trial ---- */

static bool told_end(const world *w)
{
    char told[64];
    ctn_status status;
    json_text(w->said.out, "status", told);
    return ctn_status_from_name(ctn_str_from(told), &status) && ctn_status_is_final(status);
}

static void try_in_world(trial *t)
{
    const death_plan *plan = t->plan;
    const char *const start[] = {"run",
                                 plan->chain->name,
                                 "--quiet",
                                 plan->is_travel ? "-i" : NULL,
                                 "raw_lead=@" CATENA_SOURCE_DIR "/travel/leads/demo.txt",
                                 NULL};
    if (plan->serves) {
        serve_in_world(t);
        return;
    }
    cli_world_write(t->w, "chain.yaml", "%s", plan->chain->text);
    cli_world_write(t->w, "child.yaml", "%s", death_child_text);
    cli_world_write(t->w, "sets.yaml", "%s", death_sets_text);
    write_config(t, 0);
    if (!plan->is_new_store)
        put_new_store(t);
    (void) run(t, plan->at, start);
    const seen *s = &t->after[1];
    const seen_execution *root = seen_root(s);
    bool is_final = root && ctn_status_is_final(root->row.status);
    if (told_end(t->w) && !is_final)
        trial_wrong(t, "an end was told that is not recorded");
    t->tally->after_end += is_final && t->died[1];
    if (!root) { /* nobody was told that it is accepted: asked again, it runs */
        t->tally->before_accepted++;
        trial_read_ledger(t);
        if (t->deed_count)
            trial_wrong(t, "something was done for an execution that is not in the store");
        (void) run(t, 0, start);
    }
    go_on(t);
    if (t->process == 1) /* ended, and told or not: who asks again finds the end */
        t->after[++t->process] = trial_look(t);
    trial_await_all_gone(t);
    trial_judge(t);
    if (plan->is_travel)
        trial_check_client_records(t);
    root = seen_root(&t->after[t->process]);
    if (!root || strcmp(ctn_status_name(root->row.status), plan->chain->status) != 0)
        trial_wrong(t, "it ended %s, not %s", root ? ctn_status_name(root->row.status) : "nowhere",
                    plan->chain->status);
    for (int p = 2; p < t->process; p++)
        t->tally->second_deaths += t->died[p];
}

bool death_try(const death_plan *plan, death_tally *tally, char why[400])
{
    void *world_made = NULL;
    trial t = {.plan = plan, .tally = tally, .arena = ctn_arena_new(65536), .why = why};
    volatile bool is_right = false;
    assert_int_equal(cli_world_setup(&world_made), 0);
    t.w = world_made;
    (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
    tally->trials++;
    if (setjmp(t.wrong) == 0) {
        try_in_world(&t);
        is_right = true;
    }
    t.w->program = NULL;
    if (!is_right && getenv("CATENA_KEEP"))
        printf("  kept: %s\n", t.w->folder);
    else
        cli_world_teardown(&world_made);
    ctn_arena_free(t.arena);
    return is_right;
}

unsigned death_points(const death_plan *plan, char **ret_lines)
{
    static const size_t BYTES = 4 << 20;
    char why[400] = "", *lines = malloc(BYTES);
    void *world_made = NULL;
    death_tally tally = {0};
    death_plan counted = *plan;
    counted.at = 0;
    trial t = {.plan = &counted, .tally = &tally, .arena = ctn_arena_new(65536), .why = why, .logs_points = true};
    assert_non_null(lines);
    assert_int_equal(cli_world_setup(&world_made), 0);
    t.w = world_made;
    (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (setjmp(t.wrong) == 0)
        try_in_world(&t);
    else
        fail_msg("without a death: %s", why);
    cli_world_read(t.w, "points", lines, BYTES);
    unsigned count = 0;
    for (const char *at = lines; (at = strchr(at, '\n')); at++)
        count++;
    t.w->program = NULL;
    cli_world_teardown(&world_made);
    ctn_arena_free(t.arena);
    *ret_lines = lines;
    return count;
}

void death_add(death_tally *sum, const death_tally *more)
{
    unsigned *a = (unsigned *) sum;
    const unsigned *b = (const unsigned *) more;
    for (size_t i = 0; i < sizeof *sum / sizeof *a; i++)
        a[i] += b[i];
}

void death_print(const char *name, const death_tally *t)
{
    printf(
        "  %-24s %5u points, %5u deaths: %u before it was accepted, %u after its end, %u with no call in flight; calls "
        "in flight: %u repeated, %u verified (%u had happened), %u parked\n",
        name, t->trials, t->deaths, t->before_accepted, t->after_end, t->quiet, t->repeated,
        t->verified_happened + t->verified_not, t->verified_happened, t->parked);
    fflush(stdout);
}
