import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';

export interface KubeconfigContent {
  readonly url: string;
  /** PEM of the certificate authority that the server's certificate is verified with. */
  readonly ca: string;
  readonly token: string;
  readonly user: string;
}

/** Writes a kubeconfig with one context. It holds a token, so only its owner can read it. */
export async function writeKubeconfig(path: string, content: KubeconfigContent): Promise<void> {
  const name = 'keyferry-test';
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server: content.url,
          'certificate-authority-data': Buffer.from(content.ca).toString('base64'),
        },
      },
    ],
    users: [{ name: content.user, user: { token: content.token } }],
    contexts: [{ name, context: { cluster: name, user: content.user, namespace: 'default' } }],
    'current-context': name,
  });
  await writeFile(path, text, { mode: 0o600 });
}
