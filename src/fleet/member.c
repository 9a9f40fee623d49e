/*
 * member.c -- see member.h.
 *
 * Two threads share a ctn_member. What is the thread's alone (its table of leases) and what is the engine thread's
 * alone (the table that the engine asks) are apart; between them, under the lock, lie what the one has found out and
 * the other has not taken over yet (`news`), and what the other wants done. News are taken over in this order: what was
 * lost, then what was gained; so a shard that was lost and taken anew meanwhile is forgotten first.
 *
 * What holds when the process dies: nothing is on disk but the node's row and its shards', which others bury.
 */
#include "fleet/member.h"
#include "base/memory.h"
#include "base/plant.h"
#include "fleet/balance.h"
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_MS        5000 /* a shard that is not quiet after that stays */
#define QUIET_LOOK_MS   50
#define EXPECT_LOOK_MS  250
#define TROUBLE_LOOK_MS 250
#define JOIN_LOOK_MS    200

typedef struct job {
    ctn_member_work *work;
    ctn_member_done *done;
    void *ctx;
    int rc;
    ctn_err err;
    struct job *next;
} job;

typedef struct jobs {
    job *first, **end;
} jobs;

struct ctn_member {
    ctn_member_options options;
    char *name, *labels, *address;
    ctn_store *store; /* the thread's, once it runs */
    uint32_t shard_count;
    ctn_leases leases;
    pthread_t thread;
    bool is_running;
    int event_fd; /* wakes the thread */
    pthread_mutex_t lock;
    _Atomic int64_t lease_end_ms; /* by CLOCK_BOOTTIME; 0: there is no lease */
    _Atomic int64_t changes;
    _Atomic bool is_woken, expects;

    /* under the lock */
    struct {
        ctn_shard_set lost, gained, drain, stay; /* stay: drained no longer */
        ctn_shard_lease leases[CTN_SHARDS_MAX];  /* of those gained */
        int64_t incarnation;                     /* 0: as before */
    } news;
    ctn_shard_set quiet; /* forgotten by the engine: to be given back */
    ctn_shard_set too;   /* to be taken beside the one */
    jobs wanted, finished;
    bool is_leaving, is_ending;

    /* the thread's */
    int64_t incarnation;
    ctn_shard_set held, draining;
    int64_t drain_until_ms, look_at_ms;
    uint32_t give_next; /* where the next to give are looked for */
    bool is_in_trouble;

    /* the engine thread's */
    ctn_engine *engine;
    ctn_store *engine_store;
    ctn_writer_thread *writer;
    int64_t turn_incarnation, quiet_look_ms;
    ctn_shard_set turn_held, turn_draining;
    uint64_t epochs[CTN_SHARDS_MAX];
    bool were_crash[CTN_SHARDS_MAX];
    uint32_t some_next;
};

static int64_t boot_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    if (CTN_PLANT(LEASE_BY_WALL_CLOCK))
        clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- between the threads ---- */

static void wake_thread(ctn_member *m)
{
    uint64_t one = 1;
    (void) !write(m->event_fd, &one, sizeof one);
}

static void wake_engine(ctn_member *m)
{
    m->options.wake(m->options.wake_ctx);
}

static void jobs_add(jobs *list, job *j)
{
    j->next = NULL;
    *list->end = j;
    list->end = &j->next;
}

static job *jobs_take(jobs *list)
{
    job *j = list->first;
    if (j)
        list->first = j->next;
    if (!list->first)
        list->end = &list->first;
    return j;
}

/* ---- the thread: what it knows ---- */

static void say(ctn_member *m, ctn_log_level level, const char *what, const char *why)
{
    ctn_log_line(m->options.log, level, what, "node", m->name, why ? "why" : NULL, why, NULL);
}

static void gain(ctn_member *m, const ctn_shard_lease *leases, uint32_t count)
{
    if (count == 0)
        return;
    pthread_mutex_lock(&m->lock);
    for (uint32_t i = 0; i < count; i++) {
        ctn_shard_set_add(&m->held, leases[i].shard);
        ctn_shard_set_add(&m->news.gained, leases[i].shard);
        m->news.leases[leases[i].shard] = leases[i];
    }
    pthread_mutex_unlock(&m->lock);
    ctn_store_shards_held(m->store, &m->held);
    atomic_store(&m->is_woken, true); /* requests may wait there */
    wake_engine(m);
}

/* This node holds nothing any more, whatever it thought. */
static void lose_all(ctn_member *m)
{
    atomic_store(&m->lease_end_ms, 0);
    pthread_mutex_lock(&m->lock);
    ctn_shard_set_put(&m->news.lost, &m->held);
    m->news.gained = m->news.drain = m->news.stay = m->quiet = (ctn_shard_set){{0}};
    pthread_mutex_unlock(&m->lock);
    m->held = m->draining = (ctn_shard_set){{0}};
    ctn_store_shards_held(m->store, &m->held);
    wake_engine(m);
}

static int join_once(ctn_member *m, ctn_err *err)
{
    ctn_node_row row = {.name = ctn_str_from(m->name),
                        .version = CTN_STR(CATENA_VERSION),
                        .address = ctn_str_from(m->address),
                        .labels = ctn_str_from(m->labels)};
    int64_t before_ms = boot_ms(), incarnation = 0;
    int rc = ctn_store_node_join(m->store, &row, m->options.term_ms, &incarnation, err);
    if (rc)
        return rc;
    ctn_store_shards_held(m->store, &m->held);
    m->incarnation = incarnation;
    m->look_at_ms = 0;
    pthread_mutex_lock(&m->lock);
    m->news.incarnation = incarnation;
    pthread_mutex_unlock(&m->lock);
    atomic_store(&m->lease_end_ms, before_ms + m->options.term_ms);
    return CTN_OK;
}

/* Whoever had our name died a moment ago, or lives. */
static int join(ctn_member *m, ctn_err *err)
{
    int64_t until_ms = boot_ms() + m->options.term_ms + m->options.settle_ms + m->options.beat_ms;
    uint32_t buried;
    int rc = ctn_store_nodes_bury(m->store, m->options.settle_ms, &buried, err);
    if (rc == CTN_OK)
        rc = join_once(m, err);
    for (bool is_told = false; rc == CTN_E_EXISTS && boot_ms() < until_ms; is_told = true) {
        if (!is_told)
            say(m, CTN_LOG_WARN, "a node of this name is there, or died a moment ago: waiting for its lease to run out",
                NULL);
        (void) usleep(JOIN_LOOK_MS * 1000);
        rc = ctn_store_nodes_bury(m->store, m->options.settle_ms, &buried, err);
        if (rc == CTN_OK)
            rc = join_once(m, err);
    }
    return rc;
}

/* ---- the thread: a beat, and what follows from it ---- */

static void die_and_join_anew(ctn_member *m)
{
    ctn_err err = {0};
    lose_all(m);
    m->incarnation = 0;
    say(m, CTN_LOG_WARN, "this node was taken for dead: it drops what it had, and joins anew", NULL);
    m->look_at_ms = boot_ms() + TROUBLE_LOOK_MS;
    if (join_once(m, &err))
        say(m, CTN_LOG_WARN, "joining anew is tried again", err.message);
    else
        wake_engine(m);
}

static void be_in_trouble(ctn_member *m, int rc, const ctn_err *err)
{
    if (rc == CTN_E_STALE) {
        die_and_join_anew(m);
        return;
    }
    if (!m->is_in_trouble)
        say(m, CTN_LOG_WARN, "the lease of this node cannot be kept", err->message);
    m->is_in_trouble = true;
    m->look_at_ms = boot_ms() + TROUBLE_LOOK_MS;
}

static int take(ctn_member *m, const ctn_shard_set *among, uint32_t count, ctn_err *err)
{
    ctn_shard_lease *leases = ctn_calloc(count, sizeof *leases);
    uint32_t taken = 0;
    int rc = ctn_store_shards_take(m->store, m->incarnation, among, count, leases, &taken, err);
    if (rc == CTN_OK)
        gain(m, leases, taken);
    free(leases);
    return rc;
}

/* What the store says is ours, beside what we know of. */
static int recover(ctn_member *m, bool *ret_any, ctn_err *err)
{
    ctn_shard_lease *leases = ctn_calloc(m->shard_count, sizeof *leases);
    uint32_t found = 0;
    int rc = ctn_store_shards_recover(m->store, m->incarnation, &m->held, leases, &found, err);
    if (rc == CTN_OK)
        gain(m, leases, found);
    *ret_any = found > 0;
    free(leases);
    return rc;
}

/* The one that was wanted, again after this node was taken for dead. */
static int take_one(ctn_member *m, ctn_err *err)
{
    ctn_shard_lease lease;
    if (!ctn_shard_set_is_empty(&m->held))
        return CTN_OK;
    if (m->options.one_shard == UINT32_MAX) {
        uint32_t taken = 0;
        int rc = ctn_store_shards_take(m->store, m->incarnation, NULL, 1, &lease, &taken, err);
        if (rc == CTN_OK && taken == 0)
            rc = ctn_fail(err, CTN_E_BUSY, "other nodes hold all shards");
        if (rc)
            return rc;
        m->options.one_shard = lease.shard;
    } else {
        int rc = ctn_store_shard_take(m->store, m->incarnation, m->options.one_shard, &lease, err);
        if (rc)
            return rc;
    }
    gain(m, &lease, 1);
    return CTN_OK;
}

/* What another node holds by now is done there. */
static void take_too(ctn_member *m)
{
    ctn_err err = {0};
    pthread_mutex_lock(&m->lock);
    ctn_shard_set too = m->too;
    m->too = (ctn_shard_set){{0}};
    pthread_mutex_unlock(&m->lock);
    ctn_shard_set_cut(&too, &m->held);
    for (uint32_t i = 0; i < m->shard_count && m->incarnation; i++) {
        ctn_shard_lease lease;
        if (ctn_shard_set_has(&too, i) && ctn_store_shard_take(m->store, m->incarnation, i, &lease, &err) == CTN_OK)
            gain(m, &lease, 1); /* if not, whoever asked asks again */
    }
}

/* Others than those that were too busy the last time come first. */
static void drain(ctn_member *m, const ctn_shard_set *among, uint32_t count)
{
    ctn_shard_set which = {{0}};
    for (uint32_t i = 0; i < m->shard_count && count; i++) {
        uint32_t shard = m->give_next++ % m->shard_count;
        if (!ctn_shard_set_has(&m->held, shard) || ctn_shard_set_has(&m->draining, shard) ||
            !ctn_shard_set_has(among, shard))
            continue;
        ctn_shard_set_add(&which, shard);
        count--;
    }
    if (ctn_shard_set_is_empty(&which))
        return;
    if (ctn_shard_set_is_empty(&m->draining))
        m->drain_until_ms = boot_ms() + DRAIN_MS;
    ctn_shard_set_put(&m->draining, &which);
    pthread_mutex_lock(&m->lock);
    ctn_shard_set_put(&m->news.drain, &which);
    ctn_shard_set_cut(&m->news.stay, &which);
    pthread_mutex_unlock(&m->lock);
    wake_engine(m);
}

/* A call takes long there: they stay, and others are given. */
static void drain_no_longer(ctn_member *m)
{
    pthread_mutex_lock(&m->lock);
    ctn_shard_set_cut(&m->draining, &m->quiet); /* these are on their way already */
    ctn_shard_set_put(&m->news.stay, &m->draining);
    ctn_shard_set_cut(&m->news.drain, &m->draining);
    m->draining = m->quiet;
    pthread_mutex_unlock(&m->lock);
    m->drain_until_ms = INT64_MAX;
    wake_engine(m);
}

static int bury(ctn_member *m, bool *ret_any, ctn_err *err)
{
    uint32_t buried = 0;
    int rc = ctn_store_nodes_bury(m->store, m->options.settle_ms, &buried, err);
    if (rc == CTN_OK && buried)
        say(m, CTN_LOG_WARN, "a node is dead: its shards are free", NULL);
    *ret_any = buried > 0;
    return rc;
}

/* One beat. *ret_again: what it told is no longer so. */
static int beat(ctn_member *m, ctn_arena *arena, bool *ret_again, ctn_err *err)
{
    int64_t before_ms = boot_ms();
    ctn_beat told;
    pthread_mutex_lock(&m->lock);
    bool is_leaving = m->is_leaving;
    pthread_mutex_unlock(&m->lock);
    int rc = ctn_store_node_beat(m->store, m->incarnation, m->options.term_ms, is_leaving, arena, &told, err);
    if (rc)
        return rc;
    atomic_store(&m->lease_end_ms, before_ms + m->options.term_ms);
    atomic_store(&m->changes, told.changes);
    if (told.requests) {
        atomic_store(&m->is_woken, true);
        wake_engine(m);
    }
    ctn_balance_view view = {.beat = &told,
                             .incarnation = m->incarnation,
                             .shard_count = m->shard_count,
                             .held = m->held,
                             .draining = m->draining,
                             .is_leaving = is_leaving,
                             .beat_ms = m->options.beat_ms,
                             .settle_ms = m->options.settle_ms};
    ctn_balance b = ctn_balance_decide(&view);
    m->look_at_ms = before_ms + b.look_in_ms;
    if (b.recovers)
        rc = recover(m, ret_again, err);
    else if (b.buries)
        rc = bury(m, ret_again, err);
    if (rc || *ret_again)
        return rc;
    if (m->options.takes_one && !is_leaving) {
        int busy = take_one(m, err);
        return busy == CTN_E_BUSY ? CTN_OK : busy;
    }
    if (b.take)
        rc = take(m, &b.from, b.take, err);
    if (b.give)
        drain(m, &b.of, b.give);
    return rc;
}

static void look(ctn_member *m)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_err err = {0};
    bool again;
    int rc = CTN_OK;
    if (m->incarnation == 0) {
        rc = join_once(m, &err);
        if (rc == CTN_OK)
            wake_engine(m);
    }
    do {
        again = false;
        if (rc == CTN_OK)
            rc = beat(m, arena, &again, &err);
    } while (rc == CTN_OK && again);
    ctn_arena_free(arena);
    if (rc) {
        be_in_trouble(m, rc, &err);
        return;
    }
    if (m->is_in_trouble)
        say(m, CTN_LOG_WARN, "the lease of this node is kept again", NULL);
    m->is_in_trouble = false;
}

/* What the engine has forgotten goes back. */
static void give_back(ctn_member *m)
{
    ctn_err err = {0};
    pthread_mutex_lock(&m->lock);
    ctn_shard_set quiet = m->quiet;
    pthread_mutex_unlock(&m->lock);
    if (ctn_shard_set_is_empty(&quiet) || m->incarnation == 0)
        return;
    int rc = ctn_store_shards_release(m->store, m->incarnation, &quiet, &err);
    if (rc) {
        be_in_trouble(m, rc, &err);
        return;
    }
    pthread_mutex_lock(&m->lock);
    ctn_shard_set_cut(&m->quiet, &quiet);
    pthread_mutex_unlock(&m->lock);
    ctn_shard_set_cut(&m->held, &quiet);
    ctn_shard_set_cut(&m->draining, &quiet);
    ctn_store_shards_held(m->store, &m->held);
}

/* ---- the thread: what others want done ---- */

/* False: there was nothing to do. */
static bool do_one(ctn_member *m)
{
    pthread_mutex_lock(&m->lock);
    job *j = jobs_take(&m->wanted);
    pthread_mutex_unlock(&m->lock);
    if (!j)
        return false;
    j->rc = j->work(m->store, j->ctx, &j->err);
    pthread_mutex_lock(&m->lock);
    jobs_add(&m->finished, j);
    pthread_mutex_unlock(&m->lock);
    wake_engine(m);
    return true;
}

static void take_wake(ctn_member *m)
{
    if (!ctn_store_woken(m->store))
        return;
    atomic_store(&m->is_woken, true);
    wake_engine(m);
}

static void rest(ctn_member *m, int64_t until_ms)
{
    int64_t left_ms = until_ms - boot_ms();
    bool expects = atomic_load(&m->expects);
    bool drains = !ctn_shard_set_is_empty(&m->draining); /* they become quiet in a turn of the engine: it is asked */
    if (expects && left_ms > EXPECT_LOOK_MS)
        left_ms = EXPECT_LOOK_MS;
    if (drains && left_ms > QUIET_LOOK_MS)
        left_ms = QUIET_LOOK_MS;
    struct pollfd fds[] = {{.fd = m->event_fd, .events = POLLIN},
                           {.fd = ctn_store_wake_fd(m->store, m->incarnation), .events = POLLIN}};
    if (poll(fds, 2, left_ms > 0 ? (int) left_ms : 0) > 0) {
        uint64_t count;
        if (fds[0].revents)
            (void) !read(m->event_fd, &count, sizeof count);
        if (fds[1].revents)
            take_wake(m);
    } else if (expects) {
        atomic_store(&m->is_woken, true);
        wake_engine(m);
    }
    if (drains)
        wake_engine(m);
}

static bool is_ending(ctn_member *m)
{
    pthread_mutex_lock(&m->lock);
    bool is_ending = m->is_ending;
    pthread_mutex_unlock(&m->lock);
    return is_ending;
}

static void *run(void *ctx)
{
    ctn_member *m = ctx;
    while (!is_ending(m)) {
        if (boot_ms() >= m->look_at_ms)
            look(m);
        give_back(m);
        take_too(m);
        if (!ctn_shard_set_is_empty(&m->draining) && boot_ms() >= m->drain_until_ms) {
            pthread_mutex_lock(&m->lock);
            bool is_leaving = m->is_leaving;
            pthread_mutex_unlock(&m->lock);
            if (!is_leaving)
                drain_no_longer(m);
        }
        if (!do_one(m))
            rest(m, m->look_at_ms);
    }
    return NULL;
}

/* ---- the engine's thread: what the engine asks ---- */

static uint64_t epoch_of(void *ctx, uint32_t shard)
{
    return ((ctn_member *) ctx)->epochs[shard];
}

static bool was_crash(void *ctx, uint32_t shard)
{
    return ((ctn_member *) ctx)->were_crash[shard];
}

static int64_t left_ms(void *ctx, uint32_t shard)
{
    ctn_member *m = ctx;
    int64_t left = m->epochs[shard] ? atomic_load(&m->lease_end_ms) - boot_ms() : 0;
    return left > 0 ? left : 0;
}

static int64_t node(void *ctx)
{
    return ctn_member_incarnation(ctx);
}

const ctn_leases *ctn_member_leases(const ctn_member *m)
{
    return &m->leases;
}

/* ---- the engine's thread: turns ---- */

static void turn_lose(ctn_member *m, const ctn_shard_set *lost)
{
    for (uint32_t s = 0; s < m->shard_count; s++)
        if (ctn_shard_set_has(lost, s))
            m->epochs[s] = 0;
    ctn_shard_set_cut(&m->turn_held, lost);
    ctn_shard_set_cut(&m->turn_draining, lost);
    ctn_engine_shards_lost(m->engine, lost);
}

static void turn_gain(ctn_member *m, const ctn_shard_set *gained, const ctn_shard_lease *leases)
{
    for (uint32_t s = 0; s < m->shard_count; s++)
        if (ctn_shard_set_has(gained, s)) {
            m->epochs[s] = leases[s].epoch;
            m->were_crash[s] = leases[s].was_crash;
        }
    ctn_shard_set_put(&m->turn_held, gained);
    ctn_engine_shards_gained(m->engine, gained);
}

/* Those that are drained and quiet: forgotten here, then given back there. */
static void turn_quiet(ctn_member *m)
{
    int64_t now_ms = ctn_shard_set_is_empty(&m->turn_draining) ? 0 : boot_ms();
    if (now_ms == 0 || now_ms < m->quiet_look_ms)
        return;
    ctn_shard_set quiet = {{0}};
    if (ctn_engine_shards_are_quiet(m->engine, &m->turn_draining)) {
        quiet = m->turn_draining;
    } else {
        m->quiet_look_ms = now_ms + QUIET_LOOK_MS;
        for (uint32_t s = 0; s < m->shard_count; s++) {
            ctn_shard_set one = {{0}};
            ctn_shard_set_add(&one, s);
            if (ctn_shard_set_has(&m->turn_draining, s) && ctn_engine_shards_are_quiet(m->engine, &one))
                ctn_shard_set_add(&quiet, s);
        }
    }
    if (ctn_shard_set_is_empty(&quiet))
        return;
    turn_lose(m, &quiet);
    pthread_mutex_lock(&m->lock);
    ctn_shard_set_put(&m->quiet, &quiet);
    pthread_mutex_unlock(&m->lock);
    wake_thread(m);
}

static void finish_jobs(ctn_member *m)
{
    for (;;) {
        pthread_mutex_lock(&m->lock);
        job *j = jobs_take(&m->finished);
        pthread_mutex_unlock(&m->lock);
        if (!j)
            return;
        j->done(j->ctx, j->rc, &j->err);
        free(j);
    }
}

void ctn_member_turn(ctn_member *m)
{
    if (!m->is_running)
        return;
    ctn_shard_lease leases[CTN_SHARDS_MAX];
    pthread_mutex_lock(&m->lock);
    ctn_shard_set lost = m->news.lost, gained = m->news.gained, drained = m->news.drain, stay = m->news.stay;
    if (!ctn_shard_set_is_empty(&gained))
        memcpy(leases, m->news.leases, sizeof leases);
    int64_t incarnation = m->news.incarnation;
    m->news.lost = m->news.gained = m->news.drain = m->news.stay = (ctn_shard_set){{0}};
    m->news.incarnation = 0;
    pthread_mutex_unlock(&m->lock);
    if (!ctn_shard_set_is_empty(&lost))
        turn_lose(m, &lost);
    if (incarnation) {
        m->turn_incarnation = incarnation;
        (void) ctn_store_handle_of(m->engine_store, incarnation, NULL);
        ctn_writer_thread_be(m->writer, incarnation);
    }
    if (!ctn_shard_set_is_empty(&gained))
        turn_gain(m, &gained, leases);
    if (!ctn_shard_set_is_empty(&drained)) {
        ctn_shard_set_put(&m->turn_draining, &drained);
        ctn_engine_shards_drain(m->engine, &drained);
    }
    if (!ctn_shard_set_is_empty(&stay)) {
        ctn_shard_set_cut(&m->turn_draining, &stay);
        ctn_engine_shards_gained(m->engine, &stay);
    }
    turn_quiet(m);
    finish_jobs(m);
}

void ctn_member_do(ctn_member *m, ctn_member_work *work, ctn_member_done *done, void *ctx)
{
    job *j = ctn_calloc(1, sizeof *j);
    *j = (job){.work = work, .done = done, .ctx = ctx};
    pthread_mutex_lock(&m->lock);
    jobs_add(&m->wanted, j);
    pthread_mutex_unlock(&m->lock);
    wake_thread(m);
}

/* ---- asked by the engine's thread ---- */

bool ctn_member_holds(const ctn_member *m, uint32_t shard)
{
    return m->epochs[shard] && !ctn_shard_set_has(&m->turn_draining, shard);
}

void ctn_member_takes_too(ctn_member *m, uint32_t shard)
{
    if (!m->options.takes_one)
        return;
    pthread_mutex_lock(&m->lock);
    ctn_shard_set_add(&m->too, shard);
    pthread_mutex_unlock(&m->lock);
    wake_thread(m);
}

uint32_t ctn_member_some_shard(ctn_member *m, const ctn_shard_set *among)
{
    for (uint32_t i = 0; i < m->shard_count; i++) {
        uint32_t shard = m->some_next++ % m->shard_count;
        if (ctn_member_holds(m, shard) && (!among || ctn_shard_set_has(among, shard)))
            return shard;
    }
    return UINT32_MAX;
}

uint32_t ctn_member_shard_count(const ctn_member *m)
{
    return m->shard_count;
}

uint32_t ctn_member_held_count(const ctn_member *m)
{
    return ctn_shard_set_count(&m->turn_held);
}

ctn_str ctn_member_name(const ctn_member *m)
{
    return ctn_str_from(m->name);
}

int64_t ctn_member_incarnation(const ctn_member *m)
{
    return m->turn_incarnation;
}

bool ctn_member_was_woken(ctn_member *m)
{
    return atomic_exchange(&m->is_woken, false);
}

void ctn_member_expects(ctn_member *m, bool an_answer)
{
    if (atomic_exchange(&m->expects, an_answer) != an_answer && an_answer)
        wake_thread(m);
}

int64_t ctn_member_changes(const ctn_member *m)
{
    return atomic_load(&((ctn_member *) m)->changes);
}

/* ---- life ---- */

int ctn_member_new(const ctn_member_options *options, ctn_member **ret_member, ctn_err *err)
{
    ctn_store *store = NULL;
    int rc = ctn_store_open(options->store_url, CTN_STORE_WRITE, &store, err);
    if (rc)
        return rc;
    ctn_member *m = ctn_calloc(1, sizeof *m);
    m->options = *options;
    m->options.term_ms = options->term_ms ? options->term_ms : CTN_TERM_MS;
    m->options.settle_ms = options->settle_ms ? options->settle_ms : CTN_SETTLE_MS;
    m->options.beat_ms = options->beat_ms ? options->beat_ms : CTN_BEAT_MS;
    m->options.send_ms = options->send_ms ? options->send_ms : CTN_SEND_MS;
    m->name = ctn_cstring(options->name);
    m->labels = ctn_cstring(options->labels.len ? options->labels : CTN_STR("{}"));
    m->store = store;
    m->shard_count = ctn_store_shard_count(store);
    m->leases = (ctn_leases){.ctx = m,
                             .epoch = epoch_of,
                             .was_crash = was_crash,
                             .left_ms = left_ms,
                             .send_ms = m->options.send_ms,
                             .node = node};
    m->drain_until_ms = INT64_MAX;
    m->wanted.end = &m->wanted.first;
    m->finished.end = &m->finished.first;
    pthread_mutex_init(&m->lock, NULL);
    m->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *ret_member = m;
    return m->event_fd >= 0 ? CTN_OK : ctn_fail(err, CTN_E_LIMIT, "no descriptor is left for the node's thread");
}

int ctn_member_join(ctn_member *m, ctn_str address, ctn_engine *engine, ctn_store *store, ctn_writer_thread *writer,
                    ctn_err *err)
{
    assert(!m->is_running);
    m->address = ctn_cstring(address);
    m->engine = engine;
    m->engine_store = store;
    m->writer = writer;
    int rc = join(m, err);
    if (rc == CTN_OK)
        rc = ctn_store_handle_of(store, m->incarnation, err);
    if (rc == CTN_OK && m->options.takes_one)
        rc = take_one(m, err);
    if (rc)
        return rc;
    if (pthread_create(&m->thread, NULL, run, m))
        return ctn_fail(err, CTN_E_LIMIT, "the thread of the node cannot be started");
    m->is_running = true;
    ctn_member_turn(m);
    return CTN_OK;
}

void ctn_member_leave(ctn_member *m)
{
    pthread_mutex_lock(&m->lock);
    m->is_leaving = true;
    pthread_mutex_unlock(&m->lock);
    wake_thread(m);
}

/* What was wanted and not done is told so. */
static void drop_jobs(ctn_member *m)
{
    finish_jobs(m);
    for (job *j; (j = jobs_take(&m->wanted)); free(j)) {
        ctn_err err = {0};
        j->done(j->ctx, ctn_fail(&err, CTN_E_CLOSED, "the node is ending"), &err);
    }
}

void ctn_member_close(ctn_member *m)
{
    if (!m)
        return;
    if (m->is_running) {
        pthread_mutex_lock(&m->lock);
        m->is_ending = true;
        pthread_mutex_unlock(&m->lock);
        wake_thread(m);
        (void) pthread_join(m->thread, NULL);
        drop_jobs(m);
    }
    if (m->incarnation)
        (void) ctn_store_node_leave(m->store, m->incarnation, NULL); /* else we are buried in a few seconds */
    ctn_store_close(m->store);
    if (m->event_fd >= 0)
        close(m->event_fd);
    pthread_mutex_destroy(&m->lock);
    free(m->name);
    free(m->labels);
    free(m->address);
    free(m);
}
