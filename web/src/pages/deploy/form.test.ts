import { describe, expect, test } from 'vitest';
import { changesBetween } from './changes';
import { descriptionOf, emptyForm, fieldOf, formOf, joinWords, nameFrom, splitWords, type Description } from './form';

const FULL: Description = {
  name: 'registry.lan/shop:3',
  cpus: 0.5,
  cpu_limit: 2,
  memory: 512,
  args: ['serve', '--greeting', "it's fine"],
  entrypoint: ['/bin/shop'],
  bind_ports: [{ container_port: 80 }, { container_port: 53, port: 5353, proto: 'udp', host_ip: '10.0.0.1' }],
  publish: true,
  environment: { A: '1', B: 'two words' },
  volumes: ['data:/var/lib/data', '/srv:/srv:ro'],
  labels: ['ssd', '!gpu'],
  type: 'multi',
  restart_policy: { name: 'on-failure', maximum_retry_count: 3 },
  network_mode: 'host',
  single_writer: true,
  hostname: 'shop',
  domainname: 'lan',
  cpuset: '0-2',
  links: { 'db.0.1': 'db' },
};

describe('a description', () => {
  test('comes through the form as it went in', () => {
    expect(descriptionOf(formOf(FULL))).toEqual(FULL);
  });

  test('that the API told with its defaults says the same in fewer words', () => {
    const told: Description = {
      name: 'httpd:2.4',
      cpus: 0.05,
      cpu_limit: 1,
      memory: 128,
      type: 'service',
      bind_ports: [{ container_port: 80, proto: 'tcp', host_ip: '' }],
      restart_policy: { name: 'always' },
      publish: false,
      network_mode: 'bridge',
    };
    expect(descriptionOf(formOf(told))).toEqual({
      name: 'httpd:2.4',
      cpus: 0.05,
      cpu_limit: 1,
      memory: 128,
      bind_ports: [{ container_port: 80 }],
    });
  });

  test('keeps what the form does not show', () => {
    expect(descriptionOf(emptyForm(), { user_data: { key: ['a'] } }).user_data).toEqual({ key: ['a'] });
  });

  test('takes what is wrong to the API, which says so', () => {
    const form = {
      ...emptyForm(),
      cpus: 'many',
      ports: [{ container: 'http', host: '', proto: 'tcp' as const, address: '' }],
    };
    expect(descriptionOf(form)).toMatchObject({ cpus: 'many', bind_ports: [{ container_port: 'http' }] });
  });

  test('leaves out rows that nobody filled in', () => {
    const form = {
      ...emptyForm(),
      image: ' httpd ',
      ports: [{ container: '', host: ' ', proto: 'udp' as const, address: '' }],
      environment: [{ key: '', value: '' }],
      volumes: '\n \n',
    };
    expect(descriptionOf(form)).toEqual({ name: 'httpd', cpus: 0.25, memory: 256 });
  });
});

test.each([
  ['image.bind_ports[0].port', 'ports'],
  ['bind_ports[1].container_port', 'ports'],
  ['image.environment.KEY', 'environment'],
  ['image.name', 'image'],
  ['name', 'image'],
  ['args[0]', 'command'],
  ['image.cpu_limit', 'cpuLimit'],
  ['restart_policy.name', 'restart'],
  ['app', 'name'],
  ['count', 'count'],
  ['replicas', 'count'],
  ['user_data', undefined],
  [undefined, undefined],
])('the field %s of the API is %s of the form', (api, field) => {
  expect(fieldOf(api)).toBe(field);
});

describe('a command line', () => {
  test.each([
    ['a b  c', ['a', 'b', 'c']],
    [`sh -c 'echo "hi there"'`, ['sh', '-c', 'echo "hi there"']],
    ['a\\ b "c\\"d" ""', ['a b', 'c"d', '']],
    ['docker run \\\n  -d httpd', ['docker', 'run', '-d', 'httpd']],
    ['"a\\nb"', ['a\\nb']],
    ['', []],
  ])('%j has the words %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  test.each([[['a', 'b c', "it's", '', '$HOME', '中文']], [['--x=1']], [[]]])(
    'of the words %j reads back as the same',
    (words) => {
      expect(splitWords(joinWords(words))).toEqual(words);
    },
  );
});

test.each([
  ['registry.lan:5000/team/shop:3', 'shop'],
  ['httpd', 'httpd'],
  ['Team/My_App@sha256:0123', 'my-app'],
  ['', ''],
])('the image %s makes the name %s', (image, name) => {
  expect(nameFrom(image)).toBe(name);
});

describe('changes', () => {
  test('of the same description are none', () => {
    expect(changesBetween(FULL, descriptionOf(formOf(FULL)))).toEqual([]);
  });

  test('tell before and after, variable by variable', () => {
    const after: Description = { ...FULL, cpus: 1, environment: { A: '1', C: 'new' }, single_writer: null };
    expect(changesBetween(FULL, after)).toEqual([
      { field: 'cpus', part: '', before: '0.5', after: '1' },
      { field: 'environment', part: 'B', before: 'two words', after: '' },
      { field: 'environment', part: 'C', before: '', after: 'new' },
      { field: 'singleWriter', part: '', before: 'true', after: '' },
    ]);
  });

  test('to what is usual are told as that', () => {
    const changes = changesBetween({ type: 'unique', restart_policy: { name: 'no' } }, {});
    expect(changes.map(({ field, after }) => [field, after])).toEqual([
      ['type', 'service'],
      ['restart', 'always'],
    ]);
  });

  test('of ports are written as people write them', () => {
    const [change] = changesBetween({}, { bind_ports: FULL.bind_ports! });
    expect(change!.after).toBe('80, 10.0.0.1:5353:53/udp');
  });
});
