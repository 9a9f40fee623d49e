/*
 * The feed of the journal: nobody misses an entry or is told one twice, whenever he comes, however slow he is, and
 * whatever the others do meanwhile.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "support/cmocka.h"
#include "unit/server/feed_kit.h"

typedef struct listener {
    ctn_follower *follower;
    feed_kit *p;
    char text[8192]; /* positions */
    int64_t last;
    size_t count, room, leaves_after, lost;
    bool is_caught_up;
    ctn_str tenant;      /* not empty: what he may read */
    char json[64 << 10]; /* of the last one */
} listener;

static bool may(void *ctx, const ctn_tail_entry *entry, const ctn_json *labels)
{
    const listener *l = ctx;
    assert_true(ctn_str_is(ctn_json_str_or(labels, "region", (ctn_str){0}), "eu"));
    return !l->tenant.len || ctn_str_equal(l->tenant, entry->tenant);
}

static bool has_room(void *ctx)
{
    return ((listener *) ctx)->room > 0;
}

static void take(void *ctx, const ctn_feed_event *event)
{
    listener *l = ctx;
    size_t len = strlen(l->text);
    assert_true(event->entry->position > l->last); /* in order, and once */
    assert_true(l->room > 0);
    l->last = event->entry->position;
    l->room--;
    l->count++;
    if (len < sizeof l->text - 32)
        (void) snprintf(l->text + len, sizeof l->text - len, "%" PRId64 " ", l->last);
    (void) snprintf(l->json, sizeof l->json, "%.*s", CTN_STR_ARG(event->json));
    if (l->leaves_after && l->count == l->leaves_after) {
        ctn_feed_unfollow(l->follower);
        l->follower = NULL;
    }
}

static void caught_up(void *ctx)
{
    ((listener *) ctx)->is_caught_up = true;
}

static void lost(void *ctx)
{
    ((listener *) ctx)->lost++;
}

static listener *follow(feed_kit *p, int64_t after, ctn_feed_filter filter)
{
    listener *l = ctn_calloc(1, sizeof *l);
    l->p = p;
    l->room = SIZE_MAX;
    l->last = after > 0 ? after : 0;
    ctn_follow_options of = {.filter = filter,
                             .after = after,
                             .may = may,
                             .has_room = has_room,
                             .take = take,
                             .caught_up = caught_up,
                             .lost = lost,
                             .ctx = l};
    l->follower = ctn_feed_follow(p->feed, &of);
    return l;
}

static void leave(listener *l)
{
    ctn_feed_unfollow(l->follower);
    free(l);
}

/* ---- tests ---- */

static void who_comes_back_with_his_bookmark_misses_nothing(void **state)
{
    feed_kit *p = *state;
    for (int i = 0; i < 5; i++)
        feed_kit_add(p, 1);
    listener *all = follow(p, 0, (ctn_feed_filter){.kinds = 0}), *later = follow(p, 3, (ctn_feed_filter){.kinds = 0}),
             *now = follow(p, -1, (ctn_feed_filter){.kinds = 0}),
             *wrong = follow(p, 999, (ctn_feed_filter){.kinds = 0});
    wrong->last = 0;
    feed_kit_run(p, 20);
    feed_kit_add(p, 1);
    feed_kit_add(p, 2);
    feed_kit_run(p, 20);
    assert_string_equal(all->text, "1 2 3 4 5 6 7 ");
    assert_string_equal(later->text, "4 5 6 7 ");
    assert_string_equal(now->text, "6 7 ");
    assert_true(now->is_caught_up);
    assert_int_equal(ctn_follower_position(wrong->follower), 7); /* of another store: it goes on from now */
    int64_t bookmark = all->last;
    leave(all);
    feed_kit_add(p, 1); /* while he is away */
    feed_kit_run(p, 20);
    all = follow(p, bookmark, (ctn_feed_filter){.kinds = 0});
    feed_kit_add(p, 1);
    feed_kit_run(p, 20);
    assert_string_equal(all->text, "8 9 ");
    leave(all);
    leave(later);
    leave(now);
    leave(wrong);
}

static void each_is_told_what_he_has_asked_for(void **state)
{
    feed_kit *p = *state;
    feed_kit_add(p, 1);
    listener *one = follow(p, 0, (ctn_feed_filter){.execution = feed_kit_id_of(2)}),
             *family = follow(p, 0, (ctn_feed_filter){.execution = feed_kit_id_of(2), .with_children = true}),
             *odd = follow(p, 0, (ctn_feed_filter){.chain_id = CTN_STR("odd")}),
             *acme = follow(p, 0, (ctn_feed_filter){.tenant = CTN_STR("acme")}),
             *ends = follow(p, 0, (ctn_feed_filter){.kinds = UINT64_C(1) << CTN_ENTRY_COMPLETED}),
             *guarded = follow(p, 0, (ctn_feed_filter){.kinds = 0});
    guarded->tenant = CTN_STR("acme");
    for (int round = 0; round < 2; round++) { /* as it comes, and out of the store */
        if (round == 0) {
            feed_kit_add(p, 2);                                                         /* 2 */
            feed_kit_add_body(p, 4, CTN_ENTRY_STARTED, 2, CTN_STR("{}"), (ctn_str){0}); /* 3: child */
            feed_kit_add_body(p, 5, CTN_ENTRY_STARTED, 4, CTN_STR("{}"), (ctn_str){0}); /* 4: its child */
            feed_kit_add(p, 3);                                                         /* 5 */
            feed_kit_add_body(p, 2, CTN_ENTRY_COMPLETED, 0, CTN_STR("{\"outputs\":{}}"), (ctn_str){0}); /* 6 */
        }
        feed_kit_run(p, 20);
        assert_string_equal(one->text, "2 6 ");
        assert_string_equal(family->text, "2 3 4 6 ");
        assert_string_equal(odd->text, "1 4 5 ");
        assert_string_equal(acme->text, "5 ");
        assert_string_equal(ends->text, "6 ");
        assert_string_equal(guarded->text, "5 ");
        listener *again[] = {one, family, odd, acme, ends, guarded};
        for (size_t i = 0; i < 6; i++) {
            again[i]->text[0] = '\0';
            again[i]->last = 0;
            ctn_feed_unfollow(again[i]->follower);
        }
        ctn_feed_filter filters[6];
        for (size_t i = 0; i < 6; i++)
            filters[i] = (ctn_feed_filter){.kinds = i == 4 ? UINT64_C(1) << CTN_ENTRY_COMPLETED : 0};
        filters[0].execution = filters[1].execution = feed_kit_id_of(2);
        filters[1].with_children = true;
        filters[2].chain_id = CTN_STR("odd");
        filters[3].tenant = CTN_STR("acme");
        for (size_t i = 0; i < 6; i++) {
            listener *fresh = follow(p, 0, filters[i]);
            fresh->tenant = again[i]->tenant;
            free(again[i]);
            again[i] = fresh;
        }
        one = again[0], family = again[1], odd = again[2], acme = again[3], ends = again[4], guarded = again[5];
    }
    leave(one);
    leave(family);
    leave(odd);
    leave(acme);
    leave(ends);
    leave(guarded);
}

static void who_is_slow_is_told_later_and_holds_nobody_up(void **state)
{
    feed_kit *p = *state;
    for (int i = 0; i < 700; i++)
        feed_kit_add(p, 1 + i % 3);
    listener *slow = follow(p, 0, (ctn_feed_filter){.kinds = 0}), *quick = follow(p, 0, (ctn_feed_filter){.kinds = 0}),
             *one = follow(p, 0, (ctn_feed_filter){.execution = feed_kit_id_of(1)});
    slow->room = 10;
    one->room = 7;
    feed_kit_run(p, 30);
    assert_int_equal(quick->count, 700);
    assert_int_equal(slow->count, 10);
    for (int i = 0; i < 40; i++) { /* and while he catches up, more comes */
        feed_kit_add(p, 1);
        slow->room += 5;
        one->room += 1;
        feed_kit_run(p, 2);
    }
    assert_int_equal(quick->count, 740);
    slow->room = one->room = SIZE_MAX;
    feed_kit_run(p, 120);
    assert_int_equal(slow->count, 740);
    assert_int_equal(one->count, 234 + 40);
    assert_int_equal(ctn_follower_position(slow->follower), 740);
    assert_int_equal(slow->lost, 0);
    leave(slow);
    leave(quick);
    leave(one);
}

/* More comes at once than is read in a round: the feed is behind the store, and a newcomer may not run ahead of it. */
static void who_comes_in_the_middle_of_a_flood_is_told_each_once(void **state)
{
    feed_kit *p = *state;
    listener *live = follow(p, -1, (ctn_feed_filter){.kinds = 0}),
             *tired = follow(p, -1, (ctn_feed_filter){.kinds = 0});
    feed_kit_run(p, 20);
    tired->room = 3;
    for (int i = 0; i < 4000; i++)
        feed_kit_add(p, i % 500 == 499 ? 7 : 1 + i % 3);
    listener *few = follow(p, 0, (ctn_feed_filter){.execution = feed_kit_id_of(7)});
    listener *fresh = follow(p, 0, (ctn_feed_filter){.kinds = 0}),
             *ahead = follow(p, 3990, (ctn_feed_filter){.kinds = 0}),
             *one = follow(p, 0, (ctn_feed_filter){.execution = feed_kit_id_of(2)});
    feed_kit_run(p, 100);
    assert_int_equal(tired->count, 3); /* he was where the feed is, and had no room */
    tired->room = SIZE_MAX;
    feed_kit_run(p, 150);
    assert_int_equal(live->count, 4000);
    assert_int_equal(tired->count, 4000);
    assert_int_equal(fresh->count, 4000);
    assert_int_equal(one->count, 1330);
    assert_string_equal(few->text, "500 1000 1500 2000 2500 3000 3500 4000 ");
    assert_string_equal(ahead->text, "3991 3992 3993 3994 3995 3996 3997 3998 3999 4000 ");
    leave(live);
    leave(tired);
    leave(fresh);
    leave(ahead);
    leave(one);
    leave(few);
}

static void who_leaves_while_he_is_told_is_told_no_more(void **state)
{
    feed_kit *p = *state;
    feed_kit_add(p, 1);
    listener *early = follow(p, 0, (ctn_feed_filter){.kinds = 0}), *live = follow(p, -1, (ctn_feed_filter){.kinds = 0}),
             *other = follow(p, -1, (ctn_feed_filter){.kinds = 0});
    early->leaves_after = 1;
    live->leaves_after = 1;
    feed_kit_run(p, 20);
    for (int i = 0; i < 3; i++)
        feed_kit_add(p, 1);
    feed_kit_run(p, 20);
    assert_int_equal(early->count, 1);
    assert_int_equal(live->count, 1);
    assert_int_equal(other->count, 3);
    leave(early);
    leave(live);
    leave(other);
}

static void no_sensitive_value_and_no_large_body_is_told(void **state)
{
    feed_kit *p = *state;
    feed_kit_add(p, 1);
    listener *l = follow(p, -1, (ctn_feed_filter){.kinds = 0});
    feed_kit_run(p, 20);
    feed_kit_add_body(p, 1, CTN_ENTRY_ATTEMPT_SUCCEEDED, 0,
                      CTN_STR("{\"variables\":{\"pin\":{\"$sealed\":\"c0ffee\"},\"open\":7}}"),
                      CTN_STR("[{\"at\":\"/variables/pin\",\"box\":\"Ym94\"}]"));
    feed_kit_run(p, 20);
    assert_non_null(strstr(l->json, "\"variables\":{\"pin\":\"(sealed)\",\"open\":7}"));
    assert_null(strstr(l->json, "Ym94"));
    assert_non_null(strstr(l->json,
                           "{\"position\":2,\"executionId\":\"01000000-0000-0000-0000-000000000001\",\"chain\":"
                           "\"odd\",\"seq\":2,\"at\":\"2023-11-14T22:13:20.000Z\",\"kind\":"
                           "\"attempt_succeeded\",\"actor\":\"engine\",\"body\":"));
    char *large = ctn_malloc(40000);
    memset(large, 'x', 40000);
    memcpy(large, "{\"a\":\"", 6);
    memcpy(large + 40000 - 2, "\"}", 2);
    feed_kit_add_body(p, 1, CTN_ENTRY_ATTEMPT_SUCCEEDED, 0, (ctn_str){large, 40000}, (ctn_str){0});
    feed_kit_run(p, 20);
    assert_non_null(strstr(l->json, "\"bodyBytes\":40000}"));
    assert_true(strlen(l->json) < 1000);
    free(large);
    leave(l);
}

int main(void)
{
#define FEED(name) cmocka_unit_test_setup_teardown(name, feed_kit_setup, feed_kit_teardown)
    const struct CMUnitTest tests[] = {
        FEED(who_comes_back_with_his_bookmark_misses_nothing),
        FEED(each_is_told_what_he_has_asked_for),
        FEED(who_is_slow_is_told_later_and_holds_nobody_up),
        FEED(who_comes_in_the_middle_of_a_flood_is_told_each_once),
        FEED(who_leaves_while_he_is_told_is_told_no_more),
        FEED(no_sensitive_value_and_no_large_body_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
