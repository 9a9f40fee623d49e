/*
 * main.c -- finds the verb, reads its options, runs it.
 *
 * The spawner is forked before anything else, while the process is small and has no threads (loop/spawn.h).
 */
#include "cli/cli.h"
#include "drivers/transform/worker.h"
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_help(ctn_str word)
{
    return ctn_str_is(word, "--help") || ctn_str_is(word, "-h");
}

/* "--help" and "--version" stand for the verbs; "chains list" is one verb of two words. */
static int dispatch(ctn_cli *cli, int argc, char **argv)
{
    ctn_str first = ctn_str_from(argc > 1 ? argv[1] : NULL), second = ctn_str_from(argc > 2 ? argv[2] : NULL);
    if (argc < 2) {
        (void) ctn_help(cli, first, second);
        return CTN_EXIT_USAGE;
    }
    if (is_help(first))
        first = CTN_STR("help");
    else if (ctn_str_is(first, "--version") || ctn_str_is(first, "-V"))
        first = CTN_STR("version");
    else if (ctn_str_starts_with(first, CTN_STR("-")))
        return ctn_cli_fail(cli, "the command comes first: catena COMMAND %s ...; see: catena help", argv[1]);
    int used = 1;
    cli->verb = ctn_verb_find(first, (ctn_str){0});
    const ctn_verb *longer = second.len ? ctn_verb_find(first, second) : NULL;
    if (cli->verb && longer) { /* "schedules pause" beside "schedules" */
        cli->verb = longer;
        used = 2;
    } else if (!cli->verb && ctn_verb_is_group(first)) {
        if (is_help(second))
            return ctn_help(cli, first, (ctn_str){0});
        if (ctn_str_starts_with(second, CTN_STR("-")))
            second = (ctn_str){0};
        cli->verb = ctn_verb_find(first, second);
        used = 2;
    }
    if (!cli->verb)
        return ctn_verb_refuse(cli, first, second);
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
    int exit_code = spawner_rc ? ctn_cli_fail_err(&cli, &err) : ctn_cli_flush(&cli, dispatch(&cli, argc, argv));
    ctn_spawner_stop(cli.spawner);
    ctn_arena_free(cli.arena);
    return exit_code;
}
