/*
 * test_trouble.c -- what people hear of a store that fails: that it does, that it still does, that it is over.
 */
#include "engine/trouble.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t lines_with(int fd, const char *words)
{
    char text[4096] = {0};
    size_t count = 0;
    assert_true(pread(fd, text, sizeof text - 1, 0) >= 0);
    for (const char *at = text; (at = strstr(at, words)); at++)
        count++;
    return count;
}

static void two_minutes_of_tries_are_two_lines_and_the_end_a_third(void **state)
{
    (void) state;
    ctn_log log = {.fd = memfd_create("log", 0), .clock = ctn_clock_system()};
    ctn_trouble t = {.log = &log, .begins = "it begins", .goes_on = "it goes on", .ends = "it is over"};
    ctn_trouble_ends(&t, 1000); /* there was none */
    for (int64_t now_ms = 1000; now_ms < 121000; now_ms += 1000)
        ctn_trouble_begins(&t, now_ms, "no space");
    assert_int_equal(t.since_ms, 1000);
    ctn_trouble_ends(&t, 121000);
    ctn_trouble_ends(&t, 122000);
    assert_int_equal(lines_with(log.fd, "it begins"), 1);
    assert_int_equal(lines_with(log.fd, "it goes on"), 1);
    assert_int_equal(lines_with(log.fd, "it is over"), 1);
    assert_int_equal(lines_with(log.fd, "120"), 1); /* seconds that it lasted */
    ctn_trouble_begins(&t, 200000, "no space");     /* another one */
    assert_int_equal(lines_with(log.fd, "it begins"), 2);
    close(log.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_minutes_of_tries_are_two_lines_and_the_end_a_third),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
