/*
 * ends.h -- where the journals end that this connection has written itself: those need not be asked for again.
 *
 * A commit asks whether each journal ends where its append says. Two things could be found. It is longer: then the
 * entry that is there already refuses the new one by its key, asked or not. It is shorter: then what was acknowledged
 * is gone, and that takes another server than the one that acknowledged it (a standby that was promoted without it), so
 * another connection. So an end that was written over this very connection is known; for every other one the journal is
 * asked. Behind a pooler the server may be another without our noticing: nothing is known there.
 *
 * What is known is a cache: a place for each of so many numbers, and the later one takes it.
 *
 * Ownership  Of a batch (batch.c); one thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct pg_ends pg_ends;

pg_ends *ctn_pg_ends_new(void);
void ctn_pg_ends_free(pg_ends *ends); /* NULL is fine */
/* Over which connection it goes from here (ctn_pg_generation); 0: one of which nothing is known. What was known of
 * another is forgotten. */
void ctn_pg_ends_over(pg_ends *ends, uint64_t generation);
bool ctn_pg_ends_is_known(const pg_ends *ends, int64_t exec_no, uint64_t seq);
void ctn_pg_ends_note(pg_ends *ends, int64_t exec_no, uint64_t seq); /* committed over it */
