/*
 * keyring.h -- where the master keys are that sensitive values are sealed under: the file or the variable that
 * `sealing` of catena.yaml names.
 *
 * The file is made when it is first needed, 0600, and is refused when others can read it. Whoever loses it has lost the
 * values; that is told when it is made. It is replaced whole and durably, or not at all.
 */
#pragma once
#include "host/config.h"
#include "host/teller.h"
#include "store/seal.h"

typedef struct ctn_config_keyring ctn_config_keyring;

/* Everything for opening and sealing; NULL: the configuration does not say where the keys are. */
ctn_config_keyring *ctn_config_keyring_new(const ctn_config *config, ctn_teller teller);
ctn_seal *ctn_config_keyring_seal(const ctn_config_keyring *keyring); /* NULL of NULL */
/* "the key file catena.key"; when the file was changed last, in ms since the epoch, 0: not known. */
const char *ctn_config_keyring_name(const ctn_config_keyring *keyring);
int64_t ctn_config_keyring_changed_at_ms(const ctn_config_keyring *keyring);
void ctn_config_keyring_free(ctn_config_keyring *keyring); /* NULL is fine */
