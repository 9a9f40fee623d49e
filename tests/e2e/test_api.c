/*
 * docs/api.md is true: its ```console blocks are run by sh and curl against a real `catena serve`. Behind each command
 * stand lines of what it prints: each is there, its parts around "..." in that order.
 */
#include <stdio.h>
#include <string.h>
#include "e2e/cli_kit.h"
#include "support/shared_data.h"

#define PAGE "docs/api.md"

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

/* All commands of a block in one shell, so that what one sets the next can use; a mark behind each. */
static void try_block(world *w, const char *api, const char *block)
{
    static char script[32768];
    char line[4096];
    size_t len = (size_t) snprintf(script, sizeof script, "API=%s\n", api);
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
            fail_msg("%s\nprints: %s\nand not:  %s", PAGE, printed, line);
        }
        at += n + (at[n] == '\n');
    }
}

static void the_examples_of_the_guide_do_what_it_says(void **state)
{
    world *w = *state;
    char log[8192], api[64] = "";
    ctn_buf page;
    size_t blocks = 0;
    cli_world_write(w, "catena.yaml", "include: [greet.yaml, sign.yaml]\n");
    cli_world_example(w, "api.md", "# chain: greet", "greet.yaml");
    cli_world_example(w, "api.md", "# chain: sign", "sign.yaml");
    running serve = shell_start(w, "exec catena serve --listen 127.0.0.1:0 2> serve.log");
    cli_world_await(w, "serve.log", "API at http://127.0.0.1:");
    cli_world_await(w, "serve.log", "serving ");
    cli_world_read(w, "serve.log", log, sizeof log);
    const char *url = strstr(log, "API at ") + strlen("API at ");
    (void) snprintf(api, sizeof api, "%.*s", (int) strcspn(url, "v") - 1, url);
    ctn_buf_init(&page, 1 << 20);
    assert_true(ctn_read_file(PAGE, &page));
    ctn_buf_append_char(&page, '\0');
    for (char *at = page.data; (at = strstr(at, "```console\n"));) {
        char *begin = at + strlen("```console\n"), *end = strstr(begin, "\n```");
        assert_non_null(end);
        *end = '\0';
        try_block(w, api, begin);
        at = end + 1;
        blocks++;
    }
    assert_true(blocks >= 6);
    ctn_buf_done(&page);
    running_stop(w, &serve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CLI_TEST(the_examples_of_the_guide_do_what_it_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
