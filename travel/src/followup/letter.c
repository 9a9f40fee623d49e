/*
 * letter.c -- see letter.h. Encoded words hold 36 bytes each (48 in base64, 60 with what is around them), cut between
 * characters, so that no line of a header passes 76.
 */
#include "followup/letter.h"

#include "base/base64.h"
#include "base/hash.h"

#include <stdio.h>

enum {
    ADDRESS_BYTES_MAX = 254,
    PLAIN_HEADER_BYTES_MAX = 60,
    ENCODED_BYTES = 36,
    LINE_CHARS = 73, /* of quoted-printable, with room for "=2E" and a soft break in 76 */
    KEY_DIGITS = 16,
};

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f;
}

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

bool travel_mail_address_ok(ctn_str address)
{
    size_t at = SIZE_MAX;
    if (address.len < 3 || address.len > ADDRESS_BYTES_MAX)
        return false;
    for (size_t i = 0; i < address.len; i++) {
        char c = address.ptr[i];
        if (!is_plain(c) || is_in(c, " \"(),:;<>[\\]"))
            return false;
        if (c == '@' && at != SIZE_MAX)
            return false;
        if (c == '@')
            at = i;
    }
    return at != SIZE_MAX && at > 0 && at + 1 < address.len && address.ptr[at + 1] != '.' &&
           address.ptr[address.len - 1] != '.';
}

bool travel_phone_ok(ctn_str phone)
{
    int digits = 0;
    for (size_t i = 0; i < phone.len; i++) {
        char c = phone.ptr[i];
        if (c >= '0' && c <= '9')
            digits++;
        else if (!is_in(c, " ()-.") && !(c == '+' && i == 0))
            return false;
    }
    return digits >= 5 && digits <= 20;
}

bool travel_letter_is_mail(const travel_letter *letter)
{
    return ctn_str_is(letter->channel, "email") || (ctn_str_is(letter->channel, "desk") && letter->to_address.len > 0);
}

int travel_letter_check(const travel_letter *letter, ctn_err *err)
{
    bool is_mail = travel_letter_is_mail(letter);
    if (ctn_str_trim(letter->body).len == 0)
        return ctn_fail(err, CTN_E_INVALID, "the message is empty");
    if (!ctn_str_is_utf8(letter->body) || !ctn_str_is_utf8(letter->subject))
        return ctn_fail(err, CTN_E_INVALID, "the message is not UTF-8");
    if (letter->from_address.len > 0 && !travel_mail_address_ok(letter->from_address))
        return ctn_fail(err, CTN_E_INVALID, "the sender's address is no e-mail address: see agency.email");
    if (is_mail && !travel_mail_address_ok(letter->to_address))
        return ctn_fail(err, CTN_E_INVALID,
                        "the client's e-mail address cannot be written to: it is no name@domain in "
                        "plain letters");
    if (!is_mail && !ctn_str_is(letter->channel, "desk") && !travel_phone_ok(letter->to_address))
        return ctn_fail(err, CTN_E_INVALID, "the client's telephone number cannot be used: it is no number");
    return CTN_OK;
}

/* ---- names ---- */

static ctn_str key_digits(ctn_arena *arena, ctn_str key, size_t count)
{
    ctn_digest_text text = ctn_digest_to_text(ctn_hash(key));
    return ctn_arena_str(arena, (ctn_str){text.text, count});
}

ctn_str travel_letter_id(ctn_arena *arena, const travel_letter *letter)
{
    ctn_str domain = letter->from_address;
    (void) ctn_str_cut(&domain, '@');
    if (!travel_mail_address_ok(letter->from_address))
        domain = CTN_STR("localhost");
    ctn_str digits = key_digits(arena, letter->key, (size_t) 2 * KEY_DIGITS);
    return ctn_arena_printf(arena, "<%.*s@%.*s>", CTN_STR_ARG(digits), CTN_STR_ARG(domain));
}

ctn_str travel_letter_file_name(ctn_arena *arena, const travel_letter *letter)
{
    char stamp[20];
    size_t len = 0;
    for (size_t i = 0; i < letter->created_at.len && i < 19; i++)
        if (!is_in(letter->created_at.ptr[i], "-:"))
            stamp[len++] = letter->created_at.ptr[i];
    ctn_str digits = key_digits(arena, letter->key, KEY_DIGITS);
    return ctn_arena_printf(arena, "%.*sZ-%.*s-%.*s.%s", (int) len, stamp, CTN_STR_ARG(letter->channel),
                            CTN_STR_ARG(digits), travel_letter_is_mail(letter) ? "eml" : "txt");
}

/* ---- headers ---- */

/* One line: each control character is a blank, and there are no blanks at the ends. */
static ctn_str one_line(ctn_arena *arena, ctn_str text)
{
    char *line = ctn_arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len;) {
        size_t control = ctn_str_control_at(text, i, true);
        if (control) {
            line[len++] = ' ';
            i += control;
        } else {
            line[len++] = text.ptr[i++];
        }
    }
    return ctn_str_trim((ctn_str){line, len});
}

static bool is_all_plain(ctn_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_plain(text.ptr[i]))
            return false;
    return true;
}

static void write_encoded(ctn_buf *out, ctn_arena *scratch, ctn_str text)
{
    for (size_t from = 0; from < text.len;) {
        size_t end = from;
        while (end < text.len) {
            size_t bytes = ctn_str_utf8_at(text, end);
            bytes = bytes ? bytes : 1;
            if (end + bytes - from > ENCODED_BYTES)
                break;
            end += bytes;
        }
        if (from > 0)
            ctn_buf_append_literal(out, "\r\n ");
        ctn_str word = ctn_base64(scratch, (ctn_str){text.ptr + from, end - from});
        ctn_buf_printf(out, "=?UTF-8?B?%.*s?=", CTN_STR_ARG(word));
        from = end;
    }
}

/* Unstructured text, as in Subject. */
static void write_text(ctn_buf *out, ctn_arena *scratch, ctn_str text)
{
    bool is_as_it_is =
        is_all_plain(text) && text.len <= PLAIN_HEADER_BYTES_MAX && ctn_str_find(text, CTN_STR("=?")) == SIZE_MAX;
    if (is_as_it_is)
        ctn_buf_append(out, text);
    else
        write_encoded(out, scratch, text);
}

static void write_mailbox(ctn_buf *out, ctn_arena *scratch, ctn_str name, ctn_str address)
{
    name = one_line(scratch, name);
    if (name.len > 0 && is_all_plain(name) && name.len <= PLAIN_HEADER_BYTES_MAX) {
        ctn_buf_append_char(out, '"');
        for (size_t i = 0; i < name.len; i++) {
            if (is_in(name.ptr[i], "\"\\"))
                ctn_buf_append_char(out, '\\');
            ctn_buf_append_char(out, name.ptr[i]);
        }
        ctn_buf_append_literal(out, "\"\r\n ");
    } else if (name.len > 0) {
        write_encoded(out, scratch, name);
        ctn_buf_append_literal(out, "\r\n ");
    }
    ctn_buf_printf(out, "<%.*s>\r\n", CTN_STR_ARG(address));
}

/* "2026-03-08T11:47:00.000Z" as "08 Mar 2026 11:47:00 +0000" (the weekday may be left out). */
static void write_date(ctn_buf *out, ctn_str at)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t month = 0;
    if (at.len < 19 || !ctn_str_to_int64((ctn_str){at.ptr + 5, 2}, &month) || month < 1 || month > 12)
        return;
    ctn_buf_printf(out, "Date: %.2s %s %.4s %.8s +0000\r\n", at.ptr + 8, months[month - 1], at.ptr, at.ptr + 11);
}

/* ---- bodies ---- */

/* The next line of a text whose lines end with CR LF, LF or CR. */
static ctn_str cut_line(ctn_str *text)
{
    size_t len = 0;
    while (len < text->len && text->ptr[len] != '\n' && text->ptr[len] != '\r')
        len++;
    ctn_str line = {text->ptr, len};
    size_t skip = len < text->len ? len + 1 : len;
    if (len + 1 < text->len && text->ptr[len] == '\r' && text->ptr[len + 1] == '\n')
        skip++;
    *text = ctn_str_from_offset(*text, skip);
    return line;
}

static void write_quoted_line(ctn_buf *out, ctn_str line)
{
    size_t column = 0;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        bool is_last = i + 1 == line.len;
        bool is_quoted =
            (!is_plain(c) && c != '\t') || c == '=' || (is_in(c, " \t") && is_last) || (c == '.' && !column);
        if (column + (is_quoted ? 3 : 1) > LINE_CHARS) {
            ctn_buf_append_literal(out, "=\r\n");
            column = 0;
            is_quoted = is_quoted || c == '.';
        }
        if (is_quoted)
            ctn_buf_printf(out, "=%02X", (unsigned char) c);
        else
            ctn_buf_append_char(out, c);
        column += is_quoted ? 3 : 1;
    }
    ctn_buf_append_literal(out, "\r\n");
}

static void write_mail(const travel_letter *letter, ctn_arena *scratch, ctn_buf *out)
{
    ctn_str body = ctn_str_trim(letter->body);
    if (letter->from_address.len > 0) {
        ctn_buf_append_literal(out, "From: ");
        write_mailbox(out, scratch, letter->from_name, letter->from_address);
    }
    ctn_buf_append_literal(out, "To: ");
    write_mailbox(out, scratch, letter->to_name, letter->to_address);
    ctn_buf_append_literal(out, "Subject: ");
    write_text(out, scratch, one_line(scratch, letter->subject));
    ctn_buf_append_literal(out, "\r\n");
    write_date(out, letter->created_at);
    ctn_buf_printf(out, "Message-ID: %.*s\r\n", CTN_STR_ARG(travel_letter_id(scratch, letter)));
    if (letter->language.len > 0)
        ctn_buf_printf(out, "Content-Language: %.*s\r\n", CTN_STR_ARG(one_line(scratch, letter->language)));
    ctn_buf_append_literal(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                                "Content-Type: text/plain; charset=utf-8\r\n"
                                "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    while (body.len > 0)
        write_quoted_line(out, cut_line(&body));
}

static void write_note(const travel_letter *letter, ctn_arena *scratch, ctn_buf *out)
{
    ctn_str body = ctn_str_trim(letter->body), subject = one_line(scratch, letter->subject),
            name = one_line(scratch, letter->to_name);
    ctn_buf_printf(out, "Channel: %.*s\n", CTN_STR_ARG(letter->channel));
    if (letter->to_address.len > 0)
        ctn_buf_printf(out, "To: %.*s\n", CTN_STR_ARG(letter->to_address));
    if (name.len > 0)
        ctn_buf_printf(out, "Name: %.*s\n", CTN_STR_ARG(name));
    if (subject.len > 0)
        ctn_buf_printf(out, "Subject: %.*s\n", CTN_STR_ARG(subject));
    if (letter->language.len > 0)
        ctn_buf_printf(out, "Language: %.*s\n", CTN_STR_ARG(one_line(scratch, letter->language)));
    ctn_buf_printf(out, "Date: %.*s\nMessage-ID: %.*s\n\n", CTN_STR_ARG(letter->created_at),
                   CTN_STR_ARG(travel_letter_id(scratch, letter)));
    while (body.len > 0) {
        ctn_buf_append(out, cut_line(&body));
        ctn_buf_append_char(out, '\n');
    }
}

void travel_letter_write(const travel_letter *letter, ctn_arena *scratch, ctn_buf *out)
{
    if (travel_letter_is_mail(letter))
        write_mail(letter, scratch, out);
    else
        write_note(letter, scratch, out);
}
