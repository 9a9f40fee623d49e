/*
 * screen.c -- see screen.h.
 */
#include "cli/screen.h"
#include "base/clock.h"
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

ctn_screen ctn_screen_of(int fd)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    ctn_screen s = {.fd = fd};
    s.is_terminal = isatty(fd) && term && term[0] && strcmp(term, "dumb") != 0;
    s.has_colour = s.is_terminal && !(no_colour && no_colour[0]);
    s.has_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return s;
}

const char *ctn_colour_code(const ctn_screen *screen, ctn_colour colour)
{
    static const char *const CODES[] = {"\033[0m",  "\033[1m",  "\033[2m", "\033[31m",
                                        "\033[32m", "\033[33m", "\033[34m"};
    return screen->has_colour ? CODES[colour] : "";
}

void ctn_screen_size(const ctn_screen *screen, size_t *ret_columns, size_t *ret_rows)
{
    struct winsize size;
    bool is_known = ioctl(screen->fd, TIOCGWINSZ, &size) == 0;
    const char *said = getenv("COLUMNS");
    int64_t columns = 0;
    if (!said || !ctn_str_to_int64(ctn_str_from(said), &columns) || columns < 20 || columns > 1000)
        columns = 80;
    *ret_columns = is_known && size.ws_col >= 20 ? size.ws_col : (size_t) columns;
    *ret_rows = is_known && size.ws_row >= 4 ? size.ws_row : 24;
}

bool ctn_screen_write(const ctn_screen *screen, ctn_str text)
{
    while (text.len) {
        ssize_t n = write(screen->fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd ready = {.fd = screen->fd, .events = POLLOUT};
            (void) poll(&ready, 1, 1000);
            continue;
        }
        if (n < 0)
            return false;
        text = ctn_str_from_offset(text, (size_t) n);
    }
    return true;
}

int64_t ctn_cli_now_ms(void)
{
    ctn_clock clock = ctn_clock_system();
    return ctn_clock_now_ms(&clock);
}

ctn_time_text ctn_moment_text(int64_t at_ms)
{
    ctn_time_text t = {"-"};
    time_t seconds = (time_t) (at_ms / 1000);
    struct tm local;
    if (at_ms && localtime_r(&seconds, &local))
        strftime(t.text, sizeof t.text, "%Y-%m-%d %H:%M:%S", &local);
    return t;
}
