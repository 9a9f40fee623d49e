/* config_schema.c -- what each key of catena.yaml is for, in a line; see check/editor_schema.h. */
#include "host/config_schema.h"
#include "check/editor_schema.h"
#include "host/config_servers.h"
#include <assert.h>

/* clang-format off */
static const ctn_about ABOUTS[] = {
    {"configuration", NULL, "Where the store is, which servers there are, what is known by name. Paths are relative to this file.", NULL},
    {"configuration", "store", "sqlite:FILE. Default: sqlite:catena.db beside this file. sqlite:FILE?synchronous=normal is faster, and may lose the "
     "last moments on power loss.", NULL},
    {"configuration", "servers", "MCP servers by name, started as children when they are needed.",
     "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/server\"}}"},
    {"configuration", "mcpConfig", "The mcpServers file of desktop clients, taken as it is.", NULL},
    {"configuration", "include", "Files with chains and instruction sets, and folders of templates; * stands for any name.", NULL},
    {"configuration", "secrets", "Where secrets are found; they are read when used and never stored.",
     "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/secret\"}}"},
    {"configuration", "limits", "Bounds.", "{\"$ref\":\"#/$defs/limits\"}"},
    {"configuration", "retention", "How long executions are kept after their end. Default: completed 30d, failed 90d.", "{\"$ref\":\"#/$defs/retention\"}"},
    {"configuration", "sealing", "The key that sensitive values are sealed with.", "{\"$ref\":\"#/$defs/sealing\"}"},
    {"configuration", "interrupted", "ask (default), or retry: writes of unknown outcome are repeated.", NULL},

    {"limits", NULL, NULL, NULL},
    {"limits", "contextBytes", "All variables of an execution together; default 1048576.", NULL},
    {"limits", "valueBytes", "One variable; default 262144.", NULL},
    {"limits", "steps", "Steps of an execution, each item of a foreach being one; default 10000.", NULL},
    {"limits", "depth", "Chains in chains; default 16.", NULL},

    {"secret", NULL, NULL, "{\"oneOf\":[{\"required\":[\"env\"]},{\"required\":[\"file\"]}]}"},
    {"secret", "env", "A variable of the environment.", NULL},
    {"secret", "file", "A file.", NULL},

    {"retention", NULL, NULL, NULL},
    {"retention", "completed", "Those that completed. Like 30d: a number and s, m, h or d; or forever.", "{\"type\":\"string\",\"pattern\":\"^([0-9]+[smhd]|forever)$\"}"},
    {"retention", "failed", "All others: failed, rolled back, cancelled. Like 90d: a number and s, m, h or d; or forever.", "{\"type\":\"string\",\"pattern\":\"^([0-9]+[smhd]|forever)$\"}"},

    {"sealing", NULL, NULL, "{\"required\":[\"key\"]}"},
    {"sealing", "key", "Where the master keys are: a file (made when it is first needed; keep a copy) or a variable.", "{\"$ref\":\"#/$defs/secret\"}"},

    {"server", NULL, "A program that is started, or an address.", "{\"anyOf\":[{\"required\":[\"command\"]},{\"required\":[\"url\"]}]}"},
    {"server", "command", "The program: looked for in PATH, then beside catena; with a / in it, from this file.", NULL},
    {"server", "args", "Its arguments.", "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"},
    {"server", "env", "Variables of its environment.",
     "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"},
    {"server", "url", "The address of a server over HTTP.", NULL},
    {"server", "headers", "Headers that are sent to it.",
     "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"},
    {"server", "effects", "Your word on what a tool does; it wins over annotations.",
     "{\"type\":\"object\",\"additionalProperties\":{\"enum\":[\"none\",\"read\",\"idempotent\",\"write\"]}}"},
    {"server", "trusted", "Its tools' annotations are believed.", NULL},
    {"server", "version", "The one revision of MCP to speak. Default: found out.", NULL},
    {"server", "startTimeoutMs", "How long it may take to start. Default: 10000.", NULL},
};
/* clang-format on */

const ctn_json *ctn_config_schema(ctn_arena *arena)
{
    const ctn_key_table *tables[16];
    size_t count = 0;
    for (size_t i = 0; i < ctn_config_table_count; i++)
        tables[count++] = &ctn_config_tables[i];
    tables[count++] = &ctn_config_server_table;
    ctn_editor_schema schema = {.title = "Catena's configuration, catena.yaml",
                                .root = "{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/configuration\"}]}",
                                .tables = tables,
                                .table_count = count,
                                .abouts = ABOUTS,
                                .about_count = sizeof ABOUTS / sizeof *ABOUTS};
    const ctn_json *made = NULL;
    ctn_err err = {0};
    int rc = ctn_editor_schema_make(arena, &schema, &made, &err);
    assert(rc == CTN_OK && "every key has a description");
    return made;
}
