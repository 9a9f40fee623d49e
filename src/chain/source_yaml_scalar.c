/*
 * source_yaml_scalar.c -- what a plain scalar means: YAML 1.2's core schema, and nothing of YAML 1.1.
 *
 * A number keeps its text as far as JSON has a spelling for it: 1.10 stays 1.10, +1 becomes 1, .5 becomes
 * 0.5, 0x1F becomes 31. What JSON has no number for (.inf, .nan) is refused, since nothing could carry it.
 */
#include "chain/source_internal.h"
#include "chain/source_yaml.h"
#include "value/decimal.h"

#define BASED_DIGITS_MAX 1024 /* of 0x and 0o: turning them into decimals is more than linear */

static bool is_one_of(ctn_str s, const char *const *words)
{
    for (; *words; words++)
        if (ctn_str_is(s, *words))
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static bool is_digit_of(char c, int base)
{
    if (base == 8)
        return c >= '0' && c <= '7';
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 0o17, 0x1F. */
static bool read_based(ctn_arena *arena, ctn_str text, ctn_json *ret_value, const char **ret_fault)
{
    int base = ctn_str_starts_with(text, CTN_STR("0o")) ? 8 : ctn_str_starts_with(text, CTN_STR("0x")) ? 16 : 0;
    ctn_str digits = ctn_str_from_offset(text, 2);
    if (base == 0 || digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (!is_digit_of(digits.ptr[i], base))
            return false;
    if (digits.len > BASED_DIGITS_MAX) {
        *ret_fault = "a hexadecimal or octal number has at most 1024 digits: put it in quotes if it is text";
        return true;
    }
    *ret_value = *ctn_json_number(arena, ctn_decimal_of_digits(arena, digits, base));
    return true;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?, respelled as JSON has it. */
static bool read_decimal(ctn_arena *arena, ctn_str text, ctn_json *ret_value)
{
    char *spelled = ctn_arena_alloc(arena, text.len + 2);
    size_t len = 0, at = 0;
    if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+')) {
        if (text.ptr[at] == '-')
            spelled[len++] = '-';
        at++;
    }
    size_t whole = at;
    while (at < text.len && is_digit(text.ptr[at]))
        at++;
    size_t whole_digits = at - whole;
    while (whole_digits > 1 && text.ptr[whole] == '0')
        whole++, whole_digits--;
    if (whole_digits > 0)
        memcpy(spelled + len, text.ptr + whole, whole_digits);
    else
        spelled[len] = '0';
    len += whole_digits > 0 ? whole_digits : 1;
    size_t fraction_digits = 0;
    if (at < text.len && text.ptr[at] == '.') {
        size_t fraction = ++at;
        while (at < text.len && is_digit(text.ptr[at]))
            at++;
        fraction_digits = at - fraction;
        if (fraction_digits > 0) {
            spelled[len++] = '.';
            memcpy(spelled + len, text.ptr + fraction, fraction_digits);
            len += fraction_digits;
        }
    }
    if (whole_digits + fraction_digits == 0)
        return false;
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        size_t exponent = at++;
        if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+'))
            at++;
        size_t digits = at;
        while (at < text.len && is_digit(text.ptr[at]))
            at++;
        if (at == digits)
            return false;
        memcpy(spelled + len, text.ptr + exponent, at - exponent);
        len += at - exponent;
    }
    if (at != text.len)
        return false;
    *ret_value = *ctn_json_number(arena, (ctn_str){spelled, len});
    return true;
}

void ctn_yaml_resolve_plain(ctn_arena *arena, ctn_str text, ctn_json *ret_value, const char **ret_fault)
{
    static const char *const NULLS[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const TRUES[] = {"true", "True", "TRUE", NULL};
    static const char *const FALSES[] = {"false", "False", "FALSE", NULL};
    static const char *const NO_NUMBERS[] = {".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
                                             "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL};
    *ret_fault = NULL;
    *ret_value = ctn_json_null;
    if (is_one_of(text, NULLS))
        return;
    if (is_one_of(text, TRUES)) {
        *ret_value = ctn_json_true;
        return;
    }
    if (is_one_of(text, FALSES)) {
        *ret_value = ctn_json_false;
        return;
    }
    if (is_one_of(text, NO_NUMBERS)) {
        *ret_fault = "JSON has no such number: put it in quotes if it is text";
        return;
    }
    char first = text.ptr[0];
    bool may_be_number = is_digit(first) || first == '-' || first == '+' || first == '.';
    if (may_be_number && (read_based(arena, text, ret_value, ret_fault) || read_decimal(arena, text, ret_value)))
        return;
    *ret_value = *ctn_json_string(arena, text);
}
