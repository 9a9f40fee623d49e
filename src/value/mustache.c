/*
 * mustache.c -- a document's front matter, what it reads, and its rendering.
 *
 * Rendering walks the tree with three stacks that live in the C stack's own frames: the values that names are
 * looked up in, the parents whose blocks replace others, and the indentation. Indentation belongs to lines of
 * templates, never to lines of values: it is written when the first thing of a template's line is.
 *
 * Nothing that a value holds is read as a template; the one exception is meant: a dynamic partial's name is a
 * value, and can lead only to partials that the callback knows.
 *
 * Bounds: output by the caller's buffer, depth by DEPTH_MAX, work by STEPS_MAX (partials that name each other
 * twice would otherwise take 2^depth steps to write nothing).
 */
#include "value/mustache.h"
#include "base/memory.h"
#include "value/literal.h"
#include "value/mustache_node.h"

#define DEPTH_MAX   200
#define STEPS_MAX   1000000
#define DYNAMIC_MAX 1000

/* ---- front matter ---- */

static int fail_front(ctn_err *err, uint32_t line, const char *sentence)
{
    return ctn_fail_at(err, CTN_E_INVALID, line, 1, "front matter: %s", sentence);
}

/* Cuts one line off *rest, without its end. */
static ctn_str take_line(ctn_str *rest)
{
    ctn_str line = ctn_str_cut(rest, '\n');
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static ctn_str unquote(ctn_str s)
{
    bool is_quoted = s.len >= 2 && (s.ptr[0] == '\'' || s.ptr[0] == '"') && s.ptr[s.len - 1] == s.ptr[0];
    return is_quoted ? (ctn_str){s.ptr + 1, s.len - 2} : s;
}

/* "key: value" of the front matter. */
static int read_front_line(ctn_str line, uint32_t number, ctn_str *content_type, ctn_str *variable, ctn_err *err)
{
    size_t colon = ctn_str_find(line, CTN_STR(":"));
    if (colon == SIZE_MAX)
        return fail_front(err, number, "a line is 'key: value'; it ends with a line of ---");
    ctn_str key = ctn_str_trim((ctn_str){line.ptr, colon});
    ctn_str value = unquote(ctn_str_trim(ctn_str_from_offset(line, colon + 1)));
    ctn_str *place = ctn_str_is(key, "contentType") ? content_type : ctn_str_is(key, "variable") ? variable : NULL;
    if (!place) {
        const ctn_str known[] = {CTN_STR("contentType"), CTN_STR("variable")};
        ctn_str nearest = ctn_str_nearest(key, known, 2);
        return ctn_fail_at(err, CTN_E_INVALID, number, 1, "front matter: unknown key '%.*s'; %s%.*s", CTN_STR_ARG(key),
                           nearest.len ? "did you mean " : "known are contentType and variable", CTN_STR_ARG(nearest));
    }
    if (place->ptr)
        return ctn_fail_at(err, CTN_E_INVALID, number, 1, "front matter: '%.*s' is given twice", CTN_STR_ARG(key));
    if (!value.len)
        return ctn_fail_at(err, CTN_E_INVALID, number, 1, "front matter: '%.*s' has no value", CTN_STR_ARG(key));
    if (place == variable && ctn_skip_name(value, 0) != value.len)
        return fail_front(err, number, "variable is a name: a letter or _, then letters, digits and _");
    *place = value;
    return CTN_OK;
}

int mustache_read_front_matter(ctn_arena *arena, ctn_str text, ctn_str *ret_content_type, ctn_str *ret_variable,
                               size_t *ret_start, ctn_err *err)
{
    ctn_str rest = text, content_type = {0}, variable = {0};
    *ret_start = 0;
    if (ctn_str_is(take_line(&rest), "---")) {
        uint32_t number = 1;
        for (;;) {
            if (!rest.ptr)
                return fail_front(err, 1, "it begins with --- and never ends with a line of ---");
            ctn_str line = take_line(&rest);
            number++;
            if (ctn_str_is(line, "---"))
                break;
            ctn_str trimmed = ctn_str_trim(line);
            if (!trimmed.len || trimmed.ptr[0] == '#')
                continue;
            int rc = read_front_line(line, number, &content_type, &variable, err);
            if (rc)
                return rc;
        }
        *ret_start = rest.ptr ? (size_t) (rest.ptr - text.ptr) : text.len;
    }
    if (ret_content_type)
        *ret_content_type = content_type.len ? ctn_arena_str(arena, content_type) : CTN_STR("text/plain");
    if (ret_variable)
        *ret_variable = variable.len ? ctn_arena_str(arena, variable) : (ctn_str){0};
    return CTN_OK;
}

static bool is_html(ctn_str content_type)
{
    ctn_str type = ctn_str_trim(ctn_str_cut(&content_type, ';'));
    static const char *const types[] = {"text/html", "application/xhtml+xml"};
    for (size_t t = 0; t < 2; t++) {
        bool is_equal = strlen(types[t]) == type.len;
        for (size_t i = 0; is_equal && i < type.len; i++) {
            char c = type.ptr[i];
            is_equal = (c >= 'A' && c <= 'Z' ? (char) (c + 32) : c) == types[t][i];
        }
        if (is_equal)
            return true;
    }
    return false;
}

static int unguarded_mustache_compile(ctn_arena *arena, ctn_str text, const ctn_mustache_options *options,
                                      ctn_mustache **ret_document, ctn_err *err)
{
    ctn_mustache *m = CTN_NEW(arena, ctn_mustache);
    ctn_str kept = ctn_arena_str(arena, text);
    size_t start = 0;
    if (options)
        m->options = *options;
    int rc = mustache_read_front_matter(arena, kept, &m->content_type, &m->variable, &start, err);
    if (rc)
        return rc;
    m->escapes = m->options.always_escape || is_html(m->content_type);
    m->root = CTN_NEW(arena, mustache_unit);
    rc = mustache_parse_unit(arena, kept, start, m->root, &m->partials, err);
    if (rc == CTN_OK)
        rc = mustache_parse_partials(arena, &m->options, &m->partials, err);
    if (rc == CTN_OK)
        *ret_document = m;
    return rc;
}

typedef struct mustache_compile_arguments {
    ctn_arena *arena;
    ctn_str text;
    const ctn_mustache_options *options;
    ctn_mustache **ret_document;
    ctn_err *err;
} mustache_compile_arguments;

static int guarded_mustache_compile(void *ctx)
{
    const mustache_compile_arguments *a = ctx;
    return unguarded_mustache_compile(a->arena, a->text, a->options, a->ret_document, a->err);
}

int ctn_mustache_compile(ctn_arena *arena, ctn_str text, const ctn_mustache_options *options,
                         ctn_mustache **ret_document, ctn_err *err)
{
    mustache_compile_arguments a = {
        .arena = arena, .text = text, .options = options, .ret_document = ret_document, .err = err};
    return ctn_guarded(guarded_mustache_compile, &a, err);
}

ctn_str ctn_mustache_content_type(const ctn_mustache *m)
{
    return m->content_type;
}

ctn_str ctn_mustache_variable(const ctn_mustache *m)
{
    return m->variable;
}

/* ---- what it reads ---- */

static void collect_reads(const mustache_node *nodes, size_t count, bool is_root, bool is_inner, ctn_arena *arena,
                          ctn_reads *reads)
{
    for (size_t i = 0; i < count; i++) {
        const mustache_node *node = &nodes[i];
        bool is_name = node->kind == MUSTACHE_VALUE || node->kind == MUSTACHE_RAW || node->kind == MUSTACHE_SECTION ||
                       node->kind == MUSTACHE_INVERTED || node->is_dynamic;
        size_t root_len = is_name ? ctn_skip_name(node->text, 0) : 0;
        if (root_len && (root_len == node->text.len || node->text.ptr[root_len] == '.'))
            ctn_reads_add(arena, reads,
                          (ctn_read){.root = {node->text.ptr, root_len},
                                     .path = node->text,
                                     .offset = is_root ? (uint32_t) node->offset : 0,
                                     .is_optional = true,
                                     .is_inner = is_inner});
        collect_reads(node->children, node->count, is_root, is_inner || node->kind == MUSTACHE_SECTION, arena, reads);
    }
}

void ctn_mustache_reads(const ctn_mustache *m, ctn_arena *arena, ctn_reads *reads)
{
    if (!m)
        return;
    collect_reads(m->root->nodes, m->root->count, true, false, arena, reads);
    for (const mustache_unit *u = m->partials; u; u = u->next)
        collect_reads(u->nodes, u->count, false, true, arena, reads); /* it may stand in a section */
}

/* ---- render ---- */

/* A value that names are looked up in, before those outside it. */
typedef struct context {
    const ctn_json *value;
    const struct context *outer;
} context;

/* A parent tag whose template is being rendered: its blocks replace those of the template. */
typedef struct overrides {
    const mustache_node *parent;
    const struct overrides *outer;
} overrides;

typedef struct indentation {
    ctn_str text;
    const struct indentation *outer;
} indentation;

typedef struct renderer {
    const ctn_mustache *document;
    const ctn_scope *scope;
    ctn_buf *out;
    ctn_err *err;
    mustache_unit *partials; /* the document's, and dynamic ones in front */
    ctn_arena *arena;        /* of dynamic partials and texts of values; made when first needed */
    const context *top;
    const overrides *parents;
    const indentation *indent;
    bool is_line_start;
    unsigned depth;
    unsigned steps;
    unsigned dynamic_count; /* names of dynamic partials that were not known before */
} renderer;

static ctn_failure render_nodes(renderer *r, const mustache_node *nodes, size_t count);

static ctn_arena *arena_of(renderer *r)
{
    if (!r->arena)
        r->arena = ctn_arena_new(1024);
    return r->arena;
}

/* ---- names ---- */

static const ctn_json *look_up_root(const renderer *r, ctn_str name)
{
    for (const context *c = r->top; c; c = c->outer) {
        const ctn_json *found = ctn_json_get(c->value, name);
        if (found)
            return found;
    }
    return r->scope->lookup(r->scope->ctx, name);
}

static const ctn_json *look_up(const renderer *r, ctn_str name)
{
    if (ctn_str_is(name, "."))
        return r->top ? r->top->value : r->scope->lookup(r->scope->ctx, name);
    ctn_str rest = name;
    const ctn_json *value = look_up_root(r, ctn_str_cut(&rest, '.'));
    while (value && rest.ptr) {
        ctn_str part = ctn_str_cut(&rest, '.');
        int64_t index;
        if (ctn_json_is(value, CTN_JSON_ARRAY))
            value = ctn_str_to_int64(part, &index) && index >= 0 ? ctn_json_at(value, (size_t) index) : NULL;
        else
            value = ctn_json_get(value, part);
    }
    return value;
}

/* Mustache's truth: as expressions have it, but an empty object is one. */
static bool is_true(const ctn_json *v)
{
    if (ctn_json_is(v, CTN_JSON_NUMBER)) {
        for (uint32_t i = 0; i < v->count && v->text[i] != 'e' && v->text[i] != 'E'; i++)
            if (v->text[i] >= '1' && v->text[i] <= '9')
                return true;
        return false;
    }
    if (ctn_json_is(v, CTN_JSON_STRING) || ctn_json_is(v, CTN_JSON_ARRAY))
        return v->count != 0;
    return !ctn_json_is(v, CTN_JSON_NULL) && !ctn_json_is(v, CTN_JSON_FALSE);
}

/* ---- writing ---- */

static void write_indent(renderer *r, const indentation *indent)
{
    if (!indent)
        return;
    write_indent(r, indent->outer);
    ctn_buf_append(r->out, indent->text);
}

/* What comes next is the first of its template's line. */
static void begin_line(renderer *r)
{
    if (r->is_line_start)
        write_indent(r, r->indent);
    r->is_line_start = false;
}

static void write_text(renderer *r, ctn_str text)
{
    if (!r->indent) {
        ctn_buf_append(r->out, text);
        r->is_line_start = text.ptr[text.len - 1] == '\n';
        return;
    }
    for (size_t i = 0; i < text.len && !r->out->overflowed;) {
        ctn_str rest = ctn_str_from_offset(text, i);
        size_t end = ctn_str_find(rest, CTN_STR("\n"));
        size_t len = end == SIZE_MAX ? rest.len : end + 1;
        begin_line(r);
        ctn_buf_append(r->out, (ctn_str){rest.ptr, len});
        r->is_line_start = end != SIZE_MAX;
        i += len;
    }
}

static void write_escaped(ctn_buf *out, ctn_str s)
{
    size_t plain = 0;
    for (size_t i = 0; i < s.len; i++) {
        const char *entity = NULL;
        switch (s.ptr[i]) {
        case '&': entity = "&amp;"; break;
        case '<': entity = "&lt;"; break;
        case '>': entity = "&gt;"; break;
        case '"': entity = "&quot;"; break;
        case '\'': entity = "&#39;"; break;
        default: continue;
        }
        ctn_buf_append(out, (ctn_str){s.ptr + plain, i - plain});
        ctn_buf_append(out, ctn_str_from(entity));
        plain = i + 1;
    }
    ctn_buf_append(out, ctn_str_from_offset(s, plain));
}

static void write_value(renderer *r, const ctn_json *value, bool escapes)
{
    begin_line(r);
    if (ctn_json_is(value, CTN_JSON_NULL))
        return;
    if (ctn_json_is(value, CTN_JSON_STRING) || ctn_json_is(value, CTN_JSON_NUMBER)) {
        if (escapes)
            write_escaped(r->out, ctn_json_text(value));
        else
            ctn_buf_append(r->out, ctn_json_text(value));
        return;
    }
    if (!escapes) {
        ctn_json_write(r->out, value);
        return;
    }
    ctn_buf json;
    ctn_buf_init(&json, r->out->limit_bytes);
    ctn_json_write(&json, value);
    if (json.overflowed)
        r->out->overflowed = true;
    else
        write_escaped(r->out, ctn_buf_str(&json));
    ctn_buf_done(&json);
}

/* ---- tags ---- */

static ctn_failure render_section(renderer *r, const mustache_node *node)
{
    const ctn_json *value = look_up(r, node->text);
    if (node->kind == MUSTACHE_INVERTED)
        return is_true(value) ? CTN_FAILURE_NONE : render_nodes(r, node->children, node->count);
    if (!is_true(value))
        return CTN_FAILURE_NONE;
    bool is_list = ctn_json_is(value, CTN_JSON_ARRAY);
    size_t count = is_list ? ctn_json_count(value) : 1;
    const context *outer = r->top;
    ctn_failure failure = CTN_FAILURE_NONE;
    for (size_t i = 0; i < count && !failure; i++) {
        context c = {.value = is_list ? ctn_json_at(value, i) : value, .outer = outer};
        r->top = &c;
        failure = render_nodes(r, node->children, node->count);
        r->top = outer;
    }
    return failure;
}

/* The partial that a dynamic name leads to; *ret_unit stays NULL when it leads nowhere. */
static ctn_failure find_dynamic(renderer *r, const mustache_node *node, const mustache_unit **ret_unit)
{
    const ctn_json *value = look_up(r, node->text);
    if (!ctn_json_is(value, CTN_JSON_STRING) || !value->count)
        return CTN_FAILURE_NONE;
    mustache_unit *unit = mustache_unit_named(arena_of(r), &r->partials, ctn_json_text(value));
    if (!unit->is_parsed && ++r->dynamic_count > DYNAMIC_MAX)
        return ctn_failure_tell(r->err, CTN_FAILURE_LIMIT, "the document names more than %d partials", DYNAMIC_MAX);
    ctn_err err = {0};
    if (!unit->is_parsed && mustache_parse_partials(r->arena, &r->document->options, &r->partials, &err))
        return ctn_failure_tell(r->err, CTN_FAILURE_INVALID_INPUT, "%s", err.message);
    *ret_unit = unit;
    return CTN_FAILURE_NONE;
}

/* A partial, or a parent with what it replaces. */
static ctn_failure render_partial(renderer *r, const mustache_node *node)
{
    const mustache_unit *unit = node->target;
    ctn_failure failure = node->is_dynamic ? find_dynamic(r, node, &unit) : CTN_FAILURE_NONE;
    if (failure)
        return failure;
    const indentation *indent_before = r->indent;
    const overrides *parents_before = r->parents;
    indentation indent = {.text = node->indent, .outer = indent_before};
    overrides own = {.parent = node, .outer = parents_before};
    if (node->kind == MUSTACHE_PARENT && node->count)
        r->parents = &own;
    if (node->is_standalone) {
        r->is_line_start = true;
        if (node->indent.len)
            r->indent = &indent;
    } else {
        /* Its first line goes on where we are; its other lines are not ours to indent. */
        begin_line(r);
        r->indent = NULL;
    }
    if (unit)
        failure = render_nodes(r, unit->nodes, unit->count);
    r->indent = indent_before;
    r->parents = parents_before;
    r->is_line_start = node->is_standalone;
    return failure;
}

/* What replaces the block, of all parents around: the outermost one has the last word. */
static const mustache_node *find_override(renderer *r, ctn_str name, const overrides **ret_parents)
{
    const mustache_node *found = NULL;
    for (const overrides *o = r->parents; o; o = o->outer) {
        r->steps += (unsigned) o->parent->count;
        for (size_t i = 0; i < o->parent->count; i++)
            if (ctn_str_equal(o->parent->children[i].text, name)) {
                found = &o->parent->children[i];
                *ret_parents = o->outer;
                break;
            }
    }
    return found;
}

static ctn_failure render_block(renderer *r, const mustache_node *node)
{
    const overrides *parents_before = r->parents, *parents = NULL;
    const mustache_node *replacement = find_override(r, node->text, &parents);
    if (!replacement)
        return render_nodes(r, node->children, node->count);
    /* The replacement belongs to the template that wrote it, whose own blocks only those further out replace. */
    const indentation *indent_before = r->indent;
    indentation indent = {.text = node->indent, .outer = indent_before};
    size_t len_before = r->out->len;
    r->parents = parents;
    if (node->is_standalone) {
        r->is_line_start = true;
        if (node->indent.len)
            r->indent = &indent;
    }
    ctn_failure failure = render_nodes(r, replacement->children, replacement->count);
    r->parents = parents_before;
    r->indent = indent_before;
    if (node->is_standalone)
        r->is_line_start = true;
    /* A block on one line stands for whole lines. */
    if (node->is_one_line && r->out->len > len_before && r->out->data[r->out->len - 1] != '\n')
        ctn_buf_append_char(r->out, '\n');
    return failure;
}

static ctn_failure render_node(renderer *r, const mustache_node *node)
{
    switch (node->kind) {
    case MUSTACHE_TEXT: write_text(r, node->text); return CTN_FAILURE_NONE;
    case MUSTACHE_VALUE: write_value(r, look_up(r, node->text), r->document->escapes); return CTN_FAILURE_NONE;
    case MUSTACHE_RAW: write_value(r, look_up(r, node->text), false); return CTN_FAILURE_NONE;
    case MUSTACHE_SECTION:
    case MUSTACHE_INVERTED: return render_section(r, node);
    case MUSTACHE_PARTIAL:
    case MUSTACHE_PARENT: return render_partial(r, node);
    case MUSTACHE_BLOCK: return render_block(r, node);
    case MUSTACHE_CLOSE:
    case MUSTACHE_COMMENT:
    case MUSTACHE_DELIMITERS: break; /* never nodes */
    }
    return CTN_FAILURE_NONE;
}

/* One for each node and one for each time that nodes are begun: an empty section of a long list is work too. */
static ctn_failure spend_step(renderer *r)
{
    if (++r->steps <= STEPS_MAX)
        return CTN_FAILURE_NONE;
    return ctn_failure_tell(r->err, CTN_FAILURE_LIMIT, "the document needs more than %d steps", STEPS_MAX);
}

static ctn_failure render_nodes(renderer *r, const mustache_node *nodes, size_t count)
{
    if (r->depth == DEPTH_MAX)
        return ctn_failure_tell(r->err, CTN_FAILURE_LIMIT, "sections and partials are nested more than %d deep",
                                DEPTH_MAX);
    r->depth++;
    ctn_failure failure = spend_step(r);
    for (size_t i = 0; i < count && !failure; i++) {
        failure = spend_step(r);
        if (!failure)
            failure = render_node(r, &nodes[i]);
        if (!failure && r->out->overflowed)
            failure = ctn_failure_tell(r->err, CTN_FAILURE_LIMIT, "the document has more than the %zu bytes allowed",
                                       r->out->limit_bytes);
    }
    r->depth--;
    return failure;
}

ctn_failure ctn_mustache_render(const ctn_mustache *m, const ctn_scope *scope, ctn_buf *out, ctn_err *err)
{
    renderer r = {
        .document = m,
        .scope = scope,
        .out = out,
        .err = err,
        .partials = m->partials,
        .is_line_start = true,
    };
    ctn_failure failure = render_nodes(&r, m->root->nodes, m->root->count);
    ctn_arena_free(r.arena);
    return failure;
}
