/*
 * syncs.h -- counts the syncs that SQLite really asks the operating system for.
 *
 * Makes a VFS the default one that is the former default, except that each file's xSync counts before it syncs. Install
 * it before the first store is opened.
 */
#pragma once
#include <stdint.h>

typedef struct bench_syncs bench_syncs;

bench_syncs *bench_syncs_install(void); /* lives as long as the process */
uint64_t bench_syncs_count(const bench_syncs *syncs);
