/*
 * cli.h -- what every verb of the command has in hand, and how it tells people what happened.
 *
 * A verb is a ctn_verb in verb_NAME.c, behind the function that does it, and a line in verbs.c. main reads the options
 * that it takes, hands it a ctn_cli, and exits with what it returns. Results go to stdout and nothing else does;
 * everything said to people goes to stderr.
 *
 * What must hold: bad input is answered with a sentence (what, where, the nearest right thing) and exit 2, and has
 * changed nothing.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "chain/finding.h"
#include "cli/options.h"
#include "cli/screen.h"
#include "loop/spawn.h"

enum {
    CTN_EXIT_OK = 0,            /* completed */
    CTN_EXIT_ENDED = 1,         /* ended otherwise */
    CTN_EXIT_USAGE = 2,         /* usage, configuration, definition */
    CTN_EXIT_PARKED = 3,        /* nothing goes on without somebody */
    CTN_EXIT_INTERRUPTED = 130, /* Ctrl-C */
};

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
    const ctn_log *log; /* of `serve`, as its options and the configuration say; NULL: as for people */
} ctn_cli;

struct ctn_verb {
    const char *name;     /* "run", "chains list" */
    const char *operands; /* "CHAIN" */
    const char *summary;  /* one line of `help` */
    const char *details;  /* what `help VERB` adds; may be NULL */
    uint64_t options;     /* that it takes: CTN_OPT_BIT(QUIET) | ... */
    size_t words_min, words_max;
    int (*run)(ctn_cli *cli);
};
#define CTN_OPT_BIT(OPT) (UINT64_C(1) << CTN_OPT_##OPT)

/* verbs.c: all of them, in the order of help. */
extern const ctn_verb *const ctn_verbs[];
extern const size_t ctn_verb_count;
/* NULL: there is none; second is empty for a verb of one word. */
const ctn_verb *ctn_verb_find(ctn_str first, ctn_str second);
/* Verbs of two words ("chains list") begin with this one. */
bool ctn_verb_is_group(ctn_str first);
/* A sentence about words that are no verb. */
int ctn_verb_refuse(const ctn_cli *cli, ctn_str first, ctn_str second);

/* verb_help.c: as `catena help FIRST SECOND`; either may be empty. An exit code. */
int ctn_help(const ctn_cli *cli, ctn_str first, ctn_str second);
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
int ctn_cli_fail_server(const ctn_cli *cli, ctn_str server, const char *why); /* it cannot be asked */
int ctn_cli_fail_err(const ctn_cli *cli, const ctn_err *err);
/* "catena: sentence", for things that are no failure; silent with --quiet. */
void ctn_cli_say(const ctn_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "file:line:column: error: text [rule]" and a newline, as the screen shows it. */
void ctn_finding_write(const ctn_cli *cli, const ctn_screen *screen, ctn_buf *out, const ctn_finding *f);
/* So each, on stderr, sorted. errors_only leaves the warnings out. */
void ctn_cli_findings(const ctn_cli *cli, ctn_findings *findings, bool errors_only);
/* A command that continues this one: "catena ARGS", with the --config and --store that were given here. */
ctn_str ctn_cli_command(const ctn_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A word that a shell takes as it is; else in single quotes. */
ctn_str ctn_shell_word(ctn_arena *arena, const char *word);
/* Everything is on stdout, or a sentence tells why not (a full disk, a closed pipe) and the exit is 2. */
int ctn_cli_flush(const ctn_cli *cli, int exit_code);
