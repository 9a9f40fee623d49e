/*
 * audit.h -- a witness in the database: triggers write down, in each transaction, what it did to nodes, shards,
 * executions, journals and requests, and from which address it came (link.h gives each node one of its own). Together
 * with the ledger of the tool servers and what clients were told that is the history that history.h judges.
 *
 * Two transactions that need each other's rows are in the order of their triggers, which is that of `no`. What the
 * clients and the ledger know is put between by the clock: all of it is one machine's.
 */
#pragma once
#include "fleet/history.h"
#include "support/pg_server.h"

/* Into a database that has the store's schema already, before the first node joins. */
void audit_install(pg_server *server, const char *database);
/* What the node at that address (link.h) will call itself. */
void audit_name(pg_server *server, const char *database, const char *address, const char *node);

typedef struct audit_accepted { /* what a client was told */
    char key[HISTORY_KEY_MAX];
    int64_t at_ms;
} audit_accepted;

/* Everything, in order. accepted: sorted by at_ms. paused: while these nodes' names (NULL ends them) stand still on
 * purpose between test and send, what they wrote late is the documented case. */
void audit_tell(pg_server *server, const char *database, const char *ledger, const audit_accepted *accepted,
                size_t accepted_count, const char *const *paused, history *into);
