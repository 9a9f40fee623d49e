/*
 * test_watches.c -- what was asked of children: who is watched, who no more, and that it costs the same among many.
 */
#include "engine/watches.h"
#include "support/cmocka.h"

/* Ids that differ in a few bits only, where the table looks. */
static ctn_execution_id child(uint32_t n)
{
    ctn_execution_id id = {{1}};
    memcpy(id.bytes + 12, &n, sizeof n);
    return id;
}

static void who_is_owed_no_more_is_not_watched(void **state)
{
    (void) state;
    ctn_watches w = {0};
    ctn_watches_begin(&w, 2);
    ctn_watches_see(&w, child(1), CTN_ROLE_DO)->asked = 1;
    ctn_watches_see(&w, child(2), CTN_ROLE_DO)->asked = 1;
    ctn_watches_begin(&w, 1);
    assert_int_equal(ctn_watches_see(&w, child(2), CTN_ROLE_DO)->asked, 1);
    assert_null(ctn_watches_find(&w, child(1)));
    assert_non_null(ctn_watches_find(&w, child(2)));
    ctn_watches_begin(&w, 1); /* back after a round without it: nothing is known of it */
    assert_int_equal(ctn_watches_see(&w, child(1), CTN_ROLE_DO)->asked, 0);
    ctn_watches_done(&w);
}

static void an_undo_was_asked_nothing_yet(void **state)
{
    (void) state;
    ctn_watches w = {0};
    ctn_watches_begin(&w, 1);
    ctn_watch *seen = ctn_watches_see(&w, child(1), CTN_ROLE_DO);
    seen->asked = seen->settled = 3;
    ctn_watches_begin(&w, 1);
    seen = ctn_watches_see(&w, child(1), CTN_ROLE_UNDO);
    assert_int_equal(seen->asked, 0);
    assert_int_equal(seen->settled, 0);
    ctn_watches_done(&w);
}

static void thousands_come_and_go_and_none_is_lost(void **state)
{
    (void) state;
    enum { MANY = 3000, ROUNDS = 20 };
    ctn_watches w = {0};
    for (uint32_t round = 0; round < ROUNDS;
         round++) { /* each time the oldest hundred have gone, and a hundred are new */
        ctn_watches_begin(&w, MANY);
        for (uint32_t n = 100 * round; n < 100 * round + MANY; n++) {
            ctn_watch *seen = ctn_watches_see(&w, child(n), CTN_ROLE_DO);
            bool is_new = round == 0 || n >= 100 * (round - 1) + MANY;
            assert_int_equal(seen->asked, is_new ? 0 : (int) n + 1);
            seen->asked = (int) n + 1;
        }
    }
    size_t count = 0;
    for (const ctn_watch *at = NULL; (at = ctn_watches_next(&w, at)); count++)
        assert_ptr_equal(at, ctn_watches_find(&w, at->child));
    assert_int_equal(count, MANY);
    assert_in_range(w.size, 2 * MANY, 8 * MANY); /* those that went are not kept */
    ctn_watches_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_owed_no_more_is_not_watched),
        cmocka_unit_test(an_undo_was_asked_nothing_yet),
        cmocka_unit_test(thousands_come_and_go_and_none_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
