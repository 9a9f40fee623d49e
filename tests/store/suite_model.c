/*
 * suite_model.c -- random histories, beside a plain count of what must come of them.
 */
#include "suite.h"

enum { MODEL_EXECUTIONS = 12, MODEL_BATCHES = 300 };

typedef struct model {
    uint64_t state, epoch;
    struct {
        uint64_t seq;
        ctn_digest hash;
        ctn_status status;
    } executions[MODEL_EXECUTIONS + 1];
    bool key_taken[3];
} model;

static uint64_t pick(model *m, uint64_t below)
{
    ctn_rng rng = ctn_rng_seeded(&m->state);
    return ctn_rng_next(&rng) % below;
}

/* Random batches over few executions, some of them stale, through two handles that are now and then reopened; what
 * was accepted must be what a plain count in memory says. */
static void random_histories_agree_with_a_model(void **state)
{
    suite_fixture *f = *state;
    static const char *const keys[] = {"", "k1", "k2"};
    model m = {.state = 20261122, .epoch = f->epoch};
    for (int round = 0; round < MODEL_BATCHES; round++) {
        ctn_append appends[6];
        ctn_execution_row rows[6];
        ctn_execution_change changes[6];
        ctn_outcome expected[6], outcomes[6];
        size_t count = 1 + (size_t) pick(&m, 6);
        if (pick(&m, 25) == 0) {
            bool was_crash;
            assert_ok(ctn_store_epoch_begin(pick(&m, 2) ? f->st : f->second, &m.epoch, &was_crash, &err_));
        }
        for (size_t i = 0; i < count; i++) {
            int64_t no = 1 + (int64_t) pick(&m, MODEL_EXECUTIONS);
            uint64_t seq = m.executions[no].seq;
            uint64_t claimed = pick(&m, 8) == 0 ? seq + pick(&m, 3) : seq;
            bool old_epoch = pick(&m, 10) == 0;
            size_t key = pick(&m, 3);
            rows[i] = suite_row(no);
            rows[i].idempotency_key = S(keys[key]);
            changes[i] = (ctn_execution_change){.status = (ctn_status) pick(&m, CTN_STATUS_COUNT), .wake_at_ms = 1};
            size_t records = 1 + (size_t) pick(&m, 4);
            appends[i] = (ctn_append){.exec_no = no,
                                      .epoch = m.epoch - old_epoch,
                                      .seq_expected = claimed,
                                      .row = claimed ? NULL : &rows[i],
                                      .change = &changes[i],
                                      .count = records,
                                      .records = suite_records(f->arena, no, claimed, &m.executions[no].hash, records)};
            if (old_epoch)
                expected[i] = CTN_OUTCOME_STALE_EPOCH;
            else if (claimed != seq)
                expected[i] = CTN_OUTCOME_STALE_SEQ;
            else if (seq == 0 && key && m.key_taken[key])
                expected[i] = CTN_OUTCOME_EXISTS;
            else {
                expected[i] = CTN_OUTCOME_ACCEPTED;
                if (seq == 0 && key)
                    m.key_taken[key] = true;
                m.executions[no].seq += records;
                m.executions[no].hash = appends[i].records[records - 1].hash;
                m.executions[no].status = changes[i].status;
            }
        }
        assert_ok(ctn_store_commit(pick(&m, 4) ? f->st : f->second, appends, count, outcomes, &err_));
        for (size_t i = 0; i < count; i++)
            assert_int_equal(outcomes[i], expected[i]);
        if (pick(&m, 30) == 0) {
            ctn_store_close(f->st);
            assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, &err_));
        }
    }
    for (int64_t no = 1; no <= MODEL_EXECUTIONS; no++) {
        assert_int_equal(suite_journal_check(f->second, no), m.executions[no].seq);
        if (m.executions[no].seq == 0)
            continue;
        ctn_execution_row row = suite_read_row(f, f->second, no);
        assert_int_equal(row.status, m.executions[no].status);
        assert_memory_equal(row.hash_last.bytes, m.executions[no].hash.bytes, CTN_DIGEST_BYTES);
    }
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(random_histories_agree_with_a_model),
};
const suite_part suite_model = {TESTS, sizeof TESTS / sizeof TESTS[0]};
