/*
 * id.c -- UUIDv7: 48 bits of milliseconds, then 74 random bits around the version and the variant.
 */
#include "base/id.h"

#include <assert.h>

ctn_execution_id ctn_id_new(int64_t now_ms, const ctn_rng *rng)
{
    assert(now_ms >= 0);
    ctn_execution_id id;
    uint64_t bits[2]; /* filled one after the other, for a seeded rng must give the same id everywhere */
    bits[0] = ctn_rng_next(rng);
    bits[1] = ctn_rng_next(rng);
    memcpy(id.bytes, bits, sizeof id.bytes);
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t) ((uint64_t) now_ms >> (40 - 8 * i));
    id.bytes[6] = (uint8_t) (0x70 | (id.bytes[6] & 0x0F));
    id.bytes[8] = (uint8_t) (0x80 | (id.bytes[8] & 0x3F));
    return id;
}

bool ctn_id_equal(ctn_execution_id a, ctn_execution_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static bool is_dash_place(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

/* Once a step at least: byte by byte, and not place by place. */
ctn_id_text ctn_id_to_text(ctn_execution_id id)
{
    static const char digits[] = "0123456789abcdef";
    static const uint8_t place_of[] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
    ctn_id_text out = {.text = "........-....-....-....-............"};
    for (size_t i = 0; i < sizeof id.bytes; i++) {
        out.text[place_of[i]] = digits[id.bytes[i] >> 4];
        out.text[place_of[i] + 1] = digits[id.bytes[i] & 15];
    }
    return out;
}

int ctn_id_parse(ctn_str text, ctn_execution_id *ret_id, ctn_err *err)
{
    ctn_execution_id id = {0};
    size_t half = 0;
    if (text.len != CTN_ID_TEXT_LEN)
        return ctn_fail(err, CTN_E_INVALID, "an execution's id has %d characters, this has %zu", CTN_ID_TEXT_LEN,
                        text.len);
    for (size_t at = 0; at < CTN_ID_TEXT_LEN; at++) {
        int value = ctn_hex_value(text.ptr[at]);
        if (is_dash_place(at) ? text.ptr[at] != '-' : value < 0)
            return ctn_fail(err, CTN_E_INVALID,
                            "character %zu is wrong in an execution's id: ids look like "
                            "01932b5e-7c00-7abc-8def-0123456789ab",
                            at + 1);
        if (is_dash_place(at))
            continue;
        id.bytes[half / 2] = (uint8_t) (id.bytes[half / 2] << 4 | value);
        half++;
    }
    *ret_id = id;
    return CTN_OK;
}
