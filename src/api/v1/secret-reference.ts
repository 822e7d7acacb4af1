import { z } from 'zod';
import { conditionList } from './conditions.ts';
import {
  celString,
  checks,
  duration,
  line,
  list,
  map,
  objectName,
  type Rule,
  secretKeys,
  secretName,
  text,
} from './parts.ts';
import { consumerSchema, guardSchema, heldSchema, rolloutSpecSchema } from './rollout.ts';
import { templateMetadataSchema } from './template-metadata.ts';

const managerKind = z
  .enum(['ClusterSecretManager', 'SecretManager'])
  .default('ClusterSecretManager')
  .describe('ClusterSecretManager (the default), or SecretManager for one in the same namespace.');

export const managerRefSchema = z
  .object({
    kind: managerKind,
    name: objectName('Name of the manager.').default('default'),
  })
  .describe('The manager that is asked. Whoever writes this needs the verb "use" on it.');

const ownManagerRef = z
  .object({
    kind: managerKind,
    name: objectName('Name of the manager.'),
  })
  .describe('The manager that is asked for this entry instead of spec.managerRef.');

const versionSelector = {
  secret: secretName('Name of the secret in its manager, for example db.password.'),
  version: line(
    "Id of one version, which stays for ever. Ids are the manager's own: list them there. Without version and stage: the latest.",
    256,
  ).optional(),
  stage: line(
    "A manager's label on a version, for example AWSPREVIOUS. Without version and stage: the latest.",
    256,
  ).optional(),
  property: line('Path of a property when the value is a JSON object, for example user.name.', 512).optional(),
};

const oneSelector: Rule = {
  rule: '!(has(self.version) && has(self.stage))',
  message:
    'give version or stage, not both: {secret: db.password, version: "3"} or {secret: db.password, stage: AWSPREVIOUS}',
};

export const dataEntrySchema = z
  .object({
    ...versionSelector,
    decode: z.enum(['base64']).optional().describe('How the value is decoded before it is stored.'),
    optional: z
      .boolean()
      .optional()
      .describe(
        'Whether the secret or property may be missing. Without it, a missing value holds back the whole Secret.',
      ),
    default: text({
      description:
        'What stands in for a missing value. Needs optional: true. Visible to everyone who can read this object.',
      maxLength: 65_536,
      minLength: 0,
    }).optional(),
    managerRef: ownManagerRef.optional(),
  })
  .meta({
    description: 'Where the value of one key comes from, for example {secret: db.password}.',
    ...checks(oneSelector, {
      rule: '!has(self.default) || (has(self.optional) && self.optional)',
      message: 'default stands in for a value that may be missing: {secret: app/banner, optional: true, default: ""}',
    }),
  });

export const keysSchema = z
  .object({
    style: z
      .enum(['AsIs', 'EnvVar'])
      .default('AsIs')
      .describe(
        'AsIs, or EnvVar: app/feature-db.password becomes APP_FEATURE_DB_PASSWORD. Two names that become one key are an error.',
      ),
    stripPrefix: line('Taken off the front of each name first.', 512).optional(),
  })
  .describe('How names become keys.');

const extractSchema = z
  .object(versionSelector)
  .meta({ description: 'Each property of a JSON object becomes a key.', ...checks(oneSelector) });

const findSchema = z
  .object({
    prefix: line('What the names begin with, for example app/feature-.', 512).optional(),
    tags: map(text({ description: 'Value of the tag.', maxLength: 256, minLength: 0 }), {
      description: 'Tags that the secrets carry, all of them.',
      maxProperties: 10,
    }).optional(),
  })
  .meta({
    description: 'Each secret found becomes a key.',
    ...checks({
      rule: 'has(self.prefix) || (has(self.tags) && size(self.tags) > 0)',
      message: 'find needs a prefix or tags: find: {prefix: app/feature-} or find: {tags: {team: shop}}',
    }),
  });

const versionsSchema = z
  .object({
    secret: versionSelector.secret,
    last: z.int().min(1).max(20).describe('How many of the newest versions, 1 to 20.'),
  })
  .describe(
    'Each of the newest versions becomes a key, named after its id: rotate a key and still read what the old one signed.',
  );

/** Exactly one of extract, find and versions. */
export const dataFromEntrySchema = z
  .object({
    extract: extractSchema.optional(),
    find: findSchema.optional(),
    versions: versionsSchema.optional(),
    keys: keysSchema.optional(),
    managerRef: ownManagerRef.optional(),
  })
  .meta({
    description: 'A source of several keys: exactly one of extract, find and versions.',
    ...checks({
      rule: '[has(self.extract), has(self.find), has(self.versions)].exists_one(given, given)',
      message:
        'an entry has exactly one of extract, find and versions: {extract: {secret: app/config}}, {find: {prefix: app/}} or {versions: {secret: signing.key, last: 3}}',
    }),
  });

const templateSchema = z
  .object({
    data: map(text({ description: 'Text with {{Secrets.NAME}} in it.', maxLength: 65_536, minLength: 0 }), {
      description:
        'The keys that the Secret shows instead of those of data and dataFrom. {{Secrets.NAME}} stands for a key of those.',
      maxProperties: 100,
      rules: [
        {
          rule: 'size(self) > 0',
          message:
            'template.data would leave the Secret empty: leave it out, or give it keys: {url: "https://{{Secrets.host}}"}',
        },
        ...secretKeys('url: "https://{{Secrets.host}}"'),
      ],
    }).optional(),
    metadata: templateMetadataSchema.optional(),
  })
  .describe('What the Secret shows. Without it: the keys of data and dataFrom as they are.');

export const secretTypes = [
  'Opaque',
  'kubernetes.io/tls',
  'kubernetes.io/dockerconfigjson',
  'kubernetes.io/dockercfg',
  'kubernetes.io/basic-auth',
  'kubernetes.io/ssh-auth',
] as const;

const targetSchema = z
  .object({
    name: objectName("The Secret's name. By default that of the SecretReference. Cannot change.").optional(),
    type: z.enum(secretTypes).default('Opaque').describe("The Secret's type. Cannot change."),
    ownership: z
      .enum(['Owner', 'Orphan', 'Merge'])
      .default('Owner')
      .describe(
        'What becomes of the Secret. Owner: it goes with the SecretReference. Orphan: it stays. Merge: only the keys named here are written, into a Secret that others share and that consents by the annotation keyferry.io/merge: "true".',
      ),
  })
  .meta({
    description: 'The Secret that is kept equal.',
    ...checks({
      rule: 'self.type == oldSelf.type',
      messageExpression: `'type cannot change from ' + oldSelf.type + ' to ' + self.type + ': Kubernetes does not allow it for a Secret. Create another SecretReference with another target.name'`,
    }),
  });

export const secretReferenceSpecSchema = z
  .object({
    managerRef: managerRefSchema.prefault({}),
    refreshInterval: duration(
      "How often the managers are asked, for example 10m. Only slower than a manager's own pollInterval, which is the default.",
    ).optional(),
    data: map(dataEntrySchema, {
      description: "The Secret's keys, each with where its value comes from: password: {secret: db.password}.",
      maxProperties: 100,
      rules: secretKeys('password: {secret: db.password}'),
    }).optional(),
    dataFrom: list(dataFromEntrySchema, {
      description: 'Sources of several keys each. A key that comes from two places is an error.',
      maxItems: 20,
    }).optional(),
    template: templateSchema.optional(),
    target: targetSchema.prefault({}),
    rollout: rolloutSpecSchema.prefault({}),
    suspend: z
      .boolean()
      .default(false)
      .describe('Stops reading, writing and repairing the Secret, and rolling out its consumers.'),
  })
  .meta({
    description: 'What is wanted from managers, and the Secret it is wanted in.',
    ...checks({
      rule: '(has(self.data) && size(self.data) > 0) || (has(self.dataFrom) && size(self.dataFrom) > 0)',
      message:
        'say what the Secret holds: data: {password: {secret: db.password}} or dataFrom: [{extract: {secret: app/config}}]',
    }),
  });

const effectiveName = (object: string): string =>
  `(has(${object}.spec.target.name) ? ${object}.spec.target.name : ${object}.metadata.name)`;

/** Matches names of Secrets that Helm or the cluster itself would read. RE2. */
export const reservedSecretNameForm = '^(sh\\.helm\\.release\\.|bootstrap-token-)';

/** Rules that need the object's name: the target's name is its own by default. */
export const secretReferenceRules: readonly Rule[] = [
  {
    rule: `${effectiveName('self')} == ${effectiveName('oldSelf')}`,
    messageExpression: `'target.name cannot change: Secret ' + ${effectiveName('oldSelf')} + ' would be left behind. Create another SecretReference for Secret ' + ${effectiveName('self')}`,
  },
  {
    rule: `!${effectiveName('self')}.matches(${celString(reservedSecretNameForm)})`,
    messageExpression: `'Secret ' + ${effectiveName('self')} + ' would be read by Helm or by the cluster itself (sh.helm.release.*, bootstrap-token-*). Give another name: target: {name: api-db}'`,
  },
];

/** One version that the target holds. */
export const heldVersionSchema = z
  .object({
    manager: z.string().describe('The manager it comes from, kind/name.'),
    secret: z.string().describe("The secret's name in the manager."),
    requested: z.string().describe('What the spec asks for: latest, stage NAME or version ID.'),
    version: z.string().describe("The version's id."),
    identity: z
      .string()
      .describe('Tells the version from another one that has the same id after the secret was created again.'),
    keys: z.array(z.string()).describe('Keys that are made from it.'),
    since: z.string().meta({ format: 'date-time', description: 'Since when the target holds it.' }),
  })
  .describe('One version that the target holds.');

export const targetStatusSchema = z
  .object({
    name: z.string().describe("The Secret's name."),
    uid: z.string().describe("The Secret's uid. Another Secret of the same name is not touched."),
    resourceVersion: z
      .string()
      .describe(
        "The Secret's resourceVersion after the last look at its bytes: another one means that it may have drifted.",
      ),
    ownership: z.enum(['Owner', 'Orphan', 'Merge']).describe('The ownership that is in effect.'),
    inputs: z.string().describe('Hash of the recipe and the version identities that the target was made from.'),
    content: z
      .string()
      .optional()
      .describe('The content that the Secret names as its own. It stays where other inputs give equal bytes.'),
  })
  .describe('The Secret that was written last.');

export const secretReferenceStatusSchema = z
  .object({
    observedGeneration: z.int().optional().describe('The metadata.generation that the status was made from.'),
    conditions: conditionList(
      'Ready: the target holds what the spec wants. Stale: a manager could not be asked for a while. RolledOut: the consumers run it.',
    ),
    versions: z
      .array(heldVersionSchema)
      .meta({ description: 'The versions that the target really holds.', 'x-kubernetes-list-type': 'atomic' })
      .optional(),
    summary: z.string().optional().describe('The versions in short, for example db.password@3 (+2).'),
    target: targetStatusSchema.optional(),
    consumers: z
      .array(consumerSchema)
      .meta({
        description: 'The workloads that use the Secret, and what each is known to run.',
        'x-kubernetes-list-type': 'atomic',
      })
      .optional(),
    guard: guardSchema.optional(),
    held: heldSchema.optional(),
    lastChangeTime: z
      .string()
      .meta({ format: 'date-time', description: "When the target's content last changed." })
      .optional(),
    lastSyncRequest: z
      .string()
      .optional()
      .describe('The value of the annotation keyferry.io/sync that was last obeyed.'),
  })
  .describe('What the operator made of it. Only the operator writes it.');

export type ManagerRef = z.infer<typeof managerRefSchema>;
export type DataEntry = z.infer<typeof dataEntrySchema>;
export type DataFromEntry = z.infer<typeof dataFromEntrySchema>;
export type KeyStyle = z.infer<typeof keysSchema>;
export type SecretReferenceSpec = z.infer<typeof secretReferenceSpecSchema>;
export type SecretReferenceStatus = z.infer<typeof secretReferenceStatusSchema>;
export type HeldVersion = z.infer<typeof heldVersionSchema>;
export type TargetStatus = z.infer<typeof targetStatusSchema>;
