// What was asked for, and the receipt.
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Job, Result } from '../../api';
import { word } from '../../i18n/coded';
import { useFormat } from '../../i18n/format';
import { useModels } from '../../queries';
import { receiptReason } from './stages';

interface Props {
  job: Job;
  /** The result that is on the screen. */
  shown: Result | null;
}

export function JobDetails({ job, shown }: Props) {
  const { t } = useTranslation();
  return (
    <div className="grid gap-4 border-t border-line pt-5 xl:grid-cols-[1fr_18rem] xl:gap-8">
      <div>
        {job.prompt !== '' && (
          <>
            <h3 className="text-xs text-muted">{t('job.prompt')}</h3>
            <p className="mt-1 max-w-[70ch] whitespace-pre-wrap">{job.prompt}</p>
          </>
        )}
        <Facts job={job} shown={shown} />
      </div>
      <ReceiptCard job={job} />
    </div>
  );
}

function Facts({ job, shown }: Props) {
  const { t } = useTranslation();
  const { dateShort, size } = useFormat();
  const models = useModels();
  const { settings } = job;
  const facts = [
    models.data?.find((model) => model.id === job.model)?.name ?? job.model,
    settings.duration_seconds !== null && t('form.seconds', { count: settings.duration_seconds }),
    settings.resolution,
    settings.aspect_ratio,
    settings.audio && t('form.audio'),
    shown !== null && `${shown.width} × ${shown.height}`,
    shown !== null && size(shown.size_bytes),
    dateShort(job.created_at),
  ].filter((fact) => typeof fact === 'string');
  return (
    <>
      {settings.negative_prompt !== null && settings.negative_prompt !== '' && (
        <p className="mt-2 text-sm text-muted">
          {t('form.negative')}: {settings.negative_prompt}
        </p>
      )}
      <ul aria-label={t('job.details')} className="nums mt-3 flex flex-wrap gap-1.5">
        {facts.map((fact) => (
          <li key={fact} className="rounded-md bg-raised px-2 py-1 text-xs text-muted">
            {fact}
          </li>
        ))}
      </ul>
    </>
  );
}

function ReceiptCard({ job }: { job: Job }) {
  const { t } = useTranslation();
  const { number } = useFormat();
  const { receipt } = job;
  const lastRow = receipt.ledger_ids.at(-1);
  const lines = [
    { name: t('receipt.held'), tokens: receipt.held_tokens },
    { name: t('receipt.charged'), tokens: receipt.charged_tokens },
    { name: t('receipt.returned'), tokens: receipt.returned_tokens },
  ];
  return (
    <section aria-label={t('receipt.title')} className="rounded-2xl border border-line bg-panel p-4">
      <h3 className="text-sm font-semibold">{t('receipt.title')}</h3>
      <dl className="nums mt-2 text-sm">
        {lines.map(({ name, tokens }) => (
          <div key={name} className="flex items-baseline gap-2 py-1">
            <dt className="text-muted">{name}</dt>
            <span aria-hidden="true" className="flex-1 border-b border-dotted border-edge/60" />
            <dd className="font-semibold">{number(tokens)}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-2 text-xs text-muted">{word(t, 'reasons', receiptReason(job)) ?? t('reasons.other')}</p>
      {lastRow !== undefined && (
        <Link
          href={`/balance#${lastRow}`}
          className="mt-2 inline-block py-1 text-xs font-medium text-mint-text underline-offset-4 hover:underline"
        >
          {t('receipt.link')}
        </Link>
      )}
    </section>
  );
}
