/*
 * disk.h -- a disk in memory that loses its power and fails, at an operation that the test chooses.
 *
 * What is written is seen at once by whoever reads, as with any page cache, but it is on the disk only when its file
 * was synced. Until then the disk keeps it apart, write by write. When the power goes, this is what is found later:
 *
 *   - Everything that was synced, as it was.
 *   - Of what was written since: nothing, everything, the first so many writes of all files in order, any of them and
 *     not the others, or any of their 512-byte sectors and not the others. Bytes outside a write's range are never
 *     touched by it (SQLITE_IOCAP_POWERSAFE_OVERWRITE, which SQLite's own unix VFS assumes as well). Where a file
 *     grew and the growth came without its bytes, there are zeros or rubbish.
 *   - A name (a file made or deleted) is on the disk when its folder was synced, else it may be as it was before,
 *     whatever was synced of the file's bytes.
 *
 * It also fails, for so many operations, and heals: a read, write, sync, truncate, open or delete gives an I/O error,
 * or a write finds the disk full. A write that fails may have been done in part; a sync that fails leaves what it
 * should have synced where it was.
 *
 * Numbers  Operations are counted from 0, separately for the cut (those that change something) and for the failure
 *          (those of the kinds that may fail). While the disk is `quiet` nothing is counted and nothing fails.
 *
 * Chance   From the seed alone.
 *
 * Threads  The caller (vfs.c) holds the disk's lock around every operation.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct disk disk;
typedef struct disk_node disk_node; /* a file's bytes; has a name, or has lost it */

typedef enum disk_kind {
    DISK_OPEN,
    DISK_READ,
    DISK_WRITE,
    DISK_SYNC,
    DISK_TRUNCATE,
    DISK_DELETE,
    DISK_KINDS
} disk_kind;
#define DISK_ALL_KINDS ((1u << DISK_KINDS) - 1)
typedef enum disk_result { DISK_OK, DISK_FAILED, DISK_FULL, DISK_OFF } disk_result;

/* What is left of the unsynced. */
typedef enum disk_loss {
    DISK_KEEPS_NOTHING,
    DISK_KEEPS_ALL,
    DISK_KEEPS_FIRST,
    DISK_KEEPS_ANY,
    DISK_TEARS,
    DISK_LOSSES
} disk_loss;
const char *disk_loss_name(disk_loss loss);

typedef struct disk_plan {
    int64_t cut_at; /* the power goes in the middle of this change; -1: never */
    disk_loss loss;
    int64_t fail_at; /* from this operation of fail_kinds on; -1: never */
    int64_t fail_count;
    unsigned fail_kinds; /* bits 1 << disk_kind */
    bool fails_full;     /* writes that fail find the disk full; else an I/O error */
    bool forgets_failed; /* what a failed sync should have synced is read as before, and no later sync brings it to the
                          * disk, as with Linux: only writing it again does */
    bool ignores_sync;   /* says yes and does nothing: the fault that every test here must be able to see */
    /* Called at change number call_at (before it), once; -1: never. It may use the disk through other handles, which
     * counts, and fails, as everything does. */
    int64_t call_at;
    void (*call)(void *ctx);
    void *call_ctx;
} disk_plan;
#define DISK_NO_PLAN ((disk_plan){.cut_at = -1, .fail_at = -1, .call_at = -1})

disk *disk_new(uint64_t seed);
void disk_free(disk *d); /* no file may be open; NULL is fine */
/* What a process that starts now would find (or one that starts after a cut that keeps nothing), as a copy with
 * nothing unsynced in it. */
disk *disk_clone(const disk *d, bool after_cut);
/* The plan's numbers count from here. */
void disk_plan_set(disk *d, const disk_plan *plan, uint64_t seed);
void disk_on_cut(disk *d, void (*fn)(void *ctx), void *ctx);
void disk_quiet(disk *d, bool is_quiet); /* calls nest */
void disk_cut(disk *d);                  /* now */
bool disk_is_off(const disk *d);
/* On again, with what the loss left; the plan is over. Every file must have been closed. */
void disk_power_on(disk *d);

int64_t disk_changes(const disk *d); /* counted since the plan was set */
int64_t disk_failures(const disk *d);
int disk_open_count(const disk *d);
pthread_mutex_t *disk_lock(disk *d); /* recursive */

/* ---- files; `name` is any text ---- */
bool disk_exists(const disk *d, const char *name);
/* Not there: made if `makes`, else *ret_node is NULL. An anonymous file (name NULL) never fails and is never counted.
 */
disk_result disk_open(disk *d, const char *name, bool makes, disk_node **ret_node);
void disk_close(disk *d, disk_node *node);
/* Past the end: zeros, and *ret_count tells how many bytes there were. */
disk_result disk_read(disk *d, disk_node *node, void *bytes, size_t count, uint64_t at, size_t *ret_count);
disk_result disk_write(disk *d, disk_node *node, const void *bytes, size_t count, uint64_t at);
disk_result disk_truncate(disk *d, disk_node *node, uint64_t size);
disk_result disk_sync(disk *d, disk_node *node, bool and_names);
disk_result disk_delete(disk *d, const char *name, bool and_sync);
uint64_t disk_size(const disk_node *node);
void **disk_node_extra(disk_node *node, void (*free_extra)(void *)); /* for whoever keeps locks with it */
