import type { Manifest } from './crd.ts';
import { group, version } from './v1/names.ts';
import type { SecretTypeSpec } from './v1/secret-type.ts';

const text = (title: string, more: Readonly<Record<string, unknown>> = {}) => ({ type: 'string', title, ...more });

/** What is not empty. */
const some = { minLength: 1 };

function type(
  name: string,
  spec: Pick<SecretTypeSpec, 'displayName' | 'description' | 'secretType'>,
  schema: object,
): Manifest {
  return { apiVersion: `${group}/${version}`, kind: 'SecretType', metadata: { name }, spec: { ...spec, schema } };
}

/** The types that are there from the start. They are objects like any other: a cluster may have more. */
export const builtInTypes: readonly Manifest[] = [
  type(
    'basic-auth',
    {
      displayName: 'User name and password',
      description: 'What HTTP basic authentication needs.',
      secretType: 'kubernetes.io/basic-auth',
    },
    {
      type: 'object',
      required: ['username', 'password'],
      properties: { username: text('User name', some), password: text('Password', some) },
    },
  ),
  type(
    'tls',
    {
      displayName: 'Certificate and key',
      description: 'A certificate with its chain, and the private key of it, both PEM.',
      secretType: 'kubernetes.io/tls',
    },
    {
      type: 'object',
      required: ['tls.crt', 'tls.key'],
      properties: {
        'tls.crt': text('Certificate (PEM)', { pattern: '^\\s*-----BEGIN CERTIFICATE-----' }),
        'tls.key': text('Private key (PEM)', { pattern: '-----BEGIN ([A-Z]+ )?PRIVATE KEY-----' }),
        'ca.crt': text('Certificate of the authority (PEM)', { pattern: '^\\s*-----BEGIN CERTIFICATE-----' }),
      },
    },
  ),
  type(
    'dockerconfigjson',
    {
      displayName: 'Access to image registries',
      description: 'What docker login writes to config.json.',
      secretType: 'kubernetes.io/dockerconfigjson',
    },
    { type: 'object', required: ['auths'], properties: { auths: { type: 'object', title: 'Registries' } } },
  ),
  type(
    'api-key',
    { displayName: 'API key', description: 'One token, without spaces.', secretType: 'Opaque' },
    { type: 'string', title: 'Key', minLength: 8, maxLength: 8192, pattern: '^[!-~]+$' },
  ),
  type(
    'database',
    { displayName: 'Database account', description: 'What a client needs to connect.', secretType: 'Opaque' },
    {
      type: 'object',
      required: ['username', 'password', 'host'],
      properties: {
        username: text('User name', some),
        password: text('Password', some),
        host: text('Host', { pattern: '^[A-Za-z0-9._:-]+$' }),
        port: { type: 'number', title: 'Port', minimum: 1, maximum: 65_535 },
        dbname: text('Database', some),
      },
    },
  ),
];
