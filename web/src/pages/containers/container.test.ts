import { describe, expect, test } from 'vitest';
import { bindingsOf, nameOf, stateOf, type Container } from './container';

const engine = (addr: string) => ({ id: 'h1', addr, cpus: 1, memory: 1, labels: [] });
type Port = Container['ports'][number];
const port = (host_ip: string, outside: Port['port'], inside: Port['port'], proto = 'tcp'): Port =>
  ({ host_ip, port: outside, container_port: inside, proto }) as Port;

test('a name has no slash', () => {
  expect(nameOf({ name: '/web.0.1' })).toBe('web.0.1');
  expect(nameOf({ name: 'web' })).toBe('web');
});

test.each([
  ['running', 'Up 3 seconds', null, 'running'],
  ['running', 'unreachable', null, 'unreachable'],
  ['stopped', 'Exited (0)', 0, 'stopped'],
  ['stopped', 'Created', null, 'stopped'],
  ['stopped', 'Exited (137)', 137, 'failed'],
])('%s, %s, exit code %s is %s', (state, status, exit_code, expected) => {
  expect(stateOf({ state, status, exit_code })).toBe(expected);
});

describe('ports', () => {
  test('answer at their address, else at the host', () => {
    expect(
      bindingsOf({ engine: engine('tcp://10.0.0.7:2375'), ports: [port('10.0.0.9', 8080, 80), port('', 9000, 90)] }),
    ).toEqual([
      { text: '8080 → 80', url: 'http://10.0.0.9:8080' },
      { text: '9000 → 90', url: 'http://10.0.0.7:9000' },
    ]);
  });

  test('bound to both families are one', () => {
    const ports = [port('0.0.0.0', 80, 80), port('::', 80, 80)];
    expect(bindingsOf({ engine: engine('10.0.0.7:2375'), ports })).toEqual([
      { text: '80 → 80', url: 'http://10.0.0.7:80' },
    ]);
  });

  test.each([
    ['unix:///var/run/docker.sock', '', null],
    ['/var/run/docker.sock', '', null],
    ['', '', null],
    ['tcp://[fd00::1]:2375', '', 'http://[fd00::1]:8080'],
    ['h1.lan', '', 'http://h1.lan:8080'],
    ['h1', 'fd00::2', 'http://[fd00::2]:8080'],
  ])('of a host at %j bound to %j are at %s', (addr, host_ip, url) => {
    expect(bindingsOf({ engine: engine(addr), ports: [port(host_ip, 8080, 80)] })[0]?.url).toBe(url);
  });

  test('that no browser speaks to have no address, and 443 has the other scheme', () => {
    const of = (one: Port) => bindingsOf({ engine: engine('h1'), ports: [one] })[0];
    expect(of(port('', 53, 53, 'udp'))).toEqual({ text: '53 → 53/udp', url: null });
    expect(of(port('', 20_443, 443))?.url).toBe('https://h1:20443');
    expect(of(port('', undefined, 80))).toBeUndefined();
  });
});
