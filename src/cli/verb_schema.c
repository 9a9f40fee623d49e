/*
 * verb_schema.c -- `schema`: the JSON Schemas of the files that people write, for their editors.
 */
#include "chain/editor_schema.h"
#include "cli/cli.h"
#include "host/config_schema.h"
#include <stdio.h>

static int run_schema(ctn_cli *cli)
{
    static const ctn_str KINDS[] = {{"chain", 5}, {"sets", 4}, {"config", 6}};
    ctn_str kind = ctn_word(cli, 0);
    const ctn_json *schema = NULL;
    if (ctn_str_is(kind, "config"))
        schema = ctn_config_schema(cli->arena);
    else
        schema = ctn_editor_schema_of(cli->arena, ctn_arena_str(cli->arena, kind).ptr);
    if (!schema)
        return ctn_cli_fail(cli, "there is no schema of '%.*s'; %.*s", CTN_STR_ARG(kind),
                            CTN_STR_ARG(ctn_suggest(cli->arena, kind, KINDS, 3)));
    ctn_buf out;
    ctn_buf_init(&out, 4u << 20);
    ctn_json_write_pretty(&out, schema);
    ctn_buf_append_char(&out, '\n');
    (void) fwrite(out.data, 1, out.len, stdout);
    ctn_buf_done(&out);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_schema = {
    .name = "schema",
    .operands = "chain|sets|config",
    .summary = "Print the JSON Schema of chain files, instruction-set files or catena.yaml, for editors",
    .details =
        "The same files are installed in share/catena/schema. In YAML, an editor finds one by a first line like\n"
        "# yaml-language-server: $schema=/usr/local/share/catena/schema/chain.schema.json",
    .words_min = 1,
    .words_max = 1,
    .run = run_schema,
};
