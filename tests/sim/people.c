/*
 * people.c -- see people.h.
 */
#include "sim/people.h"
#include "sim/chance.h"
#include "sim/generate.h"

#include <stdio.h>

const ctn_json *people_input(const oracle *o, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena), list = ctn_json_array(arena);
    ctn_json_put_int(&b, "n", o->input_n);
    ctn_json_put_str(&b, "text", CTN_STR("a text"));
    for (int64_t i = 0; i < o->input_n % 5; i++)
        ctn_json_push(&list, ctn_json_int(arena, 10 * i));
    ctn_json_put(&b, CTN_STR("list"), ctn_json_finish(&list));
    return ctn_json_finish(&b);
}

bool people_are_asked(const oracle *o, int step)
{
    const judged_work *work = &o->steps[step].whole.work[CTN_ROLE_DO];
    spec_kind kind = o->spec->steps[step].work.kind;
    return work->is_waiting && !work->is_answered && (kind == SPEC_APPROVAL || kind == SPEC_AGENT) && !o->is_stopping;
}

static bool asks(void *ctx, deed *d)
{
    if (!d->is_asked || d->on_the_way)
        return false;
    *(deed **) ctx = d;
    return true;
}

bool people_settle(oracle *o, int step, uint64_t *chance, ctn_arena *arena, ctn_input *ret_in)
{
    deed *asked = NULL;
    if (!oracle_each_deed(o, step, asks, &asked))
        return false;
    char item[24] = "";
    const char *call = asked->set->calls[asked->call].name;
    if (asked->task->item >= 0)
        snprintf(item, sizeof item, "[%lld]", (long long) asked->task->item);
    *ret_in = (ctn_input){
        .kind = CTN_IN_SETTLE,
        .name = ctn_arena_printf(arena, "%s%s%s%s", o->spec->steps[step].name, item, call[0] ? "/" : "", call)};
    if (asked->effects)
        ret_in->settle = CTN_SETTLE_SUCCEED;
    else
        ret_in->settle = chance_percent(chance, 70) ? CTN_SETTLE_RETRY : CTN_SETTLE_FAIL;
    ret_in->not_happened = !asked->effects;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_int(&b, "value", spec_value_of(ctn_str_from(asked->key)));
    ret_in->value = ctn_json_finish(&b);
    return true;
}
