/*
 * lead_client.c -- who asks: name, e-mail address, telephone number.
 *
 * Names are read from the text as written, because capitals tell them. The rules are tried from the surest (a form's
 * field, the author of a forwarded mail, a chat's header) to the weakest (the last word of the text).
 */
#include "lead/lead_parts.h"

#include "base/buf.h"

#define WORD "\\p{Lu}[\\p{L}\\p{M}]*(?:['’\\-]\\p{L}[\\p{L}\\p{M}]*)*"
#define NAME                                                                                                           \
    "((?:\\p{Lu}\\.? ?){0,2}" WORD                                                                                     \
    "(?: (?:(?:de|da|van|von|der|den|la|le|del|di|bin|al|el|y|zu|ter|dos|do|e) ){0,2}(?:" WORD "|\\p{Lu}\\.?)){0,3})"
/* "Beth & Dan Sowerby" */
#define NAMES "(" WORD " (?:&|and|und|et|y) " WORD "(?: " WORD "){0,2})"
#define TITLE                                                                                                            \
    "(?:(?i:mr|mrs|ms|miss|mx|dr|doctor|prof|professor|sir|dame|lady|lord|rev|revd|reverend|father|fr|pastor|sister|"    \
    "rabbi|imam|canon|"                                                                                                  \
    "sgt|sergeant|capt|captain|cdr|commander|wing commander|lt|lieutenant|lt "                                           \
    "col|col|colonel|major|maj|general|gen|admiral|brigadier|"                                                           \
    "herr|frau|herrn|dipl\\.?-ing|ing|mag|sr|sra|srta|don|doña|señora?|señorita|d|dña|mme|madame|mlle|mademoiselle|" \
    "monsieur|maître|m)\\.?(?: (?:med|jur|phil)\\.)? +)"

/* Capitalised words that begin sentences and are nobody's name. */
static const char NO_NAMES[] =
    " i hi hiya hey hello hola hallo dear thanks thank thx cheers regards kind best many warm love sent subject from "
    "to re fwd yes no ok okay please pls ta bye goodbye peace we my "
    "our the a an and or this that it is its im budget call text email e-mail mail phone tel telephone mob mobile ref "
    "note asap holiday cruise voicemail transcript monday tuesday wednesday thursday "
    "friday saturday sunday january february march april may june july august september october november december jan "
    "feb mar apr jun jul aug sep sept oct nov dec merci saludos gracias "
    "danke coucou bonjour bonsoir salut need want looking thinking max not can could would ideally flights flight "
    "hotel quote urgent missed new just also ps xx x xo team executive assistant how what when "
    "where who why any both all happy seen stop sincerely yours flexible adults adult children kids none tbc n/a "
    "either haven't everything somewhere anywhere picked mc vm iphone anyway right other "
    "after before with without for by in on at as if so but then there they he she you your good morning afternoon "
    "evening day hope thinking planning interested enquiry inquiry office desk agent client "
    "wants want lead name web website form trip travel tour departure return destination mit freundlichen grussen "
    "grusse gruss viele liebe beste herzliche guten tag sehr geehrte damen herren ich wir "
    "hier suche telefon handy un saludo cordial atentamente abrazo buenas buenos tardes dias noches soy me llamo "
    "quiero queremos somos cordialement bien salutations nous je on merci d'avance moi "
    "c'est oh um uh er yeah well sorry omg lol tops cheap yoga mum dad english spanish french german christmas easter "
    "rtn ret pax ai hb bb fb usd eur gbp "
    "mrs mr ms miss dr prof airport lg vg mfg moin servus familie famille familia unsere unser nummer meine mein ";

static bool is_no_name(ctn_str folded)
{
    char word[40];
    if (folded.len == 0 || folded.len > sizeof word - 3)
        return folded.len == 0;
    while (folded.len > 1 && folded.ptr[folded.len - 1] == '.')
        folded.len--;
    word[0] = ' ';
    memcpy(word + 1, folded.ptr, folded.len);
    word[folded.len + 1] = ' ';
    return ctn_str_find(ctn_str_from(NO_NAMES), (ctn_str){word, folded.len + 2}) != SIZE_MAX;
}

/* Letters behind a name: "Anthony Wetherall RN". */
static ctn_str without_letters(lead *l, ctn_str name)
{
    lead_match m;
    static const char LETTERS[] = "(?: "
                                  "(?:RN|MBE|OBE|CBE|PhD|MD|BSc|MSc|FRCS|MRCP|KC|QC|DSO|DDS|Esq|CPA|RGN|FRS|JP|MEng|"
                                  "MBA|BA|MA|LLB|DPhil|RAF|Retd))+$";
    if (lead_find_unicode(l->rules, LETTERS, name, 0, &m))
        name.len = m.start;
    return name;
}

/* A name loses words that begin sentences and letters behind it; is_weak: it may not be a place. Empty when nothing is
 * left. */
static ctn_str clean_name(lead *l, ctn_str name, bool is_weak)
{
    name = without_letters(l, name);
    name = ctn_str_trim(name);
    lead_text t = lead_text_make(l->arena, name);
    ctn_str folded = lead_text_folded(&t);
    const char *blank = memchr(folded.ptr, ' ', folded.len);
    ctn_str first = {folded.ptr, blank ? (size_t) (blank - folded.ptr) : folded.len};
    if (folded.len == 0 || is_no_name(folded))
        return (ctn_str){NULL, 0};
    if (is_no_name(first))
        return blank ? clean_name(l, lead_text_original(&t, first.len + 1, folded.len), is_weak) : (ctn_str){NULL, 0};
    const travel_place *place = is_weak ? travel_place_by_name(folded) : NULL;
    if (place && travel_place_prominence(place) >= (blank ? 60 : 100)) /* there is a village for every name */
        return (ctn_str){NULL, 0};
    /* "Ab Wien", "Salgo de Bogota": words and a well-known place */
    lead_match m;
    if (is_weak && !travel_is_first_name(first) &&
        lead_find(l->rules, "(?:^| )(?:ab|aus|nach|de|desde|a|from|to|in|ex) ([a-z]+)$", folded, 0, &m)) {
        place = travel_place_by_name(m.group[1]);
        if (place && travel_place_prominence(place) >= 90)
            return (ctn_str){NULL, 0};
    }
    /* "Donna Tel": nor may words that are no names stand behind */
    const char *last = memrchr(folded.ptr, ' ', folded.len);
    if (last && is_no_name(ctn_str_from_offset(folded, (size_t) (last - folded.ptr) + 1)))
        return clean_name(l, lead_text_original(&t, 0, (size_t) (last - folded.ptr)), is_weak);
    return ctn_arena_str(l->arena, name);
}

/* Without titles in front and letters after a comma. */
static ctn_str without_title(lead *l, ctn_str name)
{
    lead_match m;
    name = ctn_str_trim(name);
    if (lead_find_unicode(l->rules, "^" TITLE "+", name, 0, &m))
        name = ctn_str_from_offset(name, m.end);
    const char *comma = name.len > 0 ? memchr(name.ptr, ',', name.len) : NULL;
    if (comma)
        name.len = (size_t) (comma - name.ptr);
    return ctn_str_trim(name);
}

static ctn_str bounded(ctn_str s, size_t max)
{
    while (s.len > max || (s.len > 0 && s.len == max && ((uint8_t) s.ptr[s.len - 1] & 0xC0) == 0x80))
        s.len--;
    return s;
}

static ctn_str field_name_of(lead *l)
{
    if (lead_has_field(l, LEAD_NAME) && !lead_has_field(l, LEAD_SURNAME))
        return without_title(l, l->fields[LEAD_NAME]);
    if (lead_has_field(l, LEAD_FIRST_NAME) && lead_has_field(l, LEAD_SURNAME))
        return ctn_arena_printf(l->arena, "%.*s %.*s", CTN_STR_ARG(l->fields[LEAD_FIRST_NAME]),
                                CTN_STR_ARG(l->fields[LEAD_SURNAME]));
    if (lead_has_field(l, LEAD_NAME) && lead_has_field(l, LEAD_SURNAME))
        return ctn_arena_printf(l->arena, "%.*s %.*s", CTN_STR_ARG(l->fields[LEAD_NAME]),
                                CTN_STR_ARG(l->fields[LEAD_SURNAME]));
    return lead_has_field(l, LEAD_FIRST_NAME) ? l->fields[LEAD_FIRST_NAME] : l->fields[LEAD_SURNAME];
}

/* Where a name stands, from the surest to the weakest. `is_weak`: a place's name is no name there. */
static const struct {
    const char *pattern;
    bool is_weak;
} NAME_RULES[] = {
    /* after the closing words, in a letter: on a line of its own */
    {"(?i:regards|wishes|thanks(?: in advance)?|thank "
     "you|cheers|sincerely|faithfully|truly|yours|grüßen|gruessen|grüsse|grüße|gruß|saludos?|cordialement|salutations|"
     "merci(?: bien| d'avance)?|gracias|danke|"
     "love|atentamente|abrazos?|vg|lg|mfg|xo+|best)[,.! ]{0,5}\\n{1,4}\\s{0,5}[-–—]?\\s{0,5}" TITLE "*" NAME,
     false},
    /* alone on a line behind a dash; alone on a line, its address or number on the next */
    {"(?:^|\\n)\\s{0,5}[-–—]\\s{0,5}(?:(?i:the) )?" TITLE "?" NAME "\\s{0,5}(?:\\n|$)", false},
    {"(?:^|\\n)\\s{0,5}" TITLE "?" NAME "(?:, [^\\n]{0,60})?\\n[^\\n]{0,40}(?:@|\\d{3})", true},
    /* the writer says it */
    {"\\b(?i:my name is|my name's|(?<!hotel )name is|name's|call me|je m'appelle|me llamo|mi nombre es|ich heiße|ich "
     "heisse|mein name ist|moi c'est|this is|it's|its|c'est|ici|hier(?: ist| spricht)?|i'm|im|i am|"
     "soy|ich bin|je suis)(?:[ ,.]+(?i:uh|um|er|erm|the))*[ ,]+" TITLE "*" NAME,
     true},
    {TITLE "*" NAME "(?: again)? here\\b", true},
    /* a note tells who rang */
    {"\\b" TITLE "+" NAME, false},
    {"^[^\\n]{0,60}?(?:^|[\\n:;,.!?-]|\\bfrom|\\bto|\\bwith)\\s{0,3}" NAME
     " (?i:rang|called|phoned|emailed|wants|asks|asked|is asking|left a message|popped in|is looking|came in)\\b",
     true},
    {"(?:^|\\n)(?i:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|hola|bonjour|hallo|guten "
     "(?:tag|morgen))(?: [^,\\n]{1,20})?, " NAME "(?:[,.] | here)",
     true},
    /* beside a number or an address */
    {NAME "(?: x{1,4})?[,:]?\\s{1,5}(?:(?i:on|at|tel|phone|mob|mobile|cell|ph)[.:]*\\s{0,5})?(?:\\+?\\(?\\d[\\d "
          "()-]{6}|[\\w.+-]{1,40}@[\\w-])",
     true},
    {TITLE "?" NAME "[ .…,]{0,6}(?:calling|speaking)\\b", true},
    /* after the closing words, on their line */
    {"(?i:regards|grüße|gruß|vg|lg|saludos?|cordialement)[,.! ]{1,5}" TITLE "*" NAME "(?=[^\\p{L}]|$)", false},
    {"(?i:regards|best wishes|thanks|thank you|thx|cheers|ta|many "
     "thanks|grüße|gruß|vg|lg|saludo|saludos|gracias|cordialement|merci|danke|love|xo+|- the)[,.! ]{1,5}" TITLE "*" NAME
     "(?=[^\\p{L}]|$)",
     true},
    {"(?i:myself|me) \\(" NAME "\\)", false},
    {"(?:^|[\\n,.!?])\\s{0,5}[-–—]?\\s{0,5}(" WORD " " WORD ") (?:&|and|und|et|y) " WORD "(?: " WORD
     ")?(?:\\s{1,5}x+)?[^\\p{L}\\p{N}]{0,40}$",
     true},
    {"(?:^|[\\n,.!?])\\s{0,5}[-–—]?\\s{0,5}" NAMES "(?:\\s{1,5}x+)?[^\\p{L}\\p{N}]{0,40}$", true},
    /* a full name in parentheses, or the last words of the text; the first words */
    {"\\(" NAME "\\)[^\\p{L}\\p{N}]{0,40}$", true},
    {"(?:^|[\\n,.!?…)]|\\p{So}|\\b(?i:each|pp|max|total|thx|thanks|xx?|ta|lol|please|pls))\\s{0,5}[-–—]?\\s{0,5}" NAME
     "(?:\\s{1,5}x+)?(?: \\((?i:mrs?|ms|miss)\\))?[^\\p{L}\\p{N}]{0,40}$",
     true},
    {"^\\s{0,5}(?i:hi|hello|hey|hiya)?,?\\s{0,3}" NAME "[,.] ", true},
    /* the answer to "your name?" in a chat */
    {"\\n(" WORD " " WORD ")(?:[,.] |\\n|$)", true},
};

/* "Jamal uh Jamal Whitfield": of a first name, the fullest form in the text. */
static ctn_str fullest(lead *l, ctn_str name)
{
    if (memchr(name.ptr, ' ', name.len))
        return name;
    lead_match m;
    ctn_str best = name, text = l->body.original;
    for (size_t from = 0; lead_find_unicode(l->rules, NAME, text, from, &m); from = m.end) {
        ctn_str found = m.group[1];
        if (found.len > best.len && ctn_str_starts_with(found, name) && found.ptr[name.len] == ' ' &&
            clean_name(l, found, true).len > 0)
            best = found;
    }
    return best;
}

bool lead_overlaps_name(const lead *l, const lead_text *t, size_t start, size_t end)
{
    ctn_str piece = lead_text_original(t, start, end), rest = l->name;
    while (rest.ptr && rest.len > 0)
        if (ctn_str_equal(ctn_str_cut(&rest, ' '), piece))
            return true;
    return false;
}

ctn_str lead_whole_name(lead *l, ctn_str text)
{
    lead_match m;
    if (text.len > 80 || !lead_find_unicode(l->rules, "^" TITLE "*" NAME "$", text, 0, &m))
        return (ctn_str){NULL, 0};
    return clean_name(l, m.group[1], true);
}

static void read_name(lead *l)
{
    lead_match m;
    ctn_str name = field_name_of(l);
    if (name.len == 0)
        name = l->forwarded_name;
    if (name.len == 0)
        name = l->speaker;
    if (name.len > 0) {
        l->name = ctn_arena_str(l->arena, bounded(without_title(l, name), 120));
        return;
    }
    for (size_t i = 0; i < sizeof NAME_RULES / sizeof *NAME_RULES; i++)
        for (size_t from = 0, tries = 0;
             tries < 20 && lead_find_unicode(l->rules, NAME_RULES[i].pattern, l->body.original, from, &m); tries++) {
            name = clean_name(l, m.group[1], NAME_RULES[i].is_weak);
            if (name.len > 0) {
                l->name = bounded(fullest(l, name), 120);
                return;
            }
            from = m.end > from ? m.end : from + 1;
            if (from >= l->body.original.len)
                break;
            while (from < l->body.original.len && ((uint8_t) l->body.original.ptr[from] & 0xC0) == 0x80)
                from++;
        }
}

/* ---- e-mail ---- */

static ctn_str lower_copy(lead *l, ctn_str s)
{
    lead_text t = lead_text_make(l->arena, s);
    return ctn_arena_str(l->arena, ctn_str_trim(lead_text_folded(&t)));
}

/* "j dot whitfield at example dot com" */
static ctn_str spoken_address(lead *l, ctn_str text)
{
    lead_match m;
    if (!lead_find(
            l->rules,
            "\\b([a-z0-9]+(?: (?:dot|punto|point|punkt|underscore|dash|hyphen) [a-z0-9]+){0,4}) (?:at|arroba|arobase) "
            "(?![a-z0-9] )([a-z0-9-]+(?: (?:dot|punto|point|punkt) [a-z0-9-]+){1,3})\\b(?! (?:at|arroba|arobase)\\b)",
            text, 0, &m))
        return (ctn_str){NULL, 0};
    ctn_buf out;
    ctn_buf_init(&out, 400);
    for (int part = 1; part <= 2; part++) {
        ctn_str rest = m.group[part];
        while (rest.ptr) {
            ctn_str word = ctn_str_cut(&rest, ' ');
            if (ctn_str_is(word, "dot") || ctn_str_is(word, "punto") || ctn_str_is(word, "point") ||
                ctn_str_is(word, "punkt"))
                ctn_buf_append_char(&out, '.');
            else if (ctn_str_is(word, "underscore"))
                ctn_buf_append_char(&out, '_');
            else if (ctn_str_is(word, "dash") || ctn_str_is(word, "hyphen"))
                ctn_buf_append_char(&out, '-');
            else
                ctn_buf_append(&out, word);
        }
        if (part == 1)
            ctn_buf_append_char(&out, '@');
    }
    ctn_str address = out.overflowed ? (ctn_str){NULL, 0} : ctn_arena_str(l->arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return address;
}

static void read_email(lead *l)
{
    static const char ADDRESS[] = "[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\\.[a-z0-9-]{1,63}){1,5}";
    lead_match m;
    ctn_str field = lead_has_field(l, LEAD_EMAIL) ? lower_copy(l, l->fields[LEAD_EMAIL]) : (ctn_str){NULL, 0};
    ctn_str text = lead_text_folded(&l->body);
    if (field.len > 0 && lead_find(l->rules, ADDRESS, field, 0, &m))
        l->email = m.group[0];
    else if (l->forwarded_email.len > 0)
        l->email = lower_copy(l, l->forwarded_email);
    else if (lead_find(l->rules, ADDRESS, text, 0, &m))
        l->email = ctn_arena_str(l->arena, m.group[0]);
    else
        l->email = spoken_address(l, text);
}

/* ---- telephone ---- */

static ctn_str digits_of(lead *l, ctn_str text)
{
    char *out = ctn_arena_alloc(l->arena, text.len + 1);
    size_t len = 0;
    bool is_international = text.len > 0 && text.ptr[0] == '+';
    if (is_international)
        out[len++] = '+';
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
            out[len++] = text.ptr[i];
    if (!is_international && len > 2 && out[0] == '0' && out[1] == '0' && out[2] != '0') {
        out[1] = '+';
        out++;
        len--;
    }
    return (ctn_str){out, len};
}

static bool is_complete(ctn_str digits)
{
    size_t count = digits.len - (digits.len > 0 && digits.ptr[0] == '+');
    return count >= 9 && count <= 15;
}

static ctn_str spoken_digits(lead *l, ctn_str text)
{
    static const struct {
        const char *word;
        char digit;
    } words[] = {{"oh", '0'},    {"o", '0'},     {"zero", '0'}, {"nought", '0'}, {"one", '1'},
                 {"two", '2'},   {"three", '3'}, {"four", '4'}, {"five", '5'},   {"six", '6'},
                 {"seven", '7'}, {"eight", '8'}, {"nine", '9'}};
    lead_match m;
    if (!lead_find(l->rules,
                   "\\b(?:(?:oh|o|zero|nought|one|two|three|four|five|six|seven|eight|nine|hundred|double|triple)[ "
                   ",.-]+){8,20}"
                   "(?:oh|o|zero|nought|one|two|three|four|five|six|seven|eight|nine)\\b",
                   text, 0, &m))
        return (ctn_str){NULL, 0};
    char *out = ctn_arena_alloc(l->arena, 80);
    size_t len = 0, times = 1;
    ctn_str rest = m.group[0];
    while (rest.ptr && len < 60) {
        ctn_str word = ctn_str_cut(&rest, ' ');
        while (word.len > 0 && strchr(",.-", word.ptr[word.len - 1]))
            word.len--;
        if (ctn_str_is(word, "double") || ctn_str_is(word, "triple")) {
            times = ctn_str_is(word, "double") ? 2 : 3;
            continue;
        }
        for (size_t n = 0; ctn_str_is(word, "hundred") && n < 2; n++)
            out[len++] = '0';
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            for (size_t n = 0; ctn_str_is(word, words[i].word) && n < times; n++)
                out[len++] = words[i].digit;
        times = 1;
    }
    return (ctn_str){out, len};
}

static void read_phone(lead *l)
{
    lead_match m;
    ctn_str text = lead_text_folded(&l->body);
    if (lead_has_field(l, LEAD_PHONE)) {
        ctn_str digits = digits_of(l, ctn_str_trim(l->fields[LEAD_PHONE]));
        if (is_complete(digits)) {
            l->phone_digits = digits;
            return;
        }
    }
    for (size_t from = 0; lead_find(
             l->rules, "(?<![\\w/.:,$\\x80\\xA3-])(?:\\+ ?|\\()?\\d[\\d ().-]{6,22}\\d(?![\\w/:])", text, from, &m);
         from = m.end) {
        ctn_str found = m.group[0], digits = digits_of(l, found);
        if (lead_has(l->rules,
                     "^\\d{1,2}\\.\\d{1,2}\\.|^\\d{4}-\\d{2}-\\d{2}|^\\d{1,2}-\\d{1,2}-\\d{2,4}\\b|^\\d{1,3}(?:"
                     "[ .]000)+",
                     found))
            continue;
        if (is_complete(digits) && !lead_after(l->rules, " ?(?:\\.\\.|\\[|x{2,})", text, m.end, 3)) {
            l->phone_digits = digits;
            return;
        }
    }
    if (l->speaker_phone.len > 0) {
        l->phone_digits = digits_of(l, l->speaker_phone);
        return;
    }
    ctn_str digits = spoken_digits(l, text);
    if (is_complete(digits))
        l->phone_digits = digits;
}

void lead_read_client(lead *l)
{
    read_name(l);
    read_email(l);
    read_phone(l);
}

typedef struct phone_country {
    const char *country, *prefix;
    size_t digits_min, digits_max; /* national, the trunk 0 included */
    bool has_trunk;
} phone_country;

static const phone_country PHONE_COUNTRIES[] = {
    {"United Kingdom", "44", 10, 11, true}, {"Germany", "49", 9, 13, true},       {"France", "33", 10, 10, true},
    {"Ireland", "353", 9, 10, true},        {"Australia", "61", 10, 10, true},    {"New Zealand", "64", 9, 11, true},
    {"Spain", "34", 9, 9, false},           {"Portugal", "351", 9, 9, false},     {"Netherlands", "31", 10, 10, true},
    {"Belgium", "32", 9, 10, true},         {"Switzerland", "41", 10, 10, true},  {"Austria", "43", 9, 13, true},
    {"Sweden", "46", 9, 10, true},          {"South Africa", "27", 10, 10, true}, {"Pakistan", "92", 10, 11, true},
    {"Poland", "48", 9, 9, false},
};

/* E.164 where the country is certain, the digits as written otherwise. */
void lead_settle_phone(lead *l)
{
    ctn_str d = l->phone_digits;
    l->phone = d;
    if (d.len == 0 || d.ptr[0] == '+')
        return;
    if (d.len == 10 && d.ptr[0] >= '2') {
        l->phone = ctn_arena_printf(l->arena, "+1%.*s", CTN_STR_ARG(d));
        return;
    }
    const char *country = l->origin_country;
    if (l->currency && strcmp(l->currency, "GBP") == 0)
        country = "United Kingdom";
    for (size_t i = 0; country && i < sizeof PHONE_COUNTRIES / sizeof *PHONE_COUNTRIES; i++) {
        const phone_country *p = &PHONE_COUNTRIES[i];
        if (strcmp(p->country, country) != 0 || d.len < p->digits_min || d.len > p->digits_max ||
            (d.ptr[0] == '0') != p->has_trunk)
            continue;
        ctn_str national = ctn_str_from_offset(d, p->has_trunk ? 1 : 0);
        l->phone = ctn_arena_printf(l->arena, "+%s%.*s", p->prefix, CTN_STR_ARG(national));
    }
}
