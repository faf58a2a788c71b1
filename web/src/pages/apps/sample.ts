/** The sample: something to run in one click, in a pool that has nothing yet. */
import { get, request } from '../../lib/api';
import { go } from '../../lib/route.svelte';
import { toast } from '../../lib/toast.svelte';
import { words } from '../../lib/i18n.svelte';
import { apps } from '../../messages/apps';
import { AT_ONCE_S } from '../deploy/form';

const t = words(apps);
const OWN = 'pierhead/sample:1';
const PUBLIC = 'httpd:2.4';

/** Runs a small web server, two of it where there are two hosts, and goes to its page. */
export async function runSample(hosts: number): Promise<void> {
  try {
    const images = await get('/api/images');
    const image = images.some((one) => one.tags.includes(OWN)) ? OWN : PUBLIC;
    const body = { name: image, cpus: 0.1, memory: 32, bind_ports: [{ container_port: 80 }] };
    await request('post', '/api/containers', {
      query: { app: 'sample', count: Math.min(2, Math.max(1, hosts)), wait: AT_ONCE_S },
      body,
    });
    toast.done(t('sampleRuns'));
    go('/apps/sample');
  } catch (error) {
    toast.failed(t('sampleFailed'), error);
  }
}
