// The studio: the form on the left, the stage on the right, recent jobs under it, as a reel. On a phone, one of the two at a time.
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { Job } from '../api';
import { Button } from '../components/button';
import { Mark } from '../components/mark';
import { GenerateForm } from '../features/generate/generate-form';
import type { Refill } from '../features/generate/use-draft';
import { useGeneration } from '../features/generate/use-generation';
import { usePictures } from '../features/generate/use-picture';
import { History } from '../features/history/history';
import { SendingStage } from '../features/job/sending-stage';
import { StageFrame } from '../features/job/stage-frame';
import { useRecentJobs } from '../queries';

/** Loaded after the form, which is what somebody who comes needs first. */
const ExampleCards = lazy(() =>
  import('../features/generate/example-cards').then((file) => ({ default: file.ExampleCards })),
);
const loadJobStage = () => import('../features/job/job-stage');
const JobStage = lazy(() => loadJobStage().then((file) => ({ default: file.JobStage })));

const SIDE_BY_SIDE = '(min-width: 64rem)';

export function Studio({ jobId }: { jobId: string | null }) {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const pictures = usePictures();
  const generation = useGeneration(pictures, (job) => navigate(`/jobs/${job.id}`));
  const [refill, setRefill] = useState<Refill | null>(null);
  const recent = useRecentJobs();
  const stage = useRef<HTMLDivElement>(null);

  const phase = generation.phase.name;
  const isSending = phase === 'uploading' || phase === 'sending';
  const isWatching = isSending || jobId !== null;
  const isFirstRun = recent.data?.value.length === 0;
  useFocusOnChange(stage, jobId);
  useEffect(() => void loadJobStage(), []);

  const again = (job: Job, focus: 'prompt' | 'generate' | 'model') => {
    setRefill({ job, focus });
    // On a laptop both stand side by side, and the old result may stay for comparison.
    if (!matchMedia(SIDE_BY_SIDE).matches) navigate('/');
  };
  return (
    <main
      id="content"
      tabIndex={-1}
      className="flex-1 outline-none lg:grid lg:min-h-0 lg:grid-cols-[clamp(22rem,34vw,27rem)_minmax(0,1fr)]"
    >
      <h1 className="sr-only">{t('nav.studio')}</h1>
      <div
        className={`scroll-quiet scroll-pb-30 border-line bg-panel lg:block lg:overflow-y-auto lg:border-r ${isWatching ? 'hidden' : ''}`}
      >
        <GenerateForm generation={generation} pictures={pictures} refill={refill} hasExamples={isFirstRun} />
      </div>
      <div className="lg:flex lg:min-h-0 lg:flex-col">
        <div className="scroll-quiet lg:min-h-0 lg:flex-1 lg:overflow-y-auto">
          <div className="mx-auto w-full max-w-5xl px-4 py-5 sm:px-6 lg:px-8 lg:py-7">
            {isWatching && (
              <Button look="ghost" size="sm" icon="left" className="mb-3 -ml-2 lg:hidden" onClick={() => navigate('/')}>
                {t('job.newOne')}
              </Button>
            )}
            <div ref={stage} tabIndex={-1} className="scroll-mt-32 outline-none lg:scroll-mt-7">
              {isSending ? (
                <SendingStage uploadPercent={phase === 'uploading' ? uploadPercent() : null} />
              ) : jobId !== null ? (
                <Suspense fallback={<StageFrame shape={16 / 9}>{null}</StageFrame>}>
                  <JobStage key={jobId} id={jobId} onAgain={again} onDeleted={() => navigate('/')} />
                </Suspense>
              ) : (
                <EmptyStage isFirstRun={isFirstRun} onPick={(prompt) => setRefill({ prompt })} />
              )}
            </div>
          </div>
        </div>
        <History openId={jobId} />
      </div>
    </main>
  );

  function uploadPercent(): number {
    const percents = Object.values(pictures).map(({ phase }) => (phase.name === 'uploading' ? phase.percent : 100));
    return Math.min(...percents);
  }
}

function EmptyStage({ isFirstRun, onPick }: { isFirstRun: boolean; onPick: (prompt: string) => void }) {
  const { t } = useTranslation();
  if (isFirstRun) {
    return (
      <section className="hidden animate-rise lg:block">
        <h2 className="text-2xl font-semibold">{t('examples.title')}</h2>
        <p className="mt-2 mb-6 max-w-[60ch] text-muted">{t('examples.lead')}</p>
        <Suspense fallback={<div aria-busy="true" className="h-80" />}>
          <ExampleCards onPick={onPick} />
        </Suspense>
      </section>
    );
  }
  return (
    <section className="hidden lg:block">
      <div className="relative grid aspect-video max-h-[58dvh] w-full place-content-center justify-items-center gap-3 overflow-hidden rounded-2xl border border-dashed border-line p-6 text-center">
        <Mark className="size-14 text-mint-text opacity-60" />
        <h2 className="text-xl font-semibold">{t('examples.idleTitle')}</h2>
        <p className="max-w-[44ch] text-muted">{t('examples.idleLead')}</p>
      </div>
    </section>
  );
}

/** Somebody who cannot see the stage change hears it: focus goes to the new job, except on the first load. */
function useFocusOnChange(target: React.RefObject<HTMLElement | null>, jobId: string | null): void {
  const before = useRef(jobId);
  useEffect(() => {
    if (before.current === jobId) return;
    before.current = jobId;
    if (jobId === null) return;
    target.current?.focus({ preventScroll: true });
    target.current?.scrollIntoView({ block: 'start' });
  }, [jobId, target]);
}
