/*
 * sealed.h -- the places in an entry's body where a sensitive value stood, as its record holds them.
 *
 * In the body of a record such a value is {"$sealed": commitment}; `sealed` beside it lists the places:
 * [{"at": JSON pointer, "box": base64}]. A box that was shredded is gone from its item. Only what this list names is
 * ever taken for a sealed value: a value of a chain that merely looks like one stays what it is. Making and opening
 * boxes is store/seal.h's; here is what needs no key. Pure.
 */
#pragma once
#include "base/json.h"

/* What is shown in the place of a value that is not, or cannot be, opened. */
#define CTN_SEALED_TEXT   "(sealed)"
#define CTN_SHREDDED_TEXT "(shredded)"
/* In the place of a message that may repeat a sensitive value. */
#define CTN_WITHHELD_TEXT "(withheld: it was given sensitive values)"
extern const ctn_json ctn_sealed_json;

typedef struct ctn_place {
    ctn_str pointer; /* in the body, RFC 6901 */
    const ctn_json *value;
} ctn_place;
typedef struct ctn_places {
    ctn_place *items;
    size_t count, capacity;
} ctn_places;

/* `whole` with another value at this place; itself when the pointer leads nowhere. What is not on the way is shared. */
const ctn_json *ctn_json_with(ctn_arena *arena, const ctn_json *whole, ctn_str pointer, const ctn_json *value);
/* A pointer's part: "a/b" is "a~1b". */
ctn_str ctn_json_pointer_part(ctn_arena *arena, ctn_str name);

/* The body with "(sealed)" or "(shredded)" at every place of the list. CTN_E_CORRUPT: it is no such list. */
int ctn_sealed_hide(ctn_arena *arena, const ctn_json *body, ctn_str sealed, const ctn_json **ret_body, ctn_err *err);
/* The body with "(sealed)" at these places. */
const ctn_json *ctn_places_hide(ctn_arena *arena, const ctn_json *body, const ctn_places *places);
/* The list without its boxes. Empty stays empty. */
ctn_str ctn_sealed_without_boxes(ctn_arena *arena, ctn_str sealed);
