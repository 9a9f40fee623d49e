/*
 * check_run.c -- see check_run.h.
 */
#include "cli/check_run.h"
#include "cli/named.h"
#include "host/files.h"

/* The file's own faults. A file that the configuration includes was read with it: its findings are there already,
 * and a second reading finds the same ones. */
static int read_file(ctn_cli *cli, ctn_check_run *run, ctn_str path)
{
    ctn_str text;
    ctn_err err = {0};
    ctn_source *source;
    const ctn_chain *chain = NULL;
    ctn_library *library = run->ws.config->library;
    if (ctn_file_read_over(cli->arena, cli->overlay, path, &text, &err))
        return ctn_cli_fail_err(cli, &err);
    if (ctn_str_ends_with(path, CTN_STR(".mustache"))) {
        (void) ctn_library_add_template(library, (ctn_str){0}, path, text, &run->findings);
        return CTN_EXIT_OK;
    }
    if (ctn_source_parse(cli->arena, path, text, &run->findings, &source))
        return CTN_EXIT_OK; /* the findings say why */
    (void) ctn_library_add_source(library, source, &run->findings, &chain);
    run->sources[run->source_count] = source;
    run->chains[run->source_count++] = chain;
    return CTN_EXIT_OK;
}

int ctn_check_run_read(ctn_cli *cli, ctn_check_run *ret_run)
{
    ctn_check_run *run = ret_run;
    size_t count = cli->args.word_count;
    *run = (ctn_check_run){0};
    int exit_code = ctn_cli_workspace(cli, &run->ws);
    if (exit_code)
        return exit_code;
    ctn_findings_init(&run->findings, cli->arena);
    if (count == 0 && run->ws.config->file.len == 0)
        return ctn_cli_fail(cli, "nothing to check: give files, or a catena.yaml that includes some");
    run->sources = CTN_NEW_ARRAY(cli->arena, const ctn_source *, count);
    run->chains = CTN_NEW_ARRAY(cli->arena, const ctn_chain *, count);
    for (size_t i = 0; i < count && exit_code == CTN_EXIT_OK; i++)
        exit_code = read_file(cli, run, ctn_word(cli, i));
    return exit_code;
}

static void take_all(ctn_findings *to, const ctn_findings *from)
{
    for (size_t i = 0; i < from->count; i++)
        ctn_findings_copy(to, &from->items[i]);
}

void ctn_check_run_judge(const ctn_cli *cli, ctn_check_run *run, const ctn_check_options *options)
{
    const ctn_library *library = run->ws.config->library;
    if (cli->args.word_count == 0) {
        take_all(&run->findings, &run->ws.findings);
        take_all(&run->findings, &run->ws.library_findings);
        (void) ctn_check(library, NULL, options, &run->findings);
    }
    for (size_t i = 0; i < run->source_count; i++)
        (void) ctn_check(library, run->sources[i], options, &run->findings);
    ctn_findings_sort(&run->findings);
}
