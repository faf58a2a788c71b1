/** The routes of environments, workspaces and saves, and what they answer. */

import { request } from '../../lib/api';
import type { Source } from '../../lib/live.svelte';
import { isAboutAccounts } from '../../lib/sources';

export type Role = 'driver' | 'viewer';

export interface Asks {
  root?: boolean;
  egress?: boolean;
  privileged?: boolean;
  /** The most processes of each container. */
  pids?: number | null;
}

export interface EnvironmentContainer {
  name?: string;
  image?: string;
  cpus?: number | null;
  cpu_limit?: number | null;
  /** In MB. */
  memory?: number | null;
  command?: string[];
  environment?: Record<string, string>;
  working_dir?: string | null;
  user?: string | null;
  ports?: number[];
  /** Permissions in octal digits. */
  files?: { path: string; content?: string; mode?: string | null }[];
  startup?: string | null;
}

export interface Description {
  containers: EnvironmentContainer[];
  lifetime_minutes?: number | null;
  idle_minutes?: number | null;
  warm?: number | null;
  asks?: Asks | null;
}

export interface Environment {
  id: string;
  owner: string;
  visibility: string;
  version: number;
  description: Description;
  /** What it asks for beyond what everybody gets, in the controller's words. */
  unconfined?: readonly string[];
  /** How many are started ahead and ready now. */
  warm_ready?: number;
  created_at: string;
  changed_at: string;
}

export type Phase = 'queued' | 'starting' | 'ready' | 'idle' | 'saving' | 'saved' | 'ended' | 'failed';

export interface Workspace {
  id: string;
  name: string;
  owner: string;
  /** What whoever asks may do in it. */
  right: 'owner' | Role;
  guests?: readonly { username: string; role: Role }[];
  environment: string;
  version: number;
  phase: Phase;
  /** What it waits for, what failed, or what people should know. */
  message?: string;
  /** Its place in the queue, from 1 on. */
  queue?: number | null;
  engine?: string | null;
  containers: readonly { name: string; image?: string; id?: string | null; ports?: readonly number[] }[];
  unconfined?: readonly string[];
  ends_at?: string | null;
  /** When it stops if nobody becomes active in it. */
  idle_at?: string | null;
  active_at?: string | null;
  last_save?: string | null;
  saved_at?: string | null;
  /** Hosts on which a copy was left that is in no save yet. */
  left_on?: readonly string[];
  created_at: string;
}

export interface Save {
  id: string;
  /** What people call it; not unique. */
  name: string;
  owner: string;
  workspace: string;
  environment: string;
  version: number;
  /** Whether nobody asked for it: the next such one takes its place. */
  automatic: boolean;
  state: 'saving' | 'single-copy' | 'complete';
  /** What that means where it is not complete. */
  why?: string | null;
  bytes: number;
  containers: readonly { name: string; bytes: number }[];
  /** The hosts that have it. */
  copies: readonly string[];
  created_at: string;
}

/** How the files of one container differ from its environment's image. */
export interface Changes {
  container: string;
  added: number;
  changed: number;
  removed: number;
  /** The first of them. */
  files: readonly { path: string; kind: ChangeKind; is_folder: boolean; bytes_before: number; bytes: number }[];
}

export type ChangeKind = 'added' | 'changed' | 'removed';

export interface Port {
  container: string;
  port: number;
  /** Whether its environment says that it serves something. */
  declared: boolean;
  listening: boolean;
  /** Whether only the container itself reaches what listens. */
  only_inside: boolean;
}

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

export function shareWorkspace(id: string, username: string, role: Role): Promise<unknown> {
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
