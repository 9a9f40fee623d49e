/*
 * access.h -- who may do what: principals, their grants, and what proves that a caller is one of them.
 *
 * Deny is the default. What somebody may do is the union of his grants; a grant gives a role, or one action, and may be
 * narrowed to chains ("lead-*"), to a label, and, for `sets.use`, to a set. A principal of a tenant sees nothing of
 * other tenants, whatever he is granted: to him it is not there (404), not forbidden.
 *
 * Where principals come from:
 *     catena.yaml   http: tokens, each holder with the roles that are said there
 *     the store     `catena token create`, POST /v1/principals: an API key, shown once and kept as a hash
 *     an issuer     OpenID Connect: a signed token of one of http: issuers (oidc.h), with the claims that are mapped
 *     the machine   whoever runs `catena` on the store's own machine: CTN_CALLER_LOCAL, who may do everything
 * Without any token, key or issuer there is "anonymous", on loopback only, who may do what an operator and an author
 * may.
 *
 * A chain's calls have the rights of whoever started it, or of the service principal that it names (runAs): which
 * restricted sets they may use is judged at the start, and again, live, before each call.
 *
 * Ownership  A caller is borrowed from what judged it: until the request was answered.
 * Threads    The engine's.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

typedef struct ctn_access ctn_access;

/* clang-format off */
#define CTN_ROLES(ROLE) ROLE(VIEWER, "viewer") ROLE(OPERATOR, "operator") ROLE(AUTHOR, "author") ROLE(ADMIN, "admin")

/*  who has it by role: V viewer, O operator, A author; an admin has all but those with "-", which must be granted */
#define CTN_ACTIONS(ACTION)                                                                        \
    ACTION(EXECUTIONS_READ,   "executions.read",   "VOA", "see executions, their journals and events")         \
    ACTION(EXECUTIONS_START,  "executions.start",  "O",   "start a chain")                                      \
    ACTION(EXECUTIONS_CANCEL, "executions.cancel", "O",   "cancel an execution")                                \
    ACTION(EXECUTIONS_PAUSE,  "executions.pause",  "O",   "pause an execution, and let it go on")               \
    ACTION(EXECUTIONS_DECIDE, "executions.decide", "O",   "say what became of a call, set a variable")          \
    ACTION(EXECUTIONS_ANSWER, "executions.answer", "O",   "answer a step that waits, approve")                  \
    ACTION(EXECUTIONS_RERUN,  "executions.rerun",  "O",   "rerun and fork")                                     \
    ACTION(CHAINS_READ,       "chains.read",       "VOA", "see chains, their versions and pictures")            \
    ACTION(CHAINS_IMPORT,     "chains.import",     "A",   "import, check and simulate chains")                  \
    ACTION(COMMANDS_DEFINE,   "commands.define",   "",    "import instruction sets that start programs")        \
    ACTION(TOOLS_READ,        "tools.read",        "VOA", "see tools and breakers")                             \
    ACTION(TOOLS_OPERATE,     "tools.operate",     "O",   "reset breakers, accept changed tools")               \
    ACTION(SCHEDULES_READ,    "schedules.read",    "VOA", "see schedules")                                      \
    ACTION(SCHEDULES_OPERATE, "schedules.operate", "O",   "pause, resume and fire schedules")                   \
    ACTION(NODES_READ,        "nodes.read",        "VOA", "see nodes, queues and metrics")                      \
    ACTION(BUDGETS_READ,      "budgets.read",      "VOA", "see budgets and quotas")                             \
    ACTION(BUDGETS_SET,       "budgets.set",       "",    "change budgets and quotas")                          \
    ACTION(WEBHOOKS_READ,     "webhooks.read",     "O",   "see webhooks and their deliveries")                  \
    ACTION(WEBHOOKS_MANAGE,   "webhooks.manage",   "",    "make and end webhooks, deliver again")               \
    ACTION(PRINCIPALS_READ,   "principals.read",   "",    "see principals and grants")                          \
    ACTION(PRINCIPALS_MANAGE, "principals.manage", "",    "make and end principals, keys and grants")           \
    ACTION(AUDIT_READ,        "audit.read",        "",    "read the audit log")                                 \
    ACTION(SETS_USE,          "sets.use",          "-",   "have a chain use a restricted instruction set")      \
    ACTION(REVEAL,            "reveal",            "-",   "see sensitive values")
/* clang-format on */

typedef enum ctn_action {
#define ACTION(name, ...) CTN_ACTION_##name,
    CTN_ACTIONS(ACTION)
#undef ACTION
        CTN_ACTION_COUNT,
} ctn_action;

const char *ctn_action_name(ctn_action action);
bool ctn_action_from_name(ctn_str name, ctn_action *ret_action);

/* Somebody who has been recognised. */
typedef struct ctn_caller {
    ctn_str name;                    /* of the principal; "anonymous"; of the local user */
    ctn_str tenant;                  /* empty: of none, so he sees all */
    ctn_str via;                     /* "api", "mcp", "cli", "hook" */
    ctn_str from;                    /* address; empty: this machine */
    const struct ctn_grants *grants; /* NULL with is_local */
    bool is_local;                   /* may do everything */
} ctn_caller;

/* What is to be done something to; what does not apply is empty. */
typedef struct ctn_access_object {
    ctn_str chain_id;
    ctn_str tenant;         /* of the execution; empty: of none */
    const ctn_json *labels; /* of the execution; NULL: none */
    ctn_str set;            /* SETS_USE */
} ctn_access_object;

/* Is it there for him at all? Not of his tenant: no. */
bool ctn_access_sees(const ctn_caller *caller, const ctn_access_object *object);
/* CTN_E_DENIED: the sentence names the missing grant and which roles have it, and the denial is in the audit log (one
 * entry a minute for one who repeats himself). object NULL: about nothing in particular. */
int ctn_access_demand(ctn_access *access, const ctn_caller *caller, ctn_action action, const ctn_access_object *object,
                      ctn_err *err);
/* The same question, asked for a list or a picture: nothing is audited. */
bool ctn_access_may(const ctn_access *access, const ctn_caller *caller, ctn_action action,
                    const ctn_access_object *object);
/* Written by hand where nothing else writes it: reveals, imports, grants, configuration. detail: an object; NULL: none.
 * Starts, decisions and answers ride on their own commit (engine/engine.h, ctn_requester). */
int ctn_access_audit(ctn_access *access, const ctn_caller *caller, const char *action, ctn_str subject,
                     const ctn_json *detail, ctn_err *err);
