/*
 * writer.c -- see writer.h. Two slots, `submitted` and `finished`, and one lock around them: the engine never has
 * more than one batch under way, so neither slot is ever overwritten.
 */
#include "engine/writer.h"
#include "base/memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define REST_AFTER_MS 1000

struct ctn_writer_thread {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    ctn_batch *submitted;
    ctn_batch *finished;
    bool is_stopping;
    void (*done)(void *ctx);
    void *done_ctx;
    ctn_store *store; /* the thread's own */
    char *url;
    ctn_keeper *keeper;         /* NULL: nothing is kept small */
    int64_t incarnation, is_of; /* which node it is to write as, and the handle does: 0: none */
    int64_t rest_at_ms;         /* 0: it rests */
    uint64_t file_key;          /* which file it was at the start */
    ctn_err cut_off;            /* not CTN_OK: nothing can be written any more, whatever comes */
};

/* A file of the same name that is another one holds another history: what is in memory does not belong there, and
 * opening it beside the log of the right one would mix the two. */
static int open_again(ctn_writer_thread *w, ctn_err *err)
{
    uint64_t key = ctn_store_file_key(w->url);
    if (key == 0 || key == w->file_key) /* 0: opening says why */
        return ctn_store_open(w->url, CTN_STORE_WRITE, &w->store, err);
    return ctn_fail(err, CTN_E_IO,
                    "another file stands where the store %s was when this process began with it; put that one back, or "
                    "stop catena and start it again with this one",
                    w->url);
}

static int be_of(ctn_writer_thread *w, int64_t incarnation, ctn_err *err)
{
    int rc = incarnation == w->is_of ? CTN_OK : ctn_store_handle_of(w->store, incarnation, err);
    if (rc == CTN_OK)
        w->is_of = incarnation;
    return rc;
}

static void commit(ctn_writer_thread *w, ctn_batch *batch, int64_t incarnation)
{
    batch->err = (ctn_err){0};
    batch->rc = CTN_OK;
    if (w->cut_off.code) {
        batch->err = w->cut_off;
        batch->rc = w->cut_off.code;
        return;
    }
    if (!w->store)
        batch->rc = open_again(w, &batch->err);
    if (batch->rc == CTN_OK)
        batch->rc = be_of(w, incarnation, &batch->err);
    if (batch->rc == CTN_OK)
        batch->rc = ctn_store_commit(w->store, batch->appends, batch->count, batch->outcomes, &batch->err);
    if (batch->rc == CTN_OK)
        return;
    if (batch->rc == CTN_E_STATE && w->store) /* the connection stays: it has the log that has no name any more */
        w->cut_off = batch->err;
    else
        ctn_store_close(w->store), w->store = NULL, w->is_of = 0;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Between batches. */
static void keep_house(ctn_writer_thread *w, ctn_keeper *keeper)
{
    if (keeper && w->store && !w->cut_off.code && ctn_keeper_turn(keeper, w->store))
        w->rest_at_ms = now_ms() + REST_AFTER_MS;
}

/* Without a batch, the lock held: waits for one, or does what is due without one. */
static void idle(ctn_writer_thread *w)
{
    ctn_keeper *keeper = w->store && !w->cut_off.code ? w->keeper : NULL;
    int64_t keep_at_ms = keeper ? ctn_keeper_due_ms(keeper) : 0, now = now_ms();
    int64_t until_ms = !keep_at_ms || (w->rest_at_ms && w->rest_at_ms < keep_at_ms) ? w->rest_at_ms : keep_at_ms;
    if (!until_ms) {
        pthread_cond_wait(&w->work, &w->lock);
        return;
    }
    if (now < until_ms) {
        struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
        pthread_cond_timedwait(&w->work, &w->lock, &until);
        return;
    }
    pthread_mutex_unlock(&w->lock);
    if (keep_at_ms && keep_at_ms <= now) {
        keep_house(w, keeper);
    } else {
        w->rest_at_ms = 0;
        if (w->store && !w->cut_off.code)
            ctn_store_rest(w->store);
    }
    pthread_mutex_lock(&w->lock);
}

static void *run(void *ctx)
{
    ctn_writer_thread *w = ctx;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->submitted && !w->is_stopping)
            idle(w);
        if (!w->submitted)
            break;
        ctn_batch *batch = w->submitted;
        w->submitted = NULL;
        int64_t incarnation = w->incarnation;
        pthread_mutex_unlock(&w->lock);
        commit(w, batch, incarnation);
        pthread_mutex_lock(&w->lock);
        assert(!w->finished);
        w->finished = batch;
        ctn_keeper *keeper = w->keeper;
        pthread_mutex_unlock(&w->lock);
        w->done(w->done_ctx);
        w->rest_at_ms = now_ms() + REST_AFTER_MS;
        if (keeper)
            ctn_keeper_committed(keeper);
        keep_house(w, keeper);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int ctn_writer_thread_start(const char *store_url, void (*done)(void *ctx), void *ctx, ctn_writer_thread **ret_writer,
                            ctn_err *err)
{
    ctn_writer_thread *w = ctn_calloc(1, sizeof *w);
    assert(w);
    w->url = strdup(store_url);
    assert(w->url);
    w->done = done;
    w->rest_at_ms = now_ms() + REST_AFTER_MS;
    w->done_ctx = ctx;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    int rc = ctn_store_open(w->url, CTN_STORE_WRITE, &w->store, err);
    if (rc)
        goto fail;
    w->file_key = ctn_store_file_key(w->url);
    if (pthread_create(&w->thread, NULL, run, w)) {
        rc = ctn_fail(err, CTN_E_LIMIT, "the writer thread cannot be started");
        goto fail;
    }
    *ret_writer = w;
    return CTN_OK;
fail:
    ctn_store_close(w->store);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w->url);
    free(w);
    return rc;
}

static void submit(void *ctx, ctn_batch *batch)
{
    ctn_writer_thread *w = ctx;
    pthread_mutex_lock(&w->lock);
    assert(!w->submitted);
    w->submitted = batch;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
}

ctn_writer ctn_writer_thread_as_writer(ctn_writer_thread *writer)
{
    return (ctn_writer){.ctx = writer, .submit = submit};
}

void ctn_writer_thread_keep(ctn_writer_thread *w, ctn_keeper *keeper)
{
    pthread_mutex_lock(&w->lock);
    assert(!w->keeper);
    w->keeper = keeper;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
}

void ctn_writer_thread_be(ctn_writer_thread *w, int64_t incarnation)
{
    pthread_mutex_lock(&w->lock);
    w->incarnation = incarnation;
    pthread_mutex_unlock(&w->lock);
}

ctn_batch *ctn_writer_thread_take(ctn_writer_thread *w)
{
    pthread_mutex_lock(&w->lock);
    ctn_batch *batch = w->finished;
    w->finished = NULL;
    pthread_mutex_unlock(&w->lock);
    return batch;
}

void ctn_writer_thread_stop(ctn_writer_thread *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    ctn_keeper_free(w->keeper);
    ctn_store_close(w->store);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w->url);
    free(w);
}
