// Every movement of tokens, newest first, in words.
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { LedgerRow } from '../../api';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { Notice } from '../../components/notice';
import { RollingNumber } from '../../components/rolling-number';
import { useTitle } from '../../components/use-title';
import { explainError, word } from '../../i18n/coded';
import { useFormat } from '../../i18n/format';
import { useAccount, useLedger } from '../../queries';
import { spendableChange } from './movements';

export function BalancePage() {
  const { t } = useTranslation();
  useTitle(t('balance.title'));
  return (
    <main id="content" tabIndex={-1} className="mx-auto w-full max-w-3xl px-4 py-6 outline-none sm:px-6 lg:py-10">
      <Link
        href="/"
        className="inline-flex min-h-11 items-center gap-1.5 text-sm font-medium text-muted hover:text-text"
      >
        <Icon name="left" className="size-4" /> {t('app.back')}
      </Link>
      <h1 className="mt-2 text-2xl font-semibold">{t('balance.title')}</h1>
      <Totals />
      <h2 className="mt-10 mb-3 text-lg font-semibold">{t('balance.ledger')}</h2>
      <Ledger />
    </main>
  );
}

function Totals() {
  const { t } = useTranslation();
  const { number } = useFormat();
  const { data: account } = useAccount();
  const totals = [
    { name: t('balance.available'), tokens: account?.available_tokens, look: 'text-mint-text' },
    { name: t('balance.held'), tokens: account?.held_tokens, look: '' },
  ];
  return (
    <dl className="mt-5 grid grid-cols-2 gap-3">
      {totals.map(({ name, tokens, look }) => (
        <div
          key={name}
          className="flex flex-col-reverse justify-end rounded-2xl border border-line bg-panel p-4 sm:p-5"
        >
          <dt className="text-sm text-muted">{name}</dt>
          <dd className={`text-2xl font-semibold sm:text-4xl ${look}`}>
            {tokens === undefined ? '…' : <RollingNumber value={tokens} format={number} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Ledger() {
  const { t } = useTranslation();
  const ledger = useLedger();
  const rows = ledger.data?.pages.flatMap((page) => page.data) ?? [];
  if (ledger.isPending) return <div className="h-64 animate-breathe rounded-2xl bg-panel" />;
  if (ledger.isError && rows.length === 0) {
    const { what, todo } = explainError(t, ledger.error);
    return (
      <Notice
        look="bad"
        role="alert"
        title={`${t('balance.failed')} ${what}`}
        actions={<Button onClick={() => void ledger.refetch()}>{t('app.retry')}</Button>}
      >
        {todo}
      </Notice>
    );
  }
  if (rows.length === 0)
    return (
      <p className="rounded-2xl border border-dashed border-line p-8 text-center text-muted">{t('balance.empty')}</p>
    );
  return (
    <>
      <ol className="divide-y divide-line overflow-hidden rounded-2xl border border-line bg-panel">
        {rows.map((row) => (
          <Row key={row.id} row={row} />
        ))}
      </ol>
      <div className="mt-4 text-center">
        {ledger.hasNextPage ? (
          <Button onClick={() => void ledger.fetchNextPage()} isDisabled={ledger.isFetchingNextPage}>
            {ledger.isFetchingNextPage ? t('balance.loadingMore') : t('balance.more')}
          </Button>
        ) : (
          <p className="text-sm text-muted">{t('balance.end')}</p>
        )}
      </div>
    </>
  );
}

function Row({ row }: { row: LedgerRow }) {
  const { t } = useTranslation();
  const { date, number, signed } = useFormat();
  const change = spendableChange(row);
  const look = change > 0 ? 'text-mint-text' : change < 0 ? '' : 'text-muted';
  return (
    <li id={row.id} className="flex items-center gap-4 px-4 py-3.5 target:bg-mint-wash sm:px-5">
      <div className="min-w-0 flex-1">
        <p className="font-medium">{word(t, 'ledgerKinds', row.kind) ?? t('ledgerKinds.other')}</p>
        <p className="mt-0.5 flex flex-wrap gap-x-3 text-sm text-muted">
          <time dateTime={new Date(row.created_at * 1000).toISOString()}>{date(row.created_at)}</time>
          {row.job_id !== null && (
            <Link href={`/jobs/${row.job_id}`} className="text-mint-text underline-offset-4 hover:underline">
              {t('balance.openJob')}
            </Link>
          )}
        </p>
      </div>
      <p className={`nums shrink-0 text-right text-lg font-semibold ${look}`}>
        {change === 0 ? number(row.tokens) : signed(change)}
        {/* A capture spends what was held before: it is told, but it does not change what can be spent. */}
        {change === 0 && row.tokens > 0 && <span className="block text-2xs font-normal">{t('balance.fromHeld')}</span>}
      </p>
    </li>
  );
}
