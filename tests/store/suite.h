/*
 * suite.h -- the tests that every backend of the store must pass, and what they are made of.
 *
 * A test program gives SUITE_TESTS a setup that fills a suite_fixture's URL; everything else is here.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/arena.h"
#include "store/audit.h"
#include "store/store.h"

typedef struct suite_fixture {
    char folder[64]; /* of this test only; empty: the backend needs none */
    char url[128];
    ctn_arena *arena;
    ctn_store *st;     /* opened with CREATE */
    ctn_store *second; /* another handle on the same store; keeps a memory store alive over a reopen */
    uint64_t epoch;
} suite_fixture;

int suite_setup_memory(void **state);
int suite_setup_sqlite(void **state);
int suite_teardown(void **state);

/* ---- making things to store ---- */

ctn_execution_id suite_id(uint32_t number);
/* A row of the chain "trip", queued, with an input; the rest empty. */
ctn_execution_row suite_row(int64_t exec_no);
/* `count` chained records after `seq_last`, whose hash is `previous`. */
ctn_record *suite_records(ctn_arena *arena, int64_t exec_no, uint64_t seq_last, const ctn_digest *previous,
                          size_t count);
/* Commits one append and returns its outcome; fails the test when the commit fails. */
ctn_outcome suite_append(ctn_store *st, const ctn_append *append);
/* Creates an execution with `count` records; fails the test unless accepted. */
void suite_create(suite_fixture *f, const ctn_execution_row *row, size_t count);
/* Reads a journal, checks order, numbering and hashes; returns its length. */
size_t suite_journal_check(ctn_store *st, int64_t exec_no);
void suite_definition(suite_fixture *f, const char *body, ctn_digest *ret_digest);

/* ---- the tests ---- */

#define SUITE_LIST(X)                                                                                                  \
    X(a_new_execution_reads_back_whole)                                                                                \
    X(row_and_journal_change_together)                                                                                 \
    X(a_row_and_a_change_in_the_first_append_merge)                                                                    \
    X(outputs_read_back_wherever_they_are_kept)                                                                        \
    X(empty_strings_leave_what_is_there)                                                                               \
    X(a_journal_reads_back_in_order_and_whole)                                                                         \
    X(every_kind_and_odd_bodies_survive)                                                                               \
    X(a_stale_epoch_is_refused_alone)                                                                                  \
    X(a_stale_sequence_number_is_refused_alone)                                                                        \
    X(a_repeated_append_is_refused)                                                                                    \
    X(an_append_to_nothing_is_refused)                                                                                 \
    X(records_with_a_gap_write_nothing)                                                                                \
    X(an_append_without_its_row_writes_nothing)                                                                        \
    X(two_appends_of_one_execution_in_one_batch)                                                                       \
    X(a_refused_first_append_refuses_the_next)                                                                         \
    X(an_idempotency_key_is_taken_once)                                                                                \
    X(an_id_is_taken_once)                                                                                             \
    X(a_second_handle_sees_and_fences)                                                                                 \
    X(two_handles_that_write_in_turns_stay_right)                                                                      \
    X(everything_is_there_after_reopening)                                                                             \
    X(epochs_grow_and_tell_a_crash)                                                                                    \
    X(a_replaced_owner_cannot_say_good_bye)                                                                            \
    X(definitions_are_kept_by_content)                                                                                 \
    X(chains_get_their_version_by_content)                                                                             \
    X(a_stated_version_is_kept_or_refused)                                                                             \
    X(a_chain_without_its_definition_is_refused)                                                                       \
    X(chains_are_listed_by_id_with_their_newest_version)                                                               \
    X(executions_are_found_by_id_number_and_key)                                                                       \
    X(executions_are_found_by_the_start_of_their_id)                                                                   \
    X(lists_page_and_filter)                                                                                           \
    X(a_list_stops_when_told)                                                                                          \
    X(due_gives_the_unfinished_in_order_of_wake_time)                                                                  \
    X(next_wake_is_the_earliest_after)                                                                                 \
    X(those_with_one_key_stand_in_line)                                                                                \
    X(who_leaves_the_middle_of_a_line_moves_nobody)                                                                    \
    X(a_line_moves_on_within_one_batch)                                                                                \
    X(lanes_are_told_once_each)                                                                                        \
    X(a_lane_pages_in_order_of_arrival)                                                                                \
    X(what_ended_ones_owe_is_found_until_it_is_paid)                                                                   \
    X(schedules_and_breakers_are_kept)                                                                                 \
    X(results_are_kept_with_their_append)                                                                              \
    X(expired_results_go_a_few_at_a_time)                                                                              \
    X(the_audit_log_is_a_chain_of_hashes)                                                                              \
    X(two_writers_of_the_audit_log_make_one_chain)                                                                     \
    X(what_is_sealed_stands_beside_the_body)                                                                           \
    X(a_data_key_comes_with_its_execution_and_goes_when_shredded)                                                      \
    X(data_keys_are_wrapped_anew_unless_somebody_was_faster)                                                           \
    X(the_quarantine_keeps_what_was_put_and_forgets_what_is_released)                                                  \
    X(who_is_given_up_lets_its_line_and_its_parent_go)                                                                 \
    X(what_is_whole_reads_raw_as_it_was_written)                                                                       \
    X(a_journal_is_read_from_the_middle_and_stops)                                                                     \
    X(a_callback_may_use_the_store)                                                                                    \
    X(the_highest_number_is_remembered)                                                                                \
    X(a_reader_cannot_write)                                                                                           \
    X(random_histories_agree_with_a_model)

#define SUITE_DECLARE(name) void name(void **state);
SUITE_LIST(SUITE_DECLARE)
#undef SUITE_DECLARE
#define SUITE_ENTRY_MEMORY(name) cmocka_unit_test_setup_teardown(name, suite_setup_memory, suite_teardown),
#define SUITE_ENTRY_SQLITE(name) cmocka_unit_test_setup_teardown(name, suite_setup_sqlite, suite_teardown),
