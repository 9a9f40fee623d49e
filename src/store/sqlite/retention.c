/*
 * retention.c -- ended trees go, pages are given back. What is promised is in retention.h.
 *
 * The ended are found by two partial indexes on the time of their end, of roots only: one of the completed, one of
 * the rest, because they are kept for different spans. New ends come at an index's right edge, so they cost a commit
 * little; nothing is ever scanned. A walk remembers the last one that it looked at, and so passes by what has to stay.
 *
 * The floors under numbers and positions are kept by triggers of the schema, which write only when the highest one
 * goes. A journal is deleted by its index on (exec_no, seq), in that order.
 */
#include "store/ended.h"
#include "store/sqlite/db.h"
#include "store/sqlite/ops.h"
#include <stdio.h>
#include <stdlib.h>

enum { RESULTS_MAX = 64, SLACK_PAGES_MIN = 4 };

typedef struct member {
    int64_t exec_no;
    ctn_execution_id id;
} member;

typedef struct tree {
    member *members;
    size_t count, capacity;
    uint64_t entries;
    bool stays; /* one of it has not ended, or owes something */
} tree;

typedef struct pruning {
    sqlite_store *st;
    const ctn_prune *what;
    ctn_pruned sum;     /* of this call */
    uint64_t left;      /* of this call */
    uint64_t gone_here; /* entries that this transaction deletes */
    tree tree;
} pruning;

/* ---- statements ---- */

/* Runs a statement with up to two numbers that gives no row; tells how many rows it changed. */
static int run(sqlite_store *st, sqlite_sql which, int64_t first, int64_t second, uint64_t *ret_changes, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, which, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, first);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sqlite3_bind_int64(stmt, 2, second);
    rc = ctn_sqlite_run_bound(st, which, stmt, "removing what has ended", err);
    if (rc == CTN_OK && ret_changes)
        *ret_changes = (uint64_t) sqlite3_changes64(st->db);
    return rc;
}

/* ---- one tree ---- */

static void tree_add(tree *t, int64_t exec_no, ctn_execution_id id)
{
    t->members = ctn_array_room(t->members, t->count, &t->capacity, sizeof *t->members);
    t->members[t->count++] = (member){exec_no, id};
}

static int add_children(pruning *p, ctn_execution_id parent, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(p->st, SQL_TREE_CHILDREN, &stmt, err);
    if (rc)
        return rc;
    sqlite_bind_id(stmt, 1, &parent);
    while (!p->tree.stays && ctn_sqlite_next(p->st, stmt, "reading sub-chains", &rc, err)) {
        ctn_execution_id id;
        if (sqlite3_column_int(stmt, 2) || !sqlite_column_id(stmt, 1, &id))
            p->tree.stays = true;
        else
            tree_add(&p->tree, sqlite3_column_int64(stmt, 0), id);
    }
    ctn_sqlite_release(p->st, SQL_TREE_CHILDREN, stmt);
    return rc;
}

/* Who belongs to it, and how many entries; a journal has no gaps, so its last number is its length. */
static int read_tree(pruning *p, const ctn_ended *root, ctn_err *err)
{
    tree *t = &p->tree;
    int rc = CTN_OK;
    t->count = 0;
    t->entries = 0;
    t->stays = root->owes;
    tree_add(t, root->exec_no, root->id);
    for (size_t i = 0; rc == CTN_OK && !t->stays && i < t->count; i++) {
        int64_t seq = 0;
        rc = add_children(p, t->members[i].id, err);
        if (rc == CTN_OK)
            rc = ctn_sqlite_read_number(p->st, SQL_SEQ_LAST, t->members[i].exec_no, &seq, err);
        t->entries += (uint64_t) seq;
    }
    return rc;
}

static int delete_tree(pruning *p, ctn_err *err)
{
    const tree *t = &p->tree;
    bool in_pieces = t->entries > p->what->entries_max;
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < t->count; i++) {
        int64_t exec_no = t->members[i].exec_no;
        rc = run(p->st, SQL_PRUNE_ROW, exec_no, 0, NULL, err);
        if (rc == CTN_OK)
            rc = run(p->st, in_pieces ? SQL_PRUNING_PUT : SQL_PRUNE_JOURNAL, exec_no, 0, NULL, err);
        ctn_sqlite_seq_forget(p->st, exec_no);
    }
    p->gone_here += in_pieces ? p->what->entries_max : t->entries;
    return rc;
}

/* ---- the steps of a call ---- */

/* A journal whose execution is gone already. */
static int prune_rest(pruning *p, int64_t exec_no, ctn_err *err)
{
    uint64_t gone = 0;
    int rc = run(p->st, SQL_PRUNE_JOURNAL_SOME, exec_no, (int64_t) p->what->entries_max, &gone, err);
    p->gone_here += gone;
    if (rc == CTN_OK && gone < p->what->entries_max)
        rc = run(p->st, SQL_PRUNING_DELETE, exec_no, 0, NULL, err);
    return rc;
}

/* The next ones of an index; fewer than asked for: there are no more. */
static int read_ended(void *ctx, bool of_completed, const struct ctn_prune_place *place, ctn_ended *ret,
                      size_t *ret_count, ctn_err *err)
{
    pruning *p = ctx;
    sqlite_sql which = of_completed ? SQL_ENDED_COMPLETED : SQL_ENDED_OTHERS;
    sqlite3_stmt *stmt = NULL;
    size_t count = 0;
    int rc = ctn_sqlite_take(p->st, which, &stmt, err);
    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, 1, place->finished_at_ms);
    sqlite3_bind_int64(stmt, 2, place->exec_no);
    sqlite3_bind_int(stmt, 3, CTN_ENDED_PAGE);
    while (ctn_sqlite_next(p->st, stmt, "reading what has ended", &rc, err)) {
        ctn_ended *c = &ret[count++];
        *c = (ctn_ended){.exec_no = sqlite3_column_int64(stmt, 0),
                         .finished_at_ms = sqlite3_column_int64(stmt, 3),
                         .owes = sqlite3_column_type(stmt, 4) != SQLITE_NULL};
        /* A damaged one is not ours to judge: it stays. */
        if (!sqlite_column_id(stmt, 1, &c->id) || !ctn_status_from_name(sqlite_column_str(stmt, 2), &c->status))
            c->owes = true;
    }
    ctn_sqlite_release(p->st, which, stmt);
    *ret_count = count;
    return rc;
}

static int prune_one(void *ctx, const ctn_ended *c, ctn_err *err)
{
    pruning *p = ctx;
    int rc = read_tree(p, c, err);
    if (rc)
        return rc;
    if (p->tree.stays) {
        p->left++;
        return CTN_OK;
    }
    p->sum.trees++;
    p->sum.executions += p->tree.count;
    p->sum.entries += p->tree.entries;
    p->gone_here += p->what->is_dry;
    return p->what->is_dry ? CTN_OK : delete_tree(p, err);
}

static int prune_some(pruning *p, bool of_completed, struct ctn_prune_place *place, ctn_err *err)
{
    const ctn_ended_reader reader = {
        .ctx = p, .what = p->what, .gone = &p->gone_here, .read = read_ended, .prune = prune_one};
    return ctn_ended_walk(&reader, of_completed, place, err);
}

static int prune(pruning *p, ctn_prune_walk *walk, ctn_err *err)
{
    int64_t rest = 0;
    uint64_t results = 0;
    int rc = p->what->is_dry ? CTN_OK : ctn_sqlite_read_number(p->st, SQL_PRUNING_FIRST, 0, &rest, err);
    if (rc)
        return rc;
    if (rest)
        return prune_rest(p, rest, err);
    if (p->what->results_before_ms && !p->what->is_dry)
        rc = run(p->st, SQL_RESULTS_EXPIRED, p->what->results_before_ms, RESULTS_MAX, &results, err);
    p->sum.results += results;
    if (rc == CTN_OK && !walk->completed.is_done)
        rc = prune_some(p, true, &walk->completed, err);
    if (rc == CTN_OK && !walk->others.is_done && p->gone_here < p->what->entries_max)
        rc = prune_some(p, false, &walk->others, err);
    walk->is_done = walk->completed.is_done && walk->others.is_done && results < RESULTS_MAX && !p->gone_here;
    return rc;
}

int ctn_sqlite_prune(ctn_store *base, const ctn_prune *what, ctn_prune_walk *walk, ctn_pruned *sum, ctn_err *err)
{
    pruning p = {.st = (sqlite_store *) base, .what = what};
    ctn_prune_walk further = *walk;
    int rc = what->is_dry ? CTN_OK : ctn_sqlite_begin(p.st, err);
    if (rc)
        return rc;
    rc = prune(&p, &further, err);
    free(p.tree.members);
    if (!what->is_dry)
        rc = ctn_sqlite_end(p.st, rc, err);
    if (rc)
        return rc;
    if (p.st->checkpointer)
        ctn_sqlite_checkpointer_turn(p.st->checkpointer);
    further.left += p.left;
    *walk = further;
    sum->trees += p.sum.trees;
    sum->executions += p.sum.executions;
    sum->entries += p.sum.entries;
    sum->results += p.sum.results;
    return CTN_OK;
}

/* ---- giving back ---- */

typedef struct pages {
    int64_t count, unused, bytes;
} pages;

static int read_pages(sqlite_store *st, pages *ret, ctn_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = ctn_sqlite_take(st, SQL_PAGES, &stmt, err);
    if (rc)
        return rc;
    if (ctn_sqlite_next(st, stmt, "reading its size", &rc, err))
        *ret = (pages){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 2)};
    else if (rc == CTN_OK)
        rc = ctn_sqlite_fail(st->db, st->path, SQLITE_CORRUPT, "reading its size", err);
    ctn_sqlite_release(st, SQL_PAGES, stmt);
    return rc;
}

int ctn_sqlite_size_read(ctn_store *base, ctn_store_size *ret_size, ctn_err *err)
{
    pages p;
    int rc = read_pages((sqlite_store *) base, &p, err);
    if (rc == CTN_OK)
        *ret_size = (ctn_store_size){(uint64_t) (p.count * p.bytes), (uint64_t) (p.unused * p.bytes)};
    return rc;
}

/* How many pages there are beyond what stays for the next ones. */
static int64_t spare_pages(const pages *p)
{
    int64_t slack = (p->count - p->unused) / 32;
    return p->unused - (slack < SLACK_PAGES_MIN ? SLACK_PAGES_MIN : slack);
}

int ctn_sqlite_shrink(ctn_store *base, size_t count, bool *ret_more, ctn_err *err)
{
    sqlite_store *st = (sqlite_store *) base;
    pages p;
    int rc = read_pages(st, &p, err);
    if (rc)
        return rc;
    int64_t spare = spare_pages(&p);
    if (spare > (int64_t) count)
        spare = (int64_t) count;
    if (spare > 0) {
        char sql[64];
        snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%lld)", (long long) spare);
        int step = sqlite3_exec(st->db, sql, NULL, NULL, NULL); /* one page a step, all in one transaction */
        if (step)
            return ctn_sqlite_fail(st->db, st->path, step, "giving space back", err);
        ctn_sqlite_checkpointer_turn(st->checkpointer);
        rc = read_pages(st, &p, err);
    }
    if (rc == CTN_OK)
        *ret_more = spare > 0 && spare_pages(&p) > 0;
    return rc;
}

/* The log is copied and cut, and with it the file, if no reader is in the way; the page cache is given back. */
void ctn_sqlite_rest(ctn_store *base)
{
    sqlite_store *st = (sqlite_store *) base;
    if (st->checkpointer) {
        sqlite3_busy_timeout(st->db, 0);
        (void) sqlite3_wal_checkpoint_v2(st->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        sqlite3_busy_timeout(st->db, CTN_SQLITE_BUSY_TIMEOUT_MS);
    }
    (void) sqlite3_db_release_memory(st->db);
}
