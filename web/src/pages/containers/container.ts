/** What the pages of containers say of one: its name, its state, where its ports answer. No drawing. */

import type { Schemas } from '../../lib/api';

export type Container = Schemas['ContainerView'];
type Port = Container['ports'][number];

/** Its name as people say it. */
export function nameOf(container: Pick<Container, 'name'>): string {
  return container.name.replace(/^\//, '');
}

export type State = 'running' | 'stopped' | 'failed' | 'unreachable';

/** How it is, told apart as far as somebody would do something else about it. */
export function stateOf(container: Pick<Container, 'state' | 'status' | 'exit_code'>): State {
  if (container.status === 'unreachable') return 'unreachable';
  if (container.state === 'running') return 'running';
  return container.exit_code ? 'failed' : 'stopped';
}

export const TONES = { running: 'good', stopped: 'plain', failed: 'bad', unreachable: 'warn' } as const;

export interface Binding {
  /** `8080 → 80/tcp`. */
  text: string;
  /** Where a browser finds it; not for UDP. */
  url: string | null;
}

/** Where its ports answer; one that is bound to every address is found at the host's. */
export function bindingsOf(container: Pick<Container, 'ports' | 'engine'>): Binding[] {
  const seen = new Set<string>();
  return container.ports.flatMap((port) => {
    const found = binding(port, container.engine.addr);
    if (!found || seen.has(found.text)) return [];
    seen.add(found.text);
    return [found];
  });
}

function binding(port: Port, engine: string): Binding | null {
  if (port.port == null) return null;
  const proto = port.proto || 'tcp';
  const inside = port.container_port == null ? '' : ` → ${port.container_port}`;
  const text = `${port.port}${inside}${proto === 'tcp' ? '' : `/${proto}`}`;
  const address = port.host_ip ?? '';
  const host = isEverywhere(address) ? hostOf(engine) : address;
  if (proto !== 'tcp' || !host) return { text, url: null };
  const scheme = [port.port, port.container_port].some((one) => Number(one) === 443) ? 'https' : 'http';
  return { text, url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port.port}` };
}

function isEverywhere(address: string): boolean {
  return address === '' || address === '0.0.0.0' || address === '::';
}

/** The host in an engine's address, which may be a URL, a host with a port, or neither. */
function hostOf(address: string): string | null {
  const plain = address.replace(/^\w+:\/\//, '');
  if (plain.startsWith('/') || plain === '') return null;
  const bracketed = /^\[([^\]]+)\]/.exec(plain);
  if (bracketed) return bracketed[1] ?? null;
  return plain.split(':').length > 2 ? plain : (plain.split(/[:/]/)[0] ?? null);
}
