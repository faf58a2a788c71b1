import { words } from '../../lib/i18n.svelte';
import { containers } from '../../messages/containers';
import { events } from '../../messages/events';
import { terminals } from '../../messages/terminals';
import type { Page } from '..';

const t = words(terminals);
const c = words(containers);
const e = words(events);

/** Containers, events, images, terminals. */
export const work: readonly Page[] = [
  {
    path: '/containers',
    title: () => c('title'),
    load: () => import('../containers/Containers.svelte'),
    permission: 'read-containers',
    menu: { group: 'main', order: 40 },
  },
  {
    path: '/containers/:id',
    title: () => c('name'),
    load: () => import('../containers/Container.svelte'),
    permission: 'read-containers',
    isWide: true,
  },
  {
    path: '/terminals',
    title: () => t('title'),
    load: () => import('../terminals/Terminals.svelte'),
    permission: 'read-containers',
    menu: { group: 'main', order: 45 },
  },
  {
    path: '/terminals/:id',
    title: () => t('terminal'),
    load: () => import('../terminals/Terminal.svelte'),
    permission: 'read-containers',
    isWide: true,
  },
  {
    path: '/events',
    title: () => e('title'),
    load: () => import('../events/Events.svelte'),
    permission: 'read-events',
    menu: { group: 'main', order: 50 },
  },
];
