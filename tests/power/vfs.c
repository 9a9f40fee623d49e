/*
 * vfs.c -- see vfs.h. One lock around everything of a disk: disk_lock. A handle remembers how it locks; the node knows
 * who else does.
 */
#include "power/vfs.h"

#include "base/memory.h"
#include "sim/chance.h"
#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOUNTS_MAX = 4, REGIONS_MAX = 64, PATH_BYTES = 256, SECTOR_SIZE = 4096 };

typedef struct mount {
    char folder[PATH_BYTES];
    char name[32];
    disk *d; /* NULL: free */
} mount;

struct power_vfs {
    sqlite3_vfs base;
    sqlite3_vfs *before;
    char folder[64];
    mount mounts[MOUNTS_MAX];
    uint64_t chance;
    int64_t now_ms;
};

typedef struct power_file power_file;

/* Of a node: who locks the file, and the shared memory of its log. */
typedef struct sharing {
    int shared;
    const power_file *reserved, *pending, *exclusive;
    void *regions[REGIONS_MAX];
    int region_count, users;
    int shm_shared[SQLITE_SHM_NLOCK];
    const power_file *shm_exclusive[SQLITE_SHM_NLOCK];
} sharing;

struct power_file {
    sqlite3_file base; /* first */
    disk *d;
    disk_node *node;
    int lock;
    bool syncs_names, has_shm, goes_with_close;
    unsigned shm_shared, shm_exclusive;
    char name[PATH_BYTES];
};

static void free_regions(sharing *s)
{
    for (int i = 0; i < s->region_count; i++)
        free(s->regions[i]);
    s->region_count = 0;
}

static void sharing_free(void *extra)
{
    if (!extra)
        return;
    free_regions(extra);
    free(extra);
}

static sharing *sharing_of(power_file *f)
{
    void **extra = disk_node_extra(f->node, sharing_free);
    if (!*extra) {
        *extra = ctn_malloc(sizeof(sharing));
        memset(*extra, 0, sizeof(sharing));
    }
    return *extra;
}

static int code(disk_result rc, int io_code)
{
    return rc == DISK_OK ? SQLITE_OK : rc == DISK_FULL ? SQLITE_FULL : io_code;
}

/* ---- a file ---- */

static void let_go_of_shm(power_file *f)
{
    if (!f->has_shm)
        return;
    sharing *s = sharing_of(f);
    for (unsigned i = 0; i < SQLITE_SHM_NLOCK; i++) {
        if (f->shm_shared & 1u << i)
            s->shm_shared[i]--;
        if (f->shm_exclusive & 1u << i)
            s->shm_exclusive[i] = NULL;
    }
    f->shm_shared = f->shm_exclusive = 0;
    f->has_shm = false;
    if (--s->users == 0)
        free_regions(s);
}

static int on_unlock(sqlite3_file *file, int level)
{
    power_file *f = (power_file *) file;
    pthread_mutex_lock(disk_lock(f->d));
    sharing *s = sharing_of(f);
    if (s->exclusive == f)
        s->exclusive = NULL;
    if (s->pending == f)
        s->pending = NULL;
    if (level < SQLITE_LOCK_RESERVED && s->reserved == f)
        s->reserved = NULL;
    if (level == SQLITE_LOCK_NONE && f->lock >= SQLITE_LOCK_SHARED)
        s->shared--;
    if (level < f->lock)
        f->lock = level;
    pthread_mutex_unlock(disk_lock(f->d));
    return SQLITE_OK;
}

static int on_close(sqlite3_file *file)
{
    power_file *f = (power_file *) file;
    pthread_mutex_t *lock = disk_lock(f->d);
    pthread_mutex_lock(lock);
    on_unlock(file, SQLITE_LOCK_NONE);
    let_go_of_shm(f);
    disk_close(f->d, f->node);
    if (f->goes_with_close)
        (void) disk_delete(f->d, f->name, false);
    pthread_mutex_unlock(lock);
    return SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *data, int count, sqlite3_int64 at)
{
    power_file *f = (power_file *) file;
    size_t there = 0;
    pthread_mutex_lock(disk_lock(f->d));
    disk_result rc = disk_read(f->d, f->node, data, (size_t) count, (uint64_t) at, &there);
    pthread_mutex_unlock(disk_lock(f->d));
    if (rc)
        return SQLITE_IOERR_READ;
    return there == (size_t) count ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *file, const void *data, int count, sqlite3_int64 at)
{
    power_file *f = (power_file *) file;
    pthread_mutex_lock(disk_lock(f->d));
    disk_result rc = disk_write(f->d, f->node, data, (size_t) count, (uint64_t) at);
    pthread_mutex_unlock(disk_lock(f->d));
    return code(rc, SQLITE_IOERR_WRITE);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    power_file *f = (power_file *) file;
    pthread_mutex_lock(disk_lock(f->d));
    disk_result rc = disk_truncate(f->d, f->node, (uint64_t) size);
    pthread_mutex_unlock(disk_lock(f->d));
    return code(rc, SQLITE_IOERR_TRUNCATE);
}

static int on_sync(sqlite3_file *file, int flags)
{
    (void) flags;
    power_file *f = (power_file *) file;
    pthread_mutex_lock(disk_lock(f->d));
    disk_result rc = disk_sync(f->d, f->node, f->syncs_names);
    if (rc == DISK_OK)
        f->syncs_names = false;
    pthread_mutex_unlock(disk_lock(f->d));
    return code(rc, SQLITE_IOERR_FSYNC);
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    power_file *f = (power_file *) file;
    pthread_mutex_lock(disk_lock(f->d));
    *ret_size = (sqlite3_int64) disk_size(f->node);
    int rc = disk_is_off(f->d) ? SQLITE_IOERR_FSTAT : SQLITE_OK;
    pthread_mutex_unlock(disk_lock(f->d));
    return rc;
}

static int take_lock(power_file *f, int level)
{
    sharing *s = sharing_of(f);
    if (f->lock >= level)
        return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        if (s->pending || s->exclusive)
            return SQLITE_BUSY;
        s->shared++;
        f->lock = SQLITE_LOCK_SHARED;
        return SQLITE_OK;
    }
    if (s->reserved && s->reserved != f)
        return SQLITE_BUSY;
    if (level == SQLITE_LOCK_RESERVED) {
        s->reserved = f;
        f->lock = level;
        return SQLITE_OK;
    }
    if (s->pending && s->pending != f)
        return SQLITE_BUSY;
    s->pending = f;
    if (f->lock < SQLITE_LOCK_PENDING)
        f->lock = SQLITE_LOCK_PENDING;
    if (level == SQLITE_LOCK_EXCLUSIVE) {
        if (s->shared > 1)
            return SQLITE_BUSY;
        s->exclusive = f;
        f->lock = level;
    }
    return SQLITE_OK;
}

static int on_lock(sqlite3_file *file, int level)
{
    power_file *f = (power_file *) file;
    pthread_mutex_lock(disk_lock(f->d));
    int rc = disk_is_off(f->d) ? SQLITE_IOERR_LOCK : take_lock(f, level);
    pthread_mutex_unlock(disk_lock(f->d));
    return rc;
}

static int on_check_reserved(sqlite3_file *file, int *ret_is_reserved)
{
    power_file *f = (power_file *) file;
    pthread_mutex_lock(disk_lock(f->d));
    *ret_is_reserved = sharing_of(f)->reserved != NULL;
    pthread_mutex_unlock(disk_lock(f->d));
    return SQLITE_OK;
}

static int on_file_control(sqlite3_file *file, int op, void *arg)
{
    (void) file, (void) op, (void) arg;
    return SQLITE_NOTFOUND;
}

static int on_sector_size(sqlite3_file *file)
{
    (void) file;
    return SECTOR_SIZE;
}

static int on_device(sqlite3_file *file)
{
    (void) file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- shared memory of the log ---- */

static int on_shm_map(sqlite3_file *file, int number, int size, int makes, void volatile **ret_region)
{
    power_file *f = (power_file *) file;
    int rc = SQLITE_OK;
    *ret_region = NULL;
    pthread_mutex_lock(disk_lock(f->d));
    sharing *s = sharing_of(f);
    assert(number < REGIONS_MAX);
    if (!f->has_shm) {
        f->has_shm = true;
        s->users++;
    }
    if (disk_is_off(f->d))
        rc = SQLITE_IOERR_SHMMAP;
    while (rc == SQLITE_OK && makes && s->region_count <= number) {
        s->regions[s->region_count] = ctn_malloc((size_t) size);
        memset(s->regions[s->region_count++], 0, (size_t) size);
    }
    if (rc == SQLITE_OK && number < s->region_count)
        *ret_region = s->regions[number];
    pthread_mutex_unlock(disk_lock(f->d));
    return rc;
}

static int on_shm_lock(sqlite3_file *file, int first, int count, int flags)
{
    power_file *f = (power_file *) file;
    int rc = SQLITE_OK;
    unsigned mask = (1u << (first + count)) - (1u << first);
    pthread_mutex_lock(disk_lock(f->d));
    sharing *s = sharing_of(f);
    if (flags & SQLITE_SHM_UNLOCK) {
        for (int i = first; i < first + count; i++) {
            if (f->shm_shared & 1u << i)
                s->shm_shared[i]--;
            if (f->shm_exclusive & 1u << i)
                s->shm_exclusive[i] = NULL;
        }
        f->shm_shared &= ~mask;
        f->shm_exclusive &= ~mask;
    } else if (disk_is_off(f->d)) {
        rc = SQLITE_IOERR_SHMLOCK;
    } else if (flags & SQLITE_SHM_SHARED) {
        assert(count == 1);
        if (s->shm_exclusive[first] && s->shm_exclusive[first] != f)
            rc = SQLITE_BUSY;
        else if (!(f->shm_shared & mask)) {
            s->shm_shared[first]++;
            f->shm_shared |= mask;
        }
    } else {
        for (int i = first; i < first + count; i++)
            if ((s->shm_exclusive[i] && s->shm_exclusive[i] != f) ||
                s->shm_shared[i] > ((f->shm_shared & 1u << i) ? 1 : 0))
                rc = SQLITE_BUSY;
        for (int i = first; rc == SQLITE_OK && i < first + count; i++)
            s->shm_exclusive[i] = f;
        if (rc == SQLITE_OK)
            f->shm_exclusive |= mask;
    }
    pthread_mutex_unlock(disk_lock(f->d));
    return rc;
}

static void on_shm_barrier(sqlite3_file *file)
{
    power_file *f = (power_file *) file;
    pthread_mutex_lock(disk_lock(f->d));
    pthread_mutex_unlock(disk_lock(f->d));
}

static int on_shm_unmap(sqlite3_file *file, int deletes)
{
    (void) deletes;
    power_file *f = (power_file *) file;
    pthread_mutex_lock(disk_lock(f->d));
    let_go_of_shm(f);
    pthread_mutex_unlock(disk_lock(f->d));
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_reserved,
    .xFileControl = on_file_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_device,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

/* ---- the file system ---- */

/* The disk that a path is on, and its name there. */
static disk *disk_of(sqlite3_vfs *base, const char *path, const char **ret_name)
{
    power_vfs *vfs = base->pAppData;
    for (size_t i = 0; i < MOUNTS_MAX; i++) {
        mount *m = &vfs->mounts[i];
        size_t length = strlen(m->folder);
        if (m->d && strncmp(path, m->folder, length) == 0 && path[length] == '/') {
            *ret_name = path + length + 1;
            return m->d;
        }
    }
    return NULL;
}

static int on_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags, int *ret_flags)
{
    power_file *f = (power_file *) file;
    const char *name = NULL;
    memset(f, 0, sizeof *f);
    disk *d = path ? disk_of(base, path, &name) : NULL;
    for (size_t i = 0; !path && !d && i < MOUNTS_MAX; i++) /* temporary: anywhere */
        d = ((power_vfs *) base->pAppData)->mounts[i].d;
    if (!d)
        return SQLITE_CANTOPEN;
    pthread_mutex_lock(disk_lock(d));
    struct stat info;
    /* The store made the file itself: on this disk as well, and as little synced. */
    bool was_made = path && (flags & SQLITE_OPEN_MAIN_DB) && !disk_exists(d, name) && stat(path, &info) == 0;
    disk_node *node = NULL;
    disk_result rc = disk_open(d, name, !path || was_made || (flags & SQLITE_OPEN_CREATE), &node);
    if (rc == DISK_OK && node) {
        f->d = d;
        f->node = node;
        f->syncs_names = (flags & SQLITE_OPEN_CREATE) &&
                         (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL | SQLITE_OPEN_SUPER_JOURNAL));
        f->goes_with_close = path && (flags & SQLITE_OPEN_DELETEONCLOSE);
        if (path)
            snprintf(f->name, sizeof f->name, "%s", name);
        f->base.pMethods = &methods;
        if (ret_flags)
            *ret_flags = flags;
    }
    pthread_mutex_unlock(disk_lock(d));
    return f->base.pMethods ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int on_delete(sqlite3_vfs *base, const char *path, int syncs_folder)
{
    const char *name = NULL;
    disk *d = disk_of(base, path, &name);
    if (!d)
        return SQLITE_IOERR_DELETE;
    pthread_mutex_lock(disk_lock(d));
    int rc = disk_exists(d, name) ? code(disk_delete(d, name, syncs_folder), SQLITE_IOERR_DELETE)
                                  : SQLITE_IOERR_DELETE_NOENT;
    pthread_mutex_unlock(disk_lock(d));
    return rc;
}

static int on_access(sqlite3_vfs *base, const char *path, int flags, int *ret_is_there)
{
    (void) flags;
    const char *name = NULL;
    disk *d = disk_of(base, path, &name);
    *ret_is_there = 0;
    if (!d)
        return SQLITE_OK;
    pthread_mutex_lock(disk_lock(d));
    *ret_is_there = disk_exists(d, name);
    int rc = disk_is_off(d) ? SQLITE_IOERR_ACCESS : SQLITE_OK;
    pthread_mutex_unlock(disk_lock(d));
    return rc;
}

static int on_full_path(sqlite3_vfs *base, const char *path, int size, char *ret_path)
{
    (void) base;
    return snprintf(ret_path, (size_t) size, "%s", path) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int on_randomness(sqlite3_vfs *base, int count, char *ret)
{
    power_vfs *vfs = base->pAppData;
    for (int i = 0; i < count; i++)
        ret[i] = (char) chance_below(&vfs->chance, 256);
    return count;
}

static int on_sleep(sqlite3_vfs *base, int us)
{
    (void) base;
    return us;
}

static int on_time(sqlite3_vfs *base, sqlite3_int64 *ret_ms)
{
    power_vfs *vfs = base->pAppData;
    *ret_ms = ++vfs->now_ms + 210866760000000 + 1790000000000; /* since the Julian epoch */
    return SQLITE_OK;
}

static int on_last_error(sqlite3_vfs *base, int size, char *ret)
{
    (void) base, (void) size, (void) ret;
    return 0;
}

power_vfs *power_vfs_new(void)
{
    power_vfs *vfs = ctn_malloc(sizeof *vfs);
    memset(vfs, 0, sizeof *vfs);
    snprintf(vfs->folder, sizeof vfs->folder, "/tmp/catena-power-XXXXXX");
    char *made = mkdtemp(vfs->folder);
    assert(made);
    sqlite3_initialize();
    vfs->before = sqlite3_vfs_find(NULL);
    vfs->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(power_file),
        .mxPathname = PATH_BYTES,
        .zName = "power",
        .pAppData = vfs,
        .xOpen = on_open,
        .xDelete = on_delete,
        .xAccess = on_access,
        .xFullPathname = on_full_path,
        .xRandomness = on_randomness,
        .xSleep = on_sleep,
        .xGetLastError = on_last_error,
        .xCurrentTimeInt64 = on_time,
    };
    sqlite3_vfs_register(&vfs->base, 1);
    return vfs;
}

static mount *mount_of(power_vfs *vfs, const char *name)
{
    for (size_t i = 0; i < MOUNTS_MAX; i++)
        if (vfs->mounts[i].d && strcmp(vfs->mounts[i].name, name) == 0)
            return &vfs->mounts[i];
    return NULL;
}

/* The real file is there when the disk has it. */
static void fit_folder(const mount *m)
{
    char path[PATH_BYTES + 20];
    struct stat info;
    snprintf(path, sizeof path, "%s/store.db", m->folder);
    bool is_there = stat(path, &info) == 0, is_wanted = disk_exists(m->d, "store.db");
    if (is_there && !is_wanted)
        (void) unlink(path);
    int fd = is_wanted && !is_there ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        close(fd);
}

void power_vfs_mount(power_vfs *vfs, const char *name, disk *d, char *ret_folder)
{
    assert(!mount_of(vfs, name));
    mount *m = NULL;
    for (size_t i = 0; i < MOUNTS_MAX && !m; i++)
        if (!vfs->mounts[i].name[0] || strcmp(vfs->mounts[i].name, name) == 0)
            m = &vfs->mounts[i];
    assert(m);
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->folder, sizeof m->folder, "%s/%s", vfs->folder, name);
    m->d = d;
    (void) mkdir(m->folder,
                 0700); /* it stays for the next one of this name: making it again takes longer than a chain */
    fit_folder(m);
    snprintf(ret_folder, PATH_BYTES, "%s", m->folder);
}

void power_vfs_unmount(power_vfs *vfs, const char *name)
{
    mount *m = mount_of(vfs, name);
    assert(m && disk_open_count(m->d) == 0);
    m->d = NULL;
}

void power_vfs_refresh(power_vfs *vfs, const char *name)
{
    fit_folder(mount_of(vfs, name));
}

void power_vfs_seed(power_vfs *vfs, uint64_t seed)
{
    vfs->chance = seed;
    vfs->now_ms = 0;
    sqlite3_randomness(0, NULL); /* asks us again */
}

void power_vfs_free(power_vfs *vfs)
{
    sqlite3_vfs_register(vfs->before, 1);
    sqlite3_vfs_unregister(&vfs->base);
    for (size_t i = 0; i < MOUNTS_MAX; i++) {
        char path[PATH_BYTES + 20];
        snprintf(path, sizeof path, "%s/store.db", vfs->mounts[i].folder);
        if (!vfs->mounts[i].folder[0])
            continue;
        (void) unlink(path);
        (void) rmdir(vfs->mounts[i].folder);
    }
    (void) rmdir(vfs->folder);
    free(vfs);
}
