/*
 * trouble.h -- something that the engine needs does not work: since when, and what people are told of it.
 *
 * It is told once when it begins, once a minute while it lasts, and once when it is over: not at each try.
 *
 * Ownership  All is borrowed: the log and the sentences.
 */
#pragma once
#include "base/err.h"
#include "base/log.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct ctn_trouble {
    const ctn_log *log; /* NULL: silent */
    const char *begins, *goes_on, *ends;
    int64_t since_ms, told_ms; /* 0: there is none */
} ctn_trouble;

void ctn_trouble_begins(ctn_trouble *trouble, int64_t now_ms, const char *why); /* or goes on */
void ctn_trouble_ends(ctn_trouble *trouble, int64_t now_ms);                    /* there was none: no effect */

/* The store could not be asked or written just now: that is nobody's failure, and is tried again. */
static inline bool ctn_is_store_trouble(int rc)
{
    return rc == CTN_E_IO || rc == CTN_E_BUSY || rc == CTN_E_DENIED;
}
