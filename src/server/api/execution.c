/*
 * execution.c -- see execution.h.
 */
#include "server/api/execution.h"
#include "engine/fold.h"
#include "host/snapshot.h"
#include "host/told.h"

ctn_str ctn_api_text(const ctn_json *from, const char *name)
{
    return ctn_json_str_or(from, name, (ctn_str){0});
}

ctn_str ctn_api_own_key(const ctn_api_call *call)
{
    ctn_str key = ctn_api_text(call->given, "Idempotency-Key"), name = call->caller->name;
    return key.len ? ctn_arena_printf(call->arena, "api:%zu:%.*s:%.*s", name.len, CTN_STR_ARG(name), CTN_STR_ARG(key))
                   : key;
}

/* What is another tenant's is not there, in the same words. */
bool ctn_api_find(ctn_api_call *call, ctn_action action, ctn_execution_row *ret_row)
{
    ctn_err err = {0};
    ctn_execution_id id;
    int rc = ctn_id_parse(ctn_api_text(call->given, "id"), &id, &err);
    if (rc == CTN_OK)
        rc = ctn_store_execution_get(ctn_host_store(call->host), call->arena, id, ret_row, &err);
    if (rc == CTN_OK) {
        ctn_access_object object = {.chain_id = ret_row->chain_id,
                                    .tenant = ret_row->tenant,
                                    .labels = ctn_told_parsed(call->arena, ret_row->labels)};
        rc = ctn_access_demand(call->access, call->caller, action, &object, &err);
    }
    if (rc == CTN_E_NOT_FOUND)
        ctn_api_problem(call, 404, CTN_STR("path/id"), "there is no execution %s", ctn_id_to_text(id).text);
    else if (rc)
        ctn_api_fail(call, &err);
    return rc == CTN_OK;
}

int64_t ctn_api_wait_of(const ctn_api_call *call)
{
    ctn_str text = ctn_api_text(call->given, "wait");
    size_t digits = 0;
    int64_t number = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (!ctn_str_to_int64((ctn_str){text.ptr, digits}, &number))
        return 0;
    ctn_str unit = ctn_str_from_offset(text, digits);
    int64_t ms = ctn_str_is(unit, "ms") ? number : ctn_str_is(unit, "s") ? number * 1000 : number * 60000;
    return ms < 60000 ? ms : 60000;
}

ctn_json_builder ctn_api_execution_head(ctn_arena *arena, const ctn_execution_row *row, int64_t now_ms)
{
    ctn_json_builder b = ctn_told_execution(arena, row, now_ms);
    ctn_json_put_time(&b, "createdAt", row->created_at_ms);
    ctn_json_put_time(&b, "startedAt", row->started_at_ms);
    ctn_json_put_time(&b, "finishedAt", row->finished_at_ms);
    ctn_json_put_int(&b, "priority", row->priority);
    if (row->tenant.len)
        ctn_json_put_str(&b, "tenant", ctn_arena_str(arena, row->tenant));
    ctn_json_put(&b, CTN_STR("labels"), ctn_told_parsed(arena, row->labels));
    if (!ctn_id_is_none(row->parent))
        ctn_json_put_str(&b, "parentExecutionId", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(row->parent).text)));
    return b;
}

static void put_value(ctn_arena *arena, ctn_str *text, const ctn_json *value)
{
    if (text->len && value)
        *text = ctn_json_to_str(arena, value);
}

static void answer(ctn_api_call *call, const ctn_execution_row *row, ctn_json_builder *told)
{
    ctn_web_header location = {CTN_STR("Location"),
                               ctn_arena_printf(call->arena, "/v1/executions/%s", ctn_id_to_text(row->id).text)};
    bool is_read = !ctn_str_is(ctn_web_ask_of(call->request)->method, "POST");
    ctn_api_answer_with(call, is_read || ctn_status_is_final(row->status) ? 200 : 202, location, ctn_json_finish(told));
}

void ctn_api_tell_head(ctn_api_call *call, ctn_execution_id id)
{
    ctn_err err = {0};
    ctn_execution_row row;
    if (ctn_store_execution_get(ctn_host_store(call->host), call->arena, id, &row, &err)) {
        ctn_api_fail(call, &err);
        return;
    }
    ctn_json_builder b = ctn_api_execution_head(call->arena, &row, ctn_loop_now_ms(ctn_host_loop(call->host)));
    answer(call, &row, &b);
}

void ctn_api_tell_execution(ctn_api_call *call, ctn_execution_id id)
{
    ctn_store *store = ctn_host_store(call->host);
    ctn_err err = {0};
    ctn_execution_row row;
    ctn_execution *x = NULL;
    bool reveals = ctn_json_bool_or(call->given, "reveal", false); /* allowed and written down: ctn_api_reveal */
    int rc = ctn_store_execution_get(store, call->arena, id, &row, &err);
    if (rc == CTN_OK)
        rc = ctn_execution_load_beside(ctn_host_engine(call->host), store, reveals ? ctn_host_seal(call->host) : NULL,
                                       call->arena, &row, &x, &err);
    if (rc) {
        ctn_api_fail(call, &err);
        return;
    }
    if (reveals)
        ctn_execution_reveal(x);
    if (reveals || ctn_execution_is_hidden(x)) {
        put_value(call->arena, &row.input, ctn_execution_input(x, call->arena));
        put_value(call->arena, &row.outputs, ctn_execution_outputs(x));
        put_value(call->arena, &row.error, ctn_execution_error(x));
    }
    ctn_json_builder b = ctn_api_execution_head(call->arena, &row, ctn_loop_now_ms(ctn_host_loop(call->host)));
    ctn_snapshot s = ctn_snapshot_in_store(x, store, call->arena);
    ctn_json_put(&b, CTN_STR("input"), ctn_told_parsed(call->arena, row.input));
    ctn_json_put(&b, CTN_STR("steps"), ctn_told_steps(call->arena, &s));
    if (ctn_execution_origin(x)->principal.len)
        ctn_json_put_str(&b, "principal", ctn_arena_str(call->arena, ctn_execution_origin(x)->principal));
    if (ctn_execution_from(x))
        ctn_json_put(&b, CTN_STR("from"), ctn_execution_from(x));
    const ctn_json *used = ctn_told_used(call->arena, x);
    if (used)
        ctn_json_put(&b, CTN_STR("used"), used);
    if (s.paused_because.len)
        ctn_json_put_str(&b, "pausedBecause", s.paused_because);
    if (s.queued_behind.len)
        ctn_json_put_str(&b, "queuedBehind", s.queued_behind);
    if (s.waits_for_node.len)
        ctn_json_put_str(&b, "waitsForNode", s.waits_for_node);
    answer(call, &row, &b);
    ctn_execution_unload_beside(ctn_host_engine(call->host), x);
}

void ctn_api_await_execution(ctn_api_call *call, ctn_execution_id id)
{
    ctn_api_await(call, id, ctn_api_wait_of(call), ctn_api_tell_execution);
}

void ctn_api_tell_changed(ctn_api_call *call, ctn_execution_id id)
{
    ctn_err err = {0};
    ctn_execution_row row;
    if (ctn_store_execution_get(ctn_host_store(call->host), call->arena, id, &row, &err)) {
        ctn_api_fail(call, &err);
        return;
    }
    ctn_access_object object = {
        .chain_id = row.chain_id, .tenant = row.tenant, .labels = ctn_told_parsed(call->arena, row.labels)};
    if (ctn_access_may(call->caller, CTN_ACTION_EXECUTIONS_READ, &object)) {
        ctn_api_await_execution(call, id);
        return;
    }
    row.outputs = row.error = row.labels = (ctn_str){0};
    ctn_json_builder b = ctn_api_execution_head(call->arena, &row, ctn_loop_now_ms(ctn_host_loop(call->host)));
    answer(call, &row, &b);
}
