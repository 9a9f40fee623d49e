/*
 * xml_check.h -- whether a text is well-formed XML as far as our SVG uses XML: one root, tags that nest, attributes in
 * quotes and given once, the five entities, UTF-8, no control characters.
 */
#pragma once
#include "base/str.h"

typedef struct xml_counts {
    size_t elements, texts, rects; /* of all; of <text>, <rect> */
} xml_counts;

/* NULL when it is; else what is wrong. */
const char *xml_check(ctn_str text, xml_counts *ret_counts);
