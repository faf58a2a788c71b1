/** The lists of the pool as far as whoever looks may see them: a page shows what it may, and leaves out the rest. */
import type { Schemas } from '../../lib/api';
import { live, type Live } from '../../lib/live.svelte';
import { may } from '../../lib/session.svelte';
import { sources, type App, type Container, type Engine } from '../../lib/sources';

export function liveApps(): Live<App[]> {
  return live(() => (may('read-containers') ? sources.apps : null));
}

export function liveEngines(): Live<Engine[]> {
  return live(() => (may('read-engines') ? sources.engines : null));
}

export function liveContainers(): Live<Container[]> {
  return live(() => (may('read-containers') ? sources.containers : null));
}

export function liveCluster(): Live<Schemas['ClusterInfo']> {
  return live(() => (may('read-cluster') ? sources.cluster : null));
}
