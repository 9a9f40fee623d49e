/*
 * docs/travel-guide.md is true: its files are saved and its commands run, from `catena init --travel` to the letter in the
 * outbox.
 */
#include "console.h"

static void the_guide_leads_where_it_says(void **state)
{
    world *w = *state;
    assert_true(console_page(w, "travel-guide.md", "agency", "exec 2>&1\n[ ! -d agency ] || cd agency\n") >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CLI_TEST(the_guide_leads_where_it_says)};
    return cmocka_run_group_tests_name("travel_guide", tests, NULL, NULL);
}
