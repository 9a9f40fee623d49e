/*
 * request.c -- see request.h.
 */
#include "fleet/request.h"
#include <stddef.h>

static const char *const METHODS[] = {"start",           "resume",        "answer",  "settle",    "set",
                                      "cancel",          "pause",         "release", "discard",   "schedule.pause",
                                      "schedule.resume", "schedule.fire", "undo",    "childEnded"};
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

static const ctn_plan *plan_of(const ctn_request *q)
{
    return q->plan ? q->plan : q->known_plan;
}

/* with_bodies: whole; else by their digests. */
static const ctn_json *definitions_to_json(const ctn_plan *plan, bool with_bodies, ctn_arena *arena)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (uint32_t i = 0; i < plan->definition_count; i++) {
        ctn_json_builder d = ctn_json_object(arena);
        ctn_json_put_str(&d, "kind", plan->definitions[i].kind);
        ctn_json_put_str(&d, "name", plan->definitions[i].name);
        if (with_bodies)
            ctn_json_put_str(&d, "body", plan->definitions[i].body);
        else
            ctn_json_put_str(&d, "digest", ctn_str_from(ctn_digest_to_text(plan->definitions[i].digest).text));
        ctn_json_push(&list, ctn_json_finish(&d));
    }
    return ctn_json_finish(&list);
}

static const ctn_json *to_json(const ctn_request *q, bool with_bodies, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "actor", q->actor);
    if (q->op == CTN_REQUEST_START) {
        ctn_json_put(&b, CTN_STR("definitions"), definitions_to_json(plan_of(q), with_bodies, arena));
        ctn_json_put(&b, CTN_STR("input"), q->input);
        if (q->labels)
            ctn_json_put(&b, CTN_STR("labels"), q->labels);
        if (q->going_on)
            ctn_json_put(&b, CTN_STR("goingOn"), q->going_on);
        if (q->sensitive)
            ctn_json_put(&b, CTN_STR("sensitive"), q->sensitive);
        ctn_json_put_str(&b, "idempotencyKey", q->idempotency_key);
        ctn_json_put_bool(&b, "queued", q->is_queued);
        if (q->has_priority)
            ctn_json_put_int(&b, "priority", q->priority);
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

const ctn_json *ctn_request_to_json(const ctn_request *q, ctn_arena *arena)
{
    return to_json(q, true, arena);
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

static bool is_engines_alone(ctn_request_op op)
{
    return op == CTN_REQUEST_UNDO || op == CTN_REQUEST_CHILD_ENDED;
}

/* has_plan: its definitions are whole, and it does not come from disk. */
static int from_json(ctn_arena *arena, ctn_str method, const ctn_json *params, bool has_plan, ctn_request *ret,
                     ctn_err *err)
{
    ctn_str none = {0};
    ctn_request q = {.actor = ctn_json_str_or(params, "actor", none)};
    if (!op_of(method, &q.op) || (has_plan && is_engines_alone(q.op)))
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
        q.has_priority = ctn_json_member_of(params, "priority") != NULL;
        q.priority = (int) ctn_json_int_or(params, "priority", 0);
        int rc = has_plan ? plan_from_json(ctn_json_member_of(params, "definitions"), &q.plan, err) : CTN_OK;
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

int ctn_request_from_json(ctn_arena *arena, ctn_str method, const ctn_json *params, ctn_request *ret, ctn_err *err)
{
    return from_json(arena, method, params, true, ret, err);
}

/* ---- on whose behalf ---- */

static void fill_audit(ctn_request *q)
{
    static const char *const ACTIONS[CTN_REQUEST_OP_COUNT] = {
        "executions.start",   "executions.resume", "executions.answer", "executions.settle",
        "executions.set",     "executions.cancel", "executions.pause",  "executions.release",
        "executions.discard", "schedules.pause",   "schedules.resume",  "schedules.fire"};
    if (q->is_engines)
        return;
    if (!q->by.audit_action.len)
        q->by.audit_action =
            q->op == CTN_REQUEST_START && q->going_on ? CTN_STR("executions.rerun") : ctn_str_from(ACTIONS[q->op]);
    if (!q->by.audit_actor.len)
        q->by.audit_actor = q->actor;
    if (!q->by.from.len)
        q->by.from = CTN_STR("local");
}

/* ---- on disk ---- */

int ctn_request_put_definitions(const ctn_request *q, ctn_store *store, ctn_arena *scratch, ctn_err *err)
{
    const ctn_plan *plan = plan_of(q);
    ctn_definition *definitions = CTN_NEW_ARRAY(scratch, ctn_definition, plan->definition_count);
    for (uint32_t i = 0; i < plan->definition_count; i++)
        definitions[i] = (ctn_definition){.digest = plan->definitions[i].digest,
                                          .kind = plan->definitions[i].kind,
                                          .name = plan->definitions[i].name,
                                          .body = plan->definitions[i].body};
    return ctn_store_definition_put(store, definitions, plan->definition_count, err);
}

static ctn_str kind_of(ctn_request_op op)
{
    switch (op) {
    case CTN_REQUEST_START: return CTN_STR("start");
    case CTN_REQUEST_RESUME: return CTN_STR("adopt");
    case CTN_REQUEST_RELEASE:
    case CTN_REQUEST_DISCARD: return CTN_STR("release");
    case CTN_REQUEST_SCHEDULE_PAUSE:
    case CTN_REQUEST_SCHEDULE_RESUME:
    case CTN_REQUEST_SCHEDULE_FIRE: return CTN_STR("schedule");
    default: return CTN_STR("input");
    }
}

typedef struct by_field {
    const char *name;
    size_t at;
} by_field;
static const by_field BY[] = {
    {"principal", offsetof(ctn_requester, principal)}, {"tenant", offsetof(ctn_requester, tenant)},
    {"action", offsetof(ctn_requester, audit_action)}, {"auditActor", offsetof(ctn_requester, audit_actor)},
    {"from", offsetof(ctn_requester, from)},           {"traceparent", offsetof(ctn_requester, traceparent)},
};
enum { BY_COUNT = sizeof BY / sizeof *BY };

static ctn_str *by_text(ctn_requester *by, size_t i)
{
    return (ctn_str *) (void *) ((char *) by + BY[i].at);
}

static const ctn_json *engines_to_json(const ctn_request *q, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    if (q->parent) {
        ctn_json_put_str(&b, "id", ctn_str_from(ctn_id_to_text(q->parent->id).text));
        ctn_json_put_str(&b, "step", q->parent->step);
        ctn_json_put_int(&b, "item", q->parent->item);
        ctn_json_put_int(&b, "attempt", q->parent->attempt);
        ctn_json_put_int(&b, "depth", q->parent->depth);
        ctn_json_put_bool(&b, "stopped", q->is_stopped);
    }
    return ctn_json_finish(&b);
}

static int engines_from_json(const ctn_json *v, ctn_arena *arena, ctn_request *q, ctn_err *err)
{
    ctn_str none = {0}, id = ctn_json_str_or(v, "id", none);
    q->is_engines = v != NULL;
    if (!id.len)
        return CTN_OK;
    ctn_parent *parent = CTN_NEW(arena, ctn_parent);
    *parent = (ctn_parent){.step = ctn_json_str_or(v, "step", none),
                           .item = ctn_json_int_or(v, "item", -1),
                           .attempt = (uint32_t) ctn_json_int_or(v, "attempt", 1),
                           .depth = (uint32_t) ctn_json_int_or(v, "depth", 1)};
    q->parent = parent;
    q->is_stopped = ctn_json_bool_or(v, "stopped", false);
    return ctn_id_parse(id, &parent->id, err);
}

/* What the box says that it is: of another request it does not open. */
static ctn_str box_name(ctn_arena *arena, ctn_str method, ctn_execution_id id)
{
    return ctn_arena_printf(arena, "request %.*s %s", CTN_STR_ARG(method), ctn_id_to_text(id).text);
}

int ctn_request_to_row(ctn_request *q, ctn_seal *seal, uint32_t shard, ctn_arena *arena, ctn_request_row *ret,
                       ctn_err *err)
{
    ctn_json_builder b = ctn_json_object(arena), by = ctn_json_object(arena);
    ctn_str method = ctn_str_from(METHODS[q->op]), sealed;
    fill_audit(q);
    for (size_t i = 0; i < BY_COUNT; i++)
        if (by_text(&q->by, i)->len)
            ctn_json_put_str(&by, BY[i].name, *by_text(&q->by, i));
    ctn_json_put_str(&b, "method", method);
    ctn_json_put(&b, CTN_STR("by"), ctn_json_finish(&by));
    if (q->is_engines)
        ctn_json_put(&b, CTN_STR("engine"), engines_to_json(q, arena));
    const ctn_json *params = to_json(q, false, arena);
    if (seal) {
        ctn_str text = ctn_json_to_str(arena, params);
        int rc = ctn_seal_text(seal, box_name(arena, method, q->id), text, arena, &sealed, err);
        if (rc)
            return rc;
        ctn_json_put_str(&b, "sealed", sealed);
    } else
        ctn_json_put(&b, CTN_STR("params"), params);
    *ret = (ctn_request_row){
        .shard = shard, .id = q->id, .kind = kind_of(q->op), .body = ctn_json_to_str(arena, ctn_json_finish(&b))};
    return CTN_OK;
}

int ctn_request_from_row(const ctn_request_row *row, ctn_seal *seal, ctn_arena *arena, ctn_request *ret,
                         const ctn_json **ret_definitions, ctn_err *err)
{
    const ctn_json *body = NULL, *params = NULL;
    ctn_str none = {0}, text;
    int rc = ctn_json_parse(arena, ctn_arena_str(arena, row->body), NULL, &body, err);
    if (rc)
        return rc;
    ctn_str method = ctn_json_str_or(body, "method", none), sealed = ctn_json_str_or(body, "sealed", none);
    params = ctn_json_member_of(body, "params");
    if (sealed.len && !seal)
        return ctn_fail(
            err, CTN_E_DENIED,
            "what was asked is sealed, and the node that has to do it has no keyring: every node of a fleet "
            "needs the same `sealing` in its configuration");
    if (sealed.len) {
        rc = ctn_seal_text_open(seal, box_name(arena, method, row->id), sealed, arena, &text, err);
        if (rc == CTN_OK)
            rc = ctn_json_parse(arena, text, NULL, &params, err);
    }
    if (rc == CTN_OK)
        rc = from_json(arena, method, params, false, ret, err);
    if (rc == CTN_OK)
        rc = engines_from_json(ctn_json_member_of(body, "engine"), arena, ret, err);
    if (rc)
        return rc;
    const ctn_json *by = ctn_json_member_of(body, "by");
    for (size_t i = 0; i < BY_COUNT; i++)
        *by_text(&ret->by, i) = ctn_json_str_or(by, BY[i].name, none);
    ret->by.request = row->no;
    if (ret->op == CTN_REQUEST_START)
        ret->id = row->id;
    *ret_definitions = ctn_json_member_of(params, "definitions");
    return CTN_OK;
}

int ctn_request_find_plan(const ctn_json *list, ctn_store *store, ctn_plan **ret_plan, ctn_err *err)
{
    size_t count = ctn_json_is(list, CTN_JSON_ARRAY) ? list->count : 0;
    if (count == 0)
        return ctn_fail(err, CTN_E_INVALID, "a start needs its definitions");
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_plan_definition *definitions = CTN_NEW_ARRAY(arena, ctn_plan_definition, count);
    int rc = CTN_OK;
    for (size_t i = 0; i < count && rc == CTN_OK; i++) {
        ctn_definition d;
        ctn_digest digest;
        if (!ctn_digest_parse(ctn_json_str_or(ctn_json_at(list, i), "digest", (ctn_str){0}), &digest))
            rc = ctn_fail(err, CTN_E_CORRUPT, "a definition of the start has no digest");
        if (rc == CTN_OK)
            rc = ctn_store_definition_get(store, arena, &digest, &d, err);
        if (rc == CTN_OK)
            definitions[i] = (ctn_plan_definition){.kind = d.kind, .name = d.name, .body = d.body, .digest = digest};
    }
    if (rc == CTN_OK)
        rc = ctn_plan_from_definitions(arena, definitions, (uint32_t) count, ret_plan, err);
    if (rc)
        ctn_arena_free(arena);
    return rc;
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
                       .id = q->id,
                       .has_priority = q->has_priority,
                       .priority = q->priority,
                       .parent = q->parent,
                       .is_stopped = q->is_stopped};
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

void ctn_request_file(ctn_engine *engine, ctn_store *store, ctn_request *q, ctn_ack_fn *ack, void *ctx)
{
    static const ctn_input_kind KINDS[] = {
        [CTN_REQUEST_ANSWER] = CTN_IN_ANSWER, [CTN_REQUEST_SETTLE] = CTN_IN_SETTLE, [CTN_REQUEST_SET] = CTN_IN_SET,
        [CTN_REQUEST_CANCEL] = CTN_IN_CANCEL, [CTN_REQUEST_PAUSE] = CTN_IN_PAUSE,   [CTN_REQUEST_UNDO] = CTN_IN_UNDO};
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
    if (q->op == CTN_REQUEST_CHILD_ENDED) {
        ctn_execution_id child = {{0}};
        (void) ctn_id_parse(q->name, &child, NULL); /* what is no id is no child of it */
        ctn_engine_child_ended(engine, q->id, child, &q->by, ack, ctx);
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
