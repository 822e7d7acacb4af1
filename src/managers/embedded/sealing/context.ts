/** Where a sealed value belongs. It stands inside the sealed text, so that it can't be moved elsewhere. */
export interface SealContext {
  /** uid of the cluster (of its namespace kube-system); empty where the secret says `sealing: Portable`. */
  readonly cluster: string;
  readonly namespace: string;
  /** Object name of the VersionedSecret. */
  readonly secret: string;
  /** uid of the VersionedSecret; empty where the secret says `sealing: Portable`. */
  readonly uid: string;
  readonly version: number;
  /** Name of the SecretType; empty where there is none. */
  readonly type: string;
}
