import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type NodePod, nodePodSchema, type PodStatus, statusOfPod } from './pod-status.ts';

/** Where the API server is, and who may do everything there. */
export interface ApiAccess {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}

/** Milliseconds between two looks at the pods. */
const LOOK = 150;

const podsSchema = z.object({ items: z.array(nodePodSchema) });
const secretSchema = z.object({ data: z.record(z.string(), z.string()).default({}) });

/**
 * Plays the part of a node, which a control plane of its own has not: says of each pod of a namespace that it runs and is ready, or that it crashes.
 * What its containers would do is decided by the values that the pod's environment takes from Secrets at the time at which it starts.
 * @returns what ends it
 */
export function playNode(api: ApiAccess, namespace: string): () => Promise<void> {
  const dispatcher = new Agent({ connect: { ca: api.ca } });
  const stopped = new AbortController();
  const call = async (path: string, status?: PodStatus): Promise<unknown> => {
    const answer = await request(`${api.url}/api/v1/namespaces/${namespace}/${path}`, {
      dispatcher,
      method: status === undefined ? 'GET' : 'PATCH',
      headers: { authorization: `Bearer ${api.token}`, 'content-type': 'application/merge-patch+json' },
      body: status === undefined ? null : JSON.stringify({ status }),
      signal: stopped.signal,
    });
    const body = await answer.body.json();
    return answer.statusCode < 300 ? body : undefined;
  };
  const valueOf = async (name: string, key: string): Promise<string | undefined> => {
    const secret = secretSchema.optional().parse(await call(`secrets/${name}`));
    const value = secret?.data[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
  };
  const look = async (): Promise<void> => {
    const { items } = podsSchema.parse(await call('pods'));
    await Promise.all(
      items.map(async (pod: NodePod) => {
        const status = await statusOfPod(pod, valueOf, Date.now());
        if (status !== undefined) await call(`pods/${pod.metadata.name}/status`, status);
      }),
    );
  };
  const played = (async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      // The API server may be away, or a pod go while it is looked at: the next look finds what is left to do.
      await look().catch(() => undefined);
      await delay(LOOK, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stopped.abort();
    await played;
    await dispatcher.close();
  };
}
