/*
 * A server that is many, as catena.yaml says it: several processes of a command, several addresses.
 */
#include "cli_kit.h"

#include <stdio.h>
#include <string.h>

static void a_command_may_run_more_than_once(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml", "servers: {peer: {command: %s, instances: 2}}\n", peer_program());
    assert_exit(w, catena(w, "tools", "list", "--json", NULL), 0);
    assert_out(w, "\"instances\":[{\"pid\":");
    assert_int_equal(count_in(w->said.out, "\"state\":\"up\"") % 2, 0);
    cli_world_write(w, "catena.yaml", "servers: {peer: {command: %s}}\n", peer_program());
    assert_exit(w, catena(w, "tools", "list", "--json", NULL), 0);
    assert_lacks(w->said.out, "\"instances\"");
}

static void an_address_that_is_not_there_is_told(void **state)
{
    world *w = *state;
    cli_world_write(w, "catena.yaml",
                    "servers: {peer: {urls: ['http://127.0.0.1:1/mcp', 'http://127.0.0.1:2/mcp']}}\n");
    assert_exit(w, catena(w, "tools", "list", NULL), 2);
    assert_err(w, "catena: server peer (http://127.0.0.1:");
}

/* Each says what is wrong, and what to look at. */
static void a_url_that_is_wrong_says_what_to_look_at(void **state)
{
    world *w = *state;
    static const char *const wrong[][2] = {
        {"http://127.0.0.1:1/mcp", "is the server running, and is that its port?"},
        {"http://10.1.2.3/mcp", "allowPrivate would allow it"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cli_world_write(w, "catena.yaml", "servers: {peer: {url: '%s', startTimeoutMs: 3000}}\n", wrong[i][0]);
        assert_exit(w, catena(w, "tools", "list", NULL), 2);
        assert_err(w, "catena: server peer (http://");
        assert_err(w, wrong[i][1]);
        assert_int_equal(count_in(w->said.err, "\n"), 1);
    }
}

static void what_does_not_go_together_is_said(void **state)
{
    world *w = *state;
    static const char *const wrong[][2] = {
        {"{urls: []}", "urls must name an address"},
        {"{url: 'http://127.0.0.1:1/', urls: ['http://127.0.0.1:2/']}", "either a url or urls"},
        {"{url: 'http://127.0.0.1:1/', instances: 2}", "instances is for a command"},
        {"{command: x, instances: 0}", "instances"},
        {"{command: x, urls: ['http://127.0.0.1:2/']}", "either a command or a url"},
        {"{urls: ['http://127.0.0.1:2/', 'ftp://x/']}", "neither http nor https"},
        {"{urls: ['http://127.0.0.1:1/', 'http://127.0.0.1:2/'], auth: {type: oauth}}", "gives leave to one address"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cli_world_write(w, "catena.yaml", "servers: {peer: %s}\n", wrong[i][0]);
        assert_exit(w, catena(w, "tools", "list", NULL), 2);
        assert_err(w, wrong[i][1]);
    }
}

/* One of them has another tool than the one that is pinned: the guard sees it, whichever is asked. */
static void one_instance_that_differs_is_a_change(void **state)
{
    world *w = *state;
    cli_world_write(w, "peer.sh", "#!/bin/sh\nmkdir first 2>/dev/null || exec %s --shape shape\nexec %s\n",
                    peer_program(), peer_program());
    assert_exit(w, shell(w, "chmod +x peer.sh"), 0);
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:s.db\nservers: {peer: {command: ./peer.sh, instances: 2, effects: {write_line: "
                    "idempotent}}}\n");
    cli_world_write(w, "line.yaml",
                    "id: line\nsteps:\n  - {stepName: write, instructionSet: write}\ninstructionSets:\n"
                    "  write: {tool: peer/write_line, arguments: {line: hello}}\n");
    assert_exit(w, catena(w, "run", "line.yaml", NULL), 0);
    cli_world_write(w, "shape", "another\n");
    assert_exit(w, shell(w, "rmdir first"), 0);
    assert_exit(w, catena(w, "tools", "diff", NULL), 1);
    assert_out(w, "meaning     its description is another");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(a_command_may_run_more_than_once),         CLI_TEST(an_address_that_is_not_there_is_told),
        CLI_TEST(a_url_that_is_wrong_says_what_to_look_at), CLI_TEST(what_does_not_go_together_is_said),
        CLI_TEST(one_instance_that_differs_is_a_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
