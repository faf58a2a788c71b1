import { words } from '../../lib/i18n.svelte';
import { apps } from '../../messages/apps';
import { deploy } from '../../messages/deploy';
import { overview } from '../../messages/overview';
import type { Page } from '..';

const o = words(overview);
const a = words(apps);
const d = words(deploy);

/** Overview, hosts, apps, deploy. */
export const pool: readonly Page[] = [
  {
    path: '/',
    title: () => o('title'),
    load: () => import('../overview/Overview.svelte'),
    menu: { group: 'main', order: 10 },
    isWide: true,
  },
  {
    path: '/apps',
    title: () => a('title'),
    load: () => import('../apps/Apps.svelte'),
    permission: 'read-containers',
    menu: { group: 'main', order: 20 },
  },
  {
    path: '/apps/:name',
    title: () => a('name'),
    load: () => import('../apps/App.svelte'),
    permission: 'read-containers',
  },
  {
    path: '/apps/:name/change',
    title: () => a('change'),
    load: () => import('../apps/Change.svelte'),
    permission: 'write-containers',
  },
  {
    path: '/deploy',
    title: () => d('title'),
    load: () => import('../deploy/Deploy.svelte'),
    permission: 'read-containers',
    isWide: true,
  },
];
