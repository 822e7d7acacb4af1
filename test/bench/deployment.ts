import type { KubeBody } from '../../src/kube/client.ts';

/** On Deployments that consume a target: its name. */
export const consumerLabel = 'bench/consumer';

export interface DeploymentPlan {
  readonly namespace: string;
  readonly name: string;
  /** The Secret that one of its variables comes from. */
  readonly secret: string;
  readonly consumer: boolean;
}

/** A Deployment as people have them: two containers with ten variables each, probes, resources, volumes, and what `kubectl apply` leaves in it. */
export function deploymentBody({ namespace, name, secret, consumer }: DeploymentPlan): KubeBody {
  const app = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'bench' };
  const metadata = { name, namespace, labels: { ...app, ...(consumer ? { [consumerLabel]: secret } : {}) } };
  const spec = {
    replicas: 3,
    revisionHistoryLimit: 5,
    selector: { matchLabels: app },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
    template: { metadata: { labels: app, annotations: templateAnnotations }, spec: podSpec(name, secret) },
  };
  const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { ...metadata, annotations: {} }, spec };
  const annotations = {
    'deployment.kubernetes.io/revision': '1',
    'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(applied)}\n`,
  };
  return { metadata: { ...metadata, annotations }, spec };
}

const templateAnnotations = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' };

/** What the Deployment controller says of three pods that run, seconds after it saw the generation. */
export function completeStatus(generation: number, now: string) {
  const condition = { status: 'True', lastUpdateTime: now, lastTransitionTime: now };
  return {
    observedGeneration: generation,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    conditions: [
      {
        type: 'Available',
        ...condition,
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      },
      {
        type: 'Progressing',
        ...condition,
        reason: 'NewReplicaSetAvailable',
        message: 'ReplicaSet has successfully progressed.',
      },
    ],
  };
}

function podSpec(name: string, secret: string) {
  const password = { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: secret, key: 'password' } } };
  return {
    serviceAccountName: name,
    terminationGracePeriodSeconds: 30,
    securityContext: { runAsNonRoot: true, fsGroup: 2000, seccompProfile: { type: 'RuntimeDefault' } },
    imagePullSecrets: [{ name: 'registry' }],
    containers: [
      container(name, 'app', 8080, [password, ...variables('APP', 9)]),
      container(name, 'proxy', 15_001, variables('PROXY', 10)),
    ],
    volumes: [
      { name: 'config', configMap: { name: `${name}-config` } },
      { name: 'tls', secret: { secretName: `${name}-tls` } },
      { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
    ],
  };
}

function container(name: string, part: string, port: number, env: readonly object[]) {
  const probe = { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10, timeoutSeconds: 2 };
  return {
    name: part,
    image: `registry.example.com/team/${name}-${part}:1.24.3`,
    ports: [{ name: 'http', containerPort: port }],
    env,
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    livenessProbe: { ...probe, failureThreshold: 3 },
    readinessProbe: probe,
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app', readOnly: true },
      { name: 'tls', mountPath: '/etc/tls', readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

function variables(prefix: string, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    name: `${prefix}_SETTING_${index}`,
    value: `value-${index}.example.internal`,
  }));
}
