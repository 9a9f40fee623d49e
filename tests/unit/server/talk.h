/*
 * talk.h -- a client in memory: says messages to an endpoint with kit's small server behind it, keeps what comes back,
 * and judges each of it by the official schema of its revision, where that is at hand (it is no part of this
 * repository).
 */
#pragma once
#include "unit/server/kit.h"

#define MODERN_META                                                                                                    \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/"                 \
    "clientCapabilities\":{\"elicitation\":{\"form\":{}},\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}}"
#define BARE_META                                                                                                      \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/"                 \
    "clientCapabilities\":{}}"

typedef struct talk {
    kit kit;
    ctn_arena *arena;
    ctn_loop *loop;
    ctn_mcp_endpoint *endpoint;
    ctn_mcp_channel pipe, post; /* stdio; HTTP, one POST */
    const ctn_json *said[64];   /* what came back, in order */
    size_t said_count;
    int http_status; /* of the last answer; 0: none yet */
    bool is_answered;
    const char *revision;  /* that messages are judged by; NULL: none */
    const ctn_json *asked; /* the last message that was sent: its method tells what the result is */
} talk;

int talk_setup(void **state);
int talk_teardown(void **state);

/* Over the pipe: a whole message. */
void say(talk *t, const char *message);
/* As a POST of its own, with the headers of a modern client unless `headers` is given. */
void post(talk *t, const char *message, const ctn_mcp_headers *headers);
/* A modern request over the pipe: id 1, these params (without braces) and MODERN_META. */
void ask_modern(talk *t, const char *method, const char *params);
/* initialize with this revision, and forget the answer. */
void shake_hands(talk *t, const char *revision, const char *capabilities);
void forget(talk *t);
void run_for(talk *t, int64_t ms);

/* What was said last: its value at the JSON pointer, as text (numbers too); "" when there is none. */
const ctn_json *last(const talk *t);
ctn_str at(const talk *t, const char *pointer);
int64_t number_at(const talk *t, const char *pointer);
bool is_there(const talk *t, const char *pointer);
