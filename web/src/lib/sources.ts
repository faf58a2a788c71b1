/** The lists of the pool that more than one page looks at. Used as `live(() => sources.apps)`. */

import { get, type Schemas } from './api';
import type { Event, Source } from './live.svelte';

export type App = Schemas['AppView'];
export type Engine = Schemas['EngineView'];
export type Container = Schemas['ContainerView'];

/** Events that tell of accounts change nothing of the pool. */
export function isAboutAccounts(event: Event): boolean {
  return event.tags.includes('security');
}

const wakeOn = (event: Event) => !isAboutAccounts(event);

export const sources = {
  apps: { key: '/api/apps', load: (signal) => get('/api/apps', { signal }), wakeOn } as Source<App[]>,
  engines: { key: '/api/engines', load: (signal) => get('/api/engines', { signal }), wakeOn } as Source<Engine[]>,
  containers: {
    key: '/api/containers',
    load: (signal) => get('/api/containers', { signal }),
    wakeOn,
  } as Source<Container[]>,
  cluster: {
    key: '/api/cluster/info',
    load: (signal) => get('/api/cluster/info', { signal }),
    wakeOn,
  } as Source<Schemas['ClusterInfo']>,
  accounts: {
    key: '/api/account',
    load: (signal) => get('/api/account', { signal }),
    wakeOn: isAboutAccounts,
  } as Source<Schemas['AccountView'][]>,
  roles: {
    key: '/api/roles',
    load: (signal) => get('/api/roles', { signal }),
    wakeOn: isAboutAccounts,
  } as Source<Schemas['RoleDetail'][]>,
};
