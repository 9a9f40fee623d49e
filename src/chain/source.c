/*
 * source.c -- the text of a file, its tree, and where each node of the tree stood.
 *
 * What must hold: every value and every key of the tree has a place, keyed by its final address.
 */
#include "chain/source.h"
#include "chain/rules.h"
#include "chain/source_internal.h"
#include <assert.h>

/* ---- places ---- */

static size_t slot_of(const ctn_source_place *places, size_t capacity, const ctn_json *node)
{
    uint64_t mixed = (uint64_t) (uintptr_t) node * UINT64_C(0x9E3779B97F4A7C15);
    size_t slot = (size_t) (mixed >> 32) & (capacity - 1);
    while (places[slot].node && places[slot].node != node)
        slot = (slot + 1) & (capacity - 1);
    return slot;
}

void ctn_source_put_place(ctn_source *s, const ctn_json *node, size_t offset)
{
    if (2 * (s->place_count + 1) > s->place_capacity) {
        size_t capacity = s->place_capacity ? 2 * s->place_capacity : 64;
        ctn_source_place *places = CTN_NEW_ARRAY(s->arena, ctn_source_place, capacity);
        for (size_t i = 0; i < s->place_capacity; i++)
            if (s->places[i].node)
                places[slot_of(places, capacity, s->places[i].node)] = s->places[i];
        s->places = places;
        s->place_capacity = capacity;
    }
    ctn_source_place *place = &s->places[slot_of(s->places, s->place_capacity, node)];
    if (!place->node)
        s->place_count++;
    *place = (ctn_source_place){node, (uint32_t) offset};
}

static const ctn_source_place *find_place(const ctn_source *s, const ctn_json *node)
{
    if (!node || s->place_capacity == 0)
        return NULL;
    const ctn_source_place *place = &s->places[slot_of(s->places, s->place_capacity, node)];
    return place->node ? place : NULL;
}

void ctn_source_put_block(ctn_source *s, size_t begin, size_t end)
{
    s->blocks = ctn_arena_room(s->arena, s->blocks, s->block_count, &s->block_capacity, sizeof *s->blocks);
    s->blocks[s->block_count++] = (ctn_source_span){(uint32_t) begin, (uint32_t) end};
}

/* ---- lines: ended by LF, CRLF or CR ---- */

static void find_lines(ctn_source *s)
{
    size_t count = 1;
    for (int round = 0; round < 2; round++) {
        if (round == 1)
            s->lines = CTN_NEW_ARRAY(s->arena, uint32_t, count);
        size_t at = 1;
        for (size_t i = 0; i < s->text.len; i++) {
            char c = s->text.ptr[i];
            bool ends = c == '\n' || (c == '\r' && (i + 1 == s->text.len || s->text.ptr[i + 1] != '\n'));
            if (ends && round == 1)
                s->lines[at] = (uint32_t) i + 1;
            at += ends;
        }
        count = at;
    }
    s->line_count = count;
}

/* Index of the line that holds `offset`. */
static size_t line_at(const ctn_source *s, size_t offset)
{
    size_t low = 0, high = s->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Without its line end. */
static ctn_str line_text(const ctn_source *s, size_t line)
{
    size_t begin = s->lines[line];
    size_t end = line + 1 < s->line_count ? s->lines[line + 1] : s->text.len;
    while (end > begin && (s->text.ptr[end - 1] == '\n' || s->text.ptr[end - 1] == '\r'))
        end--;
    return (ctn_str){s->text.ptr + begin, end - begin};
}

ctn_position ctn_source_position_at(const ctn_source *s, size_t offset)
{
    if (offset > s->text.len)
        offset = s->text.len;
    size_t line = line_at(s, offset);
    return (ctn_position){(uint32_t) line + 1, (uint32_t) (offset - s->lines[line]) + 1};
}

/* ---- JSON ---- */

static void place_json(void *ctx, const ctn_json *value, size_t offset)
{
    ctn_source_put_place(ctx, value, offset);
}

static bool read_json(ctn_source *s, ctn_findings *findings)
{
    ctn_json_options options = {
        .bytes_max = CTN_SOURCE_BYTES_MAX,
        .on_place = place_json,
        .on_place_ctx = s,
        .reject_duplicates = true,
    };
    ctn_err err = {0};
    int rc = ctn_json_parse(s->arena, s->text, &options, &s->root, &err);
    if (rc == CTN_OK)
        return true;
    /* Both faults are CTN_E_INVALID; a text that fails elsewhere or not at all when keys may be given twice
     * failed because of a key given twice. */
    const ctn_json *ignored = NULL;
    ctn_err lenient = {0};
    ctn_json_options lenient_options = {.bytes_max = CTN_SOURCE_BYTES_MAX};
    ctn_arena *scratch = ctn_arena_new(4096);
    int lenient_rc = ctn_json_parse(scratch, s->text, &lenient_options, &ignored, &lenient);
    ctn_arena_free(scratch);
    bool is_duplicate = lenient_rc == CTN_OK || lenient.line != err.line || lenient.column != err.column;
    ctn_findings_add(findings, s->file_name, err.line ? err.line : 1, err.column ? err.column : 1, CTN_SEVERITY_ERROR,
                     is_duplicate ? "duplicate-key" : "syntax", "%s", err.message);
    return false;
}

/* ---- parse ---- */

/* Offset of the first byte that is not UTF-8; the caller knows that there is one. */
static size_t find_bad_byte(ctn_str text)
{
    size_t at = 0;
    while (at < text.len) {
        unsigned char c = (unsigned char) text.ptr[at];
        size_t bytes = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        if (at + bytes > text.len || !ctn_str_is_utf8((ctn_str){text.ptr + at, bytes}))
            break;
        at += bytes;
    }
    return at;
}

static bool check_text(ctn_source *s, ctn_findings *findings)
{
    if (s->text.len > 0 && !ctn_str_is_utf8(s->text)) {
        size_t at = find_bad_byte(s->text);
        ctn_position p = ctn_source_position_at(s, at);
        ctn_findings_add(findings, s->file_name, p.line, p.column, CTN_SEVERITY_ERROR, "syntax",
                         "byte 0x%02X is not UTF-8: save the file as UTF-8", (unsigned char) s->text.ptr[at]);
        return false;
    }
    ctn_str rest = s->text;
    while (rest.len > 0 && strchr(" \t\r\n", rest.ptr[0]))
        rest = ctn_str_from_offset(rest, 1);
    if (rest.len == 0) {
        ctn_findings_add(findings, s->file_name, 1, 1, CTN_SEVERITY_ERROR, "syntax", "the file is empty");
        return false;
    }
    return true;
}

typedef struct parsing {
    ctn_arena *arena;
    ctn_str file_name, text;
    ctn_findings *findings;
    ctn_source *source;
} parsing;

static int parse(void *ctx)
{
    parsing *p = ctx;
    ctn_source *s = CTN_NEW(p->arena, ctn_source);
    ctn_str text = p->text;
    s->arena = p->arena;
    s->file_name = ctn_arena_str(p->arena, p->file_name);
    s->is_json = ctn_str_ends_with(p->file_name, CTN_STR(".json"));
    if (ctn_str_starts_with(text, CTN_STR("\xEF\xBB\xBF"))) /* a byte order mark is no text */
        text = ctn_str_from_offset(text, 3);
    if (text.len > CTN_SOURCE_BYTES_MAX) {
        ctn_findings_add(p->findings, s->file_name, 1, 1, CTN_SEVERITY_ERROR, "syntax",
                         "the file has %zu bytes, at most %u are read", text.len, CTN_SOURCE_BYTES_MAX);
        return CTN_E_INVALID;
    }
    s->text = ctn_arena_str(p->arena, text);
    find_lines(s);
    if (!check_text(s, p->findings))
        return CTN_E_INVALID;
    if (!(s->is_json ? read_json(s, p->findings) : ctn_source_read_yaml(s, p->findings)))
        return CTN_E_INVALID;
    p->source = s;
    return CTN_OK;
}

int ctn_source_parse(ctn_arena *arena, ctn_str file_name, ctn_str text, ctn_findings *findings, ctn_source **ret_source)
{
    parsing p = {.arena = arena, .file_name = file_name, .text = text, .findings = findings};
    int rc = ctn_findings_guarded(findings, file_name, parse, &p);
    if (rc == CTN_OK)
        *ret_source = p.source;
    return rc;
}

const ctn_json *ctn_source_root(const ctn_source *s)
{
    return s->root;
}

ctn_str ctn_source_file_name(const ctn_source *s)
{
    return s->file_name;
}

ctn_position ctn_source_position(const ctn_source *s, const ctn_json *node)
{
    const ctn_source_place *place = find_place(s, node);
    return place ? ctn_source_position_at(s, place->offset) : (ctn_position){0, 0};
}

/* ---- comments ---- */

/* The rule that a line allows; empty when it is no such comment or gives no reason. */
static ctn_str read_allowance(ctn_str line)
{
    ctn_str none = {NULL, 0}, words = ctn_str_trim(line);
    if (!ctn_str_starts_with(words, CTN_STR("#")))
        return none;
    words = ctn_str_trim(ctn_str_from_offset(words, 1));
    if (!ctn_str_starts_with(words, CTN_STR("catena:")))
        return none;
    words = ctn_str_trim(ctn_str_from_offset(words, 7));
    if (!ctn_str_starts_with(words, CTN_STR("allow ")))
        return none;
    words = ctn_str_from_offset(words, 6);
    ctn_str rule = ctn_str_trim(ctn_str_cut(&words, ':'));
    return ctn_str_trim(words).len > 0 ? rule : none;
}

static bool is_inside_scalar(const ctn_source *s, size_t offset)
{
    size_t low = 0, high = s->block_count; /* the last block that begins before offset */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->blocks[middle].begin < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && offset < s->blocks[low - 1].end;
}

bool ctn_source_allows(const ctn_source *s, uint32_t line, ctn_str rule)
{
    if (s->is_json || line < 2 || line > s->line_count)
        return false;
    /* Several allowances may stand above one another, one a line. */
    for (size_t above = line - 1; above-- > 0;) {
        ctn_str allowed = read_allowance(line_text(s, above));
        if (allowed.len == 0 || is_inside_scalar(s, s->lines[above]))
            return false;
        if (ctn_str_equal(allowed, rule))
            return true;
    }
    return false;
}

bool ctn_source_allows_at(const ctn_source *s, const ctn_json *node, const char *rule)
{
    return ctn_source_allows(s, ctn_source_position(s, node).line, ctn_str_from(rule));
}

/* ---- findings at nodes ---- */

void ctn_source_error(const ctn_source *s, const ctn_json *node, ctn_findings *findings, const char *rule,
                      const char *format, ...)
{
    assert(ctn_rule_find(ctn_str_from(rule)));
    ctn_position at = ctn_source_position(s, node);
    va_list args;
    va_start(args, format);
    ctn_findings_vadd(findings, s->file_name, at.line, at.column, CTN_SEVERITY_ERROR, rule, format, args);
    va_end(args);
}

void ctn_source_warning(const ctn_source *s, const ctn_json *node, ctn_findings *findings, const char *rule,
                        const char *format, ...)
{
    assert(ctn_rule_find(ctn_str_from(rule)));
    if (ctn_source_allows_at(s, node, rule))
        return;
    ctn_position at = ctn_source_position(s, node);
    va_list args;
    va_start(args, format);
    ctn_findings_vadd(findings, s->file_name, at.line, at.column, CTN_SEVERITY_WARNING, rule, format, args);
    va_end(args);
}
