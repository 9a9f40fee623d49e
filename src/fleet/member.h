/*
 * member.h -- this process as a node of a fleet: a thread that keeps its lease and its share of the shards.
 *
 * The thread has a store handle of its own. It joins, beats, and does what balance.h decides; what that means for the
 * engine (shards gained, lost, to be drained) is taken over by ctn_member_turn on the engine's thread, which `wake`
 * asks for. What must hold:
 *
 *   1. The lease counts from before the beat was sent, by CLOCK_BOOTTIME, which goes on while the machine sleeps: so
 *      this node's idea of it ends before the store's does. A node that was stopped knows that its lease is over before
 *      it knows anything else.
 *   2. Shards are given back when the engine has said that they are quiet, and has forgotten them: then the store is
 *      told. A shard in which a call takes long is kept, and others are given instead, unless the node leaves.
 *   3. A node that was taken for dead (CTN_E_STALE) drops everything and joins anew, as another incarnation. Its lease
 *      ends at once, on the thread that has heard it; the engine is told in its next turn, and what it still commits
 *      until then is refused by the store.
 *   4. While the database does not answer, the lease runs out, and is good again when a beat comes through before
 *      another node has buried this one.
 *
 * The thread also does whatever waits for the store (ctn_member_do), so that the engine's thread never does. Beats go
 * first.
 *
 * Threads    All functions on the engine's thread. `wake` is called on the member's thread.
 */
#pragma once
#include "base/log.h"
#include "engine/leases.h"
#include "engine/writer.h"

typedef struct ctn_member ctn_member;

#define CTN_TERM_MS   3500 /* a lease */
#define CTN_SETTLE_MS 1000 /* after a lease, until its shards may be taken */
#define CTN_BEAT_MS   1250
#define CTN_SEND_MS   500 /* a call is sent within that, or counts as sent too late */

typedef struct ctn_member_options {
    const char *store_url;
    ctn_str name;       /* of the node */
    ctn_str labels;     /* JSON object; empty: {} */
    bool takes_one;     /* one shard and no share, for a command with one execution (and _takes_too): */
    uint32_t one_shard; /* this one; UINT32_MAX: any that is free */
    int64_t term_ms;    /* 0: as above, here and below */
    int64_t settle_ms, beat_ms, send_ms;
    const ctn_log *log;      /* NULL: silent */
    void (*wake)(void *ctx); /* have ctn_member_turn called soon; from any thread */
    void *wake_ctx;
} ctn_member_options;

/* Options are copied. Nothing is joined yet. */
int ctn_member_new(const ctn_member_options *options, ctn_member **ret_member, ctn_err *err);
const ctn_leases *ctn_member_leases(const ctn_member *member); /* for the engine; lives as long */
/* Joins, and begins. address: where its API listens; empty: nowhere. A node of that name that died a moment ago is
 * waited for: CTN_E_EXISTS when it lives. CTN_E_BUSY: another node has the one shard that was wanted. The engine's
 * handle, and the writer's, are of this node from here on. */
int ctn_member_join(ctn_member *member, ctn_str address, ctn_engine *engine, ctn_store *store,
                    ctn_writer_thread *writer, ctn_err *err);
/* Tells the engine what has changed, and finishes what _do has done. Before each turn of the engine. */
void ctn_member_turn(ctn_member *member);

/* Does `work` on the member's thread with its handle, one after the other, then calls `done` from ctn_member_turn:
 * exactly once, also at the end (CTN_E_CLOSED: it was not done). */
typedef int ctn_member_work(ctn_store *store, void *ctx, ctn_err *err);
typedef void ctn_member_done(void *ctx, int rc, const ctn_err *err);
void ctn_member_do(ctn_member *member, ctn_member_work *work, ctn_member_done *done, void *ctx);

/* ---- what a turn of ours may know ---- */
bool ctn_member_holds(const ctn_member *member, uint32_t shard); /* and it is not on its way to another */
/* One that it holds, of all (among NULL) or of these; shards turn about. UINT32_MAX: none. */
uint32_t ctn_member_some_shard(ctn_member *member, const ctn_shard_set *among);
uint32_t ctn_member_shard_count(const ctn_member *member); /* of the store */
uint32_t ctn_member_held_count(const ctn_member *member);
ctn_str ctn_member_name(const ctn_member *member);
int64_t ctn_member_incarnation(const ctn_member *member); /* 0: it has not joined */
/* Since the last time it was asked: somebody else has written something for us (a request, an answer), or perhaps has:
 * where the store cannot wake anybody, and while an answer is expected, it is true every 250 ms. */
bool ctn_member_was_woken(ctn_member *member);
void ctn_member_expects(ctn_member *member, bool an_answer);
/* `changes` of the last beat (store/fleet.h). */
int64_t ctn_member_changes(const ctn_member *member);

/* One that takes no share: it takes this shard as well if it is free, for something was asked there that this command
 * waits for. Else no effect. */
void ctn_member_takes_too(ctn_member *member, uint32_t shard);

/* Takes no more, and gives shards back as they become quiet. */
void ctn_member_leave(ctn_member *member);
/* Says good-bye, ends the thread. The engine commits nothing more. NULL is fine. */
void ctn_member_close(ctn_member *member);
