/*
 * mcp_http.c -- see mcp_http.h.
 *
 * A schema is walked whole, not only where marks may stand: one that stands elsewhere makes the tool uncallable, and
 * would otherwise be passed over in silence. What is data in a schema (const, enum, default, examples) is no schema,
 * and a property may be called x-mcp-header.
 */
#include "wire/mcp_http.h"
#include "base/base64.h"

#define MARK       "x-mcp-header"
#define OPEN_MARK  "=?base64?"
#define CLOSE_MARK "?="

/* ---- values ---- */

static bool is_visible(ctn_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        if (c != '\t' && (c < 0x20 || c > 0x7e))
            return false;
    }
    return true;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_marked(ctn_str text)
{
    return text.len >= sizeof OPEN_MARK CLOSE_MARK - 1 && ctn_str_starts_with(text, CTN_STR(OPEN_MARK)) &&
           ctn_str_ends_with(text, CTN_STR(CLOSE_MARK));
}

ctn_str ctn_mcp_header_write(ctn_arena *arena, ctn_str text)
{
    bool is_itself = is_visible(text) && !is_marked(text) &&
                     (text.len == 0 || (!is_white(text.ptr[0]) && !is_white(text.ptr[text.len - 1])));
    if (is_itself)
        return text;
    return ctn_arena_join(arena, (ctn_str[]){CTN_STR(OPEN_MARK), ctn_base64(arena, text), CTN_STR(CLOSE_MARK)}, 3);
}

bool ctn_mcp_header_read(ctn_arena *arena, ctn_str value, ctn_str *ret_text)
{
    value = ctn_str_trim(value);
    if (!is_marked(value)) {
        *ret_text = value;
        return true;
    }
    ctn_str inner = ctn_str_from_offset(value, sizeof OPEN_MARK - 1);
    inner.len -= sizeof CLOSE_MARK - 1;
    return ctn_base64_read(arena, inner, ret_text);
}

bool ctn_mcp_param_text(ctn_arena *arena, const ctn_json *value, ctn_str *ret_text)
{
    int64_t number;
    switch (ctn_json_kind_of(value)) {
    case CTN_JSON_STRING: *ret_text = ctn_json_text(value); return true;
    case CTN_JSON_TRUE: *ret_text = CTN_STR("true"); return true;
    case CTN_JSON_FALSE: *ret_text = CTN_STR("false"); return true;
    case CTN_JSON_NUMBER:
        *ret_text = ctn_json_to_int64(value, &number) ? ctn_arena_printf(arena, "%lld", (long long) number)
                                                      : ctn_json_text(value);
        return true;
    case CTN_JSON_NULL:
    case CTN_JSON_ARRAY:
    case CTN_JSON_OBJECT: break;
    }
    return false;
}

/* ---- names ---- */

bool ctn_mcp_header_is_name(ctn_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return text.len > 0;
}

bool ctn_mcp_header_is_ours(ctn_str name)
{
    static const char *const OURS[] = {
        "Accept",
        "Connection",
        "Content-Encoding",
        "Content-Length",
        "Content-Type",
        "Expect",
        "Host",
        "Last-Event-ID",
        "TE",
        "Trailer",
        "Upgrade",
        "Transfer-Encoding",
        CTN_MCP_HEADER_VERSION,
        CTN_MCP_HEADER_METHOD,
        CTN_MCP_HEADER_NAME,
        CTN_MCP_HEADER_SESSION,
    };
    for (size_t i = 0; i < sizeof OURS / sizeof *OURS; i++)
        if (ctn_str_equal_any_case(name, ctn_str_from(OURS[i])))
            return true;
    ctn_str param = CTN_STR(CTN_MCP_HEADER_PARAM);
    return name.len >= param.len && ctn_str_equal_any_case((ctn_str){name.ptr, param.len}, param);
}

/* ---- schemas ---- */

typedef struct walk {
    ctn_arena *arena;
    ctn_mcp_params params;
    ctn_str path[CTN_JSON_DEPTH_MAX];
    ctn_err *err;
} walk;

/* How a property is reached. */
typedef enum reach {
    BY_PROPERTIES, /* alone, from the root */
    OTHERWISE,
} reach;

static int walk_schema(walk *w, const ctn_json *schema, reach how, size_t depth);

static bool may_be_marked(const ctn_json *schema)
{
    ctn_str type = ctn_json_str_or(schema, "type", (ctn_str){0});
    return ctn_str_is(type, "string") || ctn_str_is(type, "integer") || ctn_str_is(type, "boolean");
}

static int read_mark(walk *w, const ctn_json *schema, const ctn_json *mark, reach how, size_t depth)
{
    ctn_str where = depth ? w->path[depth - 1] : CTN_STR("(the root)");
    ctn_str text = ctn_json_text(mark);
    if (where.len > 64)
        where.len = 64;
    if (how != BY_PROPERTIES || depth == 0)
        return ctn_fail(w->err, CTN_E_INVALID,
                        MARK " stands where no argument is: it is reached through `properties` alone");
    if (!ctn_json_is(mark, CTN_JSON_STRING) || !ctn_mcp_header_is_name(text))
        return ctn_fail(w->err, CTN_E_INVALID, MARK " of '%.*s' is no name of a header", CTN_STR_ARG(where));
    if (!may_be_marked(schema))
        return ctn_fail(w->err, CTN_E_INVALID, MARK " of '%.*s', which is no string, integer or boolean",
                        CTN_STR_ARG(where));
    ctn_str header = ctn_arena_join(w->arena, (ctn_str[]){CTN_STR(CTN_MCP_HEADER_PARAM), text}, 2);
    for (size_t i = 0; i < w->params.count; i++)
        if (ctn_str_equal_any_case(w->params.items[i].header, header))
            return ctn_fail(w->err, CTN_E_INVALID, MARK " of '%.*s' is that of another property too",
                            CTN_STR_ARG(where));
    if (w->params.count == CTN_MCP_PARAMS_MAX)
        return ctn_fail(w->err, CTN_E_LIMIT, "more than %d properties have " MARK, CTN_MCP_PARAMS_MAX);
    if (!w->params.items)
        w->params.items = CTN_NEW_ARRAY(w->arena, ctn_mcp_param, CTN_MCP_PARAMS_MAX);
    ctn_str *path = CTN_NEW_ARRAY(w->arena, ctn_str, depth);
    memcpy(path, w->path, depth * sizeof *path);
    w->params.items[w->params.count++] = (ctn_mcp_param){.header = header, .path = path, .depth = depth};
    return CTN_OK;
}

static int walk_properties(walk *w, const ctn_json *properties, reach how, size_t depth)
{
    int rc = CTN_OK;
    bool is_object = ctn_json_is(properties, CTN_JSON_OBJECT) && depth < CTN_JSON_DEPTH_MAX;
    for (size_t i = 0; !rc && is_object && i < properties->count; i++) {
        w->path[depth] = ctn_json_text(&properties->members[i].key);
        rc = walk_schema(w, &properties->members[i].value, how, depth + 1);
    }
    return rc;
}

typedef enum holds {
    SCHEMAS_BY_NAME, /* an object whose members are schemas */
    SCHEMAS,         /* a schema, or a list of them */
} holds;

static const struct keyword {
    const char *name;
    holds what;
} KEYWORDS[] = {
    {"patternProperties", SCHEMAS_BY_NAME},
    {"$defs", SCHEMAS_BY_NAME},
    {"definitions", SCHEMAS_BY_NAME},
    {"dependentSchemas", SCHEMAS_BY_NAME},
    {"items", SCHEMAS},
    {"prefixItems", SCHEMAS},
    {"additionalItems", SCHEMAS},
    {"unevaluatedItems", SCHEMAS},
    {"contains", SCHEMAS},
    {"additionalProperties", SCHEMAS},
    {"unevaluatedProperties", SCHEMAS},
    {"propertyNames", SCHEMAS},
    {"contentSchema", SCHEMAS},
    {"allOf", SCHEMAS},
    {"anyOf", SCHEMAS},
    {"oneOf", SCHEMAS},
    {"not", SCHEMAS},
    {"if", SCHEMAS},
    {"then", SCHEMAS},
    {"else", SCHEMAS},
};

static int walk_keyword(walk *w, const struct keyword *keyword, const ctn_json *value, size_t depth)
{
    int rc = CTN_OK;
    if (keyword->what == SCHEMAS_BY_NAME)
        return walk_properties(w, value, OTHERWISE, depth);
    if (!ctn_json_is(value, CTN_JSON_ARRAY))
        return walk_schema(w, value, OTHERWISE, depth);
    for (size_t i = 0; !rc && i < value->count; i++)
        rc = walk_schema(w, &value->items[i], OTHERWISE, depth);
    return rc;
}

static int walk_schema(walk *w, const ctn_json *schema, reach how, size_t depth)
{
    if (!ctn_json_is(schema, CTN_JSON_OBJECT))
        return CTN_OK;
    const ctn_json *mark = ctn_json_member_of(schema, MARK);
    int rc = mark ? read_mark(w, schema, mark, how, depth) : CTN_OK;
    if (!rc)
        rc = walk_properties(w, ctn_json_member_of(schema, "properties"), how, depth);
    for (size_t i = 0; !rc && i < sizeof KEYWORDS / sizeof *KEYWORDS; i++) {
        const ctn_json *value = ctn_json_member_of(schema, KEYWORDS[i].name);
        if (value)
            rc = walk_keyword(w, &KEYWORDS[i], value, depth);
    }
    return rc;
}

int ctn_mcp_params_read(ctn_arena *arena, const ctn_json *input_schema, ctn_mcp_params *ret_params, ctn_err *err)
{
    walk w = {.arena = arena, .err = err};
    int rc = walk_schema(&w, input_schema, BY_PROPERTIES, 0);
    if (!rc)
        *ret_params = w.params;
    return rc;
}

const ctn_mcp_header *ctn_mcp_params_headers(ctn_arena *arena, const ctn_mcp_params *params, const ctn_json *arguments,
                                             size_t *ret_count)
{
    *ret_count = 0;
    if (params->count == 0)
        return NULL;
    ctn_mcp_header *headers = CTN_NEW_ARRAY(arena, ctn_mcp_header, params->count);
    for (size_t i = 0; i < params->count; i++) {
        const ctn_mcp_param *param = &params->items[i];
        const ctn_json *value = arguments;
        ctn_str text;
        for (size_t k = 0; value && k < param->depth; k++)
            value = ctn_json_get(value, param->path[k]);
        if (value && ctn_mcp_param_text(arena, value, &text))
            headers[(*ret_count)++] = (ctn_mcp_header){param->header, ctn_mcp_header_write(arena, text)};
    }
    return headers;
}
