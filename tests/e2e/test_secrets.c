/*
 * Nothing that was declared sensitive, and no secret, is to be found in anything that the program ever wrote.
 *
 * Strings that exist nowhere else are planted: in a sensitive input, in what a tool gives into a sensitive variable, in
 * an answer, in a secret of a tool server's environment. The server tells everything that it hears wherever it can.
 * Then everything that was written is searched: what each command said, and every file of the store's folder (the
 * database and its log while an owner runs, after it was killed, after it ended; backups; exports), for the strings as
 * they are, in hexadecimal and in base64, wherever in its groups of three they begin. That the search is not blind is
 * shown by
 * --reveal, and by files that do hold them.
 */
#include "cli_kit.h"
#include "planted.h"
#include "base/memory.h"
#include "support/http_peer.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const PLANTED[] = {"PlantedInput7f3aQ", "PlantedChild51d0Q", "PlantedResult91bcQ",
                                      "PlantedAnswer55aaQ", "PlantedSecretd24eQ"};
enum { INPUT, CHILD, RESULT, ANSWER, SECRET, PLANTED_COUNT };

/* Where the test itself put them: given to catena, not written by it. */
static const char *const OURS[] = {"secret.txt", "issue.txt", NULL};

static planted search = {.strings = PLANTED, .count = PLANTED_COUNT, .ours = OURS};

static void search_said(world *w, const char *what)
{
    planted_search(&search, what, w->said.out, strlen(w->said.out));
    planted_search(&search, what, w->said.err, strlen(w->said.err));
}

/* A command, whose every word is searched, and then every file. */
#define clean(w, expected, call)                                                                                       \
    do {                                                                                                               \
        assert_exit((w), (call), (expected));                                                                          \
        search_said((w), #call);                                                                                       \
        planted_search_folder(&search, (w)->folder);                                                                   \
    } while (0)

/* ---- the world ---- */

static const char *gossip(void)
{
    static const char *const PLACES[] = {CATENA_BUILD_DIR "/tests/peer_gossip", CATENA_BUILD_DIR "/peer_gossip"};
    return access(PLACES[0], X_OK) == 0 ? PLACES[0] : PLACES[1];
}

static const char SETS[] =
    "instructionSets:\n"
    "  greet: {transform: '{greeting: (\"Dear \" + .who)}', arguments: {who: '{client.name}'}}\n"
    "  hear: {tool: gossip/hear, effect: idempotent, arguments: {text: '{input}'}}\n"
    "  issue: {tool: gossip/issue, effect: idempotent, arguments: {for: '{client.name}'}}\n"
    "  shape: {transform: '{v: .x}', arguments: {x: '{input}'}}\n"
    "  give: {tool: gossip/issue, effect: idempotent}\n"
    "  refuse: {tool: gossip/refuse, effect: idempotent, arguments: {text: '{input}'}}\n"
    "  die: {tool: gossip/die, effect: idempotent, arguments: {text: '{input}'}}\n"
    "  vanish: {tool: gossip/vanish, effect: idempotent}\n"
    "  slow: {tool: gossip/slow, effect: write, arguments: {text: '{input}', ms: '{ms}'}}\n"
    "  book: {tool: gossip/book, effect: write, arguments: {client: '{client}', city: '{city}'}}\n"
    "  unbook: {tool: gossip/unbook, effect: idempotent, arguments: {client: '{client}', booking: '{booking}'}}\n"
    "  unbookBadly: {tool: gossip/unbook_badly, effect: idempotent, arguments: {client: '{client}'}}\n"
    "  sign: {approval: {message: 'Book for {client.name}?'}}\n"
    "  leak: {tool: gossip/leak, effect: idempotent}\n"
    "  leakFailing: {tool: gossip/refuse, effect: idempotent, arguments: {a: 1}}\n"
    "  below: {chain: below, arguments: {name: '{input}', city: '{city}'}}\n"
    "  belowFailing: {chain: below-failing, arguments: {name: '{input}'}}\n"
    "  belowGiving: {chain: below-giving, arguments: {name: '{input}'}}\n";

static const char CHAINS[] =
    "id: trip\n"
    "sensitive: [client, passport, kids]\n"
    "concurrencyKey: '{client.name}'\n"
    "outputs: {letter: letter, city: city, passport: passport, kids: kids, under: '\"for \" + under', deep: deep}\n"
    "steps:\n"
    "  - {stepName: greet, instructionSet: greet, outputVariables: [greeting]}\n"
    "  - {stepName: issue, instructionSet: issue, outputVariables: {passport: number}}\n"
    "  - {stepName: letter, instructionSet: issue, templateId: letter, outputVariables: [letter]}\n"
    "  - {stepName: each, instructionSet: hear, foreach: {items: '{client.children}', as: child},\n"
    "     inputTemplate: 'child {child}', outputVariables: {kids: heard.text}}\n"
    "  - {stepName: under, instructionSet: refuse, inputTemplate: '{client.name}', outputVariables: [under],\n"
    "     fallback: [{value: {under: 'under {client.name}'}}]}\n"
    "  - {stepName: sub, instructionSet: below, inputTemplate: '{greeting}', outputVariables: [said, town]}\n"
    "  - {stepName: give, instructionSet: belowGiving, inputTemplate: x, outputVariables: [deep]}\n"
    "  - {stepName: sign, instructionSet: sign, outputVariables: {signed: approved}}\n"
    "  - {stepName: book, instructionSet: book, rollbackAction: unbook, outputVariables: [booking]}\n"
    "  - {stepName: hear, instructionSet: hear, inputTemplate: '{passport} {letter}', outputVariables: {ok: heard.x},\n"
    "     onError: continue}\n";
/* under, letter, said: what is rendered from a sensitive value. kids is what a tool answers, so it is declared. */

static void make_world(world *w)
{
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:agency.db\nsealing: {key: {file: catena.key}}\n"
                    "secrets: {TOKEN: {file: secret.txt}}\n"
                    "servers:\n  gossip: {command: '%s', trusted: true,\n"
                    "    env: {GOSSIP_SECRET: '{secret.TOKEN}', GOSSIP_ISSUE: '%s/issue.txt'}}\n"
                    "include: ['*.chain.yaml', sets.yaml, '*.mustache']\n",
                    gossip(), w->folder);
    cli_world_write(w, "secret.txt", "%s\n", PLANTED[SECRET]);
    cli_world_write(w, "issue.txt", "%s", PLANTED[RESULT]);
    cli_world_write(w, "sets.yaml", "%s", SETS);
    cli_world_write(w, "letter.mustache", "Hello {{greeting}}, your passport is {{passport}}.");
    cli_world_write(w, "trip.chain.yaml", "%s", CHAINS);
    cli_world_write(
        w, "below.chain.yaml",
        "id: below\nsteps:\n"
        "  - {stepName: hear, instructionSet: hear, inputTemplate: '{name}'}\n"
        "  - {stepName: said, instructionSet: shape, inputTemplate: 'so {name}', outputVariables: {said: v}}\n"
        "  - {stepName: town, instructionSet: hear, inputTemplate: '{city}', outputVariables: {town: heard}}\n");
    cli_world_write(w, "giving.chain.yaml",
                    "id: below-giving\nsensitive: [deep]\nsteps:\n"
                    "  - {stepName: deep, instructionSet: give, outputVariables: {deep: number}}\n");
    cli_world_write(w, "failing.chain.yaml",
                    "id: failing\nsensitive: [client]\n"
                    "steps:\n"
                    "  - {stepName: book, instructionSet: book, rollbackAction: unbook, outputVariables: [booking]}\n"
                    "  - {stepName: again, instructionSet: book, rollbackAction: unbookBadly, outputVariables: [b2]}\n"
                    "  - {stepName: sub, instructionSet: belowFailing, inputTemplate: '{client.name}'}\n");
    cli_world_write(w, "belowfailing.chain.yaml",
                    "id: below-failing\nsteps:\n  - {stepName: no, instructionSet: refuse, inputTemplate: '{name}'}\n");
    cli_world_write(
        w, "slow.chain.yaml",
        "id: slow\nsensitive: [client]\nsteps:\n"
        "  - {stepName: hear, instructionSet: hear, inputTemplate: '{client.name}', outputVariables: {h: x}, "
        "onError: continue}\n"
        "  - {stepName: slow, instructionSet: slow, inputTemplate: '{client.name}', noUndo: x}\n");
    cli_world_write(
        w, "dying.chain.yaml",
        "id: dying\nsensitive: [client]\nsteps:\n"
        "  - {stepName: die, instructionSet: die, inputTemplate: '{client.name}', retryConfig: {maxRetries: 0}}\n");
    cli_world_write(w, "vanishing.chain.yaml",
                    "id: vanishing\nsensitive: [client]\nsteps:\n"
                    "  - {stepName: hear, instructionSet: hear, inputTemplate: '{client.name}'}\n"
                    "  - {stepName: vanish, instructionSet: vanish, retryConfig: {maxRetries: 0}}\n");
    cli_world_write(w, "plain.chain.yaml",
                    "id: plain\nsteps:\n"
                    "  - {stepName: leak, instructionSet: leak, outputVariables: [told]}\n"
                    "  - {stepName: fail, instructionSet: leakFailing}\n");
}

static const char *client(char *text, size_t size, const char *more)
{
    snprintf(text, size, "{\"client\":{\"name\":\"%s\",\"children\":[\"%s\",\"Tom\"]},\"city\":\"Oslo\"%s}",
             PLANTED[INPUT], PLANTED[CHILD], more);
    return text;
}

/* Every verb that looks at an execution, for people and for programs. */
static void look_at(world *w, const char *id, const char *variable)
{
    clean(w, 0, catena(w, "show", id, NULL));
    clean(w, 0, catena(w, "show", id, "--json", NULL));
    clean(w, 0, catena(w, "history", id, NULL));
    clean(w, 0, catena(w, "history", id, "--json", NULL));
    clean(w, 0, catena(w, "timeline", id, NULL));
    clean(w, 0, catena(w, "timeline", id, "--json", NULL));
    clean(w, 0, catena(w, "graph", id, NULL));
    clean(w, 0, catena(w, "list", NULL));
    clean(w, 0, catena(w, "list", "--json", NULL));
    (void) catena(w, "why", id, variable, NULL);
    search_said(w, "why");
    (void) catena(w, "why", id, variable, "--json", NULL);
    search_said(w, "why --json");
}

/* ---- the tests ---- */

static void the_search_finds_what_is_there(void **state)
{
    world *w = *state;
    static const char *const behind[] = {"", "xy"};
    assert_null(planted_in(&search, "PlantedInput7f3", 15));
    for (size_t i = 0; i < PLANTED_COUNT; i++)
        for (size_t f = 0; f < 2; f++)
            for (size_t before = 0; before < 7; before++) {
                char raw[100] = "abcdefg", hex[250], base64[250];
                snprintf(raw + before, sizeof raw - before, "%s%s", PLANTED[i], behind[f]);
                assert_non_null(planted_in(&search, raw, strlen(raw)));
                sodium_bin2hex(hex, sizeof hex, (unsigned char *) raw, strlen(raw));
                assert_non_null(planted_in(&search, hex, strlen(hex)));
                sodium_bin2base64(base64, sizeof base64, (unsigned char *) raw, strlen(raw),
                                  sodium_base64_VARIANT_ORIGINAL);
                assert_non_null(planted_in(&search, base64, strlen(base64)));
            }
    cli_world_write(w, "leak.log", "so %s it is", PLANTED[RESULT]);
    char path[300];
    snprintf(path, sizeof path, "%s/leak.log", w->folder);
    assert_non_null(planted_in_file(&search, path));
}

static void nothing_sensitive_is_in_anything_that_was_written(void **state)
{
    world *w = *state;
    char id[64], rerun[64], input[600], answer[200];
    make_world(w);
    clean(w, 3, catena_fed(w, client(input, sizeof input, ""), "run", "trip", "--input", "-", NULL));
    json_text(w->said.out, "executionId", id);
    assert_err(w, "catena.key was made");
    look_at(w, id, "letter");
    clean(w, 0, catena(w, "why", id, "sign", NULL));
    /* who answers, and what */
    snprintf(answer, sizeof answer, "{\"approved\":true,\"comment\":\"%s\"}", PLANTED[ANSWER]);
    clean(w, 0, catena(w, "answer", id, "sign", answer, NULL));
    assert_out(w, "\"city\": \"Oslo\"");
    assert_out(w, "\"letter\": \"(sealed)\"");
    assert_out(w, "\"deep\": \"(sealed)\"");
    look_at(w, id, "kids");
    look_at(w, id, "booking");
    clean(w, 0, catena(w, "store", "verify", NULL));
    clean(w, 0, catena(w, "export", id, NULL)); /* on stdout */
    cli_world_write(w, "out.export", "%s", w->said.out);
    clean(w, 0, catena(w, "store", "verify", "out.export", NULL));
    clean(w, 0, catena(w, "store", "verify", "--json", NULL));
    assert_lacks(w->said.out, "\"sealedOpened\":0");
    /* the search is not blind: it is all there */
    assert_exit(w, catena(w, "history", id, "--json", "--reveal", NULL), 0);
    for (size_t i = 0; i < SECRET; i++)
        assert_out(w, PLANTED[i]);
    assert_lacks(w->said.out, PLANTED[SECRET]); /* that one was never given away */
    assert_exit(w, catena(w, "show", id, "--reveal", NULL), 0);
    assert_out(w, PLANTED[INPUT]);
    assert_out(w, PLANTED[RESULT]);
    planted_search_folder(&search, w->folder);
    clean(w, 0, catena(w, "store", "audit", NULL));
    assert_out(w, "values.reveal");
    /* others that go on from it */
    clean(w, 0, catena(w, "rerun", id, "--from", "hear", NULL));
    json_text(w->said.out, "executionId", rerun);
    look_at(w, rerun, "letter");
    assert_exit(w, catena(w, "show", rerun, "--reveal", NULL), 0);
    assert_out(w, PLANTED[RESULT]);
    clean(w, 2, catena(w, "fork", id, "-i", "city=Rome", NULL));
    clean(w, 0, catena(w, "fork", id, "-i", "city=Rome", "--write", "book", NULL));
    json_text(w->said.out, "executionId", rerun);
    look_at(w, rerun, "letter");
    clean(w, 3, catena_fed(w, client(input, sizeof input, ""), "run", "trip", "--input", "-", "-q", NULL));
    json_text(w->said.out, "executionId", rerun);
    clean(w, 0, catena(w, "cancel", rerun, "--json", NULL));
    look_at(w, rerun, "letter");
    clean(w, 0, catena(w, "store", "backup", "copy.db", NULL));
    /* a new master key, then none of the old; then nothing at all */
    clean(w, 0, catena(w, "store", "rekey", NULL));
    clean(w, 0, catena(w, "store", "rekey", "--drop-old", NULL));
    assert_exit(w, catena(w, "show", id, "--reveal", NULL), 0);
    assert_out(w, PLANTED[INPUT]);
    clean(w, 0, catena(w, "store", "shred", id, NULL));
    clean(w, 0, catena(w, "show", id, "--reveal", NULL));
    assert_out(w, "(shredded)");
    look_at(w, id, "letter");
    clean(w, 0, catena(w, "store", "verify", NULL));
    clean(w, 2, catena(w, "rerun", id, "--from", "hear", NULL));
}

static void failures_do_not_tell_what_a_call_was_given(void **state)
{
    world *w = *state;
    char id[64], input[600];
    make_world(w);
    clean(w, 1, catena_fed(w, client(input, sizeof input, ""), "run", "failing", "--input", "-", NULL));
    assert_out(w, "rollback_failed");
    json_text(w->said.out, "executionId", id);
    look_at(w, id, "booking");
    clean(w, 0, catena(w, "why", id, "sub", NULL));
    assert_exit(w, catena(w, "history", id, "--reveal", "--json", NULL), 0);
    assert_out(w, PLANTED[INPUT]);
    assert_lacks(w->said.out, PLANTED[SECRET]);
    clean(w, 1, catena_fed(w, client(input, sizeof input, ""), "run", "dying", "--input", "-", "--json", NULL));
    json_text(w->said.out, "executionId", id);
    look_at(w, id, "die");
    /* the last words of a server, told to a call that was given nothing */
    clean(w, 1, catena_fed(w, client(input, sizeof input, ""), "run", "vanishing", "--input", "-", NULL));
    assert_out(w, "its last words: (withheld");
}

/* A secret is taken out of what any call says, whether its chain has sensitive values or not. */
static void a_secret_is_taken_out_of_all_that_comes_back(void **state)
{
    world *w = *state;
    char id[64];
    make_world(w);
    clean(w, 1, catena(w, "run", "plain", NULL));
    assert_out(w, "(secret TOKEN)");
    newest_id(w, id);
    look_at(w, id, "told");
    clean(w, 0, catena(w, "tools", "call", "gossip/leak", "{}", NULL));
    assert_out(w, "(secret TOKEN)");
}

static void search_command_line(pid_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int) pid);
    FILE *file = fopen(path, "re");
    size_t count = file ? fread(text, 1, sizeof text, file) : 0;
    if (file)
        (void) fclose(file);
    const char *found = planted_in(&search, text, count);
    if (found)
        fail_msg("%s is on the command line of %d", found, (int) pid);
}

static void the_key_is_guarded_and_missed(void **state)
{
    world *w = *state;
    char id[64], input[600], text[600];
    make_world(w);
    client(input, sizeof input, "");
    clean(w, 1, catena_fed(w, input, "run", "dying", "--input", "-", NULL));
    json_text(w->said.out, "executionId", id);
    assert_exit(w, shell(w, "stat -c %a catena.key"), 0);
    assert_out(w, "600");
    /* others can read it */
    assert_exit(w, shell(w, "chmod 644 catena.key"), 0);
    clean(w, 2, catena(w, "show", id, "--reveal", NULL));
    assert_err(w, "chmod 600");
    clean(w, 2, catena_fed(w, input, "run", "dying", "--input", "-", NULL));
    assert_exit(w, shell(w, "chmod 600 catena.key; mv catena.key elsewhere"), 0);
    /* gone: nothing new is made, what needs no key goes on */
    clean(w, 2, catena_fed(w, input, "run", "dying", "--input", "-", NULL));
    assert_err(w, "put back the copy");
    assert_false(cli_world_has(w, "catena.key"));
    clean(w, 2, catena(w, "history", id, "--reveal", NULL));
    assert_err(w, "put back the copy");
    clean(w, 0, catena(w, "history", id, NULL));
    assert_out(w, "(sealed)");
    clean(w, 1, catena(w, "run", "plain", NULL));
    /* in a variable instead */
    cli_world_read(w, "elsewhere", text, sizeof text);
    char variable[700];
    snprintf(variable, sizeof variable, "CATENA_KEY=%s", text);
    cli_world_env(w, variable);
    cli_world_read(w, "catena.yaml", text, sizeof text);
    char *at = strstr(text, "{file: catena.key}");
    assert_non_null(at);
    memcpy(at, "{env: CATENA_KEY} ", strlen("{env: CATENA_KEY} "));
    cli_world_write(w, "catena.yaml", "%s", text);
    assert_exit(w, catena(w, "show", id, "--reveal", NULL), 0);
    assert_out(w, PLANTED[INPUT]);
    clean(w, 2, catena(w, "store", "rekey", NULL));
    assert_err(w, "cannot be written");
    /* not said at all */
    cli_world_write(w, "catena.yaml", "include: ['*.chain.yaml', sets.yaml, '*.mustache']\nstore: sqlite:agency.db\n");
    clean(w, 2, catena(w, "show", id, "--reveal", NULL));
    assert_err(w, "--reveal needs the key");
}

/* One client is forgotten; what is not at its end is left, and said. */
static void a_client_is_forgotten_by_a_label(void **state)
{
    world *w = *state;
    char ids[3][64], input[600];
    static const char *const labels[] = {"client=7", "client=7", "client=8"};
    make_world(w);
    client(input, sizeof input, "");
    for (size_t i = 0; i < 3; i++) {
        clean(w, 1, catena_fed(w, input, "run", "dying", "--input", "-", "-l", labels[i], NULL));
        json_text(w->said.out, "executionId", ids[i]);
    }
    clean(w, 3, catena_fed(w, input, "run", "trip", "--input", "-", "-l", "client=7", NULL));
    clean(w, 1, catena(w, "store", "shred", "--label", "client=7", "--json", NULL));
    assert_out(w, "\"trees\":2,\"left\":1");
    assert_err(w, "1 has not ended and was left");
    for (size_t i = 0; i < 3; i++) {
        assert_exit(w, catena(w, "show", ids[i], "--reveal", NULL), 0);
        if (i < 2)
            assert_lacks(w->said.out, PLANTED[INPUT]);
        else
            assert_out(w, PLANTED[INPUT]);
    }
    clean(w, 2, catena(w, "store", "shred", NULL));
    clean(w, 0, catena(w, "store", "verify", NULL));
    clean(w, 0, catena(w, "store", "shred", "--label", "client=9", NULL));
}

static void assert_shredded(world *w, const char *id, bool is_shredded)
{
    assert_exit(w, catena(w, "show", id, "--reveal", NULL), 0);
    if (is_shredded)
        assert_lacks(w->said.out, PLANTED[INPUT]);
    else
        assert_out(w, PLANTED[INPUT]);
}

/* Whoever noted one id, be it a sub-chain's, gets the run that it belongs to and all that went on from it; an id that
 * is gone is no error, one under way is left and said. By an input: all that were started with it. */
static void a_client_is_forgotten_by_ids_and_by_an_input(void **state)
{
    world *w = *state;
    char id[64], child[64], rerun[64], fork[64], waiting[64], other[64], input[600];
    make_world(w);
    cli_world_write(w, "note.chain.yaml",
                    "id: note\nsensitive: [client]\nrollbackEnabled: false\nsteps:\n"
                    "  - {stepName: greet, instructionSet: greet, outputVariables: [greeting]}\n"
                    "  - {stepName: sub, instructionSet: below, inputTemplate: '{greeting}', outputVariables: [town]}\n"
                    "  - {stepName: sign, instructionSet: sign, conditionalExecution: \"{waits} == 'yes'\"}\n");
    client(input, sizeof input, "");
    assert_exit(w, catena_fed(w, input, "run", "note", "--input", "-", "-i", "city=Oslo", "-i", "waits=no", NULL), 0);
    json_text(w->said.out, "executionId", id);
    assert_exit(w, catena(w, "history", id, "--json", NULL), 0);
    json_text(w->said.out, "child", child);
    assert_exit(w, catena(w, "rerun", id, "--from", "sub", NULL), 0);
    json_text(w->said.out, "executionId", rerun);
    assert_exit(w, catena(w, "fork", rerun, "-i", "city=Bonn", "-i", "waits=yes", NULL), 3);
    json_text(w->said.out, "executionId", fork);
    assert_exit(w, catena_fed(w, input, "run", "note", "--input", "-", "-i", "city=Bonn", "-i", "waits=no", NULL), 0);
    json_text(w->said.out, "executionId", other);

    clean(w, 1, catena(w, "store", "shred", "--whole", child, "--json", NULL));
    assert_out(w, "\"trees\":2,\"left\":1");
    assert_shredded(w, id, true);
    assert_shredded(w, rerun, true);
    assert_shredded(w, fork, false);
    assert_shredded(w, other, false);
    assert_exit(w, catena(w, "cancel", fork, "--json", NULL), 0);
    clean(w, 0, catena(w, "store", "shred", "--whole", id, NULL));
    assert_shredded(w, fork, true);
    assert_exit(w, catena(w, "store", "shred", "--whole", "01a2099a-bff2-788f-95d4-5b416a64eef6", NULL), 0);
    assert_err(w, "is not here any more");
    assert_exit(w, catena(w, "store", "shred", "--whole", "client", NULL), 2);

    assert_exit(w, catena_fed(w, input, "run", "note", "--input", "-", "-i", "city=Bonn", "-i", "waits=yes", NULL), 3);
    json_text(w->said.out, "executionId", waiting);
    clean(w, 1, catena(w, "store", "shred", "-i", "city=Bonn", "--json", NULL));
    assert_out(w, "\"trees\":1,\"left\":1");
    assert_shredded(w, other, true);
    assert_shredded(w, waiting, false);
    assert_exit(w, catena(w, "store", "shred", "-i", "city", NULL), 2);
    assert_exit(w, catena(w, "store", "shred", waiting, NULL), 2);
    clean(w, 0, catena(w, "store", "verify", NULL));
}

/* Of core files: 1 byte is none. */
static long core_limit(pid_t pid)
{
    char path[64], line[200];
    long limit = -1;
    snprintf(path, sizeof path, "/proc/%d/limits", (int) pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "Max core file size", 18) == 0)
            limit = strncmp(line + 18 + strspn(line + 18, " "), "unlimited", 9) == 0 ? LONG_MAX
                                                                                     : strtol(line + 18, NULL, 10);
    if (file)
        (void) fclose(file);
    return limit;
}

/* Killed while a call is under way: what is in the log and the shared memory then, and what goes on after it. */
static void nothing_is_in_what_a_killed_owner_leaves(void **state)
{
    world *w = *state;
    char id[64], input[600], line[1000];
    make_world(w);
    running owner = catena_start(w, "serve", NULL);
    for (int i = 0; i < 200 && !cli_world_has(w, "agency.db.sock"); i++)
        usleep(50000);
    clean(w, 0, catena_fed(w, client(input, sizeof input, ",\"ms\":60000"), "start", "slow", "--input", "-", NULL));
    newest_id(w, id);
    for (int i = 0; i < 200; i++) {
        assert_exit(w, catena(w, "history", id, NULL), 0);
        if (strstr(w->said.out, "attempt_started         slow"))
            break;
        usleep(50000);
    }
    running watcher = catena_start(w, "watch", id, NULL);
    /* given by name on the command line, it does not stay there */
    snprintf(line, sizeof line, "client:={\"name\":\"%s\",\"children\":[]}", PLANTED[INPUT]);
    running run = catena_start(w, "run", "slow", "-i", line, "-i", "ms:=60000", NULL);
    usleep(700000);
    assert_true(core_limit(owner.pid) <= 1);
    search_command_line(owner.pid);
    search_command_line(watcher.pid);
    search_command_line(run.pid);
    planted_search_folder(&search, w->folder);
    clean(w, 0, catena(w, "show", id, NULL));
    kill(owner.pid, SIGKILL);
    (void) running_wait(w, &owner);
    search_said(w, "serve");
    kill(watcher.pid, SIGKILL);
    (void) running_wait(w, &watcher);
    search_said(w, "watch");
    kill(run.pid, SIGKILL);
    (void) running_wait(w, &run);
    search_said(w, "run");
    planted_search_folder(&search, w->folder);
    clean(w, 3, catena(w, "resume", id, NULL));
    clean(w, 1, catena(w, "resume", id, "--fail", "--not-happened", NULL));
    look_at(w, id, "h");
    print_message("searched %zu files and %zu MiB in all\n", search.searched_files, search.searched_bytes >> 20);
}

/* ---- secrets in what calls are sent ---- */

/* Says everything back that it heard: in a body, in a header, in a refusal. */
static void echo(void *ctx, http_asked *asked)
{
    unsigned *came = ctx; /* the secret itself, which the search must not find */
    const char *is_bad = strstr(asked->path, "refuse");
    char body[8000];
    size_t n = 0;
    n += (size_t) snprintf(body, sizeof body, "{\"heard\":\"");
    const char *parts[] = {asked->head, asked->body};
    for (size_t i = 0; i < 2; i++)
        for (const char *c = parts[i]; (i == 0 ? *c : c < asked->body + asked->body_bytes) && n < sizeof body - 8; c++)
            n += (size_t) snprintf(body + n, sizeof body - n, *c == '"' || *c == '\\' ? "\\%c" : "%c",
                                   *c < ' ' && *c >= 0 ? ' ' : *c);
    snprintf(body + n, sizeof body - n, "\"}");
    char key[200] = "";
    (void) http_asked_header(asked, "X-Key", key, sizeof key);
    if (!strcmp(key, PLANTED[SECRET]))
        ++*came;
    http_say_format(asked,
                    "HTTP/1.1 %s\r\nContent-Type: application/json\r\nX-Heard: %s\r\nConnection: close\r\n\r\n%s",
                    is_bad ? "422 No" : "200 OK", key, body);
    http_close(asked);
}

/* Of every kind of call that can be sent one, in every place; each says it back wherever it can. */
static void a_secret_that_calls_are_sent_is_written_nowhere(void **state)
{
    world *w = *state;
    unsigned came = 0;
    http_peer *peer = http_peer_start(&(http_peer_options){.serve = echo, .ctx = &came});
    char id[64];
    make_world(w);
    cli_world_write(w, "catena.yaml",
                    "store: sqlite:agency.db\nsecrets: {TOKEN: {file: secret.txt}}\n"
                    "egress: {allowPrivate: [127.0.0.1]}\n"
                    "servers:\n  gossip: {command: '%s', trusted: true}\n",
                    gossip());
    cli_world_write(
        w, "sent.yaml",
        "id: sent\nsteps:\n"
        "  - {stepName: web, instructionSet: web, outputVariables: [all], inputTemplate: 'in {secret.TOKEN}',\n"
        "     cache: {ttlMs: 60000, allowWrites: true}, noUndo: x, retryConfig: {maxRetries: 0}}\n"
        "  - {stepName: refuse, instructionSet: refuse, onError: continue, noUndo: x}\n"
        "  - {stepName: tool, instructionSet: tool, outputVariables: {told: heard}}\n"
        "  - {stepName: bad, instructionSet: bad, onError: continue}\n"
        "  - {stepName: own, instructionSet: own, outputVariables: {own: k}}\n"
        "  - {stepName: print, instructionSet: print, outputVariables: [printed]}\n"
        "instructionSets:\n"
        "  web: {http: {url: '%s/a/{secret.TOKEN}?k={secret.TOKEN}', query: {q: '{secret.TOKEN}'}, result: response,\n"
        "    headers: {X-Key: '{secret.TOKEN}', Authorization: 'Bearer {secret.TOKEN}'},\n"
        "    body: {k: ['{secret.TOKEN}'], i: '{input}'}}}\n"
        "  refuse: {http: {method: POST, url: '%s/refuse/{secret.TOKEN}', headers: {X-Key: '{secret.TOKEN}'}}}\n"
        "  tool: {tool: gossip/hear, effect: idempotent, arguments: {text: 'x{secret.TOKEN}y'}}\n"
        "  bad: {tool: gossip/refuse, effect: idempotent, arguments: {text: '{secret.TOKEN}'}}\n"
        "  own: {native: noop, effect: none, arguments: {k: '{secret.TOKEN}'}}\n"
        "  print: {effect: read, command: {argv: [printenv, KEY], env: {KEY: '{secret.TOKEN}'}}}\n",
        http_peer_url(peer), http_peer_url(peer));
    clean(w, 0, catena(w, "run", "sent.yaml", NULL));
    assert_int_equal(came, 2);
    assert_out(w, "(secret TOKEN)");
    json_text(w->said.out, "executionId", id);
    look_at(w, id, "all");
    assert_exit(w, catena(w, "history", id, NULL), 0);
    assert_out(w, "{secret.TOKEN}");
    clean(w, 0, catena(w, "export", id, "-o", "sent.export", NULL));
    /* It is not there when a call needs it: the sentence names it and not its file. */
    assert_exit(w, shell(w, "rm secret.txt"), 0);
    assert_exit(w, catena(w, "run", "sent.yaml", NULL), 1);
    assert_out(w, "the secret TOKEN cannot be read now");
    assert_lacks(w->said.out, "secret.txt");
    /* Nobody knows it: nothing starts. */
    cli_world_write(w, "catena.yaml", "store: sqlite:agency.db\nsecrets: {TOKENS: {file: secret.txt}}\n");
    assert_exit(w, catena(w, "check", "sent.yaml", NULL), 2);
    assert_out(w, "`secrets` names no TOKEN; did you mean");
    cli_world_write(w, "web.yaml",
                    "id: web\nsteps: [{stepName: a, instructionSet: a, inputTemplate: '{secret.TOKEN}'}]\n"
                    "instructionSets: {a: {native: noop, effect: none}}\n");
    assert_exit(w, catena(w, "run", "web.yaml", NULL), 2);
    assert_err(w, "`secrets` names no TOKEN");
    http_peer_stop(peer);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        CLI_TEST(the_search_finds_what_is_there),
        CLI_TEST(nothing_sensitive_is_in_anything_that_was_written),
        CLI_TEST(failures_do_not_tell_what_a_call_was_given),
        CLI_TEST(a_secret_is_taken_out_of_all_that_comes_back),
        CLI_TEST(the_key_is_guarded_and_missed),
        CLI_TEST(a_client_is_forgotten_by_a_label),
        CLI_TEST(a_client_is_forgotten_by_ids_and_by_an_input),
        CLI_TEST(nothing_is_in_what_a_killed_owner_leaves),
        CLI_TEST(a_secret_that_calls_are_sent_is_written_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
