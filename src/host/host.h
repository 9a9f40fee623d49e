/*
 * host.h -- a process that runs chains: loop, signals, drivers, lock, store, writer thread, engine and control socket,
 * put together here and taken apart again in order.
 *
 * A host grows in steps, so that what may fail without having changed anything comes first:
 *
 *     _new      loop and signals                           nothing outside is touched
 *     _lock     the store's lock, if the store is there    CTN_E_BUSY: somebody else owns it (a fleet's has none)
 *     _drivers  the ways of doing work                     no server is started yet (host/prepare.h does that)
 *     _own      lock, store, epoch, writer, engine, socket
 *     _join     in a fleet: this process is a node from here on, and gets its shards
 *     _run      the loop, as often as there is something to wait for
 *     _close    nothing new starts; calls in flight get 5 s; servers end; the good-bye is written
 *
 * The first SIGINT, SIGTERM or SIGHUP makes _run return, the second one ends the process at once (the spawner ends
 * the children, the journal is the truth).
 *
 * Threads    The one that called _new.
 */
#pragma once
#include "base/histogram.h"
#include "engine/engine.h"
#include "fleet/desk.h"
#include "host/access.h"
#include "host/drivers.h"
#include "host/shelf.h"
#include "host/teller.h"
#include "host/workspace.h"

typedef struct ctn_host ctn_host;

typedef struct ctn_host_options {
    const ctn_workspace *ws; /* outlives the host, as the spawner does */
    ctn_spawner *spawner;
    const ctn_log *log; /* copied; NULL: silent */
    bool log_is_said;   /* its level is somebody's word; else it is the host's to choose */
    ctn_teller teller;
    void (*second_signal)(void *ctx); /* ends the process: does not return */
    void *second_signal_ctx;
    ctn_str node_name;   /* in a fleet; empty: as the configuration says, else the name of the machine */
    ctn_str node_suffix; /* behind it, for those that are many on a machine; empty: none */
} ctn_host_options;

ctn_host *ctn_host_new(const ctn_host_options *options);
int ctn_host_lock(ctn_host *host, ctn_err *err);
/* Made at the first call. Until the host owns a store their calls report to nobody (ctn_drivers_report_to). */
int ctn_host_drivers(ctn_host *host, ctn_drivers **ret_drivers, ctn_err *err);
/* serves: advance what is due in the store, not only what is asked for. */
int ctn_host_own(ctn_host *host, ctn_store_mode mode, bool serves, ctn_err *err);
/* On a store for one process this does nothing. address: where the API is reached; empty: nowhere. CTN_E_EXISTS: a node
 * of this name lives. */
int ctn_host_join(ctn_host *host, ctn_str address, ctn_err *err);
/* The same for a command with one execution: this shard and no other (UINT32_MAX: one that is free), CTN_E_BUSY:
 * another node has it. Said before _own. */
void ctn_host_join_for_one(ctn_host *host, uint32_t shard);
/* The first part of closing: nothing new begins, and the loop turns until calls in flight have ended and what they gave
 * is on disk, and is_over (NULL: nothing more is waited for) says so, but no longer than 5 s. What was asked for before
 * is answered meanwhile. */
void ctn_host_stop(ctn_host *host, bool (*is_over)(void *ctx), void *ctx);
/* NULL is fine. */
void ctn_host_close(ctn_host *host);

/* Turns the loop until is_done says so after a turn, or a signal came; false: a signal. */
bool ctn_host_run(ctn_host *host, bool (*is_done)(void *ctx), void *ctx);
/* The signal that came; 0: none; SIGCHLD: the process that starts tool servers has died. */
int ctn_host_signal(const ctn_host *host);
/* One more who is told what happens, besides the control socket; until _unlisten with the same ctx, which may come from
 * within an event. */
void ctn_host_listen(ctn_host *host, void (*on_event)(void *ctx, const ctn_engine_event *event), void *ctx);
void ctn_host_unlisten(ctn_host *host, void *ctx);

/* Who takes over connections to the control socket that want to speak MCP; fn owns the descriptor. After _own; NULL:
 * nobody any more. Without a socket there are none. */
void ctn_host_on_guest(ctn_host *host, void (*fn)(void *ctx, int fd), void *ctx);
/* Called once by _close when the engine is gone, before the loop goes, in the order in which it was said; a few. */
void ctn_host_at_end(ctn_host *host, void (*fn)(void *ctx), void *ctx);

const ctn_workspace *ctn_host_workspace(const ctn_host *host);
ctn_teller ctn_host_teller(const ctn_host *host);
ctn_loop *ctn_host_loop(const ctn_host *host);
/* Whose lines say `component` (a literal); NULL: silent. After _own. */
const ctn_log *ctn_host_log(ctn_host *host, const char *component);
/* How long commits took, from being handed over until the engine knew. */
const ctn_histogram *ctn_host_commits_took(const ctn_host *host);
/* NULL before _own. */
ctn_engine *ctn_host_engine(const ctn_host *host);
ctn_store *ctn_host_store(const ctn_host *host);
ctn_access *ctn_host_access(const ctn_host *host); /* who may do what, as the store and the configuration say */
ctn_desk *ctn_host_desk(const ctn_host *host);     /* whom to ask for something; NULL before _own, and at the end */
ctn_member *ctn_host_member(const ctn_host *host); /* NULL: the store is for one process */
ctn_shelf *ctn_host_shelf(const ctn_host *host);   /* of the engine; NULL before _own, and when it is gone */
ctn_seal *ctn_host_seal(const ctn_host *host);     /* NULL: nothing is sealed, so nothing sensitive is started */
