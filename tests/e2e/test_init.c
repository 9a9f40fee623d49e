/*
 * `init` through the real binary: what it lays out works at once, and it never does half of it, nor over anything.
 */
#include "cli_kit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void the_commands_that_it_names_work(void **state)
{
    world *w = *state;
    assert_exit(w, catena(w, "init", NULL), 0);
    assert_string_equal(w->said.out, "catena.yaml\nchains/hello.yaml\ntests/hello.test.yaml\n.gitignore\n");
    assert_err(w, "Now:\n  catena check\n  catena test tests/*.test.yaml\n  catena run hello -i name=Ann\n");
    assert_exit(w, shell(w, "catena check"), 0);
    assert_err(w, "0 errors, 0 warnings");
    assert_exit(w, shell(w, "catena test tests/*.test.yaml"), 0);
    assert_out(w, "4 passed, 0 failed");
    assert_exit(w, shell(w, "catena run hello -i name=Ann --output greeting"), 0);
    assert_string_equal(w->said.out, "Hello, Ann!\n");
    assert_exit(w, shell(w, "catena simulate hello --seeds 100"), 0);
}

/* Blanks and quotes in the folder's name: the commands are offered so that a shell takes them. */
static void the_travel_pack_runs_where_it_was_laid_out(void **state)
{
    world *w = *state;
    static char line[4000];
    assert_exit(w, catena(w, "init", "--travel", "Ann's new agency", NULL), 0);
    assert_out(w, "Ann's new agency/agency.yaml\n");
    assert_lacks(w->said.out, "CMakeLists");
    assert_lacks(w->said.out, ".c\n");
    assert_lacks(w->said.err, "neither in PATH");
    const char *now = strstr(w->said.err, "Now:\n");
    assert_non_null(now);
    snprintf(line, sizeof line, "set -e\n%s", now + strlen("Now:\n"));
    assert_contains(line, "cd 'Ann'\\''s new agency'\n");
    assert_exit(w, shell(w, line), 0);
    assert_out(w, ", 0 failed\n");
    assert_out(w, "Tom Ellery"); /* the proposal */
    assert_true(cli_world_has(w, "Ann's new agency/crm.db"));
}

static void a_file_in_the_way_stays_and_nothing_is_written(void **state)
{
    world *w = *state;
    static char text[1000];
    cli_world_write(w, "p/catena.yaml", "store: sqlite:mine.db\n");
    assert_exit(w, catena(w, "init", "p", NULL), 2);
    assert_err(w, "there is a file already: p/catena.yaml; nothing was written: name another folder");
    assert_string_equal(w->said.out, "");
    assert_false(cli_world_has(w, "p/chains"));
    cli_world_read(w, "p/catena.yaml", text, sizeof text);
    assert_string_equal(text, "store: sqlite:mine.db\n");
    assert_exit(w, catena(w, "init", "--travel", "p/", NULL), 2);
    assert_err(w, "there is a file already: p/catena.yaml");
    assert_exit(w, catena(w, "init", "q", NULL), 0);
    assert_exit(w, catena(w, "init", "q", NULL), 2);
    assert_err(w, "there are files already: q/catena.yaml, q/chains/hello.yaml, q/tests/hello.test.yaml;");
    /* A link that leads nowhere would be written through. */
    assert_exit(w, shell(w, "mkdir r && ln -s ../elsewhere r/catena.yaml"), 0);
    assert_exit(w, catena(w, "init", "r", NULL), 2);
    assert_false(cli_world_has(w, "elsewhere"));
}

/* A folder that has other work in it, as a clone of somebody's repository. */
static void other_files_stay_and_gitignore_is_theirs(void **state)
{
    world *w = *state;
    static char text[1000];
    cli_world_write(w, ".gitignore", "mine\n");
    cli_world_write(w, "chains/other.txt", "mine\n");
    assert_exit(w, catena(w, "init", ".", NULL), 0);
    assert_err(w, ".gitignore was there and stays as it is; these should be in it: *.db *.db-* *.key");
    assert_lacks(w->said.out, ".gitignore");
    cli_world_read(w, ".gitignore", text, sizeof text);
    assert_string_equal(text, "mine\n");
    assert_true(cli_world_has(w, "chains/other.txt") && cli_world_has(w, "chains/hello.yaml"));
}

/* What was written before it failed is taken back: the folders too that it made. */
static void what_cannot_be_finished_leaves_nothing(void **state)
{
    world *w = *state;
    cli_world_write(w, "p/tests", "a file, where a folder has to be\n");
    assert_exit(w, catena(w, "init", "p", NULL), 2);
    assert_err(w, "p/tests/ cannot be made: a file is in the way; nothing was written");
    assert_false(cli_world_has(w, "p/catena.yaml") || cli_world_has(w, "p/chains"));
    assert_exit(w, catena(w, "init", "p/tests", NULL), 2);
    assert_err(w, "a file is in the way; nothing was written");
    assert_exit(w, catena(w, "init", "/sys/catena", NULL), 2); /* where nobody may write, root included */
    assert_err(w, "/sys/catena/ cannot be made: ");
    if (geteuid() != 0) {
        assert_exit(w, shell(w, "mkdir ro && chmod 555 ro"), 0);
        assert_exit(w, catena(w, "init", "ro", NULL), 2);
        assert_err(w, "ro/catena.yaml cannot be made: Permission denied; nothing was written");
    }
}

static void mistakes_are_answered_with_a_sentence(void **state)
{
    world *w = *state;
    assert_exit(w, catena(w, "init", "--travell", NULL), 2);
    assert_err(w, "--travel");
    assert_exit(w, catena(w, "init", "a", "b", NULL), 2);
    assert_exit(w, catena(w, "init", "", NULL), 2);
    assert_err(w, "the folder has no name");
    assert_false(cli_world_has(w, "a") || cli_world_has(w, "catena.yaml"));
    cli_world_env(w, "CATENA_SHARE=/nowhere/share");
    assert_exit(w, catena(w, "init", "--travel", "a", NULL), 2);
    assert_err(w, "there is no /nowhere/share/travel; CATENA_SHARE may name");
    assert_false(cli_world_has(w, "a"));
}

/* A copy of the program alone, as somebody puts it into a folder of his own. */
static void a_program_by_itself_says_what_it_lacks(void **state)
{
    world *w = *state;
    assert_exit(w, shell(w, "mkdir -p opt/bin opt/share/catena && cp $(command -v catena) opt/bin/"), 0);
    assert_exit(w, shell(w, "PATH=/usr/bin:/bin opt/bin/catena init --travel a"), 2);
    assert_err(w, "the travel pack is not installed beside this program: there is no ");
    assert_err(w, "/opt/bin/../share/catena/travel and no ");
    assert_exit(w,
                shell(w, "cp -R " CATENA_SOURCE_DIR "/travel opt/share/catena/travel\n"
                         "PATH=/usr/bin:/bin opt/bin/catena init --travel a --json"),
                0);
    assert_out(w, "{\"folder\":\"a\",\"files\":[\"a/catena.yaml\",\"a/agency.yaml\",");
    assert_err(w, "catena-travel, which is neither in PATH nor beside this one");
    assert_err(w, "/opt/bin:\"$PATH\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(the_commands_that_it_names_work),
        CLI_TEST(the_travel_pack_runs_where_it_was_laid_out),
        CLI_TEST(a_file_in_the_way_stays_and_nothing_is_written),
        CLI_TEST(other_files_stay_and_gitignore_is_theirs),
        CLI_TEST(what_cannot_be_finished_leaves_nothing),
        CLI_TEST(mistakes_are_answered_with_a_sentence),
        CLI_TEST(a_program_by_itself_says_what_it_lacks),
    };
    return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
