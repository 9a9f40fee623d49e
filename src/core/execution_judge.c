/*
 * execution_judge.c -- what every judgement needs: how an entry is written, and what the rules say when they are
 * silent.
 */
#include "core/execution_judge.h"

ctn_entry ctn_x_entry(const judge *j, ctn_entry_kind kind, const work *w, uint32_t attempt, ctn_json_builder *body)
{
    return (ctn_entry){
        .kind = kind,
        .at_ms = j->now_ms,
        .step = w ? w->task->plan->name : (ctn_str){0},
        .item = w ? w->task->item : -1,
        .attempt = attempt,
        .actor = j->actor,
        .body = ctn_json_finish(body),
    };
}

ctn_json_builder ctn_x_body_of_call(const judge *j, const work *w, uint32_t call)
{
    ctn_json_builder b = ctn_json_object(j->scratch);
    if (w->set && w->set->is_several)
        ctn_json_put_str(&b, "call", w->set->calls[call].name);
    return b;
}

ctn_json_builder ctn_x_body_of_either(const judge *j, const work *w, uint32_t call)
{
    ctn_json_builder b = ctn_x_body_of_call(j, w, call);
    if (w->role == CTN_ROLE_UNDO)
        ctn_json_put_bool(&b, "undo", true);
    return b;
}

int64_t ctn_x_given_up_at_ms(const judge *j)
{
    return j->x->stop.at_ms + (j->rules->stop_grace_ms ? j->rules->stop_grace_ms : 5000);
}
