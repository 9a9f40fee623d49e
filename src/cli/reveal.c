/*
 * reveal.c -- see reveal.h.
 */
#include "cli/reveal.h"
#include "cli/named.h"
#include "engine/fold.h"
#include "host/audit.h"

int ctn_reveal_begin(ctn_cli *cli, const ctn_workspace *ws, const ctn_execution_row *row, ctn_reveal *ret)
{
    ctn_store *store = NULL;
    ctn_err err = {0};
    *ret = (ctn_reveal){0};
    if (!ctn_opt_is_given(cli, CTN_OPT_REVEAL))
        return CTN_EXIT_OK;
    ret->keyring = ctn_config_keyring_new(ws->config, ctn_cli_teller(cli));
    if (!ret->keyring)
        return ctn_cli_fail(cli, "--reveal needs the key: `sealing` of catena.yaml says where it is");
    int rc = ctn_store_open(ws->store_url, CTN_STORE_WRITE, &store, &err);
    if (rc == CTN_OK)
        rc = ctn_audit(store, "values.reveal", ctn_str_from(ctn_id_to_text(row->id).text), NULL, &err);
    ctn_store_close(store);
    if (rc) {
        ctn_reveal_end(ret);
        (void) ctn_wrap(&err, rc, "what is revealed is written down first");
        return ctn_cli_fail_err(cli, &err);
    }
    return CTN_EXIT_OK;
}

void ctn_reveal_end(ctn_reveal *reveal)
{
    ctn_config_keyring_free(reveal->keyring);
    reveal->keyring = NULL;
}

static void put(ctn_arena *arena, ctn_str *text, const ctn_json *value)
{
    if (text->len && value)
        *text = ctn_json_to_str(arena, value);
}

int ctn_reveal_load(const ctn_reveal *reveal, ctn_store *store, ctn_arena *arena, ctn_execution_row *row,
                    ctn_execution **ret_execution, ctn_err *err)
{
    int rc = ctn_execution_load_open(store, ctn_config_keyring_seal(reveal->keyring), arena, row, ret_execution, err);
    if (rc || (!reveal->keyring && !ctn_execution_is_hidden(*ret_execution)))
        return rc;
    if (reveal->keyring)
        ctn_execution_reveal(*ret_execution);
    put(arena, &row->input, ctn_execution_input(*ret_execution, arena));
    put(arena, &row->outputs, ctn_execution_outputs(*ret_execution));
    put(arena, &row->error, ctn_execution_error(*ret_execution));
    return CTN_OK;
}
