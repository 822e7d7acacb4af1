import type { Values } from './helm.ts';

const access = [{ namespaces: { names: ['*'] }, secrets: ['{namespace}/**'] }];
const everywhere = { labels: { release: 'prometheus' }, namespace: 'monitoring' };

/** Values that people install with. */
export const matrix: readonly (readonly [name: string, values: Values])[] = [
  ['the defaults', {}],
  ['AWS as default manager', { defaultManager: { aws: { region: 'eu-west-1' }, access } }],
  ['AWS alone', { defaultManager: { aws: {}, access }, embedded: { enabled: false } }],
  ['no default manager', { defaultManager: { create: false }, policies: { embeddedManagers: ['own'] } }],
  ['some namespaces', { watchNamespaces: ['shop', 'cart'] }],
  [
    'some namespaces and nothing more than needed',
    {
      watchNamespaces: ['shop', 'cart'],
      embedded: { enabled: false },
      rollouts: { enabled: false },
      defaultManager: { aws: {}, access },
    },
  ],
  ['stuck pods deleted', { rollouts: { deleteStuckPods: true } }],
  ['stuck pods deleted in some namespaces', { rollouts: { deleteStuckPods: true }, watchNamespaces: ['shop', 'cart'] }],
  ['no rollouts', { rollouts: { enabled: false } }],
  ['one replica', { replicaCount: 1, leaderElection: { enabled: false } }],
  ['mounted sealing keys', { sealingKeys: { file: { secretName: 'sealing-keys' } } }],
  [
    'sealing keys wrapped by KMS',
    { sealingKeys: { kms: { keyId: 'alias/keyferry', endpoint: 'https://kms.internal' } } },
  ],
  ['an account of its own', { serviceAccount: { create: false, name: 'operator' } }],
  ['every policy', { policies: { authorAccess: true } }],
  ['CRDs that go', { crds: { keep: false } }],
  [
    'only the operator',
    {
      crds: { install: false },
      policies: { install: false },
      rbac: { create: false, people: false },
      types: { install: false },
      defaultManager: { create: false },
      networkPolicy: { enabled: false },
      podDisruptionBudget: { enabled: false },
      metrics: { service: { enabled: false } },
    },
  ],
  [
    'everything that pods can have',
    {
      nameOverride: 'secrets',
      commonLabels: { team: 'platform' },
      image: {
        repository: 'registry.internal/keyferry',
        tag: 'v1',
        digest: `sha256:${'0'.repeat(64)}`,
        pullPolicy: 'Always',
      },
      imagePullSecrets: [{ name: 'registry' }],
      serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/keyferry' } },
      replicaCount: 3,
      podDisruptionBudget: { maxUnavailable: null, minAvailable: 2 },
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' },
      ],
      priorityClassName: 'system-cluster-critical',
      tolerations: [{ key: 'infra', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      nodeSelector: { infra: 'true' },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } },
      podAnnotations: { a: 'b' },
      podLabels: { c: 'd' },
      deploymentAnnotations: { e: 'f' },
      dnsPolicy: 'ClusterFirst',
      dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
      hostAliases: [{ ip: '10.0.0.1', hostnames: ['vault.internal'] }],
      extraArgs: ['--log-level=debug'],
      extraEnv: [{ name: 'AWS_REGION', value: 'eu-west-1' }],
      extraEnvFrom: [{ configMapRef: { name: 'proxy', optional: true } }],
      extraVolumes: [{ name: 'audit', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'audit', mountPath: '/var/log/keyferry' }],
      extraContainers: [{ name: 'sidecar', image: 'sidecar:1' }],
      extraInitContainers: [{ name: 'first', image: 'first:1' }],
      networkPolicy: {
        ingressFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        egress: [{ ports: [{ port: 443, protocol: 'TCP' }] }],
      },
    },
  ],
  [
    'monitoring',
    {
      metrics: {
        serviceMonitor: { enabled: true, ...everywhere },
        prometheusRule: { enabled: true, ...everywhere },
        dashboard: { enabled: true, namespace: 'monitoring' },
      },
    },
  ],
];
