/*
 * explain.c -- see explain.h.
 */
#include "host/explain.h"
#include "engine/fold.h"

#define ENTRIES_MAX  2000000
#define CHILDREN_MAX 64

struct ctn_explanation {
    ctn_arena *arena;
    ctn_store *store;
    ctn_why_source source;
    ctn_why_source children[CHILDREN_MAX]; /* loaded on the way */
    size_t child_count;
};

typedef struct reading {
    ctn_arena *arena;
    ctn_entry *entries;
    size_t count, capacity;
    ctn_err *err;
} reading;

static int read_record(void *ctx, const ctn_record *record, int64_t position)
{
    reading *r = ctx;
    (void) position;
    if (r->count >= ENTRIES_MAX)
        return ctn_fail(r->err, CTN_E_LIMIT, "the journal has more than %d entries", ENTRIES_MAX);
    r->entries = ctn_arena_room(r->arena, r->entries, r->count, &r->capacity, sizeof *r->entries);
    return ctn_record_to_entry(record, r->arena, &r->entries[r->count++], r->err);
}

static int load_source(ctn_explanation *e, const ctn_execution_row *row, ctn_why_source *ret, ctn_err *err)
{
    ctn_execution *x = NULL;
    reading r = {.arena = e->arena, .err = err};
    int rc = ctn_execution_load(e->store, e->arena, row, &x, err);
    if (rc == CTN_OK)
        rc = ctn_store_journal_read(e->store, row->exec_no, 1, read_record, &r, err);
    if (rc) {
        ctn_execution_unload(x);
        return rc;
    }
    *ret = (ctn_why_source){.execution = x, .entries = r.entries, .count = r.count};
    return CTN_OK;
}

static bool load_child(void *ctx, ctn_str execution_id, ctn_why_source *ret_source)
{
    ctn_explanation *e = ctx;
    ctn_execution_id id;
    ctn_execution_row row;
    if (ctn_id_parse(execution_id, &id, NULL))
        return false;
    for (size_t i = 0; i < e->child_count; i++)
        if (ctn_id_equal(ctn_execution_id_of(e->children[i].execution), id)) {
            *ret_source = e->children[i];
            return true;
        }
    if (e->child_count == CHILDREN_MAX || ctn_store_execution_get(e->store, e->arena, id, &row, NULL) ||
        load_source(e, &row, ret_source, NULL))
        return false;
    e->children[e->child_count++] = *ret_source;
    return true;
}

int ctn_explanation_open(ctn_store *store, ctn_arena *arena, const ctn_execution_row *row,
                         ctn_explanation **ret_explanation, ctn_err *err)
{
    ctn_explanation *e = CTN_NEW(arena, ctn_explanation);
    *e = (ctn_explanation){.arena = arena, .store = store};
    int rc = load_source(e, row, &e->source, err);
    if (rc == CTN_OK)
        *ret_explanation = e;
    return rc;
}

void ctn_explanation_close(ctn_explanation *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->child_count; i++)
        ctn_execution_unload((ctn_execution *) e->children[i].execution); /* ours: load_source made it */
    ctn_execution_unload((ctn_execution *) e->source.execution);
}

const ctn_execution *ctn_explanation_execution(const ctn_explanation *e)
{
    return e->source.execution;
}

/* Neither a variable nor a step: the nearest of both. */
static int unknown_name(const ctn_explanation *e, ctn_str name, ctn_err *err)
{
    const ctn_plan *plan = ctn_execution_plan(e->source.execution);
    ctn_str *names = CTN_NEW_ARRAY(e->arena, ctn_str, (size_t) plan->variable_count + plan->step_count);
    size_t count = 0;
    for (uint32_t i = 0; i < plan->variable_count; i++)
        names[count++] = plan->variables[i];
    for (uint32_t i = 0; i < plan->step_count; i++)
        names[count++] = plan->steps[i].name;
    ctn_str near = ctn_str_nearest(name, names, count);
    if (near.len)
        return ctn_fail(err, CTN_E_NOT_FOUND, "%.*s is no variable and no step of the chain; did you mean %.*s?",
                        CTN_STR_ARG(name), CTN_STR_ARG(near));
    return ctn_fail(err, CTN_E_NOT_FOUND, "%.*s is no variable and no step of the chain %.*s", CTN_STR_ARG(name),
                    CTN_STR_ARG(plan->chain_id));
}

int ctn_explanation_ask(ctn_explanation *e, const ctn_question_why *q, const ctn_why_node **ret_node, bool *ret_is_both,
                        ctn_err *err)
{
    int64_t item;
    ctn_why_options options = {.at_seq = q->at_seq, .child = load_child, .child_ctx = e};
    const ctn_plan *plan = ctn_execution_plan(e->source.execution);
    bool step_exists = ctn_plan_step_index(plan, ctn_why_step_name(q->name, &item)) != CTN_PLAN_NONE;
    bool variable_exists = ctn_why_knows_variable(&e->source, q->name);
    bool is_free = !q->is_step && !q->is_variable;
    if (is_free && !step_exists && !variable_exists)
        return unknown_name(e, q->name, err);
    if (ret_is_both)
        *ret_is_both = is_free && step_exists && variable_exists;
    return q->is_step || (is_free && !variable_exists)
               ? ctn_why_step(e->arena, &e->source, &options, q->name, ret_node, err)
               : ctn_why_variable(e->arena, &e->source, &options, q->name, ret_node, err);
}
