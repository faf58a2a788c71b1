/** Requests about the files of a workspace. */

import { address, request, send, type Schemas } from '../../../lib/api';
import { textOf, type Text } from './text';

export type File = Schemas['FileView'];
export type Folder = Schemas['FolderView'];

/** A container of a workspace. */
export interface Place {
  workspace: string;
  container: string;
}

const FILES = '/api/workspaces/{id}/files';
const CONTENT = '/api/workspaces/{id}/files/content';

const of = ({ workspace, container }: Place, path: string) => ({ path: { id: workspace }, query: { container, path } });

export function list(place: Place, path: string, signal?: AbortSignal): Promise<Folder> {
  return request('get', FILES, { ...of(place, path), signal });
}

/** Where a browser downloads a file, or a folder as one file. */
export function download({ workspace, container }: Place, path: string, archive?: 'tar' | 'zip'): string {
  const at = CONTENT.replace('{id}', encodeURIComponent(workspace));
  return address(at, { container, path, archive }).href;
}

export interface Opened {
  etag: string;
  /** Nothing if it is no text. */
  content: Text | undefined;
}

/** The text of a file. */
export async function open(place: Place, path: string, signal?: AbortSignal): Promise<Opened> {
  const response = await send('get', CONTENT, { ...of(place, path), signal });
  const etag = response.headers.get('etag') ?? '';
  return { etag, content: textOf(await response.arrayBuffer()) };
}

/** Writes a file: only if it still has this etag, only if there is none, or in any case. */
export function write(place: Place, path: string, bytes: Blob, only?: { etag: string } | 'absent'): Promise<File> {
  const headers: Record<string, string> =
    only === 'absent' ? { 'if-none-match': '*' } : only ? { 'if-match': only.etag } : {};
  const { path: parameters, query } = of(place, path);
  return request('put', CONTENT, { path: parameters, query: { ...query, parents: true }, headers, bytes });
}

export function makeFolder({ workspace, container }: Place, path: string): Promise<File> {
  return request('post', FILES, { path: { id: workspace }, body: { container, path } });
}

export function move({ workspace, container }: Place, path: string, to: string): Promise<File> {
  return request('post', `${FILES}/move`, { path: { id: workspace }, body: { container, path, to } });
}

export function remove(place: Place, path: string, recursive: boolean): Promise<void> {
  const { path: parameters, query } = of(place, path);
  return request('delete', FILES, { path: parameters, query: { ...query, recursive } });
}
