import { apiVersionOf, applyPatch, mergePatch, openCalls, type Server, unlessNotFound } from './server-call.ts';
import { type ApiObject, type KubeBody, listSchema } from './server-object.ts';

const resources = {
  Deployment: ['/apis/apps/v1', 'deployments'],
  StatefulSet: ['/apis/apps/v1', 'statefulsets'],
  DaemonSet: ['/apis/apps/v1', 'daemonsets'],
  ReplicaSet: ['/apis/apps/v1', 'replicasets'],
  ControllerRevision: ['/apis/apps/v1', 'controllerrevisions'],
  CronJob: ['/apis/batch/v1', 'cronjobs'],
  Job: ['/apis/batch/v1', 'jobs'],
  Pod: ['/api/v1', 'pods'],
  Secret: ['/api/v1', 'secrets'],
  Event: ['/apis/events.k8s.io/v1', 'events'],
  Rollout: ['/apis/argoproj.io/v1alpha1', 'rollouts'],
  SecretReference: ['/apis/keyferry.io/v1', 'secretreferences'],
} as const satisfies Readonly<Record<string, readonly [base: string, plural: string]>>;
export type Kind = keyof typeof resources;

/** How a person's tool writes. */
export interface ApplyOptions {
  readonly manager?: string;
}

/** What people and their tools do with the objects of one namespace. Shares no code with the operator. */
export interface ClusterClient {
  get(kind: Kind, name: string): Promise<ApiObject>;
  find(kind: Kind, name: string): Promise<ApiObject | undefined>;
  list(kind: Kind, selector?: string): Promise<readonly ApiObject[]>;
  create(kind: Kind, body: KubeBody): Promise<ApiObject>;
  /** JSON merge patch. */
  patch(kind: Kind, name: string, body: KubeBody): Promise<ApiObject>;
  patchStatus(kind: Kind, name: string, status: KubeBody): Promise<ApiObject>;
  /** Server-side apply, by force. */
  apply(kind: Kind, name: string, body: KubeBody, options?: ApplyOptions): Promise<ApiObject>;
  /** PUT: the whole object. */
  replace(kind: Kind, name: string, body: KubeBody): Promise<ApiObject>;
  delete(kind: Kind, name: string): Promise<void>;
}

export function createClusterClient(server: Server, namespace: string): ClusterClient {
  const { call, object } = openCalls(server);
  const folder = (kind: Kind): string => `${resources[kind][0]}/namespaces/${namespace}/${resources[kind][1]}`;
  const place = (kind: Kind, name: string): string => `${folder(kind)}/${name}`;
  const get: ClusterClient['get'] = (kind, name) => object('GET', place(kind, name));
  return {
    get,
    find: (kind, name) => unlessNotFound(get(kind, name)),
    list: async (kind, selector = '') => {
      const path = `${folder(kind)}?labelSelector=${encodeURIComponent(selector)}`;
      return listSchema.parse(JSON.parse(await call('GET', path))).items;
    },
    create: (kind, body) => object('POST', folder(kind), versioned(kind, body)),
    patch: (kind, name, body) => object('PATCH', place(kind, name), body, mergePatch),
    patchStatus: (kind, name, status) => object('PATCH', `${place(kind, name)}/status`, { status }, mergePatch),
    apply: (kind, name, body, { manager = 'gitops' } = {}) => {
      const path = `${place(kind, name)}?fieldManager=${manager}&force=true`;
      return object('PATCH', path, versioned(kind, body), applyPatch);
    },
    replace: (kind, name, body) => object('PUT', place(kind, name), versioned(kind, body)),
    delete: async (kind, name) => {
      await unlessNotFound(call('DELETE', `${place(kind, name)}?propagationPolicy=Background`));
    },
  };
}

function versioned(kind: Kind, body: KubeBody): KubeBody {
  return { apiVersion: apiVersionOf(resources[kind][0]), kind, ...body };
}
