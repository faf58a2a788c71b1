/** What the fields of the form are called. */
import { words } from '../../lib/i18n.svelte';
import { deploy } from '../../messages/deploy';
import type { Field } from './form';

const t = words(deploy);

const NAMES = {
  name: 'name',
  count: 'count',
  image: 'image',
  cpus: 'cpus',
  cpuLimit: 'cpuLimit',
  memory: 'memory',
  command: 'command',
  entrypoint: 'entrypoint',
  ports: 'ports',
  publish: 'publish',
  environment: 'environment',
  volumes: 'volumes',
  labels: 'labels',
  type: 'type',
  restart: 'restart',
  retries: 'retries',
  network: 'network',
  singleWriter: 'singleWriter',
  hostname: 'hostname',
  domainname: 'domainname',
  cpuset: 'cpuset',
  links: 'links',
} as const satisfies Record<Field, string>;

export function fieldName(field: Field): string {
  return t(NAMES[field]);
}
