/*
 * docs/api.md is true: its ```console blocks are run by sh and curl against a real `catena serve` (console.h).
 */
#include <stdio.h>
#include <string.h>
#include "console.h"

static void the_examples_of_the_guide_do_what_it_says(void **state)
{
    world *w = *state;
    char log[8192], api[64] = "", before[80];
    cli_world_write(w, "catena.yaml", "include: [greet.yaml, sign.yaml]\n");
    cli_world_example(w, "api.md", "# chain: greet", "greet.yaml");
    cli_world_example(w, "api.md", "# chain: sign", "sign.yaml");
    running serve = shell_start(w, "exec catena serve --listen 127.0.0.1:0 2> serve.log");
    cli_world_await(w, "serve.log", "API at http://127.0.0.1:");
    cli_world_await(w, "serve.log", "serving ");
    cli_world_read(w, "serve.log", log, sizeof log);
    const char *url = strstr(log, "API at ") + strlen("API at ");
    (void) snprintf(api, sizeof api, "%.*s", (int) strcspn(url, "v") - 1, url);
    (void) snprintf(before, sizeof before, "API=%s\n", api);
    assert_true(console_page(w, "api.md", ".", before) >= 6);
    running_stop(w, &serve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CLI_TEST(the_examples_of_the_guide_do_what_it_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
