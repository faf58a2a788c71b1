/** Who is logged in, and what they may do. */

import { ApiError, del, send, unreadable, type Schemas } from './api';

export type Permission =
  | 'read-engines'
  | 'write-engines'
  | 'read-cluster'
  | 'read-containers'
  | 'write-containers'
  | 'write-all-containers'
  | 'run-privileged'
  | 'write-images'
  | 'read-events'
  | 'write-accounts'
  | 'read-labs'
  | 'write-labs';

const LONGEST_MS = 20_000;

export class Session {
  /** Who it is; null if nobody, undefined while it is being asked. */
  who = $state.raw<Schemas['SessionView'] | null | undefined>(undefined);
  /** Why it could not be asked. */
  error = $state.raw<ApiError | undefined>(undefined);
  /** Whether it ended by itself while the console was in use. */
  expired = $state(false);
  /** The server's moment when it said who it is, in milliseconds since 1970; not a number if it did not say. */
  at = Number.NaN;

  async load(): Promise<void> {
    try {
      this.who = await this.#ask('get');
      this.error = undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) this.who = null;
      else this.error = error;
    }
  }

  async logIn(username: string, password: string): Promise<void> {
    this.who = await this.#ask('post', { username, password });
    this.expired = false;
    this.error = undefined;
  }

  async #ask(method: 'get' | 'post', body?: Schemas['LogIn']): Promise<Schemas['SessionView']> {
    // On a line that swallows everything there would be no end to it.
    const response = await send(method, '/auth/session', { body, signal: AbortSignal.timeout(LONGEST_MS) });
    this.at = Date.parse(response.headers.get('date') ?? '');
    try {
      return (await response.json()) as Schemas['SessionView'];
    } catch {
      throw unreadable(response.status);
    }
  }

  async logOut(): Promise<void> {
    await del('/auth/session');
    this.who = null;
    this.expired = false;
  }

  /** The server no longer knows us. */
  ended(): void {
    // Several answers may say so at once.
    if (this.who != null) this.expired = true;
    this.who = null;
  }

  may(permission: Permission): boolean {
    return this.who?.permissions.includes(permission) ?? false;
  }
}

export const session = new Session();

/** Whether whoever is logged in has a permission. */
export function may(permission: Permission): boolean {
  return session.may(permission);
}

/** Whether they may change what belongs to `owner`. */
export function mayChange(owner: string | null | undefined): boolean {
  return may('write-all-containers') || (may('write-containers') && owner != null && owner === session.who?.username);
}
