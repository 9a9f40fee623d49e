/*
 * check_report.c -- findings for people, for programs, and for code scanners (SARIF 2.1.0).
 */
#include "cli/check_report.h"
#include "base/json.h"
#include "chain/rules.h"
#include "cli/result.h"
#include "host/files.h"
#include "host/told.h"
#include <stdio.h>

static const char *severity_name(ctn_severity severity)
{
    return severity == CTN_SEVERITY_ERROR ? "error" : "warning";
}

static void print_text(const ctn_cli *cli, const ctn_findings *f)
{
    ctn_buf out;
    ctn_buf_init(&out, SIZE_MAX / 2);
    for (size_t i = 0; i < f->count; i++)
        ctn_finding_write(cli, &cli->out, &out, &f->items[i]);
    if (out.len)
        (void) fwrite(out.data, 1, out.len, stdout);
    ctn_buf_done(&out);
}

static void print_json(ctn_arena *arena, const ctn_json *v)
{
    ctn_str text = ctn_json_to_str(arena, v);
    ctn_json_text_print(text);
    (void) fputc('\n', stdout);
}

/* ---- SARIF 2.1.0 ---- */

static const ctn_json *object_of(ctn_arena *arena, const char *key, const ctn_json *value)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put(&b, ctn_str_from(key), value);
    return ctn_json_finish(&b);
}

static const ctn_json *list_of(ctn_arena *arena, const ctn_json *item)
{
    ctn_json_builder b = ctn_json_array(arena);
    ctn_json_push(&b, item);
    return ctn_json_finish(&b);
}

/* SARIF counts characters, findings count bytes; so the line is looked at. The last file read is kept. */
typedef struct lines {
    ctn_arena *arena;
    ctn_str file, text;
} lines;

static int64_t character_column(lines *l, const ctn_finding *x)
{
    if (!ctn_str_equal(l->file, x->file)) {
        l->file = x->file;
        l->text = (ctn_str){0};
        (void) ctn_file_read(l->arena, x->file, &l->text, NULL);
    }
    ctn_str rest = l->text, line = {0};
    for (uint32_t n = 0; n < x->line; n++)
        line = ctn_str_cut(&rest, '\n');
    if (x->column == 0 || line.len < x->column - 1)
        return x->column;
    return (int64_t) ctn_str_code_points((ctn_str){line.ptr, x->column - 1}) + 1;
}

/* A path as a URI reference: what is no plain character is percent-encoded, slashes stay. */
static ctn_str uri_of(ctn_arena *arena, ctn_str path)
{
    static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    ctn_buf out;
    ctn_buf_init(&out, path.len * 3 + 8);
    if (path.len && path.ptr[0] == '/')
        ctn_buf_append_literal(&out, "file://");
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] && strchr(PLAIN, path.ptr[i]))
            ctn_buf_append_char(&out, path.ptr[i]);
        else
            ctn_buf_printf(&out, "%%%02X", (unsigned) (unsigned char) path.ptr[i]);
    ctn_str uri = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return uri;
}

static const ctn_json *sarif_rule(ctn_arena *arena, const ctn_rule *rule)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "id", ctn_str_from(rule->name));
    ctn_json_put(&b, CTN_STR("shortDescription"),
                 object_of(arena, "text", ctn_json_string(arena, ctn_str_from(rule->summary))));
    ctn_json_put(&b, CTN_STR("help"), object_of(arena, "text", ctn_json_string(arena, ctn_str_from(rule->mend))));
    ctn_json_put(&b, CTN_STR("defaultConfiguration"),
                 object_of(arena, "level", ctn_json_string(arena, ctn_str_from(severity_name(rule->severity)))));
    return ctn_json_finish(&b);
}

static const ctn_json *sarif_result(ctn_arena *arena, lines *l, const ctn_finding *x)
{
    ctn_json_builder region = ctn_json_object(arena), place = ctn_json_object(arena), b = ctn_json_object(arena);
    ctn_json_put(&place, CTN_STR("artifactLocation"),
                 object_of(arena, "uri", ctn_json_string(arena, uri_of(arena, x->file))));
    if (x->line) { /* else the file as a whole */
        ctn_json_put_int(&region, "startLine", x->line);
        if (x->column)
            ctn_json_put_int(&region, "startColumn", character_column(l, x));
        ctn_json_put(&place, CTN_STR("region"), ctn_json_finish(&region));
    }
    ctn_json_put_str(&b, "ruleId", ctn_str_from(x->rule));
    const ctn_rule *rule = ctn_rule_find(ctn_str_from(x->rule)); /* none: a fault of catena.yaml */
    if (rule)
        ctn_json_put_int(&b, "ruleIndex", rule - ctn_rule_table);
    ctn_json_put_str(&b, "level", ctn_str_from(severity_name(x->severity)));
    ctn_json_put(&b, CTN_STR("message"), object_of(arena, "text", ctn_json_string(arena, x->message)));
    ctn_json_put(&b, CTN_STR("locations"),
                 list_of(arena, object_of(arena, "physicalLocation", ctn_json_finish(&place))));
    return ctn_json_finish(&b);
}

static const ctn_json *findings_sarif(ctn_arena *arena, const ctn_findings *f)
{
    ctn_json_builder rules = ctn_json_array(arena), results = ctn_json_array(arena), driver = ctn_json_object(arena),
                     run = ctn_json_object(arena), log = ctn_json_object(arena);
    lines l = {.arena = arena};
    for (size_t i = 0; i < ctn_rule_count; i++)
        ctn_json_push(&rules, sarif_rule(arena, &ctn_rule_table[i]));
    for (size_t i = 0; i < f->count; i++)
        ctn_json_push(&results, sarif_result(arena, &l, &f->items[i]));
    ctn_json_put_str(&driver, "name", CTN_STR("catena"));
    ctn_json_put_str(&driver, "version", ctn_str_from(CATENA_VERSION));
    ctn_json_put(&driver, CTN_STR("rules"), ctn_json_finish(&rules));
    ctn_json_put(&run, CTN_STR("tool"), object_of(arena, "driver", ctn_json_finish(&driver)));
    ctn_json_put_str(&run, "columnKind", CTN_STR("unicodeCodePoints"));
    ctn_json_put(&run, CTN_STR("results"), ctn_json_finish(&results));
    ctn_json_put_str(&log, "$schema", CTN_STR("https://json.schemastore.org/sarif-2.1.0.json"));
    ctn_json_put_str(&log, "version", CTN_STR("2.1.0"));
    ctn_json_put(&log, CTN_STR("runs"), list_of(arena, ctn_json_finish(&run)));
    return ctn_json_finish(&log);
}

int ctn_check_report(ctn_cli *cli, ctn_findings *f, ctn_str format)
{
    ctn_findings_sort(f);
    if (ctn_str_is(format, "json"))
        print_json(cli->arena, ctn_told_findings(cli->arena, f));
    else if (ctn_str_is(format, "sarif"))
        print_json(cli->arena, findings_sarif(cli->arena, f));
    else
        print_text(cli, f);
    size_t errors = 0;
    for (size_t i = 0; i < f->count; i++)
        errors += f->items[i].severity == CTN_SEVERITY_ERROR;
    if (ctn_str_is(format, "text")) {
        (void) fflush(stdout);
        ctn_cli_say(cli, "%zu error%s, %zu warning%s", errors, errors == 1 ? "" : "s", f->count - errors,
                    f->count - errors == 1 ? "" : "s");
    }
    return errors ? CTN_EXIT_USAGE : CTN_EXIT_OK;
}

bool ctn_rule_explain(const ctn_cli *cli, ctn_str name)
{
    const ctn_rule *rule = ctn_rule_find(name);
    if (!rule)
        return false;
    const ctn_screen *s = &cli->out;
    bool is_error = rule->severity == CTN_SEVERITY_ERROR;
    printf("%s (%s%s%s): %s\n\nMend it: %s\n", rule->name,
           ctn_colour_code(s, is_error ? CTN_COLOUR_RED : CTN_COLOUR_YELLOW), severity_name(rule->severity),
           ctn_colour_code(s, CTN_COLOUR_NONE), rule->summary, rule->mend);
    if (is_error)
        printf("\nSilence it: an error is never silenced; what has one cannot run.\n");
    else
        printf(
            "\nSilence it: '# catena: allow %s: the reason' on the line before, or 'lint: {allow: {%s: the reason}}' "
            "in the step.\n",
            rule->name, rule->name);
    printf("\nExamples: docs/lint/%s.md\n", rule->name);
    return true;
}
