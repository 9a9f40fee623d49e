/*
 * config_hooks.c -- see config_hooks.h.
 */
#include "host/config_hooks.h"
#include "host/access.h"
#include "host/config_where.h"

typedef struct hook_keys {
    const ctn_json *chain, *secret, *principal, *header, *input, *id;
    int scheme;
} hook_keys;

static const char *const SCHEMES[] = {"standard", "stripe", "github", "hmac", NULL}; /* as ctn_signature_scheme */

static const ctn_key KEYS[] = {
    {"chain", CTN_KEY_NAME, offsetof(hook_keys, chain), "The chain that is started.", .is_required = true},
    {"secret", CTN_KEY_ANY, offsetof(hook_keys, secret), "What the sender signs with.", .is_required = true},
    {"principal", CTN_KEY_NAME, offsetof(hook_keys, principal),
     "On whose behalf the chain is started; who it is must be granted executions.start.", .is_required = true},
    {"scheme", CTN_KEY_WORD, offsetof(hook_keys, scheme),
     "How deliveries are signed: standard (Standard Webhooks; default), stripe, github, or hmac: a header with the "
     "HMAC-SHA256 of the body.",
     .words = SCHEMES},
    {"header", CTN_KEY_NAME, offsetof(hook_keys, header), "Of the scheme hmac: the header with the signature."},
    {"input", CTN_KEY_OBJECT, offsetof(hook_keys, input),
     "Inputs of the chain by name, each a JSON Pointer into the body, like /data/id. Default: the body is the input."},
    {"id", CTN_KEY_OBJECT, offsetof(hook_keys, id),
     "What a delivery is known by, so that the same one again starts nothing. Default: what the scheme has for it, "
     "else "
     "the body itself."},
};

const ctn_key_table ctn_config_hook_table = {"hook", KEYS, sizeof KEYS / sizeof *KEYS, NULL};

typedef struct id_keys {
    const ctn_json *header, *body;
} id_keys;

static const ctn_key ID_KEYS[] = {
    {"header", CTN_KEY_NAME, offsetof(id_keys, header), "A header.", .is_choice = true},
    {"body", CTN_KEY_NAME, offsetof(id_keys, body), "A JSON Pointer into the body, like /id.", .is_choice = true},
};

const ctn_key_table ctn_config_hook_id_table = {"hookId", ID_KEYS, sizeof ID_KEYS / sizeof *ID_KEYS, NULL};

static void check_pointer(ctn_reader *r, const ctn_json *node)
{
    ctn_str text = ctn_json_text(node);
    if (!ctn_json_is(node, CTN_JSON_STRING) || (text.len && text.ptr[0] != '/'))
        ctn_reader_fault(r, node, "type", "a place in the body is a JSON Pointer, like /data/id");
}

static void read_hook(ctn_reader *r, const ctn_json *name, const ctn_json *node, ctn_config *c)
{
    hook_keys k = {0};
    id_keys id = {0};
    size_t faults = r->fault_count;
    ctn_config_hook *hook = &c->hooks[c->hook_count];
    *hook = (ctn_config_hook){.name = ctn_json_text(name)};
    ctn_keys_read(r, node, "a hook", KEYS, sizeof KEYS / sizeof *KEYS, &k);
    if (!ctn_principal_name_is_good(hook->name))
        ctn_reader_fault(r, name, "type",
                         "'%.*s' is no name of a hook: letters, digits, '.', '_' and '-', at most 64, for it stands in "
                         "its URL",
                         CTN_STR_ARG(hook->name));
    if (k.secret)
        (void) ctn_config_where_read(r, k.secret, "the secret of a hook", c->folder, &hook->secret);
    hook->scheme = k.scheme ? (ctn_signature_scheme) (k.scheme - 1) : CTN_SIGNATURE_STANDARD;
    if (r->fault_count == faults && (hook->scheme == CTN_SIGNATURE_HMAC) != (k.header != NULL))
        ctn_reader_fault(r, k.header ? k.header : node, "type",
                         k.header ? "a header is for the scheme hmac; the others have theirs"
                                  : "the scheme hmac needs a header: write header: X-Signature");
    for (size_t i = 0; i < ctn_json_count(k.input); i++)
        check_pointer(r, &k.input->members[i].value);
    if (k.id) {
        ctn_keys_read(r, k.id, "an id", ID_KEYS, sizeof ID_KEYS / sizeof *ID_KEYS, &id);
        if (r->fault_count == faults && !id.header == !id.body)
            ctn_reader_fault(r, k.id, "type", "the id of a delivery is in one of header and body");
        if (id.body)
            check_pointer(r, id.body);
    }
    hook->chain = ctn_json_text(k.chain);
    hook->principal = ctn_json_text(k.principal);
    hook->header = ctn_json_text(k.header);
    hook->input = k.input;
    hook->id_header = ctn_json_text(id.header);
    hook->id_pointer = ctn_json_text(id.body);
    c->hook_count += r->fault_count == faults;
}

void ctn_config_hooks_read(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    c->hooks = CTN_NEW_ARRAY(r->arena, ctn_config_hook, ctn_json_count(node));
    for (uint32_t i = 0; node && i < node->count; i++)
        read_hook(r, &node->members[i].key, &node->members[i].value, c);
}
