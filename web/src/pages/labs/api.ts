/** The routes of labs and attempts. */

import { address, request, send } from '../../lib/api';
import type { Event, Source } from '../../lib/live.svelte';
import { session } from '../../lib/session.svelte';
import { textOf, type Text } from '../workspaces/files/text';
import type { Answer } from './document/blocks';
import type { ImageTable } from './images';
import type {
  Attempt,
  CheckResult,
  Draft,
  FileDifference,
  Lab,
  LabFile,
  Outline,
  Page,
  Preview,
  Report,
} from './shapes';

/** What authors write at, or a version that was published. */
export type Version = number | 'draft' | undefined;

const LAB = '/api/labs/{id}';
const CONTENT = '/api/labs/{id}/files/content';
const ATTEMPT = '/api/attempts/{id}';

/** Whether an event tells of something of that name: a class is told of each of its members, and all of them look. */
export function names(event: Pick<Event, 'message'>, what: 'lab' | 'attempt' | 'account', id: string): boolean {
  return event.message.split(', ').includes(`${what}=${id}`);
}

const isAboutLabs = (event: Event) => event.type.endsWith('-lab') || event.type === 'delete-lab-version';
const isAboutLab = (id: string) => (event: Event) => isAboutLabs(event) && names(event, 'lab', id);

export const everyLab: Source<Lab[]> = {
  key: '/api/labs',
  load: (signal) => request('get', '/api/labs', { signal }),
  wakeOn: isAboutLabs,
};

export function oneLab(id: string): Source<Lab> {
  return {
    key: `/api/labs/${id}`,
    load: (signal) => request('get', LAB, { path: { id }, signal }),
    wakeOn: isAboutLab(id),
  };
}

export function filesOf(id: string): Source<LabFile[]> {
  return {
    key: `/api/labs/${id}/files`,
    load: (signal) => request('get', `${LAB}/files`, { path: { id }, query: { version: 'draft' }, signal }),
    wakeOn: isAboutLab(id),
  };
}

export function outlineOf(id: string, version: Version): Source<Outline> {
  return {
    key: `/api/labs/${id}/outline?version=${version}`,
    load: (signal) => request('get', `${LAB}/outline`, { path: { id }, query: { version }, signal }),
    wakeOn: isAboutLab(id),
  };
}

export function createLab(id: string, title: string): Promise<Lab> {
  return request('post', '/api/labs', { body: { id, title } });
}

export function changeLab(id: string, change: Partial<Pick<Lab, 'visibility' | 'authors'>>): Promise<Lab> {
  return request('put', LAB, { path: { id }, body: change });
}

export function deleteLab(id: string): Promise<void> {
  return request('delete', LAB, { path: { id } });
}

/** Makes a lab of an archive of any format that is known; nothing in it is run. */
export function importLab(id: string, archive: Blob, path?: string): Promise<{ lab?: Lab | null; report: Report }> {
  return request('post', '/api/labs/import', { query: { id, path }, bytes: archive });
}

/** Where a file is to be had as it is: for images and downloads. */
export function fileAddress(id: string, path: string, version: Version = 'draft'): string {
  return address(CONTENT.replace('{id}', encodeURIComponent(id)), { path: rooted(path), version }).href;
}

/** Where the whole folder is to be had. */
export function archiveAddress(id: string, version: Version = 'draft'): string {
  return address(`/api/labs/${encodeURIComponent(id)}/archive`, { version }).href;
}

/** Paths of a lab's folder go without a slash before them. */
export function rooted(path: string): string {
  return path.replace(/^\/+/, '');
}

export interface Opened {
  etag: string;
  /** Nothing if it is no text. */
  content: Text | undefined;
}

export async function openFile(
  id: string,
  path: string,
  version: Version = 'draft',
  signal?: AbortSignal,
): Promise<Opened> {
  const response = await send('get', CONTENT, { path: { id }, query: { path, version }, signal });
  const etag = response.headers.get('etag') ?? '';
  return { etag, content: textOf(await response.arrayBuffer()) };
}

/** Writes a file if it is still as it was known, or if there is none. */
export async function writeFile(
  id: string,
  path: string,
  bytes: Blob,
  only: { etag: string } | 'absent',
): Promise<string> {
  const headers: Record<string, string> = only === 'absent' ? { 'if-none-match': '*' } : { 'if-match': only.etag };
  const response = await send('put', CONTENT, { path: { id }, query: { path }, headers, bytes });
  return response.headers.get('etag') ?? `"${((await response.json()) as LabFile).digest}"`;
}

export async function removeFile(id: string, path: string, etag: string): Promise<void> {
  await send('delete', CONTENT, { path: { id }, query: { path }, headers: { 'if-match': etag } });
}

export function moveFile(id: string, from: string, to: string): Promise<unknown> {
  return request('post', `${LAB}/files/move`, { path: { id }, body: { path: from, to } });
}

/** Renders a text that is not stored, with the lab's other files as they are. */
export function previewOf(id: string, path: string, text: string, signal: AbortSignal): Promise<Preview> {
  return request('post', `${LAB}/preview`, { path: { id }, body: { path, text }, signal });
}

export function publish(id: string, note: string): Promise<Lab> {
  return request('post', `${LAB}/publish`, { path: { id }, body: { note } });
}

export function historyOf(id: string): Promise<Draft[]> {
  return request('get', `${LAB}/history`, { path: { id } });
}

export function restore(id: string, revision: number): Promise<Lab> {
  return request('post', `${LAB}/history/{revision}/restore`, { path: { id, revision } });
}

export function differences(id: string, from: string, to: string): Promise<{ files: FileDifference[] }> {
  return request('get', `${LAB}/diff`, { path: { id }, query: { from, to } });
}

/** Opens the author's own workspace of the draft's environment, or finds it. */
export function openBench(id: string): Promise<{ id: string }> {
  return request('post', `${LAB}/workspace`, { path: { id } });
}

/** Makes a save the environment that the lab begins with. */
export function useSave(id: string, save: string): Promise<unknown> {
  return request('post', `${LAB}/environment`, { path: { id }, body: { save } });
}

/** Runs scripts of the draft in the author's workspace, and tells what came of them. */
export async function runDraft(
  id: string,
  workspace: string,
  run: CheckResult['run'],
  step?: number,
): Promise<CheckResult[]> {
  const body = { workspace, run, ...(step === undefined ? {} : { step }) };
  return (await request<{ results: CheckResult[] }>('post', `${LAB}/checks`, { path: { id }, body })).results;
}

/** What the images of other platforms become in labs that are imported. */
export function imageTable(): Promise<ImageTable> {
  return request('get', '/api/lab-images');
}

export function setImageTable(table: ImageTable): Promise<unknown> {
  return request('put', '/api/lab-images', { body: table });
}

// Attempts.

export const myAttempts: Source<Attempt[]> = {
  key: '/api/attempts',
  load: (signal) => request('get', '/api/attempts', { signal }),
  wakeOn: (event) => event.type.startsWith('attempt') && names(event, 'account', session.who?.username ?? ''),
};

export function oneAttempt(id: string): Source<Attempt> {
  return {
    key: `/api/attempts/${id}`,
    load: (signal) => request('get', ATTEMPT, { path: { id }, signal }),
    wakeOn: (event) => event.type.startsWith('attempt') && names(event, 'attempt', id),
  };
}

export function attemptPage(id: string, version: number, step: number, language: string): Source<Page> {
  return {
    key: `/api/attempts/${id}/pages/${step}?version=${version}&language=${language}`,
    load: (signal) => request('get', `${ATTEMPT}/pages/{step}`, { path: { id, step }, query: { language }, signal }),
    // A page never changes while its version stays.
    wakeOn: () => false,
  };
}

export function attemptFile(id: string, path: string): string {
  return address(`/api/attempts/${encodeURIComponent(id)}/files`, { path: rooted(path) }).href;
}

/** Begins a lab, or finds the attempt that one has at it. */
export function begin(lab: string, course?: string): Promise<Attempt> {
  return request('post', `${LAB}/attempts`, { path: { id: lab }, body: course ? { course } : {} });
}

export function goTo(id: string, step: number): Promise<Attempt> {
  return request('put', `${ATTEMPT}/step`, { path: { id }, body: { step } });
}

export function check(id: string, step: number, name?: string): Promise<Attempt> {
  return request('post', `${ATTEMPT}/steps/{step}/checks`, { path: { id, step }, body: name ? { name } : {} });
}

export function answer(id: string, step: number, name: string, given: Answer): Promise<Attempt> {
  return request('post', `${ATTEMPT}/steps/{step}/quizzes/{name}`, {
    path: { id, step, name },
    body: { answer: given },
  });
}

export function openHint(id: string, step: number, at: number): Promise<Attempt> {
  return request('post', `${ATTEMPT}/steps/{step}/hints/{at}`, { path: { id, step, at } });
}

export function reset(id: string, step?: number): Promise<Attempt> {
  return request('post', `${ATTEMPT}/reset`, { path: { id }, body: step === undefined ? {} : { step } });
}

export function startAttempt(id: string): Promise<Attempt> {
  return request('post', `${ATTEMPT}/workspace`, { path: { id } });
}

export function moveAttempt(id: string): Promise<Attempt> {
  return request('post', `${ATTEMPT}/move`, { path: { id } });
}

export function endAttempt(id: string): Promise<void> {
  return request('delete', ATTEMPT, { path: { id } });
}
