/*
 * chains.c -- operations about chains: those that the configuration includes, and those of the store. An id that both
 * have means the configuration's chain, as everywhere else.
 */
#include "host/told.h"
#include "server/api/execution.h"
#include <stdlib.h>

typedef struct known_chain {
    ctn_str id;
    const ctn_chain *chain; /* of the configuration; NULL: it is the store's alone */
    ctn_chain_row row;      /* version 0: it is not stored */
} known_chain;

typedef struct listing {
    ctn_arena *arena;
    known_chain *items;
    size_t count, capacity;
} listing;

static known_chain *add(listing *l, ctn_str id)
{
    l->items = ctn_arena_room(l->arena, l->items, l->count, &l->capacity, sizeof *l->items);
    l->items[l->count].id = id;
    return &l->items[l->count++];
}

static int add_stored(void *ctx, const ctn_chain_row *row)
{
    listing *l = ctx;
    known_chain *c = NULL;
    for (size_t i = 0; i < l->count && !c; i++)
        if (ctn_str_equal(l->items[i].id, row->chain_id))
            c = &l->items[i];
    if (!c)
        c = add(l, ctn_arena_str(l->arena, row->chain_id));
    c->row = *row;
    c->row.created_by = ctn_arena_str(l->arena, row->created_by);
    return 0;
}

static int by_id(const void *a, const void *b)
{
    return ctn_str_compare(((const known_chain *) a)->id, ((const known_chain *) b)->id);
}

static ctn_json_builder head_of(ctn_arena *arena, const known_chain *c)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "chain", c->id);
    if (c->row.version) {
        ctn_json_put_int(&b, "version", c->row.version);
        ctn_json_put_time(&b, "importedAt", c->row.created_at_ms);
        ctn_json_put_str(&b, "importedBy", c->row.created_by);
    }
    ctn_json_put_str(&b, "from", c->chain ? ctn_source_file_name(c->chain->source) : CTN_STR("the store"));
    if (c->chain && ctn_json_text(c->chain->name).len)
        ctn_json_put_str(&b, "title", ctn_json_text(c->chain->name));
    if (c->chain && ctn_json_text(c->chain->description).len)
        ctn_json_put_str(&b, "description", ctn_json_text(c->chain->description));
    return b;
}

static void list_chains(ctn_api_call *call)
{
    const ctn_library *library = ctn_host_workspace(call->host)->config->library;
    listing l = {.arena = call->arena};
    ctn_json_builder list = ctn_json_array(call->arena), b = ctn_json_object(call->arena);
    ctn_err err = {0};
    for (size_t i = 0; i < ctn_library_chain_count(library); i++) {
        const ctn_chain *chain = ctn_library_chain_at(library, i);
        add(&l, chain->id)->chain = chain;
    }
    if (ctn_store_chain_list(ctn_host_store(call->host), add_stored, &l, &err)) {
        ctn_api_fail(call, &err);
        return;
    }
    qsort(l.items, l.count, sizeof *l.items, by_id);
    for (size_t i = 0; i < l.count; i++) {
        ctn_access_object object = {.chain_id = l.items[i].id, .is_shared = true};
        if (!ctn_access_may(call->caller, CTN_ACTION_CHAINS_READ, &object))
            continue;
        ctn_json_builder head = head_of(call->arena, &l.items[i]);
        ctn_json_push(&list, ctn_json_finish(&head));
    }
    ctn_json_put(&b, CTN_STR("chains"), ctn_json_finish(&list));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

const ctn_api_operation ctn_api_chains[] = {
    {"listChains", list_chains},
    {0},
};
