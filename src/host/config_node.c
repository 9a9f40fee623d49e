/*
 * config_node.c -- see config_node.h.
 */
#include "host/config_node.h"
#include "chain/requires.h"
#include "host/access.h"

typedef struct node_keys {
    const ctn_json *name, *labels;
} node_keys;

static const ctn_key KEYS[] = {
    CTN_KEY("name", CTN_KEY_NAME, node_keys, name,
            "What people call this node, another one on each machine; default: the name of the machine."),
    CTN_KEY("labels", CTN_KEY_OBJECT, node_keys, labels,
            "What it is good for, as chains ask for it (requires): {gpu: true, zone: north}."),
};

const ctn_key_table ctn_config_node_table = {"node", KEYS, sizeof KEYS / sizeof *KEYS,
                                             "This process among others that share a store on PostgreSQL."};

bool ctn_node_name_is_good(ctn_str name)
{
    return ctn_principal_name_is_good(name);
}

void ctn_config_node_read(ctn_reader *r, const ctn_json *node, ctn_config *c)
{
    node_keys k = {0};
    if (!node)
        return;
    ctn_keys_read(r, node, "a node", KEYS, sizeof KEYS / sizeof *KEYS, &k);
    if (k.name && !ctn_node_name_is_good(ctn_json_text(k.name)))
        ctn_reader_fault(r, k.name, "type",
                         "'%.*s' is no name of a node: letters, digits, '.', '_' and '-', at most 64",
                         CTN_STR_ARG(ctn_json_text(k.name)));
    else if (k.name)
        c->node_name = ctn_json_text(k.name);
    for (uint32_t i = 0; k.labels && i < k.labels->count; i++)
        if (!ctn_is_label_value(&k.labels->members[i].value))
            ctn_reader_fault(r, &k.labels->members[i].value, "type",
                             "a label is a text, a number, true or false: {gpu: true, zone: north}");
    c->node_labels = k.labels;
}
