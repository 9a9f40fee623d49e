/* The loop itself: what comes late, twice, out of order, or is left lying while the loop sleeps. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "patience.h"
#include "support/cmocka.h"

typedef struct fixture {
    ctn_loop *loop;
    char order[64];
    size_t count;
    bool is_done;
    ctn_timer *timer, *other;
    size_t turn_count, filed, filed_seen;
    ctn_wakeup *wakeup;
    ctn_signal *signal;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->loop = ctn_loop_new();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    ctn_loop_free(f->loop);
    free(f);
    return 0;
}

typedef struct named {
    fixture *f;
    char name;
    size_t last; /* done when this many have come */
} named;

static void note_name(void *ctx)
{
    named *n = ctx;
    n->f->order[n->f->count++] = n->name;
    n->f->is_done = n->f->count >= n->last;
}

static void timers_fire_in_the_order_of_their_times(void **state)
{
    fixture *f = *state;
    named a = {f, 'a', 3}, b = {f, 'b', 3}, c = {f, 'c', 3};
    int64_t now_ms = ctn_loop_now_ms(f->loop);
    ctn_timer *timers[] = {ctn_timer_new(f->loop, note_name, &c), ctn_timer_new(f->loop, note_name, &a),
                           ctn_timer_new(f->loop, note_name, &b)};
    ctn_timer_set(timers[0], now_ms + 60);
    ctn_timer_set(timers[1], now_ms + 20);
    ctn_timer_set(timers[2], now_ms + 40);
    assert_true(patience_until(f->loop, &f->is_done));
    assert_string_equal(f->order, "abc");
    assert_true(ctn_loop_now_ms(f->loop) >= now_ms + 60);
    assert_true(ctn_loop_now_ms(f->loop) < now_ms + 5000);
}

static void a_timer_that_is_set_again_fires_once_at_the_later_time(void **state)
{
    fixture *f = *state;
    named a = {f, 'a', 1};
    int64_t now_ms = ctn_loop_now_ms(f->loop);
    ctn_timer *timer = ctn_timer_new(f->loop, note_name, &a);
    ctn_timer_set(timer, now_ms + 5);
    ctn_timer_set(timer, now_ms + 80);
    patience_for(f->loop, 30);
    assert_int_equal(f->count, 0);
    assert_true(patience_until(f->loop, &f->is_done));
    assert_true(ctn_loop_now_ms(f->loop) >= now_ms + 80);
    patience_for(f->loop, 30);
    assert_int_equal(f->count, 1);
}

static void a_timer_moved_to_an_earlier_time_does_not_sleep_until_the_old_one(void **state)
{
    fixture *f = *state;
    named a = {f, 'a', 1};
    int64_t now_ms = ctn_loop_now_ms(f->loop);
    ctn_timer *timer = ctn_timer_new(f->loop, note_name, &a);
    ctn_timer_set(timer, now_ms + 3600000);
    patience_for(f->loop, 5);
    ctn_timer_set(timer, now_ms + 20);
    assert_true(patience_until(f->loop, &f->is_done));
}

static void times_that_are_past_fire_at_once_even_those_before_1970(void **state)
{
    fixture *f = *state;
    named a = {f, 'a', 4};
    const int64_t past[] = {INT64_MIN, -1, 0, ctn_loop_now_ms(f->loop) - 1};
    for (size_t i = 0; i < 4; i++)
        ctn_timer_set(ctn_timer_new(f->loop, note_name, &a), past[i]);
    assert_true(patience_until(f->loop, &f->is_done));
}

static void the_end_of_time_never_comes(void **state)
{
    fixture *f = *state;
    named a = {f, 'a', 1};
    ctn_timer_set(ctn_timer_new(f->loop, note_name, &a), INT64_MAX);
    ctn_timer_set(ctn_timer_new(f->loop, note_name, &a), INT64_MAX - 1);
    patience_for(f->loop, 30);
    assert_int_equal(f->count, 0);
}

static void a_cleared_timer_does_not_fire_though_it_was_due_already(void **state)
{
    fixture *f = *state;
    named a = {f, 'a', 1};
    ctn_timer *timer = ctn_timer_new(f->loop, note_name, &a);
    ctn_timer_set(timer, 0);
    ctn_timer_clear(timer);
    patience_for(f->loop, 20);
    assert_int_equal(f->count, 0);
}

static void free_both(void *ctx)
{
    fixture *f = ctx;
    f->count++;
    ctn_timer_free(f->timer);
    ctn_timer_free(f->other);
}

/* Both are due in the same round; whichever comes first frees both. */
static void a_timer_freed_by_another_that_is_due_with_it_does_not_fire(void **state)
{
    fixture *f = *state;
    f->timer = ctn_timer_new(f->loop, free_both, f);
    f->other = ctn_timer_new(f->loop, free_both, f);
    ctn_timer_set(f->timer, 0);
    ctn_timer_set(f->other, 0);
    patience_for(f->loop, 20);
    assert_int_equal(f->count, 1);
}

static void set_self_into_the_past(void *ctx)
{
    fixture *f = ctx;
    f->count++;
    ctn_timer_set(f->timer, 0);
}

static void a_timer_that_is_always_due_starves_neither_the_others_nor_the_turn(void **state)
{
    fixture *f = *state;
    named other = {f, 'b', 1};
    f->timer = ctn_timer_new(f->loop, set_self_into_the_past, f);
    ctn_timer_set(f->timer, 0);
    patience_for(f->loop, 30); /* which is another timer */
    assert_true(f->count > 1);
    f->count = 0;
    ctn_timer_clear(f->timer);
    ctn_timer_set(ctn_timer_new(f->loop, note_name, &other), 0);
    assert_true(patience_until(f->loop, &f->is_done));
}

static void count_turn(void *ctx)
{
    fixture *f = ctx;
    f->turn_count++;
    f->filed_seen = f->filed;
}

static void file_one(void *ctx)
{
    fixture *f = ctx;
    f->filed++;
}

static void *send_later(void *ctx)
{
    fixture *f = ctx;
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    ctn_wakeup_send(f->wakeup);
    return NULL;
}

/* Everything that a callback files is seen by a turn before the loop sleeps: here it would sleep for ever. */
static void what_is_filed_is_seen_by_a_turn_before_the_loop_sleeps(void **state)
{
    fixture *f = *state;
    ctn_loop_set_turn(f->loop, count_turn, f);
    ctn_timer *timer = ctn_timer_new(f->loop, file_one, f);
    f->wakeup = ctn_wakeup_new(f->loop, file_one, f);
    ctn_timer_set(timer, ctn_loop_now_ms(f->loop) + 10);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_later, f), 0);
    patience_for(f->loop, 100);
    pthread_join(thread, NULL);
    assert_int_equal(f->filed, 2);
    assert_int_equal(f->filed_seen, 2);
    assert_true(f->turn_count < 20); /* and it did sleep */
    ctn_loop_set_turn(f->loop, NULL, NULL);
}

static void set_a_timer_in_the_turn(void *ctx)
{
    fixture *f = ctx;
    if (f->turn_count++ == 0)
        ctn_timer_set(f->timer, 0);
    f->is_done = f->filed > 0;
    if (f->is_done)
        ctn_loop_stop(f->loop);
}

static void a_timer_set_by_the_turn_into_the_past_does_not_wait_for_other_news(void **state)
{
    fixture *f = *state;
    f->timer = ctn_timer_new(f->loop, file_one, f);
    ctn_loop_set_turn(f->loop, set_a_timer_in_the_turn, f);
    ctn_loop_run(f->loop);
    assert_true(f->is_done);
    ctn_loop_set_turn(f->loop, NULL, NULL);
}

static void *send_a_thousand(void *ctx)
{
    fixture *f = ctx;
    for (int i = 0; i < 1000; i++)
        ctn_wakeup_send(f->wakeup);
    return NULL;
}

static void wakeups_from_many_threads_arrive_at_least_once(void **state)
{
    fixture *f = *state;
    f->wakeup = ctn_wakeup_new(f->loop, file_one, f);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_a_thousand, f), 0);
    patience_for(f->loop, 50);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    patience_for(f->loop, 5);
    assert_in_range(f->filed, 1, 4000);
    ctn_wakeup_free(f->wakeup);
    patience_for(f->loop, 5);
}

static void raised(void *ctx)
{
    fixture *f = ctx;
    f->count++;
    f->is_done = true;
    ctn_signal_free(f->signal);
}

static void a_signal_arrives_in_the_loop_and_may_free_itself(void **state)
{
    fixture *f = *state;
    f->signal = ctn_signal_new(f->loop, SIGUSR1, raised, f);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    assert_true(patience_until(f->loop, &f->is_done));
    patience_for(f->loop, 5);
    assert_int_equal(f->count, 1);
}

static void a_freed_loop_closes_what_is_left_and_no_descriptor_stays(void **state)
{
    (void) state;
    size_t before = 0;
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            before = patience_open_fd_count(); /* libuv keeps a few for the process */
        fixture f = {.loop = ctn_loop_new()};
        ctn_timer_set(ctn_timer_new(f.loop, file_one, &f), 0);
        ctn_wakeup_new(f.loop, file_one, &f);
        ctn_signal_new(f.loop, SIGUSR2, file_one, &f);
        if (i > 0)
            patience_for(f.loop, 2);
        ctn_loop_free(f.loop);
    }
    assert_int_equal(patience_open_fd_count(), before);
    ctn_loop_free(NULL);
    ctn_timer_free(NULL);
    ctn_wakeup_free(NULL);
    ctn_signal_free(NULL);
    ctn_stream_free(NULL);
    ctn_listener_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(timers_fire_in_the_order_of_their_times),
        TEST(a_timer_that_is_set_again_fires_once_at_the_later_time),
        TEST(a_timer_moved_to_an_earlier_time_does_not_sleep_until_the_old_one),
        TEST(times_that_are_past_fire_at_once_even_those_before_1970),
        TEST(the_end_of_time_never_comes),
        TEST(a_cleared_timer_does_not_fire_though_it_was_due_already),
        TEST(a_timer_freed_by_another_that_is_due_with_it_does_not_fire),
        TEST(a_timer_that_is_always_due_starves_neither_the_others_nor_the_turn),
        TEST(what_is_filed_is_seen_by_a_turn_before_the_loop_sleeps),
        TEST(a_timer_set_by_the_turn_into_the_past_does_not_wait_for_other_news),
        TEST(wakeups_from_many_threads_arrive_at_least_once),
        TEST(a_signal_arrives_in_the_loop_and_may_free_itself),
        TEST(a_freed_loop_closes_what_is_left_and_no_descriptor_stays),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
