// The last ten jobs with their pictures: the way back to any of them.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Job } from '../../api';
import { Button } from '../../components/button';
import { Icon, type IconName } from '../../components/icon';
import { Mark } from '../../components/mark';
import { isOver, rereadRecentJobs, useRecentJobs } from '../../queries';

const ENDED: Partial<Record<Job['status'], IconName>> = { failed: 'warn', cancelled: 'stop' };

export function History({ openId }: { openId: string | null }) {
  const { t } = useTranslation();
  const { data, isError, refetch } = useRecentJobs();
  const jobs = data?.value;
  return (
    <section aria-label={t('history.title')} className="mt-8">
      <h2 className="mb-3 text-sm font-semibold text-muted">{t('history.title')}</h2>
      {jobs === undefined && isError && (
        <p className="flex items-center gap-3 text-sm text-muted">
          {t('history.failed')}
          <Button size="sm" onClick={() => void refetch()}>
            {t('app.retry')}
          </Button>
        </p>
      )}
      {jobs?.length === 0 && <p className="text-sm text-muted">{t('history.empty')}</p>}
      {jobs !== undefined && jobs.length > 0 && (
        <ul className="scroll-quiet -mx-1 flex gap-2.5 overflow-x-auto px-1 py-1 lg:grid lg:grid-cols-5 lg:overflow-visible">
          {jobs.map((job) => (
            <li key={job.id} className="w-36 shrink-0 lg:w-auto">
              <Card job={job} isOpen={job.id === openId} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Card({ job, isOpen }: { job: Job; isOpen: boolean }) {
  const { t } = useTranslation();
  const status = t(`job.${job.status}`);
  return (
    <Link
      href={`/jobs/${job.id}`}
      aria-label={t('history.open', { status, prompt: job.prompt })}
      aria-current={isOpen ? 'page' : undefined}
      className="group relative block aspect-[16/10] overflow-hidden rounded-xl border border-line bg-raised aria-[current]:border-mint aria-[current]:ring-2 aria-[current]:ring-mint"
    >
      <Picture job={job} />
      <span className="absolute inset-x-0 bottom-0 bg-linear-to-t from-black/85 via-black/55 to-transparent px-2 pt-6 pb-1.5 text-2xs text-white">
        <span className="line-clamp-1">{job.status === 'succeeded' ? job.prompt : status}</span>
      </span>
    </Link>
  );
}

function Picture({ job }: { job: Job }) {
  const queries = useQueryClient();
  const [broken, setBroken] = useState<string | null>(null);
  const thumbnail = job.result?.thumbnail_url ?? null;
  if (thumbnail !== null && thumbnail !== broken) {
    const fail = () => {
      // Signed addresses run out: the first time, ask for new ones; if those fail too, the icon stays.
      if (broken === null) rereadRecentJobs(queries);
      setBroken(thumbnail);
    };
    return <img src={thumbnail} alt="" loading="lazy" onError={fail} className="size-full object-cover transition-transform duration-500 group-hover:scale-105" />;
  }
  const ended = ENDED[job.status];
  return (
    <span className="grid size-full place-items-center pb-4 text-muted">
      {isOver(job) ? <Icon name={ended ?? job.kind} className="size-6" /> : <Mark className="size-8 animate-turn text-mint-text [animation-duration:4s]" />}
    </span>
  );
}
