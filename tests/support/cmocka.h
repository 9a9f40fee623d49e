/* cmocka.h -- cmocka with the headers that it needs before its own, and the assertion that it lacks. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The text holds that part; both are shown when it does not. */
#define assert_holds(text, part)                                                                                       \
    do {                                                                                                               \
        const char *text_ = (text), *part_ = (part);                                                                   \
        if (!strstr(text_, part_))                                                                                     \
            fail_msg("\"%s\" does not hold \"%s\"", text_, part_);                                                     \
    } while (0)
