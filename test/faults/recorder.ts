import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import type { ObjectVersion } from './history.ts';

/** The kinds that are recorded. */
const watched: Readonly<Record<string, string>> = {
  Secret: '/api/v1/secrets',
  SecretReference: '/apis/keyferry.io/v1/secretreferences',
  SecretManager: '/apis/keyferry.io/v1/secretmanagers',
  ClusterSecretManager: '/apis/keyferry.io/v1/clustersecretmanagers',
  VersionedSecret: '/apis/keyferry.io/v1/versionedsecrets',
  SecretVersion: '/apis/keyferry.io/v1/secretversions',
  Deployment: '/apis/apps/v1/deployments',
  StatefulSet: '/apis/apps/v1/statefulsets',
  DaemonSet: '/apis/apps/v1/daemonsets',
  ReplicaSet: '/apis/apps/v1/replicasets',
  Event: '/apis/events.k8s.io/v1/events',
};

const objectSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().default(''),
    uid: z.string(),
    resourceVersion: z.string(),
    generation: z.int().default(0),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(z.looseObject({ kind: z.string(), name: z.string(), uid: z.string() })).default([]),
  }),
});
const eventSchema = z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED']), object: objectSchema });
const listSchema = z.object({ items: z.array(objectSchema) });

interface Server {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}

/** Keeps every version of every object of the watched kinds, as the API server itself tells it: nothing is between the two. */
export interface Recorder {
  /** The versions so far, in order of revision: the same array until there are more. */
  versions(namespace: string, manager: string): readonly ObjectVersion[];
  /** Waits until everything is here that the API server has now. */
  caughtUp(namespace: string): Promise<void>;
  /** What is not needed any more. */
  forget(namespace: string, manager: string): void;
  stop(): Promise<void>;
}

/** `now` gives the milliseconds of the history. */
export async function startRecorder(server: Server, now: () => number): Promise<Recorder> {
  const dispatcher = new Agent({ connect: { ca: server.ca }, bodyTimeout: 0, headersTimeout: 0 });
  const headers = { authorization: `Bearer ${server.token}` };
  /** By namespace; cluster-scoped objects by their name. */
  const books = new Map<string, ObjectVersion[]>();
  let broken: string | undefined;
  const take = (kind: string, line: string): void => {
    const version = toVersion(kind, line, now());
    const book = books.get(version.place);
    if (book === undefined) books.set(version.place, [version.version]);
    else book.push(version.version);
  };
  /** What was sorted last: it is asked for much more often than it changes. */
  const sorted = new Map<string, readonly ObjectVersion[]>();
  const inOrder = (namespace: string, manager: string): readonly ObjectVersion[] => {
    const parts = [books.get(namespace) ?? [], books.get(`/${manager}`) ?? []].flat();
    const known = sorted.get(namespace);
    if (known?.length === parts.length) return known;
    const versions = parts.toSorted((a, b) => a.revision - b.revision);
    sorted.set(namespace, versions);
    return versions;
  };
  for (const [kind, path] of Object.entries(watched)) {
    const body = await eventually(`${path} can be watched`, async () => {
      const answer = await request(`${server.url}${path}?watch=true&timeoutSeconds=36000`, { dispatcher, headers });
      if (answer.statusCode === 200) return answer.body;
      throw new Error(`${answer.statusCode}: ${await answer.body.text()}`);
    });
    const follow = async (): Promise<void> => {
      for await (const line of createInterface({ input: body })) if (line !== '') take(kind, line);
    };
    void follow().then(
      () => (broken = `the watch of ${path} ended`),
      (error: unknown) => (broken = `the watch of ${path} broke: ${String(error)}`),
    );
  }
  return {
    versions: (namespace, manager) => inOrder(namespace, manager),
    caughtUp: (namespace) =>
      eventually(`everything in ${namespace} is recorded`, async () => {
        if (broken !== undefined) throw new Error(broken);
        for (const [kind, path] of Object.entries(watched)) {
          if (kind === 'ClusterSecretManager') continue;
          const answer = await request(`${server.url}${namespaced(path, namespace)}`, { dispatcher, headers });
          const { items } = listSchema.parse(await answer.body.json());
          const there = items.map(({ metadata }) => `${metadata.uid}/${metadata.resourceVersion}`).toSorted();
          const here = living(books.get(namespace) ?? [], kind);
          if (there.join() !== here.join()) throw new Error(`${kind}: ${there.length} there, ${here.length} here`);
        }
      }),
    forget: (namespace, manager) => {
      books.delete(namespace);
      books.delete(`/${manager}`);
      sorted.delete(namespace);
    },
    stop: () => dispatcher.destroy(),
  };
}

function namespaced(path: string, namespace: string): string {
  const at = path.lastIndexOf('/');
  return `${path.slice(0, at)}/namespaces/${namespace}${path.slice(at)}`;
}

function living(versions: readonly ObjectVersion[], kind: string): readonly string[] {
  const byUid = new Map<string, ObjectVersion>();
  for (const version of versions) if (version.kind === kind) byUid.set(version.uid, version);
  const alive = [...byUid.values()].filter(({ type }) => type !== 'DELETED');
  return alive.map(({ uid, revision }) => `${uid}/${revision}`).toSorted();
}

function toVersion(
  kind: string,
  line: string,
  at: number,
): { readonly place: string; readonly version: ObjectVersion } {
  const { type, object } = eventSchema.parse(JSON.parse(line));
  const { name, namespace, uid, resourceVersion, generation, labels, annotations, ownerReferences } = object.metadata;
  const version: ObjectVersion = {
    kind,
    type,
    name,
    uid,
    revision: Number(resourceVersion),
    generation,
    labels,
    annotations,
    owners: ownerReferences,
    object,
    at,
  };
  return { place: namespace === '' ? `/${name}` : namespace, version };
}
