/*
 * plan_start.c -- what a start was given, judged before anything runs, and the line that it stands in.
 *
 * Defaults of the schema come first, then the schema's verdict, then the inputs that a placeholder needs. An input that
 * nothing names is kept. The message names the nearest name that was given, for that is what people mistype.
 */
#include "chain/plan.h"
#include "base/hash.h"

static const ctn_json *with_defaults(ctn_arena *arena, const ctn_json *schema, const ctn_json *input)
{
    const ctn_json *properties = ctn_json_member_of(schema, "properties");
    if (!ctn_json_is(properties, CTN_JSON_OBJECT))
        return input;
    ctn_json_builder filled = ctn_json_object(arena);
    ctn_json_put_all(&filled, input);
    bool is_changed = false;
    for (uint32_t i = 0; i < properties->count; i++) {
        ctn_str name = ctn_json_text(&properties->members[i].key);
        const ctn_json *value = ctn_json_get(input, name);
        const ctn_json *otherwise = ctn_json_member_of(&properties->members[i].value, "default");
        const ctn_json *now = value ? value : otherwise;
        /* The defaults inside an object that was given, or is itself a default. */
        if (ctn_json_is(now, CTN_JSON_OBJECT))
            now = with_defaults(arena, &properties->members[i].value, now);
        if (!now || now == value)
            continue;
        ctn_json_put(&filled, name, now);
        is_changed = true;
    }
    return is_changed ? ctn_json_finish(&filled) : input;
}

static int check_names(const ctn_json *input, ctn_err *err)
{
    for (uint32_t i = 0; i < ctn_json_count(input); i++) {
        ctn_str name = ctn_json_text(&input->members[i].key);
        if (ctn_is_reserved_root(name))
            return ctn_fail(
                err, CTN_E_INVALID,
                "an input cannot be named '%.*s': the language uses that name for itself; choose another one",
                CTN_STR_ARG(name));
    }
    return CTN_OK;
}

/* The names that were given and that the chain does not know: one of them was meant. */
static ctn_str nearest_given(const ctn_plan *plan, ctn_arena *arena, const ctn_json *input, ctn_str missing)
{
    ctn_str *given = CTN_NEW_ARRAY(arena, ctn_str, ctn_json_count(input));
    size_t count = 0;
    for (uint32_t i = 0; i < ctn_json_count(input); i++) {
        ctn_str name = ctn_json_text(&input->members[i].key);
        if (ctn_plan_slot(plan, name) == CTN_PLAN_NONE)
            given[count++] = name;
    }
    return ctn_str_nearest(missing, given, count);
}

static int check_required(const ctn_plan *plan, ctn_arena *arena, const ctn_json *input, ctn_err *err)
{
    for (uint32_t i = 0; i < plan->input_count; i++) {
        ctn_str name = plan->variables[plan->inputs[i].slot];
        if (!plan->inputs[i].is_required || ctn_json_get(input, name))
            continue;
        ctn_str near = nearest_given(plan, arena, input, name);
        if (near.len)
            return ctn_fail(err, CTN_E_INVALID,
                            "chain '%.*s' needs the input '%.*s'; '%.*s' was given: did you mean that?",
                            CTN_STR_ARG(plan->chain_id), CTN_STR_ARG(name), CTN_STR_ARG(near));
        return ctn_fail(err, CTN_E_INVALID, "chain '%.*s' needs the input '%.*s', which was not given: add -i %.*s=...",
                        CTN_STR_ARG(plan->chain_id), CTN_STR_ARG(name), CTN_STR_ARG(name));
    }
    return CTN_OK;
}

/* The sentence names a place within one of the sensitive inputs, or none at all: it may show a value of it. */
static bool may_tell_sensitive(const ctn_plan *plan, const ctn_err *err)
{
    ctn_str said = err ? ctn_str_from(err->message) : (ctn_str){0};
    size_t colon = ctn_str_find(said, CTN_STR(":"));
    if (!plan->sensitive || !said.len)
        return false;
    if (said.ptr[0] != '/' || colon == SIZE_MAX)
        return true;
    ctn_str place = {said.ptr + 1, colon - 1}, name = ctn_str_cut(&place, '/');
    return ctn_json_has_text(plan->sensitive, name) || memchr(name.ptr, '~', name.len); /* one not written out */
}

int ctn_plan_accept_input(const ctn_plan *plan, ctn_arena *arena, const ctn_json *input, const ctn_json **ret_input,
                          ctn_err *err)
{
    static const ctn_json none = {.kind = CTN_JSON_OBJECT};
    if (!input)
        input = &none;
    if (!ctn_json_is(input, CTN_JSON_OBJECT))
        return ctn_fail(err, CTN_E_INVALID, "the input of a chain must be an object of names and values, not %s",
                        ctn_json_kind_name(input));
    int rc = check_names(input, err);
    if (rc)
        return rc;
    if (plan->input_schema_source)
        input = with_defaults(arena, plan->input_schema_source, input);
    rc = check_required(plan, arena, input, err);
    if (rc)
        return rc;
    if (plan->input_schema) {
        rc = ctn_schema_validate(plan->input_schema, input, arena, err);
        if (rc && may_tell_sensitive(plan, err))
            rc = ctn_fail(err, rc, "what is wrong with a sensitive value is not told");
        if (rc)
            return ctn_wrap(err, CTN_E_INVALID, "the input of chain '%.*s' does not fit its inputSchema",
                            CTN_STR_ARG(plan->chain_id));
    }
    *ret_input = input;
    return CTN_OK;
}

/* ---- the line: its concurrencyKey, made of the inputs ---- */

static const ctn_json *input_lookup(void *ctx, ctn_str name)
{
    return ctn_json_get(*(const ctn_json *const *) ctx, name);
}

static size_t input_names(void *ctx, ctn_str *ret_names, size_t max)
{
    const ctn_json *input = *(const ctn_json *const *) ctx;
    size_t count = ctn_json_count(input);
    if (count > max)
        count = max;
    for (size_t i = 0; i < count; i++)
        ret_names[i] = ctn_json_text(&input->members[i].key);
    return count;
}

int ctn_plan_queue_key(const ctn_plan *plan, ctn_arena *arena, const ctn_json *input, int64_t now_ms, ctn_str *ret_key,
                       ctn_err *err)
{
    *ret_key = (ctn_str){0};
    if (!plan->concurrency_key)
        return CTN_OK;
    ctn_scope scope = {.lookup = input_lookup, .ctx = &input, .names = input_names, .now_ms = now_ms};
    const ctn_json *value = NULL;
    ctn_err inner = {0};
    ctn_failure failure =
        ctn_template_render(plan->concurrency_key, &scope, arena, CTN_QUEUE_KEY_RENDERED_MAX, &value, &inner);
    if (failure)
        return ctn_fail(err, CTN_E_INVALID, "concurrencyKey of chain '%.*s': %s", CTN_STR_ARG(plan->chain_id),
                        inner.message);
    ctn_str key = ctn_value_to_text(arena, value);
    if (key.len > CTN_QUEUE_KEY_MAX)
        key = ctn_arena_printf(arena, "digest:%s", ctn_digest_to_text(ctn_hash(key)).text);
    *ret_key = key;
    return CTN_OK;
}
