/*
 * nodes.c -- see nodes.h: folders, configurations and processes.
 */
#include "fleet/nodes.h"

#include "fleet/audit.h"
#include "fleet/client.h"
#include "base/memory.h"
#include "support/port.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char desk_program[] = CATENA_BUILD_DIR "/tests/peer_desk";
static const char catena_program[] = CATENA_BUILD_DIR "/catena";
static const char *const names[NODES_MAX] = {"one", "two", "three", "four"};
static const char *const server_names[SERVERS_MAX] = {"server0", "server1", "server2"};

/* What is done, each with the effect that its tool really has. A write has a check, so nothing needs a person. */
static const char sets_text[] =
    "instructionSets:\n"
    "  look: {tool: desk/look, effect: read, arguments: {line: '{input}'}}\n"
    "  book: {tool: desk/book, effect: write, settleMs: 1500, arguments: {line: '{input}', execution: "
    "'{execution.id}', "
    "step: '{step.name}'}, check: {tool: desk/booked, arguments: {key: '{step.key}'}}}\n"
    "  keep: {tool: web/keep, effect: idempotent, arguments: {line: '{input}', execution: '{execution.id}', step: "
    "'{step.name}'}}\n"
    "  pay: {tool: web/book, effect: write, settleMs: 1500, arguments: {line: '{input}', execution: '{execution.id}', "
    "step: '{step.name}'}, check: {tool: web/booked, arguments: {key: '{step.key}'}}}\n"
    "  nap: {wait: {ms: 1500}}\n"
    "  ask: {approval: {}}\n"
    "  hand-on: {chain: child, arguments: {word: '{input}'}}\n";

#define INPUT                                                                                                          \
    "inputSchema: {type: object, required: [n, line], properties: {n: {type: integer}, line: {type: string}}}\n"
#define RETRY "retryConfig: {maxRetries: 5, backoffMs: 20}"
static const struct {
    const char *name, *text;
} chains[] = {
    {"trip",
     "id: trip\n" INPUT "outputs: [d]\n"
     "steps:\n"
     "  - {stepName: look, instructionSet: look, inputTemplate: 'n{n}', outputVariables: {a: line}, " RETRY "}\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: '{a}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: keep, instructionSet: keep, inputTemplate: '{b}', outputVariables: {c: line}, " RETRY "}\n"
     "  - {stepName: pay, instructionSet: pay, inputTemplate: '{c}', outputVariables: {d: line}, " RETRY "}\n"},
    {"ask", "id: ask\n" INPUT "steps:\n"
            "  - {stepName: book, instructionSet: book, inputTemplate: 'n{n}', outputVariables: {b: line}, " RETRY "}\n"
            "  - {stepName: ask, instructionSet: ask, inputTemplate: 'Pay {b}?', outputVariables: [approved]}\n"
            "  - {stepName: pay, instructionSet: pay, inputTemplate: '{b}', outputVariables: {d: line}, " RETRY "}\n"},
    {"slow",
     "id: slow\n" INPUT "steps:\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: 'n{n}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: nap, instructionSet: nap}\n"
     "  - {stepName: pay, instructionSet: pay, inputTemplate: '{b}', outputVariables: {d: line}, " RETRY "}\n"},
    {"line",
     "id: line\n" INPUT "concurrencyKey: 'line {line}'\n"
     "steps:\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: 'n{n}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: keep, instructionSet: keep, inputTemplate: '{b}', outputVariables: {c: line}, " RETRY "}\n"},
    {"parent",
     "id: parent\n" INPUT "steps:\n"
     "  - {stepName: book, instructionSet: book, inputTemplate: 'n{n}', outputVariables: {b: line}, " RETRY "}\n"
     "  - {stepName: hand_on, instructionSet: hand-on, inputTemplate: '{b}', outputVariables: [word]}\n"
     "  - {stepName: keep, instructionSet: keep, inputTemplate: '{word}', outputVariables: {c: line}, " RETRY "}\n"},
    {"many", "id: many\n" INPUT "steps:\n"
             "  - {stepName: book, instructionSet: book, foreach: {items: {range: [0, 4]}, maxConcurrency: 2}, "
             "inputTemplate: 'n{item}', outputVariables: {lines: line}, " RETRY "}\n"
             "  - {stepName: keep, instructionSet: keep, inputTemplate: all, outputVariables: {c: line}, " RETRY "}\n"},
    {"child",
     "id: child\n"
     "inputSchema: {type: object, required: [word], properties: {word: {type: string}}}\n"
     "outputs: [word]\n"
     "steps:\n"
     "  - {stepName: pay, instructionSet: pay, inputTemplate: '{word}', outputVariables: {d: line}, " RETRY "}\n"},
};

static void must(bool is_well, const char *what)
{
    if (is_well)
        return;
    fprintf(stderr, "nodes: %s: %s\n", what, strerror(errno));
    abort();
}

int64_t nodes_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t nodes_time_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void nodes_nap(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long) (ms % 1000) * 1000000}, NULL);
}

/* ---- processes ---- */

static void write_file(const char *folder, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void write_file(const char *folder, const char *name, const char *format, ...)
{
    char path[400];
    va_list list;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    must(file != NULL, path);
    va_start(list, format);
    vfprintf(file, format, list);
    va_end(list);
    must(fchmod(fileno(file), 0600) == 0 && fclose(file) == 0, path);
}

/* This thread, or process, goes into the namespace of that one; 0: it stays. */
static bool enter(pid_t keeper)
{
    char path[64];
    if (keeper == 0)
        return true;
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int) keeper);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_in = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
    if (fd >= 0)
        close(fd);
    return is_in;
}

/* A child in a folder, that dies with us. more: of its environment; in, out: descriptors, or -1: nothing, the folder's
 * serve.log. */
static pid_t launch(const char *folder, const char *const *arguments, const char *const *more, pid_t keeper, int in,
                    int out)
{
    const char *environment[80];
    char path[400];
    size_t count = 0;
    for (char **e = environ; *e && count < 70; e++)
        if (strncmp(*e, "CATENA_", 7) != 0 && strncmp(*e, "PG", 2) != 0)
            environment[count++] = *e;
    for (size_t i = 0; more && i < 6 && more[i]; i++)
        environment[count++] = more[i];
    environment[count] = NULL;
    snprintf(path, sizeof path, "%s/serve.log", folder);
    pid_t parent = getpid(), pid = fork();
    must(pid >= 0, "no process");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || !enter(keeper))
        _exit(126);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600), nothing = open("/dev/null", O_RDONLY);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(in >= 0 ? in : nothing, 0) < 0 || dup2(out >= 0 ? out : log, 1) < 0 || dup2(log, 2) < 0 ||
        chdir(folder) != 0)
        _exit(126);
    close_range(3, ~0U, 0);
    execve(arguments[0], (char **) arguments, (char **) environment);
    _exit(127);
}

/* Runs it to its end, with exit code 0. */
static void run(const nodes *all, const char *folder, const char *const *arguments)
{
    int status = 0;
    pid_t pid = launch(folder, arguments, NULL, 0, -1, -1);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status != 0) {
        node_tell(all, 0);
        fprintf(stderr, "nodes: %s %s: status %d\n", arguments[0], arguments[1], status);
        abort();
    }
}

/* ---- the folders ---- */

static void start_web(nodes *all, char *url, size_t size)
{
    char delay[16];
    int in[2], out[2];
    snprintf(delay, sizeof delay, "%d", all->options.call_ms);
    const char *arguments[] = {desk_program, "http", all->ledger, delay, NULL};
    must(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipes");
    all->web_pid = launch(all->folder, arguments, NULL, 0, in[0], out[1]);
    all->web_stdin = in[1];
    close(in[0]);
    close(out[1]);
    ssize_t len = read(out[0], url, size - 1);
    close(out[0]);
    must(len > 0, "the HTTP tool server");
    url[len] = '\0';
    url[strcspn(url, "\n")] = '\0';
}

/* ---- hosts ---- */

/* A process that does nothing but keep a namespace: it goes with the process, and the cable with it. */
static pid_t start_keeper(void)
{
    int ready[2];
    char byte = 0;
    must(pipe2(ready, O_CLOEXEC) == 0, "a pipe");
    pid_t parent = getpid(), pid = fork();
    must(pid >= 0, "no process");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || unshare(CLONE_NEWNET) != 0 || write(ready[1], "", 1) != 1)
            _exit(126);
        close_range(3, ~0U, 0);
        for (;;)
            pause();
    }
    close(ready[1]);
    bool is_there = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    if (is_there)
        return pid;
    (void) waitpid(pid, NULL, 0);
    return 0;
}

static void end_keeper(pid_t keeper)
{
    if (keeper == 0)
        return;
    (void) kill(keeper, SIGKILL);
    while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* A cable from here to there: a network of two addresses that nobody uses (198.18.0.0/15 is for tests). */
static bool plug(pid_t keeper, const char *cable, const char *network, int i)
{
    char command[700];
    snprintf(command, sizeof command,
             "exec 2>/dev/null; ip link add %s type veth peer name eth0 netns %d && ip addr add %s.%d/30 dev %s && "
             "ip link set %s up && nsenter -t %d -n sh -c 'ip addr add %s.%d/30 dev eth0 && ip link set eth0 up && "
             "ip link set lo up'",
             cable, (int) keeper, network, 4 * i + 1, cable, cable, (int) keeper, network, 4 * i + 2);
    return system(command) == 0;
}

const char *nodes_hosts_missing(void)
{
    char cable[16];
    if (geteuid() != 0)
        return "network namespaces with cables between them need root";
    pid_t keeper = start_keeper();
    snprintf(cable, sizeof cable, "ct%dx", (int) getpid() % 100000);
    bool is_there = keeper != 0 && plug(keeper, cable, "198.19.255", 62);
    end_keeper(keeper);
    return is_there
               ? NULL
               : "this machine lets nobody make network namespaces with cables between them (unshare, ip, nsenter)";
}

static void make_host(node *n, int i)
{
    char network[16];
    snprintf(network, sizeof network, "198.18.%d", (int) getpid() % 250);
    snprintf(n->cable, sizeof n->cable, "ct%dn%d", (int) getpid() % 100000, i);
    snprintf(n->host, sizeof n->host, "%s.%d", network, 4 * i + 2);
    n->keeper = start_keeper();
    must(n->keeper != 0 && plug(n->keeper, n->cable, network, i), "a host");
}

static void write_node(nodes *all, int i, const char *web_url)
{
    static const char effects[] = "{book: write, booked: read, keep: idempotent, look: read}";
    node *n = &all->nodes[i];
    char hosts[200] = "", chain[40], web[900];
    if (all->options.has_hosts) {
        make_host(n, i);
        snprintf(hosts, sizeof hosts, "%.*s.%d:%d", (int) (strrchr(n->host, '.') - n->host), n->host, 4 * i + 1,
                 pg_server_port(all->servers[0]));
    }
    for (int s = 0; s < all->server_count && !n->keeper; s++) {
        int port;
        snprintf(n->host, sizeof n->host, "127.0.0.%d", 11 + i);
        n->links[s] = link_add(all->links, pg_server_port(all->servers[s]), 11 + (unsigned) i, &port);
        snprintf(hosts + strlen(hosts), sizeof hosts - strlen(hosts), "%s127.0.0.1:%d", s ? "," : "", port);
    }
    snprintf(n->name, sizeof n->name, "%s", names[i]);
    snprintf(n->folder, sizeof n->folder, "%s/%s", all->folder, names[i]);
    must(mkdir(n->folder, 0700) == 0, n->folder);
    n->api_port = free_port();
    for (size_t k = 0; k < sizeof chains / sizeof *chains; k++) {
        snprintf(chain, sizeof chain, "%s.yaml", chains[k].name);
        write_file(n->folder, chain, "%s", chains[k].text);
    }
    write_file(n->folder, "sets.yaml", "%s", sets_text);
    if (n->keeper) /* loopback is another one there */
        snprintf(web, sizeof web, "command: %s, args: [stdio, %s, %s, \"%d\"]", desk_program, all->ledger, n->name,
                 all->options.call_ms);
    else
        snprintf(web, sizeof web, "url: \"%s/%s\"", web_url, n->name);
    write_file(n->folder, "catena.yaml",
               "store: \"postgres://catena:%s@%s/%s\"\n"
               "node: {name: %s}\n"
               "servers:\n"
               "  desk: {command: %s, args: [stdio, %s, %s, \"%d\"], effects: %s}\n"
               "  web: {%s, effects: %s}\n"
               "include: [sets.yaml, trip.yaml, ask.yaml, slow.yaml, line.yaml, parent.yaml, many.yaml, child.yaml]\n"
               "%s",
               pg_server_password(all->servers[0]), hosts, all->database, n->name, desk_program, all->ledger, n->name,
               all->options.call_ms, effects, web, effects, all->options.settings ? all->options.settings : "");
}

/* The servers that run, but this one. */
static const char *standbys_of(const nodes *all, int primary, char *list, size_t size)
{
    list[0] = '\0';
    for (int i = 0; i < all->server_count; i++)
        if (i != primary && pg_server_is_up(all->servers[i]))
            snprintf(list + strlen(list), size - strlen(list), "%s%s", *list ? ", " : "", server_names[i]);
    return list;
}

nodes *nodes_new(const nodes_options *options)
{
    char url[100], standbys[100];
    const char *scratch = getenv("TMPDIR");
    nodes *all = ctn_calloc(1, sizeof *all);
    all->options = *options;
    snprintf(all->folder, sizeof all->folder, "%s/catena-fleet-XXXXXX", scratch && *scratch ? scratch : "/tmp");
    must(mkdtemp(all->folder) != NULL, all->folder);
    snprintf(all->ledger, sizeof all->ledger, "%s/ledger", all->folder);
    all->servers[0] =
        options->server ? options->server : pg_server_start(options->has_hosts ? "listen_addresses = '*'\n" : NULL);
    all->server_count = 1 + options->standbys;
    char *database = pg_server_new_database(all->servers[0]);
    snprintf(all->database, sizeof all->database, "%s", strrchr(database, '/') + 1);
    free(database);
    for (int i = 1; i < all->server_count; i++)
        all->servers[i] = pg_server_standby(all->servers[0], server_names[i]);
    if (options->standbys)
        pg_server_synchronous(all->servers[0], standbys_of(all, 0, standbys, sizeof standbys));
    all->links = links_new();
    start_web(all, url, sizeof url);
    for (int i = 0; i < options->count; i++)
        write_node(all, i, url);
    const char *init[] = {catena_program, "store", "init", "--quiet", NULL};
    run(all, all->nodes[0].folder, init);
    audit_install(all->servers[0], all->database);
    for (int i = 0; i < options->count; i++)
        audit_name(all->servers[0], all->database, all->nodes[i].host, all->nodes[i].name);
    return all;
}

void nodes_free(nodes *all)
{
    if (!all)
        return;
    for (int i = 0; i < all->options.count; i++) {
        node_kill(all, i);
        end_keeper(all->nodes[i].keeper);
    }
    if (all->web_pid) {
        close(all->web_stdin);
        while (waitpid(all->web_pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    links_free(all->links);
    for (int i = all->options.server ? 1 : 0; i < all->server_count; i++)
        pg_server_end(all->servers[i]);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", all->folder);
    if (!getenv("CATENA_CHAOS_KEEP") && system(command) != 0)
        fprintf(stderr, "nodes: %s stays\n", all->folder);
    free(all);
}

/* ---- what happens to a node ---- */

void node_start(nodes *all, int i)
{
    node *n = &all->nodes[i];
    char listen[40];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", n->api_port);
    const char *program = n->program ? n->program : catena_program;
    const char *arguments[] = {program, "serve", "--listen", listen, NULL};
    must(n->pid == 0, "it runs already");
    n->pid = launch(n->folder, arguments, n->environment, n->keeper, -1, -1);
    n->is_stopped = false;
}

typedef struct asking {
    const node *node;
    const char *method, *target, *headers, *body;
    char *answer;
    size_t size;
    int status;
} asking;

static void *ask_there(void *ctx)
{
    asking *a = ctx;
    if (enter(a->node->keeper))
        a->status = api_ask(a->node->api_port, a->method, a->target, a->headers, a->body, 4000, a->answer, a->size);
    return NULL;
}

int node_ask(const nodes *all, int i, const char *method, const char *target, const char *headers, const char *body,
             char *answer, size_t size)
{
    asking a = {.node = &all->nodes[i],
                .method = method,
                .target = target,
                .headers = headers,
                .body = body,
                .answer = answer,
                .size = size};
    pthread_t thread; /* a thread that has gone there stays there */
    if (a.node->keeper == 0)
        ask_there(&a);
    else
        must(pthread_create(&thread, NULL, ask_there, &a) == 0 && pthread_join(thread, NULL) == 0, "a thread");
    return a.status;
}

/* Has it ended by itself? */
static bool has_ended(node *n)
{
    if (n->pid && waitpid(n->pid, &n->status, WNOHANG) == n->pid)
        n->pid = 0;
    return n->pid == 0;
}

bool node_await(nodes *all, int i, int64_t limit_ms)
{
    char answer[200];
    for (int64_t until_ms = nodes_now_ms() + limit_ms; nodes_now_ms() < until_ms; nodes_nap(20)) {
        if (has_ended(&all->nodes[i]))
            return false;
        if (node_ask(all, i, "GET", "/v1/chains", "", NULL, answer, sizeof answer) == 200)
            return true;
    }
    return false;
}

void node_kill(nodes *all, int i)
{
    node *n = &all->nodes[i];
    if (n->pid == 0)
        return;
    (void) kill(n->pid, SIGKILL);
    while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    n->pid = 0;
}

int node_end(nodes *all, int i)
{
    node *n = &all->nodes[i];
    int status = 0;
    (void) kill(n->pid, SIGTERM);
    while (waitpid(n->pid, &status, 0) < 0 && errno == EINTR)
        ;
    n->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void node_stop(nodes *all, int i)
{
    all->nodes[i].is_stopped = true;
    (void) kill(all->nodes[i].pid, SIGSTOP);
}

void node_go(nodes *all, int i)
{
    all->nodes[i].is_stopped = false;
    (void) kill(all->nodes[i].pid, SIGCONT);
}

void node_link(nodes *all, int i, link_state state)
{
    char command[100];
    if (all->nodes[i].keeper) {
        snprintf(command, sizeof command, "ip link set %s %s", all->nodes[i].cable, state == LINK_OPEN ? "up" : "down");
        must(system(command) == 0, command);
        return;
    }
    for (int s = 0; s < all->server_count; s++)
        link_set(all->links, all->nodes[i].links[s], state);
}

void nodes_fail_over(nodes *all)
{
    char standbys[100];
    int old = all->primary, new = -1;
    int64_t most = -1;
    pg_server_stop(all->servers[old], PG_STOP_KILL);
    for (int i = 0; i < all->server_count; i++) {
        int64_t has = pg_server_is_up(all->servers[i]) ? pg_server_received(all->servers[i]) : -1;
        if (has > most) { /* a commit waited for one of them: it is where most is */
            most = has;
            new = i;
        }
    }
    must(new >= 0, "there is no standby left");
    /* before it is promoted: no commit is acknowledged that it alone has, if there is another */
    pg_server_waits_for(all->servers[new], standbys_of(all, new, standbys, sizeof standbys));
    pg_server_promote(all->servers[new]);
    all->primary = new;
    for (int i = 0; i < all->server_count; i++)
        if (i != new &&pg_server_is_up(all->servers[i]))
            pg_server_follow(all->servers[i], all->servers[new]);
}

void nodes_rejoin(nodes *all)
{
    char standbys[100];
    for (int i = 0; i < all->server_count; i++)
        if (!pg_server_is_up(all->servers[i]))
            pg_server_rejoin(all->servers[i], server_names[i], all->servers[all->primary]);
    pg_server_synchronous(all->servers[all->primary], standbys_of(all, all->primary, standbys, sizeof standbys));
}

pg_server *nodes_primary(const nodes *all)
{
    return all->servers[all->primary];
}

void node_tell(const nodes *all, int i)
{
    char path[400], text[4000];
    snprintf(path, sizeof path, "%s/serve.log", all->nodes[i].folder);
    FILE *file = fopen(path, "re");
    if (file && fseek(file, -3500, SEEK_END) != 0)
        rewind(file);
    size_t len = file ? fread(text, 1, sizeof text, file) : 0;
    fprintf(stderr, "---- the last that node %s (%s, status %d) said:\n%.*s\n", all->nodes[i].name,
            all->nodes[i].pid ? "running" : "ended", all->nodes[i].status, (int) len, text);
    if (file)
        fclose(file);
}
