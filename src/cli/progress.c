/*
 * progress.c -- see progress.h.
 */
#include "cli/progress.h"
#include <stdarg.h>

ctn_progress ctn_progress_begin(const ctn_cli *cli)
{
    return (ctn_progress){.cli = cli, .began_ms = ctn_cli_now_ms()};
}

void ctn_progress_tell(ctn_progress *p, const char *format, ...)
{
    const ctn_cli *cli = p->cli;
    int64_t now_ms = ctn_cli_now_ms();
    if (now_ms - p->began_ms < 1000 || now_ms - p->told_ms < (cli->err.is_terminal ? 200 : 10000))
        return;
    p->told_ms = now_ms;
    ctn_arena_mark mark = ctn_arena_save(cli->arena);
    va_list args;
    va_start(args, format);
    ctn_str line = ctn_arena_vprintf(cli->arena, format, args);
    va_end(args);
    if (cli->err.is_terminal)
        (void) ctn_screen_write(&cli->err, ctn_arena_printf(cli->arena, "\r\033[K%.*s", CTN_STR_ARG(line)));
    else
        ctn_cli_say(cli, "%.*s", CTN_STR_ARG(line));
    ctn_arena_restore(cli->arena, mark);
}

int64_t ctn_progress_end(const ctn_progress *p)
{
    if (p->told_ms && p->cli->err.is_terminal)
        (void) ctn_screen_write(&p->cli->err, CTN_STR("\r\033[K"));
    return ctn_cli_now_ms() - p->began_ms;
}
