/*
 * pg_server.c -- a PostgreSQL server of a test's own, from initdb to its last file.
 *
 * Processes: the postmaster is our child (its pid is ours to signal and wait for); a shell, the sweeper, reads a pipe
 * that only we write to. When we end, on purpose or not, the kernel tells the postmaster SIGQUIT ("immediate"), the
 * sweeper's read ends, and it removes the folder as soon as the postmaster's pid file is gone.
 */
#include "support/pg_server.h"
#include "support/cmocka.h"
#include "support/port.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

enum { PATIENCE_MS = 60000, CHILDREN_MAX = 512 };

struct pg_server {
    char folder[100], password[33], name[64];
    int port;
    uid_t uid;
    gid_t gid;
    pid_t pid; /* 0: down */
    pid_t sweeper;
    int sweeper_fd;
    unsigned databases;
};

static const char settings_all[] =
    "listen_addresses = '127.0.0.1'\n"
    "fsync = on\n"
    "synchronous_commit = on\n"
    "shared_buffers = 16MB\n"
    "min_wal_size = 32MB\n"
    "max_wal_size = 512MB\n"
    "max_connections = 100\n"
    "max_wal_senders = 6\n"
    "wal_keep_size = 128MB\n" /* a standby that was away for a while finds what it lacks */
    "hot_standby = on\n"
    "jit = off\n"
    "timezone = 'UTC'\n"
    "log_line_prefix = '%m [%p] %a '\n"
    "dynamic_shared_memory_type = mmap\n" /* in the folder, so that a kill leaves nothing elsewhere */
    "update_process_title = off\n";

static const char access_all[] = "local all all trust\n"
                                 "local replication all trust\n"
                                 "host all all all md5\n"
                                 "host replication all all md5\n";

/* ---- when something cannot be ---- */

static void __attribute__((noreturn, format(printf, 2, 3))) give_up(const pg_server *server, const char *format, ...)
{
    char path[200], text[3000];
    va_list list;
    va_start(list, format);
    fprintf(stderr, "pg_server: ");
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    if (server) {
        snprintf(path, sizeof path, "%s/log", server->folder);
        FILE *log = fopen(path, "r");
        if (log && fseek(log, -2000, SEEK_END) != 0)
            rewind(log);
        size_t len = log ? fread(text, 1, sizeof text, log) : 0;
        fprintf(stderr, "the end of its log:\n%.*s\n", (int) len, text);
        if (log)
            fclose(log);
    }
    abort();
}

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000000}, NULL);
}

/* ---- programs ---- */

/* Where initdb and postgres are; false: nowhere. Debian keeps them out of PATH, by version. */
static bool programs_folder(char *folder, size_t size)
{
    glob_t found = {0};
    bool is_there = glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0 && found.gl_pathc > 0;
    if (is_there)
        snprintf(folder, size, "%.*s", (int) (strlen(found.gl_pathv[found.gl_pathc - 1]) - strlen("/initdb")),
                 found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return is_there;
}

static const struct passwd *other_user(void)
{
    const struct passwd *user = getpwnam("postgres");
    return user ? user : getpwnam("nobody");
}

const char *pg_server_missing(void)
{
    char folder[300];
    if (!programs_folder(folder, sizeof folder))
        return "PostgreSQL is not installed (the Debian package is postgresql-15)";
    if (geteuid() == 0 && !other_user())
        return "PostgreSQL does not run as root, and there is no user \"postgres\" or \"nobody\"";
    return NULL;
}

static void test_needs_postgresql(void **state)
{
    (void) state;
    printf("%s\n", pg_server_missing());
    skip();
}

int pg_server_skipped(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_needs_postgresql)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Starts a program of PostgreSQL as the server's user, in its folder; it dies with us. */
static pid_t launch(const pg_server *server, const char *program, char **arguments)
{
    char programs[300], path[400], log[200], locale[] = "LC_ALL=C", password[64];
    if (!programs_folder(programs, sizeof programs))
        give_up(NULL, "%s", pg_server_missing());
    snprintf(path, sizeof path, "%s/%s", programs, program);
    snprintf(log, sizeof log, "%s/log", server->folder);
    snprintf(password, sizeof password, "PGPASSWORD=%s", server->password);
    char *environment[] = {locale, password, NULL};
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        give_up(server, "no process: %s", strerror(errno));
    if (pid > 0)
        return pid;
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(server->gid, server->gid, server->gid) != 0 ||
                           setresuid(server->uid, server->uid, server->uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* after the user was changed, which takes it back */
    if (getppid() != parent)
        _exit(126);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), in = open("/dev/null", O_RDONLY);
    if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || chdir(server->folder) != 0)
        _exit(126);
    close_range(3, ~0U, 0);
    arguments[0] = path; /* where it looks for the others */
    execve(path, arguments, environment);
    _exit(127);
}

static void run(const pg_server *server, const char *program, char **arguments)
{
    int status = 0;
    pid_t pid = launch(server, program, arguments);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        give_up(server, "%s failed (status %d)", program, status);
}

/* ---- the folder ---- */

static void write_file(const pg_server *server, const char *name, const char *mode, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", server->folder, name);
    FILE *file = fopen(path, mode);
    if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, 0600) != 0 ||
        (geteuid() == 0 && chown(path, server->uid, server->gid) != 0))
        give_up(server, "%s: %s", path, strerror(errno));
}

static void start_sweeper(pg_server *server)
{
    /* The pid in the file is the postmaster's: if SIGQUIT did not end it in ten seconds, SIGKILL does. */
    static const char script[] = "cat >/dev/null; n=0; f=\"$1/data/postmaster.pid\"\n"
                                 "while [ -f \"$f\" ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done\n"
                                 "[ -f \"$f\" ] && kill -KILL \"$(head -n 1 \"$f\")\"\n"
                                 "rm -rf \"$1\"";
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        give_up(server, "no pipe: %s", strerror(errno));
    server->sweeper = fork();
    if (server->sweeper < 0)
        give_up(server, "no process: %s", strerror(errno));
    if (server->sweeper == 0) {
        int nothing = open("/dev/null", O_WRONLY);
        setsid(); /* what ends our group does not end it */
        dup2(ends[0], 0);
        dup2(nothing, 1);
        dup2(nothing, 2);
        close_range(3, ~0U, 0);
        execl("/bin/sh", "sh", "-c", script, "sweeper", server->folder, (char *) NULL);
        _exit(127);
    }
    close(ends[0]);
    server->sweeper_fd = ends[1];
}

/* In memory where there is room: what is tested is what PostgreSQL does when processes die, which its files outlive
 * there too, and fsync=on costs nothing. */
static const char *scratch_folder(void)
{
    const char *said = getenv("TMPDIR"), *memory = "/dev/shm";
    struct statvfs room;
    if (said && *said)
        return said;
    bool has_room = access(memory, W_OK | X_OK) == 0 && statvfs(memory, &room) == 0 &&
                    (uint64_t) room.f_bavail * room.f_frsize >= UINT64_C(2) << 30;
    return has_room ? memory : "/tmp";
}

/* An empty folder of the right user, with somebody who removes it. */
static pg_server *new_server(void)
{
    unsigned char chance[16];
    pg_server *server = calloc(1, sizeof *server);
    if (!server)
        abort();
    server->uid = geteuid();
    server->gid = getegid();
    if (server->uid == 0) {
        const struct passwd *user = other_user();
        if (!user)
            give_up(NULL, "%s", pg_server_missing());
        server->uid = user->pw_uid;
        server->gid = user->pw_gid;
    }
    snprintf(server->folder, sizeof server->folder, "%s/catena-pg-XXXXXX", scratch_folder());
    if (!mkdtemp(server->folder) || chown(server->folder, server->uid, server->gid) != 0)
        give_up(NULL, "%s: %s", server->folder, strerror(errno));
    start_sweeper(server);
    if (getrandom(chance, sizeof chance, 0) != sizeof chance)
        give_up(NULL, "no chance: %s", strerror(errno));
    for (size_t i = 0; i < sizeof chance; i++)
        snprintf(server->password + 2 * i, 3, "%02x", chance[i]);
    server->port = free_port();
    return server;
}

static void write_settings(pg_server *server, const char *more)
{
    char own[400];
    snprintf(own, sizeof own, "port = %d\nunix_socket_directories = '%s'\n", server->port, server->folder);
    write_file(server, "data/postgresql.conf", "a", own);
    write_file(server, "data/postgresql.conf", "a", settings_all);
    if (more)
        write_file(server, "data/postgresql.conf", "a", more);
    write_file(server, "data/pg_hba.conf", "w", access_all);
}

/* ---- up and down ---- */

static bool ended(pg_server *server)
{
    if (server->pid && waitpid(server->pid, NULL, WNOHANG) == server->pid)
        server->pid = 0;
    return server->pid == 0;
}

void pg_server_up(pg_server *server)
{
    char data[120], *arguments[] = {(char *) "postgres", (char *) "-D", data, NULL};
    char *url = pg_server_url(server, "postgres");
    snprintf(data, sizeof data, "%s/data", server->folder);
    int64_t limit_ms = clock_ms() + PATIENCE_MS;
    while (server->pid == 0 || PQping(url) != PQPING_OK) {
        if (clock_ms() > limit_ms)
            give_up(server, "the server does not come up");
        if (ended(server)) /* not started yet; or it found the last one's memory still in use, or its port */
            server->pid = launch(server, "postgres", arguments);
        nap();
    }
    free(url);
}

/* Its processes but the postmaster. */
static size_t children_of(const pg_server *server, pid_t *children)
{
    char path[64];
    int child = 0;
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int) server->pid, (int) server->pid);
    FILE *file = fopen(path, "r");
    while (file && count < CHILDREN_MAX && fscanf(file, "%d", &child) == 1)
        children[count++] = child;
    if (file)
        fclose(file);
    return count;
}

static bool is_running(pid_t pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    fclose(file);
    return state != 'Z' && state != 'X';
}

/* What a killed server leaves outside of its folder: one piece of shared memory, told by its pid file. */
static void remove_memory(const pg_server *server)
{
    char path[200], line[300];
    unsigned long key = 0;
    int id = 0;
    snprintf(path, sizeof path, "%s/data/postmaster.pid", server->folder);
    FILE *file = fopen(path, "r");
    for (int i = 0; file && i < 7 && fgets(line, sizeof line, file); i++)
        if (i == 6 && sscanf(line, "%lu %d", &key, &id) == 2)
            (void) shmctl(id, IPC_RMID, NULL);
    if (file)
        fclose(file);
}

static void kill_all(pg_server *server)
{
    pid_t children[CHILDREN_MAX];
    (void) kill(server->pid, SIGSTOP); /* it makes no more of them */
    size_t count = children_of(server, children);
    (void) kill(server->pid, SIGKILL);
    for (size_t i = 0; i < count; i++)
        (void) kill(children[i], SIGKILL);
    for (size_t i = 0; i < count; i++)
        while (is_running(children[i]))
            nap();
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    server->pid = 0;
    remove_memory(server);
}

void pg_server_stop(pg_server *server, pg_stop how)
{
    if (ended(server))
        return;
    if (how == PG_STOP_KILL) {
        kill_all(server);
        return;
    }
    (void) kill(server->pid, how == PG_STOP_FAST ? SIGINT : SIGQUIT);
    int64_t limit_ms = clock_ms() + PATIENCE_MS;
    while (!ended(server)) {
        if (clock_ms() > limit_ms)
            give_up(server, "the server does not stop");
        nap();
    }
}

void pg_server_restart(pg_server *server, pg_stop how)
{
    pg_server_stop(server, how);
    pg_server_up(server);
}

bool pg_server_is_up(const pg_server *server)
{
    return server->pid != 0;
}

void pg_server_freeze(pg_server *server, bool is_frozen)
{
    pid_t children[CHILDREN_MAX];
    size_t count = children_of(server, children);
    for (size_t i = 0; i < count; i++)
        (void) kill(children[i], is_frozen ? SIGSTOP : SIGCONT);
    if (server->pid)
        (void) kill(server->pid, is_frozen ? SIGSTOP : SIGCONT);
}

pg_server *pg_server_start(const char *settings)
{
    char secret[64], *make[] = {(char *) "initdb",      (char *) "-D",
                                (char *) "data",        (char *) "-U",
                                (char *) "catena",      (char *) "--no-sync",
                                (char *) "-E",          (char *) "UTF8",
                                (char *) "--no-locale", (char *) "-A",
                                (char *) "md5",         (char *) "--pwfile",
                                (char *) "password",    NULL};
    pg_server *server = new_server();
    snprintf(secret, sizeof secret, "%s\n", server->password);
    write_file(server, "password", "w", secret);
    run(server, "initdb", make);
    write_settings(server, settings);
    pg_server_up(server);
    return server;
}

void pg_server_end(pg_server *server)
{
    if (!server)
        return;
    pg_server_freeze(server, false);
    pg_server_stop(server, PG_STOP_IMMEDIATE);
    close(server->sweeper_fd);
    while (waitpid(server->sweeper, NULL, 0) < 0 && errno == EINTR)
        ;
    free(server);
}

/* ---- where it is ---- */

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *text_of(const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        abort();
    va_end(list);
    return text;
}

char *pg_server_url(const pg_server *server, const char *database)
{
    return text_of("postgres://catena:%s@127.0.0.1:%d/%s", server->password, server->port, database);
}

char *pg_server_socket_url(const pg_server *server, const char *database)
{
    return text_of("postgres:///%s?host=%s&port=%d&user=catena", database, server->folder, server->port);
}

char *pg_server_url_of_all(pg_server *const *servers, size_t count, const char *database)
{
    char hosts[400] = "";
    for (size_t i = 0; i < count; i++)
        snprintf(hosts + strlen(hosts), sizeof hosts - strlen(hosts), "%s127.0.0.1:%d", i ? "," : "", servers[i]->port);
    return text_of("postgres://catena:%s@%s/%s", servers[0]->password, hosts, database);
}

char *pg_server_new_database(pg_server *server)
{
    char name[32];
    snprintf(name, sizeof name, "db%u", ++server->databases);
    free(pg_server_sql(server, "postgres", "CREATE DATABASE %s", name));
    return pg_server_url(server, name);
}

int pg_server_port(const pg_server *server)
{
    return server->port;
}

const char *pg_server_password(const pg_server *server)
{
    return server->password;
}

const char *pg_server_folder(const pg_server *server)
{
    return server->folder;
}

/* ---- SQL ---- */

/* NULL with *ret_value: fine. Else what is wrong, to be freed. */
static char *ask(pg_server *server, const char *database, const char *sql, char **ret_value)
{
    char *url = pg_server_socket_url(server, database), *wrong = NULL;
    PGconn *connection = PQconnectdb(url);
    PGresult *result = PQstatus(connection) == CONNECTION_OK ? PQexec(connection, sql) : NULL;
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        wrong = text_of("%s", PQerrorMessage(connection));
    else if (status == PGRES_TUPLES_OK && PQntuples(result) > 0 && PQnfields(result) > 0)
        *ret_value = text_of("%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(connection);
    free(url);
    return wrong;
}

char *pg_server_sql(pg_server *server, const char *database, const char *format, ...)
{
    char *sql = NULL, *value = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&sql, format, list) < 0)
        abort();
    va_end(list);
    char *wrong = ask(server, database, sql, &value);
    if (wrong)
        give_up(server, "%s: %s", sql, wrong);
    free(sql);
    return value;
}

int64_t pg_server_number(pg_server *server, const char *database, const char *format, ...)
{
    char *sql = NULL, *value = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&sql, format, list) < 0)
        abort();
    va_end(list);
    char *wrong = ask(server, database, sql, &value);
    if (wrong || !value)
        give_up(server, "%s: %s", sql, wrong ? wrong : "no row");
    int64_t number = strtoll(value, NULL, 10);
    free(sql);
    free(value);
    return number;
}

void pg_server_rows(pg_server *server, const char *database, const char *sql, void (*fn)(void *ctx, char *const *row),
                    void *ctx)
{
    enum { COLUMNS_MAX = 32 };
    char *url = pg_server_socket_url(server, database), *row[COLUMNS_MAX];
    PGconn *connection = PQconnectdb(url);
    if (PQstatus(connection) != CONNECTION_OK || !PQsendQuery(connection, sql) || !PQsetSingleRowMode(connection))
        give_up(server, "%s: %s", sql, PQerrorMessage(connection));
    for (PGresult *result; (result = PQgetResult(connection)); PQclear(result)) {
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
            give_up(server, "%s: %s", sql, PQerrorMessage(connection));
        for (int i = 0; i < PQntuples(result); i++) {
            for (int k = 0; k < PQnfields(result) && k < COLUMNS_MAX; k++)
                row[k] = PQgetisnull(result, i, k) ? NULL : PQgetvalue(result, i, k);
            fn(ctx, row);
        }
    }
    PQfinish(connection);
    free(url);
}

bool pg_server_try(pg_server *server, const char *database, const char *sql)
{
    char *value = NULL, *wrong = ask(server, database, sql, &value);
    bool is_done = !wrong;
    free(value);
    free(wrong);
    return is_done;
}

void pg_server_set(pg_server *server, const char *name, const char *value)
{
    free(pg_server_sql(server, "postgres", "ALTER SYSTEM SET %s = '%s'", name, value));
    free(pg_server_sql(server, "postgres", "SELECT pg_reload_conf()"));
}

/* ---- standbys ---- */

static char *streams_from(const pg_server *standby, const pg_server *primary)
{
    return text_of("host=127.0.0.1 port=%d user=catena password=%s application_name=%s", primary->port,
                   primary->password, standby->name);
}

/* An empty folder becomes a copy that streams. */
static void copy_from(pg_server *standby, const pg_server *primary)
{
    char *from = streams_from(standby, primary), *line = NULL;
    char *copied = text_of("host=127.0.0.1 port=%d user=catena", primary->port); /* PGPASSWORD has the rest */
    char *copy[] = {(char *) "pg_basebackup", (char *) "-D", (char *) "data", (char *) "-d", copied, (char *) "-X",
                    (char *) "stream",        (char *) "-c", (char *) "fast", (char *) "-N", NULL};
    run(standby, "pg_basebackup", copy);
    line = text_of("port = %d\nunix_socket_directories = '%s'\nprimary_conninfo = '%s'\n", standby->port,
                   standby->folder, from);
    write_file(standby, "data/postgresql.conf", "a", line); /* the last word counts */
    write_file(standby, "data/postgresql.auto.conf", "w", "");
    write_file(standby, "data/standby.signal", "w", "");
    pg_server_up(standby);
    free(copied);
    free(from);
    free(line);
}

pg_server *pg_server_standby(pg_server *primary, const char *name)
{
    pg_server *standby = new_server();
    snprintf(standby->name, sizeof standby->name, "%s", name);
    memcpy(standby->password, primary->password, sizeof standby->password); /* the cluster's, as everything in it */
    copy_from(standby, primary);
    return standby;
}

void pg_server_rejoin(pg_server *server, const char *name, const pg_server *primary)
{
    char *remove = text_of("rm -rf '%s/data'", server->folder);
    if (!ended(server) || system(remove) != 0)
        give_up(server, "what it was cannot be removed");
    snprintf(server->name, sizeof server->name, "%s", name);
    copy_from(server, primary);
    free(remove);
}

void pg_server_waits_for(pg_server *server, const char *names)
{
    char list[300] = "";
    if (*names)
        snprintf(list, sizeof list, "ANY 1 (%s)", names);
    pg_server_set(server, "synchronous_standby_names", list);
}

void pg_server_synchronous(pg_server *primary, const char *names)
{
    pg_server_waits_for(primary, names);
    unsigned count = *names ? 1 : 0;
    for (const char *at = names; (at = strchr(at, ',')); at++)
        count++;
    int64_t limit_ms = clock_ms() + PATIENCE_MS;
    while (pg_server_number(primary, "postgres",
                            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '%s'",
                            *names ? "quorum" : "async") < count) {
        if (clock_ms() > limit_ms)
            give_up(primary, "not all of %s stream", names);
        nap();
    }
}

int64_t pg_server_received(pg_server *standby)
{
    return pg_server_number(standby, "postgres",
                            "SELECT pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()),"
                            " '0/0')::bigint");
}

void pg_server_promote(pg_server *standby)
{
    free(pg_server_sql(standby, "postgres", "SELECT pg_promote(true, 60)"));
    int64_t limit_ms = clock_ms() + PATIENCE_MS;
    while (pg_server_number(standby, "postgres", "SELECT pg_is_in_recovery()::int") != 0) {
        if (clock_ms() > limit_ms)
            give_up(standby, "the standby is not promoted");
        nap();
    }
}

void pg_server_follow(pg_server *standby, const pg_server *primary)
{
    char *from = streams_from(standby, primary);
    pg_server_set(standby, "primary_conninfo", from);
    free(from);
}
