/* ending.c -- see ending.h. */
#include "drivers/command/ending.h"
#include "base/text.h"
#include <signal.h>

static bool has_code(const ctn_json *list, int code)
{
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        int64_t listed = -1;
        if (ctn_json_to_int64(ctn_json_at(list, i), &listed) && listed == code)
            return true;
    }
    return false;
}

static bool is_in(const ctn_json *exit_codes, const char *key, int otherwise, int code)
{
    const ctn_json *list = ctn_json_member_of(exit_codes, key);
    return list ? has_code(list, code) : code == otherwise;
}

ctn_str ctn_command_sentence(ctn_arena *arena, ctn_str sentence, ctn_str words)
{
    words = ctn_str_trim(words);
    if (!words.len)
        return sentence;
    if (words.len > CTN_COMMAND_WORDS_BYTES)
        words = ctn_str_from_offset(words, words.len - CTN_COMMAND_WORDS_BYTES);
    ctn_str clean = ctn_text_harmless(arena, words);
    return ctn_arena_printf(arena, "%.*s: %.*s", CTN_STR_ARG(sentence), CTN_STR_ARG(clean));
}

static ctn_call_result failed(ctn_arena *arena, const ctn_command_ending *e, ctn_failure failure, ctn_str sentence)
{
    return (ctn_call_result){.failure = failure,
                             .message = ctn_command_sentence(arena, sentence, e->words),
                             .was_sent = true,
                             .peer_is_dead = true};
}

static ctn_call_result ended_by_signal(ctn_arena *arena, const ctn_command_ending *e)
{
    int number = -e->exit_status;
    if (number == SIGXCPU)
        return failed(arena, e, CTN_FAILURE_LIMIT, CTN_STR("the command computed for longer than its cpuMs"));
    if (number == SIGXFSZ)
        return failed(arena, e, CTN_FAILURE_LIMIT, CTN_STR("the command wrote a file larger than its fileBytes"));
    const char *name = sigabbrev_np(number);
    return failed(arena, e, CTN_FAILURE_TRANSPORT,
                  ctn_arena_printf(arena, "the command was ended by signal %d (SIG%s)", number, name ? name : "?"));
}

static ctn_call_result succeeded(const ctn_json *value)
{
    return (ctn_call_result){.value = value, .was_sent = true, .peer_is_dead = true};
}

static ctn_call_result result_of_output(ctn_arena *arena, const ctn_command_ending *e)
{
    size_t len = e->output.len;
    if (!e->is_json) {
        if (!ctn_str_is_utf8(e->output))
            return failed(arena, e, CTN_FAILURE_INVALID_OUTPUT,
                          CTN_STR("stdout is no text in UTF-8; let the command encode it, or write it to a file"));
        len -= len > 0 && e->output.ptr[len - 1] == '\n';
        return succeeded(ctn_json_string(arena, (ctn_str){e->output.ptr, len}));
    }
    const ctn_json *value = NULL;
    ctn_err err = {0};
    if (ctn_json_parse(arena, ctn_arena_str(arena, e->output), NULL, &value, &err) == CTN_OK)
        return succeeded(value);
    return failed(arena, e, CTN_FAILURE_INVALID_OUTPUT,
                  ctn_str_trim(e->output).len
                      ? ctn_arena_printf(arena, "stdout is not one JSON value (line %u, column %u: %s)", err.line,
                                         err.column, err.message)
                      : CTN_STR("stdout is empty, and the set says that it is JSON"));
}

ctn_call_result ctn_command_result(ctn_arena *arena, const ctn_command_ending *e)
{
    if (e->exit_status < 0)
        return ended_by_signal(arena, e);
    if (is_in(e->exit_codes, "ok", 0, e->exit_status))
        return result_of_output(arena, e);
    if (is_in(e->exit_codes, "transient", 75, e->exit_status)) /* EX_TEMPFAIL of sysexits.h */
        return failed(arena, e, CTN_FAILURE_UNAVAILABLE,
                      ctn_arena_printf(arena, "the command says to try later (exit code %d)", e->exit_status));
    return failed(arena, e, CTN_FAILURE_TOOL_ERROR,
                  ctn_arena_printf(arena, "the command ended with exit code %d", e->exit_status));
}
