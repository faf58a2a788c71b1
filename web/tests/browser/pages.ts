/** Every page of the console, by an address at which it has something to show. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { api, type Container, eventually, textOf } from './api';
import { source } from './place';

export interface Place {
  /** What its pictures are called. */
  name: string;
  /** Its pattern in the table of pages. */
  pattern: string;
  /** What one must be allowed to do to see it. */
  permission?: string;
  address: () => Promise<string>;
}

function at(name: string, pattern: string, permission?: string, address = async () => pattern): Place {
  return { name, pattern, address, ...(permission ? { permission } : {}) };
}

export async function containerOf(app: string): Promise<Container> {
  return eventually(`a container of ${app}`, async () =>
    (await api<Container[]>('GET', '/api/containers')).find((one) => one.app === app && one.state === 'running'),
  );
}

let recorded: Promise<string> | undefined;

/** A terminal of which there is a recording. */
export function recordedTerminal(): Promise<string> {
  recorded ??= containerOf('talk').then(async ({ id }) => {
    const command = [
      'sh',
      '-c',
      'sleep 0.3; for n in 1 2 3; do echo "step $n"; sleep 0.2; done; printf "\\033[32mdone\\033[0m\\n"; exec sh',
    ];
    const body = { columns: 80, rows: 24, name: 'recorded', command };
    const terminal = (await api<{ id: string }>('POST', `/api/containers/${id}/terminals`, body)).id;
    await eventually('all of it is recorded', async () =>
      (await textOf('GET', `/api/terminals/${terminal}/recording`)).includes('done'),
    );
    return terminal;
  });
  return recorded;
}

/** The workspace that waits for a host that nobody has labelled: it takes room from nobody. */
async function waitingWorkspace(): Promise<string> {
  const all = await api<{ id: string; environment: string }[]>('GET', '/api/workspaces');
  return all.find(({ environment }) => environment === 'locked')?.id ?? '';
}

/** Somebody's way through the lab that all tests have; its environment waits for the same host. */
async function waitingAttempt(): Promise<string> {
  const all = await api<{ id: string; lab: string }[]>('GET', '/api/attempts?lab=sampler').catch(() => []);
  return all[0]?.id ?? 'aaaaaaaaaa';
}

export const places: readonly Place[] = [
  at('overview', '/', 'read-engines'),
  at('hosts', '/hosts', 'read-engines'),
  at('host', '/hosts/:id', 'read-engines', async () => '/hosts/host-1'),
  at('add-host', '/add-host', 'write-engines'),
  at('rebalance', '/rebalance', 'read-cluster'),
  at('apps', '/apps', 'read-containers'),
  at('app', '/apps/:name', 'read-containers', async () => '/apps/web'),
  at('app-change', '/apps/:name/change', 'write-containers', async () => '/apps/web/change'),
  at('deploy', '/deploy', 'write-containers'),
  at('wall', '/wall', 'read-containers'),
  at('workspaces', '/workspaces', 'read-containers'),
  at(
    'workspace',
    '/workspaces/:id',
    'read-containers',
    async () => `/workspaces/${await waitingWorkspace()}?tab=saves`,
  ),
  at('labs', '/labs', 'read-labs'),
  at('lab', '/labs/:id', 'read-labs', async () => '/labs/sampler'),
  at('attempt', '/attempts/:id', 'read-labs', async () => `/attempts/${await waitingAttempt()}`),
  at('courses', '/courses', 'read-labs'),
  at('course', '/courses/:id', 'read-labs', async () => '/courses/web-101?tab=gradebook'),
  at('saves', '/saves', 'read-containers'),
  at('environments', '/environments', 'read-containers'),
  at('environment', '/environments/:id', 'read-containers', async () => '/environments/locked'),
  at('environment-change', '/environments/:id/change', 'write-containers', async () => '/environments/locked/change'),
  at('new-environment', '/new-environment', 'write-containers'),
  at('containers', '/containers', 'read-containers'),
  at('container', '/containers/:id', 'read-containers', async () => `/containers/${(await containerOf('talk')).id}`),
  at('events', '/events', 'read-events'),
  at('images', '/images', 'read-containers'),
  at('registries', '/registries', 'read-engines'),
  at('terminals', '/terminals', 'read-containers'),
  at(
    'recording',
    '/terminals/:id/recording',
    'read-containers',
    async () => `/terminals/${await recordedTerminal()}/recording`,
  ),
  at('accounts', '/accounts', 'write-accounts'),
  at('roles', '/roles', 'write-accounts'),
  at('usage', '/usage', 'write-accounts'),
  at('tokens', '/tokens'),
  at('settings', '/settings'),
];

/** Tabs of pages that show something of their own: looked at like pages. */
export const tabs: readonly Place[] = [
  ...['timetable', 'recordings', 'usage', 'people', 'submissions'].map((tab) =>
    at(`course-${tab}`, '/courses/:id', 'read-labs', async () => `/courses/web-101?tab=${tab}`),
  ),
  ...['load', 'health', 'facts', 'events'].map((tab) =>
    at(`host-${tab}`, '/hosts/:id', 'read-engines', async () => `/hosts/host-1?tab=${tab}`),
  ),
  ...['course', 'each'].map((by) => at(`usage-${by}`, '/usage', 'write-accounts', async () => `/usage?by=${by}`)),
  ...['logs', 'events', 'description', 'why'].map((tab) =>
    at(`app-${tab}`, '/apps/:name', 'read-containers', async () => `/apps/web?tab=${tab}`),
  ),
];

/** Patterns of the console's own table of pages, with what each needs. */
export function declared(): { path: string; permission: string | undefined }[] {
  const folder = join(source, 'pages');
  const areas = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return areas.flatMap(({ name }) => {
    let text: string;
    try {
      text = readFileSync(join(folder, name, 'pages.ts'), 'utf8');
    } catch {
      return [];
    }
    const found = text.matchAll(/\{\s*path: '([^']+)'((?:(?!path: ')[\s\S])*)/g);
    return [...found].map(([, path = '', rest = '']) => ({
      path,
      permission: /permission: '([^']+)'/.exec(rest)?.[1],
    }));
  });
}
