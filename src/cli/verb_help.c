/*
 * verb_help.c -- `help` and `version`: what the command can do.
 */
#include "cli/check_report.h"
#include "cli/cli.h"
#include <stdio.h>

static void print_overview(const ctn_cli *cli)
{
    const char *bold = ctn_colour_code(&cli->out, CTN_COLOUR_BOLD),
               *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    printf("%scatena%s runs chains: many steps over tools, so that they always end in a state you can name.\n\n", bold,
           plain);
    for (size_t i = 0; i < ctn_verb_count; i++)
        printf("  %s%-17s%s %s\n", bold, ctn_verbs[i]->name, plain, ctn_verbs[i]->summary);
    printf("\nMore about one of them: catena help COMMAND\n");
}

static void print_group(const ctn_cli *cli, ctn_str first)
{
    for (size_t i = 0, shown = 0; i < ctn_verb_count; i++) {
        ctn_str rest = ctn_str_from(ctn_verbs[i]->name);
        if (!ctn_str_equal(ctn_str_cut(&rest, ' '), first))
            continue;
        printf("%s", shown++ ? "\n" : "");
        ctn_options_help(cli, ctn_verbs[i]);
    }
}

int ctn_help(const ctn_cli *cli, ctn_str first, ctn_str second)
{
    const ctn_verb *verb = ctn_verb_find(first, second);
    if (first.len == 0)
        print_overview(cli);
    else if (second.len == 0 && ctn_verb_is_group(first)) /* `schedules` is a command and a group */
        print_group(cli, first);
    else if (verb)
        ctn_options_help(cli, verb);
    else if (second.len || !ctn_rule_explain(cli, first))
        return ctn_verb_refuse(cli, first, second);
    return CTN_EXIT_OK;
}

static int run_help(ctn_cli *cli)
{
    return ctn_help(cli, ctn_word(cli, 0), ctn_word(cli, 1));
}

const ctn_verb ctn_verb_help = {
    .name = "help",
    .operands = "[VERB|RULE]",
    .summary = "Explain a command, or a rule of check",
    .words_max = 2,
    .run = run_help,
};

static int run_version(ctn_cli *cli)
{
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        printf("{\"name\":\"catena\",\"version\":\"%s\"}\n", CATENA_VERSION);
    else
        printf("catena %s\n", CATENA_VERSION);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_version = {
    .name = "version",
    .operands = "",
    .summary = "Print the version",
    .options = CTN_OPT_BIT(JSON),
    .run = run_version,
};
