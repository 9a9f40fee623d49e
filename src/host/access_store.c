/*
 * access_store.c -- what the store says of principals, in memory: read at the start, and again when it has changed.
 *
 * The store counts its changes (store/principals.h); that number is looked at when somebody knocks or a call asks, at
 * most once a second. If it cannot be read, what was known last stays: a store that fails stops everything else.
 */
#include "host/access_state.h"

#define LOOK_EVERY_MS 1000

/* Everything that is read, while it is read; it becomes the access's own when nothing failed. */
typedef struct reading {
    access_known known;
    const ctn_log *log;
} reading;

static access_principal *principal_add(access_known *k, ctn_str name)
{
    uint32_t n = ctn_names_find(&k->names, name);
    if (n != CTN_NAMES_NONE)
        return &k->principals[n];
    n = ctn_names_add(&k->names, ctn_arena_str(k->arena, name));
    k->principals = ctn_arena_room(k->arena, k->principals, n, &k->principal_room, sizeof *k->principals);
    k->principals[n] = (access_principal){.name = k->names.items[n]};
    return &k->principals[n];
}

static int take_principal(void *ctx, const ctn_principal_row *row)
{
    access_known *k = &((reading *) ctx)->known;
    access_principal *p = principal_add(k, row->name);
    p->tenant = ctn_arena_str(k->arena, row->tenant);
    p->is_service = row->is_service;
    p->is_kept = true;
    return 0;
}

static int take_grant(void *ctx, const ctn_grant_row *row)
{
    reading *r = ctx;
    access_known *k = &r->known;
    ctn_grant grant;
    ctn_err err = {0};
    access_principal *p = principal_add(k, row->principal);
    if (ctn_grant_parse(row->what, ctn_arena_str(k->arena, row->chain), ctn_arena_str(k->arena, row->label), &grant,
                        &err)) {
        ctn_log_line(r->log, CTN_LOG_WARN, "a grant that this version does not know gives nothing", "why", err.message,
                     NULL);
        return 0;
    }
    grant.set = ctn_arena_str(k->arena, row->set);
    p->items = ctn_arena_room(k->arena, p->items, p->grants.count, &p->room, sizeof *p->items);
    p->items[p->grants.count] = grant;
    p->grants = (ctn_grants){p->items, p->grants.count + 1};
    return 0;
}

static int take_key(void *ctx, const ctn_api_key_row *row)
{
    access_known *k = &((reading *) ctx)->known;
    k->keys = ctn_arena_room(k->arena, k->keys, k->key_count, &k->key_room, sizeof *k->keys);
    access_key *key = &k->keys[k->key_count++];
    *key = (access_key){.row = *row};
    key->row.id = ctn_arena_str(k->arena, row->id);
    key->row.principal = ctn_arena_str(k->arena, row->principal);
    key->row.created_by = (ctn_str){0};
    return 0;
}

static int read_all(ctn_access *access, int64_t changes, ctn_err *err)
{
    reading r = {.known = {.arena = ctn_arena_new(4096), .changes = changes}, .log = access->of.log};
    ctn_names_init(&r.known.names, r.known.arena);
    int rc = ctn_store_principal_list(access->of.store, take_principal, &r, err);
    if (rc == CTN_OK)
        rc = ctn_store_grant_list(access->of.store, take_grant, &r, err);
    if (rc == CTN_OK)
        rc = ctn_store_api_key_list(access->of.store, take_key, &r, err);
    if (rc) {
        ctn_arena_free(r.known.arena);
        return rc;
    }
    ctn_arena_free(access->known.arena);
    access->known = r.known;
    return CTN_OK;
}

int access_refresh(ctn_access *access, ctn_err *err)
{
    int64_t changes = 0, now_ms = access_now_ms(access);
    bool is_first = !access->known.arena;
    if (!is_first && now_ms >= access->looked_at_ms && now_ms - access->looked_at_ms < LOOK_EVERY_MS)
        return CTN_OK;
    access->looked_at_ms = now_ms;
    int rc = ctn_store_principal_changes(access->of.store, &changes, err);
    return rc || (!is_first && changes == access->known.changes) ? rc : read_all(access, changes, err);
}

const access_principal *access_principal_of(const ctn_access *access, ctn_str name)
{
    uint32_t n = ctn_names_find(&access->known.names, name);
    return n == CTN_NAMES_NONE ? NULL : &access->known.principals[n];
}

access_key *access_key_of(const ctn_access *access, ctn_str id)
{
    size_t low = 0, high = access->known.key_count;
    while (low < high) { /* they came by id */
        size_t middle = low + (high - low) / 2;
        if (ctn_str_compare(access->known.keys[middle].row.id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < access->known.key_count && ctn_str_equal(access->known.keys[low].row.id, id) ? &access->known.keys[low]
                                                                                              : NULL;
}
