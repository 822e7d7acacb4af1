import { Agent, request } from 'undici';
import { z } from 'zod';
import { secretReferenceStatusSchema } from '../../src/api/v1/secret-reference.ts';
import { eventually } from '../operator/eventually.ts';
import { objectSchema } from './server-object.ts';
import type { World } from './world.ts';

/** A Secret as it was at some moment. */
export interface Sighting {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly values: Readonly<Record<string, string>>;
}

/** What a reference said of itself at some moment. */
export interface Claim {
  readonly name: string;
  readonly ready: boolean;
  /** Of the first entry of `versions`. */
  readonly version: string | undefined;
  /** `uid/resourceVersion` of the Secret that it speaks of. */
  readonly target: string;
}

/** Sees every state that the Secrets and references of a namespace are ever in, by watches that share no code with the operator's. */
export interface Spy {
  /** Oldest first. Secrets that were deleted are not among them. */
  secrets(): readonly Sighting[];
  references(): readonly Claim[];
  stop(): void;
}

const eventSchema = z.object({ type: z.string(), object: z.unknown() });
const secretSchema = objectSchema.extend({ data: z.record(z.string(), z.string()).default({}) });
const referenceSchema = objectSchema.extend({ status: secretReferenceStatusSchema.default({}) });

export async function startSpy(world: World, namespace: string): Promise<Spy> {
  const dispatcher = new Agent({ connect: { ca: world.cluster.ca }, bodyTimeout: 0 });
  const secrets: Sighting[] = [];
  const claims: Claim[] = [];
  const watch = async (path: string, take: (object: unknown) => void): Promise<void> => {
    // The API server turns the first look at a new kind away.
    const body = await eventually(`${path} can be watched`, async () => {
      const answer = await request(`${world.cluster.url}${path}?watch=true&timeoutSeconds=3600`, {
        dispatcher,
        headers: { authorization: `Bearer ${world.cluster.token}` },
      });
      if (answer.statusCode === 200) return answer.body;
      throw new Error(`${answer.statusCode}: ${await answer.body.text()}`);
    });
    // Ends when the agent is destroyed.
    void readLines(body, take).catch(() => undefined);
  };
  await watch(`/api/v1/namespaces/${namespace}/secrets`, (object) => secrets.push(toSighting(object)));
  const references = `/apis/keyferry.io/v1/namespaces/${namespace}/secretreferences`;
  await watch(references, (object) => claims.push(toClaim(object)));
  return {
    secrets: () => secrets,
    references: () => claims,
    stop: () => {
      void dispatcher.destroy();
    },
  };
}

async function readLines(body: AsyncIterable<unknown>, take: (object: unknown) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = `${rest}${decoder.decode(z.instanceof(Uint8Array).parse(chunk), { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { type, object } = eventSchema.parse(JSON.parse(line));
      if (type === 'ADDED' || type === 'MODIFIED') take(object);
    }
  }
}

function toSighting(object: unknown): Sighting {
  const { metadata, data } = secretSchema.parse(object);
  const values = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()] as const);
  const { name, uid, resourceVersion } = metadata;
  return { name, uid, resourceVersion, values: Object.fromEntries(values) };
}

function toClaim(object: unknown): Claim {
  const { metadata, status } = referenceSchema.parse(object);
  return {
    name: metadata.name,
    ready: status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
    version: status.versions?.[0]?.version,
    target: `${status.target?.uid ?? ''}/${status.target?.resourceVersion ?? ''}`,
  };
}
