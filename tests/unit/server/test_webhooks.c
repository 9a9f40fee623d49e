/*
 * Deliveries to webhooks: in order, at least once, whatever the receiver does; and one receiver is nothing to another.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/memory.h"
#include "server/webhooks.h"
#include "support/cmocka.h"
#include "support/http_peer.h"
#include "unit/server/feed_kit.h"
#include "wire/signature.h"

#define SECRET "a secret of the test"

/* ---- the receivers: /good, /bad (500), /late (429 at first), /gone (410), /slow ---- */

typedef struct seen {
    pthread_mutex_t lock;
    char text[4][16384]; /* of each receiver: "EXECUTION/SEQ " in the order they came */
    unsigned counts[4], forged;
    bool is_mended; /* /bad is well again */
    int64_t late_at_ms[2];
} seen;

static const char *const PATHS[] = {"/good", "/bad", "/late", "/gone"};

static void serve(void *ctx, http_asked *asked)
{
    seen *s = ctx;
    char id[64] = "", time_text[32] = "", signature[128] = "";
    size_t which = 0;
    (void) http_asked_header(asked, "webhook-id", id, sizeof id);
    (void) http_asked_header(asked, "webhook-timestamp", time_text, sizeof time_text);
    (void) http_asked_header(asked, "webhook-signature", signature, sizeof signature);
    ctn_signed what = {
        ctn_str_from(id), ctn_str_from(time_text), ctn_str_from(signature), {asked->body, asked->body_bytes}};
    while (which < 3 && strcmp(asked->path, PATHS[which]) != 0)
        which++;
    pthread_mutex_lock(&s->lock);
    s->forged +=
        ctn_signature_fault(CTN_SIGNATURE_STANDARD, CTN_STR(SECRET), &what, (int64_t) time(NULL) * 1000) != NULL;
    unsigned n = s->counts[which]++;
    size_t len = strlen(s->text[which]);
    if (len < sizeof s->text[which] - 32) /* the execution's last digits, and the number of the entry */
        (void) snprintf(s->text[which] + len, sizeof s->text[which] - len, "%s ", id + 34);
    bool is_bad = which == 1 && !s->is_mended;
    pthread_mutex_unlock(&s->lock);
    if (which == 3)
        http_answer(asked, 410, NULL, "");
    else if (which == 2 && n == 0)
        http_say(asked, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
    else if (is_bad)
        http_answer(asked, 500, NULL, "");
    else
        http_answer(asked, 204, NULL, "");
}

/* ---- a keyring in memory ---- */

static int read_ring(void *ctx, ctn_buf *ret_text, ctn_err *err)
{
    (void) ctx, (void) err;
    ctn_buf_append(ret_text, CTN_STR("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"));
    return CTN_OK;
}

typedef struct place {
    feed_kit *k;
    seen s;
    http_peer *peer;
    ctn_keyring ring;
    ctn_seal *seal;
    ctn_webhooks *webhooks;
    ctn_arena *arena;
    bool is_denied;
} place;

static int policy(void *ctx, ctn_str host, ctn_http_policy *ret_policy, ctn_err *err)
{
    const place *p = ctx;
    if (p->is_denied || !ctn_str_is(host, "127.0.0.1"))
        return ctn_fail(err, CTN_E_DENIED, "it may not be called");
    *ret_policy = (ctn_http_policy){.allows_cleartext = true, .allows_private = true, .proxy = ""};
    return CTN_OK;
}

static void open_webhooks(place *p)
{
    ctn_webhooks_options options = {.loop = p->k->loop,
                                    .store = p->k->store,
                                    .feed = p->k->feed,
                                    .seal = p->seal,
                                    .policy = policy,
                                    .policy_ctx = p,
                                    .retry_first_ms = 4,
                                    .attempts_max = 4};
    assert_int_equal(ctn_webhooks_open(&options, &p->webhooks, NULL), CTN_OK);
}

static int setup(void **state)
{
    place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    assert_int_equal(feed_kit_setup((void **) &p->k), 0);
    assert_int_equal(pthread_mutex_init(&p->s.lock, NULL), 0);
    p->arena = ctn_arena_new(4096);
    p->peer = http_peer_start(&(http_peer_options){.serve = serve, .ctx = &p->s});
    p->ring = (ctn_keyring){.name = "the ring", .read = read_ring};
    p->seal = ctn_seal_new(&p->ring);
    open_webhooks(p);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    place *p = *state;
    void *k = p->k;
    ctn_webhooks_close(p->webhooks);
    ctn_seal_free(p->seal);
    (void) feed_kit_teardown(&k);
    http_peer_stop(p->peer);
    ctn_arena_free(p->arena);
    free(p);
    return 0;
}

static void add_webhook(place *p, const char *name, const char *path)
{
    ctn_str secret;
    ctn_webhook w = {.name = ctn_str_from(name),
                     .url = ctn_arena_printf(p->arena, "%s%s", http_peer_url(p->peer), path),
                     .created_by = CTN_STR("ada"),
                     .created_at_ms = 1};
    ctn_err err = {0};
    if (ctn_webhooks_add(p->webhooks, &w, CTN_STR(SECRET), p->arena, &secret, &err))
        fail_msg("%s", err.message);
    assert_true(ctn_str_is(secret, SECRET));
}

static ctn_webhook look(place *p, const char *name)
{
    ctn_webhook w;
    assert_int_equal(ctn_webhooks_get(p->webhooks, p->arena, ctn_str_from(name), &w, NULL), CTN_OK);
    return w;
}

/* Until the receiver has had so many. */
static void await(place *p, size_t which, unsigned count)
{
    for (int i = 0; i < 400; i++) {
        pthread_mutex_lock(&p->s.lock);
        bool is_there = p->s.counts[which] >= count;
        pthread_mutex_unlock(&p->s.lock);
        if (is_there)
            return;
        feed_kit_run(p->k, 10);
    }
    fail_msg("%s had %u of %u", PATHS[which], p->s.counts[which], count);
}

static int count_letter(void *ctx, const ctn_dead_letter *letter)
{
    assert_true(letter->attempts >= 4 && ctn_str_is(letter->why, "HTTP 500"));
    ++*(size_t *) ctx;
    return 0;
}

static size_t dead_letters(place *p, const char *name)
{
    size_t count = 0;
    assert_int_equal(ctn_store_dead_letter_list(p->k->store, ctn_str_from(name), 0, 1000, count_letter, &count, NULL),
                     CTN_OK);
    return count;
}

/* The entries of one execution in what a receiver had: 1, 2, 3, ... and never back; a repeat is allowed. */
static unsigned in_order(const char *text, int exec_no)
{
    unsigned last = 0;
    char mark[8];
    (void) snprintf(mark, sizeof mark, "%02x-", exec_no);
    for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark)) {
        unsigned n = (unsigned) atoi(at + 3);
        assert_true(n == last + 1 || n == last);
        last = n;
    }
    return last;
}

/* ---- tests ---- */

static void events_arrive_in_order_and_signed(void **state)
{
    place *p = *state;
    feed_kit_add(p->k, 1); /* before anybody wanted to know */
    add_webhook(p, "good", "/good");
    for (int i = 0; i < 300; i++)
        feed_kit_add(p->k, 1 + i % 3);
    await(p, 0, 300);
    feed_kit_run(p->k, 50);
    assert_int_equal(p->s.counts[0], 300); /* each once, for nothing went wrong */
    assert_int_equal(p->s.forged, 0);
    assert_null(strstr(p->s.text[0], "01-1 "));
    assert_int_equal(in_order(p->s.text[0], 2), 100);
    assert_int_equal(in_order(p->s.text[0], 3), 100);
    assert_int_equal(look(p, "good").position, 301);
}

static void a_bad_receiver_is_nothing_to_another(void **state)
{
    place *p = *state;
    add_webhook(p, "bad", "/bad");
    add_webhook(p, "good", "/good");
    for (int i = 0; i < 200; i++)
        feed_kit_add(p->k, 1 + i % 3);
    await(p, 0, 200);
    assert_true(look(p, "bad").failures > 0);
    assert_true(ctn_str_is(look(p, "bad").last_failure, "HTTP 500"));
    for (int i = 0; i < 300 && dead_letters(p, "bad") < 10; i++)
        feed_kit_run(p->k, 20);
    assert_in_range(dead_letters(p, "bad"), 10, 200);
    size_t dead = dead_letters(p, "bad");
    assert_true(look(p, "bad").position < 200); /* those of several executions die in any order */
    pthread_mutex_lock(&p->s.lock);
    p->s.is_mended = true;
    pthread_mutex_unlock(&p->s.lock);
    for (int i = 0; i < 500 && look(p, "bad").position < 200; i++)
        feed_kit_run(p->k, 10);
    assert_int_equal(look(p, "bad").position, 200); /* everything is delivered, or a dead letter */
    assert_int_equal(look(p, "bad").failures, 0);
    unsigned had = p->s.counts[1];
    assert_int_equal(ctn_webhooks_deliver_again(p->webhooks, CTN_STR("bad"), 1, NULL), CTN_OK);
    await(p, 1, had + 1);
    for (int i = 0; i < 100 && dead_letters(p, "bad") == dead; i++)
        feed_kit_run(p->k, 10);
    assert_true(dead_letters(p, "bad") < dead + 1);
    assert_int_equal(ctn_webhooks_deliver_again(p->webhooks, CTN_STR("bad"), 1, NULL), CTN_E_NOT_FOUND);
    assert_int_equal(ctn_webhooks_deliver_again(p->webhooks, CTN_STR("nobody"), 1, NULL), CTN_E_NOT_FOUND);
}

static void what_was_under_way_is_sent_again_after_a_death(void **state)
{
    place *p = *state;
    add_webhook(p, "bad", "/bad");
    for (int i = 0; i < 150; i++)
        feed_kit_add(p->k, 1 + i % 3);
    await(p, 1, 5);
    ctn_webhooks_close(p->webhooks); /* in the middle of it */
    p->webhooks = NULL;
    size_t dead = dead_letters(p, "bad");
    feed_kit_add(p->k, 1); /* while nobody is there */
    pthread_mutex_lock(&p->s.lock);
    p->s.is_mended = true;
    p->s.text[1][0] = '\0';
    pthread_mutex_unlock(&p->s.lock);
    open_webhooks(p);
    for (int i = 0; i < 500 && look(p, "bad").position < 151; i++)
        feed_kit_run(p->k, 10);
    assert_int_equal(look(p, "bad").position, 151);
    assert_int_equal(dead_letters(p, "bad"), dead);
    assert_non_null(strstr(p->s.text[1], "01-51 ")); /* the last one of each */
    assert_non_null(strstr(p->s.text[1], "02-50 "));
    assert_non_null(strstr(p->s.text[1], "03-50 "));
    assert_true(dead > 0 || strstr(p->s.text[1], "01-1 "));
    assert_int_equal(p->s.forged, 0); /* the secret was kept */
}

static void who_wants_to_be_left_alone_is_and_who_is_gone_is_asked_no_more(void **state)
{
    place *p = *state;
    add_webhook(p, "late", "/late");
    add_webhook(p, "gone", "/gone");
    int64_t began_ms = ctn_loop_now_ms(p->k->loop);
    feed_kit_add(p->k, 1);
    feed_kit_run(p->k, 300);
    assert_int_equal(p->s.counts[2], 1);
    assert_true(ctn_str_find(look(p, "gone").stopped, CTN_STR("410")) != SIZE_MAX);
    unsigned had = p->s.counts[3];
    feed_kit_add(p->k, 1);
    await(p, 2, 3);
    assert_true(ctn_loop_now_ms(p->k->loop) - began_ms >= 900);
    assert_int_equal(in_order(p->s.text[2], 1), 2);
    assert_int_equal(p->s.counts[3], had);
    assert_int_equal(look(p, "gone").position, 0);
    ctn_webhooks_close(p->webhooks);
    open_webhooks(p);
    feed_kit_run(p->k, 50);
    assert_int_equal(p->s.counts[3], had); /* and that is not forgotten */
    assert_int_equal(ctn_webhooks_deliver_again(p->webhooks, CTN_STR("gone"), 1, NULL), CTN_E_STATE);
    assert_int_equal(ctn_webhooks_resume(p->webhooks, CTN_STR("gone"), NULL), CTN_OK);
    await(p, 3, had + 1);
}

static void nobody_is_called_who_may_not_be(void **state)
{
    place *p = *state;
    ctn_str secret;
    static const struct {
        const char *url;
        int code;
    } ROWS[] = {{"http://169.254.169.254/latest", CTN_E_DENIED},
                {"https://internal.example.com/", CTN_E_DENIED},
                {"ftp://127.0.0.1/", CTN_E_INVALID},
                {"http://user:word@127.0.0.1/", CTN_E_INVALID},
                {"127.0.0.1", CTN_E_INVALID}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        ctn_webhook w = {.name = CTN_STR("x"), .url = ctn_str_from(ROWS[i].url), .created_by = CTN_STR("ada")};
        assert_int_equal(ctn_webhooks_add(p->webhooks, &w, (ctn_str){0}, p->arena, &secret, NULL), ROWS[i].code);
    }
    ctn_webhook twice = {.name = CTN_STR("good"), .url = CTN_STR("http://127.0.0.1:1/"), .created_by = CTN_STR("ada")};
    add_webhook(p, "good", "/good");
    assert_int_equal(ctn_webhooks_add(p->webhooks, &twice, (ctn_str){0}, p->arena, &secret, NULL), CTN_E_EXISTS);
    twice.name = CTN_STR("other");
    assert_int_equal(ctn_webhooks_add(p->webhooks, &twice, CTN_STR("short"), p->arena, &secret, NULL), CTN_E_INVALID);
    assert_int_equal(ctn_webhooks_add(p->webhooks, &twice, (ctn_str){0}, p->arena, &secret, NULL), CTN_OK);
    assert_true(ctn_str_starts_with(secret, CTN_STR("whsec_")) && secret.len == 38);
    p->is_denied = true; /* the operator has thought better of it */
    feed_kit_add(p->k, 1);
    feed_kit_run(p->k, 100);
    assert_int_equal(p->s.counts[0], 0);
    assert_int_equal(ctn_webhooks_remove(p->webhooks, CTN_STR("good"), NULL), CTN_OK);
    assert_int_equal(ctn_webhooks_remove(p->webhooks, CTN_STR("good"), NULL), CTN_E_NOT_FOUND);
}

int main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
#define HOOK(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        HOOK(events_arrive_in_order_and_signed),
        HOOK(a_bad_receiver_is_nothing_to_another),
        HOOK(what_was_under_way_is_sent_again_after_a_death),
        HOOK(who_wants_to_be_left_alone_is_and_who_is_gone_is_asked_no_more),
        HOOK(nobody_is_called_who_may_not_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
