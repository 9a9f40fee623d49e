/*
 * template.c -- text with placeholders.
 *
 * Reading goes once from left to right. At a brace there are four cases, tried in this order:
 *
 *   {{            a literal '{', and one more '}}' may be an escape
 *   {path...}     a placeholder, if the name follows at once and the rest is well-formed
 *   }}            a literal '}' if a '{{' is unmatched, else itself: JSON that ends in }} stays as it is
 *   { or }        itself
 *
 * Where a filter's name is unknown, or its argument is none, somebody meant a placeholder and gets a sentence;
 * where not even the shape is that of a placeholder, the brace is text.
 *
 * Rendering writes each value once into the text. Nothing that a value contains is ever looked at again, so
 * a lead that says "{secret.CRM}" is a lead that says so.
 */
#include "value/template.h"
#include "base/memory.h"
#include "base/percent.h"
#include "value/calendar.h"
#include "value/filter.h"
#include "value/literal.h"
#include "value/path.h"
#include "value/template_parts.h"
#include "value/use.h"

#define FILTERS_MAX 16

/* How a value is written: as it is, or (in a URL) percent-encoded, as all or some of a path's segment, or behind the
 * question mark. */
typedef enum writing { WRITE_RAW, WRITE_SEGMENT, WRITE_QUERY } writing;

typedef struct placeholder {
    ctn_path path;
    size_t offset; /* of the path in the text */
    bool is_optional;
    ctn_filter *filters;
    size_t filter_count;
    writing writing;
} placeholder;

typedef struct segment {
    ctn_str text;            /* before the placeholder */
    const placeholder *hole; /* NULL: the end */
} segment;

struct ctn_template {
    segment *segments; /* the last one has no hole */
    size_t count;
    bool is_url;
};

/* ---- compile ---- */

typedef enum reading { READ_PLACEHOLDER, READ_TEXT, READ_FAULT } reading;

static bool has_char(ctn_str text, size_t at, char c)
{
    return at < text.len && text.ptr[at] == c;
}

/* The argument after a filter's name: ": literal", "(literal)", "()" or nothing. */
static int read_argument(ctn_arena *arena, ctn_str text, size_t *at, const ctn_json **ret_argument, ctn_err *err)
{
    size_t i = ctn_skip_blanks(text, *at);
    *ret_argument = NULL;
    if (has_char(text, i, ':')) {
        i++;
        int rc = ctn_literal_parse(arena, text, &i, ret_argument, err);
        if (rc)
            return rc;
        *at = i;
    } else if (has_char(text, i, '(')) {
        i = ctn_skip_blanks(text, i + 1);
        if (!has_char(text, i, ')')) {
            int rc = ctn_literal_parse(arena, text, &i, ret_argument, err);
            if (rc)
                return rc;
            i = ctn_skip_blanks(text, i);
            if (!has_char(text, i, ')'))
                return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (i + 1),
                                   "expected ')' after the filter's argument");
        }
        *at = i + 1;
    }
    return CTN_OK;
}

static bool ends_filter(ctn_str text, size_t at)
{
    at = ctn_skip_blanks(text, at);
    return has_char(text, at, '}') || has_char(text, at, '|');
}

/* One "| name argument" at *at, which is the '|'. */
static reading read_filter(ctn_arena *arena, ctn_str text, size_t *at, ctn_filter *ret_filter, ctn_err *err)
{
    size_t start = ctn_skip_blanks(text, *at + 1);
    size_t end = ctn_skip_name(text, start);
    if (end == start)
        return READ_TEXT;
    ctn_str name = {text.ptr + start, end - start};
    ctn_filter filter = {.kind = ctn_filter_find(name)};
    size_t after = end;
    if (!filter.kind) {
        bool is_shaped =
            read_argument(arena, text, &after, &filter.argument, NULL) == CTN_OK && ends_filter(text, after);
        if (!is_shaped)
            return READ_TEXT;
        (void) ctn_filter_fail_unknown(name, start, err);
        return READ_FAULT;
    }
    if (ctn_str_find(ctn_str_from_offset(text, end), CTN_STR("}")) == SIZE_MAX)
        return READ_TEXT;
    if (read_argument(arena, text, &after, &filter.argument, err))
        return READ_FAULT;
    if (!ends_filter(text, after)) {
        (void) ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (ctn_skip_blanks(text, after) + 1),
                           "expected '|' or '}' after filter '%.*s'; an argument is written %.*s: 'x' or %.*s('x')",
                           CTN_STR_ARG(name), CTN_STR_ARG(name), CTN_STR_ARG(name));
        return READ_FAULT;
    }
    int rc = ctn_filter_check(&filter, err);
    if (rc) {
        if (err) {
            err->line = 1;
            err->column = (uint32_t) (start + 1);
        }
        return READ_FAULT;
    }
    *at = after;
    *ret_filter = filter;
    return READ_PLACEHOLDER;
}

static bool is_plain_secret(const placeholder *hole)
{
    return hole->path.count == 1 && hole->path.parts[0].name.ptr && hole->filter_count == 0 &&
           ctn_str_find(hole->path.parts[0].name, CTN_STR("}")) == SIZE_MAX;
}

/* The placeholder whose brace is at *at; steps over it when there is one. */
static reading read_placeholder(ctn_arena *arena, ctn_str text, size_t *at, placeholder *ret_hole, ctn_err *err)
{
    size_t bytes;
    size_t i = *at + 1;
    if (ctn_skip_name(text, i) == i)
        return READ_TEXT;
    placeholder hole = {.offset = i};
    if (ctn_path_parse(arena, ctn_str_from_offset(text, i), &hole.path, &bytes, NULL))
        return READ_TEXT;
    i += bytes;
    if (has_char(text, i, '?')) {
        hole.is_optional = true;
        i++;
    }
    ctn_filter filters[FILTERS_MAX];
    for (i = ctn_skip_blanks(text, i); has_char(text, i, '|'); i = ctn_skip_blanks(text, i)) {
        if (hole.filter_count == FILTERS_MAX) {
            (void) ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (i + 1), "more than %d filters in one placeholder",
                               FILTERS_MAX);
            return READ_FAULT;
        }
        reading got = read_filter(arena, text, &i, &filters[hole.filter_count], err);
        if (got != READ_PLACEHOLDER)
            return got;
        hole.filter_count++;
    }
    if (!has_char(text, i, '}'))
        return READ_TEXT;
    if (ctn_str_is(hole.path.root, "secret") && !is_plain_secret(&hole)) {
        (void) ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (hole.offset + 1),
                           "a secret is written {secret.NAME} and nothing more: what it holds is not known here");
        return READ_FAULT;
    }
    hole.filters = CTN_NEW_ARRAY(arena, ctn_filter, hole.filter_count);
    if (hole.filter_count)
        memcpy(hole.filters, filters, hole.filter_count * sizeof filters[0]);
    *ret_hole = hole;
    *at = i + 1;
    return READ_PLACEHOLDER;
}

typedef struct compiler {
    ctn_arena *arena;
    segment *segments;
    size_t count, capacity;
    char *literal; /* decoded literal text of the whole template, one piece after the other */
    size_t literal_start, literal_end;
} compiler;

static void close_segment(compiler *c, const placeholder *hole)
{
    c->segments = ctn_arena_room(c->arena, c->segments, c->count, &c->capacity, sizeof *c->segments);
    c->segments[c->count++] = (segment){
        .text = {c->literal + c->literal_start, c->literal_end - c->literal_start},
        .hole = hole,
    };
    c->literal_start = c->literal_end;
}

static int unguarded_template_compile(ctn_arena *arena, ctn_str text, ctn_template **ret_template, ctn_err *err)
{
    compiler c = {.arena = arena, .literal = ctn_arena_alloc(arena, text.len + 1)};
    size_t unmatched = 0; /* '{{' whose '}}' has not come */
    size_t i = 0;
    while (i < text.len) {
        char ch = text.ptr[i];
        if (ch == '{' && has_char(text, i + 1, '{')) {
            unmatched++;
            i++; /* the second is the literal one */
        } else if (ch == '{') {
            placeholder hole;
            reading got = read_placeholder(arena, text, &i, &hole, err);
            if (got == READ_FAULT)
                return CTN_E_INVALID;
            if (got == READ_PLACEHOLDER) {
                placeholder *kept = CTN_NEW(arena, placeholder);
                *kept = hole;
                close_segment(&c, kept);
                continue;
            }
        } else if (ch == '}' && unmatched && has_char(text, i + 1, '}')) {
            unmatched--;
            i++;
        }
        c.literal[c.literal_end++] = text.ptr[i++];
    }
    close_segment(&c, NULL);
    ctn_template *t = CTN_NEW(arena, ctn_template);
    *t = (ctn_template){.segments = c.segments, .count = c.count};
    *ret_template = t;
    return CTN_OK;
}

typedef struct template_compile_arguments {
    ctn_arena *arena;
    ctn_str text;
    ctn_template **ret_template;
    ctn_err *err;
} template_compile_arguments;

static int guarded_template_compile(void *ctx)
{
    const template_compile_arguments *a = ctx;
    return unguarded_template_compile(a->arena, a->text, a->ret_template, a->err);
}

int ctn_template_compile(ctn_arena *arena, ctn_str text, ctn_template **ret_template, ctn_err *err)
{
    template_compile_arguments a = {.arena = arena, .text = text, .ret_template = ret_template, .err = err};
    return ctn_guarded(guarded_template_compile, &a, err);
}

static bool takes_null(const placeholder *hole)
{
    bool has_default = false;
    for (size_t i = 0; i < hole->filter_count; i++)
        has_default = has_default || ctn_filter_is_default(&hole->filters[i]);
    return hole->is_optional || has_default;
}

void ctn_template_reads(const ctn_template *t, ctn_arena *arena, ctn_reads *reads)
{
    for (size_t i = 0; t && i < t->count; i++) {
        const placeholder *hole = t->segments[i].hole;
        if (hole)
            ctn_reads_add(arena, reads,
                          (ctn_read){.root = hole->path.root,
                                     .path = hole->path.text,
                                     .offset = (uint32_t) hole->offset,
                                     .is_optional = takes_null(hole)});
    }
}

/* The members that a filter names: of the items, when anything says that it is a list. */
static void tell_members(const placeholder *hole, const ctn_json *names, ctn_use_fn *fn, void *ctx)
{
    bool is_list = false;
    for (size_t i = 0; i < hole->filter_count; i++)
        is_list = is_list || hole->filters[i].kind->use == CTN_USE_LIST;
    ctn_use use = is_list ? CTN_USE_ITEM_MEMBER : CTN_USE_MEMBER;
    if (ctn_json_is(names, CTN_JSON_STRING))
        fn(ctx, &hole->path, use, names);
    for (size_t i = 0; ctn_json_is(names, CTN_JSON_ARRAY) && i < ctn_json_count(names); i++)
        fn(ctx, &hole->path, use, ctn_json_at(names, i));
}

/* What the first filter wants of the value; what follows is given what that one made of it. */
static ctn_use use_of(const placeholder *hole)
{
    for (size_t i = 0; i < hole->filter_count; i++)
        if (hole->filters[i].kind->use != CTN_USE_READ)
            return hole->filters[i].kind->use;
    return CTN_USE_READ;
}

void ctn_template_uses(const ctn_template *t, ctn_use_fn *fn, void *ctx)
{
    for (size_t i = 0; i < t->count; i++) {
        const placeholder *hole = t->segments[i].hole;
        if (!hole)
            continue;
        fn(ctx, &hole->path, use_of(hole), NULL);
        for (size_t k = 0; k < hole->filter_count; k++)
            if (hole->filters[k].kind->names_members)
                tell_members(hole, hole->filters[k].argument, fn, ctx);
    }
}

/* ---- render ---- */

ctn_str ctn_value_to_text(ctn_arena *arena, const ctn_json *v)
{
    if (ctn_json_is(v, CTN_JSON_STRING) || ctn_json_is(v, CTN_JSON_NUMBER))
        return ctn_json_text(v);
    return ctn_json_to_str(arena, v ? v : &ctn_json_null);
}

/* A default that is null was asked for: null is then the value, and no fault. */
static bool gives_null(const placeholder *hole)
{
    for (size_t i = hole->filter_count; i-- > 0;)
        if (ctn_filter_is_default(&hole->filters[i]))
            return ctn_json_is(hole->filters[i].argument, CTN_JSON_NULL);
    return false;
}

/* *ret_value is NULL only for an optional one that is missing. */
static ctn_failure value_of(const placeholder *hole, const ctn_scope *scope, ctn_arena *arena, size_t bytes_max,
                            const ctn_json **ret_value, ctn_err *err)
{
    const ctn_json *value = ctn_path_resolve(&hole->path, scope);
    if (!value && hole->path.count == 0 && ctn_str_is(hole->path.root, "now"))
        value = ctn_json_string(arena, ctn_time_to_str(arena, (ctn_time){.at_ms = scope->now_ms}));
    bool was_missing = ctn_json_is(value, CTN_JSON_NULL);
    for (size_t i = 0; i < hole->filter_count; i++) {
        ctn_failure failure = ctn_filter_apply(&hole->filters[i], value, arena, bytes_max, &value, err);
        if (failure) {
            if (err)
                (void) ctn_wrap(err, err->code, "{%.*s}", CTN_STR_ARG(hole->path.text));
            return failure;
        }
    }
    if (!ctn_json_is(value, CTN_JSON_NULL)) {
        *ret_value = value;
        return CTN_FAILURE_NONE;
    }
    if (hole->is_optional || gives_null(hole)) {
        *ret_value = hole->is_optional ? NULL : &ctn_json_null;
        return CTN_FAILURE_NONE;
    }
    if (!was_missing)
        return ctn_failure_tell(err, CTN_FAILURE_UNDEFINED_VARIABLE, "{%.*s} is empty, and its filters give nothing",
                                CTN_STR_ARG(hole->path.text));
    ctn_str sentence = ctn_path_explain_missing(arena, &hole->path, scope);
    return ctn_failure_tell(err, CTN_FAILURE_UNDEFINED_VARIABLE, "%.*s", CTN_STR_ARG(sentence));
}

static ctn_failure fail_too_large(size_t bytes_max, ctn_err *err)
{
    return ctn_failure_tell(err, CTN_FAILURE_LIMIT, "the rendered text has more than the %zu bytes allowed", bytes_max);
}

bool ctn_template_hole_at(const ctn_template *t, size_t i, ctn_template_hole *ret_hole)
{
    if (i + 1 >= t->count)
        return false;
    const placeholder *hole = t->segments[i].hole;
    *ret_hole = (ctn_template_hole){&hole->path, hole->is_optional, hole->filters, hole->filter_count};
    return true;
}

bool ctn_template_is_alone(const ctn_template *t)
{
    return !t->is_url && t->count == 2 && t->segments[0].text.len == 0 && t->segments[1].text.len == 0;
}

/* ---- URLs ----
 *
 * What a value holds must not move where the call goes: it is percent-encoded, so that it ends neither the segment nor
 * the member of a query that it stands in, and a segment that would lead elsewhere (an empty one, or dots) is refused.
 */

#define DOT_SEGMENT "the path of the URL would hold a segment of dots only ('.' or '..'), which leads elsewhere"

/* One character, with %2e read as the dot that some servers take it for. */
static size_t skip_dot(ctn_str text)
{
    if (text.len >= 1 && text.ptr[0] == '.')
        return 1;
    return text.len >= 3 && text.ptr[0] == '%' && text.ptr[1] == '2' && (text.ptr[2] | 0x20) == 'e' ? 3 : 0;
}

static bool has_dot_segment(ctn_str url)
{
    size_t scheme = ctn_str_find(url, CTN_STR("://"));
    ctn_str rest = scheme == SIZE_MAX ? url : ctn_str_from_offset(url, scheme + 3);
    ctn_str path = ctn_str_cut(&rest, '?');
    (void) ctn_str_cut(&path, '/'); /* the host */
    while (path.len) {
        ctn_str part = ctn_str_cut(&path, '/');
        size_t dots = 0, bytes;
        while ((bytes = skip_dot(part)) > 0) {
            part = ctn_str_from_offset(part, bytes);
            dots++;
        }
        if (part.len == 0 && (dots == 1 || dots == 2))
            return true;
    }
    return false;
}

static ctn_failure write_in_url(ctn_buf *out, const placeholder *hole, const ctn_json *value, ctn_arena *arena,
                                ctn_err *err)
{
    ctn_str name = hole->path.text;
    bool is_segment = hole->writing == WRITE_SEGMENT;
    if (is_segment && ctn_json_kind_of(value) >= CTN_JSON_ARRAY)
        return ctn_failure_tell(err, CTN_FAILURE_INVALID_INPUT, "{%.*s} is of kind %s, which has no place in a path",
                                CTN_STR_ARG(name), ctn_json_kind_name(value));
    ctn_str text = ctn_value_to_text(arena, value);
    if (is_segment && text.len == 0 && !hole->is_optional)
        return ctn_failure_tell(err, CTN_FAILURE_INVALID_INPUT,
                                "{%.*s} is empty, and the path would be another one; {%.*s?} would allow it",
                                CTN_STR_ARG(name), CTN_STR_ARG(name));
    bool is_encoded =
        hole->filter_count && hole->filters[hole->filter_count - 1].kind == ctn_filter_find(CTN_STR("url"));
    if (is_encoded)
        ctn_buf_append(out, text);
    else
        ctn_percent_append(out, text);
    return CTN_FAILURE_NONE;
}

static int refuse_url(ctn_err *err, size_t offset, const char *why)
{
    return ctn_fail_at(err, CTN_E_INVALID, 1, (uint32_t) (offset + 1), "%s", why);
}

static bool is_secret(const placeholder *hole)
{
    return hole && ctn_str_is(hole->path.root, "secret");
}

/* The literal text before the first placeholder: as far as the host goes. */
static int check_origin(const ctn_template *t, ctn_err *err)
{
    ctn_str first = t->segments[0].text;
    const placeholder *hole = t->segments[0].hole;
    if (first.len == 0 && is_secret(hole)) {
        ctn_str next = t->segments[1].text;
        bool is_whole = t->count == 2 && next.len == 0;
        if (!is_whole && !ctn_str_starts_with(next, CTN_STR("/")) && !ctn_str_starts_with(next, CTN_STR("?")))
            return refuse_url(err, hole->offset, "after a secret that is the beginning of the URL comes a '/' or '?'");
        return CTN_OK;
    }
    bool is_http = ctn_str_starts_with(first, CTN_STR("https://")) || ctn_str_starts_with(first, CTN_STR("http://"));
    if (!is_http)
        return refuse_url(err, 0,
                          "a URL begins with https://HOST, written out: what is called does not depend on data (a "
                          "{secret.NAME} may hold its beginning)");
    ctn_str host = ctn_str_from_offset(first, ctn_str_find(first, CTN_STR("://")) + 3);
    size_t end = 0;
    while (end < host.len && host.ptr[end] != '/' && host.ptr[end] != '?')
        end++;
    bool is_ended = end > 0 && end < host.len;
    if (end == 0 && !hole) /* libcurl would take the path's first segment for it */
        return refuse_url(err, 0, "the URL names no host");
    if (hole && !is_ended)
        return refuse_url(err, hole->offset,
                          "the host of a URL is written out: which one is called does not depend on data (a "
                          "{secret.NAME} may hold the beginning of the URL)");
    return CTN_OK;
}

int ctn_template_compile_url(ctn_arena *arena, ctn_str text, ctn_template **ret_template, ctn_err *err)
{
    ctn_template *t;
    int rc = ctn_template_compile(arena, text, &t, err);
    if (rc == CTN_OK)
        rc = check_origin(t, err);
    if (rc)
        return rc;
    bool is_query = false;
    for (size_t i = 0; i < t->count; i++) {
        ctn_str literal = t->segments[i].text;
        size_t fragment = ctn_str_find(literal, CTN_STR("#"));
        if (fragment != SIZE_MAX)
            return refuse_url(err, 0, "the part of a URL behind '#' is never sent: leave it out, or write %23");
        is_query = is_query || ctn_str_find(literal, CTN_STR("?")) != SIZE_MAX;
        placeholder *hole = (placeholder *) (uintptr_t) t->segments[i].hole; /* ours, and nobody else has it yet */
        if (hole && !is_secret(hole)) /* its text is put in by the host, and encoded there */
            hole->writing = is_query ? WRITE_QUERY : WRITE_SEGMENT;
    }
    if (t->count == 1 && has_dot_segment(t->segments[0].text))
        return refuse_url(err, 0, DOT_SEGMENT);
    t->is_url = true;
    *ret_template = t;
    return CTN_OK;
}

ctn_failure ctn_template_render_or_absent(const ctn_template *t, const ctn_scope *scope, ctn_arena *arena,
                                          size_t bytes_max, const ctn_json **ret_value, ctn_err *err)
{
    const ctn_json *value = NULL;
    if (ctn_template_is_alone(t)) {
        ctn_failure failure = value_of(t->segments[0].hole, scope, arena, bytes_max, &value, err);
        if (failure)
            return failure;
        if (value && ctn_json_bytes(value) > bytes_max)
            return fail_too_large(bytes_max, err);
        *ret_value = value;
        return CTN_FAILURE_NONE;
    }
    ctn_buf text;
    ctn_buf_init(&text, bytes_max);
    ctn_failure failure = CTN_FAILURE_NONE;
    for (size_t i = 0; i < t->count && !failure && !text.overflowed; i++) {
        ctn_buf_append(&text, t->segments[i].text);
        const placeholder *hole = t->segments[i].hole;
        if (!hole)
            break;
        failure = value_of(hole, scope, arena, bytes_max, &value, err);
        if (failure || !value)
            continue;
        if (hole->writing != WRITE_RAW)
            failure = write_in_url(&text, hole, value, arena, err);
        else if (ctn_json_is(value, CTN_JSON_STRING) || ctn_json_is(value, CTN_JSON_NUMBER))
            ctn_buf_append(&text, ctn_json_text(value));
        else
            ctn_json_write(&text, value);
    }
    if (!failure && text.overflowed)
        failure = fail_too_large(bytes_max, err);
    if (!failure && t->is_url && has_dot_segment(ctn_buf_str(&text)))
        failure = ctn_failure_tell(err, CTN_FAILURE_INVALID_INPUT, "%s", DOT_SEGMENT);
    if (!failure)
        *ret_value = ctn_json_string(arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return failure;
}

ctn_failure ctn_template_render(const ctn_template *t, const ctn_scope *scope, ctn_arena *arena, size_t bytes_max,
                                const ctn_json **ret_value, ctn_err *err)
{
    const ctn_json *value = NULL;
    ctn_failure failure = ctn_template_render_or_absent(t, scope, arena, bytes_max, &value, err);
    if (!failure)
        *ret_value = value ? value : ctn_json_string(arena, (ctn_str){0});
    return failure;
}

const ctn_json *ctn_template_constant(const ctn_template *t, ctn_arena *arena)
{
    return t->count == 1 ? ctn_json_string(arena, t->segments[0].text) : NULL;
}
