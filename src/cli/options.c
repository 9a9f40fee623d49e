/*
 * options.c -- options are read and explained by their rows.
 *
 * An option that a verb does not take is refused by name: one that another verb takes says so, any other names
 * the nearest. Options and words may stand in any order; what follows "--" is a word.
 */
#include "cli/cli.h"
#include <assert.h>
#include <getopt.h>
#include <stdio.h>

static const struct {
    const char *name;
    char letter;
    const char *argument;
    const char *help;
} ROWS[CTN_OPT_COUNT] = {
#define ROW(opt, name, letter, argument, help) {name, letter, argument, help},
    CTN_OPTIONS(ROW)
#undef ROW
};
static_assert(CTN_OPT_COUNT <= 64, "the options of a verb are bits of one word");

static bool takes(const ctn_verb *verb, ctn_opt opt)
{
    return opt == CTN_OPT_HELP || (verb->options >> opt & 1);
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
    if (cli->args.word_count > verb->words_max && verb->words_max == 0 && ctn_verb_is_group(ctn_str_from(verb->name))) {
        (void) ctn_verb_refuse(cli, ctn_str_from(verb->name), ctn_word(cli, 0));
        return true;
    }
    if (cli->args.word_count > verb->words_max) {
        ctn_cli_fail(cli, "\"%s\" is too much: catena %s%s%s", cli->args.words[verb->words_max], verb->name,
                     *verb->operands ? " " : "", verb->operands);
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
        rows[row_count++] = (struct option){ROWS[opt].name, ROWS[opt].argument ? required_argument : no_argument, NULL,
                                            1000 + (int) opt};
        if (ROWS[opt].letter) {
            letters[letter_count++] = ROWS[opt].letter;
            if (ROWS[opt].argument)
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
        if (!takes(verb, opt))
            continue;
        ctn_str name = ctn_arena_printf(cli->arena, "--%s%s%s", ROWS[opt].name, ROWS[opt].argument ? " " : "",
                                        ROWS[opt].argument ? ROWS[opt].argument : "");
        printf("  %c%c%s %-24.*s %s\n", ROWS[opt].letter ? '-' : ' ', ROWS[opt].letter ? ROWS[opt].letter : ' ',
               ROWS[opt].letter ? "," : " ", CTN_STR_ARG(name), ROWS[opt].help);
    }
}
