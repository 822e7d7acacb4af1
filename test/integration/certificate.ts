import { generateKeyPairSync } from 'node:crypto';

/** What a Secret of type kubernetes.io/tls holds: the API server looks at the keys only, not at the PEM. */
export function makeCertificate(): Readonly<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return { 'tls.crt': publicKey, 'tls.key': privateKey };
}
