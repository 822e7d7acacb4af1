import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { annotations } from '../../src/api/v1/names.ts';
import { markerName } from '../../src/controllers/rollout/marker.ts';
import { workloadResources } from '../../src/controllers/rollout/resources.ts';
import { secrets } from '../../src/kube/resource.ts';
import { consumerLabel } from './deployment.ts';
import type { Rig } from './rig.ts';

/** What a rollout may change of a Deployment, and what tells that anything changed. */
export interface DeploymentState {
  readonly resourceVersion: string;
  readonly generation: number;
  /** The target that it consumes; undefined for none. */
  readonly target: string | undefined;
  /** Annotations of the pod template that are markers. */
  readonly markers: Readonly<Record<string, string>>;
}

/** Deployments by namespace and name. */
export type Deployments = ReadonlyMap<string, DeploymentState>;

const templateSchema = z.object({
  template: z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()) }) }),
});

export async function readDeployments(rig: Rig): Promise<Deployments> {
  const found = await rig.client.list(workloadResources.Deployment, {}, { signal: rig.signal });
  return new Map(
    found.map(({ metadata, spec }) => {
      const all = Object.entries(templateSchema.parse(spec).template.metadata.annotations);
      const markers = Object.fromEntries(all.filter(([name]) => name.startsWith(annotations.marker)));
      const { resourceVersion, generation } = metadata;
      const target = metadata.labels[consumerLabel];
      return [`${metadata.namespace}/${metadata.name}`, { resourceVersion, generation, target, markers }];
    }),
  );
}

/** The content that each Secret of ours says it holds, by namespace and name. */
export async function readContents(rig: Rig): Promise<ReadonlyMap<string, string>> {
  const found = await rig.client.list(secrets, {}, { signal: rig.signal });
  return new Map(
    found.map(({ metadata }) => [
      `${metadata.namespace}/${metadata.name}`,
      metadata.annotations[annotations.content] ?? '',
    ]),
  );
}

/**
 * What one rollout did wrong: each Deployment that consumes a target has to have one new generation and one marker, which names what the Secret holds, and
 * any other has to be as it was. Pure.
 */
export function findFaults(
  before: Deployments,
  after: Deployments,
  contents: ReadonlyMap<string, string>,
): readonly string[] {
  return [...before].flatMap(([key, then]) => {
    const now = after.get(key);
    if (now === undefined) return `Deployment ${key} is gone`;
    if (then.target === undefined) {
      return now.resourceVersion === then.resourceVersion ? [] : `Deployment ${key} consumes no target, and changed`;
    }
    const generations = now.generation - then.generation;
    if (generations !== 1) return `Deployment ${key} has ${generations} new generations`;
    const content = contents.get(`${key.slice(0, key.indexOf('/'))}/${then.target}`) ?? '';
    const expected = { [markerName({ name: then.target })]: content };
    return isDeepStrictEqual(now.markers, expected) ? [] : `Deployment ${key} is not marked with what its Secret holds`;
  });
}
