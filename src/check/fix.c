/*
 * fix.c -- see fix.h. Edits are collected by offset, from the end of the text to its beginning, so that one does not
 * move the next; two that would touch the same place are one.
 */
#include "check/fix.h"
#include "base/buf.h"
#include "chain/source.h"
#include <stdlib.h>

#define TAB_LINES_MAX 5000

typedef struct edit {
    size_t at, length;
    ctn_str with;
    ctn_fix fix;
} edit;

static bool is_mendable(const ctn_finding *x, ctn_str file_name)
{
    return x->right.len && ctn_str_equal(x->file, file_name);
}

size_t ctn_fix_count(const ctn_findings *findings, ctn_str file_name)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += is_mendable(&findings->items[i], file_name);
    return count;
}

static size_t line_start(ctn_str text, uint32_t line)
{
    size_t at = 0;
    for (uint32_t n = 1; n < line && at < text.len; n++) {
        const char *end = memchr(text.ptr + at, '\n', text.len - at);
        at = end ? (size_t) (end - text.ptr) + 1 : text.len;
    }
    return at;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static size_t line_end(ctn_str text, size_t at)
{
    const char *end = at < text.len ? memchr(text.ptr + at, '\n', text.len - at) : NULL;
    return end ? (size_t) (end - text.ptr) : text.len;
}

static size_t blanks_at(ctn_str text, size_t at)
{
    size_t end = at;
    while (end < text.len && (text.ptr[end] == ' ' || text.ptr[end] == '\t'))
        end++;
    return end - at;
}

/* A block of text (| or >): its lines are indented as its first one is, or more. */
static size_t block_end(ctn_str text, size_t at)
{
    size_t end = line_end(text, at), depth = 0;
    while (end < text.len) {
        size_t next = end + 1, blanks = blanks_at(text, next), next_end = line_end(text, next);
        bool is_blank = next + blanks >= next_end;
        if (!is_blank && depth == 0)
            depth = blanks;
        if (!is_blank && (blanks == 0 || blanks < depth))
            break;
        end = next_end;
    }
    return end;
}

/* Where the key or value ends that begins at `at`. Of unquoted text of several lines only the first one is looked at.
 */
static size_t scalar_end(ctn_str text, size_t at)
{
    char first = at < text.len ? text.ptr[at] : 0;
    if (first == '|' || first == '>')
        return block_end(text, at);
    if (first != '"' && first != '\'')
        return line_end(text, at);
    for (size_t i = at + 1; i < text.len; i++) {
        if (text.ptr[i] == '\\' && first == '"')
            i++;
        else if (text.ptr[i] == first && first == '\'' && i + 1 < text.len && text.ptr[i + 1] == first)
            i++;
        else if (text.ptr[i] == first)
            return i;
    }
    return text.len;
}

/* The word as a whole, from `from` on; in_braces: as the name in a placeholder. SIZE_MAX: it is not there. */
static size_t find_word(ctn_str text, size_t from, size_t end, ctn_str word, bool in_braces)
{
    for (size_t at = from; at + word.len <= end; at++) {
        if (memcmp(text.ptr + at, word.ptr, word.len) != 0)
            continue;
        bool begins = at == 0 || (!is_name_char(text.ptr[at - 1]) && text.ptr[at - 1] != '.');
        bool ends = at + word.len == text.len || !is_name_char(text.ptr[at + word.len]);
        if (begins && ends && (!in_braces || (at > 0 && text.ptr[at - 1] == '{')))
            return at;
    }
    return SIZE_MAX;
}

/* ---- tabs ---- */

/* By how many spaces the file is indented elsewhere: the smallest indentation that it has. */
static size_t unit_of(ctn_str text)
{
    size_t unit = 0;
    for (size_t at = 0; at < text.len;) {
        size_t blanks = blanks_at(text, at);
        bool is_line = at + blanks < text.len && text.ptr[at + blanks] != '\n' && text.ptr[at + blanks] != '#';
        if (is_line && blanks && !memchr(text.ptr + at, '\t', blanks) && (unit == 0 || blanks < unit))
            unit = blanks;
        const char *end = memchr(text.ptr + at, '\n', text.len - at);
        at = end ? (size_t) (end - text.ptr) + 1 : text.len;
    }
    return unit ? unit : 2;
}

/* The line with its tabs as spaces; false when none indents it. */
static bool untab_line(ctn_arena *arena, ctn_str *text, uint32_t line, size_t unit)
{
    size_t at = line_start(*text, line), blanks = blanks_at(*text, at);
    if (!blanks || !memchr(text->ptr + at, '\t', blanks))
        return false;
    ctn_buf out;
    ctn_buf_init(&out, text->len + blanks * unit + 1);
    ctn_buf_append(&out, (ctn_str){text->ptr, at});
    for (size_t i = 0; i < blanks; i++)
        for (size_t k = 0; k < (text->ptr[at + i] == '\t' ? unit : 1); k++)
            ctn_buf_append_char(&out, ' ');
    ctn_buf_append(&out, ctn_str_from_offset(*text, at + blanks));
    *text = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return true;
}

/* A parser tells one tab at a time, so it is asked again after each. */
static ctn_str untab(ctn_arena *arena, ctn_str file_name, ctn_str text, const ctn_finding *first, ctn_fix *ret_fix)
{
    *ret_fix = (ctn_fix){first->line, first->column, first->rule, first->wrong, first->right, 0};
    size_t unit = unit_of(text);
    uint32_t line = first->line;
    while (line && ret_fix->count < TAB_LINES_MAX && untab_line(arena, &text, line, unit)) {
        ret_fix->count++;
        ctn_arena *scratch = ctn_arena_new(65536);
        ctn_findings found;
        ctn_source *source;
        ctn_findings_init(&found, scratch);
        line = 0;
        if (ctn_source_parse(scratch, file_name, text, &found, &source))
            for (size_t i = 0; i < found.count && !line; i++)
                if (ctn_str_is(found.items[i].wrong, "\t"))
                    line = found.items[i].line;
        ctn_arena_free(scratch);
    }
    return text;
}

/* ---- the whole ---- */

static int compare_edits(const void *left, const void *right)
{
    const edit *a = left, *b = right;
    return (a->at < b->at) - (a->at > b->at); /* the last one first */
}

typedef struct edits {
    edit *items;
    size_t count, capacity;
} edits;

static void add_edit(ctn_arena *arena, edits *all, const ctn_finding *x, size_t at)
{
    all->items = ctn_arena_room(arena, all->items, all->count, &all->capacity, sizeof *all->items);
    all->items[all->count++] = (edit){at, x->wrong.len, x->right, {x->line, x->column, x->rule, x->wrong, x->right, 1}};
}

/* A name of a variable wherever the text reads it, for it is told once; any other name where the finding stands. */
static void find_edits(ctn_arena *arena, edits *all, ctn_str text, const ctn_finding *x)
{
    size_t from = line_start(text, x->line) + x->column - 1, end = scalar_end(text, from), before = all->count;
    bool is_variable = strcmp(x->rule, "undefined-variable") == 0;
    for (size_t at = from; is_variable && (at = find_word(text, at, end, x->wrong, true)) != SIZE_MAX; at++)
        add_edit(arena, all, x, at);
    size_t at = all->count == before ? find_word(text, from, end, x->wrong, false) : SIZE_MAX;
    if (at != SIZE_MAX)
        add_edit(arena, all, x, at);
}

ctn_str ctn_fix_text(ctn_arena *arena, ctn_str file_name, ctn_str text, const ctn_findings *findings, size_t number,
                     ctn_fixes *ret_fixes)
{
    edits all = {0};
    size_t seen = 0;
    for (size_t i = 0; i < findings->count; i++) {
        const ctn_finding *x = &findings->items[i];
        if (!is_mendable(x, file_name) || (number != SIZE_MAX && number != seen++))
            continue;
        if (ctn_str_is(x->wrong, "\t")) { /* what cannot be parsed has no other findings */
            *ret_fixes = (ctn_fixes){.items = CTN_NEW_ARRAY(arena, ctn_fix, 1)};
            text = untab(arena, file_name, text, x, &ret_fixes->items[0]);
            ret_fixes->count = ret_fixes->items[0].count > 0;
            return text;
        }
        find_edits(arena, &all, text, x);
    }
    *ret_fixes = (ctn_fixes){.items = CTN_NEW_ARRAY(arena, ctn_fix, all.count)};
    if (all.count)
        qsort(all.items, all.count, sizeof *all.items, compare_edits);
    for (size_t i = 0; i < all.count; i++) {
        const edit *e = &all.items[i];
        if (i > 0 && e->at + e->length > all.items[i - 1].at)
            continue;
        char *out = ctn_arena_alloc(arena, text.len - e->length + e->with.len + 1);
        memcpy(out, text.ptr, e->at);
        memcpy(out + e->at, e->with.ptr, e->with.len);
        ctn_str rest = ctn_str_from_offset(text, e->at + e->length);
        memcpy(out + e->at + e->with.len, rest.ptr, rest.len);
        text = (ctn_str){out, e->at + e->with.len + rest.len};
        ret_fixes->items[ret_fixes->count++] = e->fix;
    }
    return text;
}
