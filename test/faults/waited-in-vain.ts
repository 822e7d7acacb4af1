/** What a run waited for did not come; it is written down already. */
export class WaitedInVain extends Error {
  override readonly name = 'WaitedInVain';
}
