/*
 * verb_seal.c -- `store rekey` and `store shred`.
 *
 * Both work beside an owner. A shred is of whole trees: an execution with all sub-chains, each ended; the owner has let
 * go of what has ended, and nothing of it is written any more. With --whole it is also of the trees that go on from it
 * (reruns, forks, and theirs): what a program needs that knows an id and wants everything of it gone.
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
    ctn_str name, value; /* of the label, or of the input; empty: by id */
    bool is_input;
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

static bool has_member(ctn_arena *arena, ctn_str object, ctn_str name, ctn_str value)
{
    ctn_arena_mark mark = ctn_arena_save(arena);
    const ctn_json *members = NULL;
    bool has = object.len > 0 && ctn_json_parse(arena, object, NULL, &members, NULL) == CTN_OK &&
               ctn_str_equal(ctn_json_text(ctn_json_get(members, name)), value);
    ctn_arena_restore(arena, mark);
    return has;
}

static int on_labelled(void *ctx, const ctn_execution_row *row)
{
    shredding *s = ctx;
    if (!ctn_id_is_none(row->parent) || !has_member(s->cli->arena, row->labels, s->name, s->value))
        return 0;
    return take_root(s, row);
}

/* Of those that were started with an input many have nothing sensitive (the one that asks us to shred, perhaps): they
 * have no data key, and nothing to end for. */
static int on_started_with(void *ctx, const ctn_execution_row *row)
{
    shredding *s = ctx;
    ctn_data_key key;
    if (!ctn_id_is_none(row->parent) || !has_member(s->cli->arena, row->input, s->name, s->value))
        return 0;
    int rc = ctn_store_data_key_get(s->store, s->cli->arena, row->exec_no, &key, s->err);
    if (rc == CTN_E_NOT_FOUND)
        return 0;
    s->rc = rc;
    return rc ? rc : take_root(s, row);
}

/* ---- all that goes on from one ---- */

typedef struct trees {
    ctn_arena *arena;
    ctn_execution_id *ids;
    int64_t *nos;
    size_t count, ids_capacity, nos_capacity;
} trees;

static void add_tree_id(trees *t, const ctn_execution_row *row)
{
    t->ids = ctn_arena_room(t->arena, t->ids, t->count, &t->ids_capacity, sizeof *t->ids);
    t->nos = ctn_arena_room(t->arena, t->nos, t->count, &t->nos_capacity, sizeof *t->nos);
    t->ids[t->count] = row->id;
    t->nos[t->count++] = row->exec_no;
}

static int on_newer(void *ctx, const ctn_execution_row *row)
{
    if (!row->damage.len)
        add_tree_id(ctx, row);
    return 0;
}

/* The first record says from which execution this one goes on. */
typedef struct origin {
    ctn_arena *arena;
    ctn_execution_id id;
    bool is_there;
} origin;

static int take_origin(void *ctx, const ctn_record *record, int64_t position)
{
    origin *o = ctx;
    const ctn_json *body = NULL;
    (void) position;
    if (ctn_json_parse(o->arena, record->body, NULL, &body, NULL) == CTN_OK)
        o->is_there = ctn_id_parse(ctn_json_str_or(ctn_json_member_of(body, "from"), "execution", CTN_STR("")), &o->id,
                                   NULL) == CTN_OK;
    return 1; /* the first is enough */
}

static bool has_tree(const trees *t, ctn_execution_id id)
{
    for (size_t i = 0; i < t->count; i++)
        if (ctn_id_equal(t->ids[i], id))
            return true;
    return false;
}

/* What goes on from another is younger, so one walk from old to young finds those that go on from the found ones too.
 */
static int take_successors(shredding *s, const ctn_execution_row *root)
{
    trees found = {.arena = s->cli->arena}, newer = {.arena = s->cli->arena};
    ctn_execution_filter filter = {.roots_only = true, .after_exec_no = root->exec_no};
    add_tree_id(&found, root);
    int rc = ctn_store_execution_list(s->store, &filter, on_newer, &newer, s->err);
    for (size_t i = newer.count; !rc && i-- > 0;) {
        ctn_arena_mark mark = ctn_arena_save(s->cli->arena);
        origin o = {.arena = s->cli->arena};
        rc = ctn_store_journal_read(s->store, newer.nos[i], 1, take_origin, &o, s->err);
        rc = rc == 1 ? CTN_OK : rc;
        bool goes_on = !rc && o.is_there && has_tree(&found, o.id);
        ctn_arena_restore(s->cli->arena, mark);
        ctn_execution_row row;
        if (goes_on)
            rc = ctn_store_execution_by_no(s->store, s->cli->arena, newer.nos[i], &row, s->err);
        if (goes_on && !rc) {
            add_tree_id(&found, &row);
            rc = take_root(s, &row);
        }
    }
    return rc;
}

/* From anywhere in a tree; CTN_E_NOT_FOUND: it is no more. */
static int take_whole(shredding *s, ctn_execution_id id)
{
    ctn_execution_row row, parent;
    int rc = ctn_store_execution_get(s->store, s->cli->arena, id, &row, s->err);
    while (!rc && !ctn_id_is_none(row.parent)) {
        rc = ctn_store_execution_get(s->store, s->cli->arena, row.parent, &parent, s->err);
        if (!rc)
            row = parent;
    }
    if (!rc)
        rc = take_root(s, &row);
    return rc ? rc : take_successors(s, &row);
}

static int find_whole(shredding *s)
{
    ctn_execution_id id;
    ctn_cli *cli = s->cli;
    if (cli->args.values[CTN_OPT_LABEL] || cli->args.word_count != 1)
        return ctn_cli_fail(cli, "shred --whole takes an execution's ID");
    if (ctn_id_parse(ctn_word(cli, 0), &id, s->err))
        return ctn_cli_fail(cli, "shred --whole takes an ID in full: %s", s->err->message);
    int rc = take_whole(s, id);
    if (rc == CTN_E_NOT_FOUND) {
        ctn_cli_say(cli, "%s is not here any more: there is nothing to shred", ctn_id_to_text(id).text);
        rc = CTN_OK;
    }
    return rc ? ctn_cli_fail_err(cli, s->err) : CTN_EXIT_OK;
}

static int find_what(shredding *s, const ctn_workspace *ws)
{
    ctn_cli *cli = s->cli;
    const char *label = cli->args.values[CTN_OPT_LABEL], *input = cli->args.values[CTN_OPT_SET_INPUT];
    if (ctn_opt_is_given(cli, CTN_OPT_WHOLE))
        return find_whole(s);
    if (!!label + !!input + !!cli->args.word_count != 1)
        return ctn_cli_fail(cli, "shred takes one of: an execution's ID; --label NAME=VALUE, for all that have it; "
                                 "-i NAME=VALUE, for all that were started with this input");
    if (label || input) {
        s->is_input = input;
        s->value = ctn_str_from(label ? label : input);
        s->name = ctn_str_cut(&s->value, '=');
        if (!s->value.ptr || !s->name.len)
            return ctn_cli_fail(cli, "%s takes NAME=VALUE, not \"%s\"", label ? "--label" : "-i",
                                label ? label : input);
        ctn_execution_filter all = {0};
        int rc = ctn_store_execution_list(s->store, &all, label ? on_labelled : on_started_with, s, s->err);
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
    ctn_str subject = s->is_input ? CTN_STR("input") : s->name.len ? CTN_STR("label") : ctn_word(cli, 0);
    ctn_json_builder b = ctn_json_object(cli->arena);
    ctn_json_put_int(&b, "executions", (int64_t) s->count);
    ctn_json_put_int(&b, "trees", (int64_t) s->tree_count);
    ctn_json_put_int(&b, "left", (int64_t) s->left_count);
    const ctn_json *told = ctn_json_finish(&b);
    if (ctn_audit(s->store, "values.shred", subject, told, s->err) || (s->count && shred(s)))
        return ctn_cli_fail_err(cli, s->err);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        ctn_result_print(cli, told);
    if (s->tree_count || !s->left_count)
        ctn_cli_say(cli, "the sensitive values of %zu executions can be read by nobody any more", s->tree_count);
    if (s->left_count)
        ctn_cli_say(cli, "%zu %s not ended and %s left: shred again when %s", s->left_count,
                    s->left_count == 1 ? "has" : "have", s->left_count == 1 ? "was" : "were",
                    s->left_count == 1 ? "it has" : "they have");
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
    .operands = "ID | --label NAME=VALUE | -i NAME=VALUE",
    .summary = "Make the sensitive values of ended executions unreadable, for good",
    .details =
        CTN_ABOUT_ID "\nThe key of each execution, of its sub-chains too, is deleted, and its bytes with it. The\n"
                     "journal stays whole and verifies. Reruns, forks and what onFailure started are executions of\n"
                     "their own; --label finds all that have it, -i all that were started with an input (which must\n"
                     "not be sensitive itself), --whole those that go on from ID, which may be a sub-chain's and may\n"
                     "be no more. Exit 1 when some of them have not ended: those were left.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(LABEL) | CTN_OPT_BIT(SET_INPUT) | CTN_OPT_BIT(WHOLE),
    .words_max = 1,
    .run = run_store_shred,
};
