import { z } from 'zod';
import { conditionList } from './conditions.ts';
import { embeddedNameForm, maxSecretNameLength } from './embedded-name.ts';
import { celString, checks, line, list, objectName, type Rule, text } from './parts.ts';

/** Reasons of the condition `Ready` of a VersionedSecret. */
export const secretReadyReasons = ['Available', 'Empty', 'VersionDisabled', 'NameMismatch', 'LimitExceeded'] as const;
export type SecretReadyReason = (typeof secretReadyReasons)[number];

const dayForm = '^[1-9][0-9]{0,4}(d|h|m|s)$';

/** The number of a version. */
export const versionNumber = z
  .int()
  .meta({ minimum: 1, maximum: 999_999_999, description: 'Number of a version: they count up and never come back.' });

export const versionedSecretSpecSchema = z
  .object({
    name: text({
      description:
        "The secret's name as people write it, for example app/config or DATABASE_PASSWORD. By default the object's name. Case makes no difference. Cannot change.",
      maxLength: maxSecretNameLength,
      rules: [
        {
          rule: `self.matches(${celString(embeddedNameForm)})`,
          message:
            'may have letters, digits, space and . _ / - only, with no space at its ends, for example db.password',
        },
      ],
    }).optional(),
    type: objectName('Name of the SecretType that values must meet. A change judges the next value put.').optional(),
    description: line('What it is for, for people.', 1024).optional(),
    writeOnly: z
      .boolean()
      .default(false)
      .describe('Refuses every reveal, for good: only references get the value. Cannot be taken back.'),
    deletionProtection: z
      .boolean()
      .default(true)
      .describe('Refuses that the secret is deleted while references use it.'),
    rotateAfter: text({
      description:
        'Age of the latest version after which the condition RotationDue says so, for example 90d. Nothing is rotated by itself.',
      maxLength: 10,
      rules: [
        {
          rule: `self.matches(${celString(dayForm)})`,
          message: 'must be a number with d, h, m or s, for example 90d',
        },
      ],
    }).optional(),
    sealing: z
      .enum(['Bound', 'Portable'])
      .default('Bound')
      .describe(
        'Bound: a sealed value works in this object only. Portable: it works under this name in every cluster that has the key, for git and for backups. Cannot change.',
      ),
    disabledVersions: list(versionNumber, {
      description: 'Versions that nobody gets any more. They stay and can be enabled again. Not the latest.',
      maxItems: 200,
    }).optional(),
  })
  .meta({
    description: 'A secret with versions. Its values are SecretVersions, sealed.',
    ...checks(
      {
        rule: '!(oldSelf.writeOnly && !self.writeOnly)',
        message: 'writeOnly cannot be taken back: create another secret under another name and put a new value there',
      },
      {
        rule: 'self.sealing == oldSelf.sealing',
        message: 'sealing cannot change: create another secret under another name',
      },
      {
        rule: "!(self.writeOnly && self.sealing == 'Portable')",
        message: 'a portable value can be opened wherever the key is, so writeOnly needs sealing: Bound',
      },
    ),
  });

/** Rules that need the object's name. */
export const versionedSecretRules: readonly Rule[] = [
  {
    rule: '(has(self.spec.name) ? self.spec.name : self.metadata.name) == (has(oldSelf.spec.name) ? oldSelf.spec.name : oldSelf.metadata.name)',
    message: 'spec.name cannot change: create another secret, put its value there, and point the references at it',
  },
  {
    rule: 'self.metadata.name.size() <= 240',
    message:
      'metadata.name may have at most 240 characters: create the secret by keyferry put --create, which chooses it',
  },
];

const state = z.enum(['Enabled', 'Disabled']);

export const storedVersionSchema = z
  .object({
    version: versionNumber,
    state: state.describe('Disabled: nobody gets it.'),
    uid: z.string().describe('uid of its SecretVersion.'),
    key: z.string().describe('The public key of the sealed form that was accepted.'),
    digest: z.string().describe('SHA-256 of that sealed form (never of the value): other bytes are not taken for it.'),
    type: z.string().optional().describe('The SecretType that it met.'),
    createdBy: z.string().optional().describe('Who put it.'),
    createdAt: z.string().meta({ format: 'date-time', description: 'When it was put.' }),
    from: z.int().optional().describe('The version that it repeats: a rollback.'),
  })
  .describe('A version that was accepted.');

export const rejectionSchema = z
  .object({
    version: versionNumber,
    uid: z.string().optional().describe('uid of the SecretVersion that was refused.'),
    reason: z.string().describe('Why, as one word for programs.'),
    message: z.string().describe('Why, and what to do, as a sentence for people.'),
    createdBy: z.string().optional().describe('Who put it.'),
    time: z.string().meta({ format: 'date-time', description: 'When it was refused.' }),
  })
  .describe('A version that was refused.');

export const secretUserSchema = z
  .object({
    reference: z.string().describe('Name of the SecretReference.'),
    versions: z.array(z.int()).describe('The versions that its Secret holds.'),
    pinned: z.boolean().describe('Whether it names a version instead of latest.'),
    consumers: z
      .array(z.string())
      .describe(
        'The workloads that use its Secret, with what they run: Deployment/api@3; Deployment/api@2->3 while pods with 2 may be left.',
      ),
  })
  .describe('A reference of the same namespace that uses the secret.');

export const auditRecordSchema = z
  .object({
    time: z.string().meta({ format: 'date-time', description: 'When.' }),
    action: z.string().describe('put, access, reveal, sync, reject, disable, enable, destroy, delete, ...'),
    user: z.string().describe('Who.'),
    version: z.int().optional().describe('Which version.'),
    for: z.string().optional().describe('For whom: a reference, a recipient.'),
    result: z.string().describe('Allowed, Denied, Rejected, ...'),
    reason: z.string().optional().describe('Why, in the words of the user or as one word of ours.'),
  })
  .describe('Something that was done with the secret.');

export const versionedSecretStatusSchema = z
  .object({
    observedGeneration: z.int().optional().describe('The metadata.generation that the status was made from.'),
    conditions: conditionList(
      'Ready: it has a version that references get. RotationDue: the latest version is older than rotateAfter.',
    ),
    name: z.string().optional().describe('Its name as it is written: spec.name, else that of the object.'),
    latest: z.int().optional().describe('The version that references to latest get.'),
    previous: z.int().optional().describe('The enabled version before latest: stage previous.'),
    lastVersion: z.int().optional().describe('The highest number ever used. The next version is above it.'),
    gone: z
      .string()
      .optional()
      .describe('Numbers that were used and are gone (destroyed, expired, refused): 1-4,7. They never come back.'),
    versions: z
      .array(storedVersionSchema)
      .meta({ description: 'The versions there are, newest first.', 'x-kubernetes-list-type': 'atomic' })
      .optional(),
    rejected: z
      .array(rejectionSchema)
      .meta({
        description: 'The last versions that were refused, newest first.',
        'x-kubernetes-list-type': 'atomic',
      })
      .optional(),
    usedBy: z
      .array(secretUserSchema)
      .meta({
        description: 'The references of this namespace that use it, at most 100.',
        'x-kubernetes-list-type': 'atomic',
      })
      .optional(),
    users: z.int().optional().describe('How many references use it, those of other namespaces included.'),
    audit: z
      .array(auditRecordSchema)
      .meta({ description: 'What was last done with it, newest first.', 'x-kubernetes-list-type': 'atomic' })
      .optional(),
  })
  .describe('What the operator made of it. Only the operator writes it.');

export type VersionedSecretSpec = z.infer<typeof versionedSecretSpecSchema>;
export type VersionedSecretStatus = z.infer<typeof versionedSecretStatusSchema>;
export type StoredVersion = z.infer<typeof storedVersionSchema>;
export type Rejection = z.infer<typeof rejectionSchema>;
export type SecretUser = z.infer<typeof secretUserSchema>;
export type AuditRecord = z.infer<typeof auditRecordSchema>;
