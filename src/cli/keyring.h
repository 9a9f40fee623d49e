/*
 * keyring.h -- where the master keys are that sensitive values are sealed under: the file or the variable that
 * `sealing` of catena.yaml names.
 *
 * The file is made when it is first needed, 0600, and is refused when others can read it. Whoever loses it has lost the
 * values; that is said when it is made. It is replaced whole and durably, or not at all.
 */
#pragma once
#include "cli/config.h"
#include "cli/cli.h"
#include "store/seal.h"

typedef struct ctn_cli_keyring ctn_cli_keyring;

/* Everything for opening and sealing; NULL: the configuration does not say where the keys are. */
ctn_cli_keyring *ctn_cli_keyring_new(const ctn_cli *cli, const ctn_config *config);
ctn_seal *ctn_cli_keyring_seal(const ctn_cli_keyring *keyring); /* NULL of NULL */
/* "the key file catena.key"; when the file was changed last, in ms since the epoch, 0: not known. */
const char *ctn_cli_keyring_name(const ctn_cli_keyring *keyring);
int64_t ctn_cli_keyring_changed_at_ms(const ctn_cli_keyring *keyring);
void ctn_cli_keyring_free(ctn_cli_keyring *keyring); /* NULL is fine */
