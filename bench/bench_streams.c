/*
 * bench_streams -- event streams of the real `catena serve`: what thousands cost that wait, what one event costs that
 * reaches all, and what they cost others.
 *
 *     bench_streams KEY CATENA DIR [STREAMS [SECONDS]]
 *
 * The streams follow cancellations alone, so that starts beside them tell them nothing: those are measured one after
 * the other, with and without the streams. Then one execution is cancelled, and all have to hear of it.
 */
#include "kit.h"
#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define STARTS 300

static const char chain_text[] = "id: rest\ninstructionSets:\n  rest: {wait: {ms: 3600000}}\nsteps:\n"
                                 "  - {stepName: rest, instructionSet: rest}\n";

static double now_s(void)
{
    return bench_seconds(CLOCK_MONOTONIC);
}

static void put(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) != (ssize_t) strlen(text))
        bench_die("a request", strerror(errno));
}

static void read_until(int fd, char *text, size_t size, const char *mark)
{
    size_t len = 0;
    text[0] = '\0';
    while (!strstr(text, mark)) {
        ssize_t n = read(fd, text + len, size - 1 - len);
        if (n <= 0)
            bench_die("an answer", n ? strerror(errno) : "the server has hung up");
        len += (size_t) n;
        text[len] = '\0';
        if (len > size / 2 && !strstr(text, mark)) { /* its end may be half of the mark */
            memmove(text, text + len - 64, 65);
            len = 64;
        }
    }
}

static void ask(int fd, int port, const char *target, const char *body, char text[8192])
{
    (void) snprintf(text, 8192,
                    "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: "
                    "%zu\r\n\r\n%s",
                    target, port, strlen(body), body);
    put(fd, text);
    read_until(fd, text, 8192, "\"executionId\":\"");
    while (recv(fd, text + 4096, 4096, MSG_DONTWAIT) > 0)
        ; /* the rest of it */
}

static void measure_starts(const char *key, const char *name, int fd, int port, pid_t server)
{
    char text[8192], path[256];
    bench_samples latency = {0};
    double cpu_s = bench_process_cpu_s(server);
    for (int i = 0; i < STARTS; i++) {
        double began_s = now_s();
        ask(fd, port, "/v1/executions", "{\"chain\":\"rest\"}", text);
        bench_samples_add(&latency, (now_s() - began_s) * 1e3);
        bench_sleep(0.002);
    }
    (void) snprintf(path, sizeof path, "%s/%s_start_p50_ms", key, name);
    bench_say(path, bench_samples_at(&latency, 0.5));
    (void) snprintf(path, sizeof path, "%s/%s_start_cpu_us", key, name);
    bench_say(path, (bench_process_cpu_s(server) - cpu_s) * 1e6 / STARTS);
    bench_samples_free(&latency);
}

static double resident_kib(pid_t pid)
{
    char path[64], line[256];
    unsigned long kib = 0;
    (void) snprintf(path, sizeof path, "/proc/%d/status", (int) pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "VmRSS: %lu", &kib) != 1)
        ;
    if (f)
        (void) fclose(f);
    return (double) kib;
}

static void say(const char *key, const char *name, double value)
{
    char path[256];
    (void) snprintf(path, sizeof path, "%s/%s", key, name);
    bench_say(path, value);
}

int main(int argc, char **argv)
{
    size_t count = argc > 4 ? strtoul(argv[4], NULL, 10) : 10000;
    double span_s = argc > 5 ? strtod(argv[5], NULL) : 20;
    if (argc < 4 || count < 1 || span_s <= 0) {
        (void) fprintf(stderr, "usage: bench_streams KEY CATENA DIR [STREAMS [SECONDS]]\n");
        return 2;
    }
    struct rlimit files = {.rlim_cur = 0};
    static char text[65536];
    char config[256], target[128], id[40];
    int port = bench_free_port(), one = -1;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &files);
    }
    int *fds = calloc(count, sizeof *fds);
    if (!fds)
        bench_die("memory", "there is none");
    (void) snprintf(config, sizeof config, "include: [chain.yaml]\nhttp: {listen: \"127.0.0.1:%d\", rate: 1000000}\n",
                    port);
    bench_file_write(argv[3], "catena.yaml", config);
    bench_file_write(argv[3], "chain.yaml", chain_text);
    const char *const command[] = {argv[2], "serve", "--quiet", NULL};
    bench_program server = bench_program_start(command, argv[3]);
    for (int i = 0; i < 500 && (one = bench_dial(port)) < 0; i++)
        bench_sleep(0.02);
    if (one < 0)
        bench_die("catena serve", "does not listen");
    measure_starts(argv[1], "alone", one, port, server.pid);
    ask(one, port, "/v1/executions", "{\"chain\":\"rest\"}", text);
    (void) snprintf(id, sizeof id, "%.36s", strstr(text, "\"executionId\":\"") + 15);
    double kib = resident_kib(server.pid), cpu_s = bench_process_cpu_s(server.pid), began_s = now_s();
    (void) snprintf(
        text, sizeof text,
        "GET /v1/executions/%s/events?follow=true&kind=cancel_requested HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", id,
        port);
    for (size_t i = 0; i < count; i++) {
        if ((fds[i] = bench_dial(port)) < 0)
            bench_die("a stream", strerror(errno));
        put(fds[i], text);
    }
    for (size_t i = 0; i < count; i++)
        read_until(fds[i], text, sizeof text, "retry: ");
    say(argv[1], "streams", (double) count);
    say(argv[1], "open_s", now_s() - began_s);
    say(argv[1], "open_cpu_us_per_stream", (bench_process_cpu_s(server.pid) - cpu_s) * 1e6 / (double) count);
    say(argv[1], "bytes_per_stream", (resident_kib(server.pid) - kib) * 1024 / (double) count);
    cpu_s = bench_process_cpu_s(server.pid);
    bench_sleep(span_s); /* with a sign of life for each of them */
    say(argv[1], "idle_cpu_percent", (bench_process_cpu_s(server.pid) - cpu_s) * 100 / span_s);
    measure_starts(argv[1], "beside", one, port, server.pid);
    (void) snprintf(target, sizeof target, "/v1/executions/%s/cancel", id);
    cpu_s = bench_process_cpu_s(server.pid);
    began_s = now_s();
    ask(one, port, target, "{}", text);
    for (size_t i = 0; i < count; i++)
        read_until(fds[i], text, sizeof text, "event: cancel_requested");
    say(argv[1], "one_event_to_all_ms", (now_s() - began_s) * 1e3);
    say(argv[1], "one_event_cpu_us_per_stream", (bench_process_cpu_s(server.pid) - cpu_s) * 1e6 / (double) count);
    say(argv[1], "peak_mib", bench_peak_mib(server.pid));
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    close(one);
    (void) bench_program_end(&server, SIGTERM);
    free(fds);
    return 0;
}
