/*
 * cli.h -- what every verb of the command has in hand, and how it tells people what happened.
 *
 * A verb is one row of the table in verbs.c and one function in verb_NAME.c. main reads the options by the row, hands
 * the verb a ctn_cli, and exits with what it returns. Results go to stdout and nothing else does; everything
 * said to people goes to stderr.
 *
 * What must hold: bad input is answered with a sentence (what, where, the nearest right thing) and exit 2, and has
 * changed nothing.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "chain/finding.h"
#include "cli/screen.h"
#include "loop/spawn.h"

enum {
    CTN_EXIT_OK = 0,            /* completed */
    CTN_EXIT_ENDED = 1,         /* ended otherwise */
    CTN_EXIT_USAGE = 2,         /* usage, configuration, definition */
    CTN_EXIT_PARKED = 3,        /* nothing goes on without somebody */
    CTN_EXIT_INTERRUPTED = 130, /* Ctrl-C */
};

typedef enum ctn_opt {
    CTN_OPT_CONFIG,
    CTN_OPT_STORE,
    CTN_OPT_JSON,
    CTN_OPT_QUIET,
    CTN_OPT_HELP,
    CTN_OPT_SET_INPUT, /* -i */
    CTN_OPT_INPUT,
    CTN_OPT_OUTPUT,
    CTN_OPT_KEY,
    CTN_OPT_LABEL,
    CTN_OPT_FORMAT,
    CTN_OPT_CHAIN,
    CTN_OPT_STATUS,
    CTN_OPT_LIMIT,
    CTN_OPT_STEP,
    CTN_OPT_RETRY,
    CTN_OPT_SUCCEED,
    CTN_OPT_FAIL,
    CTN_OPT_NOT_HAPPENED,
    CTN_OPT_REASON,
    CTN_OPT_VARIABLE,
    CTN_OPT_AT,
    CTN_OPT_TOOLS,
    CTN_OPT_FIX,
    CTN_OPT_EXPLAIN,
    CTN_OPT_SEEDS,
    CTN_OPT_SEED,
    CTN_OPT_RECORDED,
    CTN_OPT_JUNIT,
    CTN_OPT_FROM,
    CTN_OPT_WRITE,
    CTN_OPT_QUICK,
    CTN_OPT_OLDER_THAN,
    CTN_OPT_DRY_RUN,
    CTN_OPT_FORCE,
    CTN_OPT_REVEAL,
    CTN_OPT_DROP_OLD,
    CTN_OPT_COUNT,
} ctn_opt;

typedef struct ctn_given {
    ctn_opt opt;
    const char *value;
} ctn_given;

typedef struct ctn_args {
    const char *values[CTN_OPT_COUNT]; /* the last one given; "" for a flag; NULL: not given */
    ctn_given *given;                  /* all, in order */
    size_t given_count;
    const char *const *words; /* what is no option */
    size_t word_count;
} ctn_args;

typedef struct ctn_verb ctn_verb;
typedef struct ctn_cli {
    ctn_arena *arena; /* until the process ends */
    ctn_spawner *spawner;
    const ctn_verb *verb;
    ctn_args args;
    ctn_screen out, err;               /* stdout, stderr */
    const struct ctn_overlay *overlay; /* NULL: files are what they are */
} ctn_cli;

struct ctn_verb {
    const char *name;     /* "run", "chains list" */
    const char *operands; /* "CHAIN" */
    const char *summary;  /* one line of `help` */
    const char *details;  /* what `help VERB` adds; may be NULL */
    uint64_t options;     /* bits CTN_OPT_BIT */
    size_t words_min, words_max;
    int (*run)(ctn_cli *cli);
};
#define CTN_OPT_BIT(opt) (UINT64_C(1) << (opt))

extern const ctn_verb ctn_verbs[];
extern const size_t ctn_verb_count;

/* options.c: fills cli->args from what stands behind the verb; a sentence and false when it is not understood. */
bool ctn_options_read(ctn_cli *cli, int argc, char **argv);
void ctn_options_help(const ctn_cli *cli, const ctn_verb *verb);
static inline bool ctn_opt_is_given(const ctn_cli *cli, ctn_opt opt)
{
    return cli->args.values[opt] != NULL;
}
static inline ctn_str ctn_word(const ctn_cli *cli, size_t i)
{
    return ctn_str_from(i < cli->args.word_count ? cli->args.words[i] : NULL);
}

/* ---- saying things ---- */

/* "catena: sentence" on stderr; returns CTN_EXIT_USAGE, so that `return ctn_cli_fail(...)` reads well. */
int ctn_cli_fail(const ctn_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
int ctn_cli_fail_err(const ctn_cli *cli, const ctn_err *err);
/* "catena: sentence", for things that are no failure; silent with --quiet. */
void ctn_cli_say(const ctn_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* file:line:column: error: text [rule], one a line on stderr, sorted. errors_only leaves the warnings out. */
void ctn_cli_findings(const ctn_cli *cli, ctn_findings *findings, bool errors_only);
/* A command that continues this one: "catena ARGS", with the --config and --store that were given here. */
ctn_str ctn_cli_command(const ctn_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A word that a shell takes as it is; else in single quotes. */
ctn_str ctn_shell_word(ctn_arena *arena, const char *word);
/* Everything is on stdout, or a sentence tells why not (a full disk, a closed pipe) and the exit is 2. */
int ctn_cli_flush(const ctn_cli *cli, int exit_code);

/* ---- the verbs ---- */
int ctn_verb_run(ctn_cli *cli);
int ctn_verb_start(ctn_cli *cli);
int ctn_verb_serve(ctn_cli *cli);
int ctn_verb_check(ctn_cli *cli);
int ctn_verb_schema(ctn_cli *cli);
int ctn_verb_graph(ctn_cli *cli);
int ctn_verb_timeline(ctn_cli *cli);
int ctn_verb_simulate(ctn_cli *cli);
int ctn_verb_test(ctn_cli *cli);
int ctn_verb_list(ctn_cli *cli);
int ctn_verb_schedules(ctn_cli *cli);
int ctn_verb_show(ctn_cli *cli);
int ctn_verb_history(ctn_cli *cli);
int ctn_verb_why(ctn_cli *cli);
int ctn_verb_watch(ctn_cli *cli);
int ctn_verb_resume(ctn_cli *cli);
int ctn_verb_rerun(ctn_cli *cli);
int ctn_verb_fork(ctn_cli *cli);
int ctn_verb_answer(ctn_cli *cli);
int ctn_verb_set(ctn_cli *cli);
int ctn_verb_cancel(ctn_cli *cli);
int ctn_verb_pause(ctn_cli *cli);
int ctn_verb_chains_import(ctn_cli *cli);
int ctn_verb_chains_list(ctn_cli *cli);
int ctn_verb_chains_show(ctn_cli *cli);
int ctn_verb_tools_list(ctn_cli *cli);
int ctn_verb_tools_call(ctn_cli *cli);
int ctn_verb_store_init(ctn_cli *cli);
int ctn_verb_store_migrate(ctn_cli *cli);
int ctn_verb_store_audit(ctn_cli *cli);
int ctn_verb_store_verify(ctn_cli *cli);
int ctn_verb_export(ctn_cli *cli);
int ctn_verb_verify(ctn_cli *cli);
int ctn_verb_store_quarantine(ctn_cli *cli);
int ctn_verb_store_release(ctn_cli *cli);
int ctn_verb_store_discard(ctn_cli *cli);
int ctn_verb_store_prune(ctn_cli *cli);
int ctn_verb_store_backup(ctn_cli *cli);
int ctn_verb_store_rekey(ctn_cli *cli);
int ctn_verb_store_shred(ctn_cli *cli);
int ctn_verb_version(ctn_cli *cli);
int ctn_verb_help(ctn_cli *cli);
