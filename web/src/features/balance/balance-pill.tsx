// The balance in the header: what can be spent, what is held, and the way to every movement.
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Mark } from '../../components/mark';
import { RollingNumber } from '../../components/rolling-number';
import { useFormat } from '../../i18n/format';
import { useAccount } from '../../queries';

export function BalancePill() {
  const { t } = useTranslation();
  const { number } = useFormat();
  const { data: account } = useAccount();
  if (account === undefined) return <span className="h-11 w-24 animate-breathe rounded-full bg-raised" />;
  const { available_tokens: available, held_tokens: held } = account;
  const spoken = [
    t('tokens.balance', { count: available }),
    ...(held > 0 ? [t('tokens.held', { count: held })] : []),
  ].join(', ');
  return (
    <Link
      href="/balance"
      aria-label={spoken}
      className="flex h-11 items-center gap-2 rounded-full bg-raised pr-4 pl-3 whitespace-nowrap transition-colors hover:bg-line"
    >
      <Mark className={`size-5 text-mint-text ${held > 0 ? 'max-sm:hidden' : ''}`} />
      <span className="text-base font-semibold">
        <RollingNumber value={available} format={number} />
      </span>
      {held > 0 && (
        <span className="border-l border-edge/50 pl-2 text-xs text-muted">
          <span className="sm:hidden">−{number(held)}</span>
          <span className="hidden sm:inline">{t('tokens.held', { count: held })}</span>
        </span>
      )}
    </Link>
  );
}
