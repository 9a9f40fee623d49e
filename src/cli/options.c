/*
 * options.c -- the options of every verb, in one table that reads them and explains them.
 *
 * An option that a verb does not take is refused by name: one that another verb takes says so, any other names
 * the nearest. Options and words may stand in any order; what follows "--" is a word.
 */
#include "cli/cli.h"
#include <assert.h>
#include <getopt.h>
#include <stdio.h>

typedef struct option_row {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* NULL: a flag */
    const char *help;
} option_row;

static const option_row ROWS[CTN_OPT_COUNT] = {
    [CTN_OPT_CONFIG] = {"config", 'c', "FILE", "configuration; default: catena.yaml, from the current folder upward"},
    [CTN_OPT_STORE] = {"store", 's', "URL",
                       "sqlite:FILE; default: the configuration's, else sqlite:catena.db beside it"},
    [CTN_OPT_JSON] = {"json", 'j', NULL, "JSON for programs, on one line a document"},
    [CTN_OPT_QUIET] = {"quiet", 'q', NULL, "no progress on stderr, only errors"},
    [CTN_OPT_HELP] = {"help", 'h', NULL, "explain this command"},
    [CTN_OPT_SET_INPUT] = {"set-input", 'i', "NAME=VALUE",
                           "an input: NAME=TEXT, NAME:=JSON, NAME=@FILE, NAME=@- (standard input), NAME=@@TEXT"},
    [CTN_OPT_INPUT] = {"input", 'I', "FILE|-", "inputs as one JSON or YAML object; -i comes after it"},
    [CTN_OPT_OUTPUT] = {"output", 'o', "NAME", "print this output alone, text as it is; of export: the file to write"},
    [CTN_OPT_KEY] = {"idempotency-key", 'k', "KEY", "start it once: the same key finds the execution that has it"},
    [CTN_OPT_LABEL] = {"label", 'l', "NAME=VALUE", "a label to find it by"},
    [CTN_OPT_FORMAT] = {"format", 'f', "FORMAT", "of check: text, json or sarif; of graph: svg, mermaid or dot"},
    [CTN_OPT_CHAIN] = {"chain", 0, "CHAIN", "of list: only executions of this chain; of fork: the newer definition"},
    [CTN_OPT_STATUS] = {"status", 0, "STATUS", "only executions in this status"},
    [CTN_OPT_LIMIT] = {"limit", 'n', "COUNT", "at most so many; 0: all"},
    [CTN_OPT_STEP] = {"step", 0, "STEP", "which step is meant"},
    [CTN_OPT_RETRY] = {"retry", 0, NULL, "the interrupted call did not happen: do it again"},
    [CTN_OPT_SUCCEED] = {"succeed", 0, "JSON", "the interrupted call happened, with this result"},
    [CTN_OPT_FAIL] = {"fail", 0, NULL, "the interrupted call has failed"},
    [CTN_OPT_NOT_HAPPENED] = {"not-happened", 0, NULL, "with --fail: it is certain that nothing happened"},
    [CTN_OPT_REASON] = {"reason", 0, "TEXT", "why, for the journal"},
    [CTN_OPT_VARIABLE] = {"variable", 0, "NAME", "the variable, where a step has the same name"},
    [CTN_OPT_AT] = {"at", 0, "SEQ", "as it stood after that entry of the journal"},
    [CTN_OPT_TOOLS] = {"tools", 0, NULL, "ask the configured servers for their tools"},
    [CTN_OPT_FIX] = {"fix", 0, NULL, "mend in the files what can be mended mechanically, and say what"},
    [CTN_OPT_EXPLAIN] = {"explain", 0, "RULE", "what a rule means, and how to mend what breaks it"},
    [CTN_OPT_SEEDS] = {"seeds", 0, "COUNT", "so many worlds; default: 10,000"},
    [CTN_OPT_SEED] = {"seed", 0, "NUMBER", "play this one world again and tell its story"},
    [CTN_OPT_RECORDED] = {"recorded", 0, NULL, "let the tools answer as they did in the store's executions"},
    [CTN_OPT_FROM] = {"from", 0, "STEP", "the step to do again, with all that depends on what it sets"},
    [CTN_OPT_DROP_OLD] = {"drop-old", 0, NULL, "add no key; remove those that wrap nothing any more"},
    [CTN_OPT_REVEAL] = {"reveal", 0, NULL, "sensitive values as they are (needs the key; goes into the audit log)"},
    [CTN_OPT_WRITE] = {"write", 0, "STEP", "this step may write once more; as often as there are such steps"},
    [CTN_OPT_QUICK] = {"quick", 0, NULL, "do not compare the file's indexes with its tables"},
    [CTN_OPT_OLDER_THAN] = {"older-than", 0, "SPAN",
                            "those that ended so long ago: 30d, 12h; default: as `retention` says"},
    [CTN_OPT_DRY_RUN] = {"dry-run", 0, NULL, "only say what would be done"},
    [CTN_OPT_FORCE] = {"force", 0, NULL, "replace the file that is there"},
    [CTN_OPT_JUNIT] = {"junit", 0, "FILE", "the results as JUnit XML too"},
};

static bool takes(const ctn_verb *verb, ctn_opt opt)
{
    return opt == CTN_OPT_HELP || (verb->options & CTN_OPT_BIT(opt));
}

/* The name in "--name=value" or "--name". */
static ctn_str long_name(const char *arg)
{
    ctn_str rest = ctn_str_from(arg + 2);
    return ctn_str_cut(&rest, '=');
}

static void refuse_unknown(const ctn_cli *cli, const char *arg, int letter)
{
    ctn_str names[CTN_OPT_COUNT];
    size_t count = 0;
    bool is_long = strncmp(arg, "--", 2) == 0;
    ctn_str name = is_long ? long_name(arg) : (ctn_str){0};
    for (ctn_opt opt = 0; opt < CTN_OPT_COUNT; opt++) {
        bool is_it = is_long ? ctn_str_is(name, ROWS[opt].name) : ROWS[opt].letter == letter;
        if (takes(cli->verb, opt))
            names[count++] = ctn_str_from(ROWS[opt].name);
        else if (is_it) {
            ctn_cli_fail(cli, "catena %s takes no --%s; see: catena help %s", cli->verb->name, ROWS[opt].name,
                         cli->verb->name);
            return;
        }
    }
    ctn_str near = ctn_str_nearest(name, names, count);
    if (near.len)
        ctn_cli_fail(cli, "there is no option --%.*s; did you mean --%.*s?", CTN_STR_ARG(name), CTN_STR_ARG(near));
    else if (is_long)
        ctn_cli_fail(cli, "there is no option --%.*s; see: catena help %s", CTN_STR_ARG(name), cli->verb->name);
    else
        ctn_cli_fail(cli, "there is no option -%c; see: catena help %s", letter, cli->verb->name);
}

static bool refuse_words(const ctn_cli *cli)
{
    const ctn_verb *verb = cli->verb;
    if (cli->args.word_count < verb->words_min) {
        ctn_cli_fail(cli, "something is missing: catena %s %s", verb->name, verb->operands);
        return true;
    }
    if (cli->args.word_count > verb->words_max) {
        ctn_cli_fail(cli, "\"%s\" is too much: catena %s %s", cli->args.words[verb->words_max], verb->name,
                     verb->operands);
        return true;
    }
    return false;
}

bool ctn_options_read(ctn_cli *cli, int argc, char **argv)
{
    struct option rows[CTN_OPT_COUNT + 1] = {0};
    char letters[2 * CTN_OPT_COUNT + 2] = ":";
    size_t row_count = 0, letter_count = 1;
    for (ctn_opt opt = 0; opt < CTN_OPT_COUNT; opt++) {
        if (!takes(cli->verb, opt))
            continue;
        const option_row *row = &ROWS[opt];
        rows[row_count++] =
            (struct option){row->name, row->argument ? required_argument : no_argument, NULL, 1000 + (int) opt};
        if (row->letter) {
            letters[letter_count++] = row->letter;
            if (row->argument)
                letters[letter_count++] = ':';
        }
    }
    cli->args.given = CTN_NEW_ARRAY(cli->arena, ctn_given, (size_t) argc);
    opterr = 0;
    optind = 0; /* argv[0] is the verb */
    for (int got; (got = getopt_long(argc, argv, letters, rows, NULL)) != -1;) {
        if (got == '?') {
            const char *arg = argv[optind - 1];
            if (strncmp(arg, "--", 2) == 0 && optopt >= 1000) { /* a flag that was given a value */
                ctn_cli_fail(cli, "--%s takes no value", ROWS[optopt - 1000].name);
                return false;
            }
            refuse_unknown(cli, arg, optopt);
            return false;
        }
        ctn_opt opt = CTN_OPT_COUNT;
        int wanted = got == ':' ? optopt : got;
        for (ctn_opt o = 0; o < CTN_OPT_COUNT; o++)
            if (takes(cli->verb, o) && (wanted == 1000 + (int) o || (ROWS[o].letter && wanted == ROWS[o].letter)))
                opt = o;
        assert(opt != CTN_OPT_COUNT);
        if (got == ':') {
            ctn_cli_fail(cli, "--%s needs a value: --%s %s", ROWS[opt].name, ROWS[opt].name, ROWS[opt].argument);
            return false;
        }
        cli->args.values[opt] = optarg ? optarg : "";
        cli->args.given[cli->args.given_count++] = (ctn_given){opt, optarg};
    }
    cli->args.words = (const char *const *) argv + optind;
    cli->args.word_count = (size_t) (argc - optind);
    return ctn_opt_is_given(cli, CTN_OPT_HELP) || !refuse_words(cli);
}

void ctn_options_help(const ctn_cli *cli, const ctn_verb *verb)
{
    const char *bold = ctn_colour_code(&cli->out, CTN_COLOUR_BOLD),
               *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    printf("%scatena %s%s%s%s\n\n%s.\n", bold, verb->name, verb->operands[0] ? " " : "", verb->operands, plain,
           verb->summary);
    if (verb->details)
        printf("\n%s\n", verb->details);
    printf("\n");
    for (ctn_opt opt = 0; opt < CTN_OPT_COUNT; opt++) {
        const option_row *row = &ROWS[opt];
        if (!takes(verb, opt))
            continue;
        ctn_str name = ctn_arena_printf(cli->arena, "--%s%s%s", row->name, row->argument ? " " : "",
                                        row->argument ? row->argument : "");
        printf("  %c%c%s %-24.*s %s\n", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
               row->letter ? "," : " ", CTN_STR_ARG(name), row->help);
    }
}
