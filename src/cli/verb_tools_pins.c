/*
 * verb_tools_pins.c -- `tools diff` and `tools accept`: tools that chains rely on, as they were pinned and as their
 * servers list them now.
 */
#include "cli/named.h"
#include "cli/remote.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/audit.h"
#include "host/files.h"
#include "host/prepare.h"
#include "host/tool_pins.h"
#include <stdio.h>

#define ABOUT_PINS                                                                                                     \
    "A tool is pinned, as its server lists it, when a chain that uses it is imported or first run.\n"                  \
    "A change is compatible, or narrowing (calls that went well may fail), or of another meaning."

/* The pins that are meant, and how their tools are listed now. */
typedef struct compared {
    ctn_tool_pin pin;
    const char *fault; /* NULL: its server was asked */
    ctn_tool_now now;
    ctn_changes changes;
} compared;

typedef struct comparing {
    ctn_cli *cli;
    ctn_workspace ws;
    compared *all;
    size_t count;
} comparing;

static bool is_same(const compared *c)
{
    return memcmp(&c->now.digest, &c->pin.digest, sizeof c->pin.digest) == 0;
}

static ctn_str server_of(ctn_str target)
{
    return ctn_str_cut(&target, '/');
}

static bool is_meant(ctn_str what, ctn_str target)
{
    return !what.len || ctn_str_equal(what, target) || ctn_str_equal(what, server_of(target));
}

static int read_pins(comparing *c, ctn_str what)
{
    ctn_cli *cli = c->cli;
    ctn_tool_pin *pins = NULL;
    size_t count = 0;
    ctn_err err = {0};
    ctn_store *store = NULL;
    int exit_code = ctn_cli_workspace(cli, &c->ws);
    if (exit_code)
        return exit_code;
    if (c->ws.store_file.len && !ctn_file_is_there(cli->arena, c->ws.store_file))
        return CTN_EXIT_OK;
    exit_code = ctn_cli_read_store(cli, &c->ws, &store);
    if (exit_code == CTN_EXIT_OK && ctn_tool_pins_read(store, cli->arena, &pins, &count, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    ctn_store_close(store);
    c->all = CTN_NEW_ARRAY(cli->arena, compared, count);
    for (size_t i = 0; i < count; i++)
        if (is_meant(what, pins[i].target))
            c->all[c->count++].pin = pins[i];
    return exit_code;
}

static int ask_servers(comparing *c)
{
    ctn_cli *cli = c->cli;
    ctn_err err = {0};
    ctn_names names;
    ctn_drivers *drivers;
    ctn_names_init(&names, cli->arena);
    for (size_t i = 0; i < c->count; i++)
        (void) ctn_names_add(&names, server_of(c->all[i].pin.target));
    const char **whys = CTN_NEW_ARRAY(cli->arena, const char *, names.count);
    ctn_host *host = ctn_cli_host(cli, &c->ws);
    int rc = ctn_prepare_servers(host, names.items, names.count, whys, &err);
    if (rc == CTN_OK)
        rc = ctn_host_drivers(host, &drivers, &err);
    for (size_t i = 0; rc == CTN_OK && i < c->count; i++) {
        compared *one = &c->all[i];
        one->fault = whys[ctn_names_find(&names, server_of(one->pin.target))];
        one->changes.arena = cli->arena;
        if (!one->fault &&
            !ctn_tool_now_of(ctn_drivers_tools(drivers), one->pin.target, &one->pin.digest, cli->arena, &one->now))
            one->fault = "it lists no tools";
        if (!one->fault && !is_same(one))
            ctn_tool_pin_changes(&one->pin, one->now.definition, &one->changes);
    }
    ctn_host_close(host);
    if (rc == CTN_E_CLOSED)
        return CTN_EXIT_INTERRUPTED;
    return rc ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

static int compare(comparing *c, ctn_str what)
{
    int exit_code = read_pins(c, what);
    if (exit_code == CTN_EXIT_OK && c->count == 0 && what.len)
        return ctn_cli_fail(c->cli, "no tool of \"%.*s\" is pinned: none was used by a chain that was imported or run",
                            CTN_STR_ARG(what));
    return exit_code || c->count == 0 ? exit_code : ask_servers(c);
}

/* Each server once, on stderr. */
static int tell_faults(const comparing *c)
{
    int exit_code = CTN_EXIT_OK;
    for (size_t i = 0; i < c->count; i++) {
        ctn_str server = server_of(c->all[i].pin.target);
        if (c->all[i].fault && (i == 0 || !ctn_str_equal(server, server_of(c->all[i - 1].pin.target))))
            exit_code = ctn_cli_fail_server(c->cli, server, c->all[i].fault);
    }
    return exit_code;
}

/* ---- diff ---- */

static const char *held_word(ctn_hold_kind kind)
{
    static const char *const WORDS[] = {"nothing", "new", "all"};
    return WORDS[kind];
}

static void print_json(const comparing *c)
{
    ctn_cli *cli = c->cli;
    ctn_json_builder list = ctn_json_array(cli->arena);
    for (size_t i = 0; i < c->count; i++) {
        const compared *one = &c->all[i];
        ctn_change_class worst = ctn_changes_worst(&one->changes);
        ctn_json_builder b = ctn_json_object(cli->arena), changes = ctn_json_array(cli->arena);
        for (size_t k = 0; k < one->changes.count; k++) {
            ctn_json_builder change = ctn_json_object(cli->arena);
            ctn_json_put_str(&change, "class", ctn_str_from(ctn_change_class_name(one->changes.items[k].class_)));
            ctn_json_put_str(&change, "change", one->changes.items[k].sentence);
            ctn_json_push(&changes, ctn_json_finish(&change));
        }
        ctn_json_put_str(&b, "tool", one->pin.target);
        ctn_json_put_str(&b, "class", ctn_str_from(one->fault ? "unknown" : ctn_change_class_name(worst)));
        ctn_json_put_str(&b, "holds", ctn_str_from(held_word(ctn_tool_hold(c->ws.config, one->pin.target, worst))));
        ctn_json_put(&b, CTN_STR("changes"), ctn_json_finish(&changes));
        ctn_json_put_time(&b, "pinnedAt", one->pin.pinned_at_ms);
        ctn_json_put_str(&b, "pinnedBy", one->pin.pinned_by);
        ctn_json_put(&b, CTN_STR("pinned"), ctn_told_parsed(cli->arena, one->pin.definition));
        ctn_json_put(&b, CTN_STR("listed"), ctn_told_parsed(cli->arena, one->now.definition));
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    ctn_result_print(cli, ctn_json_finish(&list));
}

static void print_changed(const comparing *c, const compared *one)
{
    static const char *const FOLLOWS[] = {"goes on", "executions of chains that use it are not begun",
                                          "it is not called"};
    ctn_cli *cli = c->cli;
    ctn_change_class worst = ctn_changes_worst(&one->changes);
    printf("%.*s  %s: %s\n", CTN_STR_ARG(ctn_text_clean(cli->arena, one->pin.target, 0)), ctn_change_class_name(worst),
           FOLLOWS[ctn_tool_hold(c->ws.config, one->pin.target, worst)]);
    for (size_t i = 0; i < one->changes.count; i++)
        printf("  %-10s  %.*s\n", ctn_change_class_name(one->changes.items[i].class_),
               CTN_STR_ARG(ctn_text_clean(cli->arena, one->changes.items[i].sentence, 300)));
    printf("  pinned %s by %.*s; to take it as it is now: %.*s\n", ctn_moment_text(one->pin.pinned_at_ms).text,
           CTN_STR_ARG(ctn_text_clean(cli->arena, one->pin.pinned_by, 60)),
           CTN_STR_ARG(ctn_cli_command(cli, "tools accept %.*s", CTN_STR_ARG(one->pin.target))));
}

static int run_tools_diff(ctn_cli *cli)
{
    comparing c = {.cli = cli};
    int exit_code = compare(&c, ctn_word(cli, 0));
    if (exit_code)
        return exit_code;
    size_t same = 0;
    bool is_worse = false;
    for (size_t i = 0; i < c.count; i++) {
        same += !c.all[i].fault && is_same(&c.all[i]);
        is_worse = is_worse || ctn_changes_worst(&c.all[i].changes) >= CTN_CHANGE_NARROWING;
    }
    exit_code = tell_faults(&c);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        print_json(&c);
    for (size_t i = 0; i < c.count && !ctn_opt_is_given(cli, CTN_OPT_JSON); i++)
        if (!c.all[i].fault && !is_same(&c.all[i]))
            print_changed(&c, &c.all[i]);
    (void) fflush(stdout);
    if (c.count == 0)
        ctn_cli_say(cli, "no tool is pinned: that is done when a chain is imported or first run");
    else if (same)
        ctn_cli_say(cli, "%zu of %zu pinned tools %s as %s pinned", same, c.count, same == 1 ? "is" : "are",
                    same == 1 ? "it was" : "they were");
    return exit_code ? exit_code : is_worse ? CTN_EXIT_ENDED : CTN_EXIT_OK;
}

const ctn_verb ctn_verb_tools_diff = {
    .name = "tools diff",
    .operands = "[SERVER[/TOOL]]",
    .summary = "Hold the tools that chains rely on against what their servers list now",
    .details =
        ABOUT_PINS "\nExit: 0 none has changed, or all compatibly; 1 one has otherwise; 2 a server cannot be asked.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET),
    .words_max = 1,
    .run = run_tools_diff,
};

/* ---- accept ---- */

/* On disk, and audited. That it is listed no more can be accepted, too. */
static int accept_one(ctn_cli *cli, ctn_store *store, const compared *one, ctn_err *err)
{
    ctn_tool_pin pin = ctn_tool_pin_of(one->pin.target, &one->now, ctn_cli_now_ms(), ctn_actor_name(cli->arena));
    pin.owes_resume = true; /* what was paused for it; whoever serves sees to it */
    int rc = ctn_store_tool_pin_put(store, &pin, 1, err);
    if (rc)
        return rc;
    ctn_json_builder detail = ctn_json_object(cli->arena);
    ctn_json_put_str(&detail, "class", ctn_str_from(ctn_change_class_name(ctn_changes_worst(&one->changes))));
    ctn_json_put_str(&detail, "from",
                     ctn_arena_str(cli->arena, ctn_str_from(ctn_digest_to_text(one->pin.digest).text)));
    ctn_json_put_str(&detail, "to", ctn_arena_str(cli->arena, ctn_str_from(ctn_digest_to_text(pin.digest).text)));
    rc = ctn_audit(store, "tools.accept", pin.target, ctn_json_finish(&detail), err);
    if (rc == CTN_OK)
        ctn_cli_say(cli, "%.*s is %s", CTN_STR_ARG(ctn_text_clean(cli->arena, pin.target, 0)),
                    one->now.is_listed ? "pinned as it is now" : "listed no more, and that is pinned");
    return rc;
}

static int run_tools_accept(ctn_cli *cli)
{
    comparing c = {.cli = cli};
    ctn_store *store = NULL;
    ctn_err err = {0};
    size_t changed = 0;
    int exit_code = compare(&c, ctn_word(cli, 0));
    if (exit_code == CTN_EXIT_OK)
        exit_code = tell_faults(&c);
    for (size_t i = 0; i < c.count; i++)
        changed += !c.all[i].fault && !is_same(&c.all[i]);
    if (exit_code || changed == 0) {
        if (exit_code == CTN_EXIT_OK)
            ctn_cli_say(cli, "nothing to accept: %.*s is as it was pinned", CTN_STR_ARG(ctn_word(cli, 0)));
        return exit_code;
    }
    int rc = ctn_store_open(c.ws.store_url, CTN_STORE_WRITE, &store, &err);
    for (size_t i = 0; rc == CTN_OK && i < c.count; i++)
        if (!is_same(&c.all[i]))
            rc = accept_one(cli, store, &c.all[i], &err);
    ctn_store_close(store);
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    if (ctn_remote_tell(cli, &c.ws, "pins"))
        ctn_cli_say(cli, "the store's owner knows it; what was paused for it goes on");
    else
        ctn_cli_say(cli, "what was paused for it goes on with `catena serve`, or `catena resume ID`");
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_tools_accept = {
    .name = "tools accept",
    .operands = "SERVER[/TOOL]",
    .summary = "Pin a tool that has changed as it is now, and let go on what was held for it",
    .details = ABOUT_PINS "\nWhat is accepted, by whom and when is in the audit log.",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(QUIET),
    .words_min = 1,
    .words_max = 1,
    .run = run_tools_accept,
};
