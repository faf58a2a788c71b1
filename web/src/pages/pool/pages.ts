import { words } from '../../lib/i18n.svelte';
import { apps } from '../../messages/apps';
import { deploy } from '../../messages/deploy';
import { hosts } from '../../messages/hosts';
import { overview } from '../../messages/overview';
import type { Page } from '..';

const o = words(overview);
const h = words(hosts);
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
    path: '/hosts',
    title: () => h('title'),
    load: () => import('../hosts/Hosts.svelte'),
    permission: 'read-engines',
    menu: { group: 'main', order: 15 },
    isWide: true,
  },
  {
    path: '/hosts/:id',
    title: () => h('name'),
    load: () => import('../hosts/Host.svelte'),
    permission: 'read-engines',
  },
  {
    path: '/add-host',
    title: () => h('joinTitle'),
    load: () => import('../hosts/AddHost.svelte'),
    permission: 'write-engines',
  },
  {
    path: '/rebalance',
    title: () => h('rebalanceTitle'),
    load: () => import('../hosts/Rebalance.svelte'),
    permission: 'read-cluster',
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
