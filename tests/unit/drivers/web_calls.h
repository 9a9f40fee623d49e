/* web_calls.h -- one MCP driver with one server over HTTP, "web", and what its calls came to. */
#pragma once
#include <stdio.h>

#include "drivers/mcp/mcp.h"
#include "web.h"

#define WEB_CALLS_MAX 400

typedef struct web_calls {
    web web;
    ctn_loop *loop;
    ctn_http *http;
    ctn_mcp_driver *driver;
    ctn_driver iface;
    ctn_arena *arena;
    ctn_timer *patience;
    ctn_call_result results[WEB_CALLS_MAX]; /* value and message copied */
    unsigned answers[WEB_CALLS_MAX];        /* how often each was told */
    unsigned begun, ended;
    int64_t timeout_ms;           /* of the calls to come */
    const char *token;            /* Authorization, read whenever the driver wants it; NULL: none */
    ctn_mcp_server_config config; /* set before the start; the name and the URL are ours */
    unsigned progress_count;
    FILE *warned;
    ctn_log log;
    bool is_running, is_impatient;
} web_calls;

/* Of the group: before the first of them, and after the last. */
int web_calls_first(void **state);
int web_calls_last(void **state);
void web_calls_start(web_calls *c, web_era era, bool (*serve)(web *w, http_asked *asked, const web_asked *what));
void web_calls_stop(web_calls *c);
void web_calls_shut_down(web_calls *c); /* the driver alone, so that the server can be asked what it saw */
/* Calls web/echo; the index of its result. */
unsigned web_calls_begin(web_calls *c, const char *args);
void web_calls_cancel(web_calls *c, unsigned call);
/* Runs until all that were begun have ended; fails the test after 15 s. */
void web_calls_wait(web_calls *c);
void web_calls_run_for(web_calls *c, int64_t ms);
const ctn_call_result *web_call(web_calls *c, const char *args);
const ctn_call_result *web_call_tool(web_calls *c, const char *tool, const char *args);
void web_assert_value(web_calls *c, const ctn_call_result *result, const char *expected);
/* Of a server over HTTP it is never known that it is dead. */
void web_assert_failure(const ctn_call_result *result, ctn_failure failure, bool was_sent, const char *part);
const char *web_calls_version(const web_calls *c); /* that is spoken; valid until the next */
const char *web_calls_warnings(web_calls *c);      /* that were logged */

/* A test whose state is a web_calls, zeroed, that it starts; it is stopped behind it. */
#define WEB_TEST(name) cmocka_unit_test_setup_teardown(name, web_calls_setup, web_calls_teardown)
int web_calls_setup(void **state);
int web_calls_teardown(void **state);

/* mcp.md, 1.7 */
typedef enum web_outcome { NOT_EXECUTED, EXECUTED_AND_FAILED, SUCCEEDED, FATE_UNKNOWN } web_outcome;
web_outcome web_outcome_of(const ctn_call_result *result);
