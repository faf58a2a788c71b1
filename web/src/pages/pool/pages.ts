import { words } from '../../lib/i18n.svelte';
import { titles } from '../../messages/titles';
import type { Page } from '..';

const t = words(titles);

/** Overview, hosts, apps, deploy. */
export const pool: readonly Page[] = [
  {
    path: '/',
    title: () => t('overview'),
    load: () => import('../overview/Overview.svelte'),
    permission: 'read-engines',
    menu: { group: 'main', order: 10 },
    isWide: true,
  },
  {
    path: '/hosts',
    title: () => t('hosts'),
    load: () => import('../hosts/Hosts.svelte'),
    permission: 'read-engines',
    menu: { group: 'main', order: 15 },
    isWide: true,
  },
  {
    path: '/hosts/:id',
    title: () => t('host'),
    load: () => import('../hosts/Host.svelte'),
    permission: 'read-engines',
  },
  {
    path: '/add-host',
    title: () => t('addHost'),
    load: () => import('../hosts/AddHost.svelte'),
    permission: 'write-engines',
  },
  {
    path: '/rebalance',
    title: () => t('rebalance'),
    load: () => import('../hosts/Rebalance.svelte'),
    permission: 'read-cluster',
    isWide: true,
  },
  {
    path: '/apps',
    title: () => t('apps'),
    load: () => import('../apps/Apps.svelte'),
    permission: 'read-containers',
    menu: { group: 'main', order: 20 },
  },
  {
    path: '/apps/:name',
    title: () => t('app'),
    load: () => import('../apps/App.svelte'),
    permission: 'read-containers',
  },
  {
    path: '/apps/:name/change',
    title: () => t('changeApp'),
    load: () => import('../apps/Change.svelte'),
    permission: 'write-containers',
  },
  {
    path: '/deploy',
    title: () => t('deploy'),
    load: () => import('../deploy/Deploy.svelte'),
    permission: 'write-containers',
    menu: { group: 'more', order: 1 },
    isWide: true,
  },
];
