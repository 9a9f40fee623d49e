/*
 * Events over the real program: who follows misses nothing and is told nothing twice, whatever dies in between.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e/web_kit.h"

#define EXECUTIONS 12
#define EVENTS_MAX 1000

typedef struct told {
    int64_t positions[EVENTS_MAX];
    size_t count, ends;
} told;

static void write_files(world *w)
{
    cli_world_write(w, "catena.yaml", "store: sqlite:api.db\ninclude: [naps.yaml]\n");
    cli_world_write(w, "naps.yaml",
                    "id: naps\nsteps:\n"
                    "  - {stepName: a, instructionSet: nap}\n  - {stepName: b, instructionSet: nap}\n"
                    "  - {stepName: c, instructionSet: nap}\n  - {stepName: d, instructionSet: nap}\n"
                    "instructionSets: {nap: {wait: {ms: 40}}}\n");
}

/* The whole events of a stream; half of one at its end was not told. */
static void note(told *t, ctn_str text)
{
    size_t end;
    while ((end = ctn_str_find(text, CTN_STR("\n\n"))) != SIZE_MAX) {
        ctn_str block = {text.ptr, end}, line = ctn_str_cut(&block, '\n');
        text = ctn_str_from_offset(text, end + 2);
        int64_t position;
        if (!ctn_str_starts_with(line, CTN_STR("id: ")) || !ctn_str_starts_with(block, CTN_STR("event: ")))
            continue; /* retry, or a sign of life */
        assert_true(ctn_str_to_int64(ctn_str_from_offset(line, 4), &position));
        assert_true(t->count < EVENTS_MAX && (t->count == 0 || position > t->positions[t->count - 1]));
        t->positions[t->count++] = position;
        t->ends += ctn_str_starts_with(block, CTN_STR("event: completed"));
    }
}

static size_t occurrences(ctn_str text, const char *mark)
{
    size_t count = 0;
    for (size_t at; (at = ctn_str_find(text, ctn_str_from(mark))) != SIZE_MAX; count++)
        text = ctn_str_from_offset(text, at + 1);
    return count;
}

/* Until `count` more have come, or the last of the executions has ended: behind that one comes nothing to wait for. */
static void await_events(int fd, ctn_buf *text, size_t count, size_t ends)
{
    while (occurrences(ctn_buf_str(text), "\nid: ") < count &&
           occurrences(ctn_buf_str(text), "\nevent: completed\n") < ends) {
        char bytes[512];
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        assert_true(got > 0);
        ctn_buf_append(text, (ctn_str){bytes, (size_t) got});
    }
}

static void start(web *s, ctn_arena *arena, char id[40])
{
    web_answer a = web_ask(s, arena, "POST", "/v1/executions", "Content-Type: application/json\r\n",
                           CTN_STR("{\"chain\":\"naps\"}"));
    assert_in_range(a.status, 200, 202);
    (void) snprintf(id, 40, "%.*s", CTN_STR_ARG(ctn_json_str_or(a.json, "executionId", (ctn_str){0})));
}

static void die(web *s)
{
    (void) kill(s->server.pid, SIGKILL);
    (void) running_wait(s->w, &s->server);
    close(s->fd);
    s->fd = -1;
}

static void a_reader_of_a_server_that_dies_misses_nothing(void **state)
{
    world *w = *state;
    ctn_arena *arena = ctn_arena_new(65536);
    char id[40], bookmark[64];
    told t = {0}, whole = {0};
    ctn_buf text;
    web s;
    ctn_buf_init(&text, 1 << 20);
    write_files(w);
    web_open(&s, w, "");
    int fd = web_stream(&s, "/v1/events?after=0", "");
    for (int i = 0; i < EXECUTIONS; i++)
        start(&s, arena, id);
    for (int deaths = 0; deaths < 3; deaths++) { /* in the middle of it */
        await_events(fd, &text, 25, EXECUTIONS - t.ends);
        die(&s);
        (void) web_stream_await(fd, &text, NULL);
        close(fd);
        note(&t, ctn_buf_str(&text));
        ctn_buf_clear(&text);
        assert_true(t.count > 0);
        web_open(&s, w, "");
        (void) snprintf(bookmark, sizeof bookmark, "Last-Event-ID: %lld\r\n", (long long) t.positions[t.count - 1]);
        fd = web_stream(&s, "/v1/events", bookmark);
    }
    for (char mark[64]; t.ends < EXECUTIONS;) {
        assert_true(web_stream_await(fd, &text, "event: completed\n"));
        assert_true(web_stream_await(fd, &text, "\n\n"));
        close(fd);
        note(&t, ctn_buf_str(&text));
        ctn_buf_clear(&text);
        (void) snprintf(mark, sizeof mark, "/v1/events?after=%lld", (long long) t.positions[t.count - 1]);
        fd = web_stream(&s, mark, "");
    }
    close(fd);
    fd = web_stream(&s, "/v1/events?after=0", "");
    while (whole.ends < EXECUTIONS) {
        (void) web_stream_await(fd, &text, "\"outputs\"");
        memset(&whole, 0, sizeof whole);
        note(&whole, ctn_buf_str(&text));
        char byte;
        if (whole.ends < EXECUTIONS && recv(fd, &byte, 1, 0) == 1)
            ctn_buf_append_char(&text, byte);
    }
    assert_int_equal(whole.count, t.count);
    assert_memory_equal(whole.positions, t.positions, t.count * sizeof t.positions[0]);
    close(fd);
    web_close(&s);
    ctn_buf_done(&text);
    ctn_arena_free(arena);
}

static void a_stream_ends_with_its_execution(void **state)
{
    world *w = *state;
    ctn_arena *arena = ctn_arena_new(65536);
    char id[40], target[128];
    told t = {0};
    ctn_buf text;
    web s;
    ctn_buf_init(&text, 1 << 20);
    write_files(w);
    web_open(&s, w, "");
    start(&s, arena, id);
    (void) snprintf(target, sizeof target, "/v1/executions/%s/events", id);
    int fd = web_stream(&s, target, "");
    assert_false(web_stream_await(fd, &text, NULL)); /* it ends by itself */
    close(fd);
    note(&t, ctn_buf_str(&text));
    assert_int_equal(t.ends, 1);
    assert_int_equal(t.count, 10); /* started, and of each nap that it waits and is done, completed */
    assert_non_null(strstr(text.data, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(text.data, "\r\n\r\nretry: 2000\n\n"));
    (void) snprintf(target, sizeof target, "/v1/executions/%s/events?after=%lld", id,
                    (long long) t.positions[t.count - 1]);
    assert_int_equal(web_ask(&s, arena, "GET", target, "", (ctn_str){0}).status, 204);
    (void) snprintf(target, sizeof target, "/v1/executions/%s/events?kind=completed&kind=failed&after=%lld", id,
                    (long long) t.positions[3]);
    web_answer a = web_ask(&s, arena, "GET", target, "", (ctn_str){0});
    assert_int_equal(a.status, 200);
    assert_int_equal(ctn_str_find(a.body, CTN_STR("event: attempt_succeeded")), SIZE_MAX);
    assert_true(ctn_str_find(a.body, CTN_STR("event: completed")) != SIZE_MAX);
    assert_int_equal(web_ask(&s, arena, "GET", "/v1/events?kind=complete", "", (ctn_str){0}).status, 400);
    assert_int_equal(web_ask(&s, arena, "GET", "/v1/events", "Last-Event-ID: x\r\n", (ctn_str){0}).status, 400);
    assert_int_equal(
        web_ask(&s, arena, "GET", "/v1/executions/01900000-0000-7000-8000-000000000000/events", "", (ctn_str){0})
            .status,
        404);
    ctn_buf_clear(&text);
    fd = web_stream(&s, "/v1/events", "");
    assert_true(web_stream_await(fd, &text, "retry"));
    web_close(&s); /* which ends well, whoever follows */
    assert_false(web_stream_await(fd, &text, NULL));
    close(fd);
    ctn_buf_done(&text);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CLI_TEST(a_reader_of_a_server_that_dies_misses_nothing),
                                       CLI_TEST(a_stream_ends_with_its_execution)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
