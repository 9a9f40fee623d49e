/*
 * verb_token.c -- `token create|list|revoke` and `principal list|grant|ungrant|remove`: who may do what.
 *
 * They write to the store themselves, beside an owner: it notices within a second (host/access.h).
 */
#include "cli/named.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/principals.h"
#include <stdio.h>

#define ABOUT_GRANTS                                                                                                   \
    "A role (--role) gives many actions, --grant one. --chain and --label narrow those of them that are about "        \
    "chains.\n"                                                                                                        \
    "A server that is running notices within a second. Who did it, and when, is in the audit log."

typedef struct doing {
    ctn_cli *cli;
    ctn_workspace ws;
    ctn_store *store;
    ctn_caller by;
    ctn_doer doer;
    ctn_grant *grants;
    size_t grant_count;
} doing;

static int begin(ctn_cli *cli, ctn_store_mode mode, doing *d)
{
    ctn_err err = {0};
    *d = (doing){.cli = cli, .by = ctn_caller_local(cli->arena, "cli")};
    int exit_code = ctn_cli_workspace(cli, &d->ws);
    if (exit_code)
        return exit_code;
    int rc = ctn_store_open(d->ws.store_url, mode, &d->store, &err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_cli_fail(cli, "%s; --store sqlite:FILE names another", err.message);
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    d->doer = (ctn_doer){.store = d->store, .config = d->ws.config, .by = &d->by, .now_ms = ctn_cli_now_ms()};
    return CTN_EXIT_OK;
}

static ctn_str value_of(const ctn_cli *cli, ctn_opt opt)
{
    return ctn_str_from(cli->args.values[opt]);
}

/* --role and --grant, narrowed by --chain and --label as far as they can be. */
static int read_grants(doing *d)
{
    ctn_cli *cli = d->cli;
    ctn_str chain = value_of(cli, CTN_OPT_CHAIN), label = value_of(cli, CTN_OPT_LABEL), none = {0};
    bool is_narrowed = chain.len || label.len, was_narrowed = false;
    ctn_err err = {0};
    d->grants = CTN_NEW_ARRAY(cli->arena, ctn_grant, cli->args.given_count);
    for (size_t i = 0; i < cli->args.given_count; i++) {
        ctn_opt opt = cli->args.given[i].opt;
        if (opt != CTN_OPT_ROLE && opt != CTN_OPT_GRANT)
            continue;
        ctn_grant *grant = &d->grants[d->grant_count];
        ctn_access_role role;
        ctn_str what = ctn_str_from(cli->args.given[i].value);
        if ((opt == CTN_OPT_ROLE) != ctn_access_role_from_name(what, &role))
            return ctn_cli_fail(cli, "\"%.*s\" is %s", CTN_STR_ARG(what),
                                opt == CTN_OPT_ROLE ? "no role: there are viewer, operator, author and admin"
                                                    : "a role: --role");
        if (ctn_grant_parse(what, none, none, grant, &err))
            return ctn_cli_fail_err(cli, &err);
        if (is_narrowed && ctn_grant_can_be_narrowed(grant)) {
            if (ctn_grant_parse(what, chain, label, grant, &err))
                return ctn_cli_fail_err(cli, &err);
            was_narrowed = true;
        }
        d->grant_count++;
    }
    if (is_narrowed && !was_narrowed)
        return ctn_cli_fail(cli, "--chain and --label narrow a --role or a --grant that is about chains");
    return CTN_EXIT_OK;
}

/* ---- token create ---- */

static int read_expiry(const ctn_cli *cli, int64_t now_ms, int64_t *ret_at_ms)
{
    const char *span = cli->args.values[CTN_OPT_EXPIRES];
    int64_t span_ms = 0;
    if (span && (!ctn_retention_span(ctn_str_from(span), &span_ms) || span_ms == 0))
        return ctn_cli_fail(cli, "\"%s\" is no span of time: write a number and s, m, h or d, like --expires 90d",
                            span);
    *ret_at_ms = span ? now_ms + span_ms : 0;
    return CTN_EXIT_OK;
}

static int run_token_create(ctn_cli *cli)
{
    doing d;
    ctn_err err = {0};
    ctn_api_key key;
    int exit_code = begin(cli, CTN_STORE_CREATE, &d);
    if (exit_code == CTN_EXIT_OK)
        exit_code = read_grants(&d);
    ctn_principal_wish wish = {.name = ctn_word(cli, 0),
                               .tenant = value_of(cli, CTN_OPT_TENANT),
                               .is_service = ctn_opt_is_given(cli, CTN_OPT_SERVICE),
                               .grants = d.grants,
                               .grant_count = d.grant_count,
                               .has_key = true};
    if (exit_code == CTN_EXIT_OK)
        exit_code = read_expiry(cli, d.doer.now_ms, &wish.expires_at_ms);
    if (exit_code == CTN_EXIT_OK && ctn_principal_make(&d.doer, &wish, &key, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    else if (exit_code == CTN_EXIT_OK) {
        if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
            ctn_json_builder b = ctn_json_object(cli->arena);
            ctn_json_put_str(&b, "principal", wish.name);
            ctn_json_put_str(&b, "id", ctn_str_from(key.id));
            ctn_json_put_str(&b, "key", ctn_str_from(key.text));
            ctn_json_put_time(&b, "expiresAt", wish.expires_at_ms);
            ctn_result_print(cli, ctn_json_finish(&b));
        } else
            printf("%s\n", key.text);
        ctn_cli_say(cli, "this is the only time that it is shown; `%.*s` ends it",
                    CTN_STR_ARG(ctn_cli_command(cli, "token revoke %s", key.id)));
        explicit_bzero(&key, sizeof key);
    }
    ctn_store_close(d.store);
    return exit_code;
}

const ctn_verb ctn_verb_token_create = {
    .name = "token create",
    .operands = "PRINCIPAL",
    .summary = "Make an API key for a principal, and the principal if it is not there",
    .details = "The key is printed once, on stdout; the store keeps its hash.\n" ABOUT_GRANTS,
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(ROLE) | CTN_OPT_BIT(GRANT) | CTN_OPT_BIT(CHAIN) |
               CTN_OPT_BIT(LABEL) | CTN_OPT_BIT(TENANT) | CTN_OPT_BIT(EXPIRES) | CTN_OPT_BIT(SERVICE),
    .words_min = 1,
    .words_max = 1,
    .run = run_token_create,
};

/* ---- token list ---- */

typedef struct listing {
    ctn_cli *cli;
    ctn_json_builder list;
    size_t count;
    bool is_json;
} listing;

static listing listing_of(ctn_cli *cli)
{
    return (listing){.cli = cli, .list = ctn_json_array(cli->arena), .is_json = ctn_opt_is_given(cli, CTN_OPT_JSON)};
}

static void print_heads(const listing *l, const char *heads)
{
    printf("%s%s%s\n", ctn_colour_code(&l->cli->out, CTN_COLOUR_DIM), heads,
           ctn_colour_code(&l->cli->out, CTN_COLOUR_NONE));
}

static const char *state_of(const ctn_api_key_row *row)
{
    int64_t now_ms = ctn_cli_now_ms();
    return row->revoked_at_ms ? "revoked" : row->expires_at_ms && row->expires_at_ms <= now_ms ? "expired" : "good";
}

static const char *moment_or(ctn_arena *arena, int64_t at_ms, const char *otherwise)
{
    return at_ms ? ctn_arena_printf(arena, "%s", ctn_moment_text(at_ms).text).ptr : otherwise;
}

static int print_key(void *ctx, const ctn_api_key_row *row)
{
    listing *l = ctx;
    ctn_arena *arena = l->cli->arena;
    if (!l->is_json) {
        if (l->count++ == 0)
            print_heads(
                l, "ID            STATE    CREATED              EXPIRES              LAST USED            PRINCIPAL");
        printf("%.*s  %-7s  %s  %-19s  %-19s  %.*s\n", CTN_STR_ARG(row->id), state_of(row),
               ctn_moment_text(row->created_at_ms).text, moment_or(arena, row->expires_at_ms, "-"),
               moment_or(arena, row->used_at_ms, "-"), CTN_STR_ARG(row->principal));
        return 0;
    }
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "id", ctn_arena_str(arena, row->id));
    ctn_json_put_str(&b, "principal", ctn_arena_str(arena, row->principal));
    ctn_json_put_str(&b, "state", ctn_str_from(state_of(row)));
    ctn_json_put_time(&b, "createdAt", row->created_at_ms);
    ctn_json_put_str(&b, "createdBy", ctn_arena_str(arena, row->created_by));
    ctn_json_put_time(&b, "expiresAt", row->expires_at_ms);
    ctn_json_put_time(&b, "usedAt", row->used_at_ms);
    ctn_json_put_time(&b, "revokedAt", row->revoked_at_ms);
    ctn_json_push(&l->list, ctn_json_finish(&b));
    return 0;
}

static int run_token_list(ctn_cli *cli)
{
    doing d;
    ctn_err err = {0};
    listing l = listing_of(cli);
    int exit_code = begin(cli, CTN_STORE_READ, &d);
    if (exit_code)
        return exit_code;
    if (ctn_store_api_key_list(d.store, print_key, &l, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    else if (l.is_json)
        ctn_result_print(cli, ctn_json_finish(&l.list));
    else if (l.count == 0)
        ctn_cli_say(cli, "there is no API key in %.*s; `%.*s` makes one", CTN_STR_ARG(d.ws.store_name),
                    CTN_STR_ARG(ctn_cli_command(cli, "token create NAME --role operator")));
    ctn_store_close(d.store);
    return exit_code;
}

const ctn_verb ctn_verb_token_list = {
    .name = "token list",
    .operands = "",
    .summary = "List API keys: whose, until when, last used (to the hour)",
    .details = "Revoked ones stay in the list. What their principals may do: `catena principal list`.",
    .options = CTN_OPTS_READ,
    .run = run_token_list,
};

/* ---- those that change one thing ---- */

static int run_token_revoke(ctn_cli *cli)
{
    doing d;
    ctn_err err = {0};
    int exit_code = begin(cli, CTN_STORE_WRITE, &d);
    if (exit_code)
        return exit_code;
    if (ctn_key_revoke(&d.doer, ctn_word(cli, 0), &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    else
        ctn_cli_say(cli, "revoked: a server that is running refuses it within a second");
    ctn_store_close(d.store);
    return exit_code;
}

const ctn_verb ctn_verb_token_revoke = {
    .name = "token revoke",
    .operands = "ID",
    .summary = "End an API key, by its id (the part between ctn_ and the next _)",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(QUIET),
    .words_min = 1,
    .words_max = 1,
    .run = run_token_revoke,
};

static int change_grants(ctn_cli *cli, bool gives)
{
    doing d;
    ctn_err err = {0};
    int exit_code = begin(cli, gives ? CTN_STORE_CREATE : CTN_STORE_WRITE, &d);
    if (exit_code == CTN_EXIT_OK)
        exit_code = read_grants(&d);
    if (exit_code == CTN_EXIT_OK &&
        (gives ? ctn_principal_grant : ctn_principal_ungrant)(&d.doer, ctn_word(cli, 0), d.grants, d.grant_count, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    else if (exit_code == CTN_EXIT_OK)
        ctn_cli_say(cli, "%.*s %s", CTN_STR_ARG(ctn_word(cli, 0)), gives ? "has it" : "has it no more");
    ctn_store_close(d.store);
    return exit_code;
}

static int run_principal_grant(ctn_cli *cli)
{
    return change_grants(cli, true);
}

static int run_principal_ungrant(ctn_cli *cli)
{
    return change_grants(cli, false);
}

#define GRANT_OPTIONS                                                                                                  \
    CTN_OPTS_PLACE | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(ROLE) | CTN_OPT_BIT(GRANT) | CTN_OPT_BIT(CHAIN) |                \
        CTN_OPT_BIT(LABEL)

const ctn_verb ctn_verb_principal_grant = {
    .name = "principal grant",
    .operands = "PRINCIPAL",
    .summary = "Let somebody do more: also who holds a token of catena.yaml, or comes from an issuer",
    .details = ABOUT_GRANTS,
    .options = GRANT_OPTIONS,
    .words_min = 1,
    .words_max = 1,
    .run = run_principal_grant,
};

const ctn_verb ctn_verb_principal_ungrant = {
    .name = "principal ungrant",
    .operands = "PRINCIPAL",
    .summary = "Take a grant back: said as it was granted",
    .details = ABOUT_GRANTS,
    .options = GRANT_OPTIONS,
    .words_min = 1,
    .words_max = 1,
    .run = run_principal_ungrant,
};

static int run_principal_remove(ctn_cli *cli)
{
    doing d;
    ctn_err err = {0};
    int exit_code = begin(cli, CTN_STORE_WRITE, &d);
    if (exit_code)
        return exit_code;
    if (ctn_principal_remove(&d.doer, ctn_word(cli, 0), &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    else
        ctn_cli_say(cli, "removed, with its grants; its keys are revoked");
    ctn_store_close(d.store);
    return exit_code;
}

const ctn_verb ctn_verb_principal_remove = {
    .name = "principal remove",
    .operands = "PRINCIPAL",
    .summary = "Remove a principal with its grants, and revoke its keys",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(QUIET),
    .words_min = 1,
    .words_max = 1,
    .run = run_principal_remove,
};

/* ---- principal list ---- */

/* Both lists are read before anything is told: grants belong to names, also to such as are no principals. */
typedef struct known {
    ctn_arena *arena;
    ctn_principal_row *principals;
    ctn_grant_row *grants;
    size_t principal_count, principal_capacity, grant_count, grant_capacity;
} known;

static int take_principal(void *ctx, const ctn_principal_row *row)
{
    known *k = ctx;
    k->principals = ctn_arena_room(k->arena, k->principals, k->principal_count, &k->principal_capacity, sizeof *row);
    ctn_principal_row *kept = &k->principals[k->principal_count++];
    *kept = *row;
    kept->name = ctn_arena_str(k->arena, row->name);
    kept->tenant = ctn_arena_str(k->arena, row->tenant);
    kept->created_by = ctn_arena_str(k->arena, row->created_by);
    return 0;
}

static int take_grant(void *ctx, const ctn_grant_row *row)
{
    known *k = ctx;
    k->grants = ctn_arena_room(k->arena, k->grants, k->grant_count, &k->grant_capacity, sizeof *row);
    ctn_grant_row *kept = &k->grants[k->grant_count++];
    *kept = *row;
    kept->principal = ctn_arena_str(k->arena, row->principal);
    kept->what = row->set.len ? ctn_arena_printf(k->arena, "%.*s:%.*s", CTN_STR_ARG(row->what), CTN_STR_ARG(row->set))
                              : ctn_arena_str(k->arena, row->what);
    kept->chain = ctn_arena_str(k->arena, row->chain);
    kept->label = ctn_arena_str(k->arena, row->label);
    kept->granted_by = ctn_arena_str(k->arena, row->granted_by);
    return 0;
}

/* Names that are granted something and are no principals: of tokens of catena.yaml, of issuers' subjects. */
static void add_strangers(known *k)
{
    for (size_t i = 0; i < k->grant_count; i++) {
        bool is_there = false;
        for (size_t p = 0; p < k->principal_count && !is_there; p++)
            is_there = ctn_str_equal(k->principals[p].name, k->grants[i].principal);
        if (!is_there)
            (void) take_principal(k, &(ctn_principal_row){.name = k->grants[i].principal});
    }
}

static ctn_str grants_text(const known *k, ctn_str name)
{
    ctn_str text = {0};
    for (size_t i = 0; i < k->grant_count; i++) {
        const ctn_grant_row *g = &k->grants[i];
        if (!ctn_str_equal(g->principal, name))
            continue;
        text = ctn_arena_printf(k->arena, "%.*s%s%.*s%s%.*s%s%.*s", CTN_STR_ARG(text), text.len ? ", " : "",
                                CTN_STR_ARG(g->what), g->chain.len ? " for " : "", CTN_STR_ARG(g->chain),
                                g->label.len ? " with " : "", CTN_STR_ARG(g->label));
    }
    return ctn_text_clean(k->arena, text, 0);
}

static void print_principals(const listing *l, const known *k)
{
    int name = 9, tenant = 6;
    for (size_t i = 0; i < k->principal_count; i++) {
        const ctn_principal_row *row = &k->principals[i];
        name = row->name.len > (size_t) name ? (int) row->name.len : name;
        tenant = row->tenant.len > (size_t) tenant ? (int) row->tenant.len : tenant;
    }
    print_heads(l,
                ctn_arena_printf(k->arena, "%-*s  %-*s  %-7s  MAY", name, "PRINCIPAL", tenant, "TENANT", "KIND").ptr);
    for (size_t i = 0; i < k->principal_count; i++) {
        const ctn_principal_row *row = &k->principals[i];
        ctn_str may = grants_text(k, row->name), of = row->tenant.len ? row->tenant : CTN_STR("-");
        printf("%-*.*s  %-*.*s  %-7s  %.*s\n", name, CTN_STR_ARG(ctn_text_clean(k->arena, row->name, 0)), tenant,
               CTN_STR_ARG(of),
               row->is_service      ? "service"
               : row->created_at_ms ? "person"
                                    : "outside",
               CTN_STR_ARG(may.len ? may : CTN_STR("nothing")));
    }
}

static const ctn_json *grants_json(const known *k, ctn_str name)
{
    ctn_json_builder list = ctn_json_array(k->arena);
    for (size_t i = 0; i < k->grant_count; i++) {
        const ctn_grant_row *g = &k->grants[i];
        ctn_json_builder b = ctn_json_object(k->arena);
        if (!ctn_str_equal(g->principal, name))
            continue;
        ctn_json_put_str(&b, "grant", g->what);
        ctn_json_put_str(&b, "chain", g->chain);
        ctn_json_put_str(&b, "label", g->label);
        ctn_json_put_time(&b, "grantedAt", g->granted_at_ms);
        ctn_json_put_str(&b, "grantedBy", g->granted_by);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
}

static void print_principals_json(listing *l, const known *k)
{
    for (size_t i = 0; i < k->principal_count; i++) {
        const ctn_principal_row *row = &k->principals[i];
        ctn_json_builder b = ctn_json_object(k->arena);
        ctn_json_put_str(&b, "principal", row->name);
        ctn_json_put_bool(&b, "service", row->is_service);
        ctn_json_put_str(&b, "tenant", row->tenant);
        ctn_json_put_time(&b, "createdAt", row->created_at_ms);
        ctn_json_put_str(&b, "createdBy", row->created_by);
        ctn_json_put(&b, CTN_STR("grants"), grants_json(k, row->name));
        ctn_json_push(&l->list, ctn_json_finish(&b));
    }
    ctn_result_print(l->cli, ctn_json_finish(&l->list));
}

static int run_principal_list(ctn_cli *cli)
{
    doing d;
    ctn_err err = {0};
    listing l = listing_of(cli);
    known k = {.arena = cli->arena};
    int exit_code = begin(cli, CTN_STORE_READ, &d);
    if (exit_code)
        return exit_code;
    int rc = ctn_store_principal_list(d.store, take_principal, &k, &err);
    if (rc == CTN_OK)
        rc = ctn_store_grant_list(d.store, take_grant, &k, &err);
    add_strangers(&k);
    if (rc)
        exit_code = ctn_cli_fail_err(cli, &err);
    else if (l.is_json)
        print_principals_json(&l, &k);
    else if (k.principal_count)
        print_principals(&l, &k);
    else
        ctn_cli_say(cli, "there is no principal in %.*s; `%.*s` makes one", CTN_STR_ARG(d.ws.store_name),
                    CTN_STR_ARG(ctn_cli_command(cli, "token create NAME --role operator")));
    ctn_store_close(d.store);
    return exit_code;
}

const ctn_verb ctn_verb_principal_list = {
    .name = "principal list",
    .operands = "",
    .summary = "List principals and what each may do",
    .details =
        "Who holds a token of catena.yaml, or comes from an issuer, is \"outside\", and listed if the store grants\n"
        "him something; roles that catena.yaml gives stand there.",
    .options = CTN_OPTS_READ,
    .run = run_principal_list,
};
