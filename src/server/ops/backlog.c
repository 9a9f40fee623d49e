/*
 * backlog.c -- see backlog.h.
 */
#include "server/ops/backlog.h"
#include <stdlib.h>
#include "server/ops/meters.h"

/* A tenant's chain in the queue, all its priorities together; or a tenant. */
typedef struct row {
    ctn_str tenant, chain_id;
    int64_t count; /* what rows are chosen by: queued, or running */
    int64_t oldest_at_ms;
    bool is_shut;
} row;

typedef struct rows {
    ctn_arena *arena;
    row *items;
    size_t count, capacity;
} rows;

static row *add(rows *all)
{
    all->items = ctn_arena_room(all->arena, all->items, all->count, &all->capacity, sizeof *all->items);
    return &all->items[all->count++];
}

static int by_name(const void *a, const void *b)
{
    const row *x = a, *y = b;
    int order = ctn_str_compare(x->tenant, y->tenant);
    return order ? order : ctn_str_compare(x->chain_id, y->chain_id);
}

static int by_count(const void *a, const void *b)
{
    const row *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_name(a, b);
}

static void take_up(row *into, const row *from)
{
    into->count += from->count;
    if (from->oldest_at_ms && (!into->oldest_at_ms || from->oldest_at_ms < into->oldest_at_ms))
        into->oldest_at_ms = from->oldest_at_ms;
    into->is_shut = into->is_shut || from->is_shut;
}

/* One row a name, the largest first, and not too many. */
static void condense(rows *all)
{
    size_t kept = 0;
    if (!all->count)
        return;
    qsort(all->items, all->count, sizeof *all->items, by_name);
    for (size_t i = 1; i < all->count; i++)
        if (by_name(&all->items[kept], &all->items[i]) == 0)
            take_up(&all->items[kept], &all->items[i]);
        else
            all->items[++kept] = all->items[i];
    all->count = kept + 1;
    qsort(all->items, all->count, sizeof *all->items, by_count);
    if (all->count <= CTN_BACKLOG_ROWS_MAX)
        return;
    row other = {.tenant = CTN_STR(CTN_METERS_OTHER), .chain_id = CTN_STR(CTN_METERS_OTHER)};
    for (size_t i = CTN_BACKLOG_ROWS_MAX; i < all->count; i++)
        take_up(&other, &all->items[i]);
    all->count = CTN_BACKLOG_ROWS_MAX;
    for (size_t i = 0; i < all->count; i++)
        if (by_name(&all->items[i], &other) == 0) { /* somebody is called so: no series twice */
            take_up(&all->items[i], &other);
            return;
        }
    all->items[all->count++] = other;
}

static int add_lane(void *ctx, const ctn_queue_figure *lane)
{
    *add(ctx) = (row){
        .tenant = lane->tenant, .chain_id = lane->chain_id, .count = lane->depth, .oldest_at_ms = lane->oldest_at_ms};
    return 0;
}

static int add_tenant(void *ctx, const ctn_tenant_figure *tenant)
{
    *add(ctx) = (row){.tenant = tenant->tenant, .count = tenant->running, .is_shut = tenant->is_shut};
    return 0;
}

static void write_queue(ctn_expo *e, const rows *all, int64_t now_ms)
{
    ctn_expo_family(e, CTN_EXPO_GAUGE, "catena_queue_depth",
                    "Executions that are queued, by tenant and chain; the longest queues.");
    for (size_t i = 0; i < all->count; i++) {
        const ctn_label labels[] = {{"tenant", all->items[i].tenant}, {"chain", all->items[i].chain_id}};
        ctn_expo_gauge(e, labels, 2, (double) all->items[i].count);
    }
    ctn_expo_family(e, CTN_EXPO_GAUGE, "catena_queue_oldest_age_seconds",
                    "How long the first of them that may start has been queued.");
    for (size_t i = 0; i < all->count; i++) {
        const ctn_label labels[] = {{"tenant", all->items[i].tenant}, {"chain", all->items[i].chain_id}};
        int64_t since_ms = all->items[i].oldest_at_ms;
        ctn_expo_gauge(e, labels, 2, since_ms && since_ms < now_ms ? (double) (now_ms - since_ms) / 1000 : 0);
    }
}

static void write_tenants(ctn_expo *e, const rows *all)
{
    ctn_expo_family(e, CTN_EXPO_GAUGE, "catena_tenant_running", "Executions that run, by tenant.");
    for (size_t i = 0; i < all->count; i++)
        ctn_expo_gauge(e, &(ctn_label){"tenant", all->items[i].tenant}, 1, (double) all->items[i].count);
    ctn_expo_family(e, CTN_EXPO_GAUGE, "catena_tenant_shut",
                    "1 while a quota of the day is used up and nothing of the tenant starts.");
    for (size_t i = 0; i < all->count; i++)
        ctn_expo_gauge(e, &(ctn_label){"tenant", all->items[i].tenant}, 1, all->items[i].is_shut);
}

static void write_engine(ctn_expo *e, const ctn_engine_figures *f)
{
    const struct {
        ctn_expo_type type;
        const char *name, *help;
        double value;
    } FIGURES[] = {
        {CTN_EXPO_GAUGE, "catena_executions_loaded", "Executions in memory.", (double) f->loaded},
        {CTN_EXPO_GAUGE, "catena_executions_running", "Executions that have begun and are there to go on.",
         (double) f->running},
        {CTN_EXPO_GAUGE, "catena_calls_in_flight", "Calls that are under way.", (double) f->in_flight},
        {CTN_EXPO_GAUGE, "catena_starts_pending", "Starts that were asked for and are not acknowledged yet.",
         (double) f->starting},
        {CTN_EXPO_GAUGE, "catena_entries_gathering", "Entries that are decided and not on disk yet.",
         (double) f->entries_gathering},
        {CTN_EXPO_COUNTER, "catena_commits", "Commits to the store.", (double) f->commits},
        {CTN_EXPO_COUNTER, "catena_entries", "Entries that were committed.", (double) f->entries},
        {CTN_EXPO_COUNTER, "catena_late_sends", "Writes that were begun although this node's lease was over by then.",
         (double) f->late_sends},
        {CTN_EXPO_COUNTER, "catena_requests_refused", "Requests that the engine has refused.", (double) f->refused},
    };
    for (size_t i = 0; i < sizeof FIGURES / sizeof *FIGURES; i++) {
        ctn_expo_family(e, FIGURES[i].type, FIGURES[i].name, FIGURES[i].help);
        ctn_expo_gauge(e, NULL, 0, FIGURES[i].value);
    }
}

void ctn_backlog_write(const ctn_engine *engine, int64_t now_ms, ctn_expo *e)
{
    ctn_arena *arena = ctn_arena_new(16384);
    ctn_engine_figures figures = ctn_engine_figures_now(engine);
    rows queue = {.arena = arena}, tenants = {.arena = arena};
    (void) ctn_engine_queue(engine, add_lane, &queue);
    ctn_engine_tenants(engine, add_tenant, &tenants);
    condense(&queue);
    condense(&tenants);
    write_engine(e, &figures);
    write_queue(e, &queue, now_ms);
    write_tenants(e, &tenants);
    ctn_arena_free(arena);
}
