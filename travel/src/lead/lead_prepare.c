/*
 * lead_prepare.c -- from the raw text to the client's words and a form's fields.
 *
 * A raw lead may be a chat (time stamps, the agency's own answers), a forwarded mail, a web form, JSON from a form, a
 * voicemail transcript, a colleague's note. What is not the client's (or a colleague's about the client) is dropped
 * here, so that no later rule has to know about it. Sentences addressed to a machine are dropped too: they are nobody's
 * trip.
 */
#include "lead/lead_days.h"

#include "base/json.h"

#include <assert.h>

enum { FORM_FIELDS_MIN = 3, FIELD_VALUE_MAX = 160, FIELD_BYTES = 2048, JSON_DEPTH_MAX = 4 };

typedef struct field_name {
    const char *names; /* folded, '|' between */
    lead_field field;
} field_name;

static const field_name FIELD_NAMES[] = {
    {"name|full name|full_name|your name|contact name|client|client name|customer|customer name|lead name|passenger "
     "name|lead passenger|"
     "nombre|nombre completo|nombre y apellidos|nombre y apellido|nom complet|nom et prenom|prenom et nom|vor- und "
     "nachname|name vorname|ihr name|votre nom",
     LEAD_NAME},
    {"first name|first_name|firstname|first|given name|forename|vorname|prenom|nombre de pila", LEAD_FIRST_NAME},
    {"surname|last name|last_name|lastname|last|family name|second "
     "name|nachname|familienname|apellido|apellidos|nom|nom de famille",
     LEAD_SURNAME},
    {"email|e-mail|mail|email address|e-mail address|your email|contact email|correo|correo electronico|adresse "
     "e-mail|adresse mail|courriel|e-mail-adresse|"
     "mailadresse|mel",
     LEAD_EMAIL},
    {"phone|tel|telephone|mobile|best number|phone number|contact number|telephone number|mobile number|mobile "
     "phone|cell|cell phone|phone no|tel no|whatsapp|contact|"
     "telefono|telefono movil|movil|numero|numero de telefono|celular|portable|numero de telephone|tel "
     "portable|telefon|telefonnummer|handy|mobil|rufnummer|mobilnummer",
     LEAD_PHONE},
    {"from|departure airport|departing from|flying from|travelling from|traveling from|origin|leaving "
     "from|departure|depart from|home airport|airport|departure city|from where|"
     "home city|home town|hometown|city of departure|starting from|starting point|flying out of|based in|"
     "preferred airport|where from|departure point|salida|origen|salida desde|aeropuerto|aeropuerto de salida|ciudad "
     "de salida|abflug|abflughafen|abflug ab|abreiseort|abfahrt|abflugort|reise ab|ab|von|depart de|"
     "ville de depart|aeroport de depart|au depart de|depart|lieu de depart",
     LEAD_ORIGIN},
    {"where to|destination|destinations|to|going to|where|travelling to|traveling to|flying to|holiday "
     "destination|country|resort|where would you like to go|destination city|"
     "destino|destinos|a donde|lugar|ziel|reiseziel|zielort|wohin|nach|urlaubsziel|zielgebiet|lieu|ou|pays",
     LEAD_DESTINATION},
    {"depart date|departure date|depart on|start|start date|from date|date from|outbound|outbound date|arrival "
     "date|travel date|date of travel|leaving on|out|leave|check in|check-in|check-in date|arrival|arrive|leaving|"
     "date out|departing|departure day|preferred date|fecha de salida|fecha de ida|fecha ida|ida|fecha "
     "inicio|llegada|fecha de llegada|hinreise|hinflug|abreise|anreise|reisebeginn|abflugdatum|anreisedatum|von datum|"
     "date de depart|aller|date aller|arrivee|date d'arrivee|du",
     LEAD_START},
    {"return|return date|returning|date of return|end|end date|to date|date to|inbound|inbound date|back|check "
     "out|check-out|check-out date|date back|home|coming back|"
     "fecha de regreso|fecha de vuelta|fecha vuelta|fecha "
     "fin|vuelta|regreso|ruckreise|ruckflug|ruckreisedatum|reiseende|abreisedatum|bis|ruckflugdatum|date de "
     "retour|retour|date retour|au",
     LEAD_END},
    {"when|dates|date|travel dates|preferred dates|when do you want to travel|when do you want to go|trip "
     "dates|fechas|fecha|fechas de viaje|reisezeitraum|zeitraum|reisedatum|"
     "termin|reisetermin|reisezeit|periode|dates de voyage|quand|cuando|wann",
     LEAD_DATES},
    {"nights|number of nights|no of nights|duration|how long|length of stay|length|stay|noches|numero de "
     "noches|duracion|nuits|nombre de nuits|duree|nachte|anzahl nachte|dauer|reisedauer|aufenthaltsdauer",
     LEAD_NIGHTS},
    {"adults|adult|no of adults|number of adults|travellers|travelers|guests|passengers|pax|party size|people|number "
     "of people|no of people|number of travellers|number of travelers|who is travelling|who|how many|party|"
     "group size|travelling party|adultos|viajeros|pasajeros|personas|numero de personas|adultes|voyageurs|nombre de "
     "personnes|personnes|nombre d'adultes|erwachsene|reisende|personen|anzahl personen|anzahl erwachsene|teilnehmer",
     LEAD_ADULTS},
    {"children|child|kids|no of children|number of children|infants|menores|ninos|numero de ninos|enfants|nombre "
     "d'enfants|kinder|anzahl kinder",
     LEAD_CHILDREN},
    {"budget|max budget|your budget|budget per person|budget pp|total budget|budget total|approx budget|approximate "
     "budget|budget range|price range|max price|spend|presupuesto|presupuesto total|presupuesto maximo|presupuesto "
     "por persona|presupuesto aproximado|budget par personne|budget maximum|budget max|gesamtbudget|reisebudget|budget "
     "pro person|budget gesamt|maximales budget|preisvorstellung",
     LEAD_BUDGET},
    {"anything else|notes|note|comments|comment|message|your message|remarks|more details|details|additional "
     "info|additional information|special requests|requests|msg|free text|other|enquiry|tell us more|your enquiry|"
     "requirements|extra info|questions|anything else we should "
     "know|comentarios|comentario|observaciones|mensaje|notas|peticiones "
     "especiales|bemerkungen|bemerkung|nachricht|anmerkungen|anmerkung|wunsche|ihre "
     "nachricht|sonstiges|commentaires|commentaire|"
     "remarques|remarque|precisions|votre message|demande|autres informations",
     LEAD_COMMENT},
    {"ref|reference|form|consent|source|page|submitted|id|newsletter|marketing|gdpr|utm_source|time|timestamp|title|"
     "salutation|anrede|tratamiento|civilite|ip|lead id|submitted at|form id|heard about us|how did you hear about "
     "us|subject|betreff|asunto|objet|callback|best time to call|preferred contact|contact by",
     LEAD_OTHER},
};

static bool field_of(ctn_str key, lead_field *ret_field)
{
    for (size_t i = 0; i < sizeof FIELD_NAMES / sizeof *FIELD_NAMES; i++) {
        ctn_str rest = ctn_str_from(FIELD_NAMES[i].names);
        while (rest.ptr)
            if (ctn_str_equal(ctn_str_cut(&rest, '|'), key)) {
                *ret_field = FIELD_NAMES[i].field;
                return true;
            }
    }
    return false;
}

static ctn_str without_marks(ctn_str key)
{
    while (key.len > 0 && strchr("?* -", key.ptr[key.len - 1]))
        key.len--;
    while (key.len > 0 && strchr("* -", key.ptr[0])) {
        key.ptr++;
        key.len--;
    }
    return key;
}

/* "Destination(s)" and "Budget (GBP) *" are "destination" and "budget". */
static ctn_str field_key(ctn_str folded)
{
    ctn_str key = without_marks(folded);
    const char *open = key.len > 0 && key.ptr[key.len - 1] == ')' ? memchr(key.ptr, '(', key.len) : NULL;
    if (open && open > key.ptr)
        key.len = (size_t) (open - key.ptr);
    return without_marks(key);
}

typedef struct builder {
    lead *l;
    lead_text raw;
    char *out; /* never longer than the input and a line end per line */
    size_t len, capacity;
    bool is_form;
} builder;

/* A line, with runs of blanks made one and no more than one empty line in a row: rules may then look across blanks
 * without walking the same run again and again. */
static void add(builder *b, ctn_str text)
{
    assert(b->len + text.len + 1 <= b->capacity);
    text = ctn_str_trim(text);
    if (text.len == 0 && b->len > 1 && b->out[b->len - 1] == '\n' && b->out[b->len - 2] == '\n')
        return;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\t' || c == '\r')
            c = ' ';
        if (c != ' ' || b->len == 0 || b->out[b->len - 1] != ' ')
            b->out[b->len++] = c;
    }
    b->out[b->len++] = '\n';
}

/* "Departure: Leeds" and "Departure: 3 May" are two fields under one name. */
static lead_field by_value(builder *b, lead_field field, ctn_str value)
{
    if (field != LEAD_ORIGIN && field != LEAD_START)
        return field;
    lead_text t = lead_text_make(b->l->arena, value);
    bool is_day =
        lead_has(b->l->rules,
                 "\\d[./-]\\d|\\d ?(?:st|nd|rd|th|de|\\.)? ?(?:of )?" LEAD_MONTH "|\\b" LEAD_MONTH "|\\b" LEAD_WEEKDAYS,
                 lead_text_folded(&t));
    return is_day ? LEAD_START : field;
}

static void set_field(builder *b, lead_field field, ctn_str value)
{
    value = ctn_str_trim(value);
    field = by_value(b, field, value);
    if (field == LEAD_COMMENT)
        add(b, value);
    else if (value.len > 0 && b->l->fields[field].len == 0)
        b->l->fields[field] =
            ctn_arena_str(b->l->arena, (ctn_str){value.ptr, value.len < FIELD_BYTES ? value.len : FIELD_BYTES});
}

/* ---- forms ---- */

static const char FIELD_LINE[] = "^[ *-]{0,4}([a-z][a-z0-9 ()/_.,&'\\x80\\xA3$+-]{0,40}\\??\\*?) ?: ?(.*)$";

/* "Adultos: 4   Menores: 1": the offset where a second field begins on the line, or the line's end. */
static size_t second_field(builder *b, ctn_str folded)
{
    lead_match m;
    lead_field field;
    size_t from = 0;
    while (lead_find(b->l->rules, "(?:(?<=  )|(?<=[\t|]))([a-z][a-z ()_]{1,24})\\??:", folded, from, &m)) {
        if (field_of(field_key(m.group[1]), &field))
            return m.start;
        from = m.end;
    }
    return folded.len;
}

static bool take_field_line(builder *b, ctn_str folded, ctn_str original, bool only_count, size_t *ret_count)
{
    lead_match m;
    lead_field field;
    if (!lead_find(b->l->rules, FIELD_LINE, folded, 0, &m) || !field_of(field_key(m.group[1]), &field))
        return false;
    if (field != LEAD_COMMENT && m.group[2].len > FIELD_VALUE_MAX)
        return false; /* "Where: ..." and then a story: somebody's own headings */
    ++*ret_count;
    if (only_count)
        return true;
    /* the value as written: what follows the first colon; only ASCII stands before it in both forms */
    const char *colon = memchr(original.ptr, ':', original.len);
    if (colon)
        set_field(b, field,
                  field == LEAD_BUDGET ? original /* "Budget per person (EUR): 900" */
                                       : ctn_str_from_offset(original, (size_t) (colon - original.ptr) + 1));
    return true;
}

/* What a member holds, in one line: {"value": 1500, "currency": "EUR"} is "1500 EUR". */
static ctn_str json_words(builder *b, const ctn_json *v, int depth)
{
    if (!ctn_json_is(v, CTN_JSON_OBJECT) && !ctn_json_is(v, CTN_JSON_ARRAY))
        return ctn_json_text(v);
    ctn_str words = {NULL, 0};
    for (size_t i = 0; depth < JSON_DEPTH_MAX && i < v->count && words.len < FIELD_BYTES; i++) {
        ctn_str more = json_words(b, ctn_json_is(v, CTN_JSON_OBJECT) ? &v->members[i].value : &v->items[i], depth + 1);
        if (more.len > 0)
            words = words.len == 0 ? more
                                   : ctn_arena_printf(b->l->arena, "%.*s%s%.*s", CTN_STR_ARG(words),
                                                      ctn_json_is(v, CTN_JSON_ARRAY) ? ", " : " ", CTN_STR_ARG(more));
    }
    return words;
}

static void take_members(builder *b, const ctn_json *form, int depth)
{
    for (size_t i = 0; i < form->count; i++) {
        const ctn_json *member = &form->members[i].value;
        lead_text key = lead_text_make(b->l->arena, ctn_json_text(&form->members[i].key));
        lead_field field;
        bool is_known = field_of(field_key(lead_text_folded(&key)), &field);
        /* "pax": {"adults": 2, "children": 0} has fields of its own */
        if (ctn_json_is(member, CTN_JSON_OBJECT) && !(is_known && field == LEAD_BUDGET)) {
            if (depth < JSON_DEPTH_MAX)
                take_members(b, member, depth + 1);
            continue;
        }
        ctn_str value = json_words(b, member, 0);
        if (is_known)
            set_field(b, field,
                      field == LEAD_BUDGET && value.len > 0
                          ? ctn_arena_printf(b->l->arena, "%.*s: %.*s",
                                             CTN_STR_ARG(ctn_json_text(&form->members[i].key)), CTN_STR_ARG(value))
                          : value);
        else if (value.len > 40)
            add(b, value); /* long text under an unknown key is somebody's message */
    }
}

static bool take_json_form(builder *b, ctn_str raw)
{
    const ctn_json *form;
    ctn_str trimmed = ctn_str_trim(raw);
    if (trimmed.len < 2 || trimmed.ptr[0] != '{' || ctn_json_parse(b->l->arena, trimmed, NULL, &form, NULL) != CTN_OK ||
        !ctn_json_is(form, CTN_JSON_OBJECT))
        return false;
    take_members(b, form, 0);
    return true;
}

/* ---- chats, mails ---- */

static bool is_agency(lead *l, ctn_str speaker)
{
    return lead_has(
        l->rules,
        "^(?:~ ?)?(?:travel ?desk|travel ?agent|agent|agency|office|desk|team|reservations?|sales|support|us|staff|"
        "admin|bookings?|consultant|customer care|me|you|.*\\btravels?\\b.*|.*\\btours?\\b.*)$",
        speaker);
}

static bool is_person_name(lead *l, ctn_str speaker)
{
    lead_match m;
    return lead_find_unicode(l->rules, "^\\p{Lu}[\\p{L}'’ .-]{1,60}$", speaker, 0, &m);
}

static const char CHAT_LINE[] = "^(?:\\[[^\\]\\n]{0,12}\\d[^\\]\\n]{2,40}\\] ?|\\d{1,2}[/.]\\d{1,2}[/.]\\d{2,4},? "
                                "\\d{1,2}:\\d{2}(?: ?[ap]m)? - |(?=@))(~ ?)?(@?[^:\\n]{1,40}): ?";

/* Chat state goes from line to line: what follows an agency's line without a header is the agency's too. */
typedef struct chat {
    bool is_chat, is_agency;
} chat;

static bool take_chat_line(builder *b, chat *c, ctn_str folded, size_t start, ctn_str *ret_rest)
{
    lead_match m;
    if (!lead_find(b->l->rules, CHAT_LINE, folded, 0, &m) || m.start != 0)
        return false;
    ctn_str speaker = ctn_str_trim(m.group[2]);
    size_t at = start + (size_t) (speaker.ptr - folded.ptr);
    ctn_str name = lead_text_original(&b->raw, at, at + speaker.len);
    c->is_chat = true;
    c->is_agency = is_agency(b->l, speaker);
    if (!c->is_agency && b->l->speaker.len == 0 && is_person_name(b->l, name))
        b->l->speaker = ctn_arena_str(b->l->arena, name);
    if (!c->is_agency && lead_has(b->l->rules, "^\\+?[0-9 ().-]{8,20}$", speaker))
        b->l->speaker_phone = ctn_arena_str(b->l->arena, name);
    *ret_rest = lead_text_original(&b->raw, start + m.end, start + folded.len);
    return true;
}

#define FORWARD_RULE  "-{3,} ?(?:forwarded|original|weitergeleitete|ursprungliche|mensaje|message)"
#define FORWARD_WORDS "(?:begin forwarded message|anfang der weitergeleiteten|inicio del mensaje|debut du message)"
static const char MAIL_FROM[] =
    "^\\*?(?:from|von|de)\\*? ?: ?([^<\\[\\n]*?) ?[<\\[](?:mailto:)?([^>\\]\\n ]+@[^>\\]\\n ]+)[>\\]]";

/* Headers of mails and of what phones export. True: the line is used up. is_header: lines before were a mail's. */
static bool take_header(builder *b, ctn_str folded, size_t start, bool *is_forwarded, bool *is_header)
{
    lead_match m;
    lead *l = b->l;
    if (lead_find(l->rules, "^(?:" FORWARD_RULE ".*|" FORWARD_WORDS ":?.*)$", folded, 0, &m)) {
        *is_forwarded = true;
        b->len = 0; /* what stands above is the forwarder's */
        return true;
    }
    if (lead_find(l->rules, MAIL_FROM, folded, 0, &m)) {
        *is_header = true;
        size_t name = start + (size_t) (m.group[1].ptr - folded.ptr),
               mail = start + (size_t) (m.group[2].ptr - folded.ptr);
        l->forwarded_name = ctn_arena_str(l->arena, lead_text_original(&b->raw, name, name + m.group[1].len));
        l->forwarded_email = ctn_arena_str(l->arena, lead_text_original(&b->raw, mail, mail + m.group[2].len));
        return true;
    }
    if (lead_find(l->rules, "^forwarded from:? ([a-z][^:\\n]{1,60})$", folded, 0, &m)) {
        size_t name = start + (size_t) (m.group[1].ptr - folded.ptr);
        l->forwarded_name = ctn_arena_str(l->arena, lead_text_original(&b->raw, name, name + m.group[1].len));
        return true;
    }
    if (*is_header &&
        lead_has(l->rules,
                 "^\\*?(?:date|sent|to|cc|bcc|received|datum|gesendet|an|kopie|fecha|enviado(?: el)?|para|"
                 "envoye(?: le)?|a|reply-to|antwort an)\\*? ?:",
                 folded))
        return true;
    *is_header = *is_header && lead_has(l->rules, "^\\*?(?:subject|betreff|asunto|objet)\\*? ?:", folded);
    return lead_has(l->rules, "^(?:date|sent|to|cc|bcc|datum|gesendet|an|fecha|received):.*\\d{4}.*$", folded) &&
           *is_forwarded;
}

/* ---- what is not said to us, or not meant ---- */

static const char MACHINE[] = "ignore (?:all |any |your |the )*(?:previous |prior |above "
                              ")?(?:instructions|rules|prompts?)|disregard (?:all|your|the|previous)"
                              "|\\bsystem (?:note|prompt|message|override)|you are now (?:a|an|in)\\b|as an "
                              "ai\\b|\\bassistant:|</?(?:system|instructions?)>"
                              "|ignora (?:todas |tus |las )*(?:instrucciones|reglas)|ignoriere (?:alle |deine "
                              ")*anweisungen|ignore[zs]? (?:toutes |les |tes )*instructions";

/* A sentence that is a person's again: "Anyway hello, I'm Oskar". */
static const char CLIENT_AGAIN[] =
    "^ ?(?:anyway|ok so|so anyway|seriously|jokes?|hello|hi|hey|hola|bonjour|hallo|i'm|i am|my name|we're|we "
    "are|we'd|i'd|we "
    "(?:want|need|would)|i (?:want|need|would))\\b";

static const char TAKEN_BACK[] = "years ago|originally|\\bat first\\b|last year|last time|last summer|in "
                                 "20[01]\\d\\b|in 202[0-5]\\b|leave (?:that|it|this) out|too much in one"
                                 "|(?:his|her|my|our|their) (?:actual )?birthday is|'s (?:\\w+ )?trip to|runs out "
                                 "in|when we (?:first|were)|used to (?:go|tell|live)"
                                 "|i (?:have )?already (?:have|got|booked)|\\bbear in the\\b";

static const char TURN[] = "(?:[,;-] ?| )(?:so|but|now|this time|pero|ahora|mais|donc|alors|aber|jetzt|also)\\b(?! "
                           "(?:far|long|much|many|that))|;";

static size_t sentence_end(ctn_str text, size_t from)
{
    for (size_t i = from; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n')
            return i + 1;
        if ((c == '.' || c == '!' || c == '?') && i + 1 < text.len &&
            (text.ptr[i + 1] == ' ' || text.ptr[i + 1] == '\n'))
            return i + 1;
    }
    return text.len;
}

static void blank_lines_to_machines(lead *l)
{
    ctn_str text = lead_text_folded(&l->body);
    lead_match m;
    for (size_t from = 0; lead_find(l->rules, MACHINE, text, from, &m);) {
        size_t start = m.start, end = m.end;
        while (start > 0 && text.ptr[start - 1] != '\n')
            start--;
        for (end = sentence_end(text, end); end < text.len && text.ptr[end - 1] != '\n'; end = sentence_end(text, end))
            if (lead_after(l->rules, CLIENT_AGAIN, text, end, 24))
                break;
        end -= end > m.end && text.ptr[end - 1] == '\n';
        lead_text_blank(&l->body, start, end);
        /* names are read from the text as written: it is blanked there too */
        memset((char *) (uintptr_t) l->body.original.ptr + l->body.from[start], ' ',
               l->body.from[end] - l->body.from[start]);
        from = end;
    }
}

static void blank_what_was_taken_back(lead *l)
{
    ctn_str text = lead_text_folded(&l->said);
    for (size_t start = 0; start < text.len;) {
        size_t end = sentence_end(text, start);
        lead_match back, turn;
        ctn_str sentence = {text.ptr + start, end - start};
        if (lead_find(l->rules, TAKEN_BACK, sentence, 0, &back)) {
            /* "we did Thailand last year, so Vietnam this time": only the clause */
            if (lead_find(l->rules, TURN, sentence, back.end, &turn))
                end = start + turn.start;
            lead_text_blank(&l->said, start, end);
        }
        start = end > start ? end : start + 1;
    }
}

/* ---- all together ---- */

static size_t count_field_lines(builder *b)
{
    size_t count = 0;
    ctn_str text = lead_text_folded(&b->raw);
    for (size_t start = 0; start < text.len;) {
        const char *newline = memchr(text.ptr + start, '\n', text.len - start);
        size_t end = newline ? (size_t) (newline - text.ptr) : text.len;
        ctn_str line = {text.ptr + start, end - start};
        (void) take_field_line(b, line, line, true, &count);
        start = end + 1;
    }
    return count;
}

static void take_lines(builder *b)
{
    ctn_str text = lead_text_folded(&b->raw);
    chat c = {0};
    bool is_forwarded = lead_has(b->l->rules, "^(?:" FORWARD_RULE "|" FORWARD_WORDS ")", text);
    bool is_header = false, is_mail = lead_has(b->l->rules, MAIL_FROM, text);
    size_t count = 0;
    bool is_form = count_field_lines(b) >= FORM_FIELDS_MIN && !is_forwarded && !is_mail;
    for (size_t start = 0; start < text.len;) {
        const char *newline = memchr(text.ptr + start, '\n', text.len - start);
        size_t end = newline ? (size_t) (newline - text.ptr) : text.len;
        ctn_str line = {text.ptr + start, end - start}, rest;
        ctn_str original = lead_text_original(&b->raw, start, end);
        if (take_chat_line(b, &c, line, start, &rest)) {
            if (!c.is_agency)
                add(b, rest);
        } else if (c.is_chat && c.is_agency) {
            /* the agency's line goes on */
        } else if (!is_form && take_header(b, line, start, &is_forwarded, &is_header)) {
            /* used up */
        } else if (is_form) {
            size_t cut = second_field(b, line);
            if (!take_field_line(b, (ctn_str){line.ptr, cut}, lead_text_original(&b->raw, start, start + cut), false,
                                 &count))
                add(b, original);
            else if (cut < line.len)
                (void) take_field_line(b, ctn_str_trim(ctn_str_from_offset(line, cut)),
                                       ctn_str_trim(lead_text_original(&b->raw, start + cut, end)), false, &count);
        } else {
            add(b, original);
        }
        start = end + 1;
    }
}

/* Nobody asks for a trip in more than that; what goes on longer says who wrote it at its end. */
static ctn_str beginning_and_end(ctn_arena *arena, ctn_str text)
{
    enum { BEGINNING = 10240, END = 2048 };
    if (text.len <= BEGINNING + END)
        return text;
    return ctn_arena_printf(arena, "%.*s\n%.*s", BEGINNING, text.ptr, END, text.ptr + text.len - END);
}

void lead_prepare(lead *l, ctn_str raw)
{
    ctn_str form = lead_text_make(l->arena, raw).original; /* a form's JSON is whole or none */
    raw = beginning_and_end(l->arena, form);
    builder b = {.l = l, .raw = lead_text_make(l->arena, raw)};
    size_t lines = 2;
    for (size_t i = 0; i < raw.len; i++)
        lines += raw.ptr[i] == '\n';
    b.capacity = form.len + lines * 2 + 16;
    b.out = ctn_arena_alloc(l->arena, b.capacity);
    l->raw = b.raw;
    if (!take_json_form(&b, form))
        take_lines(&b);
    l->body = lead_text_make(l->arena, beginning_and_end(l->arena, (ctn_str){b.out, b.len}));
    blank_lines_to_machines(l);
    l->said = l->body;
    l->said.folded = ctn_arena_alloc(l->arena, l->body.len + 1);
    memcpy(l->said.folded, l->body.folded, l->body.len + 1);
    blank_what_was_taken_back(l);
}
