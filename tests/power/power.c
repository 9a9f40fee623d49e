#include "power/power.h"

#include "base/memory.h"
#include "power/vfs.h"
#include "sim/chance.h"
#include "store/sqlite/sqlite.h"
#include "store/verify.h"
#include "support/cmocka.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 256, URL_BYTES = 400 };

struct power {
    power_vfs *vfs;
    disk *from[3];   /* by power_from; nothing: NULL */
    char about[160]; /* the point that is being tried; empty: none */
};

/* One point on its way. */
typedef struct journey {
    power *p;
    const power_point *point;
    disk *d, *found;
    sim *s; /* NULL: no world */
    char path[URL_BYTES], url[URL_BYTES];
    power_result result;
    uint64_t chance;
    pthread_t thread; /* of the world */
} journey;

static void die(void *ctx)
{
    journey *j = ctx;
    j->result.was_cut = true;
    if (j->s && pthread_equal(pthread_self(), j->thread))
        sim_die(j->s); /* else the world's thread finds out: see look */
}

static int open_store(void *ctx, ctn_store **ret_store, ctn_err *err)
{
    return ctn_store_open(((journey *) ctx)->url, CTN_STORE_CREATE, ret_store, err);
}

/* Before anything is read. The power may have gone in the checkpointer's thread. */
static void look(void *ctx, bool begins)
{
    journey *j = ctx;
    pthread_mutex_lock(disk_lock(j->d));
    disk_quiet(j->d, begins);
    bool is_off = disk_is_off(j->d);
    pthread_mutex_unlock(disk_lock(j->d));
    if (is_off)
        sim_die(j->s);
}

static bool has_failed(void *ctx)
{
    return disk_failures(((journey *) ctx)->d) > 0;
}

static void keep_counts(journey *j)
{
    if (j->result.cuts > 0)
        return;
    j->result.changes = disk_changes(j->d);
    j->result.failures = disk_failures(j->d);
}

static void restart(void *ctx)
{
    journey *j = ctx;
    if (!disk_is_off(j->d))
        return; /* only the process died: the disk goes on as it was */
    keep_counts(j);
    disk_power_on(j->d);
    power_vfs_refresh(j->p->vfs, "store");
    disk_plan again = DISK_NO_PLAN;
    if (j->result.cuts++ < j->point->cuts_again) {
        again.cut_at = (int64_t) chance_below(&j->chance, 30);
        again.loss = (disk_loss) chance_below(&j->chance, DISK_LOSSES);
    }
    disk_plan_set(j->d, &again, chance_below(&j->chance, UINT32_MAX));
}

/* What the checkpointer's thread does, with a connection of its own. */
static void move_log(void *ctx)
{
    const journey *j = ctx;
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(j->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
        sqlite3_exec(db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        (void) sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    sqlite3_close(db);
}

static void before_commit(void *ctx, int number)
{
    const journey *j = ctx;
    if (j->point->checkpoint_every && number % j->point->checkpoint_every == 0)
        move_log(ctx);
}

static void say_finding(void *ctx, const ctn_verify_finding *finding)
{
    fail_msg("%s %s: %.*s", ((journey *) ctx)->point->name, finding->rule, CTN_STR_ARG(finding->what));
}

static ctn_store *find(void *ctx, bool after_cut)
{
    journey *j = ctx;
    char folder[PATH_BYTES], path[URL_BYTES];
    j->found = disk_clone(j->d, after_cut && !j->point->tolerates_loss); /* the loss of the last moments is no news */
    power_vfs_mount(j->p->vfs, "found", j->found, folder);
    ctn_store *store = NULL;
    ctn_err err = {0};
    snprintf(path, sizeof path, "%s/store.db", folder);
    int rc = ctn_store_open(path, CTN_STORE_READ, &store, &err);
    if (j->point->from != POWER_FROM_EMPTY && (rc == CTN_E_STATE || rc == CTN_E_NOT_FOUND))
        return NULL; /* not made yet */
    if (rc)
        fail_msg("%s the store cannot be read: %s", j->point->name, err.message);
    ctn_verify_report report;
    if (ctn_store_verify(store, &(ctn_verify_options){.on_finding = say_finding, .ctx = j}, &report, &err))
        fail_msg("%s the store cannot be verified: %s", j->point->name, err.message);
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

/* The disk as it is before, with the plan on it. */
static void mount(journey *j, power *p, const power_point *point)
{
    char folder[PATH_BYTES];
    *j = (journey){.p = p, .point = point, .chance = point->seed + 77, .thread = pthread_self()};
    snprintf(p->about, sizeof p->about, "%s", point->name);
    power_vfs_seed(p->vfs, point->seed);
    j->d = p->from[point->from] ? disk_clone(p->from[point->from], false) : disk_new(point->seed);
    power_vfs_mount(p->vfs, "store", j->d, folder);
    snprintf(j->path, sizeof j->path, "%s/store.db", folder);
    snprintf(j->url, sizeof j->url, "sqlite:%s/store.db%s", folder, point->url_options ? point->url_options : "");
    disk_plan plan = point->plan;
    if (point->checkpoint_in) {
        plan.call = move_log;
        plan.call_ctx = j;
    }
    disk_plan_set(j->d, &plan, point->seed);
    disk_on_cut(j->d, die, j);
}

static void unmount(journey *j)
{
    power_vfs_unmount(j->p->vfs, "store");
    disk_free(j->d);
    j->p->about[0] = '\0';
}

power_result power_run(power *p, const power_point *point, ctn_status expected, void (*check)(sim *s))
{
    journey j;
    sim_disk on_disk = {.ctx = &j,
                        .open = open_store,
                        .look = look,
                        .before_commit = before_commit,
                        .restart = restart,
                        .find = find,
                        .find_done = find_done,
                        .has_failed = has_failed,
                        .tolerates_loss = point->tolerates_loss};
    mount(&j, p, point);
    j.s = sim_new(&(sim_options){.seed = point->seed,
                                 .chain = point->chain,
                                 .child = point->child,
                                 .executions = point->executions,
                                 .fault_percent = point->fault_percent,
                                 .die_chance_percent = point->die_chance_percent,
                                 .disk = &on_disk,
                                 .about = point->name});
    j.result.status = sim_run(j.s);
    keep_counts(&j);
    j.result.deaths = sim_deaths(j.s);
    j.result.has_lost = sim_lost(j.s) != NULL;
    disk_on_cut(j.d, NULL, NULL);
    disk_plan_set(j.d, &DISK_NO_PLAN, 0);
    bool is_as_expected = expected == CTN_STATUS_COUNT || j.result.status == expected;
    if (!j.result.has_lost && !is_as_expected && j.result.cuts < 2)
        fail_msg("%s %s", point->name, ctn_status_name(j.result.status));
    if (check && !j.result.has_lost && j.result.status == expected)
        check(j.s);
    sim_free(j.s);
    unmount(&j);
    return j.result;
}

power_result power_try(power *p, const power_point *point, power_work *work, power_work *judge, void *ctx)
{
    journey j;
    mount(&j, p, point);
    (void) work(j.url, ctx);
    keep_counts(&j);
    if (!disk_is_off(j.d)) { /* it came to its end: what is there without its last writes? */
        disk_plan cut = DISK_NO_PLAN;
        cut.loss = point->plan.loss;
        disk_on_cut(j.d, NULL, NULL);
        disk_plan_set(j.d, &cut, point->seed);
        disk_cut(j.d);
    }
    restart(&j);
    int rc = judge(j.url, ctx);
    if (rc)
        fail_msg("%s judged %d", point->name, rc);
    unmount(&j);
    return j.result;
}

static disk *make(power *p, power_work *work)
{
    disk *d = disk_new(1);
    char folder[PATH_BYTES], url[URL_BYTES];
    power_vfs_seed(p->vfs, 1);
    power_vfs_mount(p->vfs, "made", d, folder);
    snprintf(url, sizeof url, "sqlite:%s/store.db", folder);
    if (work(url, NULL))
        fail_msg("no store");
    power_vfs_unmount(p->vfs, "made");
    return d;
}

static int make_newest(const char *url, void *ctx)
{
    (void) ctx;
    ctn_store *store = NULL;
    ctn_err err = {0};
    int rc = ctn_store_open(url, CTN_STORE_CREATE, &store, &err);
    ctn_store_close(store);
    return rc;
}

/* As an early version left it, with something in it. */
static int make_oldest(const char *url, void *ctx)
{
    (void) ctx;
    sqlite3 *db = NULL;
    ctn_err err = {0};
    char path[URL_BYTES];
    snprintf(path, sizeof path, "%.*s", CTN_STR_ARG(ctn_store_url_file(url)));
    int rc = ctn_sqlite_make_old(path, 1, &err);
    if (rc == CTN_OK)
        rc = sqlite3_open(path, &db);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "INSERT INTO definitions VALUES(zeroblob(32), 'chain', 'old', 'body')", NULL, NULL, NULL);
    sqlite3_close(db);
    return rc;
}

power *power_new(void)
{
    power *p = ctn_malloc(sizeof *p);
    *p = (power){.vfs = power_vfs_new()};
    p->from[POWER_FROM_EMPTY] = make(p, make_newest);
    p->from[POWER_FROM_SCHEMA_1] = make(p, make_oldest);
    return p;
}

void power_free(power *p)
{
    if (p->about[0]) { /* the test failed in the middle of it: everything is left as it was */
        fprintf(stderr, "the point: %s\n", p->about);
        return;
    }
    disk_free(p->from[POWER_FROM_EMPTY]);
    disk_free(p->from[POWER_FROM_SCHEMA_1]);
    power_vfs_free(p->vfs);
    free(p);
}
