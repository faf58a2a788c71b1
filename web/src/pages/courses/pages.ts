import { words } from '../../lib/i18n.svelte';
import { titles } from '../../messages/titles';
import type { Page } from '..';

const t = words(titles);

/** Courses: those that one takes or gives, and one of them with the work in it. */
export const courses: readonly Page[] = [
  {
    path: '/courses',
    title: () => t('courses'),
    load: () => import('./Courses.svelte'),
    permission: 'read-labs',
    menu: { group: 'main', order: 26 },
  },
  {
    path: '/courses/:id',
    title: () => t('course'),
    load: () => import('./Course.svelte'),
    permission: 'read-labs',
  },
];
