/*
 * log.h -- lines for the people who run catena: to stderr, as text or as one JSON object a line.
 *
 * Only the top of a path logs (a verb, a handler, the turn); what is below returns ctn_err. No secret and no
 * value of a chain goes into a line: names, ids, counts and sentences do.
 *
 * Threads  A ctn_log may be used from any thread; each line is one write(2).
 */
#pragma once
#include "base/clock.h"
#include "base/str.h"
#include <stdbool.h>

typedef enum ctn_log_level { CTN_LOG_DEBUG, CTN_LOG_INFO, CTN_LOG_WARN, CTN_LOG_ERROR } ctn_log_level;

typedef struct ctn_log {
    int fd;
    ctn_log_level level_min;
    bool json;
    ctn_clock clock;
} ctn_log;

/* Pairs of (name, text) after the message, ended by NULL: ctn_log_line(log, CTN_LOG_WARN, "server died",
 * "server", name, NULL). log may be NULL: silent. */
void ctn_log_line(const ctn_log *log, ctn_log_level level, const char *message, ...) __attribute__((sentinel));
