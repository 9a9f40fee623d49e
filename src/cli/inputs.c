/*
 * inputs.c -- see inputs.h.
 */
#include "cli/inputs.h"
#include "chain/source.h"
#include "host/files.h"

int ctn_json_argument(ctn_cli *cli, const char *what, ctn_str text, const ctn_json **ret_value)
{
    ctn_err err = {0};
    ctn_json_options options = {.reject_duplicates = true};
    if (ctn_json_parse(cli->arena, text, &options, ret_value, &err) == CTN_OK)
        return CTN_EXIT_OK;
    ctn_str shown = ctn_text_clean(cli->arena, text, 60);
    return ctn_cli_fail(cli, "%s: %.*s is no JSON: %s at character %u%s", what, CTN_STR_ARG(shown), err.message,
                        err.column,
                        text.len && text.ptr[0] != '{' && text.ptr[0] != '[' ? "; a text is written '\"text\"'" : "");
}

/* The text of the file whose path stands behind an '@'. */
static int file_text(ctn_cli *cli, const char *option, ctn_str name, ctn_str path, ctn_str *ret_text)
{
    ctn_err err = {0};
    if (path.len == 0)
        return ctn_cli_fail(cli, "%s %.*s=@ names no file; a text that is @ is written @@", option, CTN_STR_ARG(name));
    if (ctn_file_read(cli->arena, path, ret_text, &err))
        return ctn_cli_fail(cli, "%s %.*s: %s", option, CTN_STR_ARG(name), err.message);
    return CTN_EXIT_OK;
}

static int text_value(ctn_cli *cli, const char *option, ctn_str name, ctn_str text, const ctn_json **ret_value)
{
    if (text.len >= 2 && text.ptr[0] == '@' && text.ptr[1] == '@')
        text = ctn_str_from_offset(text, 1);
    else if (text.len && text.ptr[0] == '@') {
        int exit_code = file_text(cli, option, name, ctn_str_from_offset(text, 1), &text);
        if (exit_code != CTN_EXIT_OK)
            return exit_code;
    }
    if (!ctn_str_is_utf8(text))
        return ctn_cli_fail(cli, "%s %.*s: the text is not UTF-8", option, CTN_STR_ARG(name));
    *ret_value = ctn_json_string(cli->arena, text);
    return CTN_EXIT_OK;
}

int ctn_assignment_read(ctn_cli *cli, const char *option, const char *text, ctn_str *ret_name,
                        const ctn_json **ret_value)
{
    ctn_str rest = ctn_str_from(text);
    ctn_str name = ctn_str_cut(&rest, '=');
    bool is_json = name.len && name.ptr[name.len - 1] == ':';
    name.len -= is_json;
    if (!rest.ptr || name.len == 0)
        return ctn_cli_fail(cli, "%s %s: write NAME=TEXT, NAME:=JSON or NAME=@FILE", option, text);
    *ret_name = ctn_arena_str(cli->arena, name);
    if (!is_json)
        return text_value(cli, option, name, rest, ret_value);
    if (rest.len && rest.ptr[0] == '@') { /* no JSON begins so */
        int exit_code = file_text(cli, option, name, ctn_str_from_offset(rest, 1), &rest);
        if (exit_code != CTN_EXIT_OK)
            return exit_code;
    }
    ctn_str what = ctn_arena_printf(cli->arena, "%s %.*s:=", option, CTN_STR_ARG(name));
    return ctn_json_argument(cli, what.ptr, rest, ret_value);
}

static int read_object(ctn_cli *cli, const char *path, ctn_json_builder *b)
{
    ctn_str text;
    ctn_err err = {0};
    ctn_findings findings;
    ctn_source *source;
    ctn_findings_init(&findings, cli->arena);
    if (ctn_file_read(cli->arena, ctn_str_from(path), &text, &err))
        return ctn_cli_fail(cli, "--input: %s", err.message);
    ctn_str name = strcmp(path, "-") == 0 ? CTN_STR("standard input") : ctn_str_from(path);
    if (ctn_source_parse(cli->arena, name, text, &findings, &source)) {
        ctn_cli_findings(cli, &findings, true);
        return CTN_EXIT_USAGE;
    }
    const ctn_json *root = ctn_source_root(source);
    if (!ctn_json_is(root, CTN_JSON_OBJECT))
        return ctn_cli_fail(cli, "--input: %.*s holds no object of inputs but %s", CTN_STR_ARG(name),
                            ctn_json_kind_name(root));
    ctn_json_put_all(b, root);
    return CTN_EXIT_OK;
}

int ctn_inputs_read(ctn_cli *cli, const ctn_json **ret_input)
{
    ctn_json_builder b = ctn_json_object(cli->arena);
    int exit_code = CTN_EXIT_OK;
    if (ctn_opt_is_given(cli, CTN_OPT_INPUT))
        exit_code = read_object(cli, cli->args.values[CTN_OPT_INPUT], &b);
    for (size_t i = 0; exit_code == CTN_EXIT_OK && i < cli->args.given_count; i++) {
        ctn_str name;
        const ctn_json *value;
        if (cli->args.given[i].opt != CTN_OPT_SET_INPUT)
            continue;
        exit_code = ctn_assignment_read(cli, "-i", cli->args.given[i].value, &name, &value);
        if (exit_code == CTN_EXIT_OK)
            ctn_json_put(&b, name, value);
    }
    if (exit_code == CTN_EXIT_OK)
        *ret_input = ctn_json_finish(&b);
    return exit_code;
}

int ctn_labels_read(ctn_cli *cli, const ctn_json **ret_labels)
{
    ctn_json_builder b = ctn_json_object(cli->arena);
    *ret_labels = NULL;
    for (size_t i = 0; i < cli->args.given_count; i++) {
        if (cli->args.given[i].opt != CTN_OPT_LABEL)
            continue;
        ctn_str value = ctn_str_from(cli->args.given[i].value);
        ctn_str name = ctn_str_cut(&value, '=');
        if (!value.ptr || name.len == 0 || !ctn_str_is_utf8(name) || !ctn_str_is_utf8(value))
            return ctn_cli_fail(cli, "--label %s: write NAME=VALUE", cli->args.given[i].value);
        ctn_json_put(&b, name, ctn_json_string(cli->arena, value));
    }
    if (b.count)
        *ret_labels = ctn_json_finish(&b);
    return CTN_EXIT_OK;
}
