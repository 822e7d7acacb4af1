import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const identities = [
  { name: 'admin', group: 'system:masters' },
  { name: 'system:kube-controller-manager' },
  { name: 'system:kube-scheduler' },
  { name: 'system:kube-proxy' },
  { name: 'system:node:node-1', group: 'system:nodes' },
] as const;

export type Identity = (typeof identities)[number]['name'];

export interface Credentials {
  readonly tokens: Readonly<Record<Identity, string>>;
  readonly tokenFile: string;
  /** The key that signs service account tokens, and the one that verifies them. */
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
}

/** Makes the tokens and keys of one control plane and writes them into `dir`. */
export async function writeCredentials(dir: string): Promise<Credentials> {
  const tokens = {
    admin: newToken(),
    'system:kube-controller-manager': newToken(),
    'system:kube-scheduler': newToken(),
    'system:kube-proxy': newToken(),
    'system:node:node-1': newToken(),
  };
  const rows = identities.map(({ name, ...rest }) => {
    const user = `${tokens[name]},${name},${name}`;
    return 'group' in rest ? `${user},"${rest.group}"` : user;
  });
  const keys = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const paths = {
    tokenFile: join(dir, 'tokens.csv'),
    serviceAccountKey: join(dir, 'service-account.key'),
    serviceAccountPublicKey: join(dir, 'service-account.pub'),
  };
  const secret = { mode: 0o600 };
  await writeFile(paths.tokenFile, `${rows.join('\n')}\n`, secret);
  await writeFile(paths.serviceAccountKey, keys.privateKey, secret);
  await writeFile(paths.serviceAccountPublicKey, keys.publicKey, secret);
  return { tokens, ...paths };
}

function newToken(): string {
  return randomBytes(16).toString('hex');
}
