/*
 * test_otlp.c -- spans on their way to a collector that is slow, refuses, is gone, or answers what it likes: nothing is
 * lost that need not be, and memory stays bounded.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include "base/json.h"
#include "server/ops/otlp.h"
#include "support/cmocka.h"
#include "support/http_peer.h"

typedef struct collector {
    http_peer *peer;
    _Atomic int statuses[8]; /* of the first requests; 0: 200 */
    const char *answer;
    pthread_mutex_t lock;
    ctn_buf bodies; /* one a line */
    char authorization[64];
    ctn_loop *loop;
    ctn_otlp *otlp;
    uint64_t wanted; /* spans that are sent, refused or dropped */
    ctn_timer *limit;
    char url[128];
} collector;

static void serve(void *ctx, http_asked *asked)
{
    collector *c = ctx;
    int status = asked->number <= 8 ? c->statuses[asked->number - 1] : 0;
    pthread_mutex_lock(&c->lock);
    ctn_buf_append(&c->bodies, (ctn_str){asked->body, asked->body_bytes});
    ctn_buf_append_char(&c->bodies, '\n');
    (void) http_asked_header(asked, "Authorization", c->authorization, sizeof c->authorization);
    pthread_mutex_unlock(&c->lock);
    http_answer(asked, status ? status : 200, "application/json", c->answer);
}

static int headers(void *ctx, ctn_arena *arena, ctn_http_header **ret, size_t *ret_count, ctn_err *err)
{
    (void) ctx, (void) err;
    *ret = CTN_NEW(arena, ctn_http_header);
    **ret = (ctn_http_header){CTN_STR("Authorization"), CTN_STR("Bearer t"), true};
    *ret_count = 1;
    return CTN_OK;
}

static void turn(void *ctx)
{
    collector *c = ctx;
    ctn_otlp_figures f = ctn_otlp_figures_now(c->otlp);
    if (f.sent + f.refused + f.dropped >= c->wanted)
        ctn_loop_stop(c->loop);
}

static void too_late(void *ctx)
{
    (void) ctx;
    fail_msg("nothing came");
}

static void run_until(collector *c, uint64_t wanted)
{
    c->wanted = wanted;
    ctn_timer_set(c->limit, ctn_loop_now_ms(c->loop) + 20000);
    ctn_loop_run(c->loop);
    ctn_timer_clear(c->limit);
}

static int setup(void **state)
{
    static collector c;
    c = (collector){.answer = "{}", .loop = ctn_loop_new()};
    pthread_mutex_init(&c.lock, NULL);
    ctn_buf_init(&c.bodies, 64 << 20);
    c.peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = &c});
    (void) snprintf(c.url, sizeof c.url, "%s/v1/traces", http_peer_url(c.peer));
    c.otlp = ctn_otlp_new(&(ctn_otlp_options){.loop = c.loop,
                                              .url = ctn_str_from(c.url),
                                              .service_name = CTN_STR("shop \"a\""),
                                              .headers = headers,
                                              .gather_ms = 5});
    c.limit = ctn_timer_new(c.loop, too_late, &c);
    ctn_loop_set_turn(c.loop, turn, &c);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    collector *c = *state;
    ctn_otlp_free(c->otlp);
    ctn_timer_free(c->limit);
    ctn_loop_free(c->loop);
    http_peer_stop(c->peer);
    ctn_buf_done(&c->bodies);
    return 0;
}

#define SPAN CTN_STR("{\"name\":\"s\"}")

static void spans_come_whole_in_one_request_with_the_services_name(void **state)
{
    collector *c = *state;
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *body;
    for (size_t i = 0; i < 3; i++)
        ctn_otlp_add(c->otlp, SPAN);
    run_until(c, 3);
    assert_int_equal(http_peer_requests(c->peer), 1);
    assert_int_equal(ctn_json_parse(arena, ctn_buf_str(&c->bodies), NULL, &body, NULL), CTN_OK);
    assert_int_equal(ctn_json_count(ctn_json_pointer(body, CTN_STR("/resourceSpans/0/scopeSpans/0/spans"))), 3);
    assert_true(ctn_str_is(
        ctn_json_text(ctn_json_pointer(body, CTN_STR("/resourceSpans/0/resource/attributes/0/value/stringValue"))),
        "shop \"a\""));
    assert_string_equal(c->authorization, "Bearer t");
    assert_true(ctn_otlp_is_idle(c->otlp));
    ctn_arena_free(arena);
}

static void what_is_refused_for_now_is_sent_again(void **state)
{
    collector *c = *state;
    c->statuses[0] = 503;
    ctn_otlp_add(c->otlp, SPAN);
    run_until(c, 1);
    assert_int_equal(http_peer_requests(c->peer), 2);
    ctn_otlp_figures f = ctn_otlp_figures_now(c->otlp);
    assert_int_equal(f.sent, 1);
    assert_int_equal(f.failures, 1);
    assert_int_equal(f.dropped + f.refused + f.waiting, 0);
}

static void what_is_refused_for_good_is_not_sent_for_ever(void **state)
{
    collector *c = *state;
    c->statuses[0] = 400;
    ctn_otlp_add(c->otlp, SPAN);
    run_until(c, 1);
    ctn_otlp_add(c->otlp, SPAN);
    run_until(c, 2);
    ctn_otlp_figures f = ctn_otlp_figures_now(c->otlp);
    assert_int_equal(f.refused, 1);
    assert_int_equal(f.sent, 1);
}

static void what_the_collector_did_not_like_is_counted(void **state)
{
    collector *c = *state;
    c->answer = "{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"x\"}}";
    for (size_t i = 0; i < 3; i++)
        ctn_otlp_add(c->otlp, SPAN);
    run_until(c, 3);
    ctn_otlp_figures f = ctn_otlp_figures_now(c->otlp);
    assert_int_equal(f.refused, 2);
    assert_int_equal(f.sent, 1);
}

/* The collector is slow or gone while a hundred thousand come: the newest are kept, the rest is counted. */
static void memory_stays_bounded_and_the_oldest_go_first(void **state)
{
    collector *c = *state;
    enum { COUNT = CTN_OTLP_WAITING_MAX + 1000 };
    for (size_t i = 0; i < COUNT; i++)
        ctn_otlp_add(c->otlp, i < 1000 ? CTN_STR("{\"name\":\"old\"}") : SPAN);
    assert_int_equal(ctn_otlp_figures_now(c->otlp).waiting, CTN_OTLP_WAITING_MAX);
    run_until(c, COUNT);
    ctn_otlp_figures f = ctn_otlp_figures_now(c->otlp);
    assert_int_equal(f.dropped, 1000);
    assert_int_equal(f.sent, CTN_OTLP_WAITING_MAX);
    assert_int_equal(ctn_str_find(ctn_buf_str(&c->bodies), CTN_STR("old")), SIZE_MAX);
}

/* Those that are dropped while they are under way are not counted twice, and none behind them goes with them. */
static void dropping_what_is_under_way_loses_nothing_else(void **state)
{
    collector *c = *state;
    c->statuses[0] = 503;
    for (size_t i = 0; i < 600; i++)
        ctn_otlp_add(c->otlp, SPAN);
    ctn_otlp_flush(c->otlp);
    for (size_t i = 0; i < CTN_OTLP_WAITING_MAX; i++)
        ctn_otlp_add(c->otlp, SPAN);
    run_until(c, 600 + CTN_OTLP_WAITING_MAX);
    ctn_otlp_figures f = ctn_otlp_figures_now(c->otlp);
    assert_int_equal(f.dropped, 600);
    assert_int_equal(f.sent, CTN_OTLP_WAITING_MAX);
    assert_int_equal(f.waiting, 0);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(spans_come_whole_in_one_request_with_the_services_name),
        WITH(what_is_refused_for_now_is_sent_again),
        WITH(what_is_refused_for_good_is_not_sent_for_ever),
        WITH(what_the_collector_did_not_like_is_counted),
        WITH(memory_stays_bounded_and_the_oldest_go_first),
        WITH(dropping_what_is_under_way_loses_nothing_else),
    };
    (void) signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
