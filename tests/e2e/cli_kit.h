/*
 * cli_kit.h -- the real binary, run by tests: in a folder of its own, with what it said and how it ended.
 *
 * A world is a folder under the system's one for temporary files. Commands get it as their current folder, a small
 * fixed environment, and what the test sets with cli_world_env. Whatever still runs when the world ends is killed, and
 * the folder is removed.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "support/cmocka.h"

#define OUTPUT_MAX  (256 * 1024)
#define COMMAND_MAX 600
#define ENV_MAX     16

typedef struct said {
    int exit_code; /* -signal when one ended it */
    char out[OUTPUT_MAX], err[OUTPUT_MAX];
} said;

typedef struct world {
    char folder[200];
    char *env[ENV_MAX]; /* NAME=VALUE, after the fixed ones */
    size_t env_count;
    const char *program; /* instead of the product's catena; NULL: that one */
    said said;           /* of the last command that ended */
} world;

typedef struct running {
    pid_t pid; /* 0: none */
    int out_fd, err_fd;
} running;

/* A test in a world of its own. */
#define CLI_TEST(test) cmocka_unit_test_setup_teardown(test, cli_world_setup, cli_world_teardown)
int cli_world_setup(void **state);
int cli_world_teardown(void **state);
void cli_world_env(world *w, const char *name_is_value);

void cli_world_write(world *w, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* At most size - 1 bytes; "" when there is no such file. */
void cli_world_read(world *w, const char *name, char *text, size_t size);
bool cli_world_has(world *w, const char *name);
size_t cli_world_count(world *w, const char *name, const char *part); /* how often it stands in the file */
/* The configuration of the travel pack as it is, with this store and its CRM in the world's folder. */
void cli_world_travel(world *w, const char *store);
/* A file with an example of the documentation: the YAML block of docs/PAGE whose first line this is. */
void cli_world_example(world *w, const char *page, const char *first_line, const char *name);

/* Runs `catena ARGS...` (NULL ends them) to its end, with a time limit; returns the exit code. */
int catena(world *w, ...) __attribute__((sentinel));
/* The same with this on standard input. */
int catena_fed(world *w, const char *input, ...) __attribute__((sentinel));
/* A line for sh, with catena in PATH: how a command that a sentence offered is tried. */
int shell(world *w, const char *line);
/* In the background. */
running shell_start(world *w, const char *line);
running catena_start(world *w, ...) __attribute__((sentinel));
int running_wait(world *w, running *r);
/* `serve`, as soon as it listens on the socket beside its store, whose file this is. */
running running_serve(world *w, const char *store);
void running_stop(world *w, running *r); /* by SIGTERM, and it ends well */
/* On a terminal of its own; what it writes there goes to said.out, both streams. */
int catena_on_terminal(world *w, ...) __attribute__((sentinel));

/* ---- what was said ---- */
void assert_contains(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);
size_t count_in(const char *text, const char *part);
#define assert_out(w, part) assert_contains((w)->said.out, part)
#define assert_err(w, part) assert_contains((w)->said.err, part)
/* Exit code, with everything that was said when it is another. */
void assert_exit_(world *w, int code, int expected, const char *file, int line);
#define assert_exit(w, call, expected) assert_exit_((w), (call), (expected), __FILE__, __LINE__)
/* The value of the first "NAME":"VALUE" or "NAME": "VALUE" in text; into a buffer of 64. */
void json_text(const char *text, const char *name, char *value);
/* The command that stderr offered behind the nth `label`, from 0. */
void offered(world *w, const char *label, int nth, char command[COMMAND_MAX]);
/* Waits until the file holds the text, or fails after ten seconds. */
void cli_world_await(world *w, const char *file, const char *text);
/* The id of the newest execution. */
void newest_id(world *w, char *id);
/* Where the tool server for tests is. */
const char *peer_program(void);
int64_t now_ms(void); /* by a clock that nobody sets */
