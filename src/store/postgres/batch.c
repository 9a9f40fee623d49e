/*
 * batch.c -- a batch of appends as statements: one a table, whatever the number of appends, its rows in arrays that the
 * statement unnests, ordered by shard.
 *
 * An append sees those before it in its batch; statements that write many at once cannot. So what one execution gets in
 * a batch is folded here first: a new one and its changes are one row, two changes are the later one. What depends on
 * others (who is held in a line, who is woken) is worked out behind all rows, from what they then are; that is the same
 * as one after the other, for the line's order is that of the numbers.
 *
 * The checks come first. Each divides by zero when it fails, which ends the transaction whoever has sent what behind it
 * (pipeline.c):
 *     node    this node's lease has not been taken, and is not, until the transaction is over
 *     shards  each shard of the batch is held by this node under the epoch of its appends
 *     ends    each journal ends where the append says; those that this connection has written itself it knows (ends.h)
 * and the inserts check by themselves that numbers and ids are new.
 *
 * A position is the transaction's number shifted by 20 bits, plus the place in the batch: so positions of a later
 * commit are larger if it began to write later, and who reads the tail stops below the oldest that is under way
 * (read.c).
 */
#include "base/memory.h"
#include "base/plant.h"
#include "store/postgres/arrays.h"
#include "store/postgres/core.h"
#include "store/postgres/ends.h"
#include "store/postgres/schema.h"
#include "store/postgres/schema_fleet.h"
#include <assert.h>
#include <stdlib.h>

enum { COLUMNS_MAX = 20, POSITIONS_PER_COMMIT = 1 << 20 };

typedef enum group {
    SHARDS,
    ENDS,
    ROWS,
    KEYS,
    KEYS_CHECK, /* the arrays of KEYS */
    CHANGES,
    HOLD,
    LINES,
    WAKES,
    ENTRIES,
    GROUP_COUNT
} group;

/* clang-format off */
static const char NODE_CHECK[] = "SELECT 1/count(*) FROM (" PG_NODE_LOCK ") n";

#define A4 "::int4[]"
#define A8 "::int8[]"
#define AT "::text[]"
#define AB "::bytea[]"

/* Types of the columns: s int4, i int8, t text, b bytea. */
static const struct {
    const char *types, *doing, *sql;
} STATEMENTS[GROUP_COUNT] = {
    [SHARDS] = {"si", "checking the shards of a batch",
        "SELECT 1/((SELECT count(*) FROM unnest($1" A4 ",$2" A8 ") a(shard, epoch) JOIN shards s"
        " ON s.shard = a.shard AND s.epoch = a.epoch AND s.holder = $3) = $4)::int"},
    [ENDS] = {"sii", "checking the ends of journals",
        "SELECT 1/(NOT EXISTS (SELECT 1 FROM unnest($1" A4 ",$2" A8 ",$3" A8 ") c(shard, exec_no, seq)"
        " WHERE c.seq IS DISTINCT FROM (SELECT j.seq FROM execution_journal j WHERE j.shard = c.shard"
        " AND j.exec_no = c.exec_no ORDER BY j.seq DESC LIMIT 1)))::int"},
    [ROWS] = {PG_ROW_TYPES, "storing executions",
        "INSERT INTO chain_executions(shard, exec_no, execution_id, chain_id, chain_version, status, phase, priority,"
        " queue_key, queue_held, idempotency_key, tenant, parent_id, wake_at_ms, labels, input, outputs, error,"
        " created_at_ms, started_at_ms, finished_at_ms)"
        " SELECT shard, exec_no, id, chain_id, chain_version, status, phase, priority, queue_key, false, key, tenant,"
        " parent, wake, labels, input, outputs, error, created, started, finished"
        " FROM unnest($1" A4 ",$2" A8 ",$3" AB ",$4" AT ",$5" A8 ",$6" AT ",$7" A4 ",$8" A4 ",$9" AT ",$10" AT
        ",$11" AT ",$12" AB ",$13" A8 ",$14" AT ",$15" AT ",$16" AT ",$17" AT ",$18" A8 ",$19" A8 ",$20" A8
        ") r(shard, exec_no, id, chain_id, chain_version, status, phase, priority, queue_key, key, tenant, parent,"
        " wake, labels, input, outputs, error, created, started, finished)"},
    [KEYS] = {"sttb", "claiming idempotency keys",
        "INSERT INTO execution_keys(shard, chain_id, key, execution_id)"
        " SELECT * FROM unnest($1" A4 ",$2" AT ",$3" AT ",$4" AB ") ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING"},
    [KEYS_CHECK] = {"sttb", "checking idempotency keys",
        "SELECT 1/(NOT EXISTS (SELECT 1 FROM unnest($1" A4 ",$2" AT ",$3" AT ",$4" AB ") k(shard, chain_id, key, id)"
        " WHERE k.id IS DISTINCT FROM (SELECT e.execution_id FROM execution_keys e WHERE e.shard = k.shard"
        " AND e.chain_id = k.chain_id AND e.key = k.key)))::int"},
    [CHANGES] = {"sitsiiitt", "changing executions",
        "WITH changed AS (UPDATE chain_executions e SET status = c.status, phase = c.phase, wake_at_ms = c.wake,"
        " started_at_ms = c.started, finished_at_ms = c.finished, outputs = coalesce(c.outputs, e.outputs),"
        " error = coalesce(c.error, e.error) FROM unnest($1" A4 ",$2" A8 ",$3" AT ",$4" A4 ",$5" A8 ",$6" A8 ",$7" A8
        ",$8" AT ",$9" AT ") c(shard, exec_no, status, phase, wake, started, finished, outputs, error)"
        " WHERE e.shard = c.shard AND e.exec_no = c.exec_no RETURNING 1)"
        " SELECT 1/((SELECT count(*) FROM changed) = $10)::int"},
    [HOLD] = {"sit", "holding those behind others in line",
        "UPDATE chain_executions e SET queue_held = true FROM unnest($1" A4 ",$2" A8 ",$3" AT
        ") n(shard, exec_no, queue_key) WHERE e.shard = n.shard AND e.exec_no = n.exec_no AND EXISTS"
        " (SELECT 1 FROM chain_executions o WHERE o.shard = n.shard AND o.queue_key = n.queue_key"
        " AND " PG_IS_UNFINISHED("o.") " AND o.exec_no < n.exec_no)"},
    [LINES] = {"st", "moving lines on",
        "UPDATE chain_executions e SET queue_held = false FROM unnest($1" A4 ",$2" AT ") l(shard, queue_key)"
        " CROSS JOIN LATERAL (SELECT o.exec_no FROM chain_executions o WHERE o.shard = l.shard"
        " AND o.queue_key = l.queue_key AND " PG_IS_UNFINISHED("o.") " ORDER BY o.exec_no LIMIT 1) f"
        " WHERE e.shard = l.shard AND e.exec_no = f.exec_no AND e.queue_held"},
    [WAKES] = {"sb", "waking executions",
        "UPDATE chain_executions e SET wake_at_ms = 1 FROM unnest($1" A4 ",$2" AB ") w(shard, id)"
        " WHERE e.shard = w.shard AND e.execution_id = w.id AND " PG_IS_UNFINISHED("e.")},
    [ENTRIES] = {PG_ENTRY_TYPES, "appending to journals",
        "INSERT INTO execution_journal(shard, exec_no, seq, position, at_ms, kind, step, item, attempt, actor, body,"
        " hash, sealed) SELECT shard, exec_no, seq,"
        " (SELECT position_base + (pg_current_xact_id()::text::bigint << 20) FROM meta) + n," /* once a batch */
        " at_ms, kind, step, item, attempt, actor, body, hash, sealed"
        " FROM unnest($1" A4 ",$2" A8 ",$3" A8 ",$4" A8 ",$5" AT ",$6" AT ",$7" A8 ",$8" A8 ",$9" AT ",$10" AT ",$11" AB
        ",$12" AT ") WITH ORDINALITY AS r(shard, exec_no, seq, at_ms, kind, step, item, attempt, actor, body, hash,"
        " sealed, n)"},
};
/* clang-format on */

typedef struct columns {
    pg_array arrays[COLUMNS_MAX];
    uint32_t rows;
    pg_params params;
} columns;

/* One execution, as the batch leaves it. */
typedef struct item {
    int64_t exec_no;
    uint32_t shard;
    uint64_t seq; /* of its last entry */
    bool is_new, is_changed, outputs_are_in_journal;
    ctn_execution_row row;       /* is_new */
    ctn_execution_change change; /* is_changed, and not new */
} item;

struct pg_batch {
    columns groups[GROUP_COUNT];
    pg_params node;
    item *items;
    size_t item_count, item_capacity;
    uint32_t *slots; /* of items, by number; 0: none, else the place plus one */
    size_t slot_count;
    const ctn_append **order; /* by shard */
    size_t order_count, order_capacity;
    pg_ends *ends;
};

pg_batch *ctn_pg_batch_new(void)
{
    pg_batch *b = ctn_calloc(1, sizeof *b);
    b->ends = ctn_pg_ends_new();
    return b;
}

void ctn_pg_batch_free(pg_batch *b)
{
    if (!b)
        return;
    for (size_t g = 0; g < GROUP_COUNT; g++)
        for (size_t i = 0; i < COLUMNS_MAX; i++)
            ctn_pg_array_done(&b->groups[g].arrays[i]);
    free(b->items);
    free(b->slots);
    free(b->order);
    ctn_pg_ends_free(b->ends);
    free(b);
}

/* ---- folding ---- */

static item *find_item(pg_batch *b, int64_t exec_no)
{
    size_t at = (size_t) ((uint64_t) exec_no * 0x9E3779B97F4A7C15u >> 20) % b->slot_count;
    while (b->slots[at] && b->items[b->slots[at] - 1].exec_no != exec_no)
        at = (at + 1) % b->slot_count;
    if (b->slots[at])
        return &b->items[b->slots[at] - 1];
    b->slots[at] = (uint32_t) ++b->item_count;
    b->items[b->item_count - 1] = (item){.exec_no = exec_no};
    return &b->items[b->item_count - 1];
}

static void fold_change(item *it, const ctn_append *a)
{
    ctn_execution_change merged = *a->change;
    if (!merged.outputs.len)
        merged.outputs = it->change.outputs;
    else
        it->outputs_are_in_journal = ctn_store_outputs_are_in(a->records, a->count, merged.outputs);
    if (!merged.error.len)
        merged.error = it->change.error;
    it->change = merged;
    it->is_changed = true;
}

static void fold(item *it, const ctn_append *a)
{
    if (a->row || it->is_new) {
        it->row = ctn_row_with_change(a->row ? a->row : &it->row, a->change);
        if (a->row || (a->change && a->change->outputs.len))
            it->outputs_are_in_journal = ctn_store_outputs_are_in(a->records, a->count, it->row.outputs);
        it->is_new = true;
    } else if (a->change) {
        fold_change(it, a);
    }
    it->seq = a->seq_expected + a->count;
}

/* ---- arrays ---- */

static void begin_group(pg_batch *b, group g)
{
    static const Oid types[256] = {['s'] = PG_INT4, ['i'] = PG_INT8, ['t'] = PG_TEXT, ['b'] = PG_BYTEA};
    const char *its = STATEMENTS[g].types;
    b->groups[g].rows = 0;
    for (size_t i = 0; its[i]; i++)
        ctn_pg_array_begin(&b->groups[g].arrays[i], types[(unsigned char) its[i]]);
}

static pg_array *next_row(pg_batch *b, group g)
{
    b->groups[g].rows++;
    return b->groups[g].arrays;
}

static void put_row(pg_batch *b, const pg_store *st, const item *it)
{
    const ctn_execution_row *r = &it->row;
    pg_array *a = next_row(b, ROWS);
    (void) ctn_pg_put_row(a, it->shard, it->exec_no, r, it->outputs_are_in_journal);
    if (r->queue_key.len && r->status == CTN_STATUS_QUEUED) {
        a = next_row(b, HOLD);
        ctn_pg_array_int(a++, it->shard);
        ctn_pg_array_int(a++, r->exec_no);
        ctn_pg_array_str(a++, r->queue_key);
    }
    for (group g = KEYS; r->idempotency_key.len && g <= KEYS_CHECK; g++) {
        a = next_row(b, g);
        ctn_pg_array_int(a++, ctn_shard_of_key(r->chain_id, r->idempotency_key, st->shard_count));
        ctn_pg_array_str(a++, r->chain_id);
        ctn_pg_array_str(a++, r->idempotency_key);
        ctn_pg_put_id(a++, &r->id);
    }
}

static void put_change(pg_batch *b, const item *it)
{
    const ctn_execution_change *c = &it->change;
    pg_array *a = next_row(b, CHANGES);
    ctn_pg_array_int(a++, it->shard);
    ctn_pg_array_int(a++, it->exec_no);
    ctn_pg_put_status(a, a + 1, c->status);
    a += 2;
    ctn_pg_array_int_or_null(a++, c->wake_at_ms);
    ctn_pg_array_int_or_null(a++, c->started_at_ms);
    ctn_pg_array_int_or_null(a++, c->finished_at_ms);
    ctn_pg_put_outputs(a++, c->outputs, it->outputs_are_in_journal);
    ctn_pg_array_str_or_null(a++, c->error);
}

/* What a change means for others. They live where it does. */
static void put_consequences(pg_batch *b, uint32_t shard, const ctn_execution_change *c)
{
    if (c->queue_key.len && ctn_status_is_final(c->status)) {
        pg_array *a = next_row(b, LINES);
        ctn_pg_array_int(a++, shard);
        ctn_pg_array_str(a++, c->queue_key);
    }
    if (!ctn_id_is_none(c->wakes)) {
        pg_array *a = next_row(b, WAKES);
        ctn_pg_array_int(a++, shard);
        ctn_pg_put_id(a++, &c->wakes);
    }
}

/* ---- filling ---- */

static int compare_places(const void *left, const void *right, void *ctx)
{
    const pg_store *st = ctx;
    const ctn_append *a = *(const ctn_append *const *) left, *b = *(const ctn_append *const *) right;
    uint32_t its = pg_shard_of_no(st, a->exec_no), other = pg_shard_of_no(st, b->exec_no);
    if (its != other)
        return its < other ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void begin(pg_batch *b, const pg_store *st, const ctn_append *appends, size_t count, const bool *taken)
{
    if (b->order_capacity < count) {
        b->order_capacity = b->item_capacity = count + count / 2;
        b->order = ctn_realloc_array(b->order, b->order_capacity, sizeof *b->order);
        b->items = ctn_realloc_array(b->items, b->item_capacity, sizeof *b->items);
    }
    b->order_count = b->item_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!taken || taken[i])
            b->order[b->order_count++] = &appends[i];
    if (st->shard_count > 1)
        qsort_r(b->order, b->order_count, sizeof *b->order, compare_places, (void *) (uintptr_t) st);
    if (b->slot_count < 2 * count) {
        b->slot_count = 2 * b->order_capacity + 64;
        b->slots = ctn_realloc_array(b->slots, b->slot_count, sizeof *b->slots);
    }
    memset(b->slots, 0, b->slot_count * sizeof *b->slots);
    for (group g = 0; g < GROUP_COUNT; g++)
        begin_group(b, g);
}

static bool take_append(pg_batch *b, const pg_store *st, const ctn_append *a)
{
    item *it = find_item(b, a->exec_no);
    bool is_first = it->seq == 0;
    it->shard = pg_shard_of_no(st, a->exec_no);
    if (!is_first && (a->row || it->seq != a->seq_expected))
        return false;
    /* Without an entry nothing refuses it when the journal is longer. */
    bool is_known = a->count && ctn_pg_ends_is_known(b->ends, a->exec_no, a->seq_expected);
    if (is_first && !a->row && !is_known) {
        pg_array *end = next_row(b, ENDS);
        ctn_pg_array_int(end++, it->shard);
        ctn_pg_array_int(end++, a->exec_no);
        ctn_pg_array_int(end++, (int64_t) a->seq_expected);
    }
    fold(it, a);
    if (a->change)
        put_consequences(b, it->shard, a->change);
    for (size_t i = 0; i < a->count; i++)
        (void) ctn_pg_put_entry(next_row(b, ENTRIES), it->shard, a->exec_no, &a->records[i]);
    return true;
}

bool ctn_pg_batch_fill(pg_batch *b, const pg_store *st, const ctn_append *appends, size_t count, const bool *taken,
                       uint64_t generation)
{
    ctn_pg_ends_over(b->ends, generation);
    begin(b, st, appends, count, taken);
    const ctn_append *last = NULL;
    for (size_t i = 0; i < b->order_count; i++) {
        const ctn_append *a = b->order[i];
        if (!last || pg_shard_of_no(st, last->exec_no) != pg_shard_of_no(st, a->exec_no)) {
            pg_array *shard = next_row(b, SHARDS);
            ctn_pg_array_int(shard++, pg_shard_of_no(st, a->exec_no));
            ctn_pg_array_int(shard++, (int64_t) a->epoch);
        } else if (last->epoch != a->epoch) {
            return false;
        }
        if (!take_append(b, st, a))
            return false;
        last = a;
    }
    for (size_t i = 0; i < b->item_count; i++) {
        if (b->items[i].is_new)
            put_row(b, st, &b->items[i]);
        else if (b->items[i].is_changed)
            put_change(b, &b->items[i]);
    }
    return true;
}

/* What has ended may be deleted, by anybody: then an append to it is to be refused. */
void ctn_pg_batch_is_written(pg_batch *b)
{
    for (size_t i = 0; i < b->item_count; i++) {
        const item *it = &b->items[i];
        ctn_status status = it->is_new ? it->row.status : it->is_changed ? it->change.status : CTN_STATUS_RUNNING;
        if (!ctn_status_is_final(status))
            ctn_pg_ends_note(b->ends, it->exec_no, it->seq);
    }
}

/* ---- the statements ---- */

static bool put_params(columns *c, const char *types)
{
    bool is_whole = true;
    c->params.count = 0;
    for (size_t i = 0; types[i]; i++) {
        ctn_str encoded = ctn_pg_array_encode(&c->arrays[i]);
        is_whole = is_whole && encoded.ptr;
        ctn_pg_array(&c->params, ctn_pg_array_type(&c->arrays[i]), encoded);
    }
    return is_whole;
}

int ctn_pg_batch_write(pg_batch *b, const pg_store *st, pg_pipe *pipe, ctn_err *err)
{
    bool is_whole = b->groups[ENTRIES].rows < POSITIONS_PER_COMMIT;
    b->node.count = 0;
    ctn_pg_int(&b->node, st->incarnation);
    if (!CTN_PLANT(SHARD_FENCE_MISSING))
        ctn_pg_pipe_add(pipe, "checking the node's lease", NODE_CHECK, &b->node);
    for (group g = 0; g < GROUP_COUNT; g++) {
        columns *c = &b->groups[g];
        if (!c->rows || (g == SHARDS && CTN_PLANT(SHARD_FENCE_MISSING)))
            continue;
        is_whole = put_params(c, STATEMENTS[g].types) && is_whole;
        if (g == SHARDS)
            ctn_pg_int(&c->params, st->incarnation);
        if (g == SHARDS || g == CHANGES)
            ctn_pg_int(&c->params, c->rows);
        ctn_pg_pipe_add(pipe, STATEMENTS[g].doing, STATEMENTS[g].sql, &c->params);
    }
    return is_whole ? CTN_OK : ctn_fail(err, CTN_E_LIMIT, "a batch is larger than one transaction may be");
}
