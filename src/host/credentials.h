/*
 * credentials.h -- the vault of oauth/: tokens that people gave leave for, in one sealed file beside the store
 * (FILE-credentials).
 *
 * A file and not a table of the store: a copy of the store (backup, export, a mail to somebody) holds no live token,
 * and a store that is put back brings no refresh token that was used up since; it needs no owner's leave, so a login is
 * there for a serve that runs; and a lock on it lasts as long as an exchange over the network without holding a
 * transaction open.
 *
 * It is sealed whole with the newest master key (store/seal.h), 0600, replaced whole and durably. Without `sealing` in
 * the configuration there is no vault, and a sentence that says how to make one.
 *
 * Locks are of open descriptions (fcntl), so death gives them back; one for each name, in FILE-credentials-lock.
 */
#pragma once
#include "host/keyring.h"
#include "oauth/auth.h"

typedef struct ctn_credentials ctn_credentials;

/* store_file empty: a store without a file, so without a vault. */
ctn_credentials *ctn_credentials_new(ctn_str store_file, const ctn_config *config, ctn_teller teller);
void ctn_credentials_free(ctn_credentials *credentials); /* NULL is fine */

const ctn_auth_vault *ctn_credentials_vault(const ctn_credentials *credentials); /* NULL: see _lack */
const char *ctn_credentials_lack(const ctn_credentials *credentials);            /* NULL: there is one */

/* All that is kept of a server. CTN_E_NOT_FOUND, without a sentence: nothing. */
int ctn_credentials_forget(ctn_credentials *credentials, ctn_str server, ctn_err *err);
/* After a new master key was made: sealed with that one. Nothing to do is CTN_OK. */
int ctn_credentials_reseal(ctn_credentials *credentials, ctn_err *err);
