/*
 * agency.h -- what an agency says about itself and its ways of working: agency.yaml, in sections.
 *
 *     agency:   {name, signature, email, phone, url, language: en, timezone: Europe/London}
 *     pricing:  ...   read by proposal/
 *     proposal: ...   likewise: its words
 *     followup: ...   read by followup/
 *     delivery: ...   read by followup/
 *     provider: ...   read by search/ and booking/
 *     crm:      ...   read by crm/
 *
 * Each folder reads its own section and says in its header what stands there; what a section leaves out has a default,
 * so that no file at all is a working agency. A value may be {env: NAME} or {file: PATH} where a section's header says
 * that it is a secret (travel_agency_secret); secrets are never printed.
 *
 * Ownership  Everything lives as long as the agency; it does not change.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

typedef struct travel_agency travel_agency;

/* The file at `path`, read whole; NULL or "": an agency of defaults. CTN_E_NOT_FOUND: no such file; CTN_E_INVALID: it
 * is no YAML or has an unknown section, with file:line:column and the nearest section. */
int travel_agency_open(const char *path, travel_agency **ret_agency, ctn_err *err);
void travel_agency_close(travel_agency *agency); /* NULL is fine */

/* A section's object; NULL: the file has none. */
const ctn_json *travel_agency_section(const travel_agency *agency, const char *section);
/* agency.NAME as text, or a default ("Your travel desk" for name and signature, "en", "UTC", "" for the rest). */
ctn_str travel_agency_text(const travel_agency *agency, const char *name);
/* CTN_E_INVALID with "agency.yaml:12:5: SENTENCE" for a value of a section that is not what it must be. */
int travel_agency_fault(const travel_agency *agency, const ctn_json *at, ctn_err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The text of {env: NAME} or {file: PATH} (relative to agency.yaml, without its last line end). CTN_E_NOT_FOUND: it is
 * not set or not there, CTN_E_INVALID: neither form. The sentence names the place, never the value. */
int travel_agency_secret(const travel_agency *agency, ctn_arena *arena, const ctn_json *value, ctn_str *ret_secret,
                         ctn_err *err);
/* PATH as the agency's file means it: relative to its folder (to the working folder if there is no file). */
ctn_str travel_agency_path(const travel_agency *agency, ctn_arena *arena, ctn_str path);
