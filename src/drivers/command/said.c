/*
 * said.c -- see said.h.
 *
 * What `check` has seen to is not told again: the keys are those of chain/work.c and of the right types, as long as no
 * placeholder stood for them. A value that came in through a placeholder may be anything: it becomes one argument, one
 * variable or the input, as text.
 */
#include "drivers/command/said.h"
#include "value/template.h"

/* The value as one C string; NULL, and a sentence, when it holds a NUL. */
static const char *text_of(ctn_arena *arena, const ctn_json *value, const char *key, ctn_err *err)
{
    ctn_str text = ctn_value_to_text(arena, value);
    if (text.len && memchr(text.ptr, 0, text.len)) {
        (void) ctn_fail(err, CTN_E_INVALID, "a value of '%s' holds a NUL, which no program can be given there", key);
        return NULL;
    }
    return ctn_arena_str(arena, text).ptr;
}

/* A list of texts, NULL-terminated. */
static const char *const *texts_of(ctn_arena *arena, const ctn_json *list, const char *key, size_t before,
                                   const char ***ret_texts, ctn_err *err)
{
    size_t count = ctn_json_count(list);
    const char **texts = CTN_NEW_ARRAY(arena, const char *, before + count + 2);
    for (size_t i = 0; i < count; i++)
        if (!(texts[before + i] = text_of(arena, ctn_json_at(list, i), key, err)))
            return NULL;
    texts[before + count] = NULL;
    if (ret_texts)
        *ret_texts = texts;
    return texts;
}

static const char *path_of(ctn_arena *arena, const ctn_command_options *options, const char *path)
{
    return path[0] == '/' ? path : ctn_arena_printf(arena, "%s/%s", options->folder, path).ptr;
}

/* /bin/sh -c TEXT sh ARGUMENTS: what the text calls $1 is the second item. */
static const char *const *read_argv(ctn_arena *arena, const ctn_json *args, ctn_err *err)
{
    const ctn_json *list = ctn_json_member_of(args, "argv");
    if (!ctn_json_bool_or(args, "shell", false))
        return texts_of(arena, list, "argv", 0, NULL, err);
    const char **argv = NULL;
    if (!texts_of(arena, list, "argv", 3, &argv, err))
        return NULL;
    argv[0] = "/bin/sh";
    argv[1] = "-c";
    argv[2] = argv[3];
    argv[3] = "sh";
    return argv;
}

static const char *const *read_env(ctn_arena *arena, const ctn_command_options *options,
                                   const ctn_call_request *request, ctn_err *err)
{
    const ctn_json *own = ctn_json_member_of(request->args, "env");
    const ctn_json *inherited = ctn_json_member_of(request->args, "inheritEnv");
    size_t count = 0;
    const char **env = CTN_NEW_ARRAY(arena, const char *, ctn_json_count(own) + ctn_json_count(inherited) + 3);
    if (request->idempotency_key.len)
        env[count++] =
            ctn_arena_printf(arena, "CATENA_IDEMPOTENCY_KEY=%.*s", CTN_STR_ARG(request->idempotency_key)).ptr;
    if (request->traceparent.len)
        env[count++] = ctn_arena_printf(arena, "TRACEPARENT=%.*s", CTN_STR_ARG(request->traceparent)).ptr;
    for (size_t i = 0; i < ctn_json_count(own); i++) {
        const char *value = text_of(arena, &own->members[i].value, "env", err);
        if (!value)
            return NULL;
        env[count++] = ctn_arena_printf(arena, "%.*s=%s", CTN_STR_ARG(ctn_json_text(&own->members[i].key)), value).ptr;
    }
    for (size_t i = 0; i < ctn_json_count(inherited); i++) {
        ctn_str name = ctn_json_text(ctn_json_at(inherited, i));
        for (const char *const *variable = options->environment; variable && *variable; variable++)
            if (strncmp(*variable, name.ptr, name.len) == 0 && (*variable)[name.len] == '=' && !ctn_json_get(own, name))
                env[count++] = *variable;
    }
    env[count] = NULL;
    return env;
}

static const char *const *read_paths(ctn_arena *arena, const ctn_command_options *options, const ctn_json *args,
                                     const char *key, ctn_err *err)
{
    const char **paths = NULL;
    if (!texts_of(arena, ctn_json_member_of(args, key), key, 0, &paths, err))
        return NULL;
    for (size_t i = 0; paths[i]; i++)
        paths[i] = path_of(arena, options, paths[i]);
    return paths;
}

static uint64_t number_of(const ctn_json *args, const char *key, uint64_t otherwise)
{
    int64_t n = ctn_json_int_or(args, key, (int64_t) otherwise);
    return n > 0 ? (uint64_t) n : otherwise;
}

ctn_failure ctn_command_read(ctn_arena *arena, const ctn_command_options *options, const ctn_call_request *request,
                             ctn_command_said *ret_said, ctn_err *err)
{
    const ctn_json *args = request->args, *in = ctn_json_member_of(args, "stdin");
    const ctn_json *codes = ctn_json_member_of(args, "exitCodes");
    ctn_str cwd = ctn_json_str_or(args, "cwd", (ctn_str){0});
    ctn_command_said said = {.cwd = cwd.len ? path_of(arena, options, ctn_arena_str(arena, cwd).ptr) : options->folder,
                             .stdin_bytes = in ? ctn_value_to_text(arena, in) : (ctn_str){0},
                             .output_bytes = number_of(args, "outputBytes", CTN_COMMAND_OUTPUT_BYTES_DEFAULT),
                             .is_json = ctn_str_is(ctn_json_str_or(args, "stdout", CTN_STR("text")), "json"),
                             .exit_codes = codes ? ctn_json_copy(arena, codes) : NULL};
    said.limits = (ctn_spawn_limits){.cpu_s = (number_of(args, "cpuMs", 0) + 999) / 1000,
                                     .memory_bytes = number_of(args, "memoryBytes", 0),
                                     .file_bytes = number_of(args, "fileBytes", 0),
                                     .open_files = number_of(args, "openFiles", CTN_COMMAND_OPEN_FILES_DEFAULT),
                                     .processes = number_of(args, "processes", CTN_COMMAND_PROCESSES_DEFAULT),
                                     .no_network = !ctn_json_bool_or(args, "network", false)};
    said.limits.must_confine_files = ctn_json_member_of(args, "readable") || ctn_json_member_of(args, "writable");
    if (!ctn_json_count(ctn_json_member_of(args, "argv")))
        return ctn_failure_tell(err, CTN_FAILURE_INVALID_INPUT, "the command has no 'argv'");
    if (!(said.argv = read_argv(arena, args, err)) || !(said.env = read_env(arena, options, request, err)) ||
        !(said.limits.readable = read_paths(arena, options, args, "readable", err)) ||
        !(said.limits.writable = read_paths(arena, options, args, "writable", err)))
        return CTN_FAILURE_INVALID_INPUT;
    *ret_said = said;
    return CTN_FAILURE_NONE;
}
