/* stride.h -- how many of the points a test tries: all of them, but where every step is slow (sanitizers) each so many.
 */
#pragma once
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POWER_IS_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POWER_IS_SLOW 1
#endif
#endif
#ifdef POWER_IS_SLOW
enum { STRIDE = 11 };
#else
enum { STRIDE = 1 };
#endif

static inline int power_choices(void)
{
    const char *said = getenv("POWER_CHOICES");
    int choices = said ? (int) strtol(said, NULL, 10) : 1;
    return choices > 0 ? choices : 1;
}

/* Of what is not tried at every point in each test run: every second, or all of them (make power). */
static inline int power_stride(void)
{
    return power_choices() > 1 ? STRIDE : 2 * STRIDE;
}
