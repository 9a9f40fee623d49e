/*
 * json_number.c -- the value of a number, read from its text. No double is ever made.
 *
 * A number is taken apart into its significant digits (no zero at either end) and the exponent of the
 * first of them. Two numbers are equal exactly when sign, digits and exponent are, so comparing costs no
 * more than reading, whatever the exponent: 1e999999999 is one digit here, never a billion. Exponents
 * may themselves have any number of digits; those of 10^18 and more are kept as text.
 */
#include "base/json_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

#define LARGE_EXPONENT     1000000000000000000 /* 10^18 */
#define SMALL_DIGITS_MAX   18
#define PLAIN_EXPONENT_MAX 20 /* canonical form: 100000000000000000000 is plain, ten times that is 1e+21 */
#define PLAIN_EXPONENT_MIN (-7)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(ctn_str s, size_t at)
{
    while (at < s.len && is_digit(s.ptr[at]))
        at++;
    return at;
}

bool ctn_json_is_number_text(ctn_str s)
{
    size_t at = 0;
    if (at < s.len && s.ptr[at] == '-')
        at++;
    size_t end = skip_digits(s, at);
    if (end == at || (s.ptr[at] == '0' && end > at + 1))
        return false;
    at = end;
    if (at < s.len && s.ptr[at] == '.') {
        end = skip_digits(s, at + 1);
        if (end == at + 1)
            return false;
        at = end;
    }
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        if (at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-'))
            at++;
        end = skip_digits(s, at);
        if (end == at)
            return false;
        at = end;
    }
    return at == s.len;
}

static int64_t small_int(ctn_str digits)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits.len; i++)
        value = value * 10 + (digits.ptr[i] - '0');
    return value;
}

/* exponent := digits (more than 18 of them) with the sign exponent_negative, plus shift. */
static void set_large_exponent(json_decimal *d, ctn_str digits, int64_t shift)
{
    size_t len = digits.len + 1;
    char *sum = ctn_malloc(len);
    sum[0] = '0';
    memcpy(sum + 1, digits.ptr, digits.len);
    int64_t carry = d->exponent_negative ? -shift : shift; /* the shift is too small to turn the sign */
    for (size_t at = len; carry != 0;) {
        at--;
        int64_t digit = (sum[at] - '0') + carry;
        int64_t low = digit % 10;
        if (low < 0)
            low += 10;
        sum[at] = (char) ('0' + low);
        carry = (digit - low) / 10;
    }
    size_t zeros = 0;
    while (sum[zeros] == '0')
        zeros++;
    ctn_str kept = {sum + zeros, len - zeros};
    if (kept.len <= SMALL_DIGITS_MAX) {
        d->exponent = d->exponent_negative ? -small_int(kept) : small_int(kept);
        ctn_free(sum);
        return;
    }
    d->exponent_is_large = true;
    d->large_memory = sum;
    d->large_digits = kept;
}

static void set_exponent(json_decimal *d, ctn_str text, int64_t shift)
{
    if (text.len && (text.ptr[0] == '+' || text.ptr[0] == '-')) {
        d->exponent_negative = text.ptr[0] == '-';
        text = ctn_str_from_offset(text, 1);
    }
    while (text.len && text.ptr[0] == '0')
        text = ctn_str_from_offset(text, 1);
    if (text.len > SMALL_DIGITS_MAX) {
        set_large_exponent(d, text, shift);
        return;
    }
    int64_t given = small_int(text);
    int64_t sum = (d->exponent_negative ? -given : given) + shift;
    d->exponent_negative = sum < 0;
    if (sum > -LARGE_EXPONENT && sum < LARGE_EXPONENT) {
        d->exponent = sum;
        return;
    }
    char *digits = ctn_malloc(24);
    int length = snprintf(digits, 24, "%lld", (long long) (sum < 0 ? -sum : sum));
    d->exponent_is_large = true;
    d->large_memory = digits;
    d->large_digits = (ctn_str){digits, (size_t) length};
}

void json_decimal_init(json_decimal *d, ctn_str text)
{
    *d = (json_decimal){0};
    size_t at = 0;
    if (text.ptr[0] == '-') {
        d->negative = true;
        at = 1;
    }
    size_t end = skip_digits(text, at);
    d->whole = (ctn_str){text.ptr + at, end - at};
    d->fraction = (ctn_str){text.ptr + end, 0};
    if (end < text.len && text.ptr[end] == '.') {
        at = end + 1;
        end = skip_digits(text, at);
        d->fraction = (ctn_str){text.ptr + at, end - at};
    }
    size_t total = d->whole.len + d->fraction.len;
    while (d->digit_first < total && json_decimal_digit(d, 0) == '0')
        d->digit_first++;
    if (d->digit_first == total) { /* zero, whatever its exponent and sign */
        d->negative = false;
        return;
    }
    d->digit_count = total - d->digit_first;
    while (json_decimal_digit(d, d->digit_count - 1) == '0')
        d->digit_count--;
    int64_t shift = (int64_t) d->whole.len - 1 - (int64_t) d->digit_first;
    set_exponent(d, ctn_str_from_offset(text, end < text.len ? end + 1 : text.len), shift);
}

void json_decimal_done(json_decimal *d)
{
    ctn_free(d->large_memory);
    d->large_memory = NULL;
}

static int order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_exponents(const json_decimal *a, const json_decimal *b)
{
    if (!a->exponent_is_large && !b->exponent_is_large)
        return order_of(a->exponent, b->exponent);
    int sign_a = a->exponent_negative ? -1 : 1, sign_b = b->exponent_negative ? -1 : 1;
    if (!a->exponent_is_large)
        return -sign_b;
    if (!b->exponent_is_large)
        return sign_a;
    if (sign_a != sign_b)
        return sign_a;
    int by_size = order_of((int64_t) a->large_digits.len, (int64_t) b->large_digits.len);
    if (by_size == 0)
        by_size = order_of(memcmp(a->large_digits.ptr, b->large_digits.ptr, a->large_digits.len), 0);
    return sign_a * by_size;
}

static int compare_digits(const json_decimal *a, const json_decimal *b)
{
    size_t shared = a->digit_count < b->digit_count ? a->digit_count : b->digit_count;
    for (size_t i = 0; i < shared; i++) {
        int order = order_of(json_decimal_digit(a, i), json_decimal_digit(b, i));
        if (order)
            return order;
    }
    return order_of((int64_t) a->digit_count, (int64_t) b->digit_count); /* the last digit is no zero */
}

static int sign_of(const json_decimal *d)
{
    return d->digit_count == 0 ? 0 : d->negative ? -1 : 1;
}

int ctn_json_number_compare(const ctn_json *a, const ctn_json *b)
{
    assert(ctn_json_is(a, CTN_JSON_NUMBER) && ctn_json_is(b, CTN_JSON_NUMBER));
    ctn_str text_a = ctn_json_text(a), text_b = ctn_json_text(b);
    if (ctn_str_equal(text_a, text_b))
        return 0;
    int64_t int_a, int_b;
    if (ctn_str_to_int64(text_a, &int_a) && ctn_str_to_int64(text_b, &int_b))
        return order_of(int_a, int_b);
    json_decimal x, y;
    json_decimal_init(&x, text_a);
    json_decimal_init(&y, text_b);
    int order = order_of(sign_of(&x), sign_of(&y));
    if (order == 0 && sign_of(&x) != 0) {
        order = compare_exponents(&x, &y);
        if (order == 0)
            order = compare_digits(&x, &y);
        order *= sign_of(&x);
    }
    json_decimal_done(&x);
    json_decimal_done(&y);
    return order;
}

bool ctn_json_to_int64(const ctn_json *v, int64_t *ret_value)
{
    if (!ctn_json_is(v, CTN_JSON_NUMBER))
        return false;
    if (ctn_str_to_int64(ctn_json_text(v), ret_value))
        return true;
    json_decimal d;
    json_decimal_init(&d, ctn_json_text(v));
    bool is_whole = d.digit_count == 0 || (!d.exponent_is_large && d.exponent >= 0 && d.exponent <= 18 &&
                                           d.digit_count <= (size_t) d.exponent + 1);
    int64_t value = 0; /* built below zero, where there is room for one more */
    size_t places = d.digit_count && is_whole ? (size_t) d.exponent + 1 : 0;
    for (size_t i = 0; is_whole && i < places; i++) {
        int digit = i < d.digit_count ? json_decimal_digit(&d, i) - '0' : 0;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value))
            is_whole = false;
    }
    if (!d.negative && value == INT64_MIN)
        is_whole = false;
    if (is_whole)
        *ret_value = d.negative ? value : -value;
    json_decimal_done(&d);
    return is_whole;
}

static void write_digits(const json_decimal *d, ctn_buf *out, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        ctn_buf_append_char(out, i < d->digit_count ? json_decimal_digit(d, i) : '0');
}

static void write_scientific(const json_decimal *d, ctn_buf *out)
{
    write_digits(d, out, 0, 1);
    if (d->digit_count > 1) {
        ctn_buf_append_char(out, '.');
        write_digits(d, out, 1, d->digit_count);
    }
    ctn_buf_append_char(out, 'e');
    if (d->exponent_is_large) {
        ctn_buf_append_char(out, d->exponent_negative ? '-' : '+');
        ctn_buf_append(out, d->large_digits);
        return;
    }
    if (d->exponent >= 0)
        ctn_buf_append_char(out, '+');
    ctn_buf_append_int64(out, d->exponent);
}

void json_decimal_write(const json_decimal *d, ctn_buf *out)
{
    if (d->negative)
        ctn_buf_append_char(out, '-');
    if (d->digit_count == 0) {
        ctn_buf_append_char(out, '0');
    } else if (d->exponent_is_large || d->exponent > PLAIN_EXPONENT_MAX || d->exponent < PLAIN_EXPONENT_MIN) {
        write_scientific(d, out);
    } else if (d->exponent < 0) {
        ctn_buf_append_literal(out, "0.");
        for (int64_t i = -1; i > d->exponent; i--)
            ctn_buf_append_char(out, '0');
        write_digits(d, out, 0, d->digit_count);
    } else {
        size_t before = (size_t) d->exponent + 1;
        write_digits(d, out, 0, before);
        if (d->digit_count > before) {
            ctn_buf_append_char(out, '.');
            write_digits(d, out, before, d->digit_count);
        }
    }
}
