import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Credentials } from './credentials.ts';

/** Ports on 127.0.0.1; the API server's on the address of the control plane. */
export interface Ports {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
}

export type AuditLevel = 'Metadata' | 'Request' | 'RequestResponse';

/** Data that may be lost is not synced to disk: a test's cluster lives no longer than the machine is up. */
export function etcdArgs(dir: string, ports: Ports): readonly string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    '--name=keyferry',
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=keyferry=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

export interface ApiServerOptions {
  /** Where it listens, and what it calls itself. */
  readonly address: string;
  readonly audit: AuditLevel | undefined;
  readonly extraArgs: readonly string[];
}

export async function apiServerArgs(
  dir: string,
  ports: Ports,
  credentials: Credentials,
  options: ApiServerOptions,
): Promise<readonly string[]> {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--bind-address=${options.address}`,
    `--advertise-address=${options.address}`,
    '--endpoint-reconciler-type=none',
    `--secure-port=${ports.apiServer}`,
    `--cert-dir=${certDir(dir)}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${credentials.serviceAccountKey}`,
    `--service-account-key-file=${credentials.serviceAccountPublicKey}`,
    `--token-auth-file=${credentials.tokenFile}`,
    '--authorization-mode=RBAC',
    '--profiling=false',
    ...(options.audit === undefined ? [] : await auditArgs(dir, options.audit)),
    ...options.extraArgs,
  ];
}

/** Every controller of a real cluster, each with its own identity, as admission policies see them in production. */
export function controllerManagerArgs(kubeconfig: string, caFile: string, credentials: Credentials): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--root-ca-file=${caFile}`,
    `--service-account-private-key-file=${credentials.serviceAccountKey}`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    '--secure-port=0',
    '--profiling=false',
    '--controllers=*,-bootstrap-signer-controller,-token-cleaner-controller',
  ];
}

export function schedulerArgs(kubeconfig: string): readonly string[] {
  return [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0', '--profiling=false'];
}

/** Where the API server writes the certificate that it makes for itself. */
export function certDir(dir: string): string {
  return join(dir, 'certs');
}

export function auditLog(dir: string): string {
  return join(dir, 'audit.log');
}

async function auditArgs(dir: string, level: AuditLevel): Promise<readonly string[]> {
  const policy = join(dir, 'audit-policy.yaml');
  await writeFile(
    policy,
    stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived', 'ResponseStarted'],
      rules: [{ level }],
    }),
  );
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${auditLog(dir)}`];
}
