import type { Page } from '..';

/** Containers, events, terminals. */
export const work: readonly Page[] = [];
