/*
 * writer.c -- see writer.h. Two slots a strand, `submitted` and `finished`, and one lock around all: the engine never
 * has more than one batch of a strand under way, so no slot is ever overwritten.
 */
#include "engine/writer.h"
#include "base/memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define REST_AFTER_MS 1000

/* One strand: its own thread and its own handle. */
typedef struct hand {
    struct ctn_writer_thread *writer;
    pthread_t thread;
    bool is_running;
    pthread_cond_t work;
    ctn_batch *submitted;
    ctn_batch *finished;
    ctn_store *store;
    ctn_keeper *keeper; /* of the first; NULL: nothing is kept small */
    int64_t is_of;      /* which node the handle writes as; 0: none */
    int64_t rest_at_ms; /* 0: it rests */
    ctn_err cut_off;    /* not CTN_OK: nothing can be written any more, whatever comes */
} hand;

struct ctn_writer_thread {
    pthread_mutex_t lock; /* of the slots, the keeper, and what follows */
    bool is_stopping;
    int64_t incarnation; /* which node is to be written as; 0: none */
    void (*done)(void *ctx);
    void *done_ctx;
    char *url;
    uint64_t file_key; /* which file it was at the start */
    hand hands[CTN_STRANDS_MAX];
    uint32_t count;
};

/* A file of the same name that is another one holds another history: what is in memory does not belong there, and
 * opening it beside the log of the right one would mix the two. */
static int open_again(hand *h, ctn_err *err)
{
    const ctn_writer_thread *w = h->writer;
    uint64_t key = ctn_store_file_key(w->url);
    if (key == 0 || key == w->file_key) /* 0: opening says why */
        return ctn_store_open(w->url, CTN_STORE_WRITE, &h->store, err);
    return ctn_fail(err, CTN_E_IO,
                    "another file stands where the store %s was when this process began with it; put that one back, or "
                    "stop catena and start it again with this one",
                    w->url);
}

static int be_of(hand *h, int64_t incarnation, ctn_err *err)
{
    int rc = incarnation == h->is_of ? CTN_OK : ctn_store_handle_of(h->store, incarnation, err);
    if (rc == CTN_OK)
        h->is_of = incarnation;
    return rc;
}

static void commit(hand *h, ctn_batch *batch, int64_t incarnation)
{
    batch->err = (ctn_err){0};
    batch->rc = CTN_OK;
    if (h->cut_off.code) {
        batch->err = h->cut_off;
        batch->rc = h->cut_off.code;
        return;
    }
    if (!h->store)
        batch->rc = open_again(h, &batch->err);
    if (batch->rc == CTN_OK)
        batch->rc = be_of(h, incarnation, &batch->err);
    if (batch->rc == CTN_OK)
        batch->rc = ctn_store_commit(h->store, batch->appends, batch->count, batch->outcomes, &batch->err);
    if (batch->rc == CTN_OK)
        return;
    if (batch->rc == CTN_E_STATE && h->store) /* the connection stays: it has the log that has no name any more */
        h->cut_off = batch->err;
    else
        ctn_store_close(h->store), h->store = NULL, h->is_of = 0;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Between batches. */
static void keep_house(hand *h, ctn_keeper *keeper)
{
    if (keeper && h->store && !h->cut_off.code && ctn_keeper_turn(keeper, h->store))
        h->rest_at_ms = now_ms() + REST_AFTER_MS;
}

/* Without a batch, the lock held: waits for one, or does what is due without one. */
static void idle(hand *h)
{
    ctn_writer_thread *w = h->writer;
    ctn_keeper *keeper = h->store && !h->cut_off.code ? h->keeper : NULL;
    int64_t keep_at_ms = keeper ? ctn_keeper_due_ms(keeper) : 0, now = now_ms();
    int64_t until_ms = !keep_at_ms || (h->rest_at_ms && h->rest_at_ms < keep_at_ms) ? h->rest_at_ms : keep_at_ms;
    if (!until_ms) {
        pthread_cond_wait(&h->work, &w->lock);
        return;
    }
    if (now < until_ms) {
        struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
        pthread_cond_timedwait(&h->work, &w->lock, &until);
        return;
    }
    pthread_mutex_unlock(&w->lock);
    if (keep_at_ms && keep_at_ms <= now) {
        keep_house(h, keeper);
    } else {
        h->rest_at_ms = 0;
        if (h->store && !h->cut_off.code)
            ctn_store_rest(h->store);
    }
    pthread_mutex_lock(&w->lock);
}

static void *run(void *ctx)
{
    hand *h = ctx;
    ctn_writer_thread *w = h->writer;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!h->submitted && !w->is_stopping)
            idle(h);
        if (!h->submitted)
            break;
        ctn_batch *batch = h->submitted;
        h->submitted = NULL;
        int64_t incarnation = w->incarnation;
        pthread_mutex_unlock(&w->lock);
        commit(h, batch, incarnation);
        pthread_mutex_lock(&w->lock);
        assert(!h->finished);
        h->finished = batch;
        ctn_keeper *keeper = h->keeper;
        pthread_mutex_unlock(&w->lock);
        w->done(w->done_ctx);
        h->rest_at_ms = now_ms() + REST_AFTER_MS;
        if (keeper)
            ctn_keeper_committed(keeper);
        keep_house(h, keeper);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static int start_hand(ctn_writer_thread *w, hand *h, ctn_err *err)
{
    h->writer = w;
    h->rest_at_ms = now_ms() + REST_AFTER_MS;
    int rc = ctn_store_open(w->url, CTN_STORE_WRITE, &h->store, err);
    if (rc)
        return rc;
    if (pthread_create(&h->thread, NULL, run, h))
        return ctn_fail(err, CTN_E_LIMIT, "the writer thread cannot be started");
    h->is_running = true;
    return CTN_OK;
}

int ctn_writer_thread_start(const char *store_url, uint32_t strands, void (*done)(void *ctx), void *ctx,
                            ctn_writer_thread **ret_writer, ctn_err *err)
{
    ctn_writer_thread *w = ctn_calloc(1, sizeof *w);
    assert(strands >= 1 && strands <= CTN_STRANDS_MAX);
    w->url = strdup(store_url);
    assert(w->url);
    w->done = done;
    w->done_ctx = ctx;
    w->count = strands;
    pthread_mutex_init(&w->lock, NULL);
    for (uint32_t i = 0; i < w->count; i++)
        pthread_cond_init(&w->hands[i].work, NULL);
    w->file_key = ctn_store_file_key(w->url);
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && i < w->count; i++)
        rc = start_hand(w, &w->hands[i], err);
    if (rc)
        ctn_writer_thread_stop(w);
    else
        *ret_writer = w;
    return rc;
}

static void submit(void *ctx, ctn_batch *batch)
{
    ctn_writer_thread *w = ctx;
    hand *h = &w->hands[batch->strand];
    pthread_mutex_lock(&w->lock);
    assert(!h->submitted);
    h->submitted = batch;
    pthread_cond_signal(&h->work);
    pthread_mutex_unlock(&w->lock);
}

ctn_writer ctn_writer_thread_as_writer(ctn_writer_thread *writer)
{
    return (ctn_writer){.ctx = writer, .submit = submit, .strands = writer->count};
}

void ctn_writer_thread_keep(ctn_writer_thread *w, ctn_keeper *keeper)
{
    hand *h = &w->hands[0];
    pthread_mutex_lock(&w->lock);
    assert(!h->keeper);
    h->keeper = keeper;
    pthread_cond_signal(&h->work);
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
    ctn_batch *batch = NULL;
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; !batch && i < w->count; i++) {
        batch = w->hands[i].finished;
        w->hands[i].finished = NULL;
    }
    pthread_mutex_unlock(&w->lock);
    return batch;
}

void ctn_writer_thread_stop(ctn_writer_thread *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    for (uint32_t i = 0; i < w->count; i++)
        pthread_cond_signal(&w->hands[i].work);
    pthread_mutex_unlock(&w->lock);
    for (uint32_t i = 0; i < w->count; i++) {
        hand *h = &w->hands[i];
        if (h->is_running)
            pthread_join(h->thread, NULL);
        ctn_keeper_free(h->keeper);
        ctn_store_close(h->store);
        pthread_cond_destroy(&h->work);
    }
    pthread_mutex_destroy(&w->lock);
    free(w->url);
    free(w);
}
