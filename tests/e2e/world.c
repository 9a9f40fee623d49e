#include "world.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

void world_make(world *w)
{
    snprintf(w->folder, sizeof w->folder, "%s/catena-test-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(w->folder));
    w->arena = ctn_arena_new(65536);
}

void world_remove(world *w)
{
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", w->folder);
    assert_int_equal(system(command), 0);
    ctn_arena_free(w->arena);
}

static FILE *open_in(const world *w, const char *name, const char *mode)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    return fopen(path, mode);
}

void world_write(const world *w, const char *name, const char *text)
{
    FILE *f = open_in(w, name, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

ctn_str world_read(world *w, const char *name)
{
    FILE *f = open_in(w, name, "r");
    if (!f)
        return (ctn_str){0};
    ctn_buf text;
    ctn_buf_init(&text, 16 << 20);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
        ctn_buf_append(&text, (ctn_str){block, n});
    fclose(f);
    assert_false(text.overflowed);
    ctn_str copy = ctn_arena_str(w->arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return copy;
}

pid_t world_start(const world *w, const char *const *argv)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    int out = -1, err = -1;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
    if (chdir(w->folder) == 0) {
        out = open("stdout", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        err = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    }
    if (out < 0 || err < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    execv(CATENA, (char *const *) argv);
    _exit(127);
}

int world_wait(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int world_run(const world *w, const char *const *argv)
{
    return world_wait(world_start(w, argv));
}

void world_show(world *w, const char *name)
{
    ctn_str text = world_read(w, name);
    fprintf(stderr, "--- %s/%s\n%.*s\n", w->folder, name, CTN_STR_ARG(text));
}

void world_sleep_us(long us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static int keep_number(void *ctx, const ctn_execution_row *row)
{
    *(int64_t *) ctx = row->exec_no;
    return 1;
}

const ctn_execution *world_newest(world *w, const char *file, ctn_execution_row *ret_row)
{
    char url[600];
    ctn_store *store = NULL;
    ctn_err err = {0};
    ctn_execution *x = NULL;
    int64_t exec_no = 0;
    ctn_arena_reset(w->arena);
    *ret_row = (ctn_execution_row){0};
    snprintf(url, sizeof url, "sqlite:%s/%s", w->folder, file);
    if (ctn_store_open(url, CTN_STORE_READ, &store, &err))
        return NULL;
    ctn_execution_filter filter = {.limit = 1};
    assert_int_equal(ctn_store_execution_list(store, &filter, keep_number, &exec_no, &err), CTN_OK);
    if (exec_no) {
        assert_int_equal(ctn_store_execution_by_no(store, w->arena, exec_no, ret_row, &err), CTN_OK);
        if (ctn_execution_load(store, w->arena, ret_row, &x, &err)) {
            fprintf(stderr, "%s\n", err.message);
            fail();
        }
        ctn_execution_unload(x); /* its plan's patterns are of no use here */
    }
    ctn_store_close(store);
    return x;
}
