/* execution_kit_look.c -- what came of an execution, as a test looks at it. */
#include "unit/kit/execution_kit_state.h"

void kit_is(kit *k, const char *status)
{
    const char *is = ctn_status_name(ctn_execution_status(k->x));
    if (strcmp(is, status) != 0)
        KIT_FAIL(k, "it is %s, not %s", is, status);
}

ctn_step_view kit_step(kit *k, const char *step)
{
    uint32_t index = ctn_plan_step_index(k->plan, ctn_str_from(step));
    assert_true(index != CTN_PLAN_NONE);
    return ctn_execution_step(k->x, index);
}

void kit_step_is(kit *k, const char *step, const char *status)
{
    const char *is = ctn_step_status_name(kit_step(k, step).status);
    if (strcmp(is, status) != 0)
        KIT_FAIL(k, "step %s is %s, not %s", step, is, status);
}

static void expect_json(kit *k, const char *what, const ctn_json *got, const char *expected)
{
    const ctn_json *e = kit_json(k, expected);
    if (!kit_same_json(got, e))
        KIT_FAIL(k, "%s: %s, not %s", what, got ? ctn_json_to_str(k->arena, got).ptr : "nothing",
                 expected ? expected : "nothing");
}

void kit_variable_is(kit *k, const char *name, const char *json)
{
    expect_json(k, name, ctn_execution_variable(k->x, ctn_str_from(name)), json);
}

void kit_outputs_are(kit *k, const char *json)
{
    expect_json(k, "outputs", ctn_execution_outputs(k->x), json);
}

void kit_error_is(kit *k, const char *json)
{
    const ctn_json *error = ctn_execution_error(k->x);
    if (!error) {
        expect_json(k, "error", NULL, json);
        return;
    }
    ctn_json_builder b = ctn_json_object(k->arena);
    for (size_t i = 0; i < ctn_json_count(error); i++)
        if (!ctn_str_is(ctn_json_text(&error->members[i].key), "message"))
            ctn_json_put(&b, ctn_json_text(&error->members[i].key), &error->members[i].value);
    expect_json(k, "error", ctn_json_finish(&b), json);
}

const char *kit_error_message(kit *k)
{
    return ctn_arena_str(k->arena, ctn_json_str_or(ctn_execution_error(k->x), "message", CTN_STR(""))).ptr;
}

void kit_journal_is(kit *k, const char *expected)
{
    ctn_str list = CTN_STR("");
    for (size_t i = 0; i < k->count; i++)
        list = ctn_arena_printf(k->arena, "%.*s%s%s%s%.*s", CTN_STR_ARG(list), i ? " " : "",
                                ctn_entry_kind_name(k->records[i].kind), k->records[i].step.len ? ":" : "",
                                CTN_STR_ARG(k->records[i].step));
    if (!ctn_str_is(list, expected))
        KIT_FAIL(k, "the journal is\n  %.*s\nnot\n  %s", CTN_STR_ARG(list), expected);
}

static bool is_of(const ctn_record *r, ctn_entry_kind kind, const char *step)
{
    return r->kind == kind && (!step || ctn_str_is(r->step, step));
}

int kit_count(kit *k, ctn_entry_kind kind, const char *step)
{
    int n = 0;
    for (size_t i = 0; i < k->count; i++)
        n += is_of(&k->records[i], kind, step);
    return n;
}

const ctn_json *kit_body(kit *k, ctn_entry_kind kind, int n)
{
    for (size_t i = 0; i < k->count; i++)
        if (is_of(&k->records[i], kind, NULL) && n-- == 0)
            return kit_json(k, ctn_arena_str(k->arena, k->records[i].body).ptr);
    KIT_FAIL(k, "there is no such %s", ctn_entry_kind_name(kind));
    return NULL;
}

void kit_body_says(kit *k, ctn_entry_kind kind, const char *member, const char *text)
{
    ctn_str said = ctn_json_str_or(kit_body(k, kind, 0), member, CTN_STR(""));
    if (!ctn_str_is(said, text))
        KIT_FAIL(k, "%s of the %s is \"%.*s\", not \"%s\"", member, ctn_entry_kind_name(kind), CTN_STR_ARG(said), text);
}

const ctn_execution *kit_execution(kit *k)
{
    return k->x;
}

ctn_record *kit_records(kit *k, size_t *ret_count)
{
    *ret_count = k->count;
    return k->records;
}

ctn_arena *kit_arena(kit *k)
{
    return k->arena;
}
