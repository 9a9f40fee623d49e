/*
 * json_parse.c -- text to tree, strictly as RFC 8259 has it.
 *
 * No recursion: the items of the containers that are still open lie on one stack, and a frame per open
 * container says where its items begin. When a container closes, its items move to the arena as one array,
 * which is the moment their addresses become final.
 *
 * What must hold:
 *   - The stack holds the items of the innermost open container from frame.base up; in an object keys and
 *     values alternate, which is exactly the layout of ctn_json_member.
 *   - All decoded text goes into one block as long as the source. That is enough, with a NUL after each:
 *     decoding never lengthens, a string sheds two quotes, and a number is followed by a delimiter (the one
 *     number that may not be is the whole document; the block has one byte more for it).
 *   - A string is judged completely before it is decoded, so decoding checks nothing.
 */
#include "base/json_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

#define BYTES_MAX_DEFAULT ((size_t) 64 * 1024 * 1024)
#define STACK_FIRST       64
#define FRAMES_FIRST      16

_Static_assert(sizeof(ctn_json) == 16 && sizeof(ctn_json_member) == 2 * sizeof(ctn_json),
               "keys and values on the stack are copied as members");

typedef struct frame {
    uint32_t base;   /* of its items on the stack */
    uint32_t offset; /* of its bracket */
    bool is_object;
} frame;

typedef struct parser {
    ctn_arena *arena;
    const ctn_json *ret_value;
    const char *start, *at, *end;
    char *text_next; /* in the block of decoded text */
    ctn_json *stack;
    uint32_t *offsets; /* beside the stack: where in the source each value begins */
    uint32_t count, capacity;
    frame *frames;
    uint32_t depth, frames_capacity, depth_max;
    const ctn_json_options *options;
    ctn_err *err;
    json_index index;
    size_t index_capacity;
    ctn_json stack_first[STACK_FIRST];
    uint32_t offsets_first[STACK_FIRST];
    frame frames_first[FRAMES_FIRST];
} parser;

enum { PLAIN = 0, QUOTE, ESCAPE, CONTROL, HIGH };

/* What a byte means inside a string. */
#define R4(x)  x, x, x, x
#define R16(x) R4(x), R4(x), R4(x), R4(x)
static const uint8_t string_class[256] = {
    R16(CONTROL), R16(CONTROL), PLAIN,      PLAIN,      QUOTE,      PLAIN,      R4(PLAIN),
    R4(PLAIN),    R4(PLAIN),    R16(PLAIN), R16(PLAIN), R4(PLAIN),  R4(PLAIN),  R4(PLAIN),
    ESCAPE,       PLAIN,        PLAIN,      PLAIN,      R16(PLAIN), R16(PLAIN), R16(HIGH),
    R16(HIGH),    R16(HIGH),    R16(HIGH),  R16(HIGH),  R16(HIGH),  R16(HIGH),  R16(HIGH),
};

/* ---- sentences ---- */

static void locate(const parser *p, const char *place, uint32_t *ret_line, uint32_t *ret_column)
{
    uint32_t line = 1;
    const char *line_start = p->start;
    for (const char *c = p->start; (c = memchr(c, '\n', (size_t) (place - c))) != NULL;) {
        line++;
        line_start = ++c;
    }
    *ret_line = line;
    *ret_column = (uint32_t) (place - line_start) + 1;
}

__attribute__((format(printf, 4, 5))) static int fail_at(parser *p, int code, const char *place, const char *format,
                                                         ...)
{
    if (!p->err)
        return code;
    va_list args;
    va_start(args, format);
    (void) ctn_vfail(p->err, code, format, args);
    va_end(args);
    locate(p, place, &p->err->line, &p->err->column);
    return code;
}

/* "'x'", "a line end", "byte 0x80", "the end of the text": what stands at p->at. */
typedef struct seen {
    char text[40];
} seen;

static seen describe(const parser *p)
{
    seen s;
    ctn_buf out = {.data = s.text, .capacity = sizeof s.text, .limit_bytes = sizeof s.text - 1};
    unsigned char c = p->at < p->end ? (unsigned char) *p->at : 0;
    if (p->at >= p->end)
        ctn_buf_append_literal(&out, "the end of the text");
    else if (c == '\n' || c == '\r')
        ctn_buf_append_literal(&out, "a line end");
    else if (c >= 0x20 && c < 0x7F)
        ctn_buf_printf(&out, "'%c'", c);
    else if (c >= 0x80 && ctn_str_utf8_at((ctn_str){p->at, (size_t) (p->end - p->at)}, 0))
        ctn_buf_printf(&out, "'%.*s'", (int) ctn_str_utf8_at((ctn_str){p->at, (size_t) (p->end - p->at)}, 0), p->at);
    else
        ctn_buf_printf(&out, "byte 0x%02x", c);
    s.text[out.len] = '\0';
    return s;
}

static int fail_unclosed(parser *p)
{
    const frame *f = &p->frames[p->depth - 1];
    uint32_t line, column;
    locate(p, p->start + f->offset, &line, &column);
    return fail_at(p, CTN_E_INVALID, p->at, "the text ends inside the %s that begins at line %u, column %u",
                   f->is_object ? "object" : "array", line, column);
}

/* ---- the stack ---- */

static void grow_stack(parser *p)
{
    uint32_t capacity = 2 * p->capacity; /* at most one value per byte of source, and those are below 2^31 */
    bool is_first = p->stack == p->stack_first;
    ctn_json *stack = ctn_realloc_array(is_first ? NULL : p->stack, capacity, sizeof *stack);
    uint32_t *offsets = ctn_realloc_array(is_first ? NULL : p->offsets, capacity, sizeof *offsets);
    if (is_first) {
        memcpy(stack, p->stack_first, p->count * sizeof *stack);
        memcpy(offsets, p->offsets_first, p->count * sizeof *offsets);
    }
    p->stack = stack;
    p->offsets = offsets;
    p->capacity = capacity;
}

static void push(parser *p, ctn_json value, const char *place)
{
    if (p->count == p->capacity)
        grow_stack(p);
    p->stack[p->count] = value;
    p->offsets[p->count] = (uint32_t) (place - p->start);
    p->count++;
}

static int open_container(parser *p, bool is_object)
{
    if (p->depth == p->depth_max)
        return fail_at(p, CTN_E_LIMIT, p->at, "nested deeper than %u levels", p->depth_max);
    if (p->depth == p->frames_capacity) {
        bool is_first = p->frames == p->frames_first;
        p->frames = ctn_realloc_array(is_first ? NULL : p->frames, 2 * (size_t) p->frames_capacity, sizeof(frame));
        if (is_first)
            memcpy(p->frames, p->frames_first, sizeof p->frames_first);
        p->frames_capacity *= 2;
    }
    p->frames[p->depth++] = (frame){.base = p->count, .offset = (uint32_t) (p->at - p->start), .is_object = is_object};
    p->at++;
    return CTN_OK;
}

static uint32_t find_linear(const ctn_json_member *members, ctn_str key, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (members[i].key.count == key.len && memcmp(members[i].key.text, key.ptr, key.len) == 0)
            return i;
    return count;
}

/* Of equal keys the last value stays, at the place of the first. The members lie on the stack from base. */
static int settle_duplicates(parser *p, uint32_t base, uint32_t *ret_count)
{
    uint32_t count = (p->count - base) / 2, kept = 0;
    ctn_json_member *members = (ctn_json_member *) (void *) (p->stack + base);
    uint32_t *offsets = p->offsets + base;
    bool is_large = count > JSON_LINEAR_MAX;
    if (is_large) {
        size_t entries = json_index_entries(count);
        if (entries > p->index_capacity) {
            p->index.entries = ctn_realloc_array(p->index.entries, entries, sizeof(uint32_t));
            p->index_capacity = entries;
        }
        json_index_init(&p->index, p->index.entries, entries);
    }
    for (uint32_t i = 0; i < count; i++) {
        ctn_str key = {members[i].key.text, members[i].key.count};
        if (kept != i) { /* its place before it is entered, for the index looks there */
            members[kept].key = members[i].key;
            offsets[2 * kept] = offsets[2 * i];
        }
        uint32_t found = is_large ? json_index_enter(&p->index, members, key, kept) : find_linear(members, key, kept);
        if (found < kept && p->options && p->options->reject_duplicates)
            return fail_at(p, CTN_E_INVALID, p->start + offsets[2 * i], "the key \"%.*s\" is given twice",
                           key.len > 100 ? 100 : CTN_STR_ARG(key));
        members[found].value = members[i].value;
        offsets[2 * found + 1] = offsets[2 * i + 1];
        if (found == kept)
            kept++;
    }
    *ret_count = kept;
    return CTN_OK;
}

static void tell_places(const parser *p, const ctn_json *values, const uint32_t *offsets, size_t count)
{
    if (!p->options || !p->options->on_place)
        return;
    for (size_t i = 0; i < count; i++)
        p->options->on_place(p->options->on_place_ctx, &values[i], offsets[i]);
}

static int close_container(parser *p)
{
    frame f = p->frames[p->depth - 1];
    ctn_json value = {.kind = f.is_object ? CTN_JSON_OBJECT : CTN_JSON_ARRAY, .count = p->count - f.base};
    if (f.is_object) {
        int rc = settle_duplicates(p, f.base, &value.count);
        if (rc)
            return rc;
    }
    size_t slots = f.is_object ? 2 * (size_t) value.count : value.count;
    if (slots) {
        ctn_json *items = ctn_arena_alloc(p->arena, slots * sizeof *items);
        memcpy(items, p->stack + f.base, slots * sizeof *items);
        value.items = items;
        tell_places(p, items, p->offsets + f.base, slots);
    }
    p->depth--;
    p->count = f.base;
    push(p, value, p->start + f.offset);
    p->at++;
    return CTN_OK;
}

/* ---- strings ---- */

/* The four hex digits after \u, or -1. */
static int32_t hex4(const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = ctn_hex_value(at[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Judges the escape at p->at (a backslash) and moves past it. */
static int check_escape(parser *p)
{
    const char *escape = p->at;
    char c = p->end - escape >= 2 ? escape[1] : '\0';
    if (c != '\0' && strchr("\"\\/bfnrt", c)) {
        p->at += 2;
        return CTN_OK;
    }
    if (c != 'u')
        return fail_at(p, CTN_E_INVALID, escape,
                       "no such escape in a string: after a backslash comes one of \" \\ / b f n r t u "
                       "(a backslash itself is written \\\\)");
    int32_t unit = hex4(escape + 2, p->end);
    if (unit < 0)
        return fail_at(p, CTN_E_INVALID, escape, "\\u takes four hexadecimal digits");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return fail_at(p, CTN_E_INVALID, escape, "\\u%04x is the second half of a surrogate pair without its first",
                       (unsigned) unit);
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        int32_t second = p->end - escape >= 8 && escape[6] == '\\' && escape[7] == 'u' ? hex4(escape + 8, p->end) : -1;
        if (second < 0xDC00 || second > 0xDFFF)
            return fail_at(p, CTN_E_INVALID, escape,
                           "\\u%04x is the first half of a surrogate pair, but the second does not follow",
                           (unsigned) unit);
        p->at += 6;
    }
    p->at += 6;
    return CTN_OK;
}

/* Decodes judged text with escapes; returns the end of what was written. */
static char *decode(char *out, const char *at, const char *end)
{
    while (at < end) {
        const char *run = memchr(at, '\\', (size_t) (end - at));
        size_t bytes = (size_t) ((run ? run : end) - at);
        memcpy(out, at, bytes);
        out += bytes;
        at += bytes;
        if (!run)
            break;
        char c = at[1];
        at += 2;
        switch (c) {
        case 'b': *out++ = '\b'; break;
        case 'f': *out++ = '\f'; break;
        case 'n': *out++ = '\n'; break;
        case 'r': *out++ = '\r'; break;
        case 't': *out++ = '\t'; break;
        case 'u': {
            uint32_t point = (uint32_t) hex4(at, end);
            at += 4;
            if (point >= 0xD800 && point <= 0xDBFF) {
                point = 0x10000 + ((point - 0xD800) << 10) + ((uint32_t) hex4(at + 2, end) - 0xDC00);
                at += 6;
            }
            out += ctn_utf8_encode(point, out);
            break;
        }
        default: *out++ = c; break; /* the quote, the backslash and the slash stand for themselves */
        }
    }
    return out;
}

/* p->at is at the opening quote. */
static int parse_string(parser *p)
{
    const char *quote = p->at++;
    bool has_escapes = false;
    for (;;) {
        while (p->at < p->end && string_class[(unsigned char) *p->at] == PLAIN)
            p->at++;
        if (p->at >= p->end) {
            p->at = quote;
            return fail_at(p, CTN_E_INVALID, quote, "the string that begins here has no closing quote");
        }
        uint8_t class = string_class[(unsigned char) *p->at];
        if (class == QUOTE)
            break;
        if (class == CONTROL)
            return fail_at(p, CTN_E_INVALID, p->at, "a control character (0x%02x) in a string: write it as \\u%04x%s",
                           (unsigned char) *p->at, (unsigned char) *p->at,
                           *p->at == '\n' ? " or \\n (is the closing quote missing?)" : "");
        if (class == HIGH) {
            size_t bytes = ctn_str_utf8_at((ctn_str){p->at, (size_t) (p->end - p->at)}, 0);
            if (bytes == 0)
                return fail_at(p, CTN_E_INVALID, p->at, "byte 0x%02x in a string is not UTF-8", (unsigned char) *p->at);
            p->at += bytes;
            continue;
        }
        has_escapes = true;
        int rc = check_escape(p);
        if (rc)
            return rc;
    }
    char *text = p->text_next;
    size_t raw = (size_t) (p->at - quote) - 1;
    char *text_end = text + raw;
    if (has_escapes)
        text_end = decode(text, quote + 1, p->at);
    else
        memcpy(text, quote + 1, raw);
    *text_end = '\0';
    p->text_next = text_end + 1;
    p->at++;
    push(p, (ctn_json){.kind = CTN_JSON_STRING, .count = (uint32_t) (text_end - text), .text = text}, quote);
    return CTN_OK;
}

/* ---- numbers and names ---- */

static bool skip_digits(parser *p)
{
    const char *first = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > first;
}

static int parse_number(parser *p)
{
    const char *first = p->at;
    if (*p->at == '-')
        p->at++;
    const char *digits = p->at;
    if (!skip_digits(p))
        return fail_at(p, CTN_E_INVALID, p->at, "a minus sign is followed by a digit, not by %s", describe(p).text);
    if (*digits == '0' && p->at > digits + 1)
        return fail_at(p, CTN_E_INVALID, first, "a number does not begin with 0, unless that is all before the point");
    if (p->at < p->end && *p->at == '.') {
        p->at++;
        if (!skip_digits(p))
            return fail_at(p, CTN_E_INVALID, p->at, "a decimal point is followed by a digit, not by %s",
                           describe(p).text);
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
            p->at++;
        if (!skip_digits(p))
            return fail_at(p, CTN_E_INVALID, p->at, "an exponent is made of digits, not of %s", describe(p).text);
    }
    size_t bytes = (size_t) (p->at - first);
    char *text = p->text_next;
    memcpy(text, first, bytes);
    text[bytes] = '\0';
    p->text_next += bytes + 1;
    push(p, (ctn_json){.kind = CTN_JSON_NUMBER, .count = (uint32_t) bytes, .text = text}, first);
    return CTN_OK;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static int parse_name(parser *p)
{
    const char *first = p->at;
    const char *last = first;
    while (last < p->end && is_name_char(*last))
        last++;
    ctn_str name = {first, (size_t) (last - first)};
    uint32_t kind;
    if (ctn_str_is(name, "null"))
        kind = CTN_JSON_NULL;
    else if (ctn_str_is(name, "false"))
        kind = CTN_JSON_FALSE;
    else if (ctn_str_is(name, "true"))
        kind = CTN_JSON_TRUE;
    else
        return fail_at(p, CTN_E_INVALID, first,
                       "'%.*s' is no value: a text stands in double quotes, and the names are null, true and false",
                       name.len > 40 ? 40 : CTN_STR_ARG(name));
    p->at = last;
    push(p, (ctn_json){.kind = kind}, first);
    return CTN_OK;
}

/* ---- structure ---- */

static void skip_space(parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

static int fail_no_value(parser *p)
{
    if (p->at >= p->end) {
        if (p->depth)
            return fail_unclosed(p);
        return fail_at(p, CTN_E_INVALID, p->at, "there is no value: the text is empty");
    }
    const char *hint = "";
    char c = *p->at;
    if (c == '\'')
        hint = " (strings stand in double quotes)";
    else if (c == '/' || c == '#')
        hint = " (JSON has no comments)";
    else if (c == '+')
        hint = " (a number has no plus sign)";
    else if (c == '.')
        hint = " (a number has a digit before its point)";
    else if (c == ']' || c == '}')
        hint = " (is there a comma too many before it?)";
    else if (p->at == p->start && p->end - p->at >= 3 && memcmp(p->at, "\xEF\xBB\xBF", 3) == 0)
        return fail_at(p, CTN_E_INVALID, p->at, "the text begins with a byte order mark, which JSON must not have");
    return fail_at(p, CTN_E_INVALID, p->at, "a value is wanted here, not %s%s", describe(p).text, hint);
}

/* A key and its colon. */
static int parse_key(parser *p)
{
    skip_space(p);
    if (p->at >= p->end)
        return fail_unclosed(p);
    if (*p->at != '"')
        return fail_at(p, CTN_E_INVALID, p->at, "a key in double quotes is wanted here, not %s%s", describe(p).text,
                       *p->at == '}' ? " (is there a comma too many before it?)" : "");
    int rc = parse_string(p);
    if (rc)
        return rc;
    skip_space(p);
    if (p->at >= p->end)
        return fail_unclosed(p);
    if (*p->at != ':')
        return fail_at(p, CTN_E_INVALID, p->at, "a key is followed by a colon, not by %s", describe(p).text);
    p->at++;
    return CTN_OK;
}

/* One scalar, or the opening of a container with its first key; *ret_is_complete tells which. */
static int parse_value(parser *p, bool *ret_is_complete)
{
    skip_space(p);
    if (p->at >= p->end)
        return fail_no_value(p);
    char c = *p->at;
    *ret_is_complete = true;
    if (c == '"')
        return parse_string(p);
    if (c == '-' || (c >= '0' && c <= '9'))
        return parse_number(p);
    if (c == '[' || c == '{') {
        int rc = open_container(p, c == '{');
        if (rc)
            return rc;
        skip_space(p);
        if (p->at < p->end && *p->at == (c == '{' ? '}' : ']'))
            return close_container(p);
        *ret_is_complete = false;
        return c == '{' ? parse_key(p) : CTN_OK;
    }
    if (is_name_char(c))
        return parse_name(p);
    return fail_no_value(p);
}

/* After a value: closes what ends here. *ret_is_complete is false when another value must follow. */
static int parse_after_value(parser *p, bool *ret_is_complete)
{
    while (p->depth) {
        const frame *f = &p->frames[p->depth - 1];
        skip_space(p);
        if (p->at >= p->end)
            return fail_unclosed(p);
        if (*p->at == ',') {
            p->at++;
            *ret_is_complete = false;
            return f->is_object ? parse_key(p) : CTN_OK;
        }
        if (*p->at != (f->is_object ? '}' : ']'))
            return fail_at(p, CTN_E_INVALID, p->at, "a comma or the %s is wanted here, not %s",
                           f->is_object ? "'}' of the object" : "']' of the array", describe(p).text);
        int rc = close_container(p);
        if (rc)
            return rc;
    }
    *ret_is_complete = true;
    return CTN_OK;
}

static int parse_document(parser *p, const ctn_json **ret_value)
{
    bool is_complete = false;
    while (!is_complete) {
        int rc = parse_value(p, &is_complete);
        if (rc)
            return rc;
        if (is_complete)
            rc = parse_after_value(p, &is_complete);
        if (rc)
            return rc;
    }
    skip_space(p);
    if (p->at < p->end)
        return fail_at(p, CTN_E_INVALID, p->at, "nothing may follow the value, but %s does", describe(p).text);
    assert(p->count == 1);
    ctn_json *root = ctn_arena_alloc(p->arena, sizeof *root);
    *root = p->stack[0];
    tell_places(p, root, p->offsets, 1);
    *ret_value = root;
    return CTN_OK;
}

static int parse_whole(void *ctx)
{
    parser *p = ctx;
    p->text_next = ctn_arena_alloc(p->arena, (size_t) (p->end - p->start) + 1);
    int rc = parse_document(p, &p->ret_value);
    if (p->stack != p->stack_first) {
        ctn_free(p->stack);
        ctn_free(p->offsets);
    }
    if (p->frames != p->frames_first)
        ctn_free(p->frames);
    ctn_free(p->index.entries);
    return rc;
}

int ctn_json_parse(ctn_arena *arena, ctn_str text, const ctn_json_options *options, const ctn_json **ret_value,
                   ctn_err *err)
{
    size_t bytes_max = options && options->bytes_max ? options->bytes_max : BYTES_MAX_DEFAULT;
    uint32_t depth_max = options && options->depth_max ? options->depth_max : CTN_JSON_DEPTH_MAX;
    if (bytes_max > INT32_MAX)
        bytes_max = INT32_MAX; /* offsets and counts are 32 bits */
    if (depth_max > JSON_DEPTH_CEILING)
        depth_max = JSON_DEPTH_CEILING;
    if (text.len > bytes_max)
        return ctn_fail(err, CTN_E_LIMIT, "the JSON text has %zu bytes, at most %zu are read", text.len, bytes_max);
    parser p; /* not cleared as a whole: the first pieces of its stacks are large */
    p.arena = arena;
    p.start = text.len ? text.ptr : "";
    p.at = p.start;
    p.end = p.start + text.len;
    p.ret_value = NULL;
    p.stack = p.stack_first;
    p.offsets = p.offsets_first;
    p.count = 0;
    p.capacity = STACK_FIRST;
    p.frames = p.frames_first;
    p.depth = 0;
    p.frames_capacity = FRAMES_FIRST;
    p.depth_max = depth_max;
    p.options = options;
    p.err = err;
    p.index = (json_index){0};
    p.index_capacity = 0;
    int rc = ctn_guarded(parse_whole, &p, err);
    if (rc == CTN_OK)
        *ret_value = p.ret_value;
    return rc;
}
