import { words } from '../../lib/i18n.svelte';
import { terminals } from '../../messages/terminals';
import type { Page } from '..';

const t = words(terminals);

/** Containers, events, images, terminals. */
export const work: readonly Page[] = [
  {
    path: '/terminals',
    title: () => t('title'),
    load: () => import('../terminals/Terminals.svelte'),
    permission: 'read-containers',
    menu: { group: 'more', order: 10 },
  },
  {
    path: '/terminals/:id',
    title: () => t('terminal'),
    load: () => import('../terminals/Terminal.svelte'),
    permission: 'read-containers',
    isWide: true,
  },
];
