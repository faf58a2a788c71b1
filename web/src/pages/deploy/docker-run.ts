/** Reads a `docker run` line into the form. What has no counterpart is told, not dropped in silence. */
import { emptyForm, splitWords, type Form } from './form';

/** What came of a line. */
export interface Read {
  form: Form;
  /** The name that it gives the container. */
  name: string;
  /** Flags that mean nothing here, or are not known. */
  ignored: string[];
}

/** Flags without a value that change nothing in a pool. */
const QUIET = new Set([
  '-d',
  '--detach',
  '--rm',
  '-i',
  '--interactive',
  '-t',
  '--tty',
  '-it',
  '-ti',
  '-dit',
  '-itd',
  '--init',
]);
/** Flags without a value that would change something. */
const BARE = new Set(['--privileged', '--read-only', '--no-healthcheck', '--oom-kill-disable']);

/** Reads a line that begins with `docker run`; `undefined` if it does not, or names no image. */
export function readDockerRun(line: string): Read | undefined {
  const words = splitWords(line.trim().replace(/^[$#]\s+/, ''));
  const start = words.indexOf('run');
  if (start < 1 || start > 3 || !words.slice(0, start).some((word) => /(^|\/)(docker|podman|nerdctl)$/.test(word)))
    return undefined;
  const read: Read = { form: emptyForm(), name: '', ignored: [] };
  const rest = words.slice(start + 1);
  while (rest.length > 0 && (rest[0] as string).startsWith('-') && rest[0] !== '--') take(rest, read);
  if (rest[0] === '--') rest.shift();
  const image = rest.shift();
  if (!image) return undefined;
  read.form.image = image;
  read.form.command = rest.map((word) => quoted(word)).join(' ');
  return read;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function take(rest: string[], read: Read): void {
  const word = rest.shift() as string;
  if (QUIET.has(word)) return;
  if (BARE.has(word)) {
    read.ignored.push(word);
    return;
  }
  if (word === '-P' || word === '--publish-all') {
    read.form.publish = true;
    return;
  }
  const [flag, value] = flagAndValue(word, rest);
  const known = FLAGS[flag];
  if (known) known(read, value);
  else read.ignored.push(value === '' ? flag : `${flag} ${value}`);
}

/** `--name=x`, `--name x`, `-p80:80` and `-p 80:80`. */
function flagAndValue(word: string, rest: string[]): [string, string] {
  const equals = word.indexOf('=');
  if (word.startsWith('--')) {
    return equals > 0 ? [word.slice(0, equals), word.slice(equals + 1)] : [word, rest.shift() ?? ''];
  }
  return word.length > 2 ? [word.slice(0, 2), word.slice(2).replace(/^=/, '')] : [word, rest.shift() ?? ''];
}

type Flag = (read: Read, value: string) => void;

const volume: Flag = ({ form }, value) => {
  form.volumes = form.volumes === '' ? value : `${form.volumes}\n${value}`;
};
const environment: Flag = ({ form, ignored }, value) => {
  const equals = value.indexOf('=');
  if (equals > 0) form.environment.push({ key: value.slice(0, equals), value: value.slice(equals + 1) });
  else ignored.push(`-e ${value}`);
};
const port: Flag = ({ form }, value) => {
  const [spec = '', proto] = value.split('/');
  const parts = spec.match(/^(?:(\[[^\]]+\]|[^:]*):)?(?:([^:]*):)?([^:]+)$/);
  if (!parts) return;
  const [, first = '', second, container = ''] = parts;
  const [address, host] = second === undefined ? ['', first] : [first, second];
  form.ports.push({
    container,
    host,
    address: address.replace(/^\[|\]$/g, ''),
    proto: proto === 'udp' ? 'udp' : 'tcp',
  });
};
const memory: Flag = ({ form, ignored }, value) => {
  const megabytes = megabytesOf(value);
  if (megabytes === undefined) ignored.push(`--memory ${value}`);
  else form.memory = String(megabytes);
};
const network: Flag = ({ form, ignored }, value) => {
  if (['bridge', 'host', 'none'].includes(value)) form.network = value;
  else ignored.push(`--network ${value}`);
};
const restart: Flag = ({ form }, value) => {
  const [name = '', retries = ''] = value.split(':');
  form.restart = name === 'unless-stopped' ? 'always' : name;
  form.retries = retries;
};
const link: Flag = ({ form }, value) => {
  const [key = '', alias] = value.split(':');
  form.links.push({ key, value: alias ?? key });
};

const FLAGS: Record<string, Flag> = {
  '-e': environment,
  '--env': environment,
  '-p': port,
  '--publish': port,
  '-v': volume,
  '--volume': volume,
  '-m': memory,
  '--memory': memory,
  '--cpus': ({ form }, value) => void (form.cpus = value),
  '--cpuset-cpus': ({ form }, value) => void (form.cpuset = value),
  '--name': (read, value) => void (read.name = value),
  '-h': ({ form }, value) => void (form.hostname = value),
  '--hostname': ({ form }, value) => void (form.hostname = value),
  '--domainname': ({ form }, value) => void (form.domainname = value),
  '--entrypoint': ({ form }, value) => void (form.entrypoint = value),
  '--network': network,
  '--net': network,
  '--restart': restart,
  '--link': link,
};

/** `512m` is 512, `1g` 1024, `1073741824` 1024. */
export function megabytesOf(text: string): number | undefined {
  const parts = text.trim().match(/^(\d+(?:\.\d+)?)\s*([bkmg]?)b?$/i);
  if (!parts) return undefined;
  const unit = { b: 1 / 1048576, k: 1 / 1024, m: 1, g: 1024 }[(parts[2] || 'b').toLowerCase() as 'b' | 'k' | 'm' | 'g'];
  return Math.ceil(Number(parts[1]) * unit);
}
