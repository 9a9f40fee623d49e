/*
 * shared_data.h -- the official suites, which are not part of this repository.
 *
 * They are found below $CATENA_SHARED, or else below ../shared/data as seen from the repository's root (where
 * every test program runs).
 */
#pragma once
#include "base/buf.h"

/* The path of `name` below the suites' folder in ret_path, or false (with a line on stdout) when it is not there. */
bool ctn_shared_data(const char *name, char *ret_path, size_t path_bytes);
/* The whole file; false when it cannot be read or is larger than out's limit. out is cleared first. */
bool ctn_read_file(const char *path, ctn_buf *out);
