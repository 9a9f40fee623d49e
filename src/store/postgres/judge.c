/*
 * judge.c -- which appends of a batch are inadmissible, and why: asked when the checks of the whole batch have failed.
 *
 * What is on disk is read in three questions, whatever the number of appends; then they are judged one after the other,
 * each beside those before it that were accepted. It all happens under the node's lock, so what was found about shards
 * stays true; a number, an id or a key that somebody else takes meanwhile shows when it is written.
 */
#include "base/memory.h"
#include "store/postgres/arrays.h"
#include "store/postgres/core.h"
#include <assert.h>
#include <stdlib.h>

/* What is on disk about one append. */
typedef struct fact {
    uint64_t epoch; /* of its shard, if this node holds it; else 0, which nobody has */
    uint64_t seq;
    bool is_there, id_is_taken, key_is_taken;
} fact;

enum { QUESTION_COLUMNS = 6 };

typedef struct question {
    pg_array arrays[QUESTION_COLUMNS];
    pg_params params;
} question;

static void begin(question *q, const char *types)
{
    for (size_t i = 0; types[i]; i++)
        ctn_pg_array_begin(&q->arrays[i], types[i] == 's'   ? PG_INT4
                                          : types[i] == 'i' ? PG_INT8
                                          : types[i] == 't' ? PG_TEXT
                                                            : PG_BYTEA);
}

static int ask(pg_store *st, question *q, size_t columns, const char *sql, size_t rows, PGresult **ret, ctn_err *err)
{
    for (size_t i = 0; i < columns; i++)
        ctn_pg_array(&q->params, ctn_pg_array_type(&q->arrays[i]), ctn_pg_array_encode(&q->arrays[i]));
    int rc = ctn_pg_ask(st->db, "judging a batch", sql, &q->params, ret, err);
    for (size_t i = 0; i < columns; i++)
        ctn_pg_array_done(&q->arrays[i]);
    assert(rc || (size_t) PQntuples(*ret) == rows); /* one for each, in order */
    return rc;
}

static int read_shards_and_ends(pg_store *st, const ctn_append *appends, size_t count, fact *facts, ctn_err *err)
{
    question q = {0};
    PGresult *r = NULL;
    begin(&q, "si");
    ctn_pg_int(&q.params, st->incarnation);
    for (size_t i = 0; i < count; i++) {
        ctn_pg_array_int(&q.arrays[0], pg_shard_of_no(st, appends[i].exec_no));
        ctn_pg_array_int(&q.arrays[1], appends[i].exec_no);
    }
    int rc = ask(st, &q, 2,
                 "SELECT coalesce((SELECT s.epoch FROM shards s WHERE s.shard = a.shard AND s.holder = $1), 0),"
                 " coalesce((SELECT j.seq FROM execution_journal j WHERE j.shard = a.shard AND j.exec_no = a.exec_no"
                 " ORDER BY j.seq DESC LIMIT 1), 0),"
                 " EXISTS (SELECT 1 FROM chain_executions e WHERE e.shard = a.shard AND e.exec_no = a.exec_no)"
                 " FROM unnest($2::int4[], $3::int8[]) WITH ORDINALITY a(shard, exec_no, n) ORDER BY n",
                 count, &r, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++)
        facts[i] = (fact){.epoch = (uint64_t) ctn_pg_get_int(r, (int) i, 0),
                          .seq = (uint64_t) ctn_pg_get_int(r, (int) i, 1),
                          .is_there = ctn_pg_get_bool(r, (int) i, 2)};
    PQclear(r);
    return rc;
}

static int read_ids_and_keys(pg_store *st, const ctn_append *appends, size_t count, fact *facts, ctn_err *err)
{
    static const ctn_execution_row nobody;
    question q = {0};
    PGresult *r = NULL;
    begin(&q, "sbstt");
    for (size_t i = 0; i < count; i++) {
        const ctn_execution_row *row = appends[i].row ? appends[i].row : &nobody;
        ctn_pg_array_int(&q.arrays[0], pg_shard_of_no(st, appends[i].exec_no));
        ctn_pg_array_bytes(&q.arrays[1], row->id.bytes, sizeof row->id.bytes);
        ctn_pg_array_int(&q.arrays[2], ctn_shard_of_key(row->chain_id, row->idempotency_key, st->shard_count));
        ctn_pg_array_str(&q.arrays[3], row->chain_id);
        ctn_pg_array_str_or_null(&q.arrays[4], row->idempotency_key);
    }
    int rc = ask(st, &q, 5,
                 "SELECT EXISTS (SELECT 1 FROM chain_executions e WHERE e.shard = a.shard AND e.execution_id = a.id),"
                 " EXISTS (SELECT 1 FROM execution_keys k WHERE k.shard = a.key_shard AND k.chain_id = a.chain_id"
                 " AND k.key = a.key AND k.execution_id <> a.id)"
                 " FROM unnest($1::int4[], $2::bytea[], $3::int4[], $4::text[], $5::text[]) WITH ORDINALITY"
                 " a(shard, id, key_shard, chain_id, key, n) ORDER BY n",
                 count, &r, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        facts[i].id_is_taken = ctn_pg_get_bool(r, (int) i, 0);
        facts[i].key_is_taken = ctn_pg_get_bool(r, (int) i, 1);
    }
    PQclear(r);
    return rc;
}

/* What an append that was accepted before it in the batch has made of it. */
static void look_back(const ctn_append *appends, const ctn_outcome *outcomes, size_t at, fact *f)
{
    const ctn_append *a = &appends[at];
    for (size_t i = 0; i < at; i++) {
        const ctn_append *b = &appends[i];
        if (outcomes[i] != CTN_OUTCOME_ACCEPTED)
            continue;
        if (b->exec_no == a->exec_no) {
            f->seq = b->seq_expected + b->count;
            f->is_there = true;
        } else if (a->row && b->row) {
            f->id_is_taken = f->id_is_taken || ctn_id_equal(a->row->id, b->row->id);
            f->key_is_taken = f->key_is_taken || (a->row->idempotency_key.len &&
                                                  ctn_str_equal(a->row->idempotency_key, b->row->idempotency_key) &&
                                                  ctn_str_equal(a->row->chain_id, b->row->chain_id));
        }
    }
}

static ctn_outcome judge(const ctn_append *a, const fact *f)
{
    if (f->epoch == 0 || a->epoch != f->epoch)
        return CTN_OUTCOME_STALE_EPOCH;
    if (a->row && !f->is_there)
        return f->id_is_taken || f->key_is_taken ? CTN_OUTCOME_EXISTS : CTN_OUTCOME_ACCEPTED;
    bool is_next = !a->row && f->seq == a->seq_expected && (f->is_there || !a->change);
    return is_next ? CTN_OUTCOME_ACCEPTED : CTN_OUTCOME_STALE_SEQ;
}

int ctn_pg_judge(pg_store *st, const ctn_append *appends, size_t count, ctn_outcome *ret_outcomes, ctn_err *err)
{
    fact *facts = ctn_calloc(count, sizeof *facts);
    int rc = read_shards_and_ends(st, appends, count, facts, err);
    if (rc == CTN_OK)
        rc = read_ids_and_keys(st, appends, count, facts, err);
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        look_back(appends, ret_outcomes, i, &facts[i]);
        ret_outcomes[i] = judge(&appends[i], &facts[i]);
    }
    free(facts);
    return rc;
}
