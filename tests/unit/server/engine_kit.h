/*
 * engine_kit.h -- a host with chains in a folder of its own, and an MCP client over a pipe that is no pipe: a message
 * in, and the loop turns until its answer is there. Every message that comes out is judged by the schemas of its
 * revision, where these are at hand.
 */
#pragma once
#include "server/mcp/engine_backend.h"
#include "loop/spawn.h"

typedef struct engine_kit {
    char folder[64];
    ctn_arena *arena;
    ctn_spawner *spawner;
    ctn_workspace ws;
    ctn_host *host;
    ctn_engine_backend *backend;
    ctn_mcp_endpoint *endpoint;
    ctn_mcp_channel channel;
    bool is_modern, has_form, has_tasks;
    int64_t next_id;
    const char *meta;             /* further members of _meta, without braces; NULL: none */
    const ctn_json *schemas;      /* of 2026-07-28; NULL: not at hand */
    const ctn_json *task_schemas; /* of the extension; likewise */
    /* What came out, in order; the kit's arena. */
    const ctn_json *messages[512];
    size_t message_count;
    int64_t wanted; /* id whose answer is awaited */
    const ctn_json *answer;
    ctn_timer *limit;
    bool is_late;
    const ctn_json *(*on_question)(const ctn_json *params); /* legacy: what its user says; NULL: nothing */
} engine_kit;

/* chains: texts of files; NULL ends them. A modern client without capabilities. */
void engine_kit_open(engine_kit *k, const char *const *chains);
void engine_kit_close(engine_kit *k);
/* The same for cmocka: *state is the kit. */
int engine_kit_setup(void **state, const char *const *chains);
int engine_kit_teardown(void **state);
/* The process dies where it stands, in effect: nothing is answered, and a new host is put in its place. */
void engine_kit_restart(engine_kit *k);

/* A request; params without _meta, as JSON with ' for ". The answer: {result} or {error}. */
const ctn_json *engine_kit_ask(engine_kit *k, const char *method, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same without waiting; its id. */
int64_t engine_kit_send(engine_kit *k, const char *method, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const ctn_json *engine_kit_wait(engine_kit *k, int64_t id);
void engine_kit_notify(engine_kit *k, const char *method, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Lets time pass. */
void engine_kit_run(engine_kit *k, int64_t ms);

/* At a JSON Pointer of the answer; the text of a string, else as JSON; "" when nothing is there. */
const char *engine_kit_at(const engine_kit *k, const ctn_json *answer, const char *pointer);
/* So many executions of the chain are in the store. */
size_t engine_kit_count(const engine_kit *k, const char *chain);

/* In a test that has its kit in `k`. */
#define assert_at(answer, pointer, text) assert_string_equal(engine_kit_at(k, (answer), (pointer)), (text))
