/**
 * The form of a description: texts as people type them, and the way from and to what the API takes. What the API checks
 * is not checked again here; its refusals name a field, which `fieldOf` finds in the form.
 */
import type { Schemas } from '../../lib/api';

/** Whoever asks for a change waits so many seconds for it to fail at once; what takes longer is followed on its page. */
export const AT_ONCE_S = 2;

export type Description = Schemas['ImageDescription'];

/** A port to publish, as it is typed. */
export interface PortRow {
  container: string;
  /** Empty for any that is free. */
  host: string;
  proto: 'tcp' | 'udp';
  /** Empty for all addresses of the host. */
  address: string;
}

/** A name and its value. */
export interface PairRow {
  key: string;
  value: string;
}

/** What the form holds. Lists of texts have one entry a line. */
export interface Form {
  image: string;
  cpus: string;
  /** Empty for as much as is reserved. */
  cpuLimit: string;
  memory: string;
  command: string;
  entrypoint: string;
  ports: PortRow[];
  publish: boolean;
  environment: PairRow[];
  volumes: string;
  labels: string;
  type: string;
  restart: string;
  retries: string;
  network: string;
  singleWriter: boolean;
  hostname: string;
  domainname: string;
  cpuset: string;
  links: PairRow[];
}

export type Field = keyof Form | 'name' | 'count';

/** What a new app starts with: small enough to fit, large enough to run. */
export function emptyForm(): Form {
  return {
    image: '',
    cpus: '0.25',
    cpuLimit: '',
    memory: '256',
    command: '',
    entrypoint: '',
    ports: [],
    publish: false,
    environment: [],
    volumes: '',
    labels: '',
    type: 'service',
    restart: 'always',
    retries: '',
    network: 'bridge',
    singleWriter: false,
    hostname: '',
    domainname: '',
    cpuset: '',
    links: [],
  };
}

/** The form of a description that the API told. */
export function formOf(image: Description): Form {
  const pairs = (map: Record<string, string> | undefined) =>
    Object.entries(map ?? {}).map(([key, value]) => ({ key, value }));
  return {
    image: image.name ?? '',
    cpus: image.cpus == null ? '' : String(image.cpus),
    cpuLimit: image.cpu_limit == null ? '' : String(image.cpu_limit),
    memory: image.memory == null ? '' : String(image.memory),
    command: joinWords(image.args ?? []),
    entrypoint: joinWords(image.entrypoint ?? []),
    ports: (image.bind_ports ?? []).map((port) => ({
      container: String(port.container_port ?? ''),
      host: port.port == null ? '' : String(port.port),
      proto: port.proto === 'udp' ? 'udp' : 'tcp',
      address: port.host_ip ?? '',
    })),
    publish: image.publish ?? false,
    environment: pairs(image.environment),
    volumes: (image.volumes ?? []).join('\n'),
    labels: (image.labels ?? []).join('\n'),
    type: image.type ?? 'service',
    restart: image.restart_policy?.name ?? 'always',
    retries: image.restart_policy?.maximum_retry_count ? String(image.restart_policy.maximum_retry_count) : '',
    network: image.network_mode ?? 'bridge',
    singleWriter: image.single_writer ?? false,
    hostname: image.hostname ?? '',
    domainname: image.domainname ?? '',
    cpuset: image.cpuset ?? '',
    links: pairs(image.links),
  };
}

/** The description that the form stands for; `kept` has what the form does not show. */
export function descriptionOf(form: Form, kept: Description = {}): Description {
  const image: Description = { name: form.image.trim() };
  const cpus = numberOf(form.cpus);
  if (cpus !== undefined) image.cpus = cpus;
  const limit = numberOf(form.cpuLimit);
  if (limit !== undefined) image.cpu_limit = limit;
  const memory = numberOf(form.memory);
  if (memory !== undefined) image.memory = memory;
  const lists = { args: splitWords(form.command), entrypoint: splitWords(form.entrypoint) };
  if (lists.args.length > 0) image.args = lists.args;
  if (lists.entrypoint.length > 0) image.entrypoint = lists.entrypoint;
  const ports = form.ports.filter((port) => port.container.trim() !== '' || port.host.trim() !== '').map(portOf);
  if (ports.length > 0) image.bind_ports = ports;
  if (form.publish) image.publish = true;
  const environment = mapOf(form.environment);
  if (environment) image.environment = environment;
  const links = mapOf(form.links);
  if (links) image.links = links;
  const volumes = linesOf(form.volumes);
  if (volumes.length > 0) image.volumes = volumes;
  const labels = linesOf(form.labels);
  if (labels.length > 0) image.labels = labels;
  if (form.type !== 'service') image.type = form.type;
  if (form.restart !== 'always') {
    image.restart_policy = { name: form.restart };
    const retries = numberOf(form.retries);
    if (form.restart === 'on-failure' && retries !== undefined) image.restart_policy.maximum_retry_count = retries;
  }
  if (form.network !== 'bridge') image.network_mode = form.network;
  if (form.singleWriter) image.single_writer = true;
  for (const field of ['hostname', 'domainname', 'cpuset'] as const) {
    const text = form[field].trim();
    if (text !== '') image[field] = text;
  }
  if (kept.user_data && Object.keys(kept.user_data).length > 0) image.user_data = kept.user_data;
  return image;
}

function portOf(port: PortRow): Schemas['PortDescription'] {
  const found: Schemas['PortDescription'] = { container_port: wholeOf(port.container) };
  if (port.host.trim() !== '') found.port = wholeOf(port.host);
  if (port.proto !== 'tcp') found.proto = port.proto;
  if (port.address.trim() !== '') found.host_ip = port.address.trim();
  return found;
}

/** A number that was typed; a text that is none goes to the API as it is, which says what is wrong with it. */
function numberOf(text: string): number | undefined {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') return undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : (trimmed as unknown as number);
}

function wholeOf(text: string): number | string {
  const trimmed = text.trim();
  return /^\d{1,9}$/.test(trimmed) ? Number(trimmed) : trimmed;
}

function mapOf(rows: readonly PairRow[]): Record<string, string> | undefined {
  const given = rows.filter((row) => row.key.trim() !== '' || row.value !== '');
  return given.length > 0 ? Object.fromEntries(given.map((row) => [row.key.trim(), row.value])) : undefined;
}

/** The lines that are not empty. */
export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

const FIELDS: Record<string, Field> = {
  name: 'image',
  args: 'command',
  entrypoint: 'entrypoint',
  bind_ports: 'ports',
  restart_policy: 'restart',
  network_mode: 'network',
  single_writer: 'singleWriter',
  environment: 'environment',
  volumes: 'volumes',
  labels: 'labels',
  links: 'links',
  type: 'type',
  cpus: 'cpus',
  cpu_limit: 'cpuLimit',
  memory: 'memory',
  cpuset: 'cpuset',
  hostname: 'hostname',
  domainname: 'domainname',
  publish: 'publish',
};

/** The field of the form that a field of the API is shown at: `image.bind_ports[0].port` is `ports`. */
export function fieldOf(apiField: string | undefined): Field | undefined {
  if (apiField === undefined) return undefined;
  if (apiField === 'app') return 'name';
  if (apiField === 'count' || apiField === 'replicas') return 'count';
  const first = apiField.replace(/^image\./, '').split(/[.[]/)[0] ?? '';
  return FIELDS[first];
}

/** A command line as a shell would read it: words, quotes, backslashes; nothing is replaced. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] as string;
    if (quote !== '') {
      if (letter === quote) quote = '';
      else if (letter === '\\' && quote === '"' && /["\\$`]/.test(text[at + 1] ?? ''))
        word += text[(at += 1)] as string;
      else word += letter;
    } else if (letter === "'" || letter === '"') {
      quote = letter;
      word ??= '';
    } else if (letter === '\\' && at + 1 < text.length) {
      at += 1;
      // A backslash before the end of a line joins the lines.
      if (text[at] !== '\n') word = (word ?? '') + text[at];
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + letter;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Words as a line that `splitWords` reads again as the same. */
export function joinWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

/** A name for an app from its image: `registry.lan:5000/team/shop:3` is `shop`. */
export function nameFrom(image: string): string {
  const last = image.trim().split('@')[0]?.split('/').pop() ?? '';
  return (last.split(':')[0] ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
}
