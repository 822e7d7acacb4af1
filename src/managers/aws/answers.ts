import { z } from 'zod';
import { ManagerError } from '../errors.ts';
import type { AccessResult } from '../manager.ts';
import { SecretValue } from '../secret-value.ts';
import type { Parties } from './fault.ts';
import { identityOf } from './names.ts';

// The SDK's types promise what no one checks: a proxy or a test server may answer anything.
const text = z.string().min(1);
const token = z.string().nullish();

export const valueSchema = z.object({
  ARN: text,
  Name: text,
  VersionId: text,
  SecretString: z.string().optional(),
  SecretBinary: z.instanceof(Uint8Array).optional(),
});
export type AnsweredValue = z.infer<typeof valueSchema>;

export const batchSchema = z.object({
  SecretValues: z.array(valueSchema).nullish(),
  Errors: z.array(z.object({ SecretId: text, ErrorCode: text, Message: z.string().nullish() })).nullish(),
  NextToken: token,
});
export type AnsweredError = NonNullable<z.infer<typeof batchSchema>['Errors']>[number];

const tags = z.array(z.object({ Key: z.string(), Value: z.string().nullish() })).nullish();

const stages = z.record(z.string(), z.array(z.string())).nullish();

export const secretSchema = z.object({
  ARN: text,
  Name: text,
  DeletedDate: z.date().nullish(),
  Tags: tags,
  VersionIdsToStages: stages,
  Description: z.string().nullish(),
  CreatedDate: z.date().nullish(),
  LastChangedDate: z.date().nullish(),
  KmsKeyId: z.string().nullish(),
  OwningService: z.string().nullish(),
  // What a listing calls VersionIdsToStages.
  SecretVersionsToStages: stages,
});
export type AnsweredSecret = z.infer<typeof secretSchema>;

export const secretPageSchema = z.object({ SecretList: z.array(secretSchema), NextToken: token });

export const versionPageSchema = z.object({
  Versions: z.array(
    z.object({
      VersionId: text,
      VersionStages: z.array(z.string()).nullish(),
      CreatedDate: z.date().nullish(),
    }),
  ),
  NextToken: token,
});
export type AnsweredVersion = z.infer<typeof versionPageSchema>['Versions'][number];

export const putSchema = z.object({ VersionId: text });
export const callerSchema = z.object({ Arn: text });

/** The error for an answer without what every answer of AWS has. */
export function incomplete(parties: Parties): ManagerError {
  return new ManagerError('ManagerUnavailable', `${parties.service} gave an incomplete answer`);
}

/** The version that a checked answer holds. */
export function accessedVersion(secret: string, answer: AnsweredValue, parties: Parties): AccessResult {
  const { SecretString: string, SecretBinary: binary, VersionId: version } = answer;
  if ((string === undefined) === (binary === undefined)) return incomplete(parties);
  const value =
    string === undefined ? SecretValue.fromBytes(binary ?? new Uint8Array()) : SecretValue.fromString(string);
  if (string !== undefined && !string.isWellFormed()) {
    return new ManagerError(
      'InvalidValue',
      `version ${version} of secret ${secret} is not valid text: put it as binary`,
    );
  }
  if (value.size === 0) {
    return new ManagerError('InvalidValue', `version ${version} of secret ${secret} is empty: put a value`);
  }
  return { version, identity: identityOf(version, answer.ARN), value };
}

export function tagsOf(answer: AnsweredSecret): ReadonlyMap<string, string> {
  return new Map((answer.Tags ?? []).map((tag) => [tag.Key, tag.Value ?? '']));
}
