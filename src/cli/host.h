/*
 * host.h -- the one place where everything is put together: loop, drivers, lock, store, writer thread, engine, control
 * socket; and taken apart again in order.
 *
 * A host grows in steps, so that what may fail without having changed anything comes first:
 *
 *     _new      loop, signals, drivers                     nothing outside is touched
 *     _lock     the store's lock, if the store is there    CTN_E_BUSY: somebody else owns it
 *     _prepare  the servers of a plan are started, its jq  CTN_E_*: the chain could not run
 *               programs compiled
 *     _own      lock, store, epoch, writer, engine, socket
 *     _close    nothing new starts; calls in flight get 5 s; servers end; the good-bye is written
 *
 * The first SIGINT, SIGTERM or SIGHUP makes _run return, the second one ends the process at once (the spawner ends
 * the children, the journal is the truth).
 */
#pragma once
#include "cli/workspace.h"
#include "drivers/native.h"
#include "drivers/transform/transform.h"
#include "engine/writer.h"

typedef struct ctn_host ctn_host;
typedef struct ctn_control ctn_control;

ctn_host *ctn_host_new(const ctn_cli *cli, const ctn_workspace *ws);
int ctn_host_lock(ctn_host *host, ctn_err *err);
/* The drivers alone, for `tools`; _prepare and _own make them too. */
int ctn_host_drivers(ctn_host *host, ctn_err *err);
/* Starts the plan's servers and finds its tools there. CTN_E_CLOSED: a signal came. */
int ctn_host_prepare(ctn_host *host, const ctn_plan *plan, ctn_err *err);
/* serves: advance what is due in the store, not only what is asked for. */
int ctn_host_own(ctn_host *host, ctn_store_mode mode, bool serves, ctn_err *err);
/* NULL is fine. */
void ctn_host_close(ctn_host *host);

/* Turns the loop until is_done says so after a turn, or a signal came; false: a signal. */
bool ctn_host_run(ctn_host *host, bool (*is_done)(void *ctx), void *ctx);
/* The signal that came; 0: none; SIGCHLD: the process that starts tool servers has died. */
int ctn_host_signal(const ctn_host *host);

ctn_loop *ctn_host_loop(const ctn_host *host);
ctn_engine *ctn_host_engine(const ctn_host *host);
ctn_store *ctn_host_store(const ctn_host *host);
ctn_seal *ctn_host_seal(const ctn_host *host); /* NULL: the configuration names no key */
ctn_mcp_driver *ctn_host_tools(const ctn_host *host);
ctn_transform_driver *ctn_host_transforms(const ctn_host *host);
const ctn_workspace *ctn_host_workspace(const ctn_host *host);
/* Who is told what happens, besides the control socket. */
void ctn_host_listen(ctn_host *host, void (*on_event)(void *ctx, const ctn_engine_event *event), void *ctx);
/* Where calls report that are made without the engine (`tools call`); before _own. */
void ctn_host_sink(ctn_host *host, const ctn_call_sink *sink);
/* FILE.sock of the store's real file; NULL for a store without a file. */
const char *ctn_socket_path(ctn_arena *arena, const ctn_workspace *ws);
