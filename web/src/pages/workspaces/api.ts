/** The routes of environments, workspaces and saves, and what they answer. */

import { request, type Schemas } from '../../lib/api';
import type { Source } from '../../lib/live.svelte';
import { isAboutAccounts } from '../../lib/sources';
import type { Guest } from '../../parts/guests';

export type Role = 'driver' | 'viewer';
export type Description = Schemas['EnvironmentDescription'];
export type EnvironmentContainer = Schemas['EnvironmentContainerDescription'];
export type Environment = Schemas['EnvironmentView'];
export type Phase = 'queued' | 'starting' | 'ready' | 'idle' | 'paused' | 'saving' | 'saved' | 'ended' | 'failed';
export type ChangeKind = 'added' | 'changed' | 'removed';
export type Port = Schemas['PortView'];

/** Words that the description of the API leaves open are the ones that it names. */
export type Workspace = Omit<Schemas['WorkspaceView'], 'phase' | 'right' | 'guests'> & {
  phase: Phase;
  right: 'owner' | Role;
  guests?: readonly Guest[];
};
export type Save = Omit<Schemas['SaveView'], 'state'> & { state: 'saving' | 'single-copy' | 'complete' };
type FileChange = Omit<Schemas['FileChangeView'], 'kind'> & { kind: ChangeKind };
export type Changes = Omit<Schemas['SaveChangesView'], 'files'> & { files: readonly FileChange[] };

/** Phases change by what happens in the pool as well: everything but what is about accounts may be about one. */
const wakeOn: NonNullable<Source<unknown>['wakeOn']> = (event) => !isAboutAccounts(event);
const wakeOnEnvironments: NonNullable<Source<unknown>['wakeOn']> = (event) => event.type.includes('environment');

export const everyEnvironment: Source<Environment[]> = {
  key: '/api/environments',
  load: (signal) => request('get', '/api/environments', { signal }),
  wakeOn: wakeOnEnvironments,
};

export function oneEnvironment(id: string): Source<Environment> {
  return {
    key: `/api/environments/${id}`,
    load: (signal) => request('get', '/api/environments/{id}', { path: { id }, signal }),
    wakeOn: wakeOnEnvironments,
  };
}

export const everyWorkspace: Source<Workspace[]> = {
  key: '/api/workspaces',
  load: (signal) => request('get', '/api/workspaces', { signal }),
  wakeOn,
};

export function oneWorkspace(id: string): Source<Workspace> {
  return {
    key: `/api/workspaces/${id}`,
    load: (signal) => request('get', '/api/workspaces/{id}', { path: { id }, signal }),
    wakeOn,
  };
}

export const everySave: Source<Save[]> = {
  key: '/api/saves',
  load: (signal) => request('get', '/api/saves', { signal }),
  wakeOn: (event) => event.type.includes('save') || event.type.includes('workspace'),
};

export function portsOf(id: string): Source<Port[]> {
  return {
    key: `/api/workspaces/${id}/ports`,
    load: (signal) => request('get', '/api/workspaces/{id}/ports', { path: { id }, signal }),
    wakeOn: (event) => event.type.includes('workspace'),
  };
}

/** What an environment is made of, and who may open it. */
export interface Described {
  description: Description;
  visibility: 'private' | 'shared';
}

export function createEnvironment(name: string, described: Described): Promise<Environment> {
  return request('post', '/api/environments', { body: { name, ...described } });
}

export function changeEnvironment(id: string, described: Described): Promise<Environment> {
  return request('put', '/api/environments/{id}', { path: { id }, body: described });
}

export function deleteEnvironment(id: string): Promise<void> {
  return request('delete', '/api/environments/{id}', { path: { id } });
}

/** Opens a workspace of an environment, or one that begins as a save. */
export function openWorkspace(of: { environment: string } | { save: string }, name?: string): Promise<Workspace> {
  return request('post', '/api/workspaces', { body: name ? { ...of, name } : of });
}

type Verb = 'extend' | 'save' | 'stop' | 'start' | 'reset';

/** What is absent in a body is as usual; those that take none get none. */
export function act(id: string, verb: Verb, body?: Record<string, unknown>): Promise<Workspace> {
  return request('post', `/api/workspaces/{id}/${verb}`, { path: { id }, body });
}

/** Takes a workspace back to what was saved of it. */
export function restore(id: string, save: string): Promise<Workspace> {
  return act(id, 'start', { save });
}

export function endWorkspace(id: string): Promise<void> {
  return request('delete', '/api/workspaces/{id}', { path: { id } });
}

const guest = '/api/workspaces/{id}/guests/{username}';

export function shareWorkspace(id: string, { username, role }: Guest): Promise<unknown> {
  return request('put', guest, { path: { id, username }, body: { role } });
}

export function unshareWorkspace(id: string, username: string): Promise<void> {
  return request('delete', guest, { path: { id, username } });
}

/** The address at which a port shows itself, with a ticket that is good once. */
export function preview(id: string, port: number): Promise<{ url: string }> {
  return request('post', '/api/workspaces/{id}/previews/{port}', { path: { id, port } });
}

export function changesOf(save: string): Promise<Changes[]> {
  return request('get', '/api/saves/{id}/changes', { path: { id: save } });
}

/** Describes an environment whose containers begin as the save. */
export function makeEnvironment(save: string, name: string): Promise<Environment> {
  return request('post', '/api/saves/{id}/environment', { path: { id: save }, body: { name } });
}

export function deleteSave(id: string): Promise<void> {
  return request('delete', '/api/saves/{id}', { path: { id } });
}
