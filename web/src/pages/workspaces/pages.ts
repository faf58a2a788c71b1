import { words } from '../../lib/i18n.svelte';
import { titles } from '../../messages/titles';
import type { Page } from '..';

const t = words(titles);

/** Workspaces: the list, one of them, and what was saved of them. */
export const workspaces: readonly Page[] = [
  {
    path: '/workspaces',
    title: () => t('workspaces'),
    load: () => import('./Workspaces.svelte'),
    permission: 'read-containers',
    also: 'read-labs',
    menu: { group: 'main', order: 30 },
  },
  {
    path: '/workspaces/:id',
    title: () => t('workspace'),
    load: () => import('./Workspace.svelte'),
    permission: 'read-containers',
    also: 'read-labs',
    isWide: true,
  },
  {
    path: '/saves',
    title: () => t('saves'),
    load: () => import('./Saves.svelte'),
    permission: 'read-containers',
    also: 'read-labs',
    menu: { group: 'more', order: 3 },
  },
];
