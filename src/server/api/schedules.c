/*
 * schedules.c -- operations about chains that the clock starts.
 */
#include "host/schedules.h"
#include "server/api/execution.h"

typedef struct looked {
    ctn_schedule_state *states;
    size_t count;
} looked;

/* False, and answered. */
static bool look(ctn_api_call *call, looked *ret)
{
    ctn_err err = {0};
    ctn_clock clock = ctn_clock_system();
    if (ctn_schedules_look(ctn_host_workspace(call->host)->config, ctn_host_store(call->host), call->arena,
                           (ctn_teller){.tell = NULL}, ctn_clock_now_ms(&clock), &ret->states, &ret->count, &err)) {
        ctn_api_fail(call, &err);
        return false;
    }
    return true;
}

static ctn_access_object object_of(ctn_str chain)
{
    return (ctn_access_object){.chain_id = chain, .is_shared = true};
}

static void list_schedules(ctn_api_call *call)
{
    looked l;
    ctn_json_builder list = ctn_json_array(call->arena), b = ctn_json_object(call->arena);
    if (!look(call, &l))
        return;
    for (size_t i = 0; i < l.count; i++) {
        ctn_access_object object = object_of(l.states[i].what->chain_id);
        if (ctn_access_may(call->caller, CTN_ACTION_SCHEDULES_READ, &object))
            ctn_json_push(&list, ctn_schedule_to_json(&l.states[i], call->arena));
    }
    ctn_json_put(&b, CTN_STR("schedules"), ctn_json_finish(&list));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

static void tell_schedule(ctn_api_call *call)
{
    looked l;
    ctn_str chain = ctn_api_text(call->given, "chain");
    if (!look(call, &l))
        return;
    for (size_t i = 0; i < l.count; i++)
        if (ctn_str_equal(l.states[i].what->chain_id, chain)) {
            ctn_api_answer(call, 200, ctn_schedule_to_json(&l.states[i], call->arena));
            return;
        }
    ctn_api_problem(call, 404, CTN_STR("path/chain"), "the chain '%.*s' has no schedule here", CTN_STR_ARG(chain));
}

static void get_schedule(ctn_api_call *call)
{
    ctn_access_object object = object_of(ctn_api_text(call->given, "chain"));
    if (ctn_api_demand(call, CTN_ACTION_SCHEDULES_READ, &object))
        tell_schedule(call);
}

static void tell_changed(ctn_api_call *call, ctn_execution_id id)
{
    (void) id;
    tell_schedule(call);
}

static void order(ctn_api_call *call, ctn_request_op op, ctn_api_then_fn *then)
{
    ctn_request q = {.op = op, .name = ctn_api_text(call->given, "chain")};
    ctn_access_object object = object_of(q.name);
    if (ctn_api_demand(call, CTN_ACTION_SCHEDULES_OPERATE, &object))
        ctn_api_file(call, CTN_ACTION_SCHEDULES_OPERATE, &q, CTN_STR("path/chain"), then);
}

static void pause_schedule(ctn_api_call *call)
{
    order(call, CTN_REQUEST_SCHEDULE_PAUSE, tell_changed);
}

static void resume_schedule(ctn_api_call *call)
{
    order(call, CTN_REQUEST_SCHEDULE_RESUME, tell_changed);
}

static void fire_schedule(ctn_api_call *call)
{
    order(call, CTN_REQUEST_SCHEDULE_FIRE, ctn_api_tell_changed);
}

const ctn_api_operation ctn_api_schedules[] = {
    {"listSchedules", list_schedules},   {"getSchedule", get_schedule},   {"pauseSchedule", pause_schedule},
    {"resumeSchedule", resume_schedule}, {"fireSchedule", fire_schedule}, {0},
};
