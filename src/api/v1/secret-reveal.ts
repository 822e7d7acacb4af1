import { z } from 'zod';
import { checks, line, list, objectName, text } from './parts.ts';
import { agePublicKey } from './secret-version.ts';
import { versionNumber } from './versioned-secret.ts';

/** Reasons why a reveal is refused. */
export const revealReasons = [
  'Answered',
  'NotAllowed',
  'WriteOnly',
  'SecretNotFound',
  'NoVersion',
  'VersionNotFound',
  'VersionDisabled',
  'PolicyMissing',
  'TooLate',
  'InvalidRecipient',
  'ManagerUnavailable',
] as const;
export type RevealReason = (typeof revealReasons)[number];

export const secretRevealSpecSchema = z
  .object({
    secret: objectName('Object name of the VersionedSecret.').meta({ maxLength: 240 }),
    version: versionNumber.optional(),
    reason: line('Why the value is needed: it stands in the audit log.', 256),
    recipient: agePublicKey("The reader's own key for this one reveal: the value is sealed to it."),
    requestedBy: text({
      description: 'Who asks: the name that the API server knows the writer by.',
      maxLength: 512,
    }),
    requestedByGroups: list(text({ description: 'A group.', maxLength: 512 }), {
      description: 'Groups of the writer that its right to access comes from.',
      maxItems: 100,
    }).optional(),
  })
  .meta({
    description:
      'Asks for one value, once: the operator seals it to the given key, notes who asked, and deletes the request after a minute.',
    ...checks({ rule: 'self == oldSelf', message: 'a reveal cannot change: ask again by keyferry reveal' }),
  });

export const secretRevealStatusSchema = z
  .object({
    state: z.enum(['Answered', 'Refused']).optional().describe('What the operator made of it.'),
    reason: z.string().optional().describe('Why, as one word for programs.'),
    message: z.string().optional().describe('Why, and what to do, as a sentence for people.'),
    version: z.int().optional().describe('The version that was revealed.'),
    data: z.string().optional().describe('The value, sealed to the recipient (age), in base64.'),
  })
  .describe('What the operator made of it. Only the operator writes it.');

export type SecretRevealSpec = z.infer<typeof secretRevealSpecSchema>;
export type SecretRevealStatus = z.infer<typeof secretRevealStatusSchema>;
