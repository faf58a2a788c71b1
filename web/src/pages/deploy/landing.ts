/** The planner's answer about a request in a sentence: whether it fits, and where. */
import type { Schemas } from '../../lib/api';
import { words } from '../../lib/i18n.svelte';
import { deploy } from '../../messages/deploy';
import { landing, ghostsOfRequest } from '../../parts/pool/ghosts';

const t = words(deploy);
/** Of more hosts than the first number only so many are named as the second says. */
const MOST = 6;
const NAMED = 4;

export function answer(
  explained: Schemas['ExplainView'],
  count: number,
): { tone: 'good' | 'warn' | 'bad'; text: string } {
  const places = landing(ghostsOfRequest(explained, '', { cpus: 0, memory: 0 }));
  const placed = places.reduce((sum, place) => sum + place.count, 0);
  if (placed === 0) return { tone: 'bad', text: t('fitsNone') };
  const named = places.length > MOST ? NAMED : places.length;
  const told = places.slice(0, named).map(({ host, count: n }) => t('landsOn', { n, host }));
  const rest = places.slice(named);
  if (rest.length > 0) {
    told.push(t('landsOnMore', { n: rest.reduce((sum, place) => sum + place.count, 0), hosts: rest.length }));
  }
  const where = told.join(', ');
  if (placed < count) return { tone: 'warn', text: t('fitsPart', { n: placed, all: count, where }) };
  return { tone: 'good', text: t('fits', { where }) };
}
