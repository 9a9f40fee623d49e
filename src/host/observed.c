/*
 * observed.c -- see observed.h.
 */
#include "host/observed.h"
#include "engine/fold.h"

#define EXECUTIONS_MAX  50
#define ENTRIES_MAX     5000 /* of one execution */
#define SAMPLES_MAX     20   /* of one tool */
#define VALUE_BYTES_MAX 65536

typedef struct samples {
    ctn_json_builder whole, parts;
    size_t whole_count, part_count;
} samples;

typedef struct reading {
    ctn_arena *arena;
    ctn_store *store;
    const ctn_str *targets;
    samples *samples; /* by target */
    size_t count;
    const ctn_plan *plan; /* of the execution that is being read */
    size_t entries;
} reading;

static size_t find_target(const reading *r, const ctn_plan_call *call)
{
    for (size_t i = 0; call->kind == CTN_WORK_TOOL && i < r->count; i++)
        if (ctn_str_equal(r->targets[i], call->target))
            return i;
    return SIZE_MAX;
}

static void take(reading *r, size_t target, const ctn_json *value, bool is_whole)
{
    samples *s = &r->samples[target];
    size_t *count = is_whole ? &s->whole_count : &s->part_count;
    if (*count >= SAMPLES_MAX || ctn_json_bytes(value) > VALUE_BYTES_MAX)
        return;
    ctn_json_push(is_whole ? &s->whole : &s->parts, ctn_json_copy(r->arena, value));
    (*count)++;
}

/* Several variables without a path are members of the result by their own names; a single one may be the whole. */
static const ctn_json *members_of(const reading *r, const ctn_plan_step *step, const ctn_json *variables)
{
    ctn_json_builder b = ctn_json_object(r->arena);
    size_t count = 0;
    for (uint32_t i = 0; i < step->output_count; i++) {
        ctn_str name = r->plan->variables[step->outputs[i].slot];
        const ctn_json *value = ctn_json_get(variables, name);
        if (step->outputs[i].path || !value)
            continue;
        ctn_json_put(&b, name, value);
        count++;
    }
    return count > 1 ? ctn_json_finish(&b) : NULL;
}

static void take_entry(reading *r, const ctn_entry *e)
{
    uint32_t index = e->step.len ? ctn_plan_step_index(r->plan, e->step) : CTN_PLAN_NONE;
    if (e->kind != CTN_ENTRY_ATTEMPT_SUCCEEDED || index == CTN_PLAN_NONE || ctn_json_member_of(e->body, "items"))
        return;
    const ctn_plan_step *step = &r->plan->steps[index];
    if (!step->set || step->fallback_count || step->document) /* whose result it is, is not so sure */
        return;
    if (step->set->is_several) {
        ctn_str name = ctn_json_str_or(e->body, "call", (ctn_str){0});
        const ctn_json *result = ctn_json_member_of(e->body, "result");
        for (uint32_t i = 0; result && i < step->set->call_count; i++) {
            size_t target = find_target(r, &step->set->calls[i]);
            if (target != SIZE_MAX && ctn_str_equal(step->set->calls[i].name, name))
                take(r, target, result, true);
        }
        return;
    }
    size_t target = step->set->call_count == 1 ? find_target(r, &step->set->calls[0]) : SIZE_MAX;
    const ctn_json *part = target != SIZE_MAX ? members_of(r, step, ctn_json_member_of(e->body, "variables")) : NULL;
    if (part)
        take(r, target, part, false);
}

static int on_record(void *ctx, const ctn_record *record, int64_t position)
{
    reading *r = ctx;
    ctn_entry entry;
    (void) position;
    if (r->entries++ >= ENTRIES_MAX)
        return CTN_E_LIMIT; /* enough */
    if (record->kind == CTN_ENTRY_ATTEMPT_SUCCEEDED && !record->sealed.len && record->body.len <= 4 * VALUE_BYTES_MAX &&
        ctn_record_to_entry(record, r->arena, &entry, NULL) == CTN_OK)
        take_entry(r, &entry);
    return CTN_OK;
}

static int on_execution(void *ctx, const ctn_execution_row *row)
{
    reading *r = ctx;
    ctn_execution *x = NULL;
    ctn_arena *arena = ctn_arena_new(65536);
    if (ctn_execution_load(r->store, arena, row, &x, NULL) == CTN_OK) {
        r->plan = ctn_execution_plan(x);
        r->entries = 0;
        (void) ctn_store_journal_read(r->store, row->exec_no, 1, on_record, r, NULL);
        ctn_execution_unload(x);
    }
    ctn_arena_free(arena);
    return 0;
}

void ctn_observed_read(const ctn_workspace *ws, const ctn_str *targets, size_t count, ctn_observed *ret_observed)
{
    reading r = {.arena = ws->arena, .targets = targets, .count = count};
    r.samples = CTN_NEW_ARRAY(ws->arena, samples, count);
    for (size_t i = 0; i < count; i++) {
        r.samples[i].whole = ctn_json_array(ws->arena);
        r.samples[i].parts = ctn_json_array(ws->arena);
        ret_observed[i] = (ctn_observed){.target = targets[i]};
    }
    if (count == 0 || !ws->store_file.len || ctn_workspace_read_store(ws, &r.store, NULL))
        return;
    ctn_execution_filter filter = {.limit = EXECUTIONS_MAX};
    (void) ctn_store_execution_list(r.store, &filter, on_execution, &r, NULL);
    ctn_store_close(r.store);
    for (size_t i = 0; i < count; i++) {
        if (r.samples[i].whole_count)
            ret_observed[i].whole = ctn_json_finish(&r.samples[i].whole);
        if (r.samples[i].part_count)
            ret_observed[i].parts = ctn_json_finish(&r.samples[i].parts);
    }
}
