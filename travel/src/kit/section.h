/*
 * section.h -- reading a section of agency.yaml: each reader gives a value or its default, or a sentence with
 * file:line:column that says what it must be.
 *
 * A member that is null counts as absent. All errors are CTN_E_INVALID. `object` may be NULL: then all is default.
 */
#pragma once

#include "agency.h"

/* Only these keys may stand in `object`; the sentence names the nearest. `where`: "delivery.smtp". */
int travel_section_keys(const travel_agency *agency, const ctn_json *object, const char *where,
                        const char *const *names, size_t count, ctn_err *err);
int travel_section_text(const travel_agency *agency, const ctn_json *object, const char *key, ctn_str otherwise,
                        ctn_str *ret_text, ctn_err *err);
/* A whole number of min to max. */
int travel_section_int(const travel_agency *agency, const ctn_json *object, const char *key, int64_t min, int64_t max,
                       int64_t otherwise, int64_t *ret_value, ctn_err *err);
int travel_section_bool(const travel_agency *agency, const ctn_json *object, const char *key, bool otherwise,
                        bool *ret_value, ctn_err *err);
/* NULL: it is absent. */
int travel_section_object(const travel_agency *agency, const ctn_json *object, const char *key,
                          const ctn_json **ret_object, ctn_err *err);
/* The sentence about a value that should be one of `names` and is not; gives CTN_E_INVALID. */
int travel_section_unknown_word(const travel_agency *agency, const ctn_json *value, const char *key,
                                const char *const *names, size_t count, ctn_err *err);
/* Which of `names` the text is; `otherwise` when it is absent. */
int travel_section_word(const travel_agency *agency, const ctn_json *object, const char *key, const char *const *names,
                        size_t count, size_t otherwise, size_t *ret_index, ctn_err *err);
