/* A table by token: what was put is found until it is taken. */
#include "drivers/token_map.h"
#include "support/cmocka.h"

/* Against a plain table, with keys that come and go in a random order and often share a home. */
static void what_was_put_is_found_until_it_is_taken(void **state)
{
    (void) state;
    static char there[2000];
    ctn_token_map map = {0};
    uint64_t seed = 42;
    size_t count = 0;
    assert_null(ctn_token_map_get(&map, 5));
    assert_null(ctn_token_map_take(&map, 5));
    for (int i = 0; i < 200000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t key = 1 + (seed >> 33) % 1999;
        if (there[key]) {
            assert_ptr_equal(ctn_token_map_take(&map, key), &there[key]);
            assert_null(ctn_token_map_take(&map, key));
            there[key] = 0;
            count--;
        } else {
            assert_null(ctn_token_map_get(&map, key));
            ctn_token_map_put(&map, key, &there[key]);
            there[key] = 1;
            count++;
        }
        assert_int_equal(map.count, count);
    }
    for (uint64_t key = 1; key < 2000; key++)
        assert_ptr_equal(ctn_token_map_get(&map, key), there[key] ? &there[key] : NULL);
    ctn_token_map_done(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_put_is_found_until_it_is_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
