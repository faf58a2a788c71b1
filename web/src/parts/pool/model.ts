/**
 * What the drawing of the pool is made of: hosts, and the pieces of them that are held. Made from the lists of the API;
 * it knows nothing of pixels.
 */

/** So much of a host: cores, and memory in MB. */
export interface Amount {
  cpus: number;
  memory: number;
}

/** How a host is, as one word: its duty matters only while it is well. */
export type HostState = 'well' | 'cordoned' | 'draining' | 'drained' | 'suspect' | 'pending' | 'waiting' | 'down';

/** How what holds a piece is: `stands` is held, but does not run. */
export type PieceState = 'runs' | 'starts' | 'stands' | 'lost';

/** What a slot holds of its host. What is not of an app has an empty `app`. */
export interface Piece {
  key: string;
  host: string;
  app: string;
  slot: number;
  container?: string | undefined;
  state: PieceState;
  size: Amount;
}

/** A host as a box. */
export interface PoolHost {
  id: string;
  state: HostState;
  reason: string;
  since: string;
  capacity: Amount;
  reserved: Amount;
  containers: number;
  /** Ordered by app and slot, what is not of an app last. */
  pieces: Piece[];
}

/** Of an engine as the API lists it, what is needed here. */
export interface EngineLike {
  id: string;
  cpus: number;
  memory: number;
  reserved_cpus: number;
  reserved_memory: number;
  container_count: number;
  duty?: string | undefined;
  health: { status: string; since: string; reason?: string | undefined };
}

/** Of a slot, likewise. */
export interface SlotLike {
  slot: number;
  state: string;
  engine?: string | null | undefined;
  container?: string | null | undefined;
}

/** Of an app, likewise. */
export interface AppLike {
  name: string;
  image: { cpus?: number | null | undefined; memory?: number | null | undefined };
  slots: SlotLike[];
}

/** Of the figures of an engine, likewise. */
export interface UsageLike {
  id: string;
  cpu_cores: number;
  memory_bytes: number;
}

const MB = 1024 * 1024;

/** A host's state from its health and its duty. */
export function hostState(engine: EngineLike): HostState {
  switch (engine.health.status) {
    case 'healthy':
      break;
    case 'down':
    case 'suspect':
    case 'waiting':
      return engine.health.status;
    default:
      return 'pending';
  }
  const duty = engine.duty;
  return duty === 'cordoned' || duty === 'draining' || duty === 'drained' ? duty : 'well';
}

/** Whether new things may be placed there. */
export function takesMore(host: PoolHost): boolean {
  return host.state === 'well' || host.state === 'suspect';
}

/** How a slot's piece is; `undefined` for a slot that holds nothing. */
export function pieceState(slotState: string): PieceState | undefined {
  switch (slotState) {
    case 'running':
      return 'runs';
    case 'starting':
    case 'waiting':
      return 'starts';
    case 'stopped':
    case 'removing':
      return 'stands';
    case 'lost':
      return 'lost';
    default:
      return undefined;
  }
}

/** The key of a slot's piece. */
export function pieceKey(app: string, slot: number): string {
  return `${app}/${slot}`;
}

/** Hosts with their pieces, in the order of the engines. */
export function poolOf(engines: readonly EngineLike[], apps: readonly AppLike[]): PoolHost[] {
  const pieces = piecesByHost(apps);
  return engines.map((engine) => {
    const own = pieces.get(engine.id) ?? [];
    const reserved = { cpus: engine.reserved_cpus, memory: engine.reserved_memory };
    const rest = other(engine.id, reserved, own);
    return {
      id: engine.id,
      state: hostState(engine),
      reason: engine.health.reason ?? '',
      since: engine.health.since,
      capacity: { cpus: engine.cpus, memory: engine.memory },
      reserved,
      containers: engine.container_count,
      pieces: rest ? [...own, rest] : own,
    };
  });
}

function piecesByHost(apps: readonly AppLike[]): Map<string, Piece[]> {
  const found = new Map<string, Piece[]>();
  const ordered = [...apps].sort((one, two) => (one.name < two.name ? -1 : one.name > two.name ? 1 : 0));
  for (const app of ordered) {
    const size = { cpus: app.image.cpus ?? 0, memory: app.image.memory ?? 0 };
    for (const slot of [...app.slots].sort((one, two) => one.slot - two.slot)) {
      const state = pieceState(slot.state);
      if (!slot.engine || !state) continue;
      const piece = {
        key: pieceKey(app.name, slot.slot),
        host: slot.engine,
        app: app.name,
        slot: slot.slot,
        container: slot.container ?? undefined,
        state,
        size,
      };
      const there = found.get(slot.engine);
      if (there) there.push(piece);
      else found.set(slot.engine, [piece]);
    }
  }
  return found;
}

/** What is reserved on a host beside the slots of apps: containers that are not ours. */
function other(host: string, reserved: Amount, pieces: readonly Piece[]): Piece | undefined {
  const sum = total(pieces.map((piece) => piece.size));
  const size = { cpus: Math.max(0, reserved.cpus - sum.cpus), memory: Math.max(0, reserved.memory - sum.memory) };
  if (size.cpus < 0.005 && size.memory < 0.5) return undefined;
  return { key: `${host}/`, host, app: '', slot: 0, state: 'runs', size };
}

/** What hosts use now, by their ids. It changes each second, so that it is no part of the hosts, which are drawn from. */
export function usedOf(usage: readonly UsageLike[]): ReadonlyMap<string, Amount> {
  return new Map(usage.map((one) => [one.id, { cpus: one.cpu_cores, memory: one.memory_bytes / MB }]));
}

/** The sum of amounts. */
export function total(amounts: readonly Amount[]): Amount {
  return amounts.reduce((sum, one) => ({ cpus: sum.cpus + one.cpus, memory: sum.memory + one.memory }), {
    cpus: 0,
    memory: 0,
  });
}

/** A part of a whole as a share of 1; what is not quite full is never told as full. */
export function share(part: number, whole: number): number {
  if (!(whole > 0) || !(part > 0)) return 0;
  const found = part / whole;
  return found < 1 ? Math.min(0.99, found) : found;
}
