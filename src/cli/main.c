/*
 * main.c -- finds the verb, reads its options, runs it.
 *
 * The spawner is forked before anything else, while the process is small and has no threads (loop/spawn.h).
 */
#include "cli/check_report.h"
#include "cli/cli.h"
#include "host/words.h"
#include "drivers/transform/worker.h"
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const ctn_verb *find_verb(ctn_str name)
{
    for (size_t i = 0; i < ctn_verb_count; i++)
        if (ctn_str_is(name, ctn_verbs[i].name))
            return &ctn_verbs[i];
    return NULL;
}

/* Verbs of two words ("chains list") begin with this one. */
static bool is_group(ctn_str first)
{
    for (size_t i = 0; i < ctn_verb_count; i++) {
        ctn_str rest = ctn_str_from(ctn_verbs[i].name);
        if (ctn_str_equal(ctn_str_cut(&rest, ' '), first) && rest.ptr)
            return true;
    }
    return false;
}

static size_t second_words(ctn_str first, ctn_str *ret_names)
{
    size_t count = 0;
    for (size_t i = 0; i < ctn_verb_count; i++) {
        ctn_str rest = ctn_str_from(ctn_verbs[i].name);
        if (ctn_str_equal(ctn_str_cut(&rest, ' '), first) && rest.ptr)
            ret_names[count++] = rest;
    }
    return count;
}

static int refuse_second_word(const ctn_cli *cli, ctn_str first, ctn_str second)
{
    ctn_str names[32];
    size_t count = second_words(first, names);
    if (second.len == 0)
        return ctn_cli_fail(cli, "catena %.*s needs another word: %.*s", CTN_STR_ARG(first),
                            CTN_STR_ARG(ctn_words_join(cli->arena, names, count)));
    return ctn_cli_fail(cli, "there is no command \"%.*s %.*s\"; %.*s", CTN_STR_ARG(first), CTN_STR_ARG(second),
                        CTN_STR_ARG(ctn_words_suggest(cli->arena, second, names, count)));
}

static int refuse_verb(const ctn_cli *cli, ctn_str name)
{
    ctn_str names[64];
    size_t count = 0;
    for (size_t i = 0; i < ctn_verb_count; i++) {
        ctn_str rest = ctn_str_from(ctn_verbs[i].name);
        names[count++] = ctn_str_cut(&rest, ' ');
    }
    ctn_str near = ctn_str_nearest(name, names, count);
    if (near.len)
        return ctn_cli_fail(cli, "there is no command \"%.*s\"; did you mean \"%.*s\"?", CTN_STR_ARG(name),
                            CTN_STR_ARG(near));
    if (ctn_str_find(name, CTN_STR(".")) != SIZE_MAX || ctn_str_find(name, CTN_STR("/")) != SIZE_MAX)
        return ctn_cli_fail(cli, "there is no command \"%.*s\"; to run a chain: catena run %.*s", CTN_STR_ARG(name),
                            CTN_STR_ARG(name));
    return ctn_cli_fail(cli, "there is no command \"%.*s\"; see: catena help", CTN_STR_ARG(name));
}

/* ---- help and version ---- */

static void print_overview(const ctn_cli *cli)
{
    const char *bold = ctn_colour_code(&cli->out, CTN_COLOUR_BOLD),
               *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    printf("%scatena%s runs chains: many steps over tools, so that they always end in a state you can name.\n\n", bold,
           plain);
    for (size_t i = 0; i < ctn_verb_count; i++)
        printf("  %s%-14s%s %s\n", bold, ctn_verbs[i].name, plain, ctn_verbs[i].summary);
    printf("\nMore about one of them: catena help COMMAND\n");
}

int ctn_verb_help(ctn_cli *cli)
{
    ctn_str first = ctn_word(cli, 0), second = ctn_word(cli, 1);
    if (first.len == 0) {
        print_overview(cli);
        return CTN_EXIT_OK;
    }
    ctn_str name =
        second.len ? ctn_arena_printf(cli->arena, "%.*s %.*s", CTN_STR_ARG(first), CTN_STR_ARG(second)) : first;
    const ctn_verb *verb = find_verb(name);
    if (verb) {
        ctn_options_help(cli, verb);
        return CTN_EXIT_OK;
    }
    if (!is_group(first) && !second.len && ctn_rule_explain(cli, first))
        return CTN_EXIT_OK;
    if (!is_group(first))
        return refuse_verb(cli, first);
    if (second.len)
        return refuse_second_word(cli, first, second);
    for (size_t i = 0, shown = 0; i < ctn_verb_count; i++) {
        ctn_str rest = ctn_str_from(ctn_verbs[i].name);
        if (!ctn_str_equal(ctn_str_cut(&rest, ' '), first))
            continue;
        printf("%s", shown++ ? "\n" : "");
        ctn_options_help(cli, &ctn_verbs[i]);
    }
    return CTN_EXIT_OK;
}

int ctn_verb_version(ctn_cli *cli)
{
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        printf("{\"name\":\"catena\",\"version\":\"%s\"}\n", CATENA_VERSION);
    else
        printf("catena %s\n", CATENA_VERSION);
    return CTN_EXIT_OK;
}

/* ---- dispatch ---- */

/* "--help" and "--version" stand for the verbs; "chains list" is one verb of two words. */
static int dispatch(ctn_cli *cli, int argc, char **argv)
{
    static char help[] = "help", version[] = "version";
    static const ctn_verb NONE = {.name = "help", .operands = ""};
    cli->verb = &NONE;
    if (argc < 2) {
        print_overview(cli);
        return CTN_EXIT_USAGE;
    }
    char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        word = help;
    else if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        word = version;
    else if (word[0] == '-')
        return ctn_cli_fail(cli, "the command comes first: catena COMMAND %s ...; see: catena help", word);
    ctn_str first = ctn_str_from(word);
    int used = 1;
    cli->verb = find_verb(first);
    if (!cli->verb && is_group(first)) {
        ctn_str second = argc > 2 && argv[2][0] != '-' ? ctn_str_from(argv[2]) : (ctn_str){0};
        if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
            cli->verb = find_verb(CTN_STR("help"));
            const char **words = CTN_NEW_ARRAY(cli->arena, const char *, 1);
            words[0] = word;
            cli->args.words = words;
            cli->args.word_count = 1;
            return ctn_verb_help(cli);
        }
        cli->verb = find_verb(ctn_arena_printf(cli->arena, "%.*s %.*s", CTN_STR_ARG(first), CTN_STR_ARG(second)));
        if (!cli->verb) {
            cli->verb = &NONE;
            return refuse_second_word(cli, first, second);
        }
        used = 2;
    }
    if (!cli->verb) {
        cli->verb = &NONE;
        return refuse_verb(cli, first);
    }
    if (!ctn_options_read(cli, argc - used, argv + used))
        return CTN_EXIT_USAGE;
    if (ctn_opt_is_given(cli, CTN_OPT_HELP)) {
        ctn_options_help(cli, cli->verb);
        return CTN_EXIT_OK;
    }
    return cli->verb->run(cli);
}

/* Whoever started us may have closed some of 0, 1, 2. The next file that is opened would get such a number, and what is
 * printed would go into a store. */
static void open_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
            abort();
}

/* What is given on the command line can be read by everybody on the machine for as long as we run (/proc/PID/cmdline),
 * so values are taken off it at once: of NAME=VALUE, and of JSON. The copy is ours alone. */
static char **take_arguments(ctn_arena *arena, int argc, char **argv)
{
    char **copy = CTN_NEW_ARRAY(arena, char *, (size_t) argc + 1);
    for (int i = 0; i < argc; i++) {
        size_t length = strlen(argv[i]), from = strcspn(argv[i], "{[\"=") + 1;
        copy[i] = ctn_arena_alloc(arena, length + 1);
        memcpy(copy[i], argv[i], length + 1);
        if (i > 1 && from < length)
            memset(argv[i] + from, '*', length - from);
    }
    return copy;
}

int main(int argc, char **argv)
{
    ctn_err err = {0};
    ctn_cli cli = {0};
    open_standard_descriptors();
    if (argc == 3 && strcmp(argv[1], CTN_TRANSFORM_WORKER_FLAG) == 0)
        return ctn_transform_worker_main(argv[2]); /* host.c starts us so; no command of people's */
    cli.arena = ctn_arena_new(65536);
    argv = take_arguments(cli.arena, argc, argv); /* before there is a second process with the same command line */
    int spawner_rc = ctn_spawner_start(&cli.spawner, &err);
    (void) setlocale(LC_CTYPE, "");
    (void) signal(SIGPIPE, SIG_IGN); /* a reader that went is told by write */
    (void) signal(SIGXFSZ, SIG_IGN); /* a file that may not grow, too */
    cli.out = ctn_screen_of(1);
    cli.err = ctn_screen_of(2);
    static const ctn_verb NONE = {.name = "help", .operands = ""};
    cli.verb = &NONE;
    int exit_code = spawner_rc ? ctn_cli_fail_err(&cli, &err) : ctn_cli_flush(&cli, dispatch(&cli, argc, argv));
    ctn_spawner_stop(cli.spawner);
    ctn_arena_free(cli.arena);
    return exit_code;
}
