/*
 * inbox.c -- see inbox.h.
 */
#include "engine/inbox.h"
#include "base/memory.h"

#include <stdlib.h>

#define POOL_MAX 1024

void ctn_filed_append(filed_list *list, filed *f)
{
    f->next = NULL;
    if (list->last)
        list->last->next = f;
    else
        list->first = f;
    list->last = f;
}

void ctn_filed_put_back(filed_list *list, filed *f)
{
    f->next = list->first;
    list->first = f;
    if (!list->last)
        list->last = f;
}

filed *ctn_filed_take(filed_list *list)
{
    filed *f = list->first;
    if (!f)
        return NULL;
    list->first = f->next;
    if (!list->first)
        list->last = NULL;
    f->next = NULL;
    return f;
}

void ctn_inbox_init(ctn_inbox *inbox)
{
    *inbox = (ctn_inbox){.pool = ctn_calloc(POOL_MAX, sizeof *inbox->pool)};
}

void ctn_inbox_done(ctn_inbox *inbox)
{
    for (filed *f; (f = ctn_filed_take(&inbox->list));)
        ctn_inbox_free(inbox, f);
    for (filed *f; (f = ctn_filed_take(&inbox->refused));)
        ctn_inbox_free(inbox, f);
    for (filed *f; (f = ctn_inbox_take_start(inbox));)
        ctn_inbox_free(inbox, f);
    for (size_t i = 0; i < inbox->pool_count; i++)
        ctn_arena_free(inbox->pool[i]);
    free(inbox->pool);
}

static void ask_next(ctn_inbox *inbox, ctn_lane_tenant *tenant)
{
    tenant->next_asking = NULL;
    if (inbox->last_asking)
        inbox->last_asking->next_asking = tenant;
    else
        inbox->first_asking = tenant;
    inbox->last_asking = tenant;
}

void ctn_inbox_file_start(ctn_inbox *inbox, filed *f)
{
    ctn_lane_tenant *tenant = f->tenant;
    f->next = NULL;
    if (tenant->first_start) {
        tenant->last_start->next = f;
    } else {
        tenant->first_start = f;
        ask_next(inbox, tenant);
    }
    tenant->last_start = f;
}

filed *ctn_inbox_take_start(ctn_inbox *inbox)
{
    ctn_lane_tenant *tenant = inbox->first_asking;
    if (!tenant)
        return NULL;
    filed *f = tenant->first_start;
    inbox->first_asking = tenant->next_asking;
    if (!inbox->first_asking)
        inbox->last_asking = NULL;
    tenant->first_start = f->next;
    if (tenant->first_start)
        ask_next(inbox, tenant);
    return f;
}

bool ctn_inbox_is_empty(const ctn_inbox *inbox)
{
    return !inbox->list.first && !inbox->refused.first && !inbox->first_asking;
}

filed *ctn_inbox_new(ctn_inbox *inbox, filed_kind kind)
{
    ctn_arena *arena = inbox->pool_count ? inbox->pool[--inbox->pool_count] : ctn_arena_new(1024);
    filed *f = CTN_NEW(arena, filed);
    f->arena = arena;
    f->kind = kind;
    return f;
}

void ctn_inbox_free(ctn_inbox *inbox, filed *f)
{
    ctn_arena *arena = f->arena;
    if (f->is_counted) {
        inbox->start_count--;
        inbox->start_bytes -= f->bytes;
        f->tenant->starting--;
    }
    if (inbox->pool_count == POOL_MAX) {
        ctn_arena_free(arena);
        return;
    }
    ctn_arena_reset(arena);
    inbox->pool[inbox->pool_count++] = arena;
}
