/*
 * syncs.c -- see syncs.h. A file's methods are a table that the VFS gives it at open; we give it a copy of the table
 * with another xSync. The table stands first in a block that knows the original and the count, so nothing is global.
 */
#include "syncs.h"
#include "base/memory.h"
#include "kit.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#define TABLES_MAX 8 /* the unix VFS has a handful */

typedef struct counted_table {
    sqlite3_io_methods methods; /* first: a file's pMethods leads to the whole */
    const sqlite3_io_methods *real;
    bench_syncs *syncs;
} counted_table;

struct bench_syncs {
    sqlite3_vfs vfs; /* a copy of the default one with another xOpen */
    sqlite3_vfs *real;
    atomic_uint_fast64_t count;
    counted_table *tables[TABLES_MAX];
    sqlite3_mutex *mutex;
};

static int sync_counted(sqlite3_file *file, int flags)
{
    const counted_table *table = (const counted_table *) file->pMethods;
    atomic_fetch_add_explicit(&table->syncs->count, 1, memory_order_relaxed);
    return table->real->xSync(file, flags);
}

static const sqlite3_io_methods *counted(bench_syncs *syncs, const sqlite3_io_methods *real)
{
    const sqlite3_io_methods *found = NULL;
    sqlite3_mutex_enter(syncs->mutex);
    for (int i = 0; i < TABLES_MAX && !found; i++) {
        if (!syncs->tables[i]) {
            syncs->tables[i] = ctn_malloc(sizeof *syncs->tables[i]);
            *syncs->tables[i] = (counted_table){.methods = *real, .real = real, .syncs = syncs};
            syncs->tables[i]->methods.xSync = sync_counted;
        }
        if (syncs->tables[i]->real == real)
            found = &syncs->tables[i]->methods;
    }
    sqlite3_mutex_leave(syncs->mutex);
    if (!found)
        bench_die("counting syncs", "the VFS has more tables of methods than this knows");
    return found;
}

static int open_counted(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    bench_syncs *syncs = (bench_syncs *) vfs;
    int rc = syncs->real->xOpen(syncs->real, name, file, flags, ret_flags);
    if (file->pMethods)
        file->pMethods = counted(syncs, file->pMethods);
    return rc;
}

bench_syncs *bench_syncs_install(void)
{
    bench_syncs *syncs = ctn_malloc(sizeof *syncs);
    if (sqlite3_initialize() != SQLITE_OK)
        bench_die("SQLite", "does not start");
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    *syncs = (bench_syncs){.vfs = *real, .real = real, .mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST)};
    syncs->vfs.zName = "counted";
    syncs->vfs.pNext = NULL;
    syncs->vfs.xOpen = open_counted;
    if (sqlite3_vfs_register(&syncs->vfs, 1) != SQLITE_OK)
        bench_die("counting syncs", "the VFS is not taken");
    return syncs;
}

uint64_t bench_syncs_count(const bench_syncs *syncs)
{
    return atomic_load(&syncs->count);
}
