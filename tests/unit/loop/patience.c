/* patience.c -- see patience.h. */
#include "patience.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct waiting {
    ctn_loop *loop;
    const bool *is_so;
} waiting;

static void look(void *ctx)
{
    waiting *w = ctx;
    if (*w->is_so)
        ctn_loop_stop(w->loop);
}

static void out_of_patience(void *ctx)
{
    ctn_loop_stop(ctx);
}

bool patience_until(ctn_loop *loop, const bool *is_so)
{
    waiting w = {.loop = loop, .is_so = is_so};
    ctn_timer *timer = ctn_timer_new(loop, out_of_patience, loop);
    ctn_timer_set(timer, ctn_loop_now_ms(loop) + 10000);
    ctn_loop_set_turn(loop, look, &w);
    ctn_loop_run(loop);
    ctn_loop_set_turn(loop, NULL, NULL);
    ctn_timer_free(timer);
    return *is_so;
}

void patience_for(ctn_loop *loop, int64_t span_ms)
{
    ctn_timer *timer = ctn_timer_new(loop, out_of_patience, loop);
    ctn_timer_set(timer, ctn_loop_now_ms(loop) + span_ms);
    ctn_loop_run(loop);
    ctn_timer_free(timer);
}

const char *patience_folder(void)
{
    static char folder[512];
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/catena-loop-XXXXXX", base ? base : "/tmp");
    const char *made = mkdtemp(folder);
    assert(made);
    return made;
}

void patience_remove_folder(const char *folder)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    int rc = system(command);
    assert(rc == 0);
}

size_t patience_open_fd_count(void)
{
    size_t count = 0;
    DIR *fds = opendir("/proc/self/fd");
    assert(fds);
    while (readdir(fds))
        count++;
    closedir(fds);
    return count;
}

bool patience_is_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "valgrind");
}
