/*
 * test_postgres.c -- the store on PostgreSQL: what cannot be opened is told with the remedy and without a password, and
 * a schema is made once, by one, and never over somebody else's.
 */
#include "suite.h"
#include "sql_shards.h"
#include "base/memory.h"
#include "store/postgres/pg.h"
#include "support/pg_server.h"
#include <fcntl.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static pg_server *server;
static char *url; /* of a database on it; with a password */

static void open_fails(const char *its_url, ctn_store_mode mode, int rc, const char *sentence)
{
    ctn_store *st = NULL;
    ctn_err err = {0};
    int got = ctn_store_open(its_url, mode, &st, &err);
    if (got == CTN_OK)
        ctn_store_close(st);
    if (got != rc || !strstr(err.message, sentence) || strstr(err.message, pg_server_password(server)))
        fail_msg("%s: %d \"%s\", and not %d \"%s\"", its_url, got, err.message, rc, sentence);
}

static char *with(const char *options)
{
    char *text = ctn_malloc(strlen(url) + strlen(options) + 1);
    memcpy(text, url, strlen(url));
    memcpy(text + strlen(url), options, strlen(options) + 1);
    return text;
}

static void fails_with(const char *options, ctn_store_mode mode, int rc, const char *sentence)
{
    char *its_url = with(options);
    open_fails(its_url, mode, rc, sentence);
    free(its_url);
}

/* postgres://USER:PASSWORD@127.0.0.1:PORT/DATABASE */
static char *other_url(const char *user, const char *password, const char *database)
{
    char *text = ctn_malloc(300);
    snprintf(text, 300, "postgres://%s%s%s@127.0.0.1:%d/%s", user, password ? ":" : "", password ? password : "",
             pg_server_port(server), database);
    return text;
}

/* ---- URLs ---- */

static void urls_that_say_something_wrong_are_refused_before_anybody_is_asked(void **state)
{
    (void) state;
    open_fails("postgres:db", CTN_STORE_READ, CTN_E_INVALID, "postgres://USER@HOST:PORT/DATABASE");
    open_fails("postgres://u:geheim@[::1/db", CTN_STORE_READ, CTN_E_INVALID, "no URL of PostgreSQL");
    open_fails("postgres://h/db?shards=0", CTN_STORE_READ, CTN_E_INVALID, "from 1 to 1024");
    open_fails("postgresql://h/db?shards=1025", CTN_STORE_READ, CTN_E_INVALID, "from 1 to 1024");
    open_fails("postgres://h/db?schema=No%22", CTN_STORE_READ, CTN_E_INVALID, "small letters");
    open_fails("postgres://h/db?pooler=yes", CTN_STORE_READ, CTN_E_INVALID, "transaction or session");
    open_fails("postgres://h/db?shard=1", CTN_STORE_READ, CTN_E_INVALID, "did you mean \"shards\"?");
    open_fails("postgre://h/db", CTN_STORE_READ, CTN_E_INVALID, "did you mean \"postgres:\"?");
    assert_int_equal(ctn_store_url_check("postgres://h1,h2:5433/db?sslmode=require&schema=a&shards=16", NULL), CTN_OK);
    assert_int_equal(ctn_store_url_file("postgres://x").len, 0);
}

static void a_url_is_told_without_its_password(void **state)
{
    (void) state;
    static const char *const CASES[][2] = {
        {"postgres://me:geheim@h1,h2:5433/db?schema=a&shards=16", "postgres://me@h1,h2:5433/db?schema=a"},
        {"postgresql://h/db?user=me&password=geheim", "postgres://me@h/db"},
        {"postgres:///db?service=agency&passfile=x", "postgres:///db?service=agency"},
        {"postgres://me:ge%heim@h/db", "postgres://..."},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char text[CTN_STORE_SHOWN_BYTES];
        ctn_store_url_shown(CASES[i][0], text, sizeof text);
        assert_string_equal(text, CASES[i][1]);
    }
    ctn_err err = {0};
    assert_int_equal(ctn_store_url_check("postgres://me:ge%heim@h/db", &err), CTN_E_INVALID);
    assert_null(strstr(err.message, "heim"));
}

/* ---- connecting ---- */

static void who_cannot_connect_is_told_why_and_what_to_do(void **state)
{
    (void) state;
    char *its_url = other_url("catena", "wrong", "db1");
    open_fails(its_url, CTN_STORE_CREATE, CTN_E_DENIED, "refuses the password of \"catena\"; a password comes from");
    free(its_url);
    its_url = other_url("catena", NULL, "db1");
    open_fails(its_url, CTN_STORE_CREATE, CTN_E_DENIED, "none was given; a password comes from PGPASSWORD");
    free(its_url);
    its_url = other_url("catena", pg_server_password(server), "nowhere");
    open_fails(its_url, CTN_STORE_CREATE, CTN_E_NOT_FOUND, "no database \"nowhere\"; `createdb nowhere`");
    free(its_url);
    open_fails("postgres://u:geheim@127.0.0.1:1/db", CTN_STORE_CREATE, CTN_E_BUSY, "127.0.0.1:1 cannot be reached");
    open_fails("postgres://u:geheim@%2Fnowhere/db", CTN_STORE_CREATE, CTN_E_BUSY, "/nowhere/.s.PGSQL.5432");
    open_fails("postgres://u@no-such-host.invalid/db", CTN_STORE_CREATE, CTN_E_BUSY, "is its name right?");
    open_fails("postgres:///db?service=no_such_service", CTN_STORE_CREATE, CTN_E_INVALID, "no_such_service");
}

static void a_full_server_says_so(void **state)
{
    (void) state;
    free(pg_server_sql(server, "db1", "CREATE ROLE guest LOGIN PASSWORD 'guest' CONNECTION LIMIT 0"));
    char *its_url = other_url("guest", "guest", "db1");
    open_fails(its_url, CTN_STORE_CREATE, CTN_E_BUSY, "has no connection left");
    free(its_url);
}

static void who_lacks_rights_is_told_which(void **state)
{
    (void) state;
    free(pg_server_sql(server, "db1",
                       "CREATE ROLE weak LOGIN PASSWORD 'weak'; REVOKE CREATE ON DATABASE db1 FROM PUBLIC"));
    char *its_url = other_url("weak", "weak", "db1?schema=weak_store");
    open_fails(its_url, CTN_STORE_CREATE, CTN_E_DENIED, "CREATE on the database");
    free(its_url);
    assert_int_equal(pg_server_number(server, "db1", "SELECT count(*) FROM pg_namespace WHERE nspname = 'weak_store'"),
                     0);
}

static void a_server_that_takes_no_writes_is_named(void **state)
{
    (void) state;
    free(pg_server_sql(server, "db1", "CREATE ROLE looker LOGIN PASSWORD 'x'"));
    free(pg_server_sql(server, "db1", "ALTER ROLE looker SET default_transaction_read_only = on"));
    char *its_url = other_url("looker", "x", "db1");
    open_fails(its_url, CTN_STORE_CREATE, CTN_E_DENIED, "takes no writes");
    free(its_url);
}

static void a_password_comes_from_where_libpq_looks(void **state)
{
    (void) state;
    char name[] = "/tmp/catena-pgpass-XXXXXX", *its_url = other_url("catena", NULL, "db1?schema=by_file");
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    dprintf(fd, "127.0.0.1:%d:*:catena:%s\n", pg_server_port(server), pg_server_password(server));
    close(fd);
    setenv("PGPASSFILE", name, 1);
    ctn_store *st = NULL;
    assert_ok(ctn_store_open(its_url, CTN_STORE_CREATE, &st, &err_));
    ctn_store_close(st);
    unsetenv("PGPASSFILE");
    free(its_url);
    fd = open(name, O_WRONLY | O_TRUNC);
    dprintf(fd, "[agency]\nhost=127.0.0.1\nport=%d\nuser=catena\npassword=%s\ndbname=db1\n", pg_server_port(server),
            pg_server_password(server));
    close(fd);
    setenv("PGSERVICEFILE", name, 1);
    assert_ok(ctn_store_open("postgres:///?service=agency&schema=by_file", CTN_STORE_READ, &st, &err_));
    ctn_store_close(st);
    unsetenv("PGSERVICEFILE");
    unlink(name);
}

/* ---- the schema ---- */

static void what_is_missing_older_or_newer_is_told_by_name(void **state)
{
    (void) state;
    ctn_store *st = NULL;
    ctn_store_version version;
    fails_with("?schema=life", CTN_STORE_READ, CTN_E_NOT_FOUND, "there is no store in the database \"db1\"");
    fails_with("?schema=life", CTN_STORE_WRITE, CTN_E_NOT_FOUND, "`catena store init`");
    free(pg_server_sql(server, "db1", "CREATE SCHEMA life"));
    fails_with("?schema=life", CTN_STORE_WRITE, CTN_E_STATE, "is empty");
    char *its_url = with("?schema=life&shards=16");
    assert_ok(ctn_store_version_read(its_url, &version, &err_));
    assert_int_equal(version.found, 0);
    assert_ok(ctn_store_open(its_url, CTN_STORE_CREATE, &st, &err_));
    ctn_store_close(st);
    assert_int_equal(pg_server_number(server, "db1", "SELECT count(*) FROM life.shards"), 16);
    assert_ok(ctn_store_version_read(its_url, &version, &err_));
    assert_int_equal(version.found, version.newest);
    /* A newer program expanded it: this one goes on. */
    free(pg_server_sql(server, "db1", "UPDATE life.meta SET schema_number = 77"));
    assert_ok(ctn_store_open(its_url, CTN_STORE_CREATE, &st, &err_));
    ctn_store_close(st);
    assert_int_equal(pg_server_number(server, "db1", "SELECT schema_number FROM life.meta"), 77);
    /* And then took away what this one needs. */
    free(pg_server_sql(server, "db1", "UPDATE life.meta SET works_from = 77"));
    for (int mode = CTN_STORE_READ; mode <= CTN_STORE_CREATE; mode++)
        fails_with("?schema=life", (ctn_store_mode) mode, CTN_E_NEWER, "has schema 77 of a newer catena");
    assert_ok(ctn_store_version_read(its_url, &version, &err_));
    assert_int_equal(version.found, 77);
    free(its_url);
}

static void a_strangers_schema_is_left_alone(void **state)
{
    (void) state;
    free(pg_server_sql(server, "db1", "CREATE SCHEMA theirs; CREATE TABLE theirs.meta(name text)"));
    for (int mode = CTN_STORE_READ; mode <= CTN_STORE_CREATE; mode++)
        fails_with("?schema=theirs", (ctn_store_mode) mode, CTN_E_CORRUPT, "is another program's");
    assert_int_equal(pg_server_number(server, "db1",
                                      "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                                      " WHERE nspname = 'theirs'"),
                     1);
}

static void *open_once(void *its_url)
{
    ctn_store *st = NULL;
    ctn_err err = {0};
    int rc = ctn_store_open(its_url, CTN_STORE_CREATE, &st, &err);
    if (rc)
        print_error("%s\n", err.message);
    else
        ctn_store_close(st);
    return (void *) (intptr_t) rc;
}

static void of_many_that_come_at_once_one_makes_the_store(void **state)
{
    (void) state;
    char *its_url = with("?schema=crowd&shards=16");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_once, its_url), 0);
    for (int i = 0; i < 4; i++) {
        void *rc = NULL;
        pthread_join(threads[i], &rc);
        assert_int_equal((intptr_t) rc, CTN_OK);
    }
    assert_int_equal(pg_server_number(server, "db1", "SELECT count(*) FROM crowd.meta"), 1);
    assert_int_equal(pg_server_number(server, "db1", "SELECT count(*) FROM crowd.shards"), 16);
    free(its_url);
}

/* ---- what breaks in the middle ---- */

/* Between a handle and the server: carries everything, until it is told to lose what comes next. */
typedef enum losing {
    LOSE_NOTHING,
    LOSE_REQUEST, /* what is sent to the server, and the connection */
    LOSE_ANSWER,  /* what the server says to it, and the connection */
} losing;
typedef struct proxy {
    pthread_t thread;
    int listener, port, server_port;
    _Atomic losing losing;
    _Atomic bool is_over;
} proxy;

static bool carry(int from, int to)
{
    char bytes[65536];
    ssize_t count = read(from, bytes, sizeof bytes);
    for (ssize_t done = 0, n = 0; done < count; done += n)
        if ((n = send(to, bytes + done, (size_t) (count - done), MSG_NOSIGNAL)) <= 0)
            return false;
    return count > 0;
}

static void serve_one(proxy *p, int client)
{
    int upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t) p->server_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool goes_on = connect(upstream, (struct sockaddr *) &at, sizeof at) == 0;
    while (goes_on && !p->is_over) {
        struct pollfd fds[] = {{.fd = client, .events = POLLIN}, {.fd = upstream, .events = POLLIN}};
        if (poll(fds, 2, 50) <= 0)
            continue;
        if (fds[0].revents)
            goes_on = p->losing != LOSE_REQUEST && carry(client, upstream);
        if (goes_on && fds[1].revents)
            goes_on = p->losing != LOSE_ANSWER && carry(upstream, client);
    }
    p->losing = LOSE_NOTHING;
    close(upstream);
    close(client);
}

static void *run_proxy(void *ctx)
{
    proxy *p = ctx;
    while (!p->is_over) {
        struct pollfd fd = {.fd = p->listener, .events = POLLIN};
        if (poll(&fd, 1, 50) > 0)
            serve_one(p, accept4(p->listener, NULL, NULL, SOCK_CLOEXEC));
    }
    return NULL;
}

static char *proxy_begin(proxy *p, const char *options)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    *p = (proxy){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .server_port = pg_server_port(server)};
    assert_int_equal(bind(p->listener, (struct sockaddr *) &at, sizeof at), 0);
    assert_int_equal(listen(p->listener, 8), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *) &at, &size), 0);
    p->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&p->thread, NULL, run_proxy, p), 0);
    char *its_url = ctn_malloc(300);
    snprintf(its_url, 300, "postgres://catena:%s@127.0.0.1:%d/db1%s", pg_server_password(server), p->port, options);
    return its_url;
}

static void proxy_end(proxy *p)
{
    p->is_over = true;
    pthread_join(p->thread, NULL);
    close(p->listener);
}

typedef struct world {
    ctn_store *st, *reader;
    ctn_arena *arena;
    uint64_t epoch;
} world;

static world world_begin(const char *its_url, const char *options)
{
    world w = {.arena = ctn_arena_new(4096)};
    bool was_crash;
    char *direct = with(options);
    assert_ok(ctn_store_open(its_url, CTN_STORE_CREATE, &w.st, &err_));
    assert_ok(ctn_store_open(direct, CTN_STORE_READ, &w.reader, &err_));
    assert_ok(ctn_store_epoch_begin(w.st, &w.epoch, &was_crash, &err_));
    free(direct);
    return w;
}

static void world_end(world *w)
{
    ctn_store_close(w->st);
    ctn_store_close(w->reader);
    ctn_arena_free(w->arena);
}

static int create(world *w, int64_t exec_no, ctn_outcome *ret_outcome, ctn_err *err)
{
    ctn_execution_row row = suite_row(exec_no);
    ctn_append append = {.exec_no = exec_no,
                         .epoch = w->epoch,
                         .row = &row,
                         .count = 2,
                         .records = suite_records(w->arena, exec_no, 0, NULL, 2)};
    return ctn_store_commit(w->st, &append, 1, ret_outcome, err);
}

/* Until it is not BUSY any more. */
static ctn_outcome create_at_last(world *w, int64_t exec_no)
{
    ctn_outcome outcome;
    ctn_err err = {0};
    int rc = CTN_E_BUSY;
    for (int tries = 0; rc == CTN_E_BUSY && tries < 200; tries++) {
        rc = create(w, exec_no, &outcome, &err);
        if (rc)
            usleep(50000);
    }
    if (rc)
        fail_msg("%d %s", rc, err.message);
    return outcome;
}

static void a_commit_whose_answer_is_lost_is_unknown_and_whole(void **state)
{
    (void) state;
    static const losing WHAT[] = {LOSE_ANSWER, LOSE_REQUEST};
    proxy p;
    ctn_outcome outcome;
    char *its_url = proxy_begin(&p, "?schema=lost&shards=1");
    world w = world_begin(its_url, "?schema=lost");
    assert_int_equal(create_at_last(&w, 1), CTN_OUTCOME_ACCEPTED);
    for (int i = 0; i < 2; i++) {
        int64_t no = 2 + i;
        ctn_err err = {0};
        p.losing = WHAT[i];
        assert_int_equal(create(&w, no, &outcome, &err), CTN_E_IO);
        assert_non_null(strstr(err.message, "is not known"));
        assert_null(strstr(err.message, pg_server_password(server)));
        /* It is there, whole, or nothing of it is: and the store says which. */
        size_t entries = suite_journal_check(w.reader, no);
        assert_int_equal(entries, WHAT[i] == LOSE_ANSWER ? 2 : 0);
        assert_int_equal(create_at_last(&w, no), entries ? CTN_OUTCOME_STALE_SEQ : CTN_OUTCOME_ACCEPTED);
    }
    world_end(&w);
    proxy_end(&p);
    free(its_url);
}

static void a_server_that_was_restarted_is_found_again(void **state)
{
    (void) state;
    ctn_outcome outcome;
    ctn_err err = {0};
    char *its_url = with("?schema=again&shards=1");
    world w = world_begin(its_url, "?schema=again");
    assert_int_equal(create_at_last(&w, 1), CTN_OUTCOME_ACCEPTED);
    pg_server_restart(server, PG_STOP_FAST); /* between two commits: nobody sees it */
    assert_ok(create(&w, 2, &outcome, &err_));
    pg_server_stop(server, PG_STOP_KILL);
    assert_int_equal(create(&w, 3, &outcome, &err), CTN_E_BUSY);
    assert_non_null(strstr(err.message, "is it running"));
    pg_server_up(server);
    assert_int_equal(create_at_last(&w, 3), CTN_OUTCOME_ACCEPTED);
    usleep(1100000); /* the reader's pause */
    for (int64_t no = 1; no <= 3; no++)
        assert_int_equal(suite_journal_check(w.reader, no), 2);
    world_end(&w);
    free(its_url);
}

/* ---- what was acknowledged, and is gone ---- */

static ctn_outcome append_at_last(world *w, int64_t exec_no, uint64_t seq_expected)
{
    ctn_append append = {.exec_no = exec_no,
                         .epoch = w->epoch,
                         .seq_expected = seq_expected,
                         .count = 1,
                         .records = suite_records(w->arena, exec_no, 0, NULL, seq_expected + 1) + seq_expected};
    ctn_outcome outcome;
    ctn_err err = {0};
    int rc = CTN_E_BUSY;
    for (int tries = 0; rc == CTN_E_BUSY && tries < 200; tries++)
        if ((rc = ctn_store_commit(w->st, &append, 1, &outcome, &err)) != CTN_OK)
            usleep(50000);
    if (rc)
        fail_msg("%d %s", rc, err.message);
    return outcome;
}

/* Has this connection of the writer's asked for the end of a journal? */
static bool has_asked_for_ends(const world *w)
{
    PGresult *r = NULL;
    assert_ok(ctn_pg_ask(((pg_store *) w->st)->db, "looking",
                         "SELECT 1 FROM pg_prepared_statements"
                         " WHERE statement LIKE '%c.seq IS DISTINCT FROM%' AND statement NOT LIKE '%pg_prepared%'",
                         NULL, &r, &err_));
    bool has = PQntuples(r) > 0;
    PQclear(r);
    return has;
}

/* A standby is promoted that does not have the last entry: it is found over the next connection, and is not asked for
 * over the one that has written it. */
static void a_journal_that_lost_its_end_takes_nothing_over_the_next_connection(void **state)
{
    (void) state;
    char *its_url = with("?schema=ends&shards=1");
    world w = world_begin(its_url, "?schema=ends");
    assert_int_equal(create_at_last(&w, 1), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(append_at_last(&w, 1, 2), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(append_at_last(&w, 1, 3), CTN_OUTCOME_ACCEPTED);
    assert_false(has_asked_for_ends(&w));
    assert_int_equal(append_at_last(&w, 1, 3), CTN_OUTCOME_STALE_SEQ); /* it is longer */
    assert_int_equal(append_at_last(&w, 1, 5), CTN_OUTCOME_STALE_SEQ);
    assert_int_equal(append_at_last(&w, 1, 4), CTN_OUTCOME_ACCEPTED);
    free(pg_server_sql(server, "db1", "DELETE FROM ends.execution_journal WHERE shard = 0 AND seq = 5"));
    free(pg_server_sql(server, "db1", "SELECT pg_terminate_backend(%d)",
                       PQbackendPID(ctn_pg_current(((pg_store *) w.st)->db))));
    assert_int_equal(append_at_last(&w, 1, 5), CTN_OUTCOME_STALE_SEQ);
    assert_true(has_asked_for_ends(&w));
    assert_int_equal(suite_journal_check(w.reader, 1), 4);
    assert_int_equal(append_at_last(&w, 1, 4), CTN_OUTCOME_ACCEPTED);
    world_end(&w);
    free(its_url);
}

/* ---- what is there, and no standby has it ---- */

typedef struct opener {
    const char *url;
    atomic_uint opened;
    atomic_bool is_over;
} opener;

static void *open_again_and_again(void *ctx)
{
    opener *o = ctx;
    while (!atomic_load(&o->is_over)) {
        ctn_store *st = NULL;
        if (ctn_store_open(o->url, CTN_STORE_WRITE, &st, NULL) == CTN_OK) {
            atomic_fetch_add(&o->opened, 1);
            ctn_store_close(st);
        }
    }
    return NULL;
}

static bool a_session_waits_for_a_standby(void)
{
    for (int i = 0; i < 1000; i++) {
        if (pg_server_number(server, "postgres",
                             "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'catena' AND wait_event = "
                             "'SyncRep'"))
            return true;
        poll(NULL, 0, 10);
    }
    return false;
}

/* A server that has come up again shows commits that only it has, until a standby is back. */
static void who_decides_reads_nothing_that_no_standby_has(void **state)
{
    char *its_url = pg_server_new_database(server);
    opener o = {.url = its_url};
    ctn_store *st = NULL;
    pthread_t thread;
    (void) state;
    assert_int_equal(ctn_store_open(its_url, CTN_STORE_CREATE, &st, NULL), CTN_OK);
    ctn_store_close(st);
    assert_int_equal(pthread_create(&thread, NULL, open_again_and_again, &o), 0);
    pg_server_set(server, "synchronous_standby_names", "nobody");
    bool is_waiting = a_session_waits_for_a_standby();
    unsigned opened = atomic_load(&o.opened);
    poll(NULL, 0, 200);
    unsigned later = atomic_load(&o.opened);
    int rc = ctn_store_open(its_url, CTN_STORE_READ, &st, NULL); /* people may look */
    if (rc == CTN_OK)
        ctn_store_close(st);
    pg_server_set(server, "synchronous_standby_names", "");
    while (is_waiting && atomic_load(&o.opened) == later)
        poll(NULL, 0, 10);
    atomic_store(&o.is_over, true);
    pthread_join(thread, NULL);
    assert_true(is_waiting);
    assert_int_equal(later, opened);
    assert_int_equal(rc, CTN_OK);
    free(its_url);
}

static void a_full_disk_is_told_and_nothing_is_half_done(void **state)
{
    (void) state;
    ctn_outcome outcome;
    ctn_err err = {0};
    char *its_url = with("?schema=packed&shards=1");
    world w = world_begin(its_url, "?schema=packed");
    assert_int_equal(create_at_last(&w, 1), CTN_OUTCOME_ACCEPTED);
    free(pg_server_sql(
        server, "db1",
        "CREATE FUNCTION packed.fails() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION"
        " ''could not extend file'' USING ERRCODE = ''53100''; END';"
        "CREATE TRIGGER fails BEFORE INSERT ON packed.execution_journal EXECUTE FUNCTION packed.fails()"));
    assert_int_equal(create(&w, 2, &outcome, &err), CTN_E_IO);
    assert_non_null(strstr(err.message, "its disk is full: make room there"));
    ctn_execution_row row;
    assert_int_equal(ctn_store_execution_by_no(w.reader, w.arena, 2, &row, NULL), CTN_E_NOT_FOUND);
    free(pg_server_sql(server, "db1", "DROP TRIGGER fails ON packed.execution_journal"));
    assert_int_equal(create_at_last(&w, 2), CTN_OUTCOME_ACCEPTED);
    world_end(&w);
    free(its_url);
}

static void of_the_tail_nothing_is_told_that_an_older_one_may_still_precede(void **state)
{
    (void) state;
    char *its_url = with("?schema=tail&shards=1");
    world w = world_begin(its_url, "?schema=tail");
    int64_t last = 0, before = 0;
    assert_int_equal(create_at_last(&w, 1), CTN_OUTCOME_ACCEPTED);
    assert_ok(ctn_store_position_last(w.reader, &before, &err_));
    assert_true(before > 0);
    PGconn *other = PQconnectdb(url); /* begins to write first, and commits last */
    PQclear(PQexec(other, "BEGIN; SELECT pg_current_xact_id()"));
    assert_int_equal(create_at_last(&w, 2), CTN_OUTCOME_ACCEPTED);
    assert_ok(ctn_store_position_last(w.reader, &last, &err_));
    assert_int_equal(last, before);
    PQclear(PQexec(other, "COMMIT"));
    PQfinish(other);
    assert_ok(ctn_store_position_last(w.reader, &last, &err_));
    assert_true(last > before);
    world_end(&w);
    free(its_url);
}

int main(void)
{
    const char *missing = pg_server_missing();
    if (missing) {
        print_message("skipped: %s\n", missing);
        return 0;
    }
    server = pg_server_start(SQL_SHARDS_SETTING);
    url = pg_server_new_database(server);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_that_say_something_wrong_are_refused_before_anybody_is_asked),
        cmocka_unit_test(a_url_is_told_without_its_password),
        cmocka_unit_test(who_cannot_connect_is_told_why_and_what_to_do),
        cmocka_unit_test(a_full_server_says_so),
        cmocka_unit_test(who_lacks_rights_is_told_which),
        cmocka_unit_test(a_server_that_takes_no_writes_is_named),
        cmocka_unit_test(a_password_comes_from_where_libpq_looks),
        cmocka_unit_test(what_is_missing_older_or_newer_is_told_by_name),
        cmocka_unit_test(a_strangers_schema_is_left_alone),
        cmocka_unit_test(of_many_that_come_at_once_one_makes_the_store),
        cmocka_unit_test(a_commit_whose_answer_is_lost_is_unknown_and_whole),
        cmocka_unit_test(a_server_that_was_restarted_is_found_again),
        cmocka_unit_test(a_journal_that_lost_its_end_takes_nothing_over_the_next_connection),
        cmocka_unit_test(who_decides_reads_nothing_that_no_standby_has),
        cmocka_unit_test(a_full_disk_is_told_and_nothing_is_half_done),
        cmocka_unit_test(of_the_tail_nothing_is_told_that_an_older_one_may_still_precede),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char *suite_url = with("?shards=1&schema=SCHEMA");
    failed += suite_run(suite_url, NULL, 0);
    free(suite_url);
    suite_url = with("?shards=1&schema=SCHEMA&pooler=transaction"); /* nothing is kept in a session */
    failed += suite_run_parts(suite_url, &(const suite_part *){&suite_commit}, 1);
    free(suite_url);
    free(url);
    failed += sql_shards_check(server, 90);
    pg_server_end(server);
    return failed;
}
