/*
 * say.c -- sentences to stderr, findings, and the commands that a sentence offers.
 */
#include "cli/cli.h"
#include "store/store.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void write_sentence(const ctn_cli *cli, ctn_colour colour, ctn_str sentence)
{
    if (cli->log && cli->log->json) {
        ctn_log_line(cli->log, colour == CTN_COLOUR_RED ? CTN_LOG_ERROR : CTN_LOG_INFO, sentence.ptr, NULL);
        return;
    }
    ctn_str line = ctn_arena_printf(cli->arena, "%scatena:%s %.*s\n", ctn_colour_code(&cli->err, colour),
                                    ctn_colour_code(&cli->err, CTN_COLOUR_NONE),
                                    CTN_STR_ARG(ctn_text_harmless(cli->arena, sentence)));
    (void) ctn_screen_write(&cli->err, line);
}

int ctn_cli_fail(const ctn_cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str sentence = ctn_arena_vprintf(cli->arena, format, args);
    va_end(args);
    write_sentence(cli, CTN_COLOUR_RED, sentence);
    return CTN_EXIT_USAGE;
}

/* Most reasons name the server themselves. */
int ctn_cli_fail_server(const ctn_cli *cli, ctn_str server, const char *why)
{
    bool is_named = ctn_str_starts_with(ctn_str_from(why), CTN_STR("server "));
    ctn_str clean = ctn_text_clean(cli->arena, ctn_str_from(why), 0);
    return is_named ? ctn_cli_fail(cli, "%.*s", CTN_STR_ARG(clean))
                    : ctn_cli_fail(cli, "server %.*s: %.*s", CTN_STR_ARG(server), CTN_STR_ARG(clean));
}

int ctn_cli_fail_err(const ctn_cli *cli, const ctn_err *err)
{
    return ctn_cli_fail(cli, "%s", err->message);
}

void ctn_cli_say(const ctn_cli *cli, const char *format, ...)
{
    if (ctn_opt_is_given(cli, CTN_OPT_QUIET))
        return;
    va_list args;
    ctn_arena_mark mark = ctn_arena_save(cli->arena); /* a service says things for years */
    va_start(args, format);
    ctn_str sentence = ctn_arena_vprintf(cli->arena, format, args);
    va_end(args);
    write_sentence(cli, CTN_COLOUR_BOLD, sentence);
    ctn_arena_restore(cli->arena, mark);
}

void ctn_finding_write(const ctn_cli *cli, const ctn_screen *screen, ctn_buf *out, const ctn_finding *f)
{
    bool is_error = f->severity == CTN_SEVERITY_ERROR;
    ctn_buf_printf(out, "%.*s:%u:%u: %s%s:%s %.*s [%s]\n", CTN_STR_ARG(ctn_text_harmless(cli->arena, f->file)), f->line,
                   f->column, ctn_colour_code(screen, is_error ? CTN_COLOUR_RED : CTN_COLOUR_YELLOW),
                   is_error ? "error" : "warning", ctn_colour_code(screen, CTN_COLOUR_NONE),
                   CTN_STR_ARG(ctn_text_clean(cli->arena, f->message, 0)), f->rule);
}

void ctn_cli_findings(const ctn_cli *cli, ctn_findings *findings, bool errors_only)
{
    ctn_findings_sort(findings);
    ctn_buf out;
    ctn_buf_init(&out, (size_t) 16 << 20);
    for (size_t i = 0; i < findings->count; i++)
        if (!errors_only || findings->items[i].severity == CTN_SEVERITY_ERROR)
            ctn_finding_write(cli, &cli->err, &out, &findings->items[i]);
    (void) ctn_screen_write(&cli->err, ctn_buf_str(&out));
    ctn_buf_done(&out);
}

ctn_str ctn_shell_word(ctn_arena *arena, const char *word)
{
    static const char SAFE[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@,+";
    if (word[0] && word[strspn(word, SAFE)] == '\0')
        return ctn_str_from(word);
    ctn_buf out;
    ctn_buf_init(&out, 4 * strlen(word) + 3);
    ctn_buf_append_char(&out, '\'');
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            ctn_buf_append_literal(&out, "'\\''");
        else
            ctn_buf_append_char(&out, *p);
    }
    ctn_buf_append_char(&out, '\'');
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return kept;
}

ctn_str ctn_cli_command(const ctn_cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str command = ctn_arena_vprintf(cli->arena, format, args);
    va_end(args);
    ctn_str config = {0}, store = {0};
    if (ctn_opt_is_given(cli, CTN_OPT_CONFIG))
        config = ctn_arena_printf(cli->arena, " --config %.*s",
                                  CTN_STR_ARG(ctn_shell_word(cli->arena, cli->args.values[CTN_OPT_CONFIG])));
    if (ctn_opt_is_given(cli, CTN_OPT_STORE)) {
        ctn_str url = ctn_store_url_without_password(cli->arena, ctn_str_from(cli->args.values[CTN_OPT_STORE]));
        store = ctn_arena_printf(cli->arena, " --store %.*s", CTN_STR_ARG(ctn_shell_word(cli->arena, url.ptr)));
    }
    return ctn_arena_printf(cli->arena, "catena %.*s%.*s%.*s", CTN_STR_ARG(command), CTN_STR_ARG(config),
                            CTN_STR_ARG(store));
}

int ctn_cli_flush(const ctn_cli *cli, int exit_code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit_code;
    if (errno == EPIPE)
        return exit_code; /* the reader has seen enough */
    return ctn_cli_fail(cli, "the result cannot be written: %s", strerror(errno));
}
