// What a ledger row does to the tokens that a person can spend.
import type { LedgerRow } from '../../api';

const SPENDABLE = 'available';

/** Plus what came in, minus what went out, zero for what was held already. */
export function spendableChange(row: LedgerRow): number {
  if (row.credit === SPENDABLE) return row.tokens;
  if (row.debit === SPENDABLE) return -row.tokens;
  return 0;
}
