/*
 * bench_fill -- fills a store for W5 and W6; does nothing where there is enough already.
 *
 *     bench_fill STORE_FILE rows N      finished executions of five steps, until the journal has N rows
 *     bench_fill STORE_FILE parked N    N executions that wait for an approval
 *     bench_fill STORE_FILE cut N       some of N executions, whose engine died after its third commit
 *
 * Finished ones are written through the store, a thousand executions a transaction, with the entries that W1's have.
 * Nothing of it is worth a sync. Parked and cut ones are made by an engine.
 */
#include "base/memory.h"
#include "rig.h"
#include "step.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A_COMMIT 1000
#define ENTRIES  7

static int take_position(void *ctx, const ctn_record *record, int64_t position)
{
    (void) record;
    *(int64_t *) ctx = position;
    return 0;
}

/* The last position, which is the number of rows where nothing was ever deleted: that of the newest execution. */
static int64_t rows_of(ctn_store *store)
{
    int64_t exec_no = 0, position = 0;
    ctn_err err = {0};
    bench_must(ctn_store_exec_no_last(store, &exec_no, &err), "store", &err);
    for (int64_t no = exec_no; no > 0 && no > exec_no - A_COMMIT; no--) {
        int64_t last = 0;
        bench_must(ctn_store_journal_read(store, no, 1, take_position, &last, &err), "journal", &err);
        position = last > position ? last : position;
    }
    return position;
}

static ctn_str body_of_step(ctn_arena *arena, int64_t chain, int step)
{
    ctn_json_builder args = ctn_json_object(arena), previous = ctn_json_object(arena), body = ctn_json_object(arena);
    ctn_json_put_int(&previous, "step", step - 1);
    ctn_json_put_int(&previous, "total", step * (step - 1) / 2);
    ctn_json_put_int(&args, "chain", chain);
    ctn_json_put(&args, CTN_STR("previous"), ctn_json_finish(&previous));
    ctn_json_put(&body, CTN_STR("variables"), bench_step(arena, ctn_json_finish(&args)));
    return ctn_json_to_str(arena, ctn_json_finish(&body));
}

/* Bodies and step names are W1's; that the `started` entry is short of its digests matters to nobody here. */
static void one_finished(ctn_append *append, int64_t exec_no, uint64_t epoch, const ctn_rng *rng, ctn_arena *arena)
{
    static const char *const NAMES[] = {"one", "two", "three", "four", "five"};
    int64_t at_ms = 1780000000000 + exec_no;
    ctn_execution_row *row = CTN_NEW(arena, ctn_execution_row);
    ctn_record *records = CTN_NEW_ARRAY(arena, ctn_record, ENTRIES);
    *row = (ctn_execution_row){.exec_no = exec_no,
                               .id = ctn_id_new(at_ms, rng),
                               .chain_id = CTN_STR("five-steps"),
                               .chain_version = 1,
                               .status = CTN_STATUS_COMPLETED,
                               .input = ctn_arena_printf(arena, "{\"chain\":%lld}", (long long) exec_no),
                               .created_at_ms = at_ms,
                               .started_at_ms = at_ms,
                               .finished_at_ms = at_ms + 30};
    for (int i = 0; i < ENTRIES; i++)
        records[i] = (ctn_record){.kind = CTN_ENTRY_ATTEMPT_SUCCEEDED,
                                  .seq = (uint64_t) i + 1,
                                  .at_ms = at_ms + 5 * i,
                                  .item = -1,
                                  .actor = CTN_STR("engine")};
    for (int step = 1; step <= 5; step++) {
        records[step].step = ctn_str_from(NAMES[step - 1]);
        records[step].attempt = 1;
        records[step].body = body_of_step(arena, exec_no, step);
    }
    records[0].kind = CTN_ENTRY_STARTED;
    records[0].body = ctn_arena_printf(arena, "{\"chain\":\"five-steps\",\"version\":1,\"input\":{\"chain\":%lld}}",
                                       (long long) exec_no);
    records[ENTRIES - 1].kind = CTN_ENTRY_COMPLETED;
    ctn_str last = records[5].body; /* {"variables":{...}} */
    records[ENTRIES - 1].body =
        ctn_arena_printf(arena, "{\"outputs\":%.*s", (int) last.len - 13, last.ptr + 13); /* what stands in it */
    ctn_digest hash = {0};
    for (int i = 0; i < ENTRIES; i++)
        records[i].hash = hash = ctn_record_hash(&records[i], &hash);
    row->outputs = ctn_arena_printf(arena, "%.*s", (int) last.len - 14, last.ptr + 13);
    *append = (ctn_append){.exec_no = exec_no, .epoch = epoch, .row = row, .records = records, .count = ENTRIES};
}

static void fill_rows(const char *url, int64_t wanted)
{
    ctn_err err = {0};
    ctn_store *store = NULL;
    uint64_t epoch;
    bool was_crash;
    int64_t exec_no = 0;
    bench_must(ctn_store_open(url, CTN_STORE_CREATE, &store, &err), "store", &err);
    int64_t rows = rows_of(store);
    if (rows < wanted) {
        bench_must(ctn_store_epoch_begin(store, &epoch, &was_crash, &err), "store", &err);
        bench_must(ctn_store_exec_no_last(store, &exec_no, &err), "store", &err);
        ctn_rng rng = ctn_rng_system();
        ctn_append *appends = ctn_malloc(A_COMMIT * sizeof *appends);
        ctn_outcome *outcomes = ctn_malloc(A_COMMIT * sizeof *outcomes);
        ctn_arena *arena = ctn_arena_new(1 << 20);
        for (; rows < wanted; rows += A_COMMIT * ENTRIES) {
            for (int i = 0; i < A_COMMIT; i++)
                one_finished(&appends[i], ++exec_no, epoch, &rng, arena);
            bench_must(ctn_store_commit(store, appends, A_COMMIT, outcomes, &err), "commit", &err);
            if (outcomes[0] != CTN_OUTCOME_ACCEPTED)
                bench_die("commit", "refused");
            ctn_arena_reset(arena);
        }
        bench_must(ctn_store_epoch_end(store, epoch, &err), "store", &err);
        ctn_arena_free(arena);
        free(appends);
        free(outcomes);
    }
    ctn_store_close(store);
}

static int count_row(void *ctx, const ctn_execution_row *row)
{
    *(size_t *) ctx += row->status == CTN_STATUS_WAITING;
    return 0;
}

static void fill_parked(const char *file, const char *url, size_t wanted)
{
    ctn_err err = {0};
    ctn_store *store = NULL;
    size_t there = 0;
    bench_must(ctn_store_open(url, CTN_STORE_CREATE, &store, &err), "store", &err);
    bench_must(
        ctn_store_execution_list(store, &(ctn_execution_filter){.unfinished_only = true}, count_row, &there, &err),
        "store", &err);
    ctn_store_close(store);
    if (there >= wanted)
        return;
    bench_rig *rig = bench_rig_new(&(bench_rig_options){.file = file, .in_flight = 1000, .chain = BENCH_PARKED});
    bench_rig_run(rig, wanted - there);
    bench_rig_free(rig);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bench_fill STORE_FILE rows|parked|cut N\n");
        return 2;
    }
    char url[BENCH_PATH_MAX];
    snprintf(url, sizeof url, "sqlite:%s?synchronous=normal", argv[1]);
    int64_t count = strtoll(argv[3], NULL, 10);
    if (strcmp(argv[2], "rows") == 0) {
        fill_rows(url, count);
    } else if (strcmp(argv[2], "parked") == 0) {
        fill_parked(argv[1], url, (size_t) count);
    } else if (strcmp(argv[2], "cut") == 0) {
        bench_rig *rig = bench_rig_new(&(bench_rig_options){
            .file = argv[1], .in_flight = (size_t) count, .chain = BENCH_FIVE_IN_CATENA, .is_in_thread = true});
        bench_rig_cut(rig, (size_t) count, 3);
        bench_rig_free(rig);
    } else {
        bench_die(argv[2], "is nothing to fill a store with");
    }
    return 0;
}
