/*
 * abandon.c -- see abandon.h.
 */
#include "engine/abandon.h"
#include "base/memory.h"
#include "engine/binding.h"
#include "engine/plans.h"
#include "engine/state.h"

struct left_call {
    struct left_call *next;
    ctn_arena *arena;
    const ctn_driver *driver;
    ctn_str target; /* in the plan */
    const ctn_json *continuation;
};

static left_call *left_new(const ctn_driver *driver, ctn_str target, const ctn_json *continuation, left_call *next)
{
    if (!driver || !driver->abandon)
        return next;
    ctn_arena *arena = ctn_arena_new(1024);
    left_call *left = CTN_NEW(arena, left_call);
    *left = (left_call){next, arena, driver, target, ctn_json_copy(arena, continuation)};
    return left;
}

static void free_all(left_call *left)
{
    for (left_call *next; left; left = next) {
        next = left->next;
        ctn_arena_free(left->arena);
    }
}

left_call *ctn_eng_left_before(ctn_engine *e, const loaded *l, const ctn_entry *entry)
{
    bool may_stop = entry->kind == CTN_ENTRY_CANCEL_REQUESTED || entry->kind == CTN_ENTRY_ATTEMPT_FAILED ||
                    entry->kind == CTN_ENTRY_DECISION;
    if (!may_stop || ctn_execution_is_stopping(l->x))
        return NULL;
    ctn_asking_call *calls = NULL;
    left_call *left = NULL;
    size_t count = ctn_execution_asking(l->x, e->scratch, &calls);
    for (size_t i = 0; i < count; i++)
        left = left_new(ctn_eng_driver_of(e, calls[i].plan_call->kind), calls[i].plan_call->target,
                        calls[i].continuation, left);
    return left;
}

void ctn_eng_left_after(loaded *l, left_call *before)
{
    if (!ctn_execution_is_stopping(l->x)) {
        free_all(before);
        return;
    }
    left_call **end = &before->next;
    while (*end)
        end = &(*end)->next;
    *end = l->left;
    l->left = before;
}

void ctn_eng_note_left(loaded *l, const filed *asked)
{
    if (asked->in.continuation)
        l->left = left_new(asked->driver, asked->target, asked->in.continuation, l->left);
}

void ctn_eng_abandon_left(loaded *l)
{
    left_call *left = l->left;
    l->left = NULL;
    for (left_call *at = left; at; at = at->next)
        at->driver->abandon(at->driver->ctx, at->target, at->continuation);
    free_all(left);
}

void ctn_eng_forget_left(loaded *l)
{
    free_all(l->left);
    l->left = NULL;
}
