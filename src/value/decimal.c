/*
 * decimal.c -- 34 digits, half to even, on GMP integers.
 *
 * What must always hold after each operation: at most 34 digits, exponent within +-6144, zero written as
 * digits 0 with an exponent in range. Numbers come from peers, so nothing is ever computed at the size that
 * a text claims: a mantissa is cut to 34 digits (and a sticky one) while it is read, and an exponent out of
 * range is refused before any power of ten is made. The largest integer in here has about 12,300 digits
 * (two numbers at opposite ends of the range, aligned), some microseconds of work.
 *
 * Exponents of results are those of the General Decimal Arithmetic Specification: a sum has the finer of
 * both, a product their sum, an exact quotient the nearest to their difference. So 19.90 + 0.10 is 20.00.
 */
#include "value/decimal.h"
#include "value/literal.h"

#include <assert.h>

#define DIGITS_MAX   34
#define EXPONENT_MAX 6144

void ctn_decimal_init(ctn_decimal *d)
{
    mpz_init(d->digits);
    d->exponent = 0;
}

void ctn_decimal_done(ctn_decimal *d)
{
    mpz_clear(d->digits);
}

static void power_of_ten(mpz_t ret, unsigned long exponent)
{
    mpz_ui_pow_ui(ret, 10, exponent);
}

/* Decimal digits of |n|, exactly; 1 for zero. mpz_sizeinbase may be one too large. */
static size_t digit_count(const mpz_t n)
{
    size_t count = mpz_sizeinbase(n, 10);
    if (count <= 1)
        return 1;
    mpz_t power;
    mpz_init(power);
    power_of_ten(power, (unsigned long) (count - 1));
    if (mpz_cmpabs(n, power) < 0)
        count--;
    mpz_clear(power);
    return count;
}

/* digits / 10^places to the nearest, ties to even; the exponent follows. `sticky`: something not zero was
 * cut off below the last digit already. */
static void drop_digits(ctn_decimal *d, unsigned long places, bool sticky)
{
    mpz_t power, remainder;
    mpz_init(power);
    mpz_init(remainder);
    power_of_ten(power, places);
    mpz_tdiv_qr(d->digits, remainder, d->digits, power);
    int sign = mpz_sgn(remainder);
    mpz_abs(remainder, remainder);
    mpz_mul_ui(remainder, remainder, 2);
    int half = mpz_cmp(remainder, power);
    if (half > 0 || (half == 0 && (sticky || mpz_odd_p(d->digits)))) {
        if (sign < 0)
            mpz_sub_ui(d->digits, d->digits, 1);
        else
            mpz_add_ui(d->digits, d->digits, 1);
    }
    d->exponent += (long) places;
    mpz_clear(power);
    mpz_clear(remainder);
}

/* To 34 digits, and inside the range of exponents. */
static ctn_failure settle(ctn_decimal *d, bool sticky)
{
    size_t count = digit_count(d->digits);
    if (count > DIGITS_MAX) {
        drop_digits(d, (unsigned long) (count - DIGITS_MAX), sticky);
        if (digit_count(d->digits) > DIGITS_MAX) /* 99..9 became 100..0 */
            drop_digits(d, 1, false);
    }
    if (mpz_sgn(d->digits) == 0) {
        if (d->exponent > 0)
            d->exponent = 0;
        if (d->exponent < -DIGITS_MAX)
            d->exponent = -DIGITS_MAX;
        return CTN_FAILURE_NONE;
    }
    if (d->exponent > EXPONENT_MAX || d->exponent < -EXPONENT_MAX)
        return CTN_FAILURE_EXPRESSION_LIMIT;
    return CTN_FAILURE_NONE;
}

/* The exponent's text after e or E; capped, so that it cannot overflow. */
static long read_exponent(ctn_str text)
{
    size_t i = 0;
    bool is_negative = text.len && text.ptr[0] == '-';
    if (text.len && (text.ptr[0] == '-' || text.ptr[0] == '+'))
        i++;
    long value = 0;
    for (; i < text.len; i++)
        if (value < 1000000000L)
            value = value * 10 + (text.ptr[i] - '0');
    return is_negative ? -value : value;
}

bool ctn_decimal_parse(ctn_decimal *d, ctn_str text)
{
    if (!ctn_json_is_number_text(text))
        return false;
    /* At most 35 significant digits are taken: one more than fit, so that rounding sees the next one,
     * and `sticky` says whether anything but zeros came after it. */
    char taken[DIGITS_MAX + 2];
    size_t count = 0;
    int64_t exponent = 0;
    bool is_fraction = false, sticky = false;
    size_t i = text.ptr[0] == '-' ? 1 : 0;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '.') {
            is_fraction = true;
            continue;
        }
        if (c == 'e' || c == 'E') {
            exponent += read_exponent(ctn_str_from_offset(text, i + 1));
            break;
        }
        if (is_fraction)
            exponent--;
        if (count == 0 && c == '0')
            continue;
        if (count <= DIGITS_MAX) {
            taken[count++] = c;
        } else {
            exponent++;
            sticky = sticky || c != '0';
        }
    }
    if (count == 0) {
        mpz_set_ui(d->digits, 0);
        d->exponent = exponent > 0 ? 0 : exponent < -DIGITS_MAX ? -DIGITS_MAX : (long) exponent;
        return true;
    }
    if (exponent > EXPONENT_MAX + DIGITS_MAX || exponent < -EXPONENT_MAX - DIGITS_MAX)
        return false;
    taken[count] = '\0';
    int rc = mpz_set_str(d->digits, taken, 10);
    assert(rc == 0);
    if (text.ptr[0] == '-')
        mpz_neg(d->digits, d->digits);
    d->exponent = (long) exponent;
    return settle(d, sticky) == CTN_FAILURE_NONE;
}

/* Both as integers of one exponent, the finer of the two, which is returned. */
static long align(mpz_t ret_a, mpz_t ret_b, const ctn_decimal *a, const ctn_decimal *b)
{
    long exponent = a->exponent < b->exponent ? a->exponent : b->exponent;
    mpz_t power;
    mpz_init(power);
    power_of_ten(power, (unsigned long) (a->exponent - exponent));
    mpz_mul(ret_a, a->digits, power);
    power_of_ten(power, (unsigned long) (b->exponent - exponent));
    mpz_mul(ret_b, b->digits, power);
    mpz_clear(power);
    return exponent;
}

static ctn_failure combine(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b,
                           void (*operation)(mpz_t, const mpz_t, const mpz_t))
{
    mpz_t x, y;
    mpz_init(x);
    mpz_init(y);
    long exponent = align(x, y, a, b);
    operation(ret->digits, x, y);
    ret->exponent = exponent;
    mpz_clear(x);
    mpz_clear(y);
    return settle(ret, false);
}

static void add_integers(mpz_t ret, const mpz_t a, const mpz_t b)
{
    mpz_add(ret, a, b);
}
static void subtract_integers(mpz_t ret, const mpz_t a, const mpz_t b)
{
    mpz_sub(ret, a, b);
}
static void remainder_of_integers(mpz_t ret, const mpz_t a, const mpz_t b)
{
    mpz_tdiv_r(ret, a, b);
}

ctn_failure ctn_decimal_add(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b)
{
    return combine(ret, a, b, add_integers);
}

ctn_failure ctn_decimal_subtract(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b)
{
    return combine(ret, a, b, subtract_integers);
}

ctn_failure ctn_decimal_multiply(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b)
{
    long exponent = a->exponent + b->exponent;
    mpz_mul(ret->digits, a->digits, b->digits);
    ret->exponent = exponent;
    return settle(ret, false);
}

ctn_failure ctn_decimal_divide(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b)
{
    if (mpz_sgn(b->digits) == 0)
        return CTN_FAILURE_DIVISION_BY_ZERO;
    /* Both have at most 34 digits, so 69 more in the dividend give a quotient of at least 35. */
    const unsigned long more = 2 * DIGITS_MAX + 1;
    long ideal = a->exponent - b->exponent;
    mpz_t quotient, remainder;
    mpz_init(quotient);
    mpz_init(remainder);
    power_of_ten(remainder, more);
    mpz_mul(quotient, a->digits, remainder);
    mpz_tdiv_qr(quotient, remainder, quotient, b->digits);
    bool sticky = mpz_sgn(remainder) != 0;
    mpz_set(ret->digits, quotient);
    ret->exponent = ideal - (long) more;
    /* An exact quotient loses the zeros that were only added for the division. */
    if (!sticky) {
        while (ret->exponent < ideal && mpz_divisible_ui_p(ret->digits, 10)) {
            mpz_divexact_ui(ret->digits, ret->digits, 10);
            ret->exponent++;
            if (mpz_sgn(ret->digits) == 0)
                ret->exponent = ideal;
        }
    }
    mpz_clear(quotient);
    mpz_clear(remainder);
    return settle(ret, sticky);
}

ctn_failure ctn_decimal_remainder(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b)
{
    if (mpz_sgn(b->digits) == 0)
        return CTN_FAILURE_DIVISION_BY_ZERO;
    return combine(ret, a, b, remainder_of_integers);
}

void ctn_decimal_round(ctn_decimal *d, int places)
{
    long drop = -(long) places - d->exponent;
    if (drop <= 0)
        return;
    if (drop > EXPONENT_MAX + DIGITS_MAX + 1) { /* far left of the first digit */
        mpz_set_ui(d->digits, 0);
        d->exponent = 0;
        return;
    }
    drop_digits(d, (unsigned long) drop, false);
    if (mpz_sgn(d->digits) == 0 && d->exponent > 0)
        d->exponent = 0;
}

int ctn_decimal_compare(const ctn_decimal *a, const ctn_decimal *b)
{
    mpz_t x, y;
    mpz_init(x);
    mpz_init(y);
    (void) align(x, y, a, b);
    int order = mpz_cmp(x, y);
    mpz_clear(x);
    mpz_clear(y);
    return (order > 0) - (order < 0);
}

ctn_str ctn_decimal_to_str(ctn_arena *arena, const ctn_decimal *d)
{
    /* Rounding left of the point may leave a larger exponent, never more digits. */
    char all[DIGITS_MAX + 3];
    assert(digit_count(d->digits) <= DIGITS_MAX);
    mpz_get_str(all, 10, d->digits);
    const char *sign = all[0] == '-' ? "-" : "";
    const char *digits = all[0] == '-' ? all + 1 : all;
    size_t count = strlen(digits);
    long exponent = d->exponent;
    if (exponent == 0)
        return ctn_arena_printf(arena, "%s%s", sign, digits);
    if (exponent > 0 && (long) count + exponent <= DIGITS_MAX)
        return ctn_arena_printf(arena, "%s%s%0*d", sign, digits, (int) exponent, 0);
    if (exponent < 0 && exponent >= -DIGITS_MAX) {
        size_t fraction = (size_t) -exponent;
        if (fraction < count)
            return ctn_arena_printf(arena, "%s%.*s.%s", sign, (int) (count - fraction), digits,
                                    digits + (count - fraction));
        if (fraction == count)
            return ctn_arena_printf(arena, "%s0.%s", sign, digits);
        return ctn_arena_printf(arena, "%s0.%0*d%s", sign, (int) (fraction - count), 0, digits);
    }
    long adjusted = exponent + (long) count - 1;
    return ctn_arena_printf(arena, "%s%c%s%sE%+ld", sign, digits[0], count > 1 ? "." : "", digits + 1, adjusted);
}

ctn_str ctn_decimal_of_digits(ctn_arena *arena, ctn_str digits, int base)
{
    mpz_t number;
    mpz_init(number);
    int rc = mpz_set_str(number, ctn_arena_str(arena, digits).ptr, base);
    assert(rc == 0 && "digits of that base");
    char *decimal = ctn_arena_alloc(arena, mpz_sizeinbase(number, 10) + 2);
    mpz_get_str(decimal, 10, number);
    mpz_clear(number);
    return ctn_str_from(decimal);
}
