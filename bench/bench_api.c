/*
 * bench_api -- starts over the API of the real `catena serve`: so many a second, whatever becomes of them.
 *
 *     bench_api KEY CATENA DIR [RATE [SECONDS [CONNECTIONS]]]
 *
 * The load is open: a start is due at its moment, and its latency counts from there, also when every connection is
 * still busy with earlier ones, so that a server that stands still cannot hide it. Each is answered when it is on disk.
 * The chain has one native no-op step and runs meanwhile. Then the same connections for a quarter of the time as fast
 * as they can: what the server gives at most.
 */
#include "kit.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024

static const char chain_text[] = "id: one-step\n"
                                 "outputs: {a: \"{a}\"}\n"
                                 "instructionSets:\n"
                                 "  work: {native: noop, effect: idempotent}\n"
                                 "steps:\n"
                                 "  - {stepName: one, instructionSet: work, inputTemplate: '{text}', "
                                 "outputVariables: {a: input}}\n";

typedef struct connection {
    int fd;
    bool is_busy;
    double due_s;
    char text[8192];
    size_t len;
} connection;

typedef struct load {
    int port;
    char request[512];
    size_t request_len;
    connection *connections;
    size_t connection_count, turn;
    bench_samples latency_ms;
    uint64_t answered, refused;
} load;

static double now_s(void)
{
    return bench_seconds(CLOCK_MONOTONIC);
}

static void send_start(load *l, connection *c, double due_s)
{
    c->is_busy = true;
    c->due_s = due_s;
    c->len = 0;
    if (write(c->fd, l->request, l->request_len) != (ssize_t) l->request_len)
        bench_die("a request", strerror(errno));
}

/* Whole when as much body is there as was said. */
static bool is_whole(const connection *c)
{
    const char *body = memmem(c->text, c->len, "\r\n\r\n", 4);
    const char *length = memmem(c->text, c->len, "Content-Length: ", 16);
    return body && length && c->len >= (size_t) (body + 4 - c->text) + strtoul(length + 16, NULL, 10);
}

static void take_answer(load *l, connection *c)
{
    ssize_t n = read(c->fd, c->text + c->len, sizeof c->text - 1 - c->len);
    if (n <= 0)
        bench_die("an answer", n ? strerror(errno) : "the server has hung up");
    c->len += (size_t) n;
    c->text[c->len] = '\0';
    if (!is_whole(c))
        return;
    c->is_busy = false;
    if (strncmp(c->text, "HTTP/1.1 202", 12) == 0 || strncmp(c->text, "HTTP/1.1 200", 12) == 0)
        l->answered++;
    else
        l->refused++;
    bench_samples_add(&l->latency_ms, (now_s() - c->due_s) * 1e3);
}

static void take_answers(load *l, int wait_ms)
{
    struct pollfd polls[CONNECTIONS_MAX];
    for (size_t i = 0; i < l->connection_count; i++)
        polls[i] = (struct pollfd){.fd = l->connections[i].is_busy ? l->connections[i].fd : -1, .events = POLLIN};
    (void) poll(polls, l->connection_count, wait_ms);
    for (size_t i = 0; i < l->connection_count; i++)
        if (polls[i].fd >= 0 && polls[i].revents)
            take_answer(l, &l->connections[i]);
}

/* In turns: one that is never used would be closed by the server after a minute. */
static connection *idle(load *l)
{
    for (size_t i = 0; i < l->connection_count; i++) {
        connection *c = &l->connections[l->turn++ % l->connection_count];
        if (!c->is_busy)
            return c;
    }
    return NULL;
}

/* rate 0: as fast as they can. */
static double run(load *l, double rate, double span_s)
{
    double begin_s = now_s(), end_s = begin_s + span_s;
    uint64_t sent = 0;
    bench_samples_free(&l->latency_ms);
    l->latency_ms = (bench_samples){0};
    l->answered = l->refused = 0;
    while (now_s() < end_s) {
        connection *c = NULL;
        double due_s = rate > 0 ? begin_s + (double) sent / rate : now_s();
        while (due_s <= now_s() && due_s < end_s && (c = idle(l))) {
            send_start(l, c, due_s);
            sent++;
            due_s = rate > 0 ? begin_s + (double) sent / rate : now_s();
        }
        take_answers(l, c && rate > 0 ? 0 : 1);
    }
    for (int i = 0; i < 10000 && l->answered + l->refused < sent; i++)
        take_answers(l, 1);
    return now_s() - begin_s;
}

static void say(const char *key, const char *name, double value)
{
    char path[256];
    (void) snprintf(path, sizeof path, "%s/%s", key, name);
    bench_say(path, value);
}

static void measure(load *l, const char *key, pid_t server, double rate, double span_s)
{
    double cpu_s = bench_process_cpu_s(server), took_s = run(l, rate, span_s);
    cpu_s = bench_process_cpu_s(server) - cpu_s;
    if (!l->answered)
        bench_die("starts", "none was answered");
    say(key, "starts_per_s", (double) l->answered / took_s);
    say(key, "refused", (double) l->refused);
    say(key, "p50_ms", bench_samples_at(&l->latency_ms, 0.5));
    say(key, "p99_ms", bench_samples_at(&l->latency_ms, 0.99));
    say(key, "max_ms", bench_samples_at(&l->latency_ms, 1));
    say(key, "server_cpu_us_per_start", cpu_s * 1e6 / (double) l->answered);
}

int main(int argc, char **argv)
{
    double rate = argc > 4 ? strtod(argv[4], NULL) : 1000, span_s = argc > 5 ? strtod(argv[5], NULL) : 60;
    size_t count = argc > 6 ? strtoul(argv[6], NULL, 10) : 64;
    if (argc < 4 || rate <= 0 || span_s <= 0 || count < 1 || count > CONNECTIONS_MAX) {
        (void) fprintf(stderr, "usage: bench_api KEY CATENA DIR [RATE [SECONDS [CONNECTIONS]]]\n");
        return 2;
    }
    char listen[64], config[256], key[256];
    static const char body[] = "{\"chain\":\"one-step\",\"input\":{\"text\":\"hello\"}}";
    load l = {.port = bench_free_port(), .connection_count = count};
    (void) signal(SIGPIPE, SIG_IGN);
    (void) snprintf(listen, sizeof listen, "127.0.0.1:%d", l.port);
    (void) snprintf(config, sizeof config, "include: [chain.yaml]\nhttp: {listen: \"%s\", rate: 1000000}\n", listen);
    bench_file_write(argv[3], "catena.yaml", config);
    bench_file_write(argv[3], "chain.yaml", chain_text);
    const char *const command[] = {argv[2], "serve", "--quiet", NULL};
    bench_program server = bench_program_start(command, argv[3]);
    l.request_len = (size_t) snprintf(l.request, sizeof l.request,
                                      "POST /v1/executions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                                      "Content-Length: %zu\r\n\r\n%s",
                                      listen, sizeof body - 1, body);
    l.connections = calloc(count, sizeof *l.connections);
    if (!l.connections)
        bench_die("memory", "there is none");
    int fd = -1;
    for (int i = 0; i < 500 && (fd = bench_dial(l.port)) < 0; i++)
        bench_sleep(0.02);
    if (fd < 0)
        bench_die("catena serve", "does not listen");
    l.connections[0].fd = fd;
    for (size_t i = 1; i < count; i++)
        if ((l.connections[i].fd = bench_dial(l.port)) < 0)
            bench_die("a connection", strerror(errno));
    (void) run(&l, rate, span_s / 20); /* warm */
    measure(&l, argv[1], server.pid, rate, span_s);
    say(argv[1], "peak_mib", bench_peak_mib(server.pid));
    (void) snprintf(key, sizeof key, "%s/at_most", argv[1]);
    measure(&l, key, server.pid, 0, span_s / 4);
    for (size_t i = 0; i < count; i++)
        close(l.connections[i].fd);
    (void) bench_program_end(&server, SIGTERM);
    free(l.connections);
    bench_samples_free(&l.latency_ms);
    return 0;
}
