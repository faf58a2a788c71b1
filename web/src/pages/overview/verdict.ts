/** Is everything all right? The answer in words, and what is behind it. */
import type { Schemas } from '../../lib/api';
import { percent } from '../../lib/format';
import { words } from '../../lib/i18n.svelte';
import { inWords } from '../../lib/said';
import { overview } from '../../messages/overview';
import { pool } from '../../messages/pool';
import { hostState, share } from '../../parts/pool/model';
import { stateWord, type Tone } from '../../parts/pool/wording';
import { appState, sentences } from '../apps/status';

type Engine = Schemas['EngineView'];
type App = Schemas['AppView'];
type Info = Pick<Schemas['ClusterInfo'], 'frozen' | 'restored'>;

const t = words(overview);
const p = words(pool);
/** From so much on a host counts as nearly full. */
const FULL = 0.95;
const NAMED = 3;

/** The sentence at the top, and its tone. Who may not see the apps is told of the hosts alone. */
export function verdict(
  engines: readonly Engine[],
  apps: readonly App[] | undefined,
  info?: Info,
): { tone: Tone; text: string } {
  if (engines.length === 0) return { tone: 'plain', text: t('noHosts') };
  const hosts = hostsSentence(engines);
  if (info?.frozen) return { tone: 'bad', text: sentences(t('frozen'), hosts.text) };
  if (!apps) return hosts;
  const some = appsSentence(apps);
  const tone = worse(hosts.tone, some.tone);
  return { tone, text: sentences(hosts.text, some.text) };
}

const ORDER: Tone[] = ['plain', 'good', 'accent', 'warn', 'bad'];

function worse(one: Tone, two: Tone): Tone {
  return ORDER.indexOf(one) > ORDER.indexOf(two) ? one : two;
}

function hostsSentence(engines: readonly Engine[]): { tone: Tone; text: string } {
  const all = engines.length;
  const states = engines.map((engine) => ({ id: engine.id, state: hostState(engine) }));
  const of = (state: string) => states.filter((one) => one.state === state).map((one) => one.id);
  const [down, suspect, waiting] = [of('down'), of('suspect'), of('waiting')];
  if (down.length > 0) return { tone: 'bad', text: t('hostsDown', { n: down.length, all, names: named(down) }) };
  if (suspect.length > 0)
    return { tone: 'warn', text: t('hostsSuspect', { n: suspect.length, all, names: named(suspect) }) };
  if (waiting.length > 0) return { tone: 'warn', text: t('hostsWait', { n: waiting.length, names: named(waiting) }) };
  const well = of('well').length;
  if (well < all) return { tone: 'accent', text: t('hostsRest', { n: well, all, out: all - well }) };
  return { tone: 'good', text: all === 1 ? t('oneHost') : t('allHosts', { n: all }) };
}

function named(ids: readonly string[]): string {
  const names = ids.slice(0, NAMED).join(', ');
  return ids.length > NAMED ? t('andMore', { names, n: ids.length - NAMED }) : names;
}

function appsSentence(apps: readonly App[]): { tone: Tone; text: string } {
  if (apps.length === 0) return { tone: 'plain', text: t('noApps') };
  const troubled = apps.map(appState).filter((state) => state.isTrouble);
  const rest = apps.length - troubled.length;
  if (troubled.length === 0) return { tone: 'good', text: t('appsServe', { n: rest }) };
  const tone = troubled.some((state) => state.tone === 'bad') ? 'bad' : 'warn';
  const serve = rest > 0 ? t('appsServe', { n: rest }) : '';
  return { tone, text: sentences(serve, t('appsTrouble', { n: troubled.length })) };
}

/** Something to look at: where it leads, and why. */
export interface Concern {
  key: string;
  tone: Tone;
  text: string;
  why: string;
  place: string;
}

/** What needs attention, the worst first. */
export function concerns(engines: readonly Engine[], apps: readonly App[], info?: Info): Concern[] {
  const found = [...engines.flatMap(ofHost), ...lacking(engines), ...apps.flatMap(ofApp)];
  if (info?.frozen) found.push({ key: 'frozen', tone: 'bad', text: t('frozen'), why: info.frozen, place: '/hosts' });
  if (info?.restored) {
    found.push({ key: 'restored', tone: 'warn', text: t('restored'), why: info.restored.reason, place: '/hosts' });
  }
  for (const one of found) one.why = inWords(one.why);
  return found.sort((one, two) => ORDER.indexOf(two.tone) - ORDER.indexOf(one.tone));
}

function ofHost(engine: Engine): Concern[] {
  const name = engine.id;
  const place = `/hosts/${encodeURIComponent(name)}`;
  const of = (kind: string, tone: Tone, text: string, why = ''): Concern => ({
    key: `${kind} ${name}`,
    tone,
    text,
    why,
    place,
  });
  const state = hostState(engine);
  const reason = engine.health.reason ?? '';
  const found: Concern[] = [];
  if (state === 'down') found.push(of('down', 'bad', t('hostDown', { name }), reason));
  else if (state === 'suspect') found.push(of('suspect', 'warn', t('hostSuspect', { name }), reason));
  else if (state === 'waiting') found.push(of('waits', 'warn', t('hostWaits', { name }), reason));
  else if (state === 'pending') found.push(of('pending', 'accent', t('hostPending', { name }), reason));
  else if (state !== 'well') found.push(of('out', 'plain', t('hostOut', { name, state: stateWord(state) })));
  const cpus = share(engine.reserved_cpus, engine.cpus);
  const memory = share(engine.reserved_memory, engine.memory);
  if (state === 'well' && Math.max(cpus, memory) >= FULL) {
    const what = cpus > memory ? p('cpu') : p('memory');
    found.push(of('full', 'accent', t('hostFull', { name, what, share: percent(Math.max(cpus, memory)) })));
  }
  return found;
}

/** What hosts lack: those that lack the same are told once. */
function lacking(engines: readonly Engine[]): Concern[] {
  const hosts = new Map<string, string[]>();
  for (const engine of engines.filter((one) => one.health.status !== 'down')) {
    for (const what of engine.lacks) hosts.set(what, [...(hosts.get(what) ?? []), engine.id]);
  }
  return [...hosts].map(([why, ids]) => {
    const text = ids.length === 1 ? t('hostLacks', { name: ids[0] as string }) : t('hostsLack', { n: ids.length });
    const place = ids.length === 1 ? `/hosts/${encodeURIComponent(ids[0] as string)}` : '/hosts';
    return { key: `lacks ${why}`, tone: 'accent', text, why, place };
  });
}

function ofApp(app: App): Concern[] {
  const place = `/apps/${encodeURIComponent(app.name)}`;
  const state = appState(app);
  const found: Concern[] = [];
  if (state.isTrouble) {
    const why = app.slots.find((slot) => slot.state !== 'running' && slot.message)?.message ?? '';
    const text = t('appFailed', { name: app.name, word: state.word });
    found.push({ key: `app ${app.name}`, tone: state.tone, text, why, place });
  }
  if (app.message?.includes('taken back')) {
    found.push({
      key: `back ${app.name}`,
      tone: 'warn',
      text: t('takenBack', { name: app.name }),
      why: app.message,
      place,
    });
  }
  return found;
}
