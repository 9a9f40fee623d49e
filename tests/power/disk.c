/*
 * disk.c -- see disk.h. Each file has two contents: `live`, what is read, and `durable`, what the last sync left. What
 * stands between them is one list over all files in the order in which it was done, so that what a cut leaves is a
 * matter of walking it: each change is applied to the durable contents, in part, or not at all.
 */
#include "power/disk.h"

#include "base/memory.h"
#include "sim/chance.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512 };

typedef struct bytes {
    unsigned char *data;
    size_t size, capacity;
} bytes;

struct disk_node {
    disk_node *next;
    char *name;      /* NULL: anonymous */
    bool is_named;   /* for those who look now */
    bool is_on_disk; /* its name, after a cut */
    int open_count;
    bytes live, durable;
    void *extra;
    void (*free_extra)(void *);
};

typedef enum change_kind { CHANGE_WRITE, CHANGE_TRUNCATE, CHANGE_MADE, CHANGE_DELETED } change_kind;

typedef struct change {
    struct change *next;
    change_kind kind;
    disk_node *node;
    bool is_forgotten; /* it is in the cache, and will never be on the disk */
    uint64_t at;       /* of a write; the size of a truncation */
    size_t count;
    unsigned char data[];
} change;

struct disk {
    disk_node *nodes;
    change *first, **end;
    size_t unsynced;
    disk_plan plan;
    uint64_t chance;
    int64_t changes, operations, failures;
    bool is_off;
    int quiet, open_count;
    void (*on_cut)(void *);
    void *on_cut_ctx;
    pthread_mutex_t lock;
};

const char *disk_loss_name(disk_loss loss)
{
    static const char *const names[DISK_LOSSES] = {"nothing", "all", "first", "any", "torn"};
    return names[loss];
}

/* ---- bytes ---- */

static void bytes_resize(bytes *b, size_t size)
{
    if (size > b->capacity) {
        b->capacity = size + size / 4;
        b->data = ctn_realloc_array(b->data, b->capacity, 1);
    }
    if (size > b->size)
        memset(b->data + b->size, 0, size - b->size);
    b->size = size;
}

static void bytes_put(bytes *b, uint64_t at, const unsigned char *data, size_t count)
{
    if (at + count > b->size)
        bytes_resize(b, at + count);
    if (count)
        memcpy(b->data + at, data, count);
}

static void bytes_copy(bytes *to, const bytes *from)
{
    bytes_resize(to, from->size);
    if (from->size)
        memcpy(to->data, from->data, from->size);
}

/* ---- the list of what is unsynced ---- */

static void change_add(disk *d, change_kind kind, disk_node *node, uint64_t at, const void *data, size_t count)
{
    change *c = ctn_realloc_array(NULL, 1, sizeof *c + count);
    *c = (change){.kind = kind, .node = node, .at = at, .count = count};
    if (count)
        memcpy(c->data, data, count);
    *d->end = c;
    d->end = &c->next;
    d->unsynced++;
}

static void apply(const change *c)
{
    switch (c->kind) {
    case CHANGE_WRITE: bytes_put(&c->node->durable, c->at, c->data, c->count); break;
    case CHANGE_TRUNCATE: bytes_resize(&c->node->durable, c->at); break;
    case CHANGE_MADE: c->node->is_on_disk = true; break;
    case CHANGE_DELETED: c->node->is_on_disk = false; break;
    }
}

/* Each sector is there or not; those before `sure` are. */
static void apply_torn(disk *d, const change *c, uint64_t sure)
{
    for (size_t done = 0; done < c->count;) {
        size_t piece = SECTOR_BYTES - (size_t) ((c->at + done) % SECTOR_BYTES);
        if (piece > c->count - done)
            piece = c->count - done;
        if (done < sure || (sure == 0 && chance_below(&d->chance, 2)))
            bytes_put(&c->node->durable, c->at + done, c->data + done, piece);
        done += piece;
    }
}

/* The file has its new length, and what should stand there has not come. */
static void apply_growth_alone(disk *d, const change *c)
{
    bytes *b = &c->node->durable;
    size_t before = b->size;
    if (c->at + c->count <= before)
        return;
    bytes_resize(b, c->at + c->count);
    if (chance_below(&d->chance, 2))
        for (size_t i = before; i < b->size; i++)
            b->data[i] = (unsigned char) chance_below(&d->chance, 256);
}

static void apply_by_loss(disk *d, const change *c, size_t number, size_t kept_first)
{
    bool is_write = c->kind == CHANGE_WRITE;
    if (c->is_forgotten)
        return;
    switch (d->plan.loss) {
    case DISK_KEEPS_ALL: apply(c); break;
    case DISK_KEEPS_FIRST:
        if (number < kept_first)
            apply(c);
        else if (number == kept_first && is_write)
            apply_torn(d, c, chance_below(&d->chance, c->count / SECTOR_BYTES + 1) * SECTOR_BYTES);
        break;
    case DISK_KEEPS_ANY:
        if (chance_below(&d->chance, 2))
            apply(c);
        break;
    case DISK_TEARS:
        if (is_write && chance_below(&d->chance, 8) == 0)
            apply_growth_alone(d, c);
        if (is_write)
            apply_torn(d, c, 0);
        else if (chance_below(&d->chance, 2))
            apply(c);
        break;
    default: break;
    }
}

static void node_free(disk_node *n)
{
    if (n->free_extra)
        n->free_extra(n->extra);
    free(n->name);
    free(n->live.data);
    free(n->durable.data);
    free(n);
}

/* Nodes that nobody can reach any more: no name now, none after a cut, and nothing that would name them. */
static void drop_unreachable(disk *d)
{
    for (disk_node **at = &d->nodes; *at;) {
        disk_node *n = *at;
        bool is_waited_for = false;
        for (const change *c = d->first; c && !is_waited_for; c = c->next)
            is_waited_for = c->node == n;
        if (n->open_count || n->is_named || n->is_on_disk || is_waited_for) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        node_free(n);
    }
}

/* ---- the disk ---- */

static disk_node *find(const disk *d, const char *name)
{
    for (disk_node *n = d->nodes; n; n = n->next)
        if (n->is_named && n->name && strcmp(n->name, name) == 0)
            return n;
    return NULL;
}

disk *disk_new(uint64_t seed)
{
    disk *d = ctn_realloc_array(NULL, 1, sizeof *d);
    *d = (disk){.plan = DISK_NO_PLAN, .chance = seed};
    d->end = &d->first;
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&d->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    return d;
}

void disk_free(disk *d)
{
    if (!d)
        return;
    assert(d->open_count == 0);
    for (change *c = d->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    for (disk_node *n = d->nodes, *next; n; n = next) {
        next = n->next;
        node_free(n);
    }
    pthread_mutex_destroy(&d->lock);
    free(d);
}

disk *disk_clone(const disk *d, bool after_cut)
{
    disk *copy = disk_new(d->chance);
    for (const disk_node *n = d->nodes; n; n = n->next) {
        const bytes *content = after_cut ? &n->durable : &n->live;
        if (!n->name || !(after_cut ? n->is_on_disk : n->is_named) || find(copy, n->name))
            continue;
        disk_node *made = ctn_realloc_array(NULL, 1, sizeof *made);
        *made = (disk_node){.next = copy->nodes, .name = strdup(n->name), .is_named = true, .is_on_disk = true};
        assert(made->name);
        bytes_copy(&made->live, content);
        bytes_copy(&made->durable, content);
        copy->nodes = made;
    }
    return copy;
}

void disk_plan_set(disk *d, const disk_plan *plan, uint64_t seed)
{
    d->plan = *plan;
    d->chance = seed * 2654435761u + 1;
    d->changes = d->operations = d->failures = 0;
}

void disk_on_cut(disk *d, void (*fn)(void *ctx), void *ctx)
{
    d->on_cut = fn;
    d->on_cut_ctx = ctx;
}

void disk_quiet(disk *d, bool is_quiet)
{
    d->quiet += is_quiet ? 1 : -1;
    assert(d->quiet >= 0);
}

void disk_cut(disk *d)
{
    if (d->is_off)
        return;
    d->is_off = true;
    if (d->on_cut)
        d->on_cut(d->on_cut_ctx);
}

bool disk_is_off(const disk *d)
{
    return d->is_off;
}

void disk_power_on(disk *d)
{
    assert(d->is_off && d->open_count == 0);
    size_t kept_first = chance_below(&d->chance, d->unsynced + 1), number = 0;
    for (change *c = d->first, *next; c; c = next) {
        next = c->next;
        apply_by_loss(d, c, number++, kept_first);
        free(c);
    }
    d->first = NULL;
    d->end = &d->first;
    d->unsynced = 0;
    for (disk_node *n = d->nodes; n; n = n->next) {
        n->is_named = n->is_on_disk;
        bytes_copy(&n->live, &n->durable);
    }
    /* One name, one file: the one that was made last, should a deletion have been lost. */
    for (disk_node *n = d->nodes; n; n = n->next)
        for (disk_node *older = n->next; older && n->is_named; older = older->next)
            if (older->is_named && strcmp(older->name, n->name) == 0)
                older->is_named = older->is_on_disk = false;
    drop_unreachable(d);
    d->plan = DISK_NO_PLAN;
    d->is_off = false;
}

int64_t disk_changes(const disk *d)
{
    return d->changes;
}

int64_t disk_failures(const disk *d)
{
    return d->failures;
}

int disk_open_count(const disk *d)
{
    return d->open_count;
}

pthread_mutex_t *disk_lock(disk *d)
{
    return &d->lock;
}

/* ---- operations ---- */

/* Counts it, and says what becomes of it. *ret_cuts: the power goes as soon as it is done. */
static disk_result meet(disk *d, disk_kind kind, const disk_node *node, bool changes, bool *ret_cuts)
{
    *ret_cuts = false;
    if (d->is_off)
        return DISK_OFF;
    if (d->quiet || (node && !node->name))
        return DISK_OK;
    if (changes) {
        if (d->changes == d->plan.call_at) {
            d->plan.call_at = -1;
            d->plan.call(d->plan.call_ctx);
            if (d->is_off)
                return DISK_OFF;
        }
        *ret_cuts = d->changes++ == d->plan.cut_at;
    }
    if (!(d->plan.fail_kinds & 1u << kind))
        return DISK_OK;
    int64_t n = d->operations++;
    if (d->plan.fail_at < 0 || n < d->plan.fail_at || n >= d->plan.fail_at + d->plan.fail_count)
        return DISK_OK;
    d->failures++;
    return d->plan.fails_full ? DISK_FULL : DISK_FAILED;
}

bool disk_exists(const disk *d, const char *name)
{
    return find(d, name) != NULL;
}

disk_result disk_open(disk *d, const char *name, bool makes, disk_node **ret_node)
{
    bool cuts = false;
    disk_node *n = name ? find(d, name) : NULL;
    makes = makes && !n;
    disk_result rc = name ? meet(d, DISK_OPEN, NULL, makes, &cuts) : d->is_off ? DISK_OFF : DISK_OK;
    if (rc)
        return rc;
    if (makes) {
        n = ctn_realloc_array(NULL, 1, sizeof *n);
        *n = (disk_node){.next = d->nodes, .is_named = name != NULL};
        if (name) {
            n->name = strdup(name);
            assert(n->name);
            change_add(d, CHANGE_MADE, n, 0, NULL, 0);
        }
        d->nodes = n;
    }
    if (cuts) {
        disk_cut(d);
        return DISK_OFF;
    }
    if (n) {
        n->open_count++;
        d->open_count++;
    }
    *ret_node = n;
    return DISK_OK;
}

void disk_close(disk *d, disk_node *node)
{
    node->open_count--;
    d->open_count--;
    if (node->open_count == 0 && !node->is_named)
        drop_unreachable(d);
}

disk_result disk_read(disk *d, disk_node *node, void *data, size_t count, uint64_t at, size_t *ret_count)
{
    bool cuts;
    disk_result rc = meet(d, DISK_READ, node, false, &cuts);
    if (rc)
        return rc;
    size_t there = at >= node->live.size ? 0 : node->live.size - (size_t) at;
    if (there > count)
        there = count;
    if (there)
        memcpy(data, node->live.data + at, there);
    memset((unsigned char *) data + there, 0, count - there);
    *ret_count = there;
    return DISK_OK;
}

static void write_now(disk *d, disk_node *node, const void *data, size_t count, uint64_t at)
{
    if (count == 0)
        return;
    bytes_put(&node->live, at, data, count);
    if (node->name)
        change_add(d, CHANGE_WRITE, node, at, data, count);
}

disk_result disk_write(disk *d, disk_node *node, const void *data, size_t count, uint64_t at)
{
    bool cuts;
    disk_result rc = meet(d, DISK_WRITE, node, true, &cuts);
    if (rc == DISK_OFF)
        return rc;
    if (rc)
        count = chance_below(&d->chance, 2) ? 0 : (size_t) chance_below(&d->chance, count); /* a short write */
    write_now(d, node, data, count, at);
    if (cuts) {
        disk_cut(d);
        return DISK_OFF;
    }
    return rc;
}

disk_result disk_truncate(disk *d, disk_node *node, uint64_t size)
{
    bool cuts;
    disk_result rc = meet(d, DISK_TRUNCATE, node, true, &cuts);
    if (rc)
        return rc == DISK_FULL ? DISK_FAILED : rc;
    bytes_resize(&node->live, size);
    if (node->name)
        change_add(d, CHANGE_TRUNCATE, node, size, NULL, 0);
    if (cuts) {
        disk_cut(d);
        return DISK_OFF;
    }
    return DISK_OK;
}

/* What stands before is on the disk: this file's bytes, or every name. */
static void settle(disk *d, const disk_node *node, bool names)
{
    change **at = &d->first;
    for (change *c; (c = *at);) {
        bool is_name = c->kind == CHANGE_MADE || c->kind == CHANGE_DELETED;
        if (is_name ? !names : c->node != node) {
            at = &c->next;
            continue;
        }
        if (!c->is_forgotten)
            apply(c);
        *at = c->next;
        free(c);
        d->unsynced--;
    }
    d->end = at;
}

disk_result disk_sync(disk *d, disk_node *node, bool and_names)
{
    bool cuts;
    disk_result rc = meet(d, DISK_SYNC, node, true, &cuts);
    for (change *c = d->first; (rc == DISK_FAILED || rc == DISK_FULL) && d->plan.forgets_failed && c; c = c->next)
        c->is_forgotten |= c->node == node && c->kind == CHANGE_WRITE;
    if (rc)
        return rc == DISK_FULL ? DISK_FAILED : rc;
    if (cuts) { /* on its way: some of it has come, by the loss */
        disk_cut(d);
        return DISK_OFF;
    }
    if (!d->plan.ignores_sync)
        settle(d, node, and_names);
    return DISK_OK;
}

disk_result disk_delete(disk *d, const char *name, bool and_sync)
{
    bool cuts;
    disk_node *n = find(d, name);
    disk_result rc = meet(d, DISK_DELETE, NULL, n != NULL, &cuts);
    if (rc || !n)
        return rc == DISK_FULL ? DISK_FAILED : rc;
    n->is_named = false;
    change_add(d, CHANGE_DELETED, n, 0, NULL, 0);
    if (cuts) {
        disk_cut(d);
        return DISK_OFF;
    }
    if (and_sync && !d->plan.ignores_sync) {
        settle(d, NULL, true);
        drop_unreachable(d);
    }
    return DISK_OK;
}

uint64_t disk_size(const disk_node *node)
{
    return node->live.size;
}

void **disk_node_extra(disk_node *node, void (*free_extra)(void *))
{
    node->free_extra = free_extra;
    return &node->extra;
}
