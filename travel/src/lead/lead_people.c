/*
 * lead_people.c -- who travels: adults and children.
 *
 * The text is cut into tokens, and tokens into items of people ("my wife", "three lads", "the 16-year-old", "kids (7 &
 * 10)"); items that stand in one list make a party. From the surest to the weakest: stated adults, a stated total, the
 * largest party that is told one by one, a couple, one alone, a form's fields. The words are in lead_people_words.c.
 */
#include "lead/lead_people.h"

enum { TOKENS_MAX = 6000, PARTIES_MAX = 64, AGES_MAX = 12, GROWN_UP = 18, PEOPLE_MAX = 500 };

typedef struct token {
    size_t start, end;
} token;

typedef struct party {
    size_t first, last; /* tokens, last exclusive */
    int adults, children;
    int total;       /* "five of us": what stands beside it in the list tells them one by one; 0: none */
    bool has_self;   /* the writer is named */
    bool has_adults; /* the word "adults" stands there */
    bool has_kin;    /* relatives, and nobody who would be counted without the writer */
    bool has_count;  /* friends, lads: counted as they stand */
    bool has_children;
} party;

typedef struct reader {
    lead *l;
    ctn_str text;
    token *tokens;
    size_t count;
    party parties[PARTIES_MAX];
    size_t party_count;
} reader;

/* ---- tokens ---- */

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'';
}

static void cut_tokens(reader *r)
{
    r->tokens = CTN_NEW_ARRAY(r->l->arena, token, TOKENS_MAX);
    for (size_t i = 0; i < r->text.len && r->count < TOKENS_MAX;) {
        size_t start = i;
        if (is_word_char(r->text.ptr[i]))
            while (i < r->text.len && is_word_char(r->text.ptr[i]))
                i++;
        else
            i++;
        if (r->text.ptr[start] != ' ')
            r->tokens[r->count++] = (token){start, i};
    }
}

static ctn_str word_at(const reader *r, size_t i)
{
    if (i >= r->count)
        return CTN_STR("\n");
    return (ctn_str){r->text.ptr + r->tokens[i].start, r->tokens[i].end - r->tokens[i].start};
}

static bool is_at(const reader *r, size_t i, const char *word)
{
    return ctn_str_is(word_at(r, i), word);
}

static bool is_one_of(const reader *r, size_t i, const char *words)
{
    return lead_word_in(words, word_at(r, i));
}

/* A name: a capital, not where a sentence begins, and not a word that we know. */
static bool is_name(const reader *r, size_t i)
{
    ctn_str word = word_at(r, i);
    if (i >= r->count || word.len < 2 || word.ptr[0] < 'a' || word.ptr[0] > 'z' || lead_person_word(word) ||
        lead_number(word) >= 0)
        return false;
    ctn_str written = lead_text_original(&r->l->said, r->tokens[i].start, r->tokens[i].start + 1);
    bool is_capital =
        written.len == 1 ? written.ptr[0] >= 'A' && written.ptr[0] <= 'Z' : (uint8_t) written.ptr[0] == 0xC3;
    return is_capital && !lead_word_in(LEAD_NOT_NAMES, word);
}

static int number_at(const reader *r, size_t i)
{
    int number = lead_number(word_at(r, i));
    return number >= 0 && number <= PEOPLE_MAX ? number : -1;
}

/* ---- ages ---- */

typedef struct ages {
    int count, grown;
} ages;

static void add_age(ages *a, int age)
{
    if (a->count < AGES_MAX) {
        a->count++;
        a->grown += age >= GROWN_UP;
    }
}

/* "2yo", "7yrs" */
static int age_glued(ctn_str word)
{
    size_t digits = 0;
    while (digits < word.len && word.ptr[digits] >= '0' && word.ptr[digits] <= '9')
        digits++;
    ctn_str rest = ctn_str_from_offset(word, digits);
    return digits > 0 && digits < 3 && lead_word_in(" yo y yr yrs yro m mo mth mths ", rest)
               ? lead_number((ctn_str){word.ptr, digits})
               : -1;
}

/* "5 and 8 years old)", from the first number on; `*at` goes behind it. */
static ages read_age_list(const reader *r, size_t *at)
{
    ages found = {0};
    size_t i = *at;
    for (;;) {
        int age = number_at(r, i) >= 0 ? number_at(r, i) : age_glued(word_at(r, i));
        if (age < 0 || age > 99 || is_at(r, i, "a") || lead_person_word(word_at(r, i + 1)))
            break;
        i++;
        if (is_one_of(r, i, LEAD_MONTHS_OLD)) {
            age = 0;
            i++;
        }
        add_age(&found, age);
        *at = i;
        while (is_one_of(r, i, " - years year yrs yr ans anos jahre jahren jahr old alt each "))
            i++;
        *at = i;
        while (is_one_of(r, i, " , and & + y e et und / "))
            i++;
        if (i == *at)
            break;
    }
    if (is_at(r, *at, ")"))
        ++*at;
    return found;
}

/* What follows a person: "(5 and 8)", "aged 5", "who is twelve", "de 4 anos". */
static ages read_ages_after(const reader *r, size_t *at, int people)
{
    size_t i = *at;
    bool is_said = false;
    while (is_one_of(r, i, LEAD_AGE_LEADS)) {
        is_said = true;
        i++;
    }
    size_t end = i;
    bool is_comma = !is_said && is_one_of(r, i, " , : ");
    if (is_comma) {
        end = ++i;
        while (is_one_of(r, end, LEAD_AGE_LEADS)) {
            is_said = true;
            end++;
        }
    }
    ages found = read_age_list(r, &end);
    /* a list behind a comma only, with as many ages as people: "two kids, 18 and 20"; "our son, 17." */
    bool is_alone = people == 1 && found.count == 1 &&
                    (end >= r->count || is_one_of(r, end, " . , ; ! ) & + and y et und ") || is_at(r, end, "\n"));
    if (found.count == 0 || (!is_said && !is_alone && (people < 2 || found.count != people)))
        return (ages){0};
    *at = end;
    return found;
}

/* "the 16-year-old", "9 year old", "3yo": an age that stands for a person. */
static int read_age_person(const reader *r, size_t *at)
{
    size_t i = *at;
    int age = age_glued(word_at(r, i));
    if (age >= 0 && !is_at(r, i + 1, "ago")) {
        *at = i + 1;
        return age;
    }
    age = number_at(r, i);
    if (age < 0)
        return -1;
    i++;
    if (is_at(r, i, "-"))
        i++;
    if (is_one_of(r, i, LEAD_MONTHS_OLD) && (is_at(r, i + 1, "old") || is_at(r, i + 2, "old"))) {
        *at = is_at(r, i + 1, "old") ? i + 2 : i + 3;
        return 0;
    }
    if (is_one_of(r, i, " jahriger jahrige jahriges jahrigen ")) {
        *at = i + 1;
        return age;
    }
    if (!is_one_of(r, i, " year years yr yrs "))
        return -1;
    i++;
    if (is_at(r, i, "-"))
        i++;
    if (!is_one_of(r, i, " old olds "))
        return -1;
    *at = i + 1;
    return age;
}

/* ---- items ---- */

static void skip_names(const reader *r, size_t *at, int people)
{
    size_t i = *at;
    if (people == 1) {
        if (is_at(r, i, "(") && is_name(r, i + 1)) {
            size_t end = i + 1;
            while (is_name(r, end))
                end++;
            if (is_at(r, end, ")"))
                *at = end + 1;
            return;
        }
        if (is_at(r, i, ",")) { /* "my wife, Jane, and I", but not "my wife, Jane and I" */
            size_t name = i + 1;
            if (is_one_of(r, name, " mr mrs ms dr prof "))
                name += is_at(r, name + 1, ".") ? 2 : 1;
            size_t behind = name;
            while (is_name(r, behind))
                behind++;
            if (behind > name && !is_one_of(r, behind, " and & + y et und "))
                *at = behind;
            return;
        }
        while (is_name(r, i))
            i++;
        *at = i;
        return;
    }
    /* "my parents, Jean and Alan" */
    int names = 0;
    if (is_one_of(r, i, " , : ( "))
        i++;
    size_t end = i;
    while (is_name(r, i)) {
        while (is_name(r, i))
            i++;
        end = i;
        names++;
        while (is_one_of(r, i, " , and & + y et und "))
            i++;
    }
    if (names == people)
        *at = is_at(r, end, ")") ? end + 1 : end;
}

static void count_person(party *p, const lead_person *person, int people, ages a)
{
    bool is_child = person->kind == LEAD_CHILD;
    if (a.count > 0 && (people <= 0 || a.count == people)) {
        p->adults += a.grown;
        p->children += a.count - a.grown;
        p->has_children = p->has_children || a.count > a.grown;
    } else if (people < 0) {
        p->has_children = p->has_children || is_child; /* "the kids": nobody knows how many */
    } else if (is_child) {
        p->children += people;
        p->has_children = true;
    } else {
        p->adults += people;
    }
    p->has_adults = p->has_adults || person->kind == LEAD_ADULT;
    p->has_count = p->has_count || person->kind == LEAD_SOMEBODY;
    p->has_kin = p->has_kin || person->kind == LEAD_KIN || is_child;
}

static bool is_self(const reader *r, size_t i, const party *p)
{
    if (is_one_of(r, i, " me myself moi yo ich mich mir mi "))
        return !is_one_of(r, i - 1, LEAD_TO_ME) || is_one_of(r, i + 1, " and & + plus y et und , ");
    bool is_listed = i > 0 && p->last > p->first && is_one_of(r, i - 1, " and & + plus y et und ");
    if (is_at(r, i, "i"))
        return is_listed ||
               (is_one_of(r, i + 1, " and & + plus ") && is_one_of(r, i + 2, " my our the two three four "));
    /* a colleague's note: "him and 3 friends" */
    return is_one_of(r, i, " him her he she ") && !is_listed &&
           (is_one_of(r, i + 1, " and & + plus ") ||
            (is_at(r, i + 1, ",") && lead_person_word(word_at(r, i + 2)) && !is_one_of(r, i - (i > 0), LEAD_TO_ME))) &&
           !is_one_of(r, i + 2, " i is was ");
}

/* "11 lads, Prague or Budapest" */
static bool is_a_place_in_a_list(const reader *r, size_t i)
{
    const travel_place *place = travel_place_by_name(word_at(r, i));
    return place && travel_place_prominence(place) >= 60 && !travel_is_first_name(word_at(r, i)) &&
           is_at(r, i - 1, ",");
}

/* One item at *at; false: there is none, and *at is where it was. */
static bool read_item(const reader *r, size_t *at, party *p)
{
    size_t i = *at;
    bool is_first = p->last == p->first, is_grown = false;
    if (is_self(r, i, p)) {
        if (!p->has_self)
            p->adults++;
        p->has_self = true;
        *at = i + 1;
        skip_names(r, at, 1);
        return true;
    }
    int age = -1, people = -1;
    size_t determiners = 0;
    bool is_mine = false; /* "my girl", not "our little girl" */
    for (size_t steps = 0; steps < 6; steps++, i++) {
        size_t behind = i;
        if (age < 0 && (age = read_age_person(r, &behind)) >= 0) {
            i = behind - 1;
        } else if (people < 0 && number_at(r, i) >= 0 && !is_one_of(r, i, " a an un une una ein eine einen ")) {
            people = number_at(r, i);
            if (is_at(r, i + 1, "x"))
                i++;
        } else if (people >= 0 && is_one_of(r, i, " a an ")) {
            return false; /* "$1,100 a person" */
        } else if (is_at(r, i, "son") && !lead_person_word(word_at(r, i + 1)) &&
                   !is_one_of(r, i + 1, LEAD_ADJECTIVES)) {
            break; /* the English one: "son 15", not "son mari" */
        } else if (is_one_of(r, i, LEAD_DETERMINERS) ||
                   (word_at(r, i).len > 3 && ctn_str_ends_with(word_at(r, i), CTN_STR("'s")) && !is_first)) {
            determiners++;
            is_mine = is_at(r, i, "my");
        } else if (is_one_of(r, i, LEAD_ADJECTIVES)) {
            is_mine = false;
            is_grown = is_grown || is_one_of(r, i, " adult grown married ");
        } else if (!(is_at(r, i, "of") && people > 0 && is_one_of(r, i + 1, LEAD_DETERMINERS))) {
            break;
        }
    }
    static const lead_person child = {"", LEAD_CHILD, 1}, pair = {"", LEAD_SOMEBODY, 2};
    const lead_person *person = lead_person_word(word_at(r, i));
    if (is_at(r, i, "pareja") && i > 0 && !is_one_of(r, i - 1, " mi su tu la nuestra "))
        person = &pair; /* "somos una pareja", but "mi pareja" */
    if (!person && people > 0 && determiners > 0 && is_one_of(r, i - 2, " our my nos nuestros unsere ")) {
        size_t behind = i;
        ages a = read_ages_after(r, &behind, people);
        if (a.count != people)
            return false;
        count_person(p, &child, people, a); /* "our two, they're six and ten" */
        *at = behind;
        return true;
    }
    if (!person && is_at(r, i, "of") && people > 1 && is_at(r, i + 1, "us")) {
        if (p->total > 0 || !is_first)
            return false;
        p->total = people;
        *at = i + 2;
        return true;
    }
    if (!person && age >= 0 && (determiners > 0 || !is_first)) {
        ages a = {0};
        add_age(&a, age);
        count_person(p, &child, people > 0 ? people : 1, people > 0 ? (ages){0} : a);
        *at = i;
        return true;
    }
    if (!person && !is_first && people < 0 && is_name(r, i) && !is_a_place_in_a_list(r, i) &&
        (determiners == 0 || is_one_of(r, i + 1, " who who's aged "))) {
        while (is_name(r, i))
            i++;
        ages a = {0};
        if (number_at(r, i) >= 0 || is_one_of(r, i, LEAD_AGE_LEADS)) {
            size_t behind = i;
            while (is_one_of(r, behind, LEAD_AGE_LEADS))
                behind++;
            int years = number_at(r, behind) >= 0 ? number_at(r, behind) : age_glued(word_at(r, behind));
            if (years >= 0 && years <= 99) {
                add_age(&a, years);
                i = is_at(r, behind + 1, ")") ? behind + 2 : behind + 1;
            }
        }
        static const lead_person somebody = {"", LEAD_KIN, 1};
        count_person(p, &somebody, 1, a);
        *at = i;
        return true;
    }
    if (!person || (is_at(r, i, "couple") && is_at(r, i + 1, "of") && !lead_person_word(word_at(r, i + 2)) &&
                    !is_one_of(r, i + 2, LEAD_ADJECTIVES)))
        return false; /* "a couple of days" */
    if (is_one_of(r, i + 1, LEAD_NOT_PEOPLE_AFTER) ||
        (i > 0 && is_one_of(r, *at - 1, LEAD_NOT_PEOPLE_BEFORE) && is_first))
        return false;
    if (person->kind == LEAD_CHILD && (people == 0 || is_one_of(r, *at - (*at > 0), LEAD_NONE))) {
        p->has_children = true; /* "no kids" */
        *at = i + 1;
        return true;
    }
    if (people == 0 || (people < 0 && person->count > 0 && determiners == 0 && is_first && person->kind != LEAD_CHILD &&
                        !is_one_of(r, i + 1, " and & + plus y et und , ") && !ctn_str_is(word_at(r, i), "couple") &&
                        !ctn_str_is(word_at(r, i), "paar") && !ctn_str_is(word_at(r, i), "pareja")))
        return false;
    int each = person->count > 0 ? person->count : 1;
    int counted = people > 0 ? people * each : person->count > 0 ? person->count : -1;
    lead_person as = *person;
    if (is_grown && as.kind == LEAD_CHILD)
        as.kind = LEAD_KIN;
    bool is_boy = is_one_of(r, i, " boys boy girls girl ");
    if (as.kind == LEAD_TOTAL) {
        if (people <= 0 || p->total > 0)
            return false; /* "a person" is none in particular */
        *at = i + 1;
        if (is_first || p->has_count)
            p->total = counted;
        else
            p->adults += counted;
        return true;
    }
    if (counted < 0 && as.kind != LEAD_CHILD)
        return false; /* "friends": nobody knows how many */
    *at = i + 1;
    if (is_at(r, *at, "in") && is_one_of(r, *at + 1, " law laws "))
        *at += 2;
    if (is_at(r, *at, "-") && is_at(r, *at + 1, "in") && is_at(r, *at + 2, "-"))
        *at += 4;
    ages a = {0};
    if (age >= 0 && people <= 0)
        add_age(&a, age);
    size_t behind_names = *at;
    skip_names(r, &behind_names, counted > 0 ? counted : 1);
    size_t behind = behind_names;
    if (a.count == 0)
        a = read_ages_after(r, &behind, counted);
    *at = a.count > 0 && behind > behind_names ? behind : behind_names;
    bool is_sweetheart = is_mine && a.count == 0 && is_at(r, i, "girl");
    if (is_boy && !is_sweetheart && (determiners > 0 || a.count > 0) && p->total == 0)
        as.kind = LEAD_CHILD;
    count_person(p, &as, counted, a);
    return true;
}

/* A list of items from token `from` on; gives the token behind it, or from + 1 when there is none. */
static size_t read_party(reader *r, size_t from)
{
    party p = {.first = from, .last = from};
    size_t at = from;
    /* "Martin and me": a name may begin a list only before the writer */
    if (is_name(r, at) && is_one_of(r, at + 1, " and & + y et und ") &&
        is_one_of(r, at + 2, " me i myself yo moi ich ")) {
        p.adults = 2;
        p.has_self = true;
        at += 3;
    } else if (!read_item(r, &at, &p)) {
        return from + 1;
    }
    p.last = at;
    bool is_told = false; /* "5 of us, me, my wife ...": the total is told one by one */
    for (;;) {
        size_t next = at;
        while (is_one_of(r, next, LEAD_JOINS))
            next++;
        /* spoken: "it's me my husband and my mother" */
        bool is_joined = next > at || (p.has_self && is_one_of(r, next, LEAD_DETERMINERS)) ||
                         (p.has_adults && number_at(r, next) >= 0 && lead_person_word(word_at(r, next + 1)));
        bool is_added = p.total > 0 && !is_told && is_one_of(r, at, " and & + plus y et und ");
        int before = p.adults + p.children;
        party longer = p;
        if (!is_joined || !read_item(r, &next, &longer))
            break;
        if (p.has_adults && is_at(r, at, ",") &&
            (is_one_of(r, next, LEAD_COMES) || (is_at(r, next, "is") && is_one_of(r, next + 1, LEAD_COMES))))
            break; /* "make it 3 adults, my mother is coming too": the three are all of them */
        p = longer;
        if (is_added)
            p.total += p.adults + p.children - before; /* "2 of us + our daughter" */
        is_told = is_told || !is_added;
        at = p.last = next;
    }
    if (r->party_count < PARTIES_MAX)
        r->parties[r->party_count++] = p;
    return at;
}

/* ---- totals that no list tells ---- */

static int stated_total(lead *l, ctn_str text, bool *ret_is_family)
{
    static const char NUMBER_IS_US[] =
        "\\b(?:we are|we're|we'd be|we'll be|we will be|there(?:'s|'re| are| is| will be| would be|'ll "
        "be)|somos|seremos|"
        "vamos|on est|on sera|on part a|nous sommes|nous serons|wir sind|wir waren|us) (?:about |around )?" LEAD_NUMBER
        "(?: in total| altogether| en total| insgesamt)?(?= ?[,.!:;(\\n]| and\\b| from\\b| in\\b| y\\b| et\\b| "
        "und\\b|$)";
    static const char ZU_VIERT[] = "\\bzu (zweit|dritt|viert|funft|sechst|siebt|acht)\\b";
    static const char *const zu[] = {"zweit", "dritt", "viert", "funft", "sechst", "siebt", "acht"};
    lead_match m;
    int total = -1;
    if (lead_find(l->rules,
                  "\\b(group|party|team|squad|crew|family|famille|familia|familie|grupo|groupe|gruppe) "
                  "(?:of|de|von) (?:about |around )?" LEAD_NUMBER "\\b",
                  text, 0, &m) &&
        lead_number(m.group[2]) > 1) {
        *ret_is_family = ctn_str_starts_with(m.group[1], CTN_STR("fam"));
        total = lead_number(m.group[2]);
    }
    for (size_t from = 0; lead_find(l->rules, NUMBER_IS_US, text, from, &m); from = m.end)
        if (lead_number(m.group[1]) > 1) {
            total = lead_number(m.group[1]);
            *ret_is_family = false;
        }
    if (lead_find(l->rules, ZU_VIERT, text, 0, &m))
        for (size_t i = 0; i < sizeof zu / sizeof *zu; i++)
            if (ctn_str_is(m.group[1], zu[i]))
                total = (int) i + 2;
    if (total < 0 &&
        lead_find(
            l->rules,
            "\\b(?:for|para|pour|fur) (2|3|4|5|6|7|8|9|1\\d|two|three|four|five|six|seven|eight|nine|ten|dos|tres|"
            "cuatro|deux|trois|quatre|zwei|drei|vier)(?=[,.;!?)\\n]|$| (?:from|in|to|at|please|pls|on|with|de|"
            "desde|ab|von|nach|a|au)\\b)(?![.,]\\d)",
            text, 0, &m))
        total = lead_number(m.group[1]);
    return total <= PEOPLE_MAX ? total : -1;
}

static bool is_couple(lead *l, ctn_str text)
{
    return lead_has(l->rules,
                    "\\b(?:mr\\.? ?(?:&|and|\\+) ?mrs|herr und frau|m\\.? et mme|sr\\.? y sra)\\b"
                    "|\\b(?:honeymoon\\w*|newlyweds|lune de miel|luna de miel|flitterwochen|hochzeitsreise)\\b"
                    "|\\bboth of us\\b|\\bus both\\b|\\bus two\\b|\\bnous deux\\b|\\btous les deux\\b|\\bwir "
                    "(?:zwei|beide[n]?)\\b|\\bnosotros dos\\b|\\bles deux,? (?:on|nous)\\b|\\b(?:on|nous) (?:part\\w* "
                    "|voyage\\w* )?(?:a|les) deux\\b|\\ben (?:pareja|amoureux|couple)\\b|\\bals paar\\b|\\blos "
                    "dos\\b|\\bpair of us\\b|\\bas a couple\\b",
                    text);
}

static bool is_alone(lead *l, ctn_str text)
{
    return lead_has(
        l->rules,
        "\\b(?:just|only|nur|solo|solamente|juste|seulement) (?:for |fur |para |pour )?(?:me|myself|one|1|"
        "him|her|mich|ich|yo|mi|moi)\\b(?! (?:and|&|\\+|plus|y|et|und))|\\bsolo (?:trip|travel\\w*|female|male|"
        "traveller|holiday|eating)|[a-z,] solo\\b(?! (?:un|una|el|la))|\\bon my own\\b|\\bby myself\\b|"
        "\\bfor myself\\b(?! and)|\\btravel(?:l?ing)? alone\\b|\\bgo(?:ing)? alone\\b|\\ballein(?:e|reisend\\w*)?\\b|"
        "[,;] ?alone\\b|\\bmoi seule?\\b|\\btoute? seule?\\b|\\b(?:viajo|voy|viajar|voyage|pars) "
        "(?:solo|sola|seule?)\\b|"
        "\\bsingle travell?er\\b|\\b(?:1|one) (?:person|adult|travell?er|pax|passenger)\\b|\\bfor one\\b",
        text);
}

/* ---- choosing ---- */

/* A relative alone is in the party only when the words around say so. */
static bool is_travelling(const reader *r, const party *p)
{
    if (p->has_self)
        return p->adults + p->children > 1 || p->has_children || is_one_of(r, p->first - (p->first > 0), LEAD_JUST);
    if (p->has_count || p->adults + p->children > 1)
        return !is_one_of(r, p->first - (p->first > 0), LEAD_TO_SEE);
    return p->adults + p->children == 1 && p->first > 0 &&
           (is_one_of(r, p->first - 1, LEAD_WITH) || is_one_of(r, p->last, LEAD_COMES) ||
            (is_one_of(r, p->first - 1, LEAD_FOR)));
}

/* Relatives without the writer: he travels too, unless it is for them. */
static int with_writer(const reader *r, const party *p)
{
    bool is_for = p->first > 0 && is_one_of(r, p->first - 1, LEAD_FOR);
    bool is_with = p->first > 0 && is_one_of(r, p->first - 1, LEAD_WITH);
    if (p->has_self || p->has_adults || p->total > 0 || is_for)
        return p->adults;
    if (p->has_count)
        return is_with ? p->adults + 1 : p->adults;
    if (p->adults == 0 && !is_with)
        return -1; /* children: with whom is not said */
    return p->has_kin ? p->adults + 1 : p->adults;
}

typedef struct tally {
    int adults, children;
} tally;

static tally choose(reader *r)
{
    tally t = {-1, -1};
    const party *adults = NULL, *told = NULL;
    int total = -1, most_children = -1;
    bool is_family = false, names_children = false, says_none = false;
    for (size_t i = 0; i < r->party_count; i++) {
        const party *p = &r->parties[i];
        if (p->has_adults)
            adults = p;
        if (p->total > 0)
            total = p->total;
        names_children = names_children || p->has_children;
        says_none = says_none || (p->has_children && p->children == 0 && p->adults == 0);
        bool is_seen = p->first > 0 && is_one_of(r, p->first - 1, LEAD_TO_SEE);
        if (p->children > 0 && p->children >= most_children && !is_seen)
            most_children = p->children;
        bool is_weak = !p->has_self && p->adults + p->children == 1 && lead_has_field(r->l, LEAD_ADULTS);
        if (!is_weak && is_travelling(r, p) && (!told || p->adults + p->children >= told->adults + told->children))
            told = p;
    }
    if (total < 0 && !adults) {
        int stated = stated_total(r->l, r->text, &is_family);
        /* "family of 4" beside a list of as many is that list */
        if (stated > 0 && !(told && with_writer(r, told) + told->children == stated))
            total = stated;
    }
    r->l->is_total = !adults && total > 0;
    if (adults) {
        t.adults = adults->adults;
        t.children = adults->children > 0 ? adults->children : most_children;
    } else if (total > 0 && told && told->total == 0 && with_writer(r, told) + told->children == total) {
        t.adults = with_writer(r, told);
        t.children = told->children;
    } else if (total > 0) {
        bool is_split = most_children > 0 && most_children < total;
        if (is_split || !(is_family || (names_children && !says_none && most_children < 0)))
            t.adults = is_split ? total - most_children : total;
        t.children = is_split ? most_children : -1;
    } else if (told && with_writer(r, told) > 0) {
        t.adults = with_writer(r, told);
        t.children = told->children > 0 || !told->has_children ? told->children : -1;
        /* somebody else is mentioned as coming */
        for (size_t i = 0; i < r->party_count; i++) {
            const party *p = &r->parties[i];
            if (p != told && is_travelling(r, p) && p->adults + p->children == 1 && !p->has_self &&
                !is_one_of(r, p->first - (p->first > 0), LEAD_FOR) && p->first > told->last) {
                t.adults += p->adults;
                t.children = (t.children > 0 ? t.children : 0) + p->children;
            }
        }
    }
    if (t.children == 0 && names_children && !says_none && most_children < 0)
        t.children = -1;
    if (t.children < 0 && says_none && t.adults >= 0)
        t.children = 0;
    if (t.children < 0 && most_children > 0)
        t.children = most_children;
    if (is_family && t.adults < 0)
        t.children = -1;
    r->l->says_children = names_children;
    return t;
}

/* ---- a form's fields ---- */

static tally read_field(lead *l, lead_field field);

static tally tally_of(lead *l, lead_text *text)
{
    reader *r = CTN_NEW(l->arena, reader);
    lead_text said = l->said;
    *r = (reader){.l = l, .text = lead_text_folded(text)};
    l->said = *text; /* names are told by their capitals */
    cut_tokens(r);
    for (size_t i = 0; i < r->count;)
        i = read_party(r, i);
    tally t = choose(r);
    l->said = said;
    return t;
}

static tally read_field(lead *l, lead_field field)
{
    tally t = {-1, -1};
    lead_match m;
    if (!lead_has_field(l, field))
        return t;
    bool is_children = field == LEAD_CHILDREN;
    lead_text text = lead_text_make(l->arena, l->fields[field]);
    ctn_str folded = ctn_str_trim(lead_text_folded(&text));
    if (lead_has(l->rules, "^(?:none|no|nil|keine|ninguno|ninguna|aucun|-)\\b", folded))
        return is_children ? (tally){-1, 0} : t;
    if (lead_find(l->rules, "^" LEAD_NUMBER "(?: ?\\(.*| ?-.*| ?,.*|)$", folded, 0, &m) &&
        lead_number(m.group[1]) >= 0) {
        /* "2 (18 and 20)": as if the label stood behind the number */
        text = lead_text_make(l->arena, ctn_arena_printf(l->arena, "%d %s %.*s", lead_number(m.group[1]),
                                                         is_children ? "children" : "adults",
                                                         CTN_STR_ARG(ctn_str_from_offset(folded, m.group[1].len))));
        if (lead_number(m.group[1]) == 0)
            return is_children ? (tally){-1, 0} : t;
    }
    t = tally_of(l, &text);
    if (is_children && t.adults > 0 && t.children < 0)
        t = (tally){t.adults, 0}; /* "2 (18 and 20)" are grown up */
    return t;
}

static void add_fields(lead *l, tally *t)
{
    bool says_children = l->says_children, is_total = l->is_total;
    tally grown = read_field(l, LEAD_ADULTS), small = read_field(l, LEAD_CHILDREN);
    if (small.adults > 0 && grown.adults > 0)
        grown.adults += small.adults;
    int children = small.children >= 0 ? small.children : grown.children;
    /* "actually we are three adults now" of two and a child: the comment tells all of them anew */
    bool is_told_anew = t->adults > 0 && grown.adults > 0 && children > 0 && t->adults == grown.adults + children;
    if (t->children < 0 && !is_told_anew && (t->adults < 0 || !says_children))
        t->children = children;
    if (t->adults < 0)
        t->adults = grown.adults;
    l->says_children = says_children || small.children >= 0 || small.adults > 0;
    l->is_total = is_total;
}

/* ---- all together ---- */

void lead_read_people(lead *l)
{
    lead_match m;
    ctn_str text = lead_text_folded(&l->said);
    tally t = tally_of(l, &l->said);
    if (lead_find(l->rules, "\\b(\\d{1,2}) ?a(?:d|ds|dt|dts|dults?)? ?[+,&/]? ?(\\d{1,2}) ?(?:c|ch|chd|chds|kids?)\\b",
                  text, 0, &m)) {
        t = (tally){lead_number(m.group[1]), lead_number(m.group[2])};
        l->says_children = true;
    }
    if (t.adults < 0 && !lead_has_field(l, LEAD_ADULTS) && !l->is_total) {
        if (is_couple(l, text))
            t.adults = 2;
        else if (is_alone(l, text))
            t.adults = 1;
    }
    add_fields(l, &t);
    if (t.adults >= 0 && t.children < 0 && !l->says_children)
        t.children = 0;
    l->adults = t.adults;
    l->children = t.children;
}
