/*
 * ends.c -- see ends.h.
 */
#include "store/postgres/ends.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

enum { PLACES = 16384 }; /* executions under way at a node; 256 KiB */

struct pg_ends {
    uint64_t generation; /* 0: nothing is known */
    struct place {
        int64_t exec_no; /* 0: none */
        uint64_t seq;
    } places[PLACES];
};

pg_ends *ctn_pg_ends_new(void)
{
    return ctn_calloc(1, sizeof(pg_ends));
}

void ctn_pg_ends_free(pg_ends *ends)
{
    free(ends);
}

void ctn_pg_ends_over(pg_ends *ends, uint64_t generation)
{
    if (ends->generation != generation)
        memset(ends->places, 0, sizeof ends->places);
    ends->generation = generation;
}

static size_t place_of(int64_t exec_no)
{
    return (size_t) ((uint64_t) exec_no * 0x9E3779B97F4A7C15u >> 32) % PLACES;
}

bool ctn_pg_ends_is_known(const pg_ends *ends, int64_t exec_no, uint64_t seq)
{
    const struct place *its = &ends->places[place_of(exec_no)];
    return ends->generation && its->exec_no == exec_no && its->seq == seq;
}

void ctn_pg_ends_note(pg_ends *ends, int64_t exec_no, uint64_t seq)
{
    if (ends->generation)
        ends->places[place_of(exec_no)] = (struct place){exec_no, seq};
}
