#include "power/power.h"

#include "base/memory.h"
#include "power/vfs.h"
#include "store/sqlite_db.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { PATH_BYTES = 256, URL_BYTES = 400 };

struct power {
    power_vfs *vfs;
    disk *made;      /* with an empty store */
    char about[160]; /* the point that is being tried; empty: none */
};

/* One point on its way. */
typedef struct journey {
    power *p;
    const power_point *point;
    disk *d, *found;
    sim *s;
    char url[URL_BYTES];
    power_result result;
    int restarts;
} journey;

static void die(void *ctx)
{
    journey *j = ctx;
    if (j->restarts == 0)
        j->result.was_cut = true;
    else
        j->result.was_cut_again = true;
    sim_die(j->s);
}

static int open_store(void *ctx, ctn_store **ret_store, ctn_err *err)
{
    return ctn_store_open(((journey *) ctx)->url, CTN_STORE_CREATE, ret_store, err);
}

static void look(void *ctx, bool begins)
{
    disk_quiet(((journey *) ctx)->d, begins);
}

static bool has_failed(void *ctx)
{
    return disk_failures(((journey *) ctx)->d) > 0;
}

static void keep_counts(journey *j)
{
    if (j->restarts == 0) {
        j->result.changes = disk_changes(j->d);
        j->result.operations = disk_operations(j->d);
        j->result.failures = disk_failures(j->d);
    } else {
        j->result.changes_again = disk_changes(j->d);
    }
}

static void restart(void *ctx)
{
    journey *j = ctx;
    if (!disk_is_off(j->d))
        return; /* only the process died: the disk goes on as it was */
    keep_counts(j);
    disk_power_on(j->d);
    power_vfs_refresh(j->p->vfs, "store");
    if (j->restarts++ == 0)
        disk_plan_set(j->d, &j->point->again, j->point->seed + 1);
}

/* SQLite's own opinion of the file, over the handle's connection: opening another takes longer than asking. */
static void check_integrity(ctn_store *store, const char *about)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = ((sqlite_store *) store)->db;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    const char *said = (const char *) sqlite3_column_text(stmt, 0);
    if (strcmp(said, "ok") != 0)
        fail_msg("%s: integrity_check: %s", about, said);
    sqlite3_finalize(stmt);
}

static ctn_store *find(void *ctx, bool after_cut)
{
    journey *j = ctx;
    char folder[PATH_BYTES], path[URL_BYTES];
    j->found = disk_clone(j->d, after_cut);
    power_vfs_mount(j->p->vfs, "found", j->found, folder);
    ctn_store *store = NULL;
    ctn_err err = {0};
    snprintf(path, sizeof path, "%s/store.db", folder);
    if (ctn_store_open(path, CTN_STORE_READ, &store, &err))
        fail_msg("%s: the store cannot be read: %s", j->point->name, err.message);
    check_integrity(store, j->point->name);
    return store;
}

static void find_done(void *ctx, ctn_store *store)
{
    journey *j = ctx;
    ctn_store_close(store);
    power_vfs_unmount(j->p->vfs, "found");
    disk_free(j->found);
    j->found = NULL;
}

power_result power_run(power *p, const power_point *point, void (*check)(sim *s))
{
    journey j = {.p = p, .point = point};
    char folder[PATH_BYTES];
    sim_disk on_disk = {.ctx = &j,
                        .open = open_store,
                        .look = look,
                        .restart = restart,
                        .find = find,
                        .find_done = find_done,
                        .has_failed = has_failed,
                        .tolerates_loss = point->tolerates_loss};
    power_vfs_seed(p->vfs, point->seed);
    j.d = point->from_nothing ? disk_new(point->seed) : disk_clone(p->made, false);
    power_vfs_mount(p->vfs, "store", j.d, folder);
    snprintf(j.url, sizeof j.url, "sqlite:%s/store.db%s", folder, point->url_options ? point->url_options : "");
    disk_plan_set(j.d, &point->plan, point->seed);
    disk_on_cut(j.d, die, &j);
    j.s = sim_new(&(sim_options){.seed = point->seed,
                                 .chain = point->chain,
                                 .child = point->child,
                                 .die_before_commit = -1,
                                 .die_after_commit = -1,
                                 .executions = point->executions,
                                 .fault_percent = point->fault_percent,
                                 .die_chance_percent = point->die_chance_percent,
                                 .disk = &on_disk,
                                 .about = point->name});
    snprintf(p->about, sizeof p->about, "%s", point->name);
    j.result.status = sim_run(j.s);
    keep_counts(&j);
    j.result.deaths = sim_deaths(j.s);
    j.result.has_lost = sim_lost(j.s) != NULL;
    disk_on_cut(j.d, NULL, NULL);
    if (check && !j.result.has_lost) {
        disk_quiet(j.d, true);
        check(j.s);
    }
    p->about[0] = '\0';
    sim_free(j.s);
    power_vfs_unmount(p->vfs, "store");
    disk_free(j.d);
    return j.result;
}

power *power_new(void)
{
    power *p = ctn_malloc(sizeof *p);
    *p = (power){.vfs = power_vfs_new(), .made = disk_new(1)};
    char folder[PATH_BYTES], url[URL_BYTES];
    ctn_store *store = NULL;
    ctn_err err = {0};
    power_vfs_seed(p->vfs, 1);
    power_vfs_mount(p->vfs, "made", p->made, folder);
    snprintf(url, sizeof url, "sqlite:%s/store.db", folder);
    if (ctn_store_open(url, CTN_STORE_CREATE, &store, &err))
        fail_msg("no store: %s", err.message);
    ctn_store_close(store);
    power_vfs_unmount(p->vfs, "made");
    return p;
}

void power_free(power *p)
{
    if (p->about[0]) { /* the test failed in the middle of it: everything is left as it was */
        fprintf(stderr, "the point: %s\n", p->about);
        return;
    }
    disk_free(p->made);
    power_vfs_free(p->vfs);
    free(p);
}
