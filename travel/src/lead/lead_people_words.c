/*
 * lead_people_words.c -- the words of lead_people.h, folded (no capitals, no accents), of all four languages.
 */
#include "lead/lead_people.h"

static const lead_person PEOPLE[] = {
    {" adult adulto adulta adulte erwachsener erwachsene ad grownup oap pensioner ", LEAD_ADULT, 1},
    {" adults adultos adultas adultes erwachsenen ads erw grownups oaps pensioners seniors ", LEAD_ADULT, 0},

    {" wife husband hubby hubbie hub partner spouse missus mrs boyfriend girlfriend bf gf girl fiance fiancee bestie "
     "mum mom mam "
     "mother mummy mama dad father papa daddy sister brother sis bro nan nana nanna gran granny grandma grandmother "
     "grandad grandpa granddad grandfather aunt auntie aunty uncle cousin friend mate pal buddy colleague neighbour "
     "neighbor boss manager director ceo cfo cto md vp chairman president flatmate roommate niece nephew lad lady "
     "carer nanny "
     /* es */
     "mujer marido esposa esposo novia novio pareja madre padre hermana hermano abuela abuelo tia tio prima primo "
     "amiga amigo suegra suegro jefe jefa companera companero sobrina sobrino "
     /* fr */
     "femme mari epouse epoux copine copain conjoint conjointe compagne compagnon mere pere maman soeur frere "
     "grand-mere tante oncle cousine ami amie "
     /* de */
     "frau mann ehefrau ehemann freundin freund partnerin mutter vater mama schwester bruder oma opa tante onkel "
     "cousin kollege kollegin chef chefin schwiegermutter schwiegervater nichte neffe ",
     LEAD_KIN, 1},
    {" parents grandparents padres abuelos grandsparents eltern grosseltern schwiegereltern ", LEAD_KIN, 2},
    {" sisters brothers aunts uncles cousins wives husbands hermanas hermanos soeurs freres schwestern bruder "
     "geschwister nieces nephews ",
     LEAD_KIN, 0},

    {" couple couples pareja parejas paar paare ehepaar ", LEAD_SOMEBODY, 2},
    {" friends mates pals buddies colleagues lads blokes guys girls boys men women ladies gents lasses chaps dudes "
     "besties gals "
     "players parishioners pilgrims worshippers singers divers golfers cyclists walkers runners members staff "
     "employees teachers coaches drivers "
     "students delegates musicians dancers teammates partygoers bridesmaids hens stags neighbours coworkers "
     "amigos amigas colegas companeros companeras chicas chicos mujeres hombres profesores estudiantes "
     "amis amies copines copains potes collegues filles femmes hommes joueurs professeurs etudiants "
     "freunde freundinnen kollegen kolleginnen madels jungs frauen manner damen herren mitglieder lehrer spieler "
     "studenten ",
     LEAD_SOMEBODY, 0},
    {" person persona personne passenger traveller traveler guest ", LEAD_TOTAL, 1},
    {" people persons pax ppl travellers travelers guests passengers personas pasajeros viajeros "
     "personnes voyageurs passagers personen leute reisende gaste participants folks peeps heads ",
     LEAD_TOTAL, 0},

    {" child kid baby toddler infant teenager teen newborn son daughter grandson granddaughter grandchild bairn tot "
     "bebe nino nina hijo hija nieto nieta menor adolescente enfant ado fils fille petit-fils "
     "kind sohn tochter saugling kleinkind enkel enkelin enkelkind schulkind jugendlicher ",
     LEAD_CHILD, 1},
    {" twins gemelos gemelas mellizos jumeaux jumelles zwillinge ", LEAD_CHILD, 2},
    {" triplets ", LEAD_CHILD, 3},
    {" children kids babies toddlers infants teenagers teens sons daughters grandsons granddaughters grandchildren "
     "grandkids bairns "
     "tots pupils youngsters schoolchildren minors littlies "
     "bebes ninos ninas hijos hijas nietos nietas menores adolescentes alumnos enfants ados eleves "
     "kinder sohne tochter teenies enkelkinder kleinkinder schuler jugendliche ",
     LEAD_CHILD, 0},
};

bool lead_word_in(const char *list, ctn_str word)
{
    if (word.len == 0)
        return false;
    for (const char *at = list; (at = memchr(at, ' ', strlen(at))) != NULL; at++)
        if (strncmp(at + 1, word.ptr, word.len) == 0 && at[1 + word.len] == ' ')
            return true;
    return false;
}

const lead_person *lead_person_word(ctn_str word)
{
    if (word.len < 2 || word.ptr[0] < 'a' || word.ptr[0] > 'z')
        return NULL;
    for (size_t i = 0; i < sizeof PEOPLE / sizeof *PEOPLE; i++)
        if (lead_word_in(PEOPLE[i].words, word))
            return &PEOPLE[i];
    return NULL;
}

const char LEAD_DETERMINERS[] =
    " my our the his her their your a an one's another both all "
    "mi mis nuestro nuestra nuestros nuestras su sus el la los las un una otros otras "
    "mon ma mes notre nos son sa ses leur leurs le les une "
    "mein meine meinen meiner meinem unser unsere unseren unserer sein seine ihr ihre der die das den ein eine einen ";
const char LEAD_ADJECTIVES[] =
    " young small little wee older elderly dear lovely best old grown adult other more good single fellow work "
    "school teenage teen twin married beautiful gorgeous favourite closest uni school-age primary secondary "
    "petit petite petits petites jeune jeunes meilleur meilleure meilleurs autres "
    "klein kleine kleinen kleines guten gute beste bester besten weitere liebe "
    "pequeno pequena pequenos pequenas mejor mejores ";
const char LEAD_JOINS[] = " and & + plus , with n y e et und mit con avec w also including incl sowie ";
const char LEAD_AGE_LEADS[] =
    " ( aged age ages who who's is are will be was that's they're they turning turns of de d' entre im alter von ages "
    "both den agee age agees ages - ";
const char LEAD_MONTHS_OLD[] = " month months mth mths mois monate monat mes meses wk wks week weeks ";
const char LEAD_NOT_NAMES[] =
    " i we us he she they it january february march april may june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed weds thu thur thurs fri sat sun jan feb "
    "mar apr jun jul aug "
    "sep sept oct nov dec christmas easter budget flights hotel from to flying leaving thanks cheers regards looking "
    "need please ideally all half happy also and or call our my the would could can is are any some just "
    "hiking cycling diving golf wine ";
const char LEAD_NOT_PEOPLE_AFTER[] =
    " club clubs menu menus pool pools room rooms meal meals friendly price prices free only's cot bed "
    "beds discount fare fares seat seats activities activity hospital carriage ";
const char LEAD_NOT_PEOPLE_BEFORE[] = " per each pro por par a/ p/ from by via per/ / @ love dear hi hello hey to ";
const char LEAD_NONE[] = " no without sin sans ohne keine kein zero pas aucun ningun ";
const char LEAD_TO_ME[] =
    " call ring phone text email e-mail mail message tell give let send show contact reach get msg whatsapp drop "
    "gets help ask remember excuse for-me quote sends ";
const char LEAD_JUST[] = " just only for solo nur juste seulement para pour fur it's its ";
const char LEAD_TO_SEE[] =
    " visit visiting see seeing meet meeting from by ask told tell said stay besuchen visitar voir surprise's "
    "because ";
const char LEAD_WITH[] =
    " with w bringing bring take taking plus accompanied joined mit con avec and surprise treat treating ";
const char LEAD_COMES[] = " comes coming joins joining too viene vient kommt ";
const char LEAD_FOR[] = " for para pour fur ";
