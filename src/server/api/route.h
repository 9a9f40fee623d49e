/*
 * route.h -- which operation a request means, and what it says, as the document has it.
 *
 * A route is an operation of the document: a method and a path template, its parameters and bodies with their schemas
 * compiled, the action that its caller must be allowed. Nothing here knows what an operation does.
 *
 * Ownership  Routes live in the arena they are made in, but for the patterns of schemas: _done.
 */
#pragma once
#include "server/api/api.h"
#include "value/schema.h"

typedef struct ctn_api_parameter {
    ctn_str name, where; /* "path", "query", "header" */
    bool is_required;
    enum { CTN_API_TEXT, CTN_API_INTEGER, CTN_API_BOOLEAN, CTN_API_TEXTS } type;
    ctn_str format;            /* "uuid", "date-time"; empty: none */
    ctn_str example;           /* of a text with a pattern: what is told to who misses it; empty: none */
    const ctn_json *otherwise; /* its default; NULL: none */
    ctn_schema *schema;
} ctn_api_parameter;

typedef struct ctn_api_body {
    ctn_str type;       /* "application/json" */
    bool is_json;       /* else it is handed over as text */
    ctn_schema *schema; /* NULL: anything */
} ctn_api_body;

typedef struct ctn_api_route {
    ctn_str method, path; /* "GET", "/v1/executions/{id}" */
    ctn_str id;           /* operationId */
    bool has_action;
    ctn_action action;
    const ctn_api_operation *operation;
    ctn_api_parameter *parameters;
    size_t parameter_count;
    ctn_api_body *bodies;
    size_t body_count;
    bool needs_body;
} ctn_api_route;

typedef struct ctn_api_routes {
    ctn_api_route *items;
    size_t count;
} ctn_api_routes;

/* Of all operations of the document; each has its row in `operations` (lists that end with a row all NULL), and each
 * row its operation: else an assert. */
void ctn_api_routes_of(ctn_arena *arena, const ctn_json *document, const ctn_api_operation *const *operations,
                       ctn_api_routes *ret_routes);
void ctn_api_routes_done(ctn_api_routes *routes);

/* HEAD is GET. NULL: *ret_allowed says which methods the path has; empty: it is none of ours. */
const ctn_api_route *ctn_api_route_of(const ctn_api_routes *routes, const ctn_web_ask *ask, ctn_arena *arena,
                                      ctn_str *ret_allowed);
/* The body of this content type; NULL: it takes none such. */
const ctn_api_body *ctn_api_body_of(const ctn_api_route *route, const ctn_web_ask *ask);

typedef struct ctn_api_read {
    const ctn_json *given, *body; /* as in ctn_api_call */
    const ctn_json *errors;       /* [{pointer, detail}]; NULL: none */
    int status;                   /* with errors: 400, 422 */
    const char *sentence;
} ctn_api_read;
/* False: with errors. */
bool ctn_api_read_request(const ctn_api_route *route, const ctn_web_ask *ask, ctn_arena *arena, ctn_api_read *ret);
