/*
 * execution_context.c -- the variables of an execution, who set them last, and how much they and what waits to become
 * one weigh.
 */
#include "core/execution_fold.h"

#include <assert.h>

/* The sum of all runs along. */
static void put_value(context *c, slot_state *v, const ctn_json *value)
{
    size_t bytes = ctn_json_bytes(value);
    assert(c->bytes >= v->bytes);
    c->bytes = c->bytes - v->bytes + bytes;
    v->bytes = bytes;
    v->value = value;
}

static void set(ctn_execution *x, uint32_t slot, const ctn_json *value, uint32_t setter)
{
    slot_state *v = &x->context.slots[slot];
    put_value(&x->context, v, value);
    v->setter = setter;
    v->by_hand = NULL;
}

void ctn_x_set_variables(ctn_execution *x, const ctn_json *variables, uint32_t step)
{
    for (size_t i = 0; i < ctn_json_count(variables); i++) {
        uint32_t slot = ctn_plan_slot(x->plan, ctn_json_text(&variables->members[i].key));
        if (slot != CTN_PLAN_NONE)
            set(x, slot, &variables->members[i].value, step == CTN_PLAN_NONE ? 0 : step + 1);
    }
}

void ctn_x_set_null(ctn_execution *x, uint32_t step)
{
    const ctn_plan_step *p = &x->plan->steps[step];
    for (uint32_t i = 0; i < p->output_count; i++)
        set(x, p->outputs[i].slot, &ctn_json_null, step + 1);
}

void ctn_x_set_by_hand(ctn_execution *x, const ctn_json *variables)
{
    for (size_t i = 0; i < ctn_json_count(variables); i++) {
        uint32_t slot = ctn_plan_slot(x->plan, ctn_json_text(&variables->members[i].key));
        if (slot == CTN_PLAN_NONE)
            continue;
        slot_state *v = &x->context.slots[slot];
        put_value(&x->context, v, &variables->members[i].value);
        v->by_hand = v->value;
    }
}

void ctn_x_hold_result(ctn_execution *x, call_state *c)
{
    x->context.held_bytes -= c->result_bytes;
    c->result_bytes = c->result ? ctn_json_bytes(c->result) : 0; /* of a single call its variables are kept */
    x->context.held_bytes += c->result_bytes;
}

void ctn_x_release_results(ctn_execution *x, work *w)
{
    for (uint32_t i = 0; i < ctn_x_call_count(w); i++) {
        assert(x->context.held_bytes >= w->calls[i].result_bytes);
        x->context.held_bytes -= w->calls[i].result_bytes;
        w->calls[i].result_bytes = 0;
    }
}
