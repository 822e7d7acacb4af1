import type { KubeBody, KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/errors.ts';
import { type RawObject, rawObjectSchema } from '../../kube/object.ts';

export interface RecordedCall {
  readonly verb: 'get' | 'create' | 'apply' | 'patch' | 'delete' | 'review';
  /** `secrets/shop/api-db` */
  readonly object: string;
  /** What was sent: of a delete, its preconditions. */
  readonly body: unknown;
  readonly fieldManager: string | undefined;
  readonly force: boolean | undefined;
  /** Of a get. */
  readonly metadataOnly: boolean | undefined;
}

/** A client that notes every call and gives what the test says. */
export interface RecordingClient extends KubeClient {
  readonly calls: readonly RecordedCall[];
}

export function createRecordingClient(answer: (call: RecordedCall) => object | KubeError): RecordingClient {
  const calls: RecordedCall[] = [];
  const record = (call: RecordedCall): RawObject => {
    calls.push(call);
    const given = answer(call);
    if (given instanceof KubeError) throw given;
    return rawObjectSchema.parse(given);
  };
  const none = { body: undefined, fieldManager: undefined, force: undefined, metadataOnly: undefined };
  const writing =
    (verb: 'create' | 'apply' | 'patch') =>
    async (resource: { plural: string }, body: KubeBody, options: { fieldManager: string; force?: boolean }) =>
      record({
        ...none,
        verb,
        object: `${resource.plural}/${body.metadata.namespace ?? ''}/${body.metadata.name}`,
        body,
        fieldManager: options.fieldManager,
        force: options.force,
      });
  return {
    calls,
    get: async ({ plural }, { namespace, name }, { metadataOnly }) =>
      record({ ...none, verb: 'get', object: `${plural}/${namespace}/${name}`, metadataOnly }),
    create: writing('create'),
    apply: writing('apply'),
    mergePatch: writing('patch'),
    delete: async ({ plural }, { namespace, name }, { uid, resourceVersion }) => {
      const body = { uid, resourceVersion };
      record({ ...none, verb: 'delete', object: `${plural}/${namespace}/${name}`, body });
    },
    list: () => Promise.reject(new Error('nothing is listed here')),
    review: async ({ plural }, spec) => {
      calls.push({ ...none, verb: 'review', object: plural, body: spec });
      const given = answer({ ...none, verb: 'review', object: plural, body: spec });
      if (given instanceof KubeError) throw given;
      return given;
    },
  };
}

export function kubeError(status: number, reason: string, more: object = {}): KubeError {
  const subject = { verb: 'apply', resource: 'secrets', object: 'shop/api-db', sensitive: true };
  return new KubeError({ subject, status, reason, ...more });
}
