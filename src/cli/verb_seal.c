/*
 * verb_seal.c -- `store rekey` and `store shred`.
 *
 * Both work beside an owner. A shred is of whole trees: an execution with all sub-chains, each ended; the owner has let
 * go of what has ended, and nothing of it is written any more.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/audit.h"
#include "host/credentials.h"
#include "host/keyring.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* After a rekey an owner may still be writing a data key that it made with the key before; not for longer than this. */
#define DROP_AFTER_MS 10000
#define SHRED_TRIES   25
#define SHRED_WAIT_MS 200

static int open_store(ctn_cli *cli, ctn_workspace *ws, ctn_store **ret_store)
{
    ctn_err err = {0};
    int exit_code = ctn_cli_workspace(cli, ws);
    if (exit_code == CTN_EXIT_OK && ctn_store_open(ws->store_url, CTN_STORE_WRITE, ret_store, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    return exit_code;
}

/* ---- rekey ---- */

static int drop_old(const ctn_workspace *ws, ctn_store *store, const ctn_config_keyring *keyring, ctn_rekey *rekey,
                    ctn_err *err)
{
    ctn_store_lock *lock = NULL;
    int rc = ctn_store_lock_take(ws->store_url, &lock, NULL);
    int64_t age_ms = ctn_cli_now_ms() - ctn_config_keyring_changed_at_ms(keyring);
    if (rc && age_ms < DROP_AFTER_MS)
        return ctn_fail(
            err, CTN_E_BUSY,
            "%s was changed a moment ago, and the store's owner may still use an old key: try again in %d s",
            ctn_config_keyring_name(keyring), DROP_AFTER_MS / 1000);
    rc = ctn_seal_drop_old(ctn_config_keyring_seal(keyring), store, rekey, err);
    ctn_store_lock_release(lock);
    return rc;
}

/* Tokens of servers are sealed with a master key itself. */
static int reseal_credentials(ctn_cli *cli, const ctn_workspace *ws, ctn_err *err)
{
    ctn_credentials *credentials = ctn_credentials_new(ws->store_file, ws->config, ctn_cli_teller(cli));
    int rc = ctn_credentials_reseal(credentials, err);
    ctn_credentials_free(credentials);
    return rc;
}

static int tell_rekey(ctn_cli *cli, ctn_store *store, const ctn_config_keyring *keyring, const ctn_rekey *rekey)
{
    ctn_err err = {0};
    ctn_json_builder b = ctn_json_object(cli->arena);
    ctn_json_put_str(&b, "key", rekey->id);
    ctn_json_put_int(&b, "rewrapped", rekey->rewrapped);
    ctn_json_put_int(&b, "dropped", rekey->dropped);
    const ctn_json *told = ctn_json_finish(&b);
    if (ctn_audit(store, "keys.rekey", rekey->id, told, &err))
        return ctn_cli_fail_err(cli, &err);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        ctn_result_print(cli, told);
    ctn_cli_say(cli, "%" PRId64 " data keys were wrapped anew; the newest key of %s is %.*s", rekey->rewrapped,
                ctn_config_keyring_name(keyring), CTN_STR_ARG(rekey->id));
    if (rekey->dropped)
        ctn_cli_say(cli, "%u old keys were removed from it; backups made before need a copy of it from then",
                    rekey->dropped);
    return CTN_EXIT_OK;
}

static int run_store_rekey(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_config_keyring *keyring = NULL;
    ctn_rekey rekey = {0}, dropped = {0};
    ctn_err err = {0};
    bool drops = ctn_opt_is_given(cli, CTN_OPT_DROP_OLD);
    int exit_code = open_store(cli, &ws, &store);
    if (exit_code)
        return exit_code;
    keyring = ctn_config_keyring_new(ws.config, ctn_cli_teller(cli));
    if (!keyring) {
        exit_code =
            ctn_cli_fail(cli, "nothing is sealed here: write `sealing: {key: {file: catena.key}}` into catena.yaml");
        goto done;
    }
    int rc = ctn_seal_rekey(ctn_config_keyring_seal(keyring), store, !drops, cli->arena, &rekey, &err);
    if (rc == CTN_OK)
        rc = reseal_credentials(cli, &ws, &err);
    if (rc == CTN_OK && drops)
        rc = drop_old(&ws, store, keyring, &dropped, &err);
    rekey.dropped = dropped.dropped;
    exit_code = rc ? ctn_cli_fail_err(cli, &err) : tell_rekey(cli, store, keyring, &rekey);
done:
    ctn_config_keyring_free(keyring);
    ctn_store_close(store);
    return exit_code;
}

const ctn_verb ctn_verb_store_rekey = {
    .name = "store rekey",
    .operands = "",
    .summary = "Make a new master key for sensitive values, and wrap every execution's key with it",
    .details = "Runs beside the store's owner. The old keys stay in the key file until a second run with --drop-old,\n"
               "which adds none and removes those that wrap nothing any more. Keep a copy of the file.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(DROP_OLD),
    .run = run_store_rekey,
};

/* ---- shred ---- */

typedef struct shredding {
    ctn_cli *cli;
    ctn_store *store;
    ctn_str name, value; /* of the label; empty: by id */
    int64_t *exec_nos;
    size_t count, capacity;
    size_t tree_count, left_count; /* whole trees; those with something unfinished */
    int rc;
    ctn_err *err;
} shredding;

static void add_no(shredding *s, int64_t exec_no)
{
    s->exec_nos = ctn_arena_room(s->cli->arena, s->exec_nos, s->count, &s->capacity, sizeof *s->exec_nos);
    s->exec_nos[s->count++] = exec_no;
}

typedef struct children {
    ctn_arena *arena;
    ctn_execution_id *ids;
    size_t count, capacity;
} children;

static int take_child(void *ctx, const ctn_record *record, int64_t position)
{
    children *c = ctx;
    const ctn_json *body = NULL;
    ctn_execution_id id;
    (void) position;
    if (record->kind != CTN_ENTRY_CHILD_STARTED || ctn_json_parse(c->arena, record->body, NULL, &body, NULL) ||
        ctn_id_parse(ctn_json_str_or(body, "child", CTN_STR("")), &id, NULL))
        return 0;
    c->ids = ctn_arena_room(c->arena, c->ids, c->count, &c->capacity, sizeof *c->ids);
    c->ids[c->count++] = id;
    return 0;
}

/* The execution and all below it; false: something of it has not ended. */
static bool add_tree(shredding *s, const ctn_execution_row *row, uint32_t depth)
{
    if (!ctn_status_is_final(row->status))
        return false;
    children c = {.arena = s->cli->arena};
    add_no(s, row->exec_no);
    s->rc = ctn_store_journal_read(s->store, row->exec_no, 1, take_child, &c, s->err);
    bool is_whole = true;
    for (size_t i = 0; s->rc == CTN_OK && is_whole && i < c.count && depth < 128; i++) {
        ctn_execution_row child;
        int rc = ctn_store_execution_get(s->store, s->cli->arena, c.ids[i], &child, s->err);
        if (rc == CTN_OK)
            is_whole = add_tree(s, &child, depth + 1);
        else if (rc != CTN_E_NOT_FOUND) /* it never came to be, or retention has taken it */
            s->rc = rc;
    }
    return is_whole;
}

static int take_root(shredding *s, const ctn_execution_row *row)
{
    size_t before = s->count;
    bool is_whole = add_tree(s, row, 0);
    if (is_whole)
        s->tree_count++;
    else {
        s->left_count++;
        s->count = before;
    }
    return s->rc;
}

static int on_labelled(void *ctx, const ctn_execution_row *row)
{
    shredding *s = ctx;
    const ctn_json *labels = NULL;
    if (!ctn_id_is_none(row->parent) || !row->labels.len ||
        ctn_json_parse(s->cli->arena, row->labels, NULL, &labels, NULL) ||
        !ctn_str_equal(ctn_json_text(ctn_json_get(labels, s->name)), s->value))
        return 0;
    return take_root(s, row);
}

static int find_what(shredding *s, const ctn_workspace *ws)
{
    ctn_cli *cli = s->cli;
    const char *label = cli->args.values[CTN_OPT_LABEL];
    if (!label == !cli->args.word_count)
        return ctn_cli_fail(cli, "shred takes an execution's ID, or --label NAME=VALUE for all that have it");
    if (label) {
        s->value = ctn_str_from(label);
        s->name = ctn_str_cut(&s->value, '=');
        if (!s->value.ptr || !s->name.len)
            return ctn_cli_fail(cli, "--label takes NAME=VALUE, not \"%s\"", label);
        ctn_execution_filter all = {0};
        int rc = ctn_store_execution_list(s->store, &all, on_labelled, s, s->err);
        return rc || s->rc ? ctn_cli_fail_err(cli, s->err) : CTN_EXIT_OK;
    }
    ctn_execution_row row;
    int exit_code = ctn_cli_execution(cli, ws, s->store, &row);
    if (exit_code)
        return exit_code;
    if (!ctn_id_is_none(row.parent))
        return ctn_cli_fail(cli, "%s is a sub-chain's: shred the execution that it belongs to, %s",
                            ctn_id_to_text(row.id).text, ctn_id_to_text(row.parent).text);
    if (take_root(s, &row))
        return ctn_cli_fail_err(cli, s->err);
    if (s->left_count)
        return ctn_cli_fail(cli, "%s is %s%s: only what has ended, with all sub-chains, can be shredded",
                            ctn_id_to_text(row.id).text, ctn_status_name(row.status),
                            ctn_status_is_final(row.status) ? ", and a sub-chain of it has not ended" : "");
    return CTN_EXIT_OK;
}

/* Readers may hold the log for a moment. */
static int shred(shredding *s)
{
    struct timespec pause = {.tv_nsec = SHRED_WAIT_MS * 1000000L};
    int rc = CTN_E_BUSY;
    for (int i = 0; rc == CTN_E_BUSY && i < SHRED_TRIES; i++) {
        if (i)
            (void) nanosleep(&pause, NULL);
        rc = ctn_store_data_key_shred(s->store, s->exec_nos, s->count, s->err);
    }
    return rc;
}

static int shred_all(shredding *s)
{
    ctn_cli *cli = s->cli;
    ctn_str subject = s->name.len ? CTN_STR("label") : ctn_word(cli, 0);
    ctn_json_builder b = ctn_json_object(cli->arena);
    ctn_json_put_int(&b, "executions", (int64_t) s->count);
    ctn_json_put_int(&b, "trees", (int64_t) s->tree_count);
    ctn_json_put_int(&b, "left", (int64_t) s->left_count);
    const ctn_json *told = ctn_json_finish(&b);
    if (ctn_audit(s->store, "values.shred", subject, told, s->err) || (s->count && shred(s)))
        return ctn_cli_fail_err(cli, s->err);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        ctn_result_print(cli, told);
    ctn_cli_say(cli, "the sensitive values of %zu executions can be read by nobody any more", s->tree_count);
    if (s->left_count)
        ctn_cli_say(cli, "%zu with that label have not ended and were left: shred again when they have", s->left_count);
    return s->left_count ? CTN_EXIT_ENDED : CTN_EXIT_OK;
}

static int run_store_shred(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_err err = {0};
    shredding s = {.cli = cli, .err = &err};
    int exit_code = open_store(cli, &ws, &s.store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = find_what(&s, &ws);
    if (exit_code == CTN_EXIT_OK)
        exit_code = shred_all(&s);
    ctn_store_close(s.store);
    return exit_code;
}

const ctn_verb ctn_verb_store_shred = {
    .name = "store shred",
    .operands = "ID | --label NAME=VALUE",
    .summary = "Make the sensitive values of ended executions unreadable, for good",
    .details =
        CTN_ABOUT_ID "\nThe key of each execution, of its sub-chains too, is deleted, and its bytes with it. The\n"
                     "journal stays whole and verifies. Reruns, forks and what onFailure started are executions of\n"
                     "their own; --label finds all that have it. Exit 1 when some with the label have not ended.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(LABEL),
    .words_max = 1,
    .run = run_store_shred,
};
