/*
 * history_words.h -- what an entry of the journal says, in words.
 */
#pragma once
#include "cli/screen.h"
#include "core/entry.h"

/* "timeout: no answer within 5 s; again in 300 ms". One line without control characters, at most columns_max wide;
 * empty when the kind says it all. */
ctn_str ctn_history_say(ctn_arena *arena, const ctn_record *record, size_t columns_max);
