/*
 * requests.c -- what the holder of a shard shall decide; and waking it, through a descriptor of each handle that asked
 * for one.
 */
#include "store/memory/fleet.h"
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { DAY_MS = 24 * 60 * 60 * 1000, REMOVED_WITH_A_PUT = 4 };

/* ---- being woken ---- */

static void wake(const memory_db *db, int64_t incarnation)
{
    for (const memory_store *st = db->fleet->listeners; st; st = st->next_listener)
        if (st->wake_incarnation == incarnation)
            (void) eventfd_write(st->wake_fd, 1);
}

void ctn_memory_changed(memory_db *db)
{
    db->changes++;
    for (const memory_store *st = db->fleet ? db->fleet->listeners : NULL; st; st = st->next_listener)
        (void) eventfd_write(st->wake_fd, 1);
}

int ctn_memory_wake_fd(ctn_store *st, int64_t incarnation)
{
    memory_store *handle = (memory_store *) st;
    memory_db *db = memory_lock(st);
    handle->wake_incarnation = incarnation;
    if (handle->wake_fd < 0) {
        handle->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (handle->wake_fd >= 0) {
            handle->next_listener = db->fleet->listeners;
            db->fleet->listeners = handle;
        }
    }
    memory_unlock(db);
    return handle->wake_fd;
}

bool ctn_memory_woken(ctn_store *st)
{
    const memory_store *handle = (memory_store *) st;
    eventfd_t count;
    return handle->wake_fd >= 0 && eventfd_read(handle->wake_fd, &count) == 0;
}

void ctn_memory_listener_remove(memory_store *st)
{
    memory_db *db = memory_lock(&st->base);
    memory_store **link = &db->fleet->listeners;
    while (*link && *link != st)
        link = &(*link)->next_listener;
    if (*link)
        *link = st->next_listener;
    memory_unlock(db);
    if (st->wake_fd >= 0)
        close(st->wake_fd);
}

/* ---- requests ---- */

static memory_request *request_at(const memory_db *db, size_t place)
{
    return (memory_request *) db->fleet->requests.rows + place;
}

static memory_request *find(const memory_db *db, int64_t no)
{
    return ctn_memory_table_find(&db->fleet->requests, &no);
}

static int64_t holder_of(const memory_db *db, uint32_t shard)
{
    return db->fleet->shards[shard].holder;
}

int64_t ctn_memory_requests_count(const memory_db *db, int64_t incarnation)
{
    int64_t count = 0;
    for (size_t i = 0; i < db->fleet->requests.count; i++) {
        const ctn_request_row *row = &request_at(db, i)->row;
        count += !row->is_done && holder_of(db, row->shard) == incarnation;
    }
    return count;
}

static void remove_some(memory_db *db)
{
    int64_t before_ms = memory_now_ms(db) - DAY_MS;
    int left = REMOVED_WITH_A_PUT;
    for (size_t i = db->fleet->requests.count; i-- > 0 && left;) {
        const memory_request *r = request_at(db, i);
        int64_t no = r->row.no;
        if (!r->row.is_done || r->done_at_ms >= before_ms)
            continue;
        ctn_memory_table_remove(&db->fleet->requests, &no);
        left--;
    }
}

int ctn_memory_requests_put(ctn_store *st, const ctn_request_row *rows, size_t count, int64_t *ret_nos, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    remove_some(db);
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        int64_t no = ++db->fleet->request_last;
        memory_request *kept = ctn_memory_table_put(&db->fleet->requests, &no, &is_new);
        kept->row = rows[i];
        kept->row.no = ret_nos[i] = no;
        kept->row.kind = ctn_arena_str(db->arena, rows[i].kind);
        kept->row.body = ctn_arena_str(db->arena, rows[i].body);
        kept->row.is_done = false;
        kept->row.rc = CTN_OK;
        kept->row.sentence = (ctn_str){NULL, 0};
        wake(db, holder_of(db, rows[i].shard));
    }
    memory_unlock(db);
    return CTN_OK;
}

int ctn_memory_requests_waiting(ctn_store *st, int64_t after_no, size_t limit, ctn_request_fn *fn, void *ctx,
                                ctn_err *err)
{
    (void) err;
    const memory_store *handle = (memory_store *) st;
    memory_db *db = memory_lock(st);
    int64_t first_no = after_no + 1;
    size_t count = 0;
    ctn_request_row *rows = ctn_calloc(db->fleet->requests.count + 1, sizeof *rows);
    for (size_t i = ctn_memory_table_place(&db->fleet->requests, &first_no);
         i < db->fleet->requests.count && count < limit; i++) {
        const ctn_request_row *row = &request_at(db, i)->row;
        if (!row->is_done && (!handle->incarnation || ctn_shard_set_has(&handle->held, row->shard)))
            rows[count++] = *row;
    }
    memory_unlock(db);
    for (size_t i = 0; i < count && fn(ctx, &rows[i]) == 0; i++) {
    }
    free(rows);
    return CTN_OK;
}

void ctn_memory_request_done(memory_db *db, int64_t no, int rc, ctn_str sentence)
{
    memory_request *r = find(db, no);
    if (!r || r->row.is_done)
        return;
    r->row.is_done = true;
    r->row.rc = rc;
    r->row.sentence = ctn_arena_str(db->arena, sentence);
    r->done_at_ms = memory_now_ms(db);
    wake(db, r->row.from);
}

int ctn_memory_request_answer(ctn_store *st, uint32_t shard, int64_t no, int rc, ctn_str sentence, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const memory_request *r = find(db, no);
    bool is_ours = holder_of(db, shard) == ((memory_store *) st)->incarnation;
    if (is_ours && r && r->row.shard == shard)
        ctn_memory_request_done(db, no, rc, sentence);
    memory_unlock(db);
    return is_ours ? CTN_OK : CTN_E_STALE;
}

int ctn_memory_request_get(ctn_store *st, ctn_arena *arena, uint32_t shard, int64_t no, ctn_request_row *ret,
                           ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    const memory_request *r = find(db, no);
    bool is_there = r && r->row.shard == shard;
    if (is_there) {
        *ret = r->row;
        ret->kind = ctn_arena_str(arena, r->row.kind);
        ret->body = ctn_arena_str(arena, r->row.body);
        ret->sentence = ctn_arena_str(arena, r->row.sentence);
    }
    memory_unlock(db);
    return is_there ? CTN_OK : CTN_E_NOT_FOUND;
}
