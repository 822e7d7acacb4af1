import type { Kind, PrinterColumn } from '../crd.ts';
import {
  clusterSecretManagers,
  secretManagers,
  secretReferences,
  secretReveals,
  secretTypeObjects,
  secretVersions,
  versionedSecrets,
} from './resources.ts';
import { clusterSecretManagerSpecSchema, managerStatusSchema, secretManagerSpecSchema } from './secret-manager.ts';
import { secretReferenceRules, secretReferenceSpecSchema, secretReferenceStatusSchema } from './secret-reference.ts';
import { secretRevealSpecSchema, secretRevealStatusSchema } from './secret-reveal.ts';
import { secretTypeSpecSchema, secretTypeStatusSchema } from './secret-type.ts';
import { secretVersionRules, secretVersionSpecSchema, secretVersionStatusSchema } from './secret-version.ts';
import { versionedSecretRules, versionedSecretSpecSchema, versionedSecretStatusSchema } from './versioned-secret.ts';

function conditionColumn(name: string, type: string, field: 'status' | 'reason', priority?: 1): PrinterColumn {
  const jsonPath = `.status.conditions[?(@.type=="${type}")].${field}`;
  return { name, type: 'string', jsonPath, ...(priority !== undefined && { priority }) };
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

export const secretReference: Kind = {
  resource: secretReferences,
  shortName: 'sref',
  description:
    'Keeps a Secret of its namespace equal to what secret managers hold: the latest version of each secret, or the one that is named.',
  spec: secretReferenceSpecSchema,
  status: secretReferenceStatusSchema,
  rules: secretReferenceRules,
  columns: [
    conditionColumn('Ready', 'Ready', 'status'),
    conditionColumn('Reason', 'Ready', 'reason'),
    conditionColumn('Stale', 'Stale', 'status'),
    { name: 'Versions', type: 'string', jsonPath: '.status.summary' },
    conditionColumn('Rollout', 'RolledOut', 'reason'),
    age,
    { name: 'Manager', type: 'string', jsonPath: '.spec.managerRef.name', priority: 1 },
    { name: 'Target', type: 'string', jsonPath: '.status.target.name', priority: 1 },
    { name: 'Changed', type: 'date', jsonPath: '.status.lastChangeTime', priority: 1 },
  ],
};

const managerColumns: readonly PrinterColumn[] = [
  { name: 'Backend', type: 'string', jsonPath: '.status.backend' },
  conditionColumn('Ready', 'Ready', 'status'),
  conditionColumn('Reason', 'Ready', 'reason'),
  { name: 'Secrets', type: 'integer', jsonPath: '.status.secretsInUse' },
  { name: 'References', type: 'integer', jsonPath: '.status.referencesInUse' },
  age,
];

export const secretManager: Kind = {
  resource: secretManagers,
  shortName: 'smgr',
  description:
    'A place that keeps versioned secrets, for the references of its namespace, with credentials of its own.',
  spec: secretManagerSpecSchema,
  status: managerStatusSchema,
  columns: managerColumns,
};

export const clusterSecretManager: Kind = {
  resource: clusterSecretManagers,
  shortName: 'csmgr',
  description:
    'A place that keeps versioned secrets, for the references of every namespace that its access rules name.',
  spec: clusterSecretManagerSpecSchema,
  status: managerStatusSchema,
  columns: managerColumns,
};

const versionedSecret: Kind = {
  resource: versionedSecrets,
  shortName: 'vsec',
  description:
    'A secret with versions, kept in the cluster. Putting a value makes a new version, which references to latest get.',
  spec: versionedSecretSpecSchema,
  status: versionedSecretStatusSchema,
  rules: versionedSecretRules,
  columns: [
    { name: 'Secret', type: 'string', jsonPath: '.status.name' },
    conditionColumn('Ready', 'Ready', 'status'),
    conditionColumn('Reason', 'Ready', 'reason'),
    { name: 'Latest', type: 'integer', jsonPath: '.status.latest' },
    { name: 'Users', type: 'integer', jsonPath: '.status.users' },
    age,
    { name: 'Type', type: 'string', jsonPath: '.spec.type', priority: 1 },
    conditionColumn('Rotation-Due', 'RotationDue', 'status', 1),
    { name: 'Description', type: 'string', jsonPath: '.spec.description', priority: 1 },
  ],
};

const secretVersion: Kind = {
  resource: secretVersions,
  shortName: 'sver',
  description: 'One version of a VersionedSecret, sealed to the key of the operator. It cannot change.',
  spec: secretVersionSpecSchema,
  status: secretVersionStatusSchema,
  rules: secretVersionRules,
  columns: [
    { name: 'Secret', type: 'string', jsonPath: '.spec.secret' },
    { name: 'Version', type: 'integer', jsonPath: '.spec.version' },
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason' },
    { name: 'By', type: 'string', jsonPath: '.spec.createdBy' },
    age,
  ],
};

const secretReveal: Kind = {
  resource: secretReveals,
  shortName: 'srev',
  description: 'A request to see one value, made by keyferry reveal. It is answered once and gone after a minute.',
  spec: secretRevealSpecSchema,
  status: secretRevealStatusSchema,
  columns: [
    { name: 'Secret', type: 'string', jsonPath: '.spec.secret' },
    { name: 'By', type: 'string', jsonPath: '.spec.requestedBy' },
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason' },
    age,
  ],
};

const secretType: Kind = {
  resource: secretTypeObjects,
  shortName: 'stype',
  description: 'What the values of secrets must look like: a schema that every value put is checked against.',
  spec: secretTypeSpecSchema,
  status: secretTypeStatusSchema,
  columns: [
    { name: 'Name', type: 'string', jsonPath: '.spec.displayName' },
    { name: 'Secret-Type', type: 'string', jsonPath: '.spec.secretType' },
    age,
  ],
};

/** Every kind of the API. */
export const kinds: readonly Kind[] = [
  secretReference,
  secretManager,
  clusterSecretManager,
  versionedSecret,
  secretVersion,
  secretReveal,
  secretType,
];
