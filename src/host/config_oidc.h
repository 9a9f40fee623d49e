/*
 * config_oidc.h -- `http: oidc` of a configuration: issuers whose tokens are taken, and what their claims mean here.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_oidc_table;

/* list: the value of the key; NULL: not said. Faults become findings of the reader. */
void ctn_config_oidc_read(ctn_reader *r, const ctn_json *list, ctn_config *config);

/* Who the holder of such a token is. */
typedef struct ctn_oidc_holder {
    ctn_str name;   /* "4711@login.example.com/realm": of the principal claim, and of the issuer */
    ctn_str tenant; /* empty: of none */
    ctn_str *roles;
    size_t role_count;
} ctn_oidc_holder;
/* CTN_E_DENIED: the claims do not say who, or of which tenant, as they are to. Lives in the arena. */
int ctn_config_oidc_holder(const ctn_config_oidc *oidc, ctn_arena *arena, const ctn_json *claims, ctn_oidc_holder *ret,
                           ctn_err *err);
