// The reel: the last ten jobs with their pictures, and news of those that end while something else is on the stage.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { Job } from '../../api';
import { Button } from '../../components/button';
import { Icon, type IconName } from '../../components/icon';
import { Mark } from '../../components/mark';
import { say } from '../../components/say';
import { isOver, rereadRecentJobs, useRecentJobs } from '../../queries';
import { useSubject } from '../../subject';

const SUBJECT_CHARS_MAX = 60;

const ENDED: Partial<Record<Job['status'], IconName>> = { failed: 'warn', cancelled: 'stop' };

export function History({ openId }: { openId: string | null }) {
  const { t } = useTranslation();
  const { data, isError, refetch } = useRecentJobs();
  const jobs = data?.value;
  useNews(jobs, openId);
  return (
    <section
      aria-label={t('history.title')}
      className="border-line px-4 pt-2 pb-8 sm:px-6 lg:flex lg:items-center lg:gap-4 lg:border-t lg:bg-panel lg:px-8 lg:py-2.5"
    >
      <h2 className="mb-2 text-sm font-semibold text-muted lg:sr-only">{t('history.title')}</h2>
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
        // A list that scrolls must be reachable by keyboard; its links are.
        <ul className="scroll-quiet -mx-1 flex gap-2.5 overflow-x-auto px-1 py-1">
          {jobs.map((job) => (
            <li key={job.id} className="w-32 shrink-0">
              <Card job={job} isOpen={job.id === openId} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Tells somebody who looks at something else that a job is done. A job that was over when it was first seen needs no telling. */
function useNews(jobs: readonly Job[] | undefined, openId: string | null): void {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const subjectOf = useSubject();
  const seen = useRef(new Map<string, Job['status']>());
  useEffect(() => {
    for (const job of jobs ?? []) {
      const before = seen.current.get(job.id);
      seen.current.set(job.id, job.status);
      if (before === undefined || before === job.status || job.id === openId) continue;
      const action = { label: t('job.open'), onClick: () => navigate(`/jobs/${job.id}`) };
      const whole = subjectOf(job);
      const subject = whole.length > SUBJECT_CHARS_MAX ? `${whole.slice(0, SUBJECT_CHARS_MAX)}…` : whole;
      const back = t('job.tokensBack', { count: job.receipt.returned_tokens });
      if (job.status === 'succeeded') {
        say(job.kind === 'video' ? t('job.readyToast') : t('job.readyToastImage'), 'success', {
          description: subject,
          action,
        });
      }
      if (job.status === 'failed') say(t('job.failed'), 'error', { description: `${subject} · ${back}`, action });
    }
  }, [jobs, openId, navigate, subjectOf, t]);
}

function Card({ job, isOpen }: { job: Job; isOpen: boolean }) {
  const { t } = useTranslation();
  const subject = useSubject()(job);
  const status = t(`job.${job.status}`);
  return (
    <Link
      href={`/jobs/${job.id}`}
      aria-label={t('history.open', { status, prompt: subject })}
      aria-current={isOpen ? 'page' : undefined}
      className="group relative block aspect-[16/10] overflow-hidden rounded-xl border border-line bg-raised aria-[current]:border-mint aria-[current]:ring-2 aria-[current]:ring-mint"
    >
      <Picture job={job} />
      {job.results.length > 1 && (
        <span className="nums absolute top-1.5 right-1.5 rounded-md bg-black/65 px-1.5 text-2xs font-semibold text-white">
          {job.results.length}
        </span>
      )}
      <span
        className={`absolute inset-x-0 bottom-0 px-2 pt-6 pb-1.5 text-2xs ${job.result === null ? 'text-muted' : 'bg-linear-to-t from-black/85 via-black/55 to-transparent text-white'}`}
      >
        <span className="line-clamp-1">{caption()}</span>
      </span>
    </Link>
  );

  function caption(): string {
    if (job.result !== null) return subject;
    return job.status === 'failed' ? t('history.noResult') : status;
  }
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
    return (
      <img
        src={thumbnail}
        alt=""
        loading="lazy"
        onError={fail}
        className="size-full object-cover transition-transform duration-500 group-hover:scale-105"
      />
    );
  }
  const ended = ENDED[job.status];
  return (
    <span className="grid size-full place-items-center pb-4 text-muted">
      {isOver(job) ? (
        <Icon name={ended ?? job.kind} className="size-6" />
      ) : (
        <Mark className="size-8 animate-turn text-mint-text [animation-duration:4s]" />
      )}
    </span>
  );
}
