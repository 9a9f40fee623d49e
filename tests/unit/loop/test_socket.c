/* Local sockets: paths that are too long for sockaddr_un, files that a dead owner left, nobody there. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "patience.h"
#include "support/cmocka.h"

typedef struct fixture {
    ctn_loop *loop;
    const char *folder;
    char path[4000];
    ctn_listener *listener;
    ctn_err err;
    int accepted_fds[8];
    size_t accepted_count;
    bool is_accepted;
    bool close_at_accept;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->loop = ctn_loop_new();
    f->folder = patience_folder();
    snprintf(f->path, sizeof f->path, "%s/store.db-socket", f->folder);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < f->accepted_count; i++)
        close(f->accepted_fds[i]);
    ctn_loop_free(f->loop);
    patience_remove_folder(f->folder);
    free(f);
    return 0;
}

static void on_accepted(void *ctx, int fd)
{
    fixture *f = ctx;
    assert_true(f->accepted_count < 8);
    f->accepted_fds[f->accepted_count++] = fd;
    f->is_accepted = true;
    if (f->close_at_accept) {
        ctn_listener_close(f->listener);
        f->listener = NULL;
    }
}

static int listen_at(fixture *f)
{
    return ctn_listener_open(f->loop, f->path, on_accepted, f, &f->listener, &f->err);
}

static void assert_they_can_talk(fixture *f)
{
    int fd = -1;
    f->is_accepted = false;
    assert_int_equal(ctn_socket_connect(f->path, &fd, &f->err), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_accepted));
    assert_int_equal(write(fd, "hello", 5), 5);
    char text[8];
    assert_int_equal(read(f->accepted_fds[f->accepted_count - 1], text, sizeof text), 5);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(f->accepted_fds[f->accepted_count - 1], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
}

static void only_we_may_connect_and_closing_removes_the_file(void **state)
{
    fixture *f = *state;
    mode_t umask_before = umask(0);
    assert_int_equal(listen_at(f), CTN_OK);
    umask(umask_before);
    struct stat st;
    assert_int_equal(lstat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_they_can_talk(f);
    ctn_listener_close(f->listener);
    assert_int_equal(lstat(f->path, &st), -1);
    patience_for(f->loop, 2);
    assert_int_equal(rmdir(f->folder), 0); /* nothing else lies there */
    assert_int_equal(mkdir(f->folder, 0700), 0);
}

static void paths_may_be_as_long_as_files_may(void **state)
{
    fixture *f = *state;
    char *at = f->path + snprintf(f->path, sizeof f->path, "%s", f->folder);
    for (int i = 0; i < 15; i++) {
        at += sprintf(at, "/%0200d", i);
        assert_int_equal(mkdir(f->path, 0700), 0);
    }
    sprintf(at, "/%0250d", 7); /* a name that would not fit into sun_path by itself */
    assert_int_equal(listen_at(f), CTN_OK);
    assert_they_can_talk(f);
}

static void a_path_may_be_relative(void **state)
{
    fixture *f = *state;
    int before = open(".", O_PATH | O_CLOEXEC);
    assert_int_equal(chdir(f->folder), 0);
    snprintf(f->path, sizeof f->path, "plain-name");
    assert_int_equal(listen_at(f), CTN_OK);
    assert_they_can_talk(f);
    assert_int_equal(fchdir(before), 0);
    close(before);
}

static void a_stale_file_is_replaced(void **state)
{
    fixture *f = *state;
    int fd = -1;
    assert_int_equal(listen_at(f), CTN_OK);
    char stale[4100];
    snprintf(stale, sizeof stale, "%s.moved", f->path);
    assert_int_equal(rename(f->path, stale), 0); /* as a dead owner leaves it: a file, nobody behind it */
    ctn_listener_close(f->listener);
    assert_int_equal(rename(stale, f->path), 0);
    assert_int_equal(ctn_socket_connect(f->path, &fd, &f->err), CTN_E_CLOSED);
    assert_holds(f->err.message, "nobody listens");
    assert_int_equal(listen_at(f), CTN_OK);
    assert_they_can_talk(f);
}

static void a_file_that_is_no_socket_stays(void **state)
{
    fixture *f = *state;
    int fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(listen_at(f), CTN_E_EXISTS);
    assert_holds(f->err.message, "no socket");
    assert_int_equal(access(f->path, F_OK), 0);
    assert_int_equal(ctn_socket_connect(f->path, &fd, &f->err), CTN_E_INVALID);
}

static void closing_leaves_the_socket_of_a_successor_alone(void **state)
{
    fixture *f = *state;
    assert_int_equal(listen_at(f), CTN_OK);
    ctn_listener *first = f->listener;
    assert_int_equal(listen_at(f), CTN_OK);
    ctn_listener_close(first);
    assert_they_can_talk(f);
}

static void nobody_there_is_a_sentence_and_not_a_hang(void **state)
{
    fixture *f = *state;
    int fd = -1;
    assert_int_equal(ctn_socket_connect(f->path, &fd, &f->err), CTN_E_CLOSED);
    assert_holds(f->err.message, "store.db-socket");
    snprintf(f->path, sizeof f->path, "%s/none/socket", f->folder);
    assert_int_equal(ctn_socket_connect(f->path, &fd, &f->err), CTN_E_CLOSED);
    assert_int_equal(listen_at(f), CTN_E_NOT_FOUND);
    snprintf(f->path, sizeof f->path, "%s/", f->folder);
    assert_int_equal(listen_at(f), CTN_E_INVALID);
    assert_int_equal(fd, -1);
}

static void a_listener_may_be_closed_when_it_accepts(void **state)
{
    fixture *f = *state;
    assert_int_equal(listen_at(f), CTN_OK);
    f->close_at_accept = true;
    int fds[2];
    assert_int_equal(ctn_socket_connect(f->path, &fds[0], &f->err), CTN_OK);
    assert_int_equal(ctn_socket_connect(f->path, &fds[1], &f->err), CTN_OK);
    assert_true(patience_until(f->loop, &f->is_accepted));
    patience_for(f->loop, 5);
    assert_int_equal(f->accepted_count, 1);
    close(fds[0]);
    close(fds[1]);
}

static void count_turn(void *ctx)
{
    size_t *count = ctx;
    (*count)++;
}

static void without_descriptors_it_waits_and_does_not_spin(void **state)
{
    fixture *f = *state;
    if (patience_is_under_valgrind())
        skip();
    assert_int_equal(listen_at(f), CTN_OK);
    int fd = -1;
    assert_int_equal(ctn_socket_connect(f->path, &fd, &f->err), CTN_OK);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t) fd + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int fillers[64];
    size_t filler_count = 0;
    while (filler_count < 64 && (fillers[filler_count] = dup(fd)) >= 0)
        filler_count++;
    size_t turn_count = 0;
    ctn_loop_set_turn(f->loop, count_turn, &turn_count);
    patience_for(f->loop, 250);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    while (filler_count > 0)
        close(fillers[--filler_count]);
    assert_true(turn_count < 50);
    assert_int_equal(f->accepted_count, 0);
    assert_true(patience_until(f->loop, &f->is_accepted));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(only_we_may_connect_and_closing_removes_the_file),
        TEST(paths_may_be_as_long_as_files_may),
        TEST(a_path_may_be_relative),
        TEST(a_stale_file_is_replaced),
        TEST(a_file_that_is_no_socket_stays),
        TEST(closing_leaves_the_socket_of_a_successor_alone),
        TEST(nobody_there_is_a_sentence_and_not_a_hang),
        TEST(a_listener_may_be_closed_when_it_accepts),
        TEST(without_descriptors_it_waits_and_does_not_spin),
    };
    return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
