/** A real provider of log-ins (OpenID Connect), and a server of its own that knows it. */

import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Provider } from 'oidc-provider';
import { eventually } from './api';
import { program } from './place';

const CLIENT = 'pierhead';
const FORM =
  '<!doctype html><html lang="en"><title>School</title><form method="post"><input name="user" aria-label="Who"><button>Come in</button></form></html>';

export class Identity {
  readonly #server: Server;
  #provider: Provider | undefined;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<Identity> {
    const identity = new Identity();
    identity.#server.listen(0, 'localhost');
    await once(identity.#server, 'listening');
    return identity;
  }

  /** To browsers this is another site than the server's, which is at 127.0.0.1. */
  get issuer(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on people log in at a server by it, whatever they call themselves. */
  serve(home: string, secret: string): void {
    this.#provider = new Provider(this.issuer, {
      clients: [{ client_id: CLIENT, client_secret: secret, redirect_uris: [`${home}/auth/oidc/back`] }],
      claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
      cookies: { keys: [randomUUID()] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: () => '/interaction' },
      findAccount: (_: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: `number-of-${id}`, preferred_username: id, name: `${id} of the school` }),
      }),
      // Whoever logged in agrees.
      loadExistingGrant: async (context: { oidc: { session: { accountId: string } } }) => {
        const provider = this.#provider;
        if (!provider) throw new Error('nobody is served');
        const grant = new provider.Grant({ accountId: context.oidc.session.accountId, clientId: CLIENT });
        grant.addOIDCScope('openid profile email');
        await grant.save();
        return grant;
      },
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const provider = this.#provider;
    if (!provider) return void response.writeHead(503).end();
    if (request.url !== '/interaction') return provider.callback()(request, response);
    if (request.method !== 'POST') {
      return void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(FORM);
    }
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const accountId = new URLSearchParams(body).get('user') ?? '';
    await provider.interactionFinished(request, response, { login: { accountId } });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A server of its own, to which people log in by a provider. */
export class Served {
  readonly home: string;
  readonly #process: ChildProcess;
  readonly #place: string;

  private constructor(home: string, process: ChildProcess, place: string) {
    this.home = home;
    this.#process = process;
    this.#place = place;
  }

  static async by(identity: Identity, password: string): Promise<Served> {
    const place = mkdtempSync(join(tmpdir(), 'pierhead-oidc-'));
    const [secret, files] = [randomUUID(), { password: join(place, 'password'), secret: join(place, 'secret') }];
    writeFileSync(files.password, password, { mode: 0o600 });
    writeFileSync(files.secret, secret, { mode: 0o600 });
    const flags = ['serve', '--port', '0', '--data-dir', join(place, 'data'), '--admin-password-file', files.password];
    const provider = ['--oidc-issuer', identity.issuer, '--oidc-client-id', CLIENT, '--oidc-name', 'School'];
    const started = spawn(program, [...flags, ...provider, '--oidc-client-secret-file', files.secret], {
      stdio: 'ignore',
    });
    const url = join(place, 'data', 'url');
    try {
      await eventually('the server says where it is', async () => existsSync(url) && readFileSync(url, 'utf8') !== '');
    } catch (error) {
      started.kill('SIGKILL');
      rmSync(place, { recursive: true, force: true });
      throw error;
    }
    const home = readFileSync(url, 'utf8').trim();
    identity.serve(home, secret);
    return new Served(home, started, place);
  }

  /** Adds an account, as its administrator. */
  async add(password: string, account: object): Promise<void> {
    const send = (path: string, body: object, headers: Record<string, string> = {}) =>
      fetch(`${this.home}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    const { token } = (await (await send('/auth/login', { username: 'admin', password })).json()) as { token: string };
    const added = await send('/api/account', account, { authorization: `Bearer ${token}` });
    if (!added.ok) throw new Error(`${added.status} ${await added.text()}`);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#place, { recursive: true, force: true });
  }
}
