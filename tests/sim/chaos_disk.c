/*
 * chaos_disk.c -- the writer of a random world. What is on disk is told to the oracles at the moment it is there,
 * whatever the engine gets to hear of it.
 *
 * A batch may come to the disk a second time: that of an owner who died, under its old epoch, and one that was written
 * already, as a retry below us would do. Both must be refused, every append of them.
 */
#include "sim/chaos_state.h"

void chaos_submit(void *ctx, ctn_batch *batch)
{
    chaos *w = ctx;
    if (w->is_dead)
        return;
    int64_t delay_ms =
        chance_percent(&w->of_disk, 10) ? chance_between(&w->of_disk, 1, 60) : chance_between(&w->of_disk, 0, 3);
    chaos_event(w, EVENT_COMMIT, delay_ms)->batch = batch;
}

/* ---- batches that come too late ---- */

static ctn_record *copy_records(ctn_arena *arena, const ctn_record *records, size_t count)
{
    ctn_record *copies = CTN_NEW_ARRAY(arena, ctn_record, count);
    for (size_t i = 0; i < count; i++) {
        copies[i] = records[i];
        copies[i].step = ctn_arena_str(arena, records[i].step);
        copies[i].actor = ctn_arena_str(arena, records[i].actor);
        copies[i].body = ctn_arena_str(arena, records[i].body);
    }
    return copies;
}

static ctn_result_row *copy_results(ctn_arena *arena, const ctn_result_row *results, size_t count)
{
    ctn_result_row *copies = CTN_NEW_ARRAY(arena, ctn_result_row, count);
    for (size_t i = 0; i < count; i++) {
        copies[i] = results[i];
        copies[i].key = ctn_arena_str(arena, results[i].key);
        copies[i].value = ctn_arena_str(arena, results[i].value);
    }
    return copies;
}

static void keep_zombie(chaos *w, const ctn_batch *batch)
{
    if (w->zombie_count == ZOMBIES_MAX)
        return;
    zombie *z = &w->zombies[w->zombie_count++];
    *z = (zombie){.appends = CTN_NEW_ARRAY(w->arena, ctn_append, batch->count), .count = batch->count};
    z->due_tick = w->tick + (chance_percent(&w->of_disk, 50) ? 0 : chance_between(&w->of_disk, 1, 12));
    for (size_t i = 0; i < batch->count; i++) {
        ctn_append *a = &z->appends[i];
        *a = batch->appends[i];
        a->records = copy_records(w->arena, a->records, a->count);
        a->results = copy_results(w->arena, a->results, a->result_count);
        if (a->row) {
            ctn_execution_row *row = CTN_NEW(w->arena, ctn_execution_row);
            *row = *a->row;
            ctn_str *strings[] = {&row->chain_id, &row->queue_key, &row->idempotency_key, &row->tenant,
                                  &row->labels,   &row->input,     &row->outputs,         &row->error};
            for (size_t k = 0; k < sizeof strings / sizeof strings[0]; k++)
                *strings[k] = ctn_arena_str(w->arena, *strings[k]);
            a->row = row;
        }
        if (a->change) {
            ctn_execution_change *change = CTN_NEW(w->arena, ctn_execution_change);
            *change = *a->change;
            change->outputs = ctn_arena_str(w->arena, change->outputs);
            change->error = ctn_arena_str(w->arena, change->error);
            change->queue_key = ctn_arena_str(w->arena, change->queue_key);
            a->change = change;
        }
    }
}

static void wake_zombie(chaos *w, const zombie *z)
{
    ctn_outcome outcomes[SUBJECTS_MAX * 2];
    ctn_err err = {0};
    if (z->count > sizeof outcomes / sizeof outcomes[0] ||
        ctn_store_commit(w->inner, z->appends, z->count, outcomes, &err))
        return;
    for (size_t i = 0; i < z->count; i++) {
        COUNT(w, CHAOS_STALE_APPENDS);
        /* One of no entries only says how the row stands after the entry that is the last one still: twice is once. */
        bool says_it_again = z->appends[i].count == 0 && z->appends[i].epoch == w->epoch;
        if (outcomes[i] == CTN_OUTCOME_ACCEPTED && !says_it_again)
            BROKEN(w, "the store took %s, epoch %llu of %llu, after entry %llu",
                   z->appends[i].epoch < w->epoch ? "a dead owner's append" : "an append a second time",
                   (unsigned long long) z->appends[i].epoch, (unsigned long long) w->epoch,
                   (unsigned long long) z->appends[i].seq_expected);
    }
}

void chaos_disk_tick(chaos *w)
{
    for (int i = 0; i < w->zombie_count; i++)
        if (w->zombies[i].due_tick <= w->tick) {
            wake_zombie(w, &w->zombies[i]);
            w->zombies[i--] = w->zombies[--w->zombie_count];
        }
}

/* ---- commits ---- */

static void take_append(chaos *w, const ctn_append *a)
{
    subject *x = NULL;
    for (int i = 0; i < w->subject_count && !x; i++) {
        char key[32];
        snprintf(key, sizeof key, "run-%d", i);
        if (a->row ? !w->subjects[i].exec_no && ctn_str_is(a->row->idempotency_key, key)
                   : w->subjects[i].exec_no == a->exec_no)
            x = &w->subjects[i];
    }
    if (!x) {
        BROKEN(w, "an append of an execution that nobody asked for");
        return;
    }
    if (a->row) {
        x->oracle.id = a->row->id;
        x->exec_no = a->exec_no;
    }
    if (a->epoch != w->epoch)
        BROKEN(w, "an append of epoch %llu; it is %llu", (unsigned long long) a->epoch, (unsigned long long) w->epoch);
    for (size_t i = 0; i < a->count; i++) {
        chaos_trace(w, "disk %d: %s %.*s %.*s", (int) (x - w->subjects), ctn_entry_kind_name(a->records[i].kind),
                    CTN_STR_ARG(a->records[i].step), CTN_STR_ARG(a->records[i].body));
        oracle_record(&x->oracle, &a->records[i]);
        COUNT(w, CHAOS_RECORDS);
    }
    if (x->oracle.has_ended && !x->life_of_end)
        x->life_of_end = w->life;
    chaos_check_line(w, x);
}

void chaos_commit(chaos *w, ctn_batch *batch)
{
    COUNT(w, CHAOS_COMMITS);
    bool keeps = chance_percent(&w->of_disk, w->stale);
    if (chance_percent(&w->of_life, w->deaths)) {
        if (keeps)
            keep_zombie(w, batch);
        chaos_die(w, "before a commit");
        return;
    }
    bool fails = chance_percent(&w->of_disk, w->commit_faults), reaches = !fails || chance_percent(&w->of_disk, 50);
    batch->rc = CTN_E_IO;
    if (reaches)
        batch->rc = ctn_store_commit(w->inner, batch->appends, batch->count, batch->outcomes, &batch->err);
    for (size_t i = 0; batch->rc == CTN_OK && i < batch->count; i++) {
        if (batch->outcomes[i] == CTN_OUTCOME_ACCEPTED)
            take_append(w, &batch->appends[i]);
        else if (batch->outcomes[i] != CTN_OUTCOME_EXISTS)
            BROKEN(w, "the store refused an append of its owner: entry %llu is not the last",
                   (unsigned long long) batch->appends[i].seq_expected);
    }
    if (keeps && reaches)
        keep_zombie(w, batch);
    if (fails) {
        COUNT(w, reaches ? CHAOS_COMMITS_LOST : CHAOS_COMMITS_FAILED);
        batch->rc = ctn_fail(&batch->err, CTN_E_IO, "the simulated disk does not answer");
        chaos_trace(w, "the commit %s", reaches ? "is lost" : "fails");
    }
    if (chance_percent(&w->of_life, w->deaths)) {
        chaos_die(w, "after a commit");
        return;
    }
    ctn_engine_batch_done(w->engine, batch);
}
