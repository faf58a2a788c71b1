/**
 * The form of an environment: texts as people type them, and the way from and to what the API takes. What the API checks
 * is not checked again here; its refusals name a field, which `placeOf` finds in the form.
 */

import { joinWords, splitWords, type PairRow } from '../deploy/form';
import type { Described, Description, Environment, EnvironmentContainer } from '../workspaces/api';

export interface FileRow {
  path: string;
  content: string;
  /** In octal, as people know it: `644`. */
  mode: string;
}

export interface ContainerForm {
  name: string;
  image: string;
  cpus: string;
  /** Empty for as much as is reserved. */
  cpuLimit: string;
  memory: string;
  startup: string;
  /** Numbers with blanks or commas between them. */
  ports: string;
  command: string;
  user: string;
  folder: string;
  environment: PairRow[];
  files: FileRow[];
}

export interface Form {
  containers: ContainerForm[];
  isShared: boolean;
  lifetime: string;
  idle: string;
  warm: string;
  root: boolean;
  egress: boolean;
  privileged: boolean;
  pids: string;
}

/** The container that one more begins as. */
export function emptyContainer(name: string): ContainerForm {
  return {
    name,
    image: '',
    cpus: '0.5',
    cpuLimit: '',
    memory: '256',
    startup: '',
    ports: '',
    command: '',
    user: '',
    folder: '',
    environment: [],
    files: [],
  };
}

/** What a new environment starts with: one container that fits everywhere. */
export function emptyForm(): Form {
  return {
    containers: [emptyContainer('main')],
    isShared: false,
    lifetime: '240',
    idle: '60',
    warm: '0',
    root: false,
    egress: false,
    privileged: false,
    pids: '',
  };
}

/** A name for one more container that none has yet. */
export function nextName(containers: readonly Pick<ContainerForm, 'name'>[]): string {
  const taken = new Set(containers.map(({ name }) => name.trim()));
  for (let at = containers.length + 1; ; at += 1) if (!taken.has(`c${at}`)) return `c${at}`;
}

const textOf = (value: number | string | null | undefined) => (value == null ? '' : String(value));

/** The form of an environment that the API told. */
export function formOf(environment: Environment): Form {
  const { description } = environment;
  const asks = description.asks ?? {};
  return {
    containers: description.containers.map((container) => ({
      name: container.name ?? '',
      image: container.image ?? '',
      cpus: textOf(container.cpus),
      cpuLimit: textOf(container.cpu_limit),
      memory: textOf(container.memory),
      startup: container.startup ?? '',
      ports: (container.ports ?? []).join(', '),
      command: joinWords(container.command ?? []),
      user: container.user ?? '',
      folder: container.working_dir ?? '',
      environment: Object.entries(container.environment ?? {}).map(([key, value]) => ({ key, value })),
      files: (container.files ?? []).map(({ path, content, mode }) => ({
        path,
        content: content ?? '',
        mode: mode ?? '',
      })),
    })),
    isShared: environment.visibility === 'shared',
    lifetime: textOf(description.lifetime_minutes),
    idle: textOf(description.idle_minutes),
    warm: textOf(description.warm ?? 0),
    root: asks.root ?? false,
    egress: asks.egress ?? false,
    privileged: asks.privileged ?? false,
    pids: textOf(asks.pids),
  };
}

/** What the form stands for. */
export function describedBy(form: Form): Described {
  const description: Description = { containers: form.containers.map(containerOf) };
  set(description, 'lifetime_minutes', numberOf(form.lifetime));
  set(description, 'idle_minutes', numberOf(form.idle));
  set(description, 'warm', numberOf(form.warm));
  const asks: NonNullable<Description['asks']> = {};
  for (const ask of ['root', 'egress', 'privileged'] as const) if (form[ask]) asks[ask] = true;
  set(asks, 'pids', numberOf(form.pids));
  if (Object.keys(asks).length > 0) description.asks = asks;
  return { description, visibility: form.isShared ? 'shared' : 'private' };
}

function containerOf(form: ContainerForm): EnvironmentContainer {
  const container: EnvironmentContainer = { name: form.name.trim() };
  set(container, 'image', form.image.trim() || undefined);
  set(container, 'cpus', numberOf(form.cpus));
  set(container, 'cpu_limit', numberOf(form.cpuLimit));
  set(container, 'memory', numberOf(form.memory));
  // A script is taken as it is, but an empty one is none.
  set(container, 'startup', form.startup.trim() === '' ? undefined : form.startup);
  const command = splitWords(form.command);
  if (command.length > 0) container.command = command;
  const ports = form.ports.split(/[\s,，、]+/).filter((text) => text !== '');
  if (ports.length > 0) container.ports = ports.map((port) => numberOf(port) as number);
  set(container, 'user', form.user.trim() || undefined);
  set(container, 'working_dir', form.folder.trim() || undefined);
  const pairs = form.environment.filter((row) => row.key.trim() !== '' || row.value !== '');
  if (pairs.length > 0) container.environment = Object.fromEntries(pairs.map((row) => [row.key.trim(), row.value]));
  const files = form.files.filter((file) => file.path.trim() !== '' || file.content !== '');
  if (files.length > 0) container.files = files.map(fileOf);
  return container;
}

function fileOf({ path, content, mode }: FileRow): NonNullable<EnvironmentContainer['files']>[number] {
  const bits = mode.trim();
  return bits === '' ? { path: path.trim(), content } : { path: path.trim(), content, mode: bits };
}

function set<T, K extends keyof T>(into: T, name: K, value: T[K] | undefined): void {
  if (value !== undefined) into[name] = value;
}

/** A number that was typed; a text that is none goes to the API as it is, which says what is wrong with it. */
function numberOf(text: string): number | undefined {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') return undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : (trimmed as unknown as number);
}

export type ContainerField = keyof ContainerForm;
export type Field = 'id' | 'containers' | keyof Form;

/** Where a refusal is shown: a field of the form, of a certain container if it is one of its. */
export type Place = { field: Field } | { container: number; field: ContainerField };

const OF_CONTAINERS: Readonly<Record<string, ContainerField>> = {
  name: 'name',
  image: 'image',
  cpus: 'cpus',
  cpu_limit: 'cpuLimit',
  memory: 'memory',
  startup: 'startup',
  ports: 'ports',
  command: 'command',
  user: 'user',
  working_dir: 'folder',
  environment: 'environment',
  files: 'files',
};
const OF_ALL: Readonly<Record<string, Field>> = {
  name: 'id',
  visibility: 'isShared',
  lifetime_minutes: 'lifetime',
  idle_minutes: 'idle',
  warm: 'warm',
  containers: 'containers',
};

/** The place of a field of the API: `description.containers[1].image`, `description.asks.pids`, `name`. */
export function placeOf(field: string | undefined): Place | undefined {
  if (field === undefined) return undefined;
  const [first = '', second = '', third = ''] = field.replace(/^description\./, '').split(/[.[\]]+/);
  if (first === 'containers' && /^\d+$/.test(second)) {
    const found = OF_CONTAINERS[third];
    return found ? { container: Number(second), field: found } : { field: 'containers' };
  }
  if (first === 'asks') return { field: second === 'pids' ? 'pids' : 'root' };
  const found = OF_ALL[first];
  return found ? { field: found } : undefined;
}

/** A refusal without the way to its field, where it stands at that field. */
export function plainly(message: string): string {
  return message.replace(/^(?:description\.)?(?:containers\[\d+\]\.)?(?=\w)/, '');
}

/** How much a workspace of it takes. */
export function takes(containers: readonly EnvironmentContainer[]): { cpus: number; memory: number } {
  return {
    cpus: containers.reduce((sum, one) => sum + (one.cpus ?? 0), 0),
    memory: containers.reduce((sum, one) => sum + (one.memory ?? 0), 0),
  };
}
