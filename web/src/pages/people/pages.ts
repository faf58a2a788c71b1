import type { Page } from '..';

/** Accounts, roles, tokens, settings. */
export const people: readonly Page[] = [];
