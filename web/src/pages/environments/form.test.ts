import { describe, expect, test } from 'vitest';
import type { Environment } from '../workspaces/api';
import { describedBy, emptyContainer, emptyForm, formOf, nextName, placeOf, plainly, takes } from './form';

/** With everything that can be said of one. */
const full: Environment = {
  id: 'shop',
  owner: 'ann',
  visibility: 'shared',
  version: 3,
  created_at: '2026-01-01T00:00:00Z',
  changed_at: '2026-01-02T00:00:00Z',
  description: {
    containers: [
      {
        name: 'main',
        image: 'python:3.13',
        cpus: 0.5,
        cpu_limit: 2,
        memory: 256,
        command: ['sleep', 'in finity'],
        environment: { A: '1', B: '' },
        working_dir: '/work',
        user: 'ann',
        ports: [8080, 9000],
        files: [{ path: '/etc/motd', content: 'hello\n', mode: '600' }],
        startup: 'echo up\n',
      },
      { name: 'db', image: 'mariadb', cpus: 0.25, memory: 512 },
    ],
    lifetime_minutes: 240,
    idle_minutes: 0,
    warm: 2,
    asks: { root: true, pids: 512 },
  },
};

const specOf = (form: Parameters<typeof describedBy>[0]) => describedBy(form).description;

describe('the form of an environment', () => {
  test('begins with one container, and says nothing that nobody typed', () => {
    const form = emptyForm();
    form.containers[0]!.image = 'alpine';
    expect(describedBy(form)).toEqual({
      description: {
        containers: [{ name: 'main', image: 'alpine', cpus: 0.5, memory: 256 }],
        lifetime_minutes: 240,
        idle_minutes: 60,
        warm: 0,
      },
      visibility: 'private',
    });
    form.containers[0]!.image = ' ';
    expect(specOf(form).containers[0]).not.toHaveProperty('image');
  });

  test('and back again says the same', () => {
    const { description, visibility } = full;
    expect(describedBy(formOf(full))).toEqual({ description, visibility });
    const bare = { ...full, visibility: 'private', description: { containers: [{}] } };
    expect(describedBy(formOf(bare))).toEqual({
      description: { containers: [{ name: '' }], warm: 0 },
      visibility: 'private',
    });
  });

  test('leaves out rows that nobody filled in', () => {
    const form = emptyForm();
    const [main] = form.containers;
    if (!main) throw new Error('there is none');
    main.environment = [
      { key: ' A ', value: 'x' },
      { key: '', value: '' },
    ];
    main.files = [
      { path: '', content: '', mode: '644' },
      { path: ' /a ', content: '', mode: '' },
    ];
    main.ports = ' 80, 8080，9000 ';
    main.startup = '  \n';
    expect(specOf(form).containers[0]).toMatchObject({
      environment: { A: 'x' },
      files: [{ path: '/a', content: '' }],
      ports: [80, 8080, 9000],
    });
    expect(specOf(form).containers[0]).not.toHaveProperty('startup');
  });

  test('hands on what is no number, for the API to say what is wrong with it', () => {
    const form = emptyForm();
    Object.assign(form, { lifetime: 'long', idle: '', pids: 'many' });
    Object.assign(form.containers[0]!, { cpus: '0,5', memory: 'much', ports: 'http' });
    form.containers[0]!.files = [{ path: '/a', content: '', mode: 'rw-r--r--' }];
    const spec = specOf(form) as unknown as Record<string, unknown> & { containers: Record<string, unknown>[] };
    expect(spec).toMatchObject({ lifetime_minutes: 'long', asks: { pids: 'many' } });
    expect(spec).not.toHaveProperty('idle_minutes');
    expect(spec.containers[0]).toMatchObject({ cpus: 0.5, memory: 'much', ports: ['http'] });
    expect(spec.containers[0]?.files).toEqual([{ path: '/a', content: '', mode: 'rw-r--r--' }]);
  });
});

describe('one more container', () => {
  test('has a name that none has', () => {
    expect(nextName([emptyContainer('main')])).toBe('c2');
    expect(nextName([emptyContainer('main'), emptyContainer('c3')])).toBe('c4');
    expect(nextName([emptyContainer('c2')])).toBe('c3');
  });

  test('adds to what a workspace takes', () => {
    expect(takes(full.description.containers)).toEqual({ cpus: 0.75, memory: 768 });
    expect(takes([{ name: 'a' }])).toEqual({ cpus: 0, memory: 0 });
  });
});

test('what the API refuses is shown where it was typed', () => {
  expect(placeOf(undefined)).toBeUndefined();
  expect(placeOf('nothing')).toBeUndefined();
  expect(placeOf('name')).toEqual({ field: 'id' });
  expect(placeOf('description.idle_minutes')).toEqual({ field: 'idle' });
  expect(placeOf('description.warm')).toEqual({ field: 'warm' });
  expect(placeOf('description.asks.pids')).toEqual({ field: 'pids' });
  expect(placeOf('asks')).toEqual({ field: 'root' });
  expect(placeOf('containers')).toEqual({ field: 'containers' });
  expect(placeOf('description.containers[1].image')).toEqual({ container: 1, field: 'image' });
  expect(placeOf('description.containers[0].files[2].path')).toEqual({ container: 0, field: 'files' });
  expect(placeOf('containers[0].working_dir')).toEqual({ container: 0, field: 'folder' });
  expect(placeOf('containers[0].nothing')).toEqual({ field: 'containers' });
  expect(plainly('description.containers[0].cpus must be a number')).toBe('cpus must be a number');
  expect(plainly('description.warm must be small')).toBe('warm must be small');
  expect(plainly('name must be short')).toBe('name must be short');
});
