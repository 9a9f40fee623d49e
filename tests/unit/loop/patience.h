/* patience.h -- runs a loop until something is so, or ten seconds have gone. For tests of loop/. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "loop/loop.h"

/* Uses the loop's turn. True when *is_so became true in time. */
bool patience_until(ctn_loop *loop, const bool *is_so);
/* Runs the loop for a while, whatever happens in it. */
void patience_for(ctn_loop *loop, int64_t span_ms);
/* A folder of the test's own under TMPDIR or /tmp; static storage, removed with patience_remove_folder. */
const char *patience_folder(void);
void patience_remove_folder(const char *folder);
size_t patience_open_fd_count(void);
/* Valgrind keeps a descriptor limit of its own, and dies of an execve that fails late: such tests are not for it. */
bool patience_is_under_valgrind(void);
