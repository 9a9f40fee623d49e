/*
 * execution_first.c -- what an execution begins with: its first entry, written, held to bounds, and folded in.
 */
#include "core/execution_fold.h"

/* ---- names that people give ---- */

static int check_name(const char *what, ctn_str text, ctn_err *err)
{
    if (text.len > CTN_LABEL_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "%s has %zu bytes, at most %d are kept", what, text.len, CTN_LABEL_BYTES_MAX);
    if (!ctn_str_is_utf8(text))
        return ctn_fail(err, CTN_E_INVALID, "%s is not UTF-8", what);
    if (ctn_str_find_control(text) != SIZE_MAX)
        return ctn_fail(err, CTN_E_INVALID, "%s holds a control character, which no name may", what);
    return CTN_OK;
}

int ctn_execution_check_names(const ctn_json *labels, ctn_str idempotency_key, ctn_str actor, ctn_err *err)
{
    int rc = check_name("the idempotency key", idempotency_key, err);
    if (rc == CTN_OK)
        rc = check_name("who asks for it", actor, err);
    if (rc == CTN_OK && ctn_json_count(labels) > CTN_LABELS_MAX)
        rc = ctn_fail(err, CTN_E_LIMIT, "%zu labels, at most %d are kept", ctn_json_count(labels), CTN_LABELS_MAX);
    for (size_t i = 0; rc == CTN_OK && i < ctn_json_count(labels); i++) {
        const ctn_json *value = &labels->members[i].value;
        rc = check_name("a label's name", ctn_json_text(&labels->members[i].key), err);
        if (rc == CTN_OK && !ctn_json_is(value, CTN_JSON_STRING))
            rc = ctn_fail(err, CTN_E_INVALID, "a label's value is a text, not %s", ctn_json_kind_name(value));
        if (rc == CTN_OK)
            rc = check_name("a label's value", ctn_json_text(value), err);
    }
    return rc;
}

/* ---- writing it ---- */

ctn_entry ctn_execution_first_entry(const ctn_plan *plan, ctn_arena *scratch, bool is_queued, int64_t chain_version,
                                    const ctn_json *input, const ctn_json *labels, const ctn_parent *parent,
                                    ctn_str actor, int64_t now_ms)
{
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_str(&b, "chain", plan->chain_id);
    ctn_json_put_int(&b, "version", chain_version);
    ctn_json_builder digests = ctn_json_array(scratch);
    for (uint32_t i = 0; i < plan->definition_count; i++) {
        ctn_digest_text text = ctn_digest_to_text(plan->definitions[i].digest);
        ctn_json_push(&digests, ctn_json_string(scratch, ctn_str_from(text.text)));
    }
    ctn_json_put(&b, CTN_STR("digests"), ctn_json_finish(&digests));
    ctn_json_put(&b, CTN_STR("input"), input);
    if (labels)
        ctn_json_put(&b, CTN_STR("labels"), labels);
    if (parent) {
        ctn_json_builder p = ctn_json_object(scratch);
        ctn_json_put_str(&p, "id", ctn_arena_str(scratch, ctn_str_from(ctn_id_to_text(parent->id).text)));
        ctn_json_put_str(&p, "step", parent->step);
        ctn_json_put_int(&p, "item", parent->item);
        ctn_json_put_int(&p, "attempt", parent->attempt);
        ctn_json_put_int(&p, "depth", parent->depth);
        ctn_json_put(&b, CTN_STR("parent"), ctn_json_finish(&p));
    }
    return (ctn_entry){
        .kind = is_queued ? CTN_ENTRY_QUEUED : CTN_ENTRY_STARTED,
        .item = -1,
        .at_ms = now_ms,
        .actor = actor.len ? actor : CTN_STR("engine"),
        .body = ctn_json_finish(&b),
    };
}

static void add(ctn_entry *first, ctn_arena *scratch, ctn_str name, const ctn_json *value)
{
    ctn_json_builder b = ctn_json_object(scratch);
    ctn_json_put_all(&b, first->body);
    ctn_json_put(&b, name, value);
    first->body = ctn_json_finish(&b);
}

void ctn_execution_add_reuse(ctn_entry *first, ctn_arena *scratch, const ctn_json *going_on)
{
    add(first, scratch, CTN_STR("from"), ctn_json_member_of(going_on, "from"));
    add(first, scratch, CTN_STR("reused"), ctn_json_member_of(going_on, "reused"));
}

void ctn_execution_add_sensitive(ctn_entry *first, ctn_arena *scratch, const ctn_json *names)
{
    if (ctn_json_count(names))
        add(first, scratch, CTN_STR("sensitive"), names);
}

static void add_text(ctn_entry *first, ctn_arena *scratch, ctn_str name, ctn_str text)
{
    if (text.len)
        add(first, scratch, name, ctn_json_string(scratch, text));
}

void ctn_execution_add_origin(ctn_entry *first, ctn_arena *scratch, const ctn_origin *origin)
{
    add_text(first, scratch, CTN_STR("principal"), origin->principal);
    add_text(first, scratch, CTN_STR("traceparent"), origin->traceparent);
    if (origin->has_priority)
        add(first, scratch, CTN_STR("priority"), ctn_json_int(scratch, origin->priority));
}

/* ---- folding it in ---- */

static void find_sensitive(ctn_execution *x, const ctn_json *also)
{
    x->sensitive_also = also ? ctn_json_copy(x->arena, also) : NULL;
    x->sensitivity = ctn_sensitivity_with(x->plan, also, x->arena);
}

static void read_parent(ctn_execution *x, const ctn_json *parent)
{
    if (!parent)
        return;
    (void) ctn_id_parse(ctn_json_str_or(parent, "id", CTN_STR("")), &x->parent.id, NULL);
    x->parent.step = ctn_arena_str(x->arena, ctn_json_str_or(parent, "step", CTN_STR("")));
    x->parent.item = ctn_json_int_or(parent, "item", -1);
    x->parent.attempt = (uint32_t) ctn_json_int_or(parent, "attempt", 1);
    x->parent.depth = (uint32_t) ctn_json_int_or(parent, "depth", 1);
}

/* Most are nobody's in particular: its members are looked at once. */
static void read_origin(ctn_execution *x, const ctn_entry *e)
{
    x->origin = (ctn_origin){.priority = x->plan->priority};
    for (uint32_t i = 0; i < e->body->count; i++) {
        ctn_str name = ctn_json_text(&e->body->members[i].key);
        const ctn_json *value = &e->body->members[i].value;
        if (ctn_str_is(name, "principal"))
            x->origin.principal = ctn_arena_str(x->arena, ctn_json_text(value));
        else if (ctn_str_is(name, "traceparent"))
            x->origin.traceparent = ctn_arena_str(x->arena, ctn_json_text(value));
        else if (ctn_str_is(name, "labels"))
            x->origin.tenant = ctn_arena_str(x->arena, ctn_json_str_or(value, CTN_LABEL_TENANT, (ctn_str){0}));
        else if (ctn_str_is(name, "priority")) {
            x->origin.has_priority = true;
            x->origin.priority = (int) ctn_json_int_or(e->body, "priority", 0);
        }
    }
}

void ctn_x_apply_first(ctn_execution *x, const ctn_entry *e)
{
    const ctn_json *input = ctn_x_get(e, "input");
    if (input) {
        x->context.input = ctn_json_copy(x->arena, input);
        find_sensitive(x, ctn_x_get(e, "sensitive"));
        ctn_x_reuse_begin(x, e->body);
        read_origin(x, e);
    }
    read_parent(x, ctn_x_get(e, "parent"));
    x->is_queued = e->kind == CTN_ENTRY_QUEUED;
    if (x->is_queued)
        return;
    x->is_started = true;
    x->started_at_ms = e->at_ms;
    ctn_x_set_variables(x, x->context.input, CTN_PLAN_NONE);
    ctn_x_first_steps_are_due(x, e->at_ms);
}
