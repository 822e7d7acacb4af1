import { z } from 'zod';
import { accessRuleSchema } from './access-rule.ts';
import { conditionList } from './conditions.ts';
import { celString, checks, duration, line, list, objectName, type Rule, secretKey, text } from './parts.ts';
import { refusedFields } from './refused.ts';

/** Static AWS keys in a Secret: of the manager's own namespace, or for a cluster manager of the operator's. */
export const awsSecretRefSchema = z
  .object({
    name: objectName('Name of the Secret.'),
    accessKeyIdKey: secretKey('Key that holds the access key id.').default('access-key-id'),
    secretAccessKeyKey: secretKey('Key that holds the secret access key.').default('secret-access-key'),
    sessionTokenKey: secretKey('Key that holds the session token, for temporary credentials.').optional(),
  })
  .describe(
    "The Secret with the AWS keys. Of a SecretManager: in its own namespace. Of a ClusterSecretManager: in the operator's namespace.",
  );

const region = text({
  description: "The AWS region, for example eu-west-1. By default that of the operator's own environment.",
  maxLength: 32,
  rules: [
    {
      rule: `self.matches(${celString('^[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}$')})`,
      message: 'must be an AWS region, for example eu-west-1',
    },
  ],
}).optional();

const prefix = line(
  'Put before the name of every secret, for example prod/: one reference serves every environment.',
  256,
).optional();

/** What a namespaced manager may set: its own credentials and nothing about where the operator connects. */
export const awsSchema = z
  .object({
    region,
    prefix,
    auth: z
      .object({ secretRef: awsSecretRefSchema })
      .meta({
        description: "The manager's own credentials. Required.",
        ...refusedFields({
          instanceMetadata: {
            type: 'boolean',
            message:
              'instanceMetadata may be set only on a ClusterSecretManager: it would lend out the identity of the node',
          },
        }),
      })
      .optional(),
  })
  .meta({
    description: 'AWS Secrets Manager.',
    ...refusedFields({
      endpoint: {
        type: 'string',
        message:
          "endpoint may be set only on a ClusterSecretManager: a tenant's field must not choose where the operator connects",
      },
      proxy: {
        type: 'string',
        message:
          "proxy may be set only on a ClusterSecretManager: a tenant's field must not choose where the operator connects",
      },
      caBundle: {
        type: 'string',
        message:
          "caBundle may be set only on a ClusterSecretManager: a tenant's field must not choose whom the operator trusts",
      },
      roleArn: {
        type: 'string',
        message:
          "roleArn may be set only on a ClusterSecretManager: it is assumed with the operator's identity. Give the manager its own keys: auth: {secretRef: {name: aws-keys}}",
      },
    }),
    ...checks({
      rule: 'has(self.auth)',
      message:
        'a SecretManager brings its own credentials: aws: {region: eu-west-1, auth: {secretRef: {name: aws-keys}}}',
    }),
  });

const webAddress = (description: string, example: string): z.ZodOptional<z.ZodString> =>
  text({
    description,
    maxLength: 512,
    rules: [
      {
        rule: `self.matches(${celString('^https?://[^/?#@\\s]+(/[^?#@\\s]*)?$')}) && isURL(self)`,
        message: `must be a URL that begins with https:// or http://, without user, query or fragment, for example ${example}`,
      },
    ],
  }).optional();

const caBundleRules: readonly Rule[] = [
  {
    rule: "self.contains('-----BEGIN CERTIFICATE-----')",
    message: 'must be PEM certificates, the first line of each -----BEGIN CERTIFICATE-----',
  },
  {
    rule: "!self.contains('PRIVATE KEY')",
    message:
      'has a private key in it: only certificates belong here. Take the key out, and replace it if others could read this',
  },
];

const roleArn = text({
  description: 'Role that is assumed, with an external id that the operator makes itself: see status.identity.',
  maxLength: 600,
  rules: [
    {
      rule: `self.matches(${celString('^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$')})`,
      message: 'must be the ARN of a role: arn:aws:iam::123456789012:role/keyferry',
    },
  ],
});

export const clusterAwsSchema = z
  .object({
    region,
    prefix,
    auth: z
      .object({
        secretRef: awsSecretRefSchema.optional(),
        instanceMetadata: z
          .boolean()
          .default(false)
          .describe("Whether the node's own identity may be used. Every pod of the node usually has it too."),
      })
      .meta({
        description: "Credentials. By default the operator's own identity (IRSA, EKS Pod Identity).",
        ...checks({
          rule: '!(has(self.secretRef) && self.instanceMetadata)',
          message:
            'give secretRef or instanceMetadata, not both: auth: {secretRef: {name: aws-keys}} or auth: {instanceMetadata: true}',
        }),
      })
      .optional(),
    roleArn: roleArn.optional(),
    endpoint: webAddress(
      'Where Secrets Manager and STS are, both: VPC endpoints, test servers. Without TLS (http://) everyone on the way reads the secrets.',
      'https://vpce-0a1b.secretsmanager.eu-west-1.vpce.amazonaws.com',
    ),
    caBundle: text({
      description: "PEM certificates that are trusted for the endpoint instead of the system's.",
      maxLength: 65_536,
      rules: caBundleRules,
    }).optional(),
    proxy: webAddress('HTTP proxy on the way to AWS.', 'http://proxy.example.com:3128'),
  })
  .describe('AWS Secrets Manager. {} is enough on EKS.');

const common = {
  pollInterval: duration(
    'How often every secret in use is looked at, for example 5m. Below 30s the bill grows and little is won.',
  ).default('5m'),
  contact: line('Whom to ask for access, for example "#platform". Shown when a reference is denied.', 256).optional(),
};

const oneBackend: Rule = {
  rule: 'has(self.aws) != has(self.embedded)',
  message: 'name exactly one backend: embedded: {} or aws: {region: eu-west-1}',
};

const limit = (description: string, most: number): z.ZodNumber =>
  z.int().meta({ description, minimum: 1, maximum: most });

/** How much the embedded manager keeps. */
const limitsSchema = z
  .object({
    secrets: limit('How many secrets a namespace may have.', 10_000).default(100),
    valueBytes: limit('How many bytes a value may have.', 524_288).default(65_536),
    versions: limit('How many versions of a secret are kept. Those in use always are.', 100).default(10),
  })
  .describe('How much a namespace may keep.');

const embeddedSchema = z.object({}).meta({
  description: 'Secrets kept in the cluster, in the namespace of the manager. Nothing needs to be said: {}.',
  ...refusedFields({
    namespace: {
      type: 'string',
      message:
        'namespace may be set only on a ClusterSecretManager: a SecretManager serves the secrets of its own namespace',
    },
    limits: {
      type: 'object',
      message: 'limits may be set only on a ClusterSecretManager: a tenant must not raise its own',
    },
  }),
});

const clusterEmbeddedSchema = z
  .object({
    namespace: objectName(
      'The namespace whose secrets everybody gets that access names. By default each gets those of its own namespace.',
    ).optional(),
    limits: limitsSchema.prefault({}),
  })
  .describe('Secrets kept in the cluster. {} keeps those of each namespace in it.');

export const secretManagerSpecSchema = z
  .object({ embedded: embeddedSchema.optional(), aws: awsSchema.optional(), ...common })
  .meta({
    description: 'Where the secrets are, and how to get at them.',
    ...refusedFields({
      access: {
        type: 'array',
        message:
          'access may be set only on a ClusterSecretManager: a SecretManager serves its own namespace and no other',
      },
    }),
    ...checks(oneBackend),
  });

export const clusterSecretManagerSpecSchema = z
  .object({
    embedded: clusterEmbeddedSchema.optional(),
    aws: clusterAwsSchema.optional(),
    ...common,
    access: list(accessRuleSchema, {
      description:
        'Which namespaces may read which secrets. What no rule grants is denied. Required, except with embedded: {}, where a namespace reads what it keeps itself.',
      maxItems: 50,
      rules: [
        {
          rule: 'size(self) > 0',
          message: 'access must grant something: access: [{namespaces: {names: [shop]}, secrets: ["shop/*"]}]',
        },
      ],
    }).optional(),
    onRevoked: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .describe(
        'What becomes of a Secret whose access rule was withdrawn: Retain keeps it as it was, Delete deletes it.',
      ),
  })
  .meta({
    description: 'Where the secrets are, how to get at them, and who may.',
    ...checks(oneBackend, {
      rule: 'has(self.access) || (has(self.embedded) && !has(self.embedded.namespace))',
      message:
        'access is required: say which namespaces may read which secrets: access: [{namespaces: {names: [shop]}, secrets: ["shop/*"]}]',
    }),
  });

/** What a manager's status says of sealing keys that lie nowhere but in the cluster. */
export const neverBackedUp = 'never';

export const managerStatusSchema = z
  .object({
    observedGeneration: z.int().optional().describe('The metadata.generation that the status was made from.'),
    conditions: conditionList('Ready: the manager can be asked.'),
    backend: z.string().optional().describe('The kind of backend: embedded, aws.'),
    identity: z.string().optional().describe('Who the operator is for the backend.'),
    secretsInUse: z.int().optional().describe('How many secrets references want from it.'),
    referencesInUse: z.int().optional().describe('How many references ask it.'),
    publicKey: z.string().optional().describe('Embedded: the key that values are sealed to. Anybody may know it.'),
    cluster: z.string().optional().describe('Embedded: uid of the cluster, which a bound value carries.'),
    keyBackup: z
      .string()
      .optional()
      .describe('Embedded: when the sealing keys were last backed up, or never. Absent where they are mounted.'),
    watchNamespaces: z
      .array(z.string())
      .optional()
      .describe('The namespaces that the operator works in, where it does not work in all: in others nothing happens.'),
  })
  .describe('What the operator made of it. Only the operator writes it.');

export type AccessRule = z.infer<typeof accessRuleSchema>;
export type AwsSecretRef = z.infer<typeof awsSecretRefSchema>;
export type AwsSpec = z.infer<typeof awsSchema>;
export type ClusterAwsSpec = z.infer<typeof clusterAwsSchema>;
export type SecretManagerSpec = z.infer<typeof secretManagerSpecSchema>;
export type ClusterSecretManagerSpec = z.infer<typeof clusterSecretManagerSpecSchema>;
export type EmbeddedLimits = z.infer<typeof limitsSchema>;
export type ManagerStatus = z.infer<typeof managerStatusSchema>;
