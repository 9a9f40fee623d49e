/*
 * route.c -- see route.h: the document's operations made routes, and the one that a path means.
 */
#include "server/api/route.h"
#include <assert.h>
#include <stdio.h>
#include "server/api/document.h"

static const char *const METHODS[] = {"get", "put", "post", "delete", "patch"};
#define METHOD_COUNT (sizeof METHODS / sizeof *METHODS)

typedef struct making {
    ctn_arena *arena;
    const ctn_json *document;
    const ctn_api_operation *const *operations;
    ctn_api_routes *routes;
    size_t capacity;
} making;

/* ---- schemas ---- */

/* A schema refers to #/components of the document: so that it stands alone, these are put beside it. */
static ctn_schema *compile(making *m, const ctn_json *source)
{
    ctn_json_builder b = ctn_json_object(m->arena);
    ctn_schema *schema = NULL;
    ctn_err err = {0};
    ctn_json_put_all(&b, source);
    ctn_json_put(&b, CTN_STR("components"), ctn_json_member_of(m->document, "components"));
    int rc = ctn_schema_compile(m->arena, ctn_json_finish(&b), &schema, NULL, &err);
    if (rc)
        (void) fprintf(stderr, "openapi: %s\n", err.message);
    assert(rc == CTN_OK);
    return schema;
}

/* ---- routes ---- */

static void read_parameter(making *m, const ctn_json *source, ctn_api_parameter *p)
{
    const ctn_json *said = ctn_api_resolve(m->document, source), *schema = ctn_json_member_of(said, "schema");
    const ctn_json *shape = ctn_api_resolve(m->document, schema);
    ctn_str type = ctn_json_str_or(shape, "type", (ctn_str){0});
    *p = (ctn_api_parameter){.name = ctn_json_str_or(said, "name", (ctn_str){0}),
                             .where = ctn_json_str_or(said, "in", (ctn_str){0}),
                             .is_required = ctn_json_bool_or(said, "required", false),
                             .format = ctn_json_str_or(shape, "format", (ctn_str){0}),
                             .example = ctn_json_str_or(said, "example", (ctn_str){0}),
                             .otherwise = ctn_json_member_of(shape, "default"),
                             .schema = compile(m, schema)};
    assert(p->name.len &&
           (ctn_str_is(p->where, "path") || ctn_str_is(p->where, "query") || ctn_str_is(p->where, "header")));
    p->type = ctn_str_is(type, "integer")   ? CTN_API_INTEGER
              : ctn_str_is(type, "boolean") ? CTN_API_BOOLEAN
              : ctn_str_is(type, "array")   ? CTN_API_TEXTS
                                            : CTN_API_TEXT;
}

static void read_parameters(making *m, const ctn_json *item, const ctn_json *operation, ctn_api_route *r)
{
    const ctn_json *lists[] = {ctn_json_member_of(item, "parameters"), ctn_json_member_of(operation, "parameters")};
    r->parameters = CTN_NEW_ARRAY(m->arena, ctn_api_parameter, ctn_json_count(lists[0]) + ctn_json_count(lists[1]));
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < ctn_json_count(lists[i]); k++)
            read_parameter(m, ctn_json_at(lists[i], k), &r->parameters[r->parameter_count++]);
}

static void read_bodies(making *m, const ctn_json *operation, ctn_api_route *r)
{
    const ctn_json *body = ctn_api_resolve(m->document, ctn_json_member_of(operation, "requestBody"));
    const ctn_json *content = ctn_json_member_of(body, "content");
    r->needs_body = ctn_json_bool_or(body, "required", false);
    r->bodies = CTN_NEW_ARRAY(m->arena, ctn_api_body, ctn_json_count(content));
    for (size_t i = 0; i < ctn_json_count(content); i++) {
        const ctn_json *schema = ctn_json_member_of(&content->members[i].value, "schema");
        ctn_api_body *b = &r->bodies[r->body_count++];
        b->type = ctn_json_text(&content->members[i].key);
        b->is_json = ctn_str_ends_with(b->type, CTN_STR("json"));
        b->schema = schema && b->is_json ? compile(m, schema) : NULL;
    }
}

static const ctn_api_operation *operation_of(const making *m, ctn_str id)
{
    for (size_t i = 0; m->operations[i]; i++)
        for (const ctn_api_operation *o = m->operations[i]; o->operation_id; o++)
            if (ctn_str_is(id, o->operation_id))
                return o;
    (void) fprintf(stderr, "openapi: nobody does the operation \"%.*s\"\n", CTN_STR_ARG(id));
    return NULL;
}

static void add_route(making *m, ctn_str path, const char *method, const ctn_json *item, const ctn_json *operation)
{
    ctn_api_routes *all = m->routes;
    ctn_str action = ctn_json_str_or(operation, "x-action", (ctn_str){0});
    all->items = ctn_arena_room(m->arena, all->items, all->count, &m->capacity, sizeof *all->items);
    ctn_api_route *r = &all->items[all->count++];
    char *upper = ctn_arena_alloc(m->arena, strlen(method) + 1);
    for (size_t i = 0; i <= strlen(method); i++)
        upper[i] = (char) (method[i] >= 'a' && method[i] <= 'z' ? method[i] - 'a' + 'A' : method[i]);
    *r = (ctn_api_route){.method = ctn_str_from(upper),
                         .path = path,
                         .id = ctn_json_str_or(operation, "operationId", (ctn_str){0}),
                         .has_action = action.len > 0};
    assert(!r->has_action || ctn_action_from_name(action, &r->action));
    r->operation = operation_of(m, r->id);
    assert(r->operation);
    read_parameters(m, item, operation, r);
    read_bodies(m, operation, r);
}

static bool has_route(const ctn_api_routes *routes, const char *operation_id)
{
    for (size_t i = 0; i < routes->count; i++)
        if (ctn_str_is(routes->items[i].id, operation_id))
            return true;
    (void) fprintf(stderr, "openapi: there is no operation \"%s\"\n", operation_id);
    return false;
}

void ctn_api_routes_of(ctn_arena *arena, const ctn_json *document, const ctn_api_operation *const *operations,
                       ctn_api_routes *ret)
{
    making m = {.arena = arena, .document = document, .operations = operations, .routes = ret};
    const ctn_json *paths = ctn_json_member_of(document, "paths");
    *ret = (ctn_api_routes){0};
    for (size_t i = 0; i < ctn_json_count(paths); i++)
        for (size_t k = 0; k < METHOD_COUNT; k++) {
            const ctn_json *item = &paths->members[i].value, *operation = ctn_json_member_of(item, METHODS[k]);
            if (operation)
                add_route(&m, ctn_json_text(&paths->members[i].key), METHODS[k], item, operation);
        }
    for (size_t i = 0; operations[i]; i++)
        for (const ctn_api_operation *o = operations[i]; o->operation_id; o++)
            assert(has_route(ret, o->operation_id));
}

void ctn_api_routes_done(ctn_api_routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        const ctn_api_route *r = &routes->items[i];
        for (size_t k = 0; k < r->parameter_count; k++)
            ctn_schema_done(r->parameters[k].schema);
        for (size_t k = 0; k < r->body_count; k++)
            ctn_schema_done(r->bodies[k].schema);
    }
}

/* ---- the one that is meant ---- */

static bool is_template(ctn_str segment)
{
    return segment.len && segment.ptr[0] == '{';
}

/* Segments in which a template says more than another count: /breakers/reset before /breakers/{name}. -1: no fit. */
static int fit(ctn_str template, ctn_str path)
{
    int literal = 0;
    while (template.ptr && path.ptr) {
        ctn_str want = ctn_str_cut(&template, '/'), have = ctn_str_cut(&path, '/');
        if (is_template(want) ? !have.len : !ctn_str_equal(want, have))
            return -1;
        literal += !is_template(want);
    }
    return template.ptr || path.ptr ? -1 : literal;
}

const ctn_api_route *ctn_api_route_of(const ctn_api_routes *routes, const ctn_web_ask *ask, ctn_arena *arena,
                                      ctn_str *ret_allowed)
{
    const ctn_api_route *found = NULL;
    ctn_str method = ctn_str_is(ask->method, "HEAD") ? CTN_STR("GET") : ask->method, path = {0};
    int best = -1;
    for (size_t i = 0; i < routes->count; i++) {
        int literal = fit(routes->items[i].path, ask->path);
        if (literal > best) {
            best = literal;
            path = routes->items[i].path;
        }
    }
    *ret_allowed = (ctn_str){0};
    for (size_t i = 0; path.ptr && i < routes->count; i++) {
        const ctn_api_route *r = &routes->items[i];
        if (!ctn_str_equal(r->path, path))
            continue;
        if (ctn_str_equal(r->method, method))
            found = r;
        *ret_allowed = ctn_arena_printf(arena, "%.*s%s%.*s%s", CTN_STR_ARG(*ret_allowed), ret_allowed->len ? ", " : "",
                                        CTN_STR_ARG(r->method), ctn_str_is(r->method, "GET") ? ", HEAD" : "");
    }
    return found;
}

const ctn_api_body *ctn_api_body_of(const ctn_api_route *route, const ctn_web_ask *ask)
{
    ctn_str type = ctn_web_header_of(ask->headers, ask->header_count, "content-type");
    type = type.ptr ? ctn_str_trim(ctn_str_cut(&type, ';')) : (ctn_str){0};
    for (size_t i = 0; i < route->body_count; i++)
        if (ctn_str_equal_any_case(type, route->bodies[i].type))
            return &route->bodies[i];
    return NULL;
}
