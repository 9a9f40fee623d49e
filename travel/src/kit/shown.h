/*
 * shown.h -- what of an argument may stand in a sentence about it: an id that looks like one, a name from a list; no
 * text, for by mistake or malice that is where a client's name, address or whole message stands, and sentences go into
 * logs and journals.
 */
#pragma once

#include "base/str.h"

/* C-000009 as it is, "with this id" for what is no id: it has letters and digits, perhaps - _ and ., and no more than
 * 80 of them. "there is no client %.*s" */
ctn_str travel_id_shown(ctn_str id);
/* Lower-case letters and _, at most 40: as the names of kinds and channels are; anything else: "that". */
ctn_str travel_name_shown(ctn_str name);
