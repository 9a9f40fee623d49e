/*
 * work_command.c -- the keys of a command: a program, what it is given, what it may do.
 *
 * Which program runs, where it runs and what it may touch is said by the set alone: there a placeholder is a fault. So
 * is one in a text that a shell runs, for a value would be read as code.
 */
#include "chain/work_internal.h"
#include <stddef.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* What only the set says, never a value: which program runs, where, and what it may touch. */
static void read_fixed(ctn_reader *reader, const ctn_json *text, const char *key)
{
    ctn_template *template = NULL;
    ctn_reads reads = {0};
    ctn_err err = {0};
    if (!ctn_json_is(text, CTN_JSON_STRING) ||
        ctn_template_compile(reader->arena, ctn_json_text(text), &template, &err))
        return; /* told where the type is looked at, or the text is compiled */
    ctn_template_reads(template, reader->arena, &reads);
    if (reads.count > 0)
        ctn_reader_fault(reader, text, "type",
                         "%s takes no placeholder: a value could change what runs or what it may touch. Give the value "
                         "as an argument, a variable of 'env' or 'stdin'; for a brace before a name write {{",
                         key);
}

/* Everybody on the machine can read what a program was started with. */
static void refuse_secret(ctn_reader *reader, const ctn_json *text)
{
    ctn_template *template = NULL;
    ctn_reads reads = {0};
    ctn_err err = {0};
    if (!ctn_json_is(text, CTN_JSON_STRING) ||
        ctn_template_compile(reader->arena, ctn_json_text(text), &template, &err))
        return;
    ctn_template_reads(template, reader->arena, &reads);
    for (size_t i = 0; i < reads.count; i++)
        if (ctn_str_is(reads.items[i].root, "secret"))
            ctn_reader_fault(
                reader, text, "type",
                "{%.*s} in 'argv' could be read by everybody on the machine; give it as a variable of 'env' "
                "or in 'stdin'",
                CTN_STR_ARG(reads.items[i].path));
}

static void read_folder(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    read_fixed(reader, value, "'cwd'");
}

static void read_paths(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    for (size_t i = 0; i < ctn_json_count(value); i++)
        read_fixed(reader, ctn_json_at(value, i), "a path that a command may reach");
}

static bool is_shell(ctn_str program)
{
    static const char *const SHELLS[] = {"sh", "bash", "dash", "zsh", "ksh", "ash"};
    for (size_t i = program.len; i-- > 0;)
        if (program.ptr[i] == '/') {
            program = ctn_str_from_offset(program, i + 1);
            break;
        }
    for (size_t i = 0; i < COUNT(SHELLS); i++)
        if (ctn_str_is(program, SHELLS[i]))
            return true;
    return false;
}

static void read_argv(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    if (!ctn_json_is(value, CTN_JSON_ARRAY) || ctn_json_count(value) == 0) {
        ctn_reader_fault(reader, value, "type",
                         "'argv' must be a list that begins with the program, like [convert, \"{file}\"]");
        return;
    }
    for (size_t i = 0; i < ctn_json_count(value); i++)
        if (!ctn_json_is(ctn_json_at(value, i), CTN_JSON_STRING))
            ctn_reader_fault(reader, ctn_json_at(value, i), "type",
                             "an item of 'argv' must be a text; put it in quotes");
    const ctn_json *program = ctn_json_at(value, 0);
    if (ctn_json_is(program, CTN_JSON_STRING) && ctn_json_text(program).len == 0)
        ctn_reader_fault(reader, program, "type", "'argv' must begin with the program; this is empty");
    read_fixed(reader, program, "the first item of 'argv'");
    for (size_t i = 1; i < ctn_json_count(value); i++)
        refuse_secret(reader, ctn_json_at(value, i));
    for (size_t i = 2; is_shell(ctn_json_text(program)) && i < ctn_json_count(value); i++)
        if (ctn_str_is(ctn_json_text(ctn_json_at(value, i - 1)), "-c"))
            read_fixed(reader, ctn_json_at(value, i), "the text that a shell runs");
}

static bool is_variable_name(ctn_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!is_letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

static void read_variable(ctn_reader *reader, const ctn_json *node, ctn_str name)
{
    if (!is_variable_name(name))
        ctn_reader_fault(reader, node, "type", "'%.*s' is no name of an environment variable (letters, digits, _)",
                         CTN_STR_ARG(name));
    else if (ctn_str_is(name, "CATENA_IDEMPOTENCY_KEY") || ctn_str_is(name, "TRACEPARENT"))
        ctn_reader_fault(reader, node, "reserved-name", "'%.*s' is set by catena for each call", CTN_STR_ARG(name));
}

static void read_env(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    for (uint32_t i = 0; i < value->count; i++)
        read_variable(reader, &value->members[i].key, ctn_json_text(&value->members[i].key));
}

static void read_inherited(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    for (size_t i = 0; i < ctn_json_count(value); i++)
        read_variable(reader, ctn_json_at(value, i), ctn_json_text(ctn_json_at(value, i)));
}

static void read_codes(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    for (size_t i = 0; i < ctn_json_count(value); i++) {
        int64_t code = -1;
        if (!ctn_json_to_int64(ctn_json_at(value, i), &code) || code < 0 || code > 255)
            ctn_reader_fault(reader, ctn_json_at(value, i), "type", "an exit code is a whole number from 0 to 255");
    }
}

const ctn_key ctn_exit_codes_keys[] = {
    CHECKED("ok", CTN_KEY_LIST, "Codes of success. Default: [0].", .read = read_codes),
    CHECKED("transient", CTN_KEY_LIST, "Codes that say: nothing happened, try later. Default: [75].",
            .read = read_codes),
};

static void read_exit_codes(ctn_reader *reader, const ctn_json *value, void *target)
{
    (void) target;
    ctn_checked nobody_reads = {0};
    ctn_keys_read(reader, value, "'exitCodes'", ctn_exit_codes_keys, CTN_EXIT_CODES_KEY_COUNT, &nobody_reads);
}

static const char *const STDOUT_WORDS[] = {"text", "json", NULL};
const ctn_key ctn_command_keys[] = {
    CHECKED("argv", CTN_KEY_TREE, "The program and its arguments, as templates; each is one argument.",
            .is_required = true, .read = read_argv),
    CHECKED("shell", CTN_KEY_BOOL, "The first item is run by /bin/sh; the others are its $1, $2 ... Default: false."),
    CHECKED("stdin", CTN_KEY_TREE, "What it reads: a text, or a value that is written as JSON. Default: nothing."),
    CHECKED("stdout", CTN_KEY_WORD, "What it writes: text or json. Default: text.", .words = STDOUT_WORDS),
    CHECKED("env", CTN_KEY_TREE_OBJECT, "Variables of its environment, as templates.", .read = read_env),
    CHECKED("inheritEnv", CTN_KEY_NAMES, "Variables that it inherits. Default: none.", .read = read_inherited),
    CHECKED("cwd", CTN_KEY_NAME, "The folder that it runs in. Default: that of catena.yaml.", .read = read_folder),
    CHECKED("readable", CTN_KEY_NAMES, "Files and folders that it may read and run, beside the system's.",
            .read = read_paths),
    CHECKED("writable", CTN_KEY_NAMES, "Files and folders that it may read and write.", .read = read_paths),
    CHECKED("network", CTN_KEY_BOOL, "It may make sockets. Default: false."),
    CHECKED("timeoutMs", CTN_KEY_INT, "Milliseconds; then SIGTERM, and SIGKILL 2 s later.", .min = 1,
            .max = CTN_TEN_YEARS_MS),
    CHECKED("outputBytes", CTN_KEY_INT, "Most that it may write to stdout. Default: 1 MiB.", .min = 1, .max = 64 << 20),
    CHECKED("cpuMs", CTN_KEY_INT, "Computing time of each process, in whole seconds as the kernel counts.", .min = 1,
            .max = CTN_TEN_YEARS_MS),
    CHECKED("memoryBytes", CTN_KEY_INT, "Addresses of each process.", .min = 1 << 20, .max = INT64_C(1) << 50),
    CHECKED("fileBytes", CTN_KEY_INT, "Size of each file that it writes.", .min = 1, .max = INT64_C(1) << 50),
    CHECKED("openFiles", CTN_KEY_INT, "Open files of each process. Default: 256.", .min = 16, .max = 1 << 20),
    CHECKED("processes", CTN_KEY_INT, "Processes and threads that it may add to its user's. Default: 64.", .min = 1,
            .max = 1 << 20),
    CHECKED("exitCodes", CTN_KEY_OBJECT, "Which exit codes are success, and which say to try later.",
            .read = read_exit_codes),
};
