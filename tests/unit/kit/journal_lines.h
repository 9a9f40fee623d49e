/*
 * journal_lines.h -- a journal as a test writes it: one entry a line, and only what the entry is about.
 *
 *   100 started {'input':{'n':1}}
 *   120 attempt_failed a[2] 1 {'code':'timeout'}
 *
 * When, the kind, the step (with its item) and the attempt if it is about one, the body if there is one; ' stands for
 * the " of JSON. Who did it is ann.
 */
#pragma once
#include "core/entry.h"

/* Fails the test when the line is none. Its texts are in the arena or in the line. */
ctn_record journal_line(ctn_arena *arena, ctn_str line, uint64_t seq);
