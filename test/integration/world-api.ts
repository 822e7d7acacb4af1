import { z } from 'zod';
import {
  apiVersionOf,
  applyPatch,
  type Method,
  mergePatch,
  openCalls,
  type Server,
  unlessNotFound,
} from './server-call.ts';
import { type ApiObject, type KubeBody, listSchema } from './server-object.ts';

export type { ApiObject, KubeBody } from './server-object.ts';

export interface ObjectName {
  readonly name: string;
  /** Left out for what stands in no namespace. */
  readonly namespace?: string;
}

/** The API server as an administrator sees it: a client that shares no code with the operator. */
export interface Api {
  /** Undefined where there is none. */
  find(kind: string, where: ObjectName): Promise<ApiObject | undefined>;
  /** @throws ApiRefusal */
  get(kind: string, where: ObjectName): Promise<ApiObject>;
  list(kind: string, namespace?: string): Promise<readonly ApiObject[]>;
  /** POST: fails where it exists. @throws ApiRefusal */
  create(object: KubeBody): Promise<ApiObject>;
  /** Server-side apply as the field manager `person`, by force. @throws ApiRefusal */
  apply(object: KubeBody): Promise<ApiObject>;
  /** JSON merge patch. @throws ApiRefusal */
  patch(kind: string, where: ObjectName, body: KubeBody): Promise<ApiObject>;
  /** The same for the status, as what answers for it would. @throws ApiRefusal */
  patchStatus(kind: string, where: ObjectName, body: KubeBody): Promise<ApiObject>;
  /** @throws ApiRefusal, unless it is gone already. */
  delete(kind: string, where: ObjectName): Promise<void>;
  /** Any request; gives the body as text. @throws ApiRefusal */
  raw(method: Method, path: string): Promise<string>;
  close(): Promise<void>;
}

const ours = '/apis/keyferry.io/v1';
const resources: Readonly<Record<string, readonly [base: string, plural: string]>> = {
  ConfigMap: ['/api/v1', 'configmaps'],
  DaemonSet: ['/apis/apps/v1', 'daemonsets'],
  Deployment: ['/apis/apps/v1', 'deployments'],
  StatefulSet: ['/apis/apps/v1', 'statefulsets'],
  Pod: ['/api/v1', 'pods'],
  Lease: ['/apis/coordination.k8s.io/v1', 'leases'],
  Event: ['/apis/events.k8s.io/v1', 'events'],
  Namespace: ['/api/v1', 'namespaces'],
  ResourceQuota: ['/api/v1', 'resourcequotas'],
  Role: ['/apis/rbac.authorization.k8s.io/v1', 'roles'],
  RoleBinding: ['/apis/rbac.authorization.k8s.io/v1', 'rolebindings'],
  Secret: ['/api/v1', 'secrets'],
  ServiceAccount: ['/api/v1', 'serviceaccounts'],
  SecretReference: [ours, 'secretreferences'],
  SecretManager: [ours, 'secretmanagers'],
  ClusterSecretManager: [ours, 'clustersecretmanagers'],
  VersionedSecret: [ours, 'versionedsecrets'],
  SecretVersion: [ours, 'secretversions'],
  SecretType: [ours, 'secrettypes'],
};

const identitySchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

export function createApi(server: Server): Api {
  const { call, object, close } = openCalls(server);
  const get: Api['get'] = (kind, where) => object('GET', pathOf(kind, where));
  return {
    get,
    find: (kind, where) => unlessNotFound(get(kind, where)),
    list: async (kind, namespace) => {
      const { items } = listSchema.parse(JSON.parse(await call('GET', folderOf(kind, namespace))));
      return items;
    },
    create: (body) => {
      const { kind, metadata } = identitySchema.parse(body);
      return object('POST', folderOf(kind, metadata.namespace), withVersion(body));
    },
    apply: (body) => {
      const { kind, metadata } = identitySchema.parse(body);
      const path = `${pathOf(kind, whereOf(metadata))}?fieldManager=person&force=true`;
      return object('PATCH', path, withVersion(body), applyPatch);
    },
    patch: (kind, where, body) => object('PATCH', pathOf(kind, where), body, mergePatch),
    patchStatus: (kind, where, body) => object('PATCH', `${pathOf(kind, where)}/status`, body, mergePatch),
    delete: async (kind, where) => {
      await unlessNotFound(call('DELETE', pathOf(kind, where)));
    },
    raw: (method, path) => call(method, path),
    close,
  };
}

function whereOf({ name, namespace }: { name: string; namespace?: string | undefined }): ObjectName {
  return namespace === undefined ? { name } : { name, namespace };
}

function withVersion(body: KubeBody): KubeBody {
  const [base] = resourceOf(identitySchema.parse(body).kind);
  return { apiVersion: apiVersionOf(base), ...body };
}

function resourceOf(kind: string): readonly [base: string, plural: string] {
  const found = resources[kind];
  if (found === undefined) throw new Error(`the tests do not know the kind ${kind}: add it to world-api.ts`);
  return found;
}

function folderOf(kind: string, namespace: string | undefined): string {
  const [base, plural] = resourceOf(kind);
  return namespace === undefined ? `${base}/${plural}` : `${base}/namespaces/${namespace}/${plural}`;
}

function pathOf(kind: string, { name, namespace }: ObjectName): string {
  return `${folderOf(kind, namespace)}/${name}`;
}
