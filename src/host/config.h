/*
 * config.h -- catena.yaml: where the store is, which servers there are, what is known by name.
 *
 * Every key is checked when the file is read, also those that this version does not use: what is merely not done yet is
 * a warning. Paths in it are relative to it. Without a file there is an empty configuration whose folder is the current
 * one.
 *
 * Ownership  Lives in the arena it was read into.
 */
#pragma once
#include "base/log.h"
#include "chain/keys.h"
#include "chain/library.h"
#include "core/execution.h"
#include "drivers/mcp/mcp.h"
#include "engine/engine.h"
#include "drivers/prompt/prompt.h"
#include "host/files.h"
#include "oauth/issuer.h"
#include "store/retention.h"
#include "wire/signature.h"

/* What follows when a tool narrows or means another thing; what is compatible goes on. */
typedef enum ctn_on_tool_change {
    CTN_TOOL_CHANGE_HOLDS_NEW,
    CTN_TOOL_CHANGE_HOLDS_ALL,
    CTN_TOOL_CHANGE_GOES_ON,
} ctn_on_tool_change;

typedef struct ctn_config_server {
    ctn_str name;
    ctn_position at; /* in the file that names it */
    ctn_str file;
    ctn_str command; /* as written; empty: see url */
    ctn_str program; /* where it was found; empty: nowhere */
    ctn_str url;
    ctn_on_tool_change on_tool_change;
    ctn_mcp_server_config driver; /* for the driver; secrets in it are still named */
} ctn_config_server;

typedef struct ctn_config_secret {
    ctn_str name;
    ctn_str env, file; /* one of them */
} ctn_config_secret;

/* A bearer token and who holds it. */
typedef struct ctn_config_token {
    ctn_config_secret where; /* name: who holds it */
    ctn_str tenant;          /* empty: of none */
    ctn_str *roles;          /* names of roles (host/access.h) */
    size_t role_count;
} ctn_config_token;

typedef struct ctn_config_model {
    ctn_str name;
    ctn_prompt_model driver;
    bool has_key;
    ctn_config_secret key;
    ctn_http_header *headers; /* besides */
    size_t header_count;
} ctn_config_model;

/* An issuer whose tokens are taken (config_oidc.h). */
#define CTN_OIDC_ROLES_MAX 16 /* of one token */
typedef struct ctn_config_oidc {
    ctn_issuer at;
    ctn_str principal_claim, roles_claim, tenant_claim; /* the last two empty: not said */
    const ctn_json *role_names;                         /* NULL: theirs are ours */
    ctn_str *roles;                                     /* of everybody */
    size_t role_count;
} ctn_config_oidc;

/* What `http` says. */
typedef struct ctn_config_http {
    ctn_str listen; /* ADDRESS:PORT; empty: nowhere */
    ctn_str *hosts, *origins, *issuers;
    size_t host_count, origin_count, issuer_count;
    ctn_config_token *tokens;
    size_t token_count;
    ctn_config_oidc *oidc;
    size_t oidc_count;
    ctn_str resource;                         /* empty: not said */
    size_t body_bytes;                        /* 0: not said */
    int64_t rate;                             /* requests a second of one caller; 0: not said */
    unsigned connections;                     /* 0: not said */
    const char *tls_cert_file, *tls_key_file; /* both or neither; NULL: HTTP without TLS */
} ctn_config_http;

/* What `telemetry` says. */
typedef struct ctn_config_telemetry {
    ctn_str otlp_url;              /* whole; empty: traces are told to nobody */
    const ctn_mcp_header *headers; /* secrets in them are still named (host/secrets.h) */
    size_t header_count;
    ctn_str ca_file;      /* empty: the system's */
    uint32_t share;       /* of traces that begin here, in millionths */
    ctn_str service_name; /* "catena" */
} ctn_config_telemetry;

/* What `log` says. */
typedef struct ctn_config_log {
    bool is_json, has_level;
    ctn_log_level level; /* has_level */
} ctn_config_log;

/* What `egress` says: lists of hosts, NULL: not said. */
typedef struct ctn_config_egress {
    const ctn_json *hosts, *private_hosts, *cleartext_hosts;
    const char *ca_file, *proxy;
} ctn_config_egress;

/* A request of others that starts a chain: /v1/hooks/NAME. */
typedef struct ctn_config_hook {
    ctn_str name, chain, principal;
    ctn_config_secret secret;
    ctn_signature_scheme scheme;
    ctn_str header;                /* with the signature; empty: the scheme has its own */
    const ctn_json *input;         /* {name: JSON Pointer into the body}; NULL: the body is the input */
    ctn_str id_header, id_pointer; /* what a delivery is known by; both empty: the scheme says, or the body itself */
} ctn_config_hook;

typedef struct ctn_config {
    ctn_str file;   /* empty: none was found */
    ctn_str folder; /* of the file; "." without one */
    ctn_str store;  /* a URL; empty: not said */
    ctn_config_server *servers;
    size_t server_count;
    ctn_library *library;        /* all that `include` names */
    size_t value_bytes;          /* of one variable; 0: not said */
    size_t context_bytes;        /* of all variables of an execution; 0: not said */
    int64_t steps;               /* of an execution; 0: not said */
    uint32_t depth;              /* of chains that call chains; 0: not said */
    int64_t journal_bytes;       /* of an execution; 0: not said */
    int64_t children;            /* sub-chains of an execution; 0: not said */
    size_t running;              /* executions at once; 0: not said */
    ctn_str node_name;           /* of this process in a fleet; empty: that of the machine */
    const ctn_json *node_labels; /* an object; NULL: none */
    ctn_tenant_rules *tenants;
    size_t tenant_count;
    bool retry_interrupted;
    ctn_retention retention; /* of what has ended; by default CTN_RETENTION_DEFAULT */
    ctn_config_secret *secrets;
    size_t secret_count;
    ctn_config_http http;
    ctn_config_hook *hooks;
    size_t hook_count;
    ctn_config_model *models;
    size_t model_count;
    ctn_config_telemetry telemetry;
    ctn_config_log log;
    ctn_config_egress egress;
    ctn_str key_file, key_env; /* `sealing`: where master keys are; both empty: not said */
} ctn_config;

/* The tables of keys that a configuration is read by, those with a file of their own excepted (config_servers.h,
 * config_http.h, config_egress.h, config_models.h, config_where.h). */
extern const ctn_key_table ctn_config_tables[];
extern const size_t ctn_config_table_count;

/* path: NULL: what CATENA_CONFIG names, else catena.yaml in the current folder or the nearest above. CTN_E_INVALID:
 * see the findings; other codes: the file itself cannot be had, see err. Faults of included chains and sets are
 * findings too, but no failure here: who uses them is told. */
int ctn_config_read(ctn_arena *arena, const char *path, const ctn_overlay *overlay, ctn_findings *findings,
                    ctn_findings *library_findings, ctn_config **ret_config, ctn_err *err);
/* What it says of limits and of interrupted calls; the rest is all zero. */
ctn_rules ctn_config_rules(const ctn_config *config);
/* How large a message of a tool server may be: what becomes of it is held to valueBytes, but texts are told twice
 * (structured and not) and escaped, and a list of tools is no value. */
size_t ctn_config_answer_bytes(const ctn_config *config);
