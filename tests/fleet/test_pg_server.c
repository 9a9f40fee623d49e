/*
 * test_pg_server.c -- the servers that other tests rely on: what was committed is there after any end, standbys have it
 * too, and nothing of them is left behind, not even by a test that is killed.
 */
#include "support/cmocka.h"
#include "support/pg_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000}, NULL);
}

static int64_t rows(pg_server *server, const char *database)
{
    return pg_server_number(server, database, "SELECT count(*) FROM kept");
}

static void test_what_was_committed_survives_each_kind_of_end(void **state)
{
    static const pg_stop ways[] = {PG_STOP_FAST, PG_STOP_IMMEDIATE, PG_STOP_KILL};
    pg_server *server = *state;
    int port = pg_server_port(server);
    char *url = pg_server_new_database(server);
    assert_holds(url, "/db1");
    free(pg_server_sql(server, "db1", "CREATE TABLE kept (n int)"));
    for (size_t i = 0; i < 3; i++) {
        free(pg_server_sql(server, "db1", "INSERT INTO kept VALUES (%zu)", i));
        pg_server_stop(server, ways[i]);
        assert_false(pg_server_is_up(server));
        assert_false(pg_server_try(server, "db1", "SELECT 1"));
        pg_server_up(server);
        assert_int_equal(rows(server, "db1"), i + 1);
        assert_int_equal(pg_server_port(server), port);
    }
    char *fsync = pg_server_sql(server, "db1", "SHOW fsync");
    assert_string_equal(fsync, "on");
    free(fsync);
    free(url);
}

static void test_a_standby_that_is_promoted_has_all_that_was_acknowledged(void **state)
{
    pg_server *primary = *state;
    pg_server *one = pg_server_standby(primary, "one"), *two = pg_server_standby(primary, "two");
    pg_server_synchronous(primary, "one, two");
    free(pg_server_new_database(primary));
    free(pg_server_sql(primary, "db2", "CREATE TABLE kept (n int)"));
    assert_false(pg_server_try(one, "db2", "CREATE TABLE own (n int)"));
    pg_server_stop(two, PG_STOP_KILL); /* then it is `one` whose word counts */
    free(pg_server_sql(primary, "db2", "INSERT INTO kept SELECT generate_series(1, 1000)"));
    pg_server_stop(primary, PG_STOP_KILL);
    pg_server_promote(one);
    assert_int_equal(rows(one, "db2"), 1000);
    pg_server_up(two);
    pg_server_follow(two, one);
    pg_server_synchronous(one, "two"); /* returns when it streams */
    free(pg_server_sql(one, "db2", "INSERT INTO kept VALUES (1001)"));
    while (rows(two, "db2") != 1001)
        nap();
    pg_server *both[] = {primary, one};
    char *url = pg_server_url_of_all(both, 2, "db2"), ports[64];
    snprintf(ports, sizeof ports, "127.0.0.1:%d,127.0.0.1:%d/db2", pg_server_port(primary), pg_server_port(one));
    assert_holds(url, ports);
    free(url);
    pg_server_end(two);
    pg_server_end(one);
    pg_server_up(primary); /* as it was, for others */
    pg_server_set(primary, "synchronous_standby_names", "");
}

static void test_a_test_that_is_killed_leaves_no_server_and_no_folder(void **state)
{
    (void) state;
    int ends[2];
    char folder[200] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        pg_server *server = pg_server_start(NULL);
        const char *name = pg_server_folder(server);
        (void) !write(ends[1], name, strlen(name));
        for (;;)
            pause();
    }
    assert_true(read(ends[0], folder, sizeof folder - 1) > 0);
    assert_int_equal(access(folder, F_OK), 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    for (int i = 0; access(folder, F_OK) == 0; i++) {
        assert_true(i < 1500);
        nap();
    }
    close(ends[0]);
    close(ends[1]);
}

static int setup(void **state)
{
    *state = pg_server_start("max_connections = 40\n");
    return 0;
}

static int teardown(void **state)
{
    char folder[200];
    snprintf(folder, sizeof folder, "%s", pg_server_folder(*state));
    pg_server_end(*state);
    return access(folder, F_OK) == 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_committed_survives_each_kind_of_end),
        cmocka_unit_test(test_a_standby_that_is_promoted_has_all_that_was_acknowledged),
        cmocka_unit_test(test_a_test_that_is_killed_leaves_no_server_and_no_folder),
    };
    if (pg_server_missing())
        return pg_server_skipped();
    return cmocka_run_group_tests(tests, setup, teardown);
}
