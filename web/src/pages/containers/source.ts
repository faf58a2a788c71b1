/** Containers as the pages here fetch them. */

import { get } from '../../lib/api';
import type { Source } from '../../lib/live.svelte';
import { isAboutAccounts } from '../../lib/sources';
import type { Container } from './container';

/** All containers, those that do not run too. */
export const everyContainer: Source<Container[]> = {
  key: '/api/containers?all=true',
  load: (signal) => get('/api/containers', { query: { all: true }, signal }),
  wakeOn: (event) => !isAboutAccounts(event),
};

/** One of them, whether it runs or not. */
export function oneContainer(id: string): Source<Container> {
  return {
    key: `/api/containers/${id}`,
    load: (signal) => get('/api/containers/{id}', { path: { id }, signal }),
    wakeOn: (event) => !isAboutAccounts(event),
  };
}
