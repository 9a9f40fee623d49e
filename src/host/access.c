/*
 * access.c -- see access.h: actions, roles and grants, and what follows from them.
 *
 * Judging is pure: a caller, an action, an object. Only a denial that is demanded is noted, so that the log of a busy
 * server is not filled by one who asks for the same thing over and over: once a minute for each caller and action, and
 * no more than ACCESS_DENIALS different ones in that time.
 */
#include "host/access.h"
#include "base/text.h"
#include "host/access_state.h"
#include "host/audit.h"

#define DENIAL_AGAIN_MS 60000

typedef struct action_row {
    const char *name, *roles, *told;
    char about;
} action_row;

static const action_row ACTIONS[] = {
#define ACTION(name, text, roles, about, told) {text, roles, told, about},
    CTN_ACTIONS(ACTION)
#undef ACTION
};

static const char *const ROLES[] = {
#define ROLE(name, text) text,
    CTN_ACCESS_ROLES(ROLE)
#undef ROLE
};
static const char ROLE_LETTERS[] = {'V', 'O', 'A', '*'};

const char *ctn_action_name(ctn_action action)
{
    return ACTIONS[action].name;
}

bool ctn_action_from_name(ctn_str name, ctn_action *ret_action)
{
    for (size_t i = 0; i < CTN_ACTION_COUNT; i++)
        if (ctn_str_is(name, ACTIONS[i].name)) {
            *ret_action = (ctn_action) i;
            return true;
        }
    return false;
}

bool ctn_access_role_from_name(ctn_str name, ctn_access_role *ret_role)
{
    for (size_t i = 0; i < CTN_ACCESS_ROLE_COUNT; i++)
        if (ctn_str_is(name, ROLES[i])) {
            *ret_role = (ctn_access_role) i;
            return true;
        }
    return false;
}

const char *ctn_access_role_name(ctn_access_role role)
{
    return ROLES[role];
}

bool ctn_principal_name_is_good(ctn_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", name.ptr[i]) || !name.ptr[i])
            return false;
    return name.len > 0 && name.len <= 64;
}

/* ---- grants as people write them ---- */

static int fail_what(ctn_str what, ctn_err *err)
{
    ctn_str names[(size_t) CTN_ACCESS_ROLE_COUNT + CTN_ACTION_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < CTN_ACCESS_ROLE_COUNT; i++)
        names[count++] = ctn_str_from(ROLES[i]);
    for (size_t i = 0; i < CTN_ACTION_COUNT; i++)
        names[count++] = ctn_str_from(ACTIONS[i].name);
    ctn_str near = ctn_str_nearest(what, names, count);
    if (near.len)
        return ctn_fail(err, CTN_E_INVALID, "\"%.*s\" is no role and no action; did you mean %.*s?", CTN_STR_ARG(what),
                        CTN_STR_ARG(near));
    return ctn_fail(err, CTN_E_INVALID,
                    "\"%.*s\" is no role (viewer, operator, author, admin) and no action (executions.start, reveal, "
                    "sets.use:NAME, ...)",
                    CTN_STR_ARG(what));
}

bool ctn_grant_can_be_narrowed(const ctn_grant *grant)
{
    return grant->is_role || ACTIONS[grant->action].about == 'E' || ACTIONS[grant->action].about == 'C';
}

int ctn_grant_parse(ctn_str what, ctn_str chain, ctn_str label, ctn_grant *ret_grant, ctn_err *err)
{
    ctn_str set = what, whole = what;
    what = ctn_str_cut(&set, ':');
    ctn_grant grant = {.chain = chain, .set = set.ptr ? set : (ctn_str){0}};
    grant.is_role = ctn_access_role_from_name(what, &grant.role);
    if (!grant.is_role && !ctn_action_from_name(what, &grant.action))
        return fail_what(what, err);
    if (set.ptr && (grant.is_role || grant.action != CTN_ACTION_SETS_USE || !set.len))
        return ctn_fail(err, CTN_E_INVALID, "\"%.*s\": a name behind a colon is the set of sets.use:NAME",
                        CTN_STR_ARG(whole));
    if (!ctn_grant_can_be_narrowed(&grant) && (chain.len || label.len))
        return ctn_fail(err, CTN_E_INVALID, "%.*s is not about chains: it cannot be narrowed to some of them",
                        CTN_STR_ARG(what));
    if (label.len) {
        ctn_str value = label;
        grant.label = ctn_str_cut(&value, '=');
        grant.label_value = value;
        if (!value.ptr || !grant.label.len)
            return ctn_fail(err, CTN_E_INVALID, "\"%.*s\": a label is narrowed to as NAME=VALUE", CTN_STR_ARG(label));
    }
    *ret_grant = grant;
    return CTN_OK;
}

ctn_str ctn_grant_what(ctn_arena *arena, const ctn_grant *grant)
{
    const char *word = grant->is_role ? ROLES[grant->role] : ACTIONS[grant->action].name;
    return grant->set.len ? ctn_arena_printf(arena, "%s:%.*s", word, CTN_STR_ARG(grant->set)) : ctn_str_from(word);
}

/* ---- judging ---- */

/* A star is any text, also none; everything else is itself. Greedy with one way back: no pattern is slow. */
static bool fits_pattern(ctn_str pattern, ctn_str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_t = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            star_t = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++star_t;
        } else
            return false;
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static bool gives(const ctn_grant *grant, ctn_action action)
{
    const char *roles = ACTIONS[action].roles;
    if (!grant->is_role)
        return grant->action == action;
    if (grant->role == CTN_ACCESS_ADMIN)
        return roles[0] != '-';
    return strchr(roles, ROLE_LETTERS[grant->role]) != NULL;
}

static bool is_narrowed(const ctn_grant *grant)
{
    return grant->chain.len || grant->label.len;
}

/* object NULL: is there anything that it could reach? */
static bool reaches(const ctn_grant *grant, char about, const ctn_access_object *object)
{
    if (about == 'S')
        return !object || !grant->set.len || ctn_str_equal(grant->set, object->set);
    if (about != 'E' && about != 'C')
        return !is_narrowed(grant);
    if (!object)
        return true;
    if (grant->chain.len && !fits_pattern(grant->chain, object->chain_id))
        return false;
    if (!grant->label.len)
        return true;
    const ctn_json *value = ctn_json_get(object->labels, grant->label);
    return value && ctn_json_is(value, CTN_JSON_STRING) && ctn_str_equal(ctn_json_text(value), grant->label_value);
}

bool ctn_access_sees(const ctn_caller *caller, const ctn_access_object *object)
{
    return caller->is_local || !caller->tenant.len || !object || object->is_shared ||
           ctn_str_equal(caller->tenant, object->tenant);
}

static bool is_for_tenants(ctn_action action)
{
    return ACTIONS[action].about != 'T';
}

bool ctn_access_may(const ctn_caller *caller, ctn_action action, const ctn_access_object *object)
{
    if (caller->is_local)
        return true;
    if (!ctn_access_sees(caller, object) || (caller->tenant.len && !is_for_tenants(action)))
        return false;
    for (size_t i = 0; caller->grants && i < caller->grants->count; i++) {
        const ctn_grant *grant = &caller->grants->items[i];
        if (gives(grant, action) && reaches(grant, ACTIONS[action].about, object))
            return true;
    }
    return false;
}

/* "operator, admin" */
static void put_roles(const char *roles, char *text, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < CTN_ACCESS_ROLE_COUNT; i++)
        if ((i == CTN_ACCESS_ADMIN && roles[0] != '-') || strchr(roles, ROLE_LETTERS[i]))
            at += (size_t) snprintf(text + at, size - at, "%s%s", at ? ", " : "", ROLES[i]);
}

static int fail_denied(const ctn_caller *caller, ctn_action action, const ctn_access_object *object, ctn_err *err)
{
    const action_row *row = &ACTIONS[action];
    char roles[64] = "";
    if (caller->tenant.len && !is_for_tenants(action))
        return ctn_fail(
            err, CTN_E_DENIED,
            "%.*s is of the tenant %.*s, and \"%s\" (%s) concerns all tenants: it needs a principal of none",
            CTN_STR_ARG(caller->name), CTN_STR_ARG(caller->tenant), row->name, row->told);
    put_roles(row->roles, roles, sizeof roles);
    if (object && object->set.len)
        return ctn_fail(err, CTN_E_DENIED, "%.*s lacks the grant \"%s:%.*s\" (%s); no role has it",
                        CTN_STR_ARG(caller->name), row->name, CTN_STR_ARG(object->set), row->told);
    bool is_of_chain = object && object->chain_id.len && (row->about == 'E' || row->about == 'C');
    return ctn_fail(
        err, CTN_E_DENIED, "%.*s lacks the grant \"%s\" (%s)%s%.*s; %s%s%s", CTN_STR_ARG(caller->name), row->name,
        row->told, is_of_chain ? " for the chain " : "", CTN_STR_ARG(is_of_chain ? object->chain_id : (ctn_str){0}),
        roles[0] ? "roles that have it: " : "no role has it", roles,
        ctn_str_is(caller->name, "anonymous") ? " (come with a key: catena token create NAME --role ROLE)" : "");
}

/* ---- what is noted ---- */

int64_t access_now_ms(const ctn_access *access)
{
    return ctn_clock_now_ms(&access->of.clock);
}

/* Not noted within the last minute, and the memory of that minute has room. */
static bool is_to_be_noted(ctn_access *access, uint64_t what)
{
    int64_t now_ms = access_now_ms(access);
    for (size_t i = 0; i < ACCESS_DENIALS; i++)
        if (access->denials[i].what == what && now_ms - access->denials[i].at_ms < DENIAL_AGAIN_MS)
            return false;
    access_denial *oldest = &access->denials[access->denial_next % ACCESS_DENIALS];
    if (oldest->at_ms && now_ms - oldest->at_ms < DENIAL_AGAIN_MS)
        return false;
    access->denial_next++;
    *oldest = (access_denial){what, now_ms};
    return true;
}

static void note_denial(ctn_access *access, const ctn_caller *caller, ctn_action action,
                        const ctn_access_object *object, bool is_foreign)
{
    uint64_t what = ctn_str_hash(caller->name) * 31 + (uint64_t) action * 2 + is_foreign + 1;
    if (!is_to_be_noted(access, what))
        return;
    ctn_err err = {0};
    ctn_arena *arena = ctn_arena_new(512);
    ctn_json_builder detail = ctn_json_object(arena);
    ctn_json_put_str(&detail, "missing", ctn_str_from(ACTIONS[action].name));
    if (object && object->set.len)
        ctn_json_put_str(&detail, "set", object->set);
    if (is_foreign)
        ctn_json_put_bool(&detail, "isForeign", true);
    if (ctn_access_audit(access, caller, "access.deny", object ? object->chain_id : (ctn_str){0},
                         ctn_json_finish(&detail), &err))
        ctn_log_line(access->of.log, CTN_LOG_WARN, "a denial could not be noted", "why", err.message, NULL);
    ctn_arena_free(arena);
}

int ctn_access_demand(ctn_access *access, const ctn_caller *caller, ctn_action action, const ctn_access_object *object,
                      ctn_err *err)
{
    if (ctn_access_may(caller, action, object))
        return CTN_OK;
    bool is_foreign = !ctn_access_sees(caller, object);
    if (access)
        note_denial(access, caller, action, object, is_foreign);
    if (is_foreign)
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no such thing");
    return fail_denied(caller, action, object, err);
}

ctn_caller ctn_caller_local(ctn_arena *arena, const char *via)
{
    return (ctn_caller){.name = ctn_actor_name(arena), .via = ctn_str_from(via), .is_local = true};
}

int ctn_caller_audit(ctn_store *store, int64_t now_ms, const ctn_caller *caller, const char *action, ctn_str subject,
                     const ctn_json *detail, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(512);
    ctn_json_builder all = ctn_json_object(arena);
    ctn_json_put_str(&all, "via", caller->via);
    if (caller->from.len)
        ctn_json_put_str(&all, "from", caller->from);
    if (caller->tenant.len)
        ctn_json_put_str(&all, "tenant", caller->tenant);
    ctn_json_put_all(&all, detail);
    ctn_audit_entry entry = {.at_ms = now_ms,
                             .actor = caller->name,
                             .action = ctn_str_from(action),
                             .subject = subject,
                             .detail = ctn_json_to_str(arena, ctn_json_finish(&all))};
    int rc = ctn_store_audit(store, &entry, err);
    ctn_arena_free(arena);
    return rc;
}

int ctn_access_audit(ctn_access *access, const ctn_caller *caller, const char *action, ctn_str subject,
                     const ctn_json *detail, ctn_err *err)
{
    return ctn_caller_audit(access->of.store, access_now_ms(access), caller, action, subject, detail, err);
}
