/*
 * test_verify_sealed.c -- sensitive values in verify and export: with the key each must open and be what was committed
 * to; without it the rest is proven all the same, in a store and in a file.
 */
#include "cli_kit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "P123-SECRET"

/* 1 of the chain book, parked; entries: 1 started (two values sealed), 2 the transform's (one sealed), then a foreach
 * over sealed items. */
static void make_store(world *w)
{
    cli_world_write(w, "catena.yaml", "include: ['*.chain.yaml']\nsealing: {key: {file: catena.key}}\n");
    cli_world_write(w, "keyless.yaml", "include: ['*.chain.yaml']\n");
    cli_world_write(w, "book.chain.yaml",
                    "id: book\n"
                    "inputSchema:\n"
                    "  type: object\n"
                    "  properties: {passport: {type: string}, names: {type: array}}\n"
                    "sensitive: [passport, names, masked]\n"
                    "instructionSets:\n"
                    "  mask: {transform: '{masked: (.passport + \"!\")}', arguments: {passport: '{passport}'}}\n"
                    "  each: {native: noop, effect: none, arguments: {said: 'Hi'}}\n"
                    "  ask: {approval: {message: 'go on?'}}\n"
                    "steps:\n"
                    "  - {stepName: mask, instructionSet: mask, outputVariables: [masked]}\n"
                    "  - {stepName: many, instructionSet: each, foreach: {items: '{names}'}, outputVariables: [said],\n"
                    "     dependsOn: [mask]}\n"
                    "  - {stepName: ask, instructionSet: ask, dependsOn: [many]}\n");
    assert_exit(w, catena(w, "run", "book", "-i", "passport=" SECRET, "-i", "names:=[\"ann\",\"bob\"]", NULL), 3);
}

static void alter(const world *w, const char *sql)
{
    char path[300];
    sqlite3 *db = NULL;
    char *why = NULL;
    snprintf(path, sizeof path, "%s/copy.db", w->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

/* "RULE@SEQ ..." of a list of findings on stdout. */
static const char *rules_of(const world *w, char text[500])
{
    text[0] = '\0';
    for (const char *at = w->said.out; (at = strstr(at, "\"rule\":\"")); at++) {
        const char *item = at;
        while (*item != '{')
            item--;
        const char *seq = strstr(item, "\"seq\":");
        snprintf(text + strlen(text), 500 - strlen(text), "%s%.*s", *text ? " " : "", (int) strcspn(at + 8, "\""),
                 at + 8);
        if (seq && seq < at)
            snprintf(text + strlen(text), 500 - strlen(text), "@%.*s", (int) strspn(seq + 6, "0123456789"), seq + 6);
    }
    return text;
}

typedef struct tampering {
    const char *sql, *with_key, *without;
} tampering;

#define J          "UPDATE execution_journal SET "
#define S(no, seq) "(SELECT sealed FROM execution_journal WHERE exec_no = " #no " AND seq = " #seq ")"

static const tampering TAMPERINGS[] = {
    {"SELECT 1", "", ""},
    {J "sealed = NULL WHERE seq = 1", "sealed@1", "sealed@1"},
    {J "sealed = '[]' WHERE seq = 1", "sealed@1", "sealed@1"},
    {J "sealed = 'no list' WHERE seq = 1", "sealed@1", "sealed@1"},
    {J "sealed = NULL WHERE seq = 2", "sealed@2", "sealed@2"},
    {J "sealed = '[{\"at\":\"/input/nothing\",\"box\":\"AA\"}]' WHERE seq = 1", "sealed@1 sealed@1", "sealed@1"},
    {J "sealed = replace(sealed, '\"box\":\"', '\"box\":\"AAAA') WHERE seq = 1", "sealed@1", ""},
    {J "sealed = replace(sealed, 'box', 'bax') WHERE seq = 1", "", ""}, /* as shredded */
    {J "sealed = replace(" S(1, 2) ", '/variables/masked', '/input/passport') WHERE seq = 1", "sealed@1 sealed@1",
     "sealed@1"},
    {J "body = replace(body, '{\"$sealed\":\"', '{\"$sealed\":\"0') WHERE seq = 2", "hash@2 sealed@2", "hash@2"},
    {"UPDATE chain_executions SET input = replace(input, '(sealed)', 'clear')", "input@1", "input@1"},
    {"UPDATE data_keys SET wrapped = zeroblob(72) WHERE exec_no = 1", "sealed", ""},
    {"DELETE FROM data_keys", "", ""}, /* shredded */
};

static void each_tampering_with_what_is_sealed_is_found(void **state)
{
    world *w = *state;
    char text[500];
    int failed = 0;
    make_store(w);
    for (size_t i = 0; i < sizeof TAMPERINGS / sizeof *TAMPERINGS; i++) {
        const tampering *t = &TAMPERINGS[i];
        assert_exit(w, catena(w, "store", "backup", "copy.db", "--force", NULL), 0);
        alter(w, t->sql);
        (void) catena(w, "store", "verify", "--json", "--store", "copy.db", NULL);
        assert_lacks(w->said.out, SECRET);
        if (strcmp(rules_of(w, text), t->with_key) != 0)
            failed++, print_error("%s\n  found \"%s\" instead of \"%s\"\n", t->sql, text, t->with_key);
        (void) catena(w, "store", "verify", "--json", "--store", "copy.db", "--config", "keyless.yaml", NULL);
        if (strcmp(rules_of(w, text), t->without) != 0)
            failed++, print_error("%s, without the key\n  found \"%s\" instead of \"%s\"\n", t->sql, text, t->without);
    }
    print_message("%zu ways to tamper with what is sealed\n", sizeof TAMPERINGS / sizeof *TAMPERINGS);
    assert_int_equal(failed, 0);
}

static void it_says_how_many_could_not_be_opened(void **state)
{
    world *w = *state;
    make_store(w);
    assert_exit(w, catena(w, "store", "verify", NULL), 0);
    assert_out(w, "3 sealed values opened, 0 could not be");
    assert_exit(w, catena(w, "store", "verify", "--json", "--config", "keyless.yaml", NULL), 0);
    assert_out(w, "\"sealedOpened\":0,\"sealedUnopened\":3");
}

static void an_export_is_proven_without_what_is_sealed(void **state)
{
    world *w = *state;
    char id[64];
    static char text[20000];
    make_store(w);
    newest_id(w, id);
    assert_exit(w, catena(w, "export", id, "-o", "redacted.jsonl", NULL), 0);
    cli_world_read(w, "redacted.jsonl", text, sizeof text);
    assert_lacks(text, SECRET);
    assert_lacks(text, "ann\"");
    assert_lacks(text, "\"box\"");
    assert_contains(text, "{\"$sealed\":\"");
    assert_exit(w, shell(w, "mkdir far; mv redacted.jsonl far; cd far; catena verify redacted.jsonl"), 0);
    assert_out(w, "3 sensitive values (0 revealed): proven");
}

static void what_is_revealed_proves_itself(void **state)
{
    world *w = *state;
    char id[64];
    static char text[20000];
    make_store(w);
    newest_id(w, id);
    assert_exit(w, catena(w, "export", id, "-o", "no.jsonl", "--reveal", "--config", "keyless.yaml", NULL), 2);
    assert_err(w, "--reveal needs the key");
    assert_false(cli_world_has(w, "no.jsonl"));
    assert_false(cli_world_has(w, "no.jsonl.part"));
    assert_exit(w, catena(w, "export", id, "-o", "open.jsonl", "--reveal", NULL), 0);
    cli_world_read(w, "open.jsonl", text, sizeof text);
    assert_contains(text, "\"value\":\"" SECRET "\"}");
    assert_contains(text, "\"value\":[\"ann\",\"bob\"]}");
    assert_exit(w, shell(w, "mkdir far; cp open.jsonl far; cd far; catena verify open.jsonl"), 0);
    assert_out(w, "3 sensitive values (3 revealed): proven");
    /* another value, another salt, another place */
    assert_exit(w, shell(w, "sed 's/P123-SECRET\"}/P124-SECRET\"}/' open.jsonl | catena verify -"), 1);
    assert_out(w, "entry 1: what is revealed at /input/passport is not what the entry commits to [revealed]");
    assert_exit(w, shell(w, "sed 's/\"salt\":\"./\"salt\":\"x/' open.jsonl | catena verify -"), 1);
    assert_out(w, "[revealed]");
    assert_exit(w,
                shell(w,
                      "sed 's,{\"at\":\"/input/passport\"\\,\"salt\",{\"at\":\"/input/names\"\\,\"salt\",' open.jsonl"
                      " | catena verify -"),
                1);
    assert_out(w, "what is revealed at /input/names is not what the entry commits to [revealed]");
    assert_exit(w, catena(w, "store", "audit", NULL), 0);
    assert_out(w, "values.reveal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(each_tampering_with_what_is_sealed_is_found),
        CLI_TEST(it_says_how_many_could_not_be_opened),
        CLI_TEST(an_export_is_proven_without_what_is_sealed),
        CLI_TEST(what_is_revealed_proves_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
