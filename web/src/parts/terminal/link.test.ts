import { describe, expect, test } from 'vitest';
import { Refused, TerminalLink } from './link';
import { hello, settle, viewer, World } from './pretended';

const ROOM = { columns: 100, rows: 30 };

async function attached(driver: string | null = 'me', from: number | null = null) {
  const world = new World();
  const link = new TerminalLink(world, ROOM, from);
  link.open();
  await settle();
  world.line.open();
  world.line.say(hello('me', driver));
  return { world, link };
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('attaching', () => {
  test('asks for everything at first, and tells the room that there is', async () => {
    const { world, link } = await attached('other');
    expect(world.line.heard).toEqual([{ type: 'attach', from: null, ...ROOM }]);
    expect(link.state).toMatchObject({ phase: 'open', role: 'viewer', you: 'me', driver: 'other', columns: 80 });
    expect(world.screen.size).toBe('80x24');
  });

  test('says that it comes to look, also when it comes back', async () => {
    const world = Object.assign(new World(), { looks: true });
    const link = new TerminalLink(world, ROOM);
    link.open();
    await settle();
    world.line.open();
    expect(world.line.heard).toEqual([{ type: 'attach', from: null, ...ROOM, looks: true }]);
  });

  test('goes on from what was kept', async () => {
    const { world, link } = await attached('me', 5);
    expect(world.line.heard[0]).toMatchObject({ from: 5 });
    world.line.print(3, 'abcd');
    expect(world.screen.text).toBe('cd');
    expect(link.offset).toBe(7);
  });

  test('the driver makes the terminal as large as there is room', async () => {
    const { world, link } = await attached('me');
    expect(world.line.last('resize')).toEqual({ type: 'resize', ...ROOM });
    world.line.say({ type: 'size', ...ROOM });
    const said = world.line.heard.length;
    link.fit(100, 30);
    expect(world.line.heard.length).toBe(said);
    link.fit(90, 20);
    expect(world.line.last('resize')).toMatchObject({ columns: 90 });
  });

  test('nobody else does', async () => {
    const { world, link } = await attached('other');
    link.fit(90, 20);
    expect(world.line.last('resize')).toBeUndefined();
  });

  test('a window that nobody sees says so, also when it comes back', async () => {
    const { world, link } = await attached();
    link.show(false);
    link.show(false);
    expect(world.line.heard.filter((message) => message.type === 'visible')).toEqual([{ type: 'visible', is: false }]);
    world.line.cut();
    await world.timers.pass(10_000);
    world.line.open();
    world.line.say(hello('me', 'me'));
    expect(world.line.last('visible')).toEqual({ type: 'visible', is: false });
  });
});

describe('output', () => {
  test('comes once and in order, however often it is sent', async () => {
    const { world, link } = await attached();
    world.line.print(0, 'one ');
    world.line.print(0, 'one ');
    world.line.print(2, 'e two');
    world.line.print(4, 'two three');
    expect(world.screen.text).toBe('one two three');
    expect(link.offset).toBe(13);
  });

  test('of which something is missing is asked for anew from there', async () => {
    const { world, link } = await attached();
    world.line.print(0, 'abc');
    world.line.print(9, 'xyz');
    expect(world.screen.text).toBe('abc');
    expect(link.state.phase).toBe('cut');
    await world.timers.pass(1_000);
    world.line.open();
    expect(world.line.heard[0]).toMatchObject({ type: 'attach', from: 3, was: 'me' });
  });

  test('a snapshot stands for all that came before it', async () => {
    const { world, link } = await attached();
    world.line.print(0, 'old');
    world.line.say({ type: 'snapshot', offset: 1000, columns: 40, rows: 10, data: 'screen' });
    world.line.print(998, '..new');
    expect(world.screen).toMatchObject({ text: 'screennew', size: '40x10', clears: 1 });
    expect(link.offset).toBe(1003);
  });

  test('is acknowledged when it was drawn, not before', async () => {
    const { world } = await attached();
    world.screen.isSlow = true;
    world.line.print(0, 'x'.repeat(40_000));
    await world.timers.pass(1_000);
    expect(world.line.last('ack')).toBeUndefined();
    world.screen.flush();
    expect(world.line.last('ack')).toEqual({ type: 'ack', offset: 40_000 });
  });

  test('is acknowledged in time even if it is little, and in few messages', async () => {
    const { world } = await attached();
    for (let at = 0; at < 20; at += 1) world.line.print(at, 'y');
    expect(world.line.last('ack')).toBeUndefined();
    await world.timers.pass(250);
    expect(world.line.heard.filter((message) => message.type === 'ack')).toEqual([{ type: 'ack', offset: 20 }]);
  });

  test('errors of a terminal without tty are shown too', async () => {
    const { world } = await attached();
    world.line.say({ type: 'stderr', offset: 0, data: btoa('oh no') });
    world.line.say({ type: 'stderr', offset: 3, data: btoa('no!') });
    expect(world.screen.text).toBe('oh no!');
    world.line.cut();
    await world.timers.pass(200);
    world.line.open();
    expect(world.line.heard[0]).toMatchObject({ stderr_from: 6 });
  });

  test('that was printed before we came is told from what comes now', async () => {
    const world = new World();
    const link = new TerminalLink(world, ROOM);
    link.open();
    await settle();
    world.line.open();
    expect(link.isReplaying).toBe(false);
    world.screen.isSlow = true;
    world.line.say(hello('me', 'me', 4));
    world.line.print(0, 'past');
    world.line.print(4, 'now');
    expect(link.isReplaying).toBe(true);
    world.screen.flush();
    expect(link.isReplaying).toBe(false);
  });

  test('unknown messages are passed over', async () => {
    const { world, link } = await attached();
    world.line.mumble('{"type":"of next year"}');
    world.line.mumble('{');
    expect(link.state.phase).toBe('open');
  });
});

describe('a connection that is lost', () => {
  test('comes back later and later, and at once if asked', async () => {
    const { world, link } = await attached();
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      world.line.cut();
      expect(link.state.phase).toBe('cut');
      waits.push(link.state.nextTryAt - world.timers.at);
      await world.timers.pass(8_000);
    }
    expect(waits).toEqual([200, 400, 800, 1600, 3200, 6400, 8000, 8000]);
    world.line.cut();
    const before = world.lines.length;
    link.hurry();
    await settle();
    expect(world.lines.length).toBe(before + 1);
    world.line.open();
    world.line.say(hello('me', 'me'));
    world.line.cut();
    expect(link.state.nextTryAt - world.timers.at).toBe(200);
    expect(link.state.cuts).toBe(2);
  });

  test('is noticed by the silence after a ping', async () => {
    const { world, link } = await attached();
    await world.timers.pass(10_000);
    expect(world.line.last('ping')).toEqual({ type: 'ping', id: 1 });
    world.line.say({ type: 'pong', id: 1 });
    await world.timers.pass(10_000);
    expect(world.line.last('ping')).toEqual({ type: 'ping', id: 2 });
    expect(link.state.phase).toBe('open');
    await world.timers.pass(8_000);
    expect(link.state.phase).not.toBe('open');
    expect(world.lines[0]?.isOpen).toBe(false);
  });

  test('takes no input that would be lost', async () => {
    const { world, link } = await attached();
    expect(link.type(bytes('ls'))).toBe(true);
    world.line.cut();
    expect(link.type(bytes('rm'))).toBe(false);
    expect(world.line.typed.length).toBe(1);
  });

  test('what an old socket tells late is passed over', async () => {
    const { world, link } = await attached();
    const old = world.line;
    old.cut();
    await world.timers.pass(8_000);
    world.line.open();
    world.line.say(hello('me', 'me'));
    old.print(0, 'late');
    old.cut();
    expect(world.screen.text).toBe('');
    expect(link.state.phase).toBe('open');
  });

  test('tries again after a failure, but not after a refusal', async () => {
    const { world, link } = await attached();
    world.failures = [new Error('no network'), new Refused('not_found', 'there is no such terminal')];
    world.line.cut();
    await world.timers.pass(200);
    expect(link.state.phase).toBe('cut');
    await world.timers.pass(8_000);
    expect(link.state).toMatchObject({ phase: 'refused', refusal: { code: 'not_found' } });
    await world.timers.pass(60_000);
    expect(world.lines.length).toBe(1);
    expect(world.timers.count).toBe(0);
  });

  test('is not missed once it was closed', async () => {
    const { world, link } = await attached();
    link.close();
    expect(world.line.isOpen).toBe(false);
    world.line.cut();
    await world.timers.pass(60_000);
    expect(world.lines.length).toBe(1);
    expect(link.state.phase).toBe('closed');
  });

  test('loses and repeats no byte over a hundred cuts', async () => {
    const log = Array.from({ length: 20_000 }, (_, at) => String.fromCharCode(32 + ((at * at + at) % 95))).join('');
    const { world, link } = await attached();
    let seed = 7;
    const below = (most: number) => (seed = (seed * 48_271) % 2_147_483_647) % most;
    let sent = 0;
    for (let round = 0; round < 100; round += 1) {
      for (let piece = below(4); piece > 0 && sent < log.length; piece -= 1) {
        const to = Math.min(log.length, sent + below(200));
        world.line.print(sent, log.slice(sent, to));
        sent = to;
      }
      world.line.cut();
      await world.timers.pass(200);
      world.line.open();
      const attach = world.line.heard[0];
      // What the network had lost of it is sent again, and some more.
      sent = Math.max(0, (attach?.type === 'attach' ? (attach.from ?? 0) : 0) - below(50));
      world.line.say(hello('me', 'me'));
    }
    world.line.print(sent, log.slice(sent));
    expect(world.screen.text).toBe(log);
    expect(link.offset).toBe(log.length);
    expect(link.state.cuts).toBe(100);
  });
});

describe('who drives', () => {
  test('only the driver types, and in pieces', async () => {
    const { world, link } = await attached();
    expect(link.type(bytes('z'.repeat(100_000)))).toBe(true);
    expect(world.line.typed.map((piece) => piece.length)).toEqual([32_768, 32_768, 32_768, 1_696]);
    world.line.say({ type: 'presence', driver: 'other', viewers: [viewer('me'), viewer('other', 'driver')] });
    expect(link.state.role).toBe('viewer');
    expect(link.type(bytes('z'))).toBe(false);
  });

  test('one asks, is waited for, and becomes the driver', async () => {
    const { world, link } = await attached('other');
    link.drive();
    expect(world.line.last('drive')).toEqual({ type: 'drive' });
    expect(link.state.hasAsked).toBe(true);
    world.line.say({ type: 'presence', driver: 'me', viewers: [viewer('me', 'driver'), viewer('other')] });
    expect(link.state).toMatchObject({ role: 'driver', hasAsked: false });
    expect(world.line.last('resize')).toMatchObject(ROOM);
  });

  test('nobody is waited for if nobody drives', async () => {
    const { link } = await attached(null);
    link.drive();
    expect(link.state.hasAsked).toBe(false);
  });

  test('the driver sees who asks, once each, and hands over', async () => {
    const { world, link } = await attached();
    const both = [viewer('me', 'driver'), viewer('b'), viewer('c')];
    world.line.say({ type: 'presence', driver: 'me', viewers: both });
    world.line.say({ type: 'asks', viewer: 'b', username: 'bea' });
    world.line.say({ type: 'asks', viewer: 'c', username: 'cho' });
    world.line.say({ type: 'asks', viewer: 'b', username: 'bea' });
    expect(link.state.asking.map((one) => one.username)).toEqual(['cho', 'bea']);
    world.line.say({ type: 'presence', driver: 'me', viewers: both.slice(0, 2) });
    expect(link.state.asking.map((one) => one.username)).toEqual(['bea']);
    link.handOver('b');
    expect(world.line.last('hand_over')).toEqual({ type: 'hand_over', to: 'b' });
    expect(link.state.asking).toEqual([]);
  });

  test('what the server will not have is told', async () => {
    const { world, link } = await attached();
    world.line.say({ type: 'error', code: 'not_driver', message: 'somebody else drives' });
    expect(world.complaints).toEqual(['not_driver']);
    expect(link.state.phase).toBe('open');
  });
});

describe('the end', () => {
  test('is told as it is, and nothing is tried again', async () => {
    const { world, link } = await attached();
    world.line.print(0, 'bye');
    world.line.say({ type: 'exit', code: null, reason: 'the controller that held it was restarted' });
    expect(link.state).toMatchObject({ phase: 'ended', exit: { code: null } });
    world.line.cut();
    await world.timers.pass(60_000);
    expect(world.lines.length).toBe(1);
    expect(link.state.phase).toBe('ended');
    expect(world.screen.text).toBe('bye');
  });

  test('a terminal that may not be seen is not asked for again', async () => {
    const { world, link } = await attached();
    world.line.say({ type: 'error', code: 'revoked', message: 'it is not shared with you any more' });
    expect(link.state).toMatchObject({ phase: 'refused', refusal: { code: 'revoked' } });
    expect(world.timers.count).toBe(0);
  });
});
