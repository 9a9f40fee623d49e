/*
 * request.c -- see request.h.
 */
#include "host/request.h"

static const char *const METHODS[] = {"start",   "resume",         "answer",          "settle",
                                      "set",     "cancel",         "pause",           "release",
                                      "discard", "schedule.pause", "schedule.resume", "schedule.fire"};
static const char *const SETTLES[] = {"retry", "succeed", "fail"};

const char *ctn_request_method(ctn_request_op op)
{
    return METHODS[op];
}

void ctn_request_drop_plan(ctn_request *q)
{
    ctn_plan_free(q->plan);
    q->plan = NULL;
}

/* ---- as JSON ---- */

static const ctn_json *definitions_to_json(const ctn_plan *plan, ctn_arena *arena)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (uint32_t i = 0; i < plan->definition_count; i++) {
        ctn_json_builder d = ctn_json_object(arena);
        ctn_json_put_str(&d, "kind", plan->definitions[i].kind);
        ctn_json_put_str(&d, "name", plan->definitions[i].name);
        ctn_json_put_str(&d, "body", plan->definitions[i].body);
        ctn_json_push(&list, ctn_json_finish(&d));
    }
    return ctn_json_finish(&list);
}

const ctn_json *ctn_request_to_json(const ctn_request *q, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "actor", q->actor);
    if (q->op == CTN_REQUEST_START) {
        ctn_json_put(&b, CTN_STR("definitions"), definitions_to_json(q->plan, arena));
        ctn_json_put(&b, CTN_STR("input"), q->input);
        if (q->labels)
            ctn_json_put(&b, CTN_STR("labels"), q->labels);
        if (q->going_on)
            ctn_json_put(&b, CTN_STR("goingOn"), q->going_on);
        if (q->sensitive)
            ctn_json_put(&b, CTN_STR("sensitive"), q->sensitive);
        ctn_json_put_str(&b, "idempotencyKey", q->idempotency_key);
        ctn_json_put_bool(&b, "queued", q->is_queued);
        return ctn_json_finish(&b);
    }
    ctn_json_put_str(&b, "id", ctn_str_from(ctn_id_to_text(q->id).text));
    ctn_json_put_str(&b, "name", q->name);
    ctn_json_put_str(&b, "reason", q->reason);
    if (q->value)
        ctn_json_put(&b, CTN_STR("value"), q->value);
    if (q->op == CTN_REQUEST_SETTLE) {
        ctn_json_put_str(&b, "what", ctn_str_from(SETTLES[q->settle]));
        ctn_json_put_bool(&b, "notHappened", q->not_happened);
    }
    return ctn_json_finish(&b);
}

static int plan_from_json(const ctn_json *list, ctn_plan **ret_plan, ctn_err *err)
{
    size_t count = ctn_json_is(list, CTN_JSON_ARRAY) ? list->count : 0;
    if (count == 0)
        return ctn_fail(err, CTN_E_INVALID, "a start needs its definitions");
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_plan_definition *definitions = CTN_NEW_ARRAY(arena, ctn_plan_definition, count);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *d = ctn_json_at(list, i);
        ctn_str none = {0};
        definitions[i].kind = ctn_arena_str(arena, ctn_json_str_or(d, "kind", none));
        definitions[i].name = ctn_arena_str(arena, ctn_json_str_or(d, "name", none));
        definitions[i].body = ctn_arena_str(arena, ctn_json_str_or(d, "body", none));
        definitions[i].digest = ctn_hash(definitions[i].body);
    }
    int rc = ctn_plan_from_definitions(arena, definitions, (uint32_t) count, ret_plan, err);
    if (rc)
        ctn_arena_free(arena);
    return rc;
}

static bool op_of(ctn_str method, ctn_request_op *ret_op)
{
    for (int op = 0; op < CTN_REQUEST_OP_COUNT; op++)
        if (ctn_str_is(method, METHODS[op])) {
            *ret_op = (ctn_request_op) op;
            return true;
        }
    return false;
}

static bool is_of_schedule(ctn_request_op op)
{
    return op >= CTN_REQUEST_SCHEDULE_PAUSE && op <= CTN_REQUEST_SCHEDULE_FIRE;
}

int ctn_request_from_json(ctn_arena *arena, ctn_str method, const ctn_json *params, ctn_request *ret, ctn_err *err)
{
    ctn_str none = {0};
    ctn_request q = {.actor = ctn_json_str_or(params, "actor", none)};
    if (!op_of(method, &q.op))
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no method \"%.*s\"", CTN_STR_ARG(method));
    if (q.op == CTN_REQUEST_START) {
        q.input = ctn_json_member_of(params, "input");
        q.labels = ctn_json_member_of(params, "labels");
        q.going_on = ctn_json_member_of(params, "goingOn");
        q.sensitive = ctn_json_member_of(params, "sensitive");
        q.idempotency_key = ctn_json_str_or(params, "idempotencyKey", none);
        q.is_queued = ctn_json_bool_or(params, "queued", false);
        if (!q.input)
            q.input = ctn_json_finish(&(ctn_json_builder){.arena = arena, .kind = CTN_JSON_OBJECT});
        int rc = plan_from_json(ctn_json_member_of(params, "definitions"), &q.plan, err);
        if (rc)
            return rc;
        *ret = q;
        return CTN_OK;
    }
    int rc = is_of_schedule(q.op) ? CTN_OK : ctn_id_parse(ctn_json_str_or(params, "id", none), &q.id, err);
    if (rc)
        return rc;
    q.name = ctn_json_str_or(params, "name", none);
    q.reason = ctn_json_str_or(params, "reason", none);
    q.value = ctn_json_member_of(params, "value");
    q.not_happened = ctn_json_bool_or(params, "notHappened", false);
    ctn_str what = ctn_json_str_or(params, "what", CTN_STR("retry"));
    for (int s = 0; s < 3; s++)
        if (ctn_str_is(what, SETTLES[s]))
            q.settle = (ctn_settle) s;
    if ((q.op == CTN_REQUEST_ANSWER || q.op == CTN_REQUEST_SET) && !q.value)
        return ctn_fail(err, CTN_E_INVALID, "%s needs a value", METHODS[q.op]);
    *ret = q;
    return CTN_OK;
}

/* ---- done ---- */

static void file_start(ctn_engine *engine, ctn_request *q, ctn_ack_fn *ack, void *ctx)
{
    ctn_err err = {0};
    const ctn_plan *plan = q->known_plan;
    int64_t version = q->known_version;
    ctn_plan *given = q->plan;
    q->plan = NULL; /* the engine takes it in any case */
    int rc = given ? ctn_engine_plan_add(engine, given, q->actor, &plan, &version, &err) : CTN_OK;
    if (rc) {
        ack(ctx, rc, (ctn_execution_id){0}, &err);
        return;
    }
    ctn_start start = {.plan = plan,
                       .version = version,
                       .input = q->input,
                       .labels = q->labels,
                       .going_on = q->going_on,
                       .sensitive = ctn_json_count(q->sensitive) ? q->sensitive : NULL,
                       .idempotency_key = q->idempotency_key,
                       .is_queued = q->is_queued,
                       .actor = q->actor,
                       .by = q->by,
                       .has_priority = q->has_priority,
                       .priority = q->priority};
    ctn_engine_start(engine, &start, ack, ctx);
}

static void file_resume(ctn_engine *engine, ctn_store *store, const ctn_request *q, ctn_ack_fn *ack, void *ctx)
{
    const ctn_execution *x = ctn_engine_find(engine, q->id);
    ctn_execution_row row = {0};
    ctn_err err = {0};
    ctn_arena *arena = ctn_arena_new(4096);
    int rc = ctn_store_execution_get(store, arena, q->id, &row, &err);
    ctn_arena_free(arena);
    ctn_status status = x ? ctn_execution_status(x) : row.status;
    if (rc)
        ack(ctx, rc, q->id, &err);
    else if (status == CTN_STATUS_PAUSED)
        ctn_engine_input(engine, q->id, &(ctn_input){.kind = CTN_IN_RESUME, .actor = q->actor, .message = q->reason},
                         &q->by, ack, ctx);
    else if (ctn_status_is_final(status))
        ack(ctx, CTN_OK, q->id, NULL);
    else
        ctn_engine_adopt(engine, q->id, ack, ctx);
}

static void fill_audit(ctn_request *q)
{
    static const char *const ACTIONS[CTN_REQUEST_OP_COUNT] = {
        "executions.start",   "executions.resume", "executions.answer", "executions.settle",
        "executions.set",     "executions.cancel", "executions.pause",  "executions.release",
        "executions.discard", "schedules.pause",   "schedules.resume",  "schedules.fire"};
    if (!q->by.audit_action.len)
        q->by.audit_action =
            q->op == CTN_REQUEST_START && q->going_on ? CTN_STR("executions.rerun") : ctn_str_from(ACTIONS[q->op]);
    if (!q->by.audit_actor.len)
        q->by.audit_actor = q->actor;
    if (!q->by.from.len)
        q->by.from = CTN_STR("local");
}

void ctn_request_file(ctn_engine *engine, ctn_store *store, ctn_request *q, ctn_ack_fn *ack, void *ctx)
{
    static const ctn_input_kind KINDS[] = {[CTN_REQUEST_ANSWER] = CTN_IN_ANSWER,
                                           [CTN_REQUEST_SETTLE] = CTN_IN_SETTLE,
                                           [CTN_REQUEST_SET] = CTN_IN_SET,
                                           [CTN_REQUEST_CANCEL] = CTN_IN_CANCEL,
                                           [CTN_REQUEST_PAUSE] = CTN_IN_PAUSE};
    fill_audit(q);
    if (q->op == CTN_REQUEST_START) {
        file_start(engine, q, ack, ctx);
        return;
    }
    if (q->op == CTN_REQUEST_RESUME) {
        file_resume(engine, store, q, ack, ctx);
        return;
    }
    if (is_of_schedule(q->op)) {
        ctn_engine_schedule(engine, q->name, (ctn_schedule_order) (q->op - CTN_REQUEST_SCHEDULE_PAUSE), q->actor,
                            &q->by, ack, ctx);
        return;
    }
    if (q->op == CTN_REQUEST_RELEASE || q->op == CTN_REQUEST_DISCARD) {
        ctn_engine_release(engine, q->id, q->op == CTN_REQUEST_DISCARD, q->actor, q->reason, ack, ctx);
        return;
    }
    ctn_input in = {.kind = KINDS[q->op],
                    .actor = q->actor,
                    .name = q->name,
                    .value = q->value,
                    .message = q->reason,
                    .settle = q->settle,
                    .not_happened = q->not_happened};
    ctn_engine_input(engine, q->id, &in, &q->by, ack, ctx);
}
