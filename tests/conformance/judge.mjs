/*
 * judge.mjs -- what the conformance suite found, held against the baseline: one line a scenario, `ok`, `not ok` or `skip`.
 *
 *     node judge.mjs SCENARIOS BASELINE REVISION:SIDE:SCORED:FOLDER...
 *
 * SCORED is the suite's own `list --requirements REVISION`; FOLDER holds a folder with checks.json for each scenario. One of
 * SCORED or SCENARIOS that left none behind did not run, which is a failure. Scenarios that are not scored are held to the
 * same: what passed once must pass.
 */
import { readFileSync, readdirSync } from 'node:fs';

const [scenariosFile, baselineFile, ...runs] = process.argv.slice(2);
const lines = [];
let bad = 0;
const say = (verdict, text) => {
    lines.push(`${verdict} ${text}`);
    if (verdict === 'not ok') bad++;
};

/* { side: [{ scenario, check, reason, isMet }] } */
function readBaseline(file) {
    const entries = { server: [], client: [] };
    let side = null;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
        const head = line.match(/^(server|client):$/);
        const entry = line.match(/^ {2}- ([^\s:#]+)(?::(\S+))?(?:\s+# (.+))?$/);
        if (head) side = head[1];
        else if (entry) entries[side].push({ scenario: entry[1], check: entry[2], reason: entry[3] ?? '', isMet: false });
        else if (line.trim() && !line.startsWith('#')) say('not ok', `baseline: not understood: ${line}`);
    }
    return entries;
}

/* The names of that side and revision in the list of all. */
function readKnown(file, revision, side) {
    const start = `${revision} ${side} `;
    return readFileSync(file, 'utf8').split('\n').filter((l) => l.startsWith(start)).map((l) => l.slice(start.length));
}

/* The scenarios of that side which the revision requires. */
function readScored(file, side) {
    const text = readFileSync(file, 'utf8').split('Run and reported, but never scored')[0];
    const part = text.split(/^(?=Server scenarios|Client scenarios)/m).find((p) => p.toLowerCase().startsWith(side)) ?? '';
    return new Set([...part.matchAll(/^ {2}- (\S+)/gm)].map((m) => m[1]));
}

/* The folders are named after the scenario, with "server-" before it and the time behind it, and may be nested. */
function readRun(folder, side) {
    const found = new Map();
    for (const file of readdirSync(folder, { recursive: true })) {
        if (!file.endsWith('checks.json')) continue;
        let name = file.slice(0, -'/checks.json'.length).replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '');
        if (side === 'server') name = name.replace(/^server-/, '');
        found.set(name, JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')));
    }
    return found;
}

function judgeScenario(entries, label, scenario, checks, isScored) {
    const failed = checks.filter((c) => c.status === 'FAILURE');
    const warned = checks.filter((c) => c.status === 'WARNING').length;
    const counts = new Set(checks.map((c) => c.status));
    const excuses = [];
    for (const check of failed) {
        const entry = entries.find((e) => e.scenario === scenario && (!e.check || e.check === check.id));
        const isAccepted = entry && (isScored ? /^deprecated: (sampling|roots|logging)\b/ : /^(not scored|deprecated): /).test(entry.reason);
        if (entry) entry.isMet = true;
        if (!isAccepted) {
            say('not ok', `${label}: ${check.id}: ${entry ? `"${entry.reason}" is no reason` : String(check.errorMessage ?? check.description).slice(0, 300)}`);
            return;
        }
        excuses.push(entry.reason);
    }
    if (checks.length === 0) say('not ok', `${label}: no check was made`);
    else if (excuses.length === failed.length && excuses.length) say('skip', `${label}: ${[...new Set(excuses)].join('; ')}`);
    else if ([...counts].every((s) => s === 'SKIPPED')) say('skip', `${label}: the suite skips it`);
    else say('ok', `${label}${warned ? ` (${warned} warnings)` : ''}`);
}

const baseline = readBaseline(baselineFile);
const seen = { server: false, client: false };
for (const run of runs) {
    const [revision, side, scoredFile, folder] = run.split(':');
    const scored = readScored(scoredFile, side);
    const found = readRun(folder, side);
    seen[side] = true;
    const known = readKnown(scenariosFile, revision, side);
    for (const scenario of [...new Set([...scored, ...known, ...found.keys()])].sort()) {
        const label = `conformance ${side} ${revision} ${scenario}${scored.has(scenario) ? '' : ' (not scored)'}`;
        if (!found.has(scenario)) say('not ok', `${label}: it did not run`);
        else if (!known.includes(scenario)) say('not ok', `${label}: it is not listed in ${scenariosFile}`);
        else judgeScenario(baseline[side], label, scenario, found.get(scenario), scored.has(scenario));
    }
}
for (const side of ['server', 'client'])
    for (const entry of baseline[side])
        if (seen[side] && !entry.isMet)
            say('not ok', `baseline: ${side} ${entry.scenario}${entry.check ? `:${entry.check}` : ''} does not fail any more: take it out`);
console.log(lines.join('\n'));
process.exit(bad ? 1 : 0);
