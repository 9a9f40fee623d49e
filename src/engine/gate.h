/*
 * gate.h -- may this call begin now? Core asks (its rules' `gate`), and this answers for rates, places and circuit
 * breakers. What a call may do then is a pass: it is taken when the start is recorded, goes over to the flight when the
 * call begins, and is given back when that ends, or never begins.
 */
#pragma once
#include "engine/engine.h"
#include "engine/live.h"

/* What a call has taken; all zero: nothing. */
typedef struct gate_pass {
    struct gate_limit *limit, *probe; /* probe: the one place of it, over a fleet */
    struct gate_breaker *breaker;
    uint64_t opened;
    bool is_probe;
} gate_pass;

/* Where an execution stood before it was asked again. */
typedef struct gate_waits {
    struct gate_limit **limits;
    uint32_t count;
    struct ctn_lane_chain *chain;
} gate_waits;

/* What breakers were left open by another life is read. Errors of the store. */
int ctn_eng_gate_init(ctn_engine *e, ctn_err *err);
void ctn_eng_gate_read(ctn_engine *e); /* breakers that another node has opened or closed */
void ctn_eng_gate_done(ctn_engine *e);
/* Limits that are shared over a fleet: more is asked for, what is not needed is given back (shares.h). */
void ctn_eng_gate_turn(ctn_engine *e);
int64_t ctn_eng_gate_turn_ms(const ctn_engine *e); /* 0: nothing is to be asked */
/* Around the advance of one execution, and after each of its entries. */
void ctn_eng_gate_begin(ctn_engine *e, loaded *l, gate_waits *ret_before);
void ctn_eng_gate_recorded(ctn_engine *e, loaded *l, const ctn_entry *entry);
void ctn_eng_gate_end(ctn_engine *e, loaded *l, gate_waits *before);
void ctn_eng_gate_forget(ctn_engine *e, loaded *l); /* it is unloaded */

/* The pass that was taken for this call, out of those that wait for their calls. */
gate_pass ctn_eng_pass_for(ctn_engine *e, loaded *l, const ctn_plan_set *set, const ctn_plan_call *call);
void ctn_eng_pass_heard(ctn_engine *e, gate_pass *p, ctn_failure failure); /* how the call went */
void ctn_eng_pass_keep(loaded *l, gate_pass *p); /* its call has not begun after all, and will be tried again */
void ctn_eng_pass_give_back(ctn_engine *e, gate_pass *p);
void ctn_eng_passes_drop(ctn_engine *e, loaded *l); /* of starts that became no calls */
