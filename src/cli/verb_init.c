/*
 * verb_init.c -- `init`: lays out a project, and says what to do in it first.
 */
#include "cli/project.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/files.h"
#include <stdio.h>

static void print_files(const ctn_cli *cli, ctn_str folder, const ctn_project *project)
{
    ctn_json_builder files = ctn_json_array(cli->arena);
    for (size_t i = 0; i < project->count; i++) {
        const ctn_project_file *f = &project->files[i];
        if (f->was_there)
            continue;
        ctn_str path = ctn_path_join(cli->arena, folder, f->path);
        ctn_json_push(&files, ctn_json_string(cli->arena, path));
        if (!ctn_opt_is_given(cli, CTN_OPT_JSON) && !ctn_opt_is_given(cli, CTN_OPT_QUIET))
            printf("%.*s\n", CTN_STR_ARG(ctn_text_harmless(cli->arena, path)));
    }
    if (!ctn_opt_is_given(cli, CTN_OPT_JSON))
        return;
    ctn_json_builder b = ctn_json_object(cli->arena);
    ctn_json_put_str(&b, "folder", folder);
    ctn_json_put(&b, CTN_STR("files"), ctn_json_finish(&files));
    ctn_result_print(cli, ctn_json_finish(&b));
}

/* What has to be known before the first command, in sentences. */
static void say_cautions(const ctn_cli *cli, ctn_str folder, const ctn_project *project, bool is_travel)
{
    for (size_t i = 0; i < project->count; i++)
        if (project->files[i].was_there) {
            ctn_str text = ctn_str_trim(project->files[i].text), lines = CTN_STR("");
            while (text.ptr) {
                ctn_str line = ctn_str_cut(&text, '\n');
                lines = ctn_arena_printf(cli->arena, "%.*s %.*s", CTN_STR_ARG(lines), CTN_STR_ARG(line));
            }
            ctn_cli_say(cli, "%.*s was there and stays as it is; these should be in it:%.*s",
                        CTN_STR_ARG(ctn_path_join(cli->arena, folder, project->files[i].path)), CTN_STR_ARG(lines));
        }
    if (is_travel && ctn_path_of_command(cli->arena, folder, CTN_STR("catena-travel")).len == 0)
        ctn_cli_say(cli, "the chains' tools are in the program catena-travel, which is neither in PATH nor beside this "
                         "one: install it, or put its folder into PATH, before running a chain");
}

static void say_next(const ctn_cli *cli, ctn_str folder, bool is_travel)
{
    if (ctn_opt_is_given(cli, CTN_OPT_QUIET))
        return;
    ctn_buf out;
    ctn_buf_init(&out, 65536);
    ctn_buf_append_literal(&out, "Now:\n");
    if (!ctn_str_is(folder, "."))
        ctn_buf_printf(&out, "  cd %.*s\n",
                       CTN_STR_ARG(ctn_shell_word(cli->arena, ctn_arena_str(cli->arena, folder).ptr)));
    if (ctn_path_in_path(cli->arena, CTN_STR("catena")).len == 0)
        ctn_buf_printf(&out, "  export PATH=%.*s:\"$PATH\"\n",
                       CTN_STR_ARG(ctn_shell_word(cli->arena, ctn_path_of_program_folder(cli->arena).ptr)));
    ctn_buf_append_literal(&out, "  catena check\n  catena test tests/*.test.yaml\n");
    ctn_buf_printf(&out, "  catena run %s\n",
                   is_travel ? "mobile-lead-processing -i raw_lead=@leads/demo.txt --output proposal_document --reveal"
                             : "hello -i name=Ann");
    (void) ctn_screen_write(&cli->err, ctn_buf_str(&out));
    ctn_buf_done(&out);
}

static int run_init(ctn_cli *cli)
{
    bool is_travel = ctn_opt_is_given(cli, CTN_OPT_TRAVEL);
    ctn_str folder = cli->args.word_count ? ctn_word(cli, 0) : CTN_STR(".");
    ctn_project project;
    ctn_err err = {0};
    if (folder.len == 0)
        return ctn_cli_fail(cli, "the folder has no name; without one, the current folder is meant");
    while (folder.len > 1 && folder.ptr[folder.len - 1] == '/')
        folder.len--;
    if (!is_travel)
        project = ctn_project_first(cli->arena);
    else if (ctn_project_travel(cli->arena, &project, &err))
        return ctn_cli_fail_err(cli, &err);
    if (ctn_project_write(cli->arena, folder, &project, &err))
        return ctn_cli_fail_err(cli, &err);
    print_files(cli, folder, &project);
    say_cautions(cli, folder, &project, is_travel);
    say_next(cli, folder, is_travel);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_init = {
    .name = "init",
    .operands = "[FOLDER]",
    .summary = "Lay out a project to start from: a configuration, chains and their tests",
    .details = "Without --travel: a first chain that needs no server. With it: the travel pack, as it is installed in\n"
               "share/catena/travel beside this program (or in CATENA_SHARE/travel), with all its chains.\n"
               "FOLDER is the current one unless said, and is made if it is not there. A file that is there is never "
               "replaced:\n"
               "then nothing is written, and it says which. (A .gitignore may be there; it stays as it is.)\n"
               "The files that were written are on stdout, one a line, or as {\"folder\",\"files\"} with --json. Exit "
               "2: nothing was.",
    .options = CTN_OPT_BIT(TRAVEL) | CTN_OPT_BIT(JSON) | CTN_OPT_BIT(QUIET),
    .words_max = 1,
    .run = run_init,
};
