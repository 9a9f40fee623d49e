/*
 * verbs.c -- the list of verbs, and who is meant. Each is in its verb_NAME.c; `help` lists them in this order.
 */
#include "cli/cli.h"
#include "host/words.h"

/* clang-format off */
#define VERBS(VERB) \
    VERB(init) \
    VERB(run) \
    VERB(start) \
    VERB(serve) \
    VERB(nodes) \
    VERB(mcp) \
    VERB(check) \
    VERB(schema) \
    VERB(graph) \
    VERB(simulate) \
    VERB(test) \
    VERB(list) \
    VERB(queue) \
    VERB(schedules) \
    VERB(schedules_pause) \
    VERB(schedules_resume) \
    VERB(schedules_fire) \
    VERB(show) \
    VERB(history) \
    VERB(why) \
    VERB(timeline) \
    VERB(watch) \
    VERB(resume) \
    VERB(rerun) \
    VERB(fork) \
    VERB(answer) \
    VERB(set) \
    VERB(cancel) \
    VERB(pause) \
    VERB(export) \
    VERB(verify) \
    VERB(chains_import) \
    VERB(chains_list) \
    VERB(chains_show) \
    VERB(tools_list) \
    VERB(tools_call) \
    VERB(tools_login) \
    VERB(tools_logout) \
    VERB(tools_diff) \
    VERB(tools_accept) \
    VERB(token_create) \
    VERB(token_list) \
    VERB(token_revoke) \
    VERB(principal_list) \
    VERB(principal_grant) \
    VERB(principal_ungrant) \
    VERB(principal_remove) \
    VERB(store_init) \
    VERB(store_migrate) \
    VERB(store_backup) \
    VERB(store_copy) \
    VERB(store_export) \
    VERB(store_verify) \
    VERB(store_audit) \
    VERB(store_quarantine) \
    VERB(store_release) \
    VERB(store_discard) \
    VERB(store_prune) \
    VERB(store_rekey) \
    VERB(store_shred) \
    VERB(version) \
    VERB(help)
/* clang-format on */

#define DECLARE(name) extern const ctn_verb ctn_verb_##name;
VERBS(DECLARE)

const ctn_verb *const ctn_verbs[] = {
#define LIST(name) &ctn_verb_##name,
    VERBS(LIST)};
#define COUNT (sizeof ctn_verbs / sizeof *ctn_verbs)
const size_t ctn_verb_count = COUNT;

const ctn_verb *ctn_verb_find(ctn_str first, ctn_str second)
{
    for (size_t i = 0; i < ctn_verb_count; i++) {
        ctn_str rest = ctn_str_from(ctn_verbs[i]->name);
        if (ctn_str_equal(ctn_str_cut(&rest, ' '), first) && ctn_str_equal(rest, second))
            return ctn_verbs[i];
    }
    return NULL;
}

/* The second words of verbs that begin with this one. */
static size_t second_words(ctn_str first, ctn_str names[COUNT])
{
    size_t count = 0;
    for (size_t i = 0; i < ctn_verb_count; i++) {
        ctn_str rest = ctn_str_from(ctn_verbs[i]->name);
        if (ctn_str_equal(ctn_str_cut(&rest, ' '), first) && rest.ptr)
            names[count++] = rest;
    }
    return count;
}

bool ctn_verb_is_group(ctn_str first)
{
    ctn_str names[COUNT];
    return second_words(first, names) > 0;
}

static int refuse_first(const ctn_cli *cli, ctn_str name)
{
    ctn_str names[COUNT];
    for (size_t i = 0; i < ctn_verb_count; i++) {
        ctn_str rest = ctn_str_from(ctn_verbs[i]->name);
        names[i] = ctn_str_cut(&rest, ' ');
    }
    ctn_str near = ctn_str_nearest(name, names, ctn_verb_count);
    if (near.len)
        return ctn_cli_fail(cli, "there is no command \"%.*s\"; did you mean \"%.*s\"?", CTN_STR_ARG(name),
                            CTN_STR_ARG(near));
    if (ctn_str_find(name, CTN_STR(".")) != SIZE_MAX || ctn_str_find(name, CTN_STR("/")) != SIZE_MAX)
        return ctn_cli_fail(cli, "there is no command \"%.*s\"; to run a chain: catena run %.*s", CTN_STR_ARG(name),
                            CTN_STR_ARG(name));
    return ctn_cli_fail(cli, "there is no command \"%.*s\"; see: catena help", CTN_STR_ARG(name));
}

int ctn_verb_refuse(const ctn_cli *cli, ctn_str first, ctn_str second)
{
    ctn_str names[COUNT];
    size_t count = second_words(first, names);
    if (count == 0)
        return refuse_first(cli, first);
    if (second.len == 0)
        return ctn_cli_fail(cli, "catena %.*s needs another word: %.*s", CTN_STR_ARG(first),
                            CTN_STR_ARG(ctn_words_join(cli->arena, names, count)));
    return ctn_cli_fail(cli, "there is no command \"%.*s %.*s\"; %.*s", CTN_STR_ARG(first), CTN_STR_ARG(second),
                        CTN_STR_ARG(ctn_words_suggest(cli->arena, second, names, count)));
}
