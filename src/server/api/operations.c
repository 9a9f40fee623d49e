/*
 * operations.c -- the list of all operations, by subject.
 */
#include "server/api/internal.h"

const ctn_api_operation *const ctn_api_operations[] = {
#define SUBJECT(name) ctn_api_##name,
    CTN_API_SUBJECTS(SUBJECT)
#undef SUBJECT
        NULL,
};
