/*
 * plant.c -- which planted fault (base/plant.h) this program has: CATENA_PLANT=NAME.
 */
#include "base/plant.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

ctn_plant ctn_plant_on;

__attribute__((constructor)) static void begin(void)
{
    static const char *const names[CTN_PLANT_OF_FLEET_COUNT] = {
#define X(name) [CTN_PLANT_##name] = #name,
        CTN_PLANTS(X) CTN_FLEET_PLANTS(X)
#undef X
    };
    const char *wanted = getenv("CATENA_PLANT");
    for (int i = 1; wanted && i < CTN_PLANT_OF_FLEET_COUNT; i++)
        if (names[i] && strcmp(names[i], wanted) == 0)
            ctn_plant_on = (ctn_plant) i;
    if (wanted && !ctn_plant_on)
        abort();
}
