/** Why a host refuses, in a few words: the planner's filters. Its own words, in English, say more. */
import { words } from '../../lib/i18n.svelte';
import { deploy } from '../../messages/deploy';

const t = words(deploy);

const FILTERS = {
  host: 'filterHost',
  unavailable: 'filterUnavailable',
  label: 'filterLabel',
  unique: 'filterUnique',
  link: 'filterLink',
  tried: 'filterTried',
  port: 'filterPort',
  cpu: 'filterCpu',
  memory: 'filterMemory',
} as const;

export function filterWord(filter: string | null | undefined): string {
  const key = FILTERS[(filter ?? '').toLowerCase() as keyof typeof FILTERS];
  return key ? t(key) : (filter ?? '');
}
