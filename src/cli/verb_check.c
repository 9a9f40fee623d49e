/*
 * verb_check.c -- `check`: what is wrong with chains and instruction sets, for people, programs and code scanners.
 */
#include "cli/config.h"
#include "cli/files.h"
#include "cli/workspace.h"
#include "core/check.h"
#include "core/rules.h"
#include <stdio.h>

static const char *severity_name(ctn_severity severity)
{
    return severity == CTN_SEVERITY_ERROR ? "error" : "warning";
}

static void print_text(const ctn_cli *cli, const ctn_findings *f)
{
    const ctn_screen *s = &cli->out;
    for (size_t i = 0; i < f->count; i++) {
        const ctn_finding *x = &f->items[i];
        bool is_error = x->severity == CTN_SEVERITY_ERROR;
        printf("%.*s:%u:%u: %s%s:%s %.*s [%s]\n", CTN_STR_ARG(x->file), x->line, x->column,
               ctn_colour_code(s, is_error ? CTN_COLOUR_RED : CTN_COLOUR_YELLOW), severity_name(x->severity),
               ctn_colour_code(s, CTN_COLOUR_NONE), CTN_STR_ARG(ctn_text_clean(cli->arena, x->message, 0)), x->rule);
    }
}

static void print_json(ctn_arena *arena, const ctn_json *v)
{
    ctn_str text = ctn_json_to_str(arena, v);
    (void) fwrite(text.ptr, 1, text.len, stdout);
    (void) fputc('\n', stdout);
}

static const ctn_json *findings_json(ctn_arena *arena, const ctn_findings *f)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < f->count; i++) {
        const ctn_finding *x = &f->items[i];
        ctn_json_builder b = ctn_json_object(arena);
        ctn_json_put_str(&b, "file", x->file);
        ctn_json_put_int(&b, "line", x->line);
        ctn_json_put_int(&b, "column", x->column);
        ctn_json_put_str(&b, "severity", ctn_str_from(severity_name(x->severity)));
        ctn_json_put_str(&b, "rule", ctn_str_from(x->rule));
        ctn_json_put_str(&b, "message", x->message);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
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

static const ctn_json *sarif_result(ctn_arena *arena, const ctn_finding *x)
{
    ctn_json_builder region = ctn_json_object(arena), place = ctn_json_object(arena), b = ctn_json_object(arena);
    ctn_json_put_int(&region, "startLine", x->line);
    ctn_json_put_int(&region, "startColumn", x->column);
    ctn_json_put(&place, CTN_STR("artifactLocation"), object_of(arena, "uri", ctn_json_string(arena, x->file)));
    ctn_json_put(&place, CTN_STR("region"), ctn_json_finish(&region));
    ctn_json_put_str(&b, "ruleId", ctn_str_from(x->rule));
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
    for (size_t i = 0; i < ctn_rule_count; i++)
        ctn_json_push(&rules, object_of(arena, "id", ctn_json_string(arena, ctn_rule_names[i])));
    for (size_t i = 0; i < f->count; i++)
        ctn_json_push(&results, sarif_result(arena, &f->items[i]));
    ctn_json_put_str(&driver, "name", CTN_STR("catena"));
    ctn_json_put_str(&driver, "version", ctn_str_from(CATENA_VERSION));
    ctn_json_put(&driver, CTN_STR("rules"), ctn_json_finish(&rules));
    ctn_json_put(&run, CTN_STR("tool"), object_of(arena, "driver", ctn_json_finish(&driver)));
    ctn_json_put_str(&run, "columnKind", CTN_STR("utf16CodeUnits"));
    ctn_json_put(&run, CTN_STR("results"), ctn_json_finish(&results));
    ctn_json_put_str(&log, "$schema", CTN_STR("https://json.schemastore.org/sarif-2.1.0.json"));
    ctn_json_put_str(&log, "version", CTN_STR("2.1.0"));
    ctn_json_put(&log, CTN_STR("runs"), list_of(arena, ctn_json_finish(&run)));
    return ctn_json_finish(&log);
}

/* ---- checking ---- */

/* The file's own faults, and then what it says together with everything else. A file that the configuration
 * includes was read with it: its findings are there already, and a second reading finds the same ones. */
static int check_file(ctn_cli *cli, ctn_library *library, ctn_str path, const ctn_check_options *options,
                      ctn_findings *findings, const ctn_chain **ret_chain)
{
    ctn_str text;
    ctn_err err = {0};
    ctn_source *source;
    if (ctn_file_read(cli->arena, path, &text, &err))
        return ctn_cli_fail_err(cli, &err);
    if (ctn_str_ends_with(path, CTN_STR(".mustache"))) {
        (void) ctn_library_add_template(library, (ctn_str){0}, path, text, findings);
        return CTN_EXIT_OK;
    }
    if (ctn_source_parse(cli->arena, path, text, findings, &source))
        return CTN_EXIT_OK; /* the findings say why */
    (void) ctn_library_add_source(library, source, findings, ret_chain);
    (void) ctn_check(library, source, options, findings);
    return CTN_EXIT_OK;
}

/* What a start of the chain needs and may have. A chain with errors has no plan, and its findings say why. */
static void say_inputs(ctn_cli *cli, const ctn_library *library, const ctn_chain *chain)
{
    ctn_findings ignored;
    ctn_plan *plan = NULL;
    ctn_findings_init(&ignored, cli->arena);
    if (!chain || ctn_plan_compile(cli->arena, library, chain, &ignored, &plan))
        return;
    ctn_buf text;
    ctn_buf_init(&text, 65536);
    for (uint32_t i = 0; i < plan->input_count; i++)
        ctn_buf_printf(&text, "%s%.*s%s", i ? ", " : "", CTN_STR_ARG(plan->variables[plan->inputs[i].slot]),
                       plan->inputs[i].is_required ? "" : " (optional)");
    ctn_cli_say(cli, "%.*s takes %.*s", CTN_STR_ARG(plan->chain_id),
                CTN_STR_ARG(text.len ? ctn_buf_str(&text) : CTN_STR("no input")));
    ctn_buf_done(&text);
    ctn_plan_done(plan);
}

static void take_all(ctn_findings *to, const ctn_findings *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const ctn_finding *x = &from->items[i];
        ctn_findings_add(to, x->file, x->line, x->column, x->severity, x->rule, "%.*s", CTN_STR_ARG(x->message));
    }
}

static int print_findings(ctn_cli *cli, ctn_findings *f, ctn_str format)
{
    ctn_findings_sort(f);
    if (ctn_str_is(format, "json"))
        print_json(cli->arena, findings_json(cli->arena, f));
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

int ctn_verb_check(ctn_cli *cli)
{
    static const ctn_str FORMATS[] = {{"text", 4}, {"json", 4}, {"sarif", 5}};
    ctn_str format =
        ctn_opt_is_given(cli, CTN_OPT_FORMAT) ? ctn_str_from(cli->args.values[CTN_OPT_FORMAT]) : FORMATS[0];
    if (!ctn_str_is(format, "text") && !ctn_str_is(format, "json") && !ctn_str_is(format, "sarif"))
        return ctn_cli_fail(cli, "--format %.*s: %.*s", CTN_STR_ARG(format),
                            CTN_STR_ARG(ctn_suggest(cli->arena, format, FORMATS, 3)));
    ctn_workspace ws;
    int exit_code = ctn_workspace_open(cli, &ws);
    if (exit_code)
        return exit_code;
    ctn_findings findings;
    ctn_findings_init(&findings, cli->arena);
    ctn_check_options options = {.effect = ctn_config_effect, .effect_ctx = ws.config};
    if (cli->args.word_count == 0) {
        if (ws.config->file.len == 0)
            return ctn_cli_fail(cli, "nothing to check: give files, or a catena.yaml that includes some");
        take_all(&findings, &ws.findings);
        take_all(&findings, &ws.library_findings);
        (void) ctn_check(ws.config->library, NULL, &options, &findings);
    }
    const ctn_chain **chains = CTN_NEW_ARRAY(cli->arena, const ctn_chain *, cli->args.word_count);
    for (size_t i = 0; i < cli->args.word_count && exit_code == CTN_EXIT_OK; i++)
        exit_code = check_file(cli, ws.config->library, ctn_word(cli, i), &options, &findings, &chains[i]);
    for (size_t i = 0; i < cli->args.word_count && exit_code == CTN_EXIT_OK && ctn_str_is(format, "text"); i++)
        say_inputs(cli, ws.config->library, chains[i]);
    return exit_code ? exit_code : print_findings(cli, &findings, format);
}
