/*
 * api_kit.c -- see api_kit.h.
 */
#include "unit/server/api_kit.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "loop/spawn.h"
#include "server/api/api.h"
#include "support/cmocka.h"

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    (void) snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void die(void *ctx)
{
    (void) ctx;
    _exit(1);
}

static bool never(void *ctx)
{
    (void) ctx;
    return false;
}

static void need(int rc, const ctn_err *err)
{
    if (!rc)
        return;
    (void) fprintf(stderr, "api_kit: %s\n", err->message);
    _exit(1);
}

static void serve(int report, const char *folder)
{
    char config[96];
    ctn_workspace ws;
    ctn_spawner *spawner = NULL;
    ctn_front *front = NULL;
    ctn_api *api = NULL;
    ctn_err err = {0};
    ctn_arena *arena = ctn_arena_new(65536);
    (void) snprintf(config, sizeof config, "%s/catena.yaml", folder);
    need(ctn_spawner_start(&spawner, &err), &err);
    need(ctn_workspace_open(arena, config, NULL, NULL, &ws, &err), &err);
    ctn_host *host = ctn_host_new(&(ctn_host_options){.ws = &ws, .spawner = spawner, .second_signal = die});
    need(ctn_host_own(host, CTN_STORE_CREATE, true, &err), &err);
    ctn_front_options options = {.loop = ctn_host_loop(host),
                                 .config = &ws.config->http,
                                 .access = ctn_host_access(host),
                                 .address = CTN_STR("127.0.0.1:0")};
    need(ctn_front_open(&options, &front, &err), &err);
    need(ctn_api_open(host, ctn_host_access(host), front, &api, &err), &err);
    int port = (int) strtol(strrchr(ctn_front_url(front), ':') + 1, NULL, 10);
    if (write(report, &port, sizeof port) != sizeof port)
        _exit(1);
    (void) ctn_host_run(host, never, NULL);
    ctn_api_close(api);
    ctn_front_close(front);
    ctn_host_close(host);
    ctn_spawner_stop(spawner);
    ctn_arena_free(arena);
    exit(0); /* and what it forgot is told by whoever looks for leaks */
}

int api_kit_setup(void **state, const char *const *chains, const char *http)
{
    api_kit *k = calloc(1, sizeof *k);
    char text[4096];
    int report[2];
    assert_non_null(k);
    k->arena = ctn_arena_new(65536);
    (void) snprintf(k->folder, sizeof k->folder, "/tmp/api-kit-XXXXXX");
    assert_non_null(mkdtemp(k->folder));
    (void) snprintf(text, sizeof text, "include: [\"chain-*.yaml\"]\nsealing: {key: {file: catena.key}}\nhttp: {%s}\n",
                    http);
    write_file(k->folder, "catena.yaml", text);
    for (size_t i = 0; chains[i]; i++) {
        (void) snprintf(text, sizeof text, "chain-%zu.yaml", i);
        write_file(k->folder, text, chains[i]);
    }
    assert_int_equal(pipe(report), 0);
    k->place.pid = fork();
    assert_true(k->place.pid >= 0);
    if (k->place.pid == 0) {
        (void) signal(SIGPIPE, SIG_IGN);
        serve(report[1], k->folder);
    }
    close(report[1]);
    assert_int_equal(read(report[0], &k->place.port, sizeof k->place.port), sizeof k->place.port);
    close(report[0]);
    *state = k;
    return 0;
}

int api_kit_teardown(void **state)
{
    api_kit *k = *state;
    int status = 0;
    char command[128];
    (void) kill(k->place.pid, SIGTERM);
    assert_int_equal(waitpid(k->place.pid, &status, 0), k->place.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0); /* and no assertion before */
    (void) snprintf(command, sizeof command, "%s", k->folder);
    const char *const argv[] = {"rm", "-rf", command, NULL};
    pid_t pid = fork();
    if (pid == 0) {
        (void) execvp("rm", (char *const *) argv);
        _exit(1);
    }
    (void) waitpid(pid, &status, 0);
    ctn_arena_free(k->arena);
    free(k);
    return 0;
}

int api_ask(api_kit *k, const char *method, const char *path, const char *headers, const char *body)
{
    size_t bytes = strlen(path) + strlen(headers) + (body ? strlen(body) : 0) + 512;
    bool has_type = strstr(headers, "Content-Type");
    char *text = malloc(bytes);
    assert_non_null(text);
    int len = snprintf(text, bytes, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", method, path, k->place.port, headers);
    if (body)
        len += snprintf(text + len, bytes - (size_t) len, "%sContent-Length: %zu\r\n",
                        has_type ? "" : "Content-Type: application/json\r\n", strlen(body));
    len += snprintf(text + len, bytes - (size_t) len, "\r\n");
    for (const char *at = body; at && *at; at++)
        text[len++] = (char) (*at == '\'' && !has_type ? '"' : *at);
    text[len] = '\0';
    int status = ask(&k->place, text);
    free(text);
    const char *begin = strstr(k->place.text, "\r\n\r\n");
    k->body = NULL;
    if (begin)
        (void) ctn_json_parse(k->arena, ctn_str_from(begin + 4), NULL, &k->body, NULL);
    return status;
}

const char *api_at(const api_kit *k, const char *pointer)
{
    const ctn_json *v = ctn_json_pointer(k->body, ctn_str_from(pointer));
    if (!v)
        return "";
    ctn_str text = ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : ctn_json_to_str(k->arena, v);
    return ctn_arena_str(k->arena, text).ptr;
}

const char *api_path(const api_kit *k, const char *format)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return ctn_arena_printf(k->arena, format, api_at(k, "/executionId")).ptr;
#pragma GCC diagnostic pop
}
