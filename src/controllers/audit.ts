/** What people and references do with secrets. */
export type AuditAction =
  | 'put'
  | 'rollback'
  | 'reject'
  | 'access'
  | 'sync'
  | 'reveal'
  | 'disable'
  | 'enable'
  | 'destroy'
  | 'expire'
  | 'create'
  | 'delete'
  | 'reseal';

/** One thing that was done with a secret. It never carries a value. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** Who: a user of the API server, or the operator for what it does by itself. */
  readonly user: string;
  readonly namespace: string;
  /** Object name of the VersionedSecret. */
  readonly secret: string;
  readonly version?: number | undefined;
  /** For whom: `SecretReference shop/api-db`, the fingerprint of a recipient. */
  readonly for?: string | undefined;
  readonly result: 'Allowed' | 'Denied' | 'Rejected' | 'Failed';
  /** Why: the reason that the user gave, or one word of ours. */
  readonly reason?: string | undefined;
}

/** The audit log: a stream of its own, apart from the operator's log. */
export interface AuditLog {
  /** Resolves once the record is handed to the stream; rejects where it can't be: then what it is about must not happen. */
  record(entry: AuditEntry): Promise<void>;
}
