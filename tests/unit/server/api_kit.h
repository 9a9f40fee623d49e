/*
 * api_kit.h -- the API of a host with chains in a folder of its own, in a child of the test, and a blocking client of
 * it.
 */
#pragma once
#include "base/json.h"
#include "unit/server/visitor.h"

typedef struct api_kit {
    place place;
    char folder[64];
    ctn_arena *arena;
    const ctn_json *body; /* of the last answer, JSON; NULL: it was none */
} api_kit;

/* chains: texts of files; NULL ends them. http: of catena.yaml, under that key, "" for none. For cmocka: *state is the
 * kit. */
int api_kit_setup(void **state, const char *const *chains, const char *http);
int api_kit_teardown(void **state);

/* The status. headers: lines that end with \r\n; body NULL: none, else JSON with ' for ", unless headers say its
 * type. */
int api_ask(api_kit *k, const char *method, const char *path, const char *headers, const char *body);
#define api_get(k, path)        api_ask((k), "GET", (path), "", NULL)
#define api_post(k, path, body) api_ask((k), "POST", (path), "", (body))
/* At a JSON Pointer of the last answer: the text of a string, else as JSON; "" when nothing is there. */
const char *api_at(const api_kit *k, const char *pointer);
/* A path with the id of the last answer in it: api_path(k, "/v1/executions/%s/cancel"). */
const char *api_path(const api_kit *k, const char *format) __attribute__((format_arg(2)));
#define assert_api(k, pointer, text) assert_string_equal(api_at((k), (pointer)), (text))
