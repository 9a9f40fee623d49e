/*
 * history.c -- see history.h: a fold over the events, with a little picture of every node, shard, execution, key,
 * request and write that was heard of.
 */
#include "fleet/history.h"

#include "base/memory.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum thing_kind { THING_NODE, THING_EXECUTION, THING_START, THING_REQUEST, THING_WRITE } thing_kind;

typedef struct thing { /* what was heard of, by its number or its key */
    struct thing *next;
    thing_kind kind;
    int64_t no;
    char key[HISTORY_KEY_MAX];
    /* a node */
    bool is_live;
    int64_t until_ms;
    /* an execution */
    uint64_t seq;
    bool has_ended;
    /* a start */
    int64_t exec_no; /* 0: none yet */
    bool was_accepted;
    /* a request, a write */
    int times;
    bool was_late; /* as documented */
} thing;

typedef struct shard_now {
    int64_t holder; /* 0: nobody */
    int64_t last;   /* who took it last */
    uint64_t epoch;
    bool was_crash;
} shard_now;

struct history {
    history_rules rules;
    history_counts counts;
    shard_now *shards;
    void *tree;
    thing *all;
    bool is_broken;
    char why[400];
};

static void broken(history *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void broken(history *h, const char *format, ...)
{
    if (h->is_broken)
        return;
    h->is_broken = true;
    va_list args;
    va_start(args, format);
    vsnprintf(h->why, sizeof h->why, format, args);
    va_end(args);
}

static int compare(const void *a, const void *b)
{
    const thing *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->no != y->no)
        return x->no < y->no ? -1 : 1;
    return strcmp(x->key, y->key);
}

/* Made when it is heard of for the first time. */
static thing *thing_of(history *h, thing_kind kind, int64_t no, const char *key)
{
    thing *t = ctn_calloc(1, sizeof *t);
    t->kind = kind;
    t->no = no;
    snprintf(t->key, sizeof t->key, "%s", key ? key : "");
    thing **there = tsearch(t, &h->tree, compare);
    if (!there)
        abort();
    if (*there != t) {
        free(t);
        return *there;
    }
    t->next = h->all;
    h->all = t;
    return t;
}

static uint32_t shard_of(const history *h, int64_t exec_no)
{
    return (uint32_t) (exec_no % h->rules.shard_count);
}

/* ---- nodes ---- */

static void free_shards(history *h, int64_t node, bool was_crash)
{
    for (uint32_t i = 0; i < h->rules.shard_count; i++)
        if (h->shards[i].holder == node)
            h->shards[i] = (shard_now){.last = node, .epoch = h->shards[i].epoch, .was_crash = was_crash};
}

static void on_node(history *h, const history_event *e)
{
    thing *n = thing_of(h, THING_NODE, e->node, NULL);
    switch ((int) e->kind) {
    case HISTORY_JOINED:
        if (n->until_ms)
            broken(h, "node %lld joins twice", (long long) e->node);
        n->is_live = true;
        n->until_ms = e->until_ms;
        h->counts.nodes++;
        return;
    case HISTORY_BEAT:
        if (!n->is_live)
            broken(h, "node %lld has its lease moved on, and does not live any more", (long long) e->node);
        n->until_ms = e->until_ms;
        return;
    case HISTORY_LEFT:
        if (!n->is_live)
            broken(h, "node %lld leaves, and does not live any more", (long long) e->node);
        n->is_live = false;
        free_shards(h, e->node, false);
        h->counts.leaves++;
        return;
    default:
        if (!n->is_live)
            broken(h, "node %lld is buried, and does not live any more", (long long) e->node);
        if (e->at_ms < n->until_ms + h->rules.settle_ms)
            broken(h, "node %lld is buried %lld ms before its lease has expired for %lld ms", (long long) e->node,
                   (long long) (n->until_ms + h->rules.settle_ms - e->at_ms), (long long) h->rules.settle_ms);
        n->is_live = false;
        free_shards(h, e->node, true);
        h->counts.burials++;
    }
}

/* ---- shards ---- */

static void on_shard(history *h, const history_event *e)
{
    if (e->shard >= h->rules.shard_count) {
        broken(h, "shard %u of %u", e->shard, h->rules.shard_count);
        return;
    }
    shard_now *s = &h->shards[e->shard];
    if (e->kind == HISTORY_RELEASED) {
        if (s->holder != e->node)
            broken(h, "node %lld gives shard %u back, and %lld holds it", (long long) e->node, e->shard,
                   (long long) s->holder);
        *s = (shard_now){.last = s->last, .epoch = s->epoch};
        return;
    }
    if (s->holder)
        broken(h, "shard %u is taken by node %lld, and node %lld holds it", e->shard, (long long) e->node,
               (long long) s->holder);
    if (e->epoch <= s->epoch)
        broken(h, "shard %u is taken under epoch %llu after epoch %llu", e->shard, (unsigned long long) e->epoch,
               (unsigned long long) s->epoch);
    if (!thing_of(h, THING_NODE, e->node, NULL)->is_live)
        broken(h, "shard %u is taken by node %lld, which does not live", e->shard, (long long) e->node);
    if (e->was_crash != s->was_crash)
        broken(h, "shard %u: it is said that its last holder %s", e->shard,
               e->was_crash ? "did not give it back, and it did" : "gave it back, and it did not");
    h->counts.takes++;
    h->counts.takeovers += s->was_crash;
    *s = (shard_now){.holder = e->node, .last = e->node, .epoch = e->epoch};
}

/* ---- executions ---- */

static void on_entry(history *h, const history_event *e)
{
    const shard_now *s = &h->shards[shard_of(h, e->exec_no)];
    thing *x = thing_of(h, THING_EXECUTION, e->exec_no, NULL);
    if ((e->node && e->node != s->holder) || (e->epoch && e->epoch != s->epoch))
        broken(h, "entry %llu of %lld is written by node %lld under epoch %llu; its shard is held by %lld under %llu",
               (unsigned long long) e->seq, (long long) e->exec_no, (long long) e->node, (unsigned long long) e->epoch,
               (long long) s->holder, (unsigned long long) s->epoch);
    if (e->seq != x->seq + 1)
        broken(h, "entry %llu of %lld follows entry %llu", (unsigned long long) e->seq, (long long) e->exec_no,
               (unsigned long long) x->seq);
    if (x->has_ended)
        broken(h, "entry %llu of %lld comes after its end", (unsigned long long) e->seq, (long long) e->exec_no);
    x->seq = e->seq;
    x->has_ended = e->is_end;
    h->counts.entries++;
    h->counts.ends += e->is_end;
}

static void on_start(history *h, const history_event *e)
{
    thing *start = thing_of(h, THING_START, 0, e->key);
    if (e->kind == HISTORY_ACCEPTED) {
        if (!start->exec_no)
            broken(h, "the start \"%s\" is acknowledged, and is not there", e->key);
        start->was_accepted = true;
        return;
    }
    if (start->exec_no)
        broken(h, "the start \"%s\" is execution %lld and %lld", e->key, (long long) start->exec_no,
               (long long) e->exec_no);
    start->exec_no = e->exec_no;
    h->counts.starts++;
}

/* ---- requests and writes ---- */

static void on_done(history *h, const history_event *e)
{
    thing *r = thing_of(h, THING_REQUEST, e->request, NULL);
    if (r->times++)
        broken(h, "request %lld is done twice", (long long) e->request);
    h->counts.requests++;
}

static void on_write(history *h, const history_event *e)
{
    thing *w = thing_of(h, THING_WRITE, 0, e->key);
    if (e->kind == HISTORY_ARRIVED) {
        const shard_now *s = &h->shards[shard_of(h, e->exec_no)];
        bool is_late = s->last && s->last != e->node; /* until another takes it, it is in time */
        if (is_late && !e->was_stopped)
            broken(h, "%s arrives from node %lld, and its shard is node %lld's", e->key, (long long) e->node,
                   (long long) s->last);
        w->was_late = w->was_late || is_late;
        h->counts.late_writes += is_late;
        h->counts.writes++;
        return;
    }
    if (w->times++ == 0)
        return;
    if (!w->was_late)
        broken(h, "%s took effect twice", e->key);
    h->counts.repeated_writes++;
}

/* ---- all of it ---- */

history *history_new(const history_rules *rules)
{
    history *h = ctn_calloc(1, sizeof *h);
    h->rules = *rules;
    h->shards = ctn_calloc(rules->shard_count, sizeof *h->shards);
    return h;
}

static void keep(void *node)
{
    (void) node; /* h->all frees them */
}

void history_free(history *h)
{
    if (!h)
        return;
    tdestroy(h->tree, keep);
    for (thing *t = h->all, *next; t; t = next) {
        next = t->next;
        free(t);
    }
    free(h->shards);
    free(h);
}

void history_add(history *h, const history_event *e)
{
    switch (e->kind) {
    case HISTORY_JOINED:
    case HISTORY_BEAT:
    case HISTORY_LEFT:
    case HISTORY_BURIED: on_node(h, e); break;
    case HISTORY_TAKEN:
    case HISTORY_RELEASED: on_shard(h, e); break;
    case HISTORY_ACCEPTED:
    case HISTORY_STARTED: on_start(h, e); break;
    case HISTORY_ENTRY: on_entry(h, e); break;
    case HISTORY_DONE: on_done(h, e); break;
    case HISTORY_ARRIVED:
    case HISTORY_EFFECT: on_write(h, e); break;
    }
}

void history_finish(history *h)
{
    if (h->rules.not_all_end)
        return;
    for (const thing *t = h->all; t; t = t->next)
        if (t->kind == THING_EXECUTION && !t->has_ended)
            broken(h, "execution %lld has not ended", (long long) t->no);
}

const char *history_broken(const history *h)
{
    return h->is_broken ? h->why : NULL;
}

const history_counts *history_counted(const history *h)
{
    return &h->counts;
}
