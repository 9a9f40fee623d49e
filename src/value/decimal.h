/*
 * decimal.h -- decimal arithmetic, 34 digits, rounding half to even, on GMP integers. Never binary
 * floating point. Pure.
 *
 * A value is digits * 10^exponent; |exponent| is bounded (6,144, as IEEE 754 decimal128), past it the
 * operations return CTN_FAILURE_EXPRESSION_LIMIT. A result's exponent is that of the General Decimal
 * Arithmetic Specification: 19.90 + 0.10 is 20.00, 1.50 * 2 is 3.00, 6 / 4 is 1.5. The GMP integer inside
 * must be cleared: init and done. `ret` may be one of the operands.
 */
#pragma once
#include "base/json.h"
#include "value/failure.h"
#include <gmp.h>

typedef struct ctn_decimal {
    mpz_t digits;
    long exponent;
} ctn_decimal;

void ctn_decimal_init(ctn_decimal *d); /* zero */
void ctn_decimal_done(ctn_decimal *d);
/* From a JSON number text; exact up to 34 digits, then rounded. false when that is no number, or one out of
 * range (1e999999999): it costs no more than its text. */
bool ctn_decimal_parse(ctn_decimal *d, ctn_str text);
ctn_failure ctn_decimal_add(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b);
ctn_failure ctn_decimal_subtract(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b);
ctn_failure ctn_decimal_multiply(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b);
ctn_failure ctn_decimal_divide(ctn_decimal *ret, const ctn_decimal *a,
                               const ctn_decimal *b); /* may be DIVISION_BY_ZERO */
ctn_failure ctn_decimal_remainder(ctn_decimal *ret, const ctn_decimal *a, const ctn_decimal *b); /* sign of a */
void ctn_decimal_round(ctn_decimal *d, int places); /* half to even; negative places round left of the point */
int ctn_decimal_compare(const ctn_decimal *a, const ctn_decimal *b);
/* The whole number that digits of base 8 or 16 spell, in decimal ones, as long as it is. */
ctn_str ctn_decimal_of_digits(ctn_arena *arena, ctn_str digits, int base);
/* Plain notation up to 34 digits and small exponents, else d.ddE+nn; trailing zeros of a fraction kept as computed. */
ctn_str ctn_decimal_to_str(ctn_arena *arena, const ctn_decimal *d);
