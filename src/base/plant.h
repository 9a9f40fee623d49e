/*
 * plant.h -- faults that are planted to see whether the simulator finds them.
 *
 * CTN_PLANT(NAME) stands where a known mistake could be made, and is `false`: the compiler leaves nothing of it. Only
 * the test of the simulator (tests/sim/planted) compiles the files that name plants once more, with CATENA_PLANTED, and
 * turns one after the other on.
 */
#pragma once
#include <stdbool.h>

#ifdef CATENA_PLANTED

#define CTN_PLANTS(X)                                                                                                  \
    X(ACK_BEFORE_COMMIT)                                                                                               \
    X(EFFECT_BEFORE_COMMIT)                                                                                            \
    X(FENCE_MISSING)                                                                                                   \
    X(STALE_SEQ_ACCEPTED)                                                                                              \
    X(FAILED_COMMIT_BELIEVED)                                                                                          \
    X(INPUTS_LOST_WITH_A_COMMIT)                                                                                       \
    X(RECOVERY_FORGOTTEN)                                                                                              \
    X(END_NOT_TOLD_AFTER_RELOAD)                                                                                       \
    X(STATUS_TOLD_EARLY)                                                                                               \
    X(WAKE_TIME_LOST)                                                                                                  \
    X(PARKED_STAYS_IN_MEMORY)                                                                                          \
    X(ACTIVE_MAX_IGNORED)                                                                                              \
    X(UNREADABLE_IS_FORGOTTEN)                                                                                         \
    X(LET_GO_IS_FORGOTTEN)                                                                                             \
    X(SENT_AFTER_THE_STOP)                                                                                             \
    X(BACKOFF_RECOMPUTED)                                                                                              \
    X(WRITE_START_NOT_STORED)                                                                                          \
    X(UNKNOWN_IS_RETRIED)                                                                                              \
    X(NO_OF_CHECK_AT_ONCE)                                                                                             \
    X(COMPENSATION_FORWARD)                                                                                            \
    X(UNDO_SKIPPED_WHEN_UNKNOWN)                                                                                       \
    X(COMPLETED_RUNS_AGAIN)                                                                                            \
    X(KEY_CHANGES)                                                                                                     \
    X(TIMEOUT_RESTARTED)                                                                                               \
    X(PAUSE_COUNTS_AS_TIME)                                                                                            \
    X(CANCEL_LOST_AT_RELOAD)                                                                                           \
    X(ONE_RETRY_TOO_MANY)                                                                                              \
    X(WAIT_ENDS_EARLY)                                                                                                 \
    X(ITEMS_SHARE_A_KEY)                                                                                               \
    X(TOO_MANY_ITEMS_AT_ONCE)                                                                                          \
    X(FALLBACK_LEFT_OUT)                                                                                               \
    X(LINE_IGNORED)                                                                                                    \
    X(FULL_CHAIN_IGNORED)

/* Those that only a fleet can show. */
#define CTN_FLEET_PLANTS(X)                                                                                            \
    X(LABELS_IGNORED)                                                                                                  \
    X(LEASE_NOT_LOOKED_AT)                                                                                             \
    X(LOST_SHARD_GOES_ON)                                                                                              \
    X(PEERS_END_WITH_THE_NODE)                                                                                         \
    X(SHARD_FENCE_MISSING)                                                                                             \
    X(EPOCH_STAYS)                                                                                                     \
    X(DEATH_KEPT_QUIET)                                                                                                \
    X(BURIED_AT_ONCE)                                                                                                  \
    X(REQUEST_LEFT_OPEN)                                                                                               \
    X(LEASE_BY_WALL_CLOCK)                                                                                             \
    X(LEASE_FROM_THE_ANSWER)                                                                                           \
    X(GIVEN_BACK_BUSY)                                                                                                 \
    X(LOST_TAKE_FORGOTTEN)                                                                                             \
    X(STALE_NODE_GOES_ON)

typedef enum ctn_plant {
    CTN_PLANT_NONE,
#define X(name) CTN_PLANT_##name,
    CTN_PLANTS(X)
#undef X
        CTN_PLANT_COUNT,
    CTN_PLANT_OF_ONE_NODE = CTN_PLANT_COUNT,
#define X(name) CTN_PLANT_##name,
    CTN_FLEET_PLANTS(X)
#undef X
        CTN_PLANT_OF_FLEET_COUNT
} ctn_plant;
extern ctn_plant ctn_plant_on; /* the test's */
#define CTN_PLANT(name) (ctn_plant_on == CTN_PLANT_##name)

#else
#define CTN_PLANT(name) false
#endif
