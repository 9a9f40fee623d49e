/*
 * document.c -- see document.h.
 */
#include "server/api/document.h"
#include <assert.h>
#include <stdio.h>
#include "chain/source.h"

#define MAIN_PART "api.yaml"

static const ctn_json *read_part(ctn_arena *arena, const ctn_api_part *part)
{
    ctn_findings findings;
    ctn_source *source = NULL;
    ctn_findings_init(&findings, arena);
    int rc = ctn_source_parse(arena, ctn_str_from(part->name), (ctn_str){(const char *) part->bytes, part->count},
                              &findings, &source);
    if (rc && findings.count)
        (void) fprintf(stderr, "%s:%u: %.*s\n", part->name, findings.items[0].line,
                       CTN_STR_ARG(findings.items[0].message));
    assert(rc == CTN_OK);
    return ctn_source_root(source);
}

/* Objects of objects are joined; of anything else there is one. */
static const ctn_json *join(ctn_arena *arena, const ctn_json *a, const ctn_json *b, int depth)
{
    ctn_json_builder out = ctn_json_object(arena);
    if (!a || !b)
        return a ? a : b;
    assert(ctn_json_is(a, CTN_JSON_OBJECT) && ctn_json_is(b, CTN_JSON_OBJECT));
    ctn_json_put_all(&out, a);
    for (size_t i = 0; i < ctn_json_count(b); i++) {
        ctn_str key = ctn_json_text(&b->members[i].key);
        const ctn_json *there = ctn_json_get(a, key);
        assert(!there || depth > 0);
        ctn_json_put(&out, key, there ? join(arena, there, &b->members[i].value, depth - 1) : &b->members[i].value);
    }
    return ctn_json_finish(&out);
}

const ctn_json *ctn_api_document(ctn_arena *arena)
{
    const ctn_json *first = NULL, *paths = NULL, *components = NULL;
    ctn_json_builder tags = ctn_json_array(arena), document = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_api_part_count; i++) {
        const ctn_json *part = read_part(arena, &ctn_api_parts[i]);
        const ctn_json *own_tags = ctn_json_member_of(part, "tags");
        if (strcmp(ctn_api_parts[i].name, MAIN_PART) == 0)
            first = part;
        for (size_t k = 0; k < ctn_json_count(own_tags); k++)
            ctn_json_push(&tags, ctn_json_at(own_tags, k));
        paths = join(arena, paths, ctn_json_member_of(part, "paths"), 1);
        components = join(arena, components, ctn_json_member_of(part, "components"), 1);
    }
    assert(first && paths && components);
    ctn_json_put_all(&document, first);
    ctn_json_put(&document, CTN_STR("tags"), ctn_json_finish(&tags));
    ctn_json_put(&document, CTN_STR("paths"), paths);
    ctn_json_put(&document, CTN_STR("components"), components);
    return ctn_json_finish(&document);
}

const ctn_json *ctn_api_resolve(const ctn_json *document, const ctn_json *value)
{
    for (int i = 0; i < 8; i++) {
        ctn_str ref = ctn_json_str_or(value, "$ref", (ctn_str){0});
        if (!ref.len)
            return value;
        assert(ctn_str_starts_with(ref, CTN_STR("#/")));
        value = ctn_json_pointer(document, ctn_str_from_offset(ref, 1));
        assert(value);
    }
    assert(!"references of the document lead in a circle");
    return value;
}
