/*
 * test_link.c -- links that are cut, frozen and muted do that to a database connection and nothing else, and the
 * database knows who is calling.
 */
#include "fleet/link.h"
#include "support/cmocka.h"
#include "support/pg_server.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <libpq-fe.h>

typedef struct fixture {
    pg_server *server;
    links *links;
    int link, port;
} fixture;

static PGconn *connect_over(const fixture *f)
{
    char url[300];
    snprintf(url, sizeof url, "postgres://catena:%s@127.0.0.1:%d/postgres?connect_timeout=2&sslmode=disable",
             pg_server_password(f->server), f->port);
    return PQconnectdb(url);
}

/* Is there an answer within so long? */
static bool answers_within(PGconn *c, int ms)
{
    struct pollfd fd = {.fd = PQsocket(c), .events = POLLIN};
    while (PQconsumeInput(c) && PQisBusy(c))
        if (poll(&fd, 1, ms) == 0)
            return false;
    return PQstatus(c) == CONNECTION_OK;
}

static void finish(PGconn *c)
{
    for (PGresult *r; (r = PQgetResult(c));)
        PQclear(r);
}

static void test_the_server_sees_who_is_calling(void **state)
{
    fixture *f = *state;
    PGconn *c = connect_over(f);
    PGresult *r = PQexec(c, "SELECT host(inet_client_addr())");
    assert_string_equal(PQgetvalue(r, 0, 0), "127.0.0.12");
    PQclear(r);
    assert_true(link_bytes(f->links, f->link) > 100);
    PQfinish(c);
}

static void test_what_was_frozen_arrives_later(void **state)
{
    fixture *f = *state;
    PGconn *c = connect_over(f);
    link_set(f->links, f->link, LINK_FROZEN);
    assert_int_equal(PQsendQuery(c, "SELECT 1"), 1);
    assert_false(answers_within(c, 300));
    link_set(f->links, f->link, LINK_OPEN);
    assert_true(answers_within(c, 10000));
    finish(c);
    PQfinish(c);
}

static void test_a_muted_link_loses_the_answer_and_not_the_commit(void **state)
{
    fixture *f = *state;
    PGconn *c = connect_over(f);
    free(pg_server_sql(f->server, "postgres", "CREATE TABLE said (n int)"));
    link_set(f->links, f->link, LINK_MUTE);
    assert_int_equal(PQsendQuery(c, "INSERT INTO said VALUES (1)"), 1);
    assert_false(answers_within(c, 300));
    assert_int_equal(pg_server_number(f->server, "postgres", "SELECT count(*) FROM said"), 1);
    link_set(f->links, f->link, LINK_CUT);
    finish(c);
    assert_int_equal(PQstatus(c), CONNECTION_BAD);
    PQfinish(c);
    c = connect_over(f);
    assert_int_equal(PQstatus(c), CONNECTION_BAD);
    PQfinish(c);
    link_set(f->links, f->link, LINK_OPEN);
    c = connect_over(f);
    assert_int_equal(PQstatus(c), CONNECTION_OK);
    PQfinish(c);
}

static int setup(void **state)
{
    static fixture f;
    f.server = pg_server_start(NULL);
    f.links = links_new();
    f.link = link_add(f.links, pg_server_port(f.server), 12, &f.port);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    links_free(f->links);
    pg_server_end(f->server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_server_sees_who_is_calling),
        cmocka_unit_test(test_what_was_frozen_arrives_later),
        cmocka_unit_test(test_a_muted_link_loses_the_answer_and_not_the_commit),
    };
    if (pg_server_missing())
        return pg_server_skipped();
    return cmocka_run_group_tests(tests, setup, teardown);
}
