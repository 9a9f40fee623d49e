/*
 * result.c -- see result.h.
 */
#include "cli/result.h"
#include <stdio.h>

int64_t ctn_result_duration_ms(const ctn_execution_row *row)
{
    return ctn_told_duration_ms(row, ctn_cli_now_ms());
}

ctn_json_builder ctn_result_object(ctn_arena *arena, const ctn_execution_row *row)
{
    return ctn_told_execution(arena, row, ctn_cli_now_ms());
}

/* Such characters stand inside strings only. */
void ctn_json_text_print(ctn_str text)
{
    size_t begin = 0;
    for (size_t at = 0; at < text.len;) {
        size_t bytes = (unsigned char) text.ptr[at] < 0x7F ? 0 : ctn_str_control_at(text, at, false);
        if (!bytes) {
            at++;
            continue;
        }
        const unsigned char *p = (const unsigned char *) text.ptr + at;
        unsigned code = bytes == 1   ? p[0]
                        : bytes == 2 ? (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu)
                                     : (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        (void) fwrite(text.ptr + begin, 1, at - begin, stdout);
        printf("\\u%04x", code);
        at += bytes;
        begin = at;
    }
    (void) fwrite(text.ptr + begin, 1, text.len - begin, stdout);
}

void ctn_result_print(const ctn_cli *cli, const ctn_json *v)
{
    ctn_buf out;
    ctn_buf_init(&out, SIZE_MAX / 2);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        ctn_json_write(&out, v);
    else
        ctn_json_write_pretty(&out, v);
    if (out.len == 0 || out.data[out.len - 1] != '\n')
        ctn_buf_append_char(&out, '\n');
    ctn_json_text_print(ctn_buf_str(&out));
    ctn_buf_done(&out);
}

void ctn_value_print(const ctn_cli *cli, const ctn_json *v)
{
    if (!ctn_json_is(v, CTN_JSON_STRING)) {
        ctn_result_print(cli, v);
        return;
    }
    ctn_str text = ctn_json_text(v);
    if (cli->out.is_terminal) /* a file or a program gets it as it is */
        text = ctn_text_harmless(cli->arena, text);
    (void) fwrite(text.ptr, 1, text.len, stdout);
    if (!ctn_str_ends_with(text, CTN_STR("\n")))
        (void) fputc('\n', stdout);
}
