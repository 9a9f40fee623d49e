/* web_calls.h -- one MCP driver with one server over HTTP, "web", and what its calls came to. */
#pragma once
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
    int64_t timeout_ms; /* of the calls to come */
    const char *token;  /* Authorization, read whenever the driver wants it; NULL: none */
    bool is_running, is_impatient;
} web_calls;

/* Before the first of them; the program's own. */
void web_calls_set_spawner(ctn_spawner *spawner);
void web_calls_start(web_calls *c, web_era era, bool (*serve)(web *w, http_asked *asked, const web_asked *what));
void web_calls_stop(web_calls *c);
/* Calls web/echo; the index of its result. */
unsigned web_calls_begin(web_calls *c, const char *args);
/* Runs until all that were begun have ended; fails the test after 15 s. */
void web_calls_wait(web_calls *c);
void web_calls_run_for(web_calls *c, int64_t ms);
const ctn_call_result *web_call(web_calls *c, const char *args);

/* mcp.md, 1.7 */
typedef enum web_outcome { NOT_EXECUTED, EXECUTED_AND_FAILED, SUCCEEDED, FATE_UNKNOWN } web_outcome;
web_outcome web_outcome_of(const ctn_call_result *result);
