/*
 * loop.c -- the one event loop on libuv: rounds, timers, wakeups, signals and watched descriptors.
 *
 * What must always hold:
 *   1. The turn runs after the last callback of a round and before the loop sleeps. Everything but libuv's own
 *      callbacks runs in one uv_prepare callback, which libuv calls between its callbacks and epoll_wait, and
 *      whatever comes up behind the turn is filed as a task, which keeps the loop awake (uv_idle) for one
 *      more round with one more turn.
 *   2. Nothing calls back synchronously: no function of this layer calls its caller's callbacks.
 *   3. Memory of a handle outlives the round in which it was closed (internal.h).
 *
 * Timers are wall-clock timers, because what they stand for is in the journal as wall-clock time. libuv's count
 * monotonic time: they would come late after a suspend and know nothing of a clock that is set. So our timers
 * are a heap beside one timerfd on CLOCK_REALTIME with absolute expiry, which the kernel keeps right. It is
 * armed once before each sleep, and only when the earliest time has changed.
 */
#include "loop/loop.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include "base/heap.h"
#include "loop/internal.h"

struct ctn_loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_idle_t idle; /* runs while a task is filed */
    ctn_clock clock;
    void (*turn)(void *ctx);
    void *turn_ctx;

    ctn_handle *youngest;    /* open handles, linked by `next` to the next older */
    ctn_handle *graveyard;   /* retired ones, linked by `next` */
    ctn_task tasks, flushes; /* heads of rings */

    ctn_heap timers;
    int timer_fd;
    int64_t armed_due_ms; /* INT64_MAX: not armed */
    bool is_running;
    char scratch[CTN_LOOP_SCRATCH_BYTES];
};

/* ---- handles ---- */

void ctn_handle_init(ctn_handle *handle, ctn_loop *loop, void (*close)(ctn_handle *), void (*destroy)(ctn_handle *))
{
    *handle = (ctn_handle){.loop = loop, .close = close, .destroy = destroy, .next = loop->youngest};
    if (loop->youngest)
        loop->youngest->prev = handle;
    loop->youngest = handle;
}

static void handle_unlink(ctn_handle *handle)
{
    if (handle->next)
        handle->next->prev = handle->prev;
    if (handle->prev)
        handle->prev->next = handle->next;
    else
        handle->loop->youngest = handle->next;
    handle->prev = handle->next = NULL;
}

void ctn_handle_retire(ctn_handle *handle)
{
    handle_unlink(handle);
    handle->next = handle->loop->graveyard;
    handle->loop->graveyard = handle;
}

static void bury(ctn_loop *loop)
{
    while (loop->graveyard) {
        ctn_handle *handle = loop->graveyard;
        loop->graveyard = handle->next;
        handle->destroy(handle);
    }
}

/* A handle whose memory libuv holds: it leaves the list now and is freed by the callback of uv_close. */
static void free_uv_handle(uv_handle_t *handle)
{
    free(handle->data);
}

/* ---- tasks ---- */

static void ring_init(ctn_task *ring)
{
    ring->prev = ring->next = ring;
}

static void ring_append(ctn_task *ring, ctn_task *task)
{
    task->prev = ring->prev;
    task->next = ring;
    ring->prev->next = task;
    ring->prev = task;
}

void ctn_task_cancel(ctn_task *task)
{
    if (!task->next)
        return;
    task->prev->next = task->next;
    task->next->prev = task->prev;
    task->prev = task->next = NULL;
}

static void keep_awake(uv_idle_t *idle)
{
    (void) idle; /* being active is all it does */
}

void ctn_task_file(ctn_loop *loop, ctn_task *task)
{
    if (task->next)
        return;
    ring_append(&loop->tasks, task);
    uv_idle_start(&loop->idle, keep_awake);
}

void ctn_task_file_flush(ctn_loop *loop, ctn_task *task)
{
    if (!task->next)
        ring_append(&loop->flushes, task);
}

/* Runs what is filed now; what these file waits for the next call. */
static void ring_run(ctn_task *ring)
{
    ctn_task now;
    ring_init(&now);
    if (ring->next != ring) {
        now = *ring;
        now.next->prev = &now;
        now.prev->next = &now;
        ring_init(ring);
    }
    while (now.next != &now) {
        ctn_task *task = now.next;
        ctn_task_cancel(task);
        task->run(task->ctx);
    }
}

/* ---- descriptors ---- */

struct ctn_poller {
    ctn_handle handle;
    uv_poll_t poll;
    int events;
    void (*ready)(void *ctx, int events);
    void *ctx;
};

static void poller_ready(uv_poll_t *poll, int status, int uv_events)
{
    ctn_poller *poller = poll->data;
    int events = 0;
    if (status < 0) {
        poller->events = 0; /* libuv has stopped it */
        events = CTN_POLL_GONE;
    }
    if (uv_events & UV_READABLE)
        events |= CTN_POLL_READ;
    if (uv_events & UV_WRITABLE)
        events |= CTN_POLL_WRITE;
    if (uv_events & UV_DISCONNECT) {
        ctn_poller_set(poller, 0);
        events |= CTN_POLL_GONE;
    }
    if (events)
        poller->ready(poller->ctx, events);
}

static void poller_close(ctn_handle *handle)
{
    ctn_poller_free((ctn_poller *) handle);
}

int ctn_poller_new(ctn_loop *loop, int fd, void (*ready)(void *ctx, int events), void *ctx, ctn_poller **ret_poller)
{
    ctn_poller *poller = ctn_calloc(1, sizeof *poller);
    assert(poller);
    int rc = uv_poll_init(&loop->uv, &poller->poll, fd);
    if (rc < 0) {
        free(poller);
        return -rc;
    }
    poller->poll.data = poller;
    poller->ready = ready;
    poller->ctx = ctx;
    ctn_handle_init(&poller->handle, loop, poller_close, NULL);
    *ret_poller = poller;
    return 0;
}

void ctn_poller_set(ctn_poller *poller, int events)
{
    if (events == poller->events)
        return;
    poller->events = events;
    int uv_events = (events & CTN_POLL_READ ? UV_READABLE : 0) | (events & CTN_POLL_WRITE ? UV_WRITABLE : 0) |
                    (events & CTN_POLL_GONE ? UV_DISCONNECT : 0);
    int rc = uv_events ? uv_poll_start(&poller->poll, uv_events, poller_ready) : uv_poll_stop(&poller->poll);
    assert(rc == 0);
}

void ctn_poller_free(ctn_poller *poller)
{
    if (!poller)
        return;
    handle_unlink(&poller->handle);
    uv_close((uv_handle_t *) &poller->poll, free_uv_handle);
}

/* ---- timers ---- */

struct ctn_timer {
    ctn_handle handle;
    ctn_heap_node node;
    ctn_task due; /* what it does; filed while it waits among those that are due in this round */
};

static ctn_timer *timer_of(ctn_heap_node *node)
{
    return (ctn_timer *) ((char *) node - offsetof(ctn_timer, node));
}

static void timer_close(ctn_handle *handle)
{
    ctn_timer_free((ctn_timer *) handle);
}

static void timer_destroy(ctn_handle *handle)
{
    free(handle);
}

ctn_timer *ctn_timer_new(ctn_loop *loop, void (*fire)(void *ctx), void *ctx)
{
    ctn_timer *timer = ctn_calloc(1, sizeof *timer);
    assert(timer);
    timer->due = (ctn_task){.run = fire, .ctx = ctx};
    ctn_handle_init(&timer->handle, loop, timer_close, timer_destroy);
    return timer;
}

void ctn_timer_set(ctn_timer *timer, int64_t due_ms)
{
    ctn_task_cancel(&timer->due);
    ctn_heap_set(&timer->handle.loop->timers, &timer->node, due_ms);
}

void ctn_timer_clear(ctn_timer *timer)
{
    ctn_task_cancel(&timer->due);
    ctn_heap_remove(&timer->handle.loop->timers, &timer->node);
}

void ctn_timer_free(ctn_timer *timer)
{
    if (!timer)
        return;
    ctn_timer_clear(timer);
    ctn_handle_retire(&timer->handle);
}

/* All that are due are taken out before the first fires: one that sets itself into the past again has to wait
 * for the next round and cannot keep the others, or the turn, from coming. */
static void fire_due(ctn_loop *loop)
{
    ctn_heap_node *first = ctn_heap_first(&loop->timers);
    if (!first)
        return;
    int64_t now_ms = ctn_loop_now_ms(loop);
    ctn_task due;
    ring_init(&due);
    while ((first = ctn_heap_first(&loop->timers)) && first->due_ms <= now_ms) {
        ctn_heap_remove(&loop->timers, first);
        ring_append(&due, &timer_of(first)->due);
    }
    ring_run(&due);
}

static void arm(ctn_loop *loop)
{
    const ctn_heap_node *first = ctn_heap_first(&loop->timers);
    int64_t due_ms = first ? first->due_ms : INT64_MAX;
    if (due_ms == loop->armed_due_ms)
        return;
    struct itimerspec spec = {0};
    if (first && due_ms > 0)
        spec.it_value = (struct timespec){.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};
    else if (first)
        spec.it_value.tv_nsec = 1; /* the year 1970; all zero would disarm it */
    int rc = timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
    assert(rc == 0);
    loop->armed_due_ms = due_ms;
}

static void timer_fd_ready(void *ctx, int events)
{
    ctn_loop *loop = ctx;
    uint64_t expirations;
    (void) events;
    if (read(loop->timer_fd, &expirations, sizeof expirations) > 0)
        loop->armed_due_ms = INT64_MAX; /* what is due fires in prepare, like everything else */
}

/* ---- rounds ---- */

static void before_sleep(uv_prepare_t *prepare)
{
    ctn_loop *loop = prepare->data;
    bury(loop);
    uv_idle_stop(&loop->idle);
    ring_run(&loop->tasks);
    fire_due(loop);
    if (loop->turn)
        loop->turn(loop->turn_ctx);
    ring_run(&loop->flushes);
    arm(loop);
}

ctn_loop *ctn_loop_new(void)
{
    ctn_loop *loop = ctn_calloc(1, sizeof *loop);
    assert(loop);
    loop->clock = ctn_clock_system();
    loop->armed_due_ms = INT64_MAX;
    ring_init(&loop->tasks);
    ring_init(&loop->flushes);
    int rc = uv_loop_init(&loop->uv);
    assert(rc == 0);
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_idle_init(&loop->uv, &loop->idle);
    loop->prepare.data = loop;
    uv_prepare_start(&loop->prepare, before_sleep);
    loop->timer_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    assert(loop->timer_fd >= 0);
    ctn_poller *poller = NULL;
    rc = ctn_poller_new(loop, loop->timer_fd, timer_fd_ready, loop, &poller);
    assert(rc == 0);
    ctn_poller_set(poller, CTN_POLL_READ);
    return loop;
}

void ctn_loop_free(ctn_loop *loop)
{
    if (!loop)
        return;
    assert(!loop->is_running);
    while (loop->youngest)
        loop->youngest->close(loop->youngest);
    uv_close((uv_handle_t *) &loop->prepare, NULL);
    uv_close((uv_handle_t *) &loop->idle, NULL);
    /* Only the callbacks of uv_close are left. A stop that was asked for outside of run ends the first round early. */
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
        ;
    bury(loop);
    int rc = uv_loop_close(&loop->uv);
    assert(rc == 0);
    close(loop->timer_fd);
    ctn_heap_done(&loop->timers);
    free(loop);
}

void ctn_loop_run(ctn_loop *loop)
{
    assert(!loop->is_running);
    loop->is_running = true;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    ring_run(&loop->flushes); /* what was written in the round that stopped the loop */
    loop->is_running = false;
}

void ctn_loop_poll(ctn_loop *loop)
{
    assert(!loop->is_running);
    loop->is_running = true;
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    loop->is_running = false;
}

void ctn_loop_stop(ctn_loop *loop)
{
    uv_stop(&loop->uv);
}

int64_t ctn_loop_now_ms(const ctn_loop *loop)
{
    return ctn_clock_now_ms(&loop->clock);
}

void ctn_loop_set_turn(ctn_loop *loop, void (*turn)(void *ctx), void *ctx)
{
    loop->turn = turn;
    loop->turn_ctx = ctx;
}

char *ctn_loop_scratch(ctn_loop *loop)
{
    return loop->scratch;
}

/* ---- wakeups ---- */

struct ctn_wakeup {
    ctn_handle handle;
    uv_async_t async;
    void (*woken)(void *ctx);
    void *ctx;
};

static void wakeup_woken(uv_async_t *async)
{
    ctn_wakeup *wakeup = async->data;
    wakeup->woken(wakeup->ctx);
}

static void wakeup_close(ctn_handle *handle)
{
    ctn_wakeup_free((ctn_wakeup *) handle);
}

ctn_wakeup *ctn_wakeup_new(ctn_loop *loop, void (*woken)(void *ctx), void *ctx)
{
    ctn_wakeup *wakeup = ctn_calloc(1, sizeof *wakeup);
    assert(wakeup);
    int rc = uv_async_init(&loop->uv, &wakeup->async, wakeup_woken);
    assert(rc == 0);
    wakeup->async.data = wakeup;
    wakeup->woken = woken;
    wakeup->ctx = ctx;
    ctn_handle_init(&wakeup->handle, loop, wakeup_close, NULL);
    return wakeup;
}

void ctn_wakeup_send(ctn_wakeup *wakeup)
{
    uv_async_send(&wakeup->async);
}

void ctn_wakeup_free(ctn_wakeup *wakeup)
{
    if (!wakeup)
        return;
    handle_unlink(&wakeup->handle);
    uv_close((uv_handle_t *) &wakeup->async, free_uv_handle);
}

/* ---- signals ---- */

struct ctn_signal {
    ctn_handle handle;
    uv_signal_t signal;
    void (*raised)(void *ctx);
    void *ctx;
};

static void signal_raised(uv_signal_t *uv_signal, int signal_number)
{
    ctn_signal *signal = uv_signal->data;
    (void) signal_number;
    signal->raised(signal->ctx);
}

static void signal_close(ctn_handle *handle)
{
    ctn_signal_free((ctn_signal *) handle);
}

ctn_signal *ctn_signal_new(ctn_loop *loop, int signal_number, void (*raised)(void *ctx), void *ctx)
{
    ctn_signal *signal = ctn_calloc(1, sizeof *signal);
    assert(signal);
    uv_signal_init(&loop->uv, &signal->signal);
    signal->signal.data = signal;
    signal->raised = raised;
    signal->ctx = ctx;
    ctn_handle_init(&signal->handle, loop, signal_close, NULL);
    int rc = uv_signal_start(&signal->signal, signal_raised, signal_number);
    assert(rc == 0);
    return signal;
}

void ctn_signal_free(ctn_signal *signal)
{
    if (!signal)
        return;
    handle_unlink(&signal->handle);
    uv_close((uv_handle_t *) &signal->signal, free_uv_handle);
}
