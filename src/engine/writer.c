/*
 * writer.c -- see writer.h. Two slots, `submitted` and `finished`, and one lock around them: the engine never has
 * more than one batch under way, so neither slot is ever overwritten.
 */
#include "engine/writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

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
};

static void commit(ctn_writer_thread *w, ctn_batch *batch)
{
    batch->err = (ctn_err){0};
    batch->rc = CTN_OK;
    if (!w->store)
        batch->rc = ctn_store_open(w->url, CTN_STORE_WRITE, &w->store, &batch->err);
    if (batch->rc == CTN_OK)
        batch->rc = ctn_store_commit(w->store, batch->appends, batch->count, batch->outcomes, &batch->err);
    if (batch->rc == CTN_OK)
        return;
    ctn_store_close(w->store);
    w->store = NULL;
}

static void *run(void *ctx)
{
    ctn_writer_thread *w = ctx;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->submitted && !w->is_stopping)
            pthread_cond_wait(&w->work, &w->lock);
        if (!w->submitted)
            break;
        ctn_batch *batch = w->submitted;
        w->submitted = NULL;
        pthread_mutex_unlock(&w->lock);
        commit(w, batch);
        pthread_mutex_lock(&w->lock);
        assert(!w->finished);
        w->finished = batch;
        pthread_mutex_unlock(&w->lock);
        w->done(w->done_ctx);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int ctn_writer_thread_start(const char *store_url, void (*done)(void *ctx), void *ctx, ctn_writer_thread **ret_writer,
                            ctn_err *err)
{
    ctn_writer_thread *w = calloc(1, sizeof *w);
    assert(w);
    w->url = strdup(store_url);
    assert(w->url);
    w->done = done;
    w->done_ctx = ctx;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    int rc = ctn_store_open(w->url, CTN_STORE_WRITE, &w->store, err);
    if (rc)
        goto fail;
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
    ctn_store_close(w->store);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    free(w->url);
    free(w);
}
