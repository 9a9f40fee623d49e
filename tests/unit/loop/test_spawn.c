/* Children: what they get, what we hear of them, and that none outlives catena. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loop/spawn.h"
#include "patience.h"
#include "support/cmocka.h"

#define PEER CATENA_BUILD_DIR "/tests/peer_family"

typedef struct fixture {
    ctn_spawner *spawner;
    ctn_loop *loop;
    const char *folder;
    ctn_child *child;
    ctn_stream *in, *out, *error_out;
    ctn_buf out_text, error_text;
    bool is_out_closed, is_exited;
    size_t exited_count, gone_count;
    int exit_status;
    bool free_at_exit;
    ctn_err err;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(ctn_spawner_start(&f->spawner, &f->err), CTN_OK);
    f->loop = ctn_loop_new();
    ctn_spawner_attach(f->spawner, f->loop);
    f->folder = patience_folder();
    ctn_buf_init(&f->out_text, 1 << 20);
    ctn_buf_init(&f->error_text, 1 << 20);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    ctn_child_free(f->child);
    ctn_spawner_stop(f->spawner);
    ctn_loop_free(f->loop);
    ctn_buf_done(&f->out_text);
    ctn_buf_done(&f->error_text);
    patience_remove_folder(f->folder);
    free(f);
    return 0;
}

static void on_exited(void *ctx, int exit_status)
{
    fixture *f = ctx;
    f->exit_status = exit_status;
    f->is_exited = true;
    f->exited_count++;
    if (f->free_at_exit) {
        ctn_child_free(f->child);
        f->child = NULL;
    }
}

static void on_out_line(void *ctx, ctn_str line)
{
    fixture *f = ctx;
    ctn_buf_append(&f->out_text, line);
    ctn_buf_append_char(&f->out_text, '|');
}

static void on_error_line(void *ctx, ctn_str line)
{
    fixture *f = ctx;
    ctn_buf_append(&f->error_text, line);
    ctn_buf_append_char(&f->error_text, '|');
}

static void on_out_closed(void *ctx, int code, const char *why)
{
    fixture *f = ctx;
    (void) code;
    (void) why;
    f->is_out_closed = true;
}

static void on_other_closed(void *ctx, int code, const char *why)
{
    (void) ctx;
    (void) code;
    (void) why;
}

static int spawn_with(fixture *f, const char *const *argv, const char *const *env, const char *cwd)
{
    int in = -1, out = -1, error_out = -1;
    f->is_exited = f->is_out_closed = false;
    int rc = ctn_child_spawn(f->spawner,
                             &(ctn_spawn_options){.argv = argv, .env = env, .cwd = cwd, .exited = on_exited, .ctx = f},
                             &f->child, &in, &out, &error_out, &f->err);
    if (rc) {
        assert_int_equal(in, -1);
        return rc;
    }
    ctn_stream_events events = {.line = on_out_line, .closed = on_out_closed, .ctx = f, .line_bytes_max = 1 << 18};
    f->out = ctn_stream_open(f->loop, out, &events);
    events.line = on_error_line;
    events.closed = on_other_closed;
    f->error_out = ctn_stream_open(f->loop, error_out, &events);
    f->in = ctn_stream_open(f->loop, in, &events);
    return rc;
}

static int spawn_peer(fixture *f, const char *verb, const char *argument)
{
    return spawn_with(f, (const char *const[]){PEER, verb, argument, NULL}, (const char *const[]){NULL}, NULL);
}

static void done_with_child(fixture *f)
{
    ctn_child_free(f->child);
    f->child = NULL;
    ctn_stream_free(f->in);
    ctn_stream_free(f->out);
    ctn_stream_free(f->error_out);
}

static void assert_text(const ctn_buf *buf, const char *expected)
{
    if (buf->len != strlen(expected) || memcmp(buf->data, expected, buf->len) != 0)
        fail_msg("got %.*s, expected %s", (int) buf->len, buf->data, expected);
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Alive and no zombie: one that is only not reaped yet does nothing any more. */
static bool is_alive(long pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = 0;
    const char *end = strrchr(text, ')');
    return end && end[2] != 'Z' && end[2] != 'X';
}

static bool is_dead_within(long pid, int64_t span_ms)
{
    int64_t until_ms = monotonic_ms() + span_ms;
    while (is_alive(pid))
        if (monotonic_ms() > until_ms)
            return false;
        else
            usleep(5000);
    return true;
}

/* ---- what a child gets ---- */

static void a_child_is_talked_to_and_its_stderr_is_apart(void **state)
{
    fixture *f = *state;
    assert_int_equal(spawn_peer(f, "shout", NULL), CTN_OK);
    assert_true(ctn_stream_write(f->in, CTN_STR("one\ntwo\n")));
    ctn_stream_shutdown(f->in);
    assert_true(patience_until(f->loop, &f->is_out_closed));
    assert_true(patience_until(f->loop, &f->is_exited));
    assert_text(&f->out_text, "to stdout|one|two|");
    assert_text(&f->error_text, "to stderr|");
    assert_int_equal(f->exit_status, 0);
    done_with_child(f);
}

static void the_environment_is_exactly_what_was_given(void **state)
{
    fixture *f = *state;
    setenv("CATENA_TEST_LEAK", "1", 1);
    const char *env[] = {"A=1", "EMPTY=", "SPACE=a b\tc", "UTF=\xc3\xa9", "A=2", NULL};
    assert_int_equal(spawn_with(f, (const char *const[]){PEER, "env", NULL}, env, NULL), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_out_closed));
    assert_text(&f->out_text, "A=1|EMPTY=|SPACE=a b\tc|UTF=\xc3\xa9|A=2|");
    done_with_child(f);
    ctn_buf_clear(&f->out_text);
    assert_int_equal(spawn_peer(f, "env", NULL), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_out_closed));
    assert_text(&f->out_text, "");
    done_with_child(f);
}

static void megabytes_of_environment_arrive_and_too_much_is_a_sentence(void **state)
{
    fixture *f = *state;
    if (patience_is_under_valgrind())
        skip();
    char *value = malloc(120001);
    assert_non_null(value);
    memset(value, 'x', 120000);
    memcpy(value, "V=", 2);
    value[120000] = 0;
    const char *env[101] = {0};
    for (size_t i = 0; i < 10; i++)
        env[i] = value;
    assert_int_equal(spawn_with(f, (const char *const[]){PEER, "env", NULL}, env, NULL), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_out_closed));
    assert_true(f->out_text.overflowed || f->out_text.len > 900000);
    done_with_child(f);
    for (size_t i = 0; i < 100; i++)
        env[i] = value;
    assert_int_equal(spawn_with(f, (const char *const[]){PEER, "env", NULL}, env, NULL), CTN_E_LIMIT);
    assert_holds(f->err.message, "peer_family");
    free(value);
}

static void signals_groups_and_descriptors_are_as_new(void **state)
{
    fixture *f = *state;
    int leaky = open("/dev/null", O_RDONLY); /* not close-on-exec, opened after the spawner was forked */
    assert_int_equal(spawn_peer(f, "state", NULL), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_out_closed));
    assert_text(&f->out_text, "ignored=0 blocked=0 open=3 own_group=1 tty=0|");
    done_with_child(f);
    close(leaky);
}

static void a_child_starts_in_its_folder_and_is_found_from_there(void **state)
{
    fixture *f = *state;
    char real[PATH_MAX], link_path[600], expected[PATH_MAX + 2];
    assert_non_null(realpath(f->folder, real));
    snprintf(link_path, sizeof link_path, "%s/server", f->folder);
    assert_int_equal(symlink(PEER, link_path), 0);
    const char *none[] = {NULL};
    assert_int_equal(spawn_with(f, (const char *const[]){"./server", "cwd", NULL}, none, f->folder), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_out_closed));
    snprintf(expected, sizeof expected, "%s|", real);
    assert_text(&f->out_text, expected);
    done_with_child(f);
}

static void programs_are_looked_up_in_the_childs_own_path(void **state)
{
    fixture *f = *state;
    char link_path[600], path[700];
    snprintf(link_path, sizeof link_path, "%s/my-server", f->folder);
    assert_int_equal(symlink(PEER, link_path), 0);
    snprintf(path, sizeof path, "PATH=/nowhere:/etc/passwd:%s:/bin", f->folder);
    const char *env[] = {path, NULL};
    assert_int_equal(spawn_with(f, (const char *const[]){"my-server", "exit", "7", NULL}, env, NULL), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_exited));
    assert_int_equal(f->exit_status, 7);
    done_with_child(f);
    const char *other[] = {"PATH=/nowhere", NULL};
    assert_int_equal(spawn_with(f, (const char *const[]){"my-server", NULL}, other, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(spawn_with(f, (const char *const[]){"true", NULL}, (const char *const[]){NULL}, NULL), CTN_OK);
    done_with_child(f);
}

/* ---- what cannot be started ---- */

static void make_file(const fixture *f, const char *name, const char *text, mode_t mode)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void what_cannot_be_started_is_told_at_once_with_a_sentence(void **state)
{
    fixture *f = *state;
    if (patience_is_under_valgrind())
        skip();
    make_file(f, "plain", "text", 0600);
    make_file(f, "bad-interpreter", "#!/no/such/interpreter\n", 0700);
    make_file(f, "no-interpreter", "just words\n", 0700);
    make_file(f, "server", "#!/bin/sh\n", 0700);
    const struct {
        const char *program, *cwd;
        int code;
        const char *sentence;
    } cases[] = {
        {"no-such-program", NULL, CTN_E_NOT_FOUND, "\"no-such-program\" in the folders of PATH (/bin:/usr/bin)"},
        {"server", f->folder, CTN_E_NOT_FOUND, "write ./server"},
        {"/no/such/program", NULL, CTN_E_NOT_FOUND, "no program \"/no/such/program\""},
        {"./nothing", f->folder, CTN_E_NOT_FOUND, "in the folder"},
        {"./plain", f->folder, CTN_E_INVALID, "chmod +x"},
        {"/", NULL, CTN_E_INVALID, "a folder?"},
        {"./bad-interpreter", f->folder, CTN_E_INVALID, "interpreter"},
        {"./no-interpreter", f->folder, CTN_E_INVALID, "#! line"},
        {PEER, "/no/such/folder", CTN_E_INVALID, "no folder \"/no/such/folder\""},
        {PEER, "/etc/passwd", CTN_E_INVALID, "\"/etc/passwd\""},
        {"", NULL, CTN_E_INVALID, "empty"},
    };
    const char *env[] = {"PATH=/bin:/usr/bin", NULL};
    size_t before = patience_open_fd_count();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = spawn_with(f, (const char *const[]){cases[i].program, NULL}, env, cases[i].cwd);
        if (rc != cases[i].code || !strstr(f->err.message, cases[i].sentence) ||
            !strstr(f->err.message, cases[i].program))
            fail_msg("\"%s\": %d %s", cases[i].program, rc, f->err.message);
    }
    assert_int_equal(patience_open_fd_count(), before);
}

/* ---- what we hear ---- */

static void exit_statuses_and_deaths_by_signal_are_told_apart_and_once(void **state)
{
    fixture *f = *state;
    const struct {
        const char *verb, *argument;
        int status;
    } cases[] = {{"exit", "0", 0}, {"exit", "255", 255}, {"die", "9", -9}, {"die", "6", -6}, {"die", "15", -15}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f->exited_count = 0;
        assert_int_equal(spawn_peer(f, cases[i].verb, cases[i].argument), CTN_OK);
        assert_true(patience_until(f->loop, &f->is_exited));
        patience_for(f->loop, 10);
        assert_int_equal(f->exit_status, cases[i].status);
        assert_int_equal(f->exited_count, 1);
        done_with_child(f);
    }
}

static void exits_that_come_while_another_child_is_started_are_not_lost(void **state)
{
    fixture *f = *state;
    ctn_child *children[20];
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(spawn_peer(f, "exit", "3"), CTN_OK);
        children[i] = f->child;
        ctn_stream_free(f->in);
        ctn_stream_free(f->out);
        ctn_stream_free(f->error_out);
        if (i % 4 == 0)
            usleep(20000); /* the news waits in the socket, or comes with an answer */
    }
    int64_t until_ms = monotonic_ms() + 10000;
    while (f->exited_count < 20 && monotonic_ms() < until_ms)
        patience_for(f->loop, 10);
    assert_int_equal(f->exited_count, 20);
    for (size_t i = 0; i < 20; i++)
        ctn_child_free(children[i]);
    f->child = NULL;
}

static void a_child_may_be_freed_when_its_exit_is_told_and_nothing_comes_after_free(void **state)
{
    fixture *f = *state;
    f->free_at_exit = true;
    assert_int_equal(spawn_peer(f, "exit", "1"), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_exited));
    assert_null(f->child);
    f->free_at_exit = false;

    f->exited_count = 0;
    assert_int_equal(spawn_peer(f, "sleep", NULL), CTN_OK);
    int pid = ctn_child_pid(f->child);
    assert_true(is_alive(pid));
    done_with_child(f);
    assert_true(is_dead_within(pid, 3000));
    patience_for(f->loop, 20);
    assert_int_equal(f->exited_count, 0);
}

static size_t read_family(const char *path, long *ret_pids, size_t pids_max)
{
    int64_t until_ms = monotonic_ms() + 10000;
    while (monotonic_ms() < until_ms) {
        FILE *file = fopen(path, "re");
        size_t count = 0;
        long pid;
        char what[64];
        while (file && count < pids_max && fscanf(file, "%ld %63s", &pid, what) == 2) {
            if (strcmp(what, "complete") == 0) {
                fclose(file);
                return count;
            }
            ret_pids[count++] = pid;
        }
        if (file)
            fclose(file);
        usleep(10000);
    }
    return 0;
}

#define FAMILY_COUNT 8

static void killing_reaches_the_whole_group(void **state)
{
    fixture *f = *state;
    const char *env[] = {"PATH=/bin:/usr/bin", NULL};
    const char *argv[] = {"sh", "-c", "sleep 1000 & sleep 1000 & echo $! ; wait", NULL};
    assert_int_equal(spawn_with(f, argv, env, NULL), CTN_OK);
    while (f->out_text.len == 0)
        patience_for(f->loop, 5);
    long grandchild = atol(f->out_text.data);
    assert_true(is_alive(grandchild));
    ctn_child_kill(f->child, SIGTERM);
    assert_true(patience_until(f->loop, &f->is_exited));
    assert_int_equal(f->exit_status, -SIGTERM);
    assert_true(patience_until(f->loop, &f->is_out_closed)); /* which both of them held open */
    assert_true(is_dead_within(grandchild, 3000));
    done_with_child(f);
}

/* The leader has exited and was told; its group's number must still mean this group. */
static void freeing_a_child_ends_what_it_left_in_its_group(void **state)
{
    fixture *f = *state;
    const char *env[] = {"PATH=/bin:/usr/bin", NULL};
    const char *argv[] = {"sh", "-c", "sleep 1000 & echo $!", NULL};
    assert_int_equal(spawn_with(f, argv, env, NULL), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_exited));
    while (f->out_text.len == 0)
        patience_for(f->loop, 5);
    long grandchild = atol(f->out_text.data);
    assert_true(is_alive(grandchild));
    done_with_child(f);
    assert_true(is_dead_within(grandchild, 3000));
}

static void assert_family_is_dead(const long *pids, size_t count, int64_t until_ms)
{
    for (size_t i = 0; i < count; i++) {
        int64_t left_ms = until_ms - monotonic_ms();
        if (!is_dead_within(pids[i], left_ms > 0 ? left_ms : 0)) {
            for (size_t j = 0; j < count; j++)
                (void) kill((pid_t) pids[j], SIGKILL);
            fail_msg("descendant %zu of %zu lives on", i, count);
        }
    }
}

static void stopping_the_spawner_leaves_no_descendant(void **state)
{
    fixture *f = *state;
    char path[600];
    long pids[32];
    snprintf(path, sizeof path, "%s/family", f->folder);
    assert_int_equal(spawn_peer(f, "family", path), CTN_OK);
    size_t count = read_family(path, pids, 32);
    assert_int_equal(count, FAMILY_COUNT);
    for (size_t i = 0; i < count; i++)
        assert_true(is_alive(pids[i]));
    int64_t before_ms = monotonic_ms();
    ctn_spawner_stop(f->spawner);
    f->spawner = NULL;
    assert_in_range(monotonic_ms() - before_ms, 190, 3000); /* they were deaf to SIGTERM */
    assert_family_is_dead(pids, count, monotonic_ms());
    ctn_child_kill(f->child, SIGTERM); /* both without effect now */
    done_with_child(f);
}

/* A lock that the spawner holds is nobody's before all that it has started is gone. */
static void what_is_held_stays_open_until_no_descendant_is_left(void **state)
{
    fixture *f = *state;
    int ends[2];
    char path[600];
    long pids[32];
    snprintf(path, sizeof path, "%s/family", f->folder);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(ctn_spawner_hold(f->spawner, ends[1], &f->err), CTN_OK);
    assert_int_equal(ctn_spawner_hold(f->spawner, -1, &f->err), CTN_OK);
    close(ends[1]);
    assert_int_equal(spawn_peer(f, "family", path), CTN_OK);
    size_t count = read_family(path, pids, 32);
    struct pollfd end = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&end, 1, 0), 0);
    ctn_spawner_stop(f->spawner);
    f->spawner = NULL;
    assert_int_equal(poll(&end, 1, 3000), 1);
    for (size_t i = 0; i < count; i++)
        assert_false(is_alive(pids[i]));
    close(ends[0]);
    done_with_child(f);
}

static void stopping_without_children_or_with_obedient_ones_is_quick(void **state)
{
    fixture *f = *state;
    assert_int_equal(spawn_peer(f, "sleep", NULL), CTN_OK);
    int pid = ctn_child_pid(f->child);
    int64_t before_ms = monotonic_ms();
    ctn_spawner_stop(f->spawner);
    assert_in_range(monotonic_ms() - before_ms, 0, 190);
    assert_false(is_alive(pid));
    done_with_child(f);
    before_ms = monotonic_ms();
    assert_int_equal(ctn_spawner_start(&f->spawner, &f->err), CTN_OK);
    ctn_spawner_stop(f->spawner);
    f->spawner = NULL;
    assert_in_range(monotonic_ms() - before_ms, 0, 190);
    ctn_spawner_stop(NULL);
    ctn_child_free(NULL);
}

static void a_loop_that_is_freed_before_the_spawner_is_stopped_harms_nobody(void **state)
{
    fixture *f = *state;
    assert_int_equal(spawn_peer(f, "exit", "0"), CTN_OK);
    ctn_loop_free(f->loop);
    f->loop = NULL;
    usleep(50000);
    ctn_child_kill(f->child, SIGTERM);
    ctn_child_free(f->child);
    f->child = NULL;
}

/* Stands for catena: a spawner, a family, and a loop. */
static _Noreturn void be_catena(const char *family_path, int ready_fd, bool in_a_loop)
{
    fixture f = {0};
    if (ctn_spawner_start(&f.spawner, &f.err))
        _exit(1);
    f.loop = ctn_loop_new();
    ctn_spawner_attach(f.spawner, f.loop);
    int in, out, error_out;
    const char *argv[] = {PEER, "family", family_path, NULL};
    const char *sleeper[] = {PEER, "sleep", NULL};
    const char *env[] = {NULL};
    if (ctn_child_spawn(f.spawner, &(ctn_spawn_options){.argv = argv, .env = env}, &f.child, &in, &out, &error_out,
                        &f.err) ||
        ctn_child_spawn(f.spawner, &(ctn_spawn_options){.argv = sleeper, .env = env}, &f.child, &in, &out, &error_out,
                        &f.err))
        _exit(2);
    (void) !write(ready_fd, &(int){ctn_child_pid(f.child)}, sizeof(int));
    if (in_a_loop)
        ctn_loop_run(f.loop);
    for (;;)
        pause();
}

static void when_catena_is_killed_no_descendant_lives(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        char path[600];
        long pids[32] = {0};
        int ready[2];
        snprintf(path, sizeof path, "%s/family-%d", f->folder, i);
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid_t catena = fork();
        if (catena == 0)
            be_catena(path, ready[1], i > 0);
        close(ready[1]);
        int sleeper = 0;
        assert_int_equal(read(ready[0], &sleeper, sizeof sleeper), sizeof sleeper);
        close(ready[0]);
        size_t count = read_family(path, pids, 31);
        assert_int_equal(count, FAMILY_COUNT);
        pids[count++] = sleeper;
        for (size_t j = 0; j < count; j++)
            assert_true(is_alive(pids[j]));
        assert_int_equal(kill(catena, i == 2 ? SIGTERM : SIGKILL), 0);
        assert_int_equal(waitpid(catena, NULL, 0), catena);
        assert_family_is_dead(pids, count, monotonic_ms() + 3000);
    }
}

static void nothing_reaches_children_by_the_terminals_group_and_the_spawner_stays(void **state)
{
    fixture *f = *state;
    assert_int_equal(spawn_peer(f, "sleep", NULL), CTN_OK);
    int pid = ctn_child_pid(f->child);
    assert_int_not_equal(getpgid(pid), getpgrp());
    assert_int_not_equal(getsid(pid), getsid(0));
    pid_t spawner = getsid(pid);
    const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        assert_int_equal(kill(spawner, signals[i]), 0);
    done_with_child(f);
    assert_int_equal(spawn_peer(f, "exit", "5"), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_exited));
    assert_int_equal(f->exit_status, 5);
    done_with_child(f);
}

static void count_gone(void *ctx)
{
    fixture *f = ctx;
    assert_false(f->is_exited); /* it is told before its children's exits */
    f->gone_count++;
}

static void a_killed_spawner_is_told_for_every_child_and_refuses_politely(void **state)
{
    fixture *f = *state;
    ctn_spawner_when_gone(f->spawner, count_gone, f);
    assert_int_equal(spawn_peer(f, "sleep", NULL), CTN_OK);
    int pid = ctn_child_pid(f->child);
    assert_int_equal(kill(getsid(pid), SIGKILL), 0);
    assert_true(patience_until(f->loop, &f->is_exited));
    assert_int_equal(f->exit_status, -SIGKILL);
    assert_int_equal(f->gone_count, 1);
    assert_true(is_dead_within(pid, 3000));
    done_with_child(f);
    assert_int_equal(spawn_peer(f, "exit", "5"), CTN_E_CLOSED);
    assert_int_equal(f->gone_count, 1);
    assert_holds(f->err.message, "restart catena");
}

static void a_spawner_that_hangs_stalls_us_for_five_seconds_and_starts_nothing_later(void **state)
{
    fixture *f = *state;
    char path[600];
    snprintf(path, sizeof path, "%s/family", f->folder);
    assert_int_equal(spawn_peer(f, "exit", "0"), CTN_OK);
    pid_t spawner = getsid(ctn_child_pid(f->child));
    done_with_child(f);
    assert_int_equal(kill(spawner, SIGSTOP), 0);
    int64_t before_ms = monotonic_ms();
    assert_int_equal(spawn_peer(f, "family", path), CTN_E_TIMEOUT);
    assert_in_range(monotonic_ms() - before_ms, 4900, 10000);
    assert_int_equal(kill(spawner, SIGCONT), 0);
    assert_int_equal(spawn_peer(f, "exit", "6"), CTN_OK); /* and the late answer is not taken for this one */
    assert_true(patience_until(f->loop, &f->is_exited));
    assert_int_equal(f->exit_status, 6);
    done_with_child(f);
    patience_for(f->loop, 500);
    FILE *file = fopen(path, "re"); /* its first line at most: it was killed before it could be "complete" */
    char text[1000] = "";
    if (file) {
        (void) !fread(text, 1, sizeof text - 1, file);
        fclose(file);
    }
    assert_null(strstr(text, "complete"));
}

static void no_descriptor_and_no_zombie_stays(void **state)
{
    fixture *f = *state;
    assert_int_equal(spawn_peer(f, "exit", "0"), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_exited));
    pid_t spawner = getsid(ctn_child_pid(f->child));
    done_with_child(f);
    patience_for(f->loop, 10);
    size_t before = patience_open_fd_count();
    for (int i = 0; i < 20; i++) {
        assert_int_equal(spawn_peer(f, i % 2 ? "exit" : "sleep", "0"), CTN_OK);
        if (i % 2)
            assert_true(patience_until(f->loop, &f->is_exited));
        done_with_child(f);
    }
    assert_int_equal(patience_open_fd_count(), before);
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long) spawner, (long) spawner);
    size_t len = 1;
    for (int i = 0; i < 300 && len > 0; i++) {
        usleep(10000);
        FILE *file = fopen(path, "re");
        if (!file)
            skip();
        len = fread(text, 1, sizeof text, file);
        fclose(file);
    }
    assert_int_equal(len, 0);
}

static void starting_a_child_is_a_short_round_trip(void **state)
{
    fixture *f = *state;
    size_t ballast_bytes = 256 << 20; /* what makes a fork of ourselves slow */
    char *ballast = malloc(ballast_bytes);
    assert_non_null(ballast);
    memset(ballast, 1, ballast_bytes);
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(spawn_peer(f, "exit", "0"), CTN_OK);
        done_with_child(f);
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    print_message("%.0f us a child, %d MiB in use\n",
                  ((double) (after.tv_sec - before.tv_sec) * 1e9 + (double) (after.tv_nsec - before.tv_nsec)) / 50e3,
                  256);
    free(ballast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_child_is_talked_to_and_its_stderr_is_apart),
        TEST(the_environment_is_exactly_what_was_given),
        TEST(megabytes_of_environment_arrive_and_too_much_is_a_sentence),
        TEST(signals_groups_and_descriptors_are_as_new),
        TEST(a_child_starts_in_its_folder_and_is_found_from_there),
        TEST(programs_are_looked_up_in_the_childs_own_path),
        TEST(what_cannot_be_started_is_told_at_once_with_a_sentence),
        TEST(exit_statuses_and_deaths_by_signal_are_told_apart_and_once),
        TEST(exits_that_come_while_another_child_is_started_are_not_lost),
        TEST(a_child_may_be_freed_when_its_exit_is_told_and_nothing_comes_after_free),
        TEST(killing_reaches_the_whole_group),
        TEST(freeing_a_child_ends_what_it_left_in_its_group),
        TEST(stopping_the_spawner_leaves_no_descendant),
        TEST(what_is_held_stays_open_until_no_descendant_is_left),
        TEST(stopping_without_children_or_with_obedient_ones_is_quick),
        TEST(a_loop_that_is_freed_before_the_spawner_is_stopped_harms_nobody),
        TEST(when_catena_is_killed_no_descendant_lives),
        TEST(nothing_reaches_children_by_the_terminals_group_and_the_spawner_stays),
        TEST(a_killed_spawner_is_told_for_every_child_and_refuses_politely),
        TEST(a_spawner_that_hangs_stalls_us_for_five_seconds_and_starts_nothing_later),
        TEST(no_descriptor_and_no_zombie_stays),
        TEST(starting_a_child_is_a_short_round_trip),
    };
    return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
