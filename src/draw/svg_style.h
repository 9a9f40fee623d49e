/*
 * svg_style.h -- what svg.c says about looks: classes for light and dark, and an icon for each kind of work. Internal
 * to svg.c.
 */
#pragma once
#include "chain/work.h"

#define CTN_SVG_STYLE                                                                                                  \
    "<style>\n"                                                                                                        \
    ".catena text{font-family:system-ui,\"Segoe UI\",\"DejaVu Sans\",Helvetica,Arial,sans-serif}\n"                    \
    ".catena .t0{font-size:18px;font-weight:700;fill:#111827}\n"                                                       \
    ".catena .t1{font-size:13.5px;font-weight:600;fill:#111827}\n"                                                     \
    ".catena .t2{font-size:11px;fill:#4b5563}\n"                                                                       \
    ".catena .t3{font-size:10.5px;fill:#4b5563;font-style:italic}\n"                                                   \
    ".catena .t4{font-size:10.5px;fill:#374151}\n"                                                                     \
    ".catena .t5{font-size:10.5px;font-weight:600;fill:#374151}\n"                                                     \
    ".catena .t6{font-size:11px;fill:#111827}\n"                                                                       \
    ".catena .t7{font-size:10.5px;fill:#4b5563}\n"                                                                     \
    ".catena .mid{text-anchor:middle}\n"                                                                               \
    ".catena .bg{fill:#fff}\n"                                                                                         \
    ".catena .box{fill:#fff;stroke:#cbd5e1;stroke-width:1.2}\n"                                                        \
    ".catena .end{fill:#f1f5f9;stroke:#cbd5e1;stroke-width:1.2}\n"                                                     \
    ".catena .pill{fill:#f1f5f9}\n"                                                                                    \
    ".catena .line{fill:none;stroke:#64748b;stroke-width:1.5}\n"                                                       \
    ".catena .bare{stroke:#94a3b8}\n"                                                                                  \
    ".catena .head{fill:#64748b}\n"                                                                                    \
    ".catena .icon{fill:none;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}\n"                           \
    ".catena .bar{fill:none;stroke-width:4;stroke-linecap:round}\n"                                                    \
    ".catena .assumed{stroke-dasharray:1 7}\n"                                                                         \
    ".catena .diamond{fill:#fde68a;stroke:#b45309;stroke-width:1}\n"                                                   \
    ".catena .k-none .icon,.catena .k-none .bar{stroke:#64748b}\n"                                                     \
    ".catena .k-read .icon,.catena .k-read .bar{stroke:#2563eb}\n"                                                     \
    ".catena .k-idem .icon,.catena .k-idem .bar{stroke:#0d9488}\n"                                                     \
    ".catena .k-write .icon,.catena .k-write .bar{stroke:#ea580c}\n"                                                   \
    ".catena .k-wait .icon,.catena .k-wait .bar{stroke:#7c3aed}\n"                                                     \
    ".catena .dot{fill:#94a3b8}\n"                                                                                     \
    ".catena .st-completed .dot{fill:#16a34a}\n.catena .st-completed .box{stroke:#16a34a}\n"                           \
    ".catena .st-failed .dot{fill:#dc2626}\n.catena .st-failed .box{stroke:#dc2626;stroke-width:2}\n"                  \
    ".catena .st-running .dot{fill:#2563eb}\n.catena .st-running .box{stroke:#2563eb;stroke-width:2}\n"                \
    ".catena .st-retrying .dot{fill:#d97706}\n.catena .st-retrying .box{stroke:#d97706;stroke-width:2}\n"              \
    ".catena .st-waiting .dot{fill:#7c3aed}\n.catena .st-waiting .box{stroke:#7c3aed;stroke-width:2}\n"                \
    ".catena .st-interrupted .dot{fill:#d97706}\n.catena .st-interrupted .box{stroke:#d97706;stroke-width:2}\n"        \
    ".catena .st-compensated .dot{fill:#d97706}\n.catena .st-compensated .box{stroke:#d97706}\n"                       \
    ".catena .st-skipped .box{stroke-dasharray:6 4}\n.catena .st-pending .box{stroke-dasharray:2 4}\n"                 \
    "@media (prefers-color-scheme:dark){\n"                                                                            \
    ".catena .bg{fill:#0d1117}\n"                                                                                      \
    ".catena .t0,.catena .t1,.catena .t6{fill:#f0f6fc}\n"                                                              \
    ".catena .t2,.catena .t3{fill:#9ca8b6}\n.catena .t4,.catena .t5{fill:#c9d1d9}\n"                                   \
    ".catena .t7{fill:#b1bac4}\n"                                                                                      \
    ".catena .box{fill:#161b22;stroke:#3d4753}\n"                                                                      \
    ".catena .end,.catena .pill{fill:#21262d}\n.catena .end{stroke:#3d4753}\n"                                         \
    ".catena .line{stroke:#8b98a9}\n.catena .bare{stroke:#5b6675}\n.catena .head{fill:#8b98a9}\n"                      \
    ".catena .diamond{fill:#533f04;stroke:#d29922}\n"                                                                  \
    ".catena .k-none .icon,.catena .k-none .bar{stroke:#8b98a9}\n"                                                     \
    ".catena .k-read .icon,.catena .k-read .bar{stroke:#58a6ff}\n"                                                     \
    ".catena .k-idem .icon,.catena .k-idem .bar{stroke:#2dd4bf}\n"                                                     \
    ".catena .k-write .icon,.catena .k-write .bar{stroke:#fb923c}\n"                                                   \
    ".catena .k-wait .icon,.catena .k-wait .bar{stroke:#bc8cff}\n"                                                     \
    "}\n</style>\n"

/* 16 by 16, lines only. */
static inline const char *ctn_svg_icon(ctn_work_kind kind)
{
    switch (kind) {
    case CTN_WORK_TOOL:
        return "M13.6 4.2a3.6 3.6 0 0 1-4.9 4.4L4.4 13a1.7 1.7 0 0 1-2.4-2.4l4.4-4.3a3.6 3.6 0 0 1 4.4-4.9L8.8 "
               "3.4l.5 2.3 2.3.5z";
    case CTN_WORK_NATIVE: return "M5.5 13.5c2 0 2-1.500 2.300-5.500s.5-5.500 2.700-5.500M5 7h5M11 10l3 4M14 10l-3 4";
    case CTN_WORK_PROMPT: return "M2 3.500h12v8h-6.500l-3 2.500v-2.500h-2.500zM5 6.500h6M5 8.800h4";
    case CTN_WORK_TRANSFORM:
        return "M5.500 2.500c-2 0-2 1-2 2.500s0 3-1.500 3c1.500 0 1.500 1.500 1.500 3s0 2.500 2 2.500M10.500 "
               "2.500c2 0 2 1 2 2.500s0 3 1.500 3c-1.500 0-1.500 1.500-1.500 3s0 2.500-2 2.500";
    case CTN_WORK_HTTP:
        return "M2 8a6 6 0 1 0 12 0a6 6 0 1 0-12 0M2 8h12M8 2c2 2 2.500 4 2.500 6s-.5 4-2.500 6M8 2c-2 2-2.500 "
               "4-2.500 6s.5 4 2.500 6";
    case CTN_WORK_COMMAND: return "M2 3h12v10h-12zM4.500 6l2 2-2 2M8.500 10.200h3";
    case CTN_WORK_WAIT: return "M2 8a6 6 0 1 0 12 0a6 6 0 1 0-12 0M8 4.500v3.500l2.500 1.500";
    case CTN_WORK_APPROVAL:
        return "M3.500 5a2.500 2.500 0 1 0 5 0a2.500 2.500 0 1 0-5 0M1.500 14c0-3 2-4.500 4.500-4.500c1.300 0 "
               "2.400.4 3.200 1.100M10 12l1.700 1.700L14.800 10";
    case CTN_WORK_AGENT:
        return "M8 1.500l1.500 4.300 4.300 1.500-4.300 1.500L8 13.100l-1.500-4.300-4.300-1.500 4.300-1.500zM13 "
               "11.500v3M11.500 13h3";
    case CTN_WORK_CHAIN:
        return "M6.500 9.500l3-3M7 4.500l1.700-1.700a3 3 0 0 1 4.300 4.300L11.300 8.800M9 11.500l-1.700 1.700a3 3 "
               "0 0 1-4.300-4.300L4.700 7.200";
    case CTN_WORK_CALLS: return "M2 4h3M7 4h7M2 8h3M7 8h7M2 12h3M7 12h7";
    case CTN_WORK_KIND_COUNT: break;
    }
    return "";
}
