/*
 * config_oidc.c -- see config_oidc.h.
 *
 * A name of an issuer's has the issuer behind its last '@', so that nobody can be taken for somebody of catena.yaml, of
 * the store, or of another issuer. With `tenantClaim`, a token that does not say its tenant is refused: its holder
 * would be of none, and see all.
 */
#include "host/config_oidc.h"
#include "host/access.h"
#include "host/config_http.h"

typedef struct oidc_keys {
    const ctn_json *issuer, *audience, *clients, *principal_claim, *roles_claim, *role_names, *roles, *tenant_claim,
        *ca_file;
    ctn_said allows_private;
} oidc_keys;

static const ctn_key KEYS[] = {
    {"issuer", CTN_KEY_NAME, offsetof(oidc_keys, issuer),
     "Its URL, letter by letter as its tokens say it: https://login.example.com/realm.", .is_required = true},
    {"audience", CTN_KEY_NAME, offsetof(oidc_keys, audience), "Whom its tokens must be for.", .is_required = true},
    {"clients", CTN_KEY_NAMES, offsetof(oidc_keys, clients), "Tokens must have been given to one of these (azp)."},
    {"principalClaim", CTN_KEY_NAME, offsetof(oidc_keys, principal_claim), "Which claim says who it is. Default: sub."},
    {"rolesClaim", CTN_KEY_NAME, offsetof(oidc_keys, roles_claim),
     "Which claim lists roles: its name, or a JSON Pointer like /realm_access/roles. Default: none does."},
    {"roleNames", CTN_KEY_OBJECT, offsetof(oidc_keys, role_names),
     "Which of our roles each of theirs is: {catena-ops: operator}. Default: by the same name."},
    {"roles", CTN_KEY_NAMES, offsetof(oidc_keys, roles), "Roles of everybody whom it vouches for. Default: none."},
    {"tenantClaim", CTN_KEY_NAME, offsetof(oidc_keys, tenant_claim),
     "Which claim says the tenant: its name, or a JSON Pointer. A token without it is refused. Default: of none."},
    {"caFile", CTN_KEY_NAME, offsetof(oidc_keys, ca_file), "Whom to believe who it is, PEM. Default: the system's."},
    {"allowPrivate", CTN_KEY_BOOL, offsetof(oidc_keys, allows_private), "It may be in a private network."},
};

const ctn_key_table ctn_config_oidc_table = {"oidc", KEYS, sizeof KEYS / sizeof *KEYS,
                                             "An issuer of OpenID Connect whose tokens are taken."};

static void check_role_names(ctn_reader *r, const ctn_json *names)
{
    ctn_access_role role;
    for (size_t i = 0; i < ctn_json_count(names); i++)
        if (!ctn_access_role_from_name(ctn_json_text(&names->members[i].value), &role))
            ctn_reader_fault(r, &names->members[i].value, "type",
                             "it is no role: there are viewer, operator, author and admin");
}

static bool is_issuer(ctn_str url)
{
    return (ctn_str_starts_with(url, CTN_STR("https://")) || ctn_str_starts_with(url, CTN_STR("http://"))) &&
           !memchr(url.ptr, '@', url.len) && !memchr(url.ptr, '?', url.len) && !memchr(url.ptr, '#', url.len);
}

static ctn_str *read_names(ctn_reader *r, const ctn_json *list, size_t *ret_count)
{
    *ret_count = ctn_json_count(list);
    ctn_str *names = CTN_NEW_ARRAY(r->arena, ctn_str, *ret_count);
    for (size_t i = 0; i < *ret_count; i++)
        names[i] = ctn_json_text(ctn_json_at(list, i));
    return names;
}

static bool read_one(ctn_reader *r, const ctn_json *node, ctn_config *config, ctn_config_oidc *ret)
{
    oidc_keys k = {0};
    size_t faults = r->fault_count;
    if (!ctn_json_is(node, CTN_JSON_OBJECT)) {
        ctn_reader_fault(r, node, "type", "an issuer is an object: {issuer: https://..., audience: ...}");
        return false;
    }
    ctn_keys_read(r, node, "an issuer", KEYS, sizeof KEYS / sizeof *KEYS, &k);
    if (r->fault_count > faults)
        return false;
    if (!is_issuer(ctn_json_text(k.issuer)))
        ctn_reader_fault(r, k.issuer, "type", "'%.*s' is no URL of an issuer: https://..., without '@', '?' and '#'",
                         CTN_STR_ARG(ctn_json_text(k.issuer)));
    ctn_config_check_roles(r, k.roles);
    check_role_names(r, k.role_names);
    *ret = (ctn_config_oidc){
        .at = {.issuer = ctn_json_text(k.issuer),
               .audience = ctn_json_text(k.audience),
               .allows_private = k.allows_private == CTN_SAID_TRUE,
               .ca_file = k.ca_file ? ctn_path_join(r->arena, config->folder, ctn_json_text(k.ca_file)).ptr : NULL},
        .principal_claim = k.principal_claim ? ctn_json_text(k.principal_claim) : CTN_STR("sub"),
        .roles_claim = ctn_json_text(k.roles_claim),
        .tenant_claim = ctn_json_text(k.tenant_claim),
        .role_names = k.role_names,
    };
    ret->at.clients = read_names(r, k.clients, &ret->at.client_count);
    ret->roles = read_names(r, k.roles, &ret->role_count);
    return r->fault_count == faults;
}

void ctn_config_oidc_read(ctn_reader *r, const ctn_json *list, ctn_config *config)
{
    config->http.oidc = CTN_NEW_ARRAY(r->arena, ctn_config_oidc, ctn_json_count(list));
    for (size_t i = 0; i < ctn_json_count(list); i++)
        config->http.oidc_count +=
            read_one(r, ctn_json_at(list, i), config, &config->http.oidc[config->http.oidc_count]);
}

/* ---- claims ---- */

static const ctn_json *claim_of(const ctn_json *claims, ctn_str which)
{
    return which.len && which.ptr[0] == '/' ? ctn_json_pointer(claims, which) : ctn_json_get(claims, which);
}

static void add_role(const ctn_config_oidc *oidc, ctn_str theirs, ctn_oidc_holder *holder)
{
    ctn_access_role role;
    const ctn_json *ours = ctn_json_get(oidc->role_names, theirs);
    ctn_str name = oidc->role_names ? ctn_json_text(ours) : theirs;
    if (ctn_access_role_from_name(name, &role) && holder->role_count < oidc->role_count + CTN_OIDC_ROLES_MAX)
        holder->roles[holder->role_count++] = ctn_str_from(ctn_access_role_name(role));
}

/* A list of texts, or one text with spaces in between. */
static void add_roles(const ctn_config_oidc *oidc, const ctn_json *claim, ctn_oidc_holder *holder)
{
    ctn_str rest = ctn_json_is(claim, CTN_JSON_STRING) ? ctn_json_text(claim) : (ctn_str){0};
    while (rest.ptr)
        add_role(oidc, ctn_str_cut(&rest, ' '), holder);
    for (size_t i = 0; ctn_json_is(claim, CTN_JSON_ARRAY) && i < claim->count; i++)
        add_role(oidc, ctn_json_text(ctn_json_at(claim, i)), holder);
}

static ctn_str without_scheme(ctn_str issuer)
{
    size_t at = ctn_str_find(issuer, CTN_STR("://"));
    ctn_str name = ctn_str_from_offset(issuer, at + 3);
    while (ctn_str_ends_with(name, CTN_STR("/")))
        name.len--;
    return name;
}

int ctn_config_oidc_holder(const ctn_config_oidc *oidc, ctn_arena *arena, const ctn_json *claims, ctn_oidc_holder *ret,
                           ctn_err *err)
{
    ctn_oidc_holder holder = {.roles = CTN_NEW_ARRAY(arena, ctn_str, oidc->role_count + CTN_OIDC_ROLES_MAX)};
    const ctn_json *who = claim_of(claims, oidc->principal_claim), *tenant = claim_of(claims, oidc->tenant_claim);
    ctn_str name = ctn_json_text(who);
    if (!ctn_json_is(who, CTN_JSON_STRING) || !name.len || name.len > 255 || ctn_str_find_control(name) != SIZE_MAX)
        return ctn_fail(err, CTN_E_DENIED, "the token's claim '%.*s' does not say who its holder is",
                        CTN_STR_ARG(oidc->principal_claim));
    if (oidc->tenant_claim.len &&
        (!ctn_json_is(tenant, CTN_JSON_STRING) || !ctn_principal_name_is_good(ctn_json_text(tenant))))
        return ctn_fail(err, CTN_E_DENIED, "the token's claim '%.*s' does not say a tenant",
                        CTN_STR_ARG(oidc->tenant_claim));
    holder.name = ctn_arena_printf(arena, "%.*s@%.*s", CTN_STR_ARG(name), CTN_STR_ARG(without_scheme(oidc->at.issuer)));
    holder.tenant = oidc->tenant_claim.len ? ctn_json_text(tenant) : (ctn_str){0};
    for (size_t i = 0; i < oidc->role_count; i++)
        holder.roles[holder.role_count++] = oidc->roles[i];
    if (oidc->roles_claim.len)
        add_roles(oidc, claim_of(claims, oidc->roles_claim), &holder);
    *ret = holder;
    return CTN_OK;
}
