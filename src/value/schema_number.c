/*
 * schema_number.c -- integer and multipleOf, exactly: a number is an integer of any size times a power of ten.
 *
 * v = a * 10^i is a multiple of d = b * 10^j when (a / b) * 10^(i - j) is whole. With i >= j that asks for
 * a * 10^(i-j) mod b, where the power is taken modulo b and never written out; with i < j, a must hold the
 * factor 10^(j-i) first, which it cannot when it has fewer digits.
 */
#include "value/schema_internal.h"
#include <assert.h>
#include <gmp.h>

#define DIGITS_MAX   20000
#define EXPONENT_MAX 100000000000000000 /* 10^17: more than any digits make up for */

typedef struct parts {
    ctn_str mantissa; /* with its point, without sign and exponent */
    int64_t exponent; /* of the last digit of the mantissa, saturated */
    size_t digits;
    size_t zeros_at_end; /* of the digits, the point not counted */
    bool is_zero;
    bool is_beyond; /* the exponent is saturated */
} parts;

static parts take_apart(const ctn_json *number)
{
    ctn_str text = ctn_json_text(number);
    parts p = {.is_zero = true};
    if (text.len > 0 && text.ptr[0] == '-')
        text = ctn_str_from_offset(text, 1);
    size_t at = 0;
    int64_t fraction = -1;
    for (; at < text.len && text.ptr[at] != 'e' && text.ptr[at] != 'E'; at++) {
        char c = text.ptr[at];
        if (c == '.') {
            fraction = 0;
            continue;
        }
        p.digits++;
        p.zeros_at_end = c == '0' ? p.zeros_at_end + 1 : 0;
        p.is_zero = p.is_zero && c == '0';
        fraction += fraction >= 0;
    }
    p.mantissa = (ctn_str){text.ptr, at};
    int64_t exponent = 0;
    if (at < text.len) {
        at++;
        bool is_negative = text.ptr[at] == '-';
        at += text.ptr[at] == '-' || text.ptr[at] == '+';
        for (; at < text.len; at++)
            if (exponent < EXPONENT_MAX)
                exponent = exponent * 10 + (text.ptr[at] - '0');
        p.is_beyond = exponent >= EXPONENT_MAX;
        if (is_negative)
            exponent = -exponent;
    }
    p.exponent = exponent - (fraction > 0 ? fraction : 0);
    return p;
}

bool ctn_schema_is_integer(const ctn_json *number)
{
    if (!ctn_json_is(number, CTN_JSON_NUMBER))
        return false;
    parts p = take_apart(number);
    return p.is_zero || p.exponent >= 0 || (uint64_t) -p.exponent <= p.zeros_at_end;
}

static void read_digits(mpz_t ret, const parts *p)
{
    char digits[DIGITS_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < p->mantissa.len; i++)
        if (p->mantissa.ptr[i] != '.')
            digits[len++] = p->mantissa.ptr[i];
    digits[len] = 0;
    mpz_set_str(ret, digits, 10);
}

int ctn_schema_is_multiple(const ctn_json *number, const ctn_json *divisor, bool *ret_is_multiple)
{
    parts value = take_apart(number), unit = take_apart(divisor);
    assert(!unit.is_zero);
    if (value.digits > DIGITS_MAX || unit.digits > DIGITS_MAX)
        return CTN_E_LIMIT;
    if (value.is_zero) {
        *ret_is_multiple = true;
        return CTN_OK;
    }
    if (value.is_beyond || unit.is_beyond)
        return CTN_E_LIMIT;
    int64_t shift = value.exponent - unit.exponent;
    if (shift < 0 && (uint64_t) -shift > value.digits) {
        *ret_is_multiple = false;
        return CTN_OK;
    }
    mpz_t a, b, power;
    mpz_inits(a, b, power, NULL);
    read_digits(a, &value);
    read_digits(b, &unit);
    if (shift >= 0) {
        mpz_t exponent;
        mpz_init_set_ui(exponent, (unsigned long) shift);
        mpz_set_ui(power, 10);
        mpz_powm(power, power, exponent, b);
        mpz_mul(a, a, power);
        mpz_clear(exponent);
    } else {
        mpz_ui_pow_ui(power, 10, (unsigned long) -shift);
        mpz_mul(b, b, power);
    }
    *ret_is_multiple = mpz_divisible_p(a, b) != 0;
    mpz_clears(a, b, power, NULL);
    return CTN_OK;
}
