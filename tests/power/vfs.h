/*
 * vfs.h -- SQLite on simulated disks (disk.h). While it is there it is the default VFS of this process, so that the
 * store opens its files on it without knowing.
 *
 * A disk is mounted on a folder of the real file system: the store looks there whether its file exists, and makes it,
 * before it gives the path to SQLite. That real file, store.db, stays empty; what is in it is on the disk.
 *
 * What SQLite is told of the device is what its unix VFS says (sectors of 4 KiB, powersafe overwrite), and names are
 * synced when the unix VFS syncs them: with the first sync of a journal or log that was opened to be made.
 * Locks and the shared memory of the log (WAL index) work between connections of this process, as between processes;
 * the shared memory is gone when the last one lets go of it, and with the power.
 * Sleeping takes no time. SQLite's chance is seeded anew by power_vfs_seed.
 */
#pragma once
#include "power/disk.h"

typedef struct power_vfs power_vfs;

power_vfs *power_vfs_new(void); /* makes a temporary folder */
void power_vfs_free(power_vfs *vfs);
/* The disk is seen under FOLDER/name/; no two at once under one. ret_folder: at least 256 bytes. */
void power_vfs_mount(power_vfs *vfs, const char *name, disk *d, char *ret_folder);
void power_vfs_unmount(power_vfs *vfs, const char *name);
/* Makes the real file (store.db) fit the disk again, after the power came back. */
void power_vfs_refresh(power_vfs *vfs, const char *name);
void power_vfs_seed(power_vfs *vfs, uint64_t seed);
