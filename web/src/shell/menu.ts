/** Which pages stand in the navigation for whoever is logged in. */

import { may } from '../lib/session.svelte';
import { pages, type Page } from '../pages';

/** Whether whoever is logged in may see a page. */
export function maySee({ permission, also }: Page): boolean {
  return permission === undefined || may(permission) || (also !== undefined && may(also));
}

/** Pages that one may see and that lead somewhere by themselves. */
export function listed(): readonly Page[] {
  return pages.filter((page) => !page.path.includes(':') && maySee(page));
}

export function menu(group: 'main' | 'more'): readonly Page[] {
  return listed()
    .filter((page) => page.menu?.group === group)
    .sort((a, b) => (a.menu?.order ?? 0) - (b.menu?.order ?? 0));
}

/** The path of the page that one comes to first: the first that one may see. */
export function home(): string {
  return [...menu('main'), ...menu('more')][0]?.path ?? '/';
}

/** Whether a page's place in the navigation is lit at a path: `/apps` also at `/apps/web`. */
export function isUnder(page: Page, path: string): boolean {
  return page.path === path || (page.path !== '/' && path.startsWith(`${page.path}/`));
}
