import { words } from '../../lib/i18n.svelte';
import { titles } from '../../messages/titles';
import type { Page } from '..';

const t = words(titles);

/** Containers, events, images, terminals. */
export const work: readonly Page[] = [
  {
    path: '/containers',
    title: () => t('containers'),
    load: () => import('../containers/Containers.svelte'),
    permission: 'read-containers',
    menu: { group: 'main', order: 40 },
  },
  {
    path: '/containers/:id',
    title: () => t('container'),
    load: () => import('../containers/Container.svelte'),
    permission: 'read-containers',
    isWide: true,
  },
  {
    path: '/terminals',
    title: () => t('terminals'),
    load: () => import('../terminals/Terminals.svelte'),
    permission: 'read-containers',
    menu: { group: 'main', order: 45 },
  },
  {
    path: '/terminals/:id',
    title: () => t('terminal'),
    load: () => import('../terminals/Terminal.svelte'),
    permission: 'read-containers',
    also: 'read-labs',
    isWide: true,
  },
  {
    path: '/terminals/:id/recording',
    title: () => t('recording'),
    load: () => import('../terminals/Recording.svelte'),
    permission: 'read-containers',
    isWide: true,
  },
  {
    path: '/events',
    title: () => t('events'),
    load: () => import('../events/Events.svelte'),
    permission: 'read-events',
    menu: { group: 'main', order: 50 },
  },
  {
    path: '/images',
    title: () => t('images'),
    load: () => import('../images/Images.svelte'),
    permission: 'read-containers',
    menu: { group: 'more', order: 2 },
  },
  {
    path: '/registries',
    title: () => t('registries'),
    load: () => import('../images/Registries.svelte'),
    permission: 'read-engines',
    menu: { group: 'more', order: 4 },
  },
];
