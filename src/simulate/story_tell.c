/*
 * story_tell.c -- a story as lines: when, and what.
 */
#include "simulate/story_state.h"

#define BODY_SHOWN_MAX 160

void story_tell(story *s, const char *format, ...)
{
    if (!s->o->tell)
        return;
    va_list args;
    va_start(args, format);
    ctn_arena_mark mark = ctn_arena_save(s->arena);
    ctn_str text = ctn_arena_vprintf(s->arena, format, args);
    va_end(args);
    double seconds = (double) (s->world ? ctn_world_elapsed_ms(s->world) : 0) / 1000.0;
    s->o->tell(s->o->tell_ctx, ctn_arena_printf(s->arena, "%11.3f s  %.*s", seconds, CTN_STR_ARG(text)));
    ctn_arena_restore(s->arena, mark);
}

void story_tell_record(story *s, const ctn_record *r, const ctn_plan *plan)
{
    if (!s->o->tell)
        return;
    ctn_str body = r->body;
    bool is_cut = body.len > BODY_SHOWN_MAX;
    if (is_cut)
        for (body.len = BODY_SHOWN_MAX; ((unsigned char) body.ptr[body.len] & 0xC0) == 0x80;)
            body.len--;
    bool is_child = plan != s->o->plan;
    story_tell(s, "  |%s%.*s %s%s%.*s %.*s%s", is_child ? " " : "",
               CTN_STR_ARG(is_child ? plan->chain_id : (ctn_str){0}), ctn_entry_kind_name(r->kind),
               r->step.len ? " " : "", CTN_STR_ARG(r->step), CTN_STR_ARG(body), is_cut ? "..." : "");
}
