/* timezone.h -- which time zones there are: the names of the system's time zone database. */
#pragma once
#include "base/str.h"

/* True also where the system has no database to ask. */
bool ctn_timezone_is_known(ctn_str name);
