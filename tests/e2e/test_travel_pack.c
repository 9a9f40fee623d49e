/*
 * The travel pack's own chains, judged as their users would: their tests pass, `check` has nothing to say, no world
 * finds anything in them. (10,000 worlds of each were played by hand; here a few, so that a change that breaks one is
 * seen.)
 */
#include "cli_kit.h"

#include <string.h>

#define PACK CATENA_SOURCE_DIR "/travel"

static void the_tests_of_the_chains_pass(void **state)
{
    world *w = *state;
    assert_exit(w, shell(w, "catena test " PACK "/tests/*.test.yaml"), 0);
    assert_out(w, ", 0 failed");
    /* Its own tests, or those of the chain that starts it. */
    cli_world_write(
        w, "script",
        "cd " PACK "\n"
        "for file in chains/*.yaml; do\n"
        "  name=$(basename $file .yaml)\n"
        "  test -e tests/$name.test.yaml || grep -Eqr \"(chain|onFailure): $name\\b\" chains instruction-sets ||\n"
        "    echo $name has no tests\n"
        "done\n");
    assert_exit(w, shell(w, "sh ./script"), 0);
    assert_string_equal(w->said.out, "");
}

static void check_has_nothing_to_say(void **state)
{
    world *w = *state;
    assert_exit(w, shell(w, "catena check --config " PACK "/catena.yaml " PACK "/chains/*.yaml"), 0);
    assert_err(w, "0 errors, 0 warnings");
}

static void no_world_finds_anything(void **state)
{
    world *w = *state;
    /* client-proposal is left out: each of its worlds plays three whole rounds, and proposal-round is played by itself.
     */
    cli_world_write(w, "script",
                    "for chain in " PACK "/chains/*.yaml; do\n"
                    "  test $(basename $chain) = client-proposal.yaml ||\n"
                    "    catena simulate --config " PACK "/catena.yaml --seeds 30 --quiet $chain || echo BAD $chain\n"
                    "done\n");
    assert_exit(w, shell(w, "sh ./script"), 0);
    assert_lacks(w->said.out, "BAD");
    assert_out(w, "visa-reminder: 30 worlds");
}

/* The page that people read first: every tool and every chain is on it, and the picture is the one that graph draws. */
static void the_readme_names_every_tool_and_chain(void **state)
{
    world *w = *state;
    cli_world_write(w, "script",
                    "cd " PACK "\n"
                    "for tool in $(catena-travel tools | cut -d' ' -f1); do\n"
                    "  grep -qF \"\\`$tool\\`\" README.md || echo the tool $tool is not on the page\n"
                    "done\n"
                    "for file in chains/*.yaml; do\n"
                    "  name=$(basename $file .yaml)\n"
                    "  grep -qF \"\\`$name\\`\" README.md || echo the chain $name is not on the page\n"
                    "done\n"
                    "catena graph visa-reminder --format mermaid | while read -r line; do\n"
                    "  grep -qF -e \"$line\" README.md || echo \"the picture has another line: $line\"\n"
                    "done\n");
    assert_exit(w, shell(w, "sh ./script"), 0);
    assert_string_equal(w->said.out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(the_tests_of_the_chains_pass),
        CLI_TEST(check_has_nothing_to_say),
        CLI_TEST(no_world_finds_anything),
        CLI_TEST(the_readme_names_every_tool_and_chain),
    };
    return cmocka_run_group_tests_name("travel_pack", tests, NULL, NULL);
}
