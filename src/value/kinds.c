/*
 * kinds.c -- see kinds.h.
 */
#include "value/kinds.h"

unsigned ctn_kinds_named(ctn_str word)
{
    static const struct {
        const char *word;
        unsigned kinds;
    } WORDS[] = {{"null", CTN_TYPE_NULL},     {"boolean", CTN_TYPE_BOOLEAN}, {"integer", CTN_TYPE_INTEGER},
                 {"number", CTN_TYPE_NUMBER}, {"string", CTN_TYPE_STRING},   {"array", CTN_TYPE_LIST},
                 {"object", CTN_TYPE_OBJECT}};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (ctn_str_is(word, WORDS[i].word))
            return WORDS[i].kinds;
    return 0;
}
