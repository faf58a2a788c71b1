import { words } from '../../lib/i18n.svelte';
import { overview } from '../../messages/overview';
import type { Page } from '..';

const o = words(overview);

/** Overview, hosts, apps, deploy. */
export const pool: readonly Page[] = [
  {
    path: '/',
    title: () => o('title'),
    load: () => import('../overview/Overview.svelte'),
    menu: { group: 'main', order: 10 },
    isWide: true,
  },
];
