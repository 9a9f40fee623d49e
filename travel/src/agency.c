/*
 * agency.c -- see agency.h.
 */
#include "agency.h"

#include "base/memory.h"
#include "chain/source.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t FILE_BYTES_MAX = (size_t) 1 << 20;

static const ctn_str SECTIONS[] = {{"agency", 6},   {"pricing", 7}, {"followup", 8}, {"delivery", 8},
                                   {"provider", 8}, {"crm", 3},     {"proposal", 8}};
enum { SECTION_COUNT = sizeof SECTIONS / sizeof *SECTIONS };

struct travel_agency {
    ctn_arena *arena;
    ctn_str path; /* empty: no file */
    ctn_source *source;
    const ctn_json *root; /* NULL: no file, or an empty one */
};

static int read_file(ctn_arena *arena, const char *path, ctn_str *ret_text, ctn_err *err)
{
    int rc = CTN_OK;
    char chunk[4096];
    ctn_buf text;
    FILE *file = fopen(path, "rb");
    if (!file)
        return ctn_fail(err, CTN_E_NOT_FOUND, "%s cannot be read: is it there?", path);
    ctn_buf_init(&text, FILE_BYTES_MAX);
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        ctn_buf_append(&text, (ctn_str){chunk, got});
    if (ferror(file))
        rc = ctn_fail(err, CTN_E_IO, "%s cannot be read to its end", path);
    else if (text.overflowed)
        rc = ctn_fail(err, CTN_E_LIMIT, "%s is longer than %zu bytes", path, FILE_BYTES_MAX);
    else
        *ret_text = ctn_arena_str(arena, ctn_buf_str(&text));
    (void) fclose(file);
    ctn_buf_done(&text);
    return rc;
}

static int check_sections(const travel_agency *a, ctn_err *err)
{
    if (!a->root || ctn_json_is(a->root, CTN_JSON_NULL))
        return CTN_OK;
    if (!ctn_json_is(a->root, CTN_JSON_OBJECT))
        return travel_agency_fault(a, a->root, err, "an agency's file has sections, as in \"agency: {name: ...}\"");
    for (size_t i = 0; i < a->root->count; i++) {
        const ctn_json_member *m = &a->root->members[i];
        bool is_known = false;
        for (size_t k = 0; k < SECTION_COUNT; k++)
            is_known = is_known || ctn_str_equal(ctn_json_text(&m->key), SECTIONS[k]);
        ctn_str nearest = ctn_str_nearest(ctn_json_text(&m->key), SECTIONS, SECTION_COUNT);
        if (!is_known)
            return travel_agency_fault(a, &m->key, err, "there is no section \"%.*s\"%s%.*s%s",
                                       CTN_STR_ARG(ctn_json_text(&m->key)), nearest.len ? "; did you mean " : "",
                                       CTN_STR_ARG(nearest), nearest.len ? "?" : "");
        if (!ctn_json_is(&m->value, CTN_JSON_OBJECT))
            return travel_agency_fault(a, &m->value, err, "%.*s must be a section with keys of its own, not %s",
                                       CTN_STR_ARG(ctn_json_text(&m->key)), ctn_json_kind_name(&m->value));
    }
    return CTN_OK;
}

int travel_agency_open(const char *path, travel_agency **ret_agency, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(4096);
    travel_agency *a = CTN_NEW(arena, travel_agency);
    ctn_findings findings;
    ctn_str text;
    int rc = CTN_OK;
    *a = (travel_agency){.arena = arena};
    if (path && *path) {
        a->path = ctn_arena_str(arena, ctn_str_from(path));
        ctn_findings_init(&findings, arena);
        rc = read_file(arena, path, &text, err);
        if (!rc && ctn_source_parse(arena, a->path, text, &findings, &a->source)) {
            const ctn_finding *f = &findings.items[0];
            rc = ctn_fail(err, CTN_E_INVALID, "%s:%u:%u: %.*s", path, f->line, f->column, CTN_STR_ARG(f->message));
        }
        if (!rc) {
            a->root = ctn_source_root(a->source);
            rc = check_sections(a, err);
        }
    }
    if (rc) {
        travel_agency_close(a);
        return rc;
    }
    *ret_agency = a;
    return CTN_OK;
}

void travel_agency_close(travel_agency *agency)
{
    if (agency)
        ctn_arena_free(agency->arena);
}

const ctn_json *travel_agency_section(const travel_agency *agency, const char *section)
{
    const ctn_json *value = agency->root ? ctn_json_member_of(agency->root, section) : NULL;
    return ctn_json_is(value, CTN_JSON_OBJECT) ? value : NULL;
}

ctn_str travel_agency_text(const travel_agency *agency, const char *name)
{
    ctn_str key = ctn_str_from(name);
    const char *otherwise = "";
    if (ctn_str_is(key, "name") || ctn_str_is(key, "signature"))
        otherwise = "Your travel desk";
    else if (ctn_str_is(key, "language"))
        otherwise = "en";
    else if (ctn_str_is(key, "timezone"))
        otherwise = "UTC";
    const ctn_json *section = travel_agency_section(agency, "agency");
    return section ? ctn_json_str_or(section, name, ctn_str_from(otherwise)) : ctn_str_from(otherwise);
}

int travel_agency_fault(const travel_agency *agency, const ctn_json *at, ctn_err *err, const char *format, ...)
{
    char sentence[400];
    va_list args;
    va_start(args, format);
    (void) vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    ctn_position p = agency->source && at ? ctn_source_position(agency->source, at) : (ctn_position){0, 0};
    return ctn_fail(err, CTN_E_INVALID, "%.*s:%u:%u: %s", CTN_STR_ARG(agency->path), p.line, p.column, sentence);
}

ctn_str travel_agency_path(const travel_agency *agency, ctn_arena *arena, ctn_str path)
{
    size_t folder_len = 0;
    for (size_t i = 0; i < agency->path.len; i++) {
        if (agency->path.ptr[i] == '/')
            folder_len = i + 1;
    }
    if (path.len > 0 && path.ptr[0] == '/')
        folder_len = 0;
    return ctn_arena_printf(arena, "%.*s%.*s", (int) folder_len, agency->path.ptr ? agency->path.ptr : "",
                            CTN_STR_ARG(path));
}

int travel_agency_secret(const travel_agency *agency, ctn_arena *arena, const ctn_json *value, ctn_str *ret_secret,
                         ctn_err *err)
{
    ctn_str env = {NULL, 0}, file = {NULL, 0};
    if (ctn_json_is(value, CTN_JSON_OBJECT)) {
        env = ctn_json_str_or(value, "env", env);
        file = ctn_json_str_or(value, "file", file);
    }
    if (env.len > 0) {
        const char *secret = getenv(ctn_arena_printf(arena, "%.*s", CTN_STR_ARG(env)).ptr);
        if (!secret || !*secret)
            return ctn_fail(err, CTN_E_NOT_FOUND, "the environment variable %.*s is not set", CTN_STR_ARG(env));
        *ret_secret = ctn_arena_str(arena, ctn_str_from(secret));
        return CTN_OK;
    }
    if (file.len > 0) {
        ctn_str text;
        int rc = read_file(arena, travel_agency_path(agency, arena, file).ptr, &text, err);
        if (!rc)
            *ret_secret = ctn_str_trim(text);
        return rc;
    }
    return travel_agency_fault(agency, value, err,
                               "a secret is named by {env: NAME} or {file: PATH}, not written here");
}
