import { words } from '../../lib/i18n.svelte';
import { titles } from '../../messages/titles';
import type { Page } from '..';

const t = words(titles);

/** Accounts, roles, what they used, tokens, settings. */
export const people: readonly Page[] = [
  {
    path: '/settings',
    title: () => t('settings'),
    load: () => import('./Settings.svelte'),
    menu: { group: 'more', order: 0 },
  },
  {
    path: '/tokens',
    title: () => t('tokens'),
    load: () => import('./Tokens.svelte'),
    menu: { group: 'more', order: 10 },
  },
  {
    path: '/accounts',
    title: () => t('accounts'),
    load: () => import('./Accounts.svelte'),
    permission: 'write-accounts',
    menu: { group: 'more', order: 20 },
  },
  {
    path: '/roles',
    title: () => t('roles'),
    load: () => import('./Roles.svelte'),
    permission: 'write-accounts',
    menu: { group: 'more', order: 30 },
  },
  {
    path: '/usage',
    title: () => t('usage'),
    load: () => import('./Usage.svelte'),
    permission: 'write-accounts',
    menu: { group: 'more', order: 40 },
  },
];
