import { words } from '../../lib/i18n.svelte';
import { titles } from '../../messages/titles';
import type { Page } from '..';

const t = words(titles);

/** The wall: everybody whose work one may watch. */
export const wall: readonly Page[] = [
  {
    path: '/wall',
    title: () => t('wall'),
    load: () => import('./Wall.svelte'),
    permission: 'read-containers',
    also: 'read-labs',
    menu: { group: 'more', order: 2 },
    isWide: true,
  },
];
