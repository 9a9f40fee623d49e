/*
 * feed.c -- see feed.h.
 *
 * What must hold: a follower is either behind, and then his own position says where he is, or not, and then he is where
 * the feed is. He changes over in the moment when there is nothing between the two, so no entry is told twice or left
 * out. While anybody is being told, nobody is freed: who unfollows then is freed afterwards.
 *
 * Those who follow one execution are found by it; all others are asked of every entry.
 */
#include "server/feed.h"
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "core/execution.h"
#include "core/sealed.h"
#include "host/told.h"
#include "loop/watch.h"
#include "store/fleet.h"

#define NEW_PAGE      512 /* entries that are read at once */
#define BEHIND_PAGE   256
#define BEHIND_BUDGET 512 /* entries a round, of all who are behind */
#define BUCKETS       4096
#define KIN           1024
#define ROOM_MS       50 /* who has no room is asked again */
#define RETRY_MS      1000
#define OTHERS_MS     250 /* nobody tells us of what other nodes commit */

struct ctn_follower {
    ctn_feed *feed;
    ctn_follow_options of;
    char *texts; /* of the filter */
    bool is_behind, is_gone;
    int64_t from;     /* nothing up to here is told to him */
    int64_t position; /* while he is behind */
    int64_t exec_no;  /* of the one execution; 0: not looked for yet */
    uint64_t seq;     /* of it, told or passed over */
    int64_t no_room_since_ms;
    ctn_follower **list, *prev, *next, *gone_next;
};

typedef struct kin {
    ctn_execution_id id, parent;
} kin;

struct ctn_feed {
    ctn_loop *loop;
    ctn_store *store;
    const ctn_log *log;
    ctn_task task;
    ctn_timer *timer;
    ctn_arena *scratch; /* of the entry that is told */
    int64_t position, skip;
    bool is_dirty, is_telling, is_failing;
    bool is_shared; /* other nodes write, too */
    size_t count;
    ctn_follower *ones[BUCKETS], *wide, *behind, *gone;
    kin kin[KIN]; /* whose step an execution is, as far as it was looked for */
};

/* ---- lists ---- */

static void link_in(ctn_follower **list, ctn_follower *f)
{
    f->list = list;
    f->prev = NULL;
    f->next = *list;
    if (f->next)
        f->next->prev = f;
    *list = f;
}

static void unlink_from(ctn_follower *f)
{
    if (f->prev)
        f->prev->next = f->next;
    else
        *f->list = f->next;
    if (f->next)
        f->next->prev = f->prev;
}

static ctn_follower **bucket_of(ctn_feed *feed, ctn_execution_id id)
{
    unsigned n = (unsigned) id.bytes[15] << 8 | id.bytes[14]; /* chance */
    return &feed->ones[n % BUCKETS];
}

static bool is_of_one(const ctn_follower *f)
{
    return !f->of.filter.with_children && !ctn_id_is_none(f->of.filter.execution);
}

static void set_live(ctn_follower *f)
{
    ctn_feed *feed = f->feed;
    unlink_from(f);
    f->is_behind = false;
    f->no_room_since_ms = 0;
    link_in(is_of_one(f) ? bucket_of(feed, f->of.filter.execution) : &feed->wide, f);
}

static void set_behind(ctn_follower *f, int64_t position)
{
    unlink_from(f);
    f->is_behind = true;
    f->position = position;
    link_in(&f->feed->behind, f);
}

static void free_follower(ctn_follower *f)
{
    unlink_from(f);
    free(f->texts);
    free(f);
}

static void bury_gone(ctn_feed *feed)
{
    while (feed->gone) {
        ctn_follower *f = feed->gone;
        feed->gone = f->gone_next;
        free_follower(f);
    }
}

/* ---- what an entry is to a follower ---- */

typedef struct telling {
    ctn_feed *feed;
    const ctn_tail_entry *entry;
    ctn_feed_event event;
    bool has_labels;
} telling;

bool ctn_feed_is_end(ctn_entry_kind kind)
{
    return kind == CTN_ENTRY_COMPLETED || kind == CTN_ENTRY_FAILED || kind == CTN_ENTRY_ROLLED_BACK ||
           kind == CTN_ENTRY_ROLLBACK_FAILED || kind == CTN_ENTRY_CANCELLED;
}

static void put_id(ctn_json_builder *b, const char *key, ctn_execution_id id)
{
    ctn_json_put_str(b, key, ctn_str_from(ctn_id_to_text(id).text));
}

ctn_str ctn_feed_render(ctn_arena *arena, const ctn_tail_entry *entry)
{
    const ctn_record *r = entry->record;
    const ctn_json *body = NULL;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_int(&b, "position", entry->position);
    put_id(&b, "executionId", entry->id);
    ctn_json_put_str(&b, "chain", entry->chain_id);
    if (!ctn_id_is_none(entry->parent))
        put_id(&b, "parentExecutionId", entry->parent);
    if (entry->tenant.len)
        ctn_json_put_str(&b, "tenant", entry->tenant);
    ctn_json_put_int(&b, "seq", (int64_t) r->seq);
    ctn_json_put_time(&b, "at", r->at_ms);
    ctn_json_put_str(&b, "kind", ctn_str_from(ctn_entry_kind_name(r->kind)));
    if (r->step.len)
        ctn_json_put_str(&b, "step", r->step);
    if (r->item >= 0)
        ctn_json_put_int(&b, "item", r->item);
    if (r->attempt)
        ctn_json_put_int(&b, "attempt", r->attempt);
    ctn_json_put_str(&b, "actor", r->actor);
    if (r->body.len > CTN_FEED_BODY_MAX)
        ctn_json_put_int(&b, "bodyBytes", (int64_t) r->body.len);
    else if (ctn_json_parse(arena, r->body, NULL, &body, NULL) == CTN_OK &&
             ctn_sealed_hide(arena, body, r->sealed, &body, NULL) == CTN_OK)
        ctn_json_put(&b, CTN_STR("body"), body);
    return ctn_json_to_str(arena, ctn_json_finish(&b));
}

static ctn_execution_id parent_of(ctn_feed *feed, ctn_execution_id id)
{
    kin *k = &feed->kin[((unsigned) id.bytes[15] << 8 | id.bytes[14]) % KIN];
    if (!ctn_id_equal(k->id, id)) {
        ctn_execution_row row;
        ctn_arena *arena = ctn_arena_new(1024);
        bool is_there = ctn_store_execution_get(feed->store, arena, id, &row, NULL) == CTN_OK;
        *k = (kin){.id = id};
        if (is_there)
            k->parent = row.parent;
        ctn_arena_free(arena);
    }
    return k->parent;
}

static bool is_kin(ctn_feed *feed, const ctn_tail_entry *entry, ctn_execution_id root)
{
    ctn_execution_id up = entry->parent;
    if (ctn_id_equal(entry->id, root))
        return true;
    for (int depth = 0; !ctn_id_is_none(up) && depth < CTN_CHAIN_DEPTH_MAX; depth++) {
        if (ctn_id_equal(up, root))
            return true;
        up = parent_of(feed, up);
    }
    return false;
}

static const ctn_json *labels_of(telling *t)
{
    if (!t->has_labels && t->entry->labels.len)
        (void) ctn_json_parse(t->feed->scratch, t->entry->labels, NULL, &t->event.labels, NULL);
    t->has_labels = true;
    return t->event.labels;
}

static bool is_wanted(const ctn_follower *f, telling *t)
{
    const ctn_feed_filter *filter = &f->of.filter;
    const ctn_tail_entry *e = t->entry;
    if (e->position <= f->from)
        return false; /* the feed is not where his bookmark is */
    if (filter->kinds && !(filter->kinds >> e->record->kind & 1))
        return false;
    if (filter->chain_id.len && !ctn_str_equal(filter->chain_id, e->chain_id))
        return false;
    if (filter->tenant.len && !ctn_str_equal(filter->tenant, e->tenant))
        return false;
    if (is_of_one(f) ? !ctn_id_equal(filter->execution, e->id)
                     : filter->with_children && !is_kin(f->feed, e, filter->execution))
        return false;
    return !f->of.may || f->of.may(f->of.ctx, e, labels_of(t));
}

static telling begin_telling(ctn_feed *feed, const ctn_tail_entry *entry)
{
    ctn_arena_reset(feed->scratch);
    return (telling){
        .feed = feed, .entry = entry, .event = {.entry = entry, .is_end = ctn_feed_is_end(entry->record->kind)}};
}

static void tell(ctn_follower *f, telling *t)
{
    (void) labels_of(t);
    if (!t->event.json.ptr)
        t->event.json = ctn_feed_render(t->feed->scratch, t->entry);
    f->of.take(f->of.ctx, &t->event);
}

static bool has_room(const ctn_follower *f)
{
    return !f->of.has_room || f->of.has_room(f->of.ctx);
}

/* ---- what is new ---- */

static void tell_list(ctn_follower *list, telling *t)
{
    for (ctn_follower *f = list, *next; f; f = next) {
        next = f->next;
        if (f->is_gone || !is_wanted(f, t))
            continue;
        if (has_room(f))
            tell(f, t);
        else
            set_behind(f, t->entry->position - 1);
    }
}

static int take_new(void *ctx, const ctn_tail_entry *entry)
{
    ctn_feed *feed = ctx;
    telling t = begin_telling(feed, entry);
    tell_list(*bucket_of(feed, entry->id), &t);
    tell_list(feed->wide, &t);
    feed->position = entry->position;
    feed->skip = 0;
    return 0;
}

/* A part of the store that does not read is passed over, in steps that grow; anything else is tried again. */
static void note_failure(ctn_feed *feed, int rc, const ctn_err *err)
{
    int64_t last = 0;
    if (!feed->is_failing)
        ctn_log_line(feed->log, CTN_LOG_WARN, "the journal does not read on", "why", err->message, NULL);
    feed->is_failing = true;
    feed->is_dirty = true;
    if (rc != CTN_E_CORRUPT || ctn_store_position_last(feed->store, &last, NULL) || feed->position >= last)
        return;
    feed->skip = feed->skip ? feed->skip * 2 : 1;
    feed->position += feed->skip < last - feed->position ? feed->skip : last - feed->position;
}

static void read_new(ctn_feed *feed)
{
    ctn_err err = {0};
    int64_t from = feed->position;
    feed->is_dirty = false;
    int rc = ctn_store_journal_after(feed->store, from, NEW_PAGE, take_new, feed, &err);
    if (rc)
        note_failure(feed, rc, &err);
    else
        feed->is_failing = false;
    if (feed->position != from)
        feed->is_dirty = true; /* until there is nothing more */
}

/* ---- who is behind ---- */

typedef struct page {
    ctn_follower *follower;
    size_t count;
    bool has_stopped; /* for want of room, or he is gone */
} page;

static int take_old(void *ctx, const ctn_tail_entry *entry)
{
    page *p = ctx;
    ctn_follower *f = p->follower;
    if (entry->position > f->feed->position || p->count >= BEHIND_PAGE)
        return 1;
    if (entry->position > f->position) {
        telling t = begin_telling(f->feed, entry);
        bool wants = is_wanted(f, &t);
        p->has_stopped = f->is_gone || (wants && !has_room(f));
        if (p->has_stopped)
            return 1;
        if (wants)
            tell(f, &t);
        f->position = entry->position;
    }
    f->seq = entry->record->seq;
    p->count++;
    return f->is_gone;
}

typedef struct one {
    page page;
    const ctn_execution_row *row;
} one;

static int take_record(void *ctx, const ctn_record *record, int64_t position)
{
    one *o = ctx;
    ctn_tail_entry entry = {.position = position,
                            .record = record,
                            .exec_no = o->row->exec_no,
                            .id = o->row->id,
                            .parent = o->row->parent,
                            .chain_id = o->row->chain_id,
                            .tenant = o->row->tenant,
                            .labels = o->row->labels};
    return take_old(&o->page, &entry);
}

/* Along its own journal, however large the store is. */
static int read_one(page *p, ctn_err *err)
{
    ctn_follower *f = p->follower;
    ctn_execution_row row;
    ctn_arena *arena = ctn_arena_new(4096);
    int rc = f->exec_no ? ctn_store_execution_by_no(f->feed->store, arena, f->exec_no, &row, err)
                        : ctn_store_execution_get(f->feed->store, arena, f->of.filter.execution, &row, err);
    if (rc == CTN_OK) {
        one o = {*p, &row};
        f->exec_no = row.exec_no;
        rc = ctn_store_journal_read(f->feed->store, row.exec_no, f->seq + 1, take_record, &o, err);
        *p = o.page;
        rc = rc == 1 ? CTN_OK : rc; /* enough */
    }
    ctn_arena_free(arena);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc; /* it is not there, or pruned: nothing is told */
}

static void lose(ctn_follower *f)
{
    if (f->of.lost && !f->is_gone)
        f->of.lost(f->of.ctx);
    ctn_feed_unfollow(f);
}

/* Entries that were looked at. */
static size_t serve(ctn_follower *f)
{
    ctn_feed *feed = f->feed;
    ctn_err err = {0};
    page p = {.follower = f};
    int rc = is_of_one(f) ? read_one(&p, &err)
                          : ctn_store_journal_after(feed->store, f->position, BEHIND_PAGE, take_old, &p, &err);
    if (f->is_gone)
        return p.count;
    if (rc) {
        ctn_log_line(feed->log, CTN_LOG_WARN, "a follower of the journal is dropped", "why", err.message, NULL);
        lose(f);
    } else if (!p.has_stopped && p.count == 0) {
        set_live(f);
        if (f->of.caught_up)
            f->of.caught_up(f->of.ctx);
    }
    return p.count;
}

/* In turns: who was served goes to the end. True: somebody can be served at once. */
static bool serve_behind(ctn_feed *feed)
{
    int64_t now_ms = ctn_loop_now_ms(feed->loop);
    ctn_follower *waiting = feed->behind;
    size_t budget = BEHIND_BUDGET;
    bool has_more = false;
    feed->behind = NULL;
    for (ctn_follower *f = waiting; f; f = f->next)
        f->list = &waiting;
    while (waiting && budget > 0) {
        ctn_follower *f = waiting;
        unlink_from(f);
        link_in(&feed->behind, f);
        if (f->is_gone)
            continue;
        if (!has_room(f)) {
            if (!f->no_room_since_ms)
                f->no_room_since_ms = now_ms;
            else if (!f->of.is_patient && now_ms - f->no_room_since_ms > CTN_FEED_STALL_MS)
                lose(f);
            continue;
        }
        f->no_room_since_ms = 0;
        size_t count = serve(f) + 1;
        budget -= count < budget ? count : budget;
        has_more = has_more || (f->is_behind && !f->is_gone);
    }
    has_more = has_more || waiting;
    while (waiting) { /* they are first, the next time */
        ctn_follower *f = waiting;
        unlink_from(f);
        link_in(&feed->behind, f);
    }
    return has_more;
}

/* ---- rounds ---- */

static bool has_impatient(const ctn_feed *feed)
{
    for (const ctn_follower *f = feed->behind; f; f = f->next)
        if (!f->of.is_patient)
            return true;
    return false;
}

static void run(void *ctx)
{
    ctn_feed *feed = ctx;
    bool has_more = false;
    assert(!feed->is_telling);
    feed->is_telling = true;
    if (feed->is_dirty && feed->count)
        read_new(feed);
    if (feed->behind)
        has_more = serve_behind(feed);
    feed->is_telling = false;
    bury_gone(feed);
    if (has_more || (feed->is_dirty && feed->count && !feed->is_failing))
        ctn_task_file(feed->loop, &feed->task);
    else if (feed->is_failing || has_impatient(feed))
        ctn_timer_set(feed->timer, ctn_loop_now_ms(feed->loop) + (feed->is_failing ? RETRY_MS : ROOM_MS));
    else if (feed->is_shared && feed->count) {
        feed->is_dirty = true;
        ctn_timer_set(feed->timer, ctn_loop_now_ms(feed->loop) + OTHERS_MS);
    }
}

void ctn_feed_wake(ctn_feed *feed)
{
    feed->is_dirty = true;
    if (feed->count && !feed->is_failing)
        ctn_task_file(feed->loop, &feed->task);
}

/* ---- followers ---- */

static void keep_texts(ctn_follower *f)
{
    ctn_str *chain = &f->of.filter.chain_id, *tenant = &f->of.filter.tenant;
    f->texts = ctn_malloc(chain->len + tenant->len + 1);
    if (chain->len)
        memcpy(f->texts, chain->ptr, chain->len);
    if (tenant->len)
        memcpy(f->texts + chain->len, tenant->ptr, tenant->len);
    *tenant = (ctn_str){f->texts + chain->len, tenant->len};
    chain->ptr = f->texts;
}

ctn_follower *ctn_feed_follow(ctn_feed *feed, const ctn_follow_options *options)
{
    ctn_follower *f = ctn_calloc(1, sizeof *f);
    int64_t last = 0;
    f->feed = feed;
    f->of = *options;
    keep_texts(f);
    if (ctn_store_position_last(feed->store, &last, NULL))
        last = feed->position;
    if (feed->count++ == 0)
        feed->position = last; /* nobody has wanted to know what came before */
    f->is_behind = true;
    f->from = options->after >= 0 && options->after < last ? options->after : last;
    f->position = f->from < feed->position ? f->from : feed->position;
    link_in(&feed->behind, f);
    ctn_task_file(feed->loop, &feed->task);
    return f;
}

void ctn_feed_go_on(ctn_follower *f)
{
    if (f->is_behind && !f->is_gone)
        ctn_task_file(f->feed->loop, &f->feed->task);
}

void ctn_feed_unfollow(ctn_follower *f)
{
    if (!f || f->is_gone)
        return;
    ctn_feed *feed = f->feed;
    f->is_gone = true;
    feed->count--;
    if (!feed->is_telling) {
        free_follower(f);
        return;
    }
    f->gone_next = feed->gone; /* it stays where it is: somebody may be walking there */
    feed->gone = f;
}

int64_t ctn_follower_position(const ctn_follower *f)
{
    return f->is_behind ? f->position : f->feed->position;
}

int64_t ctn_feed_position(const ctn_feed *feed)
{
    return feed->position;
}

/* ---- life ---- */

int ctn_feed_new(ctn_loop *loop, ctn_store *store, const ctn_log *log, ctn_feed **ret_feed, ctn_err *err)
{
    int64_t last = 0;
    int rc = ctn_store_position_last(store, &last, err);
    if (rc)
        return rc;
    ctn_feed *feed = ctn_calloc(1, sizeof *feed);
    feed->loop = loop;
    feed->store = store;
    feed->log = log;
    feed->position = last;
    feed->is_shared = ctn_store_is_fleet(store);
    feed->scratch = ctn_arena_new(8192);
    feed->task = (ctn_task){.run = run, .ctx = feed};
    feed->timer = ctn_timer_new(loop, run, feed);
    *ret_feed = feed;
    return CTN_OK;
}

void ctn_feed_free(ctn_feed *feed)
{
    if (!feed)
        return;
    assert(feed->count == 0);
    bury_gone(feed);
    ctn_task_cancel(&feed->task);
    ctn_timer_free(feed->timer);
    ctn_arena_free(feed->scratch);
    free(feed);
}
