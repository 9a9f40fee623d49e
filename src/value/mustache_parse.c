/*
 * mustache_parse.c -- from a document's text to its tree.
 *
 * Three passes, each simple by itself:
 *
 *   scan     text and tags, one after the other; delimiters change on the way; what is opened is closed, in
 *            order and by its name. Every mistake that there can be is found here, with line and column.
 *   trim     lines that hold nothing but a tag (or adjacent tags of inheritance) vanish, and remember their
 *            indentation where it matters (partials, parents, blocks).
 *   build    tokens to nodes.
 *
 * A block inside a parent tag is an argument: text for another place. Its own indentation is taken off where it
 * is written and the other place's put on where it is used. So its text is cut out, dedented and parsed as a
 * text of its own; white space at its edges counts as beginning a line only where it did in the file.
 */
#include "value/mustache_node.h"
#include "value/literal.h"

#define NESTING_MAX   64
#define TOKENS_MAX    1000000
#define PARTIALS_MAX  1000
#define DELIMITER_MAX 16

typedef struct token {
    mustache_kind kind;
    size_t start, end;           /* in the text */
    size_t text_start, text_end; /* of a text, what trimming leaves */
    ctn_str name;
    bool is_dynamic;
    bool closes_inheritance;
    bool is_standalone, is_run_start, is_run_end;
    ctn_str indent;
    size_t partner;      /* of an opening tag: its closing tag's place among the tokens */
    ctn_str open, close; /* delimiters behind this tag */
} token;

typedef struct parser {
    ctn_arena *arena;
    ctn_str text;
    ctn_str open, close;
    bool starts_midline, ends_midline;
    bool is_cut_out; /* offsets are those of another text: nodes get `fixed_offset` */
    size_t fixed_offset;
    token *tokens;
    size_t count, capacity;
    mustache_unit **units;
    ctn_err *err;
} parser;

static int parse_text(parser *p, size_t start, mustache_node **ret_nodes, size_t *ret_count);

/* ---- scan ---- */

__attribute__((format(printf, 3, 4))) static int fail_at(const parser *p, size_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int rc = ctn_vfail(p->err, CTN_E_INVALID, format, args);
    va_end(args);
    if (!p->err)
        return rc;
    p->err->line = p->err->column = 1;
    for (size_t i = 0; i < offset && i < p->text.len; i++) {
        p->err->column++;
        if (p->text.ptr[i] == '\n') {
            p->err->line++;
            p->err->column = 1;
        }
    }
    return rc;
}

static size_t find_from(ctn_str text, size_t at, ctn_str needle)
{
    size_t found = ctn_str_find(ctn_str_from_offset(text, at), needle);
    return found == SIZE_MAX ? SIZE_MAX : at + found;
}

static token *add_token(parser *p, mustache_kind kind, size_t start, size_t end)
{
    p->tokens = ctn_arena_room(p->arena, p->tokens, p->count, &p->capacity, sizeof *p->tokens);
    token *t = &p->tokens[p->count++];
    *t = (token){.kind = kind, .start = start, .end = end, .text_start = start, .text_end = end};
    return t;
}

/* {{=<% %>=}}: the new delimiters are two words. */
static int change_delimiters(parser *p, size_t start, ctn_str content)
{
    ctn_str s = ctn_str_trim(content);
    size_t gap = 0;
    while (gap < s.len && !ctn_is_blank(s.ptr[gap]))
        gap++;
    ctn_str open = {s.ptr, gap};
    ctn_str close = ctn_str_trim(ctn_str_from_offset(s, gap));
    bool is_one_word = true;
    for (size_t i = 0; i < close.len; i++)
        is_one_word = is_one_word && !ctn_is_blank(close.ptr[i]) && close.ptr[i] != '=';
    if (!open.len || !close.len || !is_one_word || open.len > DELIMITER_MAX || close.len > DELIMITER_MAX ||
        memchr(open.ptr, '=', open.len))
        return fail_at(p, start, "new delimiters are two words without '=', as in {{=<%% %%>=}}");
    p->open = open;
    p->close = close;
    return CTN_OK;
}

/* The name in a tag, and whether it is dynamic. */
static int set_name(parser *p, token *t, ctn_str content)
{
    ctn_str name = ctn_str_trim(content);
    bool takes_dynamic = t->kind == MUSTACHE_PARTIAL || t->kind == MUSTACHE_PARENT;
    if (takes_dynamic && name.len && name.ptr[0] == '*') {
        t->is_dynamic = true;
        name = ctn_str_trim(ctn_str_from_offset(name, 1));
    }
    if (!name.len)
        return fail_at(p, t->start, "this tag has no name");
    t->name = name;
    return CTN_OK;
}

static mustache_kind kind_of_sign(char sign)
{
    switch (sign) {
    case '#': return MUSTACHE_SECTION;
    case '^': return MUSTACHE_INVERTED;
    case '/': return MUSTACHE_CLOSE;
    case '>': return MUSTACHE_PARTIAL;
    case '<': return MUSTACHE_PARENT;
    case '$': return MUSTACHE_BLOCK;
    case '&':
    case '{': return MUSTACHE_RAW;
    case '!': return MUSTACHE_COMMENT;
    case '=': return MUSTACHE_DELIMITERS;
    default: return MUSTACHE_VALUE;
    }
}

/* One tag whose opening delimiter is at *at. */
static int scan_tag(parser *p, size_t *at)
{
    size_t start = *at;
    size_t content = ctn_skip_blanks(p->text, start + p->open.len);
    char sign = content < p->text.len ? p->text.ptr[content] : '\0';
    mustache_kind kind = kind_of_sign(sign);
    char closing[DELIMITER_MAX + 1];
    size_t closing_len = 0;
    if (kind == MUSTACHE_DELIMITERS)
        closing[closing_len++] = '=';
    else if (sign == '{')
        closing[closing_len++] = '}';
    memcpy(closing + closing_len, p->close.ptr, p->close.len);
    closing_len += p->close.len;
    if (kind != MUSTACHE_VALUE)
        content++;
    size_t end = content <= p->text.len ? find_from(p->text, content, (ctn_str){closing, closing_len}) : SIZE_MAX;
    if (end == SIZE_MAX)
        return fail_at(p, start, "this tag is never closed");
    token *t = add_token(p, kind, start, end + closing_len);
    ctn_str inside = {p->text.ptr + content, end - content};
    int rc = CTN_OK;
    if (kind == MUSTACHE_DELIMITERS)
        rc = change_delimiters(p, start, inside);
    else if (kind != MUSTACHE_COMMENT)
        rc = set_name(p, t, inside);
    t->open = p->open;
    t->close = p->close;
    *at = t->end;
    return rc;
}

static bool opens(mustache_kind kind)
{
    return kind == MUSTACHE_SECTION || kind == MUSTACHE_INVERTED || kind == MUSTACHE_PARENT || kind == MUSTACHE_BLOCK;
}

/* The closing tag finds the tag it closes: partners, and what kind it ends. */
static int match_tags(parser *p)
{
    size_t stack[NESTING_MAX];
    size_t depth = 0;
    for (size_t i = 0; i < p->count; i++) {
        token *t = &p->tokens[i];
        if (opens(t->kind)) {
            if (depth == NESTING_MAX)
                return fail_at(p, t->start, "sections are nested more than 64 deep at '%.*s'", CTN_STR_ARG(t->name));
            stack[depth++] = i;
        } else if (t->kind == MUSTACHE_CLOSE) {
            ctn_str name = t->name;
            if (!depth)
                return fail_at(p, t->start, "{{/%.*s}} closes what was never opened", CTN_STR_ARG(name));
            token *opening = &p->tokens[stack[depth - 1]];
            if (opening->is_dynamic && name.ptr[0] == '*')
                name = ctn_str_trim(ctn_str_from_offset(name, 1));
            if (!ctn_str_equal(name, opening->name))
                return fail_at(p, t->start, "{{/%.*s}} stands where {{/%.*s}} must come first", CTN_STR_ARG(t->name),
                               CTN_STR_ARG(opening->name));
            opening->partner = i;
            t->closes_inheritance = opening->kind == MUSTACHE_PARENT || opening->kind == MUSTACHE_BLOCK;
            depth--;
        }
    }
    if (depth) {
        const token *t = &p->tokens[stack[depth - 1]];
        return fail_at(p, t->start, "'%.*s' is opened here and never closed; write {{/%.*s}}", CTN_STR_ARG(t->name),
                       CTN_STR_ARG(t->name));
    }
    return CTN_OK;
}

static int scan(parser *p, size_t at)
{
    while (at < p->text.len) {
        if (p->count > TOKENS_MAX)
            return fail_at(p, at, "the document has more than a million tags");
        size_t tag = find_from(p->text, at, p->open);
        size_t end = tag == SIZE_MAX ? p->text.len : tag;
        if (end > at)
            (void) add_token(p, MUSTACHE_TEXT, at, end);
        if (tag == SIZE_MAX)
            break;
        at = tag;
        int rc = scan_tag(p, &at);
        if (rc)
            return rc;
    }
    return match_tags(p);
}

/* ---- trim ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_inheritance(const token *t)
{
    return t->kind == MUSTACHE_PARENT || t->kind == MUSTACHE_BLOCK ||
           (t->kind == MUSTACHE_CLOSE && t->closes_inheritance);
}

/* Only white space between the line's start and token `i`: then *ret_from is the line's start. */
static bool begins_line(const parser *p, size_t i, size_t *ret_from)
{
    const token *before = i ? &p->tokens[i - 1] : NULL;
    size_t floor = before ? before->start : p->tokens[i].start;
    if (before && before->kind != MUSTACHE_TEXT)
        return false;
    size_t at = p->tokens[i].start;
    while (at > floor && is_space(p->text.ptr[at - 1]))
        at--;
    *ret_from = at;
    if (at > floor)
        return p->text.ptr[at - 1] == '\n';
    return i <= 1 && !p->starts_midline;
}

/* Only white space between token `i` and the line's end: then *ret_to is the next line's start. */
static bool ends_line(const parser *p, size_t i, size_t *ret_to)
{
    const token *after = i + 1 < p->count ? &p->tokens[i + 1] : NULL;
    size_t at = p->tokens[i].end;
    *ret_to = at;
    if (!after)
        return !p->ends_midline;
    if (after->kind != MUSTACHE_TEXT)
        return false;
    while (at < after->end && is_space(p->text.ptr[at]))
        at++;
    *ret_to = at;
    if (at == after->end)
        return i + 2 == p->count && !p->ends_midline;
    if (p->text.ptr[at] == '\r' && at + 1 < after->end)
        at++;
    *ret_to = at + 1;
    return p->text.ptr[at] == '\n';
}

static void trim_lines(parser *p)
{
    for (size_t i = 0; i < p->count; i++) {
        token *first = &p->tokens[i];
        if (first->kind == MUSTACHE_TEXT || first->kind == MUSTACHE_VALUE || first->kind == MUSTACHE_RAW)
            continue;
        size_t last = i;
        while (is_inheritance(first) && last + 1 < p->count && is_inheritance(&p->tokens[last + 1]))
            last++;
        size_t from, to;
        if (begins_line(p, i, &from) && ends_line(p, last, &to)) {
            for (size_t k = i; k <= last; k++) {
                p->tokens[k].is_standalone = true;
                p->tokens[k].indent = (ctn_str){p->text.ptr + from, first->start - from};
            }
            p->tokens[i].is_run_start = true;
            p->tokens[last].is_run_end = true;
            if (i)
                p->tokens[i - 1].text_end = from;
            if (last + 1 < p->count)
                p->tokens[last + 1].text_start = to;
        }
        i = last;
    }
    /* A line between two standalone tags is trimmed from both sides and may be gone altogether. */
    for (size_t i = 0; i < p->count; i++)
        if (p->tokens[i].text_end < p->tokens[i].text_start)
            p->tokens[i].text_end = p->tokens[i].text_start;
}

/* ---- build ---- */

static ctn_str white_space_at_start(ctn_str s)
{
    size_t len = 0;
    while (len < s.len && is_space(s.ptr[len]))
        len++;
    return (ctn_str){s.ptr, len};
}

/* Up to `columns` bytes of white space off the start of each line. */
static ctn_str dedent(ctn_arena *arena, ctn_str s, size_t columns)
{
    char *out = ctn_arena_alloc(arena, s.len + 1);
    size_t len = 0, left = columns;
    for (size_t i = 0; i < s.len; i++) {
        if (left && is_space(s.ptr[i])) {
            left--;
            continue;
        }
        left = s.ptr[i] == '\n' ? columns : 0;
        out[len++] = s.ptr[i];
    }
    return (ctn_str){out, len};
}

/* What stands between an opening tag and its partner, without the lines that they had to themselves. */
static ctn_str body_of(const parser *p, size_t i)
{
    const token *opening = &p->tokens[i], *closing = &p->tokens[opening->partner];
    const token *next = opening + 1, *previous = closing - 1;
    size_t start = next->kind == MUSTACHE_TEXT ? next->text_start : opening->end;
    size_t end = previous->kind == MUSTACHE_TEXT ? previous->text_end : closing->start;
    return (ctn_str){p->text.ptr + start, end > start ? end - start : 0};
}

/* The block at `i` as an argument of a parent. */
static int build_argument(parser *p, size_t i, mustache_node *node)
{
    const token *opening = &p->tokens[i], *closing = &p->tokens[opening->partner];
    ctn_str body = body_of(p, i);
    parser inner = {
        .arena = p->arena,
        .open = opening->open,
        .close = opening->close,
        .starts_midline = !opening->is_run_end,
        .ends_midline = !closing->is_run_start,
        .is_cut_out = true,
        .fixed_offset = p->is_cut_out ? p->fixed_offset : opening->start,
        .units = p->units,
        .err = p->err,
    };
    inner.text = inner.starts_midline ? body : dedent(p->arena, body, white_space_at_start(body).len);
    *node = (mustache_node){.kind = MUSTACHE_BLOCK, .text = opening->name};
    return parse_text(&inner, 0, &node->children, &node->count);
}

static int build(parser *p, size_t from, size_t to, mustache_node **ret_nodes, size_t *ret_count);

/* The children of a parent tag: the blocks directly in it, as arguments. */
static int build_arguments(parser *p, size_t from, size_t to, mustache_node *node)
{
    node->children = CTN_NEW_ARRAY(p->arena, mustache_node, to - from);
    for (size_t i = from; i < to; i++) {
        const token *t = &p->tokens[i];
        if (t->kind == MUSTACHE_BLOCK) {
            int rc = build_argument(p, i, &node->children[node->count++]);
            if (rc)
                return rc;
        }
        if (opens(t->kind))
            i = t->partner;
    }
    return CTN_OK;
}

/* Where a block is replaced: by what its lines are indented. */
static ctn_str indent_of_block(const parser *p, size_t i)
{
    const token *t = &p->tokens[i];
    ctn_str body = body_of(p, i);
    return t->is_run_end && body.len ? white_space_at_start(body) : t->indent;
}

static int build_tag(parser *p, size_t i, mustache_node *node)
{
    const token *t = &p->tokens[i];
    *node = (mustache_node){
        .kind = t->kind,
        .is_standalone = t->is_standalone,
        .is_dynamic = t->is_dynamic,
        .offset = p->is_cut_out ? p->fixed_offset : t->start,
        .text = t->name,
        .indent = t->indent,
    };
    if ((t->kind == MUSTACHE_PARTIAL || t->kind == MUSTACHE_PARENT) && !t->is_dynamic)
        node->target = mustache_unit_named(p->arena, p->units, t->name);
    if (t->kind == MUSTACHE_BLOCK) {
        node->indent = indent_of_block(p, i);
        node->is_one_line = t->is_standalone && t->partner == i + 1 && p->tokens[i + 1].is_standalone && !t->is_run_end;
    }
    if (t->kind == MUSTACHE_PARENT)
        return build_arguments(p, i + 1, t->partner, node);
    if (opens(t->kind))
        return build(p, i + 1, t->partner, &node->children, &node->count);
    return CTN_OK;
}

static int build(parser *p, size_t from, size_t to, mustache_node **ret_nodes, size_t *ret_count)
{
    mustache_node *nodes = CTN_NEW_ARRAY(p->arena, mustache_node, to - from);
    size_t count = 0;
    for (size_t i = from; i < to; i++) {
        const token *t = &p->tokens[i];
        if (t->kind == MUSTACHE_TEXT) {
            ctn_str text = {p->text.ptr + t->text_start, t->text_end - t->text_start};
            if (text.len)
                nodes[count++] = (mustache_node){.kind = MUSTACHE_TEXT, .text = text};
        } else if (t->kind < MUSTACHE_CLOSE) {
            int rc = build_tag(p, i, &nodes[count++]);
            if (rc)
                return rc;
            if (opens(t->kind))
                i = t->partner;
        }
    }
    *ret_nodes = nodes;
    *ret_count = count;
    return CTN_OK;
}

static int parse_text(parser *p, size_t start, mustache_node **ret_nodes, size_t *ret_count)
{
    int rc = scan(p, start);
    if (rc)
        return rc;
    trim_lines(p);
    return build(p, 0, p->count, ret_nodes, ret_count);
}

int mustache_parse_unit(ctn_arena *arena, ctn_str text, size_t start, mustache_unit *unit, mustache_unit **units,
                        ctn_err *err)
{
    parser p = {
        .arena = arena,
        .text = text,
        .open = CTN_STR("{{"),
        .close = CTN_STR("}}"),
        .units = units,
        .err = err,
    };
    unit->is_parsed = true;
    return parse_text(&p, start, &unit->nodes, &unit->count);
}

/* ---- partials ---- */

mustache_unit *mustache_unit_named(ctn_arena *arena, mustache_unit **units, ctn_str name)
{
    for (mustache_unit *u = *units; u; u = u->next)
        if (ctn_str_equal(u->name, name))
            return u;
    mustache_unit *made = CTN_NEW(arena, mustache_unit);
    *made = (mustache_unit){.name = ctn_arena_str(arena, name), .next = *units};
    *units = made;
    return made;
}

int mustache_parse_partials(ctn_arena *arena, const ctn_mustache_options *options, mustache_unit **units, ctn_err *err)
{
    /* Parsing one may bring new ones to the front, so the search starts again each time. */
    size_t parsed = 0;
    for (mustache_unit *u = *units; u;) {
        if (u->is_parsed) {
            u = u->next;
            continue;
        }
        if (parsed++ == PARTIALS_MAX)
            return ctn_fail(err, CTN_E_LIMIT, "a document with more than %d partials", PARTIALS_MAX);
        ctn_str text = {0};
        if (options && options->partial)
            text = options->partial(options->partial_ctx, u->name);
        u->is_parsed = true;
        if (text.ptr) {
            ctn_str kept = ctn_arena_str(arena, text);
            size_t start = 0;
            int rc = mustache_read_front_matter(arena, kept, NULL, NULL, &start, err);
            if (rc == CTN_OK)
                rc = mustache_parse_unit(arena, kept, start, u, units, err);
            if (rc)
                return ctn_wrap(err, rc, "partial '%.*s'", CTN_STR_ARG(u->name));
        }
        u = *units;
    }
    return CTN_OK;
}
