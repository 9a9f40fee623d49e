/*
 * nodes.h -- a fleet of a test's own: PostgreSQL, so many `catena serve`, their tool servers, and what can happen to
 * each of them.
 *
 * A node is a folder with a configuration and a process. It reaches the database over links (link.h) and nothing else;
 * its stdio tool server (peer_desk) and the HTTP one that all share write into one ledger. What a node says goes to its
 * folder's serve.log. All of it is gone with the test.
 *
 * Call these from the thread that lives longest: children die with the thread that started them.
 */
#pragma once
#include "fleet/link.h"
#include "support/pg_server.h"
#include <stdbool.h>
#include <sys/types.h>

enum { NODES_MAX = 4, SERVERS_MAX = 3 };

typedef struct nodes_options {
    int count;
    int standbys;         /* of the database, that commits wait for (one of them) */
    pg_server *server;    /* that is there already, and stays; NULL: one of its own */
    bool has_hosts;       /* each node in a network namespace of its own, behind a cable (veth), as root */
    int call_ms;          /* what a call of the tool servers takes */
    const char *settings; /* more of catena.yaml; NULL: none */
} nodes_options;

typedef struct node {
    char name[16], folder[300];
    int api_port;
    const char *program;        /* instead of the product's catena; NULL: that one */
    const char *environment[6]; /* NAME=VALUE of its own */
    int links[SERVERS_MAX];     /* to each server of the database */
    pid_t keeper;               /* of its namespace; 0: it has none */
    char cable[16], host[32];
    pid_t pid;  /* 0: it does not run */
    int status; /* of waitpid, when it has ended */
    bool is_stopped;
} node;

typedef struct nodes {
    nodes_options options;
    char folder[200], ledger[260], database[32];
    pg_server *servers[SERVERS_MAX]; /* the first was the first primary */
    int server_count, primary;
    links *links;
    node nodes[NODES_MAX];
    pid_t web_pid; /* the HTTP tool server */
    int web_stdin;
} nodes;

/* Why hosts cannot be had here, to skip a test with; NULL: they can. */
const char *nodes_hosts_missing(void);
/* With the database, its witness (audit.h) and the tool servers, and no node running. */
nodes *nodes_new(const nodes_options *options);
void nodes_free(nodes *all); /* kills what still runs; NULL is fine */

void node_start(nodes *all, int i);
/* Until its API answers, at most so long; false: it has ended, or does not. */
bool node_await(nodes *all, int i, int64_t limit_ms);
void node_kill(nodes *all, int i);                   /* SIGKILL, and it is gone */
int node_end(nodes *all, int i);                     /* SIGTERM; its exit code */
void node_stop(nodes *all, int i);                   /* SIGSTOP, for itself alone: its tool server goes on */
void node_go(nodes *all, int i);                     /* SIGCONT */
void node_link(nodes *all, int i, link_state state); /* to all servers; a cable is plugged in (open) or not */
/* api_ask, from where its API can be reached. */
int node_ask(const nodes *all, int i, const char *method, const char *target, const char *headers, const char *body,
             char *answer, size_t size);
/* The primary is killed, and the standby promoted that has most of its log; nodes find the new one by themselves. */
void nodes_fail_over(nodes *all);
/* Servers that are down are copied from the primary, and stand by again. Takes seconds. */
void nodes_rejoin(nodes *all);
pg_server *nodes_primary(const nodes *all);
/* The last of what a node said, and how it ended, for a test that fails. */
void node_tell(const nodes *all, int i);
int64_t nodes_now_ms(void);  /* by a clock that nobody sets */
int64_t nodes_time_ms(void); /* since 1970 */
void nodes_nap(int ms);
