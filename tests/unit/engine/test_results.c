/* Results in memory: what fits stays, what nobody asked for longest goes. */
#include "engine/results.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

static void put(ctn_results *r, int n, size_t len)
{
    char key[16], value[4096];
    snprintf(key, sizeof key, "key %d", n);
    memset(value, 'a' + n % 26, sizeof value);
    ctn_results_put(r, ctn_str_from(key), &(ctn_result_held){{value, len}, n, n + 1});
}

static bool has(ctn_results *r, int n)
{
    char key[16];
    ctn_result_held held;
    snprintf(key, sizeof key, "key %d", n);
    if (!ctn_results_get(r, ctn_str_from(key), &held))
        return false;
    assert_int_equal(held.put_at_ms, n);
    assert_int_equal(held.expires_at_ms, n + 1);
    assert_int_equal(held.value.ptr[held.value.len - 1], 'a' + n % 26);
    return true;
}

static void what_was_used_last_stays(void **state)
{
    (void) state;
    ctn_results *r = ctn_results_new(16384);
    for (int n = 0; n < 1000; n++) {
        put(r, n, 500);
        assert_true(ctn_results_bytes(r) <= 16384);
        assert_true(has(r, 0)); /* asked for every time */
    }
    int held = 0;
    for (int n = 0; n < 1000; n++)
        held += has(r, n);
    assert_in_range(held, 20, 32);
    for (int n = 999; n > 985; n--)
        assert_true(has(r, n));
    ctn_results_free(r);
}

static void a_new_result_replaces_the_old(void **state)
{
    (void) state;
    ctn_results *r = ctn_results_new(16384);
    put(r, 1, 500);
    size_t bytes = ctn_results_bytes(r);
    put(r, 1, 400);
    assert_int_equal(ctn_results_bytes(r), bytes - 100);
    assert_true(has(r, 1));
    ctn_results_free(r);
    ctn_results_free(NULL);
}

static void one_that_is_too_large_is_not_held(void **state)
{
    (void) state;
    ctn_results *r = ctn_results_new(16384);
    put(r, 1, 500);
    put(r, 2, 3000);
    assert_true(has(r, 1));
    assert_false(has(r, 2));
    put(r, 1, 3000); /* the old one is not true any more */
    assert_false(has(r, 1));
    ctn_results_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_used_last_stays),
        cmocka_unit_test(a_new_result_replaces_the_old),
        cmocka_unit_test(one_that_is_too_large_is_not_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
