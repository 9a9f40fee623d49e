/*
 * shelf.c -- see shelf.h. Plans that were replaced stay with the engine: executions of them may go on.
 */
#include "host/shelf.h"
#include "base/memory.h"
#include <stdlib.h>

typedef struct shelved {
    struct shelved *next;
    bool is_of_store;
    ctn_digest digest; /* of its definition, when it is of the store */
    const ctn_plan *plan;
    int64_t version;
    char id[];
} shelved;

struct ctn_shelf {
    const ctn_workspace *ws;
    ctn_engine *engine;
    ctn_store *store;
    ctn_arena *scratch;
    shelved *buckets[256];
};

ctn_shelf *ctn_shelf_new(const ctn_workspace *ws, ctn_engine *engine, ctn_store *store)
{
    ctn_shelf *shelf = ctn_malloc(sizeof *shelf);
    *shelf = (ctn_shelf){.ws = ws, .engine = engine, .store = store, .scratch = ctn_arena_new(16384)};
    return shelf;
}

void ctn_shelf_free(ctn_shelf *shelf)
{
    if (!shelf)
        return;
    for (size_t i = 0; i < sizeof shelf->buckets / sizeof *shelf->buckets; i++)
        for (shelved *s = shelf->buckets[i], *next; s; s = next) {
            next = s->next;
            free(s);
        }
    ctn_arena_free(shelf->scratch);
    free(shelf);
}

static shelved *find(ctn_shelf *shelf, ctn_str id, bool makes)
{
    shelved **bucket = &shelf->buckets[ctn_str_hash(id) % 256];
    for (shelved *s = *bucket; s; s = s->next)
        if (ctn_str_is(id, s->id))
            return s;
    if (!makes)
        return NULL;
    shelved *s = ctn_calloc(1, sizeof *s + id.len + 1);
    memcpy(s->id, id.ptr, id.len);
    s->next = *bucket;
    *bucket = s;
    return s;
}

/* *ret_row: as the store has it; version 0: it is one of the configuration, or of nobody. */
static bool is_current(ctn_shelf *shelf, const shelved *s, ctn_str id, ctn_chain_row *ret_row)
{
    bool is_included = ctn_library_chain(shelf->ws->config->library, id) != NULL;
    *ret_row = (ctn_chain_row){0};
    if (is_included)
        return s && !s->is_of_store;
    if (ctn_store_chain_get(shelf->store, shelf->scratch, id, 0, ret_row, NULL))
        return false;
    return s && s->is_of_store && s->version == ret_row->version &&
           memcmp(&s->digest, &ret_row->digest, sizeof s->digest) == 0;
}

static int compile(ctn_shelf *shelf, ctn_str id, ctn_str actor, const ctn_chain_row *row, ctn_err *err)
{
    ctn_plan *plan = NULL;
    const ctn_plan *kept = NULL;
    int64_t version = 0;
    int rc = ctn_workspace_find_plan(shelf->ws, shelf->scratch, id, &plan, err);
    if (rc == CTN_OK)
        rc = ctn_engine_plan_add(shelf->engine, plan, actor, &kept, &version, err);
    if (rc)
        return rc;
    shelved *s = find(shelf, id, true);
    s->plan = kept;
    s->version = version;
    s->is_of_store = row->version != 0;
    s->digest = row->digest;
    return CTN_OK;
}

int ctn_shelf_find(ctn_shelf *shelf, ctn_str id, ctn_str actor, const ctn_plan **ret_plan, int64_t *ret_version,
                   ctn_err *err)
{
    ctn_chain_row row;
    int rc = CTN_OK;
    ctn_arena_mark mark = ctn_arena_save(shelf->scratch);
    if (!is_current(shelf, find(shelf, id, false), id, &row))
        rc = compile(shelf, id, actor, &row, err);
    if (rc == CTN_OK) {
        const shelved *s = find(shelf, id, false);
        *ret_plan = s->plan;
        *ret_version = s->version;
    }
    ctn_arena_restore(shelf->scratch, mark);
    return rc;
}
