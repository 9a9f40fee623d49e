/*
 * internal.h -- what the files of the driver share: calls under way (flights), configured servers, the connections to
 * each (peers) with their lives, the driver that holds them. mcp/driver.c has the essay.
 */
#pragma once
#include "base/heap.h"
#include "drivers/mcp/client.h"
#include "drivers/mcp/mcp.h"
#include "drivers/mcp/tools.h"
#include "drivers/token_map.h"

typedef struct ctn_mcp_server ctn_mcp_server;
typedef struct ctn_mcp_peer ctn_mcp_peer;
typedef struct ctn_mcp_task ctn_mcp_task;

typedef struct ctn_mcp_flight {
    struct ctn_mcp_flight *next, *previous; /* in the list it is in by its state */
    ctn_heap_node due;
    ctn_mcp_peer *peer;
    uint64_t token;
    int64_t id; /* of the request; 0: not sent */
    int64_t timeout_ms, deadline_ms;
    int64_t idle_timeout_ms; /* 0: none */
    int64_t end_at_ms;       /* sent: when its timeout is over; 0: never. `due` may be earlier: it is idle then */
    ctn_arena *arena;        /* holds args, key and traceparent while it waits, and over HTTP until it is answered */
    const ctn_json *args;
    ctn_str key, traceparent;
    const ctn_json *go_on, *answers; /* of a call that goes on after it asked; as args */
    ctn_mcp_task *task;              /* mcp/task.h; NULL: it is none */
    bool rests;                      /* a task, between two questions */
    bool is_given_up;                /* timed out or cancelled; the process that has it lives */
    bool has_relisted;               /* its tool was unknown once: the list was fetched again */
    bool is_bound;                   /* to its instance, which has a part of it */
    unsigned moves;                  /* to other instances */
    bool was_returned;               /* it was refused for a reason that has passed, and sent once more */
    /* Not a call of a tool, but this; its texts are the question's asker's until it leaves us, then in `arena`. */
    const char *method; /* NULL: a call of a tool */
    void (*answered)(void *ctx, const ctn_call_result *result);
    void *answered_ctx;
    size_t tool_len; /* of a question: what Mcp-Name repeats */
    char tool[];
} ctn_mcp_flight;

typedef struct ctn_mcp_flights {
    ctn_mcp_flight *first, *last;
    size_t count;
} ctn_mcp_flights;

typedef struct ctn_mcp_waiter {
    struct ctn_mcp_waiter *next;
    ctn_mcp_ready_fn *ready;
    void (*prepared)(void *ctx); /* the engine's form, told no reason */
    void *ctx;
    struct ctn_mcp_waiting_all *all; /* it waits for each instance; NULL: for any */
    unsigned moves;                  /* to other instances */
} ctn_mcp_waiter;

typedef enum ctn_mcp_peer_state {
    CTN_MCP_DOWN,
    CTN_MCP_STARTING,
    CTN_MCP_UP,
    CTN_MCP_ENDING,
    CTN_MCP_RESTING,
} ctn_mcp_peer_state;

/* One connection to a server, which is one of its instances: a process of it, or an address. */
struct ctn_mcp_peer {
    ctn_mcp_driver *driver;
    ctn_mcp_server *server;
    const char *url;           /* NULL: a process */
    const char *shown;         /* in sentences: the command, or the URL without a query */
    bool wants_sse;            /* it takes no Streamable HTTP */
    ctn_mcp_tool_table *tools; /* the last that it listed, also in an earlier life */
    ctn_digest listed;         /* of all of them; zero for a server's only instance */
    unsigned losses;           /* calls in a row that were lost or not answered in time */
    unsigned times_out;        /* it was left out, since it last answered */
    int64_t out_until_ms;
    ctn_mcp_peer_state state;
    ctn_mcp_transport *transport; /* STARTING, UP, ENDING */
    ctn_mcp_client *client;       /* the same; NULL while ENDING after a start that took too long */
    ctn_timer *timer;             /* STARTING: the limit; RESTING: the end of the rest */
    ctn_auth *auth;               /* over HTTP: its tokens; NULL: none are ours to send */
    ctn_mcp_flights waiting, sent, tasks, given_up;
    ctn_mcp_waiter *waiters;
    bool is_relisting;         /* or shakes hands again: calls wait */
    bool tries_other_way;      /* ENDING: HTTP with SSE comes next */
    bool has_told;             /* ENDING: whoever waited for this start was told why it failed */
    bool has_answered;         /* this life gave an answer to a call */
    int64_t up_since_ms;       /* 0: this life was never up */
    int64_t starting_since_ms; /* the first of several tries */
    unsigned failures;         /* starts or lives in a row that came to nothing */
    int64_t rest_until_ms;
    ctn_err why;        /* why it was last not up */
    char http_why[200]; /* HTTP with SSE is tried: why Streamable HTTP was not it */
};

/* A configured server: what is true of it whichever of its peers is asked. */
struct ctn_mcp_server {
    ctn_mcp_driver *driver;
    ctn_mcp_server_config config; /* copied */
    const char **argv, **env;
    ctn_mcp_peer *peers;
    size_t peer_count;               /* 1 or more */
    size_t turn;                     /* who is asked first among equals */
    const ctn_mcp_tool_table *tools; /* those of the instance that listed them last */
    char known_version[16];          /* the revision last spoken with it; empty: none yet */
    bool was_given_sensitive;        /* in some life: what it says on stderr is told to nobody any more */
    uint64_t starts;
};

struct ctn_mcp_driver {
    ctn_mcp_driver_options options;
    ctn_arena *arena; /* configuration */
    ctn_mcp_server *servers;
    size_t server_count;
    ctn_str *names;
    ctn_token_map tokens;    /* token -> flight */
    uint64_t question_count; /* tokens of questions count down from the end */
    ctn_heap due;
    ctn_timer *due_timer;
    ctn_arena *scratch;
    ctn_mcp_listed_fn *listed; /* NULL: nobody */
    void *listed_ctx;
    void (*ended)(void *ctx); /* shutdown was asked for, and not all have ended */
    void *ended_ctx;
    bool is_shut_down;
};

/* ---- mcp/flight.c: one call from begin to done ---- */

void ctn_mcp_flight_keep_arguments(ctn_mcp_flight *f); /* they were borrowed until now */
void ctn_mcp_flight_leave(ctn_mcp_flight *f);          /* the list that it is in */
void ctn_mcp_flight_add(ctn_mcp_flights *list, ctn_mcp_flight *f);
void ctn_mcp_flight_free(ctn_mcp_flight *f); /* takes it out of everything */
void ctn_mcp_flights_free(ctn_mcp_flights *list);
/* Frees the flight, then tells the engine. */
void ctn_mcp_flight_tell(ctn_mcp_flight *f, const ctn_call_result *result);
/* Nobody waits any more; it stays known as long as the process that has it lives. */
void ctn_mcp_flight_give_up(ctn_mcp_flight *f, ctn_str reason);
/* It waits and its peer is UP: checked and sent, or told why not, or waiting for a new list. */
void ctn_mcp_flight_send(ctn_mcp_flight *f);
/* How a tool ended, wherever it says so. */
void ctn_mcp_flight_result(ctn_mcp_flight *f, const ctn_json *result, ctn_arena *scratch);
/* It moves: nothing of it is with the server until `due_ms` (0: nobody looks at it); into the line for its peer; out of
 * it, with the id of what was sent; or nobody waits any more, and it stays known as long as its process lives. */
void ctn_mcp_flight_rest(ctn_mcp_flight *f, int64_t due_ms);
void ctn_mcp_flight_wait(ctn_mcp_flight *f);
void ctn_mcp_flight_is_sent(ctn_mcp_flight *f, int64_t id);
void ctn_mcp_flight_forget(ctn_mcp_flight *f);
/* A server's own words in a failure, of which no more is kept than that. */
ctn_str ctn_mcp_clip(ctn_str text);
/* Events of the client; ctx is the peer, of_call the flight. */
void ctn_mcp_flight_answered(void *ctx, void *of_call, const ctn_rpc_message *m, ctn_arena *scratch);
void ctn_mcp_flight_too_large(void *ctx, void *of_call, const char *why);
void ctn_mcp_flight_lost(void *ctx, void *of_call, const ctn_mcp_loss *loss);
void ctn_mcp_flight_progress(void *ctx, void *of_call, const ctn_mcp_progress *progress);
void ctn_mcp_flights_due(void *ctx); /* the driver's timer */
void ctn_mcp_flights_set_timer(ctn_mcp_driver *driver);

/* ---- mcp/instances.c: which of them takes a call ---- */

ctn_mcp_peer *ctn_mcp_instance_for_call(ctn_mcp_server *server);
/* None of them has it: another one takes it. False: there is no other, or each was tried. */
bool ctn_mcp_flight_move(ctn_mcp_flight *f);
/* It is down: what waits for it goes to others as far as they can be had. */
void ctn_mcp_instance_left(ctn_mcp_peer *peer);
void ctn_mcp_instance_failed(ctn_mcp_peer *peer, bool was_sent); /* it lost a call */
void ctn_mcp_instance_answered(ctn_mcp_peer *peer);
void ctn_mcp_instance_listed(ctn_mcp_peer *peer);
/* A continuation goes on with the instance that gave it; NULL: that one is not configured any more. */
const ctn_json *ctn_mcp_instance_mark(const ctn_mcp_peer *peer, const ctn_json *continuation, ctn_arena *arena);
ctn_mcp_peer *ctn_mcp_instance_of_mark(ctn_mcp_server *server, const ctn_json *continuation, ctn_str *ret_name);

/* ---- mcp/peer.c: the life of a connection ---- */

/* True: up, with a list that may be used. Otherwise on the way there, or its waiters have been told why not. */
bool ctn_mcp_peer_bring_up(ctn_mcp_peer *peer);
void ctn_mcp_peer_relist(ctn_mcp_peer *peer);
void ctn_mcp_peer_tell_waiters(ctn_mcp_peer *peer, int code, const char *why);
void ctn_mcp_peer_timer(void *ctx);

/* ---- mcp/config.c ---- */

int ctn_mcp_config_check(const ctn_mcp_driver_options *options, size_t i, ctn_err *err);
void ctn_mcp_server_init(ctn_mcp_driver *driver, ctn_mcp_server *server, const ctn_mcp_server_config *from);

/* ---- mcp/driver.c ---- */

ctn_mcp_server *ctn_mcp_server_named(const ctn_mcp_driver *driver, ctn_str name); /* NULL: there is none */
void ctn_mcp_driver_tell_if_ended(ctn_mcp_driver *driver);
