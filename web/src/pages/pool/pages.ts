import type { Page } from '..';

/** Overview, hosts, apps, deploy. */
export const pool: readonly Page[] = [];
