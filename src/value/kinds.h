/*
 * kinds.h -- sets of kinds of values, as bits: what a function gives, what a filter takes, what a type allows.
 */
#pragma once
#include "base/str.h"

enum {
    CTN_TYPE_NULL = 1,
    CTN_TYPE_BOOLEAN = 2,
    CTN_TYPE_INTEGER = 4,  /* a whole number, however it is written */
    CTN_TYPE_FRACTION = 8, /* any other number */
    CTN_TYPE_STRING = 16,
    CTN_TYPE_LIST = 32,
    CTN_TYPE_OBJECT = 64,
    CTN_TYPE_NUMBER = CTN_TYPE_INTEGER | CTN_TYPE_FRACTION,
    CTN_TYPE_SCALARS = CTN_TYPE_NULL | CTN_TYPE_BOOLEAN | CTN_TYPE_NUMBER | CTN_TYPE_STRING,
    CTN_TYPE_ALL = 127,
};

/* Of a word that JSON Schema has for a type: "number" takes whole ones too. 0: it is none of the seven. */
unsigned ctn_kinds_named(ctn_str word);
