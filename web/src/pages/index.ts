/** The table of pages. Each area declares its own in `AREA/pages.ts`; each page is loaded when it is first visited. */

import type { Component } from 'svelte';
import type { Permission } from '../lib/session.svelte';
import { courses } from './courses/pages';
import { environments } from './environments/pages';
import { labs } from './labs/pages';
import { people } from './people/pages';
import { pool } from './pool/pages';
import { work } from './work/pages';
import { wall } from './wall/pages';
import { workspaces } from './workspaces/pages';

export interface Page {
  /** `/apps/:name`: parameters become properties of the component. */
  path: string;
  /** What it is called, in the language of the moment. */
  title: () => string;
  // Parameters differ from page to page.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  load: () => Promise<{ default: Component<any> }>;
  /** What one must be allowed to do to see it. */
  permission?: Permission;
  /** Another permission that does as well. */
  also?: Permission;
  /** Where it stands in the navigation, if it does: `main` at the top, `more` below. Lower `order` first. */
  menu?: { group: 'main' | 'more'; order: number };
  /** Whether it uses the whole width. */
  isWide?: boolean;
}

export const pages: readonly Page[] = [
  ...pool,
  ...labs,
  ...courses,
  ...workspaces,
  ...wall,
  ...environments,
  ...work,
  ...people,
];
