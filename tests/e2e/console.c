#include "console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parts of `line` around "..." stand in `text`, one behind the other. */
static bool has_parts(const char *text, const char *line)
{
    while (*line) {
        char part[2000];
        const char *dots = strstr(line, "...");
        size_t len = dots ? (size_t) (dots - line) : strlen(line);
        assert_true(len < sizeof part);
        memcpy(part, line, len);
        part[len] = '\0';
        text = strstr(text, part);
        if (!text)
            return false;
        text += len;
        line += len + (dots ? 3 : 0);
    }
    return true;
}

/* A mark behind each command. */
static void try_block(world *w, const char *page, const char *before, const char *block)
{
    static char script[32768];
    char line[4096];
    size_t len = (size_t) snprintf(script, sizeof script, "%s", before);
    for (const char *at = block; *at;) {
        size_t n = strcspn(at, "\n");
        if (strncmp(at, "$ ", 2) == 0)
            len += (size_t) snprintf(script + len, sizeof script - len, "%.*s\nprintf '\\n--mark--\\n'\n", (int) n - 2,
                                     at + 2);
        at += n + (at[n] == '\n');
    }
    assert_true(len < sizeof script);
    cli_world_write(w, "script", "%s", script);
    assert_int_equal(shell(w, "sh ./script"), 0);
    char *printed = w->said.out, *end = printed;
    for (const char *at = block; *at;) {
        size_t n = strcspn(at, "\n");
        assert_true(n < sizeof line);
        memcpy(line, at, n);
        line[n] = '\0';
        if (strncmp(at, "$ ", 2) == 0) {
            printed = end;
            end = strstr(printed, "\n--mark--\n");
            if (!end)
                fail_msg("%s\nended early: %s", line, w->said.err);
            *end = '\0';
            end += strlen("\n--mark--\n");
        } else if (n && !has_parts(printed, line)) {
            fail_msg("docs/%s\nprints: %s\nand not:  %s", page, printed, line);
        }
        at += n + (at[n] == '\n');
    }
}

static void write_file(world *w, const char *folder, const char *block)
{
    char name[300];
    block += strlen("# file: ");
    size_t n = strcspn(block, "\n");
    (void) snprintf(name, sizeof name, "%s/%.*s", folder, (int) n, block);
    cli_world_write(w, name, "%s\n", block + n + 1);
}

size_t console_page(world *w, const char *page, const char *folder, const char *before)
{
    static char text[256 * 1024];
    char path[300];
    size_t blocks = 0;
    (void) snprintf(path, sizeof path, CATENA_SOURCE_DIR "/docs/%s", page);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void) fclose(f);
    for (char *at = text; (at = strstr(at, "\n```"));) {
        char *block = strchr(at + 4, '\n'), *end = block ? strstr(block, "\n```") : NULL;
        assert_non_null(end);
        *end = '\0';
        if (strncmp(at + 4, "console\n", 8) == 0) {
            try_block(w, page, before, block + 1);
            blocks++;
        } else if (strncmp(at + 4, "yaml\n# file: ", 13) == 0) {
            write_file(w, folder, block + 1);
        }
        at = end + 4;
    }
    return blocks;
}
