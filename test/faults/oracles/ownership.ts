import { z } from 'zod';
import { annotations, rolloutFieldManager } from '../../../src/api/v1/names.ts';
import type { ApiRequest, History, ObjectVersion, Violation } from '../history.ts';
import { holdings, nameOf, versionsOf } from './reading.ts';

/** S7: owners are told by uid; whatever is written or deleted says which object, and which version of it, is meant. */
export function ownership(history: History): readonly Violation[] {
  return [
    ...unpinnedWrites(history),
    ...strangeOwners(history),
    ...takenSecrets(history),
    ...attempts(history),
    ...history.requests.flatMap(beyondMarkers),
  ].map((what) => ({ law: 'S7', what }));
}

const workloads: ReadonlySet<string> = new Set(['deployments', 'statefulsets', 'daemonsets', 'cronjobs', 'rollouts']);

const pinnedSchema = z.object({ metadata: z.object({ uid: z.string().min(1), resourceVersion: z.string().min(1) }) });
const deletionSchema = z.object({
  preconditions: z.object({ uid: z.string().min(1), resourceVersion: z.string().min(1) }),
});

function unpinnedWrites(history: History): readonly string[] {
  const matter = history.requests.filter(
    ({ resource, subresource }) => resource === 'secrets' || subresource === 'status' || workloads.has(resource),
  );
  return matter
    .filter((request) => !isPinned(request))
    .map(({ verb, resource, name }) => `${verb} ${resource} ${name} does not say which version of it is meant`);
}

function isPinned({ verb, body }: ApiRequest): boolean {
  if (verb === 'delete') return deletionSchema.safeParse(body).success;
  if (verb === 'apply' || verb === 'patch') return pinnedSchema.safeParse(body).success;
  return verb !== 'other';
}

/** Every mark on a target names a reference that was there, by its own uid and name. */
function strangeOwners(history: History): readonly string[] {
  const names = new Map(
    history.objects.filter(({ kind }) => kind === 'SecretReference').map(({ uid, name }) => [uid, name]),
  );
  return holdings(history).flatMap(({ secret, reference, merged }) => {
    const name = names.get(reference);
    if (name === undefined) return [`${nameOf(secret)} names reference ${reference}, which there never was`];
    const said = merged
      ? secret.annotations[annotations.merged + reference]
      : secret.annotations[annotations.reference];
    if (said !== undefined && said !== name && !said.endsWith(`/${name}`))
      return [`${nameOf(secret)} names its reference ${said}, not ${name}`];
    const owners = secret.owners.filter(({ kind }) => kind === 'SecretReference');
    const others = merged ? [] : owners.filter(({ uid }) => uid !== reference);
    return others.map(({ uid }) => `${nameOf(secret)} belongs to ${reference} and has ${uid} as an owner`);
  });
}

/** A Secret never changes hands without its owner's consent, also not to a reference of the same name. */
function takenSecrets(history: History): readonly string[] {
  const before = new Map<string, ObjectVersion>();
  return versionsOf(history, 'Secret').flatMap((secret) => {
    const previous = before.get(secret.uid);
    before.set(secret.uid, secret);
    if (previous === undefined) return [];
    const [was, is] = [previous, secret].map((version) => version.annotations[annotations.referenceUid]);
    const consent =
      previous.annotations[annotations.adopt] === 'true' || previous.annotations[annotations.merge] === 'true';
    if (is === undefined || is === was || consent) return [];
    return [`${nameOf(secret)} was taken over from ${was ?? 'somebody'} by ${is}`];
  });
}

const attemptSchema = z.object({
  metadata: z.object({
    uid: z.string(),
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.unknown()).default({}),
  }),
});

/** A policy may refuse it: it was tried all the same. */
function attempts(history: History): readonly string[] {
  const secrets = versionsOf(history, 'Secret');
  return history.requests.flatMap(({ resource, body, name }) => {
    const parsed = attemptSchema.safeParse(body);
    if (resource !== 'secrets' || !parsed.success) return [];
    const { uid, resourceVersion, annotations: marks } = parsed.data.metadata;
    const secret = secrets.find((each) => each.uid === uid && String(each.revision) === resourceVersion);
    const [was, wanted] = [secret?.annotations[annotations.referenceUid], marks[annotations.referenceUid]];
    const consent = secret?.annotations[annotations.adopt] === 'true';
    if (secret === undefined || wanted === undefined || was === wanted || consent) return [];
    return [`Secret ${name} of ${was ?? 'somebody'} would have been taken over`];
  });
}

const templateSchema = z.object({
  spec: z.strictObject({
    template: z.strictObject({ metadata: z.strictObject({ annotations: z.record(z.string(), z.string()) }) }),
  }),
});

/** In a workload, our markers are all that is ours. */
function beyondMarkers({ resource, verb, body, name, fieldManager }: ApiRequest): readonly string[] {
  if (!workloads.has(resource) || !['apply', 'patch', 'create', 'delete'].includes(verb)) return [];
  if (resource === 'cronjobs') return [];
  const parsed = templateSchema.safeParse(body);
  const names = parsed.success ? Object.keys(parsed.data.spec.template.metadata.annotations) : [''];
  const strange = names.filter((each) => !each.startsWith(annotations.marker));
  const foreign = fieldManager === rolloutFieldManager ? [] : [`${verb} ${resource} ${name} as ${fieldManager}`];
  return [...foreign, ...(strange.length === 0 ? [] : [`${verb} ${resource} ${name} touches more than markers`])];
}
