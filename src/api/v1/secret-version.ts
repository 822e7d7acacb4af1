import { z } from 'zod';
import { celString, checks, list, objectName, type Rule, text } from './parts.ts';
import { versionNumber } from './versioned-secret.ts';

/** Why a version does not serve (yet): reasons in the status of a SecretVersion and in `rejected` of its secret. */
export const versionReasons = [
  'Accepted',
  // Not decided yet.
  'SecretMissing',
  'TypeMissing',
  'PolicyMissing',
  'SealingKeyMissing',
  // Refused for good.
  'NotAllowed',
  'VersionReused',
  'NumberTooHigh',
  'InvalidSeal',
  'WrongPlace',
  'InvalidValue',
  'LimitExceeded',
  'SourceMissing',
] as const;
export type VersionReason = (typeof versionReasons)[number];

const publicKeyForm = '^age1[02-9ac-hj-np-z]{58}$';

/** The public half of an X25519 key as age writes it. */
export function agePublicKey(description: string): z.ZodString {
  return text({
    description,
    maxLength: 62,
    rules: [
      {
        rule: `self.matches(${celString(publicKeyForm)})`,
        message: 'must be the public half of one age key: age1 and 58 more characters',
      },
    ],
  });
}

const sealedSchema = z.object({
  key: agePublicKey('The public key that it is sealed to.'),
  data: text({
    description: 'The sealed value (age, one recipient) in base64.',
    // The largest value that a manager may allow (512 KiB), padded, sealed and in base64. A longer form would cost the rule too much.
    maxLength: 800_000,
    rules: [{ rule: "self.matches('^[\\\\w+/]+=*$')", message: 'must be base64 of one line: use keyferry seal' }],
  }),
});

export const secretVersionSpecSchema = z
  .object({
    secret: objectName('Object name of the VersionedSecret.').meta({ maxLength: 240 }),
    version: versionNumber,
    sealed: z
      .array(sealedSchema)
      .meta({
        description: 'The value, sealed once for each cluster whose key it was sealed to.',
        maxItems: 8,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['key'],
      })
      .optional(),
    from: z
      .object({ version: versionNumber })
      .describe('Instead of a value: repeats the value of an earlier version. The operator then seals it for this one.')
      .optional(),
    createdBy: text({
      description: 'Who puts it: the name that the API server knows the writer by. Service accounts may leave it out.',
      maxLength: 512,
    }).optional(),
    createdByGroups: list(text({ description: 'A group.', maxLength: 512 }), {
      description: 'Groups of the writer that its right to put comes from.',
      maxItems: 100,
    }).optional(),
  })
  .meta({
    description: 'One version of a secret. It cannot change.',
    ...checks(
      {
        rule: 'has(self.from) || (has(self.sealed) && size(self.sealed) > 0)',
        message: 'give a sealed value, or from: {version: 2}. Values are sealed by keyferry put or keyferry seal',
      },
      {
        rule: '!has(self.from) || self.from.version < self.version',
        message: 'from.version must be an earlier version',
      },
      {
        rule: 'self.secret == oldSelf.secret && self.version == oldSelf.version && has(self.from) == has(oldSelf.from) && (!has(self.from) || self.from == oldSelf.from) && has(self.createdBy) == has(oldSelf.createdBy) && (!has(self.createdBy) || self.createdBy == oldSelf.createdBy) && has(self.createdByGroups) == has(oldSelf.createdByGroups) && (!has(self.createdByGroups) || self.createdByGroups == oldSelf.createdByGroups)',
        message: 'a version cannot change: put a new one',
      },
    ),
  });

const numberInName = 'self.metadata.name.substring(size(self.spec.secret) + 1)';

/** Rules that need the object's name. What `string(self.spec.version)` costs has no bound that the API server knows of. */
export const secretVersionRules: readonly Rule[] = [
  {
    rule: `self.metadata.name.startsWith(self.spec.secret + '-') && ${numberInName}.matches('^[1-9][0-9]{0,8}$') && int(${numberInName}) == self.spec.version`,
    messageExpression: `'metadata.name must be ' + self.spec.secret + '-N, where N is spec.version'`,
  },
];

export const secretVersionStatusSchema = z
  .object({
    state: z.enum(['Pending', 'Accepted', 'Rejected']).optional().describe('What the operator made of it.'),
    reason: z.string().optional().describe('Why, as one word for programs.'),
    message: z.string().optional().describe('Why, and what to do, as a sentence for people.'),
    users: z.int().optional().describe('How many references hold it: it cannot be destroyed meanwhile.'),
  })
  .describe('What the operator made of it. Only the operator writes it.');

export type SecretVersionSpec = z.infer<typeof secretVersionSpecSchema>;
export type SecretVersionStatus = z.infer<typeof secretVersionStatusSchema>;
