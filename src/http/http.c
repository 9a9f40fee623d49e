/*
 * http.c -- all calls: libcurl's multi handle, its sockets and its clock in the loop, and how long a call may take.
 *
 * libcurl says which sockets it wants watched (watch_socket) and when it wants to be called next (set_clock); we call
 * it when one of them is ready or that time is over (act), and then collect what has ended.
 *
 * The limits of time are ours: libcurl counts silence in seconds, and forgets a call's time while it waits for a free
 * connection.
 *
 * What must always hold:
 *   1. libcurl's multi interface is called from the loop's callbacks alone, never from inside libcurl (internal.h).
 *   2. A call's events come from inside libcurl (head, bytes) or from here (ended); after `ended`, or a cancel, none.
 *   3. libcurl's time is monotonic, the loop's timers are wall-clock: after each time-out libcurl is asked anew when
 * the next is, so a clock that is set costs at most one call too many.
 */
#include "http/http.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http/internal.h"

static const size_t SPARE_MAX = 256;
static const long STREAMS_PER_CONNECTION =
    256; /* over HTTP/2, if the server takes as many; 1,000 were too many for Node */

/* A socket of libcurl's that is watched. */
typedef struct socket_watch {
    ctn_http *http;
    ctn_poller *poller;
    curl_socket_t fd;
    int wanted;
    struct socket_watch *newer, *older;
} socket_watch;

struct ctn_http {
    ctn_loop *loop;
    CURLM *multi;
    socket_watch *watches;
    ctn_http_call *calls, *spare;
    size_t spare_count;
    ctn_http_call *filed_first, *filed_last;
    ctn_task work;
    ctn_timer *clock; /* libcurl's */
    bool is_due;      /* it wants to be called at once */
    ctn_heap deadlines;
    ctn_timer *deadline; /* ours: the earliest of them */
    int64_t armed_due_ms;
};

/* ---- calls that are waiting for the task ---- */

static void file(ctn_http_call *call)
{
    ctn_http *http = call->http;
    if (call->is_filed)
        return;
    call->is_filed = true;
    call->next_filed = NULL;
    if (http->filed_last)
        http->filed_last->next_filed = call;
    else
        http->filed_first = call;
    http->filed_last = call;
    ctn_task_file(http->loop, &http->work);
}

static void release(ctn_http_call *call)
{
    ctn_http *http = call->http;
    assert(!call->is_filed && !call->is_added);
    ctn_heap_remove(&http->deadlines, &call->deadline);
    if (call->older)
        call->older->newer = call->newer;
    if (call->newer)
        call->newer->older = call->older;
    else
        http->calls = call->older;
    call->newer = NULL;
    call->state = CTN_CALL_SPARE;
    if (http->spare_count >= SPARE_MAX) {
        ctn_call_destroy(call);
        return;
    }
    ctn_arena_reset(call->arena);
    call->older = http->spare;
    http->spare = call;
    http->spare_count++;
}

/* ---- how long a call may take ---- */

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t deadline_of(const ctn_http_call *call)
{
    int64_t silence_ms = call->request.silence_timeout_ms;
    int64_t due_ms = call->due_ms;
    if (silence_ms > 0)
        due_ms = earlier(due_ms, call->last_byte_at_ms + silence_ms);
    return call->hop.is_started ? due_ms : earlier(due_ms, call->connect_due_ms);
}

static const char *what_is_over(const ctn_http_call *call, int64_t now_ms)
{
    if (call->due_ms <= now_ms)
        return "it did not end within its time";
    return call->hop.is_started ? "not a byte came for the time that was allowed"
                                : "it was not reached within its time";
}

static void arm_deadline(ctn_http *http)
{
    const ctn_heap_node *first = ctn_heap_first(&http->deadlines);
    int64_t due_ms = first ? first->due_ms : INT64_MAX;
    if (due_ms >= http->armed_due_ms)
        return; /* it fires too early at most, and looks again */
    http->armed_due_ms = due_ms;
    ctn_timer_set(http->deadline, due_ms);
}

/* ---- in the multi handle, and out of it ---- */

static void take_out(ctn_http_call *call)
{
    if (!call->is_added)
        return;
    call->is_added = false;
    CURLMcode code = curl_multi_remove_handle(call->http->multi, call->easy);
    assert(code == CURLM_OK);
}

static void put_in(ctn_http_call *call)
{
    int64_t now_ms = ctn_loop_now_ms(call->loop);
    call->last_byte_at_ms = now_ms;
    call->connect_due_ms = now_ms + call->request.connect_timeout_ms;
    ctn_heap_set(&call->http->deadlines, &call->deadline, deadline_of(call));
    arm_deadline(call->http);
    call->state = CTN_CALL_RUNNING;
    call->is_added = true;
    CURLMcode code = curl_multi_add_handle(call->http->multi, call->easy);
    assert(code == CURLM_OK);
}

/* It is over, or its next hop begins. */
static void end(ctn_http_call *call, CURLcode result)
{
    assert(call->state != CTN_CALL_DROPPED && !call->is_filed);
    take_out(call);
    if (ctn_call_goes_on(call, result)) {
        put_in(call);
        return;
    }
    call->state = CTN_CALL_DROPPED; /* it cannot be cancelled any more */
    ctn_call_tell_end(call, result);
    release(call);
}

static void deadline_over(void *ctx)
{
    ctn_http *http = ctx;
    int64_t now_ms = ctn_loop_now_ms(http->loop);
    http->armed_due_ms = INT64_MAX;
    for (ctn_heap_node *first; (first = ctn_heap_first(&http->deadlines)) && first->due_ms <= now_ms;) {
        ctn_http_call *call = (ctn_http_call *) (void *) ((char *) first - offsetof(ctn_http_call, deadline));
        int64_t due_ms = deadline_of(call);
        if (due_ms > now_ms) { /* bytes came since */
            ctn_heap_set(&http->deadlines, first, due_ms);
            continue;
        }
        ctn_heap_remove(&http->deadlines, first);
        if (call->state == CTN_CALL_DROPPED)
            continue;
        call->verdict = CTN_E_TIMEOUT;
        call->verdict_why = what_is_over(call, now_ms);
        end(call, CURLE_OPERATION_TIMEDOUT);
    }
    arm_deadline(http);
}

/* ---- libcurl in the loop ---- */

static void take_ended(ctn_http *http)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
        ctn_http_call *call = NULL;
        CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &call);
        if (call->state == CTN_CALL_RUNNING)
            end(call, result);
    }
}

static void act(ctn_http *http, curl_socket_t fd, int events)
{
    int running;
    CURLMcode code = curl_multi_socket_action(http->multi, fd, events, &running);
    assert(code == CURLM_OK || code == CURLM_BAD_SOCKET); /* one that it closed in this very round */
    take_ended(http);
}

static int set_clock(CURLM *multi, long timeout_ms, void *ctx)
{
    ctn_http *http = ctx;
    (void) multi;
    if (timeout_ms == 0) {
        http->is_due = true;
        ctn_task_file(http->loop, &http->work);
    }
    if (timeout_ms <= 0)
        ctn_timer_clear(http->clock);
    else
        ctn_timer_set(http->clock, ctn_loop_now_ms(http->loop) + timeout_ms);
    return 0;
}

static void time_is_over(ctn_http *http)
{
    long timeout_ms = -1;
    http->is_due = false;
    act(http, CURL_SOCKET_TIMEOUT, 0);
    curl_multi_timeout(http->multi, &timeout_ms);
    if (timeout_ms >= 0 && !http->is_due)
        set_clock(http->multi, timeout_ms > 0 ? timeout_ms : 1, http); /* 0: due since a moment; not twice in a round */
}

static void clock_fired(void *ctx)
{
    time_is_over(ctx);
}

static void socket_ready(void *ctx, int events)
{
    socket_watch *watch = ctx;
    ctn_http *http = watch->http;
    curl_socket_t fd = watch->fd;
    /* After a reset there may still be an answer to read. CURL_CSELECT_ERR would give it up unread, and say so badly.
     */
    if (events & CTN_POLL_GONE)
        events |= CTN_POLL_READ | CTN_POLL_WRITE;
    act(http, fd, (events & CTN_POLL_READ ? CURL_CSELECT_IN : 0) | (events & CTN_POLL_WRITE ? CURL_CSELECT_OUT : 0));
    if (!(events & CTN_POLL_GONE))
        return;
    for (socket_watch *left = http->watches; left; left = left->older) /* `watch` itself is gone, most likely */
        if (left == watch && left->fd == fd)
            ctn_poller_set(left->poller, left->wanted);
}

static void unwatch(socket_watch *watch)
{
    if (watch->older)
        watch->older->newer = watch->newer;
    if (watch->newer)
        watch->newer->older = watch->older;
    else
        watch->http->watches = watch->older;
    ctn_poller_free(watch->poller);
    free(watch);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    ctn_http *http = ctx;
    socket_watch *watch = socket_ctx;
    (void) easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            unwatch(watch);
        curl_multi_assign(http->multi, fd, NULL);
        return 0;
    }
    if (!watch) {
        watch = ctn_calloc(1, sizeof *watch);
        watch->http = http;
        watch->fd = fd;
        watch->older = http->watches;
        if (http->watches)
            http->watches->newer = watch;
        http->watches = watch;
        int rc = ctn_poller_new(http->loop, fd, socket_ready, watch, &watch->poller);
        assert(rc == 0);
        curl_multi_assign(http->multi, fd, watch);
    }
    watch->wanted = (what & CURL_POLL_IN ? CTN_POLL_READ : 0) | (what & CURL_POLL_OUT ? CTN_POLL_WRITE : 0);
    ctn_poller_set(watch->poller, watch->wanted);
    return 0;
}

/* What was filed since the last round: calls to start, to refuse, to take out. */
static void work(void *ctx)
{
    ctn_http *http = ctx;
    ctn_http_call *call = http->filed_first;
    http->filed_first = http->filed_last = NULL;
    while (call) {
        ctn_http_call *next = call->next_filed;
        call->is_filed = false;
        if (call->state == CTN_CALL_DROPPED) {
            take_out(call);
            release(call);
        } else if (call->verdict) {
            end(call, CURLE_OK);
        } else {
            int64_t timeout_ms = call->request.timeout_ms;
            call->due_ms = timeout_ms > 0 ? ctn_loop_now_ms(http->loop) + timeout_ms : INT64_MAX;
            put_in(call);
        }
        call = next;
    }
    if (http->is_due)
        time_is_over(http);
}

/* ---- the handle ---- */

ctn_http *ctn_http_new(const ctn_http_options *options)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(code == CURLE_OK);
    ctn_http *http = ctn_calloc(1, sizeof *http);
    http->loop = options->loop;
    http->multi = curl_multi_init();
    assert(http->multi);
    http->work = (ctn_task){.run = work, .ctx = http};
    http->clock = ctn_timer_new(http->loop, clock_fired, http);
    http->deadline = ctn_timer_new(http->loop, deadline_over, http);
    http->armed_due_ms = INT64_MAX;
    long all = options->connections_max ? (long) options->connections_max : 2048;
    long per_host = options->connections_per_host_max ? (long) options->connections_per_host_max : 1024;
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_clock);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, STREAMS_PER_CONNECTION);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, all);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, all);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host);
    return http;
}

void ctn_http_free(ctn_http *http)
{
    if (!http)
        return;
    ctn_task_cancel(&http->work);
    for (ctn_http_call *call = http->calls, *older; call; call = older) {
        older = call->older;
        call->state = CTN_CALL_DROPPED;
        call->is_filed = false;
        take_out(call);
        release(call);
    }
    for (ctn_http_call *call = http->spare, *older; call; call = older) {
        older = call->older;
        ctn_call_destroy(call);
    }
    CURLMcode code = curl_multi_cleanup(http->multi);
    assert(code == CURLM_OK);
    ctn_task_cancel(&http->work); /* taking out asks for a time-out at once */
    while (http->watches)
        unwatch(http->watches);
    ctn_timer_free(http->clock);
    ctn_timer_free(http->deadline);
    ctn_heap_done(&http->deadlines);
    free(http);
    curl_global_cleanup();
}

ctn_http_call *ctn_http_send(ctn_http *http, const ctn_http_request *request)
{
    ctn_http_call *call = http->spare;
    if (call) {
        http->spare = call->older;
        http->spare_count--;
    } else {
        call = ctn_call_make(http, http->loop);
    }
    call->newer = NULL;
    call->older = http->calls;
    if (http->calls)
        http->calls->newer = call;
    http->calls = call;
    call->state = CTN_CALL_FILED;
    ctn_call_prepare(call, request);
    file(call);
    return call;
}

void ctn_http_call_cancel(ctn_http_call *call)
{
    assert(call->state == CTN_CALL_FILED || call->state == CTN_CALL_RUNNING);
    call->state = CTN_CALL_DROPPED;
    file(call);
}

ctn_str ctn_http_header_of(const ctn_http_head *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (ctn_str_equal_any_case(head->headers[i].name, ctn_str_from(name)))
            return head->headers[i].value;
    return (ctn_str){0};
}

int64_t ctn_http_retry_after_ms(const ctn_http_head *head, int64_t now_ms)
{
    ctn_str after = ctn_http_header_of(head, "Retry-After");
    char text[64];
    int64_t span_ms = 0;
    bool is_exact = ctn_str_to_int64(ctn_http_header_of(head, "retry-after-ms"), &span_ms);
    if (!is_exact && ctn_str_to_int64(after, &span_ms)) {
        span_ms = span_ms <= CTN_HTTP_RETRY_MS_MAX ? span_ms * 1000 : 0;
    } else if (!is_exact && after.len && after.len < sizeof text) {
        memcpy(text, after.ptr, after.len);
        text[after.len] = '\0';
        time_t at = curl_getdate(text, NULL);
        span_ms = at > 0 ? (int64_t) at * 1000 - now_ms : 0;
    }
    return span_ms > 0 && span_ms <= CTN_HTTP_RETRY_MS_MAX ? span_ms : 0;
}
