import { words } from '../../lib/i18n.svelte';
import { titles } from '../../messages/titles';
import type { Page } from '..';

const t = words(titles);

/** Labs: the list, one of them for its authors and for those who work through it, and that work. */
export const labs: readonly Page[] = [
  {
    path: '/labs',
    title: () => t('labs'),
    load: () => import('./Labs.svelte'),
    permission: 'read-labs',
    menu: { group: 'main', order: 32 },
  },
  {
    path: '/labs/:id',
    title: () => t('lab'),
    load: () => import('./Lab.svelte'),
    permission: 'read-labs',
    isWide: true,
  },
  {
    path: '/attempts/:id',
    title: () => t('attempt'),
    load: () => import('./student/Attempt.svelte'),
    permission: 'read-labs',
    isWide: true,
  },
];
