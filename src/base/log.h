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
    const char *component; /* of JSON lines: "engine", "http"; NULL: not said */
    ctn_clock clock;
} ctn_log;

/* Pairs of (name, text) after the message, ended by NULL: ctn_log_line(log, CTN_LOG_WARN, "server died",
 * "server", name, NULL). log may be NULL: silent. */
void ctn_log_line(const ctn_log *log, ctn_log_level level, const char *message, ...) __attribute__((sentinel));

/* A JSON line is {ts, level, msg, component, ...}, and these are always called so: executionId, step, attempt, chain,
 * status, traceId, spanId. An empty text is left out, as a number below zero is. */
typedef struct ctn_log_field {
    const char *name;
    ctn_str text;
    int64_t number;
    bool is_number;
} ctn_log_field;
#define CTN_LOG_TEXT(name, value)   ((ctn_log_field){(name), (value), 0, false})
#define CTN_LOG_NUMBER(name, value) ((ctn_log_field){(name), {NULL, 0}, (value), true})
void ctn_log_fields(const ctn_log *log, ctn_log_level level, const char *message, const ctn_log_field *fields,
                    size_t count);
/* Would such a line be written? For who would have to work for its fields. */
static inline bool ctn_log_is_on(const ctn_log *log, ctn_log_level level)
{
    return log && level >= log->level_min;
}
