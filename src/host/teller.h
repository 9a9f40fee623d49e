/*
 * teller.h -- where the host's sentences for people go: whoever opens it passes one, and shows them as he likes.
 *
 * What is told so is no failure of a call (those come back as ctn_err): news of what was made or takes its time, and
 * faults that are passed over.
 */
#pragma once
#include "base/str.h"

typedef enum ctn_telling { CTN_TELL_NEWS, CTN_TELL_FAULT } ctn_telling;

typedef struct ctn_teller {
    void (*tell)(void *ctx, ctn_telling kind, ctn_str sentence); /* borrowed for the call; NULL: nobody listens */
    void *ctx;
} ctn_teller;

void ctn_tell(ctn_teller teller, ctn_telling kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
