/*
 * sse.c -- events out of a text/event-stream, as its bytes come.
 *
 * A line that lies whole in the bytes at hand is read where it lies; only one that was cut is copied first.
 */
#include "wire/sse.h"

enum { ID_BYTES_MAX = 4096, TYPE_BYTES_MAX = 256 };

void ctn_sse_init(ctn_sse *sse, size_t event_bytes_max)
{
    *sse = (ctn_sse){.retry_ms = -1};
    ctn_buf_init(&sse->line, event_bytes_max);
    ctn_buf_init(&sse->data, event_bytes_max);
    ctn_buf_init(&sse->type, TYPE_BYTES_MAX);
    ctn_buf_init(&sse->id, ID_BYTES_MAX);
    sse->line.may_lack = sse->data.may_lack = true;
}

void ctn_sse_done(ctn_sse *sse)
{
    ctn_buf_done(&sse->line);
    ctn_buf_done(&sse->data);
    ctn_buf_done(&sse->type);
    ctn_buf_done(&sse->id);
}

static void set_text(ctn_buf *buf, ctn_str text)
{
    ctn_buf_clear(buf);
    ctn_buf_append(buf, text);
}

static void take_field(ctn_sse *sse, ctn_str name, ctn_str value)
{
    if (ctn_str_is(name, "data")) {
        if (sse->has_data)
            ctn_buf_append_char(&sse->data, '\n');
        sse->has_data = true;
        ctn_buf_append(&sse->data, value);
    } else if (ctn_str_is(name, "event")) {
        set_text(&sse->type, value);
    } else if (ctn_str_is(name, "id")) {
        if (value.len == 0 || !memchr(value.ptr, '\0', value.len))
            set_text(&sse->id, value);
    } else if (ctn_str_is(name, "retry")) {
        int64_t ms;
        if (value.len > 0 && value.ptr[0] != '-' && ctn_str_to_int64(value, &ms))
            sse->retry_ms = ms;
    }
    sse->is_too_large = sse->data.overflowed || sse->type.overflowed || sse->id.overflowed;
}

/* True: the line ended an event. */
static bool take_line(ctn_sse *sse, ctn_str line)
{
    if (!sse->is_begun && ctn_str_starts_with(line, CTN_STR("\xef\xbb\xbf")))
        line = ctn_str_from_offset(line, 3);
    sse->is_begun = true;
    if (sse->is_told) {
        sse->is_told = sse->has_data = false;
        ctn_buf_clear(&sse->data);
        ctn_buf_clear(&sse->type);
    }
    if (line.len == 0) {
        sse->is_told = true;
        return sse->has_data;
    }
    if (line.ptr[0] == ':')
        return false;
    ctn_str value = line;
    ctn_str name = ctn_str_cut(&value, ':');
    if (value.len > 0 && value.ptr[0] == ' ')
        value = ctn_str_from_offset(value, 1);
    take_field(sse, name, value);
    return false;
}

/* Bytes before the first CR or LF; all of them: there is none. */
static size_t line_bytes(ctn_str bytes)
{
    const char *lf = memchr(bytes.ptr, '\n', bytes.len);
    size_t length = lf ? (size_t) (lf - bytes.ptr) : bytes.len;
    const char *cr = memchr(bytes.ptr, '\r', length);
    return cr ? (size_t) (cr - bytes.ptr) : length;
}

bool ctn_sse_next(ctn_sse *sse, ctn_str *bytes, ctn_sse_event *ret_event)
{
    while (bytes->len > 0 && !sse->is_too_large) {
        if (sse->may_skip_lf) {
            sse->may_skip_lf = false;
            if (bytes->ptr[0] == '\n') {
                *bytes = ctn_str_from_offset(*bytes, 1);
                continue;
            }
        }
        size_t length = line_bytes(*bytes);
        ctn_str line = {bytes->ptr, length};
        bool is_whole = length<bytes->len, is_cut = sse->line.len> 0 || !is_whole;
        sse->may_skip_lf = is_whole && bytes->ptr[length] == '\r';
        *bytes = ctn_str_from_offset(*bytes, is_whole ? length + 1 : length);
        if (is_cut) {
            ctn_buf_append(&sse->line, line);
            line = ctn_buf_str(&sse->line);
            sse->is_too_large = sse->line.overflowed;
        }
        if (!is_whole || sse->is_too_large)
            continue;
        bool is_event = take_line(sse, line);
        ctn_buf_clear(&sse->line);
        if (is_event && !sse->is_too_large) {
            *ret_event = (ctn_sse_event){.type = sse->type.len ? ctn_buf_str(&sse->type) : CTN_STR("message"),
                                         .data = ctn_buf_str(&sse->data),
                                         .id = ctn_buf_str(&sse->id)};
            return true;
        }
    }
    if (sse->is_too_large)
        *bytes = ctn_str_from_offset(*bytes, bytes->len);
    return false;
}
