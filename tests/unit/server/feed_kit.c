/*
 * feed_kit.c -- see feed_kit.h.
 */
#include "unit/server/feed_kit.h"
#include <stdio.h>
#include <stdlib.h>
#include "support/cmocka.h"

#define ROUNDS_MIN 60

int feed_kit_setup(void **state)
{
    static int number;
    feed_kit *p = calloc(1, sizeof *p);
    char url[64];
    bool was_crash;
    assert_non_null(p);
    (void) snprintf(url, sizeof url, "memory:feed-%d", number++);
    p->loop = ctn_loop_new();
    p->arena = ctn_arena_new(65536);
    assert_int_equal(ctn_store_open(url, CTN_STORE_CREATE, &p->store, NULL), CTN_OK);
    assert_int_equal(ctn_store_epoch_begin(p->store, &p->epoch, &was_crash, NULL), CTN_OK);
    assert_int_equal(ctn_feed_new(p->loop, p->store, NULL, &p->feed, NULL), CTN_OK);
    *state = p;
    return 0;
}

int feed_kit_teardown(void **state)
{
    feed_kit *p = *state;
    ctn_timer_free(p->limit);
    ctn_feed_free(p->feed);
    ctn_store_close(p->store);
    ctn_arena_free(p->arena);
    ctn_loop_free(p->loop);
    free(p);
    return 0;
}

ctn_execution_id feed_kit_id_of(int64_t exec_no)
{
    return (ctn_execution_id){{0x01, [15] = (uint8_t) exec_no}};
}

void feed_kit_add_body(feed_kit *p, int64_t exec_no, ctn_entry_kind kind, int64_t parent, ctn_str body, ctn_str sealed)
{
    ctn_record record = {.kind = p->seqs[exec_no] ? kind : CTN_ENTRY_STARTED,
                         .seq = p->seqs[exec_no] + 1,
                         .at_ms = 1700000000000,
                         .item = -1,
                         .actor = CTN_STR("engine"),
                         .body = body,
                         .sealed = sealed};
    record.hash = ctn_record_hash(&record, &p->hashes[exec_no]);
    ctn_execution_row row = {.exec_no = exec_no,
                             .id = feed_kit_id_of(exec_no),
                             .parent = parent ? feed_kit_id_of(parent) : (ctn_execution_id){{0}},
                             .chain_id = exec_no % 2 ? CTN_STR("odd") : CTN_STR("even"),
                             .tenant = exec_no % 3 ? (ctn_str){0} : CTN_STR("acme"),
                             .labels = CTN_STR("{\"region\":\"eu\"}"),
                             .input = CTN_STR("{}"),
                             .status = CTN_STATUS_RUNNING,
                             .created_at_ms = 1};
    ctn_append append = {.exec_no = exec_no,
                         .epoch = p->epoch,
                         .seq_expected = p->seqs[exec_no],
                         .row = p->seqs[exec_no] ? NULL : &row,
                         .records = &record,
                         .count = 1};
    ctn_outcome outcome;
    assert_int_equal(ctn_store_commit(p->store, &append, 1, &outcome, NULL), CTN_OK);
    assert_int_equal(outcome, CTN_OUTCOME_ACCEPTED);
    p->seqs[exec_no]++;
    p->hashes[exec_no] = record.hash;
    ctn_feed_wake(p->feed);
}

void feed_kit_add(feed_kit *p, int64_t exec_no)
{
    feed_kit_add_body(p, exec_no, CTN_ENTRY_ATTEMPT_SUCCEEDED, 0, CTN_STR("{\"variables\":{\"a\":1}}"), (ctn_str){0});
}

/* Time passes while others have the processor; rounds of the loop do not. */
static void stop(void *ctx)
{
    feed_kit *p = ctx;
    if (++p->rounds < ROUNDS_MIN)
        ctn_timer_set(p->limit, ctn_loop_now_ms(p->loop));
    else
        ctn_loop_stop(p->loop);
}

void feed_kit_run(feed_kit *p, int64_t ms)
{
    if (!p->limit)
        p->limit = ctn_timer_new(p->loop, stop, p);
    p->rounds = 0;
    ctn_timer_set(p->limit, ctn_loop_now_ms(p->loop) + ms);
    ctn_loop_run(p->loop);
}
