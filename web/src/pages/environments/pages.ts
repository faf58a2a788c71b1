import { words } from '../../lib/i18n.svelte';
import { titles } from '../../messages/titles';
import type { Page } from '..';

const t = words(titles);

/** Environments: the list, one of them, and their form. */
export const environments: readonly Page[] = [
  {
    path: '/environments',
    title: () => t('environments'),
    load: () => import('./Environments.svelte'),
    permission: 'read-containers',
    menu: { group: 'more', order: 3 },
  },
  {
    path: '/environments/:id',
    title: () => t('environment'),
    load: () => import('./Environment.svelte'),
    permission: 'read-containers',
  },
  {
    path: '/environments/:id/change',
    title: () => t('changeEnvironment'),
    load: () => import('./ChangeEnvironment.svelte'),
    permission: 'write-containers',
  },
  {
    path: '/new-environment',
    title: () => t('newEnvironment'),
    load: () => import('./NewEnvironment.svelte'),
    permission: 'write-containers',
  },
];
