/*
 * log.c -- one event, one line, one write(2), so that lines of threads and processes do not mix.
 *
 * A value that needs it is quoted as JSON does it, in text too: nothing that is logged can begin a line of
 * its own or move a terminal's cursor. Values longer than VALUE_BYTES_MAX are cut.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"

#define VALUE_BYTES_MAX 2000
#define LINE_BYTES_MAX  ((size_t) 512 * 1024) /* more than the pairs of any call of ours take */

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static ctn_str cut(ctn_str s)
{
    if (s.len <= VALUE_BYTES_MAX)
        return s;
    s.len = VALUE_BYTES_MAX;
    while (s.len > 0 && ((unsigned char) s.ptr[s.len] & 0xC0) == 0x80)
        s.len--;
    return s;
}

static bool needs_quotes(ctn_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char) s.ptr[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F)
            return true;
    }
    return s.len == 0 || !ctn_str_is_utf8(s);
}

/* For terminals: what JSON leaves as it is (DEL, C1, marks of direction) becomes '?'. */
static void disarm(char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t bytes = ctn_str_control_at((ctn_str){text, len}, at, true);
        memset(text + at, '?', bytes);
        at += bytes ? bytes : 1;
    }
}

static void append_text_pair(ctn_buf *line, ctn_str name, ctn_str value)
{
    ctn_buf_append_char(line, ' ');
    ctn_buf_append(line, name);
    ctn_buf_append_char(line, '=');
    if (needs_quotes(value))
        ctn_json_write_string(line, value);
    else
        ctn_buf_append(line, value);
}

static void append_json_name(ctn_buf *line, const char *name)
{
    ctn_buf_append_char(line, line->len ? ',' : '{');
    ctn_json_write_string(line, ctn_str_from(name));
    ctn_buf_append_char(line, ':');
}

static void append_json_pair(ctn_buf *line, const char *name, ctn_str value)
{
    append_json_name(line, name);
    ctn_json_write_string(line, value);
}

/* The message as text: quoted without its quotes, so that it stays one line. */
static void append_message(ctn_buf *line, ctn_str message)
{
    size_t start = line->len;
    ctn_json_write_string(line, message);
    if (line->overflowed)
        return;
    memmove(line->data + start, line->data + start + 1, line->len - start - 2);
    line->len -= 2;
}

/* ---- a line ---- */

static void begin(const ctn_log *log, ctn_buf *line, ctn_log_level level, const char *message)
{
    char time[25];
    ctn_time_format(ctn_clock_now_ms(&log->clock), time);
    ctn_buf_init(line, LINE_BYTES_MAX);
    if (!log->json) {
        ctn_buf_printf(line, "%s %-5s ", time, level_names[level]);
        append_message(line, cut(ctn_str_from(message)));
        return;
    }
    append_json_pair(line, "ts", ctn_str_from(time));
    append_json_pair(line, "level", ctn_str_from(level_names[level]));
    append_json_pair(line, "msg", cut(ctn_str_from(message)));
    if (log->component)
        append_json_pair(line, "component", ctn_str_from(log->component));
}

static void append_text(const ctn_log *log, ctn_buf *line, const char *name, ctn_str value)
{
    if (log->json)
        append_json_pair(line, name, cut(value));
    else
        append_text_pair(line, ctn_str_from(name), cut(value));
}

static void append_number(const ctn_log *log, ctn_buf *line, const char *name, int64_t value)
{
    if (log->json)
        append_json_name(line, name);
    else
        ctn_buf_printf(line, " %s=", name);
    ctn_buf_append_int64(line, value);
}

static void end(const ctn_log *log, ctn_buf *line)
{
    if (!log->json)
        disarm(line->data, line->len);
    ctn_buf_append(line, log->json ? CTN_STR("}\n") : CTN_STR("\n"));
    /* A log that cannot be written has nowhere to say so. */
    while (write(log->fd, line->data, line->len) < 0 && errno == EINTR)
        continue;
    ctn_buf_done(line);
}

void ctn_log_line(const ctn_log *log, ctn_log_level level, const char *message, ...)
{
    ctn_buf line;
    va_list args;
    if (!ctn_log_is_on(log, level))
        return;
    begin(log, &line, level, message);
    va_start(args, message);
    for (const char *name; (name = va_arg(args, const char *)) != NULL;)
        append_text(log, &line, name, ctn_str_from(va_arg(args, const char *)));
    va_end(args);
    end(log, &line);
}

void ctn_log_fields(const ctn_log *log, ctn_log_level level, const char *message, const ctn_log_field *fields,
                    size_t count)
{
    ctn_buf line;
    if (!ctn_log_is_on(log, level))
        return;
    begin(log, &line, level, message);
    for (size_t i = 0; i < count; i++)
        if (fields[i].is_number && fields[i].number >= 0)
            append_number(log, &line, fields[i].name, fields[i].number);
        else if (!fields[i].is_number && fields[i].text.len)
            append_text(log, &line, fields[i].name, fields[i].text);
    end(log, &line);
}
