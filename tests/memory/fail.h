/*
 * fail.h -- the n-th allocation fails: of our code and of the libraries it calls (SQLite, libyaml, PCRE2, libuv), on
 * the thread that asks for it. With a sanitizer, whose allocator is its own, it is our code's and SQLite's alone.
 */
#pragma once
#include <stdbool.h>

/* Before anything else of the program: SQLite takes its memory where we can refuse it. */
void fail_init(void);
/* The n-th allocation from now fails (1: the next), and with for_good every one after it. */
void fail_arm(long n, bool for_good);
/* From here on none does. True: one did. */
bool fail_disarm(void);
/* Blocks taken and not given back by this thread since it was armed first; always 0 with a sanitizer, which looks
 * itself. */
long fail_live(void);
