/*
 * trouble.c -- see trouble.h.
 */
#include "engine/trouble.h"
#include <stdbool.h>
#include <stdio.h>

#define TELL_AGAIN_MS 60000

static void tell_for(const ctn_trouble *t, ctn_log_level level, const char *what, int64_t now_ms, const char *why)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long) (now_ms - t->since_ms) / 1000);
    ctn_log_line(t->log, level, what, "seconds", text, why ? "why" : NULL, why, NULL);
}

void ctn_trouble_begins(ctn_trouble *t, int64_t now_ms, const char *why)
{
    if (!t->since_ms) {
        t->since_ms = t->told_ms = now_ms;
        ctn_log_line(t->log, CTN_LOG_ERROR, t->begins, "why", why, NULL);
    } else if (now_ms - t->told_ms >= TELL_AGAIN_MS) {
        tell_for(t, CTN_LOG_ERROR, t->goes_on, now_ms, why);
        t->told_ms = now_ms;
    }
}

void ctn_trouble_ends(ctn_trouble *t, int64_t now_ms)
{
    if (!t->since_ms)
        return;
    tell_for(t, CTN_LOG_WARN, t->ends, now_ms, NULL);
    t->since_ms = 0;
}
