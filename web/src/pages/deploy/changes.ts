/** What differs between two descriptions, field by field: what a change would do, before it is done. */
import type { Description, Field } from './form';
import { fieldOf, joinWords } from './form';

/** One difference. A side that says nothing is the field's default. */
export interface Change {
  field: Field;
  /** Of fields with names in them: the variable, the port. */
  part: string;
  before: string;
  after: string;
}

const ENTRIES = new Set(['environment', 'links', 'user_data']);
const DEFAULTS: Record<string, string> = {
  type: 'service',
  network_mode: 'bridge',
  restart_policy: 'always',
  cpus: '',
  memory: '',
};

const FIELDS = (
  'name cpus cpu_limit memory args entrypoint bind_ports publish environment volumes labels type restart_policy ' +
  'network_mode single_writer hostname domainname cpuset links'
).split(' ');

/** The differences, in the order of the form. */
export function changesBetween(before: Description, after: Description): Change[] {
  return FIELDS.flatMap((field) => {
    const key = field as keyof Description;
    const shown = fieldOf(field);
    if (!shown) return [];
    if (ENTRIES.has(field)) return entryChanges(shown, before[key] as Pairs, after[key] as Pairs);
    const [one, two] = [said(field, before[key]), said(field, after[key])];
    return one === two ? [] : [{ field: shown, part: '', before: one, after: two }];
  });
}

type Pairs = Record<string, string> | undefined;

function entryChanges(field: Field, before: Pairs, after: Pairs): Change[] {
  const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  return keys
    .filter((key) => before?.[key] !== after?.[key])
    .map((key) => ({ field, part: key, before: before?.[key] ?? '', after: after?.[key] ?? '' }));
}

function said(field: string, value: unknown): string {
  if (value === undefined || value === null || value === false) return DEFAULTS[field] ?? '';
  if (field === 'args' || field === 'entrypoint') return joinWords(value as string[]);
  if (field === 'bind_ports') return (value as NonNullable<Description['bind_ports']>).map(portWords).join(', ');
  if (field === 'restart_policy') {
    const policy = value as NonNullable<Description['restart_policy']>;
    return policy.maximum_retry_count ? `${policy.name}:${policy.maximum_retry_count}` : (policy.name ?? 'always');
  }
  if (Array.isArray(value)) return value.join(', ');
  return String(value);
}

/** A port as it is written at a command line: `10.0.0.1:8080:80/udp`. */
export function portWords(port: NonNullable<Description['bind_ports']>[number]): string {
  const ends = port.port == null ? `${port.container_port}` : `${port.port}:${port.container_port}`;
  const address = port.host_ip ? `${port.host_ip}:${port.port == null ? ':' : ''}` : '';
  return `${address}${ends}${port.proto === 'udp' ? '/udp' : ''}`;
}
