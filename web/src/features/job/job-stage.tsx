// One job, watched from the queue to the result, and everything that can be done with it.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { ApiError, serverNowSeconds, type Job } from '../../api';
import { Button, buttonClass } from '../../components/button';
import { Icon } from '../../components/icon';
import { Notice } from '../../components/notice';
import { say } from '../../components/say';
import { useNowSeconds } from '../../components/use-now';
import { useTitle } from '../../components/use-title';
import { explainError, explainFailure } from '../../i18n/coded';
import { useFormat } from '../../i18n/format';
import { isOver, mayStillCome, rereadJob, useCancelJob, useJob } from '../../queries';
import { useReachable } from '../../reachability';
import { useSubject } from '../../subject';
import { Developing } from './developing';
import { JobActions, type Again } from './job-actions';
import { JobDetails } from './job-details';
import { ResultStrip } from './result-strip';
import { ResultView } from './result-view';
import { StageFrame } from './stage-frame';
import {
  announcement,
  elapsedSeconds,
  failureCode,
  headline,
  isOverdue,
  isPart,
  partWords,
  percentDone,
  shapeOf,
  stepOf,
} from './stages';
import { Steps } from './steps';

interface Props {
  id: string;
  onAgain: Again;
  onDeleted: () => void;
}

export function JobStage({ id, onAgain, onDeleted }: Props) {
  const { t } = useTranslation();
  const { data, error, refetch } = useJob(id);
  const isReachable = useReachable();
  const job = data?.value;
  useTitle(job === undefined ? null : headline(t, job));
  return (
    <>
      {/* One region for the whole life of the job: what changes in it is read out, once for each stage. */}
      <p role="status" className="sr-only">
        {job !== undefined ? announcement(t, job) : error === null && t('job.loading')}
      </p>
      {/* A server that answers nobody is told about above the page. */}
      {error !== null && isReachable && job !== undefined && !isOver(job) && (
        <div className="mb-4">
          <Notice look="warn" role="alert" title={t('job.connectionLost')} />
        </div>
      )}
      {job !== undefined ? (
        <Watched key={job.id} job={job} onAgain={onAgain} onDeleted={onDeleted} />
      ) : error === null ? (
        <StageFrame shape={16 / 9}>
          <Developing percent={0} figure={null} isWaiting />
        </StageFrame>
      ) : (
        <Unread error={error} onRetry={() => void refetch()} />
      )}
    </>
  );
}

function Unread({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const { t } = useTranslation();
  const { what, todo } = explainError(t, error);
  if (error instanceof ApiError && error.code === 'not_found') {
    const back = (
      <Link href="/" className={buttonClass('secondary', 'sm')}>
        {t('app.back')}
      </Link>
    );
    return <Notice look="warn" role="alert" title={t('job.missing')} actions={back} />;
  }
  const retry = (
    <Button size="sm" onClick={onRetry}>
      {t('app.retry')}
    </Button>
  );
  return (
    <Notice look="bad" role="alert" title={what} actions={retry}>
      {todo}
    </Notice>
  );
}

function Watched({ job, onAgain, onDeleted }: { job: Job } & Omit<Props, 'id'>) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const name = t('job.pictureAlt', { prompt: useSubject()(job) });
  const [index, setIndex] = useState(0);
  const step = stepOf(job);
  const shown = job.results[index] ?? job.results[0] ?? null;
  const shape = shown === null ? shapeOf(job.settings.aspect_ratio) : shown.width / shown.height;
  return (
    <section aria-label={t('job.label')}>
      {job.status === 'failed' || job.status === 'cancelled' ? (
        <NoResult job={job} />
      ) : (
        <StageFrame shape={shape > 0 ? shape : 1} backdrop={shown?.thumbnail_url ?? null}>
          {shown !== null ? (
            <ResultView
              key={index}
              kind={job.kind}
              result={shown}
              name={name}
              onExpired={() => rereadJob(queries, job.id)}
            />
          ) : (
            <Screen job={job} />
          )}
        </StageFrame>
      )}
      {job.results.length > 1 && <ResultStrip results={job.results} index={index} onPick={setIndex} />}
      <div className="mt-5 grid gap-5">
        {step !== null && (
          <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-4">
            <Headline job={job} />
            {!isOver(job) && job.cancellable && <Cancel job={job} />}
          </div>
        )}
        {step !== null && !isOver(job) && <Steps current={step} hasUpload={false} />}
        {isOver(job) && <JobActions job={job} shown={shown} onAgain={onAgain} onDeleted={onDeleted} />}
        <JobDetails job={job} shown={shown} />
      </div>
    </section>
  );
}

function Screen({ job }: { job: Job }) {
  const { number } = useFormat();
  const now = useNowSeconds(serverNowSeconds, true);
  const percent = percentDone(job, elapsedSeconds(job, now));
  return (
    <Developing
      percent={percent}
      figure={job.status === 'running' ? `${number(percent)} %` : null}
      isWaiting={job.status !== 'running'}
    />
  );
}

function Headline({ job }: { job: Job }) {
  const { t } = useTranslation();
  const { clock, span } = useFormat();
  const isRunning = !isOver(job);
  const now = useNowSeconds(serverNowSeconds, isRunning);
  const elapsed = elapsedSeconds(job, now);
  const times = { elapsed: clock(elapsed), expected: span(job.expected_seconds) };
  return (
    <div className="min-w-0 flex-1 basis-64">
      <h2 className="flex items-center gap-2 text-xl font-semibold">
        {job.status === 'succeeded' && <Icon name="check" className="size-6 text-mint-text" />}
        {headline(t, job)}
      </h2>
      {isRunning && (
        <>
          <p className="nums mt-1 text-muted">
            {job.status === 'queued' && t('job.waited', times)}
            {job.status === 'running' && (isOverdue(job, elapsed) ? t('job.overdue', times) : t('job.elapsed', times))}
          </p>
          <p className="mt-1 text-sm text-muted">{t('job.leaveNote')}</p>
        </>
      )}
      {isPart(job) && <p className="mt-1 text-amber">{partWords(t, job)}</p>}
      {job.receipt.reason === 'late_gift' && <p className="mt-1 text-mint-text">{t('job.lateGift')}</p>}
    </div>
  );
}

/** What happened, that the tokens are back, what to do: in this order. */
function NoResult({ job }: { job: Job }) {
  const { t } = useTranslation();
  const { what, todo } = explainFailure(t, failureCode(job));
  const isCancelled = job.status === 'cancelled';
  const returned = job.receipt.returned_tokens;
  return (
    <div className="flex gap-5 rounded-2xl border border-line bg-panel p-6 max-sm:flex-col sm:p-8">
      <span
        className={`grid size-12 shrink-0 place-items-center rounded-full ${isCancelled ? 'bg-raised text-muted' : 'bg-rose-wash text-rose'}`}
      >
        <Icon name={isCancelled ? 'stop' : 'warn'} className="size-6" />
      </span>
      <div>
        <h2 className="text-xl font-semibold">{headline(t, job)}</h2>
        <p className="mt-1">{what}</p>
        {returned > 0 && (
          <p className="mt-4 flex items-center gap-2 font-semibold text-mint-text">
            <Icon name="check" /> {t('job.tokensBack', { count: returned })}
          </p>
        )}
        <p className="mt-2 text-muted">
          {todo} {mayStillCome(job) && t('job.stillMayCome')}
        </p>
      </div>
    </div>
  );
}

function Cancel({ job }: { job: Job }) {
  const { t } = useTranslation();
  const cancel = useCancelJob();
  const press = () => cancel.mutate(job.id, { onError: (error) => say(explainError(t, error).what, 'error') });
  return (
    <Button icon="stop" isDisabled={cancel.isPending} onClick={press}>
      {cancel.isPending ? t('job.cancelling') : t('job.cancel', { count: job.receipt.held_tokens })}
    </Button>
  );
}
