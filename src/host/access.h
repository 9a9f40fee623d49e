/*
 * access.h -- who may do what: principals, their grants, and what proves that a caller is one of them.
 *
 * Deny is the default. What somebody may do is the union of his grants; a grant gives a role, or one action, and may be
 * narrowed to chains ("lead-*"), to a label, and, for `sets.use`, to a set. A narrowed grant gives nothing that is not
 * about a chain. A principal of a tenant sees nothing of other tenants, whatever he is granted: to him it is not there
 * (404), not forbidden; and what concerns all tenants at once (chains that all start, tools that all call) he may not
 * change.
 *
 * Where principals come from:
 *     catena.yaml   http: tokens, each holder with the roles that are said there (none: operator)
 *     the store     `catena token create`, POST /v1/principals: an API key, shown once and kept as a hash (api_key.h)
 *     an issuer     OpenID Connect: a signed token of one of http: oidc (oidc.h), with the claims that are mapped
 *     the machine   whoever runs `catena` on the store's own machine: is_local, who may do everything
 * Grants of the store are by name, so the holder of a token of the configuration, and who an issuer vouches for, can be
 * granted more there. Without any token, key or issuer there is "anonymous", on loopback only, who may do what an
 * operator and an author may. Once there was a key, revoked ones included, nobody is anonymous any more.
 *
 * A chain's calls have the rights of whoever started it, or of the service principal that it names (runAs): which
 * restricted sets they may use is judged at the start, and again, live, before each call.
 *
 * What the store says is kept in memory, and read again within a second of its being changed, by whatever process.
 *
 * Ownership  A caller is borrowed from what judged it: until the request was answered.
 * Threads    The engine's.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "host/config.h"
#include "store/store.h"

typedef struct ctn_access ctn_access;

/* clang-format off */
#define CTN_ACCESS_ROLES(ROLE) ROLE(VIEWER, "viewer") ROLE(OPERATOR, "operator") ROLE(AUTHOR, "author") ROLE(ADMIN, "admin")

/*  who has it by role: V viewer, O operator, A author; an admin has all but those with "-", which must be granted.
 *  What it is about: E an execution, C a chain or schedule (a grant may be narrowed to some), S a set, T what all
 *  tenants share (a grant that is narrowed does not give it; a tenant's own principals never have it), L the same, but
 *  harmless: tenants have it, too */
#define CTN_ACTIONS(ACTION)                                                                                     \
    ACTION(EXECUTIONS_READ,   "executions.read",   "VOA", 'E', "see executions, their journals and events")     \
    ACTION(EXECUTIONS_START,  "executions.start",  "O",   'E', "start a chain")                                 \
    ACTION(EXECUTIONS_CANCEL, "executions.cancel", "O",   'E', "cancel an execution")                           \
    ACTION(EXECUTIONS_PAUSE,  "executions.pause",  "O",   'E', "pause an execution, and let it go on")          \
    ACTION(EXECUTIONS_DECIDE, "executions.decide", "O",   'E', "say what became of a call, set a variable")     \
    ACTION(EXECUTIONS_ANSWER, "executions.answer", "O",   'E', "answer a step that waits, approve")             \
    ACTION(EXECUTIONS_RERUN,  "executions.rerun",  "O",   'E', "rerun and fork")                                \
    ACTION(CHAINS_READ,       "chains.read",       "VOA", 'C', "see chains, their versions and pictures")       \
    ACTION(CHAINS_CHECK,      "chains.check",      "VOA", 'L', "check and simulate a chain without keeping it") \
    ACTION(CHAINS_IMPORT,     "chains.import",     "A",   'T', "import chains")                                 \
    ACTION(CHAINS_RUN_AS,     "chains.runAs",     "",    'T', "import chains that run as a service principal")  \
    ACTION(COMMANDS_DEFINE,   "commands.define",   "",    'T', "import chains whose sets start programs")       \
    ACTION(SECRETS_NAME,      "secrets.name",      "",    'T', "import chains that send secrets")               \
    ACTION(TOOLS_READ,        "tools.read",        "VOA", 'L', "see tools and breakers")                        \
    ACTION(TOOLS_OPERATE,     "tools.operate",     "O",   'T', "reset breakers, accept changed tools")          \
    ACTION(SCHEDULES_READ,    "schedules.read",    "VOA", 'C', "see schedules")                                 \
    ACTION(SCHEDULES_OPERATE, "schedules.operate", "O",   'T', "pause, resume and fire schedules")              \
    ACTION(NODES_READ,        "nodes.read",        "VOA", 'T', "see nodes, queues and metrics")                 \
    ACTION(BUDGETS_READ,      "budgets.read",      "VOA", 'L', "see budgets and quotas")                        \
    ACTION(BUDGETS_SET,       "budgets.set",       "",    'T', "change budgets and quotas")                     \
    ACTION(WEBHOOKS_READ,     "webhooks.read",     "O",   'T', "see webhooks and their deliveries")             \
    ACTION(WEBHOOKS_MANAGE,   "webhooks.manage",   "",    'T', "make and end webhooks, deliver again")          \
    ACTION(PRINCIPALS_READ,   "principals.read",   "",    'T', "see principals and grants")                     \
    ACTION(PRINCIPALS_MANAGE, "principals.manage", "",    'T', "make and end principals, keys and grants")      \
    ACTION(AUDIT_READ,        "audit.read",        "",    'T', "read the audit log")                            \
    ACTION(SETS_USE,          "sets.use",          "-",   'S', "have a chain use a restricted instruction set") \
    ACTION(REVEAL,            "reveal",            "-",   'E', "see sensitive values")
/* clang-format on */

typedef enum ctn_action {
#define ACTION(name, ...) CTN_ACTION_##name,
    CTN_ACTIONS(ACTION)
#undef ACTION
        CTN_ACTION_COUNT,
} ctn_action;

const char *ctn_action_name(ctn_action action);
bool ctn_action_from_name(ctn_str name, ctn_action *ret_action);

typedef enum ctn_access_role {
#define ROLE(name, text) CTN_ACCESS_##name,
    CTN_ACCESS_ROLES(ROLE)
#undef ROLE
        CTN_ACCESS_ROLE_COUNT,
} ctn_access_role;
bool ctn_access_role_from_name(ctn_str name, ctn_access_role *ret_role);
const char *ctn_access_role_name(ctn_access_role role);

/* ---- grants ---- */

typedef struct ctn_grant {
    bool is_role; /* else one action */
    ctn_access_role role;
    ctn_action action;
    ctn_str chain;              /* "lead-*": a star is any text; empty: all chains */
    ctn_str label, label_value; /* label empty: whatever the labels */
    ctn_str set;                /* SETS_USE: this one; empty: all */
} ctn_grant;

typedef struct ctn_grants {
    const ctn_grant *items;
    size_t count;
} ctn_grants;

/* As people write it: "operator" (a role), "sets.use:ledger", "reveal"; with the chain's pattern and the label
 * ("NAME=VALUE") beside it, empty: none. CTN_E_INVALID: the sentence names the nearest right word. */
int ctn_grant_parse(ctn_str what, ctn_str chain, ctn_str label, ctn_grant *ret_grant, ctn_err *err);
/* A role, or an action that is about chains or executions. */
bool ctn_grant_can_be_narrowed(const ctn_grant *grant);
/* "operator", "sets.use:ledger" */
ctn_str ctn_grant_what(ctn_arena *arena, const ctn_grant *grant);

/* Somebody who has been recognised. */
typedef struct ctn_caller {
    ctn_str name;             /* of the principal; "anonymous"; of the local user */
    ctn_str tenant;           /* empty: of none, so he sees all */
    ctn_str via;              /* "api", "mcp", "cli", "hook" */
    ctn_str from;             /* address; empty: this machine */
    const ctn_grants *grants; /* NULL: none */
    bool is_local;            /* may do everything */
} ctn_caller;
/* The user of this machine, who may do everything. via: a literal. */
ctn_caller ctn_caller_local(ctn_arena *arena, const char *via);

/* What is to be done something to; what does not apply is empty. */
typedef struct ctn_access_object {
    ctn_str chain_id;
    ctn_str tenant;         /* of the execution; empty: of none */
    const ctn_json *labels; /* of the execution; NULL: none */
    ctn_str set;            /* SETS_USE */
    bool is_shared;         /* of no tenant because it is everybody's: a chain, a schedule. Who forgets it hides it. */
} ctn_access_object;

/* Of the store and of the configuration: letters, digits, '.', '_' and '-', at most 64. Those of issuers have an '@' in
 * them ("sub@issuer.example.com"), so that neither can be taken for the other. */
bool ctn_principal_name_is_good(ctn_str name);

/* ---- judging ---- */

/* Is it there for him at all? Not of his tenant: no. */
bool ctn_access_sees(const ctn_caller *caller, const ctn_access_object *object);
/* CTN_E_NOT_FOUND: it is not there for him. CTN_E_DENIED: the sentence names the missing grant and which roles have it.
 * Both are in the audit log (one entry a minute for one who repeats himself). object NULL: may he do it to anything at
 * all? So a list asks twice: whether he may at all, and of each item _may. access NULL: nothing is audited. */
int ctn_access_demand(ctn_access *access, const ctn_caller *caller, ctn_action action, const ctn_access_object *object,
                      ctn_err *err);
/* The same question, asked for a list or a picture: nothing is audited. */
bool ctn_access_may(const ctn_caller *caller, ctn_action action, const ctn_access_object *object);

/* ---- the whole ---- */

typedef struct ctn_access_options {
    ctn_store *store;         /* where principals are, and denials are noted */
    ctn_loop *loop;           /* NULL: no issuer is asked for its keys, and none of their tokens is taken */
    const ctn_config *config; /* tokens, issuers */
    ctn_clock clock;
    const ctn_log *log; /* NULL: silent */
} ctn_access_options;
/* Reads the store's principals. */
int ctn_access_new(const ctn_access_options *options, ctn_access **ret_access, ctn_err *err);
void ctn_access_free(ctn_access *access); /* NULL is fine */

/* Another number than before: principals, keys or grants of the store have changed, so that who was recognised before may
 * be somebody else now. */
int64_t ctn_access_version(ctn_access *access);

/* There are tokens, keys or issuers: nobody comes in without. */
bool ctn_access_is_guarded(ctn_access *access);
/* Tells the log which tokens of the configuration cannot be read now: whoever holds one is a stranger until it can. */
void ctn_access_tell_missing(const ctn_access *access);

typedef enum ctn_recognition {
    CTN_RECOGNISED,
    CTN_UNRECOGNISED,     /* 401: nothing came, or nothing of ours; err says what is wrong without helping a guesser */
    CTN_RECOGNISED_LATER, /* 503, Retry-After: the issuer's keys are being fetched */
} ctn_recognition;
typedef struct ctn_knock {
    ctn_str authorization; /* the header; empty: none came */
    ctn_str from;          /* address */
    const char *via;       /* "api", "mcp": a literal */
    bool is_loopback;      /* who listens, listens on loopback: "anonymous" may come while nothing is guarded */
} ctn_knock;
/* A token of the configuration, an API key, or a token of an issuer; the caller and all that he points to is in the
 * arena. Secrets are compared in constant time. */
ctn_recognition ctn_access_recognise(ctn_access *access, ctn_arena *arena, const ctn_knock *knock,
                                     const ctn_caller **ret_caller, ctn_err *err);

/* Somebody who is known by name and has proved nothing himself: whoever calls this has done it for him (a hook, which
 * knows a secret of its sender). What he is granted in catena.yaml and in the store; where nothing is guarded, what an
 * operator may. CTN_E_NOT_FOUND: there is no such principal. via: a literal. */
int ctn_access_as(ctn_access *access, ctn_arena *arena, ctn_str principal, const char *via, ctn_str from,
                  const ctn_caller **ret_caller, ctn_err *err);

/* For the engine (may_use): may a chain that runs on this principal's behalf use this restricted set? What he is
 * granted by name, now: in catena.yaml or the store. */
int ctn_access_may_use(void *access, ctn_str principal, ctn_str set, ctn_err *err);

/* The same (may_run_as): may a chain say runAs of this name? Of a service principal of the store. */
int ctn_access_may_run_as(void *access, ctn_str principal, ctn_err *err);

/* Written by hand where nothing else writes it: reveals, imports, grants, configuration. detail: an object; NULL: none.
 * Starts, decisions and answers ride on their own commit (engine/engine.h, ctn_requester). */
int ctn_caller_audit(ctn_store *store, int64_t now_ms, const ctn_caller *caller, const char *action, ctn_str subject,
                     const ctn_json *detail, ctn_err *err);
int ctn_access_audit(ctn_access *access, const ctn_caller *caller, const char *action, ctn_str subject,
                     const ctn_json *detail, ctn_err *err);
