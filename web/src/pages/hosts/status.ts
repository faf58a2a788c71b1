/** A host in a sentence: can it take more, and is it well? */
import type { Schemas } from '../../lib/api';
import { cores, megabytes } from '../../lib/format';
import { words } from '../../lib/i18n.svelte';
import { inWords } from '../../lib/said';
import { hosts } from '../../messages/hosts';
import { hostState } from '../../parts/pool/model';

const t = words(hosts);

export function hostSentence(engine: Schemas['EngineView']): string {
  const reason = inWords(engine.health.reason ?? '');
  switch (hostState(engine)) {
    case 'down':
      return t('isDown', { reason });
    case 'suspect':
      return t('isSuspect', { reason });
    case 'waiting':
      return t('isWaiting');
    case 'pending':
      return t('isPending', { reason });
    case 'cordoned':
      return t('isCordoned');
    case 'draining':
      return t('isDraining');
    case 'drained':
      return t('isDrained');
    case 'well': {
      const cpus = Math.max(0, engine.cpus - engine.reserved_cpus);
      const memory = Math.max(0, engine.memory - engine.reserved_memory);
      return cpus < 0.005 || memory < 6 ? t('isFull') : t('isWell', { cpus: cores(cpus), memory: megabytes(memory) });
    }
  }
}
