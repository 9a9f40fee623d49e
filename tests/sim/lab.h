/*
 * lab.h -- a small world for one mechanism of the engine: lines and places (test_admission), tenants (test_tenants), gates (test_gate), the
 * cache (test_cache). sim.h judges one chain by what its tools' names promise; here the test says what a call does and
 * what must hold, and the lab has the rest:
 *
 *   - Wishes: executions that the test wants. Each life of the engine is asked again for what was not acknowledged.
 *   - Flights: calls under way. They take 1 to 20 ms of virtual time, or as long as the test says, and end as it said.
 *   - Rows: the executions that are on disk, and their ends.
 *   - The engine dies before and after commits, and commits fail, with or without being written, by a share.
 *
 * A test's own struct begins with its lab: the ctx of every hook is both. A failure tells the seed.
 *
 * Ownership  Plans and inputs of wishes are borrowed until lab_close; l->arena, which goes then, is a place for
 * them.
 */
#pragma once
#include "simulate/world.h"
#include "support/cmocka.h"

#include <stdio.h>

#define LAB_FLIGHTS_MAX 512
#define LAB_ROWS_MAX    1024
#define LAB_PLANS_MAX   8
#define LAB_MOVES_MAX   400000

typedef struct lab_wish {
    struct lab *l;
    ctn_plan *plan;
    const ctn_json *input;
    bool is_queued, is_acked;
    const char *tenant; /* NULL: nobody's */
    int priority;       /* -1: the chain's own */
    int refused;        /* its code, when the lab allows that; 0: it was not */
    int64_t asked_at_ms;
} lab_wish;

typedef struct lab_flight {
    uint64_t token; /* 0: this place is free */
    int what;       /* the test's own */
    char execution[40];
    bool fails;
    const ctn_json *value;
} lab_flight;

typedef struct lab_row {
    int64_t exec_no;
    ctn_execution_id id;
    char chain[16], key[32], idempotency_key[80];
    char tenant[16];
    bool has_started;
    int start_no;          /* of all that have started, from 1 */
    int64_t started_at_ms; /* by the world's clock */
    ctn_status ended;      /* 0: it goes on */
} lab_row;

typedef struct lab {
    uint64_t seed;
    int die_percent, commit_fails_percent; /* by chance, at every commit */
    bool may_refuse;                       /* a start: there are too many, a quota is used up */
    int die_before_commit_with;            /* ctn_entry_kind + 1: once, instead of the next such commit */
    size_t batch_most;                     /* executions in a batch, until now */
    ctn_world *world;
    ctn_arena *arena;
    ctn_plan *plans[LAB_PLANS_MAX];
    lab_wish wishes[LAB_ROWS_MAX];
    lab_flight flights[LAB_FLIGHTS_MAX];
    lab_row rows[LAB_ROWS_MAX];
    int plan_count, wish_count, row_count, moves, deaths, starts;
} lab;

#define LAB_FAIL(l, ...)                                                                                               \
    do {                                                                                                               \
        fprintf(stderr, "seed %llu: ", (unsigned long long) (l)->seed);                                                \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fprintf(stderr, "\n");                                                                                         \
        fail();                                                                                                        \
    } while (0)

/* The seeds of a test: those from first to last, or the one of SIM_SEED. */
typedef struct lab_seeds {
    uint64_t first, last;
    bool is_one;
} lab_seeds;
lab_seeds lab_seeds_of(uint64_t first, uint64_t last);

/* A test's struct of this size, zeroed but for its lab. */
void *lab_new(size_t bytes, uint64_t seed);
/* A chain and its sets in one text; lent to every engine of the world. */
ctn_plan *lab_compile(lab *l, const char *yaml);
/* With all hooks but `begin`. A test that puts an on_disk or died of its own in their place calls ours from it. */
ctn_world_options lab_options(lab *l);
void lab_on_disk(void *ctx, const ctn_append *append);
void lab_died(void *ctx, const ctn_world_event *pending, size_t count);
void lab_open(lab *l, const ctn_world_options *options);
void lab_close(lab *l); /* and the test's struct with it */

void lab_wish_for(lab *l, ctn_plan *plan, const ctn_json *input, bool is_queued);
lab_wish *lab_wish_of(lab *l, ctn_plan *plan, const ctn_json *input, const char *tenant, int priority);
const lab_wish *lab_row_wish(const lab *l, const lab_row *row); /* NULL: nobody wished for it */
bool lab_all_ended(const lab *l);                               /* and every wish was acknowledged */
lab_row *lab_row_of(lab *l, int64_t exec_no);

/* delay_ms 0: by chance. What it answers and whether it fails is set on the flight. */
lab_flight *lab_fly(lab *l, const ctn_call_request *request, int what, int64_t delay_ms);
int lab_flying(const lab *l, int what);

/* Goes on to what comes next; false: nothing moves any more. */
bool lab_move(lab *l);
void lab_pass(lab *l, int64_t ms); /* what comes in that time */
bool lab_is_alive(const lab *l);   /* there is an engine that can be asked */
/* What people do. A step at which the engine died five times in a row is parked, for it may have been what killed it.
 */
void lab_retry(lab *l, ctn_execution_id id, ctn_str step);
void lab_cancel(lab *l, ctn_execution_id id, ctn_ack_fn *ack, void *ctx);
