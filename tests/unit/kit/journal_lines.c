/* journal_lines.c -- see journal_lines.h. */
#include "support/cmocka.h"
#include "unit/kit/journal_lines.h"

static int64_t number(ctn_str text)
{
    int64_t n = 0;
    assert_true(ctn_str_to_int64(text, &n));
    return n;
}

ctn_record journal_line(ctn_arena *arena, ctn_str line, uint64_t seq)
{
    ctn_record r = {.seq = seq, .item = -1, .actor = CTN_STR("ann"), .body = CTN_STR("{}")};
    r.at_ms = number(ctn_str_cut(&line, ' '));
    assert_true(ctn_entry_kind_from_name(ctn_str_cut(&line, ' '), &r.kind));
    if (line.len && line.ptr[0] != '{') {
        ctn_str where = ctn_str_cut(&line, ' ');
        r.step = ctn_str_cut(&where, '[');
        if (where.len)
            r.item = number(ctn_str_cut(&where, ']'));
        r.attempt = (uint32_t) number(ctn_str_cut(&line, ' '));
    }
    if (line.len) {
        r.body = ctn_arena_str(arena, line);
        for (char *c = (char *) r.body.ptr; (c = strchr(c, '\'')) != NULL;)
            *c = '"';
    }
    return r;
}
