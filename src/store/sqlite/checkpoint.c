/*
 * checkpoint.c -- moving the write-ahead log into the file without holding up the writer.
 *
 * A checkpoint copies and syncs megabytes; done by the writer it stops every execution for tens of milliseconds. So
 * when the log passes 16 MiB (or what the URL says) a thread with a connection of its own copies it, passively: it
 * waits for nobody and nobody waits for it. But a passive checkpoint beside a busy writer never reaches the end of a
 * log that goes on growing, and only a log that was copied to its end starts again from the front. So when the thread
 * is done the writer does the small rest itself, and its next transaction begins a new round in the same file.
 *
 * A reader that stays in an old snapshot keeps both from finishing. Then the log grows, and the next try comes after
 * as much again, not after every commit.
 *
 * The thread exists from the first checkpoint on: handles that write little never have one. When it cannot be
 * started, the writer checkpoints by itself.
 */
#include "store/sqlite/db.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CHECKPOINT_PAGES = 2048 }; /* of 8 KiB */

struct sqlite_checkpointer {
    /* the writer's own */
    sqlite3 *db;
    int frames;    /* in the log after the last commit */
    int pages;     /* begin when it has grown by this many */
    int threshold; /* ... at this many */
    bool is_started, is_running;
    /* shared */
    char *path;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wakeup;
    bool is_wanted, is_stopping; /* under the mutex */
    atomic_bool is_done;
};

static int after_commit(void *ctx, sqlite3 *db, const char *name, int frames)
{
    (void) db;
    (void) name;
    ((sqlite_checkpointer *) ctx)->frames = frames;
    return SQLITE_OK;
}

static void *checkpoint_thread(void *ctx)
{
    sqlite_checkpointer *ck = ctx;
    sqlite3 *db = NULL;
    char *literal = ctn_sqlite_literal_path(ck->path);
    if (sqlite3_open_v2(literal, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        sqlite3_close(db);
        db = NULL;
    } else {
        sqlite3_exec(db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* the writer closes after us */
    }
    free(literal);
    pthread_mutex_lock(&ck->mutex);
    for (;;) {
        while (!ck->is_wanted && !ck->is_stopping)
            pthread_cond_wait(&ck->wakeup, &ck->mutex);
        if (ck->is_stopping)
            break;
        ck->is_wanted = false;
        pthread_mutex_unlock(&ck->mutex);
        /* A failure is not news: the log stays, the writer's own part or the next round meets the same trouble. */
        if (db)
            (void) sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        atomic_store(&ck->is_done, true);
        pthread_mutex_lock(&ck->mutex);
    }
    pthread_mutex_unlock(&ck->mutex);
    sqlite3_close(db);
    return NULL;
}

/* Signals stay with the threads that expect them. */
static bool start_thread(sqlite_checkpointer *ck)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ck->is_started = pthread_create(&ck->thread, NULL, checkpoint_thread, ck) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ck->is_started;
}

static void checkpoint_here(sqlite_checkpointer *ck)
{
    int frames = 0, copied = 0;
    int rc = sqlite3_wal_checkpoint_v2(ck->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
    bool is_complete = rc == SQLITE_OK && frames == copied;
    ck->threshold = is_complete ? ck->pages : ck->frames + ck->pages;
    if (is_complete)
        ck->frames = 0;
}

sqlite_checkpointer *ctn_sqlite_checkpointer_new(sqlite3 *db, const char *path, int pages)
{
    sqlite_checkpointer *ck = ctn_calloc(1, sizeof *ck);
    ck->db = db;
    ck->path = ctn_cstring(ctn_str_from(path));
    ck->pages = ck->threshold = pages ? pages : CHECKPOINT_PAGES;
    pthread_mutex_init(&ck->mutex, NULL);
    pthread_cond_init(&ck->wakeup, NULL);
    sqlite3_wal_hook(db, after_commit, ck);
    return ck;
}

void ctn_sqlite_checkpointer_turn(sqlite_checkpointer *ck)
{
    if (ck->is_running) {
        if (!atomic_exchange(&ck->is_done, false))
            return;
        ck->is_running = false;
        checkpoint_here(ck);
        return;
    }
    if (ck->frames < ck->threshold)
        return;
    if (!ck->is_started && !start_thread(ck)) {
        checkpoint_here(ck);
        return;
    }
    ck->is_running = true;
    pthread_mutex_lock(&ck->mutex);
    ck->is_wanted = true;
    pthread_cond_signal(&ck->wakeup);
    pthread_mutex_unlock(&ck->mutex);
}

void ctn_sqlite_checkpointer_free(sqlite_checkpointer *ck)
{
    if (!ck)
        return;
    if (ck->is_started) {
        pthread_mutex_lock(&ck->mutex);
        ck->is_stopping = true;
        pthread_cond_signal(&ck->wakeup);
        pthread_mutex_unlock(&ck->mutex);
        pthread_join(ck->thread, NULL);
    }
    sqlite3_wal_hook(ck->db, NULL, NULL);
    pthread_mutex_destroy(&ck->mutex);
    pthread_cond_destroy(&ck->wakeup);
    free(ck->path);
    free(ck);
}
