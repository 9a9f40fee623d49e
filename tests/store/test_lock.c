/*
 * test_lock.c -- one process at a time owns a store file (store/lock.c).
 */
#include "suite.h"
#include "sqlite_file.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_for_byte(int fd)
{
    char byte;
    assert_int_equal(read(fd, &byte, 1), 1);
}

static void a_second_owner_is_told_who_the_first_is(void **state)
{
    suite_fixture *f = *state;
    int ready[2];
    char link_url[300], link_path[256], pid_text[32], name[256];
    snprintf(link_path, sizeof link_path, "%s/link.db", f->folder);
    snprintf(link_url, sizeof link_url, "sqlite:%s", link_path);
    assert_int_equal(symlink(file_path(f), link_path), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ctn_store_lock *lock = NULL;
        if (ctn_store_lock_take(f->url, &lock, NULL) || write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    wait_for_byte(ready[0]);
    snprintf(pid_text, sizeof pid_text, "process %ld", (long) child);
    ctn_store_lock *lock = NULL;
    const char *const urls[] = {f->url, link_url};
    for (size_t i = 0; i < 2; i++) {
        ctn_err err = {0};
        assert_int_equal(ctn_store_lock_take(urls[i], &lock, &err), CTN_E_BUSY);
        assert_non_null(strstr(err.message, pid_text));
        assert_non_null(strstr(err.message, ctn_store_url_file(urls[i]).ptr));
        assert_null(lock);
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(ctn_store_lock_take(f->url, &lock, NULL), CTN_OK); /* death frees it */
    ctn_store_lock *again = NULL;
    ctn_err err = {0};
    assert_int_equal(ctn_store_lock_take(f->url, &again, &err), CTN_E_BUSY); /* once in a process, too */
    snprintf(pid_text, sizeof pid_text, "process %ld", (long) getpid());
    assert_non_null(strstr(err.message, pid_text));
    snprintf(name, sizeof name, "%s-lock", file_path(f));
    struct stat info;
    assert_int_equal(stat(name, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    ctn_store_lock_release(lock);
    assert_int_equal(ctn_store_lock_take(f->url, &again, NULL), CTN_OK);
    ctn_store_lock_release(again);
    ctn_store_lock_release(NULL);
    close(ready[0]);
    close(ready[1]);
}

/* Who was started by a dead owner may still change the world: nobody owns the store before it has ended. */
static void what_a_dead_owner_has_started_is_waited_for(void **state)
{
    suite_fixture *f = *state;
    int ready[2], gone[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(gone), 0);
    pid_t owner = fork();
    assert_true(owner >= 0);
    if (owner == 0) {
        ctn_store_lock *lock = NULL;
        if (ctn_store_lock_take(f->url, &lock, NULL))
            _exit(1);
        int kept = fcntl(ctn_store_lock_fd(lock), F_DUPFD, 100);
        if (kept < 0 || fork() != 0) {
            for (;;)
                pause();
        }
        (void) dup2(gone[1], 99);
        (void) dup2(ready[1], 98);
        (void) close_range(3, 97, 0);
        (void) close_range((unsigned) kept + 1, ~0U, 0);
        (void) !write(98, "r", 1);
        (void) usleep(300000);
        _exit(0); /* the pipe `gone` ends here */
    }
    close(gone[1]);
    wait_for_byte(ready[0]);
    kill(owner, SIGKILL);
    assert_int_equal(waitpid(owner, NULL, 0), owner);
    ctn_store_lock *lock = NULL;
    assert_int_equal(ctn_store_lock_take(f->url, &lock, NULL), CTN_OK);
    struct pollfd end = {.fd = gone[0], .events = POLLIN};
    assert_int_equal(poll(&end, 1, 0), 1); /* it had ended before we got it */
    assert_int_equal(read(gone[0], &byte, 1), 0);
    ctn_store_lock_release(lock);
    close(gone[0]);
    close(ready[0]);
    close(ready[1]);
}

static void a_lock_needs_a_folder(void **state)
{
    suite_fixture *f = *state;
    char url[300];
    ctn_store_lock *lock = NULL;
    ctn_err err = {0};
    snprintf(url, sizeof url, "sqlite:%s/none/x.db", f->folder);
    assert_int_equal(ctn_store_lock_take(url, &lock, &err), CTN_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "/none"));
    snprintf(url, sizeof url, "sqlite:%s/not-yet.db", f->folder);
    assert_int_equal(ctn_store_lock_take(url, &lock, NULL), CTN_OK); /* before the store is made */
    ctn_store_lock_release(lock);
    assert_int_equal(ctn_store_lock_take("postgres://x", &lock, NULL),
                     CTN_OK); /* no file: its owners are in its rows */
    ctn_store_lock_release(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST_SQLITE(a_second_owner_is_told_who_the_first_is),
        SUITE_TEST_SQLITE(what_a_dead_owner_has_started_is_waited_for),
        SUITE_TEST_SQLITE(a_lock_needs_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
