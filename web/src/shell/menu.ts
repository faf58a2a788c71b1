/** Which pages stand in the navigation for whoever is logged in. */

import { may } from '../lib/session.svelte';
import { pages, type Page } from '../pages';

/** Pages that one may see and that lead somewhere by themselves. */
export function listed(): readonly Page[] {
  return pages.filter((page) => !page.path.includes(':') && (!page.permission || may(page.permission)));
}

export function menu(group: 'main' | 'more'): readonly Page[] {
  return listed()
    .filter((page) => page.menu?.group === group)
    .sort((a, b) => (a.menu?.order ?? 0) - (b.menu?.order ?? 0));
}

/** Whether a page's place in the navigation is lit at a path: `/apps` also at `/apps/web`. */
export function isUnder(page: Page, path: string): boolean {
  return page.path === path || (page.path !== '/' && path.startsWith(`${page.path}/`));
}
